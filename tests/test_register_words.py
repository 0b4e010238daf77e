"""What a register draw says: the guide, the command's table and warnings, explanations in two languages."""

from __future__ import annotations

import doctest
import json
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner

import klero
from klero.cli import cli, run

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "invite.md"


def test_the_guide_runs() -> None:
    result = doctest.testfile(str(GUIDE), module_relative=False, encoding="utf-8")
    assert result.attempted > 5
    assert result.failed == 0


def test_the_guides_commands_exist_with_their_options() -> None:
    lines = [
        line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("klero invite ")
    ]
    assert len(lines) >= 4
    shown = CliRunner().invoke(cli, ["invite", "--help"]).output
    for line in lines:
        assert all(word in shown for word in line.split() if word.startswith("--")), line


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_explanations_state_the_chance(lang: str) -> None:
    register = pa.table({"id": list(range(40)), "s": ["x", "y"] * 20})
    text = klero.invite(register, size=4, trial_seed="t", strata=["s"]).explain(lang)
    assert "1/10" in text
    assert "TRIAL" in text or "ESSAI" in text


def test_strata_that_differ_only_in_spelling_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register = tmp_path / "register.csv"
    towns = ["Orléans", "orleans", "ORLÉANS ", "Lille", "Saint-Denis", "Saint - Denis"]
    register.write_text("id,town\n" + "".join(f"{i},{towns[i % 6]}\n" for i in range(60)), encoding="utf-8")
    command = [
        "invite",
        str(register),
        "--strata",
        "town",
        "--trial-seed",
        "t",
        "-o",
        str(tmp_path / "l.csv"),
    ]
    assert run([*command, "--size", "1", "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["similar_strata"] == [
        [["ORLÉANS"], ["Orléans"], ["orleans"]],
        [["Saint - Denis"], ["Saint-Denis"]],
    ]
    assert shown.err.count("differ only in case, accents or spaces") == 2
    assert run([*command, "--size", "1", "--force"]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("differ only in case, accents or spaces") == 2
    assert "1 letter from 60 rows" in shown.err


def test_chances_without_weights_are_no_multiple_of_a_weight(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register = tmp_path / "register.csv"
    register.write_text(
        "id,a,w\n" + "".join(f"{i},{i // 2} High St,1\n" for i in range(20)), encoding="utf-8"
    )
    command = ["invite", str(register), "--size", "5", "--household", "a", "--trial-seed", "t"]
    assert run([*command, "-o", str(tmp_path / "l.csv")]) == 0
    shown = capsys.readouterr().out
    assert "25.00 %" in shown
    assert "weight" not in shown
    assert run([*command, "--weight", "w", "-o", str(tmp_path / "w.csv")]) == 0
    assert "× weight" in capsys.readouterr().out


@pytest.mark.parametrize(("lang", "claim"), [("en", "has no smaller chance"), ("fr", "ne réduit pas")])
def test_a_certain_address_takes_back_the_claim_on_households(lang: str, claim: str) -> None:
    rows = [{"id": i, "a": "1 care home" if i < 50 else f"{i} street"} for i in range(100)]
    drawn = klero.invite(pa.Table.from_pylist(rows), size=10, household=["a"], trial_seed="t")
    (row,) = drawn.table
    assert (row.certain, row.largest, row.lowest, row.factor) == (1, 50, Fraction(1, 50), Fraction(9, 50))
    assert set(drawn.probabilities) <= {row.lowest, row.factor}
    text = drawn.explain(lang)
    assert claim not in text
    assert "1/50" in text
    assert "9/50" in text
    assert "50 people" in text or "50 personnes" in text
    alone = klero.invite(pa.Table.from_pylist(rows[49:]), size=10, household=["a"], trial_seed="t")
    assert claim in alone.explain(lang)
    assert alone.table[0].lowest == alone.table[0].factor


def test_weights_of_certain_people_are_not_said_to_be_in_proportion() -> None:
    rows = [{"id": i, "w": 50 if i == 0 else 1} for i in range(60)]
    drawn = klero.invite(pa.Table.from_pylist(rows), size=6, weight="w", trial_seed="t")
    assert drawn.table[0].certain == 1
    assert "these are certain" in drawn.explain()
    assert "each with a chance" not in drawn.explain()
    assert "celles-ci sont certaines" in drawn.explain("fr")


def test_the_table_states_lowest_and_common_chance_and_the_largest_address(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from klero.cli import run

    def say(lines: list[str], *options: str) -> tuple[str, str]:
        register = tmp_path / "r.csv"
        register.write_text("id,a,w\n" + "\n".join(lines) + "\n", encoding="utf-8")
        command = ["invite", str(register), "--trial-seed", "t", *options, "--force"]
        assert run([*command, "-o", str(tmp_path / "l.csv")]) == 0
        said = capfd.readouterr()
        return said.out, said.err

    homes = [f"{i},{'1 care home' if i < 50 else f'{i} street'},1" for i in range(100)]
    out, err = say(homes, "--size", "10", "--household", "a")
    assert "2.00 % to 18.00 %" in out
    assert "The largest address has 50 people. It gets a letter with certainty" in err
    assert "is 1/50, and 9/50 for" in err
    # where everybody is certain the column is not blank
    assert "100.00 %" in say(["1,x,2", "2,y,1"], "--size", "2", "--weight", "w")[0]
    assert "50.00 %" in say(["1,x,2", "2,x,1"], "--size", "1", "--household", "a")[0]


def test_who_has_no_address_lives_alone() -> None:
    texts = [
        "sans domicile fixe",
        "Sans domicile fixe",
        "SDF",
        "inconnu",
        "Inconnu",
        "unknown",
        "n/a",
        "N/A",
        "",
        None,
    ]
    homes = ["1 rue des Inconnus", "1 rue des inconnus"]
    register = pa.table({"id": list(range(12)), "a": [*texts, *homes]})
    drawn = klero.invite(register, size=11, trial_seed="t", household=["a"])
    assert (drawn.table[0].units, drawn.without_address, drawn.table[0].largest) == (11, 10, 2)
    # as those who prepare a pool are grouped
    people = [{"id": str(i), "a": a or ""} for i, a in enumerate([*texts, *homes])]
    found = klero.households(klero.Pool.read(people), ["a"])
    assert len(found.groups) == drawn.table[0].units
    assert len(found.without_address) == drawn.without_address


def test_all_words_for_no_address_are_those_of_households() -> None:
    from klero.sortition.addresses import _NOTHING

    for word in sorted(_NOTHING):
        register = pa.table({"id": [1, 2, 3], "a": [word, word.upper(), "1 x"]})
        assert klero.invite(register, size=2, trial_seed="t", household=["a"]).without_address == 2, word
