"""Quotas that can't be met, in words: which clash, what the pool holds, what to change."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from klero.errors import InfeasibleError
from klero.sortition.conflicts import find_conflict
from klero.sortition.feasibility import Bound, cell_people
from klero.sortition.repairs import Change, Repair, rules_alone, smallest_repairs, too_few_people
from klero.words import words

if TYPE_CHECKING:
    from klero.sortition.instance import Instance


def explain_infeasible(
    instance: Instance, quotas_name: str, choices: int = 1, lang: str = "en"
) -> InfeasibleError:
    """The error to raise for quotas that can't all be met: which clash, what the pool holds, what to change.

    Args:
        instance: people and quotas for which no panel exists.
        quotas_name: what the user calls the table of quotas (a file's name).
        choices: how many repairs to offer, the cheapest first.
        lang: «en» or «fr».
    """
    if sum(instance.counts) < instance.size:
        return too_few_people(instance, lang)
    conflict = find_conflict(instance).bounds
    if not conflict:
        return rules_alone(instance, lang)
    repairs = smallest_repairs(instance, choices)
    named = conflict if len(conflict) == 1 else ()
    texts = [_repair_words(instance, repair, number, named, lang) for number, repair in enumerate(repairs)]
    return InfeasibleError(_conflict_words(instance, conflict, quotas_name, lang), texts, lang)


def _repair_words(
    instance: Instance, repair: Repair, number: int, named: tuple[Bound, ...], lang: str
) -> str:
    """«Smallest change that works: lower that minimum to 11.»"""
    _, ngettext = words(lang).gettext, words(lang).ngettext
    changes = "; ".join(_change_words(instance, change, named, lang) for change in repair.changes)
    if number:
        seats = ngettext("{n} seat moved", "{n} seats moved", repair.total).format(n=repair.total)
        if repair.cost != repair.total:
            seats += ", " + _("{cost} by importance").format(cost=_number(repair.cost, lang))
        text = (
            _("Or, all of it together ({seats}): {changes}.")
            if len(repair.changes) > 1
            else _("Or ({seats}): {changes}.")
        )
        return text.format(seats=seats, changes=changes)
    if not repair.feasible_within_flex:
        text = _("No change within min_flex and max_flex is enough. Smallest change beyond them: {changes}.")
    elif len(repair.changes) == 1:
        text = _("Smallest change that works: {changes}.")
    else:
        text = _("Smallest changes that work, all of them together: {changes}.")
    return text.format(changes=changes)


def _number(value: Fraction, lang: str) -> str:
    text = str(value.numerator) if value.denominator == 1 else f"{float(value):g}"
    return text if lang == "en" else text.replace(".", ",")


def bound_words(instance: Instance, bound: Bound, lang: str = "en") -> str:
    """A bound as words: «at least 14 of gender: woman, of whom the pool holds 11»."""
    _ = words(lang).gettext
    text = (
        _("at least {n} of {cell}, of whom the pool holds {people}")
        if bound.side == "min"
        else _("at most {n} of {cell}, of whom the pool holds {people}")
    )
    name, people = instance.cell_name(bound.cell), cell_people(instance)[bound.cell]
    return text.format(n=bound.value, cell=name, people=people)


def _conflict_words(
    instance: Instance, conflict: tuple[Bound, ...], quotas_name: str, lang: str
) -> tuple[str, ...]:
    """One sentence where one is enough, otherwise a line that says what follows and one for each bound."""
    _, ngettext = words(lang).gettext, words(lang).ngettext
    pool = cell_people(instance)
    first = conflict[0]
    name = instance.cell_name(first.cell)
    if len(conflict) == 1 and first.side == "min" and first.value > pool[first.cell]:
        text = ngettext(
            "{n} of {cell} is asked for, {people} in the pool ({quotas}).",
            "{n} of {cell} are asked for, {people} in the pool ({quotas}).",
            first.value,
        )
        return (text.format(n=first.value, cell=name, people=pool[first.cell], quotas=quotas_name),)
    others = sum(instance.counts) - pool[first.cell]
    if len(conflict) == 1 and first.side == "max" and first.value + others < instance.size:
        text = _(
            "{size} seats are to be filled, at most {n} of {cell} may sit, and the pool holds {others} others ({quotas})."
        )
        return (text.format(size=instance.size, n=first.value, cell=name, others=others, quotas=quotas_name),)
    lines = tuple(f"- {bound_words(instance, b, lang)}" for b in conflict)
    text = (
        _(
            "No panel of {size} keeps all of this besides the rules ({quotas}), though it keeps any part of it:"
        )
        if instance.rule_cells
        else _("No panel of {size} keeps all of this ({quotas}), though it keeps any part of it:")
    )
    return (text.format(size=instance.size, quotas=quotas_name), *lines)


def _change_words(instance: Instance, change: Change, named: tuple[Bound, ...], lang: str) -> str:
    """One change as words; a bound that the sentence before has just named is «that minimum»."""
    _ = words(lang).gettext
    if change.bound.side == "min":
        text = (
            _("lower that minimum to {n}")
            if change.bound in named
            else _("lower the minimum of {cell} to {n}")
        )
    else:
        text = (
            _("raise that maximum to {n}")
            if change.bound in named
            else _("raise the maximum of {cell} to {n}")
        )
    return text.format(n=change.value, cell=instance.cell_name(change.bound.cell))
