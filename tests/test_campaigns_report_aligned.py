"""Texts of a group beside each other: the frame, the slots, and that nothing of a text is lost."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns_report_cases import letter
from klero._native import text_fold
from klero.campaigns.aligned import Part, align, shared_share, word_places

WORDS = st.lists(
    st.sampled_from(["ligne", "douze", "bus", "Été", "l'eau", "non", "a", "🚲", "…", "soir !"]), max_size=12
)
TEXTS = st.lists(WORDS.map(" ".join), min_size=1, max_size=6)


def words_of(parts: tuple[Part, ...], *kinds: str) -> list[str]:
    return [word for part in parts if part.kind in kinds for word in text_fold(part.text)]


@settings(max_examples=150, deadline=None)
@given(TEXTS)
def test_the_parts_of_a_text_are_the_text_and_the_frame_is_what_most_have_in_order(texts: list[str]) -> None:
    found = align(texts)
    assert ["".join(part.text for part in parts) for parts in found.texts] == texts
    numbers = [slot.number for slot in found.slots]
    assert numbers == list(range(1, len(numbers) + 1))
    if not found.frame:
        assert not numbers
        return
    frame = words_of(found.frame, "frame")
    assert len(frame) == found.frame_words
    centre = iter(text_fold(texts[0]))
    assert all(word in centre for word in frame)  # as a subsequence
    held: Counter[int] = Counter()
    for parts in found.texts:
        slots = [part.slot for part in parts if part.kind == "slot"]
        assert slots == sorted(slots)
        own = words_of(parts, "frame")
        place = 0
        for word in own:  # each text has words of the frame, in its order
            place = frame.index(word, place) + 1
        held.update(Counter(own))
    assert all(2 * held[word] > len(texts) for word in frame)


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="aé ,'🚲\u0301ß\n…", max_size=30))
def test_words_are_found_at_their_code_points(text: str) -> None:
    places = word_places(text)
    assert [" ".join(text_fold(text[start:end])) for start, end in places] == text_fold(text)
    assert all(0 <= start < end <= len(text) for start, end in places)


def test_slots_hold_what_each_wrote_and_count_it() -> None:
    found = align(
        [
            f"Gardez la ligne {name} le dimanche{end}"
            for name in ("douze", "Treize", "treize")
            for end in ("", " soir")
        ]
    )
    assert [part.text or f"[{part.slot}]" for part in found.frame] == [
        "Gardez la ligne ",
        "[1]",
        "le dimanche ",
        "[2]",
    ]
    assert [(slot.texts, slot.fillers) for slot in found.slots] == [
        (6, (("Treize", 4), ("douze", 2))),
        (3, (("soir", 3),)),
    ]
    assert found.texts[3][-1] == Part("soir", "slot", 2)


def test_what_one_of_many_added_is_its_own_and_no_slot() -> None:
    texts = ["Gardez la ligne douze ouverte"] * 15 + ["Gardez vite la ligne douze ouverte"]
    found = align(texts)
    assert found.slots == ()
    assert [(part.text, part.kind) for part in found.texts[-1]] == [
        ("Gardez ", "frame"),
        ("vite ", "own"),
        ("la ligne douze ouverte", "frame"),
    ]


@pytest.mark.parametrize(
    "texts", [[""], ["", ""], ["oui"], ["oui", "non"], ["!", "?"], ["a b c d", "e f g h", "i j k l"]]
)
def test_texts_without_a_common_letter_stand_as_they_are(texts: list[str]) -> None:
    found = align(texts)
    assert found.frame == ()
    assert ["".join(part.text for part in parts) for parts in found.texts] == texts
    assert {part.kind for parts in found.texts for part in parts} <= {"plain"}


def test_the_letter_of_a_mail_merge_is_what_it_was_made_from() -> None:
    """The blanks of the form are found from the letters alone."""
    found = align([letter(i) for i in range(38)])
    told = re.sub(r"\s+", " ", "".join(part.text or "[]" for part in found.frame))
    assert "le dépôt de la ligne douze. " in told
    assert "pour aller []" in told
    assert "Le dépôt Mercier ne doit pas fermer avant que la ligne du plateau []" in told
    assert {"au lycée", "travailler", "chez le médecin"} <= {
        text for slot in found.slots for text, _count in slot.fillers
    }


@settings(max_examples=100, deadline=None)
@given(TEXTS)
def test_shared_runs_are_those_of_a_slow_count(texts: list[str]) -> None:
    folded = [text_fold(text) for text in texts]
    shares = []
    for mine in range(len(texts)):
        inside = 0
        for at in range(len(folded[mine])):
            runs = [folded[mine][low : low + 3] for low in range(max(0, at - 2), at + 1)]
            inside += any(
                len(run) == 3 and run == folded[other][low : low + 3]
                for run in runs
                for other in range(len(texts))
                if other != mine
                for low in range(len(folded[other]))
            )
        shares.append(inside / max(len(folded[mine]), 1))
    assert shared_share(texts) == pytest.approx(sum(shares) / len(texts))


def test_a_letter_whose_sentences_are_in_another_order_is_shared_all_the_same() -> None:
    sentences = [
        "Gardez la ligne douze ouverte le soir.",
        "Personne ne rentre autrement du travail.",
        "Merci de votre lecture attentive.",
    ]
    texts = [" ".join(sentences[i:] + sentences[:i]) for i in range(3)]
    assert shared_share(texts) == 1.0
