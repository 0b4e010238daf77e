"""Where does each person stand, and which step may follow which?

A person is invited, volunteers, is selected, confirms, withdraws, and their seat is filled by somebody else
(«replaced»). Nobody goes back: a person who withdrew is not drawn again in the same process, and a seat that was
filled stays filled. The steps are kept in a log (:mod:`klero.ledger.log`); here are the rules and the words.

>>> from klero.ledger.states import ALLOWED
>>> ALLOWED["selected"]
('confirmed', 'withdrawn')
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from unicodedata import is_normalized

from klero.errors import Fault, quoted
from klero.words import words

__all__ = ["ALLOWED", "STATES", "Entry", "Event", "entry_words", "event_faults", "reason_name", "state_name"]

STATES = ("invited", "volunteered", "selected", "confirmed", "withdrawn", "replaced")
# From each state («» is a person whom the log does not know yet), the states that may follow.
ALLOWED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "": ("invited", "volunteered"),
        "invited": ("volunteered", "withdrawn"),
        "volunteered": ("selected", "withdrawn"),
        "selected": ("confirmed", "withdrawn"),
        "confirmed": ("withdrawn",),
        "withdrawn": ("replaced",),
        "replaced": (),
    }
)
MOST_ROUNDS = 10**6
_REASON = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_RECORD = re.compile(r"[0-9a-f]{64}|")


@dataclass(frozen=True, kw_only=True)
class Event:
    """A step of one person, to be logged. The state they come from is the log's to say.

    Attributes:
        person: their id, as in the pool.
        to: one of `STATES`.
        time: when, in UTC, as «2026-05-01T09:00:00Z». Never taken from a clock.
        reason: a code of lower-case words joined by hyphens, as «illness» or «no-answer».
        round: the draw or the replacement round it belongs to; 0 before and at the first draw.
        record: the commitment of the draw that caused it, in hexadecimal; '' if there is none.
    """

    person: str
    to: str
    time: str
    reason: str
    round: int = 0
    record: str = ""


@dataclass(frozen=True, kw_only=True)
class Entry(Event):
    """A step as the log holds it.

    Attributes:
        sequence: its place; the log's title is entry 0, the first step entry 1.
        previous: the hash of the line before, in hexadecimal.
        came_from: the state before; '' for a person who was not known.
    """

    sequence: int
    previous: str
    came_from: str


def event_faults(event: Event, file: str, row: int | None) -> list[Fault]:
    """What is wrong with a step by itself: its person, state, time, reason, round and record."""
    faults: list[Fault] = []

    person = event.person
    if (
        not isinstance(person, str)
        or not person
        or not person.isprintable()
        or not is_normalized("NFC", person)
    ):
        message = f"{quoted(str(person))} can't be the id of a person: it must be printable text in Unicode's form NFC, not empty."
        faults.append(Fault("id-control", message, file, row, "person", str(person)))
    if event.to not in STATES:
        message = f"{quoted(str(event.to))} is no state of a person. The states are: {', '.join(STATES)}."
        faults.append(Fault("state-unknown", message, file, row, "to", str(event.to)))
    if not isinstance(event.reason, str) or len(event.reason) > 60 or not _REASON.fullmatch(event.reason):
        message = (
            f"the reason {quoted(str(event.reason))} is no code. Write lower-case letters and digits joined by hyphens, such as "
            "'illness' or 'no-answer'; say nothing there that a person would not want published."
        )
        faults.append(Fault("reason-invalid", message, file, row, "reason", str(event.reason)))
    if not _is_time(event.time):
        message = f"the time {quoted(str(event.time))} must be in UTC and written as 2026-05-01T09:00:00Z; klero never takes it from a clock."
        faults.append(Fault("time-invalid", message, file, row, "time", str(event.time)))
    if (
        isinstance(event.round, bool)
        or not isinstance(event.round, int)
        or not 0 <= event.round < MOST_ROUNDS
    ):
        message = (
            f"the round {quoted(str(event.round))} must be a whole number: 0 for the first draw, then 1, 2, …"
        )
        faults.append(Fault("round-invalid", message, file, row, "round", str(event.round)))
    if not isinstance(event.record, str) or not _RECORD.fullmatch(event.record):
        message = "a record is the commitment of a draw: 64 lower-case hexadecimal digits, or empty if there is none."
        faults.append(Fault("record-invalid", message, file, row, "record", str(event.record)))
    return faults


def transition_fault(person: str, before: str, after: str, file: str, row: int | None) -> Fault | None:
    """Why a person may not go from one state to another; None if they may."""
    if after in ALLOWED[before]:
        return None
    who = quoted(person)
    if not before:
        message = f"{who} can't be {after}: the log does not know this person. The first state is invited or volunteered."
    elif before == after:
        message = f"{who} is {after} already. A step is logged once."
    elif not ALLOWED[before]:
        message = f"{who} is {before}, which is final, and can't be {after}."
    else:
        message = f"{who} is {before} and can't be {after}. What may follow is: {', '.join(ALLOWED[before])}."
    return Fault("state-transition", message, file, row, "to", after)


def _is_time(text: object) -> bool:
    if not isinstance(text, str) or not _TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def state_name(state: str, lang: str = "en") -> str:
    """A state in words."""
    _ = words(lang).gettext
    names = {
        "": _("not known"),
        "invited": _("invited"),
        "volunteered": _("volunteered"),
        "selected": _("selected"),
        "confirmed": _("confirmed"),
        "withdrawn": _("withdrawn"),
        "replaced": _("replaced"),
    }
    return names[state]


def reason_name(reason: str, lang: str = "en") -> str:
    """A reason in the reader's language: klero's own codes and those that the guides use; any other code as it is."""
    _ = words(lang).gettext
    names = {
        "in-pool": _("in-pool"),
        "drawn": _("drawn"),
        "drawn-as-replacement": _("drawn-as-replacement"),
        "seat-filled": _("seat-filled"),
        "withdrawn": _("withdrawn"),
        "illness": _("illness"),
        "no-answer": _("no-answer"),
        "moved-away": _("moved-away"),
    }
    return names.get(reason, reason)


def entry_words(entry: Entry, lang: str = "en") -> str:
    """A step as a sentence."""
    _ = words(lang).gettext
    text = _("{time}, round {round}: from «{before}» to «{after}» (reason: {reason}).").format(
        time=entry.time,
        round=entry.round,
        before=state_name(entry.came_from, lang),
        after=state_name(entry.to, lang),
        reason=reason_name(entry.reason, lang),
    )
    if entry.record:
        text += " " + _("Draw: {record}.").format(record=f"{entry.record[:16]}…")
    return text
