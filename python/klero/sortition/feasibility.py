"""Can the quotas be met at all, and if not, which of them clash and what is the smallest change that helps?

Method. People of one type (same value of every feature) are exchangeable, so a panel is a number of seats x_T
for each type. All questions here are small integer programmes over these numbers, given to CP-SAT:

- a panel within the quotas: any solution;
- a smallest clash: implicit hitting sets (Ignatiev et al., «Smallest MUS extraction with minimal hitting set
  dualization», CP 2015). A panel that breaks some quotas shows that every clash has one of them. The smallest
  set of quotas that has one from each panel seen so far is tried; if a panel keeps it, the quotas which that
  panel breaks are noted, and so on;
- a smallest repair: every bound may be loosened; the sum of all loosening is minimised, then the number of
  bounds touched.

Guarantee. CP-SAT works on integers and proves what it says: `None` means that no panel exists, «smallest» is
meant literally, by number of bounds or by sum. Panels are checked again in Python before they are returned. In
a pool of many types the search looks first where the linear relaxation points; dual weights, as integers, or a
wider search then prove the same.
Where several smallest clashes or repairs exist, one that concerns early cells is taken (smallest sum of
places in the table; what still ties is the solver's choice, the same each time).

Cost: one programme for a panel, a few dozen for a clash, three for a repair. Seen on one core: a panel from
20,000 people of 13,700 types in 0.3 s, a best one in 0.3 to 4 s (large weights under exact quotas); a clash among
1,700 people and 31 cells in 0.1 s where one bound is out of reach; among 1,200 people and 31 exact quotas, of
which most seats are wrong, in 16 s. One thread, fixed seed, limits in the solver's deterministic time: the
same answer whatever the machine's speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from klero.errors import InfeasibleError, InternalError
from klero.sortition.solver import solve

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

# In the solver's own unit, about a second each, which does not depend on the clock. Pools of up to 1,700
# people were seen to need a second at most.
_GIVE_UP = "600"
# A panel that breaks few quotas says more than one that breaks many, but need not break the fewest: its
# search may stop early. Presolve is left out there: measured on pools of 800 people, it takes most of the
# time, and what is left finds panels that break so many quotas that a clash needs 200 of them instead of 13.
_SETTLE_FOR_LESS = "0.2 cp_model_presolve: false"
_REPORT = "This is a fault of klero: please report it with the two tables (any identities replaced)."
# The solver takes coefficients as doubles; up to here every sum is exact.
_EXACT = 2**52
# With more types than this, the integer search looks first where the linear relaxation points.
_MANY_TYPES = 2000
# Types of each cell that the search may use beside those of the relaxation; then more; then all.
_WIDTHS = (10, 60)
_DUAL_SCALE = 2**20
_NOT_ZERO = 1e-9
_SCATTER = 2654435761  # odd, near 2³² divided by the golden ratio (Knuth): spreads numbers evenly


class SearchLimitError(InternalError):
    """An exact search came to its limit before it could decide."""


@dataclass(frozen=True, order=True)
class Bound:
    """One side of a quota: at least (min) or at most (max) `value` seats for a cell, given by its number."""

    cell: int
    side: Literal["max", "min"]
    value: int


@dataclass(frozen=True)
class Change:
    """A bound and the value that it should have instead."""

    bound: Bound
    value: int


@dataclass(frozen=True)
class Repair:
    """A smallest loosening of the quotas after which a panel exists.

    Attributes:
        changes: what to change, by cell; all of it is needed.
        total: the sum of all loosening, in seats.
        feasible_within_flex: False if no loosening within the stated `min_flex` and `max_flex` is enough;
            `changes` then goes beyond them.
    """

    changes: tuple[Change, ...]
    total: int
    feasible_within_flex: bool


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
    if any(lowest > highest for lowest, highest in question.types):
        return None
    many = len(question.types) > _MANY_TYPES
    panel = _panel_of_many(question) if many else _search(question, range(len(question.types)))
    if panel is not None and not question.keeps(panel):
        raise InternalError(f"The solver returned a panel outside the quotas. {_REPORT}")
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


def smallest_conflict(instance: Instance) -> tuple[Bound, ...]:
    """A smallest set of bounds that no panel of the right size keeps together; empty if a panel exists.

    It is also empty if the pool holds fewer people than there are seats: then no quota is to blame.
    """
    return _smallest_conflict(instance, None)


def why_never(instance: Instance, type_index: int) -> tuple[Bound, ...]:
    """A smallest set of bounds that together keep a type out of every panel; empty if its people can sit."""
    return _smallest_conflict(instance, type_index)


def smallest_repair(instance: Instance) -> Repair:
    """The smallest sum of loosening after which a panel exists; of these, one that touches the fewest bounds.

    A minimum goes down to its `min_flex` (0 where none is given), a maximum up to its `max_flex` (the panel's
    size where none is given).

    Raises:
        InfeasibleError: the pool holds fewer people than there are seats, so no quota can help.
    """
    if sum(instance.counts) < instance.size:
        raise _too_few_people(instance)
    changes = _repair(instance, within_flex=True)
    within = changes is not None
    if changes is None:
        changes = _repair(instance, within_flex=False)
    if changes is None:
        raise InternalError(f"Quotas without any bound could not be met. {_REPORT}")
    return Repair(changes, sum(abs(c.value - c.bound.value) for c in changes), within)


def explain_infeasible(instance: Instance, quotas_name: str) -> InfeasibleError:
    """The error to raise for quotas that can't all be met: which clash, what the pool holds, what to change.

    Args:
        instance: people and quotas for which no panel exists.
        quotas_name: what the user calls the table of quotas (a file's name).
    """
    if sum(instance.counts) < instance.size:
        return _too_few_people(instance)
    conflict = smallest_conflict(instance)
    repair = smallest_repair(instance)
    named = conflict if len(conflict) == 1 else ()
    changes = "; ".join(_change_words(instance, change, named) for change in repair.changes)
    if not repair.feasible_within_flex:
        lead = "No change within min_flex and max_flex is enough. Smallest change beyond them"
    elif len(repair.changes) == 1:
        lead = "Smallest change that works"
    else:
        lead = "Smallest changes that work, all of them together"
    return InfeasibleError(_conflict_words(instance, conflict, quotas_name), (f"{lead}: {changes}.",))


def bound_words(instance: Instance, bound: Bound) -> str:
    """A bound as words: «at least 14 of gender: woman, of whom the pool holds 11»."""
    side = "at least" if bound.side == "min" else "at most"
    name, people = instance.cell_name(bound.cell), _pool(instance)[bound.cell]
    return f"{side} {bound.value} of {name}, of whom the pool holds {people}"


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
        if largest > _EXACT:
            raise InternalError(f"A weight in a search for a panel is too large to be exact. {_REPORT}")
        return cls(
            instance,
            tuple(instance.cell_bounds if cell_bounds is None else cell_bounds),
            tuple(types),
            None if objective is None else tuple(objective),
            tuple(map(tuple, _members(instance))),
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
    solver = _Solver()
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
    open_types.sort(key=lambda t: (-gains[t], t * _SCATTER % 2**32, t))
    have = [0] * len(question.cells)
    for t in open_types:
        cells = question.instance.type_cells(t)
        if any(have[c] < width for c in cells):
            kept.add(t)
            for c in cells:
                have[c] += 1
    return sorted(kept)


def _conflict_words(instance: Instance, conflict: tuple[Bound, ...], quotas_name: str) -> tuple[str, ...]:
    """One sentence where one is enough, otherwise a line that says what follows and one for each bound."""
    pool = _pool(instance)
    first = conflict[0]
    name = instance.cell_name(first.cell)
    if len(conflict) == 1 and first.side == "min" and first.value > pool[first.cell]:
        are = "is" if first.value == 1 else "are"
        return (f"{first.value} of {name} {are} asked for, {pool[first.cell]} in the pool ({quotas_name}).",)
    if len(conflict) == 1 and first.side == "max":
        others = sum(instance.counts) - pool[first.cell]
        fact = f"at most {first.value} of {name} may sit, and the pool holds {others} others"
        return (f"{instance.size} seats are to be filled, {fact} ({quotas_name}).",)
    lines = tuple(f"- {bound_words(instance, b)}" for b in conflict)
    return (
        f"No panel of {instance.size} keeps all of this ({quotas_name}), though it keeps any part of it:",
        *lines,
    )


def _change_words(instance: Instance, change: Change, named: tuple[Bound, ...]) -> str:
    """One change as words; a bound that the sentence before has just named is «that minimum»."""
    verb, side = ("lower", "minimum") if change.bound.side == "min" else ("raise", "maximum")
    which = (
        f"that {side}" if change.bound in named else f"the {side} of {instance.cell_name(change.bound.cell)}"
    )
    return f"{verb} {which} to {change.value}"


def _too_few_people(instance: Instance) -> InfeasibleError:
    people = sum(instance.counts)
    return InfeasibleError(
        (f"The panel has {instance.size} seats, the pool holds {people} people.",),
        (f"Lower the panel's size to {people} or less, or invite more people.",),
    )


def _members(instance: Instance) -> list[list[int]]:
    """The types of each cell."""
    members: list[list[int]] = [[] for _ in instance.cell_bounds]
    for t in range(len(instance.types)):
        for c in instance.type_cells(t):
            members[c].append(t)
    return members


def _pool(instance: Instance) -> list[int]:
    """The people of each cell."""
    return [sum(instance.counts[t] for t in members) for members in _members(instance)]


def _bounds(instance: Instance) -> list[Bound]:
    """The bounds that some panel of the right size might break, by cell, the minimum first."""
    bounds: list[Bound] = []
    for c, ((lowest, highest), people) in enumerate(zip(instance.cell_bounds, _pool(instance), strict=True)):
        if lowest > 0:
            bounds.append(Bound(c, "min", lowest))
        if highest < min(people, instance.size):
            bounds.append(Bound(c, "max", highest))
    return bounds


def _smallest_conflict(instance: Instance, must_seat: int | None) -> tuple[Bound, ...]:
    if sum(instance.counts) < instance.size:
        return ()
    bounds = _bounds(instance)
    seen: list[frozenset[int]] = []
    while True:
        candidate = _smallest_hitting_set(len(bounds), seen)
        # Panels that keep the candidate and all bounds broken in this round: each gives a reason apart.
        held = set(candidate)
        while (broken := _broken(instance, must_seat, bounds, held)) is not None:
            if not broken:
                return ()
            seen.append(broken)
            held |= broken
        if held == set(candidate):
            return tuple(bounds[i] for i in candidate)


def _broken(
    instance: Instance, must_seat: int | None, bounds: list[Bound], held: set[int]
) -> frozenset[int] | None:
    """The bounds (few, if soon found) that some panel breaks while it keeps those held; None if none does."""
    programme = _Programme(instance, must_seat)
    slack = [programme.variable(0, 0 if i in held else 1) for i in range(len(bounds))]
    for i, bound in enumerate(bounds):
        programme.loosened(
            bound, slack[i], bound.value if bound.side == "min" else instance.size - bound.value
        )
    programme.minimise((s, 1) for s in slack)
    if not programme.solve(settle_for_less=True):
        return None
    sums = programme.cell_sums()
    broken = {
        i
        for i, b in enumerate(bounds)
        if (sums[b.cell] < b.value if b.side == "min" else sums[b.cell] > b.value)
    }
    if broken & held:
        raise InternalError(f"The solver returned a panel outside the quotas. {_REPORT}")
    return frozenset(broken)


def _smallest_hitting_set(count: int, sets: list[frozenset[int]]) -> tuple[int, ...]:
    """The fewest of `count` items that meet every set; of these, some with the smallest sum of places."""
    if not sets:
        return ()
    items = sorted(frozenset().union(*sets))
    solver = _Solver()
    chosen = {i: solver.variable(0, 1) for i in items}
    for members in sets:
        solver.row(((chosen[i], 1) for i in sorted(members)), 1, len(members))
    # Any sum of places is below count², so the number of items comes first.
    solver.minimise((chosen[i], count * count + i) for i in items)
    if not solver.solve():
        raise InternalError(f"A set of reasons could not be covered. {_REPORT}")
    return tuple(i for i in items if solver.value(chosen[i]))


def _repair(instance: Instance, *, within_flex: bool) -> tuple[Change, ...] | None:
    """The changes of a smallest repair, by cell; None if there is none within the limits."""
    programme = _Programme(instance)
    bounds = _bounds(instance)
    limits = [
        _limit(instance, b) if within_flex else (0 if b.side == "min" else instance.size) for b in bounds
    ]
    slack = [
        programme.variable(0, max(0, abs(limit - b.value))) for b, limit in zip(bounds, limits, strict=True)
    ]
    touched = [programme.variable(0, 1) for _ in bounds]
    for bound, limit, s, used in zip(bounds, limits, slack, touched, strict=True):
        programme.loosened(bound, s, 1)
        programme.row([(s, 1), (used, -abs(limit - bound.value))], -instance.size * 2, 0)
    # One aim after the other, each held while the next is sought: sum, number, place.
    total = [(s, 1) for s in slack]
    number = [(used, 1) for used in touched]
    place = [(used, i) for i, used in enumerate(touched)]
    for aim in (total, number, place):
        programme.minimise(aim)
        if not programme.solve():
            return None
        best = sum(weight * programme.value(variable) for variable, weight in aim)
        programme.row(aim, 0, best)
    return tuple(
        Change(b, b.value - programme.value(s) if b.side == "min" else b.value + programme.value(s))
        for b, s in zip(bounds, slack, strict=True)
        if programme.value(s)
    )


def _limit(instance: Instance, bound: Bound) -> int:
    """How far a bound may be loosened by the organiser's own words, never tighter than it is."""
    if bound.side == "min":
        given = _flat(instance.flex_minima)[bound.cell]
        return min(bound.value, 0 if given is None else given)
    given = _flat(instance.flex_maxima)[bound.cell]
    return max(bound.value, instance.size if given is None else given)


def _flat(table: Iterable[Iterable[int | None]]) -> list[int | None]:
    return [value for row in table for value in row]


class _Solver:
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

    def solve(self, *, settle_for_less: bool = False) -> bool:
        """Whether there is a solution: proved either way, and the best one unless told to settle for less."""
        status = self._run(_SETTLE_FOR_LESS if settle_for_less else _GIVE_UP)
        if settle_for_less and status == self._solver.NOT_SOLVED:
            self._solver.Objective().Clear()
            status = self._run(_GIVE_UP)
        if status == self._solver.INFEASIBLE:
            return False
        if status == self._solver.OPTIMAL or (settle_for_less and status == self._solver.FEASIBLE):
            # Kept here, since the solver forgets it when the programme changes.
            self._found = [round(v.solution_value()) for v in self._variables]
            return True
        raise SearchLimitError(
            f"The solver gave up before it knew whether a panel exists (status {status}). {_REPORT}"
        )

    def _run(self, limit: str) -> int:
        # Left to itself the solver puts its own handler on Ctrl-C, and none back.
        exact = "num_workers: 1 random_seed: 1 relative_gap_limit: 0 absolute_gap_limit: 0 catch_sigint_signal: false"
        self._solver.SetSolverSpecificParametersAsString(f"{exact} max_deterministic_time: {limit}")
        return solve(self._solver)

    def value(self, variable: int) -> int:
        """The variable's value in the last solution."""
        return self._found[variable]


class _Programme(_Solver):
    """Seats of each type, as many in all as the panel has; quotas are added as needed."""

    def __init__(
        self,
        instance: Instance,
        must_seat: int | None = None,
    ) -> None:
        super().__init__()
        self.seats = [self.variable(int(t == must_seat), n) for t, n in enumerate(instance.counts)]
        self.cells = [[self.seats[t] for t in members] for members in _members(instance)]
        self.row(((x, 1) for x in self.seats), instance.size, instance.size)

    def loosened(self, bound: Bound, slack: int, weight: int) -> None:
        """The bound, loosened by `weight` times the slack."""
        terms = [(x, 1) for x in self.cells[bound.cell]]
        if bound.side == "min":
            self.row([*terms, (slack, weight)], bound.value, None)
        else:
            self.row([*terms, (slack, -weight)], None, bound.value)

    def cell_sums(self) -> list[int]:
        return [sum(self.value(x) for x in members) for members in self.cells]
