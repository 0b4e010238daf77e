"""Key files: made, read, told apart from what they are not; OpenSSL reads and writes the same."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from klero import _native
from klero.errors import InputError, OutputExistsError
from klero.ledger.keys import SecretKey, keygen, public_path, read_public_key, read_secret_key

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def openssl(*arguments: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False)


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    keygen(tmp_path / "o.key", "Ville de Nantes, « service élections »")
    return tmp_path / "o.key"


def fault(error: pytest.ExceptionInfo[InputError]) -> str:
    assert [f.code for f in error.value.faults] == ["key-invalid"]
    return error.value.faults[0].message


def test_a_key_reads_back_as_it_was_made(pair: Path) -> None:
    secret, public = read_secret_key(pair), read_public_key(public_path(pair))
    assert secret.public == public
    assert public.name == "Ville de Nantes, « service élections »"
    assert _native.ed25519_verify(bytes.fromhex(public.key), b"text", secret.sign(b"text"))


def test_two_keys_differ(tmp_path: Path) -> None:
    assert keygen(tmp_path / "a.key", "a").key != keygen(tmp_path / "b.key", "b").key


def test_the_private_key_is_for_its_owner_alone(pair: Path) -> None:
    assert stat.S_IMODE(pair.stat().st_mode) == 0o600
    assert sorted(path.name for path in pair.parent.iterdir()) == ["o.key", "o.pub"]


def test_no_secret_is_shown_when_a_key_is_printed(pair: Path) -> None:
    key = read_secret_key(pair)
    assert key.secret.hex() not in repr(key)
    assert "secret=" not in repr(key)


def test_keys_are_not_replaced_unless_forced(pair: Path) -> None:
    before = pair.read_bytes()
    with pytest.raises(OutputExistsError):
        keygen(pair, "x")
    assert pair.read_bytes() == before
    keygen(pair, "x", force=True)
    assert pair.read_bytes() != before


def test_a_public_key_in_the_way_leaves_no_half_pair(tmp_path: Path) -> None:
    (tmp_path / "n.pub").write_text("x")
    with pytest.raises(OutputExistsError):
        keygen(tmp_path / "n.key", "x")
    assert not (tmp_path / "n.key").exists()


@pytest.mark.parametrize("name", ["", "  ", "two\nlines", "x" * 201])
def test_a_name_is_a_line_of_text(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="key-name"):
        keygen(tmp_path / "n.key", name)
    assert list(tmp_path.iterdir()) == []


def test_the_public_key_never_takes_the_place_of_the_private_one(tmp_path: Path) -> None:
    assert public_path("x.key") == "x.pub"
    assert public_path("x.pub") == "x.pub.pub"


@needs_openssl
def test_openssl_reads_both_files_and_verifies_our_signature(pair: Path, tmp_path: Path) -> None:
    key = read_secret_key(pair)
    (tmp_path / "message").write_bytes(b"a message")
    (tmp_path / "sig").write_bytes(key.sign(b"a message"))
    shown = openssl("pkey", "-in", pair, "-pubout")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout in Path(public_path(pair)).read_bytes()
    checked = openssl(
        *("pkeyutl", "-verify", "-pubin", "-inkey", public_path(pair), "-rawin", "-in", tmp_path / "message"),
        *("-sigfile", tmp_path / "sig"),
    )
    assert checked.returncode == 0, checked.stderr


@needs_openssl
def test_keys_of_openssl_are_read_and_sign_alike(tmp_path: Path) -> None:
    assert openssl("genpkey", "-algorithm", "ed25519", "-out", tmp_path / "s.pem").returncode == 0
    assert openssl("pkey", "-in", tmp_path / "s.pem", "-pubout", "-out", tmp_path / "p.pem").returncode == 0
    key = read_secret_key(tmp_path / "s.pem")
    assert key.public == read_public_key(tmp_path / "p.pem")
    assert key.public.name == ""
    (tmp_path / "m").write_bytes(b"x" * 1000)
    signed = openssl("pkeyutl", "-sign", "-inkey", tmp_path / "s.pem", "-rawin", "-in", tmp_path / "m")
    assert signed.stdout == key.sign(b"x" * 1000)


@needs_openssl
@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("genpkey", "-algorithm", "rsa"), "no Ed25519 private key"),
        (("genpkey", "-algorithm", "x25519"), "no Ed25519 private key"),
        (("genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:x"), "encrypted"),
        (("ecparam", "-name", "prime256v1", "-genkey", "-noout"), "no Ed25519 private key"),
    ],
)
def test_other_keys_are_named_for_what_they_are(tmp_path: Path, command: tuple[str, ...], words: str) -> None:
    assert openssl(*command, "-out", tmp_path / "k").returncode == 0
    with pytest.raises(InputError) as error:
        read_secret_key(tmp_path / "k")
    assert words in fault(error)


def test_public_and_private_are_not_mistaken_for_each_other(pair: Path) -> None:
    with pytest.raises(InputError) as error:
        read_secret_key(public_path(pair))
    assert "public key" in fault(error)
    with pytest.raises(InputError) as error:
        read_public_key(pair)
    assert "private key" in fault(error)
    assert read_secret_key(pair).secret.hex() not in str(error.value)


@pytest.mark.parametrize("cut", range(0, 180, 7))
def test_a_file_that_is_cut_off_is_refused(pair: Path, tmp_path: Path, cut: int) -> None:
    data = pair.read_bytes()
    (tmp_path / "cut").write_bytes(data[: min(cut, len(data) - 2)])
    with pytest.raises(InputError) as error:
        read_secret_key(tmp_path / "cut")
    fault(error)


def test_every_changed_letter_of_the_block_is_refused_or_gives_another_key(
    pair: Path, tmp_path: Path
) -> None:
    data, real = bytearray(pair.read_bytes()), read_secret_key(pair)
    other = tmp_path / "other"
    for place in range(data.index(b"-----BEGIN"), len(data)):
        changed = bytearray(data)
        changed[place] = ord("A") if changed[place] != ord("A") else ord("B")
        other.write_bytes(changed)
        try:
            found: SecretKey | None = read_secret_key(other)
        except InputError:
            found = None
        assert found is None or found.secret != real.secret, place


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"\0" * 100,
        b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----\n",
        b"-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PUBLIC KEY-----\n",
    ],
)
def test_what_is_no_key_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "k").write_bytes(data)
    for read in (read_secret_key, read_public_key):
        with pytest.raises(InputError) as error:
            read(tmp_path / "k")
        fault(error)


def test_two_keys_in_a_file_are_refused(pair: Path, tmp_path: Path) -> None:
    (tmp_path / "two").write_bytes(pair.read_bytes() * 2)
    with pytest.raises(InputError, match="several keys"):
        read_secret_key(tmp_path / "two")


def test_a_point_of_small_order_is_no_key(tmp_path: Path) -> None:
    import base64

    der = bytes.fromhex("302a300506032b6570032100") + b"\1" + bytes(31)
    text = base64.b64encode(der).decode()
    (tmp_path / "k").write_text(f"-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    with pytest.raises(InputError, match="no point of the curve"):
        read_public_key(tmp_path / "k")


def test_missing_files_folders_and_huge_files_are_told_apart(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as stream:
        stream.truncate(1 << 30)
    for name, code in (("none", "file-missing"), (".", "file-is-directory"), ("huge", "file-too-large")):
        with pytest.raises(InputError) as error:
            read_secret_key(tmp_path / name)
        assert error.value.faults[0].code == code
