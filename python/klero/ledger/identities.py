"""Who are these people, beside their ids?

A table with the ids of the pool and columns such as `name` and `birth` becomes what a record's sealed tier and each person's receipt say of who they
are (IDENTITY of `docs/audit/protocol.md`). A receipt that carries the person's own name can't be given to two people; an id of the organiser's can.

Guaranteed: everybody of the pool is in it once. People who are not in the pool are passed over; an empty cell gives no field. Nothing of it is public.
Cost: one pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from unicodedata import normalize

from klero.errors import Fault, InputError, quoted
from klero.sortition.pool import parse_pool
from klero.tables import TableSource, read_table

__all__ = ["read_identities"]

_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_MOST_TEXT = 1000


def read_identities(
    source: TableSource, people: Sequence[str], id_column: str = ""
) -> tuple[list[dict[str, str]], list[Fault]]:
    """(the identity of each of these people, in their order; what is wrong with the table).

    Args:
        source: the table, as for :func:`klero.tables.read_table`.
        people: the ids of the pool.
        id_column: the name of the column of ids; '' or a name that the table has not: the column called «id».
    """
    try:
        table = read_table(source, called="identities")
    except InputError as error:
        return [], list(error.faults)
    wanted = id_column if id_column in table.columns else None
    pool, faults = parse_pool(table, wanted)
    if faults:
        return [], faults
    if not pool.id_column:
        message = (
            "the table of identities needs the column of ids, called as in the table of people, or «id»."
        )
        return [], [Fault("identity-column", message, table.name)]
    fields = [column for column in table.columns if column != pool.id_column]
    faults = [_column_fault(field, table.name) for field in fields if _unfit(field)]
    if not fields:
        message = (
            "there is no column beside the ids, such as name or birth, so it says nothing of who people are."
        )
        faults.append(Fault("identity-column", message, table.name))
    if faults:
        return [], faults
    columns = [table.column(field) for field in fields]
    place = {normalize("NFC", person): i for i, person in enumerate(pool.ids)}
    found = []
    for person in people:
        i = place.get(normalize("NFC", person))
        if i is None:
            message = f"{quoted(person)} of the pool is not in the table of identities. Everybody must be."
            faults.append(Fault("identity-missing", message, table.name, value=person))
            continue
        identity = {"id": person}
        for field, cells in zip(fields, columns, strict=True):
            text = normalize("NFC", cells[i]).strip()
            if len(text) > _MOST_TEXT or not text.isprintable():
                message = f"this must be one line of text, {_MOST_TEXT} characters at most."
                row = table.row_numbers[i]
                faults.append(
                    Fault("identity-text", message, table.name, row=row, column=field, value=text[:60])
                )
            elif text:
                identity[field] = text
        if len(identity) == 1:
            message = f"nothing is said of {quoted(person)} but the id."
            faults.append(
                Fault("identity-missing", message, table.name, row=table.row_numbers[i], value=person)
            )
        found.append(identity)
    return found, faults


def _unfit(field: str) -> bool:
    return field == "id" or not _FIELD.fullmatch(field)


def _column_fault(field: str, table: str) -> Fault:
    message = (
        "the column is called id and is not the one of ids. Rename it."
        if field == "id"
        else "a heading of identities is one word of ASCII letters, digits, «-» and «_», such as name or birth_date. Rename the column, or take it out."
    )
    return Fault("identity-column", message, table, column=field)
