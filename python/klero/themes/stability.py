"""Would this theme be found again if a fifth of the contributions had not come in?

A part of the contributions is drawn, the themes are made anew from it alone, and each theme looks for the new cluster that shares most with it (Hennig,
Computational Statistics & Data Analysis 2007, cluster-wise assessment by subsetting): with C what is left of the theme in the part and D a new
cluster, the Jaccard index |C ∩ D| / |C ∪ D|, the best over all D. A theme *comes back* where this is more than one half: then that cluster is mostly
this theme, and no other theme can claim it. Where half or less is left, Hennig calls it dissolved; from 0.75 on a theme is commonly called stable.

The new themes are cut at the similarity at which the old ones were, so what is measured is the theme and not the choice of a level. Where a model can't be
cut, its own choice is taken.

Guaranteed: a function of the set of contributions and the seed; every theme, weak signal and lone voice is followed, each in the resamples
that hold one of its contributions. The interval holds the mean over all possible resamples with a confidence of 95 % (Hoeffding's bound by
relative entropy; with ten resamples it is wide, and honestly so). Not guaranteed: that a stable theme is a good one. A theme of all
contributions always comes back.

Cost: as many fits as resamples, each on a copy of its part. Only the seed is random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import fsum
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from klero.errors import Fault, InputError
from klero.sortition.intervals import hoeffding
from klero.themes.drawing import (
    Floats,
    Ints,
    ThemesModel,
    canonical_order,
    fitted_on,
    partition_of,
    read_seed,
    refitted,
    shuffled,
)
from klero.themes.figures import bare_percent, two_decimals
from klero.themes.vectors import read_vectors
from klero.voices.settings import Progress, read_progress, read_whole, shown
from klero.words import number, words

if TYPE_CHECKING:
    from klero.themes.partition import Partition
    from klero.themes.vectors import VectorSource

__all__ = ["ALGORITHM", "Stability", "stability"]

ALGORITHM = "klero-stability/1"
CONFIDENCE = 0.95

_MOST = 1000


@dataclass(frozen=True, eq=False)
class Stability:
    """How often each cluster came back, by its label.

    Attributes:
        mean: float64, the mean of the best Jaccard index over the resamples that held one of its contributions; NaN if none did.
        low, high: float64, where the mean over all possible resamples lies, with a confidence of 95 %.
        least, most: float64, the least and the most that was seen.
        returned: int64, resamples in which it came back (above one half).
        seen: int64, resamples that held one of its contributions.
        sizes: int64, contributions of each cluster.
        kinds: uint8, as in the partition: 0 theme, 1 weak signal, 2 lone voice.
        resamples: how many were drawn.
        share: the part of the contributions in each.
        seed: what they were drawn with.
        cut: the similarity at which the new themes were cut; None if each resample chose its own.
        themes: the algorithm of the themes.
        algorithm: that of this figure.
    """

    mean: Floats
    low: Floats
    high: Floats
    least: Floats
    most: Floats
    returned: Ints
    seen: Ints
    sizes: Ints
    kinds: npt.NDArray[np.uint8]
    resamples: int
    share: float
    seed: int
    cut: float | None
    themes: str
    algorithm: str = ALGORITHM

    def explain(self, lang: str = "en", *, label: int | None = None) -> str:
        """In plain words, «en» or «fr»: of one cluster, or of all together.

        Raises:
            InputError: there is no such cluster.
        """
        return self._all_words(lang) if label is None else self._cluster_words(label, lang)

    def _cluster_words(self, label: int, lang: str) -> str:
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        if not 0 <= label < len(self.sizes):
            message = (
                f"there is no cluster {shown(label)}; they are numbered from 0 to {len(self.sizes) - 1:,}."
            )
            raise InputError([Fault("option-range", message, "")])
        seen, returned = int(self.seen[label]), int(self.returned[label])
        if not seen:
            return _(
                "No resample held any of its contributions, so nothing is known of its stability: draw more."
            )
        head = ngettext(
            "It comes back in {returned} of {n} resample.",
            "It comes back in {returned} of {n} resamples.",
            seen,
        ).format(returned=number(returned, lang), n=number(seen, lang))
        text = _(
            "On average it shares {mean} of what it and the most similar new cluster hold together (95 % interval: {low} to {high})."
        )
        figures = {
            name: two_decimals(float(getattr(self, name)[label]), lang) for name in ("mean", "low", "high")
        }
        return f"{head} {text.format(**figures)}"

    def _all_words(self, lang: str) -> str:
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        parts = [
            ngettext(
                "{n} resample was drawn, with {share} of the contributions, and the themes were made anew.",
                "{n} resamples were drawn, each with {share} of the contributions, and the themes were made anew.",
                self.resamples,
            ).format(n=number(self.resamples, lang), share=bare_percent(Fraction(str(self.share)), lang))
        ]
        for kind, sentence in enumerate(
            (
                _("Themes: {back} of {n} come back in at least four resamples of five."),
                _("Weak signals: {back} of {n} come back in at least four resamples of five."),
                _("Lone voices: {back} of {n} stay apart in at least four resamples of five."),
            )
        ):
            which = (self.kinds == kind) & (self.seen > 0)
            back = which & (5 * self.returned >= 4 * self.seen)
            if which.any():
                counts = {"back": number(int(back.sum()), lang), "n": number(int(which.sum()), lang)}
                parts.append(sentence.format(**counts))
        return "\n".join(parts)

    def to_dict(self) -> dict[str, object]:
        """For JSON; None where a cluster was in no resample."""
        columns: dict[str, list[object]] = {
            name: [None if x != x else x for x in getattr(self, name).tolist()]
            for name in ("mean", "low", "high", "least", "most")
        }
        return {
            "algorithm": self.algorithm,
            "themes": self.themes,
            "resamples": self.resamples,
            "share": self.share,
            "seed": self.seed,
            "cut": self.cut,
            "confidence": CONFIDENCE,
            **columns,
            **{name: getattr(self, name).tolist() for name in ("returned", "seen", "sizes", "kinds")},
        }


def stability(
    themes: ThemesModel,
    X: VectorSource,
    *,
    resamples: int = 10,
    share: float = 0.8,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Stability:
    """Makes the themes anew from parts of the contributions, and says which come back.

    Args:
        themes: a model; if it was fitted on `X`, its themes are those that are followed, otherwise it is fitted first. It stays as it is.
        X: the vectors of all contributions.
        resamples: how many parts are drawn, 1 to 1,000; 5 to 10 tell the solid from the shaky, more narrow the interval.
        share: the part of the contributions in each, 0.1 to 0.99.
        seed: a whole number from 0; the same one draws the same parts, in any order of rows.
        threads: for the check of the vectors; the model has its own.
        progress: called with «resamples» and how many are done.

    Raises:
        InputError: with everything that is wrong with the vectors and the options.
    """
    faults: list[Fault] = []
    read_whole(faults, "resamples", resamples, 1, _MOST, "the number of resamples")
    read_seed(seed, faults)
    read_progress(faults, progress)
    if not (isinstance(share, Real) and not isinstance(share, bool) and 0.1 <= share <= 0.99):
        message = f"share is {shown(share)}; the part of the contributions in a resample must be a number from 0.1 to 0.99. Give one in that range."
        faults.append(Fault("option-range", message, ""))
    if faults:
        raise InputError(faults)
    rows = read_vectors(X, name="X", threads=threads).array
    taken = max(1, round(share * len(rows)))
    followed = themes if fitted_on(themes, rows) else refitted(themes, rows, np.arange(len(rows)))
    base = partition_of(followed)
    cut = base.similarity if callable(getattr(themes, "cut", None)) else None
    canonical, collected = canonical_order(rows), []
    for i in range(resamples):
        kept = np.sort(canonical[shuffled(len(rows), seed, f"stability {i}")[:taken]])
        model = refitted(themes, rows[kept], kept)
        again = partition_of(model)
        if cut is not None:
            recut: Callable[..., Partition] = model.cut  # type: ignore[attr-defined]
            again = recut(similarity=cut)
        collected.append(best_jaccard(base.labels[kept], again.labels, len(base.sizes)))
        if progress:
            progress("resamples", i + 1)
    return _summary(np.array(collected), base, (resamples, float(share), int(seed), cut))


def best_jaccard(old: Ints, new: Ints, clusters: int) -> Floats:
    """For each old cluster, its best Jaccard index with a new one; NaN if none of its contributions is there.

    Args:
        old, new: labels of the same contributions.
        clusters: how many old clusters there are.
    """
    width = int(new.max(initial=0)) + 1
    cells, shared = np.unique(old * width + new, return_counts=True)
    row, column = np.divmod(cells, width)
    there, sizes = np.bincount(old, minlength=clusters), np.bincount(new, minlength=width)
    best = np.where(there > 0, 0.0, np.nan)
    np.maximum.at(best, row, shared / (there[row] + sizes[column] - shared))
    return best


def _summary(found: Floats, base: Partition, drawn: tuple[int, float, int, float | None]) -> Stability:
    """`found`: resamples × clusters."""
    there = ~np.isnan(found)
    seen = there.sum(axis=0)
    mean, least, most, low, high = (np.full(len(seen), np.nan) for _ in range(5))
    for label in np.flatnonzero(seen):
        values = found[there[:, label], label]
        mean[label] = min(1.0, fsum(values.tolist()) / len(values))
        least[label], most[label] = values.min(), values.max()
    for count in np.unique(seen[seen > 0]).tolist():
        which = seen == count
        low[which], high[which] = hoeffding(mean[which], count, 1 - CONFIDENCE)
    resamples, share, seed, cut = drawn
    return Stability(
        mean=mean,
        low=low,
        high=high,
        least=least,
        most=most,
        returned=(np.where(there, found, 0.0) > 0.5).sum(axis=0).astype(np.int64),
        seen=seen.astype(np.int64),
        sizes=base.sizes,
        kinds=base.kinds,
        resamples=resamples,
        share=share,
        seed=seed,
        cut=cut,
        themes=base.algorithm,
    )
