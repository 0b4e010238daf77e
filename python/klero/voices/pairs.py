"""Which two texts match, pair by pair? All matches inside the groups, found anew while they are read.

A group of m members holds m (m − 1) / 2 pairs, so pairs are never kept: each group is looked at when its turn comes, a member at a time.
A match never lies across two groups, by what a group is.

Cost: a group's sets in memory, then for each member the postings of its shingles in the group; at worst the square of the group.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa

from klero.errors import Fault, InputError
from klero.voices import sets as reading
from klero.voices.ids import Id
from klero.voices.settings import shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from klero.voices.near_duplicates import NearDuplicates
    from klero.voices.settings import Settings

__all__ = ["Pairs", "pairs_of"]

_BATCH = 1 << 16


@dataclass(frozen=True, eq=False, repr=False)
class Pairs:
    """The pairs that match: by group, the largest first, then by the ids. May be read again and again.

    >>> import klero
    >>> found = klero.near_duplicates(["Non au parking", "Non au parking !", "Oui"])
    >>> list(found.pairs())
    [(0, 1, 1.0)]
    """

    found: NearDuplicates
    held: int
    """Pairs that the groups hold, matching or not."""

    def __repr__(self) -> str:
        return f"<Pairs: those that match of {self.held:,} in {len(self.found.groups):,} groups>"

    @property
    def schema(self) -> pa.Schema:
        """a, b: ids, `a` before `b`; similarity: float64."""
        kind = self.found.groups.ids.type
        return pa.schema([("a", kind), ("b", kind), ("similarity", pa.float64())])

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The pairs in Arrow batches of at least 65,536 rows, but for the last."""
        waiting: list[tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.float64]]] = []
        rows = 0
        for index in range(len(self.found.groups)):
            members = self.found.groups.members_of(index)
            for first, others, similarity in _matches(self.found, members):
                waiting.append((np.full(len(others), members[first]), members[others], similarity))
                rows += len(others)
                if rows >= _BATCH:
                    yield self._batch(waiting)
                    waiting, rows = [], 0
        if rows:
            yield self._batch(waiting)

    def _batch(
        self, parts: list[tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.float64]]]
    ) -> pa.RecordBatch:
        a, b, similarity = (np.concatenate(column) for column in zip(*parts, strict=True))
        ids = self.found.groups.ids
        return pa.record_batch([ids.take(a), ids.take(b), pa.array(similarity)], schema=self.schema)

    def __iter__(self) -> Iterator[tuple[Id, Id, float]]:
        for batch in self.batches():
            yield from cast(
                "Iterator[tuple[Id, Id, float]]",
                zip(*(column.to_pylist() for column in batch.columns), strict=True),
            )

    def to_arrow(self) -> pa.Table:
        """All of them at once: a, b, similarity."""
        return pa.Table.from_batches(self.batches(), self.schema)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The `batches`, made while they are read, as an Arrow stream."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches()).__arrow_c_stream__(
            requested_schema
        )


def pairs_of(found: NearDuplicates, limit: int | None) -> Pairs:
    """The pairs of `found`, unless its groups hold more than `limit`."""
    sizes = found.groups.sizes
    held = sum(size * (size - 1) // 2 for size in sizes.tolist())
    if limit is not None and (not isinstance(limit, Integral) or isinstance(limit, bool) or limit < 0):
        raise InputError(
            [
                Fault(
                    "option-range",
                    f"limit is {shown(limit)}. Give a whole number of pairs, or None for no limit.",
                    "",
                )
            ]
        )
    if limit is not None and held > limit:
        message = (
            f"the groups hold {held:,} pairs, more than the limit of {limit:,}; the largest has {int(sizes[0]):,} texts. Most questions need "
            "no pairs: groups, their representatives and to_arrow() say who repeats whom. To go through them all the same, one batch "
            "at a time, give limit=None."
        )
        raise InputError([Fault("pairs-limit", message, "")])
    return Pairs(found, held)


def _matches(
    found: NearDuplicates, members: NDArray[np.uint32]
) -> Iterator[tuple[int, NDArray[np.intp], NDArray[np.float64]]]:
    """For each member that has any: its place, the later places that match it, and how similar these are."""
    sets = reading.text_sets(found.texts.take(members), found.settings)
    _kinds, sequence = np.unique(sets.sequences, return_inverse=True)
    distinct = _Distinct(sets, found.settings, sequence)
    for first in range(len(members) - 1):
        similarity, match = distinct.against(int(sequence[first]))
        others = first + 1 + np.flatnonzero(match[sequence[first + 1 :]])
        if len(others):
            yield first, others, similarity[sequence[others]]


class _Distinct:
    """The different texts of a group, each by the first that has its words, and who holds each shingle."""

    def __init__(self, sets: reading.TextSets, settings: Settings, sequence: NDArray[np.intp]) -> None:
        self._settings = settings
        _, example = np.unique(sequence, return_index=True)
        chosen = [sets[int(place)] for place in example]
        self._sizes = sets.sizes[example]
        self._bounds = np.concatenate([np.zeros(1, np.int64), np.cumsum(self._sizes)])
        _values, self._tokens = np.unique(np.concatenate(chosen), return_inverse=True)
        holders = np.repeat(np.arange(len(example)), self._sizes)
        by_token = np.argsort(self._tokens, kind="stable")
        self._holders = holders[by_token]
        counts = np.bincount(self._tokens)
        self._ends = np.cumsum(counts)
        self._counts = counts

    def against(self, one: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The similarity of one of them to each, and which match; it matches itself."""
        tokens = self._tokens[self._bounds[one] : self._bounds[one + 1]]
        counts = self._counts[tokens]
        # The postings of these tokens, side by side: the k-th place lies in the run of its token.
        skipped = np.cumsum(counts) - counts
        places = np.arange(int(counts.sum())) + np.repeat(self._ends[tokens] - counts - skipped, counts)
        shared = np.bincount(self._holders[places], minlength=len(self._sizes))
        similarity, match = reading.similarities(shared, int(self._sizes[one]), self._sizes, self._settings)
        match[one] = True
        return similarity, match
