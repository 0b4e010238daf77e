"""One file, written whole or not at all, and never over another unasked."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from klero.cli.output import written
from klero.errors import OutputExistsError


def refuse_existing(path: str | None, *, force: bool) -> None:
    """Says early that `write_file` would refuse this place.

    Raises:
        OutputExistsError: something is there already.
    """
    if path and not force and os.path.lexists(path):
        raise OutputExistsError(path)


def write_file(path: str, text: str, *, force: bool) -> None:
    """Writes `text` in UTF-8 beside its place and moves it there.

    Raises:
        OutputExistsError: something is there already and `force` is not given.
    """
    target = Path(path)
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        with fresh.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if force:
            fresh.replace(target)
        else:
            try:
                target.hardlink_to(fresh)  # unlike a move, it fails if something has come there meanwhile
            except FileExistsError:
                raise OutputExistsError(path) from None
    finally:
        with suppress(FileNotFoundError):
            fresh.unlink()
    written.append(path)
