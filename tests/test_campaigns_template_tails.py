"""The upper part of a null: counted where it was seen, doubtful beyond."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from klero.campaigns.tails import EVENTS, Tail, clusters, upper_part


def alone(values: np.ndarray) -> np.ndarray:
    return np.arange(len(values))


def tail_of(values: np.ndarray, scale: float = 1.0, floor: float = 0.1) -> Tail:
    return Tail.of(values, np.ones(len(values)), alone(values), scale=scale, floor=floor)


@given(st.lists(st.floats(0, 50), min_size=3, max_size=60), st.floats(0, 80), st.floats(0, 80))
def test_it_never_rises_and_is_never_less_than_what_was_seen(values: list[float], a: float, b: float) -> None:
    given_values = np.array(values)
    tail = tail_of(given_values)
    low, high = min(a, b), max(a, b)
    assert tail.expected(low) >= tail.expected(high) - 1e-9
    assert tail.expected(a) >= (given_values >= a).sum()


def test_by_hand() -> None:
    values = np.array([0.0] * 20 + [10.0, 12.0, 16.0])
    # One fit: two events above the third, which is the threshold; their mean excess is (2 + 6) / 2 = 4.
    fits = [
        Tail(np.sort(values), np.arange(23.0, 0, -1), ((10.0, 2, 4.0, 2.0),)),
    ]
    assert fits[0].expected(11.0) == 2.0
    assert fits[0].expected(30.0) == pytest.approx(2.0 * (1 + 20 / 8) ** -2)


def test_weights_and_scale_count() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    tail = Tail.of(values, np.array([1.0, 1.0, 2.0, 3.0]), alone(values), scale=10.0, floor=1.0)
    assert tail.expected(3.0) == 50.0 and tail.expected(4.0) == 30.0


def test_the_doubt_is_that_of_few_exponential_values() -> None:
    # Of k + 1 exponential values, the chance that the last exceeds x times the sum of the others is (1 + x)⁻ᵏ.
    random = np.random.default_rng(5)
    k, x = 8, 0.6
    draws = random.exponential(size=(200_000, k + 1))
    seen = float((draws[:, 0] > x * draws[:, 1:].sum(axis=1)).mean())
    assert seen == pytest.approx((1 + x) ** -k, rel=0.05)


def test_promises_are_kept_for_light_and_heavy_tails() -> None:
    """Of values that were not in the sample, no more than expected reach what is expected once in ten samples."""
    random = np.random.default_rng(11)
    draws = {
        "exponential": random.exponential(6.0, (300, 1000)),
        "normal": np.abs(random.normal(0, 9.0, (300, 1000))),
        "lognormal": np.exp(random.normal(1.5, 0.6, (300, 1000))),
    }
    for name, values in draws.items():
        # The largest of the new values is one that less than a tenth was expected of in a tenth of the cases at most.
        more = sum(tail_of(values[n]).expected(float(values[150 + n].max())) < 0.1 for n in range(150))
        assert more <= 28, name  # 15 expected at most, and chance


def test_what_belongs_together_is_one_event() -> None:
    values = np.concatenate([np.linspace(0, 5, 400), np.full(6, 60.0)])
    partners = np.full((406, 3), -1)
    partners[400:] = [[400 + (n + k) % 6 for k in (1, 2, 3)] for n in range(6)]
    together = clusters(values, partners)
    assert len(set(together[400:].tolist())) == 1 and len(set(together[:400].tolist())) == 400
    # Six voices of one event: one leap, not six, in the scale.
    one = Tail.of(values, np.ones(406), together, scale=1.0, floor=0.1)
    six = tail_of(values)
    assert one.expected(60.0) >= 6 and one.expected(200.0) < six.expected(200.0)


@given(st.integers(1, 5000))
def test_the_upper_part_is_a_part(count: int) -> None:
    assert 1 <= upper_part(count) <= count


def test_a_small_sample_gives_no_small_number() -> None:
    small, large = tail_of(np.arange(12.0), floor=4.0), tail_of(np.arange(2000.0) / 166, floor=4.0)
    assert small.expected(100.0) > 1e-5
    assert large.expected(100.0) < 2000 / 12 * small.expected(100.0)
    assert max(k for _, k, _, _ in large.fits) <= EVENTS[-1]
