"""Who could be drawn, and how is each person told from the others?

A pool is a table of people with one row for each. The id column, if there is one, is what transcripts,
results and checks call a person; without one, people are numbered 1, 2, … in the order of the rows.

Guaranteed: ids are there, and no two are equal. Not guaranteed without an id column: that a person keeps the
same number when the rows are sorted or filtered. A record that must hold for years needs an id column.

>>> Pool.read([{"id": "a1", "gender": "woman"}, {"id": "a2", "gender": "man"}])
<Pool 'people': 2 people, id column 'id', columns 'id', 'gender'>
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING

from klero._tables_cells import clean, folded
from klero.errors import Fault, InputError, quoted
from klero.tables import Table, TableSource, error_cell_faults, read_table

if TYPE_CHECKING:
    from klero.sortition.bins import Bins

__all__ = ["Pool", "closest", "parse_pool"]

_HTML_ROWS = 10


@dataclass(frozen=True)
class Pool:
    """The people who could be drawn.

    Attributes:
        ids: one for each person, in the order of the table, all different.
        id_column: the column they come from; '' if they are row numbers.
        table: all that the table says.
        bins: the columns that hold bands instead of numbers, with the edges between bands.
    """

    ids: tuple[str, ...]
    id_column: str
    table: Table
    bins: tuple[tuple[str, tuple[Decimal, ...]], ...] = ()

    @classmethod
    def read(
        cls,
        source: TableSource,
        id: str | None = None,  # noqa: A002 (the word of the people who use it)
        *,
        name: str | None = None,
    ) -> Pool:
        """Read people from a file, an Arrow stream or a list of mappings.

        Args:
            source: see :func:`klero.tables.read_table`.
            id: the id column; by default the column called «id», in any case, and else the rows are numbered.
            name: what messages call the table.

        Raises:
            InputError: with every fault of the table.
        """
        table = read_table(source, name=name, called="people")
        pool, faults = parse_pool(table, id)
        if faults:
            raise InputError(faults)
        return pool

    def with_bins(self, bins: Bins) -> Pool:
        """The same people, with bands such as «16-24» and «65+» instead of the numbers in some columns.

        Args:
            bins: for each column, edges that rise: ``{"age": [16, 25, 40, 65]}``. See :mod:`klero.sortition.bins`.

        Raises:
            InputError: with every cell that is no number, every column that is not there and every edge that is wrong.
        """
        from klero.sortition.bins import binned

        pool, faults = binned(self, bins)
        if faults:
            raise InputError(faults)
        return pool

    def only(self, people: Iterable[str]) -> Pool:
        """The pool of these people alone, in the order of the table; other ids are ignored."""
        wanted = frozenset(people)
        kept = [i for i, person in enumerate(self.ids) if person in wanted]

        def at(items: Sequence[str]) -> tuple[str, ...]:
            return tuple(items[i] for i in kept)

        rows = tuple(self.row_numbers[i] for i in kept)
        table = Table(self.name, self.columns, tuple(map(at, self.table.data)), rows)
        return replace(self, ids=at(self.ids), table=table)

    @property
    def name(self) -> str:
        """What messages call the table."""
        return self.table.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return self.table.columns

    @property
    def row_numbers(self) -> tuple[int, ...]:
        """The row of each person, as a spreadsheet shows it."""
        return self.table.row_numbers

    def column(self, name: str) -> tuple[str, ...]:
        """What each person has in a column. Raises KeyError if there is no such column."""
        return self.table.column(name)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        ids = f"id column {quoted(self.id_column)}" if self.id_column else "ids are row numbers"
        people = "1 person" if len(self) == 1 else f"{len(self)} people"
        return f"<Pool {quoted(self.name)}: {people}, {ids}, columns {', '.join(map(quoted, self.columns))}>"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(label)}</th>" for label in self.columns)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(column[i])}</td>" for column in self.table.data) + "</tr>"
            for i in range(min(len(self), _HTML_ROWS))
        )
        more = f", the first {_HTML_ROWS} shown" if len(self) > _HTML_ROWS else ""
        caption = f"{escape(self.name)}: {len(self)} people{more}"
        parts = (f"<caption>{caption}</caption>", f"<thead><tr>{head}</tr></thead>", f"<tbody>{rows}</tbody>")
        return f"<table>{''.join(parts)}</table>"


def parse_pool(table: Table, id: str | None = None) -> tuple[Pool, list[Fault]]:  # noqa: A002
    """A pool and the faults of its ids. With faults, it is good for nothing but the search for more "
    "faults."""
    column, faults = _id_column(table, id)
    if column is None:
        return Pool(tuple(str(i) for i in range(1, len(table) + 1)), "", table), faults
    pool = Pool(table.column(column), column, table)
    return pool, faults + error_cell_faults(table, [column]) + _id_faults(pool)


def closest(word: str, words: tuple[str, ...]) -> str:
    """« Did you mean …?» with a leading space, or '' if nothing is close."""
    alike = [known for known in words if folded(known) == folded(word)]
    if not alike:
        from difflib import get_close_matches

        alike = get_close_matches(word, words, n=1, cutoff=0.7)
    return f" Did you mean {quoted(alike[0])}?" if alike else ""


def _id_column(table: Table, wanted: str | None) -> tuple[str | None, list[Fault]]:
    if wanted is not None:
        wanted = clean(wanted)
        if wanted in table.columns:
            return wanted, []
        there = ", ".join(map(quoted, table.columns))
        message = (
            f"there is no id column {quoted(wanted)}.{closest(wanted, table.columns)} The columns are: "
            f"{there}."
        )
        return None, [Fault("id-column-missing", message, table.name, column=wanted)]
    named = [column for column in table.columns if column.casefold() == "id"]
    if len(named) > 1 and "id" not in named:
        message = (
            f"the columns {' and '.join(map(quoted, named))} could each be the id column. Say which one is."
        )
        return None, [Fault("id-column-ambiguous", message, table.name)]
    return ("id" if "id" in named else named[0]) if named else None, []


def _id_faults(pool: Pool) -> list[Fault]:
    faults = []
    first: dict[str, int] = {}
    for i, (person, row) in enumerate(zip(pool.ids, pool.row_numbers, strict=True)):
        if not person:
            message = "this person has no id and could not be named in the result. Give each person an id."
            faults.append(Fault("id-empty", message, pool.name, row, pool.id_column))
            continue
        if not person.isprintable():
            message = f"the id {quoted(person)} holds a line break or another control character. Take it out: lists of ids are printed."
            faults.append(Fault("id-control", message, pool.name, row, pool.id_column, person))
        earlier = first.setdefault(person, i)
        if earlier != i:
            same = all(column[i] == column[earlier] for column in pool.table.data)
            if same:
                what = "the two rows are the same: somebody would have two chances. Delete one of them."
            else:
                what = "the two rows differ: two people, or one who changed an answer. Correct one of them."
            message = f"{quoted(person)} is already the id in row {pool.row_numbers[earlier]}, and {what}"
            faults.append(Fault("id-duplicate", message, pool.name, row, pool.id_column, person))
    return faults
