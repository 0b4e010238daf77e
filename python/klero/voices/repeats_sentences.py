"""What the page and the terminal say besides the groups themselves: accounts behind them, chains, and other settings."""

from __future__ import annotations

from klero._page_words import counted, decimal, joined
from klero.voices.repeats_facts import Facts
from klero.words import number, words

__all__ = ["account_words", "chain_words", "ladder_words"]


def account_words(facts: Facts, lang: str) -> list[str]:
    """From how many accounts the groups come, or that it is not known."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    accounts = facts.accounts
    if accounts is None:
        return [
            _(
                "Authors unknown: no column of authors was read, so from how many accounts a group comes is not counted."
            )
        ]
    count = plural("{n} account", "{n} accounts", accounts.different)
    line = _("Alike with others: {contributions} from {accounts}.").format(
        contributions=counted(facts.grouped - accounts.unnamed, lang),
        accounts=count.format(n=number(accounts.different, lang)),
    )
    if accounts.unnamed:
        text = plural("{n} more names no author.", "{n} more name no author.", accounts.unnamed)
        line += " " + text.format(n=number(accounts.unnamed, lang))
    lines = [line]
    if facts.single:
        text = plural(
            "{n} group comes from one single account.",
            "{n} groups come from one single account each.",
            facts.single,
        )
        lines.append(text.format(n=number(facts.single, lang)))
    lines[-1] += " " + _("An account is not a person.")
    return lines


def ladder_words(facts: Facts, lang: str) -> list[str]:
    """What other settings would find."""
    _ = words(lang).gettext
    texts = {
        "threshold": _("with threshold {value}: {n}"),
        "containment": _("by containment: {n}"),
        "accents": _("without accents: {n}"),
    }
    told = [
        texts[rung.name].format(value=decimal(rung.value, lang), n=number(rung.more, lang))
        for rung in facts.ladder
    ]
    if not told or not facts.alone:
        return []
    return [
        _("Of those alone, what other settings would group as well: {list}").format(list=joined(told, lang))
    ]


def chain_words(facts: Facts, lang: str) -> list[str]:
    """That there are groups which may hold several letters."""
    if not facts.chained:
        return []
    text = words(lang).ngettext(
        "In {n} group some members are tied to the representative only through others: maybe several texts.",
        "In {n} groups some members are tied to the representative only through others: maybe several texts each.",
        facts.chained,
    )
    return [text.format(n=number(facts.chained, lang))]
