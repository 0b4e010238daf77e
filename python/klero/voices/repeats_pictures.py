"""Pictures of repeated contributions: inline SVG whose colours are those of the page, each with a title and a description in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from klero._page_words import decimal, joined
from klero._svg import bar, picture, text_at
from klero.voices.repeats_facts import Facts, GroupFacts, Line
from klero.voices.repeats_words import counted_in_groups, size_range
from klero.words import number, words

__all__ = ["accounting_svg", "classes_svg", "groups_svg", "similarity_svg", "spread"]

_WIDTH = 720
_BARS = 20  # groups that have a bar
_SIMILARITIES = 20  # bins of a spread


def accounting_svg(facts: Facts, lang: str) -> str:
    """One bar: grouped, alone and without a word, in proportion."""
    _ = words(lang).gettext
    title = _("What became of every contribution")
    parts = [
        (_("alike with others"), facts.grouped, "a"),
        (_("alone"), facts.alone, "s"),
        (_("without a word"), facts.empty, "m"),
    ]
    body, said, x = "", [], 0.0
    for _name, count, kind in parts:
        width = _WIDTH * count / max(facts.texts, 1)
        body += bar(x, 0, width, 26, kind)
        x += width
    x = 0.0
    for name, count, kind in parts:
        label = _("{name}: {n}").format(name=name, n=number(count, lang))
        said.append(label)
        body += bar(x, 37, 11, 11, kind) + text_at(x + 17, 47, label)
        x += 32 + 7.2 * len(label)
    return picture(_WIDTH, 54, title, joined(said, lang), body)


def classes_svg(facts: Facts, lang: str) -> str:
    """A bar for each class of sizes: how many contributions are in groups of that size, and how many groups that is."""
    _ = words(lang).gettext
    title = _("How many groups stand behind how many contributions")
    top = max(one.contributions for one in facts.classes)
    left, row = 190, 30
    body, said = "", []
    for i, one in enumerate(facts.classes):
        y = row * i + 4
        label = size_range(one, lang)
        text = counted_in_groups(one, lang)
        length = (_WIDTH - left - 230) * one.contributions / top
        body += text_at(left - 8, y + 15, label, end=True)
        body += bar(left, y, max(length, 1), 20, "s" if one.low == 1 else "a")
        body += text_at(left + max(length, 1) + 7, y + 15, text)
        said.append(_("{name}: {n}").format(name=label, n=text))
    return picture(_WIDTH, row * len(facts.classes) + 2, title, joined(said, lang), body)


def groups_svg(lines: Sequence[Line], lang: str) -> str:
    """A bar for each of the largest groups: its contributions, the different texts among them darker."""
    _ = words(lang).gettext
    shown = lines[:_BARS]
    title = _("The largest groups: contributions, and the different texts among them")
    top = max(line.size for line in shown)
    left, row = 175, 24
    body, said = "", []
    for i, line in enumerate(shown):
        y = row * i + 3
        scale = (_WIDTH - left - 120) / top
        name = _("{n}. {id}").format(n=line.number, id=_shortened(line.id))
        text = f"{number(line.size, lang)} ({number(line.distinct, lang)})"
        body += text_at(left - 8, y + 13, name, end=True)
        body += bar(left, y, max(line.size * scale, 1), 17, "s")
        body += bar(left, y, max(line.distinct * scale, 1), 17, "a")
        body += text_at(left + max(line.size * scale, 1) + 7, y + 13, text)
        said.append(_("{name}: {n}").format(name=name, n=text))
    key = row * len(shown) + 8
    body += bar(left, key, 11, 11, "a") + text_at(left + 17, key + 10, _("different texts"))
    body += bar(left + 190, key, 11, 11, "s") + text_at(
        left + 207, key + 10, _("further contributions with one of these texts")
    )
    return picture(_WIDTH, key + 16, title, joined(said, lang), body)


def _shortened(name: str) -> str:
    return name if len(name) <= 16 else name[:15] + "…"


def similarity_svg(group: GroupFacts, lang: str) -> str:
    """How many members are how similar to the representative."""
    _ = words(lang).gettext
    title = _("Similarity to the representative")
    counts, low = spread(group.similarities)
    top = max(counts)
    width, height, base, left = 330, 96, 74, 4
    each = (width - 2 * left) / len(counts)
    body = f'<line class="l" x1="{left}" y1="{base}" x2="{width - left}" y2="{base}"/>'
    for i, count in enumerate(counts):
        if count:
            tall = max(1.0, 56 * count / top)
            body += bar(left + each * i + 0.5, base - tall, each - 1, tall, "a")
    body += text_at(left, base + 16, decimal(low, lang)) + text_at(width - left, base + 16, "1", end=True)
    body += text_at(width - left, 12, _("highest bar: {n}").format(n=number(top, lang)), end=True, kind="t")
    step = (1 - low) / len(counts)
    said = [
        _("{low} to {high}: {n}").format(
            low=decimal(low + step * i, lang), high=decimal(low + step * (i + 1), lang), n=number(count, lang)
        )
        for i, count in enumerate(counts)
        if count
    ]
    return picture(width, height, title, joined(said, lang), body)


def spread(similarities: npt.NDArray[np.float64]) -> tuple[list[int], float]:
    """Counts in equal bins from a round number below the smallest to 1, and that number."""
    low = min(0.9, math.floor(float(similarities[0]) * 10 + 1e-9) / 10)
    bins = _SIMILARITIES if low < 0.9 else _SIMILARITIES // 2
    places = np.floor((similarities - low) / (1 - low) * bins + 1e-9).astype(np.int64)
    return np.bincount(np.clip(places, 0, bins - 1), minlength=bins).tolist(), low
