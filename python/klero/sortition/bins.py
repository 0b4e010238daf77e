"""In which band is this number?

A column of numbers (age in years, income) becomes one of bands by declared edges: 16, 25, 40, 65 give «16-24», «25-39»,
«40-64», «65+», and «under 16» for whoever is below the first edge. A band holds its lower edge and not its upper one, so 24.9
years are «16-24». Where an edge is no whole number, or below zero, bands say so in full: «1.5 to under 2.5».

Guaranteed: comparison is exact (decimal, no float); every cell that is no number is reported. Not offered: dates of birth. How
old somebody is depends on a day that klero doesn't choose; make a column of ages first. Cost: linear.

>>> labels(edges_of("age", [16, 25, 65]))
('under 16', '16-24', '25-64', '65+')
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import pairwise

from klero._tables_cells import THOUSANDS, clean, folded
from klero.errors import Fault, InputError, quoted
from klero.sortition.pool import Pool, closest
from klero.tables import Table

__all__ = ["Bins", "band_key", "binned", "edges_of", "labels", "parse_bin"]

Edge = int | float | str | Decimal
Bins = Mapping[str, Sequence[Edge]]

_NUMBER = re.compile(r"([+\-\u2212]?)([0-9]{1,30})(?:[.,]([0-9]{1,30}))?")
_THOUSANDS = re.compile(rf"[+\-\u2212]?{THOUSANDS}")
_DATE = re.compile(r"[0-9]{1,4}([-./])[0-9]{1,2}\1[0-9]{1,4}")
_UNITS = re.compile(r"\b(ans?|years?|yrs?|old)\b")
_FROM_TO = re.compile(r"(?:de |from )?([0-9.]+) ?(?:-|to|a) ?([0-9.]+)")
_OPEN = re.compile(r"(?:≥ ?([0-9.]+)|([0-9.]+) ?(?:\+|(?:and|or|et|ou) ?(?:over|older|above|more|plus)))")
_BELOW = re.compile(r"(?:under|below|less than|moins de|<) ?([0-9.]+)")


def edges_of(column: str, edges: Sequence[Edge]) -> tuple[Decimal, ...]:
    """The edges as exact numbers.

    Raises:
        InputError: there is none, one is no number, or they don't rise.
    """
    numbers: list[Decimal] = []
    faults = []
    whose = f"the edges of {quoted(column)}"
    if isinstance(edges, str) or not len(edges):
        message = f"{whose} are not given. List numbers that rise, such as 16, 25, 40, 65."
        raise InputError([Fault("bin-edges", message, "", column=column)])
    for edge in edges:
        number = None if isinstance(edge, bool) else _number(str(edge))
        if number is None:
            message = f"{quoted(str(edge))} among {whose} is no number. Write one with digits and a point, such as 16 or 2.5."
            faults.append(Fault("bin-edges", message, "", column=column, value=str(edge)))
        elif numbers and number <= numbers[-1]:
            message = (
                f"{whose} must rise, and {number} comes after {numbers[-1]}. Put them in order, each once."
            )
            faults.append(Fault("bin-edges", message, "", column=column, value=str(edge)))
        else:
            numbers.append(number)
    if faults:
        raise InputError(faults)
    return tuple(numbers)


def parse_bin(text: str) -> tuple[str, tuple[Decimal, ...]]:
    """«age: 16, 25, 40, 65» as a column and its edges. Raises InputError."""
    column, colon, edges = text.rpartition(":")
    if not colon or not clean(column):
        message = f"{quoted(text)} names no column and edges. Write it like «age: 16, 25, 40, 65»."
        raise InputError([Fault("bin-edges", message, "", value=text)])
    return clean(column), edges_of(clean(column), [edge for edge in re.split(r"[,;\s]+", edges) if edge])


def labels(edges: tuple[Decimal, ...]) -> tuple[str, ...]:
    """The names of the bands from the lowest: below the first edge, between each two, and from the last on."""
    names = [f"under {_written(edges[0])}"]
    whole = all(edge == edge.to_integral_value() and edge >= 0 for edge in edges)
    for low, high in pairwise(edges):
        if not whole:
            names.append(f"{_written(low)} to under {_written(high)}")
        elif high - low == 1:
            names.append(_written(low))
        else:
            names.append(f"{_written(low)}-{_written(high - 1)}")
    return (*names, f"{_written(edges[-1])}+")


def band_key(name: str) -> str:
    """A key under which «16-24», «16–24», «16 to 24» and «16 à 24 ans» are one band, as are «65+», «65 and over» and «65 et plus»."""
    text = " ".join(_UNITS.sub(" ", folded(name)).split())
    if match := _FROM_TO.fullmatch(text):
        return f"{match[1]}-{match[2]}"
    if match := _OPEN.fullmatch(text):
        return f"{match[1] or match[2]}+"
    if match := _BELOW.fullmatch(text):
        return f"under {match[1]}"
    return text


def binned(pool: Pool, bins: Bins) -> tuple[Pool, list[Fault]]:
    """The pool with bands instead of the numbers in these columns, and its faults.

    An empty cell stays empty: a quota on the column will ask for it. With faults, the pool is good for nothing but the search
    for more.
    """
    faults: list[Fault] = []
    data = list(pool.table.data)
    done = dict(pool.bins)
    for column, given in bins.items():
        name = clean(column)
        if name not in pool.columns:
            there = ", ".join(map(quoted, pool.columns[:20]))
            message = f"there is no column {quoted(name)} to put into bands.{closest(name, pool.columns)} The columns are: {there}."
            faults.append(Fault("bin-column-missing", message, pool.name, column=name))
            continue
        if name in done or name == pool.id_column:
            what = "holds the ids" if name == pool.id_column else "is in bands already"
            faults.append(
                Fault("bin-column-taken", f"the column {what}. Name another one.", pool.name, column=name)
            )
            continue
        try:
            done[name] = edges_of(name, given)
        except InputError as error:
            faults += error.faults
            continue
        at = pool.columns.index(name)
        data[at], found = _banded(pool, name, done[name])
        faults += found
    table = Table(pool.name, pool.columns, tuple(data), pool.row_numbers)
    return Pool(pool.ids, pool.id_column, table, tuple(done.items())), faults


def _banded(pool: Pool, column: str, edges: tuple[Decimal, ...]) -> tuple[tuple[str, ...], list[Fault]]:
    names = labels(edges)
    band = {"": ""}
    wrong: dict[str, list[int]] = {}
    for text, row in zip(pool.column(column), pool.row_numbers, strict=True):
        if text in wrong:
            wrong[text].append(row)
        elif text not in band:
            number = _number(text)
            if number is None:
                wrong[text] = [row]
            else:
                band[text] = names[bisect_right(edges, number)]
    faults = []
    # A band that others have stands in for what is no number, so that no quota is missed for it as well.
    stand_in = next((name for text, name in band.items() if text), names[0])
    band |= dict.fromkeys(wrong, stand_in)
    for text, rows in wrong.items():
        also = (
            f" (also in row {rows[1]}{f' and {len(rows) - 2} more' if len(rows) > 2 else ''})"
            if rows[1:]
            else ""
        )
        what = "could be a thousand or a decimal" if _THOUSANDS.fullmatch(text) else "is no number"
        if _DATE.fullmatch(text):
            what = "is a date and no number: make a column of ages on the day that counts"
        message = (
            f"{quoted(text)} {what}{also}, so it is in no band. Write digits, with a point before decimals."
        )
        faults.append(Fault("bin-not-number", message, pool.name, rows[0], column, text))
    return tuple(band[text] for text in pool.column(column)), faults


def _number(text: str) -> Decimal | None:
    match = _NUMBER.fullmatch(text.strip())
    if match is None or _THOUSANDS.fullmatch(text.strip()):
        return None
    sign = "" if match[1] in ("", "+") else "-"
    return Decimal(f"{sign}{match[2]}.{match[3] or 0}")


def _written(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
