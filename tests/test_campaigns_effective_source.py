"""Local false discovery rates, and the bits of scripts: beside slow ones, and calibrated on made numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klero.campaigns.local_fdr import among, decreasing, monotone, two_classes
from klero.campaigns.script import script_bits

numbers = st.lists(st.floats(-5, 5), min_size=1, max_size=12)


def slow_monotone(values: list[float], weights: list[float]) -> list[float]:
    """The max-min formula of isotonic regression."""

    def mean(a: int, b: int) -> float:
        part = slice(a, b + 1)
        return float(np.average(values[part], weights=weights[part]))

    n = len(values)
    return [max(min(mean(a, b) for b in range(i, n)) for a in range(i + 1)) for i in range(n)]


@given(numbers, st.integers(0, 1000))
def test_monotone_is_the_max_min_formula(values: list[float], seed: int) -> None:
    weights = np.random.default_rng(seed).uniform(0.1, 3, len(values)).tolist()
    assert monotone(np.array(values), np.array(weights)).tolist() == pytest.approx(
        slow_monotone(values, weights), abs=1e-9
    )


FITS = {
    "decreasing": decreasing,
    "two classes": two_classes,
    "among": lambda members, outside: among(members, outside, 2.0),
}


@pytest.mark.parametrize("name", FITS)
@given(st.integers(0, 10_000), st.integers(1, 25))
def test_who_is_more_alike_is_never_likelier_there_by_chance(name: str, seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    outside = random.standard_normal(60)
    members = np.round(random.normal(random.uniform(-1, 6), 1, size), 1)
    curve = FITS[name](members, outside)
    found = curve(np.linspace(-4, 12, 300))
    assert ((found >= 0) & (found <= 1)).all()
    assert (np.diff(found) <= 1e-12).all()


@pytest.mark.parametrize("name", FITS)
def test_the_order_of_numbers_changes_nothing(name: str) -> None:
    random = np.random.default_rng(3)
    outside, members = random.standard_normal(80), random.normal(2, 1, 20)
    one = FITS[name](members, outside)(np.sort(members))
    other = FITS[name](members[::-1], random.permutation(outside))(np.sort(members))
    assert one == pytest.approx(other, abs=1e-6)


def mean_of_many(fit: str, seed: int) -> tuple[float, float]:
    """(others in a group, what the curve says), summed over 60 groups of 20 of the source and whoever else is over the cut."""
    random = np.random.default_rng(seed)
    truth = said = 0.0
    for _ in range(60):
        if fit == "among":
            others = random.standard_normal(6)
            members, outside = (
                np.concatenate([random.normal(3, 0.7, 20), others]),
                random.standard_normal(150),
            )
        elif fit == "decreasing":
            people = random.standard_normal(400)
            source = random.normal(3.5, 0.6, 20)
            cut = 1.9
            others, outside = people[people > cut], people[people <= cut]
            members = np.concatenate([source[source > cut], others])
        else:
            people = random.exponential(6, 600)
            cut = 26.0
            others, outside = people[people > cut], people[people <= cut]
            members = np.concatenate([random.normal(120, 25, 20), others])
        curve = FITS["two classes" if fit == "two_classes" else fit](members, outside)
        truth += len(others)
        said += float(curve(members).sum())
    return truth, said


@pytest.mark.parametrize(("fit", "error"), [("among", 0.25), ("decreasing", 0.25), ("two_classes", 0.15)])
def test_others_in_a_group_are_counted_right_on_average(fit: str, error: float) -> None:
    # A fifth too few at worst, under a sharp cut: probabilities above 1 at its edge are taken for 1.
    truth, said = mean_of_many(fit, 8)
    assert said == pytest.approx(truth, rel=error)


def test_a_group_of_many_is_put_into_bins_with_nearly_the_same_curve() -> None:
    random = np.random.default_rng(2)
    outside, members = random.standard_normal(3000), random.normal(4, 1, 2000)
    curve = decreasing(members, outside)
    assert float(curve(members).mean()) < 0.08
    assert float(curve(np.array([5.0]))[0]) < 0.01 < float(curve(np.array([1.0]))[0])


def test_how_often_each_counts_is_as_if_it_were_there_so_often() -> None:
    random = np.random.default_rng(9)
    members, outside = random.normal(3, 1, 12), random.standard_normal(70)
    often, often_outside = random.integers(1, 4, 12), random.integers(1, 4, 70)
    counts = often.astype(float), often_outside.astype(float)
    for fit in (decreasing, two_classes):
        one = fit(members, outside, counts=counts)(members[often > 0])
        other = fit(np.repeat(members, often), np.repeat(outside, often_outside))(members[often > 0])
        assert one == pytest.approx(other, abs=1e-4)


# ── scripts ──


def slow_bits(
    own: np.ndarray, members: list[np.ndarray], outside: list[np.ndarray], cast: int, usual: float
) -> float:
    """Item by item; `members` and `outside` are the others."""
    total = 0.0
    for item in range(len(own)):
        held = [sum(int(one[item] == v) for one in members) for v in range(3)]
        if sum(held) < 2:
            continue
        seen = [sum(int(one[item] == v) for one in outside) for v in range(3)]
        here = min(cast / usual * (sum(seen) + 0.5) / (len(outside) + 1), 0.99)
        there = (sum(held) + here) / (len(members) + 1)
        if own[item] == 3:
            total += math.log2((1 - there) / (1 - here))
            continue
        way = int(own[item])
        usually = (seen[way] + 0.5) / (sum(seen) + 1.5)
        total += math.log2(there * (held[way] + usually) / (sum(held) + 1) / (here * usually))
    return total


@pytest.mark.parametrize("seed", range(4))
def test_bits_of_a_script_are_those_counted_item_by_item(seed: int) -> None:
    random = np.random.default_rng(seed)
    inner = random.choice([0, 1, 2, 3], (6, 9), p=[0.5, 0.1, 0.2, 0.2]).astype(np.int8)
    outer = random.choice([0, 1, 2, 3], (15, 9)).astype(np.int8)
    cast_inner, cast_outer = (inner < 3).sum(axis=1) + 2, (outer < 3).sum(axis=1) + random.integers(0, 5, 15)
    own, others = script_bits(inner, outer, cast_inner, cast_outer)
    members, outside = list(inner), list(outer)
    for i in range(6):
        rest = members[:i] + members[i + 1 :]
        assert own[i] == pytest.approx(slow_bits(inner[i], rest, outside, cast_inner[i], cast_outer.mean()))
    for i in range(15):
        rest = outside[:i] + outside[i + 1 :]
        usual = (cast_outer.sum() - cast_outer[i]) / 14
        assert others[i] == pytest.approx(slow_bits(outer[i], members, rest, cast_outer[i], usual))
