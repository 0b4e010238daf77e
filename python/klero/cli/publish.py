"""`klero keygen`, `klero declare`, `klero commit`: what is fixed before a public draw."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from klero.cli.output import LANG, check_place, format_option, note, print_json, save, written

if TYPE_CHECKING:
    from klero.errors import Fault
    from klero.ledger.commit import Commitment
    from klero.ledger.entries import Entry
    from klero.ledger.record import Appended
    from klero.ledger.sources import Source

KEYS = click.option(
    "--key",
    "keys",
    type=click.Path(),
    multiple=True,
    metavar="FILE",
    help="Private key to sign with; may be given several times. Others can sign later: klero sign.",
)
# Less than this is what clocks differ by.
_CLOCKS = 300


def _own_time(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Says that a time was given, where it is not the clock's. Whether it is one at all is for the step to say."""
    from klero.errors import InputError
    from klero.ledger.clock import now, seconds

    try:
        if value is not None and abs(seconds(value) - seconds(now())) > _CLOCKS:
            note(
                f"--time {value} is your time, not this machine's, which is {now()}: whoever signs vouches for it."
            )
    except InputError:
        pass
    return value


TIME = click.option(
    "--time",
    callback=_own_time,
    metavar="TIME",
    help="When, in UTC, as 2026-05-01T09:00:00Z. Default: now, by this machine's clock.",
)


DRY = "Nothing was written. Compare, then give the same command without --dry-run."
DRY_RUN = click.option(
    "--dry-run", is_flag=True, help="Check everything and show what would be entered; write nothing."
)
ZONE = click.option(
    "--zone",
    default="",
    metavar="ZONE",
    help="Give times in the notice in this zone too, such as Europe/Paris.",
)
ADDRESS = click.option(
    "--address", default="", metavar="URL", help="Where the public files will be; stands in the notice."
)


def entry_lines(entry: Entry) -> list[str]:
    """An entry in words, for whoever signs it or looks before it is entered."""
    body = entry.body
    what = f" of round {body['round']}" if "round" in body else ""
    lines = [f"Entry {entry.sequence}: {entry.kind}{what}, {entry.time}."]
    if entry.kind == "draw":
        lines += [f"{len(body['panel'])} seats:", *(f"  {leaf}" for leaf in body["panel"])]
    if entry.kind in ("draw", "reading"):
        lines += [
            f"{reveal['kind']}: {reveal.get('digits') or reveal.get('numbers') or reveal.get('round')}"
            for reveal in body["reveals"]
        ]
    if entry.kind == "withdrawals":
        lines += [f"  {leaf} ({code})" for leaf, code in body["withdrawals"]]
    if entry.kind == "abort":
        lines.append(f"Reason: {body['reason']}")
    return lines


@click.command()
@click.option("--name", required=True, metavar="TEXT", help="Whose key it is; it will be public.")
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    required=True,
    metavar="FILE.key",
    help="Private key; FILE.pub beside it.",
)
@click.option(
    "--force", is_flag=True, help="Replace keys that are there: nothing can be signed with those any more."
)
@format_option
def keygen(name: str, output: str, force: bool, form: str) -> int:
    """Make a key (Ed25519) to sign a public draw with. Keep the .key to its owner; hand out the .pub.

    \b
    Examples:
      klero keygen --name "Ville de Nantes" -o organiser.key
      klero keygen --name "Me Dupont, commissaire de justice" -o guarantor.key
    """
    from klero.ledger.keys import keygen as make_key
    from klero.ledger.keys import public_path

    key = make_key(output, name, force=force)
    public = public_path(output)
    written.extend([output, public])
    if form == "json":
        print_json(
            {"key": key.key, "keyid": key.keyid, "name": key.name, "private": output, "public": public}
        )
        return 0
    click.echo(key.key)
    note(f"Private key in {output} (for its owner alone), public key in {public}.")
    return 0


@click.command()
@click.argument("bundle", type=click.Path())
@click.option("--draw", required=True, metavar="ID", help="Short name of the draw: a–z, 0–9 and «-».")
@click.option("--title", required=True, metavar="TEXT", help="What the draw is called.")
@click.option("--organiser", required=True, metavar="TEXT", help="Who holds it.")
@click.option("--question", default="", metavar="TEXT", help="The question put to the panel.")
@click.option(
    "--sequence", type=int, default=1, show_default=True, metavar="N", help="The organiser's N-th draw."
)
@click.option("--drand", type=click.Choice(["quicknet", "default"]), help="Take a round of this beacon.")
@click.option("--at", metavar="TIME", help="With --drand: the first round at or after this time.")
@click.option(
    "--round", "round_", type=int, metavar="N", help="With --drand: this round, in the place of --at."
)
@click.option(
    "--fallback-at",
    metavar="TIME",
    help="A later round of the other beacon, should the declared one never come.",
)
@click.option("--fallback-round", type=int, metavar="N", help="The same, by its number.")
@click.option("--balls", type=int, metavar="N", help="N draws of one of ten balls, each put back.")
@click.option("--balls-at", metavar="TIME", help="When the balls are drawn.")
@click.option("--dice", type=int, metavar="N", help="N rolls of a die.")
@click.option("--dice-at", metavar="TIME", help="When the dice are rolled.")
@click.option(
    "--lottery",
    "lotteries",
    multiple=True,
    metavar='"NAME:5/50"',
    help="A public lottery's numbers: 5 of 1 to 50. Once for each drum.",
)
@click.option("--lottery-at", metavar="TIME", help="When that lottery is drawn.")
@click.option(
    "--calendar-at",
    "calendar",
    multiple=True,
    metavar="TIME",
    help="A replacement round from the same kinds of sources; once for each, in order.",
)
@click.option(
    "--key", "keys", multiple=True, metavar="ROLE=FILE.pub", help="Who signs: organiser, guarantor, witness."
)
@click.option(
    "--threshold", type=int, default=2, show_default=True, metavar="T", help="How many must sign each step."
)
@click.option(
    "--notice",
    default="1d",
    show_default=True,
    metavar="SPAN",
    help="How long the commitment must stand before the randomness: seconds, or as 36h or 7d.",
)
@click.option(
    "--tolerance",
    type=int,
    metavar="N",
    help="The most that the certificate's gap may be in any round, in millionths. Default: twice this lottery's, as a round figure, 100 at least.",
)
@click.option(
    "-o", "--output", type=click.Path(), required=True, metavar="FILE", help="The declaration (JSON)."
)
@click.option("--force", is_flag=True, help="Replace a declaration that is there.")
@LANG
@format_option
def declare(
    bundle: str,
    draw: str,
    title: str,
    organiser: str,
    question: str,
    sequence: int,
    keys: tuple[str, ...],
    threshold: int,
    notice: str,
    tolerance: int | None,
    output: str,
    force: bool,
    lang: str,
    form: str,
    **chance: Any,
) -> int:
    """Write the declaration of a public draw of the lottery in BUNDLE: rules, randomness, dates, keys.

    \b
    Examples:
      klero declare bundle --draw panel-2026 --title "Panel" --organiser "Nantes" -o declaration.json
        --drand quicknet --at 2026-05-15T10:00:00Z --key organiser=organiser.pub --key guarantor=guarantor.pub
      klero declare bundle --draw panel-2026 --title "Panel" --organiser "Ulm" --notice 7d -o declaration.json
        --balls 20 --balls-at 2026-05-15T10:00:00Z --calendar-at 2026-06-15T10:00:00Z --key organiser=o.pub --key witness=w.pub
    """
    from klero.errors import Fault, InputError
    from klero.ledger.cautions import beacon_addresses, cautions
    from klero.ledger.clock import now
    from klero.ledger.declare import declare as write_declaration

    check_place(output, bundle, *(key.partition("=")[2] for key in keys), force=force)
    faults: list[Fault] = []
    sources, calendar, fallback = _all_sources(chance, faults)
    named = [(role, file) for role, _, file in (key.partition("=") for key in keys)]
    for role, file in named:
        if not file:
            faults.append(
                Fault("key-invalid", f"--key {role} must be written as ROLE=FILE.pub", "", value=role)
            )
    try:
        made = write_declaration(
            bundle,
            draw=draw,
            title=title,
            organiser=organiser,
            question=question,
            sequence=sequence,
            sources=sources,
            keys=[(role, file) for role, file in named if file],
            threshold=threshold,
            notice=_span(notice),
            tolerance=tolerance,
            calendar=calendar,
            fallback=fallback,
        )
    except InputError as error:
        # What options can't be read as is said along with what can't be declared.
        raise InputError([*faults, *(f for f in error.faults if not _follows(f, faults))]) from None
    if faults:
        raise InputError(faults)
    save(output, made.data, force=force)
    text, remarks, addresses = made.explain(lang), cautions(made, now()), beacon_addresses(made)
    if form == "json":
        print_json(
            {
                "declaration": made.document,
                "file": output,
                "text": text,
                "cautions": remarks,
                "addresses": addresses,
            }
        )
        return 0
    click.echo(text)
    for remark in remarks:
        note(remark)
    if addresses:
        note("The beacon's rounds will be at:")
        note("\n".join(f"  {address}" for address in addresses))
    note(
        f"Written to {output}. Read it through, then: klero commit {bundle} --declaration {output} --key FILE"
    )
    return 0


@click.command()
@click.argument("bundle", type=click.Path())
@click.option("--declaration", type=click.Path(), metavar="FILE", help="The declaration, for a first draw.")
@click.option(
    "--record",
    type=click.Path(),
    metavar="RECORD",
    help="The record, for BUNDLE of a replacement round (klero replace).",
)
@click.option(
    "--identities",
    type=click.Path(),
    metavar="TABLE",
    help="For a first draw: who the people are, by their ids; columns such as name, birth. For the sealed tier and receipts.",
)
@KEYS
@TIME
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="RECORD",
    help="Folder for the record. Default: BUNDLE-record.",
)
@click.option(
    "--notice-to",
    type=click.Path(),
    metavar="DIR",
    help="Folder for the notice to print. Default: RECORD-notice.",
)
@ZONE
@ADDRESS
@format_option
def commit(
    bundle: str,
    declaration: str | None,
    record: str | None,
    identities: str | None,
    keys: tuple[str, ...],
    time: str | None,
    output: str | None,
    notice_to: str | None,
    zone: str,
    address: str,
    form: str,
) -> int:
    """Fix the lottery in BUNDLE before its public draw, and print the one hash to publish.

    \b
    Examples:
      klero commit bundle --declaration declaration.json --key organiser.key --key guarantor.key -o panel-record
      klero commit bundle --declaration declaration.json --identities register.csv --key organiser.key -o panel-record
      klero commit round1 --record panel-record --key organiser.key --key guarantor.key
    """
    from klero._files import check_inputs
    from klero.ledger.commit import commit as commit_first
    from klero.ledger.commit import commit_round

    if (declaration is None) == (record is None):
        raise click.UsageError("Give --declaration for a first draw, or --record for a replacement round.")
    if record is not None:
        if output is not None:
            raise click.UsageError("-o is for a first draw; a replacement round is added to its record.")
        if notice_to:
            check_inputs(notice_to, (bundle, record))
        if identities is not None:
            raise click.UsageError("--identities is for a first draw; the record holds who people are.")
        made = commit_round(bundle, record, keys=keys, time=time)
    else:
        place = output or _beside(bundle) + "-record"
        check_inputs(place, (bundle, declaration, identities))
        if notice_to:
            check_inputs(notice_to, (bundle,))
            if os.path.realpath(place) in (os.path.realpath(notice_to), *_folders(notice_to)):
                raise click.UsageError(
                    "--notice-to is within the record, which holds its own files and no others."
                )
        made = commit_first(bundle, str(declaration), place, keys=keys, time=time, identities=identities)
    written.append(made.record)
    if form == "text":  # the one thing that must not be lost comes first, whatever becomes of the notice
        click.echo(made.publish)
    notice, stale = _notice(made, notice_to, zone, address)
    if form == "json":
        data = appended(made) | {
            "publish": made.publish,
            "round": made.round,
            "people": made.people,
            "notice": notice,
        }
        print_json(data)
        return 1 if stale else 0
    when = "Publish this hash once all have signed" if made.unsigned else "Publish this hash now"
    note(f"Round {made.round}, {made.people} people, written to {made.record}. {when}, in print and online.")
    if notice:
        note(
            f"A notice to print is in {notice}; made anew, with local time or an address: klero notice {made.record} --zone ZONE --address URL --force"
        )
    if record is None and not _has_ids(bundle):
        note(
            "The ids are numbers of rows, which mean something only beside this table: keep it as it is, or give the people ids (klero lottery --id)."
        )
    note(following(made, f"after the declared time, klero draw {made.record} with the randomness"))
    return 1 if stale else 0


@click.command()
@click.argument("record", type=click.Path())
@click.option("--round", "round_", type=int, metavar="R", help="The round. Default: the one committed last.")
@ZONE
@ADDRESS
@click.option("-o", "--output", type=click.Path(), metavar="DIR", help="Folder. Default: RECORD-notice.")
@click.option("--force", is_flag=True, help="Replace a notice that is there.")
@format_option
def notice(
    record: str, round_: int | None, zone: str, address: str, output: str | None, force: bool, form: str
) -> int:
    """Write the notice of RECORD to print before a draw: what, when, from which randomness, and the hash. The public tier will do.

    \b
    Examples:
      klero notice panel-record --force
      klero notice panel-record --zone Europe/Paris --address https://www.example.org/panel -o notice
    """
    from klero._files import check_inputs
    from klero.ledger.notice import write_notice
    from klero.ledger.record import Record

    whole = Record.read(record, unsigned=True)
    number = whole.rounds[-1].number if round_ is None else round_
    place = output or _notice_place(record, number)
    check_inputs(place, (record,))
    files = write_notice(whole, place, round_number=number, address=address, zone=zone, force=force)
    written.append(place)
    publish = next(r.commitment.hash for r in whole.rounds if r.number == number)
    if form == "json":
        print_json({"folder": place, "files": files, "round": number, "publish": publish})
        return 0
    click.echo("\n".join(files))
    note(f"The notice of round {number}, with the hash {publish}, is in {place}.")
    if whole.unsigned:
        note("Signatures are missing: print it once all have signed (klero sign).")
    return 0


def _follows(fault: Fault, told: list[Fault]) -> bool:
    """Whether a fault is but the consequence of an option that could not be read."""
    from klero.ledger.declare import KEY_COUNT

    return any(fault.code == other.code for other in told) and (
        fault.code == "source-invalid" or fault.message == KEY_COUNT
    )


def _has_ids(bundle: str) -> bool:
    import json
    from pathlib import Path

    return bool(json.loads((Path(bundle) / "declaration.json").read_bytes())["id_column"])


def appended(added: Appended) -> dict[str, object]:
    """An entry that was added, as data."""
    return {
        "record": added.record,
        "entry": added.entry.sequence,
        "kind": added.entry.kind,
        "time": added.entry.time,
        "hash": added.hash,
        "signed_by": list(added.signers),
        "signatures_missing": added.unsigned,
    }


def following(added: Appended, then: str) -> str:
    """What to do after a step: sign it first, if signatures are missing. `then` is a command or a whole sentence."""
    if not added.unsigned:
        last = then if then.endswith(".") else f"Next: {then}."
        return f"Signed by {', '.join(added.signers)}. {last}"
    many = "1 signature is" if added.unsigned == 1 else f"{added.unsigned} signatures are"
    return f"{many} missing. Next: klero sign {added.record} --key FILE; then: {then.removesuffix('.')}."


def _folders(path: str) -> list[str]:
    """The folders around a path, as they are named without links."""
    from pathlib import Path

    return [os.fspath(folder) for folder in Path(path).resolve().parents]


def _beside(path: str) -> str:
    """A path to which something can be added for a name beside it: «.» would give one that is inside."""
    plain = os.path.normpath(path)
    return os.path.realpath(path) if os.path.basename(plain) in ("", ".", "..") else plain  # noqa: PTH119


def _notice_place(record: str, round_: int) -> str:
    """Where the notice of a round goes unless another place is named: beside the record, or what it was packed into."""
    return _beside(record).removesuffix(".zip") + (f"-notice-{round_}" if round_ else "-notice")


def _notice(made: Commitment, folder: str | None, zone: str, address: str) -> tuple[str, bool]:
    """(where the notice was written; '' if it could not be, which does not undo the commitment; whether one of another hash is there)."""
    from klero.errors import KleroError, OutputExistsError
    from klero.ledger.notice import write_notice
    from klero.ledger.record import Record

    place = folder or _notice_place(made.record, made.round)
    again = f"klero notice {made.record} -o DIR"
    try:
        write_notice(Record.open(made.record), place, zone=zone, address=address)
    except OutputExistsError:
        # It can't be of this commitment: that was made just now.
        note(
            f"DON'T PRINT what is in {place}: that notice is of another commitment, with another hash. The commitment made now stands; its notice: "
            f"{again}, or --force in the place of -o."
        )
        return "", True
    except (KleroError, OSError) as error:
        note(f"The commitment stands; its notice was not written: {error} Then: {again}")
        return "", False
    written.append(place)
    return place, False


def _span(text: str) -> int:
    """Seconds of a span written as 86400, 36h or 7d; -1 (refused by the declaration's check) if it is none."""
    units = {"d": 86400, "h": 3600, "s": 1}
    number, unit = (text[:-1], units[text[-1]]) if text[-1:] in units else (text, 1)
    return int(number) * unit if number.isascii() and number.isdigit() and len(number) < 10 else -1


def _all_sources(
    chance: dict[str, Any], faults: list[Any]
) -> tuple[list[Source], list[list[Source]], Source | None]:
    """(sources of the first draw, of each replacement round, the fallback) that the options name."""
    from klero.errors import Fault, InputError
    from klero.ledger import sources as made

    def attempt(make: Any, *arguments: Any, **named: Any) -> Source | None:
        try:
            source: Source = make(*arguments, **named)
        except InputError as error:
            faults.extend(error.faults)
            return None
        return source

    for kind in ("balls", "dice", "lottery"):
        number = chance["lotteries" if kind == "lottery" else kind]
        if bool(number) != bool(chance[f"{kind}_at"]):
            message = f"--{kind} and --{kind}-at go together: how many, and when"
            faults.append(Fault("source-invalid", message, ""))
    beacon = chance["drand"]
    if beacon is None and any(chance[name] for name in ("at", "round_", "fallback_at", "fallback_round")):
        faults.append(Fault("source-invalid", "--at, --round and --fallback-… need --drand", ""))

    def physical(time: str | None) -> list[Source | None]:
        found: list[Source | None] = []
        for kind, make in (("balls", made.balls), ("dice", made.dice), ("lottery", made.lottery)):
            number = chance["lotteries" if kind == "lottery" else kind]
            # Half of a pair of options was told above.
            if number and chance[f"{kind}_at"]:
                found.append(attempt(make, number, time or chance[f"{kind}_at"]))
        return found

    first = physical(None)
    if beacon:
        first.append(attempt(made.drand, beacon, at=chance["at"], number=chance["round_"]))
    rounds = []
    for time in chance["calendar"]:
        parts = physical(time)
        if beacon:
            # Strictly after what people watch at that time, as the protocol asks.
            parts.append(attempt(made.drand, beacon, at=time, after=bool(parts)))
        rounds.append([part for part in parts if part])
    later = None
    if beacon and (chance["fallback_at"] or chance["fallback_round"]):
        other = next(name for name in made.BEACONS if name != beacon)
        later = attempt(made.drand, other, at=chance["fallback_at"], number=chance["fallback_round"])
    return [part for part in first if part], rounds, later
