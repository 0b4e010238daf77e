"""Would a conclusion change? The table of counts under three weightings, and the diversity of arguments, on the evidence page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klero._page import html_table, paragraphs, safe
from klero.campaigns.explain_words import rounded
from klero.words import number, words

if TYPE_CHECKING:
    from klero.campaigns.report_facts import Facts
    from klero.campaigns.result import Campaigns, Sensitivity

__all__ = ["changes_words", "sensitivity_html"]

_ROWS = 25  # of each kind
_LABEL = 160


def changes_words(result: Campaigns, lang: str) -> list[str]:
    """Whether any conclusion changes, in a sentence."""
    _ = words(lang).gettext
    if not result.sensitivity:
        return []
    changed = [line for line in result.sensitivity if line.changes]
    if not result.groups:
        return [_("Would the conclusion change? Nothing is weighed, so nothing changes.")]
    if not changed:
        return [
            _(
                "Would the conclusion change? No: the order of questions, positions, themes and arguments is the same, however the groups are counted."
            )
        ]
    text = words(lang).ngettext(
        "Would the conclusion change? In {n} line of {all}, an order or a majority depends on how the groups are counted.",
        "Would the conclusion change? In {n} lines of {all}, an order or a majority depends on how the groups are counted.",
        len(changed),
    )
    return [text.format(n=number(len(changed), lang), all=number(len(result.sensitivity), lang))]


def sensitivity_html(facts: Facts, lang: str) -> str:
    """A table for each kind of thing that is counted; the lines that change are first."""
    _ = words(lang).gettext
    lines = facts.result.sensitivity
    if not lines:
        return _diversity(facts.result, lang)
    kinds = {
        "position": _("Positions"),
        "question": _("Questions"),
        "theme": _("Themes"),
        "argument": _("Arguments"),
    }
    body = paragraphs(
        [
            _(
                "Three ways to count, side by side: every voice in full; each group as its effective voices; each group as one voice. The number in brackets "
                "is the place among the lines of its kind. Which of them is right is not for a program to say."
            ),
        ]
    )
    for kind in sorted(
        {line.kind for line in lines},
        key=lambda kind: (list(kinds).index(kind) if kind in kinds else 9, kind),
    ):
        own = [line for line in lines if line.kind == kind]
        own.sort(key=lambda line: (not line.changes, line.rank_raw, line.label))
        body += html_table(
            [
                _("what is counted"),
                _("every voice in full"),
                _("effective voices"),
                _("one voice a group"),
                _("changes"),
            ],
            [_row(line, facts, lang) for line in own[:_ROWS]],
            numbers=(1, 2, 3),
            caption=kinds.get(kind, kind),
        )
        if (left := len(own) - _ROWS) > 0:
            text = words(lang).ngettext("{n} more is not listed.", "{n} more are not listed.", left)
            body += paragraphs([text.format(n=number(left, lang))], "small")
    return body + _diversity(facts.result, lang)


def _row(line: Sensitivity, facts: Facts, lang: str) -> list[str]:
    _ = words(lang).gettext
    label = facts.show(line.label)
    few = line.raw < facts.least_people
    told = [
        (line.raw, line.rank_raw),
        (line.weighted, line.rank_weighted),
        (line.one_each, line.rank_one_each),
    ]
    fewer = _("fewer than {n}").format(n=number(facts.least_people, lang))
    return [
        f"<bdi>{safe(label if len(label) <= _LABEL else label[: _LABEL - 1] + '…')}</bdi>",
        *(f"{safe(fewer) if few else rounded(count, lang)} ({number(rank, lang)})" for count, rank in told),
        f"<strong>{safe(_('yes'))}</strong>" if line.changes else safe(_("no")),
    ]


def _diversity(result: Campaigns, lang: str) -> str:
    """How many different arguments there are in effect, raw and weighed."""
    _ = words(lang).gettext
    raw, weighted = (result.diversity.get(name, {}) for name in ("raw", "weighted"))
    if not raw:
        return ""
    meaning = {
        "0": _("every argument counts as one"),
        "1": _("arguments count by how frequent they are"),
        "2": _("frequent arguments count most"),
    }
    rows = [
        [
            safe(_("order {n}: {meaning}").format(n=order, meaning=meaning.get(order, ""))),
            rounded(value, lang),
            rounded(weighted[order], lang) if order in weighted else "–",
        ]
        for order, value in sorted(raw.items())
    ]
    headings = [_("how it is counted"), _("every voice in full"), _("effective voices")]
    said = _(
        "Different arguments in effect: as many entirely different ones, equally frequent, as would be as diverse (Leinster and Cobbold 2012). Texts that "
        "say nearly the same count nearly as one."
    )
    return paragraphs([said], "small") + html_table(
        headings, rows, numbers=(1, 2), caption=_("Diversity of arguments")
    )
