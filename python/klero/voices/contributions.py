"""What did people write, and is every contribution accounted for?

A table of texts becomes `Contributions`: an Arrow table with the columns id, text and, where the source has them, author, time, question, stance and
votes. Which column is which is told by the columns of the platforms' exports, or by the person (:mod:`klero.voices.exports`). Texts are cleaned
(:mod:`klero.voices.cleaning`), authors can be put under keyed pseudonyms (:mod:`klero.voices.pseudonyms`), and what reaches a person looked for
and masked (:mod:`klero.voices.personal`).

Guaranteed: no row disappears. Rows = contributions + rows of other kinds (votes in an export of everything) + blank lines, all three in `counts`; an id
that is missing or there twice is an error that names the rows, as is a text column of numbers. The same table gives the same contributions from CSV, Excel,
Parquet, JSONL or memory; ids are whole numbers (int64) where the column's type in Parquet or Arrow says so, and text elsewhere («017» stays «017»).
Not guaranteed: that two rows with different ids are of two people.

CSV, Parquet and JSONL are read in batches. `open_contributions` gives ids and texts of a file that does not fit memory.

>>> read = Contributions.read([{"id": 7, "body": "<p>Oui&nbsp;!</p>", "author": "Zoé"}, {"id": 8, "body": None, "author": "Ali"}])
>>> read.ids.to_pylist(), read.texts.to_pylist(), read.mapping
(['7', '8'], ['Oui\\xa0!', ''], {'layout': '', 'id': 'id', 'text': 'body', 'author': 'author'})
>>> read.counts.rows, read.counts.html, read.counts.empty
(2, 1, 1)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from klero._tables_arrow import _PANDAS_LABELS, ArrowStream
from klero._tables_batches import Source, open_path, open_stream
from klero._tables_cells import cell_text, kind_of
from klero._tables_json import HALF_CHARACTER, half_character, json_lists, textless
from klero.errors import Fault, InputError, quoted
from klero.tables import Table, TableSource, read_table, read_workbook
from klero.voices.exports import ROLES, Columns, Given, chosen, listed
from klero.voices.personal import PersonalData
from klero.voices.pseudonyms import PseudonymKey, read_key
from klero.voices.rows import Counts, Settings, Worker, text_column_fault
from klero.words import words

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ContributionFile", "Contributions", "Counts", "open_contributions"]

_KINDS = ".csv .tsv .txt .parquet .pq .jsonl .ndjson"
_WHOLE = {".xlsx", ".xlsm"}
ROWS = 1 << 16

Html = Literal["auto", "never"]


@dataclass(frozen=True)
class Contributions:
    """Texts with their ids, and what else the table says of them.

    Attributes:
        table: an Arrow table: id (int64 where rows are numbered or the source's column is of whole numbers, else large_string), text (large_string,
            never null), and of author, question (large_string), time (timestamp in µs, UTC), stance («for», «against», «neutral») and votes (int64)
            those that the source has, null where a cell says nothing; then the columns that were kept.
        name: what messages call the source.
        mapping: which columns filled which role, as `--map` takes it; «layout» names the export, or is ''.
        counts: rows, and what was changed or not understood.
        personal: what a scan for personal data found; None if none was asked for.
        sheets: of an Excel file, the sheet that was read and then the others that are not hidden.
    """

    table: pa.Table
    name: str
    mapping: Mapping[str, str]
    counts: Counts
    personal: PersonalData | None = None
    sheets: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __repr__(self) -> str:
        return (
            f"<Contributions '{self.name}': {len(self)} texts, columns {', '.join(self.table.column_names)}>"
        )

    @property
    def ids(self) -> pa.ChunkedArray:
        """The ids, in the order of the source."""
        return self.table.column("id")

    @property
    def texts(self) -> pa.ChunkedArray:
        """The texts, without nulls."""
        return self.table.column("text")

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)

    @classmethod
    def read(
        cls,
        source: TableSource,
        *,
        text: Given = None,
        id: Given = None,  # noqa: A002 - the name of the role
        author: Given = None,
        time: Given = None,
        question: Given = None,
        stance: Given = None,
        votes: Given = None,
        metadata: Sequence[str] = (),
        mapping: Mapping[str, Given] | str | None = None,
        html: Html = "auto",
        pseudonymise: str | PathLike[str] | PseudonymKey | None = None,
        scan: bool = False,
        mask: bool = False,
        lang: str = "en",
        name: str | None = None,
        sheet: str | None = None,
        progress: Callable[[str, int], None] | None = None,
    ) -> Contributions:
        """Read contributions from a file, an Arrow stream or a list of mappings.

        Args:
            source: a path to .csv, .tsv, .txt, .xlsx, .parquet, .jsonl or .json; anything with ``__arrow_c_stream__``; mappings.
            text, id, author, time, question, stance, votes: the column of each, an expression («title+body»), or several names; None: as recognised, and
                for ids without such a column the rows' numbers, 1, 2, …
            metadata: columns to keep under their names.
            mapping: the same in one, «text=title+body, id=» or a dict; a role with None has no column, whatever was recognised.
            html: «auto» turns cells with HTML into text, «never» leaves them.
            pseudonymise: a key file (`klero.voices.pseudonyms`), or its key: authors are replaced.
            scan: look for personal data in the texts.
            mask: put «[e-mail]» and the like in its place (and scan).
            lang: the language of these.
            name: what messages call the source.
            sheet: of an Excel file; None: the first that is not hidden.
            progress: called with «reading» and the rows read so far.

        Raises:
            InputError: with every fault of the table; see the codes in `klero.errors`.
            MissingExtraError: an Excel file, without openpyxl.

        Time and memory grow with the texts; about 5 µs a text and one copy of it, more for HTML.
        """
        import pyarrow as pa

        settings = _settings(html, pseudonymise, scan, mask, lang)
        opened = _open(source, name, sheet)
        given = dict(zip(ROLES, (id, text, author, time, question, stance, votes), strict=True))
        worker = Worker(opened, _columns(opened, given, mapping, metadata, settings.key), settings)
        batches = []
        for batch in worker.batches(ROWS):
            batches.append(batch)
            if progress is not None:
                progress("reading", worker.rows)
        worker.finish()
        table = pa.Table.from_batches(batches, schema=worker.schema)
        return cls(table, opened.name, worker.mapping(), worker.counts(), worker.personal(), opened.sheets)


@dataclass(frozen=True)
class ContributionFile:
    """A file of contributions that is read a batch at a time, as often as needed: the same rows in the same order each time.

    Attributes:
        name: what messages call it.
        mapping: as in `Contributions`.
        sheets: as there.
    """

    name: str
    mapping: Mapping[str, str]
    _worker: Worker
    sheets: tuple[str, ...] = ()

    @property
    def counts(self) -> Counts:
        """Rows and changes of the last pass that was finished.

        Raises:
            ValueError: none was.
        """
        return self._worker.last

    @property
    def personal(self) -> PersonalData | None:
        """What was found by the last pass that was finished."""
        return self._worker.personal()

    def batches(self, rows: int = ROWS) -> Iterator[pa.RecordBatch]:
        """Record batches of id (large_string or int64, as in `Contributions`) and text (large_string, no nulls), of at most `rows` rows.

        Memory: a batch, a block of the file, and in the first pass eight bytes an id.

        Raises:
            InputError: what is wrong with the file; ids that are missing or there twice, and texts that are all numbers, at the end of the first pass.
        """
        worker = self._worker.again()
        yield from worker.batches(rows)
        worker.finish()
        self._worker.adopt(worker)


def open_contributions(
    path: str | PathLike[str],
    *,
    text: Given = None,
    id: Given = None,  # noqa: A002 - the name of the role
    author: Given = None,
    time: Given = None,
    question: Given = None,
    stance: Given = None,
    votes: Given = None,
    metadata: Sequence[str] = (),
    mapping: Mapping[str, Given] | str | None = None,
    html: Html = "auto",
    pseudonymise: str | PathLike[str] | PseudonymKey | None = None,
    scan: bool = False,
    mask: bool = False,
    lang: str = "en",
    sheet: str | None = None,
) -> ContributionFile:
    """Ids and texts of a file that may not fit memory: CSV, Parquet or JSONL (others are read whole first).

    Args:
        path: of the file.
        text, id, mapping, html, scan, mask, lang, sheet: as in `Contributions.read`.
        author, time, question, stance, votes, metadata, pseudonymise: as there; they are checked alike, and not read.

    Raises:
        InputError: the file can't be opened, an option is wrong, or its columns can't be told.
    """
    settings = _settings(html, pseudonymise, scan, mask, lang)
    opened = _open(path, None, sheet)
    given = dict(zip(ROLES, (id, text, author, time, question, stance, votes), strict=True))
    columns = _columns(opened, given, mapping, metadata, settings.key)
    roles = {role: columns.roles[role] for role in ("id", "text") if role in columns.roles}
    worker = Worker(opened, replace(columns, roles=roles, metadata=()), replace(settings, key=None))
    return ContributionFile(opened.name, worker.mapping(), worker, opened.sheets)


def _settings(html: object, pseudonymise: object, scan: bool, mask: bool, lang: str) -> Settings:
    """The options that no column is needed for, checked."""
    words(lang)
    if html not in ("auto", "never"):
        message = f"html is {html!r}. Give 'auto', which turns HTML into text, or 'never'."
        raise InputError([Fault("option-unknown", message, "")])
    if pseudonymise is None or isinstance(pseudonymise, PseudonymKey):
        key = pseudonymise
    elif isinstance(pseudonymise, str | PathLike):
        key = read_key(pseudonymise)
    else:
        message = f"pseudonymise is {kind_of(pseudonymise)}. Give the path of a key file, or a PseudonymKey."
        raise InputError([Fault("pseudonym-key", message, "")])
    return Settings(html == "auto", key, scan or mask, mask, lang)


def _columns(
    opened: Source,
    given: Mapping[str, Given],
    mapping: Mapping[str, Given] | str | None,
    metadata: Sequence[str],
    key: PseudonymKey | None,
) -> Columns:
    """The columns of each role. A key for pseudonyms needs authors, and that they are not kept beside them."""
    columns = chosen(list(opened.columns), opened.name, given, mapping, metadata)
    if "text" not in columns.roles:
        raise InputError([text_column_fault(opened, columns)])
    if key is not None:
        authors = {name for part in columns.roles.get("author", ()) for name in part}
        if not authors:
            message = (
                "authors shall get pseudonyms, and no column is known to hold authors. Give it, --author COL (in Python: author=…), or no key. "
                f"The table has {listed(opened.columns)}."
            )
            raise InputError([Fault("column-missing", message, opened.name)])
        if kept := authors & set(columns.metadata):
            message = f"authors shall get pseudonyms, and {listed(sorted(kept))} is kept with their names as well. Don't keep it."
            raise InputError([Fault("options-conflict", message, opened.name)])
    return columns


def _open(source: TableSource, name: str | None, sheet: str | None = None) -> Source:
    path = Path(source) if isinstance(source, str | PathLike) else None
    if sheet is not None and (path is None or path.suffix.lower() not in _WHOLE):
        message = f"the sheet {quoted(sheet)} is asked for, and only Excel files have sheets. Leave it out (--sheet, in Python sheet=)."
        raise InputError([Fault("options-conflict", message, name or (path.name if path else ""))])
    if path is not None:
        if path.suffix.lower() == ".json" and path.is_file():
            return _of_mappings(json_lists(path.read_bytes(), name or path.name), name or path.name)
        if path.suffix.lower() in _WHOLE and not path.is_dir():
            return _of_sheet(*read_workbook(path, name=name, sheet=sheet))
        opened = open_path(path, _KINDS, "contributions", controls=True)
        opened.check_quotes()
        return replace(opened, name=name) if name else opened
    if isinstance(source, ArrowStream):
        return _of_stream(source, name or "contributions")
    if isinstance(source, Sequence) and not isinstance(source, bytes | bytearray):
        return _of_mappings(source, name or "contributions")
    return _of_table(read_table(source, name=name, called="contributions"))


def _of_table(table: Table) -> Source:
    import pyarrow as pa

    columns = {
        name: pa.array(cells, pa.large_string())
        for name, cells in zip(table.columns, table.data, strict=True)
    }
    return open_stream(pa.table(columns), table.name, "contributions")


def _of_sheet(table: Table, sheets: tuple[str, ...]) -> Source:
    """A sheet of Excel, with the blank rows between others, which tables leave out: one of them may be an empty answer."""
    import pyarrow as pa

    first, last = 2, table.row_numbers[-1]
    columns = {}
    for name, cells in zip(table.columns, table.data, strict=True):
        column = [""] * (last - first + 1)
        for number, cell in zip(table.row_numbers, cells, strict=True):
            column[number - first] = cell
        columns[name] = pa.array(column, pa.large_string())
    opened = open_stream(pa.table(columns), table.name, "contributions")
    return replace(opened, header_rows=first, sheet=True, sheets=sheets)


def _of_mappings(rows: Sequence[object], name: str) -> Source:
    """A key that a mapping lacks is an empty cell; no row is left out, though all its cells be empty."""
    import pyarrow as pa

    known: dict[str, list[str | None]] = {}
    faults: list[Fault] = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            message = f"a list of contributions must hold mappings such as dicts, not {kind_of(row)}."
            raise InputError([Fault("source-type", message, name, row=number)])
        for key, value in row.items():
            label = str(key)
            if label not in known and half_character(label):
                faults.append(Fault("encoding-unreadable", HALF_CHARACTER, name, number, ascii(label)[:60]))
            column = known.setdefault(label, [])
            column += [None] * (number - 1 - len(column))
            if len(column) == number:
                message = f"two keys of this mapping are both written {quoted(label)}. Rename one."
                faults.append(Fault("column-duplicate", message, name, number, label))
                continue
            text = None if value is None else cell_text(value)
            if value is not None and text is None:
                kind = type(value).__name__
                faults.append(Fault("cell-type", textless(value), name, number, label, kind))
            elif text and half_character(text):
                value = ascii(text)[:60]
                faults.append(Fault("encoding-unreadable", HALF_CHARACTER, name, number, label, value))
                text = None
            column.append(text)
    if faults:
        raise InputError(faults)
    if not known:
        raise InputError([Fault("table-empty", "the table is empty. Give at least one contribution.", name)])
    columns = {
        key: pa.array([*column, *[None] * (len(rows) - len(column))], pa.large_string())
        for key, column in known.items()
    }
    return open_stream(pa.table(columns), name, "contributions")


def _of_stream(source: ArrowStream, name: str) -> Source:
    """A stream may be given out only once; what is in memory is taken in whole."""
    import pyarrow as pa

    try:
        table = pa.RecordBatchReader.from_stream(source).read_all()
    except (pa.ArrowException, TypeError, ValueError) as error:
        message = (
            f"this {type(source).__name__} can't be read as an Arrow table ({error}). Give a table whose columns each have one type: text, numbers, dates or "
            "truth values."
        )
        raise InputError([Fault("source-type", message, name)]) from error
    return open_stream(
        table.select([i for i, c in enumerate(table.column_names) if not _PANDAS_LABELS.fullmatch(c)]),
        name,
        "contributions",
    )
