"""Can these probabilities be had from panels? Panels and weights whose mean is the target.

Method. If a lottery has the target as its mean, each of its panels lies where the target lies: a quota that binds on average binds
in every panel. On that face, panels come from the Rust search (`rust/core/src/sortition/search.rs`), each for what is
owed so far; their weights from a balance (`weights.rs`) that ends at a residual near rounding. Where panels are missing, the
balance's own residual is the direction to look in; where search alone does not get there, a linear programme over the panels found
(`shortfall.py`) prices the types, and an exact integer programme finds the panel that is worth most or shows that the target is out of reach.

Cost: about 1.5 panels a type, tenths of a millisecond to two milliseconds each. One thread, no randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

from klero._native import PanelSearch
from klero.sortition.feasibility import feasible_panel
from klero.sortition.shortfall import ShortfallProgramme

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

Panel = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]
Progress = Callable[[str, int], None]

# Seats by which the balanced mean may miss the target: below a ball at M = 10^9.
RESIDUAL = 1e-10
_NEWTON_STEPS = 60
# A quota or probability this near to its limit is at its limit.
_NEAR = 1e-9
# Above so many types panels are dealt falling numbers of balls: matching every type exactly takes more panels than there are types.
_MANY_TYPES = 1500
# Each panel takes one ball in so many of those left, over the expected seats of the rarest type …
_SHARES = 4.0
# … within these limits.
_FEWEST_SHARES, _MOST_SHARES = 100.0, 2000.0
# So many panels, and one in ten beyond them, may have to be made by moves from the one before.
_MOST_STUCK = 50
_FEW_BALLS = 10.0
# Panels between two looks at the keyboard.
_CHUNK = 24
# Below this share of new panels in a chunk, pairs of exchanges are stuck and triples are tried.
_FRESH = 0.75
# Below this share the search has nothing to add, and panels come from the exact solver alone.
_STUCK = 0.1
# Panels searched from each one that the exact solver finds.
_AFTER_EXACT = 8
_SEARCH_ROUNDS = 5
_DIRECTION_SCALE = 10**6


@dataclass
class Realisation:
    """What a search for panels came to.

    Attributes:
        search: the panels found.
        weights: a weight for each, or None where the target was not reached.
        balls: whole balls for each, where they were dealt as panels were made; else they follow from the weights.
    """

    search: PanelSearch
    weights: list[float] | None
    balls: list[int] | None = None


def new_search(
    instance: Instance, start: Panel, cells: Pairs | None = None, types: Pairs | None = None
) -> PanelSearch:
    """A search from one panel within the instance's quotas, or within tighter ones."""
    cells = cells or tuple(instance.cell_bounds)
    types = types or tuple((0, n) for n in instance.counts)
    columns = [list(instance.type_cells(t)) for t in range(len(instance.types))]
    return PanelSearch(
        instance.size,
        columns,
        ([lo for lo, _ in cells], [hi for _, hi in cells]),
        ([lo for lo, _ in types], [hi for _, hi in types]),
        list(start),
    )


def realise(
    instance: Instance,
    seats: Sequence[Fraction],
    known: Sequence[Panel],
    denominator: int,
    progress: Progress | None,
) -> Realisation | None:
    """Panels whose weighted mean is the target (expected seats by type); None if no panel lies on its face.

    Args:
        instance: the people and quotas.
        seats: the target.
        known: feasible panels, to start from where they lie on the face.
        denominator: the number of balls.
        progress: called with («panels», number found).
    """
    target = [float(s) for s in seats]
    cells, types = face(instance, target)
    start = next((p for p in known if _within(instance, p, cells, types)), None)
    if start is None:
        start = feasible_panel(instance, cell_bounds=cells, type_bounds=types)
    if start is None:
        return None
    if len(target) > _MANY_TYPES:
        dealt = _deal(instance, target, (cells, types), denominator, progress)
        if dealt is not None:
            return dealt
    realiser = _Realiser(
        instance, target, new_search(instance, start, cells, types), (cells, types), progress
    )
    return Realisation(realiser.search, realiser.run())


def _deal(
    instance: Instance,
    target: list[float],
    face: tuple[Pairs, Pairs],
    denominator: int,
    progress: Progress | None,
) -> Realisation | None:
    """Panels with falling numbers of balls (`rust/core/src/sortition/falling.rs`); None where somebody stays owed more than a few."""
    # Within a seat of the target, panels differ least from one to the next.
    types = tuple(_around(x, lo, hi) for x, (lo, hi) in zip(target, face[1], strict=True))
    start = feasible_panel(instance, cell_bounds=face[0], type_bounds=types)
    if start is None:
        return None
    search = new_search(instance, start, face[0], types)
    rarest = min((x for x in target if x > _NEAR), default=1.0)
    divisor = min(max(_SHARES / rarest, _FEWEST_SHARES), _MOST_SHARES)
    left, stuck, panels = denominator, 0, 0
    while left:
        left, stuck = search.deal(target, denominator, round(divisor), _CHUNK)
        panels += _CHUNK
        if stuck > _MOST_STUCK + panels // 10:
            return None
        if progress:
            progress("panels", panels)
    balls, owed = search.dealt()
    worst = max(abs(o) / n for o, n in zip(owed, instance.counts, strict=True))
    # One weight for each panel, so that what the balls say is what was found.
    weights = [b / denominator for b in balls]
    return Realisation(search, weights, balls) if worst <= _FEW_BALLS else None


def face(instance: Instance, target: Sequence[float]) -> tuple[Pairs, Pairs]:
    """The quotas and types' bounds that every panel of a lottery with this mean keeps."""
    totals = [0.0] * len(instance.cell_bounds)
    for t, x in enumerate(target):
        for c in instance.type_cells(t):
            totals[c] += x
    cells = tuple(
        _tightened(total, lo, hi) for total, (lo, hi) in zip(totals, instance.cell_bounds, strict=True)
    )
    types = tuple(_tightened(x, 0, n) for x, n in zip(target, instance.counts, strict=True))
    return cells, types


def _around(mean: float, lo: int, hi: int) -> tuple[int, int]:
    """The whole numbers on both sides of a mean, within bounds."""
    return max(lo, floor(mean + _NEAR)), min(hi, ceil(mean - _NEAR))


def _tightened(mean: float, lo: int, hi: int) -> tuple[int, int]:
    if mean < lo + _NEAR:
        return lo, lo
    return (hi, hi) if mean > hi - _NEAR else (lo, hi)


def _within(instance: Instance, panel: Panel, cells: Pairs, types: Pairs) -> bool:
    totals = [0] * len(cells)
    for t, s in enumerate(panel):
        for c in instance.type_cells(t) if s else ():
            totals[c] += s
    return all(lo <= s <= hi for s, (lo, hi) in zip((*totals, *panel), (*cells, *types), strict=True))


class _Realiser:
    def __init__(
        self,
        instance: Instance,
        target: list[float],
        search: PanelSearch,
        face: tuple[Pairs, Pairs],
        progress: Progress | None,
    ) -> None:
        self.instance = instance
        self.target = target
        self.search = search
        self._face = face
        self._progress = progress
        self._breadth = max(64, instance.size // 2)
        self._deep = False

    def run(self) -> list[float] | None:
        types = len(self.target)
        fresh = self._herd(types + types // 2 + 30)
        if not self._seat_everyone():
            return None
        for _ in range(_SEARCH_ROUNDS):
            weights, residual, missing, prices = self.search.balance(self.target, RESIDUAL, _NEWTON_STEPS)
            if residual < RESIDUAL:
                return weights
            if fresh < _STUCK:
                break
            self.search.toward(prices)
            if not self._add_best(missing):
                return None
            self._breadth *= 1 if self._deep else 2
            self._deep = True
            fresh = self._herd(types // 3 + 10)
        cells, types_ = self._face
        programme = ShortfallProgramme(self.instance, self.target, self.search, cells, types_)
        weights, shortfall = programme.run(self._progress)
        return weights if shortfall < _NEAR else None

    def _herd(self, panels: int) -> float:
        """Adds panels for what is owed; returns the share of new ones in the last chunk."""
        fresh = 1.0
        for done in range(0, panels, _CHUNK):
            count, before = min(_CHUNK, panels - done), len(self.search)
            self.search.herd(self.target, count, self._breadth, self._deep)
            fresh = (len(self.search) - before) / count
            if not self._deep and fresh < _FRESH:
                self._deep = True
                self.search.forget()
            if self._progress:
                self._progress("panels", len(self.search))
        return fresh

    def _seat_everyone(self) -> bool:
        """Finds a panel of the face for every type that should sit and has not; False if one can't."""
        cells, types = self._face
        seated = self.search.seated()
        for t, x in enumerate(self.target):
            if x < _NEAR or seated[t]:
                continue
            # As many as possible of those who wait, at once: each exact search costs tens of milliseconds.
            waiting = [int(x >= _NEAR and not there) for x, there in zip(self.target, seated, strict=True)]
            panel = feasible_panel(
                self.instance, must_seat=t, objective=waiting, cell_bounds=cells, type_bounds=types
            )
            if panel is None:
                return False
            self.search.add(list(panel))
            self._herd(_AFTER_EXACT)
            seated = self.search.seated()
        return True

    def _add_best(self, direction: Sequence[float]) -> bool:
        """Adds the best panel of the face in a direction; False if it shows that the target is out of reach."""
        cells, types = self._face
        scale = _DIRECTION_SCALE / max(1e-300, *(abs(d) for d in direction))
        weights = [round(d * scale) for d in direction]
        panel = feasible_panel(self.instance, objective=weights, cell_bounds=cells, type_bounds=types)
        if panel is None:
            return False
        score = sum(w * s for w, s in zip(weights, panel, strict=True))
        if score < sum(w * x for w, x in zip(weights, self.target, strict=True)) - 1:
            return False
        self.search.add(list(panel))
        return True
