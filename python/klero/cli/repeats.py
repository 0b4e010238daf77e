"""`klero repeats`: which contributions repeat each other, as a table and as a page to read."""

from __future__ import annotations

import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from klero._harmless import harmless
from klero.cli.contributions import DECIMAL, ContributionOptions, contribution_options
from klero.cli.output import (
    LANG,
    THREADS,
    check_place,
    following,
    format_option,
    note,
    print_json,
    table,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from klero.cli.repeats_run import Run
    from klero.voices.repeats_facts import Facts
    from klero.voices.rows import Counts

_SHOWN = 10  # groups on the terminal
_SNIPPET = 60  # code points of a text on the terminal


@click.command()
@click.argument("file", type=click.Path())
@partial(contribution_options, without=("votes", "keep", "pseudonymise"))
@click.option(
    "--threshold",
    type=DECIMAL,
    default=0.8,
    show_default=True,
    metavar="T",
    help="How alike two texts must be, from 0.3 to 1 (the same words).",
)
@click.option(
    "--measure",
    type=click.Choice(["jaccard", "containment"]),
    default="jaccard",
    show_default=True,
    help="Alike as wholes, or one contained in the other (a letter with a long addition).",
)
@click.option(
    "--mode",
    type=click.Choice(["auto", "exact", "sketch"]),
    default="auto",
    show_default=True,
    help="Every pair, or nearly every pair of very many texts; «auto» chooses by their number.",
)
@click.option(
    "--recall",
    type=DECIMAL,
    default=0.99,
    show_default=True,
    metavar="R",
    help="In sketch mode: the share of pairs at the threshold that must be found.",
)
@click.option(
    "--shingle",
    type=int,
    default=3,
    show_default=True,
    metavar="K",
    help="Words in a run that is compared, 1 to 9.",
)
@click.option("--fold-accents", is_flag=True, help="Take «élève» and «eleve» for the same word.")
@click.option(
    "--memory",
    metavar="SIZE",
    help="Keep to this much memory, such as 2GB, working from the disk if need be. Default: half of what is free.",
)
@THREADS
@click.option(
    "--temp",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Where to take temporary space if the file does not fit.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(),
    metavar="OUT",
    help="A row for each contribution: .parquet, .csv or .jsonl.",
)
@click.option(
    "--report",
    type=click.Path(),
    metavar="FILE.html",
    help="Where the page goes. Default: beside OUT, with its name.",
)
@click.option("--no-report", is_flag=True, help="Write no page.")
@click.option("--force", is_flag=True, help="Replace files that are already there.")
@LANG
@format_option
def repeats(
    file: str,
    contribution: ContributionOptions,
    output: str,
    report: str | None,
    no_report: bool,
    force: bool,
    lang: str,
    form: str,
    memory: str | None,
    threads: int | None,
    temp: str | None,
    **settings: Any,
) -> int:
    """Find the contributions in FILE that repeat each other: copies, letters with changes, texts within texts.

    Nothing is removed and nobody accused: a petition looks the same. OUT says of each contribution which group it is in; the page shows the
    groups with their letters.

    \b
    Examples:
      klero repeats contributions.csv --text text -o repeats.csv
      klero repeats contributions.csv --text body --id ref --threshold 0.6 -o repeats.parquet --lang fr
      klero repeats answers.xlsx --text answer --measure containment -o repeats.csv --report page.html
      klero repeats archive.parquet --text text --memory 2GB -o repeats.parquet --no-report
    """
    from klero.cli.repeats_run import Places, run
    from klero.voices.repeats_output import check_suffix
    from klero.words import words

    page = _page(output, report, no_report=no_report)
    check_suffix(output)
    for place in (output, *([page] if page else ())):
        check_place(place, file, *contribution.inputs, force=force)
    clock = time.perf_counter()
    with following("reading", lambda step, count: f"{step}: {count:,} texts") as advance:
        done = run(
            file,
            contribution,
            Places(output, page, force),
            settings,
            memory=memory,
            threads=threads,
            temp=temp,
            lang=lang,
            progress=advance,
        )
    written.append(output)
    seconds = round(time.perf_counter() - clock, 3)
    if form == "json":
        print_json(_data(done, output, page, seconds))
    source = click.get_current_context().get_parameter_source("recall")
    if source is click.core.ParameterSource.COMMANDLINE and done.facts.settings.mode != "sketch":
        note(
            words(lang).gettext(
                "--recall changes nothing here: every pair was found, which --mode sketch alone does not do."
            )
        )
    _say(done, output, page, lang, tell=note if form == "json" else _tell)
    return 0


def _page(output: str, report: str | None, *, no_report: bool) -> str | None:
    """Where the page goes; None for no page."""
    if no_report:
        if report is not None:
            raise click.UsageError("--report and --no-report exclude each other.")
        return None
    page = report if report is not None else str(Path(output).with_suffix(".html"))
    if Path(page).suffix.lower() not in {".html", ".htm"}:
        raise click.UsageError(f"--report {page}: the page is written as .html.")
    return page


def _data(done: Run, output: str, page: str | None, seconds: float) -> dict[str, object]:
    """What was found, for programs; the rows themselves are in OUT."""
    facts, settings = done.facts, done.facts.settings
    return {
        "schema": "klero-repeats/1",
        "algorithm": settings.algorithm,
        "counts": {
            "texts": facts.texts,
            "grouped": facts.grouped,
            "alone": facts.alone,
            "empty": facts.empty,
            "groups": facts.group_count,
            "distinct": facts.distinct,
        },
        "settings": {name: value for name, value in asdict(settings).items() if name != "algorithm"},
        "html": done.source.html,
        "masked": facts.masked,
        "read": _read(done.source.counts),
        "texts_digest": facts.digest,
        "input_sha256": done.source.input_digest,
        "output_sha256": done.source.output_digest,
        "ladder": [asdict(rung) for rung in facts.ladder],
        "invisibles": facts.invisibles,
        "lookalikes": facts.lookalikes,
        "columns": dict(done.source.columns),
        "accounts": facts.accounts and {**asdict(facts.accounts), "groups_of_one_account": facts.single},
        "chained_groups": facts.chained,
        "personal_in_page": facts.personal if page else None,
        "streamed": done.source.streamed,
        "largest": [
            {
                "id": line.id,
                "size": line.size,
                "distinct": line.distinct,
                "weakest_edge": line.weakest,
                "accounts": line.accounts and asdict(line.accounts),
            }
            for line in facts.lines
        ],
        "output": output,
        "report": page,
        "seconds": seconds,
    }


def _read(counts: Counts | None) -> dict[str, object] | None:
    """What became of the rows, without the cells that were not understood, which may say who somebody is."""
    if counts is None:
        return None
    return {name: value for name, value in counts.record().items() if name != "unread"}


def _tell(text: str) -> None:
    """A line of the result, on stdout; nothing in it is obeyed by a terminal."""
    click.echo(harmless(text))


def _say(done: Run, output: str, page: str | None, lang: str, *, tell: Callable[[str], None]) -> None:
    """The words on the terminal: the result (largest groups, what was found, the sum), and remarks on it with what to do next on stderr."""
    from klero.voices.reading_words import personal_words, unmasked_words
    from klero.voices.repeats_output import formula_words
    from klero.voices.repeats_report import (
        found_words,
        no_verdict,
        noise_words,
        sketch_words,
        streamed_words,
        sum_of,
    )
    from klero.voices.repeats_sentences import ladder_words
    from klero.words import number, words

    _ = words(lang).gettext
    facts = done.facts
    if facts.lines:
        note("")
        tell(_groups_table(facts, lang))
        if (more := facts.group_count - min(len(facts.lines), _SHOWN)) > 0:
            text = words(lang).ngettext("… and {n} smaller group.", "… and {n} smaller groups.", more)
            tell(text.format(n=number(more, lang)))
        tell("")
    for line in [*found_words(facts, lang), sum_of(facts, lang)]:
        tell(line)
    for line in ladder_words(facts, lang):
        tell(line)
    for line in [
        *sketch_words(facts.settings, lang),
        *noise_words(facts, lang),
        *streamed_words(done.source, lang),
    ]:
        note(line)
    if facts.lines:
        note(no_verdict(lang))
    for line in [*personal_words(facts.personal, lang), unmasked_words(lang)] if page else ():
        note(line)
    for line in formula_words(done.formulas, lang) if output.lower().endswith(".csv") else ():
        note(line)
    if page:
        note(_("Written to {file}; to read and print: {page}").format(file=output, page=page))
    else:
        note(_("Written to {file}.").format(file=output))
    note(_next(facts, page, lang))


def _groups_table(facts: Facts, lang: str) -> str:
    from klero._page_words import decimal
    from klero.voices.repeats_words import accounts_words
    from klero.words import words

    _ = words(lang).gettext
    headings = [
        _("group"),
        _("contributions"),
        _("different texts"),
        _("different accounts"),
        _("weakest link"),
        _("representative begins"),
    ]
    rows = [
        [
            _plain(line.id, 20),
            str(line.size),
            str(line.distinct),
            accounts_words(line.accounts, lang),
            decimal(line.weakest, lang),
            _plain(line.snippet, _SNIPPET),
        ]
        for line in facts.lines[:_SHOWN]
    ]
    return table(headings, rows)


def _plain(text: str, most: int) -> str:
    """The beginning of a text on one line, without anything that a terminal would obey."""
    line = harmless(" ".join(text.split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def _next(facts: Facts, page: str | None, lang: str) -> str:
    """What to do now."""
    from klero.words import words

    _ = words(lang).gettext
    if not facts.lines:
        return _("Next: a lower --threshold, or --measure containment, finds texts that are less alike.")
    if page:
        return _(
            "Next: read {page} before you weigh anything. What a group means is for people to say."
        ).format(page=page)
    return _(
        "Next: read the groups before you weigh anything (without --no-report there is a page). What a group means is for people to say."
    )
