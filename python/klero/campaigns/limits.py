"""How large must a campaign be to be seen in *this* consultation?

A search that finds nothing says something only if it could have found something. So campaigns of growing size are planted and tested as the real groups are:

- «paraphrase-in-time»: m texts of new accounts within six hours, at a moment and on a question drawn as contributions come, as alike beyond their question as
  the paraphrases of a language model were found to be (`_LIKENESS`). Planted are vectors: texts of the same question, each moved towards one message. The
  burst must be striking in time and the texts alike, each at the level that one more group would need beside those that were tested.
- «copies», «template»: every text long enough is taken for the source once, and its members share all or half of what it tells (`klero.campaigns.template`).
- «paraphrase»: the same without time. It is not tested at any size, and the limit says so (see `klero.campaigns.paraphrase`).

Guarantees: seeded, the same for any thread count. Not guaranteed: that a campaign which hides better than a language model's paraphrases is seen at that size,
or one among many bystanders, whose texts are not in the trial.
Cost: `_TRIALS` trials a size, each with the draws of a group: about a second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from klero._native import CAMPAIGNS_LARGEST
from klero.campaigns.bursts import LEAST, LEVEL, window_p
from klero.campaigns.decision import ACTION, Decision, levels_of_one_more
from klero.campaigns.model import Candidate, Consultation, Ints
from klero.campaigns.paraphrase import (
    FEWEST_BLOCKS,
    Ground,
    Progress,
    of_like_size,
    planted_tightness,
    strengths,
    tail_p,
)
from klero.campaigns.result import DetectionLimit
from klero.themes.drawing import draws

__all__ = ["SIZES", "detection_limits"]

SIZES = (5, 10, 15, 20, 30, 40, 60, 80, 100)
"""Voices of the campaigns that are planted."""
_TRIALS = 40
_HOURS = 6.0
_LIKENESS = 0.65
"""Excess similarity of forty paraphrases by a language model over texts of their question, in standard deviations of the similarity of two texts there: 0.4
to 0.8 in six plants in a real consultation."""


def detection_limits(
    c: Consultation,
    ground: Ground | None,
    shown: Ints,
    candidates: Sequence[Candidate],
    decisions: Sequence[Decision],
    *,
    q: float,
    channels: Sequence[str],
    threads: int,
    progress: Progress | None,
) -> tuple[DetectionLimit, ...]:
    """The least size of each pattern that is found in at least half of the trials.

    Args:
        ground: of the search.
        shown: rows of the groups for review, which say nothing of what is usual.
        candidates: groups that were tested.
        decisions: on the groups that were tested, beside which a campaign would have to be seen.
        channels: those that are on.
    """
    unseen = dict.fromkeys(SIZES, 0.0)
    limits = []
    rules = 3 if "votes" in channels else 2
    if "template" in channels:
        from klero.campaigns.template import powers

        among = 1 + sum(one.found_by == "text" for one in candidates)
        seen = powers(c, candidates, SIZES, q / rules / among, threads=threads, progress=progress)
        limits += [DetectionLimit(name, least(power), SIZES[-1], power, 1) for name, power in seen.items()]
    if "paraphrase" in channels:
        limits.append(DetectionLimit("paraphrase", None, SIZES[-1], unseen, 0))
        power = unseen
        if "time" in channels and ground is not None and len(ground.usual):
            text, act = levels_of_one_more(decisions, q, rules, len(ground.strata))
            # What members did is told by as many channels as are on, and the least p-value times their number.
            act = min(LEVEL, act / sum(name in ACTION for name in channels))
            power = _in_time(c, ground, shown, text, act, threads, progress)
        limits.append(DetectionLimit("paraphrase-in-time", least(power), SIZES[-1], power, _TRIALS))
    return tuple(limits)


def least(power: dict[int, float]) -> int | None:
    """The least size that is found in at least half of the trials.

    Power need not grow with size: a campaign that outnumbers everybody else on its question leaves nobody to compare it with.
    """
    return next((size for size in sorted(power) if power[size] >= 0.5), None)


def _in_time(
    c: Consultation,
    ground: Ground,
    shown: Ints,
    text: float,
    act: float,
    threads: int,
    progress: Progress | None,
) -> dict[int, float]:
    """The share of trials in which texts and times reach these levels."""
    apart = set(shown.tolist())
    usual = [one for one in ground.usual if apart.isdisjoint(one[2].tolist())]
    if len(usual) < FEWEST_BLOCKS:  # then no group is tested
        return dict.fromkeys(SIZES, 0.0)
    known = {size: strengths([one[:2] for one in of_like_size(usual, size)]) for size in SIZES}
    moments = np.sort(c.time[~np.isnan(c.time)])
    plants: list[tuple[int, npt.NDArray[np.int16]]] = []
    striking = []
    spreads = [_spread(ground, number) for number in range(len(ground.strata))]
    for size in SIZES:
        for trial in range(_TRIALS):
            words = draws(c.seed, f"limit {size} {trial}", 2 + 2 * size)
            number = _stratum(ground, int(words[0]))
            rows = ground.strata[number].rows
            start = float(moments[int(words[1] % np.uint64(len(moments)))])
            plants.append((number, _texts(ground, number, spreads[number], words[2:], size)))
            striking.append(_striking(c, rows, moments, start, size, act))
    found = planted_tightness(c, ground, plants, threads=threads, progress=progress)
    hits = dict.fromkeys(SIZES, 0)
    for at, one in enumerate(found):
        if one is not None and striking[at]:
            size = SIZES[at // _TRIALS]
            blocks, drift = known[size]
            strength = (one.similarity - one.expected) / math.hypot(one.deviation, drift)
            hits[size] += tail_p(strength, blocks) <= text
    return {size: hits[size] / _TRIALS for size in SIZES}


def _stratum(ground: Ground, word: int) -> int:
    """A stratum, each as likely as it has texts."""
    sizes = np.cumsum([len(one.rows) for one in ground.strata])
    return int(np.searchsorted(sizes, word % int(sizes[-1]), side="right"))


def _spread(ground: Ground, number: int) -> float:
    """The standard deviation of the similarity of two texts of a stratum, from 200 of them."""
    rows = ground.strata[number].rows
    sample = ground.numbers[rows[:: max(1, len(rows) // 200)]].astype(np.float64) / CAMPAIGNS_LARGEST
    return float((sample @ sample.T)[np.triu_indices(len(sample), 1)].std())


def _texts(
    ground: Ground, number: int, spread: float, words: npt.NDArray[np.uint64], size: int
) -> npt.NDArray[np.int16]:
    """Vectors of a message in many words: texts of the stratum, moved towards one of them."""
    rows = ground.strata[number].rows
    places = (words[: size + 1] % np.uint64(len(rows))).astype(np.int64)
    vectors = ground.numbers[rows[places]].astype(np.float64) / CAMPAIGNS_LARGEST
    share = min(0.9, _LIKENESS * spread)
    mixed = math.sqrt(share) * vectors[0] + math.sqrt(1.0 - share) * vectors[1:]
    lengths = np.sqrt((mixed * mixed).sum(axis=1))
    whole: npt.NDArray[np.int16] = np.rint(
        mixed / np.maximum(lengths, 1e-12)[:, None] * CAMPAIGNS_LARGEST
    ).astype(np.int16)
    return whole


def _striking(
    c: Consultation, rows: Ints, moments: npt.NDArray[np.float64], start: float, size: int, level: float
) -> bool:
    """Whether a window with these texts would be as striking as is needed."""
    times = c.time[rows]
    dated = times[~np.isnan(times)]
    end = start + _HOURS * 3600.0
    here = int(((dated >= start) & (dated <= end)).sum())
    everybody = int(np.searchsorted(moments, end, "right") - np.searchsorted(moments, start, "left"))
    members = here + size
    if members < LEAST or 2 * members > len(dated) + size:
        return False
    return window_p(members, everybody + size, len(dated) + size, len(moments) + size) <= level
