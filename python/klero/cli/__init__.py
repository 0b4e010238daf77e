"""The command line: `klero COMMAND …`.

Data goes to stdout, all else to stderr. Exit codes: 0 done, 1 a finding (a check failed, quotas infeasible), 2 usage, 3 bad input,
4 environment, 130 interrupted.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from itertools import pairwise

try:
    import click

    from klero.cli import (
        alternates,
        audit,
        campaigns,
        check,
        compare,
        demo,
        draw,
        explain,
        households,
        invite,
        live,
        log,
        lottery,
        minutes,
        propensity,
        publish,
        receipt,
        repeats,
        replace,
        review,
        rfc3797,
        steps,
        tables,
        themes,
        verify,
        whatif,
    )
    from klero.cli.output import report_error, written
    from klero.errors import KleroError
except KeyboardInterrupt:  # while this was loading
    sys.stderr.write("Interrupted; nothing was written.\n")
    raise SystemExit(130) from None

# What people do, in the order in which they do it, and the commands for it.
SECTIONS: tuple[tuple[str, tuple[click.Command, ...]], ...] = (
    ("Invite", (invite.invite,)),
    ("Prepare", (households.households, check.check, whatif.whatif, propensity.propensity)),
    ("Decide by lot", (lottery.lottery, compare.compare, draw.draw)),
    (
        "Draw in public",
        (
            *(publish.keygen, publish.declare, publish.commit, publish.notice, steps.sign, steps.timestamp),
            *(receipt.receipt, receipt.bundle, steps.withdraw, steps.abort, minutes.minutes),
        ),
    ),
    ("Check and explain", (verify.verify, explain.explain, audit.audit, rfc3797.rfc3797)),
    ("When somebody drops out", (alternates.alternates, replace.replace, log.log)),
    ("At the assembly", (tables.tables,)),
    (
        "Read what people wrote",
        (repeats.repeats, campaigns.campaigns, review.review, themes.themes, live.live),
    ),
    ("Try it", (demo.demo,)),
)


class _Sections(click.Group):
    """A group whose help lists its commands by what people do with them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [command.name or "" for _, commands in SECTIONS for command in commands]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        widest = max(map(len, self.list_commands(ctx)))
        for title, commands in SECTIONS:
            with formatter.section(title):
                lines = [
                    (
                        (command.name or "").ljust(widest),
                        command.get_short_help_str(formatter.width - widest - 6),
                    )
                    for command in commands
                ]
                formatter.write_dl(lines)


@click.group(
    cls=_Sections,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Each command has its own --help, with examples.",
)
@click.version_option(package_name="klero", message="klero %(version)s")
def cli() -> None:
    """Fair, verifiable lotteries for citizens' panels; what contributions to a consultation repeat, and what they say.

    \b
    Examples:
      klero demo
      klero check people.csv quotas.csv --size 30
      klero lottery people.csv quotas.csv --size 30 -o bundle
      klero draw bundle --trial-seed "first rehearsal"
      klero verify bundle
      klero explain bundle --person P017
      klero repeats contributions.csv --text text -o repeats.csv
      klero campaigns contributions.csv --text text -o campaigns
      klero themes contributions.csv --text text -o themes
    """


for _, members in SECTIONS:
    for command in members:
        cli.add_command(command)


def main() -> None:
    """Runs the command line and exits; a user's mistake is told in words, never as a traceback."""
    sys.exit(run(sys.argv[1:]))


def _wants_json(arguments: list[str]) -> bool:
    return "--format=json" in arguments or ("--format", "json") in pairwise(arguments)


def run(arguments: list[str]) -> int:
    """Runs a command and returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # an old code page lacks some signs; that is no reason to stop
    written.clear()
    try:
        outcome = cli.main(arguments, prog_name="klero", standalone_mode=False)
    except KleroError as error:
        report_error(error, as_json=_wants_json(arguments))
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        left = f"{written[-1]} is complete" if written else "nothing was written"
        click.echo(f"Interrupted; {left}.", err=True)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        name = f"{error.filename}: " if error.filename else ""
        click.echo(f"{name}{str(error.strerror or error).rstrip('.')}. [system]", err=True)
        return 4
    return outcome if isinstance(outcome, int) else 0
