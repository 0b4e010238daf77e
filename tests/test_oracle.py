"""The oracle itself, on pools and programmes whose answer is known without it."""

from __future__ import annotations

import csv
import json
import os
import random
from fractions import Fraction
from pathlib import Path

import pytest

from oracle import maximise, random_instances, small_instance, truth

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("KLERO_DATA", ROOT.parent / "shared" / "data")) / "sortition"
GAPS = sorted(DATA.glob("gap_*")) if DATA.is_dir() else []


def fractions(*values: int | str) -> list[Fraction]:
    return [Fraction(value) for value in values]


def test_without_quotas_everybody_has_the_same_probability() -> None:
    found = truth(small_instance(1, [(0,), (1,), (1,)], [(0, 0)], [(1, 1)]))
    assert found is not None
    assert found.panels == ((0, 1), (1, 0))
    assert found.probabilities == (Fraction(1, 3), Fraction(1, 3))


def test_whoever_alone_can_meet_a_quota_always_sits_and_the_others_share() -> None:
    found = truth(small_instance(2, [(0,), (1,), (1,), (1,)], [(1, 1)], [(1, 1)]))
    assert found is not None
    assert found.probabilities == (Fraction(1), Fraction(1, 3))
    assert found.maximin == Fraction(1, 3)


def test_a_person_whose_counterpart_is_missing_never_sits() -> None:
    # One seat for each value of both features: (0, 0) would need (1, 1), which nobody is.
    found = truth(small_instance(2, [(0, 0), (0, 1), (1, 0)], [(1, 1), (1, 1)], [(1, 1), (1, 1)]))
    assert found is not None
    assert found.panels == ((0, 1, 1),)
    assert found.never == (0,)
    assert found.probabilities == (0, 1, 1)
    assert found.maximin == 0


def test_quotas_above_what_the_pool_holds_have_no_truth() -> None:
    assert truth(small_instance(2, [(0,), (1,), (1,)], [(2, 0)], [(2, 0)])) is None


def test_leximin_goes_on_after_the_first_level() -> None:
    # One seat in three for value 0 (three people), two for value 1 (two people), who are thus certain.
    found = truth(small_instance(3, [(0,), (0,), (0,), (1,), (1,)], [(1, 2)], [(1, 2)]))
    assert found is not None
    assert found.probabilities == (Fraction(1, 3), Fraction(1))


def test_simplex_solves_the_textbook_example() -> None:
    # Hillier and Lieberman's Wyndor Glass: max 3x + 5y with x ≤ 4, 2y ≤ 12, 3x + 2y ≤ 18.
    rows = [fractions(1, 0, 1, 0, 0), fractions(0, 2, 0, 1, 0), fractions(3, 2, 0, 0, 1)]
    assert maximise(fractions(3, 5, 0, 0, 0), rows, fractions(4, 12, 18))[:2] == [2, 6]


def test_simplex_does_not_go_in_circles_on_beales_example() -> None:
    rows = [
        fractions("1/4", -60, "-1/25", 9, 1, 0, 0),
        fractions("1/2", -90, "-1/50", 3, 0, 1, 0),
        fractions(0, 0, 1, 0, 0, 0, 1),
    ]
    aim = fractions("3/4", -150, "1/50", -6, 0, 0, 0)
    solution = maximise(aim, rows, fractions(0, 0, 1))
    assert sum(a * x for a, x in zip(aim, solution, strict=True)) == Fraction(1, 20)


def test_simplex_says_when_there_is_no_solution() -> None:
    with pytest.raises(ValueError, match="no solution"):
        maximise(fractions(1), [fractions(1), fractions(1)], fractions(1, 2))


def test_simplex_says_when_the_aim_has_no_limit() -> None:
    with pytest.raises(ValueError, match="without end"):
        maximise(fractions(1, 0), [fractions(1, -1)], fractions(0))


def test_the_random_pools_are_the_same_each_time() -> None:
    assert list(random_instances(7, 20)) == list(random_instances(7, 20))


def test_the_random_pools_are_of_every_kind() -> None:
    found = [truth(instance) for instance in random_instances(7, 100)]
    assert sum(one is None for one in found) >= 10
    assert sum(one is not None and not one.never for one in found) >= 10
    assert sum(one is not None and bool(one.never) for one in found) >= 10
    assert max(len(one.panels) for one in found if one is not None) >= 20


def test_probabilities_add_up_to_the_seats() -> None:
    for instance in random_instances(1, 100):
        found = truth(instance)
        if found is not None:
            total = sum(p * n for p, n in zip(found.probabilities, instance.counts, strict=True))
            assert total == instance.size


def test_no_lottery_drawn_at_random_is_fairer() -> None:
    draw = random.Random(1)
    for instance in random_instances(2, 100):
        found = truth(instance)
        if found is None:
            continue
        best = sorted(p for p, n in zip(found.probabilities, instance.counts, strict=True) for _ in range(n))
        for _ in range(5):
            balls = [draw.choice((0, 0, 1, 5)) for _ in found.panels]
            balls[draw.randrange(len(balls))] += 1
            other = [
                Fraction(
                    sum(b * panel[t] for b, panel in zip(balls, found.panels, strict=True)), sum(balls) * n
                )
                for t, n in enumerate(instance.counts)
            ]
            assert sorted(p for p, n in zip(other, instance.counts, strict=True) for _ in range(n)) <= best


@pytest.mark.skipif(not GAPS, reason=f"no benchmark cases at {DATA} (set KLERO_DATA)")
@pytest.mark.parametrize("folder", GAPS, ids=lambda folder: folder.name)
def test_the_oracle_finds_the_known_maximin_where_the_linear_bound_is_not_reached(folder: Path) -> None:
    known = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    with (folder / "categories.csv").open(encoding="utf-8", newline="") as file:
        quotas = list(csv.DictReader(file))
    with (folder / "respondents.csv").open(encoding="utf-8", newline="") as file:
        people = list(csv.DictReader(file))
    values: dict[str, list[dict[str, str]]] = {}
    for row in quotas:
        values.setdefault(row["category"], []).append(row)
    number = {(row["category"], row["feature"]): i for rows in values.values() for i, row in enumerate(rows)}
    instance = small_instance(
        known["k"],
        [tuple(number[f, person[f]] for f in values) for person in people],
        [tuple(int(row["min"]) for row in rows) for rows in values.values()],
        [tuple(int(row["max"]) for row in rows) for rows in values.values()],
    )
    found = truth(instance)
    assert found is not None
    assert found.maximin == Fraction(known["true_maximin"])
