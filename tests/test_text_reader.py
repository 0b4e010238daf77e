"""The native reader of texts against the oracle, on every code point and on random text."""

import re
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import text_oracle as oracle
from klero import _native

MARK_NOW = {"\U0001171e"}
"""Was a spacing mark (Mc) in Python's tables, is a nonspacing one (Mn) in the reader's."""

ASSIGNED = [
    c
    for c in map(chr, range(0x110000))
    if unicodedata.category(c) not in ("Cn", "Cs", "Co") and c not in MARK_NOW
]
"""Code points that both sides know: Python's tables are older than the reader's."""


PINNED_WORDS = [0xD8DB_2EB4_88C3_BFEC, 0x9B0D_474A_D4A4_6730]
PINNED_SHINGLES = [0x1187_7B43_364E_9E68, 0x2398_F7E7_0812_B0D9, 0xE69B_3FA6_DE93_657F]
PINNED_SEQUENCE = (0xBE66_478D_4288_DA12_46A6_C530_AF86_FD3E, 5)


def _same(text: str, accents: bool) -> bool:
    """Whether words, places, shingles, sequence and flags agree."""
    words = oracle.words(text, accents)
    spans = oracle.spans(text, accents)
    return (
        _native.text_fold(text, accents) == words == [word.text for word in spans]
        and _native.text_words(text, accents) == [(oracle.word_hash(w.text), w.start, w.end) for w in spans]
        and all(_native.text_shingles(text, k, accents) == oracle.shingles(text, k, accents) for k in (1, 3))
        and _native.text_sequence(text, accents) == (oracle.sequence(text, accents), len(words))
        and _native.text_flags(text) == oracle.flags(text)
    )


def test_most_code_points_are_known_to_both_sides():
    newer = [
        c
        for c in map(chr, range(0x110000))
        if unicodedata.category(c) == "Cn" and _native.text_fold(f"x{c}") == [f"x{c}"]
    ]
    assert len(ASSIGNED) > 140_000
    assert len(newer) < 15_000  # letters and marks that were assigned since


@pytest.mark.parametrize("accents", [False, True])
def test_every_code_point_is_folded_and_placed_as_by_the_oracle(accents):
    size, wrong = 500, []
    for at in range(0, len(ASSIGNED), size):
        some = ASSIGNED[at : at + size]
        text = "\n".join(f"a{c}b {c}" for c in some)
        if not _same(text, accents):
            wrong += [f"{ord(c):04X}" for c in some if not _same(f"a{c}b {c}", accents)] or [
                f"{ord(some[0]):04X}…"
            ]
    assert wrong == []


def test_every_code_point_has_the_flags_of_the_oracle():
    assert [f"{ord(c):04X}" for c in ASSIGNED if _native.text_flags(f"a{c}") != oracle.flags(f"a{c}")] == []


def _among(*ranges: tuple[int, int]) -> st.SearchStrategy[str]:
    some = [c for c in ASSIGNED if any(first <= ord(c) <= last for first, last in ranges)]
    return st.text(st.sampled_from(some), max_size=12)


PIECES = st.one_of(
    _among((0x20, 0x17F)),
    _among((0x41, 0x7A), (0x300, 0x36F)),  # letters and marks: NFD
    _among((0x370, 0x52F), (0x1F00, 0x1FFF)),  # Greek and Cyrillic
    _among((0x590, 0x6FF)),  # right to left
    _among((0x900, 0x97F), (0xB00, 0xD7F)),  # India
    _among((0xE00, 0xEFF), (0x1000, 0x109F), (0x1780, 0x17FF)),  # no spaces
    _among((0x1100, 0x11FF), (0xAC00, 0xAC80), (0xFF9E, 0xFFDC)),  # Hangul and its jamo
    _among((0x3000, 0x33FF), (0x4E00, 0x4E80), (0xFF00, 0xFFEF)),
    _among((0x2000, 0x24FF), (0xFB00, 0xFB4F), (0x1D400, 0x1D7FF)),
    _among(
        (0x1F1E6, 0x1F64F), (0x200B, 0x200F), (0xFE00, 0xFE0F), (0x20D0, 0x20F0)
    ),  # emoji and what joins them
    st.text(st.sampled_from("aéßẞıİςσΣµªº²½ŉǰſ_'’\u00ad\u0301\u0345\u0327\0")),
    st.text(st.sampled_from(ASSIGNED), max_size=12),
)
TEXTS = st.lists(PIECES, min_size=1, max_size=4).map("".join)


@settings(max_examples=600, deadline=None)
@example("\u8303\uac01\u1100\0\u2003\u2001\uffac\u1100\0\u1161\u1161", True)
@example("\u0f73\u0f71 \u1e9b\u0323 \u0344", False)
@given(TEXTS, st.booleans())
def test_random_texts_are_read_as_by_the_oracle(text, accents):
    assert _same(text, accents)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_forms_of_one_text_are_read_alike(text):
    seen = "".join(c for c in text if not oracle.is_invisible(c))
    read = _native.text_sequence(seen)
    assert all(
        _native.text_sequence(unicodedata.normalize(form, seen)) == read
        for form in ("NFC", "NFD", "NFKC", "NFKD")
    )


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from([c for c in ASSIGNED if ord(c) < 0x250 and c not in "\u00adİ"])))
def test_latin_text_has_the_words_of_a_regular_expression(
    text,
):  # İ folds to i and a mark, which `\w` leaves out
    assert _native.text_fold(text) == re.findall(r"\w+", oracle.cased(text))


def test_a_word_is_found_where_it_stands():
    text = "L’e\u0301té — in\u00adter ½ 株式 ﬁn"
    data = text.encode()
    found = [data[start:end].decode() for _, start, end in _native.text_words(text)]
    assert found == ["L", "e\u0301té", "in\u00adter", "½", "½", "株", "式", "ﬁn"]


def test_values_of_the_hashes_are_pinned():
    assert _native.TEXT_NORMALISER == "klero-text/1"
    assert _native.TEXT_SHINGLES == "klero-shingle/1"
    assert [hash_ for hash_, _, _ in _native.text_words("Été anticonstitutionnellement")] == PINNED_WORDS
    assert _native.text_shingles("Il pleut sur la ville") == PINNED_SHINGLES
    assert _native.text_sequence("Il pleut sur la ville") == PINNED_SEQUENCE


@pytest.mark.parametrize("text", ["", " ", "…", "😀👍🏽", "´¨", "\u0301", "\u200b", "👩\u200d👧"])
def test_a_text_without_words_has_no_shingle(text):
    assert _native.text_shingles(text) == []
    assert _native.text_sequence(text)[1] == 0


@pytest.mark.parametrize("shingle", [0, 10, 255])
def test_a_shingle_has_one_to_nine_words(shingle):
    with pytest.raises(ValueError, match="1 to 9"):
        _native.text_shingles("oui", shingle)
