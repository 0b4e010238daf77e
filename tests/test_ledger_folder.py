"""Does a bundle get onto the disk whole, is nothing else ever removed, and does the stand-alone verifier read the same folder?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from klero.errors import BundleError, InputError, OutputExistsError
from klero.ledger.draw import draw
from klero.ledger.folder import add_file, check_output, read_bundle, write_bundle
from klero.ledger.verify import verify
from klero.verifiers import klero_verify
from ledger_cases import first_failure, golden


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "bundle", golden("leximin"))
    return tmp_path / "bundle"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def alone(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-W", "error", klero_verify.__file__, str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


def test_what_is_written_is_read_back(bundle: Path) -> None:
    assert read_bundle(bundle) == golden("leximin")
    assert names(bundle.parent) == ["bundle"]


def test_files_are_never_overwritten_unasked(bundle: Path) -> None:
    with pytest.raises(OutputExistsError):
        write_bundle(bundle, golden("maximin"))
    with pytest.raises(OutputExistsError):
        check_output(bundle)
    with pytest.raises(OutputExistsError):
        add_file(bundle, "draw.json", b"{}")
    assert read_bundle(bundle) == golden("leximin")
    assert names(bundle.parent) == ["bundle"]


def test_force_replaces_a_bundle_and_leaves_nothing_behind(bundle: Path) -> None:
    write_bundle(bundle, golden("maximin"), force=True)
    assert read_bundle(bundle) == golden("maximin")
    assert names(bundle.parent) == ["bundle"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "bundle").mkdir()
    write_bundle(tmp_path / "bundle", golden("maximin"))
    assert verify(tmp_path / "bundle")


@pytest.mark.parametrize("stray", ["thesis.txt", "folder", "link", "declaration.json"])
def test_force_never_removes_what_is_not_a_bundle(bundle: Path, stray: str) -> None:
    path = bundle / stray
    if stray == "folder":
        path.mkdir()
    elif stray == "link":
        path.symlink_to("/")
    else:
        path.write_text("years of work")
    with pytest.raises(BundleError, match="not a klero bundle"):
        write_bundle(bundle, golden("maximin"), force=True)
    assert os.path.lexists(path)


def test_force_refuses_a_file_and_a_link(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(bundle)
    (tmp_path / "file").write_text("x")
    for name in ("link", "file"):
        with pytest.raises(BundleError, match="not a klero bundle"):
            write_bundle(tmp_path / name, golden("maximin"), force=True)
    assert read_bundle(bundle) == golden("leximin")


def test_a_failed_write_leaves_the_old_bundle(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BundleError, match="No space left"):
        write_bundle(bundle, golden("maximin"), force=True)
    assert read_bundle(bundle) == golden("leximin")
    assert names(bundle.parent) == ["bundle"]


def test_a_missing_parent_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="create it first"):
        write_bundle(tmp_path / "no" / "bundle", golden("maximin"))


def test_only_files_of_a_bundle_are_written(bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(BundleError):
        add_file(bundle, "../x", b"")
    with pytest.raises(BundleError):
        write_bundle(tmp_path / "other", {"declaration.json": b"{}"})


def test_reading_follows_no_links_and_wants_all_files(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "pool.json").write_bytes((bundle / "pool.json").read_bytes())
    (bundle / "pool.json").unlink()
    with pytest.raises(BundleError, match=r"pool\.json is missing"):
        read_bundle(bundle)
    (bundle / "pool.json").symlink_to(tmp_path / "pool.json")
    with pytest.raises(BundleError, match="links are not followed"):
        read_bundle(bundle)
    assert first_failure([(c.name, c.ok) for c in verify(bundle)]) == "files"
    assert alone(bundle).returncode == 1
    with pytest.raises(BundleError, match="can't be read"):
        read_bundle(tmp_path / "nowhere")


def test_a_draw_is_recorded_once(bundle: Path) -> None:
    with pytest.raises(OutputExistsError):
        draw(bundle, trial_seed="again")
    before = read_bundle(bundle)
    drawn = draw(bundle, trial_seed="premie\u0300re re\u0301pe\u0301tition", force=True)
    assert read_bundle(bundle) == before  # the same text in NFC, so the same draw
    record = json.loads(before["draw.json"])
    assert (list(drawn.panel), drawn.entry, drawn.seed) == (record["panel"], record["entry"], record["seed"])
    assert drawn.mark == "TRIAL"
    assert names(bundle.parent) == ["bundle"]


@pytest.mark.parametrize("text", ["", "\ud800"])
def test_a_seed_that_is_no_text_is_refused(bundle: Path, text: str) -> None:
    with pytest.raises(InputError, match="must be Unicode text"):
        draw(bundle, trial_seed=text, force=True)


def test_nothing_is_drawn_from_a_bundle_that_fails(bundle: Path) -> None:
    (bundle / "draw.json").unlink()
    data = (bundle / "certificate.json").read_bytes()
    (bundle / "certificate.json").write_bytes(data.replace(b'"2/5"', b'"3/5"'))
    with pytest.raises(BundleError, match="commitment"):
        draw(bundle, trial_seed="x")
    assert not (bundle / "draw.json").exists()


def test_a_verification_is_a_condition_and_a_table(bundle: Path) -> None:
    good = verify(bundle)
    assert good
    assert good.ok
    assert [c.name for c in good][-1] == "draw.panel"
    (bundle / "<b>").write_text("")
    bad = verify(bundle)
    assert not bad
    assert "FAIL  files" in repr(bad)
    assert "<b>" not in bad._repr_html_()
    with pytest.raises(BundleError, match="«files»"):
        bad.raise_if_failed()


def test_the_stand_alone_verifier_says_the_same(bundle: Path) -> None:
    done = alone(bundle)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[1] for line in done.stdout.splitlines()[:-1]] == [c.name for c in verify(bundle)]
    assert "ESSAI" in alone(bundle, "--lang", "fr").stdout
    assert json.loads(alone(bundle, "--json").stdout)["ok"] is True
    (bundle / "pool.json").write_bytes(b"\xff")
    done = alone(bundle)
    assert (done.returncode, done.stderr) == (1, "")
    assert "FAIL  encoding" in done.stdout
    assert json.loads(alone(bundle, "--json").stdout)["ok"] is False


@pytest.mark.parametrize("options", [["nowhere"], [], ["x", "--lang", "xx"]])
def test_wrong_usage_of_the_stand_alone_verifier_is_2(tmp_path: Path, options: list[str]) -> None:
    command = [sys.executable, "-I", klero_verify.__file__, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_stand_alone_verifier_imports_the_standard_library_alone() -> None:
    import ast

    source = Path(klero_verify.__file__).read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 9))
    modules = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {m.split(".")[0] for m in modules} <= set(sys.stdlib_module_names)
    assert all(len(pair) == 2 for pair in klero_verify.TEXTS.values())
