"""What does this table say, cell by cell, and what is wrong with it?

One door for every table: a path to CSV, Excel, Parquet or JSON (a list, or JSONL), anything that exports an Arrow
stream (pyarrow, polars, pandas, duckdb), or a list of mappings. All cells become text in one form (see
:mod:`klero._tables_cells`), so the same table gives the same result whichever program it passed through.

Guaranteed: all faults of a table's shape are reported together; nothing is dropped but blank rows and empty
columns without a name. Not guaranteed: encodings other than UTF-8, UTF-16 and Windows-1252 (see
:mod:`klero._tables_csv`).

>>> table = read_table([{"id": 1, "gender": "woman "}, {"id": 2, "gender": None}], name="people")
>>> table.columns, table.column("gender")
(('id', 'gender'), ('woman', ''))
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from klero._tables_arrow import ArrowStream, Columns, read_arrow, read_parquet
from klero._tables_cells import ERROR_CELLS, cell_text, clean, cleaned, kind_of
from klero._tables_csv import Record, read_csv, title_above
from klero._tables_json import has_lines, is_json, read_json
from klero.errors import Fault, InputError, quoted

__all__ = ["ArrowStream", "Table", "TableSource", "read_table"]

_SUFFIXES = frozenset((".csv", ".tsv", ".txt", "", ".xlsx", ".xlsm", ".parquet"))


@dataclass(frozen=True)
class Table:
    """A table of text.

    Attributes:
        name: what messages call it: the file's name, or the name given.
        columns: the names in the header, all different.
        data: the cells, one tuple for each column.
        row_numbers: of each row, as a spreadsheet shows it (the header of a CSV or Excel file is row 1; a row
            with line breaks in its cells counts where it begins). Rows of Parquet files and of tables in
            memory count from 1.
    """

    name: str
    columns: tuple[str, ...]
    data: tuple[tuple[str, ...], ...]
    row_numbers: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.row_numbers)

    def __repr__(self) -> str:
        return (
            f"<Table {quoted(self.name)}: {len(self)} rows, columns {', '.join(map(quoted, self.columns))}>"
        )

    def column(self, name: str) -> tuple[str, ...]:
        """The cells of a column. Raises KeyError if there is no such column."""
        try:
            return self.data[self.columns.index(name)]
        except ValueError:
            raise KeyError(name) from None


TableSource = str | PathLike[str] | ArrowStream | Sequence[Mapping[str, object]] | Table


def read_table(source: TableSource, *, name: str | None = None, called: str = "table") -> Table:
    """Read a table from a file, an Arrow stream or a list of mappings.

    Args:
        source: a path to .csv, .tsv, .txt, .xlsx, .xlsm, .parquet, .json or .jsonl; an object with ``__arrow_c_stream__``; a
            list of mappings with the same keys; or a table read before, which is returned as it is.
        name: what messages call the table; by default the file's name, or what `called` says.
        called: what messages call a table that is no file.

    Raises:
        InputError: with every fault of the table's shape.
        MissingExtraError: an Excel file, without openpyxl.
    """
    if isinstance(source, Table):
        return source
    if isinstance(source, str | PathLike):
        return _read_file(Path(source), name)
    name = name or called
    if isinstance(source, ArrowStream):
        return _from_columns(read_arrow(source, name), name)
    if isinstance(source, Sequence) and not isinstance(source, bytes | bytearray):
        return _from_mappings(source, name)
    message = (
        f"{kind_of(source)} is not a table. Give a path to a CSV, Excel or Parquet file, a table of "
        "pyarrow, polars, pandas or duckdb, or a list of dicts."
    )
    raise InputError([Fault("source-type", message, name)])


def read_workbook(
    path: Path, *, name: str | None = None, sheet: str | None = None
) -> tuple[Table, tuple[str, ...]]:
    """A sheet of an Excel file (None: the first visible one), and the names of the sheets, the one that was read first.

    Raises:
        InputError: with every fault of the table's shape; there is no such sheet.
        MissingExtraError: openpyxl is not installed.
    """
    from klero._tables_excel import read_sheet

    name = name or path.name
    data = _file_bytes(path, name, path.suffix.lower())
    if not data:
        raise InputError([_empty(name)])
    records, sheets = read_sheet(data, name, sheet)
    return _from_records(records, name), sheets


def table_or_faults(source: TableSource, called: str, faults: list[Fault]) -> Table | None:
    """As `read_table`; what is wrong with the table is added to `faults`, and None returned."""
    try:
        return read_table(source, called=called)
    except InputError as error:
        faults += error.faults
        return None


def error_cell_faults(table: Table, columns: Iterable[str]) -> list[Fault]:
    """One fault for each of these columns in which formulas failed («#N/A»); columns that are not there are passed over.

    Only columns that are used are asked about: a failed formula in a remark harms nobody.
    """
    faults = []
    for name in dict.fromkeys(columns):
        column = table.column(name) if name in table.columns else ()
        rows = [row for text, row in zip(column, table.row_numbers, strict=False) if text in ERROR_CELLS]
        if rows:
            value = column[table.row_numbers.index(rows[0])]
            faults.append(Fault("cell-error", error_cell(value, len(rows)), table.name, rows[0], name, value))
    return faults


def error_cell(value: str, people: int = 1) -> str:
    """What is wrong with a cell that holds the error of a formula."""
    also = f" (and {people - 1} more in this column)" if people > 1 else ""
    return f"the cell holds {quoted(value)}{also}: a formula of the spreadsheet failed. Correct it there and save the table again."


def _read_file(path: Path, name: str | None) -> Table:
    name = name or path.name or str(path)
    suffix = path.suffix.lower()
    data = _file_bytes(path, name, suffix)
    if suffix == ".parquet":
        return _from_columns(read_parquet(data, name), name)
    if not data:
        raise InputError([_empty(name)])
    if is_json(path):
        return _from_mappings(read_json(data, name, lines=has_lines(path)), name)
    if suffix in {".xlsx", ".xlsm"}:
        from klero._tables_excel import read_excel

        return _from_records(read_excel(data, name), name)
    return _from_records(read_csv(data, name), name)


def _file_bytes(path: Path, name: str, suffix: str) -> bytes:
    try:
        if path.is_dir():
            raise InputError(
                [Fault("file-is-directory", f"{path} is a folder. Give the file inside it.", name)]
            )
        if path.exists() and suffix not in _SUFFIXES and not is_json(path):
            message = (
                f"files of type {suffix} can't be read. Save the table as .xlsx or CSV and give that file."
            )
            raise InputError([Fault("file-type", message, name)])
        return path.read_bytes()
    except FileNotFoundError:
        fault = Fault("file-missing", f"there is no file {path}. Check the name and the folder.", name)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or str(error)
        fault = Fault("file-unreadable", f"{path} can't be opened ({reason}). Check who may read it.", name)
    raise InputError([fault])


def _empty(name: str) -> Fault:
    message = "the table is empty. Its first row must hold the names of the columns."
    return Fault("table-empty", message, name)


def _no_rows(name: str) -> Fault:
    return Fault(
        "table-no-rows", "the table has a header and no rows below it. Was the right file saved?", name
    )


def _from_records(records: list[Record], name: str) -> Table:
    """A table from the rows of a text file or a sheet, the first of which is the header."""
    if not records:
        raise InputError([_empty(name)])
    header_row = records[0][0]
    header = [clean(cell) for cell in records[0][1]]
    while (
        header
        and not header[-1]
        and all(len(r) < len(header) or not r[len(header) - 1].strip() for _, r in records)
    ):
        header.pop()
    body = records[1:]
    if title := title_above(records):
        raise InputError([Fault("column-unnamed", title, name, row=header_row)])
    faults = [] if body else [_no_rows(name)]
    width = len(header)
    rows: list[list[str]] = []
    for number, cells in body:
        if len(cells) != width and (len(cells) < width or any(map(str.strip, cells[width:]))):
            faults.append(_ragged(name, number, len(cells), width))
        else:
            rows.append(cells[:width])
    data = [tuple(cleaned(column)) for column in zip(*rows, strict=True)] if rows else [() for _ in header]
    return _checked(name, header, data, [number for number, _ in body], header_row, faults)


def _ragged(name: str, row: int, cells: int, width: int) -> Fault:
    message = f"this row has {cells} cells and the header has {width}, so it is unclear which cell is which. "
    if cells > width:
        message += "A cell that holds a separator needs quotes around it."
    else:
        message += "Add the separators that are missing, or the part of the row that was cut off."
    return Fault("row-ragged", message, name, row=row)


def _from_columns(columns: Columns, name: str) -> Table:
    if not columns:
        raise InputError([_empty(name)])
    header = [clean(column) for column, _ in columns]
    faults: list[Fault] = []
    data = [_texts(name, label, values, faults) for label, (_, values) in zip(header, columns, strict=True)]
    filled = [i for i, row in enumerate(zip(*data, strict=True)) if any(row)]
    if not filled and not faults:
        faults.append(_no_rows(name))
    if len(filled) < len(data[0]):
        data = [tuple(column[i] for i in filled) for column in data]
    return _checked(name, header, data, [i + 1 for i in filled], None, faults)


def _texts(name: str, label: str, values: Iterable[object], faults: list[Fault]) -> tuple[str, ...]:
    texts: list[str] = []
    for row, value in enumerate(values, start=1):
        text = cell_text(value)
        if text is None:
            what = (
                f"{kind_of(value)} is not text, a number that can be written out, a date or a truth value. Convert it to "
                "text first."
            )
            faults.append(Fault("cell-type", what, name, row, label, type(value).__name__))
        elif not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
            what = "half a character (a lone surrogate) can't be written to any file. Correct the text."
            faults.append(Fault("encoding-unreadable", what, name, row, label, ascii(text)))
            text = None
        texts.append(text or "")
    return tuple(cleaned(texts))


def _from_mappings(rows: Sequence[object], name: str) -> Table:
    if not rows:
        raise InputError([_empty(name)])
    columns: dict[str, list[object]] = {}
    faults: list[Fault] = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            message = f"a list of tables' rows must hold mappings such as dicts, not {kind_of(row)}."
            raise InputError([Fault("source-type", message, name, row=number)])
        columns.update({str(key): [] for key in row if str(key) not in columns})
    for number, row in enumerate(rows, start=1):
        known = {str(key): value for key, value in row.items()} if isinstance(row, Mapping) else {}
        for label, values in columns.items():
            if label not in known:
                message = (
                    "this row lacks a column that other rows have. Add it, with None where nothing is known."
                )
                faults.append(Fault("row-ragged", message, name, number, label))
            values.append(known.get(label))
    try:
        table = _from_columns(list(columns.items()), name)
    except InputError as error:
        faults += error.faults
    if faults:
        raise InputError(faults)
    return table


def _checked(
    name: str,
    header: list[str],
    data: Sequence[tuple[str, ...]],
    row_numbers: list[int],
    header_row: int | None,
    faults: list[Fault],
) -> Table:
    """The table, or every fault of its shape: those found before and those of its header."""
    places: dict[str, list[int]] = {}
    for position, label in enumerate(header, start=1):
        if label:
            places.setdefault(label, []).append(position)
        elif any(data[position - 1]):
            message = (
                f"column {position} holds data and has no name, so nobody can say what it means. Name it or "
                "delete it."
            )
            faults.append(Fault("column-unnamed", message, name, row=header_row))
    for label, count in Counter(filter(None, header)).items():
        if count > 1:
            where = " and ".join(map(str, places[label]))
            message = f"columns {where} have the same name. Rename or delete all but one of them."
            faults.append(Fault("column-duplicate", message, name, header_row, label))
    if faults:
        raise InputError(sorted(faults, key=lambda fault: (fault.row is not None, fault.row or 0)))
    kept = [i for i, label in enumerate(header) if label]
    return Table(name, tuple(header[i] for i in kept), tuple(data[i] for i in kept), tuple(row_numbers))
