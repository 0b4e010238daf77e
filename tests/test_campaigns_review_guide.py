"""The guide on reviews runs as it stands: its commands and its Python."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from campaigns_review_cases import DIGEST, write_results
from guides import HOW_TO, run_commands, run_python
from klero.campaigns.review_file import read_review, verify_review

GUIDE = HOW_TO / "review.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all commands of the guide were run, in order."""
    place = tmp_path_factory.mktemp("guide")
    write_results(place / "campaigns")
    one = {"group": "C2", "decision": "independent", "reason": "Zwei Leute.", "reviewer": "Ada Diallo"}
    form = {"format": "klero-decision/1", "result": DIGEST, "decisions": [one]}
    (place / "decision.json").write_text(json.dumps(form), encoding="utf-8")
    text = GUIDE.read_text(encoding="utf-8")
    run_commands(text, place, 11)
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
    monkeypatch.chdir(folder)
    run_python(GUIDE.read_text(encoding="utf-8"))
    assert capsys.readouterr().out.startswith("True undecided {")
