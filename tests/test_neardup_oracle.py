"""The slow oracle of near-duplicates, on cases small enough to work out by hand."""

from __future__ import annotations

import math

import pytest

from neardup_oracle import EMPTY, Pair, all_pairs, matches, near_duplicates, read, shingles

ABC = "a b c d e f"


def test_a_pair_is_counted_by_hand() -> None:
    found = near_duplicates([ABC, "a b c d e g"], threshold=0.6)
    assert found.pairs == (Pair(0, 1, 3, 5),)  # abc bcd cde | def | deg
    assert near_duplicates([ABC, "a b c d e g"], threshold=0.61).pairs == ()


def test_empties_match_nothing_and_the_counts_add_up() -> None:
    found = near_duplicates(["", None, "…!?", "Oui", "oui."])
    assert found.group == (EMPTY, EMPTY, EMPTY, 0, 0)
    counts = found.counts
    assert (counts.texts, counts.grouped, counts.alone, counts.empty, counts.distinct) == (5, 2, 0, 3, 1)
    assert math.isnan(found.similarity[0])


def test_a_short_text_matches_only_the_same_short_text() -> None:
    assert shingles(["a", "b"], 3) == {("a", "b")}
    assert near_duplicates(["a b", "a b c", "A, b", "b a"], threshold=0.3).partition == {frozenset({0, 2})}


def test_containment_asks_for_shared_shingles_too() -> None:
    letter = "un deux trois quatre cinq six sept"
    texts = [
        letter,
        "bonjour à tous " + letter + " et voici mon avis personnel sur ce sujet",
        "un deux trois",
    ]
    assert near_duplicates(texts, measure="containment").pairs == (Pair(0, 1, 5, 5),)
    assert len(near_duplicates(texts, measure="containment", min_shared=1).pairs) == 3


def test_copies_match_however_short() -> None:
    found = near_duplicates(["Oui.", "oui", "oui oui", "Oui, OUI"], measure="containment")
    assert found.partition == {frozenset({0, 1}), frozenset({2, 3})}
    assert found.pairs == (Pair(0, 1, 1, 1), Pair(2, 3, 1, 1))


def test_whole_numbers_compare_as_numbers_and_other_ids_by_code_points() -> None:
    same = ["x y z"] * 3
    assert near_duplicates(same, ids=["10", "9", "11"]).groups[0].members == ("9", "10", "11")
    assert near_duplicates(same, ids=["10", "9", "011"]).groups[0].id == "011"


def test_the_representative_is_the_medoid_and_ties_go_to_the_smallest_id() -> None:
    texts = [ABC, "a b c d e f g", "a b c d e f g h"]
    group = near_duplicates(texts, threshold=0.5).groups[0]
    assert group.representative == 1
    assert group.similarity == {0: 4 / 5, 1: 1.0, 2: 5 / 6}
    assert near_duplicates([ABC, ABC], ids=[7, 3]).groups[0].representative == 3


def test_the_weakest_edge_follows_layers_from_the_representative() -> None:
    words = [f"w{i}" for i in range(40)]
    texts = [" ".join(words[i : i + 20]) for i in (0, 3, 6, 9)]  # neighbours 15/21, next ones 12/24
    group = near_duplicates(texts, threshold=0.7).groups[0]
    assert (group.size, group.representative, group.weakest_edge) == (4, 1, 15 / 21)
    assert group.similarity[3] == 12 / 24  # tied by a chain, though itself below the threshold


@pytest.mark.parametrize("measure", ["jaccard", "containment"])
def test_the_inverted_index_finds_what_a_double_loop_finds(measure: str) -> None:
    texts = [read(" ".join("ab"[(n >> i) & 1] for i in range(1 + n % 7)), 2) for n in range(64)]
    for least in (1, 3):
        loop = [
            (i, j) for j in range(64) for i in range(j) if matches(texts[i], texts[j], 0.5, measure, least)
        ]
        assert all_pairs(texts, 0.5, measure, least) == sorted(loop)
