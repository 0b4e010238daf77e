"""Tables: the same cells from every kind of source."""

from __future__ import annotations

import csv
import datetime as dt
import io
import subprocess
import sys
from decimal import Decimal
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

from klero._tables_cells import clean, folded
from klero.errors import InputError, MissingExtraError
from klero.tables import Table, read_table

ENCODINGS = {
    "utf-8": "utf-8",
    "utf-8 with mark": "utf-8-sig",
    "utf-16 little with mark": "utf-16-le",
    "utf-16 big with mark": "utf-16-be",
    "utf-16 little": "utf-16-le",
    "utf-16 big": "utf-16-be",
    "windows-1252": "cp1252",
    "latin-1": "latin-1",
}
MARKS = {"utf-16 little with mark": b"\xff\xfe", "utf-16 big with mark": b"\xfe\xff"}


def written(tmp_path: Path, data: bytes | str, name: str = "people.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    return path


def rows_of(table: Table) -> list[tuple[str, ...]]:
    return list(zip(*table.data, strict=True))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_separator_and_line_end_gives_the_same_cells(
    tmp_path: Path, encoding: str, separator: str, end: str
) -> None:
    lines = ['id|prénom|"rue|ville"', '1|Zoë|"Œuf"', '2|"Jo ""J"""|"a|b"', "", "3|Ana|Évry"]
    if encoding == "latin-1":
        lines[1] = '1|Zoë|"Ouf"'
    text = end.join(lines).replace("|", separator) + end
    data = MARKS.get(encoding, b"") + text.encode(ENCODINGS[encoding])
    table = read_table(written(tmp_path, data))
    assert table.columns == ("id", "prénom", f"rue{separator}ville")
    assert rows_of(table) == [
        ("1", "Zoë", "Ouf" if encoding == "latin-1" else "Œuf"),
        ("2", 'Jo "J"', f"a{separator}b"),
        ("3", "Ana", "Évry"),
    ]
    assert table.row_numbers == (2, 3, 5)
    assert table.name == "people.csv"


def test_a_row_with_line_breaks_in_a_cell_counts_where_it_begins(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, 'id,note\r\n1,"a\r\nb\rc"\r\n2,x\r\n'))
    assert table.row_numbers == (2, 5)
    assert table.column("note") == ("a\nb\nc", "x")


def test_blank_lines_before_and_after_the_header_are_skipped_and_counted(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "\n\nid,x\n\n1,a\n , \n;;\n".replace(";;", ",,") + "2,b\n\n"))
    assert table.row_numbers == (5, 8)


def test_empty_cells_beyond_the_header_are_tolerated(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "id,x,,\n1,a,,\n2,b,,,,\n3,c,\n".replace("3,c,", "3,c,,")))
    assert table.columns == ("id", "x")
    assert rows_of(table) == [("1", "a"), ("2", "b"), ("3", "c")]


def test_a_nameless_empty_column_between_others_is_dropped(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "id,,x\n1,,a\n"))
    assert (table.columns, rows_of(table)) == (("id", "x"), [("1", "a")])


def test_cells_and_header_are_composed_and_trimmed(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "\u00a0id , pre\u0301nom\u200b\n 1\u00a0,\u202fZoe\u0308\t\n"))
    assert (table.columns, rows_of(table)) == (("id", "prénom"), [("1", "Zoë")])


def test_the_separator_is_the_one_that_cuts_all_rows_alike(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "name, first;age\nDoe, J;3\nPoe;4\n"))
    assert table.columns == ("name, first", "age")


def test_a_line_that_names_the_separator_is_obeyed(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "sep=;\r\na,b;c\r\n1;2\r\n"))
    assert (table.columns, table.row_numbers) == (("a,b", "c"), (3,))


def test_one_column_needs_no_separator(tmp_path: Path) -> None:
    assert rows_of(read_table(written(tmp_path, "id\na b\n"))) == [("a b",)]


def test_a_lone_windows_1252_accent_pair_that_is_valid_utf8_stays_windows_1252(tmp_path: Path) -> None:
    text = "id,café\n1,«CAFÉ»\n2,pré\n"
    assert read_table(written(tmp_path, text.encode("cp1252"))).column("café") == ("«CAFÉ»", "pré")


NINE = dt.datetime(2020, 1, 2, 9)  # noqa: DTZ001 (tables rarely name a time zone)
PEOPLE = pa.table(
    {
        "id": pa.array([1, 2, None], pa.int64()),
        "gender": pa.array(["woman", " man ", None]).dictionary_encode(),
        "age": pa.array([3.0, 3.5, float("nan")]),
        "town": pa.array(["Zoe\u0308", "b", "c"], pa.large_string()),
        "member": [True, False, None],
        "since": [dt.date(2020, 1, 2), None, None],
        "at": pa.array([NINE, NINE.replace(hour=0), None], pa.timestamp("ns")),
        "fee": [Decimal("3.00"), Decimal("3.50"), None],
    }
)
EXPECTED = [
    ("1", "woman", "3", "Zoë", "true", "2020-01-02", "2020-01-02 09:00:00", "3"),
    ("2", "man", "3.5", "b", "false", "", "2020-01-02", "3.5"),
    ("", "", "", "c", "", "", "", ""),
]


def test_pyarrow_tables_are_read() -> None:
    table = read_table(PEOPLE)
    assert (rows_of(table), table.row_numbers, table.name) == (EXPECTED, (1, 2, 3), "table")


def test_polars_frames_are_read() -> None:
    assert rows_of(read_table(pl.DataFrame(PEOPLE))) == EXPECTED


def test_pandas_frames_are_read() -> None:
    assert rows_of(read_table(PEOPLE.to_pandas())) == EXPECTED


def test_duckdb_relations_are_read() -> None:
    people = PEOPLE
    connection = duckdb.connect()
    connection.register("people", people)
    assert rows_of(read_table(connection.sql("select * from people"))) == EXPECTED


def test_pandas_row_labels_are_no_column() -> None:
    frame = pd.DataFrame({"id": ["a", "b", "c"]})
    assert read_table(frame[frame["id"] != "b"]).columns == ("id",)


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary()])
def test_every_arrow_text_type_is_read(kind: pa.DataType) -> None:
    assert read_table(pa.table({"x": pa.array(["é", None, "b"]).cast(kind)})).column("x") == ("é", "b")


def test_a_column_of_nothing_is_read_as_empty() -> None:
    assert rows_of(read_table(pa.table({"id": [1], "x": pa.nulls(1)}))) == [("1", "")]


def test_parquet_files_are_read(tmp_path: Path) -> None:
    pq.write_table(PEOPLE, tmp_path / "people.parquet")
    table = read_table(tmp_path / "people.parquet")
    assert (rows_of(table), table.row_numbers) == (EXPECTED, (1, 2, 3))


def test_excel_files_are_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (
        ["id", " gender", "age", "member", "since", "at", None],
        [1, "woman\u00a0", 3.0, True, dt.date(2020, 1, 2), dt.time(9, 30), None],
        [],
        [2, None, 3.5, False, NINE, None, None],
    ):
        book.active.append(row)
    book.create_sheet("other").append(["not", "read"])
    book.save(tmp_path / "people.xlsx")
    table = read_table(str(tmp_path / "people.xlsx"))
    assert table.columns == ("id", "gender", "age", "member", "since", "at")
    assert rows_of(table) == [
        ("1", "woman", "3", "true", "2020-01-02", "09:30:00"),
        ("2", "", "3.5", "false", "2020-01-02 09:00:00", ""),
    ]
    assert table.row_numbers == (2, 4)


def test_the_first_visible_sheet_is_the_one_that_counts(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["hidden"])
    book.active.sheet_state = "hidden"
    sheet = book.create_sheet("people")
    sheet.append(["id"])
    sheet.append(["a"])
    book.save(tmp_path / "people.xlsx")
    assert rows_of(read_table(tmp_path / "people.xlsx")) == [("a",)]


def test_excel_without_openpyxl_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'klero\[excel\]' \[missing-extra\]"):
        read_table(written(tmp_path, b"PK\x03\x04", "people.xlsx"))


def test_mappings_are_read() -> None:
    table = read_table([{"id": 1, "x": None}, {"x": "a", "id": 2}], name="people")
    assert (table.columns, rows_of(table), table.name) == (("id", "x"), [("1", ""), ("2", "a")], "people")


def test_a_table_is_returned_as_it_is() -> None:
    table = read_table([{"id": 1}])
    assert read_table(table) is table


def test_an_unknown_column_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        read_table([{"id": 1}]).column("x")


def test_reading_csv_loads_neither_pyarrow_nor_openpyxl(tmp_path: Path) -> None:
    path = written(tmp_path, "id\n1\n")
    code = f"import sys; from klero.tables import read_table; read_table({str(path)!r});"
    code += "print([m for m in ('pyarrow', 'openpyxl', 'numpy', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), max_size=12)
NAMES = st.lists(TEXT.map(clean).filter(bool), min_size=1, max_size=4, unique=True)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    header = draw(NAMES)
    cells = st.lists(TEXT, min_size=len(header), max_size=len(header))
    rows = draw(st.lists(cells.filter(lambda row: any(map(clean, row))), min_size=1, max_size=5))
    return header, rows


@settings(max_examples=150, deadline=None)
@given(
    tables(),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["utf-8-sig", "utf-16"]),
)
def test_any_table_comes_back_from_csv(
    table: tuple[list[str], list[list[str]]], separator: str, end: str, encoding: str
) -> None:
    header, rows = table
    out = io.StringIO(newline="")
    out.write(f"sep={separator}{end}")
    writer = csv.writer(out, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(header)
    writer.writerows(rows)
    from klero._tables_csv import read_csv
    from klero.tables import _from_records

    back = _from_records(read_csv(out.getvalue().encode(encoding), "t"), "t")
    assert back.columns == tuple(header)
    assert rows_of(back) == [tuple(map(clean, row)) for row in rows]


@settings(max_examples=60, deadline=None)
@given(tables())
def test_any_table_is_the_same_from_mappings_and_from_arrow(table: tuple[list[str], list[list[str]]]) -> None:
    header, rows = table
    mappings = [dict(zip(header, row, strict=True)) for row in rows]
    assert read_table(mappings) == read_table(pa.Table.from_pylist(mappings))


@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert folded(folded(text)) == folded(text)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_give_a_table_or_faults(data: bytes) -> None:
    from klero._tables_csv import read_csv
    from klero.tables import _from_records

    try:
        table = _from_records(read_csv(data, "t"), "t")
    except InputError as error:
        assert error.faults  # noqa: PT017 (either outcome is right)
    else:
        assert len(set(table.columns)) == len(table.columns)
        assert all(len(column) == len(table) for column in table.data)
