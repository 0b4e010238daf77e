"""`klero alternates`: whom to keep in reserve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from klero.cli.ids import names_a_table, read_ids
from klero.cli.output import LANG, format_option, note, print_json, progress

if TYPE_CHECKING:
    from klero.ledger.alternates import Alternates, Measured
    from klero.sortition.dropout import DropoutModel


@click.command()
@click.argument("bundle", type=click.Path())
@click.option("--number", "-a", type=int, required=True, metavar="A", help="How many alternates.")
@click.option(
    "--dropout",
    metavar="P|TABLE",
    help="Probability of dropping out: one for all (0.1, 1/10, 10%), or a table with the columns id and dropout.",
)
@click.option(
    "--past",
    type=click.Path(),
    metavar="TABLE",
    help="Estimate it from past panellists: columns of features, and «dropped» with yes or no.",
)
@click.option(
    "--trial-seed", required=True, metavar="TEXT", help="Any text: it gives the scenarios and the tickets."
)
@click.option(
    "--scenarios", type=int, default=200, show_default=True, metavar="N", help="Scenarios to choose on."
)
@click.option(
    "--checks", type=int, default=1000, show_default=True, metavar="N", help="Fresh scenarios to measure on."
)
@click.option("--alternates-drop", is_flag=True, help="Alternates drop out too.")
@click.option(
    "--unavailable", metavar="IDS", help="People who can't be alternates: ids, or a table with a column «id»."
)
@LANG
@format_option
def alternates(
    bundle: str,
    number: int,
    dropout: str | None,
    past: str | None,
    trial_seed: str,
    scenarios: int,
    checks: int,
    alternates_drop: bool,
    unavailable: str | None,
    lang: str,
    form: str,
) -> int:
    """Choose alternates for the panel in BUNDLE: those who leave it nearest to its quotas when members drop out.

    \b
    Examples:
      klero alternates bundle -a 6 --dropout 0.1 --trial-seed "rehearsal"
      klero alternates bundle -a 6 --dropout dropout.csv --trial-seed "rehearsal" > alternates.txt
      klero alternates bundle -a 6 --past past.csv --trial-seed "rehearsal" --format json
    """
    from klero.ledger.alternates import choose_alternates

    if (dropout is None) == (past is None):
        raise click.UsageError("Give one of --dropout and --past.")
    model = None
    given: object
    if past is not None:
        given, model, remarks = _estimated(bundle, past)
        for remark in remarks:
            note(f"Warning: {remark}.")
    else:
        given = _given(str(dropout))
    out = () if unavailable is None else read_ids(unavailable, "--unavailable")
    with progress() as advance:
        result = choose_alternates(
            bundle,
            number,
            dropout=given,
            trial_seed=trial_seed,
            scenarios=scenarios,
            checks=checks,
            alternates_drop=alternates_drop,
            unavailable=out,
            progress=advance,
        )
    if form == "json":
        print_json(summary(result, model, lang))
        return 0
    click.echo("id")
    click.echo("\n".join(result.ids))
    note(result.explain(lang))
    return 0


def summary(result: Alternates, model: DropoutModel | None, lang: str) -> dict[str, object]:
    """The alternates as data for `--format json`."""
    data: dict[str, object] = {
        "schema": "klero-alternates/1",
        "algorithm": result.algorithm,
        "alternates": list(result.ids),
        "commitment": result.commitment,
        "seed_text": result.seed_text,
        "expected_dropouts": float(result.expected_dropouts),
        "scenarios": result.scenarios,
        "loss_on_scenarios": str(result.choice.loss),
        "lower_bound_on_scenarios": result.choice.bound,
        "no_better_exchange": result.choice.settled,
        "checks": result.checks,
        "measured": _measured(result.measured),
        "baselines": {name: _measured(found) for name, found in result.baselines.items()},
        "text": result.explain(lang),
    }
    if model is not None:
        data["model"] = {
            "people": model.people,
            "dropped": model.dropped,
            "warnings": list(model.warnings),
            "effects": [
                {"feature": e.feature, "value": e.value, "people": e.people, "dropped": e.dropped}
                | {"odds": e.odds, "interval": list(e.interval)}
                for e in model.effects
            ],
        }
    return data


def _measured(found: Measured) -> dict[str, object]:
    return {
        "loss": found.loss,
        "interval": list(found.interval),
        "failing": found.failing,
        "failing_interval": list(found.failing_interval),
    }


def _given(text: str) -> object:
    """One probability for all, or those of a table by id."""
    from klero.errors import Fault, InputError, quoted
    from klero.sortition.pool import Pool

    if not names_a_table(text):
        return text
    table = Pool.read(text)
    missing = [column for column in ("id", "dropout") if column not in table.columns]
    if missing:
        there = ", ".join(map(quoted, table.columns))
        message = f"there is no column {quoted(missing[0])}. Probabilities need the columns id and dropout; here are {there}."
        raise InputError([Fault("column-missing", message, table.name, column=missing[0])])
    return dict(zip(table.column("id"), table.column("dropout"), strict=True))


def _estimated(bundle: str, past: str) -> tuple[object, DropoutModel, list[str]]:
    from klero.ledger.load import load_lottery
    from klero.sortition.dropout import estimate_dropout
    from klero.tables import read_table

    instance = load_lottery(bundle).instance
    table = read_table(past)
    model = estimate_dropout(table, [f for f in instance.features if f in table.columns])
    return model.probabilities(instance), model, [*model.warnings, *model.unseen(instance)]
