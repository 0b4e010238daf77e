"""Find tables at which people meet as many others as possible and which are mixed by chosen features.

This is the social golfer problem (Harvey 2001; as an exact problem it is open even for small groups) with more wishes. In the
order of priority:

1. sizes differ by one at most, and groups that sit together do (by construction);
2. pairs that sit apart do;
3. people who share a clustered value (a language to be interpreted, say) sit at as few tables as can be;
4. each table has of each value of the mixed columns its proportional share, rounded down or up;
5. no pair meets in more than `most_meetings` sessions;
6. as many different pairs meet as possible; then, no pair again and again.

Where repeats can't be avoided, a plan in which many different pairs meet is often one that keeps a few pairs together all the time:
each of these spoils few others. `most_meetings=2` asks for a plan without such pairs, at the price of some meetings.

Method: `rust/core/src/seating`. Where a finite field gives a plan without repeats (the number of tables a power of a prime and no
table larger than that), it is the start; else, and beside, integer annealing over exchanges of seats. Guaranteed: the priorities
between any two plans that the search compares; the same request gives the same plan on any machine; a plan that lets a pair meet
that must sit apart is an error. Not guaranteed: the best plan. The score says how far from an upper bound it is. Time: some
hundred nanoseconds a move, four million moves and more by size, times `effort`; no clock decides.

>>> plan = seat_tables([{"id": i} for i in range(9)], 3, 4)
>>> plan.score.pairs_met, plan.score.bound, plan.score.repeats
(36, 36, 0)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from klero._native import SeatSearch
from klero.errors import Fault, InputError, InternalError, SeatingError, quoted
from klero.seating.bound import meeting_bound, meetings
from klero.seating.lists import AbsenceList, GroupList
from klero.seating.plan import SeatingPlan, Seats
from klero.seating.request import Request, apart_impossible, build_request
from klero.sortition.pool import Pool
from klero.tables import TableSource

__all__ = ["seat_tables"]

Progress = Callable[[str, int], None]

_MOVES = 4_000_000
_MOVES_A_SEAT = 2_000
_PORTION = 100_000
_SHOWN = 5


def seat_tables(
    people: Pool | TableSource,
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
    id: str | None = None,  # noqa: A002 (the word of the people who use it)
    label: str | None = None,
    progress: Progress | None = None,
) -> SeatingPlan:
    """Split people over tables in several sessions.

    Args:
        people: a pool, or what :meth:`Pool.read` takes.
        tables: how many tables, the same in each session; at most one for each person who is there.
        sessions: how many sessions, 1 to 100.
        mix: columns by which each table is mixed. An empty cell is a value like others.
        cluster: columns whose values' people sit at as few tables as can be. An empty cell is no value.
        apart: groups of ids (or a file of them, see :mod:`klero.seating.lists`) of whom no two ever share a table.
        together: groups of ids who always share a table when they are there.
        absent: sessions by id, (id, session) pairs, or a table with the ids and a column «session».
        most_meetings: in how many sessions a pair should meet at most; a wish, of less weight than mixing.
        seed: a whole number or text; another seed gives another plan of the same kind.
        effort: takes so many times as many moves.
        id: the id column, where `people` is not a pool.
        label: a column to show beside the id in printed plans.
        progress: called with «moves, in percent» and how many are done.

    Raises:
        InputError: with every fault of the arguments.
        SeatingError: pairs that must sit apart share a table in the best plan found, or counting shows that some must.
    """
    pool = people if isinstance(people, Pool) else Pool.read(people, id)
    request = build_request(
        pool,
        tables,
        sessions,
        mix=mix,
        cluster=cluster,
        apart=apart,
        together=together,
        absent=absent,
        most_meetings=most_meetings,
        seed=seed,
        effort=effort,
    )
    labels = _labels(pool, label)
    if problem := apart_impossible(request):
        raise SeatingError(problem)
    plan = SeatingPlan(request, _searched(request, progress), labels)
    if plan.score.apart:
        raise _apart_unmet(plan)
    return plan


def _labels(pool: Pool, label: str | None) -> tuple[str, ...]:
    if label is None:
        return ()
    if label not in pool.columns:
        there = ", ".join(map(quoted, pool.columns[:20]))
        message = f"there is no column {quoted(label)} to show. The columns are: {there}."
        raise InputError([Fault("seating-column-missing", message, pool.name, column=label)])
    return tuple(text for _, text in sorted(zip(pool.ids, pool.column(label), strict=True)))


def _searched(request: Request, progress: Progress | None) -> Seats:
    n, sessions = len(request.ids), request.sessions
    secret = hashlib.sha256(b"klero/seating/v1\0" + request.seed.encode()).digest()
    there = [set(request.present(s)) for s in range(sessions)]
    bound, kind = meeting_bound(request)
    try:
        search = SeatSearch(
            request.tables,
            [[p in here for p in range(n)] for here in there],
            [_codes(values) for _, values in request.mix],
            [_cluster_codes(values) for _, values in request.cluster],
            list(request.apart),
            [list(group) for group in request.together],
            request.most_meetings,
            int.from_bytes(secret[:8], "big"),
            request.effort * (_MOVES + _MOVES_A_SEAT * n * sessions),
            meetings(request) - bound if kind == "seats" else 0,
        )
    except ValueError as error:
        message = f"the groups that sit together don't fit the tables ({error}). Part a group, or take fewer and larger tables."
        raise InputError([Fault("together-unplaced", message, "")]) from None
    while not search.run(_PORTION):
        if progress is not None:
            done, moves = search.progress()
            progress("moves, in percent", 100 * done // moves)
    seats = tuple(map(tuple, search.seats()))
    _check(request, seats, search.cost())
    return seats


def _codes(values: tuple[str, ...]) -> list[int]:
    number = {value: v for v, value in enumerate(sorted(set(values)))}
    return [number[value] for value in values]


def _cluster_codes(values: tuple[str, ...]) -> list[int | None]:
    number = {value: v for v, value in enumerate(sorted(set(values) - {""}))}
    return [number.get(value) for value in values]


def _check(request: Request, seats: Seats, cost: tuple[int, int, int, int, int, int]) -> None:
    """What the kernel promised, counted again without it."""
    plan = SeatingPlan(request, seats)
    for s in range(request.sessions):
        row = seats[s]
        sizes = [row.count(t) for t in range(request.tables)]
        absent = frozenset(p for p, t in enumerate(row) if t is None)
        if sizes != request.sizes(s) or absent != request.absent[s]:
            raise InternalError(f"the plan's session {s + 1} has not the tables that were asked for")
        if any(len({row[p] for p in group} - {None}) > 1 for group in request.together):
            raise InternalError(f"the plan's session {s + 1} parts a group that sits together")
    score = plan.score
    if (score.apart, score.cluster, score.mixing, score.repeats) != (*cost[:3], cost[4]):
        raise InternalError("the plan's score is not what the search says")


def _apart_unmet(plan: SeatingPlan) -> SeatingError:
    pairs = []
    for a, b in plan.request.apart:
        shared = [s + 1 for s, row in enumerate(plan.seats) if row[a] is not None and row[a] == row[b]]
        if shared:
            where = ", ".join(map(str, shared))
            pairs.append(f"{quoted(plan.ids[a])} and {quoted(plan.ids[b])} in session {where}")
    more = f", and {len(pairs) - _SHOWN} pairs more" if len(pairs) > _SHOWN else ""
    return SeatingError(
        "In the best plan found, people who must sit apart share a table: "
        + "; ".join(pairs[:_SHOWN])
        + more
        + ". No plan is given. "
        "Take more tables, name fewer pairs, or search longer with a higher effort."
    )
