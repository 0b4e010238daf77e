"""Lists of people for a seating plan: groups that sit apart or together, and who is absent when.

A file of groups has one group a line, an id in each cell; a first line is its heading if it begins with «id», «person», «first»,
their French, or the name of the id column. A table of absences has a column of ids and a column «session» with one number or
several. Every id must be in the pool; every fault is told with its row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from numbers import Integral
from os import PathLike
from pathlib import Path

from klero._tables_cells import cell_text, clean, folded
from klero._tables_csv import read_csv
from klero.errors import Fault, InputError, quoted
from klero.sortition.pool import Pool, closest, parse_pool
from klero.tables import TableSource, read_table

__all__ = ["AbsenceList", "GroupList", "parse_absences", "parse_groups"]

GroupList = Sequence[Sequence[str | int]] | TableSource
AbsenceList = Mapping[str, int | Sequence[int]] | Sequence[tuple[str | int, int]] | TableSource

_HEADING = re.compile(r"(ids?|person|people|personne|member|membre|first|premiere?|a)[ _]?[1a]?")
_SESSION = frozenset(("session", "sessions", "seance", "seances"))
_TEXT_FILES = frozenset(("", ".csv", ".tsv", ".txt"))
_SUGGESTIONS = 5

Row = tuple[int | None, list[str]]


def parse_groups(source: GroupList, pool: Pool, what: str) -> tuple[list[tuple[str, ...]], list[Fault]]:
    """The groups of a list that could be read, and its faults. `what` says in words what the list holds."""
    try:
        name, rows = _group_rows(source, pool, what)
    except InputError as error:
        return [], list(error.faults)
    known = frozenset(pool.ids)
    groups: list[tuple[str, ...]] = []
    faults: list[Fault] = []
    for row, cells in rows:
        ids = [cell for cell in map(clean, cells) if cell]
        unknown = [person for person in dict.fromkeys(ids) if person not in known]
        for person in unknown:
            hint = closest(person, pool.ids) if len(faults) < _SUGGESTIONS else ""
            message = f"nobody in {pool.name} has the id {quoted(person)}, which is named among the {what}.{hint} Correct or delete it."
            faults.append(Fault("person-unknown", message, name, row, value=person))
        for person in sorted({person for person in ids if ids.count(person) > 1}):
            message = f"{quoted(person)} is named twice in one group of {what}. Correct it if somebody else is meant."
            faults.append(Fault("list-duplicate", message, name, row, value=person))
        if len(ids) < 2:
            message = f"a group of {what} needs two ids or more, each in a cell of its own."
            faults.append(Fault("group-too-small", message, name, row))
        groups.append(tuple(dict.fromkeys(person for person in ids if person in known)))
    return groups, faults


def parse_absences(
    source: AbsenceList, pool: Pool, sessions: int
) -> tuple[list[tuple[str, int]], list[Fault]]:
    """(person, session from 1) of each absence that could be read, and the faults."""
    try:
        name, rows = _absence_rows(source, pool)
    except InputError as error:
        return [], list(error.faults)
    known = frozenset(pool.ids)
    absences: dict[tuple[str, int], None] = {}
    faults: list[Fault] = []
    for row, (person, text) in rows:
        if person not in known:
            hint = closest(person, pool.ids) if len(faults) < _SUGGESTIONS else ""
            message = f"nobody in {pool.name} has the id {quoted(person)}, who is named as absent.{hint} Correct or delete it."
            faults.append(Fault("person-unknown", message, name, row, value=person))
        parts = [part for part in re.split(r"[\s,;]+", text) if part]
        if not parts:
            message = f"it is not said in which session {quoted(person)} is absent. Write its number."
            faults.append(Fault("session-unknown", message, name, row))
        for part in parts:
            if re.fullmatch(r"[0-9]{1,4}", part) and 1 <= int(part) <= sessions:
                absences[person, int(part)] = None
            else:
                message = f"{quoted(part)} is no session. Write numbers from 1 to {sessions}."
                faults.append(Fault("session-unknown", message, name, row, value=part))
    return [(person, session) for person, session in absences if person in known], faults


def _group_rows(source: GroupList, pool: Pool, what: str) -> tuple[str, list[Row]]:
    if isinstance(source, str | PathLike):
        path = Path(source)
        if path.suffix.lower() in _TEXT_FILES and path.is_file():
            rows: list[Row] = [(row, cells) for row, cells in read_csv(path.read_bytes(), path.name)]
            if rows and _is_heading(rows[0][1], pool):
                del rows[0]
            return path.name, rows
    elif isinstance(source, Sequence) and not any(isinstance(group, Mapping) for group in source):
        return what, [(None, _texts(group, what)) for group in source]
    table = read_table(source, called=what)  # type: ignore[arg-type]
    cells = zip(table.row_numbers, zip(*table.data, strict=True), strict=True)
    return table.name, [(row, list(line)) for row, line in cells]


def _is_heading(cells: list[str], pool: Pool) -> bool:
    first = clean(cells[0]) if cells else ""
    return first not in pool.ids and (first == pool.id_column or bool(_HEADING.fullmatch(folded(first))))


def _texts(group: object, what: str) -> list[str]:
    if isinstance(group, str) or not isinstance(group, Sequence | set | frozenset):
        message = f"{group!r} among the {what} is no group. Give lists of ids, such as [['P1', 'P2']]."
        raise InputError([Fault("source-type", message, what)])
    return [cell_text(person) or "" for person in group]


def _absence_rows(
    source: AbsenceList, pool: Pool
) -> tuple[str, Iterator[tuple[int | None, tuple[str, str]]]]:
    name = "absences"
    if isinstance(source, Mapping):
        pairs = [(person, when if isinstance(when, Sequence) else [when]) for person, when in source.items()]
        return name, iter(
            [(None, (clean(cell_text(p) or ""), " ".join(map(str, when)))) for p, when in pairs]
        )
    if (
        isinstance(source, Sequence)
        and not isinstance(source, str | PathLike)
        and not any(isinstance(x, Mapping) for x in source)
    ):
        return name, iter([(None, _absence(item)) for item in source])
    table = read_table(source, called=name)  # type: ignore[arg-type]
    listed, faults = parse_pool(table, pool.id_column if pool.id_column in table.columns else None)
    when = next((column for column in table.columns if folded(column) in _SESSION), None)
    faults = [fault for fault in faults if fault.code != "id-duplicate"]  # a person may be absent twice
    if when is None or not listed.id_column:
        there = ", ".join(map(quoted, table.columns))
        message = f"a column of ids («{pool.id_column or 'id'}») and a column «session» are needed. The columns are: {there}."
        faults.append(Fault("absent-column-missing", message, table.name))
    if faults or when is None:
        raise InputError(faults)
    return table.name, zip(table.row_numbers, zip(listed.ids, table.column(when), strict=True), strict=True)


def _absence(item: object) -> tuple[str, str]:
    match item:
        case (person, int(session)) if isinstance(person, str | Integral):
            return clean(cell_text(person) or ""), str(session)
    message = f"{item!r} among the absences is no pair of a person's id and a session's number."
    raise InputError([Fault("source-type", message, "absences")])
