"""How are numbers, shares and moments written on a page, in its language?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from fractions import Fraction

from klero.words import number, percent, words

__all__ = ["counted", "decimal", "few_words", "joined", "moment", "share"]


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


def counted(count: int, lang: str) -> str:
    """«1 contribution», «1,203 contributions»."""
    text = words(lang).ngettext("{n} contribution", "{n} contributions", count)
    return text.format(n=number(count, lang))


def joined(parts: Iterable[str], lang: str) -> str:
    """Parts of a description as a sentence: «a; b; c.», in French with a space that does not break before each mark."""
    return words(lang).gettext("; ").join(parts) + "."
