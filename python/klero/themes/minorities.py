"""Are the few treated like the many: kept apart where they differ, shown, and counted as people?

- `audit_minorities` plants small groups and counts which resurface (`minority_audit.py`).
- `exclusion_disparity` compares members of rare and of common classes, where somebody knows the classes (`measures.py`).
- `exclusion_proxy` does so where nobody knows them: whoever has little company stands for the rare. A contribution is *out of place* where it is in a
  theme of five or more whose centroid it resembles less than half as much as contributions here resemble their company: f² < s / 2, with f its
  cosine to the centroid, and s the median cosine between a contribution and the fifth nearest other, in the half that has most company. Little
  company is the fifth of the contributions whose fifth nearest other is farthest.
- `coverage_by_decile` puts the contributions into ten parts by the size of their cluster, and says how well each part fits and how much of it is quoted.
- `distinct_authors` counts the authors of each theme: twenty contributions of one person are one voice.

Guaranteed: functions of the set of contributions (and the seed of a sample, for the proxy), exact counts. Not guaranteed: that the proxy sees what a person
would; it is one where nothing better is known.

Cost: a pass over the labels; for the proxy a matrix product of at most a thousand rows with all.

>>> import numpy as np
>>> from klero.themes.partition import Partition
>>> labels = np.array([0, 0, 0, 0, 0, 1, 1, 2])
>>> parts = Partition.of(labels, np.ones(8, np.float32), np.eye(2, 3, dtype=np.float32), 0.5)
>>> authors = distinct_authors(parts, ["ann", "ann", "ann", "bob", None, "cy", "cy", "dee"])
>>> authors.authors.tolist(), authors.single
([2, 1, 1], (1,))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from klero.errors import Fault, InputError
from klero.themes.drawing import (
    UNIT,
    Ints,
    Matrix,
    canonical_order,
    nearest_others,
    read_seed,
    shuffled,
)
from klero.themes.figures import bare_percent, two_decimals
from klero.themes.measures import Exclusion, Labels, Treatment, exclusion
from klero.themes.minority_audit import SIZES, Audit, AuditRow, audit_minorities
from klero.voices.settings import read_whole
from klero.voices.settings import shown as told
from klero.voices.texts import is_missing
from klero.words import number, words

if TYPE_CHECKING:
    from klero.themes.partition import Partition

__all__ = [
    "SIZES",
    "Audit",
    "AuditRow",
    "Coverage",
    "Decile",
    "Exclusion",
    "ExclusionProxy",
    "ThemeAuthors",
    "audit_minorities",
    "coverage_by_decile",
    "distinct_authors",
    "exclusion_disparity",
    "exclusion_proxy",
]

PROXY = "klero-exclusion-proxy/1"

Authors: TypeAlias = Sequence[str | None] | Sequence[int] | npt.NDArray[np.generic]

_COMPANY = 5
_LITTLE = 5
"""Little company: the fifth of the contributions that has least."""
_THEME = 0
_MOST_SAMPLE = 100_000


def exclusion_disparity(
    partition: Partition, groups: Labels, *, share: Fraction = Fraction(1, 200)
) -> Exclusion:
    """How often members of rare classes are absorbed by clusters with more of another class, and all others.

    Args:
        partition: the clusters.
        groups: the class of each contribution, as somebody knows it: a coding, or the planted groups with all others.
        share: classes below this share of the contributions are rare.

    Raises:
        InputError: there are not as many classes as contributions, or they are neither whole numbers nor texts.
    """
    return exclusion(groups, partition.labels, share=share)


@dataclass(frozen=True)
class ExclusionProxy:
    """How often contributions are out of place, by how much company they have; in each `Treatment`, `absorbed` counts those out of place.

    Attributes:
        sparse: those with little company.
        others: all others that were looked at.
        company: the cosine of contributions here with their company, s.
        algorithm: name and version.
    """

    sparse: Treatment
    others: Treatment
    company: float
    algorithm: str = PROXY

    @property
    def disparity(self) -> Fraction | None:
        """How many times as often those with little company are out of place; 1 if nobody is, None if only they are."""
        if self.others.rate == 0:
            return Fraction(1) if self.sparse.rate == 0 else None
        return self.sparse.rate / self.others.rate

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        disparity = self.disparity
        return {
            "algorithm": self.algorithm,
            "sparse": self.sparse.to_dict(),
            "others": self.others.to_dict(),
            "company": self.company,
            "disparity": None if disparity is None else float(disparity),
        }

    def explain(self, lang: str = "en") -> str:
        """In plain words, «en» or «fr»."""
        _ = words(lang).gettext
        text = _(
            "Of those with the least company (the fifth to whom fewest others are near), {sparse} stand in a theme that they hardly resemble; "
            "of the others, {others}."
        )
        parts = [
            text.format(
                sparse=bare_percent(self.sparse.rate, lang), others=bare_percent(self.others.rate, lang)
            )
        ]
        disparity = self.disparity
        if disparity is not None and self.others.rate:
            ratio = _("The first divided by the second is {times} (1 is even treatment).")
            parts.append(ratio.format(times=two_decimals(float(disparity), lang)))
        parts.append(
            _(
                "This stands in for a comparison of known groups: whoever has little company need not be a minority."
            )
        )
        return "\n".join(parts)


def exclusion_proxy(
    partition: Partition, X_centred: Matrix, *, sample: int = 1000, seed: int = 0
) -> ExclusionProxy:
    """How often contributions stand in a theme that they hardly resemble, by how much company they have.

    Args:
        partition: the clusters.
        X_centred: the vectors in which similarities are taken: without their mean, of unit length.
        sample: how many contributions are looked at, drawn by the seed; 10 or more.
        seed: a whole number from 0.

    Raises:
        InputError: an option is out of range, the vectors are not those of the partition, or fewer than ten.
    """
    faults: list[Fault] = []
    read_whole(faults, "sample", sample, 10, _MOST_SAMPLE, "the contributions to look at")
    read_seed(seed, faults)
    if len(X_centred) != len(partition.labels):
        message = f"there are {len(X_centred):,} vectors and {len(partition.labels):,} labels. Give the vectors of the same contributions."
        faults.append(Fault("labels-count", message, "", value=str(len(X_centred))))
    elif len(X_centred) < 10:
        message = f"{len(X_centred):,} contributions are too few to tell those with little company from the others. Give ten or more."
        faults.append(Fault("themes-too-few", message, "", value=str(len(X_centred))))
    if faults:
        raise InputError(faults)
    canonical = canonical_order(X_centred)
    drawn = canonical[shuffled(len(canonical), seed, "exclusion proxy")[:sample]]
    near, _ = nearest_others(X_centred, None, drawn, canonical, _COMPANY)
    alike = near[:, -1]
    order = np.argsort(alike, kind="stable")
    company = float(np.median(alike[order[len(order) // 2 :]])) / UNIT**2
    fit = partition.fit[drawn].astype(np.float64)
    in_theme = partition.kinds[partition.labels[drawn]] == _THEME
    out = in_theme & (np.sign(fit) * fit * fit < company / 2)
    few = len(order) // _LITTLE

    def treated(which: Ints) -> Treatment:
        return Treatment(len(which), 0, int(out[which].sum()))

    return ExclusionProxy(treated(order[:few]), treated(order[few:]), company)


@dataclass(frozen=True)
class Decile:
    """A tenth of the contributions, by the size of their cluster.

    Attributes:
        number: 1 for the smallest clusters, 10 for the largest.
        clusters, contributions: in it; a cluster is never divided, so tenths are not of one size.
        smallest, largest: sizes of its clusters.
        mean_fit, weakest_fit: the mean and the least cosine of a contribution to the centroid of its cluster.
        quoted: contributions in it that are shown.
        clusters_quoted: clusters in it of which at least one contribution is shown.
    """

    number: int
    clusters: int
    contributions: int
    smallest: int
    largest: int
    mean_fit: float
    weakest_fit: float
    quoted: int
    clusters_quoted: int

    def to_dict(self) -> dict[str, int | float]:
        """For JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class Coverage:
    """How small and large groups are represented.

    Attributes:
        deciles: those that hold anything, from the smallest clusters to the largest. A large cluster leaves others empty.
        quotes: whether it was told which contributions are shown.
    """

    deciles: tuple[Decile, ...]
    quotes: bool

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"quotes": self.quotes, "deciles": [decile.to_dict() for decile in self.deciles]}

    def explain(self, lang: str = "en") -> str:
        """A line for each decile in plain words, «en» or «fr»."""
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        parts = []
        for decile in self.deciles:
            sizes = number(decile.smallest, lang)
            if decile.largest > decile.smallest:
                sizes = _("{low} to {high}").format(low=sizes, high=number(decile.largest, lang))
            line = ngettext(
                "{clusters} group of {sizes}: mean fit {mean}, weakest {weakest}.",
                "{clusters} groups of {sizes}: mean fit {mean}, weakest {weakest}.",
                decile.clusters,
            ).format(
                clusters=number(decile.clusters, lang),
                sizes=sizes,
                mean=two_decimals(decile.mean_fit, lang),
                weakest=two_decimals(decile.weakest_fit, lang),
            )
            if self.quotes:
                text = ngettext(
                    "{quoted} of {n} contribution is shown; {clusters} of the groups are quoted.",
                    "{quoted} of {n} contributions are shown; {clusters} of the groups are quoted.",
                    decile.contributions,
                )
                line += " " + text.format(
                    quoted=number(decile.quoted, lang),
                    n=number(decile.contributions, lang),
                    clusters=number(decile.clusters_quoted, lang),
                )
            parts.append(line)
        return "\n".join(parts)


def coverage_by_decile(partition: Partition, shown: Sequence[int] | Ints | None = None) -> Coverage:
    """How well contributions fit their cluster and how many are quoted, from those in the smallest clusters to those in the largest.

    Args:
        partition: the clusters.
        shown: the rows of the contributions that a report shows; None if that is not asked.

    Raises:
        InputError: a row is shown that is not there.
    """
    n, sizes = len(partition.labels), partition.sizes
    quoted = np.zeros(n, np.bool_)
    if shown is not None:
        rows = np.asarray(shown, np.int64)
        wrong = rows[(rows < 0) | (rows >= n)]
        if len(wrong):
            message = f"contribution {int(wrong[0]):,} is shown, and rows go from 0 to {n - 1:,}. Give the rows of the same contributions."
            raise InputError([Fault("option-range", message, "shown", value=str(int(wrong[0])))])
        quoted[rows] = True
    # From the smallest; labels are numbered from the largest, and equal sizes are in one decile or in two that look alike.
    order = np.argsort(sizes, kind="stable")
    before = np.cumsum(sizes[order]) - sizes[order]
    # The decile in which the middle of the cluster lies, in whole numbers.
    tenth = np.empty(len(sizes), np.int64)
    tenth[order] = 10 * (2 * before + sizes[order]) // max(2 * n, 1)
    of_row = tenth[partition.labels]
    seen = np.bincount(partition.labels[quoted], minlength=len(sizes))
    deciles = []
    for i in np.unique(tenth).tolist():
        inside, rows = tenth == i, of_row == i
        fit = partition.fit[rows].astype(np.float64).tolist()
        deciles.append(
            Decile(
                number=i + 1,
                clusters=int(inside.sum()),
                contributions=len(fit),
                smallest=int(sizes[inside].min()),
                largest=int(sizes[inside].max()),
                mean_fit=fsum(fit) / len(fit),
                weakest_fit=min(fit),
                quoted=int(quoted[rows].sum()),
                clusters_quoted=int((seen[inside] > 0).sum()),
            )
        )
    return Coverage(tuple(deciles), shown is not None)


@dataclass(frozen=True, eq=False)
class ThemeAuthors:
    """How many authors each cluster has, by its label.

    Attributes:
        authors: int64, different authors that are named.
        unknown: int64, contributions that name none.
        most: int64, contributions of the author who has most of them.
        sizes: int64, contributions.
        kinds: uint8, as in the partition: 0 theme, 1 weak signal, 2 lone voice.
        single: labels of clusters of two or more contributions that all name the same author.
        total: different authors in all.
    """

    authors: Ints
    unknown: Ints
    most: Ints
    sizes: Ints
    kinds: npt.NDArray[np.uint8]
    single: tuple[int, ...]
    total: int

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        arrays = {
            name: getattr(self, name).tolist() for name in ("authors", "unknown", "most", "sizes", "kinds")
        }
        return {**arrays, "single": list(self.single), "total": self.total}

    def explain(self, lang: str = "en", *, label: int | None = None) -> str:
        """In plain words, «en» or «fr»: of one cluster, or of all together.

        Raises:
            InputError: there is no such cluster.
        """
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        if label is not None:
            return self._cluster_words(label, lang)
        themes = int((self.kinds == _THEME).sum())
        single = sum(int(self.kinds[i] == _THEME) for i in self.single)
        head = ngettext("{n} author is named.", "{n} authors are named.", self.total)
        text = _("Themes carried by one single author: {single} of {n}.")
        return "\n".join(
            [
                head.format(n=number(self.total, lang)),
                text.format(single=number(single, lang), n=number(themes, lang)),
            ]
        )

    def _cluster_words(self, label: int, lang: str) -> str:
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        if not 0 <= label < len(self.sizes):
            message = (
                f"there is no cluster {told(label)}; they are numbered from 0 to {len(self.sizes) - 1:,}."
            )
            raise InputError([Fault("option-range", message, "")])
        size, authors, unknown = (int(array[label]) for array in (self.sizes, self.authors, self.unknown))
        written = ngettext("{n} contribution", "{n} contributions", size).format(n=number(size, lang))
        by = ngettext("{n} author", "{n} authors", authors).format(n=number(authors, lang))
        parts = [_("{contributions}, {authors}.").format(contributions=written, authors=by)]
        if label in self.single:
            parts.append(_("One single author carries it."))
        elif authors > 1:
            parts.append(_("The most by one author: {n}.").format(n=number(int(self.most[label]), lang)))
        if unknown:
            text = ngettext("{n} more names no author.", "{n} more name no author.", unknown)
            parts.append(text.format(n=number(unknown, lang)))
        return " ".join(parts)


def distinct_authors(partition: Partition, authors: Authors | None) -> ThemeAuthors:
    """How many different authors each cluster has.

    Args:
        partition: the clusters.
        authors: the author of each contribution, as a key or pseudonym; None, NaN or an empty text where none is known.

    Raises:
        InputError: there are none (`authors-missing`), or not as many as contributions (`authors-count`).
    """
    n = len(partition.labels)
    if authors is None:
        raise InputError([_no_authors()])
    if len(authors) != n:
        message = f"there are {len(authors):,} authors for {n:,} contributions. Give one for each, in the same order, None where it is not known."
        raise InputError([Fault("authors-count", message, "authors", value=str(len(authors)))])
    keys = [None if is_missing(key) or key == "" else str(key) for key in _plain(authors)]
    known = np.array([key is not None for key in keys], np.bool_)
    if n and not known.any():
        raise InputError([_no_authors()])
    names, codes = np.unique([key for key in keys if key is not None], return_inverse=True)
    labels = partition.labels[known]
    clusters = len(partition.sizes)
    cells, counts = np.unique(labels * max(len(names), 1) + codes, return_counts=True)
    of_cell = cells // max(len(names), 1)
    distinct = np.bincount(of_cell, minlength=clusters).astype(np.int64)
    most = np.zeros(clusters, np.int64)
    np.maximum.at(most, of_cell, counts)
    single = np.flatnonzero((most == partition.sizes) & (partition.sizes >= 2))
    return ThemeAuthors(
        authors=distinct,
        unknown=np.bincount(partition.labels[~known], minlength=clusters).astype(np.int64),
        most=most,
        sizes=partition.sizes,
        kinds=partition.kinds,
        single=tuple(single.tolist()),
        total=len(names),
    )


def _plain(authors: Authors) -> list[object]:
    """As Python's values: those of a pandas column that has none are NaN, NA or None."""
    values = authors.tolist() if isinstance(authors, np.ndarray) else list(authors)
    return list(values)


def _no_authors() -> Fault:
    message = (
        "no contribution names its author, so nobody can say how many people are behind a theme: its contributions may all be by one. Give a column of "
        "authors (a pseudonym for each account will do), or leave this question out."
    )
    return Fault("authors-missing", message, "authors")
