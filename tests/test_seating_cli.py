"""`klero tables` as people use it: files, bundles, languages, exit codes, Ctrl-C."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from klero.cli import run
from klero.seating import seat

EXAMPLES = Path(__file__).resolve().parents[1] / "python" / "klero" / "examples"


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short search: what is tested here is around it."""
    monkeypatch.setattr(seat, "_MOVES", 2000)
    monkeypatch.setattr(seat, "_MOVES_A_SEAT", 0)


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    path = tmp_path / "panel.csv"
    rows = [f"P{i:02},{'woman' if i % 2 else 'man'},{20 + i},Name {i}" for i in range(12)]
    path.write_text("id,gender,age,name\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def test_every_form_of_the_plan_is_written_once_and_never_over_another(
    panel: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = [
        "tables",
        str(panel),
        "-t",
        "3",
        "-s",
        "2",
        "--mix",
        "gender,age",
        "--bin",
        "age: 26",
        "--label",
        "name",
    ]
    for suffix in ("csv", "json", "html", "txt"):
        out = tmp_path / f"plan.{suffix}"
        assert run([*command, "-o", str(out)]) == 0
        before = out.read_bytes()
        assert run([*command, "-o", str(out)]) == 3
        assert run([*command, "-o", str(out), "--force"]) == 0
        assert out.read_bytes() == before
    rows = list(csv.DictReader((tmp_path / "plan.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 12
    assert rows[3]["label"] == "Name 3"
    assert json.loads((tmp_path / "plan.json").read_text())["score"]["mixing"] == 0
    assert "P03 Name 3" in (tmp_path / "plan.txt").read_text()
    assert "pairs meet" in capfd.readouterr().out


def test_the_plan_is_data_on_stdout_and_words_on_stderr(
    panel: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["tables", str(panel), "--tables", "3", "--sessions", "2"]
    assert run(command) == 0
    out, err = capfd.readouterr()
    assert out.count("Table ") == 6
    assert "pairs meet" in err
    assert run([*command, "--format", "json", "--person", "P03"]) == 0
    data = json.loads(capfd.readouterr().out)
    assert data["schema"] == "klero-seating/1"
    assert len(data["person"]["tables"]) == 2
    assert run([*command, "--person", "P03", "--lang", "fr"]) == 0
    assert "P03 rencontre" in capfd.readouterr().out


def test_lists_are_read_and_their_faults_told_together(
    panel: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    apart, together, absent = (tmp_path / f"{name}.csv" for name in ("apart", "together", "absent"))
    apart.write_text("first,second\nP00,P01\n", encoding="utf-8")
    together.write_text("P02,P03\n", encoding="utf-8")
    absent.write_text("id,session\nP04,2\n", encoding="utf-8")
    command = ["tables", str(panel), "-t", "3", "-s", "2", "--apart", str(apart), "--together", str(together)]
    command += ["--absent", str(absent), "--format", "json"]
    assert run(command) == 0
    sessions = json.loads(capfd.readouterr().out)["sessions"]
    assert sessions[1]["absent"] == ["P04"]
    tables = [table for session in sessions for table in session["tables"]]
    assert not any({"P00", "P01"} <= set(table) for table in tables)
    assert sum({"P02", "P03"} <= set(table) for table in tables) == 2
    together.write_text("P02,P99\n", encoding="utf-8")
    absent.write_text("id,session\nP04,7\n", encoding="utf-8")
    assert run(command) == 3
    found = json.loads(capfd.readouterr().out)["error"]["faults"]
    assert [(f["code"], f["file"], f["row"]) for f in found] == [
        ("person-unknown", "together.csv", 1),
        ("session-unknown", "absent.csv", 2),
    ]


def test_pairs_that_can_not_sit_apart_end_with_exit_code_one_and_no_file(panel: Path, tmp_path: Path) -> None:
    (tmp_path / "apart.csv").write_text("P00,P01,P02\n", encoding="utf-8")
    out = tmp_path / "plan.csv"
    command = [
        "tables",
        str(panel),
        "-t",
        "2",
        "-s",
        "1",
        "--apart",
        str(tmp_path / "apart.csv"),
        "-o",
        str(out),
    ]
    assert run(command) == 1
    assert not out.exists()


def test_usage_and_bad_input_have_their_exit_codes(panel: Path, tmp_path: Path) -> None:
    base = ["tables", str(panel), "-t", "3", "-s", "2"]
    assert run([*base, "-o", str(tmp_path / "plan.pdf")]) == 2
    assert run([*base, "--people", str(panel)]) == 2
    assert run([*base[:2], "-t", "0", "-s", "2"]) == 3
    assert run([*base, "--mix", "gendr"]) == 3
    assert run([*base, "--person", "nobody", "-o", str(tmp_path / "plan.csv")]) == 3
    assert run(["tables", str(tmp_path / "none.csv"), "-t", "3", "-s", "2"]) == 3
    assert not (tmp_path / "plan.csv").exists()


def test_a_drawn_panel_is_seated_from_its_bundle(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    people, quotas = str(EXAMPLES / "people.csv"), str(EXAMPLES / "quotas.csv")
    bundle = str(tmp_path / "bundle")
    command = ["tables", bundle, "-t", "5", "-s", "2", "--mix", "gender", "--format", "json"]
    assert run(["lottery", people, quotas, "--size", "30", "-o", bundle]) == 0
    assert run(command) == 3  # nothing is drawn yet
    assert run(["draw", bundle, "--trial-seed", "x"]) == 0
    panel = json.loads((tmp_path / "bundle" / "draw.json").read_bytes())["panel"]
    capfd.readouterr()
    assert run(command) == 0
    alone = json.loads(capfd.readouterr().out)
    assert sorted(p for table in alone["sessions"][0]["tables"] for p in table) == panel
    assert run([*command, "--people", people]) == 0
    assert json.loads(capfd.readouterr().out) == alone
    (tmp_path / "few.csv").write_text("id,gender\nP001,woman\n", encoding="utf-8")
    assert run([*command, "--people", str(tmp_path / "few.csv")]) == 3


def command_line(panel: Path, out: Path, *more: str) -> list[str]:
    options = ["--tables", "4", "--sessions", "3", "--mix", "gender", "-o", str(out), *more]
    return [sys.executable, "-m", "klero", "tables", str(panel), *options]


def test_other_processes_and_hash_seeds_write_the_same_bytes(panel: Path, tmp_path: Path) -> None:
    rows = panel.read_text(encoding="utf-8").splitlines()
    turned = tmp_path / "turned.csv"
    turned.write_text("\n".join([rows[0], *reversed(rows[1:])]) + "\n", encoding="utf-8")
    outputs = []
    for number, source in enumerate([panel, turned]):
        out = tmp_path / f"{number}.json"
        environment = dict(os.environ) | {"PYTHONHASHSEED": str(number)}
        subprocess.run(command_line(source, out), check=True, env=environment, capture_output=True)
        outputs.append(out.read_bytes())
    assert outputs[0] == outputs[1]


def test_ctrl_c_ends_the_search_and_leaves_nothing(panel: Path, tmp_path: Path) -> None:
    rows = [f"P{i:03},{'woman' if i % 2 else 'man'}" for i in range(300)]
    panel.write_text("id,gender\n" + "\n".join(rows) + "\n", encoding="utf-8")
    out = tmp_path / "plan.csv"
    command = command_line(panel, out, "--effort", "900")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    assert process.poll() is None, "the run ended before it could be interrupted"
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "nothing was written" in words
    assert "Traceback" not in words
    assert sorted(path.name for path in tmp_path.iterdir()) == ["panel.csv"]


def test_wishes_not_kept_and_odd_columns_are_told_on_stderr(
    panel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base = ["tables", str(panel), "-t", "2", "-s", "4", "--most-meetings", "1", "--mix", "name"]
    for more in (["--format", "json"], []):
        assert run([*base, *more]) == 0
        told = capsys.readouterr().err
        assert told.count("is not kept") == 1
        assert told.count("'name' has 12 different values") == 1


def test_a_printed_plan_has_a_session_a_page(tmp_path: Path) -> None:
    """120 people at 15 tables in 3 sessions: a page each, and everybody's tables on three."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium to print with")
    panel, out, printed = tmp_path / "panel.csv", tmp_path / "plan.html", tmp_path / "plan.pdf"
    rows = "".join(f"P{i:03},Firstname{i} Lastname{i}\n" for i in range(120))
    panel.write_text("id,name\n" + rows, encoding="utf-8")
    assert run(["tables", str(panel), "-t", "15", "-s", "3", "--label", "name", "-o", str(out)]) == 0
    command = [
        browser,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--print-to-pdf={printed}",
        out.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed.read_bytes())) <= 6
