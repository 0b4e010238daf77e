"""The facts of a page about contributions that don't fit memory: groups from a table on disk, texts from a second pass of the file.

Two passes: one of the result's rows, which keeps 24 bytes for each member of a group that is shown; one of the contributions, which keeps the
texts that are shown or looked at, at most 200 a group. Dates, questions, stances and authors are not read, so the page has none
and counts no accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klero.voices.ids import first_ids, key_of
from klero.voices.repeats_facts import (
    GROUPS,
    MEMBERS,
    Facts,
    described,
    facts_of,
    lines_of,
    shown_as,
)
from klero.voices.repeats_texts import Members

if TYPE_CHECKING:
    from klero.voices.groups import GroupSummary
    from klero.voices.ids import Id
    from klero.voices.streaming import FileResult

__all__ = ["gather_file"]

_LOOKED_AT = 200


def gather_file(
    found: FileResult,
    contributions: Callable[[], Iterator[pa.RecordBatch]],
    *,
    groups: int | None = None,
    mask: str | None = None,
) -> Facts:
    """The facts of a page.

    Args:
        found: near-duplicates of a file.
        contributions: gives its ids and texts anew, in the same order.
        groups: how many groups, the largest first, are shown in full; None for as many as usual.
        mask: as in :func:`klero.voices.repeats_facts.gather`.
    """
    show = shown_as(mask)
    listed = list(found.largest)
    shown = listed[: GROUPS if groups is None else groups]
    sizes, members, representatives, names = _rows(found.batches(), listed, len(shown))
    wanted = set(representatives)
    for one in members:
        wanted.update((*one.looked_at(_LOOKED_AT), *one.compared()))
    texts = _texts(contributions(), np.array(sorted(wanted), np.int64))
    described_groups = tuple(
        replace(
            described(n, group, one, texts.__getitem__, found.settings, show, most=_LOOKED_AT),
            members=tuple(map(show, first_ids(names[n - 1], MEMBERS))),
        )
        for n, (group, one) in enumerate(zip(shown, members, strict=True), start=1)
    )
    lines = lines_of(listed, (texts[row][1] for row in representatives), show)
    return facts_of(found, lines, described_groups, sizes, masked=mask is not None)


def _rows(
    batches: Iterable[pa.RecordBatch], listed: Sequence[GroupSummary], shown: int
) -> tuple[list[int], list[Members], list[int], list[list[str]]]:
    """The sizes of all groups, the members of those shown, the rows of all listed representatives, and the first ids of each group shown."""
    place = {group.id: n for n, group in enumerate(listed)}
    of_size: dict[int, int] = {}
    found: list[list[tuple[int, float, int]]] = [[] for _ in listed[:shown]]
    representatives = [-1] * len(listed)
    names: list[list[str]] = [[] for _ in listed[:shown]]
    start = 0
    for batch in batches:
        sizes, counts = np.unique(batch.column("size").to_numpy(zero_copy_only=False), return_counts=True)
        for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
            of_size[size] = of_size.get(size, 0) + count
        if listed:
            column = batch.column("group")
            known = pc.is_in(column, value_set=pa.array(list(place), column.type))
            rows = np.flatnonzero(known.to_numpy(zero_copy_only=False))
            some = batch.take(pa.array(rows)).to_pydict()
            for row, name, group, similarity, representative in zip(
                rows.tolist(),
                some["id"],
                some["group"],
                some["similarity"],
                some["representative"],
                strict=True,
            ):
                at = place[group]
                if name == representative:
                    representatives[at] = start + row
                if at < shown:
                    found[at].append((start + row, similarity, key_of(name)))
                    names[at].append(str(name))
                    if len(names[at]) > 2 * MEMBERS:
                        names[at] = first_ids(names[at], MEMBERS)
        start += batch.num_rows
    groups = [size for size, count in of_size.items() if size > 1 for _ in range(count // size)]
    members = [_members(rows, representatives[n]) for n, rows in enumerate(found)]
    return groups, members, representatives, names


def _members(rows: list[tuple[int, float, int]], representative: int) -> Members:
    table = zip(*rows, strict=True)
    numbers, similarity, keys = (list(column) for column in table)
    return Members(
        np.array(numbers, np.int64),
        np.array(similarity, np.float64),
        np.array(keys, np.uint64),
        representative,
    )


def _texts(
    batches: Iterable[pa.RecordBatch], wanted: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> dict[int, tuple[Id, str]]:
    """Ids and texts of these rows, which are in rising order."""
    texts: dict[int, tuple[Id, str]] = {}
    start = 0
    for batch in batches:
        low, high = np.searchsorted(wanted, (start, start + batch.num_rows))
        mine = wanted[low:high]
        if len(mine):
            some = batch.take(pa.array(mine - start))
            pairs = zip(some.column("id").to_pylist(), some.column("text").to_pylist(), strict=True)
            texts.update(zip(mine.tolist(), cast("Iterable[tuple[Id, str]]", pairs), strict=True))
        start += batch.num_rows
    return texts
