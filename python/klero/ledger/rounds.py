"""What is to be told of a round of a record beside its panel: which dates it passed over, and what had to be read before the beacon?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from klero.ledger.clock import seconds
from klero.ledger.phrases import moment
from klero.ledger.sources import source_time
from klero.words import words

if TYPE_CHECKING:
    from klero.ledger.declare import Declaration
    from klero.ledger.record import Record, Round

__all__ = ["beacon_of", "needs_reading", "passed_over", "passed_words", "too_late"]


def beacon_of(sources: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The beacon among the sources of a round; None if there is none."""
    return next((source for source in sources if source["kind"] == "drand"), None)


def needs_reading(sources: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a round has the beacon and other sources, which are then read and signed before it."""
    return len(sources) > 1 and beacon_of(sources) is not None


def passed_over(record: Record, round_: Round) -> range:
    """The numbers of the calendar's dates between the round committed before and this one."""
    at = record.rounds.index(round_)
    return range(record.rounds[at - 1].number + 1, round_.number) if at else range(0)


def passed_words(rules: Declaration, number: int, lang: str, zone: str = "") -> str:
    """That a date of the calendar was passed over."""
    when = moment(max(map(source_time, rules.sources(number))), lang, zone)
    text = words(lang).gettext(
        "The calendar's date {round}, {when}, was passed over: no round was committed for it."
    )
    return text.format(round=number, when=when)


def too_late(record: Record, round_: Round) -> bool:
    """Whether a round can't be drawn any more: its beacon is past by the log's own times, and nothing was read before it."""
    sources = record.declaration.sources(round_.number)
    beacon = beacon_of(sources)
    if round_.draw or round_.reading or beacon is None or not needs_reading(sources):
        return False
    return seconds(record.entries[-1].time) >= source_time(beacon)
