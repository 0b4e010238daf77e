"""What must be known of the table that `klero repeats` writes, before it is written and when it is opened?

A row for each contribution, in the order of the input, as Parquet, CSV or JSON lines (`klero.voices.table_output`). Five columns and nothing else,
so that the file can be passed on: `id`, `group` (the smallest id of the group; empty when alone), `size` (1 alone, 0 for a text without words),
`similarity` to the representative, `representative`. Ids are written as they were read, so that the table can be joined to its source.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from klero.errors import Fault, InputError
from klero.voices.table_output import SUFFIXES
from klero.words import number, words

__all__ = ["check_suffix", "formula_ids", "formula_words"]

# What a spreadsheet takes for the beginning of a formula; «-12» and «+3.5» are numbers.
_FORMULA = re.compile(r"(?:[=@\t\r]|[+-](?![0-9.,]+$)).*", re.DOTALL)


def check_suffix(path: str | os.PathLike[str]) -> None:
    """Refuses a name whose end does not say in which form the table is to be written.

    Raises:
        InputError: `file-type`.
    """
    name = Path(path).name
    if Path(path).suffix.lower() not in SUFFIXES:
        message = f"{name} must end in .parquet, .csv or .jsonl, the forms that the table is written in."
        raise InputError([Fault("file-type", message, name)])


def formula_ids(ids: Iterable[object]) -> int:
    """How many ids a spreadsheet would take for formulas.

    >>> formula_ids(["A1", "=1+1", "-12", "-x", "@me", 7])
    3
    """
    return sum(1 for one in ids if isinstance(one, str) and _FORMULA.match(one))


def formula_words(count: int, lang: str) -> list[str]:
    """What to do about them; nothing if there are none."""
    if not count:
        return []
    text = words(lang).ngettext(
        "{n} id begins as a formula does; ids are written as they were read, so import the table as text, don't open it with a double click.",
        "{n} ids begin as formulas do; ids are written as they were read, so import the table as text, don't open it with a double click.",
        count,
    )
    return [text.format(n=number(count, lang))]
