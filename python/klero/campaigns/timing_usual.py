"""How near in time are texts on one subject in this consultation, where nobody acts together?

People answer each other, and write about what happened that day. What is left of that within a question and a subject would make the times of any
group of like texts look chosen. So the same test is made of groups that are *usual here*: the texts nearest in meaning to one that is drawn at
random, as many as the group has, by different accounts and outside of every group that is tested; in its question, for a group of one question.

If members were exchangeable with their pools, a share a of these groups would have p ≤ a. Let p₀ be the p-value that a share `_LEVEL` of them reach:
it is told as `_LEVEL`, and any other as p^(1/λ), λ = ln p₀ / ln `_LEVEL` (at least 1). The surprise −ln p is divided by what the usual groups have
too much of, as the statistics of genetic associations are by their inflation (Devlin and Roeder 1999, «genomic control»); at the upper end, because
that is where decisions are made.

Guaranteed: never a smaller p than the permutations give. Not guaranteed: that surprises beyond those of the usual groups are spread as theirs are.
Randomness: which texts the usual groups begin with, by the consultation's seed. Cost: `_GROUPS` groups a size, 1,000 to 2,000 null groups each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from klero.campaigns.model import Floats, Ints
from klero.campaigns.timing_pools import Board, Tested
from klero.themes.drawing import draws

__all__ = ["Size", "Usual", "inflation", "size_of", "usual_groups"]

_GROUPS = 200
_FEWEST = 40  # fewer groups say nothing of what is usual
_LEVEL = 0.05
_SIZES = (8, 16, 32, 64, 128, 256)
_ROOM = 2  # times as many voices as a group of the size has

Size = tuple[int, bool]
"""Voices of a group, as a power of two; and whether they answered one question."""


@dataclass(frozen=True, eq=False)
class Usual:
    """What is usual of one size of groups.

    Attributes:
        surprises: −log₁₀ p of each group's scan, ascending.
        inflation: λ.
    """

    surprises: Floats
    inflation: float

    def told(self, p: float) -> float:
        """A p-value, read against the usual groups."""
        return float(p ** (1.0 / self.inflation))


def inflation(ps: Floats) -> float:
    """λ of the p-values of groups that are usual; 1 where these are no smaller than they should be.

    >>> inflation(np.arange(1, 101) / 100), round(inflation((np.arange(1, 101) / 100) ** 2), 9)
    (1.0, 2.0)
    """
    reached = float(np.sort(ps)[math.ceil(_LEVEL * len(ps)) - 1])
    return max(1.0, math.log(reached) / math.log(_LEVEL))


def size_of(board: Board, tested: Tested) -> Size:
    """The size of usual groups that a group is read against."""
    nearest = min(_SIZES, key=lambda size: abs(math.log2(size / tested.voices)))
    places = board.place[tested.members]
    _, counts = np.unique(places, return_counts=True)
    return nearest, bool(2 * counts.max() > tested.voices)


def usual_groups(board: Board, sizes: Iterable[Size], avoid: Ints) -> dict[Size, list[Tested]]:
    """Usual groups of each size; none where texts have no vectors, or too few are left to make groups of.

    Args:
        board: the contributions.
        sizes: what is wanted.
        avoid: rows of groups that are tested.
    """
    c = board.c
    free = np.zeros(len(c), bool)
    free[board.dated] = True
    free[avoid] = False
    if c.vectors is None:
        return {}
    free &= (c.vectors != 0).any(axis=1)
    order: Ints = np.argsort(draws(c.seed, "campaigns timing usual", len(c)), kind="stable")
    order = order[free[order]]
    found: dict[Size, list[Tested]] = {}
    by_centres: dict[tuple[int, ...], list[Size]] = {}
    for size in sorted(set(sizes)):
        centres = _centres(board, order, size)
        if len(centres) >= _FEWEST:
            by_centres.setdefault(tuple(map(int, centres)), []).append(size)
    for begun, wanted in by_centres.items():
        for centre, near in zip(begun, board.likeness(begun), strict=True):
            if near is None:
                continue
            for voices, one in wanted:
                group = _nearest(board, centre, near, free, voices, one)
                tested = board.tested(group, near) if len(group) == voices else None
                if tested is not None and 2 * tested.voices > voices:
                    found.setdefault((voices, one), []).append(tested)
    return {size: groups for size, groups in found.items() if len(groups) >= _FEWEST}


def _centres(board: Board, order: Ints, size: Size) -> Ints:
    """Rows that usual groups begin with: where enough others wrote."""
    voices, one = size
    author = board.c.author
    if not one:
        enough = len(np.unique(author[order])) >= _ROOM * voices
        return order[:_GROUPS] if enough else order[:0]
    pairs = np.unique(np.stack([board.place[order], author[order]]), axis=1)
    large = np.bincount(pairs[0], minlength=len(board.c.questions) + 2) >= _ROOM * voices
    return order[large[board.place[order]]][:_GROUPS]


def _nearest(board: Board, centre: int, near: Ints, free: np.ndarray, voices: int, one: bool) -> Ints:
    """The centre and the rows nearest to it, by different accounts; of one account the nearest."""
    c = board.c
    rows = np.flatnonzero(free & (board.place == board.place[centre]) if one else free)
    keys = near[rows] * len(c) + (len(c) - 1 - rows)
    keys[rows == centre] = np.iinfo(np.int64).max
    # Most rows are far away: sort only as many as will probably do.
    some = min(len(rows), 8 * voices)
    best = np.argpartition(-keys, some - 1)[:some]
    while True:
        best = best[np.argsort(-keys[best], kind="stable")]
        _, first = np.unique(c.author[rows[best]], return_index=True)
        if len(first) >= voices or len(best) == len(rows):
            return np.sort(rows[best[np.sort(first)[:voices]]])
        best = np.arange(len(rows))
