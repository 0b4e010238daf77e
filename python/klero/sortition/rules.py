"""What else than quotas decides who may sit: weights, one seat for a household, people who must sit or can't, seats taken.

All of it is put into the terms that probabilities, panels and proofs know already. A *weight* belongs to a type: fairness is then about
p/w, a person's probability over their weight. A *household* rule («at most m from an address») becomes a feature: people of households
with the same members (as many of each type) share a value, and m seats a household are its maximum. That is exact: within such a
group the seats can always be dealt out so that no household has more than m (`rust/ledger/src/draw.rs` says how), and everybody of one type in it is
exchangeable. *Must sit* is a feature too, whose value «yes» has as many seats as people. Who is excluded, and whose seats are taken, is
settled before anything of this (:mod:`klero.sortition.decided`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypedDict

from klero._tables_cells import THOUSANDS, clean
from klero.errors import Fault, InputError, quoted
from klero.sortition.addresses import Decision, read_decisions

if TYPE_CHECKING:
    from klero.sortition.bins import Bins
    from klero.sortition.id_lists import IdList
    from klero.sortition.pool import Pool
    from klero.tables import TableSource

__all__ = [
    "ALONE",
    "HOUSEHOLD",
    "MUST_SIT",
    "RULE_FEATURES",
    "RuleOptions",
    "Rules",
    "compositions",
    "decisions_of",
    "rule_faults",
    "weights_of",
]

HOUSEHOLD = "(household)"
MUST_SIT = "(must sit)"
RULE_FEATURES = frozenset((HOUSEHOLD, MUST_SIT))
ALONE = "alone"

# With at most so many digits before and after the point; scaled to integers, weights stay below 10^12.
_DECIMAL = re.compile(r"([0-9]{1,6})(?:[.,]([0-9]{1,6}))?(?:[eE]([+-]?[0-9]{1,2}))?")
_THOUSANDS = re.compile(THOUSANDS)
_MOST_WEIGHT = 10**12
# Where weights are further apart, the linear programmes' floats no longer tell the bases apart that exact arithmetic needs.
_WIDEST = 10_000


class RuleOptions(TypedDict, total=False):
    """The keyword arguments of functions that match people with quotas; what they mean is said at `Rules`."""

    weight: str | None
    household: str | Sequence[str]
    per_household: int
    must_sit: IdList
    exclude: IdList
    taken: TableSource | None
    same_address_as: TableSource | None
    address: str | Sequence[str]
    address_decisions: TableSource | None
    bins: Bins


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Rules beside the quotas, and what is settled before the draw.

    A list of ids is a sequence of ids, a table with the column of ids, or a path (a table, or a text file with an id a line).

    Attributes:
        weight: the column of the people's weights, positive integers or decimals; None: all alike.
        household: the columns that make an address, one name or several; empty: no rule.
        per_household: how many people of one address may sit at most, 1 or more.
        must_sit: people who sit on every panel, a list of ids.
        exclude: people who can't sit, a list of ids; they leave the pool.
        taken: a table of people who have a seat already and are in the pool no more, with the columns that have quotas (and, under a household
            rule, the address); they count against size and quotas.
        same_address_as: a table of people selected before; whoever shares an address with one of them leaves the pool.
        address: the columns of the address for `same_address_as`; by default those of `household`.
        address_decisions: a table of pairs of addresses that look alike, with «same» or «different» (`klero households` lists them).
        bins: for columns of numbers, the rising edges between bands: ``{"age": [16, 25, 65]}``.
    """

    weight: str | None = None
    household: str | Sequence[str] = ()
    per_household: int = 1
    must_sit: IdList = ()
    exclude: IdList = ()
    taken: TableSource | None = None
    same_address_as: TableSource | None = None
    address: str | Sequence[str] = ()
    address_decisions: TableSource | None = None
    bins: Bins = field(default_factory=lambda: MappingProxyType({}))

    @property
    def household_columns(self) -> tuple[str, ...]:
        """The columns of the household rule."""
        return _columns(self.household)

    @property
    def address_columns(self) -> tuple[str, ...]:
        """The columns by which addresses are compared."""
        return self.household_columns or _columns(self.address)

    @property
    def most_of_household(self) -> int | None:
        """How many of a household may sit; None if there is no such rule, or one with a fault."""
        return (
            self.per_household if self.household_columns and not _limit_faults(self.per_household) else None
        )


def _columns(names: str | Sequence[str]) -> tuple[str, ...]:
    return tuple(clean(name) for name in ((names,) if isinstance(names, str) else names))


def rule_faults(pool: Pool, rules: Rules) -> list[Fault]:
    """The faults of weights and of the limit by household. Those of people and addresses are found by `decide`."""
    faults = ([] if rules.weight is None else _weights(pool, rules.weight)[1]) + _limit_faults(
        rules.per_household
    )
    if rules.household_columns and rules.address and _columns(rules.address) != rules.household_columns:
        message = "the columns of the address are given twice, and not alike. Name them once, with those of the household rule."
        faults.append(Fault("options-conflict", message, ""))
    return faults


def _limit_faults(most: int) -> list[Fault]:
    if isinstance(most, int) and not isinstance(most, bool) and most >= 1:
        return []
    message = f"{most!r} people of one address may sit, which is no whole number above zero. Write 1 or more."
    return [Fault("household-limit", message, "", value=str(most))]


def decisions_of(rules: Rules) -> tuple[tuple[tuple[Decision, ...], str], list[Fault]]:
    """What a person said about addresses that look alike, what messages call that table, and its faults."""
    source = rules.address_decisions
    name = Path(source).name if isinstance(source, str | PathLike) else "decisions"
    if source is None:
        return ((), name), []
    try:
        return (read_decisions(source), name), []
    except InputError as error:
        return ((), name), list(error.faults)


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
    if _THOUSANDS.fullmatch(text.strip()):
        point, none = text.strip().replace(",", "."), text.strip().replace(",", "")
        return Fraction(1), f"which could be {none} or {point}. Write one of the two."
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


def compositions(households: Iterable[Sequence[int]], kinds: Sequence[object]) -> dict[int, int]:
    """Which households are alike? The number of its household's composition, for each person in a household.

    Args:
        households: places of people.
        kinds: what the rules see of each person, sortable; households are alike if they have as many people of each kind.
    """
    made = [(tuple(sorted(kinds[i] for i in members)), members) for members in households]  # type: ignore[type-var]
    numbers = {content: number for number, content in enumerate(sorted({content for content, _ in made}))}
    return {i: numbers[content] for content, members in made for i in members}
