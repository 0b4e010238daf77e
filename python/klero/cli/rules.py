"""The options for rules beside the quotas, shared by the commands that match people with quotas."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
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
        "--must-sit", metavar="IDS", help="People who sit on every panel: ids with commas between, or a file."
    ),
)


def rule_options(command: F) -> F:
    """Adds the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def rules_of(*, weight: str | None, household: str | None, per_household: int, must_sit: str | None) -> Rules:
    """The rules that the options name."""
    from klero.sortition.rules import Rules

    return Rules(
        weight=weight,
        household=tuple(_parts(household)),
        per_household=per_household,
        must_sit=tuple(_parts(must_sit)),
    )


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()] if text else []
