"""Whatever can't be compared is refused with its place, its reason and a way out; all faults at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import klero
from klero.errors import CODES, Fault, InputError
from klero.voices import texts as reading
from klero.voices.near_duplicates import near_duplicates
from klero.voices.settings import Settings, settled

TEXTS = ["a b c", "d"]


def faults_of(call: Callable[[], object]) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        call()
    for fault in caught.value.faults:
        assert fault.code in CODES
        assert str(fault).endswith(f"[{fault.code}]")
        assert fault.message[-1] in ".')"  # a sentence
    return caught.value.faults


def codes(*texts: object, **options: object) -> list[str]:
    return [fault.code for fault in faults_of(lambda: near_duplicates(*texts, **options))]  # type: ignore[arg-type]


# Texts


@pytest.mark.parametrize(
    "texts",
    [
        [1, 2],
        ["a", 3.5],
        ["a", True],
        ["a", b"b"],
        ["a", ["b"]],
        (x for x in ()),
        np.array([1, 2]),
        np.array([b"a", b"b"]),
        np.array(["a", 1], object),
        np.array(["2020-01-01"], "datetime64[D]"),
        pa.array([1, 2]),
        pa.array([1.5]),
        pa.array([b"a"]),
        pa.array([["a"]]),
        pa.array([True]),
        pa.array([1, 2]).dictionary_encode(),
        pa.table({"age": [1, 2]}),
        pd.Series([1, 2]),
        pd.Series([1.5, None]),
        pd.Series(["a", 1], dtype=object),
        pl.Series([1, 2]),
        pl.Series([["a"]]),
    ],
)
def test_numbers_and_the_like_are_never_compared_as_texts(texts: object) -> None:
    (fault,) = faults_of(lambda: near_duplicates(texts))  # type: ignore[arg-type]
    assert fault.code == ("source-type" if hasattr(texts, "gi_frame") else "text-type")


def test_the_first_number_among_texts_is_named_with_how_many_there_are() -> None:
    (number, other) = faults_of(lambda: near_duplicates(["a", 7, "b", 8, 9, b"x"]))  # type: ignore[list-item]
    assert (number.row, number.value) == (2, "7")
    assert "texts, row 2: here stands an int, 7 (as in 2 more rows)" in str(number)
    assert (other.row, other.value) == (6, "b'x'")


@pytest.mark.parametrize(
    "texts",
    [
        "one text",
        b"bytes",
        {"a": "b"},
        {"a", "b"},
        3,
        None,
        object(),
        np.array([["a", "b"]]),
        np.array("a"),
        pa.table({"a": ["x"], "b": ["y"]}),
        pa.table({}),
        pd.DataFrame({"a": ["x"], "b": ["y"]}),
    ],
)
def test_what_is_no_list_of_texts_is_a_fault(texts: object) -> None:
    assert codes(texts) == ["source-type"]


def test_a_table_of_several_columns_is_told_which_it_has() -> None:
    (fault,) = faults_of(lambda: near_duplicates(pa.table({"id": ["x"], "body": ["y"]})))
    assert "2 columns ('id', 'body')" in fault.message


def test_half_a_character_is_a_fault_with_its_row() -> None:
    (fault,) = faults_of(lambda: near_duplicates(["a", "b\ud800", None, "\udfff"]))
    assert (fault.code, fault.row) == ("encoding-unreadable", 2)
    assert "in 1 more row" in fault.message


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
@pytest.mark.parametrize("bad", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80"])
def test_bytes_that_are_not_utf8_are_a_fault_with_their_row(kind: pa.DataType, bad: bytes) -> None:
    wide = kind == pa.large_string()
    values = pa.array([b"a", "é".encode(), bad, b"z", bad], pa.large_binary() if wide else pa.binary())
    column = pa.Array.from_buffers(kind, 5, values.buffers())
    chunks = pa.chunked_array([pa.array(["x", "y"], kind), column])
    (fault,) = faults_of(lambda: near_duplicates(chunks))  # type: ignore[arg-type]
    assert (fault.code, fault.row) == ("encoding-unreadable", 5)
    assert "(nor in 1 more row)" in fault.message
    assert near_duplicates(column[:2]).counts.texts == 2


def test_a_character_cut_in_two_by_offsets_is_a_fault() -> None:
    offsets = pa.py_buffer(np.array([0, 1, 2], np.int32))
    column = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer("é".encode())])
    assert codes(column) == ["encoding-unreadable"]


@pytest.mark.parametrize("offsets", [[0, 5, 2], [0, 9, 6]])
def test_offsets_that_do_not_fit_their_bytes_are_a_fault(offsets: list[int]) -> None:
    buffers = [None, pa.py_buffer(np.array(offsets, np.int32)), pa.py_buffer(b"abcdef")]
    assert codes(pa.Array.from_buffers(pa.string(), 2, buffers)) == ["source-type"]


def test_more_texts_than_can_be_numbered_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_TEXTS", 1)
    assert codes(TEXTS) == ["texts-too-many"]


# Ids


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([1], ["id-count"]),
        ([1, 2, 3], ["id-count"]),
        ([], ["id-count"]),
        ([1, 1], ["id-duplicate"]),
        (["1", 1], ["id-duplicate"]),
        (["x", "x"], ["id-duplicate"]),
        (["9" * 40, "9" * 40], ["id-duplicate"]),
        (pa.array([5, 5]), ["id-duplicate"]),
        ([None, "x"], ["id-empty"]),
        (["", "x"], ["id-empty"]),
        ([float("nan"), "x"], ["id-empty"]),
        ([None, None], ["id-empty"]),
        (pa.nulls(2), ["id-empty"]),
        (pa.array([1, None]), ["id-empty"]),
        (["", "x", "x"], ["id-count", "id-empty", "id-duplicate"]),
        (pa.array([None, 1, 1]), ["id-count", "id-empty", "id-duplicate"]),
        ([1.5, 2.5], ["id-type"]),
        ([True, False], ["id-type"]),
        ([b"a", "x"], ["id-type"]),
        ([(1, 2), 1.5], ["id-type", "id-type"]),
        (np.array([1.0, 2.5]), ["id-type"]),
        ([2.0**60, 1.0], ["id-type"]),
        (np.array([1j, 2j]), ["source-type"]),
        (np.array([(1, 2), (3, 4)], dtype=[("a", int), ("b", int)]), ["source-type"]),
        ([2**63, 1], ["id-type"]),
        ([10**5000, "x"], ["id-type"]),
        (np.array([2**64 - 1, 5], np.uint64), ["id-type"]),
        (pd.Series([1.0, None]), ["id-empty"]),
        (pa.array([b"a", b"b"]), ["id-type"]),
        (["a", "\ud800"], ["encoding-unreadable"]),
        (pa.Array.from_buffers(pa.string(), 2, pa.array([b"a", b"\xff"]).buffers()), ["encoding-unreadable"]),
        ("ab", ["source-type"]),
        ({"a": 1, "b": 2}, ["source-type"]),
        (pa.table({"a": [1, 2], "b": [1, 2]}), ["source-type"]),
        (7, ["source-type"]),
    ],
)
def test_ids_that_can_not_name_texts_are_faults(ids: object, expected: list[str]) -> None:
    assert codes(TEXTS, ids=ids) == expected


def test_ids_that_come_twice_are_shown_with_their_rows() -> None:
    ids = [*range(100), *range(7), 3]
    (fault,) = faults_of(lambda: near_duplicates(["x"] * 108, ids=ids))
    assert "7 ids are there more than once: '0' (rows 1, 101)" in fault.message
    assert "'3' (rows 4, 104, 108)" in fault.message
    assert "and 2 more" in fault.message


# Options


@pytest.mark.parametrize(
    ("option", "code"),
    [
        *[
            ({"threshold": t}, "option-range")
            for t in (0.29, 0, -1, 1.01, 2, float("nan"), float("inf"), "0.8", None, True, 80)
        ],
        *[({"measure": m}, "option-unknown") for m in ("cosine", "Jaccard", "", None, 3)],
        *[({"mode": m}, "option-unknown") for m in ("fast", "", None)],
        *[({"recall": r}, "option-range") for r in (0.49, 1.0, 0.99991, float("nan"), None, "0.9")],
        *[({"shingle": k}, "option-range") for k in (0, 10, -1, 2.0, "3", None, True)],
        *[({"fold_accents": f}, "option-unknown") for f in (None, 1, "yes")],
        *[({"min_shared": m}, "option-range") for m in (0, -1, 1.5, "2", 2**31)],
        *[({"threads": t}, "option-range") for t in (0, -1, 1.0, "2", 1025, True)],
        *[
            ({"memory": m}, "option-range")
            for m in (0, -5, 10**6, "1MB", "63.9MB", "2", "2 apples", "GB", "-1GB", 1.5e9, True, "")
        ],
        ({"mode": "sketch", "measure": "containment"}, "options-conflict"),
    ],
)
def test_an_option_out_of_range_is_a_fault_that_names_it(option: dict[str, object], code: str) -> None:
    (fault,) = faults_of(lambda: near_duplicates(TEXTS, **option))  # type: ignore[arg-type]
    assert fault.code == code
    assert all(name in fault.message for name in option)


@pytest.mark.parametrize(
    "option",
    [{"threshold": t} for t in (0.3, 1, 1.0, np.float64(0.5))]
    + [{"shingle": k} for k in (1, 9, np.int64(4))],
)
def test_the_ends_of_the_ranges_are_allowed(option: dict[str, object]) -> None:
    assert near_duplicates(TEXTS, **option).counts.texts == 2  # type: ignore[arg-type]


def test_all_faults_come_at_once() -> None:
    found = codes(
        ["a", 3],
        ids=[1, 1, 1],
        threshold=2,
        measure="x",
        shingle=0,
        threads=0,
        memory="1MB",
        recall=2,
        min_shared=0,
    )
    assert sorted(found) == sorted(
        ["text-type", "id-duplicate", "option-unknown", *["option-range"] * 6],
    )


def test_a_budget_that_does_not_hold_the_search_is_refused_before_it_begins() -> None:
    texts = [f"text {i}" for i in range(200_000)]
    for options in ({}, {"measure": "containment"}, {"mode": "sketch"}):
        (fault,) = faults_of(lambda options=options: near_duplicates(texts, memory="64MB", **options))  # type: ignore[misc]
        assert fault.code == "memory-budget"
    assert near_duplicates(texts, memory="2GB").counts.texts == len(texts)


def test_auto_is_exact_up_to_ten_million_texts_and_always_under_containment() -> None:
    def mode(texts: int, asked: str, measure: str = "jaccard") -> tuple[str, float | None]:
        rule = settled(Settings(0.8, measure, asked, 0.99, 3, False, 1), texts)
        return rule.mode, rule.recall

    assert (
        mode(10_000_000, "auto")
        == mode(10**9, "exact")
        == mode(10**9, "auto", "containment")
        == ("exact", None)
    )
    assert mode(10_000_001, "auto") == mode(2, "sketch") == ("sketch", 0.99)


def test_an_error_is_klero_s_and_a_value_error() -> None:
    with pytest.raises(ValueError, match="text-type"):
        klero.near_duplicates([1])  # type: ignore[list-item]
    with pytest.raises(klero.KleroError):
        klero.near_duplicates([1])  # type: ignore[list-item]


@pytest.mark.parametrize("texts", [np.array([1j]), np.array([(1, 2)], dtype=[("a", int), ("b", int)])])
def test_arrays_that_arrow_has_no_type_for_are_refused(texts: object) -> None:
    assert codes(texts) == ["source-type"]


def test_the_labels_of_a_table_of_pandas_are_no_column() -> None:
    for labels in (["x", "y"], pd.Index(["x", "y"], name="key")):
        assert near_duplicates(pd.DataFrame({"text": TEXTS}, index=labels)).counts.texts == 2


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"memory": "9" * 400 + "GB"}, "option-range"),
        ({"memory": -(10**5000)}, "option-range"),
        ({"threshold": 10**400}, "option-range"),
        ({"shingle": 10**5000}, "option-range"),
        ({"measure": np.array(["jaccard", "containment"])}, "option-unknown"),
        ({"mode": np.array(["exact", "sketch"])}, "option-unknown"),
        ({"progress": 5}, "option-unknown"),
    ],
)
def test_options_of_any_kind_are_told(options: dict[str, object], code: str) -> None:
    assert codes(TEXTS, **options) == [code]


def test_ids_of_any_kind_may_be_asked_for() -> None:
    ends = [-(2**63), 2**63 - 1]
    found = near_duplicates(TEXTS, ids=ends)
    assert [found.row_of(name) for name in ends] == [found.row_of(str(name)) for name in ends] == [0, 1]
    for ids in (None, ends, ["a", "b"]):
        result = near_duplicates(TEXTS, ids=ids)
        for other in (
            9999999999999999999,
            -(2**63) - 1,
            10**5000,
            -(10**5000),
            "9" * 19,
            0.5,
            None,
            "\ud800",
            object(),
        ):
            (fault,) = faults_of(lambda result=result, other=other: result.row_of(other))
            assert fault.code == "id-unknown"
    (fault,) = faults_of(lambda: found.pairs(limit=-(10**5000)))
    assert fault.code == "option-range"


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("row", [0, 39_999, 79_999])
def test_bytes_that_are_no_text_are_found_by_any_number_of_threads(threads: int, row: int) -> None:
    data = [b"Gardons la ligne 12."] * 80_000
    data[row] = b"Gardons la ligne \xff."
    texts = pa.array(data, pa.binary()).view(pa.string())
    with pytest.raises(InputError) as error:
        klero.near_duplicates(texts, threads=threads)
    assert [(fault.code, fault.row) for fault in error.value.faults] == [("encoding-unreadable", row + 1)]
