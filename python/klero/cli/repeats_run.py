"""From a file of contributions to the table and the page of `klero repeats`, in memory or from the disk.

In memory where the file fits the budget, by an estimate that errs on the side of too much; otherwise by `klero.voices.streaming`, which
keeps to the budget. Then the columns besides ids and texts are not read, and the page has no dates, no questions and no accounts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np

from klero._files import write_together
from klero.cli.contributions import (
    ContributionOptions,
    note_contributions,
    open_contribution_file,
    read_contributions,
)
from klero.errors import Fault, InputError
from klero.voices.memory import available_memory, size_text, whole_need

if TYPE_CHECKING:
    from klero.voices.contributions import ContributionFile, Contributions
    from klero.voices.near_duplicates import NearDuplicates
    from klero.voices.repeats_facts import Facts, Rung
    from klero.voices.repeats_report import Source

__all__ = ["Run", "run"]

Progress = Callable[[str, int], None]

_LADDER, _LOWER = 200_000, 0.6  # texts for which other settings are tried too, and the lower threshold
_STREAMED = {".csv", ".tsv", ".txt", ".parquet", ".pq", ".jsonl", ".ndjson"}


@dataclass(frozen=True, slots=True)
class Run:
    """What a run found: facts for people, where they come from, and how many ids look like formulas."""

    facts: Facts
    source: Source
    formulas: int


@dataclass(frozen=True, slots=True)
class Places:
    """Where table and page are written, and whether they may replace what is there."""

    output: str
    page: str | None
    force: bool


def run(
    file: str,
    contribution: ContributionOptions,
    places: Places,
    settings: Mapping[str, Any],
    *,
    memory: str | None,
    threads: int | None,
    temp: str | None,
    lang: str,
    progress: Progress | None,
) -> Run:
    """Finds the groups of `file` in one way or the other, and writes table and page.

    Raises:
        InputError: the file, an option or the budget can't be used.
        OutputExistsError: table or page are there already.
    """
    from klero.voices.settings import read_resources, read_settings

    faults: list[Fault] = []
    read_settings(faults, min_shared=None, **settings)
    resources = read_resources(faults, threads=threads, memory=memory)
    if resources is None or faults:
        raise InputError(faults)
    budget = available_memory() // 2 if resources.memory is None else resources.memory
    need = whole_need(file)
    if need > budget and Path(file).suffix.lower() in _STREAMED:
        means = {
            "memory": budget,
            "threads": threads,
            "temp_folder": temp,
            "progress": progress,
            "lang": lang,
        }
        return _from_disk(file, contribution, places, settings, means)
    if need > budget and memory is not None:
        message = (
            f"a file of this kind is read whole, which takes about {size_text(need)}, and {memory} may be used. Save it as CSV, which is worked through "
            f"from the disk, or allow --memory {size_text(need)}. Nothing was written."
        )
        raise InputError([Fault("memory-budget", message, Path(file).name, value=memory)])
    return _in_memory(file, contribution, places, settings, threads, lang, progress)


def _in_memory(
    file: str,
    contribution: ContributionOptions,
    places: Places,
    settings: Mapping[str, Any],
    threads: int | None,
    lang: str,
    progress: Progress | None,
) -> Run:
    from klero.voices.near_duplicates import near_duplicates
    from klero.voices.repeats_facts import gather
    from klero.voices.repeats_output import formula_ids
    from klero.voices.table_output import write_rows

    plain, mask = _unmasked(contribution, lang)
    contributions = read_contributions(file, plain, lang, progress, shows_masked=mask is not None)
    found = near_duplicates(contributions, threads=threads, progress=progress, **settings)
    shown = {"groups": 0} if places.page is None else {}
    facts = gather(found, contributions.table, **shown, mask=mask)
    facts = replace(facts, ladder=_ladder(found, contributions, settings, threads))
    source = _source(contributions, contribution, places)
    table = found.to_arrow()
    suffix = Path(places.output).suffix
    writer = partial(write_rows, suffix=suffix, schema=table.schema, batches=table.to_batches())
    source = _write(file, places, facts, source, lang, writer)
    return Run(facts, source, formula_ids(table.column("id").to_pylist()))


def _from_disk(
    file: str,
    contribution: ContributionOptions,
    places: Places,
    settings: Mapping[str, Any],
    means: Mapping[str, Any],
) -> Run:
    from klero.voices.repeats_output import formula_ids
    from klero.voices.repeats_streamed import gather_file
    from klero.voices.streaming import near_duplicates_file

    lang = means["lang"]
    plain, mask = _unmasked(contribution, lang)
    again = open_contribution_file(file, plain, lang)  # says what is wrong with the options, before the work
    found = near_duplicates_file(
        file,
        text=contribution.text,
        id=contribution.id_column,
        mapping=contribution.mapping,
        html=contribution.html,  # type: ignore[arg-type]
        sheet=contribution.sheet,
        **settings,
        **means,
    )
    facts = gather_file(found, again.batches, groups=0 if places.page is None else None, mask=mask)
    note_contributions(again, lang, shows_masked=mask is not None)
    source = _source(again, contribution, places, streamed=True)
    source = _write(file, places, facts, source, lang, found.writer(places.output))
    ids = (name for batch in found.batches() for name in batch.column("id").to_pylist())
    return Run(facts, source, formula_ids(ids))


def _ladder(
    found: NearDuplicates, contributions: Contributions, settings: Mapping[str, Any], threads: int | None
) -> tuple[Rung, ...]:
    """How many of those alone other settings would group, so that nobody takes the default for all there is; nothing for very many texts."""
    from klero.voices.near_duplicates import near_duplicates
    from klero.voices.repeats_facts import Rung

    if not found.counts.alone or found.counts.texts > _LADDER:
        return ()
    mine = found.settings
    rungs: list[tuple[str, float, dict[str, Any]]] = []
    if mine.threshold > _LOWER:
        rungs.append(("threshold", _LOWER, {"threshold": _LOWER}))
    if mine.measure != "containment":
        rungs.append(("containment", mine.threshold, {"measure": "containment", "mode": "exact"}))
    if not mine.fold_accents:
        rungs.append(("accents", mine.threshold, {"fold_accents": True}))
    alone = np.asarray(found.group) == -1
    told = []
    for name, value, change in rungs:
        other = near_duplicates(contributions, threads=threads, **{**settings, **change})
        told.append(Rung(name, value, int((alone & (np.asarray(other.group) >= 0)).sum())))
    return tuple(told)


def _write(
    file: str, places: Places, facts: Facts, source: Source, lang: str, table: Callable[[BinaryIO], None]
) -> Source:
    """The table, and the page if there is to be one: both or none. The page names the digests of what was read and of the table."""
    from klero.voices.repeats_report import repeats_html
    from klero.voices.table_output import Digested

    with Path(file).open("rb") as stream:
        told = replace(source, input_digest=hashlib.file_digest(stream, "sha256").hexdigest())

    def write_table(stream: BinaryIO) -> None:
        nonlocal told
        digested = Digested(stream)
        table(cast("BinaryIO", digested))
        told = replace(told, output_digest=digested.sha256.hexdigest())

    files: list[tuple[str, Callable[[BinaryIO], object]]] = [(places.output, write_table)]
    if places.page is not None:
        files.append((places.page, lambda stream: stream.write(repeats_html(facts, told, lang))))
    write_together(files, force=places.force)
    return told


def _unmasked(contribution: ContributionOptions, lang: str) -> tuple[ContributionOptions, str | None]:
    """The options without --mask, and the language to mask what is shown in, if it was given.

    Texts are compared as they were written: masked, two that differ in a telephone number alone would be one, and otherwise in another language.
    """
    if not contribution.mask:
        return contribution, None
    return replace(contribution, mask=False, scan=True), lang


def _source(
    read: Contributions | ContributionFile,
    contribution: ContributionOptions,
    places: Places,
    *,
    streamed: bool = False,
) -> Source:
    """What the page says of the file."""
    from importlib.metadata import version

    from klero.voices.repeats_report import Source

    columns = {role: str(column) for role, column in read.mapping.items() if column}
    return Source(
        read.name,
        columns,
        Path(places.output).name,
        version("klero"),
        streamed,
        contribution.html,
        read.counts,
    )
