"""How is a log read and written so that a crash, or two people who write at once, lose nothing of it?

What the logs of klero share (`klero.ledger.log`, `klero.campaigns.review_file`). A log is read whole; a new state is written beside it, flushed, and
takes its place in one step. Whoever appends holds a lock on the folder from reading to writing, where the system can lock a folder.

Guaranteed: the file holds the old state or the new one. Not guaranteed: the lock, on Windows and on file systems without locks.
Cost: in proportion to the file.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from klero._files import beside, flush_folder, write_new
from klero.errors import LogError

__all__ = ["locked", "log_bytes", "put_log"]

FILE_LIMIT = 256 << 20


def log_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a log.

    Raises:
        LogError: there is none, or it can't be read; the message says why.
    """
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(FILE_LIMIT + 1)
    except FileNotFoundError:
        raise LogError(f"there is no log {os.fspath(path)}; check the name and the folder") from None
    except IsADirectoryError:
        raise LogError(f"{os.fspath(path)} is a folder, not a log") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise LogError(f"{os.fspath(path)} can't be read: {reason}") from None
    if len(data) > FILE_LIMIT:
        raise LogError(f"{os.fspath(path)} has more than {FILE_LIMIT} bytes")
    return data


def put_log(target: Path, data: bytes) -> None:
    """Puts `data` in the place of the file, whole or not at all.

    Raises:
        LogError: it can't be written; what was there is there as before.
    """
    fresh = beside(target, "new")
    try:
        write_new(fresh, data)
        if target.exists():
            shutil.copymode(target, fresh)
        fresh.replace(target)
        flush_folder(target.parent)
    except OSError as error:
        raise LogError(f"{target} can't be written: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other appends in this folder waiting, where the system has such locks; the lock leaves no file behind."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
