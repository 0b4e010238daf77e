"""What is the set of shingles of each of these texts? As arrays, read by the one normaliser in Rust.

And when do two sets match, for many pairs at once: the rule of :mod:`klero.voices.settings` in whole numbers and one division.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from klero import _native

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from klero.voices.settings import Settings
    from klero.voices.texts import TextColumn

__all__ = ["TextSets", "least_shared", "similarities", "text_sets"]


@dataclass(frozen=True, eq=False)
class TextSets:
    """The sets of n texts.

    Attributes:
        shingles: uint64, the sets one after the other, each ascending and without repeats.
        starts: int64[n + 1], where each set begins.
        sequences: n values of 16 bytes (dtype V16), the hashes of the texts' sequences of words.
    """

    shingles: NDArray[np.uint64]
    starts: NDArray[np.int64]
    sequences: NDArray[np.void]

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, text: int) -> NDArray[np.uint64]:
        return self.shingles[self.starts[text] : self.starts[text + 1]]

    @property
    def sizes(self) -> NDArray[np.int64]:
        """int64[n]; 0 where a text has no words."""
        return np.diff(self.starts)


def text_sets(texts: TextColumn, settings: Settings) -> TextSets:
    """The sets of all `texts`, all in memory: 8 bytes a shingle. Linear in the texts."""
    read = [
        _native.text_sets(native_chunk(chunk), settings.shingle, settings.fold_accents)
        for chunk in texts.chunks
    ]
    sizes = [np.frombuffer(sizes, np.uint64) for _shingles, sizes, _sequences in read]
    return TextSets(
        shingles=np.concatenate(
            [np.frombuffer(shingles, np.uint64) for shingles, *_ in read] or [np.zeros(0, np.uint64)]
        ),
        starts=np.cumsum(np.concatenate([np.zeros(1, np.uint64), *sizes]), dtype=np.int64),
        sequences=np.frombuffer(b"".join(sequences for *_, sequences in read), np.dtype("V16")),
    )


NativeChunk = tuple[memoryview, memoryview, bool, int, int]
"""Offsets, bytes, whether offsets have 64 bits, the first row, the number of rows."""


def native_chunk(chunk: pa.Array) -> NativeChunk:
    """An Arrow array of text as the kernels take it, not copied."""
    _validity, offsets, data = chunk.buffers()
    wide = pa.types.is_large_string(chunk.type)
    first = memoryview(offsets if offsets is not None else bytes(8)).cast(
        "B"
    )  # no rows at all: Arrow may leave out the offsets
    return first, memoryview(data if data is not None else b"").cast("B"), wide, chunk.offset, len(chunk)


def similarities(
    shared: NDArray[np.int64], one: int, others: NDArray[np.int64], settings: Settings
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The similarity of a set of size `one` to others, of which it shares `shared` shingles; and which of them match.

    No size may be 0. Copies match whatever is shared; that is for the caller to say.
    """
    whole = one + others - shared if settings.measure == "jaccard" else np.minimum(one, others)
    similarity = shared / whole
    return similarity, (similarity >= settings.threshold) & (shared >= settings.min_shared)


def least_shared(size: int, settings: Settings) -> int:
    """The fewest shingles that a set of this size (under containment: the smaller set) shares with one that it matches.

    The quotient by the whole is at most that by `size`, and rounding keeps the order, so the bound holds for IEEE doubles too.

    >>> from klero.voices.settings import Settings
    >>> least_shared(10, Settings(0.8, "jaccard", "exact", None, 3, False, 1))
    8
    """
    shared = max(math.ceil(settings.threshold * size), 1)
    while shared > 1 and (shared - 1) / size >= settings.threshold:
        shared -= 1
    while shared / size < settings.threshold:
        shared += 1
    return max(shared, settings.min_shared)
