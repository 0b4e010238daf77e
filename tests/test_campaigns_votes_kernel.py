"""The evidence for a script, against a slow and obvious count of it."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from klero._native import campaigns_script_of, campaigns_scripts

GRID = (
    0.03,
    0.1,
    0.2,
    0.3,
)  # shares of votes that follow no script, as in rust/core/src/campaigns/surprise.rs
MISSING = -1

Table = npt.NDArray[np.int64]


def table(seed: int, voters: int = 14, items: int = 9) -> Table:
    """Choices 0, 1, 2 or missing; the first four voters lean to one list of votes."""
    random = np.random.default_rng(seed)
    votes = random.integers(0, 3, (voters, items))
    told = random.integers(0, 3, items)
    follow = random.random((4, items)) < 0.8
    votes[:4] = np.where(follow, told, votes[:4])
    votes[random.random((voters, items)) < 0.3] = MISSING
    return votes


def columns(
    votes: Table,
) -> tuple[tuple[int, int], npt.NDArray[np.uint32], npt.NDArray[np.uint32], npt.NDArray[np.uint8]]:
    voter, item = np.nonzero(votes != MISSING)
    shape = (votes.shape[0], votes.shape[1])
    return shape, voter.astype(np.uint32), item.astype(np.uint32), votes[voter, item].astype(np.uint8)


def rates_of(votes: Table, out: list[int]) -> npt.NDArray[np.float64]:
    """Shares of each choice on each item among the others: three votes as all have them are added, and one for each choice to all of these."""
    rest = np.delete(votes, out, axis=0)
    counts = np.array(
        [[(rest[:, item] == choice).sum() for choice in range(3)] for item in range(votes.shape[1])], float
    )
    base = (counts.sum(axis=0) + 1) / (counts.sum() + 3)
    return (counts + 3 * base) / (counts.sum(axis=1, keepdims=True) + 3)


def tilted(leaning: npt.NDArray[np.float64], rates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    product = leaning * rates
    return np.asarray(product / product.sum(axis=-1, keepdims=True))


def chances_of(row: npt.NDArray[np.int64], rates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The probabilities of a voter's votes: the rates, tilted until the voter's own counts are met, one vote as usual added."""
    voted = np.flatnonzero(row != MISSING)
    own = np.array([(row[voted] == choice).sum() for choice in range(3)], float)
    usual = rates[voted].sum(axis=0) / rates[voted].sum()
    leaning = np.ones(3)
    for _ in range(6):
        given = tilted(leaning, rates[voted]).sum(axis=0)
        leaning = leaning * (own + usual) / (given + tilted(leaning, usual))
        leaning = np.maximum(leaning / leaning.max(), 1e-4)
    return tilted(leaning, rates)


def evidence_of(votes: Table, group: list[int], rates: npt.NDArray[np.float64], deviating: float) -> float:
    """ln of the quotient, summed over everything that a script might say."""
    chances = {voter: chances_of(votes[voter], rates) for voter in group}
    total = 0.0
    for item in range(votes.shape[1]):
        voted = [voter for voter in group if votes[voter, item] != MISSING]
        quotient = 0.0
        for told in range(3):
            factor = rates[item, told]
            for voter in voted:
                choice = votes[voter, item]
                follows = (1 - deviating) / chances[voter][item, choice] if choice == told else 0.0
                factor *= follows + deviating
            quotient += factor
        total += math.log(quotient) if voted else 0.0
    return total


@pytest.mark.parametrize("seed", range(8))
def test_the_evidence_is_the_slow_one(seed: int) -> None:
    votes, group = table(seed), [0, 1, 2, 3]
    ((members, evidence, own, deviating),) = campaigns_script_of(*columns(votes), [group], cells=1, threads=1)
    rates = rates_of(votes, group)
    slow = {share: evidence_of(votes, group, rates, share) for share in GRID}
    assert members == group
    assert evidence == pytest.approx(max(slow.values()) - math.log(len(GRID)), abs=1e-9)
    assert slow[deviating] == pytest.approx(max(slow.values()), abs=1e-9)
    for voter, value in zip(group, own, strict=True):
        # A member's own evidence is what the quotient loses without it, by the same rates.
        without = evidence_of(votes, [other for other in group if other != voter], rates, deviating)
        assert value == pytest.approx(slow[deviating] - without, abs=1e-9)


def test_who_says_yes_to_everything_is_no_surprise() -> None:
    random = np.random.default_rng(5)
    votes = random.integers(0, 3, (60, 30))
    alike = votes.copy()
    votes[:8] = 2
    told = random.integers(0, 3, 30)
    alike[:8] = told
    yes, script = (
        campaigns_script_of(*columns(one), [list(range(8))], cells=1, threads=1)[0][1]
        for one in (votes, alike)
    )
    assert yes < 20 < 100 < script


def test_the_order_of_votes_and_the_threads_change_nothing() -> None:
    votes = table(3, voters=60, items=40)
    shape, voter, item, choice = columns(votes)
    order = np.random.default_rng(1).permutation(len(voter))
    one = campaigns_scripts(shape, voter, item, choice, cells=16, threads=1)
    other = campaigns_scripts(shape, voter[order], item[order], choice[order], cells=16, threads=3)
    assert one == other and one[0]
