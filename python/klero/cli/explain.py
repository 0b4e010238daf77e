"""`klero explain`: why these probabilities?"""

from __future__ import annotations

import click

from klero.cli.output import LANG, format_option, note, print_json


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

    \b
    Examples:
      klero explain bundle
      klero explain bundle --person P017 --lang fr
      klero explain bundle --picture chances.svg
    """
    from pathlib import Path

    from klero.ledger.load import load_lottery
    from klero.sortition.picture import probabilities_svg

    lottery = load_lottery(bundle)
    text = lottery.explain(person, lang)
    if form == "json":
        data: dict[str, object] = {"text": text, "lang": lang}
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
