"""How can a register that does not fit into memory be sorted and looked up?

Records go to an unnamed temporary file, each batch in one piece, grouped by part; a part is then read from all pieces. The file has no
name, so nothing stays behind, however the process ends. A second file holds the ids as they were read, so that the few that are drawn
can be told without a second reading.
"""

from __future__ import annotations

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


class Spill:
    """Bytes on disk by part. Appending and reading are safe from any thread."""

    def __init__(self, folder: str | None) -> None:
        self._folder = os.path.abspath(folder or tempfile.gettempdir())  # noqa: PTH100
        self._file = tempfile.TemporaryFile(dir=folder, prefix="klero-")  # noqa: SIM115 - lives as long as the draw
        self._lock = threading.Lock()
        self._end = 0
        self._pieces: list[tuple[int, list[int]]] = []
        self._own = threading.local()

    @property
    def size(self) -> int:
        """Bytes written."""
        return self._end

    def append(self, data: Any, starts: bytes | None = None) -> int:
        """Writes a piece and returns where it begins; `starts` (uint64) says where its parts begin within."""
        view = memoryview(data).cast("B")
        with self._lock:
            at = self._end
            self._end += len(view)
            if starts is not None:
                self._pieces.append((at, np.frombuffer(starts, np.uint64).tolist()))
        done = 0
        while done < len(view):
            try:
                done += os.pwrite(self._file.fileno(), view[done:], at + done)
            except OSError as error:
                # The file has no name, and its folder is what can be changed.
                text = f"{error.strerror}: no room here for temporary data. Free some, or name another folder with --temp (in Python: temp_folder)"
                raise OSError(error.errno, text, self._folder) from error
        return at

    def part(self, number: int) -> memoryview:
        """The bytes of one part, from all pieces, in any order. They are this thread's until it asks for the next part."""
        spans = [(at + s[number], s[number + 1] - s[number]) for at, s in self._pieces]
        total = sum(length for _, length in spans)
        data: bytearray = getattr(self._own, "data", bytearray())
        if len(data) < total:
            data = self._own.data = bytearray(total + total // 8)
        view = memoryview(data)
        filled = 0
        for at, length in spans:
            if length:
                self._fill(view[filled : filled + length], at)
                filled += length
        return view[:total]

    def read(self, at: int, length: int) -> bytes:
        """Some bytes."""
        data = os.pread(self._file.fileno(), length, at)
        if len(data) == length:
            return data
        whole = bytearray(length)
        self._fill(memoryview(whole), at)
        return bytes(whole)

    def _fill(self, view: memoryview, at: int) -> None:
        done = 0
        while done < len(view):
            got = os.preadv(self._file.fileno(), [view[done:]], at + done)
            if not got:
                raise OSError(5, "a temporary file is shorter than what was written to it")
            done += got

    def close(self) -> None:
        """Gives the space back."""
        self._file.close()


@dataclass(frozen=True)
class _Batch:
    first: int
    width: int  # bytes of each id; 0 where they differ and ends say where each is
    numbers: bool
    at: int
    ends_at: int


class IdStore:
    """The ids of all rows, on disk: 8 bytes a whole number; of a text its bytes, and 4 more unless all of a batch are of one length."""

    def __init__(self, folder: str | None) -> None:
        self.spill = Spill(folder)
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
            data = self.spill.read(batch.at + batch.width * i, batch.width)
        else:
            start, end = unpack("<II", self.spill.read(batch.ends_at + 4 * i, 8))
            data = self.spill.read(batch.at + start, end - start)
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
