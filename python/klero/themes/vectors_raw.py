"""Which matrix of numbers is in this array, or in this list of rows?

What is read here may still be of another type than float32, or lie column after column; `vectors.py` makes the one form of it. Nothing is guessed: text that
looks like a number is refused, and so is a row that is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from numbers import Real

import numpy as np
import numpy.typing as npt

from klero.errors import Fault
from klero.voices.settings import shown
from klero.voices.texts import is_missing

__all__ = ["Array", "Raw", "from_numpy", "from_rows", "length_fault", "null_fault", "rows_text", "type_fault"]

Array = npt.NDArray[np.generic]

NAMED = 20
"""How many rows a message names; the others are counted."""


@dataclass(frozen=True)
class Raw:
    """Numbers of any real type, with two dimensions, and how they were found; see `VectorFacts`."""

    array: Array
    dtype: str
    copied: tuple[str, ...] = ()
    column: str | None = None
    mapped: bool = False


def rows_text(rows: Sequence[int], count: int | None = None) -> str:
    """«row 3», «rows 3, 7 and 9», «rows 3, 7, … and 5 more», from rows counted from 0; `count` if not all of them are given."""
    count = len(rows) if count is None else count
    numbers = [f"{row + 1:,}" for row in rows[:NAMED]]
    if count > len(numbers):
        return f"rows {', '.join(numbers)} and {count - len(numbers):,} more"
    if len(numbers) == 1:
        return f"row {numbers[0]}"
    return f"rows {', '.join(numbers[:-1])} and {numbers[-1]}"


def from_numpy(array: Array, name: str, faults: list[Fault]) -> Raw | None:
    """The matrix in an array; or None, and what is wrong with it in `faults`."""
    if isinstance(array, np.ma.MaskedArray):
        hidden = np.ma.getmaskarray(array)
        if hidden.any():
            rows = np.flatnonzero(hidden.reshape(len(hidden), -1).any(axis=1))
            faults.append(null_fault(rows.tolist(), name))
            return None
    array = np.asarray(array)
    kind = array.dtype.kind
    if kind == "c":
        message = (
            "Complex data not supported: vectors are compared by the angle between them, which takes real numbers. Give those of the embedder, "
            "or the real part if the other is zero everywhere."
        )
        faults.append(Fault("vectors-type", message, name, value=array.dtype.name))
        return None
    if kind == "O" and array.ndim == 1:
        return from_rows(array.tolist(), name, faults)
    if array.ndim != 2:
        faults.append(_shape_fault(array.shape, name))
        return None
    if kind == "O":
        return _from_cells(array.astype(np.object_), name, faults)
    if kind not in "fiub":
        faults.append(type_fault(f"the array holds {array.dtype}", name, array.dtype.name))
        return None
    return Raw(array, array.dtype.name if array.dtype.isnative else array.dtype.str)


def from_rows(rows: Sequence[object], name: str, faults: list[Fault]) -> Raw | None:
    """The matrix of a list of rows; or None, and what is wrong with it in `faults`."""
    if not _are_rows(rows, name, faults):
        return None
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))  # type: ignore[arg-type]
    if fault := length_fault(lengths, name):
        faults.append(fault)
        return None
    try:
        array = np.asarray([np.asarray(row) for row in rows]) if len(rows) else np.zeros((0, 0))
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        faults.append(type_fault(f"the rows don't make a matrix ({error})", name))
        return None
    if array.ndim != 2:
        faults.append(_shape_fault(array.shape, name))
        return None
    if (
        array.dtype.kind not in "fiubc"
    ):  # a text makes all numbers texts: they are looked at as they were given
        cells = np.empty(array.shape, object)
        for i, row in enumerate(rows):
            cells[i] = list(row)  # type: ignore[call-overload]
        return _from_cells(cells, name, faults)
    raw = from_numpy(array, name, faults)
    return raw and Raw(raw.array, raw.dtype, ("values",))


def _are_rows(rows: Sequence[object], name: str, faults: list[Fault]) -> bool:
    """Whether each of these is a row of something."""
    missing = [i for i, row in enumerate(rows) if is_missing(row)]
    if missing and len(missing) < len(rows):
        faults.append(null_fault(missing, name))
        return False
    for i, row in enumerate(rows):
        if isinstance(row, Real) or is_missing(row):
            faults.append(_shape_fault((len(rows),), name))
            return False
        odd = isinstance(row, str | bytes | bytearray | Mapping | AbstractSet)
        if odd or not hasattr(row, "__len__") or not isinstance(row, Iterable):
            what = f"here stands {type(row).__name__}, {shown(row)}, and a row of numbers is asked for"
            faults.append(type_fault(what, name, type(row).__name__, i))
            return False
    return True


def _from_cells(cells: npt.NDArray[np.object_], name: str, faults: list[Fault]) -> Raw | None:
    """The matrix of Python's numbers, each looked at."""
    missing: list[int] = []
    for i, row in enumerate(cells):
        for j, value in enumerate(row):
            if is_missing(value) and not isinstance(value, float):  # a NaN is told with the other ones
                missing.append(i)
                break
            if not isinstance(value, Real | np.bool_):
                what = f"number {j + 1:,} of this row is {type(value).__name__}, {shown(value)}; it must be a real number"
                faults.append(type_fault(what, name, type(value).__name__, i))
                return None
    if missing:
        faults.append(null_fault(missing, name))
        return None
    try:
        return Raw(cells.astype(np.float64), "object", ("values",))
    except OverflowError:
        faults.append(type_fault("a whole number has hundreds of digits", name))
        return None


def _shape_fault(shape: tuple[int, ...], name: str) -> Fault:
    dimensions = len(shape)
    if dimensions == 1:
        message = (
            "there is 1 dimension, one number after the other, and a row for each contribution is asked for. Reshape your data: "
            "array.reshape(1, -1) if this is one vector, array.reshape(-1, 1) if these are vectors of one number."
        )
    else:
        message = (
            f"there are {dimensions} dimensions (shape {shape}), and a row of numbers for each contribution is asked for. Reshape your data to "
            "two dimensions; if an embedder gives a vector for each word, take the mean over the words of a text."
        )
    return Fault("vectors-shape", message, name, value=str(shape))


def type_fault(
    what: str, name: str, value: str | None = None, row: int | None = None, column: str | None = None
) -> Fault:
    """Something that is not a number; `row` from 0."""
    message = (
        f"{what}. Vectors are rows of real numbers, as embedders give them: pass each text through one first."
    )
    return Fault("vectors-type", message, name, None if row is None else row + 1, column, value)


def null_fault(rows: Sequence[int], name: str, column: str | None = None, count: int | None = None) -> Fault:
    """Rows, from 0, that are missing or lack a number; `count` if not all are given."""
    one = (count or len(rows)) == 1
    message = (
        f"{rows_text(rows, count)} {'lacks' if one else 'lack'} a vector, or a number in it, so nobody can say what the text is near to. "
        "Embed the text again; nothing is filled in or left out unasked."
    )
    return Fault("vectors-null", message, name, rows[0] + 1, column)


def length_fault(lengths: npt.NDArray[np.int64], name: str, column: str | None = None) -> Fault | None:
    """What is wrong if rows have different lengths."""
    if len(lengths) == 0 or (lengths == lengths[0]).all():
        return None
    sizes, counts = np.unique(lengths, return_counts=True)
    usual = int(sizes[np.argmax(counts)])
    rows = np.flatnonzero(lengths != usual)
    first = int(rows[0])
    message = (
        f"{rows_text(rows[:NAMED].tolist(), len(rows))} {'has' if len(rows) == 1 else 'have'} another length than the others, which have {usual:,} "
        f"numbers (row {first + 1:,} has {int(lengths[first]):,}). Vectors of different lengths come from different embedders or are cut off: "
        "embed all texts with the same one."
    )
    return Fault("vectors-length", message, name, first + 1, column, str(int(lengths[first])))
