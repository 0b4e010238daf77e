"""Which contributions let a reader see what a theme holds, its middle and its edges?

- The *medoid*: the member nearest to the theme's centre (Kaufman and Rousseeuw 1987); of near-copies of it the earliest.
- *Central* quotes: the medoid, and members of the nearer half that differ from those quoted before (maximal marginal relevance, Carbonell and
  Goldstein, SIGIR 1998, with λ = 2/3: twice the nearness to the centre, less the nearness to the most alike quote).
- *Boundary* quotes: members that another theme would have taken almost as well, with that theme.
- The *most distant* member: what this theme smooths out.
- The *newest*, where times are given.

Every quote is a contribution as it was written, with its id and row. A longer one is cut at a stated length, which «…» and `cut` tell. Nothing is ever
generated, corrected or summed up. An empty contribution is quoted nowhere.

Guaranteed: nearness is compared in whole numbers (:mod:`klero.themes._cosines`), so the same contributions are quoted on every machine, and for any
order of rows (ties go to the earlier time, then to the id that comes first, or without ids to the text that does). Not guaranteed: that a medoid stands
for everybody in its theme; that is why the most distant member is beside it.
Cost: one product of each contribution with each theme's centre. Nothing random.

>>> import numpy as np
>>> vectors = np.array([[1, 0], [0.96, 0.28], [0.8, 0.6], [0, 1], [0.28, 0.96]])
>>> found = theme_quotes([0, 0, 0, 1, 1], vectors, ["Trams!", "More trams", "Trams and bikes", "Bikes!", "More bikes"], ids=list("abcde"))
>>> found[0].medoid.text, found[0].distant.id, [quote.id for quote in found[0].central]
('More trams', 'c', ['b', 'c', 'a'])
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from klero.errors import Fault
from klero.themes._cosines import NEAR_COPY, Cosines, check_unit, cosine
from klero.themes._inputs import (
    NEVER,
    Column,
    Groups,
    Ints,
    PartitionLike,
    counted_rows,
    raise_all,
    read_groups,
    read_matrix,
    read_times,
)
from klero.themes.names import KINDS
from klero.voices.ids import IdColumn, read_ids
from klero.voices.settings import read_whole
from klero.voices.texts import TextColumn, TextSource, read_texts

if TYPE_CHECKING:
    from klero.voices.ids import Id

__all__ = ["Quote", "Quotes", "ThemeQuotes", "cut_text", "theme_quotes"]

ALGORITHM = "klero-quotes/1"
LONGEST = 280

_LEAST_LONG, _MOST_LONG, _MOST = 20, 1_000_000, 100
_BACK = 40  # so far back a cut looks for a space
_POOL = 1000  # members among whom quotes that differ are looked for
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Quote:
    """A contribution as it was written.

    Attributes:
        row: its row, from 0.
        id: its id.
        text: what was written; of a longer one the beginning, and «…».
        cut: whether it is the beginning only.
        length: code points of the whole.
        similarity: cosine to the centre of its group.
        other: of a boundary quote, the label of the theme that is next; None elsewhere.
        other_similarity: cosine to that theme's centre.
        time: when it was made, in UTC, if that is known.
    """

    row: int
    id: Id
    text: str
    cut: bool
    length: int
    similarity: float
    other: int | None = None
    other_similarity: float | None = None
    time: dt.datetime | None = None

    def to_dict(self) -> dict[str, object]:
        """For JSON; what is not known is left out."""
        data: dict[str, object] = {
            "id": self.id,
            "row": self.row,
            "text": self.text,
            "cut": self.cut,
            "length": self.length,
            "similarity": self.similarity,
        }
        if self.other is not None:
            data |= {"other": self.other, "other_similarity": self.other_similarity}
        if self.time is not None:
            data["time"] = self.time.isoformat()
        return data


@dataclass(frozen=True)
class ThemeQuotes:
    """The quotes of one group.

    Attributes:
        label, kind, size: of the group; `kind` as in `KINDS`.
        medoid: the member nearest to the centre; None if all are empty.
        central: the medoid, then others of the nearer half that differ.
        boundary: members near another theme; only of themes, and if there is another.
        distant: the member that fits worst, if it is not the medoid.
        newest: the latest first, where times are given.
    """

    label: int
    kind: str
    size: int
    medoid: Quote | None
    central: tuple[Quote, ...]
    boundary: tuple[Quote, ...]
    distant: Quote | None
    newest: tuple[Quote, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "label": self.label,
            "kind": self.kind,
            "size": self.size,
            "medoid": self.medoid and self.medoid.to_dict(),
            "central": [quote.to_dict() for quote in self.central],
            "boundary": [quote.to_dict() for quote in self.boundary],
            "distant": self.distant and self.distant.to_dict(),
            "newest": [quote.to_dict() for quote in self.newest],
        }


@dataclass(frozen=True)
class Quotes:
    """The quotes of every group; `longest` code points are shown of a text at most."""

    of: tuple[ThemeQuotes, ...]
    longest: int
    algorithm: str = ALGORITHM

    def __len__(self) -> int:
        return len(self.of)

    def __iter__(self) -> Iterator[ThemeQuotes]:
        return iter(self.of)

    def __getitem__(self, label: int) -> ThemeQuotes:
        return self.of[label]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "algorithm": self.algorithm,
            "longest": self.longest,
            "groups": [group.to_dict() for group in self.of],
        }


def cut_text(text: str, longest: int) -> tuple[str, bool]:
    """(a text of at most `longest` code points, whether it was cut): as it is, or its beginning and «…», cut before a word or letter and not within one.

    >>> cut_text("Des pistes cyclables partout", 20)
    ('Des pistes…', True)
    """
    if len(text) <= longest:
        return text, False
    end = longest - 1
    spaces = [at for at in range(max(end - _BACK, 1), end + 1) if text[at].isspace()]
    if spaces:
        end = spaces[-1]
    else:
        # Marks stay on their letter, and the parts of an emoji together.
        while end > 1 and (
            unicodedata.combining(text[end]) or "\u200d" in text[end - 1 : end + 1] or text[end] == "\ufe0f"
        ):
            end -= 1
    return text[:end].rstrip() + "…", True


def theme_quotes(
    partition: PartitionLike | Sequence[int] | Ints,
    vectors: npt.NDArray[np.floating],
    texts: TextSource,
    *,
    ids: Column | None = None,
    times: Column | None = None,
    central: int = 3,
    boundary: int = 2,
    newest: int = 3,
    longest: int = LONGEST,
) -> Quotes:
    """The quotes of every group.

    Args:
        partition: which contribution is in which group: a `Partition`, or whole numbers from 0 on.
        vectors: the contributions' vectors, centred, of unit length: `Themes.centred(X)`.
        texts: what was written.
        ids: of the contributions; None: rows are numbered from 0.
        times: when each was made, as timestamps or texts; empty ones are never the newest.
        central, boundary, newest: how many quotes of each sort, 0 to 100.
        longest: code points of a text that are shown, at least 20.

    Raises:
        InputError: the columns are not equally long, or something is of the wrong type; all faults together.
    """
    faults: list[Fault] = []
    sources = read_sources(partition, vectors, texts, ids, times, faults)
    for name, value in (("central", central), ("boundary", boundary), ("newest", newest)):
        read_whole(faults, name, value, 0, _MOST, "the quotes of that sort")
    read_whole(
        faults, "longest", longest, _LEAST_LONG, _MOST_LONG, "the code points of a text that are shown"
    )
    raise_all(faults)
    if sources is None:
        raise AssertionError
    chooser = Chooser(sources, longest)
    return Quotes(
        tuple(chooser.group(label, central, boundary, newest) for label in range(len(sources.groups))),
        longest,
    )


@dataclass(frozen=True, eq=False)
class Sources:
    """What was given, read."""

    groups: Groups
    cosines: Cosines
    texts: TextColumn
    ids: IdColumn
    times: Ints | None

    def id(self, row: int) -> Id:
        """The id of a row."""
        name: Id = self.ids.slice(row, 1)[0].as_py()
        return name


def read_sources(
    partition: object, vectors: object, texts: object, ids: object, times: object, faults: list[Fault]
) -> Sources | None:
    """All that quotes are made of; or None, and what is wrong with it added to `faults`."""
    before = len(faults)
    groups = read_groups(partition, faults)
    column = read_texts(texts, "texts", faults)
    if groups is None or column is None:
        return None
    rows = len(groups.labels)
    counted_rows(len(column), rows, "texts", faults)
    matrix = read_matrix(vectors, rows, faults)
    names = read_ids(ids, rows, "ids", faults)
    moments = None if times is None else read_times(times, rows, faults)
    if matrix is not None:
        check_unit(matrix, faults)
    if len(faults) > before or matrix is None or names is None:
        return None
    cosines = Cosines(matrix, groups, getattr(partition, "centroids", None))
    return Sources(groups, cosines, column, names, moments)


class Chooser:
    """Chooses quotes, one group after the other."""

    def __init__(self, sources: Sources, longest: int = LONGEST) -> None:
        self.sources, self.longest = sources, longest
        self.themes = np.flatnonzero(sources.groups.kinds == 0)
        self.rank = _ranks(sources)
        order = np.argsort(sources.groups.labels, kind="stable")
        self._members = np.split(order, np.cumsum(sources.groups.sizes)[:-1]) if len(sources.groups) else []
        self._filled = _filled(sources.texts)

    @cached_property
    def _others(self) -> tuple[Ints, Ints]:
        return self.sources.cosines.nearest_other(self.themes, np.arange(len(self.rank)))

    def members(self, label: int) -> Ints:
        """The rows of a group whose texts are not empty, nearest to its centre first."""
        rows = self._members[label]
        rows = rows[self._filled[rows]]
        return rows[np.lexsort((self.rank[rows], -self.sources.cosines.own[rows]))]

    def quote(self, row: int, other: bool = False) -> Quote:
        """A contribution as a quote; with the theme that is next, if `other`."""
        sources = self.sources
        text = sources.texts[row]
        shown, cut = cut_text(text, self.longest)
        moment = None if sources.times is None or sources.times[row] == NEVER else sources.times[row]
        return Quote(
            row=row,
            id=sources.id(row),
            text=shown,
            cut=cut,
            length=len(text),
            similarity=cosine(sources.cosines.own[row]),
            other=int(self._others[0][row]) if other else None,
            other_similarity=cosine(self._others[1][row]) if other else None,
            time=None if moment is None else _EPOCH + dt.timedelta(microseconds=int(moment)),
        )

    def group(self, label: int, central: int, boundary: int, newest: int) -> ThemeQuotes:
        """The quotes of a group."""
        groups, rows = self.sources.groups, self.members(label)
        kind, size = int(groups.kinds[label]), int(groups.sizes[label])
        middle = self._central(rows, central)
        medoid = self._medoid(rows)
        distant = None
        if len(rows) > 1:
            worst = int(self.sources.cosines.own[rows].min())
            last = rows[self.sources.cosines.own[rows] == worst]
            row = int(last[np.argmin(self.rank[last])])
            distant = None if row == medoid else self.quote(row)
        return ThemeQuotes(
            label=label,
            kind=KINDS[kind],
            size=size,
            medoid=None if medoid is None else self.quote(medoid),
            central=tuple(self.quote(row) for row in middle),
            boundary=tuple(self.quote(row, True) for row in self._boundary(rows, boundary))
            if kind == 0
            else (),
            distant=distant,
            newest=tuple(self.quote(row) for row in self._newest(rows, newest)),
        )

    def _medoid(self, rows: Ints) -> int | None:
        if not len(rows):
            return None
        cosines = self.sources.cosines
        copies = rows[cosines.with_row(int(rows[0]), rows) >= NEAR_COPY]
        return self._earliest(np.union1d(rows[:1], copies))

    def _earliest(self, rows: Ints) -> int:
        times = self.sources.times
        moments = (
            np.zeros(len(rows), np.int64)
            if times is None
            else np.where(times[rows] == NEVER, -(NEVER + 1), times[rows])
        )
        return int(rows[np.lexsort((self.rank[rows], moments))[0]])

    def _central(self, rows: Ints, most: int) -> list[int]:
        medoid = self._medoid(rows)
        if medoid is None or not most:
            return []
        pool = rows[: min(max(-(-len(rows) // 2), most), _POOL)]
        return self._apart(pool, 2 * self.sources.cosines.own[pool], most, medoid)

    def _boundary(self, rows: Ints, most: int) -> list[int]:
        others, products = self._others
        rows = rows[others[rows] >= 0]
        margin = self.sources.cosines.own[rows] - products[rows]
        order = np.lexsort((self.rank[rows], margin))[:_POOL]
        return self._apart(rows[order], -4 * margin[order], most)

    def _newest(self, rows: Ints, most: int) -> list[int]:
        times = self.sources.times
        if times is None:
            return []
        rows = rows[times[rows] != NEVER]
        order = np.lexsort((self.rank[rows], -times[rows]))[:most]
        return [int(row) for row in rows[order]]

    def _apart(self, pool: Ints, worth: Ints, most: int, first: int | None = None) -> list[int]:
        """Rows of the pool, one by one, by their worth less their nearness to the most alike one that is there; never a near-copy."""
        chosen: list[int] = [] if first is None else [first]
        vectors = self.sources.cosines.of(pool)
        nearest = np.full(len(pool), np.iinfo(np.int64).min)
        rank = self.rank[pool]
        while len(chosen) < most:
            if chosen:
                last = self.sources.cosines.of(np.array(chosen[-1:]))[0]
                nearest = np.maximum(nearest, (vectors @ last).astype(np.int64))
            free = np.flatnonzero((nearest < NEAR_COPY) & ~np.isin(pool, chosen))
            if not len(free):
                break
            value = worth[free] - (nearest[free] if chosen else 0)
            chosen.append(int(pool[free[np.lexsort((rank[free], -value))[0]]]))
        return chosen


def _ranks(sources: Sources) -> Ints:
    """The place of each row among equals: of its id, or if there are none, of its text."""
    rows = len(sources.groups.labels)
    if sources.ids.values is not None:
        ranks = sources.ids.ranks
        return np.arange(rows) if ranks is None else ranks.astype(np.int64)
    if not rows:
        return np.zeros(0, np.int64)
    texts = pa.chunked_array([chunk.cast(pa.large_string()) for chunk in sources.texts.chunks])
    order = pc.sort_indices(texts).to_numpy()
    places = np.empty(rows, np.int64)
    places[order] = np.arange(rows)
    return places


def _filled(texts: TextColumn) -> npt.NDArray[np.bool_]:
    parts = [pc.greater(pc.utf8_length(pc.utf8_trim_whitespace(chunk)), 0) for chunk in texts.chunks]
    arrays = [part.to_numpy(zero_copy_only=False) for part in parts]
    return np.concatenate([np.zeros(0, np.bool_), *arrays])
