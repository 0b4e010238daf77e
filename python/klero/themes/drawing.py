"""How are contributions drawn by a seed, and a model fitted anew on them, so that neither the order of rows nor the machine matters?

Rows are put into an order of their own (by the SHA-256 of their numbers), and the seed numbers them there with the 64-bit words of Philox (Salmon,
Moraes, Dror and Shaw, SC 2011), a counter-based generator whose output is fixed. Angles are compared by whole numbers: a row is centred, brought
to a length of 3,000 and rounded, so a product of two rows and every partial sum of it is below 2^24, which floats of 32 bits hold exactly; a
fast matrix product then gives the same numbers with any library, order of additions or number of threads.

Guaranteed: the same draws for the same rows, in any order, and the same seed. Not guaranteed: angles finer than about a thirtieth of a degree.
Cost: a hash a row; a matrix product where near rows are looked for. Only the seed is random.

>>> import numpy as np
>>> rows = np.eye(4, dtype=np.float32)
>>> drawn_order(rows, 7, "example").tolist() == drawn_order(rows[::-1].copy(), 7, "example")[::-1].tolist()
False
>>> rows[drawn_order(rows, 7, "example")].tolist() == rows[::-1][drawn_order(rows[::-1].copy(), 7, "example")].tolist()
True
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from klero.errors import Fault, InputError
from klero.voices.settings import read_whole

if TYPE_CHECKING:
    from klero.themes.partition import Partition

__all__ = [
    "UNIT",
    "Ints",
    "Matrix",
    "ThemesModel",
    "canonical_order",
    "drawn_order",
    "draws",
    "fitted_on",
    "mean_of",
    "nearest_others",
    "partition_of",
    "read_seed",
    "refitted",
    "shuffled",
    "whole_rows",
]

Ints: TypeAlias = npt.NDArray[np.int64]
Matrix: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float64]

UNIT = 3000
"""The length of a rounded row: (3000 + √d / 2)² < 2^24 for any dimension below a million."""

_BLOCK = 4096
_LOOKED_AT, _NEAR = 200, 0.01
_PAIRS = ("must_link", "cannot_link")


class ThemesModel(Protocol):
    """What is asked of a model whose themes are examined: `klero.Themes`, or another with the same attributes once fitted."""

    def get_params(self, deep: bool = True) -> dict[str, object]:
        """The parameters."""

    def fit(self, X: Matrix) -> object:
        """Learns, and sets `partition_` and `mean_`."""


def read_seed(seed: object, faults: list[Fault]) -> None:
    """Adds to `faults` a seed that is none."""
    read_whole(faults, "seed", seed, 0, 2**63 - 1, "the seed")


def draws(seed: int, label: str, count: int) -> npt.NDArray[np.uint64]:
    """64-bit words that the seed gives under this label, the same on any machine."""
    key = hashlib.sha256(f"klero {label} {seed}".encode()).digest()[:16]
    words: npt.NDArray[np.uint64] = np.random.Philox(key=int.from_bytes(key, "big")).random_raw(count)
    return words


def shuffled(count: int, seed: int, label: str) -> Ints:
    """The numbers from 0 to `count` - 1 in an order that the seed gives."""
    return np.argsort(draws(seed, label, count), kind="stable").astype(np.int64)


def canonical_order(rows: Matrix) -> Ints:
    """The rows' positions by the SHA-256 of their numbers; equal rows stay as they came, and nothing tells them apart."""
    digests = b"".join(hashlib.sha256(row).digest()[:16] for row in np.ascontiguousarray(rows))
    high, low = np.frombuffer(digests, ">u8").reshape(-1, 2).T
    return np.lexsort((low, high)).astype(np.int64)


def drawn_order(rows: Matrix, seed: int, label: str) -> Ints:
    """The rows' positions in an order that the seed gives, whatever their order is."""
    return canonical_order(rows)[shuffled(len(rows), seed, label)]


def whole_rows(rows: Matrix, mean: Matrix | None = None) -> tuple[Matrix, Floats]:
    """Rows as whole numbers (in floats) of length 3,000, and their lengths before; a row that equals the mean becomes zeros.

    Args:
        rows: n × d.
        mean: what to take from each row; nothing by default.
    """
    centred = rows.astype(np.float64)
    if mean is not None:
        centred -= mean
    # Scaled by powers of two to whole numbers whose squares, summed, stay below 2^53: the sum is exact in any order.
    bits = (52 - max(1, rows.shape[1] - 1).bit_length()) // 2
    exponent = np.frexp(np.abs(centred).max(axis=1, initial=0.0))[1]
    whole = np.rint(np.ldexp(centred, (bits - exponent)[:, None]))
    norms = np.sqrt((whole * whole).sum(axis=1))
    scale = np.divide(UNIT, norms, out=np.zeros_like(norms), where=norms > 0)
    return np.rint(whole * scale[:, None]).astype(np.float32), np.ldexp(norms, exponent - bits)


def nearest_others(
    rows: Matrix, mean: Matrix | None, which: Ints, canonical: Ints, rank: int = 1
) -> tuple[Ints, Ints]:
    """For some rows the nearest others: how near (9,000,000 in the same direction, 0 at a right angle) and which, nearest first.

    Args:
        rows: n × d.
        mean: what to take from each row.
        which: positions of the rows that are asked about.
        canonical: the rows' order by content, which decides between rows that are equally near.
        rank: how many others; all of them if there are fewer.

    Returns:
        Two arrays of as many rows as `which`, with a column for each of the others.
    """
    n = len(rows)
    place = np.empty(n, np.int64)
    place[canonical] = np.arange(n)
    asked, _ = whole_rows(rows[which], mean)
    # One number for similarity and place, so that no two are equal and nothing is left to the way in which numbers are sorted.
    best = np.full((len(which), 0), 0, np.int64)
    for start in range(0, n, _BLOCK):
        block, _ = whole_rows(rows[start : start + _BLOCK], mean)
        keys = (asked @ block.T).astype(np.int64) * n + (n - 1 - place[start : start + len(block)])
        own = np.flatnonzero((which >= start) & (which < start + len(block)))
        keys[own, which[own] - start] = -(2**62)
        both = np.concatenate([best, keys], axis=1)
        best = -np.partition(-both, min(rank, both.shape[1]) - 1, axis=1)[:, :rank]
    best = -np.sort(-best, axis=1)[:, : min(rank, n - 1)]
    near, rest = np.divmod(best, n)
    return near, canonical[n - 1 - rest]


def partition_of(model: object) -> Partition:
    """The partition of a fitted model.

    Raises:
        InputError: it has none.
    """
    return _learnt(model, "partition_")  # type: ignore[return-value]


def mean_of(model: object) -> Matrix:
    """The mean that a fitted model takes from each row.

    Raises:
        InputError: it has none.
    """
    return np.asarray(_learnt(model, "mean_"), np.float32)


def _learnt(model: object, name: str) -> object:
    value = getattr(model, name, None)
    if value is None:
        message = f"{type(model).__name__} has no {name} after fit(X). Give klero.Themes(), or a model with its attributes."
        raise InputError([Fault("model-type", message, "", value=type(model).__name__)])
    return value


def fitted_on(model: object, rows: Matrix, *, pairs: bool = True) -> bool:
    """Whether a model was fitted on these contributions, in this order.

    Args:
        model: anything.
        rows: the vectors.
        pairs: whether a model with pairs that must or can't be together counts.
    """
    partition: Partition | None = getattr(model, "partition_", None)
    mean: Matrix | None = getattr(model, "mean_", None)
    if partition is None or mean is None or len(partition.labels) != len(rows) or len(mean) != rows.shape[1]:
        return False
    if not pairs and any(getattr(model, name, None) is not None for name in _PAIRS):
        return False
    # Some contributions are looked at: each must be as near to its centroid as the model says. Lone voices may have none.
    some = np.unique(np.linspace(0, len(rows) - 1, _LOOKED_AT).astype(np.int64))
    some = some[partition.labels[some] < len(partition.centroids)]
    moved = rows[some].astype(np.float64) - mean
    lengths = np.sqrt((moved * moved).sum(axis=1))
    cosines = (moved * partition.centroids[partition.labels[some]]).sum(axis=1) / np.where(
        lengths > 0, lengths, 1.0
    )
    return bool((np.abs(cosines - partition.fit[some])[lengths > 0] < _NEAR).all())


def refitted(model: ThemesModel | Callable[[], ThemesModel], rows: Matrix, kept: Ints | None) -> ThemesModel:
    """A model with the same parameters, fitted on `rows`.

    Args:
        model: a model, fitted or not, which stays as it is; or a function that makes one.
        rows: the vectors to learn from.
        kept: for each of these rows, its number among those that the model's pairs (`must_link`, `cannot_link`) speak of; pairs of rows that are
            not there are left out. None: leave all pairs out.
    """
    fresh = _fresh(model, kept)
    fresh.fit(rows)
    return fresh


def _fresh(model: ThemesModel | Callable[[], ThemesModel], kept: Ints | None) -> ThemesModel:
    if not hasattr(model, "get_params"):
        if not callable(model):
            message = (
                f"{type(model).__name__} is no model and no function that makes one. Give klero.Themes()."
            )
            raise InputError([Fault("model-type", message, "", value=type(model).__name__)])
        return model()
    values = model.get_params(deep=False)
    for name in _PAIRS:
        pairs = values.get(name)
        if pairs is not None:
            values[name] = None if kept is None else _renumbered(pairs, kept)  # type: ignore[arg-type]
    kind = cast("Callable[..., ThemesModel]", type(model))
    return kind(**values)


def _renumbered(pairs: Sequence[tuple[int, int]], kept: Ints) -> list[tuple[int, int]]:
    place = {row: i for i, row in enumerate(kept.tolist())}
    both = ((place.get(int(a)), place.get(int(b))) for a, b in pairs)
    return [(a, b) for a, b in both if a is not None and b is not None]
