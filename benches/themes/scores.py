"""How well groups agree with classes, the rare ones apart: klero.themes.measures, and what only these benches ask.

A label of -1 is a point that a tool throws out; in the adjusted Rand index each of them is alone. The F1 of a class is that of its best group of two
points or more. `alone` is the share of points thrown out or in a group of their own; `excluded` that of points thrown out, or in a group that holds
more of another class. Disparity is that share among points of rare classes, divided by that among the others.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from klero.themes.measures import RARE, adjusted_rand, contingency, measure

SMALL = 5  # a group of fewer is a weak signal or a lone voice


def alone_each(groups: np.ndarray) -> np.ndarray:
    """Numbers of groups; every point that was thrown out has one of its own."""
    out = groups.astype(np.int64).copy()
    lost = np.flatnonzero(out < 0)
    out[lost] = out.max(initial=-1) + 1 + np.arange(len(lost))
    return np.unique(out, return_inverse=True)[1]


def ari(one: np.ndarray, two: np.ndarray) -> float:
    """Adjusted Rand index, points thrown out alone."""
    return float(adjusted_rand(alone_each(one), two, alone=True))


def _ratio(one: float, other: float) -> float:
    """1 if neither happens, infinite if only the first does."""
    if other == 0:
        return 1.0 if one == 0 else float("inf")
    return one / other


def _or_nan(value: Fraction | float | None) -> float:
    return float("nan") if value is None else float(value)


def scored(classes: np.ndarray, groups: np.ndarray) -> dict[str, float]:
    """All figures of one grouping of points that all have a class (0 …)."""
    own = alone_each(groups)
    sizes = np.bincount(own)[own]
    whole = measure(classes, groups)
    rare_treated, common_treated = whole.exclusion.rare, whole.exclusion.common
    table = contingency(classes, groups)
    rare = table.is_rare(RARE)[np.searchsorted(np.array(table.classes), classes)]
    some = rare.any()

    def among(which: np.ndarray, of: np.ndarray) -> float:
        return float(which[of].mean()) if of.any() else float("nan")

    return {
        "points": len(classes),
        "groups": whole.clusters,
        "ari": float(whole.ari),
        "rare_recall": _or_nan(whole.rare_recall),
        "f1_rare": _or_nan(whole.f1_rare),
        "f1_common": _or_nan(whole.f1_common),
        "out_rare": among(groups < 0, rare),
        "out_common": among(groups < 0, ~rare),
        "out_disparity": _ratio(among(groups < 0, rare), among(groups < 0, ~rare)) if some else float("nan"),
        "alone_rare": among(sizes == 1, rare),
        "alone_common": among(sizes == 1, ~rare),
        "excluded_rare": float(rare_treated.rate) if some else float("nan"),
        "excluded_common": float(common_treated.rate),
        "excluded_disparity": _or_nan(whole.exclusion.disparity),
    }


def out_of_scope(classes: np.ndarray, groups: np.ndarray) -> dict[str, float]:
    """Shares of points that are thrown out or in a group of fewer than five, out of scope (class -1) and in scope."""
    own = alone_each(groups)
    sizes = np.bincount(own)[own]
    outside = classes < 0
    small = sizes < SMALL
    return {"small_outside": float(small[outside].mean()), "small_inside": float(small[~outside].mean())}
