"""The one ZIP of a record: what is packed comes out, any other byte is refused."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.errors import BundleError
from klero.ledger.archive import FILE_LIMIT, pack, unpack
from klero.ledger.record_folder import is_record, scan_record
from klero.ledger.verify import verify
from record_cases import golden_record

NAMES = st.sampled_from(
    [
        "public/declaration.json",
        "public/leaves.txt",
        *(f"public/entry-{n:04}.json" for n in (1, 2, 999)),
        *(
            f"auditor/{name}-{r}.json"
            for name in ("instance", "pool", "lottery", "certificate")
            for r in (0, 7, 99)
        ),
        "sealed/people.json",
    ]
)


@given(st.dictionaries(NAMES, st.binary(max_size=200), min_size=1))
@settings(max_examples=300, deadline=None)
def test_what_is_packed_comes_out_and_other_programs_read_it(files: dict[str, bytes]) -> None:
    data = pack(files)
    assert unpack(data) == files
    assert pack(dict(reversed(files.items()))) == data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == files


@given(st.dictionaries(NAMES, st.binary(max_size=40), min_size=1, max_size=4), st.data())
@settings(max_examples=300, deadline=None)
def test_any_changed_byte_is_refused_or_is_another_record(
    files: dict[str, bytes], data: st.DataObject
) -> None:
    packed = bytearray(pack(files))
    place = data.draw(st.integers(0, len(packed) - 1))
    packed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(BundleError):
        unpack(bytes(packed))


def test_every_byte_of_a_small_archive_counts() -> None:
    good = pack({"public/leaves.txt": b"abc", "public/entry-0001.json": b"{}"})
    for place in range(len(good)):
        for flip in (1, 0x80):
            bad = bytearray(good)
            bad[place] ^= flip
            with pytest.raises(BundleError):
                unpack(bytes(bad))
    for end in range(len(good)):
        with pytest.raises(BundleError):
            unpack(good[:end])


@pytest.mark.parametrize("more", [b"\0", b"PK", b"PK\x05\x06" + bytes(18)])
def test_nothing_stands_before_or_behind(more: bytes) -> None:
    good = pack({"public/leaves.txt": b""})
    for bad in (good + more, more + good):
        with pytest.raises(BundleError):
            unpack(bad)


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "/etc/passwd",
        "public/../../evil",
        "public\\leaves.txt",
        "receipts/receipt-0.json",
        "public/entry-001.json",
        "public/entry-1000.json",
        "auditor/pool-01.json",
        "auditor/pool-100.json",
        "PUBLIC/leaves.txt",
        "public/leaves.txt\0",
        "x" * 60000,
    ],
)
def test_no_name_points_elsewhere(name: str) -> None:
    with pytest.raises(BundleError, match="no file of a record"):
        pack({name: b""})
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"x")
    with pytest.raises(BundleError):
        unpack(stream.getvalue())


def test_a_name_twice_is_refused() -> None:
    one = pack({"public/leaves.txt": b"a"})
    local = one[: one.index(b"PK\x01\x02")]
    with pytest.raises(BundleError, match="none twice"):
        unpack(local + local + one[len(local) :])


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_STORED])
def test_archives_of_other_programs_are_refused(method: int) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("public/leaves.txt", b"0" * 10**6)
    with pytest.raises(BundleError, match=r"another header|ends within"):
        unpack(stream.getvalue())


def test_a_size_beyond_the_limit_is_refused_before_it_is_read() -> None:
    good = bytearray(pack({"public/leaves.txt": b""}))
    good[18:26] = (FILE_LIMIT + 1).to_bytes(4, "little") * 2
    with pytest.raises(BundleError, match="more than"):
        unpack(bytes(good))


def test_a_record_verifies_from_its_folder_and_from_its_zip_alike(tmp_path: Path) -> None:
    files = golden_record("drand")
    for name, data in files.items():
        (tmp_path / "rec" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rec" / name).write_bytes(data)
    (tmp_path / "rec.zip").write_bytes(pack(files))
    folder, archive = verify(tmp_path / "rec"), verify(tmp_path / "rec.zip")
    assert folder.ok
    assert folder.checks == archive.checks
    assert folder.what == "record"
    (tmp_path / "rec" / "receipts").mkdir()
    (tmp_path / "rec" / "receipts" / "x").write_text("y")
    assert verify(tmp_path / "rec").ok


@pytest.mark.parametrize("what", ["file", "folder", "link", "empty", "receipts", "hidden", "inside", "huge"])
def test_strays_in_a_folder_fail_the_check_files(tmp_path: Path, what: str) -> None:
    for name, data in golden_record("drand").items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    leaves = tmp_path / "public" / "leaves.txt"
    if what == "file":
        (tmp_path / "notes.txt").write_text("x")
    elif what == "folder":
        (tmp_path / "more").mkdir()
    elif what == "link":
        leaves.rename(tmp_path.parent / "elsewhere.txt")
        leaves.symlink_to(tmp_path.parent / "elsewhere.txt")
    elif what == "empty":
        (tmp_path / "sealed" / "people.json").unlink()
    elif what == "receipts":
        (tmp_path / "receipts").write_text("a file of that name")
    elif what == "hidden":
        (tmp_path / "public" / ".DS_Store").write_text("x")
    elif what == "inside":
        (tmp_path / "public" / "deeper").mkdir()
    else:
        with leaves.open("r+b") as stream:
            stream.truncate(FILE_LIMIT + 1)
    result = verify(tmp_path)
    assert result.failed
    assert result.failed.name == "files"
    assert len(result) == 25
    assert all(check.status == "FAIL" for check in result)
    if what == "link":
        (tmp_path.parent / "elsewhere.txt").unlink()


def test_a_huge_file_a_bomb_and_an_empty_file_fail_in_words(tmp_path: Path) -> None:
    with (tmp_path / "huge.zip").open("wb") as stream:
        stream.write(b"PK\x03\x04")
        stream.truncate(2 << 30)
    assert is_record(tmp_path / "huge.zip")
    assert "more than" in scan_record(tmp_path / "huge.zip")[1]
    stream_ = io.BytesIO()
    with zipfile.ZipFile(stream_, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("public/leaves.txt", bytes(50 << 20))
    (tmp_path / "bomb.zip").write_bytes(stream_.getvalue())
    failed = verify(tmp_path / "bomb.zip").failed
    assert failed
    assert failed.name == "files"
    (tmp_path / "short.zip").write_bytes(b"PK")
    assert verify(tmp_path / "short.zip").failed
