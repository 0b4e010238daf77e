"""Which words do the texts of a group have at the same place, and where does each put its own?

Star alignment: each text is aligned word by word with the one in the middle (patience diff, `klero.voices.evidence`). A word of that one which more
than half of the texts have at that place is of the *frame*; between two neighbours in the frame lies a gap, and a gap that at least a tenth of the
texts fill (two of them at least) is a *slot*, with a number. This is made to be looked at; no test rests on it.

Guaranteed: the parts of a text, put one after the other, are the text. The same texts in the same order give the same parts.
Not guaranteed: that a slot was one when the text was written. Cost: one alignment a text, O(n log n) in its words.

>>> found = align(["save the red bus", "save the blue bus now", "save the old bus"])
>>> [(part.text, part.kind, part.slot) for part in found.texts[1]]
[('save the ', 'frame', 0), ('blue ', 'slot', 1), ('bus ', 'frame', 0), ('now', 'own', 0)]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from klero._native import text_evidence, text_fold, text_words

__all__ = ["Aligned", "Part", "Slot", "align", "shared_share", "word_places"]

_LEAST_FRAME = 3  # words; less is no frame
_FILLED = 10  # a slot is filled by one text in so many


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a text: «frame», «slot» (with the number of it), «own» or «plain» (nothing is known of it)."""

    text: str
    kind: str
    slot: int = 0


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of the frame where texts differ.

    Attributes:
        number: from 1, in the order of the frame.
        texts: how many put something there.
        fillers: what, as the first of them wrote it, and how many; the most frequent first.
    """

    number: int
    texts: int
    fillers: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Aligned:
    """Texts in parts, in their order; `frame` is what they share with the numbers of the slots between (parts of kind «slot» without text).

    Attributes:
        frame: empty if there is none.
        slots: see above.
        texts: the parts of each text.
        frame_words: how many words the frame has.
    """

    frame: tuple[Part, ...]
    slots: tuple[Slot, ...]
    texts: tuple[tuple[Part, ...], ...]
    frame_words: int


def align(texts: Sequence[str]) -> Aligned:
    """Aligns texts with the first of them.

    Args:
        texts: at least one; the first is the one in the middle.
    """
    places = [word_places(text) for text in texts]
    pairs = [_pairs(texts[0], text, len(own)) for text, own in zip(texts, places, strict=True)]
    held = Counter(i for pair in pairs for i in pair if i >= 0)
    frame = [i for i in range(len(places[0])) if 2 * held[i] > len(texts)]
    if len(frame) < _LEAST_FRAME or len(texts) < 2:
        return Aligned((), (), tuple((Part(text, "plain"),) if text else () for text in texts), 0)
    gap_of = {i: gap for gap, i in enumerate(frame)}
    gaps = [_gaps(pair, gap_of) for pair in pairs]
    filled = Counter(gap for one in gaps for gap in {g for g in one if g >= 0})
    kept = sorted(gap for gap, count in filled.items() if count >= max(2, -(-len(texts) // _FILLED)))
    numbers = {gap: number for number, gap in enumerate(kept, start=1)}
    parts = [_parts(text, own, one, numbers) for text, own, one in zip(texts, places, gaps, strict=True)]
    slots = tuple(
        _slot(
            number, [_filler(text, own, one, gap) for text, own, one in zip(texts, places, gaps, strict=True)]
        )
        for gap, number in numbers.items()
    )
    return Aligned(_frame(texts[0], places[0], frame, numbers), slots, tuple(parts), len(frame))


def shared_share(texts: Sequence[str], run: int = 3) -> float:
    """The mean share of a text's words that stand in runs of `run` words which at least one other text has too; sentences may be in any order.

    >>> shared_share(["save the red bus", "now save the red", "something else altogether here"])
    0.5
    """
    words = [text_fold(text) for text in texts]
    runs = [[tuple(one[at : at + run]) for at in range(len(one) - run + 1)] for one in words]
    held = Counter(each for one in runs for each in set(one))
    shares = []
    for one, own in zip(words, runs, strict=True):
        covered = {place for at, each in enumerate(own) if held[each] > 1 for place in range(at, at + run)}
        shares.append(len(covered) / max(len(one), 1))
    return sum(shares) / max(len(shares), 1)


def word_places(text: str) -> list[tuple[int, int]]:
    """Where each word begins and ends, in code points."""
    data = text.encode("utf-8", "surrogatepass")
    found, byte, point = [], 0, 0
    for _hash, start, end in text_words(text):
        point += len(data[byte:start].decode("utf-8", "surrogatepass"))
        wide = len(data[start:end].decode("utf-8", "surrogatepass"))
        found.append((point, point + wide))
        byte, point = end, point + wide
    return found


def _pairs(centre: str, text: str, count: int) -> list[int]:
    """For each word of a text, the word of the centre that it is aligned with, or -1."""
    if text == centre:
        return list(range(count))
    pair: list[int] = []
    at = 0
    for equal, mine, other in text_evidence(centre, text, 2, False)[5]:
        if other is not None:
            pair += range(at, at + other[4]) if equal else [-1] * other[4]
        if mine is not None:
            at += mine[4]
    return pair


def _gaps(pair: Sequence[int], gap_of: dict[int, int]) -> list[int]:
    """For each word of a text, -1 if it is of the frame, else the gap that it stands in."""
    found, gap = [], 0
    for i in pair:
        if i in gap_of:
            gap = gap_of[i] + 1
            found.append(-1)
        else:
            found.append(gap)
    return found


def _parts(
    text: str, places: Sequence[tuple[int, int]], gaps: Sequence[int], numbers: dict[int, int]
) -> tuple[Part, ...]:
    """A text cut where its kind changes; what stands between two words goes with the first."""
    if not places:
        return (Part(text, "plain"),) if text else ()
    starts = [0, *(start for start, _end in places[1:]), len(text)]
    parts, at = [], 0
    for gap, run in groupby(gaps):
        upto = at + len(list(run))
        kind = "frame" if gap < 0 else "slot" if gap in numbers else "own"
        parts.append(Part(text[starts[at] : starts[upto]], kind, numbers.get(gap, 0)))
        at = upto
    return tuple(parts)


def _filler(text: str, places: Sequence[tuple[int, int]], gaps: Sequence[int], gap: int) -> str:
    """What a text has in a gap, from its first word there to its last; empty if nothing."""
    inside = [place for place, one in zip(places, gaps, strict=True) if one == gap]
    return text[inside[0][0] : inside[-1][1]] if inside else ""


def _slot(number: int, fillers: Sequence[str]) -> Slot:
    """Counts what was put in a place; words are compared as they are folded."""
    first: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for filler in filter(None, fillers):
        key = " ".join(text_fold(filler))
        first.setdefault(key, filler)
        counts[key] += 1
    order = sorted(counts, key=lambda key: (-counts[key], key))
    return Slot(number, counts.total(), tuple((first[key], counts[key]) for key in order))


def _frame(
    text: str, places: Sequence[tuple[int, int]], frame: Sequence[int], numbers: dict[int, int]
) -> tuple[Part, ...]:
    """The words of the frame as the first text writes them; between two that are neighbours there, what stands between them; else a blank."""
    parts: list[Part] = [Part("", "slot", numbers[0])] if 0 in numbers else []
    for gap, i in enumerate(frame, start=1):
        after = frame[gap] if gap < len(frame) else len(places)
        upto = places[after][0] if after == i + 1 and after < len(places) else places[i][1]
        between = text[places[i][0] : upto]
        last = gap == len(frame) and gap not in numbers
        blank = "" if last or between[-1:].isspace() else " "
        parts.append(Part(between + blank, "frame"))
        if gap in numbers:
            parts.append(Part("", "slot", numbers[gap]))
    merged: list[Part] = []
    for slot, run in groupby(parts, key=lambda part: part.slot):
        merged.append(Part("".join(part.text for part in run), "slot" if slot else "frame", slot))
    return tuple(merged)
