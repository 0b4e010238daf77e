"""Which accounts vote as if by one script, beyond what their opinions explain?

**Candidates** are grown from accounts that vote alike under no, two and four opinion groups, and judged with the group left out
(`rust/core/src/campaigns/vote_search.rs`, `surprise.rs`): each member votes as the opinion group that explains it best, tilted by its own leaning, or as a
script with a share of deviating votes. The quotient of both probabilities is an e-value (Vovk and Wang 2021); over all groups of m among n accounts it is
divided by C(n, m). That validates co-votes as Tumminello et al. (2011) and Saracco et al. (2017) validate links, but for a whole group.

**The null is tempered.** Real votes are not independent given opinions: pairs that agree too well are common in every conversation. So the groups that exceed
chance by more than `_SURPRISING` are laid side by side, disjoint, and the sizes of the *others* say how groups grow here: each further member comes with a
probability r (a geometric law, its rate shrunk towards `_PRIOR`). p is the larger of the e-value's bound and (number of the others + 1/2) · r^(m − 2).

Groups that were found by their texts are compared with `_DRAWS` random groups of accounts that vote about as much and stand about where their authors do.

Guarantees: nothing is drawn for candidates; the same for any number of threads and order of rows. Not guaranteed: that people who share a list of recommended
votes are one person. Accounts that share an opinion and no list are not told from people of that opinion. Cost: `vote_search`'s; memory 150 bytes a vote and
0.5 kB a voter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from klero._native import campaigns_script_of, campaigns_scripts
from klero.campaigns.model import Candidate, Channel, Consultation, Floats, Ints, Null, Votes
from klero.themes.drawing import draws

__all__ = ["LEAST_VOTERS", "vote_candidates", "votes_channel"]

Progress = Callable[[str, int], None] | None

LEAST_VOTERS = 5
"""Accounts of a group, at least."""
_CELLS = 32  # opinion groups of the judgement, at most
_SURPRISING = 3.0  # natural logarithm, beyond the choice of the group
_PRIOR = (3.0, 2.0)  # further members and ends that are believed before any is seen
_LONGEST = 8  # further members of one innocent group that count
_DRAWS = 199
_SHOWN = 12
_ROUNDS = 30  # of the power iteration for the leading component
_KINDS = 6  # classes of accounts


@dataclass(frozen=True)
class _Script:
    """A group of accounts: its score, ln of the e-value less ln C(n, m), its p, and what the groups beside it are like."""

    members: Ints
    score: float
    p: float
    beside: tuple[float, ...]


_FOUND: WeakKeyDictionary[Votes, list[_Script]] = WeakKeyDictionary()


def vote_candidates(c: Consultation, *, threads: int, progress: Progress = None) -> list[Candidate]:
    """Groups of accounts, with what they wrote; the most surprising first. No account is in two of them."""
    if c.votes is None:
        return []
    written = {name: number for number, name in enumerate(c.authors) if name is not None}
    out = []
    for script in _scripts(c.votes, threads, progress):
        numbers = [written[name] for name in _names(c.votes, script.members) if name in written]
        rows = np.flatnonzero(np.isin(c.author, numbers))
        out.append(Candidate(rows, len(script.members), -1, "votes", script.members, "all", "votes"))
    return out


def votes_channel(
    c: Consultation, candidates: Sequence[Candidate], *, threads: int, progress: Progress = None
) -> list[Channel]:
    """What votes say of each group: of accounts that were found by them, and of the authors of any other."""
    if c.votes is None:
        return [Channel("votes", None, why_not="no-votes") for _ in candidates]
    known = {script.members.tobytes(): script for script in _scripts(c.votes, threads, progress)}
    place = {name: number for number, name in enumerate(c.votes.accounts)}
    degree = np.bincount(c.votes.voter, minlength=len(c.votes.accounts))
    channels = []
    for one in candidates:
        if one.voters is not None:
            script = known.get(one.voters.tobytes())
            channels.append(
                Channel("votes", None, why_not="too-few") if script is None else _of_script(c.votes, script)
            )
            continue
        names = {c.authors[author] for author in c.author[one.rows].tolist()}
        voters = np.array(sorted(place[name] for name in names if name in place), np.int64)
        channels.append(_of_authors(c, c.votes, voters, degree, threads, progress))
    return channels


def _scripts(votes: Votes, threads: int, progress: Progress) -> list[_Script]:
    """The groups of a table of votes, found once."""
    found = _FOUND.get(votes)
    if found is None:
        size, columns = _columns(votes)
        groups, _ = campaigns_scripts(size, *columns, cells=_CELLS, threads=threads, progress=progress)
        scored = [
            (evidence - _choices(size[0], len(members)), np.array(members, np.int64))
            for members, evidence, _, _ in groups
        ]
        found = _FOUND[votes] = _judged(scored)
    return found


def _judged(scored: Sequence[tuple[float, Ints]]) -> list[_Script]:
    """Disjoint groups, the most surprising first, each with its p beside the others."""
    # Rounded, so that the last digits of a logarithm decide nothing.
    order = sorted(scored, key=lambda one: (-round(one[0], 6), one[1].tolist()))
    taken: set[int] = set()
    kept: list[tuple[float, Ints]] = []
    for score, members in order:
        if score > _SURPRISING and taken.isdisjoint(members.tolist()):
            kept.append((score, members))
            taken.update(members.tolist())
    out = []
    for at, (score, members) in enumerate(kept):
        others = [len(other) for place, (_, other) in enumerate(kept) if place != at]
        if len(members) >= LEAST_VOTERS:
            out.append(
                _Script(
                    members, score, size_p(score, len(members), others), tuple(map(float, sorted(others)))
                )
            )
    return out


def size_p(score: float, members: int, others: Sequence[int]) -> float:
    """The probability that an innocent group is as large and as surprising, beside others of these sizes."""
    further = sum(min(size - 2, _LONGEST) for size in others)
    rate = (further + _PRIOR[0]) / (further + len(others) + sum(_PRIOR))
    return min(1.0, max(math.exp(-min(score, 700.0)), (len(others) + 0.5) * rate ** (members - 2)))


def _choices(n: int, m: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(m + 1) - math.lgamma(n - m + 1)


def _columns(votes: Votes) -> tuple[tuple[int, int], tuple[object, object, object]]:
    size = (len(votes.accounts), len(votes.items))
    numbers = (
        votes.voter.astype(np.uint32),
        votes.item.astype(np.uint32),
        (votes.value + 1).astype(np.uint8),
    )
    return size, numbers


def _names(votes: Votes, voters: Ints) -> list[str]:
    return [votes.accounts[voter] for voter in voters.tolist()]


def _of_script(votes: Votes, script: _Script) -> Channel:
    null = Null("size", float(len(script.members)), script.beside, len(script.beside), 0, "exponential")
    return Channel(
        "votes", script.p, _agreement(votes, script.members), (null,), details=_items(votes, script.members)
    )


def _of_authors(
    c: Consultation, votes: Votes, voters: Ints, degree: Ints, threads: int, progress: Progress
) -> Channel:
    """The authors of a group that was not found by votes, among random groups of accounts with about as many votes."""
    if len(voters) < LEAST_VOTERS:
        return Channel("votes", None, why_not="too-few")
    active = np.flatnonzero(degree > 0)
    classes = _classes(votes, degree, active)
    groups = [voters.tolist(), *_drawn(c.seed, voters, active, classes)]
    size, columns = _columns(votes)
    found = campaigns_script_of(size, *columns, groups, cells=_CELLS, threads=threads, progress=progress)
    evidence = np.round([one[1] for one in found], 6)
    exceed = int((evidence[1:] >= evidence[0]).sum())
    null = Null("evidence", float(evidence[0]), tuple(np.sort(evidence[1:]).tolist()), _DRAWS, exceed)
    p = (exceed + 1) / (_DRAWS + 1)
    return Channel("votes", p, _agreement(votes, voters), (null,), details=_items(votes, voters))


def _classes(votes: Votes, degree: Ints, active: Ints) -> Ints:
    """For each account a class of people like it: by how much it votes, and by where it stands.

    Two halves of the number of votes, and three parts of the leading component of the votes (power iteration on what each differs from the item's mean).
    """
    count = np.maximum(np.bincount(votes.item, minlength=len(votes.items)), 1)
    mean = np.bincount(votes.item, votes.value, minlength=len(votes.items)) / count
    value = votes.value - mean[votes.item]
    place: Floats = np.cos(np.arange(len(votes.items)) + 1.0)
    stand: Floats = np.zeros(len(degree))
    for _ in range(_ROUNDS):
        stand = np.bincount(votes.voter, value * place[votes.item], minlength=len(degree)).astype(np.float64)
        place = np.bincount(votes.item, value * stand[votes.voter], minlength=len(votes.items)).astype(
            np.float64
        )
        place /= max(float(np.sqrt((place * place).sum())), 1e-12)
    # Rounded, so that the last digits of a sum decide nothing.
    stand = np.round(stand / np.maximum(degree, 1), 9)
    half = degree > np.median(degree[active])
    third = np.searchsorted(np.quantile(stand[active], (1 / 3, 2 / 3), method="higher"), stand, side="right")
    return np.asarray(half * 3 + third, np.int64)


def _drawn(seed: int, voters: Ints, active: Ints, classes: Ints) -> list[list[int]]:
    """Random groups with as many accounts of each class."""
    wanted = np.bincount(classes[voters], minlength=_KINDS)
    pools = [active[classes[active] == number] for number in range(_KINDS)]
    label = "votes " + " ".join(map(str, voters.tolist()))
    words = draws(seed, label, _DRAWS * len(active)).reshape(_DRAWS, -1)
    out = []
    for draw in words:
        chosen: list[int] = []
        first = 0
        for pool, count in zip(pools, wanted.tolist(), strict=True):
            order = np.argsort(draw[first : first + len(pool)], kind="stable")
            chosen += pool[order[:count]].tolist()
            first += len(pool)
        out.append(chosen)
    return out


def _agreement(votes: Votes, members: Ints) -> dict[str, float]:
    """The share of votes on one item that agree, over pairs of members, and over pairs of one member and one other account."""
    inside = np.isin(votes.voter, members)
    mine, rest = _counts(votes, inside), _counts(votes, ~inside)
    total = mine.sum(axis=1)
    pairs = float((total * (total - 1)).sum())
    across = float((total * rest.sum(axis=1)).sum())
    told = {}
    if pairs:
        told["agreement_mean"] = float((mine * (mine - 1)).sum()) / pairs
        if across:
            told["agreement_mean_expected"] = float((mine * rest).sum()) / across
    return told


def _counts(votes: Votes, chosen: np.ndarray) -> Floats:
    counts = np.zeros((len(votes.items), 3))
    np.add.at(counts, (votes.item[chosen], votes.value[chosen].astype(np.int64) + 1), 1.0)
    return counts


def _items(votes: Votes, members: Ints) -> dict[str, object]:
    """The items on which members agree most against all others."""
    inside = np.isin(votes.voter, members)
    mine, rest = _counts(votes, inside), _counts(votes, ~inside)
    choice = mine.argmax(axis=1)
    at = np.arange(len(choice))
    same, voted = mine[at, choice], mine.sum(axis=1)
    others, others_voted = rest[at, choice], rest.sum(axis=1)
    apart = (
        np.where(voted > 0, same / np.maximum(voted, 1) - others / np.maximum(others_voted, 1), -1.0) * voted
    )
    order = np.argsort(-np.round(apart, 9), kind="stable")
    told = [
        {
            "item": votes.items[item],
            "value": int(choice[item]) - 1,
            "members": int(same[item]),
            "voted": int(voted[item]),
            "others": int(others[item]),
            "others_voted": int(others_voted[item]),
        }
        for item in order[:_SHOWN].tolist()
        if voted[item] > 1
    ]
    return {"items": told}
