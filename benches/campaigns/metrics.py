"""How right is a detector of campaigns? Counts of one run, and rates with exact intervals over many.

A *found group* is a set of ids of contributions, or of names of accounts that vote. It is compared with each planted campaign of the same sort.

- **found campaign**: some found group has a Jaccard index of 0.5 or more with it (members in both / members in either). *Campaign recall*: share of
  planted campaigns found. *Campaign precision*: share of found groups that are such.
- **false group**: fewer than half of its members are of one planted campaign. *Realised false discovery rate*: the mean over runs of false groups /
  found groups (0 where none was found). *Any false alarm*: a run with a false group. A piece of a campaign that is too small to count as found is no
  false group.
- **member recall, precision**: of all members of planted campaigns, how many are in a group that is not false; of all members of found groups, how
  many are planted.
- **false accusation**: organic authors with a row in a found group, of all organic authors.
- **n_eff error**: |n_eff − v| / v, where v counts the organic authors and one for each campaign; and the same for the voices that were taken away,
  |(raw − n_eff) − (raw − v)| / (raw − v), which is much harder.
- **false accusation ratio**: rate among some people by the rate among the rest (non-native writers; contributions of ten words or fewer; people who
  wrote once), with an exact interval conditional on the total.

Intervals: Clopper and Pearson (Biometrika 1934), 95 %. For means of shares, as the false discovery rate's, the same with the sum of shares in
place of the count: a share between 0 and 1 varies less than a yes or no with the same mean, so it is wide rather than narrow.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from corpora import Corpus
from disguises import words_of
from plants import Truth

MATCH = 0.5
LEVEL = 0.95


@dataclass(frozen=True)
class Found:
    """A group that a tool reports: ids of contributions, or names of voting accounts."""

    members: frozenset[str] = frozenset()
    voters: frozenset[str] = frozenset()

    @classmethod
    def of(cls, members: Iterable[object] = (), voters: Iterable[object] = ()) -> Found:
        return cls(frozenset(map(str, members)), frozenset(map(str, voters)))


@dataclass(frozen=True)
class Counts:
    """One run: whole numbers, from which every rate is computed."""

    planted: int
    found_campaigns: int
    groups: int
    true_groups: int
    false_groups: int
    members: int
    members_found: int
    flagged: int
    flagged_planted: int
    organic_authors: int
    accused_authors: int
    declared: int = 0
    declared_found: int = 0

    @property
    def false_share(self) -> float:
        return self.false_groups / self.groups if self.groups else 0.0

    @property
    def best(self) -> bool:
        return self.found_campaigns == self.planted


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    both = len(one & other)
    return both / (len(one) + len(other) - both) if both else 0.0


def counts(corpus: Corpus, truth: Truth, groups: Sequence[Found]) -> Counts:
    """What one run found, beside what is true. A member that is in several groups counts once."""
    # A planted campaign is compared by rows, or by accounts if it only voted; the two are kept apart by what stands before the name.
    planted = [_marked(one.members, "row") or _marked(one.accounts, "voter") for one in truth.campaigns]
    found = [_marked(one.members, "row") | _marked(one.voters, "voter") for one in groups]
    everything = frozenset().union(*planted) if planted else frozenset()
    matched = [any(jaccard(one, group) >= MATCH for group in found) for one in planted]
    true = sum(any(jaccard(one, group) >= MATCH for one in planted) for group in found)
    honest = [
        group for group in found if group and any(2 * len(group & one) >= len(group) for one in planted)
    ]
    flagged = frozenset().union(*found) if found else frozenset()
    reached = frozenset().union(*honest) if honest else frozenset()
    accounts = {account for one in truth.campaigns for account in one.accounts}
    author_of = {row.id: row.author if row.author is not None else "\0" + row.id for row in corpus.rows}
    organic = ({*author_of.values()} | {vote.voter for vote in corpus.votes}) - accounts
    accused = {
        author_of.get(name[4:], "") if name.startswith("row ") else name[6:] for name in flagged
    } & organic
    declared = [one.declared for one in truth.campaigns]
    return Counts(
        planted=len(planted),
        found_campaigns=sum(matched),
        groups=len(found),
        true_groups=true,
        false_groups=len(found) - len(honest),
        members=len(everything),
        members_found=len(reached & everything),
        flagged=len(flagged),
        flagged_planted=len(flagged & everything),
        organic_authors=len(organic),
        accused_authors=len(accused),
        declared=sum(declared),
        declared_found=sum(hit and said for hit, said in zip(matched, declared, strict=True)),
    )


def _marked(names: Iterable[str], what: str) -> frozenset[str]:
    return frozenset(f"{what} {name}" for name in names)


def n_eff_errors(corpus: Corpus, truth: Truth, n_eff: float) -> tuple[float, float | None]:
    """(of the whole, of what was taken away; None where nothing is planted)."""
    raw = len({row.author if row.author is not None else "\0" + row.id for row in corpus.rows})
    copied = sum(len(one.members) for one in truth.campaigns if one.members)
    sources = sum(1 for one in truth.campaigns if one.members)
    right = raw - copied + sources
    whole = abs(n_eff - right) / right
    return whole, abs((raw - n_eff) - (copied - sources)) / (copied - sources) if copied > sources else None


# Whose contributions are accused


def short_texts(corpus: Corpus, most: int = 10) -> frozenset[str]:
    """Ids of contributions of so many words or fewer."""
    return frozenset(row.id for row in corpus.rows if len(words_of(row.text)) <= most)


def first_time(corpus: Corpus) -> frozenset[str]:
    """Ids of contributions of people who wrote once; rows without an author are left out."""
    wrote = Counter(row.author for row in corpus.rows)
    return frozenset(row.id for row in corpus.rows if row.author is not None and wrote[row.author] == 1)


def non_native(corpus: Corpus) -> frozenset[str]:
    """Ids of essays by people who learn English (in «essays» and «polished» alone)."""
    return frozenset(row.id for row in corpus.rows if row.question == "TOEFL")


CLASSES: Mapping[str, Callable[[Corpus], frozenset[str]]] = {
    "short": short_texts,
    "first-time": first_time,
    "non-native": non_native,
}


def accused_in(
    corpus: Corpus, truth: Truth, groups: Sequence[Found], which: frozenset[str]
) -> tuple[int, int, int, int]:
    """Organic rows (accused in the class, in the class, accused in the rest, in the rest)."""
    planted = {name for one in truth.campaigns for name in one.members}
    organic = {row.id for row in corpus.rows} - planted
    flagged = frozenset().union(*(group.members for group in groups)) & organic if groups else frozenset()
    inside = organic & which
    return len(flagged & inside), len(inside), len(flagged - inside), len(organic - inside)


# Intervals


def _beta(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by its continued fraction (Lentz)."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _beta(b, a, 1 - x)
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    )
    tiny = 1e-300
    c, d = 1.0, 1 / max(1 - (a + b) * x / (a + 1), tiny)
    value = d
    for m in range(1, 10_000):
        for top in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + top * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + top / c
            c = c if abs(c) > tiny else tiny
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * value / a


def _quantile(p: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(200):
        middle = (low + high) / 2
        if _beta(a, b, middle) < p:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def interval(hits: float, trials: int, level: float = LEVEL) -> tuple[float, float]:
    """Clopper and Pearson's, of a share hits / trials; `hits` may be a sum of shares."""
    if trials == 0:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = 0.0 if hits <= 0 else _quantile(tail, hits, trials - hits + 1)
    high = 1.0 if hits >= trials else _quantile(1 - tail, hits + 1, trials - hits)
    return low, high


def ratio(inside: int, of_inside: int, rest: int, of_rest: int) -> tuple[float, float, float]:
    """(rate inside / rate of the rest, low, high), exact given how many there are in all; nan of a ratio that nothing speaks of."""
    if not of_inside or not of_rest or inside + rest == 0:
        return math.nan, 0.0, math.inf
    low, high = interval(inside, inside + rest)

    def odds(share: float) -> float:
        return math.inf if share >= 1 else share / (1 - share) * of_rest / of_inside

    return odds(inside / (inside + rest)), odds(low), odds(high)


@dataclass(frozen=True)
class Rate:
    """A share with its interval."""

    value: float
    low: float
    high: float
    trials: int

    def __str__(self) -> str:
        if not self.trials:
            return "–"
        return f"{self.value:.3f} ({self.low:.3f}–{self.high:.3f})"


def rate(shares: Iterable[float | bool]) -> Rate:
    """The mean of shares (or of yes and no), one a run."""
    known = [float(share) for share in shares]
    total = sum(known)
    low, high = interval(total, len(known))
    return Rate(total / len(known) if known else math.nan, low, high, len(known))


def summary(runs: Sequence[Counts]) -> dict[str, Rate]:
    """The rates over runs; those of recall over runs in which something was planted."""
    with_plants = [run for run in runs if run.planted]
    with_groups = [run for run in runs if run.groups]
    return {
        "campaign recall": rate(run.found_campaigns / run.planted for run in with_plants),
        "campaign precision": rate(run.true_groups / run.groups for run in with_groups),
        "member recall": rate(run.members_found / run.members for run in with_plants),
        "member precision": rate(run.flagged_planted / run.flagged for run in with_groups if run.flagged),
        "false discovery rate": rate(run.false_share for run in runs),
        "any false alarm": rate(run.false_groups > 0 for run in runs),
        "any alarm": rate(run.groups > 0 for run in runs),
        "false accusation": rate(run.accused_authors / run.organic_authors for run in runs),
    }
