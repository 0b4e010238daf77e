"""Figures are those of people whose chance is open: who must sit, or never can, makes them say nothing."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import klero
from klero.cli import run
from klero.sortition.baselines import Baseline
from klero.sortition.chances import Chances
from klero.sortition.comparison import compare, compare_for
from klero.sortition.instance import Instance
from klero.sortition.lottery import Lottery
from klero.testing import enumerate_panels, instances

# «out» has no seat, «in» has all seats it has people: both are settled, and 8 share 3 seats.
PEOPLE = [{"id": f"P{i:02}", "kind": "out" if i < 2 else "in" if i < 4 else "open"} for i in range(12)]
QUOTAS = [
    {"feature": "kind", "value": "out", "min": 0, "max": 0},
    {"feature": "kind", "value": "in", "min": 2, "max": 2},
    {"feature": "kind", "value": "open", "min": 3, "max": 3},
]


@pytest.fixture
def tables(tmp_path: Path) -> list[str]:
    people, quotas = tmp_path / "people.csv", tmp_path / "quotas.csv"
    people.write_text("id,kind\n" + "".join(f"{p['id']},{p['kind']}\n" for p in PEOPLE))
    lines = "".join(f"{q['feature']},{q['value']},{q['min']},{q['max']}\n" for q in QUOTAS)
    quotas.write_text("feature,value,min,max\n" + lines)
    return [str(people), str(quotas)]


def test_a_lottery_knows_who_is_certain_shut_out_and_open() -> None:
    lottery = klero.fair_lottery(PEOPLE, QUOTAS, size=5)
    count = lottery.instance.people_of
    assert (count(lottery.certain), count(lottery.never), count(lottery.open_types)) == (2, 2, 8)
    figures = lottery.among(lottery.open_types)
    assert figures.people == 8
    assert figures.smallest == figures.largest == Fraction(3, 8)
    assert figures.gini == 0
    assert figures.geometric_mean == pytest.approx(3 / 8)
    assert (lottery.min_probability, lottery.max_probability, lottery.geometric_mean) == (0, 1, 0)
    assert "37.50 % (3/8), of the 8 whose chance is open" in lottery._repr_html_()
    assert "Of those whose chance is open (8), selection probabilities go from 37.50 %" in lottery.explain()


def test_the_command_states_the_figures_of_the_open_and_counts_the_others(
    tables: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["lottery", *tables, "--size", "5", "-o", str(tmp_path / "b"), "--force"]
    assert run(command) == 0
    said = capsys.readouterr().out
    assert "smallest probability  37.50 % (3/8), of the 8 whose chance is open" in said
    assert "largest probability   37.50 % (3/8), of the 8 whose chance is open" in said
    assert "Gini 0.000, geometric mean 37.50 %, of the 8" in said
    assert "people who sit on every panel: 2\n" in said
    assert "people who can sit on no panel that meets the quotas: 2 " in said
    assert run([*command, "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["certain"], len(data["never"]), data["open"]["people"]) == (2, 2, 8)
    assert (data["min_probability"], data["open"]["min_probability"]) == ("0", "3/8")


@pytest.mark.parametrize("objectives", ["leximin,legacy,random", "legacy", "random", "nash,minimax"])
def test_all_that_is_compared_is_compared_among_the_same_open_people(
    tables: list[str], objectives: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", *tables, "--size", "5", "--objectives", objectives, "--draws", "500"]
    assert run(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "chance is open: 8. On every panel: 2; on none: 2." in lines[-1]
    assert not any("100.00 %" in line or "0.0000 %" in line for line in lines)
    assert run([*command, "--lang", "fr"]) == 0
    assert "Sur tous les panels : 2 ; sur aucun : 2." in capsys.readouterr().out
    assert run([*command, "--format", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["certain"], data["never"], data["open"]) == (2, 2, 8)
    for entry in data["objectives"]:
        assert (
            0.2
            < entry["open"]["min_probability_float"]
            <= 3 / 8
            <= entry["open"]["max_probability_float"]
            < 0.6
        )


def test_where_nobody_is_settled_nothing_is_said_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.csv").write_text("id,g\na,x\nb,x\nc,y\nd,y\n")
    (tmp_path / "q.csv").write_text("feature,value,min,max\ng,x,1,1\ng,y,1,1\n")
    tables = [str(tmp_path / "p.csv"), str(tmp_path / "q.csv"), "--size", "2"]
    assert run(["lottery", *tables, "-o", str(tmp_path / "b")]) == 0
    assert run(["compare", *tables]) == 0
    said = capsys.readouterr().out
    assert "open" not in said
    assert "every panel" not in said


@settings(max_examples=40, deadline=None)
@given(instances(), st.sampled_from(["leximin", "minimax"]))
def test_those_called_settled_are_on_all_panels_or_on_none_and_all_others_are_not(
    instance: Instance, objective: str
) -> None:
    panels = enumerate_panels(instance)
    found = compare_for(instance, [objective, "random"])
    for t, n in enumerate(instance.counts):
        seats = {panel[t] for panel in panels}
        if t in found.never:
            assert seats == {0}
        elif t in found.certain:
            assert seats == {n}
        else:
            assert seats not in ({0}, {n})


def test_what_lotteries_and_baselines_share_is_written_once() -> None:
    for name in ("input_digest", "probability", "min_probability", "max_probability", "equal_share", "gini"):
        assert name in vars(Chances)
        assert name not in vars(Lottery)
        assert name not in vars(Baseline)
    legacy = klero.legacy_lottery(PEOPLE, QUOTAS, size=5, draws=100)
    assert legacy.probability("P02") == 1
    assert legacy.equal_share == Fraction(5, 12)
    assert compare(PEOPLE, QUOTAS, size=5, objectives=["legacy"], draws=100)["legacy"].result is not None
