"""Where a person's codes and the machine's themes differ, in words that both sides could read, English or French."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from klero.themes.explain_words import listed, one_line, quoted_text
from klero.themes.figures import bare_percent, two_decimals
from klero.words import number, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from klero.themes.agreement import Interval
    from klero.themes.confront import Confrontation
    from klero.themes.confront_parts import Found, Part, TextToDiscuss

__all__ = ["confront_words"]

_TOLD = 5
_TEXTS = 10


def confront_words(told: Confrontation, lang: str) -> str:
    """The whole in sentences, one a line."""
    _ = words(lang).gettext
    lines = [
        *_counts(told, lang),
        *_figures(told, lang),
        *_lost(told, lang),
        *_apart(told, lang),
        *_found(told, lang),
    ]
    lines += [*_cells(told, lang), *_texts(told, lang)]
    lines.append(
        _(
            "No side is right because of a figure: codes can be finer or coarser than themes, or answer another question. The texts tell which it is."
        )
    )
    return "\n".join(lines)


def _counts(told: Confrontation, lang: str) -> list[str]:
    _, ngettext = words(lang).gettext, words(lang).ngettext
    lines = [
        ngettext(
            "{coded} of {total} contribution carries a code.",
            "{coded} of {total} contributions carry a code.",
            told.total,
        ).format(coded=number(told.coded, lang), total=number(told.total, lang))
    ]
    if told.missing:
        text = ngettext(
            "{n} has none and is left out of the figures.",
            "{n} have none and are left out of the figures.",
            told.missing,
        )
        lines[0] += " " + text.format(n=number(told.missing, lang))
    kinds = [sum(name[0] == letter for name in told.names) for letter in "TWL"]
    text = ngettext(
        "The person used {n} code. The machine's groups: themes {themes}, weak signals {weak}, lone voices {lone}.",
        "The person used {n} codes. The machine's groups: themes {themes}, weak signals {weak}, lone voices {lone}.",
        len(told.codes),
    )
    themes, weak, lone = (number(kind, lang) for kind in kinds)
    lines.append(text.format(n=number(len(told.codes), lang), themes=themes, weak=weak, lone=lone))
    if told.alike:
        pairs = "; ".join(listed(codes) for codes in told.alike[:_TOLD])
        text = _("Some codes differ in case, accents or spaces alone and count as different ones: {codes}.")
        lines.append(text.format(codes=pairs))
    return lines


def _figures(told: Confrontation, lang: str) -> list[str]:
    _ = words(lang).gettext
    rand = _("Adjusted Rand index: {value}{interval}; 1 is the same groups, 0 what chance gives.")
    one = _(
        "If each theme answers to one code at most, they agree on {agree} contributions ({share}); Cohen's kappa, beyond chance: {value}{interval}."
    )
    many = _(
        "If several themes may answer to one code, they agree on {agree} ({share}); kappa: {value}{interval}."
    )
    lines = [rand.format(value=_value(told.rand, lang), interval=_interval(told.rand_interval, lang))]
    for text, agree, kappa, interval in (
        (one, told.agree, told.kappa, told.kappa_interval),
        (many, told.agree_majority, told.kappa_majority, told.kappa_majority_interval),
    ):
        lines.append(
            text.format(
                agree=number(agree, lang),
                share=bare_percent(Fraction(agree, told.coded), lang),
                value=_value(kappa, lang),
                interval=_interval(interval, lang),
            )
        )
    return lines


def _value(value: Fraction | float, lang: str) -> str:
    return two_decimals(float(value), lang)


def _interval(interval: Interval | None, lang: str) -> str:
    if interval is None:
        return ""
    text = words(lang).gettext(" (95 %: {low} to {high})")
    return text.format(low=_value(interval[0], lang), high=_value(interval[1], lang))


def _lost(told: Confrontation, lang: str) -> list[str]:
    _, ngettext = words(lang).gettext, words(lang).ngettext
    if not told.lost:
        return [_("Every code has a theme of its own.")]
    text = ngettext(
        "{n} code has no theme of its own. Where its contributions are, and in «» the code after which that group is called:",
        "{n} codes have no theme of their own. Where their contributions are, and in «» the code after which that group is called:",
        len(told.lost),
    )
    lines = [text.format(n=number(len(told.lost), lang))]
    for lost in told.lost[:_TOLD]:
        text = _("- {code} ({size}): in {parts}")
        lines.append(
            text.format(
                code=one_line(lost.code), size=number(lost.size, lang), parts=_parts(lost.parts, lang)
            )
        )
    return [*lines, *_more(len(told.lost), lang)]


def _parts(parts: Sequence[Part], lang: str, called: bool = True) -> str:
    """«T1, called «bus» (12), T4 (3) and 5 more»."""
    _, ngettext = words(lang).gettext, words(lang).ngettext
    shown = []
    for part in parts[:_TOLD]:
        text = (
            _("{name} «{code}» ({count})") if called and part.majority is not None else _("{name} ({count})")
        )
        shown.append(
            text.format(name=part.name, code=one_line(part.majority or ""), count=number(part.count, lang))
        )
    rest = len(parts) - _TOLD
    if rest > 0:
        shown.append(ngettext("{n} more group", "{n} more groups", rest).format(n=number(rest, lang)))
    return ", ".join(shown)


def _more(count: int, lang: str) -> list[str]:
    rest = count - _TOLD
    if rest <= 0:
        return []
    text = words(lang).ngettext("- and {n} more", "- and {n} more", rest)
    return [text.format(n=number(rest, lang))]


def _apart(told: Confrontation, lang: str) -> list[str]:
    _, ngettext = words(lang).gettext, words(lang).ngettext
    lines = []
    if told.split:
        text = ngettext("The machine divides {n} code:", "The machine divides {n} codes:", len(told.split))
        lines.append(text.format(n=number(len(told.split), lang)))
        for split in told.split[:_TOLD]:
            parts = _parts(split.parts, lang, called=False)
            text = _("- {code} ({size}): into {parts}")
            lines.append(text.format(code=one_line(split.code), size=number(split.size, lang), parts=parts))
        lines += _more(len(told.split), lang)
    if told.merged:
        text = ngettext(
            "{n} group puts several codes together:",
            "{n} groups put several codes together:",
            len(told.merged),
        )
        lines.append(text.format(n=number(len(told.merged), lang)))
        for merge in told.merged[:_TOLD]:
            codes = ", ".join(f"{one_line(code)} ({number(count, lang)})" for code, count in merge.codes)
            text = _("- {name} ({size}): {codes}")
            lines.append(text.format(name=merge.name, size=number(merge.size, lang), codes=codes))
        lines += _more(len(told.merged), lang)
    return lines


def _found(told: Confrontation, lang: str) -> list[str]:
    ngettext = words(lang).ngettext
    if not told.found:
        return []
    text = ngettext(
        "{n} group of two contributions or more answers to no code:",
        "{n} groups of two contributions or more answer to no code:",
        len(told.found),
    )
    lines = [text.format(n=number(len(told.found), lang))]
    lines += [_found_line(found, lang) for found in told.found[:_TOLD]]
    return [*lines, *_more(len(told.found), lang)]


def _found_line(found: Found, lang: str) -> str:
    _ = words(lang).gettext
    if found.why == "uncoded":
        text = _("- {name} ({size}): most of it carries no code")
    elif found.why == "across":
        text = _(
            "- {name} ({size}): across several codes, none of which has half of it; the most frequent is {code} ({count})"
        )
    else:
        text = _("- {name} ({size}): within {code} ({count})")
    return text.format(
        name=found.name,
        size=number(found.size, lang),
        code=one_line(found.code or ""),
        count=number(found.count, lang),
    )


def _cells(told: Confrontation, lang: str) -> list[str]:
    _ = words(lang).gettext
    if not told.differ:
        return [_("No contribution has another code than its group.")]
    lines = [_("Where they differ most, found and expected by chance:")]
    for cell in told.differ[:_TOLD]:
        text = _("- {code} in {name} «{majority}»: {observed}, expected {expected}")
        if cell.majority is None:
            text = _("- {code} in {name}, which is called after no code: {observed}, expected {expected}")
        lines.append(
            text.format(
                code=one_line(cell.code),
                name=cell.name,
                majority=one_line(cell.majority or ""),
                observed=number(cell.observed, lang),
                expected=_tenth(cell.expected, lang),
            )
        )
    return lines


def _tenth(value: Fraction, lang: str) -> str:
    text = f"{float(value):.1f}"
    return text if lang == "en" else text.replace(".", ",")


def _texts(told: Confrontation, lang: str) -> Iterable[str]:
    ngettext = words(lang).ngettext
    if not told.texts:
        return
    text = ngettext(
        "{n} contribution has another code than its group. To discuss first:",
        "{n} contributions have another code than their group. To discuss first:",
        told.disagree,
    )
    yield text.format(n=number(told.disagree, lang))
    for one in told.texts[:_TEXTS]:
        yield _text(one, lang)


def _text(one: TextToDiscuss, lang: str) -> str:
    _ = words(lang).gettext
    head = _("- {id}: the person says {code}, the machine {name} «{majority}»")
    if one.majority is None:
        head = _("- {id}: the person says {code}, the machine {name}, which is called after no code")
    head = head.format(
        id=one_line(one.id), code=one_line(one.code), name=one.name, majority=one_line(one.majority or "")
    )
    return head if one.text is None else f"{head}. {quoted_text(one.text, lang)}"
