"""The slow, obvious truth about nash, goldilocks and minimax on small pools: all panels listed, exact fractions.

Nash: no lottery beats π by more than the largest mean Σ w·n·(p/π) of a panel, and at the optimum that mean is 1: the condition is enough.
Goldilocks and minimax: linear programmes over all panels' weights, by the simplex of `oracle.py`.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from klero.sortition.instance import Instance
from oracle import all_panels, maximise, random_instances


@dataclass(frozen=True)
class Question:
    """A pool's panels and who is in question: types that sit on some panel and that no single quota seats whole."""

    instance: Instance
    panels: tuple[tuple[int, ...], ...]
    never: tuple[int, ...]
    forced: tuple[int, ...]
    open: tuple[int, ...]
    people: int
    share: Fraction


def question(instance: Instance) -> Question | None:
    """None if no panel meets the quotas."""
    panels = all_panels(instance)
    if not panels:
        return None
    types = range(len(instance.types))
    never = tuple(t for t in types if not any(panel[t] for panel in panels))
    able = tuple(t for t in types if t not in never)
    forced = tuple(
        t for t in able if any(seats_all(instance, able, t, f) for f in range(len(instance.features)))
    )
    if instance.size == sum(instance.counts[t] for t in able):
        forced = able
    free = tuple(t for t in able if t not in forced)
    people = sum(instance.counts[t] * instance.weights[t] for t in free)
    seats = instance.size - sum(instance.counts[t] for t in forced)
    return Question(instance, panels, never, forced, free, people, Fraction(seats, people or 1))


def seats_all(instance: Instance, able: Sequence[int], t: int, f: int) -> bool:
    """Whether the quotas of feature f alone seat everybody able to sit who shares type t's value."""
    people = [
        sum(instance.counts[u] for u in able if instance.types[u][f] == v)
        for v in range(len(instance.values[f]))
    ]
    v = instance.types[t][f]
    others = sum(min(instance.maxima[f][u], people[u]) for u in range(len(people)) if u != v)
    return max(instance.minima[f][v], instance.size - others) >= people[v]


def nash_excess(ask: Question, chances: Sequence[Fraction]) -> Fraction:
    """By what part some lottery's geometric mean might exceed that of these chances; 0 or less only at the optimum."""
    worth = [
        ask.instance.weights[t] / chances[t] if t in ask.open else Fraction(0) for t in range(len(chances))
    ]
    best = max(sum(w * s for w, s in zip(worth, panel, strict=True)) for panel in ask.panels)
    return best / ask.people - 1


def least_maximum(ask: Question) -> Fraction:
    """The smallest possible largest p/w."""
    return -_extreme(ask, Fraction(-1), Fraction(0), None)


def highest_minimum(ask: Question, top: Fraction) -> Fraction:
    """The largest possible smallest p/w where nobody has more than `top`."""
    return _extreme(ask, Fraction(0), Fraction(1), top)


def least_goldilocks(ask: Question, at: Fraction) -> Fraction:
    """A bound that no lottery's max r + 1/min r is below: that of 1/m's tangent at r = `at`. Exact if `at` is the optimum's."""
    slope = 1 / (at * at)
    # In units of p/w: max r = M/share, min r = m/share.
    lowest = -_extreme(ask, -1 / ask.share, slope / ask.share, None)
    return 2 / at + lowest


def _extreme(ask: Question, gain_top: Fraction, gain_bottom: Fraction, top: Fraction | None) -> Fraction:
    """The largest gain_top·M + gain_bottom·m over all lotteries with m ≤ p/w ≤ M of the open types (and M = top)."""
    count, wide = len(ask.panels), len(ask.open)
    # Variables: weights, M, m, what each open type has below M, and above m.
    width = count + 2 + 2 * wide
    rows, sides = [[Fraction(int(j < count)) for j in range(width)]], [Fraction(1)]
    for i, t in enumerate(ask.open):
        per = ask.instance.counts[t] * ask.instance.weights[t]
        chance = [Fraction(panel[t], per) for panel in ask.panels]
        for place, sign, slack in ((count, 1, count + 2 + i), (count + 1, -1, count + 2 + wide + i)):
            row = [*chance, *([Fraction(0)] * (2 + 2 * wide))]
            row[place], row[slack] = Fraction(-1), Fraction(sign)
            rows.append(row)
            sides.append(Fraction(0))
    if top is not None:
        rows.append([Fraction(int(j == count)) for j in range(width)])
        sides.append(top)
    aim = [Fraction(0)] * width
    aim[count], aim[count + 1] = gain_top, gain_bottom
    solution = maximise(aim, rows, sides)
    return sum((a * x for a, x in zip(aim, solution, strict=True)), Fraction(0))


def random_pools(seed: int, how_many: int) -> Iterator[Instance]:
    """The pools of `random_instances`, every other one with weights."""
    draw = random.Random(seed)
    for number, instance in enumerate(random_instances(seed, how_many)):
        yield weighted(instance, draw) if number % 2 else instance


def weighted(instance: Instance, draw: random.Random) -> Instance:
    """The same people, each with a weight of 1, 2, 3 or 10."""
    kinds = [(instance.types[t], draw.choice((1, 1, 2, 3, 10))) for t in instance.person_type]
    types = sorted(set(kinds))
    return replace(
        instance,
        types=tuple(kind for kind, _ in types),
        weights=tuple(weight for _, weight in types),
        counts=tuple(kinds.count(kind) for kind in types),
        person_type=tuple(types.index(kind) for kind in kinds),
    )
