"""Quotas that can't be met, in words: which clash, what the pool holds, what to change."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from klero.errors import InfeasibleError
from klero.sortition.conflicts import find_conflict
from klero.sortition.feasibility import Bound, cell_people
from klero.sortition.repairs import Change, Repair, rules_alone, smallest_repairs, too_few_people

if TYPE_CHECKING:
    from klero.sortition.instance import Instance


def explain_infeasible(instance: Instance, quotas_name: str, choices: int = 1) -> InfeasibleError:
    """The error to raise for quotas that can't all be met: which clash, what the pool holds, what to change.

    Args:
        instance: people and quotas for which no panel exists.
        quotas_name: what the user calls the table of quotas (a file's name).
        choices: how many repairs to offer, the cheapest first.
    """
    if sum(instance.counts) < instance.size:
        return too_few_people(instance)
    conflict = find_conflict(instance).bounds
    if not conflict:
        return rules_alone(instance)
    repairs = smallest_repairs(instance, choices)
    named = conflict if len(conflict) == 1 else ()
    words = [_repair_words(instance, repair, number, named) for number, repair in enumerate(repairs)]
    return InfeasibleError(_conflict_words(instance, conflict, quotas_name), words)


def _repair_words(instance: Instance, repair: Repair, number: int, named: tuple[Bound, ...]) -> str:
    """«Smallest change that works: lower that minimum to 11.»"""
    changes = "; ".join(_change_words(instance, change, named) for change in repair.changes)
    if number:
        together = ", all of it together" if len(repair.changes) > 1 else ""
        seats = f"{repair.total} seat{'' if repair.total == 1 else 's'}"
        cost = "" if repair.cost == repair.total else f", {_number(repair.cost)} by importance"
        return f"Or{together} ({seats} moved{cost}): {changes}."
    if not repair.feasible_within_flex:
        return f"No change within min_flex and max_flex is enough. Smallest change beyond them: {changes}."
    if len(repair.changes) == 1:
        return f"Smallest change that works: {changes}."
    return f"Smallest changes that work, all of them together: {changes}."


def _number(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):g}"


def bound_words(instance: Instance, bound: Bound) -> str:
    """A bound as words: «at least 14 of gender: woman, of whom the pool holds 11»."""
    side = "at least" if bound.side == "min" else "at most"
    name, people = instance.cell_name(bound.cell), cell_people(instance)[bound.cell]
    return f"{side} {bound.value} of {name}, of whom the pool holds {people}"


def _conflict_words(instance: Instance, conflict: tuple[Bound, ...], quotas_name: str) -> tuple[str, ...]:
    """One sentence where one is enough, otherwise a line that says what follows and one for each bound."""
    pool = cell_people(instance)
    first = conflict[0]
    name = instance.cell_name(first.cell)
    if len(conflict) == 1 and first.side == "min" and first.value > pool[first.cell]:
        are = "is" if first.value == 1 else "are"
        return (f"{first.value} of {name} {are} asked for, {pool[first.cell]} in the pool ({quotas_name}).",)
    others = sum(instance.counts) - pool[first.cell]
    if len(conflict) == 1 and first.side == "max" and first.value + others < instance.size:
        fact = f"at most {first.value} of {name} may sit, and the pool holds {others} others"
        return (f"{instance.size} seats are to be filled, {fact} ({quotas_name}).",)
    lines = tuple(f"- {bound_words(instance, b)}" for b in conflict)
    rules = " besides the rules" if instance.rule_cells else ""
    return (
        f"No panel of {instance.size} keeps all of this{rules} ({quotas_name}), though it keeps any part of it:",
        *lines,
    )


def _change_words(instance: Instance, change: Change, named: tuple[Bound, ...]) -> str:
    """One change as words; a bound that the sentence before has just named is «that minimum»."""
    verb, side = ("lower", "minimum") if change.bound.side == "min" else ("raise", "maximum")
    which = (
        f"that {side}" if change.bound in named else f"the {side} of {instance.cell_name(change.bound.cell)}"
    )
    return f"{verb} {which} to {change.value}"
