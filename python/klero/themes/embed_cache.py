"""Was this text embedded before, by the same embedder?

A folder with Parquet files, one for each run that found something new: `key` (the first 16 bytes of the text's SHA-256), `vector` (float32), and in the
file's metadata the embedder's name. A file's name begins with a hash of the embedder's and ends with the SHA-256 of the file's bytes, so damage is seen
before anything is read, and two runs at a time can't disturb each other.

Guaranteed: files are written whole or not at all; a vector is only ever given for the very text and the very name of the embedder. The folder holds no
text, but whoever has it can test whether a given text was among those embedded, and vectors tell much of a text: guard it as you guard the texts.

Cost: the files of the embedder are read once a run; 4 bytes a number and 32 a text.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pyarrow as pa

from klero._files import read_file, write_file
from klero.errors import Fault, InputError, OutputExistsError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EmbeddingCache"]

FORMAT = "klero-embeddings/1"
_FORMAT, _NAME = b"klero-format", b"klero-embedder"


class EmbeddingCache:
    """Vectors of earlier runs, in a folder.

    Args:
        path: the folder; it is made when there is something to keep.

    Raises:
        InputError: a file stands in its place.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._folder = Path(path)
        if self._folder.exists() and not self._folder.is_dir():
            message = "vectors are kept in a folder, and this is a file. Give the name of a folder, there or to be made."
            raise InputError([Fault("cache-invalid", message, os.fspath(path))])

    @property
    def path(self) -> Path:
        """The folder."""
        return self._folder

    def find(self, name: str, keys: Sequence[bytes]) -> dict[int, NDArray[np.float32]]:
        """The vectors that are known of the texts with these keys: by place among the keys.

        Raises:
            InputError: a file is damaged.
        """
        places = {key: place for place, key in enumerate(keys)}
        found: dict[int, NDArray[np.float32]] = {}
        for path in sorted(self._folder.glob(f"{_prefix(name)}-*.parquet")) if places else ():
            known, vectors = _read(path, name)
            for row, key in enumerate(known):
                place = places.get(key)
                if place is not None:
                    found.setdefault(place, vectors[row])
        return found

    def keep(self, name: str, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> Path | None:
        """Writes vectors into a file of their own, and says which; None if there are none.

        Raises:
            OSError: the folder can't be written.
        """
        if not keys:
            return None
        data = _bytes(name, keys, vectors)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{_prefix(name)}-{hashlib.sha256(data).hexdigest()}.parquet"
        try:
            write_file(path, data)
        except OutputExistsError:
            return path  # its name says that it holds the same
        return path

    def __repr__(self) -> str:
        return f"<EmbeddingCache: {os.fspath(self._folder)}>"


def _prefix(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def _bytes(name: str, keys: Sequence[bytes], vectors: NDArray[np.float32]) -> bytes:
    import pyarrow.parquet as pq

    rows, dimension = vectors.shape
    numbers = pa.array(np.ascontiguousarray(vectors, np.float32).reshape(-1))
    table = pa.table(
        {
            "key": pa.array(list(keys), pa.binary(16)),
            "vector": pa.FixedSizeListArray.from_arrays(numbers, dimension),
        }
    ).replace_schema_metadata({_FORMAT: FORMAT.encode(), _NAME: name.encode()})
    sink = BytesIO()
    options: dict[str, Any] = {"compression": "none", "use_dictionary": False, "write_statistics": False}
    pq.write_table(table, sink, row_group_size=max(1, min(rows, 1 << 16)), **options)
    return sink.getvalue()


def _read(path: Path, name: str) -> tuple[list[bytes], NDArray[np.float32]]:
    import pyarrow.parquet as pq

    data = read_file(path, path.stat().st_size)
    if path.stem.partition("-")[2] != hashlib.sha256(data).hexdigest():
        _refuse(path, "its bytes are not those that its name says: it was cut off or changed")
    try:
        table = pq.read_table(pa.BufferReader(data))
    except (pa.ArrowException, OSError, ValueError) as error:
        _refuse(path, f"it can't be read as Parquet ({str(error).splitlines()[0]})")
    metadata = table.schema.metadata or {}
    kinds = [str(field.type).partition("[")[0] for field in table.schema]
    if (
        metadata.get(_FORMAT) != FORMAT.encode()
        or metadata.get(_NAME) != name.encode()
        or table.schema.names != ["key", "vector"]
        or kinds != ["fixed_size_binary", "fixed_size_list<element: float>"]
    ):
        _refuse(path, f"it does not hold vectors of {name} as {FORMAT} writes them")
    column = table["vector"].combine_chunks()
    flat = column.flatten().to_numpy(zero_copy_only=False)
    return table["key"].to_pylist(), flat.reshape(len(table), -1).astype(np.float32, copy=False)


def _refuse(path: Path, why: str) -> NoReturn:
    message = f"this file of kept vectors can't be used: {why}. Delete it: its texts are then embedded anew."
    raise InputError([Fault("cache-invalid", message, os.fspath(path))])
