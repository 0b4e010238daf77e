"""How likely was each volunteer to answer an invitation, and what does that make of everybody's chance to sit?

Method. The model of Flanigan, Gölz, Gupta and Procaccia, «Neutralizing Self-Selection Bias in Sampling for Sortition»
(NeurIPS 2020): a person answers with probability q_i = β_0 · Π_f β_{f, v(i)}. Only those who answered are seen, so
something must be known of the population:

- *margins* (the share of each value in the population). The volunteers, each counted 1/q_i times, must then have the
  population's shares and add up to the letters sent: as many equations as unknowns, the stationary point of the convex
  function Σ_i exp(-η_i) + r·Σ_{f,v} m_{f,v} η_{f,v} with η = log q (calibration by raking; Deville and Särndal 1992).
  No assumption about how features go together in the population is needed;
- a *background sample* (people of the population, with the same features). Then β maximises the likelihood
  Σ_pool η_i - r · mean over the sample of exp(η), as in the paper: concave too.

Both are solved by Newton's method. Intervals come from the estimate's variance (the «sandwich» of estimating
equations), on the log scale, and use no random numbers.

Guarantee: if people answer independently and as the model says, estimates converge to the truth as the pool grows, and
a 95 % interval holds the truth in about 95 of 100 cases (tests simulate it). Nothing protects from a wrong model: see
docs/explanation/self-selection.md. Estimates are floats; the weights are rounded, so that platforms agree.

Symbols: r letters, M people in the population, k seats, q_i, a_i = 1/q_i, α = r·min q_i / k. Cost: a few steps of
O(people · values²).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from klero._tables_cells import THOUSANDS, folded
from klero.errors import Fault, InputError, quoted
from klero.sortition.intervals import normal_factor
from klero.sortition.pool import Pool, closest
from klero.tables import TableSource, table_or_faults

if TYPE_CHECKING:
    from klero.tables import Table, table_or_faults

ALGORITHM = "klero-propensity/1"
# Below this number of volunteers, what is said of a value rests on very few people.
SMALL_CELL = 10
_DECIMALS = 3
_MOST_WEIGHT = 999_999.0
_STEPS = 100
_HEADINGS: Mapping[str, frozenset[str]] = {
    "feature": frozenset(("feature", "category", "criterion", "critere", "categorie", "caracteristique")),
    "value": frozenset(("value", "name", "valeur", "modalite", "nom")),
    "share": frozenset(
        ("share", "proportion", "count", "population", "people", "part", "effectif", "nombre", "personnes")
    ),
}
_NUMBER = re.compile(r"([0-9]{1,15}(?:[.,][0-9]{1,30})?(?:[eE]-?[0-9]{1,2})?)\s?(%?)")
_THOUSANDS = re.compile(rf"{THOUSANDS}\s?%?")
# How far shares may be from 1, or per cent from 100, since tables round them.
_ROUNDING = 0.01
_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Margin:
    """The population's share of one value, and how many volunteers have it."""

    feature: str
    value: str
    share: float
    volunteers: int


@dataclass(frozen=True, eq=False)
class Propensities:
    """Estimated probabilities of answering.

    Attributes:
        ids: the volunteers, in the order of the pool.
        letters: r, invitations sent, each to a person drawn with equal chances.
        population: M, people who could be drawn.
        q: probability that a person like this volunteer answers; float64, shape (people,), in (0, 1].
        low, high: limits of each q's interval; the same shape. NaN where `max_ratio` raised q: an interval is about an
            estimate, and what was raised is none.
        confidence: what the intervals hold, such as 0.95.
        factors: β of each (feature, value), relative to the feature's mean weighted by the population's shares.
        margins: the population's shares and the pool's counts.
        method: «margins» or «background».
        clipped: ids whose q was cut, to 1 or by `max_ratio`.
        estimated: q before `max_ratio`; the same shape.
        values: each volunteer's place in `margins` for each feature; shape (people, features).
    """

    ids: tuple[str, ...]
    letters: int
    population: int
    q: _Floats
    low: _Floats
    high: _Floats
    confidence: float
    factors: Mapping[tuple[str, str], float]
    margins: tuple[Margin, ...]
    method: str
    clipped: tuple[str, ...]
    estimated: _Floats = field(repr=False)
    values: npt.NDArray[np.int64] = field(repr=False)

    @property
    def algorithm(self) -> str:
        """The algorithm and its version."""
        return ALGORITHM

    @property
    def weights(self) -> tuple[str, ...]:
        """1/q of each volunteer over the smallest one, with three decimals: for `--weight`."""
        inverse = 1 / self.q
        relative = np.minimum(inverse / inverse.min(), _MOST_WEIGHT)
        return tuple(f"{w:.{_DECIMALS}f}" for w in relative)

    @property
    def small_cells(self) -> tuple[Margin, ...]:
        """The values with fewer than ten volunteers."""
        return tuple(m for m in self.margins if m.volunteers < SMALL_CELL)

    def alpha(self, size: int) -> float:
        """α = r·min q / k: the paper's guarantee is about α that grows without bound; below 1 it says nothing."""
        return float(self.letters * self.q.min() / size)

    def target(self, size: int) -> _Floats:
        """The paper's selection probabilities without quotas: k·a_i / Σ a, where that is above 1 cut to 1.

        Shape (people,). Whatever is cut goes to the others in proportion, so that the sum stays `size`.
        """
        if not 0 < size <= len(self.ids):
            raise InputError(
                [Fault("size-invalid", f"{size} seats can't be filled from {len(self.ids)} people.", "")]
            )
        inverse = 1 / self.q
        full = np.zeros(len(inverse), dtype=bool)
        while True:
            open_sum = float(inverse[~full].sum())
            chances = np.where(full, 1.0, inverse * (size - int(full.sum())) / open_sum if open_sum else 1.0)
            over = (chances > 1) & ~full
            if not over.any():
                return chances
            full |= over

    def guarantee_holds(self, size: int) -> bool:
        """Whether no a_i is above Σ a / k, so that all could have the same chance end to end (leaving quotas aside).

        It is about the estimates: weights that `max_ratio` cut fit more easily, and give no equal chances.
        """
        inverse = 1 / self.estimated
        return bool(inverse.max() * size <= inverse.sum() * (1 + 1e-12))

    def end_to_end(self, probabilities: Sequence[float] | Sequence[Fraction]) -> _Floats:
        """Invited × answered × selected, for a person like each volunteer; shape (people,).

        Args:
            probabilities: of being selected from the pool, in the order of `ids`.
        """
        if len(probabilities) != len(self.ids):
            raise InputError(
                [
                    Fault(
                        "bad-input", f"{len(probabilities)} probabilities for {len(self.ids)} volunteers.", ""
                    )
                ]
            )
        chosen = np.array([float(p) for p in probabilities])
        reached: _Floats = self.letters / self.population * self.q * chosen
        return reached

    def composition(self, probabilities: Sequence[float] | _Floats) -> tuple[float, ...]:
        """The expected share of the panel's seats of each of `margins`, with these selection probabilities."""
        chosen = np.asarray(probabilities, dtype=float)
        seats = np.zeros(len(self.margins))
        for column in self.values.T:
            np.add.at(seats, column, chosen)
        return tuple(float(s) for s in seats / chosen.sum())


def estimate_propensities(
    pool: Pool,
    margins: TableSource,
    letters: int,
    population: int,
    background: TableSource | None = None,
    confidence: float = 0.95,
    max_ratio: float | None = None,
) -> Propensities:
    """Estimate how likely each volunteer was to answer.

    Args:
        pool: the volunteers; the columns that `margins` names are used.
        margins: a table feature, value, share. The numbers of a feature are shares (0.51), per cent (51 or «51 %») or
            whole counts of people; shares that miss 1, or per cent 100, by up to 1 % are taken as rounded.
        letters: invitations sent, at least as many as there are volunteers.
        population: people who could have been invited, at least `letters`.
        background: people of the population with the same columns; then β is fitted to them instead of the margins.
        confidence: of the intervals, in (0, 1).
        max_ratio: the largest q over the smallest; smaller ones are raised to it. None: as estimated. This trades bias
            for weights that rest less on few people.

    Raises:
        InputError: with every fault of the input; also if no factors fit (a combination of shares that no weights of
            the volunteers can reach).
    """
    faults = _option_faults(pool, letters, population, confidence, max_ratio)
    table = table_or_faults(margins, "margins", faults)
    shares = _margins(table, faults) if table is not None else {}
    codes, counts = _codes(pool, shares, faults)
    sample = table_or_faults(background, "background", faults) if background is not None else None
    if faults:
        raise InputError(faults)
    places = {key: i for i, key in enumerate(shares)}
    x = _one_hot(codes, len(places))
    m = np.array(list(shares.values()))
    features = tuple(dict.fromkeys(f for f, _ in shares))
    if sample is None:
        eta, variance = _from_margins(x, m, letters, len(features))
    else:
        others = _background_codes(sample, features, places, faults)
        if faults:
            raise InputError(faults)
        eta, variance = _from_background(x, _one_hot(others, len(places)), letters)
    return _result(
        pool,
        letters,
        population,
        confidence,
        max_ratio,
        shares,
        counts,
        codes,
        x,
        eta,
        variance,
        "margins" if sample is None else "background",
    )


def _result(
    pool: Pool,
    letters: int,
    population: int,
    confidence: float,
    max_ratio: float | None,
    shares: Mapping[tuple[str, str], float],
    counts: Sequence[int],
    codes: npt.NDArray[np.int64],
    x: _Floats,
    eta: _Floats,
    variance: _Floats,
    method: str,
) -> Propensities:
    log_q = x @ eta
    spread = normal_factor(confidence) * np.sqrt(np.maximum(0.0, np.einsum("ij,jk,ik->i", x, variance, x)))
    q = np.exp(log_q)
    estimated = np.minimum(1.0, q)
    kept = estimated if max_ratio is None else np.maximum(estimated, estimated.max() / max_ratio)
    raised = kept > estimated * (1 + 1e-9)
    factors: dict[tuple[str, str], float] = {}
    for feature in dict.fromkeys(f for f, _ in shares):
        keys = [key for key in shares if key[0] == feature]
        values = {key: float(np.exp(eta[list(shares).index(key)])) for key in keys}
        mean = sum(values[key] * shares[key] for key in keys)
        factors |= {key: value / mean for key, value in values.items()}
    return Propensities(
        ids=tuple(pool.ids),
        letters=letters,
        population=population,
        q=kept,
        low=np.where(raised, np.nan, np.minimum(1.0, np.exp(log_q - spread))),
        high=np.where(raised, np.nan, np.minimum(1.0, np.exp(log_q + spread))),
        confidence=confidence,
        factors=factors,
        margins=tuple(Margin(f, v, s, n) for ((f, v), s), n in zip(shares.items(), counts, strict=True)),
        method=method,
        clipped=tuple(
            i for i, a, b in zip(pool.ids, q, kept, strict=True) if not np.isclose(a, b, rtol=1e-9)
        ),
        estimated=estimated,
        values=codes,
    )


def _from_margins(x: _Floats, m: _Floats, letters: int, features: int) -> tuple[_Floats, _Floats]:
    """(η by value, its variance) by calibration. The sum over features holds the overall level β_0."""
    start = np.full(len(m), np.log(len(x) / letters) / features)
    target = letters * m

    def value(eta: _Floats) -> float:
        return float(np.exp(-(x @ eta)).sum() + target @ eta)

    def slope(eta: _Floats) -> tuple[_Floats, _Floats]:
        inverse = np.exp(-(x @ eta))
        return target - x.T @ inverse, (x * inverse[:, None]).T @ x

    eta = _newton(start, value, slope)
    inverse = np.exp(-(x @ eta))
    # Each letter adds x/q if it is answered, and x on average.
    spread = (x * (inverse**2)[:, None]).T @ x - letters * np.outer(m, m)
    bread = np.linalg.pinv(slope(eta)[1], hermitian=True)
    return eta, bread @ spread @ bread


def _from_background(x: _Floats, others: _Floats, letters: int) -> tuple[_Floats, _Floats]:
    """(η by value, its variance) by maximum likelihood against a sample of the population."""
    seen = x.sum(axis=0)
    start = np.full(x.shape[1], np.log(len(x) / letters) / x[0].sum())
    scale = letters / len(others)

    def value(eta: _Floats) -> float:
        return float(scale * np.exp(others @ eta).sum() - seen @ eta)

    def slope(eta: _Floats) -> tuple[_Floats, _Floats]:
        q = scale * np.exp(others @ eta)
        return others.T @ q - seen, (others * q[:, None]).T @ others

    eta = _newton(start, value, slope)
    curve = slope(eta)[1]
    q = np.exp(others @ eta)
    rows = others * q[:, None]
    centred = rows - rows.mean(axis=0)
    # Noise of the answers, and of the sample that stands for the population.
    spread = curve - np.outer(seen, seen) / letters + scale**2 * (centred.T @ centred)
    bread = np.linalg.pinv(curve, hermitian=True)
    return eta, bread @ spread @ bread


def _newton(
    start: _Floats, value: Callable[[_Floats], float], slope: Callable[[_Floats], tuple[_Floats, _Floats]]
) -> _Floats:
    """The minimum of a convex function, by steps that are halved until they lead down."""
    eta, here = start, value(start)
    for _ in range(_STEPS):
        gradient, curve = slope(eta)
        step = np.linalg.pinv(curve, rcond=1e-12, hermitian=True) @ gradient
        decrement = float(gradient @ step)
        if decrement < 1e-16 * max(1.0, abs(here)):
            break
        length = 1.0
        while True:
            with np.errstate(over="ignore"):
                there = value(eta - length * step)
            if there <= here - 1e-4 * length * decrement or length < 1e-10:
                break
            length /= 2
        eta, here = eta - length * step, there
    gradient, _curve = slope(eta)
    if not np.isfinite(here) or float(np.abs(gradient).max()) > 1e-6 * max(1.0, abs(here)):
        raise InputError(
            [
                Fault(
                    "propensity-no-fit",
                    "no factors of the values explain the pool: no weights of the volunteers have the population's "
                    "shares of all features. Merge small values, or leave a feature out.",
                    "",
                )
            ]
        )
    return eta


def _one_hot(codes: npt.NDArray[np.int64], width: int) -> _Floats:
    x = np.zeros((len(codes), width))
    for column in codes.T:
        x[np.arange(len(codes)), column] = 1.0
    return x


def _option_faults(
    pool: Pool, letters: int, population: int, confidence: float, max_ratio: float | None
) -> list[Fault]:
    faults = []
    if letters < len(pool):
        message = f"{letters} letters were sent and {len(pool)} people volunteered. Give the number of all invitations."
        faults.append(Fault("propensity-letters", message, "", value=str(letters)))
    if population < letters:
        message = f"{letters} letters went to a population of {population}. Give the number of all who could be invited."
        faults.append(Fault("propensity-letters", message, "", value=str(population)))
    if not 0 < confidence < 1:
        faults.append(
            Fault(
                "option-range",
                f"the confidence is {confidence}; it lies between 0 and 1.",
                "",
                value=str(confidence),
            )
        )
    if max_ratio is not None and not max_ratio >= 1:
        faults.append(
            Fault(
                "option-range",
                f"the largest ratio is {max_ratio}; it is 1 or more.",
                "",
                value=str(max_ratio),
            )
        )
    return faults


def _margins(table: Table, faults: list[Fault]) -> dict[tuple[str, str], float]:
    """The share of each (feature, value), each feature scaled to 1; values by code point."""
    columns = {}
    for role, names in _HEADINGS.items():
        at = [i for i, label in enumerate(table.columns) if re.sub(r"[\s_.\-]+", "", folded(label)) in names]
        if len(at) != 1:
            what = "no column" if not at else "more than one column"
            message = f"there is {what} for the {role}. Margins need the columns feature, value and share (or count)."
            faults.append(Fault("margin-column", message, table.name, column=role))
        else:
            columns[role] = at[0]
    if len(columns) < len(_HEADINGS):
        return {}
    raw: dict[tuple[str, str], float] = {}
    per_cent: dict[str, bool] = {}
    for i, row in enumerate(table.row_numbers):
        feature, value, text = (table.data[columns[role]][i] for role in ("feature", "value", "share"))
        match = _NUMBER.fullmatch(text)
        number = float(match[1].replace(",", ".")) if match else -1.0
        if _THOUSANDS.fullmatch(text):
            message = f"{quoted(text)} could be {text.replace(',', '')} or {text.replace(',', '.')}. Write one of the two."
            faults.append(
                Fault("margin-invalid", message, table.name, row, table.columns[columns["share"]], text)
            )
        elif not feature or not value or number <= 0:
            message = (
                f"the share of {quoted(f'{feature}: {value}')} is {quoted(text)}. Each row needs a feature, a value and a "
                "share or count above 0; leave out values that nobody in the population has."
            )
            faults.append(
                Fault("margin-invalid", message, table.name, row, table.columns[columns["share"]], text)
            )
        elif (feature, value) in raw:
            message = f"{quoted(f'{feature}: {value}')} stands twice. Delete one of the rows."
            faults.append(Fault("margin-duplicate", message, table.name, row, value=value))
        else:
            raw[feature, value] = number / 100 if match and match[2] else number
            per_cent[feature] = per_cent.get(feature, False) or bool(match and match[2])
    sums: dict[str, float] = {}
    for (feature, _), number in raw.items():
        sums[feature] = sums.get(feature, 0.0) + number
    if not faults:  # a row left out would make a sum look wrong
        for feature, total in sums.items():
            numbers = [number for (f, _), number in raw.items() if f == feature]
            if not _a_whole(numbers, total, per_cent[feature]):
                faults.append(_sum_fault(table.name, feature, total, per_cent[feature]))
    return {key: raw[key] / sums[key[0]] for key in sorted(raw)}


def _a_whole(numbers: Sequence[float], total: float, per_cent: bool) -> bool:
    """Whether these are all the shares of a feature: they add up to 1 or 100, or are counts of people."""
    if abs(total - 1) <= _ROUNDING:
        return True
    return not per_cent and (abs(total - 100) <= 100 * _ROUNDING or all(n.is_integer() for n in numbers))


def _sum_fault(name: str, feature: str, total: float, per_cent: bool) -> Fault:
    shown = f"{100 * total:.6g} %" if per_cent else f"{total:.6g}"
    message = (
        f"the shares of {quoted(feature)} add up to {shown}. Shares add up to 1 and per cent to 100 (within 1 %), and "
        "counts are whole numbers of people. Correct them, or add the values that are missing."
    )
    return Fault("margin-sum", message, name, column=feature, value=shown)


def _codes(
    pool: Pool, shares: Mapping[tuple[str, str], float], faults: list[Fault]
) -> tuple[npt.NDArray[np.int64], list[int]]:
    """Each volunteer's place in `shares` by feature, and the volunteers of each value."""
    places = {key: i for i, key in enumerate(shares)}
    counts = [0] * len(places)
    columns = []
    for feature in dict.fromkeys(f for f, _ in shares):
        if feature not in pool.columns:
            hint = closest(feature, pool.columns)
            message = f"there is no column {quoted(feature)}, for which the margins give shares.{hint}"
            faults.append(Fault("feature-missing", message, pool.name, column=feature))
            continue
        column = []
        unknown: dict[str, int] = {}
        for value, row in zip(pool.column(feature), pool.row_numbers, strict=True):
            place = places.get((feature, value))
            if place is None:
                unknown.setdefault(value, row)
            else:
                column.append(place)
                counts[place] += 1
        for value, row in unknown.items():
            message = f"the margins have no share for {quoted(value)}. Add it, or correct the spelling."
            faults.append(Fault("value-unknown", message, pool.name, row, feature, value))
        columns.append(column)
    if not faults:
        for (feature, value), n in zip(shares, counts, strict=True):
            if n == 0:
                message = (
                    f"nobody in the pool stands for {quoted(f'{feature}: {value}')}, so nothing can be said about how "
                    "likely these people are to answer. Merge this value with another one, in both tables."
                )
                faults.append(Fault("margin-empty", message, pool.name, column=feature, value=value))
    good = not faults and bool(columns)
    return (np.array(columns, dtype=np.int64).T if good else np.zeros((0, 0), dtype=np.int64)), counts


def _background_codes(
    table: Table, features: Sequence[str], places: Mapping[tuple[str, str], int], faults: list[Fault]
) -> npt.NDArray[np.int64]:
    columns: list[list[int]] = []
    for feature in features:
        if feature not in table.columns:
            message = f"there is no column {quoted(feature)}, for which the margins give shares."
            faults.append(Fault("feature-missing", message, table.name, column=feature))
            continue
        column = []
        for value, row in zip(table.data[table.columns.index(feature)], table.row_numbers, strict=True):
            if (feature, value) not in places:
                message = f"the margins have no share for {quoted(value)}. Add it, or correct the spelling."
                faults.append(Fault("value-unknown", message, table.name, row, feature, value))
            else:
                column.append(places[feature, value])
        columns.append(column)
    return np.array(columns, dtype=np.int64).T if not faults else np.zeros((0, 0), dtype=np.int64)
