"""What is settled before a draw reaches every function and command through one place, and means what it says."""

from __future__ import annotations

import itertools
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import klero
from klero.cli import run
from klero.errors import InfeasibleError, InputError
from klero.ledger.bundle import bundle_files
from klero.ledger.verify import verify_files
from klero.sortition.instance import Instance, build_instance
from klero.sortition.pool import Pool
from klero.sortition.quotas import Quotas
from klero.sortition.rules import Rules
from oracle import leximin

PEOPLE = [
    {"id": "a", "gender": "woman", "age": "20", "street": "12bis, rue Émile-Zola"},
    {"id": "b", "gender": "woman", "age": "70", "street": "12 BIS R. EMILE ZOLA"},
    {"id": "c", "gender": "man", "age": "30", "street": "2 rue Voltaire"},
    {"id": "d", "gender": "man", "age": "80", "street": ""},
    {"id": "e", "gender": "man", "age": "41", "street": "3 rue X"},
    {"id": "f", "gender": "woman", "age": "17", "street": "2 rue Voltairre"},
]
QUOTAS = [
    {"feature": "gender", "value": "woman", "min": 1, "max": 2},
    {"feature": "gender", "value": "man", "min": 1, "max": 2},
]


def instance(size: int = 3, **rules: Any) -> Instance:
    return build_instance(Pool.read(PEOPLE), Quotas.read(QUOTAS), size, Rules(**rules))


def codes(size: int = 3, **rules: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        instance(size, **rules)
    return [fault.code for fault in caught.value.faults]


def test_spellings_of_one_address_are_one_household() -> None:
    found = instance(household="street")
    assert [[found.ids[i] for i in home] for home in found.households] == [["a", "b"]]


def test_decisions_join_addresses_that_look_alike() -> None:
    told = [{"first": "2 rue Voltaire", "second": "2 rue Voltairre", "decision": "same"}]
    found = instance(household="street", address_decisions=told)
    assert [[found.ids[i] for i in home] for home in found.households] == [["a", "b"], ["c", "f"]]


def test_a_decision_may_name_the_address_of_somebody_excluded_or_of_an_earlier_round() -> None:
    told = [
        {"first": "2 rue Voltaire", "second": "2 rue Voltairre", "decision": "same"},
        {"first": "9 rue Q", "second": "3 rue X", "decision": "same"},
    ]
    before = [{"street": "9 rue Q"}]
    found = instance(household="street", exclude=["c"], address_decisions=told, same_address_as=before)
    assert (found.ids, found.excluded, found.same_address) == (("a", "b", "d", "f"), ("c",), ("e",))


def test_excluded_people_and_taken_seats_leave_the_instance_of_those_who_are_left() -> None:
    seats = [{"id": "z", "gender": "woman"}]
    found = instance(3, exclude=["e"], taken=seats)
    rest = [person for person in PEOPLE if person["id"] != "e"]
    less = [QUOTAS[0] | {"min": 0, "max": 1}, QUOTAS[1]]
    assert found.digest() == build_instance(Pool.read(rest), Quotas.read(less), 2).digest()
    assert (found.size, found.excluded, found.taken) == (2, ("e",), ("z",))


def test_bands_of_numbers_come_as_a_keyword() -> None:
    quotas = [{"feature": "age", "value": v, "min": 0, "max": 2} for v in ("under 18", "18-64", "65+")]
    lottery = klero.fair_lottery(PEOPLE, quotas, size=3, bins={"age": [18, 65]}, exclude=["f"])
    assert lottery.instance.features == ("age",)


def test_people_of_one_household_who_must_sit_are_a_fault_with_their_names() -> None:
    with pytest.raises(InputError, match="'a', 'b' must sit and live at one address") as caught:
        klero.fair_lottery(PEOPLE, QUOTAS, size=3, household="street", must_sit=["a", "b"])
    assert [fault.code for fault in caught.value.faults] == ["must-sit-household"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"must_sit": ["a"], "exclude": ["a"]}, ["decided-both"]),
        ({"must_sit": ["zz"]}, ["person-unknown"]),
        ({"exclude": ["a", "a"]}, ["list-duplicate"]),
        ({"must_sit": ["c", "d", "e"]}, ["must-sit-over-quota"]),
        ({"household": "road"}, ["address-column-missing"]),
        ({"same_address_as": [{"street": "3 rue X"}]}, ["address-column-missing"]),
        ({"household": "street", "address": "id"}, ["options-conflict"]),
        ({"household": "street", "per_household": 0}, ["household-limit"]),
        ({"household": "street", "taken": [{"gender": "man"}]}, ["address-column-missing"]),
        ({"household": "street", "address_decisions": [{"first": "x"}]}, ["decision-column-missing"]),
        ({"bins": {"gender": [1]}}, [*["bin-not-number"] * 2, *["bin-label-unknown"] * 2, "value-unknown"]),
        ({"taken": [{"gender": "man"}] * 3}, ["taken-over-size", "taken-over-quota"]),
    ],
)
def test_faults_of_what_is_settled(rules: dict[str, Any], expected: list[str]) -> None:
    assert codes(**rules) == expected


def test_a_size_that_is_no_number_is_told_with_the_rest() -> None:
    assert codes("3", exclude=["zz"], taken=[{"gender": "man"}]) == ["size-invalid", "person-unknown"]  # type: ignore[arg-type]


def test_who_lives_with_somebody_who_has_a_seat_cannot_sit_with_them() -> None:
    seats = [{"id": "z", "gender": "woman", "street": "12 bis rue Emile Zola"}]
    assert instance(3, household="street", taken=seats).same_address == ("a", "b")
    assert codes(3, household="street", per_household=2, taken=seats) == ["taken-household"]
    left = instance(3, household="street", per_household=2, taken=seats, exclude=["a"])
    assert (left.same_address, left.households) == ((), ())
    both = [*seats, seats[0] | {"id": "y"}]
    assert "must-sit-household" in codes(4, household="street", per_household=2, taken=both, must_sit=["a"])


Case = tuple[list[dict[str, str]], list[dict[str, str]], list[dict[str, str]], int, dict[str, Any]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """People, people with seats, people selected before, a size, and what is settled."""
    kind = st.fixed_dictionaries(
        {"f": st.sampled_from("xy"), "street": st.sampled_from(["1 rue A", "2 rue A", "3 rue A", ""])}
    )
    people = [{"id": f"p{i}", **p} for i, p in enumerate(draw(st.lists(kind, min_size=3, max_size=7)))]
    seated = [{"id": f"t{i}", **p} for i, p in enumerate(draw(st.lists(kind, max_size=2)))]
    before = draw(st.lists(kind, max_size=1))
    ids = [p["id"] for p in people]
    rules: dict[str, Any] = {"exclude": draw(st.lists(st.sampled_from(ids), unique=True, max_size=2))}
    rules["must_sit"] = draw(st.lists(st.sampled_from(ids), unique=True, max_size=1))
    if draw(st.booleans()):
        rules |= {"household": "street", "per_household": draw(st.integers(1, 2))}
    return people, seated, before, draw(st.integers(1, 3)) + len(seated), rules


def panels(case: Case, low: int, high: int) -> list[list[int]]:
    """Every panel, person by person: with those who have seats it keeps the quota of «x», the households and what is settled."""
    people, seated, before, size, rules = case
    gone = {p["street"] for p in before} - {""}
    found = []
    for chosen in itertools.combinations(range(len(people)), size - len(seated)):
        new = [people[i] for i in chosen]
        whole = [*new, *seated]
        homes = [p["street"] for p in whole if p["street"]]
        most = rules.get("per_household", len(whole))
        if (
            low <= sum(p["f"] == "x" for p in whole) <= high
            and set(rules["must_sit"]) <= {p["id"] for p in new}
            and not any(p["id"] in rules["exclude"] or p["street"] in gone for p in new)
            and not any(homes.count(p["street"]) > most for p in new if p["street"])
        ):
            found.append([int(i in chosen) for i in range(len(people))])
    return found


@given(cases(), st.integers(0, 3), st.integers(0, 3))
def test_the_fairest_lottery_around_what_is_settled_is_that_of_all_panels(case: Case, a: int, b: int) -> None:
    people, seated, before, size, rules = case
    low, high = sorted((a, b))
    quotas = [
        {"feature": "f", "value": "x", "min": low, "max": high},
        {"feature": "f", "value": "y", "min": 0, "max": size},
    ]
    every = panels(case, low, high)
    given_rules = rules | {"taken": seated or None, "same_address_as": before or None}
    if before and "household" not in rules:
        given_rules["address"] = "street"
    try:
        lottery = klero.fair_lottery(people, quotas, size=size, **given_rules)
    except (InputError, InfeasibleError) as error:
        # A rule for part of a household, and addresses that say nothing, are refused whatever panels there are.
        told = {fault.code for fault in error.faults} if isinstance(error, InputError) else set()
        assume(not told & {"taken-household", "address-empty", "household-everyone"})
        assert not every
        return
    true = leximin(every, [1] * len(people), [1] * len(people))
    levels = dict.fromkeys((p["id"] for p in people), Fraction(0))
    for level in lottery.certificate.levels:
        for person, t in zip(lottery.instance.ids, lottery.instance.person_type, strict=True):
            if any(t == u for u, _ in level.types):
                levels[person] = level.value
    assert tuple(levels.values()) == true
    assert verify_files(bundle_files(lottery)).ok


# The commands


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)

    def write(name: str, rows: list[dict[str, Any]]) -> None:
        text = "\n".join([",".join(rows[0]), *(",".join(f'"{v}"' for v in row.values()) for row in rows)])
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")

    write("people.csv", PEOPLE)
    write("quotas.csv", QUOTAS)
    write("seats.csv", [{"id": "z", "gender": "woman", "street": "8 rue Z"}])
    write("before.csv", [{"street": "3, Rue X"}])
    write("near.csv", [{"first": "2 rue Voltaire", "second": "2 rue Voltairre", "decision": "same"}])
    (tmp_path / "out.txt").write_text("d\n")
    return tmp_path


OPTIONS = [
    *("--household", "street", "--address-decisions", "near.csv", "--exclude", "out.txt", "--must-sit", "c"),
    *("--taken", "seats.csv", "--same-address-as", "before.csv"),
]


@pytest.mark.parametrize(
    "command",
    [
        ["check"],
        ["lottery", "-o", "bundle"],
        ["compare", "--objectives", "leximin,random"],
        ["whatif"],
    ],
)
def test_every_command_that_matches_takes_the_options_and_says_what_is_settled(
    folder: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    arguments = [command[0], "people.csv", "quotas.csv", "--size", "3", *command[1:], *OPTIONS]
    assert run([*arguments, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["settled"] == {"must_sit": 1, "excluded": 1, "same_address": 1, "taken": 1}
    for line in (
        "Excluded by name: 1.",
        "their address: 1.",
        "Seats taken: 1, so 2 are to be drawn",
        "Sure to sit: 1.",
    ):
        assert line in err


def test_ids_on_the_command_line_and_in_a_file_are_the_same_list(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digests = []
    for exclude in ("d", "out.txt"):
        assert (
            run(
                ["check", "people.csv", "quotas.csv", "--size", "3", "--exclude", exclude, "--format", "json"]
            )
            == 0
        )
        digests.append(json.loads(capsys.readouterr().out)["input_digest"])
    assert digests[0] == digests[1]
    assert run(["check", "people.csv", "quotas.csv", "--size", "3", "--exclude", "d,,e"]) == 3
    assert "[id-empty]" in capsys.readouterr().err


def test_a_fault_in_a_file_of_decisions_names_the_file(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "near.csv").write_text("first,second,decision\nnowhere,2 rue Voltaire,same\n")
    options = ["--household", "street", "--address-decisions", "near.csv"]
    assert run(["check", "people.csv", "quotas.csv", "--size", "3", *options]) == 3
    assert "near.csv, row 2" in capsys.readouterr().err


def test_a_column_of_numbers_without_bands_is_one_fault_that_says_how() -> None:
    people = [{"id": f"p{i}", "age": str(20 + i)} for i in range(30)]
    quotas = [{"feature": "age", "value": v, "min": 1, "max": 9} for v in ("16-24", "25-39", "40+")]
    with pytest.raises(InputError, match='--bin "age: 16, 25, 40, 65"') as raised:
        klero.fair_lottery(people, quotas, size=3)
    assert len(raised.value.faults) == 1


def test_addresses_that_look_alike_and_are_undecided_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people, quotas, told = tmp_path / "people.csv", tmp_path / "quotas.csv", tmp_path / "told.csv"
    names = list(PEOPLE[0])
    rows = [",".join(f'"{person[name]}"' for name in names) for person in PEOPLE]
    people.write_text("\n".join([",".join(names), *rows]) + "\n", encoding="utf-8")
    quotas.write_text("feature,value,min,max\ngender,woman,1,2\ngender,man,1,2\n", encoding="utf-8")
    told.write_text("first,second,decision\n2 rue Voltaire,2 rue Voltairre,different\n", encoding="utf-8")
    command = ["lottery", str(people), str(quotas), "--size", "3", "-o", str(tmp_path / "b"), "--force"]
    assert run([*command, "--household", "street"]) == 0
    said = capsys.readouterr().err
    assert "1 pair of addresses looks alike and nobody has decided on it" in said
    assert "'2 rue voltaire' and '2 rue voltairre'" in said
    assert (
        f"klero households {people} --address street -o near.csv, then --address-decisions near.csv" in said
    )
    # decided, not asked for, or of somebody who can't be drawn: nothing to say
    for quiet in (
        ["--household", "street", "--address-decisions", str(told)],
        [],
        ["--household", "street", "--exclude", "f"],
    ):
        assert run([*command, *quiet]) == 0
        assert "looks alike" not in capsys.readouterr().err
