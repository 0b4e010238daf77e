"""Guides that run as they stand: the commands of their consoles, and their Python."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HOW_TO = Path(__file__).resolve().parents[1] / "docs" / "how-to"
KLERO = Path(sys.executable).with_name("klero")


def run_commands(text: str, place: Path, expected: int) -> None:
    """Runs every command of a guide in a folder, in order; there are as many as expected, and none fails."""
    commands = [
        line.removeprefix("$ klero")
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]
    assert len(commands) == expected
    for command in commands:
        # By the shell, as a reader would: guides write to files with «>».
        done = subprocess.run(
            ["/bin/sh", "-c", f"{KLERO}{command}"], capture_output=True, text=True, cwd=place, check=False
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def run_python(text: str) -> None:
    """Runs the one piece of Python of a guide."""
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(code, {})  # noqa: S102
