"""From Arrow columns to what the kernels take: ids, strata numbers, whole weights, address lines.

Weights are decimals with at most six places, from 0.000001 to 1,000,000,000. They are multiplied by 10^6 and are whole numbers from then
on; chances depend on their ratios alone. A float counts as the decimal that it prints as. Ids are whole numbers or text: 7 and «7» are
one id.
"""

from __future__ import annotations

import math
import re
import threading
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import numpy as np

from klero._tables_cells import THOUSANDS, cell_text, clean
from klero.errors import Fault, InputError

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

WEIGHT_SCALE = 10**6
WEIGHT_LIMIT = 10**9
STRATA_LIMIT = 1 << 20
Texts = tuple["NDArray[np.int64]", Any]
"""Offsets and bytes: text i is bytes[offsets[i]:offsets[i + 1]]."""


def texts(column: pa.Array) -> Texts:
    """A column of text as offsets and bytes, without a copy of what other rows hold."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        column = pc.cast(column, pa.large_string())
    width = np.int64 if pa.types.is_large_string(column.type) else np.int32
    _, offsets, data = column.buffers()
    if len(column) == 0:
        return np.zeros(1, np.int64), b""
    ends = np.frombuffer(offsets, width)[column.offset : column.offset + len(column) + 1].astype(np.int64)
    start, end = int(ends[0]), int(ends[-1])
    return ends - start, memoryview(data).cast("B")[start:end] if data is not None and end > start else b""


def plain(column: pa.Array) -> NDArray[Any]:
    """The numbers of a column without nulls, as they lie in memory. (`to_numpy` imports pandas where it is installed: half a second.)"""
    kind = np.dtype(column.type.to_pandas_dtype())
    data = column.buffers()[1]
    if data is None:
        return np.zeros(0, kind)
    return np.frombuffer(data, kind)[column.offset : column.offset + len(column)]


def ids(column: pa.Array) -> tuple[NDArray[np.int64] | None, Texts | None]:
    """Whole numbers, or texts. ValueError with the type's name where ids can't be of that type; nulls become empty texts."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_integer(kind) and not column.null_count and kind != pa.uint64():
        column = column.dictionary_decode() if pa.types.is_dictionary(column.type) else column
        return plain(column.cast(pa.int64())), None
    view = getattr(pa.types, "is_string_view", lambda _: False)(kind)
    readable = pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind) or view
    if not (readable or pa.types.is_null(kind)):
        raise ValueError(str(kind))
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    column = column.cast(pa.large_string())
    return None, texts(pc.fill_null(column, "") if column.null_count else column)


class Strata:
    """Numbers for the combinations of values met so far. The numbers depend on the order of rows; nothing that is shown does."""

    def __init__(self) -> None:
        self.codes: dict[tuple[str, ...], int] = {}
        self._lock = threading.Lock()

    def numbers(self, columns: list[pa.Array]) -> NDArray[np.uint32]:
        """The number of each row's stratum.

        Raises:
            InputError: there are more strata than can be.
        """
        names: list[list[str]] = []
        joint: NDArray[np.int64] | None = None
        for column in columns:
            values, at = _encoded(column)
            names.append(values)
            joint = at if joint is None else joint * len(values) + at
        if joint is None:
            return np.zeros(0, np.uint32)
        size = math.prod(map(len, names))
        if size <= 4 * len(joint) + 1000:
            used = np.flatnonzero(np.bincount(joint, minlength=size))
            table = np.zeros(size, np.uint32)
            table[used] = self._codes(used, names)
            return table[joint]
        used, inverse = np.unique(joint, return_inverse=True)
        return self._codes(used, names)[inverse]

    def _codes(self, used: NDArray[Any], names: list[list[str]]) -> NDArray[np.uint32]:
        codes = np.empty(len(used), np.uint32)
        with self._lock:
            for i, number in enumerate(used.tolist()):
                key: list[str] = []
                for values in reversed(names):
                    number, at = divmod(number, len(values))
                    key.append(values[at])
                codes[i] = self.codes.setdefault(tuple(reversed(key)), len(self.codes))
            if len(self.codes) > STRATA_LIMIT:
                message = f"the columns of the strata have more than {STRATA_LIMIT} combinations. Use fewer or coarser columns."
                raise InputError([Fault("strata-too-many", message, "register")])
        return codes

    def ranked(self) -> tuple[list[tuple[str, ...]], NDArray[np.uint32]]:
        """The strata by code points, and the rank of each number."""
        labels = sorted(self.codes)
        ranks = np.zeros(max(1, len(labels)), np.uint32)
        for rank, label in enumerate(labels):
            ranks[self.codes[label]] = rank
        return labels or [()], ranks


def _encoded(column: pa.Array) -> tuple[list[str], NDArray[np.int64]]:
    """Values as text (the last is that of empty cells) and the index of each row's value."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    found = [cell_text(value) for value in column.dictionary.to_pylist()]
    if None in found:
        raise ValueError(f"values of type {column.type.value_type} are no text")
    values = [clean(text or "") for text in found]
    indices = column.indices
    if indices.null_count:
        indices = pc.fill_null(indices.cast(pa.int64()), len(values))
    return [*values, ""], plain(indices).astype(np.int64)


def weights(column: pa.Array) -> NDArray[np.int64]:
    """Weights times 10^6. ValueError if any can't be used; :func:`weight_faults` says which."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count:
        raise ValueError("null")
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_integer(column.type):
        values = plain(column.cast(pa.int64()))
        if len(values) and (values.min() < 1 or values.max() > WEIGHT_LIMIT):
            raise ValueError("range")
        return np.asarray(values * WEIGHT_SCALE, np.int64)
    if pa.types.is_floating(column.type):
        floats = plain(column.cast(pa.float64()))
        if len(floats) and not (floats.min() > 0 and floats.max() <= WEIGHT_LIMIT):  # NaN fails both
            raise ValueError("range")
        whole = np.rint(floats * WEIGHT_SCALE).astype(np.int64)
        if not (whole / WEIGHT_SCALE == floats).all():
            raise ValueError("decimals")
        return np.asarray(whole, np.int64)
    text = column if not pa.types.is_decimal(column.type) else None
    if text is not None:
        if pc.any(pc.match_substring_regex(text.cast(pa.large_string()), rf"^\s*{THOUSANDS}\s*$")).as_py():
            raise ValueError("ambiguous")
        text = pc.replace_substring(pc.utf8_trim_whitespace(text.cast(pa.large_string())), ",", ".")
    decimals = (column if text is None else text).cast(pa.decimal128(22, 6))
    words = np.frombuffer(decimals.buffers()[1], np.int64)[2 * decimals.offset :]
    words = words[: 2 * len(decimals)].reshape(-1, 2)
    if (words[:, 1] != 0).any():  # negative, or past 2^64
        raise ValueError("range")
    scaled = np.ascontiguousarray(words[:, 0])
    if len(scaled) and (scaled.min() < 1 or scaled.max() > WEIGHT_LIMIT * WEIGHT_SCALE):
        raise ValueError("range")
    return scaled


def weight_faults(column: pa.Array, told: int) -> tuple[list[tuple[int, str, str]], int]:
    """(row, message, value) of the first bad weights, and how many there are."""
    faults: list[tuple[int, str, str]] = []
    count = 0
    for row, value in enumerate(column.to_pylist()):
        fault = _weight_fault(value)
        if fault is not None:
            count += 1
            if len(faults) < told:
                faults.append((row, fault, "" if value is None else str(value)))
    return faults, count


def _weight_fault(value: object) -> str | None:
    text = str(value).strip() if value is not None else ""
    if re.fullmatch(THOUSANDS, text):
        plain_text, point = text.replace(",", ""), text.replace(",", ".")
        return f"a weight could be {plain_text} or {point}. Write one of the two."
    text = text.replace(",", ".")
    if not text:
        return "a row has no weight. Give every row a number above zero."
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if number.is_nan():
        return "a weight is not a number. Give every row a number above zero."
    if number <= 0:
        return "a weight is not above zero. Who must not be drawn belongs on the exclusion list (--exclude), not at weight zero."
    if number > WEIGHT_LIMIT:
        return f"a weight is above {WEIGHT_LIMIT}. Divide all weights by one number."
    if number * WEIGHT_SCALE % 1 != 0:
        return "a weight has more than six decimals. Round the weights to six, so that chances are exact."
    return None
