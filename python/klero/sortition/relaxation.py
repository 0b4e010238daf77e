"""The linear relaxation of nash, goldilocks and minimax, as arrays: who is in question, and which quotas need a row.

Types that are shut out or forced are left out and their seats taken off the quotas (`claim.py`); each feature's quotas are tightened to what
its own sum allows, and rows that say nothing new go. Here are also the pieces that interior-point methods over it share: sums by row,
prices by type, the normal matrix, a solver for it; and the way back from dual weights of tightened rows to quotas as written.

Sums run in a fixed order and only +, −, ×, ÷ are used: NumPy's own sums and solvers would give bits that depend on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from klero.sortition.certificate import Leaf, sparse
from klero.sortition.claim import Standing

if TYPE_CHECKING:
    import numpy.typing as npt

    from klero.sortition.instance import Instance

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int64]

# Duals become integers over this scale.
SCALE = 10**12
# A step goes so far towards the nearest bound.
_STRIDE = 0.995


@dataclass(frozen=True)
class Priced:
    """Expected seats, and the dual weights that a solver ended with.

    Attributes:
        seats: expected seats of each type of the instance, as rationals of floats.
        cells: λ of each cell.
        size: ν, the weight of the panel's size.
        sure: the weight of x_T ≤ n_T, of each open type.
        error: how far the solver's own conditions are from being met, relative.
    """

    seats: tuple[Fraction, ...]
    cells: tuple[float, ...]
    size: float
    sure: tuple[float, ...]
    error: float


class Relaxation:
    """The programme of the open types alone, with quotas tightened to what the others leave."""

    def __init__(self, instance: Instance, where: Standing) -> None:
        kinds = np.array([instance.type_cells(t) for t in where.open], dtype=np.int64)
        self.counts = np.array([instance.counts[t] for t in where.open], dtype=np.float64)
        weights = np.array([where.weights[t] for t in where.open], dtype=np.float64)
        # Seats that a type would have if all had the same chance per unit of weight: n·w·share.
        self.even = self.counts * weights * float(where.share)
        self.open, self.forced, self.cells = where.open, where.bounds[0], len(instance.cells)
        size = instance.size - sum(where.bounds[0])
        low, high = _tightened(instance, where, size)
        rows = _needed_rows(instance, where, low, high)
        self.rows = [c for block in rows for c in block]
        self.blocks = [len(block) for block in rows] + [1]
        place = np.full(len(instance.cells) + 1, -1, dtype=np.int64)
        self.columns: list[Ints] = []
        for f, block in enumerate(rows):
            place[block] = np.arange(len(block))
            cells = place[kinds[:, f]] if block else np.full(len(kinds), -1, dtype=np.int64)
            self.columns.append(cells)
        self.columns.append(np.zeros(len(kinds), dtype=np.int64))
        self.low = np.array([*(low[c] for c in self.rows), size], dtype=np.float64)
        self.high = np.array([*(high[c] for c in self.rows), size], dtype=np.float64)

    def add_rows(self, solver: Any, seats: Sequence[Any]) -> list[Any]:
        """The rows as constraints of a `pywraplp` model with a variable for each type's seats."""
        rows = [
            solver.Constraint(lo, hi) for lo, hi in zip(self.low.tolist(), self.high.tolist(), strict=True)
        ]
        first = 0
        for column, length in zip(self.columns, self.blocks, strict=True):
            for variable, place in zip(seats, column.tolist(), strict=True):
                if place >= 0:
                    rows[first + place].SetCoefficient(variable, 1.0)
            first += length
        return rows

    def settled(
        self, at: Floats, known: npt.NDArray[np.bool_], rows: Floats, fixed: npt.NDArray[np.bool_]
    ) -> Relaxation:
        """The same programme with some types at their seats `at` and some rows at their sums `rows`."""
        rest = copy(self)
        held = self.sums(np.where(known, at, 0.0))
        rest.low = np.where(fixed, rows, self.low) - held
        rest.high = np.where(fixed, rows, self.high) - held
        rest.columns = [column[~known] for column in self.columns]
        rest.counts, rest.even = self.counts[~known], self.even[~known]
        return rest

    def priced(self, x: Floats, duals: Floats, sure: Floats, error: float) -> Priced:
        """A solution in the instance's own types and cells."""
        seats = [Fraction(n) for n in self.forced]
        for t, value in zip(self.open, x.tolist(), strict=True):
            seats[t] = Fraction(value)
        cells = [0.0] * self.cells
        for c, dual in zip(self.rows, duals[:-1].tolist(), strict=True):
            cells[c] = dual
        return Priced(tuple(seats), tuple(cells), float(duals[-1]), tuple(sure.tolist()), float(error))

    def sums(self, x: Floats) -> Floats:
        """A·x: by row."""
        parts = []
        for column, length in zip(self.columns, self.blocks, strict=True):
            inside = column >= 0
            parts.append(np.bincount(column[inside], x[inside], length)[:length])
        return np.concatenate(parts)

    def prices(self, duals: Floats) -> Floats:
        """Aᵀ·duals: by type."""
        prices = np.zeros(len(self.counts))
        first = 0
        for column, length in zip(self.columns, self.blocks, strict=True):
            if length:
                prices += np.where(column >= 0, duals[first + np.maximum(column, 0)], 0.0)
            first += length
        return prices

    def normal(self, h: Floats) -> Floats:
        """A·diag(h)·Aᵀ, in sums of a fixed order."""
        rows = sum(self.blocks)
        matrix = np.zeros((rows, rows))
        firsts = np.concatenate([[0], np.cumsum(self.blocks)]).tolist()
        for i, one in enumerate(self.columns):
            for j in range(i, len(self.columns)):
                other = self.columns[j]
                height, width = self.blocks[i], self.blocks[j]
                if not height or not width:
                    continue
                inside = (one >= 0) & (other >= 0)
                pairs = one[inside] * width + other[inside]
                block = np.bincount(pairs, h[inside], height * width)[: height * width]
                block = block.reshape(height, width)
                matrix[firsts[i] : firsts[i + 1], firsts[j] : firsts[j + 1]] = block
                matrix[firsts[j] : firsts[j + 1], firsts[i] : firsts[i + 1]] = block.T
        return matrix


def _tightened(instance: Instance, where: Standing, size: int) -> tuple[list[int], list[int]]:
    """Lowest and highest seats of the open types in each cell, as each feature's own sum allows."""
    low, high, room = free_bounds(instance, where)
    high = [min(pair) for pair in zip(high, room, strict=True)]
    for f in range(len(instance.features)):
        cells = [c for c, (g, _) in enumerate(instance.cells) if g == f]
        least, most = sum(low[c] for c in cells), sum(high[c] for c in cells)
        for c in cells:
            low[c], high[c] = max(low[c], size - most + high[c]), min(high[c], size - least + low[c])
    return low, high


def _needed_rows(
    instance: Instance, where: Standing, low: Sequence[int], high: Sequence[int]
) -> list[list[int]]:
    """The cells of each feature that need a row: not those without open people, nor the last of a feature whose sums are all fixed."""
    room = free_bounds(instance, where)[2]
    rows = []
    for f in range(len(instance.features)):
        cells = [c for c, (g, _) in enumerate(instance.cells) if g == f and room[c] > 0]
        if all(low[c] == high[c] for c in cells):
            cells = cells[:-1]
        rows.append(cells)
    return rows


def cheapest_leaf(instance: Instance, where: Standing, cells: Sequence[int], size: int) -> Leaf:
    """The same prices with the least bound: a feature's cells hold everybody once, so a constant may go from them to the size and back.

    The solver's quotas are tightened by each feature's sum; this carries its dual weights over to the quotas as they are written. A
    weight on a cell whose people can't fill it, or that needs none of them, is left to the types' own bounds.
    """
    low, high, room = free_bounds(instance, where)
    seats = instance.size - sum(where.bounds[0])
    duals = list(cells)
    for f in range(len(instance.features)):
        own = sorted((c for c, (g, _) in enumerate(instance.cells) if g == f), key=lambda c: duals[c])
        # Σ max(l·low, l·high) − shift·seats falls while the lows of what is below 0 and the highs of the rest sum to more than the seats.
        filled, shift = sum(min(high[c], room[c]) for c in own), 0
        for c in own:
            filled += low[c] - min(high[c], room[c])
            if filled <= seats:
                shift = -duals[c]
                break
        for c in own:
            duals[c] += shift
        size -= shift
        for c in own:
            # No weight on what the types' own bounds say: so few people, or nobody but those who sit anyway.
            if (duals[c] > 0 and room[c] < high[c]) or (duals[c] < 0 and low[c] == 0):
                duals[c] = 0
    return Leaf(1, sparse(dict(enumerate(duals))), size)


def free_bounds(instance: Instance, where: Standing) -> tuple[list[int], list[int], list[int]]:
    """By cell: fewest and most seats that the quota leaves to the open types, and how many people these are."""
    room = [0] * len(instance.cells)
    seated = [0] * len(instance.cells)
    for t, (least, most) in enumerate(zip(*where.bounds, strict=True)):
        for c in instance.type_cells(t):
            room[c] += most - least
            seated[c] += least
    low = [max(0, lo - s) for (lo, _), s in zip(instance.cell_bounds, seated, strict=True)]
    high = [hi - s for (_, hi), s in zip(instance.cell_bounds, seated, strict=True)]
    return low, high, room


def reach(values: Floats, step: Floats) -> float:
    """The part of a step that keeps the values positive."""
    falling = step < 0
    if not falling.any():
        return 1.0
    return min(1.0, _STRIDE * float(np.min(-values[falling] / step[falling])))


def total(values: Floats) -> float:
    """A sum whose order is fixed: NumPy's own depends on the processor."""
    return float(np.bincount(np.zeros(len(values), dtype=np.int64), values, 1)[0])


def solve_symmetric(matrix: Floats, side: Floats) -> Floats:
    """The solution of a positive (semi)definite system, by LDLᵀ in plain array operations, refined twice.

    Not NumPy's solver: its bits depend on the machine's linear-algebra library. Pivots that vanish (rows that repeat others) are left out.
    """
    size = len(side)
    work = matrix.copy()
    scale = np.maximum(np.diagonal(matrix).copy(), 1e-300)
    lower = np.zeros_like(matrix)
    inverse = np.zeros(size)
    for j in range(size):
        pivot = work[j, j]
        if pivot <= 1e-14 * scale[j]:
            continue
        inverse[j] = 1.0 / pivot
        column = work[j + 1 :, j] * inverse[j]
        lower[j + 1 :, j] = column
        used = np.flatnonzero(column) + j + 1
        if len(used):
            work[np.ix_(used, used)] -= column[used - j - 1, None] * work[None, j, used]
    solution = np.zeros(size)
    for _ in range(3):
        residual = side - _product(matrix, solution)
        for j in range(size):
            residual[j + 1 :] -= lower[j + 1 :, j] * residual[j]
        residual *= inverse
        for j in reversed(range(size)):
            residual[:j] -= lower[j, :j] * residual[j]
        residual[inverse == 0] = 0.0
        solution += residual
    return solution


def _product(matrix: Floats, vector: Floats) -> Floats:
    product = np.zeros(len(vector))
    for j, value in enumerate(vector.tolist()):
        if value:
            product += matrix[:, j] * value
    return product
