"""What is printed from a record: notice, receipts, minutes. The right facts, none too many, in two languages, on paper."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from fractions import Fraction
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from klero.cli import run
from klero.errors import BundleError, InputError, OutputExistsError
from klero.ledger.check_words import CHECKS, check_sentence, status_words
from klero.ledger.minutes import minutes_html
from klero.ledger.notice import notice_html, notice_text, qr_text, write_notice
from klero.ledger.person_page import person_html
from klero.ledger.phrases import clear_days, grouped, moment, number
from klero.ledger.reasons import Chance, chances
from klero.ledger.receipt_page import receipt_page
from klero.ledger.receipts import own_ticket, verify_receipt
from klero.ledger.record import Record
from klero.words import LANGUAGES
from record_cases import NAMES, Files, golden_record, tier
from record_forgeries import DECLARATION, LOG
from record_forgeries_auditor import AUDITOR, SUCCESSION
from record_forgeries_draw import CHANCE, DRAW
from test_docs_audit import receipt

PACKAGE = Path(__file__).resolve().parents[1] / "python" / "klero"
VOID = {"meta", "br", "path"}
SEALED = [name for name in NAMES if name != "public"]


class Page(HTMLParser):
    """Checks that tags are closed in order, and keeps what a reader sees."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []
        self.feed(data.decode())
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(part.strip() for part in self.parts if part.strip())


def pages(name: str, lang: str) -> list[bytes]:
    """Every page that can be made from a golden record."""
    facts = Record.parse(golden_record(name))
    made = [notice_html(facts, lang, zone="Europe/Paris"), minutes_html(facts, lang)]
    if facts.people is not None:
        who = [person["id"] for person in facts.people if person]
        made.append(minutes_html(facts, lang, names=True, zone="Europe/Paris"))
        made += [person_html(facts, person, lang, zone="Europe/Paris") for person in who]
        made.append(receipt_page([receipt(dict(facts.files), i) for i in range(3)], lang))
    return made


def unsigned(files: Files) -> Files:
    """The record with one signature in its last entry."""
    name = max(name for name in files if "/entry-" in name)
    document = json.loads(files[name])
    document["signatures"] = document["signatures"][:1]
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return {**files, name: data}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_pages_are_whole_and_need_no_network_nor_script(name: str, lang: str) -> None:
    for data in pages(name, lang):
        page = Page(data)
        tags = [tag for tag, _ in page.tags]
        assert dict(page.tags)["html"]["lang"] == lang
        assert not {"script", "link", "img", "iframe", "form"} & set(tags)
        # The address of a round of the beacon is there to be typed; nothing is fetched.
        assert not re.search(
            rb"https?://(?!www\.w3\.org/2000/svg|api\.drand\.sh/)|url\(|@import| on[a-z]+=|href=|src=", data
        )
        assert tags.count("h1") >= 1
        assert "main" in tags
        for tag, attributes in page.tags:
            if tag == "th":
                assert attributes.get("scope") in ("row", "col")
            if tag == "svg":
                assert "<title>" in data.decode()
        levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
        assert all(below <= above + 1 for above, below in pairwise(levels))


@pytest.mark.parametrize("name", NAMES)
def test_french_pages_have_french_typography(name: str) -> None:
    for data in pages(name, "fr"):
        text = Page(data).text
        assert "'" not in text
        assert re.search(r"\w [;?!»%]|« | : ", text) is None, re.search(
            r".{20}(?:\w [;?!»%]|« | : ).{9}", text
        )


def _calls() -> set[str]:
    """First arguments of all calls for words, those within f-strings included."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                if name in ("_", "plural", "ngettext", "gettext") and isinstance(node.args[0].value, str):
                    found.add(node.args[0].value)
    return found


def test_every_sentence_within_a_page_has_its_french_too() -> None:
    with (PACKAGE / "locale" / "fr" / "LC_MESSAGES" / "klero.po").open("rb") as source:
        french = read_po(source)
    calls = _calls()
    assert len(calls) > 300
    assert sorted(key for key in calls if french.get(key) is None) == []


def test_every_check_has_a_sentence_in_both_languages() -> None:
    for name in CHECKS:
        english, french = check_sentence(name), check_sentence(name, "fr")
        assert name != english != french != name
        assert english.endswith(".")
        assert french.endswith(".")
    assert [check.name for check in Record.parse(golden_record("drand")).checks] == list(CHECKS)
    assert status_words("--", "fr") == "non contrôlé"
    assert check_sentence("no such check") == "no such check"


def test_verify_says_in_french_what_each_check_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, data in unsigned(golden_record("drand")).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert run(["verify", str(tmp_path), "--lang", "fr"]) == 1
    *lines, total = capsys.readouterr().out.splitlines()
    details = [line for line in lines if line.startswith(" ")]
    known = ("Détail technique (en anglais)\u00a0: ", "(non contrôlé")
    assert all(line.strip().startswith(known) for line in details)
    told = [line for line in lines if line not in details]
    assert [line.split("  ", 1)[1].strip() for line in told] == [
        check_sentence(name, "fr") for name in CHECKS
    ]
    assert told[CHECKS.index("signatures")].startswith("ÉCHEC ")
    after = lines[lines.index(told[CHECKS.index("signatures")]) + 1]
    assert after in details
    assert total.startswith("Réussis")


# --- notice


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_the_notice_tells_what_when_from_what_and_the_hash(name: str, lang: str) -> None:
    facts = Record.parse(golden_record(name))
    declaration = facts.declaration
    for round_ in facts.rounds:
        text = notice_text(facts, lang, round_number=round_.number)
        hash_ = grouped(round_.commitment.hash)
        assert hash_ in re.sub(r"\s+", " ", text)
        assert hash_ in Page(notice_html(facts, lang, round_number=round_.number)).text
        assert declaration["title"] in text
        assert declaration["organiser"] in text
        for key in declaration["keys"]:
            assert key["name"] in text
            assert grouped(key["key"]) in text
        assert moment(round_.commitment.time, lang) in text
        for source in declaration.sources(round_.number):
            told = moment(source["time"], lang) if "time" in source else number(source["round"], lang)
            assert told in text
    assert number(declaration["people"], lang) in notice_text(facts, lang, round_number=0)
    assert notice_text(facts, lang) == notice_text(facts, lang, round_number=facts.rounds[-1].number)


def test_the_notice_of_a_replacement_round_counts_free_seats_and_names_its_own_quotas() -> None:
    facts = Record.parse(golden_record("replaced"))
    later = facts.rounds[1]
    instance, pool = facts.auditor("instance", later.number), facts.auditor("pool", later.number)
    staying = next(
        v["min"]
        for f in instance["features"]
        if f["name"] == "(must sit)"
        for v in f["values"]
        if v["value"] == "yes"
    )
    seats, people = instance["size"] - staying, len(pool["people"]) - staying
    text = notice_text(facts)
    assert (
        f"will draw by lot {seats} {'person' if seats == 1 else 'people'} among {people} who are registered"
        in text
    )
    assert grouped(facts.hash) in text
    page = Page(notice_html(facts)).text
    for feature in instance["features"]:
        for v in feature["values"] if not feature["name"].startswith("(") else ():
            assert re.search(rf"{feature['name']}: [^:]*\b{v['value']} {v['min']}–{v['max']}", page)


def test_the_notice_says_where_files_and_verifier_are_or_leaves_a_line() -> None:
    files = golden_record("drand")
    for lang, told in (("en", "are at: "), ("fr", "à l’adresse suivante\u00a0: ")):
        assert told + "....." in notice_text(files, lang)
        there = notice_text(files, lang, address="https://example.org/tirage")
        assert told + "https://example.org/tirage\n" in there
        assert "....." not in there
        local = notice_text(files, lang, zone="Europe/Paris")
        commitment = Record.parse(files).entries[0].time
        assert moment(commitment, lang, "Europe/Paris") in local
        for word in ("gap", "fairest", "équitable", "écart"):
            assert word not in local


def test_a_round_that_is_not_committed_is_not_announced() -> None:
    with pytest.raises(InputError, match="round-invalid"):
        notice_text(golden_record("drand"), round_number=1)


@pytest.mark.parametrize("name", SEALED)
def test_the_notice_rests_on_the_public_files_alone(name: str, tmp_path: Path) -> None:
    files = golden_record(name)
    write_notice(files, tmp_path / "all")
    write_notice(tier(files, "public"), tmp_path / "public")
    made = sorted(path.name for path in (tmp_path / "all").iterdir())
    assert made == ["notice-en.html", "notice-en.txt", "notice-fr.html", "notice-fr.txt", "notice-qr.svg"]
    for file in made:
        assert (tmp_path / "all" / file).read_bytes() == (tmp_path / "public" / file).read_bytes()
    text = "".join((tmp_path / "all" / file).read_text(encoding="utf-8") for file in made)
    assert not any(leaf in text for leaf in Record.parse(files).leaves)


def test_a_notice_is_never_replaced_unasked(tmp_path: Path) -> None:
    files = golden_record("drand")
    paths = write_notice(files, tmp_path)
    before = Path(paths[-1]).read_bytes()
    Path(paths[0]).unlink()
    with pytest.raises(OutputExistsError):
        write_notice(files, tmp_path, address="https://example.org")
    assert not Path(paths[0]).exists()
    assert Path(paths[-1]).read_bytes() == before
    write_notice(files, tmp_path, address="https://example.org", force=True)
    assert "https://example.org" in Path(paths[0]).read_text(encoding="utf-8")


def test_the_code_of_the_notice_holds_the_hash() -> None:
    import segno

    facts = Record.parse(golden_record("drand"))
    text = qr_text(facts, address="https://example.org")
    assert text.split("\n") == [
        "klero-record/1",
        facts.declaration["draw"],
        facts.hash,
        "https://example.org",
    ]
    svg = segno.make(text.encode(), error="m", micro=False, mode="byte", boost_error=False).svg_inline(
        omitsize=True
    )
    drawn = re.search(r' d="([^"]+)"', svg)
    assert drawn is not None
    assert drawn[1] in notice_html(facts, "en", address="https://example.org").decode()


def test_an_address_too_long_for_a_code_is_refused() -> None:
    with pytest.raises(InputError, match="too long for a QR code"):
        notice_html(golden_record("drand"), address="x" * 3000)


# --- receipts


def test_a_receipt_page_shows_what_its_person_needs_and_nobody_elses() -> None:
    files = golden_record("household")
    facts = Record.parse(files)
    assert facts.people is not None
    data = [receipt(files, i) for i in range(len(facts.leaves))]
    for i, one in enumerate(data):
        text = Page(receipt_page([one], "en", title="A panel", organiser="Town of Testing")).text
        document = json.loads(one)
        assert grouped(document["salt"]) in text
        assert grouped(facts.leaves[i]) in text
        assert grouped(facts.hash) in text
        assert document["identity"]["id"] in text
        others = [leaf for j, leaf in enumerate(facts.leaves) if j != i]
        assert not any(grouped(leaf) in text or leaf in text for leaf in others)


def test_many_receipts_are_one_file_with_a_sheet_each() -> None:
    files = golden_record("drand")
    data = [receipt(files, i) for i in range(12)]
    page = receipt_page(data, "fr")
    assert page.count(b'<section class="receipt">') == 12
    assert page.count(b"<svg ") == 12
    assert b".receipt + .receipt { break-before: page }" in page
    assert receipt_page(data, "fr") == page


@pytest.mark.parametrize(
    "change",
    [
        {"weight": 2},
        {"salt": "00" * 32},
        {"leaf": 3},
        {"leaf": -1},
        {"leaves": 1},
        {"path": []},
        {"root": "00" * 32},
        {"format": "klero-receipt/2"},
        {"identity": {"id": "somebody else"}},
        {"more": 1},
        {"salt": "x"},
        {"path": None},
    ],
)
def test_a_receipt_that_was_changed_is_not_printed(change: dict[str, object]) -> None:
    good = receipt(golden_record("drand"), 2)
    with pytest.raises(BundleError, match=r"receipt 2 can't be printed"):
        receipt_page([good, json.dumps(json.loads(good) | change).encode()])


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b"1", b"[" * 10**5])
def test_what_is_no_receipt_is_refused(data: bytes) -> None:
    with pytest.raises(BundleError, match="receipt 1 can't be printed"):
        receipt_page([data])


def test_a_receipt_too_long_for_a_code_says_so() -> None:
    document = json.loads(receipt(golden_record("drand"), 0))
    document |= {"identity": document["identity"] | {"name": "n" * 3000}, "leaf": 0, "leaves": 1, "path": []}
    leaf = bytes.fromhex(verify_receipt(document).leaf)
    document["root"] = hashlib.sha256(b"\0" + leaf).hexdigest()
    page = receipt_page([json.dumps(document).encode()])
    assert b"too long for a QR code" in page
    assert b"<svg" not in page


# --- one person


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", SEALED)
def test_everybody_is_told_the_truth_about_chance_and_outcome(name: str, lang: str) -> None:
    """For each person and round: the chance is the share of balls, «drawn» is the record's, and ticket and threshold agree with it."""
    facts = Record.parse(golden_record(name))
    for leaf in facts.leaves:
        for chance, round_ in zip(chances(facts, leaf, lang), facts.rounds, strict=True):
            assert chance.round == round_.number
            pool, lottery = facts.auditor("pool", chance.round), facts.auditor("lottery", chance.round)
            kind = dict(pool["people"]).get(facts.leaves.index(leaf))
            if kind is None:
                assert chance.probability is None
                continue
            alike = sum(t == kind for _, t in pool["people"])
            won = sum(count * dict(seats).get(kind, 0) for count, seats in lottery["panels"])
            assert chance.probability == Fraction(won, alike * facts.declaration["denominator"])
            assert str(chance.probability) in chance.sentences[0] or chance.probability == 0
            _outcome_agrees(facts, chance, leaf)


def _outcome_agrees(facts: Record, chance: Chance, leaf: str) -> None:
    draw = next(r.draw for r in facts.rounds if r.number == chance.round)
    text = "\n".join(chance.sentences)
    if draw is None:
        assert chance.drawn is None
        return
    assert chance.drawn is (leaf in draw.body["panel"])
    words = (
        "The person was drawn.",
        "La personne a été désignée par le sort.",
        "The person keeps the seat.",
        "La personne conserve son siège.",
    )
    assert any(word in chance.sentences for word in words) is chance.drawn
    own = own_ticket(draw, leaf, facts.c_ids[facts.leaves.index(leaf)])
    assert grouped(own) in text
    shown = re.search(
        r"(?:is below|est inférieur à) ([0-9a-f ]+)\. (?:This one begins with|Celui-ci commence par) ([0-9a-f ]+),",
        text,
    )
    if shown is not None:
        limit, begun = (part.replace(" ", "") for part in shown.groups())
        assert own.startswith(begun)
        assert len(begun) == len(limit)
        assert (begun < limit) is (own < limit) is chance.drawn


def test_nobody_elses_ticket_is_shown() -> None:
    facts = Record.parse(golden_record("drand"))
    draw = facts.rounds[0].draw
    assert draw is not None
    lots = [own_ticket(draw, leaf, c_id) for leaf, c_id in zip(facts.leaves, facts.c_ids, strict=True)]
    for i, leaf in enumerate(facts.leaves):
        digits = "".join(
            c.sentences[j] for c in chances(facts, leaf) for j in range(len(c.sentences))
        ).replace(" ", "")
        assert not any(other[:8] in digits for j, other in enumerate(lots) if j != i)


def test_people_are_found_by_id_or_leaf_and_strangers_are_told() -> None:
    files = golden_record("drand")
    facts, auditor = Record.parse(files), Record.parse(tier(files, "auditor"))
    assert facts.people is not None
    who = facts.people[3]
    assert who is not None
    by_id, by_leaf = chances(facts, who["id"]), chances(auditor, facts.leaves[3])
    assert by_id[0].probability == by_leaf[0].probability
    for wrong, record in ((who["id"], auditor), ("nobody", facts)):
        with pytest.raises(InputError, match="person-unknown"):
            chances(record, wrong)
    with pytest.raises(InputError, match="tier-missing"):
        chances(Record.parse(tier(files, "public")), facts.leaves[3])


# --- phrases


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2026-05-01T00:00:00Z", "2026-05-01T23:00:00Z", 0),
        ("2026-05-01T23:59:59Z", "2026-05-02T00:00:00Z", 0),
        ("2026-05-01T23:59:59Z", "2026-05-03T00:00:00Z", 1),
        ("2026-05-01T12:00:00Z", "2026-05-12T12:00:00Z", 10),
    ],
)
def test_clear_days_count_neither_end(first: str, last: str, days: int) -> None:
    assert clear_days(first, last) == days


def test_clear_days_are_those_of_the_place() -> None:
    # 22:30 UTC on the 1st is already the 2nd in Paris.
    assert clear_days("2026-05-01T22:30:00Z", "2026-05-03T10:00:00Z") == 1
    assert clear_days("2026-05-01T22:30:00Z", "2026-05-03T10:00:00Z", "Europe/Paris") == 0


def test_times_in_words() -> None:
    assert (
        moment("2026-12-31T23:30:00Z", "en", "Europe/Paris")
        == "1 January 2027, 00:30 (Europe/Paris, 31 December 2026, 23:30 UTC)"
    )
    assert moment(1692803367, "en") == "23 August 2023, 15:09:27 UTC"
    assert "Unix" in moment(2**60, "fr")


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../etc/passwd", "\0"])
def test_an_unknown_zone_is_told(zone: str) -> None:
    with pytest.raises(InputError, match="time-invalid"):
        moment("2026-05-01T00:00:00Z", "en", zone)


# --- records that are wrong


def test_pages_of_records_that_are_wrong_are_refused_in_words_or_say_that_they_are() -> None:
    """Minutes, notice and answers of every forged record: no other error than klero's own, and a failing check is told first."""
    told, refused = 0, 0
    for what, name, forge, check in (*DECLARATION, *LOG, *DRAW, *AUDITOR, *CHANCE, *SUCCESSION):
        try:
            record = Record.parse(forge(golden_record(name)))
        except BundleError:
            refused += 1
            continue
        for lang in LANGUAGES:
            page = minutes_html(record, lang)
            if record.failed:
                assert b'class="alert"' in page, (what, check)
            lacking = [
                c.name
                for c in record.failed
                if c.name in ("declaration", "leaves", "log", "commitment", "times")
            ]
            if lacking:
                with pytest.raises(BundleError, match="there is nothing to announce"):
                    notice_html(record, lang)
            else:
                notice_html(record, lang)
        leaf = record.leaves[0]
        if record.has_auditor:
            reason = ""
            try:
                chances(record, leaf)
            except BundleError as error:
                reason = str(error)
            assert not reason or "so nobody's chance can be told from it" in reason
        told += 1
    print(f"forged records: {told} told, {refused} refused")
    assert told > 50
    assert refused > 20


def test_receipts_are_written_as_pages_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, data in golden_record("drand").items():
        (tmp_path / "record" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "record" / name).write_bytes(data)
    words = ["receipt", str(tmp_path / "record"), "--all", "-o", str(tmp_path / "receipts")]
    assert run([*words, "--page", str(tmp_path / "pages.html"), "--lang", "fr"]) == 0
    assert "everybody's secrets" in capsys.readouterr().err
    page = tmp_path / "pages.html"
    assert page.read_bytes().count(b'<section class="receipt">') == 12
    assert page.stat().st_mode & 0o077 == 0
    again = [*words[:-1], str(tmp_path / "more"), "--page", str(page)]
    assert run(again) == 3
    assert not (tmp_path / "more").exists()
