"""Why is this contribution in a group, or in none? In words that whoever wrote it could read, English or French.

The words say what was found and what was not done: a repeated text is no accusation, and nothing is deleted.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from klero.voices.groups import ALONE
from klero.words import number, percent, words

if TYPE_CHECKING:
    from klero.voices.groups import Group
    from klero.voices.ids import Id
    from klero.voices.near_duplicates import NearDuplicates

__all__ = ["explain_text"]


def explain_text(found: NearDuplicates, id: Id, lang: str = "en") -> str:  # noqa: A002 (the word of the result)
    """The paragraphs about one text.

    Raises:
        InputError: no text has this id, or there are no words in this language.
    """
    _ = words(lang).gettext
    row = found.row_of(id)
    group = found.group_of(id)
    name = found.ids[row]
    if group is not None:
        parts = _group_words(found, group, row, lang)
    elif found.group[row] == ALONE:
        parts = _alone_words(found, name, lang)
    else:
        text = _(
            "Contribution {id} holds no words, so there is nothing to compare: it is in no group, and not with other empty ones either."
        )
        parts = [text.format(id=name)]
    parts.append(
        _(
            "Nothing was deleted, merged or changed: every contribution stays as it was given, and klero takes no weight from it."
        )
    )
    return "\n".join(parts)


def _group_words(found: NearDuplicates, group: Group, row: int, lang: str) -> list[str]:
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    name = found.ids[row]
    head = ngettext(
        "Contribution {id} is in group {group}: {size} contributions that repeat each other, all in the same words.",
        "Contribution {id} is in group {group}: {size} contributions that repeat each other, in {distinct} different wordings.",
        group.distinct,
    )
    parts = [
        head.format(
            id=name, group=group.id, size=number(group.size, lang), distinct=number(group.distinct, lang)
        ),
        *_likeness_words(found, group, row, lang),
    ]
    if group.distinct > 1:
        text = _(
            "Each member is tied to {id} by a chain of matches; the weakest link of the group is {weakest}."
        )
        parts.append(text.format(id=group.representative, weakest=_share(group.weakest_edge, lang)))
    parts.append(
        _(
            "This is a finding about texts and no accusation: a petition, a form, a quotation or a short common answer looks the same, "
            "and the texts don't say who wrote first or why."
        )
    )
    return parts


def _likeness_words(found: NearDuplicates, group: Group, row: int, lang: str) -> list[str]:
    """How near it is to the representative, and what that means."""
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    if found.ids[row] == group.representative:
        return [_("It stands for its group: of all members, it is the nearest to the others.")]
    settings, similarity = found.settings, float(found.similarity[row])
    if settings.measure == "jaccard":
        text = ngettext(
            "It is compared with {id}, which stands for the group: of the different words in the two, {share} are in both.",
            "It is compared with {id}, which stands for the group: of the different runs of {k} words in the two, {share} are in both.",
            settings.shingle,
        )
    else:
        text = ngettext(
            "It is compared with {id}, which stands for the group: of the different words in the shorter one, {share} are in the other too.",
            "It is compared with {id}, which stands for the group: of the different runs of {k} words in the shorter one, {share} are in the other too.",
            settings.shingle,
        )
    parts = [text.format(id=group.representative, k=settings.shingle, share=_share(similarity, lang))]
    if similarity < settings.threshold:
        text = _(
            "That is below {threshold}, from which on two texts match: it is in the group through others in between."
        )
    else:
        text = _("Two texts match from {threshold} on.")
    return [*parts, text.format(threshold=_share(settings.threshold, lang))]


def _alone_words(found: NearDuplicates, name: Id, lang: str) -> list[str]:
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    settings = found.settings
    if settings.measure == "jaccard":
        text = ngettext(
            "Contribution {id} stands alone: no other was found that has {threshold} or more of the different words in common with it.",
            "Contribution {id} stands alone: no other was found that has {threshold} or more of the different runs of {k} words in common with it.",
            settings.shingle,
        )
    else:
        text = ngettext(
            "Contribution {id} stands alone: no other was found such that {threshold} or more of the shorter one's words are in the other.",
            "Contribution {id} stands alone: no other was found such that {threshold} or more of the shorter one's runs of {k} words are in the other.",
            settings.shingle,
        )
    parts = [text.format(id=name, threshold=_share(settings.threshold, lang), k=settings.shingle)]
    if settings.recall is not None:
        text = _(
            "The search was by sketches: a match just at that threshold is found with a probability of {recall} at least."
        )
        parts.append(text.format(recall=_share(settings.recall, lang)))
    return parts


def _share(value: float, lang: str) -> str:
    """As `percent`, without zeros that say nothing: «80 %», «66.67 %»."""
    text = percent(Fraction(value), lang)
    figures, unit = text[:-2], text[-2:]
    return figures.rstrip("0").rstrip(".,") + unit if "." in figures or "," in figures else text
