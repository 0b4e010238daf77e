"""Which rows does this JSON hold: an object a line (JSONL), or one list of objects?

Nested objects become columns with slashes, as the platforms' own CSV exports write them: ``{"author": {"id": 3}}`` is the column
«author/id». Lists become text with commas. A key that an object lacks is an empty cell: writers of JSON leave out what is empty.

Guaranteed: a line that is no object is named, with its number; nothing is dropped but blank lines. Numbers keep the digits they were written
with. A key that comes twice in one object is an error, since one of its values would be lost.

>>> list(json_rows([b'{"id": 1, "body": {"fr": "Oui"}}\\n', b'\\n'], "a.jsonl"))
[(1, {'id': '1', 'body/fr': 'Oui'})]
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from numbers import Real
from pathlib import Path

from klero._tables_cells import kind_of
from klero.errors import Fault, InputError, quoted

__all__ = ["flat", "half_character", "json_lists", "json_rows", "read_json", "textless"]

JsonRow = dict[str, object]


HALF_CHARACTER = "half a character (a lone surrogate) can't be written to any file. Correct the text."


def half_character(text: str) -> bool:
    """Whether a lone surrogate stands in it, which no encoding has."""
    return not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text)


def textless(value: object) -> str:
    """Why `klero._tables_cells.cell_text` has no text for a value."""
    if isinstance(value, Real | Decimal):
        return (
            "the number is too long to be written out (400 digits and more). Correct it, or give it as text."
        )
    return f"{kind_of(value)} is no text, number, date or truth value. Convert it to text first."


class _TwiceError(Exception):
    """A key comes twice in one object."""


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in record if keys.count(key) > 1))
    return record


def _twice(key: object) -> str:
    return f"the key {quoted(str(key))} comes twice in one object, so it is unclear which value counts. Take one of them out."


def flat(record: dict[str, object], before: str = "") -> JsonRow:
    """An object without depth: keys of objects within it are joined with «/», lists with commas."""
    row: JsonRow = {}
    for key, value in record.items():
        if isinstance(value, dict):
            inner = flat(value, f"{before}{key}/")
            if both := row.keys() & inner.keys():
                raise _TwiceError(min(both))
            row |= inner
            continue
        if before + key in row:
            raise _TwiceError(before + key)
        if isinstance(value, list):
            row[before + key] = ", ".join(
                item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
                for item in value
                if item is not None
            )
        else:
            row[before + key] = value
    return row


def json_rows(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, JsonRow]]:
    """(number of the line, its object) of JSONL.

    Raises:
        InputError: a line is not UTF-8, or no JSON object.
    """
    offset = 0
    for number, raw in enumerate(lines, start=1):
        line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        if line.strip():
            yield number, _object(line, name, number, offset)
        offset += len(raw)


def _object(line: bytes, name: str, number: int, offset: int) -> JsonRow:
    try:
        value = _parsed(line.decode("utf-8"))
        if isinstance(value, dict):
            return flat(value)
    except UnicodeDecodeError as error:
        message = (
            f"byte 0x{line[error.start]:02X} at offset {offset + error.start} of the file is not UTF-8, which JSON always is. "
            "Export it again as UTF-8."
        )
        raise InputError([Fault("encoding-unreadable", message, name, row=number)]) from None
    except _TwiceError as error:
        raise InputError([Fault("json-invalid", _twice(error), name, row=number)]) from None
    except (ValueError, RecursionError) as error:
        message = f"this line is no JSON ({error}). Each line must be one whole object: {{…}}."
        raise InputError([Fault("json-invalid", message, name, row=number)]) from None
    message = "this line is JSON, but no object. Each line must be one whole object: {…}."
    raise InputError([Fault("json-invalid", message, name, row=number)])


def _parsed(text: str) -> object:
    return json.loads(
        text, parse_int=str, parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_once
    )


def _constant(text: str) -> object:
    return None if text == "NaN" else text


def json_lists(data: bytes, name: str) -> list[JsonRow]:
    """The objects of a JSON file that is one list, or one object that holds a single list of objects.

    Raises:
        InputError: it is not UTF-8, no JSON, or holds no list of objects.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"byte 0x{data[error.start]:02X} at offset {error.start} is not UTF-8, which JSON always is. Export it again as UTF-8."
        row = data.count(b"\n", 0, error.start) + 1
        raise InputError([Fault("encoding-unreadable", message, name, row=row)]) from None
    try:
        value = _parsed(text)
    except _TwiceError as error:
        raise InputError([Fault("json-invalid", _twice(error), name)]) from None
    except (ValueError, RecursionError) as error:
        message = (
            f"this is no JSON ({error}). Export it again; a file with one object a line is called .jsonl."
        )
        raise InputError([Fault("json-invalid", message, name)]) from None
    if isinstance(value, dict):
        lists = [v for v in value.values() if isinstance(v, list) and v and isinstance(v[0], dict)]
        value = lists[0] if len(lists) == 1 else value
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        message = 'a table in JSON is a list of objects: [{"id": 1, "text": "…"}, …].'
        raise InputError([Fault("json-invalid", message, name)])
    rows = []
    for number, item in enumerate(value, start=1):
        try:
            rows.append(flat(item))
        except _TwiceError as error:
            raise InputError([Fault("json-invalid", _twice(error), name, row=number)]) from None
    return rows


def read_json(data: bytes, name: str, *, lines: bool) -> list[JsonRow]:
    """All rows of a JSON file, each with every column that any of them has.

    Raises:
        InputError: as `json_rows` and `json_lists`.
    """
    rows = (
        [row for _, row in json_rows(data.splitlines(keepends=True), name)]
        if lines
        else json_lists(data, name)
    )
    columns = dict.fromkeys(key for row in rows for key in row)
    return [{key: row.get(key) for key in columns} for row in rows]


def is_json(path: Path) -> bool:
    """Whether a file of this name holds JSON, lines or not."""
    return path.suffix.lower() in {".json", ".jsonl", ".ndjson"}


def has_lines(path: Path) -> bool:
    """Whether a JSON file of this name holds an object a line."""
    return path.suffix.lower() in {".jsonl", ".ndjson"}
