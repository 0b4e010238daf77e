"""What is tested: which contributions, by whom, when, on what question?

Contributions (:class:`klero.Contributions`, or whatever its `read` takes) become a `Consultation`: rows in an order of their own, those without a word apart,
accounts and questions by number, times in seconds, vectors that are centred and of unit length. A contribution without an account counts as a voice of its
own; equal accounts are one voice, however often they write.

Rows are ordered by the SHA-256 of the text, then by account, time, question, stance and id, so that everything drawn from them by a seed is the same in any
order of the source. Vectors are those that were given, or made by an embedder (`klero.embed`, by default offline and from the texts alone), less
their mean, brought to unit length; sums are taken in the canonical order, so they have the same bytes anywhere.

Guaranteed: every contribution is in the consultation or in `empty`; nothing depends on the order of rows or the number of threads. What is odd (no accounts,
times that can't be read, …) is in `notes`. Not guaranteed: that an account is a person, nor that vectors see what a text is for or against.

Cost: linear, about 20 µs a contribution and the vectors. No randomness. Values of metadata leave no trace but numbers: which rows have the same.

>>> read = read_units([{"id": 1, "text": "Oui au tram", "author": "a"}, {"id": 2, "text": "👍", "author": "b"}])
>>> read.consultation.ids, read.empty, read.consultation.words.tolist(), dict(read.notes)
(('1',), ('2',), [3], {'empty': 1, 'few': 1, 'no-time': 1, 'no-question': 1})
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from klero import _native
from klero.campaigns.model import Consultation, Floats, Ints, Votes
from klero.campaigns.settings import LEAST_VOICES
from klero.campaigns.votes_table import votes_table
from klero.errors import Fault, InputError, quoted
from klero.voices.contributions import Contributions
from klero.voices.exports import listed
from klero.voices.ids import Id, read_ids
from klero.voices.settings import shown
from klero.voices.times import seconds_of

if TYPE_CHECKING:
    import pyarrow as pa

    from klero.tables import TableSource
    from klero.themes.embedders import EmbedderSource
    from klero.themes.vectors import VectorSource
    from klero.voices.exports import Given

__all__ = ["Units", "as_contributions", "consultation", "read_units"]

Progress: TypeAlias = "Callable[[str, int], None] | None"
Matrix: TypeAlias = npt.NDArray[np.float32]
_BLOCK = 1 << 12
_NAMED = 5
_NOTHING = 1e-9  # shorter than what 32 bits tell apart in a vector of length 1
_STANCES = {"for": 1, "against": -1, "neutral": 0, None: 2}


@dataclass(frozen=True, eq=False)
class Units:
    """A consultation, and what ties it to its source.

    Attributes:
        consultation: see there.
        ids: of all contributions, in the order of the source.
        empty: ids of those without a word, ascending.
        source: for each row of the consultation, its row in the source.
        rank: for each row of the consultation, the place of its id among all ids, ascending.
        notes: what is odd about the input; see `klero.campaigns.notes`.
        vectors_by: «given», or what made the vectors, with its version.
    """

    consultation: Consultation
    ids: tuple[Id, ...]
    empty: tuple[Id, ...]
    source: Ints
    rank: Ints
    notes: Mapping[str, int] = field(default_factory=dict)
    vectors_by: str = ""


def consultation(
    contributions: Contributions,
    *,
    votes: Votes | TableSource | None = None,
    vectors: VectorSource | None = None,
    metadata: Sequence[str] = (),
    seed: int = 0,
    threads: int = 1,
    progress: Progress = None,
) -> tuple[Consultation, tuple[Id, ...]]:
    """The consultation, and the ids of contributions without a word; see `read_units`."""
    read = read_units(
        contributions,
        votes=votes,
        vectors=vectors,
        metadata=metadata,
        seed=seed,
        threads=threads,
        progress=progress,
    )
    return read.consultation, read.empty


def as_contributions(
    source: Contributions | TableSource,
    columns: Mapping[str, object],
    metadata: Sequence[str],
    progress: Progress = None,
) -> Contributions:
    """Contributions as they are, or read with these columns (as `Contributions.read` names them).

    Raises:
        InputError: what is wrong with the table; or columns are named of contributions that were read already.
    """
    given = {name: value for name, value in columns.items() if value is not None}
    if not isinstance(source, Contributions):
        options: Mapping[str, Given] = given  # type: ignore[assignment]
        return Contributions.read(source, metadata=metadata, progress=progress, **options)  # type: ignore[arg-type]
    if given:
        message = (
            f"these contributions were read already, and columns are named beside them ({', '.join(given)}). "
            "Name the columns in Contributions.read, or give the table itself."
        )
        raise InputError([Fault("options-conflict", message, source.name)])
    if missing := [name for name in metadata if name not in source.table.column_names]:
        message = (
            f"these contributions have no column {listed(missing)}. Keep it when they are read: Contributions.read(…, "
            f"metadata={list(metadata)!r}). There are {listed(source.table.column_names)}."
        )
        raise InputError([Fault("column-missing", message, source.name)])
    return source


def read_units(
    contributions: Contributions | TableSource,
    *,
    votes: Votes | TableSource | None = None,
    vectors: VectorSource | None = None,
    embedder: EmbedderSource = None,
    metadata: Sequence[str] = (),
    seed: int = 0,
    threads: int = 1,
    progress: Progress = None,
) -> Units:
    """Contributions as they are tested.

    Args:
        contributions: see `as_contributions`.
        votes: who voted what (`klero.campaigns.votes_table`); not the counts in a column of the contributions.
        vectors: a row for each contribution, those without a word among them, in the order of the source; see `klero.read_vectors`.
        embedder: what makes vectors where none are given; see `klero.embed`.
        metadata: further columns.
        seed: of everything that is drawn.

    Raises:
        InputError: with everything that is wrong; no contribution has a word.
    """
    read = as_contributions(contributions, {}, metadata, progress)
    faults: list[Fault] = []
    notes: dict[str, int] = {}
    ids = read_ids(read.ids, len(read), "ids", faults)
    matrix = _given_vectors(vectors, len(read), threads, faults)
    ballots = _ballots(votes, read, notes, faults)
    if faults or ids is None:
        raise InputError(faults)
    texts: list[str] = read.texts.to_pylist()
    words = _words(texts, progress)
    if not words.any():
        message = "no contribution has a word in it, so there is nothing to compare. Is the right column taken for the texts (--text, in Python text=)?"
        raise InputError([Fault("texts-wordless", message, read.name)])
    names: list[Id] = read.ids.to_pylist()
    rank = np.arange(len(texts)) if ids.ranks is None else ids.ranks.astype(np.int64)
    columns = _Columns(read)
    order = _canonical(np.flatnonzero(words > 0), texts, columns, names)
    empty = sorted(np.flatnonzero(words == 0).tolist(), key=rank.__getitem__)
    mine = [texts[row] for row in order.tolist()]
    author, authors = _numbered([columns.author[row] for row in order.tolist()], own=True)
    question, questions = _numbered([columns.question[row] for row in order.tolist()])
    unit, by = _vectors(
        matrix, order, mine, [str(names[row]) for row in order.tolist()], embedder, threads, progress
    )
    made = Consultation(
        ids=tuple(names[row] for row in order.tolist()),
        texts=tuple(mine),
        words=words[order],
        author=author,
        authors=tuple(authors),
        question=question,
        questions=tuple(str(name) for name in questions),
        stance=columns.stance[order],
        time=columns.time[order],
        vectors=unit,
        votes=ballots,
        metadata={name: _numbered(_cells(read.table, name, order))[0] for name in metadata},
        seed=seed,
    )
    told = _notes(made, len(empty), read) | notes
    return Units(made, tuple(names), tuple(names[row] for row in empty), order, rank[order], told, by)


class _Columns:
    """The columns of contributions, one entry for each; None (NaN, 2) where nothing is said."""

    def __init__(self, read: Contributions) -> None:
        table, n = read.table, len(read)
        self.author = _texts(table, "author", n)
        self.question = _texts(table, "question", n)
        self.side = _texts(table, "stance", n)
        self.stance = np.array([_STANCES.get(side, 2) for side in self.side], np.int8)
        self.time: Floats = seconds_of(table.column("time") if "time" in table.column_names else None, n)


def _texts(table: pa.Table, name: str, rows: int) -> list[str | None]:
    """A column without what is blank; None throughout where there is no such column."""
    if name not in table.column_names:
        return [None] * rows
    return [(text.strip() or None) if text is not None else None for text in table.column(name).to_pylist()]


def _cells(table: pa.Table, name: str, order: Ints) -> list[str | None]:
    cells = _texts(table, name, table.num_rows)
    return [cells[row] for row in order.tolist()]


def _words(texts: Sequence[str], progress: Progress) -> Ints:
    """The number of words of each text, as the normaliser counts them."""
    counts = np.zeros(len(texts), np.int64)
    for row, text in enumerate(texts):
        counts[row] = len(_native.text_fold(text))
        if progress is not None and row % _BLOCK == 0:
            progress("words", row)
    return counts


def _canonical(rows: Ints, texts: Sequence[str], columns: _Columns, names: Sequence[Id]) -> Ints:
    """These rows by the SHA-256 of their text, then by account, time, question, stance and id."""

    def key(row: int) -> tuple[bytes, str, float, str, str, str]:
        time = float(columns.time[row])
        return (
            hashlib.sha256(texts[row].encode()).digest(),
            columns.author[row] or "",
            time if time == time else -np.inf,
            columns.question[row] or "",
            columns.side[row] or "",
            str(names[row]),
        )

    return np.array(sorted(rows.tolist(), key=key), np.int64)


def _numbered(names: Sequence[str | None], *, own: bool = False) -> tuple[Ints, list[str | None]]:
    """Numbers by first appearance, and the name of each; what has no name is -1, or has a number of its own."""
    known: dict[str, int] = {}
    told: list[str | None] = []
    numbers = np.full(len(names), -1, np.int64)
    for row, name in enumerate(names):
        if name is None:
            if own:
                numbers[row] = len(told)
                told.append(None)
            continue
        number = known.get(name)
        if number is None:
            number = known[name] = len(told)
            told.append(name)
        numbers[row] = number
    return numbers, told


def _ballots(votes: object, read: Contributions, notes: dict[str, int], faults: list[Fault]) -> Votes | None:
    """The votes; a column of the contributions given in their place is told apart from a file."""
    if votes is None or isinstance(votes, Votes):
        return votes
    own = [*read.table.column_names, *read.mapping.values()]
    if isinstance(votes, str) and votes in own and not os.path.exists(votes):  # noqa: PTH110 - any text, not only paths
        message = (
            f"votes is {quoted(votes)}, a column of the contributions: such a column holds how many voted. What is asked for is a table of who voted "
            "what: a file or a table with a row for each vote (voter, item, vote)."
        )
        faults.append(Fault("votes-count", message, read.name, None, votes))
        return None
    try:
        found, told = votes_table(votes)  # type: ignore[arg-type]
    except InputError as error:
        faults += error.faults
        return None
    notes.update(told)
    return found


def _given_vectors(vectors: object, rows: int, threads: int, faults: list[Fault]) -> Matrix | None:
    """The vectors that were given, a row for each contribution."""
    if vectors is None:
        return None
    from klero.themes.vectors import read_vectors

    try:
        read = read_vectors(vectors, zeros=True, threads=threads)  # type: ignore[arg-type]
    except InputError as error:
        faults += error.faults
        return None
    if len(read.array) != rows:
        message = (
            f"there are {len(read.array):,} vectors and {rows:,} contributions, so it can't be told which belong together. A vector is needed for each "
            "contribution, in the same order, empty ones included (those are not used). Make them anew from this table."
        )
        faults.append(Fault("vectors-count", message, read.facts.source))
        return None
    return read.array


def _vectors(
    matrix: Matrix | None,
    order: Ints,
    texts: Sequence[str],
    ids: Sequence[str],
    embedder: EmbedderSource,
    threads: int,
    progress: Progress,
) -> tuple[Matrix, str]:
    """The vectors of these rows, centred and of unit length, and what made them.

    Raises:
        InputError: a text with words has a vector of zeros; there is no such embedder.
    """
    if matrix is not None:
        chosen = matrix[order]
        nothing = np.flatnonzero(~chosen.any(axis=1)).tolist()
        if nothing:
            some = ", ".join(quoted(one) for one in sorted(ids[row] for row in nothing)[:_NAMED])
            more = f" and {len(nothing) - _NAMED:,} more" if len(nothing) > _NAMED else ""
            message = (
                f"{len(nothing):,} contributions with words have a vector of zeros, which is like nothing: {some}{more}. "
                "Make their vectors anew."
            )
            raise InputError([Fault("vectors-zero", message, "vectors")])
        return _centred(chosen), "given"
    from klero.themes.embedders import embed

    made = embed(texts, embedder=embedder, threads=threads, progress=progress)
    if len(made.rows) != len(order):  # what has a word here has one there: both ask the same normaliser
        message = f"{shown(made.name)} gave no vector for {len(made.empty):,} texts with words. Use another embedder."
        raise InputError([Fault("embedder-invalid", message, "")])
    return _centred(made.vectors), made.name


def _centred(rows: Matrix) -> Matrix:
    """Rows less their mean, of unit length; zeros where a row equals the mean.

    Sums run over rows in their order, number by number: numpy may add along a row in an order that the processor decides, but not along a column.
    """
    total = np.zeros(rows.shape[1], np.float64)
    for start in range(0, len(rows), _BLOCK):
        for row in rows[start : start + _BLOCK]:
            total += row
    mean = total / max(1, len(rows))
    out = np.empty(rows.shape, np.float32)
    for start in range(0, len(rows), _BLOCK):
        moved = rows[start : start + _BLOCK].astype(np.float64) - mean
        squares = np.zeros(len(moved), np.float64)
        for column in np.ascontiguousarray(moved.T):
            squares += column * column
        lengths = np.sqrt(squares)
        moved[lengths <= _NOTHING] = 0.0
        lengths[lengths <= _NOTHING] = 1.0
        moved /= lengths[:, None]
        out[start : start + _BLOCK] = moved
    return out


def _notes(c: Consultation, empty: int, read: Contributions) -> dict[str, int]:
    """What is odd about these contributions, in the order in which it is told."""
    n = len(c)
    voices = len(set(c.author.tolist()))
    unnamed = sum(1 for number in c.author.tolist() if c.authors[number] is None)
    untimed = int(np.isnan(c.time).sum())
    asked = len(c.questions)
    times = np.unique(c.time[~np.isnan(c.time)])
    found = {
        "empty": empty,
        "few": voices if voices < LEAST_VOICES else 0,
        "no-author": n if unnamed == n else 0,
        "authors-missing": unnamed if unnamed < n else 0,
        "one-author": n if n > 1 and voices == 1 else 0,
        "no-time": n if untimed == n else 0,
        "constant-time": n if n > 1 and not untimed and len(times) == 1 else 0,
        "times-missing": untimed if untimed < n else 0,
        "times-unread": read.counts.times,
        "times-zoneless": read.counts.zoneless,
        "stances-unread": read.counts.stances,
        "no-question": n if not asked else 0,
        "one-question": n if asked == 1 and n > 1 else 0,
        "votes-are-counts": int("votes" in read.table.column_names and c.votes is None),
        "voters-unknown": 0 if c.votes is None else int(not set(c.votes.accounts) & set(c.authors)),
    }
    return {key: count for key, count in found.items() if count}
