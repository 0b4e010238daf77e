"""What is known of a consultation, what is tested in it, and what a test says: the shapes that all parts of this package share.

Three things are kept apart: *textual dependence* (texts come from one source), *coordination* (people act together), and *inauthenticity* (one person behind
many accounts). The first two can be shown from the contributions; the third never is, and no word here claims it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "CHANNELS",
    "Candidate",
    "Channel",
    "ChannelName",
    "Consultation",
    "FoundBy",
    "Interval",
    "Kind",
    "Null",
    "Votes",
    "evenly",
]

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
ChannelName: TypeAlias = Literal["template", "paraphrase", "time", "coaction", "votes", "metadata"]
FoundBy: TypeAlias = Literal["text", "time", "votes"]
Kind: TypeAlias = Literal["copies", "template", "paraphrase", "votes"]

CHANNELS: tuple[ChannelName, ...] = ("template", "paraphrase", "time", "coaction", "votes", "metadata")
"""The channels, in the order in which they are told. «metadata» is off unless it is asked for."""


@dataclass(frozen=True, eq=False)
class Votes:
    """Who voted what on what: one row for each vote that counts (a voter's last on an item).

    Attributes:
        voter: number of the account, in `accounts`.
        item: number of the thing voted on, in `items`.
        value: -1, 0 or 1.
        accounts: names of the voters; an author of a contribution with that name is the same account.
        items: names of what is voted on; an id of a contribution, or anything else.
    """

    voter: Ints
    item: Ints
    value: npt.NDArray[np.int8]
    accounts: tuple[str, ...]
    items: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Consultation:
    """Contributions with at least one word, as the channels read them; all arrays have a row a contribution.

    Rows are in canonical order (SHA-256 of the text, then of author, time, question, stance, then the id), so that nothing depends on the order of the source.

    Attributes:
        ids: their names.
        texts: as they were written.
        words: number of words of each (`klero-text/1`).
        author: number of the account; a contribution without one has a number of its own. Equal numbers are one voice.
        authors: names of the accounts by number; None for a contribution without one.
        question: number of the question, -1 without one.
        questions: names of the questions by number.
        stance: -1, 0, 1; 2 where it is not known.
        time: seconds since 1970, UTC; NaN where it is not known.
        vectors: n × d, unit length or zero, centred; None where none could be made.
        votes: the votes, if any were given.
        metadata: further columns (name: number of the value in each row, -1 if none), already hashed with a key.
        seed: of everything that is drawn.
    """

    ids: tuple[int | str, ...]
    texts: tuple[str, ...]
    words: Ints
    author: Ints
    authors: tuple[str | None, ...]
    question: Ints
    questions: tuple[str, ...]
    stance: npt.NDArray[np.int8]
    time: Floats
    vectors: npt.NDArray[np.float32] | None = None
    votes: Votes | None = None
    metadata: Mapping[str, Ints] = field(default_factory=dict)
    seed: int = 0

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class Candidate:
    """A group that is tested. How it was found decides which tests are free of selection: time and votes, if it was found by its texts alone.

    Attributes:
        rows: its contributions (rows of the consultation, ascending); empty for a group of accounts that only vote.
        voices: number of distinct authors (for a group of voters: of voters).
        centre: the row that stands for it, nearest to all others; -1 for a group of voters.
        kind: «copies», «template», «paraphrase» or «votes»: what brought it together.
        voters: for a group of kind «votes», numbers of its accounts in `Votes.accounts`, ascending.
        stratum: where it was searched: «question:12» (a question and those near it), «theme:3», «all»; with it, null groups are drawn in the same place.
        found_by: what it was chosen by: «text» (its times and votes are tested), «time» (a burst: its texts are tested), «votes» (its texts and times are).
    """

    rows: Ints
    voices: int
    centre: int
    kind: Kind
    voters: Ints | None = None
    stratum: str = "all"
    found_by: FoundBy = "text"


@dataclass(frozen=True, eq=False)
class Null:
    """A statistic, and how it is distributed where nobody acts together: enough to draw the picture again.

    Attributes:
        statistic: what was measured, a key that the words know, as «mean-similarity».
        observed: of the group.
        draws: of null groups; at most 999 of them, ascending, evenly taken from all (`evenly`), the least and the largest among them.
        count: how many null groups there were (permutations, or groups searched elsewhere).
        exceed: how many of these were at least as extreme as the group.
        tail: how a p-value below 1 / (count + 1) came about, if it did: «exponential» (fitted to the null's upper part), «exact»; else «permutation».
    """

    statistic: str
    observed: float
    draws: tuple[float, ...]
    count: int
    exceed: int
    tail: str = "permutation"


def evenly(ascending: Floats, most: int = 199) -> tuple[float, ...]:
    """At most so many of these values, evenly taken, the first and the last among them: enough for a picture.

    Thousands of groups may be tested, each with several nulls: what is kept of each decides how much memory a result takes.

    >>> evenly(np.arange(5.0), 3), evenly(np.arange(2.0), 3)
    ((0.0, 2.0, 4.0), (0.0, 1.0))
    """
    places = np.linspace(0, len(ascending) - 1, min(most, len(ascending))).astype(np.int64)
    return tuple(ascending[places].tolist())


@dataclass(frozen=True, eq=False)
class Channel:
    """What one channel says of one group.

    Attributes:
        name: see `CHANNELS`.
        p: probability of such evidence where nobody acts together; None if it could not be tested.
        effect: sizes of the effect by name, with units in the names: «shared_words_median», «hours_of_half», …
        nulls: one for each test of the channel; `p` is their combination under any dependence (Bonferroni).
        why_not: why it was not tested: «no-time», «constant-time», «no-author», «no-votes», «too-few», «not-asked», …; '' if it was.
        details: what a card shows (plain data: texts, numbers, lists), by name.
    """

    name: ChannelName
    p: float | None
    effect: Mapping[str, float] = field(default_factory=dict)
    nulls: tuple[Null, ...] = ()
    why_not: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Interval:
    """An estimate between two bounds.

    Attributes:
        low, estimate, high: low ≤ estimate ≤ high.
        level: the probability that the bounds promise, as 0.95.
    """

    low: float
    estimate: float
    high: float
    level: float = 0.95
