"""How often would chance alone give so much, beyond what was seen?

A sample of what chance gives here says how often a value is reached up to its largest. Beyond, its upper part is followed by an exponential curve, as for the
scores of chance alignments (Karlin and Altschul 1990) and for the upper part of most distributions (Pickands 1975, shape nought). Three things keep it from
promising too much:

- values that belong together (three texts that quote each other) are one event: the curve is fitted to the largest of each cluster, while all values are
  counted;
- the scale is not known but estimated from k events: the chance of an excess x is then (1 + x / (k · m))⁻ᵏ, m their mean excess, which is exact for
  exponential values (the ratio is that of an F distribution) and much fatter than the curve itself where k is small;
- several k are tried, from the last few events to more of them, and the largest answer counts; the mean excess is never taken to be below a floor.

So a small sample gives no small number. Cost: a sort.

>>> import numpy as np
>>> tail = Tail.of(np.arange(100.0), np.ones(100), np.arange(100), scale=1.0, floor=1.0)
>>> tail.expected(50.0), tail.expected(99.0) < 3, tail.expected(300.0) < 0.01
(50.0, True, True)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from klero.campaigns.model import Floats, Ints

__all__ = ["EVENTS", "Tail", "clusters", "upper_part"]

EVENTS = (8, 16, 32, 64, 128)
"""Numbers of events that the curve is fitted to."""


@dataclass(frozen=True)
class Tail:
    """How many values at least as large chance gives.

    Attributes:
        values: of the sample, ascending.
        above: of how many (by weight, scaled) each value and all larger ones are.
        fits: threshold, events, their mean excess, and how many values are above the threshold.
    """

    values: Floats
    above: Floats
    fits: tuple[tuple[float, int, float, float], ...]

    @classmethod
    def of(cls, values: Floats, weights: Floats, cluster: Ints, *, scale: float, floor: float) -> Tail:
        """Follows a sample.

        Args:
            values: n of them.
            weights: what each stands for.
            cluster: a number for each; values of the same number are one event.
            scale: how many values there are for each that was looked at.
            floor: the least mean excess that is believed.
        """
        order = np.argsort(values, kind="stable")
        ascending = values[order].astype(np.float64)
        above = np.cumsum(weights[order][::-1])[::-1] * scale
        _, first = np.unique(cluster[order][::-1], return_index=True)
        # Only the upper part was looked at for what belongs together, so only that is followed.
        upper = ascending[-upper_part(len(values)) :][0] if len(values) else 0.0
        events = np.sort(ascending[::-1][first])[::-1]
        fits = []
        for k in EVENTS:
            k = min(k, int((events >= upper).sum()) - 1)
            if k < 1:
                break
            threshold = float(events[k])
            excess = max(floor, float(np.mean(events[:k] - threshold)))
            beyond = float(weights[values > threshold].sum() * scale)
            fits.append((threshold, k, excess, beyond))
        return cls(ascending, above, tuple(dict.fromkeys(fits)))

    def expected(self, value: float) -> float:
        """How many values at least as large are expected in all."""
        at = int(np.searchsorted(self.values, value, side="left"))
        seen = float(self.above[at]) if at < len(self.above) else 0.0
        far = [
            beyond * (1.0 + (value - threshold) / (k * excess)) ** -k
            for threshold, k, excess, beyond in self.fits
            if value > threshold
        ]
        return max([seen, *far])


def upper_part(count: int) -> int:
    """How many of so many values are the upper part, in which the curve is fitted: a sixteenth, but some.

    In more of them everybody would be together with everybody by chance.
    """
    return min(count, max(2 * EVENTS[0], count // 16))


def clusters(values: Floats, partners: Ints) -> Ints:
    """A number for each value: those of the upper part are together with those that they name as partners, all others alone.

    Args:
        values: n of them.
        partners: n × r, numbers of values (or anything else, which is nobody).
    """
    number = np.arange(len(values))
    top = np.argsort(-values, kind="stable")[: upper_part(len(values))]
    inside = np.zeros(len(values), bool)
    inside[top] = True

    def root(at: int) -> int:
        while number[at] != at:
            at = int(number[at])
        return at

    for one in sorted(top.tolist()):
        for other in partners[one].tolist():
            if 0 <= other < len(values) and inside[other]:
                a, b = root(one), root(other)
                number[max(a, b)] = min(a, b)
    for one in top.tolist():
        number[one] = root(one)
    return number
