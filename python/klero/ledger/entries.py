"""What was done, in which order, and who signed it?

One step of a draw is one file: a DSSE envelope (payload and signatures) in canonical JSON, as `docs/audit/protocol.md` sets it out. Each payload holds the
hash of the one before; signatures are over the payload and may be added later, since keys need not be on one machine.

Guaranteed: the same step and key give the same bytes. Whether a log is in order is for the checks to say (`klero verify`).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from klero import _native
from klero.errors import Fault, InputError, quoted
from klero.ledger.canonical import canonical
from klero.ledger.keys import SecretKey

__all__ = ["KINDS", "Entry", "entry_name", "new_entry", "parse_entry"]

PAYLOAD_TYPE = "application/vnd.klero.entry+json"
KINDS = ("abort", "commitment", "draw", "reading", "timestamp", "withdrawals")
MOST_ENTRIES = 999


@dataclass(frozen=True)
class Entry:
    """A step of a record.

    Attributes:
        payload: its canonical bytes, which are what is signed.
        signatures: (key id, signature of 64 bytes), sorted.
    """

    payload: bytes
    signatures: tuple[tuple[str, bytes], ...] = ()

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """What the payload says."""
        document: dict[str, Any] = json.loads(self.payload)
        return document

    @property
    def sequence(self) -> int:
        """Its number in the log, from 1."""
        return int(self.document["sequence"])

    @property
    def keyids(self) -> tuple[str, ...]:
        """The ids of the keys whose signatures it bears, rising."""
        return tuple(keyid for keyid, _signature in self.signatures)

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return str(self.document["kind"])

    @property
    def time(self) -> str:
        """When, in UTC."""
        return str(self.document["time"])

    @property
    def body(self) -> Mapping[str, Any]:
        """What was done."""
        body: Mapping[str, Any] = self.document["body"]
        return body

    @cached_property
    def hash(self) -> str:
        """The entry hash in hexadecimal: of the first commitment, it is the one to publish."""
        return _native.record_entry_hash(self.payload).hex()

    @property
    def data(self) -> bytes:
        """The bytes of its file."""
        signatures = [{"keyid": k, "sig": base64.b64encode(s).decode()} for k, s in self.signatures]
        payload = base64.b64encode(self.payload).decode()
        return canonical({"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": signatures})

    def signed(self, keys: Iterable[SecretKey]) -> Entry:
        """The entry with the signatures of these keys too; one that is there stays as it is."""
        there = dict(self.signatures)
        message = _native.dsse_pae(self.payload)
        for key in keys:
            if key.public.keyid not in there:
                there[key.public.keyid] = key.sign(message)
        return replace(self, signatures=tuple(sorted(there.items())))

    def signers(self, keys: Sequence[Mapping[str, str]]) -> tuple[list[str], str]:
        """(names of the declared keys that signed, what is wrong with the signatures; '' if nothing is)."""
        known = {_keyid(key["key"]): key for key in keys}
        message = _native.dsse_pae(self.payload)
        names: list[str] = []
        for keyid, signature in self.signatures:
            if keyid not in known:
                return (
                    names,
                    f"entry {self.sequence} has a signature of a key that is not declared ({keyid[:16]}…)",
                )
            key = known[keyid]
            if not _native.ed25519_verify(bytes.fromhex(key["key"]), message, signature):
                return (
                    names,
                    f"in entry {self.sequence} the signature of {quoted(key['name'])} does not verify",
                )
            names.append(key["name"])
        return names, ""

    def lacking(self, keys: Sequence[Mapping[str, str]], threshold: int) -> int:
        """How many signatures it still needs: up to the threshold, one of them of somebody who is not the organiser."""
        roles = [key["role"] for key in keys if _keyid(key["key"]) in self.keyids]
        outside = any(role != "organiser" for role in roles)
        return max(threshold - len(roles), 0 if outside else 1)


def entry_name(number: int) -> str:
    """The name of an entry's file in a record."""
    return f"public/entry-{number:04}.json"


def parse_entry(data: bytes) -> Entry:
    """An entry from the bytes of its file, which must have passed the check `encoding`."""
    envelope = json.loads(data)
    signatures = tuple((s["keyid"], base64.b64decode(s["sig"])) for s in envelope["signatures"])
    return Entry(base64.b64decode(envelope["payload"]), signatures)


def new_entry(kind: str, body: Mapping[str, Any], *, draw: str, previous: Entry | None, time: str) -> Entry:
    """The entry that comes after `previous` (None: the first), without signatures.

    Raises:
        InputError: the log is full, or the time is before that of the entry before.
    """
    number = previous.sequence + 1 if previous else 1
    faults = []
    if number > MOST_ENTRIES:
        faults.append(
            Fault("log-order", f"a record holds at most {MOST_ENTRIES} entries; this one is full", "")
        )
    if previous and time < previous.time:
        message = f"the time {time} is before that of entry {previous.sequence}, {previous.time}. Times never go back: correct it, or the clock."
        faults.append(Fault("time-order", message, "", value=time))
    if faults:
        raise InputError(faults)
    document = {
        "body": body,
        "draw": draw,
        "format": "klero-entry/1",
        "kind": kind,
        "previous": previous.hash if previous else "",
        "sequence": number,
        "time": time,
    }
    return Entry(canonical(document))


def _keyid(key: str) -> str:
    return hashlib.sha256(bytes.fromhex(key)).hexdigest()
