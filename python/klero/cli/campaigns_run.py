"""From a file of contributions to the tables and the page of `klero campaigns`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from klero._files import check_folder, check_inputs, put_folder
from klero.campaigns.find import find_campaigns
from klero.campaigns.output import json_text
from klero.cli.contributions import ContributionOptions, read_contributions
from klero.voices.repeats_output import formula_ids
from klero.voices.table_output import write_rows

if TYPE_CHECKING:
    import pyarrow as pa

    from klero.campaigns.result import Campaigns

__all__ = ["FILES", "Options", "Run", "check_output", "is_ours", "run"]

Progress = Callable[[str, int], None] | None
FILES = ("contributions.csv", "groups.csv", "campaigns.json", "report.html")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command was asked; see its help."""

    votes: str | None
    vectors: str | None
    embedder: str | None
    q: float
    channels: tuple[str, ...] | None
    metadata: tuple[str, ...]
    seed: int
    threads: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """What a run found: the result, its record for programs, and how many ids look like formulas."""

    result: Campaigns
    record: dict[str, object]
    formulas: int


def is_ours(folder: Path) -> bool:
    """Whether a folder holds nothing but what `klero campaigns` writes, so that it can be replaced."""
    entries = list(folder.iterdir())
    names = {entry.name for entry in entries if entry.is_file() and not entry.is_symlink()}
    if len(names) != len(entries) or not names <= set(FILES) or "campaigns.json" not in names:
        return False
    try:
        document = json.loads((folder / "campaigns.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(document, dict) and str(document.get("schema", "")).startswith("klero-campaigns/")


def check_output(output: str, *inputs: object, force: bool) -> None:
    """Says before any work whether the folder can be put there, and that no input is in its way."""
    check_inputs(output, inputs)
    check_folder(output, is_ours, "klero campaigns", force=force)


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
        InputError: the file, the votes, the vectors or an option can't be used.
        OutputExistsError: the folder is there already.
    """
    # The page masks what it shows; the texts themselves are compared as they are.
    plain = replace(contribution, scan=False, mask=False, keep=",".join(options.metadata) or None)
    read = read_contributions(file, plain, lang, progress)
    result = find_campaigns(
        read,
        options.q,
        options.channels,
        votes=options.votes,
        vectors=options.vectors,
        embedder=options.embedder,
        metadata=options.metadata,
        seed=options.seed,
        threads=options.threads,
        progress=progress,
    )
    columns = {role: column for role, column in read.mapping.items() if column}
    record = _record(result, read.name, columns, file, options)
    check_folder(output, is_ours, "klero campaigns", force=force)
    put_folder(
        output,
        {
            "contributions.csv": _csv(result.to_arrow()),
            "groups.csv": _csv(result.groups_to_arrow()),
            "campaigns.json": _bytes(json_text(record)),
            "report.html": lambda stream: stream.write(_page(result, read.name, lang)),
        },
    )
    return Run(result, record, formula_ids(result.ids))


def _record(
    result: Campaigns, name: str, columns: dict[str, str], file: str, options: Options
) -> dict[str, object]:
    """The result's record, with what it was made from. No path, date or duration: written anew it is the same file."""
    from importlib.metadata import version

    inputs = [path for path in (file, options.votes, options.vectors) if path is not None]
    sums = {Path(path).name: _sha256(path) for path in inputs}
    return {
        **result.record(),
        "klero": version("klero"),
        "source": name,
        "columns": columns,
        "input_sha256": sums[Path(file).name],
        "sha256": sums,
    }


def _sha256(path: str) -> str:
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _csv(table: pa.Table) -> Callable[[BinaryIO], object]:
    return lambda stream: write_rows(stream, ".csv", table.schema, table.to_batches())


def _bytes(text: str) -> Callable[[BinaryIO], object]:
    return lambda stream: stream.write(text.encode())


def _page(result: Campaigns, name: str, lang: str) -> bytes:
    from importlib.metadata import version

    from klero.campaigns.report import campaigns_page

    return campaigns_page(result, lang, name=name, version=version("klero"), output="campaigns.json").encode()
