"""A proof, in plain integers, that no panel scores above a number.

The question: is Σ q_T x_T ≤ U for every panel x? Where linear duality alone gives more than U (tiny, tight pools), the
panels are split by the seats of one type, again and again, until duality settles each part: branch and bound (Land and Doig,
Econometrica 1960), kept as a tree that others can recheck leaf by leaf. The linear programmes only suggest splits and dual
weights; a leaf is accepted by integer arithmetic, so a solver's rounding can lengthen a proof but not make it false.

Infeasible parts need no special case: each quota may be broken at a price far above any score, so the programme always has
a solution, and its duals prove a bound far below U.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from typing import TYPE_CHECKING, Any

from klero.sortition.certificate import Leaf, Split, sparse
from klero.sortition.solver import solve

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

Bounds = tuple[tuple[int, ...], tuple[int, ...]]

# Denominators tried for a leaf's dual weights, smallest first: those of small bases are small.
_SCALES = (1, 2, 3, 4, 5, 6, 8, 12, 60, 840, 10**6)
MOST_NODES = 5_000
# Tried in turn: the price of a broken quota is far above the scores, which presolve doesn't always bear.
_SETTINGS = ("", "use_preprocessing: false", "use_dual_simplex: true use_preprocessing: false")


class ProofTooLargeError(Exception):
    """The tree would have more than `MOST_NODES` nodes, or one of its linear programmes was not solved."""


def prove(
    instance: Instance, weights: Sequence[int], limit: int, root: Bounds | None = None
) -> tuple[Split | Leaf, ...]:
    """A tree that shows Σ weights·x ≤ limit over all panels (with seats by type within `root`); the claim must be true.

    Raises:
        ProofTooLargeError: the tree would have more than `MOST_NODES` nodes, or a panel scores above the limit.
    """
    relaxation = _Relaxation(instance, weights)
    nodes: list[Split | Leaf | None] = [None]
    todo: list[tuple[int, Bounds]] = [(0, root or ((0,) * len(instance.counts), tuple(instance.counts)))]
    while todo:
        place, bounds = todo.pop()
        seats, cells, size = relaxation.solve(bounds)
        leaf = _leaf(instance, weights, bounds, (cells, size), limit)
        if leaf is not None:
            nodes[place] = leaf
            continue
        t = _most_fractional(seats, bounds)
        if t is None or len(nodes) + 2 > MOST_NODES:
            raise ProofTooLargeError
        at_most = min(max(floor(seats[t]), bounds[0][t]), bounds[1][t] - 1)
        below, above = len(nodes), len(nodes) + 1
        nodes[place] = Split(t, at_most, below, above)
        nodes += [None, None]
        lower, upper = bounds
        todo.append((below, (lower, (*upper[:t], at_most, *upper[t + 1 :]))))
        todo.append((above, ((*lower[:t], at_most + 1, *lower[t + 1 :]), upper)))
    return tuple(node for node in nodes if node is not None)


def leaf_bound(instance: Instance, weights: Sequence[int], bounds: Bounds, leaf: Leaf) -> int:
    """The largest score that a leaf's dual weights leave possible within its bounds: integer arithmetic alone."""
    cells = dict(leaf.cells)
    total = leaf.seats * instance.size
    total += sum(max(w * instance.cell_bounds[c][0], w * instance.cell_bounds[c][1]) for c, w in leaf.cells)
    for t, q in enumerate(weights):
        rest = leaf.scale * q - leaf.seats - sum(cells.get(c, 0) for c in instance.type_cells(t))
        total += rest * (bounds[1][t] if rest > 0 else bounds[0][t])
    return total // leaf.scale


def _leaf(
    instance: Instance, weights: Sequence[int], bounds: Bounds, duals: tuple[list[float], float], limit: int
) -> Leaf | None:
    for scale in _SCALES:
        cells = sparse({c: round(w * scale) for c, w in enumerate(duals[0])})
        leaf = Leaf(scale, cells, round(duals[1] * scale))
        if leaf_bound(instance, weights, bounds, leaf) <= limit:
            return leaf
    return None


def _most_fractional(seats: Sequence[float], bounds: Bounds) -> int | None:
    """The type to split on: the one nearest to half a seat; where all are whole, one with room left (or None)."""
    open_types = [t for t in range(len(seats)) if bounds[0][t] < bounds[1][t]]
    return min(open_types, key=lambda t: (round(abs(seats[t] % 1 - 0.5), 6), t), default=None)


class _Relaxation:
    """max Σ q x over the quotas, each of which may be broken at a price above all scores."""

    def __init__(self, instance: Instance, weights: Sequence[int]) -> None:
        from ortools.linear_solver import pywraplp

        solver = pywraplp.Solver.CreateSolver("GLOP")
        self._solver = solver
        price = 4.0 * (1 + max(abs(q) for q in weights)) * (1 + instance.size)
        self._seats = [solver.NumVar(0.0, float(n), "") for n in instance.counts]
        limits = (*instance.cell_bounds, (instance.size, instance.size))
        self._rows: list[Any] = []
        for lo, hi in limits:
            row = solver.Constraint(float(lo), float(hi))
            for sign in (1.0, -1.0):
                slack = solver.NumVar(0.0, solver.infinity(), "")
                row.SetCoefficient(slack, sign)
                solver.Objective().SetCoefficient(slack, -price)
            self._rows.append(row)
        for t, seats in enumerate(self._seats):
            for c in (*instance.type_cells(t), len(self._rows) - 1):
                self._rows[c].SetCoefficient(seats, 1.0)
            solver.Objective().SetCoefficient(seats, float(weights[t]))
        solver.Objective().SetMaximization()

    def solve(self, bounds: Bounds) -> tuple[list[float], list[float], float]:
        """(seats by type, dual weight by cell, dual weight of the size) within bounds by type."""
        for seats, lo, hi in zip(self._seats, *bounds, strict=True):
            seats.SetBounds(float(lo), float(hi))
        for parameters in _SETTINGS:
            self._solver.SetSolverSpecificParametersAsString(parameters)
            if solve(self._solver) == self._solver.OPTIMAL:
                break
        else:  # no proof, then: the gap will say so
            raise ProofTooLargeError
        duals = [row.dual_value() for row in self._rows]
        return [s.solution_value() for s in self._seats], duals[:-1], duals[-1]
