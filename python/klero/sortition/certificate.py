"""How do you know that nobody could have been treated more fairly? Levels, dual weights, and the arithmetic of the proof.

A level says: given the levels before it, the people of this group can't all have more than `value` (a probability; with weights, one
over the weight, p/w). And of the published lottery itself: none that leaves the earlier groups as they are, and nobody of this group
worse, gives any of them more than `gap` more. It
ships integer weights y (types), λ (cells) and ν (seats). By weak duality of linear programming no panel x has
Σ q_T x_T above U, with q and U as in `docs/audit/bundle.md`; averaging over a lottery bounds the group's mean. Checking
it needs additions, multiplications and comparisons of integers: no solver, no floats. `linear_bound` here, `rust/ledger` and the
stand-alone verifier compute it independently.

Where the linear bound is not the truth (tiny, tight pools), a level carries a proof: a tree that splits the panels by the
seats of one type, with dual weights at each leaf («L1»). See `branching.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

Weights = tuple[tuple[int, int], ...]


class Split(NamedTuple):
    """A proof node: panels with at most `at_most` seats of `type` go to node `below`, the others to `above`."""

    type: int
    at_most: int
    below: int
    above: int


class Leaf(NamedTuple):
    """A proof node that bounds its panels by dual weights over `scale`."""

    scale: int
    cells: Weights
    seats: int


@dataclass(frozen=True)
class Level:
    """One claim of the certificate.

    Attributes:
        value: the p/w that the group can't exceed, an exact rational in [0, 1] (p itself where nobody has a weight).
        types: (type, y) with y ≥ 1, types rising: the group.
        cells: (cell, λ), λ not 0, cells rising: the quotas that bind.
        seats: ν, the weight of the panel's size.
        held: with a proof, (type, z) of the types settled before, z not 0; a linear bound chooses them itself.
        proof: empty for a linear bound; else the nodes of the tree (cells and seats are then empty and 0).
    """

    value: Fraction
    types: Weights
    cells: Weights
    seats: int
    held: Weights = ()
    proof: tuple[Split | Leaf, ...] = ()


@dataclass(frozen=True)
class Claim:
    """What nash, goldilocks and minimax prove instead of rising levels: see `claim.py`.

    Attributes:
        weights: (type, integer not 0), types rising, of open types alone.
        tangent: goldilocks: the minimum at which 1/m is bounded by its tangent; else 0.
        proof: the nodes of a tree that bounds the weighted seats of any panel; one leaf where linear duality is enough.
    """

    weights: Weights
    tangent: Fraction
    proof: tuple[Split | Leaf, ...]


@dataclass(frozen=True)
class Certificate:
    """All levels, and how far the published lottery is from them.

    Attributes:
        levels: claims in rising order of value; with a `claim`, only those of people who can sit on no panel.
        gap: see `measured_gap`, or `claim_gap` with a claim; exact.
        claim: of nash, goldilocks and minimax; None for leximin and maximin.
    """

    levels: tuple[Level, ...]
    gap: Fraction
    claim: Claim | None = None

    @property
    def level(self) -> str:
        """«L1» if a bound needs that seats are whole: a level has a proof, or the claim's is a tree or a leaf rounded down over a scale; else «L0»."""
        proof = self.claim.proof if self.claim is not None else ()
        split = any(isinstance(node, Split) or node.scale > 1 for node in proof)
        return "L1" if split or any(level.proof for level in self.levels) else "L0"


def sparse(values: Mapping[int, int]) -> Weights:
    """(index, value) pairs in rising order, zeros left out."""
    return tuple((i, values[i]) for i in sorted(values) if values[i])


def primitive(weights: Sequence[Fraction]) -> list[int]:
    """The smallest integers in the same proportions: rationals over one denominator, their common factor taken out."""
    scale = lcm(*(w.denominator for w in weights))
    integers = [w.numerator * (scale // w.denominator) for w in weights]
    common = gcd(*integers) or 1
    return [i // common for i in integers]


def objective(instance: Instance, settled: Mapping[int, Fraction], level: Level) -> list[int]:
    """q_T for every type: y_T on the group; on settled types z_T with a proof, else λ(T) + ν; 0 elsewhere."""
    q = [0] * len(instance.types)
    cells = dict(level.cells)
    if not level.proof:
        for t in settled:
            q[t] = level.seats + sum(cells.get(c, 0) for c in instance.type_cells(t))
    for t, weight in (*level.held, *level.types):
        q[t] = weight
    return q


def linear_bound(instance: Instance, settled: Mapping[int, Fraction], level: Level) -> int:
    """U of a level without a proof: the largest Σ q_T x_T of any point of the linear relaxation, by its dual weights."""
    cells = dict(level.cells)
    y = dict(level.types)
    bounds = instance.cell_bounds
    total = level.seats * instance.size + sum(max(w * bounds[c][0], w * bounds[c][1]) for c, w in level.cells)
    for t, n in enumerate(instance.counts):
        if t not in settled:
            rest = y.get(t, 0) - level.seats - sum(cells.get(c, 0) for c in instance.type_cells(t))
            total += n * max(0, rest)
    return total


def mean_bound(instance: Instance, settled: Mapping[int, Fraction], level: Level, best: int) -> Fraction:
    """What U = `best` says of the group's y-weighted mean of p/w: the value that the level may claim."""
    q = objective(instance, settled, level)
    shares = instance.shares
    # A level's types share one Fraction object, so integers are added up by object before any fraction is.
    weights: dict[int, int] = {}
    for t, value in settled.items():
        weights[id(value)] = weights.get(id(value), 0) + q[t] * shares[t]
    values = {id(value): value for value in settled.values()}
    fixed = sum((weight * values[key] for key, weight in weights.items()), Fraction(0))
    return (best - fixed) / sum(shares[t] * y for t, y in level.types)


def measured_gap(
    instance: Instance, levels: Sequence[Level], probabilities: Sequence[Fraction], *, last_covers_rest: bool
) -> Fraction:
    """The gap of a lottery with these exact probabilities against its levels (maximin: the last one covers all the rest).

    The largest of 0, of w_T·value − π_T, and of what slack leaves open: in a lottery that leaves the earlier groups as they are and nobody
    of this group worse, nobody of it gains more than slack / (n_T·y_T), slack = U − Σ q_T·n_T·π_T. Without the second part a level
    whose weights are spread over people with more than its value would pass as a proof about them.
    """
    worst = Fraction(0)
    settled: dict[int, Fraction] = {}
    for i, level in enumerate(levels):
        group = [t for t, _ in level.types]
        if last_covers_rest and i == len(levels) - 1:
            group = [t for t in range(len(probabilities)) if t not in settled]
        q = objective(instance, settled, level)
        # U − Σ q·n·π, with U put together from the level's value, which is exact.
        slack = sum(
            (
                y
                * instance.counts[t]
                * (instance.weights[t] * settled.get(t, level.value) - probabilities[t])
                for t, y in enumerate(q)
                if y
            ),
            Fraction(0),
        )
        least = min(instance.counts[t] * y for t, y in level.types)
        short = (instance.weights[t] * level.value - probabilities[t] for t in group)
        worst = max([worst, slack / least, *short])
        settled |= {t: level.value for t, _ in level.types}
    return worst
