"""Ids on the command line: «P001,P017», or a table with a column of ids."""

from __future__ import annotations

from os.path import isfile

from klero.errors import Fault, InputError, quoted

_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".parquet")


def names_a_table(text: str) -> bool:
    """Whether a text is the name of a table rather than what it would hold."""
    # Not pathlib: a long list of ids is too long a name, which isfile answers with False.
    return text.lower().endswith(_SUFFIXES) or isfile(text)  # noqa: PTH113


def read_ids(text: str, option: str) -> list[str]:
    """The ids that an option names.

    A text that is the name of a file is read as a table: its column «id», or its only column. Anything else is a list of
    ids with commas between them.

    Raises:
        InputError: the file can't be used, or a place in the list is empty.
    """
    if names_a_table(text):
        return _from_table(text)
    ids = [part.strip() for part in text.split(",")]
    if not all(ids):
        message = f"{option} {quoted(text)} has an empty place. Write ids with commas between them, or the name of a table with a column 'id'."
        raise InputError([Fault("id-empty", message, "", value=text)])
    return ids


def _from_table(path: str) -> list[str]:
    from klero.tables import read_table

    table = read_table(path)
    named = [column for column in table.columns if column.casefold() == "id"]
    column = named[0] if named else table.columns[0]
    if len(named) != 1 and len(table.columns) != 1:
        message = "there is no single column 'id', and it has several columns. Call the column of ids 'id'."
        raise InputError([Fault("id-column-missing", message, table.name)])
    cells = table.column(column)
    faults = [
        Fault("id-empty", "this row has no id. Fill it in or delete the row.", table.name, row, column)
        for cell, row in zip(cells, table.row_numbers, strict=True)
        if not cell
    ]
    if faults:
        raise InputError(faults)
    return list(cells)
