"""Times of groups: the kernel against every window of every null group; calibration; power; and what breaks such tests."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns_timing_oracle import (
    besag_clifford,
    greenwood,
    group,
    independent,
    null_groups,
    pace,
    scan,
    three_weeks,
    written,
)
from klero import _native
from klero.campaigns.model import Candidate, Channel, Consultation
from klero.campaigns.timing import LEAST, time_channel
from klero.campaigns.timing_pools import Board
from klero.campaigns.timing_usual import inflation, usual_groups

HOUR = 3600.0


def channel(c: Consultation, *candidates: Candidate, threads: int = 2) -> Channel:
    return time_channel(c, candidates, threads=threads, progress=None)[0]


def p_of(c: Consultation, rows: object) -> float:
    p = channel(c, group(rows)).p  # type: ignore[arg-type]
    assert p is not None
    return p


def u32(values: object) -> np.ndarray:
    return np.array(values, np.uint32)


# The kernel against the oracle


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_the_kernel_says_what_all_windows_of_all_null_groups_say(data: st.DataObject) -> None:
    n = data.draw(st.integers(12, 24))
    moments = data.draw(st.integers(3, 9))
    moment = data.draw(st.lists(st.integers(0, moments - 1), min_size=n, max_size=n))
    voice = data.draw(st.lists(st.integers(0, n), min_size=n, max_size=n))
    cut = data.draw(st.integers(4, n - 4))
    parts = []
    seen: set[int] = set()
    for pool in (list(range(cut)), list(range(cut, n))):
        members = []
        for row in pool[: data.draw(st.integers(1, min(8, len(pool))))]:
            if voice[row] not in seen:
                seen.add(voice[row])
                members.append(row)
        if members:
            parts.append((pool, members))
    seconds = np.cumsum(np.arange(1.0, moments + 1))
    seed, key, most = data.draw(st.integers(0, 2**64 - 1)), data.draw(st.integers(0, 2**64 - 1)), 30
    [(tests, window, halves, _)] = _native.campaigns_time(
        u32(moment),
        u32(voice),
        seconds,
        [u32(pool) for pool, _ in parts],
        [(key, [(i, u32(members)) for i, (_, members) in enumerate(parts)])],
        most=most,
        seed=seed,
        threads=1,
    )
    own = sorted(moment[row] for _, members in parts for row in members)
    nulls = null_groups(moment, voice, parts, seed, key, most)
    measures = (
        (lambda at: scan(at, moment, parts), 1),
        (lambda at: pace(at, moment, parts), -1),
        (lambda at: greenwood([float(seconds[i]) for i in at]), -1),
    )
    for (observed, p, count, exceed, exact, draws), (measure, sign) in zip(tests, measures, strict=True):
        wanted = besag_clifford(measure(own), [measure(null) for null in nulls], sign)
        if sign < 0:
            free = besag_clifford(measure(own), independent(len(own) - 1, seed, key, most), sign)
            wanted = max(wanted, free, key=lambda one: one.p)
        assert observed == pytest.approx(wanted.observed, abs=1e-6)
        assert np.frombuffer(draws) == pytest.approx(wanted.draws, abs=1e-6)
        # Members' shares of operational time are rounded to 2⁻³², so that ties can come out otherwise where pools differ in size.
        ties = sum(abs(value - wanted.observed) < 1e-6 for value in wanted.draws)
        assert count == wanted.count and abs(exceed - wanted.exceed) <= ties
        assert exact or p == pytest.approx((exceed + 1) / (count + 1))
    half = -(-len(own) // 2)
    spans = [seconds[b] - seconds[a] for a, b in zip(own, own[half - 1 :], strict=False)]
    assert halves[0] == pytest.approx(min(spans))
    assert window[0] <= window[1]


def test_a_test_stops_once_twenty_null_groups_are_as_extreme() -> None:
    rng = np.random.default_rng(3)
    moment = u32(np.arange(200))
    for rows in (rng.choice(200, 8, replace=False), np.array([3, 4, 5, 60, 99, 120, 150, 180])):
        [(tests, *_)] = _native.campaigns_time(
            moment,
            moment,
            np.arange(200.0),
            [moment],
            [(1, [(0, u32(rows))])],
            most=20_000,
            seed=1,
            threads=1,
        )
        for _, p, count, exceed, exact, draws in tests:
            assert len(draws) == 8 * min(count, 999)
            if exact:
                continue
            assert 999 <= count <= 20_000
            if 999 < count < 20_000:
                assert exceed == 20 and p == 20 / count
            else:
                assert p == (exceed + 1) / (count + 1)


def test_the_bound_is_no_smaller_than_the_share_of_null_groups() -> None:
    rng = np.random.default_rng(8)
    checked = 0
    for size in (5, 6, 8, 12):
        for _ in range(12):
            n = int(rng.integers(30, 60))
            start = int(rng.integers(0, n - size))
            rows = np.unique(np.r_[start : start + size - 1, rng.integers(0, n)])
            moment = u32(np.arange(n) // int(rng.integers(1, 3)))
            [(tests, _, _, bound)] = _native.campaigns_time(
                moment, u32(np.arange(n)), np.arange(n / 1.0)[: int(moment.max()) + 1].copy(), [u32(np.arange(n))],
                [(1, [(0, u32(rows))])], most=20_000, seed=1, threads=2,
            )  # fmt: skip
            _, _, count, exceed, exact, _ = tests[0]
            if not exact and exceed >= 10:
                checked += 1
                assert bound >= exceed / count * 0.5
            elif exact:
                assert exceed == 0
    assert checked > 10


def test_what_is_not_there_is_refused() -> None:
    one = u32([0, 1, 2])
    for pools, groups in (
        ([one], [(1, [(1, one)])]),
        ([u32([0, 9])], [(1, [(0, u32([0]))])]),
        ([one], [(1, [(0, u32([]))])]),
        ([one], [(1, [])]),
    ):
        with pytest.raises(ValueError, match="not there"):
            _native.campaigns_time(one, one, np.arange(3.0), pools, groups, most=99, seed=1, threads=1)
    with pytest.raises(ValueError, match="32 bits"):
        _native.campaigns_time(b"abc", one, np.arange(3.0), [], [], most=99, seed=1, threads=1)


# Calibration


@pytest.mark.parametrize("unit", [1.0, HOUR, 86400.0])
def test_groups_drawn_at_random_have_p_values_as_they_should(unit: float) -> None:
    """Also where times are hours or dates: ties of hundreds."""
    rng = np.random.default_rng(11)
    times = np.floor(three_weeks(600, rng) / unit) * unit
    c = written(times.tolist(), questions=rng.integers(0, 4, 600).tolist())
    groups = [group(rng.choice(600, int(rng.integers(5, 30)), replace=False)) for _ in range(300)]
    ps = np.array([one.p for one in time_channel(c, groups, threads=2, progress=None)], np.float64)
    # Binomial with 300 trials: four standard deviations above the level. Bonferroni, and dates that leave no pace, make them cautious, not idle.
    for level in (0.01, 0.05, 0.2):
        assert (ps <= level).mean() <= level + 4 * np.sqrt(level * (1 - level) / 300)
    assert (ps <= 0.5).mean() > 0.1


def test_a_question_that_opens_late_and_a_rush_at_the_end_are_in_the_null_groups_too() -> None:
    rng = np.random.default_rng(4)
    late = 1_772_000_000 + 15 * 86400 + rng.exponential(20 * HOUR, 300)
    times = np.concatenate([three_weeks(2000, rng, rush=0.6), late])
    questions = [0] * 2000 + [1] * 300
    c = written(times.tolist(), questions=questions)
    rush = np.flatnonzero(times[:2000] >= 1_772_000_000 + 20 * 86400)
    last = [group(rng.choice(2000, 30, replace=False)) for _ in range(40)]
    opened = [group(rng.choice(np.arange(2000, 2300), 30, replace=False)) for _ in range(40)]
    told = time_channel(c, last + opened, threads=2, progress=None)
    assert min(one.p for one in told if one.p is not None) > 1e-3
    assert len(rush) > 1000
    # Without the question, the late one would look like a campaign.
    assert p_of(written(times.tolist()), opened[0].rows) < 1e-3


def news(rng: np.random.Generator) -> tuple[Consultation, np.ndarray]:
    """Three weeks of one question, and 150 people who all write about one event on the day of it; the first twenty of them are looked at."""
    times = np.concatenate(
        [three_weeks(1500, rng), 1_772_000_000 + 9.5 * 86400 + rng.exponential(5 * HOUR, 150)]
    )
    vectors = rng.normal(size=(1650, 16))
    vectors[1500:, 0] += 9.0
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    return written(times.tolist(), vectors=vectors.astype(np.float32)), np.arange(1500, 1520)


def test_a_burst_of_news_is_compared_with_the_news() -> None:
    c, rows = news(np.random.default_rng(6))
    told = channel(c, group(rows, 1500))
    assert told.p is not None and told.p > 0.01
    assert told.details["conditioned"] == ["question", "subject"]
    blind = channel(dataclasses.replace(c, vectors=None), group(rows, 1500))
    assert blind.p is not None and blind.p < 1e-6
    assert blind.details["conditioned"] == ["question"] and blind.details["inflation"] is None


def test_what_is_usual_here_is_taken_off() -> None:
    """Subjects that come and go in a week each, and no questions: texts on one subject are near in time for no other reason."""
    rng = np.random.default_rng(7)
    subject = rng.integers(0, 12, 1200)
    times = 1_772_000_000 + subject * 7 * 86400 + rng.exponential(2 * 86400, 1200)
    vectors = np.eye(12)[subject] + rng.normal(size=(1200, 12)) * 0.25
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    c = written(times.tolist(), vectors=vectors.astype(np.float32))
    board = Board(c)
    rows = np.flatnonzero(subject == 3)[:60]
    told = channel(c, group(rows, int(rows[0])))
    assert isinstance(told.details["inflation"], float) and told.details["inflation"] > 1.2
    assert told.p is not None and told.p > 1e-3
    found = usual_groups(board, [(8, True)], np.flatnonzero(subject < 6))
    assert len(found[8, True]) == 200
    for one in found[8, True]:
        assert one.voices == 8 and (subject[one.members] >= 6).all()


def test_inflation_is_one_for_fair_p_values_and_never_below() -> None:
    fair = np.arange(1, 201) / 200
    assert inflation(fair) == 1.0
    assert inflation(np.sqrt(fair)) == 1.0
    assert inflation(fair**3) == pytest.approx(3.0)


# Power


def consultation_with(planted: np.ndarray, seed: int) -> tuple[Consultation, np.ndarray]:
    rng = np.random.default_rng(seed)
    times = np.concatenate([three_weeks(3800, rng), planted])
    vectors = rng.normal(size=(len(times), 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1)[:, None]
    questions = rng.integers(0, 5, len(times))
    return written(times.tolist(), questions=questions.tolist(), vectors=vectors), np.arange(3800, len(times))


@pytest.mark.parametrize("seed", range(3))
def test_forty_in_six_hours_ten_in_two_and_a_drip_of_thirty_are_seen(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    start = 1_772_000_000 + float(rng.uniform(1, 19)) * 86400
    for planted in (
        start + rng.uniform(0, 6 * HOUR, 40),
        start + rng.uniform(0, 2 * HOUR, 10),
        1_772_000_000 + (np.arange(30) + rng.uniform(-0.05, 0.05, 30) + 0.5) * 21 * 86400 / 30,
    ):
        c, rows = consultation_with(planted, seed)
        told = channel(c, group(rows, int(rows[0])))
        assert told.p is not None and told.p <= 1e-4, told.nulls
        if len(rows) == 40:
            assert told.effect["hours_of_half"] < 6 < told.effect["hours_of_half_expected"]
            assert int(told.effect["window_members"]) >= 36 and told.details["members"] == 40
        if len(rows) == 30:
            assert told.effect["gap_evenness"] > 0.95 > 0.8 > told.effect["gap_evenness_expected"]


def test_a_group_that_is_most_of_its_question_is_seen_beside_the_few_others() -> None:
    rng = np.random.default_rng(2)
    times = np.concatenate(
        [three_weeks(400, rng), three_weeks(12, rng, rush=0.1), 1_772_500_000 + rng.uniform(0, 6 * HOUR, 40)]
    )
    c = written(times.tolist(), questions=[0] * 400 + [1] * 52)
    assert p_of(c, np.arange(412, 452)) <= 1e-4


def test_a_drip_that_keeps_the_hours_of_others_is_even_in_operational_time() -> None:
    rng = np.random.default_rng(12)
    times = np.sort(three_weeks(2000, rng))
    every = np.arange(20, 2000, 66)
    told = channel(written(times.tolist()), group(every))
    by_name = {null.statistic: null for null in told.nulls}
    assert by_name["evenness-of-pace"].exceed == 0 and told.p is not None and told.p <= 1e-4


# What breaks such tests


def test_who_posts_ten_in_a_row_is_one_voice() -> None:
    rng = np.random.default_rng(5)
    times = np.concatenate([three_weeks(500, rng), 1_772_300_000 + np.arange(10) * 60.0])
    authors = [*range(500), *[500] * 10]
    c = written(times.tolist(), authors=authors)
    told = channel(c, group([3, 77, 160, 290, 401, *range(500, 510)]))
    assert told.p is not None and told.p > 0.01 and told.details["members"] == 6
    assert channel(c, group(range(500, 510))).why_not == "too-few"


def test_nobody_is_drawn_twice_or_beside_themselves() -> None:
    rng = np.random.default_rng(9)
    c = written(
        three_weeks(300, rng).tolist(),
        authors=rng.integers(0, 90, 300).tolist(),
        questions=rng.integers(0, 3, 300).tolist(),
        stances=rng.integers(-1, 2, 300).tolist(),
    )
    rows = np.sort(rng.choice(300, 40, replace=False))
    found = Board(c).tested(rows, None)
    members = found.members
    assert len(set(c.author[members].tolist())) == len(members) == found.voices
    for part in found.parts:
        others = np.setdiff1d(part.pool, part.members)
        assert len(set(c.author[part.pool].tolist())) == len(part.pool)
        assert not set(c.author[others].tolist()) & set(c.author[part.members].tolist())
        assert not np.isin(others, rows).any()
        assert len({int(c.question[row]) for row in part.pool}) == 1
        assert not part.stance or len({int(c.stance[row]) for row in part.pool}) == 1


def test_reasons_why_a_group_is_not_tested() -> None:
    nan = float("nan")
    rows = list(range(6))
    assert channel(written([nan] * 20), group(rows)).why_not == "no-time"
    assert channel(written([nan] * 10 + [5.0, 9.0] * 5), group(rows)).why_not == "no-time"
    assert channel(written([7.0] * 20), group(rows)).why_not == "constant-time"
    assert channel(written([float(i) for i in range(20)]), group(rows[:4])).why_not == "too-few"
    assert channel(written([1.0, 2.0, 3.0, 4.0, nan, nan] + [5.0] * 9), group(rows)).why_not == "too-few"
    # A question of which the group is all, and one where nobody ever wrote at another time.
    own = written([float(i) for i in range(40)], questions=[1] * 6 + [0] * 34)
    assert channel(own, group(rows)).why_not == "no-room"
    still = written([3.0] * 20 + [float(i) for i in range(20)], questions=[1] * 20 + [0] * 20)
    assert channel(still, group(rows)).why_not == "constant-time"
    burst = dataclasses.replace(group(rows), found_by="time")
    assert channel(own, burst).why_not == "same-selection"
    assert time_channel(own, [], threads=1, progress=None) == []
    assert LEAST == 5


def test_questions_that_one_account_alone_answered_are_compared_with_each_other() -> None:
    """Each contribution under a title of its own, as proposals are."""
    rng = np.random.default_rng(1)
    times = np.concatenate([three_weeks(300, rng), 1_772_700_000 + rng.uniform(0, HOUR, 12)])
    c = written(times.tolist(), questions=list(range(312)))
    assert p_of(c, np.arange(300, 312)) <= 1e-4
    assert p_of(c, rng.choice(300, 12, replace=False)) > 0.01


def test_members_without_a_time_are_left_out_and_said() -> None:
    rng = np.random.default_rng(3)
    times = three_weeks(200, rng)
    times[[1, 2, 3]] = np.nan
    told = channel(written(times.tolist()), group(range(12)))
    assert told.details["members"] == 9 and told.details["others"] == 188
    axis = told.details["axis"]
    assert isinstance(axis, dict) and sum(axis["members"]) == 9 and sum(axis["others"]) == 188


def test_of_a_very_large_group_some_are_looked_at_and_the_rest_is_nobodys_null() -> None:
    rng = np.random.default_rng(3)
    times = np.concatenate([three_weeks(900, rng), 1_772_400_000 + rng.uniform(0, 3 * HOUR, 600)])
    c = written(times.tolist())
    found = Board(c).tested(np.arange(900, 1500), None)
    assert found.voices == 256 and found.dated == 600 and len(found.parts[0].pool) == 256 + 900
    told = channel(c, group(np.arange(900, 1500)))
    assert told.p is not None and told.p < 1e-12 and told.nulls[0].tail == "exact"


# The same bytes


def told(one: Channel) -> tuple[object, ...]:
    return (
        one.p,
        dict(one.effect),
        [dataclasses.astuple(null) for null in one.nulls],
        str(one.details),
        one.why_not,
    )


def test_nothing_depends_on_threads_or_on_which_other_groups_are_tested() -> None:
    rng = np.random.default_rng(21)
    c, rows = consultation_with(1_772_500_000 + rng.uniform(0, 20 * HOUR, 12), 3)
    groups = [group(rows, int(rows[0]))] + [group(rng.choice(3000, 9, replace=False), 5) for _ in range(6)]
    one, many = (time_channel(c, groups, threads=threads, progress=None) for threads in (1, 3))
    assert [told(x) for x in one] == [told(x) for x in many]
    bare = dataclasses.replace(c, vectors=None)
    alone = time_channel(bare, groups[:1], threads=1, progress=None)
    among = time_channel(bare, groups, threads=2, progress=None)
    assert told(alone[0]) == told(among[0])
    other = time_channel(dataclasses.replace(bare, seed=1), groups, threads=2, progress=None)
    assert [told(x) for x in other] != [told(x) for x in among]


def test_later_by_a_constant_changes_no_probability() -> None:
    rng = np.random.default_rng(31)
    times = three_weeks(300, rng)
    rows = rng.choice(300, 14, replace=False)
    first, second = (channel(written((times + shift).tolist()), group(rows)) for shift in (0.0, 5e7))
    assert first.p == second.p and first.effect == second.effect


def test_progress_is_told_and_may_stop_everything() -> None:
    c = written(np.random.default_rng(0).uniform(0, 1e6, 3000).tolist())

    def stop(step: str, done: int) -> None:
        raise KeyError(step)

    rows = np.random.default_rng(1).choice(3000, 250, replace=False)
    c.time[rows] = np.linspace(0, 1e6, 250)
    with pytest.raises(KeyError, match="timing"):
        time_channel(c, [group(rows)] * 40, threads=1, progress=stop)
