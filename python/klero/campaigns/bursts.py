"""When did a question receive far more contributions than everybody else's timing explains?

For each stratum, the scan statistic of Kulldorff (1997) for events among all events: of the N dated voices, n belong to the stratum; a window that begins and
ends with one of them holds c of them among u of all. Its log likelihood ratio is that of two shares, c/u inside and (n−c)/(N−u) outside, against one.

Guarantees: given the moments at which anybody wrote, the chance that *any* window of *any* stratum reaches a ratio of x is at most N²/2 · exp(−x): no
permutations are needed, and the search over windows and strata is paid for. Windows that begin at one moment and hold c voices of the stratum are nested, so
the chance of each such set is one hypergeometric tail, and the sum of these over moments, c ≤ min(n/2, 256) and strata is below a seventh of that number
(exact sums for N from 50 to 100,000 and n from 20; a part of them is in the tests). Not guaranteed: that a burst means anything. Questions open at some hour
and are in the news on some day, so bursts are only *where texts are compared*, never a reason by themselves.
Cost: O(n · 256) a stratum, for each size of windows; they hold at most half of it and 256 voices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from klero.campaigns.model import Consultation, Floats, Ints
from klero.campaigns.strata import Stratum

__all__ = ["LEAST", "LEVEL", "Burst", "bursts_of", "window_p"]

_LONGEST = (64, 256)  # voices of a window, at most
_MOST = 2  # bursts of a stratum of each of these sizes
LEVEL = 0.05  # p-value above which a burst is not looked into
LEAST = 5
"""Voices of a burst, at least."""


@dataclass(frozen=True, eq=False)
class Burst:
    """A window of a stratum with more voices than the timing of all explains.

    Attributes:
        stratum: number of its stratum.
        members: places in the stratum's rows, ascending.
        start, end: of the window, in seconds since 1970.
        ratio: log likelihood ratio.
        p: bound of the probability that any window of any stratum reaches it.
        everybody: voices of the whole consultation inside.
        expected: voices of the stratum that its share outside would put there.
    """

    stratum: int
    members: Ints
    start: float
    end: float
    ratio: float
    p: float
    everybody: int
    expected: float


def bursts_of(c: Consultation, strata: list[Stratum]) -> list[Burst]:
    """The bursts of all strata, in the order of the strata, of their longest size and of their ratio; of two that share half of their voices, the first."""
    moments = np.sort(c.time[~np.isnan(c.time)])
    if len(moments) < 2 or moments[0] == moments[-1]:
        return []
    found = []
    for number, stratum in enumerate(strata):
        times = c.time[stratum.rows]
        dated = np.flatnonzero(~np.isnan(times))
        kept: list[Burst] = []
        # A wide window swallows a narrow one that is far more striking: each size is searched by itself.
        for longest in _LONGEST:
            for burst in _of_size(number, times, dated, moments, longest):
                if not any(_same(burst, other) for other in kept):
                    kept.append(burst)
        found += kept
    return found


def _of_size(number: int, times: Floats, dated: Ints, moments: Floats, longest: int) -> list[Burst]:
    found: list[Burst] = []
    left = dated
    for _ in range(_MOST):
        best = _best(times[left], moments, min(len(left) // 2, longest))
        if best is None:
            break
        first, last, ratio, everybody = best
        p = _bound(ratio, len(moments))
        if p > LEVEL:
            break
        members = left[first : last + 1]
        share = (len(left) - len(members)) / max(1, len(moments) - everybody)
        start, end = float(times[members[0]]), float(times[members[-1]])
        found.append(Burst(number, members, start, end, ratio, p, everybody, share * everybody))
        left = np.concatenate([left[:first], left[last + 1 :]])
    return found


def _same(one: Burst, other: Burst) -> bool:
    shared = np.isin(one.members, other.members).sum()
    return bool(2 * shared >= len(np.union1d(one.members, other.members)))


def _best(times: Floats, moments: Floats, most: int) -> tuple[int, int, float, int] | None:
    """The window with the largest ratio: its first and last place, the ratio, and how many of all moments it holds."""
    n, everybody = len(times), len(moments)
    if n < 2 * LEAST:
        return None
    before = np.searchsorted(moments, times, "left")
    after = np.searchsorted(moments, times, "right")
    best: tuple[int, int, float, int] | None = None
    for size in range(LEAST, most + 1):
        inside = after[size - 1 :] - before[: n - size + 1]
        ratios = _ratios(size, inside, n, everybody)
        place = int(np.argmax(ratios))
        if best is None or ratios[place] > best[2]:
            best = (place, place + size - 1, float(ratios[place]), int(inside[place]))
    return best if best is not None and best[2] > 0 else None


def window_p(members: int, everybody: int, n: int, total: int) -> float:
    """The bound for a window with so many voices of a stratum of n among so many of all `total`."""
    return _bound(float(_ratios(members, np.array([everybody]), n, total)[0]), total)


def _bound(ratio: float, total: int) -> float:
    return min(1.0, 0.5 * total**2 * math.exp(-min(ratio, 700.0)))


def _ratios(c: int, u: Ints, n: int, everybody: int) -> Floats:
    inside, outside = c / u, (n - c) / np.maximum(everybody - u, 1)
    whole = _entropy(np.array([n]), np.array([everybody]))[0]
    ratios = (
        _entropy(np.full(len(u), c), u)
        + _entropy(np.full(len(u), n - c), np.maximum(everybody - u, 1))
        - whole
    )
    # Rounded, so that the last digits of a logarithm decide nothing between two windows.
    return np.asarray(np.round(np.where(inside > outside, ratios, 0.0), 9), np.float64)


def _entropy(hits: Ints, trials: Ints) -> Floats:
    """Log likelihood of a share at its best: hits ln(hits/trials) + misses ln(misses/trials)."""
    hits, misses = (
        np.minimum(hits, trials).astype(np.float64),
        np.maximum(trials - hits, 0).astype(np.float64),
    )
    total = np.maximum(trials, 1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(hits > 0, hits * np.log(hits / total), 0.0) + np.where(
            misses > 0, misses * np.log(misses / total), 0.0
        )
    return np.asarray(parts, np.float64)
