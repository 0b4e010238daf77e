"""Sizes, accounts, values and roles in the words of a page about contributions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from klero._page_words import counted
from klero.words import number, words

if TYPE_CHECKING:
    from klero.voices.accounts import Accounts
    from klero.voices.repeats_facts import SizeClass

__all__ = [
    "accounts_words",
    "counted_in_groups",
    "role_words",
    "size_range",
]


def accounts_words(accounts: Accounts | None, lang: str) -> str:
    """«3», «3 (+ 2 without author)», or «unknown», for a cell."""
    if accounts is None:
        return words(lang).gettext("unknown")
    text = number(accounts.different, lang)
    if accounts.unnamed:
        text += " " + words(lang).gettext("(+ {n} without author)").format(n=number(accounts.unnamed, lang))
    return text


def size_range(one: SizeClass, lang: str) -> str:
    """«groups of 10 to 99»; texts that are like no other are «alone»."""
    _ = words(lang).gettext
    if one.high == 1:
        return _("alone")
    if one.high is None:
        return _("groups of {low} or more").format(low=number(one.low, lang))
    if one.low == one.high:
        return _("groups of {n}").format(n=one.low)
    return _("groups of {low} to {high}").format(low=number(one.low, lang), high=number(one.high, lang))


def counted_in_groups(one: SizeClass, lang: str) -> str:
    """«214 contributions in 12 groups»."""
    if one.high == 1:
        return counted(one.contributions, lang)
    text = words(lang).ngettext("{contributions} in {n} group", "{contributions} in {n} groups", one.groups)
    return text.format(contributions=counted(one.contributions, lang), n=number(one.groups, lang))


def role_words(role: str, lang: str) -> str:
    """What a column was read as, in words; another name stays as it is."""
    _ = words(lang).gettext
    names = {
        "text": _("text"),
        "id": _("id"),
        "author": _("author"),
        "time": _("time"),
        "question": _("question"),
        "stance": _("stance"),
        "votes": _("votes"),
        "layout": _("export of"),
    }
    return names.get(role, role)
