"""What is in a record, and how does it grow without ever being rewritten?

A record (`docs/audit/protocol.md`) as an object: what its files say (`Record`), and the next signed step (`Record.append`), a new file each time. Only two
things are ever replaced: the last envelope by itself with more signatures, and a salt by nothing. How files come and go is
:mod:`klero.ledger.record_folder`'s business.

Guaranteed: nothing is appended to a record that fails a check or whose last entry lacks signatures, nor anything after which it would, or that would show a
person whom this copy knows. Two who append at once can't both get the same number, and nobody's step or signature is lost.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from unicodedata import normalize

from klero import _native
from klero.errors import BundleError, Fault, InputError, quoted
from klero.ledger.clock import now, seconds
from klero.ledger.declare import Declaration
from klero.ledger.entries import Entry, entry_name, new_entry, parse_entry
from klero.ledger.keys import SecretKey, read_secret_key
from klero.ledger.record_folder import Place, add_files, scan_record, settled
from klero.ledger.verify import Check, verify_record

__all__ = ["Appended", "Place", "Record", "Round", "checked_time", "key_faults", "read_keys"]

# While an entry lacks signatures, these two can't pass.
_UNSIGNED = frozenset(("signatures", "beacon"))
# Without these nothing of a record can be read with certainty.
_READ = ("files", "encoding", "declaration", "leaves", "log")


@dataclass(frozen=True)
class Appended:
    """A step that was added to a record.

    Attributes:
        record: the record's folder.
        entry: the entry.
        signers: the names of those who signed it.
        unsigned: how many signatures it still needs before anything can follow.
    """

    record: str
    entry: Entry
    signers: tuple[str, ...]
    unsigned: int

    @property
    def hash(self) -> str:
        """The entry hash in hexadecimal; now the head of the log."""
        return self.entry.hash


@dataclass(frozen=True)
class Round:
    """A round that was committed.

    Attributes:
        number: 0 for the first draw, else the place of its date in the calendar, from 1.
        commitment: the entry that committed it.
        draw: the entry of its draw; None until it is held.
        reading: the entry of what was read out before its beacon, if that was asked for and done.
    """

    number: int
    commitment: Entry
    draw: Entry | None
    reading: Entry | None = None


@dataclass(frozen=True, repr=False)
class Record:
    """A record, read and checked.

    Attributes:
        place: the folder or ZIP it was read from; '' if from neither.
        files: the bytes of its files by name, such as «public/declaration.json».
        checks: all checks that were made.
        unsigned: how many signatures the last entry still needs.
    """

    place: str
    files: Mapping[str, bytes]
    checks: tuple[Check, ...] = ()
    unsigned: int = 0

    @classmethod
    def read(cls, place: Place, *, unsigned: bool = False) -> Record:
        """Reads a record and asks all checks of it.

        Args:
            place: its folder or ZIP.
            unsigned: whether the last entry may still lack signatures (those there are must be good).

        Raises:
            BundleError: it is none, or a check fails; the check is named.
        """
        record = cls.open(place).confirmed()
        if record.unsigned and not unsigned:
            raise BundleError(_lacks(record.place, record.entries[-1], record.unsigned))
        return record

    @classmethod
    def open(cls, place: Place) -> Record:
        """Reads a record in which a check may fail: what can be told from it, `checks` says.

        Raises:
            BundleError: it is none: files, encoding, declaration, leaves or log are not those of a record.
        """
        files, problem = scan_record(place)
        if problem:
            raise BundleError(f"{os.fspath(place)} fails the check «files»: {problem}")
        return cls.parse(settled(files), os.fspath(place))

    @classmethod
    def parse(cls, files: Mapping[str, bytes], place: str = "") -> Record:
        """The same, from the files' bytes by name."""
        checks = verify_record(files).checks
        broken = next((check for check in checks if check.name in _READ and not check.ok), None)
        if broken:
            what = place or "the record"
            raise BundleError(f"{what} fails the check «{broken.name}»: {broken.detail}")
        return cls(place, files, checks)

    def confirmed(self) -> Record:
        """The record itself, with `unsigned` counted.

        Raises:
            BundleError: a check fails for another reason than that the last entry lacks signatures.
        """
        if not self.failed:
            return self
        check = next((check for check in self.failed if check.name not in _UNSIGNED), self.failed[0])
        name, detail = check.name, check.detail
        if name in _UNSIGNED:
            lacking, problem = self._signatures()
            if lacking and not problem:
                return replace(self, unsigned=lacking)
            name, detail = ("signatures", problem) if problem else (name, detail)
        raise BundleError(f"{self.place or 'the record'} fails the check «{name}»: {detail}")

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that fail."""
        return tuple(check for check in self.checks if check.bad)

    @cached_property
    def declaration(self) -> Declaration:
        """The rules."""
        return Declaration(json.loads(self.files["public/declaration.json"]))

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """One leaf a person, in hexadecimal, in order."""
        return tuple(self.files["public/leaves.txt"].decode().split())

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """The log, in order."""
        return tuple(parse_entry(data) for name, data in sorted(self.files.items()) if "/entry-" in name)

    @cached_property
    def rounds(self) -> tuple[Round, ...]:
        """The rounds that were committed, in order."""
        found = {(entry.kind, entry.body.get("round")): entry for entry in self.entries}
        numbers = [entry.body["round"] for entry in self.entries if entry.kind == "commitment"]
        return tuple(
            Round(n, found["commitment", n], found.get(("draw", n)), found.get(("reading", n)))
            for n in numbers
        )

    @cached_property
    def draws(self) -> tuple[Entry, ...]:
        """The draw of each round that was drawn, in order."""
        return tuple(entry for entry in self.entries if entry.kind == "draw")

    @cached_property
    def withdrawals(self) -> tuple[tuple[Entry, str, str], ...]:
        """(entry, leaf, reason) of everybody who withdrew, in order."""
        entries = (entry for entry in self.entries if entry.kind == "withdrawals")
        return tuple((entry, leaf, code) for entry in entries for leaf, code in entry.body["withdrawals"])

    @cached_property
    def withdrawn(self) -> Mapping[str, str]:
        """The reason by leaf of all who withdrew."""
        return {leaf: code for _entry, leaf, code in self.withdrawals}

    @cached_property
    def timestamps(self) -> tuple[tuple[int, int], ...]:
        """(number of the entry that is stamped, seconds since 1970) of each time-stamp that can be read."""
        found = []
        for entry in self.entries:
            if entry.kind == "timestamp":
                try:
                    _imprint, moment = _native.timestamp_read(base64.b64decode(entry.body["token"]))
                except BundleError:
                    continue  # the check `timestamps` says what is wrong with it
                found.append((int(entry.body["entry"]), moment))
        return tuple(found)

    @property
    def panel(self) -> tuple[str, ...]:
        """The leaves that hold a seat now: the last panel without those who withdrew since. Empty before the first draw."""
        seated = self.draws[-1].body["panel"] if self.draws else ()
        return tuple(leaf for leaf in seated if leaf not in self.withdrawn)

    @property
    def abort(self) -> Entry | None:
        """The entry that ended the procedure for good, if one did."""
        return self.entries[-1] if self.entries[-1].kind == "abort" else None

    @property
    def hash(self) -> str:
        """The hash that was to be published: that of the commitment of round 0."""
        return self.entries[0].hash

    @property
    def head(self) -> str:
        """The entry hash of the last entry."""
        return self.entries[-1].hash

    @property
    def has_auditor(self) -> bool:
        """Whether the auditor tier is there."""
        return "auditor/instance-0.json" in self.files

    def auditor(self, name: str, round_: int) -> dict[str, Any]:
        """`instance`, `pool`, `lottery` or `certificate` of a round.

        Raises:
            BundleError: this copy has not the auditor tier.
        """
        return dict(self._document(f"auditor/{name}-{round_}.json"))

    def _document(self, name: str) -> Any:
        if name not in self.files:
            tier, what = name.split("/", maxsplit=1)[0], self.place or "this copy of the record"
            raise BundleError(
                f"{what} has no {tier} tier, and {name} is needed here: use the organiser's whole record"
            )
        return json.loads(self.files[name])

    @cached_property
    def sealed(self) -> tuple[tuple[dict[str, str], str] | None, ...]:
        """(identity, salt) by leaf number; None where the salt was destroyed.

        Raises:
            BundleError: this copy has not the sealed tier.
        """
        people = self._document("sealed/people.json")["people"]
        return tuple((person[0], person[1]) if person else None for person in people)

    @cached_property
    def c_ids(self) -> tuple[str, ...]:
        """The commitment to each person's identity, in hexadecimal, by leaf number. Needs the auditor tier."""
        return tuple(row[0] for row in self.auditor("pool", 0)["openings"])

    @property
    def people(self) -> tuple[dict[str, str] | None, ...] | None:
        """The identity by leaf number (None where the salt was destroyed); None without the sealed tier."""
        if "sealed/people.json" not in self.files:
            return None
        return tuple(person[0] if person else None for person in self.sealed)

    @cached_property
    def ids(self) -> Mapping[str, int]:
        """The leaf number by id. Needs the sealed tier."""
        return {person[0]["id"]: i for i, person in enumerate(self.sealed) if person}

    def place_of(self, persons: Sequence[str]) -> list[int]:
        """The leaf numbers of people by their ids.

        Raises:
            InputError: nobody has such an id (any more); all faults at once.
        """
        faults = [
            Fault(
                "person-unknown",
                f"nobody in this record has the id {quoted(person)}: misspelt, or the salt was destroyed. Then name the leaf.",
                "",
                value=person,
            )
            for person in persons
            if normalize("NFC", person) not in self.ids
        ]
        if faults:
            raise InputError(faults)
        return [self.ids[normalize("NFC", person)] for person in persons]

    def append(
        self,
        kind: str,
        body: Mapping[str, Any],
        *,
        keys: Sequence[SecretKey | Place] = (),
        time: str | None = None,
        more: Mapping[str, bytes] | None = None,
        dry_run: bool = False,
    ) -> Appended:
        """Adds a step to the record on disk.

        Args:
            kind: one of `klero.ledger.entries.KINDS`.
            body: what was done.
            keys: private keys, or their files, of declared keys; others can sign later.
            time: when, in UTC; None: now.
            more: files of the auditor tier that come with it.
            dry_run: check everything and write nothing.

        Raises:
            InputError: a key is not declared, the time is none, goes back or is yet to come, or the step would publish what must stay secret.
            BundleError: the record is closed, a ZIP, would fail a check, or was changed by somebody else since it was read.
            OSError: the place can't be written.
        """
        if not Path(self.place).is_dir():
            raise BundleError(
                f"{self.place} is no folder; nothing is added to a ZIP. Unpack it, or use the organiser's folder."
            )
        if self.unsigned:
            raise BundleError(_lacks(self.place, self.entries[-1], self.unsigned))
        if self.abort:
            raise BundleError(
                f"the procedure of {self.place} was aborted in entry {len(self.entries)}; nothing follows an abort"
            )
        when = checked_time(time)
        signing = read_keys(keys)
        if faults := key_faults(signing, self.declaration):
            raise InputError(faults)
        entry = new_entry(kind, body, draw=self.declaration.draw, previous=self.entries[-1], time=when)
        entry = entry.signed(signing)
        files = {**self.files, **(more or {}), entry_name(entry.sequence): entry.data}
        after = Record.parse(files, self.place).confirmed()
        _refuse_leaks(after, entry)
        if not dry_run:
            add_files(self.place, self.files, {**(more or {}), entry_name(entry.sequence): entry.data})
        names, _problem = entry.signers(self.declaration.document["keys"])
        return Appended(self.place, entry, tuple(names), after.unsigned)

    def _signatures(self) -> tuple[int, str]:
        """(how many signatures the last entry still needs, what else is wrong with signatures, its beacon's included)."""
        declared = self.declaration.document
        lacking = 0
        for entry in self.entries:
            _names, problem = entry.signers(declared["keys"])
            if not problem and lacking:
                problem = (
                    f"entry {entry.sequence - 1} needs {lacking} more signatures, and something follows it"
                )
            if problem:
                return lacking, problem
            lacking = entry.lacking(declared["keys"], declared["threshold"])
        # The check `beacon` waits for signatures; nobody should be asked to sign after a beacon that does not verify.
        for draw in self.draws:
            for reveal in draw.body["reveals"]:
                if reveal["kind"] == "drand" and not self._beacon_good(draw, reveal):
                    return lacking, f"the beacon's own signature in entry {draw.sequence} does not verify"
        return lacking, ""

    def _beacon_good(self, entry: Entry, reveal: Mapping[str, Any]) -> bool:
        sources = self.declaration.sources(entry.body["round"], fallback=entry.body["fallback"] == "yes")
        chain = next(source["chain"] for source in sources if source["kind"] == "drand")
        signature, before = bytes.fromhex(reveal["signature"]), bytes.fromhex(reveal["previous_signature"])
        return _native.beacon_verify(chain, reveal["round"], before, signature)

    def __repr__(self) -> str:
        closed = ", aborted" if self.abort else ""
        return (
            f"<Record {self.declaration.draw}: {len(self.leaves)} people, {len(self.entries)} entries, "
            f"{len(self.draws)} draws{closed}, head {self.head[:12]}…>"
        )


def checked_time(time: str | None) -> str:
    """The time given, or now. InputError if it is none of a record, or is yet to come: an entry says what was done."""
    clock = now()
    if time is None:
        return clock
    if seconds(time) > seconds(clock):
        message = (
            f"the time {time} is yet to come: this machine's clock says {clock}. An entry can't be taken back, and none can have an earlier time after it. "
            "Correct the time, or the clock."
        )
        raise InputError([Fault("time-order", message, "", value=time)])
    return time


def _refuse_leaks(record: Record, entry: Entry) -> None:
    """Raises before a step is written that would show a person, as far as this copy knows who they are."""
    if "sealed/people.json" in record.files:
        from klero.ledger.tiers import leaks

        name = entry_name(entry.sequence)
        if found := [fault for fault in leaks(record, secrets_in=(name,)) if fault.file == name]:
            raise InputError(found)


def read_keys(keys: Sequence[SecretKey | Place]) -> list[SecretKey]:
    """Private keys from their files; those given as keys stay.

    Raises:
        InputError: a file is no such key; all faults at once.
    """
    found: list[SecretKey] = []
    faults: list[Fault] = []
    for key in keys:
        try:
            found.append(key if isinstance(key, SecretKey) else read_secret_key(key))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return found


def key_faults(keys: Iterable[SecretKey], declaration: Declaration) -> list[Fault]:
    """Keys that sign and are not declared."""
    declared = {key["key"]: key["name"] for key in declaration.document["keys"]}
    names = ", ".join(declared.values())
    return [
        Fault(
            "key-unknown",
            f"this key is not one of those declared, which are of {names}. Sign with one of these.",
            key.file,
            value=key.public.key,
        )
        for key in keys
        if key.public.key not in declared
    ]


def _lacks(place: str, entry: Entry, lacking: int) -> str:
    how = f"{lacking} more signature{'' if lacking == 1 else 's'}"
    return (
        f"{place}: entry {entry.sequence} ({entry.kind}) still needs {how}. Add them first: klero sign {place} --key FILE. "
        f"If it is wrong: an entry that too few have signed is not in force; move {entry_name(entry.sequence)} "
        "out of the record, keep it with a note why, and enter it anew"
    )
