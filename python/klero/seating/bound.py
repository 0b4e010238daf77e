"""How many different pairs could meet at best?

The least of three upper bounds, none of which looks at mixing or clusters:

- *seats*: the meetings that tables of these sizes hold, less those that must be repeats. Of two sessions, tables of m people
  drawn from T tables hold at least as many pairs who shared a table before as m people spread evenly over T tables do; and the
  pairs of a session who met in any one session before have met before. Groups that sit together repeat all their meetings but
  the first.
- *people*: nobody meets more others than there are to meet, nor than the chairs beside theirs.
- *pairs*: those who are there in one session at least and are not to sit apart.

Quadratic in sessions and in the different lists of sessions at which people are there.
"""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import comb

from klero.seating.request import Request

__all__ = ["meeting_bound", "meetings"]


def meetings(request: Request) -> int:
    """Pairs at tables, summed over sessions."""
    return sum(comb(size, 2) for s in range(request.sessions) for size in request.sizes(s))


def meeting_bound(request: Request) -> tuple[int, str]:
    """An upper bound on the number of different pairs that meet, and its kind: «seats», «people» or «pairs»."""
    possible = _possible(request)
    beside = [0] * len(request.ids)
    for s in range(request.sessions):
        for p in request.present(s):
            beside[p] += request.sizes(s)[0] - 1
    by_person = sum(map(min, possible, beside)) // 2
    forced = max(_forced_by_seats(request), _forced_by_groups(request))
    bounds = [
        (meetings(request) - forced, "seats"),
        (by_person, "people"),
        (sum(possible) // 2, "pairs"),
    ]
    return min(bounds, key=lambda bound: bound[0])


def _possible(request: Request) -> list[int]:
    """How many others each person could meet: those there in one session at least with them, who need not sit apart."""
    there = [
        frozenset(s for s, gone in enumerate(request.absent) if p not in gone)
        for p in range(len(request.ids))
    ]
    alike = Counter(there)
    reach = {mine: sum(count for theirs, count in alike.items() if mine & theirs) for mine in alike}
    possible = [reach[mine] - bool(mine) for mine in there]
    for a, b in request.apart:
        if there[a] & there[b]:
            possible[a] -= 1
            possible[b] -= 1
    return possible


def _forced_by_seats(request: Request) -> int:
    worst = [max((_again(request, s, t) for s in range(t)), default=0) for t in range(request.sessions)]
    return sum(worst)


def _again(request: Request, earlier: int, later: int) -> int:
    """The fewest pairs at tables of a session who shared a table in an earlier one."""
    new = len(request.absent[earlier] - request.absent[later])
    sizes = request.sizes(later)
    # Who wasn't there before repeats nothing: seat each where most would be saved.
    for _ in range(new):
        t = max(range(len(sizes)), key=lambda i: sizes[i])
        sizes[t] -= 1
    tables = request.tables
    return sum(
        (m % tables) * comb(m // tables + 1, 2) + (tables - m % tables) * comb(m // tables, 2) for m in sizes
    )


def _forced_by_groups(request: Request) -> int:
    forced = 0
    for group in request.together:
        for a, b in combinations(group, 2):
            both = sum(a not in gone and b not in gone for gone in request.absent)
            forced += max(0, both - 1)
    return forced
