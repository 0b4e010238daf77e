"""Can these contributions be added to live themes? Everything that is wrong is told at once, and then nothing is added."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from numbers import Integral
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from klero._tables_json import half_character
from klero.errors import Fault, InputError, quoted

__all__ = [
    "LiveEmbedder",
    "Matrix",
    "granularity_of",
    "id_of",
    "moment",
    "read_authors",
    "read_rows",
    "read_texts_of",
    "read_times",
    "unfit_width",
]

Matrix: TypeAlias = npt.NDArray[np.float32]
Text: TypeAlias = str | None
Time: TypeAlias = str | datetime | None

# How fine themes are: a share of the way from chance to neighbours of neighbours (rust/core/src/vectors/live/frame.rs).
GRANULARITIES = {"coarse": 0.3, "medium": 0.4, "fine": 0.55}
_LONGEST_ID = 1000


class LiveEmbedder(Protocol):
    """Makes vectors of texts: one row of 32-bit floats for each."""

    def embed(self, texts: Sequence[str]) -> Any:
        """The vectors of these texts."""


def granularity_of(granularity: object, faults: list[Fault]) -> float:
    """The share that a word or number stands for."""
    if isinstance(granularity, str) and granularity in GRANULARITIES:
        return GRANULARITIES[granularity]
    if isinstance(granularity, int | float) and not isinstance(granularity, bool) and 0 < granularity < 1:
        return float(granularity)
    message = f"granularity is {granularity!r}; it is «coarse», «medium», «fine» or a number between 0 (one theme) and 1 (nearly the same words)."
    faults.append(Fault("option-range", message, ""))
    return math.nan


def read_texts_of(texts: str | Sequence[Text] | None, faults: list[Fault]) -> tuple[list[Text] | None, bool]:
    """The texts, and whether one alone was given."""
    if texts is None:
        return None, False
    if isinstance(texts, str):
        return _whole([texts], "texts", faults), True
    found: list[Text] = []
    for row, text in enumerate(texts):
        if text is None or isinstance(text, str):
            found.append(text)
        else:
            message = f"a text is needed, and this is {type(text).__name__}. Give texts, or None for a contribution without one."
            faults.append(Fault("text-type", message, "texts", row + 1))
    return _whole(found, "texts", faults), False


def _whole(texts: list[Text], what: str, faults: list[Fault]) -> list[Text]:
    """The same texts; halves of characters, which no file can hold, are faults."""
    for row, text in enumerate(texts):
        if text is not None and half_character(text):
            message = (
                "half a character (a lone surrogate) stands in it, which no program could read. Correct it."
            )
            faults.append(Fault("encoding-unreadable", message, what, row + 1))
    return texts


def read_authors(authors: Sequence[object] | None, count: int, faults: list[Fault]) -> list[Text]:
    """A name, or None, for each."""
    counted(None if authors is None else len(authors), count, "authors", faults)
    named = [None if one is None else str(one) for one in authors or [None] * count]
    return _whole(named, "authors", faults)


def read_rows(vectors: object, dimension: int | None, faults: list[Fault]) -> tuple[Matrix | None, bool]:
    """A matrix of 32-bit floats, and whether one vector alone was given. Infinite numbers and zeros are the kernel's to find."""
    if vectors is None:
        return None, False
    try:
        array = np.ascontiguousarray(vectors, dtype=np.float32)
    except (TypeError, ValueError) as error:
        message = f"no numbers can be read from this ({error}). Give an array of floats: a row for each contribution."
        faults.append(Fault("vectors-type", message, "vectors"))
        return None, False
    single = array.ndim == 1
    if single:
        array = array.reshape(1, -1)
    if array.ndim != 2 or array.shape[1] == 0:
        message = f"the array has the shape {array.shape}. Give a row for each contribution, or one vector."
        faults.append(Fault("vectors-shape", message, "vectors"))
        return None, single
    if dimension is not None and array.shape[1] != dimension:
        faults.append(unfit_width(array.shape[1], dimension))
        return None, single
    return array, single


def unfit_width(given: int, known: int) -> Fault:
    message = f"these vectors have {given} numbers and those that came before {known}; only vectors of one embedder can be compared."
    return Fault("vectors-width", message, "vectors")


def id_of(value: object, row: int, faults: list[Fault]) -> str | None:
    """An id as text."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return str(int(value))
    if not isinstance(value, str):
        faults.append(
            Fault(
                "id-type",
                f"an id is text or a whole number, and this is {type(value).__name__}.",
                "ids",
                row + 1,
            )
        )
    elif not value:
        faults.append(
            Fault(
                "id-empty", "this contribution has no id. Give every one an id, or none any.", "ids", row + 1
            )
        )
    elif len(value) > _LONGEST_ID or any(ord(letter) < 32 for letter in value) or half_character(value):
        faults.append(
            Fault("id-control", "an id is one short line of text.", "ids", row + 1, value=quoted(value))
        )
    else:
        return value
    return None


def moment(time: Time, now: datetime) -> str | None:
    """A time in UTC as text, to the second; None if it is none."""
    if time is None:
        time = now
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            return None
    if not isinstance(time, datetime):
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    try:
        return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except OverflowError:
        return None


def read_times(times: Time | Sequence[Time], count: int, now: datetime, faults: list[Fault]) -> list[str]:
    """A time for each."""
    given: Sequence[Time] = [times] * count if times is None or isinstance(times, str | datetime) else times
    if len(given) != count:
        faults.append(_count(len(given), count, "times"))
        return []
    found = [moment(time, now) for time in given]
    for row, (time, text) in enumerate(zip(given, found, strict=True)):
        if text is None:
            message = (
                f"{quoted(str(time))} is no time. Write it as 2026-03-01T09:30:00+01:00, or give a datetime."
            )
            faults.append(Fault("time-invalid", message, "times", row + 1))
    return [text or "" for text in found]


def _count(given: int, count: int, what: str) -> Fault:
    return Fault("id-count", f"there are {given} {what} and {count} contributions; give one for each.", what)


def counted(given: int | None, count: int, what: str, faults: list[Fault]) -> bool:
    """Whether there is one for each."""
    if given is not None and given != count:
        faults.append(_count(given, count, what))
        return False
    return True


def raised(faults: list[Fault]) -> None:
    """Raises what was found.

    Raises:
        InputError: something was.
    """
    if faults:
        raise InputError(faults)
