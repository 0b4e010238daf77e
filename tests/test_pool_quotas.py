"""Pools, quotas and the instance made of both: names, order, digest, and the reference data."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.sortition.instance import Instance, build_instance, read_instance
from klero.sortition.pool import Pool
from klero.sortition.quotas import Cell, Quotas

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("KLERO_DATA", ROOT.parent / "shared" / "data")) / "sortition"
CASES = sorted(path.parent for path in DATA.glob("*/meta.json"))

Rows = list[dict[str, object]]

PEOPLE: Rows = [
    {"id": "b", "gender": "woman", "age": "30+", "town": "x"},
    {"id": "a", "gender": "man", "age": "16-29", "town": "y"},
    {"id": "é", "gender": "woman", "age": "30+", "town": "z"},
    {"id": "Z", "gender": "man", "age": "30+", "town": "x"},
]
QUOTAS: Rows = [
    {"feature": "gender", "value": "woman", "min": 1, "max": 2, "min_flex": 0, "max_flex": None},
    {"feature": "gender", "value": "man", "min": 0, "max": 2, "min_flex": 0, "max_flex": 3},
    {"feature": "age", "value": "30+", "min": 1, "max": 2, "min_flex": None, "max_flex": None},
    {"feature": "age", "value": "16-29", "min": 0, "max": 1, "min_flex": 0, "max_flex": 2},
    {"feature": "age", "value": "0-15", "min": 0, "max": 0, "min_flex": 0, "max_flex": 0},
]


def instance(people: Rows = PEOPLE, quotas: Rows = QUOTAS, size: int = 2) -> Instance:
    return build_instance(Pool.read(people), Quotas.read(quotas), size)


# Pools


@pytest.mark.parametrize("heading", ["id", "ID", " Id "])
def test_the_id_column_is_found_in_any_case(heading: str) -> None:
    pool = Pool.read([{"x": 1, heading: "a"}])
    assert (pool.ids, pool.id_column) == (("a",), heading.strip())


def test_an_exact_id_column_wins_over_others() -> None:
    assert Pool.read([{"ID": "A", "id": "b"}]).ids == ("b",)


def test_the_id_column_can_be_named() -> None:
    pool = Pool.read([{"id": 1, "number": "n7"}], id=" number ")
    assert (pool.ids, pool.id_column) == (("n7",), "number")


def test_people_without_an_id_column_are_numbered(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("x\n\na\nb\n", encoding="utf-8")
    pool = Pool.read(tmp_path / "p.csv")
    assert (pool.ids, pool.id_column, pool.row_numbers) == (("1", "2"), "", (3, 4))


def test_a_pool_says_what_it_is() -> None:
    pool = Pool.read([{"id": "<a>", "g": "w"}])
    assert repr(pool) == "<Pool 'people': 1 person, id column 'id', columns 'id', 'g'>"
    assert repr(Pool.read([{"g": "w"}] * 2)) == "<Pool 'people': 2 people, ids are row numbers, columns 'g'>"
    assert "&lt;a&gt;" in pool._repr_html_()
    assert (len(pool), pool.columns, pool.column("g"), pool.name) == (1, ("id", "g"), ("w",), "people")


# Quotas


@pytest.mark.parametrize(
    "header",
    [
        "feature,value,min,max",
        "category,name,min,max",
        "category,feature,min,max",
        "Category, Feature ,MIN,Max",
        "FeatureName,ValueName,MinQuota,MaxQuota",
        "feature_name,value_name,min_quota,max_quota",
        "Feature,Name,Minimum,Maximum",
        "critère,valeur,min,max",
        "Catégorie,Nom,Minimum,Maximum",
        "caractéristique,modalité,mini,maxi",
    ],
)
def test_every_usual_heading_is_understood(tmp_path: Path, header: str) -> None:
    (tmp_path / "q.csv").write_text(f"{header}\ngender,woman,1,2\n", encoding="utf-8")
    assert Quotas.read(tmp_path / "q.csv").cells == (Cell("gender", "woman", 1, 2, row=2),)


def test_other_columns_and_other_orders_do_not_matter() -> None:
    row = {"suggest max": 9, "Max": 2, "Current #": "x", "suggest min": 8}
    row |= {"name": "w", "min": 1, "Category": "g"}
    assert Quotas.read([row]).cells == (Cell("g", "w", 1, 2, row=1),)


def test_flexible_bounds_are_read_and_may_be_left_out() -> None:
    first, second = Quotas.read(QUOTAS[:2]).cells
    assert (first.min_flex, first.max_flex, second.min_flex, second.max_flex) == (0, None, 0, 3)


def test_quotas_say_what_they_are() -> None:
    quotas = Quotas.read(QUOTAS)
    assert repr(quotas) == "<Quotas 'quotas': 2 features, 5 values>"
    assert quotas.features == ("gender", "age")
    assert quotas.values("age") == ("30+", "16-29", "0-15")
    assert quotas.values("x") == ()
    assert "<td>16-29</td>" in quotas._repr_html_()


# Instances


def test_everything_is_numbered_by_code_point() -> None:
    made = instance()
    assert made.features == ("age", "gender")
    assert made.values == (("0-15", "16-29", "30+"), ("man", "woman"))
    assert made.minima == ((0, 0, 1), (0, 1))
    assert made.maxima == ((0, 1, 2), (2, 2))
    assert made.flex_minima == ((0, 0, None), (0, 0))
    assert made.flex_maxima == ((0, 2, None), (3, None))
    assert made.types == ((1, 0), (2, 0), (2, 1))
    assert made.counts == (1, 1, 2)
    assert made.ids == ("Z", "a", "b", "é")
    assert made.person_type == (1, 0, 2, 2)
    assert made.id_column == "id"


def test_cells_are_numbered_feature_by_feature() -> None:
    made = instance()
    assert made.cells == ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1))
    assert [made.cell_of(f, v) for f, v in made.cells] == [0, 1, 2, 3, 4]
    assert made.cell_bounds == ((0, 0), (0, 1), (1, 2), (0, 2), (1, 2))
    assert made.cell_name(4) == "gender: woman"
    assert [made.type_cells(t) for t in range(3)] == [(1, 3), (2, 3), (2, 4)]
    assert made.type_name(2) == "age: 30+, gender: woman"
    for wrong in ((0, 3), (2, 0), (-1, 0), (0, -1)):
        with pytest.raises(IndexError):
            made.cell_of(*wrong)


def test_a_value_that_nobody_has_stays_a_cell_even_with_a_minimum() -> None:
    quotas = [*QUOTAS[:4], {**QUOTAS[4], "min": 1, "max": 1, "max_flex": 1}]
    assert instance(quotas=quotas).cell_bounds[0] == (1, 1)


def test_the_digest_is_the_hash_of_the_documented_text() -> None:
    text = (
        '["klero-instance-2",2,["age","gender"],'
        '[[["0-15",0,0,0,0],["16-29",0,1,0,2],["30+",1,2,null,null]],[["man",0,2,0,3],["woman",1,2,0,null]]],'
        '[["Z",1,"30+","man"],["a",1,"16-29","man"],["b",1,"30+","woman"],["é",1,"30+","woman"]],0,[]]'
    )
    assert instance().digest() == hashlib.sha256(text.encode("utf-8")).hexdigest()


@given(st.permutations(PEOPLE), st.permutations(QUOTAS))
def test_the_order_of_rows_changes_nothing(people: Rows, quotas: Rows) -> None:
    made = instance(people, quotas)
    assert made == instance()
    assert made.digest() == instance().digest()


def test_the_order_of_columns_changes_nothing() -> None:
    turned = [dict(reversed(row.items())) for row in PEOPLE]
    assert instance(turned).digest() == instance().digest()


@pytest.mark.parametrize("change", ["id", "age", "gender"])
def test_the_digest_changes_with_each_person(change: str) -> None:
    value = {"id": "c", "age": "0-15", "gender": "man"}[change]
    assert instance([{**PEOPLE[0], change: value}, *PEOPLE[1:]]).digest() != instance().digest()


@pytest.mark.parametrize("change", ["min", "max", "min_flex", "max_flex"])
def test_the_digest_changes_with_each_bound(change: str) -> None:
    changed = {**QUOTAS[3], change: {"min": 1, "max": 2, "min_flex": None, "max_flex": None}[change]}
    assert instance(quotas=[*QUOTAS[:3], changed, QUOTAS[4]]).digest() != instance().digest()


def test_the_digest_changes_with_the_size_and_not_with_columns_without_quotas() -> None:
    assert instance(size=3, quotas=[*QUOTAS[:2], {**QUOTAS[2], "max": 3}, *QUOTAS[3:]]).size == 3
    assert instance(size=1).digest() != instance().digest()
    assert instance([{**row, "town": "elsewhere"} for row in PEOPLE]).digest() == instance().digest()


def test_every_kind_of_source_gives_the_same_instance(tmp_path: Path) -> None:
    expected = instance()
    table = pa.Table.from_pylist(PEOPLE)
    (tmp_path / "p.csv").write_text(pl.DataFrame(PEOPLE).write_csv(separator=";"), encoding="cp1252")
    for source in (
        table,
        pl.DataFrame(PEOPLE),
        table.to_pandas(),
        tmp_path / "p.csv",
        str(tmp_path / "p.csv"),
    ):
        assert read_instance(source, QUOTAS, 2) == expected


def test_quotas_without_any_row_leave_one_type() -> None:
    made = build_instance(Pool.read(PEOPLE), Quotas(()), 2)
    assert (made.types, made.counts, len(made.ids), made.cells) == (((),), (4,), 4, ())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_types_and_people_say_what_the_table_says(data: st.DataObject) -> None:
    names = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=3)
    values = {f"f{f}": data.draw(st.lists(names, min_size=1, max_size=3, unique=True)) for f in range(3)}
    people: Rows = [
        {"id": f"p{i}", **{f: data.draw(st.sampled_from(known)) for f, known in values.items()}}
        for i in range(data.draw(st.integers(1, 12)))
    ]
    quotas: Rows = [
        {"feature": f, "value": value, "min": 0, "max": 9} for f, known in values.items() for value in known
    ]
    made = instance(people, quotas, 1)
    told = {str(row["id"]): tuple(row[f] for f in made.features) for row in people}
    assert made.types == tuple(sorted(set(made.types)))
    assert list(made.ids) == sorted(told)
    assert [made.person_type.count(t) for t in range(len(made.types))] == list(made.counts)
    for person, t in zip(made.ids, made.person_type, strict=True):
        assert tuple(made.values[f][v] for f, v in enumerate(made.types[t])) == told[person]
        assert [made.cell_name(c) for c in made.type_cells(t)] == [
            f"{f}: {value}" for f, value in zip(made.features, told[person], strict=True)
        ]


# The reference data, which is not part of this repository


@pytest.mark.skipif(not CASES, reason=f"no reference data in {DATA}; set KLERO_DATA")
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_the_reference_data_load_in_any_order_of_rows(case: Path, tmp_path: Path) -> None:
    meta = json.loads((case / "meta.json").read_text(encoding="utf-8"))
    made = read_instance(case / "respondents.csv", case / "categories.csv", meta["k"], meta["id_column"])
    assert sum(made.counts) == len(made.ids) >= made.size == meta["k"]
    assert len(made.cells) == len(Quotas.read(case / "categories.csv"))
    if meta["id_column"] is not None:
        again = [tmp_path / "people.csv", tmp_path / "quotas.csv"]
        for path, name in zip(again, ("respondents.csv", "categories.csv"), strict=True):
            path.write_text(
                shuffled((case / name).read_text(encoding="utf-8-sig").splitlines()), encoding="utf-8"
            )
        assert read_instance(*again, meta["k"], meta["id_column"]).digest() == made.digest()


def shuffled(lines: Sequence[str]) -> str:
    body = list(lines[1:])
    random.Random(5).shuffle(body)
    return "\n".join([lines[0], *body])
