"""Would a conclusion change if the groups for review counted as fewer voices?

What people conclude from a consultation is counted three times, side by side: every voice in full; each group for review as its effective voices
(`klero.campaigns.effective`); each group as one voice. Counted are

- *positions*: voices for, neutral and against, on each question and over all. A voice with several stances on a question is divided evenly among the
  contributions;
- *questions* and *themes*: voices that speak of each. A voice in several of them counts in each; with several contributions in one, by the one that
  weighs most;
- *arguments*: votes for each item that was voted on, each by the weight of its account.

Each count has its place among those of its kind (positions: on its question), 1 for the largest; equal counts share the best place. A line `changes`
if which side of a half it is on (a position among all voices with a stance, an item's votes for among those for and against) is not the same in all
three; or if its place, or whether it shares it, is not the same and either its own count differs or the place is the first. A line that keeps every
voice and moves up a place because another above it counts less is no line more that depends on a group. Where no line changes, the order of all is
the same in all three.

Guaranteed: no line of what changes most is left out: lines are sorted by whether they change, then by how many voices they would lose, and cut at
`MOST` a kind. Each line says how many people are in it, so that a report can hide what would point at somebody. Not guaranteed: which of the counts
is right; a petition that people signed by conviction loses voices here.

Cost: linear in contributions and votes. No randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from klero.campaigns.effective import Tested, one_each_weights, voter_weights
from klero.campaigns.model import Consultation, Floats, Ints
from klero.campaigns.result import Sensitivity

__all__ = ["MOST", "sensitivity"]

MOST = 60
"""Lines of a kind at most."""
_STANCES = {1: "for", 0: "neutral", -1: "against"}
_PLACES = 9
"""Counts that agree in so many decimals are equal."""


def sensitivity(
    c: Consultation,
    weights: Floats,
    tested: Sequence[Tested],
    *,
    themes: Sequence[str | None] | None = None,
    threads: int = 1,
    progress: Callable[[str, int], None] | None = None,
) -> tuple[Sensitivity, ...]:
    """The lines that matter, in the order positions, questions, themes, arguments; in each kind those that change first.

    Args:
        c: the consultation.
        weights: of its rows (`Weighing.weights`).
        tested: candidates with their channels and decisions; those for review are weighed.
        themes: the name of each row's theme, None where it has none.
        threads: not used; it is there for the same call as elsewhere.
        progress: called with «sensitivity» and the number of lines.
    """
    one_each, one_each_voters = one_each_weights(c, tested)
    of_rows = np.stack([np.ones(len(c)), weights, one_each]) if len(c) else np.ones((3, 0))
    found = [*_positions(c, of_rows), *_questions(c, of_rows), *_themes(c, of_rows, themes)]
    if c.votes is not None and len(c.votes.items):
        whole = np.ones(len(c.votes.accounts))
        found += _arguments(c, np.stack([whole, voter_weights(c, tested), one_each_voters]))
    if progress is not None:
        progress("sensitivity", len(found))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class _Cells:
    """Counts of one kind: three for each cell, with what decides places and halves among them."""

    kind: str
    labels: Sequence[str]
    counts: Floats  # 3 × cells
    people: Ints
    among: Ints  # cells with the same number are ranked together
    halves: Floats  # 3 × cells: what half of is a majority; 0 where there is none
    within: Sequence[str]
    stances: Sequence[int | None]


def _lines(cells: _Cells) -> list[Sensitivity]:
    counts = np.round(cells.counts, _PLACES)
    places = np.stack([_places(count, cells.among) for count in counts])
    major = 2 * counts > np.round(cells.halves, _PLACES)
    major &= cells.halves > 0
    # Places from the other end too: who shares the first place with others had it alone before.
    last = np.stack([_places(-count, cells.among) for count in counts])
    moved = (places != places[0]).any(axis=0) | (last != last[0]).any(axis=0)
    # Who only moves up since others count less is passed over, unless it is to the top: else one letter would «change» every line below it.
    own = (counts != counts[0]).any(axis=0) | (places == 1).any(axis=0)
    changes = (moved & own) | (major != major[0]).any(axis=0)
    lost = np.abs(counts - counts[0]).max(axis=0)
    order = sorted(
        range(len(cells.labels)),
        key=lambda i: (not changes[i], -lost[i], -counts[0, i], cells.within[i], cells.labels[i]),
    )
    return [
        Sensitivity(
            kind=cells.kind,
            label=cells.labels[i],
            raw=float(counts[0, i]),
            weighted=float(counts[1, i]),
            one_each=float(counts[2, i]),
            rank_raw=int(places[0, i]),
            rank_weighted=int(places[1, i]),
            rank_one_each=int(places[2, i]),
            changes=bool(changes[i]),
            within=cells.within[i],
            stance=cells.stances[i],
            people=int(cells.people[i]),
        )
        for i in order[:MOST]
    ]


def _places(counts: Floats, among: Ints) -> Ints:
    """1 and how many of the same set are larger."""
    order = np.lexsort((-counts, among))
    sets, values = among[order], counts[order]
    begins = np.concatenate([[True], sets[1:] != sets[:-1]]) if len(order) else np.zeros(0, bool)
    steps = begins.copy()
    steps[1:] |= values[1:] != values[:-1]
    at = np.arange(len(order))
    places = np.empty(len(order), np.int64)
    places[order] = np.maximum.accumulate(np.where(steps, at, 0)) - np.maximum.accumulate(
        np.where(begins, at, 0)
    )
    return places + 1


def _positions(c: Consultation, of_rows: Floats) -> list[Sensitivity]:
    rows = np.flatnonzero(c.stance != 2)
    asked = np.unique(c.question[rows])
    parts: list[tuple[str, Ints]] = [
        (c.questions[number], rows[c.question[rows] == number]) for number in asked.tolist() if number >= 0
    ]
    if len(asked) > 1 or not parts:
        parts.insert(0, ("", rows))
    labels: list[str] = []
    within: list[str] = []
    stances: list[int | None] = []
    counts, people, among, halves = [], [], [], []
    for number, (name, own) in enumerate(parts):
        if not len(own):
            continue
        _, voice, often = np.unique(c.author[own], return_inverse=True, return_counts=True)
        share = of_rows[:, own] / often[voice]
        for stance, word in _STANCES.items():
            here = c.stance[own] == stance
            if here.any():
                labels.append(f"{name}: {word}" if name else word)
                within.append(name)
                stances.append(stance)
                counts.append(share[:, here].sum(axis=1))
                people.append(len(np.unique(voice[here])))
                among.append(number)
                halves.append(share.sum(axis=1))
    if not labels:
        return []
    return _lines(
        _Cells("position", labels, np.stack(counts, 1), np.array(people), np.array(among), np.stack(halves, 1), within, stances)
    )  # fmt: skip


def _questions(c: Consultation, of_rows: Floats) -> list[Sensitivity]:
    if len(np.unique(c.question[c.question >= 0])) < 2:
        return []
    return _spoken("question", c, of_rows, c.question, c.questions)


def _themes(c: Consultation, of_rows: Floats, themes: Sequence[str | None] | None) -> list[Sensitivity]:
    names = sorted({name for name in themes or () if name is not None})
    if not names or themes is None:
        return []
    number = {name: place for place, name in enumerate(names)}
    of = np.array([-1 if name is None else number[name] for name in themes], np.int64)
    return _spoken("theme", c, of_rows, of, names)


def _spoken(
    kind: str, c: Consultation, of_rows: Floats, cell: Ints, names: Sequence[str]
) -> list[Sensitivity]:
    """Voices in each cell: an author counts once, by the contribution there that weighs most."""
    rows = np.flatnonzero(cell >= 0)
    pairs, at = np.unique(np.stack([cell[rows], c.author[rows]]), axis=1, return_inverse=True)
    best = np.zeros((3, pairs.shape[1]))
    for place in range(3):
        np.maximum.at(best[place], at, of_rows[place, rows])
    cells, of = np.unique(pairs[0], return_inverse=True)
    counts = np.array([np.bincount(of, one, len(cells)) for one in best], np.float64)
    none = np.zeros(counts.shape)
    labels = [names[number] for number in cells.tolist()]
    people = np.bincount(of, minlength=len(cells)).astype(np.int64)
    alike = np.zeros(len(cells), np.int64)
    return _lines(_Cells(kind, labels, counts, people, alike, none, [""] * len(cells), [None] * len(cells)))


def _arguments(c: Consultation, of_accounts: Floats) -> list[Sensitivity]:
    votes = c.votes
    if votes is None:
        return []
    size = len(votes.items)
    cast = of_accounts[:, votes.voter]
    yes, no = votes.value == 1, votes.value == -1
    counts = np.array([np.bincount(votes.item[yes], one[yes], size) for one in cast], np.float64)
    both = counts + np.array([np.bincount(votes.item[no], one[no], size) for one in cast], np.float64)
    people = np.bincount(votes.item, minlength=size).astype(np.int64)
    alike = np.zeros(size, np.int64)
    return _lines(
        _Cells("argument", list(votes.items), counts, people, alike, both, [""] * size, [None] * size)
    )
