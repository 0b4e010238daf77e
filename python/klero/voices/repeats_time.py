"""When were these contributions made? The bins of a time axis that are easy to read: from five minutes to years, none of them cut."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = ["TimeAxis", "seconds_of", "time_axis"]

_BINS = 72  # at most so many bars on an axis
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_STEPS = (
    *(n * _MINUTE for n in (1, 5, 15, 30)),
    *(n * _HOUR for n in (1, 3, 6, 12)),
    *(n * _DAY for n in (1, 7, 28, 91, 364)),
)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MONDAY = 4 * _DAY  # the first Monday after the epoch, where weeks begin


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Bins of equal length: `start` in seconds since 1970, `step` in seconds."""

    start: float
    step: int
    bins: int

    def counts(self, seconds: npt.NDArray[np.float64]) -> tuple[int, ...]:
        """How many moments fall into each bin; those that are not a number are passed over."""
        dated = seconds[~np.isnan(seconds)]
        places = ((dated - self.start) // self.step).astype(np.int64)
        return tuple(np.bincount(places, minlength=self.bins).tolist())

    def moment(self, seconds: float) -> str:
        """«2026-03-02 08:12», or the day alone where bins are days or longer."""
        moment = _EPOCH + dt.timedelta(seconds=math.floor(seconds))
        return moment.strftime("%Y-%m-%d" if self.step >= _DAY else "%Y-%m-%d %H:%M")

    def ends(self) -> tuple[str, str]:
        """The day of the first bin and that of the last."""
        return self.moment(self.start), self.moment(self.start + self.step * (self.bins - 1))


def time_axis(seconds: npt.NDArray[np.float64]) -> TimeAxis | None:
    """An axis for all these moments, of at most 72 bins; None unless two of them differ."""
    dated = seconds[~np.isnan(seconds)]
    if not len(dated) or dated.min() == dated.max():
        return None
    low, high = float(dated.min()), float(dated.max())
    step = next((s for s in _STEPS if (high - low) / s <= _BINS - 2), None)
    if step is None:
        step = _STEPS[-1] * math.ceil((high - low) / (_STEPS[-1] * (_BINS - 2)))
    origin = _MONDAY if step > _DAY else 0
    start = origin + (low - origin) // step * step
    return TimeAxis(start, step, int((high - start) // step) + 1)


def seconds_of(times: pa.ChunkedArray | None, rows: int) -> npt.NDArray[np.float64]:
    """Seconds since 1970 (UTC) of timestamps; nan where there is none."""
    if times is None:
        return np.full(rows, np.nan)
    stamps = times.combine_chunks().cast(pa.timestamp("us", "UTC"))
    micros = stamps.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return np.asarray(micros, dtype=np.float64) / 1e6
