"""«Would the conclusion change?»: counts beside slow ones, places, what changes, and what must always hold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign_cases import candidate_of, consultation_of, letters, organic_texts, planted, voters_of, votes_of
from klero.campaigns import sensitivity as module
from klero.campaigns.effective import Tested, weigh
from klero.campaigns.model import Candidate, Consultation
from klero.campaigns.result import Sensitivity
from klero.campaigns.sensitivity import sensitivity

STANCES = {1: "for", 0: "neutral", -1: "against"}


@dataclass(frozen=True)
class Decided:
    for_review: bool = True


def review(group: Candidate) -> Tested:
    return group, (), Decided()


def lines(
    c: Consultation, tested: list[Tested], **options: list[str | None]
) -> dict[tuple[str, str], Sensitivity]:
    found = sensitivity(c, weigh(c, tested).weights, tested, **options)  # type: ignore[arg-type]
    return {(one.kind, one.label): one for one in found}


def bicycles() -> tuple[Consultation, Candidate]:
    """12 people are for, 9 against, and a letter by 10 is against; on another question 6 speak."""
    texts = organic_texts(27) + letters(10)
    c = consultation_of(
        texts,
        authors=[f"p{i}" for i in range(37)],
        questions=["bicycles"] * 21 + ["schools"] * 6 + ["bicycles"] * 10,
        stances=["for"] * 12 + ["against"] * 9 + [None] * 6 + ["against"] * 10,
    )
    return c, candidate_of(c, [f"a{i}" for i in range(28, 38)])


def test_a_majority_that_a_letter_makes_changes() -> None:
    c, letter = bicycles()
    found = lines(c, [review(letter)])
    against, for_ = found["position", "bicycles: against"], found["position", "bicycles: for"]
    assert (against.raw, against.rank_raw, against.one_each, against.rank_one_each) == (19, 1, 10, 2)
    assert against.weighted == pytest.approx(10, abs=0.1) and against.rank_weighted == 2
    assert (for_.raw, for_.weighted, for_.one_each, for_.rank_raw, for_.rank_weighted) == (12, 12, 12, 2, 1)
    assert against.changes and for_.changes
    assert (against.within, against.stance, against.people) == ("bicycles", -1, 19)
    question = found["question", "bicycles"]
    assert (question.raw, question.one_each, question.rank_raw, question.people) == (31, 22, 1, 31)
    assert not question.changes and not found["question", "schools"].changes


def test_without_a_group_for_review_nothing_changes() -> None:
    c, letter = bicycles()
    for tested in ([], [(letter, (), Decided(False))]):
        found = sensitivity(c, np.ones(len(c)), tested)  # type: ignore[arg-type]
        assert found
        for one in found:
            assert one.raw == one.weighted == one.one_each
            assert one.rank_raw == one.rank_weighted == one.rank_one_each
            assert not one.changes


def test_a_voice_with_two_stances_is_divided_and_with_two_texts_counts_once() -> None:
    c = consultation_of(
        organic_texts(5),
        authors=["x", "x", "y", "y", "z"],
        questions=["q"] * 5,
        stances=["for", "against", "for", "for", "against"],
    )
    found = lines(c, [])
    assert found["position", "q: for"].raw == 1.5
    assert found["position", "q: against"].raw == 1.5
    assert found["position", "q: for"].rank_raw == found["position", "q: against"].rank_raw == 1
    assert found["position", "q: for"].people == 2


def test_positions_over_all_questions_are_there_if_there_are_several() -> None:
    c = planted(30, 8)
    found = lines(c, [])
    assert ("position", "against") in found and ("position", "transports: against") in found
    assert found["position", "against"].within == ""
    known = sum(found["position", word].raw for word in STANCES.values() if ("position", word) in found)
    assert known == pytest.approx(len({c.author[row] for row in range(len(c)) if c.stance[row] != 2}))


def test_themes_are_counted_by_voices_and_what_has_none_is_left_out() -> None:
    c, letter = bicycles()
    themes = [None if c.ids[row] == "a1" else f"T{c.question[row]}" for row in range(len(c))]
    found = {
        one.label: one
        for one in sensitivity(c, np.ones(len(c)), [review(letter)], themes=themes)
        if one.kind == "theme"
    }
    assert sorted(one.raw for one in found.values()) == [6, 30]
    assert sum(one.people for one in found.values()) == 36


def test_items_are_ranked_by_votes_for_them_and_a_script_moves_them() -> None:
    random = np.random.default_rng(3)
    triples = [
        (f"p{i:02}", f"i{j:02}", int(random.choice([-1, 0, 1])))
        for i in range(60)
        for j in range(12)
        if random.random() < 0.5
    ]
    triples += [(f"p{i:02}", "loved", 1) for i in range(20)] + [(f"p{i:02}", "pushed", -1) for i in range(10)]
    triples += [
        (f"z{i:02}", item, 1) for i in range(25) for item in ("pushed", *(f"i{j:02}" for j in range(8)))
    ]
    c = consultation_of(organic_texts(60), votes=votes_of(triples))
    puppets = replace(voters_of(c, [f"z{i:02}" for i in range(25)]), found_by="votes")
    found = lines(c, [review(puppets)])
    pushed, loved = found["argument", "pushed"], found["argument", "loved"]
    assert (pushed.raw, pushed.one_each, pushed.people) == (25, 1, 35)
    assert pushed.weighted == pytest.approx(1, rel=0.2)
    assert pushed.changes and pushed.rank_weighted > pushed.rank_raw
    assert loved.raw == loved.weighted == 20 and loved.rank_weighted < loved.rank_raw


def test_what_changes_comes_first_and_long_lists_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 4)
    texts = organic_texts(60) + letters(10)
    questions = [f"q{i % 9}" for i in range(60)] + ["q8"] * 10
    c = consultation_of(texts, questions=questions)
    found = [one for one in sensitivity(c, np.ones(70), []) if one.kind == "question"]
    assert len(found) == 4
    letter = candidate_of(c, [f"a{i}" for i in range(61, 71)])
    tested = [review(letter)]
    found = [one for one in sensitivity(c, weigh(c, tested).weights, tested) if one.kind == "question"]
    assert len(found) == 4
    assert found[0].label == "q8" and found[0].changes
    changes = [one.changes for one in found]
    assert changes == sorted(changes, reverse=True)


def slow_positions(c: Consultation, weights: np.ndarray) -> dict[str, float]:
    counts: dict[str, float] = {}
    for row in range(len(c)):
        if c.stance[row] == 2 or c.question[row] < 0:
            continue
        mine = [
            other
            for other in range(len(c))
            if c.author[other] == c.author[row]
            and c.question[other] == c.question[row]
            and c.stance[other] != 2
        ]
        label = f"{c.questions[c.question[row]]}: {STANCES[int(c.stance[row])]}"
        counts[label] = counts.get(label, 0.0) + weights[row] / len(mine)
    return counts


@st.composite
def consultations(draw: st.DrawFn) -> tuple[Consultation, list[Tested]]:
    """Up to 24 contributions by up to ten people on three questions, some of them in groups for review."""
    size = draw(st.integers(6, 24))
    pick = lambda values: draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))  # noqa: E731
    c = consultation_of(
        organic_texts(size, seed=draw(st.integers(0, 20))),
        authors=pick([f"p{i}" for i in range(10)]),
        questions=pick(["q1", "q2", "q3", None]),
        stances=pick(["for", "against", "neutral", None]),
    )
    groups = draw(st.lists(st.sets(st.integers(1, size), min_size=2, max_size=8), max_size=3))
    return c, [review(candidate_of(c, [f"a{i}" for i in sorted(one)])) for one in groups]


@settings(deadline=None, max_examples=60)
@given(consultations())
def test_what_always_holds_of_the_table(case: tuple[Consultation, list[Tested]]) -> None:
    c, tested = case
    weights = weigh(c, tested).weights
    found = sensitivity(c, weights, tested)
    slow = slow_positions(c, np.ones(len(c))), slow_positions(c, weights)
    told = {one.label: one for one in found if one.kind == "position" and one.within}
    assert told.keys() == slow[0].keys()
    for label, one in told.items():
        assert one.raw == pytest.approx(slow[0][label]) and one.weighted == pytest.approx(slow[1][label])
    for one in found:
        # No argument disappears, and nothing grows.
        assert one.people > 0
        assert 0 < one.weighted <= one.raw + 1e-9
        assert 0 < one.one_each <= one.raw + 1e-9
        alike = [other for other in found if (other.kind, other.within) == (one.kind, one.within)]
        for field in ("raw", "weighted", "one_each"):
            place = 1 + sum(getattr(other, field) > getattr(one, field) for other in alike)
            assert getattr(one, f"rank_{field}") == place
        keeps = one.raw == pytest.approx(one.weighted) == pytest.approx(one.one_each)
        if not one.changes and not keeps:
            assert one.rank_raw == one.rank_weighted == one.rank_one_each
    for kind in {(one.kind, one.within) for one in found}:
        alike = [one for one in found if (one.kind, one.within) == kind]
        if not any(one.changes for one in alike):
            assert all(one.rank_raw == one.rank_weighted == one.rank_one_each for one in alike)


def test_a_line_that_only_moves_up_since_another_falls_does_not_change() -> None:
    texts = organic_texts(30) + letters(10)
    questions = ["q0"] * 12 + ["q1"] * 10 + ["q2"] * 5 + ["q3"] * 3 + ["q2"] * 10
    c = consultation_of(texts, questions=questions)
    found = lines(c, [review(candidate_of(c, [f"a{i}" for i in range(31, 41)]))])
    loses, first, up, below = (found["question", f"q{n}"] for n in (2, 0, 1, 3))
    assert (loses.rank_raw, loses.rank_one_each) == (1, 3) and loses.changes
    assert (first.rank_raw, first.rank_one_each) == (2, 1) and first.changes  # the first place is told
    assert (up.rank_raw, up.rank_one_each) == (3, 2) and not up.changes
    assert below.rank_raw == below.rank_one_each == 4 and not below.changes


def test_a_consultation_without_questions_and_stances_has_no_lines() -> None:
    c = consultation_of(organic_texts(5))
    assert sensitivity(c, np.ones(5), []) == ()
    assert sensitivity(consultation_of([]), np.ones(0), []) == ()
