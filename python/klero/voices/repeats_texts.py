"""Which texts of a group does the page show, and how are they marked?

The letter of a group, and the representative beside two or three others: the member least like it, one in the middle, and the nearest that is
not the same text. A letter is told from at most 1,000 members, those whose ids have the smallest hashes, so that neither the order of rows nor
the size of a campaign matters; a text too long to be compared word by word is shown without marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from klero.voices.evidence import Evidence, Segment, Template
    from klero.voices.groups import GroupSummary
    from klero.voices.ids import Id
    from klero.voices.settings import Settings

__all__ = [
    "LONGEST",
    "LOOKED_AT",
    "Comparison",
    "Members",
    "Piece",
    "Shown",
    "SlotFacts",
    "cut",
    "told",
]

LOOKED_AT = 1000
LONGEST, _ALL = (
    1_000_000,
    20_000_000,
)  # code points of a text that is compared word by word, and of all texts of a group
_LETTER, _SIDE = 4000, 2000  # code points of a text that are shown: as the letter, and in a comparison
_SLOTS, _FILLERS = 8, 5  # places of personal words that are shown, and what was put there
_FILLER = 200  # code points of it
_ALIKE = 0.005  # two comparisons of one group should differ by more than this in similarity to be worth showing both


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a text. `kind`: «letter» (most of the group have it), «shared» (both texts), «moved» (both, elsewhere), «own», «gap», «slot» (a number)."""

    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class SlotFacts:
    """A place of the letter where members put words of their own: those around it, how many did, and what the most frequent are."""

    number: int
    before: str
    after: str
    members: int
    distinct: int
    fillers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """A text in pieces, how many code points at its end are left out, and of a letter the slots, and how many of those are left out."""

    pieces: tuple[Piece, ...]
    left_out: int = 0
    slots: tuple[SlotFacts, ...] = ()
    slots_left_out: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two texts of a group beside each other, with their similarity."""

    first_id: str
    second_id: str
    similarity: float
    first: Shown
    second: Shown


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a group: their rows, their similarity to the representative, the keys of their ids, and the representative's row."""

    rows: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float64]
    keys: npt.NDArray[np.uint64]
    representative: int

    def compared(self) -> list[int]:
        """The rows of those to show beside the representative, the least like it first; none where all are as similar as can be."""
        others = np.flatnonzero(self.similarity < 1.0)
        others = others[np.lexsort((self.keys[others], self.similarity[others]))]
        chosen: list[int] = []
        for at in (0, len(others) // 2, len(others) - 1) if len(others) else ():
            place = int(others[at])
            if all(abs(self.similarity[place] - self.similarity[other]) > _ALIKE for other in chosen):
                chosen.append(place)
        return [int(self.rows[place]) for place in chosen]

    def looked_at(self, most: int) -> list[int]:
        """The rows that the letter is told from, in an order that has nothing to do with that of the rows."""
        order = self.rows[np.argsort(self.keys, kind="stable")]
        others = order[order != self.representative][: most - 1]
        return [self.representative, *others.tolist()]

    def similarity_of(self, row: int) -> float:
        """The similarity of a row to the representative."""
        return float(self.similarity[np.flatnonzero(self.rows == row)[0]])


def told(
    group: GroupSummary,
    members: Members,
    named: Callable[[int], tuple[Id, str]],
    settings: Settings,
    most: int,
) -> tuple[Shown, tuple[Comparison, ...], int]:
    """The letter of a group, texts beside each other, and how many members the letter is told from.

    Args:
        named: gives the id and the text of a row.
        most: members that the letter is told from.
    """
    from klero.voices.evidence import letter_of, shared_spans

    first, text = named(members.representative)
    if len(text) > LONGEST:
        return Shown((Piece(text[:_LETTER], "gap"),), len(text) - _LETTER), (), 1
    held, total = {}, 0
    for row in members.looked_at(most):
        name, other = named(row)
        total += len(other)
        if total > _ALL:
            break
        if len(other) <= LONGEST:
            held[row] = name, other
    template = letter_of(
        [one for _name, one in held.values()], [name for name, _one in held.values()], first, settings
    )
    beside = [named(row) for row in members.compared()]
    if not beside and group.distinct > 1 and len(held) > 1:
        beside = [_longest(template, list(held.values()))]
    rows = {named(row)[0]: row for row in members.compared()}
    comparisons = tuple(
        _comparison(
            shared_spans(text, other, settings),
            first,
            name,
            members.similarity_of(rows[name]) if rows else 1.0,
        )
        for name, other in beside
        if len(other) <= LONGEST
    )
    return _letter(template), comparisons, len(held)


def _longest(template: Template, held: Sequence[tuple[Id, str]]) -> tuple[Id, str]:
    """The member with most words of its own: where one text lies whole in another, all are as similar as can be."""
    return held[max(range(len(held)), key=lambda i: (template.own_words[i], -i))]


def _comparison(evidence: Evidence, first: Id, second: Id, similarity: float) -> Comparison:
    return Comparison(
        str(first),
        str(second),
        similarity,
        cut(evidence.text_a, evidence.segments_a, _SIDE),
        cut(evidence.text_b, evidence.segments_b, _SIDE),
    )


def _letter(template: Template) -> Shown:
    """The representative's text: what most of the group share, what is its own, and where others put words of their own."""
    slots = sorted(template.slots, key=lambda slot: (-slot.members, slot.start))[:_SLOTS]
    slots = [slot for slot in sorted(slots, key=lambda slot: slot.start) if slot.end <= _LETTER]
    shown = tuple(
        SlotFacts(
            number,
            slot.before,
            slot.after,
            slot.members,
            slot.distinct,
            tuple((_short(filler.text), filler.count) for filler in slot.fillers[:_FILLERS]),
        )
        for number, slot in enumerate(slots, start=1)
    )
    more = template.slots_left_out + len(template.slots) - len(slots)
    return cut(template.text, template.segments, _LETTER, shown, [slot.end for slot in slots], more)


def _short(text: str) -> str:
    return text if len(text) <= _FILLER else text[: _FILLER - 1] + "…"


def cut(
    text: str,
    segments: Iterable[Segment],
    most: int,
    slots: tuple[SlotFacts, ...] = (),
    places: Sequence[int] = (),
    slots_left_out: int = 0,
) -> Shown:
    """A text as pieces, of at most `most` code points.

    Args:
        segments: kinds of the text's parts; they cover it in order.
        slots: to be marked in the text.
        places: where each is, in code points, in rising order.
    """
    end = min(len(text), most)
    pieces: list[Piece] = []
    waiting = 0

    def mark(upto: int) -> None:
        nonlocal waiting
        while waiting < len(slots) and places[waiting] <= upto:
            pieces.append(Piece(str(slots[waiting].number), "slot"))
            waiting += 1

    mark(0)
    for segment in segments:
        at = segment.start
        stop = min(segment.end, end)
        while at < stop:
            inside = waiting < len(slots) and at < places[waiting] < stop
            upto = places[waiting] if inside else stop
            pieces.append(Piece(text[at:upto], segment.kind))
            at = upto
            mark(at)
        if segment.end >= end:
            break
    mark(end)
    return Shown(tuple(pieces), len(text) - end, slots, slots_left_out)
