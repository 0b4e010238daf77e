"""Which contributions of yesterday does this one of today repeat?

An index that grows and shrinks while a consultation runs. `add` gives new texts their groups at once and says what happened to the old ones;
`remove` takes texts out (somebody withdraws their consent) and says which groups fell apart; `query` asks without adding; `save` and `load`
keep it between two days.

Guaranteed: after any sequence of steps the groups are those that :func:`klero.near_duplicates` finds in exact mode among the texts that are
left, with the same rules; they depend on no order, batch or thread. A step happens whole or not at all, also after Ctrl-C. Several threads may
use one index; they take turns.
Not guaranteed: that a group keeps its name: that is its smallest id, and a smaller one may come (`changes` tells). The order of ids is that of
all ids there are: by value while all are whole numbers, else by code points.

Method: prefix filtering with exact verification (`rust/core/src/neardup/index.rs`). Cost: linear in the texts where phrases are rare; a letter
of a campaign costs a few comparisons however large the campaign is. Removing the last copy of a letter joins the rest of its group anew, so
remove many texts in one step. Memory: about 40 bytes a word (90 by containment) and 300 a text; the texts themselves are not kept.

>>> index = NearDuplicateIndex(threshold=0.5)
>>> index.add([1, 2], ["Un tramway pour le nord.", "Oui"]).groups
(None, None)
>>> added = index.add([3], ["Un tramway pour le nord !"])
>>> added.groups, added.changes
(('1',), (GroupChange(groups_before=(), alone_before=('1',), groups_after=('1',), alone_after=()),))
>>> index.query(["UN TRAMWAY, POUR LE NORD"])[0]
(IndexMatch(id='1', similarity=1.0), IndexMatch(id='3', similarity=1.0))
>>> index.remove([1]).changes
(GroupChange(groups_before=('1',), alone_before=(), groups_after=(), alone_after=('3',)),)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from numbers import Integral
from typing import TYPE_CHECKING, Any, cast, overload

import numpy as np
import pyarrow as pa

from klero import _native
from klero.errors import Fault, InputError
from klero.voices import index_file
from klero.voices.ids import id_text, read_ids
from klero.voices.sets import native_chunk
from klero.voices.settings import ALGORITHM, Settings, read_settings, settled, shown
from klero.voices.texts import TextColumn, TextSource, read_texts

if TYPE_CHECKING:
    from klero.voices.ids import Id

__all__ = [
    "GroupChange",
    "IndexAdded",
    "IndexGroup",
    "IndexMatch",
    "IndexMatches",
    "IndexRemoved",
    "NearDuplicateIndex",
]

_ALONE = -1
_NAMED = 5
_MOST = 2**31 - 1
_UNTOLD = {
    "id-empty": "this row has no id, so nothing could be said of its text. Give every row an id.",
    "id-duplicate": "the id is there twice. A group is named by an id: give each text its own.",
    "id-known": "a text with this id is in the index already. Remove it first if this one is to take its place, or give this one another id.",
    "id-unknown": "no text in the index has this id. Look for how it is spelled in the index, or leave it out.",
}


class _Short:
    """Results as `repr` shows them: of many ids the first few, for nobody wants thousands on the screen."""

    def __repr__(self) -> str:
        shown = (f"{one.name}={_shortened(getattr(self, one.name))}" for one in fields(cast("Any", self)))
        return f"{type(self).__name__}({', '.join(shown)})"


def _shortened(value: object) -> str:
    if not isinstance(value, tuple) or len(value) < 2:
        return f"({_shortened(value[0])},)" if isinstance(value, tuple) and value else repr(value)
    more = [f"… {len(value) - _NAMED:,} more"] if len(value) > _NAMED else []
    return f"({', '.join([*map(_shortened, value[:_NAMED]), *more])})"


@dataclass(frozen=True, repr=False)
class GroupChange(_Short):
    """What a step did to texts that were in the index before it, and stayed.

    The members of `groups_before` and the texts `alone_before` are now the members of `groups_after` (but for new and removed texts) and
    the texts `alone_after`. Names are in the order of code points.

    Attributes:
        groups_before: names of groups before the step. Two or more were merged.
        alone_before: ids that were alone before it.
        groups_after: names of groups after it. Two or more: the group fell apart.
        alone_after: ids that are alone after it.
    """

    groups_before: tuple[str, ...]
    alone_before: tuple[str, ...]
    groups_after: tuple[str, ...]
    alone_after: tuple[str, ...]


@dataclass(frozen=True, repr=False)
class IndexAdded(_Short):
    """Where new texts stand. n texts, in the order in which they were given.

    Attributes:
        ids: their ids, as text.
        groups: names of their groups; None for a text that is alone or has no words.
        sizes: texts in that group, this batch included; 1 for a text that is alone, 0 for one without words.
        changes: what happened to groups and lone texts that were there, where that is more than a new member.
        algorithm: name and version of what was computed.
    """

    ids: tuple[str, ...]
    groups: tuple[str | None, ...]
    sizes: tuple[int, ...]
    changes: tuple[GroupChange, ...]
    algorithm: str = ALGORITHM

    def to_arrow(self) -> pa.Table:
        """A row for each new text: id, group (null where there is none), size."""
        text = pa.large_string()
        columns = {
            "id": pa.array(self.ids, text),
            "group": pa.array(self.groups, text),
            "size": pa.array(self.sizes, pa.int64()),
        }
        return pa.table(columns)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table of `to_arrow` as an Arrow stream."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)


@dataclass(frozen=True, repr=False)
class IndexRemoved(_Short):
    """What a removal left behind.

    Attributes:
        ids: the ids removed, as text, in the order in which they were given.
        changes: groups that have another name, fell apart, or are none any more.
        algorithm: name and version of what was computed.
    """

    ids: tuple[str, ...]
    changes: tuple[GroupChange, ...]
    algorithm: str = ALGORITHM

    def to_arrow(self) -> pa.Table:
        """A row for each change: groups_before, groups_after, alone_after (lists of names and ids)."""
        names = ("groups_before", "groups_after", "alone_after")
        kind = pa.large_list(pa.large_string())
        return pa.table(
            {name: pa.array([list(getattr(c, name)) for c in self.changes], kind) for name in names}
        )

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table of `to_arrow` as an Arrow stream."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)


@dataclass(frozen=True, slots=True)
class IndexMatch:
    """A text of the index that matches, and its exact similarity by the measure, 0 to 1."""

    id: str
    similarity: float


@dataclass(frozen=True, repr=False)
class IndexMatches(_Short):
    """What matches each text that was asked about, best first, equal ones in the order of their ids: `matches[i]` of the i-th text.

    Attributes:
        matches: a tuple of matches for each text.
        limit: the most that were asked for; a tuple of this length may have been cut. None: all.
        algorithm: name and version of what was computed.
    """

    matches: tuple[tuple[IndexMatch, ...], ...]
    limit: int | None
    algorithm: str = ALGORITHM

    def __len__(self) -> int:
        return len(self.matches)

    def __iter__(self) -> Iterator[tuple[IndexMatch, ...]]:
        return iter(self.matches)

    @overload
    def __getitem__(self, text: int) -> tuple[IndexMatch, ...]: ...
    @overload
    def __getitem__(self, text: slice) -> tuple[tuple[IndexMatch, ...], ...]: ...
    def __getitem__(self, text: int | slice) -> tuple[IndexMatch, ...] | tuple[tuple[IndexMatch, ...], ...]:
        return self.matches[text]

    def to_arrow(self) -> pa.Table:
        """A row for each match: text (its number among those asked about, from 0), id, similarity."""
        found = [(text, match) for text, matches in enumerate(self.matches) for match in matches]
        return pa.table(
            {
                "text": pa.array([text for text, _ in found], pa.int64()),
                "id": pa.array([match.id for _, match in found], pa.large_string()),
                "similarity": pa.array([match.similarity for _, match in found], pa.float64()),
            }
        )

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table of `to_arrow` as an Arrow stream."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)


@dataclass(frozen=True, repr=False)
class IndexGroup(_Short):
    """A group of texts.

    Attributes:
        id: its name, the smallest id.
        size: its texts.
        distinct: its different sequences of words.
        members: ids, ascending.
    """

    id: str
    size: int
    distinct: int
    members: tuple[str, ...]


class NearDuplicateIndex:
    """An index of texts and their groups.

    Ids are text, in what is given back always: what is added next week may not be numbers, and a column should not change its type then. A whole
    number is its decimal spelling, so 7 and «7» are one id; to put results beside a column of whole numbers, go by the order of rows, or cast.

    Args:
        threshold: least similarity of a match, 0.3 to 1.
        measure: «jaccard» or «containment».
        shingle: words of a shingle, 1 to 9.
        fold_accents: whether «élève» and «eleve» are one word.
        min_shared: shingles that a match must share; None: 1, and 5 by containment. Texts of the same words match whatever they share.

    Raises:
        InputError: with every option that can't be followed.
    """

    def __init__(
        self,
        threshold: float = 0.8,
        measure: str = "jaccard",
        shingle: int = 3,
        fold_accents: bool = False,
        min_shared: int | None = None,
    ) -> None:
        faults: list[Fault] = []
        read = read_settings(
            faults,
            threshold=threshold,
            measure=measure,
            mode="exact",
            recall=0.99,
            shingle=shingle,
            fold_accents=fold_accents,
            min_shared=min_shared,
        )
        if read is None:
            raise InputError(faults)
        self._settings = settled(read, 0)
        s = self._settings
        self._native = _native.NeardupIndex(s.threshold, s.measure, s.min_shared, s.shingle, s.fold_accents)

    @property
    def settings(self) -> Settings:
        """What decides the groups."""
        return self._settings

    def __repr__(self) -> str:
        s = self._settings
        return f"<NearDuplicateIndex: {len(self):,} texts, {s.measure} at least {s.threshold:g}, shingles of {s.shingle} words>"

    def __len__(self) -> int:
        return len(self._native)

    def __contains__(self, id: object) -> bool:  # noqa: A002 (the word of the field)
        name = id_text(id)
        return name is not None and self._native.standing(name) is not None

    def add(self, ids: object, texts: TextSource) -> IndexAdded:
        """Add texts, all of them or, if anything is wrong, none.

        Which text of the index is most similar to a new one is not told: comparing stops as soon as the group is known, often with the first copy.
        `query(texts, limit=1)` before adding tells it, and costs about as much as adding.

        Args:
            ids: n whole numbers or texts, as a list or a column; none of them in the index.
            texts: n texts, as a list of str (None: no text) or a column of pyarrow, polars, pandas or numpy.

        Raises:
            InputError: with every id and text that can't be used.
        """
        faults: list[Fault] = []
        column = read_texts(texts, "texts", faults)
        names = _read_names(ids, None if column is None else len(column), faults)
        if column is None or names is None or faults:
            raise InputError(faults)
        wrong, (groups, which), changes = self._native.add(names, _chunks(column))
        if wrong:
            raise InputError(_id_faults(wrong, names))
        labels = [*groups, (None, 0), (None, 1)]  # -1 and -2 count from the end
        rows = np.frombuffer(which, "<i4").tolist()
        return IndexAdded(
            ids=tuple(names),
            groups=tuple(labels[row][0] for row in rows),
            sizes=tuple(labels[row][1] for row in rows),
            changes=_changes(changes),
        )

    def query(self, texts: TextSource, limit: int | None = 10) -> IndexMatches:
        """What in the index matches each of these texts, without adding them.

        Args:
            texts: as for `add`.
            limit: the most matches for each text; None: all, which for a campaign of m letters are m for each.

        Raises:
            InputError: a text or the limit can't be used.
        """
        faults: list[Fault] = []
        column = read_texts(texts, "texts", faults)
        if limit is not None and (
            not isinstance(limit, Integral) or isinstance(limit, bool) or not 1 <= limit <= _MOST
        ):
            message = f"limit is {shown(limit)}; the most matches of a text are a whole number from 1, or None for all of them."
            faults.append(Fault("option-range", message, ""))
        if column is None or faults:
            raise InputError(faults)
        found = self._native.query(_chunks(column), _MOST if limit is None else int(limit))
        matches = tuple(tuple(IndexMatch(name, similarity) for name, similarity in row) for row in found)
        return IndexMatches(matches, limit)

    def remove(self, ids: object) -> IndexRemoved:
        """Remove texts, all of them or, if anything is wrong, none.

        Args:
            ids: whole numbers or texts, as a list or a column; all of them in the index.

        Raises:
            InputError: with every id that can't be used.
        """
        faults: list[Fault] = []
        names = _read_names(ids, None, faults)
        if names is None or faults:
            raise InputError(faults)
        wrong, changes = self._native.remove(names)
        if wrong:
            raise InputError(_id_faults(wrong, names))
        return IndexRemoved(tuple(names), _changes(changes))

    def groups(self) -> tuple[IndexGroup, ...]:
        """All groups, the largest first, then by id. O(texts in groups)."""
        groups = self._native.groups()
        return tuple(
            IndexGroup(members[0], len(members), distinct, tuple(members)) for members, distinct in groups
        )

    def group_of(self, id: Id) -> str | None:  # noqa: A002
        """The name of a text's group; None if it is alone or has no words.

        Raises:
            InputError: no text has this id.
        """
        name = id_text(id)
        standing = None if name is None else self._native.standing(name)
        if standing is None:
            raise InputError(
                [
                    Fault(
                        "id-unknown",
                        f"{_UNTOLD['id-unknown']} It is {shown(id)}.",
                        "ids",
                        value=name or shown(id),
                    )
                ]
            )
        return standing[0]

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Write the index as one Parquet file, whole or not at all (see :mod:`klero.voices.index_file`).

        The file holds ids and hashes of runs of words, not the texts. Whoever has it can test whether a given phrase stands in a text.

        Raises:
            OutputExistsError: something is there and `force` was not given.
            OSError: the place can't be written.
        """
        index_file.save(path, self._native, self._settings, force=force)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        threshold: float | None = None,
        measure: str | None = None,
        shingle: int | None = None,
        fold_accents: bool | None = None,
        min_shared: int | None = None,
    ) -> NearDuplicateIndex:
        """Read an index that `save` wrote. Groups are found again from its shingles, so this costs what adding them did.

        Args:
            path: the file.
            threshold, measure, shingle, fold_accents, min_shared: what the index must have been made with; None: whatever it was.

        Raises:
            InputError: the file is none, damaged, of another version, or made with other settings than those given.
        """
        asked = {
            "threshold": threshold,
            "measure": measure,
            "shingle": shingle,
            "fold_accents": fold_accents,
            "min_shared": min_shared,
        }
        native, settings = index_file.load(
            path, {name: value for name, value in asked.items() if value is not None}
        )
        index = cls.__new__(cls)
        index._native, index._settings = native, settings
        return index


def _chunks(column: TextColumn) -> list[tuple[object, object, bool, int, int]]:
    return [native_chunk(chunk) for chunk in column.chunks]


def _read_names(ids: object, rows: int | None, faults: list[Fault]) -> list[str] | None:
    if ids is None:
        message = "no ids were given. A text is added under an id and removed by it: give each text one."
        faults.append(Fault("source-type", message, "ids"))
        return None
    column = read_ids(ids, rows, "ids", faults)
    if column is None or column.values is None:
        return None
    names: list[str] = column.values.cast(pa.large_string()).to_pylist()
    return names


def _id_faults(wrong: list[tuple[int, str]], names: list[str]) -> list[Fault]:
    return [_told(code, names[row], row + 1) for row, code in wrong]


def _told(code: str, name: str, row: int) -> Fault:
    if code == "id-known":
        return Fault("id-known", _UNTOLD["id-known"], "ids", row, value=name)
    return Fault(code, _UNTOLD[code], "ids", row, value=name)


def _changes(changes: list[tuple[list[str], list[str], list[str], list[str]]]) -> tuple[GroupChange, ...]:
    return tuple(GroupChange(*map(tuple, change)) for change in changes)
