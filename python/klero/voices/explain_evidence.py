"""What two texts share, and what a group's letter is, in words that whoever wrote them could read, English or French.

The words say what was counted. They say nothing of who wrote first, of intent, or of whether somebody may repeat somebody.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING

from klero.words import number, percent, words

if TYPE_CHECKING:
    from klero.voices.evidence import Evidence, Slot, Template

__all__ = ["explain_evidence", "explain_template"]

_PASSAGES = 3
_SLOTS = 5
_QUOTED = 120


def explain_evidence(found: Evidence, lang: str = "en") -> str:
    """Paragraphs about two texts.

    Raises:
        InputError: there are no words in this language.
    """
    _ = words(lang).gettext
    if not found.words_a or not found.words_b:
        return _("A text without words is never compared: at least one of the two holds none.")
    one = found.shingle == 1
    if not found.shared:
        none = (
            _("The two texts share no word.")
            if one
            else _(
                "The two texts share no run of {k} words in a row; a text of fewer words counts as a whole."
            )
        )
        return "\n".join([none.format(k=found.shingle), *_collisions(found.collisions, lang)])
    counted = (
        _("Different words: {whole} in all, {shared} in both texts ({share}).")
        if one
        else _("Different runs of {k} words in a row: {whole} in all, {shared} in both texts ({share}).")
    )
    parts = [
        counted.format(
            whole=number(found.whole, lang),
            shared=number(found.shared, lang),
            k=found.shingle,
            share=percent(Fraction(found.shared, found.whole), lang),
        ),
        _(
            "Of what the first text says, {a} stands in the second; of the second, {b} stands in the first."
        ).format(
            a=percent(Fraction(found.shared, found.shingles_a), lang),
            b=percent(Fraction(found.shared, found.shingles_b), lang),
        ),
    ]
    parts += _passages(found, lang)
    parts += _collisions(found.collisions, lang)
    parts.append(
        _(
            "Upper and lower case, punctuation and spaces are not compared. Sharing words is no fault, and this says nothing of who wrote first."
        )
    )
    return "\n".join(parts)


def _passages(found: Evidence, lang: str) -> list[str]:
    ngettext = words(lang).ngettext
    longest = sorted(found.matches, key=lambda match: (-match.a.words, match.a.start))
    if not longest:
        return []
    text = ngettext(
        "{count} passage answers to one of the other text: {passages}",
        "{count} passages answer to one of the other text. The longest: {passages}",
        len(longest),
    )
    shown = _quotes((match.a.text for match in longest[:_PASSAGES]), lang)
    parts = [text.format(count=number(len(longest), lang), passages=shown)]
    moved = sum(match.moved for match in longest)
    if moved:
        text = ngettext(
            "{count} of them stands elsewhere in the order of the text.",
            "{count} of them stand elsewhere in the order of the text.",
            moved,
        )
        parts.append(text.format(count=number(moved, lang)))
    return parts


def _collisions(count: int, lang: str) -> list[str]:
    if not count:
        return []
    text = words(lang).ngettext(
        "{count} pair of different runs of words has the same hash, so the search took them for equal; here they are kept apart, word for word.",
        "{count} pairs of different runs of words have the same hash, so the search took them for equal; here they are kept apart, word for word.",
        count,
    )
    return [text.format(count=number(count, lang))]


def explain_template(found: Template, lang: str = "en") -> str:
    """Paragraphs about a group's letter.

    Raises:
        InputError: there are no words in this language.
    """
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    total = sum(found.words)
    if not found.letter_words:
        return _(
            "There is no run of words that more than half of the texts share, so there is no common letter."
        )
    parts = [
        _(
            "The letter is what more than half of the {members} texts share: {letter} of the {words} words of {id}."
        ).format(
            members=number(found.members, lang),
            letter=number(found.letter_words, lang),
            words=number(found.words[found.ids.index(found.representative)], lang),
            id=found.representative,
        ),
        _(
            "Of all words of the group, {share} belong to the letter; the rest is what members wrote themselves."
        ).format(share=percent(Fraction(total - sum(found.own_words), total), lang)),
    ]
    alone = sum(own == 0 for own in found.own_words)
    text = ngettext(
        "{count} text holds nothing but the letter.", "{count} texts hold nothing but the letter.", alone
    )
    parts.append(text.format(count=number(alone, lang)))
    used = sorted(found.slots, key=lambda slot: (-slot.members, slot.start))[:_SLOTS]
    parts += [_slot(slot, lang) for slot in used]
    more = len(found.slots) + found.slots_left_out - len(used)
    if more:
        text = ngettext(
            "There is {count} more place with words of one's own.",
            "There are {count} more places with words of one's own.",
            more,
        )
        parts.append(text.format(count=number(more, lang)))
    parts += _collisions(found.collisions, lang)
    return "\n".join(parts)


def _slot(slot: Slot, lang: str) -> str:
    _, ngettext = words(lang).gettext, words(lang).ngettext
    if slot.before:
        text = ngettext(
            "After {place}, {members} text has words of its own, for instance {examples}",
            "After {place}, {members} texts have words of their own, for instance {examples}",
            slot.members,
        )
    else:
        text = ngettext(
            "Before {place}, {members} text has words of its own, for instance {examples}",
            "Before {place}, {members} texts have words of their own, for instance {examples}",
            slot.members,
        )
    place = _quotes([slot.before or slot.after], lang, end="")
    examples = _quotes((filler.text for filler in slot.fillers), lang)
    return text.format(place=place, members=number(slot.members, lang), examples=examples)


def _quotes(passages: Iterable[str], lang: str, end: str = ".") -> str:
    """Passages between the language's quotation marks, on one line, cut where they are long."""
    left, right = ("«\u00a0", "\u00a0»") if lang == "fr" else ("“", "”")
    shown = []
    for passage in passages:
        text = " ".join(passage.split())
        shown.append(left + (text if len(text) <= _QUOTED else text[: _QUOTED - 1].rstrip() + "…") + right)
    return ", ".join(shown) + end
