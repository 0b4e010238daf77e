"""Which lottery is left when some people of a panel stay and the other seats are drawn anew?

The same people, quotas and size, less those who are out; those who stay are forced to sit by one more feature, whose
one value has exactly as many seats as people. Levels, panels, proofs and bundles need nothing special for it: people who
stay have probability 1, and leximin among the others is leximin of the whole.

Where no panel meets the quotas, the smallest breach is a smallest repair (:mod:`klero.sortition.feasibility`) in which
the rules (features in parentheses: who must sit, households) can't be loosened. Cost: people times features; a repair is
three integer programmes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

from klero.errors import InfeasibleError
from klero.sortition.feasibility import Repair, explain_infeasible, feasible_panel, smallest_repair
from klero.sortition.instance import Instance

__all__ = ["MUST_SIT", "breach", "residual", "restricted", "widened", "without_must_sit"]

MUST_SIT = "(must sit)"
YES, NO = "yes", "no"


def residual(instance: Instance, staying: Collection[str], candidates: Collection[str]) -> Instance:
    """The lottery over panels that hold all who stay, with the other seats filled from the candidates.

    Args:
        instance: people, quotas and size before; a feature «(must sit)» of an earlier round is dropped.
        staying: ids of those who keep their seat.
        candidates: ids of those who may be drawn.
    """
    stay = frozenset(staying)
    base = restricted(without_must_sit(instance), stay | frozenset(candidates))
    return _with_must_sit(base, stay) if stay else base


def restricted(instance: Instance, people: Collection[str]) -> Instance:
    """The instance with these of its people alone."""
    kept = frozenset(people)
    kinds = {i: instance.types[t] for i, t in _people(instance) if i in kept}
    return _with_kinds(instance, kinds)


def without_must_sit(instance: Instance) -> Instance:
    """The instance without the feature that forces people to sit."""
    if MUST_SIT not in instance.features:
        return instance
    at = instance.features.index(MUST_SIT)
    kinds = {i: _cut(instance.types[t], at) for i, t in _people(instance)}
    columns = {name: _cut(getattr(instance, name), at) for name in _COLUMNS}
    return _with_kinds(replace(instance, **columns), kinds)


def must_sit(instance: Instance) -> frozenset[str]:
    """The ids of those whom the feature «(must sit)» forces to sit."""
    if MUST_SIT not in instance.features:
        return frozenset()
    at = instance.features.index(MUST_SIT)
    forced = {
        v
        for v, low in enumerate(instance.minima[at])
        if low and low == sum(instance.counts[t] for t, kind in enumerate(instance.types) if kind[at] == v)
    }
    return frozenset(i for i, t in _people(instance) if instance.types[t][at] in forced)


def breach(instance: Instance, quotas_name: str = "quotas") -> Repair | None:
    """The smallest loosening of the quotas after which a panel exists; None if one exists as they are.

    Raises:
        InfeasibleError: no loosening helps: there are fewer people than seats, or the rules alone can't be kept.
    """
    if feasible_panel(instance) is not None:
        return None
    frozen = _rules_frozen(instance)
    repair = smallest_repair(frozen)
    if not repair.feasible_within_flex:
        raise explain_infeasible(frozen, quotas_name)
    return repair


def breach_error(instance: Instance, repair: Repair, quotas_name: str) -> InfeasibleError:
    """What clashes, and the smallest breach, as an error that names the way on."""
    error = explain_infeasible(_rules_frozen(instance), quotas_name)
    lines = [f"{change_words(instance, c)}" for c in _by_cell(repair)]
    way = (
        f"The smallest breach of the quotas is {repair.total} in all: {'; '.join(lines)}. To draw under these widened quotas, "
        "give --allow-breach (in Python: allow_breach=True)."
    )
    return InfeasibleError(error.conflict, (way,))


def change_words(instance: Instance, change: tuple[int, str, int, int]) -> str:
    """«minimum of gender: woman 14 → 11»."""
    cell, side, before, after = change
    return f"{'minimum' if side == 'min' else 'maximum'} of {instance.cell_name(cell)} {before} → {after}"


def changes(repair: Repair) -> tuple[tuple[int, str, int, int], ...]:
    """(cell, side, bound before, bound after) of each change."""
    return _by_cell(repair)


def widened(instance: Instance, repair: Repair) -> Instance:
    """The instance under the repaired quotas."""
    minima, maxima = [list(m) for m in instance.minima], [list(m) for m in instance.maxima]
    for change in repair.changes:
        f, v = instance.cells[change.bound.cell]
        (minima if change.bound.side == "min" else maxima)[f][v] = change.value
    return replace(instance, minima=_frozen(minima), maxima=_frozen(maxima))


_COLUMNS = ("features", "values", "minima", "maxima", "flex_minima", "flex_maxima")


def _by_cell(repair: Repair) -> tuple[tuple[int, str, int, int], ...]:
    return tuple((c.bound.cell, c.bound.side, c.bound.value, c.value) for c in repair.changes)


def _people(instance: Instance) -> list[tuple[str, int]]:
    return list(zip(instance.ids, instance.person_type, strict=True))


def _cut(items: tuple, at: int) -> tuple:  # type: ignore[type-arg]
    return (*items[:at], *items[at + 1 :])


def _frozen(table: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    return tuple(map(tuple, table))


def _with_kinds(instance: Instance, kinds: Mapping[str, tuple[int, ...]]) -> Instance:
    people = sorted(kinds.items())
    counted = Counter(kind for _, kind in people)
    types = tuple(sorted(counted))
    numbers = {kind: t for t, kind in enumerate(types)}
    return replace(
        instance,
        types=types,
        counts=tuple(counted[kind] for kind in types),
        ids=tuple(person for person, _ in people),
        person_type=tuple(numbers[kind] for _, kind in people),
    )


def _with_must_sit(instance: Instance, stay: frozenset[str]) -> Instance:
    at = sum(name < MUST_SIT for name in instance.features)
    seats = len(stay)
    added: dict[str, tuple[object, ...] | str] = {
        "features": MUST_SIT,
        "values": (NO, YES),
        "minima": (0, seats),
        "maxima": (instance.size - seats, seats),
        "flex_minima": (None, None),
        "flex_maxima": (None, None),
    }
    columns = {
        name: (*getattr(instance, name)[:at], added[name], *getattr(instance, name)[at:]) for name in _COLUMNS
    }
    kinds = {
        i: (*instance.types[t][:at], int(i in stay), *instance.types[t][at:]) for i, t in _people(instance)
    }
    return _with_kinds(replace(instance, **columns), kinds)  # type: ignore[arg-type]


def _rules_frozen(instance: Instance) -> Instance:
    """The instance with its quotas free to move and its rules not."""
    low, high = [], []
    for name, minima, maxima in zip(instance.features, instance.minima, instance.maxima, strict=True):
        rule = name.startswith("(")
        low.append(minima if rule else (None,) * len(minima))
        high.append(maxima if rule else (None,) * len(maxima))
    return replace(instance, flex_minima=tuple(low), flex_maxima=tuple(high))
