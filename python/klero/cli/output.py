"""What the commands share: formats, progress on a terminal, errors in words."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

import click

from klero._harmless import harmless, harmless_json
from klero.errors import InfeasibleError, InputError, KleroError

if TYPE_CHECKING:
    from klero.sortition.chances import Figures

# What this run has put in place, for the last word when it is interrupted.
written: list[str] = []

F = TypeVar("F", bound=Callable[..., Any])

SIZE = click.option(
    "--size", "-k", type=int, required=True, metavar="K", help="Seats on the panel, taken ones included."
)
ID_COLUMN = click.option(
    "--id",
    "id_column",
    metavar="COL",
    help="Column of ids. Default: the column «id» if there is one, else row numbers.",
)
BIN = click.option(
    "--bin",
    "bins",
    multiple=True,
    metavar='"COL: 16, 25, …"',
    help="Put the numbers in a column into bands by rising edges (16-24, 25+); may be given several times.",
)
THREADS = click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    metavar="T",
    help="At most so many. The result does not depend on it.",
)
LANG = click.option(
    "--lang", type=click.Choice(["en", "fr"]), default="en", show_default=True, help="Language of the words."
)


def format_option(command: F) -> F:
    """Adds `--format text|json`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="Form of the output.",
    )(command)


def bins_of(options: tuple[str, ...]) -> dict[str, tuple[Decimal, ...]]:
    """The edges by column of all `--bin`; InputError if one is malformed or a column comes twice."""
    if not options:
        return {}
    from klero.errors import Fault
    from klero.sortition.bins import parse_bin

    faults: list[Fault] = []
    bins: dict[str, tuple[Decimal, ...]] = {}
    for text in options:
        try:
            column, edges = parse_bin(text)
        except InputError as error:
            faults += error.faults
            continue
        if column in bins:
            message = f"--bin is given twice for '{column}'. Give all its edges once."
            faults.append(Fault("bin-edges", message, "", column=column))
        bins[column] = edges
    if faults:
        raise InputError(faults)
    return bins


def print_json(data: object) -> None:
    """One JSON document on stdout."""
    click.echo(harmless_json(json.dumps(data, ensure_ascii=False, indent=2)))


def note(text: str) -> None:
    """A remark for the person, on stderr; nothing in it is obeyed by a terminal."""
    click.echo(harmless(text), err=True)


def report_error(error: KleroError, *, as_json: bool) -> None:
    """The error in words on stderr; with `--format json` also as a document on stdout."""
    note(str(error))
    if not as_json:
        return
    data: dict[str, object] = {"code": error.code, "message": error.message}
    if isinstance(error, InputError):
        data["faults"] = [
            {
                "code": f.code,
                "message": f.message,
                "file": f.file,
                "row": f.row,
                "column": f.column,
                "value": f.value,
            }
            for f in error.faults
        ]
    if isinstance(error, InfeasibleError):
        data["conflict"] = list(error.conflict)
        data["repairs"] = list(error.repairs)
    print_json({"error": data})


def check_place(output: str, *inputs: object, force: bool) -> None:
    """Says before any work whether `save` would refuse the place, or destroy an input; see `klero._files`."""
    from klero._files import check_file, check_inputs

    check_inputs(output, inputs)
    check_file(output, force=force)


def save(path: str, data: bytes | str, *, force: bool, secret: bool = False) -> None:
    """Writes a file whole or not at all (text in UTF-8; `secret`: readable by its owner alone), and notes it for the last word; see `klero._files`."""
    from klero._files import write_file

    write_file(path, data.encode() if isinstance(data, str) else data, force=force, secret=secret)
    written.append(path)


def progress() -> AbstractContextManager[Callable[[str, int], None] | None]:
    """A line that follows the work on a terminal (phase, levels, panels found, time); None elsewhere."""
    counts: dict[str, int] = {}

    def described(phase: str, count: int) -> str:
        counts[phase] = count
        return " · ".join(f"{name} {n}" for name, n in counts.items())

    return following("feasibility", described)


@contextmanager
def following(
    first: str, described: Callable[[str, int], str]
) -> Iterator[Callable[[str, int], None] | None]:
    """A line on a terminal that says how far the work is, and for how long it has gone on; None elsewhere.

    Args:
        first: what it says to begin with.
        described: what it says of a step and a count.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(first)
        yield lambda step, count: bar.update(task, description=described(step, count))


def table(headings: list[str], rows: list[list[str]]) -> str:
    """A plain table: columns in line, numbers to the right."""
    widths = [max(len(line[i]) for line in [headings, *rows]) for i in range(len(headings))]
    numeric = [
        all(row[i].replace(".", "").replace("-", "").isdigit() for row in rows) for i in range(len(headings))
    ]

    def line(cells: list[str]) -> str:
        return "  ".join(
            c.rjust(w) if right else c.ljust(w) for c, w, right in zip(cells, widths, numeric, strict=True)
        ).rstrip()

    return "\n".join([line(headings), *map(line, rows)])


def figures_data(figures: Figures) -> dict[str, object]:
    """The figures of some people's chances, for `--format json`."""
    return {
        "people": figures.people,
        "min_probability": str(figures.smallest),
        "min_probability_float": float(figures.smallest),
        "max_probability": str(figures.largest),
        "max_probability_float": float(figures.largest),
        "gini": figures.gini,
        "geometric_mean": figures.geometric_mean,
    }
