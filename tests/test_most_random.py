"""The most random lottery: same probabilities to the last ball, more entropy, and a bound that holds."""

from __future__ import annotations

from fractions import Fraction
from math import comb, log2

import pytest
from hypothesis import given, settings

import klero
from baseline_oracle import largest_entropy
from klero.errors import InputError
from klero.ledger.bundle import bundle_files
from klero.ledger.verify import verify_files
from klero.sortition.instance import Instance, build_instance
from klero.sortition.lottery import lottery_for
from klero.sortition.most_random import entropy_bits, entropy_bound, most_random
from klero.sortition.pool import Pool
from klero.sortition.quotas import Quotas
from klero.sortition.rules import Rules
from oracle import all_panels, keeps_quotas, random_instances, small_instance
from strategies import instances


def dense(instance: Instance, seats: tuple[tuple[int, int], ...]) -> list[int]:
    panel = [0] * len(instance.types)
    for t, s in seats:
        panel[t] = s
    return panel


@settings(max_examples=40, deadline=None)
@given(instances(feasible=True))
def test_probabilities_stay_to_the_last_ball_and_every_panel_keeps_the_quotas(instance: Instance) -> None:
    lottery = lottery_for(instance, denominator=1000)
    found = most_random(lottery, panels=200)
    assert found.lottery.type_probabilities == lottery.type_probabilities
    assert found.lottery.certificate == lottery.certificate
    assert sum(balls for balls, _ in found.lottery.panels) == 1000
    assert list(found.lottery.panels) == sorted(found.lottery.panels, key=lambda entry: entry[1])
    for _, seats in found.lottery.panels:
        panel = dense(instance, seats)
        assert sum(panel) == instance.size
        assert keeps_quotas(instance, panel)
        assert all(s <= n for s, n in zip(panel, instance.counts, strict=True))
    assert found.before_bits <= found.entropy_bits <= found.bound.bits


def test_the_bound_is_the_largest_entropy_where_all_features_are_counted() -> None:
    seen = 0
    for instance in random_instances(21, 40):
        if not 2 <= len(all_panels(instance)) <= 40:
            continue
        lottery = lottery_for(instance)
        bound = entropy_bound(instance, lottery.type_probabilities)
        best = largest_entropy(instance, lottery.type_probabilities)
        assert bound.complete
        assert bound.bits >= best - 1e-4
        if bound.misfit < 1e-6:
            assert bound.bits == pytest.approx(best, abs=1e-2)
            seen += 1
    assert seen > 5


def test_a_small_pools_lottery_comes_near_the_largest_entropy() -> None:
    # Two seats, four people of four types, no quotas: each pair equally likely has log2 6 bits, two pairs alone one bit.
    people = [(0, 0), (0, 1), (1, 0), (1, 1)]
    instance = small_instance(2, people, [(0, 0), (0, 0)], [(2, 2), (2, 2)])
    lottery = lottery_for(instance)
    found = most_random(lottery)
    assert found.bound.bits == pytest.approx(log2(6), abs=1e-5)
    assert found.entropy_bits == pytest.approx(log2(6), abs=2e-3)
    assert len(found.lottery.panels) == 6
    assert found.gap_bits < 2e-3


def test_without_all_features_the_bound_is_larger_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import klero.sortition.most_random as module

    pools = [one for one in random_instances(22, 60) if len(all_panels(one)) > 3 and len(one.features) > 2]
    instance = pools[0]
    p = lottery_for(instance).type_probabilities
    whole = entropy_bound(instance, p)
    monkeypatch.setattr(module, "_MOST_WORK", 60)
    less = entropy_bound(instance, p)
    assert not less.complete
    assert less.bits >= whole.bits - 1e-6
    monkeypatch.setattr(module, "_MOST_WORK", 0)
    alone = entropy_bound(instance, p)
    assert alone.features == ()
    assert alone.bits >= whole.bits - 1e-6


def test_entropy_counts_the_ways_to_choose_people_within_types() -> None:
    instance = small_instance(2, [(0,)] * 4 + [(1,)] * 3, [(1, 1)], [(1, 1)])
    lottery = lottery_for(instance)
    assert len(lottery.panels) == 1
    assert entropy_bits(lottery) == pytest.approx(log2(4 * 3))


def test_the_rearranged_lottery_makes_a_bundle_that_verifies() -> None:
    people = [{"id": f"P{i}", "a": "xyz"[i % 3], "b": "uv"[i * 7 % 5 % 2]} for i in range(30)]
    quotas = [
        *({"feature": "a", "value": v, "min": 2, "max": 4} for v in "xyz"),
        *({"feature": "b", "value": v, "min": 3, "max": 6} for v in "uv"),
    ]
    found = most_random(klero.fair_lottery(people, quotas, size=9))
    verify_files(bundle_files(found.lottery)).raise_if_failed()


def test_weights_and_households_are_kept() -> None:
    people = [
        {"id": f"P{i:02}", "g": "wm"[i % 2], "home": str(i // 2) if i < 8 else "", "w": str(1 + i % 3)}
        for i in range(16)
    ]
    quotas = [{"feature": "g", "value": v, "min": 1, "max": 4} for v in "wm"]
    rules = Rules(weight="w", household=("home",), must_sit=("P15",))
    instance = build_instance(Pool.read(people), Quotas.read(quotas), 5, rules)
    lottery = lottery_for(instance)
    found = most_random(lottery)
    assert found.lottery.type_probabilities == lottery.type_probabilities
    assert found.entropy_bits >= found.before_bits
    verify_files(bundle_files(found.lottery)).raise_if_failed()


def test_the_same_text_gives_the_same_lottery_and_another_text_another() -> None:
    instance = small_instance(
        4, [(i % 2, i % 3) for i in range(12)], [(1, 1), (1, 1, 1)], [(3, 3), (2, 2, 2)]
    )
    lottery = lottery_for(instance)
    one, same, other = (most_random(lottery, trial_seed=text, panels=50) for text in ("a", "a", "b"))
    assert one == same
    assert one.lottery.panels != other.lottery.panels
    assert one.lottery.type_probabilities == other.lottery.type_probabilities


def test_options_that_cannot_be_used_are_told() -> None:
    lottery = lottery_for(small_instance(1, [(0,), (1,)], [(0, 0)], [(1, 1)]))
    with pytest.raises(InputError, match="panels-invalid"):
        most_random(lottery, panels=1)
    with pytest.raises(InputError, match="seed-invalid"):
        most_random(lottery, trial_seed="")


def test_a_lottery_that_leaves_nothing_to_chance_has_no_entropy() -> None:
    lottery = lottery_for(small_instance(2, [(0,), (1,)], [(1, 1)], [(1, 1)]))
    found = most_random(lottery)
    assert found.entropy_bits == found.bound.bits == 0
    assert lottery.type_probabilities == (Fraction(1), Fraction(1))
    assert comb(2, 2) == 1
