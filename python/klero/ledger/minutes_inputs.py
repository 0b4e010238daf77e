"""What the minutes are told beside the record: who was present, and who was excluded before it for which reason."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from klero._files import read_file
from klero.errors import Fault, InputError
from klero.tables import Table, TableSource, read_table

__all__ = ["read_exclusions", "read_present"]

_REASON = ("reason", "motif")
_COUNT = ("count", "nombre")
_LARGEST = 1 << 20


def read_present(entries: Iterable[str]) -> list[tuple[str, str]]:
    """(name, role) of those present. An entry is «Name, role» (the comma must be there), or the path of a text file with such a line for each.

    Raises:
        InputError: a file can't be read as text, a line has no name, or an entry has no comma and is no file.
    """
    present, faults = [], []
    for entry in entries:
        lines, name = [entry], ""
        # Not pathlib: a long entry is too long a name, which os.path answers with False.
        if os.path.isfile(entry):  # noqa: PTH113
            name = Path(entry).name
            data = read_file(entry, _LARGEST)
            try:
                lines = data.decode("utf-8-sig").splitlines()
            except UnicodeDecodeError:
                faults.append(Fault("present-invalid", "it is no text in UTF-8; save it so", name))
                continue
        for row, line in enumerate(lines, 1):
            if name and not line.strip():
                continue
            who, comma, role = (part.strip() for part in line.partition(","))
            if not name and not comma:
                message = (
                    "there is no file of this name, and a person is written «Name, role» (without a role: «Name,»). "
                    "Check the file's name, or add the comma"
                )
                faults.append(Fault("present-invalid", message, "", value=line))
            elif not who:
                message = "there is no name before the comma; write «Name, role»"
                faults.append(Fault("present-invalid", message, name, row=row if name else None, value=line))
            present.append((who, role))
    if faults:
        raise InputError(faults)
    return present


def read_exclusions(source: TableSource) -> list[tuple[str, int]]:
    """(reason, people) of a table with the columns «reason» (or «motif») and «count» (or «nombre»), in its order.

    Raises:
        InputError: with every fault.
    """
    table = read_table(source, called="exclusions")
    names = {column.strip().casefold(): column for column in table.columns}
    chosen = [next((names[n] for n in wanted if n in names), None) for wanted in (_REASON, _COUNT)]
    faults = [
        Fault("exclusions-invalid", f"there is no column «{wanted[0]}» (or «{wanted[1]}»)", table.name)
        for wanted, column in zip((_REASON, _COUNT), chosen, strict=True)
        if column is None
    ]
    if chosen[0] is None or chosen[1] is None:
        raise InputError(faults)
    return _rows(table, chosen[0], chosen[1])


def _rows(table: Table, reason: str, count: str) -> list[tuple[str, int]]:
    found, faults = [], []
    for row, why, people in zip(table.row_numbers, table.column(reason), table.column(count), strict=True):
        text = people.strip()
        if not why.strip():
            message = "there is no reason; say why these people were left out"
            faults.append(Fault("exclusions-invalid", message, table.name, row=row, column=reason, value=why))
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            message = "this is no whole number of people"
            faults.append(
                Fault("exclusions-invalid", message, table.name, row=row, column=count, value=people)
            )
        elif why.strip():
            found.append((why.strip(), int(text)))
    if faults:
        raise InputError(faults)
    return found
