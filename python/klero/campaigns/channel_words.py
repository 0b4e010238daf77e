"""What does one test say of one group, in plain words and without anybody's text?

A channel's name and what it compares, its p-value, its sizes of effect and its null groups: for the page, for `explain_group`, and for what a
contributor is given, where the texts of others may not stand. A name that has no words here is shown as it is, so that nothing is passed over.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from klero.campaigns.explain_words import rounded, why_not_words
from klero.words import number, words

if TYPE_CHECKING:
    from klero.campaigns.model import Channel, Null

__all__ = [
    "channel_compares",
    "channel_name",
    "channel_words",
    "effect_words",
    "null_words",
    "p_words",
    "statistic_words",
]

_EXPECTED = "_expected"  # «pairs_expected» is told in the sentence of «pairs»


def channel_name(name: str, lang: str) -> str:
    """A channel in two or three words."""
    _ = words(lang).gettext
    return {
        "template": _("Common letter"),
        "paraphrase": _("Same message in other words"),
        "time": _("Time"),
        "coaction": _("Acting together elsewhere"),
        "votes": _("Votes"),
        "metadata": _("Further columns"),
    }.get(name, name)


def channel_compares(name: str, lang: str) -> str:
    """What a channel compares with what."""
    _ = words(lang).gettext
    return {
        "template": _(
            "Do these texts share more rare wording than texts by different people do in this consultation?"
        ),
        "paraphrase": _(
            "Do these texts mean more nearly the same than groups found in the same way elsewhere in this consultation?"
        ),
        "time": _(
            "Did these texts come nearer to each other in time than as many others of the same question?"
        ),
        "coaction": _(
            "Do these accounts meet on the same things more often than accounts as active as they are?"
        ),
        "votes": _("Do these accounts vote alike more often than others of the same opinions?"),
        "metadata": _(
            "Do these contributions share rare values of the further columns more often than others do?"
        ),
    }.get(name, name)


def p_words(p: float, lang: str) -> str:
    """A p-value: «p = 0.0004, about 1 in 2,500».

    >>> p_words(0.0004, "en"), p_words(1e-12, "en"), p_words(0.4, "fr")
    ('p\\xa0=\\xa00.0004, about 1 in 2,500', 'p\\xa0<\\xa00.000001, rarer than 1 in 1,000,000', 'p\\xa0=\\xa00,4')
    """
    _ = words(lang).gettext
    if p < 1e-6:
        least = "p\u00a0<\u00a00.000001" if lang == "en" else "p\u00a0<\u00a00,000001"
        return _("{p}, rarer than 1 in {n}").format(p=least, n=number(1_000_000, lang))
    told = f"p\u00a0=\u00a0{rounded(p, lang)}"
    if p > 0.1:
        return told
    whole = 1 / p
    digits = max(0, math.floor(math.log10(whole)) - 1)
    return _("{p}, about 1 in {n}").format(p=told, n=number(round(whole / 10**digits) * 10**digits, lang))


def statistic_words(name: str, lang: str) -> str:
    """What was measured; another name stays as it is, with spaces."""
    _ = words(lang).gettext
    known = {
        "shared-bits": _("rare wording in common, in bits"),
        "missing-words": _("different words that are missing, beside what texts of this length have"),
        "similarity-mean": _("mean similarity (1: the same meaning)"),
        "similarity-excess": _(
            "similarity above that of texts that follow each other, in standard deviations"
        ),
        "similarity-strength": _("similarity beside that of texts that follow each other elsewhere"),
        "scan-likelihood-ratio": _("burst: logarithm of the likelihood ratio"),
        "closeness": _("closeness in time"),
        "scan": _("most in one stretch of time, beside what was to be expected"),
        "hours-of-half": _("hours in which half of them came"),
        "evenness": _("evenness of the gaps in time"),
        "evenness-of-pace": _("evenness of the gaps as the others' clock runs"),
        "usual-surprise": _("surprise of the timing (powers of ten), beside texts on one subject here"),
        "pairs": _("pairs of accounts that act together"),
        "meetings": _("meetings of these accounts on the same things"),
        "agreement": _("share of votes that agree"),
        "surprise": _("surprise of the shared values, in bits"),
        "vocabulary": _("different words in all"),
    }
    return known.get(name, name.replace("-", " ").replace("_", " "))


def effect_words(channel: Channel, lang: str) -> list[str]:
    """The sizes of the effect, a sentence each."""
    _ = words(lang).gettext
    known = {
        "shared_bits_median": _("Half of them share at least {x} bits of rare wording with the letter"),
        "shared_words_median": _("Half of them share at least {x} words with the letter"),
        "told_bits_median": _("Half of them say at least {x} bits in rare words"),
        "words_median": _("Half of them have at least {x} words"),
        "telling_words_median": _(
            "Half of them have at least {x} words that are not in the question and not everybody's"
        ),
        "frame_words": _("The letter has {x} words that most have"),
        "slots": _("Places where each puts words of their own: {x}"),
        "vocabulary": _("Different words in all of them together: {x}"),
        "vocabulary_words": _("Words that were looked at for this, repeated ones included: {x}"),
        "similarity_mean": _("Mean similarity of two of these texts: {x}"),
        "similarity_z": _("That is {x} standard deviations above random texts of the question"),
        "similarity_strength": _(
            "Beside texts that follow each other elsewhere, that is {x} standard deviations"
        ),
        "window_hours": _("The burst lasted {x} hours"),
        "window_members": _("Texts that came in it: {x}"),
        "hours_of_half": _("Half of them came within {x} hours"),
        "gap_evenness": _("Evenness of the gaps in time (1: like a clock): {x}"),
        "pairs": _("Pairs of these accounts that meet on the same things: {x}"),
        "sharing": _("Accounts of the group with one and the same value of a column: {x}"),
        "agreement_mean": _("Share of their common votes that agree: {x}"),
    }
    told = []
    for name, value in channel.effect.items():
        if name.endswith(_EXPECTED) and name.removesuffix(_EXPECTED) in channel.effect:
            continue
        line = known.get(name, _("{name}: {n}").format(name=name.replace("_", " "), n="{x}"))
        line = line.format(x=rounded(value, lang))
        expected = channel.effect.get(name + _EXPECTED)
        if expected is not None:
            line += " " + _("(where nobody acts together: {x})").format(x=rounded(expected, lang))
        told.append(line + ".")
    ignored = channel.details.get("ignored")
    if isinstance(ignored, list) and ignored:
        names = _("; ").join(map(str, ignored))
        told.append(_("Ignored, because it is the same for most: {list}.").format(list=names))
    return told


def null_words(null: Null, lang: str) -> str:
    """The null groups of a statistic, and where the group stands among them."""
    plural = words(lang).ngettext
    _ = words(lang).gettext
    text = (
        _("{statistic}: {observed} here.")
        if not null.count
        else plural(
            "{statistic}: {observed} here; of {count} chance groups, {exceed} is as extreme.",
            "{statistic}: {observed} here; of {count} chance groups, {exceed} are as extreme.",
            null.exceed,
        )
    )
    line = text.format(
        statistic=statistic_words(null.statistic, lang),
        observed=rounded(null.observed, lang),
        count=number(null.count, lang),
        exceed=number(null.exceed, lang) if null.exceed else _("none"),
    )
    if null.tail == "exponential":
        line += " " + _("How rare it is beyond them is told from a curve fitted to their upper part.")
    elif null.tail == "exact":
        line += " " + _("The probability was computed exactly.")
    return line[:1].upper() + line[1:]


def channel_words(channel: Channel, lang: str) -> list[str]:
    """One channel in sentences, without any text of anybody: what it compares, how rare the finding is, effects and null groups.

    Raises:
        InputError: the language is not known.
    """
    _ = words(lang).gettext
    name = channel_name(channel.name, lang)
    if channel.p is None:
        return [_("{name}: not tested ({why}).").format(name=name, why=why_not_words(channel.why_not, lang))]
    head = _("{name}: {n}").format(name=name, n=channel_compares(channel.name, lang))
    rare = _("Where nobody acts together, so much or more would be seen with {p}.").format(
        p=p_words(channel.p, lang)
    )
    return [head, rare, *effect_words(channel, lang), *(null_words(null, lang) for null in channel.nulls)]
