"""A person's codes and the machine's groups in one table, and what follows from it; the rules are those of :mod:`klero.themes.confront`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from klero._tables_cells import folded
from klero.errors import Fault
from klero.themes._inputs import Groups, Ints, as_column, counted_rows, read_groups
from klero.themes.agreement import Table
from klero.themes.confront_parts import Cell, Found, Lost, Merge, Part, Split, TextToDiscuss
from klero.themes.names import cluster_names
from klero.themes.quotes import cut_text
from klero.voices.ids import IdColumn, read_ids
from klero.voices.texts import TextColumn, read_texts

__all__ = ["Given", "Sides", "read_given"]

_SHARE = 5  # a code is told of a theme that merges if it is a fifth of it


@dataclass(frozen=True, eq=False)
class Given:
    groups: Groups
    fit: npt.NDArray[np.float32] | None
    code: Ints  # position in `codes`, -1 for none
    codes: tuple[str, ...]
    texts: TextColumn | None
    ids: IdColumn


def read_given(
    partition: object, codes: object, texts: object, ids: object, faults: list[Fault]
) -> Given | None:
    groups = read_groups(partition, faults)
    if groups is None:
        return None
    rows = len(groups.labels)
    code = _read_codes(codes, rows, faults)
    column = None if texts is None else read_texts(texts, "texts", faults)
    if column is not None:
        counted_rows(len(column), rows, "texts", faults)
    names = read_ids(ids, rows, "ids", faults)
    if code is None or names is None or faults:
        return None
    fit = getattr(partition, "fit", None)
    return Given(groups, None if fit is None or callable(fit) else np.asarray(fit), *code, column, names)


def _read_codes(source: object, rows: int, faults: list[Fault]) -> tuple[Ints, tuple[str, ...]] | None:
    """(position of each contribution's code, -1 for none; the codes, the most frequent first, then by name)."""
    column = as_column(source, "codes", faults)
    if column is None or not counted_rows(len(column), rows, "codes", faults):
        return None
    values = column.combine_chunks() if column.num_chunks else pa.array([], pa.large_string())
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
        whole = pc.all(pc.equal(values, pc.round(values)), min_count=0).as_py()
        values = values.cast(pa.int64()) if whole else values
    if not (pa.types.is_integer(values.type) or pa.types.is_null(values.type) or _is_text(values.type)):
        message = f"the codes are of the type {values.type}. Give one text or whole number for each contribution, and nothing where there is no code."
        faults.append(Fault("codes-type", message, "codes"))
        return None
    texts = pc.utf8_normalize(pc.utf8_trim_whitespace(values.cast(pa.large_string())), "NFC")
    texts = pc.if_else(pc.equal(texts, ""), None, texts)
    counted = pc.value_counts(texts.drop_null())
    pairs = zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)
    names = [name for name, _ in sorted(pairs, key=lambda pair: (-pair[1], pair[0]))]
    if not names:
        message = "no contribution has a code, so there is nothing to compare with. Give the column in which the person's codes stand."
        faults.append(Fault("codes-missing", message, "codes"))
        return None
    positions = pc.index_in(texts, pa.array(names, pa.large_string())).fill_null(-1)
    return positions.to_numpy(zero_copy_only=False).astype(np.int64), tuple(names)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


class Sides:
    """Both groupings, counted."""

    def __init__(self, given: Given) -> None:
        self.given = given
        groups, code = given.groups, given.code
        self.names = cluster_names(groups.kinds)
        known = code >= 0
        keys, count = np.unique(code[known] * len(groups) + groups.labels[known], return_counts=True)
        self.table = Table(
            keys // len(groups),
            keys % len(groups),
            count.astype(np.int64),
            np.bincount(code[known], minlength=len(given.codes)).astype(np.int64),
            np.bincount(groups.labels[known], minlength=len(groups)).astype(np.int64),
        )
        self.majority = self._majority()

    def answers(self) -> npt.NDArray[np.bool_]:
        """For each cell, whether its group may answer to its code: not one contribution to a code of several."""
        table = self.table
        several: npt.NDArray[np.bool_] = (table.column_sizes[table.column] > 1) | (
            table.row_sizes[table.row] == 1
        )
        return several

    def _majority(self) -> Ints:
        """The code that each group is called after, -1 for none."""
        table = self.table
        best = np.full(len(table.column_sizes), -1, np.int64)
        # The most, then of the smaller code, then the first by name: the last writer wins.
        order = np.lexsort((-self._by_name()[table.row], -table.row_sizes[table.row], table.count))
        order = order[self.answers()[order]]
        best[table.column[order]] = table.row[order]
        return best

    def _by_name(self) -> Ints:
        places = np.empty(len(self.given.codes), np.int64)
        places[np.array(sorted(range(len(places)), key=lambda at: self.given.codes[at]), np.int64)] = (
            np.arange(len(places))
        )
        return places

    def code(self, position: int) -> str | None:
        """Its name; None for -1."""
        return None if position < 0 else self.given.codes[position]

    def differ(self) -> Ints:
        """Cells off the majority, the furthest above expectation first; whole numbers n·n_ij − r_i·c_j decide."""
        table, n = self.table, self.table.total
        off = np.flatnonzero(self.majority[table.column] != table.row)
        beyond = [
            n * k - r * c
            for k, r, c in zip(*(x[off].tolist() for x in self._cells_with_sizes()), strict=True)
        ]
        order = sorted(
            range(len(off)), key=lambda at: (-beyond[at], -int(table.count[off[at]]), int(off[at]))
        )
        return off[np.array(order, np.int64)]

    def _cells_with_sizes(self) -> tuple[Ints, Ints, Ints]:
        table = self.table
        return table.count, table.row_sizes[table.row], table.column_sizes[table.column]

    def cell(self, cell: int) -> Cell:
        table, row, column = self.table, int(self.table.row[cell]), int(self.table.column[cell])
        return Cell(
            self.given.codes[row],
            column,
            self.names[column],
            self.code(int(self.majority[column])),
            int(table.count[cell]),
            Fraction(int(table.row_sizes[row]) * int(table.column_sizes[column]), table.total),
        )

    def _parts(self, cells: Ints) -> tuple[Part, ...]:
        table = self.table
        order = cells[np.lexsort((table.column[cells], -table.count[cells]))]
        return tuple(
            Part(column, self.names[column], count, self.code(int(self.majority[column])))
            for column, count in zip(table.column[order].tolist(), table.count[order].tolist(), strict=True)
        )

    def lost(self) -> tuple[Lost, ...]:
        table = self.table
        sizes, whole = table.column_sizes[table.column], table.row_sizes[table.row]
        own = ((table.count >= 2) & (2 * table.count >= sizes)) | ((whole == 1) & (sizes == 1))
        has = np.zeros(len(table.row_sizes), bool)
        has[table.row[own]] = True
        return tuple(
            Lost(
                self.given.codes[row],
                int(table.row_sizes[row]),
                self._parts(np.flatnonzero(table.row == row)),
            )
            for row in np.flatnonzero(~has).tolist()
        )

    def split(self) -> tuple[Split, ...]:
        table = self.table
        called = (self.majority[table.column] == table.row) & (table.column_sizes[table.column] >= 2)
        several = np.flatnonzero(np.bincount(table.row[called], minlength=len(table.row_sizes)) > 1)
        return tuple(
            Split(
                self.given.codes[row],
                int(table.row_sizes[row]),
                self._parts(np.flatnonzero(called & (table.row == row))),
            )
            for row in several.tolist()
        )

    def merged(self) -> tuple[Merge, ...]:
        table = self.table
        large = (table.count >= 2) & (_SHARE * table.count >= table.column_sizes[table.column])
        several = np.flatnonzero(np.bincount(table.column[large], minlength=len(table.column_sizes)) > 1)
        order = several[np.lexsort((several, -table.column_sizes[several]))]
        merged = []
        for column in order.tolist():
            cells = np.flatnonzero(large & (table.column == column))
            cells = cells[np.lexsort((table.row[cells], -table.count[cells]))]
            codes = tuple((self.given.codes[int(table.row[cell])], int(table.count[cell])) for cell in cells)
            merged.append(Merge(column, self.names[column], int(table.column_sizes[column]), codes))
        return tuple(merged)

    def found(self, called: Ints) -> tuple[Found, ...]:
        """Groups of two or more to which no code answers."""
        table, sizes = self.table, self.given.groups.sizes
        most = np.zeros(len(sizes), np.int64)
        np.maximum.at(most, table.column, table.count)
        found = []
        for label in np.flatnonzero((sizes >= 2) & (called < 0)).tolist():
            coded, count = int(table.column_sizes[label]), int(most[label])
            why = "uncoded" if 2 * coded < sizes[label] else "across" if 2 * count < coded else "within"
            cells = (
                np.flatnonzero((table.column == label) & (table.count == count))
                if count
                else np.zeros(0, np.int64)
            )
            best = (
                int(self.majority[label])
                if self.majority[label] >= 0
                else int(table.row[cells].min())
                if len(cells)
                else -1
            )
            found.append(
                Found(label, self.names[label], int(sizes[label]), coded, why, self.code(best), count)
            )
        return tuple(sorted(found, key=lambda group: (-group.size, group.label)))

    def texts(
        self, differ: Ints, most: int, longest: int, lost: set[str], split: set[str], merged: set[int]
    ) -> tuple[TextToDiscuss, ...]:
        """The most central contribution of each cell, then the next of each, and so on."""
        given, table = self.given, self.table
        rank = np.empty(len(table.row), np.int64)
        rank[differ] = np.arange(len(differ))
        rows = np.flatnonzero((given.code >= 0) & (self.majority[given.groups.labels] != given.code))
        cells = np.searchsorted(
            table.row * len(given.groups) + table.column,
            given.code[rows] * len(given.groups) + given.groups.labels[rows],
        )
        fit = np.zeros(len(rows)) if given.fit is None else -given.fit[rows].astype(np.float64)
        order = np.lexsort((_ranks(given, rows), fit, rank[cells]))
        rows, cells = rows[order], rank[cells][order]
        turn = np.arange(len(rows)) - np.searchsorted(cells, cells)
        rows = rows[np.lexsort((cells, turn))][:most]
        return tuple(self._text(int(row), longest, lost, split, merged) for row in rows)

    def _text(
        self, row: int, longest: int, lost: set[str], split: set[str], merged: set[int]
    ) -> TextToDiscuss:
        given = self.given
        code, label = given.codes[int(given.code[row])], int(given.groups.labels[row])
        shown, cut = (None, False) if given.texts is None else cut_text(given.texts[row], longest)
        return TextToDiscuss(
            row=row,
            id=given.ids.slice(row, 1)[0].as_py(),
            text=shown,
            cut=cut,
            code=code,
            label=label,
            name=self.names[label],
            majority=self.code(int(self.majority[label])),
            similarity=None if given.fit is None else round(float(given.fit[row]), 4),
            split=code in split,
            merged=label in merged,
            lost=code in lost,
        )

    def arrow(self) -> pa.Table:
        given, labels = self.given, self.given.groups.labels
        codes, names = pa.array(given.codes, pa.string()), pa.array(self.names, pa.string())
        code = pa.array(given.code, mask=given.code < 0)
        majority = self.majority[labels]
        columns = {
            "id": given.ids.slice(0, len(labels)),
            "label": pa.array(labels),
            "name": names.take(pa.array(labels)),
            "code": codes.take(code),
            "majority": codes.take(pa.array(majority, mask=majority < 0)),
            "agrees": pa.array(majority == given.code, mask=given.code < 0),
        }
        if given.fit is not None:
            columns["similarity"] = pa.array(given.fit)
        return pa.table(columns)


def _ranks(given: Given, rows: Ints) -> Ints:
    """The order of equals: by id, or if there are none by text, then by row."""
    if given.ids.values is not None:
        return rows if given.ids.ranks is None else given.ids.ranks[rows].astype(np.int64)
    if given.texts is None:
        return rows
    order = pc.sort_indices(pa.chunked_array(given.texts.take(rows).chunks, pa.large_string())).to_numpy()
    places = np.empty(len(rows), np.int64)
    places[order] = np.arange(len(rows))
    return places


def alike(codes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    by_key: dict[str, list[str]] = {}
    for code in codes:
        by_key.setdefault(folded(code), []).append(code)
    return tuple(tuple(same) for same in by_key.values() if len(same) > 1)
