"""Explanations of a group and of a contribution: what was found, how sure, what it does not say, what would make it innocent."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import campaigns_report_cases as cases
from klero.campaigns.channel_words import channel_words, effect_words, p_words, statistic_words
from klero.campaigns.explain import explain_contribution, explain_group
from klero.campaigns.explain_words import (
    headline,
    interval_words,
    limit_words,
    rounded,
    share_words,
    voices_words,
)
from klero.campaigns.model import CHANNELS, Channel, Interval, Null
from klero.campaigns.result import Campaigns, DetectionLimit
from klero.errors import InputError
from test_campaigns_report import ACCUSING


@pytest.fixture(scope="module")
def result() -> Campaigns:
    return cases.everything()


def said(text: str) -> str:
    return text.replace("\xa0", " ")


def test_a_group_is_told_with_its_evidence_its_doubts_and_its_weight(result: Campaigns) -> None:
    text = said(explain_group(result, "C2"))
    lines = text.split("\n")
    assert lines[0] == "C2: one letter with blanks, 38 people."
    assert lines[1].startswith("The texts of 38 people follow one letter")
    for told in (
        "Why it is shown: Two kinds of evidence agree",
        "Of the groups shown, at most 5 % on average are coincidences.",
        "Common letter (p < 0.000001, rarer than 1 in 1,000,000); Time (p = 0.0004, about 1 in 2,500).",
        "Not tested: Same message in other words (the group was found by this very thing, so it can't be its own proof); ",
        "What would make it innocent:\n- A petition or a letter",
        "What would settle it:\n- The source itself",
        "Counted as 38 people; if it comes from one source, it weighs as about 3.4 (between 1.2 and 9) voices (95 % confidence).",
        "That is 9.09 % of all voices before weighing.",
        "Not said: who wrote the text first",
    ):
        assert told in text, told
    french = said(explain_group(result, "C2", "fr"))
    assert french.startswith("C2 : une lettre à trous, 38 personnes.")
    assert "Ce qui l’expliquerait en toute innocence :\n- Une pétition" in french
    assert not re.search(r"\b(the|and|with|are|of|people|texts)\b", french)


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_no_explanation_accuses_names_or_quotes_anybody(result: Campaigns, lang: str) -> None:
    texts = [explain_group(result, group.name, lang) for group in result.tested]
    texts += [
        explain_contribution(result, name, lang) for name in ("c333", "c373", "c411", "c001", "c100", "e1")
    ]
    for text in texts:
        assert ACCUSING.findall(text) == []
        assert "SECRET" not in text
        assert "Mercier" not in text
        assert "piscine du canal" not in text


def test_what_was_found_by_a_burst_says_so_and_a_part_is_told_with_the_whole(result: Campaigns) -> None:
    many = result.tested[2]
    burst = replace(many, candidate=replace(many.candidate, found_by="time"))
    part = replace(burst, name="C7", for_review=False, rule="part")
    told = replace(result, tested=(burst, part))
    assert "They were found as a burst" in explain_group(told, "C3")
    assert "They were found as a burst" not in explain_group(result, "C3")
    assert "most of it is in a group of one wording that is shown" in explain_group(told, "C7")
    assert "d’un seul coup" in explain_group(told, "C7", "fr")


def test_half_of_a_group_is_told_with_how_sure_its_source_is(result: Campaigns) -> None:
    text = said(explain_group(result, "C2"))
    assert "Half of its contributions come from the common source with a probability of 93 % or more" in text
    assert "Half of its contributions" not in explain_group(result, "C4")  # accounts that only vote
    assert "Half of its contributions" not in explain_group(result, "C5")


def test_a_group_that_is_not_for_review_can_be_asked_about(result: Campaigns) -> None:
    text = explain_group(result, "C5")
    assert "Why it is not shown for review: Short texts alike say nothing alone" in text
    assert "Nothing is weighed: 7 people count in full." in text
    assert "coincidences" not in text


def test_headlines_say_what_is_the_same_and_how_many(result: Campaigns) -> None:
    told = [headline(group, result.consultation, "fr") for group in result.tested[:4]]
    assert told == [
        "texte identique, 39 personnes",
        "une lettre à trous, 38 personnes",
        "un message en plusieurs formulations, 9 personnes",
        "comptes qui votent de la même façon, 25 comptes",
    ]
    near = headline(result.tested[0], result.consultation, "en", identical=False)
    assert near == "nearly the same text, 39 people"
    bare = cases.bare()
    assert headline(bare.tested[0], bare.consultation, "en") == "identical text, 6 contributions"


def test_a_contributor_learns_what_was_computed_and_that_a_person_decides(result: Campaigns) -> None:
    text = said(explain_contribution(result, "c373"))
    for told in (
        "It is in group C2 (one letter with blanks, 38 people), which a person should look at.",
        "a probability of 93 % that it comes from the group's common source. That is no judgement of its author.",
        "its weight is 0.0895.",
        "No score was given to a person, nothing was deleted",
        "a decision can be opened anew at any time",
    ):
        assert told in text, told
    assert "nothing came of it: Short texts alike say nothing alone" in explain_contribution(result, "c001")
    alone = explain_contribution(result, "c100")
    assert "It was compared with all others and is in no group that was tested." in alone
    assert "its weight is 1." in alone
    assert "nothing was computed about it, and it is kept" in explain_contribution(result, "e2")
    assert "dans aucun groupe testé" in explain_contribution(result, "c100", "fr")


def test_unknown_names_ids_and_languages_are_refused_in_words(result: Campaigns) -> None:
    with pytest.raises(InputError, match="there are: C1, C2, C3, C4, C5") as raised:
        explain_group(result, "C9")
    assert raised.value.faults[0].code == "campaign-group-unknown"
    with pytest.raises(InputError, match="no group was tested"):
        explain_group(cases.twenty(), "C1")
    with pytest.raises(InputError, match="id-unknown"):
        explain_contribution(result, "c999")
    with pytest.raises(InputError, match="language-unknown"):
        explain_group(result, "C1", "de")
    with pytest.raises(InputError, match="language-unknown"):
        explain_contribution(result, "c001", "de")


def test_a_channel_is_told_without_details_and_whatever_its_names() -> None:
    null = Null("a-new-measure", 3.0, (), 999, 1, "exact")
    channel = Channel(
        "time", 0.002, {"hours_of_half": 2.5, "a_new_size": 4.0}, (null,), details={"window": ["secret"]}
    )
    told = [said(line) for line in channel_words(channel, "en")]
    assert told == [
        "Time: Did these texts come nearer to each other in time than as many others of the same question?",
        "Where nobody acts together, so much or more would be seen with p = 0.002, about 1 in 500.",
        "Half of them came within 2.5 hours.",
        "a new size: 4.",
        "A new measure: 3 here; of 999 chance groups, 1 is as extreme. The probability was computed exactly.",
    ]
    assert [
        channel_words(Channel(name, None, why_not="no-time"), "fr")[0].endswith(
            "(aucune date n’a été donnée)."
        )
        for name in CHANNELS
    ] == [True] * 6
    assert "secret" not in " ".join(told)


@pytest.mark.parametrize(
    ("p", "told"),
    [
        (1.0, "p = 1"),
        (0.11, "p = 0.11"),
        (0.1, "p = 0.1, about 1 in 10"),
        (0.049, "p = 0.049, about 1 in 20"),
        (1 / 3000, "p = 0.000333, about 1 in 3,000"),
        (1e-6, "p = 0.000001, about 1 in 1,000,000"),
        (0.0, "p < 0.000001, rarer than 1 in 1,000,000"),
    ],
)
def test_p_values_are_told_as_one_in_so_many(p: float, told: str) -> None:
    assert said(p_words(p, "en")) == told


def test_figures_are_written_in_the_language_and_whatever_they_are() -> None:
    assert [
        rounded(x, "en")
        for x in (0.0, 0.5, 1.0, 10.04, 99.96, 100.4, 12345.6, -2.5, float("inf"), float("nan"))
    ] == [
        "0",
        "0.5",
        "1",
        "10",
        "100",
        "100",
        "12,346",
        "-2.5",
        "∞",
        "–",
    ]
    assert [said(share_words(x, "fr")) for x in (0.05, 0.001, 1.0)] == ["5 %", "0,1 %", "100 %"]


def test_limits_are_one_sentence_and_an_unknown_pattern_stands_as_it_is() -> None:
    told = limit_words((replace(cases.limits()[0], pattern="new-pattern"), cases.limits()[-1]), "en")
    assert told == (
        "Here, these would probably not be seen: new-pattern by fewer than 5 people; accounts that vote alike, not even by 40 people, the most that was tried."
    )


EFFECTS = (
    *(
        "shared_bits_median",
        "told_bits_median",
        "words_median",
        "telling_words_median",
        "vocabulary",
        "vocabulary_words",
    ),
    *(
        "similarity_mean",
        "similarity_strength",
        "window_hours",
        "window_members",
        "hours_of_half",
        "gap_evenness",
    ),
    *("pairs", "sharing"),
)
STATISTICS = (
    *("shared-bits", "missing-words", "similarity-mean", "similarity-strength", "scan-likelihood-ratio"),
    *("scan", "usual-surprise", "evenness", "evenness-of-pace", "meetings", "surprise"),
)


def test_every_size_of_an_effect_has_words_in_both_languages() -> None:
    for name in EFFECTS:
        channel = Channel("template", 0.01, {name: 2.0})
        english, french = effect_words(channel, "en"), effect_words(channel, "fr")
        assert name.replace("_", " ") + ": 2." not in english
        assert name.replace("_", " ") not in french[0] and english != french
    for name in STATISTICS:
        assert statistic_words(name, "en") != statistic_words(name, "fr") != name.replace("-", " ")


def test_an_interval_of_one_number_is_told_as_one() -> None:
    assert interval_words(Interval(1.0, 1.0, 1.0), "en") == "about 1"
    assert interval_words(Interval(1.0, 1.27, 6.0), "fr") == "environ 1,27 (entre 1 et 6)"
    assert voices_words(60, Interval(60.0, 60.0, 60.0), "en").endswith("so each counts in full.")
    assert "about 58 (between 57 and 60)" in voices_words(60, Interval(57.0, 58.0, 60.0), "en")


def test_the_limits_tell_of_campaigns_that_leave_nobody_to_compare_with() -> None:
    power = {10: 0.1, 20: 0.85, 40: 1.0, 80: 0.6, 100: 0.3}
    told = limit_words([DetectionLimit("paraphrase-in-time", 20, 100, power, 40)], "en")
    assert "fewer than 20 people, or by more than 80" in told
    assert "more than" not in limit_words([DetectionLimit("copies", 20, 100, {**power, 100: 0.5}, 40)], "en")


def test_a_group_is_shown_in_a_line(result: Campaigns) -> None:
    assert all(len(repr(one)) < 200 and one.name in repr(one) for one in result.tested)
