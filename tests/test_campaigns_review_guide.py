"""The guide on reviews runs as it stands: its commands and its Python."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from campaigns_review_cases import DIGEST, write_results
from klero.campaigns.review_file import read_review, verify_review

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "how-to" / "review.md"
KLERO = Path(sys.executable).with_name("klero")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all commands of the guide were run, in order."""
    place = tmp_path_factory.mktemp("guide")
    write_results(place / "campaigns")
    one = {"group": "C2", "decision": "independent", "reason": "Zwei Leute.", "reviewer": "Ada Diallo"}
    form = {"format": "klero-decision/1", "result": DIGEST, "decisions": [one]}
    (place / "decision.json").write_text(json.dumps(form), encoding="utf-8")
    text = GUIDE.read_text(encoding="utf-8")
    commands = [
        line.removeprefix("$ klero")
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(commands) == 11
    for command in commands:
        done = subprocess.run(
            ["/bin/sh", "-c", f"{KLERO}{command}"], capture_output=True, text=True, cwd=place, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return place


def test_commands_leave_what_the_guide_says(folder: Path) -> None:
    assert verify_review(folder / "review.jsonl", results=folder / "campaigns").ok
    states = read_review(folder / "review.jsonl").states
    assert [(name, state.state) for name, state in states.items()] == [("C1", "reopened"), ("C2", "decided")]
    assert "Ce qui a été calculé" in (folder / "answer.html").read_text(encoding="utf-8")
    assert "Paul Roche" in (folder / "answer.txt").read_text(encoding="utf-8")


def test_python_of_the_guide_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(code) == 1
    monkeypatch.chdir(folder)
    exec(code[0], {})  # noqa: S102
    assert capsys.readouterr().out.startswith("True undecided {")
