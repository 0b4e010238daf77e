"""Effective voices: the formulas beside slow ones, what must always hold, and campaigns that were planted."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign_cases import (
    candidate_of,
    channel_of,
    consultation_of,
    letters,
    organic_texts,
    planted,
    voters_of,
    votes_of,
)
from klero.campaigns import membership
from klero.campaigns.effective import (
    RESAMPLES,
    Tested,
    dependences,
    effective_voices,
    one_each_weights,
    shares,
    voter_weights,
    weigh,
    worth,
)
from klero.campaigns.membership import Reader
from klero.campaigns.model import Candidate, Channel, Consultation, Kind

probabilities = st.lists(
    st.one_of(st.sampled_from([0.0, 1.0, 0.5]), st.floats(0, 1)), min_size=1, max_size=30
).map(np.array)


@dataclass(frozen=True)
class Decided:
    for_review: bool = True


def review(group: Candidate, *channels: Channel) -> Tested:
    return group, channels, Decided()


def everywhere(source: np.ndarray) -> tuple[float, np.ndarray]:
    """n_eff and weights, slowly: every way in which the voices can come from the source or not."""
    n_eff, weights = 0.0, np.zeros(len(source))
    for labels in product([False, True], repeat=len(source)):
        from_source = np.array(labels)
        chance = float(np.prod(np.where(from_source, source, 1 - source)))
        together = int(from_source.sum())
        n_eff += chance * (len(source) - together + min(together, 1))
        weights += chance * np.where(from_source, 1 / max(together, 1), 1.0)
    return n_eff, weights


# ── the formulas ──


@pytest.mark.parametrize("seed", range(5))
def test_n_eff_and_shares_are_expectations_over_all_ways(seed: int) -> None:
    random = np.random.default_rng(seed)
    source = random.choice([0.0, 1.0, 0.3, random.random(), random.random()], 8)
    n_eff, weights = everywhere(source)
    assert effective_voices(source) == pytest.approx(n_eff, abs=1e-12)
    assert shares(source) == pytest.approx(weights, abs=1e-12)


@pytest.mark.parametrize(("copies", "others"), [(40, 10), (2, 1), (100, 0), (0, 7), (1, 3)])
def test_a_core_and_k_others_are_worth_one_and_k(copies: int, others: int) -> None:
    source = np.repeat([1.0, 0.0], [copies, others])
    assert effective_voices(source) == others + min(copies, 1)
    # The definition (Σw)² / ΣΣ w w ρ, at the weights that klero gives, is the same; and no weights give more.
    rho = dependences(source)
    assert worth(shares(source), rho) == pytest.approx(others + min(copies, 1))
    random = np.random.default_rng(copies)
    assert (
        max(worth(random.random(copies + others), rho) for _ in range(200)) <= others + min(copies, 1) + 1e-9
    )


def test_equal_weights_would_hide_the_others() -> None:
    source = np.repeat([1.0, 0.0], [40, 10])
    assert worth(np.ones(50), dependences(source)) == pytest.approx(50**2 / (40**2 + 10))


@given(probabilities)
def test_weights_are_above_0_and_at_most_1_and_sum_to_n_eff(source: np.ndarray) -> None:
    weights, n_eff = shares(source), effective_voices(source)
    assert (weights > 0).all() and (weights <= 1).all()
    assert weights.sum() == pytest.approx(n_eff, abs=1e-9)
    assert 1 - 1e-12 <= n_eff <= len(source) + 1e-12


@given(probabilities)
def test_a_copy_of_a_member_adds_nothing(source: np.ndarray) -> None:
    copied = np.append(source, 1.0)
    copied[0] = 1.0
    assert effective_voices(copied) <= effective_voices(source) + 1e-12


@given(probabilities, st.integers(0, 29))
def test_who_is_likelier_from_the_source_weighs_no_more(source: np.ndarray, at: int) -> None:
    weights = shares(source)[np.argsort(source, kind="stable")]
    assert (np.diff(weights) <= 1e-9).all()


@given(probabilities)
def test_the_dependences_of_mean_labels_bound_n_eff_from_below(source: np.ndarray) -> None:
    # ρ holds the means of the labels' products; the largest worth is convex in ρ, so at ρ it is at most its mean over labels.
    assert worth(shares(source), dependences(source)) <= effective_voices(source) + 1e-9


def test_shares_of_many_voices_are_exact() -> None:
    source = np.full(20_000, 1.0)
    assert shares(source) == pytest.approx(np.full(20_000, 1 / 20_000), rel=1e-9)
    mixed = np.random.default_rng(1).random(5_000).round(3)
    assert shares(mixed).sum() == pytest.approx(effective_voices(mixed), rel=1e-9)


# ── groups of texts ──


def with_copies(copies: int, organic: int = 60) -> tuple[Consultation, Candidate]:
    text = (
        "Nous refusons la fermeture de la ligne douze et demandons au conseil de la maintenir sans condition."
    )
    c = consultation_of(organic_texts(organic) + [text] * copies)
    return c, candidate_of(c, [f"a{organic + 1 + i}" for i in range(copies)], "copies")


def test_m_copies_are_worth_one_voice() -> None:
    c, group = with_copies(12)
    found = weigh(c, [review(group)])
    assert (found.groups[0].low, found.groups[0].estimate, found.groups[0].high) == (1, 1, 1)
    assert found.n_eff.estimate == 61
    assert found.dependence[0].tolist() == [1.0] * 12
    assert found.weights[group.rows] == pytest.approx(np.full(12, 1 / 12))


def test_everybody_else_weighs_1() -> None:
    c, group = with_copies(12)
    found = weigh(c, [review(group)])
    assert (np.delete(found.weights, group.rows) == 1).all()


def test_a_group_that_is_not_for_review_keeps_its_voices() -> None:
    c, group = with_copies(12)
    found = weigh(c, [(group, (), Decided(False))])
    assert (found.weights == 1).all()
    assert (found.groups[0].low, found.groups[0].estimate, found.groups[0].high) == (12, 12, 12)
    assert found.n_eff.estimate == found.n_eff.high == 72
    assert found.dependence[0].tolist() == [0.0] * 12
    assert found.matched == ("",)


@pytest.mark.parametrize("kind", ["template", "paraphrase"])
def test_a_planted_letter_and_bystanders_are_worth_one_and_the_bystanders(kind: Kind) -> None:
    c = planted(120, 12)
    others = ["a1", "a5", "a9"]
    group = candidate_of(c, [f"z{i + 1}" for i in range(12)] + others, kind)
    found = weigh(c, [review(group)])
    assert found.groups[0].estimate == pytest.approx(4, rel=0.2)
    assert found.groups[0].low <= 4 <= found.groups[0].high
    letter = np.array([str(c.ids[row]).startswith("z") for row in group.rows])
    assert found.dependence[0][letter].min() > 0.9
    assert found.dependence[0][~letter].max() < 0.5
    assert found.weights[group.rows[~letter]].min() > 0.5
    assert found.n_eff.estimate == pytest.approx(121, rel=0.01)


def test_independent_people_taken_for_a_group_keep_nearly_all_their_voices() -> None:
    c = consultation_of(organic_texts(300, seed=4))
    group = candidate_of(c, [f"a{i}" for i in range(1, 300, 20)], "template")
    found = weigh(c, [review(group)])
    assert found.groups[0].estimate > 0.8 * 15
    assert found.groups[0].high == 15


def test_a_copy_inside_a_template_comes_from_the_source() -> None:
    texts = organic_texts(80) + letters(6) + [letters(1)[0]]
    c = consultation_of(texts)
    group = candidate_of(c, [f"a{i}" for i in range(81, 88)])
    found = weigh(c, [review(group)])
    twins = [i for i, row in enumerate(group.rows) if c.texts[row] == letters(1)[0]]
    assert len(twins) == 2
    assert found.dependence[0][twins].tolist() == [1.0, 1.0]


def test_several_texts_of_one_author_are_one_voice() -> None:
    c = consultation_of(
        organic_texts(60) + letters(9),
        authors=[f"p{i}" for i in range(60)] + ["x", "x", "x"] + list("abcdef"),
    )
    group = candidate_of(c, [f"a{i}" for i in range(61, 70)])
    assert group.voices == 7
    found = weigh(c, [review(group)])
    assert found.groups[0].estimate == pytest.approx(1, abs=0.01)
    own = [row for row in group.rows if c.authors[c.author[row]] == "x"]
    assert len({found.weights[row] for row in own}) == 1
    assert found.n_eff.estimate == pytest.approx(61, abs=0.01)


def test_an_author_with_a_text_of_their_own_keeps_a_whole_voice_in_the_consultation() -> None:
    authors = [f"p{i}" for i in range(60)] + ["p0", "p1", *"abcdef"]
    c = consultation_of(organic_texts(60) + letters(8), authors=authors)
    found = weigh(c, [review(candidate_of(c, [f"a{i}" for i in range(61, 69)]))])
    # p0 and p1 wrote something else; the six others share what is left of the one voice.
    assert found.n_eff.estimate == pytest.approx(60 + 6 / 8, abs=0.02)
    assert found.weights[c.ids.index("a1")] == 1


def test_nothing_to_compare_with_says_from_one_to_all() -> None:
    c = consultation_of(letters(12) + organic_texts(4))
    found = weigh(c, [review(candidate_of(c, [f"a{i + 1}" for i in range(12)]))])
    assert found.matched == ("nothing",)
    assert (found.groups[0].low, found.groups[0].high) == (1, 12)


def test_outsiders_are_matched_on_question_and_length_and_then_on_less() -> None:
    c = planted(120, 8)  # two questions of 60 texts each
    group = candidate_of(c, [f"z{i + 1}" for i in range(8)])
    assert weigh(c, [review(group)]).matched == ("question-and-length",)
    few = planted(40, 8)
    group = candidate_of(few, [f"z{i + 1}" for i in range(8)])
    assert weigh(few, [review(group)]).matched == ("length",)


def test_other_groups_for_review_are_nobodys_outsiders() -> None:
    c = planted(120, 8)
    letter = candidate_of(c, [f"z{i + 1}" for i in range(8)])
    other = candidate_of(c, [f"a{i + 1}" for i in range(10)])
    alone = Reader(c, [letter]).compare(letter)
    beside = Reader(c, [letter, other]).compare(letter)
    assert len(alone.outside) - len(beside.outside) == 5  # those on the letter's question


def test_in_a_burst_bystanders_are_told_by_how_many_are_expected() -> None:
    c = planted(150, 20)
    group = replace(
        candidate_of(c, [f"z{i + 1}" for i in range(20)] + ["a1", "a2", "a3", "a4"], "paraphrase"),
        found_by="time",
    )
    time = replace(channel_of("time", 0.001), effect={"window_members_expected": 4.0})
    found = weigh(c, [review(group, time)])
    assert found.groups[0].low <= 5 <= found.groups[0].high
    assert found.groups[0].estimate == pytest.approx(5, abs=1.5)


# ── groups of voters ──


def voted(people: int, puppets: int, seed: int = 0, noise: float = 0.05) -> tuple[Consultation, Candidate]:
    """People of two opinions vote on 12 of 40 items; puppets on ten of a list of twelve, as they are told."""
    random = np.random.default_rng(seed)
    sides = random.choice([-1, 1], (2, 40))
    triples = []
    for i in range(people):
        for item in random.permutation(40)[:12].tolist():
            vote = sides[i % 2, item] if random.random() < 0.7 else -sides[i % 2, item]
            triples.append((f"p{i:03}", f"i{item:02}", int(vote)))
    script = {int(item): int(random.choice([-1, 1])) for item in random.permutation(40)[:12]}
    for i in range(puppets):
        for item in random.permutation(sorted(script))[:10].tolist():
            vote = script[item] if random.random() > noise else -script[item]
            triples.append((f"z{i:03}", f"i{item:02}", vote))
    c = consultation_of(
        organic_texts(60),
        authors=[f"p{i:03}" for i in range(50)] + [f"z{i:03}" for i in range(10)],
        votes=votes_of(triples),
    )
    return c, replace(voters_of(c, [f"z{i:03}" for i in range(puppets)]), found_by="votes")


def test_accounts_that_follow_one_script_are_worth_one_voice() -> None:
    c, group = voted(200, 20)
    found = weigh(c, [review(group)])
    assert found.groups[0].estimate == pytest.approx(1, rel=0.2)
    assert c.votes is not None
    puppets = np.array([name.startswith("z") for name in c.votes.accounts])
    assert found.voters[puppets].sum() == pytest.approx(found.groups[0].estimate)
    assert (found.voters[~puppets] == 1).all()
    assert found.voters.tolist() == voter_weights(c, [review(group)]).tolist()


def test_contributions_of_accounts_that_vote_by_a_script_weigh_as_they_do() -> None:
    c, group = voted(200, 20)
    found = weigh(c, [review(group)])
    assert c.votes is not None
    for row in range(len(c)):
        name = c.authors[c.author[row]]
        assert found.weights[row] == found.voters[c.votes.accounts.index(str(name))]


def test_people_caught_with_a_script_keep_their_voices() -> None:
    c, group = voted(200, 20)
    assert c.votes is not None
    caught = np.array([c.votes.accounts.index(f"p{i:03}") for i in (3, 8, 50)])
    wider = replace(group, voters=np.sort(np.append(group.voters, caught)), voices=23)
    found = weigh(c, [review(wider)])
    assert found.groups[0].estimate == pytest.approx(4, rel=0.2)
    assert found.voters[caught].min() > 0.7


# ── groups that overlap ──


def test_the_same_people_found_by_texts_and_by_votes_are_one_voice() -> None:
    c = planted(120, 10, votes=True)
    text = candidate_of(c, [f"z{i + 1}" for i in range(10)])
    votes = replace(voters_of(c, [f"p{i:03}" for i in range(121, 131)]), found_by="votes")
    one, both = weigh(c, [review(text)]), weigh(c, [review(text), review(votes)])
    assert both.n_eff.estimate == pytest.approx(121, abs=0.1)
    assert both.n_eff.estimate <= one.n_eff.estimate + 1e-9
    assert both.weights == pytest.approx(np.minimum(one.weights, weigh(c, [review(votes)]).weights))


@settings(deadline=None, max_examples=30)
@given(st.lists(st.sets(st.integers(0, 11), min_size=2, max_size=8), min_size=1, max_size=4))
def test_groups_that_overlap_are_together_worth_one_voice_at_least(sets: list[set[int]]) -> None:
    c, _ = with_copies(12, organic=20)
    copies = [f"a{21 + i}" for i in range(12)]
    groups = [review(candidate_of(c, [copies[i] for i in sorted(one)], "copies")) for one in sets]
    found = weigh(c, groups)
    for own in sets:
        reached = set(own)
        while True:  # everybody who is tied to this group through others
            wider = reached.union(*(one for one in sets if one & reached))
            if wider == reached:
                break
            reached = wider
        rows = [c.ids.index(copies[i]) for i in reached]
        assert found.weights[rows].sum() >= 1 - 1e-9
    assert (found.weights > 0).all() and (found.weights <= 1).all()
    assert found.n_eff.estimate <= len(c)


# ── what must always hold ──


def shuffled(texts: Sequence[str], seed: int) -> Consultation:
    order = np.random.default_rng(seed).permutation(len(texts))
    return consultation_of([texts[i] for i in order], ids=[f"a{i + 1}" for i in order])


@pytest.mark.parametrize("seed", [1, 2])
def test_the_order_of_rows_changes_nothing(seed: int) -> None:
    texts = organic_texts(90) + letters(9)
    ids = [f"a{i}" for i in range(91, 100)] + ["a3"]
    results = []
    for c in (consultation_of(texts), shuffled(texts, seed)):
        found = weigh(c, [review(candidate_of(c, ids))])
        results.append((dict(zip(c.ids, found.weights.tolist(), strict=True)), found.groups, found.n_eff))
    assert results[0] == results[1]


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 8), st.integers(0, 1000))
def test_a_copy_more_takes_no_share_from_anybody_outside(at: int, seed: int) -> None:
    base, campaign = organic_texts(70, seed=seed), letters(9)
    before, after = (consultation_of(base + campaign + more) for more in ([], [campaign[at]]))
    ids = [f"a{i}" for i in range(71, 80)] + ["a1"]
    one = weigh(before, [review(candidate_of(before, ids))])
    other = weigh(after, [review(candidate_of(after, [*ids, "a80"]))])
    assert other.n_eff.estimate <= one.n_eff.estimate + 1e-9
    assert other.groups[0].estimate <= one.groups[0].estimate + 1e-9
    share = 1 / other.n_eff.estimate
    assert share >= 1 / one.n_eff.estimate - 1e-12


def test_one_each_gives_each_group_one_voice() -> None:
    c, group = with_copies(12)
    rows, voters = one_each_weights(c, [review(group)])
    assert rows[group.rows].sum() == pytest.approx(1)
    assert len(voters) == 0
    assert (one_each_weights(c, [(group, (), Decided(False))])[0] == 1).all()


def test_no_groups_leave_every_voice() -> None:
    c = planted(20, 0)
    found = weigh(c, [])
    assert found.n_eff.low == found.n_eff.estimate == found.n_eff.high == 20
    assert found.groups == () and found.dependence == ()


def test_a_sample_of_outsiders_is_not_moved_by_a_row_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(membership, "_SAMPLE", 25)
    texts = organic_texts(120) + letters(8)
    ids = [f"a{i}" for i in range(121, 129)]
    taken = []
    for c in (consultation_of(texts), consultation_of([*texts, letters(1)[0]])):
        group = candidate_of(c, ids)
        rows, total, _ = Reader(c, [group, candidate_of(c, [*ids, c.ids[-1]])])._outside(group)
        taken.append({c.texts[row] for row in rows.tolist()})
        assert total in (119, 120) and len(rows) == 25
    assert len(taken[0] & taken[1]) >= 24


def test_the_interval_is_drawn_by_the_seed() -> None:
    texts = organic_texts(200) + letters(12)
    ids = [f"a{i}" for i in range(201, 213)] + [f"a{i}" for i in range(1, 30, 4)]
    vectors = np.random.default_rng(5).standard_normal((212, 24))
    vectors[200:] += 0.7 * np.eye(24)[2] * 3
    found = []
    for seed in (0, 0, 1):
        c = consultation_of(texts, vectors=vectors, seed=seed)
        found.append(weigh(c, [review(candidate_of(c, ids, "paraphrase"))]).groups[0])
    assert found[0] == found[1]
    assert found[0].estimate == found[2].estimate
    assert found[0].low < found[0].estimate < found[0].high
    assert RESAMPLES >= 200


# ── a real consultation ──

REPNUM = (
    Path(os.environ.get("KLERO_DATA", Path(__file__).parents[2] / "shared" / "data"))
    / "voices"
    / "repnum_2015"
)


@pytest.mark.skipif(
    not REPNUM.is_dir(), reason=f"the consultation of 2015 is not at {REPNUM} (set KLERO_DATA)"
)
@pytest.mark.parametrize(("size", "caught"), [(8, 0), (20, 1), (40, 3)])
def test_n_eff_of_a_letter_planted_in_a_real_consultation_is_within_20_percent(
    size: int, caught: int
) -> None:
    with (REPNUM / "arguments.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["body"].strip()][:1500]
    texts = [row["body"] for row in rows] + letters(size)
    c = consultation_of(
        texts,
        authors=[row["author"] for row in rows] + [f"z{i}" for i in range(size)],
        questions=[row["opinion_id"] for row in rows] + [rows[0]["opinion_id"]] * size,
    )
    letter = [f"a{len(rows) + 1 + i}" for i in range(size)]
    near = np.random.default_rng(size).permutation(len(rows))[:caught]
    group = candidate_of(c, letter + [f"a{i + 1}" for i in near])
    found = weigh(c, [review(group)])
    truth = 1 + len({rows[i]["author"] for i in near})
    assert found.groups[0].estimate == pytest.approx(truth, rel=0.2)
    whole = len(set(c.author.tolist())) - size + 1
    assert found.n_eff.estimate == pytest.approx(whole, rel=0.01)
