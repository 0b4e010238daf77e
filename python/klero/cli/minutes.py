"""`klero minutes`: the minutes of a draw, from its record."""

from __future__ import annotations

import click

from klero.cli.output import LANG, check_place, format_option, note, print_json, save


@click.command()
@click.argument("record", type=click.Path())
@click.option(
    "-o", "--output", required=True, type=click.Path(), metavar="FILE.html", help="Where to write them."
)
@click.option(
    "--present",
    multiple=True,
    metavar='"NAME, ROLE"|FILE',
    help="Who was present; several times, or a text file with a line for each. Default: lines to fill in.",
)
@click.option(
    "--exclusions",
    type=click.Path(),
    metavar="TABLE",
    help="People left out before the draw: columns reason, count. Default: to be filled in.",
)
@click.option(
    "--names",
    is_flag=True,
    help="Add the names of those drawn, on a page of its own (needs sealed/). The file is then yours alone to read.",
)
@click.option(
    "--person",
    metavar="ID",
    help="No minutes: a page that answers this person alone, chance and why (needs auditor/; an id needs sealed/).",
)
@click.option(
    "--zone", default="", metavar="ZONE", help="Give times also in this time zone, such as Europe/Paris."
)
@click.option("--force", is_flag=True, help="Replace FILE.html if it is there.")
@LANG
@format_option
def minutes(
    record: str,
    output: str,
    present: tuple[str, ...],
    exclusions: str | None,
    names: bool,
    person: str | None,
    zone: str,
    force: bool,
    lang: str,
    form: str,
) -> int:
    """Write the minutes (procès-verbal) of RECORD, to print and sign. Exit code 1 if a check of the record fails, which they then say.

    \b
    Examples:
      klero minutes record -o minutes.html
      klero minutes record --lang fr --zone Europe/Paris -o pv.html --present "Camille Martin, mayor"
      klero minutes record -o minutes.html --present present.txt --exclusions exclusions.csv
      klero minutes record -o chance.html --person P017
    """
    from klero.ledger.minutes import minutes_html
    from klero.ledger.minutes_inputs import read_exclusions, read_present
    from klero.ledger.record import Record

    if person is not None and (present or exclusions is not None or names):
        raise click.UsageError(
            "--person gives an answer to one person, without the minutes: leave the other options out."
        )
    check_place(output, record, exclusions, *present, force=force)
    facts = Record.open(record)
    if person is not None:
        from klero.ledger.person_page import person_html

        data = person_html(facts, person, lang, zone=zone)
    else:
        data = minutes_html(
            facts,
            lang,
            present=read_present(present),
            exclusions=None if exclusions is None else read_exclusions(exclusions),
            names=names,
            zone=zone,
        )
    save(output, data, force=force, secret=names or person is not None)
    failed = [check.name for check in facts.failed]
    if form == "json":
        print_json({"schema": "klero-minutes/1", "file": output, "lang": lang, "failed": failed})
    note(f"Written to {output}.")
    if failed:
        note(f"NOT VALID: the check «{failed[0]}» fails; the minutes say so.")
    return 1 if failed else 0
