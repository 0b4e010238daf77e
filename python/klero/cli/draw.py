"""`klero draw`: the panel that a seed gives."""

from __future__ import annotations

import click

from klero.cli.output import format_option, note, print_json, written


@click.command()
@click.argument("bundle", type=click.Path())
@click.option(
    "--trial-seed",
    required=True,
    metavar="TEXT",
    help="Any text. The draw is marked TRIAL: whoever picks a seed could try many.",
)
@click.option("--force", is_flag=True, help="Replace a trial draw that is already there.")
@format_option
def draw(bundle: str, trial_seed: str, force: bool, form: str) -> int:
    """Draw a panel from the lottery in BUNDLE, and add the record to it.

    \b
    Examples:
      klero draw bundle --trial-seed "first rehearsal"
      klero draw bundle --trial-seed "first rehearsal" --format json
    """
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
