"""Who sits, who can't, and which seats are gone, before anything is drawn?

- *Excluded* people leave the pool. So do those who share an address with somebody selected before (`same_address_as`), where a
  rule asks for it.
- Under a *household* rule, seats taken count for the household too.
- People who *must sit* stay in the pool; their seats are among those to be drawn, and their probability is one.
- *Taken* seats belong to people selected in an earlier round who are in the pool no more. They count against the panel's size
  and against every quota: what is left of a quota [l, u] of which t are taken is [max(0, l - t), u - t].

Guaranteed: what one can see without a search is seen here, all of it together: unknown, repeated and contradictory names, more
people than seats, and quotas or households that those already decided break, with by how much. Not guaranteed: that a panel
exists around them. That is for :mod:`klero.sortition.feasibility`. Cost: linear.

>>> from klero.sortition.quotas import Quotas
>>> pool = Pool.read([{"id": i, "g": g} for i, g in zip("abcd", "wwmm")])
>>> quotas = Quotas.read([{"feature": "g", "value": v, "min": 1, "max": 2} for v in "wm"])
>>> pool, decided, faults = decide(pool, quotas, 3, must_sit=["a"], exclude=["c"], taken=[{"id": "z", "g": "m"}])
>>> pool.ids, decided.must_sit, decided.size, [(cell.value, cell.min, cell.max) for cell in decided.quotas.cells], faults
(('a', 'b', 'd'), ('a',), 2, [('w', 1, 2), ('m', 0, 1)], [])
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from klero.errors import Fault, quoted
from klero.sortition.addresses import Decision, address_forms, column_faults, parse_households
from klero.sortition.bins import binned
from klero.sortition.derive import Cross, bands_named, crossed, crosses
from klero.sortition.id_lists import IdList, parse_ids
from klero.sortition.pool import Pool, closest, parse_pool
from klero.sortition.quotas import Cell, Quotas
from klero.tables import TableSource, table_or_faults

__all__ = ["Decided", "decide"]


@dataclass(frozen=True)
class Decided:
    """What is settled before the draw.

    Attributes:
        must_sit: ids, by code point, of people in the pool who have a seat.
        excluded: ids that were taken out of the pool by name.
        same_address: ids that were taken out because of who lives, or lived, at their address: somebody selected before, or, under a household
            rule, as many people with a seat as may have one.
        taken: ids of those who have seats and are not in the pool.
        quotas: what the quotas leave once the taken seats are counted; people who must sit are still to be counted.
        size: the seats that are left once the taken ones are counted; those of people who must sit are among them.
        households: under a household rule, the ids of those left of each household in which more are left than may sit.
    """

    must_sit: tuple[str, ...]
    excluded: tuple[str, ...]
    same_address: tuple[str, ...]
    taken: tuple[str, ...]
    quotas: Quotas
    size: int
    households: tuple[tuple[str, ...], ...] = ()


def decide(
    pool: Pool,
    quotas: Quotas,
    size: int,
    *,
    must_sit: IdList = (),
    exclude: IdList = (),
    taken: TableSource | None = None,
    same_address_as: TableSource | None = None,
    address: Sequence[str] = (),
    decisions: Sequence[Decision] = (),
    decisions_name: str = "decisions",
    per_household: int | None = None,
) -> tuple[Pool, Decided, list[Fault]]:
    """The pool without those excluded, what is decided, and the faults.

    Args:
        pool: the people, with bands where columns have them.
        quotas: as read, combinations included.
        size: the panel's seats, taken ones included.
        must_sit: ids of people in the pool; see :func:`klero.sortition.id_lists.parse_ids`.
        exclude: ids of people in the pool.
        taken: people who sit already and are not in the pool, with the columns that have quotas.
        same_address_as: people selected before; who shares their address is excluded. Needs `address`.
        address: the columns of the address, in all tables.
        decisions: what a person said about near matches of addresses.
        decisions_name: what messages call the table of decisions.
        per_household: the most people from one address, taken seats included. Needs `address`.

    With faults, the pool and the decisions are good for nothing but the search for more faults.
    """
    sitting, faults = parse_ids(must_sit, pool, "people who must sit")
    out, more = parse_ids(exclude, pool, "excluded people")
    faults += more
    for person in sorted(set(sitting) & set(out)):
        message = f"{quoted(person)} must sit and is excluded. Take the id out of one of the two lists."
        faults.append(Fault("decided-both", message, pool.name, value=person))
    gone, more = _taken_pool(pool, taken)
    faults += more
    homes, more = _homes(pool, gone, same_address_as, address, (decisions, decisions_name), per_household)
    # One address for all says that its columns are wrong, unless a household may fill the panel.
    full = per_household is None or (isinstance(size, int) and per_household >= size)
    faults += [fault for fault in more if not (full and fault.code == "household-everyone")]
    neighbours, more = _neighbours(homes, set(out), set(sitting), pool.name)
    faults += more
    removed = set(out) | neighbours
    limited: tuple[tuple[str, ...], ...] = ()
    if per_household is not None:
        limited, shut, more = _limited(homes, removed, set(sitting), per_household, pool.name)
        faults += more
        neighbours |= shut
        removed |= shut
    left, seats, more = _residual(pool, quotas, size, sitting, gone)
    faults += more
    decided = Decided(
        *(sitting, out, tuple(sorted(neighbours)), tuple(sorted(gone.ids)) if gone else ()),
        *(left, seats, limited),
    )
    return (pool.only(set(pool.ids) - removed) if removed else pool), decided, faults


@dataclass(frozen=True)
class _Home:
    """A home: who of the pool lives there, whether somebody selected before does, how many with taken seats do, and the address."""

    people: tuple[str, ...]
    selected_before: bool
    seated: int
    address: str


def _homes(
    pool: Pool,
    gone: Pool | None,
    source: TableSource | None,
    address: Sequence[str],
    decisions: tuple[Sequence[Decision], str],
    per_household: int | None,
) -> tuple[list[_Home], list[Fault]]:
    """The homes of the pool, and who else lives there: people selected before (`source`), and people with seats (`gone`)."""
    if source is None and per_household is None and not decisions[0]:
        return [], []
    faults = column_faults(pool.table, address)
    before: list[str] = []
    if source is not None:
        table = table_or_faults(source, "selected before", faults)
        if table is None:
            return [], faults
        if address:
            faults += column_faults(table, address)
        if not faults:
            before = address_forms(table, address)
            faults += _no_address(before, address, table.name)
    seated: list[str] = []
    if gone is not None and per_household is not None and address:
        more = column_faults(gone.table, address)
        faults += more
        seated = [] if more else address_forms(gone.table, address)
    if faults:
        return [], faults
    found, faults = parse_households(pool, address, *decisions, (*before, *seated))
    taken, known = Counter(seated), frozenset(before)
    return [
        _Home(group, not known.isdisjoint(places), sum(taken[form] for form in places), places[0])
        for group, places in zip(found.groups, found.addresses, strict=True)
        if places
    ], faults


def _no_address(forms: Sequence[str], address: Sequence[str], name: str) -> list[Fault]:
    if any(forms):
        return []
    where = " and ".join(map(quoted, address))
    message = f"nobody selected before has an address: {where} hold nothing. Give the table that has them."
    return [Fault("address-empty", message, name)]


def _neighbours(
    homes: Sequence[_Home], out: set[str], sitting: set[str], name: str
) -> tuple[set[str], list[Fault]]:
    """The people who live where somebody selected before lives."""
    neighbours = {person for home in homes if home.selected_before for person in home.people} - out
    faults = []
    for person in sorted(neighbours & sitting):
        message = (
            f"{quoted(person)} must sit and shares an address with somebody selected before, which excludes them. "
            "Take the id out of those who must sit, or the other out of those selected before."
        )
        faults.append(Fault("decided-both", message, name, value=person))
    return neighbours, faults


def _limited(
    homes: Sequence[_Home], removed: set[str], sitting: set[str], most: int, name: str
) -> tuple[tuple[tuple[str, ...], ...], set[str], list[Fault]]:
    """The households in which more people are left than may sit, and the people who can't sit since their household's seats are taken."""
    limited: list[tuple[str, ...]] = []
    shut: set[str] = set()
    faults = []
    for home in homes:
        here = tuple(person for person in home.people if person not in removed)
        must = [person for person in here if person in sitting]
        if len(must) + home.seated > most and must:
            besides = f" with {home.seated} who have seats" if home.seated else ""
            message = (
                f"{', '.join(map(quoted, must))} must sit and live at one address ({quoted(home.address)}){besides}, and at most {most} of a "
                f"household may. Take {min(len(must), len(must) + home.seated - most)} of them out, or allow more."
            )
            faults.append(Fault("must-sit-household", message, name))
        elif home.seated >= most:
            shut |= set(here)
        elif len(here) + home.seated > most and home.seated:
            spare = len(here) + home.seated - most
            message = (
                f"{', '.join(map(quoted, here))} live where {home.seated} of {most} possible seats of the household ({quoted(home.address)}) are "
                f"taken, and a lottery can't keep one household to another limit than the others. Exclude {spare} of them."
            )
            faults.append(Fault("taken-household", message, name))
        elif len(here) > most:
            limited.append(here)
    return tuple(limited), shut, faults


def _taken_pool(pool: Pool, source: TableSource | None) -> tuple[Pool | None, list[Fault]]:
    """The people who sit already, with bands as in the pool."""
    if source is None:
        return None, []
    faults: list[Fault] = []
    table = table_or_faults(source, "taken seats", faults)
    if table is None:
        return None, faults
    gone, faults = parse_pool(table, pool.id_column if pool.id_column in table.columns else None)
    gone, more = binned(gone, {c: edges for c, edges in pool.bins if c in gone.columns})
    faults += more
    if pool.id_column and gone.id_column:
        again = set(pool.ids)
        for person, row in zip(gone.ids, gone.row_numbers, strict=True):
            if person in again:
                message = (
                    f"{quoted(person)} has a seat already and is in the pool too, and could be drawn a second time. Take the row out "
                    "here and name the person among those who must sit, or take them out of the pool."
                )
                faults.append(Fault("taken-in-pool", message, gone.name, row, gone.id_column, person))
    return gone, faults


def _residual(
    pool: Pool, quotas: Quotas, size: int, sitting: tuple[str, ...], gone: Pool | None
) -> tuple[Quotas, int, list[Fault]]:
    """The quotas and seats that are left, and what those already decided break.

    Faults of bands and combinations themselves are found when people and quotas are matched, and not told here.
    """
    quotas, _ = bands_named(pool, quotas)
    found, _ = crosses(pool, quotas)
    must = set(sitting)
    places = [i for i, person in enumerate(pool.ids) if person in must]
    sits = {f: Counter(values[i] for i in places) for f, values in _columns(pool, quotas, found).items()}
    faults: list[Fault] = []
    used: dict[str, Counter[str]] = {}
    if gone is not None:
        columns = _columns(gone, quotas, found)
        faults += _taken_faults(gone, quotas, found, columns)
        used = {feature: Counter(values) for feature, values in columns.items()}
    seats_taken = len(gone) if gone is not None else 0
    faults += _seat_faults(size, len(sitting), seats_taken, pool.name, gone.name if gone is not None else "")
    cells = []
    for cell in quotas.cells:
        t = used.get(cell.feature, Counter())[cell.value]
        faults += _quota_faults(cell, t, sits.get(cell.feature, Counter())[cell.value], quotas.name)
        cells.append(_less(cell, t))
    left = size - seats_taken if seats_taken and isinstance(size, int) else size
    return Quotas(tuple(cells), quotas.name), left, faults


def _columns(people: Pool, quotas: Quotas, found: Sequence[Cross]) -> dict[str, tuple[str, ...]]:
    """What each person has for each feature of the quotas that the table has, combinations included."""
    cross_of = {cross.feature: cross for cross in found}
    columns = {}
    for feature in quotas.features:
        if feature in people.columns:
            columns[feature] = people.column(feature)
        elif feature in cross_of and set(cross_of[feature].parts) <= set(people.columns):
            columns[feature] = crossed(people, cross_of[feature])[0]
    return columns


def _taken_faults(
    gone: Pool, quotas: Quotas, found: Sequence[Cross], columns: dict[str, tuple[str, ...]]
) -> list[Fault]:
    """The features that the table of taken seats lacks, and values that no quota counts."""
    faults = []
    cross_of = {cross.feature: cross for cross in found}
    for feature in quotas.features:
        if feature not in columns:
            parts = cross_of[feature].parts if feature in cross_of else (feature,)
            for part in parts:
                if part not in gone.columns:
                    message = (
                        f"there is no column {quoted(part)}, and {quotas.name} has quotas on it.{closest(part, gone.columns)} "
                        "Without it nobody can say which quotas the taken seats count for."
                    )
                    faults.append(Fault("feature-missing", message, gone.name, column=part))
            continue
        known = set(quotas.values(feature))
        for value, row in zip(columns[feature], gone.row_numbers, strict=True):
            if not value:
                message = "the cell is empty, so no quota counts this taken seat. Fill it in."
                faults.append(Fault("feature-empty", message, gone.name, row, feature))
            elif value not in known and feature not in cross_of:
                message = (
                    f"{quoted(value)} has no quota in {quotas.name}.{closest(value, quotas.values(feature))}"
                )
                faults.append(Fault("value-unknown", message, gone.name, row, feature, value))
    return list(dict.fromkeys(faults))


def _seat_faults(size: int, must: int, taken: int, pool_name: str, taken_name: str) -> list[Fault]:
    if not isinstance(size, int) or size <= 0:  # told when people and quotas are matched
        return []
    left = size - taken
    if left <= 0:
        message = f"{taken} seats are taken and the panel has {size}, so none is left to draw. Raise the size to more than {taken}."
        return [Fault("taken-over-size", message, taken_name, value=str(taken))]
    if must > left:
        besides = f" of which {taken} are taken" if taken else ""
        message = f"{must} people must sit and the panel has {size} seats{besides}. Take {must - left} of them out, or raise the size."
        return [Fault("must-sit-over-size", message, pool_name, value=str(must))]
    return []


def _quota_faults(cell: Cell, taken: int, sitting: int, name: str) -> list[Fault]:
    """Whether those already decided are more than a maximum allows, and by how much."""
    row = cell.row or None
    if taken > cell.max:
        message = (
            f"{quoted(cell.name)} has a maximum of {cell.max}, and {taken} such people have taken seats: {taken - cell.max} too many. "
            f"Raise it to {taken}."
        )
        return [Fault("taken-over-quota", message, name, row, value=cell.value)]
    if sitting and taken + sitting > cell.max:
        besides = f" beside {taken} who have seats" if taken else ""
        message = (
            f"{quoted(cell.name)} has a maximum of {cell.max}, and {sitting} such people must sit{besides}: "
            f"{taken + sitting - cell.max} too many. Raise it to {taken + sitting}, or take people out of those who must sit."
        )
        return [Fault("must-sit-over-quota", message, name, row, value=cell.value)]
    return []


def _less(cell: Cell, taken: int) -> Cell:
    """The quota that is left once so many seats are taken."""
    if not taken:
        return cell
    return replace(
        cell,
        min=max(0, cell.min - taken),
        max=max(0, cell.max - taken),
        min_flex=None if cell.min_flex is None else max(0, cell.min_flex - taken),
        max_flex=None if cell.max_flex is None else max(0, cell.max_flex - taken),
    )
