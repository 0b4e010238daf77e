"""What the stand-alone verifier says of a receipt, alone and held against its record."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from klero.verifiers import klero_verify
from record_cases import Files, dump, golden_record, payload, primitives, sha, tier, zipped

PRIMITIVES = primitives()
RECEIPTS: list[dict[str, Any]] = PRIMITIVES["receipts"]


def statuses(receipt: Any, files: Files | None = None) -> dict[str, str]:
    checks, _ = klero_verify.verify_receipt(dump(receipt), files)
    return {check.name: check.status for check in checks}


def first(receipt: Any, files: Files | None = None) -> str | None:
    return next((name for name, status in statuses(receipt, files).items() if status == "FAIL"), None)


@pytest.mark.parametrize(
    "case", RECEIPTS, ids=lambda case: f"{case['receipt']['draw']} {case['receipt']['leaf']}"
)
def test_a_receipt_leads_to_its_record_and_gives_the_ticket(case: dict[str, Any]) -> None:
    receipt, files = case["receipt"], golden_record(case["receipt"]["draw"])
    assert statuses(receipt) == {"encoding": "ok", "path": "ok", "record": "--", "ticket": "--"}
    for shown in ("public", "sealed"):
        checks, lacking = klero_verify.verify_receipt(dump(receipt), tier(files, shown))
        assert {check.status for check in checks} == {"ok"}
        seat = int(case["leaf"] in payload(files, 2)["body"]["panel"])
        assert f"seats {seat}, ticket {case['ticket']}" in checks[-1].detail
        has_beacon = receipt["draw"] != "balls" and klero_verify.beacon_arithmetic() is None
        assert lacking == ["beacon"] * has_beacon


def test_the_seats_of_a_household_s_receipts_are_those_of_the_panel() -> None:
    cases = [case for case in RECEIPTS if case["receipt"]["draw"] == "household"]
    files = golden_record("household")
    found = [klero_verify.verify_receipt(dump(case["receipt"]), files)[0][-1].detail for case in cases]
    assert sum("seats 1" in detail for detail in found) == len(payload(files, 2)["body"]["panel"])


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("encoding", {"format": "klero-receipt/2"}),
    ("encoding", {"leaf": 36}),
    ("encoding", {"leaf": -1}),
    ("encoding", {"salt": "00"}),
    ("encoding", {"weight": 0}),
    ("encoding", {"identity": {"name": "x"}}),
    ("encoding", {"identity": {"id": 1}}),
    ("encoding", {"identity": {"id": ""}}),
    ("encoding", {"household": "ab"}),
    ("encoding", {"draw": ""}),
    ("encoding", {"draw": "Balls"}),
    ("encoding", {"draw": "b" * 61}),
    ("encoding", {"path": ["x"]}),
    ("encoding", {"more": ""}),
    ("path", {"weight": 2}),
    ("path", {"leaf": 2}),
    ("path", {"draw": "another"}),
    ("path", {"attributes": []}),
    ("path", {"identity": {"id": "p33"}}),
    ("path", {"household": "ab" * 16}),
    ("path", {"root": "00" * 32}),
    ("path", {"salt": "00" * 32}),
    ("path", {"path": []}),
    ("record", {"commitment": "00" * 32}),
]


@pytest.mark.parametrize(("check", "change"), CHANGES, ids=str)
def test_no_part_of_a_receipt_can_be_changed(check: str, change: dict[str, Any]) -> None:
    case = next(case for case in RECEIPTS if case["receipt"]["draw"] == "balls")
    assert first({**case["receipt"], **change}, golden_record("balls")) == check


def test_a_path_must_have_its_length_and_the_record_must_be_the_receipt_s_and_valid() -> None:
    case = next(case for case in RECEIPTS if case["receipt"]["draw"] == "balls")
    receipt = case["receipt"]
    assert first({**receipt, "path": [*receipt["path"], "00" * 32]}) == "path"
    assert first({**receipt, "path": receipt["path"][:-1]}) == "path"
    assert first(receipt, golden_record("household")) == "record"
    broken = {**golden_record("balls"), "public/leaves.txt": b""}
    assert first(receipt, broken) == "record"


def test_paths_are_those_of_the_vectors_and_lead_nowhere_else() -> None:
    for case in PRIMITIVES["paths"]:
        leaves = [bytes.fromhex(leaf) for leaf in case["leaves"]]
        for i, listed in enumerate(case["paths"]):
            path = [bytes.fromhex(node) for node in listed]
            root = bytes.fromhex(case["root"])
            assert klero_verify.climbed(leaves[i], i, len(leaves), path) == root
            for j in range(len(leaves)):
                assert (klero_verify.climbed(leaves[i], j, len(leaves), path) == root) is (i == j)
            for other in (path[:-1], [*path, root]):
                assert other == path or klero_verify.climbed(leaves[i], i, len(leaves), other) != root


def alone(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "-W", "error", klero_verify.__file__, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


def test_the_command_for_receipts(tmp_path: Path) -> None:
    record, file = str(tmp_path / "record.zip"), str(tmp_path / "receipt.json")
    for name, code in (("balls", 0), ("household", 3)):
        case = next(case for case in RECEIPTS if case["receipt"]["draw"] == name)
        Path(record).write_bytes(zipped(golden_record(name)))
        Path(file).write_bytes(dump(case["receipt"]))
        done = alone("receipt", file)
        assert (done.returncode, done.stderr) == (0, "")
        done = alone("receipt", file, "--record", record)
        assert (done.returncode, done.stderr) == (code, "")
        assert [line.split()[1] for line in done.stdout.splitlines()[:-1]] == [
            "encoding",
            "path",
            "record",
            "ticket",
        ]
        assert case["ticket"] in done.stdout
        document = json.loads(alone("receipt", file, "--record", record, "--json").stdout)
        assert document["ok"] is (code == 0)
        assert alone("receipt", file, "--record", record, "--lang", "fr").stdout.count("sièges") == 1
    Path(file).write_bytes(b"{}")
    assert alone("receipt", file).returncode == 1
    for wrong in (["receipt"], ["receipt", str(tmp_path)], ["receipt", file, "--record", "/nowhere"]):
        done = alone(*wrong)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr


def test_a_path_longer_than_the_tree_is_high_leads_nowhere() -> None:
    """Even if the receipt gives the root that it would lead to."""
    receipt = next(case["receipt"] for case in RECEIPTS if case["receipt"]["draw"] == "balls")
    more = b"\x07" * 32
    for left, right in ((more, bytes.fromhex(receipt["root"])), (bytes.fromhex(receipt["root"]), more)):
        root = sha(b"\x01" + left + right).hex()
        assert first({**receipt, "path": [*receipt["path"], more.hex()], "root": root}) == "path"
    assert first({**receipt, "path": receipt["path"][:-1]}) == "path"


def test_a_receipt_has_at_most_a_mebibyte() -> None:
    receipt = RECEIPTS[0]["receipt"]

    def of_size(size: int) -> dict[str, Any]:
        made = {**receipt, "identity": {**receipt["identity"], "note": ""}}
        made["identity"]["note"] = "x" * (size - len(dump(made)))
        assert len(dump(made)) == size
        return made

    assert first(of_size(1 << 20)) == "path"  # another identity than the leaf's
    assert first(of_size((1 << 20) + 1)) == "encoding"
