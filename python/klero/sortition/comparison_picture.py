"""Objectives side by side as a picture: each one's probabilities from the smallest to the largest (SVG, no network)."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING

from klero.words import percent, words

if TYPE_CHECKING:
    from klero.sortition.comparison import Comparison, Entry

_WIDTH, _HEIGHT = 900, 430
_LEFT, _TOP, _RIGHT, _BOTTOM = 58, 46, 280, 44
# Okabe and Ito's colours, told apart by nearly all eyes, without yellow, which is too light for a line; dashes for a second round.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_DASHES = {"random": "7 4", "legacy": "3 2"}
_STEPS = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)


def label(name: str, lang: str) -> str:
    """What an objective or baseline is called in pictures and tables."""
    _ = words(lang).gettext
    known = {
        "random": _("random (all panels alike)"),
        "legacy": _("legacy (greedy draw)"),
    }
    return known.get(name, name)


def comparison_svg(comparison: Comparison, lang: str = "en") -> str:
    """A step line for each entry that has a result, a legend, and the equal share k/n as a dashed line."""
    _ = words(lang).gettext
    shown = [entry for entry in comparison.entries if entry.result is not None]
    people = len(comparison.instance.ids)
    equal = Fraction(comparison.instance.size, people)
    highest = max([equal, *(max(entry.type_probabilities) for entry in shown)])
    top = min(1.0, float(highest) * 1.05)
    title = _("Selection probability of {n} people under each objective, in rising order").format(n=people)
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def y(p: float) -> float:
        return round(_TOP + height * (1 - p / top), 2)

    def x(rank: int) -> float:
        return round(_LEFT + width * rank / people, 2)

    parts = [_axes(comparison, top, x, y, lang)]
    share = _("equal share {share}").format(share=percent(equal, lang))
    parts.append(
        f'<line x1="{_LEFT}" y1="{y(float(equal))}" x2="{_LEFT + width}" y2="{y(float(equal))}" stroke="#555" '
        f'stroke-dasharray="5 4"/>'
    )
    lines = []
    for number, entry in enumerate(shown):
        colour = _COLOURS[number % len(_COLOURS)]
        dashes = _DASHES.get(entry.name, "" if number < len(_COLOURS) else "9 3 2 3")
        points = " ".join(f"{x(rank)},{y(p)}" for rank, p in _steps(comparison, entry))
        style = f'fill="none" stroke="{colour}" stroke-width="2"' + (
            f' stroke-dasharray="{dashes}"' if dashes else ""
        )
        parts.append(f'<polyline points="{points}" {style}/>')
        lines.append((style, label(entry.name, lang), _spread(comparison, entry, lang)))
    parts.append(_legend(lines, share))
    description = " ".join(f"{name}: {spread}." for _style, name, spread in lines) + f" {share}."
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'font-family="sans-serif" font-size="12" fill="#222"><title>{escape(title)}</title><desc>{escape(description)}</desc>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'
        f'<text x="{_LEFT}" y="24" font-size="14">{escape(title)}</text>{"".join(parts)}</svg>\n'
    )


def _steps(comparison: Comparison, entry: Entry) -> list[tuple[int, float]]:
    """(rank, probability) of the corners: two for each group of people with one probability."""
    groups: dict[float, int] = {}
    for p, n in zip(entry.type_probabilities, comparison.instance.counts, strict=True):
        groups[float(p)] = groups.get(float(p), 0) + n
    corners: list[tuple[int, float]] = []
    before = 0
    for height in sorted(groups):
        corners += [(before, height), (before + groups[height], height)]
        before += groups[height]
    return corners


def _spread(comparison: Comparison, entry: Entry, lang: str) -> str:
    """«0.61 % to 12.00 %» among those whose chance is open, with the uncertainty where it is estimated."""
    _ = words(lang).gettext
    probabilities = entry.type_probabilities
    if comparison.open_types:
        probabilities = tuple(probabilities[t] for t in comparison.open_types)
    text = _("{low} to {high}").format(
        low=percent(min(probabilities), lang), high=percent(max(probabilities), lang)
    )
    if entry.estimated:
        text += " (± " + percent(Fraction(entry.uncertainty), lang) + ")"
    return text


def _axes(
    comparison: Comparison, top: float, x: Callable[[int], float], y: Callable[[float], float], lang: str
) -> str:
    _ = words(lang).gettext
    base, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    people = len(comparison.instance.ids)
    parts = [f'<line x1="{_LEFT}" y1="{base}" x2="{right}" y2="{base}" stroke="#888"/>']
    step = next((s for s in _STEPS if top / s <= 6), 0.5)
    for i in range(int(top / step + 1e-9) + 1):
        at = y(i * step)
        text = f"{100 * i * step:.10g}"
        text = (text if lang == "en" else text.replace(".", ",")) + " %"
        if i:
            parts.append(f'<line x1="{_LEFT}" y1="{at}" x2="{right}" y2="{at}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{_LEFT - 7}" y="{at + 4}" text-anchor="end">{text}</text>')
    for rank in sorted({0, people // 4, people // 2, 3 * people // 4, people}):
        at = x(rank)
        parts.append(f'<line x1="{at}" y1="{base}" x2="{at}" y2="{base + 4}" stroke="#888"/>')
        parts.append(f'<text x="{at}" y="{base + 18}" text-anchor="middle">{rank}</text>')
    axis = _("people, from the smallest probability to the largest")
    parts.append(
        f'<text x="{(_LEFT + right) / 2}" y="{base + 36}" text-anchor="middle">{escape(axis)}</text>'
    )
    return "".join(parts)


def _legend(lines: list[tuple[str, str, str]], share: str) -> str:
    left = _WIDTH - _RIGHT + 16
    parts = []
    for number, (style, name, spread) in enumerate(lines):
        at = _TOP + 12 + 40 * number
        parts.append(f'<line x1="{left}" y1="{at - 4}" x2="{left + 26}" y2="{at - 4}" {style}/>')
        parts.append(f'<text x="{left + 34}" y="{at}">{escape(name)}</text>')
        parts.append(
            f'<text x="{left + 34}" y="{at + 15}" font-size="11" fill="#555">{escape(spread)}</text>'
        )
    at = _TOP + 12 + 40 * len(lines)
    parts.append(
        f'<line x1="{left}" y1="{at - 4}" x2="{left + 26}" y2="{at - 4}" stroke="#555" stroke-dasharray="5 4"/>'
        f'<text x="{left + 34}" y="{at}">{escape(share)}</text>'
    )
    return "".join(parts)
