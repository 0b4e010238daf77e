"""Can anything in a record be changed without the verifiers noticing, and at the same check?

`KLERO_TAMPER=all` tries everything; else a fixed share of it is tried. The third verifier, the page, is held to the same mutations in
`test_record_page.py`.
"""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from klero.verifiers import klero_verify
from record_cases import NAMES, Files, dump, entries, golden_record, resigned, rewritten, tier, zipped
from record_mutations import (
    ALL,
    Corpus,
    alone,
    applied,
    byte_mutations,
    changes,
    disagreement,
    file_mutations,
    first_failure,
    forged,
    forgeries,
    library,
    sampled,
    several,
    spelled,
    spellings,
    tokens,
)

OTHER = dict.fromkeys(NAMES, "drand") | {"drand": "fallback", "replaced": "families", "families": "replaced"}


def refused(files: Files) -> str | None:
    """The check at which both refuse; they must agree on every check."""
    one, other = library(files), alone(files)
    assert disagreement(one, other) is None
    return first_failure(one)


@pytest.mark.parametrize("name", NAMES)
def test_no_byte_can_be_flipped_cut_or_doubled(name: str) -> None:
    files, corpus = golden_record(name), Corpus()
    for label, changed in sampled(byte_mutations(files), 397):
        corpus.tried(label, applied(files, changed))
    corpus.report(f"changed bytes of {name}")
    assert not corpus.accepted


@pytest.mark.parametrize("name", NAMES)
def test_no_byte_of_the_public_tier_alone_can_be_changed(name: str) -> None:
    files, corpus = tier(golden_record(name), "public"), Corpus()
    for label, changed in sampled(byte_mutations(files), 997, 13):
        corpus.tried(label, applied(files, changed))
    corpus.report(f"changed bytes of the public tier of {name}")
    assert not corpus.accepted


@pytest.mark.parametrize("name", NAMES)
def test_files_dropped_added_swapped_or_renamed_are_found(name: str) -> None:
    files, corpus = golden_record(name), Corpus()
    for label, changed in sampled(file_mutations(files, golden_record(OTHER[name])), 3):
        corpus.tried(label, applied(files, changed))
    corpus.report(f"changed sets of files of {name}")
    # What is left when the end of the log is missing is a record that has not come so far. Only the log's head, held elsewhere, tells.
    last = f"{entries(files)[-1]} dropped"
    assert set(corpus.accepted) <= {last, "sealed/people.json dropped"}


@pytest.mark.parametrize("name", NAMES)
def test_the_same_json_in_another_spelling_is_found(name: str) -> None:
    files, corpus = golden_record(name), Corpus()
    for label, changed in sampled(spellings(files), 3):
        where = corpus.tried(label, applied(files, changed))
        assert where == "encoding" or not means_the_same(files, applied(files, changed)), label
    corpus.report(f"spellings of {name}")
    assert not corpus.accepted


def means_the_same(files: Files, changed: Files) -> bool:
    """Whether the changed files hold the same JSON to a lenient reader."""
    for name, data in files.items():
        if changed[name] != data:
            try:
                one, other = (json.loads(each) for each in (data, changed[name]))
                if "/entry-" in name:
                    one, other = (json.loads(base64.b64decode(each["payload"])) for each in (one, other))
            except ValueError:
                return False
            return bool(one == other)
    return True


@pytest.mark.parametrize("name", ["replaced", "undrawn"])
def test_every_spelling_of_every_file_fails_the_encoding(name: str) -> None:
    files = golden_record(name)
    for file, data in files.items():
        if file.endswith(".json"):
            for other in spelled(data)[:3]:
                assert refused({**files, file: other}) == "encoding"
    for number in range(1, len(entries(files)) + 1):
        payload = base64.b64decode(json.loads(files[f"public/entry-{number:04}.json"])["payload"])
        for other in (payload + b"\n", b" " + payload, payload.replace(b"{", b"{ ", 1)):
            assert (
                refused({**files, f"public/entry-{number:04}.json": rewritten(files, number, other)})
                == "encoding"
            )


@pytest.mark.parametrize("name", NAMES)
def test_verifiers_agree_on_forgeries_of_who_holds_the_keys(name: str) -> None:
    """Each document with one change; then digests, draws, chain and signatures are made anew, and deep checks are reached."""
    files, corpus = golden_record(name), Corpus()
    for label, changed in sampled(forgeries(files), 29):
        other = applied(files, changed)
        where = corpus.tried(label, other)
        assert where is not None or "signed" in label or all(less(files, other, file) for file in files), (
            label
        )
    corpus.report(f"forgeries of {name}")


@pytest.mark.parametrize("name", NAMES)
def test_verifiers_agree_on_several_changes_at_once(name: str) -> None:
    files, corpus = golden_record(name), Corpus()
    for number in range(3000 if ALL else 40):
        corpus.tried(f"changes {number}", applied(files, several(files, number)))
    corpus.report(f"forgeries of {name} with several changes")


def test_verifiers_read_the_same_time_stamps() -> None:
    files, corpus = golden_record("timestamped"), Corpus()
    for label, changed in sampled(tokens(files, 2), 17):
        where = corpus.tried(label, applied(files, changed))
        assert where in (None, "timestamps", "encoding", "log"), label
    corpus.report("changed tokens")


def less(files: Files, other: Files, file: str) -> bool:
    """Whether this file is as it was, but for what may be taken away: salts, and signatures that are more than are asked for."""
    if other[file] == files[file]:
        return True
    if file == "sealed/people.json":
        return True  # what may be taken away there is a test of its own
    one, less_ = (json.loads(each[file]) for each in (files, other))
    return (
        "/entry-" in file
        and {**one, "signatures": []} == {**less_, "signatures": []}
        and all(signature in one["signatures"] for signature in less_["signatures"])
        and len(less_["signatures"]) == len(one["signatures"]) - 1
    )


def test_a_signature_that_is_not_needed_can_be_taken_away_unnoticed() -> None:
    """The chain is over payloads. (A time-stamp over the entry's file notices.)"""
    files = golden_record("drand")
    document = json.loads(files["public/entry-0001.json"])
    assert len(document["signatures"]) == 3
    for i in range(3):
        left = document["signatures"][:i] + document["signatures"][i + 1 :]
        assert refused({**files, "public/entry-0001.json": dump({**document, "signatures": left})}) is None
    left = document["signatures"][:1]
    assert (
        refused({**files, "public/entry-0001.json": dump({**document, "signatures": left})}) == "signatures"
    )


def test_a_destroyed_salt_is_all_that_passes_unsigned_in_the_sealed_tier() -> None:
    files = golden_record("drand")
    people = json.loads(files["sealed/people.json"])["people"]
    passed = 0
    for value in changes(json.loads(files["sealed/people.json"])):
        if value == json.loads(files["sealed/people.json"]):
            continue
        ok = refused({**files, "sealed/people.json": dump(value)}) is None
        shorter = isinstance(value, dict) and isinstance(value.get("people"), list)
        destroyed = (
            shorter
            and len(value["people"]) == len(people)
            and all(new in ([], old) for new, old in zip(value["people"], people, strict=True))
        )
        assert ok == bool(
            destroyed
            and set(value) == {"draw", "format", "people"}
            and value["draw"] == "jury-2023"
            and value["format"] == "klero-sealed/1"
        )
        passed += ok
    assert passed == len(people)


def test_what_is_forged_is_made_anew() -> None:
    """The forger's tool itself: a changed title gives a record that all accept, with another seed."""
    files = golden_record("drand")
    declaration = json.loads(files["public/declaration.json"]) | {"title": "Another"}
    other = applied(files, forged(files, "public/declaration.json", dump(declaration)))
    assert refused(other) is None
    assert other["public/entry-0002.json"] != files["public/entry-0002.json"]
    assert resigned(other) == other


# ---- ZIP ----------------------------------------------------------------------------------------------------
def read_as_zip(data: bytes, folder: Path) -> Files:
    path = folder / "record.zip"
    path.write_bytes(data)
    return klero_verify.read_record(str(path))


@pytest.mark.parametrize("name", NAMES)
def test_a_record_is_read_from_its_zip_and_from_its_folder(name: str, tmp_path: Path) -> None:
    files = golden_record(name)
    assert read_as_zip(zipped(files), tmp_path) == files
    folder = tmp_path / "record"
    for file, data in files.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(data)
    (folder / "receipts").mkdir()
    (folder / "receipts" / "0001.json").write_bytes(b"{}")
    assert klero_verify.read_record(str(folder)) == files


def zip_mutations(data: bytes, stride: int) -> Iterator[tuple[str, bytes]]:
    for place in range(0, len(data), 1 if ALL else stride):
        yield f"flip 01 {place}", data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        yield f"flip 80 {place}", data[:place] + bytes([data[place] ^ 0x80]) + data[place + 1 :]
        yield f"cut {place}", data[:place] + data[place + 1 :]
        yield f"double {place}", data[:place] + data[place : place + 1] + data[place:]
        yield f"end {place}", data[:place]
    yield "longer", data + b"\0"
    yield "before", b"\0" + data
    yield "twice", data + data


def other_zips(files: Files) -> Iterator[tuple[str, bytes]]:
    """What ZIP programs would make of the same files, and what crafty ones would."""
    data = zipped(files)
    first, last = sorted(files)[0], sorted(files)[-1]
    for kind, level in (
        (zipfile.ZIP_STORED, None),
        (zipfile.ZIP_DEFLATED, 9),
        (zipfile.ZIP_BZIP2, 9),
        (zipfile.ZIP_LZMA, None),
    ):
        yield f"by another program, {kind}", by_zipfile(sorted(files.items()), kind, level)
    yield "unsorted", raw_zip([*sorted(files.items())[1:], (first, files[first])])
    yield "a file twice", raw_zip([*sorted(files.items()), (last, files[last])])
    yield "a folder", raw_zip([*sorted([*files.items(), ("public/", b"")])])
    for name in (
        "../evil.json",
        "/etc/evil",
        "public/../../evil",
        "public\\..\\evil",
        "C:evil",
        "receipts/0001.json",
        "public/leaves.txt\0.json",
        "",
        "é",
    ):
        yield f"name {name!r}", raw_zip(sorted([*files.items(), (name, b"{}")]))
    yield (
        "a bomb",
        by_zipfile([*sorted(files.items())[:-1], (last, bytes(20_000_000))], zipfile.ZIP_DEFLATED, 9),
    )
    yield "a size beyond the file", data[:18] + b"\xff\xff\xff\x0f" * 2 + data[26:]
    yield "a size of 4 GiB", data[:18] + b"\xff\xff\xff\xff" * 2 + data[26:]
    yield "a comment", data[:-2] + b"\1\0x"
    yield "nothing but the end", raw_zip([])
    yield "nothing", b""
    yield "a text", b"{}"


def raw_zip(items: list[tuple[str, bytes]]) -> bytes:
    """The page's ZIP of these files in this order, whatever they are called."""
    return (
        zipped(dict(items))
        if len(dict(items)) == len(items) and sorted(items) == items
        else unsorted_zip(items)
    )


def unsorted_zip(items: list[tuple[str, bytes]]) -> bytes:
    parts = [zipped({name: data}) for name, data in items]
    locals_ = [part[: part.index(b"PK\x01\x02")] for part in parts]
    central, offset = b"", 0
    for part, local in zip(parts, locals_, strict=True):
        header = bytearray(part[len(local) : -22])
        header[42:46] = offset.to_bytes(4, "little")
        central, offset = central + bytes(header), offset + len(local)
    count = len(items).to_bytes(2, "little") * 2
    end = (
        b"PK\x05\x06"
        + bytes(4)
        + count
        + len(central).to_bytes(4, "little")
        + offset.to_bytes(4, "little")
        + bytes(2)
    )
    return b"".join(locals_) + central + end


def by_zipfile(items: list[tuple[str, bytes]], kind: int, level: int | None) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", kind, compresslevel=level) as archive:
        for name, data in items:
            archive.writestr(zipfile.ZipInfo(name), data, kind, level)
    return stream.getvalue()


def test_the_zips_of_this_test_are_what_they_say(tmp_path: Path) -> None:
    files = golden_record("undrawn")
    assert unsorted_zip(sorted(files.items())) == zipped(files)
    assert zipfile.ZipFile(io.BytesIO(zipped(files))).testzip() is None
    archive = zipfile.ZipFile(io.BytesIO(unsorted_zip(sorted(files.items(), reverse=True))))
    assert archive.testzip() is None
    assert {name: archive.read(name) for name in archive.namelist()} == files


def test_no_byte_of_a_zip_can_be_changed(tmp_path: Path) -> None:
    files, tried = golden_record("undrawn"), 0
    for label, data in [*zip_mutations(zipped(files), 29), *other_zips(files)]:
        found = read_as_zip(data, tmp_path)
        one, other = library(found), alone(found)
        assert disagreement(one, other) is None, label
        assert first_failure(other) == "files", label
        tried += 1
    assert list(tmp_path.iterdir()) == [tmp_path / "record.zip"]
    print(f"{tried} changed ZIPs, all refused")


# ---- size ---------------------------------------------------------------------------------------------------
def test_a_file_of_300_megabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    """A sparse file, in the folder and as the size in a ZIP."""
    folder = tmp_path / "record"
    for file, data in golden_record("undrawn").items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(data)
    with (folder / "public" / "leaves.txt").open("r+b") as stream:
        stream.truncate(300 << 20)
    found = klero_verify.read_record(str(folder))
    assert all(status == "FAIL" for _, status in alone(found))
    one, other = library(found), alone(found)
    assert disagreement(one, other) is None
    assert first_failure(one) == "files"
    path = tmp_path / "record.zip"
    path.write_bytes(
        zipped({"public/declaration.json": b"{}"})[:18]
        + (300 << 20).to_bytes(4, "little") * 2
        + b"\x17\0\0\0public/declaration.json"
    )
    with path.open("r+b") as stream:
        stream.truncate(400 << 20)
    assert first_failure(alone(klero_verify.read_record(str(path)))) == "files"
