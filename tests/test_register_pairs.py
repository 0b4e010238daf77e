"""With weights or addresses: who can be drawn together? Everybody who can sit on the same list at all."""

from __future__ import annotations

import math
import random
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import combinations, permutations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

import klero
from register_cases import SCALE, invited
from register_oracle import Row

Chances = dict[frozenset[int], Fraction]


def outcomes(order: tuple[int, ...], held: list[int], total: int) -> Chances:
    """Who is drawn when the units duel in this order, with the exact chance of each outcome: every branch is followed."""
    states: dict[tuple[int | None, int, frozenset[int]], Fraction] = {(None, 0, frozenset()): Fraction(1)}
    for unit in order:
        after: dict[tuple[int | None, int, frozenset[int]], Fraction] = defaultdict(Fraction)
        for (stands, has, drawn), p in states.items():
            both = has + held[unit]
            if stands is None:
                after[unit, both, drawn] += p
            elif both < total:
                first = Fraction(has, both)
                after[stands, both, drawn] += p * first
                after[unit, both, drawn] += p * (1 - first)
            else:
                first = Fraction(total - held[unit], 2 * total - both)
                for q, out, stays in ((first, stands, unit), (1 - first, unit, stands)):
                    rest = both - total
                    after[stays if rest else None, rest, drawn | {out}] += p * q
        states = {state: p for state, p in after.items() if p}
    ends: Chances = defaultdict(Fraction)
    for (_, rest, drawn), p in states.items():
        assert rest == 0
        ends[drawn] += p
    return ends


def joint(weights: list[int], letters: int) -> tuple[list[Fraction], dict[tuple[int, int], Fraction]]:
    """Chances of each unit and of each pair over all orders, exactly."""
    total, held = sum(weights), [letters * w for w in weights]
    orders = list(permutations(range(len(weights))))
    one, two = [Fraction(0)] * len(weights), dict.fromkeys(combinations(range(len(weights)), 2), Fraction(0))
    for order in orders:
        for drawn, p in outcomes(order, held, total).items():
            assert len(drawn) == letters
            for i in drawn:
                one[i] += p / len(orders)
            for pair in combinations(sorted(drawn), 2):
                two[pair] += p / len(orders)
    return one, two


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=3, max_size=5), st.data())
def test_every_pair_has_a_chance_and_each_unit_its_own_over_all_orders(
    weights: list[int], data: st.DataObject
) -> None:
    letters = data.draw(st.integers(2, len(weights) - 1))
    total = sum(weights)
    if any(letters * w >= total for w in weights):  # drawn before the duels
        return
    one, two = joint(weights, letters)
    assert one == [Fraction(letters * w, total) for w in weights]
    assert min(two.values()) > 0


def test_units_of_equal_weights_are_a_simple_random_sample_over_all_orders() -> None:
    _, two = joint([1] * 5, 3)
    assert set(two.values()) == {Fraction(3 * 2, 5 * 4)}


def test_in_one_order_some_pairs_have_no_chance() -> None:
    """Why the order must be another one for each seed."""
    drawn = outcomes((0, 1, 2, 3, 4), [2 * w for w in [1, 2, 3, 4, 5]], 15)
    together = {pair for outcome in drawn for pair in combinations(sorted(outcome), 2)}
    assert (0, 1) not in together


def test_pairs_are_drawn_together_as_often_as_their_exact_chance_says() -> None:
    weights, letters, draws = [1, 2, 2, 3, 4], 2, 500
    rows = [Row(f"P{i}", (), w * SCALE) for i, w in enumerate(weights)]
    _, two = joint(weights, letters)
    assert min(two.values()) > Fraction(1, 60)  # so that 500 draws show each
    counts: Counter[tuple[int, int]] = Counter()
    for i in range(draws):
        first, second = sorted(int(person[1:]) for person in invited(rows, letters, True, f"{i}").ids)
        counts[first, second] += 1
    for pair, p in two.items():
        spread = math.sqrt(draws * float(p) * (1 - float(p)))
        assert counts[pair] > 0, pair
        assert abs(counts[pair] - draws * float(p)) < 4.5 * spread, pair


def test_any_two_addresses_may_be_drawn_together_and_two_of_one_never() -> None:
    homes = [0, 0, 0, 1, 1, 2, 3]
    people = pa.table({"id": [f"P{i}" for i in range(7)], "a": [f"{home} street" for home in homes]})
    seen: set[tuple[int, int]] = set()
    for i in range(200):
        drawn = klero.invite(people, size=2, household=["a"], trial_seed=f"{i}").ids
        first, second = sorted(int(person[1:]) for person in drawn)
        seen.add((first, second))
    assert seen == {pair for pair in combinations(range(7), 2) if homes[pair[0]] != homes[pair[1]]}


def test_pairs_of_a_larger_register_meet_whatever_their_ids_hash_to() -> None:
    """200 people, 20 letters: of the pairs among the ten first, each is seen in 1 of 100 draws or so."""
    register = pa.table(
        {"id": list(range(200)), "w": [1 + random.Random(i).randrange(2) for i in range(200)]}
    )
    seen: set[tuple[str, str]] = set()
    for i in range(1000):
        drawn = klero.invite(register, size=20, weight="w", trial_seed=f"{i}").ids
        seen |= set(combinations(sorted(person for person in drawn if int(person) < 10), 2))
    assert len(seen) == 45
