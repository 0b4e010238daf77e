"""Which panels are asked for, from whom, under which quotas — in numbers that no order of rows can change?

People who have the same value for every feature with a quota, and the same weight, are of one *type*: no rule can tell them
apart. Households and people who must sit are features of their own (see :mod:`klero.sortition.rules`). All that follows
(probabilities, panels, proofs) works on types and on *cells*, a cell being one value of one feature. Features, values, types and
people are numbered in the order of their names by code point, so the same people and quotas give the same instance whatever the
order of rows and columns, and the same digest.

Symbols as in Flanigan et al. 2021: k seats (`size`), n people (`ids`), quotas [l, u] for each feature's value
(`minima`, `maxima`). Building takes time in proportion to people times features.

Guaranteed: every person has one known value for each feature; the size fits the pool; each feature's quotas
leave room for it. Not guaranteed: that a panel exists. Whether all quotas hold together is a harder question,
for :mod:`klero.sortition.feasibility`; a value that nobody in the pool has belongs there too.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from numbers import Integral

from klero._tables_cells import ERROR_CELLS, folded
from klero.errors import Fault, InputError, quoted
from klero.sortition.bins import binned
from klero.sortition.decided import Decided, decide
from klero.sortition.derive import derived
from klero.sortition.pool import Pool, closest, parse_pool
from klero.sortition.quotas import Cell, Quotas, parse_quotas, quota_faults, size_faults
from klero.sortition.rules import (
    ALONE,
    HOUSEHOLD,
    MUST_SIT,
    RULE_FEATURES,
    Rules,
    compositions,
    decisions_of,
    rule_faults,
    weights_of,
)
from klero.tables import TableSource, error_cell, table_or_faults

__all__ = ["Instance", "build_instance", "read_instance"]

_ROWS_NAMED = 5
# So many numbers without a quota are a column that should be put into bands.
_NUMBERS = 5
# The search marks features by the bits of one word.
_MOST_FEATURES = 64
_SUGGESTIONS = 20


@dataclass(frozen=True, kw_only=True, repr=False)
class Instance:
    """A pool, quotas and a size that fit each other.

    Attributes:
        size: seats.
        features: the features with quotas, by code point.
        values: the values of each feature, by code point.
        minima: the fewest seats of each value, in the shape of `values`.
        maxima: the most seats of each value, in the same shape.
        flex_minima: how low each minimum may be moved; None where the quotas don't say.
        flex_maxima: how high each maximum may be moved; None where the quotas don't say.
        types: the combinations of values that somebody has, as one value's index for each feature, in order; several
            types in a row have the same values where weights differ.
        weights: the weight of each type, a positive integer, rising among types of the same values; all 1 without weights.
        counts: how many people are of each type.
        ids: the people, by code point.
        person_type: the type of each person, parallel to `ids`.
        id_column: where ids come from; '' if they are row numbers, which change with the order of rows.
        per_household: the most people of one household on a panel; 0 if there is no such rule.
        households: the households with more people than that, as places in `ids`, rising.
        excluded, same_address: ids of people who left the pool by name, and because of their address; no part of the digest.
        taken: ids of those who have a seat already. `size` and quotas are what is left beside them; no part of the digest.
        importance: what moving each quota by a seat costs when no panel exists, in the shape of `values`; empty if it
            is 1 for all. No part of the digest: it changes nothing of who may sit.
    """

    size: int
    features: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    minima: tuple[tuple[int, ...], ...]
    maxima: tuple[tuple[int, ...], ...]
    flex_minima: tuple[tuple[int | None, ...], ...]
    flex_maxima: tuple[tuple[int | None, ...], ...]
    types: tuple[tuple[int, ...], ...]
    weights: tuple[int, ...]
    counts: tuple[int, ...]
    ids: tuple[str, ...]
    person_type: tuple[int, ...]
    id_column: str = ""
    per_household: int = 0
    households: tuple[tuple[int, ...], ...] = ()
    importance: tuple[tuple[Fraction, ...], ...] = ()
    excluded: tuple[str, ...] = ()
    same_address: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()

    @cached_property
    def cells(self) -> tuple[tuple[int, int], ...]:
        """(feature, value) of each cell: all values of the first feature, then of the second, and so on."""
        return tuple((f, v) for f, values in enumerate(self.values) for v in range(len(values)))

    @cached_property
    def cell_bounds(self) -> tuple[tuple[int, int], ...]:
        """(fewest, most) seats of each cell."""
        return tuple((self.minima[f][v], self.maxima[f][v]) for f, v in self.cells)

    @cached_property
    def rule_cells(self) -> frozenset[int]:
        """The cells that stand for households and people who must sit: no quotas that could be loosened."""
        return frozenset(c for c, (f, _) in enumerate(self.cells) if self.features[f] in RULE_FEATURES)

    def people_of(self, types: Iterable[int]) -> int:
        """How many people these types have together."""
        return sum(self.counts[t] for t in types)

    def position(self, person: str) -> int:
        """The place of an id in `ids`; InputError if nobody has it. O(log n)."""
        person = str(person)
        place = bisect_left(self.ids, person)
        if place < len(self.ids) and self.ids[place] == person:
            return place
        message = f"nobody in the pool has the id {quoted(person)}.{closest(person, self.ids)}"
        raise InputError([Fault("person-unknown", message, "", value=person)])

    @cached_property
    def must_sit(self) -> frozenset[str]:
        """The ids of those who must sit."""
        if MUST_SIT not in self.features:
            return frozenset()
        at = self.features.index(MUST_SIT)
        yes = {t for t, kind in enumerate(self.types) if self.values[at][kind[at]] == "yes"}
        return frozenset(i for i, t in zip(self.ids, self.person_type, strict=True) if t in yes)

    @property
    def weighted(self) -> bool:
        """Whether people have different weights."""
        return len(set(self.weights)) > 1

    @cached_property
    def shares(self) -> tuple[int, ...]:
        """a_T = n_T·w_T: the seats of each type at p/w = 1."""
        return tuple(n * w for n, w in zip(self.counts, self.weights, strict=True))

    @cached_property
    def _first_cells(self) -> tuple[int, ...]:
        firsts = [0]
        for values in self.values:
            firsts.append(firsts[-1] + len(values))
        return tuple(firsts)

    def cell_of(self, feature: int, value: int) -> int:
        """The number of the cell of a feature's value. Raises IndexError if there is none."""
        if not (0 <= feature < len(self.values) and 0 <= value < len(self.values[feature])):
            raise IndexError(f"there is no value {value} of feature {feature}")
        return self._first_cells[feature] + value

    def cell_name(self, cell: int) -> str:
        """«gender: woman»."""
        f, v = self.cells[cell]
        return f"{self.features[f]}: {self.values[f][v]}"

    def type_cells(self, type_index: int) -> tuple[int, ...]:
        """The cells in which a person of this type counts: one for each feature."""
        return self._cells_by_type[type_index]

    @cached_property
    def _cells_by_type(self) -> tuple[tuple[int, ...], ...]:
        firsts = self._first_cells
        return tuple(tuple(firsts[f] + v for f, v in enumerate(kind)) for kind in self.types)

    def type_name(self, type_index: int) -> str:
        """«age: 16-24, gender: woman»."""
        return ", ".join(map(self.cell_name, self.type_cells(type_index)))

    def digest(self) -> str:
        """SHA-256, in hex, of everything that decides who may sit: people, their values, quotas and size.

        The text that is hashed is the JSON array, without spaces and in UTF-8, of: ``"klero-instance-2"``;
        the size; the features; for each feature, for each value, the array of its name, minimum, maximum,
        min_flex and max_flex (null where not given); for each person, the array of the id, the weight and the value's
        name for each feature; the most people of a household (0: no rule); the households, as arrays of
        ids. All in the order of names by code point. Columns without quotas (names,
        addresses) are no part of it, nor is the name of the id column.
        """
        quotas = [
            [list(cell) for cell in zip(*columns, strict=True)]
            for columns in zip(
                self.values, self.minima, self.maxima, self.flex_minima, self.flex_maxima, strict=True
            )
        ]
        named = [[self.values[f][v] for f, v in enumerate(kind)] for kind in self.types]
        people = [
            [person, self.weights[t], *named[t]] for person, t in zip(self.ids, self.person_type, strict=True)
        ]
        homes = [[self.ids[i] for i in members] for members in self.households]
        content = ["klero-instance-2", self.size, self.features, quotas, people, self.per_household, homes]
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    def __repr__(self) -> str:
        return (
            f"<Instance: {self.size} seats, {len(self.ids)} people of {len(self.types)} types, "
            f"{len(self.features)} features with {len(self.cells)} values>"
        )


def build_instance(pool: Pool, quotas: Quotas, size: int, rules: Rules = Rules()) -> Instance:  # noqa: B008 (frozen)
    """Match people with quotas and other rules.

    Raises:
        InputError: with every fault of the quotas, of the size, of the rules and of the match.
    """
    return _matched(pool, quotas, _as_int(size), rules, quota_faults(quotas))


def read_instance(
    people: TableSource,
    quotas: TableSource,
    size: int,
    id: str | None = None,  # noqa: A002 (the word of the people who use it)
    rules: Rules = Rules(),  # noqa: B008 (frozen)
) -> Instance:
    """Read people and quotas and match them.

    Args:
        people: see :meth:`Pool.read`.
        quotas: see :meth:`Quotas.read`.
        size: the panel's seats, those already taken included.
        id: the id column of the people.
        rules: weights, households, bands of numbers, and what is settled before the draw.

    Raises:
        InputError: with every fault of both tables and, if both could be read, of the match.
    """
    faults: list[Fault] = []
    size = _as_int(size)
    people_table = table_or_faults(people, "people", faults)
    quota_table = table_or_faults(quotas, "quotas", faults)
    pool = parsed = None
    if people_table is not None:
        pool, found = parse_pool(people_table, id)
        faults += found
    if quota_table is not None:
        parsed, found = parse_quotas(quota_table)
        faults += found
    if pool is None or parsed is None:
        faults += _all_size_faults(pool, parsed, size)
        if pool is not None:
            faults += [*binned(pool, rules.bins)[1], *rule_faults(pool, rules)]
        raise InputError(faults)
    return _matched(pool, parsed, size, rules, faults)


def _matched(pool: Pool, quotas: Quotas, size: int, rules: Rules, faults: list[Fault]) -> Instance:
    """The instance, unless there are faults: those already found, and those of all that is matched here."""
    pool, found = binned(pool, rules.bins)
    faults += found
    (decisions, decisions_name), told = decisions_of(rules)
    pool, decided, settled = decide(
        pool,
        quotas,
        size,
        must_sit=rules.must_sit,
        exclude=rules.exclude,
        taken=rules.taken,
        same_address_as=rules.same_address_as,
        address=rules.address_columns,
        decisions=decisions,
        decisions_name=decisions_name,
        per_household=rules.most_of_household,
    )
    pool, left, found = derived(pool, decided.quotas, decided.size)
    faults += [*found, *_match_faults(pool, left)]
    # Quotas that contradict the size do so with the numbers of the table, before any seat is taken.
    whole = _all_size_faults(None, quotas, size) if decided.taken else []
    full = any(fault.code == "taken-over-size" for fault in settled)
    faults += whole or ([] if full else _all_size_faults(pool, left, decided.size))
    faults += [*told, *settled, *rule_faults(pool, rules)]
    if faults:
        raise InputError(faults)
    return _built(pool, left, decided, rules)


def _all_size_faults(pool: Pool | None, quotas: Quotas | None, size: int) -> list[Fault]:
    if isinstance(size, bool) or not isinstance(size, int) or size <= 0:
        message = (
            f"the panel's size is {size!r}. It is the number of people to draw: a whole number, 1 or more."
        )
        return [Fault("size-invalid", message, "", value=str(size))]
    faults = []
    if pool is not None and size > len(pool):
        message = (
            f"{size} people are to be drawn and the pool holds {len(pool)}. Lower the size, or invite more "
            "people."
        )
        faults.append(Fault("size-over-pool", message, pool.name, value=str(size)))
    return faults + (size_faults(quotas, size) if quotas is not None else [])


def _as_int(size: int) -> int:
    """NumPy's integers as Python's; anything else as it is, to be refused with its own name."""
    return int(size) if isinstance(size, Integral) and not isinstance(size, bool) else size


def _match_faults(pool: Pool, quotas: Quotas) -> list[Fault]:
    faults: list[Fault] = []
    if len(quotas.features) > _MOST_FEATURES:
        message = f"there are quotas for {len(quotas.features)} features; klero takes {_MOST_FEATURES} at most. Leave some out."
        faults.append(Fault("quota-too-many-features", message, quotas.name))
    for feature in quotas.features:
        if feature in RULE_FEATURES:
            message = f"{quoted(feature)} is a name that klero uses itself. Rename the feature."
            faults.append(Fault("feature-reserved", message, quotas.name, column=feature))
        elif feature not in pool.columns:
            hint = closest(feature, pool.columns)
            row = next((cell.row for cell in quotas.cells if cell.feature == feature), 0)
            where = f"{quotas.name}, row {row}" if row else quotas.name
            message = (
                f"there is no column {quoted(feature)}, and {where} has quotas for it.{hint} Columns and "
                "features must be written alike."
            )
            faults.append(Fault("feature-missing", message, pool.name, column=feature))
        else:
            faults += _value_faults(pool, feature, quotas.values(feature), quotas.name)
    return faults


def _value_faults(pool: Pool, feature: str, values: tuple[str, ...], quotas_name: str) -> list[Fault]:
    """One fault for each value of the people that has no quota, however many people have it."""
    column = pool.column(feature)
    known = set(values) - ERROR_CELLS
    rows: dict[str, list[int]] = {}
    for value in dict.fromkeys(column):
        if value not in known:
            rows[value] = []
    if not rows:
        return []
    for value, row in zip(column, pool.row_numbers, strict=True):
        if value in rows:
            rows[value].append(row)
    numbers = [value for value in rows if re.fullmatch(r"[0-9]+([.,][0-9]+)?", value)]
    if len(numbers) >= _NUMBERS:
        shown = ", ".join(map(quoted, values[:5])) + ("…" if len(values) > 5 else "")
        message = (
            f"the column holds numbers ({', '.join(numbers[:3])}, …) and {quotas_name} has {shown}. Put the numbers into "
            f'bands: --bin "{feature}: 16, 25, 40, 65" (in Python: bins), with the first number of each band.'
        )
        row = rows[numbers[0]][0]
        return [Fault("value-unknown", message, pool.name, row, feature, numbers[0])]
    faults = []
    for number, (value, where) in enumerate(rows.items()):
        also = _also(where)
        if not value:
            message = (
                f"the cell is empty{also}, so no quota counts this person. Fill it in, give «not known» a "
                "quota of its own, or take the person out."
            )
            faults.append(Fault("feature-empty", message, pool.name, where[0], feature))
            continue
        if value in ERROR_CELLS:
            message = error_cell(value, len(where))
            faults.append(Fault("cell-error", message, pool.name, where[0], feature, value))
            continue
        hint = _value_hint(value, values) if number < _SUGGESTIONS else ""
        message = f"{quoted(value)} has no quota in {quotas_name}{also}.{hint}"
        faults.append(Fault("value-unknown", message, pool.name, where[0], feature, value))
    return faults


def _also(rows: list[int]) -> str:
    if len(rows) == 1:
        return ""
    shown = ", ".join(map(str, rows[1:_ROWS_NAMED]))
    more = f" and {len(rows) - _ROWS_NAMED} more" if len(rows) > _ROWS_NAMED else ""
    return f" ({len(rows)} people: also row{'s' if len(rows) > 2 else ''} {shown}{more})"


def _value_hint(value: str, values: tuple[str, ...]) -> str:
    same = [known for known in values if folded(known) == folded(value)]
    if same:
        return f" Write {quoted(same[0])}: it differs only in case, accents, dashes or spaces."
    hint = closest(value, values)
    if hint:
        return hint
    more = "…" if len(values) > 10 else ""
    return f" The values with quotas are: {', '.join(map(quoted, values[:10]))}{more}."


def _built(pool: Pool, quotas: Quotas, decided: Decided, rules: Rules) -> Instance:
    size, most = decided.size, rules.most_of_household
    order = sorted(range(len(pool)), key=pool.ids.__getitem__)
    tables = {
        f: tuple(sorted((c for c in quotas.cells if c.feature == f), key=lambda c: c.value))
        for f in quotas.features
    }
    texts = {f: [pool.column(f)[i] for i in order] for f in quotas.features}
    all_weights = weights_of(pool, rules.weight)
    weights = [all_weights[i] for i in order]
    if decided.must_sit:
        chosen = set(decided.must_sit)
        texts[MUST_SIT] = ["yes" if pool.ids[i] in chosen else "no" for i in order]
        tables[MUST_SIT] = _rule_cells(
            MUST_SIT, {"no": (0, size), "yes": (len(chosen),) * 2}, texts[MUST_SIT]
        )
    homes: tuple[tuple[int, ...], ...] = ()
    if most is not None:
        place = {pool.ids[i]: at for at, i in enumerate(order)}
        homes = tuple(
            sorted(tuple(sorted(place[person] for person in group)) for group in decided.households)
        )
        seen = list(zip(*(texts[f] for f in sorted(texts)), weights, strict=True))
        alike = compositions(homes, seen)
        width = len(str(len(homes)))
        texts[HOUSEHOLD] = [f"{alike[i] + 1:0{width}}" if i in alike else ALONE for i in range(len(order))]
        homes_of = Counter(texts[HOUSEHOLD][members[0]] for members in homes)
        bounds = {value: (0, most * h) for value, h in homes_of.items()} | {ALONE: (0, size)}
        tables[HOUSEHOLD] = _rule_cells(HOUSEHOLD, bounds, texts[HOUSEHOLD])
    features = tuple(sorted(tables))
    cells = [tables[f] for f in features]
    codes: list[Iterable[int]] = []
    for feature, mine in zip(features, cells, strict=True):
        numbers = {cell.value: v for v, cell in enumerate(mine)}
        codes.append([numbers[value] for value in texts[feature]])
    kinds = list(zip(zip(*codes, strict=True), weights, strict=True)) if codes else [((), w) for w in weights]
    counted = Counter(kinds)
    types = sorted(counted)
    type_numbers = {kind: t for t, kind in enumerate(types)}
    return Instance(
        size=size,
        features=features,
        values=tuple(tuple(cell.value for cell in mine) for mine in cells),
        minima=tuple(tuple(cell.min for cell in mine) for mine in cells),
        maxima=tuple(tuple(cell.max for cell in mine) for mine in cells),
        flex_minima=tuple(tuple(cell.min_flex for cell in mine) for mine in cells),
        flex_maxima=tuple(tuple(cell.max_flex for cell in mine) for mine in cells),
        types=tuple(kind for kind, _ in types),
        weights=tuple(weight for _, weight in types),
        counts=tuple(counted[kind] for kind in types),
        ids=tuple(pool.ids[i] for i in order),
        person_type=tuple(type_numbers[kind] for kind in kinds),
        id_column=pool.id_column,
        per_household=most or 0,
        households=homes,
        importance=tuple(tuple(cell.importance for cell in mine) for mine in cells),
        excluded=decided.excluded,
        same_address=decided.same_address,
        taken=decided.taken,
    )


def _rule_cells(feature: str, bounds: dict[str, tuple[int, int]], texts: Iterable[str]) -> tuple[Cell, ...]:
    """The cells of a rule's feature, for the values that somebody has. They can't be loosened."""
    return tuple(Cell(feature, value, *bounds[value], *bounds[value]) for value in sorted(set(texts)))
