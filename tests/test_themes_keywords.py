"""Keywords: the kernel against the slow oracle, and what a citizen reads."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import keywords_oracle as oracle
from klero.errors import InputError
from klero.themes import stop_words
from klero.themes.keywords import Keywords, theme_keywords

WORDS = """
    vélo Vélos VELO velo piste pistes cyclable cyclables jardin jardins jardin-école école écoles ecole locaux local eau eaux
    travaux city cities tax taxes taxe bus car cars but buts maïs mais été pas sans non not no don't can't the of de du d'achat
    l'eau d’abord aujourd'hui rendez-vous bien-être sous-traitance porte-à-porte couvre-feu covid-19 19 2 000 citoyen·ne·s élu(e)s
    élus.es http://a.fr/b?c www.klero.org moi@ici.fr R&D et/ou x É œuvre Œuvres STRASSE straße 日本語 ½ ok merci comment est-ce qu'il faut
    sans-abri pouvoir aucun never
""".split()  # noqa: SIM905
SEPARATORS = [
    " ",
    " ",
    " ",
    " ",
    ", ",
    ". ",
    "\n",
    "\u00a0",
    " – ",
    "’",
    "'",
    "-",
    "/",
    "  ",
    "\u200b",
    "(",
    ")",
]
# What Unicode assigns later is not in the tables of both; the mark is left out as in tests of the reader.
KNOWN = st.characters(exclude_categories=("Cs", "Cn"), exclude_characters="\U0001171e")


def told(found: Keywords) -> dict[int, list[tuple[str, int, int, int]]]:
    return {
        label: [(k.text, k.words, k.voices, k.everywhere) for k in keywords]
        for label, keywords in enumerate(found.of)
        if found.voices[label]
    }


def expected(
    texts: Sequence[str], labels: Sequence[int], **options: object
) -> dict[int, list[tuple[str, int, int, int]]]:
    found = oracle.keywords(texts, labels, **options)  # type: ignore[arg-type]
    return {label: [tuple(k) for k in keywords] for label, keywords in found.items()}  # type: ignore[misc]


@st.composite
def corpora(draw: st.DrawFn) -> tuple[list[str], list[int], list[str | None]]:
    """Few words in many texts, so that counts, ties and repeats are frequent."""
    vocabulary = draw(st.lists(st.sampled_from(WORDS), min_size=2, max_size=12, unique=True))
    rng = random.Random(draw(st.integers(0, 2**32)))
    rows = draw(st.integers(1, 40))
    texts = []
    for _ in range(rows):
        words = [rng.choice(vocabulary) for _ in range(rng.randint(0, 9))]
        text = "".join(word + rng.choice(SEPARATORS) for word in words)
        texts.append(text.capitalize() if rng.random() < 0.3 else text)
    groups = draw(st.integers(1, min(6, rows)))
    labels = [rng.randrange(groups) for _ in range(rows)]
    authors = [rng.choice([None, "a", "b", "c", "d", "e", "f"]) for _ in range(rows)]
    return texts, labels, authors


@settings(max_examples=150, derandomize=True, deadline=None)
@given(corpora(), st.integers(1, 9), st.booleans())
def test_kernel_says_what_the_oracle_says(
    corpus: tuple[list[str], list[int], list[str | None]], top: int, with_authors: bool
) -> None:
    texts, labels, authors = corpus
    who = authors if with_authors else None
    found = theme_keywords(labels, texts, authors=who, top=top, stop_words=["piste", "Non"], threads=2)
    assert told(found) == expected(texts, labels, authors=who, top=top, stop_words=["piste", "Non"])


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.lists(st.tuples(st.text(KNOWN, max_size=40), st.integers(0, 2)), min_size=3, max_size=12))
def test_any_text_at_all_is_read_as_the_oracle_reads_it(rows: list[tuple[str, int]]) -> None:
    texts = [text for text, _ in rows]
    labels = [label for _, label in rows]
    assert told(theme_keywords(labels, texts)) == expected(texts, labels)


@settings(max_examples=25, derandomize=True, deadline=None)
@given(corpora(), st.randoms(use_true_random=False))
def test_order_of_rows_and_threads_change_nothing(
    corpus: tuple[list[str], list[int], list[str | None]], rng: random.Random
) -> None:
    texts, labels, authors = corpus
    order = list(range(len(texts)))
    rng.shuffle(order)
    one = theme_keywords(labels, texts, authors=authors, threads=1)
    other = theme_keywords(
        [labels[i] for i in order], [texts[i] for i in order], authors=[authors[i] for i in order], threads=3
    )
    assert one == other


FRENCH = [
    "Il faut plus de pistes cyclables en ville",
    "Des pistes cyclables sécurisées, s'il vous plaît",
    "La piste cyclable de la rue Foch est dangereuse",
    "pistes cyclables et garages à vélos",
    "Une PISTE CYCLABLE jusqu'à l'école",
    "La bibliothèque devrait ouvrir le dimanche",
    "Ouvrir la bibliothèque le dimanche après-midi",
    "bibliotheque ouverte le soir",
    "Le pouvoir d'achat baisse",
    "Mon pouvoir d’achat a baissé",
    "Installer un composteur collectif au pied de chaque immeuble",
]
LABELS = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 3]


def test_french_themes_are_told_in_words_that_people_wrote() -> None:
    found = theme_keywords(LABELS, FRENCH)
    assert found[0][0].text == "pistes cyclables"
    assert found[1][0].text == "bibliothèque"
    assert found[2][0].text.replace("’", "'") == "pouvoir d'achat"
    assert "composteur" in [keyword.text for keyword in found[3]]
    assert (found.french, found.english) == (11, 0)
    assert found.line(0, 1) == "pistes cyclables"


def test_function_words_elisions_and_courtesies_are_no_keywords() -> None:
    texts = [
        "Bonjour, je pense qu'il faudrait que l'on puisse s'en aller jusqu'à aujourd'hui, merci d'avance."
    ] * 6
    assert [k.text for k in theme_keywords([0] * 6, texts)[0]] == ["avance"]
    texts = ["I don't think that we should be doing this, it isn't theirs, thanks!"] * 6
    assert theme_keywords([0] * 6, texts)[0] == ()


def test_a_word_of_two_languages_counts_in_the_one_where_it_means_something() -> None:
    english = ["the car is parked in the street", "a car for the city", "my car and your car"]
    french = [
        "je prends le bus car il pleut",
        "car il est tard",
        "le but du projet est de planter",
        "un but pour la ville",
    ]
    found = theme_keywords([0, 0, 0, 1, 1, 2, 2], [*english, *french])
    assert found[0][0].text == "car"
    assert "car" not in [k.text for k in found[1]]
    assert found[2][0].text == "but"


def test_a_negation_stays_inside_its_term_and_is_none_by_itself() -> None:
    texts = ["une ville sans voitures", "la ville sans voiture", "ville sans voiture !"]
    found = theme_keywords([0, 0, 0], texts)
    assert [k.text for k in found[0]] == ["ville sans voiture"]


def test_one_author_counts_once_unless_authors_are_not_given() -> None:
    texts = ["le tram, le tram"] * 5 + ["le vélo", "un vélo"]
    labels = [0] * 7
    authors = ["Zoé"] * 5 + ["Ali", ""]
    alone = theme_keywords(labels, texts)
    by_author = theme_keywords(labels, texts, authors=authors)
    assert (alone[0][0].text, alone[0][0].voices, alone.voices) == ("tram", 5, (7,))
    assert (by_author[0][0].text, by_author[0][0].voices, by_author.voices) == ("vélo", 2, (3,))
    assert "counts once" in by_author.explain()
    assert "n’ont pas été distingués" in alone.explain("fr")
    for same in (
        np.array([1, 1, 1, 1, 1, 2, 3]),
        pa.array([*authors[:6], None]).dictionary_encode(),
        pl.Series([*authors[:6], None], dtype=pl.Categorical),
        pd.Series([*authors[:6], None], dtype="category"),
    ):
        assert theme_keywords(labels, texts, authors=same).of == by_author.of


def test_weights_are_those_of_the_formula() -> None:
    found = theme_keywords(LABELS, FRENCH)
    keyword = found[0][0]
    assert found.average == 18
    assert keyword.weight == pytest.approx(
        keyword.voices * np.log2(1 + float(found.average) / keyword.everywhere), rel=1e-12
    )
    weights = [k.weight for k in found[0] if k.words == 1]
    assert weights == sorted(weights, reverse=True)


def test_every_keyword_stands_in_a_text_of_its_group() -> None:
    found = theme_keywords(LABELS, FRENCH)
    for label, keywords in enumerate(found.of):
        texts = [text.casefold() for text, own in zip(FRENCH, LABELS, strict=True) if own == label]
        assert keywords
        for keyword in keywords:
            assert any(keyword.text.casefold() in text for text in texts)


def test_nothing_to_tell_is_told_as_nothing() -> None:
    assert theme_keywords([], []).of == ()
    empty = theme_keywords([0, 1, 1], ["", None, "😀 !"])  # type: ignore[list-item]
    assert empty.of == ((), ())
    assert empty.other == 3
    assert theme_keywords(list(range(3)), ["a b", "c'est", "12"]).of == ((), (), ())


def test_columns_of_other_programs_are_read_alike() -> None:
    found = theme_keywords(LABELS, FRENCH)
    labels, texts = np.array(LABELS, np.int32), pa.chunked_array([FRENCH[:4], FRENCH[4:]])
    assert theme_keywords(labels, texts) == found


def test_as_data() -> None:
    found = theme_keywords(LABELS, FRENCH, stop_words=["Ville"])
    data = found.to_dict()
    assert data["algorithm"] == "klero-keywords/1"
    assert data["stop_words"] == ["ville"]
    assert data["groups"][0]["keywords"][0]["text"] == "pistes cyclables"  # type: ignore[index]
    table = found.to_arrow()
    assert table.column_names == ["label", "rank", "text", "words", "voices", "of", "everywhere", "weight"]
    assert table.num_rows == sum(map(len, found.of))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (([0, 0], ["a"]), "rows-differ"),
        (([0, -1], ["a", "b"]), "labels-type"),
        (([0, 5], ["a", "b"]), "labels-type"),
        ((["x", "y"], ["a", "b"]), "labels-type"),
        (([0, 0], [1, 2]), "text-type"),
        (([0, 0], ["a", "b"], {"authors": ["x"]}), "rows-differ"),
        (([0, 0], ["a", "b"], {"authors": [["x"], "y"]}), "source-type"),
        (([0, 0], ["a", "b"], {"top": 0}), "option-range"),
        (([0, 0], ["a", "b"], {"stop_words": "le la"}), "option-unknown"),
        (([0, 0], ["a", "b"], {"stop_words": [1]}), "option-unknown"),
        (([0, 0], ["a", "b"], {"threads": 0}), "option-range"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_code(arguments: tuple[object, ...], code: str) -> None:
    *given_, options = arguments if isinstance(arguments[-1], dict) else (*arguments, {})
    with pytest.raises(InputError) as raised:
        theme_keywords(*given_, **options)  # type: ignore[arg-type]
    assert code in [fault.code for fault in raised.value.faults]


def test_lists_of_stop_words_hold_no_contradiction() -> None:
    functional = stop_words.FRENCH | stop_words.ENGLISH
    assert {oracle.bare(word) for word in stop_words.FRENCH} >= stop_words.MEANS_IN_ENGLISH
    assert stop_words.MEANS_IN_FRENCH <= stop_words.ENGLISH
    assert not (stop_words.NEGATIONS | stop_words.WITHOUT) & functional
    assert functional >= stop_words.CONNECTORS
    assert all(word == word.casefold() for word in functional)
