"""Is every position equally likely, and does everyone of a type have the same chance?"""

from __future__ import annotations

import json
from collections import Counter

import pytest

from klero import _native
from klero.verifiers import klero_verify
from ledger_cases import golden


@pytest.mark.parametrize("m", range(1, 257))
def test_rejection_makes_positions_exactly_uniform(m: int) -> None:
    seen = Counter(klero_verify.reduce(x, m, bits=8) for x in range(256))
    rejected = seen.pop(None, 0)
    assert set(seen) == set(range(m))
    assert set(seen.values()) == {256 // m}
    assert rejected == 256 % m


@pytest.mark.parametrize("m", [2, 10, 100])
def test_positions_over_many_seeds_pass_a_chi_square_test(m: int) -> None:
    draws = 200 * m
    seeds = (klero_verify.sha256(b"%d" % i) for i in range(draws))
    seen = Counter(klero_verify.position(seed, m)[0] for seed in seeds)
    chi2 = sum((seen[u] - 200) ** 2 / 200 for u in range(m))
    freedom = m - 1
    # Beyond six standard deviations: seeds are fixed, so this passes always or never.
    assert abs(chi2 - freedom) < 6 * (2 * freedom) ** 0.5


def test_people_are_drawn_as_often_as_the_lottery_says() -> None:
    files = golden("leximin")
    del files["draw.json"]
    rounds = 1500
    seen: Counter[str] = Counter()
    for i in range(rounds):
        seen.update(json.loads(_native.draw_file(files, f"seed {i}"))["panel"])
    pool, panels = json.loads(files["pool.json"]), json.loads(files["lottery.json"])["panels"]
    for person, t in pool["people"]:
        n = sum(u == t for _, u in pool["people"])
        p = sum(c * s for c, seats in panels for u, s in seats if u == t) / (1000 * n)
        spread = (rounds * p * (1 - p)) ** 0.5
        assert abs(seen[person] - rounds * p) < 5 * spread, person
