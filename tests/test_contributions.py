"""Contributions: no row disappears, the same table reads the same from everywhere, and what can't be read is named."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import openpyxl
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import klero._tables_batches as batches
from contribution_cases import ROWS, WANTED, codes, faults_of, tuples, write_csv
from klero.errors import InputError
from klero.tables import read_table
from klero.voices.cleaning import clean_text, has_words
from klero.voices.contributions import Contributions, open_contributions

# --- the same from everywhere


def forms(folder: Path) -> Iterator[object]:
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
        for separator in (",", ";", "\t"):
            yield write_csv(folder / f"{encoding}{ord(separator)}.csv", ROWS, encoding, separator)
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in [list(ROWS[0]), *(list(row.values()) for row in ROWS)]:
        book.active.append(line)
    book.save(folder / "a.xlsx")
    yield folder / "a.xlsx"
    table = pa.Table.from_pylist(ROWS)
    pq.write_table(table, folder / "a.parquet")
    yield folder / "a.parquet"
    lines = "".join(
        json.dumps({k: v for k, v in row.items() if v is not None}, ensure_ascii=False) + "\n" for row in ROWS
    )
    (folder / "a.jsonl").write_text(lines, encoding="utf-8")
    yield folder / "a.jsonl"
    (folder / "a.json").write_text(json.dumps(ROWS), encoding="utf-8")
    yield folder / "a.json"
    yield from (
        table,
        pl.DataFrame(ROWS),
        pd.DataFrame(ROWS),
        duckdb.from_arrow(table),
        ROWS,
        read_table(ROWS),
    )
    yield table.set_column(5, "text", table.column("text").dictionary_encode())
    yield table.set_column(5, "text", table.column("text").cast(pa.large_binary()))
    yield table.to_reader()


def test_a_table_reads_the_same_from_every_form(tmp_path: Path) -> None:
    seen = 0
    for source in forms(tmp_path):
        assert tuples(Contributions.read(source)) == WANTED, source  # type: ignore[arg-type]
        seen += 1
    assert seen == 25


def test_contributions_are_an_arrow_stream_themselves() -> None:
    read = Contributions.read(ROWS, metadata=["created_at"])
    again = pa.table(read)
    assert again.column_names == ["id", "text", "author", "time", "stance", "votes", "created_at"]
    assert again.schema.field("text").type == pa.large_string()
    assert again.schema.field("time").type == pa.timestamp("us", "UTC")
    assert len(read) == 3
    assert "3 texts" in repr(read)


def test_typed_times_are_read_as_they_are() -> None:
    moment = dt.datetime(2020, 5, 1, 12, 30)  # noqa: DTZ001
    for column in (
        pa.array([moment], pa.timestamp("ns")),
        pa.array([moment.replace(tzinfo=dt.UTC)], pa.timestamp("ms", "Europe/Paris")),
        pa.array(["2020-05-01T12:30Z"]),
        pa.array([1588336200000]),
    ):
        read = Contributions.read(pa.table({"text": ["oui"], "time": column}))
        assert read.table.column("time").to_pylist() == [moment.replace(tzinfo=dt.UTC)]


# --- accounting


def test_every_row_is_a_contribution_another_kind_or_blank(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text,other\n1,a,\n,,\n2,,x\n\n3,  ,\n, ,\n", encoding="utf-8")
    counts = Contributions.read(path).counts
    assert (counts.rows, counts.contributions, counts.others, counts.blank, counts.empty) == (5, 3, 0, 2, 2)


def test_rows_without_ids_are_numbered_and_none_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,author\na,x\n,y\n,\nb,\n", encoding="utf-8")
    read = Contributions.read(path)
    assert read.ids.to_pylist() == [1, 2, 3, 4]
    assert read.texts.to_pylist() == ["a", "", "", "b"]
    assert Contributions.read(
        pa.table({"id": ["x", "x"], "text": ["a", None]}), mapping="id="
    ).ids.to_pylist() == [1, 2]


def test_empty_answers_are_kept_whatever_holds_them(tmp_path: Path) -> None:
    texts = ["a", "", None, "b", ""]
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in (["text"], *([text] for text in texts), ["end"]):
        book.active.append(line)
    book.save(tmp_path / "a.xlsx")
    (tmp_path / "a.json").write_text(json.dumps([{"text": text} for text in texts]), encoding="utf-8")
    assert Contributions.read([{"text": text} for text in texts]).texts.to_pylist() == ["a", "", "", "b", ""]
    assert Contributions.read(tmp_path / "a.json").texts.to_pylist() == ["a", "", "", "b", ""]
    assert Contributions.read(pa.table({"text": texts})).texts.to_pylist() == ["a", "", "", "b", ""]
    assert Contributions.read(tmp_path / "a.xlsx").texts.to_pylist() == ["a", "", "", "b", "", "end"]
    assert Contributions.read([{"text": ""}, {"text": None}]).counts.empty == 2
    assert Contributions.read([{"id": 1}, {"id": 2, "text": "b"}]).texts.to_pylist() == ["", "b"]


def test_blank_rows_of_a_sheet_are_counted_and_its_row_numbers_kept(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in (["id", "text"], [1, "a"], [None, None], [2, "b"], [2, "c"]):
        book.active.append(line)
    book.save(tmp_path / "a.xlsx")
    assert codes(faults_of(lambda: Contributions.read(tmp_path / "a.xlsx"))) == [("id-duplicate", 5)]
    counts = Contributions.read(tmp_path / "a.xlsx", id="id+text").counts
    assert (counts.rows, counts.contributions, counts.blank) == (4, 3, 1)


def test_mappings_with_cells_that_are_no_text_are_named_all_at_once() -> None:
    rows = [{"text": ["a"]}, {"text": "b\ud800"}, {"text": "c"}]
    assert codes(faults_of(lambda: Contributions.read(rows))) == [
        ("cell-type", 1),
        ("encoding-unreadable", 2),
    ]
    assert codes(faults_of(lambda: Contributions.read([]))) == [("table-empty", None)]
    assert codes(faults_of(lambda: Contributions.read(["a"]))) == [("source-type", 1)]  # type: ignore[list-item]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=1, max_size=30), st.integers(1, 7))
def test_batches_of_any_size_give_what_reading_whole_gives(texts: list[str | None], size: int) -> None:
    table = pa.table({"id": [f"n{i}" for i in range(len(texts))], "text": pa.array(texts, pa.string())})
    if not any(has_words(pa.array([clean_text(text or "")])) for text in table.column("text").to_pylist()):
        table = table.set_column(1, "text", pa.array(["mot"] * len(texts)))
    read = Contributions.read(table)
    assert read.counts.contributions == len(texts) == len(read.texts)
    wanted = [clean_text(text or "") for text in table.column("text").to_pylist()]
    assert read.texts.to_pylist() == wanted
    from klero.voices.contributions import _open
    from klero.voices.exports import chosen
    from klero.voices.rows import Settings, Worker

    source = _open(table, None)
    worker = Worker(
        source, chosen(list(source.columns), "t", {}, None), Settings(True, None, False, False, "en")
    )
    parts = list(worker.batches(size))
    assert max(part.num_rows for part in parts) <= size
    assert [text for part in parts for text in part.column("text").to_pylist()] == wanted


def test_a_file_is_read_in_batches_twice_alike(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"ref": f"r{i}", "body": f"<b>texte</b> {i}\r\nfin"} for i in range(1000)
    ]
    write_csv(tmp_path / "a.csv", rows)
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=300)
    whole = Contributions.read(tmp_path / "a.csv")
    for name in ("a.csv", "a.jsonl", "a.parquet"):
        opened = open_contributions(tmp_path / name)
        assert opened.mapping == {"layout": "", "id": "ref", "text": "body"}
        with pytest.raises(ValueError, match="nothing was read yet"):
            _ = opened.counts
        for _pass in range(2):
            parts = list(opened.batches(rows=64))
            assert max(part.num_rows for part in parts) == 64
            assert [x for part in parts for x in part.column("id").to_pylist()] == whole.ids.to_pylist()
            assert [x for part in parts for x in part.column("text").to_pylist()] == whole.texts.to_pylist()
            assert parts[0].schema == pa.schema([("id", pa.large_string()), ("text", pa.large_string())])
            assert opened.counts == whole.counts
    numbered = open_contributions(tmp_path / "a.csv", mapping={"id": None})
    assert next(numbered.batches()).column("id").to_pylist()[:2] == [1, 2]


def test_duplicate_and_missing_ids_are_all_named_with_their_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,text\n7,a\n,b\n 7 ,c\n8,d\n"x\ny",e\n8,f\n8,g\n', encoding="utf-8")
    wanted = [("id-empty", 3), ("id-control", 6), ("id-duplicate", 4)]
    faults = faults_of(lambda: Contributions.read(path))
    assert codes(faults) == wanted
    assert "2 ids are there more than once: '7' (rows 2, 4), '8' (rows 5, 7, 8)." in faults[2].message
    assert codes(faults_of(lambda: list(open_contributions(path).batches(2)))) == wanted
    assert Contributions.read(path, mapping="id=").ids.to_pylist() == [1, 2, 3, 4, 5, 6, 7]


def test_ids_of_several_columns_are_joined() -> None:
    rows = [{"ref": "a", "q": "1", "text": "x"}, {"ref": "a", "q": "2", "text": "y"}]
    assert codes(faults_of(lambda: Contributions.read(rows))) == [("id-duplicate", 2)]
    assert Contributions.read(rows, id="ref+q").ids.to_pylist() == ["a-1", "a-2"]
    assert Contributions.read(rows, id=["ref", "q"]).ids.to_pylist() == ["a-1", "a-2"]


# --- bad input


def test_a_text_column_of_numbers_is_refused_with_the_likely_ones() -> None:
    rows = [{"n": i, "remark": "je propose de planter des arbres", "day": "2020-01-01"} for i in range(3)]
    (fault,) = faults_of(lambda: Contributions.read(rows, text="n"))
    assert fault.code == "text-numeric"
    assert "--text 'remark'" in fault.message
    (fault,) = faults_of(lambda: Contributions.read(rows, text="day"))
    assert fault.code == "text-numeric"
    (fault,) = faults_of(lambda: Contributions.read(rows))
    assert fault.code == "text-column-missing"
    assert "'remark'" in fault.message


def test_two_possible_texts_are_not_guessed_between() -> None:
    (fault,) = faults_of(lambda: Contributions.read([{"texte": "a", "description": "b", "n": 1}]))
    assert fault.code == "text-column-ambiguous"
    assert "--text 'texte+description'" in fault.message
    read = Contributions.read(
        [{"texte": "a", "description": "b"}, {"texte": "", "description": "c"}], text="texte+description"
    )
    assert read.texts.to_pylist() == ["a\n\nb", "c"]


@pytest.mark.parametrize(
    ("data", "row", "message"),
    [
        (b"id,text\n1,caf\xc3\xa9\n" + b"2,x\n" * 400_000 + b"3,caf\xe9\n", 400_003, "at byte 1600021"),
        (b"id,text\n1,caf\xc3\xa9\n2,\xe9 \xc3\xa9 \xc3\xa9\n", 3, "0xE9"),
    ],
)
def test_invalid_utf8_is_named_by_row_and_offset(tmp_path: Path, data: bytes, row: int, message: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(data)
    (fault,) = faults_of(lambda: Contributions.read(path))
    assert (fault.code, fault.row) == ("encoding-unreadable", row)
    assert message in fault.message
    assert "Save it again" in fault.message


def test_invalid_utf8_in_parquet_and_jsonl_is_named_by_row(tmp_path: Path) -> None:
    wrong = pa.Array.from_buffers(
        pa.string(), 2, [None, pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0"), pa.py_buffer(b"a\xe9")]
    )
    (fault,) = faults_of(lambda: Contributions.read(pa.table({"text": wrong})))
    assert (fault.code, fault.row, fault.column) == ("encoding-unreadable", 2, "text")
    (tmp_path / "a.jsonl").write_bytes(b'{"text": "a"}\n{"text": "\xe9"}\n')
    (fault,) = faults_of(lambda: Contributions.read(tmp_path / "a.jsonl"))
    assert (fault.code, fault.row) == ("encoding-unreadable", 2)
    assert "offset 24" in fault.message


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("[1]", "no object"),
        ("{", "no JSON"),
        ('{"text": "\\ud800"}', "half a character"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_lines_that_are_no_objects_are_named(tmp_path: Path, line: str, what: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n\n' + line + "\n", encoding="utf-8")
    (fault,) = faults_of(lambda: Contributions.read(path))
    assert fault.row == 3
    assert what in fault.message


def test_quotes_that_do_not_match_never_swallow_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for text in ('id,text\n1,"abc\n2,def\n3,"x" y\n4,z\n', 'id,text\n1,a\n2,"b\n3,c\n'):
        path.write_text(text, encoding="utf-8")
        (fault,) = faults_of(lambda: Contributions.read(path))
        assert fault.code == "csv-malformed"
    path.write_text('id,text\n1,he said "oui" then\n2,"a ""b"""\n3,""\n', encoding="utf-8")
    assert Contributions.read(path).texts.to_pylist() == ['he said "oui" then', 'a "b"', ""]


@settings(max_examples=200, deadline=None)
@given(st.text('ab",\n', max_size=30), st.integers(1, 9))
def test_the_look_at_quotes_agrees_with_the_strict_reader(
    tmp_path_factory: pytest.TempPathFactory, body: str, block: int
) -> None:
    path = tmp_path_factory.mktemp("quotes") / "a.csv"
    path.write_text("id,text\n" + body, encoding="utf-8")
    source = batches.Source("a", {}, 2, path=path, csv={"encoding": "utf-8", "separator": ",", "skip": 0})
    whole, batches._BLOCK = batches._BLOCK, block
    try:
        quick = source._quotes_alternate()
    finally:
        batches._BLOCK = whole
    try:
        rows = list(filter(None, csv.reader(io.StringIO("id,text\n" + body, newline=""), strict=True)))
    except csv.Error:
        assert not quick
        with pytest.raises(InputError):
            source.check_quotes()
        return
    source.check_quotes()
    if all(len(row) == 2 for row in rows):  # and then pyarrow puts no row into another's cell
        opened = batches.open_path(path, ".csv", "a table")
        read = [tuple(row.values()) for batch in opened.batches(["id", "text"]) for row in batch.to_pylist()]
        assert read == [tuple(row) for row in rows[1:]]


def test_a_row_with_too_many_cells_and_an_empty_file_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n1,a\n2,b,c\n", encoding="utf-8")
    assert codes(faults_of(lambda: Contributions.read(path))) == [("row-ragged", 3)]
    path.write_text("id,text\n", encoding="utf-8")
    assert codes(faults_of(lambda: Contributions.read(path))) == [("table-no-rows", None)]
    path.write_text("", encoding="utf-8")
    assert codes(faults_of(lambda: Contributions.read(path))) == [("table-empty", None)]
    (tmp_path / "a.jsonl").write_text("\n\n", encoding="utf-8")
    assert codes(faults_of(lambda: Contributions.read(tmp_path / "a.jsonl"))) == [("table-empty", None)]
    assert codes(faults_of(lambda: Contributions.read(tmp_path / "no.csv"))) == [("file-missing", None)]
    assert codes(faults_of(lambda: Contributions.read(tmp_path))) == [("file-is-directory", None)]
    (tmp_path / "a.docx").write_text("x", encoding="utf-8")
    assert codes(faults_of(lambda: Contributions.read(tmp_path / "a.docx"))) == [("file-type", None)]
    assert codes(faults_of(lambda: Contributions.read(7))) == [("source-type", None)]  # type: ignore[arg-type]
    assert codes(faults_of(lambda: Contributions.read(pa.table({"text": [["a"]]})))) == [("cell-type", 1)]


def test_a_text_longer_than_a_block_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_BLOCK", 1000)
    long = "mot " * 20_000
    rows: list[dict[str, object]] = [
        {"id": i, "text": long if i in (3, 7) else f"court {i}"} for i in range(10)
    ]
    read = Contributions.read(write_csv(tmp_path / "a.csv", rows))
    assert read.texts.to_pylist() == [row["text"] for row in rows]
    assert read.ids.to_pylist() == [str(i) for i in range(10)]


def test_control_characters_in_texts_are_dropped_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('id,text\n1,a\x00b\x07c\n2,mot\x0bmot\n3,cafe\u0301\n4,"x\r\ny\rz"\n'.encode())
    read = Contributions.read(path)
    assert read.texts.to_pylist() == ["abc", "mot\nmot", "café", "x\ny\nz"]
    assert (read.counts.controls, read.counts.breaks, read.counts.composed) == (1, 2, 1)
