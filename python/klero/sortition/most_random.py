"""How random can a lottery be while everybody keeps exactly the probability that they have?

A lottery's entropy, in bits, says how hard its outcome is to foresee: with b bits it is as if one of 2^b panels (sets of people) were drawn, all alike. Of
the lotteries with given probabilities, the one of largest entropy favours no panel without a reason (maximum entropy, Jaynes 1957; for panels: de
Azevedo and Gölz, arXiv 2604.02712, 2026). It weighs each panel with the product of its members' weights.

Two things are done, apart from each other:

- `most_random` rearranges a lottery's balls by random exchanges of seats between panels (`rust/core/src/sortition/shuffle.rs`). Every probability stays the
  same to the last ball, so the certificate holds as it was; every panel keeps every quota; the exchanges need no solver and no count.
- `entropy_bound` bounds the entropy of any lottery over any panels with these probabilities, listed or not. For weights w > 0, a set S of panels that holds all
  feasible ones, and x the expected seats: H ≤ log2 Σ_{P in S} Π_{i in P} w_i − Σ_T x_T·log2 w_T (weak duality; any w will do). S keeps the size and
  as many quotas as fit into the count (`counting.py`), tightened where they bind on average; w is fitted so that the bound is nearly the smallest.

What is not claimed: that the rearranged lottery is the one of largest entropy. A list of N panels can't have more than log2 N bits beyond those of
choosing people within types, which for a large pool is far below the bound. The result states all of it. One thread; randomness from the stated text.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import comb, fsum, isfinite, log2
from typing import TYPE_CHECKING
from unicodedata import normalize

from klero import _native
from klero.errors import Fault, InputError
from klero.sortition.baselines import Options, stream_key
from klero.sortition.counting import Plan, best_order, plan
from klero.sortition.realise import face

if TYPE_CHECKING:
    from klero.sortition.instance import Instance
    from klero.sortition.lottery import Lottery

Progress = Callable[[str, int], None]

PANELS = 5_000
# For each seat of each packet: exchanges after which entropy was seen not to rise any more, and the most tries for them.
_EXCHANGES_A_SEAT = 10
_TRIES_A_SEAT = 40
# States gone through in a round of fitting, and in all of them; rounds, at least and at most.
_MOST_WORK = 3 * 10**7
_WORK_IN_ALL = 3 * 10**8
_FITTING_ROUNDS = (8, 60)
_MEMORY_MB = 500
# Far above what a sum of logarithms loses in floats, far below what matters.
_ROUNDING_BITS = 1e-6


@dataclass(frozen=True)
class Bound:
    """What no lottery with given probabilities can exceed.

    Attributes:
        bits: the bound.
        features: the features whose quotas it takes into account, by name; the others are left out, which only makes it larger.
        complete: whether that is all of them: then the bound is the largest entropy itself, but for the fit.
        misfit: by how many seats the expected seats under the fitted weights miss the target, at worst; at 0 the bound is the smallest for its features.
    """

    bits: float
    features: tuple[str, ...]
    complete: bool
    misfit: float


@dataclass(frozen=True)
class MostRandom:
    """A lottery rearranged to be as random as could be reached.

    Attributes:
        lottery: the same probabilities and certificate, other panels.
        entropy_bits: its entropy.
        before_bits: the entropy of the lottery that was given.
        bound: what no lottery with these probabilities can exceed.
        list_bits: what no list of so many panels with these seats can exceed.
        exchanges: how many exchanges were made.
        seed_text: the text that they come from.
        seconds: time; not part of the result's identity.
    """

    lottery: Lottery
    entropy_bits: float
    before_bits: float
    bound: Bound
    list_bits: float
    exchanges: int
    seed_text: str
    seconds: float = field(default=0.0, compare=False)

    @property
    def gap_bits(self) -> float:
        """How far below the bound the lottery is, in bits; at least 0."""
        return max(0.0, self.bound.bits - self.entropy_bits)

    def __repr__(self) -> str:
        return (
            f"<MostRandom: {self.entropy_bits:.2f} bits (before {self.before_bits:.2f}), {len(self.lottery.panels)} panels, "
            f"no lottery with these probabilities has more than {self.bound.bits:.2f}>"
        )


def entropy_bits(lottery: Lottery) -> float:
    """Shannon entropy of the panel drawn, as a set of people, in bits.

    That of the entry drawn, and on average that of choosing each type's people; exact but for floats. Where a rule limits households, choosing among
    their people counts as nothing, so that the entropy is at least what is said.
    """
    m = lottery.denominator
    entries = fsum(balls / m * (log2(m) - log2(balls)) for balls, _ in lottery.panels)
    return entries + _within_types(lottery)


def _within_types(lottery: Lottery) -> float:
    """The mean bits of choosing each type's people, given its seats."""
    instance = lottery.instance
    limited = {instance.person_type[i] for members in instance.households for i in members}
    return fsum(
        balls / lottery.denominator * log2(comb(instance.counts[t], s))
        for balls, seats in lottery.panels
        for t, s in seats
        if t not in limited
    )


def most_random(
    lottery: Lottery,
    *,
    panels: int = PANELS,
    trial_seed: str = "most random",
    progress: Progress | None = None,
) -> MostRandom:
    """The lottery's probabilities, by panels that are as varied as random exchanges make them.

    Args:
        lottery: any lottery, of any objective.
        panels: about how many panels the list may have, 2 or more; more panels are more random and make larger bundles.
        trial_seed: any text; another text gives other exchanges, with the same probabilities.
        progress: called with («exchanges», packets of balls).

    Raises:
        InputError: an option can't be used.
    """
    started = time.perf_counter()
    Options(trial_seed=trial_seed)
    if not isinstance(panels, int) or isinstance(panels, bool) or not 2 <= panels <= 10**6:
        text = f"the number of panels must be a whole number from 2 to 10^6, not {panels!r}"
        raise InputError([Fault("panels-invalid", text, "", value=str(panels))])
    instance = lottery.instance
    packets, balls = _packets(lottery, panels)
    if progress:
        progress("exchanges", len(packets))
    key = stream_key("most-random", instance, trial_seed)
    bounds = ([lo for lo, _ in instance.cell_bounds], [hi for _, hi in instance.cell_bounds])
    columns = [list(instance.type_cells(t)) for t in range(len(instance.types))]
    seats = instance.size * len(packets)
    steps = (_TRIES_A_SEAT * seats, _EXCHANGES_A_SEAT * seats)
    arranged, made = _native.shuffled(
        instance.size, columns, bounds, list(instance.counts), (packets, balls), key, steps
    )
    result = replace(lottery, panels=_entries(arranged, balls))
    _forget(result)
    before, after = entropy_bits(lottery), entropy_bits(result)
    if after < before:
        # Few exchanges in a lottery that was varied already: what was given is the more random one.
        result, after = lottery, before
    return MostRandom(
        result,
        after,
        before,
        entropy_bound(instance, lottery.type_probabilities),
        log2(max(len(result.panels), min(panels, lottery.denominator))) + _within_types(result),
        made,
        normalize("NFC", trial_seed),
        time.perf_counter() - started,
    )


def _packets(lottery: Lottery, panels: int) -> tuple[list[list[int]], list[int]]:
    """Each panel's balls in packets of one size as far as they go, and a smaller one for the rest."""
    size = max(1, -(-lottery.denominator // panels))
    packets: list[list[int]] = []
    balls: list[int] = []
    for number, seats in lottery.panels:
        dense = [0] * len(lottery.instance.types)
        for t, s in seats:
            dense[t] = s
        whole, rest = divmod(number, size)
        # The rest in powers of two: those find partners of their own size.
        powers = [1 << bit for bit in reversed(range(rest.bit_length())) if rest >> bit & 1]
        for part in [*[size] * whole, *powers]:
            packets.append(dense)
            balls.append(part)
    return packets, balls


def _entries(
    panels: Sequence[Sequence[int]], balls: Sequence[int]
) -> tuple[tuple[int, tuple[tuple[int, int], ...]], ...]:
    """Entries in canonical order: equal panels become one."""
    totals: Tally[tuple[tuple[int, int], ...]] = Tally()
    for panel, number in zip(panels, balls, strict=True):
        totals[tuple((t, s) for t, s in enumerate(panel) if s)] += number
    return tuple((number, seats) for seats, number in sorted(totals.items()))


def _forget(lottery: Lottery) -> None:
    """Drops the times of the lottery that was rearranged: the new one's are others."""
    lottery.seconds.clear()


def entropy_bound(instance: Instance, probabilities: Sequence[Fraction]) -> Bound:
    """What no lottery over feasible panels with these probabilities can exceed, in bits.

    Args:
        instance: people and quotas.
        probabilities: of a person of each type; those of some lottery over feasible panels.
    """
    seats = [p * n for p, n in zip(probabilities, instance.counts, strict=True)]
    certain = [t for t, p in enumerate(probabilities) if p == 1]
    open_types = [t for t, p in enumerate(probabilities) if 0 < p < 1]
    if not open_types:
        return Bound(0.0, instance.features, True, 0.0)
    size = instance.size - sum(instance.counts[t] for t in certain)
    bounds = _remaining(instance, seats, certain)
    independent = _by_person(instance, probabilities, open_types)
    chosen = _largest_plan(instance, bounds, size, open_types)
    if chosen is None:
        return Bound(independent + _ROUNDING_BITS, (), False, 0.0)
    bits, misfit = _fitted(instance, chosen, seats)
    features = tuple(instance.features[f] for f in sorted(chosen.features))
    complete = len(features) == len(instance.features)
    if bits > independent:
        return Bound(independent + _ROUNDING_BITS, (), False, misfit)
    return Bound(bits + _ROUNDING_BITS, features, complete, misfit)


def _by_person(instance: Instance, probabilities: Sequence[Fraction], open_types: Sequence[int]) -> float:
    """The entropy if everybody were drawn on their own: no lottery with these probabilities has more."""
    total = 0.0
    for t in open_types:
        p = float(probabilities[t])
        total -= instance.counts[t] * (p * log2(p) + (1 - p) * log2(1 - p))
    return total


def _remaining(
    instance: Instance, seats: Sequence[Fraction], certain: Sequence[int]
) -> list[tuple[int, int]]:
    """Each cell's seats once those who always sit do: a quota that binds on average binds on every panel."""
    cells, _ = face(instance, [float(x) for x in seats])
    taken = [0] * len(cells)
    for t in certain:
        for c in instance.type_cells(t):
            taken[c] += instance.counts[t]
    return [(max(0, lo - n), hi - n) for (lo, hi), n in zip(cells, taken, strict=True)]


def _largest_plan(
    instance: Instance, bounds: Sequence[tuple[int, int]], size: int, types: Sequence[int]
) -> Plan | None:
    """Features added one by one, the tightest first, as long as the count fits; None if not even the size does."""

    def fits(candidate: Plan) -> bool:
        cost = candidate.kernel.cost()
        return cost is not None and cost[1] <= _MOST_WORK and cost[0] * 8 <= _MEMORY_MB * 10**6

    options: dict[str, object] = {"size": size, "types": types, "by_type": True}
    best = plan(instance, (), cell_bounds=bounds, size=size, types=types, by_type=True)
    if not fits(best):
        return None

    def room(f: int) -> int:
        return sum(
            bounds[c][1] - bounds[c][0] for c, (g, _) in enumerate(instance.cells) if g == f
        ) - 2 * len(instance.values[f])

    for f in sorted(range(len(instance.features)), key=lambda f: (room(f), f)):
        candidate = best_order(instance, (*sorted(best.features), f), cell_bounds=bounds, **options)
        if fits(candidate):
            best = candidate
    return best


def _fitted(instance: Instance, chosen: Plan, seats: Sequence[Fraction]) -> tuple[float, float]:
    """(bound in bits, misfit in seats) at weights fitted by proportional steps on the odds."""
    types = [members[0] for members in chosen.classes]
    counts = [instance.counts[t] for t in types]
    target = [float(seats[t]) for t in types]
    weights = [x / (n - x) for x, n in zip(target, counts, strict=True)]
    best, misfit = float("inf"), float("inf")
    cost = chosen.kernel.cost() or (1, 1)
    fewest, most = _FITTING_ROUNDS
    for _ in range(max(fewest, min(most, _WORK_IN_ALL // cost[1]))):
        found = chosen.kernel.expect_seats(weights)
        if found is None or not isfinite(found[0]) or found[0] <= 0:
            break
        total, around = found
        bits = log2(total) - fsum(x * log2(w) for x, w in zip(target, weights, strict=True))
        expected = [_expected(ways, w, n, total) for ways, w, n in zip(around, weights, counts, strict=True)]
        off = max(abs(e - x) for e, x in zip(expected, target, strict=True))
        if bits < best:
            best, misfit = bits, off
        if off < 1e-9 or min(expected) <= 0 or any(e >= n for e, n in zip(expected, counts, strict=True)):
            break
        weights = [
            w * (x / (n - x)) / (e / (n - e))
            for w, x, e, n in zip(weights, target, expected, counts, strict=True)
        ]
    return best, misfit


def _expected(ways: Sequence[float], weight: float, people: int, total: float) -> float:
    """Expected seats of a type: Σ_s s·C(n, s)·w^s·(ways for the others) / total."""
    share, term = 0.0, 1.0
    for s, rest in enumerate(ways):
        if s:
            term *= weight * (people - s + 1) / s
        share += s * term * rest
    return share / total
