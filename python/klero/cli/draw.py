"""`klero draw`: the panel that a seed gives, or that declared randomness gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from klero.cli.output import format_option, note, print_json, written
from klero.cli.publish import DRY, DRY_RUN, KEYS, TIME, appended, entry_lines, following

if TYPE_CHECKING:
    from klero.ledger.steps import PublicDraw

_PUBLIC = ("drand", "balls", "dice", "lottery", "fallback", "keys", "time", "dry_run")


@click.command()
@click.argument("bundle", type=click.Path())
@click.option(
    "--trial-seed",
    metavar="TEXT",
    help="For a bundle: any text. The draw is marked TRIAL: whoever picks a seed could try many.",
)
@click.option(
    "--drand", type=click.Path(), metavar="FILE", help="For a record: the beacon's saved response (JSON)."
)
@click.option("--balls", metavar="DIGITS", help="For a record: the digits that the balls showed, in order.")
@click.option("--dice", metavar="DIGITS", help="For a record: the dice, in order.")
@click.option(
    "--lottery",
    type=click.Path(),
    metavar="FILE",
    help="For a record: the lottery's numbers, one draw a line; # begins a comment.",
)
@click.option(
    "--fallback", is_flag=True, help="The declared drand round never came: use its declared fallback."
)
@KEYS
@TIME
@DRY_RUN
@click.option("--force", is_flag=True, help="Replace a trial draw that is already there.")
@format_option
def draw(bundle: str, trial_seed: str | None, force: bool, form: str, **public: Any) -> int:
    """Draw a panel: a trial from the lottery in BUNDLE, or the committed round of a public draw's record.

    \b
    Examples:
      klero draw bundle --trial-seed "first rehearsal"
      klero draw bundle --trial-seed "first rehearsal" --format json
      klero draw panel-record --drand round.json --key organiser.key --key guarantor.key
      klero draw panel-record --balls 04711338251907264410 --dry-run
      klero draw panel-record --balls 04711338251907264410 --key organiser.key

    Where a record's sources are the beacon and others, give balls, dice and lottery first, before the beacon's round: they are entered as a
    reading. Then draw with --drand alone.

    An entry can't be taken back. Enter digits with one key; whoever holds the other reads them, compares, and signs then (klero sign).
    """
    from klero.ledger.record_folder import is_record

    given = ", ".join(
        f"--{'key' if name == 'keys' else name.replace('_', '-')}" for name in _PUBLIC if public[name]
    )
    if not is_record(bundle):
        if trial_seed is None and not given:
            raise click.UsageError(
                "Give --trial-seed for a rehearsal; a public draw needs a record: klero commit."
            )
        if given:
            _refuse(
                f"{bundle} is a bundle, and {given} is for public draws. Commit first, so that nobody can pick among lotteries: klero commit {bundle} "
                "--declaration FILE; then draw from the record. A rehearsal takes --trial-seed alone."
            )
        return _trial(bundle, str(trial_seed), force, form)
    if trial_seed is not None or force:
        _refuse(
            f"{bundle} is the record of a public draw: its randomness was declared, and no draw of it is ever replaced. --trial-seed and --force are for "
            "rehearsals, on the bundle that it was made from."
        )
    return _public(bundle, form, public)


def _refuse(message: str) -> None:
    from klero.errors import Fault, InputError

    raise InputError([Fault("options-conflict", message, "")])


def _public(record: str, form: str, public: dict[str, Any]) -> int:
    from klero.ledger.steps import draw_record, is_for_reading, read_out

    if is_for_reading(record, drand=public["drand"]):
        results = {name: public[name] for name in ("balls", "dice", "lottery", "keys", "time", "dry_run")}
        added = read_out(record, **results)
        if not public["dry_run"]:
            written.append(record)
        if form == "json":
            print_json(appended(added))
            return 0
        click.echo(added.hash)
        if public["dry_run"]:
            note("\n".join([*entry_lines(added.entry), DRY]))
            return 0
        note(
            f"Entry {added.entry.sequence} added to {record}: what was read out stands. Nothing is drawn yet."
        )
        note(following(added, f"after the beacon's round, klero draw {record} --drand FILE"))
        return 0
    drawn = draw_record(record, **public)
    if not public["dry_run"]:
        written.append(record)
    if form == "json":
        print_json(_data(drawn))
        return 0
    click.echo("\n".join(["id,leaf" if drawn.ids else "leaf", *_rows(drawn)]))
    note(
        f"Round {drawn.round}: {len(drawn.panel)} people, {len(drawn.new)} of them new, ball {drawn.position}."
    )
    if public["dry_run"]:
        note("\n".join([f"Its hash: {drawn.hash}", *entry_lines(drawn.entry), DRY]))
        return 0
    note(following(drawn, f"klero verify {record}"))
    return 0


def _rows(drawn: PublicDraw) -> list[str]:
    from klero._files import csv_bytes

    if not drawn.ids:
        return list(drawn.panel)
    rows = csv_bytes(("id", "leaf"), ((drawn.ids.get(leaf, ""), leaf) for leaf in drawn.panel)).decode()
    return rows.splitlines()[1:]


def _data(drawn: PublicDraw) -> dict[str, object]:
    return appended(drawn) | {
        "schema": "klero-public-draw/1",
        "round": drawn.round,
        "panel": list(drawn.panel),
        "new": list(drawn.new),
        "ids": dict(drawn.ids),
        "position": drawn.position,
        "seed": drawn.seed,
    }


def _trial(bundle: str, trial_seed: str, force: bool, form: str) -> int:
    import json
    from pathlib import Path

    from klero.ledger.draw import draw as draw_panel

    drawn = draw_panel(bundle, trial_seed=trial_seed, force=force)
    written.append(bundle)
    if form == "json":
        print_json(
            {
                "panel": list(drawn.panel),
                "order": "by id, in code point order",
                "entry": drawn.entry,
                "position": drawn.position,
                "seed": drawn.seed,
                "seed_kind": drawn.seed_kind,
                "mark": drawn.mark,
                "commitment": drawn.commitment,
            }
        )
        return 0
    click.echo("\n".join(["id", *drawn.panel]))
    note(
        f"{drawn.mark}: {len(drawn.panel)} people, entry {drawn.entry}, ball {drawn.position}. Next: klero verify {bundle}"
    )
    declaration = json.loads((Path(bundle) / "declaration.json").read_bytes())
    if not declaration["id_column"]:
        note("The ids are numbers of rows: 1 is the first person, in row 2 of a spreadsheet.")
    return 0
