"""How far do two groupings of the same contributions agree, and how sure is that?

Symbols: n_ij contributions of code i in cluster j, r_i and c_j the sums of rows and columns, n all.

- Adjusted Rand index (Hubert and Arabie 1985): exact, from :mod:`klero.themes.measures`.
- Cohen's kappa (Educational and Psychological Measurement 1960), once clusters are called after codes: (p_o − p_e) / (1 − p_e), p_o = the share that
  agrees, p_e = Σ r_i C_i / n² with C_i the contributions in clusters that are called i. Exact. A cluster without a name agrees with no code.
- Adjusted mutual information (Vinh, Epps and Bailey, JMLR 2010; arithmetic mean), homogeneity and completeness (Rosenberg and Hirschberg, EMNLP 2007):
  logarithms, rounded to 9 decimals.
- Intervals by the jackknife over contributions (Efron and Stein, Annals of Statistics 1981): each left out once, which depends on its cell alone, so the
  figure is exact and needs no seed. A bootstrap draws some contributions twice; copies are together in both groupings, which makes agreement look larger
  where groups are small. Names of clusters are held as they are.

Guaranteed: the same figures for any order of rows. Not guaranteed: that an interval holds the true value with exactly its confidence (it takes the
estimate as near normal, and the contributions as drawn independently).
Cost: linear in the cells; adjusted mutual information grows with the number of different sizes, and is left out beyond a bound. Nothing random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import fsum, log, sqrt

import numpy as np

from klero.sortition.intervals import normal_factor
from klero.themes._inputs import Floats, Ints

__all__ = ["Information", "Interval", "Table", "information", "jackknife_kappa", "jackknife_rand", "kappa"]

CONFIDENCE = 0.95
_LEAST = 10  # contributions below which no interval is told
_SIZES = 100_000  # pairs of different sizes up to which expected information is computed

Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Table:
    """The cells that are not zero: `count` contributions of code `row` in cluster `column`."""

    row: Ints
    column: Ints
    count: Ints
    row_sizes: Ints
    column_sizes: Ints

    @property
    def total(self) -> int:
        """n."""
        return int(self.row_sizes.sum())


def kappa(table: Table, code: Ints) -> tuple[Fraction, int]:
    """(Cohen's kappa, contributions that agree), where `code` is what each cluster is called, -1 for nothing.

    1 where everything agrees and nothing else could.
    """
    agree = int(table.count[code[table.column] == table.row].sum())
    n = table.total
    observed, expected = Fraction(agree, n or 1), Fraction(_chance(table, code), n * n or 1)
    if expected == 1:
        return Fraction(1), agree
    return (observed - expected) / (1 - expected), agree


def _called(table: Table, code: Ints) -> Ints:
    """C_i: contributions in clusters that are called i."""
    called = np.zeros(len(table.row_sizes), np.int64)
    named = code >= 0
    np.add.at(called, code[named], table.column_sizes[named])
    return called


def _chance(table: Table, code: Ints) -> int:
    called = _called(table, code)
    return sum(r * c for r, c in zip(table.row_sizes.tolist(), called.tolist(), strict=True))


def jackknife_kappa(table: Table, code: Ints) -> Interval | None:
    """An interval for kappa; None for fewer than ten contributions."""
    called, n = _called(table, code), table.total
    agree = int(table.count[code[table.column] == table.row].sum())
    chance = float(_chance(table, code))
    mine = code[table.column]
    same = mine == table.row
    sizes = np.where(mine >= 0, table.row_sizes[np.maximum(mine, 0)], 0)
    observed = (agree - same) / (n - 1) if n > 1 else np.zeros(0)
    expected = (chance - called[table.row] - sizes + same) / max((n - 1) ** 2, 1)
    whole = (agree / n, chance / n**2) if n else (0.0, 1.0)
    return _interval(
        table, lambda o, e: (o - e) / (1 - e), (np.array(whole[0]), np.array(whole[1])), (observed, expected)
    )


def jackknife_rand(table: Table) -> Interval | None:
    """An interval for the adjusted Rand index; None for fewer than ten contributions."""

    def index(both: Floats, rows: Floats, columns: Floats, every: Floats) -> Floats:
        chance, most = rows * columns / every, (rows + columns) / 2
        return np.asarray((both - chance) / (most - chance))

    n = table.total
    both, rows, columns = (
        float(sum(k * (k - 1) // 2 for k in sizes.tolist()))
        for sizes in (table.count, table.row_sizes, table.column_sizes)
    )
    whole = (both, rows, columns, n * (n - 1) / 2)
    less = (
        both - (table.count - 1),
        rows - (table.row_sizes[table.row] - 1),
        columns - (table.column_sizes[table.column] - 1),
        np.full(len(table.row), (n - 1) * (n - 2) / 2, np.float64),
    )
    return _interval(
        table, index, tuple(map(np.array, whole)), tuple(np.asarray(part, np.float64) for part in less)
    )


def _interval(
    table: Table, figure: Callable[..., Floats], whole: tuple[Floats, ...], less: tuple[Floats, ...]
) -> Interval | None:
    n = table.total
    if n < _LEAST:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate, values = float(figure(*whole)), figure(*less)
    if not np.isfinite(estimate) or not np.isfinite(values).all():
        return None
    mean = fsum((table.count * values).tolist()) / n
    spread = sqrt((n - 1) / n * fsum((table.count * (values - mean) ** 2).tolist()))
    reach = normal_factor(CONFIDENCE) * spread
    return round(max(-1.0, estimate - reach), 9), round(min(1.0, estimate + reach), 9)


@dataclass(frozen=True, slots=True)
class Information:
    """What each grouping tells of the other.

    Attributes:
        adjusted: adjusted mutual information, 1 for the same groups and about 0 for chance; None where sizes are too many to compute it.
        homogeneity: 1 if no cluster holds two codes.
        completeness: 1 if no code lies in two clusters.
    """

    adjusted: float | None
    homogeneity: float
    completeness: float

    @property
    def v_measure(self) -> float:
        """Harmonic mean of homogeneity and completeness."""
        total = self.homogeneity + self.completeness
        return round(2 * self.homogeneity * self.completeness / total, 9) if total else 0.0


def information(table: Table) -> Information:
    """All figures of information, in one pass over the cells."""
    n = table.total
    rows, columns = (_entropy(sizes, n) for sizes in (table.row_sizes, table.column_sizes))
    mutual = max(0.0, rows + columns - _entropy(table.count, n))
    homogeneity = mutual / rows if rows else 1.0
    completeness = mutual / columns if columns else 1.0
    trivial = len(table.row_sizes) == len(table.column_sizes) and len(table.row_sizes) in (0, 1, n)
    adjusted: float | None = 1.0
    if not trivial:
        expected = _expected(table.row_sizes, table.column_sizes, n)
        if expected is None:
            adjusted = None
        else:
            room = (rows + columns) / 2 - expected
            tiny = float(np.finfo(np.float64).eps)
            adjusted = (mutual - expected) / (min(room, -tiny) if room < 0 else max(room, tiny))
    return Information(
        None if adjusted is None else round(adjusted, 9),
        round(min(homogeneity, 1.0), 9),
        round(min(completeness, 1.0), 9),
    )


def _entropy(sizes: Ints, n: int) -> float:
    return fsum(-size / n * log(size / n) for size in sizes.tolist() if size)


def _expected(rows: Ints, columns: Ints, n: int) -> float | None:
    """The mutual information of two groupings of these sizes put together by chance (hypergeometric)."""
    (a, times_a), (b, times_b) = (np.unique(sizes, return_counts=True) for sizes in (rows, columns))
    if len(a) * len(b) > _SIZES:
        return None
    factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    terms = []
    for i, often in zip(a.tolist(), times_a.tolist(), strict=True):
        for j, also in zip(b.tolist(), times_b.tolist(), strict=True):
            both = np.arange(max(1, i + j - n), min(i, j) + 1)
            chance = (
                factorial[i]
                + factorial[j]
                + factorial[n - i]
                + factorial[n - j]
                - factorial[n]
                - factorial[both]
            )
            chance = chance - factorial[i - both] - factorial[j - both] - factorial[n - i - j + both]
            told = both / n * np.log(n * both / (i * j)) * np.exp(chance)
            terms.append(often * also * float(told.sum()))
    return fsum(terms)
