"""Every lie that a forger with all the keys can tell about a record is refused, at the check that protocol.md says, by library and stand-alone verifier."""

from __future__ import annotations

import pytest

from record_cases import CHECKS, golden_record
from record_forgeries import Lie
from record_forgeries_auditor import LIES
from record_mutations import alone, disagreement, first_failure, library


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: f"{lie[1]}: {lie[0]}")
def test_a_lie_fails_where_the_specification_says(lie: Lie) -> None:
    _, name, forge, check = lie
    files = golden_record(name)
    forged = forge(files)
    assert forged != files
    one, other = library(forged), alone(forged)
    assert disagreement(one, other) is None
    assert first_failure(one) == check


def test_every_check_has_its_lie() -> None:
    assert {check for *_, check in LIES if check} | {"timestamps.signature"} == set(CHECKS)
