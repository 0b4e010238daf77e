"""How do quotas speak of combinations (young women) and of bands of a number (16 to 24)?

A quota table may name a combination of columns as a feature, «age × gender», and combinations of values as its values,
«16-24 × woman». Between the parts stand « × », « x », « * » (the last two with spaces) or «&»; any number of parts. A column
whose own name is that text wins. Combinations that the quotas don't name are free. Crossing needs no quotas of the single
columns. :func:`derived` turns each into one more column and free cells, so that all that follows sees one more feature.

For columns in bands (:mod:`klero.sortition.bins`) it also brings the quotas' spelling of a band to the label.

Guaranteed: a text is read in one way or refused; a name that nobody and no quota knows is a fault, never a combination that is
silently empty; spellings that differ in case or accents are a fault. Cost: linear in people and quotas.

>>> from klero.sortition.quotas import Quotas
>>> pool = Pool.read([{"age": "16-24", "gender": "woman"}, {"age": "65+", "gender": "man"}])
>>> quotas = Quotas.read([{"feature": "age × gender", "value": "16-24 × woman", "min": 1, "max": 1}])
>>> pool, quotas, faults = derived(pool, quotas, 2)
>>> pool.column("age × gender"), [(cell.value, cell.min, cell.max) for cell in quotas.cells], faults
(('16-24 × woman', '65+ × man'), [('16-24 × woman', 1, 1), ('65+ × man', 0, 2)], [])
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from klero._tables_cells import folded
from klero.errors import Fault, quoted
from klero.sortition.bins import band_key, labels
from klero.sortition.pool import Pool, closest
from klero.sortition.quotas import Cell, Quotas
from klero.tables import Table

__all__ = ["Cross", "bands_named", "crossed", "crosses", "derived"]

SEPARATOR = " × "
_SEPARATORS = re.compile(r"(\s*×\s*|\s+[x*]\s+|\s*&\s*)")
_UNLIMITED = 10**9

Find = Callable[[str], str | None]


@dataclass(frozen=True)
class Cross:
    """One feature that crosses columns.

    Attributes:
        feature: its name in the quotas.
        parts: the columns.
        named: the value in the quotas of each combination that they name.
    """

    feature: str
    parts: tuple[str, ...]
    named: Mapping[tuple[str, ...], str]


def derived(pool: Pool, quotas: Quotas, size: int) -> tuple[Pool, Quotas, list[Fault]]:
    """The pool with a column, and the quotas with free cells, for each combination that the quotas speak of; and the faults.

    A feature with faults is left out of the quotas that are returned, so that no further fault follows from it.
    """
    quotas, faults = bands_named(pool, quotas)
    found, more = crosses(pool, quotas)
    faults += more
    if not found and not more:
        return pool, quotas, faults
    bad = {fault.column for fault in more}
    cells = [cell for cell in quotas.cells if cell.feature not in bad]
    free = size if isinstance(size, int) and size > 0 else _UNLIMITED
    columns: list[tuple[str, ...]] = []
    for cross in found:
        column, clash = crossed(pool, cross)
        columns.append(column)
        faults += clash
        unnamed = sorted(set(column) - set(cross.named.values()) - {""})
        cells += [Cell(cross.feature, value, 0, free) for value in unnamed]
    names = (*pool.columns, *(cross.feature for cross in found))
    table = Table(pool.name, names, (*pool.table.data, *columns), pool.row_numbers)
    return replace(pool, table=table), Quotas(tuple(cells), quotas.name), faults


def crosses(pool: Pool, quotas: Quotas) -> tuple[list[Cross], list[Fault]]:
    """The features of the quotas that cross columns of the pool, and what is wrong with them (`Fault.column`: the feature)."""
    found: list[Cross] = []
    faults: list[Fault] = []
    for feature in quotas.features:
        if feature in pool.columns or not _SEPARATORS.search(feature):
            continue
        readings = _readings(feature, [lambda name: name if name in pool.columns else None], any_number=True)
        if len(readings) != 1 or len(set(readings[0])) < len(readings[0]):
            faults.append(_feature_fault(feature, readings, pool, quotas))
            continue
        cross, wrong = _cross(feature, readings[0], pool, quotas)
        found += [] if wrong else [cross]
        faults += wrong
    return found, faults


def crossed(pool: Pool, cross: Cross) -> tuple[tuple[str, ...], list[Fault]]:
    """The column of a cross: the value for each person, '' where a part is empty."""
    value: dict[tuple[str, ...], str] = dict(cross.named)
    taken = {text: parts for parts, text in value.items()}
    faults = []
    column = []
    for parts, row in zip(zip(*map(pool.column, cross.parts), strict=True), pool.row_numbers, strict=True):
        if parts not in value:
            text = SEPARATOR.join(parts) if all(parts) else ""
            if text and taken.setdefault(text, parts) != parts:
                message = f"{quoted(text)} can be read as two combinations. Rename the values that hold «×», «x», «*» or «&»."
                faults.append(Fault("cross-ambiguous", message, pool.name, row, cross.feature, text))
            value[parts] = text
        column.append(value[parts])
    return tuple(column), faults


def _readings(text: str, finders: Sequence[Find], any_number: bool = False) -> list[tuple[str, ...]]:
    """The ways to cut `text` at separators into names that are found, at most two of them.

    One name for each finder; or, with `any_number`, two or more names of the first finder.
    """
    pieces = _SEPARATORS.split(text)

    def cut(start: int, done: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if start >= len(pieces):
            if len(done) > 1 if any_number else len(done) == len(finders):
                yield done
            return
        if not any_number and len(done) == len(finders):
            return
        find = finders[0 if any_number else len(done)]
        for end in range(start + 1, len(pieces) + 1, 2):
            name = find("".join(pieces[start:end]).strip())
            if name is not None:
                yield from cut(end + 1, (*done, name))

    return list(islice(cut(0, ()), 2))


def _feature_fault(feature: str, readings: list[tuple[str, ...]], pool: Pool, quotas: Quotas) -> Fault:
    """Why a feature that holds a separator is no combination of columns."""
    row = next((cell.row for cell in quotas.cells if cell.feature == feature), 0) or None
    if len(readings) > 1:
        ways = " or ".join(" with ".join(map(quoted, reading)) for reading in readings)
        message = (
            f"{quoted(feature)} can be read as {ways}. Rename a column so that only one reading is left."
        )
        return Fault("cross-ambiguous", message, quotas.name, row, feature)
    if readings:
        message = f"{quoted(feature)} crosses a column with itself. Name different columns."
        return Fault("cross-repeated", message, quotas.name, row, feature)
    parts = [part.strip() for part in _SEPARATORS.split(feature)[::2]]
    missing = [part for part in dict.fromkeys(parts) if part not in pool.columns]
    hints = " ".join(f"{quoted(part)} is no column either.{closest(part, pool.columns)}" for part in missing)
    message = f"the people have no column {quoted(feature)}; read as a combination: {hints} Columns and features must be written alike."
    return Fault("cross-column-missing", message, quotas.name, row, feature)


def _cross(feature: str, parts: tuple[str, ...], pool: Pool, quotas: Quotas) -> tuple[Cross, list[Fault]]:
    known = [_Known(pool, quotas, part) for part in parts]
    named: dict[tuple[str, ...], str] = {}
    faults: list[Fault] = []
    for cell in quotas.cells:
        if cell.feature != feature:
            continue
        readings = _readings(cell.value, [k.find for k in known])
        row = cell.row or None
        if len(readings) != 1:
            faults.append(_value_fault(cell, known, readings, quotas.name))
        elif named.setdefault(readings[0], cell.value) != cell.value:
            first = quoted(named[readings[0]])
            message = f"{quoted(cell.value)} and {first} are one combination, which has two quotas. Delete one of them."
            faults.append(Fault("quota-duplicate", message, quotas.name, row, feature, cell.value))
    for i, k in enumerate(known):
        faults += [
            replace(fault, column=feature) for fault in k.spelling_faults({values[i] for values in named})
        ]
    return Cross(feature, parts, named), faults


def _value_fault(cell: Cell, known: Sequence[_Known], readings: list[tuple[str, ...]], name: str) -> Fault:
    if readings:
        ways = " or ".join(" with ".join(map(quoted, reading)) for reading in readings)
        message = (
            f"{quoted(cell.value)} can be read as {ways}. Rename the values that hold «×», «x», «*» or «&»."
        )
        return Fault("cross-ambiguous", message, name, cell.row or None, cell.feature, cell.value)
    message = _value_message(cell.value, known)
    return Fault("cross-value-unknown", message, name, cell.row or None, cell.feature, cell.value)


def _value_message(value: str, known: Sequence[_Known]) -> str:
    parts = [part.strip() for part in _SEPARATORS.split(value)[::2]]
    if len(parts) != len(known):
        columns = ", ".join(quoted(k.column) for k in known)
        has = "1 part" if len(parts) == 1 else f"{len(parts)} parts"
        return f"{quoted(value)} has {has} where {len(known)} are asked for, one for each of {columns}. Put « × » between them."
    wrong = [k.unknown(part) for k, part in zip(known, parts, strict=True) if k.find(part) is None]
    return f"{quoted(value)} is no combination of values: {' '.join(wrong)}"


class _Known:
    """The values that a part of a combination can have: those of the people and of the column's own quotas."""

    def __init__(self, pool: Pool, quotas: Quotas, column: str) -> None:
        self.pool, self.column = pool, column
        self.people = set(pool.column(column)) - {""}
        self.own_quotas = bool(quotas.values(column))
        edges = dict(pool.bins).get(column)
        self.bands = labels(edges) if edges else ()
        self.names = tuple(sorted({*self.people, *quotas.values(column), *self.bands}))
        self._key = {band_key(name): name for name in self.bands}
        self._set = frozenset(self.names)

    def find(self, text: str) -> str | None:
        """The value that is written so; a band may be spelled otherwise."""
        return text if text in self._set else self._key.get(band_key(text))

    def unknown(self, text: str) -> str:
        """What to say of a text that is no value."""
        alike = [name for name in self.names if folded(name) == folded(text)]
        hint = f" Write {quoted(alike[0])}." if alike else closest(text, self.names)
        if not hint:
            shown = ", ".join(map(quoted, self.names[:10]))
            hint = f" Its values are: {shown}{', …' if len(self.names) > 10 else ''}."
        return f"nobody has {quoted(text)} in the column {quoted(self.column)}.{hint}"

    def spelling_faults(self, named: set[str]) -> Iterator[Fault]:
        """Values of people that differ from a named one in case or accents alone: they would count as free."""
        if self.own_quotas or self.bands:  # then the column's own quotas, or the labels, find them
            return
        keys = {folded(name): name for name in sorted(named)}
        for value in sorted(self.people - named):
            if folded(value) in keys:
                row = self.pool.row_numbers[self.pool.column(self.column).index(value)]
                message = (
                    f"{quoted(value)} in the column {quoted(self.column)} and {quoted(keys[folded(value)])} in a combination of the "
                    "quotas differ only in case, accents, dashes or spaces, and count as two values. Write them alike."
                )
                yield Fault("cross-value-spelling", message, self.pool.name, row, self.column, value)


def bands_named(pool: Pool, quotas: Quotas) -> tuple[Quotas, list[Fault]]:
    """The quotas with the labels of bands instead of other spellings of them."""
    if not pool.bins:
        return quotas, []
    faults: list[Fault] = []
    cells: list[Cell] = []
    known = {column: {band_key(name): name for name in labels(edges)} for column, edges in pool.bins}
    seen: dict[tuple[str, str], str] = {}
    for cell in quotas.cells:
        names = known.get(cell.feature)
        label = names.get(band_key(cell.value)) if names is not None else cell.value
        if label is None:
            there = ", ".join(map(quoted, known[cell.feature].values()))
            message = f"{quoted(cell.value)} is no band of {quoted(cell.feature)} by the edges given. The bands are: {there}."
            faults.append(
                Fault("bin-label-unknown", message, quotas.name, cell.row or None, cell.feature, cell.value)
            )
        elif seen.setdefault((cell.feature, label), cell.value) != cell.value:
            message = f"{quoted(cell.value)} and {quoted(seen[cell.feature, label])} are one band, which has two quotas. Delete one."
            faults.append(
                Fault("quota-duplicate", message, quotas.name, cell.row or None, cell.feature, cell.value)
            )
        cells.append(cell if label is None else replace(cell, value=label))
    return Quotas(tuple(cells), quotas.name), faults
