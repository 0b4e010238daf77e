"""Which files make the register, and how are their rows read a batch at a time?

CSV (encoding and separator are told from the first mebibyte, as :mod:`klero.tables` does for whole files) and Parquet, one file or
many, or anything with an Arrow stream. Only the columns that the draw needs are read, some hundred thousand rows at a time.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from klero._tables_arrow import ArrowStream
from klero._tables_cells import clean
from klero._tables_csv import (
    _BOMS,
    _SEP_LINE,
    _decode,
    _separator,
    _utf16_without_bom,
)
from klero.errors import Fault, InputError

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_ROWS = 1 << 18
_HEAD = 1 << 20
_BLOCK = 8 << 20

RegisterSource = str | PathLike[str] | ArrowStream


@dataclass
class Source:
    """One file or table of the register.

    Attributes:
        name: what messages call it.
        columns: canonical name of each column → its name in the file.
        header_rows: what to add to a row's index to get its number: rows of CSV files count from 2, others from 1.
    """

    name: str
    columns: dict[str, str]
    header_rows: int
    path: Path | None = None
    table: ArrowStream | None = None
    csv: dict[str, Any] = field(default_factory=dict)

    def batches(self, wanted: Sequence[str], coded: Sequence[str], threads: int) -> Iterator[pa.RecordBatch]:
        """The wanted columns, under their canonical names, a batch at a time; `coded` ones by dictionary where the file allows.

        Raises:
            InputError: the file breaks off or a row has the wrong number of cells.
        """
        import pyarrow as pa

        raw = [self.columns[name] for name in wanted]
        try:
            batches: Iterator[pa.RecordBatch]
            if self.table is not None:
                stream = pa.RecordBatchReader.from_stream(self.table)
                batches = iter(stream)
            elif self.csv:
                batches = self._csv_batches(raw)
            else:
                batches = self._parquet_batches(raw, [self.columns[name] for name in coded], threads)
            for whole in batches:
                batch = whole.select(raw)  # files answer in their own order of columns
                for at in range(0, batch.num_rows, BATCH_ROWS):
                    yield batch.slice(at, BATCH_ROWS).rename_columns(list(wanted))
        except (pa.ArrowException, OSError, UnicodeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError([self._fault(error)]) from error

    def _csv_batches(self, raw: list[str]) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        from pyarrow import csv

        return csv.open_csv(  # type: ignore[no-any-return]
            self.path,
            read_options=csv.ReadOptions(
                block_size=_BLOCK, encoding=self.csv["encoding"], skip_rows=self.csv["skip"]
            ),
            parse_options=csv.ParseOptions(delimiter=self.csv["separator"], newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                include_columns=raw,
                column_types=dict.fromkeys(self.columns.values(), pa.string()),
                strings_can_be_null=False,
            ),
        )

    def _parquet_batches(self, raw: list[str], coded: list[str], threads: int) -> Iterator[pa.RecordBatch]:
        import pyarrow.parquet as pq

        file = pq.ParquetFile(self.path, read_dictionary=coded, pre_buffer=False, buffer_size=1 << 20)
        return file.iter_batches(batch_size=BATCH_ROWS, columns=raw, use_threads=threads > 1)  # type: ignore[no-any-return]

    def _fault(self, error: Exception) -> Fault:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        if self.csv and "columns, got" in text:
            row = re.search(r"Row #(\d+)", text)
            number = int(row[1]) + self.csv["skip"] if row else None
            message = f"a row has the wrong number of cells ({text}). Repair it or export the file again."
            return Fault("row-ragged", message, self.name, row=number)
        if self.csv and isinstance(error, (UnicodeError, ValueError)) and "UTF" in text.upper():
            message = f"the file begins as {self.csv['encoding']} and goes on otherwise ({text}). Save it again as «CSV UTF-8»."
            return Fault("encoding-unreadable", message, self.name)
        message = f"the file can't be read to its end ({text}). Export it again."
        return Fault("file-corrupt", message, self.name)


def open_sources(register: RegisterSource | Sequence[RegisterSource]) -> list[Source]:
    """All files of a register; patterns like «part-*.parquet» stand for the files that they match.

    Raises:
        InputError: a file is missing or is no table, or a pattern matches nothing; all faults together.
    """
    given: Sequence[RegisterSource]
    given = [register] if isinstance(register, (str, PathLike, ArrowStream)) else list(register)
    sources: list[Source] = []
    faults: list[Fault] = []
    if not given:
        faults.append(Fault("table-empty", "no register was given. Give one file or more.", "register"))
    for item in given:
        try:
            if isinstance(item, (str, PathLike)):
                sources += [_open_file(path) for path in _paths(fspath(item))]
            else:
                sources.append(_open_stream(item, f"table {len(sources) + 1}"))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return sources


def _paths(text: str) -> list[Path]:
    path = Path(text)
    if not glob.has_magic(text) or path.exists():
        return [path]
    found = sorted(p for p in map(Path, glob.glob(text, recursive=True)) if p.is_file())  # noqa: PTH207 - may be absolute
    if not found:
        message = f"no file matches {text}. Check the folder, and put the pattern in quotes."
        raise InputError([Fault("glob-empty", message, text)])
    return found


def _open_file(path: Path) -> Source:
    name = path.name or str(path)
    if path.is_dir():
        message = f"{path} is a folder. Give the files inside it, for instance '{path}/*.parquet'."
        raise InputError([Fault("file-is-directory", message, name)])
    suffix = path.suffix.lower()
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD + 1)
    except FileNotFoundError:
        message = f"there is no file {path}. Check the name and the folder."
        raise InputError([Fault("file-missing", message, name)]) from None
    except OSError as error:
        message = f"{path} can't be opened ({error.strerror}). Check who may read it."
        raise InputError([Fault("file-unreadable", message, name)]) from None
    if suffix in {".parquet", ".pq"} or head.startswith(b"PAR1"):
        return _open_parquet(path, name)
    if suffix in {".csv", ".tsv", ".txt", ""}:
        return _open_csv(path, name, head)
    message = f"files of type {suffix} can't be read as a register. Export it as CSV or Parquet."
    raise InputError([Fault("file-type", message, name)])


def _open_parquet(path: Path, name: str) -> Source:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        names = pq.read_schema(path).names
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"this is not a Parquet file that can be opened ({error}). Export it again."
        raise InputError([Fault("file-corrupt", message, name)]) from error
    return Source(name, _named(names, name), 1, path=path)


def _open_stream(table: object, name: str) -> Source:
    import pyarrow as pa

    if not isinstance(table, ArrowStream):
        message = f"a {type(table).__name__} is no register. Give paths to CSV or Parquet files, or a table of pyarrow or polars."
        raise InputError([Fault("source-type", message, name)])
    names = pa.RecordBatchReader.from_stream(table).schema.names
    return Source(name, _named(names, name), 1, table=table)


def _open_csv(path: Path, name: str, head: bytes) -> Source:
    if not head:
        message = "the file is empty. Its first row must hold the names of the columns."
        raise InputError([Fault("table-empty", message, name)])
    if len(head) > _HEAD:  # cut at the end of a line, so that no character is cut
        end = head.rfind(b"\n", 0, _HEAD - _HEAD % 2)
        head = head[: end + 1 if end > 0 else _HEAD]
        if head[:2] in (b"\xff\xfe", b"\xfe\xff") or _utf16_without_bom(head[: len(head) // 2 * 2]):
            head = head[: _HEAD // 2]
    text = _decode(head, name)
    encoding = next((kind for bom, kind in _BOMS if head.startswith(bom)), None)
    if encoding in {"utf-16-le", "utf-16-be"}:
        encoding = "utf-16"
    encoding = encoding or _utf16_without_bom(head) or _eight_bit(head)
    skip, separator = 0, None
    if announced := _SEP_LINE.match(text):
        skip, separator = 1, announced[1]
        text = text[announced.end() :]
    separator = separator or _separator(text)
    import csv

    names = next(csv.reader(text.splitlines(), delimiter=separator), [])
    options = {"encoding": encoding, "separator": separator, "skip": skip}
    return Source(name, _named(names, name), 2 + skip, path=path, csv=options)


def _eight_bit(head: bytes) -> str:
    try:
        head.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _named(raw: Sequence[str], name: str) -> dict[str, str]:
    columns: dict[str, str] = {}
    for text in raw:
        canonical = clean(text)
        if canonical in columns:
            message = f"two columns are named '{canonical}'. Rename one, so that it is clear which counts."
            raise InputError([Fault("column-duplicate", message, name, column=canonical)])
        if canonical:
            columns[canonical] = text
    return columns
