"""What is on the register: one reading, which finds every fault and leaves records by part.

See `rust/core/src/register` for records and parts.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from klero import _native
from klero.errors import SHOWN_FAULTS, Fault, InputError
from klero.sortition.register import cells
from klero.sortition.register.sources import Source
from klero.sortition.register.spill import PARTS, IdStore, Memory, Spill, in_threads

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

Progress = Callable[[str, int], None]
_FEW_ROWS = 1 << 16
_ROW_MASK = (1 << 40) - 1
_ROW_LIMIT = (1 << 32) - 1
_ID_MESSAGES = {
    "id-empty": "a row has no id, so nobody could be told that they were drawn. Give every row an id.",
    "id-control": "an id holds a control character, a line break for instance. Remove it.",
    "encoding-unreadable": "an id is not readable as text. Export the file as UTF-8.",
}
_NO_ADDRESS = "nobody has an address, so it can't be told who lives together. Name other columns, or leave out --household."


@dataclass(frozen=True)
class Columns:
    """Which columns mean what, in canonical names."""

    id: str
    strata: tuple[str, ...]
    weight: str | None
    household: tuple[str, ...]

    @property
    def all(self) -> list[str]:
        """Each once."""
        names = [self.id, *self.strata, *([self.weight] if self.weight else []), *self.household]
        return list(dict.fromkeys(names))


@dataclass
class Scan:
    """The register, read.

    Attributes:
        columns: which columns were read.
        labels: the strata, by code points; one empty label where there are no strata.
        rows: people who can be drawn, by stratum (without those excluded).
        weights: the sum of their weights, by stratum, times 10^6 where weights are given.
        largest: the largest weight, by stratum.
        total: rows read.
        digest: of all rows, the same in any order.
        excluded: sorted hashes of ids that are left out, 32 bytes each; `left_out` those of them that are on the register.
        alone: rows without an address, or with words that say so, where addresses matter: each lives alone.
    """

    columns: Columns
    labels: list[tuple[str, ...]]
    ranks: NDArray[np.uint32]
    rows: list[int]
    weights: list[int]
    largest: list[int]
    total: int
    digest: bytes
    excluded: bytes
    left_out: frozenset[bytes]
    spill: Spill
    houses: Spill | None
    ids: IdStore
    threads: int
    alone: int

    def excluded_in(self, part: int) -> bytes:
        """Those of the excluded hashes that belong to a part of the records by id."""
        return part_of(self.excluded, part)

    @property
    def records(self) -> Spill:
        """Where the records to draw from are: by address if that matters."""
        return self.houses or self.spill

    def close(self) -> None:
        """Gives the temporary space back."""
        self.spill.close()
        self.ids.spill.close()
        if self.houses is not None:
            self.houses.close()


@dataclass
class _Reading:
    sources: list[Source]
    columns: Columns
    spill: Spill
    ids: IdStore
    strata: cells.Strata = field(default_factory=cells.Strata)
    starts: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    alone: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def place(self, row: int) -> tuple[str, int]:
        """File and row number of a row of the register."""
        source = bisect_right(self.starts, row) - 1
        return self.sources[source].name, row - self.starts[source] + self.sources[source].header_rows

    def fault(self, row: int, code: str, message: str, column: str | None, value: str | None) -> None:
        with self.lock:
            if sum(fault.code == code for fault in self.faults) < SHOWN_FAULTS:
                name, number = self.place(row)
                self.faults.append(Fault(code, message, name, number, column, value))

    def raise_faults(self) -> None:
        if not self.faults:
            return
        faults = sorted(self.faults, key=lambda f: (f.code, f.file, f.row or 0))
        for code, count in sorted(self.counts.items()):
            told = sum(fault.code == code for fault in faults)
            if count > told:
                faults.append(Fault(code, f"{count - told} more rows have this fault.", "register"))
        raise InputError(faults)


def part_of(hashes: bytes, part: int) -> bytes:
    """The hashes that begin with the byte `part`, of sorted hashes of 32 bytes."""
    first, last = (
        bisect_left(range(0, len(hashes), 32), byte, key=lambda at: hashes[at]) for byte in (part, part + 1)
    )
    return hashes[32 * first : 32 * last]


def check_columns(sources: Sequence[Source], columns: Columns) -> None:
    """Raises InputError with every column that a file lacks."""
    faults = []
    for source in sources:
        for column in columns.all:
            if column not in source.columns:
                found = ", ".join(list(source.columns)[:20])
                others = [s.name for s in sources if column in s.columns]
                also = f" {others[0]} has it: do the files belong together?" if others else ""
                message = f"there is no column '{column}'. There are: {found}.{also}"
                faults.append(Fault("column-missing", message, source.name, column=column))
    if faults:
        raise InputError(faults)


def scan(
    sources: list[Source],
    columns: Columns,
    excluded: bytes,
    *,
    threads: int,
    folder: str | None,
    progress: Progress | None,
) -> Scan:
    """Reads the register once and sorts it by parts.

    Raises:
        InputError: with the faults of ids, weights and addresses, and with every id that is there twice (the first of each kind; the
            rest counted).
    """
    check_columns(sources, columns)
    memory = Memory()
    spill, ids = Spill(folder, memory), IdStore(folder, memory)
    houses = Spill(folder, memory) if columns.household else None
    reading = _Reading(sources, columns, spill, ids)
    try:
        total = _read(reading, threads, progress)
        reading.raise_faults()
        if total == 0:
            names = ", ".join(source.name for source in sources[:5])
            raise InputError(
                [Fault("table-no-rows", "the register has no rows. Was the right file saved?", names)]
            )
        if columns.household and reading.alone == total:
            raise InputError(
                [Fault("household-empty", _NO_ADDRESS, sources[0].name, column=columns.household[0])]
            )
        # Handing 256 small parts from thread to thread takes longer than the work on them.
        few = total < _FEW_ROWS
        return _sift(reading, total, excluded, houses, 1 if few else threads, progress)
    except BaseException:
        spill.close()
        ids.spill.close()
        if houses is not None:
            houses.close()
        raise


def _read(reading: _Reading, threads: int, progress: Progress | None) -> int:
    total = 0

    def batches() -> Iterator[tuple[int, pa.RecordBatch]]:
        nonlocal total
        columns = reading.columns
        for source in reading.sources:
            reading.starts.append(total)
            for batch in source.batches(columns.all, columns.strata, threads):
                yield total, batch
                total += batch.num_rows
                if total > _ROW_LIMIT:
                    message = f"the register has more than {_ROW_LIMIT} rows. Draw from its parts, each with its own size."
                    raise InputError([Fault("register-too-long", message, source.name)])

    def work(item: tuple[int, pa.RecordBatch]) -> int:
        import pyarrow as pa

        try:
            _one_batch(reading, *item)
        except (pa.ArrowException, ValueError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            message = f"a column can't be read as text ({error}). Give text, numbers or dates."
            raise InputError([Fault("cell-type", message, reading.place(item[0])[0])]) from error
        return item[0] + int(item[1].num_rows)

    for done in in_threads(work, batches(), threads):
        if progress is not None:
            progress("rows", done)
    return total


def _one_batch(reading: _Reading, first: int, batch: pa.RecordBatch) -> None:
    columns = reading.columns
    column = batch.column(columns.id)
    try:
        numbers, words = cells.ids(column)
    except ValueError as error:
        said = f"ids of type {error} have no one spelling. Write them as whole numbers or as text."
        _refuse_ids(reading, first, said)
        return
    if words is not None and int(words[0][-1]) >= 1 << 32:
        _refuse_ids(reading, first, "ids are thousands of characters long. Is this the right column?")
        return
    strata = reading.strata.numbers([batch.column(c) for c in columns.strata]) if columns.strata else None
    weights = _weights(reading, first, batch.column(columns.weight)) if columns.weight else None
    address = [cells.texts(_filled(batch.column(c))) for c in columns.household]
    records, starts, faults, faulty, alone = _native.register_scatter(
        numbers, words, strata, weights, address, first
    )
    if faulty:
        with reading.lock:
            reading.counts.update(code for _, code in faults)
            reading.counts[faults[0][1]] += faulty - len(faults)
        for row, code in faults:
            reading.fault(first + row, code, _ID_MESSAGES[code], columns.id, None)
        return
    with reading.lock:
        reading.alone += alone
    reading.spill.append(records, starts)
    reading.ids.add(first, numbers, words)


def _refuse_ids(reading: _Reading, row: int, message: str) -> None:
    code = "id-type"
    reading.fault(row, code, message, reading.columns.id, None)


def _filled(column: pa.Array) -> pa.Array:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    column = column.cast(pa.large_string())
    return pc.fill_null(column, "") if column.null_count else column


def _weights(reading: _Reading, first: int, column: pa.Array) -> NDArray[np.int64]:
    import pyarrow as pa

    try:
        return cells.weights(column)
    except (pa.ArrowException, ValueError):
        faults, count = cells.weight_faults(column, SHOWN_FAULTS)
    if not count:  # an unusual spelling of a good number
        numbers = [Decimal(str(value).strip().replace(",", ".")) for value in column.to_pylist()]
        return np.array([int(number * cells.WEIGHT_SCALE) for number in numbers], np.int64)
    code = "weight-invalid"
    with reading.lock:
        reading.counts[code] += count
    for row, message, value in faults:
        reading.fault(first + row, code, message, reading.columns.weight, value)
    return np.ones(len(column), np.int64)


def _sift(
    reading: _Reading,
    total: int,
    excluded: bytes,
    houses: Spill | None,
    threads: int,
    progress: Progress | None,
) -> Scan:
    labels, ranks = reading.strata.ranked()
    sums = np.zeros((3, len(labels)), np.uint64)
    largest = np.zeros(len(labels), np.uint64)
    digests: list[bytes] = []
    twins: list[tuple[int, int]] = []
    twin_count = 0
    left_out: set[bytes] = set()

    def work(part: int) -> Any:
        data = reading.spill.part(part)
        sifted = _native.register_sift(data, houses is not None, ranks, part_of(excluded, part), SHOWN_FAULTS)
        if houses is not None and sifted[5] is not None:
            houses.append(*sifted[5])
        return sifted[:5]

    for part, (digest, pairs, count, totals, found) in enumerate(
        in_threads(work, iter(range(PARTS)), threads)
    ):
        digests.append(digest)
        twins += pairs
        twin_count += count
        listed = part_of(excluded, part)
        left_out.update(listed[32 * i : 32 * i + 32] for i in found)
        columns = [np.frombuffer(column, np.uint64) for column in totals]
        sums += np.stack(columns[:3])
        np.maximum(largest, columns[3], out=largest)
        if progress is not None:
            progress("sorted", total * (part + 1) // PARTS)
    if twin_count:
        _raise_twins(reading, twins, twin_count)
    if houses is not None:
        reading.spill.close()  # all that is drawn from now lies by address
    rows, low, high = (column.tolist() for column in sums)
    root = [_labels_digest(labels), total.to_bytes(8, "big"), *digests]
    return Scan(
        columns=reading.columns,
        labels=labels,
        ranks=ranks,
        rows=rows,
        weights=[a + (b << 32) for a, b in zip(low, high, strict=True)],
        largest=largest.tolist(),
        total=total,
        digest=_native.seq_hash("klero/register/root/v1", root),
        excluded=excluded,
        left_out=frozenset(left_out),
        spill=reading.spill,
        houses=houses,
        ids=reading.ids,
        threads=threads,
        alone=reading.alone,
    )


def _labels_digest(labels: list[tuple[str, ...]]) -> bytes:
    each = [_native.seq_hash("klero/register/stratum/v1", [v.encode() for v in label]) for label in labels]
    return _native.seq_hash("klero/register/strata/v1", each)


def _raise_twins(reading: _Reading, twins: list[tuple[int, int]], count: int) -> None:
    faults = []
    for pair in twins[:SHOWN_FAULTS]:
        one, other = sorted(place & _ROW_MASK for place in pair)
        (first_file, first_row), (file, row) = reading.place(one), reading.place(other)
        message = f"this id is also in {first_file}, row {first_row}. Each person may stand once on the register: remove one of the rows."
        value = reading.ids.get(other)
        faults.append(Fault("id-duplicate", message, file, row, reading.columns.id, value))
    faults.sort(key=lambda f: (f.file, f.row or 0))
    if count > len(faults):
        faults.append(Fault("id-duplicate", f"{count - len(faults)} more rows have this fault.", "register"))
    raise InputError(faults)
