"""Households: spellings of one address meet, near ones are listed and never merged, and a person's decisions hold."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import Counter
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from klero.cli import run
from klero.errors import InputError
from klero.sortition.addresses import (
    Decision,
    address_forms,
    households,
    normal_address,
    parse_households,
    read_decisions,
)
from klero.sortition.near_addresses import REASONS, _parsed, near_addresses, near_matches
from klero.sortition.pool import Pool


def pool_of(*addresses: str) -> Pool:
    return Pool.read([{"id": f"p{i}", "address": text} for i, text in enumerate(addresses)])


def codes(pool: Pool, columns: tuple[str, ...], decisions: tuple[Decision, ...] = ()) -> list[str]:
    return [fault.code for fault in parse_households(pool, columns, decisions)[1]]


@pytest.mark.parametrize(
    "spellings",
    [
        [
            "12 bis rue X",
            "12bis rue X",
            "12 B rue X",
            "12, bis, rue X",
            "12BIS RUE X",
            "12 bis, r. X",
            "n° 12 bis rue X",
        ],
        ["3 bd Voltaire", "3 Boulevard VOLTAIRE", "3, Bld. Voltaire", "3 blvd\u00a0Voltaire"],
        ["1 rue de l’Église", "1 rue de l'eglise", "1, rue de l'E\u0301GLISE"],
        ["7 High Street", "7 High St.", "7, high st"],
        ["9 rue Saint-Denis", "9 rue St Denis", "9 r St-Denis"],
        ["5 av. du Général Leclerc", "5 avenue du gal Leclerc"],
        ["Flat 3, 15 Maple Avenue, SW1A 1AA", "Apt. 3 15 Maple Ave SW1A1AA"],
        ["２ rue X", "2 rue X"],  # full-width digits
        ["4 quater place du Marché", "4Q pl. du marche"],
    ],
)
def test_spellings_of_one_address_have_one_form(spellings: list[str]) -> None:
    assert len({normal_address([text]) for text in spellings}) == 1


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("12 rue X", "13 rue X"),
        ("12 bis rue X", "12 ter rue X"),
        ("1 rue du R", "1 rue du rue"),
        ("12 rue du col", "12 rue du colonel"),
        ("12 rue X 75011", "12 rue X 75012"),
    ],
)
def test_different_addresses_keep_different_forms(a: str, b: str) -> None:
    assert normal_address([a]) != normal_address([b])


def test_a_form_does_not_depend_on_how_columns_part_the_address() -> None:
    assert normal_address(["12 bis rue X", "75011 Paris"]) == normal_address(
        ["12 bis", "rue X 75011", "Paris"]
    )


@pytest.mark.parametrize(
    "text", ["", " - ", "n/a", "Unknown", "inconnue", "Sans domicile fixe", "SDF", "N.C."]
)
def test_people_without_an_address_live_alone(text: str) -> None:
    homes = households(pool_of(text, text, "1 rue X", "1 rue X"), ["address"])
    assert homes.groups == (("p0",), ("p1",), ("p2", "p3"))
    assert homes.without_address == ("p0", "p1")


ALPHABET = st.sampled_from(list("12 bisterQqrno°nasdfNCé'’-.,/ÉœßİǅｂⅫ½ﬁ  all ch")) | st.characters(
    codec="utf-8"
)


@given(st.lists(st.text(ALPHABET, max_size=14), max_size=4))
def test_the_form_of_a_form_is_itself(parts: list[str]) -> None:
    form = normal_address(parts)
    assert normal_address([form]) == form


@given(st.lists(st.text(st.sampled_from("12ab ,"), max_size=4), min_size=2, max_size=8), st.randoms())
def test_row_order_changes_nothing_and_everybody_is_in_one_household(
    texts: list[str], shuffler: random.Random
) -> None:
    people = [{"id": f"p{i}", "address": text} for i, text in enumerate(texts)]
    homes, _ = parse_households(Pool.read(people), ["address"])
    shuffler.shuffle(people)
    shuffled, _ = parse_households(Pool.read(people), ["address"])
    assert homes == shuffled
    assert sorted(person for group in homes.groups for person in group) == sorted(p["id"] for p in people)
    form = dict(zip((f"p{i}" for i in range(len(texts))), [normal_address([t]) for t in texts], strict=True))
    for group in homes.groups:
        assert len({form[person] for person in group}) == 1
        assert len(group) == 1 or form[group[0]]
    assert Counter(filter(None, form.values())) == Counter(
        {form[g[0]]: len(g) for g in homes.groups if form[g[0]]}
    )


# Near matches


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        ("12 rue X Paris", "Paris 12 rue X", "order"),
        ("12 rue de la Paix", "12 rue Paix", "order"),
        ("12 rue X 01000", "12 rue X 1000", "order"),
        ("12 bis rue X", "12 rue X", "unit"),
        ("appt 3, 12 rue X", "12 rue X", "unit"),
        ("12 rue X 3e étage", "12 rue X", "unit"),
        ("12 rue Rougemont", "12 rue Rouge Mont", "space"),
        ("12 rue Voltaire", "12 rue Voltiare", "letter"),
        ("12 rue Voltaire", "12 rue Voltair", "letter"),
        ("12 rue Victor Hugo Lyon", "12 rue Hugo Lyon", "word"),
        ("12 rue Hugo 69001 Lyon", "12 rue Hugo Lyon", "word"),
    ],
)
def test_near_addresses_are_listed_with_their_reason(a: str, b: str, reason: str) -> None:
    (match,) = near_addresses([normal_address([a]), normal_address([b])])
    assert match.reason == reason
    assert reason in REASONS


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("12 rue X", "13 rue X"),
        ("appt 3, 12 rue X", "appt 4, 12 rue X"),
        ("12 bis rue X", "12 ter rue X"),
        ("12 rue Voltaire", "12 rue Volnay"),
        ("12 rue X 75011", "12 rue X 75012"),
        ("12 rue Fox", "12 rue Box"),  # three letters: too short to tell an error from a name
    ],
)
def test_what_says_different_things_is_not_near(a: str, b: str) -> None:
    assert list(near_addresses([normal_address([a]), normal_address([b])])) == []


def alike(v: str, w: str) -> bool:
    shorter = [{x, *(x[:i] + x[i + 1 :] for i in range(len(x)))} for x in (v, w)]
    return v != w and len(v) >= 4 and len(w) >= 4 and bool(shorter[0] & shorter[1])


def near_by_definition(a: str, b: str) -> str | None:
    """Each definition of the module's doc, word for word, on one pair."""
    p, q = _parsed(a), _parsed(b)
    whole = (p.unit, p.letter) == (q.unit, q.letter)
    numbers, words = p.numbers == q.numbers, p.words == q.words
    if sorted(a.split()) == sorted(b.split()) or (whole and numbers and words):
        return "order"
    more = [
        all(y in ((), "", x) for x, y in ((s.unit, t.unit), (s.letter, t.letter)))
        for s, t in ((p, q), (q, p))
    ]
    if numbers and words and any(more):
        return "unit"
    if whole and numbers and p.joined == q.joined:
        return "space"
    left, right = Counter(p.words) - Counter(q.words), Counter(q.words) - Counter(p.words)
    if whole and numbers and left.total() == right.total() == 1 and alike(*left, *right):
        return "letter"
    for s, t in ((p, q), (q, p)):
        extra = Counter(s.words) - Counter(t.words), Counter(s.numbers) - Counter(t.numbers)
        lack = (Counter(t.words) - Counter(s.words)) + (Counter(t.numbers) - Counter(s.numbers))
        if whole and not lack and extra[0].total() + extra[1].total() == 1:
            kept = t.words if extra[0] else t.numbers
            if kept and (extra[0] or len(next(iter(extra[1]))) >= 4):
                return "word"
    return None


TOKENS = st.sampled_from(
    [
        "12",
        "7",
        "012",
        "75011",
        "b",
        "t",
        "de",
        "rue",
        "hugo",
        "hugi",
        "hhugo",
        "voltaire",
        "voltire",
        "vol",
        "taire",
        "etage",
        "3",
        "e",
        "appartement",
    ]
)


@given(st.lists(st.lists(TOKENS, min_size=1, max_size=7).map(" ".join), max_size=8, unique=True))
def test_near_matches_are_those_of_the_definition(forms: list[str]) -> None:
    found = {(m.first, m.second): m.reason for m in near_addresses(forms)}
    ordered = sorted(forms)
    pairs = ((a, b) for i, a in enumerate(ordered) for b in ordered[i + 1 :])
    assert found == {pair: reason for pair in pairs if (reason := near_by_definition(*pair))}
    assert list(found) == sorted(found)


def test_near_matches_are_never_merged_by_themselves() -> None:
    homes = households(pool_of("12 rue Voltaire", "12 rue Voltiare", "1 rue X"), ["address"])
    assert not homes.shared
    assert len(near_matches(homes)) == 1


# Decisions


def test_same_merges_and_different_silences() -> None:
    pool = pool_of("12 rue Voltaire", "12 rue Voltiare", "12 rue Voltair", "1 rue X")
    merged = households(pool, ["address"], [Decision("12 rue voltaire", "12, RUE VOLTIARE", True)])
    assert merged.shared == (("p0", "p1"),)
    assert merged.addresses[0] == ("12 rue voltaire", "12 rue voltiare")
    assert [m.second for m in near_matches(merged)] == ["12 rue voltaire"]
    apart = households(
        pool,
        ["address"],
        [Decision("12 rue voltaire", other, False) for other in ("12 rue voltiare", "12 rue voltair")],
    )
    assert not apart.shared
    assert near_matches(apart) == ()


def test_decisions_that_contradict_each_other_are_a_fault() -> None:
    pool = pool_of("1 rue X", "2 rue X", "3 rue X", "4 rue X")
    one, two, three = "1 rue x", "2 rue x", "3 rue x"
    told = (Decision(one, two, True, 2), Decision(two, three, True, 3), Decision(three, one, False, 4))
    faults = parse_households(pool, ["address"], told, "d.csv")[1]
    assert [(f.code, f.file, f.row) for f in faults] == [("decision-contradiction", "d.csv", 4)]
    assert codes(pool, ("address",), (Decision("1 RUE X", "1 rue x", False),)) == ["decision-contradiction"]


def test_an_address_that_nobody_has_is_a_fault_with_a_suggestion() -> None:
    _, faults = parse_households(
        pool_of("12 rue Voltaire", "1 rue X"), ["address"], [Decision("12 rue Voltare", "1 rue X", True)]
    )
    assert [f.code for f in faults] == ["decision-unknown-address"]
    assert "Did you mean '12 rue voltaire'?" in faults[0].message


def test_decisions_are_read_in_both_languages_and_open_rows_passed_over(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(
        "First;Second;Decision\na;b;Même\nc;d;\ne;f;different\n", encoding="utf-8"
    )
    assert read_decisions(tmp_path / "d.csv") == (Decision("a", "b", True, 2), Decision("e", "f", False, 4))
    (tmp_path / "d.csv").write_text("first,second,decision\na,b,maybe\nc,d,perhaps\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_decisions(tmp_path / "d.csv")
    assert [(f.code, f.row, f.value) for f in caught.value.faults] == [
        ("decision-invalid", 2, "maybe"),
        ("decision-invalid", 3, "perhaps"),
    ]
    with pytest.raises(InputError, match="decision-column-missing"):
        read_decisions([{"a": 1}])


def test_faults_of_the_columns_and_of_the_pool() -> None:
    pool = pool_of("1 rue X", "1 rue X")
    assert codes(pool, ("Address", "town")) == ["address-column-missing"] * 2
    assert "Did you mean 'address'?" in parse_households(pool, ["Address"])[1][0].message
    assert codes(pool, ()) == ["address-column-missing"]
    assert codes(pool, ("address",)) == ["household-everyone"]
    assert codes(pool_of("", "?"), ("address",)) == ["address-empty"]


# The command


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    rows = [
        "id,street,town",
        "a,12 rue Voltaire,Lyon",
        "b,12 r. voltaire,LYON",
        "c,12 rue Voltiare,Lyon",
        "d,3 rue X,Lyon",
        "e,,",
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_the_report_can_be_decided_and_given_back(
    people: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "near.csv"
    command = ["households", str(people), "--address", "street,town"]
    assert run([*command, "-o", str(report)]) == 0
    text = report.read_text(encoding="utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["first"], row["second"]) == ("12 rue voltaire lyon", "12 rue voltiare lyon")
    assert (row["people_first"], row["people_second"]) == ("a b", "c")
    assert run([*command, "-o", str(report)]) == 3  # never overwritten
    report.write_text(text.replace("lyon,,", "lyon,same,"), encoding="utf-8")
    capfd.readouterr()
    assert run([*command, "--decisions", str(report), "--format", "json"]) == 0
    data = json.loads(capfd.readouterr().out)
    assert data["households_by_size"] == {"1": 2, "3": 1}
    assert data["shared"][0]["people"] == ["a", "b", "c"]
    assert data["without_address"] == ["e"]
    assert data["near"] == []


def test_a_missing_column_ends_with_exit_code_three_and_nothing_written(people: Path, tmp_path: Path) -> None:
    assert run(["households", str(people), "--address", "strete", "-o", str(tmp_path / "near.csv")]) == 3
    assert not (tmp_path / "near.csv").exists()
    assert (
        run(["households", str(people), "--address", "street", "-o", str(tmp_path / "no" / "near.csv")]) == 4
    )


def test_help_begins_with_examples() -> None:
    from klero.cli import cli

    assert "Examples:" in CliRunner().invoke(cli, ["households", "--help"]).output


def test_a_typing_error_among_twenty_thousand_addresses_is_found() -> None:
    """All share a postcode, and 48 streets share each number."""
    letters = random.Random(1)
    streets = ["".join(letters.choices("abdeilmnorstuv", k=9)) for _ in range(48)]
    rows = [f"{number} rue {name} 75011 paris" for name in streets for number in range(1, 418)]
    wrong = {
        rows[417 * s + 8]: f"9 rue {streets[s][1]}{streets[s][0]}{streets[s][2:]} 75011 paris"
        for s in (3, 30)
    }
    forms = address_forms(pool_of(*rows, *wrong.values()).table, ["address"])
    found = {(m.first, m.second) for m in near_addresses(forms)}
    assert found == {tuple(sorted(pair)) for pair in wrong.items()}
