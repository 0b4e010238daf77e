"""Contributions: every type of Arrow is read as what it says, in slices and in many batches; what is out of range is counted."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from contribution_cases import codes, faults_of
from klero.errors import Fault
from klero.voices.contributions import ROWS, Contributions, _open
from klero.voices.exports import chosen
from klero.voices.fields import time_of
from klero.voices.ids import read_ids
from klero.voices.rows import Settings, Worker

TYPES = [
    *(pa.string(), pa.large_string(), pa.string_view()),
    *(pa.binary(), pa.large_binary(), pa.binary_view()),
]


def column(texts: list[str | None], kind: pa.DataType, coded: bool) -> pa.Array:
    binary = pa.array([None if text is None else text.encode() for text in texts], pa.binary())
    plain = binary if "binary" in str(kind) else pa.array(texts, pa.string())
    if not coded:
        return plain.cast(kind)
    known = plain.dictionary_encode()
    return pa.DictionaryArray.from_arrays(known.indices, known.dictionary.cast(kind))


@pytest.mark.parametrize("coded", [False, True], ids=["plain", "dictionary"])
@pytest.mark.parametrize("kind", TYPES, ids=map(str, TYPES))
def test_slices_and_long_columns_keep_each_text_at_its_id(kind: pa.DataType, coded: bool) -> None:
    texts: list[str | None] = [f"texte {i}" if i % 7 else None for i in range(ROWS + 5000)]
    ids = pa.array([f"n{i}" for i in range(len(texts))])
    cells = column(texts, kind, coded)
    wanted = [text or "" for text in texts]
    read = Contributions.read(pa.table({"id": ids, "text": cells}))
    assert read.texts.to_pylist() == wanted
    assert read.ids.to_pylist() == ids.to_pylist()
    for first, length in ((1, 9), (3, 1), (ROWS - 2, 4), (len(texts) - 1, 1)):
        part = pa.table({"id": ids.slice(first, length), "text": cells.slice(first, length)})
        read = Contributions.read(part)
        assert read.texts.to_pylist() == wanted[first : first + length]
        assert read.ids.to_pylist() == [f"n{i}" for i in range(first, first + length)]
    chunks = pa.chunked_array([cells.slice(at, 7001) for at in range(0, len(texts), 7001)])
    source = _open(pa.table({"id": ids, "text": chunks}), None)
    columns = chosen(list(source.columns), "t", {}, None)
    worker = Worker(source, columns, Settings(True, None, False, False, "en"))
    parts = list(worker.batches(1000))
    assert [text for part in parts for text in part.column("text").to_pylist()] == wanted


def test_categories_of_polars_and_enums_of_duckdb_are_read_in_every_role() -> None:
    for kind in (pl.Categorical, pl.Enum(["a b", "c"])):
        words = pl.Series(["a b", "c"], dtype=kind)
        frame = pl.DataFrame({"id": words, "text": words, "author": words, "question": words, "kept": words})
        read = Contributions.read(frame, metadata=["kept"])
        for name in read.table.column_names:
            assert read.table.column(name).to_pylist() == ["a b", "c"]
    found = duckdb.sql("select 1 as id, 'a b' as text, 'x'::enum('x', 'y') as question")
    assert Contributions.read(found).table.column("question").to_pylist() == ["x"]


MOMENTS = [
    *((pa.timestamp(unit), far) for unit, far in (("s", 2**50), ("ms", 2**62), ("us", 2**62))),
    (pa.timestamp("s", "Europe/Paris"), -(2**50)),
    (pa.timestamp("ns"), -(2**62)),
    (pa.date32(), 2**30),
    (pa.date64(), 2**50),
]


@pytest.mark.parametrize(("kind", "far"), MOMENTS, ids=[str(kind) for kind, _ in MOMENTS])
def test_moments_out_of_range_are_null_and_counted(kind: pa.DataType, far: int, tmp_path: Path) -> None:
    stored = pa.int32() if kind == pa.date32() else pa.int64()
    times = pa.array([far, None, 0], stored).view(kind)
    table = pa.table({"id": [1, 2, 3], "text": ["a b", "c d", "e f"], "time": times})
    pq.write_table(table, tmp_path / "a.parquet")
    for source in (table, tmp_path / "a.parquet"):
        read = Contributions.read(source)
        assert read.table.column("time").to_pylist() == [None] * 3
        assert read.counts.times == 2
        assert ("time", 1) in [one[:2] for one in read.counts.unread]


def test_typed_times_follow_the_rule_of_written_ones() -> None:
    written = [
        "1823-05-01",
        "1970-01-01",
        "1970-01-02",
        "1999-12-31",
        "2199-12-31",
        "2200-01-01",
        "2300-06-01",
    ]
    wanted = [time_of(text) for text in written]
    assert wanted.count(None) == 4
    days = [dt.date.fromisoformat(text) for text in written]
    for kind in (pa.date32(), pa.date64(), *map(pa.timestamp, ("s", "ms", "us")), pa.timestamp("us", "UTC")):
        times = pa.array(days, pa.date32()).cast(kind)
        read = Contributions.read(pa.table({"text": ["mot"] * len(days), "time": times}))
        assert read.table.column("time").to_pylist() == wanted
        assert read.counts.times == 4
        sliced = Contributions.read(pa.table({"text": ["mot"] * 3, "time": times.slice(2, 3)}))
        assert sliced.table.column("time").to_pylist() == wanted[2:5]


def test_a_zone_that_nobody_knows_does_not_matter_to_the_moment() -> None:
    times = pa.array([10**15, None], pa.timestamp("us", "Nowhere/X"))
    read = Contributions.read(pa.table({"text": ["a", "b"], "time": times}))
    assert read.table.column("time").to_pylist() == [dt.datetime(2001, 9, 9, 1, 46, 40, tzinfo=dt.UTC), None]
    assert read.counts.times == 0


@pytest.mark.parametrize(
    "kept",
    [
        pa.array([0, 2**30], pa.date32()),
        pa.array([0, 2**62], pa.timestamp("us")),
        pa.array([0, 2**62], pa.timestamp("s")),
        pa.array([None, 5], pa.timestamp("us", "Nowhere/X")),
        pa.array([0, 2**62], pa.duration("s")),
    ],
    ids=lambda kept: str(kept.type),
)
def test_values_that_can_not_be_written_out_are_named(kept: pa.Array) -> None:
    table = pa.table({"text": ["a", "b"], "kept": kept, "other": kept})
    assert len(Contributions.read(table)) == 2
    (fault,) = faults_of(lambda: Contributions.read(table, metadata=["kept"]))
    assert (fault.code, fault.row, fault.column) == ("cell-type", 2, "kept")
    assert codes(faults_of(lambda: Contributions.read(table.select(["kept"])))) == [
        ("text-column-missing", None)
    ]


def test_dates_with_nanoseconds_can_be_kept() -> None:
    table = pa.table(
        {
            "text": ["a"],
            "t": pa.array([1_000_000_000], pa.timestamp("ns", "UTC")),
            "d": pa.array([1000], pa.duration("ns")),
            "c": pa.array([1000], pa.time64("ns")),
        }
    )
    read = Contributions.read(table, metadata=["t", "d", "c"])
    assert read.table.select(["t", "d", "c"]).to_pylist() == [
        {"t": "1970-01-01 00:00:01+00:00", "d": "0:00:00.000001", "c": "00:00:00.000001"}
    ]


def test_a_time_that_is_kept_as_well_is_read_as_both() -> None:
    table = pa.table({"text": ["a"], "when": pa.array([18262], pa.date32())})
    read = Contributions.read(table, time="when", metadata=["when"])
    assert read.table.column("time").to_pylist() == [dt.datetime(2020, 1, 1, tzinfo=dt.UTC)]
    assert read.table.column("when").to_pylist() == ["2020-01-01"]


def test_votes_that_do_not_fit_are_null_and_counted() -> None:
    most = 2**63 - 1
    table = pa.table(
        {
            "text": ["a", "b", "c", "d", "e"],
            "x": pa.array([2**62, most, most, None, 2**62]),
            "y": pa.array([2**62, 0, 1, most, 2**62 - 1]),
            "z": pa.array([5, 0, 7, None, None]),
        }
    )
    read = Contributions.read(table, votes="x+y+z")
    assert read.table.column("votes").to_pylist() == [None, most, None, most, most]
    assert read.counts.votes == 2
    assert read.counts.unread[0] == ("votes", 1, f"{2**62} + {2**62} + 5")
    assert Contributions.read(table, votes="x+y|z").table.column("votes").to_pylist() == [
        5,
        most,
        7,
        most,
        most,
    ]


def test_ids_in_chunks_are_widened_before_they_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # beyond 2 GB, 32-bit offsets end; that no narrow chunks are ever joined can be seen without so many
    joined: list[pa.Array] = []
    whole = pa.concat_arrays

    def noted(arrays: list[pa.Array]) -> pa.Array:
        joined.extend(arrays)
        return whole(arrays)

    monkeypatch.setattr(pa, "concat_arrays", noted)
    for kind in (pa.string(), pa.string_view(), pa.large_string()):
        joined.clear()
        faults: list[Fault] = []
        found = read_ids(pa.chunked_array([pa.array(["a"], kind), pa.array(["b"], kind)]), 2, "ids", faults)
        assert found is not None
        assert found.values.to_pylist() == ["a", "b"]
        assert {array.type for array in joined} == {pa.large_string()}
