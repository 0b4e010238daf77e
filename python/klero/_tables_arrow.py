"""Which columns does this Arrow table hold, whoever made it?

pyarrow, polars, pandas and duckdb send different types for the same text (plain, large, view, dictionary) and
for the same numbers. All go through Python's own values and :func:`klero._tables_cells.cell_text`; a pool has
thousands of rows, not millions, and one way for all types is worth more here than speed.

pyarrow is imported only when it is needed, since that takes longer than reading a CSV file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from klero.errors import Fault, InputError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ArrowStream", "Columns", "read_arrow", "read_parquet"]

Columns = list[tuple[str, list[object]]]
"""Names and values. A list and not a dict: a name that comes twice has to be reported."""

# pandas writes its row labels as a column of this name when rows were filtered or sorted. They are no data.
_PANDAS_LABELS = re.compile(r"__index_level_\d+__")


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that exports an Arrow stream: pyarrow, polars, pandas ≥ 2.2, duckdb and others."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The capsule of the Arrow PyCapsule interface."""


def read_arrow(source: ArrowStream, name: str) -> Columns:
    """The columns of an Arrow stream.

    Raises:
        InputError: the stream is no table, or can't be exported (a pandas column of mixed types).
    """
    import pyarrow as pa

    try:
        table = pa.RecordBatchReader.from_stream(source).read_all()
        return _columns(table)
    except (pa.ArrowException, TypeError, ValueError) as error:
        message = (
            f"this {type(source).__name__} can't be read as an Arrow table ({error}). Give a table whose "
            "columns each have one type: text, numbers, dates or truth values."
        )
        raise InputError([Fault("source-type", message, name)]) from error


def read_parquet(data: bytes, name: str) -> Columns:
    """The columns of a Parquet file.

    Raises:
        InputError: the file can't be opened.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return _columns(pq.ParquetFile(pa.BufferReader(data)).read())
    except (pa.ArrowException, OSError, ValueError) as error:
        message = f"this is not a Parquet file that can be opened ({error}). Export it again."
        raise InputError([Fault("file-corrupt", message, name)]) from error


def _columns(table: pa.Table) -> Columns:
    import pyarrow as pa

    columns: Columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        if _PANDAS_LABELS.fullmatch(field.name):
            continue
        kind = field.type
        # Nanoseconds have no Python value; a date of birth or a time of registration needs none.
        if pa.types.is_timestamp(kind):
            column = column.cast(pa.timestamp("us", kind.tz), safe=False)
        elif pa.types.is_time64(kind):
            column = column.cast(pa.time64("us"), safe=False)
        elif pa.types.is_duration(kind):
            column = column.cast(pa.duration("us"), safe=False)
        columns.append((field.name, column.to_pylist()))
    return columns
