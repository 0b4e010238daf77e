"""The greedy draw and the uniform lottery, against trees and lists of panels."""

from __future__ import annotations

import random
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings

import klero
from baseline_oracle import greedy_marginals, greedy_panel, people_panels, uniform_marginals
from klero.errors import InfeasibleError, InputError, SamplingError
from klero.sortition.baselines import Options, legacy_for, random_for, stream_key
from klero.sortition.counting import count_panels, person_cells
from klero.sortition.instance import Instance, build_instance
from klero.sortition.intervals import clopper_pearson, hoeffding
from klero.sortition.pool import Pool
from klero.sortition.quotas import Quotas
from klero.sortition.rules import Rules
from oracle import all_panels, random_instances, small_instance
from strategies import instances

SURE = 1 - 1e-9


def feasible(seed: int, how_many: int) -> list[Instance]:
    return [one for one in random_instances(seed, how_many) if all_panels(one)]


@pytest.mark.parametrize("surplus", ["negative", "zero"])
def test_greedy_frequencies_agree_with_the_tree_of_all_choices(surplus: str) -> None:
    seen = 0
    for instance in feasible(11, 60):
        exact = greedy_marginals(instance, surplus_is_zero=surplus == "zero")
        options = Options(4000, "tree", SURE, attempts=10**6)
        if exact is None:
            with pytest.raises(SamplingError):
                legacy_for(instance, Options(4, "tree", attempts=1000), surplus=surplus)  # type: ignore[arg-type]
            continue
        found = legacy_for(instance, options, surplus=surplus)  # type: ignore[arg-type]
        assert all(low <= p <= high for p, (low, high) in zip(exact, found.intervals, strict=True))
        seen += any(0 < p < 1 for p in exact)
    assert seen > 20


def test_the_two_rules_for_a_surplus_give_different_trees() -> None:
    pools = feasible(11, 60)
    different = [one for one in pools if greedy_marginals(one) != greedy_marginals(one, surplus_is_zero=True)]
    assert len(different) > 3


def test_greedy_panels_are_those_of_the_slow_version_number_for_number() -> None:
    failures = 0
    for instance in feasible(12, 40):
        if greedy_marginals(instance) is None:
            continue
        found = legacy_for(instance, Options(6, "slow", keep_panels=True))
        key = stream_key("legacy", instance, "slow")
        slow = [greedy_panel(instance, key, draw) for draw in range(6)]
        assert found.panels == tuple(panel for panel, _ in slow)
        assert found.restarts == sum(f for _, f in slow)
        failures += found.restarts
    assert failures > 0


@settings(max_examples=80, deadline=None)
@given(instances(feasible=True))
def test_uniform_probabilities_are_those_of_a_list_of_all_panels(instance: Instance) -> None:
    number, exact = uniform_marginals(instance)
    found = random_for(instance, Options(10, "list"))
    assert found.panels_number == number
    assert found.type_probabilities == exact
    assert found.uncertainty == 0


def test_every_choice_of_counted_features_counts_what_a_list_counts() -> None:
    from itertools import permutations

    from klero.sortition.counting import plan

    for instance in feasible(13, 25):
        panels = people_panels(instance)
        for order in permutations(range(len(instance.features))):
            whole = plan(instance, order)
            whole.kernel.build([1] * len(whole.classes))
            assert int.from_bytes(whole.kernel.number(), "big") == len(panels)
            around = whole.kernel.occupancy()
            for ways, members in zip(around, whole.classes, strict=True):
                n = sum(instance.counts[t] for t in members)
                total = sum(comb(n, s) * int.from_bytes(w, "big") for s, w in enumerate(ways))
                assert total == len(panels)


def test_float_counts_agree_with_weighted_lists() -> None:
    from klero.sortition.counting import plan

    for instance in feasible(14, 25):
        everyone = plan(instance, range(len(instance.features)), by_type=True)
        weights = [1 + t for t in range(len(instance.types))]
        everyone.kernel.build([weights[members[0]] for members in everyone.classes])
        listed = 0
        for panel in people_panels(instance):
            product = 1
            for i in panel:
                product *= weights[instance.person_type[i]]
            listed += product
        assert int.from_bytes(everyone.kernel.number(), "big") == listed
        floats = everyone.kernel.expect_seats([float(weights[m[0]]) for m in everyone.classes])
        assert floats is not None
        assert floats[0] == pytest.approx(listed, rel=1e-12)


def chi_square(counts: dict[tuple[int, ...], int], outcomes: int, draws: int) -> float:
    expected = draws / outcomes
    return sum((c - expected) ** 2 for c in counts.values()) / expected + expected * (outcomes - len(counts))


def assert_uniform(instance: Instance, panels: tuple[tuple[str, ...], ...]) -> None:
    listed = people_panels(instance)
    place = {person: i for i, person in enumerate(instance.ids)}
    counts: dict[tuple[int, ...], int] = {}
    for panel in panels:
        key = tuple(sorted(place[p] for p in panel))
        counts[key] = counts.get(key, 0) + 1
    assert set(counts) <= set(listed)
    # Chi-square has mean f and variance 2f: six standard deviations.
    freedom = len(listed) - 1
    assert chi_square(counts, len(listed), len(panels)) < freedom + 6 * (2 * freedom) ** 0.5 + 10


def test_panels_drawn_by_count_are_uniform_over_all_panels() -> None:
    seen = 0
    for instance in feasible(15, 12):
        listed = len(people_panels(instance))
        if listed < 400:
            found = random_for(instance, Options(30 * listed, "chi", keep_panels=True))
            assert_uniform(instance, found.panels)
            seen += listed > 5
    assert seen > 4


def tight_pool() -> Instance:
    draw = random.Random(3)
    people = [tuple(draw.randrange(3) for _ in range(4)) for _ in range(14)]
    panel = people[:5]
    rows = [[sum(p[f] == v for p in panel) for v in range(3)] for f in range(4)]
    minima = [tuple(max(0, s - 1) for s in row) for row in rows]
    maxima = [tuple(s + 1 for s in row) for row in rows]
    return small_instance(5, people, minima, maxima)


def test_features_that_do_not_fit_are_left_to_rejection_which_stays_uniform(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import klero.sortition.counting as counting

    instance = tight_pool()
    assert count_panels(instance).complete
    monkeypatch.setattr(counting, "_MOST_WORK", 400)
    counter = count_panels(instance)
    assert counter.left_out
    assert not counter.complete
    listed = len(people_panels(instance))
    found = random_for(instance, Options(20 * listed, "rejection", SURE, keep_panels=True))
    assert found.exact is None
    assert found.panels_number is None
    assert found.restarts > 0
    assert_uniform(instance, found.panels)
    _, exact = uniform_marginals(instance)
    assert all(low <= p <= high for p, (low, high) in zip(exact, found.intervals, strict=True))


def test_an_estimate_that_would_need_too_many_attempts_is_refused_in_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import klero.sortition.counting as counting

    monkeypatch.setattr(counting, "_MOST_WORK", 100)
    with pytest.raises(SamplingError, match="uniform lottery's probabilities can't be estimated"):
        random_for(tight_pool(), Options(16, "few", attempts=16))


def household_instance() -> Instance:
    people = [
        {"id": f"P{i:02}", "gender": "wm"[i % 2], "home": f"{i // 3} Street" if i < 9 else ""}
        for i in range(12)
    ]
    quotas = [{"feature": "gender", "value": v, "min": 1, "max": 3} for v in "wm"]
    rules = Rules(household=("home",), must_sit=("P11",))
    return build_instance(Pool.read(people), Quotas.read(quotas), 4, rules)


def test_households_and_people_who_must_sit_are_kept_by_both() -> None:
    instance = household_instance()
    uniform = random_for(instance, Options(4000, "homes", SURE, keep_panels=True))
    assert_uniform(instance, uniform.panels)
    allowed = {tuple(instance.ids[i] for i in panel) for panel in people_panels(instance)}
    greedy = legacy_for(instance, Options(300, "homes", keep_panels=True))
    assert set(greedy.panels) <= allowed
    assert greedy.probability("P11") == uniform.probability("P11") == 1
    cells, bounds = person_cells(instance)
    assert len(bounds) == len(instance.cells) + len(instance.households) + 1
    assert all(len(person) == len(instance.features) + 1 for person in cells)


PEOPLE = [{"id": f"P{i}", "a": "xyz"[i % 3], "b": "uv"[i * 7 % 5 % 2]} for i in range(30)]
QUOTAS = [
    *({"feature": "a", "value": v, "min": 2, "max": 4} for v in "xyz"),
    *({"feature": "b", "value": v, "min": 3, "max": 6} for v in "uv"),
]


@pytest.mark.parametrize("function", [klero.legacy_lottery, klero.random_lottery])
def test_the_order_of_rows_and_the_number_of_threads_change_nothing(
    function: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    import klero.sortition.baselines as baselines

    def run(people: list[dict[str, str]], quotas: list[dict[str, object]]) -> object:
        result = function(people, quotas, size=9, draws=200, trial_seed="é", keep_panels=True)  # type: ignore[operator]
        return result, result.panels

    first = run(PEOPLE, QUOTAS)
    monkeypatch.setattr(baselines, "_THREADS", 1)
    assert run(PEOPLE[::-1], QUOTAS[::-1]) == first
    monkeypatch.setattr(baselines, "_THREADS", 5)
    assert run(PEOPLE, QUOTAS) == first


def test_another_process_with_another_hash_seed_draws_the_same() -> None:
    import os
    import subprocess
    import sys

    code = (
        "import klero;P=[{'id':f'P{i}','a':'xyz'[i%3],'b':'uv'[i*7%5%2]} for i in range(30)];"
        "Q=[*({'feature':'a','value':v,'min':2,'max':4} for v in 'xyz'),*({'feature':'b','value':v,'min':3,'max':6} for v in 'uv')];"
        "print(klero.legacy_lottery(P,Q,size=9,draws=50,keep_panels=True).panels,"
        "klero.random_lottery(P,Q,size=9,draws=50,keep_panels=True).panels)"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_a_seed_in_another_spelling_is_the_same_seed() -> None:
    one = klero.legacy_lottery(PEOPLE, QUOTAS, size=9, draws=20, trial_seed="é")
    other = klero.legacy_lottery(PEOPLE, QUOTAS, size=9, draws=20, trial_seed="é")
    assert one == other
    assert one != klero.legacy_lottery(PEOPLE, QUOTAS, size=9, draws=20, trial_seed="e")


def test_draws_are_cut_down_where_attempts_fail_often() -> None:
    instance = next(
        one
        for one in feasible(12, 60)
        if greedy_marginals(one) is not None and legacy_for(one, Options(50, "cut")).restarts > 5
    )
    found = legacy_for(instance, Options(10_000, "cut", attempts=1000))
    assert 16 <= found.draws < 1000


def test_quotas_that_cannot_be_met_are_told_as_everywhere() -> None:
    quotas = [{"feature": "a", "value": v, "min": 12 if v == "x" else 0, "max": 12} for v in "xyz"]
    for function in (klero.legacy_lottery, klero.random_lottery):
        with pytest.raises(InfeasibleError, match="12 of a: x are asked for, 10 in the pool"):
            function(PEOPLE, quotas, size=13)


def test_all_faults_of_the_options_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        klero.legacy_lottery(PEOPLE, QUOTAS, size=9, draws=0, trial_seed="", confidence=1.0)
    assert [fault.code for fault in caught.value.faults] == [
        "draws-invalid",
        "confidence-invalid",
        "seed-invalid",
    ]
    with pytest.raises(InputError, match="memory-invalid"):
        klero.random_lottery(PEOPLE, QUOTAS, size=9, memory_mb=0)
    with pytest.raises(InputError, match="surplus-unknown"):
        klero.legacy_lottery(PEOPLE, QUOTAS, size=9, surplus="none")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="person-unknown"):
        klero.legacy_lottery(PEOPLE, QUOTAS, size=9, draws=5).probability("nobody")


def test_a_baseline_says_that_it_has_no_certificate() -> None:
    result = klero.legacy_lottery(PEOPLE, QUOTAS, size=9, draws=50)
    assert result.certificate is None
    assert "no certificate" in repr(result)
    assert "with 99 % confidence" in result.guarantee
    assert result.algorithm == "klero-baseline/1"


def binomial_tail(draws: int, least: int, p: Fraction) -> Fraction:
    return sum((comb(draws, h) * p**h * (1 - p) ** (draws - h) for h in range(least, draws + 1)), Fraction(0))


def test_clopper_and_pearson_bounds_are_where_exact_binomial_tails_say() -> None:
    import numpy as np

    for draws in (1, 7, 40):
        hits = np.arange(draws + 1, dtype=float)
        low, high = clopper_pearson(hits, draws, 0.01)
        for h in range(draws + 1):
            if h:
                assert float(binomial_tail(draws, h, Fraction(low[h]))) == pytest.approx(0.005, rel=1e-4)
            else:
                assert low[h] == 0
            if h < draws:
                below = 1 - binomial_tail(draws, h + 1, Fraction(high[h]))
                assert float(below) == pytest.approx(0.005, rel=1e-4)
            else:
                assert high[h] == 1


def test_the_exact_interval_of_the_textbook() -> None:
    import numpy as np

    # 4 of 20 at 95 %: 5.73 % to 43.66 % (Clopper and Pearson's method in any table).
    low, high = clopper_pearson(np.array([4.0]), 20, 0.05)
    assert (round(float(low[0]), 4), round(float(high[0]), 4)) == (0.0573, 0.4366)


def test_hoeffdings_interval_holds_the_mean_and_is_wider_than_the_exact_one() -> None:
    import numpy as np

    means = np.array([0.0, 0.1, 0.5, 0.99, 1.0])
    low, high = hoeffding(means, 100, 0.01)
    exact_low, exact_high = clopper_pearson(means * 100, 100, 0.01)
    assert (low <= means).all()
    assert (means <= high).all()
    assert (low <= exact_low + 1e-8).all()
    assert (exact_high <= high + 1e-8).all()
    assert low[0] == 0
    assert high[4] == 1
    # At the bound, N times the relative entropy is ln(2/α).
    p = float(high[2])
    divergence = 0.5 * np.log(0.5 / p) + 0.5 * np.log(0.5 / (1 - p))
    assert 100 * divergence == pytest.approx(np.log(200), rel=1e-6)


def test_gini_and_geometric_mean_are_those_of_lotteries() -> None:
    from klero.sortition.lottery import lottery_for
    from klero.sortition.spread import geometric_mean, gini

    instance = tight_pool()
    lottery = lottery_for(instance)
    assert gini(lottery.type_probabilities, instance.counts) == pytest.approx(lottery.gini)
    mean = geometric_mean(lottery.type_probabilities, instance.counts)
    assert mean == pytest.approx(lottery.geometric_mean)
    assert all_panels(instance)
