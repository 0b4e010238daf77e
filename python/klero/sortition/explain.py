"""Why these probabilities? The certificate in words that a citizens' jury could read.

The data are the certificate's levels (`certificate.py`): who is in the group, how many seats the quotas leave to it, which quotas bind. Nothing is
computed anew, so that what is said is what the verifiers check.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from klero.sortition.certificate import Level
from klero.sortition.conflicts import why_never
from klero.sortition.traits import quota_words, traits
from klero.words import percent, words

if TYPE_CHECKING:
    from klero.sortition.instance import Instance
    from klero.sortition.lottery import Lottery

_MOST_REASONS = 12
_MOST_PEOPLE = 20


def explain_lottery(lottery: Lottery, lang: str = "en") -> str:
    """The lottery and each level of its certificate, a paragraph each."""
    catalogue = words(lang)
    _ = catalogue.gettext
    instance = lottery.instance
    parts = [
        _(
            "{people} people for {size} seats; {panels} panels share {balls} balls, and each panel meets every quota."
        ).format(
            people=len(instance.ids),
            size=instance.size,
            panels=len(lottery.panels),
            balls=lottery.denominator,
        ),
        _range_words(lottery, lang),
        *_never_words(lottery, lang),
    ]
    if lottery.certificate.claim is not None:
        from klero.sortition.explain_claim import claim_words

        return "\n\n".join([*parts, *claim_words(lottery, lang)])
    total = len(lottery.certificate.levels)
    certain = _certain_levels(lottery)
    for number, level in enumerate(lottery.certificate.levels, 1):
        if level.value == 0 or (number in certain and len(certain) > 1):
            continue
        if instance.weighted:
            head = _("Level {number} of {total}: {exact} for each unit of weight.").format(
                number=number, total=total, exact=level.value
            )
        else:
            head = _("Level {number} of {total}: {percent} ({exact}).").format(
                number=number, total=total, percent=percent(level.value, lang), exact=level.value
            )
        parts.append(f"{head} {_level_words(lottery, level, lang)}")
    if len(certain) > 1:
        # Where most of a panel stays, nearly each of them is a level: one sentence for all.
        types = [t for number in certain for t, _y in lottery.certificate.levels[number - 1].types]
        text = _("Levels {numbers} of {total}: these {n} people always sit.")
        parts.append(text.format(numbers=_runs(certain), total=total, n=instance.people_of(types)))
    parts.append(
        _("The lottery's whole balls come within {gap} of these bounds (measured, worst level).").format(
            gap=f"{float(lottery.certificate.gap):.1e}"
        )
    )
    return "\n\n".join(parts)


def _range_words(lottery: Lottery, lang: str) -> str:
    """From the smallest to the largest chance, of those who are not settled anyway."""
    _ = words(lang).gettext
    figures = lottery.among(lottery.open_types)
    text = _("Selection probabilities go from {low} ({low_exact}) to {high} ({high_exact}).")
    if 0 < len(lottery.open_types) < len(lottery.instance.types):
        text = _(
            "Of those whose chance is open ({n}), selection probabilities go from {low} ({low_exact}) to {high} ({high_exact})."
        )
    return text.format(
        n=figures.people,
        low=percent(figures.smallest, lang),
        low_exact=figures.smallest,
        high=percent(figures.largest, lang),
        high_exact=figures.largest,
    )


def explain_person(lottery: Lottery, person: str, lang: str = "en") -> str:
    """One person's probability and the reason for it."""
    _ = words(lang).gettext
    t = lottery.instance.person_type[lottery.position(person)]
    p = lottery.type_probabilities[t]
    chance = _("{person} has a probability of {percent} ({exact}) of sitting on the panel.").format(
        person=person, percent=percent(p, lang), exact=p
    )
    return "\n".join([chance, *explain_type(lottery, t, lang)])


def explain_type(lottery: Lottery, t: int, lang: str = "en") -> list[str]:
    """Who is of this type, and why they have their probability: a sentence or two each."""
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    instance = lottery.instance
    same = instance.counts[t]
    parts = [
        ngettext(
            "Of this type ({traits}) there is {n} person in the pool.",
            "Of this type ({traits}) there are {n} people in the pool, all with the same probability.",
            same,
        ).format(traits=traits(instance, t, lang), n=same),
    ]
    level = next((lv for lv in lottery.certificate.levels if any(t == u for u, _y in lv.types)), None)
    if level is None and lottery.certificate.claim is not None:
        from klero.sortition.explain_claim import chance_words

        parts += chance_words(lottery, t, lang)
    elif level is None:
        never = set(lottery.never)
        bound = min(q for u, q in enumerate(lottery.type_probabilities) if u not in never)
        parts.append(
            _("Nobody who can sit has less than {percent}; above that, maximin does not distinguish.").format(
                percent=percent(bound, lang)
            )
        )
    elif level.value == 0:
        parts.append(_never_reason(instance, t, lang))
    else:
        parts.append(_level_words(lottery, level, lang))
    return parts


def _certain_levels(lottery: Lottery) -> list[int]:
    """The numbers, from 1, of the levels whose people sit on every panel."""
    certain = set(lottery.certain)
    levels = enumerate(lottery.certificate.levels, 1)
    return [number for number, level in levels if all(t in certain for t, _y in level.types)]


def _runs(numbers: Sequence[int]) -> str:
    """«3, 7–23» of rising numbers."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in runs)


def _never_words(lottery: Lottery, lang: str) -> list[str]:
    if not lottery.never:
        return []
    ngettext = words(lang).ngettext
    instance = lottery.instance
    excluded = set(lottery.never)
    people = [i for i, t in zip(instance.ids, instance.person_type, strict=True) if t in excluded]
    names = ", ".join(people[:_MOST_PEOPLE]) + (" …" if len(people) > _MOST_PEOPLE else "")
    head = ngettext(
        "{n} person can sit on no panel that meets the quotas: {names}.",
        "{n} people can sit on no panel that meets the quotas: {names}.",
        len(people),
    ).format(n=len(people), names=names)
    reasons = dict.fromkeys(_never_reason(instance, t, lang) for t in lottery.never[:_MOST_REASONS])
    return [" ".join([head, *reasons])]


def _never_reason(instance: Instance, t: int, lang: str) -> str:
    """Which quotas together shut a type out."""
    _ = words(lang).gettext
    who = traits(instance, t, lang)
    bounds = why_never(instance, t)
    if not bounds:  # the rules alone shut them out
        return _(
            "No panel has room for a person of type {traits}: whoever must sit, of their address or of all, leaves them no seat."
        ).format(traits=who)
    quotas = quota_words(instance, [(b.cell, b.side == "max") for b in bounds], lang)
    return _(
        "No panel has room for a person of type {traits}; together these quotas shut them out: {quotas}."
    ).format(traits=who, quotas=quotas)


def _level_words(lottery: Lottery, level: Level, lang: str) -> str:
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    instance = lottery.instance
    people = sum(instance.counts[t] for t, _y in level.types)
    seats = level.value * sum(instance.shares[t] for t, _y in level.types)
    if all(lottery.type_probabilities[t] == 1 for t, _y in level.types):
        return ngettext("This {n} person always sits.", "These {n} people always sit.", people).format(
            n=people
        )
    even = len({y for _t, y in level.types}) == 1
    if instance.weighted:
        text = _weighted_words(level, people, seats if even else None, lang)
    elif even:
        text = ngettext(
            "The quotas leave at most {seats} seats to this {n} person, so no lottery can give more than {value}.",
            "The quotas leave at most {seats} seats to these {n} people, so no lottery can give each of them more than {value}.",
            people,
        ).format(seats=_seats(seats, lang), n=people, value=level.value)
    else:
        text = ngettext(
            "The quotas, weighed against each other, hold this {n} person at {value} at most.",
            "The quotas, weighed against each other, leave no lottery in which each of these {n} people has more than {value}.",
            people,
        ).format(n=people, value=level.value)
    binding = [(c, w > 0) for c, w in level.cells]
    if binding:
        text += " " + _("What binds: {quotas}.").format(quotas=quota_words(instance, binding, lang))
    elif level.proof:
        text += " " + _("Shown by trying all ways to seat them (the proof is a tree of {n} nodes).").format(
            n=len(level.proof)
        )
    else:
        text += " " + _("What binds: the number of seats.")
    earlier = lottery.certificate.levels[: lottery.certificate.levels.index(level)]
    if any(other.value > 0 for other in earlier):
        text = " ".join([_("Once those with smaller chances have theirs:"), text])
    return text


def _weighted_words(level: Level, people: int, seats: Fraction | None, lang: str) -> str:
    """A level of p/w; `seats` where all of the group count alike."""
    ngettext = words(lang).ngettext
    if seats is not None:
        return ngettext(
            "The quotas leave at most {seats} seats to this {n} person, so no lottery can give more than {value} times the weight.",
            "The quotas leave at most {seats} seats to these {n} people, so no lottery can give each of them more than {value} times their weight.",
            people,
        ).format(seats=_seats(seats, lang), n=people, value=level.value)
    return ngettext(
        "The quotas, weighed against each other, hold this {n} person at {value} times the weight at most.",
        "The quotas, weighed against each other, leave no lottery in which each of these {n} people has more than {value} times their weight.",
        people,
    ).format(n=people, value=level.value)


def _seats(seats: Fraction, lang: str) -> str:
    if seats.denominator == 1:
        return str(seats.numerator)
    text = f"{float(seats):.3f}".rstrip("0").rstrip(".")
    return text if lang == "en" else text.replace(".", ",")
