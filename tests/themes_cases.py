"""Partitions, levels and what they say, made by hand and slowly: for tests of the page and of the command that don't ask how groups are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from klero.cli import themes_steps as steps
from klero.themes.report_facts import Explained, Facts, LevelCut, gather


@dataclass(frozen=True)
class FakePartition:
    """The attributes of `klero.themes.partition.Partition`."""

    labels: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]
    fit: npt.NDArray[np.float32]
    centroids: npt.NDArray[np.float32]
    similarity: float
    algorithm: str = "klero-themes/1"


def partition(
    groups: npt.NDArray[np.int64], vectors: npt.NDArray[np.floating], similarity: float = 0.5
) -> FakePartition:
    """Any numbering of groups as a partition: themes by size, then weak signals, then lone voices; ties by the smallest centroid."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    old, inverse, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    sums = np.stack([np.round(unit[inverse == g].astype(np.float64), 6).sum(axis=0) for g in range(len(old))])
    centroids = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    kinds = np.where(sizes >= 5, 0, np.where(sizes >= 2, 1, 2))
    order = sorted(range(len(old)), key=lambda g: (kinds[g], -sizes[g], np.round(centroids[g], 5).tolist()))
    rank = np.empty(len(old), np.int64)
    rank[order] = np.arange(len(old))
    labels = rank[inverse]
    centroids = centroids[order].astype(np.float32)
    fit = (unit.astype(np.float32) * centroids[labels]).sum(axis=1).astype(np.float32)
    return FakePartition(labels, sizes[order], kinds[order].astype(np.uint8), fit, centroids, similarity)


def explained(one: FakePartition, texts: Sequence[str], vectors: npt.NDArray[np.floating]) -> Explained:
    """Words that a group has more often than others, its middle, its edge and its farthest."""
    clusters = len(one.sizes)
    medoids, distant = np.zeros(clusters, np.int64), np.full(clusters, -1)
    boundaries: list[list[tuple[int, int]]] = [[] for _ in range(clusters)]
    for label in range(clusters):
        rows = np.flatnonzero(one.labels == label)
        order = sorted(rows.tolist(), key=lambda row: (-float(one.fit[row]), texts[row]))
        medoids[label] = order[0]
        if one.kinds[label] == 0:
            distant[label] = order[-1]
            boundaries[label] = [(order[-2], (label + 1) % clusters), (order[-3], -1)]
    return Explained(keywords(one, texts), medoids, boundaries, distant)


def keywords(one: FakePartition, texts: Sequence[str], most: int = 4) -> list[tuple[str, ...]]:
    """The longest words that stand in most texts of a group."""
    found = []
    for label in range(len(one.sizes)):
        counts: dict[str, int] = {}
        for row in np.flatnonzero(one.labels == label):
            for word in {w.strip(".,;:!?()«»\"'").casefold() for w in texts[row].split()}:
                if len(word) > 4:
                    counts[word] = counts.get(word, 0) + 1
        found.append(tuple(sorted(counts, key=lambda word: (-counts[word], -len(word), word))[:most]))
    return found


SUBJECTS = ("buses", "trees", "libraries", "schools")


def contributions(
    sizes: Sequence[int] = (9, 6, 3, 2, 1, 1), empty: int = 2
) -> tuple[pa.Table, npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Texts about a subject each, with dates and authors; the rows that have a word; and vectors of these."""
    texts, subject = [], []
    for number, size in enumerate(sizes):
        for n in range(size):
            texts.append(f"We want better {SUBJECTS[number % 4]} number {number}, says person {n} of {size}.")
            subject.append(number)
    random = np.random.default_rng(7)
    middle = random.normal(size=(len(sizes), 24))
    vectors = middle[subject] + random.normal(size=(len(texts), 24)) * 0.25
    texts += ["👍"] * empty
    n = len(texts)
    days = np.arange(n, dtype=np.int64) * 86_400_000_000 + 1_772_000_000_000_000
    table = pa.table(
        {
            "id": [f"C{i:03}" for i in range(n)],
            "text": pa.array(texts, pa.large_string()),
            "author": [f"secret-{i // 2}" for i in range(n)],
            "time": pa.array(days, pa.timestamp("us", "UTC")),
        }
    )
    kept = np.arange(n - empty, dtype=np.int64)
    return table, kept, vectors.astype(np.float32)


def facts(
    sizes: Sequence[int] = (9, 6, 3, 2, 1, 1), *, order: npt.NDArray[np.int64] | None = None, **rest: object
) -> Facts:
    """The facts of a page about these groups; `order` shuffles the rows."""
    table, kept, vectors = contributions(sizes)
    groups = np.repeat(np.arange(len(sizes)), sizes)
    if order is not None:
        table = table.take(order)
        kept = np.flatnonzero(order < len(groups))
        vectors, groups = vectors[order[kept]], groups[order[kept]]
    texts = table.column("text").take(pa.array(kept)).to_pylist()
    fine, coarse = partition(groups, vectors, 0.5), partition(groups // 2, vectors, 0.2)
    levels = [
        LevelCut(cut, persistence, keywords(cut, texts)) for cut, persistence in ((coarse, 0.3), (fine, 0.1))
    ]
    return gather(table, kept, fine, explained(fine, texts, vectors), levels, chosen=1, **rest)  # type: ignore[arg-type]


def word_vectors(texts: Sequence[str], width: int = 64) -> npt.NDArray[np.float32]:
    """Vectors in which texts that share words are alike."""
    found = np.zeros((len(texts), width), np.float32)
    for row, text in enumerate(texts):
        for word in text.casefold().split():
            found[row, crc32(word.strip(".,;:!?()").encode()) % width] += 1.0
        found[row, crc32(text.encode()) % width] += 0.01
    return found


class Heard:
    """What the engine was asked by the command."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[dict[str, object]] = []
        fitted = steps.fitted

        def heard(vectors: npt.NDArray[np.float32], ids: Sequence[str], **asked: Any) -> steps.Fitted:
            self.asked.append(asked)
            return fitted(vectors, ids, **asked)

        monkeypatch.setattr(steps, "fitted", heard)
