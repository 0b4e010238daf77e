"""What two texts share and a group's letter, against slow and obvious ones (`evidence_oracle.py`)."""

from __future__ import annotations

import itertools
import json
import pickle
import random
import unicodedata
from dataclasses import FrozenInstanceError, dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence_oracle import SlowLetter, aligned, covered, pieces, place, runs, shingles
from klero import _native
from klero.errors import InputError
from klero.voices import evidence as module
from klero.voices.evidence import Evidence, Span, Template, evidence, letter_of, shared_spans
from text_oracle import spans

WORDS = [
    "oui",
    "non",
    "la",
    "tour",
    "Été",
    "éte\u0301",
    "ＮＯＮ",
    "½",
    "ﷺ",
    "水",
    "道路",
    "ไทย",
    "שלום",
    "سلام",
    "a\u200bb",
    "e\u0301",
]
BETWEEN = [" ", ", ", "\n\n", " 🙂 ", "! ", "\u200b", "\u00a0", " 👩‍👩‍👧 ", " «", "» ", "\u202e", "-"]


@st.composite
def texts(draw: st.DrawFn, most: int = 14, least: int = 0) -> str:
    """A text of words of several scripts, with what may stand between them."""
    parts = draw(
        st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(BETWEEN)), min_size=least, max_size=most)
    )
    return draw(st.sampled_from(["", *BETWEEN])) + "".join(word + between for word, between in parts)


@dataclass(frozen=True)
class Asked:
    shingle: int = 3
    fold_accents: bool = False
    measure: str = "jaccard"


def check_places(text: str, found: tuple[Span, ...]) -> None:
    for span in found:
        assert text[span.start : span.end] == span.text
        assert text.encode()[span.byte_start : span.byte_end].decode() == span.text


def check_sides(found: Evidence) -> None:
    """Everything about each of the two texts, and the alignment, against the oracle."""
    k, a, b = found.shingle, found.text_a, found.text_b
    read_a, read_b = spans(a), spans(b)
    words_a, words_b = [word.text for word in read_a], [word.text for word in read_b]
    sets = set(shingles(words_a, k)), set(shingles(words_b, k))
    shared = sets[0] & sets[1]
    assert (found.words_a, found.words_b) == (len(words_a), len(words_b))
    assert (found.shingles_a, found.shingles_b, found.shared) == (len(sets[0]), len(sets[1]), len(shared))
    assert (found.whole, found.collisions) == (len(sets[0] | sets[1]), 0)
    pairs = aligned(found)
    check_alignment(found, words_a, words_b, pairs)
    in_order = {i for i, _ in pairs}, {j for _, j in pairs}
    for text, read, words, mine, segments, order, side in (
        (a, read_a, words_a, found.spans_a, found.segments_a, in_order[0], "a"),
        (b, read_b, words_b, found.spans_b, found.segments_b, in_order[1], "b"),
    ):
        expected = [
            Span(*where, text[where[0] : where[1]])
            for where in (place(text, read, *run) for run in runs(words, k, shared))
        ]
        assert list(mine) == expected
        check_places(text, mine)
        kinds = ["shared" if n in order else "own" for n in range(len(words))]
        for match in (match for match in found.matches if match.moved):
            span = match.a if side == "a" else match.b
            where = (span.byte_start, span.byte_end)
            starts = range(len(words) - span.words + 1)
            firsts = [n for n in starts if place(text, read, n, n + span.words)[2:4] == where]
            first = firsts[0]
            if (
                len(firsts) > 1
            ):  # it begins or ends within a code point of several words, and the place does not tell with which
                return
            assert kinds[first : first + span.words] == ["own"] * span.words
            kinds[first : first + span.words] = ["moved"] * span.words
        assert list(segments) == pieces(text, read, kinds)


def check_alignment(
    found: Evidence, words_a: list[str], words_b: list[str], pairs: list[tuple[int, int]]
) -> None:
    assert all(words_a[i] == words_b[j] for i, j in pairs)
    assert pairs == sorted(set(pairs))
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    rows = found.alignment
    assert sum(row.a.words for row in rows if row.a) == len(words_a)
    assert sum(row.b.words for row in rows if row.b) == len(words_b)
    for row in rows:
        kinds = {(True, True): {"equal", "replaced"}, (True, False): {"only_a"}, (False, True): {"only_b"}}
        assert row.kind in kinds[row.a is not None, row.b is not None]
    assert all(one.kind == "equal" or two.kind == "equal" for one, two in itertools.pairwise(rows))


@settings(max_examples=300, deadline=None)
@given(texts(), texts(), st.integers(1, 4))
def test_evidence_is_that_of_sets_of_tuples(a: str, b: str, k: int) -> None:
    found = evidence(a, b, shingle=k)
    check_sides(found)
    for match in found.matches:
        folded = [[word.text for word in spans(passage.text)] for passage in (match.a, match.b)]
        if "½" not in a + b and "ﷺ" not in a + b:  # a code point of several words may lie half in a passage
            assert folded[0] == folded[1]
        assert match.a.words == match.b.words >= min(k, len(spans(a)))


@settings(max_examples=150, deadline=None)
@given(st.lists(texts(6, 1), min_size=1, max_size=5), st.randoms(use_true_random=False), st.integers(1, 3))
def test_texts_of_one_origin_are_compared_as_sets_of_tuples(
    paragraphs: list[str], chance: random.Random, k: int
) -> None:
    other = paragraphs[:]
    chance.shuffle(other)
    check_sides(evidence("\n".join(paragraphs), "\n".join(other[: chance.randint(1, len(other))]), shingle=k))


@settings(max_examples=100, deadline=None)
@given(texts(), texts())
def test_the_other_way_round_the_counts_change_sides(a: str, b: str) -> None:
    one, two = evidence(a, b), evidence(b, a)
    assert (one.shared, one.whole, one.shingles_a, one.spans_a) == (
        two.shared,
        two.whole,
        two.shingles_b,
        two.spans_b,
    )
    assert (one.containment_a, one.jaccard) == (two.containment_b, two.jaccard)


@settings(max_examples=100, deadline=None)
@given(texts())
def test_a_text_shares_everything_with_itself(text: str) -> None:
    found = evidence(text, text)
    words = len(spans(text))
    assert (found.jaccard, found.containment) == ((1.0, 1.0) if words else (0.0, 0.0))
    assert [row.kind for row in found.alignment] == ["equal"] * bool(words)
    assert {segment.kind for segment in found.segments_a} <= {"shared", "gap"}
    assert [match.moved for match in found.matches] == [False] * bool(words)


def test_empty_texts_share_nothing() -> None:
    for a, b in (("", ""), ("🙂 !", "🙂 !"), ("", "oui")):
        found = evidence(a, b)
        assert (found.shared, found.jaccard, found.similarity, found.matches, found.spans_a) == (
            0,
            0.0,
            0.0,
            (),
            (),
        )
    assert evidence("", "").segments_a == ()
    assert [segment.kind for segment in evidence("🙂", "").segments_a] == ["gap"]


def test_disjoint_texts_share_nothing() -> None:
    found = evidence("un deux trois quatre", "cinq six sept huit")
    assert (found.shared, found.whole, found.matches) == (0, 4, ())
    assert [row.kind for row in found.alignment] == ["replaced"]


def test_a_short_text_has_one_shingle_and_equals_only_itself() -> None:
    assert evidence("Oui.", "OUI !").shared == 1
    assert evidence("oui non", "oui non la tour").shared == 0
    assert evidence("oui non", "oui non", shingle=9).jaccard == 1.0
    assert evidence("oui", "non oui la tour").matches == ()


def test_a_moved_paragraph_is_found_where_it_went() -> None:
    one, two, three = (f"le paragraphe {n} parle de {n} {n} chose {n}" for n in ("un", "deux", "trois"))
    found = evidence(f"{one}\n{two}\n{three}", f"{three}\n{one}\n{two}")
    moved = [match for match in found.matches if match.moved]
    assert [(match.a.text, match.b.text) for match in moved] == [(three, three)]
    assert [segment.kind for segment in found.segments_b if segment.kind != "gap"] == ["moved", "shared"]


def test_one_word_prepended_leaves_the_rest_shared() -> None:
    text = "nous demandons une piste cyclable sur le pont"
    found = evidence(text, f"Oui {text}")
    assert [(row.kind, row.b.text if row.b else "") for row in found.alignment] == [
        ("only_b", "Oui"),
        ("equal", text),
    ]
    assert (found.containment_a, found.shared, found.whole) == (1.0, 6, 7)


def test_a_replaced_word_is_told_as_replaced() -> None:
    found = evidence("la tour est trop haute pour nous", "la tour est bien haute pour nous")
    assert [(row.kind, row.a and row.a.text, row.b and row.b.text) for row in found.alignment] == [
        ("equal", "la tour est", "la tour est"),
        ("replaced", "trop", "bien"),
        ("equal", "haute pour nous", "haute pour nous"),
    ]


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_normal_forms_of_one_text_are_equal_and_keep_their_own_places(form: str) -> None:
    text = "Élève à l’école, où naïveté rime avec ﬁerté 🙂 et d’été"
    other = unicodedata.normalize(form, text)
    found = evidence(text, other)
    assert found.jaccard == 1.0
    check_places(other, found.spans_b)
    assert found.spans_b[0].text == other


def test_accents_count_unless_they_are_folded() -> None:
    assert evidence("un élève arrive", "un eleve arrive").shared == 0
    assert evidence("un élève arrive", "un eleve arrive", fold_accents=True).jaccard == 1.0


def test_right_to_left_and_unspaced_scripts_have_places_of_their_own() -> None:
    found = evidence("אנחנו רוצים שביל אופניים 🚲", "‏אנחנו רוצים שביל אופניים!")
    assert found.jaccard == 1.0
    assert found.spans_b[0].text == "אנחנו רוצים שביל אופניים"
    found = evidence("我们要自行车道", "他说我们要自行车道。")
    assert (found.spans_b[0].start, found.spans_b[0].text) == (2, "我们要自行车道")


def test_zero_width_characters_inside_a_word_do_not_part_it() -> None:
    found = evidence("la tour du port", "la to\u200bur du port")
    assert found.jaccard == 1.0
    assert found.spans_b[0].text == "la to\u200bur du port"


def test_the_measure_says_which_similarity_is_meant() -> None:
    short, long = "un deux trois quatre", "un deux trois quatre cinq six sept huit"
    assert evidence(short, long).similarity == evidence(short, long).jaccard == 2 / 6
    assert evidence(short, long, measure="containment").similarity == 1.0
    assert shared_spans(short, long, Asked(measure="containment")).similarity == 1.0


def test_long_texts_are_aligned_by_what_stands_once() -> None:
    chance = random.Random(5)
    words = [f"mot{chance.randrange(3000)}" for _ in range(20_000)]
    other = words[:]
    for _ in range(200):
        other[chance.randrange(len(other))] = "autre"
    other = other[12_000:13_000] + other[:12_000] + other[13_000:]
    found = evidence(" ".join(words), " ".join(other))
    pairs = aligned(found)
    assert all(words[i] == other[j] for i, j in pairs)
    assert len(pairs) > 18_500
    assert sum(match.a.words for match in found.matches if match.moved) > 900
    sets = set(shingles(words, 3)), set(shingles(other, 3))
    assert (found.shared, found.whole) == (len(sets[0] & sets[1]), len(sets[0] | sets[1]))


def test_a_text_of_one_word_many_times_is_not_quadratic() -> None:
    found = evidence("oui " * 300_000, "oui " * 299_990 + "non oui")
    assert (found.shared, found.whole) == (1, 3)
    assert found.alignment[0].a is not None
    assert found.alignment[0].a.words == 299_990


# ----- the letter -----

NAMES = ["Anna", "Élise", "Jean-Paul", "李", "محمد", "Zoë 🙂"]


@st.composite
def groups(draw: st.DrawFn) -> list[str]:
    """Letters of one origin: a name, a paragraph more or less, words changed; and perhaps somebody else's text."""
    letter = draw(st.lists(st.sampled_from(WORDS), min_size=1, max_size=10))
    members = []
    for _ in range(draw(st.integers(1, 6))):
        words = letter[:]
        for _ in range(draw(st.integers(0, 2))):
            at = draw(st.integers(0, len(words)))
            words[at : at + draw(st.integers(0, 2))] = draw(
                st.lists(st.sampled_from(WORDS + NAMES), max_size=3)
            )
        members.append(draw(st.sampled_from(BETWEEN)).join(words))
    return members + draw(st.lists(texts(), max_size=1))


@settings(max_examples=300, deadline=None)
@given(groups(), st.integers(1, 3), st.randoms(use_true_random=False))
def test_a_letter_is_what_more_than_half_have(members: list[str], k: int, chance: random.Random) -> None:
    representative = chance.randrange(len(members))
    found = letter_of(members, range(len(members)), representative, Asked(k))
    slow = SlowLetter(members, representative, k)
    assert (found.letter_shingles, found.letter_words) == (len(slow.letter), sum(slow.frame))
    assert (found.members, found.majority, found.collisions) == (len(members), len(members) // 2 + 1, 0)
    assert found.words == tuple(len(read) for read in slow.read)
    assert found.own_words == tuple(kinds.count("own") for kinds in slow.kinds)
    for member, (read, kinds) in enumerate(zip(slow.read, slow.kinds, strict=True)):
        assert list(found.segments_of(member)) == pieces(members[member], read, kinds)
    assert found.segments == found.segments_of(representative)
    check_slots(found, slow, members[representative])


def check_slots(found: Template, slow: SlowLetter, text: str) -> None:
    expected = sorted(slow.slots.items())
    assert [(slot.members, slot.distinct) for slot in found.slots] == [
        (members, len(fillers)) for _, (members, fillers) in expected
    ]
    for slot, (_, (_, fillers)) in zip(found.slots, expected, strict=True):
        assert [filler.count for filler in slot.fillers] == sorted(fillers.values(), reverse=True)[:5]
        assert (
            text[slot.start : slot.end]
            == slot.text
            == text.encode()[slot.byte_start : slot.byte_end].decode()
        )
    places = [slot.start for slot in found.slots]
    assert places == sorted(places)


def letters(names: list[str]) -> list[str]:
    return [
        f"Bonjour {name}, je vous demande de refuser le projet de tour. Cordialement, {name}"
        for name in names
    ]


def test_a_name_in_a_letter_is_a_slot_with_its_fillers() -> None:
    found = letter_of(letters(["Anna", "Marie", "Paul", "Anna", "Zoé"]), [1, 2, 3, 4, 5], 1, Asked())
    slot = found.slots[0]
    assert (slot.before, slot.text, slot.after) == ("Bonjour", "Anna", "je vous demande")
    assert (slot.members, slot.distinct) == (5, 4)
    assert [(filler.text, filler.count) for filler in slot.fillers] == [
        ("Anna", 2),
        ("Marie", 1),
        ("Paul", 1),
        ("Zoé", 1),
    ]
    assert found.own_words == (2, 2, 2, 2, 2)


def test_an_added_paragraph_is_a_slot_where_the_representative_has_nothing() -> None:
    texts = [
        *letters(["Anna"] * 3),
        letters(["Anna"])[0].replace("tour.", "tour. J'habite en face depuis trente ans."),
    ]
    found = letter_of(texts, ["a", "b", "c", "d"], "a", Asked())
    (slot,) = found.slots
    assert (slot.start, slot.end, slot.text, slot.members) == (slot.start, slot.start, "", 1)
    assert [filler.text for filler in slot.fillers] == ["J'habite en face depuis trente ans"]
    assert [segment.kind for segment in found.segments_of("d") if segment.kind != "gap"] == [
        "letter",
        "own",
        "letter",
    ]
    assert found.own_words == (0, 0, 0, 7)


def test_a_moved_paragraph_of_the_letter_stays_the_letters() -> None:
    one, two = "nous refusons ce projet de tour", "merci de protéger notre jardin public"
    found = letter_of([f"{one}. {two}"] * 3 + [f"{two}. {one}"], range(4), 0, Asked())
    assert found.own_words == (0, 0, 0, 0)


def test_exactly_half_of_the_members_make_no_letter() -> None:
    found = letter_of(
        ["un deux trois", "un deux trois", "quatre cinq six", "sept huit neuf"], range(4), 0, Asked()
    )
    assert (found.letter_shingles, found.letter_words, found.majority) == (0, 0, 3)
    assert letter_of(["un deux trois"] * 3 + ["non"], range(4), 0, Asked()).letter_shingles == 1


def test_a_group_of_copies_and_one_of_one_are_all_letter() -> None:
    for members in (1, 2, 50):
        found = letter_of(["Non à la tour !"] * members, range(members), 0, Asked())
        assert (found.letter_words, found.slots, set(found.own_words)) == (4, (), {0})


def test_more_slots_than_are_told_are_counted() -> None:
    words = [f"mot{n}" for n in range(1300)]
    other = [word + (" ajout" if n % 2 else "") for n, word in enumerate(words)]
    found = letter_of([" ".join(words)] * 3 + [" ".join(other)], range(4), 0, Asked(1))
    assert (len(found.slots), found.slots_left_out) == (500, 150)
    assert [slot.start for slot in found.slots] == sorted(slot.start for slot in found.slots)


def test_a_large_group_counts_as_its_copies_do() -> None:
    names = ["Anna", "Marie", "Paul"] * 2000
    found = letter_of(letters(names), range(len(names)), 0, Asked())
    assert [(filler.text, filler.count) for filler in found.slots[0].fillers] == [
        ("Anna", 2000),
        ("Marie", 2000),
        ("Paul", 2000),
    ]
    # Long personal parts, all different: the letter is still found among 20 times as many other shingles.
    texts = [f"{' '.join(f'n{m}x{n}' for n in range(120))} non à la tour au port" for m in range(300)]
    assert letter_of(texts, range(300), 0, Asked()).letter_shingles == 4


# ----- data, words, faults -----


def test_results_are_frozen_and_read_back_from_json() -> None:
    found, letter = (
        evidence("la tour du port", "la tour du lac"),
        letter_of(letters(["Anna", "Paul"]), [7, 9], 7, Asked()),
    )
    with pytest.raises(FrozenInstanceError):
        found.shared = 3  # type: ignore[misc]
    data, template = json.loads(found.to_json()), json.loads(letter.to_json())
    assert (data["schema"], data["shared"], data["whole"], data["algorithm"]) == (1, 1, 3, "klero-evidence/1")
    assert data["segments_a"][0] == {"kind": "shared", "start": 0, "end": 10, "byte_start": 0, "byte_end": 10}
    assert (template["ids"], template["members"], template["algorithm"]) == ([7, 9], 2, "klero-letter/1")
    assert not [name for name in template if name.startswith("_")]


def test_a_template_survives_pickling() -> None:
    letter = letter_of(letters(["Anna", "Paul"]), [7, 9], 7, Asked())
    again = pickle.loads(pickle.dumps(letter))  # noqa: S301
    assert again == letter
    assert again.segments_of(9) == letter.segments_of(9)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_evidence_is_told_in_words(lang: str) -> None:
    text = evidence("la tour du port est haute", "oui, la tour du port").explain(lang)
    assert all(part in text.replace(",", ".") for part in ("2", "5", "40.00", "la tour du port"))
    moved = evidence("un deux trois quatre cinq six", "quatre cinq six un deux trois").explain(lang)
    assert {"en": "elsewhere", "fr": "ailleurs"}[lang] in moved
    for a, b, k in (
        ("", "oui", 3),
        ("un deux trois", "quatre", 3),
        ("un", "deux", 1),
        ("un deux", "deux", 1),
    ):
        told = evidence(a, b, shingle=k).explain(lang)
        assert told
        assert "{" not in told


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_letter_is_told_in_words(lang: str) -> None:
    text = letter_of(letters(["Anna", "Marie", "Paul"]), ["a", "b", "c"], "b", Asked()).explain(lang)
    assert all(part in text for part in ("Bonjour", "Marie", "11", "13"))
    assert "{" not in text
    none = letter_of(["un", "deux"], ["a", "b"], "b", Asked()).explain(lang)
    assert {"en": "no common letter", "fr": "pas de lettre commune"}[lang] in none


def codes(caught: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [fault.code for fault in caught.value.faults]


def test_all_faults_of_a_comparison_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError) as caught:
        evidence(None, "\ud800", shingle=10, fold_accents=1, measure="cosine")  # type: ignore[arg-type]
    assert codes(caught) == [
        "option-range",
        "option-unknown",
        "option-unknown",
        "text-type",
        "encoding-unreadable",
    ]
    monkeypatch.setattr(module, "LONGEST_TEXT", 5)
    with pytest.raises(InputError) as caught:
        evidence("été été", "oui")
    assert codes(caught) == ["text-too-long"]


@pytest.mark.parametrize("shingle", [0, 10, True, 3.0, "3"])
def test_a_shingle_that_is_no_number_from_1_to_9_is_refused(shingle: object) -> None:
    with pytest.raises(InputError) as caught:
        evidence("a", "b", shingle=shingle)  # type: ignore[arg-type]
    assert codes(caught) == ["option-range"]


def test_faults_of_a_group_are_told() -> None:
    for texts, ids, representative, expected in (
        ([], [], 1, ["group-empty"]),
        (["a", "b"], [1], 1, ["id-count"]),
        (["a", None], [1, 2], 1, ["text-type"]),
        (["a", "b"], [1, 2], 3, ["id-unknown"]),
    ):
        with pytest.raises(InputError) as caught:
            letter_of(texts, ids, representative, Asked())  # type: ignore[arg-type]
        assert codes(caught) == expected
    found = letter_of(["a"], ["x"], "x", Asked())
    for ask in (found.text_of, found.segments_of):
        with pytest.raises(InputError) as caught:
            ask("y")
        assert codes(caught) == ["id-unknown"]


def test_the_compiled_part_refuses_what_python_would() -> None:
    with pytest.raises(ValueError, match="1 to 9 words, not 0"):
        _native.text_evidence("a", "b", 0, False)
    with pytest.raises(ValueError, match="no text 3"):
        _native.TextLetter(["a", "b"], 3, 3, False)


def test_covered_is_what_it_says() -> None:
    assert covered(["a", "b", "c", "d"], 2, [("b", "c")]) == [False, True, True, False]
