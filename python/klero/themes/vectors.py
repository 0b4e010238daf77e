"""Are these the vectors of the contributions, and can they be compared?

An embedder turns each text into d numbers. They come from numpy, from a `.npy` or Parquet file, from any producer of Arrow (pyarrow, polars, duckdb, pandas),
or as lists, and leave as one matrix of 32-bit floats, row after row. What has that form already is used where it lies, in memory or mapped from
its file; anything else is copied once, and the facts say so and why.

Guaranteed: everything that is wrong is told at once, with its rows; no NaN, no infinite number and no row of zeros (which points nowhere: an embedder
gives one for an empty text) comes through unasked; nothing is dropped or repaired. Not guaranteed: that the numbers mean anything.

Cost: one pass over the numbers in Rust, a million rows of 384 in about a third of a second, and 12 bytes a row. No randomness. The array shares memory
with what was given: that must not change while it is in use.

>>> found = read_vectors([[0.1, 0.9], [0.7, 0.2], [0.1, 0.9]])
>>> found.facts.rows, found.facts.dimension, found.facts.duplicates, found.array.dtype.name
(3, 2, 1, 'float32')
>>> print(found.facts.explain())
3 vectors of 2 numbers each (vectors). 1 of them repeats an earlier one exactly.
They were given as float64 and copied: turned into floats of 32 bits; put together from Python's numbers.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from klero import _native
from klero.errors import Fault, InputError
from klero.tables import ArrowStream
from klero.themes.vectors_raw import Raw, from_numpy, from_rows, rows_text
from klero.voices.settings import read_resources, shown
from klero.words import number, words

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ArrowArray", "SupportsArray", "VectorFacts", "VectorSource", "Vectors", "read_vectors"]

Matrix: TypeAlias = npt.NDArray[np.float32]

_MOST_ROWS = 2**32 - 2


class ArrowArray(Protocol):
    """Anything that exports an Arrow array."""

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """The capsules of the Arrow PyCapsule interface."""


class SupportsArray(Protocol):
    """Anything that numpy can read: arrays, tensors in the processor's memory."""

    def __array__(self) -> npt.NDArray[np.generic]:
        """The numbers as an array."""


@dataclass(frozen=True)
class VectorFacts:
    """What was read, and what became of it.

    Attributes:
        rows, dimension: of the matrix.
        duplicates: rows that repeat an earlier one exactly.
        zeros: rows of zeros, where they are taken.
        source: the name of the file or of what was given.
        column: the column that held the vectors; None where there was none.
        dtype: the type of the numbers as they were given.
        copied: why they were copied: «dtype» (turned into floats of 32 bits), «order» (not row after row), «chunks» (in several pieces), «values» (Python's
            numbers), «columns» (a column for each number), «parquet» (read from such a file). Empty if they are used where they lie.
        mapped: whether they stay in their file, and are read from there.
    """

    rows: int
    dimension: int
    duplicates: int
    zeros: int
    source: str
    column: str | None
    dtype: str
    copied: tuple[str, ...]
    mapped: bool

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "rows": self.rows,
            "dimension": self.dimension,
            "duplicates": self.duplicates,
            "zeros": self.zeros,
            "source": self.source,
            "column": self.column,
            "dtype": self.dtype,
            "copied": list(self.copied),
            "mapped": self.mapped,
        }

    def explain(self, lang: str = "en") -> str:
        """In plain words, «en» or «fr»."""
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        first = ngettext(
            "{n} vector of {d} numbers ({source}).",
            "{n} vectors of {d} numbers each ({source}).",
            self.rows,
        ).format(n=number(self.rows, lang), d=number(self.dimension, lang), source=self.source)
        again = ngettext(
            "{n} of them repeats an earlier one exactly.",
            "{n} of them repeat an earlier one exactly.",
            self.duplicates,
        ).format(n=number(self.duplicates, lang))
        if not self.copied:
            used = _("They are read from their file when they are needed.") if self.mapped else ""
        else:
            reasons = _copy_words(lang)
            used = _("They were given as {dtype} and copied: {reasons}.").format(
                dtype=self.dtype, reasons="; ".join(reasons[reason] for reason in self.copied)
            )
        return "\n".join(filter(None, [" ".join([first, again] if self.duplicates else [first]), used]))


def _copy_words(lang: str) -> Mapping[str, str]:
    _ = words(lang).gettext
    return {
        "dtype": _("turned into floats of 32 bits"),
        "order": _("put row after row"),
        "chunks": _("put together from several pieces"),
        "values": _("put together from Python's numbers"),
        "columns": _("put together from a column for each number"),
        "parquet": _("read from a Parquet file"),
    }


@dataclass(frozen=True, eq=False)
class Vectors:
    """Vectors that were checked: `array` is float32, C-contiguous, n × d; `facts` say where it comes from."""

    array: Matrix
    facts: VectorFacts

    def __len__(self) -> int:
        return len(self.array)


VectorSource: TypeAlias = (
    npt.NDArray[np.generic]
    | Sequence[Sequence[float]]
    | Sequence[npt.NDArray[np.generic]]
    | ArrowStream
    | ArrowArray
    | SupportsArray
    | str
    | os.PathLike[str]
    | Vectors
)


def read_vectors(
    source: VectorSource,
    *,
    column: str | None = None,
    name: str | None = None,
    zeros: bool = False,
    threads: int | None = None,
) -> Vectors:
    """Reads and checks the vectors of contributions.

    Args:
        source: an array or a list of rows; a column or a table of Arrow (pyarrow, polars, duckdb, pandas); the path of a `.npy` file, which stays
            on the disk, or of a Parquet file. What `read_vectors` gave is given back.
        column: in a table, the column of vectors. It may be left out if only one holds lists of floats, or if all columns are floats, which are
            then the numbers of the vectors.
        name: what messages call it; by default the file's name.
        zeros: take rows of zeros as they are; otherwise they are refused.
        threads: at most; by default the processors there are. The result does not depend on it.

    Raises:
        InputError: with everything that is wrong.
    """
    if isinstance(source, Vectors):
        if zeros or not source.facts.zeros:
            return source
        source = source.array
    faults: list[Fault] = []
    resources = read_resources(faults, threads=threads, memory=None)
    if column is not None and not isinstance(column, str):
        message = f"column is {shown(column)}. Give the name of a column, or leave it out."
        faults.append(Fault("option-unknown", message, ""))
    if faults or resources is None:
        raise InputError(faults)
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        told = name if name is not None else path.name or str(path)
        raw = _from_path(path, column, told, faults)
    else:
        told = name if name is not None else "vectors"
        raw = _from_object(source, column, told, faults)
    if raw is None or faults:
        raise InputError(faults)
    return _checked(raw, told, zeros, resources.threads)


def _from_path(path: Path, column: str | None, name: str, faults: list[Fault]) -> Raw | None:
    suffix = path.suffix.lower()
    try:
        if path.is_dir():
            fault = Fault("file-is-directory", f"{path} is a folder. Give the file inside it.", name)
        elif not path.exists():
            fault = Fault("file-missing", f"there is no file {path}. Check the name and the folder.", name)
        elif not path.is_file():
            message = "this is no file on a disk but a pipe or a device, which can't be mapped. Give a file."
            fault = Fault("file-unreadable", message, name)
        elif suffix == ".npy":
            if column is not None:
                message = "a .npy file has no columns. Leave column out."
                faults.append(Fault("options-conflict", message, name, column=column))
                return None
            from klero.themes.vectors_npy import from_npy

            return from_npy(path, name, faults)
        elif suffix in (".parquet", ".pq"):
            from klero.themes.vectors_arrow import from_parquet

            return from_parquet(path, column, name, faults)
        else:
            message = (
                f"files of type {suffix or '(none)'} are not read as vectors. Give a .npy file (numpy.save of one array) or a Parquet file with a "
                "column of lists."
            )
            fault = Fault("file-type", message, name)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        fault = Fault("file-unreadable", f"{path} can't be opened ({reason}). Check who may read it.", name)
    faults.append(fault)
    return None


def _from_object(source: object, column: str | None, name: str, faults: list[Fault]) -> Raw | None:
    objects = getattr(source, "dtype", None) == np.object_  # pandas: any mixture, looked at row by row
    arrow = hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__")
    if arrow and not objects and not isinstance(source, np.ndarray):
        from klero.themes.vectors_arrow import from_arrow

        return from_arrow(source, column, name, faults)
    if column is not None:
        message = f"{type(source).__name__} has no columns. Give a table, or leave column out."
        faults.append(Fault("options-conflict", message, name, column=column))
        return None
    if hasattr(source, "tocsr") and hasattr(source, "nnz"):
        message = (
            "sparse matrices are not supported: vectors are compared number by number. Reduce them first, for instance by a singular value "
            "decomposition, or call toarray() if that fits into memory."
        )
        faults.append(Fault("vectors-type", message, name, value=type(source).__name__))
        return None
    if isinstance(source, np.ndarray):
        return from_numpy(source, name, faults)
    if isinstance(source, Sequence) and not isinstance(source, str | bytes | bytearray | memoryview):
        return from_rows(source, name, faults)
    if hasattr(source, "__array__"):
        try:
            return from_numpy(np.asarray(source), name, faults)
        except (TypeError, ValueError, RuntimeError) as error:
            what = f"this {type(source).__name__} can't be read as an array ({error})"
            faults.append(Fault("source-type", f"{what}. Give one in the processor's memory.", name))
            return None
    if isinstance(getattr(source, "vectors", None), np.ndarray):  # what klero.embed gives
        message = f"{shown(source)} holds vectors and is none itself. Give what stands in its `vectors`."
        faults.append(Fault("source-type", message, name))
        return None
    message = (
        f"{shown(source)} is neither an array nor a table. Give an array of numpy, a column of lists of pyarrow, polars, pandas or duckdb, a list of "
        "rows, or the path of a .npy or Parquet file."
    )
    faults.append(Fault("source-type", message, name, value=type(source).__name__))
    return None


def _checked(raw: Raw, name: str, zeros: bool, threads: int) -> Vectors:
    """The matrix in the one form, looked at as a whole."""
    faults: list[Fault] = []
    rows, dimension = raw.array.shape
    if rows > _MOST_ROWS:
        faults.append(Fault("texts-too-many", f"there are {rows:,} rows, more than {_MOST_ROWS:,}.", name))
    if dimension == 0:
        message = (
            f"the matrix has 0 feature(s) (shape=({rows}, 0)) while a minimum of 1 is required: there are no numbers to compare. Was the right "
            "file or column given?"
        )
        faults.append(Fault("vectors-shape", message, name, value=str(raw.array.shape)))
    if rows == 0:
        message = f"there are no rows (0 sample(s), shape={raw.array.shape}), so there is nothing to group. Was the right file or column given?"
        faults.append(Fault("vectors-empty", message, name))
    if faults:
        raise InputError(faults)
    copied = list(raw.copied)
    if raw.dtype != "float32":
        copied.insert(0, "dtype")
    elif not raw.array.flags.c_contiguous:
        copied.insert(0, "order")
    with np.errstate(over="ignore"):  # what 32 bits can't hold becomes infinite, and is told with its row
        array: Matrix = np.ascontiguousarray(raw.array, np.float32)
    broken, zero, duplicates = _native.vectors_check(array, dimension, threads=threads)
    if broken[0]:
        faults.append(_broken_fault(array, broken, name, raw.column))
    if zero[0] and not zeros:
        faults.append(_zero_fault(zero, name, raw.column))
    if faults:
        raise InputError(faults)
    facts = VectorFacts(
        rows=rows,
        dimension=dimension,
        duplicates=duplicates,
        zeros=zero[0],
        source=name,
        column=raw.column,
        dtype=raw.dtype,
        copied=tuple(copied),
        mapped=raw.mapped and not copied,
    )
    return Vectors(array, facts)


def _broken_fault(array: Matrix, found: tuple[int, list[int]], name: str, column: str | None) -> Fault:
    count, rows = found
    first = array[rows[0]]
    place = int(np.flatnonzero(~np.isfinite(first))[0])
    message = (
        f"{rows_text(rows, count)} {'holds' if count == 1 else 'hold'} NaN, an infinite number, or one beyond the range of 32 bits (in row "
        f"{rows[0] + 1:,}, number {place + 1:,} of {len(first):,}), and such a vector is near to nothing. Embed the texts again, or look for a "
        "division by zero after the embedder."
    )
    return Fault("vectors-not-finite", message, name, rows[0] + 1, column, str(first[place]))


def _zero_fault(found: tuple[int, list[int]], name: str, column: str | None) -> Fault:
    count, rows = found
    message = (
        f"{rows_text(rows, count)} {'is' if count == 1 else 'are'} zeros alone (or too small for 32 bits), so {'it points' if count == 1 else 'they point'} "
        "nowhere: an embedder gives that for an empty text, or one of which it knows no word. Leave such texts out and count them apart, or embed them "
        "with a model that knows them."
    )
    return Fault("vectors-zero", message, name, rows[0] + 1, column)
