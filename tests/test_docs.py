"""What the README, the docs and the docstrings show is what happens."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import klero
from klero.cli import cli

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "python" / "klero"
MODULES = [
    m.name
    for m in pkgutil.walk_packages(klero.__path__, "klero.")
    if not m.name.endswith(("__main__", "_native"))
]


def test_readme_examples_run() -> None:
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False, encoding="utf-8")
    assert result.attempted > 5
    assert result.failed == 0


def test_how_to_examples_run() -> None:
    for page in sorted((ROOT / "docs" / "how-to").glob("*.md")):
        assert doctest.testfile(str(page), module_relative=False, encoding="utf-8").failed == 0, page.name


@pytest.mark.parametrize("name", ["klero", *MODULES])
def test_docstring_examples_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def _shown_commands() -> list[tuple[str, list[str]]]:
    """(page, words after «klero») of every command in README and docs, in blocks and in the text."""
    found = []
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        text = page.read_text(encoding="utf-8")
        blocks = "\n".join(re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
        lines = [line.split(" #")[0] for line in blocks.splitlines() if re.match(r"klero [a-z]+ ", line)]
        lines += re.findall(r"`(klero [a-z][^`\n]*)`", text)
        found += [(page.name, shlex.split(line.replace("…", ""))[1:]) for line in lines]
    return found


def test_shown_commands_exist_with_their_options() -> None:
    shown = _shown_commands()
    assert len(shown) > 60
    for page, words in shown:
        assert words[0] in cli.commands, (page, words)
        command: click.Command = cli.commands[words[0]]
        if isinstance(command, click.Group) and words[1:]:
            _, found, _ = command.resolve_command(click.Context(command), words[1:])
            assert found is not None, (page, words)
            command = found
        options = {option for parameter in command.params for option in parameter.opts}
        used = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
        assert used <= options | {"--help"}, (page, words)


def test_every_command_is_in_the_readme_and_in_the_help() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = CliRunner().invoke(cli, ["--help"]).output
    for name in cli.commands:
        assert f"klero {name}" in text, name
        assert re.search(rf"^  {name} ", shown, re.MULTILINE), name


def test_features_name_tests_that_exist() -> None:
    text = (ROOT / "docs" / "alternatives" / "features.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\btest_\w+", text))
    assert len(named) > 10
    assert {name for name in named if not (ROOT / "tests" / f"{name}.py").exists()} == set()


def test_decision_records_are_numbered_without_gaps_and_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))
    assert [int(name[:4]) for name in records] == list(range(1, len(records) + 1))
    text = (folder / "README.md").read_text(encoding="utf-8")
    for name in records:
        title = (folder / name).read_text(encoding="utf-8").splitlines()[0]
        assert title.startswith(f"# {name[:4]} ")
        assert f"| [{name[:4]}]({name}) | {title[7:]} |" in text


def test_links_in_the_documents_lead_somewhere() -> None:
    for document in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            if not target.startswith("http"):
                assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_bindings_hold_no_algorithm_and_pure_crates_no_python() -> None:
    sources = list((ROOT / "rust").rglob("src/**/*.rs"))
    assert len(sources) > 10
    for source in sources:
        text = source.read_text(encoding="utf-8")
        if "rust/py" in source.as_posix():
            assert " while " not in text, source
        else:
            assert "pyo3" not in text, source
            assert "unsafe " not in text, source


def test_verifier_needs_the_standard_library_alone() -> None:
    import sys

    tree = ast.parse((PACKAGE / "verifiers" / "klero_verify.py").read_text(encoding="utf-8"))
    imported = {
        a.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names
    }
    imported |= {
        (node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    }
    assert imported <= set(sys.stdlib_module_names)
