"""`klero receipt` and `klero bundle`: what is handed to single people, to auditors and to everybody."""

from __future__ import annotations

from pathlib import Path

import click

from klero.cli.output import LANG, check_place, format_option, note, print_json, written


class _Receipts(click.Group):
    """`klero receipt RECORD …` writes receipts; `verify` and `forget` are commands of their own."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            return "write", self.commands["write"], args
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return ["write", "verify", "forget"]


@click.group(
    cls=_Receipts,
    context_settings={"ignore_unknown_options": True},
    subcommand_metavar="RECORD | verify | forget …",
)
def receipt() -> None:
    """Write receipts for the people in a record, check one, or destroy the salts behind them.

    \b
    Examples:
      klero receipt panel-record --person P017 -o receipts
      klero receipt panel-record --all -o receipts
      klero receipt verify receipt-017.json --record panel-public.zip --lang fr
      klero receipt forget panel-record --person P017
    """


@receipt.command()
@click.argument("record", type=click.Path())
@click.option(
    "--person", "persons", multiple=True, metavar="ID", help="For whom; may be given several times."
)
@click.option("--all", "everybody", is_flag=True, help="For everybody.")
@click.option(
    "-o", "--output", type=click.Path(), required=True, metavar="DIR", help="A new folder for them."
)
@click.option(
    "--page", type=click.Path(), metavar="FILE.html", help="Also write them as pages to print, one a sheet."
)
@LANG
@format_option
def write(
    record: str,
    persons: tuple[str, ...],
    everybody: bool,
    output: str,
    page: str | None,
    lang: str,
    form: str,
) -> int:
    """Write receipts (JSON) for people in RECORD. Each holds that person's secret salt: hand it to nobody else.

    \b
    Examples:
      klero receipt panel-record --person P017 -o receipts
      klero receipt panel-record --all -o receipts
      klero receipt panel-record --all -o receipts --page receipts.html --lang fr
    """
    from klero._files import csv_bytes
    from klero.ledger.receipts import write_receipts

    if bool(persons) == everybody:
        raise click.UsageError("Give --person for some, or --all for everybody.")
    if page is not None:
        check_place(page, record, force=False)
    made = write_receipts(record, output, None if everybody else persons)
    written.append(output)
    if page is not None:
        _print(record, [Path(output) / file for file in made.values()], page, lang)
    if form == "json":
        print_json(
            {"folder": output, "receipts": [{"id": person, "file": file} for person, file in made.items()]}
        )
        return 0
    if everybody:  # a line for each would bury what matters
        click.echo(output)
    else:
        click.echo(csv_bytes(("id", "file"), made.items()).decode(), nl=False)
    count = "1 receipt is" if len(made) == 1 else f"{len(made)} receipts are"
    note(f"{count} in {output}. Each is for its own person alone.")
    if page is not None:
        note(
            f"Pages to print are in {page}: they hold everybody's secrets. Delete the file once they are printed."
        )
    return 0


def _print(record: str, files: list[Path], page: str, lang: str) -> None:
    """The receipts as one file of pages, readable by its owner alone."""
    from klero._files import write_file
    from klero.ledger.receipt_page import receipt_page
    from klero.ledger.record import Record

    rules = Record.open(record).declaration
    sheets = (file.read_bytes() for file in files)
    data = receipt_page(sheets, lang, title=rules["title"], organiser=rules["organiser"])
    write_file(page, data, secret=True)
    written.append(page)


@receipt.command()
@click.argument("file", type=click.Path())
@click.option(
    "--record",
    type=click.Path(),
    metavar="RECORD",
    help="The public record (folder or ZIP) to hold it against.",
)
@LANG
@format_option
def verify(file: str, record: str | None, lang: str, form: str) -> int:
    """Check a receipt: whether you were registered, with which particulars, and whether you were drawn. Exit code 1 if it is not good.

    \b
    Examples:
      klero receipt verify receipt-017.json
      klero receipt verify receipt-017.json --record panel-public.zip --lang fr
    """
    from klero.ledger.receipts import verify_receipt

    found = verify_receipt(file, record)
    if form == "json":
        print_json(
            {
                "ok": found.ok,
                "problems": [{"kind": kind, "detail": detail} for kind, detail in found.problems],
                "id": found.id,
                "leaf": found.leaf,
                "identity": dict(found.identity),
                "attributes": dict(found.attributes),
                "held_against_record": found.against,
                "rounds": [
                    {"round": number, "result": result, "ticket": ticket}
                    for number, result, ticket in found.rounds
                ],
                "withdrawn": found.withdrawn,
                "text": found.explain(lang),
            }
        )
    else:
        click.echo(found.explain(lang))
        for _kind, detail in found.problems:
            note(detail)
    return 0 if found.ok else 1


@receipt.command()
@click.argument("record", type=click.Path())
@click.option(
    "--person",
    "persons",
    multiple=True,
    required=True,
    metavar="ID",
    help="Whom to forget; may be given several times.",
)
@format_option
def forget(record: str, persons: tuple[str, ...], form: str) -> int:
    """Destroy people's salts in RECORD, so that nobody can link their leaves to them any more. The record stays valid.

    \b
    Examples:
      klero receipt forget panel-record --person P017
    """
    from klero.ledger.receipts import forget as destroy

    leaves = destroy(record, persons)
    written.append(record)
    if form == "json":
        print_json({"record": record, "leaves": list(leaves)})
        return 0
    click.echo("\n".join(["leaf", *leaves]))
    note(
        f"Salts destroyed in {record}: {len(leaves)}. Erase also: copies and backups of the sealed tier, receipts elsewhere, and the bundle and tables "
        "that name these people."
    )
    return 0


@click.command()
@click.argument("record", type=click.Path())
@click.option(
    "--tier",
    type=click.Choice(["public", "auditor", "sealed"]),
    required=True,
    help="public: for everybody; auditor: shows kinds of people, for who recomputes the lottery; sealed: names them.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    required=True,
    metavar="OUT",
    help="A folder, or a name that ends with .zip.",
)
@click.option(
    "--unsigned",
    is_flag=True,
    help="Though the last entry lacks signatures: a copy for those who are to sign it, not to publish.",
)
@click.option("--force", is_flag=True, help="Replace a ZIP that is there.")
@format_option
def bundle(record: str, tier: str, output: str, unsigned: bool, force: bool, form: str) -> int:
    """Write a tier of RECORD to hand on, as a folder or ZIP. It is checked; the public one is scanned for anything that would tell who is who.

    \b
    Examples:
      klero bundle panel-record --tier public -o panel-public.zip
      klero bundle panel-record --tier auditor -o panel-auditor
      klero bundle panel-record --tier auditor --unsigned -o to-sign
    """
    from klero.ledger.record import Record
    from klero.ledger.tiers import looked_for, write_tier

    result = write_tier(record, tier, output, force=force, unsigned=unsigned)
    written.append(output)
    if form == "json":
        checks = [{"name": c.name, "status": c.status, "detail": c.detail} for c in result]
        print_json({"tier": tier, "output": output, "checks": checks})
        return 0
    click.echo(output)
    scanned = " It shows people; hand it on with care."
    if tier == "public":
        scanned = f" {looked_for(Record.open(record))} None of that is in it."
    note(
        f"The {tier} tier, {sum(c.ok for c in result)} checks passed, {len(result.unchecked)} not checked.{scanned}"
    )
    if not result.ok:
        note(
            f"Signatures are missing: for signing (klero sign {output} --key FILE), not to be published yet."
        )
    return 0
