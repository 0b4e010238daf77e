"""What is wrong with the ids of these rows, and which columns would tell rows of one id apart?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from klero._tables_batches import Source
from klero.errors import Fault, quoted
from klero.voices.exports import Columns, as_option, listed

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Apart", "apart_from", "duplicate_fault", "id_faults"]

_NAMED = 3
_MOST_FAULTS = 1000
_COMPARED = 100_000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def apart_from(source: Source, columns: Columns) -> list[str]:
    """The columns that could stand in an id beside its own; none where that is one of several alternatives."""
    if len(columns.roles["id"]) > 1:
        return []
    used = {name for role in ("id", "text") for part in columns.roles[role] for name in part}
    return [
        name for name in source.columns if name not in used and '"' not in name
    ]  # which `--id` has no spelling for


class Apart:
    """Which columns tell rows of one id apart; texts do, but are no part of an id."""

    def __init__(self, names: Sequence[str]) -> None:
        self._seen: dict[str, set[int]] = {name: set() for name in names}
        self._rows = 0

    def add(self, text: str, others: dict[str, pa.Array], place: int) -> None:
        """A row whose id is there twice. After many of them the answer stands as it is."""
        self._rows += 1
        if self._rows > _COMPARED:
            return
        for name in list(self._seen):
            one = hash((text, str(others[name][place])))
            if one in self._seen[name]:
                del self._seen[name]
            else:
                self._seen[name].add(one)

    def columns(self) -> list[str]:
        """Those in which no two rows of one id were equal."""
        return list(self._seen)


def id_faults(ids: list[str], numbers: NDArray[np.int64], file: str, column: str, before: int) -> list[Fault]:
    """Ids that are missing or hold control characters; no more than a thousand with those `before`."""
    faults = []
    for place, text in enumerate(ids):
        if text and text.isprintable():
            continue
        if not text:
            message = "this contribution has no id, so nobody could say what became of it. Fill it, or number the rows: --map 'id='."
            faults.append(Fault("id-empty", message, file, int(numbers[place]), column))
        elif _CONTROL.search(text):
            message = "the id holds a control character, a line break for instance. Take it out."
            faults.append(Fault("id-control", message, file, int(numbers[place]), column, text))
    return faults[: max(0, _MOST_FAULTS - before)]


def duplicate_fault(rows: dict[str, list[int]], file: str, columns: Columns, apart: list[str]) -> Fault:
    """All ids that are there twice, in one line, and what would tell their rows apart."""
    column = columns.spelled()["id"]
    shown = []
    for text, places in list(rows.items())[:_NAMED]:
        where = ", ".join(map(str, places[:3])) + (", …" if len(places) > 3 else "")
        shown.append(f"{quoted(text)} (rows {where})")
    more = f" and {len(rows) - _NAMED:,} more" if len(rows) > _NAMED else ""
    what = "1 id is" if len(rows) == 1 else f"{len(rows):,} ids are"
    ways = ["Correct the table"]
    if apart:
        names = [name for part in columns.roles["id"] for name in part]
        ways.append(
            f"take the id together with a column that tells its rows apart, {listed(apart, 3)} (--id {as_option([*names, apart[0]])})"
        )
    ways.append("or number the rows: --map 'id='")
    message = f"{what} there more than once: {', '.join(shown)}{more}. A result about one would be about no row in particular. {', '.join(ways)}."
    first, places = next(iter(rows.items()))
    return Fault("id-duplicate", message, file, places[1], column, first)
