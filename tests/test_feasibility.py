"""Panels, clashes and repairs against brute force on small pools."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings

from klero.errors import InfeasibleError, InternalError
from klero.sortition import feasibility
from klero.sortition.conflicts import find_conflict, smallest_conflict, why_never
from klero.sortition.feasibility import Bound, feasible_panel
from klero.sortition.infeasible import explain_infeasible
from klero.sortition.instance import Instance
from klero.sortition.repairs import Repair, smallest_repair, smallest_repairs
from oracle import all_panels, random_instances, small_instance, truth
from strategies import instances


def any_panels(instance: Instance) -> tuple[tuple[int, ...], ...]:
    """Every panel of the right size, whatever its quotas."""
    free = tuple(tuple(0 for _ in row) for row in instance.minima)
    full = tuple(tuple(instance.size for _ in row) for row in instance.maxima)
    return all_panels(replace(instance, minima=free, maxima=full))


def seats_by_cell(instance: Instance, panel: tuple[int, ...]) -> list[int]:
    return [
        sum(x for t, x in enumerate(panel) if c in instance.type_cells(t)) for c in range(len(instance.cells))
    ]


def broken_bounds(instance: Instance, panel: tuple[int, ...]) -> frozenset[Bound]:
    broken = set()
    for c, seats in enumerate(seats_by_cell(instance, panel)):
        lowest, highest = instance.cell_bounds[c]
        broken |= {Bound(c, "min", lowest)} if seats < lowest else set()
        broken |= {Bound(c, "max", highest)} if seats > highest else set()
    return frozenset(broken)


def fewest_that_hit(sets: set[frozenset[Bound]]) -> int:
    """How many bounds it takes at least so that every panel breaks one of them."""
    items = sorted(frozenset().union(*sets))
    for count in range(len(items) + 1):
        if any(all(one & set(chosen) for one in sets) for chosen in combinations(items, count)):
            return count
    raise AssertionError("some panel breaks nothing")


def infeasible_instances(seed: int, how_many: int) -> list[Instance]:
    return [i for i in random_instances(seed, how_many) if not all_panels(i)]


@pytest.fixture(params=["few types", "many types"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to a panel: the search among all types, and the one that the linear relaxation guides."""
    if request.param == "many types":
        monkeypatch.setattr(feasibility, "_MANY_TYPES", 0)
        monkeypatch.setattr(feasibility, "_WIDTHS", (1, 2))


@pytest.mark.usefixtures("either_way")
def test_a_panel_is_found_exactly_where_one_exists() -> None:
    for instance in random_instances(11, 200):
        panels = all_panels(instance)
        found = feasible_panel(instance)
        assert found in panels if panels else found is None


@settings(max_examples=50, deadline=None)
@given(instances(feasible=True))
def test_quotas_taken_from_a_panel_can_be_met(instance: Instance) -> None:
    assert feasible_panel(instance) in all_panels(instance)
    assert smallest_conflict(instance) == ()


@pytest.mark.usefixtures("either_way")
@pytest.mark.parametrize("largest", [10, 2**45])
def test_no_panel_has_more_of_the_objective(largest: int) -> None:
    draw = random.Random(1)
    for instance in random_instances(12, 60):
        panels = all_panels(instance)
        weights = [draw.randint(-largest, largest) for _ in instance.types]
        found = feasible_panel(instance, objective=weights)
        if panels:
            assert found is not None
            best = max(sum(w * x for w, x in zip(weights, panel, strict=True)) for panel in panels)
            assert sum(w * x for w, x in zip(weights, found, strict=True)) == best


def test_a_weight_that_is_not_exact_as_a_double_is_refused() -> None:
    instance = small_instance(1, [(0,), (1,)], [(0, 0)], [(1, 1)])
    with pytest.raises(InternalError, match="too large"):
        feasible_panel(instance, objective=[2**60 + 1, 2**60])


@pytest.mark.usefixtures("either_way")
def test_a_type_can_be_seated_exactly_where_a_panel_holds_it() -> None:
    for instance in random_instances(13, 60):
        panels = all_panels(instance)
        for t in range(len(instance.types)):
            found = feasible_panel(instance, must_seat=t)
            with_type = [panel for panel in panels if panel[t]]
            assert found in with_type if with_type else found is None


@pytest.mark.usefixtures("either_way")
def test_a_type_that_must_sit_and_may_not_is_proof_enough() -> None:
    instance = small_instance(1, [(0,), (1,)], [(0, 0)], [(1, 1)])
    assert feasible_panel(instance, must_seat=0, type_bounds=[(0, 0), (0, 1)]) is None


@pytest.mark.usefixtures("either_way")
def test_bounds_on_types_and_cells_hold() -> None:
    draw = random.Random(2)
    for instance in random_instances(14, 60):
        types = []
        for n in instance.counts:
            lowest = draw.choice((0, 0, 0, 1))
            types.append((lowest, draw.randint(lowest, n)))
        cells = [(lowest, highest + draw.randint(0, 2)) for lowest, highest in instance.cell_bounds]
        wider = [
            panel
            for panel in any_panels(instance)
            if all(a <= s <= b for s, (a, b) in zip(seats_by_cell(instance, panel), cells, strict=True))
            and all(a <= x <= b for x, (a, b) in zip(panel, types, strict=True))
        ]
        found = feasible_panel(instance, cell_bounds=cells, type_bounds=types)
        assert found in wider if wider else found is None


def test_a_search_that_the_relaxation_guides_finds_as_good_a_panel_and_the_same_dead_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = random.Random(5)
    outcomes = set()
    for case in range(12):
        people = [
            (draw.randrange(3), draw.randrange(4), draw.randrange(5), draw.randrange(4)) for _ in range(240)
        ]
        panel = draw.sample(people, 25)
        sums = [[sum(p[f] == v for p in panel) for v in range(count)] for f, count in enumerate((3, 4, 5, 4))]
        # Quotas that leave hardly any room, a few of them moved by a seat: about half can't be met.
        sums[0][0] += case % 2
        shut = {(draw.randrange(3), draw.randrange(4)) for _ in range(6)}
        instance = small_instance(25, people, list(map(tuple, sums)), list(map(tuple, sums)))
        types = [(0, 0 if k[:2] in shut else n) for k, n in zip(instance.types, instance.counts, strict=True)]
        weights = [draw.choice((0, draw.randint(-1000, 1000))) for _ in types]
        found = []
        for many in (10**6, 0):
            monkeypatch.setattr(feasibility, "_MANY_TYPES", many)
            found.append(feasible_panel(instance, objective=weights, type_bounds=types))
        slow, fast = found
        outcomes.add(slow is None)
        assert (slow is None) == (fast is None)
        if slow and fast:
            values = [sum(w * x for w, x in zip(weights, p, strict=True)) for p in (slow, fast)]
            assert values[0] == values[1]
    assert outcomes == {True, False}


def test_no_fewer_bounds_clash_than_the_smallest_clash() -> None:
    cases = infeasible_instances(15, 300)
    assert len(cases) >= 30
    for instance in cases:
        broken = {broken_bounds(instance, panel) for panel in any_panels(instance)}
        conflict = smallest_conflict(instance)
        assert all(one & set(conflict) for one in broken), "some panel keeps all of the clash"
        assert len(conflict) == fewest_that_hit(broken)


def test_quotas_that_can_be_met_do_not_clash() -> None:
    for instance in random_instances(16, 60):
        if all_panels(instance):
            assert smallest_conflict(instance) == ()


@settings(max_examples=50, deadline=None)
@given(instances())
def test_a_clash_is_what_makes_quotas_impossible(instance: Instance) -> None:
    assert bool(smallest_conflict(instance)) == (not all_panels(instance))


def test_no_fewer_bounds_keep_somebody_out_than_those_named() -> None:
    checked = 0
    for instance in random_instances(17, 100):
        found = truth(instance)
        for t in found.never if found else ():
            broken = {broken_bounds(instance, panel) for panel in any_panels(instance) if panel[t]}
            reasons = why_never(instance, t)
            assert all(one & set(reasons) for one in broken)
            assert len(reasons) == fewest_that_hit(broken)
            checked += 1
    assert checked >= 30


def test_there_is_no_reason_to_be_kept_out_for_whoever_can_sit() -> None:
    instance = small_instance(2, [(0, 0), (0, 1), (1, 0)], [(1, 1), (1, 1)], [(1, 1), (1, 1)])
    assert why_never(instance, 1) == ()
    assert why_never(instance, 2) == ()


def loosening(instance: Instance, panel: tuple[int, ...], *, within_flex: bool) -> tuple[int, int] | None:
    """The sum of all loosening that this panel needs, and the number of bounds; None if beyond the flex."""
    amounts = []
    seats = seats_by_cell(instance, panel)
    for bound in broken_bounds(instance, panel):
        f, v = instance.cells[bound.cell]
        limit = (instance.flex_minima if bound.side == "min" else instance.flex_maxima)[f][v]
        here = seats[bound.cell]
        if within_flex and limit is not None and (here < limit if bound.side == "min" else here > limit):
            return None
        amounts.append(abs(here - bound.value))
    return sum(amounts), len(amounts)


def with_flex(instance: Instance, draw: random.Random) -> Instance:
    """The instance with some flex given, often too little."""
    return replace(
        instance,
        flex_minima=tuple(
            tuple(draw.choice((None, max(0, m - 1), m)) for m in row) for row in instance.minima
        ),
        flex_maxima=tuple(tuple(draw.choice((None, m + 1, m)) for m in row) for row in instance.maxima),
    )


def apply(instance: Instance, repair: Repair) -> Instance:
    minima = [list(row) for row in instance.minima]
    maxima = [list(row) for row in instance.maxima]
    for change in repair.changes:
        f, v = instance.cells[change.bound.cell]
        side = minima if change.bound.side == "min" else maxima
        assert side[f][v] == change.bound.value
        side[f][v] = change.value
    return replace(instance, minima=tuple(map(tuple, minima)), maxima=tuple(map(tuple, maxima)))


@pytest.mark.parametrize("flexible", [False, True])
def test_no_repair_is_smaller(flexible: bool) -> None:
    draw = random.Random(3)
    kinds = set()
    for plain in infeasible_instances(18, 300):
        instance = with_flex(plain, draw) if flexible else plain
        needs = [loosening(instance, panel, within_flex=True) for panel in any_panels(instance)]
        possible = [need for need in needs if need is not None]
        repair = smallest_repair(instance)
        kinds.add(repair.feasible_within_flex)
        assert repair.feasible_within_flex == bool(possible)
        if not possible:
            free = [loosening(instance, panel, within_flex=False) for panel in any_panels(instance)]
            possible = [need for need in free if need is not None]
        assert (repair.total, len(repair.changes)) == min(possible)
        assert repair.total == sum(abs(c.value - c.bound.value) for c in repair.changes)
        assert feasible_panel(apply(instance, repair)) is not None
    assert kinds == ({True, False} if flexible else {True})


def with_importance(instance: Instance, draw: random.Random) -> Instance:
    """The instance with an importance for each quota, some of them fractions."""
    choices = (Fraction(1), Fraction(1), Fraction(5), Fraction(3, 2), Fraction(1, 8))
    return replace(
        instance, importance=tuple(tuple(draw.choice(choices) for _ in row) for row in instance.minima)
    )


def test_no_repair_costs_less_by_importance_and_the_next_ones_come_in_order() -> None:
    draw = random.Random(4)
    several = 0
    for plain in infeasible_instances(20, 300):
        instance = with_importance(plain, draw)
        # The cheapest (cost, number) for each set of bounds that some panel breaks.
        cheapest: dict[frozenset[Bound], tuple[Fraction, int]] = {}
        for panel in any_panels(instance):
            seats = seats_by_cell(instance, panel)
            broken = broken_bounds(instance, panel)
            flat = [w for row in instance.importance for w in row]
            cost = sum((flat[b.cell] * abs(seats[b.cell] - b.value) for b in broken), Fraction(0))
            cheapest[broken] = min(cheapest.get(broken, (cost, len(broken))), (cost, len(broken)))
        repairs = smallest_repairs(instance, 3)
        found: list[frozenset[Bound]] = []
        for repair in repairs:
            left = {s: need for s, need in cheapest.items() if not any(s >= one for one in found)}
            assert (repair.cost, len(repair.changes)) == min(left.values())
            assert feasible_panel(apply(instance, repair)) is not None
            found.append(frozenset(c.bound for c in repair.changes))
        left = {s for s in cheapest if not any(s >= one for one in found)}
        assert len(repairs) == 3 or not left
        several += len(repairs) > 1
    assert several >= 20


def test_where_the_smallest_clash_is_not_sought_to_the_end_each_line_of_it_is_needed() -> None:
    checked = 0
    for instance in infeasible_instances(21, 200):
        conflict = find_conflict(instance, enough=0)
        broken = {broken_bounds(instance, panel) for panel in any_panels(instance)}
        assert not conflict.smallest or len(conflict.bounds) == 1
        assert all(one & set(conflict.bounds) for one in broken)
        for left_out in conflict.bounds:
            assert any(not one & (set(conflict.bounds) - {left_out}) for one in broken)
        checked += len(conflict.bounds) > 1
    assert checked >= 10


def test_the_error_offers_other_ways_out_with_what_they_cost() -> None:
    people = [(0, 1), (0, 1), (1, 0), (1, 0), (1, 1)]
    instance = small_instance(3, people, [(2, 0), (2, 0)], [(3, 3), (3, 3)])
    dear = replace(instance, importance=((Fraction(3), Fraction(1)), (Fraction(1), Fraction(1))))
    assert explain_infeasible(dear, "quotas", 3).repairs == (
        "Smallest change that works: lower the minimum of f1: v0 to 1.",
        "Or (1 seat moved, 3 by importance): lower the minimum of f0: v0 to 1.",
    )


def test_quotas_that_can_be_met_need_no_repair() -> None:
    instance = small_instance(1, [(0,), (1,)], [(0, 0)], [(1, 1)])
    assert smallest_repair(instance) == Repair((), 0, feasible_within_flex=True)


def test_the_same_question_has_the_same_answer() -> None:
    for instance in infeasible_instances(19, 60):
        assert smallest_conflict(instance) == smallest_conflict(instance)
        assert smallest_repair(instance) == smallest_repair(instance)


def women(minimum: int) -> Instance:
    """20 people for 5 seats, 3 of them women."""
    instance = small_instance(5, [(0,)] * 17 + [(1,)] * 3, [(0, minimum)], [(5, 5)])
    return replace(instance, features=("gender",), values=(("man", "woman"),))


def test_the_error_says_how_many_are_asked_for_and_how_many_there_are() -> None:
    error = explain_infeasible(women(4), "quotas.csv")
    assert isinstance(error, InfeasibleError)
    assert error.conflict == ("4 of gender: woman are asked for, 3 in the pool (quotas.csv).",)
    assert error.repairs == ("Smallest change that works: lower that minimum to 3.",)


def test_the_error_says_when_the_flex_is_not_enough() -> None:
    instance = replace(women(5), flex_minima=((None, 4),))
    (repair,) = explain_infeasible(instance, "quotas.csv").repairs
    assert repair == (
        "No change within min_flex and max_flex is enough. "
        "Smallest change beyond them: lower that minimum to 3."
    )


def test_the_error_names_all_bounds_that_clash() -> None:
    # Nobody is of both first values, so two seats for each need four.
    people = [(0, 1), (0, 1), (1, 0), (1, 0), (1, 1)]
    error = explain_infeasible(small_instance(3, people, [(2, 0), (2, 0)], [(3, 3), (3, 3)]), "quotas")
    assert error.conflict == (
        "No panel of 3 keeps all of this (quotas), though it keeps any part of it:",
        "- at least 2 of f0: v0, of whom the pool holds 2",
        "- at least 2 of f1: v0, of whom the pool holds 2",
    )
    assert error.repairs == ("Smallest change that works: lower the minimum of f0: v0 to 1.",)


def test_the_error_says_when_a_maximum_leaves_seats_that_nobody_else_can_take() -> None:
    instance = small_instance(3, [(0,), (0,), (0,), (1,)], [(0, 0)], [(1, 3)])
    error = explain_infeasible(instance, "quotas")
    assert error.conflict == (
        "3 seats are to be filled, at most 1 of f0: v0 may sit, and the pool holds 1 others (quotas).",
    )
    assert error.repairs == ("Smallest change that works: raise that maximum to 2.",)


def test_too_few_people_are_no_fault_of_the_quotas() -> None:
    instance = small_instance(3, [(0,), (1,)], [(0, 0)], [(3, 3)])
    assert smallest_conflict(instance) == ()
    with pytest.raises(InfeasibleError, match="3 seats, the pool holds 2 people"):
        smallest_repair(instance)
    assert explain_infeasible(instance, "quotas").conflict
    french = explain_infeasible(instance, "quotas", lang="fr")
    assert french.conflict == ("Le panel a 3 sièges, et il y a 2 volontaires.",)
    assert french.message.startswith("Les quotas ne peuvent pas tous être respectés.\n")


def test_looking_for_a_panel_does_not_bring_pandas() -> None:
    program = (
        "import sys; from klero.sortition import feasibility as f;"
        "f.Solver().solve(); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
