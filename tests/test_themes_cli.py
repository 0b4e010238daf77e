"""`klero themes` as people use it: files, languages, exit codes, nothing half written. How groups are found is not asked here."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from klero import _files
from klero.cli import run
from klero.cli.themes_steps import kept_rows
from klero.themes.embedders import embed
from klero.voices.contributions import Contributions
from test_themes_report import ThemesPage
from themes_cases import Heard, word_vectors

EXAMPLE = Path(__file__).resolve().parents[1] / "python" / "klero" / "examples" / "contributions.csv"
FOLDER = ["contributions.csv", "report.html", "themes.csv", "themes.json"]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Heard:
    return Heard(monkeypatch)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with the example."""
    (tmp_path / "contributions.csv").write_bytes(EXAMPLE.read_bytes())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def themes(*options: str) -> int:
    return run(["themes", "contributions.csv", *options])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write(place: Path, rows: list[list[str]], name: str = "contributions.csv") -> None:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    (place / name).write_text(text.getvalue(), encoding="utf-8")


def test_folder_holds_four_files_and_every_contribution_has_its_row_in_order(place: Path) -> None:
    assert themes("-o", "out") == 0
    assert names(place) == ["contributions.csv", "out"]
    assert names(place / "out") == FOLDER
    rows, source = read(place / "out" / "contributions.csv"), read(EXAMPLE)
    assert [row["id"] for row in rows] == [row["id"] for row in source]
    record = json.loads((place / "out" / "themes.json").read_bytes())
    levels = [f"level_{level['level']}" for level in record["levels"]]
    shown = [level["shown"] for level in record["levels"]].index(True)
    assert list(rows[0]) == ["id", "theme", "kind", "size", "fit", *levels]
    empty = [row["id"] for row in rows if row["kind"] == "empty"]
    assert empty == ["C21", "C37", "C42", "C53"]
    for row in rows:
        assert (row["theme"] == "") == (row["kind"] == "empty") == (row["fit"] == "") == (row["size"] == "0")
        if row["theme"]:
            assert {"T": "theme", "W": "weak_signal", "L": "lone_voice"}[row["theme"][0]] == row["kind"]
            assert row["theme"] == row[levels[shown]]
    groups = {line["theme"]: line for line in read(place / "out" / "themes.csv")}
    for name, line in groups.items():
        members = [row for row in rows if row["theme"] == name]
        assert int(line["contributions"]) == len(members) == int(members[0]["size"])
        assert line["medoid"] in {row["id"] for row in members}
        assert line["kind"] == members[0]["kind"]
    assert {row["theme"] for row in rows} - {""} == groups.keys()


def test_the_record_says_what_was_done_and_its_sums_and_digests_hold(place: Path) -> None:
    assert themes("--text", "text", "-o", "out", "--granularity", "fine") == 0
    record = json.loads((place / "out" / "themes.json").read_bytes())
    rows = read(place / "out" / "contributions.csv")
    counts = record["counts"]
    assert counts["contributions"] == len(rows) == 60
    assert sum(counts[kind] for kind in ("theme", "weak_signal", "lone_voice", "empty")) == 60
    for kind in ("theme", "weak_signal", "lone_voice", "empty"):
        assert counts[kind] == sum(row["kind"] == kind for row in rows)
    for level in record["levels"]:
        assert sum(level["contributions"].values()) == 56
    *coarser, finest = [level["shown"] for level in record["levels"]]
    assert (any(coarser), finest) == (False, True)
    assert (record["schema"], record["algorithm"]) == ("klero-themes-result/1", "klero-themes/1")
    assert record["embedder"]["name"].startswith("klero-tfidf-svd/1 sha256:")
    assert (record["embedder"]["texts"], record["embedder"]["empty"]) == (56, 0)
    assert record["settings"]["granularity"] == "fine"
    for name, digest in record["sha256"].items():
        path = EXAMPLE if name == "contributions.csv" and not (place / name).exists() else place / name
        path = place / "out" / name if name == "themes.csv" else path
        assert digest in {
            hashlib.sha256(found.read_bytes()).hexdigest()
            for found in (path, place / "out" / name)
            if found.exists()
        }
    page = ThemesPage((place / "out" / "report.html").read_bytes())
    assert record["sha256"]["themes.csv"] in page.text


def test_results_go_to_stdout_and_remarks_to_stderr(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert themes("-o", "out") == 0
    out, err = capfd.readouterr()
    rows = read(place / "out" / "themes.csv")
    assert out.splitlines()[0].split()[:2] == ["group", "kind"]
    shown = [line.split()[0] for line in out.splitlines()[1:] if line[:1] in "TWL" and line[1:2].isdigit()]
    assert [name[0] for name in shown] == sorted((name[0] for name in shown), key="TWL".index)
    assert shown[0] == "T1"
    assert {name[0] for name in shown} == {row["theme"][0] for row in rows}
    assert "in themes + " in out
    assert "= 60 contributions." in out
    for kind, letter in (("theme", "T"), ("weak_signal", "W"), ("lone_voice", "L")):
        many = sum(row["kind"] == kind for row in rows)
        told = sum(name.startswith(letter) for name in shown)
        if many > told:
            assert f"{many - told} more {kind.replace('_', ' ')}" in out
    for words in (
        "text=text",
        "A program made these groups",
        "to read and print: out/report.html",
        "Next: read",
    ):
        assert words in err
        assert words not in out


def test_words_and_page_are_french_where_that_is_asked_for(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert themes("-o", "out", "--lang", "fr") == 0
    out, err = capfd.readouterr()
    assert "sans aucun mot = 60 contributions." in out
    assert "signal faible" in out
    assert "Ensuite\u00a0: lisez out/report.html" in err
    page = ThemesPage((place / "out" / "report.html").read_bytes())
    assert page.named("html")[0]["lang"] == "fr"
    assert "Voix isolées" in page.text


def test_json_is_the_only_thing_on_stdout(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert themes("-o", "out", "--format", "json") == 0
    data = json.loads(capfd.readouterr().out)
    record = json.loads((place / "out" / "themes.json").read_bytes())
    assert data["output"] == "out"
    assert data["seconds"] >= 0
    assert {name: data[name] for name in record} == record


def test_same_bytes_again_and_groups_do_not_depend_on_the_order_of_rows(place: Path) -> None:
    assert themes("-o", "one") == 0
    assert themes("-o", "two") == 0
    for name in FOLDER:
        assert (place / "one" / name).read_bytes() == (place / "two" / name).read_bytes()
    head, *rows = list(csv.reader(io.StringIO(EXAMPLE.read_text(encoding="utf-8"))))
    write(place, [head, *(rows[int(n)] for n in np.random.default_rng(1).permutation(len(rows)))])
    assert themes("-o", "three") == 0
    one, three = (
        sorted(map(tuple, (row.items() for row in read(place / at / "contributions.csv"))))
        for at in ("one", "three")
    )
    assert one == three
    assert (place / "one" / "themes.csv").read_bytes() == (place / "three" / "themes.csv").read_bytes()
    pages = [
        (place / at / "report.html").read_text(encoding="utf-8").split('<section id="method"')[0]
        for at in ("one", "three")
    ]
    assert pages[0] == pages[1]


def test_table_can_be_parquet_with_ids_as_they_were(place: Path) -> None:
    source = Contributions.read(EXAMPLE).table
    numbered = source.set_column(0, "id", pa.array(range(100, 160), pa.int64()))
    pq.write_table(numbered, place / "contributions.parquet")
    assert run(["themes", "contributions.parquet", "--text", "text", "-o", "out", "--table", "parquet"]) == 0
    found = pq.read_table(place / "out" / "contributions.parquet")
    assert found.column("id").to_pylist() == list(range(100, 160))
    assert [str(kind) for kind in found.schema.types[2:5]] == ["string", "int64", "float"]
    assert found.column("fit").null_count == 4


def test_vectors_are_read_in_the_order_of_the_file_and_those_of_empty_texts_left_out(place: Path) -> None:
    made = embed(Contributions.read(EXAMPLE).texts)
    vectors = np.zeros((60, made.dimension), np.float32)
    vectors[made.rows] = made.vectors
    np.save(place / "v.npy", vectors)
    pq.write_table(
        pa.table({"v": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 384)}),
        place / "v.parquet",
    )
    assert themes("-o", "made") == 0
    for name in ("v.npy", "v.parquet"):
        assert themes("-o", name + ".out", "--vectors", name) == 0
        assert (place / "made" / "contributions.csv").read_bytes() == (
            place / f"{name}.out" / "contributions.csv"
        ).read_bytes()
        record = json.loads((place / f"{name}.out" / "themes.json").read_bytes())
        assert record["embedder"]["name"] == name
        assert record["sha256"][name] == hashlib.sha256((place / name).read_bytes()).hexdigest()


def test_settings_reach_the_engine(place: Path, engine: Heard) -> None:
    write(place, [["a", "b"], ["C01", "C02"]], "must.csv")
    write(place, [["a", "b"], ["C38", "C60"]], "cannot.csv")
    assert (
        themes(
            "-o",
            "out",
            "--granularity",
            "0,25",
            "--no-minority",
            "--threads",
            "2",
            "--must-link",
            "must.csv",
            "--cannot-link",
            "cannot.csv",
        )
        == 0
    )
    asked = engine.asked[-1]
    # C38 is the 36th and C60 the 56th of those with a word: four have none
    assert asked == {
        "granularity": 0.25,
        "n_themes": None,
        "minority": False,
        "must_link": [(0, 1)],
        "cannot_link": [(35, 55)],
        "threads": 2,
        "progress": None,
    }
    assert themes("-o", "other", "--themes", "3") == 0
    assert (engine.asked[-1]["n_themes"], engine.asked[-1]["granularity"]) == (3, "auto")


def test_a_persons_coding_stands_beside_the_groups_and_its_texts_are_masked(place: Path) -> None:
    rows = [[f"C{n}", f"We want a bus number {n % 3} for the hill", "bus"] for n in range(8)]
    rows += [
        [f"D{n}", f"More trees and shade in street {n % 3}, call 06 12 34 56 78", "trees" if n else "bus"]
        for n in range(8)
    ]
    write(place, [["id", "text", "theme"], *rows, ["E1", "An observatory", ""]])
    assert themes("-o", "out", "--codes", "theme", "--mask") == 0
    record = json.loads((place / "out" / "themes.json").read_bytes())
    assert (record["coding"]["total"], record["coding"]["coded"], record["coding"]["missing"]) == (17, 16, 1)
    assert record["settings"]["codes"] == "theme"
    page = ThemesPage((place / "out" / "report.html").read_bytes())
    assert "A person's coding beside the groups" in page.text
    part = page.text.split("A person's coding beside the groups")[2].split("How to read this page")[0]
    assert "16 of 17 contributions carry a code." in part
    assert "Texts to discuss first" in part
    assert "More trees and shade in street 0, call [phone]" in part
    for path in (place / "out").iterdir():
        assert "06 12 34" not in path.read_text(encoding="utf-8")


def test_a_column_that_is_a_role_can_hold_the_codes(place: Path) -> None:
    assert themes("-o", "out", "--codes", "question") == 0
    record = json.loads((place / "out" / "themes.json").read_bytes())
    assert record["coding"]["coded"] == 56


def test_nothing_coded_is_told(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(place, [["id", "text", "code"], ["1", "Des bancs", ""], ["2", "Des arbres", ""]])
    assert themes("-o", "out", "--codes", "code") == 3
    assert "[codes-missing]" in capfd.readouterr().err
    assert names(place) == ["contributions.csv"]


def test_stability_and_audit_stand_on_the_page_and_in_the_record(place: Path) -> None:
    words = ("bus", "tree", "library", "school", "bridge", "market")
    rows = [
        [f"{word}{n}", f"The {word} of our town should be {word} for all, says {n}"]
        for word in words
        for n in range(30)
    ]
    write(place, [["id", "text"], *rows])
    assert themes("-o", "out", "--audit", "--lang", "fr") == 0
    record = json.loads((place / "out" / "themes.json").read_bytes())
    assert record["stability"]["resamples"] == 10
    assert {row["way"] for row in record["audit"]["rows"]} >= {"varied"}
    page = ThemesPage((place / "out" / "report.html").read_bytes())
    assert "Verrait-on quelques voix" in page.text
    assert "Retrouverait-on les mêmes groupes" in page.text
    for line in read(place / "out" / "themes.csv"):
        assert 0 <= int(line["returned"]) <= int(line["resamples"]) <= 10
    assert themes("-o", "again", "--audit", "--lang", "fr") == 0
    assert (place / "out" / "report.html").read_bytes() == (place / "again" / "report.html").read_bytes()


def test_masking_changes_what_is_shown_and_nothing_else(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    rows = [["id", "text"], *([f"C{n}", f"We want a bus number {n} for the hill"] for n in range(6))]
    write(place, [*rows, ["me@example.org", "Ecrivez à camille.roux@example.org ou au 01632 960 123"]])
    assert themes("-o", "plain") == 0
    assert "seems to hold personal data" in capfd.readouterr().err
    assert themes("-o", "masked", "--mask") == 0
    for name in ("contributions.csv", "themes.csv"):
        assert (place / "plain" / name).read_bytes() == (place / "masked" / name).read_bytes()
    assert "camille.roux" in (place / "plain" / "report.html").read_text(encoding="utf-8")
    for path in (place / "masked").iterdir():
        told = path.read_text(encoding="utf-8")
        assert "camille" not in told
        assert "01632 960" not in told
        assert ("me@example.org" in told) == (path.suffix == ".csv")


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--themes", "3", "--granularity", "fine"], 2, "exclude each other"),
        (["--vectors", "v.npy", "--embedder", "offline"], 2, "exclude each other"),
        (["--embedder", "nothing"], 3, "[embedder-unknown]"),
        (["--granularity", "huge"], 2, "neither auto, coarse, fine nor a number"),
        (["--granularity", "1.5"], 2, "neither auto, coarse, fine nor a number"),
        (["--themes", "0"], 2, "--themes"),
        (["--vectors", "nowhere.npy"], 3, "[file-missing]"),
        (["--vectors", "short.npy"], 3, "59 vectors and 60 contributions"),
        (["--vectors", "zeros.npy"], 3, "vector of zeros, which is like nothing: 'C01'"),
        (["--text", "nothing"], 3, "nothing"),
        (["--codes", "nothing"], 3, "nothing"),
        (["--must-link", "nowhere.csv"], 3, "[file-missing]"),
        (["--must-link", "unknown.csv"], 3, "'Z99'"),
        (["--must-link", "self.csv"], 3, "paired with itself"),
        (["--must-link", "wordless.csv"], 3, "no word in it"),
        (["--cannot-link", "three.csv"], 3, "there are 3 columns"),
        (["--cannot-link", "headless.csv"], 3, "Put a row of names above it"),
    ],
)
def test_bad_input_is_told_in_words_with_its_code_and_writes_nothing(
    place: Path, capfd: pytest.CaptureFixture[str], options: list[str], code: int, words: str
) -> None:
    vectors = word_vectors(Contributions.read(EXAMPLE).texts.to_pylist())
    np.save(place / "short.npy", vectors[:-1])
    vectors[0] = 0.0
    np.save(place / "zeros.npy", vectors)
    write(place, [["a", "b"], ["C01", "Z99"]], "unknown.csv")
    write(place, [["a", "b"], ["C02", "C02"]], "self.csv")
    write(place, [["a", "b"], ["C01", "C21"]], "wordless.csv")
    write(place, [["a", "b", "c"], ["C01", "C02", "C03"]], "three.csv")
    write(place, [["C01", "C02"], ["C03", "C04"]], "headless.csv")
    before = names(place)
    assert themes("-o", "out", *options) == code
    out, err = capfd.readouterr()
    assert words in err
    assert "Traceback" not in err
    assert out == ""
    assert names(place) == before


def test_all_faults_of_both_lists_are_told_at_once(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(place, [["a", "b"], ["C01", "Z1"], ["Z2", "C02"], ["C05", "C05"]], "must.csv")
    write(place, [["a", "b"], ["Z3", "Z4"]], "cannot.csv")
    assert (
        themes("-o", "out", "--must-link", "must.csv", "--cannot-link", "cannot.csv", "--format", "json") == 3
    )
    faults = json.loads(capfd.readouterr().out)["error"]["faults"]
    assert [(fault["file"], fault["row"], fault["code"]) for fault in faults] == [
        ("must.csv", 2, "id-unknown"),
        ("must.csv", 3, "id-unknown"),
        ("must.csv", 4, "pairs-self"),
        ("cannot.csv", 2, "id-unknown"),
        ("cannot.csv", 2, "id-unknown"),
    ]


def test_pairs_that_contradict_each_other_are_told_by_their_ids(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write(place, [["a", "b"], ["C01", "C02"], ["C02", "C04"]], "must.csv")
    write(place, [["a", "b"], ["C04", "C01"]], "cannot.csv")
    assert themes("-o", "out", "--must-link", "must.csv", "--cannot-link", "cannot.csv") == 3
    err = capfd.readouterr().err
    assert "'C04' and 'C01' must be apart (--cannot-link), and are to be together by --must-link" in err
    assert "[ties-contradiction]" in err
    write(place, [["id", "text"], *([f"{n}", "The same words"] for n in range(4)), ["9", "Others"]])
    write(place, [["a", "b"], ["0", "3"]], "cannot.csv")
    assert themes("-o", "out", "--cannot-link", "cannot.csv") == 3
    assert (
        "'0' and '3' must be apart (--cannot-link), but their vectors are the same" in capfd.readouterr().err
    )
    assert "out" not in names(place)


def test_a_table_without_a_word_is_told(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(place, [["id", "text"], ["1", "👍"], ["2", ""], ["3", "…"]])
    assert themes("-o", "out") == 3
    assert "no contribution has a word in it" in capfd.readouterr().err
    assert names(place) == ["contributions.csv"]


def test_one_contribution_is_one_lone_voice(place: Path) -> None:
    write(place, [["id", "text"], ["1", "Des bancs."]])
    assert themes("-o", "out") == 0
    assert [row["theme"] for row in read(place / "out" / "contributions.csv")] == ["L1"]
    assert "Des bancs." in (place / "out" / "report.html").read_text(encoding="utf-8")


def test_a_folder_is_replaced_only_if_it_is_ours_and_that_is_asked_for(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert themes("-o", "out") == 0
    assert themes("-o", "out") != 0
    assert "already" in capfd.readouterr().err
    old = (place / "out" / "contributions.csv").read_bytes()
    assert themes("-o", "out", "--force", "--table", "parquet") == 0
    assert names(place / "out") == ["contributions.parquet", *FOLDER[1:]]
    (place / "out" / "thesis.txt").write_text("years of work")
    assert themes("-o", "out", "--force") == 4
    assert "no folder of klero themes and is not removed" in capfd.readouterr().err
    assert (place / "out" / "thesis.txt").read_text() == "years of work"
    (place / "mine").mkdir()
    (place / "mine" / "themes.json").write_text("{}")
    assert themes("-o", "mine", "--force") == 4
    (place / "empty").mkdir()
    assert themes("-o", "empty") == 0
    assert (place / "empty" / "contributions.csv").read_bytes() == old


@pytest.mark.parametrize("output", ["contributions.csv", "nowhere/out", "."])
def test_a_place_that_cannot_be_is_told_before_the_work(place: Path, engine: Heard, output: str) -> None:
    assert themes("-o", output) in (3, 4)
    assert themes("-o", output, "--force") in (3, 4)
    assert engine.asked == []
    assert names(place) == ["contributions.csv"]


def test_a_full_disk_leaves_the_old_folder_and_nothing_else(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert themes("-o", "out") == 0
    old = (place / "out" / "report.html").read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "fsync", full)
    assert themes("-o", "out", "--force", "--lang", "fr") == 4
    assert themes("-o", "new") == 4
    monkeypatch.undo()
    assert names(place) == ["contributions.csv", "out"]
    assert (place / "out" / "report.html").read_bytes() == old


def test_who_has_a_word_is_decided_as_for_near_duplicates() -> None:
    texts = [
        "Oui",
        "",
        "👍",
        "…",
        "—",
        "É",
        "42",
        "中文",
        "  \n",
        "\u200b",
        "<p> </p>",
        "a",
        "٣",
        "_",
        "ÀÉ !",
    ]
    from klero import near_duplicates

    groups = np.asarray(near_duplicates(texts).group)
    assert kept_rows(texts).tolist() == np.flatnonzero(groups != -2).tolist()


def test_ids_that_a_spreadsheet_would_take_for_formulas_are_told(
    place: Path, engine: Heard, capsys: pytest.CaptureFixture[str]
) -> None:
    write(place, [["id", "text"], ["=1+1", "a bus"], ["@x", "a bus again"], ["7", "a tree"]])
    assert themes("-o", "out") == 0
    assert "2 ids begin as formulas do" in capsys.readouterr().err
    assert [row["id"] for row in read(place / "out" / "contributions.csv")] == ["=1+1", "@x", "7"]


def test_the_terminal_says_what_comes_back_and_what_was_asked_for(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert themes("-o", "out", "--codes", "question", "--audit", "--themes", "40", "--lang", "fr") == 0
    out = capfd.readouterr().out
    assert "reviennent au moins quatre fois sur cinq." in out
    assert "40 thèmes ont été demandés" in out
    assert "Le codage d’une personne à côté des groupes" in out
    assert "kappa" in out
    assert "Verrait-on quelques voix" in out
    page = (place / "out" / "report.html").read_text(encoding="utf-8")
    assert "reviennent au moins quatre fois sur cinq." in page
    assert "nombre approximatif de thèmes (--themes)" in page
    assert "oui" in page


def test_one_column_of_pairs_asks_for_the_second(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(place, [["a"], ["1"]], "pairs.csv")
    assert themes("-o", "out", "--must-link", "pairs.csv") == 3
    assert "there is 1 column" in capfd.readouterr().err
