"""Are the bytes, hashes and draws the golden ones, whichever program computes them?"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from klero import _native
from klero.errors import BundleError
from klero.ledger.canonical import canonical
from klero.verifiers import klero_verify
from ledger_cases import VECTORS, golden, vectors

DATA = Path(os.environ.get("KLERO_DATA", Path(__file__).parents[2] / "shared" / "data")) / "ledger"
# The leaves of the certificate-transparency test tree that the RFC 6962 vectors are about.
CT_LEAVES = [
    bytes.fromhex(h)
    for h in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]


def needs(folder: str) -> Path:
    path = DATA / folder
    if not path.is_dir():
        pytest.skip(f"public vectors are not there: {path} (set KLERO_DATA)")
    return path


def test_the_vectors_are_those_of_their_generator() -> None:
    done = subprocess.run(
        [sys.executable, str(VECTORS / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("case", vectors("canonical"), ids=lambda case: case["name"])
def test_canonical_bytes_are_accepted_and_no_others(case: dict[str, Any]) -> None:
    data = b"".join(bytes.fromhex(byte) * times for byte, times in case["runs"])
    if case["valid"]:
        _native.canonical_check(data)
        assert canonical(klero_verify.parse(data)) == data
    else:
        with pytest.raises(BundleError):
            _native.canonical_check(data)
        with pytest.raises(klero_verify.Failed):
            klero_verify.parse(data)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": [1, 0.5]}, "a[1]: a float"),
        ({"a": {"b": None}}, "a.b: a NoneType"),
        ([True], "[0]: a bool"),
        (2**53, "the top: an integer of 2^53"),
        ({"a": "e\u0301"}, "a: the text 'e\u0301' is not in Unicode's normal form"),
        ({"é": 1}, "é: the key 'é' is not ASCII"),
        ({1: 1}, "[1]: the key 1 is not ASCII"),
        ("\ud800", "half a character"),
        (b"x", "a bytes"),
    ],
)
def test_what_has_no_canonical_form_is_refused_with_its_place(value: object, place: str) -> None:
    with pytest.raises(BundleError) as error:
        canonical(value)
    assert place in str(error.value)


def test_deep_nesting_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(BundleError, match="16 deep"):
        canonical(value)
    while value:  # taken apart by hand: freeing it at once would recurse
        value = value.pop()


def test_hashes_are_the_golden_ones() -> None:
    cases = vectors("hashes")
    for case in cases["seq"]:
        items = [bytes.fromhex(item) for item in case["items"]]
        assert _native.seq_hash(case["label"], items).hex() == case["hash"]
        assert klero_verify.seq(case["label"], items).hex() == case["hash"]
    for case in cases["leaf"]:
        rest = [str(case["weight"]).encode(), case["household"].encode()]
        items = [case["id"].encode(), canonical(case["attributes"]), *rest]
        assert _native.seq_hash("klero/leaf/trial/v2", items).hex() == case["leaf"]
    for case in cases["merkle"]:
        leaves = [bytes.fromhex(leaf) for leaf in case["leaves"]]
        assert _native.merkle_root(leaves).hex() == klero_verify.merkle_root(leaves).hex() == case["root"]


def test_positions_and_tickets_are_the_golden_ones() -> None:
    cases = vectors("hashes")
    for case in cases["position"]:
        found = klero_verify.position(bytes.fromhex(case["seed"]), int(case["m"]))
        assert found == (int(case["position"]), case["rejected"])
    case = cases["tickets"]
    leaves = [bytes.fromhex(leaf) for leaf in case["leaves"]]
    assert [t.hex() for t in klero_verify.tickets(bytes.fromhex(case["seed"]), leaves)] == case["tickets"]


@pytest.mark.parametrize("name", ["household", "leximin", "maximin"])
def test_golden_bundles_are_what_we_write(name: str) -> None:
    files = golden(name)
    record = files.pop("draw.json")
    assert _native.commitment_file(files) == files["commitment.json"]
    assert _native.draw_file(files, json.loads(record)["seed_text"]) == record
    people = len(json.loads(files["pool.json"])["people"])
    assert len(_native.pool_leaves(files["declaration.json"], files["pool.json"])) == people


def test_rfc_6962_trees_have_their_published_roots() -> None:
    checked = 0
    for path in needs("rfc6962-merkle").glob("inclusion/*/happy-path.json"):
        case = json.loads(path.read_text(encoding="utf-8"))
        leaves = CT_LEAVES[: case["treeSize"]]
        root = base64.b64decode(case["root"])
        if len(leaves) == case["treeSize"] and klero_verify.sha256(
            b"\0" + leaves[case["leafIdx"]]
        ) == base64.b64decode(case["leafHash"]):
            assert _native.merkle_root(leaves) == klero_verify.merkle_root(leaves) == root
            checked += 1
    print(f"{checked} published roots")
    assert checked >= 4


def test_jcs_documents_that_fit_are_written_as_published() -> None:
    fitting = []
    for path in sorted(needs("jcs").glob("output/*.json")):
        expected = path.read_bytes()
        try:
            ours = canonical(json.loads(expected))
        except BundleError:
            with pytest.raises(BundleError):
                _native.canonical_check(expected)
            continue
        assert ours == expected
        _native.canonical_check(expected)
        fitting.append(path.stem)
    print(f"fitting: {', '.join(fitting)}")
    assert fitting
