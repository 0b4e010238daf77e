"""Where is everything on the map, as a picture?

Themes are circles whose area grows with the people in them (with the contributions, where authors are not known), and in them a dot for each
contribution; weak signals are squares and lone voices diamonds, each with a mark of its own however many there are. Circles are pushed apart
until none covers another, small marks go to the nearest free place, and a label is written where there is room for it: the largest theme's first.

The same map gives the same picture on every machine: coordinates are rounded to a tenth, after arithmetic that is exact in any order.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from klero._page import safe
from klero._page_words import joined
from klero._svg import picture, text_at
from klero.themes.names import kind_words
from klero.themes.report_facts import Facts, MapFacts
from klero.words import number, words

__all__ = ["has_dots", "map_svg"]

WIDTH, HEIGHT = 960, 640
_EDGE, _GAP = 14.0, 3.0
_COVERED = 0.2  # of the picture, by circles
_LEAST, _MOST = 5.0, 90.0  # a circle's radius
_ONE = 11.0  # the most that a circle of one has
_ROUNDS = 160
_CELL = 7.0
_DOTS = 4000  # contributions in themes, up to which each has its dot
_LETTER, _LINE = 6.8, 14.0  # a letter's width and a line's height, about
_LABEL = 30  # code points of it
_FINE = 2.0**20
_COS, _SIN = -0.7373688780783197, 0.6754902942615238  # of the golden angle

Array = npt.NDArray[np.float64]


def map_svg(facts: Facts, links: frozenset[str], lang: str) -> str:
    """The picture. `links`: the names of the groups that have a part of their own on the page, to which a click leads."""
    _ = words(lang).gettext
    drawn = facts.map
    placed = _laid_out(drawn)
    keywords = {line.name: line.keywords for line in facts.lines}
    sizes = dict(zip(drawn.names, drawn.sizes, strict=True))
    dots = has_dots(drawn)
    marks = [_mark(place, sizes[place.name], dots) for place in placed]
    body = ""
    for place, mark in zip(placed, marks, strict=True):
        told = _told(place, keywords.get(place.name, ()), sizes[place.name], lang)
        inner = f"<g><title>{safe(told)}</title>{mark}</g>"
        body += f'<a href="#{place.name}" tabindex="-1">{inner}</a>' if place.name in links else inner
    body += "".join(_labels(placed, keywords))
    return picture(WIDTH, HEIGHT, _("Map of what was said"), _description(facts, keywords, lang), body)


def has_dots(drawn: MapFacts) -> bool:
    """Whether each contribution of a theme has its dot: there is no room for very many."""
    return sum(size for size, kind in zip(drawn.sizes, drawn.kinds, strict=True) if kind == 0) <= _DOTS


@dataclass(frozen=True, slots=True)
class _Place:
    name: str
    kind: int
    x: float
    y: float
    radius: float


def _told(place: _Place, keywords: Sequence[str], size: int, lang: str) -> str:
    _ = words(lang).gettext
    told = _("{name}: {n}").format(name=place.name, n=", ".join(keywords) or kind_words(place.kind, lang))
    return f"{told} ({number(size, lang)})"


def _description(facts: Facts, keywords: dict[str, tuple[str, ...]], lang: str) -> str:
    """The picture in words: the largest themes, each with the one that is nearest on the map."""
    _ = words(lang).gettext
    drawn = facts.map
    themes = [i for i, kind in enumerate(drawn.kinds) if kind == 0]
    told = []
    for i in themes[:8]:
        others = [j for j in themes if j != i]
        if not others:
            break
        apart = ((drawn.places[others] - drawn.places[i]) ** 2).sum(axis=1)
        nearest = drawn.names[others[int(np.argmin(np.round(apart, 9)))]]
        text = _("{name} ({keywords}) is nearest to {other}")
        told.append(
            text.format(name=drawn.names[i], keywords=", ".join(keywords[drawn.names[i]][:3]), other=nearest)
        )
    return joined(told, lang) if told else ""


# --- places


def _laid_out(drawn: MapFacts) -> list[_Place]:
    """A place for each group: circles that don't cover each other, and small marks around them."""
    kinds = np.array(drawn.kinds, np.int64)
    weights = np.array(drawn.people or drawn.sizes, np.float64)
    themes = np.flatnonzero(kinds == 0)
    radii = _radii(weights[themes])
    middle = np.array([WIDTH / 2, HEIGHT / 2])
    reach = np.array([WIDTH / 2 - 3 * _EDGE, HEIGHT / 2 - 3 * _EDGE])
    places = drawn.places - _middle(drawn.places)
    span = np.abs(places).max(axis=0, initial=0.0)
    places = middle + places / np.where(span > 0, span, 1.0) * reach
    circles = _pushed_apart(places[themes], radii)
    small = np.flatnonzero(kinds != 0)
    free = _Grid(circles, radii)
    found = [
        _Place(drawn.names[i], 0, float(x), float(y), float(r))
        for i, (x, y), r in zip(themes.tolist(), circles, radii, strict=True)
    ]
    for i in small.tolist():
        x, y = free.nearest(places[i])
        found.append(_Place(drawn.names[i], int(kinds[i]), x, y, 3.2))
    return found


def _middle(places: Array) -> Array:
    if not len(places):
        return np.zeros(2)
    return np.asarray((places.max(axis=0) + places.min(axis=0)) / 2)


def _radii(weights: Array) -> Array:
    """Radii whose squares are as the weights, and that cover a share of the picture together; the smallest can still be seen."""
    if not len(weights):
        return weights
    scale = min(_ONE, math.sqrt(_COVERED * WIDTH * HEIGHT / math.pi / max(float(weights.sum()), 1.0)))
    radii = np.minimum(np.sqrt(weights) * scale, _MOST)
    return np.maximum(radii, _LEAST)


def _sum(terms: Array) -> Array:
    return np.asarray(np.rint(terms * _FINE).sum(axis=1) / _FINE)


def _pushed_apart(places: Array, radii: Array) -> Array:
    """Circles moved along the lines between them until none covers another, or for as many rounds as there are."""
    count = len(places)
    if count < 2:
        return _inside(places, radii)
    wanted = radii[:, None] + radii[None, :] + _GAP
    np.fill_diagonal(wanted, 0.0)
    turn = np.arange(count, dtype=np.float64)
    places = places + np.stack([np.mod(turn * 0.618, 1.0), np.mod(turn * 0.755, 1.0)], axis=1) - 0.5
    for _ in range(_ROUNDS if count <= 400 else _ROUNDS // 4):
        across = places[:, None, 0] - places[None, :, 0]
        up = places[:, None, 1] - places[None, :, 1]
        apart = np.maximum(np.sqrt(across * across + up * up), 1e-3)
        over = np.maximum(wanted - apart, 0.0)
        if not over.any():
            break
        push = over / apart * 0.5
        places = places + np.stack([_sum(push * across), _sum(push * up)], axis=1) * 0.7
        places = _inside(places, radii)
    return places


def _inside(places: Array, radii: Array) -> Array:
    low = radii[:, None] + _EDGE
    return np.clip(places, low, np.array([[WIDTH, HEIGHT]]) - low)


class _Grid:
    """Free places for small marks."""

    def __init__(self, circles: Array, radii: Array) -> None:
        x = np.arange(_CELL, WIDTH - _CELL / 2, _CELL)
        y = np.arange(_CELL, HEIGHT - _CELL / 2, _CELL)
        cells = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
        open_to = np.ones(len(cells), bool)
        for (cx, cy), radius in zip(circles, radii, strict=True):
            squared = (cells[:, 0] - cx) ** 2 + (cells[:, 1] - cy) ** 2
            open_to &= squared > (radius + _CELL * 0.6) ** 2
        self._cells = cells[open_to]
        self._free = np.ones(len(self._cells), bool)

    def nearest(self, place: Array) -> tuple[float, float]:
        """The free place that is nearest; marks lie on each other only where none is left."""
        if not len(self._cells):
            return float(place[0]), float(place[1])
        squared = (self._cells[:, 0] - place[0]) ** 2 + (self._cells[:, 1] - place[1]) ** 2
        squared = np.where(self._free, squared, np.inf) if self._free.any() else squared
        at = int(np.argmin(squared))
        self._free[at] = False
        return float(self._cells[at, 0]), float(self._cells[at, 1])


# --- marks


def _mark(place: _Place, size: int, dots: bool) -> str:
    x, y, r = place.x, place.y, place.radius
    if place.kind == 1:
        return f'<rect class="w" x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r:.1f}" height="{2 * r:.1f}"/>'
    if place.kind == 2:
        r += 0.6
        return (
            f'<path class="o" d="M{x:.1f} {y - r:.1f}l{r:.1f} {r:.1f} {-r:.1f} {r:.1f} {-r:.1f} {-r:.1f}z"/>'
        )
    circle = f'<circle class="c" cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>'
    if not dots:
        return circle
    return circle + f'<path class="d" d="{"".join(_sunflower(x, y, r, size))}"/>'


def _sunflower(x: float, y: float, radius: float, count: int) -> Iterator[str]:
    """Dots spread evenly over a circle (Vogel 1979): each a golden angle further than the one before, turned without a sine."""
    cos, sin = 1.0, 0.0
    for i in range(count):
        away = (radius - 2.2) * math.sqrt((i + 0.5) / count)
        yield f"M{x + away * cos:.1f} {y + away * sin:.1f}h0"
        cos, sin = cos * _COS - sin * _SIN, cos * _SIN + sin * _COS


# --- labels


def _labels(placed: Sequence[_Place], keywords: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Names with a keyword or two, where they cover no other label and no other theme."""
    themes = [place for place in placed if place.kind == 0]
    taken: list[tuple[float, float, float, float]] = []
    circles = [(p.x - p.radius, p.y - p.radius, p.x + p.radius, p.y + p.radius) for p in themes]
    for at, place in enumerate(themes):
        others = circles[:at] + circles[at + 1 :]
        for text in _texts(place.name, keywords.get(place.name, ())):
            box = next(
                (
                    box
                    for box in _boxes(place, _LETTER * len(text))
                    if not any(_over(box, other) for other in (*taken, *others))
                ),
                None,
            )
            if box is not None:
                taken.append(box)
                yield text_at(round(box[0], 1), round(box[3] - 3.5, 1), text, kind="h")
                break


def _texts(name: str, keywords: Sequence[str]) -> Iterator[str]:
    """What a label may say, the longest first."""
    for many in (2, 1):
        text = f"{name} {', '.join(keywords[:many])}"
        if len(keywords) >= many and len(text) <= _LABEL:
            yield text
    if keywords and len(f"{name} {keywords[0]}") > _LABEL:
        yield f"{name} {keywords[0]}"[: _LABEL - 1] + "…"
    yield name


def _boxes(place: _Place, width: float) -> Iterator[tuple[float, float, float, float]]:
    """Where a label may stand: in the circle, to the right, to the left, below, above; within the picture."""
    x, y, r = place.x, place.y, place.radius
    lines = [
        (x + r + 2, y - _LINE / 2),
        (x - r - 2 - width, y - _LINE / 2),
        (x - width / 2, y + r + 1),
        (x - width / 2, y - r - 1 - _LINE),
    ]
    if width <= 2 * r - 4:
        lines.insert(0, (x - width / 2, y - _LINE / 2))
    for left, top in lines:
        if left >= 1 and left + width <= WIDTH - 1 and top >= 1 and top + _LINE <= HEIGHT - 1:
            yield left, top, left + width, top + _LINE


def _over(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
