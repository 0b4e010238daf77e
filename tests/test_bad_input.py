"""Every mistake in a table is found, placed and explained, and all of them at once."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

import klero
from klero.errors import (
    CODES,
    BundleError,
    Fault,
    InfeasibleError,
    InputError,
    InternalError,
    KleroError,
    MissingExtraError,
    OutputExistsError,
)
from klero.sortition.instance import build_instance, read_instance
from klero.sortition.pool import Pool
from klero.sortition.quotas import Cell, Quotas
from klero.tables import read_table

PEOPLE = "id,gender,age\np1,woman,16-29\np2,man,30+\np3,woman,30+\np4,man,16-29\n"
QUOTAS = "feature,value,min,max\ngender,woman,1,2\ngender,man,1,2\nage,16-29,0,2\nage,30+,0,2\n"


def faults_of(call: Callable[[], object]) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        call()
    faults = caught.value.faults
    for fault in faults:
        assert fault.code in CODES
        assert str(fault).endswith(f"[{fault.code}]")
    return faults


def places(faults: tuple[Fault, ...]) -> list[tuple[str, int | None, str | None]]:
    return [(fault.code, fault.row, fault.column) for fault in faults]


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., tuple[Fault, ...]]:
    """Writes both files, reads them and gives the faults."""

    def faults(
        people: str | bytes = PEOPLE,
        quotas: str | bytes = QUOTAS,
        size: int = 2,
        id: str | None = None,  # noqa: A002 (the word of read_instance)
    ) -> tuple[Fault, ...]:
        for name, text in (("people.csv", people), ("quotas.csv", quotas)):
            (tmp_path / name).write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
        return faults_of(lambda: read_instance(tmp_path / "people.csv", tmp_path / "quotas.csv", size, id))

    return faults


Files = Callable[..., tuple[Fault, ...]]


# The shape of a table


@pytest.mark.parametrize("data", [b"", b"\n\r\n  \n", b",,\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_a_fault(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "p.csv").write_bytes(data)
    assert places(faults_of(lambda: read_table(tmp_path / "p.csv"))) == [("table-empty", None, None)]


@pytest.mark.parametrize("which", ["people", "quotas"])
def test_a_header_alone_is_a_fault(files: Files, which: str) -> None:
    header = {"people": "id,gender,age\n", "quotas": "feature,value,min,max\n"}[which]
    (fault,) = files(**{which: header})
    assert (fault.code, fault.file) == ("table-no-rows", f"{which}.csv")


@pytest.mark.parametrize("source", [[], pa.table({})])
def test_nothing_in_memory_is_a_fault(source: object) -> None:
    assert places(faults_of(lambda: read_table(source))) == [("table-empty", None, None)]


@pytest.mark.parametrize("source", [pa.table({"id": pa.array([], pa.string())}), [{"id": None}, {"id": " "}]])
def test_no_rows_in_memory_are_a_fault(source: object) -> None:
    assert places(faults_of(lambda: read_table(source))) == [("table-no-rows", None, None)]


def test_all_ragged_rows_and_header_faults_are_reported_together(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,a,a,\n1,2\n1,2,3,4\n1,2,3,4,5\n1,2,3,\n", encoding="utf-8")
    faults = faults_of(lambda: read_table(tmp_path / "p.csv"))
    assert places(faults) == [
        ("column-unnamed", 1, None),
        ("column-duplicate", 1, "a"),
        ("row-ragged", 2, None),
        ("row-ragged", 4, None),
    ]


def test_the_row_with_too_many_cells_is_named(files: Files) -> None:
    (fault,) = files(people=PEOPLE + "p5,woman,16-29,x\n")
    assert (fault.code, fault.file, fault.row) == ("row-ragged", "people.csv", 6)
    assert "has 4 cells and the header has 3" in str(fault)


@pytest.mark.parametrize("which", ["people", "quotas"])
def test_a_duplicate_column_is_a_fault(files: Files, which: str) -> None:
    text, column = {
        "people": ("id,gender,age,gender\np1,woman,16-29,man\n", "gender"),
        "quotas": ("feature,value,min,max,min\na,b,1,1,1\n", "min"),
    }[which]
    (fault,) = files(**{which: text})
    assert (fault.code, fault.row, fault.column) == ("column-duplicate", 1, column)


def test_a_column_of_data_without_a_name_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("id,\n1,x\n", encoding="utf-8")
    (fault,) = faults_of(lambda: read_table(tmp_path / "p.csv"))
    assert (fault.code, fault.row) == ("column-unnamed", 1)
    assert "column 2" in fault.message


def test_data_beyond_the_header_of_a_sheet_is_a_fault(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["id"])
    book.active.append(["a", "x"])
    book.save(tmp_path / "p.xlsx")
    assert places(faults_of(lambda: read_table(tmp_path / "p.xlsx"))) == [("column-unnamed", 1, None)]


def test_a_mapping_without_a_key_that_others_have_is_a_fault() -> None:
    faults = faults_of(lambda: read_table([{"id": 1, "x": 1}, {"id": 2}]))
    assert places(faults) == [("row-ragged", 2, "x")]


@pytest.mark.parametrize("text", ['id,x\n1,"a\n2,b\n', 'id,x\n1,"a"b\n2,c\n'])
def test_quotes_that_do_not_match_are_a_fault(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    assert places(faults_of(lambda: read_table(tmp_path / "p.csv"))) == [("csv-malformed", 2, None)]


# Encodings


@pytest.mark.parametrize(
    ("data", "row"),
    [
        (b"id,x\n1,caf\x81\n", 2),  # undefined in Windows-1252
        (b"id,x\r\n1,a\r\n2,\x8f\r\n", 3),
        (b"id,x\n1,a\x00b\n", 2),
        (b"id,x\n1,ab\x00\n", 2),
        (b"id,x\n1,ab\x00c\n", 2),
        (b"id,x\n1,a\x07\n", 2),
        ("id,x\n1,é\n2,ü\n3,".encode() + b"\xe9\n", 4),  # UTF-8 with a stray byte
        ("id,x\n1,Łódź\n2,".encode() + b"\xb3\n", 3),
        ("id,x\n1,é".encode() + b"\n2,\xe9\n3,\xe8\n4,\xea\n", 3),  # two files pasted together
        (b"\xef\xbb\xbfid,x\n1,\xe9\n", None),
        (b"\xff\xfei\x00d\x00\n\x00\x00\xd8a\x00", 2),  # half a character in UTF-16
        (bytes(range(256)) * 4, None),
        (b"PK\x03\x04rest of a workbook", None),
    ],
)
def test_bytes_that_can_not_be_told_are_a_fault_and_no_mojibake(
    tmp_path: Path, data: bytes, row: int | None
) -> None:
    (tmp_path / "p.csv").write_bytes(data)
    (fault,) = faults_of(lambda: read_table(tmp_path / "p.csv"))
    assert fault.code == "encoding-unreadable"
    assert row is None or fault.row == row


def test_an_unreadable_encoding_of_either_file_is_reported(files: Files) -> None:
    faults = files(people=b"id,gender,age\n1,\x81,2\n", quotas=QUOTAS.encode() + b"age,\x9d,0,1\n")
    assert [(f.code, f.file, f.row) for f in faults] == [
        ("encoding-unreadable", "people.csv", 2),
        ("encoding-unreadable", "quotas.csv", 6),
    ]


def test_half_a_character_in_memory_is_a_fault() -> None:
    assert places(faults_of(lambda: read_table([{"x": "\ud800"}])))[0] == ("encoding-unreadable", 1, "x")


# Files and sources


def test_a_missing_file_is_a_fault(tmp_path: Path) -> None:
    assert places(faults_of(lambda: read_table(tmp_path / "no.csv"))) == [("file-missing", None, None)]
    assert places(faults_of(lambda: read_table(tmp_path / "no.ods"))) == [("file-missing", None, None)]


def test_a_folder_is_a_fault(tmp_path: Path) -> None:
    assert places(faults_of(lambda: read_table(tmp_path))) == [("file-is-directory", None, None)]


@pytest.mark.parametrize("suffix", [".xls", ".ods", ".XLS", ".xml"])
def test_other_file_types_are_a_fault_that_names_the_way_out(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"p{suffix}"
    path.write_bytes(b"x")
    (fault,) = faults_of(lambda: read_table(path))
    assert fault.code == "file-type"
    assert "Save the table as .xlsx or CSV" in fault.message


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet"])
@pytest.mark.parametrize("data", [b"PK\x03\x04", b"id,x\n1,2\n", b"\xd0\xcf\x11\xe0locked", b"PAR1PAR1"])
def test_a_corrupt_file_is_a_fault(tmp_path: Path, suffix: str, data: bytes) -> None:
    path = tmp_path / f"p{suffix}"
    path.write_bytes(data)
    assert places(faults_of(lambda: read_table(path))) == [("file-corrupt", None, None)]


def test_a_workbook_that_is_cut_off_is_a_fault(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for i in range(500):
        book.active.append([i, f"text {i}"])
    book.save(tmp_path / "p.xlsx")
    data = (tmp_path / "p.xlsx").read_bytes()
    (tmp_path / "p.xlsx").write_bytes(data[: len(data) // 2])
    assert places(faults_of(lambda: read_table(tmp_path / "p.xlsx"))) == [("file-corrupt", None, None)]


@pytest.mark.parametrize("source", [3, b"id\n1\n", {"id": [1]}, pa.chunked_array([["a"]]), [1, 2]])
def test_other_objects_are_a_fault(source: object) -> None:
    assert faults_of(lambda: read_table(source))[0].code == "source-type"


def test_a_pandas_column_of_mixed_types_is_a_fault() -> None:
    frame = pd.DataFrame({"x": pd.Series([1, "a"], dtype=object)})
    assert faults_of(lambda: read_table(frame))[0].code == "source-type"


def test_a_cell_that_is_a_list_is_a_fault() -> None:
    assert places(faults_of(lambda: read_table([{"x": "a"}, {"x": [1]}]))) == [("cell-type", 2, "x")]
    assert places(faults_of(lambda: read_table(pa.table({"x": [["a"]]})))) == [("cell-type", 1, "x")]


# People


def test_an_id_column_that_is_not_there_is_a_fault_with_a_suggestion(files: Files) -> None:
    (fault,) = files(id="Id")
    assert (fault.code, fault.column) == ("id-column-missing", "Id")
    assert "Did you mean 'id'?" in fault.message


def test_two_possible_id_columns_are_a_fault(files: Files) -> None:
    faults = files(people=PEOPLE.replace("id,gender,age", "Id,ID,gender,age").replace("p", "x,p"))
    assert faults[0].code == "id-column-ambiguous"


def test_an_empty_id_is_a_fault(files: Files) -> None:
    assert places(files(people=PEOPLE.replace("p3", " "))) == [("id-empty", 4, "id")]


def test_a_duplicate_id_in_equal_rows_is_a_fault_that_says_so(files: Files) -> None:
    (fault,) = files(people=PEOPLE + "p1,woman,16-29\n")
    assert (fault.code, fault.row, fault.value) == ("id-duplicate", 6, "p1")
    assert "in row 2" in fault.message
    assert "the two rows are the same" in fault.message


def test_a_duplicate_id_in_different_rows_is_a_fault_that_says_so(files: Files) -> None:
    (fault,) = files(people=PEOPLE + "p1,woman,30+\n")
    assert (fault.code, fault.row) == ("id-duplicate", 6)
    assert "the two rows differ" in fault.message


def test_a_given_id_column_with_repeated_values_is_a_fault(files: Files) -> None:
    faults = files(id="gender")
    assert places(faults) == [("id-duplicate", 4, "gender"), ("id-duplicate", 5, "gender")]


# Quotas


@pytest.mark.parametrize("heading", ["feature", "value", "min", "max"])
def test_a_missing_quota_column_is_a_fault(files: Files, heading: str) -> None:
    (fault,) = files(quotas=QUOTAS.replace(heading, "Current #", 1))
    assert (fault.code, fault.column, fault.file) == ("quota-column-missing", heading, "quotas.csv")


def test_a_suggested_minimum_is_not_taken_for_the_minimum(files: Files) -> None:
    (fault,) = files(quotas=QUOTAS.replace("min", "suggest min", 1))
    assert (fault.code, fault.column) == ("quota-column-missing", "min")


def test_two_columns_of_one_meaning_are_a_fault(files: Files) -> None:
    (fault,) = files(quotas="feature,value,min,Minimum,max\ngender,woman,1,1,2\n")
    assert fault.code == "quota-column-ambiguous"
    assert "'min' and 'Minimum'" in fault.message


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (",woman,1,2", "feature"),
        ("gender,,1,2", "value"),
        ("gender,woman,,2", "min"),
        ("gender,woman,1,", "max"),
    ],
)
def test_an_empty_quota_cell_is_a_fault(files: Files, row: str, column: str) -> None:
    faults = files(quotas=QUOTAS.replace("gender,woman,1,2", row))
    assert ("quota-cell-empty", 2, column) in places(faults)


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    [
        ("2.0", "quota-not-integer", "Write 2."),
        ('"2,0"', "quota-not-integer", "Write 2."),
        ("2.5", "quota-not-integer", "whole numbers"),
        ("two", "quota-not-integer", "whole numbers"),
        ("9" * 5000, "quota-not-integer", "whole numbers"),
        ("٣", "quota-not-integer", "whole numbers"),
        ("-1", "quota-negative", "Write 0 or more"),
        ("\u22121", "quota-negative", "Write 0 or more"),
    ],
)
@pytest.mark.parametrize("column", ["min", "max", "min_flex"])
def test_a_quota_that_is_no_whole_number_is_a_fault(
    files: Files, text: str, code: str, hint: str, column: str
) -> None:
    row = {"min": f"{text},2,0", "max": f"0,{text},0", "min_flex": f"1,2,{text}"}[column]
    (fault,) = files(quotas=f"feature,value,min,max,min_flex\ngender,woman,{row}\ngender,man,0,2,0\n")
    assert places((fault,)) == [(code, 2, column)]
    assert hint in fault.message


def test_a_minimum_above_its_maximum_is_a_fault(files: Files) -> None:
    quotas = QUOTAS.replace("woman,1,2", "woman,2,1").replace("gender,man,1", "gender,man,0")
    assert places(files(quotas=quotas)) == [("quota-min-over-max", 2, None)]


@pytest.mark.parametrize("flex", ["2,2", "0,1"])
def test_flexible_bounds_inside_the_quota_are_a_fault(files: Files, flex: str) -> None:
    quotas = f"feature,value,min,max,min_flex,max_flex\ngender,woman,1,2,{flex}\ngender,man,0,2,0,2\n"
    assert places(files(quotas=quotas)) == [("quota-flex", 2, None)]


def test_a_duplicate_quota_is_a_fault_even_when_accents_are_typed_otherwise(files: Files) -> None:
    people = "id,a\n1,é\n2,é\n"
    (fault,) = files(people=people, quotas="feature,value,min,max\na,é,0,2\n a ,e\u0301,0,2\n")
    assert (fault.code, fault.row) == ("quota-duplicate", 3)
    assert "row 2" in fault.message


@pytest.mark.parametrize("near", ["WOMAN", "wómàn", "wo–man", "wo  man"])
def test_values_that_differ_only_in_case_accents_dashes_or_spaces_are_a_fault(
    files: Files, near: str
) -> None:
    first = {"wo–man": "wo-man", "wo  man": "wo man"}.get(near, "woman")
    quotas = f"feature,value,min,max\ng,{first},0,2\ng,a,0,2\ng,{near},0,2\n"
    faults = files(people="id,g\n1,a\n2,a\n", quotas=quotas)
    assert places(faults) == [("quota-near-duplicate", 4, None)]
    assert f"Write '{first}'" in faults[0].message


def test_features_that_differ_only_in_case_are_a_fault(files: Files) -> None:
    faults = files(quotas=QUOTAS.replace("gender,man", "Gender,man"))
    assert ("quota-near-duplicate", 3, None) in places(faults)


def test_minima_that_need_more_seats_than_there_are_are_a_fault(files: Files) -> None:
    (fault,) = files(quotas=QUOTAS.replace("woman,1,2", "woman,2,2"))
    assert (fault.code, fault.value) == ("quota-minima-over-size", "gender")
    assert "add up to 3, and the panel has 2 seats" in fault.message


def test_maxima_that_leave_seats_empty_are_a_fault(files: Files) -> None:
    (fault,) = files(quotas=QUOTAS.replace("16-29,0,2", "16-29,0,0").replace("30+,0,2", "30+,0,1"))
    assert (fault.code, fault.value) == ("quota-maxima-under-size", "age")
    assert "add up to 1" in fault.message


@pytest.mark.parametrize("size", [0, -3, True, 2.0, "2"])
def test_a_size_that_is_no_number_of_people_is_a_fault(files: Files, size: int) -> None:
    assert [fault.code for fault in files(size=size)] == ["size-invalid"]


def test_a_size_above_the_pool_is_a_fault(files: Files) -> None:
    wide = QUOTAS.replace(",2\n", ",9\n")
    (fault,) = files(quotas=wide, size=5)
    assert (fault.code, fault.file) == ("size-over-pool", "people.csv")


# People and quotas together


def test_a_feature_that_is_no_column_of_the_people_is_a_fault_with_a_suggestion(files: Files) -> None:
    (fault,) = files(people=PEOPLE.replace("gender", "Gender"))
    assert (fault.code, fault.file, fault.column) == ("feature-missing", "people.csv", "gender")
    assert "Did you mean 'Gender'?" in fault.message


def test_an_empty_cell_of_a_feature_is_a_fault(files: Files) -> None:
    assert places(files(people=PEOPLE.replace("p3,woman", "p3,\u00a0"))) == [("feature-empty", 4, "gender")]


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("Woman", "Write 'woman': it differs only in case"),
        ("womman", "Did you mean 'woman'?"),
        ("x", "'woman', 'man'"),
    ],
)
def test_a_value_without_a_quota_is_a_fault_with_a_suggestion(files: Files, value: str, hint: str) -> None:
    (fault,) = files(people=PEOPLE.replace("p3,woman", f"p3,{value}"))
    assert (fault.code, fault.row, fault.column, fault.value) == ("value-unknown", 4, "gender", value)
    assert hint in fault.message


def test_a_repeated_unknown_value_is_one_fault_with_its_rows(files: Files) -> None:
    (fault,) = files(people=PEOPLE + "".join(f"q{i},other,30+\n" for i in range(8)))
    assert (fault.row, fault.value) == (6, "other")
    assert "8 people: also rows 7, 8, 9, 10 and 3 more" in fault.message


def test_the_faults_of_both_files_and_of_their_match_come_together(files: Files) -> None:
    faults = files(
        people=PEOPLE.replace("p2", "p1").replace("p3,woman", "p3,other"),
        quotas=QUOTAS.replace("30+,0,2", "30+,0,2.0"),
        size=9,
    )
    assert places(faults) == [
        ("id-duplicate", 3, "id"),
        ("quota-not-integer", 5, "max"),
        ("value-unknown", 4, "gender"),
        ("size-over-pool", None, None),
        ("quota-maxima-under-size", None, None),
    ]


def test_quotas_made_in_a_program_are_checked_too() -> None:
    pool = Pool.read([{"id": 1, "a": "x"}, {"id": 2, "a": "x"}])
    quotas = Quotas((Cell("a", "x", 2, 1), Cell("a", "X", -1, 1, 0, 0)))
    codes = {fault.code for fault in faults_of(lambda: build_instance(pool, quotas, 1))}
    assert codes == {
        *("quota-min-over-max", "quota-near-duplicate", "quota-negative", "quota-flex"),
    }


# The errors themselves


def test_a_fault_is_one_sentence_with_its_place_and_code() -> None:
    fault = Fault("id-empty", "no id.", "people.csv", 4, "id")
    assert str(fault) == "people.csv, row 4, column 'id': no id. [id-empty]"


def test_an_error_shows_twenty_faults_and_counts_the_rest() -> None:
    error = InputError(Fault("id-empty", "no id.", "p.csv", row) for row in range(2, 27))
    lines = str(error).split("\n")
    assert len(lines) == 21
    assert lines[-1] == "… and 5 more"
    assert len(error.faults) == 25


@pytest.mark.parametrize(
    ("error", "builtin", "exit_code"),
    [
        (InputError([Fault("id-empty", "m", "f")]), ValueError, 3),
        (InfeasibleError(["a"], ["b"]), ValueError, 1),
        (OutputExistsError("out"), FileExistsError, 3),
        (MissingExtraError("excel", "read it"), ImportError, 4),
        (InternalError("m"), RuntimeError, 4),
        (BundleError("m"), ValueError, 3),
    ],
)
def test_each_error_is_a_klero_error_a_builtin_and_survives_pickling(
    error: KleroError, builtin: type[Exception], exit_code: int
) -> None:
    assert isinstance(error, KleroError)
    assert isinstance(error, builtin)
    assert error.exit_code == exit_code
    assert error.code in CODES
    assert re.search(r"\[[a-z-]+\]$", str(error))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301


def test_every_code_in_the_sources_is_listed_and_every_listed_code_is_used() -> None:
    root = Path(klero.__file__).parent
    texts = [path.read_text(encoding="utf-8") for path in root.rglob("*.py")]
    used = {code for text in texts for code in re.findall(r'(?:Fault\(\s*|code = )"([a-z-]+)"', text)}
    assert used == set(CODES)


@pytest.mark.parametrize("value", ["#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#VALEUR!"])
def test_failed_formulas_are_faults_where_they_count_and_only_there(value: str) -> None:
    rows: list[dict[str, object]] = [
        {"id": f"p{i}", "g": "a", "street": f"{i} High St", "remark": value} for i in range(4)
    ]
    quotas = [{"feature": "g", "value": v, "min": 0, "max": 2} for v in ("a", value)]

    def drawn(**changed: object) -> list[tuple[str, int | None, str | None]]:
        people = [*rows[:2], {**rows[2], **changed}, rows[3]]
        return places(faults_of(lambda: klero.fair_lottery(people, quotas, size=2, household=["street"])))

    klero.fair_lottery(rows, quotas, size=2, household=["street"])
    for column in ("id", "g", "street"):
        assert drawn(**{column: value}) == [("cell-error", 3, column)]
    mixed = [{**row, "g": value} for row in rows]
    assert places(faults_of(lambda: klero.seat_tables(mixed, 2, 1, mix=["g"]))) == [("cell-error", 1, "g")]
    register = [{**row, "g": value if i else "a"} for i, row in enumerate(rows)]
    stream = pa.Table.from_pylist(register)
    (fault,) = faults_of(lambda: klero.invite(stream, size=1, trial_seed="t", strata=["g"]))
    assert (fault.code, fault.value) == ("cell-error", value)
