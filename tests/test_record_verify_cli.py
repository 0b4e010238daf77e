"""What `klero verify` says: one failure is told once, and a ZIP that was packed anew is not called forged."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest

from klero.cli import run
from klero.ledger.tiers import write_tier
from making_cases import bundle, drawn, tree


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("verify")
    drawn(place / "rec", bundle(place / "lots"))
    write_tier(place / "rec", "auditor", place / "copy")
    write_tier(place / "rec", "auditor", place / "copy.zip")
    return place


@pytest.mark.parametrize("around", ["", "copy/"])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_packed_anew_is_said_to_be_one(
    folder: Path, tmp_path: Path, around: str, method: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with zipfile.ZipFile(tmp_path / "anew.zip", "w", method) as archive:
        for name, data in tree(folder / "copy").items():
            archive.writestr(around + name, data)
    assert run(["verify", str(tmp_path / "anew.zip")]) == 1
    out = capsys.readouterr().out
    assert "packed anew by another program" in out
    assert "unpack it, and check the folder" in out
    assert len(re.findall("^FAIL", out, re.MULTILINE)) == 1
    assert out.count("not checked because «files» failed") == 1  # the next check; others hang on that
    assert run(["verify", str(folder / "copy.zip")]) == 0
    assert "packed anew" not in capsys.readouterr().out


def test_a_zip_cut_off_or_of_other_things_is_no_record_packed_anew(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = (folder / "copy.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("holiday.txt", "sun")
    for name in ("cut.zip", "other.zip"):
        assert run(["verify", str(tmp_path / name)]) == 1
        assert "packed anew" not in capsys.readouterr().out


def test_statuses_as_data_stay_those_of_the_protocol(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    for name, data in tree(folder / "copy").items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(data + b"\n" * (name == "public/leaves.txt"))
    assert run(["verify", str(copy), "--format", "json"]) == 1
    checks = {c["name"]: c for c in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["leaves"]["status"] == checks["commitment"]["status"] == "FAIL"
    assert run(["verify", str(copy)]) == 1
    out = capsys.readouterr().out
    assert re.findall("^FAIL +([a-z.]+)", out, re.MULTILINE) == ["leaves"]
    assert re.search("^-- +commitment +not checked because «leaves» failed$", out, re.MULTILINE)
    assert "NOT VALID: the check «leaves» fails." in out
    assert run(["verify", str(copy), "--lang", "fr"]) == 1
    french = capsys.readouterr().out
    assert len(re.findall("^ÉCHEC", french, re.MULTILINE)) == 1
    assert "«\u00a0leaves\u00a0»" in french


def test_a_bundle_is_told_in_french_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", str(folder / "lots"), "--lang", "fr"]) == 0
    out = capsys.readouterr().out
    assert "réussi" in out
    assert "passed" not in out
    assert "certificate" in out
