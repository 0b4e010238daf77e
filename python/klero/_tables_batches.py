"""How are the rows of a long table read a batch at a time?

CSV (encoding and separator are told from the first mebibyte, as :mod:`klero.tables` does for whole files), Parquet, JSONL, or anything
with an Arrow stream. Only the columns that are asked for are read. Registers and contributions, which can have 10^7 rows and more, come this
way; shorter tables come whole, through :func:`klero.tables.read_table`.

Guaranteed: a file that breaks off, a row with too many or too few cells and a byte that is not of the file's encoding are errors that
name the place. Quotes that don't match are an error where `check_quotes` is asked; pyarrow alone would put the rows up to the next quote
into one cell and say nothing. Memory: a few blocks of 8 MiB, which with pyarrow's reading ahead is about 300 MB for CSV; more where a single
row is longer than a block.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klero._tables_arrow import ArrowStream
from klero._tables_cells import cell_text, clean, kind_of
from klero._tables_csv import (
    _BOMS,
    _CONTROL,
    _SEP_LINE,
    _TOP,
    Record,
    _decode,
    _lines,
    _mostly_utf8,
    _separator,
    _utf16_without_bom,
    title_above,
)
from klero._tables_json import HALF_CHARACTER, half_character, has_lines, json_rows, textless
from klero.errors import Fault, InputError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["BATCH_ROWS", "Source", "open_path", "open_stream"]

BATCH_ROWS = 1 << 18
_HEAD = 1 << 20
_BLOCK = 8 << 20
_LARGEST_BLOCK = (1 << 31) - 1
_JSON_ROWS = 1 << 14


@dataclass
class Source:
    """One file or table.

    Attributes:
        name: what messages call it.
        columns: canonical name of each column → its name in the file.
        header_rows: what to add to a row's index to get its number: rows of CSV files count from 2, others from 1.
        path: the file, if it is one.
        table: the table, if it is none.
        csv: «encoding», «separator» and «skip» (lines before the header) of a CSV file.
        lines: whether the file is JSONL.
        sheet: whether the table is a sheet of a workbook, where blank rows stand between others.
        sheets: the sheets of that workbook that are not hidden, the one that is read first.
        whole: the columns, by canonical name, whose type is a whole number of 64 bits or fewer.
    """

    name: str
    columns: dict[str, str]
    header_rows: int
    path: Path | None = None
    table: ArrowStream | None = None
    csv: dict[str, Any] = field(default_factory=dict)
    lines: bool = False
    sheet: bool = False
    sheets: tuple[str, ...] = ()
    whole: frozenset[str] = frozenset()

    def batches(
        self, wanted: Sequence[str], coded: Sequence[str] = (), threads: int = 1, rows: int | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The wanted columns, under their canonical names, a batch at a time; `coded` ones by dictionary where the file allows.

        Raises:
            InputError: the file breaks off or a row has the wrong number of cells.
        """
        import pyarrow as pa

        raw = [self.columns[name] for name in wanted]
        rows = rows or BATCH_ROWS
        try:
            batches: Iterator[pa.RecordBatch]
            if self.table is not None:
                batches = iter(pa.RecordBatchReader.from_stream(self.table))
            elif self.csv:
                batches = self._csv_batches(raw)
            elif self.lines:
                batches = self._json_batches(raw)
            else:
                batches = self._parquet_batches(raw, [self.columns[name] for name in coded], threads, rows)
            for whole in batches:
                batch = whole.select(raw)  # files answer in their own order of columns
                for at in range(0, batch.num_rows, rows):
                    yield batch.slice(at, rows).rename_columns(list(wanted))
        except (pa.ArrowException, OSError, UnicodeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError([self._fault(error)]) from error

    def _csv_batches(self, raw: list[str]) -> Iterator[pa.RecordBatch]:
        """Blocks of 8 MiB; of a row that is longer (a text of 50 MB, say) pyarrow can't find the end, and larger blocks are tried."""
        import pyarrow as pa

        block, done = _BLOCK, 0
        while True:
            skip = done
            try:
                for batch in self._csv_reader(raw, block):
                    if skip >= batch.num_rows:
                        skip -= batch.num_rows
                        continue
                    part = batch.slice(skip)
                    skip = 0
                    done += part.num_rows
                    yield part
                return
            except pa.ArrowInvalid as error:
                if "straddl" not in str(error) or block == _LARGEST_BLOCK:
                    raise
                block = min(8 * block, _LARGEST_BLOCK)

    def _csv_reader(self, raw: list[str], block: int) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        from pyarrow import csv

        return csv.open_csv(  # type: ignore[no-any-return]
            self.path,
            read_options=csv.ReadOptions(
                block_size=block, encoding=self.csv["encoding"], skip_rows=self.csv["skip"]
            ),
            parse_options=csv.ParseOptions(delimiter=self.csv["separator"], newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                include_columns=raw,
                column_types=dict.fromkeys(self.columns.values(), pa.string()),
                strings_can_be_null=False,
            ),
        )

    def _json_batches(self, raw: list[str]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        cells: list[list[str | None]] = [[] for _ in raw]
        kind = pa.schema([(name, pa.large_string()) for name in raw])
        with Path(str(self.path)).open("rb") as stream:
            for number, row in json_rows(stream, self.name):
                for column, name in zip(cells, raw, strict=True):
                    column.append(self._json_text(row.get(name), number, name))
                if len(cells[0]) == _JSON_ROWS:
                    yield pa.record_batch([pa.array(c, pa.large_string()) for c in cells], schema=kind)
                    cells = [[] for _ in raw]
        yield pa.record_batch([pa.array(c, pa.large_string()) for c in cells], schema=kind)

    def _json_text(self, value: object, number: int, column: str) -> str | None:
        text = None if value is None else cell_text(value)
        if value is not None and text is None:
            raise InputError([Fault("cell-type", textless(value), self.name, number, column)])
        if text and half_character(text):
            fault = Fault("encoding-unreadable", HALF_CHARACTER, self.name, number, column, ascii(text)[:60])
            raise InputError([fault])
        return text

    def _parquet_batches(
        self, raw: list[str], coded: list[str], threads: int, rows: int
    ) -> Iterator[pa.RecordBatch]:
        import pyarrow.parquet as pq

        file = pq.ParquetFile(self.path, read_dictionary=coded, pre_buffer=False, buffer_size=1 << 20)
        return file.iter_batches(batch_size=rows, columns=raw, use_threads=threads > 1)  # type: ignore[no-any-return]

    def _fault(self, error: Exception) -> Fault:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        if self.csv and "columns, got" in text:
            row = re.search(r"Row #(\d+)", text)
            number = int(row[1]) + self.csv["skip"] if row else self._ragged_row()
            message = f"a row has the wrong number of cells ({text}). Repair it or export the file again."
            return Fault("row-ragged", message, self.name, row=number)
        if self.csv and isinstance(error, (UnicodeError, ValueError)) and "UTF" in text.upper():
            offset, line = _bad_byte(Path(str(self.path)), self.csv["encoding"])
            where = "" if offset is None else f" at byte {offset}, in this line of the file"
            message = (
                f"the file begins as {self.csv['encoding']} and goes on otherwise{where} ({text}). Two files of different "
                "encodings may have been joined. Save it again as «CSV UTF-8»."
            )
            return Fault("encoding-unreadable", message, self.name, row=line)
        message = f"the file can't be read to its end ({text}). Export it again."
        return Fault("file-corrupt", message, self.name)

    def check_quotes(self) -> None:
        """Reads a CSV file once more, for its quotes alone.

        In a well-formed file every other quote opens a cell (what stands before it is a separator, a line's end or a quote) and the
        others close one. Where that does not hold, which a quote inside a cell without quotes may cause as well, Python's strict reader
        decides.

        Raises:
            InputError: a cell with quotes goes on after they are closed, or they are never closed.
        """
        if self.csv and not self._quotes_alternate():
            self._strict()

    def _quotes_alternate(self) -> bool:
        import numpy as np

        if self.csv["encoding"] not in {"utf-8", "cp1252"}:
            return False
        edges = np.zeros(256, dtype=bool)
        edges[[ord('"'), ord("\n"), ord("\r"), ord(self.csv["separator"])]] = True
        seen = 0
        with Path(str(self.path)).open("rb") as stream:
            at = 3 if stream.read(3) == b"\xef\xbb\xbf" else 0
            before = b"\n"
            stream.seek(at)
            while block := stream.read(_BLOCK):
                after = stream.read(1)
                data = np.frombuffer(before + block + (after or b"\n"), dtype=np.uint8)
                places = 1 + np.flatnonzero(data[1:-1] == ord('"'))
                opening, closing = places[seen % 2 :: 2], places[1 - seen % 2 :: 2]
                if not (edges[data[opening - 1]].all() and edges[data[closing + 1]].all()):
                    return False
                seen += len(places)
                before = block[-1:]
                stream.seek(-len(after), 1)
        return seen % 2 == 0

    def _records(self, *, strict: bool) -> Iterator[tuple[int, int]]:
        """(number, cells) of each row, by Python's reader: slow, and for faults alone."""
        limit = csv.field_size_limit(_LARGEST_BLOCK)
        try:
            with Path(str(self.path)).open(encoding=_codec(self.csv["encoding"]), newline="") as stream:
                for _ in range(self.csv["skip"]):
                    stream.readline()
                rows = filter(None, csv.reader(stream, delimiter=self.csv["separator"], strict=strict))
                for number, cells in enumerate(rows, start=1 + self.csv["skip"]):
                    yield number, len(cells)
        finally:
            csv.field_size_limit(limit)

    def _ragged_row(self) -> int | None:
        with suppress(csv.Error, UnicodeError):
            rows = self._records(strict=False)
            _, width = next(rows)
            return next((number for number, cells in rows if cells != width), None)
        return None

    def _strict(self) -> None:
        row = self.csv["skip"]
        try:
            for row, _cells in self._records(strict=True):  # noqa: B007 - the last one read is named
                pass
        except csv.Error:
            message = (
                "the quotes don't match in this row, so nothing from here on can be read with certainty. A cell with a separator, a "
                'line break or quotes needs quotes around it, and quotes inside it are doubled: "Jo ""J"" Doe".'
            )
            raise InputError([Fault("csv-malformed", message, self.name, row=row + 1)]) from None
        except UnicodeError as error:
            raise InputError([self._fault(error)]) from None


def _codec(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _bad_byte(path: Path, encoding: str) -> tuple[int | None, int | None]:
    """(offset, line) of the first byte that is not of this encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset, line = 0, 1
    with path.open("rb") as stream:
        while chunk := stream.read(_HEAD):
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                before = error.object[: error.start].decode(encoding, "replace")
                return offset - pending + error.start, line + before.count("\n")
            line += text.count("\n")
            offset += len(chunk)
    pending = len(decoder.getstate()[0])
    return (offset - pending, line) if pending else (None, None)


def open_path(path: Path, kinds: str, called: str, *, controls: bool = False) -> Source:
    """A file to be read a batch at a time.

    Args:
        path: of the file.
        kinds: the suffixes that are read, «.csv .tsv .txt .parquet .pq .jsonl»; a Parquet file is known by its first bytes too.
        called: what the file should hold, for messages: «a register».
        controls: let control characters pass, which no table of people holds, but which texts that were pasted do.

    Raises:
        InputError: it is missing, a folder, or no such file.
    """
    name = path.name or str(path)
    if path.is_dir():
        message = f"{path} is a folder. Give the files inside it, for instance '{path}/*.parquet'."
        raise InputError([Fault("file-is-directory", message, name)])
    if path.exists() and not path.is_file():
        message = f"{path} is no file on a disk, and this table is read in parts. Save it to a file first, and give that."
        raise InputError([Fault("file-unreadable", message, name)])
    suffix = path.suffix.lower()
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD + 1)
    except FileNotFoundError:
        message = f"there is no file {path}. Check the name and the folder."
        raise InputError([Fault("file-missing", message, name)]) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        message = f"{path} can't be opened ({reason}). Check who may read it."
        raise InputError([Fault("file-unreadable", message, name)]) from None
    if suffix in {".parquet", ".pq"} or head.startswith(b"PAR1"):
        return _open_parquet(path, name)
    if not suffix or (suffix in {".csv", ".tsv", ".txt"} and suffix in kinds.split()):
        return _open_csv(path, name, head, controls)
    if has_lines(path) and suffix in kinds.split():
        return _open_json(path, name)
    message = f"files of type {suffix} can't be read as {called}. Export it as CSV or Parquet."
    raise InputError([Fault("file-type", message, name)])


def open_stream(table: object, name: str, called: str) -> Source:
    """A table in memory, to be read a batch at a time.

    Raises:
        InputError: it has no Arrow stream, or two columns of one name.
    """
    import pyarrow as pa

    if not isinstance(table, ArrowStream):
        message = f"{kind_of(table)} is no {called}. Give paths to CSV or Parquet files, or a table of pyarrow or polars."
        raise InputError([Fault("source-type", message, name)])
    schema = pa.RecordBatchReader.from_stream(table).schema
    columns = _named(schema.names, name)
    return Source(name, columns, 1, table=table, whole=_whole(schema, columns))


def _open_parquet(path: Path, name: str) -> Source:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"this is not a Parquet file that can be opened ({error}). Export it again."
        raise InputError([Fault("file-corrupt", message, name)]) from error
    columns = _named(schema.names, name)
    return Source(name, columns, 1, path=path, whole=_whole(schema, columns))


def _whole(schema: pa.Schema, columns: dict[str, str]) -> frozenset[str]:
    import pyarrow as pa

    kinds = {field.name: field.type for field in schema}
    return frozenset(
        name
        for name, raw in columns.items()
        if pa.types.is_integer(kinds[raw]) and not pa.types.is_uint64(kinds[raw])
    )


def _open_json(path: Path, name: str) -> Source:
    """The columns are the keys of all objects, so the whole file is read: what is mostly empty may come late for the first time."""
    names: dict[str, None] = {}
    with path.open("rb") as stream:
        for _, row in json_rows(stream, name):
            if not row.keys() <= names.keys():
                names |= dict.fromkeys(row)
    if not names:
        message = "the file holds no objects. Each line must be one whole object: {…}."
        raise InputError([Fault("table-empty", message, name)])
    return Source(name, _named(list(names), name), 1, path=path, lines=True)


def _open_csv(path: Path, name: str, head: bytes, controls: bool) -> Source:
    if not head:
        message = "the file is empty. Its first row must hold the names of the columns."
        raise InputError([Fault("table-empty", message, name)])
    whole = len(head) <= _HEAD
    if not whole:  # cut at the end of a line, so that no character is cut
        end = head.rfind(b"\n", 0, _HEAD - _HEAD % 2)
        head = head[: end + 1 if end > 0 else _HEAD]
        if head[:2] in (b"\xff\xfe", b"\xfe\xff") or _utf16_without_bom(head[: len(head) // 2 * 2]):
            head = head[: _HEAD // 2]
        elif end <= 0:  # one line longer than the head: its last character may be cut
            head = head[: len(head) - _cut(head)]
    encoding = next((kind for bom, kind in _BOMS if head.startswith(bom)), None)
    if encoding in {"utf-16-le", "utf-16-be"}:
        encoding = "utf-16"
    encoding = encoding or _utf16_without_bom(head) or _eight_bit(head)
    if encoding == "utf-8" and not whole and head.isascii():
        encoding = _later_encoding(path)
    if controls and not encoding.startswith("utf-16"):
        head = _CONTROL.sub(" ", head.decode("latin-1")).encode("latin-1")
    text = _decode(head, name)
    skip, separator = 0, None
    if announced := _SEP_LINE.match(text):
        skip, separator = 1, announced[1]
        text = text[announced.end() :]
    separator = separator or _separator(text)
    records = _top(text, separator)
    names = records[0][1] if records else []
    if title := title_above(records):
        raise InputError([Fault("column-unnamed", title, name, row=1 + skip)])
    options = {"encoding": encoding, "separator": separator, "skip": skip}
    return Source(name, _named(names, name), 2 + skip, path=path, csv=options)


def _top(text: str, separator: str) -> list[Record]:
    """The first rows, the header being one of them; names may hold line breaks."""
    limit = csv.field_size_limit(_LARGEST_BLOCK)
    try:
        reader = csv.reader(_lines(text), delimiter=separator)
        rows, line = [], 1
        for row in islice(reader, _TOP):
            rows.append((line, row))
            line = reader.line_num + 1
        return [(line, row) for line, row in rows if row]
    finally:
        csv.field_size_limit(limit)


def _cut(head: bytes) -> int:
    """How many bytes of an unfinished UTF-8 character stand at the end."""
    for back in range(1, min(4, len(head)) + 1):
        byte = head[-back]
        if byte < 0x80:
            return 0
        if byte >= 0xC0:
            return back if back < (2 if byte < 0xE0 else 3 if byte < 0xF0 else 4) else 0
    return 0


def _later_encoding(path: Path) -> str:
    """The encoding of a file whose head is ASCII, by the mebibyte that begins with its first byte that is not."""
    with path.open("rb") as stream:
        while chunk := stream.read(_HEAD):
            if chunk.isascii():
                continue
            before = next(place for place, byte in enumerate(chunk) if byte > 0x7F)
            sample = chunk[before:] + stream.read(before)
            sample = sample[: len(sample) - _cut(sample)]
            return "utf-8" if _eight_bit(sample) == "utf-8" or _mostly_utf8(sample) else "cp1252"
    return "utf-8"


def _eight_bit(head: bytes) -> str:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _named(raw: Sequence[str], name: str) -> dict[str, str]:
    columns: dict[str, str] = {}
    for text in raw:
        if half_character(text):
            raise InputError([Fault("encoding-unreadable", HALF_CHARACTER, name, column=ascii(text)[:60])])
        canonical = clean(text)
        if canonical in columns:
            message = f"two columns are named '{canonical}'. Rename one, so that it is clear which counts."
            raise InputError([Fault("column-duplicate", message, name, column=canonical)])
        if canonical:
            columns[canonical] = text
    if not columns:
        message = "no column has a name. The first row of a table holds the names of its columns."
        raise InputError([Fault("table-empty", message, name)])
    return columns
