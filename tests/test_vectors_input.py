"""Vectors from every producer: the same numbers, no copy where none is needed, and all that is wrong told at once."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.errors import CODES, Fault, InputError
from klero.themes.vectors import Vectors, VectorSource, read_vectors

X = np.random.default_rng(7).standard_normal((11, 6)).astype(np.float32)
LISTS = X.tolist()


def fixed(array: np.ndarray = X) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), array.shape[1])


def faults_of(source: object, **options: str) -> tuple[Fault, ...]:
    with pytest.raises(InputError) as caught:
        read_vectors(source, **options)  # type: ignore[arg-type]
    for fault in caught.value.faults:
        assert fault.code in CODES
        assert str(fault).endswith(f"[{fault.code}]")
    return caught.value.faults


def codes(source: object, **options: str) -> list[str]:
    return [fault.code for fault in faults_of(source, **options)]


class ArrayOnly:
    """Exports an Arrow array and no stream."""

    def __init__(self, array: pa.Array) -> None:
        self._array = array

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        return self._array.__arrow_c_array__(requested_schema)  # type: ignore[no-any-return]


class Tensor:
    """As torch's, read by numpy's protocol."""

    def __init__(self, array: np.ndarray) -> None:
        self._array = array

    def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
        return self._array


def duck() -> object:
    lists = pa.table({"id": range(11), "v": pa.array(LISTS, pa.list_(pa.float64()))})
    return duckdb.connect().from_arrow(lists).project("id, v::FLOAT[6] AS v")


PRODUCERS: dict[str, Callable[[], object]] = {
    "numpy": lambda: X,
    "float64": lambda: X.astype(np.float64),
    "Fortran": lambda: np.asfortranarray(X),
    "other byte order": lambda: X.astype(X.dtype.newbyteorder()),
    "every second row": lambda: np.repeat(X, 2, axis=0)[::2],
    "read-only": lambda: np.frombuffer(X.tobytes(), np.float32).reshape(X.shape),
    "masked, nothing hidden": lambda: np.ma.masked_array(X, np.zeros(X.shape, bool)),
    "objects": lambda: X.astype(object),
    "array of rows": lambda: pd.Series(list(X)).to_numpy(),
    "tensor": lambda: Tensor(X),
    "lists": lambda: LISTS,
    "tuples": lambda: tuple(map(tuple, LISTS)),
    "rows of numpy": lambda: list(X),
    "fixed-size lists": fixed,
    "fixed-size lists of doubles": lambda: fixed(X.astype(np.float64)),
    "slice with an offset": lambda: pa.concat_arrays([fixed(X[:3]), fixed()]).slice(3),
    "slice of a chunked array": lambda: pa.chunked_array([fixed(X[:5] * 2), fixed()]).slice(5),
    "chunks": lambda: pa.chunked_array([fixed(X[:4]), fixed(X[4:5]), fixed(X[5:5]), fixed(X[5:])]),
    "lists of Arrow": lambda: pa.array(LISTS, pa.list_(pa.float32())),
    "slice of lists of Arrow": lambda: pa.array([[9.0], *LISTS, None], pa.list_(pa.float32())).slice(1, 11),
    "large lists": lambda: pa.array(LISTS, pa.large_list(pa.float64())),
    "list views": lambda: pa.array(LISTS, pa.list_view(pa.float32())),
    "tensors of Arrow": lambda: pa.FixedShapeTensorArray.from_numpy_ndarray(X),
    "array alone": lambda: ArrayOnly(fixed()),
    "struct array": lambda: pa.StructArray.from_arrays([fixed()], ["v"]),
    "table": lambda: pa.table({"id": range(11), "text": ["x"] * 11, "v": fixed()}),
    "record batch": lambda: pa.record_batch({"v": fixed(), "tags": [[1]] * 11}),
    "reader": lambda: pa.table({"v": fixed()}).to_reader(3),
    "table of columns": lambda: pa.table(dict(zip("abcdef", X.T, strict=True))),
    "polars Array": lambda: pl.Series("v", X),
    "polars List": lambda: pl.Series("v", LISTS),
    "polars frame": lambda: pl.DataFrame({"n": range(11), "v": pl.Series(X, dtype=pl.Array(pl.Float32, 6))}),
    "polars columns": lambda: pl.DataFrame(X),
    "pandas of Arrow": lambda: pd.Series(LISTS, dtype=pd.ArrowDtype(pa.list_(pa.float32()))),
    "pandas of objects": lambda: pd.Series(list(X)),
    "pandas frame": lambda: pd.DataFrame(
        {"id": range(11), "v": pd.array(fixed(), pd.ArrowDtype(fixed().type))}
    ),
    "pandas columns, filtered": lambda: pd.DataFrame(np.repeat(X, 2, axis=0))[::2],
    "duckdb": duck,
}


@pytest.mark.parametrize("name", PRODUCERS)
def test_every_producer_gives_the_same_matrix(name: str) -> None:
    found = read_vectors(PRODUCERS[name]())  # type: ignore[arg-type]
    assert found.array.dtype == np.float32
    assert found.array.flags.c_contiguous
    assert np.array_equal(found.array, X)
    assert (found.facts.rows, found.facts.dimension, len(found)) == (11, 6, 11)


@pytest.mark.parametrize(
    ("source", "base"),
    [
        (X, X),
        (X[3:8], X),
        (fixed(), fixed),
        (fixed().slice(2, 5), fixed),
        (pa.table({"id": range(11), "v": fixed()}), fixed),
        (pl.Series("v", X), None),
    ],
)
def test_what_has_the_form_is_used_where_it_lies(source: VectorSource, base: object) -> None:
    found = read_vectors(source)
    assert found.facts.copied == ()
    assert found.facts.dtype == "float32"
    if isinstance(base, np.ndarray):
        assert np.shares_memory(found.array, base)
    before = pa.total_allocated_bytes()
    assert np.shares_memory(found.array, read_vectors(found).array)
    assert pa.total_allocated_bytes() == before


def test_arrow_s_numbers_are_read_where_they_lie() -> None:
    column = fixed()
    numbers = column.flatten().to_numpy()
    assert np.shares_memory(read_vectors(column).array, numbers)
    assert np.shares_memory(read_vectors(column.slice(4)).array, numbers)
    assert np.shares_memory(read_vectors(pa.table({"v": column})).array, numbers)
    lists = pa.array(LISTS, pa.list_(pa.float32()))
    assert np.shares_memory(read_vectors(lists).array, lists.flatten().to_numpy())


@pytest.mark.parametrize(
    ("name", "dtype", "copied"),
    [
        ("float64", "float64", ("dtype",)),
        ("Fortran", "float32", ("order",)),
        ("every second row", "float32", ("order",)),
        ("lists", "float64", ("dtype", "values")),
        ("chunks", "float32", ("chunks",)),
        ("table of columns", "float32", ("columns",)),
        ("fixed-size lists of doubles", "float64", ("dtype",)),
    ],
)
def test_a_copy_is_told_with_its_reason(name: str, dtype: str, copied: tuple[str, ...]) -> None:
    facts = read_vectors(PRODUCERS[name]()).facts  # type: ignore[arg-type]
    assert (facts.dtype, facts.copied) == (dtype, copied)
    for lang in ("en", "fr"):
        assert dtype in facts.explain(lang)
    assert facts.to_dict()["copied"] == list(copied)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.longdouble, np.int8, np.uint64, np.bool_])
def test_other_numbers_are_cast_and_told(dtype: type[np.generic]) -> None:
    array = np.eye(4, dtype=dtype)
    found = read_vectors(array)
    assert np.array_equal(found.array, np.eye(4, dtype=np.float32))
    assert found.facts.dtype == np.dtype(dtype).name


def test_half_floats_of_arrow_are_read() -> None:
    half = X.astype(np.float16)
    found = read_vectors(fixed(half))
    assert np.array_equal(found.array, half.astype(np.float32))
    assert found.facts.dtype == "float16"


def test_whole_numbers_in_lists_are_taken_if_their_column_is_named() -> None:
    table = pa.table({"tags": [[1, 2], [3, 4]], "text": ["a", "b"]})
    assert codes(table) == ["vectors-column-missing"]
    assert read_vectors(table, column="tags").array.tolist() == [[1, 2], [3, 4]]
    assert read_vectors(table["tags"]).facts.dtype == "int64"


# Files


def npy(path: Path, array: np.ndarray, **options: bool) -> Path:
    np.save(path, array, **options)  # type: ignore[arg-type]
    return path


def test_a_npy_file_stays_on_the_disk(tmp_path: Path) -> None:
    found = read_vectors(npy(tmp_path / "v.npy", X))
    assert np.array_equal(found.array, X)
    assert found.facts.mapped
    assert (found.facts.source, found.facts.copied) == ("v.npy", ())
    owner = found.array
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    assert isinstance(owner, np.memmap)
    assert not found.array.flags.writeable
    assert "file" in found.facts.explain()
    assert read_vectors(str(tmp_path / "v.npy"), name="mine").facts.source == "mine"


@pytest.mark.parametrize(("array", "reason"), [(np.asfortranarray(X), "order"), (X.astype(">f8"), "dtype")])
def test_a_npy_file_of_another_form_is_copied_and_told(
    tmp_path: Path, array: np.ndarray, reason: str
) -> None:
    found = read_vectors(npy(tmp_path / "v.npy", array))
    assert np.array_equal(found.array, X)
    assert found.facts.copied == (reason,)
    assert not found.facts.mapped


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_all_versions_of_the_header_are_read(tmp_path: Path, version: tuple[int, int]) -> None:
    with (tmp_path / "v.npy").open("wb") as stream:
        np.lib.format.write_array(stream, X, version=version)
    assert np.array_equal(read_vectors(tmp_path / "v.npy").array, X)


def damaged(kind: str) -> bytes:
    stream = io.BytesIO()
    if kind == "objects":
        np.save(stream, np.array([["a", None]], object), allow_pickle=True)
        return stream.getvalue()
    np.save(stream, X)
    data = stream.getvalue()
    return {
        "cut off": data[:-1],
        "header alone": data[:128],
        "cut in the header": data[:40],
        "more after it": data + b"x",
        "nothing": b"",
        "text": b"0.1,0.2\n",
        "future version": data[:6] + b"\x09\x00" + data[8:],
        "header that is code": data[:10] + b"__import__('os')".ljust(118) + data[128:],
        "shape beyond the file": data.replace(b"(11, 6)", b"(9**9,)"),
        "shape of thousands": data.replace(b"(11, 6), }", b"(99999999999, 6), }")[: len(data)],
    }[kind]


@pytest.mark.parametrize(
    "kind",
    ["cut off", "header alone", "cut in the header", "more after it", "nothing", "text", "future version",
     "header that is code", "shape beyond the file", "shape of thousands", "objects"],
)  # fmt: skip
def test_damaged_npy_files_are_refused_and_nothing_in_them_runs(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "v.npy"
    path.write_bytes(damaged(kind))
    (fault,) = faults_of(path)
    assert (fault.code, fault.file) == ("npy-invalid", "v.npy")


@settings(max_examples=80, deadline=None, derandomize=True)
@given(st.integers(0, 127), st.integers(0, 255))
def test_no_byte_of_a_header_breaks_more_than_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, place: int, byte: int
) -> None:
    data = bytearray(damaged("more after it")[:-1])
    data[place] = byte
    path = tmp_path_factory.mktemp("npy") / "v.npy"
    path.write_bytes(bytes(data))
    with suppress(InputError):
        found = read_vectors(path)
        assert found.array.shape == X.shape or place in range(10, 128)


@pytest.mark.parametrize("shape", [(0, 6), (6, 0), (6,), (2, 3, 4)])
def test_npy_files_of_other_shapes_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    expected = "vectors-empty" if shape == (0, 6) else "vectors-shape"
    assert codes(npy(tmp_path / "v.npy", np.zeros(shape, np.float32))) == [expected]


@pytest.mark.parametrize("groups", [3, 100])
def test_parquet_files_are_read_by_pieces(tmp_path: Path, groups: int) -> None:
    path = tmp_path / "v.parquet"
    pq.write_table(
        pa.table({"id": range(11), "v.e": fixed(), "text": ["x"] * 11}), path, row_group_size=groups
    )
    found = read_vectors(path)
    assert np.array_equal(found.array, X)
    assert (found.facts.column, found.facts.source, found.facts.copied) == ("v.e", "v.parquet", ("parquet",))
    pq.write_table(
        pa.table({"v": pa.array([*LISTS, [1.0]], pa.list_(pa.float64()))}), path, row_group_size=groups
    )
    assert [(f.code, f.row, f.column, f.value) for f in faults_of(path)] == [("vectors-length", 12, "v", "1")]
    pd.DataFrame(X).iloc[1:].rename(columns=str).to_parquet(path)
    assert np.array_equal(read_vectors(path).array, X[1:])
    path.write_bytes(path.read_bytes()[:-9])
    assert codes(path) == ["file-corrupt"]


def test_a_parquet_file_without_rows_says_so(tmp_path: Path) -> None:
    pq.write_table(pa.table({"v": fixed()})[:0], tmp_path / "v.parquet")
    assert "vectors-empty" in codes(tmp_path / "v.parquet")


def test_files_that_are_not_there_or_of_another_type(tmp_path: Path) -> None:
    assert codes(tmp_path) == ["file-is-directory"]
    assert codes(tmp_path / "no.npy") == ["file-missing"]
    assert codes("a\0b.npy") == ["file-missing"]
    (tmp_path / "v.csv").write_text("1,2\n")
    assert codes(tmp_path / "v.csv") == ["file-type"]
    np.savez(tmp_path / "v.npz", X)
    assert codes(tmp_path / "v.npz") == ["file-type"]
    assert codes(npy(tmp_path / "v.npy", X), column="v") == ["options-conflict"]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "v.npy")
    assert codes(tmp_path / "v.npy") == ["file-unreadable"]


# Columns


def test_the_column_is_found_or_asked_for() -> None:
    two = pa.table({"a": fixed(), "b": fixed(X * 2), "text": ["x"] * 11})
    (fault,) = faults_of(two)
    assert fault.code == "vectors-column-ambiguous"
    assert "'a', 'b'" in fault.message
    assert np.array_equal(read_vectors(two, column="b").array, X * 2)
    assert codes(two, column="c") == ["vectors-column-missing"]
    assert codes(two, column="text") == ["vectors-type"]
    assert codes(pa.table({"text": ["x"]})) == ["vectors-column-missing"]
    assert codes(pa.table({"id": [1, 2], "score": [0.5, 0.1]})) == ["vectors-column-missing"]
    assert codes(pa.table([fixed(), fixed()], ["v", "v"]), column="v") == ["column-duplicate"]
    assert codes(X, column="v") == ["options-conflict"]
    assert codes(X, column=3) == ["option-unknown"]  # type: ignore[arg-type]


# What is wrong


def test_rows_that_are_not_finite_are_named_the_first_twenty_and_how_many_more() -> None:
    array = np.ones((5000, 3), np.float32)
    array[::40, 1] = np.nan
    array[7, 2] = -np.inf
    (fault,) = faults_of(array, name="v.npy")
    assert (fault.code, fault.row, fault.file, fault.value) == ("vectors-not-finite", 1, "v.npy", "nan")
    assert "rows 1, 8, 41, 81" in fault.message
    assert "721 and 106 more" in fault.message
    assert "number 2 of 3" in fault.message


def test_rows_of_zeros_are_named_with_what_they_mean_and_both_faults_come_together() -> None:
    array = X.copy()
    array[4], array[9], array[2, 0] = 0.0, -0.0, np.inf
    first, second = faults_of(array)
    assert (first.code, first.row) == ("vectors-not-finite", 3)
    assert (second.code, second.row) == ("vectors-zero", 5)
    assert "rows 5 and 10 are zeros" in second.message
    assert "empty text" in second.message


def test_what_thirty_two_bits_cannot_hold_is_not_finite_and_what_is_too_small_is_zero() -> None:
    array = np.ones((3, 2))
    array[1, 1], array[2] = 1e300, 1e-300
    assert [(fault.code, fault.row) for fault in faults_of(array)] == [
        ("vectors-not-finite", 2),
        ("vectors-zero", 3),
    ]
    chunks = pa.chunked_array([fixed(array[:2]), fixed(array[2:])])
    assert codes(chunks) == ["vectors-not-finite", "vectors-zero"]


def test_rows_of_zeros_are_taken_and_counted_where_they_are_asked_for() -> None:
    array = np.eye(3, dtype=np.float32)
    array[1] = 0
    taken = read_vectors(array, zeros=True)
    assert taken.facts.zeros == 1
    assert read_vectors(taken, zeros=True) is taken
    assert codes(taken) == ["vectors-zero"]
    array[2] = np.nan
    with pytest.raises(InputError, match="vectors-not-finite"):
        read_vectors(array, zeros=True)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        (np.float32(1.0), "vectors-shape"),
        (X[0], "vectors-shape"),
        (X[None], "vectors-shape"),
        (LISTS[0], "vectors-shape"),
        ([LISTS], "vectors-shape"),
        (np.zeros((3, 0)), "vectors-shape"),
        ([[], []], "vectors-shape"),
        (np.zeros((0, 3)), "vectors-empty"),
        (fixed()[:0], "vectors-empty"),
        (X.astype(complex), "vectors-type"),
        ([[1j, 2]], "vectors-type"),
        (X.astype(str), "vectors-type"),
        (X.astype("M8[s]"), "vectors-type"),
        ([["0.5", "1"], ["1", "2"]], "vectors-type"),
        ([[0.5, "1"], [1, 2]], "vectors-type"),
        (["a", "b"], "vectors-type"),
        ([{"v": 1}], "vectors-type"),
        ([{1, 2}], "vectors-type"),
        ([[0.5, {}], [1, 2]], "vectors-type"),
        ([[dt.date(2020, 1, 1)]], "vectors-type"),
        ([[10**400, 1]], "vectors-type"),
        ([[0.5, [1]], [1, 2]], "vectors-type"),
        (pa.array([["a"]]), "vectors-type"),
        (pa.array([1.0, 2.0]), "vectors-type"),
        (pa.array([[[1.0]]]), "vectors-type"),
        (pl.Series(["a"]), "vectors-type"),
        (None, "source-type"),
        (3, "source-type"),
        (b"abc", "source-type"),
        ({"v": [1.0]}, "source-type"),
        ((x for x in LISTS), "source-type"),
    ],
)  # fmt: skip
def test_what_is_no_matrix_of_numbers_is_refused(source: object, code: str) -> None:
    assert code in codes(source)


def test_sparse_matrices_are_refused_by_name() -> None:
    class Sparse:
        nnz = 3

        def tocsr(self) -> object:
            return self

    (fault,) = faults_of(Sparse())
    assert fault.code == "vectors-type"
    assert "sparse" in fault.message


@pytest.mark.parametrize(
    ("source", "rows"),
    [
        ([LISTS[0], None, LISTS[1], None], "rows 2 and 4 lack"),
        ([[1.0, None], [1.0, 2.0]], "row 1 lacks"),
        (pa.array([None, [1.0, 2.0], [None, 2.0]]), "rows 1 and 3 lack"),
        (pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2)), "row 2 lacks"),
        (pa.chunked_array([[[1.0], [2.0]], [[None], [3.0]]], pa.list_(pa.float32(), 1)), "row 3 lacks"),
        (pa.table({"a": [1.0, None], "b": [2.0, 3.0]}), "row 2 lacks"),
        (pd.Series([[1.0], None]), "row 2 lacks"),
        (np.ma.masked_array(X, X[6, 1] == X), "row 7 lacks"),
    ],
)
def test_missing_vectors_are_named_and_never_filled_in(source: object, rows: str) -> None:
    (fault,) = faults_of(source)
    assert fault.code == "vectors-null"
    assert rows in fault.message


@pytest.mark.parametrize("form", [list, lambda rows: pa.array(rows), lambda rows: pl.Series(rows)])
def test_rows_of_another_length_are_named(form: Callable[[list[list[float]]], object]) -> None:
    (fault,) = faults_of(form([[1.0, 2.0], [3.0], [5.0, 6.0], [], [1.0, 1.0]]))
    assert (fault.code, fault.row, fault.value) == ("vectors-length", 2, "1")
    assert "rows 2 and 4 have another length than the others, which have 2 numbers" in fault.message


def test_copies_are_counted_by_their_numbers() -> None:
    array = np.array([[0.0, 1], [-0.0, 1], [1, 0], [0, 1], [1, 0], [1, 1e-7]], np.float32)
    assert read_vectors(array).facts.duplicates == 3
    assert "3 of them repeat an earlier one" in read_vectors(array).facts.explain()
    assert read_vectors(np.ones((500, 9))).facts.duplicates == 499


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(
        st.lists(st.sampled_from([0.0, 1.0, -0.0, 2.5]), min_size=3, max_size=3), min_size=1, max_size=30
    ),
    st.integers(1, 4),
)
def test_copies_are_those_that_python_sees(rows: list[list[float]], threads: int) -> None:
    rows = [row if any(row) else [1.0, 0.0, 0.0] for row in rows]
    assert read_vectors(rows, threads=threads).facts.duplicates == len(rows) - len(
        {tuple(x + 0.0 for x in row) for row in rows}
    )


def test_one_row_is_enough() -> None:
    found = read_vectors(X[:1])
    assert (found.facts.rows, found.facts.duplicates) == (1, 0)
    assert found.facts.explain("fr").startswith("1 vecteur de 6 nombres")


def test_options_are_checked() -> None:
    with pytest.raises(InputError, match="option-range"):
        read_vectors(X, threads=0)


def test_facts_and_messages_show_no_control_characters() -> None:
    table = pa.table({"a\x1b[31m": fixed(), "b\n": fixed()})
    assert "\x1b" not in str(faults_of(table)[0])
    assert isinstance(read_vectors(table, column="b\n"), Vectors)


def test_what_embed_gives_is_told_apart_from_its_vectors() -> None:
    from klero.themes.embedders import embed

    made = embed(["more trees", "more trees, please", "fewer cars"])
    with pytest.raises(InputError, match="Give what stands in its `vectors`"):
        read_vectors(made)  # type: ignore[arg-type]
