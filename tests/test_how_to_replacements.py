"""The guide on replacements runs as it stands: its commands, its tables and its Python."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "how-to" / "replacements.md"
KLERO = Path(sys.executable).with_name("klero")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all commands of the guide were run, in order."""
    place = tmp_path_factory.mktemp("guide")
    for table in (ROOT / "python" / "klero" / "examples").glob("*.csv"):
        shutil.copy(table, place)
    text = GUIDE.read_text(encoding="utf-8")
    for name, content in re.findall(r"```csv (\S+)\n(.*?)```", text, re.DOTALL):
        (place / name).write_text(content, encoding="utf-8")
    commands = [
        line.removeprefix("$ klero")
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(commands) == 13
    for command in commands:
        # By the shell, as a reader would: the guide writes to files with «>».
        done = subprocess.run(
            ["/bin/sh", "-c", f"{KLERO}{command}"], capture_output=True, text=True, cwd=place, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
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
    code = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(code) == 1
    monkeypatch.chdir(folder)
    exec(code[0], {})  # noqa: S102
    assert "s'est retirée" in capsys.readouterr().out
