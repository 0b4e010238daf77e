"""How many letters each stratum gets."""

from __future__ import annotations

from fractions import Fraction

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import klero
import register_oracle as oracle
from klero.sortition.register.allocation import apportion, spill


@given(st.integers(0, 200), st.lists(st.integers(0, 50), min_size=1, max_size=8))
def test_largest_remainders_stay_within_one_letter_of_the_share(total: int, measures: list[int]) -> None:
    letters = apportion(total, measures)
    if not sum(measures):
        assert letters == [0] * len(measures)
        return
    assert sum(letters) == total
    assert letters == oracle.shares(total, measures)
    assert all(
        abs(Fraction(total * m, sum(measures)) - n) < 1 for n, m in zip(letters, measures, strict=True)
    )


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8), st.data())
def test_spilled_letters_fit_and_none_is_lost(strata: list[tuple[int, int]], data: st.DataObject) -> None:
    shares, room = [a for a, _ in strata], [b for _, b in strata]
    if not sum(shares):
        return
    total = data.draw(st.integers(0, sum(room)))
    letters = spill(apportion(total, shares), shares, room)
    assert sum(letters) == total
    assert all(0 <= n <= r for n, r in zip(letters, room, strict=True))


def test_answers_wanted_and_rates_give_the_letters() -> None:
    register = pa.table({"id": list(range(200)), "s": ["x", "y"] * 100})
    wanted = [{"s": "x", "answers": 7}, {"s": "y", "answers": 10}]
    rates = [{"s": "x", "response": "10 %"}, {"s": "y", "response": 0.3}]
    drawn = klero.invite(register, trial_seed="t", strata=["s"], allocation=wanted, response=rates)
    assert [row.letters for row in drawn.table] == [70, 34]  # 10 / 0.3 = 33.3…
    assert drawn.expected_answers == 70 * Fraction(1, 10) + 34 * Fraction(3, 10)


def test_neyman_follows_rows_times_deviation() -> None:
    register = pa.table({"id": list(range(300)), "s": ["x"] * 100 + ["y"] * 200})
    drawn = klero.invite(
        register,
        size=50,
        trial_seed="t",
        strata=["s"],
        allocation="neyman",
        response=[{"s": "x", "sd": 3}, {"s": "y", "sd": 1}],
    )
    assert [row.letters for row in drawn.table] == [30, 20]
    rates = [{"s": "x", "response": 0.5}, {"s": "y", "response": 0.1}]
    drawn = klero.invite(register, size=50, trial_seed="t", strata=["s"], allocation="neyman", response=rates)
    assert [row.letters for row in drawn.table] == [23, 27]  # 100 · 0.5 to 200 · 0.3 of 50: 22.7 and 27.3


def test_equal_allocation_spills_what_a_small_stratum_can_not_use() -> None:
    register = pa.table({"id": list(range(30)), "s": ["x"] * 2 + ["y"] * 14 + ["z"] * 14})
    drawn = klero.invite(register, size=12, trial_seed="t", strata=["s"], allocation="equal")
    assert [row.asked for row in drawn.table] == [4, 4, 4]
    assert [row.letters for row in drawn.table] == [2, 5, 5]
    assert "4 would have been its share" in drawn.explain()


def test_a_stratum_that_is_given_no_letter_gets_none_of_the_surplus() -> None:
    register = pa.table({"id": list(range(12)), "s": ["x"] * 2 + ["y"] * 5 + ["z"] * 5})
    given = [{"s": "x", "letters": 4}, {"s": "y", "letters": 2}, {"s": "z", "letters": 0}]
    drawn = klero.invite(register, trial_seed="t", strata=["s"], allocation=given)
    assert [row.letters for row in drawn.table] == [2, 4, 0]
    given[1]["letters"] = 4
    with pytest.raises(klero.InputError, match=r"asks for 8 letters.* room for 7: 'x' .4 letters, 2 can"):
        klero.invite(register, trial_seed="t", strata=["s"], allocation=given)
    rates = [{"s": s, "response": 0.5} for s in "xyz"]
    answers = [{"s": "x", "answers": 4}, {"s": "y", "answers": 0}, {"s": "z", "answers": 0}]
    with pytest.raises(klero.InputError, match=r"asks for 8 letters.* room for 2"):
        klero.invite(register, trial_seed="t", strata=["s"], allocation=answers, response=rates)
