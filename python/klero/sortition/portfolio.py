"""Nash, goldilocks and minimax over the panels themselves, for pools whose linear bound no lottery reaches.

Method: column generation (Flanigan et al., Nature 2021, for nash too), by types. A master programme finds the best weights of the panels known and prices the
types; CP-SAT finds the panel that is worth most at these prices, as whole numbers; until none is worth more than those known. Then the
prices are the claim's weights, and a tree (`branching.py`) proves that no panel exceeds them. Nash's master is an interior-point method over
the weights; the other two are linear, 1/m being bounded by tangents.

Guarantee: that of the claim; the gap is measured. Cost: one integer programme a panel: for small, tight pools. One thread, no randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from klero.errors import InternalError
from klero.sortition.branching import ProofTooLargeError, prove
from klero.sortition.certificate import Claim, sparse
from klero.sortition.claim import NOTHING, Standing, scores
from klero.sortition.columns import MOST_PANELS, TooLargeError
from klero.sortition.extremes import tangent
from klero.sortition.feasibility import feasible_panel
from klero.sortition.relaxation import reach, solve_symmetric, total
from klero.sortition.solver import solve

if TYPE_CHECKING:
    import numpy.typing as npt

    from klero.sortition.instance import Instance

    Floats = npt.NDArray[np.float64]

Panel = tuple[int, ...]
Progress = Callable[[str, int], None]

# Prices become integers over this scale, the largest being one.
_SCALE = 10**7
# Parts of the largest price by which a proof may stay above the best panel, tried in turn.
_ROOM = (Fraction(0), Fraction(1, 10**6), Fraction(1, 10**5), Fraction(1, 10**4))
_LEAST_TANGENT = 1e-4
_STEPS, _DONE, _PATIENCE = 100, 1e-12, 10


@dataclass(frozen=True)
class Balanced:
    """A lottery in floats, and its claim.

    Attributes:
        panels: seats by type of each panel.
        weights: the chance of each panel.
        claim: what no lottery exceeds.
    """

    panels: tuple[Panel, ...]
    weights: tuple[float, ...]
    claim: Claim


class _Master(Protocol):
    """The best weights of the panels known, and what each type's seats are worth there (0 for types not in question)."""

    def add(self, panel: Panel) -> None: ...

    def solve(self) -> tuple[list[float], list[float]]:
        """(weights of the panels, prices of the types)."""
        ...


def over_panels(
    instance: Instance,
    objective: str,
    where: Standing,
    panels: Sequence[Panel],
    progress: Progress | None = None,
) -> Balanced:
    """The best lottery over all feasible panels, starting from some in which each open type sits.

    Raises:
        TooLargeError: the proof or the number of panels grew too large.
    """
    if not where.open:
        return Balanced((panels[0],), (1.0,), NOTHING)
    known = list(dict.fromkeys(panels))
    if objective == "minimax":
        return _minimax(instance, where, known, progress)
    master = _Nash(instance, where) if objective == "nash" else _Extremes(instance, where, None)
    weights, prices, limit = _generate(instance, master, known, progress)
    return Balanced(tuple(known), tuple(weights), _claim(instance, objective, where, prices, limit))


def _minimax(instance: Instance, where: Standing, known: list[Panel], progress: Progress | None) -> Balanced:
    master = _Extremes(instance, where, 0.0)
    _, prices, limit = _generate(instance, master, known, progress)
    claim = _claim(instance, "minimax", where, prices, limit)
    second = _Extremes(instance, where, 1.0, master.top())
    weights, _, _ = _generate(instance, second, known, progress)
    return Balanced(tuple(known), tuple(weights), claim)


def _generate(
    instance: Instance, master: _Master, known: list[Panel], progress: Progress | None
) -> tuple[list[float], list[int], int]:
    """(weights, integer prices, what the best panel is worth at these); `known` grows."""
    for panel in known:
        master.add(panel)
    for _ in range(MOST_PANELS):
        weights, exact = master.solve()
        unit = _SCALE / max(1e-300, *(abs(p) for p in exact))
        prices = [round(p * unit) for p in exact]
        best = feasible_panel(instance, objective=prices)
        if best is None:
            raise InternalError(
                "The quotas were feasible and are no more. Please report it with the two tables."
            )
        limit = _worth(prices, best)
        if best in known or limit <= max(_worth(prices, p) for p in known):
            return weights, prices, limit
        known.append(best)
        master.add(best)
        if progress:
            progress("panels", len(known))
    raise TooLargeError


def _worth(prices: Sequence[int], panel: Panel) -> int:
    return sum(q * s for q, s in zip(prices, panel, strict=True) if s)


def _claim(instance: Instance, objective: str, where: Standing, prices: Sequence[int], limit: int) -> Claim:
    """The prices as a claim, with the shortest proof that they bear."""
    sign = 1 if objective == "nash" else -1
    weights = {t: sign * prices[t] for t in where.open if prices[t]}
    alpha = Fraction(0)
    if objective == "nash":
        weights = {t: max(1, prices[t]) for t in where.open}
    elif objective == "minimax":
        weights = {t: w for t, w in weights.items() if w > 0}
    else:
        alpha = tangent(instance, where, weights)
        if not alpha:
            return NOTHING
    claim = Claim(sparse(weights), alpha, ())
    q = scores(instance, objective, claim)
    if objective != "goldilocks" and q != list(prices):
        best = feasible_panel(instance, objective=q)
        limit = limit if best is None else _worth(q, best)
    for room in _ROOM:
        try:
            proof = prove(instance, q, limit + int(room * _SCALE), where.bounds)
        except ProofTooLargeError:
            continue
        return Claim(claim.weights, alpha, proof)
    raise TooLargeError


class _Nash:
    """max Σ a_T·log x_T − Σ w over weights w ≥ 0 of the panels, x = Σ w·panel, Σ a = 1: then Σ w = 1 by itself.

    An interior-point method in which only the types need a matrix.
    """

    def __init__(self, instance: Instance, where: Standing) -> None:
        self.types = list(where.open)
        self.all = len(instance.types)
        counts = np.array([instance.counts[t] for t in where.open], dtype=np.float64)
        weights = np.array([where.weights[t] for t in where.open], dtype=np.float64)
        self.gains = counts * weights / float(where.people)
        self.panels: list[list[float]] = []

    def add(self, panel: Panel) -> None:
        self.panels.append([float(panel[t]) for t in self.types])

    def solve(self) -> tuple[list[float], list[float]]:
        seats = np.array(self.panels)
        self._weight, self._dual = np.full(len(seats), 1.0 / len(seats)), np.full(len(seats), 0.1)
        self._x = _combined(seats, self._weight)
        self._price = self.gains / self._x
        best, kept, stuck = np.inf, (self._weight, self._price), 0
        for _ in range(_STEPS):
            error = self._error(seats)
            stuck = 0 if error < 0.9 * best else stuck + 1
            if error < best:
                best, kept = error, (self._weight, self._price)
            if best < _DONE or stuck > _PATIENCE:
                break
            self._step(seats, 0.1 * total(self._weight * self._dual) / len(seats))
        prices = np.zeros(self.all)
        prices[self.types] = kept[1]
        return kept[0].tolist(), prices.tolist()

    def _error(self, seats: Floats) -> float:
        slope = 1.0 - _combined(seats.T, self._price) - self._dual
        apart = self._x - _combined(seats, self._weight)
        worst = max(
            float(np.max(np.abs(v))) for v in (slope, apart, self._price * self._x / self.gains - 1.0)
        )
        return max(worst, total(self._weight * self._dual))

    def _step(self, seats: Floats, mu: float) -> None:
        weight, dual, x, price = self._weight, self._dual, self._x, self._price
        tilt = 1.0 - _combined(seats.T, price) - mu / weight
        ratio, flat = weight / dual, x * x / self.gains
        matrix = _weighted(seats, ratio)
        diagonal = np.arange(len(x))
        matrix[diagonal, diagonal] += flat
        side = x - _combined(seats, weight) - flat * (price - self.gains / x) + _combined(seats, ratio * tilt)
        d_price = solve_symmetric(matrix, side)
        d_weight = ratio * (_combined(seats.T, d_price) - tilt)
        d_dual = (mu - dual * d_weight) / weight - dual
        d_x = flat * (self.gains / x - price - d_price)
        primal, other = min(reach(weight, d_weight), reach(x, d_x)), reach(dual, d_dual)
        self._weight, self._x = weight + primal * d_weight, x + primal * d_x
        self._dual, self._price = dual + other * d_dual, price + other * d_price


def _combined(rows: Floats, weights: Floats) -> Floats:
    """Σ_i weights_i·rows_i, added up in the order of the rows."""
    combined = np.zeros(rows.shape[1])
    for row, weight in zip(rows, weights.tolist(), strict=True):
        combined += weight * row
    return combined


def _weighted(rows: Floats, weights: Floats) -> Floats:
    """Σ_i weights_i·rows_iᵀ·rows_i, added up in the order of the rows."""
    matrix = np.zeros((rows.shape[1], rows.shape[1]))
    for row, weight in zip(rows, weights.tolist(), strict=True):
        used = np.flatnonzero(row)
        matrix[np.ix_(used, used)] += weight * row[used, None] * row[None, used]
    return matrix


class _Extremes:
    """min M + 1/m (second None), min M (0) or max m with M held (1) over weights of the panels."""

    def __init__(
        self, instance: Instance, where: Standing, second: float | None, held: float | None = None
    ) -> None:
        from ortools.linear_solver import pywraplp

        self._second = second
        self._where = where
        self._all = len(instance.types)
        self._even = [float(instance.counts[t] * where.weights[t] * where.share) for t in where.open]
        solver = pywraplp.Solver.CreateSolver("GLOP")
        self._solver = solver
        infinity = solver.infinity()
        self._top = solver.NumVar(1.0, infinity, "")
        self._bottom = solver.NumVar(0.0, 1.0, "")
        self._inverse = solver.NumVar(1.0, infinity, "")
        self._one = solver.Constraint(1.0, 1.0)
        self._below = [solver.Constraint(-infinity, 0.0) for _ in where.open]
        self._above = [solver.Constraint(0.0, infinity) for _ in where.open]
        for below, above, even in zip(self._below, self._above, self._even, strict=True):
            below.SetCoefficient(self._top, -even)
            above.SetCoefficient(self._bottom, -even)
        if second == 1.0:
            solver.Objective().SetCoefficient(self._bottom, -1.0)
            self._top.SetUb(float(held or 1.0) * (1 + 1e-9))
        else:
            solver.Objective().SetCoefficient(self._top, 1.0)
        if second is None:
            solver.Objective().SetCoefficient(self._inverse, 1.0)
        solver.Objective().SetMinimization()
        self._columns: list[Any] = []

        # From afar first: tangents near m = 0 are too steep for the solver.
        for halvings in range(8 if second is None else 0):
            self._bound_inverse(0.5**halvings)

    def _bound_inverse(self, at: float) -> None:
        """1/m ≥ 2/at − m/at², as at²·(1/m) + m ≥ 2·at."""
        line = self._solver.Constraint(2.0 * at, self._solver.infinity())
        line.SetCoefficient(self._inverse, at * at)
        line.SetCoefficient(self._bottom, 1.0)

    def top(self) -> float:
        return float(self._top.solution_value())

    def add(self, panel: Panel) -> None:
        column = self._solver.NumVar(0.0, self._solver.infinity(), "")
        self._one.SetCoefficient(column, 1.0)
        for i, t in enumerate(self._where.open):
            if panel[t]:
                self._below[i].SetCoefficient(column, float(panel[t]))
                self._above[i].SetCoefficient(column, float(panel[t]))
        self._columns.append(column)

    def solve(self) -> tuple[list[float], list[float]]:
        tried: set[float] = set()
        while True:
            if solve(self._solver) != self._solver.OPTIMAL:
                raise TooLargeError
            m, inverse = float(self._bottom.solution_value()), float(self._inverse.solution_value())
            at = max(round(m, 9), _LEAST_TANGENT)
            if self._second is not None or m * inverse > 1 - 1e-13 or at in tried or len(tried) > _STEPS:
                break
            tried.add(at)
            self._bound_inverse(at)
        prices = [0.0] * self._all
        for t, below, above in zip(self._where.open, self._below, self._above, strict=True):
            # Duals are what the minimum gains for a larger right side; seats are worth what lowers it.
            prices[t] = below.dual_value() + above.dual_value()
        return [max(0.0, float(c.solution_value())) for c in self._columns], prices
