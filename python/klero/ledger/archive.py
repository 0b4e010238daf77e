"""How do many files travel as one, so that nothing can hide between them?

The ZIP of a record, as `docs/audit/protocol.md` sets it out: one sequence of bytes for one set of files. Nothing is compressed, so nothing
expands; names are those of a record, so none points elsewhere; there is no room for comments, extra fields, second copies or bytes in front.
Reading checks each byte. Cost: linear; besides the archive's own bytes, those of its files are held.

>>> data = pack({"public/leaves.txt": b"", "public/declaration.json": b"{}"})
>>> unpack(data)
{'public/declaration.json': b'{}', 'public/leaves.txt': b''}
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from mmap import mmap
from zlib import crc32

from klero.errors import BundleError

__all__ = ["FILE_LIMIT", "NAMES", "RECORD_LIMIT", "pack", "unpack"]

FILE_LIMIT = 256 << 20
RECORD_LIMIT = 1 << 30
# Headers take less than 200 bytes a file, and there are no more files than entries and four for each of 100 rounds.
ARCHIVE_LIMIT = RECORD_LIMIT + 2000 * 200
NAMES = re.compile(
    r"public/(?:declaration\.json|leaves\.txt|entry-0[0-9]{3}\.json)"
    r"|auditor/(?:instance|pool|lottery|certificate)-(?:0|[1-9][0-9]?)\.json"
    r"|sealed/people\.json"
)
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_DATE = 0x0021
_LONGEST = 60


def pack(files: Mapping[str, bytes]) -> bytes:
    """The bytes of the ZIP that holds these files.

    Raises:
        BundleError: a file or all of them are too large, or a name is none of a record.
    """
    parts, central, offset = [], [], 0
    for name in sorted(files):
        data = files[name]
        if not NAMES.fullmatch(name):
            raise BundleError(f"{name!r} is no file of a record")
        if len(data) > FILE_LIMIT:
            raise BundleError(f"{name} has more than {FILE_LIMIT} bytes")
        local, entry = _headers(name.encode(), data, offset)
        parts += [local, data]
        central.append(entry)
        offset += len(local) + len(data)
    if sum(map(len, files.values())) > RECORD_LIMIT:
        raise BundleError(f"a record has at most {RECORD_LIMIT} bytes")
    return b"".join([*parts, *central, _end(central, offset)])


def unpack(data: bytes | mmap) -> dict[str, bytes]:
    """The files of a record's ZIP, by name.

    Raises:
        BundleError: a byte is not as it must be; the message says where.
    """
    files: dict[str, bytes] = {}
    central: list[bytes] = []
    offset, last = 0, ""
    while data[offset : offset + 4] == b"PK\x03\x04":
        name, content, end, entry = _file(data, offset)
        if name <= last:
            raise BundleError(f"in the ZIP, {name} comes after {last}: names must rise, none twice")
        files[name], offset, last = content, end, name
        central.append(entry)
    if not files:
        raise BundleError("this is not the ZIP of a record: it does not begin with a file of one")
    rest = b"".join([*central, _end(central, offset)])
    if len(data) - offset != len(rest) or data[offset:] != rest:
        message = "after the last file come other bytes than the protocol's: the ZIP was changed or made by another program"
        raise BundleError(f"{message} (byte {offset})")
    return files


def _file(data: bytes | mmap, offset: int) -> tuple[str, bytes, int, bytes]:
    """(name, content, where the next header begins, its central header) of the file whose header is at `offset`."""
    header = data[offset : offset + _LOCAL.size]
    if len(header) < _LOCAL.size:
        raise BundleError(f"the ZIP ends within a header (byte {offset})")
    size, length = _LOCAL.unpack(header)[8:10]
    start = offset + _LOCAL.size
    raw = data[start : start + min(length, _LONGEST)]
    try:
        name = raw.decode("ascii")
    except UnicodeDecodeError:
        name = ""
    if length > _LONGEST or not NAMES.fullmatch(name):
        shown = ascii(raw.decode("utf-8", "replace"))
        raise BundleError(f"the ZIP holds {shown}, which is no file of a record")
    if size > FILE_LIMIT:
        raise BundleError(f"{name} in the ZIP has more than {FILE_LIMIT} bytes")
    content = data[start + length : start + length + size]
    if len(content) != size:
        raise BundleError(f"the ZIP ends within {name}")
    local, entry = _headers(raw, content, offset)
    if data[offset : start + length] != local:
        message = (
            "has another header than the protocol's: it was compressed, changed, or made by another program"
        )
        raise BundleError(f"{name} in the ZIP {message} (byte {offset})")
    return name, content, start + length + size, entry


def _headers(name: bytes, data: bytes, offset: int) -> tuple[bytes, bytes]:
    """(local, central header) of a file."""
    common = (0, 0, 0, _DATE, crc32(data), len(data), len(data), len(name), 0)
    local = _LOCAL.pack(b"PK\x03\x04", 10, *common)
    central = _CENTRAL.pack(b"PK\x01\x02", 20, 10, *common, 0, 0, 0, 0, offset)
    return local + name, central + name


def _end(central: list[bytes], offset: int) -> bytes:
    count = len(central)
    return _END.pack(b"PK\x05\x06", 0, 0, count, count, sum(map(len, central)), offset, 0)
