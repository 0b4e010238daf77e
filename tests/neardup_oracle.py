"""Near-duplicates again, slowly: sets of word tuples, every pair that shares anything, layers of a breadth-first search.

Written from the specification alone; nothing here hashes, filters or samples. Two texts match iff their similarity is
at least the threshold and neither is empty:

    shared = |A ∩ B|      Jaccard = shared / |A ∪ B|      containment = shared / min(|A|, |B|), and shared >= min_shared

Copies (the same words in the same order) always match, however short they are.

Memory grows with the number of pairs that share a shingle: for a few thousand texts, or for sparse ones.

    >>> found = near_duplicates(["Oui, à la gare !", "OUI à la gare", "", "Non."], threshold=0.8)
    >>> [(group.id, group.members) for group in found.groups], found.group
    ([(0, (0, 1))], (0, 0, -2, -1))
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

ALONE, EMPTY = -1, -2
MIN_SHARED = {"jaccard": 1, "containment": 5}

Id = int | str
Words = Callable[[str, bool], list[str]]  # (text, fold_accents) -> words
Set = frozenset[tuple[str, ...]]

_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)


def plain_words(text: str, fold_accents: bool = False) -> list[str]:
    r"""Words by the shortest definition: invisibles removed, NFKC, casefold, NFKC, `\w+`. For Latin text only."""
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))
    text = unicodedata.normalize("NFKC", text.casefold())
    if fold_accents:
        bare = (c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")
        text = unicodedata.normalize("NFC", "".join(bare))
    return re.findall(r"\w+", text)


def default_words() -> Words:
    """The whole normaliser where its own oracle is there, else the shortest definition."""
    try:
        import text_oracle
    except ImportError:
        return plain_words
    return text_oracle.words


@dataclass(frozen=True)
class Pair:
    """A match: the two ids (smaller first), shingles shared, shingles that they are measured against."""

    a: Id
    b: Id
    shared: int
    whole: int

    @property
    def similarity(self) -> float:
        return self.shared / self.whole


@dataclass(frozen=True)
class Group:
    id: Id
    representative: Id
    members: tuple[Id, ...]  # ascending
    similarity: dict[Id, float]  # of each member to the representative
    weakest_edge: float
    distinct: int  # different word sequences among the members

    @property
    def size(self) -> int:
        return len(self.members)


@dataclass(frozen=True)
class Counts:
    texts: int
    grouped: int
    alone: int
    empty: int
    groups: int
    distinct: int  # different word sequences among all texts that are not empty


@dataclass(frozen=True)
class Result:
    """`group` and `similarity` have one entry a row, as in klero.NearDuplicates; `groups` are largest first, then by id."""

    ids: tuple[Id, ...]
    group: tuple[int, ...]
    similarity: tuple[float, ...]
    groups: tuple[Group, ...]
    pairs: tuple[Pair, ...]  # by (a, b)
    counts: Counts

    @property
    def partners(self) -> int:
        """How many texts have a partner."""
        return len({i for pair in self.pairs for i in (pair.a, pair.b)})

    @property
    def partition(self) -> frozenset[frozenset[Id]]:
        """The groups as sets, without names or order."""
        return frozenset(frozenset(group.members) for group in self.groups)


def id_key(ids: Iterable[Id]) -> Callable[[Id], int | str]:
    """Whole numbers in canonical spelling, all of them, compare as numbers; else code points decide."""
    if all(re.fullmatch(r"0|-?[1-9][0-9]*", str(i), re.ASCII) for i in ids):
        return int
    return str


def shingles(words: Sequence[str], shingle: int) -> Set:
    """Every run of `shingle` words; a text shorter than that is one run; no words, no runs."""
    k = min(shingle, len(words))
    return frozenset(tuple(words[i : i + k]) for i in range(len(words) - k + 1)) if k else frozenset()


def shared_whole(a: Set, b: Set, measure: str) -> tuple[int, int]:
    whole = {"jaccard": len(a | b), "containment": min(len(a), len(b))}[measure]
    return len(a & b), whole


def similarity(a: Set, b: Set, measure: str) -> float:
    shared, whole = shared_whole(a, b, measure)
    return shared / whole


@dataclass(frozen=True)
class Text:
    """What is compared: the words in order, and the set of shingles."""

    words: tuple[str, ...]
    set: Set


def read(text: str | None, shingle: int = 3, words: Words = plain_words, fold_accents: bool = False) -> Text:
    found = tuple(words(text or "", fold_accents))
    return Text(found, shingles(found, shingle))


def matches(a: Text, b: Text, threshold: float, measure: str, min_shared: int) -> bool:
    if not (a.words and b.words):
        return False
    if a.words == b.words:
        return True
    return len(a.set & b.set) >= min_shared and similarity(a.set, b.set, measure) >= threshold


def all_pairs(
    texts: Sequence[Text], threshold: float, measure: str, min_shared: int
) -> list[tuple[int, int]]:
    """Rows (i < j) that match. Only rows that share a shingle are looked at: the others can't match."""
    rows: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, text in enumerate(texts):
        for shingle in text.set:
            rows[shingle].append(row)
    shared = Counter(pair for holders in rows.values() for pair in combinations(holders, 2))
    found = []
    for (i, j), common in shared.items():
        a, b = texts[i], texts[j]
        whole = len(a.set) + len(b.set) - common if measure == "jaccard" else min(len(a.set), len(b.set))
        if a.words == b.words or (common >= min_shared and common / whole >= threshold):
            found.append((i, j))
    return sorted(found)


def components(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Connected components of at least two rows."""
    beside: dict[int, list[int]] = defaultdict(list)
    for i, j in pairs:
        beside[i].append(j)
        beside[j].append(i)
    seen: set[int] = set()
    found = []
    for start in range(count):
        if start in seen or start not in beside:
            continue
        seen.add(start)
        component = [start]
        for row in component:  # grows while it is walked
            for other in beside[row]:
                if other not in seen:
                    seen.add(other)
                    component.append(other)
        found.append(component)
    return found


def representative(members: Sequence[int], sets: Sequence[Set]) -> int:
    """The medoid under symmetric difference; `members` ascending by id, so the first of equals is the smallest."""
    held = Counter(shingle for row in members for shingle in sets[row])
    return max(members, key=lambda row: sum(2 * held[s] - len(members) for s in sets[row]))


def weakest_edge(
    rows: Sequence[int], centre: int, sets: Sequence[Set], match: Callable[[int, int], bool], measure: str
) -> float:
    """The least similar link of the tree: to the representative, else to the most similar member of the layer before."""
    layer, left, weakest = [centre], [row for row in rows if row != centre], 1.0
    while left:
        links = {
            row: max(
                (similarity(sets[row], sets[up], measure) for up in layer if match(row, up)), default=None
            )
            for row in left
        }
        joined = {row: link for row, link in links.items() if link is not None}
        weakest = min([weakest, *joined.values()])
        layer, left = list(joined), [row for row in left if row not in joined]
    return weakest


def near_duplicates(
    texts: Sequence[str | None],
    *,
    ids: Sequence[Id] | None = None,
    threshold: float = 0.8,
    measure: str = "jaccard",
    shingle: int = 3,
    min_shared: int | None = None,
    fold_accents: bool = False,
    words: Words | None = None,
) -> Result:
    """Everything that klero.near_duplicates says, for texts (None is empty) with distinct ids (default: row numbers)."""
    reader = words or default_words()
    ids = tuple(range(len(texts)) if ids is None else ids)
    least = MIN_SHARED[measure] if min_shared is None else min_shared
    rows = [read(text, shingle, reader, fold_accents) for text in texts]
    sets = [row.set for row in rows]
    pairs = all_pairs(rows, threshold, measure, least)
    key = id_key(ids)

    def match(i: int, j: int) -> bool:
        return matches(rows[i], rows[j], threshold, measure, least)

    groups, row_of = [], {name: row for row, name in enumerate(ids)}
    for component in components(len(texts), pairs):
        members = sorted(component, key=lambda row: key(ids[row]))
        centre = representative(members, sets)
        groups.append(
            Group(
                id=ids[members[0]],
                representative=ids[centre],
                members=tuple(ids[row] for row in members),
                similarity={ids[row]: similarity(sets[row], sets[centre], measure) for row in members},
                weakest_edge=weakest_edge(members, centre, sets, match, measure),
                distinct=len({rows[row].words for row in members}),
            )
        )
    groups.sort(key=lambda group: (-group.size, key(group.id)))
    where = [ALONE if one else EMPTY for one in sets]
    likeness = [math.nan] * len(texts)
    for index, group in enumerate(groups):
        for name in group.members:
            where[row_of[name]] = index
            likeness[row_of[name]] = group.similarity[name]
    named = []
    for i, j in pairs:
        a, b = sorted((i, j), key=lambda row: key(ids[row]))
        named.append(Pair(ids[a], ids[b], *shared_whole(sets[i], sets[j], measure)))
    return Result(
        ids=ids,
        group=tuple(where),
        similarity=tuple(likeness),
        groups=tuple(groups),
        pairs=tuple(sorted(named, key=lambda pair: (key(pair.a), key(pair.b)))),
        counts=Counts(
            texts=len(texts),
            grouped=sum(group.size for group in groups),
            alone=where.count(ALONE),
            empty=where.count(EMPTY),
            groups=len(groups),
            distinct=len({row.words for row in rows if row.words}),
        ),
    )
