"""Receipts, tiers, what is forgotten and what is explained: what each reader of a record can learn, and cannot."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.errors import BundleError, InputError, OutputExistsError
from klero.ledger.archive import unpack
from klero.ledger.canonical import canonical
from klero.ledger.entries import Entry, entry_name, new_entry
from klero.ledger.reasons import explain_record, threshold
from klero.ledger.receipts import forget, make_receipts, own_ticket, verify_receipt, write_receipts
from klero.ledger.record import Record
from klero.ledger.record_folder import rewrite
from klero.ledger.steps import abort, draw_record, withdraw
from klero.ledger.tiers import leaks, tier_files, write_tier
from klero.ledger.verify import verify, verify_record
from making_cases import (
    BOTH,
    HOUSE,
    LATER,
    bundle,
    committed,
    drawn,
    people,
    replaced,
    tree,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle, and a record with a replacement round; read only."""
    place = tmp_path_factory.mktemp("record")
    lots = bundle(place / "bundle")
    record = drawn(place / "rec", lots)
    replaced(place / "r1", record, Record.read(record).panel[:2])
    homes = bundle(place / "homes", must_sit=["Person-005"], **HOUSE)
    drawn(place / "home-rec", homes)
    return place


@pytest.fixture(scope="module")
def record(folder: Path) -> Record:
    return Record.read(folder / "rec")


@pytest.fixture
def fresh(folder: Path, tmp_path: Path) -> Path:
    """A record that a test may change."""
    for name, data in tree(folder / "rec").items():
        (tmp_path / "rec" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rec" / name).write_bytes(data)
    return tmp_path / "rec"


# ---- receipts ----
@pytest.mark.parametrize("name", ["rec", "home-rec"])
def test_every_receipt_is_good_against_the_public_tier(folder: Path, tmp_path: Path, name: str) -> None:
    write_tier(folder / name, "public", tmp_path / "public.zip")
    receipts = make_receipts(Record.read(folder / name))
    assert len(receipts) == 40
    rows = {row["id"]: row for row in people()}
    for person, receipt in receipts.items():
        found = verify_receipt(receipt, tmp_path / "public.zip")
        assert found.ok, found.problems
        assert found.id == person
        assert dict(found.attributes) == {name: rows[person][name] for name in ("age", "gender")}
        assert len(receipt["path"]) in (5, 6) or len(receipt["path"]) < 7


def test_receipts_say_who_was_drawn_who_keeps_a_seat_and_who_withdrew(record: Record, folder: Path) -> None:
    first, second = (set(entry.body["panel"]) for entry in record.draws)
    for receipt in make_receipts(record).values():
        found = verify_receipt(receipt, folder / "rec")
        results = {number: result for number, result, _ticket in found.rounds}
        assert (results[0] == "drawn") == (found.leaf in first)
        if found.leaf in record.withdrawn:
            assert set(results) == {0}
            assert found.withdrawn == "declined"
        else:
            expected = "kept" if found.leaf in first else "drawn" if found.leaf in second else "not drawn"
            assert results[1] == expected
        for lang, word in (("en", "this receipt is good"), ("fr", "ce récépissé est valable")):
            assert word in found.explain(lang)


def spoilt(receipt: dict[str, Any]) -> list[tuple[str, Any]]:
    """(field, another value) for each field of a receipt, several for some."""
    other = "00" * 32
    return [
        *(
            ("attributes", value)
            for value in ([], [["age", "old"]], receipt["attributes"][::-1], "x", [["a"]])
        ),
        *(("commitment", value) for value in (other, "", 5)),
        *(("draw", value) for value in ("another", "", 1)),
        ("format", "klero-receipt/2"),
        *(("household", value) for value in ("0" * 32, "x", 0)),
        *(
            ("identity", value)
            for value in ({"id": "Person-999"}, {}, {"id": ""}, {"name": "x"}, [], {"id": 5})
        ),
        *(("leaf", value) for value in (receipt["leaf"] + 1, -1, 40, 10**30, "1", 0.5, True)),
        *(("leaves", value) for value in (39, 41, 0, 80)),
        *(
            ("path", value)
            for value in ([], receipt["path"][1:], [*receipt["path"], other], receipt["path"][::-1], "x")
        ),
        *(("root", value) for value in (other, other.upper(), None)),
        *(("salt", value) for value in (other, "", receipt["salt"].upper() + "0")),
        *(("weight", value) for value in (2, 0, "1")),
    ]


def test_a_receipt_with_any_other_field_is_not_good(record: Record, folder: Path) -> None:
    receipt = make_receipts(record, ["Person-007"])["Person-007"]
    cases = spoilt(receipt)
    assert {field for field, _value in cases} == set(receipt)
    for field, value in cases:
        found = verify_receipt(receipt | {field: value}, folder / "rec")
        assert not found.ok, (field, value)
        for lang, word in (("en", "NOT good"), ("fr", "PAS valable")):
            assert word in found.explain(lang)
    assert not verify_receipt({name: value for name, value in receipt.items() if name != "path"}).ok
    assert not verify_receipt(receipt | {"more": 1}).ok


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_changed_digit_of_a_receipt_goes_unseen(folder: Path, data: st.DataObject) -> None:
    receipt = make_receipts(Record.read(folder / "rec"), ["Person-011"])["Person-011"]
    text = canonical(receipt).decode()
    places = [m.start() for m in re.finditer("[0-9a-f]", text)]
    at = data.draw(st.sampled_from(places))
    changed = (
        text[:at]
        + data.draw(st.sampled_from([c for c in "0123456789abcdef" if c != text[at]]))
        + text[at + 1 :]
    )
    try:
        document = json.loads(changed)
    except json.JSONDecodeError:
        return
    assert not verify_receipt(document, folder / "rec").ok


def test_a_receipt_of_another_record_is_told_as_such(record: Record, folder: Path) -> None:
    receipt = make_receipts(record, ["Person-007"])["Person-007"]
    assert verify_receipt(receipt).ok
    kinds = [kind for kind, _detail in verify_receipt(receipt, folder / "home-rec").problems]
    assert kinds == ["people", "hash"]


def test_receipts_are_written_together_for_their_owner_alone(folder: Path, tmp_path: Path) -> None:
    names = write_receipts(folder / "rec", tmp_path / "out", ["Person-001", "Person-002", "Person-001"])
    assert sorted(names) == ["Person-001", "Person-002"]
    assert sorted(tree(tmp_path / "out")) == sorted(names.values())
    assert (tmp_path / "out").stat().st_mode & 0o77 == 0
    assert verify_receipt(tmp_path / "out" / names["Person-001"]).id == "Person-001"
    with pytest.raises(OutputExistsError):
        write_receipts(folder / "rec", tmp_path / "out")
    with pytest.raises(InputError, match="person-unknown") as error:
        write_receipts(folder / "rec", tmp_path / "more", ["nobody", "Person-001", "none"])
    assert len(error.value.faults) == 2
    assert not (tmp_path / "more").exists()


def test_receipts_may_lie_in_the_record_and_are_no_part_of_it(fresh: Path) -> None:
    write_receipts(fresh, fresh / "receipts")
    assert verify(fresh).ok
    with pytest.raises(InputError, match="output-is-input"):
        write_receipts(fresh, fresh / "public")


def test_receipts_never_lie_in_a_public_copy(fresh: Path, tmp_path: Path) -> None:
    write_tier(fresh, "public", tmp_path / "site")
    before = tree(tmp_path / "site")
    with pytest.raises(InputError, match="output-is-input"):
        write_receipts(fresh, tmp_path / "site" / "public" / "receipts")
    assert tree(tmp_path / "site") == before


# ---- forgetting ----
def test_a_forgotten_person_is_linked_to_their_leaf_by_nothing(fresh: Path) -> None:
    before = Record.read(fresh)
    gone = [before.sealed[before.leaves.index(leaf)] for leaf in before.withdrawn]
    write_receipts(fresh, fresh / "receipts")
    names = [person[0]["id"] for person in gone if person]
    assert len(names) == 2
    forget(fresh, names)
    assert verify(fresh).ok
    everything = b"".join(tree(fresh).values()).decode()
    for person in gone:
        assert person
        assert person[0]["id"] not in everything
        assert person[1] not in everything
    after = Record.read(fresh)
    assert after.people
    assert after.people.count(None) == 2
    with pytest.raises(InputError, match="person-unknown"):
        forget(fresh, names[:1])
    replaced_panel = after.panel
    replaced(fresh.parent / "r2", fresh, replaced_panel[:1], day="2026-03-02")
    assert verify(fresh).ok


def test_whoever_has_a_seat_or_may_be_drawn_is_not_forgotten(fresh: Path) -> None:
    before = tree(fresh)
    record = Record.read(fresh)
    seated = next(p for p, i in record.ids.items() if record.leaves[i] in record.panel)
    waiting = next(
        p for p, i in record.ids.items() if record.leaves[i] not in record.panel + tuple(record.withdrawn)
    )
    with pytest.raises(InputError) as error:
        forget(fresh, [seated, waiting])
    assert ["seat" in f.message for f in error.value.faults] == [True, False]
    assert tree(fresh) == before
    withdraw(fresh, persons=[waiting], reason="other", keys=BOTH, time="2026-03-05T00:00:00Z")
    forget(fresh, [waiting])
    abort(fresh, reason="over", keys=BOTH, time="2026-03-05T00:00:00Z")
    forget(fresh, [seated])
    assert verify(fresh).ok


# ---- tiers ----
@pytest.mark.parametrize(
    ("tier", "folders"),
    [("public", {"public"}), ("auditor", {"public", "auditor"}), ("sealed", {"public", "auditor", "sealed"})],
)
def test_a_tier_is_its_folders_as_a_folder_or_as_a_zip(
    folder: Path, tmp_path: Path, tier: str, folders: set[str]
) -> None:
    result = write_tier(folder / "rec", tier, tmp_path / "out")
    write_tier(folder / "rec", tier, tmp_path / "out.zip")
    assert result.ok
    assert {name.split("/")[0] for name in tree(tmp_path / "out")} == folders
    assert unpack((tmp_path / "out.zip").read_bytes()) == tree(tmp_path / "out")
    assert verify(tmp_path / "out.zip").checks == verify(tmp_path / "out").checks == result.checks
    with pytest.raises(OutputExistsError):
        write_tier(folder / "rec", tier, tmp_path / "out.zip")
    secret = 0 if tier == "public" else 0o077
    for path in (tmp_path / "out.zip", *(tmp_path / "out" / name for name in folders - {"public"})):
        assert path.stat().st_mode & secret == 0
    if tier == "sealed":
        write_tier(tmp_path / "out", "sealed", tmp_path / "again.zip")
        assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "out.zip").read_bytes()
    else:
        with pytest.raises(BundleError, match="no sealed tier, so nothing tells"):
            write_tier(tmp_path / "out", "public", tmp_path / "again.zip")
        assert not (tmp_path / "again.zip").exists()
    if tier == "public":
        with pytest.raises(BundleError, match="no auditor tier"):
            write_tier(tmp_path / "out", "auditor", tmp_path / "none.zip")


def test_a_record_that_lacks_signatures_is_not_handed_on(tmp_path: Path) -> None:
    lots = bundle(tmp_path / "b")
    committed(tmp_path / "rec", lots, signed_by=BOTH[:1])
    with pytest.raises(BundleError, match="1 more signature"):
        write_tier(tmp_path / "rec", "public", tmp_path / "out.zip")


@pytest.mark.parametrize(
    "options",
    [
        {"title": "A panel, with Person-007 in it"},
        {"title": "person-007"},
        {"question": "Is (Person-007) here?"},
        {"organiser": "PERSON-007's town"},
    ],
)
def test_an_id_in_free_text_is_refused_at_once_and_keeps_the_public_tier_back(
    tmp_path: Path, options: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lots = bundle(tmp_path / "b")
    with pytest.raises(InputError, match=r"\[leak\]"):
        committed(tmp_path / "rec", lots, **options)
    assert not (tmp_path / "rec").exists()
    # A record of another program may hold it all the same.
    monkeypatch.setattr("klero.ledger.commit.leaks", lambda _record, **_: [])
    drawn(tmp_path / "rec", lots, **options)
    with pytest.raises(InputError, match="the id or the name of a person") as error:
        write_tier(tmp_path / "rec", "public", tmp_path / "out.zip")
    assert [fault.code for fault in error.value.faults] == ["leak"]
    assert not (tmp_path / "out.zip").exists()
    write_tier(tmp_path / "rec", "auditor", tmp_path / "out.zip")


@pytest.mark.parametrize("title", ["Person-0071", "XPerson-007", "Person", "007", "A panel of 40 in 2026"])
def test_other_words_and_numbers_are_no_ids(tmp_path: Path, title: str) -> None:
    lots = bundle(tmp_path / "b")
    drawn(tmp_path / "rec", lots, title=title)
    assert leaks(Record.read(tmp_path / "rec")) == []


def test_a_value_that_is_an_id_keeps_the_public_tier_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("klero.ledger.commit.leaks", lambda _record, **_: [])
    rows = [row | {"age": "Person-001" if row["age"] == "young" else "old"} for row in people()]
    quotas = [{"feature": "age", "value": value, "min": 3, "max": 5} for value in ("Person-001", "old")]
    drawn(tmp_path / "rec", bundle(tmp_path / "b", rows, quotas=quotas))
    assert [fault.code for fault in leaks(Record.read(tmp_path / "rec"))] == ["leak"]


SECRETS: dict[str, Callable[[Record], str]] = {
    "salt": lambda r: next(person[1] for person in r.sealed if person),
    "opening": lambda r: r.auditor("pool", 0)["openings"][3][1],
    "blind": lambda r: r.auditor("instance", 0)["blind"],
    "id": lambda _r: "Person-004",
}


@pytest.mark.parametrize("what", sorted(SECRETS))
def test_a_secret_in_an_entry_is_found_inside_its_envelope(
    fresh: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = SECRETS[what](Record.read(fresh))
    reason = f"see x{secret}y" if what != "id" else f"see x {secret}"
    before = tree(fresh.parent)
    for text in (reason, reason.upper()):
        with pytest.raises(InputError, match="leak"):
            abort(fresh, reason=text, keys=BOTH, time="2026-03-05T00:00:00Z")
    assert tree(fresh.parent) == before
    # As another program would write it.
    with monkeypatch.context() as patched:
        patched.setattr("klero.ledger.record._refuse_leaks", lambda record, entry: None)
        abort(fresh, reason=reason.upper(), keys=BOTH, time="2026-03-05T00:00:00Z")
    assert verify(fresh).ok
    with pytest.raises(InputError, match="leak"):
        write_tier(fresh, "public", fresh.parent / "out.zip")
    assert not (fresh.parent / "out.zip").exists()


def test_a_tag_is_found(folder: Path, tmp_path: Path) -> None:
    for name, data in tree(folder / "home-rec").items():
        (tmp_path / "rec" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rec" / name).write_bytes(data)
    tag = Record.read(tmp_path / "rec").auditor("pool", 0)["openings"][7][2]
    with pytest.raises(InputError, match="a tag of somebody"):
        abort(tmp_path / "rec", reason=f"household {tag}", keys=BOTH, time=LATER)


def test_a_field_that_is_none_of_the_protocols_is_a_leak_of_its_own(record: Record) -> None:
    last = record.entries[-1]
    for body in ({**last.body, "names": ["x"]}, {**last.body, "panel": ["ab" * 32]}):
        forged = new_entry("draw", body, draw="panel-2026", previous=record.entries[-2], time=last.time)
        files = {**record.files, entry_name(forged.sequence): forged.data}
        assert any("has no place there" in fault.message for fault in leaks(Record("", files)))


def test_a_small_cell_of_a_histogram_is_a_leak(record: Record) -> None:
    first = record.entries[0]
    body = {**first.body, "summary": {**first.body["summary"], "histogram": [[0, 30, 31], [30, 100, 9]]}}
    forged = new_entry("commitment", body, draw="panel-2026", previous=None, time=first.time)
    files = {**record.files, entry_name(1): forged.data}
    assert any("9 people, fewer than 10" in fault.message for fault in leaks(Record("", files)))


@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.sampled_from("xy"), st.integers(0, 9)), min_size=12, max_size=30
    ).filter(lambda rows: len({row[2] for row in rows}) >= 8),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_nobodys_particulars_are_in_the_public_tier(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, int]], alone: bool
) -> None:
    """For random lotteries: public tier and one receipt hold no id, salt, opening, tag or type of anybody else."""
    place = tmp_path_factory.mktemp("random")
    table = [
        {"id": f"volunteer{i:04}", "area": a, "sort": b, "home": f"h{h}"} for i, (a, b, h) in enumerate(rows)
    ]
    quotas = [
        {"feature": feature, "value": value, "min": 0, "max": 8}
        for feature, column in (("area", 0), ("sort", 1))
        for value in sorted({row[column] for row in rows})
    ]
    rules: dict[str, Any] = {"household": ["home"], "per_household": 1} if alone else {}
    lots = bundle(place / "b", table, quotas=quotas, **rules)
    drawn(place / "rec", lots, salts=None)
    whole = Record.read(place / "rec")
    assert leaks(whole) == []
    public = b"\n".join(
        [*tier_files(whole.files, "public").values(), *(e.payload for e in whole.entries)]
    ).decode()
    (own, receipt), *_ = make_receipts(whole).items()
    shown = public + canonical(receipt).decode()
    for i, person in enumerate(whole.sealed):
        assert person
        if person[0]["id"] == own:
            continue
        assert person[0]["id"] not in shown
        assert person[1] not in shown
        c_id, k_type, tag = whole.auditor("pool", 0)["openings"][i]
        assert c_id not in shown
        assert k_type not in shown
        assert not alone or tag == receipt["household"] or tag not in shown
        # Without c_id, which only the auditor and the person have, nobody can compute the ticket.
        assert own_ticket(whole.draws[0], whole.leaves[i], c_id) not in shown
    assert verify_record(tier_files(whole.files, "public")).ok


# ---- explaining ----
@given(
    st.text("0123456789abcdef", min_size=8, max_size=8), st.text("0123456789abcdef", min_size=8, max_size=8)
)
def test_the_threshold_is_the_shortest_that_parts_two_tickets(a: str, b: str) -> None:
    low, high = sorted((a, b))
    if low == high:
        with pytest.raises(BundleError):
            threshold(low, high)
        return
    found = threshold(low, high)
    assert low < found <= high
    assert not any(low < high[:n] <= high for n in range(len(found)))


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_a_person_learns_chance_ticket_and_result_and_nobody_elses(record: Record, lang: str) -> None:
    c_ids = dict(zip(record.leaves, record.c_ids, strict=True))

    def ticket(entry: Entry, leaf: str) -> str:
        return own_ticket(entry, leaf, c_ids[leaf])

    tickets = {ticket(entry, leaf): leaf for entry in record.draws for leaf in record.leaves}
    parted = 0
    for person, i in record.ids.items():
        text = explain_record(record, person, lang)
        plain = text.replace(" ", "")
        leaf = record.leaves[i]
        shown = {one for one in tickets if one in plain}
        own = {ticket(entry, leaf) for entry in record.draws}
        assert shown <= own
        assert ticket(record.draws[0], leaf) in shown
        assert not any(other[:10] in plain for other in tickets if other not in own)
        assert not [other for other in record.ids if other != person and other in text]
        for entry, part in zip(record.draws, re.split(r"\n\n(?=Round|Tour)", text), strict=False):
            bound = re.search(r"(?:is below|est inférieur à) ([0-9a-f ]+)\.", part)
            if bound and not (entry.body["round"] and leaf in record.draws[0].body["panel"]):
                parted += 1
                assert (ticket(entry, leaf) < bound[1].replace(" ", "")) == (leaf in entry.body["panel"])
        assert explain_record(record, leaf, lang) == text
    assert parted > 20


def test_lotteries_of_all_rounds_are_explained(folder: Path) -> None:
    for name, rounds in (("rec", 2), ("home-rec", 1)):
        record = Record.read(folder / name)
        text = explain_record(record)
        assert len(re.findall(r"^Round \d\.", text, re.MULTILINE)) == rounds


def test_who_shares_an_address_is_told_how_seats_are_dealt(folder: Path, tmp_path: Path) -> None:
    """Some panel gives seats to one of two households that are alike; the balls of the first one that does are looked for."""
    for number in range(60):
        record = tmp_path / str(number)
        committed(record, folder / "homes")
        draw_record(record, balls=f"{number * 16661:020}"[::-1], keys=BOTH, time=LATER)
        read = Record.read(record)
        home = {i for members in read.auditor("pool", 0)["households"] for i in members}
        texts = {person: explain_record(read, person) for person, i in read.ids.items() if i in home}
        told = {person: text for person, text in texts.items() if "Households alike" in text}
        if told:
            break
    assert told
    assert len(texts) == 12
    for person in told:
        assert "foyers semblables" in explain_record(read, person, "fr")


def test_a_rewritten_file_leaves_no_trace_beside_it(fresh: Path) -> None:
    before = sorted(tree(fresh.parent))
    rewrite(fresh, "sealed/people.json", (fresh / "sealed" / "people.json").read_bytes())
    assert sorted(tree(fresh.parent)) == before
