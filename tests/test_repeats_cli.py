"""`klero repeats` as people use it: files, languages, budgets, exit codes, nothing half written."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from klero import _files, near_duplicates
from klero.cli import repeats_run, run
from klero.cli.output import note, print_json, report_error
from klero.errors import Fault, InputError, OutputExistsError, quoted
from klero.voices.contributions import Contributions
from repeats_cases import Page

EXAMPLE = Path(__file__).resolve().parents[1] / "python" / "klero" / "examples" / "contributions.csv"
COLUMNS = ["id", "group", "size", "similarity", "representative"]
LETTER = "Nous demandons que la ligne douze reste ouverte le soir et le dimanche pour tous les habitants"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with the example."""
    (tmp_path / "contributions.csv").write_bytes(EXAMPLE.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(place: Path, rows: list[tuple[str, str]]) -> None:
    """Another table of contributions in the place of the example."""
    text = io.StringIO()
    csv.writer(text).writerows([("id", "text"), *rows])
    (place / "contributions.csv").write_text(text.getvalue(), encoding="utf-8")


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def repeats(*options: str) -> int:
    return run(["repeats", "contributions.csv", *options])


def test_table_has_a_row_for_each_contribution_in_order_and_five_columns(place: Path) -> None:
    assert repeats("-o", "out.csv") == 0
    with (place / "out.csv").open(encoding="utf-8", newline="") as file:
        read = csv.DictReader(file)
        rows = list(read)
    assert read.fieldnames == COLUMNS
    with EXAMPLE.open(encoding="utf-8", newline="") as file:
        assert [row["id"] for row in rows] == [row["id"] for row in csv.DictReader(file)]
    found = near_duplicates(Contributions.read(EXAMPLE))
    for row, index, similarity in zip(rows, found.group, found.similarity, strict=True):
        group = found.groups[int(index)] if index >= 0 else None
        wanted = (
            [group.id, str(group.size), str(similarity), group.representative] if group else ["", "", "", ""]
        )
        wanted[1] = wanted[1] or ("0" if index == -2 else "1")
        assert [row[name] for name in COLUMNS[1:]] == wanted


def test_all_three_forms_hold_the_same_rows(place: Path) -> None:
    for name in ("out.csv", "out.jsonl", "out.parquet"):
        assert repeats("-o", name, "--no-report") == 0
    parquet = pq.read_table(place / "out.parquet")
    assert parquet.column_names == COLUMNS
    lines = [json.loads(line) for line in (place / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == parquet.to_pylist()
    with (place / "out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [{key: "" if cell is None else str(cell) for key, cell in row.items()} for row in lines]
    assert names(place) == ["contributions.csv", "out.csv", "out.jsonl", "out.parquet"]


def test_results_go_to_stdout_and_remarks_to_stderr_that_say_columns_sum_groups_warnings_and_what_next(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert repeats("-o", "out.csv") == 0
    out, err = capfd.readouterr()
    for words in (
        "30 alike with others + 26 alone + 4 without a word = 60 contributions.",
        "C01               11               10                  11         0.802  Je demande le maintien",
        "60 contributions hold 47 different texts",
        "Alike with others: 30 contributions from 30 accounts. An account is not a person.",
        "with threshold 0.6: 1; by containment: 1; without accents: 0.",
    ):
        assert words in out
        assert words not in err
    for words in (
        "text=text",
        "seem to hold personal data",
        "1 text holds marks that can't be seen",
        "1 text mixes alphabets within a word",
        "This is no accusation",
        "--mask",
        "Written to out.csv; to read and print: out.html",
        "Next: read out.html",
    ):
        assert words in err
        assert words not in out


def test_what_the_guide_shows_is_what_is_printed(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    guide = (EXAMPLE.parents[3] / "docs" / "how-to" / "repeats.md").read_text(encoding="utf-8")
    shown = guide.split("```text\n")[1].split("```")[0]
    assert repeats("--text", "text", "-o", "repeats.csv") == 0
    assert capfd.readouterr().out == shown
    assert (
        repeats("--text", "text", "--measure", "containment", "-o", "contained.csv", "--format", "json") == 0
    )
    assert json.loads(capfd.readouterr().out)["largest"][1] == {
        "id": "C22",
        "size": 7,
        "distinct": 6,
        "weakest_edge": 56 / 58,
        "accounts": {"different": 7, "unnamed": 0},
    }


def test_words_and_page_are_french_where_that_is_asked_for(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert repeats("-o", "out.csv", "--lang", "fr") == 0
    out, err = capfd.readouterr()
    assert "30 semblables à d’autres + 26 seules + 4 sans aucun mot = 60 contributions." in out
    assert "venant de 30 comptes. Un compte n’est pas une personne." in out
    assert "Ensuite\u00a0: lisez out.html" in err
    page = Page((place / "out.html").read_bytes())
    assert page.named("html")[0]["lang"] == "fr"
    assert "Contributions qui se répètent" in page.text


def test_json_is_the_only_thing_on_stdout(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert repeats("-o", "out.parquet", "--format", "json") == 0
    data = json.loads(capfd.readouterr().out)
    assert data["schema"] == "klero-repeats/1"
    counts = data["counts"]
    assert counts["texts"] == counts["grouped"] + counts["alone"] + counts["empty"] == 60
    assert data["settings"]["mode"] == "exact"
    assert (data["output"], data["report"], data["streamed"]) == ("out.parquet", "out.html", False)
    accounts = {"different": 11, "unnamed": 0}
    first = {"id": "C01", "size": 11, "distinct": 10, "weakest_edge": 69 / 86, "accounts": accounts}
    assert data["largest"][0] == first
    assert data["accounts"] == {"different": 30, "unnamed": 0, "groups_of_one_account": 0}
    assert [(rung["name"], rung["more"]) for rung in data["ladder"]] == [
        ("threshold", 1),
        ("containment", 1),
        ("accents", 0),
    ]
    digests = [
        hashlib.sha256((place / name).read_bytes()).hexdigest()
        for name in ("contributions.csv", "out.parquet")
    ]
    assert [data["input_sha256"], data["output_sha256"]] == digests
    page = Page((place / "out.html").read_bytes()).text
    assert all(digest in page for digest in digests)
    assert len(data["texts_digest"]) == 64


def test_page_stands_beside_the_table_or_where_it_is_asked_for(place: Path) -> None:
    assert repeats("-o", "found.jsonl") == 0
    assert names(place) == ["contributions.csv", "found.html", "found.jsonl"]
    assert repeats("-o", "other.csv", "--report", "page.html") == 0
    assert (place / "page.html").exists()
    assert not (place / "other.html").exists()


def test_page_uses_dates_questions_and_stances(place: Path) -> None:
    assert repeats("-o", "out.csv") == 0
    text = Page((place / "out.html").read_bytes()).text
    for words in (
        "Over time",
        "Quels transports pour demain ?",
        "By stance",
        "From 2026-03-02 08:12 UTC to 2026-03-05 22:10 UTC",
    ):
        assert words in text


def test_authors_stand_neither_in_the_table_nor_on_the_page(place: Path) -> None:
    assert repeats("-o", "out.csv", "--map", "author=author") == 0
    with EXAMPLE.open(encoding="utf-8", newline="") as file:
        authors = {row["author"] for row in csv.DictReader(file)}
    assert len(authors) == 60
    written = (place / "out.csv").read_text(encoding="utf-8") + (place / "out.html").read_text(
        encoding="utf-8"
    )
    assert not [author for author in authors if author in written]


def test_masked_texts_are_masked_on_the_page(place: Path) -> None:
    assert repeats("-o", "plain.csv") == 0
    assert repeats("-o", "masked.csv", "--mask") == 0
    plain, masked = ((place / f"{name}.html").read_text(encoding="utf-8") for name in ("plain", "masked"))
    assert "01632 960 123" in plain
    assert "01632 960 123" not in masked
    assert "[phone]" in masked


def test_what_is_there_is_never_replaced_without_force(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert repeats("-o", "out.csv") == 0
    before = (place / "out.csv").read_bytes()
    assert repeats("-o", "out.csv", "--threshold", "0.3") == 3
    (place / "out.csv").unlink()
    assert repeats("-o", "out.csv") == 3  # the page is there
    assert "output-exists" in capfd.readouterr().err
    assert not (place / "out.csv").exists()
    assert repeats("-o", "out.csv", "--force") == 0
    assert (place / "out.csv").read_bytes() == before


def test_no_output_takes_the_place_of_the_input(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = names(place)
    assert repeats("-o", "contributions.csv", "--force") == 3
    assert "output-is-input" in capfd.readouterr().err
    assert (place / "contributions.csv").read_bytes() == EXAMPLE.read_bytes()
    assert names(place) == before


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("-o", "out.xlsx"), 3, "file-type"),
        (("-o", "out"), 3, "file-type"),
        (("-o", "missing/out.csv"), 4, "does not exist"),
        (("-o", "out.csv", "--report", "page.pdf"), 2, "written as .html"),
        (("-o", "out.csv", "--report", "page.html", "--no-report"), 2, "exclude each other"),
        (("-o", "out.csv", "--text", "nothing"), 3, "nothing"),
        (("-o", "out.csv", "--measure", "cosine"), 2, "cosine"),
        (("-o", "out.csv", "--memory", "64MB", "--mode", "sketch"), 3, "memory-budget"),
        ((), 2, "-o"),
    ],
)
def test_what_can_not_be_done_is_said_before_anything_is_written(
    place: Path, capfd: pytest.CaptureFixture[str], options: tuple[str, ...], code: int, words: str
) -> None:
    assert repeats(*options) == code
    err = capfd.readouterr().err
    assert words in err
    assert "Traceback" not in err
    assert names(place) == ["contributions.csv"]


def test_a_missing_file_and_one_without_texts_are_bad_input(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["repeats", "nowhere.csv", "-o", "out.csv"]) == 3
    (place / "contributions.csv").write_text("id,text\n", encoding="utf-8")
    assert repeats("-o", "out.csv") == 3
    assert "nowhere.csv" in capfd.readouterr().err
    assert names(place) == ["contributions.csv"]


def test_all_faults_of_the_options_come_at_once(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    wrong = ["--threshold", "2", "--shingle", "0", "--recall", "7", "--memory", "much"]
    assert repeats("-o", "out.csv", *wrong, "--format", "json") == 3
    faults = json.loads(capfd.readouterr().out)["error"]["faults"]
    assert [fault["code"] for fault in faults] == ["option-range"] * 4


def test_a_file_that_does_not_fit_is_worked_through_from_the_disk_with_the_same_rows(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert repeats("-o", "memory.csv") == 0
    monkeypatch.setattr(repeats_run, "whole_need", lambda _file: 1 << 60)
    for suffix in ("csv", "parquet", "jsonl"):
        assert repeats("-o", f"disk.{suffix}", "--force", "--temp", str(place)) == 0
    assert (place / "disk.csv").read_bytes() == (place / "memory.csv").read_bytes()
    assert "worked through from the disk" in capfd.readouterr().err
    memory, disk = (Page((place / f"{name}.html").read_bytes()) for name in ("memory", "disk"))
    assert (
        "worked through from the disk: dates, questions, stances and authors were not read, and accounts are not counted"
        in disk.text
    )
    for words in (
        "30 alike with others + 26 alone + 4 without a word",
        "Group 2: C22, 6 contributions",
        "As a volunteer I would gladly help",
    ):
        assert words in memory.text
        assert words in disk.text
    assert "Over time" not in disk.text
    assert repeats("-o", "bare.csv", "--no-report") == 0
    assert (place / "bare.csv").read_bytes() == (place / "memory.csv").read_bytes()


def test_a_file_that_is_read_whole_is_refused_over_the_budget(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (place / "answers.xlsx").write_bytes(b"no matter what")
    assert run(["repeats", "answers.xlsx", "-o", "out.csv", "--memory", "64MB"]) == 3
    assert "memory-budget" in capfd.readouterr().err
    assert not (place / "out.csv").exists()


def test_the_estimate_grows_with_what_a_file_holds(place: Path) -> None:
    table(place, [(f"R{i}", LETTER) for i in range(20_000)])
    size = (place / "contributions.csv").stat().st_size
    few = repeats_run.whole_need(str(EXAMPLE))
    assert repeats_run.whole_need("contributions.csv") > few + 3 * size
    pq.write_table(
        Contributions.read(place / "contributions.csv").table, place / "packed.parquet", use_dictionary=False
    )
    assert (place / "packed.parquet").stat().st_size < size
    assert repeats_run.whole_need("packed.parquet") > few + size
    assert repeats_run.whole_need("nowhere.csv") == 0


def test_ids_are_written_as_read_and_those_like_formulas_are_told(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table(place, [("=1+1", LETTER), ("-5", LETTER), ("@x", "Oui"), ('é, "ü"', "Non")])
    assert repeats("-o", "out.csv") == 0
    assert "2 ids begin as formulas do" in capfd.readouterr().err
    with (place / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == ["=1+1", "-5", "@x", 'é, "ü"']
    assert repeats("-o", "out.jsonl", "--force") == 0
    assert "formulas" not in capfd.readouterr().err


def test_a_terminal_is_given_nothing_that_it_would_obey(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    evil = f"\u202e{LETTER}"
    table(place, [("a\u009b2J", evil), ("b", evil)])
    assert repeats("-o", "out.csv") == 0
    out, err = capfd.readouterr()
    assert "⟨U+202E⟩Nous demandons" in out
    assert "\u009b" not in out + err
    assert "\u202e" not in out + err


def test_without_groups_the_next_step_is_a_lower_threshold(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table(place, [("1", "Oui"), ("2", "Non"), ("3", "")])
    assert repeats("-o", "out.csv", "--format", "json") == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["largest"] == []
    assert "0 alike with others + 2 alone + 1 without a word = 3 contributions." in err
    assert "Next: a lower --threshold" in err
    assert "accusation" not in err
    assert "Each group" not in Page((place / "out.html").read_bytes()).text


def test_options_reach_the_search(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    table(
        place,
        [("a", LETTER), ("b", f"{LETTER} {' '.join(map(str, range(30)))}"), ("c", "Élève"), ("d", "eleve")],
    )
    asked = [
        "--measure",
        "containment",
        "--fold-accents",
        "--shingle",
        "2",
        "--threads",
        "1",
        "--threshold",
        "0.7",
    ]
    assert repeats("-o", "out.csv", *asked, "--format", "json") == 0
    data = json.loads(capfd.readouterr().out)
    assert data["counts"]["groups"] == 2
    wanted = {"measure": "containment", "fold_accents": True, "shingle": 2, "threshold": 0.7}
    assert {name: data["settings"][name] for name in wanted} == wanted


@pytest.mark.parametrize(
    "where",
    ["klero.voices.near_duplicates.find", "klero.voices.table_output.write_rows", "klero._files.claim"],
)
def test_an_interruption_leaves_nothing_half_written(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], where: str
) -> None:
    def interrupt(*_args: object, **_options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupt)
    assert repeats("-o", "out.csv") == 130
    assert "nothing was written" in capfd.readouterr().err
    assert names(place) == ["contributions.csv"]


def test_files_that_belong_together_are_written_both_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    files = [(first, lambda stream: stream.write(b"1")), (second, lambda stream: stream.write(b"2"))]
    claimed = _files.claim

    def meanwhile(fresh: Path, target: Path) -> None:
        if target == second:
            target.write_bytes(b"somebody else's")
        claimed(fresh, target)

    with monkeypatch.context() as changed:
        changed.setattr(_files, "claim", meanwhile)
        with pytest.raises(OutputExistsError, match="second"):
            _files.write_together(files)
    assert names(tmp_path) == ["second"]
    with pytest.raises(OutputExistsError):
        _files.write_together(files)
    _files.write_together(files, force=True)
    assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")
    assert names(tmp_path) == ["first", "second"]


def test_a_disk_that_fails_is_told_with_the_name_and_leaves_nothing(tmp_path: Path) -> None:
    def full(_stream: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match=r"the file was not written.*second"):
        _files.write_together(
            [(tmp_path / "first", lambda stream: stream.write(b"1")), (tmp_path / "second", full)]
        )
    assert names(tmp_path) == []


CALLS = [("a", f"Appelez le 06 12 34 56 78. {LETTER}"), ("b", f"Appelez le 07 98 76 54 32. {LETTER}")]


@pytest.mark.parametrize("disk", [False, True])
def test_masking_changes_what_is_shown_and_not_who_is_grouped(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], disk: bool
) -> None:
    if disk:
        monkeypatch.setattr(repeats_run, "whole_need", lambda _file: 1 << 60)
    table(place, [*CALLS, ("A zoe@example.org", CALLS[0][1]), ("d", CALLS[0][1])])
    results = []
    for name, options in (("plain", ()), ("masked", ("--mask",)), ("masqué", ("--mask", "--lang", "fr"))):
        assert repeats("-o", f"{name}.csv", "--threshold", "1", "--format", "json", *options) == 0
        out, err = capfd.readouterr()
        results.append(json.loads(out))
        page = Page((place / f"{name}.html").read_bytes()).text
        assert ("06 12 34 56 78" in page, "zoe@example.org" in page) == (not options, not options)
        assert ("06 12 34 56 78" in err) == (not options)
        assert not options or "zoe@" not in err
        assert results[-1]["masked"] == bool(options)
        assert ("The texts were compared as they were written" in page) == (name == "masked")
        assert ("nothing in them is masked" in page) == (not options)
        assert ("They are masked in all that follows" in err) == (name == "masked")
    assert "Appelez le [téléphone]" in page
    plain, *others = results
    assert plain["counts"]["grouped"] == 3
    assert plain["personal_in_page"] >= 2
    for other in others:
        assert other["personal_in_page"] == 0
        for key in ("counts", "texts_digest", "settings", "invisibles", "lookalikes", "read"):
            assert other[key] == plain[key]
    tables = [(place / f"{name}.csv").read_bytes() for name in ("plain", "masked", "masqué")]
    assert tables[0] == tables[1] == tables[2]


@pytest.mark.parametrize("disk", [False, True])
def test_an_option_that_names_no_column_is_refused_in_memory_and_from_the_disk(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], disk: bool
) -> None:
    if disk:
        monkeypatch.setattr(repeats_run, "whole_need", lambda _file: 1 << 60)
    for option in ("--time", "--question", "--stance"):
        assert repeats("-o", "out.csv", option, "nowhere") == 3
        assert "nowhere" in capfd.readouterr().err
    assert names(place) == ["contributions.csv"]


@pytest.mark.parametrize("option", ["--votes", "--keep", "--pseudonymise"])
def test_options_that_would_change_nothing_are_not_there(
    place: Path, capfd: pytest.CaptureFixture[str], option: str
) -> None:
    assert repeats("-o", "out.csv", option, "text") == 2
    assert "No such option" in capfd.readouterr().err


def test_what_html_became_and_which_rows_there_were_is_on_the_page_and_in_the_data(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    table(place, [("a", f"<p>{LETTER}</p>"), ("b", f"{LETTER}\x07"), ("c", "")])
    for name, option, told in (
        ("auto", "auto", "HTML was made into text"),
        ("never", "never", "HTML was left"),
    ):
        assert repeats("-o", f"{name}.csv", "--html", option, "--format", "json") == 0
        data = json.loads(capfd.readouterr().out)
        assert data["html"] == option
        assert data["read"]["rows"] == data["read"]["contributions"] == 3
        assert data["read"]["empty"] == 1
        assert "unread" not in data["read"]
        page = Page((place / f"{name}.html").read_bytes()).text
        assert told in page
        assert (
            "Rows 3 = contributions 3 + votes and reports 0 + blank lines 0; of the contributions 1 are blank."
            in page
        )
        assert ("HTML became text in 1 cell." in page) == (option == "auto")
        assert "Control characters went from 1 cell." in page


def test_names_of_columns_and_errors_give_a_terminal_nothing_that_it_would_obey(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (place / "contributions.csv").write_text(
        "id,te\u202ext\x9b2J\na\u202eb,Oui\na\u202eb,Non\n", encoding="utf-8"
    )
    assert repeats("-o", "out.csv", "--text", "te\u202ext\x9b2J", "--format", "json") == 3
    assert repeats("-o", "out.csv", "--text", "x\x1b[2J\u202e", "--format", "json") == 3
    out, err = capfd.readouterr()
    assert "⟨U+202E⟩" in err
    for one in "\x1b\x9b\u202e":
        assert one not in err + out
    (place / "contributions.csv").write_text("id,te\u202ext\na,Oui\n", encoding="utf-8")
    assert repeats("-o", "out.csv", "--text", "te\u202ext") == 0
    err = capfd.readouterr().err
    assert "text=te⟨U+202E⟩xt" in err
    assert "\u202e" not in err


def test_half_a_character_in_a_message_can_be_printed(capfd: pytest.CaptureFixture[str]) -> None:
    note("a\ud800\x1b[2J")
    print_json({"a": "\ud800\u202e\x7f"})
    report_error(InputError([Fault("id-unknown", f"no {quoted(chr(0xD800))}", "x")]), as_json=True)
    out, err = capfd.readouterr()
    assert err.splitlines()[0] == "a⟨U+D800⟩⟨U+001B⟩[2J"
    assert out.startswith('{\n  "a": "\\ud800\\u202e\\u007f"\n}')
    assert json.JSONDecoder().raw_decode(out)[0] == {"a": "\ud800\u202e\x7f"}
    assert quoted("\x1b[1m\r") == "'⟨U+001B⟩[1m\\r'"


def test_accounts_behind_a_group_are_counted_and_never_named(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = [("id", "text", "who")]
    rows += [(f"a{n}", LETTER, "zoe-lux") for n in range(4)]
    rows += [("b1", "Gardez la piscine du quartier ouverte", name) for name in ("ali-nox", " ali-nox ", "")]
    rows = [(f"{name}-{n}", text, who) for n, (name, text, who) in enumerate(rows[1:])]
    rows = [("id", "text", "who"), *rows]
    with (place / "contributions.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    assert repeats("-o", "out.csv", "--author", "who", "--format", "json") == 0
    out, err = capfd.readouterr()
    data = json.loads(out)
    assert data["accounts"] == {"different": 2, "unnamed": 1, "groups_of_one_account": 1}
    assert [line["accounts"] for line in data["largest"]] == [
        {"different": 1, "unnamed": 0},
        {"different": 1, "unnamed": 1},
    ]
    assert "Alike with others: 6 contributions from 2 accounts. 1 more names no author." in err
    assert "1 group comes from one single account. An account is not a person." in err
    page = (place / "out.html").read_text(encoding="utf-8")
    assert "1 (+ 1 without author)" in page
    assert not any(name in page + out + err for name in ("zoe-lux", "ali-nox"))
    assert repeats("-o", "none.csv", "--map", "author=", "--format", "json") == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["accounts"] is None
    assert "Authors unknown" in err


def test_recall_without_sketches_and_sketches_without_every_pair_are_told(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert repeats("-o", "a.csv", "--recall", "0.9") == 0
    assert "--recall changes nothing here" in capfd.readouterr().err
    assert repeats("-o", "b.csv", "--mode", "sketch", "--recall", "0.9") == 0
    err = capfd.readouterr().err
    assert "--recall changes nothing" not in err
    assert "at least 0.9 of the pairs at the threshold" in err
