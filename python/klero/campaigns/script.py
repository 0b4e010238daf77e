"""Do an account's votes follow the script of a group, or does it vote as others do?

The script is what the other members do: on each item that at least two of them voted on, how many did, and how they voted. Two stories are weighed
against each other by the logarithm to base 2 of their likelihood ratio, in bits. Under the script, a member votes on an item, and one way, as often
as the other members do. As everybody else, it votes on the item as often as outsiders do, times how many more votes it casts than they, and one way
as often as they. Counts of members are drawn towards those of outsiders by one vote, so that two accounts make no script. So both count: *which*
items are voted on (accounts that were handed a list) and *how* (accounts that hold one opinion on whatever they meet), the second with less to say.

Guaranteed: nobody's own votes are in what they are compared with, members and outsiders alike. Not guaranteed: items are taken as independent given
the story, which they are not among people of one opinion; bits are therefore never read as odds, only compared with the bits of outsiders.

Cost: accounts times items of the script. No randomness.

>>> import numpy as np
>>> script = np.array([[2, 0, 2, 0, 3, 3], [2, 0, 2, 0, 3, 3], [2, 0, 2, 0, 3, 3]], np.int8)
>>> people = np.array([[2, 3, 0, 3, 2, 3], [3, 0, 3, 2, 3, 2], [0, 3, 3, 2, 0, 3], [3, 2, 0, 3, 3, 2]], np.int8)
>>> own, others = script_bits(script, people, np.array([4, 4, 4]), np.array([3, 3, 3, 3]))
>>> bool(own.min() > others.max())
True
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from klero.campaigns.model import Floats, Ints, Votes

__all__ = ["ballots", "script_bits"]

_SURE = 0.99
"""Nobody is taken to vote on an item more surely than this."""


def ballots(votes: Votes, accounts: Ints, column: Ints, items: int) -> npt.NDArray[np.int8]:
    """A row for each of these accounts, a column for each item of the script: 0, 1, 2 for against, neither, for; 3 for no vote."""
    place = np.full(len(votes.accounts), -1, np.int64)
    place[accounts] = np.arange(len(accounts))
    mine = (place[votes.voter] >= 0) & (column[votes.item] >= 0)
    table = np.full((len(accounts), items), 3, np.int8)
    table[place[votes.voter[mine]], column[votes.item[mine]]] = votes.value[mine] + 1
    return table


def script_bits(
    inner: npt.NDArray[np.int8], outer: npt.NDArray[np.int8], cast_inner: Ints, cast_outer: Ints
) -> tuple[Floats, Floats]:
    """For members and for outsiders, the bits by which their votes speak for the script; nobody's own votes are in what they are compared with.

    Args:
        inner, outer: a row for each account, a column for each item of the script; 0, 1, 2 for against, neither, for; 3 for no vote.
        cast_inner, cast_outer: votes that they cast on anything.
    """
    held = np.stack([(inner == value).sum(axis=0) for value in range(3)])
    usual = np.stack([(outer == value).sum(axis=0) for value in range(3)])
    n, m, everybody = len(inner), len(outer), int(cast_outer.sum())
    own = [
        _bits(ballot, held - _one(ballot), n - 1, usual, m, cast * m / everybody)
        for ballot, cast in zip(inner, cast_inner.tolist(), strict=True)
    ]
    others = [
        _bits(ballot, held, n, usual - _one(ballot), m - 1, cast * (m - 1) / max(1, everybody - cast))
        for ballot, cast in zip(outer, cast_outer.tolist(), strict=True)
    ]
    return np.array(own, np.float64), np.array(others, np.float64)


def _one(ballot: npt.NDArray[np.int8]) -> Ints:
    one: Ints = (ballot[None, :] == np.arange(3)[:, None]).astype(np.int64)
    return one


def _bits(
    ballot: npt.NDArray[np.int8], held: Ints, members: int, usual: Ints, outside: int, active: float
) -> float:
    """Of one account: `held` and `usual` count the votes of the others, `active` is how many times as many votes it cast as outsiders do."""
    at = np.flatnonzero(held.sum(axis=0) >= 2)
    held, usual, mine = held[:, at], usual[:, at], ballot[at]
    held_voted, voted = held.sum(axis=0), usual.sum(axis=0)
    here = np.minimum(active * (voted + 0.5) / (outside + 1.0), _SURE)
    there = (held_voted + here) / (members + 1.0)
    usually = (usual + 0.5) / (voted + 1.5)
    script = (held + usually) / (held_voted + 1.0)
    cast, left = np.flatnonzero(mine < 3), np.flatnonzero(mine == 3)
    voice = mine[cast]
    said = np.log2(there[cast] * script[voice, cast] / (here[cast] * usually[voice, cast]))
    return math.fsum([*said.tolist(), *np.log2((1 - there[left]) / (1 - here[left])).tolist()])
