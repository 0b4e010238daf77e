"""`klero whatif`: which quota costs fairness?"""

from __future__ import annotations

from typing import Any

import click

from klero.cli.output import (
    ID_COLUMN,
    LANG,
    SIZE,
    check_place,
    format_option,
    note,
    print_json,
    progress,
    save,
)
from klero.cli.rules import files_named, matched, rule_options, settled


@click.command()
@click.argument("people", type=click.Path())
@click.argument("quotas", type=click.Path())
@SIZE
@ID_COLUMN
@click.option("--picture", type=click.Path(), metavar="FILE.svg", help="Also write a bar chart.")
@click.option("--force", is_flag=True, help="Replace the picture if it is there.")
@LANG
@rule_options
@format_option
def whatif(
    people: str,
    quotas: str,
    size: int,
    id_column: str | None,
    picture: str | None,
    force: bool,
    lang: str,
    form: str,
    **rules: Any,
) -> int:
    """Say how the smallest probability would rise if each of QUOTAS were looser by 1, 2 or 5 seats.

    \b
    Examples:
      klero whatif people.csv quotas.csv --size 30
      klero whatif people.csv quotas.csv --size 30 --lang fr --picture quotas.svg
      klero whatif people.csv quotas.csv --size 30 --format json
    """
    from pathlib import Path

    from klero.sortition.whatif import what_if_instance
    from klero.words import words

    if picture:
        check_place(picture, people, quotas, *files_named(rules), force=force)
    instance = matched(people, quotas, size, id_column, **rules)
    with progress() as advance:
        found = what_if_instance(instance, Path(quotas).name, advance, lang)
    if picture:
        save(picture, found.picture(lang), force=force)
        note(words(lang).gettext("Picture written to {file}.").format(file=picture))
    if form == "json":
        print_json(found.to_dict() | {"settled": settled(instance)})
    else:
        click.echo(found.explain(lang))
    return 0
