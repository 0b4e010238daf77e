"""From a file of contributions to the tables and the page of `klero themes`."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
import numpy.typing as npt

from klero._files import check_folder, check_inputs, put_folder
from klero.cli import themes_steps as steps
from klero.cli.contributions import ContributionOptions, read_contributions
from klero.errors import Fault, InputError
from klero.themes.names import KINDS
from klero.themes.output import (
    SCHEMA,
    contributions_table,
    is_ours,
    json_bytes,
    table_writer,
    themes_csv,
)
from klero.themes.report import Part, Source, themes_html
from klero.themes.report_facts import Facts, LevelCut, gather
from klero.themes.report_parts import audit_part, confront_part, stability_part
from klero.voices import personal
from klero.voices.repeats_output import formula_ids
from klero.words import number, words

if TYPE_CHECKING:
    from klero.themes.report_facts import Explained
    from klero.voices.contributions import Contributions

__all__ = ["Options", "Run", "check_output", "run"]

Progress = Callable[[str, int], None] | None
_RESAMPLED = 50_000  # contributions for which the groups are made anew ten times, to say which come back


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was asked; see its help."""

    vectors: str | None
    embedder: str
    granularity: str | float
    n_themes: int | None
    minority: bool
    must_link: str | None
    cannot_link: str | None
    codes: str | None
    audit: bool
    threads: int | None
    table: str


@dataclass(frozen=True, slots=True)
class Run:
    """What a run found: facts for people, the record for programs, how many ids look like formulas, sentences that belong to the result, and
    what was asked for beside it, under a heading."""

    facts: Facts
    record: dict[str, object]
    formulas: int = 0
    remarks: tuple[str, ...] = ()
    beside: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Digests:
    """SHA-256 of files by name, in the order in which they are told."""

    found: dict[str, str] = field(default_factory=dict)

    def file(self, path: str | None) -> None:
        """Adds a file that was read."""
        if path is not None:
            with Path(path).open("rb") as stream:
                self.found[Path(path).name] = hashlib.file_digest(stream, "sha256").hexdigest()


def check_output(output: str, *inputs: object, force: bool) -> None:
    """Says before any work whether the folder can be put there, and that no input is in its way."""
    check_inputs(output, inputs)
    check_folder(output, is_ours, "klero themes", force=force)


def run(
    file: str,
    contribution: ContributionOptions,
    options: Options,
    output: str,
    *,
    force: bool,
    lang: str,
    progress: Progress,
) -> Run:
    """Finds the groups and writes the folder, whole or not at all.

    Raises:
        InputError: the file, the vectors or an option can't be used.
        OutputExistsError: the folder is there already.
    """
    plain = _with_codes(
        replace(contribution, mask=False, scan=contribution.scan or contribution.mask), options.codes
    )
    mask = lang if contribution.mask else None
    read = read_contributions(file, plain, lang, progress, shows_masked=mask is not None)
    texts: list[str] = read.texts.to_pylist()
    kept = steps.kept_rows(texts)
    if not len(kept):
        message = (
            "no contribution has a word in it, so there is nothing to group. Is --text the right column?"
        )
        raise InputError([Fault("texts-wordless", message, read.name)])
    ids = [str(name) for name in read.ids.to_pylist()]
    mine, names = [texts[int(row)] for row in kept], [ids[int(row)] for row in kept]
    must, cannot = _pairs(options, ids, kept)
    vectors = (
        steps.made_vectors(options.embedder, mine, options.threads, lang, progress)
        if options.vectors is None
        else steps.given_vectors(options.vectors, len(texts), kept, ids, options.threads, lang)
    )
    found = steps.fitted(
        vectors.array,
        names,
        granularity=options.granularity,
        n_themes=options.n_themes,
        minority=options.minority,
        must_link=must,
        cannot_link=cannot,
        threads=options.threads,
        progress=progress,
    )
    told, levels = _told(read, kept, mine, names, found, options)
    asked: list[Part] = []
    discussed: list[str] = []
    record: dict[str, object] = {}
    told_beside: list[tuple[str, str]] = []
    if len(mine) <= _RESAMPLED:
        told, again = steps.with_stability(told, found, vectors.array, options.threads, progress)
        asked.append(stability_part(again, lang))
        record["stability"] = again.to_dict()
    if options.codes is not None:
        beside = steps.confronted(found.partition, _kept(read, options.codes, kept), names)
        asked.insert(0, confront_part(beside, mine, lang, mask))
        record["coding"] = beside.to_dict()
        words_of = beside.explain(lang)
        told_beside.append(
            (asked[0].heading, _first_of(words_of if mask is None else personal.mask(words_of, mask)))
        )
        discussed = [mine[one.row] for one in beside.texts]
    if options.audit:
        audit = steps.audited(found, vectors, mine, options.threads, progress)
        asked.append(audit_part(audit, lang))
        record["audit"] = audit.to_dict()
        told_beside.append((asked[-1].heading, audit.explain(lang)))
    facts = gather(
        read.table,
        kept,
        found.partition,
        told,
        levels,
        centred=found.centred,
        chosen=found.chosen,
        duplicates=found.duplicates,
        mask=mask,
        also=discussed,
    )
    done = _Done(read, kept, vectors, found, facts, tuple(asked), record)
    result = _written(file, done, options, output, plain.html, lang, force=force)
    return replace(result, beside=tuple(told_beside))


@dataclass(frozen=True, slots=True)
class _Done:
    """What is to be written."""

    read: Contributions
    kept: npt.NDArray[np.int64]
    vectors: steps.Vectors
    found: steps.Fitted
    facts: Facts
    parts: tuple[Part, ...]
    asked: Mapping[str, object]


def _told(
    read: Contributions,
    kept: npt.NDArray[np.int64],
    texts: list[str],
    ids: list[str],
    found: steps.Fitted,
    options: Options,
) -> tuple[Explained, list[LevelCut]]:
    """What the groups of all levels say."""
    bare = [_without_personal(text) for text in texts]
    authors = _kept(read, "author", kept) if "author" in read.table.column_names else None
    words = [
        steps.keywords(cut, bare, authors, options.threads)
        for cut in (found.partition, *(cut for cut, _persistence in found.levels))
    ]
    told = steps.explained(found.partition, found.centred, texts, ids, words[0])
    levels = [
        LevelCut(cut, persistence, own)
        for (cut, persistence), own in zip(found.levels, words[1:], strict=True)
    ]
    return told, levels


def _kept(read: Contributions, column: str, kept: npt.NDArray[np.int64]) -> list[str | None]:
    """The cells of a column for those that are grouped."""
    cells = read.table.column(column).take(kept).to_pylist()
    return [None if cell is None else str(cell) for cell in cells]


def _with_codes(contribution: ContributionOptions, codes: str | None) -> ContributionOptions:
    """The options with the column of codes read too: a column called «question» or «stance» as what it is called."""
    if codes == "question" and contribution.question in (None, codes):
        return replace(contribution, question=codes)
    if codes == "stance" and contribution.stance in (None, codes):
        return replace(contribution, stance=codes)
    return replace(contribution, keep=codes)


def _finite(value: float) -> float | None:
    """A number that JSON has."""
    return value if math.isfinite(value) else None


def _pairs(
    options: Options, ids: list[str], kept: npt.NDArray[np.int64]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Pairs that must be together and pairs that must not, by their place among the rows that are grouped."""
    if options.must_link is None and options.cannot_link is None:
        return [], []
    from klero.themes.pair_lists import read_pairs

    rows = {ids[int(row)]: place for place, row in enumerate(kept)}
    wordless = frozenset(ids) - rows.keys()
    faults: list[Fault] = []
    found: list[list[tuple[int, int]]] = []
    for path, what in ((options.must_link, "must be together"), (options.cannot_link, "must be apart")):
        try:
            found.append([] if path is None else read_pairs(path, rows, wordless, what))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return found[0], found[1]


def _without_personal(text: str) -> str:
    """A text for keywords: no telephone number or name of a mailbox becomes one."""
    findings = personal.find(text)
    for one in reversed(findings):
        text = f"{text[: one.start]} {text[one.end :]}"
    return text


def _written(
    file: str, done: _Done, options: Options, output: str, html: str, lang: str, *, force: bool
) -> Run:
    """The folder: tables first, then the record and the page, which name the digests of what was read and written."""
    from importlib.metadata import version

    digests = _Digests()
    for path in (file, options.vectors, options.must_link, options.cannot_link):
        digests.file(path)
    cuts = [cut for cut, _persistence in done.found.levels]
    table = contributions_table(done.read.ids, done.kept, done.found.partition, cuts)
    name = f"contributions{options.table}"
    groups = themes_csv(done.facts)
    settings = _settings(options)
    record: dict[str, object] = {}

    def write_groups(stream: BinaryIO) -> None:
        digests.found["themes.csv"] = hashlib.sha256(groups).hexdigest()
        stream.write(groups)

    def write_record(stream: BinaryIO) -> None:
        record.update(_record(done, settings, digests.found, version("klero")))
        stream.write(json_bytes(record))

    def write_page(stream: BinaryIO) -> None:
        columns = {role: str(column) for role, column in done.read.mapping.items() if column}
        source = Source(
            done.read.name,
            columns,
            version("klero"),
            done.found.partition.algorithm,
            done.vectors.name,
            done.vectors.words,
            {key: str(value) for key, value in settings.items() if value is not None},
            digests.found,
            html,
            done.read.counts,
        )
        stream.write(themes_html(done.facts, source, lang, done.parts))

    check_folder(output, is_ours, "klero themes", force=force)
    writers = {
        name: table_writer(table, options.table, lambda digest: digests.found.update({name: digest})),
        "themes.csv": write_groups,
        "themes.json": write_record,
        "report.html": write_page,
    }
    put_folder(output, writers)
    return Run(
        done.facts,
        record,
        formula_ids(done.read.ids.to_pylist()),
        _remarks(done.facts, options, lang),
    )


def _first_of(text: str) -> str:
    """The lines up to the end of the first list: the figures and what was lost. The page has the rest."""
    kept: list[str] = []
    for line in text.split("\n"):
        if kept and kept[-1].startswith("- ") and not line.startswith("- "):
            break
        kept.append(line)
    return "\n".join(kept)


def _remarks(facts: Facts, options: Options, lang: str) -> tuple[str, ...]:
    """That there are more or fewer themes than were asked for."""
    found = facts.clusters[0]
    if options.n_themes in (None, found):
        return ()
    text = words(lang).gettext(
        "{asked} themes were asked for; {found} is what a cut near that number gives, for a theme needs five contributions that hold together."
    )
    return (text.format(asked=number(options.n_themes or 0, lang), found=number(found, lang)),)


def _settings(options: Options) -> dict[str, object]:
    """What was asked, without paths."""
    return {
        "granularity": None if options.n_themes else options.granularity,
        "themes": options.n_themes,
        "minority": options.minority,
        "must_link": None if options.must_link is None else Path(options.must_link).name,
        "cannot_link": None if options.cannot_link is None else Path(options.cannot_link).name,
        "codes": options.codes,
    }


def _record(
    done: _Done, settings: Mapping[str, object], digests: Mapping[str, str], version: str
) -> dict[str, object]:
    """What was done, and the sums, for programs."""
    facts, partition = done.facts, done.found.partition
    return {
        "schema": SCHEMA,
        "klero": version,
        "algorithm": partition.algorithm,
        "source": done.read.name,
        "columns": {role: column for role, column in done.read.mapping.items() if column},
        "embedder": {"name": done.vectors.name, **done.vectors.record},
        "settings": dict(settings),
        "counts": {
            "contributions": facts.total,
            **dict(zip(KINDS, facts.contributions, strict=True)),
            "empty": facts.empty,
        },
        "groups": dict(zip(KINDS, facts.clusters, strict=True)),
        "duplicates": facts.duplicates,
        "levels": [
            {
                "level": level.number,
                "similarity": _finite(level.similarity),
                "persistence": _finite(level.persistence),
                "groups": dict(zip(KINDS, level.clusters, strict=True)),
                "contributions": dict(zip(KINDS, level.contributions, strict=True)),
                "shown": level.chosen,
            }
            for level in facts.levels
        ],
        "map": {"nearest_right": facts.map.right, "asked": facts.map.asked},
        "personal_in_page": facts.personal,
        "masked": facts.masked,
        **done.asked,
        "sha256": dict(digests),
    }
