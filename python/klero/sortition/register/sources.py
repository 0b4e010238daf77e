"""Which files make the register?

CSV and Parquet, one file or many, or anything with an Arrow stream. How their rows are read, some hundred thousand at a time, is in
:mod:`klero._tables_batches`.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path

from klero._tables_arrow import ArrowStream
from klero._tables_batches import Source, open_path, open_stream
from klero.errors import Fault, InputError

__all__ = ["RegisterSource", "Source", "open_sources"]

_KINDS = ".csv .tsv .txt .parquet .pq"

RegisterSource = str | PathLike[str] | ArrowStream


def open_sources(register: RegisterSource | Sequence[RegisterSource]) -> list[Source]:
    """All files of a register; patterns like «part-*.parquet» stand for the files that they match.

    Raises:
        InputError: a file is missing or is no table, or a pattern matches nothing; all faults together.
    """
    given: Sequence[RegisterSource]
    given = [register] if isinstance(register, (str, PathLike, ArrowStream)) else list(register)
    sources: list[Source] = []
    faults: list[Fault] = []
    if not given:
        faults.append(Fault("table-empty", "no register was given. Give one file or more.", "register"))
    for item in given:
        try:
            if isinstance(item, (str, PathLike)):
                for path in _paths(fspath(item)):
                    sources.append(open_path(path, _KINDS, "a register"))
                    sources[-1].check_quotes()
            else:
                sources.append(open_stream(item, f"table {len(sources) + 1}", "register"))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return sources


def _paths(text: str) -> list[Path]:
    path = Path(text)
    if not glob.has_magic(text) or path.exists():
        return [path]
    found = sorted(p for p in map(Path, glob.glob(text, recursive=True)) if p.is_file())  # noqa: PTH207 - may be absolute
    if not found:
        message = f"no file matches {text}. Check the folder, and put the pattern in quotes."
        raise InputError([Fault("glob-empty", message, text)])
    return found
