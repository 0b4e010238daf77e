"""When were these contributions made? A time axis whose bins are easy to read, from five minutes to years, none of them cut; and its picture."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from klero._page_words import joined, moment
from klero._svg import bar, picture, text_at
from klero.words import number, words

__all__ = ["TimeAxis", "seconds_of", "step_words", "time_axis", "time_svg"]

_WIDTH = 720

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


def time_svg(
    mine: Sequence[int], everybody: Sequence[int], ends: tuple[str, str], names: tuple[str, str], lang: str
) -> str:
    """Two strips on one axis of time: some contributions above, all of them below, each to its own scale."""
    _ = words(lang).gettext
    title = _("Over time: {some} (top), {all} (bottom)").format(some=names[0], all=names[1])
    each = _WIDTH / len(everybody)
    body, said = "", []
    for counts, name, kind, top, base in (
        (mine, names[0], "a", 18, 68),
        (everybody, names[1], "m", 88, 128),
    ):
        most = max(counts)
        body += text_at(0, top - 6, name, kind="t")
        label = _("highest bar: {n}").format(n=number(most, lang))
        body += text_at(_WIDTH, top - 6, label, end=True, kind="t")
        for i, count in enumerate(counts):
            if count:
                tall = max(1.0, (base - top) * count / most)
                body += bar(each * i + 0.3, base - tall, max(each - 0.6, 0.6), tall, kind)
        body += f'<line class="l" x1="0" y1="{base}" x2="{_WIDTH}" y2="{base}"/>'
        peak = counts.index(most)
        said.append(
            _("{name}: most in one bar {n}, in bar {bar} of {bars}").format(
                name=name, n=number(most, lang), bar=peak + 1, bars=len(counts)
            )
        )
    first, last = (moment(end, lang) for end in ends)
    body += text_at(0, 144, first) + text_at(_WIDTH, 144, last, end=True)
    description = _("From {first} to {last}.").format(first=first, last=last) + " " + joined(said, lang)
    return picture(_WIDTH, 150, title, description, body)


def step_words(axis: TimeAxis | None, lang: str) -> str:
    """How much time a bar of the pictures stands for."""
    plural = words(lang).ngettext
    step = axis.step if axis else 0
    if step % 86400 == 0:
        n = step // 86400
        return plural("Each bar is {n} day.", "Each bar is {n} days.", n).format(n=n)
    if step % 3600 == 0:
        n = step // 3600
        return plural("Each bar is {n} hour.", "Each bar is {n} hours.", n).format(n=n)
    n = step // 60
    return plural("Each bar is {n} minute.", "Each bar is {n} minutes.", n).format(n=n)
