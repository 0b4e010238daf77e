"""`klero check`: can these two tables be used, and can the quotas be met?"""

from __future__ import annotations

from typing import Any

import click

from klero.cli.output import ID_COLUMN, SIZE, format_option, note, print_json, table
from klero.cli.rules import matched, rule_options, settled


@click.command()
@click.argument("people", type=click.Path())
@click.argument("quotas", type=click.Path())
@SIZE
@ID_COLUMN
@click.option(
    "--repairs",
    type=click.IntRange(1, 9),
    default=1,
    show_default=True,
    metavar="N",
    help="If the quotas can't be met: how many ways out to offer, the cheapest first.",
)
@rule_options
@format_option
def check(
    people: str, quotas: str, size: int, id_column: str | None, repairs: int, form: str, **rules: Any
) -> int:
    """Check PEOPLE and QUOTAS: faults, and whether any panel meets all quotas.

    \b
    Examples:
      klero check people.csv quotas.csv --size 30
      klero check people.csv quotas.csv --size 30 --repairs 3
      klero check people.xlsx quotas.xlsx --size 30 --id Nummer --format json
    """
    from pathlib import Path

    from klero.sortition.feasibility import cover, feasible_panel
    from klero.sortition.infeasible import explain_infeasible

    instance = matched(people, quotas, size, id_column, **rules)
    panel = feasible_panel(instance)
    if panel is None:
        raise explain_infeasible(instance, Path(quotas).name, repairs)
    shut_out = set(cover(instance, [seats > 0 for seats in panel])[1])
    never = [i for i, t in zip(instance.ids, instance.person_type, strict=True) if t in shut_out]
    pool = [0] * len(instance.cells)
    for t, n in enumerate(instance.counts):
        for c in instance.type_cells(t):
            pool[c] += n
    cells = [
        {
            "feature": instance.features[f],
            "value": instance.values[f][v],
            "min": lo,
            "max": hi,
            "pool": pool[c],
        }
        for c, ((f, v), (lo, hi)) in enumerate(zip(instance.cells, instance.cell_bounds, strict=True))
    ]
    if form == "json":
        print_json(
            {
                "people": len(instance.ids),
                "size": instance.size,
                "settled": settled(instance),
                "types": len(instance.types),
                "id_column": instance.id_column,
                "feasible": True,
                "never": never,
                "input_digest": instance.digest(),
                "cells": cells,
            }
        )
        return 0
    click.echo(
        table(["feature", "value", "min", "max", "pool"], [[str(v) for v in cell.values()] for cell in cells])
    )
    note(
        f"{len(instance.ids)} people of {len(instance.types)} types, {instance.size} seats: the quotas can be met."
    )
    if never:
        names = ", ".join(never[:20]) + (" …" if len(never) > 20 else "")
        note(
            f"But no panel that meets them has room for: {names}. klero explain says why, once there is a lottery."
        )
    note_ids(instance.id_column)
    return 0


def note_ids(id_column: str) -> None:
    """Says where the ids come from."""
    if id_column:
        note(f"Ids are taken from the column «{id_column}».")
    else:
        note(
            "There is no column «id»: people are numbered by row, 1 being the first person (row 2 of a spreadsheet). Use --id COL to choose a column."
        )
