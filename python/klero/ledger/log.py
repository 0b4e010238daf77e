"""Who was in which state when, and could anyone have changed the story since?

A log is a text file. Its first line names it, each other line is one step of one person (:mod:`klero.ledger.states`),
as canonical JSON, with the hash of the line before:

    {"format":"klero-log/1","title":TITLE}
    {"from":STATE,"person":ID,"previous":HEX,"reason":CODE,"record":HEX or "","round":N,"sequence":1,"time":TIME,"to":STATE}

`previous` is seq("klero/log/v1", [the line before, without its line end]), the labelled hash of `docs/audit/bundle.md`. The
hash of the last line is the log's *head*.

Guaranteed: a line that was changed, taken out, put in or moved is found, unless every line after it was written anew. Not
guaranteed by a chain alone: that the last lines are still there and unchanged, or that the whole file was not written anew. Whoever keeps
a head that was published can tell: give it to `verify_log`. An append is whole or not there: the new file is written
beside the old one, flushed, and takes its place in one step; two appends at once wait for each other where the system can lock a folder.

Cost: reading, checking and appending take time in proportion to the file.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from unicodedata import is_normalized

from klero import _native
from klero.errors import BundleError, Fault, InputError, LogError, quoted
from klero.ledger.canonical import canonical, parsed
from klero.ledger.log_file import locked, log_bytes, put_log
from klero.ledger.states import STATES, Entry, Event, entry_words, event_faults, state_name, transition_fault
from klero.ledger.verify import Check, Verification
from klero.words import words

__all__ = ["StateLog", "append_log", "read_log", "verify_log"]

FORMAT = "klero-log/1"
_FIELDS = ("from", "person", "previous", "reason", "record", "round", "sequence", "time", "to")


@dataclass(frozen=True, repr=False)
class StateLog:
    """All steps of all people, in order.

    Attributes:
        title: what the log is about.
        entries: the steps.
        head: the hash of the last line, in hexadecimal: publish it, so that nobody can take lines off the end.
    """

    title: str
    entries: tuple[Entry, ...]
    head: str

    @cached_property
    def states(self) -> Mapping[str, str]:
        """The state of each person that the log knows, by id in code point order."""
        states = {entry.person: entry.to for entry in self.entries}
        return dict(sorted(states.items()))

    @property
    def round(self) -> int:
        """The last round in the log; 0 if there is none."""
        return self.entries[-1].round if self.entries else 0

    def counts(self) -> dict[str, int]:
        """How many people are in each state, in the order of `STATES`."""
        counted = Counter(self.states.values())
        return {state: counted[state] for state in STATES}

    def history(self, person: str) -> tuple[Entry, ...]:
        """The steps of one person.

        Raises:
            InputError: the log does not know this person.
        """
        steps = tuple(entry for entry in self.entries if entry.person == person)
        if not steps:
            message = f"the log does not know the id {quoted(str(person))}"
            raise InputError([Fault("person-unknown", message, "", value=str(person))])
        return steps

    def explain(self, person: str | None = None, lang: str = "en") -> str:
        """In words: how many people are in each state, or the steps of one person. `lang`: «en» or «fr»."""
        if person is not None:
            steps = [entry_words(entry, lang) for entry in self.history(person)]
            head = words(lang).gettext("{person} is now: {state}.")
            return "\n".join(
                [head.format(person=person, state=state_name(self.states[person], lang)), *steps]
            )
        ngettext = words(lang).ngettext
        people = len(self.states)
        lines = [ngettext("The log knows {n} person.", "The log knows {n} people.", people).format(n=people)]
        lines += [f"{state_name(state, lang)}: {n}" for state, n in self.counts().items() if n]
        return "\n".join(lines)

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"<StateLog {quoted(self.title)}: {len(self)} entries, {len(self.states)} people, head {self.head[:12]}…>"


def read_log(path: str | os.PathLike[str]) -> StateLog:
    """The log in a file, checked.

    Raises:
        LogError: the file is not there, can't be read, or fails a check.
    """
    parsed = _parse(log_bytes(path))
    failed = next((check for check in parsed.checks if not check.ok), None)
    if failed is not None:
        raise LogError(f"{os.fspath(path)} fails its check «{failed.name}»: {failed.detail}")
    return parsed.log


def verify_log(path: str | os.PathLike[str], *, head: str | None = None) -> Verification:
    """Checks a log: `form` of each line, `chain` of hashes, `states` (which step may follow which), and `head` if one is given.

    Args:
        path: the file.
        head: a head that was published at any time; it must be the hash of a line of this log.

    Raises:
        LogError: the file is not there or can't be read.
        InputError: the head given is no hash.
    """
    if head is not None and (len(head) != 64 or not set(head) <= set("0123456789abcdef")):
        message = f"the head {quoted(head)} is no hash: 64 lower-case hexadecimal digits"
        raise InputError([Fault("record-invalid", message, "", value=head)])
    parsed = _parse(log_bytes(path))
    checks = list(parsed.checks)
    if head is not None:
        checks.append(_head_check(parsed, head))
    return Verification(tuple(checks))


def append_log(
    path: str | os.PathLike[str], events: Sequence[Event], *, title: str = "", name: str = ""
) -> StateLog:
    """Adds steps to a log, all or none, and returns it; a log that is not there is begun.

    Args:
        path: the file.
        events: the steps, in order.
        title: the title of a new log; a log that exists keeps its own.
        name: what messages call the table that the events come from (its rows count from 2), if they come from one.

    Raises:
        InputError: a step is not allowed; all faults at once, and nothing is written.
        LogError: the log fails a check, or can't be written.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise LogError(f"the folder {target.parent} does not exist; create it first")
    with locked(target.parent):
        there = target.exists()
        data = log_bytes(path) if there else _title_line(title)
        log = read_log(path) if there else _parse(data).log
        entries, lines = _extended(log, data, events, name)
        new = data + b"".join(lines)
        if lines or not there:
            put_log(target, new)
    head = _hash(lines[-1][:-1]) if lines else log.head
    return StateLog(log.title, (*log.entries, *entries), head)


def check_events(log: StateLog, events: Sequence[Event], name: str = "") -> None:
    """Raises what `append_log` would raise for these steps."""
    _extended(log, b"\n", events, name)


def new_log(title: str = "") -> StateLog:
    """A log without steps, not yet in a file."""
    return _parse(_title_line(title)).log


def _extended(
    log: StateLog, data: bytes, events: Sequence[Event], name: str
) -> tuple[list[Entry], list[bytes]]:
    faults: list[Fault] = []
    states = dict(log.states)
    last_round, last_time = log.round, log.entries[-1].time if log.entries else ""
    entries: list[Entry] = []
    lines = [data[:-1].rsplit(b"\n", 1)[-1] + b"\n"]
    for number, event in enumerate(events, start=1):
        row = number + 1 if name else number
        own = event_faults(event, name or "event", row)
        if own:
            faults += own
            continue
        before = states.get(event.person, "")
        fault = transition_fault(event.person, before, event.to, name or "event", row)
        if fault is None:
            fault = _order_fault(event, last_round, last_time, name or "event", row)
        if fault is not None:
            faults.append(fault)
            continue
        states[event.person] = event.to
        last_round, last_time = event.round, event.time
        entry = Entry(
            person=event.person,
            to=event.to,
            time=event.time,
            reason=event.reason,
            round=event.round,
            record=event.record,
            sequence=len(log.entries) + len(entries) + 1,
            previous=_hash(lines[-1][:-1]),
            came_from=before,
        )
        entries.append(entry)
        lines.append(_line(entry))
    if faults:
        raise InputError(faults)
    return entries, lines[1:]


def _order_fault(event: Event, last_round: int, last_time: str, name: str, row: int) -> Fault | None:
    if event.round < last_round:
        message = f"round {event.round} comes after round {last_round} in the log. Rounds never go back: log this step in round {last_round} or later."
        return Fault("round-order", message, name, row, "round", str(event.round))
    if event.time < last_time:
        message = f"{event.time} is before {last_time}, the time of the step before it. The time is that of logging: steps are logged in order."
        return Fault("time-order", message, name, row, "time", event.time)
    return None


def _line(entry: Entry) -> bytes:
    fields = {
        "from": entry.came_from,
        "person": entry.person,
        "previous": entry.previous,
        "reason": entry.reason,
        "record": entry.record,
        "round": entry.round,
        "sequence": entry.sequence,
        "time": entry.time,
        "to": entry.to,
    }
    return canonical(fields) + b"\n"


def _title_line(title: str) -> bytes:
    if not isinstance(title, str) or len(title) > 200 or (title and not title.isprintable()):
        raise InputError([Fault("title-invalid", "a log's title is one line of up to 200 characters", "")])
    if not is_normalized("NFC", title):
        raise InputError(
            [Fault("title-invalid", "a log's title must be in Unicode's form NFC", "", value=title)]
        )
    return canonical({"format": FORMAT, "title": title}) + b"\n"


def _hash(line: bytes) -> str:
    return bytes(_native.seq_hash("klero/log/v1", [line])).hex()


@dataclass
class _Parsed:
    """What could be read of a log, and what is wrong with it."""

    title: str = ""
    entries: list[Entry] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> StateLog:
        return StateLog(self.title, tuple(self.entries), self.hashes[-1] if self.hashes else "")

    @property
    def checks(self) -> list[Check]:
        passed = {
            "form": f"{len(self.hashes)} lines",
            "chain": f"{len(self.entries)} entries, head {self.hashes[-1] if self.hashes else 'none'}",
            "states": f"{len(self.log.states)} people",
        }
        checks: list[Check] = []
        for name, detail in passed.items():
            if name not in self.faults and checks and not checks[0].ok:
                checks.append(Check(name, False, "not checked: form failed"))
            else:
                checks.append(Check(name, name not in self.faults, self.faults.get(name, detail)))
        return checks


def _parse(data: bytes) -> _Parsed:
    parsed = _Parsed()
    if not data.endswith(b"\n"):
        parsed.faults["form"] = "the last line has no end: it was cut off"
        return parsed
    lines = data[:-1].split(b"\n")
    try:
        parsed.title = _title(lines[0])
        parsed.hashes.append(_hash(lines[0]))
        for number, line in enumerate(lines[1:], start=2):
            parsed.entries.append(_entry(line, number))
            parsed.hashes.append(_hash(line))
    except _FormError as error:
        parsed.faults["form"] = str(error)
        return parsed
    _check_chain(parsed)
    _check_states(parsed)
    return parsed


class _FormError(Exception):
    pass


def _document(line: bytes, number: int) -> dict[str, Any]:
    try:
        document = parsed(line)
    except BundleError as error:
        raise _FormError(f"line {number}: {error.message}") from None
    if not isinstance(document, dict):
        raise _FormError(f"line {number} is no object")
    return document


def _title(line: bytes) -> str:
    document = _document(line, 1)
    title = document.get("title")
    if set(document) != {"format", "title"} or document["format"] != FORMAT or not isinstance(title, str):
        raise _FormError(f"line 1 is not the title of a log of the format {FORMAT}")
    return title


def _entry(line: bytes, number: int) -> Entry:
    fields = _document(line, number)
    if set(fields) != set(_FIELDS):
        raise _FormError(f"line {number} has not the fields of an entry")
    previous, before, sequence = fields["previous"], fields["from"], fields["sequence"]
    texts = all(isinstance(fields[name], str) for name in _FIELDS if name not in ("round", "sequence"))
    if not texts or type(sequence) is not int or before not in ("", *STATES):
        raise _FormError(f"line {number} has not the fields of an entry")
    entry = Entry(
        person=fields["person"],
        to=fields["to"],
        time=fields["time"],
        reason=fields["reason"],
        round=fields["round"],
        record=fields["record"],
        sequence=sequence,
        previous=previous,
        came_from=before,
    )
    faults = event_faults(entry, "", None)
    if faults:
        raise _FormError(f"line {number}: {faults[0].message}")
    return entry


def _check_chain(parsed: _Parsed) -> None:
    for place, entry in enumerate(parsed.entries, start=1):
        where = f"line {place + 1}"
        if entry.previous != parsed.hashes[place - 1]:
            parsed.faults["chain"] = (
                f"{where} does not follow from the line before it: a line was changed, taken out, put in or moved"
            )
            return
        if entry.sequence != place:
            parsed.faults["chain"] = f"{where} has the number {entry.sequence} and should have {place}"
            return


def _check_states(parsed: _Parsed) -> None:
    states: dict[str, str] = {}
    last_round, last_time = 0, ""
    for place, entry in enumerate(parsed.entries, start=2):
        before = states.get(entry.person, "")
        fault = transition_fault(entry.person, before, entry.to, "", None)
        if fault is None:
            fault = _order_fault(entry, last_round, last_time, "", place)
        if fault is not None or entry.came_from != before:
            reason = (
                fault.message
                if fault
                else f"{quoted(entry.person)} did not come from {quoted(entry.came_from)}"
            )
            parsed.faults["states"] = f"line {place}: {reason}"
            return
        states[entry.person] = entry.to
        last_round, last_time = entry.round, entry.time


def _head_check(parsed: _Parsed, head: str) -> Check:
    if "chain" in parsed.faults or "form" in parsed.faults:
        return Check("head", False, "not checked: form or chain failed")
    if head not in parsed.hashes:
        detail = "no line of this log has this hash: lines were taken off the end or written anew since it was published"
        return Check("head", False, detail)
    later = len(parsed.hashes) - 1 - parsed.hashes.index(head)
    return Check("head", True, f"{later} entries since" if later else "this is the last line")
