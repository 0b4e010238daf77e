"""Who is to be seated, at how many tables, in how many sessions, and what must and should hold?

People are numbered in the order of their ids by code point, so that the order of rows changes nothing. Groups that sit together
are joined where they share somebody. Everything that can be seen to be impossible before a search is a fault here, all faults
together. Linear, but for pairs that sit apart.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from numbers import Integral

from klero.errors import Fault, InputError, quoted
from klero.seating.lists import AbsenceList, GroupList, parse_absences, parse_groups
from klero.sortition.pool import Pool, closest
from klero.tables import error_cell_faults

__all__ = ["Request", "build_request"]

MOST_PEOPLE = 5000
MOST_SESSIONS = 100
_MOST_EFFORT = 1000
# A column of at least so many people in which more than this share of them have a value of their own sorts nobody.
_FEW, _DISTINCT = 5, 0.8


@dataclass(frozen=True, kw_only=True, repr=False)
class Request:
    """What a seating plan is asked to be.

    Attributes:
        ids: the people, by code point. Elsewhere they are numbered by it.
        tables: how many tables, the same in each session.
        sessions: how many sessions.
        mix: the columns by which each table is mixed, each with the value of each person.
        cluster: the columns whose values' people sit at as few tables as can be; '' for who has no value.
        apart: pairs that never share a table, each rising.
        together: disjoint groups, two or more each, that always share one.
        absent: for each session, who is not there.
        most_meetings: in how many sessions a pair should meet at most; no wish if that is `sessions`.
        seed: the text from which the plan's chance comes.
        effort: multiplies the number of moves of the search.
    """

    ids: tuple[str, ...]
    tables: int
    sessions: int
    mix: tuple[tuple[str, tuple[str, ...]], ...]
    cluster: tuple[tuple[str, tuple[str, ...]], ...]
    apart: tuple[tuple[int, int], ...]
    together: tuple[tuple[int, ...], ...]
    absent: tuple[frozenset[int], ...]
    most_meetings: int
    seed: str
    effort: int

    def present(self, session: int) -> list[int]:
        """Who is there in a session (from 0), rising."""
        return [p for p in range(len(self.ids)) if p not in self.absent[session]]

    def sizes(self, session: int) -> list[int]:
        """The seats of each table in a session: they differ by one at most, larger tables first."""
        seats, more = divmod(len(self.ids) - len(self.absent[session]), self.tables)
        return [seats + (t < more) for t in range(self.tables)]

    def digest(self) -> str:
        """SHA-256, in hex, of the JSON of all attributes, without spaces, in UTF-8."""
        lists = [sorted(there) for there in self.absent]
        content = [
            *("klero-seating-1", self.ids, self.tables, self.sessions, self.mix, self.cluster),
            *(self.apart, self.together, lists, self.most_meetings, self.seed, self.effort),
        ]
        return hashlib.sha256(
            json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        ).hexdigest()


def build_request(
    pool: Pool,
    tables: int,
    sessions: int,
    *,
    mix: Sequence[str] = (),
    cluster: Sequence[str] = (),
    apart: GroupList = (),
    together: GroupList = (),
    absent: AbsenceList = (),
    most_meetings: int | None = None,
    seed: str | int = "1",
    effort: int = 1,
) -> Request:
    """The request, checked. Arguments as in :func:`klero.seating.seat.seat_tables`.

    Raises:
        InputError: with every fault.
    """
    faults = _number_faults(pool, tables, sessions, most_meetings, effort)
    text, more = _seed(seed)
    faults += more
    faults += _column_faults(pool, mix, cluster)
    if faults:  # the lists' faults depend on these numbers
        raise InputError(faults + _list_faults(pool, sessions, apart, together, absent))
    order = sorted(range(len(pool)), key=lambda i: pool.ids[i])
    number = {pool.ids[i]: p for p, i in enumerate(order)}
    apart_groups, more = parse_groups(apart, pool, "people who sit apart")
    faults += more
    together_groups, more = parse_groups(together, pool, "people who sit together")
    faults += more
    absences, more = parse_absences(absent, pool, sessions)
    faults += more

    def columns(names: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return tuple((name, tuple(pool.column(name)[i] for i in order)) for name in names)

    gone: list[set[int]] = [set() for _ in range(sessions)]
    for person, session in absences:
        gone[session - 1].add(number[person])
    request = Request(
        ids=tuple(pool.ids[i] for i in order),
        tables=int(tables),
        sessions=int(sessions),
        mix=columns(mix),
        cluster=columns(cluster),
        apart=_pairs([[number[x] for x in group] for group in apart_groups]),
        together=_joined([[number[x] for x in group] for group in together_groups]),
        absent=tuple(map(frozenset, gone)),
        most_meetings=int(sessions if most_meetings is None else min(most_meetings, sessions)),
        seed=text,
        effort=int(effort),
    )
    faults += _match_faults(request, pool.name)
    if faults:
        raise InputError(faults)
    return request


def _list_faults(
    pool: Pool, sessions: int, apart: GroupList, together: GroupList, absent: AbsenceList
) -> list[Fault]:
    most = sessions if _is_count(sessions) else MOST_SESSIONS
    faults = parse_groups(apart, pool, "people who sit apart")[1]
    faults += parse_groups(together, pool, "people who sit together")[1]
    return faults + parse_absences(absent, pool, most)[1]


def _is_count(number: object) -> bool:
    return isinstance(number, Integral) and not isinstance(number, bool) and int(number) >= 1


def _number_faults(
    pool: Pool, tables: int, sessions: int, most_meetings: int | None, effort: int
) -> list[Fault]:
    faults = []
    n = len(pool)
    if not _is_count(tables):
        message = f"the number of tables is {tables!r}. Give a whole number, 1 or more."
        faults.append(Fault("tables-invalid", message, "", value=str(tables)))
    elif tables > n:
        message = (
            f"there are {tables} tables and {n} people, so a table would be empty. Take {n} tables or fewer."
        )
        faults.append(Fault("tables-over-people", message, pool.name, value=str(tables)))
    if not _is_count(sessions) or sessions > MOST_SESSIONS:
        message = f"the number of sessions is {sessions!r}. Give a whole number from 1 to {MOST_SESSIONS}."
        faults.append(Fault("sessions-invalid", message, "", value=str(sessions)))
    if most_meetings is not None and not _is_count(most_meetings):
        message = f"the most meetings of a pair are {most_meetings!r}. Give a whole number, 1 or more."
        faults.append(Fault("meetings-invalid", message, "", value=str(most_meetings)))
    if not _is_count(effort) or effort > _MOST_EFFORT:
        message = f"the effort is {effort!r}. Give a whole number from 1 to {_MOST_EFFORT}: the search takes so many times as long."
        faults.append(Fault("effort-invalid", message, "", value=str(effort)))
    if n > MOST_PEOPLE:
        message = f"{n} people are to be seated and klero seats {MOST_PEOPLE} at most. Part them first, by room for instance."
        faults.append(Fault("seating-too-large", message, pool.name))
    return faults


def _seed(seed: str | int) -> tuple[str, list[Fault]]:
    text = (
        unicodedata.normalize("NFC", str(seed))
        if isinstance(seed, str | int) and not isinstance(seed, bool)
        else ""
    )
    if text.strip() and text.isprintable():
        return text, []
    message = f"the seed is {seed!r}. Give a whole number or a text without line breaks; the same seed gives the same plan."
    return "", [Fault("seed-invalid", message, "", value=str(seed))]


def _column_faults(pool: Pool, mix: Sequence[str], cluster: Sequence[str]) -> list[Fault]:
    faults = []
    seen: set[str] = set()
    for name in (*mix, *cluster):
        if name in seen:
            message = f"the column {quoted(name)} is named twice. A table is mixed by a column or gathers its values, once."
            faults.append(Fault("seating-column-twice", message, pool.name, column=name))
        elif name not in pool.columns:
            there = ", ".join(map(quoted, pool.columns[:20]))
            message = (
                f"there is no column {quoted(name)}.{closest(name, pool.columns)} The columns are: {there}."
            )
            faults.append(Fault("seating-column-missing", message, pool.name, column=name))
        seen.add(name)
    return faults + error_cell_faults(pool.table, (*mix, *cluster))


def _pairs(groups: list[list[int]]) -> tuple[tuple[int, int], ...]:
    """All pairs within groups."""
    return tuple(sorted({(min(pair), max(pair)) for group in groups for pair in combinations(group, 2)}))


def _joined(groups: list[list[int]]) -> tuple[tuple[int, ...], ...]:
    """Groups that share somebody as one."""
    joined: list[set[int]] = []
    for group in groups:
        touched = [other for other in joined if other & set(group)]
        joined = [other for other in joined if not other & set(group)]
        joined.append(set(group).union(*touched))
    return tuple(sorted(tuple(sorted(group)) for group in joined))


def column_warnings(request: Request) -> tuple[str, ...]:
    """What is odd about the columns by which tables are mixed: nothing in them, or a value for (nearly) each person."""
    told = []
    for name, values in request.mix:
        n, different = len(values), len({value for value in values if value})
        if not different:
            told.append(f"the column {quoted(name)} is empty everywhere, so mixing by it changes nothing.")
        elif n >= _FEW and different > _DISTINCT * n:
            told.append(
                f"the column {quoted(name)} has {different} different values for {n} people, so mixing by it changes little or nothing. "
                "Put numbers into bands (--bin), or name another column."
            )
    return tuple(told)


def apart_impossible(request: Request) -> str:
    """Why no plan keeps all apart, where counting shows it: more people who are all apart than tables. '' if it does not.

    Who must sit together counts as one. Cliques are built greedily from each person: what is found is a proof, and not all that
    is impossible is found. O(people · pairs) in the worst case, nothing where nobody is to sit apart from as many as there are tables.
    """
    unit = {p: group[0] for group in request.together for p in group}
    for s in range(request.sessions):
        near: dict[int, set[int]] = {}
        person: dict[int, int] = {}
        for a, b in request.apart:
            if not {a, b} & request.absent[s]:
                x, y = unit.get(a, a), unit.get(b, b)
                person |= {x: a, y: b}
                near.setdefault(x, set()).add(y)
                near.setdefault(y, set()).add(x)
        for start in sorted(near):
            found = _clique(near, start) if len(near[start]) >= request.tables else []
            if len(found) > request.tables:
                who = ", ".join(quoted(request.ids[person[x]]) for x in found[:5])
                return (
                    f"{len(found)} people in session {s + 1} are all to sit apart from one another ({who}{', …' if len(found) > 5 else ''}) "
                    f"and there are {request.tables} tables, so no plan exists, however long the search. Take more tables, or "
                    "name fewer pairs."
                )
    return ""


def _clique(near: dict[int, set[int]], start: int) -> list[int]:
    """People who are all apart from one another, `start` among them: next comes who leaves most others to choose from."""
    members, others = [start], set(near[start])
    while others:
        x = min(others, key=lambda y: (-len(near[y] & others), y))
        members.append(x)
        others &= near[x]
    return members


def _match_faults(request: Request, name: str) -> list[Fault]:
    faults = []
    group_of = {p: g for g, group in enumerate(request.together) for p in group}
    for a, b in request.apart:
        if a in group_of and group_of[a] == group_of.get(b):
            message = (
                f"{quoted(request.ids[a])} and {quoted(request.ids[b])} are to sit apart, and by the groups that sit together they share "
                "a table. Take them out of one of the lists."
            )
            faults.append(Fault("seating-contradiction", message, name))
    for s in range(request.sessions):
        there = len(request.ids) - len(request.absent[s])
        if there < request.tables:
            message = (
                f"in session {s + 1} {there} people are there for {request.tables} tables. Take fewer tables."
            )
            faults.append(Fault("tables-over-people", message, name, value=str(request.tables)))
            continue
        largest = request.sizes(s)[0]
        for group in request.together:
            here = [p for p in group if p not in request.absent[s]]
            if len(here) > largest:
                who = ", ".join(quoted(request.ids[p]) for p in here[:5])
                message = (
                    f"{len(here)} people are to sit together ({who}{', …' if len(here) > 5 else ''}) and a table of session {s + 1} has "
                    f"{largest} seats. Part the group, or take fewer tables."
                )
                faults.append(Fault("together-over-table", message, name))
    return faults
