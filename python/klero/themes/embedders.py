"""What does each contribution mean, in numbers that can be compared?

An embedder turns a text into a vector such that texts of like meaning have like vectors. Anything with a `name` and a method `embed` is one
(:class:`Embedder`). klero's own (:class:`OfflineEmbedder`, the default) learns from the texts alone; a model that has read more knows synonyms
(`klero[embeddings]` brings one, or give your own).

Guaranteed: a text without a word gets no vector and is told apart, never dropped and never clustered; copies are embedded once; the texts go to the
embedder in the order of their hashes, so what comes back does not depend on the order of rows where the embedder's answer is a function of what it is
given; what comes back is checked; and the result says by its digest what was embedded and by its name by what. Not guaranteed: that a model's vectors
are the same on another machine (those of klero's own are).

Cost: one hash a text, and the embedder. Memory: the vectors, and 100 bytes a text. Ctrl-C stops it after the batch at hand; a cache keeps what was
done.

>>> made = embed(["Plus de pistes cyclables", "", "Des pistes cyclables sûres", "Cantine bio"])
>>> made.vectors.shape, made.rows.tolist(), made.empty.tolist(), made.name[:17]
((3, 384), [0, 2, 3], [1], 'klero-tfidf-svd/1')
>>> print(made.explain())
3 of 4 texts have a vector of 384 numbers; 1 has no word and has none.
They were made by klero's offline embedder, from the texts alone (klero-tfidf-svd/1 sha256:133eaeffe935459f).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeAlias, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from klero import _native
from klero.errors import Fault, InputError
from klero.themes.embed_cache import EmbeddingCache
from klero.themes.embed_models import OnnxEmbedder, PackagedEmbedder, SentenceTransformerEmbedder
from klero.themes.embed_offline import ALGORITHM, OfflineEmbedder
from klero.voices.ids import IdView, read_ids
from klero.voices.sets import native_chunk
from klero.voices.settings import Progress, read_progress, read_resources, shown
from klero.voices.texts import TextColumn, read_texts
from klero.words import number, words

if TYPE_CHECKING:
    from klero.tables import ArrowStream
    from klero.voices.ids import Id
    from klero.voices.texts import TextSource

__all__ = [
    "Embedded",
    "Embedder",
    "EmbedderSource",
    "EmbeddingCache",
    "OfflineEmbedder",
    "OnnxEmbedder",
    "PackagedEmbedder",
    "SentenceTransformerEmbedder",
    "embed",
    "read_embedder",
]

SCHEMA = "klero-embedded/1"
Matrix: TypeAlias = npt.NDArray[np.float32]
Rows: TypeAlias = npt.NDArray[np.int64]
_BATCH = 256
"""Texts that an embedder is given at once: often enough to be stopped, and seldom enough for its batches to be full."""
_KEPT = 16_384
"""Texts after which the cache is written, so that an interruption loses no more than these."""
_BLOCK = 1 << 16
_SHOWN = 5


@runtime_checkable
class Embedder(Protocol):
    """What makes vectors of texts."""

    @property
    def name(self) -> str:
        """Which model it is, and which version of it: two embedders of one name give the same vectors. Results keep it, and a cache goes by it."""

    def embed(self, texts: Sequence[str]) -> Matrix:
        """The vectors of n texts: float32, n × d, d always the same; finite, and none of them zeros alone."""


EmbedderSource: TypeAlias = "Embedder | str | os.PathLike[str] | None"


@dataclass(frozen=True, eq=False, repr=False)
class Embedded:
    """The vectors of n texts, of which m have words.

    Attributes:
        vectors: float32[m, dimension], of the texts that have words, in the order of rows.
        rows: int64[m], the row of each vector.
        empty: int64[n − m], the rows of texts without a word; they have no vector.
        name: what made the vectors, and which version of it.
        digest: SHA-256 of the set of (id, text), or of the texts where no ids were given: the same in any order of rows.
        distinct: different texts among those with words.
        made, kept: how many of these were embedded now, and how many vectors came from the cache.
        embedder: what made them, to embed later texts alike.
    """

    vectors: Matrix
    rows: Rows
    empty: Rows
    name: str
    digest: str
    distinct: int
    made: int
    kept: int
    embedder: Embedder = field(repr=False)

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return int(self.vectors.shape[1])

    @property
    def texts(self) -> int:
        """n, the texts with and without words."""
        return len(self.rows) + len(self.empty)

    def explain(self, lang: str = "en") -> str:
        """What was embedded and by what, «en» or «fr».

        Raises:
            InputError: there are no words in this language.
        """
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        first = ngettext(
            "{m} of {n} text has a vector of {d} numbers",
            "{m} of {n} texts have a vector of {d} numbers",
            self.texts,
        ).format(m=number(len(self.rows), lang), n=number(self.texts, lang), d=number(self.dimension, lang))
        if len(self.empty):
            first += ngettext(
                "; {e} has no word and has none", "; {e} have no word and have none", len(self.empty)
            ).format(e=number(len(self.empty), lang))
        if self.name.startswith(ALGORITHM):
            second = _("They were made by klero's offline embedder, from the texts alone ({name}).")
        else:
            second = _("They were made by a model that has read other texts ({name}).")
        lines = [f"{first}.", second.format(name=self.name)]
        if self.kept:
            lines.append(
                ngettext(
                    "{k} different text had been embedded before, and its vector was kept.",
                    "{k} different texts had been embedded before, and their vectors were kept.",
                    self.kept,
                ).format(k=number(self.kept, lang))
            )
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """For JSON, without the vectors."""
        return {
            "schema": SCHEMA,
            "name": self.name,
            "dimension": self.dimension,
            "texts": self.texts,
            "embedded": len(self.rows),
            "empty": len(self.empty),
            "distinct": self.distinct,
            "digest": self.digest,
        }

    def to_json(self) -> str:
        """`to_dict` as JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2) + "\n"

    def __repr__(self) -> str:
        return f"<Embedded: {len(self.rows):,} of {self.texts:,} texts × {self.dimension}, by {self.name}>"


def embed(
    texts: TextSource,
    *,
    ids: Sequence[Id] | ArrowStream | None = None,
    embedder: EmbedderSource = None,
    cache: EmbeddingCache | str | os.PathLike[str] | None = None,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Embedded:
    """Makes the vectors of contributions.

    Args:
        texts: a list of str (None: no text), or a column of pyarrow, polars, pandas or numpy.
        ids: one for each text, for the digest alone.
        embedder: None or «offline», klero's own, which learns from these texts; «packaged», the model of the extra `embeddings`; the path of an ONNX file
            (with its `tokenizer.json` in the same
            folder), of a folder with a model of sentence-transformers, or of a saved `OfflineEmbedder`; or anything with `name` and `embed`.
        cache: a folder where vectors are kept from run to run, so that only new texts are embedded. Not for klero's own, which is quicker than a cache.
        threads: of klero's own embedder, at most; models have their own.
        progress: called with the name of a step and how many texts are done.

    Raises:
        InputError: with everything that is wrong with the texts, ids and options; or what the embedder gave can't be used.
        MissingExtraError: the embedder needs a package that is not installed.
    """
    faults: list[Fault] = []
    resources = read_resources(faults, threads=threads, memory=None)
    read_progress(faults, progress)
    column = read_texts(texts, "texts", faults, resources.threads if resources else 1)
    names = None if ids is None else read_ids(ids, None if column is None else len(column), "ids", faults)
    if faults or column is None or resources is None:
        raise InputError(faults)
    maker = read_embedder(embedder, threads=resources.threads)
    kept = EmbeddingCache(cache) if isinstance(cache, str | os.PathLike) else cache
    worded = _with_words(column)
    rows = np.flatnonzero(worded).astype(np.int64)
    keys, digest = _identities(column, None if names is None else IdView(names))
    if isinstance(maker, OfflineEmbedder):
        chosen = column if len(rows) == len(column) else column.take(rows)
        vectors = maker.embed(cast("TextSource", chosen), progress=progress)
        distinct = len({keys[row] for row in rows.tolist()})
        made, found = distinct, 0
    else:
        vectors, distinct, found = _foreign(maker, column, rows, keys, kept, progress)
        made = distinct - found
    return Embedded(
        vectors=vectors,
        rows=rows,
        empty=np.flatnonzero(~worded).astype(np.int64),
        name=maker.name,
        digest=digest,
        distinct=distinct,
        made=made,
        kept=found,
        embedder=maker,
    )


def read_embedder(source: EmbedderSource, *, threads: int | None = None) -> Embedder:
    """The embedder that is meant; see `embed`.

    Raises:
        InputError: there is none of this name, the object is none, or its files can't be used.
        MissingExtraError: it needs a package that is not installed.
    """
    if source is None:
        return OfflineEmbedder(threads=threads)
    if isinstance(source, str | os.PathLike):
        return _of_name(source, threads)
    if callable(getattr(source, "embed", None)) and isinstance(getattr(source, "name", None), str):
        return source
    message = (
        f"{shown(source)} is no embedder: it lacks a name (str) or a method embed(texts). Give 'offline', 'packaged', a path, or an object that has both; "
        "vectors that are made already are read by klero.themes.vectors.read_vectors."
    )
    raise InputError([Fault("embedder-invalid", message, "")])


def _of_name(name: str | os.PathLike[str], threads: int | None) -> Embedder:
    if name == "offline":
        return OfflineEmbedder(threads=threads)
    if name == "packaged":
        return PackagedEmbedder()
    path = Path(name)
    if path.is_dir():
        return SentenceTransformerEmbedder(path)
    if path.suffix.lower() == ".onnx":
        return OnnxEmbedder(path, threads=threads)
    if path.is_file():
        return OfflineEmbedder.load(path, threads=threads)
    message = (
        f"{shown(os.fspath(path))} is neither 'offline' nor 'packaged', and there is no such file or folder. Give one of these, an ONNX file, "
        "the folder of a model of sentence-transformers, or a saved OfflineEmbedder."
    )
    raise InputError([Fault("embedder-unknown", message, "")])


def _with_words(column: TextColumn) -> npt.NDArray[np.bool_]:
    """Which texts have a word, as near-duplicates count them."""
    sizes = [np.zeros(0, np.uint64)]
    for chunk in column.chunks:
        for first in range(0, len(chunk), _BLOCK):
            _sets, own, _sequences = _native.text_sets(native_chunk(chunk.slice(first, _BLOCK)), 9, False)
            sizes.append(np.frombuffer(own, np.uint64))
    return np.asarray(np.concatenate(sizes) > 0)


def _identities(column: TextColumn, ids: Sequence[Id] | None) -> tuple[list[bytes], str]:
    """A key for each text, and the digest of them all: SHA-256 over a line, their number and their entries, ascending; an entry is SHA-256 of id, a zero
    byte, and the text's SHA-256."""
    keys, entries = [], []
    for row, text in enumerate(column):
        own = hashlib.sha256(text.encode()).digest()
        keys.append(own[:16])
        name = "" if ids is None else str(ids[row])
        entries.append(hashlib.sha256(name.encode() + b"\0" + own).digest())
    head = f"{SCHEMA} ids={int(ids is not None)}\n".encode()
    whole = hashlib.sha256(head + len(entries).to_bytes(8, "little") + b"".join(sorted(entries)))
    return keys, whole.hexdigest()


def _foreign(
    maker: Embedder,
    column: TextColumn,
    rows: Rows,
    keys: list[bytes],
    cache: EmbeddingCache | None,
    progress: Progress | None,
) -> tuple[Matrix, int, int]:
    """The vectors of these rows, how many different texts they have, and of how many the vectors were kept. Each text is embedded once, in the order of
    keys."""
    first: dict[bytes, int] = {}
    for row in rows.tolist():
        first.setdefault(keys[row], row)
    order = sorted(first)
    known = {} if cache is None else cache.find(maker.name, order)
    work = _Work(maker, cache, progress, len(known))
    fresh = [key for place, key in enumerate(order) if place not in known]
    vectors = work.run(fresh, lambda key: column[first[key]], first)
    widths = {len(vector) for vector in known.values()} | {vector.shape[1] for vector in vectors}
    if len(widths) > 1:
        _refuse(
            maker,
            f"its vectors have {' and '.join(map(str, sorted(widths)))} numbers, those of the cache among them; they can't be compared",
        )
    whole = np.zeros((len(order), next(iter(widths), 0)), np.float32)
    if known:
        whole[list(known)] = np.stack(list(known.values()))
    if fresh:
        whole[[place for place in range(len(order)) if place not in known]] = np.concatenate(vectors)
    place_of = {key: place for place, key in enumerate(order)}
    places = np.fromiter((place_of[keys[row]] for row in rows.tolist()), np.int64, len(rows))
    return whole[places], len(order), len(known)


@dataclass
class _Work:
    """Batches on their way through an embedder."""

    maker: Embedder
    cache: EmbeddingCache | None
    progress: Progress | None
    done: int

    def run(self, keys: list[bytes], text: Callable[[bytes], str], rows: dict[bytes, int]) -> list[Matrix]:
        """The vectors of the texts with these keys, batch by batch. Whatever ends it, what was made is kept."""
        vectors: list[Matrix] = []
        saved = 0
        try:
            for start in range(0, len(keys), _BATCH):
                batch = keys[start : start + _BATCH]
                found = self.maker.embed([text(key) for key in batch])
                vectors.append(_checked(self.maker, found, [rows[key] for key in batch], vectors))
                if self.progress is not None:
                    self.progress("embedding", self.done + start + len(batch))
                if start + len(batch) - saved >= _KEPT:
                    saved = self._save(keys, vectors, saved)
        except BaseException:
            with suppress(OSError):  # what stopped it is told, not that a disk is full as well
                self._save(keys, vectors, saved)
            raise
        self._save(keys, vectors, saved)
        return vectors

    def _save(self, keys: list[bytes], vectors: list[Matrix], saved: int) -> int:
        made = sum(map(len, vectors))
        if self.cache is not None and made > saved:
            fresh = np.concatenate(vectors[saved // _BATCH :])
            self.cache.keep(self.maker.name, keys[saved:made], fresh)
        return made


def _checked(maker: Embedder, found: object, rows: list[int], before: list[Matrix]) -> Matrix:
    """What an embedder gave for the texts in these rows, as float32; or why it can't be used."""
    try:
        array = np.asarray(found)
    except (TypeError, ValueError) as error:
        _refuse(maker, f"what it gave is no array ({error})")
    if array.dtype.kind not in "fiu":
        _refuse(maker, f"it gave {array.dtype} and not numbers")
    if array.ndim != 2 or len(array) != len(rows) or not array.shape[1]:
        shape = " × ".join(map(str, array.shape)) or "a single number"
        _refuse(maker, f"for {len(rows)} texts it gave {shape}, and not a row of numbers for each")
    if before and array.shape[1] != before[0].shape[1]:
        _refuse(maker, f"it gave {before[0].shape[1]} numbers for a text and then {array.shape[1]}")
    with np.errstate(over="ignore"):
        vectors = np.ascontiguousarray(array, np.float32)
    for wrong, what in (
        (~np.isfinite(vectors).all(axis=1), "NaN or infinite numbers"),
        (~vectors.any(axis=1), "zeros alone, which point nowhere,"),
    ):
        if wrong.any():
            told = sorted(rows[place] + 1 for place in np.flatnonzero(wrong))
            shown_rows = ", ".join(map(str, told[:_SHOWN]))
            also = f" and {len(told) - _SHOWN:,} more" if len(told) > _SHOWN else ""
            _refuse(maker, f"it gave {what} for the texts in row {shown_rows}{also}")
    return vectors


def _refuse(maker: Embedder, why: str) -> NoReturn:
    message = (
        f"The embedder «{maker.name}» does not give what it should: {why}. Themes can't be found from such vectors: correct the embedder, or use another "
        "(embedder='offline' needs nothing)."
    )
    raise InputError([Fault("embedder-invalid", message, "")])
