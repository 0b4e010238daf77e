"""Which lottery is left when some people of a panel stay and the other seats are drawn anew?

The same people, quotas, weights, households and size, less those who are out; those who stay must sit
(:mod:`klero.sortition.rules`). Levels, panels, proofs and bundles need nothing special for it: people who stay have probability
1, and leximin among the others is leximin of the whole.

Where no panel meets the quotas, the smallest breach is a smallest repair (:mod:`klero.sortition.repairs`) in which
the rules (who must sit, households) can't be loosened. Cost: people times features; a repair is three integer programmes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from math import gcd
from typing import Any

from klero.errors import InfeasibleError
from klero.sortition.feasibility import feasible_panel
from klero.sortition.infeasible import explain_infeasible
from klero.sortition.instance import Instance
from klero.sortition.repairs import Repair, smallest_repair
from klero.sortition.rules import ALONE, HOUSEHOLD, MUST_SIT, RULE_FEATURES, compositions

__all__ = ["breach", "breach_error", "plain", "residual", "widened"]

# The columns of an instance that go by feature.
_COLUMNS = ("features", "values", "minima", "maxima", "flex_minima", "flex_maxima", "importance")


def residual(instance: Instance, staying: Collection[str], candidates: Collection[str]) -> Instance:
    """The lottery over panels that hold all who stay, with the other seats filled from the candidates.

    Args:
        instance: people, quotas, rules and size before; those who had to sit then are no more than candidates now.
        staying: ids of those who keep their seat.
        candidates: ids of those who may be drawn.
    """
    stay = frozenset(staying)
    kept = stay | frozenset(candidates)
    base = plain(instance)
    people = {i: (base.types[t], base.weights[t]) for i, t in _people(base) if i in kept}
    ids = sorted(people)
    features = [_Feature(*column) for column in zip(*(_column(base, name) for name in _COLUMNS), strict=True)]
    texts = {f.name: [f.values[people[i][0][at]] for i in ids] for at, f in enumerate(features)}
    if stay:
        texts[MUST_SIT] = ["yes" if i in stay else "no" for i in ids]
        features.append(_rule(MUST_SIT, {"no": (0, base.size), "yes": (len(stay),) * 2}, texts[MUST_SIT]))
    homes = _homes(instance, {i: at for at, i in enumerate(ids)})
    if instance.per_household:
        seen = [(*(texts[f][at] for f in sorted(texts)), people[i][1]) for at, i in enumerate(ids)]
        alike, width = compositions(homes, seen), len(str(len(homes)))
        texts[HOUSEHOLD] = [f"{alike[at] + 1:0{width}}" if at in alike else ALONE for at in range(len(ids))]
        counted = Counter(texts[HOUSEHOLD][members[0]] for members in homes)
        bounds = {value: (0, instance.per_household * h) for value, h in counted.items()} | {
            ALONE: (0, base.size)
        }
        features.append(_rule(HOUSEHOLD, bounds, texts[HOUSEHOLD]))
    features.sort(key=lambda f: f.name)
    numbers = {f.name: {value: v for v, value in enumerate(f.values)} for f in features}
    kinds = {
        i: (tuple(numbers[f.name][texts[f.name][at]] for f in features), people[i][1])
        for at, i in enumerate(ids)
    }
    columns: dict[str, Any] = {
        name: tuple(getattr(f, attribute) for f in features) for name, attribute in _ATTRIBUTES.items()
    }
    if not instance.importance:
        columns["importance"] = ()
    return replace(
        _with_kinds(replace(base, **columns), kinds), per_household=instance.per_household, households=homes
    )


def plain(instance: Instance) -> Instance:
    """The instance with its quotas and weights alone: nobody must sit, and households are not told apart."""
    kept = [at for at, name in enumerate(instance.features) if name not in RULE_FEATURES]
    columns: dict[str, Any] = {name: tuple(_column(instance, name)[at] for at in kept) for name in _COLUMNS}
    if not instance.importance:
        columns["importance"] = ()
    kinds = {
        i: (tuple(instance.types[t][at] for at in kept), instance.weights[t]) for i, t in _people(instance)
    }
    return replace(_with_kinds(replace(instance, **columns), kinds), per_household=0, households=())


def breach(instance: Instance) -> Repair | None:
    """The smallest loosening of the quotas after which a panel exists; None if one exists as they are.

    Raises:
        InfeasibleError: no loosening helps: there are fewer people than seats, or the rules alone can't be kept.
    """
    if feasible_panel(instance) is not None:
        return None
    repair = smallest_repair(instance)
    if not repair.feasible_within_flex:
        raise explain_infeasible(instance, "quotas")
    return repair


def breach_error(instance: Instance, repair: Repair) -> InfeasibleError:
    """What clashes, and the smallest breach, as an error that names the way on."""
    error = explain_infeasible(instance, "quotas")
    changes = "; ".join(
        f"{'minimum' if c.bound.side == 'min' else 'maximum'} of {instance.cell_name(c.bound.cell)} {c.bound.value} → {c.value}"
        for c in repair.changes
    )
    way = (
        f"The smallest breach of the quotas is {repair.total} in all: {changes}. To draw under these widened quotas, "
        "give --allow-breach (in Python: allow_breach=True)."
    )
    lines = [line for line in error.conflict if MUST_SIT not in line]
    if len(lines) < len(error.conflict):
        lines.insert(0, f"With the {len(instance.must_sit)} who stay:")
    return InfeasibleError(lines, (way,))


def widened(instance: Instance, repair: Repair) -> Instance:
    """The instance under the repaired quotas."""
    minima, maxima = [list(m) for m in instance.minima], [list(m) for m in instance.maxima]
    for change in repair.changes:
        f, v = instance.cells[change.bound.cell]
        (minima if change.bound.side == "min" else maxima)[f][v] = change.value
    return replace(instance, minima=tuple(map(tuple, minima)), maxima=tuple(map(tuple, maxima)))


@dataclass(frozen=True)
class _Feature:
    name: str
    values: tuple[str, ...]
    minima: tuple[int, ...]
    maxima: tuple[int, ...]
    flex_minima: tuple[int | None, ...]
    flex_maxima: tuple[int | None, ...]
    importance: tuple[Fraction, ...]


_ATTRIBUTES = {"features": "name"} | {name: name for name in _COLUMNS[1:]}


def _rule(name: str, bounds: Mapping[str, tuple[int, int]], texts: Collection[str]) -> _Feature:
    """A rule's feature, with the values that somebody has; it can't be loosened."""
    values = tuple(sorted(set(texts)))
    low, high = tuple(bounds[v][0] for v in values), tuple(bounds[v][1] for v in values)
    return _Feature(name, values, low, high, low, high, (Fraction(1),) * len(values))


def _homes(instance: Instance, place: Mapping[str, int]) -> tuple[tuple[int, ...], ...]:
    """The households that still have more people than may sit, as places among those who are left."""
    homes = (
        tuple(sorted(place[instance.ids[i]] for i in members if instance.ids[i] in place))
        for members in instance.households
    )
    return tuple(sorted(home for home in homes if len(home) > instance.per_household))


def _column(instance: Instance, name: str) -> tuple[Any, ...]:
    """What each feature has; an importance of 1 where the instance, such as one from a bundle, does not say."""
    column: tuple[Any, ...] = getattr(instance, name)
    return column or tuple((Fraction(1),) * len(values) for values in instance.values)


def _people(instance: Instance) -> list[tuple[str, int]]:
    return list(zip(instance.ids, instance.person_type, strict=True))


def _with_kinds(instance: Instance, kinds: Mapping[str, tuple[tuple[int, ...], int]]) -> Instance:
    """The instance with these people: values and weight by id."""
    people = sorted(kinds.items())
    common = reduce(gcd, (weight for _, (_, weight) in people), 0) or 1
    counted = Counter((values, weight // common) for _, (values, weight) in people)
    types = sorted(counted)
    numbers = {kind: t for t, kind in enumerate(types)}
    return replace(
        instance,
        types=tuple(values for values, _ in types),
        weights=tuple(weight for _, weight in types),
        counts=tuple(counted[kind] for kind in types),
        ids=tuple(person for person, _ in people),
        person_type=tuple(numbers[values, weight // common] for _, (values, weight) in people),
    )
