"""What does each check of a record show, in one plain sentence?

One catalogue for `klero verify --lang`, the minutes and whoever prints checks: the names are those of `docs/audit/protocol.md`, in its order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from klero.words import words

if TYPE_CHECKING:
    from klero.ledger.verify import Check

__all__ = ["CHECKS", "check_sentence", "count_words", "detail_words", "outcome_words", "status_words"]

CHECKS = (
    "files",
    "encoding",
    "declaration",
    "leaves",
    "log",
    "signatures",
    "commitment",
    "times",
    "randomness",
    "beacon",
    "draw.seed",
    "draw.index",
    "draw.people",
    "timestamps",
    "timestamps.signature",
    "instance",
    "pool",
    "lottery",
    "quotas",
    "certificate",
    "gap",
    "summary",
    "draw.panel",
    "succession",
    "sealed",
)
# How the library's English details begin where a check needs another one.
_BLOCKED = re.compile(r"not checked: ([a-z.]+) failed")
_LEFT = re.compile(r"([a-z.]+) was not checked")
_OWN_REASON = frozenset(("timestamps", "timestamps.signature"))


def check_sentence(name: str, lang: str = "en") -> str:
    """What holds if the check of this name is passed; the name itself if there is no such check.

    >>> check_sentence("draw.seed")
    'The seed follows from the published hash and the public randomness, from nothing else.'
    """
    return _sentences(lang).get(name, name)


def detail_words(detail: str, lang: str = "en") -> str:
    """The detail of a check, which a verifier gives in English, labelled for what it is.

    >>> detail_words("entry 2 has 1 of 2 signatures")
    'Technical detail: entry 2 has 1 of 2 signatures'
    """
    return words(lang).gettext("Technical detail: {detail}").format(detail=detail)


def status_words(status: str, lang: str = "en") -> str:
    """«passed», «FAILED» or «not checked» for the statuses `ok`, `FAIL` and `--`."""
    _ = words(lang).gettext
    return {"ok": _("passed"), "FAIL": _("FAILED"), "--": _("not checked")}[status]


def outcome_words(check: tuple[str, str, str] | Check, lang: str = "en") -> str:
    """The outcome of a check, with the reason where it was not made: for want of another that failed, or of something to check.

    A check that needs one that failed has the status `FAIL`, and its detail says so; in words it was not made.

    >>> outcome_words(("draw.seed", "FAIL", "not checked: commitment failed"))
    'not checked, because «commitment» failed'
    >>> outcome_words(("sealed", "--", "the sealed tier is not there"))
    'not checked: the sealed file is not here'
    """
    _ = words(lang).gettext
    name, status, detail = check if isinstance(check, tuple) else (check.name, check.status, check.detail)
    blocked = _BLOCKED.fullmatch(detail)
    if status == "FAIL" and blocked:
        return _("not checked, because «{name}» failed").format(name=blocked[1])
    if status != "--":
        return status_words(status, lang)
    other = _LEFT.fullmatch(detail)
    if other and not (name in _OWN_REASON and other[1] in _OWN_REASON):
        return _("not checked, because «{name}» was not").format(name=other[1])
    reason = _reasons(lang).get("timestamps" if other else name)
    return _("not checked: {reason}").format(reason=reason) if reason else _("not checked")


def _reasons(lang: str) -> dict[str, str]:
    """Why a check has nothing to look at."""
    _ = words(lang).gettext
    inside = _("the auditor's files are not here")
    return {
        "randomness": _("nothing is drawn yet"),
        "beacon": _("no beacon is used"),
        "draw.people": _("nothing is drawn yet, and nobody has withdrawn"),
        "timestamps": _("the record has no time-stamp"),
        "timestamps.signature": _("no certificate of the time-stamp authority was given"),
        "instance": inside,
        "succession": _("there is no replacement round"),
        "sealed": _("the sealed file is not here"),
    }


def count_words(statuses: Iterable[str], lang: str = "en") -> str:
    """How many checks passed, failed and were not made, in a sentence.

    >>> count_words(["ok", "ok", "--"])
    'Passed: 2; failed: 0; not checked, as the record or these files have nothing for them: 1.'
    """
    counted = Counter(statuses)
    text = words(lang).gettext(
        "Passed: {ok}; failed: {failed}; not checked, as the record or these files have nothing for them: {left}."
    )
    return text.format(ok=counted["ok"], failed=counted["FAIL"], left=counted["--"])


def _sentences(lang: str) -> dict[str, str]:
    return _public(lang) | _inside(lang)


def _public(lang: str) -> dict[str, str]:
    """The checks that the public files allow."""
    _ = words(lang).gettext
    return {
        "files": _("Every file of the record is there, and no other."),
        "encoding": _("Every file is written in the one form that the protocol allows."),
        "declaration": _("The rules of the draw are complete and free of contradiction."),
        "leaves": _("There is exactly one sealed line for each registered person."),
        "log": _(
            "The log is unbroken: each entry holds the hash of the one before, in an order that is allowed, and the stated gap is within the tolerance."
        ),
        "signatures": _(
            "Every entry of the log is signed by as many of the declared keys as the rules ask, one of them at least not the organiser's."
        ),
        "commitment": _(
            "The published hash is that of these rules, these people and this lottery, and each round counts everybody who had not withdrawn."
        ),
        "times": _(
            "By the log's times, the commitment came before the randomness by at least the declared time, "
            "whatever had to be read before the beacon was signed before it, and the draw came after all of it."
        ),
        "randomness": _(
            "The randomness used is the declared one, in the declared form, and what was read before the beacon is used unchanged."
        ),
        "beacon": _("The beacon's signature is genuine: the value is the one of the declared round."),
        "draw.seed": _(
            "The seed follows from the published hash and the public randomness, from nothing else."
        ),
        "draw.index": _(
            "The number that picks the panel follows from the published hash and the declared randomness."
        ),
        "draw.people": _(
            "The result is as many different registered people as there are seats, nobody who had withdrawn, and in a later round everybody who stayed."
        ),
        "timestamps": _(
            "The time-stamps are of these entries with their signatures, and each stamped commitment or reading has one that is early enough."
        ),
        "timestamps.signature": _("The time-stamps are signed by the authority whose certificate was given."),
    }


def _inside(lang: str) -> dict[str, str]:
    """The checks that need the auditor's or the sealed files."""
    _ = words(lang).gettext
    return {
        "instance": _(
            "The quotas of each round are the declared ones, but for those whose loosening is published."
        ),
        "pool": _(
            "Each sealed line holds the characteristics under which the person takes part in the lottery."
        ),
        "lottery": _("The lottery is a list of panels whose balls add up to the declared number."),
        "quotas": _("Every panel of the lottery has the right size and meets every quota."),
        "certificate": _("The proof of fairness holds, line by line."),
        "gap": _("The lottery comes as close to the fairest possible one as it says."),
        "summary": _("The published summary of chances is that of this lottery."),
        "draw.panel": _(
            "The people drawn are those whom the seed gives, and no household has more seats than allowed."
        ),
        "succession": _(
            "Each replacement round is about the same people, without those who withdrew, and keeps who stays."
        ),
        "sealed": _("Each sealed line is that of the person named for it, and nobody is named twice."),
    }
