"""Steps of a record: signatures, readings, draws, withdrawals, later rounds, aborts, and what is refused on the way."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

import klero
from klero import _native
from klero.errors import BundleError, InputError
from klero.ledger import record_folder as record_module
from klero.ledger.canonical import canonical
from klero.ledger.commit import commit_round
from klero.ledger.record import Record
from klero.ledger.sources import balls, dice, drand, lottery
from klero.ledger.steps import abort, draw_record, read_out, withdraw
from klero.ledger.successor import replace_round
from klero.ledger.verify import verify
from making_cases import (
    AFTER_123,
    AFTER_657413,
    BOTH,
    CALENDAR,
    DIGITS,
    DRAWN,
    EARLY,
    GUARANTOR,
    HOUSE,
    IN_2023,
    LATER,
    NAMED,
    ORGANISER,
    QUOTAS,
    ROUND_123,
    ROUND_3311596,
    STRANGER,
    bundle,
    committed,
    drawn,
    people,
    replaced,
    salts,
    secret_key,
    sign,
    tree,
)


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("lots") / "bundle")


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With households, weights and somebody who must sit."""
    return bundle(tmp_path_factory.mktemp("homes") / "bundle", must_sit=["Person-005"], **HOUSE)


def codes(error: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [fault.code for fault in error.value.faults]


# ---- signatures ----
def test_keys_need_not_be_on_one_machine(lots: Path, tmp_path: Path) -> None:
    made = committed(tmp_path / "rec", lots, signed_by=[ORGANISER])
    assert (made.unsigned, made.signers) == (1, ("the town",))
    assert [c.name for c in verify(tmp_path / "rec") if c.bad] == ["signatures", "beacon"]
    with pytest.raises(BundleError, match="1 more signature"):
        draw_record(tmp_path / "rec", balls=DIGITS, keys=BOTH, time=LATER)
    copy = tmp_path / "copy" / "public"
    copy.mkdir(parents=True)
    for path in (tmp_path / "rec" / "public").iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    assert sign(tmp_path / "copy", [GUARANTOR]).entries == (1,)
    done = sign(tmp_path / "rec", [GUARANTOR])
    assert (done.entries, done.unsigned) == ((1,), 0)
    assert (copy / "entry-0001.json").read_bytes() == (
        tmp_path / "rec" / "public" / "entry-0001.json"
    ).read_bytes()
    assert committed(tmp_path / "both", lots).publish == made.publish
    assert tree(tmp_path / "both") == tree(tmp_path / "rec")
    assert sign(tmp_path / "rec", BOTH).entries == ()


def test_no_key_at_all_may_be_given_at_first(lots: Path, tmp_path: Path) -> None:
    assert committed(tmp_path / "rec", lots, signed_by=[]).unsigned == 2
    assert sign(tmp_path / "rec", [GUARANTOR]).unsigned == 1
    assert sign(tmp_path / "rec", [ORGANISER]).unsigned == 0
    assert verify(tmp_path / "rec").ok


def test_somebody_who_is_not_the_organiser_must_sign(lots: Path, tmp_path: Path) -> None:
    other = secret_key("the town, second key")
    keys = (*NAMED, ("organiser", other.public))
    made = committed(tmp_path / "rec", lots, keys=keys, signed_by=[ORGANISER, other])
    assert (made.unsigned, len(made.signers)) == (1, 2)
    with pytest.raises(BundleError, match="1 more signature"):
        abort(tmp_path / "rec", reason="x", keys=BOTH, time=LATER)
    assert sign(tmp_path / "rec", [GUARANTOR]).unsigned == 0
    assert verify(tmp_path / "rec").ok


def test_no_signature_is_added_once_something_follows(lots: Path, tmp_path: Path) -> None:
    witness = secret_key("a witness")
    committed(tmp_path / "rec", lots, keys=(*NAMED, ("witness", witness.public)))
    assert sign(tmp_path / "rec", [witness]).entries == (1,)
    draw_record(tmp_path / "rec", balls=DIGITS, keys=BOTH, time=LATER)
    first = (tmp_path / "rec" / "public" / "entry-0001.json").read_bytes()
    assert sign(tmp_path / "rec", [witness]).entries == (2,)
    assert (tmp_path / "rec" / "public" / "entry-0001.json").read_bytes() == first


def test_a_stranger_signs_nothing(lots: Path, tmp_path: Path) -> None:
    committed(tmp_path / "rec", lots, signed_by=[ORGANISER])
    before = tree(tmp_path / "rec")
    for keys in ([STRANGER], [GUARANTOR, STRANGER], []):
        with pytest.raises(InputError, match=r"key-unknown|no key"):
            sign(tmp_path / "rec", keys)
    assert tree(tmp_path / "rec") == before


def test_a_wrong_signature_is_no_missing_one(lots: Path, tmp_path: Path) -> None:
    committed(tmp_path / "rec", lots, signed_by=[ORGANISER])
    path = tmp_path / "rec" / "public" / "entry-0001.json"
    envelope = json.loads(path.read_bytes())
    envelope["signatures"][0]["sig"] = base64.b64encode(bytes(64)).decode()
    path.write_bytes(canonical(envelope))
    with pytest.raises(BundleError, match="does not verify"):
        sign(tmp_path / "rec", [GUARANTOR])


def test_nobody_is_asked_to_sign_a_beacon_that_does_not_verify(
    lots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "rec"
    committed(record, lots, sources=[drand("quicknet", number=123)], calendar=[], time=IN_2023)
    assert draw_record(record, drand=ROUND_123, keys=[ORGANISER], time=AFTER_123).unsigned == 1
    with monkeypatch.context() as patched:
        patched.setattr(_native, "beacon_verify", lambda *_: False)
        with pytest.raises(BundleError, match="beacon's own signature in entry 2"):
            sign(record, [GUARANTOR])
    assert sign(record, [GUARANTOR]).unsigned == 0
    assert verify(record).ok


# ---- draws ----
def drand_record(place: Path, lots: Path) -> Path:
    committed(place, lots, sources=[drand("quicknet", number=123)], calendar=[], time=IN_2023)
    return place


def test_a_draw_follows_from_the_declared_round_of_a_beacon(lots: Path, tmp_path: Path) -> None:
    record = drand_record(tmp_path / "rec", lots)
    (tmp_path / "round.json").write_text(json.dumps(ROUND_123))
    made = draw_record(record, drand=tmp_path / "round.json", keys=BOTH, time=AFTER_123)
    assert (made.round, len(made.panel), made.new) == (0, 8, made.panel)
    assert sorted(made.ids.values()) == sorted({i for i in salts() if made.ids and i in made.ids.values()})
    assert len(made.ids) == 8
    assert verify(record).ok
    before = tree(record)
    with pytest.raises(InputError, match="drawn once"):
        draw_record(record, drand=ROUND_123, keys=BOTH, time=AFTER_123)
    assert tree(record) == before


@pytest.mark.parametrize(
    ("response", "words"),
    [
        ({**ROUND_123, "round": 124}, "drand round 124, and round 123"),
        ({**ROUND_123, "signature": ROUND_123["signature"][:-2]}, "48 bytes"),
        ({**ROUND_123, "signature": "zz" * 48}, "48 bytes"),
        ({**ROUND_123, "signature": "80" + "00" * 47}, "does not verify"),
        ({**ROUND_123, "signature": "b7" + ROUND_123["signature"][2:-1] + "3"}, "does not verify"),
        ({**ROUND_123, "randomness": "00" * 32}, "not SHA-256"),
        ({"round": 123}, "no round or no signature"),
        ({"signature": "00"}, "no round or no signature"),
        ({**ROUND_123, "round": "123"}, "no round or no signature"),
        ([ROUND_123], "one JSON object"),
    ],
)
def test_no_other_answer_of_a_beacon_is_taken(lots: Path, tmp_path: Path, response: Any, words: str) -> None:
    record = drand_record(tmp_path / "rec", lots)
    (tmp_path / "r.json").write_text(json.dumps(response))
    with pytest.raises(InputError, match=words) as error:
        draw_record(record, drand=tmp_path / "r.json", keys=BOTH, time=AFTER_123)
    assert codes(error) == ["beacon-invalid"]
    assert len(list((record / "public").glob("entry-*"))) == 1


def test_a_previous_signature_that_plays_no_part_is_not_kept(lots: Path, tmp_path: Path) -> None:
    record = drand_record(tmp_path / "rec", lots)
    made = draw_record(
        record, drand={**ROUND_123, "previous_signature": "ab" * 48}, keys=BOTH, time=AFTER_123
    )
    assert made.entry.body["reveals"][0]["previous_signature"] == ""
    assert verify(record).ok


BEFORE_123 = "2023-08-23T12:00:00Z"


def mixed(place: Path, lots: Path, **options: Any) -> Path:
    """A record whose first draw takes balls, dice, a beacon and a lottery."""
    sources = [
        balls(20, "2023-08-23T10:00:00Z"),
        dice(30, "2023-08-23T10:00:00Z"),
        drand("quicknet", number=123),
        lottery(["Loto:5/49", "Chance:1/10"], "2023-08-23T11:00:00Z"),
    ]
    committed(place, lots, sources=sources[::-1], calendar=[], time=IN_2023, **options)
    return place


def test_what_people_watch_is_read_out_before_the_beacon_and_drawn_with_it(
    lots: Path, tmp_path: Path
) -> None:
    record = mixed(tmp_path / "rec", lots)
    (tmp_path / "loto.txt").write_text("# 23 August\n49. 7. 3. 21. 8./   # in the order drawn\n\n10/\n")
    results = {"balls": "04711 33825 19072 64410", "dice": "123456" * 5, "lottery": tmp_path / "loto.txt"}
    with pytest.raises(InputError, match="must be read out and signed before"):
        draw_record(record, **results, drand=ROUND_123, keys=BOTH, time=AFTER_123)
    made = read_out(record, **results, keys=BOTH, time=BEFORE_123)
    assert made.entry.kind == "reading"
    assert verify(record).ok
    with pytest.raises(InputError, match="done once"):
        read_out(record, **results, keys=BOTH, time=BEFORE_123)
    with pytest.raises(InputError, match="stand as they are there"):
        draw_record(record, balls=DIGITS, drand=ROUND_123, keys=BOTH, time=AFTER_123)
    drawn_ = draw_record(record, drand=ROUND_123, keys=BOTH, time=AFTER_123)
    kinds = [reveal["kind"] for reveal in drawn_.entry.body["reveals"]]
    assert kinds == ["balls", "dice", "drand", "lottery"]
    assert drawn_.entry.body["reveals"][3]["numbers"] == [[3, 7, 8, 21, 49], [10]]
    assert [
        reveal for reveal in drawn_.entry.body["reveals"] if reveal["kind"] != "drand"
    ] == made.entry.body["reveals"]
    assert verify(record).ok
    with pytest.raises(InputError, match="drawn once"):
        read_out(record, **results, keys=BOTH, time=AFTER_123)


def test_all_that_is_wrong_with_a_reading_is_told_at_once(lots: Path, tmp_path: Path) -> None:
    record = mixed(tmp_path / "rec", lots)
    with pytest.raises(InputError) as error:
        read_out(
            record,
            balls="123",
            lottery=[[1, 2, 3, 4, 50], [1, 2]],
            keys=[STRANGER],
            time="2023-08-23T09:00:00Z",
        )
    assert sorted(codes(error)) == sorted(
        ["key-unknown"] + ["reveal-invalid"] * 3 + ["reveal-missing"] + ["too-early"] * 3
    )
    good = {"balls": DIGITS, "dice": "1" * 30, "lottery": [[1, 2, 3, 4, 5], [1]]}
    with pytest.raises(InputError, match="too late") as error:
        read_out(record, **good, keys=BOTH, time="2023-08-23T15:15:33Z")
    assert codes(error) == ["too-late"]
    read_out(record, **good, keys=BOTH, time="2023-08-23T15:15:32Z")
    assert verify(record).ok


def test_no_reading_is_made_where_none_is_asked_for(lots: Path, tmp_path: Path) -> None:
    committed(tmp_path / "rec", lots)
    with pytest.raises(InputError, match="only where the beacon is a source beside others"):
        read_out(tmp_path / "rec", balls=DIGITS, keys=BOTH, time=LATER)
    only = drand_record(tmp_path / "only", lots)
    with pytest.raises(InputError, match="only where the beacon is a source beside others"):
        read_out(only, balls=DIGITS, keys=BOTH, time=BEFORE_123)
    with pytest.raises(InputError) as error:
        draw_record(tmp_path / "rec", dice="123", time=EARLY)
    assert sorted(codes(error)) == ["reveal-invalid", "reveal-missing", "too-early"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 2 3 4 5\n", "2 draws were declared"),
        ("1 2 3 4 5\n6\n7\n", "2 draws were declared"),
        ("1 2 3 4 x\n6\n", "row 1.*no list of numbers"),
        ("1 2 3 4 4\n6\n", "row 1.*4 stands twice"),
        ("1 2 3 4 99\n6\n", "row 1.*from 1 to 49"),
        ("1 2 3 4 0\n6\n", "row 1.*from 1 to 49"),
        ("1 2 3 4 5 6\n6\n", "row 1.*draws 5 numbers"),
        ("\n\n# nothing\n", "2 draws were declared"),
    ],
)
def test_a_file_of_lottery_numbers_must_be_what_was_declared(
    lots: Path, tmp_path: Path, text: str, words: str
) -> None:
    sources = [balls(20, DRAWN), lottery(["Loto:5/49", "Chance:1/10"], DRAWN)]
    committed(tmp_path / "rec", lots, sources=sources, calendar=[])
    (tmp_path / "loto.txt").write_text(text)
    with pytest.raises(InputError, match=words):
        draw_record(tmp_path / "rec", balls=DIGITS, lottery=tmp_path / "loto.txt", keys=BOTH, time=LATER)
    assert len(list((tmp_path / "rec" / "public").glob("entry-*"))) == 1


def test_a_draw_before_its_time_is_refused(lots: Path, tmp_path: Path) -> None:
    committed(tmp_path / "rec", lots)
    with pytest.raises(InputError, match="too early") as error:
        draw_record(tmp_path / "rec", balls=DIGITS, keys=BOTH, time="2026-02-01T09:59:59Z")
    assert codes(error) == ["too-early"]
    draw_record(tmp_path / "rec", balls=DIGITS, keys=BOTH, time=DRAWN)


def test_a_fallback_is_used_only_where_one_was_declared(lots: Path, tmp_path: Path) -> None:
    record = tmp_path / "rec"
    sources, later = [drand("quicknet", number=122)], drand("default", number=3311596)
    committed(record, lots, sources=sources, fallback=later, calendar=[], time=IN_2023)
    with pytest.raises(InputError, match="round 122"):
        draw_record(record, drand=ROUND_3311596, keys=BOTH, time=AFTER_657413)
    with pytest.raises(InputError, match="too early"):
        draw_record(record, drand=ROUND_3311596, fallback=True, keys=BOTH, time=AFTER_123)
    short = {**ROUND_3311596, "previous_signature": ""}
    with pytest.raises(InputError, match="previous_signature is not 96 bytes"):
        draw_record(record, drand=short, fallback=True, keys=BOTH, time=AFTER_657413)
    draw_record(record, drand=ROUND_3311596, fallback=True, keys=BOTH, time=AFTER_657413)
    assert verify(record).ok
    assert Record.read(record).draws[0].body["fallback"] == "yes"
    committed(tmp_path / "none", lots)
    with pytest.raises(InputError, match="no fallback was declared"):
        draw_record(tmp_path / "none", balls=DIGITS, fallback=True, keys=BOTH, time=LATER)


# ---- what follows ----
def test_times_never_go_back(lots: Path, tmp_path: Path) -> None:
    record = drawn(tmp_path / "rec", lots)
    leaf = Record.read(record).panel[0]
    with pytest.raises(InputError, match="time-order"):
        withdraw(record, leaves=[leaf], reason="other", keys=BOTH, time=EARLY)
    with pytest.raises(InputError, match="time-invalid"):
        withdraw(record, leaves=[leaf], reason="other", keys=BOTH, time="2026-02-30T00:00:00Z")


def test_all_that_is_wrong_with_withdrawals_is_told_at_once(lots: Path, tmp_path: Path) -> None:
    record = drawn(tmp_path / "rec", lots)
    leaf = Record.read(record).panel[0]
    withdraw(record, leaves=[leaf], reason="declined", keys=BOTH, time=LATER)
    with pytest.raises(InputError) as error:
        withdraw(
            record, persons=["nobody"], leaves=[leaf, "00" * 32, *["ff" * 32] * 2], reason="bored", keys=BOTH
        )
    assert sorted(codes(error)) == sorted(
        [
            "person-unknown",
            "reason-invalid",
            "withdrawal-duplicate",
            "withdrawal-unknown",
            "withdrawal-unknown",
        ]
    )
    with pytest.raises(InputError, match="withdrawal-none"):
        withdraw(record, reason="other", keys=BOTH)


def test_a_person_and_their_leaf_are_one_withdrawal(lots: Path, tmp_path: Path) -> None:
    record = drawn(tmp_path / "rec", lots)
    read = Record.read(record)
    person = next(iter(read.ids))
    with pytest.raises(InputError, match="named 2 times"):
        withdraw(record, persons=[person], leaves=[read.leaves[read.ids[person]]], reason="other", keys=BOTH)


@pytest.mark.parametrize("which", ["lots", "homes"])
def test_replacement_rounds_follow_and_dates_that_nobody_needs_are_passed_over(
    which: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    record = drawn(tmp_path / "rec", request.getfixturevalue(which))
    first = Record.read(record).panel
    replaced(tmp_path / "r1", record, first[:2], day="2026-03-02")  # too late for the calendar's first date
    second = Record.read(record)
    assert [round_.number for round_ in second.rounds] == [0, 2]
    assert set(first[2:]) <= set(second.panel)
    assert len(second.panel) == 8
    replaced(tmp_path / "r2", record, second.panel[:7], day="2026-04-02")
    third = Record.read(record)
    assert [round_.number for round_ in third.rounds] == [0, 2, 3]
    assert third.panel[0] not in third.withdrawn
    assert not set(third.panel) & set(third.withdrawn)
    result = verify(record)
    assert result.ok
    assert {c.name: c.status for c in result}["succession"] == "ok"
    withdraw(record, leaves=third.panel[:1], reason="other", keys=BOTH, time="2026-05-02T00:00:00Z")
    with pytest.raises(InputError, match="none is left after round 3"):
        replace_round(record, tmp_path / "r3")


def test_weights_keep_their_common_factor_in_later_rounds(tmp_path: Path) -> None:
    rows = [row | {"letters": "1" if i == 0 else "4" if i % 2 else "2"} for i, row in enumerate(people())]
    lots = bundle(tmp_path / "b", rows, weight="letters")
    record = drawn(tmp_path / "rec", lots)
    read = Record.read(record)
    light = read.leaves[read.ids["Person-000"]]
    gone = [light, *[leaf for leaf in read.panel if leaf != light][:1]]
    replaced(tmp_path / "r1", record, gone)
    assert sorted(set(Record.read(record).auditor("pool", 1)["weights"])) == [2, 4]
    assert verify(record).ok


def test_quotas_are_loosened_only_when_asked_and_as_little_as_can_be(tmp_path: Path) -> None:
    rows = people()
    quotas = [*QUOTAS[:2], {"feature": "age", "value": "rare", "min": 1, "max": 1}, *QUOTAS[2:]]
    rows[0] = {**rows[0], "age": "rare"}
    lots = bundle(tmp_path / "b", rows, quotas=quotas)
    record = drawn(tmp_path / "rec", lots)
    read = Record.read(record)
    rare = read.leaves[read.ids["Person-000"]]
    assert rare in read.panel
    withdraw(record, leaves=[rare], reason="declined", keys=BOTH, time=LATER)
    with pytest.raises(klero.InfeasibleError, match="allow-breach"):
        replace_round(record, tmp_path / "r1")
    made = replace_round(record, tmp_path / "r1", allow_breach=True)
    assert made.breach == (("age: rare", "min", 1, 0),)
    for lang in ("en", "fr"):
        assert "rare" in made.explain(lang)
    commit_round(tmp_path / "r1", record, keys=BOTH, time="2026-02-03T00:00:00Z")
    assert Record.read(record).entries[-1].body["loosened"] == [["age", "rare", 0, 1]]
    draw_record(record, balls=DIGITS, keys=BOTH, time=CALENDAR[0])
    assert verify(record).ok


def test_no_round_is_prepared_out_of_turn(lots: Path, tmp_path: Path) -> None:
    record = tmp_path / "rec"
    committed(record, lots)
    with pytest.raises(InputError, match="not drawn yet"):
        replace_round(record, tmp_path / "r1")
    draw_record(record, balls=DIGITS, keys=BOTH, time=LATER)
    with pytest.raises(InputError, match="no seat is free"):
        replace_round(record, tmp_path / "r1")
    read = Record.read(record)
    other = next(leaf for leaf in read.leaves if leaf not in read.panel)
    withdraw(record, leaves=[other], reason="other", keys=BOTH, time=LATER)
    with pytest.raises(InputError, match="no seat is free"):
        replace_round(record, tmp_path / "r1")
    withdraw(record, leaves=read.panel[:1], reason="other", keys=BOTH, time=LATER)
    replace_round(record, tmp_path / "r1")
    with pytest.raises(InputError, match="calendar's last date"):
        commit_round(tmp_path / "r1", record, keys=BOTH, time=CALENDAR[-1])
    with pytest.raises(InputError, match="no leaf of the record"):
        commit_round(lots, record, keys=BOTH, time=LATER)


def test_a_lottery_of_a_round_before_somebody_withdrew_is_refused(lots: Path, tmp_path: Path) -> None:
    record = drawn(tmp_path / "rec", lots)
    read = Record.read(record)
    withdraw(record, leaves=read.panel[:1], reason="other", keys=BOTH, time=LATER)
    replace_round(record, tmp_path / "r1")
    withdraw(record, leaves=read.panel[1:2], reason="other", keys=BOTH, time=LATER)
    before = tree(record)
    with pytest.raises(InputError, match="has withdrawn and is in the lottery"):
        commit_round(tmp_path / "r1", record, keys=BOTH, time=LATER)
    assert tree(record) == before


def test_a_commitment_of_a_round_that_is_interrupted_leaves_the_record_as_it_was(
    lots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = drawn(tmp_path / "rec", lots)
    withdraw(record, leaves=Record.read(record).panel[:1], reason="other", keys=BOTH, time=LATER)
    replace_round(record, tmp_path / "r1")
    before, names = tree(record), sorted(path.name for path in tmp_path.iterdir())

    def broken(fresh: Path, target: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(record_module, "claim", broken)
        with pytest.raises(OSError, match="Input/output") as error:
            commit_round(tmp_path / "r1", record, keys=BOTH, time=LATER)
        assert error.value.filename == str(record)
    assert tree(record) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    commit_round(tmp_path / "r1", record, keys=BOTH, time=LATER)


def test_two_who_append_at_once_do_not_get_one_number(lots: Path, tmp_path: Path) -> None:
    record = drawn(tmp_path / "rec", lots)
    one, other = Record.read(record), Record.read(record)
    one.append("abort", {"reason": "one"}, keys=BOTH, time=LATER)
    with pytest.raises(BundleError, match="somebody else"):
        other.append("abort", {"reason": "other"}, keys=BOTH, time=LATER)
    assert Record.read(record).entries[-1].body == {"reason": "one"}


def test_nothing_follows_an_abort(lots: Path, tmp_path: Path) -> None:
    record = tmp_path / "rec"
    committed(record, lots)
    with pytest.raises(InputError, match="needs its reason"):
        abort(record, reason="  ", keys=BOTH)
    abort(record, reason="Le registre était incomplet.", keys=BOTH, time=LATER)
    before = tree(record)
    leaf = Record.read(record).leaves[0]
    for step in (
        lambda: abort(record, reason="again", keys=BOTH, time=LATER),
        lambda: withdraw(record, leaves=[leaf], reason="other", keys=BOTH, time=LATER),
        lambda: draw_record(record, balls=DIGITS, keys=BOTH, time=LATER),
        lambda: replace_round(record, tmp_path / "r1"),
    ):
        with pytest.raises((BundleError, InputError), match="aborted"):
            step()
    assert tree(record) == before


def test_nothing_is_appended_to_a_record_that_fails_a_check(lots: Path, tmp_path: Path) -> None:
    record = drawn(tmp_path / "rec", lots)
    path = record / "public" / "leaves.txt"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[1:], lines[0]]))
    for step in (
        lambda: abort(record, reason="x", keys=BOTH, time=LATER),
        lambda: sign(record, BOTH),
        lambda: withdraw(record, leaves=["00" * 32], reason="other", keys=BOTH, time=LATER),
    ):
        with pytest.raises(BundleError, match="leaves"):
            step()


def test_nothing_is_added_to_a_zip(lots: Path, tmp_path: Path) -> None:
    record = drawn(tmp_path / "rec", lots)
    klero.write_tier(record, "sealed", tmp_path / "rec.zip")
    with pytest.raises(BundleError, match="ZIP"):
        abort(tmp_path / "rec.zip", reason="x", keys=BOTH, time=LATER)
    with pytest.raises(BundleError, match="ZIP"):
        sign(tmp_path / "rec.zip", BOTH)
