"""A group of contributions that are alike, as a part of the page: its figures, its letter, its dates, and texts side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from klero._page import figure, html_table, safe
from klero._page_words import counted, decimal, moment
from klero.voices.breakdowns import stance_words, values_table
from klero.voices.repeats_facts import Facts, GroupFacts
from klero.voices.repeats_pictures import similarity_svg
from klero.voices.repeats_texts import Comparison, Shown, SlotFacts
from klero.voices.repeats_words import accounts_words
from klero.voices.times import time_svg
from klero.words import number, words

__all__ = ["group_section", "is_short", "same_words"]

_SHORT = 200  # code points of a text that needs no part of its own

_KINDS = {"own": "o", "shared": "c", "moved": "v", "slot": "k"}


def group_section(group: GroupFacts, facts: Facts, lang: str) -> str:
    """The part of the page on one group."""
    _ = words(lang).gettext
    name = f"g{group.number}"
    heading = _("Group {n}: {id}, {contributions}").format(
        n=group.number, id=group.id, contributions=counted(group.size, lang)
    )
    parts = [
        "".join(f"<p>{safe(line)}</p>\n" for line in group_words(group, facts, lang)),
        _letter(group, lang),
        _comparisons(group.comparisons, lang),
        _times(group, facts, lang),
        values_table(group.questions, group.size, _("question"), lang),
        values_table(stance_words(group.stances, lang), group.size, _("stance"), lang),
    ]
    if group.distinct > 1:
        parts.append(figure(_("Similarity to the representative"), similarity_svg(group, lang), little=True))
    parts.append(_members(group, lang))
    return f'<section class="group" id="{name}" aria-labelledby="{name}-h"><h3 id="{name}-h">{safe(heading)}</h3>\n{"".join(parts)}</section>\n'


def _members(group: GroupFacts, lang: str) -> str:
    """The ids of the members, folded away."""
    if not group.members:
        return ""
    _ = words(lang).gettext
    head = _("Members (their ids)")
    more = ""
    if (left := group.size - len(group.members)) > 0:
        text = words(lang).ngettext(
            "The first {shown} by id; {n} more is not shown.",
            "The first {shown} by id; {n} more are not shown.",
            left,
        )
        told = text.format(shown=number(len(group.members), lang), n=number(left, lang))
        more = f'<p class="small">{safe(told)}</p>\n'
    ids = ", ".join(f"<bdi>{safe(name)}</bdi>" for name in group.members)
    return f'<details><summary>{safe(head)}</summary>{more}<p class="ids">{ids}</p></details>\n'


def is_short(group: GroupFacts) -> bool:
    """Whether a group is one wording of few words, for which a line says all."""
    return group.distinct == 1 and not group.letter.left_out and len(_whole(group)) <= _SHORT


def _whole(group: GroupFacts) -> str:
    return "".join(piece.text for piece in group.letter.pieces if piece.kind != "slot")


def same_words(groups: Sequence[GroupFacts], lang: str) -> str:
    """The groups of one short wording each, as a table."""
    _ = words(lang).gettext
    rows = [
        [
            f'<span id="g{group.number}">{group.number}</span>',
            safe(group.id),
            number(group.size, lang),
            accounts_words(group.accounts, lang),
            f"<bdi>{safe(_whole(group))}</bdi>",
        ]
        for group in groups
    ]
    headings = [
        _("no."),
        _("group (its smallest id)"),
        _("contributions"),
        _("different accounts"),
        _("text"),
    ]
    return (
        html_table(headings, rows, numbers=(0, 2, 3), caption=_("The same words: groups of one short text"))
        if rows
        else ""
    )


def _letter(group: GroupFacts, lang: str) -> str:
    """The letter with its places; only the representative's text where nothing in it is shared by most, or there is one wording."""
    _ = words(lang).gettext
    kinds = {piece.kind for piece in group.letter.pieces}
    if group.distinct == 1:
        return _headed(_("The text"), shown_html(group.letter, lang))
    if "letter" not in kinds and "own" in kinds:
        none = _(
            "No words are shared by more than half of the group: there is no letter to show, only the representative's text."
        )
        bare = replace(
            group.letter,
            pieces=tuple(replace(piece, kind="gap") for piece in group.letter.pieces if piece.kind != "slot"),
        )
        return _headed(_("The text of the representative"), f"<p>{safe(none)}</p>\n" + shown_html(bare, lang))
    return _headed(_("The letter"), shown_html(group.letter, lang) + _slots(group.letter, lang))


def _headed(heading: str, body: str) -> str:
    return f"<h4>{safe(heading)}</h4>\n{body}"


def group_words(group: GroupFacts, facts: Facts, lang: str) -> list[str]:
    """A group's figures in sentences."""
    _ = words(lang).gettext
    if group.distinct == 1:
        text = _("All {n} have the same words in the same order. Representative: {id}.")
        lines = [text.format(n=number(group.size, lang), id=group.representative)]
    else:
        text = _("{distinct} different texts. Representative: {id}. Weakest link: {weakest}.")
        lines = [
            text.format(
                distinct=number(group.distinct, lang),
                id=group.representative,
                weakest=decimal(group.weakest, lang),
            )
        ]
        low, middle = group.similarities[0], group.similarities[len(group.similarities) // 2]
        spread = ""
        if low >= facts.settings.threshold:
            spread = _("Similarity to the representative: {low} or more.").format(
                low=decimal(float(low), lang)
            )
        if facts.settings.threshold <= low < middle < 1:
            spread += " " + _("For half of them: {middle} or more.").format(
                middle=decimal(float(middle), lang)
            )
        lines += [spread] if spread else [_through_others(group, facts, lang)]
    lines += _accounts(group, lang)
    if 1 < group.looked_at < group.size:
        text = _(
            "The letter and what was put into it are told from {n} of them, chosen by a hash of their ids."
        )
        lines.append(text.format(n=number(group.looked_at, lang)))
    if group.first:
        text = _("From {first} to {last}.")
        lines.append(text.format(first=moment(group.first, lang), last=moment(group.last, lang)))
    return lines


def _through_others(group: GroupFacts, facts: Facts, lang: str) -> str:
    """That members are less like the representative than the threshold asks."""
    under = int((group.similarities < facts.settings.threshold).sum())
    text = words(lang).ngettext(
        "{n} member is tied to the representative only through others (its own similarity to it is {low}): "
        "maybe there are several texts here, joined in a chain.",
        "{n} members are tied to the representative only through others (their own similarity to it is under {threshold}, down to {low}): "
        "maybe there are several texts here, joined in a chain.",
        under,
    )
    return text.format(
        n=number(under, lang),
        threshold=decimal(facts.settings.threshold, lang),
        low=decimal(float(group.similarities[0]), lang),
    )


def _accounts(group: GroupFacts, lang: str) -> list[str]:
    """From how many accounts the group comes; nothing where that is not known, which is said once for all groups."""
    if group.accounts is None:
        return []
    count = words(lang).gettext("Different accounts: {n}.")
    return [count.format(n=accounts_words(group.accounts, lang))]


def shown_html(shown: Shown, lang: str) -> str:
    """A text with its kinds marked; the language is not known, and the direction is that of its letters."""
    _ = words(lang).gettext
    inner = "".join(
        f'<mark class="{_KINDS[piece.kind]}">{safe(piece.text)}</mark>'
        if piece.kind in _KINDS
        else safe(piece.text)
        for piece in shown.pieces
    )
    told = ""
    if shown.left_out:
        text = words(lang).ngettext(
            "The text goes on: {n} more character is not shown.",
            "The text goes on: {n} more characters are not shown.",
            shown.left_out,
        )
        told = f'<p class="small">{safe(text.format(n=number(shown.left_out, lang)))}</p>\n'
    return f'<div class="said" dir="auto" lang="">{inner}</div>\n{told}'


def _slots(letter: Shown, lang: str) -> str:
    """What members put into the letter, by place."""
    _ = words(lang).gettext
    if not letter.slots:
        return ""
    rows = [
        [
            f'<mark class="k">{slot.number}</mark>',
            _place(slot, lang),
            number(slot.members, lang),
            "<br>".join(_filler(text, count, lang) for text, count in slot.fillers)
            + ("<br>…" if slot.distinct > len(slot.fillers) else ""),
        ]
        for slot in letter.slots
    ]
    headings = [
        _("place"),
        _("between"),
        _("members who wrote something there"),
        _("what they wrote (most frequent first)"),
    ]
    out = html_table(headings, rows, numbers=(2,), caption=_("Own words in the letter"))
    if letter.slots_left_out:
        text = words(lang).ngettext(
            "{n} more place is not shown.", "{n} more places are not shown.", letter.slots_left_out
        )
        out += f'<p class="small">{safe(text.format(n=number(letter.slots_left_out, lang)))}</p>\n'
    return out


def _place(slot: SlotFacts, lang: str) -> str:
    _ = words(lang).gettext
    before = _("«{text}»").format(text=slot.before) if slot.before else _("(start)")
    after = _("«{text}»").format(text=slot.after) if slot.after else _("(end)")
    return f"<bdi>{safe(before)}</bdi> · <bdi>{safe(after)}</bdi>"


def _filler(text: str, count: int, lang: str) -> str:
    times = f" ({number(count, lang)}×)" if count > 1 else ""
    return f"<bdi>{safe(text)}</bdi>{times}"


def _comparisons(comparisons: Sequence[Comparison], lang: str) -> str:
    """Texts side by side, the shared words on a ground of their own."""
    _ = words(lang).gettext
    if not comparisons:
        return ""
    said = _(
        "Shaded: words that both have, in the same order. Dotted: words that both have, at another place. Underlined: words of one alone."
    )
    parts = [_headed(_("Side by side"), f'<p class="small">{safe(said)}</p>\n')]
    for one in comparisons:
        heading = _("Similarity {value}").format(value=decimal(one.similarity, lang))
        sides = "".join(
            f"<div><h5>{safe(name)}</h5>{shown_html(text, lang)}</div>"
            for name, text in (
                (_("{id} (representative)").format(id=one.first_id), one.first),
                (one.second_id, one.second),
            )
        )
        parts.append(f'<p><strong>{safe(heading)}</strong></p>\n<div class="sides">{sides}</div>\n')
    return "".join(parts)


def _times(group: GroupFacts, facts: Facts, lang: str) -> str:
    _ = words(lang).gettext
    if facts.axis is None or not sum(group.times):
        return ""
    names = (_("this group"), _("all contributions"))
    svg = time_svg(group.times, facts.times_all, facts.axis.ends(), names, lang)
    return figure(_("Over time"), svg)
