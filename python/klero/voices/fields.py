"""When was this written, for or against what, and how many agreed?

One reading of each kind of cell, for all platforms. What can't be read is None: the caller counts it, names examples, and says so.

>>> str(time_of("2019-01-16 10:58:44 +0100")), str(time_of("le 16 janvier 2019 à 10h58"))
('2019-01-16 09:58:44+00:00', '2019-01-16 10:58:00+00:00')
>>> stance_of("POUR"), stance_of("-1"), stance_of("mitigé"), stance_of("bleu")
('for', 'against', 'neutral', None)
>>> votes_of("1 234"), votes_of("12.0"), votes_of("1.5")
(1234, 12, None)
"""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING

from klero._tables_cells import THOUSANDS, folded

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["STANCES", "has_zone", "in_utc", "number_type", "stance_of", "time_of", "votes_of"]

STANCES = ("for", "against", "neutral")

_NEUTRAL = "neutral neutre neutro neither pass abstention abstencion mixed mitige 0 0.0"


def _phrases(text: str, *longer: str) -> set[str]:
    return set(text.split()) | set(longer)


_STANCE = {
    **dict.fromkeys(_phrases(_NEUTRAL, "ni pour ni contre", "neither for nor against"), "neutral"),
    **dict.fromkeys(
        _phrases("for pour favor favour favorable agree accord support yes oui si true vrai 1 +1 1.0"), "for"
    ),
    **dict.fromkeys(("a favor", "en faveur", "in favor", "in favour", "d'accord", "de acuerdo"), "for"),
    **dict.fromkeys(
        _phrases(
            "against contre contra opposed oppose defavorable disagree desaccord no non false faux -1 -1.0"
        ),
        "against",
    ),
    **dict.fromkeys(("en contra", "pas d'accord", "en desacuerdo"), "against"),
}


def stance_of(text: str) -> str | None:
    """«for», «against» or «neutral»; None where the cell says neither."""
    return _STANCE.get(folded(text))


def votes_of(text: str) -> int | None:
    """A whole number, whatever the mark between its thousands; None if it is none, is below zero, or would not fit 63 bits."""
    plain = text.replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace("'", "")
    if re.fullmatch(THOUSANDS + r"(?:,[0-9]{3})*", plain):
        plain = plain.replace(",", "")
    if not re.fullmatch(r"[0-9]{1,19}(?:\.0+)?(?:[eE]\+?[0-9]{1,2})?", plain):
        return None
    try:
        value = Decimal(plain)
    except InvalidOperation:
        return None
    return int(value) if value == value.to_integral_value() and value < 2**63 else None


_NAMES = (
    "janvier january enero janv jan",
    "fevrier february febrero fevr fev feb",
    "mars march marzo mar",
    "avril april abril avr apr abr",
    "mai may mayo",
    "juin june junio jun",
    "juillet july julio juil jul",
    "aout august agosto aug ago",
    "septembre september septiembre sept sep",
    "octobre october octubre oct",
    "novembre november noviembre nov",
    "decembre december diciembre dec dic",
)
_MONTHS = {name: number for number, names in enumerate(_NAMES, start=1) for name in names.split()}
_CLOCK = r"(?:,?\s*(?:[aà]\s+)?(?P<hour>\d{1,2})\s*[:hH]\s*(?P<minute>\d{2})?(?::(?P<second>\d{2}))?)?"
_DAY_FIRST = re.compile(
    rf"(?P<day>\d{{1,2}})(?P<mark>[/.-])(?P<month>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}){_CLOCK}"
)
_NAMED = re.compile(
    rf"(?:le\s+)?(?:[a-z]+\.?,?\s+)?(?P<day>\d{{1,2}})(?:er)?\s+(?:de\s+)?(?P<name>[a-z]+)\.?,?\s+(?:de\s+)?(?P<year>\d{{4}}){_CLOCK}"
)
_ZONE = re.compile(r"\s+(?=[+-]\d{2}:?\d{2}$)")
_ZONED = re.compile(r"(?:\d{2}:\d{2}|T\d{4})\S*\s*(?:[zZ]|UTC|[+-]\d{2}(?::?\d{2}){0,2})$")
_LEAST, _MOST = dt.datetime(1970, 1, 2, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


def time_of(text: str) -> dt.datetime | None:
    """A moment in UTC; None if the cell holds none between 1970 and 2200.

    Read: ISO 8601 with or without zone, seconds, milliseconds or microseconds since 1970 (nine digits or more), day/month/year (the day first,
    as all but Americans write), «16 janvier 2019 à 10h58», and a duration after a date («2015-09-15 0 days 10:50:19»). A time without zone
    counts as UTC: for a distance in time that is right where all of a file is written in one zone.
    """
    text = " ".join(text.split())
    if not text:
        return None
    try:
        moment = _epoch(text) if text.isdecimal() and text.isascii() and len(text) >= 9 else _written(text)
    except (ValueError, OverflowError):
        return None
    if moment is None:
        return None
    try:
        moment = moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)
    except OverflowError:
        return None
    return moment if _LEAST <= moment < _MOST else None


def has_zone(text: str) -> bool:
    """Whether a time that `time_of` reads says in which zone it is (seconds since 1970 do).

    >>> has_zone("2019-01-16 10:58:44 +0100"), has_zone("2019-01-16T10:58Z"), has_zone("2019-01-16"), has_zone("le 16 janvier 2019 à 10h58")
    (True, True, False, False)
    """
    text = text.strip()
    return (text.isdecimal() and len(text) >= 9) or _ZONED.search(text) is not None


def in_utc(column: pa.Array) -> pa.Array:
    """A column of Arrow's dates or timestamps in µs, UTC; null where `time_of` would find no moment either.

    Without zone they count as UTC. Zones need not be known: what Arrow stores is UTC already.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    unit = kind.unit if pa.types.is_timestamp(kind) else "D" if pa.types.is_date32(kind) else "ms"
    second = Fraction(1, 86400) if unit == "D" else Fraction(10 ** (3 * ["s", "ms", "us", "ns"].index(unit)))
    numbers = column.view(number_type(kind)).cast(pa.int64())
    least, most = (int(int(moment.timestamp()) * second) for moment in (_LEAST, _MOST))
    within = pc.and_(pc.greater_equal(numbers, least), pc.less(numbers, most))
    numbers = pc.if_else(within, numbers, None)
    scale = 10**6 / second
    numbers = pc.multiply(numbers, scale.numerator) if scale >= 1 else pc.divide(numbers, scale.denominator)
    return numbers.cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))


def number_type(kind: pa.DataType) -> pa.DataType:
    """The whole numbers as which Arrow stores dates or timestamps."""
    import pyarrow as pa

    return pa.int32() if pa.types.is_date32(kind) else pa.int64()


def _epoch(text: str) -> dt.datetime:
    scale = 0 if len(text) <= 11 else 3 if len(text) <= 14 else 6
    return dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=int(text) * 10 ** (6 - scale))


def _written(text: str) -> dt.datetime | None:
    iso = _ZONE.sub("", text.removesuffix(" UTC").replace(" 0 days ", " "))
    if iso[:4].isdecimal():
        return dt.datetime.fromisoformat(iso)
    plain = folded(text)
    if match := _DAY_FIRST.fullmatch(text):
        month = int(match["month"])
    elif match := _NAMED.fullmatch(plain):
        month = _MONTHS.get(match["name"], 0)
    else:
        return None
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    return dt.datetime(int(match["year"]), month, int(match["day"]), hour, minute, second, tzinfo=dt.UTC)
