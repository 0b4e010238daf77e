"""The options for a table of contributions, shared by the commands that read one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from klero.cli.output import note

if TYPE_CHECKING:
    from klero.voices.contributions import ContributionFile, Contributions
    from klero.voices.pseudonyms import PseudonymKey


if TYPE_CHECKING:
    _Number = click.ParamType[float]
else:  # which older versions of click don't know as a generic class
    _Number = click.ParamType


class _Decimal(_Number):
    """A number, with a point or a comma: «0.8», «0,8»."""

    name = "float"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        text: Any = value.replace(",", ".") if isinstance(value, str) and value.count(",") == 1 else value
        return click.FLOAT.convert(text, param, ctx)


DECIMAL = _Decimal()

VECTORS = click.option(
    "--vectors",
    type=click.Path(),
    metavar="V.npy",
    help="Vectors of the texts, a row for each contribution in the order of FILE: .npy or .parquet.",
)
EMBEDDER = click.option(
    "--embedder",
    metavar="E",
    help="What makes vectors of the texts: offline (needs no model), packaged (the model of klero[embeddings]), or the path of a model. Default: offline.",
)

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--text",
        metavar="COL",
        help="Column of the texts; several joined: title+body. Default: as the export is recognised.",
    ),
    click.option(
        "--id",
        "id_column",
        metavar="COL",
        help="Column of ids. Default: as recognised, else rows are numbered 1, 2, …",
    ),
    click.option("--author", metavar="COL", help="Column of authors."),
    click.option("--time", "time_column", metavar="COL", help="Column of times."),
    click.option("--question", metavar="COL", help="Column of questions or topics."),
    click.option("--stance", metavar="COL", help="Column of stances: for, against, neutral."),
    click.option("--votes", metavar="COL", help="Column of votes."),
    click.option("--keep", metavar="COLS", help="More columns to keep, with commas between."),
    click.option(
        "--map",
        "mapping",
        metavar='"text=title+body, id=ref"',
        help="All of these in one; «author=» takes the column away.",
    ),
    click.option(
        "--html",
        type=click.Choice(["auto", "never"]),
        default="auto",
        show_default=True,
        help="Whether HTML becomes text.",
    ),
    click.option(
        "--pseudonymise",
        type=click.Path(),
        metavar="KEYFILE",
        help="Replace authors by pseudonyms under a key, made once with: openssl rand -hex 32 > KEYFILE.",
    ),
    click.option(
        "--scan/--no-scan",
        default=True,
        show_default=True,
        help="Look for e-mails, telephones and addresses in the texts.",
    ),
    click.option("--mask", is_flag=True, help="Put «[e-mail]», «[phone]», … in their place."),
    click.option("--sheet", metavar="NAME", help="Sheet of an Excel file. Default: the first."),
)


@dataclass(frozen=True)
class ContributionOptions:
    """What the options say; see `klero.voices.contributions.Contributions.read`."""

    text: str | None = None
    id_column: str | None = None
    author: str | None = None
    time_column: str | None = None
    question: str | None = None
    stance: str | None = None
    votes: str | None = None
    keep: str | None = None
    mapping: str | None = None
    html: str = "auto"
    pseudonymise: str | None = None
    scan: bool = True
    mask: bool = False
    sheet: str | None = None

    @property
    def inputs(self) -> tuple[object, ...]:
        """What the options name files with, for the check that no output takes the place of an input."""
        return (self.pseudonymise,)


def contribution_options(command: F, *, without: Collection[str] = ()) -> F:
    """Adds the options; the command gets them as one argument, `contribution`.

    Args:
        without: fields of `ContributionOptions` whose options would do nothing in this command, and that it does not have.
    """

    @functools.wraps(command)
    def gathered(*args: Any, **options: Any) -> Any:
        mine = {
            name: options.pop(name)
            for name in ContributionOptions.__dataclass_fields__
            if name not in without
        }
        return command(*args, contribution=ContributionOptions(**mine), **options)

    wrapped: Any = gathered
    for name, option in reversed(list(zip(ContributionOptions.__dataclass_fields__, _OPTIONS, strict=True))):
        wrapped = wrapped if name in without else option(wrapped)
    return wrapped  # type: ignore[no-any-return]


def read_contributions(
    source: str,
    contribution: ContributionOptions,
    lang: str,
    progress: Callable[[str, int], None] | None = None,
    *,
    shows_masked: bool = False,
) -> Contributions:
    """The contributions of a file; says on stderr which columns were taken, what was changed, and what personal data was found.

    `shows_masked`: the command masks what it shows, and the texts are read as they are.
    """
    from klero.voices.contributions import Contributions
    from klero.voices.reading_words import reading_words, scan_words

    read = Contributions.read(
        source,
        text=contribution.text,
        id=contribution.id_column,
        author=contribution.author,
        time=contribution.time_column,
        question=contribution.question,
        stance=contribution.stance,
        votes=contribution.votes,
        metadata=_names(contribution.keep),
        mapping=contribution.mapping,
        html="never" if contribution.html == "never" else "auto",
        pseudonymise=_key(contribution.pseudonymise),
        scan=contribution.scan,
        mask=contribution.mask,
        lang=lang,
        sheet=contribution.sheet,
        progress=progress,
    )
    for line in (*reading_words(read, lang), *scan_words(read, lang, shows_masked=shows_masked)):
        note(line)
    return read


def open_contribution_file(source: str, contribution: ContributionOptions, lang: str) -> ContributionFile:
    """A file of contributions to be read a batch at a time. What was read is said by `note_contributions`, after a pass."""
    from klero.voices.contributions import open_contributions

    return open_contributions(
        source,
        text=contribution.text,
        id=contribution.id_column,
        author=contribution.author,
        time=contribution.time_column,
        question=contribution.question,
        stance=contribution.stance,
        votes=contribution.votes,
        metadata=_names(contribution.keep),
        mapping=contribution.mapping,
        html="never" if contribution.html == "never" else "auto",
        pseudonymise=_key(contribution.pseudonymise),
        scan=contribution.scan,
        mask=contribution.mask,
        lang=lang,
        sheet=contribution.sheet,
    )


def note_contributions(read: ContributionFile, lang: str, *, shows_masked: bool = False) -> None:
    """Says on stderr what `read_contributions` says, of a file that was read to its end."""
    from klero.voices.reading_words import reading_words, scan_words

    for line in (*reading_words(read, lang), *scan_words(read, lang, shows_masked=shows_masked)):
        note(line)


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else ()


def _key(path: str | None) -> PseudonymKey | None:
    if path is None:
        return None
    from klero.voices.pseudonyms import read_key

    return read_key(path)
