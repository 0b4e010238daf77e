"""Accounts that vote as if by one script, among people who have opinions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from klero.campaigns.model import Candidate, Consultation, Votes
from klero.campaigns.votes import size_p, vote_candidates, votes_channel

PEOPLE, ITEMS = 160, 40


def town(script: int = 0, deviating: float = 0.0, seed: int = 0) -> Consultation:
    """Two opinion groups who vote on half of the items, and `script` accounts with one list of votes."""
    random = np.random.default_rng(seed)
    leaning = random.uniform(0.15, 0.85, (2, ITEMS))
    told = random.choice([-1, 1], ITEMS)
    voter, item, value = [], [], []
    for person in range(PEOPLE + script):
        camp = person % 2
        for thing in np.flatnonzero(random.random(ITEMS) < 0.5):
            own = random.random() < leaning[camp, thing]
            if person >= PEOPLE and random.random() >= deviating:
                value.append(told[thing])
            else:
                value.append(1 if own else -1)
            voter.append(person)
            item.append(int(thing))
    n = PEOPLE + script
    votes = Votes(
        np.array(voter, np.int64),
        np.array(item, np.int64),
        np.array(value, np.int8),
        tuple(f"v{i:03d}" for i in range(n)),
        tuple(f"item {i}" for i in range(ITEMS)),
    )
    return Consultation(
        ids=tuple(range(n)),
        texts=tuple(f"text {i}" for i in range(n)),
        words=np.full(n, 12, np.int64),
        author=np.arange(n),
        authors=tuple(f"v{i:03d}" for i in range(n)),
        question=np.zeros(n, np.int64),
        questions=("one",),
        stance=np.full(n, 2, np.int8),
        time=np.full(n, np.nan),
        votes=votes,
    )


def test_a_script_is_found_with_its_accounts_and_what_they_wrote() -> None:
    c = town(script=20, deviating=0.05)
    found = vote_candidates(c, threads=1)
    best = found[0]
    assert best.kind == "votes" and best.found_by == "votes" and best.voters is not None
    held = set(best.voters.tolist()) & set(range(PEOPLE, PEOPLE + 20))
    assert len(held) >= 18 and len(best.voters) <= 22
    assert best.rows.tolist() == best.voters.tolist()
    told = votes_channel(c, found, threads=1)[0]
    assert told.p is not None and told.p < 1e-3
    assert told.effect["agreement_mean"] > told.effect["agreement_mean_expected"]
    items = told.details["items"]
    assert isinstance(items, list) and items[0]["members"] <= items[0]["voted"]


@pytest.mark.parametrize("seed", range(6))
def test_opinions_alone_are_no_script(seed: int) -> None:
    c = town(seed=seed)
    told = votes_channel(c, vote_candidates(c, threads=1), threads=1)
    assert all(one.p is not None and one.p > 0.01 for one in told)


def test_threads_change_nothing() -> None:
    c = town(script=12)
    again = replace(c, votes=replace(c.votes) if c.votes else None)
    one, two = vote_candidates(c, threads=1), vote_candidates(again, threads=3)
    assert [x.voters.tolist() for x in one if x.voters is not None] == [
        x.voters.tolist() for x in two if x.voters is not None
    ]


def test_authors_of_a_wording_are_compared_with_others_who_vote_as_much() -> None:
    c = town(script=20, deviating=0.05)
    mine = Candidate(np.arange(PEOPLE, PEOPLE + 20), 20, PEOPLE, "template")
    few = Candidate(np.arange(3), 3, 0, "template")
    together, none = votes_channel(c, [mine, few], threads=2)
    assert together.p == 1 / 200
    assert none.p is None and none.why_not == "too-few"


def test_without_votes_nothing_is_looked_for() -> None:
    c = replace(town(), votes=None)
    assert vote_candidates(c, threads=1) == []
    told = votes_channel(c, [Candidate(np.arange(9), 9, 0, "template")], threads=1)
    assert told[0].why_not == "no-votes"


def test_a_group_is_less_likely_the_larger_it_is_and_the_smaller_the_others_are() -> None:
    by_size = [size_p(500.0, size, [2, 2, 3]) for size in (5, 10, 20)]
    assert by_size == sorted(by_size, reverse=True)
    assert size_p(500.0, 10, [9, 9, 9]) > size_p(500.0, 10, [2, 2, 2])
    assert size_p(4.0, 40, []) == pytest.approx(np.exp(-4.0))


def test_random_authors_seldom_seem_to_act_together() -> None:
    c = town(seed=3)
    random = np.random.default_rng(4)
    groups = [
        Candidate(np.sort(random.choice(np.arange(camp, PEOPLE, 2), 12, replace=False)), 12, camp, "template")
        for camp in (0, 1)
        for _ in range(12)
    ]
    ps = [one.p for one in votes_channel(c, groups, threads=2)]
    assert sum(p is not None and p <= 0.05 for p in ps) <= 5
