"""The page about themes: it accounts for everybody, keeps the few in sight, and can be given to anybody."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import browser
from colours import colours_of, contrast
from klero.errors import InputError
from klero.themes.projection import agreement, project
from klero.themes.report import Part, Source, sum_words, themes_html
from klero.themes.report_facts import LevelCut, _limit, gather
from klero.themes.report_levels import _balanced, tree_svg
from klero.themes.report_map import _laid_out, map_svg
from klero.themes.report_parts import lines_html
from repeats_cases import Page
from themes_cases import contributions, explained, facts, keywords, partition

PACKAGE = Path(__file__).resolve().parents[1] / "python" / "klero"
SOURCE = Source("answers.csv", {"text": "body", "id": "ref"}, "1.0", "klero-themes/1", "offline/1")
HOSTILE = "</p><script>alert(1)</script><b onclick='x'>\x1b[2J\u202eevil & \"more\" </blockquote>"


class ThemesPage(Page):
    """A page whose script is kept apart from its words."""

    VOID = Page.VOID | {"circle", "path"}

    def __init__(self, page: bytes) -> None:
        self.script = ""
        super().__init__(page)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.script += data
        else:
            super().handle_data(data)


def page_of(found: object = None, lang: str = "en", **rest: object) -> ThemesPage:
    return ThemesPage(themes_html(found or facts(), SOURCE, lang, **rest))  # type: ignore[arg-type]


@pytest.fixture(params=["en", "fr"], scope="module")
def page(request: pytest.FixtureRequest) -> ThemesPage:
    return page_of(None, request.param)


def sections(page: bytes) -> dict[str, str]:
    """The HTML of each part that has an id, from its beginning to the next one's."""
    parts = re.split(r'<section (?:class="[^"]*" )?id="([^"]+)"', page.decode())
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_contribution_is_in_one_count_and_the_sum_is_said() -> None:
    found = facts()
    assert found.contributions == (15, 5, 2)
    assert found.clusters == (2, 2, 2)
    assert sum(found.contributions) + found.empty == found.total == 24
    english, french = page_of(found).text, page_of(found, "fr").text
    told = "15 in themes + 5 in weak signals + 2 lone voices + 2 without a word = 24 contributions."
    assert english.count(told) == 2
    assert told == sum_words(found, "en")
    assert "24 contributions: 2 themes, 2 weak signals, 2 lone voices." in english
    assert (
        french.count(
            "15 dans des thèmes + 5 dans des signaux faibles + 2 voix isolées + 2 sans aucun mot = 24 contributions."
        )
        == 2
    )


def test_every_id_is_on_the_page_under_its_group_and_every_lone_and_weak_text_is_there() -> None:
    table, _kept, _vectors = contributions()
    parts = sections(themes_html(facts(), SOURCE))
    ids, texts = table.column("id").to_pylist(), table.column("text").to_pylist()
    homes = {"T1": range(9), "T2": range(9, 15), "W1": range(15, 18), "W2": range(18, 20), "found": (22, 23)}
    for home, rows in homes.items():
        for row in rows:
            assert re.search(rf"\b{ids[row]}\b", parts[home]), (home, row)
            if home[0] == "W":
                assert texts[row] in parts[home]
    lone = parts["L1"] + parts["L2"]
    for row in (20, 21):
        assert texts[row] in lone
        assert ids[row] in lone


def test_weak_signals_and_lone_voices_have_the_rank_of_themes(page: ThemesPage) -> None:
    levels = {
        str(attributes["id"]): tag
        for tag, attributes in page.elements
        if re.fullmatch(r"h\d", tag) and "id" in attributes
    }
    assert {levels[f"{name}-h"] for name in ("themes", "weak", "lone")} == {"h2"}
    assert {levels[f"{name}-h"] for name in ("T1", "T2", "W1", "W2", "L1", "L2")} == {"h3"}
    links = [str(link["href"]) for link in page.named("a") if link.get("tabindex") is None]
    assert links.index("#themes") + 2 == links.index("#weak") + 1 == links.index("#lone")
    folded = [tag for tag, _ in page.elements if tag == "details"]
    assert (
        len(folded) == 1 + 2 + 2
    )  # ids without a word, members of two themes, two levels: no voice is folded away


def test_page_is_well_formed_and_every_picture_is_told_in_words(page: ThemesPage) -> None:
    assert (page.unmatched, page.open) == ([], [])
    pictures = [svg for svg in page.named("svg") if "role" in svg]
    assert all(svg["role"] == "img" for svg in pictures)
    assert len(pictures) == len(page.named("desc")) == len(page.named("figcaption")) == 5
    assert all("aria-hidden" in svg for svg in page.named("svg") if svg not in pictures)
    tables = page.named("table")
    assert len(tables) >= 5
    assert len(page.named("caption")) >= 4
    assert all("scope" in heading for heading in page.named("th"))


def test_page_can_be_used_with_a_keyboard_and_a_screen_reader(page: ThemesPage) -> None:
    ids = [attributes["id"] for _tag, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = [str(link["href"])[1:] for link in page.named("a")]
    assert set(targets) <= set(ids)
    assert {str(s["aria-labelledby"]) for s in page.named("section")} <= set(ids)
    levels = [int(tag[1]) for tag, _attributes in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    boxes = [one for one in page.named("div") if one.get("class") == "wide"]
    assert all((one["tabindex"], one["role"]) == ("0", "region") and one["aria-label"] for one in boxes)


def test_page_fetches_nothing_and_runs_its_one_script_alone(page: ThemesPage) -> None:
    policy = next(meta for meta in page.named("meta") if "http-equiv" in meta)["content"]
    style, script = (b64encode(sha256(text.encode()).digest()).decode() for text in (page.style, page.script))
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
    )
    forbidden = {"link", "img", "iframe", "object", "form", "base"}
    assert {tag for tag, _ in page.elements} & forbidden == set()
    assert not re.search(r"url\(|@import|https?:", page.style + page.script)
    for _tag, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
        assert str(attributes.get("href", "#")).startswith("#")


def test_without_levels_there_is_no_script_and_no_part_on_levels() -> None:
    found = replace(facts(), levels=())
    written = themes_html(found, SOURCE)
    assert b"<script" not in written
    assert b"script-src 'none'" in written
    assert b'href="#levels"' not in written


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_hostile_texts_ids_and_columns_are_shown_and_do_nothing(lang: str) -> None:
    table, kept, vectors = contributions()
    texts = [f"{HOSTILE} {n}" if text else "" for n, text in enumerate(table.column("text").to_pylist())]
    ids = [f"<img src=x onerror=alert(1)>{n}" for n in range(len(texts))]
    hostile = table.set_column(1, "text", pa.array(texts, pa.large_string())).set_column(
        0, "id", pa.array(ids)
    )
    cut = partition(np.repeat(np.arange(6), (9, 6, 3, 2, 1, 1)), vectors)
    mine = texts[: len(kept)]
    told = explained(cut, mine, vectors)
    told = replace(told, keywords=[("<i>", "a&b", "</title>")] * 6)
    found = gather(hostile, kept, cut, told, [LevelCut(cut, 0.1, told.keywords)], chosen=0)  # type: ignore[arg-type]
    source = Source(
        "<x>.csv", {"text": "<y>"}, "1", "<z>", "'\"><script>", ("<script>",), {"<s>": "<v>"}, {"<f>": "<d>"}
    )
    written = themes_html(found, source, lang)
    page = ThemesPage(written)
    assert (page.unmatched, page.open) == ([], [])
    assert {tag for tag, _ in page.elements} & {"img", "b", "i", "script"} == set()
    assert page.text.count("<script>alert(1)</script>") >= 7
    assert "\x1b" not in written.decode()
    assert "\u202e" not in written.decode()
    assert "⟨U+202E⟩" in page.text


def test_same_bytes_again_and_in_any_order_of_rows() -> None:
    first = themes_html(facts(), SOURCE, "fr")
    assert themes_html(facts(), SOURCE, "fr") == first
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(24)
        assert themes_html(facts(order=order), SOURCE, "fr") == first


def test_levels_say_what_falls_into_what_and_each_sums_to_all() -> None:
    found = facts()
    coarse, fine = found.levels
    assert (coarse.chosen, fine.chosen) == (False, True)
    for level in found.levels:
        assert sum(level.contributions) == found.total - found.empty
        assert level.clusters[2] == level.contributions[2]
    # 9 + 6 are one theme at the coarse level, 3 + 2 another, and 1 + 1 a weak signal
    assert [branch.size for branch in coarse.branches] == [15, 5]
    assert coarse.branches[0].parts == (("T1", 9), ("T2", 6))
    assert coarse.branches[1].few == (2, 5, 0)
    assert fine.branches[0].within == ("T1", 9)
    for branch in coarse.branches:
        weak, within, lone = branch.few
        assert branch.size == sum(count for _name, count in branch.parts) + within + lone
        assert weak * 2 <= within
    text = page_of(found).text
    assert "Level 2: 2 themes, 2 weak signals, 2 lone voices (this page)" in text
    assert "At level 1 it is a part of T1." in text
    assert "At level 3" not in text


def test_the_blocks_of_a_level_are_as_high_as_all_contributions() -> None:
    found = facts()
    heights = re.findall(
        r'<rect class="([cw])" x="([\d.]+)" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"',
        tree_svg(found, "en"),
    )
    for left in {x for _kind, x, _y, _h in heights}:
        column = [(kind, float(y), float(h)) for kind, x, y, h in heights if x == left]
        assert column[0][1] == 22.0
        bottom = column[-1][1] + column[-1][2]
        assert 478 <= bottom <= 480.5
        assert all(abs(y + h - below) < 1.0 for (_k, y, h), (_l, below, _i) in pairwise(column))
    branch = found.levels[0].branches[0]
    assert _balanced([(branch, 15), (None, 4), (None, 3)], 20) == [(branch, 15), (None, 4), (None, 1)]
    assert _balanced([(branch, 15)], 20) == [(branch, 15), (None, 5)]


def test_where_there_are_too_many_a_hash_of_ids_chooses_whom_to_show_and_the_page_says_so() -> None:
    sizes = (6, *([1] * 60))
    found = facts(sizes, shown=(5, 5, 20))
    lone = [one for one in found.shown if one.kind == 2]
    assert (len(lone), found.clusters[2]) == (20, 60)
    text = page_of(found).text
    assert "20 of the 60 lone voices are shown: those whose ids have the smallest hashes" in text
    assert len(found.lines) == 61
    order = np.random.default_rng(1).permutation(68 - 0)[:68]
    again = facts(sizes, shown=(5, 5, 20), order=order)
    assert {one.medoid.id for one in again.shown} == {one.medoid.id for one in found.shown}
    numbers = sorted(int(one.name[1:]) for one in lone)
    assert numbers[-1] > 40  # not the first twenty


def test_authors_are_counted_and_never_named_and_times_have_a_picture() -> None:
    written = themes_html(facts(), SOURCE)
    assert b"secret" not in written
    text = ThemesPage(written).text
    assert "Different accounts: 5." in text
    assert text.count("this theme") >= 2
    table, kept, vectors = contributions()
    bare = table.select(["id", "text"])
    cut = partition(np.repeat(np.arange(6), (9, 6, 3, 2, 1, 1)), vectors)
    found = gather(bare, kept, cut, explained(cut, bare.column("text").to_pylist(), vectors))  # type: ignore[arg-type]
    text = page_of(found).text
    assert "Authors unknown" in text
    assert "Over time" not in text
    assert "A circle's area is the number of contributions" in text


def test_questions_and_stances_of_a_theme_stand_beside_those_of_all() -> None:
    table, kept, vectors = contributions()
    table = table.append_column("stance", pa.array(["for", "against"] * 12))
    cut = partition(np.repeat(np.arange(6), (9, 6, 3, 2, 1, 1)), vectors)
    found = gather(table, kept, cut, explained(cut, table.column("text").to_pylist(), vectors))  # type: ignore[arg-type]
    assert [(one.value, one.grouped, one.all) for one in found.shown[0].stances] == [
        ("for", 5, 11),
        ("against", 4, 11),
    ]
    assert "against" in page_of(found).text
    assert "contre" in page_of(found, "fr").text


def test_no_half_of_an_address_stays_where_many_before_it_were_masked() -> None:
    table, kept, vectors = contributions((6,))
    address = "{}" + "a" * 60 + "@" + ".".join(["b" * 60] * 3) + ".org"
    texts = [" ".join(address.format(i) for i in range(5))] * 6 + table.column("text").to_pylist()[6:]
    table = table.set_column(1, "text", pa.array(texts, pa.large_string()))
    cut = partition(np.zeros(6, np.int64), vectors, 0.5)
    found = gather(table, kept, cut, explained(cut, texts[:6], vectors), mask="en")  # type: ignore[arg-type]
    assert "aaaa" not in found.lines[0].snippet
    assert found.lines[0].snippet.startswith("[e-mail] [e-mail] [e-mail]")


def test_a_long_keyword_says_that_it_goes_on() -> None:
    long = "x" * 80
    table, kept, vectors = contributions((6,))
    cut = partition(np.zeros(6, np.int64), vectors, 0.5)
    told = replace(explained(cut, ["a"] * 6, vectors), keywords=[(long, "y" * 60)])  # type: ignore[arg-type]
    found = gather(table, kept, cut, told, [LevelCut(cut, 0.1, [(long,)])], chosen=0)  # type: ignore[arg-type]
    assert found.lines[0].keywords == ("x" * 59 + "…", "y" * 60)
    assert found.levels[0].branches[0].keywords == ("x" * 59 + "…",)


def test_personal_data_is_warned_of_and_masked_everywhere() -> None:
    table, kept, vectors = contributions()
    texts = [f"{text} Call 06 12 34 56 {n:02}" for n, text in enumerate(table.column("text").to_pylist())]
    ids = [f"me{n}@example.org" for n in range(len(texts))]
    table = table.set_column(1, "text", pa.array(texts, pa.large_string())).set_column(0, "id", pa.array(ids))
    cut = partition(np.repeat(np.arange(6), (9, 6, 3, 2, 1, 1)), vectors)
    told = explained(cut, texts, vectors)
    open_, masked = (gather(table, kept, cut, told, mask=mask) for mask in (None, "fr"))  # type: ignore[arg-type]
    assert open_.personal > 20
    assert "make it again with --mask" in page_of(open_).text
    assert (masked.personal, masked.masked) == (0, True)
    written = themes_html(masked, SOURCE, "fr").decode()
    assert "example.org" not in written
    assert "06 12" not in written
    assert "[téléphone]" in written
    assert masked.lines[0].medoid.endswith("@example.org")  # as it was read, for the table


def test_long_texts_are_shown_to_a_stated_length_and_the_rest_is_counted() -> None:
    table, kept, vectors = contributions((5, 1), 0)
    texts = [*table.column("text").to_pylist()[:5], "start " + "é" * 50_000]
    table = table.set_column(1, "text", pa.array(texts, pa.large_string()))
    cut = partition(np.array([0] * 5 + [1]), vectors)
    told = replace(explained(cut, texts, vectors), keywords=[(), ()])
    found = gather(table, kept, cut, told)  # type: ignore[arg-type]
    lone = found.shown[-1].medoid
    assert (len(lone.text), lone.left_out) == (20_000, 30_006)
    text = page_of(found).text
    assert "30,006 more characters are not shown" in text
    assert "A text is shown up to 20,000 characters." in text
    assert "… the rest of the text" in text
    written = themes_html(found, SOURCE).decode()
    assert written.count("é") == 20_000 - len("start ")


def test_the_length_that_is_shown_is_the_longest_that_a_page_can_hold() -> None:
    assert _limit([]) == 20_000
    assert _limit([10] * 100_000) == 20_000
    limit = _limit([10] * 100_000 + [50_000] * 1000)
    assert 2900 <= limit <= 3000
    assert _limit([30_000] * 100_000) == 300


@pytest.mark.parametrize("sizes", [(1,), (5,), (2,), (3, 1), (1,) * 9])
def test_pages_of_very_little_are_pages_too(sizes: tuple[int, ...]) -> None:
    found = facts(sizes)
    page = page_of(found)
    assert (page.unmatched, page.open) == ([], [])
    assert sum(found.contributions) == sum(sizes)
    if not found.clusters[0]:
        assert "No theme was found" in page.text
    if not found.clusters[2]:
        assert "every contribution is like another" in page.text


def test_parts_that_were_asked_for_stand_between_the_voices_and_how_to_read_them() -> None:
    text = page_of(None, parts=(Part("coding", "A coding", "<p>beside</p>"),)).text
    assert text.rindex("Lone voices") < text.rindex("A coding") < text.rindex("How to read this page")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(InputError, match="language-unknown"):
        themes_html(facts(), SOURCE, "de")


def test_no_english_sentence_is_left_on_the_french_page() -> None:
    source = replace(SOURCE, embedder_words=(), settings={})
    found = facts((6, *([1] * 60)), shown=(5, 5, 20))
    for one in (found, replace(facts(), personal=2, duplicates=3)):
        text = ThemesPage(themes_html(one, source, "fr")).text
        text = re.sub(r"We want better \w+ number \d+, says person \d+ of \d+\.", "", text)
        text = re.sub(r"better|buses|trees|libraries|schools|number|person", "", text)
        assert not re.search(r"\b(the|and|with|are|is|words?|each|texts|settings|all)\b", text), text


def test_every_sentence_of_this_part_has_its_french() -> None:
    with (PACKAGE / "locale" / "fr" / "LC_MESSAGES" / "klero.po").open("rb") as file:
        french = read_po(file)
    keywords_of = {"_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2)}
    found = [
        entry
        for entry in extract_from_dir(PACKAGE, [("**.py", "python")], keywords=keywords_of)
        if entry[0].startswith(("themes/report", "themes/names", "cli/themes"))
    ]
    assert len(found) > 80
    for name, _line, message, *_rest in found:
        key = message[0] if isinstance(message, tuple) else message
        entry = french.get(key)
        assert entry is not None, f"{name}: no French for «{key}»"
        assert all([entry.string] if isinstance(entry.string, str) else entry.string), key


def test_lines_become_paragraphs_and_lists() -> None:
    assert (
        lines_html("a <b>\n- c\n- d\n\ne") == "<p>a &lt;b&gt;</p>\n<ul><li>c</li><li>d</li></ul>\n<p>e</p>\n"
    )
    assert lines_html("- x") == "<ul><li>x</li></ul>\n"


@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_far_enough_apart_to_be_read(page: ThemesPage, dark: bool) -> None:
    """WCAG 2.1 AA: 4.5 for text, 3 for what must be told apart in pictures and at borders of controls."""
    colours = colours_of(page.style, dark=dark)

    def apart(one: str, other: str) -> float:
        return contrast(colours[one], colours[other])

    for text in ("ink", "muted", "link"):
        assert apart(text, "paper") >= 4.5, text
    assert apart("ink", "theme") >= 4.5
    for mark in ("accent", "few", "lone", "own-line"):
        assert apart(mark, "paper") >= 3, mark


# --- in a browser


@pytest.mark.skipif(browser.reason() is not None, reason=str(browser.reason()))
@pytest.mark.parametrize("scripts", [True, False])
def test_the_slider_opens_one_level_and_without_scripts_each_is_opened_by_itself(
    tmp_path: Path, scripts: bool
) -> None:
    (tmp_path / "page.html").write_bytes(themes_html(facts(), SOURCE, "fr"))
    with browser._chromium() as chromium:
        context = chromium.new_context(
            offline=True, java_script_enabled=scripts, viewport={"width": 360, "height": 640}
        )
        complaints: list[str] = []
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto((tmp_path / "page.html").as_uri())
        opened = page.locator("details.level[open] > summary")
        assert opened.all_inner_texts() == [
            "Niveau 2\u00a0: 2 thèmes, 2 signaux faibles, 2 voix isolées (cette page)"
        ]
        slider = page.locator("input[type=range]")
        assert slider.count() == int(scripts)
        if scripts:
            slider.focus()
            page.keyboard.press("ArrowLeft")
            assert opened.all_inner_texts()[0].startswith("Niveau 1")
            assert opened.count() == 1
            assert page.locator("output").inner_text() == opened.inner_text()
            assert page.evaluate("document.documentElement.scrollWidth") <= 360
            assert page.evaluate("getComputedStyle(document.querySelector('.voices')).display") == "grid"
        else:
            page.locator("details.level > summary").first.click()
            assert opened.count() == 2
        assert complaints == []
        context.close()


# --- the map


def test_the_map_is_a_function_of_the_set_of_centroids() -> None:
    random = np.random.default_rng(3)
    centroids = random.normal(size=(40, 16)).astype(np.float32)
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    places = project(centroids)
    order = random.permutation(40)
    assert np.array_equal(project(centroids[order]), places[order])
    assert np.abs(places).max() <= 1.0
    assert np.array_equal(project(centroids), places)


def test_what_is_alike_is_near_on_the_map() -> None:
    random = np.random.default_rng(5)
    middles = random.normal(size=(12, 32))
    centroids = np.repeat(middles, 4, axis=0) + random.normal(size=(48, 32)) * 0.3
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    places = project(centroids)
    right, asked = agreement(centroids, places)
    assert asked == 48
    assert right >= 44
    # a slow look of our own: the nearest on the map is of the same dozen
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (apart.argmin(axis=1) // 4 == np.arange(48) // 4).all()


def test_clusters_beyond_those_that_push_lie_near_what_they_are_like() -> None:
    random = np.random.default_rng(6)
    middles = random.normal(size=(10, 32))
    rest = middles + random.normal(size=(10, 32)) * 0.1
    both = np.concatenate([middles, rest])
    both /= np.linalg.norm(both, axis=1, keepdims=True)
    places = project(both, most=10)
    apart = np.linalg.norm(places[10:, None] - places[None, :10], axis=2)
    assert np.array_equal(apart.argmin(axis=1), np.arange(10))


@pytest.mark.parametrize("count", range(6))
def test_a_map_of_few_or_equal_clusters_has_places_for_all(count: int) -> None:
    same = np.tile(np.eye(1, 8, dtype=np.float32), (count, 1))
    places = project(same)
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()
    assert len(np.unique(places.round(6), axis=0)) == count
    assert agreement(same, places)[1] == count


def test_on_the_map_no_theme_covers_another_and_every_small_mark_has_its_own_place() -> None:
    found = facts((60, 40, 20, 12, 9, 9, 8, 7, 6, 5, 5, *([1] * 40), *([2] * 20)))
    placed = _laid_out(found.map)
    assert sorted(place.name for place in placed) == sorted(found.map.names)
    circles = [place for place in placed if place.kind == 0]
    for one in circles:
        for other in circles:
            if one is not other:
                assert np.hypot(one.x - other.x, one.y - other.y) >= one.radius + other.radius - 0.5
    small = [(place.x, place.y) for place in placed if place.kind != 0]
    assert len(set(small)) == len(small) == 60
    for x, y in small:
        assert all(np.hypot(x - c.x, y - c.y) > c.radius for c in circles)
        assert 0 < x < 960
        assert 0 < y < 640


def test_labels_on_the_map_cover_neither_each_other_nor_a_theme_of_others() -> None:
    found = facts((30, 25, 20, 18, 15, 12, 9, 9, 8, 8, 7, 7, 6, 6, 5, 5, 5, 5))
    placed = {place.name: place for place in _laid_out(found.map)}
    texts = re.findall(
        r'<text x="([-\d.]+)" y="([-\d.]+)" class="h">([^<]+)</text>', map_svg(found, frozenset(), "en")
    )
    assert len(texts) > 10
    boxes = [
        (float(x), float(y) - 10.5, float(x) + 6.8 * len(text), float(y) + 3.5, text.split()[0])
        for x, y, text in texts
    ]
    for left, top, right, bottom, name in boxes:
        assert left >= 0
        assert right <= 960
        for other in boxes:
            if other[4] != name:
                assert right <= other[0] or other[2] <= left or bottom <= other[1] or other[3] <= top
        for theme in placed.values():
            if theme.name != name:
                across = max(left - theme.x, theme.x - right, 0)
                up = max(top - theme.y, theme.y - bottom, 0)
                assert np.hypot(across, up) >= theme.radius - 0.2


def test_keywords_of_the_cases_are_words_of_the_texts() -> None:
    table, kept, vectors = contributions()
    texts = table.column("text").take(pa.array(kept)).to_pylist()
    cut = partition(np.repeat(np.arange(6), (9, 6, 3, 2, 1, 1)), vectors)
    assert all(word in " ".join(texts).casefold() for line in keywords(cut, texts) for word in line)
