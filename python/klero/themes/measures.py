"""How well do groups that a machine found match groups that people made, and does it treat the few like the many?

Everything is counted in one table, how many contributions each class shares with each cluster: whole numbers, and figures that are fractions of
them, which no order of rows can change.

    n_ij  members of class i in cluster j      n_i  size of class i      n_j  size of cluster j      n  all contributions

- Adjusted Rand index (Hubert and Arabie, Journal of Classification 1985): 1 for the same groups, about 0 for groups by chance. Whoever was thrown
  out stands alone, or all of them together as scikit-learn reads their label.
- Rare recall: of the classes with fewer than 0.5 % of the contributions, and at least two, the share that has a cluster of its own: one with at
  least two of its members, who are at least half of it.
- Exclusion: a member is *thrown out* where it has no cluster (a label below 0), and *absorbed* where its cluster holds more of another class, so
  that the cluster would be called after that one. Disparity is the share of members of rare classes to whom one of the two happens,
  divided by that of all others: 1 is even treatment. Large classes are more easily the most of something, so absorption alone is above 1 for any
  tool that joins anything; compare tools, and look at those thrown out by themselves (`thrown_out_disparity`).
- F1 of a class: that of the cluster that fits it best, max_j 2 n_ij / (n_i + n_j), among clusters of two contributions or more: a piece of one is
  no group, unless the class is one contribution itself.

Guaranteed: exact fractions, but for means of F1, which are rounded once. Not guaranteed: that a figure alone says much. A cluster for each
contribution has no exclusion and no recall either: read them together, and at like numbers of clusters.

Cost: one sort of n numbers. No threads, no randomness.

>>> people = ["bus", "bus", "bus", "park", "park", "school"]
>>> machine = [0, 0, 0, 1, 1, 1]
>>> adjusted_rand(people, machine), class_f1(people, machine)
(Fraction(12, 17), {'bus': Fraction(1, 1), 'park': Fraction(4, 5), 'school': Fraction(1, 2)})
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import fsum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from klero.errors import Fault, InputError
from klero.themes.figures import bare_percent, two_decimals
from klero.words import number, words

__all__ = [
    "RARE",
    "Contingency",
    "Exclusion",
    "Labels",
    "Measures",
    "Treatment",
    "adjusted_rand",
    "class_f1",
    "contingency",
    "exclusion",
    "measure",
    "rare_recall",
]

Labels: TypeAlias = Sequence[int] | Sequence[str] | npt.NDArray[np.generic]
"""One name or number for each contribution."""

Ints: TypeAlias = npt.NDArray[np.int64]

RARE = Fraction(1, 200)
"""Classes with less than this share of the contributions are rare."""

_HALF = Fraction(1, 2)


@dataclass(frozen=True, eq=False)
class Contingency:
    """How many contributions each class shares with each cluster; only what is not zero.

    Attributes:
        classes: the names of the classes, ascending.
        clusters: the labels of the clusters, ascending. Those below 0 stand for «thrown out».
        row, column: int64, positions in `classes` and `clusters`.
        count: int64, n_ij, above 0.
        class_sizes, cluster_sizes: int64, n_i and n_j.
    """

    classes: tuple[int | str, ...]
    clusters: tuple[int | str, ...]
    row: Ints
    column: Ints
    count: Ints
    class_sizes: Ints
    cluster_sizes: Ints

    @property
    def total(self) -> int:
        """n, all contributions."""
        return int(self.class_sizes.sum())

    @property
    def is_cluster(self) -> npt.NDArray[np.bool_]:
        """For each label, whether it is a cluster; a label below 0 is none."""
        kept = [isinstance(label, str) or label >= 0 for label in self.clusters]
        return np.array(kept, np.bool_)

    def is_rare(self, share: Fraction = RARE) -> npt.NDArray[np.bool_]:
        """For each class, whether it has less than this share of the contributions."""
        rare: npt.NDArray[np.bool_] = self.class_sizes * share.denominator < share.numerator * self.total
        return rare


def contingency(truth: Labels, found: Labels) -> Contingency:
    """The table of two groupings of the same contributions.

    Args:
        truth: the class of each contribution: whole numbers or texts.
        found: the cluster of each contribution; a number below 0 where it was thrown out.

    Raises:
        InputError: they are not equally many, or hold something else.
    """
    faults: list[Fault] = []
    classes, rows = _coded(truth, "truth", faults)
    clusters, columns = _coded(found, "found", faults)
    if not faults and len(rows) != len(columns):
        message = (
            f"there are {len(rows):,} labels in one grouping and {len(columns):,} in the other, so nobody can say which belong together. "
            "Give both for the same contributions, in the same order."
        )
        faults.append(Fault("labels-count", message, "", value=str(len(columns))))
    if faults:
        raise InputError(faults)
    width = max(len(clusters), 1)
    cells, count = np.unique(rows * width + columns, return_counts=True)
    row, column = np.divmod(cells, width)
    return Contingency(
        classes,
        clusters,
        row,
        column,
        count.astype(np.int64),
        np.bincount(rows, minlength=len(classes)).astype(np.int64),
        np.bincount(columns, minlength=len(clusters)).astype(np.int64),
    )


def _coded(labels: Labels, name: str, faults: list[Fault]) -> tuple[tuple[int | str, ...], Ints]:
    """The names, and for each contribution the position of its own."""
    values = np.asarray(labels)
    if values.ndim == 1 and len(values) == 0:
        return (), np.zeros(0, np.int64)
    if values.dtype.kind in "OT" and all(isinstance(value, str) for value in values.ravel()):
        values = values.astype(np.str_)
    if values.ndim != 1 or values.dtype.kind not in "iubU":
        message = (
            f"these labels are {values.dtype} in {values.ndim} dimensions; one whole number or text for each contribution is needed, "
            "and none may be missing. Give a list of them, with -1 for a contribution that has no group."
        )
        faults.append(Fault("labels-type", message, name))
        return (), np.zeros(0, np.int64)
    names, codes = np.unique(values, return_inverse=True)
    return tuple(names.tolist()), codes.astype(np.int64)


def adjusted_rand(truth: Labels, found: Labels, *, alone: bool = False) -> Fraction:
    """How far two groupings agree beyond chance, at most 1.

    Args:
        truth: the class of each contribution.
        found: the cluster of each contribution.
        alone: take each label of `found` below 0 for a group of one; otherwise they are one group, as in scikit-learn.

    Raises:
        InputError: as `contingency`.
    """
    return _adjusted_rand(contingency(truth, found), alone)


def _adjusted_rand(table: Contingency, alone: bool) -> Fraction:
    count, clusters = table.count, table.cluster_sizes
    if alone:  # a group of one has no pairs
        count, clusters = count[table.is_cluster[table.column]], clusters[table.is_cluster]
    # Of all pairs: those together in both groupings, in the first, in the second. Chance would put first · second / all together in both.
    both, first, second = (_pairs(sizes) for sizes in (count, table.class_sizes, clusters))
    every = table.total * (table.total - 1) // 2
    most, chance = Fraction(first + second, 2), Fraction(first * second, every or 1)
    # Both put all together, or both all apart: the same grouping, and chance could do no other.
    return Fraction(1) if most == chance else (both - chance) / (most - chance)


def _pairs(sizes: Ints) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


def rare_recall(
    truth: Labels, found: Labels, *, share: Fraction = RARE, least: int = 2, purity: Fraction = _HALF
) -> Fraction | None:
    """The share of rare classes that have a cluster of their own; None if there are no rare classes.

    Args:
        truth: the class of each contribution.
        found: the cluster of each contribution; below 0 where it was thrown out.
        share: classes below this share of the contributions are rare.
        least: members of the class that its cluster must hold. Classes with fewer are not counted: they can't have one.
        purity: the share of the cluster that they must be.

    Raises:
        InputError: as `contingency`.
    """
    return _rare_recall(contingency(truth, found), share, least, purity)


def _rare_recall(table: Contingency, share: Fraction, least: int, purity: Fraction) -> Fraction | None:
    rare = table.is_rare(share) & (table.class_sizes >= least)
    if not rare.any():
        return None
    sizes = table.cluster_sizes[table.column]
    own = (table.count >= least) & (table.count * purity.denominator >= purity.numerator * sizes)
    own &= table.is_cluster[table.column] & rare[table.row]
    return Fraction(len(np.unique(table.row[own])), int(rare.sum()))


def class_f1(truth: Labels, found: Labels, *, least: int = 2) -> dict[int | str, Fraction]:
    """For each class the F1 of the cluster that fits it best; 0 if there is none.

    Args:
        truth: the class of each contribution.
        found: the cluster of each contribution; below 0 where it was thrown out.
        least: contributions of a cluster that counts; a class of fewer needs one of its own size.

    Raises:
        InputError: as `contingency`.
    """
    return _class_f1(contingency(truth, found), least)


def _class_f1(table: Contingency, least: int) -> dict[int | str, Fraction]:
    best = dict.fromkeys(table.classes, Fraction(0))
    enough = np.minimum(table.class_sizes[table.row], least)
    kept = table.is_cluster[table.column] & (table.cluster_sizes[table.column] >= enough)
    row, column, count = table.row[kept], table.column[kept], table.count[kept]
    sums = table.class_sizes[row] + table.cluster_sizes[column]
    for i, shared, total in zip(row.tolist(), count.tolist(), sums.tolist(), strict=True):
        name = table.classes[i]
        best[name] = max(best[name], Fraction(2 * shared, total))
    return best


@dataclass(frozen=True)
class Treatment:
    """What became of the members of some classes: of `members`, `thrown_out` have no cluster and `absorbed` are in one that holds more of another class."""

    members: int
    thrown_out: int
    absorbed: int

    @property
    def rate(self) -> Fraction:
        """The share that was thrown out or absorbed; 0 where there is nobody."""
        return Fraction(self.thrown_out + self.absorbed, self.members or 1)

    @property
    def thrown_out_rate(self) -> Fraction:
        """The share that was thrown out; 0 where there is nobody."""
        return Fraction(self.thrown_out, self.members or 1)

    def to_dict(self) -> dict[str, int | float]:
        """For JSON."""
        return {
            "members": self.members,
            "thrown_out": self.thrown_out,
            "absorbed": self.absorbed,
            "rate": float(self.rate),
        }


@dataclass(frozen=True)
class Exclusion:
    """How members of rare classes were treated, and all others; `share` is the bound between them."""

    rare: Treatment
    common: Treatment
    share: Fraction

    @property
    def disparity(self) -> Fraction | None:
        """How many times as often the rare are excluded; 1 if nobody is.

        None if only the rare are (infinitely often), or if there are no rare or no common classes.
        """
        return self._ratio(self.rare.rate, self.common.rate)

    @property
    def thrown_out_disparity(self) -> Fraction | None:
        """How many times as often the rare are thrown out; 1 if nobody is, None as for `disparity`."""
        return self._ratio(self.rare.thrown_out_rate, self.common.thrown_out_rate)

    def _ratio(self, rare: Fraction, common: Fraction) -> Fraction | None:
        if not self.rare.members or not self.common.members:
            return None
        if common == 0:
            return Fraction(1) if rare == 0 else None
        return rare / common

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        ratios = {"disparity": self.disparity, "thrown_out_disparity": self.thrown_out_disparity}
        return {
            "rare": self.rare.to_dict(),
            "common": self.common.to_dict(),
            "share": str(self.share),
            **{name: None if ratio is None else float(ratio) for name, ratio in ratios.items()},
        }

    def explain(self, lang: str = "en") -> str:
        """In plain words, «en» or «fr»."""
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        parts = []
        for treatment, sentence in (
            (
                self.rare,
                ngettext(
                    "Of {n} contribution in rare groups (each under {share} of all), "
                    "{thrown} were thrown out and {absorbed} are in a cluster with more of another.",
                    "Of {n} contributions in rare groups (each under {share} of all), "
                    "{thrown} were thrown out and {absorbed} are in a cluster with more of another.",
                    self.rare.members,
                ),
            ),
            (
                self.common,
                ngettext(
                    "Of {n} contribution in the other groups, {thrown} were thrown out and {absorbed} are in such a cluster.",
                    "Of {n} contributions in the other groups, {thrown} were thrown out and {absorbed} are in such a cluster.",
                    self.common.members,
                ),
            ),
        ):
            parts.append(
                sentence.format(
                    n=number(treatment.members, lang),
                    share=bare_percent(self.share, lang),
                    thrown=number(treatment.thrown_out, lang),
                    absorbed=number(treatment.absorbed, lang),
                )
            )
        parts.append(self._disparity_words(lang))
        return "\n".join(parts)

    def _disparity_words(self, lang: str) -> str:
        _ = words(lang).gettext
        if not self.rare.members or not self.common.members:
            return _("There are not both rare and other groups, so they can't be compared.")
        disparity = self.disparity
        if disparity is None:
            return _("Only the rare lose sight of their group: no other contribution does.")
        if self.rare.rate == self.common.rate == 0:
            return _("Nobody was thrown out or absorbed.")
        text = _(
            "That is {rare} of the rare and {common} of the others; the first divided by the second is {times} (1 is even treatment)."
        )
        return text.format(
            rare=bare_percent(self.rare.rate, lang),
            common=bare_percent(self.common.rate, lang),
            times=two_decimals(float(disparity), lang),
        )


def exclusion(truth: Labels, found: Labels, *, share: Fraction = RARE) -> Exclusion:
    """How often members of rare classes are thrown out or absorbed, and all others.

    Args:
        truth: the class of each contribution.
        found: the cluster of each contribution; below 0 where it was thrown out.
        share: classes below this share of the contributions are rare.

    Raises:
        InputError: as `contingency`.
    """
    return _exclusion(contingency(truth, found), share)


def _exclusion(table: Contingency, share: Fraction) -> Exclusion:
    most = np.zeros(len(table.clusters), np.int64)
    np.maximum.at(most, table.column, table.count)
    kept = table.is_cluster[table.column]
    absorbed = kept & (table.count < most[table.column])
    rare = table.is_rare(share)[table.row]

    def treated(which: npt.NDArray[np.bool_]) -> Treatment:
        among = [int(table.count[which & part].sum()) for part in (np.ones_like(kept), ~kept, absorbed)]
        return Treatment(*among)

    return Exclusion(treated(rare), treated(~rare), share)


@dataclass(frozen=True)
class Measures:
    """All measures of one grouping against another.

    Attributes:
        clusters: clusters with two contributions or more.
        single: clusters of one contribution.
        thrown_out: contributions without a cluster.
        ari: adjusted Rand index, whoever was thrown out standing alone.
        rare_recall: None if there are no rare classes.
        exclusion: rare against common classes.
        f1_rare, f1_common: mean F1 of the classes, each class counting the same; None if there are none.
    """

    clusters: int
    single: int
    thrown_out: int
    ari: Fraction
    rare_recall: Fraction | None
    exclusion: Exclusion
    f1_rare: float | None
    f1_common: float | None

    def to_dict(self) -> dict[str, object]:
        """For JSON, fractions as floats."""

        def plain(value: Fraction | None) -> float | None:
            return None if value is None else float(value)

        return {
            "clusters": self.clusters,
            "single": self.single,
            "thrown_out": self.thrown_out,
            "ari": plain(self.ari),
            "rare_recall": plain(self.rare_recall),
            "exclusion": self.exclusion.to_dict(),
            "f1_rare": self.f1_rare,
            "f1_common": self.f1_common,
        }


def measure(truth: Labels, found: Labels, *, share: Fraction = RARE) -> Measures:
    """All measures, from one table.

    Args:
        truth: the class of each contribution.
        found: the cluster of each contribution; below 0 where it was thrown out.
        share: classes below this share of the contributions are rare.

    Raises:
        InputError: as `contingency`.
    """
    table = contingency(truth, found)
    sizes = table.cluster_sizes[table.is_cluster]
    f1 = list(_class_f1(table, 2).values())
    rare = table.is_rare(share).tolist()
    return Measures(
        clusters=int((sizes >= 2).sum()),
        single=int((sizes == 1).sum()),
        thrown_out=int(table.cluster_sizes[~table.is_cluster].sum()),
        ari=_adjusted_rand(table, alone=True),
        rare_recall=_rare_recall(table, share, 2, _HALF),
        exclusion=_exclusion(table, share),
        f1_rare=_mean([value for value, few in zip(f1, rare, strict=True) if few]),
        f1_common=_mean([value for value, few in zip(f1, rare, strict=True) if not few]),
    )


def _mean(values: list[Fraction]) -> float | None:
    # Not as a fraction: over thousands of classes its denominator would have thousands of digits. fsum rounds once, in any order.
    return fsum(map(float, values)) / len(values) if values else None
