"""Contributions to test with, and what their tests share."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from klero.errors import Fault, InputError
from klero.voices.contributions import Contributions

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("KLERO_DATA", ROOT.parent / "shared" / "data")) / "voices"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no consultations at {DATA} (set KLERO_DATA)")

ROWS: list[dict[str, object]] = [
    {
        "id": 3,
        "author": "Zoé",
        "created_at": "2019-01-16 10:58:44 +0100",
        "stance": "pour",
        "votes": 2,
        "text": "<p>Oui&nbsp;!</p>",
    },
    {
        "id": 1,
        "author": "Ali",
        "created_at": "2019-01-17",
        "stance": "contre",
        "votes": 0,
        "text": 'Non, «jamais»\net "point"',
    },
    {"id": 2, "author": None, "created_at": None, "stance": None, "votes": None, "text": None},
]
WANTED = [
    ("3", "Oui\u00a0!", "Zoé", dt.datetime(2019, 1, 16, 9, 58, 44, tzinfo=dt.UTC), "for", 2),
    ("1", 'Non, «jamais»\net "point"', "Ali", dt.datetime(2019, 1, 17, tzinfo=dt.UTC), "against", 0),
    ("2", "", None, None, None, None),
]


def faults_of(work: Callable[[], object]) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        work()
    return caught.value.faults


def codes(faults: tuple[Fault, ...]) -> list[tuple[str, int | None]]:
    return [(fault.code, fault.row) for fault in faults]


def tuples(read: Contributions) -> list[tuple[object, ...]]:
    """Rows with ids as text, which is what they are but where the column's type is a whole number."""
    table = read.table.select(["id", "text", "author", "time", "stance", "votes"])
    return [(str(row.pop("id")), *row.values()) for row in table.to_pylist()]


def write_csv(
    path: Path, rows: list[dict[str, object]], encoding: str = "utf-8", separator: str = ","
) -> Path:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))
    return path
