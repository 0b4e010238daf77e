"""Which texts speak of the same, when there is no model of the language at hand?

«klero-tfidf-svd/1» (`rust/core/src/embed`): words without accents and runs of three and four letters, weighed by how few other texts have them, drawn
in 352 dimensions by a randomised singular value decomposition (Halko, Martinsson and Tropp, SIAM Review 2011) of the texts themselves. 32 more numbers
say what no other text has, so that whoever speaks of something new does not land among people who merely use the same small words. No model, no
download, any language that is written with spaces; French and English were measured.

Guaranteed: what is learnt is a function of the *set* of texts: the same bytes in any order of rows, for any number of copies (a petition counts as one
text), threads, process and processor; and a text's vector is a function of that and of its words. Not guaranteed: that words which never stand in like
company are known to mean the same; a model that has read other texts knows more.

Cost: linear. 23,700 questions of forty letters take about 1.1 s of a processor, fit and vectors; learning from more than 65,536 different texts takes a
sample by hash (words are counted in all). Memory: the vectors, 24 bytes a text, 8 bytes a feature of the sample, and up to 3.2 kB for each of at most
131,072 features. No randomness beyond a fixed seed.

>>> from klero.themes.embedders import OfflineEmbedder
>>> embedder = OfflineEmbedder()
>>> vectors = embedder.embed(["Plus de pistes cyclables", "Des pistes cyclables sûres", "Cantine bio à l'école", "Une cantine bio"])
>>> vectors.shape, embedder.texts_, embedder.name[:17]
((4, 384), 4, 'klero-tfidf-svd/1')
>>> similar = vectors @ vectors.T
>>> bool(similar[0, 1] > similar[0, 2]), bool(similar[2, 3] > similar[1, 3])
(True, True)
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

import numpy as np

from klero import _native
from klero._files import read_file, write_file
from klero.errors import Fault, InputError, NotFittedError
from klero.voices.sets import native_chunk
from klero.voices.settings import Progress, read_progress, read_resources, read_whole
from klero.voices.texts import TextColumn, read_texts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from klero.voices.texts import TextSource

__all__ = ["ALGORITHM", "DIMENSION", "OfflineEmbedder"]

ALGORITHM = _native.EMBED_ALGORITHM
DIMENSION = _native.EMBED_DIMENSION
_DIMENSIONS = (64, 1024)
_BLOCK = 256
"""Rows that a thread reads at a time (`rust/core/src/embed`)."""
_ROWS = 1 << 16
"""Rows whose vectors are made before they are copied to their place: no more of them are there twice."""
_OTHER_VERSION = (
    "it was made by another version of the embedder ({first}; this one is {own}), and vectors of two versions can't be compared. "
    "Fit it anew to the texts."
)
_DAMAGED = (
    "this is no saved embedder, or it was cut off or changed. Use a copy of it, or fit it anew to the texts."
)


class OfflineEmbedder:
    """Vectors learnt from the texts themselves. See the module for the method.

    The first texts that it is given are what it learns from; later ones (in a workshop, or to predict) have theirs by the same measure.

    Args:
        dimension: numbers in a vector, 64 to 1,024, whatever the texts.
        threads: at most; by default the processors there are. No vector depends on it.

    Attributes:
        texts_: different texts that it learnt from.
        features_: words and runs of letters that it knows.

    Raises:
        InputError: an option can't be followed.
    """

    def __init__(self, *, dimension: int = DIMENSION, threads: int | None = None) -> None:
        faults: list[Fault] = []
        read_whole(faults, "dimension", dimension, *_DIMENSIONS, "the numbers in a vector")
        resources = read_resources(faults, threads=threads, memory=None)
        if faults or resources is None:
            raise InputError(faults)
        self._dimension = int(dimension)
        self._threads = resources.threads
        self._model: _native.TfidfSvd | None = None
        self._name = ALGORITHM

    @property
    def name(self) -> str:
        """The algorithm with its version and, once fitted, the beginning of the SHA-256 of what was learnt."""
        return self._name

    @property
    def fitted(self) -> bool:
        """Whether it has learnt from texts."""
        return self._model is not None

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self._dimension

    @property
    def texts_(self) -> int:
        """Different texts that it learnt from.

        Raises:
            NotFittedError: it has learnt from none.
        """
        return self._learnt("texts_").texts

    @property
    def features_(self) -> int:
        """Words and runs of letters that it knows.

        Raises:
            NotFittedError: it has learnt from no texts.
        """
        return self._learnt("features_").features

    def fit(self, texts: TextSource, *, progress: Progress | None = None) -> OfflineEmbedder:
        """Learns from these texts, and forgets what it knew. After an error or Ctrl-C it is what it was.

        Args:
            texts: a list of str (None: no text), or a column of pyarrow, polars, pandas or numpy. Copies count once; texts without words don't.
            progress: called with the name of a step and how many texts, or parts of the work, are done.

        Raises:
            InputError: the texts can't be read.
        """
        column = self._column(texts, progress)
        model = _native.TfidfSvd.fit(
            [native_chunk(chunk) for chunk in column.chunks],
            dimension=self._dimension,
            threads=self._threads,
            progress=_in_texts(progress, len(column)),
        )
        self._take(model)
        return self

    def embed(self, texts: TextSource, *, progress: Progress | None = None) -> NDArray[np.float32]:
        """The vectors of texts, n × `dimension`, at length 1; zeros for a text without words. If it has learnt nothing yet, it first learns from these.

        Raises:
            InputError: the texts can't be read.
        """
        column = self._column(texts, progress)
        if self._model is None:
            self.fit(cast("TextSource", column), progress=progress)
        model = self._learnt("embed()")
        vectors = np.empty((len(column), self._dimension), np.float32)
        done = 0
        for chunk in column.chunks:
            for first in range(0, len(chunk), _ROWS):
                part = chunk.slice(first, _ROWS)
                told = _in_texts(progress, len(column), done)
                found = model.transform([native_chunk(part)], threads=self._threads, progress=told)
                vectors[done : done + len(part)] = np.frombuffer(found, np.float32).reshape(len(part), -1)
                done += len(part)
        return vectors

    def to_bytes(self) -> bytes:
        """What was learnt, with its version and a check: the same texts give the same bytes. It holds hashes of words and of runs of letters, no text;
        whoever has it can test whether a given word stood in two texts.

        Raises:
            NotFittedError: it has learnt nothing.
        """
        return self._learnt("to_bytes()").to_bytes()

    @classmethod
    def from_bytes(cls, state: bytes, *, threads: int | None = None) -> OfflineEmbedder:
        """The embedder that `to_bytes` made into these.

        Raises:
            InputError: they are of another version (`embedder-version`), damaged or something else (`embedder-invalid`).
        """
        return cls._read(state, "", threads)

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Writes what was learnt into a file, whole or not at all.

        Raises:
            NotFittedError: it has learnt nothing.
            OutputExistsError: something is there and `force` was not given.
            OSError: the place can't be written.
        """
        write_file(path, self.to_bytes(), force=force)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, threads: int | None = None) -> OfflineEmbedder:
        """The embedder that `save` wrote.

        Raises:
            InputError: there is no such file, it is of another version, damaged or something else.
        """
        return cls._read(read_file(path, _size(path)), os.fspath(path), threads)

    @classmethod
    def _read(cls, state: bytes, name: str, threads: int | None) -> OfflineEmbedder:
        try:
            model = _native.TfidfSvd.from_bytes(state)
        except ValueError as error:
            first = bytes(state[:40]).split(b"\n")[0].decode("ascii", "replace")
            other = _OTHER_VERSION.format(first=first, own=ALGORITHM)
            fault = (
                Fault("embedder-version", other, name)
                if str(error) == "version"
                else Fault("embedder-invalid", _DAMAGED, name)
            )
            raise InputError([fault]) from None
        embedder = cls(dimension=model.dimension, threads=threads)
        embedder._take(model)
        return embedder

    def _take(self, model: _native.TfidfSvd) -> None:
        self._model, self._name = model, f"{ALGORITHM} sha256:{model.digest()[:16]}"

    def _learnt(self, asked: str) -> _native.TfidfSvd:
        if self._model is None:
            raise NotFittedError("OfflineEmbedder", asked, "the texts to learn from")
        return self._model

    def _column(self, texts: object, progress: Progress | None) -> TextColumn:
        faults: list[Fault] = []
        read_progress(faults, progress)
        column = texts if isinstance(texts, TextColumn) else read_texts(texts, "texts", faults, self._threads)
        if faults or column is None:
            raise InputError(faults)
        return column

    def __getstate__(self) -> tuple[int, int, bytes | None]:
        return self._dimension, self._threads, None if self._model is None else self._model.to_bytes()

    def __setstate__(self, state: tuple[int, int, bytes | None]) -> None:
        self._dimension, self._threads, learnt = state
        self._model, self._name = None, ALGORITHM
        if learnt is not None:
            self._take(_native.TfidfSvd.from_bytes(learnt))

    def __repr__(self) -> str:
        if self._model is None:
            return f"<OfflineEmbedder: {ALGORITHM}, {self._dimension} dimensions, has learnt nothing yet>"
        return (
            f"<OfflineEmbedder: {self._name}, {self._dimension} dimensions, from {self._model.texts:,} texts>"
        )


def _size(path: str | os.PathLike[str]) -> int:
    """Of a file; 0 where there is none, which `read_file` tells."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 (a path with a NUL, which pathlib would raise differently)
    except (OSError, ValueError):
        return 0


def _in_texts(progress: Progress | None, texts: int, before: int = 0) -> Progress | None:
    """Steps that go through the texts count them; the reduction counts its parts."""
    if progress is None:
        return None

    def told(step: str, blocks: int) -> None:
        progress(step, blocks if step == "reducing" else min(texts, before + blocks * _BLOCK))

    return told
