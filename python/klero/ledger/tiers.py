"""What may everybody see, and does anything in it tell who is who?

The tiers of a record, to be handed on as a folder or as the one ZIP there is of it. Before a public tier is written, it is scanned against an *allow
list*: each file, each field and each value must be one that the protocol puts there and that follows from what is public; in free text and in feature values no
id and no full name of a person may stand. Then, to be sure, every byte, decoded envelopes included, is searched for the record's secrets.

Guaranteed, as far as the copy that is scanned holds what is secret: no identity, salt, blind, tag or opening in the public tier, and no count of fewer than
ten people in the histogram. Not guaranteed: what somebody who knows a person's salt, or the auditor's tier, can tell; and free text that describes a
person without their id. An id of four digits or fewer can't be told from any other number, and is not looked for in texts.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any
from unicodedata import combining, normalize

from klero._files import check_file, check_inputs, write_file
from klero.errors import BundleError, Fault, InputError, quoted
from klero.ledger.archive import pack
from klero.ledger.record import Place, Record
from klero.ledger.record_folder import TIERS, check_record_place, write_record
from klero.ledger.steps import REASONS
from klero.ledger.verify import Verification, verify_record

__all__ = ["leaks", "looked_for", "tier_files", "write_tier"]

LEAST_CELL = 10
# An id of digits alone, shorter than this, can't be told from any other number in a text.
_LEAST_DIGITS = 5
_HEX32 = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"\w")


def tier_files(files: Mapping[str, bytes], tier: str) -> dict[str, bytes]:
    """The files of a tier: public alone, with the auditor's, or all.

    Raises:
        InputError: there is no such tier.
        BundleError: the record lacks it.
    """
    if tier not in TIERS:
        message = f"there is no tier {quoted(str(tier))}; there are {', '.join(TIERS)}"
        raise InputError([Fault("option-range", message, "", value=str(tier))])
    wanted = TIERS[: TIERS.index(tier) + 1]
    if not any(name.startswith(f"{tier}/") for name in files):
        raise BundleError(f"this copy of the record has no {tier} tier")
    return {name: data for name, data in files.items() if name.split("/")[0] in wanted}


def write_tier(
    record: Place, tier: str, output: Place, *, force: bool = False, unsigned: bool = False
) -> Verification:
    """Writes a tier of a record, verified, to a folder or (a name that ends with .zip) to its ZIP.

    Args:
        record: the record, all tiers if the public one is asked for: the scan needs to know what is secret.
        tier: «public», «auditor» or «sealed».
        output: where it goes.
        force: replace a ZIP that is there. A folder never is.
        unsigned: also where the last entry lacks signatures: a copy for those who are to sign it, on which nothing else may fail.

    Returns:
        The checks of what was written.

    Raises:
        BundleError: the record fails a check, lacks signatures or lacks a tier.
        InputError: the public tier would show what must stay secret; all places at once.
        OutputExistsError: something is there.
    """
    check_inputs(output, (record,))
    archive = os.fspath(output).lower().endswith(".zip")
    if archive:
        check_file(output, force=force)
    else:
        check_record_place(output)
    whole = Record.read(record, unsigned=unsigned)
    files = tier_files(whole.files, tier)
    if tier == "public":
        if "sealed/people.json" not in whole.files:
            message = (
                "has no sealed tier, so nothing tells whether its public files name somebody, and no public tier is made from it. "
                "Use the organiser's whole record. Nothing was written."
            )
            raise BundleError(f"{os.fspath(record)} {message}")
        if found := leaks(whole):
            raise InputError(found)
    result = verify_record(files)
    if unsigned:
        Record.parse(files, os.fspath(record)).confirmed()
    else:
        result.raise_if_failed()
    if archive:
        write_file(output, pack(files), force=force, secret=tier != "public")
    else:
        write_record(output, files)
    return result


def leaks(record: Record, *, secrets_in: Collection[str] | None = None) -> list[Fault]:
    """What in the public tier of a record must not be there, one fault a place. It knows as secret what this copy's other tiers hold (`looked_for`).

    Args:
        record: the record, all tiers.
        secrets_in: the names of the files whose bytes are searched for salts, openings, tags and blinds; None: all.
    """
    files = tier_files(record.files, "public")
    found = [*_structure_leaks(record), *_histogram_leaks(record), *_named_people(record)]
    secrets = _secrets(record)
    for name, data in files.items():
        if secrets_in is not None and name not in secrets_in:
            continue
        texts = [data] if name == "public/leaves.txt" else [data, *_payloads(record, name)]
        for text in texts:
            for kind, runs in secrets.items():
                if any(run in runs for run in _hex_runs(text)):
                    found.append(_leak(name, f"it holds {kind}"))
    return list(dict.fromkeys(found))


def looked_for(record: Record) -> str:
    """In words: what `leaks` looks for in this copy of a record, and what it can't look for."""
    people = _people(record)
    known = sum(person is not None for person in people)
    short = _NameScan(record).passed_over
    text = (
        f"Looked for in titles, names, features and reasons: of {known} of {len(record.leaves)} people, the ids and what else their identities say, "
        "as whole words, in any case, with or without accents (beside ids, names of several words in either order, "
        "and other texts of several words that nobody else has). "
        "Looked for in every byte: their salts, and the openings, tags and blinds of the auditor tier."
    )
    if len(record.leaves) > known:
        forgotten = len(record.leaves) - known
        text += f" Not looked for: {forgotten} {'person' if forgotten == 1 else 'people'} whom this copy does not know (any more)."
    if short:
        number = "a number" if short == 1 else f"{short} numbers"
        text += f" Not looked for either: {number} of fewer than {_LEAST_DIGITS} digits in identities, which can't be told from any other."
    return text


def _named_people(record: Record) -> list[Fault]:
    """Where free text names somebody of the pool, one fault a place."""
    names = _NameScan(record)
    return [
        _leak(file, f"{path} holds the id or the name of a person ({quoted(text)})")
        for file, path, text in _free_texts(record)
        if names.finds(text)
    ]


def _structure_leaks(record: Record) -> Iterator[Fault]:
    """Files, fields and values that are none of the protocol's. The checks have read the same; this list is another, written for its purpose."""
    declared = dict.fromkeys(
        ("algorithm", "draw", "format", "objective", "organiser", "protocol", "question", "title"), str
    )
    whole = (
        "denominator",
        "household",
        "must_sit",
        "notice",
        "people",
        "sequence",
        "size",
        "threshold",
        "tolerance",
    )
    shape = {
        **declared,
        **dict.fromkeys(whole, int),
        **dict.fromkeys(("calendar", "fallback", "features", "keys", "sources"), list),
    }
    file = "public/declaration.json"
    for name, value in record.declaration.document.items():
        if name not in shape or type(value) is not shape[name]:
            yield _leak(file, f"the field {quoted(name)} has no place there")
    leaves = set(record.leaves)
    for entry in record.entries:
        file = f"public/entry-{entry.sequence:04}.json"
        for path, value in _values(entry.body):
            if not _allowed(entry.kind, path, value, leaves):
                yield _leak(file, f"{'.'.join(map(str, path))} has no place there: {quoted(str(value))}")


def _allowed(kind: str, path: tuple[str | int, ...], value: object, leaves: set[str]) -> bool:
    """Whether a value may stand at a place of an entry's body."""
    top, whole = str(path[0]), type(value) is int
    is_hash = isinstance(value, str) and bool(_HEX32.fullmatch(value))
    if kind == "commitment":
        if top in ("auditor", "declaration", "leaves"):
            return len(path) == 1 and is_hash
        if top == "loosened":
            return len(path) == 3 and (isinstance(value, str) if path[2] in (0, 1) else whole)
        if top == "summary":
            return path[1] == "level" or (path[1] in ("gap", "histogram", "people") and whole)
        return top == "round" and whole
    if kind in ("draw", "reading"):
        if top == "panel":
            return value in leaves
        if top == "reveals":
            return str(path[2]) in ("digits", "kind", "numbers", "previous_signature", "round", "signature")
        return (
            (top in ("position", "rejected", "round") and whole)
            or (top == "seed" and is_hash)
            or (top == "fallback" and value in ("no", "yes"))
        )
    if kind == "withdrawals":
        return top == "withdrawals" and (value in leaves if path[-1] == 0 else value in REASONS)
    if kind == "timestamp":
        return (top == "entry" and whole) or (top == "token" and isinstance(value, str))
    return kind == "abort" and top == "reason" and isinstance(value, str)


def _histogram_leaks(record: Record) -> Iterator[Fault]:
    for entry in (round_.commitment for round_ in record.rounds):
        for low, high, people in entry.body["summary"]["histogram"]:
            if people < LEAST_CELL:
                message = f"the histogram's cell from {low} to {high} % holds {people} people, fewer than {LEAST_CELL}"
                yield _leak(f"public/entry-{entry.sequence:04}.json", message)


class _NameScan:
    """Looks for the ids of people, as words of their own, in any case and with or without accents.

    Of what else an identity says, for a `name` of several words, surname first or last, and for other texts of several words that one person alone has,
    such as an address. A single word («Rose», a town) can't be told from any other.
    """

    def __init__(self, record: Record) -> None:
        people = [person[0] for person in _people(record) if person]
        others = Counter(
            _folded(value) for person in people for field, value in person.items() if field != "id"
        )
        texts = {_folded(person["id"]) for person in people}
        texts |= {text for text, count in others.items() if count == 1 and len(text.split()) > 1}
        names = [words for person in people if len(words := _folded(person.get("name", "")).split()) > 1]
        texts |= {" ".join(words) for words in names} | {" ".join(words[::-1]) for words in names}
        self._ids = {
            text for text in texts if not (text.isdigit() and len(text) < _LEAST_DIGITS) and text.strip()
        }
        self.passed_over = len({text for text in texts if text.strip()}) - len(self._ids)
        self._lengths = sorted({len(text) for text in self._ids})

    def finds(self, text: str) -> bool:
        line = _folded(text)
        starts = [
            i for i in range(len(line)) if not (i and _WORD.match(line[i - 1]) and _WORD.match(line[i]))
        ]
        return any(
            line[i : i + n] in self._ids
            and not (line[i + n : i + n + 1] and _WORD.match(line[i + n]) and _WORD.match(line[i + n - 1]))
            for i in starts
            for n in self._lengths
            if i + n <= len(line)
        )


def _folded(text: str) -> str:
    """Without accents and case, as names are often written in titles."""
    return "".join(c for c in normalize("NFKD", text) if not combining(c)).casefold()


def _people(record: Record) -> tuple[tuple[dict[str, str], str] | None, ...]:
    """Identities and salts, as far as this copy has them."""
    return record.sealed if "sealed/people.json" in record.files else ()


def _free_texts(record: Record) -> Iterator[tuple[str, str, str]]:
    """(file, place, text) of all that people wrote."""
    file, said = "public/declaration.json", record.declaration.document
    for name in ("title", "organiser", "question", "draw"):
        yield file, name, said[name]
    for key in said["keys"]:
        yield file, "keys", key["name"]
    for feature in said["features"]:
        yield file, "features", feature["name"]
        for cell in feature["values"]:
            yield file, f"features, {feature['name']}", cell["value"]
    for sources in (said["sources"], *said["calendar"]):
        for source in sources:
            for draw in source.get("draws", ()):
                yield file, "sources", draw["name"]
    for entry in record.entries:
        if entry.kind == "abort":
            yield f"public/entry-{entry.sequence:04}.json", "reason", entry.body["reason"]


def _secrets(record: Record) -> dict[str, set[str]]:
    """Texts that must not occur, by what they are."""
    found = {"the salt of a person": {person[1] for person in _people(record) if person}}
    for name in record.files:
        if name.startswith("auditor/pool-"):
            pool = json.loads(record.files[name])
            for c_id, k_type, tag in pool["openings"]:
                found.setdefault("the opening of a person", set()).update((c_id, k_type))
                found.setdefault("a tag of somebody's home", set()).update([tag] if tag else [])
        if name.startswith("auditor/instance-"):
            found.setdefault("a blind", set()).add(json.loads(record.files[name])["blind"])
    return found


def _hex_runs(data: bytes) -> Iterator[str]:
    """Each run of 32 or of 64 hexadecimal digits in some bytes, in any case, also within longer ones; in lower case."""
    for match in re.finditer(rb"[0-9A-Fa-f]{32,}", data):
        run = match[0].decode().lower()
        for length in (32, 64):
            yield from (run[i : i + length] for i in range(len(run) - length + 1))


def _payloads(record: Record, name: str) -> list[bytes]:
    return [entry.payload for entry in record.entries if name == f"public/entry-{entry.sequence:04}.json"]


def _values(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """(place, value) of everything in a document that is no list or object."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _values(inner, (*path, name))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _values(inner, (*path, i))
    else:
        yield path, value


def _leak(file: str, message: str) -> Fault:
    return Fault("leak", f"{message}. It would be public for good; nothing was written.", file)
