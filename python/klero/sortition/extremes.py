"""Which probabilities keep the largest chance low, or the largest and the smallest near each other?

Goldilocks (Baharav and Flanigan, «Fair, manipulation-robust, and transparent sortition», EC 2024): nobody's chance much above the even share
and nobody's much below. With r_T = p_T / (w_T·share), the chance in even shares,

    minimise max r + 1 / min r.

Minimax: the smallest possible max r; then, of the lotteries that have it, one with the highest min r. Where several probabilities serve an
objective alike, those with the largest product are taken (`nash.py`), so that no solver's choice decides.

Method. Only two numbers are sought, M = max r and m = min r. A pair is possible if seats x with m·b ≤ x ≤ min(n, M·b), b_T = n_T·w_T·share, keep the
quotas: a linear programme with a row for each quota. Where it isn't, its duals cut off a half-plane of pairs, Z·M − Y·m ≥ L; the best
pair of what is left is tried next (Benders, Numerische Mathematik 1962). The cut that holds at the end, or the mean of the two that meet
there, is the proof (`claim.py`).

Guarantee: none from the floats; the certificate measures what was reached. Cost: 5 to 40 small programmes. One thread, no randomness.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt, sqrt
from typing import TYPE_CHECKING

import numpy as np

from klero.errors import InternalError
from klero.sortition.certificate import Claim, sparse
from klero.sortition.claim import NOTHING, Standing
from klero.sortition.nash import Barrier
from klero.sortition.relaxation import SCALE, Priced, Relaxation, cheapest_leaf, total
from klero.sortition.solver import solve

if TYPE_CHECKING:
    import numpy.typing as npt

    from klero.sortition.instance import Instance

    Floats = npt.NDArray[np.float64]

_MOST_CUTS = 300
# Seats by which a pair's programme may miss the quotas, of all seats.
_POSSIBLE = 1e-11
# A weight below this part of the largest is rounding.
_NOISE = 1e-9
_TANGENT_UNIT = 10**12
# A cut holds at a pair that it misses by less than this.
_HOLDS = 1e-9
_FILLED = 1e-8
# How much wider than its ends the band is in which the product is made largest.
_WIDER = 1e-10


@dataclass(frozen=True)
class _Cut:
    """Z·M − Y·m ≥ L for every lottery, the duals that say so (of the relaxation's rows), and what each type adds to Z (or, below 0, to Y)."""

    high: float
    low: float
    least: float
    duals: Floats
    weights: Floats


def goldilocks(instance: Instance, where: Standing) -> tuple[Priced, Claim]:
    """The goldilocks optimum over the linear relaxation, and the claim that its duals make."""
    problem = Relaxation(instance, where)
    pairs = _Pairs(problem)
    ends = pairs.run(_best_pair)
    found, claim = pairs.fill(ends), NOTHING
    if (mean := _mean_of_cuts(pairs.cuts, ends)) is not None:
        weights = _weights(instance, where, problem, mean)
        if alpha := tangent(instance, where, weights):
            claim = _claim(instance, where, problem, mean.duals, weights, alpha)
    return found, claim


def minimax(instance: Instance, where: Standing) -> tuple[Priced, Claim]:
    """The lowest maximum with, of those, the highest minimum, and the claim that proves the maximum."""
    problem = Relaxation(instance, where)
    pairs = _Pairs(problem)
    _, top = pairs.run(lambda cuts: (0.0, max([1.0, *(c.least / c.high for c in cuts if c.high > 0)])))
    binding = max((c for c in pairs.cuts if c.high > 0), key=lambda c: c.least / c.high, default=None)
    if binding is None or binding.least <= binding.high:
        # The mean is 1, so that is a bound; and all may have it.
        even = np.zeros(len(problem.low))
        even[-1] = -1.0
        binding = _Cut(problem.low[-1], 0.0, problem.low[-1], even, np.ones(len(problem.counts)))
    weights = _weights(instance, where, problem, _scaled(binding, 1 / binding.high))
    weights = {t: w for t, w in weights.items() if w > 0}
    claim = _claim(instance, where, problem, binding.duals / binding.high, weights, Fraction(0))

    def highest(cuts: list[_Cut]) -> tuple[float, float]:
        return min([1.0, *((c.high * top - c.least) / c.low for c in cuts if c.low > 0)]), top

    return pairs.fill(pairs.run(highest)), claim


class _Pairs:
    """The programme that tries a pair (m, M), and the cuts of those that failed."""

    def __init__(self, problem: Relaxation) -> None:
        from ortools.linear_solver import pywraplp

        self.problem = problem
        # Nobody is surer than sure: m·b ≤ n of the heaviest.
        heaviest = int(np.argmin(problem.counts / problem.even))
        one = np.zeros(len(problem.even))
        one[heaviest] = -1.0
        ends = float(problem.even[heaviest]), -float(problem.counts[heaviest])
        self.cuts: list[_Cut] = [_Cut(0.0, *ends, np.zeros(len(problem.low)), one)]
        solver = pywraplp.Solver.CreateSolver("GLOP")
        solver.SetSolverSpecificParametersAsString("use_dual_simplex: true")
        self._solver = solver
        self._seats = [solver.NumVar(0.0, n, "") for n in problem.counts.tolist()]
        self._rows = problem.add_rows(solver, self._seats)
        for row in self._rows:
            for sign in (1.0, -1.0):
                slack = solver.NumVar(0.0, solver.infinity(), "")
                row.SetCoefficient(slack, sign)
                solver.Objective().SetCoefficient(slack, 1.0)
        solver.Objective().SetMinimization()

    def run(self, best: Callable[[list[_Cut]], tuple[float, float]]) -> tuple[float, float]:
        """The best pair that is possible, `best` being the best of those that no cut forbids."""
        for round_ in range(_MOST_CUTS):
            pair = best(self.cuts)
            # Where cuts come ever closer, ask for less.
            cut = self._try(*pair, _POSSIBLE * 100.0 ** (round_ // 100))
            if cut is None:
                return pair
            self.cuts.append(cut)
        raise InternalError(
            "The largest and smallest chance were not found. Please report it with the two tables."
        )

    def fill(self, ends: tuple[float, float]) -> Priced:
        """Of the seats possible with these ends, those with the largest product.

        What the cuts that hold there leave no choice (types at an end, quotas at a bound) is set first: the rest has room.
        """
        problem = self.problem
        m, top = ends
        floor = np.minimum(m * problem.even, problem.counts)
        ceiling = np.maximum(floor, np.minimum(top * problem.even, problem.counts))
        at, known = floor.copy(), ceiling <= floor * (1 + _WIDER)
        rows, fixed = problem.low.copy(), problem.low == problem.high
        for cut in self.cuts:
            if cut.least - cut.high * top + cut.low * m < -_HOLDS * (cut.high + cut.low):
                continue
            price = problem.prices(cut.duals)
            noise = _NOISE * float(np.max(np.abs(price)))
            at = np.where(price < -noise, ceiling, at)
            known |= np.abs(price) > noise
            rows = np.where(cut.duals > noise, problem.high, rows)
            fixed |= np.abs(cut.duals) > noise
        x, free = at, ~known
        rest = problem.settled(at, known, rows, fixed)
        if free.any():
            wider = _WIDER * ceiling
            barrier = Barrier(rest, np.maximum(0.0, floor - wider)[free], (ceiling + wider)[free])
            x[free], _, _, error = barrier.solve()
        else:
            error = float(np.max(np.abs(np.clip(0.0, rest.low, rest.high)))) / problem.low[-1]
        if error > _FILLED:
            # Somebody must have no chance at all: then no product is above 0, and the solver's own seats will do.
            x = np.clip(np.array([seats.solution_value() for seats in self._seats]), floor, ceiling)
        return problem.priced(np.minimum(x, problem.counts), np.zeros(len(rows)), np.zeros(len(x)), error)

    def _try(self, m: float, top: float, possible: float) -> _Cut | None:
        problem = self.problem
        possible *= problem.low[-1]
        floor = np.minimum(m * problem.even, problem.counts)
        ceiling = np.minimum(top * problem.even, problem.counts)
        for seats, lo, hi in zip(self._seats, floor.tolist(), ceiling.tolist(), strict=True):
            seats.SetBounds(lo, max(lo, hi))
        if solve(self._solver) != self._solver.OPTIMAL:
            raise InternalError("A pair of chances could not be tried. Please report it with the two tables.")
        if self._solver.Objective().Value() <= possible:
            return None
        duals = -np.array([row.dual_value() for row in self._rows])
        cut = self._cut(duals, top)
        # What the duals say must forbid the pair by more than rounding, or there is nothing to learn from it.
        violation = cut.least - cut.high * top + cut.low * m
        return cut if violation > possible else None

    def _cut(self, duals: Floats, top: float) -> _Cut:
        """From −Σ price·x ≥ −Σ max(λ·low, λ·high), with x ≤ M·b or x ≤ n where the price is below 0, x ≥ m·b where it is above."""
        problem = self.problem
        price = problem.prices(duals)
        sides = total(np.maximum(duals * problem.low, duals * problem.high))
        sure = (price < 0) & (top * problem.even > problem.counts * (1 + _WIDER))
        weights = np.where(sure, 0.0, -price)
        high = total(np.maximum(weights, 0.0) * problem.even)
        low = total(np.maximum(-weights, 0.0) * problem.even)
        least = -sides + total(np.where(sure, price, 0.0) * problem.counts)
        return _Cut(high, low, least, duals, weights)


def _best_pair(cuts: list[_Cut]) -> tuple[float, float]:
    """The pair with the least M + 1/m that no cut forbids: on one cut's line, where two meet, or at an end."""
    most = min([1.0, *(-c.least / c.low for c in cuts if c.high <= 0 < c.low)])
    lines = [(c.least / c.high, c.low / c.high) for c in cuts if c.high > 0] + [(1.0, 0.0)]
    candidates = {most}
    for i, (least, slope) in enumerate(lines):
        if slope > 0:
            candidates.add(1 / sqrt(slope))
        candidates |= {(least - other) / (s - slope) for other, s in lines[:i] if s != slope}
    pairs = (
        (m, max(least + slope * m for least, slope in lines)) for m in sorted(candidates) if 0 < m <= most
    )
    return min(pairs, key=lambda pair: (pair[1] + 1 / pair[0], pair))


def _scaled(cut: _Cut, by: float) -> _Cut:
    return _Cut(cut.high * by, cut.low * by, cut.least * by, cut.duals * by, cut.weights * by)


def _mean_of_cuts(cuts: list[_Cut], ends: tuple[float, float]) -> _Cut | None:
    """The line through the ends that is the tangent of M + 1/m there: a cut, or a mean of two that hold. None if no cut holds."""
    m, top = ends
    holding = [c for c in cuts if c.least - c.high * top + c.low * m > -_HOLDS * (c.high + c.low)]
    lines = [c for c in holding if c.high > 0]
    if not lines:
        return None
    wanted = 1 / (m * m)
    flat = max(lines, key=lambda c: (c.low <= wanted * c.high, c.low / c.high))
    steep = min(holding, key=lambda c: (c.low < wanted * c.high, c.low / c.high if c.high > 0 else np.inf))
    if not flat.low < wanted * flat.high or not steep.low > wanted * steep.high:
        near = min((flat, steep), key=lambda c: abs(c.low - wanted * c.high))
        return _scaled(near, 1 / near.high) if near.high > 0 else None
    # low/high of flat + part·steep is the wanted slope.
    part = (wanted * flat.high - flat.low) / (steep.low - wanted * steep.high)
    one, other = (
        _scaled(cut, share / (flat.high + part * steep.high)) for cut, share in ((flat, 1.0), (steep, part))
    )
    return _Cut(
        one.high + other.high,
        one.low + other.low,
        one.least + other.least,
        one.duals + other.duals,
        one.weights + other.weights,
    )


def _weights(instance: Instance, where: Standing, problem: Relaxation, cut: _Cut) -> dict[int, int]:
    """The cut's weights as integers: −(λ(T) + ν) to the unit, except for types that x ≤ n holds."""
    cells, size = _whole(problem, cut.duals)
    noise = _NOISE * SCALE * float(np.max(np.abs(cut.weights)))
    held = (np.abs(cut.weights + problem.prices(cut.duals)) * SCALE > noise).tolist()
    weights = {}
    for t, weight, apart in zip(where.open, cut.weights.tolist(), held, strict=True):
        whole = round(weight * SCALE) if apart else -size - sum(cells[c] for c in instance.type_cells(t))
        if abs(whole) > noise:
            weights[t] = whole
    return weights


def _whole(problem: Relaxation, duals: Floats) -> tuple[list[int], int]:
    cells = [0] * problem.cells
    for c, dual in zip(problem.rows, duals[:-1].tolist(), strict=True):
        cells[c] = round(dual * SCALE)
    return cells, round(float(duals[-1]) * SCALE)


def tangent(instance: Instance, where: Standing, weights: dict[int, int]) -> Fraction:
    """α with Y·α² ≥ Z, as near as can be; 0 where the weights don't say both what is high and what is low."""
    high = sum(w * instance.counts[t] * where.weights[t] for t, w in weights.items() if w > 0)
    low = -sum(w * instance.counts[t] * where.weights[t] for t, w in weights.items() if w < 0)
    if not high or not low:
        return Fraction(0)
    return Fraction(isqrt(high * _TANGENT_UNIT**2 // low) + 1, _TANGENT_UNIT)


def _claim(
    instance: Instance,
    where: Standing,
    problem: Relaxation,
    duals: Floats,
    weights: dict[int, int],
    alpha: Fraction,
) -> Claim:
    if not weights or (alpha == 0 and min(weights.values()) < 0):
        return NOTHING
    return Claim(sparse(weights), alpha, (cheapest_leaf(instance, where, *_whole(problem, duals)),))
