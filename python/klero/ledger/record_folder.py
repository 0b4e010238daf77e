"""How does a record get onto a disk whole, and off it again without surprises?

The folder of a record (`docs/audit/protocol.md`, «Files»), or its ZIP, read with its names and sizes looked at; a new record written whole; a step added,
alone or with the auditor's files of its round; one file replaced. What is in the files is :mod:`klero.ledger.record`'s business.

Guaranteed: one writer at a time (`locked`), who finds the record as it was read or writes nothing; reading follows no links, waits for no pipe and takes no
more memory than the format allows. A step counts once its entry is there, and the entry is put in place last, in one move. A crash before that can leave
auditor's files of a round that no entry commits: `verify` names them, all other commands pass over them (`settled`), and the next writer takes
them away, as it does with what a crash left beside the record.
"""

from __future__ import annotations

import base64
import mmap
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from klero._files import beside, claim, flush_folder, unwritten, write_new
from klero.errors import BundleError, Fault, InputError
from klero.ledger.archive import ARCHIVE_LIMIT, FILE_LIMIT, NAMES, RECORD_LIMIT, unpack
from klero.ledger.canonical import canonical, parsed
from klero.ledger.entries import Entry, entry_name, parse_entry

__all__ = [
    "RECEIPTS",
    "TIERS",
    "add_files",
    "check_record_place",
    "is_record",
    "locked",
    "rewrite",
    "scan_record",
    "settled",
    "write_record",
]

TIERS = ("public", "auditor", "sealed")
RECEIPTS = "receipts"
SEALED = "sealed/people.json"
# How long a writer waits for another one, in seconds: writing the largest record takes less on any disk in use.
WAIT = 30.0
_PULSE = 0.02
_BESIDE = r"\.(?:new|people\.json|entry-[0-9]{4}\.json)\.[0-9a-f]{12}"
Place = str | os.PathLike[str]


def is_record(place: Place) -> bool:
    """Whether there is a record's folder or a ZIP, rather than a bundle's folder."""
    path = Path(place)
    if path.is_dir():
        return (path / "public").is_dir() or bool(_tier_at(path))
    try:
        with os.fdopen(_plain(path), "rb") as stream:
            return stream.read(2) == b"PK"
    except (OSError, ValueError):
        return False


def scan_record(place: Place) -> tuple[dict[str, bytes], str]:
    """(the files' bytes by name, why they can't be the files of a record; '' if their names and sizes are such).

    Raises:
        BundleError: there is nothing at this place, or the system refuses to read it.
    """
    try:
        if Path(place).is_dir():
            if tier := _tier_at(Path(place)):
                message = f"{os.fspath(place)} is the folder {tier} of a record. Choose the folder around it: that one is the record"
                raise BundleError(message)
            return _scan_folder(Path(place))
        return _scan_archive(Path(place))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BundleError(f"{os.fspath(place)} can't be read: {reason}") from error


def write_record(place: Place, files: Mapping[str, bytes]) -> None:
    """Writes a record's folder, complete or not at all. All but the public tier is for its owner's eyes alone.

    Raises:
        InputError: something is at this place; a record is never replaced.
        OSError: the place can't be written.
    """
    check_record_place(place)
    target = Path(place).absolute().parent.resolve() / Path(place).absolute().name
    with locked(target.parent):
        check_record_place(place)
        _sweep(target)
        fresh = beside(target, "new")
        try:
            _write_files(fresh, files)
            fresh.rename(target)
            flush_folder(target.parent)
        except OSError as error:
            raise unwritten(error, place) from error
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def check_record_place(place: Place) -> None:
    """Says early whether `write_record` would refuse a place.

    Raises:
        InputError: something is there.
        OSError: there is no folder to write into.
    """
    target = Path(place).absolute()
    if not target.parent.is_dir():
        raise FileNotFoundError(
            2, "the folder to write into does not exist; create it first", os.fspath(place)
        )
    if os.path.lexists(target) and not (
        target.is_dir() and not target.is_symlink() and not any(target.iterdir())
    ):
        message = f"{os.fspath(place)} exists already and is left untouched: a record is never replaced. Give another name, or move it away."
        raise InputError([Fault("output-exists", message, "", value=os.fspath(place))])


def _tier_at(folder: Path) -> str:
    """Which tier of a record this folder is by itself; '' if it is none."""
    if any((folder / tier).is_dir() for tier in TIERS):
        return ""
    marks = {"public": "leaves.txt", "auditor": "instance-0.json", "sealed": "people.json"}
    return next((tier for tier, mark in marks.items() if (folder / mark).is_file()), "")


def _scan_folder(folder: Path) -> tuple[dict[str, bytes], str]:
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.iterdir()):
        tier = path.name
        kind = path.lstat().st_mode
        if tier == RECEIPTS and stat.S_ISDIR(kind):
            continue
        if tier not in TIERS or not stat.S_ISDIR(kind):
            return files, f"there is {tier!a}, which is none of the folders {', '.join(TIERS)}"
        inside = sorted(path.iterdir())
        if not inside:
            return files, f"the folder {tier} is empty"
        for file in inside:
            whole = f"{tier}/{file.name}"
            mode = file.lstat()
            if not NAMES.fullmatch(whole) or not stat.S_ISREG(mode.st_mode):
                return files, f"{whole!a} is no file of a record"
            total += mode.st_size
            if mode.st_size > FILE_LIMIT or total > RECORD_LIMIT:
                return (
                    files,
                    f"{whole} is too large: a file has at most {FILE_LIMIT} bytes, all of them {RECORD_LIMIT}",
                )
            files[whole] = _read(file)
    return dict(sorted(files.items())), ""


def _scan_archive(path: Path) -> tuple[dict[str, bytes], str]:
    with os.fdopen(_plain(path), "rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size > ARCHIVE_LIMIT:
            return {}, f"the ZIP has more than {ARCHIVE_LIMIT} bytes"
        if not size:
            return {}, "the file is empty"
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return unpack(data), ""
            except BundleError as error:
                return {}, error.message + _made_anew(path)


def _made_anew(path: Path) -> str:
    """A hint where a file that is not the one ZIP of a record is a good ZIP all the same, as file managers make them; '' else."""
    from zipfile import BadZipFile, ZipFile

    try:
        with ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
    except (BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        return ""
    # Perhaps within one folder, which the packing program put around them.
    if not any(NAMES.fullmatch(name) or NAMES.fullmatch(name.partition("/")[2]) for name in names):
        return ""
    return (
        ". This ZIP is not the one that klero writes: it was packed anew by another program, or changed. That by itself is no forgery: unpack it, and check "
        "the folder"
    )


def _plain(path: Path, *, follow: bool = True) -> int:
    """A descriptor of a plain file, open for reading; never waits, as a pipe without a writer would."""
    # O_NOFOLLOW: between the listing and this, a link may have taken the file's place.
    more = (0 if follow else getattr(os, "O_NOFOLLOW", 0)) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | more)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(22, "this is no plain file", os.fspath(path))
    return descriptor


def _read(path: Path) -> bytes:
    with os.fdopen(_plain(path, follow=False), "rb") as stream:
        return stream.read(FILE_LIMIT + 1)


def _write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir()
    for tier in TIERS:
        inside = {name: data for name, data in files.items() if name.startswith(f"{tier}/")}
        if not inside:
            continue
        secret = tier != "public"
        (folder / tier).mkdir(0o700 if secret else 0o777)
        for name, data in inside.items():
            write_new(folder / name, data, secret=secret)
        flush_folder(folder / tier)
    flush_folder(folder)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps all other writers of this folder out, waiting up to `WAIT` seconds for the one who is in.

    The folder itself is locked, which leaves nothing behind. Where the system or the disk can't do that, a file beside the folder is the lock; after a crash
    it stays, and the message says so.

    Raises:
        BundleError: another one has the lock for that long, or the folder was moved away meanwhile.
        OSError: there is no such folder.
    """
    end = time.monotonic() + WAIT
    descriptor = _open_folder(folder)
    try:
        if descriptor is not None and _flocked(descriptor, folder, end):
            if not os.path.samestat(os.fstat(descriptor), folder.stat()):
                raise BundleError(
                    f"{folder} was moved by somebody else just now. Look at it, then try again."
                )
            yield
            return
    finally:
        if descriptor is not None:
            os.close(descriptor)
    lock = folder.parent / f".{folder.name}.lock"
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            break
        except FileExistsError:
            more = f" If no other command is at work, a crash left the lock: remove {lock}."
            _wait(folder, end, more)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


def _open_folder(folder: Path) -> int | None:
    """The folder, to lock it; None where the system can't open one (Windows)."""
    folder.stat()
    with suppress(PermissionError, IsADirectoryError):
        return os.open(folder, os.O_RDONLY)
    return None


def _flocked(descriptor: int, folder: Path, end: float) -> bool:
    """Locks it; False where there are no such locks."""
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _wait(folder, end, "")
        except OSError:  # a file system without locks
            return False
        else:
            return True


def _wait(folder: Path, end: float, more: str) -> None:
    if time.monotonic() >= end:
        message = (
            "another command is writing there. Wait until it is done, then try again. Nothing was written."
        )
        raise BundleError(f"{folder}: {message}{more}")
    time.sleep(_PULSE)


def _sweep(record: Path) -> None:
    """Takes away what a crash left beside a record. Its writers hold the lock, so nobody is at work on these.

    Receipts are written without the lock, in far less than a day.
    """
    left = re.compile(re.escape(f".{record.name}") + _BESIDE)
    receipts = re.compile(re.escape(f".{record.name}.{RECEIPTS}.") + "[0-9a-f]{12}")
    for path in record.parent.iterdir():
        old = receipts.fullmatch(path.name) and path.lstat().st_mtime < time.time() - 86400
        if old or left.fullmatch(path.name):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def settled(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files without those of the auditor's tier that are of a round above all rounds that an entry commits: a crash left them."""
    rounds = []
    for name, data in files.items():
        if name.startswith("public/entry-"):
            # Whatever is wrong with an entry is for the checks to say.
            with suppress(BundleError, ValueError, KeyError, TypeError):
                said = parsed(base64.b64decode(parsed(data)["payload"]))
                if said["kind"] == "commitment":
                    rounds.append(int(said["body"]["round"]))
    last = max(rounds, default=100)
    return {name: data for name, data in files.items() if _round(name) <= last}


def _round(name: str) -> int:
    found = re.fullmatch(r"auditor/[a-z]+-([0-9]{1,2})\.json", name)
    return int(found[1]) if found else 0


def add_files(place: Place, before: Mapping[str, bytes], more: Mapping[str, bytes]) -> None:
    """Adds a step: its entry, perhaps with the auditor's files of its round. All or nothing.

    Args:
        place: the record's folder, by any name.
        before: the files' bytes by name as they were read; if the record is another by now, nothing is written.
        more: the new files, the entry among them.

    Raises:
        BundleError: somebody else changed the record since it was read, or is writing for long.
        OSError: the place can't be written.
    """
    folder = Path(place).resolve()
    with locked(folder):
        _sweep(folder)
        found, problem = _scan_folder(folder)
        now = settled(found)
        if problem or now != before or any(name in now for name in more):
            message = "was changed by somebody else since it was read. Nothing was written. Look at it, then try again."
            raise BundleError(f"{os.fspath(place)} {message}")
        for name in found:
            if name not in now:
                (folder / name).unlink()
        # The entry last: it alone makes the others count.
        names = sorted(more, key=lambda name: name.startswith("public/"))
        entry = folder / names[-1]
        try:
            for name in names:
                _put(folder, folder / name, more[name])
        except BaseException as error:
            if not (entry.exists() and _read(entry) == more[names[-1]]):
                for name in names[:-1]:
                    (folder / name).unlink(missing_ok=True)
            if isinstance(error, FileExistsError):
                raise _changed(entry) from None
            if isinstance(error, OSError):
                raise unwritten(error, place) from error
            raise


def _put(folder: Path, path: Path, data: bytes) -> None:
    if path.parent.name != "public":
        path.parent.mkdir(0o700, exist_ok=True)
        write_new(path, data, secret=True)
        flush_folder(path.parent)
        return
    fresh = beside(folder, path.name)  # not in the record, where it would be a stray after a crash
    try:
        write_new(fresh, data)
        claim(fresh, path)
        fresh.replace(path)
        flush_folder(path.parent)
    finally:
        fresh.unlink(missing_ok=True)


def rewrite(place: Place, name: str, data: bytes) -> None:
    """Replaces one file of a record in one move: the last envelope with more signatures, or salts that were destroyed.

    The file is read again first, and both are united: signatures over the same payload that are there by now stay, and a salt that was destroyed meanwhile
    does not come back.

    Raises:
        BundleError: the file says something else by now, something follows the entry, or somebody else is writing for long.
        OSError: the place can't be written.
    """
    folder = Path(place).resolve()
    path = folder / name
    with locked(folder):
        _sweep(folder)
        united = _united(folder, name, _read(path), data)
        fresh = beside(folder, path.name)
        try:
            write_new(fresh, united, secret=not name.startswith("public/"))
            fresh.replace(path)
            flush_folder(path.parent)
        except OSError as error:
            raise unwritten(error, path) from error
        finally:
            fresh.unlink(missing_ok=True)


def _united(folder: Path, name: str, there: bytes, data: bytes) -> bytes:
    """What a file holds once `data` is added to what is `there`."""
    if name == SEALED:
        # A salt stays only where both have it.
        old, new = parsed(there), parsed(data)
        if len(old["people"]) != len(new["people"]):
            raise _changed(folder / name)
        for i, (one, other) in enumerate(zip(old["people"], new["people"], strict=True)):
            if one and other and one != other:
                raise _changed(folder / name)
            new["people"][i] = one and other
        return canonical(new)
    old_entry, new_entry = parse_entry(there), parse_entry(data)
    if old_entry.payload != new_entry.payload:
        raise _changed(folder / name)
    signatures = {**dict(new_entry.signatures), **dict(old_entry.signatures)}
    united = Entry(old_entry.payload, tuple(sorted(signatures.items()))).data
    if united != there and (folder / entry_name(old_entry.sequence + 1)).exists():
        message = f"an entry follows entry {old_entry.sequence} by now, so no signature is added to it. Nothing was written."
        raise BundleError(f"{folder}: {message}")
    return united


def _changed(path: Path) -> BundleError:
    return BundleError(
        f"{path} was changed by somebody else just now. Nothing was written. Look at it, then try again."
    )
