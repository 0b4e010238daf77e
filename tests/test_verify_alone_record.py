"""Does the stand-alone verifier say the right thing of a record, whatever it is given? Golden, forged and hostile ones, as folder and as ZIP."""

from __future__ import annotations

import importlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from klero.verifiers import klero_verify
from record_cases import (
    CHECKS,
    NAMES,
    Files,
    edit_payload,
    entries,
    golden_record,
    payload,
    resigned,
    tier,
    zipped,
)

# The plain programs that make the vectors; record_cases has put them on the path.
plain: Any = importlib.import_module("plain_record")
TIERS = ("public", "auditor", "sealed")


def statuses(files: Files) -> dict[str, str]:
    return {check.name: check.status for check in klero_verify.verify_record(files)}


def first(files: Files) -> str | None:
    return next((name for name, status in statuses(files).items() if status == "FAIL"), None)


def without_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(klero_verify, "import_module", missing)


@pytest.fixture(autouse=True)
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said must not depend on what is installed."""
    without_package(monkeypatch)


# ---------------------------------------------------------------- golden records


@pytest.mark.parametrize("shown", TIERS)
@pytest.mark.parametrize("name", NAMES)
def test_no_check_of_a_golden_record_fails_and_those_left_are_those_without_files(
    name: str, shown: str
) -> None:
    files = tier(golden_record(name), shown)
    found = statuses(files)
    assert tuple(found) == CHECKS
    log = [payload(files, number + 1) for number in range(len(entries(files)))]
    kinds = {entry["kind"] for entry in log}
    left = {"timestamps.signature", "beacon"}
    if "draw" not in kinds:
        left |= {"randomness", "draw.seed", "draw.index", "draw.panel"}
    if not kinds & {"draw", "withdrawals"}:
        left |= {"draw.people"}
    if "timestamp" not in kinds:
        left |= {"timestamps"}
    if sum(entry["kind"] == "commitment" for entry in log) < 2:
        left |= {"succession"}
    if "auditor/pool-0.json" not in files:
        left |= set(CHECKS[CHECKS.index("instance") :])
    if "sealed/people.json" not in files:
        left |= {"sealed"}
    assert {check for check, status in found.items() if status == "--"} == left
    assert "FAIL" not in found.values()


def test_a_check_with_a_failed_need_fails_even_where_there_is_nothing_for_it() -> None:
    assert set(statuses({}).values()) == {"FAIL"}
    files = tier(golden_record("undrawn"), "public")
    files["public/leaves.txt"] = files["public/leaves.txt"].upper()
    found = statuses(files)
    assert (found["leaves"], found["commitment"], found["draw.seed"]) == ("FAIL", "FAIL", "FAIL")
    assert (found["instance"], found["sealed"], found["draw.panel"]) == ("FAIL", "FAIL", "FAIL")
    assert (found["timestamps"], found["beacon"], found["times"]) == ("--", "--", "ok")


@pytest.mark.parametrize("name", ["replaced", "timestamped", "household"])
def test_no_byte_can_be_changed(name: str) -> None:
    files = golden_record(name)
    for file, data in files.items():
        for place in range(0, len(data), 61):
            changed = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
            assert first({**files, file: changed}) is not None, (file, place)


def edited(files: Files, name: str, change: Callable[[Any], Any]) -> Files:
    document = json.loads(files[name])
    change(document)
    return {**files, name: klero_verify.canonical(document)}


def body(files: Files, number: int, **values: Any) -> Files:
    entry = payload(files, number)
    return edit_payload(files, number, {**entry, "body": entry["body"] | values})


RESEALED: list[tuple[str, str, Callable[[Files], Files]]] = [
    ("declaration", "drand", lambda f: edited(f, "public/declaration.json", lambda d: d.update(must_sit=99))),
    (
        "declaration",
        "drand",
        lambda f: edited(f, "public/declaration.json", lambda d: d["keys"][0].update(key="01" + "0" * 62)),
    ),
    ("instance", "drand", lambda f: edited(f, "public/declaration.json", lambda d: d.update(must_sit=1))),
    (
        "instance",
        "drand",
        lambda f: edited(f, "auditor/instance-0.json", lambda d: d["features"][0]["values"][0].update(min=0)),
    ),
    ("pool", "drand", lambda f: edited(f, "auditor/pool-0.json", lambda d: d["openings"].reverse())),
    (
        "pool",
        "household",
        lambda f: edited(f, "auditor/pool-0.json", lambda d: d["openings"][0].__setitem__(2, "")),
    ),
    ("lottery", "drand", lambda f: edited(f, "auditor/lottery-0.json", lambda d: d["panels"].reverse())),
    (
        "gap",
        "drand",
        lambda f: edited(f, "auditor/certificate-0.json", lambda d: d.update(gap="1")),
    ),
    ("sealed", "drand", lambda f: edited(f, "sealed/people.json", lambda d: d["people"].reverse())),
]


@pytest.mark.parametrize(
    ("check", "name", "change"), RESEALED, ids=lambda v: v if isinstance(v, str) else None
)
def test_what_a_forger_with_all_keys_changes_is_found_where_it_is(
    check: str, name: str, change: Callable[[Files], Files]
) -> None:
    assert first(resigned(change(golden_record(name)))) == check


def test_a_commitment_by_one_key_too_few_or_by_a_stranger_is_refused() -> None:
    files = golden_record("drand")
    envelope = json.loads(files["public/entry-0001.json"])
    fewer = {**envelope, "signatures": envelope["signatures"][:1]}
    assert first({**files, "public/entry-0001.json": klero_verify.canonical(fewer)}) == "signatures"
    stranger = plain.envelope(
        klero_verify.unbase64(envelope["payload"]), [b"\x01" * 32, *list(plain_secrets())[:2]]
    )
    assert first({**files, "public/entry-0001.json": stranger}) == "signatures"
    unsigned = klero_verify.canonical({**envelope, "signatures": []})
    assert first({**files, "public/entry-0001.json": unsigned}) == "signatures"


def plain_secrets() -> Any:
    return importlib.import_module("record_maker").SECRETS.values()


def test_the_auditor_tier_has_just_the_rounds_that_were_committed() -> None:
    files = golden_record("replaced")
    fewer = {name: data for name, data in files.items() if not name.endswith("-1.json")}
    assert first(fewer) == "commitment"
    more = files | {
        name.replace("-1.", "-2."): data for name, data in files.items() if name.endswith("-1.json")
    }
    assert first(more) == "commitment"
    del more["auditor/pool-1.json"]
    assert first(more) == "files"
    later = {name: data for name, data in files.items() if not name.endswith("-0.json")}
    assert first(later) == "files"


# ---------------------------------------------------------------- folders and ZIPs


def written(folder: Path, files: Files) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def alone(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-W", "error", klero_verify.__file__, str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


def by_zipfile(files: Files) -> bytes:
    """The ZIP of the page, made by the standard library's writer."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name in sorted(files):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.create_version, info.extract_version = 0, 20, 10
            made.writestr(info, files[name])
            info.external_attr = 0  # writestr has set it; the central header is written on closing
    return out.getvalue()


@pytest.mark.parametrize("name", ["drand", "replaced"])
def test_folder_and_zip_give_the_same_files(name: str, tmp_path: Path) -> None:
    files = golden_record(name)
    assert klero_verify.read_record(str(written(tmp_path / "record", files))) == files
    assert by_zipfile(files) == zipped(files)
    (tmp_path / "record.zip").write_bytes(by_zipfile(files))
    assert klero_verify.read_record(str(tmp_path / "record.zip")) == files


def read_as_zip(data: bytes) -> Files:
    try:
        return klero_verify.read_zip(io.BytesIO(data))
    except klero_verify.Failed:
        return {}


def test_no_byte_of_a_zip_can_be_changed_cut_or_added() -> None:
    files = tier(golden_record("undrawn"), "public")
    good = zipped(files)
    assert read_as_zip(good) == files
    for place in range(len(good)):
        changed = good[:place] + bytes([good[place] ^ 4]) + good[place + 1 :]
        assert read_as_zip(changed) != files
        assert first(read_as_zip(changed)) is not None
    for end in range(0, len(good), 7):
        assert read_as_zip(good[:end]) == {}
    assert read_as_zip(good + b"\0") == read_as_zip(b"\0" + good) == {}


def ordinary_zip(compression: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as made:
        for name, data in golden_record("undrawn").items():
            made.writestr(name, data)
    return out.getvalue()


def test_other_zips_and_bombs_are_refused_before_anything_is_unpacked() -> None:
    files = golden_record("undrawn")
    assert read_as_zip(ordinary_zip(zipfile.ZIP_STORED)) == {}
    assert read_as_zip(ordinary_zip(zipfile.ZIP_DEFLATED)) == {}
    huge = zipped({"public/leaves.txt": b""})
    for lie in (b"\xff\xff\xff\xff", b"\x01\x00\x00\x10"):  # 4 GiB, 256 MiB + 1
        assert read_as_zip(huge[:22] + lie + huge[26:]) == {}
    backwards = dict(sorted(files.items(), reverse=True))
    pieces, central, offset = b"", b"", 0
    for name, data in backwards.items():
        local, entry = klero_verify.zip_headers(name.encode(), data, offset)
        pieces, central, offset = pieces + local + data, central + entry, offset + len(local) + len(data)
    assert read_as_zip(pieces + central + zipped(files)[-22:]) == {}
    twice = klero_verify.zip_headers(b"public/leaves.txt", b"", 0)[0]
    assert read_as_zip(twice + twice) == {}


@pytest.mark.parametrize(
    "stray",
    [
        "receipts/a.json",
        "public/../x",
        "/etc/passwd",
        "public/entry-1.json",
        "auditor/pool-00.json",
        "public/entry-0000.json",
        "public/Leaves.txt",
        "sealed/people.json ",
        "!refused",
        "!bad",
        "{what}",
        "\x1b[2J",
    ],
)
def test_strays_fail_files_by_any_way(stray: str, tmp_path: Path) -> None:
    files = {**golden_record("undrawn"), stray: b"{}"}
    assert first(files) == "files"
    assert "\x1b" not in klero_verify.verify_record(files)[0].detail
    (tmp_path / "record.zip").write_bytes(zipped(files))
    assert first(klero_verify.read_record(str(tmp_path / "record.zip"))) == "files"


def test_a_folder_of_receipts_is_passed_over_and_other_strays_are_not(tmp_path: Path) -> None:
    files = golden_record("undrawn")
    record = written(tmp_path / "record", files)
    written(record, {"receipts/one.json": b"{}"})
    assert first(klero_verify.read_record(str(record))) is None
    for stray in ("note.txt", "public/note.txt", "auditor/.hidden", "other/x", "sealed/deep/x"):
        written(record, {stray: b""})
        assert first(klero_verify.read_record(str(record))) == "files", stray
        (record / stray).unlink()
        if stray.count("/") == 2 or stray.startswith("other"):
            (record / stray).parent.rmdir()
    assert first(klero_verify.read_record(str(record))) is None


def test_links_empty_tiers_and_pipes_are_no_files(tmp_path: Path) -> None:
    files = golden_record("undrawn")
    record = written(tmp_path / "record", tier(files, "public"))
    (record / "auditor").mkdir()
    assert first(klero_verify.read_record(str(record))) == "files"
    (record / "auditor").rmdir()
    leaves = record / "public" / "leaves.txt"
    leaves.rename(tmp_path / "leaves.txt")
    leaves.symlink_to(tmp_path / "leaves.txt")
    assert first(klero_verify.read_record(str(record))) == "files"
    leaves.unlink()
    os.mkfifo(leaves)
    assert first(klero_verify.read_record(str(record))) == "files"
    leaves.unlink()
    leaves.mkdir()
    assert first(klero_verify.read_record(str(record))) == "files"
    leaves.rmdir()
    (tmp_path / "leaves.txt").rename(leaves)
    assert first(klero_verify.read_record(str(record))) is None
    (record / "receipts").symlink_to(tmp_path)
    assert first(klero_verify.read_record(str(record))) == "files"
    assert alone(written(tmp_path / "pipe", {}) / "none").returncode == 2
    os.mkfifo(tmp_path / "fifo")
    assert alone(tmp_path / "fifo").returncode == 2


def test_files_and_records_above_the_limits_fail_and_are_not_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = golden_record("undrawn")
    record = written(tmp_path / "record", files)
    most, total = max(map(len, files.values())), sum(map(len, files.values()))
    (tmp_path / "record.zip").write_bytes(zipped(files))
    for file_limit, record_limit, ok in (
        (most, total, True),
        (most - 1, total, False),
        (most, total - 1, False),
    ):
        monkeypatch.setattr(klero_verify, "RECORD_FILE_LIMIT", file_limit)
        monkeypatch.setattr(klero_verify, "RECORD_LIMIT", record_limit)
        assert (first(files) is None) is ok
        for path in (record, tmp_path / "record.zip"):
            found = klero_verify.read_record(str(path))
            assert (first(found) is None) is ok
            assert sum(map(len, found.values())) <= total


@pytest.mark.parametrize(
    "hostile",
    [
        b"[" * 10**6,
        b'"' + b'\\"' * 10**6,
        b'{"a":' * 10**5,
        b"9" * 10**6,
        b"[" + b"[]," * 10**5 + b"[]]",
        b"\xff" * 10**6,
        b'"\\ud800"',
        b"",
    ],
    ids=["brackets", "open string", "objects", "digits", "wide", "bytes", "surrogate", "empty"],
)
def test_hostile_documents_fail_and_nothing_worse(hostile: bytes) -> None:
    files = golden_record("replaced")
    for name in files:
        found = statuses({**files, name: hostile})
        assert "FAIL" in found.values()
    assert first(edit_payload(files, 1, hostile)) in ("encoding", "log")


# ---------------------------------------------------------------- the command line


def test_the_command_prints_a_line_a_check_and_counts_them(tmp_path: Path) -> None:
    record = written(tmp_path / "record", golden_record("balls"))
    (tmp_path / "record.zip").write_bytes(zipped(golden_record("balls")))
    for path in (record, tmp_path / "record.zip"):
        done = alone(path)
        assert (done.returncode, done.stderr) == (0, "")
        lines = done.stdout.splitlines()
        assert [line.split()[1] for line in lines[:-1]] == list(CHECKS)
        assert lines[-1].startswith("21 of 25 checks passed, none failed; 4 not made here: beacon (no draw")
        assert "21 contrôles sur 25" in alone(path, "--lang", "fr").stdout
        document = json.loads(alone(path, "--json").stdout)
        counts = [document[key] for key in ("ok", "passed", "failed", "not_checked")]
        assert counts == [True, 21, 0, 4]
        assert [check["name"] for check in document["checks"]] == list(CHECKS)
    (record / "public" / "leaves.txt").write_bytes(b"")
    done = alone(record)
    assert (done.returncode, done.stderr) == (1, "")
    assert "NOT VALID: «leaves» failed." in done.stdout
    assert json.loads(alone(record, "--json").stdout)["ok"] is False
    assert alone(tmp_path / "nothing.zip").returncode == 2
    (tmp_path / "text").write_text("not a ZIP", encoding="utf-8")
    assert alone(tmp_path / "text").returncode == 1


def test_it_runs_under_the_oldest_python_it_promises(tmp_path: Path) -> None:
    old = shutil.which("python3.9")
    if old is None or subprocess.run([old, "-c", ""], check=False, capture_output=True).returncode:
        pytest.skip("no python3.9 on the path: the verifier's promise is not tested there")
    (tmp_path / "record.zip").write_bytes(zipped(golden_record("families")))
    command = [old, "-I", "-W", "error", klero_verify.__file__, str(tmp_path / "record.zip")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == alone(tmp_path / "record.zip").stdout


def test_a_zip_made_anew_is_told_in_words_and_not_as_a_forgery(tmp_path: Path) -> None:
    path = tmp_path / "record.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in golden_record("drand").items():
            archive.writestr(name, data)
    files = klero_verify.read_record(str(path))
    for lang, told, after in (
        (
            "en",
            "This ZIP was made anew, for example by a file manager: unpack it and check the folder. That alone is no forgery.",
            "not checked, because files failed",
        ),
        (
            "fr",
            "Ce ZIP a été refait, par exemple par un gestionnaire de fichiers\u00a0: décompressez-le et contrôlez le dossier.",
            "non contrôlé, car files a échoué",
        ),
    ):
        checks = klero_verify.verify_record(files, lang)
        assert told in checks[0].detail
        assert {check.status for check in checks} == {"FAIL"}
        assert checks[1].detail == after
