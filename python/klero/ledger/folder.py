"""How does a bundle get onto a disk whole, and off it again without surprises?

A bundle is written into a new folder beside its place, flushed, and moved there: a crash leaves a whole bundle or
none, never half of one. A folder that is not a bundle is never removed. Reading follows no links and reads no more
than the format allows.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import BinaryIO

from klero import _native
from klero._files import beside, check_folder, claim, flush_folder, put_folder, write_new
from klero.errors import BundleError, OutputExistsError
from klero.ledger.canonical import check_depth

FILES = ("certificate.json", "commitment.json", "declaration.json", "lottery.json", "pool.json")
DRAW_FILE = "draw.json"
FILE_LIMIT = 64 << 20
_KNOWN = frozenset((*FILES, DRAW_FILE))


def scan(folder: str | os.PathLike[str]) -> tuple[dict[str, bytes], list[str]]:
    """The files' bytes by name, and the names of what is no plain file.

    Foreign files come without their bytes, oversized ones cut just above the limit: the checks refuse both.

    Raises:
        BundleError: the folder is not there or can't be read.
    """
    files: dict[str, bytes] = {}
    strays: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = os.fsencode(entry.name).decode("utf-8", "replace")
                if not entry.is_file(follow_symlinks=False):
                    strays.append(name)
                else:
                    files[name] = _read(entry.path) if name in _KNOWN else b""
    except NotADirectoryError:
        message = f"{_name(folder)} is a file, not the folder of a bundle{_hint(folder)}"
        raise BundleError(message) from None
    except OSError as error:
        raise BundleError(f"{_name(folder)} can't be read: {error.strerror}") from error
    return dict(sorted(files.items())), sorted(strays)


def _hint(path: str | os.PathLike[str]) -> str:
    """What a file is that was given in the place of a folder, and what to do with it; '' if it is nothing known."""
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 (a path of any kind)
            data = stream.read(FILE_LIMIT)
        check_depth(data)
        document = json.loads(data)
    except (OSError, ValueError, RecursionError):
        return ""
    said = document.get("format") if isinstance(document, dict) else None
    return {
        "klero-receipt/1": f"; it is a receipt: klero receipt verify {_name(path)} --record RECORD",
        "klero-record/1": "; it is a declaration, which is checked with its record: give the record's folder",
    }.get(str(said), "")


def read_bundle(folder: str | os.PathLike[str]) -> dict[str, bytes]:
    """The bytes of each file of a bundle. Nothing is checked but that these are the files of a bundle.

    Raises:
        BundleError: the folder is not there, lacks a file, or holds what doesn't belong there, links included.
    """
    files, strays = scan(folder)
    place = _name(folder)
    missing = [name for name in FILES if name not in files]
    foreign = [name for name in files if name not in _KNOWN]
    if strays:
        raise BundleError(f"{place} holds {strays[0]!r}, which is no plain file (links are not followed)")
    if missing:
        raise BundleError(f"{place} is no complete bundle: {missing[0]} is missing")
    if foreign:
        raise BundleError(f"{place} holds {foreign[0]!r}, which is no file of a bundle")
    for name, data in files.items():
        if len(data) > FILE_LIMIT:
            raise BundleError(f"{name} in {place} has more than {FILE_LIMIT} bytes")
    return files


def check_output(folder: str | os.PathLike[str], *, force: bool = False) -> None:
    """Says early whether `write_bundle` would refuse this place.

    Raises:
        OutputExistsError: something is there already.
        BundleError: there is no parent folder; or, with `force`, what is there is not a bundle.
    """
    try:
        check_folder(folder, _is_bundle, "klero bundles", force=force)
    except OutputExistsError:
        raise OutputExistsError(_name(folder)) from None
    except FileNotFoundError:
        parent = Path(folder).absolute().parent
        raise BundleError(f"the folder {_name(parent)} does not exist; create it first") from None
    except FileExistsError:
        raise BundleError(
            f"{_name(folder)} is not a klero bundle and is not removed; give another name"
        ) from None


def write_bundle(folder: str | os.PathLike[str], files: Mapping[str, bytes], *, force: bool = False) -> None:
    """Writes a bundle to `folder`, complete or not at all.

    Raises:
        OutputExistsError: the folder has files in it. `force` replaces it, if it is a bundle.
        BundleError: `files` are not those of a bundle, or the place can't be written.
    """
    if not set(FILES) <= set(files) <= _KNOWN:
        raise BundleError(
            f"a bundle has the files {', '.join(FILES)} and perhaps {DRAW_FILE}, not {', '.join(files) or 'none'}"
        )
    check_output(folder, force=force)
    try:
        put_folder(folder, {name: partial(_put, data=data) for name, data in files.items()})
    except OSError as error:
        raise BundleError(f"{_name(folder)} can't be written: {error.strerror}") from error


def _put(stream: BinaryIO, data: bytes) -> None:
    stream.write(data)


def add_file(folder: str | os.PathLike[str], name: str, data: bytes, *, force: bool = False) -> None:
    """Adds one file to a bundle, complete or not at all.

    Raises:
        OutputExistsError: it is already there and `force` was not given.
        BundleError: it is no file of a bundle, or can't be written.
    """
    if name not in _KNOWN:
        raise BundleError(f"{name!r} is no file of a bundle")
    target = Path(folder).absolute() / name
    fresh = beside(target.parent, name)
    try:
        write_new(fresh, data)
        if not force:
            claim(fresh, target)
        fresh.replace(target)
        flush_folder(target.parent)
    except FileExistsError:
        raise OutputExistsError(_name(Path(folder) / name)) from None
    except OSError as error:
        raise BundleError(f"{_name(Path(folder) / name)} can't be written: {error.strerror}") from error
    finally:
        fresh.unlink(missing_ok=True)


def _is_bundle(folder: Path) -> bool:
    try:
        files, strays = scan(folder)
        declaration = files.get("declaration.json", b"")
        _native.canonical_check(declaration)
    except BundleError:
        return False
    return not strays and set(files) <= _KNOWN and b'"format":"klero-bundle/' in declaration


def _read(path: str) -> bytes:
    # O_NOFOLLOW: between the listing and this, a link may have taken the file's place.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(FILE_LIMIT + 1)


def _name(path: str | os.PathLike[str]) -> str:
    return os.fspath(path)
