"""Which contributions did somebody say belong together, or apart?

A table of two columns, each row two ids. Guaranteed: every id is that of a contribution that can be grouped; every fault is reported with its row.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike

from klero.errors import Fault, InputError, quoted
from klero.tables import read_table

__all__ = ["read_pairs"]

_MOST_FAULTS = 1000


def read_pairs(
    source: str | PathLike[str], rows: Mapping[str, int], wordless: frozenset[str], what: str
) -> list[tuple[int, int]]:
    """The pairs as numbers of rows.

    Args:
        source: a table with two columns, whatever they are called.
        rows: the row of each id that can be grouped.
        wordless: the ids of contributions without a word.
        what: what the pairs are, in words for messages: «must be together».

    Raises:
        InputError: with every fault of the table.
    """
    table = read_table(source, called="pairs of ids")
    if len(table.columns) != 2:
        many = len(table.columns)
        message = (
            f"there {'is 1 column' if many == 1 else f'are {many} columns'}, and pairs of contributions that {what} need two: an id in each. "
            f"{'Add the second one' if many == 1 else 'Leave out the others'}, with a comma between the two ids of a row."
        )
        raise InputError([Fault("pairs-columns", message, table.name)])
    if all(name in rows for name in table.columns):
        message = (
            f"the first row, {quoted(table.columns[0])} and {quoted(table.columns[1])}, is a pair of ids where the names of the columns should stand, and "
            "would be passed over. Put a row of names above it, such as: a,b"
        )
        raise InputError([Fault("pairs-columns", message, table.name, 1)])
    faults: list[Fault] = []
    pairs: list[tuple[int, int]] = []
    for number, *names in zip(table.row_numbers, *table.data, strict=True):
        wrong = [
            fault
            for column, name in zip(table.columns, names, strict=True)
            if (fault := _fault(name, rows, wordless, table.name, number, column, what))
        ]
        if not wrong and names[0] == names[1]:
            message = f"{quoted(names[0])} is paired with itself. Give two different ids, or delete the row."
            wrong = [Fault("pairs-self", message, table.name, number, table.columns[1], names[1])]
        if wrong:
            faults += wrong
        else:
            pairs.append((rows[names[0]], rows[names[1]]))
    if faults:
        raise InputError(faults[:_MOST_FAULTS])
    return pairs


def _fault(
    name: str,
    rows: Mapping[str, int],
    wordless: frozenset[str],
    file: str,
    row: int,
    column: str,
    what: str,
) -> Fault | None:
    if name in rows:
        return None
    if name in wordless:
        message = f"the contribution {quoted(name)} has no word in it and is in no group, so it can't be one of two that {what}. Delete the row."
        return Fault("pairs-wordless", message, file, row, column, name)
    message = f"no contribution has the id {quoted(name)}, which is named among those that {what}. Correct or delete the row."
    return Fault("id-unknown", message, file, row, column, name)
