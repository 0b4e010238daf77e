"""What else than quotas decides who may sit: weights, one seat for a household, people who must sit.

All of it is put into the terms that probabilities, panels and proofs know already. A *weight* belongs to a type: fairness is then about
p/w, a person's probability over their weight. A *household* rule («at most m from an address») becomes a feature: people of households
with the same members (as many of each type) share a value, and m seats a household are its maximum. That is exact: within such a
group the seats can always be dealt out so that no household has more than m (`rust/ledger/src/draw.rs` says how), and everybody of one type in it is
exchangeable. *Must sit* is a feature too, whose value «yes» has as many seats as people.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from typing import TYPE_CHECKING

from klero._tables_cells import clean, folded
from klero.errors import Fault, quoted

if TYPE_CHECKING:
    from klero.sortition.pool import Pool

__all__ = [
    "ALONE",
    "HOUSEHOLD",
    "MUST_SIT",
    "RULE_FEATURES",
    "Rules",
    "compositions",
    "rule_faults",
    "weights_of",
]

HOUSEHOLD = "(household)"
MUST_SIT = "(must sit)"
RULE_FEATURES = frozenset((HOUSEHOLD, MUST_SIT))
ALONE = "alone"

# With at most so many digits before and after the point; scaled to integers, weights stay below 10^12.
_DECIMAL = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,6}))?(?:[eE]([+-]?[0-9]{1,2}))?")
_MOST_WEIGHT = 10**12
# Where weights are further apart, the linear programmes' floats no longer tell the bases apart that exact arithmetic needs.
_WIDEST = 100_000


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Rules beside the quotas.

    Attributes:
        weight: the column of the people's weights, positive integers or decimals; None: all alike.
        household: the columns that make an address; empty: no rule.
        per_household: how many people of one address may sit at most, 1 or more.
        must_sit: ids of people who sit on every panel.
    """

    weight: str | None = None
    household: tuple[str, ...] = ()
    per_household: int = 1
    must_sit: tuple[str, ...] = ()


def rule_faults(pool: Pool, rules: Rules, size: int) -> list[Fault]:
    """Every fault of the rules by themselves and against the people."""
    faults = [] if rules.weight is None else _weights(pool, rules.weight)[1]
    for column in rules.household:
        if clean(column) not in pool.columns:
            message = f"there is no address column {quoted(column)}. The columns are: {', '.join(map(quoted, pool.columns))}."
            faults.append(Fault("household-column-missing", message, pool.name, column=column))
    if (
        isinstance(rules.per_household, bool)
        or not isinstance(rules.per_household, int)
        or rules.per_household < 1
    ):
        message = f"{rules.per_household!r} people of one address may sit, which is no whole number above zero. Write 1 or more."
        faults.append(Fault("household-limit", message, "", value=str(rules.per_household)))
    known = set(pool.ids)
    for person, times in Counter(rules.must_sit).items():
        if person not in known:
            message = f"{quoted(person)} is to sit on every panel and is not in the pool. Correct the id, or add the person."
            faults.append(Fault("person-unknown", message, pool.name, value=person))
        if times > 1:
            message = f"{quoted(person)} stands {times} times among those who must sit. Keep one."
            faults.append(Fault("must-sit-duplicate", message, "", value=person))
    if rules.must_sit and isinstance(size, int) and 0 < size < len(rules.must_sit):
        message = (
            f"{len(rules.must_sit)} people must sit and there are {size} seats. Name fewer, or draw more."
        )
        faults.append(Fault("must-sit-over-size", message, "", value=str(len(rules.must_sit))))
    return faults


def weights_of(pool: Pool, column: str | None) -> list[int]:
    """Each person's weight as an integer, all divided by their common factor; 1 where there is no column."""
    return [1] * len(pool) if column is None else _weights(pool, column)[0]


def _weights(pool: Pool, column: str) -> tuple[list[int], list[Fault]]:
    name = clean(column)
    if name not in pool.columns:
        there = ", ".join(map(quoted, pool.columns))
        message = f"there is no column {quoted(column)} of weights. The columns are: {there}."
        return [], [Fault("weight-column-missing", message, pool.name, column=column)]
    values, faults = [], []
    for text, row in zip(pool.column(name), pool.row_numbers, strict=True):
        value, problem = _weight(text)
        if problem:
            message = f"the weight is {quoted(text) if text else 'empty'}, {problem}"
            faults.append(Fault("weight-invalid", message, pool.name, row, name, text))
        values.append(value)
    if faults:
        return [], faults
    scale = lcm(*{value.denominator for value in values})
    whole = [value.numerator * (scale // value.denominator) for value in values]
    common = reduce(gcd, whole)
    whole = [value // common for value in whole]
    if max(whole) > _WIDEST * min(whole):
        message = (
            f"the weights of {quoted(name)} go from {float(min(values)):g} to {float(max(values)):g}; klero takes weights up to {_WIDEST} times "
            "one another. Raise the smallest, or lower the largest (trimming weights is usual)."
        )
        return [], [Fault("weight-invalid", message, pool.name, column=name)]
    if max(whole) > _MOST_WEIGHT:
        message = (
            f"the weights need the common unit 1/{scale // gcd(scale, common)}, in which the largest is above 10^12. "
            "Round them to fewer digits."
        )
        return [], [Fault("weight-invalid", message, pool.name, column=name)]
    return whole, []


def _weight(text: str) -> tuple[Fraction, str]:
    """A weight and what is wrong with it ('' if nothing)."""
    found = _DECIMAL.fullmatch(text.strip())
    if found is None:
        if text.strip().startswith(("-", "\u2212")):
            return Fraction(1), "and a weight is above zero. Correct it, or take the person out."
        return Fraction(1), (
            "and a weight is a positive number with at most 6 digits before and 6 after the point, such as 2 or 1.25."
        )
    before, after, exponent = found[1], found[2] or "", int(found[3] or 0)
    value = Fraction(int(before + after), 10 ** len(after)) * Fraction(10) ** exponent
    if value == 0:
        return Fraction(
            1
        ), "which would shut the person out. Write a number above zero, or take the person out."
    if not Fraction(1, 10**6) <= value <= 10**6:
        return Fraction(1), "and weights go from 0.000001 to 1000000. Choose another unit for all of them."
    return value, ""


def addresses(pool: Pool, columns: Sequence[str]) -> list[tuple[int, ...]]:
    """People (by place in the pool) with the same address, where there are several; an empty address is nobody else's."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, parts in enumerate(zip(*(pool.column(clean(c)) for c in columns), strict=True)):
        key = tuple(folded(part) for part in parts)
        if any(key):
            groups.setdefault(key, []).append(i)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def compositions(households: Iterable[Sequence[int]], kinds: Sequence[object]) -> dict[int, int]:
    """Which households are alike? The number of its household's composition, for each person in a household.

    Args:
        households: places of people.
        kinds: what the rules see of each person, sortable; households are alike if they have as many people of each kind.
    """
    made = [(tuple(sorted(kinds[i] for i in members)), members) for members in households]  # type: ignore[type-var]
    numbers = {content: number for number, content in enumerate(sorted({content for content, _ in made}))}
    return {i: numbers[content] for content, members in made for i in members}
