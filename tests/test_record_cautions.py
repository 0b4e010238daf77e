"""What is allowed and still told: times that are past or not the clock's, no spare key, no replacement round; dates that can't be meant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from klero.cli import run
from klero.errors import InputError
from klero.ledger.cautions import beacon_addresses, cautions
from klero.ledger.clock import seconds
from klero.ledger.sources import balls, drand
from making_cases import DRAWN, EARLY, GUARANTOR, NAMED, ORGANISER, bundle, committed, declared, secret_key

WITNESS = ("witness", secret_key("a witness").public)
SECOND = ("organiser", secret_key("the town, second key").public)


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("lots") / "lots")


@pytest.mark.parametrize(
    ("keys", "threshold", "words"),
    [
        (NAMED, 2, "No spare key: all 2"),
        ((*NAMED, WITNESS), 3, "No spare key: all 3"),
        ((*NAMED, SECOND), 2, "the key of the bailiff, the only one"),
        ((*NAMED, WITNESS), 2, ""),
    ],
)
def test_a_key_that_must_not_be_lost_is_named(lots: Path, keys: object, threshold: int, words: str) -> None:
    told = [c for c in cautions(declared(lots, keys=keys, threshold=threshold), EARLY) if "key" in c]
    assert len(told) == bool(words)
    assert all(words in caution for caution in told)


def test_randomness_that_is_past_is_told_and_what_is_to_come_is_not(lots: Path) -> None:
    said = declared(lots)
    assert not [c for c in cautions(said, EARLY) if "Already past" in c]
    assert len([c for c in cautions(said, DRAWN) if "Already past" in c]) == 1
    assert len([c for c in cautions(said, "2026-06-01T10:00:00Z") if "Already past" in c]) == 4


def test_a_declaration_without_replacement_rounds_says_what_follows(lots: Path) -> None:
    assert any("the seat stays empty" in c for c in cautions(declared(lots, calendar=[]), EARLY))
    told = cautions(declared(lots), EARLY)
    assert not any("the seat stays empty" in c for c in told)
    assert any("2026-02-28T10:00:00Z" in c for c in told)


def test_addresses_of_the_beacon_are_whole(lots: Path) -> None:
    said = declared(lots, sources=[drand("quicknet", number=123)], calendar=[])
    assert beacon_addresses(said) == [
        "https://api.drand.sh/52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971/public/123"
    ]


@pytest.mark.parametrize(
    ("dates", "words"),
    [
        (["2026-01-20T10:00:00Z"], "must come after the first draw"),
        ([DRAWN], "must come after the first draw"),
        (["2026-03-01T10:00:00Z", "2026-02-20T10:00:00Z"], "must come after replacement round 1"),
        (["2026-02-02T09:59:59Z"], "can never be held"),
    ],
)
def test_dates_of_replacement_rounds_rise_and_can_be_held(lots: Path, dates: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        declared(lots, calendar=[[balls(20, date)] for date in dates])
    declared(lots, calendar=[[balls(20, "2026-02-02T10:00:00Z")]])


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2026-05-15T12:00:00+02:00", "that is 2026-05-15T10:00:00Z"),
        ("2026-05-15 12:00:00Z", "that is 2026-05-15T12:00:00Z"),
        ("2026-05-15T12:00:00", "without Z"),
    ],
)
def test_a_time_in_another_spelling_is_told_how_to_write_it(text: str, hint: str) -> None:
    with pytest.raises(InputError, match=hint):
        seconds(text)


@pytest.mark.parametrize("text", ["soon", "", "9999-12-31T23:59:59-14:00", "1999-01-01T00:00:00+00:00"])
def test_what_is_no_time_has_no_hint(text: str) -> None:
    with pytest.raises(InputError) as told:
        seconds(text)
    assert "that is" not in str(told.value)


def test_a_time_of_ones_own_is_told(lots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    committed(tmp_path / "rec", lots, signed_by=[ORGANISER, GUARANTOR])
    rec = str(tmp_path / "rec")
    run(["abort", rec, "--reason", "x", "--time", "2026-01-01T09:00:00Z"])
    assert "your time, not this machine's" in capsys.readouterr().err
    soon = (datetime.now(UTC) + timedelta(seconds=-20)).strftime("%Y-%m-%dT%H:%M:%SZ")
    run(["abort", rec, "--reason", "x", "--time", soon])
    assert "your time" not in capsys.readouterr().err
    assert run(["abort", rec, "--reason", "x", "--time", "noon"]) == 3
    assert "your time" not in capsys.readouterr().err


def test_a_declaration_in_french_writes_days_and_numbers_as_people_do(lots: Path) -> None:
    text = declared(lots).explain("fr")
    assert "1 jour avant le premier aléa" in text
    assert "1000000" not in text
    assert "7 jours avant" in declared(lots, notice=7 * 86400, calendar=[]).explain("fr")
    odd = declared(lots, notice=90000).explain("fr")
    assert "90\u202f000 secondes avant" in odd.replace("\u00a0", "\u202f")
