"""What the guides on preparing people and seating tables show is what happens."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from klero.cli import cli

GUIDES = Path(__file__).resolve().parents[1] / "docs" / "how-to"


@pytest.mark.parametrize("name", ["prepare-people.md", "tables.md"])
def test_examples_of_the_guide_run_and_its_commands_exist(name: str) -> None:
    result = doctest.testfile(str(GUIDES / name), module_relative=False, encoding="utf-8")
    assert result.attempted >= 5
    assert result.failed == 0
    lines = re.findall(r"^klero .*", (GUIDES / name).read_text(encoding="utf-8"), re.MULTILINE)
    assert lines
    for line in lines:
        words = shlex.split(line, comments=True)[1:]
        shown = CliRunner().invoke(cli, [words[0], "--help"]).output
        assert all(word in shown for word in words if word.startswith("-")), line
