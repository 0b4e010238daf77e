"""How does a batch of rows become a batch of contributions?

One `Worker` goes through one source once: it picks and joins the columns of each role, cleans the texts, reads times, stances and votes, and
counts what it does. It keeps 64 bits an id, by which it knows at the end whether any is there twice; if so it reads the ids once more, to name them.

See :mod:`klero.voices.contributions` for what is guaranteed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from klero._tables_batches import Source
from klero._tables_cells import cleaned
from klero.errors import Fault, InputError
from klero.voices import personal
from klero.voices.cleaning import Changes, as_text, clean_column, has_words
from klero.voices.exports import Columns, Expression, as_option, listed, usual_texts
from klero.voices.fields import has_zone, in_utc, number_type, stance_of, time_of, votes_of
from klero.voices.pseudonyms import PseudonymKey
from klero.voices.row_ids import Apart, apart_from, duplicate_fault, id_faults

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = ["Counts", "Settings", "Worker", "text_column_fault"]

_EXAMPLES = 3
_SAMPLE = 200
_MOST = (1 << 63) - 1


@dataclass(frozen=True)
class Settings:
    """What is done to the rows besides reading them; as in `Contributions.read`."""

    html: bool
    key: PseudonymKey | None
    scan: bool
    mask: bool
    lang: str


@dataclass(frozen=True)
class Counts:
    """What became of the rows; rows = contributions + others + blank.

    Attributes:
        rows: rows of the source, without its header.
        contributions: of these, contributions.
        others: rows that hold votes or reports, in an export of everything.
        blank: rows of a text file with nothing in any column that is read.
        empty: contributions whose text is '' or blanks.
        null: cells of texts that were null, and are '' now.
        html, breaks, controls, composed: cells of texts with HTML; line ends that are not «\\n»; control characters; not in NFC.
        times, stances, votes: cells that were filled and not understood: null now.
        unread: (role, row, cell) of the first of these.
        zoneless: times without a zone, where others of the column have one: they count as UTC, and may be hours off.
    """

    rows: int = 0
    contributions: int = 0
    others: int = 0
    blank: int = 0
    empty: int = 0
    null: int = 0
    html: int = 0
    breaks: int = 0
    controls: int = 0
    composed: int = 0
    times: int = 0
    stances: int = 0
    votes: int = 0
    unread: tuple[tuple[str, int, str], ...] = ()
    zoneless: int = 0

    def record(self) -> dict[str, object]:
        """As data."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass
class _Found:
    """Personal data, as it is counted."""

    counts: Counter[str] = field(default_factory=Counter)
    contributions: int = 0
    examples: list[tuple[str, str, str]] = field(default_factory=list)


class Worker:
    """One pass over a source. `batches`, then `finish`; then `counts` and `personal`."""

    def __init__(self, source: Source, columns: Columns, settings: Settings) -> None:
        self.source, self.columns, self.settings = source, columns, settings
        self.rows = self._others = self._blank = self._empty = 0
        self._changes = Changes()
        self._unread: Counter[str] = Counter()
        self._zones: Counter[bool] = Counter()
        self._unread_examples: list[tuple[str, int, str]] = []
        self._found = _Found()
        self._faults: list[Fault] = []
        self._hashes: list[NDArray[np.int64]] = []
        self._wordy = False
        self._last: Counts | None = None
        self._numbers = 0
        self.known_good = False

    def again(self) -> Worker:
        """A worker for another pass; ids that were found to be right are not checked again."""
        other = Worker(self.source, self.columns, self.settings)
        other.known_good = self.known_good
        return other

    def adopt(self, other: Worker) -> None:
        """Takes over what another pass counted."""
        self._last, self._found, self.known_good = other.counts(), other._found, True

    @property
    def last(self) -> Counts:
        """What the last finished pass counted."""
        if self._last is None:
            raise ValueError("nothing was read yet: go through batches() first")
        return self._last

    @property
    def _whole(self) -> bool:
        """Whether ids are whole numbers: rows that are numbered, or columns whose type says so. «017» in a text is none."""
        parts = self.columns.roles.get("id", ())
        return all(len(part) == 1 and part[0] in self.source.whole for part in parts)

    @property
    def schema(self) -> pa.Schema:
        """Of the batches."""
        import pyarrow as pa

        kinds = {"time": pa.timestamp("us", "UTC"), "votes": pa.int64()}
        columns = [
            ("id", pa.int64() if self._whole else pa.large_string()),
            ("text", pa.large_string()),
        ]
        columns += [
            (role, kinds.get(role, pa.large_string()))
            for role in self.columns.roles
            if role not in ("id", "text")
        ]
        return pa.schema([*columns, *((name, pa.large_string()) for name in self.columns.metadata)])

    def mapping(self) -> dict[str, str]:
        """The columns by role, as `--map` takes them."""
        spelled = self.columns.spelled()
        kept = {"metadata": ", ".join(self.columns.metadata)} if self.columns.metadata else {}
        return {"layout": self.columns.layout, **({} if "id" in spelled else {"id": ""}), **spelled, **kept}

    def counts(self) -> Counts:
        """What was done so far."""
        changes, unread = self._changes, self._unread
        return Counts(
            self.rows,
            self.rows - self._others - self._blank,
            self._others,
            self._blank,
            self._empty,
            changes.null,
            changes.html,
            changes.breaks,
            changes.controls,
            changes.composed,
            unread["time"],
            unread["stance"],
            unread["votes"],
            tuple(self._unread_examples),
            self._zones[False] if self._zones[True] else 0,
        )

    def personal(self) -> personal.PersonalData | None:
        """What the scan found; None if there was none."""
        if not self.settings.scan:
            return None
        found = self._found
        counts = {kind: found.counts[kind] for kind in personal.KINDS if found.counts[kind]}
        return personal.PersonalData(counts, found.contributions, tuple(found.examples), self.settings.mask)

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """The contributions, a batch at a time.

        Raises:
            InputError: the source breaks off, or holds a cell that can't be read.
        """

        for raw in self.source.batches(self.columns.used(), rows=rows):
            first = self.rows + self.source.header_rows
            self.rows += raw.num_rows
            times = self._moments(raw)
            cells = self._cells(raw, first, times)
            cells, times, numbers = self._kept(cells, times, first)
            if len(numbers):
                yield self._batch(cells, times, numbers)

    def _moments(self, raw: pa.RecordBatch) -> dict[str, pa.Array]:
        """The column of dates or moments that is the time, and nothing else: it needs no text."""
        time = self.columns.roles.get("time", ((),))
        if not len(time) == len(time[0]) == 1 or not _is_moment(raw.column(time[0][0]).type):
            return {}
        others = replace(
            self.columns, roles={role: one for role, one in self.columns.roles.items() if role != "time"}
        )
        return {time[0][0]: raw.column(time[0][0])} if time[0][0] not in others.used() else {}

    def _cells(self, raw: pa.RecordBatch, first: int, without: Container[str]) -> dict[str, pa.Array]:
        return {
            name: as_text(raw.column(name), self.source.name, name, first)
            for name in raw.schema.names
            if name not in without
        }

    def _kept(
        self, cells: dict[str, pa.Array], times: dict[str, pa.Array], first: int
    ) -> tuple[dict[str, pa.Array], dict[str, pa.Array], NDArray[np.int64]]:
        """(cells, cells with times, numbers) of the rows that are contributions."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        length = len(next(iter(cells.values())))
        keep = np.ones(length, dtype=bool)
        if self.columns.kind:
            kind = pc.utf8_lower(pc.fill_null(cells[self.columns.kind], ""))
            other = pc.is_in(kind, pa.array(sorted(self.columns.others), pa.large_string())).to_numpy(
                zero_copy_only=False
            )
            self._others += int(other.sum())
            keep &= ~other
        if (self.source.csv or self.source.sheet) and "id" in self.columns.roles:
            blank = keep.copy()
            for column in cells.values():
                blank &= pc.equal(pc.utf8_trim_whitespace(column), "").to_numpy(zero_copy_only=False)
            self._blank += int(blank.sum())
            keep &= ~blank
        numbers = first + np.flatnonzero(keep)
        if len(numbers) < length:
            mask = pa.array(keep)
            cells = {name: column.filter(mask) for name, column in cells.items()}
            times = {name: column.filter(mask) for name, column in times.items()}
        return cells, times, numbers

    def _batch(
        self, cells: dict[str, pa.Array], times: dict[str, pa.Array], numbers: NDArray[np.int64]
    ) -> pa.RecordBatch:
        import pyarrow as pa
        import pyarrow.compute as pc

        roles = self.columns.roles
        ids = self._ids(cells, numbers)
        used = {name for part in roles["text"] for name in part}
        clean = {name: clean_column(cells[name], self._changes, html=self.settings.html) for name in used}
        text = _joined(roles["text"], clean, "\n\n")
        self._wordy = self._wordy or has_words(text)
        self._empty += pc.sum(pc.equal(pc.utf8_trim_whitespace(text), "")).as_py() or 0
        if self.settings.scan:
            text = self._scanned(text, ids)
        out = {"id": ids, "text": text}
        for role in roles:
            if role not in out:
                out[role] = self._field(role, cells, times, numbers)
        for name in self.columns.metadata:
            out[name] = _clean(cells[name])
        return pa.record_batch([out[name] for name in self.schema.names], schema=self.schema)

    def _ids(self, cells: dict[str, pa.Array], numbers: NDArray[np.int64]) -> pa.Array:
        import numpy as np
        import pyarrow as pa

        count = self._numbers
        self._numbers += len(numbers)
        if "id" not in self.columns.roles:
            return pa.array(np.arange(count + 1, count + len(numbers) + 1, dtype=np.int64))
        ids = list(cleaned(_joined(self.columns.roles["id"], cells, "-").to_pylist()))
        if not self.known_good:
            self._hashes.append(np.fromiter(map(hash, ids), dtype=np.int64, count=len(ids)))
            self._faults += id_faults(
                ids, numbers, self.source.name, self.columns.spelled()["id"], len(self._faults)
            )
        if self._whole:
            return pa.array([int(one) if one else None for one in ids], pa.int64())
        return pa.array(ids, pa.large_string())

    def _field(
        self, role: str, cells: dict[str, pa.Array], times: dict[str, pa.Array], numbers: NDArray[np.int64]
    ) -> pa.Array:
        import pyarrow as pa

        parts = self.columns.roles[role]
        match role:
            case "author":
                column = _clean(_joined(parts, cells, " "))
                return column if self.settings.key is None else _mapped(column, self.settings.key.pseudonym)
            case "time":
                if times:
                    return self._moment(times[parts[0][0]], numbers)
                written = _joined(parts, cells, " ")
                moments = self._understood(role, written, numbers, time_of, pa.timestamp("us", "UTC"))
                self._zones.update(map(has_zone, written.filter(moments.is_valid()).to_pylist()))
                return moments
            case "stance":
                return self._understood(
                    role, _joined(parts, cells, " "), numbers, stance_of, pa.large_string()
                )
            case "votes":
                return self._votes(parts, cells, numbers)
            case _:
                return _clean(_joined(parts, cells, " "))

    def _votes(self, parts: Expression, cells: dict[str, pa.Array], numbers: NDArray[np.int64]) -> pa.Array:
        """Columns that are joined are added, null where 63 bits don't hold the sum; of alternatives the first that is a number counts."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        sums = []
        for part in parts:
            total, lost = pa.nulls(len(numbers), pa.int64()), np.zeros(len(numbers), dtype=bool)
            for name in part:
                column = self._understood(
                    "votes", pc.fill_null(cells[name], ""), numbers, votes_of, pa.int64()
                )
                over = pc.fill_null(pc.greater(total, pc.subtract(_MOST, column)), False)
                lost |= over.to_numpy(zero_copy_only=False)
                total = pc.if_else(over, None, total)
                total = pc.coalesce(pc.add_checked(total, column), total, column)
            for place in np.flatnonzero(lost).tolist():
                self._not_understood(
                    "votes", numbers[place], " + ".join(str(cells[name][place]) for name in part)
                )
            sums.append(pc.if_else(pa.array(lost), None, total))
        return pc.coalesce(*sums)

    def _moment(self, column: pa.Array, numbers: NDArray[np.int64]) -> pa.Array:
        """A column of dates or moments in µs, UTC; null, and counted, where `time_of` would find none either."""
        moments = in_utc(column)
        for place in moments.is_null().to_numpy(zero_copy_only=False).nonzero()[0].tolist():
            if column[place].is_valid:
                number = column.slice(place, 1).view(number_type(column.type))[0]
                self._not_understood("time", numbers[place], f"{number} as {column.type}")
        return moments

    def _not_understood(self, role: str, number: np.int64, cell: str) -> None:
        self._unread[role] += 1
        if self._unread[role] <= _EXAMPLES:
            self._unread_examples.append((role, int(number), cell[:60]))

    def _understood(
        self,
        role: str,
        column: pa.Array,
        numbers: NDArray[np.int64],
        read: Callable[[str], object],
        kind: pa.DataType,
    ) -> pa.Array:
        """The column as `read` understands it, null where it does not; filled cells that were not understood are counted."""
        import pyarrow as pa

        known: dict[str, object] = {"": None}
        values = []
        for place, text in enumerate(column.to_pylist()):
            if text not in known:
                known[text] = read(text)
            value = known[text]
            values.append(value)
            if value is None and text.strip():
                self._not_understood(role, numbers[place], text)
        return pa.array(values, kind)

    def _scanned(self, text: pa.Array, ids: pa.Array) -> pa.Array:
        """Counts personal data; with `mask`, the texts without them."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        places = np.flatnonzero(
            pc.match_substring_regex(text, personal.CANDIDATE, ignore_case=True).to_numpy(
                zero_copy_only=False
            )
        )
        changed: dict[int, str] = {}
        for place, one in zip(places.tolist(), text.take(pa.array(places)).to_pylist(), strict=True):
            if findings := personal.find(one):
                self._found.contributions += 1
                for finding in findings:
                    self._found.counts[finding.kind] += 1
                    if self._found.counts[finding.kind] <= _EXAMPLES:
                        self._found.examples.append(
                            (finding.kind, str(ids[place]), personal.hidden(finding.text))
                        )
                if self.settings.mask:
                    changed[place] = personal.masked(one, findings, self.settings.lang)
        if not changed:
            return text
        mask = np.zeros(len(text), dtype=bool)
        mask[list(changed)] = True
        return pc.replace_with_mask(text, mask, pa.array(list(changed.values()), pa.large_string()))

    def finish(self) -> None:
        """The checks that need all rows.

        Raises:
            InputError: there are no rows, ids are missing or twice there, or all texts are numbers.
        """
        faults = list(self._faults)
        if not self.rows - self._blank:
            message = "the table has a header and no rows below it. Was the right file saved?"
            faults.append(Fault("table-no-rows", message, self.source.name))
        faults += self._duplicates()
        if not self._wordy and self._numbers > self._empty:
            faults.append(_numeric_fault(self.source, self.columns))
        if faults:
            raise InputError(faults)

    def _duplicates(self) -> list[Fault]:
        import numpy as np

        if not self._hashes:
            return []
        every = np.sort(np.concatenate(self._hashes))
        twice = set(every[1:][every[1:] == every[:-1]].tolist())
        self._hashes = []
        if not twice:
            return []
        try:
            rows, apart = self._rows_of(twice, apart_from(self.source, self.columns))
        except InputError:  # a cell, of a column that nobody asked for, that can't be read
            rows, apart = self._rows_of(twice, [])
        return [duplicate_fault(rows, self.source.name, self.columns, apart)] if rows else []

    def _rows_of(self, twice: set[int], others: list[str]) -> tuple[dict[str, list[int]], list[str]]:
        """The rows of each id that is there twice, and those of the other columns that tell them apart."""
        rows: dict[str, list[int]] = {}
        apart = Apart(others)
        for ids, numbers, cells in self._ids_again(others):
            for place, (text, number) in enumerate(zip(ids, numbers.tolist(), strict=True)):
                if text and hash(text) in twice:
                    rows.setdefault(text, []).append(number)
                    apart.add(text, cells, place)
        return {text: places for text, places in rows.items() if len(places) > 1}, apart.columns()

    def _ids_again(
        self, also: Sequence[str]
    ) -> Iterator[tuple[list[str], NDArray[np.int64], dict[str, pa.Array]]]:
        """(ids, numbers, other columns) of the contributions, a batch at a time."""
        first = self.source.header_rows
        used = self.columns.used()
        for raw in self.source.batches(list(dict.fromkeys([*used, *also]))):
            cells = self._cells(raw.select(used), first, self._moments(raw))
            # Columns that nobody asked for, of whatever type: they pass as they are, through the same choice of rows.
            others = {name: raw.column(name) for name in also}
            cells, others, numbers = self._kept(cells, others, first)
            first += raw.num_rows
            yield list(cleaned(_joined(self.columns.roles["id"], cells, "-").to_pylist())), numbers, others


def _joined(parts: Expression, cells: dict[str, pa.Array], between: str) -> pa.Array:
    """Columns joined, those that are blank left out; of alternatives the first that is not blank; '' where all are."""
    import pyarrow.compute as pc

    if len(parts) == len(parts[0]) == 1:
        return pc.fill_null(cells[parts[0][0]], "")
    found = None
    for part in parts:
        joined = _filled(cells[part[0]])
        for name in part[1:]:
            joined = _and(joined, _filled(cells[name]), between)
        found = joined if found is None else pc.if_else(pc.equal(found, ""), joined, found)
    return found


def _filled(column: pa.Array) -> pa.Array:
    """The column with '' for nulls and blanks."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = pc.fill_null(column, "")
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(column), ""), pa.scalar("", pa.large_string()), column)


def _and(left: pa.Array, right: pa.Array, between: str) -> pa.Array:
    """Two columns without nulls joined, with a sign between them where neither is ''.

    (Joining with `null_handling="skip"` would be shorter, but pyarrow 26 leaves out rows in which all cells are null.)
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    nothing = pa.scalar("", pa.large_string())
    both = pc.and_(pc.not_equal(left, ""), pc.not_equal(right, ""))
    sign = pc.if_else(both, pa.scalar(between, pa.large_string()), nothing)
    return pc.binary_join_element_wise(left, sign, right, nothing)


def _clean(column: pa.Array) -> pa.Array:
    """Cells as in `klero.tables`; null where there is nothing."""
    import pyarrow as pa

    return pa.array(
        [text or None for text in cleaned(text or "" for text in column.to_pylist())], pa.large_string()
    )


def _mapped(column: pa.Array, change: Callable[[str], str]) -> pa.Array:
    known: dict[str, str] = {}
    values = []
    import pyarrow as pa

    for text in column.to_pylist():
        if text is not None and text not in known:
            known[text] = change(text)
        values.append(None if text is None else known[text])
    return pa.array(values, pa.large_string())


def _is_moment(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def _numeric_fault(source: Source, columns: Columns) -> Fault:
    used = {name for part in columns.roles["text"] for name in part}
    likely = [name for name in _likely(source) if name not in used]
    hint = (
        f"Is the text in {listed(likely, 5)}? Then: --text {as_option(likely[:1])}."
        if likely
        else "Give the column of texts: --text COL."
    )
    message = f"all texts are numbers or dates, and nothing can repeat anything in them. {hint}"
    return Fault("text-numeric", message, source.name, None, columns.spelled()["text"])


def _likely(source: Source) -> list[str]:
    """Columns that look like texts by their first rows, the wordiest first."""
    words: dict[str, float] = {}
    batch = next(iter(source.batches(list(source.columns), rows=_SAMPLE)), None)
    if batch is None:
        return []
    for name in batch.schema.names:
        try:
            cells = [text for text in as_text(batch.column(name), source.name, name, 1).to_pylist() if text]
        except InputError:  # a column that nobody asked for
            continue
        spaces = sum(len(re.findall(r"[^\W\d_]{2,}", text)) for text in cells)
        if cells and spaces >= 3 * len(cells):
            words[name] = spaces / len(cells)
    return sorted(words, key=lambda name: -words[name])


def text_column_fault(source: Source, columns: Columns) -> Fault:
    """Why the column of texts is not known, and what to give."""
    usual = usual_texts(source.columns)
    if len(usual) > 1:
        message = (
            f"{listed(usual)} could each be the text. Say which: --text {as_option(usual[:1])}, or several joined: --text {as_option(usual[:2])} "
            "(in Python: text=…)."
        )
        return Fault("text-column-ambiguous", message, source.name)
    likely = _likely(source)
    known = f"These are columns of {columns.layout}, with several questions. " if columns.layout else ""
    hint = (
        f"By their words it could be {listed(likely, 8)}: --text {as_option(likely[:1])}."
        if likely
        else "Say which: --text COL."
    )
    message = f"no column is known to hold the texts. {known}{hint} The table has {listed(source.columns)}."
    return Fault("text-column-missing", message, source.name)
