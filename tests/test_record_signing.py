"""Who signs sees what is signed: copies for signers, signatures that come back, draws that can't be seen."""

from __future__ import annotations

import json
import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from klero.cli import run
from klero.errors import BundleError, InputError
from klero.ledger import steps
from klero.ledger.canonical import canonical
from klero.ledger.entries import Entry, parse_entry
from klero.ledger.record import Record
from klero.ledger.steps import draw_record
from klero.ledger.tiers import write_tier
from klero.ledger.verify import verify
from making_cases import (
    BOTH,
    DIGITS,
    GUARANTOR,
    LATER,
    NAMED,
    ORGANISER,
    STRANGER,
    bundle,
    committed,
    secret_key,
    sign,
    tree,
)


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("lots") / "lots")


def entry_of(record: Path, number: int) -> Entry:
    return parse_entry((record / "public" / f"entry-{number:04}.json").read_bytes())


def unsigned_draw(place: Path, lots: Path) -> Path:
    committed(place, lots)
    draw_record(place, balls=DIGITS, keys=[ORGANISER], time=LATER)
    return place


def with_false_panel(copy: Path) -> None:
    """One drawn leaf replaced by another, and no signature left."""
    entry = entry_of(copy, 2)
    leaves = (copy / "public" / "leaves.txt").read_text().split()
    document = json.loads(entry.payload)
    panel = document["body"]["panel"]
    other = next(leaf for leaf in leaves if leaf not in panel)
    document["body"]["panel"] = sorted([*panel[1:], other])
    (copy / "public" / "entry-0002.json").write_bytes(Entry(canonical(document)).data)


def test_a_draw_is_not_signed_where_its_panel_cannot_be_checked(lots: Path, tmp_path: Path) -> None:
    record = unsigned_draw(tmp_path / "rec", lots)
    write_tier(record, "public", tmp_path / "public", unsigned=True)
    write_tier(record, "auditor", tmp_path / "auditor", unsigned=True)
    for copy in (tmp_path / "public", tmp_path / "auditor"):
        with_false_panel(copy)
    before = tree(tmp_path)
    with pytest.raises(InputError, match="sign-unseen"):
        sign(tmp_path / "public", BOTH)
    with pytest.raises(BundleError, match=r"draw\.panel"):
        sign(tmp_path / "auditor", BOTH)
    assert tree(tmp_path) == before
    said = sign(tmp_path / "public", BOTH, without_auditor=True)
    assert "draw.panel" in said.unchecked
    assert said.entries == (2,)


def test_a_true_draw_is_signed_on_the_auditor_tier(lots: Path, tmp_path: Path) -> None:
    record = unsigned_draw(tmp_path / "rec", lots)
    write_tier(record, "auditor", tmp_path / "copy", unsigned=True)
    before = tree(tmp_path / "copy")
    looked = sign(tmp_path / "copy", [GUARANTOR], dry_run=True)
    assert (looked.entries, looked.unsigned) == ((), 0)
    assert tree(tmp_path / "copy") == before
    assert sign(tmp_path / "copy", [GUARANTOR]).entries == (2,)
    came_back = tmp_path / "copy" / "public" / "entry-0002.json"
    done = sign(record, [], merge=[came_back])
    assert (done.entries, done.unsigned, done.title) == ((2,), 0, "A panel")
    assert verify(record).ok


def test_signatures_that_come_back_in_any_order_are_all_kept(lots: Path, tmp_path: Path) -> None:
    witness = secret_key("a witness")
    record = tmp_path / "rec"
    committed(record, lots, keys=(*NAMED, ("witness", witness.public)), threshold=3, signed_by=[ORGANISER])
    files = []
    for key in (GUARANTOR, witness):
        copy = tmp_path / key.public.name
        write_tier(record, "auditor", copy, unsigned=True)
        sign(copy, [key])
        files.append(copy / "public" / "entry-0001.json")
    other = tmp_path / "other"
    shutil.copytree(record, other)
    assert sign(record, [], merge=files).unsigned == 0
    assert sign(other, [], merge=files[1:]).unsigned == 1
    assert sign(other, [], merge=files[:1]).unsigned == 0
    assert tree(record) == tree(other)
    assert sign(record, [], merge=files).entries == ()


def test_nothing_false_is_taken_over(lots: Path, tmp_path: Path) -> None:
    record = tmp_path / "rec"
    committed(record, lots, signed_by=[ORGANISER])
    committed(tmp_path / "else", lots, signed_by=[GUARANTOR], time="2026-01-01T11:00:00Z")
    entry = entry_of(record, 1)
    stranger = entry.signed([STRANGER])
    wrong = replace(entry, signatures=((GUARANTOR.public.keyid, bytes(64)),))
    (tmp_path / "stranger.json").write_bytes(stranger.data)
    (tmp_path / "wrong.json").write_bytes(wrong.data)
    for name, text in (("list", "[]"), ("empty", "{}"), ("odd", '{"payload":1,"signatures":2}')):
        (tmp_path / f"{name}.json").write_text(text)
    before = tree(record)
    with pytest.raises(InputError, match="entry-differs"):
        sign(record, [], merge=[tmp_path / "else" / "public" / "entry-0001.json"])
    with pytest.raises(BundleError, match="not declared"):
        sign(record, [], merge=[tmp_path / "stranger.json"])
    with pytest.raises(BundleError, match="does not verify"):
        sign(record, [], merge=[tmp_path / "wrong.json"])
    for name in ("list", "empty", "odd"):
        with pytest.raises(InputError, match="no entry of a record"):
            sign(record, [], merge=[tmp_path / f"{name}.json"])
    assert tree(record) == before


def test_a_copy_to_sign_lacks_signatures_and_nothing_else(lots: Path, tmp_path: Path) -> None:
    record = tmp_path / "rec"
    committed(record, lots, signed_by=[])
    with pytest.raises(BundleError, match="signature"):
        write_tier(record, "public", tmp_path / "no")
    for tier in ("public", "auditor"):
        result = write_tier(record, tier, tmp_path / tier, unsigned=True)
        assert {check.name for check in result if check.bad} <= {"signatures", "beacon"}
        assert {path.name for path in (tmp_path / tier).iterdir()} <= {"public", "auditor"}
    write_tier(record, "auditor", tmp_path / "auditor.zip", unsigned=True)
    assert stat.S_IMODE((tmp_path / "auditor.zip").stat().st_mode) == 0o600


@pytest.mark.parametrize("tier", ["public", "auditor", "sealed"])
def test_a_tier_given_in_the_place_of_its_record_is_told_apart(
    lots: Path, tmp_path: Path, tier: str, capsys: pytest.CaptureFixture[str]
) -> None:
    committed(tmp_path / "rec", lots)
    for command in (["verify"], ["sign", "--dry-run"], ["draw", "--balls", DIGITS]):
        assert run([*command, str(tmp_path / "rec" / tier)]) == 3
        assert "Choose the folder around it" in capsys.readouterr().err


def test_the_command_shows_what_is_signed(
    lots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = unsigned_draw(tmp_path / "rec", lots)
    write_tier(record, "public", tmp_path / "public", unsigned=True)
    capsys.readouterr()
    assert run(["sign", str(record), "--dry-run"]) == 0
    out, err = capsys.readouterr()
    entry = Record.read(record, unsigned=True).entries[-1]
    assert out == entry.hash + "\n"
    assert "«A panel», whose hash" in err
    assert f"Entry 2: draw of round 0, {LATER}" in err
    assert all(leaf in err for leaf in entry.body["panel"])
    assert DIGITS in err
    assert "Nothing was written" in err
    assert run(["sign", str(tmp_path / "public"), "--dry-run"]) == 0
    err = capsys.readouterr().err
    assert "draw.panel" in err
    assert "you can't see that people, chances and panel are right" in err
    assert run(["sign", str(record)]) == 2


def test_an_entry_of_another_time_is_signed_only_by_who_looked(
    lots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "rec"
    committed(record, lots, signed_by=[ORGANISER], time="2026-01-01T10:00:00Z")
    for clock, good in (
        ("2026-01-01T09:00:00Z", True),
        ("2026-01-01T11:00:00Z", True),
        ("2026-01-01T08:59:59Z", False),
        ("2026-01-01T11:00:01Z", False),
    ):
        monkeypatch.setattr(steps, "now", lambda clock=clock: clock)
        copy = tmp_path / clock[11:19].replace(":", "-")
        shutil.copytree(record, copy)
        if good:
            assert steps.sign(copy, [GUARANTOR]).entries == (1,)
        else:
            with pytest.raises(InputError, match="sign-unseen"):
                steps.sign(copy, [GUARANTOR])
            assert tree(copy) == tree(record)
            assert steps.sign(copy, [GUARANTOR], dry_run=True).unsigned == 0
            assert steps.sign(copy, [GUARANTOR], time_checked=True).entries == (1,)
