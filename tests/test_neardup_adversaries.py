"""Who would deceive the search, and what is given to it by mistake: one test each, with what then happens."""

from __future__ import annotations

import hashlib
import json
import math
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import klero
from klero.errors import InputError
from neardup_cases import assert_same, partition
from neardup_oracle import near_duplicates as slowly
from text_oracle import sequence

LETTER = (
    "Madame, Monsieur, je vous demande de renoncer au projet de parking souterrain : il coûterait douze millions, "
    "les arbres de la place seraient abattus, et nos enfants y jouent chaque soir après l'école."
)
TOGETHER = frozenset({frozenset({0, 1})})


def codes(call: Callable[[], object]) -> list[str]:
    """The codes of all faults that `call` is refused for."""
    with pytest.raises(InputError) as told:
        call()
    return [fault.code for fault in told.value.faults]


# What people do to a text so that it isn't found again.


@pytest.mark.parametrize(
    "changed", ["Bonjour. " + LETTER, LETTER + " Merci", "Moi aussi : " + LETTER + " Un voisin."]
)
def test_words_put_before_or_behind_a_letter_hide_nothing(changed: str) -> None:
    found = klero.near_duplicates([LETTER, changed])
    assert partition(found) == TOGETHER
    assert_same(found, slowly([LETTER, changed]))


def test_a_letter_inside_a_long_contribution_is_found_by_containment() -> None:
    longer = "Voici ce que j'ai vécu pendant dix ans au bord de cette place, été comme hiver. " * 3 + LETTER
    assert partition(klero.near_duplicates([LETTER, longer])) == frozenset()
    assert partition(klero.near_duplicates([LETTER, longer], measure="containment")) == TOGETHER


def test_shuffled_words_are_another_text_unless_words_are_taken_one_by_one() -> None:
    words = LETTER.split()
    random.Random(3).shuffle(words)
    texts = [LETTER, " ".join(words)]
    assert partition(klero.near_duplicates(texts, threshold=0.3)) == frozenset()
    found = klero.near_duplicates(texts, shingle=1)
    assert partition(found) == TOGETHER
    assert (found.similarity[1], found.groups[0].distinct) == (1.0, 2)


def test_a_text_shorter_than_a_shingle_is_one_shingle() -> None:
    texts = ["oui mais", "Oui, mais…", "oui mais non", "mais oui", "oui", "Oui."]
    assert partition(klero.near_duplicates(texts, threshold=0.3)) == {frozenset({0, 1}), frozenset({4, 5})}
    assert_same(
        klero.near_duplicates(texts, shingle=9, threshold=0.3), slowly(texts, shingle=9, threshold=0.3)
    )


@pytest.mark.parametrize("measure", ["jaccard", "containment"])
def test_short_copies_are_copies(measure: str) -> None:
    texts = ["", "ok", "Oui.", "OK !", "oui", "😀😀", "😀😀", "?", None, "ok oui"]
    found = klero.near_duplicates(texts, measure=measure)
    assert partition(found) == {frozenset({1, 3}), frozenset({2, 4})}
    assert found.group.tolist() == [-2, 0, 1, 0, 1, -2, -2, -2, -2, -1]


@pytest.mark.parametrize(
    "empty", ["", " \n\t", "😀", "👩‍👩‍👧", "…?!", "\u200b", "\ufeff", "\u00ad\u200d", "¿¡«»", None]
)
def test_texts_without_words_match_nothing_not_even_themselves(empty: str | None) -> None:
    for measure in ("jaccard", "containment"):
        found = klero.near_duplicates(
            [empty, empty, "des mots"], measure=measure, threshold=0.3, min_shared=1
        )
        assert found.group.tolist() == [-2, -2, -1]
        assert (found.counts.empty, found.counts.alone, found.counts.grouped) == (2, 1, 0)
        assert math.isnan(found.similarity[0])


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_how_accents_are_encoded_makes_no_difference(form: str) -> None:
    texts = [LETTER, unicodedata.normalize(form, LETTER)]
    found = klero.near_duplicates(texts)
    assert partition(found) == TOGETHER
    assert found.groups[0].distinct == 1


def test_accents_left_out_make_a_difference_unless_they_are_folded() -> None:
    bare = "".join(c for c in unicodedata.normalize("NFD", LETTER) if unicodedata.category(c) != "Mn")
    assert klero.near_duplicates([LETTER, bare]).counts.distinct == 2
    found = klero.near_duplicates([LETTER, bare], fold_accents=True)
    assert found.groups[0].distinct == 1


def test_full_width_letters_are_letters() -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in LETTER)
    found = klero.near_duplicates([LETTER, wide])
    assert found.groups[0].distinct == 1


def test_text_from_right_to_left_is_read_like_any_other() -> None:
    arabic = (
        "نحن سكان هذا الحي نطلب من البلدية إلغاء مشروع موقف السيارات تحت الساحة الكبيرة لأن الأشجار ستقطع"
    )
    marked = "\u202b" + arabic.replace(" ", " \u200f") + "\u202c"
    hebrew = "אנחנו תושבי השכונה מבקשים מהעירייה לבטל את תוכנית החניון מתחת לכיכר הגדולה כי העצים ייכרתו"
    texts = [arabic, marked, hebrew, hebrew + " תודה"]
    found = klero.near_duplicates(texts)
    assert partition(found) == {frozenset({0, 1}), frozenset({2, 3})}
    assert found.invisibles == 1
    assert_same(found, slowly(texts))


def test_scripts_without_spaces_are_read_letter_by_letter() -> None:
    texts = [
        "我们要求市政府取消地下停车场计划",
        "我们要求市政府取消地下停车场计划吧",
        "今日はとても良い天気ですね",
    ]
    found = klero.near_duplicates(texts)
    assert partition(found) == TOGETHER
    assert_same(found, slowly(texts))


@pytest.mark.parametrize(
    "noise", ["\u200b", "\u00ad", "\u2060", "\ufeff", "\u200d", "\ufe0f", "\u202e", "\U000e0041"]
)
def test_invisible_characters_change_nothing_and_are_counted(noise: str) -> None:
    rng = random.Random(noise)
    noisy = "".join(c + noise if rng.random() < 0.3 else c for c in LETTER)
    found = klero.near_duplicates([LETTER, noisy])
    assert found.groups[0].distinct == 1
    assert found.invisibles == 1


@pytest.mark.parametrize(
    ("latin", "other"), [("aeopcxy", "аеорсху"), ("ijs", "іјѕ"), ("AEOPCXBHKMT", "АЕОРСХВНКМТ"), ("ov", "ον")]
)
def test_letters_that_look_alike_are_taken_for_each_other_and_counted(latin: str, other: str) -> None:
    text = LETTER + " BEHOLD HOME TAXI KIT MAP VOX JAVA"
    disguised = text.translate(str.maketrans(latin, other))
    assert disguised != text
    found = klero.near_duplicates([text, disguised])
    assert found.groups[0].distinct == 1
    assert found.lookalikes == 1


def test_a_russian_or_greek_text_is_no_disguise() -> None:
    texts = ["Мы просим отменить проект парковки под площадью", "Ζητούμε την ακύρωση του έργου στάθμευσης"]
    found = klero.near_duplicates(texts)
    assert (found.lookalikes, found.counts.alone) == (0, 2)


def test_capitals_punctuation_and_apostrophes_make_no_difference() -> None:
    texts = [
        LETTER,
        LETTER.upper(),
        LETTER.replace("'", "’").replace(",", " ;"),
        LETTER.replace(" ", "\u00a0"),
    ]
    assert klero.near_duplicates(texts).groups[0].distinct == 1


# What is too much, or nearly.


def test_one_text_of_fifty_megabytes_is_read_whole() -> None:
    words = 5_600_000
    numbers = np.arange(10_000_000, 10_000_000 + words)
    whole = " ".join(map(str, numbers.tolist()))
    assert len(whole) > 50_000_000
    first, last = whole[:900], whole[-900:]
    found = klero.near_duplicates(pa.array([whole, first, last, "court", ""]), measure="containment")
    assert found.group.tolist() == [0, 0, 0, -1, -2]
    group = found.groups[0]
    assert (group.representative, group.weakest_edge) == (1, 1.0)
    assert found.similarity[:3].tolist() == [1, 1, 0]  # the end and the beginning are tied by the whole alone


def test_a_million_identical_texts_are_one_group() -> None:
    column = pa.DictionaryArray.from_arrays(np.zeros(10**6, np.int32), ["Non au parking souterrain !"])
    found = klero.near_duplicates(column)
    assert (found.counts.groups, found.counts.grouped, found.counts.distinct) == (1, 10**6, 1)
    group = found.groups[0]
    assert (group.size, group.id, group.representative, group.weakest_edge) == (10**6, 0, 0, 1.0)
    assert group.members[999_999] == 999_999
    assert (found.similarity == 1).all()


def test_a_million_texts_without_words_are_empty() -> None:
    found = klero.near_duplicates(pa.nulls(10**6, pa.string()))
    assert (found.counts.empty, found.counts.groups) == (10**6, 0)


def test_a_text_of_one_word_again_and_again_has_one_shingle() -> None:
    texts = ["non " * 100_000, "non non non", "non non", "non"]
    assert_same(klero.near_duplicates(texts), slowly(texts))


def test_a_stock_phrase_in_every_text_joins_nobody() -> None:
    rng = random.Random(1)
    texts = ["Je pense que " + " ".join(f"w{rng.randrange(10**6)}" for _ in range(30)) for _ in range(5000)]
    assert klero.near_duplicates(texts, threshold=0.3).counts.groups == 0


# What is given by mistake.


def test_bytes_that_are_no_utf8_are_refused_with_their_row() -> None:
    raw = pa.array([b"bien", "déjà".encode("latin-1"), b"bien"], pa.binary())
    column = pa.Array.from_buffers(pa.string(), 3, raw.buffers())
    with pytest.raises(InputError) as told:
        klero.near_duplicates(column)
    assert [(fault.code, fault.row) for fault in told.value.faults] == [("encoding-unreadable", 2)]


def test_half_a_character_is_refused() -> None:
    assert codes(lambda: klero.near_duplicates(["bien", "\ud83d"])) == ["encoding-unreadable"]


def test_null_cells_are_empty_texts_that_keep_their_rows() -> None:
    for column in (
        [None, LETTER, None, LETTER],
        pa.array([None, LETTER, None, LETTER]),
        pd.Series([None, LETTER, float("nan"), LETTER], dtype=object),
        pl.Series([None, LETTER, None, LETTER]),
        np.array([None, LETTER, np.nan, LETTER], object),
    ):
        assert klero.near_duplicates(column).group.tolist() == [-2, 0, -2, 0]


@pytest.mark.parametrize(
    "numbers",
    [
        [1, 2, 2],
        pa.array([1, 2, 2]),
        pa.array([1.5, 2.5, None]),
        np.array([1, 2, 2]),
        pd.Series([1, 2, 2]),
        pl.Series([1, 2, 2]),
        ["texte", 2, "texte"],
        pa.array([True, False]),
        [b"octets"],
        [["liste"]],
    ],
    ids=repr,
)
def test_numbers_and_the_like_are_not_compared_as_texts(numbers: object) -> None:
    assert codes(lambda: klero.near_duplicates(numbers)) == ["text-type"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "single", ["un seul texte", b"octets", {"a": "texte"}, {"un", "deux"}, 5, None], ids=repr
)
def test_what_is_no_list_of_texts_is_refused(single: object) -> None:
    assert codes(lambda: klero.near_duplicates(single)) == ["source-type"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        (["a", "b", "a"], "id-duplicate"),
        ([1, 2, 1], "id-duplicate"),
        (["a", None, "b"], "id-empty"),
        (["a", "", "b"], "id-empty"),
        (["a", "b"], "id-count"),
        ([1.5, 2.5, 3.5], "id-type"),
    ],
)
def test_ids_that_are_not_one_for_each_text_are_refused(ids: list[object], code: str) -> None:
    assert codes(lambda: klero.near_duplicates(["x", "y", "z"], ids=ids)) == [code]  # type: ignore[arg-type]


@pytest.mark.parametrize("threshold", [0, 0.29, 1.01, -1, math.nan, math.inf, "0.8", True, None])
def test_a_threshold_out_of_its_range_is_refused(threshold: object) -> None:
    assert codes(lambda: klero.near_duplicates(["x"], threshold=threshold)) == ["option-range"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"shingle": 0}, "option-range"),
        ({"shingle": 10}, "option-range"),
        ({"shingle": 2.5}, "option-range"),
        ({"recall": 1}, "option-range"),
        ({"recall": 0.1}, "option-range"),
        ({"min_shared": 0}, "option-range"),
        ({"threads": 0}, "option-range"),
        ({"memory": "plenty"}, "option-range"),
        ({"memory": 1}, "option-range"),
        ({"measure": "cosine"}, "option-unknown"),
        ({"mode": "fast"}, "option-unknown"),
        ({"measure": "containment", "mode": "sketch"}, "options-conflict"),
    ],
    ids=repr,
)
def test_options_that_can_not_be_are_refused(options: dict[str, object], code: str) -> None:
    assert codes(lambda: klero.near_duplicates(["x"], **options)) == [code]  # type: ignore[arg-type]


def test_all_mistakes_are_told_at_once() -> None:
    told = codes(
        lambda: klero.near_duplicates([1, "x"], ids=["a", "a"], threshold=2, shingle=0, measure="cosine")
    )
    assert set(told) == {"text-type", "id-duplicate", "option-range", "option-unknown"}
    assert told.count("option-range") == 2


def test_an_id_that_is_not_there_is_refused() -> None:
    found = klero.near_duplicates(["x", "x"], ids=["a", "b"])
    for ask in (
        found.group_of,
        found.explain,
        lambda name: found.evidence("a", name),
        found.members,
        found.template,
    ):
        assert codes(lambda ask=ask: ask("c")) == ["id-unknown"]  # type: ignore[misc]


def test_pairs_of_a_campaign_are_refused_before_they_fill_the_memory() -> None:
    found = klero.near_duplicates(pa.DictionaryArray.from_arrays(np.zeros(10**4, np.int32), [LETTER]))
    assert codes(found.pairs) == ["pairs-limit"]
    first, *_ = zip(range(1), found.pairs(limit=None), strict=False)
    assert first[1] == (0, 1, 1.0)


@pytest.fixture
def index_file(tmp_path: Path) -> Path:
    index = klero.NearDuplicateIndex(threshold=0.5)
    index.add(["a", "b", "c", "d"], [LETTER, "Bonjour ! " + LETTER, "ok", ""])
    index.save(tmp_path / "index.parquet")
    return tmp_path / "index.parquet"


def index_codes(path: Path) -> list[str]:
    return codes(lambda: klero.NearDuplicateIndex.load(path))


def test_an_index_file_cut_short_anywhere_is_refused(index_file: Path) -> None:
    whole = index_file.read_bytes()
    for cut in sorted({0, 1, 4, 11, len(whole) - 1, *range(0, len(whole), max(1, len(whole) // 100))}):
        index_file.write_bytes(whole[:cut])
        assert index_codes(index_file) == ["index-invalid"], cut


def test_a_changed_byte_in_an_index_file_is_refused_or_changes_nothing(index_file: Path) -> None:
    whole = index_file.read_bytes()
    known = [(group.id, tuple(group.members)) for group in klero.NearDuplicateIndex.load(index_file).groups()]
    rng = random.Random(5)
    refused = []
    for _ in range(400):
        at = rng.randrange(len(whole))
        index_file.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << rng.randrange(8))]) + whole[at + 1 :])
        try:
            read = klero.NearDuplicateIndex.load(index_file)
        except InputError as error:
            refused += [fault.code for fault in error.faults]
        else:
            assert [(group.id, tuple(group.members)) for group in read.groups()] == known
    assert set(refused) <= {"index-invalid", "index-version", "index-settings"}
    assert len(refused) > 200


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"PAR1PAR1", b"id,text\n1,oui\n", bytes(1000), b"PAR1" * 300], ids=repr
)
def test_what_is_no_index_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "index.parquet").write_bytes(content)
    assert index_codes(tmp_path / "index.parquet") == ["index-invalid"]


def test_another_table_in_parquet_is_no_index(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "text": [LETTER]}), tmp_path / "index.parquet")
    assert index_codes(tmp_path / "index.parquet") == ["index-invalid"]


PINNED = (
    LETTER,
    "Bonjour ! " + LETTER,
    LETTER[:150],
    "OK",
    "ok",
    "",
    "我们要求取消",
    "Straße",
    "STRASSE",
    None,
)


def test_what_was_found_is_the_same_on_every_machine() -> None:
    """Word sizes, byte orders and threads included: this is pinned."""
    told = json.loads(klero.near_duplicates(PINNED, threshold=0.5).to_json())
    assert told["texts_digest"] == "2dc1f888089d600da9de3d74edfa624be615c3ab46b985871fd3d3cd73c90dde"
    assert [(group["members"], group["similarity"], group["weakest_edge"]) for group in told["groups"]] == [
        ([0, 1, 2], [1.0, 31 / 32, 21 / 31], 21 / 31),
        ([3, 4], [1.0, 1.0], 1.0),
        ([7, 8], [1.0, 1.0], 1.0),
    ]


def test_the_digest_is_made_of_ids_and_sequences_of_words_as_its_definition_says() -> None:
    entries = sorted(
        hashlib.sha256(str(row).encode() + sequence(text or "").to_bytes(16, "little")).digest()
        for row, text in enumerate(PINNED)
    )
    head = b"klero-texts/1 klero-text/1 klero-shingle/1 fold_accents=0\n"
    whole = hashlib.sha256(head + len(entries).to_bytes(8, "little") + b"".join(entries))
    assert klero.near_duplicates(PINNED).digest == whole.hexdigest()
