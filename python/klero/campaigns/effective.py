"""How many independent voices is a group worth, and how much does each of its contributions weigh?

Voices i and j of a group depend on each other by ρ_ij, the probability that both come from the group's common source: ρ_ij = π_i π_j, and ρ_ii = 1.
Counted with weights w, they are worth as many independent voices as

    n(w) = (Σ w)² / Σ Σ w_i w_j ρ_ij,

which is the design effect of Kish (1965) turned round, and also the similarity-sensitive diversity of order 2 of Leinster and Cobbold (2012) with ρ
as similarity. If it were known who comes from the source (all π are 0 or 1), n(w) would be largest when these share one voice and everybody else has
one: the source is then worth 1 and each of k others 1, so n = 1 + k. Equal weights would hide the others instead: 40 copies and 10 independent voices
give n = 1.55, for 11. Who comes from the source is known by a probability, so klero gives the expectation of that largest n, and of the weights that
reach it:

    n_eff = Σ (1 − π_i) + 1 − Π (1 − π_i),        w_i = (1 − π_i) + π_i E[1 / (1 + N_i)],        Σ w_i = n_eff,

N_i being how many of the other voices come from the source. π is one minus the local false discovery rate (`membership`, `local_fdr`); copies have π = 1.

Guaranteed: a voice in no group for review weighs 1; no weight is 0 or above 1; a group is worth at least 1 and at most its voices; m copies are worth
1, m independent voices m; another copy of a member adds nothing to the group and takes nothing from anybody outside; the result is a function of the
set of contributions. A voice in several groups has the least of its weights there, so groups that overlap are together worth at least 1, and at most
as much as apart. Not guaranteed: that a group for review is not innocent (its share is at most q); nothing is weighed but for comparison, and nothing
is deleted.

The interval, at level 0.95, is the middle of 200 resamples of members and outsiders, each with its own curve and its own draw of who comes from the
source. It is an interval for the number of sources given that the group is one. Drawn by the seed and the group, in any order of rows and for any
number of threads.

Cost: some 0.3 s for a group of 50; only groups for review are weighed.

>>> import numpy as np
>>> forty_copies_and_ten_others = np.repeat([1.0, 0.0], [40, 10])
>>> effective_voices(forty_copies_and_ten_others)
11.0
>>> weights = shares(forty_copies_and_ten_others)
>>> weights[[0, -1]].round(3).tolist(), round(worth(weights, dependences(forty_copies_and_ten_others)), 6)
([0.025, 1.0], 11.0)
>>> round(worth(np.ones(50), dependences(forty_copies_and_ten_others)), 2)
1.55
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np

from klero.campaigns.membership import Comparison, Flags, Members, Reader
from klero.campaigns.model import Candidate, Channel, Consultation, Floats, Interval, Ints
from klero.themes.drawing import draws

__all__ = [
    "LEVEL",
    "Reviewed",
    "Tested",
    "Weighing",
    "dependences",
    "effective_voices",
    "one_each_weights",
    "shares",
    "voter_weights",
    "weigh",
    "worth",
]

LEVEL = 0.95
"""Probability that an interval promises."""
RESAMPLES = 200
_ROUNDS_AGAIN = 8
"""Rounds of fitting in a resample, which start from what was found."""
_EXPECTED = "window_members_expected"
"""The effect of the time channel that says how many voices a burst would have without its excess."""
_PLACES = 9
"""Decimals of a number of voices, so that sums of shares are whole where they should be."""
_DIGITS = 6
"""Decimals of a probability: what platforms round otherwise is far below."""


class Reviewed(Protocol):
    """What is read of a decision."""

    @property
    def for_review(self) -> bool:
        """Whether a person should look at the group."""


Tested: TypeAlias = "tuple[Candidate, tuple[Channel, ...], Reviewed]"


@dataclass(frozen=True, eq=False)
class Weighing:
    """What the groups weigh.

    Attributes:
        weights: of each row of the consultation, its weight as a voice; an author's voice in several rows is to be counted once.
        n_eff: effective voices of the whole consultation: each author counts by the weight of the row that weighs most.
        groups: of each tested group, its effective voices; of those not for review, all their voices.
        dependence: of each tested group, for each of its rows the probability π that its voice comes from the common source; 0 if it is not for review.
        voters: of each account in `Votes.accounts`, the weight of its votes; empty without votes.
        matched: of each tested group, by what the outsiders were matched with it («question-and-length», …, «copies», «nothing»); '' if it is not for review.
    """

    weights: Floats
    n_eff: Interval
    groups: tuple[Interval, ...]
    dependence: tuple[Floats, ...]
    voters: Floats
    matched: tuple[str, ...]


def dependences(source: Floats) -> Floats:
    """ρ: for each two voices the probability that both come from the source, and 1 on the diagonal."""
    rho = np.outer(source, source)
    np.fill_diagonal(rho, 1.0)
    return rho


def worth(weights: Floats, rho: Floats) -> float:
    """n(w): independent voices that voices of these weights and dependences are worth."""
    return float(weights.sum() ** 2 / (weights @ rho @ weights))


def effective_voices(source: Floats) -> float:
    """n_eff of voices that come from the source with these probabilities."""
    lone = np.sort(1.0 - source)
    return float(lone.sum() + 1.0 - np.prod(lone)) if len(lone) else 0.0


def shares(source: Floats) -> Floats:
    """Weights of voices that come from the source with these probabilities; they sum to n_eff.

    E[1 / (1 + N_i)] is ∫₀¹ Π_{j ≠ i} (1 − π_j + π_j t) dt, since ∫ t^N dt = 1 / (1 + N); it is taken by Gauss and Legendre's rule on pieces that halve
    towards 1, where the product of many voices rises steeply.
    """
    if not len(source):
        return np.zeros(0)
    values, of, counts = np.unique(source, return_inverse=True, return_counts=True)
    at, mass = _pieces(len(source))
    logs = np.log(np.maximum((1 - values)[:, None] + values[:, None] * at[None, :], 1e-300))
    whole = (counts[:, None] * logs).sum(axis=0)
    mean = np.array([float((mass * np.exp(whole - row)).sum()) for row in logs])
    weights: Floats = np.clip((1 - values) + values * mean, 1e-12, 1.0)[of]
    return weights


def _pieces(count: int) -> tuple[Floats, Floats]:
    nodes, mass = np.polynomial.legendre.leggauss(24)
    ends = 1 - 0.5 ** np.arange(0, math.ceil(math.log2(count + 1)) + 6, dtype=np.float64)
    ends = np.append(ends, 1.0)
    widths = np.diff(ends)
    at = ends[:-1, None] + widths[:, None] * (nodes[None, :] + 1) / 2
    return at.ravel(), (widths[:, None] * mass[None, :] / 2).ravel()


def weigh(c: Consultation, tested: Sequence[Tested]) -> Weighing:
    """Weighs the groups for review; everybody else weighs 1.

    Args:
        c: the consultation.
        tested: candidates with their channels and decisions.
    """
    reader = _reader(c, tested)
    found = {
        id(group): _group(reader, group, channels)
        for group, channels, decision in tested
        if decision.for_review
    }
    weights, voters = _combined(c, [(one.members, one.weights) for one in found.values()])
    groups: list[Interval] = []
    dependence: list[Floats] = []
    matched: list[str] = []
    for candidate, _, _decision in tested:
        one = found.get(id(candidate))
        if one is None:
            voices = float(candidate.voices)
            groups.append(Interval(voices, voices, voices, LEVEL))
            dependence.append(np.zeros(len(candidate.rows)))
            matched.append("")
            continue
        groups.append(
            _interval(effective_voices(one.source), [_voices(one, b).sum() for b in range(RESAMPLES)])
        )
        of_row = dict(zip(one.members.rows.tolist(), one.source[one.members.voice].tolist(), strict=True))
        dependence.append(np.array([of_row.get(row, 0.0) for row in candidate.rows.tolist()], np.float64))
        matched.append(one.comparison.matched)
    n_eff = _whole(c, list(found.values()), weights)
    return Weighing(weights, n_eff, tuple(groups), tuple(dependence), voters, tuple(matched))


def voter_weights(c: Consultation, tested: Sequence[Tested]) -> Floats:
    """Of each account in `Votes.accounts`, the weight of its votes: that of its voice in a group of voters for review, else 1; empty without votes."""
    reader = _reader(c, tested)
    found = [_group(reader, group, (), resamples=0) for group in reader.taken if group.voters is not None]
    return _combined(c, [(one.members, one.weights) for one in found])[1]


def one_each_weights(c: Consultation, tested: Sequence[Tested]) -> tuple[Floats, Floats]:
    """Weights of rows and of accounts if each group for review is one voice, whoever is in it."""
    reader = _reader(c, tested)
    found = [reader.members(group) for group in reader.taken]
    return _combined(c, [(one, np.full(one.count, 1 / max(1, one.count))) for one in found])


@dataclass(frozen=True, eq=False)
class _Group:
    """A group for review: its voices, what they were compared with, how likely each comes from the source, its weight; and in each resample who does."""

    members: Members
    comparison: Comparison
    source: Floats
    weights: Floats
    drawn: Flags


def _reader(c: Consultation, tested: Sequence[Tested]) -> Reader:
    return Reader(c, [candidate for candidate, _, decision in tested if decision.for_review])


def _group(
    reader: Reader, group: Candidate, channels: Sequence[Channel], resamples: int = RESAMPLES
) -> _Group:
    times = [channel.effect.get(_EXPECTED, 0.0) for channel in channels if channel.name == "time"]
    members, comparison = reader.members(group), reader.compare(group, max(times, default=0.0))
    chance = np.zeros(0)
    source = np.ones(members.count)
    if len(comparison.outside):
        chance = comparison.curve()(comparison.similarity)
        source = np.where(comparison.copied, 1.0, np.round(1.0 - chance, _DIGITS)[comparison.unit])
    label = reader.label(members)
    drawn = (
        np.stack([_drawn(comparison, chance, reader.consultation.seed, label, b) for b in range(resamples)])
        if resamples
        else np.zeros((0, members.count), bool)
    )
    return _Group(members, comparison, source, shares(source), drawn)


def _drawn(one: Comparison, chance: Floats, seed: int, label: str, resample: int) -> Flags:
    """Who comes from the source, in one resample of members and outsiders."""
    voices, units, outside = len(one.unit), len(one.similarity), len(one.outside)
    if not outside:
        # Nothing to compare with: from all of one source to none, copies apart.
        return one.copied | (one.form == "copies") | (resample % 2 == 0)
    words = draws(seed, f"effective voices {label} {resample}", units + outside + voices + 2)
    high = words >> np.uint64(32)
    often = np.bincount((high[:units] * np.uint64(units)) >> np.uint64(32), minlength=units)
    often_outside = np.bincount(
        (high[units : units + outside] * np.uint64(outside)) >> np.uint64(32), minlength=outside
    )
    counts = often.astype(np.float64), often_outside.astype(np.float64)
    uniform = ((words[units + outside :] >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    # How many others a burst would have is a count, known up to its square root: a normal deviate by Box and Muller.
    deviate = math.sqrt(-2 * math.log(float(uniform[-1]))) * math.cos(2 * math.pi * float(uniform[-2]))
    others = one.expected or 0.0
    others = max(0.0, others + math.sqrt(others) * deviate)
    again = one.curve(counts, chance, _ROUNDS_AGAIN, expected=others)(one.similarity)
    return one.copied | (uniform[:-2] < (1.0 - again)[one.unit])


def _voices(one: _Group, resample: int) -> Floats:
    """Weights of the voices in a resample: those who come from the source share one voice."""
    together = one.drawn[resample]
    return np.where(together, 1.0 / max(1, int(together.sum())), 1.0)


def _combined(c: Consultation, found: Sequence[tuple[Members, Floats]]) -> tuple[Floats, Floats]:
    """Weights of rows and of accounts: the least that any of their groups gives them."""
    rows = np.ones(len(c))
    voters = np.ones(0 if c.votes is None else len(c.votes.accounts))
    for members, weights in found:
        rows[members.rows] = np.minimum(rows[members.rows], weights[members.voice])
        known = members.accounts >= 0
        voters[members.accounts[known]] = np.minimum(voters[members.accounts[known]], weights[known])
    return rows, voters


def _whole(c: Consultation, found: Sequence[_Group], weights: Floats) -> Interval:
    """Effective voices of the consultation: of each author the row that weighs most."""
    authors, voice = np.unique(c.author, return_inverse=True)
    touched = np.zeros(len(authors), bool)
    for one in found:
        touched[voice[one.members.rows]] = True
    mine = np.flatnonzero(touched[voice])
    rest = float(len(authors) - int(touched.sum()))

    def total(of_rows: Floats) -> float:
        best = np.zeros(len(authors))
        np.maximum.at(best, voice[mine], of_rows[mine])
        return rest + float(best[touched].sum())

    resamples = RESAMPLES if found else 0
    drawn = [
        total(_combined(c, [(one.members, _voices(one, b)) for one in found])[0]) for b in range(resamples)
    ]
    return _interval(total(weights), drawn)


def _interval(estimate: float, drawn: Sequence[float] | Ints) -> Interval:
    exact = round(estimate, _PLACES)
    if not len(drawn):
        return Interval(exact, exact, exact, LEVEL)
    low, high = np.round(np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]), _PLACES).tolist()
    return Interval(min(low, exact), exact, max(high, exact), LEVEL)
