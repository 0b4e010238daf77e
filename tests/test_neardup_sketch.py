"""Sketches: bands for a recall that is kept, in theory and on texts; what they find is verified from the words."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

import klero
from klero import _native
from klero.errors import InputError
from klero.voices.near_duplicates import near_duplicates


def share(bands: int, rows: int, similarity: Fraction) -> Fraction:
    """1 − (1 − s^r)^b, exactly."""
    return 1 - (1 - similarity**rows) ** bands


@pytest.mark.parametrize("hundredths", range(30, 101, 5))
@pytest.mark.parametrize("thousandths", [500, 900, 990, 999])
def test_a_plan_keeps_its_recall_in_exact_fractions(hundredths: int, thousandths: int) -> None:
    bands, rows, recall, curve = _native.neardup_plan(hundredths / 100, thousandths / 1000)
    exact = share(bands, rows, Fraction(hundredths, 100))
    assert exact >= Fraction(thousandths, 1000)
    assert abs(recall - exact) < 1e-9
    assert bands <= 64
    assert all(abs(p - share(bands, rows, Fraction(i, 20))) < 1e-9 for i, (_s, p) in enumerate(curve))


@pytest.mark.parametrize(
    ("threshold", "recall"),
    [(0.0, 0.9), (1.5, 0.9), (0.8, 0.0), (0.8, 1.0), (float("nan"), 0.9), (0.01, 0.999)],
)
def test_there_is_no_plan_out_of_range(threshold: float, recall: float) -> None:
    with pytest.raises(ValueError, match="recall"):
        _native.neardup_plan(threshold, recall)


def pairs_at(similarity: Fraction, count: int, size: int, seed: int) -> list[str]:
    """Texts in pairs, one after the other; the two of a pair share so much of their words (shingle=1), and no others share anything."""
    chance = random.Random(seed)
    texts = []
    for pair in range(count):
        # shared / (2 · size − shared) = similarity
        shared = round(2 * size * similarity / (1 + similarity))
        words = [f"p{pair}x{i}y{chance.randrange(10**6)}" for i in range(2 * size - shared)]
        texts += [" ".join(words[:size]), " ".join(words[size - shared :])]
    return texts


@pytest.mark.parametrize(("size", "recall"), [(9, 0.8), (18, 0.9), (90, 0.9)])
def test_the_share_of_pairs_found_at_the_threshold_is_the_expected_one(size: int, recall: float) -> None:
    count = 1500
    texts = pairs_at(Fraction(4, 5), count, size, seed=size)
    found = near_duplicates(texts, threshold=0.8, mode="sketch", recall=recall, shingle=1)
    expected = _native.neardup_plan(0.8, recall)[2]
    deviation = (expected * (1 - expected) / count) ** 0.5
    assert abs(found.counts.groups / count - expected) < 4 * deviation
    assert found.counts.groups / count >= recall - 4 * deviation


def test_pairs_below_the_threshold_are_never_grouped() -> None:
    texts = pairs_at(Fraction(3, 4), 500, 70, seed=1)
    found = near_duplicates(texts, threshold=0.8, mode="sketch", recall=0.9999, shingle=1)
    assert found.counts.grouped == 0


def families(seed: int, count: int = 120) -> list[str]:
    chance = random.Random(seed)
    texts = ["", "!", "Oui", "oui.", "ok"]
    for _ in range(count):
        letter = [f"m{chance.randrange(3000)}" for _ in range(chance.randint(4, 80))]
        for _ in range(chance.randint(1, 5)):
            words = list(letter)
            for _ in range(chance.randint(0, 2)):
                words[chance.randrange(len(words))] = f"m{chance.randrange(3000)}"
            texts.append(" ".join(words))
    chance.shuffle(texts)
    return texts


def test_a_sketch_of_high_recall_finds_the_groups_of_exact_mode() -> None:
    texts = families(4)
    exact = near_duplicates(texts, threshold=0.7, mode="exact")
    sketch = near_duplicates(texts, threshold=0.7, mode="sketch", recall=0.9999)
    assert sketch.to_arrow() == exact.to_arrow()
    assert (sketch.settings.mode, sketch.settings.recall) == ("sketch", 0.9999)
    assert (exact.settings.mode, exact.settings.recall) == ("exact", None)
    assert sketch.digest == exact.digest
    assert exact.plan is None
    assert sketch.plan is not None
    assert sketch.plan.recall >= 0.9999


def test_groups_by_sketch_lie_within_those_of_exact_mode_and_copies_are_always_together() -> None:
    texts = families(5)
    exact = near_duplicates(texts, threshold=0.5, mode="exact")
    sketch = near_duplicates(texts, threshold=0.5, mode="sketch", recall=0.5)
    for group in sketch.groups:
        assert len({int(exact.group[one]) for one in group.members}) == 1
    assert sketch.group[texts.index("Oui")] == sketch.group[texts.index("oui.")] >= 0


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_and_order_change_nothing(threads: int) -> None:
    texts = families(6)
    ids = [f"i{i}" for i in range(len(texts))]
    whole = near_duplicates(texts, ids=ids, threshold=0.6, mode="sketch", recall=0.8, threads=1)
    order = list(range(len(texts)))
    random.Random(9).shuffle(order)
    other = near_duplicates(
        [texts[i] for i in order],
        ids=[ids[i] for i in order],
        threshold=0.6,
        mode="sketch",
        recall=0.8,
        threads=threads,
    )
    assert list(other.groups) == list(whole.groups)
    assert other.digest == whole.digest


def test_the_sketches_have_a_version() -> None:
    assert _native.MINHASH_ALGORITHM == "klero-minhash/1"


def test_containment_has_no_sketch() -> None:
    with pytest.raises(InputError, match="sketch mode") as caught:
        klero.near_duplicates(["a"], measure="containment", mode="sketch")
    assert [fault.code for fault in caught.value.faults] == ["options-conflict"]
