"""The minutes of a draw: what the record knows, what they are told, what is left to fill in, and what went wrong."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from klero.cli import run
from klero.errors import BundleError, InputError
from klero.ledger.check_words import check_sentence, outcome_words
from klero.ledger.entries import entry_name, new_entry
from klero.ledger.minutes import minutes_html
from klero.ledger.minutes_inputs import read_exclusions, read_present
from klero.ledger.notice import notice_html, notice_text
from klero.ledger.person_page import person_html
from klero.ledger.phrases import clear_days, grouped, millionths, moment, number, role_words
from klero.ledger.reasons import chances, find_leaf
from klero.ledger.record import Record
from klero.ledger.rounds import needs_reading, passed_over, too_late
from klero.ledger.sources import source_time
from klero.words import LANGUAGES
from record_cases import NAMES, Files, golden_record, tier
from test_paper import SEALED, Page, unsigned


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_the_minutes_hold_the_facts_of_the_record(name: str, lang: str) -> None:
    facts = Record.parse(golden_record(name))
    text = Page(minutes_html(facts, lang)).text
    assert grouped(facts.hash) in text
    assert number(facts.declaration["people"], lang) in text
    assert moment(facts.entries[0].time, lang) in text
    drawn = set()
    for round_ in facts.rounds:
        if round_.draw is not None:
            body = round_.draw.body
            drawn |= set(body["panel"])
            assert grouped(body["seed"]) in text
            assert number(body["position"], lang) in text
            for reveal in body["reveals"]:
                if reveal["kind"] == "drand":
                    assert grouped(reveal["signature"]) in text
    for leaf in facts.leaves:
        assert (grouped(leaf) in text) is (leaf in drawn)
    for check in facts.checks:
        assert check_sentence(check.name, lang) in text
    if facts.abort:
        assert facts.abort.body["reason"] in text
    assert grouped(facts.entries[-1].hash) in text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", SEALED)
def test_names_are_an_annex_in_alphabetical_order_without_lines(name: str, lang: str) -> None:
    facts = Record.parse(golden_record(name))
    assert facts.people is not None
    plain, named = minutes_html(facts, lang), minutes_html(facts, lang, names=True)
    at = named.index(b'<section class="next">')
    assert named[:at] + b"</main></body></html>\n" == plain  # the annex is all that names add
    annex = Page(b"<main>" + named[at:].replace(b"</body></html>", b"")).text
    assert not re.search(r"[0-9a-f]{4} [0-9a-f]{4}", annex)
    seated = facts.draws[-1].body["panel"] if facts.draws else ()
    shown = re.findall(r"<li>(.*?)</li>", named[at:].decode())
    ids = []
    for i, person in enumerate(facts.people):
        values = [value for key, value in (person or {}).items() if key != "id" and len(value) > 2]
        assert not any(value in Page(plain).text for value in values)
        if person and facts.leaves[i] in seated:
            told = [person["name"]] if "name" in person else [*values, person["id"]]
            assert all(value in annex for value in told)
            ids.append(person["id"])
    assert len(shown) == len(seated)
    assert shown == sorted(shown, key=str.casefold)


def test_accents_do_not_change_the_place_in_the_alphabet() -> None:
    facts = Record.parse(golden_record("drand"))
    document = json.loads(facts.files["sealed/people.json"])
    names = ["Zoé", "Élodie", "Eloi", "émile", "Adam", "Ïlan"]
    for i, pair in enumerate(document["people"]):
        pair[0] = {"id": names[i % len(names)] + f" {i:02}"}
    changed = {**facts.files, "sealed/people.json": json.dumps(document).encode()}
    page = minutes_html(dataclasses.replace(facts, files=changed), names=True).decode()
    shown = re.findall(r"<li>(.*?)</li>", page[page.index('<section class="next">') :])
    order = ["Adam", "Élodie", "Eloi", "émile", "Ïlan", "Zoé"]
    assert [order.index(name.split()[0]) for name in shown] == sorted(
        order.index(name.split()[0]) for name in shown
    )


def test_a_file_with_names_or_about_one_person_is_its_owners_alone(tmp_path: Path) -> None:
    laid_out(golden_record("drand"), tmp_path)
    record = str(tmp_path / "record")
    for more, mode in (([], 0o044), (["--names"], 0), (["--person", "p03"], 0)):
        out = tmp_path / f"page{len(more)}{mode}{'-'.join(more)}.html"
        os.umask(0o022)
        assert run(["minutes", record, "-o", str(out), *more]) == 0
        assert out.stat().st_mode & 0o077 == mode


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_for_one_person_answers_that_person_alone(lang: str, tmp_path: Path) -> None:
    facts = Record.parse(golden_record("replaced"))
    assert facts.people is not None
    ids = [person["id"] for person in facts.people if person]
    for i, who in enumerate(ids):
        text = Page(person_html(facts, who, lang)).text
        for chance in chances(facts, who, lang):
            assert all(sentence in text for sentence in chance.sentences)
        assert grouped(facts.hash) in text
        others = [other for j, other in enumerate(ids) if j != i]
        assert not any(re.search(rf"\b{other}\b", text) for other in others)
        assert not any(grouped(leaf) in text for leaf in facts.leaves)
    laid_out(golden_record("replaced"), tmp_path)
    words = ["minutes", str(tmp_path / "record"), "-o", str(tmp_path / "p.html"), "--person", ids[0]]
    assert run([*words, "--names"]) == 2
    assert run([*words, "--present", "A, b"]) == 2
    assert not (tmp_path / "p.html").exists()


def test_a_person_is_found_in_any_unicode_form() -> None:
    facts = Record.parse(golden_record("drand"))
    document = json.loads(facts.files["sealed/people.json"])
    document["people"][2][0] = {"id": "Zo\u00e9"}
    changed = dataclasses.replace(
        facts, files={**facts.files, "sealed/people.json": json.dumps(document).encode()}
    )
    assert find_leaf(changed, "Zo\u00e9") == find_leaf(changed, "Zoe\u0301") == 2


def test_empty_seats_are_told() -> None:
    facts = Record.parse(golden_record("drand"))
    size, panel = facts.declaration["size"], facts.draws[-1].body["panel"]
    assert "Seats empty after the last entry of the log: 0." in Page(minutes_html(facts)).text
    last = facts.entries[-1]
    gone = [[leaf, "declined"] for leaf in panel[:2]]
    entry = new_entry(
        "withdrawals", {"withdrawals": gone}, draw=facts.declaration.draw, previous=last, time=last.time
    )
    later = Record.parse({**facts.files, entry_name(entry.sequence): entry.data})
    assert len(later.panel) == size - 2
    text = Page(minutes_html(later)).text
    assert "Seats empty after the last entry of the log: 2." in text
    dates = len(facts.declaration["calendar"])
    assert ("No date is left to fill them by lot." in text) is (dates == 0)
    undrawn = Page(minutes_html(golden_record("undrawn"))).text
    assert "Seats empty" not in undrawn


@pytest.mark.parametrize("name", NAMES)
def test_a_key_has_one_fingerprint_everywhere(name: str) -> None:
    facts = Record.parse(golden_record(name))
    for data in (minutes_html(facts), notice_html(facts)):
        for key in facts.declaration["keys"]:
            assert grouped(key["key"]) in Page(data).text
            assert grouped(hashlib.sha256(bytes.fromhex(key["key"])).hexdigest()) not in Page(data).text


@pytest.mark.parametrize("name", NAMES)
def test_a_check_that_was_not_made_says_why(name: str) -> None:
    for part in ("public", "auditor", "sealed"):
        facts = (
            Record.parse(tier(golden_record(name), part))
            if part != "sealed"
            else Record.parse(golden_record(name))
        )
        for check in facts.checks:
            for lang, plain in (("en", "not checked"), ("fr", "non contrôlé")):
                told = outcome_words(check, lang)
                if check.status == "--":
                    assert told.startswith(plain)
                    assert len(told) > len(plain)
                    assert told in Page(minutes_html(facts, lang)).text


def test_what_follows_from_a_failure_is_not_told_as_another_one() -> None:
    files = golden_record("drand")
    declaration = json.loads(files["public/declaration.json"])
    declaration["title"] += " (changed)"
    files["public/declaration.json"] = json.dumps(
        declaration, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    ).encode()
    facts = Record.parse(files)
    text = Page(minutes_html(facts, "fr")).text
    assert "non contrôlé, car « commitment » a échoué" in text.replace("\u00a0", " ")
    incidents = text[text.index("Incidents", text.index("Incidents") + 1) :]
    incidents = incidents[: incidents.index("Contrôle ")]
    assert incidents.count("échoue") == 1


def laid_out(files: Files, folder: Path) -> None:
    for name, data in files.items():
        (folder / "record" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "record" / name).write_bytes(data)


def test_names_without_the_sealed_file_are_refused() -> None:
    with pytest.raises(InputError, match="tier-missing"):
        minutes_html(tier(golden_record("drand"), "auditor"), names=True)


def test_what_is_not_known_is_to_be_filled_in_and_what_is_given_is_not() -> None:
    facts = Record.parse(golden_record("drand"))
    empty = minutes_html(facts, "fr").decode()
    given = minutes_html(
        facts,
        "fr",
        present=[("Camille Martin", "maire"), ("Dominique <b>", "")],
        exclusions=[("mineurs", 3), ("doublons", 2)],
    ).decode()
    assert empty.count("à compléter") > given.count("à compléter") >= 5
    assert "Dominique &lt;b&gt;" in given
    text = Page(given.encode()).text
    assert "Personnes inscrites 17 " in text  # 12 in the pool and 5 left out
    assert "mineurs 3 doublons 2" in text
    nobody = Page(minutes_html(facts, "fr", exclusions=[])).text
    assert "Personnes inscrites 12 " in nobody


def test_incidents_are_told() -> None:
    assert "declared fallback took its place" in Page(minutes_html(golden_record("fallback"))).text
    assert "The procedure was aborted on" in Page(minutes_html(golden_record("aborted"))).text
    assert "committed and not drawn yet" in Page(minutes_html(golden_record("undrawn"))).text
    assert "quotas were loosened" in Page(minutes_html(golden_record("replaced"))).text
    assert "The record tells of none." in Page(minutes_html(golden_record("drand"))).text


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", ["all-sources", "fallback"])
def test_a_reading_is_told_with_its_time_its_signers_and_its_beacon(name: str, lang: str) -> None:
    facts = Record.parse(golden_record(name))
    reading = facts.rounds[0].reading
    assert reading is not None
    beacon = next(s for s in facts.declaration["sources"] if s["kind"] == "drand")
    text = Page(minutes_html(facts, lang)).text
    part = text[text.index({"en": "Read aloud by", "fr": "Lecture à haute voix par"}[lang]) :]
    part = part[: part.index({"en": "Draw entered", "fr": "Tirage inscrit"}[lang])]
    assert moment(reading.time, lang) in part
    assert moment(source_time(beacon), lang) in part
    assert number(beacon["round"], lang) in part
    assert grouped(reading.hash) in part
    ids = {hashlib.sha256(bytes.fromhex(k["key"])).hexdigest(): k for k in facts.declaration["keys"]}
    assert set(reading.keyids) <= set(ids)
    for keyid, key in ids.items():
        told = f"{key['name']} ({role_words(key['role'], lang)})"
        assert (told in part) is (keyid in reading.keyids)


@pytest.mark.parametrize("name", NAMES)
def test_a_reading_is_told_only_where_one_is_asked_for(name: str) -> None:
    facts = Record.parse(golden_record(name))
    asked = sum(needs_reading(facts.declaration.sources(r.number)) for r in facts.rounds)
    assert Page(minutes_html(facts)).text.count("Reading signed and entered in the log") == asked
    told = "is read aloud, signed and entered in the log before that round"
    for round_ in facts.rounds:
        mixed = {s["kind"] for s in facts.declaration.sources(round_.number)} > {"drand"}
        assert (told in notice_text(facts, round_number=round_.number)) is mixed


def cut(files: Files, kind: str) -> Files:
    """The record up to the first entry of a kind, without it."""
    at = next(entry.sequence for entry in Record.parse(files).entries if entry.kind == kind)
    return {k: v for k, v in files.items() if "/entry-" not in k or int(k[-9:-5]) < at}


def test_what_was_read_is_told_before_the_draw_too() -> None:
    facts = Record.parse(cut(golden_record("all-sources"), "draw"))
    reading = facts.rounds[0].reading
    assert reading is not None
    assert facts.failed == ()
    text = Page(minutes_html(facts)).text
    for reveal in reading.body["reveals"]:
        told = "".join(map(str, reveal["digits"])) if "digits" in reveal else ""
        assert grouped(told, 3) in text
    assert "can't be drawn any more" not in text


def test_a_round_whose_reading_is_missing_once_the_beacon_is_there_can_not_be_drawn() -> None:
    facts = Record.parse(cut(golden_record("all-sources"), "reading"))
    (round_,) = facts.rounds
    assert round_.reading is None
    assert not too_late(facts, round_)
    assert "not yet" in Page(minutes_html(facts)).text
    beacon = source_time(next(s for s in facts.declaration["sources"] if s["kind"] == "drand"))
    for late in (-1, 0):
        time = datetime.fromtimestamp(beacon + late, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"reason": "nothing was read"}
        last = new_entry("abort", body, draw=facts.declaration.draw, previous=facts.entries[-1], time=time)
        ended = dict(facts.files) | {entry_name(last.sequence): last.data}
        aborted = Record.parse(ended)
        assert too_late(aborted, aborted.rounds[0]) is (late == 0)
        assert ("can't be drawn any more" in Page(minutes_html(aborted)).text) is (late == 0)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_gap_tolerance_and_roles_are_told(name: str, lang: str) -> None:
    facts = Record.parse(golden_record(name))
    page = Page(minutes_html(facts, lang)).text
    tolerance = millionths(facts.declaration["tolerance"], lang)
    for round_ in facts.rounds:
        gap = millionths(round_.commitment.body["summary"]["gap"], lang)
        checked = any(check.name == "gap" and check.ok for check in facts.checks)
        stated = {"en": " as stated with the commitment", "fr": " selon l’engagement"}[lang]
        distance = {
            "en": f"at most {gap}{'' if checked else stated}, where the rules tolerate {tolerance};",
            "fr": f"au plus {gap}{'' if checked else stated}, les règles en tolérant {tolerance}",
        }
        assert ("L0" in page or "L1" in page) is checked
        assert distance[lang] in page
        notice = notice_text(facts, lang, round_number=round_.number)
        for key in facts.declaration["keys"]:
            assert f"{key['name']} ({role_words(key['role'], lang)})" in notice


def test_dates_of_the_calendar_that_were_passed_over_are_told() -> None:
    facts = Record.parse(golden_record("families"))
    numbers = [round_.number for round_ in facts.rounds]
    passed = sorted(set(range(1, numbers[-1])) - set(numbers))
    assert passed
    assert [n for round_ in facts.rounds for n in passed_over(facts, round_)] == passed
    text = Page(minutes_html(facts)).text
    for n in passed:
        when = moment(max(map(source_time, facts.declaration.sources(n))), "en")
        assert f"The calendar's date {n}, {when}, was passed over" in text
    for round_ in facts.rounds:
        told = notice_text(facts, round_number=round_.number).count("was passed over")
        assert told == len(passed_over(facts, round_))
    assert "passed over" not in Page(minutes_html(golden_record("replaced"))).text


def test_an_entry_signed_by_the_organiser_alone_is_an_incident() -> None:
    facts = Record.parse(golden_record("drand"))
    declaration = json.loads(facts.files["public/declaration.json"])
    signed = facts.entries[1].keyids
    for key in declaration["keys"]:
        if hashlib.sha256(bytes.fromhex(key["key"])).hexdigest() in signed:
            key["role"] = "organiser"
    files = {**facts.files, "public/declaration.json": json.dumps(declaration).encode()}
    text = Page(minutes_html(dataclasses.replace(facts, files=files))).text
    assert "Entry no. 2 of the log is signed by the organiser's keys alone." in text
    assert "organiser's keys alone" not in Page(minutes_html(facts)).text


def test_the_detail_of_a_failed_check_is_labelled_and_comes_after_the_sentence() -> None:
    facts = Record.parse(unsigned(golden_record("drand")))
    detail = next(check.detail for check in facts.checks if check.name == "signatures")
    text = Page(minutes_html(facts, "fr")).text
    assert f"{check_sentence('signatures', 'fr')} Détail technique (en anglais)\u00a0: {detail}" in text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1, "0.000001"), (10**6, "1"), (1_500_000, "1.5"), (10**9, "1000")]
)
def test_millionths_are_exact(value: int, text: str) -> None:
    assert millionths(value, "en") == text


def test_what_was_not_verified_is_not_told_as_a_fact() -> None:
    files = unsigned(golden_record("drand"))
    assert "not established, as the check «signatures» fails" in Page(minutes_html(files)).text
    assert "not established" not in Page(minutes_html(golden_record("drand"))).text
    stamped = [name for name in NAMES if Record.parse(golden_record(name)).timestamps]
    assert stamped
    for name in stamped:
        assert "UTC (its signature was not checked)" in Page(minutes_html(golden_record(name))).text


def test_a_round_beyond_the_calendar_of_this_computer_is_printed() -> None:
    assert clear_days("2026-05-01T00:00:00Z", 2**60) == (2**60 - 1777593600) // 86400 - 1


def test_a_pending_signature_is_an_incident_and_the_page_says_so_first() -> None:
    data = minutes_html(unsigned(golden_record("drand")))
    text = Page(data).text
    assert "Entry no. 2 of the log still lacks 1 signature." in text
    assert "This record is not valid as it stands: the checks «signatures» fail." in text
    assert data.index(b'class="alert"') < data.index(b"<section>")
    assert b'class="alert"' not in minutes_html(golden_record("drand"))


@pytest.mark.parametrize("lost", ["public/declaration.json", "public/leaves.txt", "public/entry-0001.json"])
def test_nothing_is_printed_from_what_cannot_be_read(lost: str) -> None:
    files = golden_record("drand")
    del files[lost]
    with pytest.raises(BundleError, match="fails the check «files»"):
        minutes_html(files)
    with pytest.raises(BundleError, match="fails the check «files»"):
        notice_text(files)


def test_text_of_a_record_can_not_become_markup() -> None:
    facts = Record.parse(golden_record("replaced"))
    evil = '<script>alert(1)</script>"&'
    declaration = json.loads(facts.files["public/declaration.json"])
    declaration |= {"title": evil, "organiser": evil, "question": evil}
    declaration["keys"] = [key | {"name": evil} for key in declaration["keys"]]
    feature = declaration["features"][0]
    feature["name"] = evil
    files = {**facts.files, "public/declaration.json": json.dumps(declaration).encode()}
    forged = dataclasses.replace(facts, files=files)
    for data in (minutes_html(forged), notice_html(forged)):
        assert b"<script" not in data
        assert evil in Page(data).text


def test_pages_are_the_same_bytes_in_any_process() -> None:
    code = (
        "import hashlib; from record_cases import golden_record; from klero.ledger.minutes import minutes_html; "
        "from klero.ledger.notice import notice_html; f = golden_record('replaced'); "
        "print(hashlib.sha256(minutes_html(f, 'fr', names=True) + notice_html(f, 'fr')).hexdigest())"
    )
    seen = set()
    for seed in ("0", "1", "77"):
        env = os.environ | {
            "PYTHONHASHSEED": seed,
            "TZ": "Asia/Tokyo" if seed == "1" else "UTC",
            "LC_ALL": "C",
        }
        env["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        seen.add(
            subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout
        )
    assert len(seen) == 1


def test_the_command_writes_minutes_and_never_over_what_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in golden_record("drand").items():
        (tmp_path / "record" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "record" / name).write_bytes(data)
    present = tmp_path / "present.txt"
    present.write_text("Camille Martin, maire\n\nDominique Leroy\n", encoding="utf-8")
    (tmp_path / "exclusions.csv").write_text("motif,nombre\nmineurs,3\n", encoding="utf-8")
    out = tmp_path / "pv.html"
    words = ["minutes", str(tmp_path / "record"), "-o", str(out), "--lang", "fr", "--zone", "Europe/Paris"]
    words += [
        "--present",
        str(present),
        "--present",
        "A B, greffier",
        "--exclusions",
        str(tmp_path / "exclusions.csv"),
    ]
    assert run(words) == 0
    text = Page(out.read_bytes()).text
    for part in ("Camille Martin maire", "Dominique Leroy à compléter", "A B greffier", "mineurs 3"):
        assert part in text
    assert run(words) == 3
    assert "[output-exists]" in capsys.readouterr().err
    assert run([*words, "--force", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["failed"] == []
    assert run([*words[:3], str(tmp_path / "record" / "public" / "leaves.txt"), "--force"]) == 3
    assert (tmp_path / "record" / "public" / "leaves.txt").read_bytes() == golden_record("drand")[
        "public/leaves.txt"
    ]


def test_the_command_ends_with_a_finding_if_a_check_fails(tmp_path: Path) -> None:
    for name, data in unsigned(golden_record("drand")).items():
        (tmp_path / "record" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "record" / name).write_bytes(data)
    assert run(["minutes", str(tmp_path / "record"), "-o", str(tmp_path / "pv.html")]) == 1
    assert b"not valid as it stands" in (tmp_path / "pv.html").read_bytes()


@pytest.mark.parametrize(
    ("table", "fragment"),
    [
        ([{"why": "x", "count": "1"}], "no column «reason»"),
        ([{"reason": "x", "count": "1.5"}], "no whole number"),
        ([{"reason": "x", "count": "-1"}], "no whole number"),
        ([{"reason": "", "count": "1"}], "there is no reason"),
    ],
)
def test_exclusions_that_cannot_be_read_are_told(table: list[dict[str, str]], fragment: str) -> None:
    with pytest.raises(InputError, match=fragment):
        read_exclusions(table)


def test_exclusions_are_read_whatever_the_language_of_their_columns() -> None:
    assert read_exclusions([{"Motif": "x", "Nombre": "2"}]) == read_exclusions(
        [{"reason": "x", "count": "2"}]
    )


def test_those_present_without_a_name_are_told(tmp_path: Path) -> None:
    (tmp_path / "p.txt").write_text("A\n, mayor\n")
    with pytest.raises(InputError, match=r"p\.txt, row 2"):
        read_present([str(tmp_path / "p.txt")])
    for typo in ("", "presnts.txt", str(tmp_path / "presnts.txt"), "Camille Martin"):
        with pytest.raises(InputError, match="no file of this name"):
            read_present([typo])
    with pytest.raises(InputError, match="no name before the comma"):
        read_present([", mayor"])
    assert read_present(["Camille Martin,"]) == [("Camille Martin", "")]
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    with pytest.raises(InputError, match="no text in UTF-8"):
        read_present([str(tmp_path / "bad.txt")])
