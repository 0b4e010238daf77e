"""Who signed which decision, and could anyone have changed the story since?

A log of review is a text file. Each line is one signed act (:mod:`klero.campaigns.review`) as canonical JSON:

    {"entry":{"body":{…},"format":"klero-review/1","kind":KIND,"previous":HEX,"sequence":N,"time":TIME},"keyid":HEX,"signature":HEX}

`previous` is seq("klero/review/v1", [the line before, without its line end]), the labelled hash of `docs/audit/bundle.md`; '' in the first line,
which says which results the log is about and holds the first key. The hash of the last line is the log's *head*. `signature` is Ed25519 (RFC 8032)
over the DSSE envelope's bytes of the canonical `entry`, with the payload type `application/vnd.klero.review+json`, so that no signature of a draw is
one of a decision; `keyid` is SHA-256 of the public key.

Guaranteed: a line that was changed, put in, moved, or taken out from between others is found; so is a signature of a key that nobody in the log
admitted, and a results file other than the one that the log was opened on. Not guaranteed by the file alone: that the last lines are still there, or
that not all of it was written anew with another key. Whoever keeps a head that was published, or the first key, can tell: give it to
`verify_review`. The log holds no text and no author of a contribution; reasons and reviewers' names are kept as given. An append is whole or not
there, and appends at once wait for each other (`klero.ledger.log_file`).

Cost: reading, checking and appending take time in proportion to the file; each line costs one check of a signature.

Example: ``append_review("review.jsonl", [Decision(group="C1", …)], results="out/campaigns.json", key=read_secret_key("ada.key"))``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from klero import _native
from klero.campaigns.results_file import Results, read_results
from klero.campaigns.review import (
    KINDS,
    Act,
    Admission,
    Decision,
    Opening,
    ReviewEntry,
    ReviewLog,
    Rules,
    key_id,
    plain,
)
from klero.errors import BundleError, Fault, InputError, LogError, quoted
from klero.ledger.canonical import canonical, parsed
from klero.ledger.clock import now
from klero.ledger.keys import PublicKey, SecretKey
from klero.ledger.log_file import locked, log_bytes, put_log
from klero.ledger.verify import Check, Verification

__all__ = ["append_review", "read_review", "verify_review"]

FORMAT = "klero-review/1"
LABEL = "klero/review/v1"
PAYLOAD_TYPE = b"application/vnd.klero.review+json"
_HEX = re.compile("[0-9a-f]{64}")
_SIGNATURE = re.compile("[0-9a-f]{128}")
_LINE = {"entry", "keyid", "signature"}
_ENTRY = {"body", "format", "kind", "previous", "sequence", "time"}


def read_review(path: str | os.PathLike[str]) -> ReviewLog:
    """The log in a file, checked.

    Raises:
        LogError: the file is not there, can't be read, or fails a check.
    """
    return _sound(path, _parse(log_bytes(path)))


def verify_review(
    path: str | os.PathLike[str],
    *,
    results: str | os.PathLike[str] | None = None,
    head: str | None = None,
    key: PublicKey | None = None,
) -> Verification:
    """Checks a log: the `form` of each line, the `chain` of hashes, the `signatures`, the `order` of the acts; and what else is given.

    Args:
        path: the log.
        results: the folder or file of results; it must be the one that the log was opened on.
        head: a head that was published at any time; it must be the hash of a line of this log.
        key: the public key with which the log must have been opened.

    Raises:
        LogError: the log is not there or can't be read.
        InputError: the results can't be read, or the head given is no hash.
    """
    if head is not None and not _HEX.fullmatch(head):
        message = f"the head {quoted(head)} is no hash: 64 lower-case hexadecimal digits"
        raise InputError([Fault("record-invalid", message, "", value=head)])
    found = None if results is None else read_results(results)
    read = _parse(log_bytes(path))
    checks = read.checks
    sound = all(check.ok for check in checks)
    checks.append(_results_check(read, found, sound=sound))
    checks.append(_key_check(read, key, sound=sound))
    checks.append(_head_check(read, head, sound=sound))
    return Verification(tuple(checks), "log of review")


def append_review(
    path: str | os.PathLike[str],
    acts: Sequence[Act],
    *,
    key: SecretKey,
    results: str | os.PathLike[str] | None = None,
    time: str = "",
) -> ReviewLog:
    """Adds acts to a log, all or none, and returns it; a log that is not there is opened on the results.

    Args:
        path: the log.
        acts: decisions, reopenings and admissions, in order. Their texts are put into Unicode's form NFC, without space around.
        key: signs them. It opens the log, or is one of the log's.
        results: the folder or file of results that was looked at. Needed to open a log and to decide.
        time: when, in UTC, as 2026-05-01T09:00:00Z; '' is now.

    Raises:
        InputError: an act is not allowed, or the results are not those of the log; all faults at once, and nothing is written.
        LogError: the log fails a check, is not there and can't be opened, or can't be written.
    """
    found = None if results is None else read_results(results)
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise LogError(f"the folder {target.parent} does not exist; create it first")
    with locked(target.parent):
        there = os.path.lexists(target)
        if not there and found is None:
            raise LogError(
                f"there is no log {os.fspath(path)}, and a new one is opened on results: give them (--results), or check the name and the folder"
            )
        data = log_bytes(path) if there else b""
        read = _parse(data) if there else _Parsed()
        if there:
            _sound(path, read)
        faults = _results_faults(read, found, acts) if there else []
        opening = [] if there or found is None else [_opening(found, key)]
        lines = _extended(read, [*opening, *map(_tidy, acts)], key, time or now(), faults)
        if lines:
            put_log(target, data + b"".join(lines))
    return read.log


def _sound(path: str | os.PathLike[str], read: _Parsed) -> ReviewLog:
    failed = next((check for check in read.checks if not check.ok), None)
    if failed is not None:
        raise LogError(f"{os.fspath(path)} fails its check «{failed.name}»: {failed.detail}")
    return read.log


def _opening(results: Results, key: SecretKey) -> Opening:
    return Opening(
        digest=results.digest,
        sha256=results.sha256,
        groups=tuple(group.name for group in results.groups),
        key=key.public.key,
        name=plain(key.public.name),
    )


def _tidy(act: Act) -> Act:
    """An act with its texts as a log keeps them."""
    if isinstance(act, Opening):
        return act
    texts = {name: plain(value) for name, value in asdict(act).items() if isinstance(value, str)}
    return type(act)(**{**asdict(act), **texts})


def _extended(
    read: _Parsed, acts: Sequence[Act], key: SecretKey, time: str, faults: list[Fault]
) -> list[bytes]:
    """The lines of these acts, which `read` takes over."""
    lines: list[bytes] = []
    keyid = key.public.keyid
    for act in acts:
        wrong = read.rules.take(act, time, keyid)
        # One key and one time for all: said once.
        faults += [fault for fault in wrong if fault not in faults]
        if wrong or faults:
            continue
        body = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(act).items()
        }
        entry = {
            "body": body,
            "format": FORMAT,
            "kind": next(kind for kind, made in KINDS.items() if isinstance(act, made)),
            "previous": read.head,
            "sequence": len(read.entries) + 1,
            "time": time,
        }
        signature = key.sign(_signed_bytes(canonical(entry))).hex()
        line = canonical({"entry": entry, "keyid": keyid, "signature": signature})
        read.entries.append(ReviewEntry(act, time, len(read.entries) + 1, keyid, _hash(line)))
        lines.append(line + b"\n")
    if faults:
        raise InputError(faults)
    return lines


def _signed_bytes(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE, len(payload), payload)


def _hash(line: bytes) -> str:
    return bytes(_native.seq_hash(LABEL, [line])).hex()


@dataclass
class _Parsed:
    """What could be read of a log, and what is wrong with it, by check."""

    entries: list[ReviewEntry] = field(default_factory=list)
    rules: Rules = field(default_factory=Rules)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> str:
        return self.entries[-1].hash if self.entries else ""

    @property
    def log(self) -> ReviewLog:
        return ReviewLog(tuple(self.entries), self.head)

    @property
    def checks(self) -> list[Check]:
        """The checks that need nothing but the log. Once one failed, those after it rest on nothing."""
        count = len(self.entries)
        passed = {
            "form": _counted(count, "line"),
            "chain": f"head {self.head or 'none'}",
            "signatures": _counted(len({entry.keyid for entry in self.entries}), "key"),
            "order": _counted(sum(isinstance(entry.act, Decision) for entry in self.entries), "decision"),
        }
        checks: list[Check] = []
        for name, detail in passed.items():
            if name in self.faults:
                checks.append(Check(name, False, self.faults[name]))
            elif any(not check.ok for check in checks):
                checks.append(Check(name, False, "not checked: a check before it failed", checked=False))
            else:
                checks.append(Check(name, True, detail))
        return checks


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


class _FormError(Exception):
    pass


def _parse(data: bytes) -> _Parsed:
    """Reads and checks a log. Each check goes over the whole of it before the next, so that the first that fails is the one to be told."""
    read = _Parsed()
    if not data.endswith(b"\n"):
        read.faults["form"] = "the last line has no end: it was cut off, or this is no log of review"
        return read
    documents = []
    for number, line in enumerate(data[:-1].split(b"\n"), start=1):
        try:
            document = _document(line, number)
            entry = document["entry"]
            act = _act(entry, number)
        except _FormError as error:
            read.faults["form"] = str(error)
            return read
        documents.append(document)
        read.entries.append(
            ReviewEntry(act, entry["time"], entry["sequence"], document["keyid"], _hash(line))
        )
    for name, check in (("chain", _chain_fault), ("signatures", _signature_fault), ("order", _order_fault)):
        wrong = check(read, documents)
        if wrong:
            read.faults[name] = wrong
            break
    return read


def _document(line: bytes, number: int) -> dict[str, Any]:
    try:
        document = parsed(line)
    except BundleError as error:
        raise _FormError(f"line {number}: {error.message}") from None
    if not isinstance(document, dict) or set(document) != _LINE:
        raise _FormError(f"line {number} is no signed entry of a log of review")
    entry, keyid, signature = document["entry"], document["keyid"], document["signature"]
    if not _matches(_HEX, keyid) or not _matches(_SIGNATURE, signature):
        raise _FormError(f"line {number}: the key's id or the signature is not written as one")
    if not isinstance(entry, dict) or set(entry) != _ENTRY or entry["format"] != FORMAT:
        raise _FormError(f"line {number} has not the fields of an entry of the form {FORMAT}")
    if (
        type(entry["sequence"]) is not int
        or not isinstance(entry["time"], str)
        or not isinstance(entry["previous"], str)
    ):
        raise _FormError(f"line {number}: its number, its time or the hash before it is not written as one")
    return document


def _matches(pattern: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _act(entry: Mapping[str, Any], number: int) -> Act:
    made = KINDS.get(entry["kind"]) if isinstance(entry["kind"], str) else None
    body = entry["body"]
    if made is None or not isinstance(body, dict) or set(body) != {one.name for one in fields(made)}:
        raise _FormError(f"line {number} is of no kind that is known, or has not the fields of its kind")
    texts = {name: value for name, value in body.items() if name != "groups"}
    if not all(isinstance(value, str) for value in texts.values()):
        raise _FormError(f"line {number}: a field is no text")
    if made is not Opening:
        return made(**texts)
    groups = body["groups"]
    named = isinstance(groups, list) and all(
        isinstance(name, str) and name and name.isprintable() for name in groups
    )
    if not named or len(set(groups)) != len(groups) or not _matches(_HEX, body["sha256"]):
        raise _FormError(f"line {number}: the groups or the digest of the results are not written as such")
    return Opening(groups=tuple(groups), **texts)


def _chain_fault(read: _Parsed, documents: Sequence[Mapping[str, Any]]) -> str:
    before = ""
    for place, (entry, document) in enumerate(zip(read.entries, documents, strict=True), start=1):
        if document["entry"]["previous"] != before:
            return f"line {place} does not follow from the line before it: a line was changed, taken out, put in or moved"
        if entry.sequence != place:
            return f"line {place} has the number {entry.sequence} and should have {place}"
        before = entry.hash
    return ""


def _signature_fault(read: _Parsed, documents: Sequence[Mapping[str, Any]]) -> str:
    keys: dict[str, str] = {}
    for place, (entry, document) in enumerate(zip(read.entries, documents, strict=True), start=1):
        if isinstance(entry.act, Opening):  # its own key vouches for it
            keys.setdefault(key_id(entry.act.key), entry.act.key)
        key = keys.get(entry.keyid)
        if key is None:
            return f"line {place} is signed with a key that nobody admitted ({entry.keyid[:16]}…)"
        message = _signed_bytes(canonical(document["entry"]))
        if not _native.ed25519_verify(bytes.fromhex(key), message, bytes.fromhex(document["signature"])):
            return f"in line {place} the signature does not verify: the line was changed, or signed with another key"
        if isinstance(entry.act, Admission):
            keys.setdefault(key_id(entry.act.key), entry.act.key)
    return ""


def _order_fault(read: _Parsed, _documents: Sequence[Mapping[str, Any]]) -> str:
    for entry in read.entries:
        faults = read.rules.take(entry.act, entry.time, entry.keyid)
        if faults:
            return f"line {entry.sequence}: {faults[0].message}"
    return ""


def _results_faults(read: _Parsed, found: Results | None, acts: Sequence[Act]) -> list[Fault]:
    """What is wrong with the results that are given for a log that is there."""
    if found is None:
        if any(isinstance(act, Decision) for act in acts):
            message = "a decision is taken on results: give the file that was looked at (--results), so that the log can tell that it is its own."
            return [Fault("review-results", message, "")]
        return []
    wrong = other_results(read.log.opening, found)
    return [Fault("review-results", wrong, found.file)] if wrong else []


def other_results(opening: Opening, found: Results) -> str:
    """How the results differ from those of the log; '' if they are the same file."""
    if found.sha256 == opening.sha256:
        return ""
    if found.digest == opening.digest:
        return (
            f"this is another file than the one that the log was opened on (SHA-256 {found.sha256[:16]}…, not {opening.sha256[:16]}…), though of the "
            "same input and settings: it was changed, or written by another version. Give the file as it was; for new results begin a new log."
        )
    return (
        f"these results are of another input or other settings (digest {found.digest[:16]}…, not {opening.digest[:16]}…), so decisions in this log are "
        "not about them. Give the results that the log was opened on; for new results begin a new log."
    )


def _results_check(read: _Parsed, found: Results | None, *, sound: bool) -> Check:
    if found is None or not sound:
        return Check("results", False, _why_not("no results were given", sound=sound), checked=False)
    wrong = other_results(read.log.opening, found)
    return Check("results", not wrong, wrong or f"SHA-256 {found.sha256}")


def _key_check(read: _Parsed, key: PublicKey | None, *, sound: bool) -> Check:
    if key is None or not sound:
        return Check("first-key", False, _why_not("no key was given", sound=sound), checked=False)
    opening = read.log.opening
    if opening.key != key.key:
        detail = f"the log was opened with another key ({key_id(opening.key)[:16]}…, not {key.keyid[:16]}…): it is another log, or was written anew"
        return Check("first-key", False, detail)
    return Check("first-key", True, f"opened with {key.keyid[:16]}…")


def _head_check(read: _Parsed, head: str | None, *, sound: bool) -> Check:
    if head is None or not sound:
        return Check("head", False, _why_not("no published head was given", sound=sound), checked=False)
    hashes = [entry.hash for entry in read.entries]
    if head not in hashes:
        detail = "no line of this log has this hash: lines were taken off the end or written anew since it was published"
        return Check("head", False, detail)
    later = len(hashes) - 1 - hashes.index(head)
    return Check("head", True, f"{_counted(later, 'line')} since" if later else "this is the last line")


def _why_not(reason: str, *, sound: bool) -> str:
    return reason if sound else "not checked: a check before it failed"
