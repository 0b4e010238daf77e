"""What is settled before a draw: names are right, nobody is counted twice, and what is left of quotas is what is left."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klero.errors import CODES, Fault
from klero.sortition.addresses import Decision
from klero.sortition.decided import Decided, decide
from klero.sortition.id_lists import parse_ids
from klero.sortition.instance import build_instance
from klero.sortition.pool import Pool
from klero.sortition.quotas import Cell, Quotas

PEOPLE = [
    {"id": "a", "gender": "woman", "age": "20", "street": "1 rue X"},
    {"id": "b", "gender": "woman", "age": "70", "street": "1, R. X"},
    {"id": "c", "gender": "man", "age": "30", "street": "2 rue Voltaire"},
    {"id": "d", "gender": "man", "age": "80", "street": ""},
    {"id": "e", "gender": "man", "age": "41", "street": "3 rue X"},
]
QUOTAS = Quotas((Cell("gender", "woman", 1, 2, 0, 3, row=2), Cell("gender", "man", 1, 2, row=3)), "q.csv")


def decided(size: int = 3, quotas: Quotas = QUOTAS, **options: object) -> tuple[Pool, Decided, list[Fault]]:
    outcome = decide(Pool.read(PEOPLE), quotas, size, **options)  # type: ignore[arg-type]
    assert {fault.code for fault in outcome[2]} <= set(CODES)
    return outcome


def codes(
    size: int = 3, quotas: Quotas = QUOTAS, **options: object
) -> list[tuple[str, int | None, str | None]]:
    return [(f.code, f.row, f.value) for f in decided(size, quotas, **options)[2]]


def test_nothing_decided_changes_nothing() -> None:
    pool, what, faults = decided()
    assert pool == Pool.read(PEOPLE)
    assert (what, faults) == (Decided((), (), (), (), QUOTAS, 3), [])


def test_excluded_people_leave_and_the_others_keep_their_rows() -> None:
    pool, what, faults = decided(exclude=["c", "a"])
    assert not faults
    assert pool.ids == ("b", "d", "e")
    assert pool.row_numbers == (2, 4, 5)
    assert pool.column("age") == ("70", "80", "41")
    assert what.excluded == ("a", "c")
    build_instance(pool, what.quotas, what.size)


# Lists of ids


@pytest.mark.parametrize(
    "text", ["id\na\nc\n", "a\nc\n", "ID\r\nc\r\na", "name;id\nx;a\ny;c\n", "\ufeffid\na\nc\n", "a\n\nc\n"]
)
def test_a_list_is_a_file_with_a_heading_or_without(tmp_path: Path, text: str) -> None:
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    assert parse_ids(tmp_path / "list.csv", Pool.read(PEOPLE), "people") == (("a", "c"), [])
    assert parse_ids(str(tmp_path / "list.csv"), Pool.read(PEOPLE), "people")[0] == ("a", "c")


def test_a_list_is_a_table_or_ids() -> None:
    pool = Pool.read([{"Nr": 1, "x": 1}, {"Nr": 2, "x": 1}], id="Nr")
    for source in (
        [2, 1],
        ["1", "2 "],
        [{"Nr": 2}, {"Nr": 1}],
        ({"id": 2}, {"id": 1}),
        [{"of": 1}, {"of": 2}],
    ):
        assert parse_ids(source, pool, "people") == (("1", "2"), [])
    assert parse_ids([], pool, "people") == ((), [])


def test_every_wrong_id_of_a_list_is_reported_with_its_row(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("id\na\nA\na\nzz\n", encoding="utf-8")
    faults = parse_ids(tmp_path / "out.txt", Pool.read(PEOPLE), "excluded people")[1]
    assert [(f.code, f.file, f.row, f.value) for f in faults] == [
        ("person-unknown", "out.txt", 3, "A"),
        ("list-duplicate", "out.txt", 4, "a"),
        ("person-unknown", "out.txt", 5, "zz"),
    ]
    assert "Did you mean 'a'?" in faults[0].message


def test_lists_that_can_not_be_read_are_faults(tmp_path: Path) -> None:
    (tmp_path / "l.csv").write_text("name,age\nx,1\n", encoding="utf-8")
    (tmp_path / "e.csv").write_bytes(b"\x81\n")
    sources = [
        tmp_path / "l.csv",
        tmp_path / "no.csv",
        tmp_path / "e.csv",
        [{"name": 1, "age": 2}],
        [None],
        [""],
        3,
    ]
    found = [parse_ids(source, Pool.read(PEOPLE), "people")[1][0].code for source in sources]
    assert found == [
        *("id-column-missing", "file-missing", "encoding-unreadable", "id-column-missing"),
        *("source-type", "source-type", "source-type"),
    ]


# Must sit


def test_somebody_in_both_lists_is_a_fault() -> None:
    assert codes(must_sit=["a", "b"], exclude=["b"]) == [("decided-both", None, "b")]


def test_more_people_than_seats_are_a_fault() -> None:
    assert ("must-sit-over-size", None, "3") in codes(2, must_sit=["a", "c", "d"])
    assert ("must-sit-over-size", None, "2") in codes(2, must_sit=["a", "c"], taken=[{"gender": "man"}])


def test_people_who_must_sit_and_break_a_quota_are_a_fault_that_names_it_and_by_how_much() -> None:
    _, _, faults = decided(4, must_sit=["c", "d", "e"])
    assert [(f.code, f.file, f.row, f.value) for f in faults] == [("must-sit-over-quota", "q.csv", 3, "man")]
    assert "'gender: man' has a maximum of 2, and 3 such people must sit: 1 too many" in faults[0].message
    _, _, faults = decided(4, must_sit=["c", "d"], taken=[{"gender": "man"}])
    assert "2 such people must sit beside 1 who have seats: 1 too many" in faults[0].message


def test_combinations_and_bands_are_kept_by_those_who_must_sit() -> None:
    pool = Pool.read(PEOPLE).with_bins({"age": [18, 65]})
    quotas = Quotas(
        (Cell("age × gender", "65 and over × man", 0, 0, row=2), Cell("age", "65 et plus", 0, 0, row=3))
    )
    quotas = Quotas((*quotas.cells, Cell("age", "18–64", 0, 5, row=4)))
    assert [(f.code, f.row) for f in decide(pool, quotas, 3, must_sit=["d"])[2]] == [
        ("must-sit-over-quota", 2),
        ("must-sit-over-quota", 3),
    ]
    faults = decide(pool, quotas, 3, taken=[{"id": "x", "gender": "man", "age": 66}])[2]
    assert [(f.code, f.row) for f in faults] == [("taken-over-quota", 2), ("taken-over-quota", 3)]


def test_people_of_one_household_who_must_sit_are_a_fault_where_the_rule_forbids_it() -> None:
    options = {"must_sit": ["a", "b"], "address": ["street"]}
    (fault,) = decided(**options, per_household=1)[2]
    assert fault.code == "must-sit-household"
    assert "'a', 'b' must sit and live at one address" in fault.message
    assert codes(**options, per_household=2) == []
    assert codes(**options) == []


# Taken seats


def test_taken_seats_count_against_size_and_quotas() -> None:
    _, what, faults = decided(4, taken=[{"id": "y", "gender": "woman"}, {"id": "x", "gender": "woman"}])
    assert not faults
    assert what.taken == ("x", "y")
    assert what.size == 2
    assert [(c.min, c.max, c.min_flex, c.max_flex) for c in what.quotas.cells] == [
        (0, 0, 0, 1),
        (1, 2, None, None),
    ]


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        ([{"gender": "woman"}] * 3, [("taken-over-quota", 2, "woman")]),
        ([{"gender": "other"}], [("value-unknown", 1, "other")]),
        ([{"gender": None, "x": 1}], [("feature-empty", 1, None)]),
        ([{"sex": "woman"}], [("feature-missing", None, None)]),
        ([{"id": "a", "gender": "woman"}], [("taken-in-pool", 1, "a")]),
        ([], [("table-empty", None, None)]),
    ],
)
def test_faults_of_taken_seats(taken: list[dict[str, str]], expected: list[tuple[object, ...]]) -> None:
    assert codes(5, taken=taken) == expected


def test_a_panel_that_is_full_is_a_fault() -> None:
    assert ("taken-over-size", None, "2") in codes(2, taken=[{"gender": "man"}, {"gender": "woman"}])


KIND = st.sampled_from(["ax", "ay", "bx", "by"])


@given(
    st.lists(KIND, min_size=1, max_size=6),
    st.lists(KIND, min_size=1, max_size=3),
    st.integers(1, 6),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=5, max_size=5),
)
def test_what_is_left_allows_exactly_the_panels_that_the_whole_allows(
    here: list[str], there: list[str], seats: int, bounds: list[tuple[int, int]]
) -> None:
    """Taken seats and a choice of people keep all quotas exactly when the choice keeps what is left of them."""
    names = [("f", "a"), ("f", "b"), ("g", "x"), ("g", "y"), ("f × g", "a × x")]
    cells = tuple(
        Cell(feature, value, min(pair), max(pair))
        for (feature, value), pair in zip(names, bounds, strict=True)
    )
    pool = Pool.read(
        [
            {"id": f"p{i}", "f": kind[0], "g": kind[1]}
            for i, kind in enumerate(["ax", "ay", "bx", "by", *here])
        ]
    )
    taken = [{"id": f"t{i}", "f": kind[0], "g": kind[1]} for i, kind in enumerate(there)]
    _, what, faults = decide(pool, Quotas(cells), seats + len(there), taken=taken)

    def keeps(kinds: list[str], quotas: tuple[Cell, ...]) -> bool:
        counts = [
            sum(all(letter in kind for letter in cell.value.split(" × ")) for kind in kinds)
            for cell in quotas
        ]
        return all(cell.min <= n <= cell.max for cell, n in zip(quotas, counts, strict=True))

    assert what.size == seats
    overs = [c for c in cells if sum(all(x in kind for x in c.value.split(" × ")) for kind in there) > c.max]
    assert [f.code for f in faults] == ["taken-over-quota"] * len(overs)
    for n in range(len(here) + 1):
        for chosen in combinations(here, n):
            whole = keeps([*chosen, *there], cells)
            assert whole == (not overs and keeps(list(chosen), what.quotas.cells))


# People who live where somebody was selected before


def test_who_shares_an_address_with_somebody_selected_before_is_excluded() -> None:
    before = [
        {"name": "x", "street": "1 RUE X"},
        {"name": "y", "street": ""},
        {"name": "z", "street": "9 rue Q"},
    ]
    pool, what, faults = decided(same_address_as=before, address=["street"])
    assert not faults
    assert pool.ids == ("c", "d", "e")
    assert what.same_address == ("a", "b")
    told = [Decision("2 rue Voltaire", "9 rue Q", True)]
    assert decided(same_address_as=before, address=["street"], decisions=told)[1].same_address == (
        "a",
        "b",
        "c",
    )


def test_somebody_excluded_by_name_is_told_once() -> None:
    what = decided(same_address_as=[{"street": "1 rue X"}], address=["street"], exclude=["a"])[1]
    assert (what.excluded, what.same_address) == (("a",), ("b",))


@pytest.mark.parametrize(
    ("before", "address", "expected"),
    [
        ([{"street": "1 rue X"}], [], ["address-column-missing"]),
        ([{"road": "1 rue X"}], ["street"], ["address-column-missing"]),
        ([{"street": "unknown"}], ["street"], ["address-empty"]),
        ("/nowhere/at/all.csv", ["street"], ["file-missing"]),
        ([{"street": "1 rue X"}], ["street"], ["decided-both"]),
    ],
)
def test_faults_of_the_address_exclusion(before: object, address: list[str], expected: list[str]) -> None:
    assert [f[0] for f in codes(same_address_as=before, address=address, must_sit=["a"])] == expected


def test_all_faults_come_together() -> None:
    found = codes(2, must_sit=["zz", "c"], exclude=["c", "c"], taken=[{"gender": "x"}, {"gender": "man"}])
    assert [code for code, _, _ in found] == [
        *("person-unknown", "list-duplicate", "decided-both", "value-unknown", "taken-over-size"),
    ]
