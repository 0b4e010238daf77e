"""A card a group: what was found, its texts beside each other, how sure each test is, what would make it innocent, and the form for a person's decision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from klero._page import figure, html_table, paragraphs, safe
from klero._page_words import counted
from klero.campaigns.channel_words import (
    channel_compares,
    channel_name,
    effect_words,
    null_words,
    p_words,
    statistic_words,
)
from klero.campaigns.explain import found_words, silent_words, weighing_words
from klero.campaigns.explain_words import headline, rounded, share_words, why_not_words
from klero.campaigns.innocent import explanation, settles
from klero.campaigns.report_facts import ShownText
from klero.campaigns.report_form import decision_form
from klero.campaigns.report_pictures import null_svg, strip_svg
from klero.campaigns.report_style import SLOT_STYLES
from klero.voices.times import step_words
from klero.words import number, words

if TYPE_CHECKING:
    from klero.campaigns.aligned import Part
    from klero.campaigns.model import Channel
    from klero.campaigns.report_facts import Card, Facts

__all__ = ["card_heading", "card_html", "stance_name"]


def card_heading(card: Card, facts: Facts, lang: str) -> str:
    """«one letter with blanks, 38 people»."""
    return headline(card.group, facts.result.consultation, lang, identical=card.identical)


def card_html(card: Card, facts: Facts, lang: str) -> str:
    """The card of a group."""
    _ = words(lang).gettext
    name = card.group.name
    parts = [
        paragraphs(found_words(facts.result, card.group, lang, identical=card.identical)),
        _withheld(card, facts, lang),
        _letter(card, lang),
        _texts(card, lang),
        _votes(card, facts, lang),
        _rare(card, facts, lang),
        _times(card, facts, lang),
        _tests(card, lang),
        _untested(card, lang),
        _innocent(card, lang),
        _weighing(card, facts, lang),
        _headed(_("What this does not say"), paragraphs(silent_words(lang))),
        _members(card, lang),
        decision_form(name, lang),
    ]
    heading = f'<h3 id="{safe(name)}-h">{safe(name)} · {safe(card_heading(card, facts, lang))}</h3>\n'
    return f'<section class="group" id="{safe(name)}" aria-labelledby="{safe(name)}-h">{heading}{"".join(parts)}</section>\n'


def _headed(heading: str, body: str) -> str:
    return f"<h4>{safe(heading)}</h4>\n{body}" if body else ""


def _withheld(card: Card, facts: Facts, lang: str) -> str:
    if not card.withheld:
        return ""
    text = words(lang).gettext(
        "It has fewer than {n} people: its texts, times and ids are not shown on this page."
    )
    return paragraphs([text.format(n=number(facts.least_people, lang))])


# --- texts


def _letter(card: Card, lang: str) -> str:
    """The common letter, with what was put into each place."""
    _ = words(lang).gettext
    if card.aligned is None:
        return ""
    said = _(
        "The words that more than half of the texts have at the same place. A number: a place where each puts words of its own."
    )
    body = paragraphs([said], "small") + _said(card.aligned.frame)
    if card.shared is not None:
        shared = _(
            "On average, {share} of the words of a text stand in runs of three words that another text of the group has too, "
            "in whatever order the sentences are."
        )
        body += paragraphs([shared.format(share=share_words(round(card.shared, 2), lang))])
    if card.read < len(card.group.members):
        text = _("The letter is told from {n} of its {contributions}.")
        told = text.format(n=number(card.read, lang), contributions=counted(len(card.group.members), lang))
        body += paragraphs([told], "small")
    rows = [
        [
            f'<mark class="s{_style(slot.number)}"><b>{slot.number}</b></mark>',
            number(slot.texts, lang),
            "<br>".join(
                f"<bdi>{safe(text)}</bdi>" + (f" ({number(count, lang)}×)" if count > 1 else "")
                for text, count in slot.fillers
            ),
        ]
        for slot in card.aligned.slots
    ]
    if rows:
        headings = [
            _("place"),
            _("texts that have something there"),
            _("what they wrote (most frequent first)"),
        ]
        body += html_table(headings, rows, numbers=(1,), caption=_("What stands in the places"))
    return _headed(_("The common letter"), body)


def _style(slot: int) -> int:
    return (slot - 1) % SLOT_STYLES + 1


def _said(parts: Sequence[Part]) -> str:
    """A text in parts; its language is not known, and the direction is that of its letters."""
    return f'<div class="said" dir="auto" lang="">{"".join(map(_part, parts))}</div>\n'


def _part(part: Part) -> str:
    text = part.text.rstrip()
    after = safe(part.text[len(text) :])
    if part.kind == "slot":
        return f'<mark class="s{_style(part.slot)}"><b>{part.slot}</b>{safe(text)}</mark>{after or (" " if not text else "")}'
    return f'<mark class="own">{safe(text)}</mark>{after}' if part.kind == "own" else safe(part.text)


def _texts(card: Card, lang: str) -> str:
    """A few texts, one under the other."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    if not card.texts:
        return ""
    body = ""
    if card.aligned is not None:
        body += _legend(card, lang)
    body += f'<ol class="lines">{"".join(_text(text, lang) for text in card.texts)}</ol>\n'
    if card.more:
        text = plural(
            "{n} more contribution is not shown.", "{n} more contributions are not shown.", card.more
        )
        body += paragraphs([text.format(n=number(card.more, lang))], "small")
    heading = _("The text") if card.identical else _("The texts beside each other")
    return _headed(heading, body)


def _legend(card: Card, lang: str) -> str:
    _ = words(lang).gettext
    plain, own = _("without a mark: the common letter"), _("words of this text alone")
    keys = f"<li>{safe(plain)}</li>"
    slots = (_("what stands in place 1"), _("in place 2, and so on"))
    for number_of, told in enumerate(slots[: len(card.aligned.slots) if card.aligned is not None else 0], 1):
        keys += f'<li><mark class="s{number_of}"><b>{number_of}</b>{safe(told)}</mark></li>'
    return f'<ul class="key">{keys}<li><mark class="own">{safe(own)}</mark></li></ul>\n'


def _text(text: ShownText, lang: str) -> str:
    _ = words(lang).gettext
    plural = words(lang).ngettext
    by = _("contribution {id}").format(id=text.id)
    if text.same > 1:
        more = plural(
            "and {n} more with the same words", "and {n} more with the same words", text.same - 1
        ).format(n=number(text.same - 1, lang))
        by += f", {more}"
    left = ""
    if text.left_out:
        told = plural(
            "The text goes on: {n} more character is not shown.",
            "The text goes on: {n} more characters are not shown.",
            text.left_out,
        )
        left = paragraphs([told.format(n=number(text.left_out, lang))], "small")
    return f'<li><p class="by"><bdi>{safe(by)}</bdi></p>{_said(text.parts)}{left}</li>\n'


def _rare(card: Card, facts: Facts, lang: str) -> str:
    """The rarest words in a row that members share."""
    _ = words(lang).gettext
    if not card.rare:
        return ""
    rows = [
        [
            f'<bdi lang="">{safe(_quoted(one.text, lang))}</bdi>',
            _count(one.members, facts, lang),
            _count(one.others, facts, lang),
        ]
        for one in card.rare
    ]
    headings = [_("words in a row"), _("people in this group"), _("all other people")]
    return _headed(
        _("The rarest words they share"),
        html_table(headings, rows, numbers=(1, 2), caption=_("Words in a row, the rarest first")),
    )


def _quoted(text: str, lang: str) -> str:
    return words(lang).gettext("«{text}»").format(text=text)


def _count(count: int, facts: Facts, lang: str) -> str:
    """A count of people, or «fewer than 5»; none is told as 0."""
    return number(count, lang) if count == 0 or count >= facts.least_people else safe(_fewer(facts, lang))


def _fewer(facts: Facts, lang: str) -> str:
    return words(lang).gettext("fewer than {n}").format(n=number(facts.least_people, lang))


# --- votes


def _votes(card: Card, facts: Facts, lang: str) -> str:
    """What a group of accounts voted alike."""
    _ = words(lang).gettext
    if not card.votes:
        return ""
    values = {1: _("for"), 0: _("neutral"), -1: _("against")}
    rows = []
    for one in card.votes:
        if one.members is None:
            told = _("all but fewer than {few} of {n}").format(
                few=number(facts.least_people, lang), n=number(one.voted, lang)
            )
        elif one.members == one.voted:
            told = _("all {n}").format(n=number(one.voted, lang))
        else:
            told = _("{n} of {all}").format(n=number(one.members, lang), all=number(one.voted, lang))
        others = _("too few to tell") if one.others is None else f"{round(100 * one.others)}\u00a0%"
        rows.append(
            [f'<bdi lang="">{safe(one.item)}</bdi>', safe(values[one.value]), safe(told), safe(others)]
        )
    headings = [
        _("voted on"),
        _("vote of most in this group"),
        _("how many of them"),
        _("share of the others who voted so"),
    ]
    table = html_table(headings, rows, numbers=(3,), caption=_("Where they differ most from the others"))
    return _headed(_("What they voted"), table)


# --- time


def _times(card: Card, facts: Facts, lang: str) -> str:
    _ = words(lang).gettext
    if not card.strips:
        return ""
    body = ""
    captions = (
        _("This group above, all contributions below"),
        _("The same, nearer: the time in which most of the group came"),
    )
    for strip, caption in zip(card.strips, captions, strict=False):
        body += figure(caption, strip_svg(strip, facts.least_people, lang))
        body += paragraphs([step_words(strip.axis, lang)], "small")
    few = any(count < 0 for strip in card.strips for count in strip.mine)
    lines = [_("Days and times are those of UTC.")]
    if few:
        lines.append(
            _("A dashed bar stands for fewer than {n} people, whatever its height.").format(
                n=number(facts.least_people, lang)
            )
        )
    return _headed(_("Over time"), body + paragraphs([" ".join(lines)], "small"))


# --- tests


def _tests(card: Card, lang: str) -> str:
    """Each test with its null groups, in words and as a picture."""
    _ = words(lang).gettext
    tested = [channel for channel in card.group.channels if channel.p is not None]
    if not tested:
        return ""
    said = _(
        "Each test compares the group with groups that chance gives in this same consultation. The smaller p, the rarer such a group is where nobody "
        "acts together; p is not the probability that the group is innocent."
    )
    boxes = "".join(_test(channel, lang) for channel in tested)
    return _headed(
        _("How sure: each test"), paragraphs([said], "small") + f'<div class="tests">{boxes}</div>\n'
    )


def _test(channel: Channel, lang: str) -> str:
    _ = words(lang).gettext
    rare = _("So much or more where nobody acts together: {p}.").format(p=p_words(channel.p or 0.0, lang))
    body = f"<h5>{safe(channel_name(channel.name, lang))}</h5>\n"
    body += paragraphs([channel_compares(channel.name, lang)], "small")
    body += f"<p><strong>{safe(rare)}</strong></p>\n" + paragraphs(effect_words(channel, lang))
    for null in channel.nulls:
        svg = null_svg(null, lang)
        if svg:
            body += figure(_first_upper(statistic_words(null.statistic, lang)), svg, little=True)
        body += paragraphs([null_words(null, lang)], "small")
    return f'<div class="test">{body}</div>\n'


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _untested(card: Card, lang: str) -> str:
    """What could not be tested, and why."""
    _ = words(lang).gettext
    items = [
        _("{name}: {n}").format(name=channel_name(channel.name, lang), n=why_not_words(channel.why_not, lang))
        for channel in card.group.channels
        if channel.p is None
    ]
    body = "".join(f"<li>{safe(item)}.</li>" for item in items)
    return _headed(_("What was not tested, and why"), f"<ul>{body}</ul>\n" if items else "")


def _innocent(card: Card, lang: str) -> str:
    """What would make it innocent, how to check it, and what would settle the question."""
    _ = words(lang).gettext
    told = [explanation(code, lang) for code in card.innocent]
    items = "".join(f'<li>{safe(what)} <span class="t">{safe(check)}</span></li>\n' for what, check in told)
    settled = "".join(f"<li>{safe(settles(code, lang))}</li>\n" for code in card.settling)
    return _headed(_("Innocent explanations to check"), f'<ul class="checks">{items}</ul>\n') + _headed(
        _("What would settle it"), f'<ul class="checks">{settled}</ul>\n'
    )


# --- weights and members


def stance_name(stance: int, lang: str) -> str:
    """A stance in words; nothing where it is not known."""
    _ = words(lang).gettext
    return {1: _("for"), 0: _("neutral"), -1: _("against")}.get(stance, "")


def _weighing(card: Card, facts: Facts, lang: str) -> str:
    """What changes if the group is read as fewer voices."""
    _ = words(lang).gettext
    body = paragraphs(weighing_words(facts.result, card.group, lang))
    if card.cells:
        rows = [
            [
                f"<bdi>{safe(cell.question or _('(none)'))}</bdi>",
                safe(stance_name(cell.stance, lang) or "–"),
                safe(_fewer(facts, lang)) if cell.members is None else number(cell.members, lang),
                number(cell.all, lang) if cell.all >= facts.least_people else safe(_fewer(facts, lang)),
                # beside the raw count, the weighed one would tell a count of a few people that is not told
                "–" if cell.members is None else rounded(cell.weighted, lang),
            ]
            for cell in card.cells
        ]
        headings = [_("question"), _("stance"), _("people in this group"), _("all people"), _("all, weighed")]
        body += html_table(headings, rows, numbers=(2, 3, 4), caption=_("Where its voices stand"))
    return _headed(_("What weighting changes"), body)


def _members(card: Card, lang: str) -> str:
    """Ids of the contributions, folded away; never those of people."""
    _ = words(lang).gettext
    if not card.members:
        return ""
    size = len(card.group.members)
    more = ""
    if (left := size - len(card.members)) > 0:
        text = words(lang).ngettext(
            "The first {shown} by id; {n} more is not shown.",
            "The first {shown} by id; {n} more are not shown.",
            left,
        )
        more = paragraphs([text.format(shown=number(len(card.members), lang), n=number(left, lang))], "small")
    ids = ", ".join(f"<bdi>{safe(name)}</bdi>" for name in card.members)
    head = _("Ids of its contributions ({contributions})").format(contributions=counted(size, lang))
    return f'<details><summary>{safe(head)}</summary>{more}<p class="ids">{ids}</p></details>\n'
