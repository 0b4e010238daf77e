"""How equal are some probabilities? Gini coefficient and geometric mean, by type."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import exp, lcm, log


def gini(probabilities: Sequence[Fraction], counts: Sequence[int]) -> float:
    """Gini coefficient of everybody's probability, in [0, 1): 0 when all are equal. `counts` is the number of people of each type."""
    scale = lcm(*(p.denominator for p in probabilities))
    pairs = sorted(
        (p.numerator * (scale // p.denominator), n) for p, n in zip(probabilities, counts, strict=True)
    )
    people = below = area = 0
    for p, n in pairs:
        area += n * (2 * below + n * p)
        below += n * p
        people += n
    return float(1 - Fraction(area, people * below))


def geometric_mean(probabilities: Sequence[Fraction], counts: Sequence[int]) -> float:
    """Geometric mean of everybody's probability; 0 if anybody's is 0."""
    if min(probabilities) == 0:
        return 0.0
    # Numerators and denominators may be too long for a float; their logarithms are not.
    logs = (n * (log(p.numerator) - log(p.denominator)) for p, n in zip(probabilities, counts, strict=True))
    return exp(sum(logs) / sum(counts))
