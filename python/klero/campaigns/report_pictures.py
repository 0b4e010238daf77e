"""Pictures of the evidence page: voices raw and as they weigh, a group among its null groups, a group over time. Inline SVG with title and description."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from klero._page_words import joined, moment
from klero._svg import bar, picture, text_at
from klero.campaigns.channel_words import statistic_words
from klero.campaigns.explain_words import interval_words, rounded
from klero.words import number, words

if TYPE_CHECKING:
    from klero.campaigns.model import Interval, Null
    from klero.campaigns.report_facts import Strip

__all__ = ["null_svg", "strip_svg", "voices_svg"]

_WIDTH = 720
_BINS = 32


def voices_svg(raw: int, n_eff: Interval, title: str, lang: str) -> str:
    """Two bars on one scale: voices as counted, and as they weigh with the interval."""
    _ = words(lang).gettext
    top = max(raw, n_eff.high, 1.0)
    left, row, wide = 170, 30, _WIDTH - 170 - 170
    said = []
    body = ""
    for at, (name, value, kind, told) in enumerate(
        (
            (_("voices counted"), float(raw), "s", number(raw, lang)),
            (_("effective voices"), n_eff.estimate, "a", interval_words(n_eff, lang)),
        )
    ):
        y = row * at + 4
        body += text_at(left - 8, y + 15, name, end=True)
        body += bar(left, y, max(wide * value / top, 1), 20, kind)
        end = wide * value / top
        if at:
            low, high = (left + wide * bound / top for bound in (n_eff.low, n_eff.high))
            body += f'<path class="e" d="M{low:.4g} {y + 10}H{high:.4g}M{low:.4g} {y + 4}v12M{high:.4g} {y + 4}v12"/>'
            end = max(end, high - left)
        body += text_at(left + max(end, 1) + 7, y + 15, told if not at else rounded(value, lang))
        said.append(_("{name}: {n}").format(name=name, n=told))
    return picture(_WIDTH, 2 * row + 2, title, joined(said, lang), body)


def null_svg(null: Null, lang: str) -> str:
    """How a statistic is spread over null groups, and a mark for the group; words alone where nothing was drawn."""
    _ = words(lang).gettext
    title = _("Chance groups and this one: {statistic}").format(
        statistic=statistic_words(null.statistic, lang)
    )
    draws = [draw for draw in null.draws if math.isfinite(draw)]
    if not draws or not math.isfinite(null.observed):
        return ""
    low, high = min(*draws, null.observed), max(*draws, null.observed)
    wide = high - low or 1.0
    left, right, base, width, height = 8, 8, 92, 340, 124
    scale = (width - left - right) / wide
    counts = [0] * _BINS
    for draw in draws:
        counts[min(int((draw - low) / wide * _BINS), _BINS - 1)] += 1
    top = max(counts)
    each = (width - left - right) / _BINS
    body = f'<line class="l" x1="{left}" y1="{base}" x2="{width - right}" y2="{base}"/>'
    for at, count in enumerate(counts):
        if count:
            tall = max(1.0, 58 * count / top)
            body += bar(left + each * at + 0.4, base - tall, each - 0.8, tall, "m")
    x = left + (null.observed - low) * scale
    body += f'<path class="v" d="M{x:.4g} 26V{base}"/><path class="h" d="M{x:.4g} 30l-5 -8h10z"/>'
    label = _("this group: {x}").format(x=rounded(null.observed, lang))
    body += text_at(min(x + 6, width - right) if x < width / 2 else x - 6, 14, label, end=x >= width / 2)
    body += text_at(left, base + 15, rounded(low, lang), kind="t")
    body += text_at(width - right, base + 15, rounded(high, lang), end=True, kind="t")
    body += text_at(left, base + 29, _("grey: groups that chance gives"), kind="t")
    middle = draws[len(draws) // 2]
    said = _(
        "{count} chance groups lie between {low} and {high}, half of them under {middle}; this group is at {observed}."
    ).format(
        count=number(null.count, lang),
        low=rounded(min(draws), lang),
        high=rounded(max(draws), lang),
        middle=rounded(middle, lang),
        observed=rounded(null.observed, lang),
    )
    return picture(width, height, title, said, body)


def strip_svg(strip: Strip, least: int, lang: str) -> str:
    """The group above and all contributions below, on one axis of time, each to its own scale. Bars of a few people are hollow and of one height."""
    _ = words(lang).gettext
    names = _("people of this group"), _("all contributions")
    title = _("Over time: {some} (top), {all} (bottom)").format(some=names[0], all=names[1])
    each = _WIDTH / len(strip.everybody)
    few = _("fewer than {n}").format(n=number(least, lang))
    body, said = "", []
    for counts, name, kind, top, base in (
        (strip.mine, names[0], "a", 20, 70),
        (strip.everybody, names[1], "m", 92, 132),
    ):
        most = max(counts)
        scale = max(most, least)
        body += text_at(0, top - 7, name, kind="t")
        label = _("highest bar: {n}").format(n=number(most, lang) if most > 0 else few)
        body += text_at(_WIDTH, top - 7, label, end=True, kind="t")
        for at, count in enumerate(counts):
            if count > 0:
                tall = max(1.5, (base - top) * count / scale)
                body += bar(each * at + 0.4, base - tall, max(each - 0.8, 0.8), tall, kind)
            elif count < 0:
                tall = max(3.0, (base - top) * (least - 1) / 2 / scale)
                body += bar(each * at + 1, base - tall, max(each - 2, 0.8), tall, "few")
        body += f'<line class="l" x1="0" y1="{base}" x2="{_WIDTH}" y2="{base}"/>'
        if most > 0:
            said.append(
                _("{name}: most in one bar {n}, in bar {bar} of {bars}").format(
                    name=name, n=number(most, lang), bar=counts.index(most) + 1, bars=len(counts)
                )
            )
        else:
            said.append(_("{name}: {n}").format(name=name, n=few))
    first, last = (moment(end, lang) for end in strip.axis.ends())
    body += text_at(0, 148, first) + text_at(_WIDTH, 148, last, end=True)
    description = _("From {first} to {last}.").format(first=first, last=last) + " " + joined(said, lang)
    return picture(_WIDTH, 154, title, description, body)
