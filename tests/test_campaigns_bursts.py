"""Bursts of a question, and how alike their texts are: against slow versions that anybody can read."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero._native import CAMPAIGNS_LARGEST, campaigns_tightness
from klero.campaigns import bursts, limits, paraphrase, strata
from klero.campaigns.decision import Decision
from klero.campaigns.model import Consultation

DAY = 86400.0
NOBODY = np.empty(0, np.int64)


def consultation(
    question: list[int], time: list[float], vectors: np.ndarray | None = None, author: list[int] | None = None
) -> Consultation:
    n = len(question)
    numbers = np.array(author if author is not None else range(n), np.int64)
    return Consultation(
        ids=tuple(range(n)),
        texts=tuple(f"text {i}" for i in range(n)),
        words=np.full(n, 20, np.int64),
        author=numbers,
        authors=tuple(f"a{i}" for i in range(int(numbers.max()) + 1)),
        question=np.array(question, np.int64),
        questions=tuple(map(str, range(max(question) + 1))),
        stance=np.full(n, 2, np.int8),
        time=np.array(time, np.float64),
        vectors=vectors,
    )


def noisy(n: int, d: int = 24, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def planted(size: int = 20, likeness: float = 0.6, seed: int = 0) -> Consultation:
    """Six questions of eighty texts over thirty days, and a message of `size` texts in three hours on the first."""
    random = np.random.default_rng(seed)
    question = [i % 6 for i in range(480)] + [0] * size
    time = list(random.uniform(0, 30 * DAY, 480)) + list(12 * DAY + random.uniform(0, 3 * 3600, size))
    vectors = noisy(480 + size, seed=seed)
    vectors[480:] = math.sqrt(1 - likeness) * vectors[480:] + math.sqrt(likeness) * vectors[0]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return consultation(question, time, vectors)


def slow_ratio(c: int, u: int, n: int, total: int) -> float:
    def log(hits: int, trials: int) -> float:
        misses = trials - hits
        return sum(x * math.log(x / trials) for x in (hits, misses) if x > 0)

    if c / u <= (n - c) / max(total - u, 1):
        return 0.0
    return log(c, u) + log(n - c, total - u) - log(n, total)


@given(st.lists(st.integers(0, 60), min_size=10, max_size=24), st.lists(st.integers(0, 60), max_size=20))
@settings(max_examples=60, deadline=None)
def test_the_best_window_is_that_of_all_windows(mine: list[int], others: list[int]) -> None:
    times = np.sort(np.array(mine, np.float64))
    moments = np.sort(np.array(mine + others, np.float64))
    best = bursts._best(times, moments, len(times) // 2)
    slow = 0.0
    for first, last in itertools.combinations(range(len(times)), 2):
        if bursts.LEAST <= last - first + 1 <= len(times) // 2:
            u = int(((moments >= times[first]) & (moments <= times[last])).sum())
            slow = max(slow, slow_ratio(last - first + 1, u, len(times), len(moments)))
    assert (best[2] if best else 0.0) == pytest.approx(slow, abs=1e-8)


def test_the_bound_holds_where_questions_fall_as_they_please() -> None:
    random = np.random.default_rng(5)
    moments = np.sort(random.uniform(0, DAY, 200))
    reached = 0
    for _ in range(300):
        times = np.sort(random.choice(moments, 40, replace=False))
        best = bursts._best(times, moments, 20)
        reached += best is not None and bursts._bound(best[2], 200) <= 0.05
    assert reached <= 15 + 3 * math.sqrt(15)


def exact_chance(ratio: float, n: int, total: int) -> float:
    """How many windows of a stratum are expected to reach a ratio, whose voices fall as they please.

    Windows that begin at one moment and hold as many voices of it are nested: the widest that reaches the ratio holds them all.
    """
    expected = 0.0
    for c in range(bursts.LEAST, min(n // 2, 256) + 1):
        wide = [
            u
            for u in range(c, total - n + c + 1)
            if c * total > n * u and slow_ratio(c, u, n, total) >= ratio
        ]
        if wide:
            u = max(wide)
            ways = sum(math.comb(n, k) * math.comb(total - n, u - k) for k in range(c, min(n, u) + 1))
            expected += total * ways / math.comb(total, u)
    return expected


@pytest.mark.parametrize(("n", "total"), [(20, 60), (20, 240), (60, 120), (120, 240)])
def test_the_bound_is_above_what_is_expected_in_all_strata_together(n: int, total: int) -> None:
    for level in (0.05, 1e-6):
        ratio = math.log(0.5 * total**2 / level)
        assert bursts._bound(ratio, total) == pytest.approx(level)
        assert total / n * exact_chance(ratio, n, total) <= level / 4


def test_a_burst_is_found_and_its_texts_are_alike() -> None:
    c = planted()
    ground = paraphrase.ground_of(c, NOBODY, threads=1, progress=None)
    assert ground is not None
    candidates = paraphrase.paraphrase_candidates(c, ground)
    channels = paraphrase.paraphrase_channel(c, candidates, ground, threads=1, progress=None)
    held = [len(set(one.rows.tolist()) & set(range(480, 500))) for one in candidates]
    at = int(np.argmax(held))
    assert held[at] >= 18
    assert channels[at].p is not None and channels[at].p < 1e-3
    told = paraphrase.burst_time_channel(candidates, ground, channels)[at]
    assert told.name == "time" and told.p is not None and told.p < 0.05
    assert told.details["window_members"] == len(candidates[at].rows)
    kept = paraphrase.refined(ground, candidates[at])
    assert set(kept.rows.tolist()) <= set(candidates[at].rows.tolist())
    assert len(set(kept.rows.tolist()) & set(range(480, 500))) >= 18


def test_a_news_burst_of_independent_words_is_no_likeness() -> None:
    small = 0
    for seed in range(20):
        c = planted(likeness=0.0, seed=seed)
        ground = paraphrase.ground_of(c, NOBODY, threads=1, progress=None)
        assert ground is not None and ground.bursts
        candidates = paraphrase.paraphrase_candidates(c, ground)
        channels = paraphrase.paraphrase_channel(c, candidates, ground, threads=1, progress=None)
        small += any(one.p is not None and one.p <= 0.01 for one in channels)
    assert small <= 2


def test_threads_and_the_order_of_groups_change_nothing() -> None:
    c = planted()
    once, twice = (paraphrase.ground_of(c, NOBODY, threads=threads, progress=None) for threads in (1, 4))
    assert once is not None and twice is not None
    assert [x[:2] for x in once.usual] == [x[:2] for x in twice.usual]
    assert [(x.ratio, x.members.tolist()) for x in once.bursts] == [
        (x.ratio, x.members.tolist()) for x in twice.bursts
    ]


def test_an_account_is_one_voice_of_a_stratum() -> None:
    c = planted()
    same = replace(c, author=np.r_[np.arange(480), np.full(20, 480)])
    ground = paraphrase.ground_of(same, NOBODY, threads=1, progress=None)
    assert ground is not None
    for one in ground.strata:
        assert len(np.unique(same.author[one.rows])) == len(one.rows)
    assert all(len(set(range(480, 500)) & set(one.rows.tolist())) <= 1 for one in ground.strata)


@pytest.mark.parametrize("time", [[math.nan] * 500, [7.0] * 500])
def test_without_moments_there_is_no_burst(time: list[float]) -> None:
    c = replace(planted(), time=np.array(time))
    ground = paraphrase.ground_of(c, NOBODY, threads=1, progress=None)
    assert ground is not None and not ground.bursts


def test_without_vectors_nothing_is_compared() -> None:
    c = replace(planted(), vectors=None)
    assert paraphrase.ground_of(c, NOBODY, threads=1, progress=None) is None
    assert paraphrase.paraphrase_candidates(c, None) == []


def test_energies_are_those_of_plain_sums() -> None:
    random = np.random.default_rng(2)
    vectors = random.integers(-CAMPAIGNS_LARGEST, CAMPAIGNS_LARGEST, (30, 7)).astype(np.int16)
    members = [0, 3, 4, 11, 19]
    pool = ([*range(5, 25)], [i % 2 for i in range(20)])
    observed, drawn = campaigns_tightness(vectors, 7, [pool], [(0, members, 9)], 50, threads=2)
    chosen = vectors[np.array(members) + 5].astype(np.int64)
    products = chosen @ chosen.T
    assert np.frombuffer(observed, np.int64)[0] == products.sum() - np.trace(products)
    assert len(np.frombuffer(drawn, np.int64)) == 50
    with pytest.raises(ValueError, match="not there"):
        campaigns_tightness(vectors, 7, [pool], [(0, [99], 9)], 1, threads=1)


def test_the_tail_is_the_share_while_ten_blocks_reach_it_and_falls_beyond() -> None:
    usual = np.sort(np.random.default_rng(3).normal(size=400))
    assert paraphrase.tail_p(0.0, usual) == (int((usual >= 0).sum()) + 1) / 401
    beyond = [paraphrase.tail_p(x, usual) for x in (2.5, 3.0, 4.0, 6.0)]
    assert beyond == sorted(beyond, reverse=True)
    # The truth of a normal variable is below: the tail is on the safe side.
    assert all(
        p >= 0.5 * math.erfc(x / math.sqrt(2)) for p, x in zip(beyond, (2.5, 3.0, 4.0, 6.0), strict=True)
    )


@given(st.integers(40, 130), st.integers(0, 10_000))
@settings(max_examples=80, deadline=None)
def test_a_strength_that_few_blocks_reach_has_no_smaller_p_than_their_share_below_the_tail(
    count: int, seed: int
) -> None:
    usual = np.random.default_rng(seed).normal(size=count)
    start = np.quantile(usual, 0.9, method="higher")
    for strength in usual[usual <= start].tolist():
        assert paraphrase.tail_p(strength, usual) == (int((usual >= strength).sum()) + 1) / (count + 1)


def test_vectors_are_centred_by_question_as_plain_sums_say() -> None:
    c = planted()
    c = replace(c, time=np.where(np.arange(500) % 7 == 0, math.nan, c.time))
    groups = np.where(np.arange(500) % 11 == 0, -1, c.question)
    found = strata.centred(c, groups, CAMPAIGNS_LARGEST)
    assert c.vectors is not None and not found[groups < 0].any()
    for number in range(6):
        rows = np.flatnonzero(groups == number)
        days = [math.floor(c.time[row] / DAY) if c.time[row] == c.time[row] else f"of {row}" for row in rows]
        weights = np.array([1 / math.sqrt(days.count(day)) for day in days])
        moved = c.vectors[rows].astype(float) - (weights @ c.vectors[rows].astype(float)) / (
            weights.sum() + 5
        )
        moved /= np.linalg.norm(moved, axis=1, keepdims=True)
        assert np.abs(found[rows] - moved * CAMPAIGNS_LARGEST).max() <= 0.5 + 1e-6


def test_what_varies_more_than_chance_counts_less() -> None:
    calm = [(0.001 * (-1) ** i, 0.01) for i in range(100)]
    lively = [(0.03 * (-1) ** i, 0.01) for i in range(100)]
    assert paraphrase.strengths(calm)[1] == 0.0
    assert paraphrase.strengths(lively)[1] == pytest.approx(math.sqrt(0.03**2 - 0.01**2))


def test_questions_that_are_near_are_one_stratum_until_it_is_large() -> None:
    c = planted()
    found, groups = strata.strata_of(c, NOBODY, threads=1)
    assert all(len(one.rows) >= 80 for one in found)
    assert sorted(np.concatenate([one.rows for one in found]).tolist()) == list(range(500))
    assert (groups == c.question).all()


def test_blocks_of_a_groups_size_are_what_it_is_read_against() -> None:
    blocks = [(0.0, 1.0, np.arange(size)) for size in (8, 16, 32, 64) for _ in range(100)]
    assert {len(one[2]) for one in paraphrase.of_like_size(blocks, 20)} == {16, 32}
    assert {len(one[2]) for one in paraphrase.of_like_size(blocks, 300)} == {64}
    assert len(paraphrase.of_like_size(blocks[:50], 300)) == 50


def test_repeats_of_a_text_are_not_compared() -> None:
    c = planted()
    apart = np.arange(490, 500)
    ground = paraphrase.ground_of(c, apart, threads=1, progress=None)
    assert ground is not None
    assert all(not np.isin(one.rows, apart).any() for one in ground.strata)


def test_a_limit_is_a_size_that_half_of_the_trials_find() -> None:
    assert limits.least({5: 0.1, 10: 0.5, 20: 0.9, 40: 0.3}) == 10
    assert limits.least({5: 0.1, 10: 0.4}) is None
    c = planted()
    ground = paraphrase.ground_of(c, NOBODY, threads=1, progress=None)
    told = limits.detection_limits(
        c,
        ground,
        np.arange(480, 500),
        (),
        (),
        q=0.05,
        channels=("paraphrase", "time"),
        threads=1,
        progress=None,
    )
    assert [one.pattern for one in told] == ["paraphrase", "paraphrase-in-time"]
    assert told[0].size is None
    assert set(told[1].power) == set(limits.SIZES)
    assert told[1].power[40] > told[1].power[5]
    # Beside many groups that acts select, one more needs likelier texts; with too few blocks no group is tested, and none is said to be seen.
    busy = [Decision(0.9, 1e-9, 1.0, 1.0, False, "time-alone", False)] * 10_000
    assert ground is not None
    few = replace(ground, usual=ground.usual[: paraphrase.FEWEST_BLOCKS - 1])
    asked = {"q": 0.05, "channels": ("paraphrase", "time"), "threads": 1, "progress": None}
    crowded = limits.detection_limits(c, ground, NOBODY, (), busy, **asked)  # type: ignore[arg-type]
    untested = limits.detection_limits(c, few, NOBODY, (), (), **asked)  # type: ignore[arg-type]
    assert sum(crowded[1].power.values()) < sum(told[1].power.values())
    assert not any(untested[1].power.values()) and untested[1].size is None
