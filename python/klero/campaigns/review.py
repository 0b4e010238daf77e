"""What did people decide about each group, who did, and why?

A search shows groups; people decide. Here are the acts that a log of review holds, the rules for which may follow which, and the state that they
lead to. The log is opened on one file of results by one key; a key that is in the log can admit others. A decision is taken on a group that is open;
a group that is decided can be reopened, with a reason, and is open again, with its history. So one decision a group is current, and none is ever lost.

Guaranteed: a log (`ReviewLog`) holds only acts that these rules allow, in the order of their times. Not guaranteed: that a name is a person's, or
that a time is true; who signs vouches for both. How the log is kept in a file is for `klero.campaigns.review_file`.
Cost: one pass over the acts.

>>> DECISIONS
('independent', 'petition', 'one-source', 'undecided')
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TypeAlias
from unicodedata import normalize

from klero.errors import Fault, InputError, quoted

__all__ = [
    "DECISIONS",
    "Act",
    "Admission",
    "Decision",
    "GroupState",
    "Opening",
    "Reopening",
    "ReviewEntry",
    "ReviewLog",
    "Rules",
]

DECISIONS = ("independent", "petition", "one-source", "undecided")
"""No common source; a text that was shared openly and signed by each; one source behind several contributions; looked at, and it can't be told."""

_HEX = re.compile("[0-9a-f]{64}")
MOST_REASON = 2000
MOST_NAME = 200
# A reason is text of one or more lines: a line break is the only control that it may hold.
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, kw_only=True)
class Opening:
    """The first entry: which results the log is about, and who may sign first.

    Attributes:
        digest: of the input and the settings of the search.
        sha256: of the file of results.
        groups: names of its groups.
        key, name: the public key in hexadecimal, and whose it is ('' if its file did not say).
    """

    digest: str
    sha256: str
    groups: tuple[str, ...]
    key: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Admission:
    """A key that may sign from now on.

    Attributes:
        key, name: the public key in hexadecimal, and whose it is ('' if its file did not say).
    """

    key: str
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What a person decided about a group.

    Attributes:
        group: the name of the group.
        decision: one of `DECISIONS`.
        reason: why, in words; it is kept as given, so it should name nobody and quote nothing.
        reviewer: who decided. A log keeps the name as given, for as long as it is kept.
        role: in which capacity, such as «participation officer»; what a contributor is told. May be ''.
    """

    group: str
    decision: str
    reason: str
    reviewer: str
    role: str = ""


@dataclass(frozen=True, kw_only=True)
class Reopening:
    """That a decided group is to be decided anew; attributes as for `Decision`."""

    group: str
    reason: str
    reviewer: str
    role: str = ""


Act: TypeAlias = Opening | Admission | Decision | Reopening

KINDS: Mapping[str, type[Act]] = MappingProxyType(
    {"opening": Opening, "admission": Admission, "decision": Decision, "reopening": Reopening}
)


@dataclass(frozen=True)
class ReviewEntry:
    """An act as the log holds it.

    Attributes:
        act: what was done.
        time: when, in UTC, as whoever signed says.
        sequence: its place, from 1.
        keyid: SHA-256 of the key that signed, in hexadecimal.
        hash: of its line, in hexadecimal.
    """

    act: Act
    time: str
    sequence: int
    keyid: str
    hash: str

    @property
    def kind(self) -> str:
        """One of `KINDS`."""
        return next(kind for kind, made in KINDS.items() if isinstance(self.act, made))


@dataclass(frozen=True)
class GroupState:
    """Where a group stands.

    Attributes:
        group: its name.
        decision: the current decision; '' while it is open.
        history: all decisions and reopenings, in order.
    """

    group: str
    decision: str
    history: tuple[ReviewEntry, ...]

    @property
    def state(self) -> str:
        """«open», «reopened» (open again) or «decided»."""
        return "decided" if self.decision else "reopened" if self.history else "open"

    @property
    def current(self) -> ReviewEntry | None:
        """The entry of the current decision; None while the group is open."""
        return self.history[-1] if self.decision else None


@dataclass(frozen=True, repr=False)
class ReviewLog:
    """All acts of a review, in order.

    Attributes:
        entries: the acts; the first is the opening.
        head: the hash of the last line, in hexadecimal. Publish it: with it alone can anyone tell that lines were taken off the end, or all written anew.
    """

    entries: tuple[ReviewEntry, ...]
    head: str

    @property
    def opening(self) -> Opening:
        """What the log is about."""
        first = self.entries[0].act
        if not isinstance(first, Opening):
            raise TypeError("a log of review begins with its opening")
        return first

    @cached_property
    def states(self) -> Mapping[str, GroupState]:
        """Where each group stands, in the order of the results."""
        history: dict[str, list[ReviewEntry]] = {name: [] for name in self.opening.groups}
        for entry in self.entries:
            if isinstance(entry.act, Decision | Reopening):
                history[entry.act.group].append(entry)
        states = {}
        for name, entries in history.items():
            last = entries[-1].act if entries else None
            states[name] = GroupState(
                name, last.decision if isinstance(last, Decision) else "", tuple(entries)
            )
        return MappingProxyType(states)

    @cached_property
    def keys(self) -> Mapping[str, tuple[str, str]]:
        """(key in hexadecimal, whose it is) of each key that may sign, by its id, in the order of their admission."""
        return MappingProxyType(
            {
                key_id(entry.act.key): (entry.act.key, entry.act.name)
                for entry in self.entries
                if isinstance(entry.act, Opening | Admission)
            }
        )

    def state(self, group: str) -> GroupState:
        """Where one group stands.

        Raises:
            InputError: the log is not about a group of this name.
        """
        if group not in self.states:
            from klero.campaigns.results_file import unknown_group

            raise InputError([unknown_group(group, self.opening.groups, "")])
        return self.states[group]

    def counts(self) -> dict[str, int]:
        """How many groups have each decision, in the order of `DECISIONS`, and how many are «open»."""
        counted = dict.fromkeys((*DECISIONS, "open"), 0)
        for state in self.states.values():
            counted[state.decision or "open"] += 1
        return counted

    def explain(self, group: str | None = None, lang: str = "en") -> str:
        """In words: where each group stands, or the history of one. `lang`: «en» or «fr»."""
        from klero.campaigns.review_words import history_words, states_words

        return "\n".join(
            states_words(self, lang) if group is None else history_words(self.state(group), self, lang)
        )

    def __len__(self) -> int:
        return len(self.entries)

    def __repr__(self) -> str:
        return f"<ReviewLog: {len(self)} entries, {len(self.states)} groups, {self.counts()['open']} open, head {self.head[:12]}…>"


def key_id(key: str) -> str:
    """The id by which signatures name a public key: SHA-256 of its bytes; '' for what is no key."""
    from klero.ledger.keys import PublicKey

    return PublicKey(key).keyid if _HEX.fullmatch(key) else ""


def plain(text: object) -> str:
    """Text as a log keeps it: Unicode's form NFC, line ends as one sign, tabs as spaces, no space around."""
    if not isinstance(text, str):
        return ""
    return normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")).strip()


class Rules:
    """Which act may come next; it follows a log from its first entry on.

    >>> key, time = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "2026-05-01T09:00:00Z"
    >>> rules = Rules()
    >>> rules.take(Opening(digest="d", sha256="0" * 64, groups=("C1",), key=key), time, key_id(key))
    []
    >>> act = Reopening(group="C1", reason="new evidence", reviewer="Ada")
    >>> [fault.code for fault in rules.take(act, time, key_id(key))]
    ['review-not-decided']
    """

    def __init__(self) -> None:
        self._groups: dict[str, Decision | None] = {}
        self._keys: set[str] = set()
        self._time = ""
        self._open = False

    def take(self, act: Act, time: str, keyid: str, file: str = "", row: int | None = None) -> list[Fault]:
        """Takes an act over, or says what is wrong with it and stays as it was."""
        faults = [*_time_faults(time, self._time, file, row), *own_faults(act, file, row)]
        if isinstance(act, Opening) == self._open:
            message = "a log has one opening, and it is the first entry. This log is of another making, or was changed."
            return [Fault("log-order", message, file, row)]
        if isinstance(act, Opening):
            if key_id(act.key) != keyid:
                faults.append(_key_fault(keyid, file, row))
            if not faults:
                self._open = True
                self._groups = dict.fromkeys(act.groups)
                self._keys.add(keyid)
        else:
            faults += self._later_faults(act, keyid, file, row)
            if not faults:
                self._follow(act)
        if not faults:
            self._time = time
        return faults

    def _follow(self, act: Admission | Decision | Reopening) -> None:
        if isinstance(act, Admission):
            self._keys.add(key_id(act.key))
        else:
            self._groups[act.group] = act if isinstance(act, Decision) else None

    def _later_faults(
        self, act: Admission | Decision | Reopening, keyid: str, file: str, row: int | None
    ) -> list[Fault]:
        faults = [] if keyid in self._keys else [_key_fault(keyid, file, row)]
        if isinstance(act, Admission):
            if key_id(act.key) in self._keys:
                message = "this key is in the log already: whoever holds it can sign. Nothing is left to do."
                faults.append(Fault("review-key-known", message, file, row, value=act.key))
            return faults
        if act.group not in self._groups:
            from klero.campaigns.results_file import unknown_group

            fault = unknown_group(act.group, tuple(self._groups), file)
            return [*faults, Fault(fault.code, fault.message, file, row, value=act.group)]
        current = self._groups[act.group]
        if isinstance(act, Decision) and current is not None:
            message = (
                f"the group {quoted(act.group)} is decided already («{current.decision}», by {quoted(current.reviewer)}). A decision is never written "
                "over: reopen the group first (klero review reopen) and say why."
            )
            faults.append(Fault("review-decided", message, file, row, value=act.group))
        if isinstance(act, Reopening) and current is None:
            message = f"the group {quoted(act.group)} is open, so there is nothing to reopen: decide on it (klero review add)."
            faults.append(Fault("review-not-decided", message, file, row, value=act.group))
        return faults


def own_faults(act: Act, file: str, row: int | None) -> list[Fault]:
    """What is wrong with an act by itself: its texts, its decision, its key."""
    if isinstance(act, Opening | Admission):
        return _key_faults(act.key, act.name, file, row)
    faults = []
    if isinstance(act, Decision) and act.decision not in DECISIONS:
        message = f"{quoted(str(act.decision))} is no decision. The decisions are: {', '.join(DECISIONS)}."
        faults.append(Fault("review-decision", message, file, row, "decision", str(act.decision)))
    wanted = (
        (
            "reason",
            act.reason,
            1,
            MOST_REASON,
            "why it was decided so, in words that the contributors may read",
        ),
        ("reviewer", act.reviewer, 1, MOST_NAME, "who decided, on one line; the log keeps the name as given"),
        ("role", act.role, 0, MOST_NAME, "in which capacity, on one line, such as 'participation officer'"),
    )
    for field, text, least, most, what in wanted:
        lines = field == "reason"
        if not _is_plain(text, least, most, lines=lines):
            message = (
                f"the {field} must be text of {least} to {most} characters without controls: {what}. It has "
                f"{len(text) if isinstance(text, str) else 'no text'}."
            )
            faults.append(Fault("review-text", message, file, row, field, str(text)[:MOST_NAME]))
    return faults


def _is_plain(text: object, least: int, most: int, *, lines: bool) -> bool:
    if not isinstance(text, str) or not least <= len(text) <= most or plain(text) != text:
        return False
    return not _CONTROLS.search(text) and (lines or "\n" not in text)


def _key_faults(key: str, name: str, file: str, row: int | None) -> list[Fault]:
    from klero import _native

    if not _HEX.fullmatch(key) or not _native.ed25519_is_key(bytes.fromhex(key)):
        message = "this is no public key of Ed25519 that a signature could be checked with."
        return [Fault("key-invalid", message, file, row, "key", str(key))]
    if not _is_plain(name, 0, MOST_NAME, lines=False):
        message = f"the name of a key is one line of up to {MOST_NAME} characters: whose key it is."
        return [Fault("key-name", message, file, row, "name", str(name))]
    return []


def _key_fault(keyid: str, file: str, row: int | None) -> Fault:
    message = (
        f"the key that signs ({keyid[:16]}…) is not one of this log's. Sign with a key that is, or have its public key admitted by somebody whose key "
        "is in the log: klero review admit."
    )
    return Fault("key-unknown", message, file, row, value=keyid)


def _time_faults(time: str, before: str, file: str, row: int | None) -> Sequence[Fault]:
    from klero.ledger.clock import seconds

    try:
        seconds(time)
    except InputError as error:
        return [Fault(fault.code, fault.message, file, row, "time", fault.value) for fault in error.faults]
    if time < before:
        message = f"{time} is before {before}, the time of the entry before it. Times never go back: correct it, or the clock."
        return [Fault("time-order", message, file, row, "time", time)]
    return []
