"""Themes, weak signals and lone voices as parts of the page: the same rank, the same heading, and each with its own words."""

from __future__ import annotations

from collections.abc import Sequence

from klero._page import figure, html_table, paragraphs, safe, section
from klero._page_words import counted, decimal, moment
from klero.themes.report_facts import Branch, ClusterFacts, Facts, Line, Quote
from klero.voices.breakdowns import stance_words, values_table
from klero.voices.repeats_words import accounts_words
from klero.voices.times import time_svg
from klero.words import number, words

__all__ = ["lone_section", "themes_section", "weak_section"]

_VISIBLE = 700  # code points of a text that are seen at once; the rest is folded
_HEADING = (5, 3)  # keywords in the heading of a theme, and of a weak signal
_LISTED = 5000  # themes with a line in the table


def themes_section(facts: Facts, lang: str) -> str:
    """All themes: a table, and then each with its quotations."""
    _ = words(lang).gettext
    if not facts.clusters[0]:
        text = _("No theme was found: nowhere are five contributions or more alike enough.")
        return section("themes", _("Themes"), paragraphs([text]))
    told = _(
        "A theme is five contributions or more that are alike. Its keywords are words that its contributions have more often than others; "
        "they are no title "
        "and no summary. The quotations are whole contributions, or their beginning, each with its id."
    )
    shown = [one for one in facts.shown if one.kind == 0]
    body = paragraphs([told]) + _table(facts, frozenset(one.name for one in shown), lang)
    body += _not_shown(facts, 0, len(shown), lang)
    chosen = next((level for level in facts.levels if level.chosen), None)
    branches = {branch.name: branch for branch in chosen.branches} if chosen else {}
    finest = chosen is None or chosen.number == len(facts.levels)
    body += "".join(
        _theme(
            one,
            facts,
            branches.get(one.name),
            finest=finest,
            level=chosen.number if chosen else 0,
            lang=lang,
        )
        for one in shown
    )
    return section("themes", _("Themes"), body)


def weak_section(facts: Facts, lang: str) -> str:
    """All weak signals, with the words of all of their two to four contributions."""
    _ = words(lang).gettext
    told = _(
        "A weak signal is two to four contributions that are alike and unlike all others. All of their texts are here. Few people said "
        "this; that makes it neither "
        "less true nor less important."
    )
    shown = [one for one in facts.shown if one.kind == 1]
    if not facts.clusters[1]:
        text = _("There is none: no two to four contributions are alike and apart from all others.")
        return section("weak", _("Weak signals"), paragraphs([told, text]))
    cards = "".join(_weak(one, lang) for one in shown)
    body = paragraphs([told]) + _not_shown(facts, 1, len(shown), lang)
    return section("weak", _("Weak signals"), body + f'<div class="voices">{cards}</div>\n')


def lone_section(facts: Facts, lang: str) -> str:
    """All lone voices, with their words."""
    _ = words(lang).gettext
    told = _(
        "A lone voice is one contribution that is like no other. Here are their texts. Some are beside the question and some say what "
        "nobody else has thought of: "
        "a program can't tell these apart, so read them."
    )
    shown = [one for one in facts.shown if one.kind == 2]
    if not facts.clusters[2]:
        text = _("There is none: every contribution is like another.")
        return section("lone", _("Lone voices"), paragraphs([told, text]))
    cards = "".join(_lone(one, lang) for one in shown)
    body = paragraphs([told]) + _not_shown(facts, 2, len(shown), lang)
    return section("lone", _("Lone voices"), body + f'<div class="voices">{cards}</div>\n')


def _not_shown(facts: Facts, kind: int, shown: int, lang: str) -> str:
    """How many are shown in full, how they were chosen, and where the others are; nothing where all are."""
    _ = words(lang).gettext
    total = facts.clusters[kind]
    if shown >= total:
        return ""
    text = (
        _("{shown} of the {total} themes are shown in full"),
        _("{shown} of the {total} weak signals are shown"),
        _("{shown} of the {total} lone voices are shown"),
    )[kind]
    told = text.format(shown=number(shown, lang), total=number(total, lang))
    how = _(
        "{told}: those whose ids have the smallest hashes, so that neither size nor place in the file decides. All are in the table of "
        "contributions, "
        "and each group has its line in the table of groups."
    )
    return f'<p class="notice">{safe(how.format(told=told))}</p>\n'


def _table(facts: Facts, linked: frozenset[str], lang: str) -> str:
    _ = words(lang).gettext
    lines = facts.lines[: min(facts.clusters[0], _LISTED)]
    stability = any(line.stability is not None for line in lines)
    headings = [_("theme"), _("keywords"), _("contributions"), _("different accounts")]
    headings += [_("comes back (resamples)")] if stability else []
    rows = [_row(line, linked, stability=stability, lang=lang) for line in lines]
    out = html_table(headings, rows, numbers=(2, 3, 4), caption=_("All themes, by size"))
    if (more := facts.clusters[0] - len(lines)) > 0:
        text = words(lang).ngettext(
            "{n} more theme is in the table of groups.", "{n} more themes are in the table of groups.", more
        )
        out += paragraphs([text.format(n=number(more, lang))])
    return out


def _row(line: Line, linked: frozenset[str], *, stability: bool, lang: str) -> list[str]:
    name = f'<a href="#{line.name}">{line.name}</a>' if line.name in linked else line.name
    cells = [
        name,
        keywords_html(line.keywords),
        number(line.size, lang),
        accounts_words(line.accounts, lang),
    ]
    return [*cells, _stability(line.stability, lang)] if stability else cells


def keywords_html(keywords: Sequence[str]) -> str:
    """Keywords in a box of their own direction."""
    return f"<bdi>{safe(', '.join(keywords))}</bdi>"


def _stability(value: tuple[int, int] | None, lang: str) -> str:
    """«9 of 10» resamples in which a theme came back."""
    _ = words(lang).gettext
    if value is None or not value[1]:
        return _("unknown")
    return _("{n} of {all}").format(n=number(value[0], lang), all=number(value[1], lang))


def stability_words(value: tuple[int, int], lang: str) -> str:
    """The same in a sentence."""
    text = words(lang).ngettext(
        "It comes back in {returned} of {n} resample.",
        "It comes back in {returned} of {n} resamples.",
        value[1],
    )
    return text.format(returned=number(value[0], lang), n=number(value[1], lang))


def _theme(
    one: ClusterFacts, facts: Facts, branch: Branch | None, *, finest: bool, level: int, lang: str
) -> str:
    _ = words(lang).gettext
    parts = [
        paragraphs(_figures(one, lang)),
        _headed(_("In its middle"), quote_html(one.medoid, lang)),
    ]
    if one.boundaries:
        parts.append(
            _headed(
                _("At its edge"),
                "".join(quote_html(quote, lang, near=True) for quote in one.boundaries),
            )
        )
    if one.distant is not None:
        told = _(
            "Of all its contributions this one is least like the others: what is lost if the theme is read as one."
        )
        parts.append(
            _headed(
                _("What this theme smooths out"),
                paragraphs([told], "small") + quote_html(one.distant, lang),
            )
        )
    if facts.axis is not None and any(one.times):
        names = (_("this theme"), _("all contributions"))
        parts.append(
            figure(_("Over time"), time_svg(one.times, facts.times_all, facts.axis.ends(), names, lang))
        )
    parts.append(values_table(one.questions, one.size, _("question"), lang))
    parts.append(values_table(stance_words(one.stances, lang), one.size, _("stance"), lang))
    if branch is not None:
        parts.append(paragraphs(branch_words(branch, level, finest=finest, lang=lang)))
    parts.append(_members(one, lang))
    return _group(one, "".join(parts), lang)


def _weak(one: ClusterFacts, lang: str) -> str:
    quotes = "".join(quote_html(quote, lang) for quote in (one.medoid, *one.others))
    return _group(one, paragraphs(_accounts(one, lang)) + quotes, lang)


def _lone(one: ClusterFacts, lang: str) -> str:
    return _group(one, quote_html(one.medoid, lang), lang)


def _group(one: ClusterFacts, body: str, lang: str) -> str:
    _ = words(lang).gettext
    keywords = keywords_html(one.keywords[: _HEADING[one.kind]]) if one.keywords and one.kind < 2 else ""
    title = f"{one.name} · {keywords}" if keywords else one.name
    size = f' <span class="t">({safe(counted(one.size, lang))})</span>' if one.kind < 2 else ""
    return (
        f'<section class="group k{one.kind}" id="{one.name}" aria-labelledby="{one.name}-h"><h3 id="{one.name}-h">{title}{size}</h3>\n'
        f"{body}</section>\n"
    )


def _headed(heading: str, body: str) -> str:
    return f"<h4>{safe(heading)}</h4>\n{body}"


def _accounts(one: ClusterFacts, lang: str) -> list[str]:
    if one.accounts is None:
        return []
    count = words(lang).gettext("Different accounts: {n}.")
    return [count.format(n=accounts_words(one.accounts, lang))]


def _figures(one: ClusterFacts, lang: str) -> list[str]:
    """A theme's figures in sentences."""
    _ = words(lang).gettext
    told = _accounts(one, lang)
    told.append(_("Mean fit {fit} (1: all say the same).").format(fit=decimal(max(one.fit, 0.0), lang)))
    if one.stability is not None and one.stability[1]:
        told.append(stability_words(one.stability, lang))
    if one.first:
        text = _("From {first} to {last}.") if one.first != one.last else _("All on {first}.")
        told.append(text.format(first=moment(one.first, lang), last=moment(one.last, lang)))
    return [" ".join(told)]


def branch_words(branch: Branch, level: int, *, finest: bool, lang: str) -> list[str]:
    """What a theme lies in at the next coarser level, and falls into at the next finer one."""
    _ = words(lang).gettext
    told = []
    if branch.within is not None:
        text = _("At level {level} it is a part of {name}.")
        told.append(text.format(level=level - 1, name=branch.within[0]))
    if not finest:
        text = _("At level {level} it falls into: {parts}.")
        told.append(text.format(level=level + 1, parts=parts_words(branch, lang)))
    return [" ".join(told)] if told else []


def parts_words(branch: Branch, lang: str) -> str:
    """«T3 (45), T9 (12), 2 weak signals (5), 3 lone voices»; of more than twelve themes the rest is counted."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    told = [f"{name} ({number(count, lang)})" for name, count in branch.parts[:12]]
    if more := branch.parts[12:]:
        text = plural("{n} more theme ({contributions})", "{n} more themes ({contributions})", len(more))
        inside = sum(part[1] for part in more)
        told.append(text.format(n=len(more), contributions=number(inside, lang)))
    weak, within, lone = branch.few
    if weak:
        text = plural("{n} weak signal ({contributions})", "{n} weak signals ({contributions})", weak)
        told.append(text.format(n=number(weak, lang), contributions=number(within, lang)))
    if lone:
        told.append(plural("{n} lone voice", "{n} lone voices", lone).format(n=number(lone, lang)))
    return ", ".join(told)


def quote_html(quote: Quote, lang: str, *, near: bool = False) -> str:
    """A person's words with their id; the language is not known, and the direction is that of its letters."""
    _ = words(lang).gettext
    by = _("id {id}").format(id=quote.id)
    if near and quote.near:
        by += " · " + _("nearly in {name}").format(name=quote.near)
    return f'<blockquote class="said" dir="auto" lang="">{_body(quote, lang)}</blockquote>\n<p class="by"><bdi>{safe(by)}</bdi></p>\n'


def _body(quote: Quote, lang: str) -> str:
    """The text; of a long one the beginning, and the whole folded away."""
    _ = words(lang).gettext
    told = ""
    if quote.left_out:
        text = words(lang).ngettext(
            "The text goes on: {n} more character is not shown.",
            "The text goes on: {n} more characters are not shown.",
            quote.left_out,
        )
        told = f'\n<span class="t" lang="{lang}">{safe(text.format(n=number(quote.left_out, lang)))}</span>'
    if len(quote.text) <= _VISIBLE + 200:
        return safe(quote.text) + told
    space = max(quote.text.rfind(blank, _VISIBLE - 80, _VISIBLE) for blank in (" ", "\n"))
    at = space + 1 if space > 0 else _VISIBLE
    head = f'<summary lang="{lang}">{safe(_("… the rest of the text"))}</summary>'
    return f'{safe(quote.text[:at])}<details class="whole">{head}{safe(quote.text[at:])}{told}</details>'


def _members(one: ClusterFacts, lang: str) -> str:
    """The ids of the members, folded away."""
    _ = words(lang).gettext
    head = _("Members (their ids)")
    more = ""
    if (left := one.size - len(one.members)) > 0:
        text = words(lang).ngettext(
            "The first {shown} by id; {n} more is not shown.",
            "The first {shown} by id; {n} more are not shown.",
            left,
        )
        told = text.format(shown=number(len(one.members), lang), n=number(left, lang))
        more = paragraphs([told], "small")
    return f"<details><summary>{safe(head)}</summary>{more}{ids_html(one.members)}</details>\n"


def ids_html(names: Sequence[str]) -> str:
    """Ids, with commas between."""
    return f'<p class="ids">{", ".join(f"<bdi>{safe(name)}</bdi>" for name in names)}</p>\n'
