"""If m people had said something that nobody else says, would they be seen?

Voices are planted, the themes are made anew, and each planted group is looked for: it *resurfaces* where a cluster holds at least half of it and is
at least half made of it. Otherwise it was *absorbed* (at least half of it is together, inside something larger) or *scattered*. Two ways to
plant, and a third with texts:

- «varied»: a contribution that is far from all others is taken out, and m variations of it are put in. They are as alike as the corpus' own
  contributions are where these have company: with x a contribution, y the fifth nearest to it, both of unit length, and s their cosine, x = s y + r; with
  e the direction of r, a variation of p is √s p + √(1 − s) e. Two of them have a cosine of about s, and differ in a direction in which real texts do.
- «held_out»: all members of a small theme or weak signal are taken out, and m of them are given back, as if only m people had spoken.
- «reworded»: as «varied», but the text of the contribution is reworded (words left out, neighbours swapped) and embedded.

Groups of several sizes are planted into one run as long as they, and what is taken out for them, are less than a fiftieth of the contributions
together, but two groups of one size and way never are: each repeat has runs of its own.

Guaranteed: a function of the set of contributions and the seed. The interval holds the probability that a group so planted resurfaces, with a
confidence of 95 % (Clopper and Pearson, Biometrika 1934), as far as groups in one run don't touch each other and there are as many to plant from as
repeats: where there are fewer, some are planted again, and the interval is narrower than it should be. Not guaranteed: that real
minorities are like planted ones; what people write about one concern can differ more.

Cost: about `repeats` fits, more for a few hundred contributions, and one matrix product to find who is far from others. Only the seed is random.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from klero.errors import Fault, InputError
from klero.sortition.intervals import clopper_pearson
from klero.themes.drawing import (
    UNIT,
    Ints,
    Matrix,
    ThemesModel,
    canonical_order,
    draws,
    fitted_on,
    mean_of,
    nearest_others,
    partition_of,
    read_seed,
    refitted,
    shuffled,
    whole_rows,
)
from klero.themes.figures import bare_percent, two_decimals
from klero.themes.vectors import read_vectors
from klero.voices.settings import Progress, read_progress, read_whole, shown
from klero.words import number, words

if TYPE_CHECKING:
    from klero.themes.partition import Partition
    from klero.themes.vectors import VectorSource

__all__ = ["ALGORITHM", "SIZES", "WAYS", "Audit", "AuditRow", "audit_minorities"]

ALGORITHM = "klero-minority-audit/1"
SIZES = (1, 2, 3, 5, 8, 13, 20)
WAYS = ("varied", "held_out", "reworded")
CONFIDENCE = 0.95

_MOST_REPEATS, _MOST_SIZE = 1000, 100_000
_SAMPLE, _LEAST_SAMPLE, _PRODUCTS = 1000, 200, 200_000_000
"""Contributions whose neighbours are looked for, at most and at least, and about how many pairs may be looked at."""
_COMPANY, _COPIES = 5, 0.999
"""Which of the nearest others tells how alike those are who have company, and above which cosine two are copies, whose difference says nothing."""
_FAR, _LEAST_FAR = 20, 5
"""The farthest one in so many, at least so many of them."""
_SMALL = 10
"""A group is small if it has no more than one contribution in this many."""
_CROWD = 50
"""What is planted in one run is at most one in this many, or the largest group."""


class Embeds(Protocol):
    """What turns texts into vectors of the length of those that are audited."""

    def embed(self, texts: Sequence[str]) -> Matrix:
        """A row for each text."""


@dataclass(frozen=True)
class AuditRow:
    """What became of the groups of one size, planted in one way.

    Attributes:
        way: «varied», «held_out» or «reworded».
        size: voices in each.
        planted: groups; 0 if the contributions hold no theme that could be thinned to this size.
        resurfaced: a cluster holds at least half of the group, and is at least half made of it.
        absorbed: at least half of it is together, in something larger.
        scattered: no cluster holds half of it.
        low, high: where the probability to resurface lies, with a confidence of 95 %.
    """

    way: str
    size: int
    planted: int
    resurfaced: int
    absorbed: int
    scattered: int
    low: float
    high: float

    @property
    def share(self) -> Fraction | None:
        """The share that resurfaced; None if none was planted."""
        return Fraction(self.resurfaced, self.planted) if self.planted else None

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        share = self.share
        names = ("way", "size", "planted", "resurfaced", "absorbed", "scattered", "low", "high")
        return {name: getattr(self, name) for name in names} | {
            "share": None if share is None else float(share)
        }


@dataclass(frozen=True)
class Audit:
    """Which minorities would be seen.

    Attributes:
        rows: by way, then by size.
        contributions: how many there are.
        repeats: groups of each size and way that were asked for.
        seed: what they were drawn with.
        runs: how often the themes were made anew.
        nearest: the largest cosine that a contribution chosen to be varied has with another one.
        within: the cosine that two variations have about, like contributions that have company. Where `nearest` is not well below it, nobody is far
            from others, and what was absorbed may belong where it is.
        themes: the algorithm of the themes.
        algorithm: that of the audit.
    """

    rows: tuple[AuditRow, ...]
    contributions: int
    repeats: int
    seed: int
    runs: int
    nearest: float
    within: float
    themes: str
    algorithm: str = ALGORITHM

    def row(self, way: str, size: int) -> AuditRow:
        """The groups of one way and size.

        Raises:
            InputError: there are none.
        """
        for row in self.rows:
            if (row.way, row.size) == (way, size):
                return row
        known = ", ".join(f"{row.way} {row.size}" for row in self.rows)
        message = f"no groups of {shown(size)} voices were planted as {shown(way)}. There are: {known}."
        raise InputError([Fault("option-unknown", message, "")])

    def reach(self, way: str, share: Fraction = Fraction(4, 5)) -> int | None:
        """The smallest size from which on this share of the groups resurfaced, that size and all larger ones; None if there is none."""
        least = None
        for row in reversed([row for row in self.rows if row.way == way and row.planted]):
            if Fraction(row.resurfaced, row.planted) < share:
                break
            least = row.size
        return least

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "algorithm": self.algorithm,
            "themes": self.themes,
            "contributions": self.contributions,
            "repeats": self.repeats,
            "seed": self.seed,
            "runs": self.runs,
            "nearest": self.nearest,
            "within": self.within,
            "confidence": CONFIDENCE,
            "rows": [row.to_dict() for row in self.rows],
        }

    def explain(self, lang: str = "en") -> str:
        """In plain words, «en» or «fr»."""
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        parts = [
            _(
                "Small groups were planted among the contributions and the themes were made anew, to see whether "
                "they come to the surface as groups of their own."
            )
        ]
        heads = {
            "varied": _("Variations of a contribution that is far from all others:"),
            "held_out": _(
                "A small group of the contributions themselves, of which only some were given back:"
            ),
            "reworded": _("Rewordings of a contribution that is far from all others:"),
        }
        text = _(
            "Contributions chosen to be varied have a cosine of {nearest} at most with any other; two variations have about {within}."
        )
        parts.append(
            text.format(nearest=two_decimals(self.nearest, lang), within=two_decimals(self.within, lang))
        )
        if self.nearest >= self.within:
            parts.append(
                _(
                    "So nobody here is really far from all others, and what was absorbed may belong where it is."
                )
            )
        for way in dict.fromkeys(row.way for row in self.rows):
            parts.append(heads[way])
            parts += [f"- {self._row_words(row, lang)}" for row in self.rows if row.way == way]
            reach = self.reach(way)
            if reach is not None:
                text = ngettext(
                    "From {n} voice on, at least four groups of five resurface.",
                    "From {n} voices on, at least four groups of five resurface.",
                    reach,
                )
                parts.append(text.format(n=number(reach, lang)))
        return "\n".join(parts)

    @staticmethod
    def _row_words(row: AuditRow, lang: str) -> str:
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        size = ngettext("{n} voice", "{n} voices", row.size).format(n=number(row.size, lang))
        if not row.planted:
            return _("{voices}: no group could be planted so.").format(voices=size)
        text = _(
            "{voices}: {resurfaced} of {planted} resurface (95 % interval: {low} to {high}); {absorbed} absorbed, {scattered} scattered."
        )
        counts = {
            name: number(getattr(row, name), lang)
            for name in ("resurfaced", "planted", "absorbed", "scattered")
        }
        # In whole percents, outwards: more figures would promise more than so few groups can tell.
        low = bare_percent(Fraction(floor(100 * row.low), 100), lang)
        high = bare_percent(Fraction(ceil(100 * row.high), 100), lang)
        return text.format(voices=size, low=low, high=high, **counts)


@dataclass(frozen=True)
class _Plant:
    """A group to be planted: which rows go, which come back, and which vectors come in."""

    way: str
    size: int
    taken: Ints
    given: Ints
    made: Matrix


@dataclass(frozen=True)
class _Ground:
    """What is known of the contributions before anything is planted.

    `canonical` is their order by content; `far` those far from others, and `nearest` the largest cosine of one of them with another; `small` the
    labels of small groups, smallest first; `near` contributions that have company, each with another, and `alike` the cosines of these pairs.
    """

    rows: Matrix
    mean: Matrix
    partition: Partition
    canonical: Ints
    far: Ints
    nearest: float
    small: Ints
    near: tuple[Ints, Ints]
    alike: npt.NDArray[np.float64]
    texts: Sequence[str] | None
    embedder: Embeds | None
    seed: int


def audit_minorities(
    themes: ThemesModel | Callable[[], ThemesModel],
    X: VectorSource,
    *,
    sizes: Sequence[int] = SIZES,
    repeats: int = 10,
    seed: int = 0,
    texts: Sequence[str] | None = None,
    embedder: Embeds | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Plants small groups among the contributions, makes the themes anew, and counts which resurface.

    Args:
        themes: a model, fitted or not, which stays as it is; or a function that makes a fresh one. Pairs that must or can't be together are left
            out: they speak of other rows.
        X: the vectors of all contributions.
        sizes: voices of the groups.
        repeats: groups of each size and way; 10 tell «nearly all» from «hardly any», 100 give an interval of ten points to each side at most.
        seed: a whole number from 0; the same one plants the same groups, in any order of rows.
        texts: of all contributions, to reword some of them; only with `embedder`.
        embedder: what made the vectors.
        threads: for the check of the vectors; the model has its own.
        progress: called with «runs» and how many are done.

    Raises:
        InputError: with everything that is wrong; or the contributions are too few, or hold no groups (`themes-too-few`).
    """
    faults: list[Fault] = []
    _read_sizes(sizes, faults)
    read_whole(faults, "repeats", repeats, 1, _MOST_REPEATS, "the number of groups of each size")
    read_seed(seed, faults)
    read_progress(faults, progress)
    if (texts is None) != (embedder is None):
        message = "texts and embedder belong together: texts are reworded, and embedded by what made the vectors. Give both, or none."
        faults.append(Fault("options-conflict", message, ""))
    if faults:
        raise InputError(faults)
    rows = read_vectors(X, name="X", threads=threads).array
    if texts is not None and len(texts) != len(rows):
        message = f"there are {len(texts):,} texts and {len(rows):,} vectors. Give one for each contribution, in the same order."
        raise InputError([Fault("labels-count", message, "texts", value=str(len(texts)))])
    sizes = sorted({int(size) for size in sizes})
    ground = _surveyed(themes, rows, texts, embedder, int(seed))
    counts = {(way, size): [0, 0, 0] for way in WAYS for size in sizes}
    runs = _runs(ground, sizes, int(repeats), max(sizes[-1], len(rows) // _CROWD))
    for done, run in enumerate(runs, 1):
        for plant, fate in zip(run, _fates(themes, ground, run), strict=True):
            counts[plant.way, plant.size][fate] += 1
        if progress:
            progress("runs", done)
    ways = WAYS if texts is not None else WAYS[:2]
    return Audit(
        rows=tuple(_row(way, size, counts[way, size]) for way in ways for size in sizes),
        contributions=len(rows),
        repeats=int(repeats),
        seed=int(seed),
        runs=len(runs),
        nearest=ground.nearest,
        within=float(np.median(ground.alike)) if len(ground.alike) else 1.0,
        themes=ground.partition.algorithm,
    )


def _read_sizes(sizes: object, faults: list[Fault]) -> None:
    if isinstance(sizes, str) or not isinstance(sizes, Sequence) or not sizes:
        message = f"sizes is {shown(sizes)}. Give a list of whole numbers: the voices of the groups to plant."
        faults.append(Fault("option-unknown", message, ""))
        return
    for size in sizes:
        read_whole(faults, "a size", size, 1, _MOST_SIZE, "the voices of a group")


def _surveyed(
    themes: ThemesModel | Callable[[], ThemesModel],
    rows: Matrix,
    texts: Sequence[str] | None,
    embedder: Embeds | None,
    seed: int,
) -> _Ground:
    """The themes as they are, and what groups can be planted from."""
    model = themes if fitted_on(themes, rows, pairs=False) else refitted(themes, rows, None)
    partition, mean = partition_of(model), mean_of(model)
    grouped = np.flatnonzero(partition.sizes >= 2)
    if len(rows) < 10 or not len(grouped):
        message = (
            f"among {len(rows):,} contributions there are {len(grouped):,} groups of two or more, and groups are planted as the corpus' own are. Audit ten "
            "contributions or more, some of which are alike."
        )
        raise InputError([Fault("themes-too-few", message, "X", value=str(len(rows)))])
    canonical = canonical_order(rows)
    count = max(_LEAST_SAMPLE, min(_SAMPLE, _PRODUCTS // len(rows)))
    sample = canonical[shuffled(len(rows), seed, "audit sample")[:count]]
    sample = sample[whole_rows(rows[sample], mean)[1] > 0]  # what equals the mean has no direction
    near, others = nearest_others(rows, mean, sample, canonical, _COMPANY)
    farthest = np.argsort(near[:, 0], kind="stable")
    far = farthest[: max(_LEAST_FAR, len(sample) // _FAR)]
    alike = near[:, -1] / UNIT**2
    company = np.flatnonzero((alike >= np.median(alike)) & (alike > 0) & (alike < _COPIES))
    return _Ground(
        rows=rows,
        mean=mean,
        partition=partition,
        canonical=canonical,
        far=sample[far],
        nearest=float(near[far, 0].max(initial=0)) / UNIT**2,
        small=_small(partition, canonical),
        near=(sample[company], others[company, -1]),
        alike=alike[company],
        texts=texts,
        embedder=embedder,
        seed=seed,
    )


def _small(partition: Partition, canonical: Ints) -> Ints:
    """The small groups' labels, smallest first, then by their first member in canonical order, whatever their numbers are."""
    sizes = partition.sizes
    first = np.full(len(sizes), len(canonical), np.int64)
    np.minimum.at(first, partition.labels[canonical], np.arange(len(canonical)))
    order = np.lexsort((first, sizes)).astype(np.int64)
    return order[(sizes[order] >= 2) & (sizes[order] * _SMALL <= len(canonical))]


def _runs(ground: _Ground, sizes: Sequence[int], repeats: int, most: int) -> list[list[_Plant]]:
    """The groups to plant, run by run: at most so many voices in each, and no contribution taken twice."""
    ways = WAYS if ground.texts is not None else WAYS[:2]
    runs: list[list[_Plant]] = []
    used: set[int] = set()
    room = 0
    for repeat in range(repeats):
        room = 0  # a run of its own, so that no single choice of a level decides for all repeats
        for i, size in enumerate(sizes):
            for way in ways:
                plant = _plant(ground, way, size, repeat, repeat * len(sizes) + i)
                if plant is None:
                    continue
                taken = plant.taken.tolist()
                need = max(size, len(taken))
                if not runs or need > room or not used.isdisjoint(taken):
                    runs.append([])
                    room, used = most, set()
                runs[-1].append(plant)
                used.update(taken)
                room -= need
    return runs


def _plant(ground: _Ground, way: str, size: int, repeat: int, place: int) -> _Plant | None:
    """One group; None if there is nothing to make it from. `place` counts groups of one way, `repeat` those of one way and size."""
    label = f"audit {way} {size} {repeat}"
    none = np.zeros((0, ground.rows.shape[1]), np.float32)
    if way == "held_out":
        candidates = ground.small[ground.partition.sizes[ground.small] >= size]
        # The smallest quarter of the groups that are large enough, ten at least.
        candidates = candidates[: max(10, len(candidates) // 4)]
        if not len(candidates):
            return None
        order = shuffled(len(candidates), ground.seed, f"audit held_out {size}")
        chosen = int(candidates[order[repeat % len(order)]])
        members = ground.canonical[ground.partition.labels[ground.canonical] == chosen]
        back = members[shuffled(len(members), ground.seed, label)[:size]]
        return _Plant(way, size, members, back, none)
    order = shuffled(len(ground.far), ground.seed, f"audit {way}")
    at = int(ground.far[order[place % len(order)]])
    taken = np.array([at], np.int64)
    made = (_variations if way == "varied" else _rewordings)(ground, at, size, label)
    return _Plant(way, size, taken, np.zeros(0, np.int64), made)


def _variations(ground: _Ground, at: int, size: int, label: str) -> Matrix:
    """m vectors about a contribution, as alike as pairs with company. Each number by itself, in a fixed order: the same on any machine."""
    if not len(ground.alike):  # all are copies, or nobody is near to anybody
        return np.repeat(ground.rows[[at]], size, axis=0)
    which = (draws(ground.seed, label, size) % np.uint64(len(ground.alike))).astype(np.int64)
    mean = ground.mean.astype(np.float64)
    (x, x_length), (y, y_length) = (_moved(ground, pair[which]) for pair in ground.near)
    alike = ground.alike[which][:, None]
    apart = (x / x_length - alike * (y / y_length)) / np.sqrt(1 - alike * alike)
    centre, length = _moved(ground, np.array([at]))
    made: Matrix = (mean + np.sqrt(alike) * centre + length * np.sqrt(1 - alike) * apart).astype(np.float32)
    return made


def _moved(ground: _Ground, which: Ints) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Rows without the mean, and their lengths."""
    _, lengths = whole_rows(ground.rows[which], ground.mean)
    moved = ground.rows[which].astype(np.float64) - ground.mean
    return moved, np.where(lengths > 0, lengths, 1.0)[:, None]


def _rewordings(ground: _Ground, at: int, size: int, label: str) -> Matrix:
    """m rewordings of a contribution's text, embedded."""
    if ground.texts is None or ground.embedder is None:
        return np.zeros((size, ground.rows.shape[1]), np.float32)
    text = ground.texts[at]
    reworded = [_reworded(text, draws(ground.seed, f"{label} {i}", 64)) for i in range(size)]
    made = read_vectors(ground.embedder.embed(reworded), name="embedder").array
    if made.shape != (size, ground.rows.shape[1]):
        message = (
            f"the embedder gave {made.shape[0]:,} vectors of {made.shape[1]:,} numbers for {size:,} texts, and those of X have {ground.rows.shape[1]:,}. "
            "Give the embedder that made X."
        )
        raise InputError([Fault("vectors-width", message, "embedder", value=str(made.shape))])
    return made


def _reworded(text: str, chances: npt.NDArray[np.uint64]) -> str:
    """About one word in six left out, half kept at least, and two neighbours swapped."""
    parts = text.split()
    kept = [part for i, part in enumerate(parts) if int(chances[i % len(chances)] >> np.uint64(8)) % 6]
    if 2 * len(kept) < len(parts):
        kept = parts
    if len(kept) > 1:
        i = int(chances[-1] % np.uint64(len(kept) - 1))
        kept[i], kept[i + 1] = kept[i + 1], kept[i]
    return " ".join(kept)


def _fates(
    themes: ThemesModel | Callable[[], ThemesModel], ground: _Ground, run: Sequence[_Plant]
) -> list[int]:
    """What became of each group of a run: 0 resurfaced, 1 absorbed, 2 scattered."""
    taken = np.concatenate([plant.taken for plant in run])
    kept = np.setdiff1d(np.arange(len(ground.rows)), taken)
    parts = [ground.rows[kept]] + [np.concatenate([ground.rows[plant.given], plant.made]) for plant in run]
    partition = partition_of(refitted(themes, np.concatenate(parts), None))
    fates, start = [], len(kept)
    for plant in run:
        labels = partition.labels[start : start + plant.size]
        start += plant.size
        fates.append(fate(labels, partition.sizes))
    return fates


def fate(labels: Ints, sizes: Ints) -> int:
    """What became of a group: 0 if it resurfaced, 1 if it was absorbed, 2 if it was scattered.

    Args:
        labels: the clusters of its members.
        sizes: of all clusters.
    """
    clusters, counts = np.unique(labels, return_counts=True)
    half = 2 * counts >= len(labels)
    if (half & (2 * counts >= sizes[clusters])).any():
        return 0
    return 1 if half.any() else 2


def _row(way: str, size: int, counts: Sequence[int]) -> AuditRow:
    planted = sum(counts)
    low, high = 0.0, 1.0
    if planted:
        bounds = clopper_pearson(np.array([float(counts[0])]), planted, 1 - CONFIDENCE)
        low, high = (float(bound[0]) for bound in bounds)
    resurfaced, absorbed, scattered = counts
    return AuditRow(way, size, planted, resurfaced, absorbed, scattered, low, high)
