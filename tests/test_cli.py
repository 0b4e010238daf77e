"""The command line as people and platforms use it: data on stdout, words on stderr, exit codes, nothing half written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "python" / "klero" / "examples"
PEOPLE, QUOTAS = str(EXAMPLES / "people.csv"), str(EXAMPLES / "quotas.csv")
VERIFIER = ROOT / "python" / "klero" / "verifiers" / "klero_verify.py"


def klero(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "klero", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, encoding="utf-8")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lottery with its draw; read only."""
    out = tmp_path_factory.mktemp("cli") / "bundle"
    assert klero("lottery", PEOPLE, QUOTAS, "--size", 30, "-o", out).returncode == 0
    assert klero("draw", out, "--trial-seed", "test").returncode == 0
    return out


def test_check_reports_cells_and_feasibility_as_data() -> None:
    done = klero("check", PEOPLE, QUOTAS, "--size", 30, "--format", "json")
    data = json.loads(done.stdout)
    assert done.returncode == 0
    assert data["feasible"] is True
    assert data["people"] == 240
    assert {"feature": "gender", "value": "another", "min": 0, "max": 1, "pool": 1} in data["cells"]


def test_lottery_json_has_what_platforms_need(tmp_path: Path) -> None:
    done = klero("lottery", PEOPLE, QUOTAS, "--size", 30, "-o", tmp_path / "b", "--format", "json")
    data = json.loads(done.stdout)
    wanted = (
        "people size types cells objective denominator panels min_probability min_probability_float max_probability_float "
        "gini geometric_mean certificate seconds versions input_digest never id_column"
    )
    assert set(wanted.split()) <= set(data)
    numerator, denominator = map(int, data["min_probability"].split("/"))
    assert numerator / denominator == data["min_probability_float"]
    assert data["certificate"]["level"] == "L0"
    assert 0 <= data["certificate"]["gap"] <= 1e-5
    assert {"reading", "levels", "panels", "balls", "writing"} <= set(data["seconds"])
    assert data["id_column"] == "id"


def test_draw_gives_the_same_panel_for_the_same_seed_and_another_for_another(
    bundle: Path, tmp_path: Path
) -> None:
    panels = []
    for number, seed in enumerate(["test", "other"]):
        out = tmp_path / str(number)
        klero("lottery", PEOPLE, QUOTAS, "--size", 30, "-o", out)
        data = json.loads(klero("draw", out, "--trial-seed", seed, "--format", "json").stdout)
        assert data["seed_kind"] == "trial"
        assert data["mark"] == "TRIAL"
        assert data["panel"] == sorted(data["panel"])
        assert len(set(data["panel"])) == 30
        panels.append(data["panel"])
    first = json.loads((bundle / "draw.json").read_text())["panel"]
    assert panels[0] == first
    assert panels[1] != first


def test_verify_lists_every_check_and_both_verifiers_agree(bundle: Path) -> None:
    done = klero("verify", bundle, "--format", "json")
    data = json.loads(done.stdout)
    assert done.returncode == 0
    assert all(check["ok"] for check in data["checks"])
    alone = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(bundle), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert alone.returncode == 0
    names = [check["name"] for check in json.loads(alone.stdout)["checks"]]
    assert names == [check["name"] for check in data["checks"]]


def test_verify_fails_with_exit_code_one_on_a_changed_byte(bundle: Path, tmp_path: Path) -> None:
    for file in bundle.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    text = (tmp_path / "lottery.json").read_bytes()
    (tmp_path / "lottery.json").write_bytes(text.replace(b"[[1,", b"[[2,", 1))
    done = klero("verify", tmp_path)
    assert done.returncode == 1
    assert "FAIL" in done.stdout
    assert "Traceback" not in done.stderr


def test_explain_speaks_of_a_person_in_french_and_draws_a_picture(bundle: Path, tmp_path: Path) -> None:
    picture = tmp_path / "chances.svg"
    done = klero("explain", bundle, "--person", "P017", "--lang", "fr", "--picture", picture)
    assert done.returncode == 0
    assert "P017 a une probabilité" in done.stdout
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_unknown_person_is_bad_input(bundle: Path) -> None:
    done = klero("explain", bundle, "--person", "nobody")
    assert done.returncode == 3
    assert "person-unknown" in done.stderr


def test_faults_of_both_tables_come_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    people, quotas = tmp_path / "p.csv", tmp_path / "q.csv"
    people.write_text("id,gender\n1,woman\n1,man\n3,\n", encoding="utf-8")
    quotas.write_text("feature,value,min,max\ngender,woman,2.0,1\ngender,man,-1,1\n", encoding="utf-8")
    done = klero("lottery", people, quotas, "--size", 2, "-o", tmp_path / "out", "--format", "json")
    assert done.returncode == 3
    codes = {fault["code"] for fault in json.loads(done.stdout)["error"]["faults"]}
    assert {"id-duplicate", "quota-not-integer", "quota-negative"} <= codes
    assert "p.csv, row 3" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv", "q.csv"]


def test_infeasible_quotas_are_a_finding_with_conflict_and_repair(tmp_path: Path) -> None:
    quotas = tmp_path / "q.csv"
    text = (
        Path(QUOTAS)
        .read_text(encoding="utf-8")
        .replace("another,0,1", "another,2,3")
        .replace("man,14,16", "man,12,16")
    )
    quotas.write_text(text, encoding="utf-8")
    for command in ("check", "lottery"):
        extra = ["-o", tmp_path / "out"] if command == "lottery" else []
        done = klero(command, PEOPLE, quotas, "--size", 30, *extra, "--format", "json")
        error = json.loads(done.stdout)["error"]
        assert done.returncode == 1
        assert error["code"] == "quota-infeasible"
        assert error["conflict"]
        assert error["repairs"]
    assert not (tmp_path / "out").exists()


def test_an_existing_folder_is_not_overwritten_without_force(bundle: Path, tmp_path: Path) -> None:
    before = (bundle / "lottery.json").read_bytes()
    done = klero("lottery", PEOPLE, QUOTAS, "--size", 20, "-o", bundle)
    assert done.returncode == 3
    assert "--force" in done.stderr
    assert (bundle / "lottery.json").read_bytes() == before
    assert klero("draw", bundle, "--trial-seed", "again").returncode == 3
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("precious")
    done = klero("lottery", PEOPLE, QUOTAS, "--size", 30, "-o", mine, "--force")
    assert done.returncode == 3
    assert (mine / "thesis.txt").read_text() == "precious"


def test_rows_are_numbered_where_there_is_no_id(tmp_path: Path) -> None:
    people = tmp_path / "p.csv"
    people.write_text(Path(PEOPLE).read_text(encoding="utf-8").replace("id,", "code,", 1), encoding="utf-8")
    done = klero("lottery", people, QUOTAS, "--size", 30, "-o", tmp_path / "b")
    assert done.returncode == 0
    assert "numbered by row" in done.stderr
    drawn = klero("draw", tmp_path / "b", "--trial-seed", "x")
    assert "numbers of rows" in drawn.stderr
    done = klero("lottery", people, QUOTAS, "--size", 30, "--id", "cod", "-o", tmp_path / "c")
    assert done.returncode == 3
    assert "id-column-missing" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["lottery", PEOPLE],
        ["lottery", PEOPLE, QUOTAS, "--size", "many", "-o", "x"],
        ["draw", "x"],
        ["nonsense"],
    ],
)
def test_wrong_usage_is_exit_code_two(arguments: list[str], tmp_path: Path) -> None:
    done = klero(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Usage" in done.stderr


@pytest.mark.parametrize("size", [0, -3, 241])
def test_impossible_sizes_are_bad_input(size: int, tmp_path: Path) -> None:
    done = klero("lottery", PEOPLE, QUOTAS, "--size", size, "-o", tmp_path / "b")
    assert done.returncode == 3
    assert not (tmp_path / "b").exists()


def test_a_missing_bundle_is_told_in_words(tmp_path: Path) -> None:
    for command in (["verify"], ["draw", "--trial-seed", "x"], ["explain"]):
        done = klero(*command, tmp_path / "nowhere")
        assert done.returncode in (1, 3)
        assert "Traceback" not in done.stderr


def test_an_interrupted_run_leaves_no_half_bundle(tmp_path: Path) -> None:
    out = tmp_path / "out"
    people, quotas = tmp_path / "p.csv", tmp_path / "q.csv"
    features = [f"f{j}" for j in range(8)]
    rows = [
        [f"p{i}", *(f"v{(i * (7 + 3 * j) // (1 + j) + i // (3 + j)) % 4}" for j in range(8))]
        for i in range(3000)
    ]
    people.write_text("\n".join(",".join(row) for row in [["id", *features], *rows]), encoding="utf-8")
    cells = [f"{f},v{v},30,90" for f in features for v in range(4)]
    quotas.write_text("\n".join(["feature,value,min,max", *cells]), encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "klero",
        "lottery",
        str(people),
        str(quotas),
        "--size",
        "200",
        "-o",
        str(out),
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    assert process.poll() is None, "the run ended before it could be interrupted"
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "nothing was written" in words
    assert "Traceback" not in words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv", "q.csv"]


def test_import_stays_light() -> None:
    code = (
        "import klero, sys; print([m for m in ('numpy', 'pyarrow', 'ortools', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    assert done.stdout.strip() == "[]"


def test_explain_gives_levels_as_data(bundle: Path) -> None:
    data = json.loads(klero("explain", bundle, "--format", "json").stdout)
    first = data["levels"][0]
    assert first["value"] == "11/152"
    assert len(first["people"]) == 152
    assert {"cell": "education: baccalaureate", "side": "min", "seats": 10} in first["binding"]


def test_an_old_code_page_is_no_reason_to_stop(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "klero",
        "lottery",
        PEOPLE,
        QUOTAS,
        "--size",
        "30",
        "-o",
        str(tmp_path / "b"),
    ]
    done = subprocess.run(
        command, capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "cp1252"}
    )
    assert done.returncode == 0
    assert b"smallest probability" in done.stdout


def test_the_last_word_after_an_interruption_says_what_was_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from klero import cli

    def interrupted(*_: object, **__: object) -> None:
        cli.written.append("bundle")
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.cli, "main", interrupted)
    assert cli.run(["lottery"]) == 130
    assert "bundle is complete" in capsys.readouterr().err
