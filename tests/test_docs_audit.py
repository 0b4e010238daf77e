"""What `docs/audit/by-hand.md` tells to type is typed here, on golden records; the other pages name what exists."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from klero.ledger.canonical import canonical
from klero.ledger.check_words import CHECKS
from klero.ledger.receipts import make_receipts, own_ticket
from klero.ledger.record import Record
from record_cases import Files, golden_record, tier

ROOT = Path(__file__).resolve().parents[1]
AUDIT = ROOT / "docs" / "audit"
TOOLS = ("bash", "openssl", "sha256sum", "xxd", "sed", "grep", "cut")


def blocks(language: str, steps: str = "12345678") -> str:
    """All blocks of a language in the page, in order; those of some steps alone."""
    text = (AUDIT / "by-hand.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (?=[1-9]\. )", text, flags=re.MULTILINE)[1:]
    assert [part[0] for part in parts] == list("12345678")
    text = "\n".join(part for part in parts if part[0] in steps)
    found = re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found
    return "\n".join(found)


def receipt(files: Files, number: int) -> bytes:
    """The receipt of one leaf, from the sealed tier."""
    record = Record.parse(files)
    person = record.sealed[number]
    assert person is not None
    made = make_receipts(record, [person[0]["id"]])
    return canonical(made[person[0]["id"]])


def laid_out(files: Files, folder: Path) -> None:
    for name, data in files.items():
        path = folder / "record" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def typed(command: list[str], script: str, folder: Path) -> str:
    run = subprocess.run(
        command, input=script, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason=f"one of {', '.join(TOOLS)} is not installed"
)


# Plain shells, as a reader has them: no -e, no pipefail.
SHELLS = pytest.mark.parametrize("shell", [["bash"], ["sh"]], ids=["bash", "sh"])


@needs_tools
@SHELLS
@pytest.mark.parametrize("name", ["drand", "balls", "all-sources", "fallback", "household"])
def test_the_commands_of_the_shell_give_what_the_record_says(
    name: str, shell: list[str], tmp_path: Path
) -> None:
    files = tier(golden_record(name), "auditor")
    laid_out(files, tmp_path)
    shown = typed(shell, blocks("sh"), tmp_path)
    facts = Record.parse(files)
    body = facts.entries[0].body
    assert f"hash: {facts.hash}\n" in shown
    for field in ("declaration", "auditor"):
        assert f'{field}: {body[field]}\n"{field}":"{body[field]}"' in shown
    signed = re.findall(r"^key ([0-9a-f]{64}): Signature Verified Successfully$", shown, re.MULTILINE)
    assert {hashlib.sha256(bytes.fromhex(key)).hexdigest() for key in signed} == set(facts.entries[0].keyids)
    draw = facts.rounds[0].draw
    assert draw is not None
    assert f"seed: {draw.body['seed']}\n" in shown
    assert f"ticket: {own_ticket(draw, facts.leaves[0], facts.c_ids[0])}\n" in shown


@needs_tools
@SHELLS
@pytest.mark.parametrize("name", ["drand", "all-sources"])
def test_all_can_be_typed_with_the_public_files_alone(name: str, shell: list[str], tmp_path: Path) -> None:
    files = tier(golden_record(name), "public")
    laid_out(files, tmp_path)
    shown = typed(shell, blocks("sh"), tmp_path)
    facts = Record.parse(files)
    draw = facts.rounds[0].draw
    assert draw is not None
    assert f"hash: {facts.hash}\n" in shown
    assert f"seed: {draw.body['seed']}\n" in shown
    assert "ticket: " not in shown
    lines = typed([sys.executable, "-I", "-S", "-"], blocks("python", "1234567"), tmp_path)
    assert f"seed: {draw.body['seed']}\n" in lines
    assert "steps 6 and 7 need the auditor's files\n" in lines


@needs_tools
def test_a_signature_that_was_changed_is_not_verified(tmp_path: Path) -> None:
    files = golden_record("drand")
    document = json.loads(files["public/entry-0001.json"])
    for signature in document["signatures"]:
        signature["sig"] = ("B" if signature["sig"][0] == "A" else "A") + signature["sig"][1:]
    files["public/entry-0001.json"] = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    laid_out(files, tmp_path)
    run = subprocess.run(
        ["bash", "-u"],
        input=blocks("sh"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Verified Successfully" not in run.stdout


@pytest.mark.parametrize("name", ["drand", "balls", "all-sources", "fallback", "replaced", "household"])
def test_the_lines_of_python_give_what_the_record_says(name: str, tmp_path: Path) -> None:
    files = golden_record(name)
    laid_out(tier(files, "auditor"), tmp_path)
    facts = Record.parse(files)
    draw = facts.rounds[0].draw
    assert draw is not None
    (tmp_path / "receipt.json").write_bytes(receipt(files, facts.leaves.index(draw.body["panel"][0])))
    # -I: nothing but the standard library can be found.
    shown = typed([sys.executable, "-I", "-S", "-"], blocks("python"), tmp_path)
    body = facts.entries[0].body
    assert f"leaves: {body['leaves']}\n" in shown
    assert f"seed: {draw.body['seed']}\n" in shown
    assert f"position: {draw.body['position']}\n" in shown
    assert "rejected: False\n" in shown
    home = bool(facts.auditor("pool", 0)["households"])
    assert ("the panel is that of the record: True\n" in shown) is not home
    assert "the leaf is the line that the receipt names: True\n" in shown
    assert "the receipt is for the published hash: True\n" in shown
    assert "drawn: True\n" in shown
    reading = facts.rounds[0].reading
    assert (
        (f"read and signed at {reading.time} and used unchanged: True\n" in shown)
        if reading
        else "read and" not in shown
    )


@pytest.mark.parametrize("name", ["all-sources", "household"])
def test_a_receipt_and_the_public_files_give_the_own_ticket(name: str, tmp_path: Path) -> None:
    files = golden_record(name)
    laid_out(tier(files, "public"), tmp_path)
    facts = Record.parse(files)
    draw = facts.rounds[0].draw
    assert draw is not None
    for i in (0, len(facts.leaves) - 1):
        (tmp_path / "receipt.json").write_bytes(receipt(files, i))
        shown = typed([sys.executable, "-I", "-S", "-"], blocks("python", "12458"), tmp_path)
        assert f"own ticket: {own_ticket(draw, facts.leaves[i], facts.c_ids[i])}\n" in shown
        assert f"drawn: {facts.leaves[i] in draw.body['panel']}\n" in shown


def test_the_sum_on_paper_is_right() -> None:
    text = (AUDIT / "by-hand.md").read_text(encoding="utf-8")
    lines = re.search(r"x ends in +([\d ]+)\n +balls +([\d ]+)\n.*\n +position +([\d ]+)\(.*: (\d+)\)", text)
    assert lines is not None
    x, balls, total, position = (int(part.replace(" ", "")) for part in lines.groups())
    assert (x + balls, (x + balls) % 10**6) == (total, position)


def test_the_threat_table_names_every_check() -> None:
    text = (AUDIT / "threats.md").read_text(encoding="utf-8")
    named = re.findall(r"`([a-z.]+)`", text)
    assert set(CHECKS) <= set(named), set(CHECKS) - set(named)


def test_the_index_names_every_page_of_the_folder() -> None:
    text = (AUDIT / "README.md").read_text(encoding="utf-8")
    for page in AUDIT.glob("*.md"):
        assert page.name == "README.md" or f"]({page.name})" in text, page.name
