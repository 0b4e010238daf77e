"""How can a register that does not fit into memory be sorted and looked up?

Records stay in memory as long as they fit into a budget, and go to an unnamed temporary file from then on, each batch in one piece,
grouped by part; a part is then read from all pieces. The file has no name, so nothing stays behind, however the process ends. The ids
are kept in the same way as they were read, so that the few that are drawn can be told without a second reading.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import threading
from bisect import bisect_right
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from struct import unpack
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from klero._tables_cells import clean

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from klero.sortition.register.cells import Texts

T = TypeVar("T")
R = TypeVar("R")
PARTS = 256
MEMORY = 560 << 20
"""Bytes of records and ids that one draw keeps in memory before it writes to disk: those of 9 million rows, about."""
Place = bytes | mmap.mmap | int
"""Where a piece is: itself, or where it begins in the file."""


class Memory:
    """A budget that several spills share."""

    def __init__(self) -> None:
        self._left = MEMORY
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        """Whether there was so much left; then it is taken."""
        with self._lock:
            fits = size <= self._left
            self._left -= size if fits else 0
            return fits

    def give(self, size: int) -> None:
        """Gives back what was taken."""
        with self._lock:
            self._left += size


class Spill:
    """Bytes by part, in memory or on disk. Appending and reading are safe from any thread."""

    def __init__(self, folder: str | None, memory: Memory) -> None:
        self._given = folder
        self._folder = os.path.abspath(folder or tempfile.gettempdir())  # noqa: PTH100
        self._file = tempfile.TemporaryFile(dir=folder, prefix="klero-")  # noqa: SIM115 - lives as long as the draw
        self._memory = memory
        self._lock = threading.Lock()
        self._end = 0
        self._taken = 0
        self._pieces: list[tuple[Place, list[int]]] = []

    def another(self) -> Spill:
        """An empty one in the same folder, within the same budget."""
        return Spill(self._given, self._memory)

    def append(self, data: Any, starts: bytes | None = None) -> Place:
        """Keeps a piece and returns where; `starts` (uint64) says where its parts begin within."""
        view = memoryview(data).cast("B")
        place: Place
        if self._memory.take(len(view)):
            with self._lock:
                self._taken += len(view)
            place = _block(view) if starts is not None else data if isinstance(data, bytes) else bytes(view)
        else:
            with self._lock:
                place = self._end
                self._end += len(view)
            self._write(view, place)
        if starts is not None:  # a list's append is safe between threads
            self._pieces.append((place, np.frombuffer(starts, np.uint64).tolist()))
        return place

    def rewrite(self, work: Callable[[bytes], tuple[bytes, bytes]], threads: int) -> None:
        """Puts in the place of each piece what `work` makes of it, no longer than it was: bytes, and where parts begin within (uint64)."""

        def again(number: int) -> None:
            place, old = self._pieces[number]
            data, starts = work(self.read(place, 0, old[-1]))
            if len(data) > old[-1]:
                raise ValueError("a piece can't grow")
            if isinstance(place, int):
                self._write(memoryview(data), place)
            elif isinstance(place, mmap.mmap):
                place[: len(data)] = data
            self._pieces[number] = place, np.frombuffer(starts, np.uint64).tolist()

        for _ in in_threads(again, iter(range(len(self._pieces))), threads):
            pass

    def _write(self, view: memoryview, place: int) -> None:
        done = 0
        while done < len(view):
            try:
                done += os.pwrite(self._file.fileno(), view[done:], place + done)
            except OSError as error:
                # The file has no name, and its folder is what can be changed.
                text = f"{error.strerror}: no room here for temporary data. Free some, or name another folder with --temp (in Python: temp_folder)"
                raise OSError(error.errno, text, self._folder) from error

    def part(self, number: int) -> list[tuple[bytes, int, int]]:
        """One part: the pieces that it lies in, and from where to where, in any order."""
        spans = [(place, starts[number], starts[number + 1]) for place, starts in self._pieces]
        return [
            (self.read(place, start, end - start), 0, end - start)
            for place, start, end in spans
            if start < end
        ]

    def read(self, place: Place, start: int, length: int) -> bytes:
        """Some bytes of a piece."""
        if not isinstance(place, int):
            return place[start : start + length]
        data = os.pread(self._file.fileno(), length, place + start)
        while len(data) < length:
            more = os.pread(self._file.fileno(), length - len(data), place + start + len(data))
            if not more:
                raise OSError(5, "a temporary file is shorter than what was written to it")
            data += more
        return data

    def close(self) -> None:
        """Gives the space back."""
        self._pieces.clear()
        self._file.close()
        self._memory.give(self._taken)
        self._taken = 0


def _block(view: memoryview) -> mmap.mmap | bytes:
    """A copy outside the C library's arenas, one of which each thread has: memory that one thread's piece gave back there is of no use to another,
    and pieces written anew by other threads could take their space twice."""
    if not len(view):
        return b""
    block = mmap.mmap(-1, len(view))
    block[:] = view
    return block


@dataclass(frozen=True)
class _Batch:
    first: int
    width: int  # bytes of each id; 0 where they differ and ends say where each is
    numbers: bool
    at: Place
    ends_at: Place


class IdStore:
    """The ids of all rows: 8 bytes a whole number; of a text its bytes, and 4 more unless all of a batch are of one length."""

    def __init__(self, folder: str | None, memory: Memory) -> None:
        self.spill = Spill(folder, memory)
        self._batches: list[_Batch] = []
        self._firsts: list[int] = []

    def add(self, first: int, numbers: NDArray[np.int64] | None, words: Texts | None) -> None:
        """Keeps the ids of a batch whose first row is `first`."""
        if numbers is not None:
            batch = _Batch(first, 8, True, self.spill.append(numbers), 0)
        elif words is not None:
            offsets, data = words
            at = self.spill.append(data)
            width = int(offsets[1]) if len(offsets) > 1 else 0
            if width and (np.diff(offsets) == width).all():
                batch = _Batch(first, width, False, at, 0)
            else:  # a batch of a quarter of a million ids stays far below 4 GB
                batch = _Batch(first, 0, False, at, self.spill.append(offsets.astype(np.uint32)))
        else:
            return
        self._batches.append(batch)  # a list's append is safe between threads

    def get(self, row: int) -> str:
        """The id of a row, in canonical form."""
        if len(self._firsts) != len(self._batches):
            self._batches.sort(key=lambda batch: batch.first)
            self._firsts = [batch.first for batch in self._batches]
        batch = self._batches[bisect_right(self._firsts, row) - 1]
        i = row - batch.first
        if batch.width:
            data = self.spill.read(batch.at, batch.width * i, batch.width)
        else:
            start, end = unpack("<II", self.spill.read(batch.ends_at, 4 * i, 8))
            data = self.spill.read(batch.at, start, end - start)
        return str(int.from_bytes(data, "little", signed=True)) if batch.numbers else clean(data.decode())


def in_threads(work: Callable[[T], R], items: Iterator[T], threads: int) -> Iterator[R]:
    """`work` of every item, in the items' order, a few at a time. An exception ends it; what has not begun is dropped."""
    if threads == 1:
        yield from map(work, items)
        return
    pool = ThreadPoolExecutor(threads, thread_name_prefix="klero")
    try:
        waiting: list[Future[R]] = [pool.submit(work, item) for item in islice(items, threads + 1)]
        while waiting:
            result = waiting.pop(0).result()
            waiting += [pool.submit(work, item) for item in islice(items, 1)]
            yield result
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
