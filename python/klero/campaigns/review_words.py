"""A log of review in words: where each group stands, and how it came there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klero._page_words import moment
from klero.campaigns.review import Admission, Opening, Reopening, key_id
from klero.words import number, words

if TYPE_CHECKING:
    from klero.campaigns.review import GroupState, ReviewEntry, ReviewLog

__all__ = ["decision_words", "entry_words", "history_words", "state_words", "states_words", "when_words"]

_SHOWN = 20  # names of open groups


def decision_words(decision: str, lang: str) -> str:
    """A decision in words, as the end of a sentence."""
    _ = words(lang).gettext
    return {
        "independent": _("no common source (independent voices)"),
        "petition": _("a shared text, openly signed by each (a petition)"),
        "one-source": _("one source behind several contributions"),
        "undecided": _("looked at, and it can't be told"),
    }[decision]


def when_words(time: str, lang: str) -> str:
    """A time of a log: «2026-03-02 08:12:00 UTC», day first in French."""
    return moment(time.removesuffix("Z").replace("T", " "), lang)


def state_words(state: GroupState, lang: str) -> str:
    """Where a group stands, without saying who decided."""
    _ = words(lang).gettext
    if state.decision:
        return decision_words(state.decision, lang)
    return _("open again, to be decided anew") if state.history else _("open, as nobody has decided yet")


def entry_words(entry: ReviewEntry, log: ReviewLog, lang: str) -> str:
    """One act: when, what, by whom, why, and with whose key it was signed."""
    _ = words(lang).gettext
    act, time = entry.act, when_words(entry.time, lang)
    key = _key_words(log, entry.keyid, lang)
    if isinstance(act, Opening):
        return _("{time}: opened on the results {digest}…, signed with {key}").format(
            time=time, digest=act.sha256[:12], key=key
        )
    if isinstance(act, Admission):
        admitted = _key_words(log, key_id(act.key), lang)
        return _("{time}: {admitted} may sign, says {key}").format(time=time, admitted=admitted, key=key)
    who = _("{reviewer} ({role})").format(reviewer=act.reviewer, role=act.role) if act.role else act.reviewer
    told = {"time": time, "group": act.group, "who": who, "reason": _indented(act.reason), "key": key}
    if isinstance(act, Reopening):
        return _("{time}: {group} reopened by {who}: «{reason}» [signed with {key}]").format(**told)
    text = _("{time}: {group} decided by {who}: {decision}. «{reason}» [signed with {key}]")
    return text.format(decision=decision_words(act.decision, lang), **told)


def _indented(text: str) -> str:
    """A text of several lines as a part of a list."""
    return text.replace("\n", "\n    ")


def _key_words(log: ReviewLog, keyid: str, lang: str) -> str:
    _ = words(lang).gettext
    name = log.keys[keyid][1]
    if not name:
        return _("the key {id}…").format(id=keyid[:12])
    return _("the key of {name} ({id}…)").format(name=name, id=keyid[:12])


def history_words(state: GroupState, log: ReviewLog, lang: str) -> list[str]:
    """Where a group stands, and each act on it, in order."""
    _ = words(lang).gettext
    head = _("{group}: {state}").format(group=state.group, state=state_words(state, lang))
    return [head, *(f"  {entry_words(entry, log, lang)}" for entry in state.history)]


def states_words(log: ReviewLog, lang: str) -> list[str]:
    """All groups: those on which there is something to tell, with their history, and the names of those that are open."""
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    counts = log.counts()
    decided = len(log.states) - counts["open"]
    done = ngettext("{n} group decided", "{n} groups decided", decided).format(n=number(decided, lang))
    left = ngettext("{n} group open", "{n} groups open", counts["open"]).format(
        n=number(counts["open"], lang)
    )
    lines = [f"{done}, {left}."]
    for state in log.states.values():
        if state.history:
            lines += history_words(state, log, lang)
    waiting = [name for name, state in log.states.items() if not state.history]
    if waiting:
        more = f" … (+ {number(len(waiting) - _SHOWN, lang)})" if len(waiting) > _SHOWN else ""
        lines.append(_("Open: {groups}").format(groups=", ".join(waiting[:_SHOWN]) + more))
    return lines
