"""How many people of each kind must a panel hold, and do these numbers make sense by themselves?

A quota table has one row for each value of each feature: at least ``min`` and at most ``max`` seats go to people
with that value. ``min_flex`` and ``max_flex``, where given, say how far these may be moved if no panel can be found,
and ``importance`` (1 where not given) what moving them by a seat costs beside other quotas. Headings are recognised by
exact name (see `_HEADINGS`), whatever their case, accents and separators; all other columns are ignored, so
«suggest min» is not taken for «min».

Guaranteed: every fault of the table is reported at once, with its row. Two names that differ only in case,
accents, dashes or spaces are a fault: read as two values, they would ask for two groups where one was meant.

>>> Quotas.read([{"feature": "gender", "value": "woman", "min": 5, "max": 7}])
<Quotas 'quotas': 1 feature, 1 value>
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from types import MappingProxyType

from klero._tables_cells import folded
from klero.errors import Fault, InputError, quoted
from klero.tables import Table, TableSource, read_table

__all__ = ["Cell", "Quotas", "parse_quotas", "quota_faults", "size_faults"]

# A heading is compared without case, accents, spaces, dashes, dots and underscores: «Min_Flex» is «minflex».
_HEADINGS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "feature": frozenset(
            (
                *("category", "categories", "categoryname", "featurename", "criterion", "criteria"),
                *("characteristic", "attribute", "variable"),
                *("critere", "criteres", "categorie", "caracteristique"),
            )
        ),
        "value": frozenset(
            (
                *("value", "values", "valuename", "featurevalue", "categoryvalue", "name", "option", "level"),
                *("valeur", "valeurs", "modalite", "nom"),
            )
        ),
        "min": frozenset(
            ("min", "minimum", "minquota", "quotamin", "minimumquota", "lower", "lowerquota", "mini")
        ),
        "max": frozenset(
            ("max", "maximum", "maxquota", "quotamax", "maximumquota", "upper", "upperquota", "maxi")
        ),
        "min_flex": frozenset(("minflex", "flexmin")),
        "max_flex": frozenset(("maxflex", "flexmax")),
        "importance": frozenset(("importance", "weight", "weights", "priority", "priorite", "poids")),
    }
)
# Means the value beside a «category», and the feature otherwise: both are in use.
_EITHER = frozenset(("feature", "features"))
_OPTIONAL = frozenset(("min_flex", "max_flex", "importance"))
_ENGLISH = "feature, value, min and max (or category, name, min and max)"

_WHOLE = re.compile(r"[0-9]{1,9}")
_WHOLE_AS_FRACTION = re.compile(r"([0-9]{1,9})[.,]0+")
_IMPORTANCE = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,3}))?")
_NEGATIVE = re.compile(r"[-\u2212][0-9]+([.,][0-9]+)?")


@dataclass(frozen=True, slots=True)
class Cell:
    """The quota of one value of one feature. ``row`` is 0 for a quota that was not read from a table."""

    feature: str
    value: str
    min: int
    max: int
    min_flex: int | None = None
    max_flex: int | None = None
    row: int = 0
    importance: Fraction = Fraction(1)

    @property
    def name(self) -> str:
        """«gender: woman»."""
        return f"{self.feature}: {self.value}"


@dataclass(frozen=True)
class Quotas:
    """All quotas of a panel.

    Attributes:
        cells: one for each value of each feature, in the order of the table.
        name: what messages call the table.
    """

    cells: tuple[Cell, ...]
    name: str = "quotas"

    @classmethod
    def read(cls, source: TableSource, *, name: str | None = None) -> Quotas:
        """Read quotas from a file, an Arrow stream or a list of mappings.

        Raises:
            InputError: with every fault of the table.
        """
        quotas, faults = parse_quotas(_table(source, name))
        if faults:
            raise InputError(faults)
        return quotas

    @property
    def features(self) -> tuple[str, ...]:
        """The features in the order in which the table first names them."""
        return tuple(dict.fromkeys(cell.feature for cell in self.cells))

    def values(self, feature: str) -> tuple[str, ...]:
        """The values of a feature in the order of the table; empty if there is no such feature."""
        return tuple(cell.value for cell in self.cells if cell.feature == feature)

    def __len__(self) -> int:
        return len(self.cells)

    def __repr__(self) -> str:
        counts = f"{_count(len(self.features), 'feature')}, {_count(len(self), 'value')}"
        return f"<Quotas {quoted(self.name)}: {counts}>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(c.feature)}</td><td>{escape(c.value)}</td><td>{c.min}</td><td>{c.max}</td></tr>"
            for c in self.cells
        )
        head = "<tr><th>feature</th><th>value</th><th>min</th><th>max</th></tr>"
        parts = (
            f"<caption>{escape(self.name)}</caption>",
            f"<thead>{head}</thead>",
            f"<tbody>{rows}</tbody>",
        )
        return f"<table>{''.join(parts)}</table>"


def parse_quotas(table: Table) -> tuple[Quotas, list[Fault]]:
    """What could be read of a quota table, and its faults.

    For :func:`klero.sortition.instance.read_instance`, which goes on past faults to find those of the people
    too. A cell whose numbers could not be read stands there with ``min`` 0 and a ``max`` of a billion, so
    that its value is known and no further fault follows from it.
    """
    columns, faults = _columns(table)
    if faults:
        return Quotas((), table.name), faults
    cells: list[Cell] = []
    sound: list[Cell] = []
    for i, row in enumerate(table.row_numbers):
        texts = {role: table.data[at][i] for role, at in columns.items()}
        before = len(faults)
        labels = {role: table.columns[at] for role, at in columns.items()}
        cell = _cell(texts, labels, row, table.name, faults)
        if cell is not None:
            cells.append(cell)
            if len(faults) == before:
                sound.append(cell)
    faults += _bound_faults(sound, table.name)
    faults += _name_faults(cells, table.name)
    faults.sort(key=lambda fault: fault.row or 0)
    return Quotas(tuple(cells), table.name), faults


def quota_faults(quotas: Quotas) -> list[Fault]:
    """The faults of quotas that were written in a program instead of read from a table."""
    return [*_bound_faults(quotas.cells, quotas.name), *_name_faults(quotas.cells, quotas.name)]


def size_faults(quotas: Quotas, size: int) -> list[Fault]:
    """The features whose minima need more seats than `size`, or whose maxima leave some empty."""
    faults = []
    seats = _count(size, "seat")
    for feature in quotas.features:
        cells = {cell.value: cell for cell in quotas.cells if cell.feature == feature}.values()
        minima, maxima = sum(cell.min for cell in cells), sum(cell.max for cell in cells)
        if minima > size:
            message = (
                f"the minima of {quoted(feature)} add up to {minima}, and the panel has {seats}. "
                f"Lower them by {minima - size} in all, or draw {minima}."
            )
            faults.append(Fault("quota-minima-over-size", message, quotas.name, value=feature))
        if maxima < size:
            message = (
                f"the maxima of {quoted(feature)} add up to {maxima}, and the panel has {seats}, which would "
                f"leave {size - maxima} empty. Raise them by {size - maxima} in all, or draw {maxima}."
            )
            faults.append(Fault("quota-maxima-under-size", message, quotas.name, value=feature))
    return faults


def _table(source: TableSource, name: str | None) -> Table:
    return read_table(source, name=name, called="quotas")


def _columns(table: Table) -> tuple[dict[str, int], list[Fault]]:
    """The position of each column that has a meaning."""
    found: dict[str, list[int]] = {role: [] for role in _HEADINGS}
    either: list[int] = []
    for at, label in enumerate(table.columns):
        heading = re.sub(r"[\s_.\-]+", "", folded(label))
        if heading in _EITHER:
            either.append(at)
        for role, names in _HEADINGS.items():
            if heading in names:
                found[role].append(at)
    found["value" if found["feature"] and not found["value"] else "feature"] += either
    faults = []
    for role, places in found.items():
        if len(places) > 1:
            labels = " and ".join(quoted(table.columns[at]) for at in places)
            message = f"the columns {labels} could each be the {role}. Keep one, or rename the other."
            faults.append(Fault("quota-column-ambiguous", message, table.name))
        elif not places and role not in _OPTIONAL:
            there = ", ".join(map(quoted, table.columns))
            message = (
                f"there is no column for the {role}. Quotas need the columns {_ENGLISH}; here are {there}."
            )
            faults.append(Fault("quota-column-missing", message, table.name, column=role))
    return {role: places[0] for role, places in found.items() if places}, faults


def _cell(
    texts: Mapping[str, str], labels: Mapping[str, str], row: int, name: str, faults: list[Fault]
) -> Cell | None:
    feature, value = texts["feature"], texts["value"]
    for role in ("feature", "value"):
        if not texts[role]:
            message = (
                f"the {role} is empty, so it is unclear whose quota this is. Fill it in or delete the row."
            )
            faults.append(Fault("quota-cell-empty", message, name, row, labels[role]))
    whose = f"{feature}: {value}"
    numbers: dict[str, int | None] = {}
    for role in ("min", "max", "min_flex", "max_flex"):
        text = texts.get(role, "")
        if text:
            numbers[role] = _whole(text, role, whose, Fault("", "", name, row, labels[role], text), faults)
        elif role in ("min", "max"):
            hint = "0 if there is no minimum" if role == "min" else "the panel's size if there is no maximum"
            message = f"the {role} of {quoted(whose)} is empty. Write a whole number: {hint}."
            faults.append(Fault("quota-cell-empty", message, name, row, labels[role]))
    if not feature or not value:
        return None
    low, high = numbers.get("min"), numbers.get("max")
    return Cell(
        feature,
        value,
        0 if low is None else low,
        10**9 if high is None else high,
        numbers.get("min_flex"),
        numbers.get("max_flex"),
        row,
        _importance(texts.get("importance", ""), whose, name, row, labels.get("importance", ""), faults),
    )


def _importance(text: str, whose: str, name: str, row: int, label: str, faults: list[Fault]) -> Fraction:
    """What loosening this quota by a seat costs; 1 where the cell is empty, or faulty."""
    if not text:
        return Fraction(1)
    found = _IMPORTANCE.fullmatch(text)
    value = Fraction(f"{found[1]}.{found[2] or 0}") if found else Fraction(0)
    if value == 0:
        message = (
            f"the importance of {quoted(whose)} is {quoted(text)}. It says what moving this quota by a seat costs "
            "beside others when no panel is found: write a number above 0 and below 1000000, with three decimals at "
            "most, or leave it empty (1)."
        )
        faults.append(Fault("quota-importance", message, name, row, label, text))
        return Fraction(1)
    return value


def _whole(text: str, role: str, whose: str, place: Fault, faults: list[Fault]) -> int | None:
    if _WHOLE.fullmatch(text):
        return int(text)
    what = f"the {role} of {quoted(whose)} is {quoted(text)}"
    code = "quota-not-integer"
    if as_fraction := _WHOLE_AS_FRACTION.fullmatch(text):
        message = f"{what}, which is not written as a whole number. Write {int(as_fraction[1])}."
    elif _NEGATIVE.fullmatch(text):
        code = "quota-negative"
        message = f"{what}, and a panel can't have fewer than 0 such people. Write 0 or more."
    else:
        message = f"{what}, and seats are counted in whole numbers up to 999999999. Write one, such as 2."
    faults.append(Fault(code, message, place.file, place.row, place.column, text))
    return None


def _bound_faults(cells: list[Cell] | tuple[Cell, ...], name: str) -> Iterator[Fault]:
    for cell in cells:
        row = cell.row or None
        whose = quoted(cell.name)
        lowest = min(n for n in (cell.min, cell.max, cell.min_flex, cell.max_flex) if n is not None)
        if lowest < 0:
            message = f"a quota of {whose} is {lowest}, and a panel can't have fewer than 0 such people."
            yield Fault("quota-negative", f"{message} Write 0 or more.", name, row, value=str(lowest))
        if cell.min > cell.max:
            message = (
                f"{whose} has the minimum {cell.min} above the maximum {cell.max}. Swap or correct them."
            )
            yield Fault("quota-min-over-max", message, name, row)
        if cell.min_flex is not None and cell.min_flex > cell.min:
            message = (
                f"{whose} has min_flex {cell.min_flex} above min {cell.min}. It says how low the minimum "
                f"may go when no panel is found: write {cell.min} or less."
            )
            yield Fault("quota-flex", message, name, row)
        if cell.max_flex is not None and cell.max_flex < cell.max:
            message = (
                f"{whose} has max_flex {cell.max_flex} below max {cell.max}. It says how high the maximum "
                f"may go when no panel is found: write {cell.max} or more."
            )
            yield Fault("quota-flex", message, name, row)


def _name_faults(cells: list[Cell] | tuple[Cell, ...], name: str) -> Iterator[Fault]:
    """Names that come twice, or nearly."""
    spellings: dict[str, Cell] = {}
    seen: dict[tuple[str, str], Cell] = {}
    near: dict[tuple[str, str], Cell] = {}
    reported: set[str] = set()
    for cell in cells:
        key = (folded(cell.feature), folded(cell.value))
        first = spellings.setdefault(key[0], cell)
        if first.feature != cell.feature and cell.feature not in reported:
            reported.add(cell.feature)
            yield _near("features", first.feature, cell.feature, first, cell, name)
        earlier = seen.setdefault((cell.feature, cell.value), cell)
        similar = near.setdefault(key, cell)
        if earlier is not cell:
            where = f" (first in row {earlier.row})" if earlier.row else ""
            message = f"{quoted(cell.name)} has two quotas{where}, and only one can hold. Delete one of them."
            yield Fault("quota-duplicate", message, name, cell.row or None, value=cell.value)
        elif similar.value != cell.value:
            yield _near(f"values of {quoted(cell.feature)}", similar.value, cell.value, similar, cell, name)


def _near(kind: str, first: str, second: str, there: Cell, here: Cell, name: str) -> Fault:
    where = f" (row {there.row})" if there.row else ""
    message = (
        f"{quoted(second)} and {quoted(first)}{where} differ only in case, accents, dashes or spaces, "
        f"and count as two {kind}. Write {quoted(first)} in both places, or give them names that people can "
        "tell apart."
    )
    return Fault("quota-near-duplicate", message, name, here.row or None, value=second)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
