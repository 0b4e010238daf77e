"""`klero alternates`, `klero replace`, `klero log` and `klero verify --after`, as people and platforms use them."""

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
TIME = "2026-05-01T09:00:00Z"


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


@pytest.fixture(scope="module")
def panel(bundle: Path) -> list[str]:
    return list(json.loads((bundle / "draw.json").read_bytes())["panel"])


def test_replace_prints_newcomers_alone_and_the_bundle_verifies(
    bundle: Path, panel: list[str], tmp_path: Path
) -> None:
    done = klero(
        "replace", bundle, "--withdrawn", panel[0], "--round", 1, "--trial-seed", "x", "-o", tmp_path / "r1"
    )
    assert done.returncode == 0, done.stderr
    heading, *newcomers = done.stdout.split()
    assert heading == "id"
    assert len(newcomers) == 1
    assert newcomers[0] not in panel
    checked = klero("verify", tmp_path / "r1", "--after", bundle, "--format", "json")
    data = json.loads(checked.stdout)
    assert checked.returncode == 0
    assert [c["name"] for c in data["checks"]][-4:] == ["bundles", "link", "people", "quotas"]
    wrong = klero("verify", bundle, "--after", tmp_path / "r1")
    assert wrong.returncode == 1
    assert "NOT VALID: the check «link» fails." in wrong.stdout


def test_replace_json_and_ids_from_a_table(bundle: Path, panel: list[str], tmp_path: Path) -> None:
    (tmp_path / "left.csv").write_text(f"name,id\ny,{panel[3]}\n")
    done = klero(
        *("replace", bundle, "--withdrawn", tmp_path / "left.csv", "--round", 1, "--trial-seed", "x"),
        *("-o", tmp_path / "r1", "--format", "json"),
    )
    data = json.loads(done.stdout)
    assert data["withdrawn"] == [panel[3]]
    assert len(data["panel"]) == 30
    assert data["mark"] == "TRIAL"
    assert set(data["staying"]) | {n["id"] for n in data["newcomers"]} == set(data["panel"])


@pytest.mark.parametrize(
    ("extra", "code", "words"),
    [
        (["--withdrawn", "nobody"], 3, "withdrawal-unknown"),
        (["--withdrawn", "a,,b"], 3, "id-empty"),
        (["--withdrawn", "absent.csv"], 3, "file-missing"),
        ([], 2, "Give --withdrawn"),
        (["--log", "absent.jsonl"], 3, "log-invalid"),
    ],
)
def test_replace_refuses_in_words_and_writes_nothing(
    bundle: Path, tmp_path: Path, extra: list[str], code: int, words: str
) -> None:
    done = klero("replace", bundle, *extra, "--round", 1, "--trial-seed", "x", "-o", "r1", cwd=tmp_path)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_table_without_a_clear_column_of_ids_is_refused(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "left.csv").write_text("name,city\na,b\n")
    done = klero(
        "replace",
        bundle,
        "--withdrawn",
        "left.csv",
        "--round",
        1,
        "--trial-seed",
        "x",
        "-o",
        "r",
        cwd=tmp_path,
    )
    assert (done.returncode, "id-column-missing" in done.stderr) == (3, True)
    (tmp_path / "left.csv").write_text("id,city\n,b\n")
    done = klero(
        "replace",
        bundle,
        "--withdrawn",
        "left.csv",
        "--round",
        1,
        "--trial-seed",
        "x",
        "-o",
        "r",
        cwd=tmp_path,
    )
    assert (done.returncode, "id-empty" in done.stderr) == (3, True)


def test_no_completion_is_a_finding_with_the_smallest_breach(
    bundle: Path, panel: list[str], tmp_path: Path
) -> None:
    people = dict(line.split(",", 1) for line in Path(PEOPLE).read_text().splitlines()[1:])
    men = [i for i in people if ",man," in f",{people[i]}," and i not in panel]
    women = [i for i in panel if ",woman," in f",{people[i]},"]
    command = ["replace", bundle, "--withdrawn", ",".join(women), "--round", 1, "--trial-seed", "x"]
    command += ["--from-alternates", ",".join(men), "-o", tmp_path / "r1"]
    done = klero(*command, "--format", "json")
    assert done.returncode == 1
    assert "smallest breach" in json.loads(done.stdout)["error"]["repairs"][0]
    assert not (tmp_path / "r1").exists()
    done = klero(*command, "--allow-breach", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert any(b["cell"] == "gender: woman" and b["side"] == "min" for b in json.loads(done.stdout)["breach"])


def test_a_whole_process_with_its_log(bundle: Path, panel: list[str], tmp_path: Path) -> None:
    log = tmp_path / "states.jsonl"
    assert klero("log", log, "--start", bundle, "--time", TIME, "--title", "Test").returncode == 0
    (tmp_path / "left.csv").write_text(f"person,to,reason\n{panel[1]},withdrawn,illness\n")
    done = klero(
        "log",
        log,
        "--append",
        tmp_path / "left.csv",
        "--round",
        1,
        "--time",
        "2026-05-02T09:00:00Z",
        "--format",
        "json",
    )
    head = json.loads(done.stdout)["head"]
    done = klero(
        *("replace", bundle, "--log", log, "--time", "2026-05-03T09:00:00Z", "--round", 1),
        *("--trial-seed", "x", "-o", tmp_path / "r1"),
    )
    assert done.returncode == 0, done.stderr
    newcomer = done.stdout.split()[1]
    data = json.loads(klero("log", log, "--format", "json").stdout)
    assert data["counts"] == {
        "invited": 0,
        "volunteered": 209,
        "selected": 30,
        "confirmed": 0,
        "withdrawn": 0,
        "replaced": 1,
    }
    assert data["states"][newcomer] == "selected"
    history = json.loads(klero("log", log, "--person", panel[1], "--format", "json").stdout)["history"]
    assert [step["to"] for step in history] == ["volunteered", "selected", "withdrawn", "replaced"]
    assert "remplacé" in klero("log", log, "--person", panel[1], "--lang", "fr").stdout
    assert f"{newcomer}\tselected" in klero("log", log, "--people").stdout
    assert klero("log", log, "--verify", "--head", head).returncode == 0
    lines = log.read_bytes().split(b"\n")
    log.write_bytes(b"\n".join(lines[:200]) + b"\n")
    assert klero("log", log, "--verify").returncode == 0
    cut = klero("log", log, "--verify", "--head", head, "--format", "json")
    assert cut.returncode == 1
    assert json.loads(cut.stdout)["checks"][-1]["name"] == "head"
    del lines[5]
    log.write_bytes(b"\n".join(lines))
    assert "NOT VALID: the check «chain» fails." in klero("log", log, "--verify").stdout
    assert klero("log", log).returncode == 3


@pytest.mark.parametrize(
    ("table", "extra", "words"),
    [
        ("person,to\nA,invited\n", [], "column-missing"),
        (
            "person,to,reason,time\nA,invited,x,2026-05-01T09:00:00Z\n",
            ["--round", "0", "--time", TIME],
            "column-missing",
        ),
        ("person,to,reason\nA,gone,x\n", ["--round", "0", "--time", TIME], "state-unknown"),
        ("person,to,reason,round\nA,invited,x,one\n", ["--time", TIME], "round-invalid"),
        ("person,to,reason\nA,invited,x\n", ["--round", "0", "--time", "now"], "time-invalid"),
        ("person,to,reason\nA,invited,x\nB,selected,x\n", ["--round", "0", "--time", TIME], "row 3"),
    ],
)
def test_a_bad_table_of_steps_is_refused_in_words(
    tmp_path: Path, table: str, extra: list[str], words: str
) -> None:
    (tmp_path / "steps.csv").write_text(table)
    done = klero("log", "log", "--append", "steps.csv", *extra, cwd=tmp_path)
    assert done.returncode == 3
    assert words in done.stderr
    assert not (tmp_path / "log").exists()


def test_options_that_do_not_go_together_are_usage_errors(bundle: Path, tmp_path: Path) -> None:
    for command in (
        ["log", "x", "--verify", "--people"],
        ["log", "x", "--head", "0" * 64],
        ["alternates", bundle, "-a", 2, "--trial-seed", "x"],
        ["alternates", bundle, "-a", 2, "--trial-seed", "x", "--dropout", "0.1", "--past", "p.csv"],
    ):
        assert klero(*command, cwd=tmp_path).returncode == 2


def test_alternates_from_a_table_from_the_past_and_into_a_replacement(
    bundle: Path, panel: list[str], tmp_path: Path
) -> None:
    table = "id,dropout\n" + "".join(f"{i},{'30 %' if n % 2 else '1/20'}\n" for n, i in enumerate(panel))
    (tmp_path / "dropout.csv").write_text(table)
    done = klero(
        *("alternates", bundle, "-a", 4, "--dropout", tmp_path / "dropout.csv", "--trial-seed", "x"),
        *("--scenarios", 40, "--checks", 100),
    )
    assert done.returncode == 0, done.stderr
    heading, *ids = done.stdout.split()
    assert heading == "id"
    assert len(ids) == 4
    (tmp_path / "alternates.csv").write_text(done.stdout)
    replaced = klero(
        *("replace", bundle, "--withdrawn", panel[0], "--round", 1, "--trial-seed", "x", "--allow-breach"),
        *("--from-alternates", tmp_path / "alternates.csv", "-o", tmp_path / "r1"),
    )
    assert replaced.stdout.split()[1] in ids
    past = "gender,age,dropped\n" + "".join(
        f"{g},{a},{'yes' if (i + len(a)) % 5 == 0 else 'no'}\n"
        for i, (g, a) in enumerate([(g, a) for g in ("woman", "man") for a in ("16-24", "25-44")] * 10)
    )
    (tmp_path / "past.csv").write_text(past)
    done = klero(
        *(
            "alternates",
            bundle,
            "-a",
            4,
            "--past",
            tmp_path / "past.csv",
            "--trial-seed",
            "x",
            "--scenarios",
            20,
        ),
        *("--checks", 50, "--format", "json"),
    )
    data = json.loads(done.stdout)
    assert len(data["alternates"]) == 4
    assert data["model"]["people"] == 40
    assert "Warning: few data" in done.stderr
    assert set(data["baselines"]) == {"none", "random", "proportional"}


def test_interrupted_alternates_end_with_130(bundle: Path) -> None:
    command = [
        "alternates",
        bundle,
        "-a",
        "20",
        "--dropout",
        "0.3",
        "--trial-seed",
        "x",
        "--checks",
        "100000",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "klero", *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(3)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "nothing was written" in err
