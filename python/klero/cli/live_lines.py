"""Which contributions are in the bytes that come in, line by line?

A line is a text, or a JSON object with `text` and, if it has them, `id`, `time`, `author`. What can't be read is counted by its reason, told once a
reason, and passed over; what stands after the last
line break when a stream stops is kept: as a contribution if it is text, else it is told.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from klero._tables_json import half_character

__all__ = ["Said", "Tally", "lines_of", "looks_like_header", "read_line"]

LONGEST = 1 << 20  # bytes of a line
# Why a line was passed over.
REASONS = ("utf8", "json", "text", "long", "known", "time", "blank")


# Names of columns in the exports that people have; one of them among short cells makes a first line a header.
_COLUMNS = frozenset(
    (
        "id",
        "text",
        "texte",
        "body",
        "comment",
        "comment-body",
        "commentaire",
        "contribution",
        "author",
        "auteur",
        "date",
        "created_at",
        "title",
        "titre",
    )
)


@dataclass(frozen=True, slots=True)
class Said:
    """A contribution as it came."""

    text: str
    id: str | None = None
    time: str | None = None
    author: str | None = None


@dataclass
class Tally:
    """What became of lines."""

    lines: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    unfinished: list[str] = field(default_factory=list)

    def skip(self, why: str) -> bool:
        """Counts one; whether it is the first for this reason."""
        self.skipped[why] = self.skipped.get(why, 0) + 1
        return self.skipped[why] == 1


def lines_of(buffer: bytearray, more: bytes) -> list[bytes]:
    """The lines that are whole now; `buffer` keeps the rest.

    Of a line that is too long no more is kept than shows that it is, until it ends: no part of it is taken for a line of its own.
    """
    buffer += more
    *whole, rest = bytes(buffer).split(b"\n")
    buffer.clear()
    buffer += rest[: LONGEST + 1]
    return whole


def looks_like_header(line: bytes) -> bool:
    """Whether this is the first line of a table, such as «id,text,author», and no text.

    >>> looks_like_header(b"id,created_at,body"), looks_like_header(b'"id";"Texte"'), looks_like_header(b"Yes, a date, please"), looks_like_header(b"id")
    (True, True, False, False)
    """
    cells = [
        cell.strip().strip('"').lower()
        for cell in re.split("[,;\t]", line.decode("utf-8", "replace").strip("\ufeff"))
    ]
    return len(cells) > 1 and not any(" " in cell for cell in cells) and not _COLUMNS.isdisjoint(cells)


def read_line(line: bytes) -> Said | str:
    """The contribution, or why there is none.

    >>> read_line(b"Plus de bus"), read_line(b'{"text": "Non", "id": 7}'), read_line(b'{"text": 3}'), read_line(b"\\xff")
    (Said(text='Plus de bus', id=None, time=None, author=None), Said(text='Non', id='7', time=None, author=None), 'text', 'utf8')
    """
    if len(line) > LONGEST:
        return "long"
    try:
        text = line.decode("utf-8").strip("\r\n\ufeff")
    except UnicodeDecodeError:
        return "utf8"
    if not text.strip():
        return "blank"
    if not text.lstrip().startswith("{"):
        return Said(text)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return "json"
    said = data.get("text") if isinstance(data, dict) else None
    if not isinstance(said, str):
        return "text"
    fields = [data.get(key) for key in ("id", "time", "author")]
    plain = [
        str(value) if isinstance(value, int) and not isinstance(value, bool) else value for value in fields
    ]
    if not all(value is None or isinstance(value, str) for value in plain):
        return "text"
    if any(value is not None and half_character(value) for value in (said, *plain)):
        return "utf8"  # JSON can name half a character, which UTF-8 can't write
    return Said(said, *plain)
