"""A certificate that argues about the wrong people: the arithmetic holds, but the gap can't be hidden."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from klero.ledger.bundle import bundle_files
from klero.sortition.certificate import Certificate, Level, linear_bound, mean_bound, measured_gap
from klero.sortition.instance import read_instance
from klero.sortition.lottery import Lottery, lottery_for
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
