"""Can the quotas be met at all?

Method. People of one type (same value of every feature) are exchangeable, so a panel is a number of seats x_T for
each type: a small integer programme, given to CP-SAT. In a pool of many types it looks first where the linear
relaxation points.

Guarantee. CP-SAT works on integers and proves what it says: `None` means that no panel exists, a best panel is a best
one. Where few types were looked at, dual weights, as integers, or a wider search prove the same. Panels are checked
again in Python before they are returned. What the quotas would need instead is for `conflicts.py` and `repairs.py`.

Cost, on one core: a panel from 20,000 people of 13,700 types in 0.3 s, a best one in 0.3 to 4 s (large weights under
exact quotas). One thread, fixed seed, limits in the solver's deterministic time: the same answer whatever the
machine's speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from klero.errors import InternalError
from klero.sortition.solver import solve

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

# In the solver's own unit, about a second each, which does not depend on the clock. Pools of up to 1,700
# people were seen to need a second at most.
_GIVE_UP = "600"
REPORT = "This is a fault of klero: please report it with the two tables (any identities replaced)."
# The solver takes coefficients as doubles; up to here every sum is exact.
EXACT = 2**52
# With more types than this, the integer search looks first where the linear relaxation points.
_MANY_TYPES = 2000
# Types of each cell that the search may use beside those of the relaxation; then more; then all.
_WIDTHS = (10, 60)
_DUAL_SCALE = 2**20
_NOT_ZERO = 1e-9
SCATTER = 2654435761  # odd, near 2³² divided by the golden ratio (Knuth): spreads numbers evenly


class SearchLimitError(InternalError):
    """An exact search came to its limit before it could decide."""


def feasible_panel(
    instance: Instance,
    *,
    must_seat: int | None = None,
    objective: Sequence[int] | None = None,
    cell_bounds: Sequence[tuple[int, int]] | None = None,
    type_bounds: Sequence[tuple[int, int]] | None = None,
) -> tuple[int, ...] | None:
    """A panel within the quotas, as seats of each type; None if it is proved that there is none.

    Args:
        instance: the people and quotas.
        must_seat: a type that must have at least one seat.
        objective: a weight of each type; the panel returned is one whose weighted sum of seats is largest.
        cell_bounds: lowest and highest number of seats of each cell, instead of the instance's own.
        type_bounds: lowest and highest number of seats of each type, within [0, people of that type].

    Raises:
        InternalError: the solver could not decide, or a weight is too large to be exact.
    """
    question = _Question.of(instance, must_seat, objective, cell_bounds, type_bounds)
    return _checked(question, guided=len(question.types) > _MANY_TYPES)


def _checked(question: _Question, *, guided: bool) -> tuple[int, ...] | None:
    if any(lowest > highest for lowest, highest in (*question.types, *question.cells)):
        return None
    panel = _panel_of_many(question) if guided else _search(question, range(len(question.types)))
    if panel is not None and not question.keeps(panel):
        raise InternalError(f"The solver returned a panel outside the quotas. {REPORT}")
    return panel


def cover(instance: Instance, seated: Sequence[bool]) -> tuple[list[tuple[int, ...]], list[int]]:
    """(panels, types): panels that together hold each type not yet seated, and the types that no panel can hold.

    Each panel takes in as many of those who wait as it can. The quotas must be feasible.
    """
    there = list(seated)
    panels, shut_out = [], []
    for t in range(len(there)):
        if there[t]:
            continue
        waiting = [int(not x) for x in there]
        panel = feasible_panel(instance, must_seat=t, objective=waiting)
        there[t] = True
        if panel is None:
            shut_out.append(t)
            continue
        panels.append(panel)
        there = [x or s > 0 for x, s in zip(there, panel, strict=True)]
    return panels, shut_out


def some_panel(
    instance: Instance, cell_bounds: Sequence[tuple[int, int]], must_seat: int | None = None
) -> tuple[int, ...] | None:
    """A panel within these bounds, None if there is none: `feasible_panel` where any panel does, and often sooner."""
    return _checked(_Question.of(instance, must_seat, None, cell_bounds, None), guided=True)


@dataclass(frozen=True, order=True)
class Bound:
    """One side of a quota: at least (min) or at most (max) `value` seats for a cell, given by its number."""

    cell: int
    side: Literal["max", "min"]
    value: int


def loosenable_bounds(instance: Instance) -> list[Bound]:
    """The quotas' bounds that some panel of the right size might break, by cell, the minimum first; no rules."""
    bounds: list[Bound] = []
    rules = instance.rule_cells
    people = cell_people(instance)
    for c, (lowest, highest) in enumerate(instance.cell_bounds):
        if c in rules:
            continue
        if lowest > 0:
            bounds.append(Bound(c, "min", lowest))
        if highest < min(people[c], instance.size):
            bounds.append(Bound(c, "max", highest))
    return bounds


def bounds_with(instance: Instance, kept: Iterable[Bound]) -> list[tuple[int, int]]:
    """Bounds of each cell where only these quotas hold, and the rules."""
    rules = instance.rule_cells
    bounds = [list(b) if c in rules else [0, instance.size] for c, b in enumerate(instance.cell_bounds)]
    for bound in kept:
        bounds[bound.cell][bound.side == "max"] = bound.value
    return [(lowest, highest) for lowest, highest in bounds]


def cell_people(instance: Instance) -> list[int]:
    """The people of each cell."""
    return [sum(instance.counts[t] for t in members) for members in members_of(instance)]


@dataclass(frozen=True)
class _Question:
    """What `feasible_panel` was asked, each default filled in."""

    instance: Instance
    cells: tuple[tuple[int, int], ...]
    types: tuple[tuple[int, int], ...]
    weights: tuple[int, ...] | None
    members: tuple[tuple[int, ...], ...]

    @classmethod
    def of(
        cls,
        instance: Instance,
        must_seat: int | None,
        objective: Sequence[int] | None,
        cell_bounds: Sequence[tuple[int, int]] | None,
        type_bounds: Sequence[tuple[int, int]] | None,
    ) -> _Question:
        types = [(0, n) for n in instance.counts] if type_bounds is None else list(type_bounds)
        if must_seat is not None:
            types[must_seat] = (max(1, types[must_seat][0]), types[must_seat][1])
        largest = sum(
            abs(w) * n for w, n in zip(objective or (), instance.counts, strict=objective is not None)
        )
        if largest > EXACT:
            raise InternalError(f"A weight in a search for a panel is too large to be exact. {REPORT}")
        return cls(
            instance,
            tuple(instance.cell_bounds if cell_bounds is None else cell_bounds),
            tuple(types),
            None if objective is None else tuple(objective),
            tuple(map(tuple, members_of(instance))),
        )

    def keeps(self, panel: Sequence[int]) -> bool:
        """Whether the panel has the right size and is within all bounds."""
        sums = [sum(panel[t] for t in members) for members in self.members]
        limits = (*self.cells, *self.types)
        return sum(panel) == self.instance.size and all(
            lowest <= s <= highest for s, (lowest, highest) in zip((*sums, *panel), limits, strict=True)
        )

    def value(self, panel: Sequence[int]) -> int:
        return sum(w * x for w, x in zip(self.weights or (), panel, strict=True))


def _search(question: _Question, kept: Sequence[int]) -> tuple[int, ...] | None:
    """A best panel in which all types but those kept have the fewest seats that they may; None if there is none."""
    solver = Solver()
    panel = [lowest for lowest, _ in question.types]
    for t in kept:
        panel[t] = 0
    seats = {t: solver.variable(*question.types[t]) for t in kept}
    size = question.instance.size - sum(panel)
    solver.row(((x, 1) for x in seats.values()), size, size)
    for members, (lowest, highest) in zip(question.members, question.cells, strict=True):
        others = sum(panel[t] for t in members)
        solver.row(((seats[t], 1) for t in members if t in seats), lowest - others, highest - others)
    if question.weights is not None:
        solver.minimise((x, -question.weights[t]) for t, x in seats.items())
    if not solver.solve():
        return None
    for t, x in seats.items():
        panel[t] = solver.value(x)
    return tuple(panel)


def _panel_of_many(question: _Question) -> tuple[int, ...] | None:
    """`_search` among all types, for a pool with so many that most need not be looked at.

    The linear relaxation is solved over all types; the integer search then has its few dozen types and some
    hundred more. Nothing is left to chance or to floats: that there is no panel, or none better, is shown by the
    relaxation's dual weights as integers, or else by a search among all types that could matter.
    """
    everyone = range(len(question.types))
    relaxed = _relaxed(question)
    if relaxed is None:
        gaps = _relaxed(question, elastic=True)
        shut = gaps is not None and _upper_bound(question, None, gaps[1])[0] < 0
        return None if shut else _search(question, everyone)
    seats, prices = relaxed
    best, gains = _upper_bound(question, question.weights, prices)
    panel, kept = None, []
    for width in _WIDTHS:
        kept = _promising(question, seats, gains, width)
        panel = _search(question, kept)
        if panel is not None:
            break
    if panel is None:
        return _search(question, everyone)
    if question.weights is None:
        return panel
    # A better panel is worth at least one more. By the dual weights, nobody whose seat costs more than what is
    # left of the bound is in it.
    left = best - (question.value(panel) + 1) * _DUAL_SCALE
    if left < 0:
        return panel
    could = {t for t in everyone if gains[t] > 0 or left + gains[t] >= 0}
    return _search(question, sorted(could.union(kept)))


def _relaxed(question: _Question, *, elastic: bool = False) -> tuple[list[float], list[int]] | None:
    """(seats by type, scaled dual weights of the size and of each cell) of the linear relaxation, None if not solved.

    If elastic, any row may be broken and the sum of what is missing is minimised: the dual weights then show
    why not all rows can be kept.
    """
    from ortools.linear_solver import pywraplp

    solver: Any = pywraplp.Solver.CreateSolver("GLOP")
    objective = solver.Objective()
    objective.SetMaximization()
    seats = [solver.NumVar(float(lowest), float(highest), "") for lowest, highest in question.types]
    rows = []
    size = question.instance.size
    for members, (lowest, highest) in zip(
        (range(len(seats)), *question.members), ((size, size), *question.cells), strict=True
    ):
        row = solver.Constraint(float(lowest), float(highest))
        for t in members:
            row.SetCoefficient(seats[t], 1.0)
        for sign in (1.0, -1.0) if elastic else ():
            missing = solver.NumVar(0.0, solver.infinity(), "")
            row.SetCoefficient(missing, sign)
            objective.SetCoefficient(missing, -1.0)
        rows.append(row)
    if question.weights is not None and not elastic:
        for x, w in zip(seats, question.weights, strict=True):
            objective.SetCoefficient(x, float(w))
    if solve(solver) != solver.OPTIMAL:
        return None
    return [x.solution_value() for x in seats], [round(row.dual_value() * _DUAL_SCALE) for row in rows]


def _upper_bound(
    question: _Question, weights: Sequence[int] | None, prices: Sequence[int]
) -> tuple[int, list[int]]:
    """What no panel's weighted sum exceeds, times the scale, by weak duality with any prices; and each type's gain.

    A panel in which type t has one seat more than its fewest is below the bound by as much as its gain is below 0.
    """
    size, *cells = prices
    total = size * question.instance.size
    total += sum(max(p * lo, p * hi) for p, (lo, hi) in zip(cells, question.cells, strict=True))
    gains = []
    for t, (lowest, highest) in enumerate(question.types):
        own = 0 if weights is None else weights[t] * _DUAL_SCALE
        gain = own - size - sum(cells[c] for c in question.instance.type_cells(t))
        gains.append(gain)
        total += gain * (highest if gain > 0 else lowest)
    return total, gains


def _promising(question: _Question, seats: Sequence[float], gains: Sequence[int], width: int) -> list[int]:
    """The types that the relaxation seats, and those of most gain until each cell has `width` of them (if it can)."""
    kept = {t for t, x in enumerate(seats) if x > question.types[t][0] + _NOT_ZERO}
    open_types = [t for t, (lowest, highest) in enumerate(question.types) if lowest < highest]
    # Types are in the order of their values, so neighbours are alike: ties are taken from all over the table.
    open_types.sort(key=lambda t: (-gains[t], t * SCATTER % 2**32, t))
    return with_each_cell(question.instance, kept, open_types, width)


def with_each_cell(instance: Instance, kept: Iterable[int], ranked: Iterable[int], width: int) -> list[int]:
    """The types `kept`, and of those `ranked`, the best first, enough that each cell has `width` of them (if it can); rising."""
    chosen = set(kept)
    have = [0] * len(instance.cells)
    for t in ranked:
        cells = instance.type_cells(t)
        if any(have[c] < width for c in cells):
            chosen.add(t)
            for c in cells:
                have[c] += 1
    return sorted(chosen)


def members_of(instance: Instance) -> list[list[int]]:
    """The types of each cell."""
    members: list[list[int]] = [[] for _ in instance.cell_bounds]
    for t in range(len(instance.types)):
        for c in instance.type_cells(t):
            members[c].append(t)
    return members


class Solver:
    """An integer programme in CP-SAT: one worker, fixed seed, exact optima, limits that ignore the clock."""

    def __init__(self) -> None:
        # Not cp_model: its import brings pandas, a second of every start.
        from ortools.linear_solver import pywraplp

        self._solver: Any = pywraplp.Solver.CreateSolver("SAT")
        if self._solver is None:
            raise InternalError("OR-Tools has no CP-SAT solver. Install klero's dependencies again.")
        self._solver.SetNumThreads(1)
        self._infinity = self._solver.infinity()
        self._variables: list[Any] = []
        self._found: list[int] = []

    def variable(self, lowest: int, highest: int) -> int:
        """A new variable's number."""
        self._variables.append(self._solver.IntVar(lowest, highest, ""))
        return len(self._variables) - 1

    def row(self, terms: Iterable[tuple[int, int]], lowest: int | None, highest: int | None) -> None:
        row = self._solver.Constraint(
            -self._infinity if lowest is None else float(lowest),
            self._infinity if highest is None else float(highest),
        )
        for variable, weight in terms:
            row.SetCoefficient(self._variables[variable], float(weight))

    def minimise(self, terms: Iterable[tuple[int, int]]) -> None:
        objective = self._solver.Objective()
        objective.Clear()
        for variable, weight in terms:
            objective.SetCoefficient(self._variables[variable], float(weight))
        objective.SetMinimization()

    def solve(self) -> bool:
        """Whether there is a solution: proved either way, and the best one."""
        # Left to itself the solver puts its own handler on Ctrl-C, and none back.
        exact = "num_workers: 1 random_seed: 1 relative_gap_limit: 0 absolute_gap_limit: 0 catch_sigint_signal: false"
        self._solver.SetSolverSpecificParametersAsString(f"{exact} max_deterministic_time: {_GIVE_UP}")
        status = solve(self._solver)
        if status == self._solver.INFEASIBLE:
            return False
        if status == self._solver.OPTIMAL:
            # Kept here, since the solver forgets it when the programme changes.
            self._found = [round(v.solution_value()) for v in self._variables]
            return True
        raise SearchLimitError(
            f"The solver gave up before it knew whether a panel exists (status {status}). {REPORT}"
        )

    def value(self, variable: int) -> int:
        """The variable's value in the last solution."""
        return self._found[variable]
