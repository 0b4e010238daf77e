"""Which groups are within which? The tree from which every granularity is cut, and the levels at which it falls into groups that last.

The tree joins contributions, and then groups of them, by descending average similarity (rust/core/src/vectors/linkage.rs). `Dendrogram.to_scipy`
gives the matrix that
scipy's and other tools draw.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Dendrogram", "Level"]


@dataclass(frozen=True)
class Level:
    """A granularity at which groups last.

    Attributes:
        similarity: where the tree is cut: what joined at this average similarity or above is together.
        n_clusters: groups of all kinds; the sum of the three that follow.
        n_themes, n_weak, n_lone: groups of five or more, of two to four, and contributions that are alone.
        persistence: the mean length of the themes' lives, in similarity: how far the cut can be moved before a theme splits or joins another.
    """

    similarity: float
    n_clusters: int
    n_themes: int
    n_weak: int
    n_lone: int
    persistence: float

    def to_dict(self) -> dict[str, float | int]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Dendrogram:
    """The tree of m distinct vectors of n contributions.

    Attributes:
        children: int64[m − 1, 2], the two groups that join: numbers below m are vectors, m + i is the group that merge i made.
        similarity: float64[m − 1], at which they join, descending. −2 where a person's decision keeps apart what only the root holds together.
        sizes: int64[m − 1], contributions of the group that is made.
        point: int64[n], the vector of each contribution, in canonical order.
    """

    children: NDArray[np.int64]
    similarity: NDArray[np.float64]
    sizes: NDArray[np.int64]
    point: NDArray[np.int64]

    def __repr__(self) -> str:
        return f"<Dendrogram of {len(self.point)} contributions, {len(self.sizes)} merges>"

    def to_scipy(self) -> NDArray[np.float64]:
        """float64[m − 1, 4], as scipy.cluster.hierarchy takes it: the two groups, the distance 1 − similarity, the contributions."""
        return np.column_stack([self.children, 1 - self.similarity, self.sizes]).astype(np.float64)
