"""When did a theme come up, and did it grow faster than the rest?

Contributions are counted in bins that are easy to read: minutes where all fell within 90 minutes, hours within three days, days within three months,
weeks within two years, else months (UTC; weeks begin on Monday). For each group, counts and what had come by the end of each bin, beside all contributions.

Guaranteed: whole numbers; dated and undated contributions sum to each group. Not guaranteed: that a theme which comes late is new in people's minds: who
is asked when, and what stands on the page already, shows in the same curve.
Cost: linear. Nothing random.

>>> days = ["2026-03-01", "2026-03-01", "2026-03-05", "2026-03-06", ""]
>>> found = theme_growth([0, 0, 1, 1, 1], days)
>>> found.unit, found.counts.tolist(), found.undated.tolist()
('day', [[2, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]], [0, 1])
>>> found.half(0), found.half(1), found.half()
(datetime.datetime(2026, 3, 1, 0, 0, tzinfo=datetime.timezone.utc), datetime.datetime(2026, 3, 5, 0, 0, tzinfo=datetime.timezone.utc), \
datetime.datetime(2026, 3, 1, 0, 0, tzinfo=datetime.timezone.utc))
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from klero.errors import Fault
from klero.themes._inputs import NEVER, Column, Ints, PartitionLike, raise_all, read_groups, read_times
from klero.words import words

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["UNITS", "Growth", "theme_growth"]

ALGORITHM = "klero-growth/1"
UNITS = ("minute", "hour", "day", "week", "month")

_SECOND = 10**6
_LENGTHS = {
    "minute": 60 * _SECOND,
    "hour": 3600 * _SECOND,
    "day": 86400 * _SECOND,
    "week": 7 * 86400 * _SECOND,
}
_SPANS = (("minute", 5400), ("hour", 3 * 86400), ("day", 92 * 86400), ("week", 731 * 86400))
_MONDAY = 4 * 86400 * _SECOND  # the first Monday after 1970 began
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, eq=False)
class Growth:
    """How each group grew.

    Attributes:
        unit: one of `UNITS`: the length of a bin.
        starts: when each bin begins, in UTC; none where no contribution has a time.
        counts: int64, a row for each group, its contributions in each bin.
        undated: int64, for each group the contributions that have no time.
    """

    unit: str
    starts: tuple[dt.datetime, ...]
    counts: Ints
    undated: Ints
    algorithm: str = ALGORITHM

    @property
    def totals(self) -> Ints:
        """All contributions in each bin."""
        totals: Ints = self.counts.sum(axis=0)
        return totals

    def cumulative(self, label: int | None = None) -> Ints:
        """What had come by the end of each bin, of a group or (None) of all."""
        return np.cumsum(self.totals if label is None else self.counts[label])

    def shares(self, label: int) -> tuple[Fraction, ...]:
        """The group's share of all contributions that had come by the end of each bin."""
        every = self.cumulative().tolist()
        return tuple(
            Fraction(mine, all_) for mine, all_ in zip(self.cumulative(label).tolist(), every, strict=True)
        )

    def half(self, label: int | None = None) -> dt.datetime | None:
        """The bin by whose end half of the group's dated contributions (None: of all) had come; None where none has a time."""
        come = self.cumulative(label)
        if not len(come) or not come[-1]:
            return None
        return self.starts[int(np.searchsorted(2 * come, come[-1]))]

    def explain(self, label: int, lang: str = "en") -> str:
        """How a group grew beside all contributions, in plain words, «en» or «fr».

        Raises:
            InputError: there are no words in this language.
        """
        _ = words(lang).gettext
        mine, every = self.half(label), self.half()
        if mine is None or every is None:
            return _("Nothing is known of when these contributions were made.")
        text = _("Half of its contributions had come by {mine}, half of all by {every}.")
        return text.format(mine=self._end(mine), every=self._end(every))

    def _end(self, start: dt.datetime) -> str:
        """Until when what is counted in a bin had come: a minute or an hour ends at the next one, a week with its Sunday; a day or month is named."""
        if self.unit == "month":
            return start.strftime("%Y-%m")
        if self.unit in ("minute", "hour"):
            length = dt.timedelta(microseconds=_LENGTHS[self.unit])
            return (start + length).strftime("%Y-%m-%d %H:%M")
        return (start + dt.timedelta(days=6 if self.unit == "week" else 0)).strftime("%Y-%m-%d")

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "algorithm": self.algorithm,
            "unit": self.unit,
            "starts": [moment.isoformat() for moment in self.starts],
            "totals": self.totals.tolist(),
            "groups": [
                {"label": label, "counts": counts, "undated": undated}
                for label, (counts, undated) in enumerate(
                    zip(self.counts.tolist(), self.undated.tolist(), strict=True)
                )
            ],
        }

    def to_arrow(self) -> pa.Table:
        """A row for each group and bin: label, start, count, cumulative, all, all_cumulative."""
        import pyarrow as pa

        groups, bins = self.counts.shape
        starts = pa.array(self.starts, pa.timestamp("us", "UTC"))
        return pa.table(
            {
                "label": np.repeat(np.arange(groups), bins),
                "start": starts.take(pa.array(np.tile(np.arange(bins), groups))),
                "count": self.counts.ravel(),
                "cumulative": np.cumsum(self.counts, axis=1).ravel(),
                "all": np.tile(self.totals, groups),
                "all_cumulative": np.tile(self.cumulative(), groups),
            }
        )


def theme_growth(partition: PartitionLike | Sequence[int] | Ints, times: Column) -> Growth:
    """How each group grew.

    Args:
        partition: which contribution is in which group: a `Partition`, or whole numbers from 0 on.
        times: when each contribution was made: timestamps, or texts; empty where that is not known.

    Raises:
        InputError: the columns are not equally long, or no moment can be read; all faults together.
    """
    faults: list[Fault] = []
    groups = read_groups(partition, faults)
    moments = None if groups is None else read_times(times, len(groups.labels), faults)
    raise_all(faults)
    if groups is None or moments is None:
        raise AssertionError
    dated = moments != NEVER
    undated = np.bincount(groups.labels[~dated], minlength=len(groups)).astype(np.int64)
    if not dated.any():
        return Growth("day", (), np.zeros((len(groups), 0), np.int64), undated)
    unit, starts, bins = _bins(moments[dated])
    counts = np.bincount(groups.labels[dated] * len(starts) + bins, minlength=len(groups) * len(starts))
    return Growth(unit, starts, counts.reshape(len(groups), len(starts)).astype(np.int64), undated)


def _bins(moments: Ints) -> tuple[str, tuple[dt.datetime, ...], Ints]:
    """The unit, the bins' beginnings, and the bin of each moment."""
    low, high = int(moments.min()), int(moments.max())
    unit = next((unit for unit, most in _SPANS if high - low <= most * _SECOND), "month")
    if unit == "month":
        months = moments.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
        first = int(months.min())
        starts = tuple(
            dt.datetime(1970 + month // 12, month % 12 + 1, 1, tzinfo=dt.UTC)
            for month in range(first, int(months.max()) + 1)
        )
        return unit, starts, months - first
    length, origin = _LENGTHS[unit], _MONDAY if unit == "week" else 0
    places = (moments - origin) // length
    first, last = int(places.min()), int(places.max())
    starts = tuple(
        _EPOCH + dt.timedelta(microseconds=origin + place * length) for place in range(first, last + 1)
    )
    return unit, starts, places - first
