"""How far may an estimated probability be from the true one?

Of N independent draws, h seated a person. The exact interval of Clopper and Pearson (Biometrika 1934) holds the true probability with at least the
stated confidence, for any probability and any N. For several people of one type, their mean frequency is used, which is a mean of
N numbers in [0, 1]: for these Hoeffding's bound by relative entropy (Journal of the American Statistical Association 1963, theorem 1) holds, which
knows nothing about how the people of a type come together. Where estimates are only known to be near normal (`normal_factor`), who uses them says so.

Guarantee: each interval fails with probability `alpha` at most; for all to hold together, `alpha` is the whole's divided by their number (Bonferroni).
Bounds are floats, rounded outwards by 10^-9, far above what floats lose here. Cost: some hundred vector operations.
"""

from __future__ import annotations

from math import lgamma
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

_HALVINGS = 60
_OUTWARDS = 1e-9
_TINY = 1e-300


def clopper_pearson(hits: Floats, draws: int, alpha: float) -> tuple[Floats, Floats]:
    """(lower, upper) bounds of the probability behind each number of hits, in [0, 1].

    Args:
        hits: how often each happened, in [0, draws].
        draws: N, 1 or more.
        alpha: probability that an interval may fail, in (0, 1).
    """
    import numpy as np

    # The lower bound p has P(X ≥ h | p) = α/2, the upper one P(X ≤ h | p) = α/2; both tails are incomplete beta functions.
    low = _bisected(hits, lambda p: regularised_beta(p, np.maximum(hits, 0.5), draws - hits + 1) < alpha / 2)
    high = _bisected(
        hits, lambda p: regularised_beta(p, hits + 1, np.maximum(draws - hits, 0.5)) < 1 - alpha / 2
    )
    return _outwards(np.where(hits == 0, 0.0, low), np.where(hits == draws, 1.0, high))


def normal_factor(confidence: float) -> float:
    """How many standard deviations to each side hold a normal variable with this probability, in (0, 1): 1.96 for 0.95."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(0.5 + confidence / 2)


def hoeffding(means: Floats, draws: int, alpha: float) -> tuple[Floats, Floats]:
    """(lower, upper) bounds of the expectation behind each mean of `draws` independent numbers in [0, 1]."""
    import numpy as np

    limit = np.log(2 / alpha) / draws
    high = _bisected(means, lambda p: (p <= means) | (_divergence(means, p) < limit))
    low = _bisected(means, lambda p: (p < means) & (_divergence(means, p) > limit))
    return _outwards(low, high)


def regularised_beta(x: Floats, a: Floats, b: Floats) -> Floats:
    """I_x(a, b), by its continued fraction (NIST Digital Library of Mathematical Functions, 8.17.22), evaluated by Lentz's method."""
    import numpy as np

    turned = x > (a + 1) / (
        a + b + 2
    )  # where the fraction would be slow, I_x(a, b) = 1 − I_{1−x}(b, a) is used
    p, q, z = np.where(turned, b, a), np.where(turned, a, b), np.where(turned, 1 - x, x)
    log_beta = np.array(
        [lgamma(i) + lgamma(j) - lgamma(i + j) for i, j in zip(p.tolist(), q.tolist(), strict=True)]
    )
    with np.errstate(divide="ignore", under="ignore"):
        front = np.exp(p * np.log(z) + q * np.log1p(-z) - log_beta) / p
    fraction = np.ones_like(z)
    c, d = np.ones_like(z), _away_from_zero(1 - (p + q) * z / (p + 1))
    d = 1 / d
    fraction = d.copy()
    for m in range(1, 400):
        for term in (
            m * (q - m) * z / ((p + 2 * m - 1) * (p + 2 * m)),
            -(p + m) * (p + q + m) * z / ((p + 2 * m) * (p + 2 * m + 1)),
        ):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            fraction *= c * d
        if np.all(np.abs(c * d - 1) < 1e-14):
            break
    value = front * fraction
    result: Floats = np.where(turned, 1 - value, value)
    return result


def _away_from_zero(x: Floats) -> Floats:
    import numpy as np

    result: Floats = np.where(np.abs(x) < _TINY, _TINY, x)
    return result


def _divergence(mean: Floats, p: Floats) -> Floats:
    """Relative entropy of two coins, in nats."""
    import numpy as np

    with np.errstate(divide="ignore", invalid="ignore"):
        up = np.where(mean > 0, mean * np.log(mean / p), 0.0)
        down = np.where(mean < 1, (1 - mean) * np.log((1 - mean) / (1 - p)), 0.0)
    total: Floats = np.nan_to_num(up + down, nan=np.inf, posinf=np.inf)
    return total


def _bisected(like: Floats, below: Callable[[Floats], npt.NDArray[np.bool_]]) -> Floats:
    """The largest p in [0, 1] for which `below` holds, everywhere; it holds up to there and no further."""
    import numpy as np

    low, high = np.zeros_like(like), np.ones_like(like)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        holds = below(middle)
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return low


def _outwards(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    import numpy as np

    return np.maximum(low - _OUTWARDS, 0.0), np.minimum(high + _OUTWARDS, 1.0)
