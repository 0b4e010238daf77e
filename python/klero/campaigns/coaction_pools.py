"""With whose further questions is it fair to compare those of a group's members?

With those of people who wrote to the member's own question, with the same stance if for each stance of the group enough others did: people of one question
go to its neighbours, too, and beside anybody every group of one question would stand out. These people, the members among them, are put into classes by how
many further questions they have, from the most active down; a class is closed once it has `_FEWEST` people and `_TIMES` as many as there are members. In
a class, each question of somebody counts as the least active's number over their own, so that everybody's further questions weigh the same
together: the most active few have no equals, and would meet each other everywhere.

Where fewer others than `_OTHERS_LEAST`, or than members, wrote to a question, its members are left out; but one who is alone in a question is compared
with anybody, who leave out one question as members do, one of the group's if they wrote there; and so are people that were found by their votes, who have
no question of their own. Of large classes some people are drawn by the seed.

Guaranteed: classes do not depend on which of their people are in the group, so within one question the test is exact. Members with no further question can meet
nobody, and are left out, as are accounts like that. Not guaranteed: that people of one question and activity differ in nothing else.
Cost: a pass over the accounts of each question of a group.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from klero.campaigns.model import Candidate, Consultation, Ints
from klero.themes.drawing import draws, shuffled

__all__ = ["LEAST", "PART", "Board", "Pools"]

LEAST = 5
"""Members with a further question that a group needs to be tested."""
PART = 512
"""What a question of the least active of a class counts."""
_FEWEST = 10
_TIMES = 2
_OTHERS_LEAST = 5
_STANCE = 20  # others of a stance, at least, and twice as many as members
_MOST = 256
"""Members that are looked at: more make no test stronger that is strong already."""
_NO_QUESTION = -2
_OTHERS = 500  # of a class, or ten for each member


@dataclass(frozen=True, eq=False)
class Pools:
    """A group and those it is compared with: people with their further questions (those that two of them have), class by class.

    Attributes:
        start: where each person's questions begin in `column`, and their end.
        column: numbers of questions.
        part: how much one of a person's questions counts, at most `PART`.
        weight: of each question, in whole numbers.
        group: the members, as people.
        classes: for each class its first person, how many people it has, and how many of these (its first) are members.
        conditioned: what members have in common with those they are compared with: «activity», «question», «stance».
    """

    start: Ints
    column: Ints
    part: Ints
    weight: Ints
    group: Ints
    classes: tuple[tuple[int, int, int], ...]
    conditioned: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _People:
    """Some accounts and their further questions: `owner` is the place in `accounts` that `question` belongs to, ascending."""

    accounts: Ints
    owner: Ints
    question: Ints

    @property
    def counts(self) -> Ints:
        counts: Ints = np.bincount(self.owner, minlength=len(self.accounts)).astype(np.int64)
        return counts

    def some(self, places: Ints) -> _People:
        """Those at these places, in this order."""
        counts = self.counts
        start = np.concatenate([[0], np.cumsum(counts)])
        flat = counts[places]
        cell = np.arange(int(flat.sum())) + np.repeat(start[places] - (np.cumsum(flat) - flat), flat)
        return _People(self.accounts[places], np.repeat(np.arange(len(places)), flat), self.question[cell])

    def where(self, kept: npt.NDArray[np.bool_]) -> _People:
        """All of them, with only these questions."""
        return _People(self.accounts, self.owner[kept], self.question[kept])

    def and_(self, others: _People) -> _People:
        return _People(
            np.concatenate([self.accounts, others.accounts]),
            np.concatenate([self.owner, others.owner + len(self.accounts)]),
            np.concatenate([self.question, others.question]),
        )


class Board:
    """Which account wrote to which question.

    Attributes:
        c: the consultation.
        named: whether the account of each number has a name; a contribution without one has no further ones.
        question: questions of accounts with a name, by account, each once, ascending.
        start: where those of each account begin, and their end.
        weight: of each question: −log of its share of all accounts that wrote to any, in `UNIT` parts.
    """

    UNIT = 1024

    def __init__(self, c: Consultation) -> None:
        self.c = c
        self.named = np.array([name is not None for name in c.authors], bool)
        known = (c.question >= 0) & self.named[c.author]
        pairs = np.unique(np.stack([c.author[known], c.question[known]]), axis=1)
        self.question: Ints = pairs[1]
        self.start: Ints = np.concatenate([[0], np.cumsum(np.bincount(pairs[0], minlength=len(c.authors)))])
        wrote = np.bincount(self.question, minlength=len(c.questions))
        accounts = max(1, len(np.unique(pairs[0])))
        self.weight: Ints = np.rint(-np.log(np.maximum(wrote, 1) / accounts) * self.UNIT).astype(np.int64)
        self._place = {name: at for at, name in enumerate(c.authors) if name is not None}

    def members(self, one: Candidate) -> Ints:
        """The group's accounts with a name, ascending; of a group of voters those that wrote, too."""
        if one.voters is not None and self.c.votes is not None:
            names = [self.c.votes.accounts[voter] for voter in one.voters.tolist()]
            found = np.array([self._place[name] for name in names if name in self._place], np.int64)
            return np.unique(
                np.concatenate([found, self.c.author[one.rows][self.named[self.c.author[one.rows]]]])
            )
        accounts: Ints = np.unique(self.c.author[one.rows])
        named: Ints = accounts[self.named[accounts]]
        return named

    def people(self, accounts: Ints) -> _People:
        """Accounts and all their questions."""
        lengths = self.start[accounts + 1] - self.start[accounts]
        before = np.cumsum(lengths) - lengths
        cell = np.arange(int(lengths.sum())) + np.repeat(self.start[accounts] - before, lengths)
        return _People(accounts, np.repeat(np.arange(len(accounts)), lengths), self.question[cell])

    def pools(self, one: Candidate, key: str) -> tuple[Pools | None, int]:
        """A group and those it is compared with, None if they are too few; and how many members have a further question."""
        members = self._further(one)
        further = len(members.accounts)
        if further < LEAST:
            return None, further
        members = members.some(np.arange(min(further, _MOST)))
        own, stance = self._own(one, members.accounts)
        outside = np.ones(len(self.c.authors), bool)
        outside[self.members(one)] = False
        classes: list[tuple[_People, int]] = []
        common: set[str] = {"activity"}
        anybody: list[Ints] = []
        for question in np.unique(own).tolist():
            here = np.flatnonzero(own == question)
            if question == _NO_QUESTION:
                anybody.append(here)
                continue
            found, by_stance = self._of_question(members.some(here), question, stance[here], outside)
            if not found and len(here) == 1:
                anybody.append(here)
            classes += found
            common |= ({"question"} if found else set()) | ({"stance"} if found and by_stance else set())
        if anybody:
            classes += self._of_anybody(members, np.sort(np.concatenate(anybody)), own, outside, key)
        tested = sum(count for _, count in classes)
        if tested < LEAST:
            return None, further
        return self._put_together(self._fewer(classes, key), common), further

    def _further(self, one: Candidate) -> _People:
        """The members with further questions, and these: not where the group's contributions are."""
        everybody = self.people(self.members(one))
        rows = one.rows
        inside = set(zip(self.c.author[rows].tolist(), self.c.question[rows].tolist(), strict=True))
        pairs = zip(everybody.accounts[everybody.owner].tolist(), everybody.question.tolist(), strict=True)
        left = everybody.where(np.array([pair not in inside for pair in pairs], bool))
        return left.some(np.flatnonzero(left.counts > 0))

    def _own(self, one: Candidate, accounts: Ints) -> tuple[Ints, Ints]:
        """Question (-1: of none) and stance of each member's first contribution in the group; `_NO_QUESTION` and 2 without one."""
        authors, first = np.unique(self.c.author[one.rows], return_index=True)
        question = np.full(len(self.c.authors), _NO_QUESTION, np.int64)
        stance = np.full(len(self.c.authors), 2, np.int64)
        question[authors] = self.c.question[one.rows[first]]
        stance[authors] = self.c.stance[one.rows[first]]
        return question[accounts], stance[accounts]

    def _of_question(
        self, members: _People, question: int, stance: Ints, outside: npt.NDArray[np.bool_]
    ) -> tuple[list[tuple[_People, int]], bool]:
        """Classes of those who wrote to a question, none if too few others did; and whether they are by stance."""
        c = self.c
        rows = np.flatnonzero(c.question == question)
        rows = rows[outside[c.author[rows]] & self.named[c.author[rows]]]
        sides = [np.flatnonzero(stance == side) for side in np.unique(stance)]
        theirs = [self._without(rows[c.stance[rows] == side], question) for side in np.unique(stance)]
        if (stance != 2).any() and all(
            _active(of) >= max(_STANCE, 2 * len(mine)) for mine, of in zip(sides, theirs, strict=True)
        ):
            both = zip(sides, theirs, strict=True)
            return [one for mine, of in both for one in _classes(members.some(mine), of)], True
        everybody = self._without(rows, question)
        if _active(everybody) < max(_OTHERS_LEAST, len(stance)):
            return [], False
        return _classes(members, everybody), False

    def _without(self, rows: Ints, question: int) -> _People:
        """The accounts of rows, with their questions but this one."""
        people = self.people(np.unique(self.c.author[rows]))
        return people.where(people.question != question)

    def _of_anybody(
        self, members: _People, places: Ints, own: Ints, outside: npt.NDArray[np.bool_], key: str
    ) -> list[tuple[_People, int]]:
        """Classes of all accounts, for members that left out a question and for those that did not."""
        accounts = np.flatnonzero(outside & self.named & (np.diff(self.start) > 0))
        people = self.people(accounts)
        found: list[tuple[_People, int]] = []
        for left_out in (True, False):
            mine = places[(own[places] != _NO_QUESTION) == left_out]
            if not len(mine):
                continue
            others = people
            if left_out:
                # First those of the group, then as drawn.
                drawn = draws(
                    self.c.seed, f"campaigns coaction left out {key}", len(people.question)
                ) >> np.uint64(2)
                drawn = np.where(np.isin(people.question, np.unique(own)), drawn, drawn + np.uint64(2**62))
                order = np.lexsort((drawn, people.owner))
                first = (
                    order[np.concatenate([[0], np.cumsum(people.counts)[:-1]])] if len(accounts) else order
                )
                kept = np.ones(len(people.question), bool)
                kept[first] = False
                others = people.where(kept)
            found += _classes(members.some(mine), others)
        return found

    def _fewer(self, classes: Sequence[tuple[_People, int]], key: str) -> list[tuple[_People, int]]:
        """Classes in which not more others are left than tests need."""
        found = []
        for at, (people, count) in enumerate(classes):
            others = len(people.accounts) - count
            most = max(_OTHERS, 10 * count)
            if others > most:
                drawn = np.sort(shuffled(others, self.c.seed, f"campaigns coaction fewer {key} {at}")[:most])
                people = people.some(np.concatenate([np.arange(count), count + drawn]))
            found.append((people, count))
        return found

    def _put_together(self, classes: Sequence[tuple[_People, int]], common: set[str]) -> Pools:
        question = np.concatenate([people.question for people, _ in classes])
        counts = np.concatenate([people.counts for people, _ in classes])
        sizes = [len(people.accounts) for people, _ in classes]
        firsts = np.concatenate([[0], np.cumsum(sizes)]).tolist()
        # A question of one person can be no meeting.
        several = np.bincount(question, minlength=len(self.weight)) > 1
        owner = np.repeat(np.arange(len(counts)), counts)[several[question]]
        numbers = np.cumsum(several) - 1
        start = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(counts)))])
        members = [count for _, count in classes]
        return Pools(
            start,
            numbers[question[several[question]]],
            np.concatenate([_parts(people.counts) for people, _ in classes]),
            self.weight[several],
            np.concatenate(
                [np.arange(first, first + count) for first, count in zip(firsts, members, strict=False)]
            ),
            tuple(zip(firsts, sizes, members, strict=False)),
            tuple(name for name in ("activity", "question", "stance") if name in common),
        )


def _parts(counts: Ints) -> Ints:
    """How much a question of each person of a class counts.

    >>> _parts(np.array([4, 8, 4, 5])).tolist()
    [512, 256, 512, 410]
    """
    parts: Ints = np.rint(PART * counts.min() / counts).astype(np.int64)
    return parts


def _active(people: _People) -> int:
    """How many of them have further questions."""
    return int((people.counts > 0).sum())


def _classes(members: _People, others: _People) -> list[tuple[_People, int]]:
    """Classes by the number of further questions that have a member, members first, and how many of these; none without others."""
    others = others.some(np.flatnonzero(others.counts > 0))
    mine, theirs = members.counts, others.counts
    found: list[tuple[_People, int]] = []
    if not len(theirs):
        return found
    for low, high in _bounds(np.concatenate([mine, theirs]), max(_FEWEST, _TIMES * len(mine))):
        inside = np.flatnonzero((mine >= low) & (mine <= high))
        if len(inside):
            near = np.flatnonzero((theirs >= low) & (theirs <= high))
            found.append((members.some(inside).and_(others.some(near)), len(inside)))
    return found


def _bounds(counts: Ints, fewest: int) -> list[tuple[int, int]]:
    """Least and most of each class, from the most active down; what is left at the end is in the last.

    >>> _bounds(np.array([1, 1, 1, 2, 2, 3, 9]), 2)
    [(3, 9), (2, 2), (1, 1)]
    >>> _bounds(np.array([1, 2, 2, 3]), 3)
    [(1, 3)]
    """
    values, sizes = np.unique(counts, return_counts=True)
    found: list[tuple[int, int]] = []
    held, high = 0, 0
    for value, size in zip(values[::-1].tolist(), sizes[::-1].tolist(), strict=True):
        high = high if held else value
        held += size
        if held >= fewest:
            found.append((value, high))
            held = 0
    if held:
        low = int(values[0])
        found = [*found[:-1], (low, found[-1][1])] if found else [(low, high)]
    return found
