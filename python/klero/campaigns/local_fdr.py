"""How likely is it that a member of a group is there by chance, given how alike it is to the rest and how alike outsiders are?

That probability is the local false discovery rate (Efron, «Large-Scale Inference», 2010, chapter 5): of all texts (or voters) at a similarity s, the
share that do not come from the common source,

    lfdr(s) = N₀ f₀(s) / N f(s),

where N₀ f₀ is the density of those that do not, and N f that of all. How both are had depends on what was measured and on how the group was chosen:

- `decreasing`: the group was cut out by its similarity. Members and outsiders are seen together, since outsiders just below the cut tell how many
  others must lie just above it. f₀ is normal, fitted to outsiders *and* to members by their chance (expectation and maximisation in turn): with
  outsiders alone it would end at the cut. N f is whatever makes lfdr fall with s (Grenander's estimator, by pooling adjacent violators); nothing is
  supposed of the source.
- `among`: the group was chosen by something else (a burst in time). Its others are as outsiders are; how many there are is told by the members below
  the outsiders' median (Storey 2002) and by how many the burst would have without its excess. N f is that of members alone, as before.
- `two_classes`: shared content, or votes that follow a script, in bits. f₀ has an exponential tail, as shared content has, and the source's texts a
  normal density with a small even floor. Between a letter's hundreds of bits and the dozens that the likest outsiders share there is a gap, and only
  a form that knows of it counts those outsiders right.

Guaranteed: probabilities between 0 and 1, never higher for who is more alike; functions of the sets of numbers. Not guaranteed: that they are calibrated
where a source's texts are no more alike than other texts on the question; the interval of `klero.campaigns.effective` is wide then.

Cost: a few dozen passes over members and outsiders; no randomness.

>>> import numpy as np
>>> outside = np.linspace(-0.2, 0.2, 200)
>>> curve = decreasing(np.array([0.9, 0.85, 0.8, 0.15]), outside)
>>> curve(np.array([0.9, 0.8, 0.15])).round(2).tolist()
[0.0, 0.0, 0.77]
>>> among(np.array([0.9, 0.85, 0.8, 0.15]), outside, expected=1.0)(np.array([0.9, 0.15])).round(2).tolist()
[0.0, 0.1]
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from klero.campaigns.model import Floats

__all__ = ["ROUNDS", "Curve", "among", "decreasing", "monotone", "two_classes"]

Curve: TypeAlias = Callable[[Floats], Floats]
"""The local false discovery rate at these similarities."""

ROUNDS = 60
_CLOSE = 1e-7
_NODES = 512
"""Steps of a curve at most; a larger group has its similarities put into so many bins."""
_TAIL, _TAIL_LEAST = 0.1, 10.0
"""The exponential tail is fitted to this share of outsiders, and to so many at least."""
_FLOOR = 0.02
"""Share of the source's texts that may lie anywhere above the bulk of outsiders: who wrote the letter anew, or sent half of it."""
_NARROW = 0.05
"""The source's texts spread over this share of the range at least."""

_erfc = np.vectorize(math.erfc, otypes=[np.float64])


def monotone(values: Floats, weights: Floats) -> Floats:
    """The nearest values that never fall (weighted least squares, by pooling adjacent violators; Barlow, Bartholomew, Bremner and Brunk 1972).

    >>> monotone(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4)).tolist()
    [1.0, 2.5, 2.5, 4.0]
    """
    means: list[float] = []
    masses: list[float] = []
    counts: list[int] = []
    for value, weight in zip(values.tolist(), weights.tolist(), strict=True):
        means.append(value)
        masses.append(weight)
        counts.append(1)
        while len(means) > 1 and means[-2] >= means[-1]:
            mass = masses[-2] + masses[-1]
            means[-2:] = [(means[-2] * masses[-2] + means[-1] * masses[-1]) / mass]
            masses[-2:] = [mass]
            counts[-2:] = [counts[-2] + counts[-1]]
    return np.repeat(np.array(means, np.float64), counts)


def decreasing(
    members: Floats,
    outside: Floats,
    scale: float = 1.0,
    *,
    counts: tuple[Floats, Floats] | None = None,
    start: Floats | None = None,
    rounds: int = ROUNDS,
) -> Curve:
    """The curve of a group that was cut out by its similarity, under a normal f₀ and no form for the rest.

    Args:
        members, outside: similarities; there must be some of both.
        scale: how many outsiders each of `outside` stands for.
        counts: how often each member and each outsider counts, in a resample; once by default.
        start: for each member the probability from which the rounds start; 0 by default.
        rounds: at most.
    """
    often, often_outside = _often(members, outside, counts)
    mass_outside = often_outside * scale
    nodes = _nodes(members)
    at_member = np.searchsorted(-nodes, -members, "left")  # the first node that is not above the member
    at_outside = np.searchsorted(-nodes, -outside, "left")
    near = at_outside < len(nodes)
    seen = np.bincount(at_member, often, len(nodes)).astype(np.float64) + np.bincount(
        at_outside[near], mass_outside[near], len(nodes)
    )
    chance = np.zeros(len(members)) if start is None else start
    steps = np.ones(len(nodes))
    for _ in range(rounds):
        mean, deviation, total = _normal(
            np.concatenate([outside, members]), np.concatenate([mass_outside, often * chance])
        )
        steps = _slopes(total * _above(nodes, mean, deviation), seen)
        fresh = steps[at_member]
        moved = float(np.abs(fresh - chance).max(initial=0.0))
        chance = fresh
        if moved < _CLOSE:
            break
    return _stairs(nodes, steps)


def among(
    members: Floats, outside: Floats, expected: float, *, counts: tuple[Floats, Floats] | None = None
) -> Curve:
    """The curve of a group that was *not* chosen by its similarity (a burst in time), under a normal f₀ and no form for the rest.

    Its others are as outsiders are. There is one more than twice as many of them as members below the outsiders' median, where a source's texts hardly
    come (Storey 2002), and no fewer than are expected by what the group was chosen by.

    Args:
        members, outside, counts: as of `decreasing`.
        expected: how many others are expected in the group; 0 if that is not known.
    """
    often, often_outside = _often(members, outside, counts)
    order = np.argsort(outside, kind="stable")
    half = np.searchsorted(np.cumsum(often_outside[order]), 0.5 * often_outside.sum())
    median = float(outside[order][min(int(half), len(outside) - 1)])
    others = min(max(2 * float(often[members <= median].sum()) + 1, expected), float(often.sum()))
    mean, deviation, _ = _normal(outside, often_outside)
    nodes = _nodes(members)
    seen = np.bincount(np.searchsorted(-nodes, -members, "left"), often, len(nodes)).astype(np.float64)
    return _stairs(nodes, _slopes(others * _above(nodes, mean, deviation), seen))


def _often(members: Floats, outside: Floats, counts: tuple[Floats, Floats] | None) -> tuple[Floats, Floats]:
    return counts if counts is not None else (np.ones(len(members)), np.ones(len(outside)))


def _normal(at: Floats, mass: Floats) -> tuple[float, float, float]:
    """Mean, deviation and mass."""
    total = float(mass.sum())
    mean = float((mass * at).sum()) / total
    return mean, max(math.sqrt(float((mass * (at - mean) ** 2).sum()) / total), 1e-9), total


def _above(at: Floats, mean: float, deviation: float) -> Floats:
    share: Floats = 0.5 * _erfc((at - mean) / (deviation * math.sqrt(2.0)))
    return share


def _slopes(above: Floats, seen: Floats) -> Floats:
    """For each step the others that are expected on it, by those seen there, never falling and at most 1."""
    # What the lowest members have above 1, by luck, is cut off, so the sum is up to a fifth below those expected; to give it to the others was tried, and on
    # real debates made the mean error larger.
    seen = np.maximum(seen, _CLOSE)
    return np.minimum(monotone(np.diff(above, prepend=0.0) / seen, seen), 1.0)


def _stairs(nodes: Floats, steps: Floats) -> Curve:
    def curve(at: Floats) -> Floats:
        place = np.searchsorted(-nodes, -at, "left")
        return np.where(place < len(nodes), steps[np.minimum(place, len(nodes) - 1)], 1.0)

    return curve


def _nodes(members: Floats) -> Floats:
    """The similarities at which the curve may step, descending: those of members, or the lower ends of bins."""
    nodes = np.unique(members)[::-1]
    if len(nodes) <= _NODES:
        return nodes
    return np.linspace(nodes[0], nodes[-1], _NODES + 1)[1:]


@dataclass(frozen=True)
class _Tail:
    """f₀ of `two_classes`: an exponential tail of `mass` outsiders above `cut`."""

    cut: float
    mean: float
    mass: float

    def density(self, at: Floats) -> Floats:
        tail: Floats = self.mass / self.mean * np.exp(-np.maximum(at - self.cut, 0.0) / self.mean)
        return tail


@dataclass(frozen=True)
class _Source:
    """The source's texts: a normal density of `mass` of them with an even floor over `width`."""

    mean: float
    deviation: float
    mass: float
    width: float

    def density(self, at: Floats) -> Floats:
        normal = np.exp(-0.5 * ((at - self.mean) / self.deviation) ** 2) / (
            self.deviation * math.sqrt(2 * math.pi)
        )
        mixed: Floats = self.mass * ((1 - _FLOOR) * normal + _FLOOR / self.width)
        return mixed


def two_classes(
    members: Floats,
    outside: Floats,
    scale: float = 1.0,
    *,
    counts: tuple[Floats, Floats] | None = None,
    start: Floats | None = None,
    rounds: int = ROUNDS,
) -> Curve:
    """The curve under an exponential tail of f₀ and a normal density, with a floor, of the source's texts.

    The tail is fitted to outsiders alone: a group holds few of those thousands, and members between the two classes would draw it towards them. Below
    the tail lfdr is 1.

    Args:
        members, outside, scale, counts, start, rounds: as of `decreasing`.
    """
    often, often_outside = _often(members, outside, counts)
    at = np.concatenate([members, outside])
    mass = np.concatenate([often, often_outside * scale])
    begin = np.concatenate([np.zeros(len(members)) if start is None else start, np.ones(len(outside))])
    order = np.argsort(-at, kind="stable")
    at, mass, chance = at[order], mass[order], begin[order]
    spread = max(float(at[0] - at[-1]), 1e-9)
    tail = _tail(outside, often_outside * scale, _TAIL_LEAST * scale, spread)
    width = max(float(at[0]) - tail.cut, 1e-9)

    def lfdr(asked: Floats, source: _Source) -> Floats:
        null = tail.density(asked)
        return np.where(asked > tail.cut, null / (null + source.density(asked) + 1e-300), 1.0)

    source = _source(at, mass * (1 - chance), spread, width)
    for _ in range(rounds):
        # Never lower than for anybody who is more alike.
        fresh = np.maximum.accumulate(lfdr(at, source))
        moved = float(np.abs(fresh - chance).max(initial=0.0))
        chance = fresh
        if moved < _CLOSE:
            break
        source = _source(at, mass * (1 - chance), spread, width)
    return _stairs(at, np.maximum.accumulate(lfdr(at, source)))


def _tail(outside: Floats, mass: Floats, least: float, spread: float) -> _Tail:
    order = np.argsort(-outside, kind="stable")
    at, mass = outside[order], mass[order]
    running = np.cumsum(mass)
    wanted = min(float(running[-1]), max(_TAIL * float(running[-1]), least))
    cut = float(at[min(int(np.searchsorted(running, wanted - _CLOSE)), len(at) - 1)])
    over = np.where(at > cut, mass, 0.0)
    held = float(over.sum())
    mean = float((over * (at - cut)).sum()) / held if held > 0 else 0.0
    return _Tail(cut, max(mean, 1e-3 * spread), held)


def _source(at: Floats, mass: Floats, spread: float, width: float) -> _Source:
    total = float(mass.sum())
    mean = float((mass * at).sum()) / total if total > 0 else float(at[0])
    square = float((mass * (at - mean) ** 2).sum()) / total if total > 0 else 0.0
    return _Source(mean, max(math.sqrt(square), _NARROW * spread), total, width)
