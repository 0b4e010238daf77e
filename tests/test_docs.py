"""What the README, the docs and the docstrings show is what happens."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import shlex
from pathlib import Path

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


def test_readme_commands_exist_with_their_options() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = [
        line.split("#")[0]
        for line in text.splitlines()
        if re.match(r"klero (check|lottery|draw|verify|explain) ", line)
    ]
    assert len(lines) >= 5
    for line in lines:
        words = shlex.split(line)[1:]
        shown = CliRunner().invoke(cli, [words[0], "--help"]).output
        assert all(option in shown for option in words if option.startswith("-")), line


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
