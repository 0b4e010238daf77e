"""The tests of timing again, slowly: every window of every null group, in plain Python; and consultations to test with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from klero.campaigns.model import Candidate, Consultation

MASK = 2**64 - 1
FIRST, ENOUGH, BLOCK = 999, 20, 1000


def mixed(z: int) -> int:
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def stream(seed: int, key: int, number: int) -> int:
    return mixed(seed ^ mixed(key ^ mixed(number // BLOCK)))


class Random:
    """SplitMix64, and numbers below n by rejection."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def bits(self) -> int:
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        return mixed(self.state)

    def below(self, n: int) -> int:
        while True:
            x = self.bits()
            if x < MASK - MASK % n:
                return x % n


Parts = Sequence[tuple[Sequence[int], Sequence[int]]]
"""Pools and members, as rows."""


@dataclass
class Told:
    """What a test says: the group's statistic, p, null groups, how many as extreme, and the first statistics, ascending."""

    observed: float
    p: float
    count: int
    exceed: int
    draws: list[float]


def null_groups(
    moment: Sequence[int], voice: Sequence[int], parts: Parts, seed: int, key: int, most: int
) -> list[list[int]]:
    """The moments of null groups, in the order of their draws."""
    drawn = []
    for number in range(most):
        if number % BLOCK == 0:
            random = Random(stream(seed, key, number))
            order = [list(pool) for pool, _ in parts]
        seen: set[int] = set()
        group: list[int] = []
        for rows, (_, members) in zip(order, parts, strict=True):
            wanted, at = len(group) + len(members), 0
            while len(group) < wanted and at < len(rows):
                pick = at + random.below(len(rows) - at)
                rows[at], rows[pick] = rows[pick], rows[at]
                if voice[rows[at]] not in seen:
                    seen.add(voice[rows[at]])
                    group.append(moment[rows[at]])
                at += 1
            group += [moment[row] for row in rows[: wanted - len(group)]]
        drawn.append(sorted(group))
    return drawn


def independent(gaps: int, seed: int, key: int, most: int) -> list[float]:
    """Greenwood's statistic of exponential gaps, in the order of their draws."""
    found = []
    for number in range(most):
        if number % BLOCK == 0:
            random = Random(stream(seed, key, number) ^ MASK)
        drawn = [-math.log(((random.bits() >> 11) + 1) / 2**53) for _ in range(gaps)]
        found.append(sum(gap**2 for gap in drawn) / sum(drawn) ** 2 if gaps else 1.0)
    return found


def scan(moments: Sequence[int], moment: Sequence[int], parts: Parts) -> float:
    """The largest log-likelihood ratio over all windows of moments: two shares against one."""
    m = sum(len(members) for _, members in parts)
    share = sum(len(members) ** 2 / len(pool) for pool, members in parts) / m
    everybody = m / share

    def log_likelihood(hits: float, trials: float) -> float:
        parts = (
            (hits, hits / trials if trials else 0.0),
            (trials - hits, (trials - hits) / trials if trials else 0.0),
        )
        return sum(n * math.log(p) for n, p in parts if n > 0 and p > 0)

    best = 0.0
    for first in range(max(moment) + 1):
        for last in range(first, max(moment) + 1):
            c = sum(first <= at <= last for at in moments)
            expected = sum(
                len(members) / len(pool) * sum(first <= moment[row] <= last for row in pool)
                for pool, members in parts
            )
            if (
                c < min(m, max(3, math.ceil(m / 8)))
                or c <= expected
                or expected > share * c + m * (1 - share) / 2 + 1e-9
            ):
                continue
            inside = expected / share
            ratio = (
                log_likelihood(c, inside)
                + log_likelihood(m - c, everybody - inside)
                - log_likelihood(m, everybody)
            )
            best = max(best, ratio)
    return best


def greenwood(moments: Sequence[float]) -> float:
    return of_gaps([after - before for before, after in pairwise(moments)])


def of_gaps(gaps: Sequence[float]) -> float:
    return sum(gap**2 for gap in gaps) / sum(gaps) ** 2 if sum(gaps) else 1.0


def pace(moments: Sequence[int], moment: Sequence[int], parts: Parts) -> float:
    """Evenness of gaps in members expected, less what a member adds itself."""
    m = sum(len(members) for _, members in parts)
    own = sum(len(members) ** 2 / len(pool) for pool, members in parts) / m
    middles = [
        sum(
            len(members) / len(pool) * sum((moment[row] < at) + (moment[row] == at) / 2 for row in pool)
            for pool, members in parts
        )
        for at in moments
    ]
    gaps = [after - before - own for before, after in pairwise(middles)]
    return of_gaps([gap if gap > 1e-9 else 0.0 for gap in gaps])


def besag_clifford(observed: float, nulls: Sequence[float], sign: int) -> Told:
    """Besag and Clifford's p, of a statistic that counts where it is large (sign 1) or small (-1)."""
    exceed, count = 0, 0
    for value in nulls:
        count += 1
        exceed += sign * (value - observed) >= -1e-9 * abs(observed)
        if count >= FIRST and exceed >= ENOUGH:
            break
    p = exceed / count if count > FIRST and exceed >= ENOUGH else (exceed + 1) / (count + 1)
    return Told(observed, p, count, exceed, sorted(nulls[: min(count, FIRST)]))


# Consultations


def written(
    times: Sequence[float],
    *,
    authors: Sequence[int] | None = None,
    questions: Sequence[int] | None = None,
    stances: Sequence[int] | None = None,
    vectors: np.ndarray | None = None,
    seed: int = 0,
) -> Consultation:
    """Contributions at these times, by default each of an account of its own and all of one question."""
    n = len(times)
    author = np.arange(n) if authors is None else np.array(authors)
    question = np.zeros(n, np.int64) if questions is None else np.array(questions)
    return Consultation(
        tuple(range(n)),
        ("…",) * n,
        np.full(n, 20),
        author,
        (None,) * (int(author.max(initial=-1)) + 1),
        question,
        tuple(f"Q{i}" for i in range(int(question.max(initial=-1)) + 1)),
        (np.zeros(n) if stances is None else np.array(stances)).astype(np.int8),
        np.array(times, np.float64),
        vectors,
        seed=seed,
    )


def group(rows: Sequence[int] | np.ndarray, centre: int = -1) -> Candidate:
    rows = np.sort(np.array(rows, np.int64))
    return Candidate(rows, len(rows), centre, "template")


def three_weeks(count: int, random: np.random.Generator, *, rush: float = 0.3) -> np.ndarray:
    """Times of people: by day more than by night, and many on the last day."""
    day = np.where(random.random(count) < rush, 20, random.integers(0, 21, count))
    hour = np.clip(random.normal(15, 4, count), 0, 23.99)
    return np.asarray(1_772_000_000 + day * 86400 + np.floor(hour * 3600))
