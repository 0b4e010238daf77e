"""What `klero themes` asks of each part of `klero.themes`, one function a part, so that the command is made of few joints."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from klero import _native
from klero.errors import Fault, InputError, quoted

if TYPE_CHECKING:
    from klero.themes.confront import Confrontation
    from klero.themes.minority_audit import Audit, Embeds
    from klero.themes.partition import Partition
    from klero.themes.report_facts import Explained
    from klero.themes.stability import Stability
    from klero.themes.themes import Granularity, Themes

__all__ = [
    "Fitted",
    "Vectors",
    "audited",
    "confronted",
    "explained",
    "fitted",
    "given_vectors",
    "kept_rows",
    "keywords",
    "made_vectors",
    "with_stability",
]

Progress = Callable[[str, int], None] | None
Matrix = npt.NDArray[np.float32]
_NAMED = 5  # ids in a message


@dataclass(frozen=True, slots=True)
class Vectors:
    """Vectors of the contributions that have a word, and where they come from."""

    array: Matrix
    name: str
    words: tuple[str, ...] = ()
    record: dict[str, object] = field(default_factory=dict)
    embedder: Embeds | None = None


@dataclass(frozen=True, slots=True)
class Fitted:
    """Groups: the cut that is shown, all levels with their persistence, which of them is shown, the vectors after centring, and the model."""

    partition: Partition
    levels: tuple[tuple[Partition, float], ...]
    chosen: int
    centred: Matrix
    duplicates: int
    model: Themes


def kept_rows(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """The rows of the texts that have a word in them, by the same normaliser as near-duplicates."""
    return np.array(
        [row for row, text in enumerate(texts) if _has_word(text)],
        np.int64,
    )


def _has_word(text: str) -> bool:
    """A letter of ASCII is quickly seen; anything else is asked of the normaliser."""
    return any("a" <= char <= "z" for char in text[:80]) or bool(_native.text_words(text))


def given_vectors(
    path: str, rows: int, kept: npt.NDArray[np.int64], ids: Sequence[str], threads: int | None, lang: str
) -> Vectors:
    """The vectors of a file, a row for each contribution, of those that have a word.

    Raises:
        InputError: the file can't be used, has another number of rows, or a row of zeros for a text with words.
    """
    from klero.themes.vectors import read_vectors
    from klero.words import words

    read = read_vectors(path, zeros=True, threads=threads)
    name = read.facts.source
    if len(read.array) != rows:
        message = (
            f"there are {len(read.array):,} vectors and {rows:,} contributions, so it can't be told which belong together. A vector is needed for each "
            "contribution, in the same order, empty ones included (those are not used). Make them anew from this table."
        )
        raise InputError([Fault("vectors-count", message, name)])
    array = read.array[kept] if len(kept) < rows else read.array
    nothing = np.flatnonzero(~array.any(axis=1))
    if len(nothing):
        some = ", ".join(quoted(ids[int(kept[row])]) for row in nothing[:_NAMED])
        more = f" and {len(nothing) - _NAMED:,} more" if len(nothing) > _NAMED else ""
        message = (
            f"{len(nothing):,} contributions with words have a vector of zeros, which is like nothing: {some}{more}. "
            "Make their vectors anew."
        )
        raise InputError([Fault("vectors-zero", message, name)])
    told = words(lang).gettext(
        "The vectors were read from a file: what they take for alike is decided by the program that made them, which is not known here."
    )
    return Vectors(np.ascontiguousarray(array), name, (told,), {"file": name})


def made_vectors(
    embedder: str, texts: Sequence[str], threads: int | None, lang: str, progress: Progress
) -> Vectors:
    """Vectors made of the texts.

    Raises:
        InputError: there is no such embedder or model.
        MissingExtraError: it needs a package that is not installed.
    """
    from klero.themes.embedders import embed

    made = embed(texts, embedder=embedder, threads=threads, progress=progress)
    if len(made.empty):  # what has a word here has one there: both ask the same normaliser
        raise InputError([Fault("vectors-zero", "a text with words was given no vector.", made.name)])
    return Vectors(
        made.vectors, made.name, tuple(made.explain(lang).split("\n")), made.to_dict(), made.embedder
    )


def fitted(
    vectors: Matrix,
    ids: Sequence[str],
    *,
    granularity: str | float,
    n_themes: int | None,
    minority: bool,
    must_link: Sequence[tuple[int, int]],
    cannot_link: Sequence[tuple[int, int]],
    threads: int | None,
    progress: Progress = None,
) -> Fitted:
    """The groups of these vectors, at all levels. `ids`: of the contributions, for messages about pairs.

    Raises:
        InputError: pairs contradict each other.
    """
    from klero.themes.themes import Themes

    model = Themes(
        granularity=cast("Granularity", granularity),
        n_themes=n_themes,
        minority=minority,
        must_link=list(must_link) or None,
        cannot_link=list(cannot_link) or None,
        threads=threads,
    )
    try:
        model.fit(vectors, progress=progress)
    except InputError as error:
        raise InputError([_named(fault, ids) for fault in error.faults]) from None
    levels = [(model.cut(level=at), float(level.persistence)) for at, level in enumerate(model.levels_)]
    chosen = model.level_
    if chosen is None:  # a cut of its own, between levels
        chosen = sum(cut.similarity < model.partition_.similarity for cut, _persistence in levels)
        levels.insert(chosen, (model.partition_, 0.0))
    return Fitted(
        model.partition_, tuple(levels), chosen, model.centred(vectors), int(model.duplicates_), model
    )


def _named(fault: Fault, ids: Sequence[str]) -> Fault:
    """A fault about pairs that speaks of ids and options in the place of row numbers and parameters."""
    if not fault.code.startswith("ties-"):
        return fault

    def told(match: re.Match[str]) -> str:
        return f"{quoted(ids[int(match[1])])} and {quoted(ids[int(match[2])])}"

    message = re.sub(r"\brows (\d+) and (\d+)", told, fault.message)
    message = message.replace("(cannot_link)", "(--cannot-link)").replace("by must_link", "by --must-link")
    return replace(fault, message=message.replace("by way of other rows", "by way of others"))


def keywords(
    partition: Partition, texts: Sequence[str], authors: Sequence[str | None] | None, threads: int | None
) -> list[tuple[str, ...]]:
    """The keywords of each cluster; a person counts once in each."""
    from klero.themes.keywords import theme_keywords

    found = theme_keywords(partition, texts, authors=authors, threads=threads)
    return [tuple(word.text for word in line) for line in found.of]


def explained(
    partition: Partition,
    centred: Matrix,
    texts: Sequence[str],
    ids: Sequence[str],
    words: Sequence[Sequence[str]],
) -> Explained:
    """What each cluster says, by row. `words`: its keywords."""
    from klero.themes.quotes import theme_quotes
    from klero.themes.report_facts import Explained

    quotes = theme_quotes(partition, centred, texts, ids=ids, central=1, boundary=3, newest=0)
    first = [int(partition.members(label)[0]) for label in range(len(quotes))]
    medoids = [one.medoid.row if one.medoid else first[label] for label, one in enumerate(quotes)]
    distant = [one.distant.row if one.distant else -1 for one in quotes]
    boundaries = [
        [
            (quote.row, -1 if quote.other is None else quote.other)
            for quote in one.boundary
            if quote.row not in (medoids[label], distant[label])
        ][:2]
        for label, one in enumerate(quotes)
    ]
    return Explained(words, np.array(medoids, np.int64), boundaries, np.array(distant, np.int64))


def with_stability(
    told: Explained, found: Fitted, vectors: Matrix, threads: int | None, progress: Progress
) -> tuple[Explained, Stability]:
    """The same with how often each cluster came back in resamples."""
    from klero.themes.stability import stability

    seen = stability(found.model, vectors, threads=threads, progress=progress)
    return replace(told, returned=seen.returned, seen=seen.seen), seen


def audited(
    found: Fitted, vectors: Vectors, texts: Sequence[str], threads: int | None, progress: Progress
) -> Audit:
    """What became of voices that were planted; reworded ones too, where it is known what makes vectors."""
    from klero.themes.minority_audit import audit_minorities

    return audit_minorities(
        found.model,
        vectors.array,
        texts=None if vectors.embedder is None else texts,
        embedder=vectors.embedder,
        threads=threads,
        progress=progress,
    )


def confronted(partition: Partition, codes: Sequence[str | None], ids: Sequence[str]) -> Confrontation:
    """A person's coding beside the groups, without the texts: they are masked where they are shown.

    Raises:
        InputError: nothing is coded.
    """
    from klero.themes.confront import confront

    return confront(partition, codes, ids=ids)
