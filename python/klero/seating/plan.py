"""Who sits where, how good is the plan, and whom does one person meet?

The score is counted from the plan itself, table by table, and not taken from the search that found it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from klero.errors import Fault, InputError, quoted
from klero.seating.bound import meeting_bound, meetings
from klero.seating.request import Request
from klero.sortition.pool import closest

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PersonPlan", "Score", "SeatingPlan", "score_of"]

Seats = tuple[tuple[int | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Score:
    """How good a plan is.

    Attributes:
        pairs_met: different pairs that share a table at least once.
        bound: no plan for these sizes, absences and groups has more; see :mod:`klero.seating.bound`.
        bound_kind: which bound that is: «seats», «people» or «pairs».
        repeats: meetings of pairs that met before.
        most_meetings: in how many sessions the pair that meets most often does.
        mixing: people by which tables are outside their share of a value (floor or ceiling of the proportional one), summed over
            columns, values, tables and sessions. 0 is the best.
        cluster: tables more than the people of clustered values need, summed over values and sessions.
        apart: pairs that should sit apart and share a table, over all sessions. A plan that is given out has 0.
    """

    pairs_met: int
    bound: int
    bound_kind: str
    repeats: int
    most_meetings: int
    mixing: int
    cluster: int
    apart: int


@dataclass(frozen=True, slots=True)
class PersonPlan:
    """Where one person sits and whom they meet.

    Attributes:
        person: the id.
        tables: the table in each session, from 1; None where the person is absent.
        meets: the others whom the person meets, by id, with the sessions, from 1.
        others: how many others there are.
    """

    person: str
    tables: tuple[int | None, ...]
    meets: tuple[tuple[str, tuple[int, ...]], ...]
    others: int


@dataclass(frozen=True, repr=False)
class SeatingPlan:
    """Tables of every person in every session.

    Attributes:
        request: what was asked for.
        seats: for each session, for each person in the order of ``request.ids``, the table from 0; None who is absent.
        labels: what lists of people show beside the id, in the same order; empty if nothing.
        algorithm: how the plan was found; with the same request it gives the same plan.
    """

    request: Request
    seats: Seats
    labels: tuple[str, ...] = ()
    algorithm: str = "klero-seating/1"

    @property
    def ids(self) -> tuple[str, ...]:
        """The people, by code point."""
        return self.request.ids

    @property
    def input_digest(self) -> str:
        """Of the request; see :meth:`Request.digest`."""
        return self.request.digest()

    @cached_property
    def score(self) -> Score:
        """How good the plan is."""
        return score_of(self.request, self.seats)

    @cached_property
    def over_wish(self) -> int:
        """Pairs that meet in more sessions than was wished (`most_meetings`); 0 if nothing was."""
        met: Counter[tuple[int, int]] = Counter()
        for _, _, people in _tables(self.request, self.seats):
            met.update(combinations(people, 2))
        return sum(n > self.request.most_meetings for n in met.values())

    def at(self, session: int, table: int) -> tuple[str, ...]:
        """The ids of those who sit at a table, by code point. Sessions and tables count from 1; IndexError beyond them."""
        if not (1 <= session <= self.request.sessions and 1 <= table <= self.request.tables):
            raise IndexError(f"there is no table {table} in session {session}")
        seats = self.seats[session - 1]
        return tuple(person for person, t in zip(self.ids, seats, strict=True) if t == table - 1)

    def person(self, person: str) -> PersonPlan:
        """Where a person sits and whom they meet.

        Raises:
            InputError: nobody has this id.
        """
        person = str(person)
        if person not in self.ids:
            message = f"nobody at these tables has the id {quoted(person)}.{closest(person, self.ids)}"
            raise InputError([Fault("person-unknown", message, "", value=person)])
        me = self.ids.index(person)
        when: dict[str, list[int]] = {}
        for s, seats in enumerate(self.seats, start=1):
            for other, t in zip(self.ids, seats, strict=True):
                if t is not None and t == seats[me] and other != person:
                    when.setdefault(other, []).append(s)
        tables = tuple(None if seats[me] is None else (seats[me] or 0) + 1 for seats in self.seats)
        meets = tuple((other, tuple(sessions)) for other, sessions in sorted(when.items()))
        return PersonPlan(person, tables, meets, len(self.ids) - 1)

    def explain(self, person: str | None = None, lang: str = "en") -> str:
        """The plan's score in words, or a person's tables and whom they meet when. `lang`: «en» or «fr»."""
        from klero.seating.report import explain_person, explain_plan

        return explain_plan(self, lang) if person is None else explain_person(self, person, lang)

    def to_arrow(self) -> pa.Table:
        """A table with the id of each person and, for each session, the number of the table from 1 (null if absent)."""
        import pyarrow as pa

        columns: dict[str, pa.Array] = {"id": pa.array(self.ids, pa.string())}
        for s, seats in enumerate(self.seats, start=1):
            columns[f"session_{s}"] = pa.array([None if t is None else t + 1 for t in seats], pa.int32())
        return pa.table(columns)

    def __repr__(self) -> str:
        return (
            f"<SeatingPlan: {len(self.ids)} people, {self.request.tables} tables, {self.request.sessions} sessions, "
            f"{self.score.pairs_met} pairs meet of at most {self.score.bound}>"
        )

    def _repr_html_(self) -> str:
        from klero.seating.report import plan_body

        return plan_body(self, "en")


def score_of(request: Request, seats: Seats) -> Score:
    """The score of a plan, counted from its tables."""
    met: Counter[tuple[int, int]] = Counter()
    for _, _, people in _tables(request, seats):
        met.update(combinations(people, 2))
    bound, kind = meeting_bound(request)
    return Score(
        pairs_met=len(met),
        bound=bound,
        bound_kind=kind,
        repeats=meetings(request) - len(met),
        most_meetings=max(met.values(), default=0),
        mixing=sum(_outside(request, seats, values) for _, values in request.mix),
        cluster=sum(_more_tables(request, seats, values) for _, values in request.cluster),
        apart=sum(met[pair] for pair in request.apart),
    )


def _tables(request: Request, seats: Seats) -> Iterator[tuple[int, int, list[int]]]:
    """Session, table and the people at it."""
    for s, row in enumerate(seats):
        at: list[list[int]] = [[] for _ in range(request.tables)]
        for p, t in enumerate(row):
            if t is not None:
                at[t].append(p)
        yield from ((s, t, people) for t, people in enumerate(at))


def _outside(request: Request, seats: Seats, values: tuple[str, ...]) -> int:
    totals = [Counter(values[p] for p in request.present(s)) for s in range(request.sessions)]
    outside = 0
    for s, _, people in _tables(request, seats):
        here = Counter(values[p] for p in people)
        n = totals[s].total()
        for value, total in totals[s].items():
            low, high = total * len(people) // n, -(-total * len(people) // n)
            outside += max(low - here[value], here[value] - high, 0)
    return outside


def _more_tables(request: Request, seats: Seats, values: tuple[str, ...]) -> int:
    used: Counter[tuple[int, str]] = Counter()
    for s, _, people in _tables(request, seats):
        used.update((s, value) for value in {values[p] for p in people} if value)
    more = 0
    for (s, value), tables in used.items():
        left = sum(values[p] == value for p in request.present(s))
        for size in request.sizes(s):  # the larger tables first: the fewest that hold them all
            if left > 0:
                left -= size
                tables -= 1
        more += tables
    return more
