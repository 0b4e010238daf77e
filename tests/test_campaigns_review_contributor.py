"""What one contributor is told: all that concerns them, and of others counts alone."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from campaigns_review_cases import (
    LATER,
    OTHER_TEXT,
    TABLE,
    TIME,
    decided,
    document,
    key_of,
    reopened,
    write_results,
)
from klero.campaigns.contributor import ContributorReport, contributor_report
from klero.campaigns.contributor_words import parts_of
from klero.campaigns.results_file import read_place, read_results
from klero.campaigns.review_file import append_review
from klero.errors import CODES, InputError, LogError

ADA = key_of("Ada Diallo")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write_results(tmp_path / "campaigns")


@pytest.fixture
def log(tmp_path: Path, results: Path) -> Path:
    path = tmp_path / "log"
    append_review(path, [decided(), reopened()], key=ADA, results=results, time=TIME)
    append_review(path, [decided(decision="independent", role="jury")], key=ADA, results=results, time=LATER)
    return path


def codes(caught: pytest.ExceptionInfo[InputError]) -> list[str]:
    found = [fault.code for fault in caught.value.faults]
    assert set(found) <= set(CODES)
    return found


def forms(report: ContributorReport) -> list[str]:
    """The answer in every form and language, with blanks as one space."""
    texts = [report.json().decode(), *(report.text(lang) for lang in ("en", "fr"))]
    texts += [report.page(lang).decode() for lang in ("en", "fr")]
    return [re.sub(r"\s+", " ", text) for text in texts]


def test_answer_holds_weights_tests_decisions_and_roles(log: Path, results: Path) -> None:
    told = json.loads(contributor_report(log, results, "a1").json())
    assert told["weights"] == {"raw": 1.0, "weighted": 0.4667, "one_voice_a_group": 0.3333}
    (group,) = told["groups"]
    assert group["dependence"] == 0.97
    assert (group["name"], group["contributions"], group["voices"]) == ("C1", 3, 3)
    assert [(c["name"], c["p"], c["why_not"]) for c in group["channels"]] == [
        ("template", 0.00002, ""),
        ("time", 0.004, ""),
        ("votes", None, "no-votes"),
    ]
    assert (group["state"], group["decision"]) == ("decided", "independent")
    assert [(act["kind"], act["role"]) for act in group["acts"]] == [
        ("decision", "participation officer"),
        ("reopening", ""),
        ("decision", "jury"),
    ]
    assert [one["role"] for one in told["data_read"]] == ["id", "text", "author", "time"]


def test_answer_says_the_same_in_words(log: Path, results: Path) -> None:
    english, french = (
        re.sub(r"\s+", " ", contributor_report(log, results, "a1").text(lang)) for lang in ("en", "fr")
    )
    for words in (
        "p = 0.00002",
        "about 1 in 50,000",
        "0.467",
        "0.333",
        "0.97",
        "2026-05-05 10:30:00 UTC",
        "By: jury",
    ):
        assert words in english
    for words in ("0,467", "0,333", "05/05/2026 10:30:00 UTC", "Par : jury", "pas de source commune"):
        assert words in french
    assert "no votes were given" in english


def test_parts_follow_the_four_points_of_the_law_in_their_order(log: Path, results: Path) -> None:
    names = [part.name for part in parts_of(contributor_report(log, results, "a1"), "fr")]
    assert names == ["short", "part", "read", "weights", "done", "decided", "contest", "check"]
    headings = [part.heading for part in parts_of(contributor_report(log, results, "a1"), "fr")][1:5]
    for heading, words in zip(
        headings,
        ("degré et le mode de contribution", "données traitées", "paramètres", "opérations effectuées"),
        strict=True,
    ):
        assert words in heading


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_law_is_named_by_article_and_said_to_be_no_advice(log: Path, results: Path, lang: str) -> None:
    text = contributor_report(log, results, "a1").text(lang).replace("\n", " ").replace("  ", " ")
    for article in (
        "L.\u00a0311-3-1",
        "R.\u00a0311-3-1-1",
        "R.\u00a0311-3-1-2",
        "2016/679",
        "article 15",
        "article 22",
    ):
        assert article in text
    assert ("no legal advice" if lang == "en" else "pas un avis juridique") in text


@pytest.mark.parametrize("contribution", ["a1", "b1", "c1", "c2"])
def test_nothing_of_another_person_is_told(
    tmp_path: Path, log: Path, results: Path, contribution: str
) -> None:
    report = contributor_report(log, results, contribution, source=tmp_path / "contributions.csv")
    own = next(row for row in TABLE if row["ref"] == contribution)
    for text in forms(report):
        assert own["body"].split()[0] in text
        for row in TABLE:
            if row["ref"] == contribution:
                continue
            for column, cell in row.items():
                if cell != own[column]:
                    assert not re.search(rf"(?<!\w){re.escape(cell)}(?!\w)", text), (column, cell)
        assert OTHER_TEXT not in text
        assert "Ada Diallo" not in text


def test_names_are_told_if_asked_and_reasons_unless_left_out(log: Path, results: Path) -> None:
    for text in forms(contributor_report(log, results, "a1", names=True)):
        assert "Ada Diallo" in text
        assert "Declared on 3 May." in text
    for text in forms(contributor_report(log, results, "a1", reasons=False)):
        assert "Ada Diallo" not in text
        assert "Declared on 3 May." not in text


def test_what_was_read_is_shown_from_the_table_that_was_searched(
    tmp_path: Path, log: Path, results: Path
) -> None:
    report = contributor_report(log, results, "a1", source=tmp_path / "contributions.csv")
    assert report.own == (
        ("id", "ref", "a1"),
        ("text", "body", "Gardez la ligne douze, dont mon fils dépend."),
        ("author", "who", "Paul Roche"),
        ("time", "sent", "2026-03-01 08:00:00"),
    )


def test_another_table_than_the_one_searched_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "contributions.csv"
    write_results(tmp_path / "campaigns")
    digest = hashlib.sha256(table.read_bytes()).hexdigest()
    results = write_results(tmp_path / "campaigns", input_sha256=digest)
    append_review(tmp_path / "log", [], key=ADA, results=results, time=TIME)
    assert contributor_report(tmp_path / "log", results, "a1", source=table).own[0][2] == "a1"
    table.write_text(table.read_text(encoding="utf-8").replace("Zoé", "Zoe"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        contributor_report(tmp_path / "log", results, "a1", source=table)
    assert codes(caught) == ["review-results"]


def test_a_contribution_outside_groups_and_one_without_words_have_their_answer(
    log: Path, results: Path
) -> None:
    alone = contributor_report(log, results, "c1")
    assert alone.groups == ()
    assert "none of the groups in the results" in alone.text()
    assert "no times were given" not in alone.text()
    empty = contributor_report(log, results, "c2")
    assert empty.place.raw is None
    assert "no words in it" in empty.text()
    assert json.loads(empty.json())["weights"] == {"raw": None, "weighted": None, "one_voice_a_group": None}


def test_a_group_that_nobody_was_asked_to_look_at_is_told_as_such(log: Path, results: Path) -> None:
    text = re.sub(r"\s+", " ", contributor_report(log, results, "b1").text())
    assert "nothing in it asked for a person's look" in text
    assert "What people decided on the group" not in text


def test_a_group_of_accounts_is_told_to_those_whose_account_is_in_it(tmp_path: Path) -> None:
    voters: dict[str, Any] = {
        "name": "C3",
        "kind": "votes",
        "members": [],
        "voters": ["Nora Vidal", "x", "y"],
        "raw": 3,
    }
    groups = [*document()["groups"], {**voters, "for_review": True, "rule": "votes", "channels": []}]
    results = write_results(tmp_path / "campaigns", groups=groups)
    append_review(tmp_path / "log", [decided("C3", "undecided")], key=ADA, results=results, time=TIME)
    table = tmp_path / "contributions.csv"
    report = contributor_report(tmp_path / "log", results, "c1", source=table)
    assert [group.name for group, _state in report.groups] == ["C3"]
    assert "The account of this contribution is in the group C3, of 3 accounts" in report.text()
    assert contributor_report(tmp_path / "log", results, "a1", source=table).groups[0][0].name == "C1"


def test_a_contribution_in_several_groups_is_told_of_each(tmp_path: Path) -> None:
    groups = document()["groups"]
    groups[1] |= {"members": ["b1", "b2", "a1"], "dependence": [0.5, 0.5, 0.25]}
    results = write_results(tmp_path / "campaigns", groups=groups)
    append_review(tmp_path / "log", [decided("C2", "undecided")], key=ADA, results=results, time=TIME)
    told = json.loads(contributor_report(tmp_path / "log", results, "a1").json())
    assert [(g["name"], g["dependence"], g["state"]) for g in told["groups"]] == [
        ("C1", 0.97, "open"),
        ("C2", 0.25, "decided"),
    ]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"counts": {"votes": 12}}, "its votes were read too"),
        ({"vectors": "offline"}, "numbers were computed that stand for what it says (a vector), by offline"),
        ({"vectors": "given"}, "With the text, numbers were read"),
        ({"channels": ["template", "metadata"], "channels_off": {}}, "hashes made with a secret key"),
        ({"sha256": {"votes.csv": "0" * 64}}, "Other files that were read: votes.csv"),
        ({"columns": {}}, "do not say which columns were read"),
    ],
)
def test_what_else_was_read_is_told_if_it_was(tmp_path: Path, more: dict[str, Any], words: str) -> None:
    plain = write_results(tmp_path / "plain")
    append_review(tmp_path / "plain.log", [], key=ADA, results=plain, time=TIME)
    assert words not in re.sub(r"\s+", " ", contributor_report(tmp_path / "plain.log", plain, "a1").text())
    results = write_results(tmp_path / "campaigns", **more)
    append_review(tmp_path / "log", [], key=ADA, results=results, time=TIME)
    assert words in re.sub(r"\s+", " ", contributor_report(tmp_path / "log", results, "a1").text())


def test_page_fetches_nothing_runs_nothing_and_escapes_what_people_wrote(
    tmp_path: Path, results: Path
) -> None:
    nasty = "<script>alert(1)</script> & «x»"
    append_review(tmp_path / "log", [decided(reason=nasty)], key=ADA, results=results, time=TIME)
    page = contributor_report(tmp_path / "log", results, "a1", contact="<b>me</b>").page("fr").decode()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;b&gt;me&lt;/b&gt;" in page
    assert "default-src 'none'" in page
    assert re.search(r"(src|href)=\"(?!#)", page) is None
    assert '<html lang="fr">' in page


def test_text_has_lines_of_at_most_96_signs(log: Path, results: Path) -> None:
    for lang in ("en", "fr"):
        lines = contributor_report(log, results, "a1").text(lang).splitlines()
        assert [line for line in lines if len(line) > 96 and line.count(" ") > 8] == []


def test_answer_is_the_same_each_time(log: Path, results: Path) -> None:
    assert forms(contributor_report(log, results, "a1")) == forms(contributor_report(log, results, "a1"))


@pytest.mark.parametrize("contribution", ["zz", "", "A1", " a1"])
def test_an_unknown_contribution_is_told(log: Path, results: Path, contribution: str) -> None:
    with pytest.raises(InputError) as caught:
        contributor_report(log, results, contribution)
    assert codes(caught) == ["contribution-unknown"]


def test_results_of_another_search_are_refused(tmp_path: Path, log: Path) -> None:
    other = write_results(tmp_path / "other", digest="77" * 32)
    with pytest.raises(InputError) as caught:
        contributor_report(log, other, "a1")
    assert codes(caught) == ["review-results"]


def test_a_log_that_was_changed_gives_no_answer(log: Path, results: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b"independent", b"one-source!"))
    with pytest.raises(LogError, match="fails its check"):
        contributor_report(log, results, "a1")


def test_a_table_that_contradicts_the_results_is_refused(log: Path, results: Path) -> None:
    table = results / "contributions.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("c1,,", "c1,C1,"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        contributor_report(log, results, "c1")
    assert codes(caught) == ["review-results"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("voice_weight_one_each", "w", "column-missing"),
        ("0.4667", "much", "weight-invalid"),
        ("b2", "a1", "contribution-unknown"),
    ],
)
def test_a_damaged_table_is_told(log: Path, results: Path, old: str, new: str, code: str) -> None:
    table = results / "contributions.csv"
    table.write_text(table.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_place(results, "a1", read_results(results))
    assert codes(caught) == [code]


def test_a_folder_without_its_table_is_told(log: Path, results: Path) -> None:
    (results / "contributions.csv").unlink()
    with pytest.raises(InputError) as caught:
        contributor_report(log, results / "campaigns.json", "a1")
    assert codes(caught) == ["file-missing"]
