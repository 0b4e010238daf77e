"""Records as they are made: what is in them, what is refused, and that the same input gives the same bytes."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from klero import _native
from klero.errors import BundleError, InputError
from klero.ledger import record_folder as record_module
from klero.ledger.canonical import canonical
from klero.ledger.clock import written
from klero.ledger.commit import commit
from klero.ledger.declare import declare, disagreements, read_declaration
from klero.ledger.draw import draw
from klero.ledger.record import Record
from klero.ledger.sources import balls, dice, drand, lottery
from klero.ledger.verify import verify
from making_cases import (
    BOTH,
    DRAWN,
    EARLY,
    GUARANTOR,
    HOUSE,
    LATER,
    NAMED,
    ORGANISER,
    STRANGER,
    bundle,
    committed,
    declared,
    people,
    salts,
    secret_key,
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


# ---- what is in a record ----
def seq(label: str, items: list[bytes]) -> bytes:
    parts = [label.encode(), len(items).to_bytes(8, "big")]
    framed = len(parts[0]).to_bytes(8, "big") + parts[0] + parts[1]
    return hashlib.sha256(framed + b"".join(len(i).to_bytes(8, "big") + i for i in items)).digest()


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + root(leaves[:k]) + root(leaves[k:])).digest()


@pytest.mark.parametrize("which", ["lots", "homes"])
def test_leaves_root_and_hash_are_those_of_the_protocol(
    which: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = request.getfixturevalue(which)
    made = committed(tmp_path / "rec", place)
    record = Record.read(tmp_path / "rec")
    rows = {row["id"]: row for row in people()}
    tags = [tag for _c_id, _k_type, tag in record.auditor("pool", 0)["openings"]]
    homes_ = record.auditor("pool", 0)["households"]
    if which == "homes":
        assert len(homes_) == 4
        assert all(len({tags[i] for i in members}) == 1 for members in homes_)
        assert len(set(tags)) == 40 - sum(len(members) - 1 for members in homes_)
        assert all(re.fullmatch("[0-9a-f]{32}", tag) for tag in tags)
    else:
        assert set(tags) == {""}
    leaves = []
    for i, person in enumerate(record.sealed):
        assert person is not None
        identity, salt = person
        row = rows[identity["id"]]
        weight = (1 + (int(row["id"][-3:]) % 2)) if which == "homes" else 1
        opening = {
            "attributes": [["age", row["age"]], ["gender", row["gender"]]],
            "household": tags[i],
            "weight": weight,
        }
        key_id = mac(bytes.fromhex(salt), b"klero/salt/id/v1")
        key_type = mac(bytes.fromhex(salt), b"klero/salt/type/v1")
        c_id, c_type = mac(key_id, canonical(identity)), mac(key_type, canonical(opening))
        leaves.append(seq("klero/leaf/v1", [b"panel-2026", c_id, c_type]))
    assert [leaf.hex() for leaf in leaves] == list(record.leaves)
    assert leaves == sorted(leaves)
    assert record.entries[0].body["leaves"] == root(leaves).hex()
    assert made.publish == record.hash == seq("klero/entry/v1", [record.entries[0].payload]).hex()
    assert verify(tmp_path / "rec").ok


def test_ids_of_any_letters_are_spelled_canonically(tmp_path: Path) -> None:
    odd = ['"quoted"', "back\\slash", "é ü ñ", "日本", "😀", "a/b", "{}", "x y"]
    rows = [row | {"id": odd[i]} if i < len(odd) else row for i, row in enumerate(people())]
    committed(tmp_path / "rec", bundle(tmp_path / "b", rows), salts=None)
    assert verify(tmp_path / "rec").ok  # the check `sealed` makes each identity's bytes anew
    assert set(odd) <= set(Record.read(tmp_path / "rec").ids)


def test_without_given_salts_each_commitment_is_another(lots: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        committed(tmp_path / name, lots, salts=None)
    first, second = Record.read(tmp_path / "a"), Record.read(tmp_path / "b")
    assert not set(first.leaves) & set(second.leaves)
    assert first.auditor("instance", 0)["blind"] != second.auditor("instance", 0)["blind"]
    assert len({salt for person in first.sealed if person for salt in person[1:]}) == 40


def test_the_sealed_tier_is_for_its_owner_alone(lots: Path, tmp_path: Path) -> None:
    committed(tmp_path / "rec", lots)
    assert (tmp_path / "rec" / "sealed").stat().st_mode & 0o77 == 0
    assert (tmp_path / "rec" / "sealed" / "people.json").stat().st_mode & 0o77 == 0


def test_a_trial_draw_in_the_bundle_never_enters_the_record(tmp_path: Path) -> None:
    lots = bundle(tmp_path / "bundle")
    before = committed(tmp_path / "a", lots)
    draw(lots, trial_seed="rehearsal")
    assert committed(tmp_path / "b", lots).publish == before.publish
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


# ---- sameness ----
SAME = """
import sys
from pathlib import Path
from making_cases import bundle, drawn, people, replaced, HOUSE
order = int(sys.argv[2])
rows = people()
rows = rows[::-1] if order == 1 else rows[7:] + rows[:7] if order == 2 else rows
folder = Path(sys.argv[1])
lots = bundle(folder / "bundle", rows, must_sit=["Person-005"], **HOUSE)
record = drawn(folder / "rec", lots)
from klero.ledger.record import Record
replaced(folder / "r1", record, Record.read(record).panel[:2])
"""


def test_same_bytes_in_every_process_and_row_order(tmp_path: Path) -> None:
    results = set()
    for number, (seed, threads) in enumerate((("0", "1"), ("1", "2"), ("424242", "8"))):
        place = tmp_path / str(number)
        place.mkdir()
        env = os.environ | {"PYTHONHASHSEED": seed, "RAYON_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
        env["PYTHONPATH"] = os.pathsep.join(sys.path)
        done = subprocess.run(
            [sys.executable, "-c", SAME, str(place), str(number)],
            env=env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        files = tree(place / "rec")
        results.add(hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest())
        assert len(files) == 16  # declaration, leaves, people, 5 entries, 2 times 4 of the auditor
    assert len(results) == 1


# ---- declarations ----
def test_a_declaration_takes_the_rules_of_the_lottery(homes: Path) -> None:
    said = declared(homes)
    assert [feature["name"] for feature in said["features"]] == ["age", "gender"]
    assert (said["must_sit"], said["household"], said["people"], said["size"]) == (1, 1, 40, 8)
    assert disagreements(said, json.loads((homes / "declaration.json").read_bytes())) == []
    for lang, word in (("en", "Replacement round 3"), ("fr", "Tour de remplacement 3")):
        text = said.explain(lang)
        assert word in text
        assert "the bailiff" in text
        assert DRAWN in text


def test_all_that_cannot_be_declared_is_told_at_once(lots: Path) -> None:
    with pytest.raises(InputError) as error:
        declare(
            lots,
            draw="No Spaces",
            title="",
            organiser=" ",
            sources=[balls(3, DRAWN), dice(500, "tomorrow")],
            keys=[("organiser", ORGANISER.public), ("king", GUARANTOR.public)],
            threshold=3,
            sequence=0,
            notice=60,
        )
    assert sorted(codes(error)) == sorted(
        ["declaration-invalid"] * 5 + ["source-invalid"] * 2 + ["time-invalid"] + ["key-invalid"] * 2
    )


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        ([], "at least one source"),
        ([balls(15, DRAWN)], "fewer than 2\\^64"),
        ([dice(24, DRAWN)], "fewer than 2\\^64"),
        ([lottery(["L:5/50", "S:2/12"], DRAWN)], "fewer than 2\\^64"),
        ([balls(20, DRAWN), balls(20, LATER)], "each kind"),
        ([balls(20, DRAWN), drand("quicknet", at=DRAWN)], "must come before the drand round"),
        ([lottery([("L", 5, 5)], DRAWN), balls(20, DRAWN)], "fewer than there are"),
        ([lottery([("", 5, 50)], DRAWN), balls(20, DRAWN)], "needs a name"),
        ([{"kind": "coin"}], "one of balls"),
        ([{"kind": "balls", "digits": 20}], "exactly the fields"),
        ([{"kind": "drand", "round": 5, "chain": "00"}], "drand chain"),
    ],
)
def test_sources_that_could_be_tried_or_known_are_refused(lots: Path, sources: list[Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        declared(lots, sources=sources, calendar=[])


def test_a_drand_round_comes_at_its_time_or_after_it() -> None:
    assert drand("quicknet", at="2023-08-23T15:15:33Z")["round"] == 123
    assert drand("quicknet", at="2023-08-23T15:15:31Z")["round"] == 123
    assert drand("quicknet", at="2023-08-23T15:15:34Z")["round"] == 124
    assert drand("quicknet", at="2023-08-23T15:15:33Z", after=True)["round"] == 124
    for number in (2, 123, 10**9):
        moment = written(_native.beacon_time(drand("default", number=number)["chain"], number))
        assert moment == "after 2199" or drand("default", at=moment)["round"] == number
    for bad in (
        {"at": "2000-01-01T00:00:00Z"},
        {"number": 1},
        {},
        {"at": DRAWN, "number": 5},
        {"number": 2**53},
    ):
        with pytest.raises(InputError, match="source-invalid"):
            drand("quicknet", **bad)  # type: ignore[arg-type]


def test_a_fallback_is_a_later_round_of_the_other_beacon(lots: Path) -> None:
    beacon, other = drand("quicknet", at=DRAWN), drand("default", at=LATER)
    good = declared(lots, sources=[beacon], fallback=other)
    assert good.sources(0, fallback=True) == [other]
    for sources, fallback in (
        ([beacon], drand("quicknet", at=LATER)),
        ([beacon], drand("default", at=EARLY)),
        ([balls(20, DRAWN)], other),
        ([beacon], balls(20, LATER)),
    ):
        with pytest.raises(InputError, match="fallback"):
            declared(lots, sources=sources, fallback=fallback)


def test_keys_of_organisers_alone_are_refused_and_too_many(lots: Path) -> None:
    with pytest.raises(InputError, match="all keys are organisers"):
        declared(lots, keys=[("organiser", key.public) for key in BOTH])
    many = [("witness", secret_key(f"witness {n}").public) for n in range(11)]
    with pytest.raises(InputError, match="2 to 10"):
        declared(lots, keys=many)
    with pytest.raises(InputError, match="stands twice"):
        declared(lots, keys=[*NAMED, NAMED[0]])


def test_the_tolerance_is_a_round_figure_above_the_gap_and_is_kept(tmp_path: Path) -> None:
    lots = bundle(tmp_path / "b", people(37))
    gap = ceil(Fraction(json.loads((lots / "certificate.json").read_bytes())["gap"]) * 10**6)
    assert gap > 0
    assert declared(lots)["tolerance"] == 100
    assert "at most 100 millionths" in declared(lots).explain()
    committed(tmp_path / "at", lots, tolerance=gap, salts=None)
    assert Record.read(tmp_path / "at").entries[0].body["summary"]["gap"] == gap
    with pytest.raises(InputError, match="millionths") as error:
        committed(tmp_path / "below", lots, tolerance=gap - 1, salts=None)
    assert codes(error) == ["declaration-differs"]
    with pytest.raises(InputError, match="tolerance"):
        declared(lots, tolerance=10**9 + 1)


def test_a_declaration_is_taken_in_any_spelling_of_json(lots: Path, tmp_path: Path) -> None:
    said = declared(lots, title="Assemblée «climat»")
    spellings = [
        json.dumps(said.document, indent=4),
        json.dumps(said.document, ensure_ascii=False),
        json.dumps(dict(reversed(said.document.items())), indent=1).replace("\n", "\r\n"),
        "\ufeff" + json.dumps(said.document),
    ]
    for number, text in enumerate(spellings):
        (tmp_path / "d.json").write_text(text, encoding="utf-8", newline="")
        assert read_declaration(tmp_path / "d.json").data == said.data
        commit(lots, tmp_path / "d.json", tmp_path / f"rec{number}", keys=BOTH, time=EARLY, salts=salts())
        assert (tmp_path / f"rec{number}" / "public" / "declaration.json").read_bytes() == said.data


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "stops being JSON"),
        ("[1, 2]", "one JSON object"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ('{"a": 0.5}', "not whole"),
        ('{"a": 1e3}', "not whole"),
        ('{"a": NaN}', "not whole"),
        ("{" + '"a":{' * 100000, "nested too deeply"),
        ('{"a": ' + "9" * 10000 + "}", "far too long"),
        ('{"title": "x"', "stops being JSON in line 1"),
        ('{"strange": true}', "fields are missing"),
    ],
)
def test_what_is_no_declaration_is_refused_in_words(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "d.json").write_text(text)
    with pytest.raises(InputError, match=words):
        read_declaration(tmp_path / "d.json")


def test_deep_nesting_is_refused_whatever_the_limit_of_recursion(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text('{"a":' * 10**6)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(10**7)
    try:
        with pytest.raises(InputError, match="nested too deeply"):
            read_declaration(tmp_path / "d.json")
    finally:
        sys.setrecursionlimit(limit)


def test_binary_huge_and_missing_declarations_are_refused(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe{}")
    with (tmp_path / "huge").open("wb") as stream:
        stream.truncate(1 << 30)
    for name, code in (("binary", "json-invalid"), ("huge", "file-too-large"), ("none", "file-missing")):
        with pytest.raises(InputError) as error:
            read_declaration(tmp_path / name)
        assert codes(error) == [code]


@pytest.mark.parametrize(
    "field", sorted(json.loads('["people","size","household","objective","must_sit","denominator"]'))
)
def test_each_disagreement_with_the_lottery_is_told(lots: Path, tmp_path: Path, field: str) -> None:
    document = dict(declared(lots).document)
    document[field] = (
        "nash" if field == "objective" else document[field] * 10 + 10 if field != "denominator" else 10**9
    )
    (tmp_path / "d.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=field) as error:
        commit(lots, tmp_path / "d.json", tmp_path / "rec", keys=BOTH, time=EARLY)
    assert codes(error) == ["declaration-differs"]
    assert not (tmp_path / "rec").exists()


def test_all_disagreements_come_together(lots: Path, tmp_path: Path) -> None:
    document = json.loads(declared(lots).data)
    document["people"] += 1
    document["features"][0]["values"][0]["max"] += 1
    document["features"][1]["values"][1]["value"] = "zebra"
    (tmp_path / "d.json").write_text(json.dumps(document))
    with pytest.raises(InputError) as error:
        commit(lots, tmp_path / "d.json", tmp_path / "rec", keys=[STRANGER], time=DRAWN)
    assert codes(error) == ["declaration-differs"] * 4 + ["key-unknown", "notice-short"]


def test_a_bundle_that_fails_a_check_is_not_committed(tmp_path: Path) -> None:
    lots = bundle(tmp_path / "b")
    said = declared(lots)
    data = (lots / "lottery.json").read_bytes()
    (lots / "lottery.json").write_bytes(data.replace(b"[[", b"[ [", 1))
    with pytest.raises(BundleError, match="encoding"):
        commit(lots, said, tmp_path / "rec", keys=BOTH, time=EARLY)


def test_a_record_is_never_replaced(lots: Path, tmp_path: Path) -> None:
    committed(tmp_path / "rec", lots)
    before = tree(tmp_path / "rec")
    with pytest.raises(InputError, match="output-exists"):
        committed(tmp_path / "rec", lots)
    assert tree(tmp_path / "rec") == before


def test_a_write_that_fails_leaves_nothing(
    lots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 0

    def broken(path: Path, data: bytes, *, secret: bool = False) -> None:
        nonlocal count
        count += 1
        if count == 5:
            raise OSError(28, "No space left on device")
        path.write_bytes(data)

    monkeypatch.setattr(record_module, "write_new", broken)
    with pytest.raises(OSError, match="No space") as error:
        committed(tmp_path / "rec", lots)
    assert error.value.filename == str(tmp_path / "rec")
    assert list(tmp_path.iterdir()) == []
