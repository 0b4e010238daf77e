"""By which rules are two texts near-duplicates, and with which means are they looked for?

The rules (:class:`Settings`) decide the result and are part of it; the means (:class:`Resources`) never change a byte of it.

    shared = |A ∩ B|      Jaccard = shared / |A ∪ B|      containment = shared / min(|A|, |B|)

A and B are the sets of shingles of two texts. They match where the similarity, computed in IEEE double from these whole numbers, is at least
`threshold`, and `shared` at least `min_shared`.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import cast

from klero import _native
from klero.errors import Fault, quoted

__all__ = [
    "ALGORITHM",
    "MEASURES",
    "MODES",
    "Progress",
    "Resources",
    "Settings",
    "read_choice",
    "read_progress",
    "read_resources",
    "read_settings",
    "read_whole",
    "settled",
    "shown",
]

ALGORITHM = _native.NEARDUP_ALGORITHM
NORMALISER = _native.TEXT_NORMALISER
SHINGLES = _native.TEXT_SHINGLES
MEASURES = ("jaccard", "containment")
MODES = ("auto", "exact", "sketch")
MIN_SHARED = {"jaccard": 1, "containment": 5}
"""A text of three words lies in half of a corpus; it says little until it shares as many shingles as this."""

Progress = Callable[[str, int], None]
"""Called with the step's name and how many texts are done."""

# Below the first, texts that share a stock phrase match by the thousand; above the second, sketches fit where sets don't.
_LEAST_THRESHOLD, _EXACT_TEXTS = 0.3, 10_000_000
_RECALL = (0.5, 0.9999)
_SHINGLE = (1, 9)
_MOST_THREADS, _LEAST_MEMORY = 1024, 64_000_000
_DIGITS = 30
_UNITS = {
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "tb": 10**12,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
    "tib": 2**40,
}


@dataclass(frozen=True)
class Settings:
    """What decides the result.

    Attributes:
        threshold: least similarity of a match, 0.3 to 1.
        measure: «jaccard» or «containment».
        mode: «exact» (every match is found) or «sketch» (a match at the threshold is found with probability `recall` at least). Whatever is
            found is verified from the text in both.
        recall: 0.5 to 0.9999; None in exact mode, where it is 1.
        shingle: words of a shingle, 1 to 9.
        fold_accents: whether «élève» and «eleve» are one word.
        min_shared: shingles that a match must share.
        normaliser, shingles, algorithm: versions of how texts are read, hashed and grouped.
    """

    threshold: float
    measure: str
    mode: str
    recall: float | None
    shingle: int
    fold_accents: bool
    min_shared: int
    normaliser: str = NORMALISER
    shingles: str = SHINGLES
    algorithm: str = ALGORITHM


@dataclass(frozen=True)
class Resources:
    """What the search may use: `threads`, and `memory` in bytes beyond the texts themselves (None: what it takes)."""

    threads: int
    memory: int | None


def read_settings(
    faults: list[Fault],
    *,
    threshold: object,
    measure: object,
    mode: object,
    recall: object,
    shingle: object,
    fold_accents: object,
    min_shared: object,
) -> Settings | None:
    """The settings, with `mode` still as it was asked for; or None, and what is wrong with each of them added to `faults`."""
    before = len(faults)
    _number(
        faults, "threshold", threshold, _LEAST_THRESHOLD, 1.0, "the least similarity of two texts that match"
    )
    _number(faults, "recall", recall, *_RECALL, "the share of the matches that a sketch must find")
    read_whole(faults, "shingle", shingle, *_SHINGLE, "the words of a shingle")
    read_choice(faults, "measure", measure, MEASURES)
    read_choice(faults, "mode", mode, MODES)
    if not isinstance(fold_accents, bool):
        faults.append(
            Fault("option-unknown", f"fold_accents is {shown(fold_accents)}. Give True or False.", "")
        )
    if min_shared is not None:
        read_whole(faults, "min_shared", min_shared, 1, 2**31 - 1, "the shingles that a match must share")
    if len(faults) == before and (measure, mode) == ("containment", "sketch"):
        message = (
            "sketches tell how alike two texts are, not whether one lies in the other, so containment has no sketch mode. "
            "Use mode='exact' or 'auto', or measure='jaccard'."
        )
        faults.append(Fault("options-conflict", message, ""))
    if len(faults) > before:
        return None
    least = MIN_SHARED[cast(str, measure)] if min_shared is None else int(cast(int, min_shared))
    return Settings(
        threshold=float(cast(float, threshold)),
        measure=cast(str, measure),
        mode=cast(str, mode),
        recall=float(cast(float, recall)),
        shingle=int(cast(int, shingle)),
        fold_accents=bool(fold_accents),
        min_shared=least,
    )


def settled(settings: Settings, texts: int) -> Settings:
    """`settings` with the mode that is used for so many texts, and a recall only where it says something."""
    mode = settings.mode
    if mode == "auto":
        mode = "exact" if texts <= _EXACT_TEXTS or settings.measure == "containment" else "sketch"
    return replace(settings, mode=mode, recall=settings.recall if mode == "sketch" else None)


def read_resources(faults: list[Fault], *, threads: object, memory: object) -> Resources | None:
    """The means; or None, and what is wrong with them added to `faults`."""
    before = len(faults)
    if threads is not None:
        read_whole(faults, "threads", threads, 1, _MOST_THREADS, "the threads that may be used")
    size = None if memory is None else _bytes(faults, memory)
    if len(faults) > before:
        return None
    return Resources(_processors() if threads is None else int(cast(int, threads)), size)


def _processors() -> int:
    """Those that this process may run on: in a container often fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _bytes(faults: list[Fault], memory: object) -> int | None:
    if isinstance(memory, str):
        match = re.fullmatch(
            r"\s*([0-9]+(?:\.[0-9]+)?)\s*([kmgt]i?[bo])\s*", memory.lower().replace(",", "."), re.ASCII
        )
        # A number of so many digits is no size that a machine has, and beyond what a float can hold.
        sized = match is not None and len(match[1]) <= _DIGITS
        size = int(float(match[1]) * _UNITS[match[2].replace("o", "b")]) if match and sized else None
    else:
        size = int(memory) if isinstance(memory, Integral) and not isinstance(memory, bool) else None
    if size is None:
        message = f"memory is {shown(memory)}, which is no size. Give bytes as a whole number, or a text such as '2GB'."
        faults.append(Fault("option-range", message, ""))
    elif size < _LEAST_MEMORY:
        message = f"memory is {shown(memory)}; the search can't keep to less than {_LEAST_MEMORY:,}. Allow at least '64MB'."
        faults.append(Fault("option-range", message, ""))
    return size


def _number(faults: list[Fault], name: str, value: object, low: float, high: float, meaning: str) -> None:
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:  # a whole number of hundreds of digits
        number = math.nan
    if not low <= number <= high:
        message = f"{name} is {shown(value)}; {meaning} must be a number from {low:g} to {high:g}. {_meant(number, low, high)}"
        faults.append(Fault("option-range", message, ""))


def _meant(number: float, low: float, high: float) -> str:
    """What to give in the place of a number out of range: 0.8 for 80, which was meant in percent."""
    share = number / 100
    return (
        f"For {number:g} percent, give {share:g}."
        if high == 1 < number and low <= share <= high
        else "Give one in that range."
    )


def read_whole(faults: list[Fault], name: str, value: object, low: int, high: int, meaning: str) -> None:
    """Adds to `faults` a `value` that is no whole number from `low` to `high`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or not low <= int(value) <= high:
        message = f"{name} is {shown(value)}; {meaning} must be a whole number from {low} to {high:,}. Give one in that range."
        faults.append(Fault("option-range", message, ""))


def read_choice(faults: list[Fault], name: str, value: object, known: tuple[str, ...]) -> None:
    """Adds to `faults` a `value` that is none of those known."""
    if not isinstance(value, str) or value not in known:
        message = (
            f"{name} is {shown(value)}, which is none of {', '.join(map(repr, known))}. Give one of them."
        )
        faults.append(Fault("option-unknown", message, ""))


def read_progress(faults: list[Fault], progress: object) -> None:
    """Adds to `faults` a `progress` that can't be called."""
    if progress is not None and not callable(progress):
        message = f"progress is {shown(progress)}. Give a function that takes the name of a step and a count, or leave it out."
        faults.append(Fault("option-unknown", message, ""))


def shown(value: object) -> str:
    """A value as messages show it, whatever it is, on one line."""
    if isinstance(value, str):
        return quoted(value)
    try:
        return quoted(repr(value))[1:-1]
    except ValueError:  # Python does not write out whole numbers of thousands of digits
        return f"a number of the type {type(value).__name__} with thousands of digits"
