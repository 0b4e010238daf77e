"""How are numbers, times, sources of randomness and hashes written for people, in English and French?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from fractions import Fraction
from typing import Any

from klero.errors import Fault, InputError
from klero.ledger.clock import seconds
from klero.ledger.sources import source_time, source_words
from klero.words import number, percent, words

__all__ = [
    "clear_days",
    "grouped",
    "listed",
    "millionths",
    "moment",
    "number",
    "reason_words",
    "reveal_words",
    "role_words",
    "share_words",
    "source_line",
    "typeset",
    "where_to_check",
    "zone_of",
]

_FRENCH_MONTHS = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]
_ENGLISH_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def share_words(p: Fraction, lang: str) -> str:
    """A probability in percent, whose sign does not part from its number at the end of a line."""
    return percent(p, lang).replace(" %", "\u00a0%")


def millionths(value: int, lang: str) -> str:
    """A whole number of millionths as a decimal.

    >>> millionths(100, "en"), millionths(1_500_000, "fr")
    ('0.0001', '1,5')
    """
    whole, rest = divmod(value, 10**6)
    text = f"{whole}.{rest:06}".rstrip("0").rstrip(".")
    return text if lang == "en" else text.replace(".", ",")


def grouped(digest: str, size: int = 4) -> str:
    """A hash in groups of digits, as it can be read aloud or compared by eye.

    >>> grouped("0123456789ab")
    '0123 4567 89ab'
    """
    return " ".join(digest[i : i + size] for i in range(0, len(digest), size))


def zone_of(name: str) -> tzinfo:
    """A time zone by name («Europe/Paris»); UTC for ''.

    Raises:
        InputError: this computer knows no zone of this name.
    """
    if name in ("", "UTC"):
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"'{name}' is no time zone that this computer knows. Give one such as Europe/Paris, or none for UTC."
        raise InputError([Fault("time-invalid", message, "", value=name)]) from None


def moment(time: str | int, lang: str, zone: str = "") -> str:
    """A time in words: in the zone asked for and, beside it, in UTC.

    >>> moment("2026-05-01T14:00:00Z", "en")
    '1 May 2026, 14:00 UTC'
    >>> moment("2026-05-01T14:00:00Z", "fr", "Europe/Paris").replace("\\u00a0", " ")
    '1er mai 2026 à 16 h 00 (Europe/Paris, soit 14 h 00 UTC)'
    """
    try:
        utc = datetime.fromtimestamp(time, UTC) if isinstance(time, int) else datetime.fromisoformat(time)
    except (ValueError, OverflowError, OSError):
        return f"{time} s (Unix)"  # a beacon's round may lie beyond any calendar
    local = utc.astimezone(zone_of(zone))
    if zone_of(zone) is UTC:
        return f"{_day(local, lang)}{_clock(local, lang)} UTC"
    there = _clock(utc, lang) if utc.date() == local.date() else f" {_day(utc, lang)}{_clock(utc, lang)}"
    either = there.removeprefix(",").removeprefix(" à").strip()
    also = f"{either} UTC" if lang == "en" else f"soit {either} UTC"
    return f"{_day(local, lang)}{_clock(local, lang)} ({zone}, {also})"


def _day(time: datetime, lang: str) -> str:
    if lang == "en":
        return f"{time.day} {_ENGLISH_MONTHS[time.month - 1]} {time.year}"
    first = "1er" if time.day == 1 else str(time.day)
    return f"{first}\u00a0{_FRENCH_MONTHS[time.month - 1]} {time.year}"


def _clock(time: datetime, lang: str) -> str:
    part = time.second
    if lang == "en":
        return f", {time:%H:%M:%S}" if part else f", {time:%H:%M}"
    text = f" à {time.hour}\u00a0h\u00a0{time.minute:02}"
    return f"{text}\u00a0min\u00a0{part:02}\u00a0s" if part else text


def clear_days(first: str | int, last: str | int, zone: str = "") -> int:
    """Whole days between two times, neither of their own days counted («jours francs»); never below 0.

    >>> clear_days("2026-05-01T23:00:00Z", "2026-05-12T08:00:00Z")
    10
    """
    where = zone_of(zone)
    try:
        days = [
            (datetime.fromtimestamp(t, UTC) if isinstance(t, int) else datetime.fromisoformat(t)).astimezone(
                where
            )
            for t in (first, last)
        ]
    except (ValueError, OverflowError, OSError):  # a beacon's round may lie beyond any calendar
        begin, end = (t if isinstance(t, int) else seconds(t) for t in (first, last))
        return max(0, (end - begin) // 86400 - 1)
    return max(0, (days[1].date() - days[0].date()).days - 1)


def source_line(source: Mapping[str, Any], lang: str, zone: str = "") -> str:
    """One source of randomness and its time, as a line of a list."""
    text = source_words(source, lang, moment(source_time(source), lang, zone))
    return f"{text[0].upper()}{text[1:]}."


def reveal_words(reveal: Mapping[str, Any], source: Mapping[str, Any], lang: str) -> str:
    """What was read from a source, as it stands in the record."""
    _ = words(lang).gettext
    kind = reveal["kind"]
    if kind in ("balls", "dice"):
        return grouped("".join(map(str, reveal["digits"])), 3)
    if kind == "drand":
        return _("round {round}, signature {signature}").format(
            round=number(reveal["round"], lang), signature=grouped(reveal["signature"])
        )
    colon = ": " if lang == "en" else "\u00a0: "
    apart = "; " if lang == "en" else "\u202f; "
    return apart.join(
        f"{draw['name']}{colon}{' '.join(map(str, numbers))}"
        for draw, numbers in zip(source["draws"], reveal["numbers"], strict=True)
    )


def where_to_check(source: Mapping[str, Any], lang: str) -> str:
    """How anybody can compare what was read with its origin."""
    _ = words(lang).gettext
    kind = source["kind"]
    if kind == "drand":
        address = f"https://api.drand.sh/{source['chain']}/public/{source['round']}"
        return _("{address} (other servers of drand give the same)").format(address=address)
    if kind == "lottery":
        return _("The results as the lottery's operator publishes them.")
    return _("Those present, and the film of the session if one was made.")


def reason_words(code: str, lang: str) -> str:
    """The reason of a withdrawal."""
    _ = words(lang).gettext
    return {
        "declined": _("declined the seat"),
        "ineligible": _("not eligible"),
        "unreachable": _("could not be reached"),
        "other": _("another reason"),
    }[code]


def role_words(role: str, lang: str) -> str:
    """The role of the holder of a key."""
    _ = words(lang).gettext
    return {"guarantor": _("guarantor"), "organiser": _("organiser"), "witness": _("witness")}[role]


def typeset(text: str, lang: str) -> str:
    """A sentence with the apostrophes and spaces of French print; other languages as they are.

    >>> typeset("L'an : quoi ?", "fr")
    'L’an\\xa0: quoi\\u202f?'
    """
    if lang != "fr":
        return text
    text = text.replace("'", "’").replace(" :", "\u00a0:").replace("« ", "«\u00a0").replace(" »", "\u00a0»")
    for mark in ";?!":
        text = text.replace(f" {mark}", f"\u202f{mark}")
    return text.replace(" %", "\u00a0%")


def listed(items: Iterable[str], lang: str) -> str:
    """«a, b and c»."""
    *first, last = items
    joint = " and " if lang == "en" else " et "
    return joint.join([", ".join(first), last]) if first else last
