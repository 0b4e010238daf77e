"""How far from the quotas does a panel end up when members drop out and the best alternates step in?

The *loss* of a panel is the number of people by which its cells are outside their quotas, summed over cells, plus its empty
seats. For members who stayed and alternates at hand, the loss is that of the best way to seat alternates:

    min Σ_c (under_c + over_c) + empty   with   Σ_{T in c} r_T + under_c − over_c in [lo_c − b_c, hi_c − b_c],
    Σ_T r_T + empty = d,   0 ≤ r_T ≤ a_T whole,

b_c those who stayed, d free seats, a_T alternates of type T. (In the paper of Assos et al. 2025 a deviation is divided by the
quota's maximum, and empty seats count through the cells alone; here everything is counted in people.)

Weights λ_c in [−1, 1] of the cells and w ≤ 1 of the seats bound it from below, whatever the alternates:

    loss ≥ Σ_c max side of λ_c·(t_c − b_c) + w·d − Σ_T max(0, Σ_{c of T} λ_c + w)·a_T,

t_c the minimum where λ_c > 0, else the maximum. A linear programme suggests weights, which are rounded to multiples of 1/60: the bound
is whole-number arithmetic and holds whatever the solver did. Where it meets a panel found, the loss is proved; else CP-SAT decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from klero.errors import InternalError
from klero.sortition.feasibility import Solver

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

# The weights' denominator: 60 holds halves, thirds, quarters and fifths, which bases of small programmes have.
SCALE = 60


@dataclass(frozen=True)
class Cut:
    """A lower bound of a scenario's loss, times `SCALE`: `constant` − Σ_T worth_T·a_T.

    Attributes:
        constant: the part that no alternate changes.
        weights: λ of each cell, times `SCALE`.
        seat: w, times `SCALE`.
    """

    constant: int
    weights: tuple[int, ...]
    seat: int


class Shortage:
    """Losses of one panel's scenarios, for any alternates. Not thread-safe: it keeps one linear programme."""

    def __init__(self, instance: Instance) -> None:
        from ortools.linear_solver import pywraplp

        self.instance = instance
        self.bounds = instance.cell_bounds
        self._cells = [instance.type_cells(t) for t in range(len(instance.types))]
        solver = pywraplp.Solver.CreateSolver("GLOP")
        self._solver: Any = solver
        self._rows = [solver.Constraint(0.0, 0.0) for _ in self.bounds]
        self._seats = solver.Constraint(0.0, 0.0)
        for row in self._rows:
            for sign in (1.0, -1.0):
                slack = solver.NumVar(0.0, solver.infinity(), "")
                row.SetCoefficient(slack, sign)
                solver.Objective().SetCoefficient(slack, 1.0)
        empty = solver.NumVar(0.0, solver.infinity(), "")
        self._seats.SetCoefficient(empty, 1.0)
        solver.Objective().SetCoefficient(empty, 1.0)
        solver.Objective().SetMinimization()
        self._low = np.array([*(lo for lo, _ in self.bounds), 0])
        self._high = np.array([*(hi for _, hi in self.bounds), 0])
        self._columns: dict[int, Any] = {}
        self._open: set[int] = set()

    def loss(self, base: Sequence[int], free: int, seats: Mapping[int, int]) -> int:
        """The loss of a panel: those who stayed by cell, free seats before, and alternates seated by type."""
        totals = list(base)
        for t, s in seats.items():
            for c in self._cells[t]:
                totals[c] += s
        return self._outside(totals) + free - sum(seats.values())

    def relaxed(
        self, base: Sequence[int], free: int, at_hand: Mapping[int, float]
    ) -> tuple[Cut, dict[int, float]]:
        """(a bound that holds for all alternates and is near tight for these, seats by type): the linear programme."""
        for row, (lo, hi), b in zip(self._rows, self.bounds, base, strict=True):
            row.SetBounds(float(lo - b), float(hi - b))
        self._seats.SetBounds(float(free), float(free))
        for t in self._open - set(at_hand):
            self._columns[t].SetUb(0.0)
        for t, n in at_hand.items():
            self._column(t).SetUb(float(n))
        self._open = set(at_hand)
        # A programme of a few dozen rows takes less than a millisecond: Ctrl-C is heard between two.
        if self._solver.Solve() != self._solver.OPTIMAL:
            raise InternalError(
                "A linear programme of alternates was not solved. Please report it with the two tables."
            )
        weights = [max(-SCALE, min(SCALE, round(SCALE * row.dual_value()))) for row in self._rows]
        seat = min(SCALE, round(SCALE * self._seats.dual_value()))
        seats = {t: self._columns[t].solution_value() for t in at_hand}
        return self._cut(base, free, weights, seat), seats

    def worth(self, cut: Cut, type_index: int) -> int:
        """By how much, times `SCALE`, one more alternate of a type lowers a cut."""
        return max(0, sum(cut.weights[c] for c in self._cells[type_index]) + cut.seat)

    def near(self, base: Sequence[int], free: int, at_hand: Mapping[int, int]) -> tuple[int, int, Cut]:
        """(the loss of a good way to seat these alternates, a bound of the best way's, the cut that gives the bound)."""
        cut, relaxed = self.relaxed(base, free, at_hand)
        bound = cut.constant - sum(self.worth(cut, t) * n for t, n in at_hand.items())
        least = max(0, -(-bound // SCALE))
        loss = self._improved(base, free, at_hand, {t: int(x + 1e-6) for t, x in relaxed.items()})
        if loss > least:
            loss = min(loss, self._improved(base, free, at_hand, dict.fromkeys(at_hand, 0)))
        return loss, least, cut

    def exact(self, base: Sequence[int], free: int, at_hand: Mapping[int, int]) -> int:
        """The smallest loss with these alternates: proved by a bound, or by CP-SAT."""
        loss, least, _ = self.near(base, free, at_hand)
        return loss if loss == least else self._solved(base, free, at_hand)

    def _column(self, t: int) -> Any:
        if t not in self._columns:
            column = self._solver.NumVar(0.0, 0.0, "")
            for c in self._cells[t]:
                self._rows[c].SetCoefficient(column, 1.0)
            self._seats.SetCoefficient(column, 1.0)
            self._columns[t] = column
        return self._columns[t]

    def _cut(self, base: Sequence[int], free: int, weights: Sequence[int], seat: int) -> Cut:
        constant = seat * free
        for w, (lo, hi), b in zip(weights, self.bounds, base, strict=True):
            constant += w * ((lo if w > 0 else hi) - b)
        return Cut(constant, tuple(weights), seat)

    def _outside(self, totals: Sequence[int]) -> int:
        return sum(max(0, lo - x, x - hi) for x, (lo, hi) in zip(totals, self.bounds, strict=True))

    def _improved(
        self, base: Sequence[int], free: int, at_hand: Mapping[int, int], seats: Mapping[int, int]
    ) -> int:
        """The loss after seating one more, taking one away or exchanging two, as long as it falls."""
        kinds = list(at_hand)
        cells = np.zeros((len(kinds) + 1, len(self.bounds) + 1), dtype=np.int64)
        for row, t in enumerate(kinds):
            cells[row, [*self._cells[t], -1]] = 1  # the last column counts seats
        low, high = self._low, self._high
        most = np.array([*at_hand.values(), 1])
        seated = np.array([*(seats[t] for t in kinds), 0])
        totals = np.array([*base, -free]) + seated @ cells
        while True:
            outs = np.flatnonzero(seated)
            rows = np.vstack([totals, totals - cells[outs]])
            gain = ((rows < low).astype(np.int64) - (rows >= high)) @ cells.T
            paid = np.concatenate([[0], gain[np.arange(1, len(rows)), outs]])
            gain -= paid[:, None]
            # The last row of `cells` is «nobody steps in»; a full panel takes nobody more.
            gain[:, :-1][:, (seated >= most)[:-1]] = -1
            gain[rows[:, -1] >= 0, :-1] = -1
            at = int(np.argmax(gain))
            out, into = divmod(at, gain.shape[1])
            if gain[out, into] <= 0:
                return int(np.maximum(0, low - totals).sum() + np.maximum(0, totals - high).sum())
            totals = rows[out] + cells[into]
            if out:
                seated[outs[out - 1]] -= 1
            if into < len(kinds):
                seated[into] += 1

    def _solved(self, base: Sequence[int], free: int, at_hand: Mapping[int, int]) -> int:
        programme = Solver()
        columns = {t: programme.variable(0, n) for t, n in sorted(at_hand.items())}
        size = self.instance.size
        slacks = [(programme.variable(0, size), programme.variable(0, size)) for _ in self.bounds]
        empty = programme.variable(0, free)
        for c, ((lo, hi), b) in enumerate(zip(self.bounds, base, strict=True)):
            terms = [(x, 1) for t, x in columns.items() if c in self._cells[t]]
            under, over = slacks[c]
            programme.row([*terms, (under, 1), (over, -1)], lo - b, hi - b)
        programme.row([*((x, 1) for x in columns.values()), (empty, 1)], free, free)
        programme.minimise((x, 1) for x in (empty, *(x for pair in slacks for x in pair)))
        if not programme.solve():
            raise InternalError("A panel with alternates could not be completed. Please report it.")
        return self.loss(base, free, {t: programme.value(x) for t, x in columns.items()})
