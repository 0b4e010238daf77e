"""`klero withdraw`, `klero abort`, `klero sign`, `klero timestamp`: what follows in a public draw's record."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from klero.cli.output import check_place, format_option, note, print_json, save, written
from klero.cli.publish import DRY, DRY_RUN, KEYS, TIME, appended, entry_lines, following

if TYPE_CHECKING:
    from klero.ledger.record import Appended
    from klero.ledger.steps import Signed


@click.command()
@click.argument("record", type=click.Path())
@click.option(
    "--person", "persons", multiple=True, metavar="ID", help="Who withdrew; may be given several times."
)
@click.option(
    "--leaf", "leaves", multiple=True, metavar="HEX", help="The same by leaf, without the sealed tier."
)
@click.option(
    "--reason",
    type=click.Choice(["declined", "ineligible", "unreachable", "other"]),
    required=True,
    help="Why; it is public.",
)
@KEYS
@TIME
@DRY_RUN
@format_option
def withdraw(
    record: str,
    persons: tuple[str, ...],
    leaves: tuple[str, ...],
    reason: str,
    keys: tuple[str, ...],
    time: str | None,
    dry_run: bool,
    form: str,
) -> int:
    """Enter in RECORD who withdrew. They are in no later round; a replacement round fills their seats.

    It can't be taken back. Sign with one key; whoever holds the other reads the entry, compares, and signs then (klero sign).

    \b
    Examples:
      klero withdraw panel-record --person P017 --reason declined --dry-run
      klero withdraw panel-record --person P017 --person P044 --reason declined --key organiser.key --key guarantor.key
      klero withdraw panel-record --leaf 5e0f… --reason unreachable --key organiser.key
    """
    from klero.ledger.steps import withdraw as enter

    added = enter(
        record, persons=persons, leaves=leaves, reason=reason, keys=keys, time=time, dry_run=dry_run
    )
    if dry_run and form == "text":
        click.echo(added.hash)
        note("\n".join([*entry_lines(added.entry), *(f"Who: {person}" for person in persons), DRY]))
        return 0
    return _told(added, form, _after_withdrawal(added), dry_run=dry_run)


def _after_withdrawal(added: Appended) -> str:
    """What can follow: a replacement round, if a seat is free and a date is left for it."""
    from klero.ledger.commit import next_round
    from klero.ledger.record import Record
    from klero.ledger.steps import free_seats

    record = Record.read(added.record, unsigned=True)
    if not (free := free_seats(record)):
        if not record.draws:
            return "Nothing is drawn yet; the committed round is drawn as it is, and who withdrew can be replaced after it."
        return "No seat is free: whoever withdrew had none, and is in no later round."
    many, empty = ("1 seat is", "stays") if free == 1 else (f"{free} seats are", "stay")
    if record.rounds[-1].draw is None:
        return f"{many} free; first draw the round that is committed (klero draw {added.record})."
    if not next_round(record, added.entry.time):
        return f"{many} free and {empty} empty: no date for a replacement round is left."
    return f"klero replace {added.record} -o DIR"


@click.command()
@click.argument("record", type=click.Path())
@click.option("--reason", required=True, metavar="TEXT", help="Why; it is public.")
@KEYS
@TIME
@format_option
def abort(record: str, reason: str, keys: tuple[str, ...], time: str | None, form: str) -> int:
    """End the procedure of RECORD for good, with the reason. Nothing can follow.

    \b
    Examples:
      klero abort panel-record --reason "The register was incomplete." --key organiser.key --key guarantor.key
    """
    from klero.ledger.steps import abort as end

    added = end(record, reason=reason, keys=keys, time=time)
    return _told(added, form, f"publish the head; klero bundle {record} --tier public -o FILE.zip")


@click.command()
@click.argument("record", type=click.Path())
@click.option(
    "--key",
    "keys",
    type=click.Path(),
    multiple=True,
    metavar="FILE",
    help="Private key to sign with.",
)
@click.option(
    "--from",
    "merge",
    type=click.Path(),
    multiple=True,
    metavar="ENTRY.json",
    help="The last entry's file as it came back signed: takes over its signatures.",
)
@click.option(
    "--without-auditor",
    is_flag=True,
    help="Sign a draw though this copy can't show that the panel is right.",
)
@click.option(
    "--time-checked",
    is_flag=True,
    help="Sign an entry whose time is more than an hour from this machine's clock: you looked, and it is right.",
)
@click.option("--dry-run", is_flag=True, help="Check and show what would be signed; write nothing.")
@format_option
def sign(
    record: str,
    keys: tuple[str, ...],
    merge: tuple[str, ...],
    without_auditor: bool,
    time_checked: bool,
    dry_run: bool,
    form: str,
) -> int:
    """Check RECORD, show its last entry, and sign it.

    RECORD may be a copy on the signer's own machine. A commitment can be signed on the public tier; a draw needs the auditor's, which alone shows that the
    panel is right (klero bundle RECORD --tier auditor --unsigned -o DIR). Hand back the entry's file, which the organiser takes over with --from.

    \b
    Examples:
      klero sign to-sign --dry-run
      klero sign to-sign --key guarantor.key
      klero sign panel-record --from entry-0001.json
    """
    from klero.ledger.steps import sign as add

    if not keys and not merge and not dry_run:
        raise click.UsageError("Give --key to sign, --from to take over signatures, or --dry-run to look.")
    signed = add(
        record,
        keys,
        merge=merge,
        without_auditor=without_auditor,
        time_checked=time_checked,
        dry_run=dry_run,
    )
    if signed.entries:
        written.append(record)
    if form == "json":
        print_json(
            {
                "record": record,
                "signed": list(signed.entries),
                "head": signed.head,
                "signatures_missing": signed.unsigned,
                "title": signed.title,
                "entry": signed.last.sequence,
                "kind": signed.last.kind,
                "time": signed.last.time,
                "body": signed.last.body,
                "not_checked": list(signed.unchecked),
            }
        )
        return 0
    click.echo(signed.head)
    for line in _shown(signed):
        note(line)
    if dry_run:
        note("Nothing was written.")
    else:
        entries = ", ".join(map(str, signed.entries)) or "none"
        note(f"Entries signed: {entries}. Signatures still missing from the last one: {signed.unsigned}.")
    return 0


def _shown(signed: Signed) -> list[str]:
    """What a signature is under: the entry in words, and what this copy does not show of it."""
    lines = [f"«{signed.title}», whose hash is the one above:", *entry_lines(signed.last)]
    if signed.unchecked:
        names = ", ".join(signed.unchecked)
        count = len(signed.unchecked)
        lines.append(f"{count} {'check was' if count == 1 else 'checks were'} not made: {names}.")
    if "pool" in signed.unchecked:
        lines.append(
            "Without the auditor's files you can't see that people, chances and panel are right; ask for them."
        )
    return lines


@click.command()
@click.argument("record", type=click.Path())
@click.option("--entry", type=int, metavar="N", help="The entry. Default: the last that is no time-stamp.")
@click.option(
    "--request",
    type=click.Path(),
    metavar="OUT.tsq",
    help="Write the request to send to an authority (RFC 3161).",
)
@click.option(
    "--token",
    type=click.Path(),
    metavar="FILE",
    help="Put the authority's answer (.tsr or the token) into RECORD.",
)
@KEYS
@TIME
@click.option("--force", is_flag=True, help="Replace a request that is there.")
@format_option
def timestamp(
    record: str,
    entry: int | None,
    request: str | None,
    token: str | None,
    keys: tuple[str, ...],
    time: str | None,
    force: bool,
    form: str,
) -> int:
    """Have a time-stamp authority say when an entry of RECORD was there: write the request, then put in its answer.

    \b
    Examples:
      klero timestamp panel-record --request commitment.tsq
      curl -H "Content-Type: application/timestamp-query" --data-binary @commitment.tsq https://authority.example > commitment.tsr
      klero timestamp panel-record --token commitment.tsr --key organiser.key --key guarantor.key
    """
    from klero.ledger.stamps import timestamp as put
    from klero.ledger.stamps import timestamp_request

    if (request is None) == (token is None):
        raise click.UsageError("Give --request to write a request, or --token to put in the answer.")
    if request is not None:
        check_place(request, record, force=force)
        data = timestamp_request(record, entry=entry)
        save(request, data, force=force)
        if form == "json":
            print_json({"request": request, "bytes": len(data)})
        note(
            f"Written to {request}. Send it to a time-stamp authority; then: klero timestamp {record} --token ANSWER --key FILE"
        )
        return 0
    added = put(record, str(token), entry=entry, keys=keys, time=time)
    return _told(added, form, f"klero verify {record} --tsa-certificate FILE")


def _told(added: Appended, form: str, then: str, *, dry_run: bool = False) -> int:
    if not dry_run:
        written.append(added.record)
    if form == "json":
        print_json(appended(added))
        return 0
    click.echo(added.hash)
    note(
        f"Entry {added.entry.sequence} ({added.entry.kind}) added to {added.record}; the hash above is the log's head."
    )
    note(following(added, then))
    return 0
