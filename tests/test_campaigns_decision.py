"""Which groups go to a person: the rules, and the rate that they keep."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.campaigns.decision import _replicated, combined, decide, levels_of_one_more
from klero.campaigns.model import Candidate, Channel, Consultation, FoundBy


def case(
    groups: list[tuple[FoundBy, dict[str, float | None]]], words: int = 20
) -> tuple[Consultation, list[Candidate], list[tuple[Channel, ...]]]:
    n = 5 * len(groups)
    c = Consultation(
        ids=tuple(range(n)),
        texts=("",) * n,
        words=np.full(n, words, np.int64),
        author=np.arange(n),
        authors=(None,) * n,
        question=np.zeros(n, np.int64),
        questions=("",),
        stance=np.full(n, 2, np.int8),
        time=np.full(n, np.nan),
    )
    candidates = [
        Candidate(np.arange(5 * i, 5 * i + 5), 5, 5 * i, "template", None, "all", found_by)
        for i, (found_by, _) in enumerate(groups)
    ]
    channels = [tuple(Channel(name, p) for name, p in ps.items()) for _, ps in groups]  # type: ignore[arg-type]
    return c, candidates, channels


def test_a_long_wording_goes_to_a_person_by_itself_and_a_short_one_does_not() -> None:
    told = decide(*case([("text", {"template": 1e-6})]), 0.05)
    assert told[0].for_review and told[0].rule == "text"
    told = decide(*case([("text", {"template": 1e-6})], words=4), 0.05)
    assert not told[0].for_review and told[0].rule == "short-text-alone" and told[0].short


def test_short_texts_that_came_together_go_to_a_person() -> None:
    told = decide(*case([("text", {"template": 1e-6, "time": 1e-5})], words=4), 0.05)
    assert told[0].for_review and told[0].rule == "two-strands"


def test_time_alone_is_never_enough() -> None:
    told = decide(*case([("time", {"paraphrase": 0.4, "time": 1e-12})]), 0.05)
    assert not told[0].for_review and told[0].rule == "time-alone"
    told = decide(*case([("text", {"template": 0.4, "time": 1e-12})]), 0.05)
    assert not told[0].for_review


def test_a_burst_needs_its_texts() -> None:
    told = decide(*case([("time", {"paraphrase": 1e-4, "time": 1e-12})]), 0.05)
    assert told[0].for_review and told[0].rule == "two-strands"


def test_a_burst_of_one_wording_is_told_once() -> None:
    c, candidates, channels = case(
        [("text", {"template": 1e-9}), ("time", {"paraphrase": 1e-6, "time": 1e-9})]
    )
    both = [candidates[0], Candidate(candidates[0].rows, 5, 0, "paraphrase", None, "all", "time")]
    told = decide(c, both, channels, 0.05)
    assert [one.for_review for one in told] == [True, False] and told[1].rule == "part"


def test_voters_go_by_their_votes() -> None:
    told = decide(*case([("votes", {"votes": 1e-6})]), 0.05)
    assert told[0].for_review and told[0].rule == "votes"


def test_channels_are_combined_by_bonferroni_and_those_untested_do_not_count() -> None:
    channels = [Channel("time", 0.01), Channel("votes", None), Channel("coaction", 0.4)]
    assert combined(channels, ("time", "coaction", "votes")) == pytest.approx(0.02)
    assert combined(channels, ("votes",)) is None


def test_q_is_split_among_the_rules_that_can_apply() -> None:
    lone = decide(*case([("text", {"template": 0.02})]), 0.05)[0]
    assert lone.adjusted == pytest.approx(0.02)
    mixed = decide(*case([("text", {"template": 0.02}), ("votes", {"votes": 0.9})]), 0.05)[0]
    assert mixed.adjusted == pytest.approx(0.04)


@given(st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=12), st.floats(0.01, 0.2))
@settings(max_examples=80, deadline=None)
def test_with_one_rule_it_is_benjamini_and_hochberg(ps: list[float], q: float) -> None:
    told = decide(*case([("text", {"template": p}) for p in ps]), q)
    ordered = sorted(ps)
    kept = max((k for k, p in enumerate(ordered, 1) if p * len(ps) / k <= q and p < 1), default=0)
    expected = [kept > 0 and p <= ordered[kept - 1] for p in ps]
    assert [one.for_review for one in told] == expected


@given(
    st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=8),
    st.integers(0, 300),
    st.sampled_from(("time", "votes")),
)
@settings(max_examples=60, deadline=None)
def test_groups_that_a_rule_is_not_about_do_not_count_in_it(
    ps: list[float], others: int, by: FoundBy
) -> None:
    alone = decide(*case([("text", {"template": p}) for p in ps]), 0.05)
    beside: list[tuple[FoundBy, dict[str, float | None]]] = [(by, {"template": None})] * others
    told = decide(*case([("text", {"template": p}) for p in ps] + beside), 0.05)
    rules = 2 if others and by == "votes" else 1
    for one, of in zip(told, alone, strict=False):
        assert one.adjusted == pytest.approx(min(1.0, rules * of.adjusted))


def test_the_realised_rate_keeps_q_where_half_of_the_groups_are_innocent() -> None:
    random = np.random.default_rng(0)
    rates = []
    for _ in range(400):
        innocent = random.random(20)
        guilty = random.random(20) * 1e-4
        told = decide(*case([("text", {"template": float(p)}) for p in (*innocent, *guilty)]), 0.05)
        shown = [one.for_review for one in told]
        rates.append(sum(shown[:20]) / max(1, sum(shown)))
    assert np.mean(rates) <= 0.05


def test_two_strands_are_judged_each_by_how_many_the_other_selects() -> None:
    # Texts select the first three, acts the first two and the last; 0.8 and 0.2 are the shares of the strands.
    found = _replicated(np.array([0.004, 0.03, 0.05, 0.9]), np.array([0.001, 0.02, 0.6, 0.001]))
    by_text, by_act = 3, 3
    first = max(0.004 * by_act / 0.8, 0.001 * by_text / 0.2)
    second = max(0.03 * by_act / 0.8, 0.02 * by_text / 0.2) / 2
    assert found[:2] == pytest.approx([min(first, second), second])
    assert (found[2:] == 1.0).all()


def test_two_strands_keep_the_rate_where_one_strand_is_always_striking() -> None:
    random = np.random.default_rng(1)
    alarms = 0
    for _ in range(1000):
        texts = random.random(12)
        alarms += bool((_replicated(texts, np.full(12, 1e-12)) <= 0.05).any())
    assert alarms <= 50 + 3 * np.sqrt(50)


@given(st.lists(st.tuples(st.floats(1e-6, 1.0), st.floats(1e-6, 1.0)), max_size=8), st.floats(0.01, 0.2))
@settings(max_examples=80, deadline=None)
def test_one_more_group_at_the_levels_that_are_told_goes_to_a_person(
    others: list[tuple[float, float]], q: float
) -> None:
    groups: list[tuple[FoundBy, dict[str, float | None]]] = [
        ("time", {"paraphrase": text, "time": act}) for text, act in others
    ]
    before = decide(*case(groups), q)
    text, act = levels_of_one_more(before, q, 1, 0)
    least = (1 - 1e-9) * text, (1 - 1e-9) * act
    after = decide(*case([*groups, ("time", {"paraphrase": least[0], "time": least[1]})]), q)
    assert after[-1].for_review


def test_each_place_that_was_searched_for_a_burst_counts() -> None:
    groups = case([("time", {"paraphrase": 0.004, "time": 1e-12})])
    assert decide(*groups, 0.05)[0].for_review
    assert not decide(*groups, 0.05, strata=20)[0].for_review
