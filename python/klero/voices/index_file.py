"""How is an index of near-duplicates kept in a file, and when is such a file refused?

«klero-index/1» is a Parquet file without compression or dictionaries, a row for each text, by the code points of the ids:

| column | type | holds |
|---|---|---|
| id | string | the id |
| sequence | 16 bytes | hash of the sequence of words, little-endian; zero for a text without words |
| first | uint32 | the first row with the same words, counted from 0 |
| shingles | list of uint64 | in that row the shingles, ascending; else empty |

under the key «klero-seal» «sha256:» and the hash of the whole file with zeros in the place of its 64 digits, and under the key «klero-index»
JSON with the versions and settings, a probe (the hash of a fixed sentence, which changes with any constant of the hashes), the number of texts
and a digest: SHA-256 over the settings and the columns. The same texts under the same settings give the same bytes, whatever happened before,
with the same version of pyarrow.

The seal is checked before anything else is read, as the last «sha256:» of the file (every version must keep to this): a damaged footer can bring
pyarrow down, and Python with it. After that nothing in a file is believed: sizes are compared with the file's before memory is taken, ids and
shingles must ascend, and groups are found again. Seal and digest find damage; they are no signature: a file that somebody made with intent, and
sealed, is read by pyarrow, and is as dangerous as any Parquet file from a stranger.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, cast

import numpy as np
import pyarrow as pa

from klero import _native
from klero._files import check_file, read_file, write_file
from klero.errors import Fault, InputError
from klero.voices.settings import ALGORITHM, NORMALISER, SHINGLES, Settings, read_settings, settled
from klero.voices.table_output import check_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["FORMAT", "load", "save"]

FORMAT = "klero-index/1"
_KEY = b"klero-index"
_VERSIONS = {"format": FORMAT, "normaliser": NORMALISER, "shingles": SHINGLES, "algorithm": ALGORITHM}
_SETTINGS = ("threshold", "measure", "shingle", "fold_accents", "min_shared")
_SEAL, _UNSEALED = b"sha256:", b"0" * 64
_PROBE = "Portez ce vieux whisky au juge blond qui fume"
_MOST_TEXTS = 2**31 - 1
_ROW_GROUP = 65536
_FOOTER = {"thrift_string_size_limit": 100_000_000, "thrift_container_size_limit": 1_000_000}
# Bytes that a value takes at least; an id has four for its length.
_LEAST = {"id": 4, "sequence": 16, "first": 4}
_TYPES = {
    "id": "BYTE_ARRAY",
    "sequence": "FIXED_LEN_BYTE_ARRAY",
    "first": "INT32",
    "shingles.list.element": "INT64",
}
_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("sequence", pa.binary(16), nullable=False),
        pa.field("first", pa.uint32(), nullable=False),
        pa.field("shingles", pa.list_(pa.field("element", pa.uint64(), nullable=False)), nullable=False),
    ]
)
_WRONG = {
    "digest": "its contents don't have the digest that stands in it",
    "shape": "its columns don't fit together",
    "full": "it has more texts than can be numbered",
    "id": "the id is empty, no text, or not after the one before",
    "shingles": "the shingles don't ascend, or stand where they should not",
    "first": "it names a row with other words, or repeats one without naming it",
    "sequence": "a text without words has a hash",
}


def save(
    path: str | os.PathLike[str], native: _native.NeardupIndex, settings: Settings, *, force: bool
) -> None:
    """Writes an index; see :meth:`klero.NearDuplicateIndex.save`."""
    import pyarrow.parquet as pq

    check_name(path)
    check_file(path, force=force)
    head = _head(settings)
    columns, digest = native.parts(_canonical(head))
    bounds, id_bytes, sequences, firsts, starts, shingles = map(pa.py_buffer, columns)
    texts = len(columns[3]) // 4
    ids = pa.Array.from_buffers(pa.large_string(), texts, [None, bounds, id_bytes])
    numbers = pa.Array.from_buffers(pa.uint64(), len(columns[5]) // 8, [None, shingles])
    lists = pa.Array.from_buffers(
        pa.large_list(_SCHEMA.field("shingles").type.value_field), texts, [None, starts], children=[numbers]
    )
    sink = pa.BufferOutputStream()
    whole = _canonical(head | {"texts": texts, "digest": digest})
    options: dict[str, Any] = {
        "compression": "none",
        "use_dictionary": False,
        "write_statistics": False,
        "store_schema": False,
    }
    with pq.ParquetWriter(sink, _SCHEMA, version="2.6", data_page_version="1.0", **options) as writer:
        writer.add_key_value_metadata({_KEY: whole, b"klero-seal": _SEAL + _UNSEALED})
        for row in range(0, texts, _ROW_GROUP):
            some = slice(row, min(row + _ROW_GROUP, texts))
            count = some.stop - row
            arrays = [
                ids.slice(row, count).cast(pa.string()),
                pa.Array.from_buffers(pa.binary(16), count, [None, sequences.slice(16 * row, 16 * count)]),
                pa.Array.from_buffers(pa.uint32(), count, [None, firsts.slice(4 * row, 4 * count)]),
                lists.slice(row, count).cast(_SCHEMA.field("shingles").type),
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA), row_group_size=_ROW_GROUP)
    data = sink.getvalue().to_pybytes()
    at, seal = _seal(data)
    write_file(path, data[:at] + seal + data[at + len(seal) :], force=force)


def load(path: str | os.PathLike[str], asked: Mapping[str, object]) -> tuple[_native.NeardupIndex, Settings]:
    """Reads an index; see :meth:`klero.NearDuplicateIndex.load`. `asked` are settings that it must have."""
    name = os.fspath(path)
    data = read_file(path, _size(path))
    at, seal = _seal(data)
    if data[at : at + len(seal)] != seal:
        _refuse(name, "it was cut off, changed, or written by something else than klero")
    head, columns = _contents(data, name)
    settings = _settings(head, asked, name)
    told = {key: value for key, value in head.items() if key not in {"digest", "texts"}}
    native, fault = _native.NeardupIndex.from_parts(
        settings.threshold,
        settings.measure,
        settings.min_shared,
        settings.shingle,
        settings.fold_accents,
        columns,
        _canonical(told),
        head["digest"],
    )
    if native is None:
        code, row = cast("tuple[str, int]", fault)
        _refuse(name, _WRONG[code], None if code in {"digest", "shape", "full"} else row + 1)
    return native, settings


def _seal(data: bytes) -> tuple[int, bytes]:
    """Where the seal's digits stand (the end, if there is none), and which they should be."""
    found = data.rfind(_SEAL)
    at = len(data) if found < 0 else found + len(_SEAL)
    view = memoryview(data)
    sha = hashlib.sha256(view[:at])
    sha.update(_UNSEALED)
    sha.update(view[at + len(_UNSEALED) :])
    return at, sha.hexdigest().encode()


def _size(path: str | os.PathLike[str]) -> int:
    """Of a file; 0 where there is none, which `read_file` tells."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 (a path with a NUL, which pathlib would raise differently)
    except (OSError, ValueError):
        return 0


def _head(settings: Settings) -> dict[str, Any]:
    probe, _words = _native.text_sequence(_PROBE, settings.fold_accents)
    return _VERSIONS | {"probe": f"{probe:032x}"} | {key: getattr(settings, key) for key in _SETTINGS}


def _canonical(head: Mapping[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True, separators=(",", ":")).encode()


def _refuse(name: str, why: str, row: int | None = None) -> NoReturn:
    message = f"this is no index of near-duplicates, or it is damaged: {why}. Use a copy of it, or build it anew from the texts."
    raise InputError([Fault("index-invalid", message, name, row)])


def _contents(data: bytes, name: str) -> tuple[dict[str, Any], list[object]]:
    """What stands beside the columns, and the columns as `Parts` has them; nothing larger than the file is made."""
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(pa.BufferReader(data), arrow_extensions_enabled=False, **_FOOTER)
        head = _told(file.metadata, name)
        _check_sizes(file, len(data), head, name)
        table = file.read(use_threads=False)
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        _refuse(
            name,
            f"it can't be read as Parquet ({str(error).splitlines()[0] if str(error) else type(error).__name__})",
        )
    if table.num_rows != head["texts"] or table.schema.remove_metadata() != _SCHEMA:
        _refuse(name, "its columns are not those of an index")
    return head, _columns(table)


def _told(metadata: Any, name: str) -> dict[str, Any]:
    """The JSON of the file, of this version and with every field of its type."""
    text = (metadata.metadata or {}).get(_KEY)
    if text is None:
        _refuse(name, "it does not say that it is one")
    try:
        head = json.loads(text)
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict):
        _refuse(name, "what it says of itself is not readable")
    for key, version in _VERSIONS.items():
        if head.get(key) != version:
            _other(name, f"its {key} is «{head.get(key)}»; this klero reads «{version}»")
    keys = {*_VERSIONS, *_SETTINGS, "probe", "texts", "digest"}
    sound = (
        set(head) == keys
        and type(head["texts"]) is int
        and isinstance(head["digest"], str)
        and isinstance(head["fold_accents"], bool)
    )
    if not sound:
        _refuse(name, "what it says of itself is not complete")
    if head["probe"] != f"{_native.text_sequence(_PROBE, head['fold_accents'])[0]:032x}":
        _other(name, "its texts were hashed with other constants")
    return head


def _other(name: str, what: str) -> NoReturn:
    message = f"the index is of another version: {what}, and hashes of different versions can't be compared. Build the index anew from the texts."
    raise InputError([Fault("index-version", message, name)])


def _check_sizes(file: Any, size: int, head: Mapping[str, Any], name: str) -> None:
    """Refuses what would take far more memory than the file: compression, and counts that its bytes can't hold."""
    metadata = file.metadata
    texts = metadata.num_rows
    if texts != head["texts"] or not 0 <= texts <= min(_MOST_TEXTS, size // sum(_LEAST.values())):
        _refuse(name, "it does not have the number of texts that it says")
    rows = values = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        rows += group.num_rows
        columns = [group.column(i) for i in range(group.num_columns)]
        if [(column.path_in_schema, column.physical_type) for column in columns] != list(_TYPES.items()):
            _refuse(name, "its columns are not those of an index")
        for column in columns:
            plain = column.compression == "UNCOMPRESSED" and {"PLAIN", "RLE"}.issuperset(column.encodings)
            counted = (
                column.num_values == group.num_rows
                if column.path_in_schema in _LEAST
                else column.num_values >= group.num_rows
            )
            if not plain or not counted or not 0 <= column.total_uncompressed_size <= size:
                _refuse(name, "its columns are not written as those of an index")
            values += column.num_values
    # An empty list counts as a value without bytes: those are no more than the texts.
    if rows != texts or values > size // 8 + 5 * texts:
        _refuse(name, "its rows don't add up")


def _columns(table: pa.Table) -> list[object]:
    """Bounds of ids, ids, sequences, firsts, bounds of shingles, shingles."""
    ids, id_bounds = _joined([(_bounds(c), c.buffers()[2]) for c in table["id"].chunks], 1)
    chunks = table["shingles"].chunks
    lists, bounds = _joined([(_bounds(c), c.values.buffers()[1], c.values.offset) for c in chunks], 8)
    fixed = [
        b"".join(
            memoryview(c.buffers()[1])[width * c.offset : width * (c.offset + len(c))]
            for c in table[name].chunks
            if len(c)
        )
        for name, width in (("sequence", 16), ("first", 4))
    ]
    return [id_bounds, ids, *fixed, bounds, lists]


def _bounds(chunk: pa.Array) -> NDArray[np.int64]:
    if not len(chunk):
        return np.zeros(1, np.int64)
    return np.frombuffer(chunk.buffers()[1], np.int32)[chunk.offset : chunk.offset + len(chunk) + 1].astype(
        np.int64
    )


def _joined(pieces: list[tuple[Any, ...]], width: int) -> tuple[bytes, NDArray[np.int64]]:
    """The bytes of all chunks, one after the other, and their bounds, which go on from chunk to chunk."""
    data: list[memoryview] = []
    bounds, end = [np.zeros(1, np.int64)], 0
    for piece in pieces:
        own, buffer = piece[0], piece[1]
        offset = piece[2] if len(piece) > 2 else 0
        if own[-1] > own[0]:
            data.append(memoryview(buffer).cast("B")[width * (offset + own[0]) : width * (offset + own[-1])])
        bounds.append(own[1:] - own[0] + end)
        end += int(own[-1] - own[0])
    return b"".join(data), np.concatenate(bounds)


def _settings(head: Mapping[str, Any], asked: Mapping[str, object], name: str) -> Settings:
    faults: list[Fault] = []
    given = {key: head[key] for key in _SETTINGS}
    settings = read_settings(faults, mode="exact", recall=0.99, **given)
    if settings is None or head["min_shared"] is None:
        _refuse(name, "its settings are none that klero has")
    differ = [
        f"{key} is {given[key]!r} and not {value!r}" for key, value in asked.items() if given[key] != value
    ]
    if differ:
        message = f"the index was made with other settings: {'; '.join(differ)}. Ask for its own, or build another from the texts."
        raise InputError([Fault("index-settings", message, name)])
    return settled(settings, 0)
