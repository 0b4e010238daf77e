"""A register draw in words that a person who got a letter, or did not, could read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klero.sortition.register.allocation import shown
from klero.words import percent, words

if TYPE_CHECKING:
    from klero.sortition.register.invitation import Invitation

_MOST_STRATA = 20


def explain_invitation(invitation: Invitation, lang: str = "en") -> str:
    """How the draw was done, and what each person's chance was; a paragraph each."""
    _, ngettext = words(lang).gettext, words(lang).ngettext
    parts = [
        ngettext(
            "{letters} letter to people of a register of {people}; {excluded} of them were excluded beforehand.",
            "{letters} letters to people of a register of {people}; {excluded} of them were excluded beforehand.",
            len(invitation.ids),
        ).format(letters=len(invitation.ids), people=invitation.people, excluded=invitation.excluded),
        *_method(invitation, lang),
        *_strata(invitation, lang),
    ]
    expected = invitation.expected_answers
    if expected is not None:
        answers = f"{float(expected):.0f}"
        parts.append(_("About {answers} answers are expected at the rates given.").format(answers=answers))
    parts.append(
        _(
            "The register's digest is {digest}: it is the same in whatever order its rows stand, and changes with any row. "
            "The same register, design and text «{text}» give the same people on any computer."
        ).format(digest=invitation.register_digest, text=invitation.seed_text)
    )
    parts.append(_("TRIAL: whoever picks a seed could try many, so this draw proves nothing about chance."))
    return "\n\n".join(parts)


def _method(invitation: Invitation, lang: str) -> list[str]:
    _, ngettext = words(lang).gettext, words(lang).ngettext
    parts = []
    certain = any(row.certain for row in invitation.table)
    if invitation.equal:
        parts.append(
            _(
                "Everybody has a ticket, a number that the seed and their id give. In each stratum the lowest tickets get the letters, so all people "
                "of a stratum have the same chance."
            )
        )
    elif invitation.weighted:
        parts.append(
            _(
                "In each stratum chances are exactly in proportion to weights, but for people and addresses that weigh a letter's share or more: "
                "these are certain."
            )
            if certain
            else _("In each stratum a person's chance is exactly in proportion to their weight.")
        )
    if invitation.households:
        parts.append(
            _(
                "At most one person of an address gets a letter. An address counts as much as the people in it together, and chance decides which of them "
                "stands for it, so that who lives with others has no smaller chance."
            )
            if not certain
            else _(
                "At most one person of an address gets a letter. An address counts as much as the people in it together, and chance decides which of them "
                "stands for it. An address that weighs a letter's share or more gets a letter with certainty, and each of its people has a smaller "
                "chance than people elsewhere."
            )
        )
    if invitation.conditional:
        parts.append(
            ngettext(
                "{n} address has people of several strata. The chances stated therefore hold given who stands for each address; "
                "their inverses are unbiased weights.",
                "{n} addresses have people of several strata. The chances stated therefore hold given who stands for each address; "
                "their inverses are unbiased weights.",
                invitation.mixed_addresses,
            ).format(n=invitation.mixed_addresses)
        )
    if invitation.stages:
        parts.append(
            ngettext(
                "First {n} municipality was drawn, larger ones with a greater chance, then people in it. "
                "The chances stated are those of both stages together.",
                "First {n} municipalities were drawn, larger ones with a greater chance, then people in them. "
                "The chances stated are those of both stages together.",
                invitation.stages,
            ).format(n=invitation.stages)
        )
    return parts


def _strata(invitation: Invitation, lang: str) -> list[str]:
    _, ngettext = words(lang).gettext, words(lang).ngettext
    lines: list[str] = []
    for row in invitation.table:
        if not row.letters or len(lines) == _MOST_STRATA:
            continue
        name = shown(row.label) if row.label else _("all")
        text = ngettext(
            "{stratum}: {letters} letter to {people} people",
            "{stratum}: {letters} letters to {people} people",
            row.letters,
        ).format(stratum=name, letters=row.letters, people=row.people)
        if row.certain and invitation.households and not invitation.weighted and row.lowest is not None:
            text += _(
                ". The largest address has {n} people, each with a chance of {percent} ({exact})"
            ).format(n=row.largest, percent=percent(row.lowest, lang), exact=row.lowest)
            if row.factor is not None:
                text += _("; who lives at no certain address has a chance of {percent} ({exact})").format(
                    percent=percent(row.factor, lang), exact=row.factor
                )
        elif row.certain and row.factor is not None:
            text += _(", each who is left to chance with {exact} times their weight").format(exact=row.factor)
        elif row.factor is not None and not invitation.weighted:
            text += _(", each with a chance of {percent} ({exact})").format(
                percent=percent(row.factor, lang), exact=row.factor
            )
        elif row.factor is not None:
            text += _(", each with a chance of {exact} times their weight").format(exact=row.factor)
        if row.certain:
            text += ngettext(
                "; {n} has a letter with certainty, since the weight of the person or the address is a letter's share or more",
                "; {n} have a letter with certainty, since the weight of the person or the address is a letter's share or more",
                row.certain,
            ).format(n=row.certain)
        if row.letters != row.asked:
            text += _(
                "; {asked} would have been its share, and the difference comes from strata with too few people"
            ).format(asked=row.asked)
        lines.append(text + ".")
    more = sum(1 for row in invitation.table if row.letters) - len(lines)
    if more > 0:
        lines.append(ngettext("And {n} more stratum.", "And {n} more strata.", more).format(n=more))
    empty = sum(1 for row in invitation.table if not row.letters and row.people)
    if empty and not invitation.stages:
        lines.append(
            ngettext(
                "{n} stratum gets no letter: nobody in it has a chance.",
                "{n} strata get no letter: nobody in them has a chance.",
                empty,
            ).format(n=empty)
        )
    return ["\n".join(lines)]
