"""What the guide on live themes shows is what happens: its examples and every command in it, run as they stand."""

from __future__ import annotations

import doctest
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "live.md"
COMMANDS = re.findall(r"^klero live .*", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)


def test_examples_of_the_guide_run() -> None:
    result = doctest.testfile(str(GUIDE), module_relative=False, encoding="utf-8")
    assert result.attempted >= 9
    assert result.failed == 0


def test_the_guide_has_commands() -> None:
    assert len(COMMANDS) == 5


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_guide_runs(command: str, tmp_path: Path) -> None:
    lines = re.findall(r"^(?:Plus de|\{\"text).*$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(lines) == 2
    for name in ("answers.txt", "chat.jsonl", "more.txt"):
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    # Ports that nobody has, in place of those of the guide.
    command = command.replace("127.0.0.1:7007", "127.0.0.1:0").replace("--page 8080", "--page")
    process = subprocess.Popen(
        ["bash", "-c", command.replace("klero live", f"exec {sys.executable} -m klero live")],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    try:
        if "--page" in command or "--listen" in command:
            assert process.stderr is not None
            seen = process.stderr.readline()
            assert b"127.0.0.1" in seen
            time.sleep(1)
            process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=60)
    finally:
        process.kill()
    assert b"Traceback" not in error
    assert process.returncode == (130 if "--page" in command else 0), error
    assert (tmp_path / "workshop.klero").exists() == ("--state" in command)
    if "-o" in command.split():
        assert (tmp_path / "themes.csv").read_text(encoding="utf-8").count("\n") == 3
    if "--listen" not in command:
        assert b"2 contributions" in out or b'"contributions": 2' in out
