"""What does a page about themes have to say, as data?

Everything that :mod:`klero.themes.report` shows is gathered here from one way to cut the contributions into groups and from what was found out
about it: what each group says, the levels above and below it, and a map. A person's words are never changed, only cut where they are very long,
and the page says so. Authors are only counted.

Guaranteed: every contribution is in exactly one count, and of every kind of group the same rule says which are shown in full where there are too
many for a page: those whose ids have the smallest hashes, so that neither size nor place in the file decides. Nothing here depends on the order of
the rows.

Cost: one pass over the contributions, and a few texts for each group shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from klero.themes.names import cluster_names
from klero.themes.projection import agreement, project
from klero.voices import personal
from klero.voices.accounts import Accounts, Authors
from klero.voices.breakdowns import Breakdown, Column, present
from klero.voices.ids import first_ids, key_of
from klero.voices.times import TimeAxis, seconds_of, time_axis

if TYPE_CHECKING:
    import pyarrow as pa

    from klero.themes.partition import Partition

__all__ = [
    "Branch",
    "ClusterFacts",
    "Explained",
    "Facts",
    "LevelCut",
    "LevelFacts",
    "MapFacts",
    "Quote",
    "gather",
]

SHOWN = (400, 1000, 2000)  # themes, weak signals and lone voices that are shown in full
ON_MAP = (1000, 1000, 1500)
MEMBERS = 500  # ids of a theme that are shown
_TEXT, _ALL_TEXTS = 20_000, 4_000_000  # code points of a text, and of all texts on the page, about
_LEAST = 300
_SNIPPET = 90
_KEYWORD = 60


@dataclass(frozen=True, slots=True)
class Explained:
    """What each cluster of a partition says, by row: the rows are those of the contributions that were grouped.

    Attributes:
        keywords: of each cluster, the most telling first.
        medoids: the row of each cluster that is most like the others.
        boundaries: of each cluster, rows at its edge, each with the label of the cluster that it is nearly in (-1: not said).
        distant: of each cluster, the row that is least like it; -1 for none.
        returned: of each cluster, in how many resamples it came back, of the `seen` that held one of its contributions; None if that was not asked.
    """

    keywords: Sequence[Sequence[str]]
    medoids: npt.NDArray[np.int64]
    boundaries: Sequence[Sequence[tuple[int, int]]]
    distant: npt.NDArray[np.int64]
    returned: npt.NDArray[np.int64] | None = None
    seen: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class LevelCut:
    """A way to cut: how persistent it is, its partition, and the keywords of its clusters."""

    partition: Partition
    persistence: float
    keywords: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Quote:
    """A contribution's own words. `left_out` code points at its end are not shown; `near` names the theme that it is nearly in."""

    id: str
    text: str
    left_out: int = 0
    fit: float = 1.0
    near: str = ""


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """A theme, a weak signal or a lone voice.

    `others`: the further members of a weak signal; `stability`: in how many resamples it came back, of how many.
    """

    name: str
    kind: int
    size: int
    fit: float
    keywords: tuple[str, ...]
    medoid: Quote
    boundaries: tuple[Quote, ...] = ()
    distant: Quote | None = None
    others: tuple[Quote, ...] = ()
    members: tuple[str, ...] = ()
    accounts: Accounts | None = None
    stability: tuple[int, int] | None = None
    times: tuple[int, ...] = ()
    first: str = ""
    last: str = ""
    questions: tuple[Breakdown, ...] = ()
    stances: tuple[Breakdown, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A group in the table of all groups. `medoid` is the id as it was read, for tables; on the page it is shown with the quotation."""

    name: str
    kind: int
    size: int
    fit: float
    keywords: tuple[str, ...]
    medoid: str
    snippet: str
    accounts: Accounts | None
    stability: tuple[int, int] | None
    first: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """A theme of a level.

    `parts`: (name, contributions) of the themes that it falls into at the next finer level, and `few`: how many weak signals, with how many
    contributions, and how many lone voices; `within`: (name, contributions) of the theme that holds most of it at the next coarser level, if one does.
    """

    name: str
    size: int
    keywords: tuple[str, ...]
    parts: tuple[tuple[str, int], ...] = ()
    few: tuple[int, int, int] = (0, 0, 0)
    within: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class LevelFacts:
    """A level: how many clusters and contributions of each kind, and its themes; the first level is the coarsest."""

    number: int
    similarity: float
    persistence: float
    clusters: tuple[int, int, int]
    contributions: tuple[int, int, int]
    branches: tuple[Branch, ...]
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class MapFacts:
    """Groups on the map: name, kind, place (in a circle of radius 1) and weight of each; `right` of `asked` have their nearest among their three most alike."""

    names: tuple[str, ...]
    kinds: tuple[int, ...]
    places: npt.NDArray[np.float64]
    sizes: tuple[int, ...]
    people: tuple[int, ...] | None
    right: int
    asked: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the page shows. `contributions` and `clusters` are by kind (theme, weak signal, lone voice); input = their sum + `empty`."""

    total: int
    empty: int
    contributions: tuple[int, int, int]
    clusters: tuple[int, int, int]
    lines: tuple[Line, ...]
    shown: tuple[ClusterFacts, ...]
    levels: tuple[LevelFacts, ...]
    map: MapFacts
    empties: tuple[str, ...] = ()
    accounts: Accounts | None = None
    axis: TimeAxis | None = None
    undated: int = 0
    times_all: tuple[int, ...] = ()
    personal: int = 0
    masked: bool = False
    duplicates: int = 0
    text_limit: int = _TEXT


def gather(
    table: pa.Table,
    kept: npt.NDArray[np.int64],
    partition: Partition,
    explained: Explained,
    levels: Sequence[LevelCut] = (),
    *,
    centred: npt.NDArray[np.floating] | None = None,
    chosen: int = -1,
    duplicates: int = 0,
    mask: str | None = None,
    also: Sequence[str] = (),
    shown: tuple[int, int, int] = SHOWN,
) -> Facts:
    """The facts of a page.

    Args:
        table: the contributions, with `id` and `text`; `author` and `time` are used where they are (of authors only how many there are).
        kept: the rows of `table` that were grouped, in rising order: those with a word in them.
        partition: of these rows.
        explained: what its clusters say.
        centred: the vectors of these rows, for the place of lone voices on the map; without them it shows none.
        levels: ways to cut, coarse to fine; `chosen` is the index of the one that `partition` is, -1 for none of them.
        duplicates: contributions whose vector another one has.
        mask: a language of `klero.words`: what looks like an e-mail address and so on is replaced in all that is shown.
        also: texts that further parts of the page show; they are looked through for personal data.
        shown: how many groups of each kind are shown in full.
    """
    source = _Source(table, kept, mask)
    names = cluster_names(partition.kinds)
    keys = [key_of(source.ids[int(row)]) for row in explained.medoids]
    wanted = [_fair(np.flatnonzero(partition.kinds == kind), keys, most) for kind, most in enumerate(shown)]
    chosen_labels = [int(label) for labels in wanted for label in labels]
    teller = _Teller(source, partition, explained, names)
    teller.limit = limit = _limit(source.lengths(teller.quoted(chosen_labels)))
    facts = Facts(
        total=table.num_rows,
        empty=table.num_rows - len(kept),
        contributions=_by_kind(partition),
        clusters=_clusters(partition),
        lines=tuple(teller.line(label) for label in range(len(names))),
        shown=tuple(teller.cluster(label) for label in chosen_labels),
        levels=_levels(levels, chosen),
        map=_map(partition, names, keys, teller.accounts, _middles(partition, explained, centred)),
        empties=tuple(source.show(name) for name in first_ids(source.empty_ids(), MEMBERS)),
        accounts=source.authors.among(np.ones(len(kept), bool)),
        axis=source.axis,
        undated=int(np.isnan(source.seconds).sum()) if source.axis else 0,
        times_all=source.axis.counts(source.seconds) if source.axis else (),
        masked=mask is not None,
        duplicates=duplicates,
        text_limit=limit,
    )
    return replace(facts, personal=_personal_pieces(facts, map(source.show, also)))


class _Source:
    """The contributions that were grouped, as they are shown."""

    def __init__(self, table: pa.Table, kept: npt.NDArray[np.int64], mask: str | None) -> None:
        import pyarrow as pa

        rows = pa.array(kept)
        self._all = table.column("id")
        self._kept = kept
        self.ids = [str(name) for name in self._all.take(rows).to_pylist()]
        self.texts = table.column("text").take(rows)
        self.mask = mask
        names = table.column_names
        self.authors = Authors(table.column("author").take(rows) if "author" in names else None)
        self.seconds = seconds_of(table.column("time").take(rows) if "time" in names else None, len(kept))
        self.axis = time_axis(self.seconds)
        self.questions, self.stances = (
            Column(table.column(name).take(rows) if name in names else None, self.show)
            for name in ("question", "stance")
        )

    def empty_ids(self) -> list[object]:
        """The ids of those that were not grouped."""
        left = np.ones(len(self._all), bool)
        left[self._kept] = False
        return [self._all[int(row)].as_py() for row in np.flatnonzero(left)]

    def lengths(self, rows: Sequence[int]) -> list[int]:
        """How many code points the texts of these rows have."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found: list[int] = pc.utf8_length(self.texts.take(pa.array(rows, pa.int64()))).to_pylist()
        return found

    def show(self, text: str) -> str:
        """A text or an id as it is shown."""
        return text if self.mask is None else personal.mask(text, self.mask)

    def quote(self, row: int, limit: int, fit: float, near: str = "") -> Quote:
        """A contribution's words, up to a limit. The whole is masked before it is cut, so that no half of an address stays."""
        told = self.show(str(self.texts[row].as_py()))
        return Quote(self.show(self.ids[row]), told[:limit], max(0, len(told) - limit), fit, near)


class _Teller:
    """Tells what a cluster is."""

    def __init__(
        self,
        source: _Source,
        partition: Partition,
        explained: Explained,
        names: tuple[str, ...],
    ) -> None:
        self.source, self.partition, self.explained, self.names = source, partition, explained, names
        self.limit = _TEXT
        order = np.argsort(partition.labels, kind="stable")
        self.rows = np.split(order, np.cumsum(partition.sizes)[:-1]) if len(names) else []
        labels = partition.labels.astype(np.int64)
        self.accounts = source.authors.of_groups(labels, len(names))

    def quoted(self, labels: Sequence[int]) -> list[int]:
        """The rows whose texts stand on the page if these clusters are shown."""
        rows: list[int] = []
        for label in labels:
            if self.partition.kinds[label] == 0:
                rows += (row for row, _near in self.explained.boundaries[label])
                rows += int(self.explained.medoids[label]), int(self.explained.distant[label])
            else:
                rows += self.rows[label].tolist()
        return [row for row in rows if row >= 0]

    def line(self, label: int) -> Line:
        """A row of the table of all groups."""
        first, last = self._dates(label)
        medoid = int(self.explained.medoids[label])
        quote = self.source.quote(medoid, _SNIPPET, 1.0)
        return Line(
            self.names[label],
            int(self.partition.kinds[label]),
            int(self.partition.sizes[label]),
            self._fit(label),
            tuple(_keyword(self.source.show(word)) for word in self.explained.keywords[label]),
            self.source.ids[medoid],
            quote.text + "…" * (quote.left_out > 0),
            self.accounts[label] if self.accounts else None,
            self._stability(label),
            first,
            last,
        )

    def cluster(self, label: int) -> ClusterFacts:
        """All that is shown of a group."""
        kind = int(self.partition.kinds[label])
        line = self.line(label)
        rows = self.rows[label]
        medoid = int(self.explained.medoids[label])
        distant = int(self.explained.distant[label]) if kind == 0 else -1
        axis = self.source.axis
        others = self._in_order(rows[rows != medoid]) if kind == 1 else []
        return ClusterFacts(
            name=line.name,
            kind=kind,
            size=line.size,
            fit=line.fit,
            keywords=line.keywords,
            medoid=self._quote(medoid),
            boundaries=tuple(
                self._quote(row, self.names[near] if near >= 0 else "")
                for row, near in self.explained.boundaries[label]
            )
            if kind == 0
            else (),
            distant=self._quote(distant) if distant >= 0 else None,
            others=tuple(self._quote(row) for row in others),
            members=tuple(
                self.source.show(name)
                for name in first_ids((self.source.ids[int(row)] for row in rows), MEMBERS)
            )
            if kind == 0
            else (),
            accounts=line.accounts,
            stability=line.stability,
            times=axis.counts(self.source.seconds[rows]) if axis else (),
            first=line.first,
            last=line.last,
            questions=present(self.source.questions.among(rows)) if kind == 0 else (),
            stances=present(self.source.stances.among(rows)) if kind == 0 else (),
        )

    def _quote(self, row: int, near: str = "") -> Quote:
        return self.source.quote(row, self.limit, float(self.partition.fit[row]), near)

    def _in_order(self, rows: npt.NDArray[np.int64]) -> list[int]:
        """Rows by falling fit; of two that fit alike the one whose id has the smaller hash."""
        fit = self.partition.fit
        return sorted(
            (int(row) for row in rows), key=lambda row: (-float(fit[row]), key_of(self.source.ids[row]))
        )

    def _fit(self, label: int) -> float:
        """The mean cosine to the centroid, from whole numbers: a sum of floats would depend on the order of the rows."""
        fits = np.rint(self.partition.fit[self.rows[label]].astype(np.float64) * 2.0**30).astype(np.int64)
        return float(int(fits.sum()) / len(fits) / 2**30)

    def _stability(self, label: int) -> tuple[int, int] | None:
        """In how many resamples it came back, of how many."""
        if self.explained.returned is None or self.explained.seen is None:
            return None
        return int(self.explained.returned[label]), int(self.explained.seen[label])

    def _dates(self, label: int) -> tuple[str, str]:
        axis = self.source.axis
        mine = self.source.seconds[self.rows[label]]
        dated = mine[~np.isnan(mine)]
        if axis is None or not len(dated):
            return "", ""
        return axis.moment(float(dated.min())), axis.moment(float(dated.max()))


def _keyword(word: str) -> str:
    """A keyword; of a very long one the beginning and «…»."""
    return word if len(word) <= _KEYWORD else word[: _KEYWORD - 1] + "…"


def _fair(labels: npt.NDArray[np.int64], keys: Sequence[int], most: int) -> list[int]:
    """At most so many of these clusters, those whose medoids' ids have the smallest hashes, in their own order."""
    every: list[int] = labels.tolist()
    if len(every) <= most:
        return every
    return sorted(sorted(every, key=lambda label: (keys[label], label))[:most])


def _limit(lengths: Sequence[int]) -> int:
    """How many code points of a text are shown: as many as a page of that many texts can hold, the same for all."""
    limit, left, many = _TEXT, _ALL_TEXTS, len(lengths)
    for length in sorted(lengths):
        if min(length, _TEXT) * many > left:
            limit = left // many
            break
        left -= min(length, _TEXT)
        many -= 1
    return max(_LEAST, limit)


def _by_kind(partition: Partition) -> tuple[int, int, int]:
    counts = np.bincount(partition.kinds, weights=partition.sizes, minlength=3).astype(np.int64)
    return int(counts[0]), int(counts[1]), int(counts[2])


def _clusters(partition: Partition) -> tuple[int, int, int]:
    counts = np.bincount(partition.kinds, minlength=3)
    return int(counts[0]), int(counts[1]), int(counts[2])


def _levels(levels: Sequence[LevelCut], chosen: int) -> tuple[LevelFacts, ...]:
    """The levels, each with what its themes fall into and lie in, counted by contributions: every one of them is in exactly one count."""
    names = [cluster_names(level.partition.kinds) for level in levels]
    flows = [_flow(coarse.partition, fine.partition) for coarse, fine in pairwise(levels)]
    found = []
    for number, level in enumerate(levels):
        cut = level.partition
        down = _by_first(flows[number]) if number < len(flows) else {}
        up = _by_first([(b, a, n) for a, b, n in flows[number - 1]]) if number else {}
        branches = []
        for label in range(_clusters(cut)[0]):
            parts, few = _parted(down.get(label, []), levels[number + 1].partition if down else None)
            above = [
                (other, n) for other, n in up.get(label, []) if levels[number - 1].partition.kinds[other] == 0
            ]
            branches.append(
                Branch(
                    names[number][label],
                    int(cut.sizes[label]),
                    tuple(_keyword(word) for word in level.keywords[label]),
                    tuple((names[number + 1][other], count) for other, count in parts),
                    few,
                    (names[number - 1][above[0][0]], above[0][1]) if above else None,
                )
            )
        found.append(
            LevelFacts(
                number + 1,
                float(cut.similarity),
                float(level.persistence),
                _clusters(cut),
                _by_kind(cut),
                tuple(branches),
                number == chosen,
            )
        )
    return tuple(found)


def _flow(coarse: Partition, fine: Partition) -> list[tuple[int, int, int]]:
    """How many contributions go from each cluster of one level to each of another."""
    width = len(fine.sizes)
    codes, counts = np.unique(coarse.labels.astype(np.int64) * width + fine.labels, return_counts=True)
    return list(zip((codes // width).tolist(), (codes % width).tolist(), counts.tolist(), strict=True))


def _by_first(flow: list[tuple[int, int, int]]) -> dict[int, list[tuple[int, int]]]:
    """For each first label the second ones with their counts, the largest first."""
    found: dict[int, list[tuple[int, int]]] = {}
    for one, other, count in flow:
        found.setdefault(one, []).append((other, count))
    return {one: sorted(pairs, key=lambda pair: (-pair[1], pair[0])) for one, pairs in found.items()}


def _parted(
    pairs: list[tuple[int, int]], finer: Partition | None
) -> tuple[list[tuple[int, int]], tuple[int, int, int]]:
    """The themes among the parts, and how many weak signals, contributions in these, and lone voices there are beside them."""
    if finer is None:
        return [], (0, 0, 0)
    kinds = [int(finer.kinds[other]) for other, _count in pairs]
    weak = [count for (_other, count), kind in zip(pairs, kinds, strict=True) if kind == 1]
    themes = [pair for pair, kind in zip(pairs, kinds, strict=True) if kind == 0]
    return themes, (len(weak), sum(weak), kinds.count(2))


def _middles(
    partition: Partition, explained: Explained, centred: npt.NDArray[np.floating] | None
) -> npt.NDArray[np.floating]:
    """The centroid of each cluster; that of a lone voice is its vector."""
    known = partition.centroids
    if len(known) == len(partition.sizes) or centred is None:
        return known
    return np.concatenate([known, centred[explained.medoids[len(known) :]]])


def _map(
    partition: Partition,
    names: tuple[str, ...],
    keys: Sequence[int],
    accounts: Sequence[Accounts],
    middles: npt.NDArray[np.floating],
) -> MapFacts:
    """A map of the themes, with weak signals and lone voices beside what they are most like."""
    labels = [
        label
        for kind, most in enumerate(ON_MAP)
        for label in _fair(np.flatnonzero(partition.kinds == kind), keys, most)
    ]
    labels = [label for label in labels if label < len(middles)]
    centroids = middles[labels]
    places = project(centroids)
    right, asked = agreement(centroids, places)
    return MapFacts(
        tuple(names[label] for label in labels),
        tuple(int(partition.kinds[label]) for label in labels),
        places,
        tuple(int(partition.sizes[label]) for label in labels),
        tuple(accounts[label].different + accounts[label].unnamed for label in labels) if accounts else None,
        right,
        asked,
        len(names) - len(labels),
    )


def _personal_pieces(facts: Facts, also: Iterable[str]) -> int:
    """How many different pieces of all that is shown look like an e-mail address, a telephone number and so on."""
    texts: list[str] = [*facts.empties, *(line.snippet for line in facts.lines), *also]
    for one in facts.shown:
        quotes = (one.medoid, *one.boundaries, *one.others, *((one.distant,) if one.distant else ()))
        texts += (text for quote in quotes for text in (quote.id, quote.text))
        texts += one.members
    return len({piece.text for text in texts for piece in personal.find(text)})
