"""How does a file get onto a disk whole, or not at all?

The bytes go into a new file beside the place, are flushed, and moved there: a crash or Ctrl-C leaves the old state or the new
one. Nothing that is already there is replaced unless the caller says so. Here are the steps that bundles, logs and lists share
(`write_new`, `claim`, `flush_folder`, `beside`), the whole of it for a single file (`write_file`), for files that belong together
(`write_together`) and for a folder of them (`put_folder`), the check that no output takes the
place of an input (`check_inputs`), and the form of CSV files.
"""

from __future__ import annotations

import csv
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from io import StringIO
from pathlib import Path
from typing import BinaryIO

from klero.errors import Fault, InputError, OutputExistsError

__all__ = [
    "beside",
    "check_file",
    "check_folder",
    "check_inputs",
    "claim",
    "csv_bytes",
    "flush_folder",
    "put_folder",
    "read_file",
    "unwritten",
    "write_file",
    "write_new",
    "write_together",
]


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


def check_inputs(output: str | os.PathLike[str], inputs: Iterable[object]) -> None:
    """Refuses an output that would take the place of what is read, whatever name it goes by (links, `./`), even with `force`.

    Args:
        output: where a file or a folder is to be written.
        inputs: what is read. Paths count; anything else (a table in memory, ids, None, a name of nothing) is passed over.

    Raises:
        InputError: `output` is an input, lies or would lie in a folder that is one (a bundle, a record), or is a folder that holds one.
    """
    there = Path(output).exists()
    target = Path(output).resolve()
    for source in inputs:
        # Not pathlib: a long list of ids is too long a name, which os.path answers with False.
        if not isinstance(source, str | os.PathLike) or not os.path.exists(source):  # noqa: PTH110
            continue
        place = Path(source)
        same = there and place.samefile(output)
        inside = place.is_dir() and place.resolve() in target.parents
        holds = there and Path(output).is_dir() and target in place.resolve().parents
        if same or inside or holds:
            what = "is read as" if same else "would be part of" if inside else "holds"
            why = "writing there would change it" if inside and not same else "writing there would destroy it"
            message = (
                f"{os.fspath(output)} {what} an input of this command ({os.fspath(source)}), and {why}. "
                "Give another name; --force (in Python: force=True) does not change this. Nothing was written."
            )
            raise InputError([Fault("output-is-input", message, "", value=os.fspath(output))])


def read_file(path: str | os.PathLike[str], most: int) -> bytes:
    """The bytes of a file of at most `most` bytes; of a larger one no more than that is read.

    Raises:
        InputError: there is no such file, it is a folder, can't be read or is larger; the code says which.
    """
    name = os.fspath(path)
    try:
        if _is_named_pipe(path):
            raise InputError(
                [
                    Fault(
                        "file-unreadable",
                        "this is a pipe, and nobody may ever write into it; give a file.",
                        name,
                    )
                ]
            )
        with Path(path).open("rb") as stream:
            data = stream.read(most + 1)
    except FileNotFoundError:
        fault = Fault("file-missing", "there is no such file. Check the name and the folder.", name)
    except IsADirectoryError:
        fault = Fault("file-is-directory", "this is a folder; the name of a file is needed.", name)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        fault = Fault("file-unreadable", f"the file can't be read: {reason}.", name)
    else:
        if len(data) <= most:
            return data
        message = (
            f"the file has more than {most} bytes, far more than what is asked for. Give the right file."
        )
        fault = Fault("file-too-large", message, name)
    raise InputError([fault])


def _is_named_pipe(path: str | os.PathLike[str]) -> bool:
    """Whether opening this might wait for ever. A pipe that the shell has opened (`<(…)`, /dev/stdin) has no name of its own, and is read."""
    try:
        return stat.S_ISFIFO(os.lstat(os.path.realpath(path)).st_mode)
    except (OSError, ValueError):
        return False


def write_file(
    path: str | os.PathLike[str], data: bytes, *, force: bool = False, secret: bool = False
) -> None:
    """Writes a file, complete or not at all; with `secret` nobody but its owner can read it.

    Raises:
        OutputExistsError: something is there and `force` was not given.
        OSError: the place can't be written.
    """
    check_file(path, force=force)
    target = Path(path).absolute()
    fresh = beside(target, "new")
    try:
        write_new(fresh, data, secret=secret)
        if not force:
            claim(fresh, target)
        fresh.replace(target)
        flush_folder(target.parent)
    except FileExistsError:
        raise OutputExistsError(os.fspath(path)) from None
    except OSError as error:
        raise unwritten(error, path) from error
    finally:
        fresh.unlink(missing_ok=True)


def write_together(
    files: Sequence[tuple[str | os.PathLike[str], Callable[[BinaryIO], object]]], *, force: bool = False
) -> None:
    """Writes files that belong together: all are complete beside their places before the first is put there, in the order given.

    Args:
        files: for each its place and a function that writes its bytes, so that a long table needs no memory.

    Raises:
        OutputExistsError: something is at one of the places and `force` was not given; then none is written.
        OSError: a place can't be written.
    """
    for path, _write in files:
        check_file(path, force=force)
    fresh: list[tuple[Path, Path]] = []
    placed: list[Path] = []
    path = files[0][0]
    try:
        for path, write in files:
            target = Path(path).absolute()
            fresh.append((beside(target, "new"), target))
            with fresh[-1][0].open("xb") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
        for new, target in fresh:
            path = target
            if not force:
                claim(new, target)
                placed.append(target)
            new.replace(target)
        placed.clear()
        for folder in {target.parent for _new, target in fresh}:
            flush_folder(folder)
    except FileExistsError:
        raise OutputExistsError(os.fspath(path)) from None
    except OSError as error:
        raise unwritten(error, path) from error
    finally:
        for target in placed:  # only where a later one could not be put in place
            target.unlink(missing_ok=True)
        for new, _target in fresh:
            new.unlink(missing_ok=True)


def check_folder(
    path: str | os.PathLike[str], ours: Callable[[Path], bool], what: str, *, force: bool = False
) -> None:
    """Says early, before any work, whether a folder may be put at this place. One that was not made for the purpose is never removed.

    Args:
        path: the folder.
        ours: whether a folder that is there holds nothing but what `what` writes.
        what: what it would be a folder of, in words.
        force: replace one of ours.

    Raises:
        OutputExistsError: something is there and `force` was not given. (An empty folder is nothing.)
        OSError: what is there is not ours, or there is no folder to write into.
    """
    target = Path(path).absolute()
    if not target.parent.is_dir():
        raise FileNotFoundError(
            2, "the folder to write into does not exist; create it first", os.fspath(path)
        )
    if not os.path.lexists(target):
        return
    plain = stat.S_ISDIR(target.lstat().st_mode)
    if plain and not any(target.iterdir()):
        return
    if not force:
        raise OutputExistsError(os.fspath(path))
    if not plain or not ours(target):
        raise FileExistsError(
            17, f"is no folder of {what} and is not removed; give another name", os.fspath(path)
        )


def put_folder(path: str | os.PathLike[str], files: Mapping[str, Callable[[BinaryIO], object]]) -> None:
    """Puts a folder with these files at a place, complete or not at all; what is there goes (see `check_folder`).

    Args:
        path: where; the folder above it is there.
        files: for each name a function that writes its bytes. They are called in this order.

    Raises:
        OSError: the place can't be written. What was there is there as before.
    """
    target = Path(path).absolute()
    fresh, old = beside(target, "new"), beside(target, "old")
    try:
        fresh.mkdir()
        for name, write in files.items():
            with (fresh / name).open("xb") as stream:
                write(stream)
                stream.flush()
                os.fsync(stream.fileno())
        flush_folder(fresh)
        if target.exists() and any(target.iterdir()):
            target.rename(old)
        fresh.rename(target)
        flush_folder(target.parent)
    except OSError:
        if old.exists() and not target.exists():
            old.rename(target)
        raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        if target.exists():
            shutil.rmtree(old, ignore_errors=True)


def unwritten(error: OSError, path: str | os.PathLike[str]) -> OSError:
    """The error of a file that could not be written, with the name that was asked for (a full disk names none) and what to do."""
    text = (
        f"{error.strerror or error}: the file was not written. Free some space there, or give another place"
    )
    return OSError(error.errno, text, os.fspath(path))


def csv_bytes(
    headings: Sequence[str], rows: Iterable[Iterable[object]], *, spreadsheet: bool = False
) -> bytes:
    """A CSV file in UTF-8.

    Lists that programs read on have plain line ends and no mark. Reports that people open in a spreadsheet (`spreadsheet`) begin
    with a mark, without which it takes «é» for two signs, and have the line ends of RFC 4180.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n" if spreadsheet else "\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue().encode("utf-8-sig" if spreadsheet else "utf-8")


def beside(target: Path, purpose: str) -> Path:
    """A name that nothing has, in the same folder."""
    return target.parent / f".{target.name}.{purpose}.{secrets.token_hex(6)}"


def write_new(path: Path, data: bytes, *, secret: bool = False) -> None:
    """Writes and flushes a file that must not be there yet. `secret`: it never exists in a form that others could read."""
    with open(path, "xb", opener=_owners_alone if secret else None) as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _owners_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def claim(fresh: Path, target: Path) -> None:
    """Puts `fresh` at `target` if nothing is there: a link can't replace, so two writers at once can't either.

    Raises:
        FileExistsError: something is there.
    """
    try:
        os.link(fresh, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(17, "exists", str(fresh), None, str(target)) from None


def flush_folder(folder: Path) -> None:
    """Makes names in a folder last, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
