"""What did people write, one text after the other, whatever program holds it?

Lists of str, numpy arrays, and whatever exports Arrow (pyarrow, polars, pandas, duckdb) become chunks of Arrow text. Arrow's own plain and
large text is used where it lies: half a gigabyte of contributions is not copied. Views, dictionaries and Python's strings are.

A null is an empty text. Numbers are refused rather than written out: a column of ages or ids given by mistake would else give groups that
look like a finding.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from os import PathLike
from typing import TYPE_CHECKING, Protocol, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klero._tables_arrow import ArrowStream
from klero._tables_cells import kind_of
from klero.errors import Fault, quoted

if TYPE_CHECKING:
    from numpy.typing import NDArray


__all__ = ["TextColumn", "TextSource", "arrow_column", "decoded", "is_missing", "read_texts"]


class ArrowArray(Protocol):
    """Anything that exports one Arrow array: pyarrow's arrays."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """The capsules of the Arrow PyCapsule interface."""


TextSource: TypeAlias = (
    "ArrowStream | ArrowArray | Sequence[str | None] | NDArray[np.object_] | NDArray[np.str_]"
)

# A result marks a row of no text by the last number of 32 bits.
_READ = "klero.voices.contributions.Contributions.read"

MOST_TEXTS = (1 << 32) - 2


@dataclass(frozen=True, eq=False)
class TextColumn:
    """Texts in memory.

    Attributes:
        chunks: Arrow arrays of type string or large_string, none of them without rows, all valid UTF-8, without nulls.
    """

    chunks: tuple[pa.Array, ...]

    def __len__(self) -> int:
        return self._starts[-1]

    def __repr__(self) -> str:
        return f"<TextColumn: {len(self)} texts in {len(self.chunks)} chunks>"

    def __getitem__(self, row: int) -> str:
        chunk = bisect_right(self._starts, row) - 1
        return cast(str, self.chunks[chunk][row - self._starts[chunk]].as_py())

    def __iter__(self) -> Iterator[str]:
        for chunk in self.chunks:
            for first in range(0, len(chunk), 4096):
                yield from chunk.slice(first, 4096).to_pylist()

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate(map(len, self.chunks), initial=0))

    def take(self, rows: Sequence[int] | NDArray[np.integer]) -> TextColumn:
        """The texts of these rows, in that order, copied."""
        wanted = np.asarray(rows, np.int64)
        if not len(wanted):
            return TextColumn(())
        # Arrow would put all chunks together first; here only those rows are touched.
        home = np.searchsorted(self._starts, wanted, side="right") - 1
        places = [np.flatnonzero(home == chunk) for chunk in np.unique(home)]
        taken = [
            self.chunks[home[place[0]]].take(pa.array(wanted[place] - self._starts[home[place[0]]]))
            for place in places
        ]
        texts = pa.concat_arrays([part.cast(pa.large_string()) for part in taken])
        back = np.argsort(np.concatenate(places))
        return TextColumn((texts if len(places) == 1 else texts.take(pa.array(back)),))


def read_texts(source: object, name: str, faults: list[Fault], threads: int = 1) -> TextColumn | None:
    """The texts; or None, and all that is wrong with them added to `faults`.

    Args:
        source: see :data:`TextSource`; a table of one column will do.
        name: what messages call it.
        threads: at most so many look whether the texts are UTF-8.
    """
    before = len(faults)
    column = arrow_column(source, name, faults)
    if column is None:
        return None
    kind = _value_type(column.type)
    if not (pa.types.is_null(kind) or _is_text(kind)):
        faults.append(_not_text(name, f"the values are of the type {kind}, and texts are asked for"))
        return None
    if len(column) > MOST_TEXTS:
        message = f"there are {len(column):,} texts, more than the {MOST_TEXTS:,} that can be numbered. Split them by question."
        faults.append(Fault("texts-too-many", message, name))
        return None
    chunks, first = [], 0
    for chunk in column.chunks:
        if len(chunk):
            chunks.append(_without_nulls(_plain(chunk)))
            _check_utf8(chunks[-1], first, name, faults, threads)
        first += len(chunk)
    return None if len(faults) > before else TextColumn(tuple(chunks))


def arrow_column(source: object, name: str, faults: list[Fault]) -> pa.ChunkedArray | None:
    """`source` as one column of whatever type it has; or None, and why not added to `faults`. Python's values must be text."""
    if hasattr(source, "iloc") and getattr(source, "shape", ())[1:] == (1,):
        source = source.iloc[:, 0]  # pandas' table of one column: its labels of rows are no second one
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        if getattr(source, "dtype", None) == np.object_:  # pandas: any mixture, told value by value
            return _from_values(list(cast("Sequence[object]", source)), name, faults)
        return _from_arrow(source, name, faults)
    if isinstance(source, np.ndarray):
        if source.ndim != 1:
            message = f"the array has {source.ndim} dimensions; one text after the other is asked for. Give one column."
            faults.append(Fault("source-type", message, name))
            return None
        if source.dtype.kind in "OT":
            return _from_values(source.tolist(), name, faults)
        return _from_arrow(source, name, faults)
    if isinstance(source, str | bytes | bytearray | Mapping | Set) or not isinstance(source, Sequence):
        if hasattr(source, "to_numpy") and hasattr(source, "dtype"):  # a pandas Index
            return arrow_column(source.to_numpy(), name, faults)
        message = (
            f"{kind_of(source)} is not a list. Give a list of str, a column of pyarrow, polars, pandas or numpy, "
            "or a table of one column."
        )
        if isinstance(source, str | PathLike):
            message += f" A file is read by {_READ}(path)."
        faults.append(Fault("source-type", message, name))
        return None
    return _from_values(source, name, faults)


def is_missing(value: object) -> bool:
    """Whether it stands for no value: None, and pandas' ways to say so."""
    return (
        value is None
        or (isinstance(value, float) and value != value)
        or type(value).__name__ in {"NAType", "NaTType"}
    )


def _from_arrow(source: object, name: str, faults: list[Fault]) -> pa.ChunkedArray | None:
    try:
        streamed = hasattr(source, "__arrow_c_stream__")
        column = pa.chunked_array(source if streamed else [pa.array(source)])
    except (pa.ArrowException, TypeError, ValueError) as error:
        message = f"this {type(source).__name__} can't be read as a column of Arrow ({error}). Give a column of one type."
        faults.append(Fault("source-type", message, name))
        return None
    if not pa.types.is_struct(column.type):
        return column
    fields = [field.name for field in column.type]
    if len(fields) != 1:
        listed = ", ".join(map(quoted, fields[:10])) or "none"
        message = f"the table has {len(fields)} columns ({listed}). Give the one column that is meant, for instance table['text']."
        faults.append(Fault("source-type", message, name))
        return None
    return pa.chunked_array([chunk.flatten()[0] for chunk in column.chunks], column.type.field(0).type)


def _from_values(values: Sequence[object], name: str, faults: list[Fault]) -> pa.ChunkedArray | None:
    """Python's values. First as if nothing was wrong with them, which is quick."""
    if set(map(type, values)) <= {str, type(None)}:
        try:
            return pa.chunked_array([pa.array(values, pa.large_string())])
        except UnicodeEncodeError:
            pass
    before = len(faults)
    texts: list[str | None] = []
    wrong: dict[str, list[int]] = {}
    for row, value in enumerate(values):
        if isinstance(value, str):
            texts.append(str.__str__(value))
            if not texts[-1].isascii() and any("\ud800" <= char <= "\udfff" for char in texts[-1]):  # type: ignore[union-attr]
                wrong.setdefault("", []).append(row)
        elif is_missing(value):
            texts.append(None)
        else:
            wrong.setdefault(type(value).__name__, []).append(row)
    for kind, rows in wrong.items():
        also = f" (as in {_rows(len(rows) - 1)})" if len(rows) > 1 else ""
        if isinstance(values[rows[0]], Mapping):
            message = f"here stands {_article(kind)} {kind}{also}, and one text after the other is asked for. Rows of columns are read by {_READ}(rows)."
            faults.append(Fault("text-type", message, name, rows[0] + 1))
        elif kind:
            value = repr(values[rows[0]])
            faults.append(
                _not_text(
                    name,
                    f"here stands {_article(kind)} {kind}, {quoted(value)[1:-1]}{also}",
                    rows[0] + 1,
                    value,
                )
            )
        else:
            message = f"half a character (a lone surrogate) stands in the text{also}, which no program could read. Correct it."
            faults.append(Fault("encoding-unreadable", message, name, rows[0] + 1))
    return None if len(faults) > before else pa.chunked_array([pa.array(texts, pa.large_string())])


def _rows(count: int) -> str:
    return f"{count:,} more row{'s' if count > 1 else ''}"


def _article(noun: str) -> str:
    return "an" if noun[0].lower() in "aeiou" else "a"


def _not_text(name: str, what: str, row: int | None = None, value: str | None = None) -> Fault:
    message = f"{what}. Numbers and the like are never compared as texts: give the column that holds what people wrote."
    return Fault("text-type", message, name, row, value=value)


def _value_type(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _plain(chunk: pa.Array) -> pa.Array:
    """With offsets and bytes in two buffers: as it is, or copied."""
    chunk = decoded(chunk)
    if pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type):
        return chunk
    return chunk.cast(pa.large_string())


def decoded(chunk: pa.Array) -> pa.Array:
    """Without a dictionary. Arrow itself can't take from a dictionary of views, which polars' categories are."""
    if not pa.types.is_dictionary(chunk.type):
        return chunk
    values = chunk.dictionary
    if pa.types.is_string_view(values.type):
        values = values.cast(pa.large_string())
    elif pa.types.is_binary_view(values.type):
        values = values.cast(pa.large_binary())
    return values.take(chunk.indices)


def _without_nulls(chunk: pa.Array) -> pa.Array:
    """Nulls become empty texts. Behind a null there may be bytes of no meaning; where there are none, nothing is copied."""
    if not chunk.null_count:
        return chunk
    if pc.max(pc.if_else(chunk.is_null(), _lengths(chunk), 0)).as_py():
        return pc.fill_null(chunk, "")
    _validity, offsets, data = chunk.buffers()
    return pa.Array.from_buffers(chunk.type, len(chunk), [None, offsets, data], 0, chunk.offset)


def _lengths(chunk: pa.Array) -> pa.Array:
    wide = pa.types.is_large_string(chunk.type)
    offsets = np.frombuffer(chunk.buffers()[1], np.int64 if wide else np.int32)
    return pa.array(np.diff(offsets[chunk.offset : chunk.offset + len(chunk) + 1]))


# Rows of a chunk that is worth dividing among threads.
_MANY = 1 << 15


def _validate(chunk: pa.Array, threads: int) -> None:
    if threads == 1 or len(chunk) < _MANY:
        chunk.validate(full=True)
        return
    chunk.validate()  # the offsets' ends and the buffers' sizes, which parts rely on
    size = -(-len(chunk) // threads)
    with ThreadPoolExecutor(threads) as pool:
        parts = [chunk.slice(start, size) for start in range(0, len(chunk), size)]
        list(pool.map(lambda part: part.validate(full=True), parts))


def _check_utf8(chunk: pa.Array, first: int, name: str, faults: list[Fault], threads: int) -> None:
    """Arrow promises UTF-8 and does not check it; a program that breaks the promise is told where."""
    try:
        _validate(chunk, threads)
    except pa.ArrowInvalid as error:
        wrong = (
            []
            if "UTF8" not in str(error)
            else [i for i, data in enumerate(chunk.cast(_binary(chunk))) if not _reads(data.as_py())]
        )
        if not wrong:
            faults.append(
                Fault("source-type", f"the Arrow column is damaged ({error}). Write it anew.", name)
            )
            return
        also = f" (nor in {_rows(len(wrong) - 1)})" if len(wrong) > 1 else ""
        message = f"the bytes are not UTF-8{also}, so nobody can say which letters are meant. Export the texts as UTF-8."
        faults.append(Fault("encoding-unreadable", message, name, first + wrong[0] + 1))


def _binary(chunk: pa.Array) -> pa.DataType:
    return pa.large_binary() if pa.types.is_large_string(chunk.type) else pa.binary()


def _reads(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
