"""When is that, in the one spelling that a record knows?

Times of a record are `YYYY-MM-DDTHH:MM:SSZ` in UTC, years 2000 to 2199 (`docs/audit/protocol.md`, «Encoding»). As numbers they are seconds since 1970.

>>> seconds("2023-08-23T15:15:33Z"), written(1692803733)
(1692803733, '2023-08-23T15:15:33Z')
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from klero.errors import Fault, InputError, quoted

__all__ = ["now", "seconds", "span", "time_fault", "written"]

_TIME = re.compile(r"2[01][0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_SPANS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def seconds(text: str) -> int:
    """A time as seconds since 1970.

    Raises:
        InputError: the text is no time of a record.
    """
    if isinstance(text, str) and _TIME.fullmatch(text):
        try:
            return int(datetime.fromisoformat(text).timestamp())
        except ValueError:
            pass
    raise InputError([time_fault(text)])


def written(moment: int) -> str:
    """Seconds since 1970 as a time; «after 2199» where a record could not hold it."""
    if moment >= 7258118400:  # 2200-01-01
        return "after 2199"
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now() -> str:
    """The time now, from the system's clock, rounded down to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(length: int) -> str:
    """A number of seconds in its largest whole unit: «7 days»."""
    size, name = next((s, n) for s, n in _SPANS if length % s == 0)
    count = length // size
    return f"{count} {name}" if count == 1 else f"{count} {name}s"


def _meant(text: object) -> str:
    """How a time with another zone, or spelled otherwise, would be written; '' if it can't be told."""
    try:
        moment = datetime.fromisoformat(str(text).strip())
        if moment.tzinfo is None:
            return "; without Z it is not said in which zone it is"
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return f"; that is {moment:%Y-%m-%dT%H:%M:%SZ}" if 2000 <= moment.year <= 2199 else ""


def time_fault(text: object, what: str = "the time") -> Fault:
    """The fault of something that is no time."""
    message = f"{what} {quoted(str(text))} must be a real moment in UTC, written as 2026-05-01T09:00:00Z, in the years 2000 to 2199{_meant(text)}"
    return Fault("time-invalid", message, "", value=str(text))
