"""Time-stamps: OpenSSL reads the request and answers as an authority; its answers go into the record and are checked."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path

import pytest

from klero.errors import BundleError, InputError, MissingExtraError
from klero.ledger import record as record_module
from klero.ledger.record import Record
from klero.ledger.sources import balls
from klero.ledger.stamps import timestamp, timestamp_request
from klero.ledger.steps import withdraw
from klero.ledger.verify import Verification, verify
from making_cases import BOTH, LATER, bundle, committed, drawn

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
needs_package = pytest.mark.skipif(
    importlib.util.find_spec("rfc3161_client") is None, reason="the extra 'timestamps' is not installed"
)
NOW = "2199-12-31T00:00:00Z"


@pytest.fixture(autouse=True)
def _late(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is dated later than the clock, and these answers are made in the present."""
    monkeypatch.setattr(record_module, "now", lambda: NOW)


CONFIG = """
[req]
distinguished_name = dn
prompt = no
[dn]
CN = {name}
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[stamping]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[tsa]
default_tsa = t
[t]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""


def openssl(*arguments: object) -> bytes:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


class Authority:
    """A time-stamp authority with a root of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        folder.mkdir()
        self.folder, self.config = folder, folder / "config"
        self.config.write_text(CONFIG.format(name=name, folder=folder))
        (folder / "serial").write_text("01\n")
        root = ("-newkey", "rsa:2048", "-nodes", "-keyout", folder / "root.key", "-out", folder / "root.pem")
        openssl("req", "-x509", *root, "-config", self.config, "-extensions", "ca", "-days", 4000)
        request = ("-newkey", "rsa:2048", "-nodes", "-keyout", folder / "tsa.key", "-out", folder / "tsa.csr")
        openssl("req", *request, "-config", self.config, "-subj", f"/CN={name} stamps")
        openssl(
            *(
                "x509",
                "-req",
                "-in",
                folder / "tsa.csr",
                "-CA",
                folder / "root.pem",
                "-CAkey",
                folder / "root.key",
            ),
            *("-CAcreateserial", "-out", folder / "tsa.pem", "-days", 3000),
            *("-extfile", self.config, "-extensions", "stamping"),
        )

    def answer(self, request: bytes, *, token: bool = False) -> bytes:
        (self.folder / "q").write_bytes(request)
        openssl(
            *(
                "ts",
                "-reply",
                "-config",
                self.config,
                "-queryfile",
                self.folder / "q",
                "-out",
                self.folder / "r",
            ),
            *(
                "-signer",
                self.folder / "tsa.pem",
                "-inkey",
                self.folder / "tsa.key",
                "-chain",
                self.folder / "root.pem",
            ),
            *(["-token_out"] if token else []),
        )
        return (self.folder / "r").read_bytes()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "a", "The authority")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "b", "Another authority")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Committed, to be drawn in 2150: the authority's clock, which says today, is early enough."""
    sources = [balls(20, "2150-01-01T10:00:00Z")]
    committed(tmp_path / "rec", bundle(tmp_path / "bundle"), sources=sources, calendar=[])
    return tmp_path / "rec"


def status(result: Verification, name: str) -> str:
    return next(check.status for check in result if check.name == name)


def test_openssl_reads_the_request(record: Path, tmp_path: Path) -> None:
    (tmp_path / "q.tsq").write_bytes(timestamp_request(record, entry=1))
    text = openssl("ts", "-query", "-in", tmp_path / "q.tsq", "-text").decode()
    assert "Version: 1" in text
    assert "sha256" in text
    assert "Certificate required: yes" in text
    file = record / "public" / "entry-0001.json"
    openssl("ts", "-query", "-data", file, "-sha256", "-cert", "-no_nonce", "-out", tmp_path / "o.tsq")
    assert (tmp_path / "o.tsq").read_bytes() == (tmp_path / "q.tsq").read_bytes()


@pytest.mark.parametrize("token", [False, True])
def test_an_answer_and_its_token_are_taken_alike(record: Path, authority: Authority, token: bool) -> None:
    answer = authority.answer(timestamp_request(record), token=token)
    added = timestamp(record, answer, keys=BOTH, time=NOW)
    assert (added.entry.kind, added.entry.body["entry"]) == ("timestamp", 1)
    result = verify(record)
    assert result.ok
    assert status(result, "timestamps") == "ok"
    assert status(result, "timestamps.signature") == "--"
    assert [number for number, _time in Record.read(record).timestamps] == [1]


@needs_package
def test_a_signature_is_checked_against_the_certificate_given(
    record: Path, authority: Authority, stranger: Authority, tmp_path: Path
) -> None:
    timestamp(record, authority.answer(timestamp_request(record)), keys=BOTH, time=NOW)
    both = tmp_path / "both.pem"
    both.write_bytes(
        (authority.folder / "tsa.pem").read_bytes() + (authority.folder / "root.pem").read_bytes()
    )
    for certificate in (authority.folder / "root.pem", both):
        result = verify(record, tsa_certificate=certificate)
        assert status(result, "timestamps.signature") == "ok", (certificate, list(result))
    openssl("x509", "-in", authority.folder / "root.pem", "-outform", "DER", "-out", tmp_path / "root.der")
    assert status(verify(record, tsa_certificate=tmp_path / "root.der"), "timestamps.signature") == "ok"
    wrong = verify(record, tsa_certificate=stranger.folder / "root.pem")
    assert status(wrong, "timestamps.signature") == "FAIL"
    assert not wrong.ok


@needs_package
def test_a_changed_signature_of_a_token_fails(record: Path, authority: Authority) -> None:
    token = bytearray(authority.answer(timestamp_request(record), token=True))
    token[-1] ^= 1
    timestamp(record, bytes(token), keys=BOTH, time=NOW)
    assert verify(record).ok
    result = verify(record, tsa_certificate=authority.folder / "root.pem")
    assert [check.name for check in result if check.bad] == ["timestamps.signature"]


@needs_package
def test_a_certificate_that_is_none_is_refused_in_words(record: Path, tmp_path: Path) -> None:
    for number, data in enumerate(
        (b"", b"x", b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")
    ):
        (tmp_path / f"{number}.pem").write_bytes(data)
        with pytest.raises(InputError, match="no certificate"):
            verify(record, tsa_certificate=tmp_path / f"{number}.pem")
    with pytest.raises(InputError, match="file-missing"):
        verify(record, tsa_certificate=tmp_path / "none.pem")


def test_without_the_package_it_is_named(
    record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    (tmp_path / "c.pem").write_bytes(b"x")
    with pytest.raises(MissingExtraError, match=r"klero\[timestamps\]"):
        verify(record, tsa_certificate=tmp_path / "c.pem")


def test_a_bundle_has_no_time_stamps(record: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="trial bundle"):
        verify(tmp_path / "bundle", tsa_certificate=tmp_path / "c.pem")


def test_a_token_over_other_bytes_is_refused(record: Path, authority: Authority, tmp_path: Path) -> None:
    other = drawn(tmp_path / "other", bundle(tmp_path / "b2"), title="Another panel")
    answer = authority.answer(timestamp_request(other))
    before = sorted((record / "public").iterdir())
    with pytest.raises(InputError, match="no entry of this record"):
        timestamp(record, answer, keys=BOTH, time=NOW)
    mine = authority.answer(timestamp_request(record, entry=1))
    withdraw(record, leaves=Record.read(record).leaves[:1], reason="other", keys=BOTH, time=LATER)
    before = sorted((record / "public").iterdir())
    with pytest.raises(InputError, match="over entry 1, not 2"):
        timestamp(record, mine, entry=2, keys=BOTH, time=NOW)
    with pytest.raises(InputError, match="no entry 9"):
        timestamp_request(record, entry=9)
    assert sorted((record / "public").iterdir()) == before


def test_a_stamp_that_shows_a_late_commitment_is_not_put_in(authority: Authority, tmp_path: Path) -> None:
    """The authority's clock says today; this record's randomness was drawn on 1 February 2026."""
    late = drawn(tmp_path / "late", bundle(tmp_path / "b"))
    answer = authority.answer(timestamp_request(late, entry=1))
    before = sorted((late / "public").iterdir())
    with pytest.raises(BundleError, match="timestamps"):
        timestamp(late, answer, keys=BOTH, time=NOW)
    assert sorted((late / "public").iterdir()) == before
    timestamp(late, authority.answer(timestamp_request(late, entry=2)), keys=BOTH, time=NOW)
    assert verify(late).ok


def test_a_stamp_is_over_all_signatures(tmp_path: Path) -> None:
    committed(tmp_path / "rec", bundle(tmp_path / "b"), signed_by=BOTH[:1])
    with pytest.raises(BundleError, match="1 more signature"):
        timestamp_request(tmp_path / "rec")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x80",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x03\x02\x01\x00",
        b"\x30\x05\x30\x03\x02\x01\x00",
        b"\x30\x05\x30\x03\x02\x01\x02",
        b"\x30\x03\x06\x01\x2a",
        b"not DER at all",
        bytes(1000),
    ],
)
def test_what_is_no_answer_is_refused_in_words(record: Path, data: bytes) -> None:
    with pytest.raises(InputError) as error:
        timestamp(record, data, keys=BOTH, time=LATER)
    assert [fault.code for fault in error.value.faults] == ["token-invalid"]


def test_every_cut_of_an_answer_is_refused(record: Path, authority: Authority) -> None:
    answer = authority.answer(timestamp_request(record))
    for length in range(0, len(answer), 37):
        with pytest.raises(InputError, match="token-invalid"):
            timestamp(record, answer[:length], keys=BOTH, time=NOW)
