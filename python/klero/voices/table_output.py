"""In which bytes are rows of groups written: Parquet, CSV or JSON lines, a batch at a time?

The same rows give the same file whatever batches they come in, so that a table made in memory and one made from disk are equal.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from klero.errors import Fault, InputError

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema

__all__ = ["SUFFIXES", "Digested", "check_name", "write_rows"]

SUFFIXES = (".parquet", ".csv", ".jsonl")
_GROUP = 1 << 17
"""Rows of a row group of Parquet: 10 MB or so in memory while it is written."""
_LINES = 1 << 14


def check_name(path: str | os.PathLike[str]) -> None:
    """Refuses a name that no file can have.

    Raises:
        InputError: there is a NUL in it (`file-type`).
    """
    if "\0" in os.fspath(path):
        message = "a character with the number 0 (NUL) stands in the name, which no file can have. Give another name."
        raise InputError([Fault("file-type", message, os.fspath(path))])


def write_rows(stream: BinaryIO, suffix: str, schema: Schema, batches: Iterable[RecordBatch]) -> None:
    """Writes batches of one schema. O(rows); memory is a row group.

    Args:
        stream: where the bytes go.
        suffix: one of `SUFFIXES`, in any case.
        schema: of all batches.
        batches: the rows, in the order in which they are written.

    Raises:
        ValueError: another suffix.
        OSError: from the stream.
    """
    match suffix.lower():
        case ".parquet":
            _parquet(stream, schema, batches)
        case ".csv":
            stream.write((",".join(schema.names) + "\n").encode())
            for rows in _cut(schema, batches, _LINES):
                text = StringIO()
                columns = (column.to_pylist() for column in rows.columns)
                csv.writer(text, lineterminator="\n").writerows(zip(*columns, strict=True))
                stream.write(text.getvalue().encode())
        case ".jsonl":
            for rows in _cut(schema, batches, _LINES):
                lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in rows.to_pylist()]
                stream.write("".join(lines).encode())
        case other:
            raise ValueError(f"{other!r} is none of {', '.join(SUFFIXES)}")


def _parquet(stream: BinaryIO, schema: Schema, batches: Iterable[RecordBatch]) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(stream, schema) as writer:
        for rows in _cut(schema, batches, _GROUP):
            writer.write_table(rows.combine_chunks(), row_group_size=_GROUP)


def _cut(schema: Schema, batches: Iterable[RecordBatch], size: int) -> Iterator[pa.Table]:
    """The rows in tables of `size`, the last one shorter, however they come."""
    waiting: list[RecordBatch] = []
    held = 0
    for batch in batches:
        waiting.append(batch)
        held += len(batch)
        while held >= size:
            table = pa.Table.from_batches(waiting, schema)
            yield table.slice(0, size)
            waiting = table.slice(size).to_batches()
            held -= size
    if held:
        yield pa.Table.from_batches(waiting, schema)


class Digested:
    """A stream that is written from its beginning to its end, and the SHA-256 of what was written."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.sha256 = hashlib.sha256()

    def write(self, data: bytes) -> int:
        """Writes all of it."""
        self.sha256.update(data)
        return self.stream.write(data)

    def __getattr__(self, name: str) -> object:
        return getattr(self.stream, name)
