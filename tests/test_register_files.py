"""A register is the same in every type of file, encoding, order of columns and type of cell."""

from __future__ import annotations

import csv
import random
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import klero
from register_cases import people, table


def test_csv_and_parquet_in_any_cut_give_the_same_people(tmp_path: Path) -> None:
    rows = people(300, random.Random(5), 3, True, 0)
    whole = table(rows, True)
    pq.write_table(whole, tmp_path / "all.parquet", row_group_size=50)
    with (tmp_path / "all.csv").open("w", encoding="cp1252", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow(whole.column_names)
        writer.writerows(zip(*whole.to_pydict().values(), strict=True))
    for i in range(3):
        pq.write_table(whole.slice(100 * i, 100), tmp_path / f"cut-{i}.parquet")
    options = {"size": 20, "trial_seed": "t", "strata": ["s0", "s1"], "weight": "w"}
    results = [
        klero.invite(tmp_path / "all.parquet", **options),  # type: ignore[arg-type]
        klero.invite(tmp_path / "all.csv", **options),  # type: ignore[arg-type]
        klero.invite(str(tmp_path / "cut-*.parquet"), **options),  # type: ignore[arg-type]
    ]
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("head", ["", "sep=;\n"])
def test_csv_of_every_encoding_is_the_same_register(tmp_path: Path, encoding: str, head: str) -> None:
    expected = klero.invite(
        pa.table({"id": ["é1", "é2", "b\nc"[:1], "7"], "área": ["x", "y", "x", "y"]}),
        size=2,
        trial_seed="t",
        strata=["área"],
    )
    text = head + 'w;"área";id\n1;x;é1\n2;y;"é2"\n3; x;b\n\n4;y;7\n'
    (tmp_path / "r.csv").write_bytes(text.encode(encoding))
    assert klero.invite(tmp_path / "r.csv", size=2, trial_seed="t", strata=["área"]) == expected


def test_columns_are_found_by_name_whatever_their_order(tmp_path: Path) -> None:
    columns = {"id": ["a", "b", "c", "d"], "s": ["x", "y", "x", "y"], "w": [1, 2, 3, 4]}
    options = {"size": 2, "trial_seed": "t", "strata": ["s"], "weight": "w"}
    expected = klero.invite(pa.table(columns), **options)  # type: ignore[arg-type]
    for names in (["w", "s", "id"], ["s", "id", "w"]):
        pq.write_table(pa.table(columns).select(names), tmp_path / "r.parquet")
        assert klero.invite(tmp_path / "r.parquet", **options) == expected  # type: ignore[arg-type]


def test_dates_and_numbers_are_strata_as_tables_show_them() -> None:
    import datetime as dt

    day = dt.datetime(2001, 2, 3)  # noqa: DTZ001 - a date of birth has no zone
    register = pa.table(
        {"id": [1, 2, 3], "d": pa.array([day, day, None], pa.timestamp("us")), "n": [1.0, 1.0, 2.5]}
    )
    drawn = klero.invite(register, size=1, trial_seed="t", strata=["d", "n"])
    assert [row.label for row in drawn.table] == [("", "2.5"), ("2001-02-03", "1")]


def test_integers_and_texts_of_the_same_digits_are_the_same_ids() -> None:
    numbers = klero.invite(pa.table({"id": list(range(50))}), size=5, trial_seed="t")
    for kind in (
        pa.string(),
        pa.large_string(),
        pa.int16(),
        pa.uint64(),
        pa.dictionary(pa.int32(), pa.string()),
    ):
        column = (
            pa.array(list(range(50))).cast(pa.string() if pa.types.is_dictionary(kind) else kind).cast(kind)
        )
        assert klero.invite(pa.table({"id": column}), size=5, trial_seed="t") == numbers


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["0,500", "1,5", "2.000", "1e1"]),
        pa.array(["0,5", "1.50", "2", "1e1"]),
        pa.array([0.5, 1.5, 2.0, 10.0]),
        pa.array(["0.5", "1.5", "2", "10"]).cast(pa.decimal128(10, 3)),
    ],
)
def test_weights_are_the_same_numbers_in_every_type(column: pa.Array) -> None:
    register = pa.table({"id": ["a", "b", "c", "d"], "w": column})
    drawn = klero.invite(register, size=1, trial_seed="t", weight="w")
    assert drawn.table[0].weight == 14
    assert drawn.table[0].factor == Fraction(1, 14)


def test_the_column_of_ids_is_named_as_in_a_pool() -> None:
    register = pa.table({"id": [1, 2, 3], "number": ["n1", "n2", "n3"]})
    drawn = klero.invite(register, size=3, trial_seed="t", id="number")
    assert (drawn.ids, drawn.id_column) == (("n1", "n2", "n3"), "number")
    assert klero.Pool.read(register, id="number").ids == drawn.ids
