"""Nash, goldilocks and minimax against all panels listed, against both verifiers, and against each other."""

from __future__ import annotations

import csv
import random
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.errors import InputError
from klero.ledger.bundle import bundle_files
from klero.sortition.certificate import Claim
from klero.sortition.claim import forced_types
from klero.sortition.instance import Instance, read_instance
from klero.sortition.lottery import Lottery, Objective, fair_lottery, lottery_for
from ledger_cases import outcomes
from objective_oracle import (
    Question,
    highest_minimum,
    least_goldilocks,
    least_maximum,
    nash_excess,
    question,
    random_pools,
)

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


@pytest.mark.parametrize("objective", NEW)
def test_no_lottery_over_any_panels_is_better(objective: Objective) -> None:
    levels = []
    for instance in random_pools(17, 150):
        ask = question(instance)
        if ask is not None:
            levels.append(check_against_all_panels(instance, ask, objective))
    assert levels.count("L0") > 20
    assert levels.count("L1") > 10


def test_types_that_quotas_seat_whole_are_on_every_panel() -> None:
    found = 0
    for instance in random_pools(23, 400):
        ask = question(instance)
        if ask is None:
            continue
        forced = forced_types(instance)
        assert set(ask.forced) == {t for t in forced if t not in ask.never}
        assert all(panel[t] == instance.counts[t] for panel in ask.panels for t in forced)
        found += bool(forced)
    assert found > 40
