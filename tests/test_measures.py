"""Measures of groups: exact, and the same as by counting pairs and members one by one."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.errors import InputError
from klero.themes.measures import (
    Exclusion,
    Treatment,
    adjusted_rand,
    class_f1,
    contingency,
    exclusion,
    measure,
    rare_recall,
)

TWO = st.integers(0, 24).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 5), min_size=n, max_size=n),
        st.lists(st.integers(-1, 5), min_size=n, max_size=n),
    )
)
QUICK = settings(max_examples=60, deadline=None, derandomize=True)


def ari_by_pairs(truth: list[int], found: list[int]) -> Fraction:
    """Hubert and Arabie's formula (as scikit-learn has it), over all pairs."""
    counted = Counter(
        (truth[a] == truth[b], found[a] == found[b]) for a, b in combinations(range(len(truth)), 2)
    )
    tp, tn = counted[True, True], counted[False, False]
    fn, fp = counted[True, False], counted[False, True]
    if fn == fp == 0:
        return Fraction(1)
    return Fraction(2 * (tp * tn - fn * fp), (tp + fn) * (fn + tn) + (tp + fp) * (fp + tn))


@QUICK
@given(TWO)
def test_whoever_is_thrown_out_stands_alone_if_that_is_asked_for(both: tuple[list[int], list[int]]) -> None:
    truth, found = both
    apart = [label if label >= 0 else 100 + i for i, label in enumerate(found)]
    assert adjusted_rand(truth, found, alone=True) == adjusted_rand(truth, apart)


@QUICK
@given(TWO)
def test_ari_is_that_of_all_pairs(both: tuple[list[int], list[int]]) -> None:
    assert adjusted_rand(*both) == ari_by_pairs(*both) == adjusted_rand(*both[::-1])


# (truth, found, value): sklearn.metrics.adjusted_rand_score, scikit-learn 1.9.1.
SKLEARN = [
    ([0, 0, 1, 1], [0, 0, 1, 2], 0.5714285714285714),
    ([0, 0, 1, 1], [1, 1, 0, 0], 1.0),
    ([0, 0, 0, 0], [0, 1, 2, 3], 0.0),
    ([0, 0, 1, 2], [0, 0, 1, 1], 0.5714285714285714),
    ([0, 1, 0, 1, 2, 2, 2, 0, 1], [0, 0, 1, 1, 2, 2, 0, 0, 1], 0.07142857142857142),
]


@pytest.mark.parametrize(("truth", "found", "value"), SKLEARN)
def test_ari_is_scikit_learn_s(truth: list[int], found: list[int], value: float) -> None:
    assert float(adjusted_rand(truth, found)) == pytest.approx(value, abs=1e-15)


def test_ari_and_f1_are_scikit_learn_s_on_thousands_where_it_is_installed() -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    rng = np.random.default_rng(5)
    truth, found = rng.integers(0, 40, 5000), rng.integers(0, 60, 5000)
    found[:4000] = truth[:4000]
    assert float(adjusted_rand(truth, found)) == pytest.approx(
        metrics.adjusted_rand_score(truth, found), abs=1e-13
    )
    best = class_f1(truth, found, least=1)
    for name in range(3):
        scores = [metrics.f1_score(truth == name, found == label) for label in np.unique(found)]
        assert float(best[name]) == pytest.approx(max(scores), abs=1e-13)


def test_the_pairs_of_millions_do_not_overflow() -> None:
    n = 300_000  # 4.5 · 10^10 pairs, more than 32 bits hold
    truth = np.arange(n, dtype=np.int32) % 2
    assert adjusted_rand(truth, truth) == 1
    # All together against two halves: chance would do as well.
    assert adjusted_rand(truth, np.zeros(n, np.int8)) == 0


@QUICK
@given(TWO, st.fractions(Fraction(1, 20), Fraction(1, 2), max_denominator=50))
def test_rare_recall_f1_and_exclusion_are_those_of_counting_one_by_one(
    both: tuple[list[int], list[int]], share: Fraction
) -> None:
    truth, found = both
    n, sizes, clusters = len(truth), Counter(truth), Counter(found)
    cells = Counter(zip(truth, found, strict=True))
    rare = [c for c in sizes if Fraction(sizes[c], n) < share]
    for least in (1, 2):
        counted = {c: [k for k in clusters if k >= 0 and clusters[k] >= min(least, sizes[c])] for c in sizes}
        assert class_f1(truth, found, least=least) == {
            c: max([Fraction(2 * cells[c, k], sizes[c] + clusters[k]) for k in counted[c]], default=0)
            for c in sizes
        }
    able = [c for c in rare if sizes[c] >= 2]
    own = [
        c
        for c in able
        if any(k >= 0 and cells[c, k] >= 2 and 2 * cells[c, k] >= clusters[k] for k in clusters)
    ]
    assert rare_recall(truth, found, share=share) == (Fraction(len(own), len(able)) if able else None)

    def treated(classes: list[int]) -> Treatment:
        members = [(c, k) for c, k in zip(truth, found, strict=True) if c in classes]
        out = sum(k < 0 for _, k in members)
        absorbed = sum(
            k >= 0 and any(cells[other, k] > cells[c, k] for other in sizes if other != c) for c, k in members
        )
        return Treatment(len(members), out, absorbed)

    common = [c for c in sizes if c not in rare]
    assert exclusion(truth, found, share=share) == Exclusion(treated(rare), treated(common), share)


def test_a_cluster_of_one_of_each_is_nobody_s_own() -> None:
    truth = ["big"] * 1000 + ["a", "a", "b", "b"]
    assert rare_recall(truth, [0] * 1000 + [1, 2, 1, 2]) == 0
    assert rare_recall(truth, [0] * 1000 + [1, 1, 1, 2]) == Fraction(1, 2)
    # Two members among five are no longer half of it.
    assert rare_recall(truth, [0] * 997 + [1, 1, 1, 1, 1, 2, 2]) == Fraction(1, 2)


def test_rare_is_strictly_under_the_share_and_lone_voices_are_not_counted() -> None:
    truth = ["big"] * 995 + ["edge"] * 5
    assert rare_recall(truth, truth) is None  # 5 of 1,000 are 0.5 %, not less
    assert rare_recall([*truth, "big"], [*truth, "big"]) == 1
    assert rare_recall([*truth, "one"], [*truth, "one"]) == 1


def test_disparity_is_one_if_nobody_is_excluded_and_none_if_only_the_rare_are() -> None:
    truth = ["big"] * 1000 + ["few"] * 4
    assert exclusion(truth, truth).disparity == 1
    absorbed = exclusion(truth, [0] * 1004)
    assert absorbed.rare == Treatment(4, 0, 4)
    assert absorbed.disparity is None
    thrown = exclusion(truth, [0] * 900 + [-1] * 100 + [1, 1, -1, -1])
    assert thrown.disparity == Fraction(1, 2) / Fraction(1, 10)
    assert thrown.thrown_out_disparity == thrown.disparity
    assert absorbed.thrown_out_disparity == 1
    assert exclusion(["big"] * 10, [0] * 10).disparity is None


def test_all_in_one_cluster_absorbs_every_class_but_the_largest_and_a_tie_absorbs_nobody() -> None:
    truth = ["big"] * 400 + ["mid"] * 300 + ["other"] * 299 + ["few"]
    one = exclusion(truth, [0] * 1000)
    assert (one.rare, one.common) == (Treatment(1, 0, 1), Treatment(999, 0, 599))
    assert exclusion(["big"] * 996 + ["a", "b", "c", "d"], [0] * 996 + [1, 1, 1, 1]).rare.absorbed == 0


def test_all_measures_come_from_one_table_and_order_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    truth = np.repeat(np.arange(30), np.geomspace(400, 2, 30).astype(int))
    found = np.where(rng.random(len(truth)) < 0.3, rng.integers(-1, 40, len(truth)), truth)
    whole = measure(truth, found)
    shuffled = rng.permutation(len(truth))
    assert measure(truth[shuffled], found[shuffled]) == whole
    assert whole.ari == adjusted_rand(truth, found, alone=True)
    assert whole.rare_recall == rare_recall(truth, found)
    assert whole.exclusion == exclusion(truth, found)
    assert whole.thrown_out == int((found < 0).sum())
    f1 = class_f1(truth, found)
    rare = [f1[c] for c, size in Counter(truth.tolist()).items() if 200 * size < len(truth)]
    assert whole.f1_rare == pytest.approx(float(sum(rare) / len(rare)), abs=1e-15)
    assert whole.to_dict()["ari"] == float(whole.ari)


def test_a_class_in_pieces_of_one_has_no_f1_and_a_class_of_one_has() -> None:
    assert class_f1([1, 1, 1, 2], [0, 1, 2, 3]) == {1: 0, 2: 1}
    assert class_f1([1, 1, 1, 2], [0, 1, 2, 3], least=1) == {1: Fraction(1, 2), 2: 1}


def test_a_perfect_and_a_useless_grouping() -> None:
    truth = ["a"] * 600 + ["b"] * 2
    perfect, useless = measure(truth, truth), measure(truth, [0] * 602)
    assert (perfect.ari, perfect.rare_recall, perfect.f1_rare) == (1, 1, 1.0)
    assert (useless.ari, useless.rare_recall, useless.clusters) == (0, 0, 1)


def test_names_may_be_texts_numbers_or_arrays_of_objects() -> None:
    names = np.array(["x", "y", "x"], dtype=object)
    assert contingency(names, [True, False, True]).count.tolist() == [2, 1]
    assert contingency([], []).total == 0
    assert adjusted_rand([], []) == 1


@pytest.mark.parametrize(
    ("truth", "found", "codes"),
    [
        ([0, 1], [0], ["labels-count"]),
        ([0.5, 1.0], [0, 1], ["labels-type"]),
        ([[0, 1]], [0, 1], ["labels-type"]),
        (["a", None], [1, None], ["labels-type", "labels-type"]),
    ],
)
def test_labels_that_are_none_are_refused(truth: list[int], found: list[int], codes: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        adjusted_rand(truth, found)
    assert [fault.code for fault in caught.value.faults] == codes


@pytest.mark.parametrize(("lang", "word"), [("en", "is 5 "), ("fr", "rapport est de 5,00")])
def test_disparity_is_told_in_plain_words(lang: str, word: str) -> None:
    truth = ["big"] * 1000 + ["few"] * 4
    found = exclusion(truth, [0] * 900 + [-1] * 100 + [1, 1, -1, -1])
    text = found.explain(lang).replace("5.00", "5")
    assert word in text
    assert "1,000" in text or "1\u202f000" in text
    assert "0.5 %" in text or "0,5 %" in text
