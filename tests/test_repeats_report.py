"""The page about repeated contributions: it says what was found, accounts for everything, and can be given to anybody."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from klero import near_duplicates
from klero.errors import InputError
from klero.voices.contributions import Contributions, open_contributions
from klero.voices.repeats_facts import gather, size_classes
from klero.voices.repeats_pictures import spread
from klero.voices.repeats_report import Source, repeats_html
from klero.voices.repeats_streamed import gather_file
from klero.voices.repeats_texts import Piece, Shown, SlotFacts, cut
from klero.voices.streaming import near_duplicates_file
from klero.voices.times import seconds_of, time_axis
from repeats_cases import SETTINGS, Page, facts, group, shown

PACKAGE = Path(__file__).resolve().parents[1] / "python" / "klero"
EXAMPLE = PACKAGE / "examples" / "contributions.csv"
SOURCE = Source("answers.csv", {"text": "body", "id": "ref"}, "repeats.csv", "1.0")
LETTER = "Nous demandons que la ligne douze reste ouverte le soir et le dimanche parce que personne ici ne peut rentrer autrement du travail"


@pytest.fixture(params=["en", "fr"])
def page(request: pytest.FixtureRequest) -> Page:
    return Page(repeats_html(facts(), SOURCE, request.param))


def test_what_was_found_and_the_sum_are_said_first_in_both_languages() -> None:
    english = Page(repeats_html(facts(), SOURCE, "en")).text
    french = Page(repeats_html(facts(), SOURCE, "fr")).text
    lead = "9 contributions hold 6 different texts; 3 are the same or nearly the same as another, in 1 group."
    assert lead in english
    assert english.index(lead) < english.index("This is no accusation") < english.rindex("Groups by size")
    assert english.count("3 alike with others + 4 alone + 2 without a word = 9 contributions.") == 2
    assert "9 contributions contiennent 6 textes différents" in french
    assert french.count("3 semblables à d’autres + 4 seules + 2 sans aucun mot = 9 contributions.") == 2
    assert "Ce n’est pas une accusation" in french


def test_no_english_sentence_is_left_on_the_french_page() -> None:
    everything = {"mode": "sketch", "recall": 0.99}
    for settings in (SETTINGS, replace(SETTINGS, **everything), replace(SETTINGS, measure="containment")):
        one = group(letter=shown("Oui", left_out=7, slots_left_out=2, slots=group().letter.slots))
        found = facts(one, settings=settings, group_count=40, personal=2)
        text = Page(repeats_html(found, SOURCE, "fr")).text
        assert not re.search(r"\b(the|and|with|are|is|words?|each|texts|settings|all)\b", text), text


def test_every_sentence_of_this_part_has_its_french() -> None:
    with (PACKAGE / "locale" / "fr" / "LC_MESSAGES" / "klero.po").open("rb") as file:
        french = read_po(file)
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2)}
    found = [
        entry
        for entry in extract_from_dir(PACKAGE, [("**.py", "python")], keywords=keywords)
        if Path(entry[0]).name.startswith("repeats")
    ]
    assert len(found) > 80
    for name, _line, message, *_rest in found:
        key = message[0] if isinstance(message, tuple) else message
        entry = french.get(key)
        assert entry is not None, f"{name}: no French for «{key}»"
        assert all([entry.string] if isinstance(entry.string, str) else entry.string), key


def test_page_is_well_formed_and_every_picture_is_told_in_words(page: Page) -> None:
    assert (page.unmatched, page.open) == ([], [])
    assert page.named("html")[0]["lang"] in ("en", "fr")
    pictures = page.named("svg")
    assert len(pictures) == 6
    assert all(picture["role"] == "img" for picture in pictures)
    assert len(page.named("desc")) == len(pictures) == len(page.named("title")) - 1
    assert len(page.named("figcaption")) == len(pictures)


def test_page_can_be_used_with_a_keyboard_and_a_screen_reader(page: Page) -> None:
    ids = [attributes["id"] for _tag, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [str(link["href"])[1:] for link in page.named("a")]
    assert set(targets) <= set(ids)
    assert {"main", "found", "sizes", "times", "groups", "method", "g1"} <= set(targets)
    labels = [str(section["aria-labelledby"]) for section in page.named("section")]
    assert set(labels) <= set(ids)
    assert all("scope" in heading for heading in page.named("th"))
    levels = [int(tag[1]) for tag, _attributes in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert "mark.o::before" in page.style


def test_page_fetches_and_runs_nothing(page: Page) -> None:
    assert {tag for tag, _ in page.elements} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "form",
        "base",
    } == set()
    policy = next(meta for meta in page.named("meta") if "http-equiv" in meta)
    digest = b64encode(sha256(page.style.encode()).digest()).decode()
    assert policy["content"] == (
        f"default-src 'none'; style-src 'sha256-{digest}'; script-src 'none'; base-uri 'none'; form-action 'none'"
    )
    assert not any("style" in attributes for _tag, attributes in page.elements)
    assert not re.search(r"url\(|@import|https?:", page.style)
    for _tag, attributes in page.elements:
        assert not any(name.startswith("on") or name == "src" for name in attributes)
        assert str(attributes.get("href", "#")).startswith("#")


def test_light_dark_narrow_and_paper_have_their_rules(page: Page) -> None:
    for rule in (
        "@media screen and (prefers-color-scheme: dark)",
        "@media print",
        "@media (max-width: 40rem)",
        "@page",
    ):
        assert rule in page.style


EVIL = "</p><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;\x00\x1b[2J\u202ecba\ufeff\ud800"


def test_texts_names_and_values_are_escaped_wherever_they_stand() -> None:
    evil = group(
        text=EVIL,
        id=EVIL,
        representative=EVIL,
        letter=Shown(
            (Piece(EVIL, "letter"), Piece("1", "slot")), slots=(SlotFacts(1, EVIL, EVIL, 2, 1, ((EVIL, 2),)),)
        ),
        questions=(replace(group().questions[0], value=EVIL),),
        stances=(replace(group().stances[0], value=EVIL),),
    )
    found = facts(evil, questions=(replace(group().questions[0], value=EVIL),))
    found = replace(found, lines=(replace(found.lines[0], snippet=EVIL, id=EVIL),))
    written = repeats_html(found, Source(EVIL, {EVIL: EVIL}, EVIL, EVIL), "en")
    page = Page(written)
    assert (page.unmatched, page.open) == ([], [])
    assert {tag for tag, _ in page.elements} & {"script", "img"} == set()
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", written)
    assert "\u202e" not in written.decode()
    assert page.text.count("⟨U+0000⟩⟨U+001B⟩[2J⟨U+202E⟩cba") >= 10
    for start in re.findall(r"<text[^>]*>([^<]*)", written.decode()):
        assert "<" not in start


def test_right_to_left_text_keeps_its_direction_and_its_place() -> None:
    page = Page(repeats_html(facts(group(text="أبقوا الخط ١٢")), SOURCE, "en"))
    assert "أبقوا الخط ١٢" in page.text
    said = [one for one in page.named("div") if one.get("class") == "said"]
    assert all((one["dir"], one["lang"]) == ("auto", "") for one in said)


def test_marks_tell_letter_own_shared_and_moved_apart() -> None:
    written = repeats_html(facts(), SOURCE, "en").decode()
    assert '<mark class="c">Gardez</mark> <mark class="o">vite</mark><mark class="v">12</mark>' in written
    assert 'Gardez la ligne 12 !<mark class="k">1</mark>' in written
    page = Page(written.encode())
    assert "«la ligne 12» · (end)" in page.text
    assert "s'il vous plaît merci" in page.text


def test_what_is_not_shown_is_said() -> None:
    one = group(letter=shown("Oui", left_out=1_234_567, slots_left_out=3))
    text = Page(repeats_html(facts(one, group_count=41), SOURCE, "en")).text
    assert "1,234,567 more characters are not shown" in text
    assert "3 more places are not shown" not in text  # without a place there is no table of places
    assert text.count("40 smaller groups are not shown here. All are in repeats.csv.") == 2
    assert "1 contribution has no date that can be read" in text


def test_a_page_without_groups_says_so_and_holds_no_empty_parts() -> None:
    nothing = facts(
        grouped=0,
        alone=7,
        group_count=0,
        lines=(),
        groups=(),
        classes=size_classes([], 7),
    )
    page = Page(repeats_html(nothing, SOURCE, "en"))
    assert (
        "9 contributions hold 6 different texts; none is the same or nearly the same as another." in page.text
    )
    assert "0 alike with others + 7 alone + 2 without a word = 9 contributions." in page.text
    assert "Each group" not in page.text
    assert page.unmatched == []


def test_method_settings_and_digest_are_told() -> None:
    text = Page(repeats_html(facts(), SOURCE, "en")).text
    for word in (
        "klero-neardup/1",
        "klero-text/1",
        "klero-shingle/1",
        "5e0f5e0f",
        "jaccard",
        "read as",
        "ref",
    ):
        assert word in text
    assert "nothing is estimated" in text
    sketch = facts(settings=replace(SETTINGS, mode="sketch", recall=0.99))
    told = Page(repeats_html(sketch, SOURCE, "fr")).text
    assert "au moins 0,99 des paires au seuil" in told


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError, match="language-unknown"):
        repeats_html(facts(), SOURCE, "de")


def test_personal_data_in_the_texts_shown_are_warned_of() -> None:
    copies = [f"{LETTER}, écrivez-moi à zoe@example.org" for _ in range(3)]
    found = gather(near_duplicates([*copies, "Autre chose"]))
    assert found.personal == 1
    assert "1 piece of the texts shown looks like an e-mail" in Page(repeats_html(found)).text
    assert "--mask" not in Page(repeats_html(replace(found, personal=0))).text


def test_personal_data_is_counted_in_all_that_is_shown() -> None:
    texts = [
        f"Appelez-moi au 06 12 34 56 {n}{m} ou jamais {n} {m} x{n} y{m}" for n in range(3) for m in range(3)
    ]
    names = [f"{i}{n}@example.org" for i in range(2) for n in range(9)]
    table = pa.table({"question": ["Écrire à x@example.org ?"] * 18})
    result = near_duplicates([*texts, *texts], ids=names, threshold=1)
    for groups in (0, 2, 25):
        assert gather(result, table, groups=groups).personal == 9 + 9 + 1 + min(groups, 9)
    masked = gather(result, table, mask="fr")
    assert (masked.personal, masked.masked) == (0, True)
    assert masked.lines[0].snippet.startswith("Appelez-moi au [téléphone] ou jamais")
    assert masked.lines[0].id == masked.groups[0].representative == "[e-mail]"
    assert masked.questions[0].value == "Écrire à [e-mail] ?"
    assert "example.org" not in repeats_html(masked, lang="fr").decode()
    assert "06 12" not in repeats_html(masked, lang="fr").decode()


def test_a_page_never_looks_for_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    result = near_duplicates([f"{LETTER} {i // 2}" for i in range(60)], ids=[f"z{i}" for i in range(60)])

    def searched(*_arguments: object) -> int:
        raise AssertionError

    monkeypatch.setattr(type(result.groups.ids), "row", searched)
    assert gather(result).grouped == 60


def test_boxes_that_scroll_can_be_reached_and_have_names(page: Page) -> None:
    boxes = [one for one in page.named("div") if one.get("class") == "wide"]
    assert boxes
    assert all((one["tabindex"], one["role"]) == ("0", "region") and one["aria-label"] for one in boxes)


def test_contents_names_every_part(page: Page) -> None:
    targets = [str(link["href"])[1:] for link in page.named("a") if not str(link["href"]).startswith("#g")]
    parts = [str(section["id"]) for section in page.named("section") if section.get("class") != "group"]
    assert [part for part in parts if part not in {*targets, "groups"}] == []


def test_french_marks_and_names_of_roles_are_french() -> None:
    written = repeats_html(facts(), Source("answers.csv", {"text": "body", "id": "ref"}), "fr").decode()
    assert "<title>Contributions qui se répètent\u00a0: answers.csv</title>" in written
    for description in re.findall(r"<desc>([^<]*)</desc>", written):
        assert not re.search(r"[^\u00a0];", description)
    assert '<th scope="row">texte</th><td>body</td>' in written
    assert '<th scope="row">identifiant</th><td>ref</td>' in written


def test_gathered_facts_are_those_of_the_groups() -> None:
    texts = [LETTER, LETTER, f"{LETTER} et de l'école", "Oui", "oui !", "", "Non", f"Bonjour, {LETTER}"]
    day = pa.chunked_array(
        [
            pa.array([None if t is None else t * 86_400_000_000 for t in range(8)]).cast(
                pa.timestamp("us", "UTC")
            )
        ]
    )
    table = pa.table({"question": ["a", "a", "b", "b", None, "", "c", "a"], "time": day})
    result = near_duplicates(texts)
    found = gather(result, table)
    assert (found.texts, found.grouped, found.alone, found.empty) == (8, 6, 1, 1)
    assert [(line.id, line.size, line.distinct) for line in found.lines] == [("0", 4, 3), ("3", 2, 1)]
    first = found.groups[0]
    assert [(b.value, b.grouped, b.all) for b in first.questions] == [("a", 3, 3), ("b", 1, 2), (None, 0, 3)]
    assert sum(first.times) == 4
    assert sum(found.times_all) == 8
    assert sum(found.times_grouped) == 6
    assert (first.first, first.last) == ("1970-01-01 00:00", "1970-01-08 00:00")
    assert first.similarities[-1] == 1.0
    assert {c.second_id for c in first.comparisons} <= {"2", "7"}
    assert first.comparisons[0].similarity == result.similarity[int(first.comparisons[0].second_id)]
    assert "".join(piece.text for piece in first.letter.pieces if piece.kind != "slot") == LETTER
    assert found.groups[1].comparisons == ()
    assert [(c.low, c.groups, c.contributions) for c in found.classes] == [(1, 1, 1), (2, 1, 2), (3, 1, 4)]


def test_containment_compares_with_whoever_wrote_most_beside_the_letter() -> None:
    more = f"{LETTER} {' '.join(f'mot{i}' for i in range(40))}"
    found = gather(near_duplicates([LETTER, LETTER, more], measure="containment"))
    one = found.groups[0].comparisons
    assert [(c.first_id, c.second_id, c.similarity) for c in one] == [("0", "2", 1.0)]


def test_at_most_so_many_groups_are_shown_and_listed() -> None:
    texts = [
        f"{LETTER} {i // 2} {i // 2 + 7} {i // 2 + 9} {i // 2 * 3} {i // 2 * 5} x{i // 2} y{i // 2} z{i // 2} w{i // 2} v{i // 2}"
        for i in range(60)
    ]
    found = gather(near_duplicates(texts, threshold=0.99), groups=3, listed=5)
    assert (len(found.groups), len(found.lines), found.group_count) == (3, 5, 30)
    assert [g.id for g in found.groups] == [line.id for line in found.lines[:3]]
    unseen = gather(near_duplicates(texts, threshold=0.99), groups=0)
    assert (len(unseen.groups), len(unseen.lines)) == (0, 30)


@pytest.mark.parametrize("measure", ["jaccard", "containment"])
def test_facts_from_disk_are_those_from_memory_but_for_dates_and_values(tmp_path: Path, measure: str) -> None:
    table = Contributions.read(EXAMPLE).table
    letters = [(f"z{i}", f"{LETTER} {'mot ' * (i % 3)} {i % 40}") for i in range(700)]
    ids, texts = (
        [*table.column(name).to_pylist(), *extra]
        for name, extra in zip(("id", "text"), zip(*letters, strict=True), strict=True)
    )
    path = tmp_path / "texts.parquet"
    pq.write_table(pa.table({"id": ids, "text": texts}), path, row_group_size=100)
    in_memory = gather(near_duplicates(texts, ids=ids, measure=measure))
    from_disk = gather_file(
        near_duplicates_file(path, measure=measure), lambda: open_contributions(path).batches(100)
    )
    assert from_disk.classes == in_memory.classes
    assert from_disk.lines == in_memory.lines
    assert (from_disk.digest, from_disk.invisibles, from_disk.lookalikes) == (in_memory.digest, 1, 1)
    assert in_memory.groups[0].looked_at == in_memory.groups[0].size == 700
    assert from_disk.groups[0].looked_at == 200
    assert [one.members for one in from_disk.groups] == [one.members for one in in_memory.groups]
    assert len(from_disk.groups[0].members) == 200
    assert from_disk.groups[0].comparisons == in_memory.groups[0].comparisons
    for one, other in zip(from_disk.groups[1:], in_memory.groups[1:], strict=True):
        assert np.array_equal(one.similarities, other.similarities)
        assert (one.letter, one.comparisons, one.looked_at) == (
            other.letter,
            other.comparisons,
            other.looked_at,
        )


def test_facts_do_not_depend_on_the_order_of_rows() -> None:
    table = Contributions.read(EXAMPLE).table
    turned = table.take(list(range(table.num_rows))[::-1])
    one, other = (gather(near_duplicates(t.column("text"), ids=t.column("id")), t) for t in (table, turned))
    assert repeats_html(one) == repeats_html(other)


def test_long_texts_are_cut_and_the_page_stays_small() -> None:
    letters = [[f"{i:03}mot{word}" for word in range(3000)] for i in range(30)]
    texts = [" ".join([*letter[:-1], f"fin{copy}"]) for letter in letters for copy in range(3)]
    found = gather(near_duplicates(texts))
    written = repeats_html(found)
    assert len(written) < 3_000_000
    assert found.groups[0].letter.left_out > 20_000
    assert all(len(piece.text) <= 4000 for one in found.groups for piece in one.letter.pieces)
    assert "characters are not shown" in Page(written).text


class Part:
    def __init__(self, kind: str, start: int, end: int) -> None:
        self.kind, self.start, self.end = kind, start, end


def test_cutting_keeps_every_code_point_up_to_the_end_and_puts_slots_in_place() -> None:
    text = "0123456789"
    parts = [Part("letter", 0, 4), Part("gap", 4, 5), Part("own", 5, 8), Part("letter", 8, 10)]
    slots = tuple(SlotFacts(n, "", "", 1, 1, ()) for n in (1, 2, 3))
    for most in range(12):
        done = cut(text, parts, most, slots, (0, 6, 10))  # type: ignore[arg-type]
        assert "".join(p.text for p in done.pieces if p.kind != "slot") == text[:most]
        assert done.left_out == max(0, 10 - most)
    whole = cut(text, parts, 99, slots, (0, 6, 10))  # type: ignore[arg-type]
    assert [(p.text, p.kind) for p in whole.pieces] == [
        ("1", "slot"),
        ("0123", "letter"),
        ("4", "gap"),
        ("5", "own"),
        ("2", "slot"),
        ("67", "own"),
        ("89", "letter"),
        ("3", "slot"),
    ]


@pytest.mark.parametrize(
    "span", [1, 59, 3600, 5 * 3600, 86400, 9 * 86400, 400 * 86400, 30 * 365 * 86400, 900 * 365 * 86400]
)
def test_an_axis_of_time_holds_every_moment_in_few_bins(span: int) -> None:
    moments = np.array([1.7e9, 1.7e9 + span / 3, 1.7e9 + span, np.nan])
    axis = time_axis(moments)
    assert axis is not None
    assert axis.bins <= 72
    counts = axis.counts(moments)
    assert (len(counts), sum(counts)) == (axis.bins, 3)
    assert counts[0] >= 1
    assert counts[-1] >= 1


def test_without_two_different_moments_there_is_no_axis() -> None:
    assert time_axis(np.array([np.nan, np.nan])) is None
    assert time_axis(np.array([5.0, 5.0, np.nan])) is None
    assert np.isnan(seconds_of(None, 3)).all()


@pytest.mark.parametrize("low", [0.3, 0.5, 0.8, 0.95, 1.0])
def test_the_spread_counts_every_member_once(low: float) -> None:
    values = np.sort(np.array([low, (low + 1) / 2, 1.0, 1.0]))
    counts, start = spread(values)
    assert sum(counts) == 4
    assert start <= low
    assert counts[-1] >= 2


def test_size_classes_hold_every_group_and_contribution() -> None:
    sizes = [2, 2, 3, 9, 10, 99, 100, 250_000]
    classes = size_classes(sizes, 5)
    assert sum(c.contributions for c in classes) == sum(sizes) + 5
    assert sum(c.groups for c in classes[1:]) == len(sizes)
    assert [(c.low, c.high) for c in classes] == [
        (1, 1),
        (2, 2),
        (3, 9),
        (10, 99),
        (100, 999),
        (100_000, None),
    ]


def test_a_chain_of_sliding_texts_is_told_and_has_no_letter() -> None:
    run = [f"mot{n}" for n in range(400)]
    found = gather(near_duplicates([" ".join(run[5 * n : 5 * n + 60]) for n in range(60)]))
    assert (found.group_count, found.chained) == (1, 1)
    english = Page(repeats_html(found)).text
    assert "In 1 group some members are tied to the representative only through others" in english
    assert re.search(
        r"\d+ members are tied to the representative only through others .* down to 0\)", english
    )
    assert "there is no letter to show" in english
    assert "Own words in the letter" not in english
    assert "0 or more" not in english
    one = gather(near_duplicates([LETTER, f"{LETTER} hélas"]))
    assert one.chained == 0
    assert "only through others" not in Page(repeats_html(one)).text


def test_groups_of_one_short_text_stand_in_one_table() -> None:
    texts = ["Oui"] * 3 + ["Non"] * 2 + [LETTER * 3] * 2
    page = Page(repeats_html(gather(near_duplicates(texts))))
    assert "The same words: groups of one short text" in page.text
    assert sum(one.get("class") == "group" for one in page.named("section")) == 1
    ids = {str(attributes.get("id")) for _tag, attributes in page.elements}
    assert {str(link["href"])[1:] for link in page.named("a")} <= ids
    assert "The letter " not in page.text.split("Each group")[2].split("The text ", 1)[1]


def test_ids_of_members_are_listed_up_to_two_hundred() -> None:
    found = gather(near_duplicates([LETTER * 3] * 203))
    assert found.groups[0].members == tuple(str(n) for n in range(200))
    page = Page(repeats_html(found))
    assert len(page.named("details")) == 1
    assert "The first 200 by id; 3 more are not shown." in page.text


def test_words_fit_the_settings_and_small_numbers_have_no_decimals() -> None:
    low = Page(repeats_html(facts(settings=replace(SETTINGS, threshold=0.3)))).text
    assert "3 are like another (similarity 0.3 or more), in 1 group." in low
    within = Page(repeats_html(facts(settings=replace(SETTINGS, measure="containment")), lang="fr")).text
    assert "3 sont contenues dans une autre ou en contiennent une (à 0,8 au moins)" in within
    assert "1 seule + " in Page(repeats_html(facts(alone=1, empty=5), lang="fr")).text
    page = Page(repeats_html(facts())).text
    assert "33\xa0% of all" in page or "33 % of all" in page
    assert "fewer than 30 contributions says little" in page
    assert "Names, pseudonyms, dates of birth and situations" in page
    assert "Days and times are those of UTC." in page


def test_two_people_who_each_add_a_sentence_match_where_the_guide_says_so() -> None:
    letter = " ".join(f"mot{n}" for n in range(60))
    added = [f"{letter} " + " ".join(f"{who}{n}" for n in range(10)) for who in ("ana", "bob")]
    for threshold, bare, grouped in ((0.8, [], 0), (0.7, [], 2), (0.8, [letter], 3)):
        assert near_duplicates([*added, *bare], threshold=threshold).counts.grouped == grouped


def test_accounts_are_those_that_a_slow_count_finds() -> None:
    random = np.random.default_rng(5)
    texts = [f"{LETTER} {n}" for n in random.integers(0, 30, 400)]
    authors = [None if n == 0 else int(n) for n in random.integers(0, 9, 400)]
    result = near_duplicates(texts, threshold=1)
    found = gather(result, pa.table({"author": authors}))
    assert len(found.lines) == len(result.groups) > 20
    for n, line in enumerate(found.lines):
        mine = [authors[row] for row in np.flatnonzero(np.asarray(result.group) == n)]
        assert line.accounts is not None
        assert (line.accounts.different, line.accounts.unnamed) == (len(set(mine) - {None}), mine.count(None))
    assert all(one.accounts == line.accounts for one, line in zip(found.groups, found.lines, strict=False))
    assert gather(result, pa.table({"question": texts})).accounts is None
