"""Which contributions answer the same thing, so that it is fair to compare their texts?

A stratum is a question with the questions nearest to it, until it is large enough to draw null groups from; where there are no questions, or only one, it is
a theme. Each account stands in a stratum with its first contribution: ten texts of one person are one voice.

Questions are near if the mean vectors of their texts are. Families are made greedily, the largest question first, so that they are the same for the same set of
contributions. Cost: a product of the matrix of questions with itself; memory grows with questions squared (at most 5,000 have neighbours).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from klero.campaigns.model import Consultation, Floats, Ints

__all__ = ["LEAST_WORDS", "Stratum", "centred", "strata_of"]

LEAST_WORDS = 6
"""Words of a text that is compared with others in meaning: «tout à fait d'accord» says nothing of its source."""
_FAMILY = 150  # texts from which a family of questions grows no more
_THEME = 120  # texts of a theme, on average
_LEAST = 15  # texts of a stratum that can be searched
_QUESTIONS = 5000  # the largest, which may have neighbours
_SHRINK = 5.0  # as many texts at the overall mean are mixed into a question's mean
_DAY = 86400.0
_BLOCK = 4096  # vectors in memory in full precision


@dataclass(frozen=True, eq=False)
class Stratum:
    """Contributions that answer the same thing, one an account.

    Attributes:
        name: «question:12» (the number of its largest question), «theme:3».
        rows: rows of the consultation, by time and then by row; those without a time come last.
    """

    name: str
    rows: Ints


def strata_of(c: Consultation, apart: Ints, *, threads: int) -> tuple[list[Stratum], Ints]:
    """The strata, and for each row the number that its vector is centred by (question or theme), -1 for one that is not compared.

    Args:
        apart: rows that are not compared.

    Complexity: O(questions² × dimension), or that of k-means.
    """
    vectors = _vectors(c)
    compared = (c.words >= LEAST_WORDS) & vectors.any(axis=1)
    compared[apart] = False
    groups = np.where(compared, c.question, -1)
    if len(np.unique(groups[groups >= 0])) < 2:
        groups = _themes(vectors, compared, threads)
        families, prefix = [[int(one)] for one in np.unique(groups[groups >= 0])], "theme"
    else:
        families, prefix = _families(vectors, groups), "question"
    rows_by = _rows_by(groups)
    strata = []
    for family in families:
        rows = _voices(c, np.concatenate([rows_by[one] for one in family]))
        if len(rows) >= _LEAST:
            strata.append(Stratum(f"{prefix}:{family[0]}", rows))
    return strata, groups


def centred(c: Consultation, groups: Ints, largest: int) -> npt.NDArray[np.int16]:
    """Vectors of unit length without what all texts of their question share, so that a narrow question is no tighter than a wide one; in whole numbers,
    of which `largest` is 1.

    In a question's mean a day with n texts weighs √n, so that forty texts of one morning do not make themselves what is usual; and it is shrunk: a few texts
    say little. Rows without a group are zeros.
    """
    vectors = _vectors(c)
    whole = np.zeros(vectors.shape, np.int16)
    day = np.where(np.isnan(c.time), -1.0 - np.arange(len(c)), np.floor(c.time / _DAY))
    for rows in _rows_by(groups).values():
        _, of, texts = np.unique(day[rows], return_inverse=True, return_counts=True)
        weights = 1.0 / np.sqrt(texts[of])
        mean = np.zeros(vectors.shape[1])
        for first in range(0, len(rows), _BLOCK):
            part = rows[first : first + _BLOCK]
            mean += (weights[first : first + _BLOCK, None] * vectors[part]).sum(axis=0)
        mean /= weights.sum() + _SHRINK
        for first in range(0, len(rows), _BLOCK):
            part = rows[first : first + _BLOCK]
            moved = vectors[part] - mean
            lengths = np.sqrt((moved * moved).sum(axis=1))
            moved *= (largest / np.where(lengths > 0, lengths, 1.0))[:, None]
            whole[part] = np.rint(moved)
    return whole


def _vectors(c: Consultation) -> npt.NDArray[np.float32]:
    return np.zeros((len(c), 1), np.float32) if c.vectors is None else c.vectors


def _rows_by(groups: Ints) -> dict[int, Ints]:
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    first = (
        np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.empty(0, np.int64)
    )
    parts = np.split(order, first[1:])
    return {int(groups[part[0]]): part for part in parts if len(part) and groups[part[0]] >= 0}


def _themes(vectors: npt.NDArray[np.float32], compared: npt.NDArray[np.bool_], threads: int) -> Ints:
    from klero.themes.kmeans import KMeans

    rows = np.flatnonzero(compared)
    groups = np.full(len(compared), -1, np.int64)
    count = len(rows) // _THEME
    if count < 2:
        groups[rows] = 0
        return groups
    groups[rows] = KMeans(count, threads=threads).fit(vectors[rows]).labels_
    return groups


def _families(vectors: npt.NDArray[np.float32], groups: Ints) -> list[list[int]]:
    rows_by = _rows_by(groups)
    names = sorted(rows_by, key=lambda one: (-len(rows_by[one]), one))
    means = np.stack([vectors[rows_by[one]].astype(np.float64).sum(axis=0) for one in names[:_QUESTIONS]])
    means /= np.maximum(np.sqrt((means * means).sum(axis=1)), 1e-12)[:, None]
    sizes = [len(rows_by[one]) for one in names]
    free = np.ones(len(means), bool)
    families = []
    for first in range(len(means)):
        if not free[first]:
            continue
        free[first] = False
        family, size = [names[first]], sizes[first]
        # Rounded, so that the last digits of a machine's arithmetic decide nothing.
        near = np.round(np.where(free, means @ means[first], -1.0), 9)
        for other in np.argsort(-near, kind="stable"):
            if not free[other] or size >= _FAMILY:
                break
            free[other] = False
            family.append(names[other])
            size += sizes[other]
        families.append(family)
    return families + [[one] for one in names[_QUESTIONS:]]


def _voices(c: Consultation, rows: Ints) -> Ints:
    """The first row of each account, by time."""
    times: Floats = np.where(np.isnan(c.time[rows]), np.inf, c.time[rows])
    ordered = rows[np.lexsort((rows, times))]
    _, first = np.unique(c.author[ordered], return_index=True)
    return ordered[np.sort(first)]
