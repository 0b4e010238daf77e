"""How close is a lottery to the best that nash, goldilocks or minimax could give? One bound, and the arithmetic around it.

Leximin and maximin are proved level by level (`certificate.py`). The three objectives here need one claim: integer weights q on the types
and a proof that no panel has Σ q_T x_T above U, by dual weights or by a tree. From U follows, for every lottery p at once,

- nash: the weighted geometric mean of p over that of the published π is at most (U/N)·(Σ n_T w_T²/(q_T π_T) / N), the inequality of
  arithmetic and geometric means used twice, so that no logarithm is needed;
- goldilocks: with r = p/(w·share), Z·max r − Y·min r is at least −U/share, and 1/m lies above each of its tangents;
- minimax: max p/w is at least −U/Z; its objective and gap are counted in even shares, max r.

Left out of all three are people who sit on every panel (`forced_types`) and those shown to sit on none (levels of value 0): no lottery can
do anything for them or against them. `docs/audit/bundle.md` states the rules; the verifiers compute the same independently.
Symbols there and here: n_T people, w_T weight, N = Σ n_T·w_T over the open types, share = open seats / N.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from klero.sortition.branching import Bounds, leaf_bound
from klero.sortition.certificate import Claim, Leaf, Split

if TYPE_CHECKING:
    from klero.sortition.instance import Instance
    from klero.sortition.lottery import Entry

# Terms of nash's second mean are rounded up to a multiple of one over this.
NASH_UNIT = 10**30
NOTHING = Claim((), Fraction(0), ())


def forced_types(instance: Instance, never: Iterable[int]) -> frozenset[int]:
    """Types whose people sit on every panel, as single quotas show, `never` being those shown to sit on none.

    A type is forced if one of its cells must seat everybody it holds who can sit: by its minimum, or because the maxima of the feature's
    other values (or the people there) leave at least so many seats; or if the panel is everybody who can sit.
    """
    shut = frozenset(never)
    able = [t for t in range(len(instance.types)) if t not in shut]
    if sum(instance.counts[t] for t in able) == instance.size:
        return frozenset(able)
    people = [0] * len(instance.cells)
    for t in able:
        for c in instance.type_cells(t):
            people[c] += instance.counts[t]
    most = [min(hi, n) for (_, hi), n in zip(instance.cell_bounds, people, strict=True)]
    room = [0] * len(instance.features)
    for (f, _), top in zip(instance.cells, most, strict=True):
        room[f] += top
    full = [
        people[c] > 0 and max(lo, instance.size - room[f] + most[c]) >= people[c]
        for c, ((f, _), (lo, _)) in enumerate(zip(instance.cells, instance.cell_bounds, strict=True))
    ]
    return frozenset(t for t in able if any(full[c] for c in instance.type_cells(t)))


@dataclass(frozen=True)
class Standing:
    """Who is in question: the types that are neither shut out nor forced.

    Attributes:
        open: those types, rising.
        bounds: (fewest, most) seats of each type of the instance: (0, 0) shut out, (n, n) forced, else (0, n).
        weights: w of each type of the instance.
        people: N = Σ n·w over the open types.
        share: seats for the open types over N: the chance a unit of weight would have without quotas.
    """

    open: tuple[int, ...]
    bounds: Bounds
    weights: tuple[int, ...]
    people: int
    share: Fraction


def standing(instance: Instance, never: Sequence[int]) -> Standing:
    """The standing of each type, `never` being those shown to sit on no panel."""
    shut, forced = frozenset(never), forced_types(instance, never)
    counts, weights = instance.counts, instance.weights
    lower = tuple(n if t in forced else 0 for t, n in enumerate(counts))
    upper = tuple(0 if t in shut else n for t, n in enumerate(counts))
    free = tuple(t for t in range(len(counts)) if lower[t] < upper[t])
    people = sum(counts[t] * weights[t] for t in free)
    share = Fraction(instance.size - sum(lower), people) if people else Fraction(0)
    return Standing(free, (lower, upper), weights, people, share)


def scores(instance: Instance, objective: str, claim: Claim) -> list[int]:
    """q_T of each type: the claim's weights, with their sign turned unless the objective is nash."""
    sign = 1 if objective == "nash" else -1
    q = [0] * len(instance.types)
    for t, weight in claim.weights:
        q[t] = sign * weight
    return q


def proved_bound(instance: Instance, bounds: Bounds, q: Sequence[int], proof: Sequence[Split | Leaf]) -> int:
    """U: the largest bound of a leaf; 0 where there is nothing to prove."""
    best: int | None = None
    todo: list[tuple[int, Bounds]] = [(0, bounds)] if proof else []
    while todo:
        place, (lower, upper) = todo.pop()
        node = proof[place]
        if isinstance(node, Leaf):
            bound = leaf_bound(instance, q, (lower, upper), node)
            best = bound if best is None else max(best, bound)
            continue
        t, a = node.type, node.at_most
        todo.append((node.below, (lower, (*upper[:t], a, *upper[t + 1 :]))))
        todo.append((node.above, ((*lower[:t], a + 1, *lower[t + 1 :]), upper)))
    return 0 if best is None else best


def claim_gap(
    instance: Instance, objective: str, where: Standing, claim: Claim, panels: Sequence[Entry], balls: int
) -> Fraction:
    """How far the lottery may be from the best: exact, and true whatever the claim's weights are.

    nash: no lottery's weighted geometric mean is more than 1 + gap times this one's. goldilocks, minimax: no lottery's objective is
    smaller by more than gap, in even shares. Under nash and goldilocks every open type must have a ball.
    """
    if not where.open:
        return Fraction(0)
    won = [0] * len(instance.types)
    for count, seats in panels:
        for t, s in seats:
            won[t] += count * s
    q = scores(instance, objective, claim)
    best = proved_bound(instance, where.bounds, q, claim.proof)
    counts, weights = instance.counts, where.weights
    if objective == "nash":
        terms = sum(
            -(-NASH_UNIT * balls * (counts[t] * weights[t]) ** 2 // (q[t] * won[t])) for t in where.open
        )
        return Fraction(best * terms, NASH_UNIT * where.people**2) - 1
    ratios = [Fraction(won[t], balls * counts[t] * weights[t]) for t in where.open]
    return reached(objective, where, ratios) - least(instance, objective, where, claim, best)


def reached(objective: str, where: Standing, ratios: Sequence[Fraction]) -> Fraction:
    """The objective, in even shares, of a lottery whose open types have these chances per unit of weight."""
    if objective == "minimax":
        return max(ratios) / where.share
    return max(ratios) / where.share + where.share / min(ratios)


def least(instance: Instance, objective: str, where: Standing, claim: Claim, best: int) -> Fraction:
    """What no lottery's objective is below, given that no panel has Σ q x above `best`."""
    sizes = [(w, abs(w) * instance.counts[t] * where.weights[t]) for t, w in claim.weights]
    top = sum(size for w, size in sizes if w > 0)
    if objective == "minimax":
        return Fraction(-best, top) / where.share
    if not claim.weights:
        # The weighted mean of r is 1: max r and 1/min r are 1 at least.
        return Fraction(2)
    return max(Fraction(2), 2 / claim.tangent - best / (where.share * top))
