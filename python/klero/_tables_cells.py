"""How does a cell read as text, whichever program the table came from?

«3», 3 and 3.0 are the same answer to a question, and so are a café typed with one or two code points for its
é, and a name followed by a non-breaking space. Every cell becomes text in Unicode's composed form (NFC),
without blanks or invisible marks at its ends, with «\\n» for line breaks.
"""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from numbers import Integral, Real

__all__ = ["ERROR_CELLS", "THOUSANDS", "cell_text", "clean", "cleaned", "folded"]

# All that Unicode calls white space, and what hides at the ends of pasted text: zero-width marks and
# direction marks.
_ENDS = (
    "".join(chr(c) for c in range(0x3001) if chr(c).isspace()) + "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
)
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
_QUOTES = dict.fromkeys(map(ord, "\u2018\u2019\u02bc"), "'")
# «1,234» is a thousand to some and a little more than one to others.
THOUSANDS = r"[1-9][0-9]{0,2},[0-9]{3}"
# What a formula that failed leaves in a cell, in English and French.
ERROR_CELLS = frozenset(
    (
        "#N/A",
        "#REF!",
        "#VALUE!",
        "#DIV/0!",
        "#NAME?",
        "#NULL!",
        "#NUM!",
        "#VALEUR!",
        "#NOM?",
        "#NUL!",
        "#NOMBRE!",
    )
)

_MOST_DIGITS = 400


def clean(text: str) -> str:
    """NFC, trimmed, with «\\n» for line breaks. Applying it twice changes nothing."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    text = text.strip(_ENDS)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def cleaned(texts: Iterable[str]) -> Iterator[str]:
    """`clean` for a column, where the same few values come back again and again."""
    known: dict[str, str] = {}
    for text in texts:
        value = known.get(text)
        if value is None:
            value = known[text] = clean(text)
        yield value


def folded(text: str) -> str:
    """A key under which names are alike that differ only in case, accents, dashes, apostrophes or spaces.

    Only the accents of Latin, Greek and Cyrillic letters are dropped: in other scripts such marks are vowels,
    and two words without them are no longer two words.
    """
    plain = unicodedata.normalize("NFD", text.translate(_DASHES | _QUOTES).casefold())
    plain = "".join(c for c in plain if not "\u0300" <= c <= "\u036f")
    return " ".join(plain.split()).replace(" - ", "-")


def kind_of(value: object) -> str:
    """The type of a value with its article: «an int», «a dict»."""
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def cell_text(value: object) -> str | None:
    """The text of a typed cell, not yet cleaned; None if this type has no text (a list, say)."""
    if isinstance(value, str):
        return str.__str__(value)
    if value is None:
        return ""
    item = getattr(value, "item", None)
    if callable(item) and not isinstance(value, Integral | Real):  # NumPy's truth values
        value = item()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Integral | Decimal) and not _is_short(value):
        return None
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Decimal):
        return _decimal_text(value)
    if isinstance(value, Real):
        return _float_text(float(value))
    if isinstance(value, bytes):
        return _bytes_text(value)
    return _date_text(value)


def _is_short(number: Integral | Decimal) -> bool:
    """Whether it can be written out: Python itself refuses integers of thousands of digits."""
    if isinstance(number, Decimal):
        return not number.is_finite() or abs(number.adjusted()) < _MOST_DIGITS
    return bool(abs(int(number)) < 10**_MOST_DIGITS)


def _float_text(number: float) -> str:
    if math.isnan(number):
        return ""
    return str(int(number)) if number.is_integer() else repr(number)


def _decimal_text(number: Decimal) -> str:
    if number.is_nan():
        return ""
    if not number.is_finite():
        return str(number)
    return str(int(number)) if number == number.to_integral_value() else format(number.normalize(), "f")


def _bytes_text(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _date_text(value: object) -> str | None:
    if isinstance(value, dt.datetime):
        midnight = value.tzinfo is None and value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ")
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return str(value)
    return None
