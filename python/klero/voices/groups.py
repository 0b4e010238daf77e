"""Which texts belong together, group by group, without a Python object for each text?

Everything is kept in arrays of numbers: 4 bytes a grouped text and about 30 a group. A `Group` is made when somebody looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, overload

import numpy as np
import pyarrow as pa

from klero.errors import Fault, InputError, quoted
from klero.voices.ids import Id, IdColumn, IdView

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from klero.voices.join import JoinOutcome

__all__ = ["ALONE", "NO_WORDS", "Counts", "Group", "GroupSummary", "Groups", "grouped"]

ALONE, NO_WORDS = -1, -2
"""What stands for a group's index where a text has none."""


@dataclass(frozen=True)
class Counts:
    """Where all the texts went: texts = grouped + alone + empty, always.

    Attributes:
        texts: all.
        grouped: those in a group.
        alone: those that match no other.
        empty: those without a word; they match nothing, not even each other.
        groups: groups.
        distinct: different sequences of words among those that are not empty.
    """

    texts: int
    grouped: int
    alone: int
    empty: int
    groups: int
    distinct: int


@dataclass(frozen=True)
class GroupSummary:
    """A group without its members.

    Attributes:
        id: its name, the smallest id of its members.
        representative: id of the member that is nearest to all others (the medoid under symmetric difference).
        size: members.
        distinct: different sequences of words among them.
        weakest_edge: every member is tied to the representative by a chain of matches at least this similar.
    """

    id: Id
    representative: Id
    size: int
    distinct: int
    weakest_edge: float


@dataclass(frozen=True)
class Group(GroupSummary):
    """Texts that are tied together by matches.

    Attributes:
        members: their ids, ascending.
    """

    members: Sequence[Id] = field(repr=False)


@dataclass(frozen=True, eq=False, repr=False)
class Groups(Sequence[Group]):
    """All groups, the largest first, then by id.

    Attributes:
        ids: of all texts.
        roots, representatives: uint32[g], rows of the groups' names and representatives.
        starts: int64[g + 1], where each group begins in `rows`.
        rows: uint32[grouped], the members' rows by group, then by id.
        weakest, distinct: float64[g], uint32[g].
    """

    ids: IdColumn
    roots: NDArray[np.uint32]
    representatives: NDArray[np.uint32]
    starts: NDArray[np.int64]
    rows: NDArray[np.uint32]
    weakest: NDArray[np.float64]
    distinct: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.roots)

    @overload
    def __getitem__(self, index: int) -> Group: ...
    @overload
    def __getitem__(self, index: slice) -> list[Group]: ...
    def __getitem__(self, index: int | slice) -> Group | list[Group]:
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        index = range(len(self))[index]
        named = self.ids.take(np.array([self.roots[index], self.representatives[index]]))
        members = self.members_of(index)
        return Group(
            id=named[0].as_py(),
            representative=named[1].as_py(),
            size=len(members),
            distinct=int(self.distinct[index]),
            weakest_edge=float(self.weakest[index]),
            members=IdView(self.ids, members),
        )

    def __repr__(self) -> str:
        return f"<{len(self):,} groups of {len(self.rows):,} texts>"

    @property
    def sizes(self) -> NDArray[np.int64]:
        """int64[g]."""
        return np.diff(self.starts)

    def members_of(self, index: int) -> NDArray[np.uint32]:
        """The rows of a group's members, by id."""
        return self.rows[self.starts[index] : self.starts[index + 1]]

    def index(self, value: object, start: int = 0, stop: int | None = None) -> int:
        """The place of a group, given itself or its id.

        Raises:
            InputError: no group has this id (`id-unknown`).
        """
        name = value.id if isinstance(value, GroupSummary) else value
        found = np.flatnonzero(self.roots == self.ids.row(name))
        if not len(found) or not start <= found[0] < (len(self) if stop is None else stop):
            message = f"no group has the name {quoted(str(name))}. A group is named by the smallest id in it; group_of(id) finds it."
            raise InputError([Fault("id-unknown", message, "groups", value=str(name))])
        return int(found[0])

    def to_arrow(self) -> pa.Table:
        """A row for each group: id, representative, size, distinct, weakest_edge."""
        return pa.table(
            {
                "id": self.ids.take(self.roots),
                "representative": self.ids.take(self.representatives),
                "size": pa.array(self.sizes),
                "distinct": pa.array(self.distinct.astype(np.int64)),
                "weakest_edge": pa.array(self.weakest),
            }
        )


def grouped(outcome: JoinOutcome, ids: IdColumn) -> tuple[NDArray[np.int64], NDArray[np.float64], Groups]:
    """For each text the index of its group (`ALONE`, `NO_WORDS`) and the similarity (NaN where there is no group); and the groups.

    O(n) and a sort of the grouped rows; 16 bytes a text and 4 a grouped text remain, 16 more a grouped text are in use meanwhile.
    """
    # The join's marks for «alone» and «no words» are -1 and -2 in 32 bits.
    group = outcome.group.view(np.int32).astype(np.int64)
    rows = _members(group, ids)
    sizes = np.bincount(group[rows], minlength=len(outcome.names))
    groups = Groups(
        ids=ids,
        roots=outcome.names,
        representatives=outcome.representatives,
        starts=np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)]),
        rows=rows,
        weakest=outcome.weakest,
        distinct=outcome.distinct,
    )
    for array in (group, groups.starts, rows):
        array.setflags(write=False)
    return group, outcome.similarity, groups


def _members(group: NDArray[np.int64], ids: IdColumn) -> NDArray[np.uint32]:
    """The rows of all groups, by group, then by id. One sort of plain numbers: group and rank side by side in 64 bits."""
    rows = np.flatnonzero(group >= 0)
    keys = group[rows].astype(np.uint64) << np.uint64(32)
    keys |= (rows if ids.ranks is None else ids.ranks[rows]).astype(np.uint64)
    keys.sort()
    ranks = (keys & np.uint64(0xFFFF_FFFF)).astype(np.uint32)
    by_rank = ids.order()
    return ranks if by_rank is None else by_rank[ranks]
