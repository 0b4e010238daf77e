"""`klero invite`: from a register to the people who get a letter."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from klero.cli.output import following, format_option, note, print_json, table, written
from klero.errors import Fault, InputError, quoted

if TYPE_CHECKING:
    from klero.sortition.register.invitation import Invitation, StratumDraw

_TABLE_ROWS = 40
_WARNINGS = 5


def _names(_context: click.Context, _option: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if value else ()


@click.command()
@click.argument("register", nargs=-1, required=True, type=click.Path())
@click.option(
    "--size", "-n", type=int, metavar="N", help="Letters. May be left out if the allocation table gives them."
)
@click.option("--id", "id_column", metavar="COL", help="Column of ids. Default: «id».")
@click.option(
    "--strata", callback=_names, metavar="COLS", help="Columns whose combinations are the strata: region,age."
)
@click.option("--weight", metavar="COL", help="Column of weights: chances are in proportion to them.")
@click.option("--exclude", type=click.Path(), metavar="FILE", help="A list of ids that are not drawn.")
@click.option(
    "--household", callback=_names, metavar="COLS", help="Columns of the address: one person at most of each."
)
@click.option(
    "--allocation",
    default="proportional",
    show_default=True,
    metavar="proportional|equal|neyman|FILE",
    help="Letters by stratum: by a rule, or a table with «letters» or «answers».",
)
@click.option(
    "--response",
    type=click.Path(),
    metavar="FILE",
    help="Expected answer rates («response») or deviations («sd») by stratum.",
)
@click.option(
    "--stages", metavar="COL:M", help="Draw M municipalities in proportion to size, then people in them."
)
@click.option(
    "--trial-seed",
    metavar="TEXT",
    help="Any text. The draw is marked TRIAL: whoever picks a seed could try many.",
)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(),
    metavar="FILE",
    help="List of those drawn: .csv or .parquet.",
)
@click.option("--force", is_flag=True, help="Replace a list that is already there.")
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    metavar="T",
    help="At most so many. The result does not depend on it.",
)
@click.option(
    "--temp",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Where to take temporary space (60 to 130 bytes a row).",
)
@format_option
def invite(
    register: tuple[str, ...],
    size: int | None,
    id_column: str | None,
    strata: tuple[str, ...],
    weight: str | None,
    exclude: str | None,
    household: tuple[str, ...],
    allocation: str,
    response: str | None,
    stages: str | None,
    trial_seed: str | None,
    output: str,
    force: bool,
    threads: int | None,
    temp: str | None,
    form: str,
) -> int:
    """Draw who gets a letter from REGISTER: CSV or Parquet files of any length.

    \b
    Examples:
      klero invite register.parquet --size 30000 --trial-seed "rehearsal" -o letters.csv
      klero invite 'part-*.parquet' --size 30000 --strata region,age --weight w --trial-seed "rehearsal" -o letters.csv
      klero invite register.csv --size 2000 --household street,town --exclude last-year.csv --trial-seed "rehearsal" -o letters.csv
      klero invite register.csv --size 2000 --stages commune:50 --trial-seed "rehearsal" -o letters.parquet
    """
    from klero.sortition.register.draw import invite as draw
    from klero.sortition.register.output import (
        check_invitation_inputs,
        check_invitation_output,
        write_invitation,
    )

    if trial_seed is None:
        message = (
            "a draw needs a seed. Draws that bind need public randomness, which klero does not fetch yet; "
            "for a rehearsal give any text with --trial-seed. Nothing was written."
        )
        raise InputError([Fault("seed-missing", message, "")])
    check_invitation_inputs(output, [*register, exclude, allocation, response])
    check_invitation_output(output, force=force)
    clock = time.perf_counter()
    with _progress() as advance:
        drawn = draw(
            list(register),
            size=size,
            id=id_column,
            strata=strata,
            weight=weight,
            exclude=exclude,
            household=household,
            allocation=allocation,
            response=response,
            stages=stages,
            trial_seed=trial_seed,
            threads=threads,
            temp_folder=temp,
            progress=advance,
        )
    write_invitation(output, drawn, force=force)
    written.append(output)
    _warn(drawn)
    if form == "json":
        print_json({**drawn.record(), "seconds": round(time.perf_counter() - clock, 3)})
    else:
        _say(drawn, output)
    return 0


def _warn(drawn: Invitation) -> None:
    from klero.sortition.register.allocation import shown

    for labels in drawn.similar_strata[:_WARNINGS]:
        names = " and ".join(map(shown, labels))
        note(
            f"Warning: {names} differ only in case, accents or spaces and were drawn as {len(labels)} strata. "
            "If they are one, correct the register and draw again."
        )
    if len(drawn.similar_strata) > _WARNINGS:
        note(f"Warning: {len(drawn.similar_strata) - _WARNINGS} more groups of strata are alike in this way.")


def _counted(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"


def _say(drawn: Invitation, output: str) -> None:
    from klero.sortition.register.allocation import shown
    from klero.sortition.register.invitation import SHOWN_UNMATCHED
    from klero.sortition.register.output import RECORD_SUFFIX

    headings = ["stratum", "people", "share", "letters", "certain", "chance"]
    rows = []
    for row in [r for r in drawn.table if r.letters or not drawn.stages][:_TABLE_ROWS]:
        name = shown(row.label) if row.label else "all"
        rows.append(
            [name, str(row.people), str(row.asked), str(row.letters), str(row.certain), _chance(drawn, row)]
        )
    click.echo(table(headings, rows))
    if len(drawn.table) > len(rows):
        more = _counted(len(drawn.table) - len(rows), "more stratum is", "more strata are")
        note(f"{more} in {output}{RECORD_SUFFIX}.")
    if drawn.exclusions:
        note(
            f"Of {_counted(drawn.exclusions, 'id', 'ids')} on the list of exclusions, {drawn.excluded} on the register."
        )
    if drawn.unmatched:
        shown_ids = ", ".join(map(quoted, drawn.unmatched[:SHOWN_UNMATCHED]))
        more = ", …" if len(drawn.unmatched) > SHOWN_UNMATCHED else ""
        note(
            f"Not on the register, so not excluded: {shown_ids}{more}. Are they spelt as there, with leading zeros?"
        )
    spilled = sum(max(0, row.asked - row.letters) for row in drawn.table)
    if spilled:
        note(
            f"{_counted(spilled, 'letter', 'letters')} that strata with too few people can't use went to the others."
        )
    unreached = sum(1 for row in drawn.table if row.people and not row.letters)
    if unreached and not drawn.stages:
        none = _counted(unreached, "stratum gets", "strata get")
        note(f"{none} no letter: nobody in {'it' if unreached == 1 else 'them'} has a chance.")
    if drawn.conditional:
        note(
            f"{_counted(drawn.mixed_addresses, 'address has', 'addresses have')} people of several strata: the chances hold given who stands for each address."
        )
    if drawn.households:
        note(_largest(drawn))
        if drawn.without_address:
            note(f"{drawn.without_address} rows have no address; each is counted as living alone.")
    expected = drawn.expected_answers
    if expected is not None:
        note(f"Expected answers: {float(expected):.1f}")
    letters, from_rows = _counted(len(drawn.ids), "letter", "letters"), _counted(drawn.people, "row", "rows")
    note(
        f"{drawn.mark}: {letters} from {from_rows}. Written to {output}, and how to redo it to {output}{RECORD_SUFFIX}"
    )


def _chance(drawn: Invitation, row: StratumDraw) -> str:
    """A person's chance: one number, or the lowest and the common one where some addresses are certain."""
    from klero.words import percent

    if not row.people:
        return ""
    if drawn.weighted:
        if row.factor is None:
            return "weight / that of the address" if drawn.households else percent(Fraction(1), "en")
        return f"{row.factor} × weight" + (", or certain" if row.certain else "")
    chances = sorted({p for p in (row.lowest, row.factor) if p is not None})
    return " to ".join(percent(p, "en") for p in chances)


def _largest(drawn: Invitation) -> str:
    """The largest address, and what that means for the chances of the people in it."""
    row = max(drawn.table, key=lambda r: r.largest)
    what = f"weighs {row.largest}" if drawn.weighted else f"has {row.largest} people"
    text = f"The largest address {what}."
    if row.certain and row.lowest is not None:
        others = (
            "" if row.factor is None else f", and {row.factor} for people at addresses that are not certain"
        )
        text += f" It gets a letter with certainty, so the chance of each of them is {row.lowest}{others}."
    return text + " Is it a home, an institution, or a placeholder?" * bool(row.certain)


def _progress() -> AbstractContextManager[Callable[[str, int], None] | None]:
    """Phase, rows and rows a second on a terminal; None elsewhere."""
    started: dict[str, float] = {}

    def described(phase: str, count: int) -> str:
        elapsed = time.perf_counter() - started.setdefault(phase, time.perf_counter())
        speed = f" · {count / elapsed / 1e6:.1f} million a second" if elapsed > 0.2 else ""
        return f"{phase}: {count:,} rows{speed}"

    return following("reading", described)
