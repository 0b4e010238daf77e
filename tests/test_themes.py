"""Themes as people use them: groups that account for everybody, whatever the order; levels and cuts; ties; mistakes."""

from __future__ import annotations

import pickle
from itertools import pairwise

import numpy as np
import pytest

from estimator_cases import EXPECTED, ZEROS, sklearn_checks
from klero import InputError, Partition, Themes, embed
from klero.errors import NotFittedError
from klero.themes.partition import KINDS


def mixture(
    seed: int = 0, topics: int = 12, d: int = 96, noise: float = 0.7, most: int = 120
) -> tuple[np.ndarray, np.ndarray]:
    """Topics of Zipf's sizes around random directions, and as many lone voices as topics."""
    rng = np.random.default_rng(seed)
    sizes = np.maximum(3, most // np.arange(1, topics + 1))
    topic = np.concatenate([np.repeat(np.arange(topics), sizes), -1 - np.arange(topics)])
    centres = rng.standard_normal((2 * topics, d)) / np.sqrt(d)
    X = centres[topic] + noise * rng.standard_normal((len(topic), d)) / np.sqrt(d)
    order = rng.permutation(len(topic))
    return X[order].astype(np.float32), topic[order]


X, TOPIC = mixture()
MODEL = Themes().fit(X)


def test_everybody_is_in_a_group_and_kinds_sum_to_all() -> None:
    for minority in (True, False):
        model = Themes(minority=minority).fit(X)
        for level in range(len(model.levels_)):
            parts = model.cut(level=level)
            assert parts.labels.min() == 0
            assert len(parts.labels) == len(X)
            assert np.array_equal(np.bincount(parts.labels), parts.sizes)
            assert sum(parts.counts.values()) == len(X)
            told = model.levels_[level]
            assert np.array_equal(parts.labels, model.cut(level).labels)
            assert (parts.n_themes, parts.n_weak, parts.n_lone) == (told.n_themes, told.n_weak, told.n_lone)
            assert told.n_clusters == parts.n_clusters == parts.n_themes + parts.n_weak + parts.n_lone
            assert list(parts.sizes) == sorted(parts.sizes, reverse=True)
            expected = np.select([parts.sizes >= 5, parts.sizes >= 2], [0, 1], 2)
            assert np.array_equal(parts.kinds, expected)


def test_topics_that_are_there_are_found_and_lone_voices_stay_alone() -> None:
    for topic in range(12):
        rows = np.flatnonzero(topic == TOPIC)
        labels, counts = np.unique(MODEL.labels_[rows], return_counts=True)
        best = labels[counts.argmax()]
        assert counts.max() >= 0.8 * len(rows)
        assert counts.max() >= 0.8 * MODEL.partition_.sizes[best]
    small = [KINDS[kind] for kind in MODEL.kinds_[TOPIC < 0]]
    assert small.count("theme") <= 2


def test_the_order_of_rows_and_the_number_of_threads_change_nothing() -> None:
    order = np.random.default_rng(5).permutation(len(X))
    for threads in (1, 2, 5):
        again = Themes(threads=threads).fit(X[order])
        assert np.array_equal(again.labels_, MODEL.labels_[order])
        assert np.array_equal(again.partition_.fit, MODEL.partition_.fit[order])
        assert np.array_equal(again.partition_.centroids, MODEL.partition_.centroids)
        assert again.levels_ == MODEL.levels_
        assert np.array_equal(again.dendrogram_.children, MODEL.dendrogram_.children)


def test_groups_are_pinned() -> None:
    """Another version of the method is another name: this fails when a group changes."""
    assert MODEL.partition_.algorithm == "klero-themes/1"
    parts = MODEL.partition_
    assert (parts.n_themes, parts.n_weak, parts.n_lone) == PINNED[:3]
    assert round(parts.similarity, 6) == PINNED[3]


def test_fit_is_the_cosine_to_the_centroid_of_the_centred_vectors() -> None:
    Z = MODEL.centred(X)
    parts = MODEL.partition_
    assert np.allclose(np.linalg.norm(Z, axis=1), 1, atol=1e-6)
    assert parts.centroids.shape == (parts.n_themes + parts.n_weak, X.shape[1])
    for label in range(len(parts.centroids)):
        rows = parts.members(label)
        centre = Z[rows].sum(axis=0)
        centre /= np.linalg.norm(centre)
        assert np.allclose(parts.centroids[label], centre, atol=1e-3)
        assert np.allclose(parts.fit[rows], Z[rows] @ centre, atol=1e-3)
    assert np.allclose(parts.fit[parts.kind_of == 2], 1)
    assert np.allclose(MODEL.mean_, X.mean(axis=0), atol=1e-5)


def test_directions_keep_what_a_decomposition_says() -> None:
    Z = np.unique(MODEL.centred(X), axis=0).astype(np.float64)
    squares = np.linalg.svd(Z, compute_uv=False) ** 2
    kept, share = MODEL.kept_
    assert kept == 64
    assert share == pytest.approx(squares[:kept].sum() / squares.sum(), abs=0.01)
    assert Themes().fit(X[:, :40]).kept_ == (40, 1.0)


def test_copies_are_one_vector_and_count_as_often_as_they_are() -> None:
    many = np.concatenate([X, np.repeat(X[:1], 300, axis=0)])
    model = Themes().fit(many)
    assert model.duplicates_ == 300
    assert len(set(model.labels_[[0, *range(len(X), len(many))]])) == 1
    assert model.partition_.sizes[model.labels_[0]] >= 301


def test_levels_are_within_each_other_without_the_second_look() -> None:
    model = Themes(minority=False).fit(X)
    cuts = [model.cut(level=level) for level in range(len(model.levels_))]
    for coarse, fine in pairwise(cuts):
        pairs = set(zip(fine.labels.tolist(), coarse.labels.tolist(), strict=True))
        assert len(pairs) == fine.n_clusters
    assert [level.similarity for level in model.levels_] == sorted(
        level.similarity for level in model.levels_
    )


def test_a_number_of_themes_is_reached() -> None:
    for wanted in (2, 5, 9):
        assert (
            Themes(n_themes=wanted).fit(X).partition_.n_themes
            == wanted
            == MODEL.cut(n_themes=wanted).n_themes
        )
    most = MODEL.cut(n_themes=10**6).n_themes
    assert most <= len(X) // 5


def test_granularity_goes_from_coarse_to_fine() -> None:
    coarse, fine = MODEL.cut(granularity="coarse"), MODEL.cut(granularity="fine")
    assert np.array_equal(coarse.labels, MODEL.cut(granularity=0.0).labels)
    assert np.array_equal(fine.labels, MODEL.cut(granularity=1).labels)
    assert coarse.similarity < MODEL.cut(granularity=0.5).similarity < fine.similarity
    assert np.array_equal(MODEL.cut(granularity="auto").labels, MODEL.labels_)
    assert np.array_equal(Themes(granularity="fine").fit(X).labels_, fine.labels)


def test_ties_hold() -> None:
    far = [int(np.flatnonzero(topic == TOPIC)[0]) for topic in (0, 1, 2)]
    near = [int(row) for row in np.flatnonzero(TOPIC == 3)[:2]]
    model = Themes(must_link=[(far[0], far[1]), (far[1], far[2])], cannot_link=[near]).fit(X)
    for cut in (model.partition_, model.cut(similarity=0.95), model.cut(similarity=-1)):
        assert len({cut.labels[row] for row in far}) == 1
        assert cut.labels[near[0]] != cut.labels[near[1]]


def test_a_tie_changes_what_it_is_about_and_not_the_granularity() -> None:
    """What must be apart meets in the root alone, which is no end of a theme's life."""
    rows = np.flatnonzero(TOPIC == 0)[:2]
    model = Themes(cannot_link=[rows]).fit(X)
    assert model.labels_[rows[0]] != model.labels_[rows[1]]
    assert abs(model.partition_.n_themes - MODEL.partition_.n_themes) <= 2
    assert max(level.persistence for level in model.levels_) <= 1
    two = X[np.isin(TOPIC, [0, 1])]
    ends = np.flatnonzero(np.diff(Themes(n_themes=2).fit(two).labels_))[:1]
    assert Themes(cannot_link=[(ends[0], ends[0] + 1)]).fit(two).partition_.n_themes == 2


def test_ties_hold_in_every_cut() -> None:
    one, other = np.flatnonzero(TOPIC == 0)[0], np.flatnonzero(TOPIC == 1)[0]
    apart = Themes(cannot_link=[(one, other)]).fit(X)
    for n_themes in (1, 2):
        parts = apart.cut(n_themes=n_themes)
        assert parts.labels[one] != parts.labels[other]
        assert -1 <= parts.similarity <= 1
    copies = np.repeat(X[:10], 5, axis=0)  # each is a theme before anything joins
    together = Themes(must_link=[(0, 45)], minority=False).fit(copies)
    for parts in (together.cut(n_themes=10), together.cut(similarity=1.0)):
        assert parts.labels[0] == parts.labels[45]
        assert (parts.n_themes, parts.similarity) == (9, 1.0)
    assert together.dendrogram_.similarity[0] == 1
    assert all(level.similarity < 1.001 for level in together.levels_)


def test_a_contradiction_by_way_of_a_copy_is_told() -> None:
    twice = np.concatenate([X[:9], X[:1]])
    with pytest.raises(InputError) as told:
        Themes(must_link=[(0, 1), (1, 2)], cannot_link=[(9, 2)]).fit(twice)
    assert [fault.code for fault in told.value.faults] == ["ties-contradiction"]


def test_what_was_fitted_is_predicted_and_what_is_new_is_told() -> None:
    parts = MODEL.partition_
    found = MODEL.predict(X)
    assert (found == MODEL.labels_).mean() > 0.9
    assert (found >= 0).all()
    assert np.array_equal(MODEL.predict(MODEL.mean_ + 3 * parts.centroids), np.arange(len(parts.centroids)))
    strange = np.random.default_rng(9).standard_normal((40, X.shape[1])).astype(np.float32)
    assert (MODEL.predict(strange) == -1).all()


def test_nobody_who_was_fitted_is_told_to_fit_nothing() -> None:
    random = np.random.default_rng(3)
    rows = np.repeat(random.standard_normal((60, 32)), random.integers(1, 12, 60), axis=0)
    rows += 0.9 * random.standard_normal(rows.shape)
    model = Themes().fit(rows.astype(np.float32))
    assert set(model.kinds_.tolist()) == {0, 1, 2}
    assert (model.predict(rows.astype(np.float32)) >= 0).all()


def test_a_model_that_has_learnt_nothing_says_what_it_was_asked() -> None:
    for name in ("stability", "audit_minorities"):
        with pytest.raises(NotFittedError, match=name):
            getattr(Themes(), name)()


def test_a_part_after_another_is_all_at_once() -> None:
    parted = Themes().partial_fit(X[:50]).partial_fit(X[50:])
    assert np.array_equal(parted.labels_, MODEL.labels_)


def test_a_pickle_can_be_cut_and_predicts() -> None:
    again = pickle.loads(pickle.dumps(MODEL))  # noqa: S301
    assert np.array_equal(again.predict(X), MODEL.predict(X))
    assert np.array_equal(again.cut(n_themes=5).labels, MODEL.cut(n_themes=5).labels)


LANGUAGES = {
    "fr": "Il faut {} des pistes cyclables en ville et près de l'école",
    "en": "We need {} cycle lanes in town and near the school",
    "el": "Χρειαζόμαστε {} ποδηλατόδρομους στην πόλη και κοντά στο σχολείο",
    "ar": "نحتاج إلى {} مسارات للدراجات في المدينة وبالقرب من المدرسة",
    "ru": "Нам нужны {} велосипедные дорожки в городе и возле школы",
    "ja": "街と学校の近くに{}自転車専用レーンが必要です",
}


def test_texts_in_several_languages_are_all_accounted_for_and_each_finds_its_like() -> None:
    texts = [said.format(word) for said in LANGUAGES.values() for word in ("1", "2", "3", "4", "5", "6")]
    made = embed([*texts, "", "Ouvrir la bibliothèque le dimanche"])
    assert made.rows.tolist() == [*range(36), 37]
    parts = Themes().fit(made.vectors).partition_
    assert sum(parts.counts.values()) == len(made.vectors) == 37
    groups = [set(parts.labels[at : at + 6].tolist()) for at in range(0, 36, 6)]
    assert [len(group) for group in groups] == [1] * 6
    assert len(set().union(*groups)) == 6


def test_the_tree_is_one_that_scipy_takes() -> None:
    matrix = MODEL.dendrogram_.to_scipy()
    m = len(matrix) + 1
    assert (np.diff(matrix[:, 2]) >= 0).all()
    assert sorted(matrix[:, :2].ravel().astype(int)) == list(range(2 * m - 2))
    assert matrix[-1, 3] == len(X)


def test_progress_is_told_and_may_stop_it() -> None:
    big = np.random.default_rng(0).standard_normal((50_000, 48)).astype(np.float32)

    def enough(phase: str, part: int) -> None:
        raise RuntimeError(f"{phase} {part}")

    with pytest.raises(RuntimeError, match=r"\w+ \d+"):
        Themes().fit(big, progress=enough)


def test_few_contributions() -> None:
    one = Themes().fit(X[:1])
    assert (one.labels_.tolist(), one.kinds_.tolist(), one.duplicates_) == ([0], [2], 0)
    same = Themes().fit(np.ones((7, 3), np.float32))
    assert same.partition_.counts == {"theme": 7, "weak_signal": 0, "lone_voice": 0}
    two = Themes().fit(np.eye(2, dtype=np.float32))
    assert two.partition_.counts == {"theme": 0, "weak_signal": 0, "lone_voice": 2}
    assert len(two.levels_) == 1


BAD = {
    "nan": (np.array([[1, 0], [np.nan, 1]], np.float32), {}, "vectors-"),
    "infinite": (np.array([[1, 0], [np.inf, 1]], np.float32), {}, "vectors-"),
    "zero row": (np.array([[1, 0], [0, 0]], np.float32), {}, "vectors-zero"),
    "no rows": (np.zeros((0, 4), np.float32), {}, "vectors-"),
    "no numbers": (np.zeros((4, 0), np.float32), {}, "vectors-"),
    "granularity": (X, {"granularity": "medium"}, "option-unknown"),
    "granularity number": (X, {"granularity": 1.5}, "option-range"),
    "both": (X, {"granularity": "fine", "n_themes": 3}, "option-unknown"),
    "n_themes": (X, {"n_themes": 0}, "option-range"),
    "neighbours": (X, {"neighbours": 1}, "option-range"),
    "backend": (X, {"backend": "magic"}, "option-unknown"),
    "minority": (X, {"minority": "yes"}, "option-unknown"),
    "threads": (X, {"threads": 0}, "option-range"),
    "a pair of three": (X, {"must_link": [(1, 2, 3)]}, "ties-pair"),
    "no pairs": (X, {"must_link": 7}, "ties-pair"),
    "no such row": (X, {"cannot_link": [(0, 10**7)]}, "ties-row"),
    "itself": (X, {"cannot_link": [(4, 4)]}, "ties-contradiction"),
    "contradiction": (X, {"must_link": [(0, 1), (1, 2)], "cannot_link": [(2, 0)]}, "ties-contradiction"),
    "same vectors": (np.ones((6, 2), np.float32), {"cannot_link": [(0, 5)]}, "ties-same"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_told_and_nothing_changes(case: str) -> None:
    data, options, code = BAD[case]
    model = Themes().fit(X)
    before = model.partition_
    model.set_params(**options)
    with pytest.raises(InputError) as error:
        model.fit(data)
    assert any(fault.code.startswith(code) for fault in error.value.faults), error.value
    assert model.partition_ is before


def test_asking_too_early_or_for_the_wrong_width() -> None:
    with pytest.raises(NotFittedError):
        Themes().predict(X)
    with pytest.raises(NotFittedError):
        Themes().cut(level=0)
    with pytest.raises(InputError, match="features"):
        MODEL.predict(X[:, :5])
    for wrong in ({}, {"level": 0, "n_themes": 3}, {"level": 99}, {"similarity": 3}, {"granularity": -1}):
        with pytest.raises(InputError):
            MODEL.cut(**wrong)


def test_scikit_learn_accepts_it() -> None:
    found = sklearn_checks(Themes(), EXPECTED | ZEROS)
    assert found.get("failed", []) == []
    assert len(found["passed"]) > 30


def test_partitions_say_what_they_are() -> None:
    parts = MODEL.partition_
    assert f"{parts.n_themes} themes" in repr(parts)
    with pytest.raises(IndexError):
        parts.members(parts.n_clusters)
    made = Partition.of(parts.labels, parts.fit, parts.centroids, parts.similarity)
    assert np.array_equal(made.sizes, parts.sizes)
    assert np.array_equal(made.kinds, parts.kinds)


PINNED = (12, 0, 19, 0.332774)
