"""Do these texts share more rare wording than people share who write on their own?

For each member, the bits of surprise that it shares with other members are measured: words in the same order tell nothing new to whoever has read the other
text (`rust/core/src/campaigns/texts/sharing.rs`, `surprise.rs`). Common words, words of the question, runs that people write in many places, and links tell
few bits or none. The r-th share of a text is what it has in common with the r-th of the others that share most with it, by different authors. A group of m
voices is known by the r-th share S of its median member, r = (m − 1) / 2 between 3 and 8.

**The null** is the consultation itself: the r-th shares of texts in no group, searched for in the same way among all of them. E(S) is how many texts are
expected that reach S (`klero.campaigns.tails`: counted as far as was seen, an exponential curve with the doubt of its fit beyond). At least m/2 members reach
S, and by Markov's inequality the chance of so many is at most E(S) / (m/2): a statement about all groups that anybody could have found, so the search is paid
for. Groups that turn out to be innocent go back into the null, and p can only rise by that.

**A closed vocabulary** is the second test: letters of one stock run out of words. Of each text with its first r others the different words are counted, and
how many they are short of what so many words hold on that question (rarefaction); the same null, the same bound. p is twice the smaller of both.

A text that is short holds few bits, so a group of short answers is innocent by this test however often they come; nothing here judges anyone's style.
Guarantees: the same numbers on every machine and any number of threads.
Not guaranteed: that people who share a source act together. Cost: 12 alignments for each of at most 4,096 texts, and 256 voices a group.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from klero._native import CAMPAIGNS_TEXT_RANKS, CampaignTexts, campaigns_places
from klero.campaigns.candidates import Progress, read_texts_of
from klero.campaigns.decision import SHORT_WORDS
from klero.campaigns.model import Candidate, Channel, Consultation, Floats, Ints, Null, evenly
from klero.campaigns.tails import Tail, clusters

__all__ = ["LEAST_NULL", "powers", "template_channel"]

RANKS: int = CAMPAIGNS_TEXT_RANKS
LEAST_RANK = 3
"""With so many others, which is fewer than a group has: texts in no group may have as many."""
LEAST_NULL = 40
"""Texts in no group, at least: fewer are no null."""
INNOCENT = 0.05
"""A group with a larger p goes back into the null."""
FLOOR_BITS, FLOOR_WORDS = 4.0, 2.0
"""The mean excess is never believed to be smaller: two texts that share more bits than the rest do so by leaps of a word, which tells about eight."""
DRAWS = 199
"""Groups that are drawn to show a group's vocabulary beside."""
TOLD = 0.5
"""A group with a larger p is told without its vocabulary and its rarest strings."""


@dataclass(frozen=True)
class _Measured:
    """Texts as they were measured: arrays with a row for each."""

    text: Ints
    voices: Floats
    words: Ints
    telling: Ints
    told: Floats
    shared: Floats
    others: Ints
    missing: Floats

    @classmethod
    def of(cls, columns: Mapping[str, bytes]) -> _Measured:
        def whole(name: str) -> Ints:
            return np.frombuffer(columns[name], np.uint32).astype(np.int64)

        def numbers(name: str) -> Floats:
            return np.frombuffer(columns[name], np.float64)

        return cls(
            text=whole("text"),
            voices=whole("voices").astype(np.float64),
            words=whole("words"),
            telling=whole("telling"),
            told=numbers("told"),
            shared=numbers("shared").reshape(-1, RANKS),
            others=whole("with").reshape(-1, RANKS),
            missing=numbers("missing").reshape(-1, RANKS),
        )


@dataclass(frozen=True)
class _Test:
    """A statistic, by rank: of the null and how it is told."""

    statistic: str
    null: Floats
    floor: float


def template_channel(
    c: Consultation, candidates: Sequence[Candidate], *, threads: int, progress: Progress = None
) -> list[Channel]:
    """What the template channel says of each group.

    Args:
        c: the consultation.
        candidates: groups of contributions; one of voters alone is not tested.
        threads: at most.
        progress: called with the name of a step and a count.
    """
    asked = [why_not(one) for one in candidates]
    tested = [one for one, why in zip(candidates, asked, strict=True) if not why]
    if tested:
        texts = read_texts_of(c, threads=threads, progress=progress)
        rows, kept = _given(tested)
        total, null_columns, group_columns = texts.measure(rows, kept, threads=threads, progress=progress)
        null = _Measured.of(null_columns)
        _NULLS[c] = (_key(rows, kept), total, null)
        if len(null.text) < LEAST_NULL:
            asked = [why or "too-few" for why in asked]
            tested = []
    if not tested:
        return [Channel("template", None, why_not=why) for why in asked]
    measured = _tested(tested, [_Measured.of(columns) for columns in group_columns], null, total)
    told = iter(_with_words(c, texts, rows, kept, measured, threads, progress))
    return [Channel("template", None, why_not=why) if why else next(told) for why in asked]


def why_not(one: Candidate) -> str:
    """Why a group is not tested; nothing if it is. What was found by its moment is asked for its meaning, not for its wording."""
    if not len(one.rows):
        return "no-texts"
    return "not-asked" if one.found_by == "time" else ""


_NULLS: WeakKeyDictionary[Consultation, tuple[bytes, int, _Measured]] = WeakKeyDictionary()
"""What was measured last of texts in no group: for the limits, which are asked for after the groups."""


def _given(candidates: Sequence[Candidate]) -> tuple[list[list[int]], list[bool]]:
    """Rows of groups, and which of them are kept out of the null: those that were chosen by their words."""
    return [one.rows.tolist() for one in candidates], [
        one.kind in ("copies", "template") for one in candidates
    ]


def _key(rows: Sequence[Sequence[int]], kept: Sequence[bool]) -> bytes:
    out = sorted({row for group, keep in zip(rows, kept, strict=True) if keep for row in group})
    return hashlib.sha256(np.array(out, np.int64).tobytes()).digest()


def _null_of(
    c: Consultation, candidates: Sequence[Candidate], threads: int, progress: Progress
) -> tuple[int, _Measured]:
    """How many texts are in no group, and those that were measured."""
    rows, kept = _given([one for one in candidates if not why_not(one)])
    known = _NULLS.get(c)
    if known is None or known[0] != _key(rows, kept):
        texts = read_texts_of(c, threads=threads, progress=progress)
        out = [group for group, keep in zip(rows, kept, strict=True) if keep]
        total, columns, _ = texts.measure(out, [True] * len(out), threads=threads, progress=progress)
        known = (_key(rows, kept), total, _Measured.of(columns))
        _NULLS[c] = known
    return known[1], known[2]


def _with_words(
    c: Consultation,
    texts: CampaignTexts,
    rows: list[list[int]],
    kept: list[bool],
    measured: Sequence[_Told],
    threads: int,
    progress: Progress,
) -> list[Channel]:
    """The channel of each group; with its vocabulary and rarest strings where anybody would ask for them."""
    shown = [at for at, (p, _, _) in enumerate(measured) if p <= TOLD]
    vocabulary, rare = dict[int, tuple[int, float, list[float]]](), dict[int, list[dict[str, object]]]()
    if shown:
        # All groups are given, so that the same texts are kept out; those that nobody asks for are empty.
        some = [group if at in set(shown) else [] for at, group in enumerate(rows)]
        kept_out = [row for group, keep in zip(rows, kept, strict=True) if keep for row in group]
        beside = texts.vocabulary(
            [*some, kept_out],
            [False] * len(some) + [True],
            DRAWS,
            c.seed,
            threads=threads,
            progress=progress,
        )
        strings = texts.strings(some, threads=threads, progress=progress)
        vocabulary = {at: beside[at] for at in shown}
        rare = {at: _rare(c, strings[at]) for at in shown}
    return [
        Channel(
            "template",
            p,
            effect={**effect, **(_vocabulary(vocabulary[at]) if at in vocabulary else {})},
            nulls=nulls,
            details={"rare": rare.get(at, [])},
        )
        for at, (p, effect, nulls) in enumerate(measured)
    ]


def powers(
    c: Consultation,
    candidates: Sequence[Candidate],
    sizes: Sequence[int],
    level: float,
    *,
    threads: int,
    progress: Progress = None,
) -> dict[str, dict[int, float]]:
    """How often a wording would be seen that so many voices share, by size.

    Each text of the null with more than `SHORT_WORDS` words is taken for the source once: of «copies» every member shares all that the text tells, of a
    «template» half of it.

    Args:
        candidates: groups that were tested, which are kept out of the null.
        level: the largest p that is shown.
    """
    total, null = _null_of(c, candidates, threads, progress)
    told = null.told[null.words > SHORT_WORDS]
    unseen = dict.fromkeys(sizes, 0.0)
    if len(null.text) < LEAST_NULL or not len(told):
        return {"copies": unseen, "template": unseen}
    tails = _Tails(null, (_Test("shared-bits", null.shared, FLOOR_BITS),), total / len(null.text), [])
    out: dict[str, dict[int, float]] = {}
    for pattern, share in (("copies", 1.0), ("template", 0.5)):
        out[pattern] = {}
        for size in sizes:
            tail = tails.of(0, rank_of(size))
            # Two tests are made of a wording, so the smaller p is doubled.
            ps = [2.0 * tail.expected(share * bits) / (size / 2) for bits in told.tolist()]
            out[pattern][size] = float(np.mean(np.array(ps) <= level))
    return out


def rank_of(voices: int) -> int:
    """With how many others a member of a group of so many voices is compared."""
    return max(LEAST_RANK, min(RANKS, (voices - 1) // 2))


_Told = tuple[float, dict[str, float], tuple[Null, ...]]


def _tested(
    candidates: Sequence[Candidate], groups: Sequence[_Measured], null: _Measured, total: int
) -> list[_Told]:
    """p, effects and nulls of each group."""
    scale = total / len(null.text)
    tests = (
        _Test("shared-bits", null.shared, FLOOR_BITS),
        _Test("missing-words", null.missing, FLOOR_WORDS),
    )
    first = _Tails(null, tests, scale, [])
    before = [_ps(first, one, group) for one, group in zip(candidates, groups, strict=True)]
    innocent = [group for group, ps in zip(groups, before, strict=True) if _least(ps) > INNOCENT]
    second = _Tails(null, tests, scale, innocent)
    out: list[_Told] = []
    for one, group, ps in zip(candidates, groups, before, strict=True):
        rank = rank_of(one.voices)
        p = _least(ps)
        if p <= INNOCENT:
            p = _least(tuple(map(max, ps, _ps(second, one, group))))
        nulls = tuple(
            first.null(number, rank, _median(values[:, rank - 1]))
            for number, values in enumerate((group.shared, group.missing))
        )
        out.append((p, _effect(group, rank), nulls))
    return out


class _Tails:
    """What chance gives by rank and test, fitted when it is asked for."""

    def __init__(
        self, null: _Measured, tests: tuple[_Test, ...], scale: float, innocent: Sequence[_Measured]
    ):
        self._null, self._tests, self._scale, self._innocent = null, tests, scale, innocent
        self._place = {text: at for at, text in enumerate(null.text.tolist())}
        self._known: dict[tuple[int, int], Tail] = {}
        self._pictures: dict[tuple[int, int], tuple[float, ...]] = {}

    def null(self, test: int, rank: int, observed: float) -> Null:
        """What a group's value is compared with, as it is told; groups of one rank share one picture."""
        values = self._tests[test].null[:, rank - 1]
        picture = self._pictures.setdefault((test, rank), evenly(np.sort(values)))
        exceed = int((values >= observed).sum())
        return Null(self._tests[test].statistic, observed, picture, len(values), exceed, "exponential")

    def of(self, test: int, rank: int) -> Tail:
        """The tail of a test's values at a rank."""
        key = (test, rank)
        if key not in self._known:
            self._known[key] = self._fitted(test, rank)
        return self._known[key]

    def _fitted(self, test: int, rank: int) -> Tail:
        null = self._null
        values = self._tests[test].null[:, rank - 1]
        partners = np.vectorize(lambda text: self._place.get(text, -1), otypes=[np.int64])(
            null.others[:, :rank]
        )
        number = clusters(values, partners)
        # A text of the sample stands for many; one of a group that went back, for itself.
        parts, weights, numbers = [values], [null.voices * self._scale], [number]
        for at, group in enumerate(self._innocent):
            own = (group.shared, group.missing)[test][:, rank - 1]
            parts.append(own)
            weights.append(np.ones(len(own)))
            numbers.append(np.full(len(own), len(values) + at))
        return Tail.of(
            np.concatenate(parts),
            np.concatenate(weights),
            np.concatenate(numbers),
            scale=1.0,
            floor=self._tests[test].floor,
        )


def _ps(tails: _Tails, one: Candidate, group: _Measured) -> tuple[float, ...]:
    """p of each test: E(S) / (m/2)."""
    rank = rank_of(one.voices)
    values = (_median(group.shared[:, rank - 1]), _median(group.missing[:, rank - 1]))
    return tuple(
        min(1.0, tails.of(test, rank).expected(value) / (one.voices / 2)) for test, value in enumerate(values)
    )


def _least(ps: tuple[float, ...]) -> float:
    return min(1.0, len(ps) * min(ps))


def _median(values: Floats) -> float:
    """What at least half of them reach."""
    return float(np.sort(values)[::-1][(len(values) + 1) // 2 - 1]) if len(values) else 0.0


def _effect(group: _Measured, rank: int) -> dict[str, float]:
    return {
        "shared_bits_median": round(_median(group.shared[:, rank - 1]), 1),
        "told_bits_median": round(_median(group.told), 1),
        "words_median": _median(group.words.astype(np.float64)),
        "telling_words_median": _median(group.telling.astype(np.float64)),
    }


def _vocabulary(beside: tuple[int, float, list[float]]) -> dict[str, float]:
    words, observed, drawn = beside
    if not drawn:
        return {}
    return {
        "vocabulary": round(observed, 1),
        "vocabulary_expected": round(float(np.mean(drawn)), 1),
        "vocabulary_words": float(words),
    }


def _rare(c: Consultation, strings: Sequence[tuple[int, int, int, int, int]]) -> list[dict[str, object]]:
    """The rarest words in a row, as the first who has them wrote them."""
    told: list[dict[str, object]] = []
    for row, first, words, members, others in strings:
        data = c.texts[row].encode()
        places = campaigns_places(c.texts[row])[first : first + words]
        if places:
            text = data[places[0][0] : places[-1][1]].decode()
            told.append({"text": text, "members": members, "others": others})
    return told
