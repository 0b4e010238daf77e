"""Which people does this list name?

A list of ids is given as a sequence of ids, as a table with the column of ids (or no other column), or as a text file with one id a
line (a first line that reads «id», or as the id column, is its heading).

Guaranteed: every id is in the pool, once; every fault is reported with its row. Cost: linear.

>>> parse_ids(["b", 3, "b"], Pool.read([{"id": "b"}, {"id": 3}]), "people who must sit")[0]
('3', 'b')
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path

from klero._tables_cells import cell_text, clean
from klero._tables_csv import read_csv
from klero.errors import Fault, InputError, quoted
from klero.sortition.pool import Pool, closest, parse_pool
from klero.tables import TableSource, read_table

__all__ = ["IdList", "named_ids", "parse_ids"]

IdList = Sequence[str | int] | TableSource

_TEXT_FILES = frozenset(("", ".csv", ".tsv", ".txt"))
_SUGGESTIONS = 5

Named = list[tuple[str, int | None]]


def parse_ids(source: IdList, pool: Pool, what: str) -> tuple[tuple[str, ...], list[Fault]]:
    """The ids of a list, each once, by code point, and its faults.

    Args:
        source: ids, a table, or a path. A string is a path.
        pool: the people.
        what: what the list holds, in words for messages: «people who must sit».
    """
    try:
        named, name, column = named_ids(source, what, pool.id_column)
    except InputError as error:
        return (), list(error.faults)
    known = frozenset(pool.ids)
    first: dict[str, int | None] = {}
    faults: list[Fault] = []
    for person, row in named:
        if person in first:
            where = f" (first in row {first[person]})" if first[person] else ""
            message = f"{quoted(person)} is named twice{where} among the {what}. Delete one, or correct it if somebody else is meant."
            faults.append(Fault("list-duplicate", message, name, row, column, person))
            continue
        first[person] = row
        if person not in known:
            hint = closest(person, pool.ids) if len(faults) < _SUGGESTIONS else ""
            message = f"nobody in {pool.name} has the id {quoted(person)}, which is named among the {what}.{hint} Correct or delete it."
            faults.append(Fault("person-unknown", message, name, row, column, person))
    return tuple(sorted(person for person in first if person in known)), faults


def named_ids(source: IdList, what: str, id_column: str = "") -> tuple[Named, str, str | None]:
    """The ids of a list as they stand there, with their rows; what messages call the list; the column they come from.

    Args:
        source: ids, a table, or a path. A string is a path.
        what: what the list holds, in words for messages.
        id_column: how the column of ids may be called beside «id».

    Raises:
        InputError: the list can't be read, or one of its ids is empty or can't be printed.
    """
    if isinstance(source, str | PathLike):
        path = Path(source)
        if path.suffix.lower() in _TEXT_FILES and path.is_file():
            records = read_csv(path.read_bytes(), path.name)
            if all(len(cells) == 1 for _, cells in records):
                return list(_lines(records, id_column)), path.name, None
        return _from_table(source, id_column, None)
    if isinstance(source, Sequence) and not any(isinstance(item, Mapping) for item in source):
        texts = [cell_text(item) for item in source]
        wrong = [item for item, text in zip(source, texts, strict=True) if not text]
        if wrong:
            message = f"{wrong[0]!r} among the {what} is no id. Give ids as text or whole numbers."
            raise InputError([Fault("source-type", message, what)])
        return [(clean(text or ""), None) for text in texts], what, None
    return _from_table(source, id_column, what)  # type: ignore[arg-type]


def _lines(records: list[tuple[int, list[str]]], id_column: str) -> Iterator[tuple[str, int | None]]:
    for number, (row, cells) in enumerate(records):
        text = clean(cells[0])
        heading = number == 0 and (text.casefold() == "id" or text == id_column)
        if text and not heading:
            yield text, row


def _from_table(source: TableSource, id_column: str, name: str | None) -> tuple[Named, str, str | None]:
    table = read_table(source, name=name)
    wanted = id_column if id_column in table.columns else None
    if wanted is None and len(table.columns) == 1:
        wanted = table.columns[0]
    listed, faults = parse_pool(table, wanted)
    faults = [fault for fault in faults if fault.code != "id-duplicate"]  # told in the list's own words
    if not listed.id_column and not faults:
        there = ", ".join(map(quoted, table.columns))
        message = f"a column of ids is needed, «{id_column or 'id'}» or «id». The columns are: {there}."
        faults.append(Fault("id-column-missing", message, table.name))
    if faults:
        raise InputError(faults)
    return list(zip(listed.ids, listed.row_numbers, strict=True)), table.name, listed.id_column
