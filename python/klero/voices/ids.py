"""Which contribution is which, and which of two ids comes first?

Ids are whole numbers or texts; without any, rows are numbered from 0. Their order names the groups, so it must not depend on the order of
rows: if all ids are whole numbers in their canonical spelling («0», «17», «-3»; not «017») they compare as numbers, else by code points.

Reading n ids costs one comparison of neighbours where they ascend already, else a sort, O(n log n).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nsmallest
from numbers import Integral
from typing import TYPE_CHECKING, cast, overload

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klero.errors import Fault, InputError, quoted
from klero.voices.settings import shown
from klero.voices.texts import arrow_column, decoded, is_missing

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Id", "IdColumn", "IdView", "first_ids", "id_text", "key_of", "read_ids"]

Id = int | str
_CANONICAL_PYTHON = r"0|-?[1-9][0-9]*"
_CANONICAL = rf"\A(?:{_CANONICAL_PYTHON})\z"
_SHORT = 18
_LONGEST = len(str(-(2**63)))
_NAMED = 5
_TOO_LONG = "a whole number beyond 64 bits"


@dataclass(frozen=True, eq=False)
class IdColumn:
    """The ids of all rows.

    Attributes:
        size: rows.
        values: an Arrow array of type int64 or large_string; None where rows are numbered from 0.
        numbers: whether they compare as numbers.
        ranks: the place of each row's id in the order of ids; None where the rows are in that order.
    """

    size: int
    values: pa.Array | None = None
    numbers: bool = True
    ranks: NDArray[np.uint32] | None = None

    @property
    def type(self) -> pa.DataType:
        return pa.int64() if self.values is None else self.values.type

    def take(self, rows: NDArray[np.integer] | pa.Array) -> pa.Array:
        """The ids of these rows as an Arrow array; null for a null row."""
        rows = rows if isinstance(rows, pa.Array) else pa.array(rows)
        return rows.cast(pa.int64()) if self.values is None else self.values.take(rows)

    def slice(self, first: int, count: int) -> pa.Array:
        """The ids of the rows from `first` on."""
        count = max(0, min(count, self.size - first))
        return (
            pa.array(np.arange(first, first + count))
            if self.values is None
            else self.values.slice(first, count)
        )

    def row(self, name: object) -> int:
        """The row that has this id; a number may be given as text, and the other way round. O(n) where ids are given.

        Raises:
            InputError: no row has it.
        """
        text = id_text(name)
        found = -1 if text is None else self._find(text)
        if found < 0:
            seen = shown(name if text is None else text)
            message = (
                f"there is no text with the id {seen}. Ids are as they were given, or row numbers from 0."
            )
            raise InputError([Fault("id-unknown", message, "ids", value=text or seen)])
        return found

    def _find(self, name: str) -> int:
        if pa.types.is_integer(self.type):
            if not re.fullmatch(_CANONICAL_PYTHON, name) or len(name) > _LONGEST:
                return -1
            number = int(name)
            if not -(2**63) <= number < 2**63:
                return -1
            if self.values is None:
                return number if 0 <= number < self.size else -1
            return int(pc.index(self.values, pa.scalar(number, pa.int64())).as_py())
        return int(pc.index(self.values, pa.scalar(name, self.type)).as_py())

    def order(self) -> NDArray[np.uint32] | None:
        """Rows in the order of their ids; None where they are in it."""
        if self.ranks is None:
            return None
        order = np.empty(self.size, np.uint32)
        order[self.ranks] = np.arange(self.size, dtype=np.uint32)
        return order


@dataclass(frozen=True, eq=False, repr=False)
class IdView(Sequence[Id]):
    """Ids of some rows (`rows`; None: of all), made into Python's values only when they are asked for."""

    column: IdColumn
    rows: NDArray[np.uint32] | None = None

    def to_arrow(self) -> pa.Array:
        """As an Arrow array of int64 or large_string."""
        return self.column.slice(0, self.column.size) if self.rows is None else self.column.take(self.rows)

    def __len__(self) -> int:
        return self.column.size if self.rows is None else len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Id: ...
    @overload
    def __getitem__(self, index: slice) -> list[Id]: ...
    def __getitem__(self, index: int | slice) -> Id | list[Id]:
        rows = range(len(self))[index] if self.rows is None else self.rows[index]
        if isinstance(index, slice):
            return cast("list[Id]", self.column.take(np.asarray(rows, np.uint32)).to_pylist())
        return cast(Id, self.column.slice(int(cast(int, rows)), 1)[0].as_py())

    def __iter__(self) -> Iterator[Id]:
        for first in range(0, len(self), 4096):
            yield from self[first : first + 4096]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = ", ".join(repr(name) for name in self[:_NAMED])
        return f"[{shown}, … {len(self) - _NAMED:,} more]" if len(self) > _NAMED else f"[{shown}]"


def id_text(name: object) -> str | None:
    """The text of an id, a whole number in decimal; None for what can't be one."""
    if isinstance(name, Integral) and not isinstance(name, bool):
        try:
            return str(int(name))
        except ValueError:  # thousands of digits, which Python does not write out
            return None
    if isinstance(name, str) and _is_unicode(name):
        return str.__str__(name)
    return None


def read_ids(
    source: object, rows: int | None, name: str, faults: list[Fault], numbers: bool | None = None
) -> IdColumn | None:
    """The ids of `rows` rows (None: not known); or None, and all that is wrong with them added to `faults`.

    Args:
        source: whole numbers or texts, as a list or a column; None numbers the rows from 0.
        numbers: whether they compare as numbers; None: if all of them are whole numbers. (A part of a table can't tell by itself.)
    """
    if source is None:
        return None if rows is None else IdColumn(rows)
    before = len(faults)
    values = _id_values(source, name, faults)
    if values is None:
        return None
    if rows is not None and len(values) != rows:
        message = f"there are {len(values):,} ids for {rows:,} texts, so nobody can say which belongs to which. Give one id a text."
        faults.append(Fault("id-count", message, name))
    _check_filled(values, name, faults)
    if len(faults) > before and values.null_count:
        values = values.drop_null()
    if numbers is None:
        numbers = pa.types.is_integer(values.type) or bool(
            pc.all(pc.match_substring_regex(values, _CANONICAL), min_count=0).as_py()
        )
    column = _ranked(values, numbers)
    if column is None:
        faults.append(_twins(values, name))
    return None if len(faults) > before else column


def _id_values(source: object, name: str, faults: list[Fault]) -> pa.Array | None:
    """An array of int64 or large_string, nulls where an id is missing."""
    listed = isinstance(source, Sequence) and not isinstance(source, str | bytes | bytearray | IdView)
    if isinstance(source, IdView):
        source = source.to_arrow()
    if isinstance(source, np.ndarray) and source.ndim == 1 and source.dtype.kind in "OT":
        source, listed = source.tolist(), True
    elif hasattr(source, "__arrow_c_stream__") and getattr(source, "dtype", None) == np.object_:
        source, listed = list(cast("Sequence[object]", source)), True
    if listed:
        return _listed(cast("Sequence[object]", source), name, faults)
    column = arrow_column(source, name, faults)
    if column is None:
        return None
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    chunks = [decoded(chunk) for chunk in column.chunks]
    if text:  # before they are one, since 32-bit offsets end at 2 GB
        chunks = [chunk.cast(pa.large_string()) for chunk in chunks]
    values = pa.concat_arrays(chunks) if column.num_chunks else pa.array([], kind)
    if pa.types.is_null(kind):
        return values.cast(pa.large_string())
    if pa.types.is_integer(kind):
        try:
            return values.cast(pa.int64())
        except pa.ArrowInvalid:
            faults.append(_untold(name, f"{_TOO_LONG} is among the ids"))
            return None
    if pa.types.is_floating(kind):
        return _listed(values.to_pylist(), name, faults)
    if text:
        return _checked_text(values.cast(pa.large_string()), name, faults)
    faults.append(_untold(name, f"the ids are of the type {kind}"))
    return None


def _checked_text(values: pa.Array, name: str, faults: list[Fault]) -> pa.Array | None:
    try:
        values.validate(full=True)
    except pa.ArrowInvalid as error:
        message = f"the ids are not readable as UTF-8 text ({error}). Export them as UTF-8."
        faults.append(Fault("encoding-unreadable", message, name))
        return None
    return values


def _listed(source: Sequence[object], name: str, faults: list[Fault]) -> pa.Array | None:
    kinds = set(map(type, source)) - {type(None)}
    if kinds <= {int} and kinds:
        try:
            return pa.array(source, pa.int64())
        except OverflowError:  # pyarrow's own error is one too
            row = next(row for row, value in enumerate(source, 1) if not _fits(cast("int | None", value)))
            faults.append(_untold(name, f"the id is {_TOO_LONG}", row))
            return None
    before = len(faults)
    texts: list[str | None] = []
    wrong: dict[str, int] = {}
    for row, value in enumerate(source, start=1):
        if isinstance(value, str):
            texts.append(str.__str__(value))
            if not _is_unicode(texts[-1] or ""):
                message = "half a character (a lone surrogate) stands in the id, which no program could read. Correct it."
                faults.append(Fault("encoding-unreadable", message, name, row))
        elif (number := _whole(value)) is not None and _fits(number):
            texts.append(str(number))
        elif is_missing(value):
            texts.append(None)
        else:
            wrong.setdefault(type(value).__name__, row)
    for kind, row in wrong.items():
        what = _TOO_LONG if _whole(source[row - 1]) is not None else f"of the type {kind}"
        faults.append(_untold(name, f"the id is {what}", row))
    if len(faults) > before:
        return None
    values = pa.array(texts, pa.large_string())
    if kinds and not any(issubclass(kind, str) for kind in kinds):
        try:
            return values.cast(pa.int64())
        except pa.ArrowInvalid:
            pass
    return values


def _whole(value: object) -> int | None:
    """A whole number; also as a float, which is what pandas makes of whole numbers where one is missing."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float | np.floating) and value.is_integer() and abs(float(value)) <= 2**53:
        return int(value)
    return None


def _fits(number: int | None) -> bool:
    return number is None or -(2**63) <= number < 2**63


def _is_unicode(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def _untold(name: str, what: str, row: int | None = None) -> Fault:
    return Fault(
        "id-type", f"{what}, so its spelling is not sure. Give whole numbers of 64 bits, or text.", name, row
    )


def _check_filled(values: pa.Array, name: str, faults: list[Fault]) -> None:
    empty = values.is_null()
    if not pa.types.is_integer(values.type):
        empty = pc.or_(empty, pc.fill_null(pc.equal(pc.binary_length(values), 0), True))
    count = pc.sum(empty).as_py() or 0
    if count:
        row = pc.index(empty, True).as_py() + 1
        also = (
            f" (nor ha{'ve' if count > 2 else 's'} {count - 1:,} more row{'s' if count > 2 else ''})"
            if count > 1
            else ""
        )
        message = f"this row has no id{also}, so nothing could be said of its text. Give every row an id."
        faults.append(Fault("id-empty", message, name, row))


def _ranked(values: pa.Array, numbers: bool) -> IdColumn | None:
    """The column with its ranks; None if two ids are equal."""
    size = len(values)
    if not numbers and pa.types.is_integer(values.type):
        values = values.cast(pa.large_string())
    keys = _as_numbers(values) if numbers else values
    if keys is None:
        return _ranked_long(values)
    if size < 2 or pc.all(pc.less(keys.slice(0, size - 1), keys.slice(1))).as_py():
        return IdColumn(size, values, numbers)
    if numbers:
        plain = keys.to_numpy()
        order = np.argsort(plain, kind="stable")
        ordered = plain[order]
        twins = bool((ordered[1:] == ordered[:-1]).any())
    else:
        order = pc.array_sort_indices(keys).to_numpy()
        sorted_keys = keys.take(pa.array(order))
        twins = bool(pc.any(pc.equal(sorted_keys.slice(0, size - 1), sorted_keys.slice(1))).as_py())
    return None if twins else IdColumn(size, values, numbers, _inverse(order))


def _as_numbers(values: pa.Array) -> pa.Array | None:
    if pa.types.is_integer(values.type):
        return values
    longest = pc.max(pc.binary_length(values)).as_py() or 0
    return values.cast(pa.int64()) if longest <= _SHORT else None


def _ranked_long(values: pa.Array) -> IdColumn | None:
    """Whole numbers of any length. Without leading zeros the longer one is the larger, so none is ever computed."""

    def key(text: str) -> tuple[bool, int, str]:
        return (True, len(text), text)

    texts = values.to_pylist()
    if len(set(texts)) < len(texts):
        return None
    below = sorted(
        (row for row, text in enumerate(texts) if text[0] == "-"),
        key=lambda row: key(texts[row]),
        reverse=True,
    )
    above = sorted((row for row, text in enumerate(texts) if text[0] != "-"), key=lambda row: key(texts[row]))
    return IdColumn(len(texts), values, True, _inverse(np.array([*below, *above])))


def _inverse(order: NDArray[np.integer]) -> NDArray[np.uint32]:
    ranks = np.empty(len(order), np.uint32)
    ranks[order] = np.arange(len(order), dtype=np.uint32)
    return ranks


def _twins(values: pa.Array, name: str) -> Fault:
    """Which ids are there twice, and where the first of them stands."""
    counted = pc.value_counts(values)
    twice = counted.filter(pc.greater(counted.field("counts"), 1)).field("values")
    shown = []
    for value in twice.slice(0, _NAMED):
        rows = np.flatnonzero(pc.equal(values, value).to_numpy(zero_copy_only=False)) + 1
        shown.append(
            f"{quoted(str(value.as_py()))} (rows {', '.join(map(str, rows[:3].tolist()))}{', …' if len(rows) > 3 else ''})"
        )
    more = f" and {len(twice) - _NAMED:,} more" if len(twice) > _NAMED else ""
    what = f"{len(twice):,} ids are" if len(twice) > 1 else "1 id is"
    message = f"{what} there more than once: {', '.join(shown)}{more}. A group is named by an id: give each text its own."
    return Fault("id-duplicate", message, name, value=str(twice[0].as_py()))


def first_ids(names: Iterable[object], most: int) -> list[str]:
    """The `most` smallest ids, whole numbers before others: the order of rows does not matter.

    >>> first_ids(["b", 10, "9"], 3)
    ['9', '10', 'b']
    """

    def place(name: str) -> tuple[bool, int, str]:
        return (False, len(name), name) if name.isascii() and name.isdigit() else (True, 0, name)

    return nsmallest(most, map(str, names), key=place)


def key_of(name: object) -> int:
    """64 bits that an id stands at among others, wherever its row stands."""
    return int.from_bytes(
        blake2b(str(name).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little"
    )
