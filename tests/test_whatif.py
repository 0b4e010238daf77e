"""What a looser quota is worth: against a textbook simplex, against all panels, and in words."""

from __future__ import annotations

import json
import random
import xml.etree.ElementTree as ET
from dataclasses import replace
from fractions import Fraction
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given, settings

import klero
from klero.cli import cli, run
from klero.errors import InfeasibleError
from klero.sortition.feasibility import Bound, loosenable_bounds
from klero.sortition.instance import Instance
from klero.sortition.whatif import WhatIf, loosened, what_if_instance, without_quotas
from oracle import all_panels, maximise, random_instances, truth
from strategies import instances


def smallest_probability(instance: Instance) -> Fraction:
    """The value of max t, x_T ≥ n_T·t, within quotas, size and people: all as equations with slack, exactly."""
    types, cells = len(instance.types), len(instance.cells)
    # Variables: t, x by type, slack of x_T ≥ a_T·t, slack of x_T ≤ n_T, slack of each minimum and maximum.
    width = 1 + 3 * types + 2 * cells
    rows, sides = [], []

    def row(terms: dict[int, int], side: int) -> None:
        sign = -1 if side < 0 else 1
        rows.append([Fraction(sign * terms.get(j, 0)) for j in range(width)])
        sides.append(Fraction(sign * side))

    for t, (n, share) in enumerate(zip(instance.counts, instance.shares, strict=True)):
        row({1 + t: 1, 0: -share, 1 + types + t: -1}, 0)
        row({1 + t: 1, 1 + 2 * types + t: 1}, n)
    for c, (lowest, highest) in enumerate(instance.cell_bounds):
        members = {1 + t: 1 for t in range(types) if c in instance.type_cells(t)}
        row(members | {1 + 3 * types + 2 * c: -1}, lowest)
        row(members | {1 + 3 * types + 2 * c + 1: 1}, highest)
    row({1 + t: 1 for t in range(types)}, instance.size)
    aim = [Fraction(int(j == 0)) for j in range(width)]
    return maximise(aim, rows, sides)[0]


def feasible_cases(seed: int, how_many: int, heavy: float = 0.3) -> list[Instance]:
    draw = random.Random(seed)
    cases = []
    for instance in random_instances(seed, how_many):
        if all_panels(instance):
            weighted = draw.random() < heavy
            weights = tuple(draw.randint(1, 4) for _ in instance.types) if weighted else instance.weights
            cases.append(replace(instance, weights=weights))
    return cases


def test_each_value_is_that_of_the_programme_with_the_looser_quota() -> None:
    found_any = 0
    for instance in feasible_cases(31, 240):
        found = what_if_instance(instance)
        assert found.minimum == smallest_probability(instance)
        for one in (*found.loosenings, *found.pairs):
            for step, value in one.values.items():
                assert value == smallest_probability(loosened(instance, one.bounds, step))
                assert value <= found.minimum + step * one.at_most
            found_any += 1
    assert found_any >= 30


def test_a_quota_that_is_not_listed_gains_nothing_by_any_loosening() -> None:
    checked = 0
    for instance in feasible_cases(32, 40):
        found = what_if_instance(instance)
        listed = {one.bounds[0] for one in found.loosenings}
        for bound in loosenable_bounds(instance):
            if bound not in listed:
                for step in (1, 3):
                    assert smallest_probability(loosened(instance, (bound,), step)) == found.minimum
                checked += 1
    assert checked >= 100


def test_where_a_pair_helps_and_no_quota_alone_the_pair_is_found() -> None:
    checked = 0
    for instance in feasible_cases(34, 60, heavy=0):
        found = what_if_instance(instance)
        if found.loosenings:
            continue
        bounds = loosenable_bounds(instance)
        best = max(
            (smallest_probability(loosened(instance, both, 1)) for both in combinations(bounds, 2)),
            default=found.minimum,
        )
        if best > found.minimum:
            assert max(pair.values[1] for pair in found.pairs) > found.minimum
            checked += 1
        else:
            assert not found.pairs
    assert checked >= 3


def test_where_the_linear_bound_is_the_truth_so_is_the_gain() -> None:
    agreed = 0
    for instance in feasible_cases(33, 240, heavy=0):
        found = what_if_instance(instance)
        for one in found.loosenings:
            if 1 in one.values:
                looser = truth(loosened(instance, one.bounds, 1))
                assert looser is not None
                assert looser.maximin <= one.values[1]
                agreed += looser.maximin == one.values[1]
    assert agreed >= 20


@settings(max_examples=40, deadline=None)
@given(instances(feasible=True))
def test_further_seats_add_no_more_than_the_first(instance: Instance) -> None:
    found = what_if_instance(instance)
    for one in found.loosenings:
        steps = [(0, found.minimum), *one.values.items()]
        rates = [(b - a) / (n - m) for (m, a), (n, b) in pairwise(steps)]
        assert rates == sorted(rates, reverse=True)
        assert rates[0] > 0


def example() -> WhatIf:
    people = [
        {"id": f"P{i}", "age": "old" if i % 4 else "young", "sex": "f" if i % 3 else "m"} for i in range(24)
    ]
    rows = [
        {"feature": "age", "value": "old", "min": 0, "max": 2},
        {"feature": "age", "value": "young", "min": 2, "max": 8},
        {"feature": "sex", "value": "f", "min": 2, "max": 6},
        {"feature": "sex", "value": "m", "min": 2, "max": 4},
    ]
    return klero.what_if(klero.Pool.read(people), klero.Quotas.read(rows), size=8)


def test_a_crowd_that_a_maximum_holds_back_is_named_with_its_gain() -> None:
    found = example()
    # 18 old people share 2 seats: 1/9 each, then 3/18, 4/18 and, all seats but three, 1/3 at most.
    assert found.minimum == Fraction(2, 18)
    first = found.loosenings[0]
    assert first.bounds == (Bound(0, "max", 2),)
    assert first.values[1] == Fraction(3, 18)
    assert first.values[2] == Fraction(4, 18)
    assert first.at_most == Fraction(1, 18)


@pytest.mark.parametrize(
    ("lang", "word"),
    [("en", "at most 2 of age: old → 1 seat looser: 16.67"), ("fr", "1 siège de plus : 16,67")],
)
def test_the_finding_in_words(lang: str, word: str) -> None:
    assert word in example().explain(lang)


def test_where_quotas_cost_nothing_the_finding_says_so() -> None:
    people = [{"id": str(i), "g": "ab"[i % 2]} for i in range(8)]
    rows = [{"feature": "g", "value": v, "min": 1, "max": 3} for v in "ab"]
    found = klero.what_if(klero.Pool.read(people), klero.Quotas.read(rows), size=4)
    assert found.minimum == found.equal_share
    assert found.loosenings == found.pairs == ()
    assert found.explain().endswith("No single quota, loosened alone, would raise it.")


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_picture_is_well_formed_with_title_and_description(lang: str) -> None:
    root = ET.fromstring(example().picture(lang))  # noqa: S314 (our own)
    names = [child.tag.rsplit("}")[-1] for child in root]
    assert names[:2] == ["title", "desc"]
    assert names.count("rect") > 2


def test_quotas_that_cannot_be_met_come_with_repairs_instead() -> None:
    people = [{"id": str(i), "g": "a" if i < 2 else "b"} for i in range(9)]
    rows = [
        {"feature": "g", "value": "a", "min": 3, "max": 4},
        {"feature": "g", "value": "b", "min": 1, "max": 4},
    ]
    with pytest.raises(InfeasibleError) as caught:
        klero.what_if(klero.Pool.read(people), klero.Quotas.read(rows), size=5)
    assert caught.value.repairs[0] == "Smallest change that works: lower that minimum to 2."


def write_tables(folder: Path) -> tuple[str, str]:
    people, quotas = folder / "people.csv", folder / "quotas.csv"
    people.write_text(
        "id,g\n" + "".join(f"{i},{'a' if i < 8 else 'b'}\n" for i in range(12)), encoding="utf-8"
    )
    quotas.write_text("feature,value,min,max\ng,a,0,2\ng,b,0,4\n", encoding="utf-8")
    return str(people), str(quotas)


def test_the_command_gives_data_and_a_picture_and_overwrites_nothing(tmp_path: Path) -> None:
    people, quotas = write_tables(tmp_path)
    picture = tmp_path / "bars.svg"
    arguments = ["whatif", people, quotas, "--size", "4", "--format", "json", "--picture", str(picture)]
    result = CliRunner().invoke(cli, arguments, standalone_mode=False)
    data = json.loads(result.stdout)
    assert data["minimum"] == "1/4"
    assert data["loosenings"][0]["bounds"] == [{"cell": "g: a", "side": "max", "seats": 2}]
    assert data["loosenings"][0]["values"][0]["minimum"] == "1/3"
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    before = picture.read_bytes()
    assert run(arguments) == 3
    assert picture.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bars.svg", "people.csv", "quotas.csv"]


def test_check_offers_as_many_repairs_as_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people, quotas = tmp_path / "p.csv", tmp_path / "q.csv"
    people.write_text("id,f,g\n1,x,y\n2,x,y\n3,w,z\n4,w,z\n5,w,y\n", encoding="utf-8")
    quotas.write_text("feature,value,min,max\nf,x,2,3\nf,w,0,3\ng,z,2,3\ng,y,0,3\n", encoding="utf-8")
    assert run(["check", str(people), str(quotas), "--size", "3", "--repairs", "3", "--format", "json"]) == 1
    assert len(json.loads(capsys.readouterr().out)["error"]["repairs"]) == 2


def people_of(weights: list[int], homes: list[str] | None = None) -> list[dict[str, object]]:
    homes = homes or [str(i) for i in range(len(weights))]
    return [
        {"id": f"P{i:02}", "g": "wm"[i % 2], "w": w, "h": h}
        for i, (w, h) in enumerate(zip(weights, homes, strict=True))
    ]


OPEN = [{"feature": "g", "value": v, "min": 0, "max": 99} for v in "wm"]


def best_over_panels(
    people: list[dict[str, object]], size: int, must: set[str], per_home: int | None
) -> Fraction:
    """The largest smallest p/w of a lottery over all panels that the rules other than quotas allow."""
    panels = [
        panel
        for panel in combinations(range(len(people)), size)
        if must <= {str(people[i]["id"]) for i in panel}
        and (per_home is None or len({people[i]["h"] for i in panel}) == size)
    ]
    # Variables: t, one a panel, a slack a person: Σ λ over the panels of i - w_i·t - slack_i = 0; Σ λ = 1.
    width = 1 + len(panels) + len(people)
    rows = []
    for i, person in enumerate(people):
        line = [Fraction(0)] * width
        line[0] = Fraction(-int(str(person["w"])))
        for j, panel in enumerate(panels):
            line[1 + j] = Fraction(int(i in panel))
        line[1 + len(panels) + i] = Fraction(-1)
        rows.append(line)
    rows.append([Fraction(int(1 <= j <= len(panels))) for j in range(width)])
    sides = [Fraction(0)] * len(people) + [Fraction(1)]
    return maximise([Fraction(int(j == 0)) for j in range(width)], rows, sides)[0]


@pytest.mark.parametrize(
    ("weights", "size", "must", "homes"),
    [
        ([1, 1, 10, 1], 2, [], None),
        ([1] * 8, 4, ["P04", "P05"], None),
        ([1] * 7, 3, [], ["a", "a", "a", "a", "b", "c", "d"]),
        ([1, 2, 1, 3, 1, 1], 3, ["P03"], ["a", "a", "b", "c", "d", "e"]),
        ([1] * 5, 2, ["P00", "P01"], None),
    ],
)
def test_quotas_are_not_blamed_for_what_other_rules_do(
    weights: list[int], size: int, must: list[str], homes: list[str] | None
) -> None:
    people = people_of(weights, homes)
    found = klero.what_if(
        klero.Pool.read(people),
        klero.Quotas.read(OPEN),
        size=size,
        weight="w",
        **({"must_sit": must} if must else {}),
        **({"household": ["h"]} if homes else {}),
    )
    expected = best_over_panels(people, size, set(must), 1 if homes else None)
    assert found.minimum == found.without_quotas == expected
    data = found.to_dict()
    assert data["without_quotas"] == str(expected)
    english, french = found.explain(), found.explain("fr")
    if expected:
        assert "they leave 100.00" in english
        assert ("due to other rules" in english) == (expected < found.equal_share)
        assert ("tient à d'autres règles" in french) == (expected < found.equal_share)
    else:
        assert "other rules leave some people no chance" in english


def test_without_quotas_only_the_quotas_are_open() -> None:
    for instance in feasible_cases(35, 60):
        found = what_if_instance(instance)
        assert found.without_quotas == smallest_probability(without_quotas(instance)) >= found.minimum


_CLASH = {
    "women": (
        "g,woman,4,4\ng,man,0,2\n",
        4,
        "4 personnes de g: woman sont demandées, 3 parmi les volontaires",
        "abaisser ce minimum à 3",
    ),
    "few": ("g,woman,0,1\ng,man,0,9\n", 5, "Il y a 5 sièges à pourvoir", "relever ce maximum à 2"),
}


@pytest.mark.parametrize("name", _CLASH)
def test_clashes_and_repairs_are_in_the_language_asked_for(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines, size, clash, repair = _CLASH[name]
    (tmp_path / "p.csv").write_text(
        "id,g\n" + "".join(f"{i},{'woman' if i < 3 else 'man'}\n" for i in range(6))
    )
    (tmp_path / "q.csv").write_text("feature,value,min,max\n" + lines)
    command = ["whatif", str(tmp_path / "p.csv"), str(tmp_path / "q.csv"), "--size", str(size)]
    assert run([*command, "--lang", "fr"]) == 1
    said = capsys.readouterr().err
    assert "Les quotas ne peuvent pas tous être respectés." in said
    assert "Ce qui aiderait :" in said
    assert clash in said
    assert repair in said
    assert not any(word in said for word in ("Smallest", "lower", "raise", "pool", "seats", "Or "))
    assert run(command) == 1
    assert "The quotas can't all be met." in capsys.readouterr().err
