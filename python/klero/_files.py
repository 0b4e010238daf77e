"""How does a file get onto a disk whole, or not at all?

The bytes go into a new file beside the place, are flushed, and moved there: a crash or Ctrl-C leaves the old state or the new
one. Nothing that is already there is replaced unless the caller says so.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from klero.errors import OutputExistsError

__all__ = ["check_file", "write_file"]


def check_file(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Says early, before any work, whether `write_file` would refuse this place.

    Raises:
        OutputExistsError: something is there and `force` was not given.
        OSError: it is a folder, or there is no folder to write into.
    """
    target = Path(path)
    if target.is_dir():
        raise IsADirectoryError(21, "is a folder; give the name of a file", os.fspath(path))
    if not target.absolute().parent.is_dir():
        raise FileNotFoundError(
            2, "the folder to write into does not exist; create it first", os.fspath(path)
        )
    if os.path.lexists(target) and not force:
        raise OutputExistsError(os.fspath(path))


def write_file(path: str | os.PathLike[str], data: bytes, *, force: bool = False) -> None:
    """Writes a file, complete or not at all.

    Raises:
        OutputExistsError: something is there and `force` was not given.
        OSError: the place can't be written.
    """
    check_file(path, force=force)
    target = Path(path).absolute()
    fresh = target.parent / f".{target.name}.new.{secrets.token_hex(6)}"
    try:
        with fresh.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if not force:
            _claim(fresh, target, os.fspath(path))
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _claim(fresh: Path, target: Path, name: str) -> None:
    """Takes the name if nothing has it: a link can't replace a file that came there since the check."""
    try:
        os.link(fresh, target)
    except FileExistsError:
        raise OutputExistsError(name) from None
    except OSError:  # a file system without hard links: the check above has to do
        if os.path.lexists(target):
            raise OutputExistsError(name) from None
