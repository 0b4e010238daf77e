"""How does an invitation get onto a disk, whole or not at all?

Two files: the people drawn (CSV or Parquet), and beside it `….draw.json` with all that is needed to redo the draw. Both are written under
other names and flushed, then put in place, the record first: where the list stands, its record stands too.
"""

from __future__ import annotations

import csv
import io
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from klero.errors import Fault, InputError, OutputExistsError

if TYPE_CHECKING:
    from klero.sortition.register.invitation import Invitation

RECORD_SUFFIX = ".draw.json"


def check_invitation_output(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Says early whether `write_invitation` would refuse this place.

    Raises:
        InputError: there is no such folder, or the name ends in neither .csv nor .parquet.
        OutputExistsError: something is there already.
    """
    target = Path(path)
    if target.suffix.lower() not in {".csv", ".parquet"}:
        message = f"{target.name} must end in .csv or .parquet, the forms that an invitation is written in."
        raise InputError([Fault("file-type", message, target.name)])
    if not target.absolute().parent.is_dir():
        message = f"the folder {target.parent} does not exist; create it first."
        raise InputError([Fault("file-missing", message, target.name)])
    for file in (target, _record(target)):
        if file.is_dir():
            raise InputError(
                [Fault("file-is-directory", f"{file} is a folder; give another name.", file.name)]
            )
        if os.path.lexists(file) and not force:
            raise OutputExistsError(str(file))


def write_invitation(path: str | os.PathLike[str], invitation: Invitation, *, force: bool = False) -> None:
    """Writes the people drawn and the record.

    Raises:
        InputError, OutputExistsError: as `check_invitation_output`.
    """
    check_invitation_output(path, force=force)
    target = Path(path).absolute()
    record = json.dumps(invitation.record(), ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
    fresh: list[tuple[Path, Path]] = []
    placed: list[Path] = []
    try:
        for place, data in ((_record(target), record), (target, _data(target, invitation))):
            beside = place.with_name(f".{place.name}.{secrets.token_hex(6)}")
            fresh.append((beside, place))
            _write(beside, data)
        for beside, place in fresh:
            if not force:
                _claim(beside, place)
                placed.append(place)
            beside.replace(place)
        placed.clear()
    except FileExistsError as error:
        raise OutputExistsError(str(error.filename2 or error.filename or path)) from None
    finally:
        for place in placed:  # only where the second of two files could not be put in place
            place.unlink(missing_ok=True)
        for beside, _ in fresh:
            beside.unlink(missing_ok=True)


def _record(target: Path) -> Path:
    return target.with_name(target.name + RECORD_SUFFIX)


def _data(target: Path, invitation: Invitation) -> bytes:
    if target.suffix.lower() == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        pq.write_table(invitation.to_arrow(), sink)
        return bytes(sink.getvalue())
    columns = invitation.columns()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())


def _claim(fresh: Path, target: Path) -> None:
    """Puts `fresh` at `target` if nothing is there: a link can't replace, so two draws at once can't either."""
    try:
        os.link(fresh, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        if os.path.lexists(target):
            raise FileExistsError(17, "exists", str(target)) from None
    with suppress(OSError):
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
