"""Do the people of a group share a value of a further column, such as a browser or a network, that is rare among everybody else?

Off unless columns are named. Values come as numbers, hashed with a key, and none is shown. For each column and each value that at least two accounts have:
the probability that so many of the group's accounts have it or more if the group were drawn from all accounts with a value (hypergeometric), in the
logarithm so that nothing is lost. An account has a value if any of its contributions has it. The least over values is multiplied by the number of values
that could be shared at all and by the number of columns (Bonferroni): the values that happen to be in the group would be too few, as
columns that differ for everybody show. A column where one value is on more than half of the contributions is evidence of nothing (a platform's own
proxy, the form everybody used): it is ignored, and said.

Guaranteed: p is at least what it should be if the group's accounts were drawn from all; the same for any order of rows. Not guaranteed: that a value is a
person or a place; a library, a school or a mobile network gives one address to many. Columns are not compared within a question.
Cost: linear in the contributions, and a sum of at most as many terms as members for each value that two of them share. No randomness.

>>> import numpy as np
>>> from klero.campaigns.model import Candidate, Consultation
>>> n = np.arange(100)
>>> browser = {"browser": np.where(n < 6, 50, n // 4)}  # six accounts with one, the others with one of 24
>>> c = Consultation(tuple(n), ("…",) * 100, n, n, tuple(map(str, n)), n * 0, ("Q",), n.astype(np.int8) * 0, n * 0.0, metadata=browser)
>>> [channel] = metadata_channel(c, [Candidate(n[:6], 6, 0, "copies")], threads=1, progress=None)
>>> channel.p < 1e-6, channel.details["fields"]
(True, [{'field': 'browser', 'members': 6, 'others': 0}])
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from klero.campaigns.coaction_pools import Board
from klero.campaigns.model import Candidate, Channel, Consultation, Ints, Null

__all__ = ["LEAST", "hypergeometric_tail", "metadata_channel"]

Progress: TypeAlias = Callable[[str, int], None]

LEAST = 5
"""Members with a value that a group needs in a column."""
_CONSTANT = 0.5


@dataclass(frozen=True, eq=False)
class _Field:
    """A column: which account has which value (each pair once), and how many accounts have each value.

    Attributes:
        accounts: how many have any value.
        shared: how many values at least two accounts have.
    """

    name: str
    account: Ints
    value: Ints
    having: Ints
    accounts: int
    shared: int

    @classmethod
    def of(cls, c: Consultation, name: str) -> _Field:
        values = c.metadata[name]
        known = values >= 0
        pairs = np.unique(np.stack([c.author[known], values[known]]), axis=1)
        having = np.bincount(pairs[1]).astype(np.int64)
        return cls(name, pairs[0], pairs[1], having, len(np.unique(pairs[0])), int((having > 1).sum()))


@dataclass(frozen=True)
class _Finding:
    """The most telling value that members share: how many have it, of how many members with any value; how many others; and the column's p."""

    field: str
    p: float
    members: int
    of: int
    others: int
    expected: float


def metadata_channel(
    c: Consultation, candidates: Sequence[Candidate], *, threads: int, progress: Progress | None
) -> list[Channel]:
    """What the further columns say of groups.

    Args:
        c: the consultation.
        candidates: the groups.
        threads: one is used, however many are allowed.
        progress: called with the name of the step and how many groups are done.

    Returns:
        A channel for each group. `why_not`: «no-metadata» (no column, or none with a value), «constant-field» (all columns with a value are),
        «too-few» members with a value. `details`: «fields», one for each column tested; «ignored», the names of those that are constant.
    """
    given = [name for name in sorted(c.metadata) if (c.metadata[name] >= 0).any()]
    ignored = [name for name in given if _constant(c.metadata[name])]
    fields = [_Field.of(c, name) for name in given if name not in ignored]
    why = "" if fields else "constant-field" if given else "no-metadata"
    board = Board(c)
    told = []
    for done, one in enumerate(candidates):
        told.append(_why_not(why, ignored) if why else _channel(board, one, fields, ignored))
        if progress is not None:
            progress("metadata", done + 1)
    return told


def _constant(values: Ints) -> bool:
    """Whether one value is on more than half of the contributions that have one."""
    counts = np.bincount(values[values >= 0])
    return bool(counts.max() > _CONSTANT * counts.sum())


def _why_not(why: str, ignored: Sequence[str]) -> Channel:
    return Channel("metadata", None, why_not=why, details={"ignored": list(ignored)} if ignored else {})


def _channel(board: Board, one: Candidate, fields: Sequence[_Field], ignored: Sequence[str]) -> Channel:
    # An account without a name is the author of one contribution, and has what that has.
    accounts = board.members(one) if one.voters is not None else np.unique(board.c.author[one.rows])
    found = [finding for of in fields if (finding := _finding(of, accounts)) is not None]
    if not found:
        return _why_not("too-few", ignored)
    best = min(found, key=lambda finding: finding.p)
    nulls = tuple(Null("surprise", max(0.0, -math.log2(of.p)), (), 0, 0, "exact") for of in found)
    details: dict[str, object] = {
        "fields": [{"field": of.field, "members": of.members, "others": of.others} for of in found],
        "ignored": list(ignored),
    }
    effect = {"sharing": float(best.members), "sharing_expected": best.expected}
    # Columns with too few members were passed over by how many have a value, not by which value: only those tested are paid for.
    return Channel("metadata", min(1.0, best.p * len(found)), effect, nulls, details=details)


def _finding(field: _Field, accounts: Ints) -> _Finding | None:
    """What a column says of a group; None if too few members have a value."""
    inside = np.isin(field.account, accounts)
    members = len(np.unique(field.account[inside]))
    if members < LEAST:
        return None
    sharing = np.bincount(field.value[inside], minlength=len(field.having))
    best = (1.0, 0, 0)
    for value in np.flatnonzero(sharing > 1).tolist():
        x, having = int(sharing[value]), int(field.having[value])
        p = min(1.0, hypergeometric_tail(x, field.accounts, having, members) * field.shared)
        # Of equal values, that which most members have; of these, that which fewest have: no number of a value decides.
        best = min(best, (p, -x, having))
    p, x, having = best
    expected = members * having / field.accounts
    return _Finding(field.name, p, -x, members, having + x, expected)


def hypergeometric_tail(least: int, total: int, having: int, drawn: int) -> float:
    """The probability that of `drawn` from `total`, `having` of which have something, at least `least` have it; not below what a float holds.

    >>> round(6 * hypergeometric_tail(2, 4, 2, 2), 9), hypergeometric_tail(0, 4, 2, 2)
    (1.0, 1.0)
    """
    most = min(having, drawn)
    if least <= max(0, having + drawn - total):
        return 1.0
    if least > most:
        return sys.float_info.min
    x = np.arange(least, most)
    steps = np.log((having - x) * (drawn - x) / ((x + 1.0) * (total - having - drawn + x + 1.0)))
    first = (
        _log_choose(having, least) + _log_choose(total - having, drawn - least) - _log_choose(total, drawn)
    )
    logs = np.concatenate([[first], first + np.cumsum(steps)])
    top = float(logs.max())
    return min(
        1.0,
        max(
            sys.float_info.min, math.exp(max(top + math.log(math.fsum(np.exp(logs - top).tolist())), -745.0))
        ),
    )


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
