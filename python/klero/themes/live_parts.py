"""What do live themes say: of one contribution, of all at one moment, and of what has happened to themes?

Frozen data, without a way back into the model: a snapshot stays as it is while contributions come. Sizes and similarities are exact; the words of
`explain` are made from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from klero import _native
from klero.themes.partition import THEME_SIZE

if TYPE_CHECKING:
    from klero.words import words as words

__all__ = [
    "ALGORITHM",
    "Consolidation",
    "Kind",
    "LiveEvent",
    "LiveExplanation",
    "LiveTheme",
    "Placement",
    "Quote",
    "Snapshot",
    "kind_of",
]

ALGORITHM: str = _native.LIVE_ALGORITHM

Kind: TypeAlias = Literal["theme", "weak_signal", "lone_voice", "empty"]


def kind_of(size: int) -> Kind:
    """What so many contributions are.

    >>> kind_of(5), kind_of(4), kind_of(2), kind_of(1)
    ('theme', 'weak_signal', 'weak_signal', 'lone_voice')
    """
    return "theme" if size >= THEME_SIZE else "weak_signal" if size > 1 else "lone_voice"


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a contribution was put, at once. A later consolidation may see it otherwise.

    Attributes:
        id: the contribution's.
        theme: its theme's, for good; None for a contribution without words.
        kind: «theme», «weak_signal», «lone_voice» (by the theme's size, this one included), or «empty».
        new: whether it founded the theme, as it was new to all others.
        copy: whether the same was said before, word for word as far as the vectors tell.
        size: contributions of the theme.
        similarity: average similarity to those of the theme that were there; of a new theme, to those of the most alike other one (0 if there is none).
        limit: what that theme asks for.
        novelty: how far the similarity is below what is usual there, in that theme's own deviations; above 2.5 is new. None: nothing is known of
        deviations yet.
        sureness: from 0 (a hair's breadth would have changed the answer) to 1.
        second: the next best theme that would have taken it, too (of a new one: the most alike), and the similarity.
    """

    id: str
    theme: int | None
    kind: Kind
    new: bool
    copy: bool
    size: int
    similarity: float
    limit: float
    novelty: float | None
    sureness: float
    second: tuple[int, float] | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody said, word for word; `text` is None where only a vector was given."""

    id: str
    text: str | None
    time: str
    author: str | None = None


@dataclass(frozen=True, slots=True)
class LiveTheme:
    """A theme, a weak signal or a lone voice.

    Attributes:
        id: what it is called by; never given to another.
        name: the facilitator's, or None.
        kind: by its size.
        size: contributions.
        medoid: the contribution that is most like all others.
        newest: the latest contributions, newest first.
        keywords: words that its contributions use and others don't, if they can be told.
        usual: average similarity of its contributions to each other.
        limit: what a contribution must reach to be of it.
    """

    id: int
    name: str | None
    kind: Kind
    size: int
    medoid: Quote
    newest: tuple[Quote, ...]
    keywords: tuple[str, ...]
    usual: float
    limit: float


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """Something that happened to themes.

    Attributes:
        number: from 1.
        time: when, in UTC.
        kind: «merge», «split» (found by a consolidation, or made by a link), «name», «must_link», «cannot_link», «undo».
        at: contributions that there were.
        before: ids and their sizes before.
        after: ids and their sizes after.
        text: the name that was given or taken back, or the ids of what was linked.
    """

    number: int
    time: str
    kind: str
    at: int
    before: tuple[tuple[int, int], ...] = ()
    after: tuple[tuple[int, int], ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Consolidation:
    """What one look at everything together did.

    Attributes:
        number: from 1; those that changed nothing count too.
        time: when its result took effect, in UTC.
        contributions: those it looked at.
        caught_up: those that came meanwhile and were placed in the result.
        micro_clusters: different contributions, before any were put together for lack of time.
        condensed: micro-clusters of the largest themes that were put together.
        waiting: micro-clusters of the few that were not compared with others this time; they are first the next.
        set_apart: contributions that fitted their theme worst and were taken out of it.
        similarity: the average similarity at which themes were cut.
        moved: contributions that have another theme than before.
        merges: themes that went into others.
        splits: themes that came out of others.
        embedded_anew: whether texts were embedded anew, with what was learnt of words since.
        seconds: how long it took.
        budget_s: how long it may take, None for any time.
        outcome: «done»; «out_of_time» or «stale» (the facilitator acted meanwhile): then nothing was changed.
    """

    number: int
    time: str
    contributions: int
    caught_up: int
    micro_clusters: int
    condensed: int
    waiting: int
    set_apart: int
    similarity: float
    moved: int
    merges: int
    splits: int
    embedded_anew: bool
    seconds: float
    budget_s: float | None
    outcome: str


@dataclass(frozen=True)
class Snapshot:
    """All that is there at one moment; themes by size, then by age.

    Attributes:
        time: when, in UTC.
        themes: five contributions or more.
        weak_signals: two to four.
        lone_voices: one. As much a result as the others.
        empty: ids of contributions without words.
        contributions: all that came; the sum of the four.
        similarity: at which themes are cut.
        consolidations: looks at everything together, so far.
        algorithm: name and version of what was computed.
        embedder: what made vectors of texts; None if vectors were given.
    """

    time: str
    themes: tuple[LiveTheme, ...]
    weak_signals: tuple[LiveTheme, ...]
    lone_voices: tuple[LiveTheme, ...]
    empty: tuple[str, ...]
    contributions: int
    consolidations: int
    embedder: str | None
    algorithm: str = ALGORITHM
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def all(self) -> tuple[LiveTheme, ...]:
        """Themes, weak signals and lone voices, in this order."""
        return (*self.themes, *self.weak_signals, *self.lone_voices)

    def theme(self, number: int) -> LiveTheme:
        """The one with this id.

        Raises:
            KeyError: there is none now.
        """
        for one in self.all:
            if one.id == number:
                return one
        raise KeyError(number)

    def to_dict(self) -> dict[str, object]:
        """As plain data, for JSON."""
        from dataclasses import asdict

        data = asdict(self)
        data["schema"] = "klero-live-snapshot/1"
        data["counts"] = dict(self.counts)
        return data

    def sum_words(self, lang: str = "en") -> str:
        """The sum that accounts for every contribution, in words.

        Raises:
            InputError: there are no texts in this language.
        """
        from klero.themes.names import accounted_words

        c = self.counts
        return accounted_words((c["theme"], c["weak_signal"], c["lone_voice"]), c["empty"], lang)


@dataclass(frozen=True, slots=True)
class LiveExplanation:
    """Why a contribution is where it is, or what became of a theme.

    Attributes:
        id: of the contribution, or of the theme as text.
        theme: the theme's id; None for a contribution without words.
        similarity: average similarity to the others of the theme; None if it is alone.
        limit: what the theme asks for.
        second: the most alike other theme and the similarity to it.
        events: what happened to the theme.
        sentences: all this in words.
    """

    id: str
    theme: int | None
    similarity: float | None
    limit: float | None
    second: tuple[int, float] | None
    events: tuple[LiveEvent, ...]
    sentences: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.sentences)
