"""Do the people of a group meet on further questions more often than people as active as they are?

The idea is that of statistically validated networks (Tumminello, Miccichè, Lillo, Piilo and Mantegna 2011): in a network of people and what they take part
in, a tie is only told from chance beside the activity of both ends. There each pair is tested, by a hypergeometric distribution within classes of activity;
here the whole group is, once, by draws, so that nothing is lost to the number of pairs, and people are compared with those of the same question.

A member's *further questions* are those it wrote to, without the questions of its contributions in the group. The statistic is the sum over questions of the
number of pairs of members that meet there, times −log of the question's share of all accounts: to meet where everybody goes says nothing. The null groups
(:mod:`klero.campaigns.coaction_pools`) have, for each member, somebody of the same question, and stance where enough took it, with about as many further
questions; beside anybody, all groups of one question would stand out, as people go to its neighbours, too. By Besag and Clifford (1991) draws stop
once ten null groups met as often as the group: p = 10 / draws then; with fewer in all 9,999 draws, p = (as often + 1) / 10,000.

Guaranteed: exact if, given question, stance and how active each is, it is by chance which of these people are in the group, and it is in one question. In a
group over many questions one person may be drawn for two of them and meet themselves: a little cautious. The same for any order of rows and number of
threads. Not guaranteed: a reason. Members of an association, a class or an office meet on the same questions too; so do people of one special interest.
Cost: 10 to 9,999 null groups, each a sum over its people's questions.

>>> from klero.campaigns.model import Candidate, Consultation
>>> import numpy as np
>>> ten = np.repeat(np.arange(60), 2)
>>> question = np.array([[0, 1 + (a % 12 if a >= 6 else 12)] for a in range(60)]).ravel()  # six people have one further question in common
>>> n = len(ten)
>>> c = Consultation(tuple(range(n)), ("…",) * n, ten, ten, tuple(map(str, range(60))), question, tuple("abcdefghijklm"), np.full(n, 2, np.int8), np.zeros(n))
>>> [channel] = coaction_channel(c, [Candidate(np.arange(0, 12, 2), 6, 0, "copies")], threads=1, progress=None)
>>> channel.p, channel.details["pairs"]
(0.0001, 15)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from klero.campaigns.coaction_pools import LEAST, PART, Board, Pools
from klero.campaigns.model import Candidate, Channel, Consultation, Floats, Ints, Null
from klero.themes.drawing import draws

__all__ = ["LEAST", "coaction_channel"]

Progress: TypeAlias = Callable[[str, int], None]

_ENOUGH = 10
_MOST = 9_999
_BLOCK = 128
_CELLS = 2_000_000  # counts in memory at once
_PAIRS_OF = 99  # null groups whose pairs are counted
_SHOWN = 999
_UNIT = Board.UNIT * PART**2


def coaction_channel(
    c: Consultation, candidates: Sequence[Candidate], *, threads: int, progress: Progress | None
) -> list[Channel]:
    """What the further questions of groups say.

    Args:
        c: the consultation.
        candidates: the groups.
        threads: one is used, however many are allowed.
        progress: called with the name of the step and how many groups are done.

    Returns:
        A channel for each group. `why_not`: «no-author» (no member has an account), «no-question», «too-few» members with a further question, «no-room»
        (too few others with further questions wrote where these did).
    """
    board = Board(c)
    told = []
    for done, one in enumerate(candidates):
        told.append(_channel(board, one))
        if progress is not None:
            progress("co-action", done + 1)
    return told


def _channel(board: Board, one: Candidate) -> Channel:
    members = board.members(one)
    if not len(members):
        return Channel("coaction", None, why_not="no-author")
    if not len(board.question):
        return Channel("coaction", None, why_not="no-question")
    key = _key(one)
    pools, further = board.pools(one, key)
    if pools is None:
        return Channel("coaction", None, why_not="too-few" if further < LEAST else "no-room")
    observed = int(_meetings(pools, pools.group[None, :])[0])
    values, exceed = _null_groups(pools, observed, board.c.seed, key)
    count = len(values)
    p = exceed / count if exceed == _ENOUGH else (exceed + 1) / (count + 1)
    pairs = _pairs(pools, pools.group)
    some = _drawn(pools, board.c.seed, key, 0, _PAIRS_OF)
    expected = sum(_pairs(pools, chosen) for chosen in some) / len(some)
    null = Null("meetings", observed / _UNIT, _shown(values / _UNIT), count, exceed)
    return Channel(
        "coaction",
        p,
        {"pairs": float(pairs), "pairs_expected": expected},
        (null,),
        details={"pairs": pairs, "members": len(pools.group), "conditioned": list(pools.conditioned)},
    )


def _key(one: Candidate) -> str:
    """What a group's random numbers depend on beside the seed: who is in it, and not which other groups are tested."""
    voters = b"" if one.voters is None else one.voters.astype("<i8").tobytes()
    return hashlib.sha256(one.rows.astype("<i8").tobytes() + b"|" + voters).hexdigest()[:32]


def _null_groups(pools: Pools, observed: int, seed: int, key: str) -> tuple[Ints, int]:
    """The statistic of null groups in the order in which they were drawn, up to where the draws stop; and how many were at least `observed`."""
    size = _block(pools)
    found: list[Ints] = []
    exceed, left = 0, _MOST
    for block in range(-(-_MOST // size)):
        values = _meetings(pools, _drawn(pools, seed, key, block, size))[:left]
        reached = exceed + np.cumsum(values >= observed)
        if int(reached[-1]) >= _ENOUGH:
            last = int(np.argmax(reached >= _ENOUGH))
            found.append(values[: last + 1])
            return np.concatenate(found), _ENOUGH
        found.append(values)
        exceed, left = int(reached[-1]), left - len(values)
    return np.concatenate(found), exceed


def _block(pools: Pools) -> int:
    """How many null groups are drawn at once."""
    return max(1, min(_BLOCK, _CELLS // max(1, len(pools.weight))))


def _drawn(pools: Pools, seed: int, key: str, block: int, size: int) -> Ints:
    """Null groups, a row each: of each class as many people as the group has there, none of them twice."""
    chosen = []
    for at, (first, people, members) in enumerate(pools.classes):
        keys = draws(seed, f"campaigns coaction {key} {at} {block}", size * people).reshape(size, people)
        some = np.argpartition(keys, members - 1, axis=1)[:, :members] if members < people else None
        whole = np.broadcast_to(np.arange(people), (size, people)) if some is None else some
        chosen.append(first + whole)
    return np.concatenate(chosen, axis=1).astype(np.int64)


def _meetings(pools: Pools, chosen: Ints) -> Ints:
    """The statistic of groups, a row each, in whole numbers."""
    groups, columns = len(chosen), len(pools.weight)
    length = pools.start[chosen + 1] - pools.start[chosen]
    flat = length.ravel()
    ends = np.cumsum(flat)
    cell = np.arange(int(ends[-1])) + np.repeat(pools.start[chosen].ravel() - (ends - flat), flat)
    place = np.repeat(np.arange(groups), length.sum(axis=1)) * columns + pools.column[cell]
    part = np.repeat(pools.part[chosen].ravel(), flat)
    # Sums of whole numbers below 2^53 are exact in floats; twice the sum over pairs is the square of the sum without the squares.
    whole = np.bincount(place, part, groups * columns).astype(np.int64)
    squares = np.bincount(place, part * part, groups * columns).astype(np.int64)
    pairs = (whole * whole - squares) // 2
    return np.asarray(pairs.reshape(groups, columns) @ pools.weight, np.int64)


def _pairs(pools: Pools, chosen: Ints) -> int:
    """Pairs of a group that meet on at least one question."""
    lists = [pools.column[pools.start[one] : pools.start[one + 1]] for one in chosen.tolist()]
    column = np.concatenate(lists)
    member = np.repeat(np.arange(len(chosen)), [len(of) for of in lists])
    several = np.flatnonzero(np.bincount(column, minlength=len(pools.weight)) > 1)
    place = np.full(len(pools.weight), -1, np.int64)
    place[several] = np.arange(len(several))
    kept = place[column] >= 0
    took = np.zeros((len(chosen), len(several)), np.float32)
    took[member[kept], place[column[kept]]] = 1
    met = (took @ took.T) > 0
    return int(np.triu(met, 1).sum())


def _shown(values: Floats) -> tuple[float, ...]:
    """At most 999 of the values, ascending, evenly taken."""
    ascending = np.sort(values)
    if len(ascending) > _SHOWN:
        ascending = ascending[np.linspace(0, len(ascending) - 1, _SHOWN).round().astype(np.int64)]
    return tuple(ascending.tolist())
