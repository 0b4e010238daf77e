"""What the guide to themes shows is what happens."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from klero.cli import run
from klero.themes.embedders import embed
from klero.voices.contributions import Contributions

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "docs" / "how-to" / "themes.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^klero (themes .*)$", GUIDE, re.MULTILINE)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the guide speaks of."""
    example = ROOT / "python" / "klero" / "examples" / "contributions.csv"
    (tmp_path / "contributions.csv").write_bytes(example.read_bytes())
    made = embed(Contributions.read(example).texts)
    vectors = np.zeros((60, made.dimension), np.float32)
    vectors[made.rows] = made.vectors
    np.save(tmp_path / "vectors.npy", vectors)
    (tmp_path / "together.csv").write_text("a,b\nC04,C24\n")
    (tmp_path / "apart.csv").write_text("a,b\nC06,C31\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_command_prints_what_the_guide_shows(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shown = GUIDE.split("```text\n")[1].split("```")[0]
    assert run(shlex.split(COMMANDS[0])) == 0
    assert capfd.readouterr().out == shown


def test_the_other_commands_run(place: Path) -> None:
    assert len(COMMANDS) == 5
    for command in COMMANDS[1:]:
        assert run([*shlex.split(command), "--force"]) == 0, command
