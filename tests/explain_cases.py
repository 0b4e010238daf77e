"""A partition as the engine gives it, made from plain labels and vectors, and made-up contributions with it."""

from __future__ import annotations

import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class FakePartition:
    labels: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.uint8]
    fit: npt.NDArray[np.float32]
    centroids: npt.NDArray[np.float32]
    similarity: float = 0.5
    algorithm: str = "klero-themes/1"


def unit(vectors: npt.ArrayLike) -> npt.NDArray[np.float32]:
    rows = np.asarray(vectors, np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def partition_of(labels: npt.ArrayLike, vectors: npt.ArrayLike) -> FakePartition:
    """Groups numbered by size, with centroids and fit."""
    given, rows = np.asarray(labels), unit(vectors)
    sizes = np.bincount(given)
    order = np.argsort(-sizes, kind="stable")
    order = order[sizes[order] > 0]
    place = np.zeros(len(sizes), np.int64)
    place[order] = np.arange(len(order))
    new, sizes = place[given], sizes[order].astype(np.int64)
    sums = np.zeros((len(order), rows.shape[1]))
    np.add.at(sums, new, rows.astype(np.float64))
    centroids = unit(sums)
    kinds = np.where(sizes >= 5, 0, np.where(sizes >= 2, 1, 2)).astype(np.uint8)
    fit = (rows * centroids[new]).sum(axis=1).astype(np.float32)
    # Lone voices come last and have no centroids.
    return FakePartition(new, sizes, kinds, fit, centroids[: int((sizes > 1).sum())])


def made_up(
    seed: int, rows: int, groups: int, dimension: int = 12
) -> tuple[list[int], npt.NDArray[np.float32], list[str]]:
    """Labels, vectors around a centre of each group, and texts that name the group."""
    rng, draw = random.Random(seed), np.random.default_rng(seed)
    labels = [rng.randrange(groups) for _ in range(rows)]
    centres = draw.normal(size=(groups, dimension))
    vectors = unit(centres[labels] + draw.normal(size=(rows, dimension)) * 0.5)
    names = ["tram", "vélo", "bibliothèque", "piscine", "cantine", "parc", "marché", "éclairage"]
    texts = [f"{names[label % len(names)]} {rng.choice(names)} {row}" for row, label in enumerate(labels)]
    return labels, vectors, texts
