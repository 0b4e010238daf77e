"""The file of an index: one form, and nothing else is read."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import klero
from klero.voices.index import NearDuplicateIndex

TEXTS = [
    "un tram ici la nuit",
    "Un tram, ici la nuit",
    "",
    "un parc vert et calme",
    "un tram ici la nuit oui",
    None,
]
IDS = ["é", "b", "10", "9", "a", "c"]


def index_of_all() -> NearDuplicateIndex:
    index = NearDuplicateIndex(0.5)
    index.add(IDS, TEXTS)
    return index


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    index_of_all().save(tmp_path / "i.parquet")
    return tmp_path / "i.parquet"


def test_a_loaded_index_is_the_same_and_goes_on(saved: Path, tmp_path: Path) -> None:
    index = NearDuplicateIndex.load(saved)
    assert index.groups() == index_of_all().groups()
    assert index.settings == index_of_all().settings
    index.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == saved.read_bytes()
    assert index.add(["new"], ["UN TRAM ICI LA NUIT"]).groups == (index.group_of("b"),)


@settings(max_examples=40, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from(["jaccard", "containment"]))
def test_the_same_texts_give_the_same_bytes_whatever_happened_before(
    tmp_path_factory: pytest.TempPathFactory, chance: random.Random, measure: str
) -> None:
    folder = tmp_path_factory.mktemp("index")
    straight = NearDuplicateIndex(0.5, measure)
    straight.add(IDS, TEXTS)
    straight.save(folder / "straight")
    index = NearDuplicateIndex(0.5, measure)
    rows = list(range(len(IDS)))
    chance.shuffle(rows)
    for row in rows:
        index.add([f"gone{row}"], [TEXTS[chance.randrange(len(TEXTS))]])
        index.add([IDS[row]], [TEXTS[row]])
        if chance.random() < 0.3:
            index.remove([IDS[row]])
            index.add([IDS[row]], [TEXTS[row]])
            index.save(folder / "between", force=True)
            index = NearDuplicateIndex.load(folder / "between")
    index.remove([f"gone{row}" for row in rows])
    index.save(folder / "crooked")
    assert (folder / "crooked").read_bytes() == (folder / "straight").read_bytes()


def test_row_groups_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("klero.voices.index_file._ROW_GROUP", 2)
    index_of_all().save(tmp_path / "i")
    assert pq.ParquetFile(tmp_path / "i").num_row_groups == 3
    assert NearDuplicateIndex.load(tmp_path / "i").groups() == index_of_all().groups()


def test_an_empty_index_is_kept_too(tmp_path: Path) -> None:
    NearDuplicateIndex(measure="containment", shingle=5, fold_accents=True, min_shared=9).save(tmp_path / "i")
    index = NearDuplicateIndex.load(
        tmp_path / "i", measure="containment", shingle=5, fold_accents=True, min_shared=9
    )
    assert (len(index), index.groups(), index.settings.min_shared) == (0, (), 9)


def test_the_texts_are_not_in_the_file(saved: Path) -> None:
    data = saved.read_bytes()
    assert not any(word.encode() in data for text in TEXTS for word in (text or "").split() if len(word) > 3)


def test_a_million_copies_take_a_row_each_and_their_shingles_once(tmp_path: Path) -> None:
    index = NearDuplicateIndex()
    index.add(range(200_000), ["une lettre que tous ont recopiée sans rien y changer"] * 200_000)
    index.save(tmp_path / "i")
    assert (tmp_path / "i").stat().st_size < 200_000 * 36
    assert NearDuplicateIndex.load(tmp_path / "i").groups() == index.groups()


def test_what_is_there_is_not_overwritten(saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(klero.OutputExistsError):
        NearDuplicateIndex().save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]
    NearDuplicateIndex().save(saved, force=True)
    assert len(NearDuplicateIndex.load(saved)) == 0


def code_of(path: Path, **asked: Any) -> str:
    with pytest.raises(klero.InputError) as caught:
        NearDuplicateIndex.load(path, **asked)
    (fault,) = caught.value.faults
    return fault.code


@pytest.mark.parametrize(
    "asked",
    [
        {"threshold": 0.8},
        {"measure": "containment"},
        {"shingle": 2},
        {"fold_accents": True},
        {"min_shared": 2},
    ],
)
def test_other_settings_than_those_asked_for_are_refused(saved: Path, asked: dict[str, Any]) -> None:
    assert code_of(saved, **asked) == "index-settings"


def test_all_settings_that_differ_are_told(saved: Path) -> None:
    with pytest.raises(klero.InputError, match=r"threshold is 0.5 and not 0.9; shingle is 3 and not 1"):
        NearDuplicateIndex.load(saved, threshold=0.9, shingle=1, measure="jaccard")


def test_places_without_an_index(tmp_path: Path) -> None:
    assert code_of(tmp_path / "none") == "file-missing"
    assert code_of(tmp_path) == "file-is-directory"
    (tmp_path / "empty").touch()
    assert code_of(tmp_path / "empty") == "index-invalid"
    (tmp_path / "text.csv").write_text("id,text\n1,oui\n")
    assert code_of(tmp_path / "text.csv") == "index-invalid"
    pq.write_table(pa.table({"id": ["a"], "text": ["oui"]}), tmp_path / "table.parquet")
    assert code_of(tmp_path / "table.parquet") == "index-invalid"
    # Sealed, and yet none.
    for number, metadata in enumerate([{}, {"klero-index": "{"}, {"klero-index": "[" * 100_000}]):
        table = pa.table({"id": ["a"]}).replace_schema_metadata(metadata | {"seal": "sha256:" + "0" * 64})
        pq.write_table(table, tmp_path / f"{number}", store_schema=True)
        raw = (tmp_path / f"{number}").read_bytes()
        (tmp_path / f"{number}").write_bytes(sealed(raw))
        assert code_of(tmp_path / f"{number}") == "index-invalid"
    (tmp_path / "sealed").write_bytes(sealed(b"PAR1 sha256:" + b"0" * 64 + b"PAR1"))
    assert code_of(tmp_path / "sealed") == "index-invalid"


# What follows writes files that are sound but for one thing, and so need a digest of their own: an oracle of the format.

Head = dict[str, Any]
Rows = list[tuple[bytes, bytes, int, list[int]]]


def read(path: Path) -> tuple[Head, Rows]:
    file = pq.ParquetFile(path)
    head = json.loads(file.metadata.metadata[b"klero-index"])
    columns = file.read()
    ids = columns["id"].cast(pa.binary()).to_pylist()
    return head, list(
        zip(ids, *(columns[name].to_pylist() for name in ("sequence", "first", "shingles")), strict=True)
    )


def digest(head: Head, rows: Rows) -> str:
    """SHA-256 over the settings and each column, the number of its values before it."""
    told = {key: value for key, value in head.items() if key not in {"digest", "texts"}}

    def bounds(lengths: list[int]) -> list[int]:
        return list(accumulate(lengths, initial=0))

    ids, sequences, firsts, lists = zip(*rows, strict=True) if rows else ((), (), (), ())
    sha = hashlib.sha256(b"klero-index/1\0")
    settings_json = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    for count, data in (
        (len(settings_json), settings_json),
        (len(rows) + 1, struct.pack(f"<{len(rows) + 1}q", *bounds(list(map(len, ids))))),
        (sum(map(len, ids)), b"".join(ids)),
        (16 * len(rows), b"".join(sequences)),
        (len(rows), struct.pack(f"<{len(rows)}I", *firsts)),
        (len(rows) + 1, struct.pack(f"<{len(rows) + 1}q", *bounds(list(map(len, lists))))),
        (sum(map(len, lists)), b"".join(struct.pack("<Q", s) for one in lists for s in one)),
    ):
        sha.update(struct.pack("<Q", count) + data)
    return sha.hexdigest()


SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("sequence", pa.binary(16), nullable=False),
        pa.field("first", pa.uint32(), nullable=False),
        pa.field("shingles", pa.list_(pa.field("element", pa.uint64(), nullable=False)), nullable=False),
    ]
)


def write(
    path: Path, head: Head, rows: Rows, *, schema: pa.Schema = SCHEMA, seal: bool = True, **options: Any
) -> Path:
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    binary = pa.array(columns[0], pa.binary())
    ids = pa.Array.from_buffers(pa.string(), len(rows), binary.buffers())
    table = pa.Table.from_arrays(
        [
            ids,
            *(
                pa.array(column, field.type)
                for column, field in zip(columns[1:], list(SCHEMA)[1:], strict=True)
            ),
        ],
        schema=SCHEMA,
    )
    if seal:
        head = head | {"digest": digest(head, rows), "texts": len(rows)}
    plain: Any = {
        "compression": "none",
        "use_dictionary": False,
        "write_statistics": False,
        "store_schema": False,
    }
    with pq.ParquetWriter(path, schema, **plain | options) as writer:
        writer.add_key_value_metadata({"klero-index": json.dumps(head), "klero-seal": "sha256:" + "0" * 64})
        writer.write_table(table.select(schema.names).cast(schema))
    path.write_bytes(sealed(path.read_bytes()))
    return path


def sealed(data: bytes) -> bytes:
    """With the hash of the file in the place of the last 64 digits after «sha256:»."""
    head, seal, tail = data.rpartition(b"sha256:")
    blank = head + seal + b"0" * 64 + tail[64:]
    return head + seal + hashlib.sha256(blank).hexdigest().encode() + tail[64:]


def test_the_format_is_what_its_description_says(saved: Path, tmp_path: Path) -> None:
    head, rows = read(saved)
    assert [row[0] for row in rows] == sorted(name.encode() for name in IDS)
    assert saved.read_bytes() == sealed(saved.read_bytes())
    assert head["digest"] == digest(head, rows)
    assert head["texts"] == len(rows) == 6
    assert head["format"] == "klero-index/1"
    by_id = dict(zip((row[0].decode() for row in rows), rows, strict=True))
    assert by_id["10"][1] == bytes(16)
    assert by_id["10"][3] == []
    assert by_id["b"][2] == rows.index(by_id["b"])
    assert by_id["é"][2] == by_id["b"][2]
    assert by_id["é"][3] == []
    assert NearDuplicateIndex.load(write(tmp_path / "again", head, rows)).groups() == index_of_all().groups()


def rows_with(place: int, **fields: Any) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        names = ("id", "sequence", "first", "shingles")
        old = dict(zip(names, rows[place], strict=True))
        return [*rows[:place], tuple((old | fields)[name] for name in names), *rows[place + 1 :]]  # type: ignore[list-item]

    return change


# Rows of the file: «10» (empty), «9», «a», «b», «c» (empty), «é» (as «b»).
BAD_ROWS: dict[str, tuple[Callable[[Rows], Rows], str]] = {
    "ids out of order": (lambda rows: [rows[0], rows[0], *rows[2:]], "row 2.*the id"),
    "an id twice": (rows_with(1, id=b"10"), "row 2.*the id"),
    "an id without characters": (rows_with(0, id=b""), "row 1.*the id"),
    "shingles out of order": (rows_with(1, shingles=[2, 1]), "row 2.*the shingles"),
    "a shingle twice": (rows_with(1, shingles=[1, 1]), "row 2.*the shingles"),
    "a copy with shingles": (rows_with(5, shingles=[1]), "row 6.*the shingles"),
    "a copy of a later row": (rows_with(0, first=5), "row 1.*it names a row"),
    "a copy of no row": (rows_with(5, first=2**32 - 1), "row 6.*it names a row"),
    "a copy of other words": (rows_with(5, first=1), "row 6.*it names a row"),
    "a copy of a copy": (lambda rows: [*rows, (b"\xc3\xaa", rows[5][1], 5, [])], "row 7.*it names a row"),
    "a copy that is not named": (
        lambda rows: [*rows, (b"\xc3\xaa", rows[3][1], 6, rows[3][3])],
        "row 7.*it names a row",
    ),
    "no words and a hash": (rows_with(0, sequence=bytes(15) + b"x"), "row 1.*a text without words"),
}


@pytest.mark.parametrize("what", BAD_ROWS)
def test_rows_that_are_no_index_are_refused_even_with_the_right_digest(
    what: str, saved: Path, tmp_path: Path
) -> None:
    change, message = BAD_ROWS[what]
    head, rows = read(saved)
    path = write(tmp_path / "bad", head, change(rows))
    with pytest.raises(klero.InputError, match=message) as caught:
        NearDuplicateIndex.load(path)
    assert [fault.code for fault in caught.value.faults] == ["index-invalid"]


@pytest.mark.parametrize("field", ["format", "normaliser", "shingles", "algorithm", "probe"])
@pytest.mark.parametrize("value", ["klero-index/2", None, 1])
def test_other_versions_are_refused(field: str, value: object, saved: Path, tmp_path: Path) -> None:
    head, rows = read(saved)
    assert code_of(write(tmp_path / "bad", head | {field: value}, rows)) == "index-version"


BAD_HEADS: dict[str, Callable[[Head], object]] = {
    "a changed setting": lambda head: head | {"threshold": 0.4},
    "a threshold that klero has not": lambda head: head | {"threshold": 0.0},
    "a threshold that is no number": lambda head: head | {"threshold": float("nan")},
    "a setting that is text": lambda head: head | {"shingle": "3"},
    "a setting that is null": lambda head: head | {"min_shared": None},
    "a truth value that is none": lambda head: head | {"fold_accents": 0},
    "a setting too many": lambda head: head | {"more": 1},
    "a setting too few": lambda head: {key: value for key, value in head.items() if key != "shingle"},
    "another number of texts": lambda head: head | {"texts": 7},
    "texts that are no number": lambda head: head | {"texts": "6"},
    "a number of texts beyond all": lambda head: head | {"texts": 10**30},
    "another digest": lambda head: head | {"digest": "0" * 64},
    "a digest that is none": lambda head: head | {"digest": None},
    "no mapping": lambda head: [head],
}


@pytest.mark.parametrize("what", BAD_HEADS)
def test_what_a_file_says_of_itself_is_checked(what: str, saved: Path, tmp_path: Path) -> None:
    head, rows = read(saved)
    bad: Any = BAD_HEADS[what](head)
    assert code_of(write(tmp_path / "bad", bad, rows, seal=False)) == "index-invalid"


def test_a_bomb_of_compression_or_dictionaries_is_not_read(saved: Path, tmp_path: Path) -> None:
    head, _rows = read(saved)
    rows: Rows = [(f"{i:06}".encode(), bytes(16), i, []) for i in range(50_000)]
    for options in ({"compression": "zstd"}, {"use_dictionary": True}, {"use_dictionary": ["sequence"]}):
        assert code_of(write(tmp_path / "bomb", head, rows, **options)) == "index-invalid"
    assert len(NearDuplicateIndex.load(write(tmp_path / "sound", head, rows))) == 50_000


@pytest.mark.parametrize("names", [["id"], ["sequence", "id", "first", "shingles"]])
def test_other_columns_are_refused(names: list[str], saved: Path, tmp_path: Path) -> None:
    head, rows = read(saved)
    path = write(tmp_path / "bad", head, rows, schema=pa.schema([SCHEMA.field(name) for name in names]))
    assert code_of(path) == "index-invalid"


def test_columns_of_other_types_are_refused(saved: Path, tmp_path: Path) -> None:
    head, rows = read(saved)
    for name, kind in (("first", pa.int32()), ("id", pa.binary()), ("shingles", pa.list_(pa.uint64()))):
        at = SCHEMA.get_field_index(name)
        path = write(tmp_path / "bad", head, rows, schema=SCHEMA.set(at, pa.field(name, kind)))
        assert code_of(path) == "index-invalid"


def test_ids_that_are_no_text_are_refused(saved: Path, tmp_path: Path) -> None:
    head, rows = read(saved)
    assert code_of(write(tmp_path / "bad", head, rows_with(5, id=b"\xff")(rows))) == "index-invalid"


def test_damaged_files_are_refused_before_they_are_read(saved: Path, tmp_path: Path) -> None:
    data, chance, path = saved.read_bytes(), random.Random(4), tmp_path / "damaged"
    cuts = [data[:cut] for cut in range(0, len(data), 17)]
    flips = [bytearray(data) for _ in range(1200)]
    for flipped in flips:
        for _ in range(chance.choice([1, 1, 2, 8])):
            flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    inserted = [
        data[:at] + chance.randbytes(3) + data[at + chance.choice([0, 3]) :] for at in range(4, len(data), 13)
    ]
    for damaged in [*cuts, *flips, *inserted]:
        if damaged != data:
            path.write_bytes(damaged)
            assert code_of(path) == "index-invalid"


def test_a_name_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(klero.InputError, match="file-type"):
        NearDuplicateIndex().save("a\0")
