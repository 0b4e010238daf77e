"""Quotas on combinations of columns and on bands of a number: one reading, or a fault that says what to write."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import klero
from klero.cli import run
from klero.errors import Fault, InputError
from klero.sortition.bins import band_key, binned, edges_of, labels, parse_bin
from klero.sortition.derive import derived
from klero.sortition.instance import build_instance, read_instance
from klero.sortition.pool import Pool
from klero.sortition.quotas import Cell, Quotas
from klero.sortition.rules import Rules

PEOPLE = [
    {"id": i, "age": age, "gender": gender, "area": area}
    for i, (age, gender, area) in enumerate(
        [
            ("16-24", "woman", "n"),
            ("16-24", "man", "s"),
            ("65+", "woman", "n"),
            ("65+", "man", "s"),
            ("65+", "man", "n"),
        ]
    )
]


def quotas_of(*cells: tuple[str, str, int, int]) -> Quotas:
    return Quotas(tuple(Cell(*cell, row=i + 2) for i, cell in enumerate(cells)))


def found(pool: Pool, quotas: Quotas, size: int = 2) -> list[Fault]:
    return derived(pool, quotas, size)[2]


# Combinations


@pytest.mark.parametrize("sign", [" × ", " x ", " * ", " & ", "&", "×"])
def test_a_combination_is_one_more_feature_and_the_rest_is_free(sign: str) -> None:
    feature, value = f"age{sign}gender", f"16-24{sign}woman"
    pool, quotas, faults = derived(Pool.read(PEOPLE), quotas_of((feature, value, 1, 1)), 3)
    assert not faults
    assert pool.column(feature) == (value, "16-24 × man", "65+ × woman", "65+ × man", "65+ × man")
    assert [(c.value, c.min, c.max) for c in quotas.cells] == [
        (value, 1, 1),
        ("16-24 × man", 0, 3),
        ("65+ × man", 0, 3),
        ("65+ × woman", 0, 3),
    ]


def test_three_columns_cross_and_parts_keep_their_order() -> None:
    quotas = quotas_of(("area × age × gender", "n × 65+ × man", 0, 1))
    pool, _, faults = derived(Pool.read(PEOPLE), quotas, 3)
    assert not faults
    assert pool.column("area × age × gender")[4] == "n × 65+ × man"


def test_a_column_of_that_very_name_wins() -> None:
    people = [{"a": "1", "b": "2", "a & b": "own"}]
    quotas = quotas_of(("a & b", "own", 1, 1))
    pool, same, faults = derived(Pool.read(people), quotas, 1)
    assert (pool.columns, same, faults) == (("a", "b", "a & b"), quotas, [])


def test_names_that_hold_a_separator_are_read_in_the_one_way_that_fits() -> None:
    people = [{"R & D": "a & b", "x": "c"}, {"R & D": "d", "x": "c"}]
    pool, _, faults = derived(Pool.read(people), quotas_of(("R & D & x", "a & b & c", 1, 1)), 1)
    assert not faults
    assert pool.column("R & D & x") == ("a & b & c", "d × c")


def test_two_readings_are_a_fault() -> None:
    people = [{"a": "1", "b": "1", "c": "1", "a & b": "1", "b & c": "1"}]
    (fault,) = found(Pool.read(people), quotas_of(("a & b & c", "1 & 1", 1, 1)))
    assert fault.code == "cross-ambiguous"
    people = [{"a": "1", "b": "2 & 3"}, {"a": "1 & 2", "b": "3"}]
    (fault,) = found(Pool.read(people), quotas_of(("a & b", "1 & 2 & 3", 1, 1)))
    assert (fault.code, fault.row) == ("cross-ambiguous", 2)
    people = [{"a": "1 × 2", "b": "3"}, {"a": "1", "b": "2 × 3"}]
    assert "cross-ambiguous" in [
        f.code for f in found(Pool.read(people), quotas_of(("a × b", "1 × 3", 0, 1)))
    ]


@pytest.mark.parametrize(
    ("feature", "value", "code", "hint"),
    [
        ("age × gendr", "16-24 × woman", "cross-column-missing", "Did you mean 'gender'?"),
        ("age × age", "16-24 × 16-24", "cross-repeated", "different columns"),
        ("age × gender", "16-24 × womn", "cross-value-unknown", "Did you mean 'woman'?"),
        ("age × gender", "16-24 × Woman", "cross-value-unknown", "Write 'woman'."),
        ("age × gender", "16-24 × zzz", "cross-value-unknown", "Its values are: 'man', 'woman'."),
        ("age × gender", "16-24", "cross-value-unknown", "has 1 part where 2 are asked for"),
        ("age × gender", "16-24 × woman × n", "cross-value-unknown", "has 3 parts where 2"),
    ],
)
def test_a_slip_in_a_combination_is_one_fault_with_what_to_write(
    feature: str, value: str, code: str, hint: str
) -> None:
    with pytest.raises(InputError) as caught:
        build_instance(
            Pool.read(PEOPLE), quotas_of((feature, value, 0, 1), ("area", "n", 0, 2), ("area", "s", 0, 2)), 2
        )
    (fault,) = caught.value.faults
    assert (fault.code, fault.row, fault.column) == (code, 2, feature)
    assert hint in fault.message


def test_a_feature_without_separator_is_left_to_the_match() -> None:
    with pytest.raises(InputError, match="feature-missing"):
        build_instance(Pool.read(PEOPLE), quotas_of(("agee", "16-24", 0, 2)), 2)


def test_one_combination_written_in_two_ways_is_a_duplicate() -> None:
    quotas = quotas_of(("age × gender", "65+ × man", 0, 1), ("age × gender", "65+ x man", 0, 2))
    (fault,) = found(Pool.read(PEOPLE), quotas)
    assert (fault.code, fault.row) == ("quota-duplicate", 3)


def test_a_value_of_a_quota_that_nobody_has_is_known_to_combinations() -> None:
    quotas = quotas_of(("gender", "other", 0, 1), ("age × gender", "65+ × other", 0, 1))
    assert found(Pool.read(PEOPLE), quotas) == []


def test_people_spelled_otherwise_than_the_combination_are_a_fault() -> None:
    people = [*PEOPLE, {"id": 9, "age": "65+", "gender": "Man", "area": "n"}]
    (fault,) = found(Pool.read(people), quotas_of(("age × gender", "65+ × man", 0, 1)))
    assert (fault.code, fault.row, fault.value) == ("cross-value-spelling", 6, "Man")


def test_an_empty_part_is_a_fault_of_the_person() -> None:
    people = [*PEOPLE, {"id": 9, "age": "", "gender": "man", "area": "n"}]
    with pytest.raises(InputError) as caught:
        build_instance(Pool.read(people), quotas_of(("age × gender", "65+ × man", 0, 1)), 2)
    assert [(f.code, f.row, f.column) for f in caught.value.faults] == [("feature-empty", 6, "age × gender")]


VALUES = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=10), st.data())
def test_crossed_quotas_give_the_instance_of_a_column_made_by_hand(
    kinds: list[tuple[str, str]], data: st.DataObject
) -> None:
    people = [{"id": f"p{i}", "f": f, "g": g} for i, (f, g) in enumerate(kinds)]
    named = data.draw(st.lists(st.sampled_from(sorted(set(kinds))), unique=True))
    named = named or [kinds[0]]
    size = data.draw(st.integers(1, len(kinds)))
    cells = [("f × g", " × ".join(pair), 0, data.draw(st.integers(0, size))) for pair in named]
    by_hand = [p | {"f × g": f"{p['f']} × {p['g']}"} for p in people]
    rest = sorted({" × ".join(kind) for kind in kinds} - {cell[1] for cell in cells})
    full = quotas_of(*cells, *(("f × g", value, 0, size) for value in rest))

    def outcome(rows: list[dict[str, str]], quotas: Quotas) -> object:
        try:
            return build_instance(Pool.read(rows), quotas, size).digest()
        except InputError as error:
            return [fault.code for fault in error.faults]

    assert outcome(people, quotas_of(*cells)) == outcome(by_hand, full)


def test_the_lottery_keeps_a_combination_and_needs_no_single_quotas() -> None:
    quotas = Quotas.read([{"feature": "age × gender", "value": "16-24 × woman", "min": 1, "max": 1}])
    lottery = klero.fair_lottery(Pool.read(PEOPLE), quotas, size=2)
    assert [lottery.probability(str(i)) for i in range(5)] == [1, *[Fraction(1, 4)] * 4]


# Bands


def test_bands_hold_their_lower_edge_and_not_their_upper_one() -> None:
    pool = Pool.read(
        [{"age": text} for text in ("15.999", "16", "24,9", "25", "64", "65", "130", "-3", "\u22121")]
    )
    assert pool.with_bins({"age": [16, 25, 65]}).column("age") == (
        *("under 16", "16-24", "16-24", "25-64", "25-64", "65+", "65+", "under 16", "under 16"),
    )


@pytest.mark.parametrize(
    ("edges", "names"),
    [
        ([18], ("under 18", "18+")),
        ([0, 1, 5], ("under 0", "0", "1-4", "5+")),
        (["1.50", "2.5"], ("under 1.5", "1.5 to under 2.5", "2.5+")),
        ([-10, 10], ("under -10", "-10 to under 10", "10+")),
        ([100, 1000], ("under 100", "100-999", "1000+")),
    ],
)
def test_labels(edges: list[object], names: tuple[str, ...]) -> None:
    assert labels(edges_of("x", edges)) == names  # type: ignore[arg-type]


@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=5, unique=True),
    st.lists(st.integers(0, 80), min_size=1),
)
def test_whole_numbers_are_in_the_band_whose_label_says_so(edges: list[int], numbers: list[int]) -> None:
    edges = sorted(edges)
    pool = Pool.read([{"x": n} for n in numbers]).with_bins({"x": edges})
    for n, label in zip(numbers, pool.column("x"), strict=True):
        if label.startswith("under "):
            assert n < int(label[6:]) == edges[0]
        elif label.endswith("+"):
            assert n >= int(label[:-1]) == edges[-1]
        else:
            low, _, high = label.partition("-")
            assert int(low) <= n <= int(high or low)
            assert int(low) in edges


@pytest.mark.parametrize("edges", [[], "16", [16, 16], [25, 16], ["x"], [True], [float("nan")], ["1,234"]])
def test_edges_that_can_not_be_are_a_fault(edges: object) -> None:
    with pytest.raises(InputError, match="bin-edges"):
        Pool.read([{"age": 1}]).with_bins({"age": edges})  # type: ignore[dict-item]


@pytest.mark.parametrize("text", ["34 ans", "abc", "1,234", "3.", "1e3", "inf", "١٢", "1 000", "1" * 40])
def test_a_cell_that_is_no_number_is_a_fault_with_row_and_value(text: str) -> None:
    with pytest.raises(InputError) as caught:
        Pool.read([{"age": "1"}, {"age": text}, {"age": text}], name="p").with_bins({"age": [16]})
    (fault,) = caught.value.faults
    assert (fault.code, fault.file, fault.row, fault.column, fault.value) == (
        "bin-not-number",
        "p",
        2,
        "age",
        text,
    )
    assert "also in row 3" in fault.message


@pytest.mark.parametrize("text", ["1990-05-01", "1.5.1990", "01/05/1990"])
def test_a_date_is_told_to_be_one(text: str) -> None:
    with pytest.raises(InputError, match="make a column of ages"):
        Pool.read([{"born": text}]).with_bins({"born": [1950]})


def test_columns_that_can_not_be_put_into_bands_are_faults() -> None:
    pool = Pool.read([{"id": 1, "age": 20}])
    _, faults = binned(pool, {"Age": [1], "id": [1]})
    assert [f.code for f in faults] == ["bin-column-missing", "bin-column-taken"]
    assert "Did you mean 'age'?" in faults[0].message
    with pytest.raises(InputError, match="bin-column-taken"):
        pool.with_bins({"age": [16]}).with_bins({"age": [16]})


@pytest.mark.parametrize(
    ("spelling", "label"),
    [
        ("16–24", "16-24"),
        ("16 - 24 ans", "16-24"),
        ("16 à 24", "16-24"),
        ("16 to 24 years", "16-24"),
        ("65 and over", "65+"),
        ("65 et plus", "65+"),
        ("65 ans et plus", "65+"),
        ("65 +", "65+"),
        ("≥ 65", "65+"),
        ("moins de 16 ans", "under 16"),
        ("< 16", "under 16"),
        ("Under 16", "under 16"),
    ],
)
def test_quotas_may_spell_a_band_as_people_do(spelling: str, label: str) -> None:
    assert band_key(spelling) == band_key(label) == label
    pool = Pool.read([{"age": 20, "g": "w"}, {"age": 70, "g": "w"}, {"age": 3, "g": "w"}]).with_bins(
        {"age": [16, 25, 65]}
    )
    cells = [("age", name, 0, 1) for name in ("under 16", "16-24", "25-64", "65+") if name != label]
    instance = build_instance(pool, quotas_of(("age", spelling, 0, 1), *cells), 2)
    assert label in instance.values[0]
    crossed = build_instance(pool, quotas_of(("age × g", f"{spelling} × w", 1, 1)), 2)
    assert sum(crossed.minima[0]) == 1


def test_a_quota_on_no_band_is_a_fault_that_lists_the_bands() -> None:
    pool = Pool.read([{"age": 20}, {"age": 70}]).with_bins({"age": [16, 25]})
    (fault,) = found(pool, quotas_of(("age", "18-24", 0, 1), ("age", "16-24", 0, 1), ("age", "25+", 0, 1)))
    assert (fault.code, fault.row) == ("bin-label-unknown", 2)
    assert "'under 16', '16-24', '25+'" in fault.message
    (fault,) = found(pool, quotas_of(("age", "25 and over", 0, 1), ("age", "25+", 0, 1)))
    assert (fault.code, fault.row) == ("quota-duplicate", 3)


def test_people_below_the_first_edge_need_a_quota_of_their_own() -> None:
    pool = Pool.read([{"age": 20}, {"age": 7}]).with_bins({"age": [16]})
    with pytest.raises(InputError, match="'under 16' has no quota"):
        build_instance(pool, quotas_of(("age", "16+", 0, 2)), 1)
    build_instance(pool, quotas_of(("age", "16+", 0, 2), ("age", "under 16", 0, 0)), 1)


def test_the_option_is_read() -> None:
    assert parse_bin(" age : 16, 25 ;40") == ("age", (16, 25, 40))
    assert parse_bin("a: b: 1.5") == ("a: b", edges_of("", ["1.5"]))
    for text in ("age", ": 1", "age:", "age: 2, 1", "age: x"):
        with pytest.raises(InputError, match="bin-edges"):
            parse_bin(text)


# The commands


def test_check_and_lottery_take_bands_and_combinations(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    people, quotas = tmp_path / "p.csv", tmp_path / "q.csv"
    rows = [f"p{i},{16 + 2 * i},{'woman' if i % 2 else 'man'}" for i in range(30)]
    people.write_text("id,age,gender\n" + "\n".join(rows) + "\n", encoding="utf-8")
    lines = [
        "age,16–39,2,4",
        "age,40 and over,2,4",
        "age × gender,16-39 × woman,1,1",
        "gender,woman,3,3",
        "gender,man,3,3",
    ]
    quotas.write_text("feature,value,min,max\n" + "\n".join(lines) + "\n", encoding="utf-8")
    options = ["--size", "6", "--bin", "age: 16, 40"]
    assert run(["check", str(people), str(quotas), *options, "--format", "json"]) == 0
    cells = {(c["feature"], c["value"]): c["pool"] for c in json.loads(capfd.readouterr().out)["cells"]}
    assert cells["age", "16-39"] == 12
    assert cells["age × gender", "16-39 × woman"] == 6
    out = tmp_path / "bundle"
    assert run(["lottery", str(people), str(quotas), *options, "-o", str(out)]) == 0
    assert run(["verify", str(out)]) == 0
    assert run(["check", str(people), str(quotas), *options, "--bin", "age: 1"]) == 3
    assert run(["check", str(people), str(quotas), "--size", "6"]) == 3


def test_faults_of_bands_come_with_all_others(tmp_path: Path) -> None:
    people = [{"id": 1, "age": "x", "g": "a"}, {"id": 1, "age": 20, "g": "b"}]
    quotas = [
        {"feature": f, "value": v, "min": 0, "max": 2}
        for f, v in (("age", "16+"), ("g", "a"), ("age × h", "16+ × a"))
    ]
    with pytest.raises(InputError) as caught:
        read_instance(people, quotas, 1, rules=Rules(bins={"age": [16], "hight": [1]}))
    assert [f.code for f in caught.value.faults] == [
        "id-duplicate",
        "bin-not-number",
        "bin-column-missing",
        "cross-column-missing",
        "value-unknown",
    ]
