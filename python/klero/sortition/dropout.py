"""How likely is it that somebody with these features drops out, to judge by past panels?

A table of past panellists, with the same features and a column that says who dropped out, gives a logistic model

    log-odds of dropping out = base + Σ_features effect of the person's value,

fitted by maximum likelihood with a ridge: effects are drawn towards 0 as if each had a normal prior of mean 0 and variance
1/ridge, so that a value seen a few times says little (Hoerl and Kennard, Technometrics 1970; le Cessie and van Houwelingen, Applied
Statistics 1992). The base is steadied by one person of average features who half dropped out. (Assos et al. 2025 fit a product of factors
instead; both say that features act apart from each other.) Newton's method, in a fixed order of values: the same table, in any order
of rows, gives the same model. Probabilities are given out as whole ten-thousandths: from there on nothing is rounded.

Intervals are those of the normal approximation at the optimum, at 95 %, given that the model is right and that the people of the
past are like those of today: this can't be read from the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from klero._tables_cells import folded
from klero.errors import Fault, InputError, InternalError, quoted
from klero.sortition.intervals import normal_factor
from klero.tables import Table, TableSource, read_table

if TYPE_CHECKING:
    import numpy.typing as npt

    from klero.sortition.instance import Instance

__all__ = ["DropoutModel", "Effect", "estimate_dropout"]

ALGORITHM = "klero-dropout/1"
DENOMINATOR = 10_000
# Under this many dropouts for each effect, estimates are known to be unsteady (Peduzzi et al., J Clin Epidemiol 1996).
_EVENTS_PER_EFFECT = 10
_FEW_PEOPLE = 20
_YES = frozenset(("yes", "y", "1", "true", "oui", "vrai", "dropped", "withdrawn"))
_NO = frozenset(("no", "n", "0", "false", "non", "faux", "stayed"))
_CONFIDENCE = 0.95
_STEPS = 100


@dataclass(frozen=True)
class Effect:
    """What one value of one feature does.

    Attributes:
        feature: the feature.
        value: the value.
        people: how many past panellists had it.
        dropped: how many of these dropped out.
        odds: by what factor it changes the odds of dropping out.
        interval: 95 % interval of the factor.
    """

    feature: str
    value: str
    people: int
    dropped: int
    odds: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class DropoutModel:
    """Probabilities of dropping out by feature.

    Attributes:
        features: the features used, by code point.
        effects: one for each value, by feature and value.
        people: past panellists.
        dropped: how many of these dropped out.
        ridge: the penalty.
        warnings: what speaks against relying on it.
        base: log-odds of a person without any effect.
    """

    features: tuple[str, ...]
    effects: tuple[Effect, ...]
    people: int
    dropped: int
    ridge: float
    warnings: tuple[str, ...]
    base: float
    _coefficients: tuple[float, ...]
    _covariance: tuple[tuple[float, ...], ...]

    @property
    def algorithm(self) -> str:
        """The model and its version."""
        return ALGORITHM

    def probability(self, person: Mapping[str, str]) -> Fraction:
        """The probability of a person (feature → value), in whole ten-thousandths; a value never seen has no effect."""
        eta, _ = self._predictor(person)
        return Fraction(round(DENOMINATOR * _logistic(eta)), DENOMINATOR)

    def interval(self, person: Mapping[str, str]) -> tuple[float, float]:
        """The 95 % interval of a person's probability."""
        eta, deviation = self._predictor(person)
        margin = normal_factor(_CONFIDENCE) * deviation
        return _logistic(eta - margin), _logistic(eta + margin)

    def probabilities(self, instance: Instance) -> dict[str, Fraction]:
        """The probability of everybody of an instance, by id."""
        by_type = [
            self.probability(dict(_named(instance, instance.types[t]))) for t in range(len(instance.types))
        ]
        return {i: by_type[t] for i, t in zip(instance.ids, instance.person_type, strict=True)}

    def unseen(self, instance: Instance) -> tuple[str, ...]:
        """What this model can't know of an instance: features it lacks, and values that no past panellist had."""
        known = {(e.feature, e.value) for e in self.effects if e.people}
        lacking = [
            f"the past has no column {quoted(f)}"
            for f in instance.features
            if f not in self.features and not f.startswith("(")
        ]
        for f, values in zip(instance.features, instance.values, strict=True):
            if f in self.features:
                lacking += [
                    f"no past panellist had {quoted(f'{f}: {v}')}" for v in values if (f, v) not in known
                ]
        return tuple(lacking)

    def _predictor(self, person: Mapping[str, str]) -> tuple[float, float]:
        row = np.array(
            [1.0, *(float(person.get(e.feature) == e.value) for e in self.effects)], dtype=np.float64
        )
        covariance = np.array(self._covariance)
        return float(row @ np.array(self._coefficients)), float(np.sqrt(max(0.0, row @ covariance @ row)))

    def __repr__(self) -> str:
        return f"<DropoutModel: {self.dropped} of {self.people} dropped out, {len(self.effects)} values of {len(self.features)} features>"


def estimate_dropout(
    past: TableSource, features: Sequence[str] | None = None, *, dropped: str = "dropped", ridge: float = 1.0
) -> DropoutModel:
    """Estimates probabilities of dropping out from past panels.

    Args:
        past: a table with a row for each past panellist: columns of features, and one that says who dropped out (yes or no).
        features: the columns to use; by default all but the last-named and one called «id».
        dropped: the column that says who dropped out.
        ridge: how strongly effects are drawn to 0, from 0.001 to 1000; 1 holds most of them within a factor of 7.

    Raises:
        InputError: the table can't be used; all faults at once.
    """
    table = read_table(past, called="past")
    names = tuple(sorted(_features(table, features, dropped)))
    if isinstance(ridge, bool) or not isinstance(ridge, (int, float)) or not 1e-3 <= ridge <= 1e3:
        message = f"the ridge is {ridge!r}; give a number from 0.001 to 1000"
        raise InputError([Fault("option-range", message, "", value=str(ridge))])
    outcome = _outcomes(table, dropped)
    rows = Counter(zip(*(table.column(f) for f in names), outcome, strict=True))
    values = [(f, v) for at, f in enumerate(names) for v in sorted({row[at] for row in rows})]
    listed = sorted(rows.items())
    design = np.zeros((len(listed), 1 + len(values)))
    design[:, 0] = 1.0
    places = {cell: 1 + j for j, cell in enumerate(values)}
    for r, (row, _) in enumerate(listed):
        for at, f in enumerate(names):
            design[r, places[f, row[at]]] = 1.0
    weights = np.array([float(n) for _, n in listed])
    answers = np.array([float(row[-1]) for row, _ in listed])
    coefficients, covariance = _fitted(design, weights, answers, float(ridge))
    counts = {
        cell: (int(weights @ design[:, j]), int((weights * answers) @ design[:, j]))
        for cell, j in places.items()
    }
    factor = normal_factor(_CONFIDENCE)
    effects = tuple(
        Effect(
            *cell,
            *counts[cell],
            float(np.exp(coefficients[j])),
            tuple(np.exp(coefficients[j] + s * factor * np.sqrt(covariance[j, j])).item() for s in (-1, 1)),
        )
        for cell, j in places.items()
    )
    out = sum(outcome)
    return DropoutModel(
        names,
        effects,
        len(table),
        out,
        float(ridge),
        _warnings(effects, len(names), len(table), out),
        float(coefficients[0]),
        tuple(coefficients.tolist()),
        tuple(tuple(row) for row in covariance.tolist()),
    )


def _features(table: Table, wanted: Sequence[str] | None, dropped: str) -> list[str]:
    faults = []
    there = ", ".join(map(quoted, table.columns))
    if dropped not in table.columns:
        message = f"there is no column {quoted(dropped)} that says who dropped out (yes or no). The columns are: {there}."
        faults.append(Fault("dropout-data", message, table.name, column=dropped))
    names = (
        [c for c in table.columns if c != dropped and c.casefold() != "id"]
        if wanted is None
        else list(wanted)
    )
    for name in names:
        if name not in table.columns:
            message = f"there is no column {quoted(name)}. The columns are: {there}."
            faults.append(Fault("dropout-data", message, table.name, column=name))
    if not names:
        message = f"there is no feature to judge by: no column beside {quoted(dropped)} is one of the panel's features."
        faults.append(Fault("dropout-data", message, table.name))
    if faults:
        raise InputError(faults)
    return names


def _outcomes(table: Table, dropped: str) -> list[int]:
    outcome, faults = [], []
    for text, row in zip(table.column(dropped), table.row_numbers, strict=True):
        word = folded(text)
        if word not in _YES and word not in _NO:
            what = quoted(text) if text else "empty"
            message = f"the cell is {what}; it must say whether this person dropped out: yes or no."
            faults.append(Fault("dropout-data", message, table.name, row, dropped, text))
        outcome.append(int(word in _YES))
    if faults:
        raise InputError(faults)
    return outcome


def _fitted(
    design: npt.NDArray[np.float64],
    weights: npt.NDArray[np.float64],
    answers: npt.NDArray[np.float64],
    ridge: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """(coefficients, covariance): Newton on the penalised likelihood, which is strictly concave."""
    steady = np.zeros((1, design.shape[1]))
    steady[0, 0] = 1.0
    rows = np.vstack([design, steady])
    mass = np.concatenate([weights, [1.0]])
    hits = np.concatenate([answers, [0.5]])
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0.0
    beta = np.zeros(design.shape[1])

    def height(at: npt.NDArray[np.float64]) -> float:
        eta = rows @ at
        return float(mass @ (hits * eta - np.logaddexp(0.0, eta)) - penalty @ (at * at) / 2)

    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-(rows @ beta)))
        slope = rows.T @ (mass * (hits - p)) - penalty * beta
        curve = (rows.T * (mass * p * (1 - p))) @ rows + np.diag(penalty)
        if float(np.abs(slope).max()) < 1e-9 * (1 + float(mass.sum())):
            return beta, np.asarray(np.linalg.inv(curve), dtype=np.float64)
        step, size, now = np.linalg.solve(curve, slope), 1.0, height(beta)
        while height(beta + size * step) < now and size > 1e-6:
            size /= 2
        beta = beta + size * step
    raise InternalError("The model of dropouts did not settle. Please report it with the table.")


def _warnings(effects: Sequence[Effect], features: int, people: int, dropped: int) -> tuple[str, ...]:
    warnings = []
    free = max(1, len(effects) - features)
    fewer = min(dropped, people - dropped)
    if fewer < _EVENTS_PER_EFFECT * free:
        warnings.append(
            f"few data: {dropped} of {people} dropped out, for {free} effects; {_EVENTS_PER_EFFECT * free} dropouts or more would be steady. "
            "Effects are drawn towards none."
        )
    few = [f"{e.feature}: {e.value} ({e.people})" for e in effects if e.people < _FEW_PEOPLE]
    if few:
        more = f" and {len(few) - 5} more" if len(few) > 5 else ""
        warnings.append(f"fewer than {_FEW_PEOPLE} past panellists for {', '.join(few[:5])}{more}")
    return tuple(warnings)


def _logistic(eta: float) -> float:
    return float(1 / (1 + np.exp(-eta)))


def _named(instance: Instance, kind: Sequence[int]) -> list[tuple[str, str]]:
    return [(f, values[v]) for f, values, v in zip(instance.features, instance.values, kind, strict=True)]
