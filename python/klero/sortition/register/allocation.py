"""How many letters does each stratum get?

Largest remainders (Hamilton): every stratum gets the whole part of its exact share, and the letters that are left go to the largest
fractional parts; ties go to the larger share, then to the stratum that stands first by code points. Nobody is more than one letter from
the exact share. A stratum that has fewer people than letters gives all of them, and the letters it can't use go to the others by the
same rule. All in whole numbers; O(strata · log strata) a round, at most one round a stratum.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import TYPE_CHECKING

from klero._tables_cells import THOUSANDS, clean
from klero.errors import Fault, InputError
from klero.tables import Table, TableSource, read_table

if TYPE_CHECKING:
    from klero.sortition.register.scan import Scan

Label = tuple[str, ...]
_NUMBERS = ("letters", "answers", "response", "sd")
_PLACES = 10**9
_THOUSANDS = re.compile(THOUSANDS)


def apportion(total: int, shares: Sequence[int]) -> list[int]:
    """`total` in whole numbers, in proportion to `shares`, by largest remainders.

    >>> apportion(10, [6, 6, 2])
    [4, 4, 2]
    """
    whole = sum(shares)
    if whole == 0:
        return [0] * len(shares)
    parts = [divmod(total * share, whole) for share in shares]
    letters = [part for part, _ in parts]
    order = sorted(range(len(shares)), key=lambda i: (-parts[i][1], -shares[i], i))
    for i in order[: total - sum(letters)]:
        letters[i] += 1
    return letters


def allocate(total: int, shares: Sequence[int], room: Sequence[int]) -> tuple[list[int], list[int]]:
    """(letters as the shares ask, letters after spilling what a stratum has no people for). `total` is at most the sum of `room`."""
    asked = apportion(total, shares)
    return asked, spill(asked, shares, room)


def spill(asked: Sequence[int], shares: Sequence[int], room: Sequence[int]) -> list[int]:
    """Letters within `room`: the surplus of full strata goes to the others in proportion to their shares."""
    letters = list(asked)
    full: set[int] = set()
    while True:
        over = {i for i, n in enumerate(letters) if i not in full and n > room[i]}
        if not over and sum(letters) == sum(asked):
            return letters
        full |= over
        for i in full:
            letters[i] = room[i]
        open_ = [i for i in range(len(letters)) if i not in full]
        surplus = sum(asked) - sum(letters[i] for i in full)
        weights = [shares[i] for i in open_]
        if not any(weights):  # only strata that asked for nothing have room
            weights = [room[i] for i in open_]
        for i, n in zip(open_, apportion(surplus, weights), strict=True):
            letters[i] = n


def check_zeros(asked: Sequence[int], room: Sequence[int], labels: Sequence[Label], name: str) -> None:
    """Whoever writes 0 for a stratum means that nobody in it gets a letter, so no surplus may go there.

    Raises:
        InputError: the strata that are given letters have too few people for all of them.
    """
    total, fits = sum(asked), sum(n for a, n in zip(asked, room, strict=True) if a)
    if total <= fits:
        return
    short = [i for i in range(len(asked)) if asked[i] > room[i]]
    named = ", ".join(f"{shown(labels[i])} ({asked[i]} letters, {room[i]} can be drawn)" for i in short[:5])
    more = f" and {len(short) - 5} more" if len(short) > 5 else ""
    message = (
        f"the table asks for {total} letters, and the strata to which it gives any have room for {fits}: {named}{more} can't use theirs. "
        "No letter goes to a stratum that is given 0. Lower these numbers, or give other strata more than 0."
    )
    raise InputError([Fault("allocation-invalid", message, name, value=str(total))])


@dataclass(frozen=True)
class StratumTable:
    """Numbers by stratum, from a table with the strata's columns and some of letters, answers, response, sd."""

    name: str
    numbers: Mapping[str, Mapping[Label, Fraction]]

    def column(self, name: str, labels: Sequence[Label]) -> list[Fraction] | None:
        """The numbers of all strata, or None if the table has no such column."""
        values = self.numbers.get(name)
        return None if values is None else [values[label] for label in labels]


def read_stratum_table(
    source: TableSource, columns: Sequence[str], labels: Sequence[Label], what: str
) -> StratumTable:
    """Reads numbers by stratum and holds them against the register's strata.

    Raises:
        InputError: a column is missing, a number is none or out of range, a stratum is missing, unknown or twice.
    """
    table = read_table(source, name=None if not isinstance(source, (list, tuple)) else what)
    folded = {clean(c).casefold(): c for c in table.columns}
    faults = [
        Fault(
            "column-missing",
            f"the table by stratum lacks the column '{c}' of the strata.",
            table.name,
            column=c,
        )
        for c in columns
        if c not in table.columns
    ]
    present = [name for name in _NUMBERS if name in folded]
    if not present:
        message = f"the table by stratum has none of the columns {', '.join(_NUMBERS)}."
        faults.append(Fault("column-missing", message, table.name))
    if faults:
        raise InputError(faults)
    numbers: dict[str, dict[Label, Fraction]] = {name: {} for name in present}
    known, seen = set(labels), set()
    for i, row in enumerate(table.row_numbers):
        label = tuple(table.column(c)[i] for c in columns)
        if label not in known:
            message = (
                f"the stratum {shown(label)} is not on the register. Correct its spelling or remove the row."
            )
            faults.append(Fault("stratum-unknown", message, table.name, row=row))
            continue
        if label in seen:
            message = f"the stratum {shown(label)} is in the table twice. Remove one of the rows."
            faults.append(Fault("stratum-duplicate", message, table.name, row=row))
            continue
        seen.add(label)
        for name in present:
            numbers[name][label] = _number(table, folded[name], i, name, faults)
    faults += [
        Fault(
            "stratum-missing", f"the stratum {shown(label)} of the register is not in the table.", table.name
        )
        for label in labels
        if label not in seen
    ]
    if faults:
        raise InputError(faults)
    return StratumTable(table.name, numbers)


def _number(table: Table, column: str, i: int, name: str, faults: list[Fault]) -> Fraction:
    text = table.column(column)[i]
    try:
        value = _fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(-1)
    bad = value < 0
    if name in {"letters", "answers"}:
        bad = bad or value.denominator != 1
        wanted = "a whole number, 0 or more"
    elif name == "response":
        bad = bad or not 0 < value <= 1
        wanted = "a rate above 0 and up to 1 (or 100 %)"
    else:
        wanted = "a number, 0 or more"
    if bad:
        message = f"{name} must be {wanted}."
        if _THOUSANDS.fullmatch(text.strip()):
            text = text.strip()
            message = (
                f"{name} could be {text.replace(',', '')} or {text.replace(',', '.')}. Write one of the two."
            )
        faults.append(Fault("allocation-invalid", message, table.name, table.row_numbers[i], column, text))
        return Fraction(1)
    return value


def _fraction(text: str) -> Fraction:
    text = text.strip()
    if _THOUSANDS.fullmatch(text):
        raise ValueError(text)
    text = text.replace(",", ".")
    if text.endswith("%"):
        return Fraction(text[:-1].strip()) / 100
    if len(text) > 40:
        raise ValueError(text)
    return Fraction(text)


def shown(label: Label) -> str:
    """«Lille · 16-29»; an empty value is shown as ∅."""
    return "'" + " · ".join(value or "∅" for value in label) + "'"


@dataclass(frozen=True)
class Wanted:
    """An allocation before it meets the people there are."""

    size: int
    asked: list[int]
    shares: list[int]


def wanted(
    scan: Scan,
    rule: str,
    size: int | None,
    table: StratumTable | None,
    response: StratumTable | None,
) -> Wanted:
    """Letters by stratum as the rule asks, in the strata's order.

    Raises:
        InputError: the size is missing, or numbers that the rule needs are.
    """
    labels = scan.labels
    if table is not None:
        letters = _given(table, response, labels)
        if size is not None and size != sum(letters):
            message = (
                f"the table asks for {sum(letters)} letters in all, and the size is {size}. Give one of them."
            )
            raise InputError([Fault("allocation-invalid", message, table.name, value=str(size))])
        return Wanted(sum(letters), letters, letters)
    if size is None:
        raise InputError([Fault("size-invalid", "give the number of letters (--size).", "")])
    shares = {"proportional": lambda: list(scan.weights), "equal": lambda: [1] * len(labels)}.get(
        rule, lambda: _neyman(scan, response)
    )()
    shares = [s if n else 0 for s, n in zip(shares, scan.rows, strict=True)]
    if not any(shares):
        shares = list(scan.rows)
    return Wanted(size, apportion(size, shares), shares)


def _given(table: StratumTable, response: StratumTable | None, labels: Sequence[Label]) -> list[int]:
    letters = table.column("letters", labels)
    if letters is not None:
        return [int(n) for n in letters]
    answers = table.column("answers", labels)
    rates = table.column("response", labels)
    if rates is None and response is not None:
        rates = response.column("response", labels)
    if answers is None or rates is None:
        message = "the allocation table needs a column «letters», or «answers» and expected response rates (--response)."
        raise InputError([Fault("column-missing", message, table.name)])
    return [-(-a // r) for a, r in zip(answers, rates, strict=True)]


def _neyman(scan: Scan, response: StratumTable | None) -> list[int]:
    """Rows times standard deviation (Neyman 1934): given as sd, else that of answering, √(r(1 − r)), to nine places."""
    if response is None:
        message = (
            "the allocation «neyman» needs a table by stratum with a column «sd» or «response» (--response)."
        )
        raise InputError([Fault("allocation-invalid", message, "")])
    deviations = response.column("sd", scan.labels)
    if deviations is not None:
        scaled = [int(d * _PLACES) for d in deviations]
    else:
        rates = response.column("response", scan.labels) or []
        scaled = [isqrt(int(r * (1 - r) * _PLACES**2)) for r in rates]
    return [n * d for n, d in zip(scan.rows, scaled, strict=True)]
