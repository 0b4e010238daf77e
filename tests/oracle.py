"""The slow, obvious answer that every fast path is compared with, in Python's exact fractions.

All panels of a small pool are listed one by one. The leximin lottery over them is found as it is defined:
raise the smallest probability as far as it goes, see who can't have more, hold them, go on with the rest.
Each step is a linear programme over the panels' weights, solved by a textbook simplex with Bland's rule. Of
klero it uses only the class that holds an instance.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from klero.sortition.instance import Instance


@dataclass(frozen=True)
class Truth:
    """What is true of a pool.

    Attributes:
        panels: every panel, as seats of each type.
        probabilities: of a person of each type in the leximin lottery. There is only one such vector.
        maximin: the highest smallest probability (0 if somebody can never sit).
        never: the types that sit on no panel.
    """

    panels: tuple[tuple[int, ...], ...]
    probabilities: tuple[Fraction, ...]
    maximin: Fraction
    never: tuple[int, ...]


def truth(instance: Instance) -> Truth | None:
    """The oracle; None if no panel meets the quotas."""
    panels = all_panels(instance)
    if not panels:
        return None
    probabilities = leximin(panels, instance.counts)
    never = tuple(t for t in range(len(instance.types)) if all(panel[t] == 0 for panel in panels))
    return Truth(panels, probabilities, min(probabilities), never)


def all_panels(instance: Instance) -> tuple[tuple[int, ...], ...]:
    """Every choice of seats by type that fills the panel and keeps the quotas."""
    ranges = [range(min(n, instance.size) + 1) for n in instance.counts]
    return tuple(panel for panel in _filled(ranges, instance.size) if keeps_quotas(instance, panel))


def _filled(ranges: Sequence[range], seats: int) -> Iterator[tuple[int, ...]]:
    if not ranges:
        if seats == 0:
            yield ()
        return
    for here in ranges[0]:
        if here <= seats:
            for rest in _filled(ranges[1:], seats - here):
                yield (here, *rest)


def keeps_quotas(instance: Instance, panel: Sequence[int]) -> bool:
    """Whether every value of every feature has between its minimum and its maximum of seats."""
    for f, values in enumerate(instance.values):
        for v in range(len(values)):
            seats = sum(x for x, kind in zip(panel, instance.types, strict=True) if kind[f] == v)
            if not instance.minima[f][v] <= seats <= instance.maxima[f][v]:
                return False
    return True


def leximin(
    panels: Sequence[Sequence[int]], counts: Sequence[int], weights: Sequence[int] | None = None
) -> tuple[Fraction, ...]:
    """The leximin p/w over lotteries on these panels, for a person of each type (weights are 1 if not given).

    One linear programme serves for all steps. Its variables, all at least 0: a weight for each panel, the
    common floor, and for each open type what it gets above that.
    """
    types = range(len(counts))
    weights = weights or [1] * len(counts)
    share = [[Fraction(panel[t], counts[t] * weights[t]) for panel in panels] for t in types]
    settled: dict[int, Fraction] = {}
    while len(settled) < len(counts):
        open_types = [t for t in types if t not in settled]
        # Weights sum to 1; a settled type gets its value; an open one the floor and something more.
        rows = [[Fraction(1)] * len(panels) + [Fraction(0)] * (1 + len(open_types))]
        sides = [Fraction(1)]
        for t in types:
            above = [Fraction(-1 if t == other else 0) for other in open_types]
            rows.append([*share[t], Fraction(0 if t in settled else -1), *above])
            sides.append(settled.get(t, Fraction(0)))
        aim = [Fraction(0)] * len(panels) + [Fraction(1)] + [Fraction(0)] * len(open_types)
        floor = maximise(aim, rows, sides)[len(panels)]

        # Whoever gets more than the floor in some lottery with this floor stays open. Those who are left when
        # even their sum can't rise get the floor in every such lottery.
        held = [*rows, [Fraction(int(i == len(panels))) for i in range(len(aim))]]
        stuck = set(open_types)
        while stuck:
            aim = [Fraction(0)] * (len(panels) + 1) + [Fraction(int(t in stuck)) for t in open_types]
            above = maximise(aim, held, [*sides, floor])[len(panels) + 1 :]
            rising = {t for t, more in zip(open_types, above, strict=True) if more > 0} & stuck
            if not rising:
                break
            stuck -= rising
        settled |= dict.fromkeys(stuck, floor)
    return tuple(settled[t] for t in types)


def maximise(
    aim: Sequence[Fraction], rows: Sequence[Sequence[Fraction]], sides: Sequence[Fraction]
) -> list[Fraction]:
    """A solution x ≥ 0 of rows · x = sides (all at least 0) for which aim · x is largest.

    The simplex method in two phases: one artificial variable a row, their sum driven to 0; then the aim.
    """
    width, height = len(aim), len(rows)
    unit = [[Fraction(int(i == j)) for j in range(height)] for i in range(height)]
    tableau = [[*row, *unit[i], sides[i]] for i, row in enumerate(rows)]
    basis = list(range(width, width + height))
    _simplex(tableau, basis, [Fraction(0)] * width + [Fraction(-1)] * height)
    if any(tableau[i][-1] for i in range(height) if basis[i] >= width):
        raise ValueError("the programme has no solution")
    # An artificial variable still in the basis is 0: exchange it for a real one. If there is none, the row
    # says 0 = 0 and goes.
    for i in reversed(range(height)):
        if basis[i] >= width:
            column = next((j for j in range(width) if tableau[i][j]), None)
            if column is None:
                del tableau[i], basis[i]
            else:
                _pivot(tableau, basis, i, column)
    tableau = [[*row[:width], row[-1]] for row in tableau]
    _simplex(tableau, basis, list(aim))
    solution = [Fraction(0)] * width
    for i, column in enumerate(basis):
        solution[column] = tableau[i][-1]
    return solution


def _simplex(tableau: list[list[Fraction]], basis: list[int], aim: list[Fraction]) -> None:
    """Pivots until no variable can raise the aim. Bland's rule (lowest number first) can't go in circles."""
    # What one unit of each variable adds to the aim, and (negated, at the end) the aim's value.
    gain = [*aim, Fraction(0)]
    for row, column in zip(tableau, basis, strict=True):
        _subtract(gain, aim[column], row)
    while True:
        entering = next((j for j in range(len(aim)) if gain[j] > 0), None)
        if entering is None:
            return
        ratios = [
            (row[-1] / row[entering], basis[i], i) for i, row in enumerate(tableau) if row[entering] > 0
        ]
        if not ratios:
            raise ValueError("the aim can grow without end")
        leaving = min(ratios)[2]
        _pivot(tableau, basis, leaving, entering)
        _subtract(gain, gain[entering], tableau[leaving])


def _pivot(tableau: list[list[Fraction]], basis: list[int], leaving: int, entering: int) -> None:
    divisor = tableau[leaving][entering]
    tableau[leaving] = [value / divisor if value else value for value in tableau[leaving]]
    for i, row in enumerate(tableau):
        if i != leaving:
            _subtract(row, row[entering], tableau[leaving])
    basis[leaving] = entering


def _subtract(row: list[Fraction], times: Fraction, other: list[Fraction]) -> None:
    if times:
        for j, value in enumerate(other):
            if value:
                row[j] -= times * value


def random_instances(seed: int, how_many: int) -> Iterator[Instance]:
    """Small pools with tight quotas: 3 to 12 people, 2 to 4 features. About one in seven can't be met."""
    draw = random.Random(seed)
    for _ in range(how_many):
        yield _random_instance(draw)


def _random_instance(draw: random.Random) -> Instance:
    people_count = draw.choice((3, 5, 7, 8, 9, 10, 11, 12))
    value_counts = [draw.choice((2, 2, 3)) for _ in range(draw.choice((2, 2, 3, 3, 4)))]
    # Uneven shares, so that some values are rare and some types crowded.
    shares = [[draw.choice((1, 1, 2, 4)) for _ in range(count)] for count in value_counts]
    people = [
        tuple(
            draw.choices(range(count), weights)[0]
            for count, weights in zip(value_counts, shares, strict=True)
        )
        for _ in range(people_count)
    ]
    size = draw.randint(1, min(6, people_count - 1))
    panel = draw.sample(people, size)
    room = draw.choice(((0,), (0, 1), (1, 2)))  # exact, tight or roomy quotas
    impossible = draw.random() < 0.5  # not always: the moved seat may do no harm
    minima, maxima = [], []
    for f, count in enumerate(value_counts):
        seats = [sum(person[f] == v for person in panel) for v in range(count)]
        if impossible:
            taken = draw.choice([v for v in range(count) if seats[v]])
            seats[taken] -= 1
            seats[draw.randrange(count)] += 1
        minima.append(tuple(max(0, s - draw.choice(room)) for s in seats))
        maxima.append(tuple(s + draw.choice(room) for s in seats))
    return small_instance(size, people, minima, maxima)


def small_instance(
    size: int,
    people: Sequence[tuple[int, ...]],
    minima: Sequence[tuple[int, ...]],
    maxima: Sequence[tuple[int, ...]],
) -> Instance:
    """An instance from value numbers: features «f0», «f1», …, values «v0», «v1», …, people «p00», «p01», …"""
    types = tuple(sorted(set(people)))
    return Instance(
        size=size,
        features=tuple(f"f{f}" for f in range(len(minima))),
        values=tuple(tuple(f"v{v}" for v in range(len(row))) for row in minima),
        minima=tuple(minima),
        maxima=tuple(maxima),
        flex_minima=tuple((None,) * len(row) for row in minima),
        flex_maxima=tuple((None,) * len(row) for row in maxima),
        types=types,
        weights=(1,) * len(types),
        counts=tuple(people.count(kind) for kind in types),
        ids=tuple(f"p{i:02}" for i in range(len(people))),
        person_type=tuple(types.index(kind) for kind in people),
        id_column="id",
    )
