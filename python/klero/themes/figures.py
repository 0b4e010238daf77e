"""How are shares and figures of themes written, in the reader's language?"""

from __future__ import annotations

from fractions import Fraction

from klero.words import percent

__all__ = ["bare_percent", "two_decimals"]


def bare_percent(share: Fraction, lang: str) -> str:
    """As `klero.words.percent`, without zeros that say nothing.

    >>> bare_percent(Fraction(1, 200), "en"), bare_percent(Fraction(2, 3), "fr")
    ('0.5 %', '66,67 %')
    """
    text = percent(share, lang)
    figures, unit = text[:-2], text[-2:]
    return figures.rstrip("0").rstrip(".,") + unit if "." in figures or "," in figures else text


def two_decimals(value: float, lang: str) -> str:
    """With the language's decimal mark.

    >>> two_decimals(0.5, "en"), two_decimals(0.5, "fr")
    ('0.50', '0,50')
    """
    text = f"{value:.2f}"
    return text if lang == "en" else text.replace(".", ",")
