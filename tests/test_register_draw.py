"""The register draw against its slow twin, against exact chances, and against itself in other orders, files and threads."""

from __future__ import annotations

import math
import random
from collections import Counter
from fractions import Fraction
from itertools import product
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import klero
import register_oracle as oracle
from klero import _native, _tables_batches
from klero.sortition.register import scan
from klero.sortition.register import spill as disk
from klero.sortition.register.stages import below, certain_ones, systematic
from register_cases import SCALE, assert_chances, chances, invited, people, table
from register_oracle import Row


@settings(max_examples=120, deadline=None)
@given(
    n=st.integers(1, 60),
    seed=st.integers(0, 2**32),
    strata=st.integers(0, 4),
    weighted=st.booleans(),
    houses=st.sampled_from([0, 0, 1, 5, 40]),
    data=st.data(),
)
def test_draw_is_that_of_the_slow_twin(
    n: int, seed: int, strata: int, weighted: bool, houses: int, data: st.DataObject
) -> None:
    rows = people(n, random.Random(seed), strata, weighted, houses)
    room = len({row.address for row in rows}) if houses else n
    size = data.draw(st.integers(1, room))
    drawn = invited(rows, size, weighted)
    twin = oracle.draw(rows, size, "t", dict(drawn.design), weighted or houses > 0)
    assert dict(zip(drawn.ids, drawn.probabilities, strict=True)) == twin
    assert len(drawn.ids) == size
    assert drawn.register_digest == oracle.digest(rows).hex()
    assert list(drawn.ids) == sorted(drawn.ids)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    weighted=st.booleans(),
    houses=st.sampled_from([0, 30]),
    threads=st.sampled_from([1, 2, 3]),
)
def test_order_files_and_threads_change_nothing(seed: int, weighted: bool, houses: int, threads: int) -> None:
    rng = random.Random(seed)
    rows = people(80, rng, 3, weighted, houses)
    drawn = invited(rows, 12, weighted, threads=1)
    rng.shuffle(rows)
    cut = rng.randrange(1, len(rows))
    parts = [table(rows[:cut], weighted), table(rows[cut:], weighted)]
    options = {"weight": "w"} if weighted else {}
    with patch.object(scan, "_FEW_ROWS", 0):  # a register as small as this has one thread otherwise
        again = klero.invite(
            parts,
            size=12,
            trial_seed="t",
            strata=["s0", "s1"],
            household=["a0", "a1"] if houses else [],
            threads=threads,
            **options,
        )
    assert again == drawn


@pytest.mark.parametrize("houses", [0, 2000])
def test_what_is_in_memory_and_what_is_on_disk_changes_nothing(houses: int) -> None:
    rows = people(3000, random.Random(5), 3, True, houses)
    drawn = invited(rows, 40, True)
    with patch.object(_tables_batches, "BATCH_ROWS", 500):
        for budget in (0, 70_000, 150_000, 300_000):
            with patch.object(disk, "MEMORY", budget):
                assert invited(rows, 40, True) == drawn


def test_two_people_of_one_address_are_never_drawn_together() -> None:
    for seed in range(30):
        rows = people(60, random.Random(seed), 2, True, 20)
        drawn = invited(rows, 15, True, text=str(seed))
        where = {row.id: row.address for row in rows}
        assert len({where[i] for i in drawn.ids}) == 15


@pytest.mark.parametrize("weighted", [False, True])
def test_shares_of_many_seeds_are_the_stated_chances(weighted: bool) -> None:
    rows = [Row(f"P{i}", (), (i + 1) * SCALE if weighted else 1) for i in range(9)]
    counts, drawn = chances(rows, 3, weighted, 300)
    total = sum(row.weight for row in rows)
    assert_chances(counts, {row.id: Fraction(3 * row.weight, total) for row in rows}, 300)
    assert drawn.table[0].factor == (Fraction(3 * SCALE, total) if weighted else Fraction(1, 3))


def test_a_weight_above_a_letters_share_is_certain_and_the_rest_in_proportion() -> None:
    rows = [Row(f"P{i}", (), w * SCALE) for i, w in enumerate([100, 40, 3, 2, 2, 1])]
    counts, drawn = chances(rows, 3, True, 250)
    assert drawn.table[0].certain == 2
    rest = {f"P{i}": Fraction(w, 8) for i, w in zip(range(2, 6), [3, 2, 2, 1], strict=True)}
    assert_chances(counts, {"P0": Fraction(1), "P1": Fraction(1), **rest}, 250)


def test_an_address_with_more_people_gives_each_the_same_chance() -> None:
    homes = [0, 0, 0, 1, 1, 2, 3, 4, 5]
    rows = [Row(f"P{i}", (), 1, (f"{home} street",)) for i, home in enumerate(homes)]
    counts, _ = chances(rows, 3, False, 300)
    assert_chances(counts, {row.id: Fraction(3, 9) for row in rows}, 300)


def test_inverse_chances_are_unbiased_weights_where_addresses_cross_strata() -> None:
    homes = [0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12]
    rows = [Row(f"P{i}", (f"s{i % 2}",), 1, (f"{home} street",)) for i, home in enumerate(homes)]
    estimates = []
    for i in range(200):
        drawn = invited(rows, 6, False, text=str(i))
        assert drawn.conditional
        # An estimate of the number of people in the first stratum, which is 9.
        pairs = zip(drawn.strata, drawn.probabilities, strict=True)
        estimates.append(float(sum(1 / p for label, p in pairs if label == ("s0",))))
    mean = sum(estimates) / len(estimates)
    spread = math.sqrt(sum((x - mean) ** 2 for x in estimates) / len(estimates) / (len(estimates) - 1))
    assert abs(mean - 9) < 4.5 * spread


def test_in_two_stages_everybody_has_the_stated_chance() -> None:
    sizes = {"big": 20, "a": 3, "b": 4, "c": 5}
    rows = [Row(f"{name}{i}", (name,), 1) for name, n in sizes.items() for i in range(n)]
    register = table(rows, False).rename_columns(["id", "commune"])
    counts: Counter[str] = Counter()
    for i in range(350):
        drawn = klero.invite(register, size=5, trial_seed=str(i), stages="commune:2")
        counts.update(drawn.ids)
        assert len(drawn.ids) == 5
    by_name = {row.label[0]: row for row in drawn.table}
    assert by_name["big"].chance == 1
    assert [by_name[c].chance for c in "abc"] == [Fraction(n, 12) for n in (3, 4, 5)]
    # 5 letters: 20/32 of them rounded to 3 for «big», 2 for the one of the others that is hit.
    expected = {row.id: Fraction(3, 20) if row.stratum == ("big",) else Fraction(2, 12) for row in rows}
    assert_chances(counts, expected, 350)
    for person, p in zip(drawn.ids, drawn.probabilities, strict=True):
        assert p == expected[person]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.data())
def test_systematic_draws_hit_each_in_proportion_over_all_starts(
    sizes: list[int], data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(sizes)))
    certain = certain_ones(sizes, count)
    rest = [s for i, s in enumerate(sizes) if i not in certain]
    m = count - len(certain)
    if not m:
        return
    hits: Counter[int] = Counter()
    for start in range(sum(rest)):
        hit = systematic(rest, m, start)
        assert len(hit) == m
        hits.update(hit)
    assert [hits[i] for i in range(len(rest))] == [m * s for s in rest]


def test_numbers_below_a_limit_are_spread_evenly() -> None:
    counts = Counter(below(bytes([i % 256, i // 256]) * 16, 7) for i in range(2100))
    assert set(counts) == set(range(7))
    assert max(counts.values()) < 300 + 5 * 17


def test_duels_over_all_numbers_give_each_exactly_its_share() -> None:
    """The two-person duel's rule, enumerated: every outcome of the number counted."""
    for total, a, b in product([7, 12], range(1, 7), range(1, 7)):
        both = a + b
        if both < total:
            first = sum(1 for x in range(both) if x < a)
            assert Fraction(first * both, both) == a
        else:
            limit = 2 * total - both
            first = sum(1 for x in range(limit) if x < total - b)
            rest = both - total
            mean = Fraction(first, limit) * total + (1 - Fraction(first, limit)) * rest
            assert mean == a


def test_excluded_people_are_never_drawn_and_the_others_share_their_chance() -> None:
    register = pa.table({"id": [f"P{i}" for i in range(20)]})
    out = [{"id": f" P{i}"} for i in range(15)] + [{"id": "nobody"}]
    drawn = klero.invite(register, size=5, trial_seed="t", exclude=out)
    assert drawn.ids == tuple(f"P{i}" for i in range(15, 20))
    assert (drawn.excluded, drawn.exclusions, drawn.table[0].people) == (15, 16, 5)
    assert set(drawn.probabilities) == {Fraction(1)}


def test_excluded_people_do_not_stand_for_their_address() -> None:
    register = pa.table({"id": ["a", "b", "c"], "a": ["1 x", "1 x", "2 x"]})
    drawn = klero.invite(register, size=2, trial_seed="t", household=["a"], exclude=[{"id": "a"}])
    assert drawn.ids == ("b", "c")


def test_a_whole_register_can_be_drawn() -> None:
    rows = people(25, random.Random(1), 2, True, 0)
    assert len(invited(rows, 25, True).ids) == 25
    assert len(invited([Row(r.id, r.stratum) for r in rows], 25, False).ids) == 25


def test_address_lines_are_those_of_the_slow_twin() -> None:
    for text in ["12bis, RUE de l’Église", "  A-3 ", "№ 5", "Straße 7a", "--", "ﬁn 1er étage", "12 ter"]:
        assert _native.register_address_line(text) == oracle.line(text)


def test_many_excluded_people_are_all_left_out() -> None:
    register = pa.table({"id": list(range(3000))})
    drawn = klero.invite(register, size=1000, trial_seed="t", exclude=[{"id": i} for i in range(2000)])
    assert sorted(map(int, drawn.ids)) == list(range(2000, 3000))


@pytest.mark.parametrize(
    ("options", "digest", "ids"),
    [
        ({}, "e713da95cbd2932b", ("P1", "P13", "P2", "P21", "P30", "P35")),
        ({"weight": "w"}, "da12210133a99a75", ("P10", "P20", "P25", "P27", "P3", "P35")),
        (
            {"weight": "w", "household": ["street"]},
            "0e5c5e87fafcb225",
            ("P1", "P24", "P31", "P35", "P38", "P9"),
        ),
    ],
)
def test_known_draws_stay_as_they_are(options: dict[str, object], digest: str, ids: tuple[str, ...]) -> None:
    """A change here is a new version of the algorithm, and a line under «Changes in results»."""
    register = pa.table(
        {
            "id": [f"P{i}" for i in range(40)],
            "area": [["north", "south", "été"][i % 3] for i in range(40)],
            "w": [1 + i % 4 for i in range(40)],
            "street": [f"{i // 2} bis, rue de l'Église" for i in range(40)],
        }
    )
    drawn = klero.invite(register, size=6, trial_seed="pinned", strata=["area"], **options)  # type: ignore[arg-type]
    assert drawn.register_digest.startswith(digest)
    assert drawn.ids == ids


@pytest.mark.parametrize("seed", range(3))
def test_people_without_address_are_drawn_as_by_the_slow_twin(seed: int) -> None:
    chance = random.Random(seed)
    kinds = ["SDF", "", "unknown", *(f"{i} rue X" for i in range(8))]
    rows = [(str(i), chance.choice(kinds)) for i in range(60)]
    table = pa.table({"id": [i for i, _ in rows], "a": [a for _, a in rows]})
    drawn = klero.invite(table, size=5, trial_seed="t", household=["a"])
    twins = [Row(i, (), 1, (a,)) for i, a in rows]
    assert drawn.register_digest == oracle.digest(twins).hex()
