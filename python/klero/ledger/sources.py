"""Where does the chance come from, and when?

The sources of randomness that a declaration names (SOURCE of `docs/audit/protocol.md`), as plain mappings: balls, dice and lotteries that people watch,
and rounds of the drand beacon. What they gave is in :mod:`klero.ledger.reveals`.

>>> drand("quicknet", at="2023-08-23T15:15:32Z")["round"]
123
>>> balls(7, "2026-05-01T09:00:00Z")
{'digits': 7, 'kind': 'balls', 'time': '2026-05-01T09:00:00Z'}
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from math import comb
from typing import Any

from klero import _native
from klero.errors import Fault, InputError, quoted
from klero.ledger.clock import seconds, time_fault, written
from klero.words import number, words

__all__ = [
    "BEACONS",
    "Source",
    "balls",
    "dice",
    "drand",
    "lottery",
    "source_time",
    "source_words",
    "sources_faults",
]

Source = dict[str, Any]
BEACONS = {
    "quicknet": "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
    "default": "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce",
}
KINDS = ("balls", "dice", "drand", "lottery")
MOST_ROUND = (1 << 53) - 1
_OUTCOMES = 1 << 64
_FIELDS = {
    "balls": {"digits", "kind", "time"},
    "dice": {"kind", "rolls", "time"},
    "drand": {"chain", "kind", "round"},
    "lottery": {"draws", "kind", "time"},
}
_LOTTERY = re.compile(r"(.+):([0-9]{1,2})/([0-9]{1,3})")


def drand(beacon: str, *, at: str | None = None, number: int | None = None, after: bool = False) -> Source:
    """A round of a drand beacon: by its number, or the first that comes at a time.

    Args:
        beacon: «quicknet» (a round each 3 seconds) or «default» (each 30 seconds).
        at: a time in UTC; the first round at or after it.
        number: a round's number, 2 or more, in the place of `at`.
        after: the first round strictly after `at`.

    Raises:
        InputError: the beacon is unknown, not one of `at` and `number` is given, or it is out of range.
    """
    if beacon not in BEACONS:
        message = f"there is no drand beacon {quoted(str(beacon))} here; there are {' and '.join(BEACONS)}"
        raise InputError([Fault("source-invalid", message, "", value=str(beacon))])
    if (at is None) == (number is None):
        raise InputError(
            [Fault("source-invalid", "give the drand round's time or its number, one of both", "")]
        )
    chain, found = BEACONS[beacon], number
    if at is not None:
        first, second = _native.beacon_time(chain, 1), _native.beacon_time(chain, 2)
        period, gone = second - first, seconds(at) - first
        found = gone // period + 2 if after else 1 - (-gone) // period
    if type(found) is not int or not 2 <= found <= MOST_ROUND:
        message = f"the drand round {quoted(str(found))} is out of range: 2 to 2^53 - 1, later than the beacon's beginning"
        raise InputError([Fault("source-invalid", message, "", value=str(found))])
    return {"chain": chain, "kind": "drand", "round": found}


def balls(digits: int, time: str) -> Source:
    """So many draws of one of ten balls, 0 to 9, each put back; drawn at `time`."""
    return {"digits": digits, "kind": "balls", "time": time}


def dice(rolls: int, time: str) -> Source:
    """So many rolls of a die with six sides; rolled at `time`."""
    return {"kind": "dice", "rolls": rolls, "time": time}


def lottery(draws: Sequence[str | tuple[str, int, int]], time: str) -> Source:
    """A public lottery's result: for each drum (name, how many numbers, the largest number), or «name:5/50»; drawn at `time`.

    Raises:
        InputError: a text is not of this form.
    """
    parts, faults = [], []
    for draw in draws:
        found = _LOTTERY.fullmatch(draw) if isinstance(draw, str) else None
        if found:
            parts.append((found[1].strip(), int(found[2]), int(found[3])))
        elif isinstance(draw, str):
            message = f"the lottery {quoted(draw)} must be written as NAME:5/50, for 5 numbers of 1 to 50"
            faults.append(Fault("source-invalid", message, "", value=draw))
        else:
            parts.append(draw)
    if faults:
        raise InputError(faults)
    return {
        "draws": [{"count": count, "most": most, "name": name} for name, count, most in parts],
        "kind": "lottery",
        "time": time,
    }


def source_time(source: Mapping[str, Any]) -> int:
    """When a source is drawn, in seconds since 1970."""
    if source["kind"] == "drand":
        return _native.beacon_time(source["chain"], source["round"])
    return seconds(source["time"])


def source_words(source: Mapping[str, Any], lang: str = "en", when: str = "") -> str:
    """A source in a line of words that can stand within a sentence. `when`: its time as it is to be written; UTC as in the record if empty."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    when = when or written(source_time(source))
    if source["kind"] == "balls":
        return plural(
            "{n} ball drawn in public, from 0 to 9, on {when}",
            "{n} balls drawn in public, each from 0 to 9 and put back after it is read, on {when}",
            source["digits"],
        ).format(n=source["digits"], when=when)
    if source["kind"] == "dice":
        return plural(
            "{n} throw of a six-sided die, in public, on {when}",
            "{n} throws of a six-sided die, in public, on {when}",
            source["rolls"],
        ).format(n=source["rolls"], when=when)
    if source["kind"] == "drand":
        name = next(n for n, chain in BEACONS.items() if chain == source["chain"])
        return _("public beacon drand ({chain}), round {round}, on {when}").format(
            chain=name, round=number(source["round"], lang), when=when
        )
    draws = ", ".join(
        plural(
            "{name}: {n} number from 1 to {most}", "{name}: {n} numbers from 1 to {most}", d["count"]
        ).format(name=d["name"], n=d["count"], most=d["most"])
        for d in source["draws"]
    )
    return _("published lottery ({draws}) of {when}").format(draws=draws, when=when)


def sources_faults(sources: object, where: str, digits: int) -> list[Fault]:
    """What is wrong with a list of sources.

    Args:
        sources: the list.
        where: its name in messages.
        digits: log10 of the number of balls of the lottery.
    """
    if not isinstance(sources, list) or not sources:
        return [_fault(f"{where}: at least one source of randomness is needed")]
    faults: list[Fault] = []
    for source in sources:
        faults += _source_faults(source, where, digits)
    if faults:
        return faults
    kinds = [source["kind"] for source in sources]
    if kinds != sorted(set(kinds)):
        faults.append(_fault(f"{where}: each kind of source stands once, in the order {', '.join(KINDS)}"))
    outcomes = 1
    for source in sources:
        outcomes *= _outcomes(source)
    if outcomes < _OUTCOMES:
        message = (
            f"{where}: there are {outcomes} possible outcomes, fewer than 2^64, so that somebody could look through all of them. "
            "Take more digits or rolls, or another source as well."
        )
        faults.append(_fault(message))
    beacon = next((source for source in sources if source["kind"] == "drand"), None)
    for source in sources if beacon else ():
        if source is not beacon and beacon and source_time(source) >= source_time(beacon):
            message = (
                f"{where}: {source['kind']} at {source['time']} must come before the drand round ({written(source_time(beacon))}), "
                "so that nobody who has a hand in them knows the beacon already. Take a later round."
            )
            faults.append(_fault(message))
    return faults


def _source_faults(source: object, where: str, digits: int) -> list[Fault]:
    if not isinstance(source, dict) or source.get("kind") not in KINDS:
        return [_fault(f"{where}: each source is an object whose kind is one of {', '.join(KINDS)}")]
    kind = source["kind"]
    if set(source) != _FIELDS[kind]:
        return [_fault(f"{where}: {kind} has exactly the fields {', '.join(sorted(_FIELDS[kind]))}")]
    faults = []
    if kind == "drand":
        if source["chain"] not in BEACONS.values():
            faults.append(
                _fault(f"{where}: the drand chain is none of {', '.join(BEACONS)}", source["chain"])
            )
        if not within(source["round"], 2, MOST_ROUND):
            faults.append(_fault(f"{where}: a drand round is a whole number, 2 to 2^53 - 1", source["round"]))
        return faults
    try:
        seconds(source["time"])
    except InputError:
        faults.append(time_fault(source["time"], f"{where}: the time of the {kind}"))
    if kind == "balls" and not within(source["digits"], digits, 60):
        message = f"{where}: balls give {digits} to 60 digits (the lottery has 10^{digits} balls)"
        faults.append(_fault(message, source["digits"]))
    if kind == "dice" and not within(source["rolls"], 1, 200):
        faults.append(_fault(f"{where}: dice are rolled 1 to 200 times", source["rolls"]))
    if kind == "lottery":
        faults += _draws_faults(source["draws"], where)
    return faults


def _draws_faults(draws: object, where: str) -> list[Fault]:
    if not isinstance(draws, list) or not 1 <= len(draws) <= 20:
        return [_fault(f"{where}: a lottery has 1 to 20 draws")]
    faults = []
    for draw in draws:
        if not isinstance(draw, dict) or set(draw) != {"count", "most", "name"}:
            faults.append(_fault(f"{where}: each draw of a lottery has exactly the fields count, most, name"))
            continue
        if not isinstance(draw["name"], str) or not draw["name"]:
            faults.append(_fault(f"{where}: a draw of a lottery needs a name", draw["name"]))
        if not within(draw["most"], 2, 999) or not within(draw["count"], 1, min(20, draw["most"] - 1)):
            message = f"{where}: a lottery draws 1 to 20 different numbers of 1 to 999, fewer than there are"
            faults.append(_fault(message, f"{draw['count']}/{draw['most']}"))
    return faults


def _outcomes(source: Source) -> int:
    if source["kind"] == "balls":
        return int(10 ** source["digits"])
    if source["kind"] == "dice":
        return int(6 ** source["rolls"])
    if source["kind"] == "drand":
        return 1 << 256
    ways = 1
    for draw in source["draws"]:
        ways *= comb(draw["most"], draw["count"])
    return ways


def within(value: object, low: int, high: int) -> bool:
    """Whether it is a whole number, and no truth value, from `low` to `high`."""
    return type(value) is int and low <= value <= high


def _fault(message: str, value: object = None) -> Fault:
    return Fault("source-invalid", message, "", value=None if value is None else str(value))
