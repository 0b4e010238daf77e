"""`klero households`: who shares an address, and which addresses look alike?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from klero.cli.output import ID_COLUMN, check_place, format_option, note, print_json, save, table

if TYPE_CHECKING:
    from klero.sortition.addresses import Decision, Households
    from klero.sortition.near_addresses import NearMatch

_SHOWN = 20


@click.command()
@click.argument("people", type=click.Path())
@click.option(
    "--address",
    "address",
    multiple=True,
    required=True,
    metavar="COLS",
    help="Columns that make up the address, with commas between them; may be given several times.",
)
@ID_COLUMN
@click.option(
    "--decisions", type=click.Path(), metavar="FILE", help="Pairs of addresses and «same» or «different»."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="FILE.csv",
    help="Write the near matches, to be decided and given back.",
)
@click.option("--force", is_flag=True, help="Replace a report that is already there.")
@format_option
def households(
    people: str,
    address: tuple[str, ...],
    id_column: str | None,
    decisions: str | None,
    output: str | None,
    force: bool,
    form: str,
) -> int:
    """Group PEOPLE by address, and list addresses that look alike for a person to decide.

    \b
    Examples:
      klero households people.csv --address street,postcode,town
      klero households people.csv --address street,postcode -o near.csv
      klero households people.csv --address street,postcode --decisions near.csv -o near-2.csv

    Decisions that are given come first in the new list, so that it holds all that was decided.
    """
    from pathlib import Path

    from klero.errors import InputError
    from klero.sortition.addresses import parse_households, read_decisions
    from klero.sortition.near_addresses import near_matches
    from klero.sortition.pool import Pool

    if output:
        check_place(output, people, decisions, force=force)
    pool = Pool.read(people, id_column)
    known = read_decisions(decisions) if decisions else ()
    columns = columns_named(address, pool.columns)
    homes, faults = parse_households(pool, columns, known, Path(decisions).name if decisions else "")
    if faults:
        raise InputError(faults)
    near = near_matches(homes)
    if output:
        save(output, report(homes, near, known), force=force)
    if form == "json":
        print_json(_data(homes, near, columns))
    else:
        _show(homes, near, output)
    return 0


def columns_named(options: tuple[str, ...], there: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of «--address a,b --address c». A column whose own name holds a comma is taken whole."""
    names = [name for text in options for name in ([text] if text in there else text.split(","))]
    return tuple(dict.fromkeys(name.strip() for name in names if name.strip()))


def report(homes: Households, near: tuple[NearMatch, ...], decisions: tuple[Decision, ...] = ()) -> bytes:
    """The decisions taken so far, then the near matches with an empty column for the decision, as CSV with a mark for spreadsheets."""
    from klero._files import csv_bytes
    from klero.sortition.addresses import normal_address
    from klero.sortition.near_addresses import REASONS

    living = {
        place: group for group, places in zip(homes.groups, homes.addresses, strict=True) for place in places
    }
    headings = ["first", "second", "decision", "why", "people_first", "people_second"]
    decided: dict[tuple[str, ...], bool] = {}
    for decision in decisions:
        decided[tuple(normal_address([text]) for text in (decision.first, decision.second))] = decision.same
    lines = [
        (pair, "same" if same else "different", "decided before") for pair, same in sorted(decided.items())
    ]
    lines += [((match.first, match.second), "", REASONS[match.reason]) for match in near]
    rows = [[*pair, word, why, *(" ".join(living[place]) for place in pair)] for pair, word, why in lines]
    return csv_bytes(headings, rows, spreadsheet=True)


def _sizes(homes: Households) -> dict[int, int]:
    from collections import Counter

    return dict(sorted(Counter(map(len, homes.groups)).items()))


def _data(homes: Households, near: tuple[NearMatch, ...], columns: tuple[str, ...]) -> dict[str, object]:
    return {
        "schema": "klero-households/1",
        "address_columns": list(columns),
        "people": sum(map(len, homes.groups)),
        "without_address": list(homes.without_address),
        "households_by_size": {str(size): count for size, count in _sizes(homes).items()},
        "shared": [
            {"addresses": list(places), "people": list(group)}
            for group, places in zip(homes.groups, homes.addresses, strict=True)
            if len(group) > 1
        ],
        "near": [{"first": m.first, "second": m.second, "reason": m.reason} for m in near],
    }


def _show(homes: Households, near: tuple[NearMatch, ...], output: str | None) -> None:
    rows = [[str(size), str(count), str(size * count)] for size, count in _sizes(homes).items()]
    click.echo(table(["people in household", "households", "people"], rows))
    if homes.without_address:
        note(f"{len(homes.without_address)} people gave no address; each is counted as living alone.")
    if not near:
        note("No other addresses look alike.")
        return
    click.echo()
    click.echo(table(["first", "second", "reason"], [[m.first, m.second, m.reason] for m in near[:_SHOWN]]))
    if len(near) > _SHOWN:
        note(f"… and {len(near) - _SHOWN} more pairs.")
    pairs = "1 pair of addresses looks" if len(near) == 1 else f"{len(near)} pairs of addresses look"
    where = (
        f"written to {output}: put «same» or «different» beside them"
        if output
        else "write them to a file with -o"
    )
    note(
        f"{pairs} alike, and nothing was merged. To decide, {where}, and give the file back with --decisions."
    )
