"""The model of dropouts: the optimum it claims, what simulated panels say of it, and few data said so."""

from __future__ import annotations

import random
from fractions import Fraction
from math import exp, log

import numpy as np
import pytest

import klero
from klero.errors import InputError
from klero.sortition.dropout import DropoutModel, _fitted
from klero.sortition.instance import build_instance

TRUE = {("age", "old"): -0.6, ("age", "young"): 0.6, ("g", "m"): 0.2, ("g", "w"): -0.2}
BASE = -1.5


def simulated(count: int, seed: int) -> list[dict[str, object]]:
    chance = random.Random(seed)
    rows: list[dict[str, object]] = []
    for i in range(count):
        person = {"age": chance.choice(["old", "young"]), "g": chance.choice("mw")}
        eta = BASE + sum(TRUE[cell] for cell in person.items())
        rows.append(
            {"id": str(i), **person, "dropped": "yes" if chance.random() < 1 / (1 + exp(-eta)) else "no"}
        )
    return rows


def chance_of(**person: str) -> float:
    return 1 / (1 + exp(-BASE - sum(TRUE[cell] for cell in person.items())))


def test_with_many_past_panellists_the_truth_is_found() -> None:
    model = klero.estimate_dropout(simulated(20_000, 1))
    for age in ("old", "young"):
        for g in ("m", "w"):
            assert abs(float(model.probability({"age": age, "g": g})) - chance_of(age=age, g=g)) < 0.02
    assert model.warnings == ()
    # Only differences within a feature can be told; the ridge puts the effects around 0.
    odds = {(e.feature, e.value): e.odds for e in model.effects}
    assert abs(log(odds["age", "young"] / odds["age", "old"]) - 1.2) < 0.1


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    covered = tried = 0
    for seed in range(200):
        model = klero.estimate_dropout(simulated(400, seed), ridge=0.01)
        low, high = model.interval({"age": "young", "g": "m"})
        covered += low <= chance_of(age="young", g="m") <= high
        tried += 1
    # 95 % of 200 is 190, with a standard deviation of 3; seeds are fixed.
    assert covered >= 180
    assert covered < tried


def test_order_of_rows_and_columns_changes_nothing() -> None:
    rows = simulated(300, 2)
    shuffled = [dict(reversed(row.items())) for row in rows]
    random.Random(1).shuffle(shuffled)
    assert klero.estimate_dropout(rows) == klero.estimate_dropout(shuffled)


def test_the_fit_is_the_optimum_of_the_penalised_likelihood() -> None:
    chance = np.random.default_rng(3)
    design = np.c_[np.ones(40), chance.integers(0, 2, (40, 4)).astype(float)]
    weights, answers = chance.integers(1, 5, 40).astype(float), chance.integers(0, 2, 40).astype(float)
    beta, covariance = _fitted(design, weights, answers, 0.7)

    def height(at: np.ndarray) -> float:  # type: ignore[type-arg]
        total = 0.5 * at[0] - log(1 + exp(at[0])) - 0.35 * float(at[1:] @ at[1:])
        for row, w, y in zip(design, weights, answers, strict=True):
            eta = float(row @ at)
            total += w * (y * eta - log(1 + exp(eta)))
        return float(total)

    best = height(beta)
    for j in range(5):
        for sign in (-1e-3, 1e-3):
            moved = beta.copy()
            moved[j] += sign
            assert height(moved) < best
    assert np.all(np.linalg.eigvalsh(covariance) > 0)


def test_a_ridge_draws_rare_values_towards_no_effect() -> None:
    rows = [*simulated(500, 4), {"id": "x", "age": "rare", "g": "m", "dropped": "yes"}]
    weak, strong = (
        klero.estimate_dropout(rows, ridge=r).probability({"age": "rare", "g": "m"}) for r in (0.01, 10)
    )
    assert strong < Fraction(3, 10) < weak


def test_nobody_or_everybody_dropping_out_gives_a_finite_answer() -> None:
    for word, low, high in (("no", 0, 0.05), ("yes", 0.95, 1)):
        rows = [{"g": g, "dropped": word} for g in "mw" * 30]
        assert low < float(klero.estimate_dropout(rows).probability({"g": "m"})) < high


def test_few_data_are_said() -> None:
    model = klero.estimate_dropout(simulated(30, 5))
    assert any("few data" in text for text in model.warnings)
    assert any("fewer than 20" in text for text in model.warnings)


def test_probabilities_of_a_pool_and_what_the_past_can_not_say() -> None:
    people = [
        {"id": f"P{i}", "age": a, "g": "w", "region": "n"}
        for i, a in enumerate(["old", "young", "child", "old"])
    ]
    rows = [("age", v) for v in ("old", "young", "child")] + [("g", "w"), ("region", "n")]
    quotas = [{"feature": f, "value": v, "min": 0, "max": 4} for f, v in rows]
    instance = build_instance(klero.Pool.read(people), klero.Quotas.read(quotas), 2)
    model = klero.estimate_dropout(simulated(800, 6), ["age", "g"])
    table = model.probabilities(instance)
    assert table["P0"] == table["P3"] == model.probability({"age": "old", "g": "w"}) < table["P1"]
    assert all(10_000 % p.denominator == 0 for p in table.values())
    unseen = model.unseen(instance)
    assert unseen == ("the past has no column 'region'", "no past panellist had 'age: child'")


@pytest.mark.parametrize(
    ("rows", "options", "words"),
    [
        ([{"g": "w"}], {}, "no column 'dropped'"),
        ([{"g": "w", "dropped": "maybe"}], {}, "'maybe'"),
        ([{"g": "w", "dropped": ""}], {}, "empty"),
        ([{"g": "w", "dropped": "yes"}], {"features": ["age"]}, "no column 'age'"),
        ([{"id": "1", "dropped": "yes"}], {}, "no feature to judge by"),
        ([{"g": "w", "dropped": "yes"}], {"ridge": 0}, "option-range"),
        ([{"g": "w", "dropped": "yes"}], {"ridge": True}, "option-range"),
        ([{"g": "w", "dropped": "yes"}], {"ridge": float("nan")}, "option-range"),
    ],
)
def test_bad_tables_and_options_are_refused(
    rows: list[dict[str, object]], options: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        klero.estimate_dropout(rows, **options)  # type: ignore[arg-type]


def test_all_bad_cells_are_told_at_once_with_their_rows() -> None:
    rows = [{"g": "w", "dropped": word} for word in ("yes", "maybe", "no", "perhaps")]
    with pytest.raises(InputError) as caught:
        klero.estimate_dropout(rows)
    assert [(f.code, f.row) for f in caught.value.faults] == [("dropout-data", 2), ("dropout-data", 4)]


def test_words_for_yes_and_no_in_french() -> None:
    rows = [
        {"g": g, "dropped": word} for g, word in (("f", "oui"), ("h", "non"), ("f", "non"), ("h", "Vrai"))
    ]
    model = klero.estimate_dropout(rows)
    assert isinstance(model, DropoutModel)
    assert (model.dropped, model.people) == (2, 4)
