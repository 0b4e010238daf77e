"""Nash, goldilocks and minimax against all panels listed, against both verifiers, and against each other."""

from __future__ import annotations

import csv
import doctest
import random
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.errors import InputError
from klero.ledger.bundle import bundle_files
from klero.sortition.certificate import Claim
from klero.sortition.claim import NOTHING, forced_types, proved_bound, scores, standing
from klero.sortition.instance import Instance, read_instance
from klero.sortition.lottery import OBJECTIVES, Lottery, Objective, fair_lottery, lottery_for
from klero.words import percent
from ledger_cases import outcomes
from objective_oracle import (
    Question,
    highest_minimum,
    least_goldilocks,
    least_maximum,
    nash_excess,
    question,
    random_pools,
    weighted,
)
from strategies import instances

EXAMPLES = Path(__file__).resolve().parents[1] / "python" / "klero" / "examples"
NEW: tuple[Objective, ...] = ("nash", "goldilocks", "minimax")
FINE = 10**9


def check_against_all_panels(instance: Instance, ask: Question, objective: Objective) -> str:
    """Compares one lottery with the truth; returns its certificate's level."""
    lottery = lottery_for(instance, objective, FINE)
    chances = lottery.type_probabilities
    assert sum(p * n for p, n in zip(chances, instance.counts, strict=True)) == instance.size
    assert set(lottery.never) == set(ask.never)
    assert all(chances[t] == 1 for t in ask.forced)
    library, alone = outcomes(bundle_files(lottery))
    assert library == alone
    assert all(ok for _, ok in library)
    if ask.open:
        ratios = [chances[t] / instance.weights[t] for t in ask.open]
        excess = far_from_best(ask, objective, chances, ratios, lottery.certificate.claim)
        assert excess <= lottery.certificate.gap * (1 + Fraction(1, 10**6)) + Fraction(1, 10**7)
        assert lottery.certificate.gap <= Fraction(1, 10**4)
    return lottery.certificate.level


def far_from_best(
    ask: Question,
    objective: Objective,
    chances: tuple[Fraction, ...],
    ratios: list[Fraction],
    claim: Claim | None,
) -> Fraction:
    assert claim is not None
    if objective == "nash":
        return nash_excess(ask, chances) / 10**2
    if objective == "minimax":
        top = least_maximum(ask)
        assert highest_minimum(ask, top) - min(ratios) <= Fraction(1, 10**5) * top
        return max(ratios) - top
    low, high = min(ratios) / ask.share, max(ratios) / ask.share
    # Any tangent bounds every lottery. The claim's own is only a hint where to look; its digits end where a float's do.
    hints = {low.limit_denominator(10**7), (claim.tangent or Fraction(1)).limit_denominator(10**7)}
    return high + 1 / low - max(least_goldilocks(ask, hint) for hint in hints)


# Numbers of `random_pools(7, …)` whose linear bound no lottery reaches.
GAPPED = (111, 153, 393, 455)


@pytest.mark.parametrize("objective", NEW)
def test_no_lottery_over_any_panels_is_better(objective: Objective) -> None:
    compared = 0
    for instance in random_pools(17, 70):
        ask = question(instance)
        if ask is not None:
            check_against_all_panels(instance, ask, objective)
            compared += bool(ask.open)
    assert compared > 30


@pytest.mark.parametrize("objective", NEW)
def test_nor_where_whole_panels_fall_short_of_the_linear_bound(objective: Objective) -> None:
    levels = []
    for number, instance in enumerate(random_pools(7, max(GAPPED) + 1)):
        if number in GAPPED:
            ask = question(instance)
            assert ask is not None
            levels.append(check_against_all_panels(instance, ask, objective))
    assert "L1" in levels


def test_types_that_quotas_seat_whole_are_on_every_panel() -> None:
    found = 0
    for instance in random_pools(23, 400):
        ask = question(instance)
        if ask is None:
            continue
        forced = forced_types(instance, ask.never)
        assert set(ask.forced) == forced
        assert all(panel[t] == instance.counts[t] for panel in ask.panels for t in forced)
        found += bool(forced)
    assert found > 40


@pytest.fixture(scope="module")
def examples() -> dict[str, Lottery]:
    instance = read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30)
    return {objective: lottery_for(instance, objective, FINE) for objective in OBJECTIVES}


def test_each_objective_is_best_at_its_own(examples: dict[str, Lottery]) -> None:
    near = 1 + 1e-6
    for lottery in examples.values():
        assert lottery.geometric_mean <= examples["nash"].geometric_mean * near
        assert float(lottery.min_probability) <= float(examples["leximin"].min_probability) * near
        assert float(lottery.max_probability) >= float(examples["minimax"].max_probability) / near
        assert goldilocks_of(lottery) >= goldilocks_of(examples["goldilocks"]) / near
    assert examples["nash"].min_probability < examples["goldilocks"].min_probability


def goldilocks_of(lottery: Lottery) -> float:
    share = float(lottery.equal_share)
    return float(lottery.max_probability) / share + share / float(lottery.min_probability)


@pytest.mark.parametrize("objective", NEW)
def test_order_of_rows_changes_no_byte(objective: Objective) -> None:
    tables = []
    for name in ("people.csv", "quotas.csv"):
        with (EXAMPLES / name).open(encoding="utf-8", newline="") as source:
            tables.append(list(csv.DictReader(source)))
    first = bundle_files(fair_lottery(tables[0], tables[1], size=30, objective=objective))
    for table in tables:
        random.Random(3).shuffle(table)
    assert bundle_files(fair_lottery(tables[0], tables[1], size=30, objective=objective)) == first


@pytest.mark.parametrize("objective", NEW)
def test_other_names_for_values_and_a_feature_that_says_nothing_change_no_chance(
    objective: Objective,
) -> None:
    with (EXAMPLES / "people.csv").open(encoding="utf-8", newline="") as source:
        people = list(csv.DictReader(source))
    with (EXAMPLES / "quotas.csv").open(encoding="utf-8", newline="") as source:
        quotas = list(csv.DictReader(source))
    plain = fair_lottery(people, quotas, size=30, objective=objective)
    turned = [{**row, "gender": row["gender"][::-1]} for row in people]
    turned = [{**row, "coin": "ab"[i % 2]} for i, row in enumerate(turned)]
    also = [{**row, "value": row["value"][::-1]} if row["feature"] == "gender" else row for row in quotas]
    also += [{"feature": "coin", "value": v, "min": "0", "max": "30"} for v in "ab"]
    other = fair_lottery(turned, also, size=30, objective=objective)
    assert len(other.instance.types) > len(plain.instance.types)
    for person in plain.instance.ids:
        assert float(other.probability(person)) == pytest.approx(float(plain.probability(person)), abs=3e-6)


@settings(max_examples=25, deadline=None)
@given(instances(feasible=True), st.sampled_from(NEW), st.randoms(use_true_random=False))
def test_every_lottery_fills_the_seats_and_passes_both_verifiers(
    instance: Instance, objective: Objective, draw: random.Random
) -> None:
    instance = weighted(instance, draw)
    lottery = lottery_for(instance, objective)
    assert (
        sum(p * n for p, n in zip(lottery.type_probabilities, instance.counts, strict=True)) == instance.size
    )
    library, alone = outcomes(bundle_files(lottery))
    assert library == alone
    assert all(ok for _, ok in library)
    assert lottery.certificate.gap >= 0


@pytest.mark.parametrize("objective", NEW)
def test_a_weight_twice_as_large_is_worth_twice_the_chance_where_quotas_leave_it_free(
    objective: Objective,
) -> None:
    people = [{"id": f"p{i}", "g": "ab"[i % 2], "w": str(1 + i % 4 // 2)} for i in range(40)]
    quotas = [{"feature": "g", "value": v, "min": 3, "max": 3} for v in "ab"]
    lottery = fair_lottery(people, quotas, size=6, objective=objective, weight="w", denominator=FINE)
    assert float(lottery.probability("p2")) == pytest.approx(2 * float(lottery.probability("p0")), rel=1e-6)


def test_whoever_must_sit_is_left_out_of_the_largest_chance() -> None:
    people = [{"id": f"p{i}", "g": "ab"[i % 2]} for i in range(20)]
    quotas = [{"feature": "g", "value": v, "min": 2, "max": 3} for v in "ab"]
    lottery = fair_lottery(people, quotas, size=5, objective="minimax", must_sit=["p3"])
    assert lottery.probability("p3") == 1
    assert max(p for p in lottery.type_probabilities if p < 1) < Fraction(1, 4)
    assert lottery.certificate.gap < Fraction(1, 10**5)


def test_where_everybody_sits_there_is_nothing_to_prove() -> None:
    people = [{"id": str(i), "g": "ab"[i % 2]} for i in range(6)]
    quotas = [{"feature": "g", "value": v, "min": 0, "max": 6} for v in "ab"]
    for objective in NEW:
        lottery = fair_lottery(people, quotas, size=6, objective=objective)
        assert lottery.certificate.claim == NOTHING
        assert lottery.certificate.gap == 0
        assert all(ok for _, ok in outcomes(bundle_files(lottery))[0])


def test_too_few_balls_for_somebody_is_told_in_words() -> None:
    people = [{"id": f"p{i}", "g": "a" if i < 3000 else "b"} for i in range(3010)]
    quotas = [
        {"feature": "g", "value": "a", "min": 1, "max": 1},
        {"feature": "g", "value": "b", "min": 1, "max": 2},
    ]
    # A type of 3,000 has a thousand balls; one person with a type of their own needs their own ball.
    people = [{**row, "h": f"h{i}" if i < 64 else "rest"} for i, row in enumerate(people)]
    quotas += [{"feature": "h", "value": v, "min": 0, "max": 2} for v in sorted({row["h"] for row in people})]
    with pytest.raises(InputError, match="balls-too-few"):
        fair_lottery(people, quotas, size=2, objective="nash", denominator=1000)


@pytest.mark.parametrize("objective", NEW)
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_explanations_say_what_is_proved(
    examples: dict[str, Lottery], objective: Objective, lang: str
) -> None:
    lottery = examples[objective]
    text = lottery.explain(lang=lang)
    assert objective in text
    assert ("Proved:" if lang == "en" else "Prouvé :") in text
    # Minimax' sentence speaks of a chance, not of even shares.
    where = standing(lottery.instance, lottery.never)
    unit = where.share if objective == "minimax" else 1
    assert f"{float(lottery.certificate.gap * unit):.1e}" in text
    if objective == "minimax":
        claim = lottery.certificate.claim
        assert claim is not None
        q = scores(lottery.instance, objective, claim)
        best = proved_bound(lottery.instance, where.bounds, q, claim.proof)
        people = sum(lottery.instance.shares[t] * c for t, c in claim.weights)
        assert percent(Fraction(-best, people), lang) in text
    assert str(lottery.probability("P017")) in lottery.explain("P017", lang)


def test_the_page_for_organisers_shows_what_happens() -> None:
    page = EXAMPLES.parents[2] / "docs" / "how-to" / "objectives.md"
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.attempted > 5
    assert result.failed == 0


def test_who_can_never_sit_does_not_decide_minimax_smallest_chance() -> None:
    """Somebody whom the linear relaxation would seat and no panel can: minimax leaves them out before it looks at the smallest chance."""
    instance = list(random_pools(211, 169))[168]
    ask = question(instance)
    assert ask is not None
    assert ask.never
    check_against_all_panels(instance, ask, "minimax")
