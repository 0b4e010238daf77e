"""Made-up corpora in which matches are frequent, and what it means that klero and the slow oracle say the same."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from klero.voices.near_duplicates import NearDuplicates
from neardup_oracle import Id, Result

# Fractions that small sets have: similarities that are exactly the threshold are frequent.
THRESHOLDS = (0.3, 1 / 3, 0.4, 0.5, 3 / 5, 2 / 3, 0.7, 3 / 4, 0.8, 5 / 6, 6 / 7, 0.9, 1.0)
SEPARATORS = (" ", " ", " ", ", ", "… ", "\n", " – ")


def edited(words: Sequence[str], vocabulary: Sequence[str], rng: random.Random, most: int) -> list[str]:
    """The words with up to `most` of them replaced, deleted, doubled, added or swapped."""
    out = list(words)
    for _ in range(rng.randint(0, most)):
        at = rng.randrange(len(out) + 1)
        what = rng.randrange(5)
        if what == 0 or at == len(out):
            out.insert(at, rng.choice(vocabulary))
        elif what == 1:
            del out[at]
        elif what == 2:
            out[at] = rng.choice(vocabulary)
        elif what == 3:
            out.insert(at, out[at])
        else:
            other = rng.randrange(len(out))
            out[at], out[other] = out[other], out[at]
    return out


def written(words: Sequence[str], rng: random.Random) -> str:
    """With capitals and punctuation that must not count."""
    text = "".join(word + rng.choice(SEPARATORS) for word in words)
    return text.upper() if rng.random() < 0.1 else text.capitalize() if rng.random() < 0.3 else text


def corpus(rng: random.Random, texts: int, words: int, vocabulary: int) -> list[str | None]:
    """Up to `texts` texts of up to `words` words: some of their own, some edited from one that is there, some empty."""
    known = [f"m{number}" for number in range(vocabulary)]
    made: list[list[str]] = []
    out: list[str | None] = []
    for _ in range(rng.randint(1, texts)):
        kind = rng.random()
        if kind < 0.06:
            out.append(rng.choice((None, "", "  ", "?!", "😀", "\u00ad")))
            continue
        one = rng.choices(known, k=rng.randint(1, words))
        if made and kind < 0.6:
            one = edited(rng.choice(made), known, rng, most=max(1, words // 5))
        made.append(one)
        out.append(written(one, rng))
    return out


def assert_same(found: NearDuplicates, expected: Result, *, pairs: bool = True) -> None:
    """Everything that both say: floats to the last bit."""
    assert found.group.tolist() == list(expected.group)
    for one, other in zip(found.similarity.tolist(), expected.similarity, strict=True):
        assert one == other or (math.isnan(one) and math.isnan(other))
    assert [
        (group.id, group.representative, group.size, group.distinct, group.weakest_edge, tuple(group.members))
        for group in found.groups
    ] == [
        (group.id, group.representative, group.size, group.distinct, group.weakest_edge, group.members)
        for group in expected.groups
    ]
    counts, known = found.counts, expected.counts
    assert (counts.texts, counts.grouped, counts.alone, counts.empty, counts.groups, counts.distinct) == (
        known.texts,
        known.grouped,
        known.alone,
        known.empty,
        known.groups,
        known.distinct,
    )
    assert counts.texts == counts.grouped + counts.alone + counts.empty
    if pairs:
        listed = sorted(
            (position(found, a), position(found, b), similarity) for a, b, similarity in found.pairs()
        )
        assert listed == sorted(
            (position(found, pair.a), position(found, pair.b), pair.similarity if pair.shared else 1.0)
            for pair in expected.pairs
        )


def position(found: NearDuplicates, name: Id) -> int:
    return found.row_of(name)


def partition(found: NearDuplicates) -> frozenset[frozenset[Id]]:
    return frozenset(frozenset(group.members) for group in found.groups)
