"""Which rows does this sheet of an Excel file hold?

A workbook has types where a CSV file has text; :func:`klero._tables_cells.cell_text` turns them into text in
one way for all sources. Formulas count with the value that Excel stored last. Without a name the first sheet that
is not hidden is read.
"""

from __future__ import annotations

import io
import warnings
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from klero._tables_cells import cell_text
from klero._tables_csv import Record
from klero.errors import Fault, InputError, MissingExtraError, quoted

__all__ = ["read_excel", "read_sheet"]

# What openpyxl lets through when a workbook is cut off, locked with a password, or no workbook at all.
_CORRUPT = (
    BadZipFile,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    EOFError,
    OSError,
)


def read_excel(data: bytes, name: str) -> list[Record]:
    """The rows of the first visible sheet; see `read_sheet`."""
    return read_sheet(data, name)[0]


def read_sheet(data: bytes, name: str, wanted: str | None = None) -> tuple[list[Record], tuple[str, ...]]:
    """The rows of a sheet, blank rows left out, all as wide as the widest; and the visible sheets' names, the one that was read first.

    Args:
        data: of the file.
        name: what messages call it.
        wanted: the name of the sheet, which may be a hidden one; None: the first visible one.

    Raises:
        MissingExtraError: openpyxl is not installed.
        InputError: the file can't be opened, or has no such sheet.
    """
    try:
        from openpyxl import load_workbook
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError:
        raise MissingExtraError("excel", f"read the Excel file {name}") from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl warns of styles and drop-downs, which hold no data
        try:
            workbook = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            every = workbook.worksheets
            visible = [s for s in every if s.sheet_state == "visible"] or every[:1]
            sheet = visible[0] if wanted is None else next((s for s in every if s.title == wanted), None)
            if sheet is not None:
                sheet.reset_dimensions()  # some writers state them wrongly, and rows would be lost
            rows = [] if sheet is None else list(sheet.iter_rows(values_only=True))
            names = [s.title for s in visible]
        except (InvalidFileException, *_CORRUPT):
            message = (
                "this is not an Excel workbook that can be opened: it may be cut off, locked with a "
                "password, or another kind of file under this name. Open it in Excel and save it again as "
                ".xlsx without a password."
            )
            raise InputError([Fault("file-corrupt", message, name)]) from None
    if sheet is None:
        message = f"there is no sheet {quoted(str(wanted))}. The file has {', '.join(map(quoted, names))}. Give one of them."
        raise InputError([Fault("option-unknown", message, name, value=str(wanted))])
    texts = [[cell_text(cell) or "" for cell in row] for row in rows]
    width = max((_last_filled(row) for row in texts), default=0)
    records = [
        (number, row[:width] + [""] * (width - len(row)))
        for number, row in enumerate(texts, start=1)
        if _last_filled(row)
    ]
    return records, (sheet.title, *(one for one in names if one != sheet.title))


def _last_filled(row: list[str]) -> int:
    return max((i for i, cell in enumerate(row, start=1) if cell.strip()), default=0)
