"""How does an invitation get onto a disk, whole or not at all?

Two files: the people drawn (CSV or Parquet), and beside it `….draw.json` with all that is needed to redo the draw, and the
SHA-256 of the list. Both are written under
other names and flushed, then put in place, the record first: where the list stands, its record stands too.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from klero._files import beside, check_inputs, claim, csv_bytes, flush_folder, unwritten, write_new
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


def check_invitation_inputs(path: str | os.PathLike[str], inputs: Iterable[object]) -> None:
    """Refuses a list or a record in the place of a file of the register or a table; a pattern stands for the files that it matches.

    Raises:
        InputError: one of the two would take the place of an input.
    """
    read: list[object] = []
    for source in inputs:
        pattern = os.fspath(source) if isinstance(source, str | os.PathLike) else ""
        read += [source, *(glob.glob(pattern, recursive=True) if pattern else ())]  # noqa: PTH207 (patterns may be absolute)
    for file in (Path(path), _record(Path(path))):
        check_inputs(file, read)


def write_invitation(path: str | os.PathLike[str], invitation: Invitation, *, force: bool = False) -> None:
    """Writes the people drawn and the record.

    Raises:
        InputError, OutputExistsError: as `check_invitation_output`.
    """
    check_invitation_output(path, force=force)
    target = Path(path).absolute()
    letters = _data(target, invitation)
    whole = invitation.record() | {"list_sha256": hashlib.sha256(letters).hexdigest()}
    record = json.dumps(whole, ensure_ascii=False, indent=1, sort_keys=True).encode() + b"\n"
    fresh: list[tuple[Path, Path]] = []
    placed: list[Path] = []
    try:
        for place, data in ((_record(target), record), (target, letters)):
            new = beside(place, "new")
            fresh.append((new, place))
            write_new(new, data)
        for new, place in fresh:
            if not force:
                claim(new, place)
                placed.append(place)
            new.replace(place)
        placed.clear()
        flush_folder(target.parent)
    except FileExistsError as error:
        raise OutputExistsError(str(error.filename2 or error.filename or path)) from None
    except OSError as error:
        raise unwritten(error, path) from error
    finally:
        for place in placed:  # only where the second of two files could not be put in place
            place.unlink(missing_ok=True)
        for new, _ in fresh:
            new.unlink(missing_ok=True)


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
    return csv_bytes(tuple(columns), zip(*columns.values(), strict=True))
