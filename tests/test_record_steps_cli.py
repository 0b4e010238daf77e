"""What steps say of themselves: nothing written in a dry run, what can follow a withdrawal, people by the ids that were typed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from unicodedata import normalize

import pytest

from klero import _native
from klero.cli import run
from klero.errors import InputError
from klero.ledger.declare import read_declaration
from klero.ledger.receipts import tree_path, tree_rows
from klero.ledger.record import Record
from klero.ledger.sources import balls, drand
from klero.ledger.steps import draw_record, free_seats, withdraw
from making_cases import (
    BOTH,
    CALENDAR,
    DIGITS,
    DRAWN,
    EARLY,
    LATER,
    bundle,
    committed,
    drawn,
    people,
    salts,
    tree,
)

SOON, LATE = "2026-02-03T00:00:00Z", "2026-06-01T00:00:00Z"


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("lots") / "lots")


def ids(record: Path) -> tuple[list[str], list[str]]:
    """(ids of those on the panel, of the others)."""
    said = Record.read(record)
    seated = {said.leaves.index(leaf) for leaf in said.panel}
    return [p for p, i in said.ids.items() if i in seated], [
        p for p, i in said.ids.items() if i not in seated
    ]


def test_a_dry_run_says_all_and_writes_nothing(
    lots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "rec"
    committed(record, lots)
    before = tree(record)
    draw = ["draw", str(record), "--balls", DIGITS, "--time", LATER]
    assert run([*draw, "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert "Nothing was written" in err
    assert tree(record) == before
    assert run([*draw[:3], DIGITS[1:], "--dry-run"]) == 3
    assert run(draw) == 0
    said = capsys.readouterr().out
    assert said == out


def test_a_withdrawal_and_a_reading_can_be_looked_at_first(
    lots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = drawn(tmp_path / "rec", lots)
    before = tree(record)
    command = ["withdraw", str(record), "--person", "Person-001", "--reason", "other", "--time", SOON]
    assert run([*command, "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert tree(record) == before
    leaf = Record.read(record).leaves[Record.read(record).ids["Person-001"]]
    assert f"{leaf} (other)" in err
    assert run(command) == 0
    assert capsys.readouterr().out == out
    mixed = tmp_path / "mixed"
    sources = [balls(20, DRAWN), drand("quicknet", at=LATER)]
    committed(mixed, lots, sources=sources, calendar=[])
    before = tree(mixed)
    assert run(["draw", str(mixed), "--balls", DIGITS, "--time", DRAWN, "--dry-run"]) == 0
    assert tree(mixed) == before


def next_words(record: Path, person: str, time: str, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    leaf = Record.read(record).leaves[Record.read(record).ids[person]]
    # Signed by both, so that the words are about what follows.
    added = withdraw(record, persons=[person], reason="declined", keys=BOTH, time=time)
    assert added.entry.body["withdrawals"] == [[leaf, "declined"]]
    from klero.cli.publish import following
    from klero.cli.steps import _after_withdrawal

    return following(added, _after_withdrawal(added))


def test_what_follows_a_withdrawal_depends_on_seats_and_dates(
    lots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "early"
    committed(record, lots)
    assert "Nothing is drawn yet" in next_words(record, "Person-001", EARLY, capsys)
    record = drawn(tmp_path / "rec", lots)
    on, off = ids(record)
    assert "No seat is free" in next_words(record, off[0], SOON, capsys)
    assert free_seats(Record.read(record)) == 0
    assert "Next: klero replace" in next_words(record, on[0], SOON, capsys)
    assert free_seats(Record.read(record)) == 1
    assert "2 seats are free and stay empty" in next_words(record, on[1], LATE, capsys)
    record = drawn(tmp_path / "none", lots, calendar=[])
    on, _off = ids(record)
    assert "1 seat is free and stays empty" in next_words(record, on[0], SOON, capsys)
    assert run(["replace", str(record), "-o", str(tmp_path / "r1")]) == 3
    told = capsys.readouterr().err
    assert "free stay empty" in told
    assert "What remains" in told
    assert CALENDAR[0] > SOON


def test_a_double_withdrawal_names_the_id_that_was_typed(lots: Path, tmp_path: Path) -> None:
    record = drawn(tmp_path / "rec", lots)
    withdraw(record, persons=["Person-001"], reason="other", keys=BOTH, time=SOON)
    with pytest.raises(InputError, match="'Person-001' withdrew before"):
        withdraw(record, persons=["Person-001"], reason="other", keys=BOTH, time=SOON)
    with pytest.raises(InputError, match="'Person-002' is named 2 times"):
        withdraw(record, persons=["Person-002", "Person-002"], reason="other", keys=BOTH, time=SOON)


def test_an_id_is_found_in_any_form_of_unicode(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = [row | {"id": f"Zo\u00e9-{i:03}"} for i, row in enumerate(people())]
    fixed = {row["id"]: salt for row, salt in zip(named, salts().values(), strict=True)}
    record = drawn(tmp_path / "rec", bundle(tmp_path / "b", named), salts=fixed)
    typed = normalize("NFD", "Zo\u00e9-007")
    assert typed not in fixed
    assert Record.read(record).place_of([typed]) == [Record.read(record).ids["Zo\u00e9-007"]]
    assert run(["receipt", str(record), "--person", typed, "-o", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    done = [
        "withdraw",
        str(record),
        "--person",
        typed,
        "--reason",
        "other",
        "--time",
        SOON,
        "--format",
        "json",
    ]
    assert run(done) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "withdrawals"


# ---- small mistakes, told in words ----
def test_a_page_saved_in_a_browser_is_told_from_a_response(lots: Path, tmp_path: Path) -> None:
    record = tmp_path / "rec"
    committed(record, lots, sources=[drand("quicknet", at=DRAWN)], calendar=[])
    for text in ("<!DOCTYPE html><html></html>", "\ufeff\n <html>{}"):
        (tmp_path / "page.json").write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="raw text"):
            draw_record(record, drand=tmp_path / "page.json", time=LATER)


def test_a_file_in_the_place_of_a_folder_is_told_apart(
    lots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    committed(tmp_path / "rec", lots)
    assert run(["receipt", str(tmp_path / "rec"), "--all", "-o", str(tmp_path / "out")]) == 0
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'out'}\n"
    assert "40 receipts are in" in err
    receipt = next((tmp_path / "out").iterdir())
    assert run(["verify", str(receipt)]) == 3
    assert "klero receipt verify" in capsys.readouterr().err
    assert run(["verify", str(tmp_path / "rec" / "public" / "declaration.json")]) == 3
    assert "it is a declaration" in capsys.readouterr().err
    with pytest.raises(InputError, match=r"the bundle's own declaration\.json"):
        read_declaration(lots / "declaration.json")


def test_a_key_that_cannot_be_read_is_told_once(
    lots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "declare",
        str(lots),
        "--draw",
        "d",
        "--title",
        "T",
        "--organiser",
        "O",
        "-o",
        str(tmp_path / "d"),
    ]
    chance = ["--balls", "20", "--balls-at", "2199-01-01T10:00:00Z"]
    keys = ["--key", "organiser=none.pub", "--key", "guarantor"]
    assert run([*command, *chance, *keys, "--format", "json"]) == 3
    faults = json.loads(capsys.readouterr().out)["error"]["faults"]
    assert sorted(f["code"] for f in faults) == ["file-missing", "key-invalid"]
    assert run([*command, *chance, "--format", "json"]) == 3
    assert "2 to 10" in capsys.readouterr().out


def test_an_interruption_while_loading_leaves_no_traceback() -> None:
    code = (
        "import builtins, sys\n"
        "real = builtins.__import__\n"
        "def broken(name, *rest):\n"
        "    if name == 'klero.cli.output': raise KeyboardInterrupt\n"
        "    return real(name, *rest)\n"
        "builtins.__import__ = broken\n"
        "import klero.cli\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert done.stderr == "Interrupted; nothing was written.\n"


# ---- receipts ----
@pytest.mark.parametrize("n", [*range(1, 35), 63, 64, 65, 100, 129])
def test_paths_from_the_rows_of_the_tree_are_those_of_the_library(n: int) -> None:
    leaves = [hashlib.sha256(b"%d" % i).digest() for i in range(n)]
    rows = tree_rows(leaves)
    assert rows[-1] == [_native.merkle_root(leaves)]
    for i in range(n):
        assert tree_path(rows, i) == _native.merkle_path(leaves, i)
