"""Live themes again, slowly and plainly: what `rust/core/src/vectors/live` must answer, between two consolidations."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

UNIT, WEIGHT, NOVELTY = 32767, 8.0, 2.5
WIDTH = 32  # rows are filled up to a multiple of this


def rounded(row: np.ndarray, mean: np.ndarray | None = None) -> list[int]:
    """A row minus a mean, at unit length, as whole numbers: squares in eight lanes, lanes added pairwise."""
    centred = [float(x) - (0.0 if mean is None else float(mean[i])) for i, x in enumerate(row)]
    lanes = [0.0] * 8
    for i, x in enumerate(centred):
        lanes[i % 8] += x * x
    a, b, c, d, e, f, g, h = lanes
    length = math.sqrt(((a + e) + (c + g)) + ((b + f) + (d + h)))
    if length == 0:
        return [0] * len(centred)
    factor = UNIT / length
    return [round(x * factor) for x in centred]


@dataclass
class Group:
    """A group: the sum of its rows, and what was seen of their similarities."""

    id: int
    count: int
    sum: list[int]
    seen: list[int] = field(default_factory=list)

    def mean(self) -> list[int]:
        return [round(s / self.count) for s in self.sum]

    def limit(self, mean: float, variance: float, cut: int) -> int:
        n, total = len(self.seen), sum(self.seen)
        scatter = (sum(x * x for x in self.seen) * n - total * total) / max(n, 1) if n else 0.0
        whole = n + WEIGHT
        usual = (total + WEIGHT * mean) / whole
        deviation = math.sqrt((scatter + WEIGHT * variance) / whole)
        return max(math.floor(usual - NOVELTY * deviation), cut)


class Oracle:
    """Groups before the first consolidation: nothing is taken off, and nearly the same is asked for."""

    def __init__(self) -> None:
        self.cut = int(0.9 * UNIT * UNIT)
        self.groups: list[Group] = []
        self.rows: dict[tuple[int, ...], Group] = {}

    def add(self, vector: np.ndarray) -> tuple[int, int, bool, int]:
        """Theme, size, whether new, similarity."""
        raw = rounded(vector.astype(np.float32))
        raw += [0] * (-len(raw) % WIDTH)
        row = rounded(np.array(raw, np.float32))
        best, most = None, None
        similar = [sum(x * y for x, y in zip(row, group.mean(), strict=True)) for group in self.groups]
        for group, similarity in zip(self.groups, similar, strict=True):
            reaches = similarity >= group.limit(float(self.cut), 0.0, self.cut)
            if reaches and (most is None or similarity > most):
                best, most = group, similarity
        copied = self.rows.get(tuple(raw))
        if copied is not None:
            best, most = copied, similar[self.groups.index(copied)]
        if best is None or most is None:
            group = Group(len(self.groups) + 1, 1, row)
            self.groups.append(group)
            self.rows[tuple(raw)] = group
            return group.id, 1, True, max(similar, default=0)
        best.sum = [s + x for s, x in zip(best.sum, row, strict=True)]
        best.count += 1
        best.seen.append(most)
        self.rows.setdefault(tuple(raw), best)
        return best.id, best.count, False, most
