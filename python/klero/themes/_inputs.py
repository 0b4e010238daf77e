"""What is given to whoever explains themes: which group, which author, which moment, one for each contribution.

A partition is anything with the attributes of `klero.themes.partition.Partition`; plain numbers of groups do where no vectors are needed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from klero.errors import Fault, InputError, quoted
from klero.themes.partition import THEME_SIZE
from klero.voices.fields import in_utc, time_of
from klero.voices.settings import shown
from klero.voices.texts import decoded, is_missing

if TYPE_CHECKING:
    from klero._tables_arrow import ArrowStream
    from klero.voices.texts import ArrowArray

__all__ = [
    "Column",
    "Floats",
    "Groups",
    "Ints",
    "PartitionLike",
    "as_column",
    "counted_rows",
    "read_groups",
    "read_matrix",
    "read_times",
    "read_voices",
]

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Column: TypeAlias = "ArrowStream | ArrowArray | Sequence[object] | npt.NDArray[np.generic]"
"""One entry for each contribution: a list, a numpy array, or what exports Arrow."""


class PartitionLike(Protocol):
    """What is read of a partition (`klero.themes.partition.Partition`)."""

    @property
    def labels(self) -> Ints: ...
    @property
    def sizes(self) -> Ints: ...
    @property
    def kinds(self) -> npt.NDArray[np.uint8]: ...
    @property
    def fit(self) -> npt.NDArray[np.float32]: ...
    @property
    def centroids(self) -> npt.NDArray[np.float32]: ...
    @property
    def similarity(self) -> float: ...
    @property
    def algorithm(self) -> str: ...


@dataclass(frozen=True, eq=False)
class Groups:
    """Which contribution is in which group: `labels` for each contribution, `sizes` and `kinds` (see `klero.themes.names.KINDS`) for each group."""

    labels: Ints
    sizes: Ints
    kinds: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.sizes)

    def members(self, label: int) -> Ints:
        """The rows of a group, ascending."""
        return np.flatnonzero(self.labels == label)


def read_groups(source: object, faults: list[Fault]) -> Groups | None:
    """The groups of a partition, or of plain numbers; or None, and what is wrong with them added to `faults`."""
    labels = np.asarray(getattr(source, "labels", source))
    if labels.ndim != 1 or (labels.dtype.kind not in "iu" and len(labels)):
        what = f"they are {labels.dtype} in {labels.ndim} dimensions"
        message = f"groups are whole numbers, one for each contribution; {what}. Give a partition, or a list of numbers from 0 on."
        faults.append(Fault("labels-type", message, "labels"))
        return None
    labels = labels.astype(np.int64)
    low, high = (int(labels.min()), int(labels.max())) if len(labels) else (0, -1)
    if low < 0 or high >= len(labels):
        if low < 0:
            row = int(np.flatnonzero(labels < 0)[0])
            what = (
                f"a group has the number {low}, which often stands for «thrown out»: here each contribution has a group. "
                "Give each of these a number of its own"
            )
        else:
            row = int(np.flatnonzero(labels == high)[0])
            what = f"a group has the number {high}, and there are only {len(labels):,} contributions. Number the groups from 0 on"
        faults.append(Fault("labels-type", f"{what}.", "labels", row + 1, value=str(labels[row])))
        return None
    kinds = getattr(source, "kinds", None)
    groups = high + 1 if kinds is None else max(high + 1, len(kinds))
    sizes = np.bincount(labels, minlength=groups).astype(np.int64)
    if kinds is None:
        kinds = np.where(sizes >= THEME_SIZE, 0, np.where(sizes >= 2, 1, 2))
    return Groups(labels, sizes, np.asarray(kinds, np.uint8))


def counted_rows(rows: int, wanted: int, name: str, faults: list[Fault]) -> bool:
    """Whether a column has one entry for each contribution; if not, that is added to `faults`."""
    if rows == wanted:
        return True
    message = (
        f"there are {rows:,} {name} for {wanted:,} contributions, so nobody can say which belong together. "
        "Give one for each contribution, in the order of the groups."
    )
    faults.append(Fault("rows-differ", message, name, value=str(rows)))
    return False


def read_matrix(source: object, rows: int, faults: list[Fault]) -> npt.NDArray[np.generic] | None:
    """Centred vectors, one for each contribution; or None, and what is wrong with them added to `faults`."""
    matrix = np.asarray(source)
    if matrix.ndim != 2 or matrix.dtype.kind != "f":
        message = (
            f"these vectors are {matrix.dtype} in {matrix.ndim} dimensions; one row of floats for each contribution is needed. "
            "Give what Themes.centred(X) gives."
        )
        faults.append(Fault("vectors-shape", message, "vectors"))
        return None
    return matrix if counted_rows(len(matrix), rows, "vectors", faults) else None


def as_column(source: object, name: str, faults: list[Fault]) -> pa.ChunkedArray | None:
    """Anything of one entry a contribution as Arrow; or None, and why not added to `faults`. Lists become text, missing values nulls."""
    if hasattr(source, "iloc") and getattr(source, "shape", ())[1:] == (1,):
        source = source.iloc[:, 0]
    exports = hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__")
    try:
        if exports and getattr(source, "dtype", None) != np.object_:
            streamed = hasattr(source, "__arrow_c_stream__")
            column = pa.chunked_array(source if streamed else [pa.array(source)])
            if pa.types.is_struct(column.type) and column.type.num_fields == 1:
                flat = [chunk.flatten()[0] for chunk in column.chunks]
                column = pa.chunked_array(flat, column.type.field(0).type)
            if not pa.types.is_dictionary(column.type):
                return column
            return pa.chunked_array(
                [decoded(chunk) for chunk in column.chunks], _plain(column.type.value_type)
            )
        if isinstance(source, np.ndarray) and source.dtype.kind in "iufM" and source.ndim == 1:
            return pa.chunked_array([pa.array(source, from_pandas=True)])
        if isinstance(source, str | bytes) or not hasattr(source, "__iter__"):
            raise TypeError(f"this is {type(source).__name__}")
        values = [_text(value) for value in cast("Sequence[object]", source)]
        return pa.chunked_array([pa.array(values, pa.large_string())])
    except (pa.ArrowException, TypeError, ValueError) as error:
        message = f"these {name} can't be read as one value for each contribution ({error}). Give a list or a column."
        faults.append(Fault("source-type", message, name))
        return None


def _plain(kind: pa.DataType) -> pa.DataType:
    """What `decoded` makes of the values of a dictionary."""
    return pa.large_string() if pa.types.is_string_view(kind) else kind


def _text(value: object) -> str | None:
    if is_missing(value):
        return None
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value)
    if isinstance(value, str | int | np.integer) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    raise TypeError(f"one is {shown(value)}, of the type {type(value).__name__}")


def read_voices(authors: object | None, rows: int, faults: list[Fault]) -> npt.NDArray[np.uint32] | None:
    """A number for each author; contributions that name none have one of their own."""
    if authors is None:
        return np.arange(rows, dtype=np.uint32)
    column = as_column(authors, "authors", faults)
    if column is None or not counted_rows(len(column), rows, "authors", faults):
        return None
    if not rows:
        return np.zeros(0, np.uint32)
    if not pa.types.is_integer(column.type):
        column = pc.utf8_trim_whitespace(column.cast(pa.large_string()))
        column = pc.if_else(pc.equal(column, ""), None, column)
    codes = column.combine_chunks().dictionary_encode().indices
    known = codes.is_valid().to_numpy(zero_copy_only=False)
    numbers = codes.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    alone = np.arange(rows) + (int(numbers.max()) + 1)
    return np.where(known, numbers, alone).astype(np.uint32)


def read_times(times: object, rows: int, faults: list[Fault]) -> Ints | None:
    """Microseconds since 1970 (UTC) of each contribution, the least of int64 where there is none; texts are read as `klero.voices.fields.time_of` does."""
    column = as_column(times, "times", faults)
    if column is None or not counted_rows(len(column), rows, "times", faults):
        return None
    if not rows:
        return np.zeros(0, np.int64)
    values = column.combine_chunks()
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        moments = in_utc(values).cast(pa.int64())
        return cast(Ints, moments.fill_null(NEVER).to_numpy(zero_copy_only=False))
    if pa.types.is_null(values.type):
        return np.full(rows, NEVER)
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        message = (
            f"the times are of the type {values.type}. Give timestamps, or texts such as 2026-03-02 08:12."
        )
        faults.append(Fault("time-invalid", message, "times"))
        return None
    found = np.full(rows, NEVER)
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    for row, text in enumerate(values.to_pylist()):
        if text is None or not text.strip():
            continue
        moment = time_of(text)
        if moment is None:
            message = f"no moment can be read in {quoted(text)}, so the contribution can't be placed in time. Leave it empty, or write 2026-03-02 08:12."
            faults.append(Fault("time-invalid", message, "times", row + 1, value=text))
            continue
        found[row] = (moment - epoch) // dt.timedelta(microseconds=1)
    return found


NEVER = np.int64(np.iinfo(np.int64).min)
"""The moment of a contribution that has none."""


def raise_all(faults: list[Fault]) -> None:
    """Raises all faults together, if there are any."""
    if faults:
        raise InputError(faults)
