"""The commands of a public draw, as an officer uses them: from two tables to a record that every verifier here accepts."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from klero.ledger.record import Record
from klero.verifiers import klero_verify
from making_cases import AFTER_123, AFTER_657413, IN_2023, ROUND_123, ROUND_657413, tree

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "python" / "klero" / "examples"
PEOPLE, QUOTAS = EXAMPLES / "people.csv", EXAMPLES / "quotas.csv"
ALONE = ROOT / "python" / "klero" / "verifiers" / "klero_verify.py"
SIGN = ("--key", "organiser.key", "--key", "guarantor.key")
DECLARE = (
    *("--draw", "panel-2023", "--title", "Panel citoyen", "--organiser", "Ville de Nantes"),
    *("--drand", "quicknet", "--round", 123, "--calendar-at", "2023-09-15T11:00:01Z"),
    *("--key", "organiser=organiser.pub", "--key", "guarantor=guarantor.pub"),
)


def klero(cwd: Path, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "klero", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, encoding="utf-8")
    assert done.returncode == code, f"{arguments}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done


def data(done: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which everything up to the declaration was done."""
    place = tmp_path_factory.mktemp("office")
    klero(place, "lottery", PEOPLE, QUOTAS, "--size", 30, "-o", "bundle")
    klero(place, "keygen", "--name", "Ville de Nantes", "-o", "organiser.key")
    klero(place, "keygen", "--name", "Me Dupont", "-o", "guarantor.key")
    klero(place, "declare", "bundle", *DECLARE, "-o", "declaration.json")
    (place / "123.json").write_text(json.dumps(ROUND_123))
    (place / "657413.json").write_text(json.dumps(ROUND_657413))
    return place


@pytest.fixture
def fresh(office: Path, tmp_path: Path) -> Path:
    """The office with a record of its own, committed and not drawn."""
    for name, content in tree(office).items():
        if "/" not in name or name.startswith("bundle/"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(content)
    klero(
        tmp_path,
        "commit",
        "bundle",
        "--declaration",
        "declaration.json",
        *SIGN,
        "--time",
        IN_2023,
        "-o",
        "rec",
    )
    return tmp_path


@pytest.fixture(scope="module")
def held(office: Path) -> Path:
    """The whole way: commit, draw, withdraw, replace, commit, draw. Read only."""
    made = klero(
        office, "commit", "bundle", "--declaration", "declaration.json", *SIGN, "--time", IN_2023, "-o", "rec"
    )
    assert made.stdout == Record.read(office / "rec").hash + "\n"
    drawn = data(
        klero(office, "draw", "rec", "--drand", "123.json", *SIGN, "--time", AFTER_123, "--format", "json")
    )
    gone = [drawn["ids"][leaf] for leaf in drawn["panel"][:2]]
    named = [word for person in gone for word in ("--person", person)]
    klero(office, "withdraw", "rec", *named, "--reason", "declined", *SIGN, "--time", "2023-08-25T10:00:00Z")
    # Salts are random, so the panel is; and some panels can be completed under loosened quotas only.
    klero(office, "replace", "rec", "-o", "round1", "--allow-breach")
    klero(office, "commit", "round1", "--record", "rec", *SIGN, "--time", "2023-08-26T10:00:00Z")
    last = klero(office, "draw", "rec", "--drand", "657413.json", *SIGN, "--time", AFTER_657413)
    rows = last.stdout.splitlines()
    assert rows[0] == "id,leaf"
    assert len(rows) == 31
    assert not {row.split(",")[0] for row in rows} & set(gone)
    for tier in ("public", "auditor", "sealed"):
        klero(office, "bundle", "rec", "--tier", tier, "-o", f"{tier}.zip")
        klero(office, "bundle", "rec", "--tier", tier, "-o", tier)
    return office


# ---- the whole way ----
@pytest.mark.parametrize("place", ["rec", "public", "public.zip", "auditor", "auditor.zip", "sealed.zip"])
def test_the_library_accepts_what_the_commands_made(held: Path, place: str) -> None:
    text = klero(held, "verify", place).stdout
    assert "FAIL" not in text
    assert "No check failed" in text
    checks = data(klero(held, "verify", place, "--format", "json"))["checks"]
    assert len(checks) == 25
    assert all(set(check) == {"name", "status", "ok", "detail"} for check in checks)
    unchecked = {check["name"] for check in checks if check["status"] == "--"}
    stamps = {"timestamps", "timestamps.signature"}
    if place in ("rec", "sealed.zip"):
        assert unchecked == stamps
    elif place.startswith("auditor"):
        assert unchecked == {*stamps, "sealed"}
    else:
        assert {"pool", "sealed", "certificate"} < unchecked


@pytest.mark.skipif(not hasattr(klero_verify, "verify_record"), reason="klero_verify.py reads no records yet")
@pytest.mark.parametrize("place", ["rec", "public", "public.zip", "auditor", "auditor.zip", "sealed.zip"])
def test_the_stand_alone_verifier_accepts_it(held: Path, place: str) -> None:
    done = subprocess.run(
        [sys.executable, "-I", ALONE, held / place],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )
    bls = importlib.util.find_spec("py_ecc") is not None
    assert done.returncode == (0 if bls else 3), done.stdout + done.stderr
    assert not re.search("^FAIL", done.stdout, re.MULTILINE)
    assert bool(re.search("^ok +beacon", done.stdout, re.MULTILINE)) == bls


@pytest.mark.skipif(importlib.util.find_spec("browser") is None, reason="the page's tests are not here")
def test_the_page_accepts_it(held: Path) -> None:
    import browser

    if (why := browser.reason()) is not None:
        pytest.skip(why)
    with browser.verifier_page() as page:
        for place in ("rec", "public", "auditor"):
            found = page.verify(tree(held / place))
            assert len(found) == 25
            assert [check for check in found if check[1] == "FAIL"] == []
        found = page.verify_zip((held / "public.zip").read_bytes())
        assert [check for check in found if check[1] == "FAIL"] == []


def test_receipts_reach_people_and_are_checked_with_the_public_record(held: Path) -> None:
    panel = Record.read(held / "rec").panel
    ids = {
        leaf: person
        for person, i in Record.read(held / "rec").ids.items()
        for leaf in [Record.read(held / "rec").leaves[i]]
    }
    some = ids[panel[0]]
    rows = klero(held, "receipt", "rec", "--person", some, "-o", "receipts").stdout.splitlines()
    assert rows[0] == "id,file"
    file = Path("receipts") / rows[1].split(",")[1]
    text = klero(held, "receipt", "verify", file, "--record", "public.zip").stdout
    assert "this receipt is good" in text
    assert "you were drawn" in text
    french = data(
        klero(held, "receipt", "verify", file, "--record", "public", "--lang", "fr", "--format", "json")
    )
    assert french["ok"]
    assert "ce récépissé est valable" in french["text"]
    spoilt = json.loads((held / file).read_text())
    spoilt["attributes"][0][1] = "0-15"
    (held / "spoilt.json").write_text(json.dumps(spoilt))
    told = klero(held, "receipt", "verify", "spoilt.json", "--record", "public.zip", code=1)
    assert "NOT good" in told.stdout
    everybody = data(klero(held, "receipt", "rec", "--all", "-o", "all", "--format", "json"))
    assert len(everybody["receipts"]) == 240
    klero(held, "receipt", "rec", "-o", "x", code=2)


def test_a_person_is_told_their_chance_and_result(held: Path) -> None:
    for lang, word in (("en", "for 30 seats"), ("fr", "pour 30 sièges")):
        text = klero(held, "explain", "rec", "--person", "P017", "--lang", lang).stdout
        assert text.count(word) == 2
        assert "P017" in text
    assert "person" in data(klero(held, "explain", "rec", "--person", "P017", "--format", "json"))
    klero(held, "explain", "rec", "--person", "nobody", code=3)
    klero(held, "explain", "public.zip", "--person", "P017", code=3)


# ---- what is printed, and where ----
def test_declare_prints_what_is_fixed_in_both_languages(office: Path, tmp_path: Path) -> None:
    for lang, words in (("en", "Each step is signed by 2 of"), ("fr", "Chaque étape est signée par 2")):
        done = klero(office, "declare", "bundle", *DECLARE, "-o", tmp_path / f"{lang}.json", "--lang", lang)
        assert words in done.stdout
        assert "2023-08-23T15:15:33Z" in done.stdout
        assert "klero commit bundle --declaration" in done.stderr
    assert (tmp_path / "en.json").read_bytes() == (tmp_path / "fr.json").read_bytes()
    shown = data(klero(office, "declare", "bundle", *DECLARE, "-o", tmp_path / "j.json", "--format", "json"))
    assert shown["declaration"] == json.loads((tmp_path / "j.json").read_bytes())
    klero(office, "declare", "bundle", *DECLARE, "-o", tmp_path / "j.json", code=3)
    klero(office, "declare", "bundle", *DECLARE, "-o", tmp_path / "j.json", "--force")


def test_declare_takes_all_sources_and_spans(office: Path, tmp_path: Path) -> None:
    klero(
        office,
        *("declare", "bundle", "--draw", "all", "--title", "T", "--organiser", "O", "--notice", "7d"),
        *("--drand", "default", "--at", "2030-01-01T10:00:00Z", "--fallback-at", "2030-01-02T10:00:00Z"),
        *(
            "--balls",
            7,
            "--balls-at",
            "2030-01-01T09:00:00Z",
            "--dice",
            5,
            "--dice-at",
            "2030-01-01T09:00:00Z",
        ),
        *("--lottery", "Euro:5/50", "--lottery", "Stars:2/12", "--lottery-at", "2030-01-01T09:30:00Z"),
        *("--calendar-at", "2030-02-01T10:00:00Z", "--calendar-at", "2030-03-01T10:00:00Z"),
        *("--key", "organiser=organiser.pub", "--key", "witness=guarantor.pub", "-o", tmp_path / "d.json"),
    )
    said = json.loads((tmp_path / "d.json").read_bytes())
    assert said["notice"] == 7 * 86400
    assert [source["kind"] for source in said["sources"]] == ["balls", "dice", "drand", "lottery"]
    assert [[s["kind"] for s in sources] for sources in said["calendar"]] == [
        ["balls", "dice", "drand", "lottery"]
    ] * 2
    assert said["fallback"][0]["chain"] != said["sources"][2]["chain"]
    assert said["tolerance"] == 100


def test_all_that_is_wrong_with_options_of_declare_is_told_at_once(office: Path, tmp_path: Path) -> None:
    done = klero(
        office,
        *("declare", "bundle", "--draw", "A B", "--title", " ", "--organiser", "O", "--notice", "soon"),
        *("--balls", 7, "--drand", "quicknet", "--key", "organiser=none.pub", "--key", "guarantor"),
        *("-o", tmp_path / "d.json", "--format", "json"),
        code=3,
    )
    codes = {fault["code"] for fault in data(done)["error"]["faults"]}
    assert codes == {"declaration-invalid", "source-invalid", "file-missing", "key-invalid"}
    assert not (tmp_path / "d.json").exists()


def test_data_goes_to_stdout_and_words_to_stderr(fresh: Path) -> None:
    done = klero(fresh, "draw", "rec", "--drand", "123.json", "--key", "organiser.key", "--time", AFTER_123)
    assert len(done.stdout.splitlines()) == 31
    assert "1 signature is missing. Next: klero sign rec" in done.stderr
    refused = klero(fresh, "withdraw", "rec", "--person", "P001", "--reason", "other", *SIGN, code=3)
    assert "1 more signature" in refused.stderr
    assert refused.stdout == ""
    signed = data(klero(fresh, "sign", "rec", "--key", "guarantor.key", "--time-checked", "--format", "json"))
    assert (signed["signed"], signed["signatures_missing"]) == ([2], 0)
    added = klero(fresh, "abort", "rec", "--reason", "over", *SIGN, "--format", "json")
    assert data(added)["kind"] == "abort"
    assert data(added)["hash"] == Record.read(fresh / "rec").head


def test_a_notice_is_written_and_its_failure_does_not_hide_the_hash(fresh: Path) -> None:
    assert any(path.suffix == ".txt" for path in (fresh / "rec-notice").iterdir())
    arguments = ("commit", "bundle", "--declaration", "declaration.json", *SIGN, "--time", IN_2023)
    done = klero(fresh, *arguments, "-o", "again", "--notice-to", "none/notice")
    assert done.stdout == Record.read(fresh / "again").hash + "\n"
    assert "its notice was not written" in done.stderr


def test_ids_that_are_numbers_of_rows_are_remarked_on(fresh: Path) -> None:
    table = fresh / "people.csv"
    rows = PEOPLE.read_text(encoding="utf-8").splitlines()
    at = rows[0].split(",").index("id")
    table.write_text(
        "\n".join(",".join(c for i, c in enumerate(r.split(",")) if i != at) for r in rows) + "\n"
    )
    klero(fresh, "lottery", table, QUOTAS, "--size", 30, "-o", "rows")
    klero(fresh, "declare", "rows", *DECLARE, "-o", "rows.json")
    done = klero(
        fresh, "commit", "rows", "--declaration", "rows.json", *SIGN, "--time", IN_2023, "-o", "rows-rec"
    )
    assert "numbers of rows" in done.stderr
    assert done.stdout == Record.read(fresh / "rows-rec").hash + "\n"


def test_time_is_now_where_none_is_given(fresh: Path) -> None:
    klero(fresh, "abort", "rec", "--reason", "over", *SIGN)
    assert Record.read(fresh / "rec").entries[-1].time > "2026"


def test_a_request_for_a_time_stamp_is_written_without_a_network(fresh: Path) -> None:
    klero(fresh, "timestamp", "rec", "--request", "c.tsq")
    assert (fresh / "c.tsq").read_bytes()[:3] == b"\x30\x39\x02"
    klero(fresh, "timestamp", "rec", "--request", "c.tsq", code=3)
    klero(fresh, "timestamp", "rec", code=2)
    klero(fresh, "timestamp", "rec", "--token", "c.tsq", *SIGN, code=3)


def test_balls_are_read_out_before_the_beacon_and_drawn_with_it(fresh: Path) -> None:
    options = ("--balls", 7, "--balls-at", "2023-08-23T10:00:00Z", "-o", "mixed.json")
    klero(fresh, "declare", "bundle", *DECLARE, *options)
    klero(fresh, "commit", "bundle", "--declaration", "mixed.json", *SIGN, "--time", IN_2023, "-o", "mixed")
    late = klero(fresh, "draw", "mixed", "--balls", "0123456", *SIGN, "--time", AFTER_123, code=3)
    assert "too late" in late.stderr
    read = klero(fresh, "draw", "mixed", "--balls", "0123456", *SIGN, "--time", "2023-08-23T10:05:00Z")
    assert "Nothing is drawn yet" in read.stderr
    assert "klero draw mixed --drand FILE" in read.stderr
    assert read.stdout == Record.read(fresh / "mixed").head + "\n"
    drawn = klero(fresh, "draw", "mixed", "--drand", "123.json", *SIGN, "--time", AFTER_123)
    assert len(drawn.stdout.splitlines()) == 31
    klero(fresh, "verify", "mixed")


# ---- trials and records are kept apart ----
def test_a_trial_seed_is_for_bundles_and_randomness_for_records(fresh: Path) -> None:
    before = tree(fresh / "rec")
    refused = klero(fresh, "draw", "rec", "--trial-seed", "x", code=3)
    assert "record of a public draw" in refused.stderr
    refused = klero(fresh, "draw", "bundle", "--drand", "123.json", code=3)
    assert "Commit first" in refused.stderr
    klero(fresh, "draw", "bundle", code=2)
    klero(fresh, "draw", "bundle", "--trial-seed", "x", "--drand", "123.json", code=3)
    assert tree(fresh / "rec") == before
    assert not (fresh / "bundle" / "draw.json").exists()
    klero(fresh, "draw", "bundle", "--trial-seed", "x")
    klero(fresh, "verify", "bundle")


def test_commands_of_bundles_say_what_they_are_for(fresh: Path) -> None:
    klero(fresh, "verify", "rec", "--after", "bundle", code=2)
    klero(fresh, "replace", "rec", "--round", 1, "-o", "r1", code=2)
    klero(fresh, "replace", "bundle", "--withdrawn", "P001", "-o", "r1", code=2)
    klero(fresh, "commit", "bundle", code=2)
    klero(fresh, "commit", "bundle", "--record", "rec", "--declaration", "declaration.json", code=2)
    for command in ("sign", "abort", "withdraw", "receipt", "bundle"):
        options = {
            "sign": (*SIGN, "--time-checked"),
            "abort": ("--reason", "x"),
            "withdraw": ("--person", "P001", "--reason", "other"),
            "receipt": ("--all", "-o", "out"),
            "bundle": ("--tier", "public", "-o", "out.zip"),
        }[command]
        refused = klero(fresh, command, "bundle", *options, code=3)
        assert "bundle" in refused.stderr
    assert not (fresh / "out").exists()


# ---- bad input ----
def test_no_file_however_odd_ends_in_a_traceback(fresh: Path) -> None:
    (fresh / "empty").write_bytes(b"")
    (fresh / "noise").write_bytes(os.urandom(2000))
    (fresh / "deep.json").write_text("[" * 100000)
    (fresh / "zip").write_bytes(b"PK\x03\x04" + os.urandom(500))
    with (fresh / "huge").open("wb") as stream:
        stream.truncate(1 << 30)
    before = tree(fresh / "rec")
    for name in ("empty", "noise", "deep.json", "huge", "none", "rec", "zip"):
        klero(fresh, "commit", "bundle", "--declaration", name, "-o", "out", code=3)
        klero(fresh, "draw", "rec", "--drand", name, *SIGN, "--time", AFTER_123, code=3)
        klero(fresh, "sign", "rec", "--key", name, code=3)
        klero(fresh, "timestamp", "rec", "--token", name, *SIGN, code=3)
        klero(fresh, "receipt", "verify", name, code=3)
        if name != "rec":
            assert klero(fresh, "verify", name, code=1 if name == "zip" else 3)
            klero(fresh, "abort", name, "--reason", "x", *SIGN, code=3)
    assert tree(fresh / "rec") == before
    assert not (fresh / "out").exists()


@pytest.mark.parametrize(
    "command", ["keygen", "declare", "commit", "sign", "timestamp", "withdraw", "abort", "bundle"]
)
def test_help_begins_with_examples(tmp_path: Path, command: str) -> None:
    text = klero(tmp_path, command, "--help").stdout
    assert text.index("Examples:") < text.index("Options:")
    assert f"klero {command}" in text


def test_help_of_receipts_shows_all_three_ways(tmp_path: Path) -> None:
    text = klero(tmp_path, "receipt", "--help").stdout
    for way in ("klero receipt panel-record --all", "klero receipt verify", "klero receipt forget"):
        assert way in text
    for way in ("verify", "forget", "write"):
        assert "Examples:" in klero(tmp_path, "receipt", way, "--help").stdout


def test_forget_destroys_and_tells_what_else_to_erase(fresh: Path) -> None:
    klero(
        fresh,
        "withdraw",
        "rec",
        "--person",
        "P017",
        "--reason",
        "other",
        *SIGN,
        "--time",
        "2023-08-02T10:00:00Z",
    )
    klero(fresh, "receipt", "forget", "rec", "--person", "P001", code=3)
    done = klero(fresh, "receipt", "forget", "rec", "--person", "P017")
    assert "backups" in done.stderr
    assert b"P017" not in (fresh / "rec" / "sealed" / "people.json").read_bytes()
    klero(fresh, "verify", "rec")
