"""The slow, obvious way from two texts to what they share, and from a group to its letter: sets of tuples of words, and loops."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from klero.voices.evidence import Evidence, Segment, evidence
from text_oracle import Word, spans


def shingles(words: Sequence[str], k: int) -> list[tuple[str, ...]]:
    """One for each place; a text of fewer words has one of all its words, a text without words has none."""
    k = min(k, len(words))
    return [tuple(words[i : i + k]) for i in range(len(words) - k + 1)] if words else []


def covered(words: Sequence[str], k: int, wanted: Iterable[tuple[str, ...]]) -> list[bool]:
    """For each word, whether a wanted shingle covers it."""
    marks, wanted = [False] * len(words), set(wanted)
    for i, shingle in enumerate(shingles(words, k)):
        if shingle in wanted:
            marks[i : i + len(shingle)] = [True] * len(shingle)
    return marks


def runs(words: Sequence[str], k: int, wanted: Iterable[tuple[str, ...]]) -> list[tuple[int, int]]:
    """The covered words as runs (first word, word after the last)."""
    found: list[tuple[int, int]] = []
    for i, mark in enumerate(covered(words, k, wanted)):
        if mark and found and found[-1][1] == i:
            found[-1] = (found[-1][0], i + 1)
        elif mark:
            found.append((i, i + 1))
    return found


def place(text: str, read: Sequence[Word], first: int, end: int) -> tuple[int, int, int, int, int]:
    """A run of words as code points, bytes and number of words."""
    start, stop = read[first].start, read[end - 1].end
    points = [len(text.encode()[:byte].decode()) for byte in (start, stop)]
    return points[0], points[1], start, stop, end - first


def pieces(text: str, read: Sequence[Word], kinds: Sequence[str]) -> list[Segment]:
    """The segments of a text from the kind of each word: byte by byte, the first word that holds a byte decides."""
    data = text.encode()
    owner: list[int | None] = [None] * len(data)
    for n, word in enumerate(read):
        for byte in range(word.start, word.end):
            owner[byte] = n if owner[byte] is None else owner[byte]
    seen = [n for n in range(len(read)) if n in owner]
    marks = ["gap" if n is None else kinds[n] for n in owner]
    # What stands between two words of one kind is of that kind.
    for one, two in itertools.pairwise(seen):
        last = max(byte for byte, n in enumerate(owner) if n == one)
        first = min(byte for byte, n in enumerate(owner) if n == two)
        if kinds[one] == kinds[two]:
            marks[last:first] = [kinds[one]] * (first - last)
    found: list[Segment] = []
    start = 0
    for end in range(1, len(data) + 1):
        if end == len(data) or marks[end] != marks[start]:
            points = [len(data[:byte].decode()) for byte in (start, end)]
            found.append(Segment(marks[start], points[0], points[1], start, end))
            start = end
    return found


def aligned(found: Evidence) -> list[tuple[int, int]]:
    """Pairs of words (of a, of b) that the alignment calls equal."""
    pairs: list[tuple[int, int]] = []
    i = j = 0
    for row in found.alignment:
        count_a, count_b = row.a.words if row.a else 0, row.b.words if row.b else 0
        if row.kind == "equal":
            pairs += [(i + n, j + n) for n in range(count_a)]
        i, j = i + count_a, j + count_b
    return pairs


class SlowLetter:
    """The letter by its definition."""

    def __init__(self, texts: Sequence[str], representative: int, k: int) -> None:
        self.read = [spans(text) for text in texts]
        words = [[word.text for word in read] for read in self.read]
        members = Counter[tuple[str, ...]]()
        for one in words:
            members.update(set(shingles(one, k)))
        self.letter = {shingle for shingle, count in members.items() if 2 * count > len(texts)}
        pairs = [aligned(evidence(text, texts[representative], shingle=k)) for text in texts]
        at_place = Counter(j for found in pairs for _, j in found)
        by_shingle = covered(words[representative], k, self.letter)
        self.frame = [mark or 2 * at_place[j] > len(texts) for j, mark in enumerate(by_shingle)]
        self.kinds: list[list[str]] = []
        for one, found in zip(words, pairs, strict=True):
            marks = covered(one, k, self.letter)
            for i, j in found:
                marks[i] = marks[i] or self.frame[j]
            self.kinds.append(["letter" if mark else "own" for mark in marks])
        self.slots = self._slots(texts, words, pairs)

    def _slots(self, texts: Sequence[str], words: Any, pairs: Any) -> dict[int, tuple[int, Counter[str]]]:
        """By the number of frame words before it: members, and what they put there (folded words)."""
        rank = [sum(self.frame[:j]) for j in range(len(self.frame))]
        slots: dict[int, tuple[int, Counter[str]]] = {}
        for kinds, one, found in zip(self.kinds, words, pairs, strict=True):
            partner = {i: j for i, j in found if self.frame[j]}
            slot, own, mine = 0, [], Counter[tuple[int, str]]()
            for i in range(len(one) + 1):
                if i < len(one) and kinds[i] == "own":
                    own.append(one[i])
                    continue
                if own:
                    mine[slot, " ".join(own)] += 1
                    own = []
                if i in partner:
                    slot = rank[partner[i]] + 1
            for slot in {slot for slot, _ in mine}:
                count, fillers = slots.get(slot, (0, Counter[str]()))
                fillers.update({filler: n for (at, filler), n in mine.items() if at == slot})
                slots[slot] = (count + 1, fillers)
        return slots
