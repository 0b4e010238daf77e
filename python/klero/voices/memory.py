"""How much memory may be used, and would so many texts fit into it?

A budget counts all of this process, Python and its libraries included. It is kept or refused before the work begins, with the budget that would do.
"""

from __future__ import annotations

import math
import mmap
import os
from pathlib import Path

from klero import _native
from klero.errors import Fault, InputError
from klero.voices.settings import Settings, read_resources

__all__ = [
    "available_memory",
    "needed",
    "parse_memory",
    "reading_need",
    "rows_that_fit",
    "size_text",
    "too_little",
    "whole_need",
]

_PROC = Path("/proc")
_CGROUP = Path("/sys/fs/cgroup")
_UNKNOWN = 4 << 30
"""What is taken for available where the system does not say."""
_LIBRARIES = 160 << 20
"""What Python, numpy and pyarrow take in a process that does nothing else."""
_READING = {
    ".parquet": 160 << 20,
    ".pq": 160 << 20,
    ".jsonl": 320 << 20,
    ".ndjson": 320 << 20,
    ".csv": 512 << 20,
    ".tsv": 512 << 20,
    ".txt": 512 << 20,
}
"""A batch of texts as it is read, cleaned and copied, and what is read ahead of it, by kind of file."""
_WHOLE = 8
"""Bytes for each byte of a file of another kind, which is read whole."""
# A file that is read whole: Python with its libraries; and for each byte of it its texts twice, what is kept of each row, and what the search needs.
_PROCESS, _OF_BYTE = 200 << 20, 4
_PACKED = {".xlsx": 10, ".xlsm": 10, ".parquet": 2, ".pq": 2}
"""How far a file grows when it is unpacked, if it does not say."""
_OF_ROW = 16
"""Bytes of a row's id while it is checked that none comes twice, before anything is grouped."""
_ENTRIES = {"exact": 48, "sketch": 24}
"""Entries of a text, rather too many. They lie on the disk; a part of them is looked at in memory."""


def parse_memory(memory: str | int) -> int:
    """Bytes, from a whole number or a text such as «2GB» (decimal) or «512MiB» (binary).

    >>> parse_memory("2GB"), parse_memory("512 MiB")
    (2000000000, 536870912)

    Raises:
        InputError: `option-range`, no size or less than any search can keep to.
    """
    faults: list[Fault] = []
    resources = read_resources(faults, threads=1, memory=memory)
    if resources is None or resources.memory is None:
        raise InputError(faults)
    return resources.memory


def size_text(size: int) -> str:
    """A size in a form that `parse_memory` reads, rounded up.

    >>> size_text(1_234_000_000), size_text(64_000_001)
    ('1.3GB', '65MB')
    """
    if size >= 10**9:
        return f"{math.ceil(size / 10**8) / 10:g}GB"
    return f"{math.ceil(size / 10**6)}MB"


def available_memory() -> int:
    """Bytes that this process could take now: those that the system has free, or fewer if its control group or a limit allows fewer."""
    found = [size for size in (_free(), _group(), _limit()) if size is not None]
    return max(0, min(found, default=_UNKNOWN))


def _free() -> int | None:
    for line in _lines(_PROC / "meminfo"):
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def _group() -> int | None:
    """What the control group leaves, in version 2 or 1; caches that the kernel would give back count as free."""
    v1 = _CGROUP / "memory"
    group = next(
        (line.partition("::")[2] for line in _lines(_PROC / "self" / "cgroup") if line.startswith("0::")), "/"
    )
    own = _CGROUP / group.strip("/")
    ways = [
        (own / "memory.max", own / "memory.current", own / "memory.stat"),
        (_CGROUP / "memory.max", _CGROUP / "memory.current", _CGROUP / "memory.stat"),
        (v1 / "memory.limit_in_bytes", v1 / "memory.usage_in_bytes", v1 / "memory.stat"),
    ]
    left = []
    for limit, usage, stat in ways:
        most, used = _number(limit), _number(usage)
        if most is None or used is None or most >= 1 << 60:
            continue
        cached = [
            int(line.split()[1])
            for line in _lines(stat)
            if line.startswith(("inactive_file ", "total_inactive_file "))
        ]
        left.append(most - used + max(cached, default=0))
    return min(left, default=None)


def _limit() -> int | None:
    try:
        import resource
    except ImportError:  # not a POSIX system
        return None
    soft, _hard = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def _number(path: Path) -> int | None:
    text = "".join(_lines(path)).strip()
    return int(text) if text.isdecimal() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []


def resident() -> int:
    """Bytes of memory that this process has now."""
    pages = "".join(_lines(_PROC / "self" / "statm")).split()
    return int(pages[1]) * mmap.PAGESIZE if len(pages) > 1 else _LIBRARIES


def reading_need(path: str | os.PathLike[str]) -> int:
    """Bytes that the reading of a file takes."""
    known = _READING.get(Path(path).suffix.lower())
    if known is not None:
        return known
    try:
        return _READING[".csv"] + _WHOLE * Path(path).stat().st_size
    except OSError:  # whoever reads it says so
        return _READING[".csv"]


def whole_need(path: str | os.PathLike[str]) -> int:
    """Bytes that reading a file whole and finding its groups takes, rather too many; 0 if there is no such file, which its reader will say."""
    path = Path(path)
    try:
        size = path.stat().st_size
    except (OSError, ValueError):  # ValueError: a NUL in the path
        return 0
    unpacked = size * _PACKED.get(path.suffix.lower(), 1)
    if path.suffix.lower() in (".parquet", ".pq"):
        unpacked = max(unpacked, _unpacked(path))
    return _PROCESS + _OF_BYTE * unpacked


def _unpacked(path: Path) -> int:
    """What a Parquet file says that its columns take; 0 if it can't be read, which its reader will say."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_metadata(path)
    except (OSError, pa.ArrowException):
        return 0
    return sum(found.row_group(i).total_byte_size for i in range(found.num_row_groups))


def needed(rows: int, settings: Settings, threads: int, reading: int) -> int:
    """Bytes of this process at most while so many texts are grouped from disk, rather too many. `reading`: bytes that the file's reading takes."""
    entries = _ENTRIES["sketch" if settings.mode == "sketch" else "exact"]
    grouping = int(_native.neardup_need(rows, entries, threads))
    if settings.measure == "containment":
        grouping += min(1 << 30, max(1 << 13, 64 * rows))  # which shingles are asked for, as a bitmap
    return max(resident(), _LIBRARIES) + reading + max(_OF_ROW * rows, grouping)


def rows_that_fit(budget: int, settings: Settings, threads: int, reading: int) -> int:
    """The most texts whose `needed` is within the budget; 0 if not even none are."""
    low, high = 0, 1 << 32
    if needed(low, settings, threads, reading) > budget:
        return 0
    while low < high:
        middle = (low + high + 1) // 2
        fits = needed(middle, settings, threads, reading) <= budget
        low, high = (middle, high) if fits else (low, middle - 1)
    return low


def too_little(
    name: str,
    rows: int,
    budget: int,
    settings: Settings,
    threads: int,
    reading: int,
    *,
    about: str = "",
    whole: int = 0,
) -> InputError:
    """The error of a budget that `rows` texts don't fit into.

    `about`: «at most » or «at least » where their number is not known. `whole`: what reading the file whole takes, if that is a way.
    """
    need = needed(rows, settings, threads, reading)
    # The command takes the other way by itself where its estimate is within the budget.
    least = min(need, whole) if whole > budget else need
    ways = [f"Allow {size_text(least)} (--memory {size_text(least)}; in Python memory='{size_text(need)}')"]
    fits = rows_that_fit(budget, settings, threads, reading)
    if fits:
        ways.append(f"or give at most {fits:,} texts at a time, each question or month by itself")
    if settings.measure == "containment":
        ways.append("or compare by Jaccard's index, which needs less")
    message = (
        f"{about}{rows:,} texts need about {size_text(need)} of memory, and {size_text(budget)} may be used, "
        "so the machine could run out in the midst of the work. "
        f"{', '.join(ways)}. Nothing was written."
    )
    return InputError([Fault("memory-budget", message, name, value=size_text(budget))])
