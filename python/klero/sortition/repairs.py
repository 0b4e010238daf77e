"""What is the least that must change so that the quotas can be met, and what else would do?

Method. Every bound may be loosened, a minimum down to its `min_flex` (0 where none is given), a maximum up to its
`max_flex` (the panel's size). An integer programme minimises the cost: the sum of all loosening in seats, each seat
times the importance of its quota; then the number of bounds touched; then the sum of their places in the table. The
next choice is the cheapest one that leaves some bound of each earlier choice as it is. Most types need not be looked
at: by the dual weights of the linear relaxation, as integers, a seat for them would cost more than the repair does.

Guarantee. «Smallest» is meant literally, by cost and then by number; CP-SAT works on integers and proves it.
Importance enters exactly, as integers over a common denominator. Rules (households, people who must sit) are kept and
never loosened. What ties even by place is the solver's choice, the same each time.

Cost: one linear programme and four integer programmes a repair. One thread, no randomness.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

from klero.errors import InfeasibleError, InternalError
from klero.sortition.feasibility import (
    EXACT,
    REPORT,
    SCATTER,
    Bound,
    Solver,
    loosenable_bounds,
    members_of,
    some_panel,
    with_each_cell,
)
from klero.sortition.solver import solve
from klero.words import words

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

_DUAL_SCALE = 2**20
_NOT_ZERO = 1e-9
# Types of each cell that the first search may use beside those of the relaxation.
_WIDTH = 10


@dataclass(frozen=True)
class Change:
    """A bound and the value that it should have instead."""

    bound: Bound
    value: int


@dataclass(frozen=True)
class Repair:
    """A loosening of the quotas after which a panel exists, as small as can be.

    Attributes:
        changes: what to change, by cell; all of it is needed.
        total: the sum of all loosening, in seats.
        feasible_within_flex: False if no loosening within the stated `min_flex` and `max_flex` is enough;
            `changes` then goes beyond them.
        cost: the sum of all loosening, each seat times the importance of its quota; exact.
    """

    changes: tuple[Change, ...]
    total: int
    feasible_within_flex: bool
    cost: Fraction = Fraction(0)


def smallest_repair(instance: Instance) -> Repair:
    """The cheapest loosening after which a panel exists; of these, one that touches the fewest bounds.

    Raises:
        InfeasibleError: the pool holds fewer people than there are seats, or the rules alone (households, people who
            must sit) leave no panel, so no quota can help.
    """
    return smallest_repairs(instance, 1)[0]


def smallest_repairs(instance: Instance, count: int) -> tuple[Repair, ...]:
    """Up to `count` repairs, the cheapest first; each leaves some bound as it is that each earlier one changes.

    Fewer where there are no more. If loosening within the flex can be enough, all of them are within it.

    Raises:
        InfeasibleError: as in `smallest_repair`.
    """
    if sum(instance.counts) < instance.size:
        raise too_few_people(instance)
    bounds = loosenable_bounds(instance)
    limits = [_limit(instance, b) for b in bounds]
    within = some_panel(instance, _limited(instance, bounds, limits)) is not None
    if not within:
        limits = [0 if b.side == "min" else instance.size for b in bounds]
        if some_panel(instance, _limited(instance, bounds, limits)) is None:
            raise rules_alone(instance)
    search = _Search(instance, bounds, limits)
    repairs: list[Repair] = []
    touched: list[frozenset[int]] = []
    while len(repairs) < count:
        slack = search.best(touched)
        if slack is None:
            break
        changes = tuple(
            Change(b, b.value - s if b.side == "min" else b.value + s)
            for b, s in zip(bounds, slack, strict=True)
            if s
        )
        cost = sum((search.importance[i] * s for i, s in enumerate(slack)), Fraction(0))
        repairs.append(Repair(changes, sum(slack), within, cost))
        touched.append(frozenset(i for i, s in enumerate(slack) if s))
        if not changes:
            break
    return tuple(repairs)


def too_few_people(instance: Instance, lang: str = "en") -> InfeasibleError:
    """The error where the pool is smaller than the panel."""
    _ = words(lang).gettext
    people = sum(instance.counts)
    said = _("The panel has {size} seats, the pool holds {people} people.")
    way = _("Lower the panel's size to {people} or less, or invite more people.")
    return InfeasibleError(
        (said.format(size=instance.size, people=people),), (way.format(people=people),), lang
    )


def rules_alone(instance: Instance, lang: str = "en") -> InfeasibleError:
    """The error where no panel keeps the rules, whatever the quotas."""
    _ = words(lang).gettext
    said = _(
        "No panel of {size} keeps the rules about households and people who must sit, whatever the quotas."
    )
    way = _("Allow more people of one household, let fewer people be sure to sit, or invite more people.")
    return InfeasibleError((said.format(size=instance.size),), (way,), lang)


def importance_of(instance: Instance, cell: int) -> Fraction:
    """What loosening a quota of this cell by a seat costs: 1 where the table does not say."""
    f, v = instance.cells[cell]
    table = instance.importance
    return table[f][v] if f < len(table) and v < len(table[f]) else Fraction(1)


def _limited(instance: Instance, bounds: Sequence[Bound], limits: Sequence[int]) -> list[tuple[int, int]]:
    cells = [list(b) for b in instance.cell_bounds]
    for bound, limit in zip(bounds, limits, strict=True):
        cells[bound.cell][bound.side == "max"] = limit
    return [(lowest, highest) for lowest, highest in cells]


def _limit(instance: Instance, bound: Bound) -> int:
    """How far a bound may be loosened by the organiser's own words, never tighter than it is."""
    f, v = instance.cells[bound.cell]
    if bound.side == "min":
        given = instance.flex_minima[f][v]
        return min(bound.value, 0 if given is None else given)
    given = instance.flex_maxima[f][v]
    return max(bound.value, instance.size if given is None else given)


class _Search:
    """Cheapest loosening within limits, for some of the types at a time."""

    def __init__(self, instance: Instance, bounds: Sequence[Bound], limits: Sequence[int]) -> None:
        self._instance = instance
        self._bounds = bounds
        self._room = [abs(limit - b.value) for b, limit in zip(bounds, limits, strict=True)]
        self._members = members_of(instance)
        self._rules = sorted(instance.rule_cells)
        self.importance = [importance_of(instance, b.cell) for b in bounds]
        scale = lcm(*(w.denominator for w in self.importance))
        self._costs = [w.numerator * (scale // w.denominator) for w in self.importance]
        if sum(c * r for c, r in zip(self._costs, self._room, strict=True)) > EXACT:
            raise InternalError(f"The importance of quotas is too large to be exact. {REPORT}")

    def best(self, touched: Sequence[frozenset[int]]) -> tuple[int, ...] | None:
        """The loosening of each bound in the cheapest repair that leaves a bound alone of each set touched before."""
        everyone = range(len(self._instance.types))
        relaxed = self._relaxed()
        if relaxed is None:
            return self._solve(everyone, touched)
        seats, least, extra = relaxed
        first = self._solve(self._promising(seats, extra), touched, cost_only=True)
        if first is None:
            return self._solve(everyone, touched)
        cost = sum(c * s for c, s in zip(self._costs, first, strict=True))
        # A panel with a seat for a type costs at least `least + extra`: types beyond the known cost have none.
        left = cost * _DUAL_SCALE - least
        return self._solve([t for t in everyone if extra[t] <= left], touched)

    def _relaxed(self) -> tuple[list[float], int, list[int]] | None:
        """(seats by type, a lower bound of the cost, what a seat of each type adds to it), the last two times a scale."""
        from ortools.linear_solver import pywraplp

        instance = self._instance
        solver: Any = pywraplp.Solver.CreateSolver("GLOP")
        infinity = solver.infinity()
        seats = [solver.NumVar(0.0, float(n), "") for n in instance.counts]

        def row(types: Iterable[int], lowest: float, highest: float) -> Any:
            new = solver.Constraint(lowest, highest)
            for t in types:
                new.SetCoefficient(seats[t], 1.0)
            return new

        size = row(range(len(seats)), float(instance.size), float(instance.size))
        rules = [row(self._members[c], *map(float, instance.cell_bounds[c])) for c in self._rules]
        quotas = []
        for b, room, cost in zip(self._bounds, self._room, self._costs, strict=True):
            limits = (float(b.value), infinity) if b.side == "min" else (-infinity, float(b.value))
            quotas.append(row(self._members[b.cell], *limits))
            slack = solver.NumVar(0.0, float(room), "")
            quotas[-1].SetCoefficient(slack, 1.0 if b.side == "min" else -1.0)
            solver.Objective().SetCoefficient(slack, float(cost))
        solver.Objective().SetMinimization()
        if solve(solver) != solver.OPTIMAL:
            return None
        prices = [round(r.dual_value() * _DUAL_SCALE) for r in (size, *rules, *quotas)]
        return [x.solution_value() for x in seats], *self._lower_bound(prices)

    def _lower_bound(self, prices: Sequence[int]) -> tuple[int, list[int]]:
        """By weak duality, with any prices of the size, the rules and the quotas."""
        instance = self._instance
        by_cell = [0] * len(instance.cell_bounds)
        total = prices[0] * instance.size
        for c, p in zip(self._rules, prices[1:], strict=False):
            lowest, highest = instance.cell_bounds[c]
            total += min(p * lowest, p * highest)
            by_cell[c] += p
        quotas = prices[1 + len(self._rules) :]
        for b, room, cost, given in zip(self._bounds, self._room, self._costs, quotas, strict=True):
            p = max(0, given) if b.side == "min" else min(0, given)
            total += p * b.value + room * min(0, cost * _DUAL_SCALE - abs(p))
            by_cell[b.cell] += p
        extra = []
        for t, n in enumerate(instance.counts):
            more = -prices[0] - sum(by_cell[c] for c in instance.type_cells(t))
            extra.append(more)
            total += n * min(0, more)
        return total, extra

    def _promising(self, seats: Sequence[float], extra: Sequence[int]) -> list[int]:
        kept = {t for t, x in enumerate(seats) if x > _NOT_ZERO}
        ranked = sorted(range(len(extra)), key=lambda t: (extra[t], t * SCATTER % 2**32))
        return with_each_cell(self._instance, kept, ranked, _WIDTH)

    def _solve(
        self, kept: Sequence[int], touched: Sequence[frozenset[int]], *, cost_only: bool = False
    ) -> tuple[int, ...] | None:
        """The cheapest loosening with seats for these types only; None if there is none."""
        instance = self._instance
        solver = Solver()
        seats = {t: solver.variable(0, instance.counts[t]) for t in kept}
        solver.row(((x, 1) for x in seats.values()), instance.size, instance.size)
        for c in self._rules:
            lowest, highest = instance.cell_bounds[c]
            solver.row(((seats[t], 1) for t in self._members[c] if t in seats), lowest, highest)
        slack = [solver.variable(0, room) for room in self._room]
        used = [solver.variable(0, 1) for _ in slack]
        for b, room, s, u in zip(self._bounds, self._room, slack, used, strict=True):
            terms = [(seats[t], 1) for t in self._members[b.cell] if t in seats]
            if b.side == "min":
                solver.row([*terms, (s, 1)], b.value, None)
            else:
                solver.row([*terms, (s, -1)], None, b.value)
            solver.row([(s, 1), (u, -room)], None, 0)
        for earlier in touched:
            solver.row(((used[i], 1) for i in sorted(earlier)), None, len(earlier) - 1)
        # One aim after the other, each held while the next is sought: cost, number, place.
        cost = list(zip(slack, self._costs, strict=True))
        number = [(u, 1) for u in used]
        place = [(u, i) for i, u in enumerate(used)]
        for aim in (cost,) if cost_only else (cost, number, place):
            solver.minimise(aim)
            if not solver.solve():
                return None
            best = sum(weight * solver.value(variable) for variable, weight in aim)
            solver.row(aim, 0, best)
        return tuple(solver.value(s) for s in slack)
