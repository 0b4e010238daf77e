"""`klero campaigns` as people use it: files, languages, exit codes, nothing half written. How groups are found is not asked here."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

import campaign_cases as cases
from campaign_fakes import Engine
from klero import _files
from klero.campaigns import report
from klero.cli import run
from test_campaigns_api import Row, rows_of, votes_table

FOLDER = ["campaigns.json", "contributions.csv", "groups.csv", "report.html"]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(monkeypatch)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Engine) -> Path:
    """A folder to work in, with contributions and votes."""
    write(tmp_path / "contributions.csv", rows_of())
    write(tmp_path / "votes.csv", votes_table(cases.planted(votes=True)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, rows: list[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def campaigns(*options: str) -> int:
    return run(["campaigns", "contributions.csv", *options])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_folder_holds_four_files_and_every_contribution_in_its_order(place: Path) -> None:
    rows = [*rows_of(), {**rows_of()[0], "id": "void", "text": "👍"}]
    write(place / "contributions.csv", rows)
    assert campaigns("-o", "out") == 0
    assert names(place) == ["contributions.csv", "out", "votes.csv"]
    assert names(place / "out") == FOLDER
    table = read(place / "out" / "contributions.csv")
    assert [line["id"] for line in table] == [row["id"] for row in rows]
    assert {line["id"] for line in table if line["group"] == "C1"} == {f"z{n}" for n in range(1, 9)}
    assert set(table[-1].values()) == {"void", ""}
    groups = read(place / "out" / "groups.csv")
    assert [(line["group"], line["voices"], line["for_review"]) for line in groups] == [("C1", "8", "True")]
    record = json.loads((place / "out" / "campaigns.json").read_bytes())
    assert [group["name"] for group in record["groups"]] == ["C1"]
    assert b"<html" in (place / "out" / "report.html").read_bytes()


def test_the_record_says_what_was_read_and_its_digests_hold(place: Path) -> None:
    np.save("v.npy", np.random.default_rng(0).standard_normal((68, 5)).astype(np.float32))
    assert (
        campaigns("--text", "text", "--votes", "votes.csv", "--vectors", "v.npy", "-o", "out", "--seed", "3")
        == 0
    )
    record = json.loads((place / "out" / "campaigns.json").read_bytes())
    assert record["source"] == "contributions.csv"
    assert record["columns"]["text"] == "text" and record["columns"]["author"] == "author"
    assert (record["seed"], record["q"], record["vectors"]) == (3, 0.05, "given")
    assert set(record["sha256"]) == {"contributions.csv", "votes.csv", "v.npy"}
    for name, digest in record["sha256"].items():
        assert digest == hashlib.sha256((place / name).read_bytes()).hexdigest()
    assert record["input_sha256"] == record["sha256"]["contributions.csv"]


def test_the_same_search_writes_the_same_bytes_in_any_language_and_place(place: Path) -> None:
    assert campaigns("-o", "out", "--threads", "1") == 0
    assert campaigns("-o", "other", "--threads", "4", "--lang", "fr", "--format", "json") == 0
    for name in FOLDER[:3]:
        assert (place / "out" / name).read_bytes() == (place / "other" / name).read_bytes()


def test_options_reach_the_search(place: Path, engine: Engine) -> None:
    options = [
        "--votes",
        "votes.csv",
        "--q",
        "0,1",
        "--channels",
        "template, votes,metadata",
        "--metadata",
        "browser",
    ]
    assert campaigns(*options, "--seed", "9", "--threads", "2", "-o", "out") == 0
    record = json.loads((place / "out" / "campaigns.json").read_bytes())
    assert (record["q"], record["seed"], record["channels"]) == (0.1, 9, ["template", "votes", "metadata"])
    assert engine.threads == {2} and "metadata_channel" in engine.asked and "time_channel" not in engine.asked
    assert record["columns"]["metadata"] == "browser"
    assert "odd" not in (place / "out" / "campaigns.json").read_text()


def test_results_go_to_stdout_and_remarks_to_stderr(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = [{key: value for key, value in row.items() if key != "author"} for row in rows_of()]
    write(place / "contributions.csv", rows)
    assert campaigns("-o", "out") == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert lines[0].split()[0] == "group" and lines[1].split()[0] == "C1"
    assert "1 group" in out and "probably not be seen" in out and "fewer than 7 people" in out
    assert "Not tested" in out
    assert "Je demande" not in out and "p001" not in out
    for remark in (
        "contributions.csv: columns: ",
        "No column says who wrote what",
        "This is no accusation",
        "Next: ",
    ):
        assert remark in err and remark not in out


def test_french(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert campaigns("-o", "out", "--lang", "fr") == 0
    out, err = capfd.readouterr()
    assert "Non examiné" in out and "voix effectives" in out
    assert "Ensuite" in err
    assert (
        "lang=fr" in (place / "out" / "report.html").read_text()
        or 'lang="fr"' in (place / "out" / "report.html").read_text()
    )


def test_json_on_stdout_alone(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert campaigns("-o", "out", "--format", "json") == 0
    out, err = capfd.readouterr()
    record = json.loads(out)
    written = json.loads((place / "out" / "campaigns.json").read_bytes())
    seconds = record.pop("seconds")
    assert record == {**written, "output": "out"} and seconds >= 0
    group = record["groups"][0]
    assert {"members", "channels", "p", "e", "n_eff"} <= set(group) and record["detection_limits"]
    assert "C1" in err


def test_nothing_found_is_done_too(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(place / "contributions.csv", rows_of(70, 0))
    assert campaigns("-o", "out") == 0
    out, _ = capfd.readouterr()
    assert "Nothing found" in out
    assert read(place / "out" / "groups.csv") == []
    assert json.loads((place / "out" / "campaigns.json").read_bytes())["groups"] == []


def test_twenty_texts_conclude_nothing(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(place / "contributions.csv", rows_of(12, 8))
    assert campaigns("-o", "out") == 0
    out, err = capfd.readouterr()
    assert "Nothing can be concluded" in out
    assert "There are only 20 voices" in err
    assert len(read(place / "out" / "contributions.csv")) == 20


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--q", "7"], "For 7 percent, give 0.07"),
        (["--q", "0"], "above 0"),
        (["--channels", "tiem"], "Is 'time' meant?"),
        (["--metadata", "ip"], "ip"),
        (["--votes", "contributions.csv"], "no vote"),
        (["--votes", "none.csv"], "there is no file"),
        (["--vectors", "v.npy"], "67 vectors and 68 contributions"),
        (["--text", "nothing"], "nothing"),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_bad_input_is_3_in_words_and_nothing_is_written(
    place: Path, options: list[str], said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    np.save("v.npy", np.ones((67, 5), np.float32))
    before = names(place)
    assert campaigns(*options, "-o", "out") == 3
    out, err = capfd.readouterr()
    assert said in err and "Traceback" not in err and out == ""
    assert names(place) == before
    assert campaigns(*options, "-o", "out", "--format", "json") == 3
    out, _ = capfd.readouterr()
    assert json.loads(out)["error"]["faults"]


@pytest.mark.parametrize(
    "options",
    [
        ["--vectors", "v.npy", "--embedder", "offline"],
        ["--seed", "-1"],
        ["--threads", "0"],
        ["--mask"],
        ["--lang", "de"],
    ],
    ids=lambda options: options[0],
)
def test_usage_is_2(place: Path, options: list[str]) -> None:
    assert campaigns(*options, "-o", "out") == 2
    assert campaigns() == 2
    assert "out" not in names(place)


def test_a_folder_is_replaced_only_with_force_and_only_if_it_is_ours(place: Path) -> None:
    assert campaigns("-o", "out") == 0
    first = (place / "out" / "campaigns.json").read_bytes()
    assert campaigns("-o", "out", "--seed", "5") == 3
    assert (place / "out" / "campaigns.json").read_bytes() == first
    assert campaigns("-o", "out", "--seed", "5", "--force") == 0
    assert (place / "out" / "campaigns.json").read_bytes() != first
    (place / "out" / "mine.txt").write_text("kept")
    assert campaigns("-o", "out", "--force") == 4
    assert (place / "out" / "mine.txt").read_text() == "kept"
    (place / "mine").mkdir()
    (place / "mine" / "campaigns.json").write_text('{"schema": "another/1"}')
    assert campaigns("-o", "mine", "--force") == 4


def test_inputs_are_never_the_output(place: Path) -> None:
    for name in ("contributions.csv", "votes.csv"):
        before = (place / name).read_bytes()
        assert campaigns("--votes", "votes.csv", "-o", name, "--force") == 3
        assert (place / name).read_bytes() == before


def test_a_folder_that_fails_is_not_there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_args: object, **_options: object) -> str:
        raise OSError(28, "No space left on device", "report.html")

    monkeypatch.setattr(report, "campaigns_page", fails)
    assert campaigns("-o", "out") == 4
    assert names(place) == ["contributions.csv", "votes.csv"]


def test_interruption_leaves_nothing(
    place: Path, engine: Engine, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.interrupts = "template_channel"
    assert campaigns("-o", "out") == 130
    assert "Interrupted; nothing was written." in capfd.readouterr().err
    engine.interrupts = ""
    kept = _files.flush_folder

    def interrupted(folder: Path) -> None:
        kept(folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(_files, "flush_folder", interrupted)
    assert campaigns("-o", "out") == 130
    assert names(place) == ["contributions.csv", "votes.csv"]


def test_no_progress_where_there_is_no_terminal(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert campaigns("-o", "out") == 0
    _, err = capfd.readouterr()
    assert "text_candidates" not in err and "\x1b" not in err


def test_ids_and_columns_that_a_terminal_would_obey_are_shown_harmless(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = [{**row, "id": f"=1+{number}\x1b[31m"} for number, row in enumerate(rows_of())]
    write(place / "contributions.csv", rows)
    assert campaigns("-o", "out") in (0, 3)
    out, err = capfd.readouterr()
    assert "\x1b" not in out + err


def test_help_begins_with_what_it_does_and_has_examples(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["campaigns", "--help"]) == 0
    out, _ = capfd.readouterr()
    assert "Examples:" in out and "nobody accused" in " ".join(out.split())
    for word in ("fraud", "fake", "bot ", "inauthentic"):
        assert word not in out.lower()


def test_the_folder_is_read_by_those_who_note_decisions(place: Path) -> None:
    from klero.campaigns.results_file import read_place, read_results

    assert campaigns("--votes", "votes.csv", "-o", "out") == 0
    results = read_results("out")
    record = json.loads((place / "out" / "campaigns.json").read_bytes())
    assert results.digest == record["digest"] and results.source == "contributions.csv"
    assert [(one.name, one.kind, one.raw) for one in results.groups if one.for_review] == [
        ("C1", "template", 8),
        ("C2", "votes", 8),
    ]
    inside, outside = read_place("out", "z1", results), read_place("out", "a1", results)
    assert (inside.group, outside.group) == ("C1", "")
    assert (inside.raw, inside.weighted, inside.one_each) == (1.0, 0.25, 0.125)
    assert (outside.raw, outside.weighted, outside.one_each) == (1.0, 1.0, 1.0)
