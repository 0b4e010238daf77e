"""How are near-duplicates found when no machine holds all texts? In parts, whose order and number change nothing.

Pure functions from Arrow batches to Arrow batches, and one merge; whoever runs them (processes, machines, a query engine) only has to move rows:

1. `shingle_entries` of each batch of (id, text): one entry for each key of a text. Two texts that match share a key.
2. Bring the entries with the same key together, in any number of parts.
3. `join_bucketed` of each part: links between texts that match.
4. `Forest.of(ids, links)` of each, then `Forest.merge`: associative, commutative, idempotent. Its `groups()` are those of all texts.
5. Bring the texts of a group together and `describe_groups` of each part: the rows that `near_duplicates` gives of all texts at once.

Keys are a prefix of the set, by the hashes' own order: with at least s shared shingles out of |A|, the smallest shared one is among the
|A| − s + 1 smallest of A (the prefix filter of Chaudhuri, Ganti and Kaushik, ICDE 2006; Bayardo et al., WWW 2007). Any fixed order is right;
this one needs no counts over all texts, at the price of more candidates than `near_duplicates` looks at. Under containment the longer text
shares few of its shingles, so all of them are keys, and `asks` says which belong to the prefix.

Guaranteed: the same rows as `near_duplicates` in exact mode, byte for byte, however texts and keys are dealt out. Ids must differ over all
batches: an id that comes twice is taken for one text. Cost: an entry holds its whole set, so entries take about (1 − t) · |A|² · 8 bytes a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa

from klero.errors import Fault, InputError
from klero.voices.ids import Id, read_ids
from klero.voices.near_duplicates import find
from klero.voices.sets import least_shared, similarities, text_sets
from klero.voices.settings import Resources, Settings
from klero.voices.texts import read_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from klero.voices.ids import IdColumn
    from klero.voices.texts import TextColumn

__all__ = ["Forest", "describe_groups", "join_bucketed", "shingle_entries"]


def shingle_entries(batch: pa.RecordBatch | pa.Table, settings: Settings) -> pa.Table:
    """The entries of a batch of texts.

    Args:
        batch: columns `id` (whole numbers or text) and `text`.
        settings: with the same shingle, measure and threshold for all batches.

    Returns:
        `key` (uint64), `id`, `asks` (whether the text looks for partners under this key; else it only lets itself be found), `sequence` (16
        bytes, the same for the same words in the same order), `shingles` (list of uint64, ascending). A text without words has no entry.

    Raises:
        InputError: with everything that is wrong with ids and texts.
    """
    texts, ids = _columns(batch, None)
    sets = text_sets(texts, settings)
    sizes = sets.sizes
    least = {size: least_shared(size, settings) for size in np.unique(sizes).tolist() if size}
    asking = np.array([max(size - least[size] + 1, 0) if size else 0 for size in sizes.tolist()], np.int64)
    # Copies match whatever they share, so even a text too short to ask is found under one key.
    count = np.minimum(np.maximum(asking, 1), sizes) if settings.measure == "jaccard" else sizes
    row = np.repeat(np.arange(len(sizes)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    shingles = pa.LargeListArray.from_arrays(pa.array(sets.starts), pa.array(sets.shingles))
    sequences = pa.Array.from_buffers(
        pa.binary(16), len(sizes), [None, pa.py_buffer(np.ascontiguousarray(sets.sequences))]
    )
    return pa.table(
        {
            "key": pa.array(sets.shingles[sets.starts[row] + place]),
            "id": ids.take(row),
            "asks": pa.array(place < asking[row]),
            "sequence": sequences.take(pa.array(row)),
            "shingles": shingles.take(pa.array(row)),
        }
    )


def join_bucketed(entries: pa.RecordBatch | pa.Table, settings: Settings) -> pa.Table:
    """Links between texts that match, enough to tie together all that match by way of these keys.

    Args:
        entries: rows of `shingle_entries`; all rows of each key that is among them.
        settings: those of the entries.

    Returns:
        `a`, `b` (ids) and `similarity`. A link that others already imply may be left out.
    """
    keys = entries["key"].to_numpy()
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=~keys[order][:1]))
    ids = entries["id"].to_pylist()
    bucketed = _Bucketed(
        ids=ids,
        asks=entries["asks"].to_pylist(),
        sequences=entries["sequence"].to_pylist(),
        sets=entries["shingles"],
        settings=settings,
    )
    links: list[tuple[Id, Id, float]] = []
    for bucket in np.split(order, starts[1:]):
        if len(bucket) > 1:
            links.extend(bucketed.links(bucket.tolist()))
    kind = entries.schema.field("id").type
    columns = list(zip(*links, strict=True)) or [(), (), ()]
    types = {"a": kind, "b": kind, "similarity": pa.float64()}
    return pa.table(
        {name: pa.array(column, types[name]) for name, column in zip(types, columns, strict=True)}
    )


class _Bucketed:
    """Entries, and what was joined among them so far."""

    def __init__(
        self,
        *,
        ids: list[Id],
        asks: list[bool],
        sequences: list[bytes],
        sets: pa.ChunkedArray,
        settings: Settings,
    ) -> None:
        self._ids, self._asks, self._sequences, self._sets = ids, asks, sequences, sets
        self._settings = settings
        self._tree = _Union()

    def links(self, bucket: list[int]) -> Iterator[tuple[Id, Id, float]]:
        """New links among the entries of one key: copies to one of them, then every two different texts that aren't joined yet."""
        first: dict[bytes, int] = {}
        for entry in bucket:
            same = first.setdefault(self._sequences[entry], entry)
            if self._tree.join(self._ids[same], self._ids[entry]):
                yield self._ids[same], self._ids[entry], 1.0
        for one, other in combinations(first.values(), 2):
            a, b = self._ids[one], self._ids[other]
            if (self._asks[one] or self._asks[other]) and self._tree.root(a) != self._tree.root(b):
                similarity, match = self._compared(one, other)
                if match:
                    self._tree.join(a, b)
                    yield a, b, similarity

    def _compared(self, one: int, other: int) -> tuple[float, bool]:
        a, b = self._set(one), self._set(other)
        shared = len(np.intersect1d(a, b, assume_unique=True))
        similarity, match = similarities(np.array([shared]), len(a), np.array([len(b)]), self._settings)
        return float(similarity[0]), bool(match[0])

    def _set(self, entry: int) -> NDArray[np.uint64]:
        return cast("NDArray[np.uint64]", self._sets[entry].values.to_numpy())


class _Union:
    """Which ids are tied together: each tree's root is the smallest id in it."""

    def __init__(self, roots: Mapping[Id, Id] | None = None) -> None:
        self.parents: dict[Id, Id] = dict(roots or {})

    def root(self, name: Id) -> Id:
        parents = self.parents
        parent = parents.setdefault(name, name)
        while parent != name:
            grandparent = parents[parent]
            parents[name] = grandparent
            name, parent = parent, grandparent
        return name

    def join(self, a: Id, b: Id) -> bool:
        """Ties two ids together; False if they were."""
        a, b = self.root(a), self.root(b)
        if a == b:
            return False
        # Ids of one forest are all whole numbers or all text (`Forest.of`).
        low, high = (a, b) if cast(int, a) < cast(int, b) else (b, a)
        self.parents[high] = low
        return True


@dataclass(frozen=True)
class Forest:
    """Which texts are tied together, as far as is known.

    Forests of parts merge into that of the whole: `a.merge(b) == b.merge(a)`, `a.merge(b).merge(c) == a.merge(b.merge(c))`,
    `a.merge(a) == a`.

    >>> one, two = Forest.of(["b", "c", "d"], [("b", "c")]), Forest.of(["a", "c"], [("a", "c")])
    >>> one.merge(two).groups().to_pylist()[:3]
    [{'id': 'a', 'group': 'a'}, {'id': 'b', 'group': 'a'}, {'id': 'c', 'group': 'a'}]

    Attributes:
        roots: for each id the smallest one tied to it; whole numbers compare as numbers, texts by code points.
    """

    roots: Mapping[Id, Id]

    @classmethod
    def of(
        cls,
        ids: Iterable[Id] | pa.Array | pa.ChunkedArray = (),
        links: pa.Table | Iterable[tuple[Id, Id]] = (),
    ) -> Forest:
        """The forest of these texts and links. O(n).

        Args:
            ids: all texts of a batch, so that those that match nothing are known as well.
            links: of `join_bucketed`, or pairs of ids.

        Raises:
            InputError: some ids are whole numbers and some are texts.
        """
        names = ids.to_pylist() if isinstance(ids, pa.Array | pa.ChunkedArray) else list(ids)
        tree = _Union({name: name for name in names})
        tied = (
            list(zip(links["a"].to_pylist(), links["b"].to_pylist(), strict=True))
            if isinstance(links, pa.Table)
            else list(links)
        )
        _check_one_type({type(name) for name in [*names, *(name for pair in tied for name in pair)]})
        for a, b in tied:
            tree.join(a, b)
        return cls(MappingProxyType({name: tree.root(name) for name in list(tree.parents)}))

    def merge(self, *others: Forest) -> Forest:
        """The forest of all these together. O(n) in all their ids.

        Raises:
            InputError: some ids are whole numbers and some are texts.
        """
        return reduce(_merged, others, self)

    @property
    def numbers(self) -> bool:
        """Whether ids compare as numbers: all of them are whole numbers in their canonical spelling. Known only of the whole."""
        return self._column().numbers

    def groups(self) -> pa.Table:
        """A row for each text, by id: `id` and `group`, the smallest id of its group, null where it is alone."""
        column = self._column()
        names = list(self.roots)
        order = column.order()
        ordered = names if order is None else [names[row] for row in order.tolist()]
        smallest: dict[Id, Id] = {}
        size: dict[Id, int] = {}
        for name in ordered:
            root = self.roots[name]
            smallest.setdefault(root, name)
            size[root] = size.get(root, 0) + 1
        groups = [smallest[root] if size[root] > 1 else None for root in map(self.roots.__getitem__, ordered)]
        return pa.table({"id": pa.array(ordered, column.type), "group": pa.array(groups, column.type)})

    def _column(self) -> IdColumn:
        faults: list[Fault] = []
        column = read_ids(list(self.roots), len(self.roots), "ids", faults)
        if column is None:
            raise InputError(faults)
        return column


def _merged(one: Forest, other: Forest) -> Forest:
    if len(one.roots) < len(other.roots):
        one, other = other, one
    if one.roots and other.roots:
        _check_one_type({type(next(iter(one.roots))), type(next(iter(other.roots)))})
    tree = _Union(one.roots)
    for name, root in other.roots.items():
        tree.join(name, root)
    return Forest(MappingProxyType({name: tree.root(name) for name in list(tree.parents)}))


def _check_one_type(types: set[type]) -> None:
    if len(types) > 1 or not types <= {int, str}:
        named = " and ".join(sorted(kind.__name__ for kind in types))
        message = f"the ids of these parts are of the types {named}. Give all of them as whole numbers, or all as text."
        raise InputError([Fault("id-type", message, "ids")])


def describe_groups(batch: pa.RecordBatch | pa.Table, settings: Settings, *, numbers: bool) -> pa.Table:
    """The rows of `NearDuplicates.to_arrow` for a part of the texts that holds groups whole: a group's rows depend on nothing else.

    Args:
        batch: columns `id` and `text`; with a text, all of its group.
        settings: those of the entries.
        numbers: whether ids compare as numbers, as the merged forest says. A part can't tell by itself.

    Raises:
        InputError: with everything that is wrong with ids and texts.
    """
    texts, ids = _columns(batch, numbers)
    return find(texts, ids, settings, Resources(1, None)).to_arrow()


def _columns(batch: pa.RecordBatch | pa.Table, numbers: bool | None) -> tuple[TextColumn, IdColumn]:
    faults: list[Fault] = []
    names = batch.schema.names
    for column in ("id", "text"):
        if column not in names:
            message = f"the batch has no column '{column}'. Give the columns 'id' and 'text'."
            faults.append(Fault("column-missing", message, "batch", column=column))
    if faults:
        raise InputError(faults)
    texts = read_texts(_chunked(batch["text"]), "texts", faults)
    ids = read_ids(_chunked(batch["id"]), batch.num_rows, "ids", faults, numbers)
    if faults or texts is None or ids is None:
        raise InputError(faults)
    return texts, ids


def _chunked(column: pa.Array | pa.ChunkedArray) -> pa.ChunkedArray:
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
