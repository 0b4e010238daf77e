"""Slow, obvious versions of the vectors' kernels: numpy with whole numbers, one thing at a time."""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

UNIT = 32767


def mean_of(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of «klero-sphere/1», with Python's whole numbers."""
    largest = float(np.abs(x).max(initial=0.0))
    if largest == 0.0:
        return np.zeros(x.shape[1], np.float32)
    exponent = math.frexp(largest)[1]
    bits = min(40, 62 - (len(x) - 1).bit_length())
    step = math.ldexp(1.0, exponent - bits)
    sums = [sum(round(float(v) / step) for v in column) for column in x.T]
    return np.array([float(s) * step / len(x) for s in sums]).astype(np.float32)


def rounded(x: NDArray[np.float32], mean: NDArray[np.float32], floor: float) -> NDArray[np.int64]:
    """Rows on the sphere."""
    rows = []
    for row in x:
        c = row.astype(np.float64) - mean.astype(np.float64)
        lanes = [0.0] * 8
        for i, v in enumerate(c):
            lanes[i % 8] += float(v) * float(v)
        a, b, cc, d, e, f, g, h = lanes
        length = math.sqrt(((a + e) + (cc + g)) + ((b + f) + (d + h)))
        if length <= floor or length == 0.0:
            rows.append(np.zeros(len(c), np.int64))
        else:
            rows.append(np.rint(c * (UNIT / length)).astype(np.int64))
    return np.array(rows, np.int64).reshape(x.shape)


def floor_of(x: NDArray[np.float32]) -> float:
    """The length up to which a centred row has no direction."""
    largest = float(np.abs(x).max(initial=0.0))
    return math.sqrt(x.shape[1]) * largest * 2.0**-22


def name(row: NDArray[np.int64]) -> bytes:
    """A row's name."""
    return hashlib.sha256(row.astype("<i2").tobytes()).digest()[:16]


def neighbours(q: NDArray[np.int64], k: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The k nearest others, ties by the lower number."""
    s = q @ q.T
    k = min(k, len(q) - 1)
    ids = []
    for i, row in enumerate(s):
        order = sorted((j for j in range(len(q)) if j != i), key=lambda j: (-row[j], j))
        ids.append(order[:k])
    found = np.array(ids, np.int64).reshape(len(q), max(k, 0))
    return found, np.take_along_axis(s, found, 1)
