"""How many different arguments are there in effect, and does that change when dependent voices weigh less?

The similarity-sensitive diversity of order q (Leinster and Cobbold, «Measuring diversity: the importance of species similarity», Ecology 2012): a
consultation with diversity D is as diverse as D arguments that are equally frequent and have nothing in common. Symbols as there: p_i the share of
the voices that say argument i, Z_ij its similarity to argument j, (Zp)_i = Σ_j Z_ij p_j how ordinary it is, and

    ^qD^Z(p) = (Σ p_i (Zp)_i^(q−1))^(1/(1−q)),    ^1D^Z(p) = Π (Zp)_i^(−p_i).

Order 0 counts rare arguments as much as frequent ones, order 2 hears mostly the frequent. An argument is a text; contributions of the same words
(folded) are one. An author's voice is shared evenly among the author's contributions; «weighted», each share is multiplied by the contribution's
weight. Z is the cosine of two vectors, cut at 0; without vectors only the same text is similar, and the diversity is Hill's number.

Guaranteed: between 1 and the number of texts; Z = 1 between two texts merges them; the order of rows changes nothing. Exact up to 20,000 different
texts; above, (Zp)_i is exact for a seeded sample of texts (drawn by p), and «raw_error» and «weighted_error» give the half-width of a 95 % interval.
Not guaranteed: that vectors know what is one argument.

Cost: texts squared times the dimension, in blocks of some 50 MB; above 20,000 texts, 2,000 times texts.

>>> import numpy as np
>>> diversity_of(np.array([0.5, 0.25, 0.25]), np.array([0.5, 0.25, 0.25]), 2)
2.6666666666666665
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from klero import _native
from klero.campaigns.model import Consultation, Floats, Ints
from klero.themes.drawing import UNIT, draws, whole_rows

__all__ = ["ORDERS", "diversity", "diversity_of"]

ORDERS = (0, 1, 2)
MOST = 20_000
"""Texts up to which every pair is looked at."""
DRAWN = 2000
"""Texts that are drawn where there are more, each compared with all."""
_BLOCK = 1 << 22
"""Similarities in a block."""
_ROWS = 8192
"""Vectors that are rounded at a time."""
_DIGITS = 9


def diversity_of(p: Floats, ordinary: Floats, order: float) -> float:
    """^qD^Z(p) from p and Zp; what has no share (p = 0) counts for nothing."""
    held = p > 0
    p, ordinary = p[held], ordinary[held]
    if order == 1:
        return math.exp(-math.fsum((p * np.log(ordinary)).tolist()))
    return float(math.fsum((p * ordinary ** (order - 1)).tolist()) ** (1 / (1 - order)))


def diversity(
    c: Consultation,
    weights: Floats,
    *,
    threads: int = 1,
    progress: Callable[[str, int], None] | None = None,
) -> dict[str, dict[str, float]]:
    """Diversity of orders 0, 1 and 2.

    Args:
        c: the consultation.
        weights: of its rows.
        threads: for the same call as elsewhere; the matrix library has its own.
        progress: called with «diversity» and how many texts were compared.

    Returns:
        «raw» and «weighted», each with «0», «1», «2»; above 20,000 texts also «raw_error» and «weighted_error».
    """
    if not len(c):
        none = {str(order): 0.0 for order in ORDERS}
        return {"raw": none, "weighted": dict(none)}
    text, first = _texts(c)
    voice = 1.0 / np.bincount(c.author)[c.author]
    shares = [np.bincount(text, voice * of, len(first)) for of in (np.ones(len(c)), weights)]
    raw, weighted = (share / share.sum() for share in shares)
    size = len(first)
    sampled = _sample(raw, c.seed) if size > MOST else None
    asked = np.arange(size, dtype=np.int64) if sampled is None else np.unique(sampled)
    parts, units = _whole_shares(np.stack([raw, weighted]))
    ordinary = np.empty((2, len(asked)))
    for done, similar in _similarities(c, first, asked):
        sums = (similar @ parts).reshape(-1, 2, 2)
        ordinary[:, done : done + len(similar)] = (sums @ units).T / UNIT**2
        if progress is not None:
            progress("diversity", done + len(similar))
    if sampled is None:
        return {
            "raw": {str(q): _tidy(diversity_of(raw, ordinary[0], q), size) for q in ORDERS},
            "weighted": {str(q): _tidy(diversity_of(weighted, ordinary[1], q), size) for q in ORDERS},
        }
    at = np.searchsorted(asked, sampled)
    found: dict[str, dict[str, float]] = {}
    for name, p, own in (("raw", raw, ordinary[0]), ("weighted", weighted, ordinary[1])):
        # Drawn by raw shares: what is drawn stands for its weighted share.
        estimates = {str(q): _estimate(own[at], p[sampled] / raw[sampled], q) for q in ORDERS}
        found[name] = {q: _tidy(value, size) for q, (value, _) in estimates.items()}
        found[f"{name}_error"] = {q: round(error, _DIGITS) for q, (_, error) in estimates.items()}
    return found


def _texts(c: Consultation) -> tuple[Ints, Ints]:
    """For each row the number of its text, and for each text its first row."""
    known: dict[tuple[int, int], int] = {}
    text = np.array([known.setdefault(_native.text_sequence(one), len(known)) for one in c.texts], np.int64)
    return text, np.unique(text, return_index=True)[1].astype(np.int64)


def _similarities(c: Consultation, first: Ints, asked: Ints) -> Iterator[tuple[int, Floats]]:
    """Rows of Z times 9,000,000, block by block, and how many came before: whole numbers, in floats."""
    size = len(first)
    step = max(1, _BLOCK // size)
    vectors = None if c.vectors is None else _whole(c.vectors, first)
    for done in range(0, len(asked), step):
        rows = asked[done : done + step]
        products = np.zeros((len(rows), size), np.float32) if vectors is None else vectors[rows] @ vectors.T
        near = np.clip(products, 0.0, UNIT**2)
        near[np.arange(len(rows)), rows] = UNIT**2
        yield done, near.astype(np.float64)


def _whole_shares(shares: Floats) -> tuple[Floats, Floats]:
    """Shares as whole numbers, a leading part in 2⁻²⁹ and the rest in finer units, a column for each part of each; and the two units.

    Every product with a similarity, and every sum of such, is a whole number below 2⁵³: the same whatever the library, its order of additions and threads.
    """
    fine = 2.0 ** max(0, 29 - math.ceil(math.log2(shares.shape[1] + 1)))
    lead = np.floor(shares * 2.0**29)
    rest = np.floor((shares * 2.0**29 - lead) * fine)
    return np.stack([lead[0], rest[0], lead[1], rest[1]], axis=1), np.array([2.0**-29, 2.0**-29 / fine])


def _whole(vectors: npt.NDArray[np.float32], rows: Ints) -> npt.NDArray[np.float32]:
    """These vectors as whole numbers; a part at a time, since rounding takes several copies."""
    found = np.empty((len(rows), vectors.shape[1]), np.float32)
    for start in range(0, len(rows), _ROWS):
        found[start : start + _ROWS] = whole_rows(vectors[rows[start : start + _ROWS]])[0]
    return found


def _sample(p: Floats, seed: int) -> Ints:
    """Texts drawn by their shares, with replacement."""
    uniform = (draws(seed, "diversity", DRAWN) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    ends = np.cumsum(p)
    drawn: Ints = np.minimum(np.searchsorted(ends, uniform * ends[-1], "right"), len(p) - 1).astype(np.int64)
    return drawn


def _estimate(ordinary: Floats, mass: Floats, order: int) -> tuple[float, float]:
    """Diversity from draws by p, and the half-width of its 95 % interval (delta method on the mean over draws)."""
    mass = mass / mass.mean()
    values = np.log(ordinary) if order == 1 else ordinary ** (order - 1.0)
    mean = math.fsum((mass * values).tolist()) / len(values)
    deviation = math.sqrt(math.fsum((mass**2 * (values - mean) ** 2).tolist())) / len(values)
    if order == 1:
        found = math.exp(-mean)
        return found, 1.96 * deviation * found
    power = 1 / (1 - order)
    found = mean**power
    return found, 1.96 * deviation * abs(power) * found / mean


def _tidy(value: float, most: int) -> float:
    """Within its bounds, and without the last digits, in which platforms differ."""
    return round(min(max(value, 1.0), float(most)), _DIGITS)
