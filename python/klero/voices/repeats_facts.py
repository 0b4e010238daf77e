"""What does a page about repeated contributions have to say, as data?

Everything that :mod:`klero.voices.repeats_report` shows is gathered here from near-duplicates and the contributions that they were found in:
counts, and for as many of the largest groups as are shown the letter, its spread, its dates and a few comparisons. Authors are only
counted. Texts are cut here, so that neither one text of 50 MB nor a campaign of 10^5 letters makes a page that nobody can open.

Cost: one pass over the contributions, and for each group shown the template of the group and at most three comparisons.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from klero.voices import personal
from klero.voices.accounts import Accounts, Authors
from klero.voices.breakdowns import Breakdown, Column, present
from klero.voices.ids import first_ids, key_of
from klero.voices.repeats_texts import LONGEST, LOOKED_AT, Comparison, Members, Shown, told
from klero.voices.times import TimeAxis, seconds_of, time_axis

if TYPE_CHECKING:
    import pyarrow as pa

    from klero.voices.groups import GroupSummary
    from klero.voices.ids import Id
    from klero.voices.near_duplicates import NearDuplicates
    from klero.voices.settings import Settings
    from klero.voices.streaming import FileResult

__all__ = [
    "Facts",
    "GroupFacts",
    "Line",
    "Rung",
    "SizeClass",
    "described",
    "facts_of",
    "gather",
    "lines_of",
    "shown_as",
    "size_classes",
]

GROUPS = 25  # shown in full
LISTED = 100  # shown with a line in the table
MEMBERS = 200  # ids of a group that are shown
_SNIPPET = 100  # code points of a text in the list of groups
_EDGES = (1, 2, 3, 10, 100, 1000, 10_000, 100_000)  # sizes at which a class of sizes begins


@dataclass(frozen=True, slots=True)
class GroupFacts:
    """A group as it is shown.

    `similarities` are those of all members to the representative, in rising order; `looked_at` is how many members the letter is told from;
    `members`: the first ids, in rising order; `accounts`: as in `Line`.
    """

    number: int
    id: str
    representative: str
    size: int
    distinct: int
    weakest: float
    similarities: npt.NDArray[np.float64]
    letter: Shown
    comparisons: tuple[Comparison, ...]
    looked_at: int
    questions: tuple[Breakdown, ...] = ()
    stances: tuple[Breakdown, ...] = ()
    times: tuple[int, ...] = ()
    first: str = ""
    last: str = ""
    members: tuple[str, ...] = ()
    accounts: Accounts | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A group in the list of groups. `snippet`: the beginning of its representative's text; `accounts`: None where authors were not read."""

    number: int
    id: str
    size: int
    distinct: int
    weakest: float
    snippet: str
    accounts: Accounts | None = None


@dataclass(frozen=True, slots=True)
class SizeClass:
    """Groups (or texts that stand alone: `low` 1) of `low` to `high` contributions (None: no upper end)."""

    low: int
    high: int | None
    groups: int
    contributions: int


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the page shows of what was found.

    `times_…` are counts by bin of `axis`, `undated` those that are in none; `personal` counts the different pieces of what is shown (texts, ids,
    values) that look like personal data; `masked`: whether such pieces were replaced in what is shown. `accounts` are those of all that is in
    groups, `single` counts the groups that come from one account alone, `chained` those in which somebody is tied to the representative through
    others only (None: not counted).
    """

    texts: int
    grouped: int
    alone: int
    empty: int
    group_count: int
    distinct: int
    settings: Settings
    digest: str
    invisibles: int
    lookalikes: int
    lines: tuple[Line, ...]
    groups: tuple[GroupFacts, ...]
    classes: tuple[SizeClass, ...]
    questions: tuple[Breakdown, ...] = ()
    stances: tuple[Breakdown, ...] = ()
    axis: TimeAxis | None = None
    undated: int = 0
    times_all: tuple[int, ...] = ()
    times_grouped: tuple[int, ...] = ()
    personal: int = 0
    masked: bool = False
    accounts: Accounts | None = None
    single: int = 0
    chained: int | None = None
    ladder: tuple[Rung, ...] = ()


@dataclass(frozen=True, slots=True)
class Rung:
    """What another setting would find: `name` «threshold», «containment» or «accents», and how many that are alone would be in a group."""

    name: str
    value: float
    more: int


def facts_of(
    found: NearDuplicates | FileResult,
    lines: tuple[Line, ...],
    groups: tuple[GroupFacts, ...],
    sizes: Iterable[int],
    *,
    masked: bool,
) -> Facts:
    """The facts that a result in memory and one on disk have both. `sizes`: of all groups."""
    counts = found.counts
    facts = Facts(
        texts=counts.texts,
        grouped=counts.grouped,
        alone=counts.alone,
        empty=counts.empty,
        group_count=counts.groups,
        distinct=counts.distinct,
        settings=found.settings,
        digest=found.digest,
        invisibles=found.invisibles,
        lookalikes=found.lookalikes,
        lines=lines,
        groups=groups,
        classes=size_classes(sizes, counts.alone),
        masked=masked,
    )
    return replace(facts, personal=personal_pieces(facts))


def shown_as(mask: str | None) -> Callable[[str], str]:
    """How a text, an id or a value is shown: as it is, or with «[e-mail]» and the like in the language `mask`.

    Of a text too long to be compared word by word only the part is masked that is long enough to hold all that can be shown.
    """
    if mask is None:
        return str
    return lambda text: personal.mask(text[:LONGEST], mask) + text[LONGEST:]


def gather(
    found: NearDuplicates,
    table: pa.Table | None = None,
    *,
    groups: int = GROUPS,
    listed: int = LISTED,
    mask: str | None = None,
) -> Facts:
    """The facts of a page.

    Args:
        found: near-duplicates of the contributions.
        table: the contributions in the same order; its columns `question`, `stance`, `time` and `author` are used where it has them (of
            authors only how many there are).
        groups: how many groups, the largest first, are shown in full.
        listed: how many of them are listed.
        mask: a language of `klero.words`: what looks like an e-mail address, a telephone number and so on is replaced in all that is shown. What was
            compared, and so who is in which group, does not change.
    """
    show = shown_as(mask)
    membership = np.asarray(found.group)
    seconds = seconds_of(_column(table, "time"), len(membership))
    axis = time_axis(seconds)
    shown = [found.groups[n] for n in range(min(max(groups, listed), len(found.groups)))]
    rows = _rows_of_groups(membership, min(groups, len(shown)))
    columns = Column(_column(table, "question"), show), Column(_column(table, "stance"), show)
    grouped = membership >= 0
    described_groups = tuple(
        _group_facts(found, n, shown[n], mine, columns, seconds, axis, show) for n, mine in enumerate(rows)
    )
    texts = (found.texts[int(row)] for row in found.groups.representatives[: len(shown)])
    sizes = np.bincount(membership[grouped]).tolist()
    facts = facts_of(
        found, lines_of(shown[:listed], texts, show), described_groups, sizes, masked=mask is not None
    )
    accounts = Authors(_column(table, "author"))
    of_groups = accounts.of_groups(membership, len(sizes))
    facts = replace(
        facts,
        lines=tuple(replace(line, accounts=one) for line, one in zip(facts.lines, of_groups, strict=False))
        if of_groups
        else facts.lines,
        groups=tuple(
            replace(group, accounts=one) for group, one in zip(facts.groups, of_groups, strict=False)
        )
        if of_groups
        else facts.groups,
        accounts=accounts.among(grouped),
        single=sum(one == Accounts(1) for one in of_groups),
        chained=_chained(found, membership),
        questions=columns[0].among(np.flatnonzero(grouped)),
        stances=columns[1].among(np.flatnonzero(grouped)),
        axis=axis,
        undated=int(np.isnan(seconds).sum()) if axis else 0,
        times_all=axis.counts(seconds) if axis else (),
        times_grouped=axis.counts(seconds[grouped]) if axis else (),
    )
    return replace(facts, personal=personal_pieces(facts))


def _chained(found: NearDuplicates, membership: npt.NDArray[np.int64]) -> int:
    """The groups in which somebody is less like the representative than the threshold asks."""
    under = (membership >= 0) & (np.asarray(found.similarity) < found.settings.threshold)
    return len(np.unique(membership[under]))


def personal_pieces(facts: Facts) -> int:
    """How many different pieces of all that is shown look like an e-mail address, a telephone number and so on."""
    shown = [text for line in facts.lines for text in (line.id, line.snippet)]
    values = [*facts.questions, *facts.stances]
    for group in facts.groups:
        shown += group.id, group.representative, *(one.second_id for one in group.comparisons)
        shown += map(_whole, (group.letter, *(one.second for one in group.comparisons)))
        shown += group.members
        shown += (filler for slot in group.letter.slots for filler, _count in slot.fillers)
        values += *group.questions, *group.stances
    shown += (line.value for line in values if line.value)
    return len({piece.text for text in shown for piece in personal.find(text)})


def _whole(text: Shown) -> str:
    return "".join(piece.text for piece in text.pieces if piece.kind != "slot")


def lines_of(
    groups: Iterable[GroupSummary], texts: Iterable[str], show: Callable[[str], str] = str
) -> tuple[Line, ...]:
    """The lines of a list of groups, the largest first. `texts`: those of the representatives; `show`: as in `shown_as`."""
    return tuple(
        Line(
            n,
            show(str(one.id)),
            one.size,
            one.distinct,
            float(one.weakest_edge),
            text[:_SNIPPET] + "…" * (len(text) > _SNIPPET),
        )
        for n, (one, text) in enumerate(zip(groups, map(show, texts), strict=False), start=1)
    )


def _column(table: pa.Table | None, name: str) -> pa.ChunkedArray | None:
    return table.column(name) if table is not None and name in table.column_names else None


def _rows_of_groups(membership: npt.NDArray[np.int64], groups: int) -> list[npt.NDArray[np.int64]]:
    """The rows of each of the first groups, in rising order."""
    rows = np.flatnonzero((membership >= 0) & (membership < groups))
    rows = rows[np.argsort(membership[rows], kind="stable")]
    return np.split(rows, np.searchsorted(membership[rows], np.arange(1, groups))) if groups else []


def _group_facts(
    found: NearDuplicates,
    index: int,
    group: GroupSummary,
    rows: npt.NDArray[np.int64],
    columns: tuple[Column, Column],
    seconds: npt.NDArray[np.float64],
    axis: TimeAxis | None,
    show: Callable[[str], str],
) -> GroupFacts:
    def named(row: int) -> tuple[Id, str]:
        return found.ids[row], found.texts[row]

    names = found.groups.ids.take(rows.astype(np.uint32)).to_pylist()
    keys = np.fromiter(map(key_of, names), np.uint64, len(rows))
    representative = int(found.groups.representatives[index])
    members = Members(rows, np.asarray(found.similarity)[rows], keys, representative)
    facts = described(index + 1, group, members, named, found.settings, show)
    mine = seconds[rows]
    dated = mine[~np.isnan(mine)]
    return replace(
        facts,
        members=tuple(map(show, first_ids(names, MEMBERS))),
        questions=present(columns[0].among(rows)),
        stances=present(columns[1].among(rows)),
        times=axis.counts(mine) if axis else (),
        first=axis.moment(float(dated.min())) if axis and len(dated) else "",
        last=axis.moment(float(dated.max())) if axis and len(dated) else "",
    )


def described(
    number: int,
    group: GroupSummary,
    members: Members,
    named: Callable[[int], tuple[Id, str]],
    settings: Settings,
    show: Callable[[str], str] = str,
    *,
    most: int = LOOKED_AT,
) -> GroupFacts:
    """What the page says of a group from its texts alone. `named` gives the id and the text of a row, `show` is as in `shown_as`."""

    def seen(row: int) -> tuple[Id, str]:
        name, text = named(row)
        return name, show(text)

    letter, comparisons, looked_at = told(group, members, seen, settings, most)
    comparisons = tuple(
        replace(one, first_id=show(one.first_id), second_id=show(one.second_id)) for one in comparisons
    )
    return GroupFacts(
        number=number,
        id=show(str(group.id)),
        representative=show(str(group.representative)),
        size=group.size,
        distinct=group.distinct,
        weakest=float(group.weakest_edge),
        similarities=np.sort(members.similarity),
        letter=letter,
        comparisons=comparisons,
        looked_at=looked_at,
    )


def size_classes(sizes: Iterable[int], alone: int) -> tuple[SizeClass, ...]:
    """How many groups there are of 2, of 3 to 9, of 10 to 99 … contributions; texts that stand alone are the first class."""
    found = [SizeClass(1, 1, alone, alone)] if alone else []
    counted = Counter(sizes)
    for low, above in zip(_EDGES[1:], (*_EDGES[2:], None), strict=True):
        mine = {size: n for size, n in counted.items() if size >= low and (above is None or size < above)}
        if mine:
            high = None if above is None else above - 1
            total = sum(size * n for size, n in mine.items())
            found.append(SizeClass(low, high, sum(mine.values()), total))
    return tuple(found)
