"""Which contributions of a file repeat each other, where the file does not fit into memory?

The file is read once, a batch at a time. Texts and ids are copied into temporary files without a name (nothing stays behind, however the process
ends), 36 bytes a text stay in memory, and what could match is looked for one part of 256 after the other (`rust/core/src/neardup/stream.rs`).
Groups, representatives, similarities and weakest edges are those of `klero.voices.near_duplicates`, byte for byte.

A budget of memory is kept, or refused with the one that would do: before the work where the number of rows is known (Parquet says it; in CSV and
JSON lines there are no more rows than lines), else as soon as there are too many.

In sketch mode a pair at the threshold is found with the chance that `FileResult.plan` states, a more similar one more often; whatever is
found is verified from its words. Exact mode finds all and needs no more memory; it reads the texts twice more from the temporary files.

Cost: linear in the texts where phrases are rare. Disk: the texts and ids, about 130 bytes a text in sketch mode, more in exact mode (8 bytes for each
shingle of a prefix, a fifth of the words at a threshold of 0.8).
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from klero import _native
from klero._files import check_file, check_inputs, write_together
from klero.errors import Fault, InputError, OutputExistsError
from klero.voices.contributions import ContributionFile, open_contributions
from klero.voices.digest import head
from klero.voices.exports import Given
from klero.voices.groups import Counts, GroupSummary
from klero.voices.memory import available_memory, needed, reading_need, rows_that_fit, too_little, whole_need
from klero.voices.record import json_text, record_of
from klero.voices.sets import native_chunk
from klero.voices.settings import (
    Progress,
    Resources,
    Settings,
    read_choice,
    read_progress,
    read_resources,
    read_settings,
    read_whole,
    settled,
    shown,
)
from klero.voices.sketch import Plan, sketch_plan
from klero.voices.table_output import SUFFIXES, check_name, write_rows
from klero.words import words

__all__ = ["SCHEMA", "FileResult", "near_duplicates_file"]

SCHEMA = "klero-near-duplicates-file/1"

_ROWS = 1 << 14
"""Rows of a batch: some megabytes of texts."""
_OUT = 1 << 15
_BLOCK = 1 << 20
"""Bytes that are looked at in one go while lines are counted: the budget holds for this too."""
_COUNTED = (".parquet", ".pq")
"""Kinds of files that say how many rows they have."""
_LARGEST = 100


@dataclass(frozen=True, eq=False, repr=False)
class FileResult:
    """Who repeats whom in a file. Rows lie on disk until this is let go.

    Attributes:
        name: of the file.
        mapping: which columns were read as what.
        counts: where all texts went: texts = grouped + alone + empty.
        settings: what decided the result, with the mode that was used.
        plan: what the sketches find; None in exact mode.
        digest: SHA-256 of the set of (id, sequence of words), in hexadecimal, as in `NearDuplicates`.
        lookalikes, invisibles: texts with letters of other alphabets that look alike in a word, and with invisible characters.
        largest: the largest groups, then by id, without their members.
        memory: the budget in bytes.
        need: bytes that this was estimated to take.
    """

    name: str
    mapping: Mapping[str, str]
    counts: Counts
    settings: Settings
    plan: Plan | None
    digest: str
    lookalikes: int
    invisibles: int
    largest: tuple[GroupSummary, ...]
    memory: int
    need: int
    _found: _native.NeardupFound = field(repr=False)
    _numbered: bool = field(repr=False)

    @property
    def algorithm(self) -> str:
        """Name and version of what was computed."""
        return self.settings.algorithm

    def __repr__(self) -> str:
        c, s = self.counts, self.settings
        rule = f"{s.measure} ≥ {s.threshold:g}, {s.mode}"
        return f"<FileResult '{self.name}': {c.texts:,} texts = {c.grouped:,} in {c.groups:,} groups + {c.alone:,} alone + {c.empty:,} empty; {rule}>"

    def record(self) -> dict[str, object]:
        """The result as data for JSON; of the groups those in `largest`, as the file may hold millions. The rows say the rest."""
        head = record_of(SCHEMA, self.settings, self.counts, self.digest, self.lookalikes, self.invisibles)
        return head | {"largest": [asdict(group) for group in self.largest]}

    def to_json(self) -> str:
        """The `record` as JSON."""
        return json_text(self.record())

    def to_arrow(self) -> pa.Table:
        """All rows at once, in memory; `batches` needs less."""
        return pa.Table.from_batches(self.batches(), self.schema)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows as an Arrow stream, read from disk while they are asked for."""
        return pa.RecordBatchReader.from_batches(self.schema, self.batches()).__arrow_c_stream__(
            requested_schema
        )

    @property
    def schema(self) -> pa.Schema:
        """Of the rows: id, group, size, similarity, representative, as `NearDuplicates.to_arrow` has them."""
        kind = pa.int64() if self._numbered else pa.large_string()
        return pa.schema(
            [
                ("id", kind),
                ("group", kind),
                ("size", pa.int64()),
                ("similarity", pa.float64()),
                ("representative", kind),
            ]
        )

    def batches(self, rows: int = _OUT) -> Iterator[pa.RecordBatch]:
        """The rows, in the order of the file, at most so many at a time; as often as it is asked for.

        Raises:
            InputError: `rows` is no whole number from 1.
        """
        faults: list[Fault] = []
        read_whole(faults, "rows", rows, 1, 2**31 - 1, "the rows of a batch")
        if faults:
            raise InputError(faults)
        return (self._batch(first, rows) for first in range(0, self.counts.texts, rows))

    def _batch(self, first: int, count: int) -> pa.RecordBatch:
        found = self._found.rows(first, count)
        size = len(found["grouped"])
        there = pc.cast(
            pa.Array.from_buffers(pa.uint8(), size, [None, pa.py_buffer(found["grouped"])]), pa.bool_()
        )
        sizes = pa.Array.from_buffers(pa.uint32(), size, [None, pa.py_buffer(found["sizes"])])
        similarities = pa.Array.from_buffers(pa.float64(), size, [None, pa.py_buffer(found["similarities"])])
        none = pa.scalar(None, pa.large_string())
        columns = [
            self._ids(_strings(found["ids"])),
            self._ids(pc.if_else(there, _strings(found["groups"]), none)),
            sizes.cast(pa.int64()),
            pc.if_else(there, similarities, pa.scalar(None, pa.float64())),
            self._ids(pc.if_else(there, _strings(found["representatives"]), none)),
        ]
        return pa.record_batch(columns, schema=self.schema)

    def _ids(self, ids: pa.Array) -> pa.Array:
        return ids.cast(pa.int64()) if self._numbered else ids

    def writer(self, path: str | os.PathLike[str]) -> Callable[[BinaryIO], None]:
        """What writes the rows in the form that the name's end says."""
        return partial(write_rows, suffix=Path(path).suffix, schema=self.schema, batches=self.batches())

    def write(self, path: str | os.PathLike[str], *, force: bool = False) -> None:
        """Writes the rows as .parquet, .csv or .jsonl, whole or not at all.

        Raises:
            InputError: another kind of file (`file-type`).
            OutputExistsError: something is there and `force` was not given.
            OSError: the place can't be written.
        """
        _check_output(path, (), force=force)
        write_together([(path, self.writer(path))], force=force)


def near_duplicates_file(
    path: str | os.PathLike[str],
    *,
    text: Given = None,
    id: Given = None,  # noqa: A002 (the word of the field)
    mapping: Mapping[str, Given] | str | None = None,
    html: Literal["auto", "never"] = "auto",
    mask: bool = False,
    threshold: float = 0.8,
    measure: str = "jaccard",
    mode: str = "auto",
    recall: float = 0.99,
    shingle: int = 3,
    fold_accents: bool = False,
    min_shared: int | None = None,
    memory: int | str | None = None,
    threads: int | None = None,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    temp_folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
    lang: str = "en",
    sheet: str | None = None,
    largest: int = _LARGEST,
) -> FileResult:
    """Finds the groups of near-duplicates in a file, from disk, within a budget of memory.

    Args:
        path: CSV, Parquet or JSON lines (other kinds are read, but whole).
        text, id, mapping, html, mask, lang, sheet: as in `Contributions.read`.
        threshold, measure, recall, shingle, fold_accents, min_shared: as in `near_duplicates`.
        mode: «exact», «sketch», or «auto»: exact up to ten million texts and for containment, beyond that by sketches.
        memory: of this process in all, as bytes or a text such as «2GB». None: half of what is available to it.
        threads: None for all processors; the result is the same with any number.
        output: .parquet, .csv or .jsonl for a row for each text; None for none.
        force: whether what is at `output` may be replaced.
        temp_folder: where temporary files are made; None for the system's folder.
        progress: called with a step's name and a count.
        largest: groups to list in the result.

    Raises:
        InputError: every fault of the options; of the file, at the end of its reading; `memory-budget` where the budget does not do.
        OutputExistsError: `output` is there.
        OSError: the disk is full, for instance.
    """
    faults: list[Fault] = []
    settings = read_settings(
        faults,
        threshold=threshold,
        measure=measure,
        mode=mode,
        recall=recall,
        shingle=shingle,
        fold_accents=fold_accents,
        min_shared=min_shared,
    )
    resources = read_resources(faults, threads=threads, memory=memory)
    _check_options(faults, html=html, lang=lang, largest=largest, progress=progress)
    if settings is None or resources is None or faults:
        raise InputError(faults)
    if output is not None:
        _check_output(output, [path], force=force)
    source = open_contributions(
        path, text=text, id=id, mapping=mapping, html=html, mask=mask, lang=lang, sheet=sheet
    )
    result = _run(path, source, settings, resources, _folder(temp_folder), progress).result(largest)
    if output is not None:
        result.write(output, force=force)
    return result


def _check_options(
    faults: list[Fault], *, html: object, lang: object, largest: object, progress: object
) -> None:
    read_choice(faults, "html", html, ("auto", "never"))
    read_whole(faults, "largest", largest, 0, 2**31 - 1, "the groups to list")
    read_progress(faults, progress)
    try:
        words(lang if isinstance(lang, str) else shown(lang))
    except InputError as error:
        faults.extend(error.faults)


def _run(
    path: str | os.PathLike[str],
    source: ContributionFile,
    settings: Settings,
    resources: Resources,
    folder: str,
    progress: Progress | None,
) -> _Run:
    """The search, unless the file has more rows than the budget allows."""
    budget = available_memory() // 2 if resources.memory is None else resources.memory
    reading = reading_need(path)
    limit = rows_that_fit(budget, settings, resources.threads, reading)
    run = _Run(
        source, settings, budget, reading, limit, resources.threads, folder, progress, whole_need(path)
    )
    most = _most_rows(path, limit)
    if most is not None and most > limit:
        raise run.too_many(most, "" if Path(path).suffix.lower() in _COUNTED else "at most ")
    return run


@dataclass(frozen=True)
class _Run:
    """One search through a file."""

    source: ContributionFile
    settings: Settings
    budget: int
    reading: int
    limit: int
    threads: int
    folder: str
    progress: Progress | None
    whole: int

    def result(self, largest: int) -> FileResult:
        """Reads and groups."""
        # Where it is known that sketches will be used, they are made when a text is read for the first time.
        early = self.settings.mode == "sketch"
        settings = self.settings
        before = needed(0, settings, self.threads, self.reading)
        with _room(self.folder):
            stream = _native.NeardupStream(
                self.folder, recall=settings.recall if early else None, **_rules(settings)
            )
            numbered = self.read(stream)
            rows = stream.rows
            settings = settled(settings, rows)
            found = stream.finish(recall=settings.recall, threads=self.threads, progress=self.progress)
            digest = found.digest(head(settings), self.threads).hex()
            listed = _groups(found.largest(largest), numbered)
        numbers = found.counts()
        # What the process has grown by since is not to be counted twice.
        need = before + needed(rows, settings, self.threads, 0) - needed(0, settings, self.threads, 0)
        return FileResult(
            name=self.source.name,
            mapping=self.source.mapping,
            counts=Counts(
                texts=numbers["texts"],
                grouped=numbers["grouped"],
                alone=numbers["alone"],
                empty=numbers["empty"],
                groups=numbers["groups"],
                distinct=numbers["distinct"],
            ),
            settings=settings,
            plan=sketch_plan(settings),
            digest=digest,
            lookalikes=numbers["lookalikes"],
            invisibles=numbers["invisibles"],
            largest=listed,
            memory=self.budget,
            need=need,
            _found=found,
            _numbered=numbered,
        )

    def read(self, stream: _native.NeardupStream) -> bool:
        """Adds all rows of the file; whether their ids are numbers."""
        numbered, rows = False, 0
        for batch in self.source.batches(_ROWS):
            rows += len(batch)
            if rows > self.limit:
                raise self.too_many(rows, "at least ")
            ids = batch.column("id")
            numbered = pa.types.is_integer(ids.type)
            texts = batch.column("text")
            stream.add(native_chunk(texts), native_chunk(ids.cast(pa.large_string())), self.threads)
            if self.progress is not None:
                self.progress("reading", rows)
        return numbered

    def too_many(self, rows: int, about: str) -> InputError:
        return too_little(
            self.source.name,
            rows,
            self.budget,
            self.settings,
            self.threads,
            self.reading,
            about=about,
            whole=self.whole,
        )


def _rules(settings: Settings) -> dict[str, Any]:
    names = ("threshold", "measure", "min_shared", "shingle", "fold_accents")
    return {name: getattr(settings, name) for name in names}


def _strings(column: tuple[bytes, bytes]) -> pa.Array:
    offsets, data = column
    return pa.Array.from_buffers(
        pa.large_string(), len(offsets) // 8 - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )


def _groups(found: Mapping[str, Any], numbered: bool) -> tuple[GroupSummary, ...]:
    names, chosen = (
        [int(one) if numbered else one for one in _strings(found[key]).to_pylist()]
        for key in ("names", "representatives")
    )
    return tuple(
        GroupSummary(name, one, size, distinct, weakest)
        for name, one, size, distinct, weakest in zip(
            names, chosen, found["sizes"], found["distinct"], found["weakest"], strict=True
        )
    )


def _check_output(path: str | os.PathLike[str], inputs: Iterable[object], *, force: bool) -> None:
    check_name(path)
    if Path(path).suffix.lower() not in SUFFIXES:
        message = f"the rows can be written as {', '.join(SUFFIXES)}. Give a name that ends so."
        raise InputError([Fault("file-type", message, os.fspath(path))])
    check_inputs(path, inputs)
    check_file(path, force=force)


def _folder(given: str | os.PathLike[str] | None) -> str:
    return os.path.abspath(given or tempfile.gettempdir())  # noqa: PTH100 - not resolved: messages name it as it was given


@contextmanager
def _room(folder: str) -> Iterator[None]:
    """Says of an error of the system what it is about: temporary files have no name, those that are read have one."""
    try:
        yield
    except OSError as error:
        if error.filename is not None or isinstance(error, OutputExistsError):
            raise
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = (
            "no room here for temporary data. Free some"
            if full
            else "temporary data can't be kept here. Check the folder"
        )
        text = (
            f"{error.strerror or error}: {what}, or name another folder with --temp (in Python: temp_folder)"
        )
        raise OSError(error.errno, text, folder) from error


def _most_rows(path: str | os.PathLike[str], limit: int) -> int | None:
    """A number of rows that a file has at most, found without reading its cells; None where it can't be told.

    A line of CSV or of JSON lines holds no more than one row. Only where there are more lines than `limit` are the line ends left out that stand in a
    quoted cell of CSV.
    """
    kind = Path(path).suffix.lower()
    try:
        if kind in _COUNTED:
            import pyarrow.parquet as pq

            return int(pq.read_metadata(path).num_rows)
        if kind in (".csv", ".tsv", ".txt", ".jsonl", ".ndjson"):
            lines = _lines(path, quoted=False)
            if kind in (".jsonl", ".ndjson"):
                return lines
            # The first line of a table has the names of its columns.
            return max(lines - 1, 0) if lines - 1 <= limit else max(_lines(path, quoted=True) - 1, 0)
    except (OSError, pa.ArrowException):
        pass  # whoever reads it says what is wrong
    return None


def _lines(path: str | os.PathLike[str], *, quoted: bool) -> int:
    """Lines of a file, which end with line feeds (carriage returns, where there are none). `quoted`: ends between quotes don't count; ten times slower."""
    feeds = returns = 0
    inside, last = np.uint8(0), b""
    with Path(path).open("rb") as stream:
        while block := stream.read(_BLOCK):
            last = block[-1:]
            if quoted:
                # Whether a quotation is open at each byte: the parity of the quotes so far, which eight bits that run over keep.
                data = np.frombuffer(block, np.uint8)
                quotes = np.cumsum(data == ord('"'), dtype=np.uint8)
                quotes += inside
                inside = quotes[-1]
                quotes &= np.uint8(1)
                outside = quotes == 0
                feeds += int(np.count_nonzero(outside & (data == 10)))
                returns += int(np.count_nonzero(outside & (data == 13)))
            else:
                feeds, returns = feeds + block.count(b"\n"), returns + block.count(b"\r")
    unended = last not in (b"", b"\n", b"\r")
    return (feeds or returns) + unended
