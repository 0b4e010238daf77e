"""Which texts match? The one door from Python to the join in Rust (`rust/core/src/neardup`).

Texts go in where they lie, rows come out as arrays; no text and no pair becomes a Python object.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klero import _native
from klero.voices.sets import native_chunk
from klero.voices.settings import Progress, Resources, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from klero.voices.texts import TextColumn

__all__ = ["JoinOutcome", "join"]


@dataclass(frozen=True, eq=False)
class JoinOutcome:
    """What the join says of n texts in g groups, which come largest first, then by the id that names them.

    Attributes:
        group: uint32[n], the index of the text's group; 2³² − 1 if it is alone, 2³² − 2 if it has no words.
        similarity: float64[n], to the group's representative; NaN where there is no group.
        names: uint32[g], the row of the smallest id of each group.
        representatives: uint32[g], the row of each group's representative.
        distinct: uint32[g], different sequences of words in each group.
        weakest: float64[g], the weakest edge of each group.
        all_distinct: different sequences of words in all texts that have words.
        sequences: 16·n bytes, the hash of each text's sequence of words.
        lookalikes, invisibles: texts with letters of other alphabets that look alike in a word, and with invisible characters.
    """

    group: NDArray[np.uint32]
    similarity: NDArray[np.float64]
    names: NDArray[np.uint32]
    representatives: NDArray[np.uint32]
    distinct: NDArray[np.uint32]
    weakest: NDArray[np.float64]
    all_distinct: int
    sequences: bytes
    lookalikes: int
    invisibles: int


def join(
    texts: TextColumn,
    ranks: NDArray[np.uint32] | None,
    settings: Settings,
    resources: Resources,
    progress: Progress | None,
) -> JoinOutcome:
    """The groups of `texts`; `ranks` orders their ids (None: by row). Releases the GIL, and Ctrl-C stops it."""
    found = _native.neardup_join(
        [native_chunk(chunk) for chunk in texts.chunks],
        ranks,
        threshold=settings.threshold,
        measure=settings.measure,
        min_shared=settings.min_shared,
        shingle=settings.shingle,
        fold_accents=settings.fold_accents,
        recall=settings.recall,
        threads=resources.threads,
        progress=progress,
    )
    return JoinOutcome(
        group=np.frombuffer(found["group"], np.uint32),
        similarity=np.frombuffer(found["similarity"], np.float64),
        names=np.frombuffer(found["names"], np.uint32),
        representatives=np.frombuffer(found["representatives"], np.uint32),
        distinct=np.frombuffer(found["distinct"], np.uint32),
        weakest=np.frombuffer(found["weakest"], np.float64),
        all_distinct=found["all_distinct"],
        sequences=found["sequences"],
        lookalikes=found["lookalikes"],
        invisibles=found["invisibles"],
    )
