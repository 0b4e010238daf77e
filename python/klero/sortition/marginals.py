"""How likely may each person be to sit? The fairest selection probabilities that the quotas allow.

Method. People of one type (same value of every feature) are exchangeable, so a fairest lottery gives one
probability to a type. Write x_T for the expected seats of type T (n_T people, p_T = x_T / n_T). Leximin raises the
smallest probability as far as the quotas let it, settles the types that cannot have more, and goes on with the rest
(Flanigan et al., «Fair algorithms for selecting citizens' assemblies», Nature 2021, over panels; here over the linear
relaxation). Each step is a linear programme:

    maximise t   subject to   x_T ≥ n_T·t (T not settled),  x_S = n_S·v_S (S settled),
                              lo_c ≤ Σ_{T in c} x_T ≤ hi_c,  Σ x_T = k,  0 ≤ x_T ≤ n_T

Guarantee. The solver's floats are only a hint: its final basis is solved again in exact rational arithmetic (FLINT),
and the step is accepted when the exact primal is feasible and the exact dual bound equals it. So each level is an exact
rational («13/199»), and its dual, as integers, is a proof that anyone can recheck. What it does not do: it looks at the
linear relaxation, whose probabilities nearly always can be realised by panels; `lottery.py` finds out whether they can.

Cost: one small linear programme a step (1 to 46 seen), a few dozen rows in the exact part. One thread, no randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import TYPE_CHECKING

from klero.errors import InternalError
from klero.sortition.certificate import Claim, Level, linear_bound, mean_bound, primitive, sparse
from klero.sortition.rational import solve_rational
from klero.sortition.solver import solve

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

Progress = Callable[[str, int], None]

_ONE = Fraction(1)

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
    """Selection probabilities by type, and the levels that prove them.

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
    seats = tuple(programme.settled[t] * n for t, n in enumerate(instance.counts))
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


def exclusions(instance: Instance, never: Sequence[Level]) -> list[Level]:
    """The levels of value 0: `never`, and those of people to whom the quotas leave no seat in the linear relaxation."""
    programme = _Programme(instance)
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
        self._columns = [instance.type_cells(t) for t in range(len(instance.types))]
        solver = pywraplp.Solver.CreateSolver("GLOP")
        self._solver = solver
        infinity = solver.infinity()
        self._value = solver.NumVar(-infinity, infinity, "")
        self._seats = [solver.NumVar(0.0, float(n), "") for n in instance.counts]
        self._cells = [solver.Constraint(float(lo), float(hi)) for lo, hi in instance.cell_bounds]
        self._cells.append(solver.Constraint(float(instance.size), float(instance.size)))
        self._ties = []
        for t, cells in enumerate(self._columns):
            for c in (*cells, len(self._cells) - 1):
                self._cells[c].SetCoefficient(self._seats[t], 1.0)
            tie = solver.Constraint(0.0, infinity)
            tie.SetCoefficient(self._seats[t], 1.0)
            tie.SetCoefficient(self._value, -float(instance.counts[t]))
            self._ties.append(tie)
        solver.Objective().SetCoefficient(self._value, 1.0)
        solver.Objective().SetMaximization()

    def settle(self, level: Level) -> None:
        """Holds the types of a level at its value, from the next solve on."""
        for t, _ in level.types:
            self.settled[t] = level.value
            seats = float(level.value * self.instance.counts[t])
            self._seats[t].SetBounds(seats, seats)
            # Always true, and so out of the way: a row without bounds may end in the basis as a free one.
            self._ties[t].SetBounds(-float(2 * self.instance.counts[t]), self._solver.infinity())

    def solve(self) -> Level:
        """The next level: its exact value and integer dual weights."""
        for parameters in _SETTINGS:
            self._solver.SetSolverSpecificParametersAsString(parameters)
            if solve(self._solver) == self._solver.OPTIMAL:
                level = self._exact()
                if level is not None:
                    return level
        raise InternalError(
            "A fairness level could not be solved exactly. This is a fault of klero: please report it with the "
            "two tables (any identities replaced)."
        )

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
        """Seats with every open probability at least `value` and the largest as small as can be (floats, as rationals)."""
        top = self._solver.NumVar(0.0, 1.0, "")
        self._value.SetBounds(float(value), float(value))
        for t, n in enumerate(self.instance.counts):
            cap = self._solver.Constraint(-self._solver.infinity(), 0.0)
            cap.SetCoefficient(self._seats[t], 1.0)
            cap.SetCoefficient(top, -float(n))
        self._solver.Objective().Clear()
        self._solver.Objective().SetCoefficient(top, 1.0)
        self._solver.Objective().SetMinimization()
        if solve(self._solver) != self._solver.OPTIMAL:
            raise InternalError(
                "The second step of maximin was not solved; please report it with the two tables."
            )
        return tuple(
            Fraction(min(float(n), max(0.0, s.solution_value())))
            for s, n in zip(self._seats, self.instance.counts, strict=True)
        )


class _Basis:
    """The solver's final basis, reduced: types tied to the level follow it, so a few dozen unknowns remain.

    Unknowns: the level t, and the seats of each basic type that is not tied. Equations: each binding cell (and the panel's size), and
    each tie whose type is held at a bound. The dual is the transposed system.
    """

    def __init__(self, programme: _Programme) -> None:
        self._programme = programme
        instance = programme.instance
        basic = programme._solver.BASIC
        tight = [row.basis_status() != basic for row in programme._ties]
        at = [var.basis_status() for var in programme._seats]
        everyone = range(len(at))
        self._tied = [t for t in everyone if tight[t] and at[t] == basic]
        self._free = [t for t in everyone if not tight[t] and at[t] == basic]
        self._held = {t: self._held_at(t, at[t]) for t in everyone if at[t] != basic}
        self._odd = [t for t in everyone if tight[t] and at[t] != basic]
        statuses = [row.basis_status() for row in programme._cells]
        self._rows = [c for c, status in enumerate(statuses) if status != basic]
        limits = (*instance.cell_bounds, (instance.size, instance.size))
        self._targets = [
            limits[c][0 if statuses[c] == programme._solver.AT_LOWER_BOUND else 1] for c in self._rows
        ]
        self._matrix = self._build_matrix()

    def _held_at(self, t: int, status: int) -> tuple[int, Fraction]:
        """Seats of a type that is not basic, as a whole number times a probability."""
        programme = self._programme
        n = programme.instance.counts[t]
        if t in programme.settled:
            return n, programme.settled[t]
        return (n if status == programme._solver.AT_UPPER_BOUND else 0), _ONE

    def _build_matrix(self) -> list[list[int]] | None:
        """Rows: binding cells, then odd ties; columns: the level, then the free types."""
        instance = self._programme.instance
        place = {c: i for i, c in enumerate(self._rows)}
        rows = [[0] * (1 + len(self._free)) for _ in range(len(self._rows) + len(self._odd))]
        if len(rows) != 1 + len(self._free):
            return None
        for t in self._tied:
            for c in self._cells_of(t):
                if c in place:
                    rows[place[c]][0] += instance.counts[t]
        for j, t in enumerate(self._free, 1):
            for c in self._cells_of(t):
                if c in place:
                    rows[place[c]][j] = 1
        for i, t in enumerate(self._odd, len(self._rows)):
            rows[i][0] = instance.counts[t]
        return rows

    def _cells_of(self, t: int) -> tuple[int, ...]:
        return (*self._programme._columns[t], len(self._programme._cells) - 1)

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
        return by_row, seats, {t: y for t, y in group.items() if t not in self._programme.settled}

    def is_feasible(self, value: Fraction) -> bool:
        """Whether the exact primal solution has this level and keeps every bound."""
        solution = solve_rational(self._matrix or [[]], self._side())
        if solution is None or solution[0] != value:
            return False
        programme = self._programme
        counts = programme.instance.counts
        # Everything over one denominator, so that the thousands of sums are of integers.
        scale = lcm(value.denominator, *(x.denominator for x in (*solution[1:], *programme.settled.values())))
        level = value.numerator * (scale // value.denominator)
        seats = [n * level for n in counts]
        lowest = list(seats)
        for t, (n, p) in self._held.items():
            seats[t] = n * p.numerator * (scale // p.denominator)
        for t, x in zip(self._free, solution[1:], strict=True):
            seats[t] = x.numerator * (scale // x.denominator)
        for t, p in programme.settled.items():
            lowest[t] = counts[t] * p.numerator * (scale // p.denominator)
            if seats[t] != lowest[t]:
                return False
        if any(not low <= x <= n * scale for low, x, n in zip(lowest, seats, counts, strict=True)):
            return False
        totals = [0] * len(programme._cells)
        for t, share in enumerate(seats):
            for c in self._cells_of(t):
                totals[c] += share
        limits = (*programme.instance.cell_bounds, (programme.instance.size,) * 2)
        return all(lo * scale <= total <= hi * scale for total, (lo, hi) in zip(totals, limits, strict=True))

    def _side(self) -> list[Fraction]:
        """The binding bounds less the seats of the types that are held."""
        place = {c: i for i, c in enumerate(self._rows)}
        # A level's types share one Fraction object: their seats are added up as integers, by object.
        held: list[dict[int, int]] = [{} for _ in self._rows]
        values = {id(p): p for _, p in self._held.values()}
        for t, (n, p) in self._held.items():
            for c in self._cells_of(t) if n else ():
                if c in place:
                    row = held[place[c]]
                    row[id(p)] = row.get(id(p), 0) + n
        side = [
            bound - sum((n * values[key] for key, n in row.items()), Fraction(0))
            for bound, row in zip(self._targets, held, strict=True)
        ]
        return side + [n * p for n, p in (self._held[t] for t in self._odd)]
