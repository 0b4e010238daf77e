"""With whose times is it fair to compare those of a group?

With the times of others who answered the same question, took the same stance where enough did, and wrote on the same subject. A *pool* is what one
question gives to a group:

- its contributions with a time; those of the group's stance alone, if so many others took it that a choice remains (`_STANCE`);
- of these, where vectors exist, the others that are nearest in meaning to the group's centre, `_NEAREST` times as many as the group has members
  there and at least `_LEAST_POOL`: if something happens, everybody who writes about it does so on that day, and the group is compared with them;
- the group's own members, so that the group is one of the choices that chance could have made.

A voice counts once, with its first row in canonical order (by SHA-256, which knows nothing of time: the earliest would be early on purpose); others with
that nearest to the centre. Of more than `_MOST` voices the first so many in that order are looked at. Questions that one account alone answered tell
nothing one by one; they make one pool together. A member in whose question nobody else wrote has nothing to be compared with, and is left out.

Guaranteed: similarities are exact (whole numbers), ties go by row: the same pools on any machine. Not guaranteed: that the group differs from its
pools in nothing but time; :mod:`klero.campaigns.timing_usual` measures what is usual instead. Cost: a product of the matrix of vectors with as many
of its rows as there are groups.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from klero.campaigns.model import Consultation, Floats, Ints
from klero.themes.drawing import Matrix, whole_rows

__all__ = ["Board", "Part", "Tested"]

_MOST = 256
"""Voices of a group that are looked at: more make no test stronger that is strong already, and each null group dearer."""
_NEAREST = 5
_LEAST_POOL = 100
_STANCE = 20  # others of a stance, at least, and twice as many as members
_AT_ONCE = 64  # centres whose similarities are in memory


@dataclass(frozen=True, eq=False)
class Part:
    """Members in one pool: the rows of both, ascending, and how the pool was chosen."""

    pool: Ints
    members: Ints
    stance: bool
    subject: bool


@dataclass(frozen=True, eq=False)
class Tested:
    """A group as it is tested.

    Attributes:
        parts: its members by pool.
        voices: how many members that is.
        dated: how many voices have a time; those in no part have nobody to be compared with.
    """

    parts: tuple[Part, ...]
    voices: int
    dated: int

    @property
    def members(self) -> Ints:
        """Their rows, ascending."""
        return np.sort(np.concatenate([part.members for part in self.parts]))


class Board:
    """The contributions with a time, by question and stance.

    Attributes:
        c: the consultation.
        moment: for each row, the number of its time among all times, ascending; 0 without one.
        seconds: the times, ascending, each once.
        dated: rows with a time.
        place: for each row with a time, its question, questions that one account alone answered being one; -1 without a time.
    """

    def __init__(self, c: Consultation) -> None:
        known = ~np.isnan(c.time)
        self.c = c
        self.dated: Ints = np.flatnonzero(known)
        self.seconds: Floats = np.unique(c.time[known])
        self.moment: Ints = np.searchsorted(self.seconds, np.where(known, c.time, -np.inf))
        self.place = self._places()
        self._inside = np.zeros(int(c.author.max(initial=-1)) + 1, bool)
        self._hidden = np.zeros(len(c), bool)
        self._rows: dict[tuple[int, int], tuple[Ints, Ints]] = {}
        self._whole: Matrix | None = None

    def _places(self) -> Ints:
        c, rows = self.c, self.dated
        place = np.full(len(c), -1, np.int64)
        pairs = np.unique(np.stack([c.question[rows] + 1, c.author[rows]]), axis=1)
        voices = np.bincount(pairs[0], minlength=len(c.questions) + 1)
        # 0 without a question; then the questions; and beyond them those with one voice.
        place[rows] = np.where(voices[c.question[rows] + 1] > 1, c.question[rows] + 1, len(c.questions) + 1)
        return place

    def rows_of(self, place: int, stance: int | None = None) -> tuple[Ints, Ints]:
        """Rows of a question, and the accounts that wrote them, each once; both ascending."""
        key = (place, 9 if stance is None else stance)
        if key not in self._rows:
            chosen = self.place == place
            if stance is not None:
                chosen &= self.c.stance == stance
            rows = np.flatnonzero(chosen)
            self._rows[key] = rows, np.unique(self.c.author[rows])
        return self._rows[key]

    def likeness(self, centres: Sequence[int]) -> Iterator[Ints | None]:
        """For each centre how near every row is to it in meaning (9,000,000: the same), or None where that is not known."""
        if self.c.vectors is None:
            for _ in centres:
                yield None
            return
        if self._whole is None:
            parts = [whole_rows(self.c.vectors[at : at + 4096])[0] for at in range(0, len(self.c), 4096)]
            self._whole = np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
        for first in range(0, len(centres), _AT_ONCE):
            some = centres[first : first + _AT_ONCE]
            products = self._whole[np.maximum(np.array(some, np.int64), 0)] @ self._whole.T
            for centre, product in zip(some, products, strict=True):
                yield product.astype(np.int64) if centre >= 0 and self._whole[centre].any() else None

    def tested(self, rows: Ints, near: Ints | None) -> Tested:
        """A group's members by pool.

        Args:
            rows: of the group.
            near: how near every row is in meaning to the group's centre, if that is known.
        """
        c = self.c
        mine = rows[self.place[rows] >= 0]
        _, first = np.unique(c.author[mine], return_index=True)
        members = mine[np.sort(first)]
        dated = len(members)
        members = members[:_MOST]
        # Neither the group's other contributions nor those of its voices that are not looked at are anybody's null. A member may well be drawn in another
        # question: those who write much write everywhere, and to leave them out would leave the others with other habits.
        unseen = np.unique(c.author[mine[~np.isin(c.author[mine], c.author[members])]])
        self._hidden[rows] = True
        parts = []
        for place in np.unique(self.place[members]).tolist():
            here = members[self.place[members] == place]
            inside = np.concatenate([unseen, c.author[here]])
            self._inside[inside] = True
            for stance in self._stances(place, here):
                of_it = here if stance is None else here[c.stance[here] == stance]
                others = self._others(place, stance, len(of_it), near)
                if len(others):
                    subject = near is not None and len(others) == _wanted(len(of_it))
                    pool = np.sort(np.concatenate([others, of_it]))
                    fewer = len(self.rows_of(place, stance)[0]) < len(self.rows_of(place)[0])
                    parts.append(Part(pool, of_it, fewer, subject))
            self._inside[inside] = False
        self._hidden[rows] = False
        return Tested(tuple(parts), sum(len(part.members) for part in parts), dated)

    def _stances(self, place: int, members: Ints) -> list[int] | list[None]:
        """The members' stances, if in each enough others took it; else None, for all of them."""
        stances, counts = np.unique(self.c.stance[members], return_counts=True)
        for stance, count in zip(stances.tolist(), counts.tolist(), strict=True):
            voices = self.rows_of(place, stance)[1]
            if int((~self._inside[voices]).sum()) < max(_STANCE, 2 * count):
                return [None]
        return [int(stance) for stance in stances]

    def _others(self, place: int, stance: int | None, members: int, near: Ints | None) -> Ints:
        """Rows of others, a voice once: with its first, or with that nearest to the centre, and then only the nearest voices."""
        author = self.c.author
        rows = self.rows_of(place, stance)[0]
        rows = rows[~(self._inside[author[rows]] | self._hidden[rows])]
        if near is None:
            _, first = np.unique(author[rows], return_index=True)
            return rows[first]
        # One number for nearness and row, so that no two are equal.
        keys = near[rows] * len(self.c) + (len(self.c) - 1 - rows)
        wanted = _wanted(members)
        some = np.arange(len(rows))
        if len(rows) > 4 * wanted:
            # Most rows are far away: as many as will probably do.
            some = np.argpartition(-keys, 4 * wanted)[: 4 * wanted]
            if len(np.unique(author[rows[some]])) < wanted:
                some = np.arange(len(rows))
        nearest = rows[some[np.argsort(-keys[some], kind="stable")]]
        _, first = np.unique(author[nearest], return_index=True)
        return nearest[np.sort(first)[:wanted]]

    def moments(self) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
        """What the kernel reads of every row: the number of its moment, and its account."""
        return self.moment.astype(np.uint32), self.c.author.astype(np.uint32)


def _wanted(members: int) -> int:
    """How many others a pool has for its members, if there are so many and texts have vectors."""
    return max(_LEAST_POOL, _NEAREST * members)
