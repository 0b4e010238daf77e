"""Which matrix is in this column or table of Arrow, whoever made it?

Vectors come as lists of a fixed size (pyarrow, polars' Array, duckdb's FLOAT[384]) or of any size that happens to be the same, or as a table with a
column for each number. A column that lies in one piece of 32-bit floats is used where it lies; pieces are put together once. Nulls, lists
of other lengths and columns that could be meant or not are told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from klero.errors import Fault, quoted
from klero.themes.vectors_raw import NAMED, Array, Raw, length_fault, null_fault, type_fault

__all__ = ["from_arrow", "from_parquet"]

# pandas writes its row labels as a column of this name when rows were filtered or sorted. They are no data.
_PANDAS_LABELS = re.compile(r"__index_level_\d+__")
_BATCH = 1 << 15


def from_arrow(source: object, column: str | None, name: str, faults: list[Fault]) -> Raw | None:
    """The matrix in an Arrow stream or array; or None, and what is wrong in `faults`."""
    try:
        streamed = hasattr(source, "__arrow_c_stream__")
        found = pa.chunked_array(source if streamed else [pa.array(source)])
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as error:
        message = f"this {type(source).__name__} can't be read as a column or table of Arrow ({error}). Give a column of lists of floats."
        faults.append(Fault("source-type", message, name))
        return None
    if not pa.types.is_struct(found.type):
        return _matrix(found.type, found.chunks, len(found), column, name, faults)
    picked = _picked(list(found.type), column, name, faults)
    if picked is None:
        return None
    chunks = [chunk.flatten() for chunk in found.chunks]
    if isinstance(picked, list):
        pieces = ([chunk[i] for i in picked] for chunk in chunks)
        return _side_by_side(pieces, len(picked), len(found), name, faults)
    field = found.type.field(picked)
    return _matrix(field.type, [chunk[picked] for chunk in chunks], len(found), field.name, name, faults)


def from_parquet(path: Path, column: str | None, name: str, faults: list[Fault]) -> Raw | None:
    """The matrix in a Parquet file, read piece by piece; or None, and what is wrong in `faults`. The file is there."""
    try:
        with pq.ParquetFile(path, memory_map=True) as file:
            fields = list(file.schema_arrow)
            picked = _picked(fields, column, name, faults)
            if picked is None:
                return None
            rows = file.metadata.num_rows
            names = [fields[i].name for i in ([picked] if isinstance(picked, int) else picked)]
            batches = file.iter_batches(_BATCH, columns=names, use_threads=False)
            if isinstance(picked, int):
                chunks = (batch.column(names[0]) for batch in batches)
                raw = _matrix(fields[picked].type, chunks, rows, names[0], name, faults)
            else:
                pieces = ([batch.column(each) for each in names] for batch in batches)
                raw = _side_by_side(pieces, len(names), rows, name, faults)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        message = f"this is not a Parquet file that can be read ({error}). Export it again."
        faults.append(Fault("file-corrupt", message, name))
        return None
    return raw and Raw(
        raw.array, raw.dtype, (*(why for why in raw.copied if why != "chunks"), "parquet"), raw.column
    )


def _picked(
    fields: list[pa.Field], column: str | None, name: str, faults: list[Fault]
) -> int | list[int] | None:
    """The position of the column that holds the vectors, or those of the columns that hold a number each."""
    places = [i for i, field in enumerate(fields) if not _PANDAS_LABELS.fullmatch(field.name)]
    names = ", ".join(quoted(fields[i].name) for i in places[:10]) or "none"
    names += f" and {len(places) - 10} more" if len(places) > 10 else ""
    if column is not None:
        same = [i for i in places if fields[i].name == column]
        if len(same) == 1:
            return same[0]
        if same:
            message = f"{len(same)} columns have this name. Rename all but the one that is meant."
            faults.append(Fault("column-duplicate", message, name, column=column))
            return None
        message = f"there is no such column; there are: {names}."
        faults.append(Fault("vectors-column-missing", message, name, column=column))
        return None
    lists = [i for i in places if _is_float(_item(fields[i].type))]
    if len(lists) == 1:
        return lists[0]
    if lists:
        known = ", ".join(quoted(fields[i].name) for i in lists)
        message = f"several columns hold lists of floats: {known}. Name the one that is meant: column='…'."
        faults.append(Fault("vectors-column-ambiguous", message, name))
        return None
    if places and all(_is_float(fields[i].type) for i in places):
        return places
    message = (
        f"no column holds lists of floats, and not all columns are floats, so no vectors are known; the columns are: {names}. Name the column "
        "(column='…') if it holds lists of whole numbers."
    )
    faults.append(Fault("vectors-column-missing", message, name))
    return None


def _plain(kind: pa.DataType) -> pa.DataType:
    """Without an extension: a tensor of fixed shape is a list of its numbers."""
    return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind


def _item(kind: pa.DataType) -> pa.DataType | None:
    """What a list holds; None for anything else."""
    kind = _plain(kind)
    known = (
        pa.types.is_fixed_size_list,
        pa.types.is_list,
        pa.types.is_large_list,
        pa.types.is_list_view,
        pa.types.is_large_list_view,
    )
    return kind.value_type if any(is_one(kind) for is_one in known) else None


def _is_float(kind: pa.DataType | None) -> bool:
    return kind is not None and pa.types.is_floating(kind)


class _Stack:
    """The lists of one column, put below each other as they come; one piece that is all of them is used where it lies."""

    def __init__(self, rows: int) -> None:
        self.array: Array | None = None
        self.pieces = 0
        self.lengths: list[npt.NDArray[np.int64]] = []
        self.lacking: list[int] = []
        self.lacks = 0
        self._rows = rows
        self._start = 0
        self._spoilt = False

    def add(self, chunk: pa.Array) -> None:
        if isinstance(chunk.type, pa.BaseExtensionType):
            chunk = chunk.storage
        lengths = _lengths(chunk)
        values = (
            chunk.flatten()
        )  # the numbers of one list after the other, also of views that lie in any order
        self.lengths.append(lengths)
        wrong = lengths < 0
        if values.null_count:
            owner = np.repeat(np.arange(len(lengths)), np.maximum(lengths, 0))
            wrong[owner[values.is_null().to_numpy(zero_copy_only=False)]] = True
        self._lack(np.flatnonzero(wrong))
        dimension = (
            int(self.array.shape[1]) if self.array is not None else int(lengths[0]) if len(lengths) else 0
        )
        if wrong.any() or (lengths != dimension).any():
            self._spoilt = True
        if not self._spoilt and len(chunk):
            self._place(values.to_numpy(zero_copy_only=True).reshape(len(chunk), dimension))
        self._start += len(chunk)

    def _place(self, matrix: Array) -> None:
        self.pieces += 1
        if len(matrix) == self._rows:
            self.array = matrix
            return
        if self.array is None:
            self.array = np.empty((self._rows, matrix.shape[1]), np.float32)
        with np.errstate(over="ignore"):  # what 32 bits can't hold becomes infinite, and is told with its row
            self.array[self._start : self._start + len(matrix)] = matrix

    def _lack(self, rows: npt.NDArray[np.int64]) -> None:
        self.lacks += len(rows)
        self.lacking += (rows[: max(0, NAMED - len(self.lacking))] + self._start).tolist()


def _lengths(chunk: pa.Array) -> npt.NDArray[np.int64]:
    """How many numbers each list has; -1 where there is none."""
    if pa.types.is_fixed_size_list(chunk.type):
        lengths = np.full(len(chunk), chunk.type.list_size, np.int64)
        if chunk.null_count:
            lengths[chunk.is_null().to_numpy(zero_copy_only=False)] = -1
        return lengths
    found: npt.NDArray[np.int64] = (
        pc.fill_null(pc.list_value_length(chunk), -1).to_numpy(zero_copy_only=False).astype(np.int64)
    )
    return found


def _matrix(
    kind: pa.DataType,
    chunks: Iterable[pa.Array],
    rows: int,
    column: str | None,
    name: str,
    faults: list[Fault],
) -> Raw | None:
    """The lists of one column, below each other."""
    item = _item(kind)
    if item is None or not (pa.types.is_floating(item) or pa.types.is_integer(item)):
        faults.append(
            type_fault(f"the column holds {kind}, not lists of numbers", name, str(kind), column=column)
        )
        return None
    stack = _Stack(rows)
    for chunk in chunks:
        stack.add(chunk)
    if stack.lacks:
        faults.append(null_fault(stack.lacking, name, column, stack.lacks))
        return None
    lengths = np.concatenate([np.zeros(0, np.int64), *stack.lengths])
    if fault := length_fault(lengths, name, column):
        faults.append(fault)
        return None
    array = stack.array
    if array is None:
        array = np.zeros((rows, 0), np.float32)
    return Raw(array, _dtype_name(item), ("chunks",) if stack.pieces > 1 else (), column)


def _dtype_name(kind: pa.DataType) -> str:
    return str(np.dtype(kind.to_pandas_dtype()).name)


def _side_by_side(
    pieces: Iterable[list[pa.Array]], width: int, rows: int, name: str, faults: list[Fault]
) -> Raw | None:
    """The numbers of several columns, beside each other."""
    array = np.empty((rows, width), np.float32)
    dtypes: set[str] = set()
    start, lacking = 0, np.zeros(rows, np.bool_)
    for columns in pieces:
        stop = start + (len(columns[0]) if columns else 0)
        for j, part in enumerate(columns):
            dtypes.add(_dtype_name(part.type))
            if part.null_count:
                lacking[start:stop] |= part.is_null().to_numpy(zero_copy_only=False)
            else:
                with np.errstate(over="ignore"):
                    array[start:stop, j] = part.to_numpy(zero_copy_only=False)
        start = stop
    if lacking.any():
        found = np.flatnonzero(lacking)
        faults.append(null_fault(found[:NAMED].tolist(), name, None, len(found)))
        return None
    return Raw(array, ", ".join(sorted(dtypes)) or "float32", ("columns",))
