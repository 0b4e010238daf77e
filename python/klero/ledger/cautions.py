"""What is allowed in a declaration, and still worth a second look before anybody relies on it?

Each caution is one sentence or two in words, for whoever writes the declaration. None of them is an error: there are draws for which each is right.
"""

from __future__ import annotations

from collections.abc import Iterator

from klero.ledger.clock import seconds, written
from klero.ledger.declare import Declaration
from klero.ledger.sources import source_time, source_words

__all__ = ["beacon_addresses", "cautions"]


def cautions(said: Declaration, time: str) -> list[str]:
    """What to think about once more.

    Args:
        said: the declaration.
        time: the time now, in UTC.
    """
    return [*_past(said, seconds(time)), *_spare_key(said), *_calendar(said)]


def beacon_addresses(said: Declaration) -> list[str]:
    """Where each declared round of the beacon can be fetched once it is there, in the order of the rounds; the fallback's last."""
    lists = [said["sources"], *said["calendar"], said["fallback"]]
    return [
        f"https://api.drand.sh/{source['chain']}/public/{source['round']}"
        for sources in lists
        for source in sources
        if source["kind"] == "drand"
    ]


def _past(said: Declaration, now: int) -> Iterator[str]:
    for sources in (said["sources"], *said["calendar"]):
        for source in sources:
            if source_time(source) <= now:
                yield f"Already past: {source_words(source)}. Everybody can know it, so it decides nothing by chance. Declare a later time."


def _spare_key(said: Declaration) -> Iterator[str]:
    keys, threshold = said["keys"], said["threshold"]
    outside = [key["name"] for key in keys if key["role"] != "organiser"]
    if len(keys) == threshold:
        yield (
            f"No spare key: all {threshold} must sign each step, and if one is lost nothing can be drawn, and this procedure can't even be ended in order. "
            "Add one more --key, held by somebody else."
        )
    elif len(outside) == 1:
        yield (
            f"Each step needs the key of {outside[0]}, the only one that is not an organiser's. If it is lost, nothing can be drawn, and this procedure can't "
            "even be ended in order. Add a --key of one more guarantor or witness."
        )


def _calendar(said: Declaration) -> Iterator[str]:
    if not said["calendar"]:
        yield "No replacement round is declared (--calendar-at): should somebody on the panel withdraw, the seat stays empty."
        return
    first = min(source_time(source) for source in said["calendar"][0])
    yield (
        f"Replacement rounds: {len(said['calendar'])}. The first one's lottery must be committed by {written(first - said['notice'])}; "
        "none can be added later."
    )
