"""`klero live`: themes that grow while people speak, in a terminal and on a page to project."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from klero.cli.contributions import DECIMAL
from klero.cli.output import LANG, check_place, format_option, note, written

if TYPE_CHECKING:
    from klero.cli.live_run import Running
    from klero.themes.live import LiveThemes


class _Port(click.ParamType):  # type: ignore[type-arg, unused-ignore] # older versions of click don't know it as a generic class
    """A port, or «auto»."""

    name = "port"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if value == "auto":
            return 0
        return click.IntRange(1, 65535).convert(str(value), param, ctx)  # type: ignore[arg-type, unused-ignore]


@click.command()
@click.option(
    "--listen",
    metavar="127.0.0.1:PORT",
    help="Take lines from connections to this computer, instead of standard input. Other computers can't connect.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Go on from this file if it is there, and keep everything in it.",
)
@click.option(
    "--granularity",
    default="medium",
    show_default=True,
    metavar="G",
    help="How fine themes are: coarse, medium, fine, or a number between 0 and 1.",
)
@click.option(
    "--page",
    type=_Port(),
    is_flag=False,
    flag_value="auto",
    metavar="[PORT]",
    help="Serve a page to project, on this computer alone; it stays when the input is over, until Ctrl-C.",
)
@click.option(
    "--interval",
    type=DECIMAL,
    default=None,
    metavar="S",
    help="Seconds between two looks. Default: 0.5 on a terminal, 5 elsewhere.",
)
@click.option(
    "--budget",
    type=DECIMAL,
    default=2.0,
    show_default=True,
    metavar="S",
    help="Seconds that a look at everything together may take.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="OUT",
    help="At the end, a row for each contribution: .parquet, .csv or .jsonl.",
)
@click.option("--force", is_flag=True, help="Replace OUT if it is there.")
@LANG
@format_option
def live(
    listen: str | None,
    state: str | None,
    granularity: str,
    page: int | None,
    interval: float | None,
    budget: float,
    output: str | None,
    force: bool,
    lang: str,
    form: str,
) -> int:
    """Show the themes of what people say, while they say it.

    A line is a contribution: a text, or a JSON object with "text" and, if you like, "id", "time", "author". Each is answered at once;
    every few seconds all are looked at together. Weak signals (2 to 4) and lone voices are shown beside the themes.

    \b
    Examples:
      klero live < answers.txt
      klero live --page --lang fr --state workshop.klero < chat.jsonl
      klero live --listen 127.0.0.1:7007 --state workshop.klero --page 8080
      klero live --format json -o themes.csv < chat.jsonl
    """
    from klero.cli.live_run import Running, ended_like_ctrl_c, finish, formula_cells_words, run, written_rows
    from klero.cli.live_source import Lines, address_of, from_connections, from_input, port_told
    from klero.voices.repeats_output import check_suffix
    from klero.words import words

    _ = words(lang).gettext
    address = None if listen is None else address_of(listen)
    if output is not None:
        check_suffix(output)
        check_place(output, *([state] if state else ()), force=force)
    themes = _themes(state, granularity, budget)
    lines = Lines()
    running = Running(
        live=themes,
        lines=lines,
        form=form,
        lang=lang,
        interval=interval if interval is not None else _interval(),
        state=state,
        stay=page is not None or address is not None,
    )
    with ExitStack() as stack:
        stack.callback(themes.close)
        stack.enter_context(ended_like_ctrl_c())
        if page is not None:
            with port_told("--page", page):
                _serve(stack, running, page)
        if address is not None:
            with port_told("--listen", address[1]):
                server, port = from_connections(lines, address)
            stack.callback(server.close)
            note(
                _("Listening on {host}:{port}, for this computer alone. Ctrl-C ends it.").format(
                    host=address[0], port=port
                )
            )
        else:
            from_input(lines)
        try:
            run(running)
        finally:
            # Also after Ctrl-C: what was said is not lost.
            finish(running)
            if state:
                written.append(state)
                note(_("Everything is kept in {file}.").format(file=state))
            if output is not None:
                formulas = written_rows(themes, output, force=force)
                written.append(output)
                for line in formula_cells_words(formulas, lang) if output.lower().endswith(".csv") else ():
                    note(line)
                note(_("Written to {file}.").format(file=output))
    return 0


def _interval() -> float:
    import sys

    return 0.5 if sys.stdout.isatty() else 5.0


def _themes(state: str | None, granularity: str, budget: float) -> LiveThemes:
    """New themes, or those of the file."""
    from klero.themes.live import LiveThemes

    if state is not None and Path(state).exists():
        return LiveThemes.load(state, budget_s=budget)
    try:
        share: str | float = float(granularity.replace(",", "."))
    except ValueError:
        share = granularity
    if state is not None:
        check_place(state, force=True)
    return LiveThemes(granularity=share, budget_s=budget)


def _serve(stack: ExitStack, running: Running, port: int) -> None:
    """The page; its address is told once, with what allows to act on it."""
    from klero.cli.live_page import PageServer
    from klero.words import words

    server = PageServer(running.live, running.lang, port)
    stack.callback(server.close)
    running.changed = server.changed
    note(words(running.lang).gettext("The page, for this computer alone: {url}").format(url=server.url))
    note(
        words(running.lang).gettext(
            "Whoever has this address can rename and link themes; without what follows # one can only look."
        )
    )
    note(words(running.lang).gettext("Open it in a browser; it stays until Ctrl-C."))
