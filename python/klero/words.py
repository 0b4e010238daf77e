"""Words for people, in English and French, from one catalogue (gettext).

The English sentence in the source is the key; `locale/fr/LC_MESSAGES/klero.po` holds the French, and the tests fail if an entry is missing
or the compiled `.mo` is older than its `.po`.
"""

from __future__ import annotations

import gettext
from fractions import Fraction
from functools import cache
from pathlib import Path

from klero.errors import Fault, InputError

LANGUAGES = ("en", "fr")


@cache
def words(lang: str) -> gettext.NullTranslations:
    """The catalogue of a language; use its `gettext` and `ngettext`.

    Raises:
        InputError: the language is not in `LANGUAGES`.
    """
    if lang not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise InputError(
            [Fault("language-unknown", f"no texts in '{lang}'; there are: {known}", "", value=lang)]
        )
    if lang == "en":
        return gettext.NullTranslations()
    return gettext.translation("klero", Path(__file__).parent / "locale", [lang])


def number(value: int, lang: str) -> str:
    """A whole number with its thousands apart.

    >>> number(1234567, "en"), number(1234567, "fr")
    ('1,234,567', '1\\u202f234\\u202f567')
    """
    text = f"{value:,}"
    return text if lang == "en" else text.replace(",", "\u202f")


def percent(p: Fraction, lang: str) -> str:
    """«6.53 %», with the language's decimal mark: two decimals (four below 1 %), never rounded up to 100 nor down to 0."""
    if p == 0:
        return "0 %"
    value = float(100 * p)
    digits = 2 if value >= 1 else 4
    text = f"{value:.{digits}f}"
    if p < 1 and float(text) >= 100:
        text = "99.99"
    if p > 0 and float(text) == 0:
        return ("< 0.0001 %" if lang == "en" else "< 0,0001 %").replace(" %", " %")
    return (text if lang == "en" else text.replace(".", ",")) + " %"


def plural_count(number: str, lang: str) -> int:
    """The count to give to `ngettext` for a number as it is written, decimals included.

    French has the singular below 2 («1,89 personne»), English for 1 alone (a measurement such as 1.00 is plural).

    >>> plural_count("0,89", "fr"), plural_count("1.50", "en"), plural_count("1", "en")
    (0, 2, 1)
    """
    if lang == "fr":
        return int(float(number.replace(",", ".")))
    return 1 if number == "1" else 2
