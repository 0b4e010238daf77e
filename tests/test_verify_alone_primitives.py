"""Are the stand-alone verifier's primitives those of the page? Ed25519, sources, beacons, time-stamps; and what it says without a package."""

from __future__ import annotations

import importlib
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.verifiers import klero_verify
from record_cases import Files, edit_payload, entries, golden_record, payload, primitives, resigned

# The plain programs that make the vectors; record_cases has put them on the path.
plain: Any = importlib.import_module("plain_record")
DATA = Path(os.environ.get("KLERO_DATA", Path(__file__).parents[2] / "shared" / "data")) / "ledger"
PRIMITIVES = primitives()
ED, ORDER = klero_verify, klero_verify.ORDER


def statuses(files: Files) -> dict[str, str]:
    return {check.name: check.status for check in klero_verify.verify_record(files)}


def first(files: Files) -> str | None:
    return next((name for name, status in statuses(files).items() if status == "FAIL"), None)


def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(klero_verify, "import_module", missing)


def with_arithmetic(monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    """As if a package for the curve were there, which always gives this answer."""
    monkeypatch.setattr(klero_verify, "beacon_arithmetic", lambda: lambda chain, message, signature: answer)


@pytest.fixture(scope="module")
def curve() -> klero_verify.Beacon:
    found = klero_verify.beacon_arithmetic()
    if found is None:
        pytest.skip("the package py_ecc is not installed: the beacon's arithmetic is not tested here")
    return found


def body(files: Files, number: int, **values: Any) -> Files:
    entry = payload(files, number)
    return edit_payload(files, number, {**entry, "body": entry["body"] | values})


# ---------------------------------------------------------------- Ed25519 and other primitives


@pytest.mark.parametrize("case", PRIMITIVES["ed25519"]["keys"], ids=lambda case: case["name"])
def test_keys_are_points_of_the_prime_order_group(case: dict[str, Any]) -> None:
    assert klero_verify.is_key(bytes.fromhex(case["key"])) is case["valid"]


@pytest.mark.parametrize("case", PRIMITIVES["ed25519"]["signatures"], ids=lambda case: case["name"])
def test_signatures_verify_byte_for_byte(case: dict[str, Any]) -> None:
    key, message, signature = (bytes.fromhex(case[name]) for name in ("key", "message", "signature"))
    found = klero_verify.is_key(key) and klero_verify.is_signature(key, message, signature)
    assert found is case["valid"]


@pytest.mark.parametrize(
    ("key", "message", "signature"),
    [  # RFC 8032, 7.1: tests 1 to 3 and the one of SHA(abc)
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
        (
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
        ),
    ],
)
def test_the_vectors_of_rfc_8032(key: str, message: str, signature: str) -> None:
    public, said, signed = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)
    assert klero_verify.is_key(public)
    assert klero_verify.is_signature(public, said, signed)
    for bit in range(0, 512, 13):
        wrong = bytearray(signed)
        wrong[bit // 8] ^= 1 << bit % 8
        assert not klero_verify.is_signature(public, said, bytes(wrong))


@settings(max_examples=40, deadline=None)
@given(secret=st.binary(min_size=32, max_size=32), message=st.binary(max_size=300), bit=st.integers(0, 511))
def test_what_the_plain_program_signs_verifies_and_nothing_near_it(
    secret: bytes, message: bytes, bit: int
) -> None:
    key, signature = plain.public_key(secret), bytearray(plain.sign(secret, message))
    assert klero_verify.is_key(key)
    assert klero_verify.is_signature(key, message, bytes(signature))
    assert not klero_verify.is_signature(key, message + b"\0", bytes(signature))
    signature[bit // 8] ^= 1 << bit % 8
    assert not klero_verify.is_signature(key, message, bytes(signature))


def small_points() -> list[Any]:
    """The eight points whose order divides 8, as multiples of one of order 8."""
    for y in itertools.count(2):
        point = ED.decoded(y.to_bytes(32, "little"))
        if point is None:
            continue
        torsion = ED.NEUTRAL
        for bit in bin(ORDER)[2:]:  # ORDER * point, doubling and adding
            torsion = ED.added(torsion, torsion)
            torsion = ED.added(torsion, point) if bit == "1" else torsion
        found = [ED.NEUTRAL]
        while len(found) < 8:
            found.append(ED.added(found[-1], torsion))
        if len({ED.encoded(p) for p in found}) == 8:
            return found
    raise AssertionError


def test_signatures_forged_for_small_order_keys_need_the_check_of_keys() -> None:
    """With such a key A, S·B has the right form for many messages: the equation alone would accept what nobody signed."""
    base = ED.multiples(ED.BASE_POINT)
    assert base is not None
    forged = 0
    for point in small_points():
        key = ED.encoded(point)
        assert not ED.is_key(key)
        for s in range(1, 12):
            signature = ED.encoded(ED.times(s, base)) + s.to_bytes(32, "little")
            forged += ED.is_signature(key, b"never signed", signature)
    assert forged > 8


def test_keys_and_nonces_with_a_small_part_are_refused() -> None:
    secret = b"\x07" * 32
    key, signature = plain.public_key(secret), plain.sign(secret, b"message")
    point, nonce = ED.decoded(key), ED.decoded(signature[:32])
    assert point is not None
    assert nonce is not None
    for small in small_points()[1:]:
        assert not ED.is_key(ED.encoded(ED.added(point, small)))
        shifted = ED.encoded(ED.added(nonce, small)) + signature[32:]
        assert not ED.is_signature(key, b"message", shifted)
    beyond = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    assert not ED.is_signature(key, b"message", signature[:32] + beyond)


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except (*klero_verify.GARBAGE, klero_verify.Failed):
        return None


def test_times_base64_and_signed_bytes_are_those_of_the_vectors() -> None:
    for case in PRIMITIVES["time"]:
        assert outcome(klero_verify.instant, case["text"]) == (case["seconds"] if case["valid"] else None)
    for case in PRIMITIVES["base64"]:
        found = outcome(klero_verify.unbase64, case["text"])
        assert (None if found is None else found.hex()) == case["bytes"]
    for case in PRIMITIVES["dsse"]:
        if "payload" not in case:
            assert klero_verify.sha256(bytes.fromhex(case["key"])).hex() == case["keyid"]
            assert case["type"] == klero_verify.ENTRY_TYPE
            continue
        assert klero_verify.signed_bytes(bytes.fromhex(case["payload"])).hex() == case["pae"]


def test_sources_and_reveals_are_those_of_the_vectors() -> None:
    for case in PRIMITIVES["sources"]:
        found = outcome(klero_verify.read_sources, case["sources"], case["digits_of_m"])
        assert (found is not None) is case["valid"], case
        assert [source.time for source in found or []] == case["times"]
    for case in PRIMITIVES["randomness"]:
        digits = len(str(case["m"])) - 1
        sources = [klero_verify.read_source(source, digits) for source in case["sources"]]
        values = [klero_verify.revealed(s, r).hex() for s, r in zip(sources, case["reveals"], strict=True)]
        assert values == case["values"]


def test_histograms_and_gaps_are_those_of_the_vectors() -> None:
    for case in PRIMITIVES["histogram"]:
        if "groups" not in case:
            assert klero_verify.millionths(klero_verify.rational(case["rational"])) == case["gap"]
            continue
        slots = [(min(99, 100 * top // bottom), people) for top, bottom, people in case["groups"]]
        assert klero_verify.histogram(slots) == case["histogram"], case["name"]


# ---------------------------------------------------------------- beacons and time-stamps


def rounds() -> list[dict[str, Any]]:
    path = DATA / "drand" / "rounds.json"
    if not path.is_file():
        pytest.skip(f"published rounds of drand are not there: {path} (set KLERO_DATA)")
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def names_of_chains() -> dict[str, str]:
    chains = PRIMITIVES["beacon"]["chains"]
    return {name: chain["hash"] for name, chain in chains.items()}


def test_published_rounds_verify_and_others_do_not(curve: klero_verify.Beacon) -> None:
    for case in rounds():
        chain = klero_verify.CHAINS[names_of_chains()[case["chain"]]]
        number = case.get("wrong_round", case["round"])
        previous = bytes.fromhex(case.get("previous_signature", ""))
        message = klero_verify.sha256(previous + number.to_bytes(8, "big"))
        good = curve(chain, message, bytes.fromhex(case["signature"]))
        assert good is (case.get("expect") != "invalid"), case


def test_no_other_point_verifies(curve: klero_verify.Beacon) -> None:
    """Infinity, the negative, bytes that spell no point, and one outside the group of prime order."""
    for case in rounds()[:3:2]:
        chain = klero_verify.CHAINS[names_of_chains()[case["chain"]]]
        previous = bytes.fromhex(case.get("previous_signature", ""))
        message = klero_verify.sha256(previous + case["round"].to_bytes(8, "big"))
        good = bytes.fromhex(case["signature"])
        infinity, none = b"\xc0" + bytes(len(good) - 1), b"\xff" * len(good)
        outside = next(
            data
            for x in itertools.count(1)
            if (data := b"\x80" + bytes(len(good) - 2) + bytes([x])) and spells(data)
        )
        for wrong in (infinity, none, bytes([good[0] ^ 0x20]) + good[1:], outside):
            assert curve(chain, message, wrong) is False


def spells(data: bytes) -> bool:
    points: Any = importlib.import_module("py_ecc.bls.point_compression")
    halves = tuple(int.from_bytes(data[i : i + 48], "big") for i in range(0, len(data), 48))
    return (
        outcome(*([points.decompress_G1, *halves] if len(halves) == 1 else [points.decompress_G2, halves]))
        is not None
    )


def test_a_record_with_another_round_s_signature_fails_its_beacon(curve: klero_verify.Beacon) -> None:
    files = golden_record("drand")
    assert statuses(files)["beacon"] == "ok"
    (reveal,) = payload(files, 2)["body"]["reveals"]
    other = next(r for r in rounds() if r["chain"] == "quicknet" and r["signature"] != reveal["signature"])
    size = len(reveal["signature"])
    wrong = {**reveal, "signature": other["signature"][:size].ljust(size, "0")}
    assert first(resigned(body(files, 2, reveals=[wrong]))) == "beacon"


def test_a_package_that_lacks_a_function_counts_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As py_ecc before version 8, which can't hash to G1."""
    monkeypatch.setattr(klero_verify, "import_module", lambda name: object())
    assert klero_verify.beacon_arithmetic() is None
    assert statuses(golden_record("drand"))["beacon"] == "--"


def test_without_a_package_the_beacon_is_left_and_the_line_says_how_to_check_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    without_package(monkeypatch)
    files = golden_record("drand")
    check = next(c for c in klero_verify.verify_record(files) if c.name == "beacon")
    (reveal,) = payload(files, 2)["body"]["reveals"]
    assert check.status == "--"
    assert "py_ecc" in check.detail
    assert f"/public/{reveal['round']} " in check.detail
    assert reveal["signature"] in check.detail


@pytest.mark.parametrize("answer", [True, False])
def test_the_beacon_s_check_is_the_package_s_answer(answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with_arithmetic(monkeypatch, answer)
    found = statuses(golden_record("all-sources"))
    assert found["beacon"] == ("ok" if answer else "FAIL")
    assert found["draw.panel"] == "ok"


def test_the_vectors_token_is_read_and_no_byte_of_its_statement_can_be_cut() -> None:
    case = PRIMITIVES["timestamp"]
    token = bytes.fromhex(case["token"])
    assert klero_verify.read_token(token) == (bytes.fromhex(case["imprint"]), case["time"])
    for end in range(len(token)):
        assert outcome(klero_verify.read_token, token[:end]) is None
    assert outcome(klero_verify.read_token, token + b"\0") is None
    long = token[:1] + b"\x83\x00" + token[2:]  # a length with a zero in front
    assert outcome(klero_verify.read_token, long) is None
    assert outcome(klero_verify.read_token, b"\x30\x80" * 40) is None


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_changed_token_is_read_or_refused_and_never_breaks_the_reader(data: st.DataObject) -> None:
    token = bytearray.fromhex(PRIMITIVES["timestamp"]["token"])
    for _ in range(data.draw(st.integers(1, 3))):
        token[data.draw(st.integers(0, len(token) - 1))] = data.draw(st.integers(0, 255))
    found = outcome(klero_verify.read_token, bytes(token))
    assert found is None or len(found[0]) == 32


def test_the_command_for_a_time_stamp_is_one_that_openssl_accepts(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: the command that is shown for time-stamps is not run")
    files = golden_record("timestamped")
    detail = next(c for c in klero_verify.verify_record(files) if c.name == "timestamps.signature").detail
    command = detail[detail.index("openssl ts") :].split()
    token = next(
        entry["body"]["token"]
        for entry in (payload(files, n + 1) for n in range(len(entries(files))))
        if entry["kind"] == "timestamp"
    )
    (tmp_path / "token.der").write_bytes(klero_verify.unbase64(token))
    (tmp_path / "authority.der").write_bytes(bytes.fromhex(PRIMITIVES["timestamp"]["authority"]))
    convert = [openssl, "x509", "-inform", "DER", "-in", "authority.der", "-out", "authority.pem"]
    subprocess.run(convert, cwd=tmp_path, check=True, capture_output=True)
    done = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert "Verification: OK" in done.stdout + done.stderr
    wrong = [word if len(word) != 64 else word[::-1] for word in command]
    done = subprocess.run(wrong, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert "Verification: OK" not in done.stdout + done.stderr
