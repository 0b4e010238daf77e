"""The offline embedder: what it learns, that nothing but the set of texts decides it, and what it does with texts of any kind."""

from __future__ import annotations

import pickle
import random
import unicodedata
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import embed_oracle as oracle
from klero import _native
from klero.errors import CODES, InputError, NotFittedError, OutputExistsError
from klero.themes.embedders import OfflineEmbedder
from klero.voices.sets import native_chunk

WORDS = [
    *(
        "vélo",
        "pistes",
        "cyclables",
        "école",
        "cantine",
        "bio",
        "logement",
        "loyers",
        "tram",
        "forêt",
        "arbres",
        "l'eau",
    ),
    *(
        "bike",
        "lanes",
        "school",
        "lunch",
        "rent",
        "housing",
        "forest",
        "trees",
        "de",
        "la",
        "les",
        "the",
        "of",
        "and",
    ),
]


def corpus(count: int, seed: int = 1) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=draw.randint(2, 9))) for _ in range(count)]


def native(texts: list[str], dimension: int = 384, threads: int = 2) -> _native.TfidfSvd:
    chunk = native_chunk(pa.array(texts, pa.large_string()))
    return _native.TfidfSvd.fit([chunk], dimension=dimension, threads=threads)


@pytest.fixture(scope="module")
def fitted() -> OfflineEmbedder:
    return OfflineEmbedder(threads=2).fit(corpus(400))


@pytest.mark.parametrize("texts", [corpus(60), corpus(150, 2), [*corpus(30, 3), *corpus(30, 3)]])
def test_singular_values_and_similarities_are_those_of_an_exact_decomposition(texts: list[str]) -> None:
    values, rows = oracle.projected(texts, 352)
    model = native(texts)
    assert model.texts == len(set(texts))
    assert model.features == oracle.weights(texts).shape[1]
    found = np.array(model.singular_values)
    assert len(found) == len(values)
    assert np.allclose(found, values, rtol=1e-4, atol=1e-4 * values[0])
    chunk = native_chunk(pa.array(texts, pa.large_string()))
    vectors = np.frombuffer(model.transform([chunk], threads=1), np.float32).reshape(len(texts), 384)
    learnt = vectors[:, :352].astype(np.float64)
    lengths = np.linalg.norm(learnt, axis=1)
    wanted = np.linalg.norm(rows, axis=1)
    cosines = (learnt / lengths[:, None]) @ (learnt / lengths[:, None]).T
    assert np.allclose(cosines, (rows / wanted[:, None]) @ (rows / wanted[:, None]).T, atol=2e-4)


def test_fewer_dimensions_span_the_space_of_the_largest_singular_values() -> None:
    texts = corpus(200, 4)
    values, _rows = oracle.projected(texts, 400)
    found = np.array(native(texts, 64).singular_values)
    assert len(found) == 32
    # Ritz values are never too large, and what they lose of the whole is little.
    assert (found <= values[:32] * (1 + 1e-5)).all()
    assert (found**2).sum() >= 0.98 * (values[:32] ** 2).sum()


def test_features_are_those_that_scikit_learn_counts() -> None:
    sklearn = pytest.importorskip("sklearn.feature_extraction.text", reason="scikit-learn is not installed")
    texts = sorted(set(corpus(120, 5)))
    words = sklearn.CountVectorizer(token_pattern=r"\w+", min_df=2, strip_accents="unicode").fit(texts)
    spaced = [text.replace("'", " ") for text in texts]
    runs = sklearn.CountVectorizer(
        analyzer="char_wb", ngram_range=(3, 4), min_df=2, strip_accents="unicode"
    ).fit(spaced)
    assert native(texts).features == len(words.vocabulary_) + len(runs.vocabulary_)


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=25),
    st.randoms(use_true_random=False),
)
def test_order_copies_and_threads_change_no_byte(texts: list[str], draw: random.Random) -> None:
    one = OfflineEmbedder(threads=1).fit(texts)
    other = [*texts, *draw.sample(texts, k=len(texts) // 2), ""]
    draw.shuffle(other)
    two = OfflineEmbedder(threads=3).fit(other)
    assert one.to_bytes() == two.to_bytes()
    assert one.name == two.name
    assert np.array_equal(one.embed(other), two.embed(other))
    lengths = np.linalg.norm(one.embed(texts), axis=1)
    assert all(abs(length - 1) < 1e-5 or length == 0 for length in lengths)


def test_rows_depend_on_their_text_alone(fitted: OfflineEmbedder) -> None:
    texts = corpus(600, 9)
    whole = fitted.embed(texts)
    assert np.array_equal(whole[[5]], fitted.embed([texts[5]]))
    assert np.array_equal(whole[::-1], fitted.embed(texts[::-1]))
    assert whole.dtype == np.float32
    assert whole.shape == (600, 384)


def test_first_texts_are_learnt_from_and_later_ones_are_not() -> None:
    embedder = OfflineEmbedder(threads=1)
    assert not embedder.fitted
    embedder.embed(corpus(50))
    name = embedder.name
    later = embedder.embed(["Une phrase de plus", "Un vélo"])
    assert (embedder.name, embedder.texts_) == (name, len(set(corpus(50))))
    assert later.shape == (2, 384)
    assert name.startswith("klero-tfidf-svd/1 sha256:")


def test_accents_composition_and_case_change_nothing(fitted: OfflineEmbedder) -> None:
    text = "L’École près de la forêt : vélos, trams…"
    ways = [text, unicodedata.normalize("NFD", text), text.upper(), "l'ecole pres de la foret velos trams"]
    vectors = fitted.embed(ways)
    assert (vectors == vectors[0]).all()


def test_endings_and_compounds_are_near_where_words_differ() -> None:
    texts = [
        *corpus(100, 6),
        "recyclage des déchets",
        "les déchets recyclés",
        "recycler un déchet",
        "la piscine municipale",
    ]
    vectors = OfflineEmbedder(threads=1).embed(texts)[-4:]
    similar = vectors @ vectors.T
    assert similar[0, 1] > 0.5 > similar[0, 3]
    assert similar[0, 2] > similar[2, 3] + 0.3


def test_who_speaks_of_something_new_is_not_placed_by_their_small_words(fitted: OfflineEmbedder) -> None:
    new, same, common = fitted.embed(
        ["la xylographie de Kyoto", "de Kyoto la xylographie", "la forêt de l'école"]
    )
    assert new @ same > 0.999
    assert new @ common < 0.6


@pytest.mark.parametrize(
    "text",
    ["🙂", "…", "", " \n", "\u200b", "—", None],
)
def test_a_text_without_a_word_has_zeros(fitted: OfflineEmbedder, text: str | None) -> None:
    assert not fitted.embed([text]).any()


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a",
            "9",
            "数字民主",
            "Городской транспорт",
            "μετρό",
            "ประชาธิปไตย",
            "مواصلات",
            "🙂 bravo 🙂",
            "x" * 70_000,
        ),
        "mot " * 120_000,
        "é" * 999 + " " + "e\u0301" * 999,
    ],
    ids=lambda text: text[:8],
)
def test_any_other_text_has_a_vector_of_length_one(fitted: OfflineEmbedder, text: str) -> None:
    assert abs(np.linalg.norm(fitted.embed([text])[0]) - 1) < 1e-5


@pytest.mark.parametrize("texts", [[], [""], ["oui"], ["oui"] * 4, ["oui", "non"], ["🙂", "oui oui"]])
def test_few_texts_or_none_are_enough(texts: list[str]) -> None:
    embedder = OfflineEmbedder(threads=2)
    assert embedder.embed(texts).shape == (len(texts), 384)
    assert embedder.texts_ == len({text for text in texts if text.isalpha() or " " in text})
    assert np.isfinite(embedder.embed(["oui", "et autre chose"])).all()


def test_columns_of_other_programs_are_read() -> None:
    texts = corpus(40, 7)
    wanted = OfflineEmbedder(threads=1).embed(texts)
    for column in (
        pa.chunked_array([texts[:7], texts[7:]]),
        pl.Series(texts),
        np.array(texts),
        pa.array(texts).dictionary_encode(),
    ):
        assert np.array_equal(OfflineEmbedder(threads=2).embed(column), wanted)


def test_state_survives_a_file_bytes_and_a_pickle(tmp_path: Path, fitted: OfflineEmbedder) -> None:
    place = tmp_path / "embedder"
    fitted.save(place)
    with pytest.raises(OutputExistsError):
        fitted.save(place)
    texts = ["vélo", "une école", "rien de tel"]
    for again in (
        OfflineEmbedder.load(place, threads=1),
        OfflineEmbedder.from_bytes(fitted.to_bytes()),
        pickle.loads(pickle.dumps(fitted)),  # noqa: S301
    ):
        assert (again.name, again.dimension, again.texts_) == (fitted.name, 384, fitted.texts_)
        assert np.array_equal(again.embed(texts), fitted.embed(texts))
    assert not pickle.loads(pickle.dumps(OfflineEmbedder())).fitted  # noqa: S301


def test_damage_and_other_versions_are_told(tmp_path: Path, fitted: OfflineEmbedder) -> None:
    state = fitted.to_bytes()
    place = tmp_path / "embedder"
    for wrong, code in (
        (state[:-1], "embedder-invalid"),
        (state[:5000] + b"\0" + state[5001:], "embedder-invalid"),
        (b"", "embedder-invalid"),
        (b"id,text\n1,oui\n", "embedder-invalid"),
        (b"klero-tfidf-svd/2\n" + state[18:], "embedder-version"),
    ):
        place.write_bytes(wrong)
        with pytest.raises(InputError) as caught:
            OfflineEmbedder.load(place)
        assert [fault.code for fault in caught.value.faults] == [code]
        assert code in CODES
        assert str(place) in str(caught.value)
    assert "klero-tfidf-svd/2" in str(caught.value)
    with pytest.raises(InputError, match="file-missing"):
        OfflineEmbedder.load(tmp_path / "nothing")


def test_before_learning_there_is_nothing_to_keep(tmp_path: Path) -> None:
    embedder = OfflineEmbedder()
    for ask in (
        embedder.to_bytes,
        lambda: embedder.save(tmp_path / "x"),
        lambda: embedder.texts_,
        lambda: embedder.features_,
    ):
        with pytest.raises(NotFittedError, match="the texts to learn from"):
            ask()
    assert not (tmp_path / "x").exists()


def test_wrong_options_and_texts_leave_it_as_it_was(fitted: OfflineEmbedder) -> None:
    with pytest.raises(InputError) as caught:
        OfflineEmbedder(dimension=7, threads=0)
    assert [fault.code for fault in caught.value.faults] == ["option-range"] * 2
    name = fitted.name
    for wrong in ([1, 2], "un texte", [["a"]]):
        with pytest.raises(InputError):
            fitted.fit(wrong)
    assert fitted.name == name


def test_an_interruption_leaves_it_as_it_was(fitted: OfflineEmbedder) -> None:
    class StopError(Exception):
        pass

    def stop(step: str, done: int) -> None:
        raise StopError

    name = fitted.name
    # Progress is told every tenth of a second: enough texts for that.
    many = [f"{text} {row}" for row, text in enumerate(corpus(40_000, 8))]
    with pytest.raises(StopError):
        fitted.fit(many, progress=stop)
    assert fitted.name == name


def test_progress_counts_texts() -> None:
    heard: list[tuple[str, int]] = []
    many = [f"{text} {row}" for row, text in enumerate(corpus(30_000, 8))]
    OfflineEmbedder(threads=1, dimension=64).fit(many, progress=lambda step, done: heard.append((step, done)))
    assert heard
    assert {step for step, _done in heard} <= {"reading", "counting", "weighing", "reducing"}
    assert all(0 <= done <= 30_000 for _step, done in heard)
