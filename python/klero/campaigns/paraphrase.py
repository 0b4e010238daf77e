"""Do the texts of a burst, or of a group of accounts, say one thing in many words?

Their mean similarity is compared with that of as many other texts of the same question, of like length and stance (a stratified permutation test; Good 2005):
the excess e, with the deviation s that chance gives it. Texts on one subject at one time drift together even where nobody acts together, so that this alone
would accuse every debate. Therefore *blocks of consecutive texts* all over the consultation are measured too: they are what chance, news and debate do here.
Beyond chance their excess varies by τ (moments, as in a random-effects model; DerSimonian and Laird 1986), a group's strength is e / √(s² + τ²), and it is
read against that of the blocks, whose upper part has an exponential tail (peaks over a threshold, Pickands 1975), at the
upper 95 % bound of its scale.

Guarantees: a group is chosen by time or by votes, never by its texts, so that testing its texts is free of selection. If blocks of a debate are as alike as
any innocent group, p is at most what it says, on average over consultations. Not guaranteed: that a burst on a subject narrower than anything else here is no
campaign; the card says so.
Not found: paraphrases that come neither together nor with votes. Groups searched by likeness alone were tried: forty paraphrases by a language model are no
more alike than the tightest forty of innocent arguments, so no honest null tells them apart (docs/decisions/0022).

Cost: for each group and block, `_DRAWS` or `_BLOCK_DRAWS` sums of its vectors, in Rust (`rust/core/src/campaigns/tightness.rs`).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from klero._native import CAMPAIGNS_LARGEST, campaigns_tightness
from klero.campaigns.bursts import LEAST, Burst, bursts_of
from klero.campaigns.model import Candidate, Channel, Consultation, Floats, Ints, Null, evenly
from klero.campaigns.strata import Stratum, centred, strata_of

__all__ = [
    "FEWEST_BLOCKS",
    "Ground",
    "Tightness",
    "ground_of",
    "of_like_size",
    "paraphrase_candidates",
    "paraphrase_channel",
    "planted_tightness",
    "refined",
    "strengths",
    "tail_p",
    "tightness",
]

Progress = Callable[[str, int], None]
Block: TypeAlias = tuple[float, float, Ints]
"""A block's excess, its deviation, and its rows."""

_DRAWS = 999
_BLOCK_DRAWS = 199
_BLOCKS = (8, 16, 32, 64)  # texts of a block
_MOST_BLOCKS = 4000
FEWEST_BLOCKS = 40
"""Below so many blocks nothing is known of what is usual here."""
_LIKE_SIZE = (
    2,
    4,
    8,
)  # how many times as large or small a block may be, as soon as there are `_ENOUGH_BLOCKS`
_ENOUGH_BLOCKS = 80
_UPPER = 0.1  # share of the blocks that the tail is fitted to
_FLOOR = 0.45  # least scale of the tail: about the mean excess of a normal variable over its upper tenth
_DOUBT = 1.645  # standard errors by which the scale is raised: its upper 95 % bound
_SHORT, _LONG = 1.0 / 3.0, 2.0 / 3.0
_ROOM = 2  # times as many texts of a class as the group takes from it


@dataclass(frozen=True, eq=False)
class Ground:
    """What groups of a consultation are compared on.

    Attributes:
        strata: where.
        bursts: windows that are looked into.
        numbers: vectors in whole numbers.
        usual: blocks of consecutive texts.
        stratum_of: for each row of the consultation, the number of its stratum, -1 without one.
    """

    strata: list[Stratum]
    bursts: list[Burst]
    numbers: npt.NDArray[np.int16]
    usual: list[Block]
    stratum_of: Ints

    @cached_property
    def number(self) -> dict[bytes, int]:
        """The number of a burst by its rows."""
        # Of two with the same rows, the first.
        rows = [np.sort(self.strata[one.stratum].rows[one.members]).tobytes() for one in self.bursts]
        return {of: at for at, of in reversed([*enumerate(rows)])}


@dataclass(frozen=True, eq=False)
class Tightness:
    """How alike a group's texts are: their mean similarity, its mean and deviation in null groups, and these, ascending."""

    deviation: float
    similarity: float
    expected: float
    draws: tuple[float, ...]
    exceed: int


def ground_of(c: Consultation, apart: Ints, *, threads: int, progress: Progress | None) -> Ground | None:
    """Strata, bursts, vectors in whole numbers, and what is usual; None without vectors.

    Args:
        apart: rows that repeat another text: they would make all that is compared with them look various.
    """
    if c.vectors is None or not len(c):
        return None
    strata, groups = strata_of(c, apart, threads=threads)
    numbers = centred(c, groups, CAMPAIGNS_LARGEST)
    stratum_of = np.full(len(c), -1, np.int64)
    for number, stratum in enumerate(strata):
        stratum_of[stratum.rows] = number
    blocks = _blocks(c, strata)
    found = tightness(c, numbers, strata, blocks, _BLOCK_DRAWS, threads=threads, progress=progress)
    usual = [
        (one.similarity - one.expected, one.deviation, strata[number].rows[places])
        for one, (number, places) in zip(found, blocks, strict=True)
        if one is not None
    ]
    return Ground(strata, bursts_of(c, strata), numbers, usual, stratum_of)


def paraphrase_candidates(c: Consultation, ground: Ground | None) -> list[Candidate]:
    """The bursts, each as a group."""
    if ground is None:
        return []
    candidates = []
    for burst in ground.bursts:
        stratum = ground.strata[burst.stratum]
        rows = np.sort(stratum.rows[burst.members])
        centre = _centre(ground.numbers, rows)
        candidates.append(Candidate(rows, len(rows), centre, "paraphrase", None, stratum.name, "time"))
    return candidates


def refined(ground: Ground, one: Candidate) -> Candidate:
    """A burst without those who were merely there at the time: of whom some are expected, and whose texts are like anybody's.

    A text stays if it is likelier to come from the burst's common texts than from the rest of its stratum: two normal distributions of the similarity to the
    others of the burst, where the share of bystanders is that which the stratum's rate outside puts into the window.
    """
    at = _burst(ground, one)
    if at is None:
        return one
    burst = ground.bursts[at]
    rows = ground.strata[burst.stratum].rows
    vectors = ground.numbers[rows].astype(np.float64) / CAMPAIGNS_LARGEST
    inside = np.zeros(len(rows), bool)
    inside[burst.members] = True
    total, size = vectors[inside].sum(axis=0), len(burst.members)
    likeness = vectors @ total
    own = (vectors * vectors).sum(axis=1)
    likeness = np.where(inside, (likeness - own) / (size - 1), likeness / size)
    bystanders = min(0.9, max(0.5, burst.expected) / size)
    outside = likeness[~inside]
    # The burst's best part, which bystanders are not in.
    core = np.sort(likeness[inside])[int(bystanders * size) :]
    common = _log_normal(likeness[inside], core) + math.log1p(-bystanders)
    kept = common > _log_normal(likeness[inside], outside) + math.log(bystanders)
    kept |= likeness[inside] >= float(np.median(core))
    if kept.sum() < LEAST:
        return one
    left = np.sort(rows[burst.members[kept]])
    return replace(one, rows=left, voices=len(left), centre=_centre(ground.numbers, left))


def _log_normal(values: Floats, sample: Floats) -> Floats:
    deviation = max(float(sample.std()), 1e-3)
    return np.asarray(-0.5 * ((values - sample.mean()) / deviation) ** 2 - math.log(deviation), np.float64)


def _burst(ground: Ground, one: Candidate) -> int | None:
    """The number of the burst that a candidate is."""
    if one.found_by != "time":
        return None
    return ground.number.get(one.rows.tobytes())


def paraphrase_channel(
    c: Consultation,
    candidates: Sequence[Candidate],
    ground: Ground | None,
    *,
    threads: int,
    progress: Progress | None,
) -> list[Channel]:
    """What the texts of groups that were chosen by time or votes say; groups chosen by their texts are not tested."""
    if ground is None:
        return [Channel("paraphrase", None, why_not="no-vectors") for _ in candidates]
    groups, asked = [], []
    for at, one in enumerate(candidates):
        place = None if one.found_by == "text" else _place(ground, one)
        if place is not None:
            groups.append(place)
            asked.append(at)
    found = tightness(c, ground.numbers, ground.strata, groups, _DRAWS, threads=threads, progress=progress)
    channels = [
        Channel("paraphrase", None, why_not="same-selection" if one.found_by == "text" else "too-few")
        for one in candidates
    ]
    for at, (number, places), measured in zip(asked, groups, found, strict=True):
        if measured is not None:
            channels[at] = _channel(ground, ground.strata[number].rows[places], measured)
    return channels


def burst_time_channel(
    candidates: Sequence[Candidate], ground: Ground | None, channels: Sequence[Channel]
) -> list[Channel]:
    """The time channel of bursts, in the place of what others say of them."""
    out = []
    for one, channel in zip(candidates, channels, strict=True):
        at = None if ground is None else _burst(ground, one)
        out.append(channel if ground is None or at is None else _time(ground.bursts[at]))
    return out


def _time(burst: Burst) -> Channel:
    members = len(burst.members)
    return Channel(
        "time",
        burst.p,
        {
            "window_hours": (burst.end - burst.start) / 3600.0,
            "window_members": float(members),
            "window_members_expected": burst.expected,
        },
        (Null("scan-likelihood-ratio", burst.ratio, (), 0, 0, "exact"),),
        details={
            "window": [burst.start, burst.end],
            "window_members": members,
            "window_others": burst.everybody - members,
        },
    )


def tightness(
    c: Consultation,
    numbers: npt.NDArray[np.int16],
    strata: Sequence[Stratum],
    groups: Sequence[tuple[int, Ints]],
    draws: int,
    *,
    threads: int,
    progress: Progress | None,
) -> list[Tightness | None]:
    """How alike the texts of groups are: a stratum's number and places in its rows. None where the stratum has too few others like them."""
    pools: list[tuple[list[int], list[int]]] = []
    work, asked = [], []
    known: dict[tuple[int, int], int] = {}
    classes = {number: _classes(c, strata[number].rows) for number in {number for number, _ in groups}}
    for at, (number, places) in enumerate(groups):
        level = _level(classes[number], places)
        if level is None or len(places) < 2:
            continue
        if (number, level) not in known:
            known[number, level] = len(pools)
            pools.append((strata[number].rows.tolist(), classes[number][level].tolist()))
        work.append((known[number, level], places.tolist(), _seed(c.seed, strata[number].rows[places])))
        asked.append(at)
    observed, drawn = campaigns_tightness(
        np.ascontiguousarray(numbers),
        numbers.shape[1],
        pools,
        work,
        draws,
        threads=threads,
        progress=progress,
    )
    energies = np.frombuffer(observed, np.int64)
    nulls = np.frombuffer(drawn, np.int64).reshape(len(work), draws)
    out: list[Tightness | None] = [None] * len(groups)
    for at, (_, places, _), energy, null in zip(asked, work, energies, nulls, strict=True):
        unit = float(len(places)) * (len(places) - 1) * float(CAMPAIGNS_LARGEST) ** 2
        values = np.sort(null).astype(np.float64) / unit
        mean, deviation = float(values.mean()), float(values.std())
        similarity = float(energy) / unit
        if deviation > 0:
            exceed = int((null >= energy).sum())
            out[at] = Tightness(deviation, similarity, mean, evenly(values), exceed)
    return out


def planted_tightness(
    c: Consultation,
    ground: Ground,
    plants: Sequence[tuple[int, npt.NDArray[np.int16]]],
    *,
    threads: int,
    progress: Progress | None,
) -> list[Tightness | None]:
    """How alike texts would be that came to strata, with lengths and stances like anybody's.

    Args:
        plants: the number of a stratum, and the vectors of the texts that come to it.
    """
    numbers, strata, groups = [ground.numbers], [], []
    first = len(ground.numbers)
    for at, (number, vectors) in enumerate(plants):
        rows = np.concatenate([ground.strata[number].rows, np.arange(first, first + len(vectors))])
        strata.append(Stratum(f"plant:{at}", rows))
        groups.append((at, np.arange(len(rows) - len(vectors), len(rows))))
        numbers.append(vectors)
        first += len(vectors)
    more = first - len(ground.numbers)
    alike = replace(c, words=np.zeros(len(c) + more, np.int64), stance=np.full(len(c) + more, 2, np.int8))
    return tightness(
        alike, np.concatenate(numbers), strata, groups, _BLOCK_DRAWS, threads=threads, progress=progress
    )


def of_like_size(blocks: Sequence[Block], size: int) -> Sequence[Block]:
    """The blocks of about this size, if they are enough: a few texts drift further than many."""
    for times in _LIKE_SIZE:
        near = [one for one in blocks if size <= times * len(one[2]) and len(one[2]) <= times * size]
        if len(near) >= _ENOUGH_BLOCKS:
            return near
    return blocks


def strengths(usual: Sequence[tuple[float, float]]) -> tuple[Floats, float]:
    """The strengths of blocks from their excesses and deviations, and τ."""
    excess, deviation = np.array(usual, np.float64).reshape(-1, 2).T
    drift = (
        math.sqrt(max(0.0, float((excess * excess - deviation * deviation).mean()))) if len(excess) else 0.0
    )
    return excess / np.sqrt(deviation * deviation + drift * drift), drift


def tail_p(strength: float, usual: Floats) -> float:
    """The probability that an innocent group is as strong: the share of blocks while ten of them are, an exponential tail beyond."""
    count = len(usual)
    reached = int((usual >= strength).sum())
    start = float(np.quantile(usual, 1.0 - _UPPER, method="higher"))
    if reached >= 10 or strength <= start:
        return (reached + 1) / (count + 1)
    excess = usual[usual > start] - start
    scale = float(excess.mean()) if len(excess) else 0.0
    scale = max(_FLOOR, scale * (1.0 + _DOUBT / math.sqrt(max(1, len(excess)))))
    tail = (len(excess) + 1) / (count + 1) * math.exp((start - strength) / scale)
    return min(1.0, tail)


def _channel(ground: Ground, rows: Ints, one: Tightness) -> Channel:
    members = set(rows.tolist())
    apart = [block for block in ground.usual if members.isdisjoint(block[2].tolist())]
    if len(apart) < FEWEST_BLOCKS:
        return Channel("paraphrase", None, why_not="too-few")
    usual, drift = strengths([one[:2] for one in of_like_size(apart, len(rows))])
    strength = (one.similarity - one.expected) / math.hypot(one.deviation, drift)
    null = Null("similarity-mean", one.similarity, one.draws, _DRAWS, one.exceed)
    blocks = Null(
        "similarity-strength",
        strength,
        evenly(np.sort(usual)),
        len(usual),
        int((usual >= strength).sum()),
        "exponential",
    )
    return Channel(
        "paraphrase",
        tail_p(strength, usual),
        {
            "similarity_mean": one.similarity,
            "similarity_mean_expected": one.expected,
            "similarity_strength": strength,
        },
        (null, blocks),
    )


def _place(ground: Ground, one: Candidate) -> tuple[int, Ints] | None:
    """The stratum that holds most of a group's rows, and their places in it."""
    numbers = ground.stratum_of[one.rows]
    numbers = numbers[numbers >= 0]
    if len(numbers) < LEAST:
        return None
    number = int(np.argmax(np.bincount(numbers)))
    places = np.flatnonzero(np.isin(ground.strata[number].rows, one.rows))
    return (number, places) if len(places) >= LEAST else None


def _blocks(c: Consultation, strata: Sequence[Stratum]) -> list[tuple[int, Ints]]:
    """Runs of consecutive dated texts of every stratum; of too many, those that the rows' numbers choose."""
    blocks = []
    for number, stratum in enumerate(strata):
        dated = np.flatnonzero(~np.isnan(c.time[stratum.rows]))
        for size in _BLOCKS:
            last = len(dated) - size if 2 * size <= len(dated) else -1
            blocks += [(number, dated[first : first + size]) for first in range(0, last + 1, size)]
    if len(blocks) > _MOST_BLOCKS:
        step = len(blocks) / _MOST_BLOCKS
        blocks = [blocks[int(at * step)] for at in range(_MOST_BLOCKS)]
    return blocks


def _classes(c: Consultation, rows: Ints) -> tuple[Ints, Ints, Ints]:
    """Three ways to sort a stratum's texts, from fine to coarse: by stance and third of length; by third of length; not at all."""
    words = c.words[rows]
    third = np.searchsorted(np.quantile(words, (_SHORT, _LONG), method="higher"), words, side="left").astype(
        np.int64
    )
    stance = c.stance[rows].astype(np.int64) + 1
    return stance * 3 + third, third, np.zeros(len(rows), np.int64)


def _level(classes: tuple[Ints, Ints, Ints], places: Ints) -> int | None:
    """The finest way that has as many texts beside the group as in it, in each class."""
    for level, labels in enumerate(classes):
        size = np.bincount(labels)
        taken = np.bincount(labels[places], minlength=len(size))
        if (size >= _ROOM * taken).all():
            return level
    return None


def _seed(seed: int, rows: Ints) -> int:
    name = f"klero tightness {seed} ".encode() + np.sort(rows).astype("<i8").tobytes()
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big")


def _centre(numbers: npt.NDArray[np.int16], rows: Ints) -> int:
    vectors = numbers[rows].astype(np.int64)
    return int(rows[int(np.argmax(vectors @ vectors.sum(axis=0)))])
