"""Which characters, which separator, which rows does this text file hold?

Method. A byte order mark decides. Without one, NUL bytes on one side of each pair mean UTF-16; otherwise
valid UTF-8 is UTF-8, and the rest is Windows-1252 (of which Latin-1's letters are a part). A guess that could
garble a name is refused:

* bytes that Windows-1252 leaves undefined, NULs and other control characters;
* a file that is UTF-8 in most places with some stray bytes (two files pasted together, or a cut-off copy).
  Either reading would garble some names, so the first bad byte is named instead.

The separator is the one of comma, semicolon and tab that cuts the header into the most cells, among those
that cut the first rows alike; quotes are respected. A first line ``sep=;``, as Excel writes it, is obeyed.

Guaranteed: a file in UTF-8 or UTF-16 is read exactly. Not guaranteed: a file in another 8-bit encoding
(MacRoman, cp850, Latin-2) that uses no undefined byte is read as Windows-1252; the quotas' values then mostly
fail to match.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice

from klero.errors import Fault, InputError

__all__ = ["Record", "read_csv", "title_above"]

Record = tuple[int, list[str]]
"""The line where a row begins, and its cells."""

_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_SEPARATORS = (",", ";", "\t")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SEP_LINE = re.compile(r"sep=([,;\t])(\r\n|\n|\r)", re.IGNORECASE)
_TOP = 10
"""Rows in which headings are looked for below a title."""
_SAVE_AS = "Save it again as «CSV UTF-8», or as .xlsx."


def read_csv(data: bytes, name: str) -> list[Record]:
    """The rows of a CSV file, blank lines left out.

    Raises:
        InputError: the encoding can't be told, or quotes don't match.
    """
    text = _decode(data, name)
    skipped = 0
    separator = None
    if announced := _SEP_LINE.match(text):
        separator = announced[1]
        text = text[announced.end() :]
        skipped = 1
    return _records(text, separator or _separator(text), name, skipped)


def _decode(data: bytes, name: str) -> str:
    if data.startswith(b"PK\x03\x04"):
        raise _unreadable(name, None, "this is an Excel file or a zip archive, not text. Rename it to .xlsx.")
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _checked(_strictly(data[len(bom) :], encoding, name), name)
    if (utf16 := _utf16_without_bom(data)) is not None:
        return _checked(_strictly(data, utf16, name), name)
    try:
        return _checked(data.decode("utf-8"), name)
    except UnicodeDecodeError as error:
        if _mostly_utf8(data):
            raise _stray_byte(data, error.start, name, "the rest of the file is UTF-8") from None
    try:
        return _checked(data.decode("cp1252"), name)
    except UnicodeDecodeError as error:
        what = "the file is neither UTF-8, UTF-16 nor Windows-1252"
        raise _stray_byte(data, error.start, name, what) from None


def _strictly(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(encoding, "replace")
        what = f"the file says that it is {encoding[:6].upper().rstrip('-')}, and this row is not."
        raise _unreadable(name, _line_of(before), f"{what} {_SAVE_AS}") from None


def _utf16_without_bom(data: bytes) -> str | None:
    """UTF-16 shows in its NUL bytes, on one side of each pair, and in its line ends, which are pairs.

    The line ends matter: one stray NUL in a text of single bytes must not turn all of it into Chinese.
    """
    if len(data) % 2 or b"\0" not in data:
        return None
    even, odd = data[0::2].count(0), data[1::2].count(0)
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    if max(even, odd) < 20 * min(even, odd):
        return None
    text = data.decode(encoding, "replace")
    ends = text.count("\n") + text.count("\r")
    return encoding if ends and 2 * ends >= data.count(b"\n") + data.count(b"\r") else None


def _mostly_utf8(data: bytes) -> bool:
    """Whether a file with invalid UTF-8 was meant as UTF-8.

    Sequences that begin with C2, C3 or E2 80 are «Â», «Ã» and «â€» with a symbol in Windows-1252, which no
    text holds; for other sequences, which a Windows-1252 text may hold by accident («É»), the majority
    decides.
    """
    lenient = data.decode("utf-8", "surrogateescape")
    good = bad = 0
    for char in lenient:
        if char < "\x80":
            continue
        if "\udc80" <= char <= "\udcff":
            bad += 1
        elif char <= "\xff" or "\u2000" <= char <= "\u203f":
            return True
        else:
            good += 1
    return good >= bad


def _checked(text: str, name: str) -> str:
    if found := _CONTROL.search(text):
        what = f"there is a control character (U+{ord(found[0]):04X}), which a table of text never holds."
        raise _unreadable(name, _line_of(text[: found.start()]), f"{what} {_SAVE_AS}")
    return text


def _stray_byte(data: bytes, position: int, name: str, what: str) -> InputError:
    line = _line_of(data[:position].decode("latin-1"))
    message = (
        f"byte 0x{data[position]:02X} can't be read ({what}), and a guess could garble a name. {_SAVE_AS}"
    )
    return _unreadable(name, line, message)


def _unreadable(name: str, line: int | None, message: str) -> InputError:
    return InputError([Fault("encoding-unreadable", message, name, row=line)])


def _line_of(before: str) -> int:
    return 1 + len(re.findall(r"\r\n|\n|\r", before))


def _lines(text: str) -> Iterator[str]:
    return iter(io.StringIO(text, newline=""))


def _separator(text: str) -> str:
    best, best_key = ",", (0, 0)
    for separator in _SEPARATORS:
        try:
            rows = [row for row in islice(csv.reader(_lines(text), delimiter=separator), 50) if any(row)][:20]
        except csv.Error:  # said properly by the strict reading that follows
            continue
        width = len(rows[0]) if rows else 1
        if width > 1:
            alike = sum(len(row) == width for row in rows)
            best, best_key = max((best, best_key), (separator, (alike, width)), key=lambda pair: pair[1])
    return best


def _records(text: str, separator: str, name: str, skipped: int) -> list[Record]:
    reader = csv.reader(_lines(text), delimiter=separator, strict=True)
    records: list[Record] = []
    start = 1 + skipped
    try:
        for cells in reader:
            if any(map(str.strip, cells)):
                records.append((start, cells))
            start = reader.line_num + 1 + skipped
    except csv.Error:
        message = (
            "the quotes don't match in the row that begins here, so nothing from here on can be read. A cell "
            "with a separator, a line break or quotes needs quotes around it, and quotes inside it are "
            'doubled: "Jo ""J"" Doe".'
        )
        raise InputError([Fault("csv-malformed", message, name, row=start)]) from None
    return records


def title_above(records: Sequence[Record]) -> str:
    """What to say where a title seems to stand above the headings; '' where none does.

    A title is one cell alone in the first row, with empty ones beside it or an empty row below it. The headings are the next row of words, all different,
    without digits: two with an empty row before, else three.
    """
    if not records or sum(bool(cell.strip()) for cell in records[0][1]) != 1:
        return ""
    first, width = records[0][0], len(records[0][1])
    for number, cells in records[1:_TOP]:
        filled = [cell.strip() for cell in cells if cell.strip()]
        apart = number > first + 1
        wordy = all(not any(char.isdigit() for char in cell) for cell in filled)
        if wordy and len(filled) == len(set(filled)) >= (2 if apart else 3) and (apart or width > 1):
            return (
                f"this row holds one cell, as a title does, and the headings seem to stand in row {number}. The first row must hold the names of the "
                "columns: delete the rows above them, and save the file again."
            )
    return ""
