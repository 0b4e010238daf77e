"""Vectors by the million, like those of texts: a mixture of Zipf-sized topics, made in blocks into a .npy file, the same for the same arguments.

Topic t of 2,000 has a share in proportion to 1 / t. A point is its topic's centre plus noise of 0.8 times its length, then brought to unit length.
Centres and noise are Gaussian. `flat`: the same variance in all 384 dimensions (what earlier figures of peers were taken on). `texts`: variance in
proportion to 1 / i^0.9 in dimension i, turned by a random rotation: half of it is in some 40 dimensions and three quarters in some 110, as
MiniLM's vectors of CLINC150 have it (39 and 105).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

TOPICS = 2_000
WIDTH = 384
BLOCK = 50_000
NOISE = 0.8


def _scales(kind: str, width: int) -> np.ndarray:
    if kind == "flat":
        return np.ones(width, np.float32)
    variance = np.arange(1, width + 1) ** -0.9
    return np.sqrt(variance * width / variance.sum()).astype(np.float32)


def shares(topics: int = TOPICS) -> np.ndarray:
    """The share of each topic, descending."""
    weights = 1 / np.arange(1, topics + 1)
    return weights / weights.sum()


def make(
    folder: Path, rows: int, kind: str, *, topics: int = TOPICS, width: int = WIDTH, seed: int = 1
) -> tuple[Path, Path]:
    """(vectors, topic of each), made unless they are there."""
    name = f"mixture-{kind}-{rows}-{topics}-{width}-{seed}"
    vectors, labels = folder / f"{name}.npy", folder / f"{name}-topics.npy"
    if labels.exists():
        return vectors, labels
    random = np.random.default_rng(seed)
    scales = _scales(kind, width)
    turn = np.eye(width, dtype=np.float32)
    if kind != "flat":
        turn = np.linalg.qr(random.normal(size=(width, width)))[0].astype(np.float32)
    centres = random.normal(size=(topics, width)).astype(np.float32) * scales
    out = np.lib.format.open_memmap(vectors, "w+", np.float32, (rows, width))
    topic = np.empty(rows, np.int32)
    for block, first in enumerate(range(0, rows, BLOCK)):
        random = np.random.default_rng((seed, block))
        last = min(first + BLOCK, rows)
        topic[first:last] = random.choice(topics, last - first, p=shares(topics))
        points = random.standard_normal((last - first, width), np.float32) * (scales * np.float32(NOISE))
        points = (points + centres[topic[first:last]]) @ turn
        out[first:last] = points / np.linalg.norm(points, axis=1, keepdims=True)
    out.flush()
    np.save(labels, topic)
    return vectors, labels
