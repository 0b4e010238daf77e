"""A certificate that argues about the wrong people: the arithmetic holds, but the gap can't be hidden."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from klero.ledger.bundle import bundle_files
from klero.sortition.certificate import (
    Certificate,
    Claim,
    Leaf,
    Level,
    linear_bound,
    mean_bound,
    measured_gap,
)
from klero.sortition.claim import claim_gap, standing
from klero.sortition.instance import read_instance
from klero.sortition.lottery import Lottery, Objective, lottery_for
from ledger_cases import first_failure, outcomes

EXAMPLES = Path(__file__).resolve().parents[1] / "python" / "klero" / "examples"


def forged() -> Lottery:
    """A maximin lottery dressed up as leximin: one level, huge weights on who is tight, 1 on all others."""
    maximin = lottery_for(read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30), "maximin")
    instance, level = maximin.instance, maximin.certificate.levels[-1]
    tight = {t: y * 10**12 for t, y in level.types}
    everybody = tuple((t, tight.get(t, 1)) for t in range(len(instance.types)))
    claim = Level(
        Fraction(0), everybody, tuple((c, w * 10**12) for c, w in level.cells), level.seats * 10**12
    )
    claim = replace(claim, value=mean_bound(instance, {}, claim, linear_bound(instance, {}, claim)))
    return replace(maximin, objective="leximin", certificate=Certificate((claim,), Fraction(0)))


def test_a_small_gap_stated_for_it_is_refused_by_both_verifiers() -> None:
    lottery = forged()
    claim = lottery.certificate.levels[0]
    small = max(Fraction(0), *(claim.value - p for p in lottery.type_probabilities))
    assert small < Fraction(1, 10**5)
    lie = replace(lottery, certificate=Certificate((claim,), small))
    library, alone = outcomes(bundle_files(lie))
    assert library == alone
    assert first_failure(library) == "gap"


def test_the_gap_that_both_verifiers_accept_for_it_is_above_one() -> None:
    lottery = forged()
    claim = lottery.certificate.levels[0]
    gap = measured_gap(lottery.instance, [claim], lottery.type_probabilities, last_covers_rest=False)
    assert gap > 1
    truth = replace(lottery, certificate=Certificate((claim,), gap))
    library, alone = outcomes(bundle_files(truth))
    assert library == alone
    assert first_failure(library) is None


def dressed(objective: Objective) -> Lottery:
    """A leximin lottery that says it is another objective's, with that objective's own claim and true gap."""
    instance = read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30)
    leximin, best = lottery_for(instance), lottery_for(instance, objective)
    claim = best.certificate.claim
    assert claim is not None
    gap = claim_gap(instance, objective, standing(instance, ()), claim, leximin.panels, leximin.denominator)
    return replace(leximin, objective=objective, certificate=Certificate((), gap, claim))


@pytest.mark.parametrize("objective", ["nash", "goldilocks", "minimax"])
def test_a_lottery_of_another_objective_can_only_pass_with_its_large_gap(objective: Objective) -> None:
    lottery = dressed(objective)
    assert lottery.certificate.gap > Fraction(1, 100)
    library, alone = outcomes(bundle_files(lottery))
    assert library == alone
    assert first_failure(library) is None
    lie = replace(lottery.certificate, gap=Fraction(1, 10**6))
    library, alone = outcomes(bundle_files(replace(lottery, certificate=lie)))
    assert library == alone
    assert first_failure(library) == "gap"


def test_nash_weights_of_ones_prove_little_and_say_so() -> None:
    instance = read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30)
    best = lottery_for(instance, "nash")
    where = standing(instance, ())
    ones = Claim(tuple((t, 1) for t in where.open), Fraction(0), (Leaf(1, (), 1),))
    gap = claim_gap(instance, "nash", where, ones, best.panels, best.denominator)
    assert gap > Fraction(1, 10)
    library, alone = outcomes(bundle_files(replace(best, certificate=Certificate((), gap, ones))))
    assert library == alone
    assert first_failure(library) is None


@pytest.mark.parametrize("objective", ["nash", "goldilocks", "minimax"])
def test_nobody_can_be_declared_out_of_the_question(objective: Objective) -> None:
    """Whoever has the worst chance is left out: as forced (no weight) or as shut out (a level of value 0)."""
    instance = read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30)
    lottery = lottery_for(instance, objective)
    claim = lottery.certificate.claim
    assert claim is not None
    worst = min(range(len(instance.types)), key=lambda t: lottery.type_probabilities[t])
    level = Level(Fraction(0), ((worst, 1),), (), 0)
    out = replace(claim, weights=tuple((t, w) for t, w in claim.weights if t != worst))
    for certificate in (
        Certificate((level,), Fraction(0), out),
        Certificate((level,), lottery.certificate.gap, claim),
    ):
        library, alone = outcomes(bundle_files(replace(lottery, certificate=certificate)))
        assert library == alone
        assert first_failure(library) == "certificate"
