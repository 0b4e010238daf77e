"""The options for rules beside the quotas and for what is settled before a draw, shared by the commands that match people with quotas."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from klero.cli.ids import id_list
from klero.cli.output import BIN, bins_of, note

if TYPE_CHECKING:
    from klero.sortition.instance import Instance
    from klero.sortition.rules import Rules

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--weight",
        metavar="COL",
        help="Column of weights: fairness is about each person's probability over their weight.",
    ),
    click.option(
        "--household",
        metavar="COLS",
        help="Columns of the address, with commas between: people of one address never sit together.",
    ),
    click.option(
        "--per-household",
        type=int,
        default=1,
        show_default=True,
        metavar="M",
        help="How many people of one address may sit.",
    ),
    click.option(
        "--must-sit",
        metavar="FILE|IDS",
        help="People who sit on every panel: ids with commas between, or a file.",
    ),
    click.option(
        "--exclude", metavar="FILE|IDS", help="People who can't sit: ids with commas between, or a file."
    ),
    click.option(
        "--taken",
        type=click.Path(),
        metavar="FILE",
        help="People who have a seat already and are not among PEOPLE: they count against size and quotas.",
    ),
    click.option(
        "--same-address-as",
        type=click.Path(),
        metavar="FILE",
        help="People of an earlier round: who shares an address with one of them can't sit.",
    ),
    click.option(
        "--address",
        metavar="COLS",
        help="Columns of the address for --same-address-as. Default: those of --household.",
    ),
    click.option(
        "--address-decisions",
        type=click.Path(),
        metavar="FILE",
        help="What a person said of addresses that look alike (klero households -o FILE).",
    ),
    BIN,
)


def rule_options(command: F) -> F:
    """Adds the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def files_named(options: dict[str, Any]) -> list[object]:
    """What the options may name files with, for the check that no output takes the place of an input."""
    return [
        options[name]
        for name in ("must_sit", "exclude", "taken", "same_address_as", "address_decisions")
        if options[name]
    ]


def matched(
    people: str,
    quotas: str,
    size: int,
    id_column: str | None,
    *,
    weight: str | None,
    household: str | None,
    per_household: int,
    must_sit: str | None,
    exclude: str | None,
    taken: str | None,
    same_address_as: str | None,
    address: str | None,
    address_decisions: str | None,
    bins: tuple[str, ...],
) -> Instance:
    """People matched with quotas under the rules that the options name; says on stderr what was settled before."""
    from klero.sortition.instance import read_instance
    from klero.sortition.rules import Rules

    rules = Rules(
        weight=weight,
        household=_parts(household),
        per_household=per_household,
        must_sit=id_list(must_sit, "--must-sit") if must_sit else (),
        exclude=id_list(exclude, "--exclude") if exclude else (),
        taken=taken,
        same_address_as=same_address_as,
        address=_parts(address),
        address_decisions=address_decisions,
        bins=bins_of(bins),
    )
    instance = read_instance(people, quotas, size, id_column, rules)
    for line in settled_words(instance):
        note(line)
    if rules.address_columns:
        note_near(instance, people, id_column, rules)
    return instance


def note_near(instance: Instance, people: str, id_column: str | None, rules: Rules) -> None:
    """Says on stderr how many addresses of those who can be drawn look alike and are undecided: each counts as another address."""
    import shlex

    from klero.errors import quoted
    from klero.sortition.addresses import parse_households
    from klero.sortition.near_addresses import near_matches
    from klero.sortition.pool import Pool
    from klero.sortition.rules import decisions_of

    pool = Pool.read(people, id_column).only(set(instance.ids))
    (decisions, name), _faults = decisions_of(rules)
    homes, _faults = parse_households(pool, rules.address_columns, decisions, name)
    near = near_matches(homes)
    if not near:
        return
    pairs = "1 pair of addresses looks" if len(near) == 1 else f"{len(near)} pairs of addresses look"
    example = f"{quoted(near[0].first)} and {quoted(near[0].second)}"
    words = ["klero", "households", people, "--address", ",".join(rules.address_columns)]
    command = shlex.join([*words, *(["--id", id_column] if id_column else [])])
    note(
        f"{pairs} alike and nobody has decided on {'it' if len(near) == 1 else 'them'}, for instance {example}: each counts as an address of its own. "
        f"To decide: {command} -o near.csv, then --address-decisions near.csv."
    )


def settled(instance: Instance) -> dict[str, int]:
    """How many people are settled before the draw, for `--format json`."""
    return {
        "must_sit": len(instance.must_sit),
        "excluded": len(instance.excluded),
        "same_address": len(instance.same_address),
        "taken": len(instance.taken),
    }


def settled_words(instance: Instance) -> list[str]:
    """The same in words; nothing where nothing is settled."""
    count = settled(instance)
    lines = []
    if count["excluded"]:
        lines.append(f"Excluded by name: {count['excluded']}.")
    if count["same_address"]:
        lines.append(f"Left out for who lives, or lived, at their address: {count['same_address']}.")
    if count["taken"]:
        lines.append(
            f"Seats taken: {count['taken']}, so {instance.size} are to be drawn; quotas are what is left beside them."
        )
    if count["must_sit"]:
        lines.append(f"Sure to sit: {count['must_sit']}.")
    return lines


def _parts(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()
