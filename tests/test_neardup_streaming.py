"""Near-duplicates of a file: the bytes of the in-memory way, within a budget, and nothing left behind."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from klero import _native
from klero.errors import InputError, OutputExistsError
from klero.voices import memory, streaming
from klero.voices.contributions import Contributions
from klero.voices.memory import available_memory, needed, parse_memory, reading_need, rows_that_fit, size_text
from klero.voices.near_duplicates import NearDuplicates, near_duplicates
from klero.voices.sets import native_chunk
from klero.voices.settings import Settings
from klero.voices.streaming import near_duplicates_file
from klero.voices.table_output import SUFFIXES, write_rows

Ids = Callable[[int], Any]
RULES = {"threshold": 0.7, "measure": "jaccard", "min_shared": 1, "shingle": 3, "fold_accents": False}


def corpus(seed: int, count: int = 150) -> list[str]:
    """Letters with small changes, copies, short answers, texts without words."""
    chance = random.Random(seed)
    texts = [
        "",
        " ",
        "🙂🙂",
        "Oui",
        "oui.",
        "ok",
        "Santé, éducation",
        "éducation « santé »",
        "a\u200bb c d e",
        "раris c d e",
    ]
    for _ in range(count):
        letter = [f"mot{chance.randrange(4000)}" for _ in range(chance.randint(3, 70))]
        for _ in range(chance.randint(1, 6)):
            words = list(letter)
            for _ in range(chance.randint(0, 2)):
                words[chance.randrange(len(words))] = f"mot{chance.randrange(4000)}"
            texts.append(" ".join(words))
    chance.shuffle(texts)
    return texts


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def numbers(row: int) -> int:
    return (row * 7919) % 100003 - 500


def names(row: int) -> str:
    return f"n°{(row * 7919) % 100003}"


def digits(row: int) -> str:
    return str(numbers(row))


def parquet(folder: Path, texts: list[str], ids: Ids) -> Path:
    path = folder / "contributions.parquet"
    pq.write_table(
        pa.table({"id": [ids(i) for i in range(len(texts))], "text": texts}), path, row_group_size=100
    )
    return path


def in_memory(path: Path, **options: Any) -> NearDuplicates:
    return near_duplicates(Contributions.read(path), **options)


def as_bytes(table: pa.Table, suffix: str) -> bytes:
    stream = BytesIO()
    write_rows(stream, suffix, table.schema, table.to_batches(max_chunksize=77))
    return stream.getvalue()


@pytest.mark.parametrize("ids", [numbers, names, digits])
@pytest.mark.parametrize(
    "options",
    [
        {"threshold": 0.8},
        {"threshold": 0.5, "shingle": 2},
        {"threshold": 0.8, "measure": "containment"},
        {"threshold": 0.7, "mode": "sketch", "recall": 0.8},
        {"threshold": 0.6, "fold_accents": True, "threads": 3},
    ],
)
def test_a_file_gives_what_its_texts_give_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ids: Ids, options: dict[str, Any]
) -> None:
    texts = corpus(1)
    monkeypatch.setattr(streaming, "_ROWS", 61)
    path = parquet(tmp_path, texts, ids)
    expected = in_memory(path, **options)
    found = near_duplicates_file(path, **options)
    assert pa.Table.from_batches(found.batches(100), found.schema).equals(
        expected.to_arrow().combine_chunks()
    )
    assert (found.counts, found.settings, found.digest) == (
        expected.counts,
        expected.settings,
        expected.digest,
    )
    assert (found.lookalikes, found.invisibles) == (expected.lookalikes, expected.invisibles)
    assert found.counts.texts == found.counts.grouped + found.counts.alone + found.counts.empty
    assert found.counts.groups > 50
    few = [(g.id, g.representative, g.size, g.distinct, g.weakest_edge) for g in expected.groups[:20]]
    assert [(g.id, g.representative, g.size, g.distinct, g.weakest_edge) for g in found.largest[:20]] == few


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_written_bytes_are_those_of_the_table_in_memory(tmp_path: Path, suffix: str) -> None:
    texts = corpus(2)
    output = tmp_path / f"groups{suffix}"
    path = parquet(tmp_path, texts, names)
    near_duplicates_file(path, threshold=0.7, output=output)
    assert output.read_bytes() == as_bytes(in_memory(path, threshold=0.7).to_arrow(), suffix)
    assert inside(tmp_path) == sorted(["contributions.parquet", output.name])


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_csv_and_json_lines_are_read_like_parquet(tmp_path: Path, suffix: str) -> None:
    texts = [text.replace(" ", "\n", 1) for text in corpus(3)]
    path = tmp_path / f"contributions{suffix}"
    rows = [{"id": names(i), "text": text} for i, text in enumerate(texts)]
    if suffix == ".csv":
        quoted = "".join('{},"{}"\n'.format(row["id"], row["text"].replace('"', '""')) for row in rows)
        path.write_text("id,text\n" + quoted, encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    found = near_duplicates_file(path, threshold=0.7)
    assert found.counts == near_duplicates_file(parquet(tmp_path, texts, names), threshold=0.7).counts


def test_rows_without_ids_are_numbered_as_contributions_are(tmp_path: Path) -> None:
    path = tmp_path / "texts.parquet"
    pq.write_table(
        pa.table({"text": ["le tramway pour le nord", "autre chose ici", "le tramway pour le nord"]}), path
    )
    found = near_duplicates_file(path, text="text")
    rows = pa.Table.from_batches(found.batches(), found.schema).to_pylist()
    assert [(row["id"], row["group"], row["size"]) for row in rows] == [(1, 1, 2), (2, None, 1), (3, 1, 2)]


def streamed(
    texts: list[str], folder: Path, batch: int, threads: int, recall: float | None, early: bool, piece: int
) -> Any:
    stream = _native.NeardupStream(str(folder), **RULES, recall=recall if early else None, piece=piece)
    for first in range(0, len(texts), batch):
        some = pa.array(texts[first : first + batch], pa.large_string())
        named = pa.array([names(first + i) for i in range(len(some))], pa.large_string())
        stream.add(native_chunk(some), native_chunk(named), threads)
    assert stream.rows == len(texts)
    return stream.finish(recall=recall, threads=threads)


@pytest.mark.parametrize("recall", [None, 0.7])
def test_batches_threads_and_what_goes_to_disk_change_nothing(tmp_path: Path, recall: float | None) -> None:
    texts = corpus(4)
    expected = streamed(texts, tmp_path, 10_000, 1, recall, False, 1 << 15)
    lines = expected.rows(0, len(texts)), expected.digest(b"head", 1), expected.counts()
    assert lines[2]["groups"] > 50
    for batch, threads, early, piece in [
        (1, 1, True, 1),
        (37, 2, False, 8),
        (100, 8, True, 64),
        (5000, 3, True, 200),
    ]:
        found = streamed(texts, tmp_path, batch, threads, recall, early and recall is not None, piece)
        got = found.rows(0, len(texts)), found.digest(b"head", threads), found.counts()
        assert got[:2] == lines[:2]
        assert {k: v for k, v in got[2].items() if k != "work"} == {
            k: v for k, v in lines[2].items() if k != "work"
        }
    assert inside(tmp_path) == []


def test_a_stream_is_finished_once_and_refuses_what_does_not_fit(tmp_path: Path) -> None:
    stream = _native.NeardupStream(str(tmp_path), **RULES)
    one, two = (native_chunk(pa.array(["x"] * n, pa.large_string())) for n in (1, 2))
    with pytest.raises(ValueError, match="one id for each text"):
        stream.add(one, two, 1)
    stream.add(two, two, 1)
    stream.finish(threads=1)
    for again in (lambda: stream.add(one, one, 1), lambda: stream.finish(threads=1), lambda: stream.rows):
        with pytest.raises(ValueError, match="finished"):
            again()
    with pytest.raises(ValueError, match="recall"):
        _native.NeardupStream(str(tmp_path), **RULES, recall=1.5)


def test_an_empty_stream_has_no_rows(tmp_path: Path) -> None:
    found = streamed([], tmp_path, 1, 2, None, False, 8)
    assert found.counts()["texts"] == 0
    assert found.rows(0, 10)["sizes"] == b""
    assert found.largest(5)["sizes"] == []


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = parquet(tmp_path, corpus(5, 3), names)
    with pytest.raises(OSError, match="--temp") as caught:
        near_duplicates_file(path, temp_folder=tmp_path / "nowhere")
    assert caught.value.filename == str(tmp_path / "nowhere")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /proc")
def test_nothing_is_left_behind_after_an_end_a_fault_or_ctrl_c(tmp_path: Path) -> None:
    path = parquet(tmp_path, corpus(6), names)
    temp = tmp_path / "temp"
    temp.mkdir()
    seen = []

    def look(step: str, _done: int) -> None:
        seen.append((step, inside(temp)))

    def stop(_step: str, done: int) -> None:
        raise KeyboardInterrupt

    near_duplicates_file(path, temp_folder=temp, progress=look)
    assert ("reading", []) in seen
    with pytest.raises(KeyboardInterrupt):
        near_duplicates_file(path, temp_folder=temp, progress=stop, output=tmp_path / "out.csv")
    twice = tmp_path / "twice.parquet"
    pq.write_table(pa.table({"id": ["a", "a"], "text": ["x", "y"]}), twice)
    with pytest.raises(InputError, match="id-duplicate"):
        near_duplicates_file(twice, temp_folder=temp, output=tmp_path / "out.csv")
    assert inside(temp) == []
    assert inside(tmp_path) == ["contributions.parquet", "temp", "twice.parquet"]


FULL = """
import resource, sys
from klero.voices.streaming import near_duplicates_file
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    near_duplicates_file(sys.argv[1], temp_folder=sys.argv[2])
except OSError as error:
    print(error)
"""


@pytest.mark.parametrize("size", [1_000, 30_000])
def test_a_full_disk_is_told_with_its_folder_and_what_to_do(tmp_path: Path, size: int) -> None:
    path = parquet(tmp_path, corpus(8), names)
    command = [sys.executable, "-c", FULL, str(path), str(tmp_path), str(size)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert str(tmp_path) in told.stdout
    assert "--temp" in told.stdout
    assert inside(tmp_path) == ["contributions.parquet"]


def test_entries_that_find_no_room_are_a_fault_of_the_disk(tmp_path: Path) -> None:
    code = """
import resource, sys, pyarrow as pa
from klero import _native
from klero.voices.sets import native_chunk
stream = _native.NeardupStream(sys.argv[1], threshold=0.8, measure="jaccard", min_shared=1, shingle=3, fold_accents=False, recall=0.99, piece=1)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    for i in range(100):
        some = native_chunk(pa.array([f"un texte {j} comme un autre" for j in range(i * 100, i * 100 + 100)], pa.large_string()))
        stream.add(some, some, 1)
except OSError as error:
    print(i, error.errno)
"""
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True, timeout=60
    )
    batch, errno = told.stdout.split()
    assert 0 < int(batch) < 99  # the first batches found room
    assert int(errno) == 27  # EFBIG


def test_a_batch_that_fails_finishes_the_stream(tmp_path: Path) -> None:
    code = """
import resource, sys, pyarrow as pa
from klero import _native
from klero.voices.sets import native_chunk
stream = _native.NeardupStream(sys.argv[1], threshold=0.8, measure="jaccard", min_shared=1, shingle=3, fold_accents=False, recall=0.99, piece=1)
some = native_chunk(pa.array(["un texte comme un autre " + str(i) for i in range(1000)], pa.large_string()))
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
for act in (lambda: stream.add(some, some, 1), lambda: stream.add(some, some, 1), lambda: stream.finish(recall=0.99, threads=1)):
    try:
        act()
    except (OSError, ValueError) as error:
        print(type(error).__name__)
"""
    told = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True, timeout=60
    )
    assert told.stdout.split() == ["OSError", "ValueError", "ValueError"]


# The budget


def rules(**other: Any) -> Settings:
    given = {
        "threshold": 0.8,
        "measure": "jaccard",
        "mode": "exact",
        "recall": None,
        "shingle": 3,
        "fold_accents": False,
        "min_shared": 1,
    }
    return Settings(**(given | other))


@pytest.mark.parametrize("text", ["2GB", "2 gb", "2000MB", 2_000_000_000])
def test_a_size_may_be_written_in_several_ways(text: str | int) -> None:
    assert parse_memory(text) == 2_000_000_000


@pytest.mark.parametrize("text", ["", "2", "two GB", "-1GB", "1PB", "nanGB", 0, 10**6, True, 2.5, "1MB"])
def test_what_is_no_size_is_refused(text: Any) -> None:
    with pytest.raises(InputError, match="option-range"):
        parse_memory(text)


@pytest.mark.parametrize("size", [64_000_001, 999_999_999, 10**9, 10**9 + 1, 123_456_789_012])
def test_a_size_that_is_told_does(size: int) -> None:
    assert size <= parse_memory(size_text(size)) <= size * 1.1


def test_more_rows_need_more_and_as_many_fit_as_are_told() -> None:
    for settings in (rules(), rules(mode="sketch", recall=0.99), rules(measure="containment")):
        budget = needed(10**6, settings, 2, 0) + (32 << 20)  # this process may grow a little meanwhile
        fits = rows_that_fit(budget, settings, 2, 0)
        assert 10**6 <= fits < 3 * 10**6
        assert rows_that_fit(1 << 20, settings, 2, 0) == 0


def test_ten_million_texts_fit_into_two_gigabytes_at_less_than_a_hundred_bytes_each() -> None:
    settings = rules(mode="sketch", recall=0.99)
    assert needed(10**7, settings, 2, 0) - needed(0, settings, 2, 0) < 100 * 10**7
    assert (
        memory._LIBRARIES + needed(10**7, settings, 2, reading_need("x.csv")) - memory.resident() < 2 * 10**9
    )


def refused(path: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> str:
    monkeypatch.setattr(streaming, "rows_that_fit", lambda *_: 40)
    output = path.parent / "out.csv"
    with pytest.raises(InputError) as caught:
        near_duplicates_file(path, memory="100MB", output=output, **options)
    assert [fault.code for fault in caught.value.faults] == ["memory-budget"]
    assert not output.exists()
    return str(caught.value)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_too_many_rows_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    path = tmp_path / f"texts{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.table({"id": list(range(41)), "text": ["x"] * 41}), path)
    elif suffix == ".csv":
        path.write_text("id,text\n" + "".join(f"{i},x\n" for i in range(41)))
    else:
        path.write_text("".join(json.dumps({"id": i, "text": "x"}) + "\n" for i in range(41)))

    def never(*_: object) -> None:
        raise AssertionError("read")

    monkeypatch.setattr(_native, "NeardupStream", never)
    message = refused(path, monkeypatch)
    assert ("at most 41 texts need" in message) == (suffix != ".parquet")
    assert "41 texts need" in message
    assert "100MB may be used" in message
    assert "--memory" in message


def test_lines_within_quotes_are_no_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "texts.csv"
    path.write_text("id,text\n" + "".join(f'{i},"one\ntwo\nthree ""and"" four"\n' for i in range(30)))
    monkeypatch.setattr(streaming, "rows_that_fit", lambda *_: 40)
    assert near_duplicates_file(path, memory="4GB").counts.grouped == 30


def test_too_many_rows_are_refused_on_the_way_where_their_number_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = parquet(tmp_path, ["x"] * 100, names)
    monkeypatch.setattr(streaming, "_most_rows", lambda *_: None)
    monkeypatch.setattr(streaming, "_ROWS", 30)
    assert "60 texts" in refused(path, monkeypatch)


def test_a_file_that_is_read_whole_needs_more_than_its_size(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(bytes(10**6))
    assert reading_need(tmp_path / "x.xlsx") - reading_need(tmp_path / "none.xlsx") == 8 * 10**6
    assert reading_need("x.PARQUET") < reading_need("x.csv")


def test_a_refusal_says_what_else_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "resident", lambda: 0)  # whatever other tests have left in this process
    error = memory.too_little("f.csv", 10**7, 700_000_000, rules(measure="containment"), 2, 0)
    assert "texts at a time" in str(error)
    assert "Jaccard" in str(error)


def test_what_is_available_follows_the_control_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = available_memory()
    assert free > 0
    (tmp_path / "memory.max").write_text("1000000\n")
    (tmp_path / "memory.current").write_text("400000\n")
    (tmp_path / "memory.stat").write_text("anon 1\ninactive_file 100000\n")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert available_memory() == 700_000
    (tmp_path / "memory.max").write_text("max\n")
    assert available_memory() > 700_000


def test_version_1_of_control_groups_is_followed_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory" / "memory.limit_in_bytes").write_text("5000000\n")
    (tmp_path / "memory" / "memory.usage_in_bytes").write_text("1000000\n")
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    assert available_memory() == 4_000_000


def test_where_the_system_says_nothing_a_modest_size_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_CGROUP", tmp_path)
    monkeypatch.setattr(memory, "_PROC", tmp_path)
    assert 0 < available_memory() <= memory._UNKNOWN


# What can be wrong


def test_all_faults_of_the_options_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        near_duplicates_file(tmp_path / "x.csv", threshold=7, mode="fast", memory="much")
    assert len(caught.value.faults) == 3


def test_an_output_of_another_kind_or_that_is_there_is_refused_first(tmp_path: Path) -> None:
    path = parquet(tmp_path, ["x"], names)
    with pytest.raises(InputError, match="file-type"):
        near_duplicates_file(path, output=tmp_path / "out.xlsx")
    with pytest.raises(InputError, match="output-is-input"):
        near_duplicates_file(path, output=path, force=True)
    (tmp_path / "out.csv").write_text("mine")
    with pytest.raises(OutputExistsError):
        near_duplicates_file(path, output=tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "mine"
    near_duplicates_file(path, output=tmp_path / "out.csv", force=True)
    assert (tmp_path / "out.csv").read_text().startswith("id,group,size,similarity,representative\n")


def test_a_mode_is_chosen_by_the_number_of_rows_when_it_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = corpus(7)
    path = parquet(tmp_path, texts, names)
    assert near_duplicates_file(path).settings.mode == "exact"
    monkeypatch.setattr("klero.voices.settings._EXACT_TEXTS", 100)
    found = near_duplicates_file(path, threshold=0.7, recall=0.8)
    assert (found.settings.mode, found.settings.recall) == ("sketch", 0.8)
    assert found.plan is not None
    assert found.plan.recall >= 0.8
    expected = in_memory(path, threshold=0.7, mode="sketch", recall=0.8)
    assert pa.Table.from_batches(found.batches(), found.schema).equals(expected.to_arrow().combine_chunks())


def slow_lines(data: bytes) -> int:
    """Lines outside quotes, byte by byte."""
    ends, inside = {10: 0, 13: 0}, False
    for byte in data:
        inside ^= byte == 34
        if byte in ends and not inside:
            ends[byte] += 1
    return (ends[10] or ends[13]) + (data[-1:] not in (b"", b"\n", b"\r"))


@pytest.mark.parametrize("block", [1, 7, 300, 1 << 20])
def test_lines_are_counted_block_by_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(streaming, "_BLOCK", block)
    chance = random.Random(block)
    for length in (0, 1, 5, 40, 700):
        for ends in (b"\n", b"\r", b"\r\n"):
            data = b"".join(chance.choice([ends, b'"', b"x", b'"y"']) for _ in range(length))
            (tmp_path / "x.csv").write_bytes(data)
            assert streaming._lines(tmp_path / "x.csv", quoted=True) == slow_lines(data)


def test_counting_lines_takes_little_memory(tmp_path: Path) -> None:
    import tracemalloc

    (tmp_path / "x.csv").write_bytes(b"id,text\n" + b'1,"a\nb"\n' * 3_000_000)
    tracemalloc.start()
    try:
        assert streaming._lines(tmp_path / "x.csv", quoted=True) == 3_000_001
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"largest": -1}, "option-range"),
        ({"largest": "x"}, "option-range"),
        ({"lang": "de"}, "language-unknown"),
        ({"lang": ["en"]}, "language-unknown"),
        ({"html": "x"}, "option-unknown"),
        ({"progress": 5}, "option-unknown"),
        ({"output": "a\0.csv"}, "file-type"),
    ],
)
def test_options_of_a_file_are_told(tmp_path: Path, options: dict[str, Any], code: str) -> None:
    path = parquet(tmp_path, ["a b c"], numbers)
    with pytest.raises(InputError) as caught:
        near_duplicates_file(path, **options)
    assert [fault.code for fault in caught.value.faults] == [code]


def test_a_batch_has_a_row_at_least(tmp_path: Path) -> None:
    found = near_duplicates_file(parquet(tmp_path, corpus(2, 10), numbers))
    for rows in (0, -1, 1.5, "x"):
        with pytest.raises(InputError, match="option-range"):
            found.batches(rows)  # type: ignore[arg-type]


def test_the_result_of_a_file_is_data_too(tmp_path: Path) -> None:
    path = parquet(tmp_path, corpus(3), names)
    found, expected = near_duplicates_file(path, threshold=0.7, largest=3), in_memory(path, threshold=0.7)
    assert pa.table(found) == found.to_arrow() == expected.to_arrow()
    assert found.algorithm == expected.algorithm
    record, other = json.loads(found.to_json()), expected.record()
    assert record == found.record() | {"largest": record["largest"]}
    for key in set(other) - {"schema", "groups"}:
        assert record[key] == other[key]
    assert [group["id"] for group in record["largest"]] == [group.id for group in expected.groups[:3]]
    assert not hasattr(found.largest[0], "members")
    assert repr(found).startswith("<FileResult 'contributions.parquet'")


def test_a_folder_that_is_not_there_is_not_called_full(tmp_path: Path) -> None:
    path = parquet(tmp_path, ["a b c"], numbers)
    with pytest.raises(OSError, match="Check the folder") as caught:
        near_duplicates_file(path, temp_folder=tmp_path / "none")
    assert "no room" not in str(caught.value)


def test_memory_is_told_without_the_modules_of_posix() -> None:
    script = (
        "import sys; sys.modules['resource'] = None\n"
        "from klero.voices import memory\n"
        "assert memory._limit() is None and memory.available_memory() > 0 and memory.resident() > 0"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_a_refusal_advises_the_cheaper_way() -> None:
    rows, budget = 10**6, 64_000_000
    need = needed(rows, rules(), 2, 0)
    for whole, least in ((budget + 10**6, budget + 10**6), (0, need), (2 * need, need)):
        error = memory.too_little("f.csv", rows, budget, rules(), 2, 0, about="at most ", whole=whole)
        told = str(error).partition("--memory ")[2].partition(";")[0]
        assert parse_memory(told) == pytest.approx(least, rel=0.2)
        assert str(error).startswith("f.csv: at most 1,000,000 texts")
