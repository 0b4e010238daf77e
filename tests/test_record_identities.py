"""Names from a table: into the sealed tier and the receipts, and nowhere that is public."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from unicodedata import normalize

import pytest

from klero import _native
from klero.cli import run
from klero.errors import InputError
from klero.ledger.canonical import canonical
from klero.ledger.commit import commit
from klero.ledger.receipts import make_receipts, verify_receipt
from klero.ledger.record import Record
from klero.ledger.tiers import leaks, tier_files
from klero.ledger.verify import verify
from klero.verifiers import klero_verify
from making_cases import BOTH, EARLY, bundle, committed, declared, salts


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("lots") / "lots")


def rows(n: int = 40) -> list[dict[str, str]]:
    return [
        {"id": f"Person-{i:03}", "birth": f"19{40 + i}-01-31", "name": f'Zoé N\u00ba{i} «Ω» \\ "q"'}
        for i in range(n)
    ]


def made(place: Path, lots: Path, identities: object) -> Record:
    commit(lots, declared(lots), place, keys=BOTH, time=EARLY, identities=identities, salts=salts())  # type: ignore[arg-type]
    return Record.read(place)


def test_names_reach_the_sealed_tier_and_receipts_and_nothing_public(lots: Path, tmp_path: Path) -> None:
    record = made(
        tmp_path / "rec", lots, [*rows()[::-1], {"id": "else", "birth": "", "name": "not in the pool"}]
    )
    assert verify(tmp_path / "rec").ok
    assert not [c for c in klero_verify.verify_record(dict(record.files)) if c.status == "FAIL"]
    by_id = {row["id"]: row for row in rows()}
    assert record.people is not None
    assert {person["id"]: person for person in record.people if person} == by_id
    receipts = make_receipts(record)
    assert all(receipt["identity"] == by_id[person] for person, receipt in receipts.items())
    assert all(verify_receipt(receipt, tmp_path / "rec").ok for receipt in list(receipts.values())[:5])
    told = verify_receipt(receipts["Person-007"], tmp_path / "rec").explain()
    assert told.startswith(f"Person-007, 1947-01-31, {by_id['Person-007']['name']}, this receipt is good")
    public = tier_files(record.files, "public")
    assert leaks(record) == []
    assert not any(text.encode() in data for data in public.values() for text in ("Zo\u00e9", "-01-31"))
    # The leaf follows from the canonical spelling of the identity.
    receipt = receipts["Person-007"]
    opening = {name: receipt[name] for name in ("attributes", "household", "weight")}
    leaf = _native.record_leaves(
        record.declaration.draw,
        [canonical(receipt["identity"])],
        [canonical(opening)],
        bytes.fromhex(receipt["salt"]),
    )[2]
    assert record.leaves[receipt["leaf"]] == leaf.hex()


def test_without_a_table_the_identity_is_the_id_alone(lots: Path, tmp_path: Path) -> None:
    committed(tmp_path / "rec", lots)
    record = Record.read(tmp_path / "rec")
    assert record.people
    assert all(set(person or {}) == {"id"} for person in record.people)


def test_empty_cells_are_left_out_and_texts_are_normalised(lots: Path, tmp_path: Path) -> None:
    table = rows()
    table[3]["birth"] = " "
    table[4]["name"] = normalize("NFD", "Zo\u00e9")
    record = made(tmp_path / "rec", lots, table)
    receipts = make_receipts(record, ["Person-003", "Person-004"])
    assert set(receipts["Person-003"]["identity"]) == {"id", "name"}
    assert receipts["Person-004"]["identity"]["name"] == "Zo\u00e9"


def test_everybody_must_be_in_the_table_and_all_faults_come_together(lots: Path, tmp_path: Path) -> None:
    table = rows()[2:]
    table[0] |= {"name": "", "birth": ""}
    table[1]["name"] = "two\nlines"
    with pytest.raises(InputError) as told:
        made(tmp_path / "rec", lots, table)
    assert sorted((f.code, f.value) for f in told.value.faults) == [
        ("identity-missing", "Person-000"),
        ("identity-missing", "Person-001"),
        ("identity-missing", "Person-002"),
        ("identity-text", "two\nlines"),
    ]
    assert not (tmp_path / "rec").exists()


@pytest.mark.parametrize(
    "table",
    [
        [{"id": f"Person-{i:03}"} for i in range(40)],
        [{"id": f"Person-{i:03}", "date of birth": "x"} for i in range(40)],
        [{"id": f"Person-{i:03}", "pr\u00e9nom": "x"} for i in range(40)],
        [{"who": f"Person-{i:03}", "name": "x"} for i in range(40)],
    ],
)
def test_columns_that_cannot_be_used_are_refused(lots: Path, tmp_path: Path, table: object) -> None:
    with pytest.raises(InputError, match="identity-column"):
        made(tmp_path / "rec", lots, table)


def test_a_full_name_in_the_title_is_refused_while_it_can_be_changed(lots: Path, tmp_path: Path) -> None:
    table = rows()
    table[5]["name"] = "a panel"
    with pytest.raises(InputError, match=r"\[leak\]"):
        made(tmp_path / "rec", lots, table)
    assert not (tmp_path / "rec").exists()


@pytest.mark.parametrize("name", ["Á Pánel", "PANEL A", "panel á"])
@pytest.mark.parametrize("people", [1, 2])
def test_a_name_is_found_however_it_is_spelled(lots: Path, tmp_path: Path, name: str, people: int) -> None:
    table = rows()
    for row in table[5 : 5 + people]:
        row["name"] = name
    with pytest.raises(InputError, match=r"\[leak\]"):
        made(tmp_path / "rec", lots, table)
    assert not (tmp_path / "rec").exists()


def test_a_single_word_or_what_several_people_share_names_nobody(lots: Path, tmp_path: Path) -> None:
    table = [
        row | {"town": "of Testing", "surname": "Panel" if i == 7 else "x"} for i, row in enumerate(rows())
    ]
    made(tmp_path / "rec", lots, table)


def test_the_command_takes_a_table(lots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (tmp_path / "who.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, ["id", "name", "birth"])
        writer.writeheader()
        writer.writerows(rows())
    (tmp_path / "d.json").write_bytes(declared(lots).data)
    command = ["commit", str(lots), "--declaration", str(tmp_path / "d.json"), "--time", EARLY]
    place = ["-o", str(tmp_path / "rec")]
    assert run([*command, "--identities", str(tmp_path / "none.csv"), *place]) == 3
    assert not (tmp_path / "rec").exists()
    assert run([*command, "--identities", str(tmp_path / "who.csv"), *place]) == 0
    sealed = json.loads((tmp_path / "rec" / "sealed" / "people.json").read_bytes())
    assert {person["name"] for person, _salt in sealed["people"]} == {row["name"] for row in rows()}
    assert run(["commit", str(lots), "--record", str(tmp_path / "rec"), "--identities", "x"]) == 2
