"""Which rows does the first visible sheet of this Excel file hold?

A workbook has types where a CSV file has text; :func:`klero._tables_cells.cell_text` turns them into text in
one way for all sources. Formulas count with the value that Excel stored last. Hidden sheets and all sheets
but the first visible one are not read.
"""

from __future__ import annotations

import io
import warnings
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

from klero._tables_cells import cell_text
from klero._tables_csv import Record
from klero.errors import Fault, InputError, MissingExtraError

__all__ = ["read_excel"]

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
    """The rows of the first visible sheet, blank rows left out, all as wide as the widest.

    Raises:
        MissingExtraError: openpyxl is not installed.
        InputError: the file can't be opened.
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
            sheet = next(
                (s for s in workbook.worksheets if s.sheet_state == "visible"), workbook.worksheets[0]
            )
            sheet.reset_dimensions()  # some writers state them wrongly, and rows would be lost
            rows = list(sheet.iter_rows(values_only=True))
        except (InvalidFileException, *_CORRUPT):
            message = (
                "this is not an Excel workbook that can be opened: it may be cut off, locked with a "
                "password, or another kind of file under this name. Open it in Excel and save it again as "
                ".xlsx without a password."
            )
            raise InputError([Fault("file-corrupt", message, name)]) from None
    texts = [[cell_text(cell) or "" for cell in row] for row in rows]
    width = max((_last_filled(row) for row in texts), default=0)
    return [
        (number, row[:width] + [""] * (width - len(row)))
        for number, row in enumerate(texts, start=1)
        if _last_filled(row)
    ]


def _last_filled(row: list[str]) -> int:
    return max((i for i, cell in enumerate(row, start=1) if cell.strip()), default=0)
