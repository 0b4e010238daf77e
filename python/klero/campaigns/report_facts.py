"""What of a result does the evidence page show? The first groups, a few texts of each, and counts; never a name, and no count of a few people.

Texts are masked first (what looks like an e-mail address, a telephone number and so on) and only then aligned, so that no half of an address can
stay. No account is named; ids are those of contributions. A count of fewer than `least_people` people is shown as «fewer than …».

The page is bounded whatever the size of the result: 60 cards, 12 texts a card of 1,500 code points each, 400 ids a card, 300 lines of groups that
are not for review. How many are left out is said at each place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from klero._native import text_fold, text_sequence
from klero.campaigns.aligned import Aligned, Part, align, shared_share
from klero.campaigns.explain_words import accounts_known
from klero.campaigns.innocent import Known, innocent, settling
from klero.voices import personal
from klero.voices.times import TimeAxis, time_axis

if TYPE_CHECKING:
    from klero.campaigns.model import Consultation, Floats, Ints
    from klero.campaigns.result import Campaign, Campaigns

__all__ = [
    "Card",
    "Cell",
    "Facts",
    "Rare",
    "ShownText",
    "Strip",
    "VoteItem",
    "gather",
    "half_window",
    "known_of",
]

CARDS, TEXTS, LONGEST = 60, 12, 1500
# texts that the letter is told from; code points of a text that are read for it
_ALIGNED, _READ = 60, 20_000
_COUNTED = 2000  # texts of a group whose wordings are counted
_SLOTS, _FILLERS, _FILLER = 12, 5, 80
_RARE, _ITEMS, _CELLS, _MEMBERS, _OTHERS, _LABEL = 8, 12, 10, 400, 300, 120
_MERGED = (1, 2, 3, 4, 6, 8, 12, 18, 24, 36, 72)  # bins put together until they hold enough people


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text of a group in parts; `same` contributions have these very words; `left_out` code points are not shown."""

    id: str
    parts: tuple[Part, ...]
    same: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Rare:
    """Words in a row that members share: how many voices of the group have them, and how many others."""

    text: str
    members: int
    others: int


@dataclass(frozen=True, slots=True)
class Strip:
    """The group over time, beside all contributions; a bin of the group with fewer people than may be shown is -1."""

    axis: TimeAxis
    mine: tuple[int, ...]
    everybody: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """A question and a stance (-1, 0, 1; 2 unknown): voices of the group, of all, and of all as they weigh. None: too few people to be told."""

    question: str
    stance: int
    members: int | None
    all: int
    weighted: float


@dataclass(frozen=True, slots=True)
class VoteItem:
    """Something voted on: what most of the group voted, how many of how many, and what share of the others. None: too few people to be told.

    `members` is None where all but a few voted so.
    """

    item: str
    value: int
    members: int | None
    voted: int
    others: float | None


@dataclass(frozen=True)
class Card:
    """A group as its card shows it.

    Attributes:
        people: whether its accounts are known (if not, each contribution without one is a voice of its own).
        withheld: whether it has fewer people than may be shown: then its figures alone are.
        identical: whether all texts have the same words in the same order.
        wordings: number of different texts, among the first 2,000.
        aligned: the letter and its slots; None where there is none.
        shared: mean share of a text's words in runs of three that another text has too; None where there is no letter.
        read: how many contributions the letter is told from.
        texts: a few of them, the one in the middle first.
        more: contributions that are not among these, nor the same as one of them.
        strips: one for the whole time; a second about the group's own time if that is short.
        halves: hours within which half of it came; None without times.
    """

    group: Campaign
    people: bool
    withheld: bool
    identical: bool
    wordings: int
    aligned: Aligned | None
    shared: float | None
    read: int
    texts: tuple[ShownText, ...]
    more: int
    rare: tuple[Rare, ...]
    strips: tuple[Strip, ...]
    cells: tuple[Cell, ...]
    votes: tuple[VoteItem, ...]
    innocent: tuple[str, ...]
    settling: tuple[str, ...]
    members: tuple[str, ...]
    halves: float | None


@dataclass(frozen=True)
class Facts:
    """What the page shows.

    Attributes:
        cards: of the groups for review, in their order; `more_cards` further ones have none.
        others: groups that were tested and are not for review, the first of them; `more_others` further ones.
        reasons: how many of these there are by rule.
        people: whether accounts are known everywhere.
        first, last: seconds since 1970; None without times.
        least_people: counts of fewer people are not told.
        masked: whether texts are masked, in the language `lang`.
    """

    result: Campaigns
    cards: tuple[Card, ...]
    more_cards: int
    others: tuple[Campaign, ...]
    more_others: int
    reasons: tuple[tuple[str, int], ...]
    people: bool
    first: float | None
    last: float | None
    least_people: int
    masked: bool
    lang: str

    def show(self, text: str) -> str:
        """A text, masked if texts are."""
        return personal.mask(text, self.lang) if self.masked else text


def gather(result: Campaigns, lang: str = "en", *, mask: bool = True, least_people: int = 5) -> Facts:
    """Looks at all groups for review, and reads the texts of the first 60.

    Args:
        lang: of what stands in the place of masked data.
        mask: whether texts are masked.
        least_people: a count of fewer people is not told.
    """

    def show(text: str) -> str:
        return personal.mask(text, lang) if mask else text

    c = result.consultation
    shown = result.groups
    rest = [one for one in result.tested if not one.for_review]
    dated = c.time[~np.isnan(c.time)]
    voices = _Voices(result)
    return Facts(
        result=result,
        cards=tuple(_card(one, result, show, least_people, voices) for one in shown[:CARDS]),
        more_cards=max(0, len(shown) - CARDS),
        others=tuple(rest[:_OTHERS]),
        more_others=max(0, len(rest) - _OTHERS),
        reasons=tuple(sorted(Counter(one.rule for one in rest).items(), key=lambda one: (-one[1], one[0]))),
        people=accounts_known(c, range(len(c))),
        first=float(dated.min()) if len(dated) else None,
        last=float(dated.max()) if len(dated) else None,
        least_people=least_people,
        masked=mask,
        lang=lang,
    )


def _card(
    group: Campaign, result: Campaigns, show: Callable[[str], str], least: int, voices: _Voices
) -> Card:
    c, rows = result.consultation, group.candidate.rows
    withheld = group.raw < least
    known = known_of(group, c)
    ordered = _ordered(group, c)
    wordings = {row: text_sequence(c.texts[row]) for row in ordered[:_COUNTED]}
    different = len(set(wordings.values()))
    identical = different == 1 and len(ordered) <= _COUNTED
    aligned, texts = (None, ()) if withheld or not ordered else _texts(c, ordered, wordings, group, show)
    letter = [c.texts[row][:_READ] for row in ordered[:_ALIGNED]] if aligned is not None else []
    read = sum(text.same for text in texts)
    return Card(
        group=group,
        people=accounts_known(c, rows.tolist()),
        withheld=withheld,
        identical=identical,
        wordings=different,
        aligned=aligned,
        shared=shared_share(letter) if letter else None,
        read=len(letter),
        texts=texts,
        more=max(0, len(ordered) - read) if texts else 0,
        rare=() if withheld else _rare(group, c, ordered, show),
        strips=() if withheld else _strips(c, rows, least),
        cells=() if withheld else _cells(group, c, show, least, voices),
        votes=() if withheld else _votes(group, c, show, least),
        innocent=innocent(group, known),
        settling=settling(group),
        members=() if withheld else tuple(show(str(one)) for one in group.members[:_MEMBERS]),
        halves=known.half_hours,
    )


def known_of(group: Campaign, c: Consultation) -> Known:
    """What the choice of explanations rests on."""
    rows, centre = group.candidate.rows, group.candidate.centre
    if not len(rows):
        return Known()
    window = half_window(c.time[rows])
    place = None
    if window is not None:
        low, high = float(np.nanmin(c.time)), float(np.nanmax(c.time))
        place = ((window[0] + window[1]) / 2 - low) / (high - low) if high > low else None
    middle = set(text_fold(c.texts[centre]))
    question = int(c.question[centre])
    asked = set(text_fold(c.questions[question])) if question >= 0 else set()
    return Known(
        half_hours=None if window is None else (window[1] - window[0]) / 3600,
        place=place,
        words=int(c.words[centre]),
        asked=len(middle & asked) / max(len(middle), 1),
        sides=len(set(c.stance[rows].tolist()) - {2}),
    )


def half_window(times: Floats) -> tuple[float, float] | None:
    """The shortest stretch in which half of the moments lie (the first of several); None unless half of all are known."""
    dated = np.sort(times[~np.isnan(times)])
    need = -(-len(times) // 2)
    if len(dated) < max(need, 2):
        return None
    wide = dated[need - 1 :] - dated[: len(dated) - need + 1]
    at = int(np.argmin(wide))
    return float(dated[at]), float(dated[at + need - 1])


def _ordered(group: Campaign, c: Consultation) -> list[int]:
    """Rows of a group: the one in the middle, one of each further account in canonical order, then what else these wrote."""
    centre = group.candidate.centre
    rows = group.candidate.rows.tolist()
    if centre in rows:
        rows = [centre, *(row for row in rows if row != centre)]
    seen: set[int] = set()
    firsts: list[int] = []
    later: list[int] = []
    for row in rows:
        (later if int(c.author[row]) in seen else firsts).append(row)
        seen.add(int(c.author[row]))
    return firsts + later


def _texts(
    c: Consultation,
    ordered: Sequence[int],
    wordings: Mapping[int, tuple[int, int]],
    group: Campaign,
    show: Callable[[str], str],
) -> tuple[Aligned | None, tuple[ShownText, ...]]:
    """The letter of a group, and a few of its texts with their parts marked. Of texts with the same words one is shown, with how many they are."""
    first: dict[tuple[int, int], int] = {}
    for row, key in wordings.items():
        first.setdefault(key, row)
    same = Counter(wordings.values())
    rows = list(first.values())[:TEXTS]
    sample = [*rows, *(row for row in ordered if row not in rows)][:_ALIGNED]
    texts = [show(c.texts[row][: _READ + 400])[:_READ] for row in sample]
    aligned = align(texts) if group.candidate.kind in ("copies", "template") and len(first) > 1 else None
    if aligned is not None and not aligned.frame:
        aligned = None
    shown = []
    for at, row in enumerate(rows):
        parts = aligned.texts[at] if aligned is not None else (Part(texts[at], "plain"),)
        count = same[wordings[row]]
        shown.append(
            ShownText(
                show(str(c.ids[row])),
                _cut(parts),
                count,
                max(0, len(texts[at]) - LONGEST) + max(0, len(c.texts[row]) - _READ),
            )
        )
    return (None if aligned is None else _bounded(aligned)), tuple(shown)


def _cut(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Parts up to the length that is shown."""
    kept, left = [], LONGEST
    for part in parts:
        if left <= 0:
            break
        kept.append(Part(part.text[:left], part.kind, part.slot))
        left -= len(part.text)
    return tuple(kept)


def _bounded(aligned: Aligned) -> Aligned:
    """The letter up to the length that is shown, and of each slot its most frequent fillers."""
    slots = tuple(
        type(slot)(
            slot.number,
            slot.texts,
            tuple((_short(text, _FILLER), count) for text, count in slot.fillers[:_FILLERS]),
        )
        for slot in aligned.slots[:_SLOTS]
    )
    return Aligned(_cut(aligned.frame), slots, (), aligned.frame_words)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _rare(
    group: Campaign, c: Consultation, ordered: Sequence[int], show: Callable[[str], str]
) -> tuple[Rare, ...]:
    """The rarest words in a row that the template channel found; those that stand in no text once it is masked are left out."""
    found = [one for channel in group.channels for one in _listed(channel.details.get("rare"))]
    if not found:
        return ()
    masked = [f" {' '.join(text_fold(show(c.texts[row][:_READ])))} " for row in ordered[:_ALIGNED]]
    kept = []
    for one in found:
        text = str(one.get("text", ""))
        folded = " ".join(text_fold(text))
        if folded and any(f" {folded} " in other for other in masked):
            kept.append(Rare(_short(text, _LABEL), _whole(one, "members"), _whole(one, "others")))
    return tuple(kept[:_RARE])


def _listed(value: object) -> list[dict[str, object]]:
    """A list of mappings out of a channel's details; anything else is passed over."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, (list, tuple)) else []


def _whole(one: dict[str, object], name: str) -> int:
    value = one.get(name, 0)
    return int(value) if isinstance(value, (int, float)) else 0


def _strips(c: Consultation, rows: Ints, least: int) -> tuple[Strip, ...]:
    """The group over the whole time; and over a time of its own, if four fifths of it lie in less than an eighth of the whole."""
    whole = _strip(c, c.time, rows, least)
    if whole is None:
        return ()
    dated = np.sort(c.time[rows][~np.isnan(c.time[rows])])
    low, high = dated[len(dated) // 10], dated[-1 - len(dated) // 10]
    if 8 * (high - low) >= np.nanmax(c.time) - np.nanmin(c.time):
        return (whole,)
    edge = max((high - low) / 4, 900.0)
    near = np.where((c.time >= low - edge) & (c.time <= high + edge), c.time, np.nan)
    zoomed = _strip(c, near, rows, least)
    return (whole,) if zoomed is None else (whole, zoomed)


def _strip(c: Consultation, times: Floats, rows: Ints, least: int) -> Strip | None:
    """Bins as fine as at least half of the group's people lie in bins with enough of them; the coarsest if none is."""
    axis = time_axis(times)
    mine = times[rows]
    if axis is None or np.isnan(mine).all():
        return None
    everybody = np.array(axis.counts(times))
    bins = np.full(len(rows), -1, np.int64)
    dated = ~np.isnan(mine)
    bins[dated] = ((mine[dated] - axis.start) // axis.step).astype(np.int64)
    for merged in _MERGED:
        count = -(-axis.bins // merged)
        people = np.zeros(count, np.int64)
        # an account counts once in a bin
        for at, _author in {
            (int(b) // merged, int(a)) for b, a in zip(bins, c.author[rows], strict=True) if b >= 0
        }:
            people[at] += 1
        if 2 * people[people >= least].sum() >= people.sum() or count == 1:
            break
    told = tuple(int(n) if n == 0 or n >= least else -1 for n in people)
    coarse = np.add.reduceat(everybody, np.arange(0, axis.bins, merged))
    return Strip(TimeAxis(axis.start, axis.step * merged, count), told, tuple(coarse.tolist()))


class _Voices:
    """Voices of each question and stance, raw and as they weigh; counted when a card asks for them. An account counts once in a cell."""

    def __init__(self, result: Campaigns) -> None:
        c = result.consultation
        self.result = result
        self.keys = (c.question.astype(np.int64) + 1) * 4 + c.stance.astype(np.int64) + 1
        self.known: dict[int, tuple[int, float]] = {}

    def of(self, question: int, stance: int) -> tuple[int, float]:
        """Voices, and the sum of the weight of each: that of its heaviest contribution there."""
        key = (question + 1) * 4 + stance + 1
        if key not in self.known:
            rows = np.flatnonzero(self.keys == key)
            authors, places = np.unique(self.result.consultation.author[rows], return_inverse=True)
            heaviest = np.zeros(len(authors))
            np.maximum.at(heaviest, places, self.result.weights[rows])
            self.known[key] = len(authors), float(np.sort(heaviest).sum())
        return self.known[key]


def _cells(
    group: Campaign, c: Consultation, show: Callable[[str], str], least: int, voices: _Voices
) -> tuple[Cell, ...]:
    """Where the group's voices stand, by question and stance: raw, beside all, and as they weigh."""
    rows = group.candidate.rows
    if not len(rows) or (not c.questions and (c.stance == 2).all()):
        return ()
    inside: dict[tuple[int, int], set[int]] = {}
    for row in rows.tolist():
        inside.setdefault((int(c.question[row]), int(c.stance[row])), set()).add(int(c.author[row]))
    order = sorted(inside, key=lambda cell: (-len(inside[cell]), cell))[:_CELLS]
    cells = []
    for question, stance in order:
        everybody, weighted = voices.of(question, stance)
        count = len(inside[question, stance])
        name = _short(show(c.questions[question]), _LABEL) if question >= 0 else ""
        cells.append(Cell(name, stance, count if count >= least else None, everybody, weighted))
    return tuple(cells)


def _votes(group: Campaign, c: Consultation, show: Callable[[str], str], least: int) -> tuple[VoteItem, ...]:
    """What a group of accounts voted alike and others did not: the things on which its share is furthest above that of the others."""
    votes, voters = c.votes, group.candidate.voters
    if votes is None or voters is None or not len(voters):
        return ()
    inside = np.isin(votes.voter, voters)
    mine, others = (np.zeros((len(votes.items), 3), np.int64) for _side in range(2))
    for chosen, counted in ((inside, mine), (~inside, others)):
        np.add.at(counted, (votes.item[chosen], votes.value[chosen].astype(np.int64) + 1), 1)
    found = []
    for item in np.flatnonzero(mine.max(axis=1) >= max(least, len(voters) // 2)).tolist():
        value = int(mine[item].argmax())
        ahead = mine[item, value] / mine[item].sum() - others[item, value] / max(others[item].sum(), 1)
        found.append((-float(ahead), votes.items[item], item, value))
    chosen_items = sorted(found)[:_ITEMS]
    rows = {str(name): at for at, name in enumerate(c.ids)} if chosen_items else {}
    lines = []
    for _ahead, name, item, value in chosen_items:
        members, voted = int(mine[item, value]), int(mine[item].sum())
        same, all_others = int(others[item, value]), int(others[item].sum())
        told = f"{name}: {c.texts[rows[name]]}" if name in rows else name
        few = all_others < least or (all_others < 100 and _few(same, all_others, least))
        lines.append(
            VoteItem(
                _short(show(told[:_READ]), _LABEL),
                value - 1,
                None if 0 < voted - members < least else members,
                voted,
                None if few else same / all_others,
            )
        )
    return tuple(lines)


def _few(part: int, whole: int, least: int) -> bool:
    """Whether a part, or what is left of the whole, is of a few people."""
    return 0 < part < least or 0 < whole - part < least
