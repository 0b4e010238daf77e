"""Numbers, sizes and moments in the words of a page about repeated contributions, and texts made safe to stand in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING

from klero._harmless import harmless
from klero.words import number, percent, words

if TYPE_CHECKING:
    from klero.voices.repeats_facts import Accounts, Breakdown, SizeClass

__all__ = [
    "accounts_words",
    "counted",
    "counted_in_groups",
    "decimal",
    "few_words",
    "figure",
    "harmless",
    "html_table",
    "joined",
    "moment",
    "role_words",
    "safe",
    "share",
    "size_range",
    "stance_words",
    "value_words",
]


def safe(text: str) -> str:
    """Text as HTML: harmless, and escaped.

    >>> safe("a<b\\x00\\u202ec")
    'a&lt;b⟨U+0000⟩⟨U+202E⟩c'
    """
    return escape(harmless(text))


def decimal(value: float, lang: str) -> str:
    """A similarity with at most three decimals, rounded down: nothing short of 1 is shown as 1.

    >>> decimal(0.8, "en"), decimal(0.99996, "fr"), decimal(1.0, "fr")
    ('0.8', '0,999', '1')
    """
    text = f"{math.floor(value * 1000 + 1e-6) / 1000:.3f}"
    text = text.rstrip("0").rstrip(".")
    return text if lang == "en" else text.replace(".", ",")


def moment(written: str, lang: str) -> str:
    """«2026-03-02 08:12 UTC», or «02/03/2026 08:12 UTC» in French; a day alone has no «UTC»."""
    day, _blank, clock = written.partition(" ")
    if lang == "fr" and re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        day = "/".join(reversed(day.split("-")))
    return f"{day} {clock} UTC" if clock else day


def share(part: int, whole: int, lang: str) -> str:
    """«6.53 %»; of fewer than 100 without decimals, which would promise more than there is.

    >>> share(1, 3, "en"), share(1, 300, "fr")
    ('33\xa0%', '0,3333\xa0%')
    """
    if whole >= 100:
        return percent(Fraction(part, whole), lang).replace(" ", "\xa0")
    return f"{round(100 * part / whole)}\xa0%"


def few_words(wholes: Iterable[int], lang: str) -> list[str]:
    """A caution if a percentage shown is one of fewer than 30."""
    if not any(0 < whole < 30 for whole in wholes):
        return []
    return [
        words(lang).gettext(
            "A percentage of fewer than 30 contributions says little: one more or less changes it much."
        )
    ]


def accounts_words(accounts: Accounts | None, lang: str) -> str:
    """«3», «3 (+ 2 without author)», or «unknown», for a cell."""
    if accounts is None:
        return words(lang).gettext("unknown")
    text = number(accounts.different, lang)
    if accounts.unnamed:
        text += " " + words(lang).gettext("(+ {n} without author)").format(n=number(accounts.unnamed, lang))
    return text


def counted(count: int, lang: str) -> str:
    """«1 contribution», «1,203 contributions»."""
    text = words(lang).ngettext("{n} contribution", "{n} contributions", count)
    return text.format(n=number(count, lang))


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


def value_words(line: Breakdown, lang: str) -> str:
    """A value of a column as HTML, cut at 200 code points; «(none)», or «12 others»."""
    _ = words(lang).gettext
    if line.value is None:
        text = (
            words(lang).ngettext("{n} other", "{n} others", line.values).format(n=number(line.values, lang))
        )
        return safe(f"({text})")
    if not line.value:
        return safe(_("(none)"))
    return safe(line.value if len(line.value) <= 200 else line.value[:199] + "…")


def stance_words(lines: Sequence[Breakdown], lang: str) -> tuple[Breakdown, ...]:
    """The lines with their stances in words."""
    _ = words(lang).gettext
    known = {"for": _("for"), "against": _("against"), "neutral": _("neutral")}
    return tuple(replace(line, value=known.get(line.value or "", line.value)) for line in lines)


def joined(parts: Iterable[str], lang: str) -> str:
    """Parts of a description as a sentence: «a; b; c.», in French with a space that does not break before each mark."""
    return words(lang).gettext("; ").join(parts) + "."


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


def figure(caption: str, svg: str, *, little: bool = False) -> str:
    """A picture with its caption. A wide one keeps its size on a narrow screen and is moved sideways, by keyboard too."""
    kind = ' class="little"' if little else ' tabindex="0"'
    return f"<figure{kind}><figcaption>{safe(caption)}</figcaption>{svg}</figure>\n"


def html_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = (), caption: str = ""
) -> str:
    """A table in a box that can be scrolled sideways, by keyboard too; the first cell of each row is its heading.

    Args:
        headings: text.
        rows: cells as HTML.
        numbers: the columns that hold numbers.
        caption: text.
    """
    right = frozenset(numbers)
    kind = [' class="n"' if i in right else "" for i in range(len(headings))]
    head = "".join(f'<th scope="col"{kind[i]}>{safe(heading)}</th>' for i, heading in enumerate(headings))
    body = "".join(
        f'<tr><th scope="row"{kind[0]}>{first}</th>'
        + "".join(f"<td{kind[i]}>{cell}</td>" for i, cell in enumerate(rest, 1))
        + "</tr>\n"
        for first, *rest in rows
    )
    title = f"<caption>{safe(caption)}</caption>" if caption else ""
    box = f'<div class="wide" tabindex="0" role="region" aria-label="{safe(caption or ", ".join(headings))}">'
    return f"{box}<table>{title}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
