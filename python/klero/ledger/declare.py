"""What is fixed before anybody knows the outcome?

The declaration of a draw (`docs/audit/protocol.md`): question, quotas, number of people, where the randomness comes from and when, the dates of
replacement rounds, and the keys of those who vouch for it. It is written for one lottery (`declare`), can be changed by hand in any
spelling of JSON, and is held against the lottery when that is committed (`read_declaration`, `disagreements`).

Guaranteed: all faults are told at once, and what is accepted has one canonical spelling. Not guaranteed: that the dates are wise or the keys in
different hands; that is for those who publish it. Cost: nothing to speak of.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import ceil
from pathlib import Path
from typing import Any
from unicodedata import is_normalized, normalize

from klero import _native
from klero._files import read_file
from klero.errors import BundleError, Fault, InputError, quoted
from klero.ledger.canonical import canonical, check_depth
from klero.ledger.clock import written
from klero.ledger.folder import read_bundle
from klero.ledger.keys import PublicKey, read_public_key
from klero.ledger.sources import Source, source_time, sources_faults, within
from klero.ledger.verify import verify_files
from klero.sortition.rules import MUST_SIT, RULE_FEATURES

__all__ = [
    "ROLES",
    "Declaration",
    "declare",
    "declared_features",
    "disagreements",
    "gap_faults",
    "read_declaration",
    "read_json",
    "usual_tolerance",
]

FORMAT = "klero-record/1"
PROTOCOL = "klero-draw/1"
ROLES = ("guarantor", "organiser", "witness")
LEAST_NOTICE, MOST_NOTICE = 86400, 31536000
MOST_TOLERANCE = 10**9
MOST_KEYS = 10
KEY_COUNT = f"keys: 2 to {MOST_KEYS} are needed, of different people, such as the organiser and a guarantor."
_ID = re.compile(r"[a-z0-9-]{1,60}")
_HEX = re.compile(r"[0-9a-f]{64}")
_LIMIT = 64 << 20
_MOST_CALENDAR = 99
# What a declaration takes from the lottery as it is.
_TAKEN = ("algorithm", "denominator", "household", "objective", "people", "size")
_FIELDS = frozenset(
    (
        *_TAKEN,
        *("calendar", "draw", "fallback", "features", "format", "keys", "must_sit", "notice", "organiser"),
        *("protocol", "question", "sequence", "sources", "threshold", "title", "tolerance"),
    )
)


@dataclass(frozen=True)
class Declaration:
    """A declaration, in order and agreeing with itself.

    Attributes:
        document: its fields, as the protocol names them.
    """

    document: Mapping[str, Any]

    @cached_property
    def data(self) -> bytes:
        """Its canonical bytes, as they stand in a record."""
        return canonical(self.document)

    @property
    def draw(self) -> str:
        """The draw's short name."""
        return str(self.document["draw"])

    def __getitem__(self, name: str) -> Any:
        """One of its fields."""
        return self.document[name]

    def sources(self, round_: int, *, fallback: bool = False) -> list[Source]:
        """The sources of a round; with `fallback` the one that stands in for the drand round of round 0."""
        found: list[Source] = self.document["calendar"][round_ - 1] if round_ else self.document["sources"]
        if not fallback:
            return found
        return [self.document["fallback"][0] if source["kind"] == "drand" else source for source in found]

    def explain(self, lang: str = "en") -> str:
        """In words: what is fixed. `lang`: «en» or «fr»."""
        from klero.ledger.declaration_words import declaration_words

        return "\n".join(declaration_words(self, lang))


def declare(
    bundle: str | os.PathLike[str],
    *,
    draw: str,
    title: str,
    organiser: str,
    sources: Sequence[Source],
    keys: Sequence[tuple[str, str | os.PathLike[str] | PublicKey]],
    threshold: int = 2,
    question: str = "",
    sequence: int = 1,
    notice: int = LEAST_NOTICE,
    tolerance: int | None = None,
    calendar: Sequence[Sequence[Source]] = (),
    fallback: Source | None = None,
) -> Declaration:
    """Writes the declaration of a public draw for a lottery.

    Args:
        bundle: the lottery's folder. Quotas, people, size and notion of fairness are taken from it.
        draw: the draw's short name: 1 to 60 of a–z, 0–9 and «-».
        title: what the draw is called.
        organiser: who holds it.
        sources: where the randomness of the first draw comes from (:mod:`klero.ledger.sources`).
        keys: (role, public key or its file) of each of 2 to 10 who sign; roles are `ROLES`, and not all are organisers.
        threshold: how many of them must sign each step, 2 or more; one of them must not be an organiser.
        question: the question put to the panel; may be empty.
        sequence: the number of this draw among the organiser's, from 1.
        notice: seconds between the commitment and the first randomness, from one day to one year.
        tolerance: the most that the certificate's gap may be in any round, in millionths, 0 to 10^9; None: `usual_tolerance` of this lottery.
        calendar: the sources of each replacement round that there may be, in order.
        fallback: a later round of the other drand chain, should the declared one never come.

    Raises:
        BundleError: the bundle fails a check.
        InputError: an option can't be declared; all faults at once.
    """
    files = _lottery_files(bundle)
    named, faults = _keys(keys)
    rules = json.loads(files["declaration.json"])
    document = {
        **{name: rules[name] for name in _TAKEN},
        "calendar": [_ordered(found) for found in calendar],
        "draw": draw,
        "fallback": [] if fallback is None else [fallback],
        "features": declared_features(rules),
        "format": FORMAT,
        "keys": sorted(named, key=lambda key: key["key"]),
        "must_sit": _must_sit(rules),
        "notice": notice,
        "organiser": _text(organiser),
        "protocol": PROTOCOL,
        "question": _text(question),
        "sequence": sequence,
        "sources": _ordered(sources),
        "threshold": threshold,
        "title": _text(title),
        "tolerance": usual_tolerance(_gap(files)) if tolerance is None else tolerance,
    }
    # Whose key can't be read is told; that fewer are left is no fault of its own.
    faults += [f for f in _form_faults(document, "") if not (faults and f.message == KEY_COUNT)]
    if faults:
        raise InputError(faults)
    return Declaration(document)


def usual_tolerance(gap: int) -> int:
    """A tolerance for a lottery whose gap is `gap` millionths: room for the rounds after it, and a round figure.

    The smallest of 1, 2, 5, 10, 20, … that is twice the gap or more, and a hundred at least (a hundredth of a percent of a chance).

    >>> [usual_tolerance(gap) for gap in (0, 4, 50, 51, 3000)]
    [100, 100, 100, 200, 10000]
    """
    figures = (figure * 10**power for power in range(10) for figure in (1, 2, 5))
    return next((figure for figure in figures if figure >= max(100, 2 * gap)), MOST_TOLERANCE)


def _gap(files: Mapping[str, bytes]) -> int:
    """The gap of a bundle's certificate in millionths, rounded up."""
    return ceil(Fraction(json.loads(files["certificate.json"])["gap"]) * 10**6)


def gap_faults(said: Declaration, files: Mapping[str, bytes]) -> list[Fault]:
    """Whether a bundle's gap is more than was declared."""
    gap, most = _gap(files), said["tolerance"]
    if gap <= most:
        return []
    message = (
        f"the certificate's gap is {gap} millionths, and at most {most} were declared (tolerance). A first draw: declare more, or make the lottery with "
        "more balls. A replacement round: this lottery can't be committed; end the procedure, with the reason (klero abort)."
    )
    return [Fault("declaration-differs", message, "", value=str(gap))]


def read_declaration(path: str | os.PathLike[str]) -> Declaration:
    """A declaration from a file in any spelling of JSON.

    Raises:
        InputError: it is not there, is no JSON, or something in it can't be declared; all faults at once.
    """
    name = os.fspath(path)
    document = read_json(path, _LIMIT)
    if not isinstance(document, dict):
        raise InputError([Fault("declaration-invalid", "a declaration is one JSON object.", name)])
    faults = []
    if str(document.get("format", "")).startswith("klero-bundle/"):
        message = "this is the bundle's own declaration.json, its rules alone. Give the one that klero declare wrote."
        raise InputError([Fault("declaration-invalid", message, name)])
    if missing := sorted(_FIELDS - set(document)):
        faults.append(Fault("declaration-invalid", f"these fields are missing: {', '.join(missing)}.", name))
    if strange := sorted(set(document) - _FIELDS):
        shown = ", ".join(map(quoted, strange))
        faults.append(Fault("declaration-invalid", f"these fields are none of a declaration: {shown}.", name))
    faults += _form_faults(document, name)
    if faults:
        raise InputError(faults)
    try:
        canonical(document)
    except BundleError as error:
        raise InputError([Fault("declaration-invalid", error.message, name)]) from None
    return Declaration(document)


def disagreements(declaration: Declaration, rules: Mapping[str, Any]) -> list[Fault]:
    """Where a declaration says other than a lottery's rules (declaration.json of its bundle), one fault each."""
    said = declaration.document
    real = {**{name: rules[name] for name in _TAKEN}, "must_sit": _must_sit(rules)}
    faults = [
        _differs(f"{name} is {said[name]!r} in the declaration and {value!r} in the lottery")
        for name, value in sorted(real.items())
        if said[name] != value
    ]
    declared, used = _cells(said["features"]), _cells(declared_features(rules))
    for cell in sorted(set(declared) | set(used)):
        before, after = declared.get(cell), used.get(cell)
        if before == after:
            continue
        name = f"the quota of {quoted(cell[0])}, {quoted(cell[1])}"
        if before is None or after is None:
            where = (
                "the lottery, not in the declaration"
                if before is None
                else "the declaration, not in the lottery"
            )
            faults.append(_differs(f"{name} stands in {where}"))
        else:
            faults.append(
                _differs(f"{name} is {_range(before)} in the declaration and {_range(after)} in the lottery")
            )
    return faults


def declared_features(rules: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The features of a bundle's or an instance's rules, without those that stand for households and people who must sit."""
    return [feature for feature in rules["features"] if feature["name"] not in RULE_FEATURES]


def read_json(path: str | os.PathLike[str], most: int) -> Any:
    """What a JSON file of at most `most` bytes holds. Floats, truth values, null and keys that stand twice have no place in a record.

    Raises:
        InputError: the file is not there, is too large, or is no such JSON; the message says where it stops being so.
    """
    name = os.fspath(path)
    data = read_file(path, most)
    try:
        check_depth(data)
        return json.loads(
            data.decode("utf-8-sig"),
            parse_float=_no_float,
            parse_constant=_no_float,
            object_pairs_hook=_no_twins,
        )
    except _RefusedError as refused:
        reason = str(refused)
    except json.JSONDecodeError as error:
        reason = f"it stops being JSON in line {error.lineno}, character {error.colno} ({error.msg})"
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 text (byte {error.start})"
    except RecursionError:
        reason = "it is nested too deeply"
    except ValueError:  # an integer of more digits than Python reads
        reason = "it holds a number that is far too long"
    raise InputError([Fault("json-invalid", f"the file can't be used: {reason}.", name)])


class _RefusedError(Exception):
    pass


def _no_float(text: str) -> None:
    raise _RefusedError(f"the number {text[:40]} is not whole; write whole numbers")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _value in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise _RefusedError(
            f"the key {quoted(twin)} stands twice in one object; which one holds can't be told"
        )
    return document


def _lottery_files(bundle: str | os.PathLike[str]) -> dict[str, bytes]:
    files = read_bundle(bundle)
    verify_files(files).raise_if_failed()
    return files


def _keys(
    keys: Sequence[tuple[str, str | os.PathLike[str] | PublicKey]],
) -> tuple[list[dict[str, str]], list[Fault]]:
    named: list[dict[str, str]] = []
    faults: list[Fault] = []
    for role, given in keys:
        key: PublicKey | None = given if isinstance(given, PublicKey) else None
        if key is None:
            try:
                key = read_public_key(given)  # type: ignore[arg-type]
            except InputError as error:
                faults += error.faults
                continue
        name = key.name or ("" if isinstance(given, PublicKey) else Path(given).stem)
        named.append({"key": key.key, "name": _text(name), "role": role})
    return named, faults


def _text(text: str) -> str:
    """A text of an option in the one form that Unicode has for it."""
    return normalize("NFC", text).strip() if isinstance(text, str) else text


def _ordered(sources: Sequence[Source]) -> list[Source]:
    return sorted(sources, key=lambda source: str(source.get("kind")))


def _must_sit(rules: Mapping[str, Any]) -> int:
    return sum(
        int(value["min"])
        for feature in rules["features"]
        if feature["name"] == MUST_SIT
        for value in feature["values"]
        if value["value"] == "yes"
    )


def _cells(features: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], tuple[int, int]]:
    return {(f["name"], v["value"]): (v["min"], v["max"]) for f in features for v in f["values"]}


def _range(bounds: tuple[int, int]) -> str:
    return f"{bounds[0]} to {bounds[1]}"


def _differs(message: str) -> Fault:
    return Fault("declaration-differs", message, "")


def _form_faults(document: Mapping[str, Any], file: str) -> list[Fault]:
    """What of a declaration is not as the protocol asks. Fields that are missing are passed over here."""
    faults: list[Fault] = []

    def check(name: str, good: bool, what: str) -> None:
        if name in document and not good:
            value = document[name]
            message = f"{name} is {quoted(str(value))}. It must be {what}."
            faults.append(Fault("declaration-invalid", message, file, value=str(value)))

    get = document.get
    check("format", get("format") == FORMAT, f"'{FORMAT}'")
    check("protocol", get("protocol") == PROTOCOL, f"'{PROTOCOL}'")
    draw = get("draw")
    check(
        "draw",
        isinstance(draw, str) and bool(_ID.fullmatch(draw)),
        "1 to 60 of the characters a–z, 0–9 and '-'",
    )
    for name in ("title", "organiser"):
        check(name, _is_text(get(name)) and bool(get(name)), "text, not empty")
    check("question", _is_text(get("question")), "text; it may be empty")
    check(
        "sequence",
        within(get("sequence"), 1, (1 << 53) - 1),
        "a whole number from 1: the how manieth draw it is",
    )
    notice = f"seconds, a whole number from {LEAST_NOTICE} (a day) to {MOST_NOTICE} (a year)"
    check("notice", within(get("notice"), LEAST_NOTICE, MOST_NOTICE), notice)
    check(
        "tolerance", within(get("tolerance"), 0, MOST_TOLERANCE), "millionths, a whole number from 0 to 10^9"
    )
    powers = [10**d for d in range(6, 13)]
    many = "a power of ten from 10^6 to 10^12; make the lottery with as many balls (klero lottery --balls)"
    check("denominator", type(get("denominator")) is int and get("denominator") in powers, many)
    for name, least in (("people", 1), ("size", 1), ("household", 0), ("must_sit", 0)):
        check(name, within(get(name), least, (1 << 53) - 1), f"a whole number from {least}")
    if "features" in document:
        faults += _feature_faults(document["features"], file)
    faults += _source_faults(document)
    faults += _key_faults(document, file)
    return faults


def _source_faults(document: Mapping[str, Any]) -> list[Fault]:
    denominator = document.get("denominator")
    digits = len(str(denominator)) - 1 if type(denominator) is int else 6
    faults = sources_faults(document["sources"], "the first draw", digits) if "sources" in document else []
    calendar = document.get("calendar", [])
    if not isinstance(calendar, list) or len(calendar) > _MOST_CALENDAR:
        message = f"calendar must be a list of at most {_MOST_CALENDAR} rounds"
        faults.append(Fault("declaration-invalid", message, ""))
        calendar = []
    for round_, sources in enumerate(calendar, 1):
        faults += sources_faults(sources, f"replacement round {round_}", digits)
    if not faults and "sources" in document:
        faults += _calendar_faults(document["sources"], calendar, document.get("notice"))
    fallback = document.get("fallback", [])
    if fallback == [] or faults:
        return faults
    faults = sources_faults(fallback, "the fallback", digits)
    if faults or "sources" not in document:
        return faults
    beacon = next((source for source in document["sources"] if source["kind"] == "drand"), None)
    if len(fallback) != 1 or fallback[0]["kind"] != "drand" or beacon is None:
        message = (
            "the fallback is one drand round that stands in for the declared one; it needs a drand source"
        )
        faults.append(Fault("source-invalid", message, ""))
        return faults
    if fallback[0]["chain"] == beacon["chain"]:
        message = "the fallback must be of the other drand chain: whatever stops one round of a chain may stop all of them"
        faults.append(Fault("source-invalid", message, "", value=str(fallback[0]["chain"])))
    if source_time(fallback[0]) <= source_time(beacon):
        message = "the fallback's drand round must come later than the declared one"
        faults.append(Fault("source-invalid", message, "", value=str(fallback[0]["round"])))
    return faults


def _calendar_faults(first: list[Source], calendar: list[list[Source]], notice: object) -> list[Fault]:
    """Dates of replacement rounds that don't rise, or that nobody could commit a round for after the first draw."""
    faults = []
    before, name = max(map(source_time, first)), "the first draw"
    wait = notice if type(notice) is int and notice > 0 else LEAST_NOTICE
    drawn = before
    for round_, sources in enumerate(calendar, 1):
        start, end = min(map(source_time, sources)), max(map(source_time, sources))
        if start <= before:
            message = (
                f"replacement round {round_} ({written(start)}) must come after {name} ({written(before)})"
            )
            faults.append(Fault("source-invalid", message, "", value=written(start)))
        elif start - wait < drawn:
            message = (
                f"replacement round {round_} ({written(start)}) can never be held: its lottery would have to be committed by {written(start - wait)}, before "
                f"the first draw ({written(drawn)}). Declare a later date, or a shorter notice."
            )
            faults.append(Fault("source-invalid", message, "", value=written(start)))
        before, name = max(before, end), f"replacement round {round_}"
    return faults


def _feature_faults(features: object, file: str) -> list[Fault]:
    bad = Fault(
        "declaration-invalid", "features must be a list of {name, values: [{max, min, value}, …]}.", file
    )
    if not isinstance(features, list):
        return [bad]
    faults = []
    for feature in features:
        if (
            not isinstance(feature, dict)
            or set(feature) != {"name", "values"}
            or not _is_text(feature["name"])
        ):
            return [bad]
        if not isinstance(feature["values"], list) or not feature["values"]:
            return [bad]
        for cell in feature["values"]:
            if (
                not isinstance(cell, dict)
                or set(cell) != {"max", "min", "value"}
                or not _is_text(cell["value"])
            ):
                return [bad]
            low, high = cell["min"], cell["max"]
            if not (within(low, 0, (1 << 53) - 1) and within(high, 0, (1 << 53) - 1) and low <= high):
                message = f"the quota of {quoted(feature['name'])}, {quoted(cell['value'])} must have 0 ≤ min ≤ max, whole numbers."
                faults.append(Fault("declaration-invalid", message, file))
        if _unsorted([cell["value"] for cell in feature["values"]]):
            message = f"the values of {quoted(feature['name'])} must stand in code point order, none twice."
            faults.append(Fault("declaration-invalid", message, file))
        if feature["name"] in RULE_FEATURES:
            message = f"{quoted(feature['name'])} is no feature of a declaration: people who must sit and households have fields of their own."
            faults.append(Fault("declaration-invalid", message, file))
    if _unsorted([feature["name"] for feature in features]):
        faults.append(
            Fault("declaration-invalid", "the features must stand in code point order, none twice.", file)
        )
    return faults


def _key_faults(document: Mapping[str, Any], file: str) -> list[Fault]:
    keys = document.get("keys", [])
    faults: list[Fault] = []
    if "keys" not in document:
        return faults
    if not isinstance(keys, list) or not 2 <= len(keys) <= MOST_KEYS:
        return [Fault("key-invalid", KEY_COUNT, file)]
    for key in keys:
        if not isinstance(key, dict) or set(key) != {"key", "name", "role"}:
            return [
                Fault(
                    "key-invalid",
                    "each of the keys is an object with exactly the fields key, name, role.",
                    file,
                )
            ]
        if key["role"] not in ROLES:
            message = f"the role {quoted(str(key['role']))} is none of {', '.join(ROLES)}."
            faults.append(Fault("key-invalid", message, file, value=str(key["role"])))
        if not _is_text(key["name"]) or not key["name"]:
            faults.append(Fault("key-invalid", "a key needs the name of whoever holds it.", file))
        good = isinstance(key["key"], str) and _HEX.fullmatch(key["key"])
        if not good or not _native.ed25519_is_key(bytes.fromhex(key["key"])):
            faults.append(
                Fault("key-invalid", f"{quoted(str(key['key']))} is no public key of Ed25519.", file)
            )
    if all(key["role"] == "organiser" for key in keys):
        message = "all keys are organisers'. One must be somebody else's, a guarantor's or a witness's, who signs each step too."
        faults.append(Fault("key-invalid", message, file))
    texts = [str(key["key"]) for key in keys]
    if len(set(texts)) < len(texts):
        faults.append(
            Fault("key-invalid", "a key stands twice; two keys of one person are no two people.", file)
        )
    elif texts != sorted(texts):
        faults.append(Fault("key-invalid", "keys must be sorted by their field key.", file))
    if not within(document.get("threshold", 2), 2, len(keys)):
        message = f"threshold is {document['threshold']!r}: a whole number from 2 to the number of keys, {len(keys)}, is needed."
        faults.append(Fault("key-invalid", message, file, value=str(document["threshold"])))
    return faults


def _unsorted(texts: list[str]) -> bool:
    return texts != sorted(set(texts))


def _is_text(value: object) -> bool:
    return (
        isinstance(value, str)
        and is_normalized("NFC", value)
        and not any("\ud800" <= c <= "\udfff" for c in value)
    )
