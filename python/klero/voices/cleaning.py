"""What does a cell say as text, whatever program wrote it?

HTML becomes what a reader sees (:mod:`klero.voices.html_text`); all line ends become «\\n»; control characters go (vertical tabs
and form feeds, which word processors write for line breaks, become one); the rest is put in Unicode's composed form (NFC). Each kind of change
is counted by texts.

Columns are worked on whole, by pyarrow, and only cells that need more by Python; `clean_text` is the same for one text, and the tests hold the two
against each other. NFC is of Python's version of Unicode; for characters that exist, versions do not differ.

>>> clean_text("<p>Oui&nbsp;!</p>\\r\\ncafe\\u0301\\x00")
'Oui\\xa0!\\n\\ncafé'
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from klero._tables_cells import cell_text
from klero._tables_json import textless
from klero.errors import Fault, InputError
from klero.voices.html_text import CANDIDATE, plain

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Changes", "as_text", "clean_column", "clean_text"]

_BREAKS = "\r\n?|[\x0b\x0c]"
_CONTROLS = "[\x00-\x08\x0e-\x1f\x7f]"
_NUMERIC = r"[^\d\s.,:/%+\-TZ]"


@dataclass
class Changes:
    """How many cells of texts were changed, by what.

    Attributes:
        html: had tags or entities.
        breaks: had line ends that are not «\\n».
        controls: had control characters.
        composed: were not in NFC.
        null: were null, and are '' now.
    """

    html: int = 0
    breaks: int = 0
    controls: int = 0
    composed: int = 0
    null: int = 0


def clean_text(text: str, *, html: bool = True) -> str:
    """One text, cleaned as `clean_column` does: slow and plain."""
    text = plain(text) if html else text
    text = text.replace("\r\n", "\n")
    text = "".join("\n" if c in "\r\x0b\x0c" else c for c in text)
    text = "".join(c for c in text if c in "\n\t" or not (c < " " or c == "\x7f"))
    return unicodedata.normalize("NFC", text)


def clean_column(column: pa.Array, changes: Changes, *, html: bool = True) -> pa.Array:
    """A column of large_string, cleaned, without nulls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count:
        changes.null += column.null_count
        column = pc.fill_null(column, "")
    if html:
        column, changed = _where(column, CANDIDATE, plain)
        changes.html += changed
    for pattern, instead, name in ((_BREAKS, "\n", "breaks"), (_CONTROLS, "", "controls")):
        hit = pc.match_substring_regex(column, pattern)
        if count := pc.sum(hit).as_py() or 0:
            column = pc.replace_substring_regex(column, pattern, instead)
            setattr(changes, name, getattr(changes, name) + count)
    return _composed(column, changes).cast(pa.large_string())


def _composed(column: pa.Array, changes: Changes) -> pa.Array:
    """In NFC, by Python's own tables (pyarrow's way to it takes ten times as long)."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    wrong = {
        i: unicodedata.normalize("NFC", text)
        for i, text in enumerate(column.to_pylist())
        if not unicodedata.is_normalized("NFC", text)
    }
    changes.composed += len(wrong)
    if not wrong:
        return column
    mask = np.zeros(len(column), dtype=bool)
    mask[list(wrong)] = True
    return pc.replace_with_mask(column, mask, pa.array(list(wrong.values()), pa.large_string()))


def _where(column: pa.Array, pattern: str, change: Callable[[str], str]) -> tuple[pa.Array, int]:
    """(the column with `change` made to the cells in which the pattern is found, how many of them it changed)."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    places = np.flatnonzero(pc.match_substring_regex(column, pattern).to_numpy(zero_copy_only=False))
    if not len(places):
        return column, 0
    before = column.take(pa.array(places)).to_pylist()
    after = [change(text) for text in before]
    changed = sum(a != b for a, b in zip(before, after, strict=True))
    if not changed:
        return column, 0
    mask = np.zeros(len(column), dtype=bool)
    mask[places] = True
    return pc.replace_with_mask(column, mask, pa.array(after, pa.large_string())), changed


def as_text(column: pa.Array, file: str, name: str, first: int) -> pa.Array:
    """Any column as large_string, with its nulls: numbers, dates and truth values as in `klero.tables`.

    Args:
        column: of any type.
        file, name, first: the table, the column and the number of the first row, for messages.

    Raises:
        InputError: a cell is not UTF-8, or of a type that is no text.
    """
    import pyarrow as pa
    import pyarrow.types as types

    kind = column.type
    if types.is_dictionary(kind):
        from klero.voices.texts import decoded

        return as_text(decoded(column), file, name, first)
    if types.is_string(kind) or types.is_large_string(kind) or kind == pa.string_view():
        return _valid(column.cast(pa.large_string()), file, name, first)
    if types.is_binary(kind) or types.is_large_binary(kind) or kind == pa.binary_view():
        wide = column.cast(pa.large_binary())  # a slice keeps its offset
        texts = pa.Array.from_buffers(pa.large_string(), len(wide), wide.buffers(), offset=wide.offset)
        return _valid(texts, file, name, first)
    if types.is_integer(kind):
        return column.cast(pa.large_string())
    if types.is_null(kind):
        return pa.nulls(len(column), pa.large_string())
    cells: list[str | None] = []
    for row, value in enumerate(_values(column, file, name, first), start=first):
        text = None if value is None else cell_text(value)
        if value is not None and text is None:
            raise InputError([Fault("cell-type", textless(value), file, row, name)])
        cells.append(text)
    return pa.array(cells, pa.large_string())


def _values(column: pa.Array, file: str, name: str, first: int) -> list[object]:
    """Python's values; dates beyond its years, times of unknown zones and the like have none.

    Raises:
        InputError: names the first that has none.
    """
    import pyarrow as pa

    kind = column.type
    try:
        if pa.types.is_temporal(kind) and getattr(kind, "unit", "") == "ns":  # for which Python has no values
            pair = (kind.tz,) if pa.types.is_timestamp(kind) else ()
            make = pa.timestamp if pair else pa.time64 if pa.types.is_time64(kind) else pa.duration
            column = column.cast(make("us", *pair), safe=False)
        return list(column.to_pylist())
    except (pa.ArrowException, ArithmeticError, LookupError, ValueError) as error:
        row, reason = first, str(error)
        for row, cell in enumerate(column, start=first):  # noqa: B007 - the first that fails is named
            try:
                cell.as_py()
            except (pa.ArrowException, ArithmeticError, LookupError, ValueError) as one:
                reason = str(one)
                break
        message = f"this value of type {kind} can't be written out ({reason}). Correct it, or convert the column to text first."
        raise InputError([Fault("cell-type", message, file, row, name)]) from None


def _valid(column: pa.Array, file: str, name: str, first: int) -> pa.Array:
    import pyarrow as pa

    try:
        column.validate(full=True)
    except (pa.ArrowInvalid, UnicodeError):
        for row, value in enumerate(column.cast(pa.large_binary()).to_pylist(), start=first):
            try:
                (value or b"").decode("utf-8")
            except UnicodeDecodeError as error:
                message = (
                    f"byte 0x{value[error.start]:02X} at place {error.start} of the cell is not UTF-8, so its text can't be known. Write the table "
                    "again as UTF-8."
                )
                raise InputError([Fault("encoding-unreadable", message, file, row, name)]) from None
        raise
    return column


def has_words(column: pa.Array) -> bool:
    """Whether a cell holds anything but digits, marks of numbers and dates, and blanks."""
    import pyarrow.compute as pc

    return bool(pc.any(pc.match_substring_regex(column, _NUMERIC)).as_py())
