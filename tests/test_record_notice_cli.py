"""The notice of a commitment: made with it, made anew, and never one of another hash without a warning."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from klero.cli import run
from klero.ledger.record import Record
from making_cases import EARLY, bundle, committed, declared, tree


@pytest.fixture(scope="module")
def lots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = bundle(tmp_path_factory.mktemp("lots") / "lots")
    (place.parent / "d.json").write_bytes(declared(place).data)
    return place


def commit(lots: Path, record: Path, *more: str) -> int:
    said = str(lots.parent / "d.json")
    return run(["commit", str(lots), "--declaration", said, "--time", EARLY, "-o", str(record), *more])


def text_of(folder: Path) -> str:
    return (folder / "notice-en.txt").read_text(encoding="utf-8")


def test_commit_takes_zone_and_address(
    lots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "https://www.example.org/panel"
    assert commit(lots, tmp_path / "rec", "--zone", "Europe/Paris", "--address", address) == 0
    said = capsys.readouterr().err
    assert "Publish this hash once all have signed" in said
    assert "klero notice" in said
    assert address in text_of(tmp_path / "rec-notice")
    assert "11:00" in text_of(tmp_path / "rec-notice")  # 10:00 UTC, in winter
    assert commit(lots, tmp_path / "other", "--zone", "Europe/Atlantis") == 0
    assert "its notice was not written" in capsys.readouterr().err
    assert Record.read(tmp_path / "other", unsigned=True).unsigned == 2


def test_a_notice_of_another_hash_is_not_to_be_printed(
    lots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert commit(lots, tmp_path / "rec") == 0
    old = Record.read(tmp_path / "rec", unsigned=True).hash
    shutil.rmtree(tmp_path / "rec")
    capsys.readouterr()
    assert commit(lots, tmp_path / "rec") == 1
    out, err = capsys.readouterr()
    new = Record.read(tmp_path / "rec", unsigned=True).hash
    assert out == new + "\n"
    assert new != old
    assert "DON'T PRINT" in err
    assert old[:8] in text_of(tmp_path / "rec-notice").replace(" ", "").replace("\n", "")
    assert run(["notice", str(tmp_path / "rec")]) == 3
    assert run(["notice", str(tmp_path / "rec"), "--force"]) == 0
    assert new[:8] in text_of(tmp_path / "rec-notice").replace(" ", "").replace("\n", "")


def test_a_notice_is_made_anew_from_the_public_tier(
    lots: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    committed(tmp_path / "rec", lots)
    shutil.copytree(tmp_path / "rec" / "public", tmp_path / "copy" / "public")
    place = str(tmp_path / "copy")
    assert run(["notice", place, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["publish"] == Record.read(place).hash
    assert all(Path(file).is_file() for file in told["files"])
    assert told["folder"] == f"{place}-notice"
    before = {file: Path(file).read_bytes() for file in told["files"]}
    assert run(["notice", str(tmp_path / "rec"), "-o", str(tmp_path / "same")]) == 0
    assert [Path(f).read_bytes() for f in sorted(map(str, (tmp_path / "same").iterdir()))] == [
        before[file] for file in sorted(before)
    ]
    assert run(["notice", place, "--round", "1", "-o", str(tmp_path / "none")]) == 3
    assert run(["notice", place, "--zone", "Nowhere", "-o", str(tmp_path / "none")]) == 3


def test_nothing_is_written_into_the_bundle_or_the_record(
    lots: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(lots, tmp_path / "lots")
    before = tree(tmp_path)
    said = ["--declaration", str(lots.parent / "d.json"), "--time", EARLY]
    monkeypatch.chdir(tmp_path / "lots")
    assert run(["commit", ".", *said, "-o", "rec"]) == 3
    assert run(["commit", ".", *said, "--notice-to", "notice"]) == 3
    assert run(["commit", ".", *said, "-o", "../rec", "--notice-to", "../rec/notice"]) == 2
    assert tree(tmp_path) == before
    assert run(["commit", ".", *said]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"lots", "lots-record", "lots-record-notice"}
    monkeypatch.chdir(tmp_path / "lots-record")
    assert run(["notice", ".", "-o", "public"]) == 3
    assert run(["notice", ".", "--force"]) == 0
    assert {path.name for path in Path().iterdir()} == {"public", "auditor", "sealed"}
