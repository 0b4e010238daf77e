"""What comes after the commitment: readings of balls, the draw, withdrawals, an end, more signatures.

Each function adds one signed entry to a record (`docs/audit/protocol.md`), or none: what is not in order is refused before anything is written. Nothing
here chooses: the panel follows from the commitment and the declared randomness, and is computed in Rust.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unicodedata import normalize

from klero import _native
from klero.errors import BundleError, Fault, InputError, quoted
from klero.ledger.canonical import canonical
from klero.ledger.clock import now, seconds
from klero.ledger.declare import read_json
from klero.ledger.entries import Entry, entry_name, parse_entry
from klero.ledger.keys import SecretKey
from klero.ledger.record import Appended, Place, Record, checked_time, key_faults, read_keys
from klero.ledger.record_folder import rewrite
from klero.ledger.reveals import reveals
from klero.ledger.rounds import needs_reading
from klero.ledger.sources import Source, source_time, source_words

__all__ = [
    "REASONS",
    "PublicDraw",
    "Signed",
    "abort",
    "draw_record",
    "free_seats",
    "ids_of",
    "is_for_reading",
    "read_out",
    "sign",
    "withdraw",
]

REASONS = ("declined", "ineligible", "other", "unreachable")
_ENTRY_LIMIT = 64 << 20
_HOUR = 3600


@dataclass(frozen=True)
class PublicDraw(Appended):
    """A panel drawn in public.

    Attributes:
        round: 0 for the first draw, else the replacement round.
        panel: the leaves drawn, rising.
        new: those of them who were not on the panel before.
        ids: the id by leaf, where the sealed tier is there and the salt was not destroyed.
    """

    round: int
    panel: tuple[str, ...]
    new: tuple[str, ...]
    ids: Mapping[str, str]

    @property
    def position(self) -> int:
        """Which of the M equally likely positions won."""
        return int(self.entry.body["position"])

    @property
    def seed(self) -> str:
        """The seed of the tickets, in hexadecimal."""
        return str(self.entry.body["seed"])


@dataclass(frozen=True)
class Signed:
    """Signatures that were added.

    Attributes:
        record: the record's folder.
        entries: the numbers of the entries that got one.
        head: the log's head.
        unsigned: how many signatures the last entry still needs.
        title: what the draw is called.
        last: the last entry, which is the one to sign.
        unchecked: the names of the checks that could not be made on this copy.
    """

    record: str
    entries: tuple[int, ...]
    head: str
    unsigned: int
    title: str
    last: Entry
    unchecked: tuple[str, ...]


def draw_record(
    record: Place,
    *,
    drand: Place | Mapping[str, Any] | None = None,
    balls: str | None = None,
    dice: str | None = None,
    lottery: Place | Sequence[Sequence[int]] | None = None,
    fallback: bool = False,
    keys: Sequence[SecretKey | Place] = (),
    time: str | None = None,
    dry_run: bool = False,
) -> PublicDraw:
    """Draws the round that is committed and not drawn yet, from the randomness that was declared for it.

    Args:
        record: the record's folder, with the auditor tier.
        drand: a saved response of a drand node, or its file. Its signature is checked.
        balls: the digits that the balls showed, in order. Where the beacon is a source too, balls, dice and lottery were entered before (`read_out`).
        dice: those of the dice.
        lottery: the lottery's numbers, or their file (:mod:`klero.ledger.reveals`).
        fallback: the declared drand round can't be had, and its declared fallback is used: a statement that whoever holds the round refutes.
        keys: private keys, or their files, that sign.
        time: when the draw is held, in UTC; None: now.
        dry_run: check everything and say what would be entered; write nothing.

    Raises:
        BundleError: the record fails a check or lacks signatures.
        InputError: nothing is to be drawn, it is too early, or the randomness is not what was declared; all faults at once.
    """
    before = Record.read(record)
    round_, when = before.rounds[-1].number, checked_time(time)
    faults = _draw_faults(before, round_, fallback)
    if faults:
        raise InputError(faults)
    sources = before.declaration.sources(round_, fallback=fallback)
    known: list[dict[str, Any]] = []
    if needs_reading(sources):
        known, faults = _read_before(before, (balls, dice, lottery))
        sources = [source for source in sources if source["kind"] == "drand"]
        balls = dice = lottery = None
    faults += _early_faults(sources, when)
    found: list[dict[str, Any]] = []
    try:
        found = reveals(sources, drand=drand, balls=balls, dice=dice, lottery=lottery)
    except InputError as error:
        faults += error.faults
    signing = read_keys(keys)
    faults += key_faults(signing, before.declaration)
    if faults:
        raise InputError(faults)
    given = canonical(sorted([*known, *found], key=lambda reveal: str(reveal["kind"])))
    body = json.loads(_native.record_draw(dict(before.files), round_, given, fallback))
    added = before.append("draw", body, keys=signing, time=when, dry_run=dry_run)
    panel = tuple(body["panel"])
    old = set(before.panel)
    return PublicDraw(
        added.record,
        added.entry,
        added.signers,
        added.unsigned,
        round_,
        panel,
        tuple(leaf for leaf in panel if leaf not in old),
        ids_of(before, panel),
    )


def read_out(
    record: Place,
    *,
    balls: str | None = None,
    dice: str | None = None,
    lottery: Place | Sequence[Sequence[int]] | None = None,
    keys: Sequence[SecretKey | Place] = (),
    time: str | None = None,
    dry_run: bool = False,
) -> Appended:
    """Enters what balls, dice and lottery gave, before the round of the beacon is known that is drawn with them.

    Needed where the sources of a round are the beacon and others: whoever reads balls out has then signed them in time. The arguments are those of
    `draw_record`.

    Raises:
        BundleError: the record fails a check or lacks signatures.
        InputError: no reading is to be made now, it is too early or too late, or the results are not those asked for; all faults at once.
    """
    before = Record.read(record)
    round_, when = before.rounds[-1].number, checked_time(time)
    faults = _draw_faults(before, round_, False)
    sources = before.declaration.sources(round_)
    if not faults and not needs_reading(sources):
        message = "a reading is made only where the beacon is a source beside others; here all results are given at the draw itself"
        faults.append(Fault("log-order", message, ""))
    if not faults and (there := before.rounds[-1].reading):
        message = f"balls, dice and lottery of round {round_} were read out in entry {there.sequence}; that is done once"
        faults.append(Fault("log-order", message, ""))
    if faults:
        raise InputError(faults)
    beacon = next(source for source in sources if source["kind"] == "drand")
    others = [source for source in sources if source is not beacon]
    faults = _early_faults(others, when)
    if seconds(when) >= source_time(beacon):
        message = (
            f"it is {when}, too late: the reading had to be signed before the {source_words(beacon)}, after which whoever reads could choose. "
            "This round can't be drawn; end the procedure, with the reason (klero abort)."
        )
        faults.append(Fault("too-late", message, "", value=when))
    found: list[dict[str, Any]] = []
    try:
        found = reveals(others, balls=balls, dice=dice, lottery=lottery)
    except InputError as error:
        faults += error.faults
    signing = read_keys(keys)
    faults += key_faults(signing, before.declaration)
    if faults:
        raise InputError(faults)
    body = {"reveals": found, "round": round_}
    return before.append("reading", body, keys=signing, time=when, dry_run=dry_run)


def is_for_reading(record: Place, *, drand: object) -> bool:
    """Whether what people give now is a reading before the beacon rather than a draw: the round needs both, and no beacon is given."""
    before = Record.read(record)
    last = before.rounds[-1]
    return (
        drand is None
        and last.draw is None
        and needs_reading(before.declaration.sources(last.number))
        and last.reading is None
    )


def withdraw(
    record: Place,
    *,
    persons: Sequence[str] = (),
    leaves: Sequence[str] = (),
    reason: str,
    keys: Sequence[SecretKey | Place] = (),
    time: str | None = None,
    dry_run: bool = False,
) -> Appended:
    """Enters that people withdrew. They are in no later round; their seats, if they have any, can be drawn anew.

    Args:
        record: the record's folder.
        persons: their ids; needs the sealed tier.
        leaves: their leaves in hexadecimal, in the place of ids.
        reason: one of `REASONS`; it is public.
        keys: private keys, or their files, that sign.
        time: when, in UTC; None: now.
        dry_run: check everything and write nothing.

    Raises:
        BundleError: the record fails a check, lacks signatures or was aborted.
        InputError: somebody is unknown, named twice or has withdrawn before, or the reason is none; all faults at once.
    """
    before = Record.read(record)
    faults: list[Fault] = []
    named = [leaf.lower() for leaf in leaves]
    called = {leaf: f"the leaf {leaf[:16]}…" for leaf in named}
    if persons:
        try:
            found = [before.leaves[i] for i in before.place_of(persons)]
        except InputError as error:
            faults += error.faults
        else:
            named += found
            called |= {leaf: quoted(person) for leaf, person in zip(found, persons, strict=True)}
    if reason not in REASONS:
        message = f"the reason {quoted(str(reason))} is none of {', '.join(REASONS)}. It is published, so there are no others."
        faults.append(Fault("reason-invalid", message, "", value=str(reason)))
    if not named and not faults:
        faults.append(Fault("withdrawal-none", "nobody is named who withdrew", ""))
    known = set(before.leaves)
    for leaf, times in sorted(Counter(named).items()):
        if leaf not in known:
            message = f"{quoted(leaf)} is no leaf of this record"
            faults.append(Fault("withdrawal-unknown", message, "", value=leaf))
        elif times > 1:
            message = f"{called[leaf]} is named {times} times"
            faults.append(Fault("withdrawal-duplicate", message, "", value=leaf))
        elif leaf in before.withdrawn:
            message = f"{called[leaf]} withdrew before; a withdrawal is entered once"
            faults.append(Fault("withdrawal-duplicate", message, "", value=leaf))
    if faults:
        raise InputError(faults)
    body = {"withdrawals": [[leaf, reason] for leaf in sorted(named)]}
    return before.append("withdrawals", body, keys=keys, time=time, dry_run=dry_run)


def abort(
    record: Place, *, reason: str, keys: Sequence[SecretKey | Place] = (), time: str | None = None
) -> Appended:
    """Ends the procedure for good: nothing can follow. The reason is public.

    Raises:
        BundleError: the record fails a check, lacks signatures or was aborted before.
        InputError: the reason is empty.
    """
    text = normalize("NFC", reason).strip() if isinstance(reason, str) else ""
    if not text:
        raise InputError(
            [Fault("reason-invalid", "an abort needs its reason, in words", "", value=str(reason))]
        )
    return Record.read(record).append("abort", {"reason": text}, keys=keys, time=time)


def sign(
    record: Place,
    keys: Sequence[SecretKey | Place],
    *,
    merge: Sequence[Place] = (),
    without_auditor: bool = False,
    time_checked: bool = False,
    dry_run: bool = False,
) -> Signed:
    """Adds the signatures of these keys to the last entry. The record is checked first.

    A guarantor can sign a copy (`write_tier` with `unsigned`), and hand back the entry's file, whose signatures are then taken over with `merge`.
    Entries that something follows, a time-stamp or another step, stay as they are.

    Args:
        record: the record's folder.
        keys: private keys, or their files.
        merge: files of the same entry, signed elsewhere; their signatures are added.
        without_auditor: sign a draw though this copy lacks the auditor tier, and so does not show that the panel is the one that the lottery gives.
        time_checked: sign an entry whose time is more than an hour from this machine's clock, since somebody looked and it is right.
        dry_run: check everything and write nothing.

    Raises:
        BundleError: the record fails a check (other than that signatures are missing), or is a ZIP; or a file to merge has a signature that does not hold.
        InputError: a key is none or is not declared, a file is of another entry, or a draw or a strange time would be signed unseen; all faults at once.
    """
    before = Record.read(record, unsigned=True)
    if not Path(before.place).is_dir():
        raise BundleError(
            f"{before.place} is no folder; signatures can't be put into a ZIP. Unpack it first."
        )
    signing = read_keys(keys)
    last = before.entries[-1]
    faults = key_faults(signing, before.declaration)
    if not signing and not merge and not dry_run:
        faults.append(Fault("key-invalid", "no key is given to sign with", ""))
    if signing and last.kind == "draw" and not before.has_auditor and not without_auditor:
        message = (
            f"entry {last.sequence} is a draw, and this copy has no folder auditor: nothing here shows that its panel is the one that the lottery gives, and "
            "whoever signs vouches for it. Ask for a copy with it (klero bundle RECORD --tier auditor --unsigned -o DIR), or say --without-auditor."
        )
        faults.append(Fault("sign-unseen", message, ""))
    clock = now()
    if signing and not time_checked and not dry_run and abs(seconds(last.time) - seconds(clock)) > _HOUR:
        message = (
            f"entry {last.sequence} says that it was made at {last.time}, and this machine's clock says {clock}. Whoever signs vouches for the time: if it is "
            "right all the same, say --time-checked."
        )
        faults.append(Fault("sign-unseen", message, "", value=last.time))
    more, name = last.signed(signing), entry_name(last.sequence)
    for file in merge:
        more, problems = _merged(more, file)
        faults += problems
    if faults:
        raise InputError(faults)
    after = Record.parse({**before.files, name: more.data}, before.place).confirmed()
    added = more.signatures != last.signatures
    if added and not dry_run:
        rewrite(before.place, name, more.data)
    return Signed(
        before.place,
        (last.sequence,) if added and not dry_run else (),
        before.head,
        after.unsigned,
        before.declaration["title"],
        more,
        tuple(check.name for check in after.checks if not check.checked),
    )


def _merged(entry: Entry, file: Place) -> tuple[Entry, list[Fault]]:
    """(the entry with the signatures of another file of it, why they can't be taken). Whether they hold, the record's checks say."""
    document = read_json(file, _ENTRY_LIMIT)
    try:
        other = parse_entry(canonical(document))
        theirs = dict(other.signatures)
    except (BundleError, ValueError, KeyError, TypeError, AttributeError):
        message = "this is no entry of a record; give the file entry-NNNN.json that came back signed."
        return entry, [Fault("json-invalid", message, os.fspath(file))]
    if other.payload != entry.payload:
        message = (
            f"this is not the record's last entry, {entry_name(entry.sequence)}: its content is another, and signatures under it say nothing about this one. "
            "Find out which of them was published before anything else."
        )
        return entry, [Fault("entry-differs", message, os.fspath(file))]
    return replace(entry, signatures=tuple(sorted({**theirs, **dict(entry.signatures)}.items()))), []


def free_seats(record: Record) -> int:
    """How many seats of the last panel are free, since those who had them withdrew. 0 before the first draw."""
    return len(record.draws[-1].body["panel"]) - len(record.panel) if record.draws else 0


def ids_of(record: Record, leaves: Sequence[str]) -> dict[str, str]:
    """The ids of people by leaf, as far as the record says them."""
    if "sealed/people.json" not in record.files:
        return {}
    number = {leaf: i for i, leaf in enumerate(record.leaves)}
    people = ((leaf, record.sealed[number[leaf]]) for leaf in leaves)
    return {leaf: person[0]["id"] for leaf, person in people if person}


def _read_before(record: Record, given: Sequence[object]) -> tuple[list[dict[str, Any]], list[Fault]]:
    """(what was read out before the beacon, what is wrong)."""
    reading = record.rounds[-1].reading
    if reading is None:
        message = (
            "balls, dice and lottery must be read out and signed before the beacon's round, in an entry of their own, and were not. "
            f"Enter them without --drand: klero draw {record.place} --balls …"
        )
        return [], [Fault("reveal-missing", message, "")]
    if any(value is not None for value in given):
        message = f"balls, dice and lottery were read out in entry {reading.sequence} and stand as they are there. Give --drand alone."
        return [], [Fault("reveal-invalid", message, "")]
    return list(reading.body["reveals"]), []


def _early_faults(sources: Sequence[Source], when: str) -> list[Fault]:
    return [
        Fault(
            "too-early",
            f"it is {when}, too early for the {source_words(source)}. Wait for it; nobody can know it before.",
            "",
            value=when,
        )
        for source in sources
        if seconds(when) < source_time(source)
    ]


def _draw_faults(before: Record, round_: int, fallback: bool) -> list[Fault]:
    faults = []
    drawn = before.rounds[-1].draw
    if before.abort:
        faults.append(Fault("log-order", "the procedure was aborted; nothing is drawn any more", ""))
    elif drawn:
        message = (
            f"round {round_} was drawn already (entry {drawn.sequence}, {drawn.time}); a round is drawn once. "
            "For free seats: klero withdraw, klero replace, klero commit, then draw again."
        )
        faults.append(Fault("log-order", message, ""))
    if fallback and (round_ or not before.declaration.document["fallback"]):
        message = (
            "no fallback was declared for this round"
            if not round_
            else "the fallback stands in for the first draw's beacon alone"
        )
        faults.append(Fault("reveal-invalid", message, ""))
    return faults
