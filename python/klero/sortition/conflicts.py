"""Which quotas can't be met together? The shortest list that nobody can argue with.

Method. Implicit hitting sets (Ignatiev et al., «Smallest MUS extraction with minimal hitting set dualization», CP
2015). A panel that breaks some quotas shows that every clash has one of them. The smallest set of quotas that has one
from each panel seen so far is tried; if a panel keeps it, the quotas which that panel breaks are noted, and so on.
The linear relaxation proposes which quotas to break, as few as it can; an integer programme then finds the panel. A
clash found at the start, by leaving out one quota after the other, says how small the answer is at most: the search
ends as soon as fewer are shown to be too few.

Guarantee. No panel keeps all of a clash, and one keeps any part of it: both are decided by CP-SAT on integers.
`Conflict.smallest` says whether, as well, no clash has fewer quotas. That question can need a great many panels, so
the search ends after a number of them (not of seconds: the same answer on any machine). For an organiser an
irreducible clash is worth as much: each line of it is needed.

Importance plays no part here: a clash is a fact about the pool. What to do about it is for `repairs.py`. The rules
(households, people who must sit) hold throughout and are not listed.

Cost: a few dozen linear programmes and panels. One thread, no randomness.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from klero.errors import InternalError
from klero.sortition.feasibility import (
    REPORT,
    Bound,
    Solver,
    bounds_with,
    cell_people,
    loosenable_bounds,
    members_of,
    some_panel,
)
from klero.sortition.solver import solve

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

# Panels after which an irreducible clash will do.
_ENOUGH = 40
_BROKEN = 1e-7
# Up to so many types a linear programme takes less time than a keystroke.
_SMALL = 3000


@dataclass(frozen=True)
class Conflict:
    """Quotas that no panel keeps together, though one keeps any part of them.

    Attributes:
        bounds: the quotas, by cell; empty if there is no clash.
        smallest: whether it is shown that no clash has fewer.
    """

    bounds: tuple[Bound, ...]
    smallest: bool


def find_conflict(instance: Instance, must_seat: int | None = None, enough: int | None = _ENOUGH) -> Conflict:
    """A smallest clash, or an irreducible one if that is not settled after `enough` panels.

    It is empty if a panel exists, and if no quota is to blame: the pool holds fewer people than there are seats, or
    the rules alone leave no panel.

    Args:
        instance: people and quotas.
        must_seat: a type whose being kept out is to be explained.
        enough: number of panels to look at; None for no limit.
    """
    bounds = loosenable_bounds(instance)
    if (
        sum(instance.counts) < instance.size
        or some_panel(instance, bounds_with(instance, ()), must_seat) is None
    ):
        return Conflict((), smallest=True)
    if some_panel(instance, bounds_with(instance, bounds), must_seat) is not None:
        return Conflict((), smallest=True)
    hopeless = _out_of_reach(instance, bounds)
    if hopeless is not None:
        return Conflict((hopeless,), smallest=True)
    search = _Search(instance, must_seat, bounds)
    known = search.irreducible()
    while enough is None or len(search.seen) < enough:
        candidate = _smallest_hitting_set(len(bounds), search.seen)
        if len(candidate) == len(known):
            return Conflict(tuple(bounds[i] for i in known), smallest=True)
        # Panels that keep the candidate and all bounds broken in this round: each gives a reason apart.
        held = set(candidate)
        while (broken := search.broken(held)) is not None:
            search.seen.append(broken)
            held |= broken
        if held == set(candidate):
            return Conflict(tuple(bounds[i] for i in candidate), smallest=True)
    return Conflict(tuple(bounds[i] for i in known), smallest=False)


def smallest_conflict(instance: Instance) -> tuple[Bound, ...]:
    """A smallest set of bounds that no panel of the right size keeps together; empty if a panel exists.

    It takes as long as it takes; `find_conflict` sets a limit. Empty also where no quota is to blame (see there).
    """
    return find_conflict(instance, enough=None).bounds


def why_never(instance: Instance, type_index: int) -> tuple[Bound, ...]:
    """A small set of bounds that together keep a type out of every panel; empty if its people can sit.

    None of it can be left out; it is a smallest one unless that would take too long to show (see `find_conflict`).
    """
    return find_conflict(instance, type_index).bounds


def _out_of_reach(instance: Instance, bounds: list[Bound]) -> Bound | None:
    """The first bound that the number of people forbids by itself."""
    people = cell_people(instance)
    everybody = sum(instance.counts)
    for b in bounds:
        if b.side == "min" and b.value > people[b.cell]:
            return b
        if b.side == "max" and b.value + everybody - people[b.cell] < instance.size:
            return b
    return None


class _Search:
    """Panels that break few quotas, guided by a linear programme in which any quota may be broken."""

    def __init__(self, instance: Instance, must_seat: int | None, bounds: list[Bound]) -> None:
        self.seen: list[frozenset[int]] = []
        self._instance = instance
        self._must_seat = must_seat
        self._bounds = bounds
        self._elastic = _Elastic(instance, must_seat, bounds)
        self._members = members_of(instance)

    def irreducible(self) -> tuple[int, ...]:
        """A clash of which no part is one: quotas are left out, the last first, as long as no panel appears."""
        kept = list(range(len(self._bounds)))
        if self._elastic.broken(kept) is None:
            # Half of them at a time, then a quarter, …: few are needed in the end.
            size = len(kept) // 2
            while size:
                for start in reversed(range(0, len(kept), size)):
                    fewer = kept[:start] + kept[start + size :]
                    if self._elastic.broken(fewer) is None:
                        kept = fewer
                size //= 2
        # What the floats say is only where to begin.
        if self._panel(kept) is not None:
            kept = list(range(len(self._bounds)))
        for i in reversed(kept):
            fewer = [j for j in kept if j != i]
            if self._panel(fewer) is None:
                kept = fewer
        return tuple(kept)

    def broken(self, held: set[int]) -> frozenset[int] | None:
        """The bounds, few if that is soon seen, that some panel breaks while it keeps those held; None if none does."""
        everything = range(len(self._bounds))
        let_go = self._elastic.fewest_broken(held)
        panel = None
        if let_go is not None:
            panel = self._panel(i for i in everything if i not in let_go)
        if panel is None:
            panel = self._panel(held)
        if panel is None:
            return None
        sums = [sum(panel[t] for t in members) for members in self._members]
        return frozenset(
            i
            for i, b in enumerate(self._bounds)
            if (sums[b.cell] < b.value if b.side == "min" else sums[b.cell] > b.value)
        )

    def _panel(self, kept: Iterable[int]) -> tuple[int, ...] | None:
        bounds = bounds_with(self._instance, (self._bounds[i] for i in kept))
        return some_panel(self._instance, bounds, self._must_seat)


class _Elastic:
    """The linear relaxation in which each quota may be broken: the sum of what is missing is minimised."""

    def __init__(self, instance: Instance, must_seat: int | None, bounds: list[Bound]) -> None:
        from ortools.linear_solver import pywraplp

        solver: Any = pywraplp.Solver.CreateSolver("GLOP")
        self._solver = solver
        self._small = len(instance.types) <= _SMALL
        infinity = solver.infinity()
        seats = [solver.NumVar(float(t == must_seat), float(n), "") for t, n in enumerate(instance.counts)]
        members = members_of(instance)
        rules = [(members[c], instance.cell_bounds[c]) for c in sorted(instance.rule_cells)]
        for types, (lowest, highest) in ((range(len(seats)), (instance.size, instance.size)), *rules):
            row = solver.Constraint(float(lowest), float(highest))
            for t in types:
                row.SetCoefficient(seats[t], 1.0)
        self._slack: list[Any] = []
        for b in bounds:
            limits = (float(b.value), infinity) if b.side == "min" else (-infinity, float(b.value))
            row = solver.Constraint(*limits)
            for t in members[b.cell]:
                row.SetCoefficient(seats[t], 1.0)
            slack = solver.NumVar(0.0, infinity, "")
            row.SetCoefficient(slack, 1.0 if b.side == "min" else -1.0)
            solver.Objective().SetCoefficient(slack, 1.0)
            self._slack.append(slack)
        solver.Objective().SetMinimization()

    def broken(self, held: Iterable[int]) -> dict[int, float] | None:
        """By how much each broken bound is missed where those held are kept; None if they can't be."""
        kept = set(held)
        for i, slack in enumerate(self._slack):
            slack.SetBounds(0.0, 0.0 if i in kept else self._solver.infinity())
        # Hundreds of programmes of a few milliseconds: a thread for each would cost as much, for Ctrl-C's sake.
        status = self._solver.Solve() if self._small else solve(self._solver)
        if status != self._solver.OPTIMAL:
            return None
        values = {i: slack.solution_value() for i, slack in enumerate(self._slack)}
        return {i: value for i, value in values.items() if value > _BROKEN}

    def fewest_broken(self, held: set[int]) -> set[int] | None:
        """Bounds to break, none of which can be kept besides all the others, while those held are kept."""
        found = self.broken(held)
        if found is None:
            return None
        everything = set(range(len(self._slack)))
        broken = set(found)
        for i in sorted(found, key=lambda j: (round(found[j], 6), j)):
            if i not in broken:
                continue
            now = self.broken((everything - broken) | {i})
            if now is not None:
                broken = set(now)
        return broken


def _smallest_hitting_set(count: int, sets: list[frozenset[int]]) -> tuple[int, ...]:
    """The fewest of `count` items that meet every set; of these, some with the smallest sum of places."""
    if not sets:
        return ()
    items = sorted(frozenset().union(*sets))
    solver = Solver()
    chosen = {i: solver.variable(0, 1) for i in items}
    for members in sets:
        solver.row(((chosen[i], 1) for i in sorted(members)), 1, len(members))
    # Any sum of places is below count², so the number of items comes first.
    solver.minimise((chosen[i], count * count + i) for i in items)
    if not solver.solve():
        raise InternalError(f"A set of reasons could not be covered. {REPORT}")
    return tuple(i for i in items if solver.value(chosen[i]))
