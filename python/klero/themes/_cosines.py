"""How near is a contribution to a theme, or to another contribution? In whole numbers, so that no two machines disagree on which is nearer.

A vector of unit length is rounded to whole numbers of length 32767; the dot product of two is a whole number below 2^31, their cosine times 32767².
Whole numbers up to 2^53 are exact in a double, and so are their sums in any order: the matrix product of any library on any processor gives the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from klero.errors import Fault
from klero.themes._inputs import Floats, Groups, Ints

__all__ = ["NEAR_COPY", "UNIT", "Cosines", "check_unit", "cosine", "whole"]

UNIT = 32767
NEAR_COPY = round(0.98 * UNIT * UNIT)
"""From this product on, two contributions are told as one."""

_ROWS = 4096
_OFF = 1e-3

Matrix = npt.NDArray[np.generic]


def whole(rows: npt.NDArray[Any]) -> Floats:
    """Unit vectors as doubles that hold whole numbers."""
    return np.rint(rows.astype(np.float64) * UNIT)


def cosine(product: int | np.integer[Any]) -> float:
    """The cosine behind a product, with four decimals: more would be rounding."""
    return round(min(1.0, max(-1.0, int(product) / (UNIT * UNIT))), 4)


def check_unit(matrix: Matrix, faults: list[Fault]) -> bool:
    """Whether all rows are of unit length, or zero; if not, that is added to `faults`."""
    for first in range(0, len(matrix), _ROWS):
        part = matrix[first : first + _ROWS].astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            lengths = np.sqrt((part * part).sum(axis=1))
            wrong = ~((np.abs(lengths - 1) < _OFF) | (lengths == 0))
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            if not np.isfinite(part[row]).all():
                message = "this vector holds NaN or an infinite number, so nothing is near it or far from it. Leave the contribution out, or embed it anew."
                faults.append(Fault("vectors-not-finite", message, "vectors", first + row + 1))
                return False
            message = (
                f"this vector has the length {lengths[row]:.4g}, and nearness is only told of vectors of length 1, centred on all of them. "
                "Give what Themes.centred(X) gives."
            )
            faults.append(Fault("vectors-not-unit", message, "vectors", first + row + 1))
            return False
    return True


class Cosines:
    """Products of contributions with each other and with the centres of groups.

    Attributes:
        centres: a row for each group, whole numbers of length 32767; zeros where a group has no direction.
        own: int64, each contribution's product with the centre of its group.
    """

    def __init__(self, vectors: Matrix, groups: Groups, centroids: npt.NDArray[Any] | None = None) -> None:
        self.vectors, self.groups = vectors, groups
        # A partition has no centroids of lone voices, whose labels are the last: each is its own.
        known = 0 if centroids is None else len(centroids)
        self.centres = np.zeros((len(groups), vectors.shape[1]))
        if centroids is not None:
            self.centres[:known] = whole(centroids)
        if known < len(groups):
            self.centres[known:] = whole(self._centroids(known))
        self.own = np.zeros(len(vectors), np.int64)
        for first, part in self._parts():
            labels = groups.labels[first : first + len(part)]
            self.own[first : first + len(part)] = (part * self.centres[labels]).sum(axis=1).astype(np.int64)

    def _parts(self) -> Iterator[tuple[int, Floats]]:
        for first in range(0, len(self.vectors), _ROWS):
            yield first, whole(self.vectors[first : first + _ROWS])

    def _centroids(self, first: int) -> Floats:
        """Of the groups from `first` on: sums of members, which are exact, brought to unit length; `fsum` rounds once, in any order."""
        sums = np.zeros((len(self.groups) - first, self.vectors.shape[1]))
        rows = np.flatnonzero(self.groups.labels >= first)
        for at in range(0, len(rows), _ROWS):
            part = rows[at : at + _ROWS]
            np.add.at(sums, self.groups.labels[part] - first, self.of(part))
        lengths = np.array([sqrt(fsum((row * row).tolist())) for row in sums])
        return sums / np.where(lengths > 0, lengths, 1.0)[:, None]

    def of(self, rows: Ints) -> Floats:
        """The whole numbers of some rows."""
        return whole(self.vectors[rows])

    def nearest_other(self, among: Ints, rows: Ints) -> tuple[Ints, Ints]:
        """For each of `rows` the nearest of the groups `among` that is not its own, of equally near ones the first, and the product.

        -1 and 0 where there is none.
        """
        labels, products = np.full(len(rows), -1, np.int64), np.zeros(len(rows), np.int64)
        if not len(among):
            return labels, products
        centres = self.centres[among].T.copy()
        place = np.full(len(self.groups), -1, np.int64)
        place[among] = np.arange(len(among))
        for first in range(0, len(rows), _ROWS):
            part = rows[first : first + _ROWS]
            at = np.arange(len(part))
            near = self.of(part) @ centres
            own = place[self.groups.labels[part]]
            near[at[own >= 0], own[own >= 0]] = -np.inf
            best = near.argmax(axis=1)
            there = np.isfinite(near[at, best])
            labels[first + at[there]] = among[best[there]]
            products[first + at[there]] = near[at[there], best[there]].astype(np.int64)
        return labels, products

    def with_row(self, row: int, others: Ints) -> Ints:
        """The product of a contribution with each of `others`."""
        one = self.of(np.array([row]))[0]
        parts = [self.of(others[first : first + _ROWS]) @ one for first in range(0, len(others), _ROWS)]
        return np.concatenate([np.zeros(0), *parts]).astype(np.int64)
