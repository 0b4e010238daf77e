"""Which themes are near each other? A map of them on paper, on which what is alike lies close together.

Method. Each cluster is the centroid of its contributions, a direction in hundreds of dimensions; the farther two are apart, the smaller their
cosine. The map begins as classical scaling (Torgerson 1952: the two leading axes of the doubly centred cosines, by power iteration) and is then
improved as t-SNE does it (van der Maaten and Hinton 2008): neighbours attract each other, all others repel. Here the affinity of two clusters is
told from ranks alone (the nearest counts 8, the next 7, …), so that a theme whose neighbours are all far has neighbours too. At most
`most` clusters, the first ones, push each other into place; each of the others is put beside the three of these that it is most like.
Symbols as in that paper: p_ij the affinity, q_ij = (1 + |y_i − y_j|²)^-1 / Z that of their places y on the map.

Guaranteed: a function of the centroids alone, whatever their order but for which are the first `most`, the same on every machine and for every
number of threads: centroids and every term of a sum are rounded to whole numbers first, and sums of whole numbers below 2^53 are exact in any
order; nothing else is used but +, −, ×, ÷ and roots, which are the same everywhere. Axes have a fixed sign: the longer tail is to the right, and
down. Not guaranteed: that nearness on the map is nearness in what was said. No plane holds hundreds of dimensions, and distances between far
clusters mean nothing; `agreement` says how far the map can be trusted.

Cost: O(m² d + steps · m²) for the m ≤ `most` clusters that push, and O(m d) for each of the others; one thread of numpy (and its BLAS); no
randomness.

>>> corners = np.array([[1, 0, 0], [0.9, 0.43589, 0], [0, 0, 1], [0.3, 0, 0.95394]], np.float32)
>>> a, b, c, d = (complex(*place) for place in project(corners))
>>> abs(a - b) < abs(a - c), abs(c - d) < abs(b - d)
(True, True)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["agreement", "project"]

_MOST = 256
_UNIT = 32767.0
_FINE = (
    2.0**22
)  # terms are whole numbers of 2^-22; times 2^8 terms and a magnitude of 2^12 that stays far below 2^53
_POWER, _EARLY, _STEPS = 120, 100, 500
_NEIGHBOURS, _EXAGGERATED, _RATE = 8, 4.0, 0.25
_BLOCK = 1024
_CLOSE = 3  # the nearest neighbours among which the nearest on the map should be
_BESIDE = np.array([8.0, 1.0, 1.0])

Array = npt.NDArray[np.float64]


def project(centroids: npt.NDArray[np.floating], most: int = _MOST) -> Array:
    """Places on the map, float64 (k, 2), about the origin and at most 1 from it.

    Args:
        centroids: (k, d), of unit length; the clusters that matter most for the map first.
        most: at most so many push each other into place.
    """
    whole = _whole(centroids)
    pushing = whole[:most]
    order = np.lexsort(pushing.T[::-1]) if len(pushing) else np.zeros(0, np.int64)
    cosines = _cosines(pushing[order], pushing[order])
    places = np.zeros((len(pushing), 2))
    places[order] = _signed(_embedded(_scaled(cosines), _affinities(cosines)))
    if len(whole) > most:
        rest = [
            _beside(_cosines(whole[first : first + _BLOCK], pushing), places)
            for first in range(most, len(whole), _BLOCK)
        ]
        places = np.concatenate([places, *rest])
    farthest = float(np.sqrt((places * places).max(initial=0.0) * 2.0))
    return places / farthest if farthest else places


def agreement(centroids: npt.NDArray[np.floating], places: Array, most: int = _MOST) -> tuple[int, int]:
    """Of how many of the first clusters the nearest on the map is one of the three that are most like it, and of how many that was asked."""
    whole = _whole(centroids[:most])
    if len(whole) <= _CLOSE + 1:
        return len(whole), len(whole)
    alike = _cosines(whole, whole)
    np.fill_diagonal(alike, -np.inf)
    apart = _squares(places[: len(whole)])
    np.fill_diagonal(apart, np.inf)
    nearest = apart.argmin(axis=1)
    close = np.sort(alike, axis=1)[:, -_CLOSE]
    right = alike[np.arange(len(whole)), nearest] >= close
    return int(right.sum()), len(whole)


def _whole(centroids: npt.NDArray[np.floating]) -> Array:
    return np.rint(np.asarray(centroids, np.float64) * _UNIT)


def _cosines(some: Array, others: Array) -> Array:
    """Exact: sums of products of whole numbers of at most 2^15."""
    return np.asarray((some @ others.T) / (_UNIT * _UNIT))


def _squares(places: Array) -> Array:
    """Squared distances of all pairs."""
    across = places[:, None, 0] - places[None, :, 0]
    up = places[:, None, 1] - places[None, :, 1]
    return np.asarray(across * across + up * up)


def _sum(terms: Array, axis: int | None) -> Array:
    """A sum that does not depend on the order of its terms, each rounded to 2^-22."""
    return np.asarray(np.rint(terms * _FINE).sum(axis=axis) / _FINE)


def _mean(terms: Array, axis: int) -> Array:
    return np.asarray(_sum(terms, axis) / max(terms.shape[axis], 1))


def _scaled(cosines: Array) -> Array:
    """Classical scaling: the two leading axes of the doubly centred matrix, each as long as the root of its eigenvalue, about."""
    middle = _mean(cosines, 0)
    centred = np.rint((cosines - middle[None] - middle[:, None] + _mean(middle, 0)) * 2.0**20) / 2.0**20
    first = _direction(_sum(np.abs(centred) * centred, 1), [])
    second = _direction(_sum(centred * centred, 1), [first])
    for _ in range(_POWER):
        first = _direction(_times(centred, first), [])
        second = _direction(_times(centred, second), [first])
    lengths = [np.sqrt(max(float(_sum(axis * _times(centred, axis), 0)), 0.0)) for axis in (first, second)]
    return np.stack([first * lengths[0], second * lengths[1]], axis=1)


def _times(matrix: Array, vector: Array) -> Array:
    """The product of whole numbers of 2^-20 with a vector of numbers up to 1, rounded to 2^-22: exact in any order."""
    return np.asarray(matrix @ (np.rint(vector * _FINE) / _FINE))


def _direction(vector: Array, others: list[Array]) -> Array:
    """The part of a vector that is at right angles to the others, with length 1; zero if nothing is left."""
    largest = float(np.abs(vector).max(initial=0.0))
    if largest == 0.0:
        return vector
    vector = vector / largest
    for other in others:
        vector = vector - float(_sum(vector * other, 0)) * other
    length = float(_sum(vector * vector, 0))
    return vector / np.sqrt(length) if length > 1e-9 else np.zeros_like(vector)


def _affinities(cosines: Array) -> Array:
    """n · p_ij: 8 for the nearest, 7 for the next, …, both ways added, as shares; of two that are as near, the first comes first."""
    count = len(cosines)
    if count < 2:
        return np.zeros_like(cosines)
    alike = cosines.copy()
    np.fill_diagonal(alike, np.inf)
    order = np.argsort(-alike, axis=1, kind="stable")[:, 1 : _NEIGHBOURS + 1]
    found = np.zeros_like(cosines)
    rank = np.arange(_NEIGHBOURS, _NEIGHBOURS - order.shape[1], -1, dtype=np.float64)
    np.put_along_axis(found, order, rank[None], axis=1)
    found = found + found.T
    return np.asarray(found * (count / float(found.sum())))


def _embedded(places: Array, affinities: Array) -> Array:
    """Places after the descent; attraction is exaggerated at first, so that neighbours find each other past the others."""
    count = len(places)
    if count < 2:
        return np.zeros((count, 2))
    places = places / max(float(np.abs(places).max()), 1e-9) + _spiral(count) * 1e-3
    moving = np.zeros_like(places)
    for step in range(_STEPS):
        early = step < _EARLY
        near = 1.0 / (1.0 + _squares(places))
        np.fill_diagonal(near, 0.0)
        total = float(_sum(near, None))
        force = near * (affinities * (_EXAGGERATED if early else 1.0) - near * (count / total))
        pull = np.stack(
            [_sum(force * (places[:, None, axis] - places[None, :, axis]), 1) for axis in (0, 1)], axis=1
        )
        moving = moving * (0.5 if early else 0.8) - pull * (4.0 * _RATE)
        places = places + moving
        places = places - _mean(places, 0)
    return places


def _beside(cosines: Array, places: Array) -> Array:
    """Where clusters belong that don't push: near the three that they are most like, the first of them most."""
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :_CLOSE]
    weights = _BESIDE[: nearest.shape[1]] / _BESIDE[: nearest.shape[1]].sum()
    return np.stack([_sum(weights * places[nearest, axis], 1) for axis in (0, 1)], axis=1)


def _spiral(count: int) -> Array:
    """Points that are all different, within the unit square; fractions of roots, without a sine."""
    number = np.arange(1, count + 1, dtype=np.float64)
    return np.stack([np.mod(number * np.sqrt(2.0), 1.0), np.mod(number * np.sqrt(3.0), 1.0)], axis=1) - 0.5


def _signed(places: Array) -> Array:
    """The longer tail to the right and down, whatever sign the axes had."""
    tails = _sum(places**3, 0)
    return places * np.where(tails < 0, -1.0, 1.0)
