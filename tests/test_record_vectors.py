"""Golden records and the vectors of their primitives: three programs must say the same of them."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from math import comb
from typing import Any

import pytest

from klero import _native
from klero.verifiers import klero_verify
from record_cases import (
    CHECKS,
    NAMES,
    VECTORS,
    Files,
    dump,
    entries,
    golden_record,
    payload,
    primitives,
    resigned,
    tier,
)
from record_mutations import alone, disagreement, library

CASES = primitives()


def test_golden_records_are_those_of_their_generator() -> None:
    done = subprocess.run(
        [sys.executable, str(VECTORS / "generate_records.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shown", ["public", "auditor", "sealed"])
def test_golden_records_pass_in_every_tier(name: str, shown: str) -> None:
    files = tier(golden_record(name), shown)
    one, other = library(files), alone(files)
    assert disagreement(one, other) is None
    assert [check for check, _ in one] == list(CHECKS)
    assert {status for _, status in one} <= {"ok", "--"}
    assert not_checked(files) == [check for check, status in one if status == "--"]


def not_checked(files: Files) -> list[str]:
    """The checks that this good record has nothing for: what protocol.md says, in other words."""
    kinds = [payload(files, number)["kind"] for number in range(1, len(entries(files)) + 1)]
    beacon = any(
        '"kind":"drand"' in base64.b64decode(json.loads(files[name])["payload"]).decode()
        for name in entries(files)
    )
    auditor = "auditor/pool-0.json" in files
    has = {
        "randomness": "draw" in kinds,
        "beacon": beacon,
        "draw.people": "draw" in kinds or "withdrawals" in kinds,
        "timestamps": "timestamp" in kinds,
        "timestamps.signature": False,
        "succession": auditor and kinds.count("commitment") > 1,
        "draw.panel": auditor and "draw" in kinds,
        "sealed": "sealed/people.json" in files,
    }
    has |= dict.fromkeys(("draw.seed", "draw.index"), "draw" in kinds)
    has |= dict.fromkeys(("instance", "pool", "lottery", "quotas", "certificate", "gap", "summary"), auditor)
    return [name for name in CHECKS if not has.get(name, True)]


@pytest.mark.parametrize("name", NAMES)
def test_a_record_signed_again_is_the_same(name: str) -> None:
    assert resigned(golden_record(name)) == golden_record(name)


@pytest.mark.parametrize("case", CASES["ed25519"]["keys"], ids=lambda case: case["name"])
def test_keys(case: dict[str, Any]) -> None:
    key = bytes.fromhex(case["key"])
    assert _native.ed25519_is_key(key) is case["valid"]
    assert klero_verify.is_key(key) is case["valid"]


@pytest.mark.parametrize("case", CASES["ed25519"]["signatures"], ids=lambda case: case["name"])
def test_signatures(case: dict[str, Any]) -> None:
    key, message, signature = (bytes.fromhex(case[part]) for part in ("key", "message", "signature"))
    assert _native.ed25519_verify(key, message, signature) is case["valid"]
    assert (klero_verify.is_key(key) and klero_verify.is_signature(key, message, signature)) is case["valid"]


def test_every_bit_of_a_signature_counts() -> None:
    case = CASES["ed25519"]["signatures"][3]
    key, message, signature = (bytes.fromhex(case[part]) for part in ("key", "message", "signature"))
    for bit in range(512):
        other = bytearray(signature)
        other[bit // 8] ^= 1 << bit % 8
        assert not _native.ed25519_verify(key, message, bytes(other))
        assert not klero_verify.is_signature(key, message, bytes(other))
    for length in (0, 32, 63, 65, 96):
        assert not _native.ed25519_verify(key, message, (signature + signature)[:length])
        assert not klero_verify.is_signature(key, message, (signature + signature)[:length])


@pytest.mark.parametrize("case", CASES["time"], ids=lambda case: repr(case["text"]))
def test_times(case: dict[str, Any]) -> None:
    """As the time of the first source: the declaration is refused, or the time is read."""
    if case["valid"]:
        assert klero_verify.instant(case["text"]) == case["seconds"]
    else:
        with pytest.raises(ValueError, match=r".*"):
            klero_verify.instant(case["text"])
    files = with_sources([{"digits": 20, "kind": "balls", "time": case["text"]}], 6)
    assert declared(files) == ("ok" if case["valid"] else "FAIL")


@pytest.mark.parametrize("number", range(len(CASES["sources"])))
def test_sources(number: int) -> None:
    case = CASES["sources"][number]
    assert declared(with_sources(case["sources"], case["digits_of_m"])) == ("ok" if case["valid"] else "FAIL")
    for source, when in zip(case["sources"], case["times"], strict=bool(case["times"])):
        if source["kind"] == "drand":
            assert _native.beacon_time(source["chain"], source["round"]) == when


def with_sources(sources: Any, digits: int) -> Files:
    """The undrawn record, with these sources and M = 10^digits."""
    files = golden_record("undrawn")
    declaration = json.loads(files["public/declaration.json"])
    declaration |= {"denominator": 10**digits, "sources": sources}
    return {**files, "public/declaration.json": dump(declaration)}


def declared(files: Files) -> str:
    one, other = library(files), alone(files)
    assert disagreement(one, other) is None
    return dict(one)["declaration"]


@pytest.mark.parametrize("case", CASES["base64"], ids=lambda case: repr(case["text"]))
def test_base64_has_one_spelling(case: dict[str, Any]) -> None:
    if case["bytes"] is None:
        with pytest.raises(ValueError, match=r".*"):
            klero_verify.unbase64(case["text"])
    else:
        assert klero_verify.unbase64(case["text"]).hex() == case["bytes"]
    files = golden_record("undrawn")
    document = json.loads(files["public/entry-0001.json"]) | {"payload": case["text"]}
    files["public/entry-0001.json"] = dump(document)
    one, other = library(files), alone(files)
    assert disagreement(one, other) is None
    assert dict(one)["encoding"] == "FAIL"  # of the payload, if not of its BASE64


def test_what_is_signed_and_chained() -> None:
    *cases, key = CASES["dsse"]
    for case in cases:
        data = bytes.fromhex(case["payload"])
        assert _native.dsse_pae(data).hex() == klero_verify.signed_bytes(data).hex() == case["pae"]
        entry_hash = klero_verify.seq("klero/entry/v1", [data]).hex()
        assert _native.record_entry_hash(data).hex() == entry_hash == case["entry_hash"]
    assert klero_verify.sha256(bytes.fromhex(key["key"])).hex() == key["keyid"]


@pytest.mark.parametrize(
    "case", CASES["beacon"]["rounds"], ids=lambda case: f"{case['round']} {case['valid']}"
)
def test_beacon_rounds(case: dict[str, Any]) -> None:
    before, signature = (bytes.fromhex(case[part]) for part in ("previous_signature", "signature"))
    assert _native.beacon_verify(case["chain"], case["round"], before, signature) is case["valid"]
    assert _native.beacon_time(case["chain"], case["round"]) == case["time"]


def test_chains_have_their_keys() -> None:
    for chain in CASES["beacon"]["chains"].values():
        assert klero_verify.CHAINS[chain["hash"]].key == chain["key"]


@pytest.mark.parametrize(
    "case", CASES["randomness"], ids=lambda case: f"{case['commitment'][:6]} {case['m']}"
)
def test_reveals_give_values_seeds_and_position(case: dict[str, Any]) -> None:
    """The stand-alone verifier's own arithmetic; the library's is held to it by every golden record."""
    digits = len(str(case["m"])) - 1
    sources = klero_verify.read_sources(case["sources"], digits)
    values = [klero_verify.revealed(s, r) for s, r in zip(sources, case["reveals"], strict=True)]
    assert [value.hex() for value in values] == case["values"]
    commitment = bytes.fromhex(case["commitment"])
    seed = klero_verify.seq("klero/seed/tickets/v1", [commitment, *values]).hex()
    rest = [v for v, source in zip(values, case["sources"], strict=True) if source["kind"] != "balls"]
    first = klero_verify.seq("klero/seed/index/v1", [commitment, *rest])
    x, rejected = klero_verify.position(first, case["m"])
    assert (seed, first.hex(), rejected) == (case["seed"], case["index_seed"], case["rejected"])
    assert (x + case["balls"]) % case["m"] == case["position"]


def test_the_time_stamp_is_read() -> None:
    case = CASES["timestamp"]
    expected = (bytes.fromhex(case["imprint"]), case["time"])
    token = bytes.fromhex(case["token"])
    assert tuple(_native.timestamp_read(token)) == klero_verify.read_token(token) == expected
    assert bytes.fromhex(case["authority"]) in token


@pytest.mark.parametrize(
    "case", [c for c in CASES["histogram"] if "groups" in c], ids=lambda case: case["name"]
)
def test_histograms(case: dict[str, Any]) -> None:
    slots = [(min(99, 100 * a // b), people) for a, b, people in case["groups"]]
    assert klero_verify.histogram(slots) == case["histogram"]
    assert sum(people for *_, people in case["histogram"]) in (0, case["people"])


@pytest.mark.parametrize("case", CASES["leaves"], ids=lambda case: case["draw"])
def test_leaves(case: dict[str, Any]) -> None:
    identity, what = dump(case["identity"]), case["opening"].encode()
    found = _native.record_leaves(case["draw"], [identity], [what], bytes.fromhex(case["salt"]))
    assert [part.hex() for part in found] == [case["c_id"], case["k_type"], case["leaf"]]


def test_paths_lead_to_the_root() -> None:
    for case in CASES["paths"]:
        leaves = [bytes.fromhex(leaf) for leaf in case["leaves"]]
        for i, path in enumerate(case["paths"]):
            assert [node.hex() for node in _native.merkle_path(leaves, i)] == path
            assert (
                climbed(leaves[i], i, len(leaves), [bytes.fromhex(node) for node in path]).hex()
                == case["root"]
            )


def climbed(leaf: bytes, i: int, n: int, path: list[bytes]) -> bytes:
    """RFC 9162, 2.1.3.2, word for word."""
    fn, sn, r = i, n - 1, klero_verify.sha256(b"\0" + leaf)
    for p in path:
        assert sn
        if fn & 1 or fn == sn:
            r = klero_verify.sha256(b"\1" + p + r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = klero_verify.sha256(b"\1" + r + p)
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    return r


def test_receipts_lead_to_the_record() -> None:
    lines = {
        name: golden_record(name)["public/leaves.txt"].decode().split() for name in ("balls", "household")
    }
    for case in CASES["receipts"]:
        receipt = case["receipt"]
        what = dump({part: receipt[part] for part in ("attributes", "household", "weight")})
        salt = bytes.fromhex(receipt["salt"])
        *_, leaf = _native.record_leaves(receipt["draw"], [dump(receipt["identity"])], [what], salt)
        assert leaf.hex() == case["leaf"] == lines[receipt["draw"]][receipt["leaf"]]
        path = [bytes.fromhex(node) for node in receipt["path"]]
        assert climbed(leaf, receipt["leaf"], receipt["leaves"], path).hex() == receipt["root"]
        assert receipt["commitment"] == _native.record_entry_hash(first_payload(receipt["draw"])).hex()


def first_payload(name: str) -> bytes:
    return base64.b64decode(json.loads(golden_record(name)["public/entry-0001.json"])["payload"])


def test_sources_at_the_bound_are_where_they_should_be() -> None:
    assert comb(50, 5) ** 3 < 2**64 < comb(50, 5) ** 4
    assert 10**19 < 2**64 < 2 * 10**19
    assert 6**24 < 2**64 < 6**25
