"""`klero explain`: why these probabilities?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from klero.cli.output import LANG, format_option, note, print_json

if TYPE_CHECKING:
    from klero.sortition.lottery import Lottery


@click.command()
@click.argument("bundle", type=click.Path())
@click.option("--person", metavar="ID", help="One person's probability and its reason.")
@click.option(
    "--picture",
    type=click.Path(),
    metavar="FILE.svg",
    help="Also write everybody's probability as a picture.",
)
@LANG
@format_option
def explain(bundle: str, person: str | None, picture: str | None, lang: str, form: str) -> int:
    """Say in words which quotas bind in BUNDLE, level by level, or why one person has their probability.

    BUNDLE is a trial's bundle, or a public draw's record: then a person also learns whether they were drawn, and why.

    \b
    Examples:
      klero explain bundle
      klero explain bundle --person P017 --lang fr
      klero explain bundle --picture chances.svg
      klero explain panel-record --person P017
    """
    from pathlib import Path

    from klero.ledger.record_folder import is_record

    if is_record(bundle):
        return _record(bundle, person, picture, lang, form)

    from klero.ledger.load import load_lottery
    from klero.sortition.picture import probabilities_svg

    lottery = load_lottery(bundle)
    text = lottery.explain(person, lang)
    if form == "json":
        data: dict[str, object] = {"text": text, "lang": lang, "levels": _levels(lottery)}
        if person is not None:
            p = lottery.probability(person)
            data |= {"person": person, "probability": str(p), "probability_float": float(p)}
        print_json(data)
    else:
        click.echo(text)
    if picture:
        Path(picture).write_text(probabilities_svg(lottery, lang), encoding="utf-8")
        note(f"Picture written to {picture}.")
    return 0


def _record(record: str, person: str | None, picture: str | None, lang: str, form: str) -> int:
    from klero.ledger.reasons import explain_record
    from klero.ledger.record import Record

    if picture:
        raise click.UsageError("--picture is for bundles.")
    text = explain_record(Record.read(record, unsigned=True), person, lang)
    if form == "json":
        print_json({"text": text, "lang": lang} | ({} if person is None else {"person": person}))
    else:
        click.echo(text)
    return 0


def _levels(lottery: Lottery) -> list[dict[str, object]]:
    """The certificate's levels as data: the group, what it can't exceed, and the quotas that bind."""
    instance = lottery.instance
    levels: list[dict[str, object]] = []
    for level in lottery.certificate.levels:
        group = {t for t, _ in level.types}
        binding = [
            {
                "cell": instance.cell_name(c),
                "side": "max" if w > 0 else "min",
                "seats": instance.cell_bounds[c][w > 0],
            }
            for c, w in level.cells
        ]
        people = [i for i, t in zip(instance.ids, instance.person_type, strict=True) if t in group]
        levels.append(
            {"value": str(level.value), "people": people, "binding": binding, "proof_nodes": len(level.proof)}
        )
    return levels
