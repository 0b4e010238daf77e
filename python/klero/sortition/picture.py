"""The lottery as a picture: everybody's probability, from the smallest to the largest (inline SVG, no network)."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from klero.words import percent, words

if TYPE_CHECKING:
    from klero.sortition.lottery import Lottery

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 640, 220, 84, 28  # the longest label is «< 0.0001 %»


def probabilities_svg(lottery: Lottery, lang: str = "en") -> str:
    """A step line of the sorted probabilities, with the equal share k/n as a dashed line."""
    _ = words(lang).gettext
    pairs = sorted(zip(lottery.type_probabilities, lottery.instance.counts, strict=True))
    people = len(lottery.instance.ids)
    equal = lottery.instance.size / people
    top = max(float(pairs[-1][0]), equal) * 1.05
    plot_width, plot_height = _WIDTH - _LEFT - 8, _HEIGHT - _BOTTOM - 8

    def y(p: float) -> float:
        return round(8 + plot_height * (1 - p / top), 2)

    points, before = [], 0
    for p, n in pairs:
        ends = (round(_LEFT + plot_width * count / people, 2) for count in (before, before + n))
        points += [f"{x},{y(float(p))}" for x in ends]
        before += n
    title = _("Selection probability of {n} people, in rising order").format(n=people)
    low, high = percent(lottery.min_probability, lang), percent(lottery.max_probability, lang)
    description = _("From {low} to {high}; the equal share is {equal}.").format(
        low=low, high=high, equal=percent(lottery.equal_share, lang)
    )
    base = 8 + plot_height
    labels = "".join(
        f'<text x="{_LEFT - 6}" y="{y(value) + 4}" text-anchor="end">{escape(text)}</text>'
        for value, text in _apart([(float(pairs[0][0]), low), (float(pairs[-1][0]), high)], top)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img" '
        f'font-family="sans-serif" font-size="11"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'
        f'<line x1="{_LEFT}" y1="{base}" x2="{_WIDTH - 8}" y2="{base}" stroke="#888"/>'
        f'<line x1="{_LEFT}" y1="{y(equal)}" x2="{_WIDTH - 8}" y2="{y(equal)}" stroke="#888" stroke-dasharray="4 3"/>'
        f'<polyline points="{" ".join(points)}" fill="none" stroke="#1b5e8c" stroke-width="2"/>{labels}'
        f'<text x="{_LEFT}" y="{_HEIGHT - 8}">{escape(title)}</text></svg>'
    )


def _apart(labels: list[tuple[float, str]], top: float) -> list[tuple[float, str]]:
    """Labels of one axis without those that would be written over each other."""
    return labels if labels[1][0] - labels[0][0] > 0.08 * top else labels[1:]


def lottery_html(lottery: Lottery) -> str:
    """The lottery for a notebook."""
    figures = lottery.among(lottery.open_types)
    settled = 0 < len(lottery.open_types) < len(lottery.instance.types)
    among = f", of the {figures.people} whose chance is open" if settled else ""
    facts = {
        "objective": lottery.objective,
        "people": str(len(lottery.instance.ids)),
        "seats": str(lottery.instance.size),
        "panels": str(len(lottery.panels)),
        "smallest probability": f"{percent(figures.smallest, 'en')} ({figures.smallest}){among}",
        "largest probability": percent(figures.largest, "en") + among,
        "certificate": f"{lottery.certificate.level}, {len(lottery.certificate.levels)} levels, "
        f"gap {float(lottery.certificate.gap):.1e}",
    }
    rows = "".join(f"<tr><th>{escape(k)}</th><td>{escape(v)}</td></tr>" for k, v in facts.items())
    return f"<div><strong>klero lottery</strong><table>{rows}</table>{probabilities_svg(lottery)}</div>"
