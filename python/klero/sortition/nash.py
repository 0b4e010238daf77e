"""Which probabilities make the product of everybody's chances largest?

Nash's product, or the geometric mean of the probabilities: a person's chance is worth doubling if that costs nobody else half of theirs.
(Flanigan et al., «Fair algorithms for selecting citizens' assemblies», Nature 2021, over panels; here over the linear relaxation, by types.)

    maximise Σ n_T·w_T·log x_T   subject to   lo_c ≤ Σ_{T in c} x_T ≤ hi_c,  Σ x_T = k,  0 < x_T ≤ n_T

Method. A primal-dual interior-point method (Wright, «Primal-dual interior-point methods», 1997): the logarithm is its own barrier for x > 0,
slacks carry the quotas and x ≤ n. Each Newton step is one system with a row for each quota, whatever the number of people. The duals,
rounded to integers, are the proof (`claim.py`).

Guarantee: none from the floats; the certificate measures what was reached, usually to 1e-10 or better. Only +, −, ×, ÷ and sums in a fixed order are used,
so that the bits are the same on every machine. Cost: some 30 steps of types × features² operations. One thread, no randomness.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from klero.sortition.certificate import Claim, sparse
from klero.sortition.claim import NOTHING, Standing
from klero.sortition.relaxation import SCALE, Priced, Relaxation, cheapest_leaf, reach, solve_symmetric, total

if TYPE_CHECKING:
    import numpy.typing as npt

    from klero.sortition.instance import Instance

    Floats = npt.NDArray[np.float64]

_STEPS = 200
_DONE = 1e-14
# Steps without a better point before it stops.
_PATIENCE = 15


def nash(instance: Instance, where: Standing) -> Priced:
    """The weighted Nash optimum over the linear relaxation, in which every open type must be able to have some share.

    Its error is large where some type can't: then no product is above 0.
    """
    problem = Relaxation(instance, where)
    if not where.share:
        nobody = np.zeros(len(problem.counts))
        return problem.priced(nobody, np.zeros(len(problem.low)), nobody, np.inf)
    barrier = Barrier(problem, np.zeros(len(problem.counts)), problem.counts)
    return problem.priced(*barrier.solve())


def nash_claim(instance: Instance, where: Standing, found: Priced) -> Claim:
    """Integer weights and dual weights from the solver's duals: q_T = λ(T) + ν, or more where people are sure to sit."""
    if not where.open:
        return NOTHING
    cells = [round(dual * SCALE) for dual in found.cells]
    size = round(found.size * SCALE)
    q = {}
    for t in where.open:
        price = size + sum(cells[c] for c in instance.type_cells(t))
        # With p = 1 the derivative is w, in the solver's units times the share.
        q[t] = max(1, price, int(where.weights[t] * where.share * SCALE))
    return Claim(sparse(q), Fraction(0), (cheapest_leaf(instance, where, cells, size),))


class Barrier:
    """The interior-point method: the largest product of seats, each between `floor` and `ceiling`.

    Slacks are variables of their own (`low`, `high` of the quotas' two sides, `up` of x ≥ floor, `rest` of x ≤ ceiling), since a difference of
    nearly equal numbers has no digits left; `below`, `above`, `least` and `sure` are their duals, `duals` those of the rows.
    """

    def __init__(self, problem: Relaxation, floor: Floats, ceiling: Floats) -> None:
        self.problem = problem
        self.loose = problem.low < problem.high
        size = problem.low[-1]
        even = problem.counts * (size / total(problem.counts))
        self.x = np.clip(even, floor + 0.1 * (ceiling - floor), ceiling - 0.5 * (ceiling - floor))
        self.up, self.rest = self.x - floor, ceiling - self.x
        width = problem.high - problem.low
        offset = np.clip(problem.sums(self.x) - problem.low, 0.1 * width, 0.9 * width)
        self.low = np.where(self.loose, offset, 0.0)
        self.high = np.where(self.loose, width - offset, 0.0)
        self.duals = np.zeros(len(width))
        self.duals[-1] = total(problem.even) / size
        self.below = np.where(self.loose, 0.1, 0.0)
        self.above = np.where(self.loose, 0.1, 0.0)
        # Above a floor of 0 the logarithm is barrier enough.
        self.floored = floor > 0
        self.least = np.where(self.floored, 0.1, 0.0)
        self.sure = np.full(len(self.x), 0.1)

    def solve(self) -> tuple[Floats, Floats, Floats, float]:
        """(x, duals of the rows, duals of the ceiling, relative error) of the best point met."""
        pairs = 2 * int(np.count_nonzero(self.loose)) + len(self.x) + int(np.count_nonzero(self.floored))
        best, kept, stuck = np.inf, (self.x, self.duals, self.sure), 0
        # Where there is no solution the numbers run away; then the best point's error says so.
        with np.errstate(all="ignore"):
            for _ in range(_STEPS):
                products = total(self.low * self.below) + total(self.high * self.above)
                products += total(self.rest * self.sure) + total(self.up * self.least)
                merit = max(products / total(self.problem.even), self._residual())
                stuck = 0 if merit < 0.9 * best else stuck + 1
                if merit < best:
                    best, kept = merit, (self.x, self.duals, self.sure)
                if best < _DONE or stuck > _PATIENCE:
                    break
                self._step(0.1 * products / pairs)
        return *kept, float(best)

    def _apart(self) -> Floats:
        return self.problem.sums(self.x) - self.problem.low - self.low

    def _residual(self) -> float:
        problem = self.problem
        slope = problem.even - (problem.prices(self.duals) + self.sure - self.least) * self.x
        away = np.max(np.abs(self._apart())) / problem.low[-1]
        return float(max(away, np.max(np.abs(slope) / problem.even)))

    def _step(self, mu: float) -> None:
        problem, loose = self.problem, self.loose
        nudge = np.where(self.floored, mu, 0.0)
        curve = problem.even / self.x**2 + self.sure / self.rest + self.least / self.up
        slope = -problem.even / self.x + problem.prices(self.duals) + mu / self.rest - nudge / self.up
        low, high = np.where(loose, self.low, 1.0), np.where(loose, self.high, 1.0)
        stiff = np.where(loose, self.below / low + self.above / high, 1.0)
        tilt = np.where(loose, -self.duals - mu / low + mu / high, 0.0)
        matrix = problem.normal(1.0 / curve)
        diagonal = np.arange(len(matrix))
        matrix[diagonal, diagonal] += np.where(loose, 1.0 / stiff, 0.0)
        side = self._apart() - problem.sums(slope / curve) + np.where(loose, tilt / stiff, 0.0)
        turn = solve_symmetric(matrix, side)
        dx = -(slope + problem.prices(turn)) / curve
        dy = np.where(loose, (turn - tilt) / stiff, 0.0)
        dsure = (mu + self.sure * dx) / self.rest - self.sure
        dleast = np.where(self.floored, (mu - self.least * dx) / self.up - self.least, 0.0)
        dbelow = np.where(loose, (mu - self.below * dy) / low - self.below, 0.0)
        dabove = np.where(loose, (mu + self.above * dy) / high - self.above, 0.0)
        primal = min(
            reach(self.up, dx), reach(self.x, dx), reach(self.rest, -dx), reach(low, dy), reach(high, -dy)
        )
        dual = min(
            reach(self.sure, dsure),
            reach(self.least, dleast),
            reach(self.below, dbelow),
            reach(self.above, dabove),
        )
        self.x, self.up, self.rest = self.x + primal * dx, self.up + primal * dx, self.rest - primal * dx
        self.low, self.high = self.low + primal * dy, self.high - primal * dy
        self.duals = self.duals + dual * turn
        self.sure, self.least = self.sure + dual * dsure, self.least + dual * dleast
        self.below, self.above = self.below + dual * dbelow, self.above + dual * dabove
