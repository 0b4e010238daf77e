"""A small, slow model of themes, with the attributes of klero.Themes: average linkage on cosines, cut at one similarity."""

from __future__ import annotations

from typing import Self

import numpy as np

from klero.themes.estimator import Estimator
from klero.themes.partition import Partition
from klero.themes.vectors import VectorSource


class FakeThemes(Estimator):
    """Average linkage over all pairs."""

    def __init__(
        self,
        *,
        similarity: float = 0.5,
        must_link: list[tuple[int, int]] | None = None,
        cannot_link: list[tuple[int, int]] | None = None,
    ) -> None:
        self.similarity = similarity
        self.must_link = must_link
        self.cannot_link = cannot_link

    def fit(self, X: VectorSource, y: object = None) -> Self:
        rows = self._read_fit(X).array
        # Sums of rounded numbers are exact, so the order of rows changes nothing.
        self.mean_ = (np.rint(rows.astype(np.float64) * 2**20).sum(axis=0) / 2**20 / len(rows)).astype(
            np.float32
        )
        self._unit = self.centred(rows)
        self._gram = np.rint(self._unit.astype(np.float64) @ self._unit.T.astype(np.float64) * 2**20)
        self.partition_ = self.cut(similarity=self.similarity)
        self.n_features_in_ = rows.shape[1]
        self.labels_ = self.partition_.labels
        return self

    def centred(self, X: np.ndarray) -> np.ndarray:
        moved = X.astype(np.float64) - self.mean_
        return (moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-30)).astype(np.float32)

    def cut(self, *, similarity: float) -> Partition:
        labels = _linked(self._gram.copy(), similarity * 2**20)
        return partition_from(self._unit, labels, similarity)


def _linked(sums: np.ndarray, least: float) -> np.ndarray:
    """Labels by average linkage; `sums[a, b]` is the sum of similarities between two clusters."""
    n = len(sums)
    labels, sizes = np.arange(n), np.ones(n)
    np.fill_diagonal(sums, -np.inf)
    while n > 1:
        mean = sums / (sizes[:, None] * sizes)
        a, b = divmod(int(mean.argmax()), len(mean))
        if not mean[a, b] >= least:
            break
        a, b = min(a, b), max(a, b)
        sums[a] += sums[b]
        sums[:, a] += sums[:, b]
        sums[a, a] = -np.inf
        sums[b] = sums[:, b] = -np.inf
        sizes[a] += sizes[b]
        labels[labels == b] = a
        n -= 1
    return labels


def partition_from(unit: np.ndarray, labels: np.ndarray, similarity: float = 0.5) -> Partition:
    """A partition of unit rows with these labels, numbered by size."""
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.lexsort((np.arange(len(counts)), -counts))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    labels, sizes = rank[codes], counts[order].astype(np.int64)
    sums = np.zeros((len(sizes), unit.shape[1]))
    np.add.at(sums, labels, unit)
    centroids = (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-30)).astype(np.float32)
    return Partition(
        labels=labels,
        sizes=sizes,
        kinds=np.where(sizes >= 5, 0, np.where(sizes >= 2, 1, 2)).astype(np.uint8),
        fit=np.einsum("ij,ij->i", unit, centroids[labels]).astype(np.float32),
        centroids=centroids,
        similarity=similarity,
        algorithm="fake/1",
    )


class OneTheme(FakeThemes):
    """Puts all together, as a tool that synthesises would."""

    def cut(self, *, similarity: float) -> Partition:
        return partition_from(self._unit, np.zeros(len(self._unit), np.int64), similarity)


def planted(
    sizes: list[int], lone: int = 0, dimension: int = 24, spread: float = 0.6, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(vectors, class of each): groups of these sizes about random directions, and `lone` directions with one vector each, shuffled."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes) + lone), [*sizes, *[1] * lone])
    centres = rng.standard_normal((len(sizes) + lone, dimension))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    noise = rng.standard_normal((len(truth), dimension)) * spread / np.sqrt(dimension)
    order = rng.permutation(len(truth))
    return (centres[truth] + noise)[order].astype(np.float32) + 0.3, truth[order]
