"""Minorities: planted groups are looked for as defined, rare and common are compared, sizes and authors counted."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.errors import InputError
from klero.themes import minority_audit
from klero.themes.measures import Treatment, exclusion
from klero.themes.minorities import (
    Audit,
    AuditRow,
    audit_minorities,
    coverage_by_decile,
    distinct_authors,
    exclusion_disparity,
    exclusion_proxy,
)
from klero.themes.minority_audit import fate
from klero.themes.themes import Themes
from themes_fake import FakeThemes, OneTheme, partition_from, planted

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
ROWS, TRUTH = planted([40, 30, 20, 12, 12, 10, 8, 6, 5, 4, 3, 2, 2], lone=10, dimension=100, spread=0.5)


def model() -> FakeThemes:
    return FakeThemes(similarity=0.45)


@pytest.fixture(scope="module")
def audit() -> Audit:
    return audit_minorities(model(), ROWS, sizes=(1, 3, 8, 20), repeats=3, seed=1)


# The fate of a planted group


@QUICK
@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=8), st.lists(st.integers(0, 9), min_size=5, max_size=5)
)
def test_a_fate_is_what_its_definition_says(labels: list[int], more: list[int]) -> None:
    counts = Counter(labels)
    sizes = np.array([counts[k] + more[k] for k in range(5)])
    half = [k for k in counts if Fraction(counts[k], len(labels)) >= Fraction(1, 2)]
    own = [k for k in half if Fraction(counts[k], int(sizes[k])) >= Fraction(1, 2)]
    assert fate(np.array(labels), sizes) == (0 if own else 1 if half else 2)


@pytest.mark.parametrize(
    ("labels", "sizes", "expected"),
    [
        ([3], [9, 9, 9, 2], 0),  # one voice with one other
        ([3], [9, 9, 9, 3], 1),
        ([0, 0, 1, 2], [4, 1, 1], 0),  # half of it, half of the cluster
        ([0, 0, 1, 2], [5, 1, 1], 1),
        ([0, 1, 2], [1, 1, 1], 2),
    ],
)
def test_fates_at_the_edge(labels: list[int], sizes: list[int], expected: int) -> None:
    assert fate(np.array(labels), np.array(sizes)) == expected


# The audit


def test_a_model_that_keeps_small_groups_shows_them_all(audit: Audit) -> None:
    for row in audit.rows:
        if row.planted:
            assert (row.resurfaced, row.planted) == (3, 3), row
    assert audit.reach("varied") == 1
    assert audit.nearest < 0.5 < audit.within


def test_a_model_that_puts_all_together_shows_none_of_them() -> None:
    found = audit_minorities(OneTheme(), ROWS, sizes=(1, 5), repeats=2)
    assert [(row.way, row.planted, row.resurfaced, row.absorbed) for row in found.rows] == [
        ("varied", 2, 0, 2),
        ("varied", 2, 0, 2),
        ("held_out", 0, 0, 0),  # its only group is no small one
        ("held_out", 0, 0, 0),
    ]
    assert found.reach("varied") is None
    # What groups are planted does not depend on the model, so a coarse one gets no easier ones.
    assert found.within == audit_minorities(model(), ROWS, sizes=(1,), repeats=1).within


def test_groups_larger_than_any_small_theme_are_not_planted_from_themes(audit: Audit) -> None:
    assert audit.row("held_out", 8).planted == 3
    assert audit.row("held_out", 20).planted == 0
    assert audit.row("held_out", 20).share is None
    assert (audit.row("held_out", 20).low, audit.row("held_out", 20).high) == (0.0, 1.0)
    with pytest.raises(InputError, match="varied 1, varied 3"):
        audit.row("varied", 2)


def test_the_order_of_rows_changes_nothing_and_the_seed_does() -> None:
    cloud = ROWS + np.random.default_rng(3).standard_normal(ROWS.shape).astype(np.float32) * 0.12
    order = np.random.default_rng(5).permutation(len(ROWS))
    options = {"sizes": (2, 5), "repeats": 3}
    one = audit_minorities(FakeThemes(similarity=0.3), cloud, **options)  # type: ignore[arg-type]
    two = audit_minorities(FakeThemes(similarity=0.3), cloud[order], **options)  # type: ignore[arg-type]
    assert one == two
    other = audit_minorities(FakeThemes(similarity=0.3), cloud, seed=9, **options)  # type: ignore[arg-type]
    assert other.rows != one.rows


def test_what_is_planted_is_taken_out_and_the_model_stays_as_it_is() -> None:
    seen = []

    class Watching(FakeThemes):
        def fit(self, X: np.ndarray, y: object = None) -> FakeThemes:  # type: ignore[override]
            seen.append((X, self.must_link))
            return super().fit(X, y)

    themes = Watching(similarity=0.45, must_link=[(0, 1)])
    found = audit_minorities(themes, ROWS, sizes=(4,), repeats=2)
    assert not hasattr(themes, "partition_")
    assert themes.must_link == [(0, 1)]
    assert {pairs for _, pairs in seen} == {None}
    rows = {row.tobytes() for row in ROWS}
    # Besides the first fit: one contribution gone and four in its place, or a group gone and four of it back.
    assert len(seen) == found.runs + 1
    for fitted, _ in seen[1:]:
        new = sum(row.tobytes() not in rows for row in fitted)
        assert new in (0, 4)
        if new:
            assert len(fitted) == len(ROWS) + 3
        else:
            assert len(fitted) <= len(ROWS)


def test_many_contributions_take_groups_of_all_sizes_in_one_run() -> None:
    rows, _ = planted([25] * 6 + [3] * 10, lone=30, dimension=60, spread=0.4)
    told: list[tuple[str, int]] = []
    small = audit_minorities(
        FakeThemes(similarity=0.4), rows, sizes=(1, 2), repeats=2, progress=lambda *step: told.append(step)
    )
    # Eight groups; a run has room for four voices, and what is taken out for them.
    assert small.runs < 8
    assert told == [("runs", i + 1) for i in range(small.runs)]


def test_klero_s_own_themes_are_audited_the_same_in_any_order() -> None:
    rows, _ = planted([60, 40, 30, 20, 15, 12, 10, 8, 6], lone=20, dimension=100, spread=0.3)
    order = np.random.default_rng(6).permutation(len(rows))
    one = audit_minorities(Themes(threads=1).fit(rows), rows, sizes=(3, 6), repeats=2)
    assert one == audit_minorities(Themes(threads=2), rows[order], sizes=(3, 6), repeats=2)
    assert one.row("varied", 6).resurfaced == 2


def test_a_function_may_make_the_models() -> None:
    assert audit_minorities(model, ROWS, sizes=(2,), repeats=1) == audit_minorities(
        model(), ROWS, sizes=(2,), repeats=1
    )
    with pytest.raises(InputError, match="model-type"):
        audit_minorities(3, ROWS)  # type: ignore[arg-type]


def test_variations_are_as_alike_as_the_corpus_own_neighbours() -> None:
    ground = minority_audit._surveyed(model(), ROWS, None, None, 0)
    made = minority_audit._variations(ground, int(ground.far[0]), 200, "test")
    moved = made - ground.mean
    unit = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    pairs = (unit @ unit.T)[np.triu_indices(200, 1)]
    # Each pair differs in a direction of its own: on average they are as alike as the pairs they were made from.
    assert np.mean(pairs) == pytest.approx(np.mean(np.sqrt(ground.alike)) ** 2, abs=0.02)
    assert len({row.tobytes() for row in made}) > 50


class Counting:
    """An embedder of texts of these tests: how often each letter comes."""

    def __init__(self, width: int = 26) -> None:
        self.width = width
        self.texts: list[str] = []

    def embed(self, texts: list[str]) -> np.ndarray:
        self.texts += texts
        table = np.zeros((len(texts), self.width), np.float32)
        for row, text in zip(table, texts, strict=True):
            for letter in text:
                if letter.isalpha():
                    row[(ord(letter.lower()) - 97) % self.width] += 1
        return table + 0.01


TEXTS = [
    f"{word} " * 3 + " ".join(f"{word}{extra}" for extra in "abcdefg"[i % 4 :])
    for word in ("tram", "school", "river", "bakery", "library", "zoo", "wifi", "quay")
    for i in range(6)
]


def test_texts_are_reworded_and_embedded() -> None:
    embedder = Counting()
    found = audit_minorities(
        FakeThemes(similarity=0.6),
        embedder.embed(TEXTS),
        sizes=(2,),
        repeats=2,
        texts=TEXTS,
        embedder=embedder,
    )
    assert [row.way for row in found.rows] == ["varied", "held_out", "reworded"]
    made = embedder.texts[len(TEXTS) :]
    assert len(made) == 4
    originals = [Counter(text.split()) for text in TEXTS]
    for text in made:
        words = Counter(text.split())
        assert any(words <= original and 2 * words.total() >= original.total() for original in originals)
        assert text not in TEXTS
    assert "Rewordings" in found.explain()


def test_an_embedder_of_another_length_is_told() -> None:
    vectors = Counting().embed(TEXTS)
    with pytest.raises(InputError, match="vectors-width"):
        audit_minorities(
            FakeThemes(similarity=0.6), vectors, sizes=(1,), repeats=1, texts=TEXTS, embedder=Counting(9)
        )


def test_options_that_are_none_are_told_together() -> None:
    with pytest.raises(InputError) as caught:
        audit_minorities(model(), ROWS, sizes=(0, 2), repeats=0, seed=True, texts=TEXTS, progress=1)  # type: ignore[arg-type]
    assert [fault.code for fault in caught.value.faults] == [
        "option-range",
        "option-range",
        "option-range",
        "option-unknown",
        "options-conflict",
    ]
    for sizes in ((), "123", 3):
        with pytest.raises(InputError, match="sizes is"):
            audit_minorities(model(), ROWS, sizes=sizes)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="labels-count"):
        audit_minorities(model(), ROWS, texts=["a"], embedder=Counting())


@pytest.mark.parametrize("rows", [ROWS[:5], np.eye(30, dtype=np.float32)])
def test_contributions_without_groups_can_not_be_audited(rows: np.ndarray) -> None:
    with pytest.raises(InputError, match="themes-too-few"):
        audit_minorities(model(), rows)


def test_copies_alone_are_planted_as_copies() -> None:
    rows = np.repeat(np.eye(12, dtype=np.float32), 3, axis=0)
    found = audit_minorities(model(), rows, sizes=(2,), repeats=2)
    assert found.row("varied", 2).resurfaced == 2


def test_reach_asks_that_all_larger_sizes_resurface_too() -> None:
    def row(size: int, hits: int) -> AuditRow:
        return AuditRow("varied", size, 10, hits, 10 - hits, 0, 0.0, 1.0)

    found = Audit((row(1, 9), row(2, 3), row(3, 8), row(5, 10)), 100, 10, 0, 5, 0.2, 0.8, "x")
    assert found.reach("varied") == 3
    assert found.reach("varied", Fraction(9, 10)) == 5
    assert found.reach("held_out") is None


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("en", ["- 1 voice: 3 of 3 resurface (95 % interval: 29 % to 100 %)", "From 1 voice on", "- 20 voices: no group"]),
        ("fr", ["- 1 voix\u00a0: ressortis 3 sur 3", "À partir de 1 voix", "aucun groupe n’a pu"]),
    ],
)  # fmt: skip
def test_an_audit_is_told_in_plain_words(audit: Audit, lang: str, words: list[str]) -> None:
    text = audit.explain(lang)
    for word in words:
        assert word in text.replace("95\u00a0%", "95 %")
    record = json.loads(json.dumps(audit.to_dict(), allow_nan=False))
    assert record["rows"][0]["share"] == 1.0
    assert record["algorithm"] == "klero-minority-audit/1"


def test_nobody_far_from_others_is_told() -> None:
    rows, _ = planted([30, 30], dimension=4, spread=0.5)
    found = audit_minorities(FakeThemes(similarity=0.2), rows, sizes=(1,), repeats=1)
    assert (found.nearest >= found.within) == ("nobody here is really far" in found.explain())


# Exclusion


def test_disparity_of_known_groups_is_that_of_the_measures() -> None:
    partition = model().fit(ROWS).partition_
    share = Fraction(1, 20)
    assert exclusion_disparity(partition, TRUTH, share=share) == exclusion(
        TRUTH, partition.labels, share=share
    )
    one = OneTheme().fit(ROWS).partition_
    assert exclusion_disparity(one, TRUTH, share=share).rare.rate == 1


def test_the_proxy_counts_whoever_stands_in_a_theme_unlike_them() -> None:
    fitted = OneTheme().fit(ROWS)
    unit = fitted.centred(ROWS)
    found = exclusion_proxy(fitted.partition_, unit)
    assert found.sparse.members + found.others.members == len(ROWS)
    # By the definition, pair by pair.
    similar = unit.astype(np.float64) @ unit.T
    np.fill_diagonal(similar, -2)
    fifth = np.sort(similar, axis=1)[:, -5]
    order = np.argsort(fifth)
    company = np.median(fifth[order[len(order) // 2 :]])
    assert found.company == pytest.approx(company, abs=1e-3)
    fit = fitted.partition_.fit.astype(np.float64)
    out = np.sign(fit) * fit**2 < company / 2
    few = len(order) // 5
    assert found.sparse == Treatment(few, 0, int(out[order[:few]].sum()))
    assert found.others == Treatment(len(order) - few, 0, int(out[order[few:]].sum()))
    # A model that keeps the lone apart puts hardly anybody out of place.
    kept = exclusion_proxy(model().fit(ROWS).partition_, unit)
    assert kept.sparse.rate < Fraction(1, 10) < found.sparse.rate
    assert kept.others.rate == 0


def test_the_proxy_is_the_same_in_any_order_and_for_a_sample() -> None:
    fitted = OneTheme().fit(ROWS)
    unit = fitted.centred(ROWS)
    order = np.random.default_rng(1).permutation(len(ROWS))
    moved = partition_from(unit[order], np.zeros(len(ROWS)))
    assert exclusion_proxy(moved, unit[order], sample=50) == exclusion_proxy(
        fitted.partition_, unit, sample=50
    )
    for lang, word in (("en", "least company"), ("fr", "moins entourées")):
        assert word in exclusion_proxy(moved, unit[order], sample=50).explain(lang)
    json.dumps(exclusion_proxy(moved, unit[order]).to_dict(), allow_nan=False)


def test_the_proxy_refuses_other_vectors_and_too_few() -> None:
    partition = model().fit(ROWS).partition_
    with pytest.raises(InputError, match="labels-count"):
        exclusion_proxy(partition, ROWS[:9], sample=20)
    few = partition_from(ROWS[:5], np.arange(5))
    with pytest.raises(InputError) as caught:
        exclusion_proxy(few, ROWS[:5], sample=2, seed=-1)
    assert [fault.code for fault in caught.value.faults] == ["option-range", "option-range", "themes-too-few"]


# Coverage


@QUICK
@given(st.lists(st.integers(1, 30), min_size=1, max_size=40), st.data())
def test_deciles_hold_whole_clusters_and_all_contributions(sizes: list[int], data: st.DataObject) -> None:
    unit = np.ones((sum(sizes), 2), np.float32) / np.float32(np.sqrt(2))
    partition = partition_from(unit, np.repeat(np.arange(len(sizes)), sizes))
    rows = data.draw(st.lists(st.integers(0, sum(sizes) - 1), max_size=10))
    found = coverage_by_decile(partition, rows)
    assert sum(decile.contributions for decile in found.deciles) == sum(sizes)
    assert sum(decile.clusters for decile in found.deciles) == len(sizes)
    assert sum(decile.quoted for decile in found.deciles) == len(set(rows))
    assert sum(decile.clusters_quoted for decile in found.deciles) == len(
        set(partition.labels[rows].tolist())
    )
    pairs = [(decile.smallest, decile.largest) for decile in found.deciles]
    assert all(a[1] <= b[0] for a, b in pairwise(pairs))
    # The middle of each cluster lies in its decile.
    before = Fraction(0)
    of_size = defaultdict(set)
    for size in sorted(sizes):
        of_size[size].add(min(10, 10 * (before + Fraction(size, 2)) // sum(sizes) + 1))
        before += size
    for decile in found.deciles:
        assert decile.number in of_size[decile.smallest] | of_size[decile.largest]


def test_small_groups_that_fit_worse_or_are_not_quoted_are_seen() -> None:
    unit = np.array([[1, 0]] * 8 + [[0.6, 0.8], [0.6, -0.8]], np.float32)
    partition = partition_from(unit, np.array([0] * 8 + [1, 1]))
    found = coverage_by_decile(partition, [0])
    small, large = found.deciles
    assert (small.number, small.contributions, small.quoted, small.clusters_quoted) == (2, 2, 0, 0)
    assert (large.number, large.contributions, large.quoted, large.clusters_quoted) == (7, 8, 1, 1)
    assert small.mean_fit == pytest.approx(0.6, abs=1e-6)
    assert small.weakest_fit <= small.mean_fit < large.mean_fit
    assert "0 of 2 contributions are shown" in found.explain()
    assert "Contributions montrées\u00a0: 0 sur 2" in found.explain("fr")
    assert "shown" not in coverage_by_decile(partition).explain()
    assert json.loads(json.dumps(found.to_dict()))["deciles"][0]["clusters"] == 1
    with pytest.raises(InputError, match="option-range"):
        coverage_by_decile(partition, [10])


# Authors


@QUICK
@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from(["a", "b", "c", None, ""])), min_size=1, max_size=40
    )
)
def test_authors_are_counted_one_by_one(rows: list[tuple[int, str | None]]) -> None:
    names = [author for _, author in rows]
    partition = partition_from(np.ones((len(rows), 1), np.float32), np.array([label for label, _ in rows]))
    if not any(names):
        with pytest.raises(InputError, match="authors-missing"):
            distinct_authors(partition, names)
        return
    found = distinct_authors(partition, names)
    for label, size in enumerate(partition.sizes):
        own = [name for name, at in zip(names, partition.labels, strict=True) if at == label]
        counts = Counter(name for name in own if name)
        assert found.authors[label] == len(counts)
        assert found.unknown[label] == size - counts.total()
        assert found.most[label] == max(counts.values(), default=0)
        assert (label in found.single) == (size >= 2 and len(counts) == 1 and counts.total() == size)
    assert found.total == len({name for name in names if name})


def test_a_theme_of_one_author_is_told() -> None:
    partition = partition_from(np.ones((9, 1), np.float32), np.array([0] * 5 + [1, 1, 1, 2]))
    found = distinct_authors(partition, ["x"] * 5 + ["x", "y", None, "z"])
    assert found.single == (0,)
    assert found.explain(label=0) == "5 contributions, 1 author. One single author carries it."
    assert (
        found.explain(label=1)
        == "3 contributions, 2 authors. The most by one author: 1. 1 more names no author."
    )
    assert found.explain() == "3 authors are named.\nThemes carried by one single author: 1 of 1."
    assert "Un seul auteur" in found.explain("fr", label=0)
    assert json.loads(json.dumps(found.to_dict()))["single"] == [0]
    with pytest.raises(InputError, match="no cluster"):
        found.explain(label=3)


@pytest.mark.parametrize(
    "authors",
    [
        np.array([7, 7, 8]),
        np.array(["7", "7", "8"]),
        pd.Series([7, 7, 8]),
        pd.Series(["7", "7", None], dtype="string"),
        pd.Series([7, 7, None], dtype="Int64"),
    ],
)
def test_authors_come_from_any_column(authors: np.ndarray) -> None:
    partition = partition_from(np.ones((3, 1), np.float32), np.array([0, 0, 1]))
    found = distinct_authors(partition, authors)
    assert found.authors[0] == 1
    assert found.single == (0,)


@pytest.mark.parametrize(
    ("authors", "code"),
    [(None, "authors-missing"), ([None, "", float("nan")], "authors-missing"), (["a"], "authors-count")],
)
def test_without_authors_the_question_is_refused(authors: list[str] | None, code: str) -> None:
    partition = partition_from(np.ones((3, 1), np.float32), np.array([0, 0, 1]))
    with pytest.raises(InputError) as caught:
        distinct_authors(partition, authors)
    assert [fault.code for fault in caught.value.faults] == [code]
