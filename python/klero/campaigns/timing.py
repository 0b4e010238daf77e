"""Did these people write at the same time, or at too even a pace, beside everybody else who answered the same questions?

Groups were found by their texts or votes alone, so their times are free to be tested. The null groups are as many voices drawn from the same questions
(:mod:`klero.campaigns.timing_pools`): a deadline, a night, a question that opens late are in them as they are in the group. Three statistics, each on
up to `_MOST` null groups (`rust/core/src/campaigns/time.rs`; Besag and Clifford 1991 for when to stop):

- the scan of Kulldorff (1997): the window that holds most members beside what is expected in it. A p-value below `1 / (_MOST + 1)` is a bound that needs no
  draws (Hoeffding 1963), and is said to be exact. What texts on one subject have in common in time without anybody's doing is taken off
  (:mod:`klero.campaigns.timing_usual`);
- Greenwood's statistic (1946) of the gaps on the clock, and of the gaps in *operational time*, which runs as fast as the others write: too even a
  pace, as of a slow drip. It must also be more even than that of people who write independently within the group's own span, or any group that is close
  in time would be.

The channel's p is the least of the three, times three.

Guaranteed: exact if, given question, stance and subject, times say nothing of who is in the group; more cautious where groups usual here are close
in time, too. The same for any order of rows and number of threads. Not guaranteed: a reason. A class, an appeal in a newsletter, or a bus that
brings people home looks the same. Cost: 1,000 null groups of each group, and up to 100,000 of those that stand out; 200 usual groups of each size.

>>> import numpy as np
>>> from klero.campaigns.model import Candidate, Consultation
>>> def written(people, times):
...     n = len(times)
...     number = np.arange(n)
...     return Consultation(tuple(number), ("…",) * n, number, number, (None,) * n, number * 0, ("Q",), (number * 0).astype(np.int8), np.array(times))
>>> c = written(60, [3600.0 * i for i in range(50)] + [7201.0 + i for i in range(10)])
>>> [channel] = time_channel(c, [Candidate(np.arange(50, 60), 10, 50, "copies")], threads=1, progress=None)
>>> channel.p < 0.001, channel.details["window_members"], channel.details["window_others"]
(True, 10, 0)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from klero import _native
from klero.campaigns.model import Candidate, Channel, Consultation, Floats, Ints, Null, evenly
from klero.campaigns.timing_pools import Board, Tested
from klero.campaigns.timing_usual import Size, Usual, inflation, size_of, usual_groups
from klero.voices.times import time_axis

__all__ = ["LEAST", "time_channel"]

Progress: TypeAlias = Callable[[str, int], None]

LEAST = 5
"""Voices with a time, and with others to be compared with, that a group needs to be tested."""
_MOST = 99_999
_USUAL_MOST = 1_999
_TESTS = 3
_HOUR = 3600.0


@dataclass(frozen=True, eq=False)
class _Verdict:
    """A test of the kernel: the group's statistic, p, null groups, how many of them as extreme, whether p is a bound; and first draws, ascending."""

    observed: float
    p: float
    count: int
    exceed: int
    exact: bool
    draws: Floats

    @classmethod
    def of(cls, told: tuple[float, float, int, int, bool, bytes]) -> _Verdict:
        return cls(*told[:5], np.frombuffer(told[5], np.float64))


@dataclass(frozen=True, eq=False)
class _Report:
    """All that the kernel says of a group; see `klero._native.campaigns_time`."""

    scan: _Verdict
    pace: _Verdict
    clock: _Verdict
    first: int
    last: int
    inside: int
    expected: float
    half: float
    half_expected: float
    bound: float


def time_channel(
    c: Consultation, candidates: Sequence[Candidate], *, threads: int, progress: Progress | None
) -> list[Channel]:
    """What the times of groups say that were not found by them.

    Args:
        c: the consultation.
        candidates: the groups.
        threads: at most.
        progress: called with the name of a step and how many groups are done.

    Returns:
        A channel for each group. `why_not`: «no-time», «constant-time» (of all contributions, or of all that the group is compared with), «too-few»
        voices with a time, «no-room» (too few voices in whose question others wrote), «same-selection» (found by its times).
    """
    board = Board(c)
    asked = [one for one in candidates if one.found_by != "time"]
    why = "no-time" if not len(board.seconds) else "constant-time" if len(board.seconds) == 1 else ""
    groups: dict[int, Tested] = {}
    if not why:
        nearness = board.likeness([one.centre for one in asked])
        found = [board.tested(one.rows, near) for one, near in zip(asked, nearness, strict=True)]
        groups = {id(one): of for one, of in zip(asked, found, strict=True)}
    reasons = [_why_not(board, one, groups.get(id(one)), why) for one in candidates]
    work = [(one, groups[id(one)]) for one, no in zip(candidates, reasons, strict=True) if not no]
    reports = _reports(board, [of for _, of in work], _MOST, threads, progress)
    usual = _usual(board, work, candidates, threads, progress)
    told = iter(
        _channel(board, of, report, usual.get(size_of(board, of)))
        for (_, of), report in zip(work, reports, strict=True)
    )
    return [Channel("time", None, why_not=no) if no else next(told) for no in reasons]


def _why_not(board: Board, one: Candidate, tested: Tested | None, why: str) -> str:
    if one.found_by == "time":
        return "same-selection"
    if why or tested is None:
        return why
    if tested.dated < LEAST:
        return "too-few" if tested.dated or not len(one.rows) else "no-time"
    if tested.voices < LEAST:
        return "no-room"
    moments = [board.moment[part.pool] for part in tested.parts]
    return "constant-time" if all(len(np.unique(of)) == 1 for of in moments) else ""


def _reports(
    board: Board, groups: Sequence[Tested], most: int, threads: int, progress: Progress | None
) -> list[_Report]:
    """What the kernel says of each group."""
    if not groups:
        return []
    pools: dict[bytes, int] = {}
    rows: list[object] = []
    work = []
    for group in groups:
        parts: list[tuple[int, object]] = []
        for part in group.parts:
            pool = part.pool.astype(np.uint32)
            key = pool.tobytes()
            if key not in pools:
                pools[key] = len(rows)
                rows.append(pool)
            parts.append((pools[key], part.members.astype(np.uint32)))
        work.append((_key(group.members), parts))
    moment, voice = board.moments()
    told = _native.campaigns_time(
        moment,
        voice,
        board.seconds,
        rows,
        work,
        most=most,
        seed=board.c.seed,
        threads=threads,
        progress=progress,
    )
    return [
        _Report(_Verdict.of(scan), _Verdict.of(pace), _Verdict.of(clock), *window, *halves, bound)
        for (scan, pace, clock), window, halves, bound in told
    ]


def _key(rows: Ints) -> int:
    """What a group's random numbers depend on beside the seed: its rows, and not which other groups are tested."""
    return int.from_bytes(hashlib.sha256(b"klero timing " + rows.astype("<i8").tobytes()).digest()[:8], "big")


def _usual(
    board: Board,
    work: Sequence[tuple[Candidate, Tested]],
    candidates: Sequence[Candidate],
    threads: int,
    progress: Progress | None,
) -> dict[Size, Usual]:
    """What is usual of groups as large as those that are tested."""
    avoid = (
        np.unique(np.concatenate([one.rows for one in candidates])) if candidates else np.zeros(0, np.int64)
    )
    sizes = [size_of(board, of) for _, of in work]
    found = usual_groups(board, sizes, avoid)
    flat = [group for groups in found.values() for group in groups]
    reports = iter(_reports(board, flat, _USUAL_MOST, threads, progress))
    usual = {}
    for size, groups in found.items():
        scans = [next(reports) for _ in groups]
        # Beyond the rarest that so few null groups can tell, the bound is the better guess.
        ps = np.array([min(one.scan.p, one.bound) if not one.scan.exceed else one.scan.p for one in scans])
        ps = np.maximum(ps, 1e-300)
        usual[size] = Usual(np.sort(-np.log10(ps)), inflation(ps))
    return usual


def _channel(board: Board, tested: Tested, report: _Report, usual: Usual | None) -> Channel:
    scan = max(report.scan.p, 1e-300)
    told = usual.told(scan) if usual else scan
    gaps = tested.voices - 1
    even = report.pace if report.pace.p < report.clock.p else report.clock
    nulls = [_null("scan", report.scan, report.scan.observed, report.scan.draws)]
    if usual:
        surprise = -float(np.log10(scan))
        exceed = int((usual.surprises >= surprise).sum())
        draws = tuple(usual.surprises.tolist())
        nulls.append(Null("usual-surprise", surprise, draws, len(draws), exceed, "exponential"))
    for name, of in (("evenness", report.clock), ("evenness-of-pace", report.pace)):
        nulls.append(_null(name, of, _evenness(gaps, of.observed), _evenness(gaps, of.draws[::-1])))
    window = (float(board.seconds[report.first]), float(board.seconds[report.last]))
    inside, others = _inside(board, tested, window)
    everybody = _others(board, tested)
    effect = {
        "hours_of_half": report.half / _HOUR,
        "hours_of_half_expected": report.half_expected / _HOUR,
        "window_hours": (window[1] - window[0]) / _HOUR,
        "window_members": float(inside),
        "window_members_expected": report.expected,
        "gap_evenness": float(_evenness(gaps, even.observed)),
        "gap_evenness_expected": float(_evenness(gaps, np.median(even.draws))),
    }
    details: dict[str, object] = {
        "window": list(window),
        "window_members": inside,
        "window_others": others,
        "members": tested.voices,
        "others": everybody,
        "axis": _axis(board, tested),
        "conditioned": _conditioned(tested),
        "inflation": usual.inflation if usual else None,
    }
    p = min(1.0, _TESTS * min(told, report.pace.p, report.clock.p))
    return Channel("time", p, effect, tuple(nulls), details=details)


def _evenness(gaps: int, greenwood: float | Floats) -> Floats:
    """How even gaps are: 1 like a clock, about a half for people who don't know of each other, near 0 where all but one came at once."""
    return np.asarray(1.0 / (gaps * np.asarray(greenwood)), np.float64)


def _null(name: str, of: _Verdict, observed: float | Floats, draws: Floats) -> Null:
    tail = "exact" if of.exact else "permutation"
    return Null(name, float(observed), evenly(draws), of.count, of.exceed, tail)


def _inside(board: Board, tested: Tested, window: tuple[float, float]) -> tuple[int, int]:
    """Voices of the group and others of its pools that wrote in a window."""
    c = board.c
    members = tested.members
    pools = np.unique(np.concatenate([part.pool for part in tested.parts]))

    def inside(rows: Ints) -> npt.NDArray[np.bool_]:
        return np.asarray((c.time[rows] >= window[0]) & (c.time[rows] <= window[1]))

    others = pools[inside(pools) & ~np.isin(c.author[pools], c.author[members])]
    return int(inside(members).sum()), len(np.unique(c.author[others]))


def _others(board: Board, tested: Tested) -> int:
    """Other voices in the group's pools."""
    c = board.c
    pools = np.unique(np.concatenate([part.pool for part in tested.parts]))
    return len(np.setdiff1d(c.author[pools], c.author[tested.members]))


def _axis(board: Board, tested: Tested) -> dict[str, object] | None:
    """How many members and others of their pools wrote in each bin of one axis of time: contributions, a member's one."""
    members = tested.members
    pools = np.unique(np.concatenate([part.pool for part in tested.parts]))
    axis = time_axis(board.c.time[pools])
    if axis is None:
        return None
    others = np.setdiff1d(pools, members)
    return {
        "start": axis.start,
        "step": axis.step,
        "members": list(axis.counts(board.c.time[members])),
        "others": list(axis.counts(board.c.time[others])),
    }


def _conditioned(tested: Tested) -> list[str]:
    """What members and those they are compared with have in common, in any of the pools."""
    common = ["question"]
    common += ["stance"] if any(part.stance for part in tested.parts) else []
    common += ["subject"] if any(part.subject for part in tested.parts) else []
    return common
