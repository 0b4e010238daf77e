"""Who is in which group? One way to cut the contributions into groups, all of them accounted for.

A group of five or more contributions is a theme, one of two to four a weak signal, one alone a lone voice. Nobody is left out: contributions of
themes, of weak
signals and of lone voices sum to all.

>>> parts = Partition.of(np.array([0, 0, 0, 0, 0, 1, 1, 2]), np.zeros(8, np.float32), np.zeros((2, 3), np.float32), 0.4)
>>> parts.n_themes, parts.n_weak, parts.n_lone, parts.counts
(1, 1, 1, {'theme': 5, 'weak_signal': 2, 'lone_voice': 1})
>>> parts.members(1).tolist(), KINDS[parts.kind_of[7]]
([5, 6], 'lone_voice')
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from klero import _native

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["KINDS", "THEME_SIZE", "Partition"]

KINDS = ("theme", "weak_signal", "lone_voice")
"""What a group can be, by the numbers in `Partition.kinds`."""

THEME_SIZE = 5
"""Contributions that make a theme."""


@dataclass(frozen=True, eq=False)
class Partition:
    """Groups of n contributions.

    Attributes:
        labels: int64[n], the group of each contribution, 0 … n_clusters − 1: themes first, then weak signals, then lone voices; within a kind the
            larger first, and of two that
            are as large the one that comes first in canonical order, which is no order of rows.
        sizes: int64[n_clusters], contributions of each group.
        kinds: uint8[n_clusters], an index of `KINDS` for each group.
        fit: float32[n], the cosine of each contribution and its group’s centroid, of vectors from which the mean of all was taken; 1 for a lone
            voice.
        centroids: float32[n_themes + n_weak, d], the centroid of each theme and weak signal in that space, of unit length.
        similarity: the average similarity at which the tree of all groups was cut.
        minority: whether a second look let those leave whom a theme had taken in although nobody says anything like them.
        algorithm: the version of the method.
    """

    labels: NDArray[np.int64]
    sizes: NDArray[np.int64]
    kinds: NDArray[np.uint8]
    fit: NDArray[np.float32]
    centroids: NDArray[np.float32]
    similarity: float
    minority: bool = True
    algorithm: str = _native.THEMES_ALGORITHM

    @classmethod
    def of(
        cls,
        labels: NDArray[np.int64],
        fit: NDArray[np.float32],
        centroids: NDArray[np.float32],
        similarity: float,
    ) -> Partition:
        """A partition from labels that are numbered as they should be; sizes and kinds follow."""
        sizes = np.bincount(labels).astype(np.int64)
        kinds = np.select([sizes >= THEME_SIZE, sizes > 1], [0, 1], 2).astype(np.uint8)
        return cls(labels, sizes, kinds, fit, centroids, similarity)

    def __repr__(self) -> str:
        return (
            f"<Partition of {len(self.labels)} contributions: {self.n_themes} themes, {self.n_weak} weak signals, {self.n_lone} lone "
            f"voices, at similarity {self.similarity:.3f}>"
        )

    @property
    def n_clusters(self) -> int:
        """Groups of all kinds."""
        return len(self.sizes)

    @property
    def n_themes(self) -> int:
        """Groups of five or more."""
        return int(np.count_nonzero(self.kinds == 0))

    @property
    def n_weak(self) -> int:
        """Groups of two to four."""
        return int(np.count_nonzero(self.kinds == 1))

    @property
    def n_lone(self) -> int:
        """Contributions that are alone."""
        return int(np.count_nonzero(self.kinds == 2))

    @property
    def kind_of(self) -> NDArray[np.uint8]:
        """uint8[n], an index of `KINDS` for each contribution."""
        return self.kinds[self.labels]

    @property
    def counts(self) -> dict[str, int]:
        """Contributions of each kind; they sum to n."""
        of = np.bincount(self.kind_of, minlength=len(KINDS))
        return {kind: int(count) for kind, count in zip(KINDS, of, strict=True)}

    @cached_property
    def _order(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows by group, and where each group begins."""
        return np.argsort(self.labels, kind="stable"), np.concatenate([[0], np.cumsum(self.sizes)])

    def members(self, label: int) -> NDArray[np.int64]:
        """The rows of a group, ascending.

        Raises:
            IndexError: there is no such group.
        """
        if not 0 <= label < self.n_clusters:
            raise IndexError(f"there is no group {label}; they are numbered 0 to {self.n_clusters - 1}")
        rows, starts = self._order
        return rows[starts[label] : starts[label + 1]]
