"""Which files say what group each contribution is in, and what the groups are?

`contributions.csv` (or `.parquet`) has a row for every contribution in the order of the source, those without a word among them: `id`, `theme` (the
name of its group: T1, W1, L1; empty without a word), `kind` (theme, weak_signal, lone_voice, empty), `size` of the group, `fit` (the cosine to the
group's middle), and the name of its group at each level, `level_1` being the coarsest. No texts and no authors: it can be joined to the source by
`id`, and passed on. `themes.csv` has a line for each group. `themes.json` says what was done, so that it can be done again.

The same result gives the same bytes: no file holds a date, a path or a duration.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from klero._files import csv_bytes
from klero._page_words import decimal
from klero.themes.names import KINDS, cluster_names
from klero.themes.report_facts import Facts
from klero.voices.table_output import Digested, write_rows

if TYPE_CHECKING:
    from klero.themes.partition import Partition

__all__ = ["FILES", "SCHEMA", "contributions_table", "is_ours", "json_bytes", "table_writer", "themes_csv"]

SCHEMA = "klero-themes-result/1"
FILES = ("contributions.csv", "contributions.parquet", "themes.csv", "themes.json", "report.html")


def is_ours(folder: Path) -> bool:
    """Whether a folder holds nothing but what `klero themes` writes, so that it can be replaced."""
    names = {entry.name for entry in folder.iterdir() if entry.is_file() and not entry.is_symlink()}
    if (
        names != {entry.name for entry in folder.iterdir()}
        or not names <= set(FILES)
        or "themes.json" not in names
    ):
        return False
    try:
        document = json.loads((folder / "themes.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and str(document.get("schema", "")).startswith("klero-themes-result/")


def contributions_table(
    ids: pa.ChunkedArray, kept: npt.NDArray[np.int64], partition: Partition, levels: Sequence[Partition]
) -> pa.Table:
    """A row for every contribution. `kept`: the rows of those that were grouped, which the partitions are of."""
    rows = len(ids)
    names = np.array(cluster_names(partition.kinds), object)
    kinds = np.array(KINDS, object)[partition.kinds] if len(names) else np.zeros(0, object)
    labels = partition.labels
    columns: dict[str, pa.Array | pa.ChunkedArray] = {
        "id": ids,
        "theme": pa.array(_spread(names[labels], kept, rows, None), pa.string()),
        "kind": pa.array(_spread(kinds[labels], kept, rows, "empty"), pa.string()),
        "size": pa.array(_spread(partition.sizes[labels], kept, rows, 0), pa.int64()),
        "fit": pa.array(_spread(partition.fit.astype(object), kept, rows, None), pa.float32()),
    }
    for number, level in enumerate(levels, start=1):
        own = np.array(cluster_names(level.kinds), object)
        columns[f"level_{number}"] = pa.array(_spread(own[level.labels], kept, rows, None), pa.string())
    return pa.table(columns)


def _spread(
    values: npt.NDArray[np.generic], kept: npt.NDArray[np.int64], rows: int, rest: object
) -> npt.NDArray[np.object_]:
    """The values at the places of those that were grouped, and `rest` at the others."""
    found = np.full(rows, rest, object)
    found[kept] = values
    return found


def themes_csv(facts: Facts) -> bytes:
    """A line for each group: themes by size, then weak signals, then lone voices. It opens in a spreadsheet."""
    headings = ["theme", "kind", "contributions", "accounts", "without_author", "keywords", "medoid"]
    headings += ["fit", "returned", "resamples", "first", "last"]
    rows = [
        [
            line.name,
            KINDS[line.kind],
            line.size,
            "" if line.accounts is None else line.accounts.different,
            "" if line.accounts is None else line.accounts.unnamed,
            ", ".join(line.keywords),
            line.medoid,
            decimal(max(line.fit, 0.0), "en"),
            *(line.stability or ("", "")),
            line.first,
            line.last,
        ]
        for line in facts.lines
    ]
    return csv_bytes(headings, rows, spreadsheet=True)


def json_bytes(record: Mapping[str, object]) -> bytes:
    """A record as it is written to `themes.json`."""
    return (json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


def table_writer(table: pa.Table, suffix: str, told: Callable[[str], None]) -> Callable[[BinaryIO], None]:
    """Writes a table in the form that the suffix names, and tells the SHA-256 of its bytes."""

    def write(stream: BinaryIO) -> None:
        digested = Digested(stream)
        write_rows(digested, suffix, table.schema, table.to_batches())  # type: ignore[arg-type]
        told(digested.sha256.hexdigest())

    return write
