"""The guide on public draws runs as it stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from klero.ledger.record import Record
from klero.ledger.verify import verify

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "docs" / "how-to" / "public-draw.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which all commands of the guide were run, in order."""
    place = tmp_path_factory.mktemp("guide")
    for table in (ROOT / "python" / "klero" / "examples").glob("*.csv"):
        shutil.copy(table, place)
    text = GUIDE.read_text(encoding="utf-8")
    for name, content in re.findall(r"```json (\S+)\n(.*?)```", text, re.DOTALL):
        (place / name).write_text(content, encoding="utf-8")
    # The command as a module, so that no script has to be installed.
    (place / "klero").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m klero "$@"\n')
    (place / "klero").chmod(0o755)
    commands = [
        line.removeprefix("$ ")
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(commands) == 22
    path = f"{place}{os.pathsep}{os.environ['PATH']}"
    for command in commands:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            capture_output=True,
            text=True,
            cwd=place,
            check=False,
            env=os.environ | {"PATH": path},
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return place


def test_commands_leave_what_the_guide_says(folder: Path) -> None:
    record = Record.read(folder / "panel-record")
    assert [(r.number, r.draw is not None) for r in record.rounds] == [(0, True), (1, True)]
    assert len(record.withdrawn) == 2
    assert record.people
    assert record.people.count(None) == 1
    first = [line.split(",")[0] for line in (folder / "panel.csv").read_text().splitlines()[1:]]
    last = [line.split(",")[0] for line in (folder / "panel1.csv").read_text().splitlines()[1:]]
    assert len(first) == len(last) == 30
    assert set(first) - set(last) == set(first[:2])
    assert len(list((folder / "receipts").iterdir())) == 240


def test_the_record_and_its_public_tier_verify(folder: Path) -> None:
    assert verify(folder / "panel-record").ok
    assert verify(folder / "panel-public.zip").ok
