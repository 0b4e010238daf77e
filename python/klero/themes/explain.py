"""Why is this contribution in this theme, or alone? What does this theme hold?

A theme is told by its keywords (:mod:`klero.themes.keywords`), its quotes (:mod:`klero.themes.quotes`) and how it grew (:mod:`klero.themes.growth`). A
contribution by how near it is to the centre of its group, which theme is next and by how much, which other contributions are nearest, and which words it
shares with them.

The explanation tells what is near what. It does not open the embedder: why two texts have near vectors is known to nobody; shared words are a hint and
no cause.

Guaranteed: nearness in whole numbers, so that the same is told on every machine, for any order of rows if ids are given. Nothing is generated: every sentence
about a text names its id, and every quote is what was written.
Cost: for a theme as its parts; for a contribution one product with every other and with each theme's centre. Nothing random.

>>> import numpy as np
>>> vectors = np.array([[1, 0], [0.96, 0.28], [0.8, 0.6], [0, 1], [0.28, 0.96]])
>>> texts = ["Trams!", "More trams", "Trams and bikes", "Bikes!", "More bikes"]
>>> told = explain_contribution(2, [0, 0, 0, 1, 1], vectors, texts)
>>> told.similarity, [(near.id, near.similarity, near.shared) for near in told.nearest]
(0.9445, [(1, 0.936, ('Trams',)), (0, 0.8, ('Trams',))])
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from klero import _native
from klero.errors import Fault, InputError
from klero.themes._cosines import cosine
from klero.themes._inputs import Column, Ints, PartitionLike, raise_all
from klero.themes.growth import Growth, theme_growth
from klero.themes.keywords import Keyword, Keywords, kernel_words, theme_keywords
from klero.themes.names import KINDS, cluster_names
from klero.themes.quotes import LONGEST, Chooser, Quotes, ThemeQuotes, read_sources, theme_quotes
from klero.voices.settings import Progress, read_whole

if TYPE_CHECKING:
    from klero.themes.quotes import Quote
    from klero.voices.ids import Id
    from klero.voices.texts import TextSource

__all__ = [
    "ContributionTold",
    "Neighbour",
    "ThemeTold",
    "ThemesTold",
    "explain_contribution",
    "explain_themes",
]

ALGORITHM = "klero-explanation/1"
_MOST = 100

Vectors = npt.NDArray[np.floating]


@dataclass(frozen=True)
class ThemeTold:
    """What one group holds.

    Attributes:
        label, name, kind, size: of the group; `name` is «T1» for the first theme, «W1» for the first weak signal, «L1» for the first lone voice.
        voices: authors, where authors are given, and contributions that name none; else contributions.
        keywords: weightiest first.
        quotes: see `ThemeQuotes`.
        by_author: whether authors were given.
        names: of the themes that boundary quotes are near to, by label.
        growth: of all groups, if times are given.
    """

    label: int
    name: str
    kind: str
    size: int
    voices: int
    by_author: bool
    keywords: tuple[Keyword, ...]
    quotes: ThemeQuotes
    names: dict[int, str]
    growth: Growth | None

    def explain(self, lang: str = "en") -> str:
        """In plain words, «en» or «fr».

        Raises:
            InputError: there are no words in this language.
        """
        from klero.themes.explain_words import theme_words

        return theme_words(self, lang)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        growth = None
        if self.growth is not None:
            growth = {
                "unit": self.growth.unit,
                "starts": [moment.isoformat() for moment in self.growth.starts],
                "counts": self.growth.counts[self.label].tolist(),
                "all": self.growth.totals.tolist(),
                "undated": int(self.growth.undated[self.label]),
            }
        return {
            **self.quotes.to_dict(),
            "name": self.name,
            "voices": self.voices,
            "by_author": self.by_author,
            "keywords": [keyword.to_dict() for keyword in self.keywords],
            "growth": growth,
        }


@dataclass(frozen=True)
class ThemesTold:
    """What every group holds; in the order of labels."""

    of: tuple[ThemeTold, ...]
    keywords: Keywords
    quotes: Quotes
    growth: Growth | None
    algorithm: str = ALGORITHM

    def __len__(self) -> int:
        return len(self.of)

    def __iter__(self) -> Iterator[ThemeTold]:
        return iter(self.of)

    def __getitem__(self, label: int) -> ThemeTold:
        return self.of[label]

    def explain(self, lang: str = "en") -> str:
        """Every group in plain words, «en» or «fr», a blank line between two.

        Raises:
            InputError: there are no words in this language.
        """
        return "\n\n".join(theme.explain(lang) for theme in self.of)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "algorithm": self.algorithm,
            "keywords": self.keywords.algorithm,
            "quotes": self.quotes.algorithm,
            "growth": None if self.growth is None else self.growth.algorithm,
            "groups": [theme.to_dict() for theme in self.of],
        }


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another contribution that is near.

    Attributes:
        row, id, text, cut: as of a `Quote`.
        similarity: cosine of the two.
        label, name: of its group.
        shared: words that both have, as the explained contribution writes them.
    """

    row: int
    id: Id
    text: str
    cut: bool
    similarity: float
    label: int
    name: str
    shared: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "row": self.row,
            "id": self.id,
            "text": self.text,
            "cut": self.cut,
            "similarity": self.similarity,
            "label": self.label,
            "name": self.name,
            "shared": list(self.shared),
        }


@dataclass(frozen=True)
class ContributionTold:
    """Why a contribution is where it is.

    Attributes:
        quote: the contribution.
        label, name, kind, size: of its group.
        place: how near it is to the centre of its group, 1 for the nearest.
        second, second_name, second_similarity: the nearest theme that is not its own; None if there is none.
        nearest: of its group, the contributions nearest to it.
        elsewhere: of other groups, those nearest to it.
        words: its words that may be keywords, as it writes them.
    """

    quote: Quote
    label: int
    name: str
    kind: str
    size: int
    place: int
    second: int | None
    second_name: str | None
    second_similarity: float | None
    nearest: tuple[Neighbour, ...]
    elsewhere: tuple[Neighbour, ...]
    words: tuple[str, ...]
    algorithm: str = ALGORITHM

    @property
    def similarity(self) -> float:
        """Cosine to the centre of its group."""
        return self.quote.similarity

    @property
    def margin(self) -> float | None:
        """By how much it is nearer to its own group's centre than to the next theme's; below 0 if the next one is nearer."""
        return None if self.second_similarity is None else round(self.similarity - self.second_similarity, 4)

    def explain(self, lang: str = "en") -> str:
        """In plain words, «en» or «fr».

        Raises:
            InputError: there are no words in this language.
        """
        from klero.themes.explain_words import contribution_words

        return contribution_words(self, lang)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "algorithm": self.algorithm,
            **self.quote.to_dict(),
            "label": self.label,
            "name": self.name,
            "kind": self.kind,
            "size": self.size,
            "place": self.place,
            "second": self.second,
            "second_name": self.second_name,
            "second_similarity": self.second_similarity,
            "margin": self.margin,
            "nearest": [near.to_dict() for near in self.nearest],
            "elsewhere": [near.to_dict() for near in self.elsewhere],
            "words": list(self.words),
        }


def explain_themes(
    partition: PartitionLike | Sequence[int] | Ints,
    vectors: Vectors,
    texts: TextSource,
    *,
    ids: Column | None = None,
    authors: Column | None = None,
    times: Column | None = None,
    top: int = 8,
    stop_words: Sequence[str] = (),
    central: int = 3,
    boundary: int = 2,
    newest: int = 3,
    longest: int = LONGEST,
    threads: int | None = None,
    progress: Progress | None = None,
) -> ThemesTold:
    """What every group holds: keywords, quotes and growth.

    Args:
        partition: which contribution is in which group: a `Partition`, or whole numbers from 0 on.
        vectors: the contributions' vectors, centred, of unit length: `Themes.centred(X)`.
        texts, ids, authors, times: of the contributions; see `theme_keywords`, `theme_quotes` and `theme_growth`.
        top, stop_words, threads, progress: as in `theme_keywords`.
        central, boundary, newest, longest: as in `theme_quotes`.

    Raises:
        InputError: the columns are not equally long, or something is of the wrong type; all faults together.
    """
    faults: list[Fault] = []
    parts: list[object] = []
    for make in (
        lambda: theme_quotes(
            partition,
            vectors,
            texts,
            ids=ids,
            times=times,
            central=central,
            boundary=boundary,
            newest=newest,
            longest=longest,
        ),
        lambda: theme_keywords(
            partition,
            texts,
            authors=authors,
            top=top,
            stop_words=stop_words,
            threads=threads,
            progress=progress,
        ),
        lambda: None if times is None else theme_growth(partition, times),
    ):
        try:
            parts.append(make())
        except InputError as error:
            faults += [fault for fault in error.faults if fault not in faults]
    raise_all(faults)
    quotes, keywords, growth = parts
    if (
        not isinstance(quotes, Quotes)
        or not isinstance(keywords, Keywords)
        or not isinstance(growth, Growth | None)
    ):
        raise AssertionError
    names = cluster_names([KINDS.index(group.kind) for group in quotes])
    told = [
        ThemeTold(
            label=group.label,
            name=names[group.label],
            kind=group.kind,
            size=group.size,
            voices=keywords.voices[group.label],
            by_author=keywords.by_author,
            keywords=keywords[group.label],
            quotes=group,
            names={quote.other: names[quote.other] for quote in group.boundary if quote.other is not None},
            growth=growth,
        )
        for group in quotes
    ]
    return ThemesTold(tuple(told), keywords, quotes, growth)


def explain_contribution(
    row: int,
    partition: PartitionLike | Sequence[int] | Ints,
    vectors: Vectors,
    texts: TextSource,
    *,
    ids: Column | None = None,
    nearest: int = 3,
    longest: int = LONGEST,
) -> ContributionTold:
    """Why a contribution is where it is.

    Args:
        row: its row, from 0.
        partition: which contribution is in which group: a `Partition`, or whole numbers from 0 on.
        vectors: the contributions' vectors, centred, of unit length: `Themes.centred(X)`.
        texts: what was written.
        ids: of the contributions; None: rows are numbered from 0.
        nearest: how many other contributions are told, of its own group and of others, 0 to 100.
        longest: code points of a text that are shown, at least 20.

    Raises:
        InputError: there is no such row, the columns are not equally long, or something is of the wrong type; all faults together.
    """
    faults: list[Fault] = []
    sources = read_sources(partition, vectors, texts, ids, None, faults)
    read_whole(faults, "nearest", nearest, 0, _MOST, "the other contributions that are told")
    read_whole(faults, "longest", longest, 20, 1_000_000, "the code points of a text that are shown")
    if sources is not None:
        read_whole(faults, "row", row, 0, max(len(sources.texts) - 1, 0), "the row of a contribution")
        if not len(sources.texts):
            faults.append(
                Fault("table-no-rows", "there are no contributions, so there is none to explain.", "texts")
            )
    raise_all(faults)
    if sources is None:
        raise AssertionError
    chooser = Chooser(sources, longest)
    groups, label = sources.groups, int(sources.groups.labels[row])
    names = cluster_names(groups.kinds)
    others = np.flatnonzero(np.arange(len(groups.labels)) != row)
    products = sources.cosines.with_row(row, others)
    order = np.lexsort((chooser.rank[others], -products))
    others, products = others[order], products[order]
    inside = groups.labels[others] == label
    chosen = [np.flatnonzero(inside)[:nearest], np.flatnonzero(~inside)[:nearest]]
    terms = _native.keywords_terms(
        [sources.texts[row], *(sources.texts[int(others[at])] for at in np.concatenate(chosen))],
        kernel_words(),
    )
    mine = terms[0]
    seen = iter(terms[1:])

    def neighbour(at: int) -> Neighbour:
        quote, theirs = chooser.quote(int(others[at])), {key for key, _ in next(seen)}
        near = int(groups.labels[quote.row])
        return Neighbour(
            quote.row,
            quote.id,
            quote.text,
            quote.cut,
            cosine(products[at]),
            near,
            names[near],
            tuple(text for key, text in mine if key in theirs),
        )

    near, elsewhere = (tuple(neighbour(int(at)) for at in part) for part in chosen)
    own = sources.cosines.own[groups.labels == label]
    (second,), (product,) = (
        part.tolist() for part in sources.cosines.nearest_other(chooser.themes, np.array([row]))
    )
    return ContributionTold(
        quote=chooser.quote(row),
        label=label,
        name=names[label],
        kind=KINDS[int(groups.kinds[label])],
        size=int(groups.sizes[label]),
        place=1 + int((own > sources.cosines.own[row]).sum()),
        second=None if second < 0 else second,
        second_name=None if second < 0 else names[second],
        second_similarity=None if second < 0 else cosine(product),
        nearest=near,
        elsewhere=elsewhere,
        words=tuple(text for _, text in mine),
    )
