"""Does the stand-alone verifier hold a forger with all keys to the rules of readings, roles, tags, tolerance, time-stamps and later panels?"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from klero.verifiers import klero_verify
from record_cases import Files, dump, entries, golden_record, payload, resigned, tier, zipped

SECRETS: dict[str, bytes] = importlib.import_module("record_maker").SECRETS
plain: Any = importlib.import_module("plain_record")
Entry = dict[str, Any]


def log(name: str) -> list[Entry]:
    files = golden_record(name)
    return [payload(files, number + 1) for number in range(len(entries(files)))]


def with_log(files: Files, made: list[Entry]) -> Files:
    """The record with these entries for a log, numbered, chained, drawn and signed by two test keys."""
    out = {name: data for name, data in files.items() if not name.startswith("public/entry-")}
    for number, entry in enumerate(made, 1):
        data = dump({**entry, "sequence": number})
        out[f"public/entry-{number:04}.json"] = plain.envelope(data, list(SECRETS.values())[:2])
    return resigned(out)


def first(files: Files) -> str | None:
    found = klero_verify.verify_record(files)
    return next((check.name for check in found if check.status == "FAIL"), None)


def status(files: Files, name: str) -> str:
    return next(check.status for check in klero_verify.verify_record(files) if check.name == name)


def declared(files: Files, **values: Any) -> Files:
    document = json.loads(files["public/declaration.json"]) | values
    return resigned({**files, "public/declaration.json": dump(document)})


# ---------------------------------------------------------------- readings

COMMITMENT, READING, DRAW = 0, 1, 2
MIXED = "all-sources"


def changed(at: int, **values: Any) -> Callable[[list[Entry]], list[Entry]]:
    def change(made: list[Entry]) -> list[Entry]:
        made[at] = {**made[at], **values}
        return made

    return change


def body(at: int, **values: Any) -> Callable[[list[Entry]], list[Entry]]:
    def change(made: list[Entry]) -> list[Entry]:
        made[at] = {**made[at], "body": {**made[at]["body"], **values}}
        return made

    return change


def beacon_round() -> Entry:
    return dict(next(source for source in sources() if source["kind"] == "drand"))


def sources() -> list[Entry]:
    found: list[Entry] = json.loads(golden_record(MIXED)["public/declaration.json"])["sources"]
    return found


def at_second(seconds: int) -> str:
    return klero_verify.datetime.fromtimestamp(seconds, klero_verify.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


def last_read() -> int:
    return max(klero_verify.instant(source["time"]) for source in sources() if source["kind"] != "drand")


def beacon_time() -> int:
    chain = klero_verify.CHAINS[beacon_round()["chain"]]
    return int(chain.genesis + (beacon_round()["round"] - 1) * chain.period)


def digits_turned(made: list[Entry]) -> list[Entry]:
    reveals = made[READING]["body"]["reveals"]
    other = {**reveals[0], "digits": reveals[0]["digits"][::-1]}
    assert other != reveals[0]
    return body(READING, reveals=[other, *reveals[1:]])(made)


READINGS: list[tuple[str, str | None, Callable[[list[Entry]], list[Entry]]]] = [
    ("as it is", None, lambda made: made),
    ("no reading", "log", lambda made: [made[COMMITMENT], made[DRAW]]),
    ("two readings", "log", lambda made: [made[0], made[1], made[1], made[2]]),
    (
        "after the draw",
        "log",
        lambda made: [made[0], made[2], {**made[1], "time": made[2]["time"]}],
    ),
    ("a second one after the draw", "log", lambda made: [*made, {**made[1], "time": made[2]["time"]}]),
    ("before the commitment", "log", lambda made: [made[1], made[0], made[2]]),
    ("of another round", "log", body(READING, round=1)),
    ("with another field", "log", body(READING, fallback="no")),
    ("no list", "log", body(READING, reveals={})),
    ("undrawn", None, lambda made: made[:2]),
    ("one reveal too few", "randomness", lambda made: body(1, reveals=made[1]["body"]["reveals"][1:])(made)),
    (
        "the beacon's too",
        "randomness",
        lambda made: body(1, reveals=made[2]["body"]["reveals"])(made),
    ),
    ("undrawn and empty", "randomness", lambda made: body(1, reveals=[])(made[:2])),
    ("other digits than the draw's", "randomness", digits_turned),
    ("when the last source is drawn", None, lambda made: changed(1, time=at_second(last_read()))(made)),
    ("before a source", "times", lambda made: changed(1, time=at_second(last_read() - 1))(made)),
    (
        "just before the beacon",
        None,
        lambda made: changed(1, time=at_second(beacon_time() - 1))(made),
    ),
    ("with the beacon", "times", lambda made: changed(1, time=at_second(beacon_time()))(made)),
]


@pytest.mark.parametrize(("what", "check", "change"), READINGS, ids=lambda v: v if isinstance(v, str) else "")
def test_what_is_read_out_is_signed_before_the_beacon(
    what: str, check: str | None, change: Callable[[list[Entry]], list[Entry]]
) -> None:
    files = tier(golden_record(MIXED), "public")
    assert first(with_log(files, change(log(MIXED)))) == check, what


def test_a_round_of_one_kind_has_no_reading() -> None:
    for name in ("balls", "drand"):
        made = log(name)
        reveals = [one for one in made[1]["body"]["reveals"] if one["kind"] != "drand"]
        reading = {**made[1], "kind": "reading", "body": {"reveals": reveals, "round": 0}}
        files = tier(golden_record(name), "public")
        assert first(with_log(files, [made[0], reading, made[1]])) == "log"


def test_a_reading_alone_is_randomness_that_is_checked_and_gives_no_seed() -> None:
    files = with_log(golden_record(MIXED), log(MIXED)[:2])
    assert (status(files, "randomness"), status(files, "draw.seed")) == ("ok", "--")
    assert (status(files, "beacon"), status(files, "draw.panel")) == ("--", "--")


# ---------------------------------------------------------------- declaration, summary and signatures


def test_keys_are_2_to_10_and_not_all_the_organiser_s() -> None:
    files = tier(golden_record("drand"), "public")
    keys = json.loads(files["public/declaration.json"])["keys"]
    organisers = [{**key, "role": "organiser"} for key in keys]
    assert first(declared(files, keys=organisers)) == "declaration"
    more = [
        {"key": plain.public_key(bytes([number]) * 32).hex(), "name": "W", "role": "witness"}
        for number in range(8)
    ]
    listed = sorted(keys + more, key=lambda key: str(key["key"]))
    assert len(listed) == 11
    assert first(declared(files, keys=listed)) == "declaration"
    assert first(declared(files, keys=[key for key in listed if key != more[0]])) is None


def test_an_entry_needs_a_signature_by_somebody_who_is_not_the_organiser() -> None:
    files = with_log(tier(golden_record("drand"), "public"), log("drand"))
    signers = {one["keyid"] for one in json.loads(files["public/entry-0001.json"])["signatures"]}
    keys = json.loads(files["public/declaration.json"])["keys"]
    assert len(signers) == 2 < len(keys)
    for absent, expected in (("organiser", "signatures"), ("witness", None)):
        roles = [
            {
                **key,
                "role": absent
                if klero_verify.sha256(bytes.fromhex(key["key"])).hex() in signers
                else "guarantor",
            }
            for key in keys
        ]
        assert first(declared(files, keys=roles)) == expected


@pytest.mark.parametrize("tolerance", [0, 1, 10**9, 10**9 + 1, -1, "1"])
def test_no_gap_is_above_the_tolerance(tolerance: Any) -> None:
    files = golden_record("drand")
    gap = payload(files, 1)["body"]["summary"]["gap"]
    assert gap == 1
    right = type(tolerance) is int and 0 <= tolerance <= 10**9
    expected = "declaration" if not right else "log" if tolerance < gap else None
    assert first(declared(files, tolerance=tolerance)) == expected


@pytest.mark.parametrize(
    ("cells", "good"),
    [
        ([], True),
        ([[0, 100, 10]], True),
        ([[0, 1, 10], [1, 99, 10], [99, 100, 10]], True),
        ([[0, 100, 9]], False),
        ([[0, 99, 12]], False),
        ([[1, 100, 12]], False),
        ([[0, 50, 10], [51, 100, 10]], False),
        ([[0, 50, 10], [49, 100, 10]], False),
        ([[0, 0, 10], [0, 100, 10]], False),
        ([[0, 100, 10], [100, 100, 10]], False),
        ([[0, 101, 10]], False),
        ([[0, 100, 10, 1]], False),
        ([[0, 100, "10"]], False),
        ({}, False),
    ],
)
def test_the_form_of_a_histogram_is_the_log_s(cells: Any, good: bool) -> None:
    made = log("drand")
    summary = {**made[0]["body"]["summary"], "histogram": cells}
    files = with_log(tier(golden_record("drand"), "public"), body(0, summary=summary)(made))
    assert first(files) == (None if good else "log")


@pytest.mark.parametrize(("number", "wrong"), [(0, 13), (0, 15), (3, 14), (3, 11)])
def test_the_public_sees_how_many_people_a_round_has(number: int, wrong: int) -> None:
    made = log("replaced")
    summary = {**made[number]["body"]["summary"], "people": wrong}
    files = with_log(tier(golden_record("replaced"), "public"), body(number, summary=summary)(made))
    assert first(files) == "commitment"


def test_who_must_sit_is_in_no_histogram() -> None:
    files = golden_record("household")
    pool = json.loads(files["auditor/pool-0.json"])
    assert json.loads(files["public/declaration.json"])["must_sit"] == 1
    assert len(pool["people"]) == 7
    lottery = klero_verify.Round()
    lottery.features = [("(must sit)", ["no", "yes"]), ("age", ["old"])]
    lottery.types = [[0, 0], [1, 0]]
    assert lottery.seated() == [False, True]
    lottery.features = [("age", ["old"])]
    assert lottery.seated() == [False, False]


def test_the_fallback_is_on_the_other_chain() -> None:
    files = tier(golden_record("fallback"), "public")
    document = json.loads(files["public/declaration.json"])
    (fallback,) = document["fallback"]
    (source,) = [one for one in document["sources"] if one["kind"] == "drand"]
    assert fallback["chain"] != source["chain"]
    late = {**source, "round": source["round"] + 10**6}
    assert first(declared(files, fallback=[late])) == "declaration"
    assert first(declared(files, fallback=[{**fallback, "round": 2}])) == "declaration"


def test_there_are_at_most_999_entries() -> None:
    files = tier(golden_record("undrawn"), "public")
    entry = files["public/entry-0001.json"]
    full = files | {f"public/entry-{number:04}.json": entry for number in range(1, 1000)}
    assert status(full, "files") == "ok"
    assert status(full | {"public/entry-1000.json": entry}, "files") == "FAIL"


# ---------------------------------------------------------------- tags, tickets and panels


def pools(change: Callable[[Any], None], name: str = "household") -> Files:
    files = golden_record(name)
    pool = json.loads(files["auditor/pool-0.json"])
    change(pool)
    return {**files, "auditor/pool-0.json": dump(pool)}


def releaved(files: Files) -> Files:
    """The record with the leaves that pool-0 gives: what a forger of tags would commit to. None but the order may break."""
    pool, draw = json.loads(files["auditor/pool-0.json"]), payload(files, 1)["draw"]
    instance = json.loads(files["auditor/instance-0.json"])
    leaves = []
    for (_, kind), (c_id, key, tag) in zip(pool["people"], pool["openings"], strict=True):
        attributes = [
            [feature["name"], feature["values"][value]["value"]]
            for feature, value in zip(instance["features"], pool["types"][kind], strict=True)
            if feature["name"][0] != "("
        ]
        opening = {"attributes": attributes, "household": tag, "weight": pool["weights"][kind]}
        c_type = klero_verify.mac(bytes.fromhex(key), dump(opening))
        leaves.append(klero_verify.seq("klero/leaf/v1", [draw.encode(), bytes.fromhex(c_id), c_type]).hex())
    order = sorted(range(len(leaves)), key=leaves.__getitem__)
    place = {old: new for new, old in enumerate(order)}
    pool["people"] = [[new, pool["people"][old][1]] for new, old in enumerate(order)]
    pool["openings"] = [pool["openings"][old] for old in order]
    pool["households"] = sorted(sorted(place[i] for i in members) for members in pool["households"])
    lines = "".join(leaves[old] + "\n" for old in order).encode()
    made = {**files, "auditor/pool-0.json": dump(pool), "public/leaves.txt": lines}
    return resigned({name: data for name, data in made.items() if not name.startswith("sealed/")})


def alone_shares(pool: Any) -> None:
    inside = {i for members in pool["households"] for i in members}
    one, other = [i for i in range(len(pool["people"])) if i not in inside][:2]
    pool["openings"][one][2] = pool["openings"][other][2]


def household_differs(pool: Any) -> None:
    pool["openings"][pool["households"][0][0]][2] = "ab" * 16


def households_share(pool: Any) -> None:
    tag = pool["openings"][pool["households"][1][0]][2]
    for i in pool["households"][0]:
        pool["openings"][i][2] = tag


def outsider_joins(pool: Any) -> None:
    inside = {i for members in pool["households"] for i in members}
    outside = next(i for i in range(len(pool["people"])) if i not in inside)
    pool["openings"][outside][2] = pool["openings"][pool["households"][0][0]][2]


def no_tag(pool: Any) -> None:
    alone_shares(pool)
    inside = {i for members in pool["households"] for i in members}
    pool["openings"][next(i for i in range(len(pool["people"])) if i not in inside)][2] = ""


@pytest.mark.parametrize(
    "change", [alone_shares, household_differs, households_share, outsider_joins, no_tag]
)
def test_tags_are_shared_in_a_household_and_nowhere_else(change: Callable[[Any], None]) -> None:
    assert first(releaved(pools(lambda pool: None))) is None
    assert first(releaved(pools(change))) == "pool"


def test_without_a_rule_on_households_nobody_has_a_tag() -> None:
    def tagged(pool: Any) -> None:
        pool["openings"][0][2] = "ab" * 16

    assert first(releaved(pools(lambda pool: None, "drand"))) is None
    assert first(releaved(pools(tagged, "drand"))) == "pool"


def test_a_ticket_is_over_leaf_and_c_id() -> None:
    for name in ("drand", "replaced", "families"):
        files = golden_record(name)
        record = klero_verify.Record(files)
        klero_verify.run(record, klero_verify.RECORD_CHECKS, "en", "record.")
        c_ids = [bytes.fromhex(row[0]) for row in json.loads(files["auditor/pool-0.json"])["openings"]]
        for lottery in record.rounds:
            expected = [record.leaves[i] + c_ids[i] for i in lottery.people]
            assert lottery.ticketed == expected
            assert {len(one) for one in lottery.ticketed} == {64}


def test_a_later_panel_keeps_who_stays_and_replaces_somebody() -> None:
    files = tier(golden_record("replaced"), "public")
    made = log("replaced")
    before, withdrawn = made[1]["body"]["panel"], [pair[0] for pair in made[2]["body"]["withdrawals"]]
    stays = sorted(set(before) - set(withdrawn))
    leaves = files["public/leaves.txt"].decode().split()
    fresh = next(leaf for leaf in leaves if leaf not in {*before, *withdrawn, *made[4]["body"]["panel"]})
    panel = sorted({*made[4]["body"]["panel"], fresh} - {stays[0]})
    assert len(panel) == len(before)
    assert first(with_log(files, body(4, panel=panel)(log("replaced")))) == "draw.people"
    others = [leaf for leaf in leaves if leaf not in before][: len(withdrawn)]
    pairs = [[leaf, "declined"] for leaf in others]
    quiet = body(4, panel=before)(body(2, withdrawals=pairs)(log("replaced"))[:5])
    found = with_log(files, quiet)
    assert first(found) == "draw.people"


# ---------------------------------------------------------------- time-stamps


def stamped(**values: Any) -> Files:
    return declared(tier(golden_record("timestamped"), "public"), **values)


def test_a_commitment_s_token_shows_its_time_of_notice() -> None:
    files = golden_record("timestamped")
    document = json.loads(files["public/declaration.json"])
    (source,) = document["sources"]
    token = klero_verify.unbase64(payload(files, 2)["body"]["token"])
    _, time = klero_verify.read_token(token)
    latest = klero_verify.instant(source["time"]) - time
    made = log("timestamped")
    # An earlier commitment, so that the entry's own time stays within the notice whatever the token says.
    early = {**made[0], "time": "2025-11-20T12:00:00Z"}
    for notice, check in ((latest, None), (latest + 1, "timestamps")):
        text = dump({**document, "notice": notice})
        found = with_log(
            {**tier(files, "public"), "public/declaration.json": text}, [early, made[1], made[2]]
        )
        assert first(found) == check, notice


def test_a_token_is_over_the_file_with_its_signatures() -> None:
    files = tier(golden_record("timestamped"), "public")
    token = klero_verify.unbase64(payload(files, 2)["body"]["token"])
    name = "public/entry-0001.json"
    assert klero_verify.read_token(token)[0] == klero_verify.sha256(files[name])
    data = klero_verify.unbase64(json.loads(files[name])["payload"])
    more = plain.envelope(data, list(SECRETS.values())[:3])
    fewer = plain.envelope(data, list(SECRETS.values())[1:3])
    for other in (more, fewer):
        assert other != files[name]
        assert first({**files, name: other}) == "timestamps"


@pytest.mark.parametrize(
    ("fraction", "good"),
    [("", True), (".1", True), (".123456789", True), (".1234567891", False), (".10", False), (".", False)],
)
def test_the_fraction_of_a_token_s_time_has_1_to_9_digits(fraction: str, good: bool) -> None:
    token = klero_verify.unbase64(payload(golden_record("timestamped"), 2)["body"]["token"])
    text = f"20261120123456{fraction}Z".encode()

    def node(tag: int, *parts: bytes) -> bytes:
        data = b"".join(parts)
        size = len(data)
        length = (
            bytes([size])
            if size < 128
            else bytes([0x81, size])
            if size < 256
            else b"\x82" + size.to_bytes(2, "big")
        )
        return bytes([tag]) + length + data

    method = node(0x30, node(0x30, node(6, klero_verify.SHA_256)), node(4, bytes(32)))
    info = node(0x30, b"\x02\x01\x01", node(6, b"\x2a"), method, b"\x02\x01\x07", node(0x18, text))
    held = node(0x30, node(6, klero_verify.STAMP_INFO), node(0xA0, node(4, info)))
    signed = node(0x30, b"\x02\x01\x03", node(0x31), held, node(0x31))
    made = node(0x30, node(6, klero_verify.SIGNED_DATA), node(0xA0, signed))
    assert len(token) > len(made)
    if good:
        assert klero_verify.read_token(made)[1] == klero_verify.instant("2026-11-20T12:34:56Z")
    else:
        with pytest.raises(ValueError, match="time"):
            klero_verify.read_token(made)


def test_a_reading_s_token_is_before_the_beacon(monkeypatch: pytest.MonkeyPatch) -> None:
    files, made = tier(golden_record(MIXED), "public"), log(MIXED)
    stamp = {
        **made[2],
        "kind": "timestamp",
        "body": {"entry": 2, "token": log("timestamped")[1]["body"]["token"]},
    }
    later = "2026-12-02T12:00:00Z"
    found = with_log(files, [made[0], made[1], {**stamp, "time": later}, {**made[2], "time": later}])
    assert first(found) == "timestamps"  # the golden token is of 2026, the beacon's round of 2023
    real = klero_verify.read_token
    for time, check in ((beacon_time(), "timestamps"), (beacon_time() - 1, None)):
        monkeypatch.setattr(klero_verify, "read_token", lambda token, at=time: (real(token)[0], at))
        assert first(found) == check
    times = iter([beacon_time() + 5, beacon_time() - 5])
    monkeypatch.setattr(klero_verify, "read_token", lambda token: (real(token)[0], next(times)))
    twice = [made[0], made[1], {**stamp, "time": later}, {**stamp, "time": later}, {**made[2], "time": later}]
    assert first(with_log(files, twice)) is None


# ---------------------------------------------------------------- the verdict


def run(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", klero_verify.__file__, str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


def test_a_beacon_that_can_t_be_checked_is_no_success(tmp_path: Path) -> None:
    path = tmp_path / "record.zip"
    for name, code in (("drand", 3), ("balls", 0), ("undrawn", 0)):
        path.write_bytes(zipped(golden_record(name)))
        done = run(path)
        assert (done.returncode, done.stderr) == (code, "")
        assert ("NOT A SUCCESS" in done.stdout.splitlines()[-1]) is (code == 3)
        document = json.loads(run(path, "--json").stdout)
        assert (document["ok"], document["failed"]) == (code == 0, 0)
        assert document["lacking"] == (["beacon"] if code else [])
    path.write_bytes(zipped(golden_record("drand")))
    assert "PAS ENCORE UN SUCCÈS" in run(path, "--lang", "fr").stdout.splitlines()[-1]
    path.write_bytes(zipped({**golden_record("drand"), "public/leaves.txt": b""}))
    assert run(path).returncode == 1
    assert json.loads(run(path, "--json").stdout)["ok"] is False
