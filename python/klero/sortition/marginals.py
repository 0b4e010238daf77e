"""How likely may each person be to sit? The fairest selection probabilities that the quotas allow.

Method. People of one type (same value of every feature, same weight) are exchangeable, so a fairest lottery gives one
probability to a type. Write x_T for the expected seats of type T (n_T people of weight w_T, a_T = n_T·w_T, p_T = x_T / n_T). Leximin
raises the smallest p/w as far as the quotas let it, settles the types that cannot have more, and goes on with the rest
(Flanigan et al., «Fair algorithms for selecting citizens' assemblies», Nature 2021, over panels; here over the linear
relaxation). Each step is a linear programme:

    maximise t   subject to   x_T ≥ a_T·t (T not settled),  x_S = a_S·v_S (S settled),
                              lo_c ≤ Σ_{T in c} x_T ≤ hi_c,  Σ x_T = k,  0 ≤ x_T ≤ n_T

solved in t and s_T = x_T − a_T·t ≥ 0, so that only cells are rows: a few dozen, whatever the number of types. The rows
a_T·t + s_T ≤ n_T are there for the few types that need them.

Guarantee. The solver's floats are only a hint: its final basis is solved again in exact rational arithmetic (FLINT),
and the step is accepted when the exact primal is feasible and the exact dual bound equals it. So each level is an exact
rational («13/199»), and its dual, as integers, is a proof that anyone can recheck. What it does not do: it looks at the
linear relaxation, whose probabilities nearly always can be realised by panels; `lottery.py` finds out whether they can.

Cost: one small linear programme a step (1 to 70 seen), a few dozen rows in the exact part; 0.1 s a step with 14,000 types. One
thread, no randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING, Any

from klero.errors import InternalError
from klero.sortition.certificate import Claim, Level, linear_bound, mean_bound, primitive, sparse
from klero.sortition.rational import solve_rational
from klero.sortition.solver import solve

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

Progress = Callable[[str, int], None]

_ONE = Fraction(1)
# Seats, or a price, below this are rounding.
_NEAR = 1e-9

# Degenerate programmes can go round in circles: 16,000 iterations is the most that one was seen to need.
_ITERATIONS = "max_number_of_iterations: 50000"
# Tried in turn until one ends in a basis that is optimal in exact arithmetic.
_SETTINGS = (
    "use_dual_simplex: false",
    "use_dual_simplex: true",
    "use_preprocessing: false use_dual_simplex: false",
    "use_preprocessing: false use_dual_simplex: true use_scaling: false",
    "use_preprocessing: false use_dual_simplex: false primal_feasibility_tolerance: 1e-11 dual_feasibility_tolerance: 1e-11",
)


@dataclass(frozen=True)
class Marginals:
    """Expected seats by type, and the levels that prove them.

    Attributes:
        seats: expected seats of each type in the instance's order (probability × people), each in [0, n_T].
        levels: the certificate's levels, values rising.
        claim: of nash, goldilocks and minimax.
    """

    seats: tuple[Fraction, ...]
    levels: tuple[Level, ...]
    claim: Claim | None = None


def leximin(instance: Instance, never: Sequence[Level] = (), progress: Progress | None = None) -> Marginals:
    """Leximin over the linear relaxation.

    Args:
        instance: the people and quotas; the linear relaxation must be feasible.
        never: levels already proved (people who can sit on no panel, value 0).
        progress: called with («levels», number found so far).

    Raises:
        InternalError: no setting of the solver ended in an exactly optimal basis (a bug: please report it).
    """
    programme = _Programme(instance)
    levels = list(never)
    for level in levels:
        programme.settle(level)
    while len(programme.settled) < len(instance.types):
        level = programme.solve()
        programme.settle(level)
        levels.append(level)
        if progress:
            progress("levels", len(levels))
    seats = tuple(programme.settled[t] * a for t, a in enumerate(instance.shares))
    return Marginals(seats, tuple(levels))


def maximin(instance: Instance, never: Sequence[Level] = (), progress: Progress | None = None) -> Marginals:
    """The highest minimum probability; of the marginals that reach it, some whose maximum is lowest (see `leximin`)."""
    programme = _Programme(instance)
    levels = list(never)
    for level in levels:
        programme.settle(level)
    while not levels or levels[-1].value == 0:
        level = programme.solve()
        levels.append(level)
        if (
            level.value == 0
        ):  # people whom the quotas leave no seat: the smallest probability is that of the others
            programme.settle(level)
    if progress:
        progress("levels", len(levels))
    return Marginals(programme.lowest_maximum(levels[-1].value), tuple(levels))


def first_level(instance: Instance) -> Level:
    """The highest minimum of p/w, and its dual weights; the linear relaxation must be feasible."""
    return _Programme(instance).solve()


def exclusions(instance: Instance, never: Sequence[Level]) -> list[Level]:
    """The levels of value 0: `never`, and those of people to whom the quotas leave no seat in the linear relaxation."""
    # Weights decide how much somebody gets, not whether; without them the numbers are smaller.
    programme = _Programme(replace(instance, weights=(1,) * len(instance.types)))
    levels = list(never)
    for level in levels:
        programme.settle(level)
    while len(programme.settled) < len(instance.types) and (level := programme.solve()).value == 0:
        programme.settle(level)
        levels.append(level)
    return levels


class _Programme:
    """The step's linear programme, kept in the solver from one level to the next."""

    def __init__(self, instance: Instance) -> None:
        from ortools.linear_solver import pywraplp

        self.instance = instance
        self.settled: dict[int, Fraction] = {}
        # t in units in which weights are near 1, since they may be as large as 10^12.
        self._unit = max(instance.weights)
        self._shares = [a / self._unit for a in instance.shares]
        self._columns = [instance.type_cells(t) for t in range(len(instance.types))]
        solver = pywraplp.Solver.CreateSolver("GLOP")
        self._solver = solver
        infinity = solver.infinity()
        self._value = solver.NumVar(-infinity, infinity, "")
        self._spare = [solver.NumVar(0.0, float(n), "") for n in instance.counts]
        self._cells = [solver.Constraint(float(lo), float(hi)) for lo, hi in instance.cell_bounds]
        self._cells.append(solver.Constraint(float(instance.size), float(instance.size)))
        self._caps: dict[int, Any] = {}
        self._tied = [0] * len(self._cells)
        for t, spare in enumerate(self._spare):
            for c in self.cells_of(t):
                self._cells[c].SetCoefficient(spare, 1.0)
                self._tied[c] += instance.shares[t]
        self._follow()
        solver.Objective().SetCoefficient(self._value, 1.0)
        solver.Objective().SetMaximization()

    def cells_of(self, t: int) -> tuple[int, ...]:
        """The rows that a seat of this type counts in: its cells, and the panel's size."""
        return (*self._columns[t], len(self._cells) - 1)

    def _follow(self) -> None:
        """Writes into the rows what the open types take for each unit of t."""
        for row, tied in zip(self._cells, self._tied, strict=True):
            row.SetCoefficient(self._value, tied / self._unit)

    def settle(self, level: Level) -> None:
        """Holds the types of a level at its value, from the next solve on."""
        for t, _ in level.types:
            self.settled[t] = level.value
            seats = float(level.value * self.instance.shares[t])
            self._spare[t].SetBounds(seats, seats)
            for c in self.cells_of(t):
                self._tied[c] -= self.instance.shares[t]
            if t in self._caps:
                # Always true, and so out of the way: a row without bounds may end in the basis as a free one.
                self._caps[t].SetCoefficient(self._value, 0.0)
                self._caps[t].SetBounds(-self._solver.infinity(), 2.0 * self.instance.counts[t])
        self._follow()

    def solve(self) -> Level:
        """The next level: its exact value and integer dual weights."""
        for parameters in _SETTINGS:
            self._solver.SetSolverSpecificParametersAsString(f"{parameters} {_ITERATIONS}")
            if self._solved():
                level = self._exact()
                if level is not None:
                    return level
        raise InternalError(
            "A fairness level could not be solved exactly. This is a fault of klero: please report it with the "
            "two tables (any identities replaced)."
        )

    def _solved(self) -> bool:
        """Solves with no type above its number of people.

        s_T ≤ n_T − a_T·t depends on t. Nearly always it is enough to put the value just found for t and to solve again: a type then at
        its bound has the seats it has by the solver's free choice, and its bound has no price. Where it has one, or where that t turns
        out to be too high, rows are added.
        """
        loose: list[int] = []
        priced: list[int] = []
        while True:
            if solve(self._solver) != self._solver.OPTIMAL:
                # The last t was too high: bounds as before, and rows for the types that it concerned.
                if not (loose or priced):
                    return False
                for t in self._open():
                    self._spare[t].SetBounds(0.0, float(self.instance.counts[t]))
                self._cap([t for t in loose if t not in self._caps])
                loose, priced = [], []
                continue
            value = self._value.solution_value()
            rooms, loose, priced = [], [], []
            for t in self._open():
                spare = self._spare[t]
                room = self.instance.counts[t] - self._shares[t] * value
                if room < -_NEAR:  # only where weights differ: the level itself is too high for this type
                    priced.append(t)
                    continue
                room = max(0.0, room)
                rooms.append((spare, room))
                at_top = spare.basis_status() in (self._solver.AT_UPPER_BOUND, self._solver.FIXED_VALUE)
                if spare.solution_value() > room + _NEAR or (at_top and abs(spare.ub() - room) > _NEAR):
                    loose.append(t)
                if at_top and abs(spare.reduced_cost()) > _NEAR:
                    priced.append(t)
            if not (loose or priced):
                return True
            for spare, room in rooms:
                spare.SetBounds(0.0, room)
            self._cap(priced)

    def _open(self) -> list[int]:
        """The types that are neither settled nor have a row of their own."""
        return [t for t in range(len(self._spare)) if t not in self.settled and t not in self._caps]

    def _cap(self, types: Sequence[int]) -> None:
        """Gives types the row a_T·t + s_T ≤ n_T."""
        for t in types:
            cap = self._solver.Constraint(-self._solver.infinity(), float(self.instance.counts[t]))
            cap.SetCoefficient(self._spare[t], 1.0)
            cap.SetCoefficient(self._value, self._shares[t])
            self._spare[t].SetBounds(0.0, self._solver.infinity())
            self._caps[t] = cap

    def _exact(self) -> Level | None:
        """The level that the solver's final basis gives in rational arithmetic; None if that is not exactly optimal."""
        basis = _Basis(self)
        duals = basis.duals()
        if duals is None:
            return None
        weights, seats, group = duals
        if any(y < 0 for y in group.values()):
            return None
        level = Level(Fraction(0), sparse(group), sparse(weights), seats)
        if not level.types:
            return None
        value = mean_bound(
            self.instance, self.settled, level, linear_bound(self.instance, self.settled, level)
        )
        return Level(value, level.types, level.cells, seats) if basis.is_feasible(value) else None

    def lowest_maximum(self, value: Fraction) -> tuple[Fraction, ...]:
        """Seats with every open p/w at least `value` and the largest as small as can be (floats, as rationals)."""
        infinity = self._solver.infinity()
        top = self._solver.NumVar(0.0, infinity, "")
        held = float(value * self._unit)
        self._value.SetBounds(held, held)
        for t, a in enumerate(self._shares):
            if t not in self.settled:
                cap = self._solver.Constraint(-infinity, 0.0)
                cap.SetCoefficient(self._spare[t], 1.0)
                cap.SetCoefficient(self._value, a)
                cap.SetCoefficient(top, -a)
        self._solver.Objective().Clear()
        self._solver.Objective().SetCoefficient(top, 1.0)
        self._solver.Objective().SetMinimization()
        if not self._solved():
            raise InternalError(
                "The second step of maximin was not solved; please report it with the two tables."
            )
        seats = [
            spare.solution_value() + (0.0 if t in self.settled else a * held)
            for t, (spare, a) in enumerate(zip(self._spare, self._shares, strict=True))
        ]
        return tuple(
            Fraction(min(float(n), max(0.0, x))) for x, n in zip(seats, self.instance.counts, strict=True)
        )


class _Basis:
    """The solver's final basis, reduced: types tied to the level follow it, so a few dozen unknowns remain.

    Unknowns: the level t, and the seats of each type that is neither tied nor held. Equations: each binding cell (and the panel's size),
    and each tie whose type is also held at its number of people («odd»). The dual is the transposed system.
    """

    def __init__(self, programme: _Programme) -> None:
        self._programme = programme
        instance = programme.instance
        basic = programme._solver.BASIC
        self._tied: list[int] = []
        self._free: list[int] = []
        self._odd: list[int] = []
        self._full: list[int] = []
        # Settled types that a degenerate basis holds: unknowns whose values are known, and checked.
        self._pinned: list[int] = []
        for t, spare in enumerate(programme._spare):
            if t in programme.settled:
                if spare.basis_status() == basic:
                    self._pinned.append(t)
                continue
            capped = t in programme._caps and programme._caps[t].basis_status() != basic
            status = spare.basis_status()
            if status == basic:
                (self._full if capped else self._free).append(t)
            elif status == programme._solver.AT_UPPER_BOUND:
                self._full.append(t)
            else:
                (self._odd if capped else self._tied).append(t)
        statuses = [row.basis_status() for row in programme._cells]
        self._rows = [c for c, status in enumerate(statuses) if status != basic]
        limits = (*instance.cell_bounds, (instance.size, instance.size))
        self._targets = [
            limits[c][0 if statuses[c] == programme._solver.AT_LOWER_BOUND else 1] for c in self._rows
        ]
        self._free += self._pinned
        self._matrix = self._build_matrix()

    def _build_matrix(self) -> list[list[int]] | None:
        """Rows: binding cells, then odd ties; columns: the level, then the free types."""
        shares = self._programme.instance.shares
        place = {c: i for i, c in enumerate(self._rows)}
        rows = [[0] * (1 + len(self._free)) for _ in range(len(self._rows) + len(self._odd))]
        if len(rows) != 1 + len(self._free):
            return None
        for t in self._tied:
            for c in self._programme.cells_of(t):
                if c in place:
                    rows[place[c]][0] += shares[t]
        for j, t in enumerate(self._free, 1):
            for c in self._programme.cells_of(t):
                if c in place:
                    rows[place[c]][j] = 1
        for i, t in enumerate(self._odd, len(self._rows)):
            rows[i][0] = shares[t]
        return rows

    def duals(self) -> tuple[dict[int, int], int, dict[int, int]] | None:
        """(λ by cell, ν, y by type) as integers without a common factor, or None if the basis is not one."""
        if self._matrix is None:
            return None
        transposed = [list(column) for column in zip(*self._matrix, strict=True)]
        solution = solve_rational(transposed, [Fraction(1)] + [Fraction(0)] * len(self._free))
        if solution is None:
            return None
        integers = primitive(solution)
        by_row = dict(zip(self._rows, integers, strict=False))
        seats = by_row.pop(len(self._programme._cells) - 1, 0)
        group = dict(zip(self._odd, integers[len(self._rows) :], strict=True))
        for t in self._tied:
            group[t] = seats + sum(by_row.get(c, 0) for c in self._programme._columns[t])
        return by_row, seats, group

    def is_feasible(self, value: Fraction) -> bool:
        """Whether the exact primal solution has this level and keeps every bound."""
        solution = solve_rational(self._matrix or [[]], self._side())
        if solution is None or solution[0] != value:
            return False
        programme = self._programme
        instance = programme.instance
        # Everything over one denominator, so that the thousands of sums are of integers.
        scale = lcm(value.denominator, *(x.denominator for x in (*solution[1:], *programme.settled.values())))
        level = value.numerator * (scale // value.denominator)
        lowest = [a * level for a in instance.shares]
        for t, v in programme.settled.items():
            lowest[t] = instance.shares[t] * v.numerator * (scale // v.denominator)
        seats = list(lowest)
        for t in (*self._full, *self._odd):
            seats[t] = instance.counts[t] * scale
        for t, x in zip(self._free, solution[1:], strict=True):
            seats[t] = x.numerator * (scale // x.denominator)
        if any(seats[t] != lowest[t] for t in self._pinned):
            return False
        if any(not low <= x <= n * scale for low, x, n in zip(lowest, seats, instance.counts, strict=True)):
            return False
        totals = [0] * len(programme._cells)
        for t, share in enumerate(seats):
            for c in programme.cells_of(t):
                totals[c] += share
        limits = (*instance.cell_bounds, (instance.size,) * 2)
        return all(lo * scale <= total <= hi * scale for total, (lo, hi) in zip(totals, limits, strict=True))

    def _side(self) -> list[Fraction]:
        """The binding bounds less the seats of the types that are held."""
        instance = self._programme.instance
        place = {c: i for i, c in enumerate(self._rows)}
        # A level's types share one Fraction object: their seats are added up as integers, by object.
        held: list[dict[int, int]] = [{} for _ in self._rows]
        values = {id(v): v for v in self._programme.settled.values()} | {id(_ONE): _ONE}
        pinned = set(self._pinned)
        settled = self._programme.settled.items()
        fixed = [(t, instance.shares[t], v) for t, v in settled if t not in pinned]
        # An odd type is full too; its seats follow the level through its own row.
        fixed += [(t, instance.counts[t], _ONE) for t in (*self._full, *self._odd)]
        for t, seats, v in fixed:
            for c in self._programme.cells_of(t):
                if c in place:
                    row = held[place[c]]
                    row[id(v)] = row.get(id(v), 0) + seats
        side = [
            bound - sum((seats * values[key] for key, seats in row.items()), Fraction(0))
            for bound, row in zip(self._targets, held, strict=True)
        ]
        return side + [Fraction(instance.counts[t]) for t in self._odd]
