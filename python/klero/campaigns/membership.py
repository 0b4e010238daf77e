"""Who in a group surely comes from its common source, and who may only be standing near? How alike each member is to the rest, and how alike others are.

The members of one account are one voice, and what they wrote in the group is read as one. Each voice is compared with the rest of the group *without
itself*, and each of a sample of outsiders with the whole group, in one of three ways:

- *content*, for groups of copies and of a template: the words and pairs of words that a text shares with the others, each counted by the share of the
  others that have it and by how rare it is outside, log₂ of one over its frequency: bits.
- *direction*, for paraphrases: the mean cosine with the others' vectors, after the mean of the outsiders was taken away, so that what everybody says
  on the question makes nobody alike. (The mean keeps the outsider himself, and need not: without him the difference has the same direction.)
- *script*, for groups of voters: the bits by which an account's votes speak for the group's script (`klero.campaigns.script`).

Outsiders are contributions of accounts outside of all groups for review, on the same questions and of like length; if fewer than 30 are left, of any
length, then of like length on any question, then all (voters: who cast between half and twice as many votes, then all). Of more than 2,000 those are
taken whose own SHA-256 with the seed is smallest, so that a row that is added moves no other. A text that is another voice's word for word (folded)
is a copy. Words: «klero-text/1».

Cost: each text of the group and of 2,000 outsiders is split once; groups that share outsiders share that work. No randomness but the seed's.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from klero import _native
from klero.campaigns.local_fdr import ROUNDS, Curve, among, decreasing, two_classes
from klero.campaigns.model import Candidate, Consultation, Floats, Ints, Votes
from klero.campaigns.script import ballots, script_bits

__all__ = ["LEAST_OUTSIDE", "Comparison", "Flags", "Form", "Members", "Reader"]

Flags: TypeAlias = npt.NDArray[np.bool_]
Form: TypeAlias = Literal["content", "direction", "script", "copies", "nothing"]

LEAST_OUTSIDE = 30
"""Outsiders that a match must leave."""
_SOME_OUTSIDE = 8
"""With fewer there is nothing to compare with."""
_SAMPLE = 2000
_LONGER = 1.5
"""A text is of like length from 1 / 1.5 of the group's shortest to 1.5 times its longest."""
_VOTES = 3
"""Votes that an outsider needs."""


@dataclass(frozen=True, eq=False)
class Members:
    """The voices of a group.

    Attributes:
        rows: its contributions, ascending; of a group of voters, all contributions of these accounts.
        voice: for each of the rows, the number of its voice in this group.
        accounts: for each voice, its number in `Votes.accounts`; -1 where it has none, or in groups of texts.
        count: voices.
    """

    rows: Ints
    voice: Ints
    accounts: Ints
    count: int


@dataclass(frozen=True, eq=False)
class Comparison:
    """How alike members and outsiders are.

    Attributes:
        form: what was compared; «copies» if all is the same text, «nothing» if there are too few outsiders.
        similarity: of each unit, a unit being voices with the same texts.
        unit: of each voice.
        copied: for each voice, whether another voice has a text of it word for word.
        outside: similarities of outsiders.
        scale: how many outsiders each of these stands for.
        expected: how many others are expected in a group that was not chosen by its similarity (0 if that is not known); None if it was.
        matched: by what outsiders were matched: «question-and-length», «question», «length», «votes», «none»; or the
            form, where nobody was compared.
    """

    form: Form
    similarity: Floats
    unit: Ints
    copied: Flags
    outside: Floats
    scale: float
    matched: str
    expected: float | None = None

    def curve(
        self,
        counts: tuple[Floats, Floats] | None = None,
        start: Floats | None = None,
        rounds: int = ROUNDS,
        *,
        expected: float | None = None,
    ) -> Curve:
        """The local false discovery rate by similarity; of a resample, if `counts` says how often each unit and outsider is in it."""
        if self.expected is not None and self.form != "content":
            others = self.expected if expected is None else expected
            return among(self.similarity, self.outside, others, counts=counts)
        fit = decreasing if self.form == "direction" else two_classes
        return fit(self.similarity, self.outside, self.scale, counts=counts, start=start, rounds=rounds)


@dataclass(eq=False)
class Reader:
    """Reads groups of one consultation; `taken` are the groups for review, whose members are nobody's outsiders."""

    consultation: Consultation
    taken: Sequence[Candidate]
    _grams: dict[int, frozenset[object]] = field(default_factory=dict)
    _keys: dict[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        c = self.consultation
        self._author_of = {name: number for number, name in enumerate(c.authors) if name is not None}
        self._free = np.ones(len(c), bool)
        self._free_accounts = np.ones(0 if c.votes is None else len(c.votes.accounts), bool)
        for group in self.taken:
            members = self.members(group)
            self._free[np.isin(c.author, c.author[members.rows])] = False
            self._free_accounts[members.accounts[members.accounts >= 0]] = False
        if c.votes is not None:
            busy = {c.authors[number] for number in np.unique(c.author[~self._free]).tolist()} - {None}
            self._free_accounts &= np.array([name not in busy for name in c.votes.accounts], bool)

    def members(self, group: Candidate) -> Members:
        """The voices of a group."""
        c = self.consultation
        if group.voters is None or c.votes is None:
            authors, voice = np.unique(c.author[group.rows], return_inverse=True)
            return Members(
                group.rows, voice.astype(np.int64), np.full(len(authors), -1, np.int64), len(authors)
            )
        author = np.array(
            [self._author_of.get(c.votes.accounts[number], -1) for number in group.voters.tolist()], np.int64
        )
        place = np.full(len(c.authors) + 1, -1, np.int64)
        place[author] = np.arange(len(author))
        place[-1] = -1
        rows = np.flatnonzero(place[c.author] >= 0).astype(np.int64)
        return Members(rows, place[c.author[rows]], group.voters.astype(np.int64), len(author))

    def compare(self, group: Candidate, expected: float = 0.0) -> Comparison:
        """How alike the voices of a group are to each other, and outsiders to them.

        Args:
            group: a candidate.
            expected: of a burst, how many voices it would have without its excess.
        """
        members = self.members(group)
        votes = self.consultation.votes
        if group.voters is not None and votes is not None:
            return self._script(members, votes)
        unit, copied = self._units(members)
        count = int(unit.max(initial=-1)) + 1
        if count < 2:
            return _nothing("copies", unit, copied)
        outside, total, matched = self._outside(group)
        if len(outside) < _SOME_OUTSIDE:
            return _nothing("nothing", unit, copied)
        rows = _rows_by_unit(members, unit, count)
        if group.kind == "paraphrase" and self.consultation.vectors is not None:
            inner, outer = self._direction(self.consultation.vectors, rows, outside)
            form: Form = "direction"
        else:
            inner, outer = self._content(rows, outside)
            form = "content"
        chosen = expected if group.found_by == "time" else None
        return Comparison(form, inner, unit, copied, outer, total / len(outside), matched, chosen)

    def label(self, members: Members) -> str:
        """A name of the group that depends on nothing but its members, for what is drawn."""
        votes = self.consultation.votes
        told = sorted(self._key(row) for row in members.rows.tolist())
        if votes is not None:
            told += sorted(
                votes.accounts[one].encode("utf-8", "surrogatepass")
                for one in members.accounts.tolist()
                if one >= 0
            )
        return hashlib.sha256(b"\0".join(told)).hexdigest()[:32]

    # ── who is compared ──

    def _units(self, members: Members) -> tuple[Ints, Flags]:
        """The unit of each voice (voices with the same set of texts), and whether one of its texts is another voice's word for word."""
        texts = self.consultation.texts
        said: list[set[tuple[int, int]]] = [set() for _ in range(members.count)]
        holders: dict[tuple[int, int], set[int]] = {}
        for row, voice in zip(members.rows.tolist(), members.voice.tolist(), strict=True):
            text = _native.text_sequence(texts[row])
            said[voice].add(text)
            holders.setdefault(text, set()).add(voice)
        copied = np.array([any(len(holders[text]) > 1 for text in own) for own in said], bool)
        known: dict[frozenset[tuple[int, int]], int] = {}
        unit = np.array([known.setdefault(frozenset(own), len(known)) for own in said], np.int64)
        return unit, copied

    def _outside(self, group: Candidate) -> tuple[Ints, int, str]:
        """A sample of outsiders, how many there are, and by what they were matched."""
        c = self.consultation
        free = self._free.copy()
        free[np.isin(c.author, c.author[group.rows])] = False
        asked = np.unique(c.question[group.rows])
        words = c.words[group.rows]
        like = (c.words >= words.min() / _LONGER) & (c.words <= words.max() * _LONGER)
        same = np.isin(c.question, asked)
        tries = [(same & like, "question-and-length"), (same, "question"), (like, "length")]
        if not np.any(asked >= 0):
            tries = [(like, "length")]
        for chosen, matched in [*tries, (np.ones(len(c), bool), "none")]:
            pool = np.flatnonzero(free & chosen)
            if len(pool) >= LEAST_OUTSIDE or matched == "none":
                break
        return _sample(pool, self._key), len(pool), matched

    def _key(self, row: int) -> bytes:
        known = self._keys.get(row)
        if known is None:
            c = self.consultation
            name = c.authors[c.author[row]]
            told = f"{c.seed}\0{c.texts[row]}\0{name}\0{c.time[row]}\0{c.question[row]}"
            known = self._keys[row] = hashlib.sha256(told.encode("utf-8", "surrogatepass")).digest()[:12]
        return known

    # ── three similarities ──

    def _content(self, rows: Sequence[Ints], outside: Ints) -> tuple[Floats, Floats]:
        inner = [frozenset().union(*(self._grams_of(row) for row in own.tolist())) for own in rows]
        outer = [self._grams_of(row) for row in outside.tolist()]
        having: dict[object, int] = {}
        for grams in inner:
            for gram in grams:
                having[gram] = having.get(gram, 0) + 1
        common: dict[object, int] = {}
        for grams in outer:
            for gram in grams:
                if gram in having:
                    common[gram] = common.get(gram, 0) + 1
        n, count = len(inner), len(outer)
        # An outsider's own text is left out of how rare its content is. fsum is exact, so that no sum depends on the order of a set.
        shared = {
            gram: _bits(count, common.get(gram, 0)) * (held - 1) / (n - 1) for gram, held in having.items()
        }
        found = {gram: _bits(count - 1, held - 1) * having[gram] / n for gram, held in common.items()}
        own = [math.fsum(shared[gram] for gram in grams) for grams in inner]
        others = [math.fsum(found[gram] for gram in grams if gram in found) for grams in outer]
        return np.array(own, np.float64), np.array(others, np.float64)

    def _grams_of(self, row: int) -> frozenset[object]:
        known = self._grams.get(row)
        if known is None:
            words = _native.text_fold(self.consultation.texts[row])
            known = self._grams[row] = frozenset(words) | frozenset(pairwise(words))
        return known

    @staticmethod
    def _direction(
        vectors: npt.NDArray[np.float32], rows: Sequence[Ints], outside: Ints
    ) -> tuple[Floats, Floats]:
        others = vectors[outside].astype(np.float64)
        centre = others.mean(axis=0)
        others = _unit(others - centre)
        inner = np.stack([_unit((vectors[own].astype(np.float64) - centre).sum(axis=0)) for own in rows])
        total = inner.sum(axis=0)
        # einsum, not a matrix product: its order of additions does not depend on threads.
        own = (np.einsum("ij,j->i", inner, total) - np.einsum("ij,ij->i", inner, inner)) / (len(inner) - 1)
        return own, np.einsum("ij,j->i", others, total) / len(inner)

    def _script(self, members: Members, votes: Votes) -> Comparison:
        """Of a group of voters; each is a unit."""
        unit, copied = np.arange(members.count, dtype=np.int64), np.zeros(members.count, bool)
        cast = np.bincount(votes.voter, minlength=len(votes.accounts)).astype(np.int64)
        outside, total, matched = self._outside_voters(votes, cast, cast[members.accounts])
        if len(outside) < _SOME_OUTSIDE or members.count < 3:
            return _nothing("nothing", unit, copied)
        place = np.full(len(votes.accounts), -1, np.int64)
        place[members.accounts] = np.arange(members.count)
        items, at = np.unique(votes.item[place[votes.voter] >= 0], return_inverse=True)
        items = items[np.bincount(at, minlength=len(items)) >= 2]
        column = np.full(len(votes.items), -1, np.int64)
        column[items] = np.arange(len(items))
        inner, outer = (
            ballots(votes, accounts, column, len(items)) for accounts in (members.accounts, outside)
        )
        own, others = script_bits(inner, outer, cast[members.accounts], cast[outside])
        return Comparison("script", own, unit, copied, others, total / len(outside), matched)

    def _outside_voters(self, votes: Votes, cast: Ints, ours: Ints) -> tuple[Ints, int, str]:
        able = self._free_accounts & (cast >= _VOTES)
        like = able & (2 * cast >= ours.min(initial=0)) & (cast <= 2 * ours.max(initial=0))
        pool, matched = np.flatnonzero(like), "votes"
        if len(pool) < LEAST_OUTSIDE:
            pool, matched = np.flatnonzero(able), "none"
        seed = self.consultation.seed

        def key(number: int) -> bytes:
            return hashlib.sha256(
                f"{seed}\0{votes.accounts[number]}".encode("utf-8", "surrogatepass")
            ).digest()

        return _sample(pool, key), len(pool), matched


def _nothing(form: Form, unit: Ints, copied: Flags) -> Comparison:
    none = np.zeros(0, np.float64)
    return Comparison(form, none, unit, copied, none, 1.0, form)


def _rows_by_unit(members: Members, unit: Ints, count: int) -> list[Ints]:
    """For each unit the rows of its first voice: the others say the same."""
    first = np.full(count, -1, np.int64)
    for voice in range(members.count - 1, -1, -1):
        first[unit[voice]] = voice
    order = np.argsort(members.voice, kind="stable")
    starts = np.searchsorted(members.voice[order], np.arange(members.count + 1))
    return [members.rows[order[starts[voice] : starts[voice + 1]]] for voice in first.tolist()]


def _sample(pool: Ints, key: Callable[[int], bytes]) -> Ints:
    """At most 2,000 of the pool, those whose own keys are smallest, in ascending order."""
    if len(pool) <= _SAMPLE:
        return pool.astype(np.int64)
    return np.array(sorted(sorted(pool.tolist(), key=key)[:_SAMPLE]), np.int64)


def _bits(count: int, having: int) -> float:
    return math.log2((count + 1) / (having + 0.5))


def _unit(rows: Floats) -> Floats:
    lengths = np.sqrt(np.einsum("...j,...j->...", rows, rows))[..., None]
    unit: Floats = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit
