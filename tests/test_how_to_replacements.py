"""The guide on replacements runs as it stands: its commands, its tables and its Python."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from guides import HOW_TO, run_commands, run_python

ROOT = Path(__file__).resolve().parents[1]
GUIDE = HOW_TO / "replacements.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all commands of the guide were run, in order."""
    place = tmp_path_factory.mktemp("guide")
    for table in (ROOT / "python" / "klero" / "examples").glob("*.csv"):
        shutil.copy(table, place)
    text = GUIDE.read_text(encoding="utf-8")
    for name, content in re.findall(r"```csv (\S+)\n(.*?)```", text, re.DOTALL):
        (place / name).write_text(content, encoding="utf-8")
    run_commands(text, place, 13)
    return place


def test_commands_leave_what_the_guide_says(folder: Path) -> None:
    first = set(json.loads((folder / "bundle" / "draw.json").read_bytes())["panel"])
    last = set(json.loads((folder / "round2" / "draw.json").read_bytes())["panel"])
    assert first - last >= {"P006", "P024", "P051"}
    assert len(last) == 30
    assert len((folder / "alternates.csv").read_text().split()) == 7


def test_python_of_the_guide_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    run_python(GUIDE.read_text(encoding="utf-8"))
    assert "s'est retirée" in capsys.readouterr().out
