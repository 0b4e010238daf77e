"""`klero compare`: objectives and baselines side by side."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

import klero
from klero.cli import cli, run
from klero.errors import InputError
from klero.sortition.comparison import names
from klero.sortition.lottery import OBJECTIVES

EXAMPLES = Path(klero.__file__).parent / "examples"
PEOPLE, QUOTAS = str(EXAMPLES / "people.csv"), str(EXAMPLES / "quotas.csv")
TABLES = ["compare", PEOPLE, QUOTAS, "--size", "30", "--draws", "60"]


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(cli, [*TABLES, *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_every_objective_and_both_baselines_are_compared() -> None:
    data = json.loads(invoke("--format", "json"))
    assert [entry["objective"] for entry in data["objectives"]] == list(names())
    assert set(names()) == {*OBJECTIVES, "random", "legacy"}
    by_name = {entry["objective"]: entry for entry in data["objectives"]}
    for name in OBJECTIVES:
        assert by_name[name]["certificate"]["gap"] >= 0
        assert not by_name[name]["estimated"]
    assert by_name["legacy"]["certificate"] is by_name["random"]["certificate"] is None
    assert by_name["legacy"]["uncertainty"] > 0
    best = by_name["leximin"]["min_probability"]
    assert all(
        entry["min_probability"] <= best + 1e-5 for entry in data["objectives"] if not entry["estimated"]
    )
    for entry in data["objectives"]:
        assert sum(entry["probabilities"]) == pytest.approx(30)


def test_the_table_says_what_is_estimated_and_what_has_no_certificate() -> None:
    lines = invoke("--objectives", "leximin,legacy").splitlines()
    assert lines[0].split()[:2] == ["objective", "smallest"]
    assert re.match(r"leximin +7\.24 % +69\.03 % +0\.31", lines[1])
    assert " ± " not in lines[1]
    assert "L0, gap" in lines[1]
    assert lines[2].count(" ± ") == 2
    assert "none" in lines[2]


@pytest.mark.parametrize(
    ("lang", "estimated", "counted"),
    [
        ("en", "«± …»: estimated; with 99 % confidence", "«panels»: of a lottery"),
        ("fr", "« ± … » : estimation ; avec une confiance de 99 %", "« panels » : d'une loterie"),
    ],
)
def test_remarks_are_in_the_language_asked_for(
    capsys: pytest.CaptureFixture[str], lang: str, estimated: str, counted: str
) -> None:
    arguments = [*TABLES, "--objectives", "maximin,legacy", "--draws", "1000", "--lang", lang]
    assert run(arguments) == 0
    told = capsys.readouterr().err
    assert estimated in told
    assert counted in told


def test_french_words_and_numbers() -> None:
    lines = invoke("--objectives", "leximin,legacy", "--lang", "fr").splitlines()
    assert lines[0].startswith("objectif  plus petite")
    assert "7,24 %" in lines[1]
    assert "aucun" in lines[2]


@pytest.mark.parametrize(("lang", "share"), [("en", "equal share 12.50"), ("fr", "part égale 12,50")])
def test_the_picture_has_a_line_for_each_and_says_what_it_shows(
    tmp_path: Path, lang: str, share: str
) -> None:
    file = tmp_path / "compared.svg"
    invoke("--objectives", "leximin,maximin,legacy", "--picture", str(file), "--lang", lang)
    text = file.read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)  # noqa: S314 (our own file)
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}polyline")) == 3
    title, description = root.find(f"{space}title"), root.find(f"{space}desc")
    assert title is not None
    assert "240" in (title.text or "")
    assert description is not None
    assert share in (description.text or "")
    for line in root.findall(f"{space}polyline"):
        points = [tuple(map(float, pair.split(","))) for pair in line.attrib["points"].split()]
        # Rising probabilities: to the right, and up the page.
        assert all(a[0] <= b[0] and a[1] >= b[1] for a, b in pairwise(points))
        assert points[0][0] < points[-1][0]


def test_a_picture_that_is_there_is_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "compared.svg"
    file.write_text("mine")
    arguments = [*TABLES, "--objectives", "maximin", "--picture", str(file)]
    assert run(arguments) == 3
    assert "output-exists" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert run([*arguments, "--force"]) == 0
    assert file.read_text().startswith("<svg")
    assert list(tmp_path.iterdir()) == [file]


def test_faults_are_told_before_any_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*TABLES, "--objectives", "leximin,lexmin"]) == 3
    assert "'lexmin' is not one of: leximin" in capsys.readouterr().err
    assert run([*TABLES, "--objectives", " , "]) == 3
    assert "objective-unknown" in capsys.readouterr().err
    assert run([*TABLES[:-1], "0"]) == 3
    assert "draws-invalid" in capsys.readouterr().err
    assert run([*TABLES, "--picture", str(tmp_path / "none" / "x.svg")]) == 4
    assert "does not exist" in capsys.readouterr().err


def test_a_baseline_that_cannot_be_had_leaves_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    # At most one attempt a draw in all, with three features left out: hopeless.
    arguments = [*TABLES, "--objectives", "maximin,random", "--attempts", "16", "--memory", "1"]
    assert run(arguments) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[1].startswith("maximin")
    assert "not available" in lines[2]
    assert "can't be estimated" in shown.err
    assert run([*arguments, "--format", "json"]) == 0
    entry = json.loads(capsys.readouterr().out)["objectives"][1]
    assert entry["available"] is False
    assert "none met the quotas" in entry["reason"]


def test_the_same_seed_compares_the_same() -> None:
    one = klero.compare(PEOPLE, QUOTAS, size=30, objectives=["maximin", "legacy"], draws=50)
    same = klero.compare(PEOPLE, QUOTAS, size=30, objectives=["maximin", "legacy"], draws=50)
    assert one == same
    assert one.picture() == same.picture()
    assert one["legacy"].estimated
    with pytest.raises(KeyError):
        one["nash2"]
    with pytest.raises(InputError, match="objective-unknown"):
        klero.compare(PEOPLE, QUOTAS, size=30, objectives=["fair"])


def test_infeasible_quotas_end_with_the_words_of_every_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people, quotas = tmp_path / "p.csv", tmp_path / "q.csv"
    people.write_text("id,g\na,w\nb,w\nc,m\n")
    quotas.write_text("feature,value,min,max\ng,w,0,2\ng,m,2,2\n")
    assert run(["compare", str(people), str(quotas), "--size", "2"]) == 1
    assert "2 of g: m are asked for, 1 in the pool" in capsys.readouterr().err


def test_a_lottery_can_be_made_most_random(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["lottery", PEOPLE, QUOTAS, "--size", "30", "--balls", "10000", "--most-random"]
    assert run([*arguments, "--format", "json", "-o", str(tmp_path / "bundle")]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["entropy"]["before_bits"] < data["entropy"]["bits"] < data["entropy"]["bound_bits"]
    assert data["min_probability_float"] == pytest.approx(11 / 152, abs=1e-3)
    assert run(["verify", str(tmp_path / "bundle")]) == 0


def test_households_and_people_who_must_sit_are_compared_under_the_same_rules(tmp_path: Path) -> None:
    people = tmp_path / "people.csv"
    rows = [f"P{i:02},{'wm'[i % 2]},{i // 2 if i < 12 else ''}" for i in range(24)]
    people.write_text("\n".join(["id,g,home", *rows]) + "\n")
    quotas = tmp_path / "quotas.csv"
    quotas.write_text("feature,value,min,max\ng,w,2,4\ng,m,2,4\n")
    arguments = [
        "compare",
        str(people),
        str(quotas),
        "--size",
        "6",
        "--household",
        "home",
        "--must-sit",
        "P20",
    ]
    result = CliRunner().invoke(
        cli, [*arguments, "--draws", "200", "--format", "json"], catch_exceptions=False
    )
    assert result.exit_code == 0
    for entry in json.loads(result.stdout)["objectives"]:
        assert entry["probabilities"][-1] == 1
