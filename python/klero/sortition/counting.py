"""How many panels keep all quotas, and what if each of them were equally likely?

A panel here is a set of people, so a panel with many like it among exchangeable people counts once for each. The Rust kernel
(`rust/core/src/sortition/counting.rs`) counts along the seats of each value so far. The states multiply with every feature, so where all features
do not fit into the stated memory and work, some are left out: panels are then drawn among those that keep the counted features' quotas, and one that breaks
another quota is rejected. What is left is still exactly uniform, but its size and probabilities can only be estimated. (The idea: de Azevedo
and Gölz, «Maximally Random Sortition», arXiv 2604.02712, 2026.)

Which features are counted: of those that fit, the ones that leave the highest chance of acceptance if features were independent, each feature's own chance
being counted exactly. Cost: the choice takes a look at up to a few hundred sets of features; the count an addition a state and person.
One thread, no randomness; Ctrl-C is heard.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations
from math import comb, prod
from typing import TYPE_CHECKING

from klero._native import PanelCounter
from klero.sortition.rules import HOUSEHOLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klero.sortition.instance import Instance

    Pairs = Sequence[tuple[int, int]]

MEMORY_MB = 1000
# Words of integers gone through in one pass over the people: some seconds.
_MOST_WORK = 4 * 10**9
# Beyond so many features, sets of features are built up one by one instead of all being tried.
_ALL_SETS = 8


@dataclass(frozen=True)
class Counter:
    """Panels counted along some of the features.

    Attributes:
        instance: people and quotas.
        features: the features counted, by number.
        left_out: the others.
        members: the people of each class, as places in `instance.ids`.
        class_of_type: the class of each type; -1 for a type that has no seat by the bounds given.
        kernel: the tables, built.
        number: the number of panels that keep the counted features' quotas.
    """

    instance: Instance
    features: tuple[int, ...]
    left_out: tuple[int, ...]
    members: tuple[tuple[int, ...], ...]
    class_of_type: tuple[int, ...]
    kernel: PanelCounter = field(repr=False, compare=False)
    number: int = field(repr=False)

    @property
    def complete(self) -> bool:
        """Whether every rule is counted, so that `number` is that of all panels that keep them."""
        return not self.left_out and not self.instance.households

    def type_probabilities(self) -> tuple[Fraction, ...]:
        """The exact probability of a person of each type if all counted panels are equally likely."""
        shares = []
        for around, people in zip(self.kernel.occupancy(), self.members, strict=True):
            n = len(people)
            # Panels with one given person: s − 1 others of the class.
            ways = sum(comb(n - 1, s - 1) * int.from_bytes(w, "big") for s, w in enumerate(around) if s and w)
            shares.append(Fraction(ways, self.number))
        return tuple(shares[k] for k in self.class_of_type)

    def draw(
        self, key: bytes, draws: tuple[int, int], most_attempts: int, threads: int, *, keep: bool
    ) -> tuple[list[int], int, list[list[int]], int | None]:
        """Panels that keep all quotas, each equally likely: see `PanelCounter.draw`."""
        cells, bounds = person_cells(self.instance)
        rest = {c for f in self.left_out for c in _feature_cells(self.instance, f)}
        # Households by themselves come after all cells of features.
        rest |= set(range(len(self.instance.cells), len(bounds)))
        mine = [[c for c in person if c in rest] for person in cells]
        left_out = (sorted(rest), mine, ([lo for lo, _ in bounds], [hi for _, hi in bounds]))
        return self.kernel.draw(
            [list(m) for m in self.members], left_out, key, draws, most_attempts, threads, keep
        )


@dataclass(frozen=True)
class Plan:
    """A kernel that has not counted yet, and the classes that it counts."""

    features: tuple[int, ...]
    kernel: PanelCounter
    classes: tuple[tuple[int, ...], ...]

    def fits(self, memory_mb: int, words: int | None) -> bool:
        """Whether memory and work stay within bounds; a pool without panels always fits."""
        cost = self.kernel.cost()
        if cost is None:
            return True
        if words is None:
            return False
        kept, passed = cost
        return kept * words * 8 <= memory_mb * 10**6 and passed * words <= _MOST_WORK


def person_cells(instance: Instance) -> tuple[list[list[int]], list[tuple[int, int]]]:
    """(each person's cells, all cells' bounds): as the types', but with a cell of its own for each household that a rule limits.

    In the instance, households with alike members share a value, which says how many may sit of all of them; who draws people, not types, needs
    to know each. Those cells come after the instance's; a person without such a household is in the last one, which limits nobody.
    """
    cells = [list(instance.type_cells(t)) for t in instance.person_type]
    bounds = list(instance.cell_bounds)
    if instance.households:
        first = len(bounds)
        alone = first + len(instance.households)
        home = {i: first + h for h, members in enumerate(instance.households) for i in members}
        bounds += [(0, instance.per_household)] * len(instance.households) + [(0, instance.size)]
        for i, person in enumerate(cells):
            person.append(home.get(i, alone))
    return cells, bounds


def count_panels(instance: Instance, *, memory_mb: int = MEMORY_MB) -> Counter:
    """Counts panels along as many features as fit (see the module's doc).

    Args:
        instance: people and quotas.
        memory_mb: what the tables may take, in 10^6 bytes.
    """
    plan = _chosen(instance, memory_mb)
    plan.kernel.build([1] * len(plan.classes))
    people: list[list[int]] = [[] for _ in instance.types]
    for i, t in enumerate(instance.person_type):
        people[t].append(i)
    class_of_type = [-1] * len(instance.types)
    for k, types in enumerate(plan.classes):
        for t in types:
            class_of_type[t] = k
    everyone = range(len(instance.features))
    skipped = {f for f in everyone if instance.features[f] == HOUSEHOLD}
    return Counter(
        instance,
        plan.features,
        tuple(f for f in everyone if f not in plan.features and f not in skipped),
        tuple(tuple(sorted(i for t in types for i in people[t])) for types in plan.classes),
        tuple(class_of_type),
        plan.kernel,
        int.from_bytes(plan.kernel.number(), "big"),
    )


def plan(
    instance: Instance,
    features: Sequence[int],
    *,
    cell_bounds: Pairs | None = None,
    size: int | None = None,
    types: Sequence[int] | None = None,
    by_type: bool = False,
) -> Plan:
    """A kernel for these features, the first of which needs least states; with no features, for the size alone.

    Args:
        instance: people and quotas.
        features: those to count, by number.
        cell_bounds: fewest and most seats of each cell instead of the instance's.
        size: seats, instead of the instance's.
        types: the types to count; all by default.
        by_type: a class for each type, instead of one for types that are alike in the counted features.
    """
    size = instance.size if size is None else size
    bounds = list(instance.cell_bounds if cell_bounds is None else cell_bounds)
    cells = [_feature_cells(instance, f) for f in features]
    if not cells:
        # The size alone, as one value that everybody has.
        bounds.append((size, size))
        cells = [[len(bounds) - 1]]
    groups: dict[tuple[tuple[int, ...], int], list[int]] = {}
    for t in range(len(instance.types)) if types is None else types:
        kind = tuple(instance.cell_of(f, instance.types[t][f]) for f in features) or (cells[0][0],)
        groups.setdefault((kind, t if by_type else -1), []).append(t)
    classes = sorted(groups.items())
    kernel = PanelCounter(
        size,
        cells,
        ([lo for lo, _ in bounds], [hi for _, hi in bounds]),
        [(list(kind), sum(instance.counts[t] for t in members)) for (kind, _), members in classes],
    )
    return Plan(tuple(features), kernel, tuple(tuple(members) for _, members in classes))


def best_order(
    instance: Instance, features: Sequence[int], *, cell_bounds: Pairs | None = None, **options: object
) -> Plan:
    """The plan for these features whose first feature makes the fewest states."""
    orders = [(f, *(g for g in features if g != f)) for f in features] or [()]
    plans = [plan(instance, order, cell_bounds=cell_bounds, **options) for order in orders]  # type: ignore[arg-type]
    return min(plans, key=lambda p: (p.kernel.cost() or (0, 0), p.features))


def _chosen(instance: Instance, memory_mb: int) -> Plan:
    """The plan that leaves most chance of acceptance, of those that fit."""
    # Households have a cell each when people are drawn: too many to count along, and mostly kept by chance.
    everyone = [f for f in range(len(instance.features)) if instance.features[f] != HOUSEHOLD]
    chance = {f: _chance(instance, f) for f in everyone}
    words = plan(instance, ()).kernel.words(1)

    def fitting(features: tuple[int, ...]) -> Plan | None:
        candidate = best_order(instance, features)
        return candidate if candidate.fits(memory_mb, words) else None

    def acceptance(features: tuple[int, ...]) -> Fraction:
        return prod((chance[f] for f in everyone if f not in features), start=Fraction(1))

    whole = fitting(tuple(everyone))
    if whole is not None:
        return whole
    if len(everyone) <= _ALL_SETS:
        sets = [s for r in range(len(everyone)) for s in combinations(everyone, r)]
        for features in sorted(sets, key=lambda s: (-acceptance(s), s)):
            found = fitting(features)
            if found is not None:
                return found
    best = plan(instance, ())
    for f in sorted(everyone, key=lambda f: (chance[f], f)):
        best = fitting((*sorted(best.features), f)) or best
    return best


def _chance(instance: Instance, feature: int) -> Fraction:
    """The exact chance that a panel drawn from all sets of the right size keeps one feature's quotas."""
    one = plan(instance, (feature,)).kernel
    one.build([1] * len({kind[feature] for kind in instance.types}))
    people = sum(instance.counts)
    return Fraction(int.from_bytes(one.number(), "big"), comb(people, instance.size))


def _feature_cells(instance: Instance, feature: int) -> list[int]:
    return [instance.cell_of(feature, v) for v in range(len(instance.values[feature]))]
