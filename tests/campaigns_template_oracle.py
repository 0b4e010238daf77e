"""The template channel's measures by their definitions, slowly: words' bits of surprise, what two texts share, how many different words they lack.

Only for texts that the kernel's shortcuts leave alone: at most twelve of them, without links, none of whose words eight have.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cache

PASSAGE, GAP, PRIOR, ENOUGH = 3.0, 5.0, 200.0, 20


@dataclass(frozen=True)
class Read:
    """A different text: its words, its authors, the number of its question."""

    words: tuple[str, ...]
    authors: frozenset[int]
    question: int


def read(texts: list[tuple[str, int, int]]) -> list[Read]:
    """Texts (words, author, question) in their order; those with the same words are one, on the question of the first."""
    authors: dict[tuple[str, ...], set[int]] = {}
    question: dict[tuple[str, ...], int] = {}
    for text, author, asked in texts:
        words = tuple(text.split())
        authors.setdefault(words, set()).add(author)
        question.setdefault(words, asked)
    return [Read(words, frozenset(authors[words]), question[words]) for words in authors]


class Counts:
    """What was read, each text as often as different authors wrote it."""

    def __init__(self, sources: list[tuple[tuple[str, ...], int, int]]):
        self.one: Counter[str] = Counter()
        self.here: Counter[tuple[int, str]] = Counter()
        self.two: Counter[tuple[str, ...]] = Counter()
        self.three: Counter[tuple[str, ...]] = Counter()
        self.in_question: Counter[int] = Counter()
        for words, question, times in sources:
            if not times:
                continue
            self.in_question[question] += len(words) * times
            for at, word in enumerate(words):
                self.one[word] += times
                self.here[question, word] += times
                if at > 0:
                    self.two[words[at - 1 : at + 1]] += times
                if at > 1:
                    self.three[words[at - 2 : at + 1]] += times


def bits(text: Read, everything: Counts, taken: Counts) -> list[float]:
    """Bits of each word of a text (Witten and Bell, interpolated), without what was taken out."""
    kinds = len(everything.one)
    out = []
    for at, word in enumerate(text.words):
        total = sum(everything.one.values()) - sum(taken.one.values())
        chance = (everything.one[word] - taken.one[word] + kinds / (kinds + 1)) / (total + kinds)
        here = everything.here[text.question, word] - taken.here[text.question, word]
        whole = everything.in_question[text.question] - taken.in_question[text.question]
        chance = (here + PRIOR * chance) / (whole + PRIOR)
        for n, (of, out_of) in ((1, (everything.two, taken.two)), (2, (everything.three, taken.three))):
            if at < n:
                continue
            before = text.words[at - n : at]
            after = {run: count for run, count in of.items() if run[:-1] == before}
            there = sum(after.values()) - sum(count for run, count in out_of.items() if run[:-1] == before)
            if there > 0:
                run = (*before, word)
                chance = (of[run] - out_of[run] + len(after) * chance) / (there + len(after))
        out.append(-math.log2(chance))
    return out


def shared(a: tuple[str, ...], told: list[float], b: tuple[str, ...]) -> float:
    """The best set of passages of a that stand in b: each begins and ends with a match, costs its places, and loses `GAP` for each word that is passed over."""
    price = PASSAGE + math.log2(len(a)) + math.log2(len(b))

    @cache
    def passage(i: int, j: int) -> dict[int, float]:
        """Where a passage that begins with the match (i, j) may end, and its best score there."""
        ends = {i: told[i]}
        for i2 in range(i + 1, len(a)):
            for j2 in range(j + 1, len(b)):
                if a[i2] == b[j2]:
                    gaps = max(i2 - i, j2 - j) - 1
                    for end, score in passage(i2, j2).items():
                        ends[end] = max(ends.get(end, -math.inf), told[i] + score - GAP * gaps)
        return ends

    best = [0.0] * (len(a) + 1)
    for start in reversed(range(len(a))):
        best[start] = best[start + 1]
        for j in range(len(b)):
            if a[start] == b[j]:
                for end, score in passage(start, j).items():
                    best[start] = max(best[start], score - price + best[end + 1])
    return best[0]


def lacking(group: list[Read], everything: list[Read]) -> float:
    """Different words that a group lacks of what so many words of its first text's question hold (of all questions, where that has too few)."""
    n = sum(len(one.words) for one in group)
    pool: Counter[str] = Counter()
    for one in everything:
        if one.question == group[0].question:
            pool.update({word: count * len(one.authors) for word, count in Counter(one.words).items()})
    if pool.total() < ENOUGH * n:
        pool = Counter()
        for one in everything:
            pool.update({word: count * len(one.authors) for word, count in Counter(one.words).items()})
    total = pool.total()
    expected = sum(1 - (1 - count / total) ** n for count in pool.values())
    return expected - len({word for one in group for word in one.words})


def measured(
    texts: list[tuple[str, int, int]], names: list[str], ranks: int
) -> list[tuple[float, list[float], list[float]]]:
    """For each different text, in no group: bits that it tells, its shares with others by rank, and the words that it and these lack."""
    all_read = read(texts)
    asked = Counter(question for _, _, question in texts)
    sources = [(one.words, one.question, len(one.authors)) for one in all_read]
    sources += [(tuple(name.split()), number, asked[number]) for number, name in enumerate(names)]
    everything = Counts(sources)
    out = []
    for number, one in enumerate(all_read):
        author = min(one.authors)
        partners = [
            (at, other)
            for at, other in enumerate(all_read)
            if other.authors - {author} and (at == number or set(other.words) & set(one.words))
        ]
        away = dict([*partners, (number, one)])
        taken = Counts([(other.words, other.question, len(other.authors)) for other in away.values()])
        told = bits(one, everything, taken)
        shares = [
            (-shared(one.words, told, other.words), at, who)
            for at, other in partners
            for who in sorted(other.authors - {author})
        ]
        seen: set[int] = set()
        group = [one]
        found: list[float] = []
        lack: list[float] = []
        for share, at, who in sorted(shares):
            if who not in seen and len(found) < ranks:
                seen.add(who)
                group.append(all_read[at])
                found.append(-share)
                lack.append(lacking(group, all_read))
        out.append((sum(told), found, lack))
    return out
