"""Ids keep the type that the table gives them, so that results can be put beside it again."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contribution_cases import codes, faults_of
from klero.voices.contributions import Contributions, open_contributions
from klero.voices.near_duplicates import near_duplicates
from klero.voices.streaming import near_duplicates_file
from klero.voices.table_output import write_rows

TEXTS = ["Un tramway pour le nord.", "Un tramway pour le nord !", "Oui"]


@pytest.mark.parametrize("kind", [pa.int8(), pa.int32(), pa.int64(), pa.uint16()])
def test_whole_numbers_stay_whole_numbers(kind: pa.DataType, tmp_path: Path) -> None:
    table = pa.table({"id": pa.array([9, 10, 7], kind), "text": TEXTS})
    path = tmp_path / "a.parquet"
    pq.write_table(table, path)
    for source in (table, path):
        read = Contributions.read(source)
        assert read.ids.type == pa.int64()
        assert read.ids.to_pylist() == [9, 10, 7]
    (batch,) = open_contributions(path).batches()
    assert batch.column("id").type == pa.int64()
    result = near_duplicates(Contributions.read(path)).to_arrow()
    assert result.column("group").to_pylist() == [9, 9, None]
    streamed = near_duplicates_file(path, memory="1GB")
    assert streamed.schema == result.schema
    for suffix in (".parquet", ".csv", ".jsonl"):
        one, other = BytesIO(), BytesIO()
        write_rows(one, suffix, result.schema, result.to_batches())
        write_rows(other, suffix, streamed.schema, streamed.batches())
        assert one.getvalue() == other.getvalue()
    joined = table.cast(pa.schema([("id", pa.int64()), ("text", pa.string())])).join(result, "id")

    assert sorted(joined.column("size").to_pylist()) == [1, 2, 2]


@pytest.mark.parametrize(
    "ids",
    [
        pa.array(["007", "8", "9"]),
        pa.array(["7", "8", "9"]).dictionary_encode(),
        pa.array([7, 8, 2**64 - 1], pa.uint64()),
        pa.array([7.0, 8.0, 9.0]),
    ],
)
def test_other_ids_stay_text(ids: pa.Array) -> None:
    read = Contributions.read(pa.table({"id": ids, "text": TEXTS}))
    assert read.ids.type == pa.large_string()
    assert read.ids.to_pylist()[0] in ("007", "7")


def test_ids_of_two_columns_of_whole_numbers(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([None, 2, 3], pa.int64()), "b": [1, 5, 6], "text": TEXTS})
    assert Contributions.read(table, id="a|b").ids.to_pylist() == [1, 2, 3]
    assert Contributions.read(table, id="b+a").ids.to_pylist() == ["1", "5-2", "6-3"]


def test_whole_numbers_that_are_missing_or_there_twice_are_told() -> None:
    table = pa.table({"id": pa.array([1, None, 1], pa.int64()), "text": TEXTS})
    assert codes(faults_of(lambda: Contributions.read(table))) == [("id-empty", 2), ("id-duplicate", 3)]
