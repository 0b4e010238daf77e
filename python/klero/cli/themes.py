"""`klero themes`: what is being said, as tables and as a page to read."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from klero._harmless import harmless
from klero.cli.contributions import EMBEDDER, VECTORS, ContributionOptions, contribution_options
from klero.cli.output import LANG, THREADS, following, format_option, note, print_json, table, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from klero.cli.themes_run import Run
    from klero.themes.report_facts import Facts, Line

_SHOWN = (10, 5, 5)  # themes, weak signals and lone voices on the terminal
_SNIPPET = 44  # code points of keywords and of a text there


def _granularity(_ctx: click.Context, _param: click.Parameter, value: str) -> str | float:
    """«auto», «coarse», «fine», or a number from 0 to 1."""
    text = value.strip().replace(",", ".")
    if text in ("auto", "coarse", "fine"):
        return text
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        message = f"{value!r} is neither auto, coarse, fine nor a number from 0 (coarsest) to 1 (finest)."
        raise click.BadParameter(message)
    return number


@click.command()
@click.argument("file", type=click.Path())
@partial(contribution_options, without=("votes", "keep", "pseudonymise"))
@VECTORS
@EMBEDDER
@click.option(
    "--granularity",
    callback=_granularity,
    default="auto",
    show_default=True,
    metavar="G",
    help="auto, coarse, fine, or from 0 to 1: which of the levels is shown. All are in the tables.",
)
@click.option(
    "--themes",
    "n_themes",
    type=click.IntRange(min=1),
    metavar="N",
    help="About so many themes, in the place of --granularity.",
)
@click.option(
    "--no-minority", is_flag=True, help="Leave out the second look at whoever fits their group worst."
)
@click.option(
    "--must-link",
    type=click.Path(),
    metavar="PAIRS.csv",
    help="A table of two columns of ids: each pair is in one group.",
)
@click.option(
    "--cannot-link",
    type=click.Path(),
    metavar="PAIRS.csv",
    help="The same for pairs that are not in one group.",
)
@click.option(
    "--codes",
    metavar="COL",
    help="A column with a person's coding, to be read beside the groups.",
)
@click.option(
    "--audit",
    is_flag=True,
    help="Plant voices of a few people and say how many of them would be seen.",
)
@THREADS
@click.option(
    "--table",
    "form_of_table",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    show_default=True,
    help="Form of the table of contributions.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(),
    metavar="DIR",
    help="A new folder: contributions.csv, themes.csv, themes.json, report.html.",
)
@click.option("--force", is_flag=True, help="Replace a folder that klero themes has made.")
@LANG
@format_option
def themes(
    file: str,
    contribution: ContributionOptions,
    vectors: str | None,
    embedder: str | None,
    granularity: str | float,
    n_themes: int | None,
    no_minority: bool,
    must_link: str | None,
    cannot_link: str | None,
    codes: str | None,
    audit: bool,
    threads: int | None,
    form_of_table: str,
    output: str,
    force: bool,
    lang: str,
    form: str,
) -> int:
    """Find what is said in FILE: themes of five and more, weak signals of two to four, and lone voices, all of them.

    Every contribution is in exactly one of these, and all three stand in the tables and on the page with the same rank. No text is generated.

    \b
    Examples:
      klero themes contributions.csv --text text -o themes
      klero themes answers.xlsx --text answer --id ref -o themes --lang fr --granularity fine
      klero themes contributions.csv --text text --vectors vectors.npy -o themes
      klero themes contributions.csv --text text --codes code --audit -o themes
    """
    from klero.cli.themes_run import Options, check_output, run

    source = click.get_current_context().get_parameter_source("granularity")
    if n_themes is not None and source is click.core.ParameterSource.COMMANDLINE:
        raise click.UsageError("--themes and --granularity exclude each other.")
    if vectors is not None and embedder is not None:
        raise click.UsageError("--vectors and --embedder exclude each other.")
    options = Options(
        vectors=vectors,
        embedder=embedder or "offline",
        granularity=granularity,
        n_themes=n_themes,
        minority=not no_minority,
        must_link=must_link,
        cannot_link=cannot_link,
        codes=codes,
        audit=audit,
        threads=threads,
        table=f".{form_of_table}",
    )
    check_output(output, file, *contribution.inputs, vectors, must_link, cannot_link, force=force)
    clock = time.perf_counter()
    with following("reading", lambda step, count: f"{step}: {count:,}") as advance:
        done = run(file, contribution, options, output, force=force, lang=lang, progress=advance)
    written.append(output)
    if form == "json":
        print_json({**done.record, "output": output, "seconds": round(time.perf_counter() - clock, 3)})
    _say(done, output, lang, tell=note if form == "json" else _tell)
    return 0


def _tell(text: str) -> None:
    """A line of the result, on stdout; nothing in it is obeyed by a terminal."""
    click.echo(harmless(text))


def _say(done: Run, output: str, lang: str, *, tell: Callable[[str], None]) -> None:
    """The words on the terminal: groups, what was found and the sum; and on stderr remarks and what to do next."""
    from klero.themes.report import found_words, no_verdict, sum_words
    from klero.voices.reading_words import personal_words, unmasked_words
    from klero.voices.repeats_output import formula_words
    from klero.words import words

    _ = words(lang).gettext
    facts = done.facts
    note("")
    tell(_groups_table(facts, lang))
    tell("")
    for line in (*found_words(facts, lang), *done.remarks, sum_words(facts, lang)):
        tell(line)
    for heading, text in done.beside:
        tell("")
        tell(heading)
        for line in text.split("\n"):
            tell(line)
    note(no_verdict(lang))
    formulas = formula_words(done.formulas, lang)
    for line in (*personal_words(facts.personal, lang), unmasked_words(lang), *formulas):
        note(line)
    page = Path(output) / "report.html"
    note(_("Written to {folder}; to read and print: {page}").format(folder=output, page=page))
    note(
        _(
            "Next: read {page}, the lone voices too, before you weigh anything. What a group means is for people to say."
        ).format(page=page)
    )


def _groups_table(facts: Facts, lang: str) -> str:
    """Groups of all three kinds in one table, of each kind a few: the largest themes, and of the others those that a hash of their ids chooses."""
    from klero.themes.names import kind_words
    from klero.voices.repeats_words import accounts_words
    from klero.words import number, words

    _ = words(lang).gettext
    authors = facts.accounts is not None
    headings = [_("group"), _("kind"), _("contributions")]
    headings += [_("different accounts")] if authors else []
    headings.append(_("keywords: beginning"))
    rows: list[list[str]] = []
    for kind, most in enumerate(_SHOWN):
        lines = _chosen(facts, kind, most)
        for line in lines:
            cells = [line.name, kind_words(kind, lang), number(line.size, lang)]
            cells += [accounts_words(line.accounts, lang)] if authors else []
            rows.append([*cells, _told(line)])
        if (more := facts.clusters[kind] - len(lines)) > 0:
            rows.append(["…", _more_words(kind, more, lang), *[""] * (len(headings) - 2)])
    return table(headings, rows)


def _chosen(facts: Facts, kind: int, most: int) -> list[Line]:
    """The lines of a kind that are shown."""
    from klero.voices.ids import key_of

    lines = [line for line in facts.lines if line.kind == kind]
    if kind == 0 or len(lines) <= most:
        return lines[:most]
    kept = sorted(lines, key=lambda line: key_of(line.medoid))[:most]
    return [line for line in lines if line in kept]


def _more_words(kind: int, more: int, lang: str) -> str:
    from klero.words import number, words

    plural = words(lang).ngettext
    texts = (
        plural("{n} more theme", "{n} more themes", more),
        plural("{n} more weak signal", "{n} more weak signals", more),
        plural("{n} more lone voice", "{n} more lone voices", more),
    )
    return texts[kind].format(n=number(more, lang))


def _told(line: Line) -> str:
    """The keywords of a theme, and the beginning of what is in its middle; of few people their words alone."""
    text = " ".join(line.snippet.split())
    if line.kind or not line.keywords:
        return harmless(_cut(text, 2 * _SNIPPET))
    return harmless(f"{_cut(', '.join(line.keywords), _SNIPPET)}: {_cut(text, _SNIPPET)}")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"
