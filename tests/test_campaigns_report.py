"""The evidence page: it says what was found and how sure that is, accuses nobody, hides nothing, names nobody, and can be given to anybody."""

from __future__ import annotations

import re
import shlex
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from html import unescape
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import campaigns_report_cases as cases
from campaign_cases import (
    START,
    campaign_of,
    campaigns_of,
    candidate_of,
    channel_of,
    consultation_of,
    organic_texts,
)
from colours import colours_of, contrast
from klero.campaigns.report import campaigns_page
from klero.campaigns.report_facts import CARDS, LONGEST, TEXTS, gather, half_window
from klero.campaigns.result import Campaigns
from klero.campaigns.review import DECISIONS
from klero.cli import cli
from klero.errors import InputError
from repeats_cases import Page

PACKAGE = Path(__file__).resolve().parents[1] / "python" / "klero"
EVIL = "</p><script>alert(1)</script><b onclick='x'>\"'&amp;\x1b[2J\u202ecba"
ACCUSING = re.compile(
    r"\b(fraud\w*|fake\w*|bots?|trolls?|inauthentic\w*|astroturf\w*|suspect\w*|suspicious|cheat\w*|manipulat\w*|guilty|"
    r"fraudes?|frauduleu\w*|faux|fausses?|inauthentiques?|suspecte?s?|trich\w*|coupables?)\b",
    re.IGNORECASE,
)


class CampaignsPage(Page):
    """A page whose script is kept apart from its words."""

    VOID = Page.VOID | {"path", "input"}

    def __init__(self, page: str) -> None:
        self.script = ""
        super().__init__(page.encode())

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.script += data
        else:
            super().handle_data(data)


def page_of(result: Campaigns, lang: str = "en", **rest: object) -> CampaignsPage:
    return CampaignsPage(campaigns_page(result, lang, name="answers.csv", version="1.0", **rest))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def everything() -> Campaigns:
    return cases.everything()


@pytest.fixture(params=["en", "fr"], scope="module")
def page(request: pytest.FixtureRequest, everything: Campaigns) -> CampaignsPage:
    return page_of(everything, request.param)


MADE: list[Callable[[], Campaigns]] = [cases.everything, cases.nothing, cases.twenty, cases.bare]


# --- what is said


def test_the_first_screen_says_what_was_searched_found_unseen_and_how_sure(everything: Campaigns) -> None:
    text = page_of(everything).text.replace("\xa0", " ")
    first = text[: text.index("The number in brackets")]
    for told in (
        "4 groups of contributions or accounts are for a person to look at.",
        "Searched: 419 contributions with words by 418 voices. 2 contributions hold no word and are in no group.",
        "From 2026-02-25 to 2026-03-25. 6 groups were tested",
        "119,988 chance groups",
        "Of the groups shown, at most 5 % on average are coincidences.",
        "Here, these would probably not be seen: identical texts by fewer than 5 people; a letter with blanks by fewer than 6",
        "one message in many words by fewer than 15 people;",
        "accounts that vote alike, not even by 40 people, the most that was tried.",
        "This is no accusation.",
        "C1 identical text, 39 people 39 about 1.9 (between 1 and 6.5) p < 0.000001, rarer than 1 in 1,000,000",
        "C2 one letter with blanks, 38 people 38 about 3.4 (between 1.2 and 9) p = 0.0004, about 1 in 2,500",
        "C3 one message in many words, 9 people",
        "C4 accounts that vote alike, 25 accounts",
        "418 voices were heard (an account counts once). If texts from one source are read as fewer voices, that is about 340 (between 306 and 418), at 95 %",
        "In 2 lines of 6, an order or a majority depends on how the groups are counted.",
    ):
        assert told in first, told
    french = page_of(everything, "fr").text.replace("\xa0", " ")
    assert "4 groupes de contributions ou de comptes sont à regarder par une personne." in french
    assert "Parmi les groupes montrés, 5 % au plus en moyenne sont des coïncidences." in french
    assert (
        "Ici, on ne verrait probablement pas : textes identiques, moins de 5 personnes ; lettre à trous, moins de 6 personnes"
        in french
    )


def test_nothing_found_is_no_proof_and_says_what_would_not_have_been_seen() -> None:
    text = page_of(cases.nothing()).text
    assert "Nothing found: no group stands out from what chance gives" in text
    assert "It does not prove that every voice is independent" in text
    assert "one message in many words by fewer than 15 people" in text
    assert "Nothing is weighed, so nothing changes." in text
    assert "Decision of a person" not in text
    assert "<script" not in campaigns_page(cases.nothing())
    assert "1 more group was tested and is not for review." in text


def test_twenty_texts_conclude_nothing() -> None:
    text = page_of(cases.twenty()).text
    assert (
        "Nothing can be concluded: with 20 contributions, no campaign of any size that was tried would be seen."
        in text
    )
    assert "there are too few contributions to tell" in text
    assert "Nothing found" not in text
    assert "no: no times were given" in text


def test_a_group_without_any_test_shows_why_and_codes_without_words_as_they_are() -> None:
    text = page_of(cases.bare()).text
    assert "identical text, 6 contributions" in text
    for told in (
        "Common letter: the texts are too short for this test.",
        "Time: no times were given.",
        "Acting together elsewhere: no accounts were given.",
        "Further columns: a-new-reason.",
        "Why it is shown: a-new-rule",
        "It was not computed which campaigns are too small to be seen here.",
        "The times of the contributions, which were not given: with them, one more test can be made.",
    ):
        assert told in text, told
    assert "How sure: each test" not in text


def test_cards_hold_tests_effects_and_null_groups_in_words_and_pictures(everything: Campaigns) -> None:
    text = page_of(everything).text.replace("\xa0", " ")
    for told in (
        "Half of them share at least 184 bits of rare wording with the letter (where nobody acts together: 12.5).",
        "novel measure: 0.25.",  # an effect that has no words yet
        "Rare wording in common, in bits: 184 here; of 9,999 chance groups, none are as extreme. How rare it is beyond them is told from a curve",
        "Hours in which half of them came: 2.4 here; of 9,999 chance groups, 3 are as extreme.",
        "p is not the probability that the group is innocent",
        "Counted as 38 people; if it comes from one source, it weighs as about 3.4 (between 1.2 and 9) voices (95 % confidence).",
        "«le dépôt Mercier ne doit» 38 0",
        "«je vous écris pour» 31 fewer than 5",
        "There are 40 contributions, for some gave several; each person counts once.",
        "Its texts are short; alone they would not have been enough to show it.",
    ):
        assert told in text, told
    assert text.count("this group: 184") == 2


def test_explanations_are_picked_by_kind_and_by_what_is_known(everything: Campaigns) -> None:
    told = {card.group.name: card.innocent for card in gather(everything).cards}
    assert told["C1"][:2] == ("form", "petition")
    assert told["C2"][:2] == ("petition", "class")
    assert {"community", "helper", "appeal"} <= set(told["C3"])
    assert told["C4"] == ("guidance", "order", "opinion")
    assert all(1 <= len(codes) <= 6 for codes in told.values())
    c = consultation_of(
        [*organic_texts(10), *["Oui, un marché couvert"] * 6], questions=["Faut-il un marché couvert ?"] * 16
    )
    short = campaigns_of(
        c, [campaign_of(c, candidate_of(c, [f"a{i}" for i in range(11, 17)], "copies"), short=True)]
    )
    assert gather(short).cards[0].innocent[:2] == ("common", "question")


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("made", MADE)
def test_no_page_accuses_anybody(made: Callable[[], Campaigns], lang: str) -> None:
    assert ACCUSING.findall(page_of(made(), lang).text) == []
    assert ACCUSING.findall("a fake letter, un faux compte, bots") == ["fake", "faux", "bots"]


def test_no_english_sentence_is_left_on_a_french_page() -> None:
    for made in MADE:
        text = (
            page_of(made(), "fr")
            .text.replace("novel measure", "")
            .replace("a-new-r", "")
            .replace("answers", "")
        )
        text = text.replace("strength", "").replace(": against", "").replace("· against", "")
        assert not re.search(r"\b(the|and|with|are|is|words?|each|texts|settings|all|people|of)\b", text), (
            text
        )


def test_every_sentence_of_this_part_has_its_french() -> None:
    with (PACKAGE / "locale" / "fr" / "LC_MESSAGES" / "klero.po").open("rb") as file:
        french = read_po(file)
    keywords = {"_": None, "gettext": None, "ngettext": (1, 2), "plural": (1, 2)}
    mine = ("explain", "channel_words", "innocent", "report")
    found = [
        entry
        for entry in extract_from_dir(PACKAGE / "campaigns", [("**.py", "python")], keywords=keywords)
        if entry[0].startswith(mine)
    ]
    assert len(found) > 250
    for name, _line, message, *_rest in found:
        key = message[0] if isinstance(message, tuple) else message
        entry = french.get(key)
        assert entry is not None, f"{name}: no French for «{key}»"
        assert all([entry.string] if isinstance(entry.string, str) else entry.string), key


# --- nothing is hidden


def test_every_group_that_was_tested_is_on_the_page(page: CampaignsPage, everything: Campaigns) -> None:
    for group in everything.tested:
        assert re.search(rf"\b{group.name}\b", page.text), group.name
    folded = [tag for tag, _ in page.elements if tag == "details"]
    assert len(folded) == 3 + 1  # ids of three groups of texts; the groups that are not for review
    assert sum("hidden" in attributes for tag, attributes in page.elements if tag != "button") == 0


def many(groups: int, of_which: int, size: int = 5, long: int = 1) -> Campaigns:
    """Many groups of `size` copies, the first `of_which` for review."""
    texts = [f"Gardez la ligne {i} " + "et ses arrêts " * long for i in range(groups) for _ in range(size)]
    c = consultation_of(texts, authors=[f"p{i}" for i in range(len(texts))])
    tested = [
        campaign_of(
            c,
            candidate_of(c, [f"a{i * size + k + 1}" for k in range(size)], "copies"),
            f"C{i + 1}",
            for_review=i < of_which,
            rule="text" if i < of_which else ("not-enough", "short-text-alone")[i % 2],
        )
        for i in range(groups)
    ]
    return campaigns_of(c, tested)


def test_a_page_of_many_long_groups_has_a_largest_size_and_says_what_is_left_out() -> None:
    long = many(70, 66, long=600)
    written = campaigns_page(long)
    page = CampaignsPage(written)
    assert len(written.encode()) < 1_500_000
    assert len(page.named("fieldset")) == CARDS == 60
    assert "6 more groups are for review and have no card here" in page.text
    texts = ["".join(part.text for part in text.parts) for card in gather(long).cards for text in card.texts]
    assert {len(text) for text in texts} == {LONGEST}
    assert f"{len(long.consultation.texts[0]) - LONGEST:,} more characters are not shown" in page.text


def test_of_groups_that_are_not_for_review_the_first_are_listed_and_all_are_counted() -> None:
    page = page_of(many(330, 0), output="campaigns.json")
    assert "330 more groups were tested and are not for review." in page.text
    assert "30 more are not listed. All are in campaigns.json." in page.text
    assert re.search(r"many people give the same short answer\. 165 ", page.text)
    assert re.search(r"what chance gives here\. 165 ", page.text)


def test_of_a_long_group_a_few_texts_are_shown_with_how_many_more(everything: Campaigns) -> None:
    letters = gather(everything).cards[1]
    assert len(letters.texts) == TEXTS == 12
    assert sum(text.same for text in letters.texts) + letters.more == 38
    assert f"{letters.more} more contributions are not shown." in page_of(everything).text
    copies = gather(everything).cards[0]
    assert [(text.same, copies.identical, copies.more) for text in copies.texts] == [(40, True, 0)]


def test_the_letter_of_a_large_group_says_from_how_many_it_is_told() -> None:
    c = consultation_of([cases.letter(i) for i in range(90)])
    page = page_of(campaigns_of(c, [campaign_of(c, candidate_of(c, [f"a{i}" for i in range(1, 91)]))]))
    assert "The letter is told from 60 of its 90 contributions." in page.text
    assert "On average, 100" in page.text
    assert "The letter is told from" not in page_of(cases.everything()).text


# --- nobody is named


@pytest.mark.parametrize("made", [cases.everything, lambda: cases.hostile("x")])
def test_no_account_is_named(made: Callable[[], Campaigns]) -> None:
    for lang in ("en", "fr"):
        assert "SECRET" not in campaigns_page(made(), lang)
        assert "SECRET" not in campaigns_page(made(), lang, mask=False, least_people=1)


def test_personal_data_is_masked_everywhere_before_texts_are_aligned() -> None:
    places = ("Lille", "Lyon", "Nice", "Brest", "Metz", "Pau")
    texts = [
        f"Écrivez à zoe.martin@example.org ou appelez le 06 12 34 56 {i}{i} pour garder la ligne douze à {place} le soir"
        for i, place in enumerate(places)
    ]
    ids = [*(f"b{i}" for i in range(20)), *(f"me{i}@example.org" for i in range(6))]
    c = consultation_of(
        [*organic_texts(20), *texts],
        ids=ids,
        questions=["Votre adresse (ex. moi@example.org) ?"] * 26,
        authors=[f"p{i}" for i in range(26)],
    )
    rare = [
        {"text": text, "members": 6, "others": 0}
        for text in ("example org ou appelez", "zoe martin", "garder la ligne douze", "06 12 34 56")
    ]
    group = campaign_of(
        c, candidate_of(c, ids[20:], "template"), channels=[channel_of("template", 0.001, rare=rare)]
    )
    line = replace(cases.sensitivity()[0], label="Votre adresse (ex. moi@example.org) ?")
    result = campaigns_of(c, [group], sensitivity=(line,))
    for lang, told in (("en", "[phone]"), ("fr", "[téléphone]")):
        written = campaigns_page(result, lang)
        assert told in written
        for half in ("example", "zoe", "martin", "06 12", "34 56"):
            assert half not in written, half
        assert "«garder la ligne douze»" in written.replace("\xa0", "")
    bare = campaigns_page(result, mask=False)
    assert "zoe.martin@example.org" in bare
    assert "nothing in them is masked" in bare


def test_counts_of_few_people_are_not_told(everything: Campaigns) -> None:
    facts = gather(everything)
    for card in facts.cards:
        assert all(count == -1 or count == 0 or count >= 5 for strip in card.strips for count in strip.mine)
        assert all(cell.members is None or cell.members >= 5 for cell in card.cells)
        for vote in card.votes:
            assert (
                vote.members is None or vote.members in range(5, vote.voted - 4) or vote.members == vote.voted
            )
    assert "fewer than 5 (9)" in page_of(everything).text  # an argument of three
    table = re.search(r"Where its voices stand.*?</table>", campaigns_page(few(), "en"), re.DOTALL)
    assert table is not None
    assert re.sub("<[^>]+>", "|", table[0]).count("fewer than 5") == 3
    assert table[0].count("–") == 2


def few() -> Campaigns:
    """A group with five people for, three against and one neutral."""
    stances = ["for"] * 5 + ["against"] * 3 + ["neutral"]
    c = consultation_of(
        [cases.COPY] * 9 + organic_texts(9),
        authors=[f"p{i}" for i in range(18)],
        questions=["Piscine ?"] * 18,
        stances=stances + ["for", "against", "neutral"] * 3,
    )
    return campaigns_of(c, [campaign_of(c, candidate_of(c, [f"a{i}" for i in range(1, 10)], "copies"))])


def test_a_group_of_fewer_people_than_may_be_told_has_its_figures_alone(everything: Campaigns) -> None:
    page = page_of(everything, least_people=10)
    assert "It has fewer than 10 people: its texts, times and ids are not shown on this page." in page.text
    assert cases.PARAPHRASES[0] not in page.text
    assert not re.search(r"\bc41[1-9]\b", page.text)
    assert "Mean similarity of two of these texts: 0.71" in page.text
    assert cases.COPY in page.text


def test_votes_are_shown_without_accounts_and_small_shares(everything: Campaigns) -> None:
    votes = gather(everything).cards[3].votes
    assert len(votes) == 12
    assert all(vote.voted == 25 for vote in votes)
    c = everything.consultation
    assert c.votes is not None
    for vote in votes:  # a slow count
        name = next(item for item in c.votes.items if vote.item.startswith(item + ":") or vote.item == item)
        cast = [
            (c.votes.accounts[voter] < "SECRET-025", value)
            for voter, item, value in zip(c.votes.voter, c.votes.item, c.votes.value, strict=True)
            if c.votes.items[item] == name
        ]
        inside = sum(mine and value == vote.value for mine, value in cast)
        assert (vote.members is None and 20 < inside < 25) or vote.members == inside
        assert vote.others == sum(not mine and value == vote.value for mine, value in cast) / 95


# --- times


@given(st.lists(st.integers(0, 50), min_size=1, max_size=9), st.integers(0, 3))
def test_the_shortest_time_of_half_a_group_is_the_shortest_of_all(moments: list[int], unknown: int) -> None:
    times = np.array([*map(float, moments), *[np.nan] * unknown])
    need = (len(times) + 1) // 2
    ordered = sorted(moments)
    spans = [(ordered[i + need - 1] - ordered[i], i) for i in range(len(ordered) - need + 1)]
    found = half_window(times)
    if len(ordered) < max(need, 2):
        assert found is None
    else:
        wide, at = min(spans)
        assert found == (ordered[at], ordered[at] + wide)


def test_bars_of_a_group_are_its_people_and_those_below_are_everybody(everything: Campaigns) -> None:
    c = everything.consultation
    for card in gather(everything, least_people=1).cards[:3]:
        whole = card.strips[0]
        people: dict[int, set[int]] = {}
        for row in card.group.candidate.rows.tolist():
            people.setdefault(int((c.time[row] - whole.axis.start) // whole.axis.step), set()).add(
                int(c.author[row])
            )
        assert whole.mine == tuple(len(people.get(at, ())) for at in range(whole.axis.bins))
        assert sum(whole.everybody) == len(c)
    assert len(gather(everything).cards[1].strips) == 2  # a burst of five hours is shown from near, too
    assert len(gather(everything).cards[2].strips) == 1


# --- a page that can be given to anybody


def test_page_is_well_formed_and_every_picture_is_told_in_words(page: CampaignsPage) -> None:
    assert (page.unmatched, page.open) == ([], [])
    pictures = page.named("svg")
    assert len(pictures) == 1 + 5 + 7  # voices; strips of three groups; null groups
    assert all(picture["role"] == "img" for picture in pictures)
    assert len(page.named("desc")) == len(pictures) == len(page.named("title")) - 1
    assert len(page.named("figcaption")) == len(pictures)
    assert all("scope" in heading for heading in page.named("th"))
    assert len(page.named("caption")) == len(page.named("table"))


def test_page_can_be_used_with_a_keyboard_and_a_screen_reader(page: CampaignsPage) -> None:
    ids = [str(attributes["id"]) for _tag, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {str(link["href"])[1:] for link in page.named("a")} <= set(ids)
    labelled = [str(one["aria-labelledby"]) for _tag, one in page.elements if "aria-labelledby" in one]
    assert set(labelled) <= set(ids)
    levels = [int(tag[1]) for tag, _attributes in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    fields = [one for _tag, one in page.elements if "data-field" in one]
    assert len(fields) == 4 * 3
    named = {str(label["for"]) for label in page.named("label") if "for" in label}
    assert {str(field["id"]) for field in fields} == named
    assert len(page.named("legend")) == len(page.named("fieldset")) == 4
    radios = [one for one in page.named("input") if one["type"] == "radio"]
    assert [one["value"] for one in radios] == list(DECISIONS) * 4
    assert len({one["name"] for one in radios}) == 4
    boxes = [one for one in page.named("div") if one.get("class") == "wide"]
    assert all((one["tabindex"], one["role"]) == ("0", "region") and one["aria-label"] for one in boxes)


def test_page_fetches_nothing_and_runs_its_one_script_alone(page: CampaignsPage) -> None:
    policy = next(meta for meta in page.named("meta") if "http-equiv" in meta)["content"]
    style, script = (b64encode(sha256(text.encode()).digest()).decode() for text in (page.style, page.script))
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; base-uri 'none'; form-action 'none'"
    )
    assert {tag for tag, _ in page.elements} & {"link", "img", "iframe", "object", "form", "base"} == set()
    assert not re.search(r"url\(|@import|https?:|fetch|XMLHttp|localStorage|cookie", page.style + page.script)
    for _tag, attributes in page.elements:
        assert not any(name.startswith("on") or name in ("src", "style") for name in attributes)
        assert str(attributes.get("href", "#")).startswith("#")


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_hostile_texts_ids_names_and_keys_are_shown_and_do_nothing(lang: str) -> None:
    written = campaigns_page(cases.hostile(EVIL), lang, name=EVIL, version=EVIL, output=EVIL)
    page = CampaignsPage(written)
    assert (page.unmatched, page.open) == ([], [])
    assert len(page.named("script")) == 1
    assert {tag for tag, _ in page.elements} & {"img"} == set()
    assert all("onclick" not in attributes for _tag, attributes in page.elements)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", written)
    assert page.text.count("⟨U+001B⟩[2J⟨U+202E⟩cba") > 40


def test_the_commands_on_the_page_exist_with_their_options(everything: Campaigns) -> None:
    commands = re.findall(r"<code>(klero [^<]*)</code>", campaigns_page(everything))
    assert len(commands) == 2
    for command in commands:
        _klero, group, name, *rest = shlex.split(unescape(command))
        options = {option for one in cli.commands[group].commands[name].params for option in one.opts}  # type: ignore[attr-defined]
        assert {word for word in rest if word.startswith("--")} <= options
        assert "--key" in rest


def test_an_unknown_language_is_refused(everything: Campaigns) -> None:
    with pytest.raises(InputError, match="language-unknown"):
        campaigns_page(everything, "de")


def test_same_bytes_again_and_in_any_order_of_rows(everything: Campaigns) -> None:
    assert campaigns_page(everything, "fr") == campaigns_page(cases.everything(), "fr")

    def shuffled(seed: int) -> Campaigns:
        order = np.random.default_rng(seed).permutation(60)
        texts = [*organic_texts(22), *(cases.letter(i) for i in range(38))]
        c = consultation_of(
            [texts[i] for i in order],
            ids=[f"a{i:02}" for i in order],
            authors=[f"p{i:02}" for i in order],
            times=[START + 9000.0 * i for i in order],
            questions=[("x", "y")[i % 2] for i in order],
        )
        members = [f"a{i:02}" for i in range(22, 60)]
        return campaigns_of(c, [campaign_of(c, candidate_of(c, members, "template"))])

    assert len({campaigns_page(shuffled(seed)) for seed in range(4)}) == 1


@pytest.mark.parametrize("dark", [False, True])
def test_colours_are_far_enough_apart_to_be_read(page: CampaignsPage, dark: bool) -> None:
    """WCAG 2.1 AA: 4.5 for text, on every slot too; 3 for what must be told apart in pictures and at borders of controls."""
    colours = colours_of(page.style, dark=dark)

    def apart(one: str, other: str) -> float:
        return contrast(colours[one], colours[other])

    for text in ("ink", "muted", "link"):
        assert apart(text, "paper") >= 4.5, text
    for slot in range(1, 7):
        assert apart("ink", f"s{slot}") >= 4.5, slot
    for mark in ("accent", "link", "muted", "own-line"):
        assert apart(mark, "paper") >= 3, mark
    lines = re.findall(r"mark\.s\d \{[^}]*underline ([a-z]+) ([\d.]+px)", page.style)
    assert len(set(lines)) == 6  # slots differ without any colour
