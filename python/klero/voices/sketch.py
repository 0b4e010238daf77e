"""What share of the near-duplicates do sketches find?

Bands of MinHash (`rust/core/src/neardup/plan.rs`, `sketch.rs`) are chosen so that a pair at the threshold is found with the recall that was asked for; a more
similar pair is found more often. What is found is verified from the words, so only recall is a matter of chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from klero import _native
from klero.voices.settings import Settings

__all__ = ["Plan", "sketch_plan"]


@dataclass(frozen=True)
class Plan:
    """What sketches find.

    Attributes:
        bands, rows: a text has `bands` keys, each made of `rows` minima.
        recall: the expected share of the pairs at exactly the threshold that share a key, 1 − (1 − threshold^rows)^bands: no less than what was asked for.
        curve: the same for similarities of 0, 0.05, …, 1: pairs of (similarity, share).
        algorithm: name and version of the sketches.
    """

    bands: int
    rows: int
    recall: float
    curve: tuple[tuple[float, float], ...] = field(repr=False)
    algorithm: str = _native.MINHASH_ALGORITHM


def sketch_plan(settings: Settings) -> Plan | None:
    """The plan of these settings; None in exact mode, which finds all.

    >>> from klero.voices.settings import Settings
    >>> plan = sketch_plan(Settings(0.8, "jaccard", "sketch", 0.99, 3, False, 1))
    >>> plan.bands, plan.rows, round(plan.recall, 4)
    (16, 6, 0.9923)
    """
    if settings.mode != "sketch" or settings.recall is None:
        return None
    bands, rows, recall, curve = _native.neardup_plan(settings.threshold, settings.recall)
    return Plan(bands, rows, recall, tuple(curve))
