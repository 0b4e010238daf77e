"""Which cluster answers to which code, each to one at most, so that as many contributions as possible agree?

The assignment problem, by shortest augmenting paths (Kuhn 1955; Munkres 1957; Jonker and Volgenant, Computing 1987), in whole numbers. Several matchings
can agree on equally many contributions; of these the one is taken for which chance would agree on fewest, Σ r_i c_j over the matched, so that kappa is the
same whichever of equal ones is found.

A pair is matched only if it shares a contribution. A cluster that lies within one code competes with others of that kind for it alone, so all but the best
of these are left out first, and likewise for codes.
Cost: O(s² l) for s of the smaller side and l of the larger, of what is left.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from klero.themes._inputs import Ints

__all__ = ["best_matching"]

_FITS = 1 << 61  # sums of weights below this stay within int64


def best_matching(
    row: Ints, column: Ints, count: Ints, row_sizes: Ints, column_sizes: Ints
) -> list[tuple[int, int]]:
    """Pairs (row, column), ascending, that share most; see the module.

    Args:
        row, column, count: the cells that are not zero.
        row_sizes, column_sizes: r_i and c_j.
    """
    if not len(row):
        return []
    chance = row_sizes[row].astype(object) * column_sizes[column].astype(object)
    # More than chance can give on all matched pairs together: the larger sizes with the larger ones.
    pairs = zip(
        sorted(row_sizes.tolist(), reverse=True), sorted(column_sizes.tolist(), reverse=True), strict=False
    )
    base = 1 + sum(r * c for r, c in pairs)
    weights = count.astype(object) * base - chance
    kept = _only_best(row, column, weights, np.arange(len(row)))
    kept = _only_best(column, row, weights, kept)
    rows, i = np.unique(row[kept], return_inverse=True)
    columns, j = np.unique(column[kept], return_inverse=True)
    table = np.zeros((len(rows), len(columns)), object)
    table[i, j] = weights[kept]
    small = base * int(count.sum()) * (min(table.shape) + 1) < _FITS
    table = table.astype(np.int64) if small else table
    turned = len(rows) > len(columns)
    found = _assigned(-(table.T if turned else table))
    pairs_found = ((b, a) for a, b in enumerate(found)) if turned else enumerate(found)
    return sorted((int(rows[a]), int(columns[b])) for a, b in pairs_found if table[a, b] > 0)


def _only_best(row: Ints, column: Ints, weights: npt.NDArray[np.object_], kept: Ints) -> Ints:
    """Of the cells `kept`, those whose column has others too, and for each row the best of those whose column has not."""
    alone = np.bincount(column[kept])[column[kept]] == 1
    best: dict[int, int] = {}
    for cell in kept[alone].tolist():
        at = int(row[cell])
        if at not in best or weights[cell] > weights[best[at]]:
            best[at] = cell
    return np.sort(np.concatenate([kept[~alone], np.array(list(best.values()), np.int64)]))


def _assigned(cost: npt.NDArray[Any]) -> list[int]:
    """For each row a column of its own, so that the sum of costs is least; not more rows than columns."""
    rows, columns = cost.shape
    none = columns  # a column that stands for «not begun»
    u, v = np.zeros(rows, cost.dtype), np.zeros(columns + 1, cost.dtype)
    far = 1 << 200 if cost.dtype == object else np.iinfo(np.int64).max
    owner = np.full(columns + 1, -1)
    for first in range(rows):
        owner[none] = first
        before = np.full(columns, none)
        slack = np.full(columns, far, cost.dtype)
        used = np.zeros(columns + 1, bool)
        at = none
        while owner[at] >= 0:
            used[at] = True
            free = np.flatnonzero(~used[:columns])
            reach = cost[owner[at], free] - u[owner[at]] - v[free]
            nearer = reach < slack[free]
            slack[free[nearer]], before[free[nearer]] = reach[nearer], at
            best = free[int(np.argmin(slack[free]))]
            step = slack[best]
            seen = np.flatnonzero(used)
            u[owner[seen]] += step
            v[seen] -= step
            slack[free] -= step
            at = int(best)
        while at != none:
            owner[at] = owner[before[at]]
            at = int(before[at])
    found = [0] * rows
    for column, row in enumerate(owner[:columns].tolist()):
        if row >= 0:
            found[row] = column
    return found
