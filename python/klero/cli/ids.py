"""Ids on the command line: «P001,P017», or the name of a file that lists them."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import isfile
from pathlib import Path

from klero.errors import Fault, InputError, quoted

_SUFFIXES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".parquet")


def names_a_table(text: str) -> bool:
    """Whether a text is the name of a table rather than what it would hold."""
    # Not pathlib: a long list of ids is too long a name, which isfile answers with False.
    return text.lower().endswith(_SUFFIXES) or isfile(text)  # noqa: PTH113


def id_list(text: str, option: str) -> Path | Sequence[str]:
    """What an option names: the path of a list, or the ids themselves.

    Raises:
        InputError: a place between the commas is empty.
    """
    if names_a_table(text):
        return Path(text)
    ids = [part.strip() for part in text.split(",")]
    if not all(ids):
        message = f"{option} {quoted(text)} has an empty place. Write ids with commas between them, or the name of a list of ids."
        raise InputError([Fault("id-empty", message, "", value=text)])
    return ids


def read_ids(text: str, option: str) -> list[str]:
    """The ids that an option names.

    Raises:
        InputError: the list can't be used, or a place in it is empty.
    """
    from klero.sortition.id_lists import named_ids

    return [person for person, _ in named_ids(id_list(text, option), f"ids of {option}")[0]]
