"""`klero campaigns`: which groups of contributions depend on one source or act together, as tables and as a page to read."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from klero._harmless import harmless
from klero.cli.contributions import DECIMAL, EMBEDDER, VECTORS, ContributionOptions, contribution_options
from klero.cli.output import LANG, THREADS, following, format_option, note, print_json, table, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from klero.campaigns.result import Campaigns
    from klero.cli.campaigns_run import Run

_SHOWN = 20  # groups on the terminal


def _listed(_ctx: click.Context, _param: click.Parameter, value: str | None) -> tuple[str, ...] | None:
    """Names with commas between them; None if the option was not given."""
    return None if value is None else tuple(name.strip() for name in value.split(",") if name.strip())


@click.command()
@click.argument("file", type=click.Path())
@partial(contribution_options, without=("votes", "keep", "pseudonymise", "scan", "mask"))
@click.option(
    "--votes",
    type=click.Path(),
    metavar="VOTES.csv",
    help="A table of who voted what: a row for each vote (voter, item, vote), such as the votes.csv of Polis, or a row for each voter.",
)
@VECTORS
@EMBEDDER
@click.option(
    "--q",
    "q",
    type=DECIMAL,
    default=0.05,
    show_default=True,
    metavar="Q",
    help="The share of mistakes that is accepted among the groups shown, above 0 and at most 0.5.",
)
@click.option(
    "--channels",
    callback=_listed,
    metavar="LIST",
    help="Of template, paraphrase, time, coaction, votes, metadata. Default: all that can be tested; metadata only with --metadata.",
)
@click.option(
    "--metadata",
    callback=_listed,
    metavar="COLS",
    help="More columns to compare, with commas between. Their values are shown nowhere.",
)
@click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True, help="Of what is drawn."
)
@THREADS
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(),
    metavar="DIR",
    help="A new folder: contributions.csv, groups.csv, campaigns.json, report.html.",
)
@click.option("--force", is_flag=True, help="Replace a folder that klero campaigns has made.")
@LANG
@format_option
def campaigns(
    file: str,
    contribution: ContributionOptions,
    votes: str | None,
    vectors: str | None,
    embedder: str | None,
    q: float,
    channels: tuple[str, ...] | None,
    metadata: tuple[str, ...] | None,
    seed: int,
    threads: int | None,
    output: str,
    force: bool,
    lang: str,
    form: str,
) -> int:
    """Find groups of contributions in FILE that come from one source or act together, and say how sure that is.

    Of the groups shown, at most a share Q are coincidences on average. It is said what was too small to be seen. Nothing is removed, no person is
    scored, and nobody accused: a petition looks the same. A person reads each card and decides.

    \b
    Examples:
      klero campaigns contributions.csv --text text --author author --time date -o campaigns
      klero campaigns answers.xlsx --text answer --question question -o campaigns --lang fr
      klero campaigns comments.csv --votes votes.csv -o campaigns
      klero campaigns contributions.csv --text text --q 0.01 --channels template,time -o campaigns --format json
    """
    from klero.cli.campaigns_run import Options, check_output, run

    if vectors is not None and embedder is not None:
        raise click.UsageError("--vectors and --embedder exclude each other.")
    options = Options(votes, vectors, embedder, q, channels, metadata or (), seed, threads)
    check_output(output, file, *contribution.inputs, votes, vectors, force=force)
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
    """The words on the terminal: groups, what was found, what could not be seen; and on stderr remarks and what to do next."""
    from klero.campaigns.channel_words import channel_name
    from klero.campaigns.explain_words import (
        error_words,
        found_lead,
        limit_words,
        no_verdict,
        voices_words,
        why_not_words,
    )
    from klero.campaigns.notes import note_words
    from klero.voices.repeats_output import formula_words
    from klero.words import words

    _ = words(lang).gettext
    result = done.result
    note("")
    if result.groups:
        tell(_groups_table(result, lang))
        tell("")
    for line in (found_lead(result, lang), error_words(result.q, len(result.groups), lang)):
        tell(line)
    tell(voices_words(result.raw, result.n_eff, lang))
    tell(limit_words(result.limits, lang))
    for name, why in result.channels_off.items():
        if why != "not-asked":
            told = _("Not tested – {channel}: {why}.")
            tell(told.format(channel=channel_name(name, lang), why=why_not_words(why, lang)))
    for line in (*note_words(result.notes, lang), no_verdict(lang), *formula_words(done.formulas, lang)):
        note(line)
    page = Path(output) / "report.html"
    note(_("Written to {folder}; to read and print: {page}").format(folder=output, page=page))
    if result.groups:
        note(
            _(
                "Next: read the card of each group in {page}, then note a person's decision with klero review."
            ).format(page=page)
        )


def _between(estimate: str, low: str, high: str) -> str:
    return estimate if estimate == low == high else f"{estimate} ({low}–{high})"


def _groups_table(result: Campaigns, lang: str) -> str:
    """The groups for review: what they are, their voices, and the least q at which they would be shown."""
    from klero.campaigns.explain_words import headline, rounded
    from klero.words import number, words

    _ = words(lang).gettext
    headings = [_("group"), _("what it is"), _("voices"), _("effective voices"), _("shown from q =")]
    rows = [
        [
            one.name,
            harmless(headline(one, result.consultation, lang)),
            number(one.raw, lang),
            _between(*(rounded(x, lang) for x in (one.n_eff.estimate, one.n_eff.low, one.n_eff.high))),
            rounded(one.adjusted, lang) if one.adjusted > 1e-6 else f"< {rounded(1e-6, lang)}",
        ]
        for one in result.groups[:_SHOWN]
    ]
    if (more := len(result.groups) - _SHOWN) > 0:
        text = words(lang).ngettext("{n} more group", "{n} more groups", more)
        rows.append(["…", text.format(n=number(more, lang)), "", "", ""])
    return table(headings, rows)
