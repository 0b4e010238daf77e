"""Similarity-sensitive diversity: the paper's example, its properties, and a slow form beside the fast one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from campaign_cases import consultation_of, letters, organic_texts, planted
from klero.campaigns import diversity as module
from klero.campaigns.diversity import diversity, diversity_of
from klero.campaigns.effective import dependences, shares, worth
from klero.campaigns.model import Consultation

ORDERS = (0, 1, 2)


def slow(p: np.ndarray, z: np.ndarray, order: int) -> float:
    """The formula, term by term."""
    ordinary = [sum(z[i, j] * p[j] for j in range(len(p))) for i in range(len(p))]
    if order == 1:
        return math.prod(ordinary[i] ** -p[i] for i in range(len(p)) if p[i] > 0)
    return float(
        sum(p[i] * ordinary[i] ** (order - 1) for i in range(len(p)) if p[i] > 0) ** (1 / (1 - order))
    )


@st.composite
def communities(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Shares and similarities of one to seven kinds."""
    size = draw(st.integers(1, 7))
    counts = np.array(draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)), float)
    assume(counts.sum() > 0)
    z = np.eye(size)
    for i in range(size):
        for j in range(i):
            z[i, j] = z[j, i] = draw(st.sampled_from([0.0, 0.2, 0.5, 1.0]))
    return counts / counts.sum(), z


# ── Leinster and Cobbold 2012 ──

# Two communities after the manner of the paper's example (butterflies of the canopy and of the understorey). The counts were not checked against
# the paper; what is asserted follows from its definitions, by hand.
GENERA = ("Prepona", "Archaeoprepona", "Zaretis", "Memphis", "Memphis", "Memphis")
CANOPY = np.array([15, 14, 25, 89, 21, 32]) / 196
UNDERSTOREY = np.array([0, 37, 11, 23, 3, 8]) / 82
ALIKE = np.array(
    [[1.0 if i == j else 0.5 if GENERA[i] == GENERA[j] else 0.0 for j in range(6)] for i in range(6)]
)


def test_as_leinster_and_cobbold_one_place_is_more_diverse_if_kinds_are_nothing_alike() -> None:
    for order in ORDERS:
        canopy, understorey = (
            diversity_of(CANOPY, CANOPY, order),
            diversity_of(UNDERSTOREY, UNDERSTOREY, order),
        )
        assert canopy > understorey
    assert diversity_of(CANOPY, CANOPY, 0) == pytest.approx(6)
    assert diversity_of(UNDERSTOREY, UNDERSTOREY, 0) == pytest.approx(5)


def test_as_leinster_and_cobbold_the_places_change_ranks_if_a_genus_is_alike() -> None:
    # The two profiles cross near order 1; above it, where the frequent count, the order of the two is turned round.
    for order in (2, 3, 5):
        assert diversity_of(UNDERSTOREY, ALIKE @ UNDERSTOREY, order) > diversity_of(
            CANOPY, ALIKE @ CANOPY, order
        )
    # Order 2, by hand: Σ p_i p_j Z_ij.
    assert diversity_of(CANOPY, ALIKE @ CANOPY, 2) == pytest.approx(
        196**2 / (15**2 + 14**2 + 25**2 + (142**2 + 89**2 + 21**2 + 32**2) / 2)
    )


@pytest.mark.parametrize("order", ORDERS)
def test_leinster_and_cobbold_n_equal_kinds_that_are_z_alike(order: int) -> None:
    # Each kind has (Zp)_i = (1 + (n − 1) z) / n, so the diversity is n / (1 + (n − 1) z) for all orders.
    for n, z in ((2, 0.5), (5, 0.0), (8, 0.25), (3, 1.0)):
        p, similar = np.full(n, 1 / n), np.full((n, n), z) + (1 - z) * np.eye(n)
        assert diversity_of(p, similar @ p, order) == pytest.approx(n / (1 + (n - 1) * z))


@given(communities())
def test_the_fast_form_is_the_formula(case: tuple[np.ndarray, np.ndarray]) -> None:
    p, z = case
    for order in ORDERS:
        assert diversity_of(p, z @ p, order) == pytest.approx(slow(p, z, order))


@given(communities())
def test_leinster_and_cobbold_a_diversity_is_between_1_and_the_number_of_kinds(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    p, z = case
    for order in ORDERS:
        assert 1 - 1e-9 <= diversity_of(p, z @ p, order) <= np.count_nonzero(p) + 1e-9


@given(communities())
def test_leinster_and_cobbold_less_alike_is_never_less_diverse_and_lower_orders_are_never_lower(
    case: tuple[np.ndarray, np.ndarray],
) -> None:
    p, z = case
    found = [diversity_of(p, z @ p, order) for order in ORDERS]
    assert found[0] >= found[1] - 1e-9 and found[1] >= found[2] - 1e-9
    for order in ORDERS:
        assert diversity_of(p, p, order) >= found[order] - 1e-9


@given(communities(), st.floats(0, 1))
def test_leinster_and_cobbold_identical_kinds_merge(case: tuple[np.ndarray, np.ndarray], part: float) -> None:
    p, z = case
    split = np.append(p, p[-1] * part)
    split[len(p) - 1] *= 1 - part
    wider = np.pad(z, (0, 1), mode="edge")  # the last kind once more: the same row, the same column
    for order in ORDERS:
        assert diversity_of(split, wider @ split, order) == pytest.approx(
            diversity_of(p, z @ p, order), rel=1e-6
        )


@pytest.mark.parametrize("source", [np.repeat([1.0, 0.0], [9, 4]), np.array([0.9, 0.8, 0.2, 0.1])])
def test_the_worth_of_voices_is_their_diversity_of_order_2_under_their_dependences(
    source: np.ndarray,
) -> None:
    weights, rho = shares(source), dependences(source)
    p = weights / weights.sum()
    assert worth(weights, rho) == pytest.approx(diversity_of(p, rho @ p, 2))


# ── of a consultation ──


def slow_of(c: Consultation, weights: np.ndarray, order: int) -> float:
    """Every row a kind of its own; the same words are wholly alike."""
    n = len(c)
    p = weights / np.bincount(c.author)[c.author]
    z = np.eye(n)
    for i in range(n):
        for j in range(n):
            if c.texts[i].casefold() == c.texts[j].casefold():
                z[i, j] = 1.0
            elif c.vectors is not None and i != j:
                z[i, j] = max(0.0, float(c.vectors[i].astype(float) @ c.vectors[j].astype(float)))
    return slow(p / p.sum(), z, order)


@pytest.mark.parametrize("with_vectors", [True, False])
def test_diversity_of_a_consultation_is_that_of_all_pairs(with_vectors: bool) -> None:
    texts = organic_texts(25) + letters(5) + [letters(1)[0], letters(1)[0].upper()]
    vectors = np.random.default_rng(0).standard_normal((32, 8)) + np.repeat(np.eye(8)[:2], [25, 7], axis=0)
    vectors[30:] = vectors[25]
    authors = [f"p{i // 2}" for i in range(32)]
    c = consultation_of(texts, authors=authors, vectors=vectors if with_vectors else None)
    weights = np.random.default_rng(1).uniform(0.1, 1, 32)
    found = diversity(c, weights)
    for order in ORDERS:
        assert found["raw"][str(order)] == pytest.approx(slow_of(c, np.ones(32), order), rel=1e-3)
        assert found["weighted"][str(order)] == pytest.approx(slow_of(c, weights, order), rel=1e-3)


def test_without_vectors_diversity_is_hills_number_of_texts() -> None:
    c = consultation_of(["oui"] * 6 + ["non"] * 3 + ["peut-être"])
    found = diversity(c, np.ones(10))["raw"]
    assert found["0"] == pytest.approx(3)
    assert found["2"] == pytest.approx(100 / (36 + 9 + 1))


def test_a_campaign_that_weighs_one_voice_hides_less() -> None:
    c = planted(60, 40)
    weights = np.array([1 / 40 if str(name).startswith("z") else 1.0 for name in c.ids])
    found = diversity(c, weights)
    assert found["weighted"]["2"] > found["raw"]["2"]


@settings(deadline=None, max_examples=5)
@given(st.integers(0, 99))
def test_the_order_of_rows_changes_no_diversity(seed: int) -> None:
    texts = organic_texts(40) + letters(5)
    vectors = np.random.default_rng(7).standard_normal((45, 6))
    order = np.random.default_rng(seed).permutation(45)
    one = consultation_of(texts, vectors=vectors)
    other = consultation_of(
        [texts[i] for i in order], ids=[f"a{i + 1}" for i in order], vectors=vectors[order]
    )
    same = {
        name: {q: pytest.approx(value, rel=1e-3) for q, value in of.items()}
        for name, of in diversity(one, np.ones(45)).items()
    }
    assert diversity(other, np.ones(45)) == same


def test_many_texts_are_sampled_with_an_error_that_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = organic_texts(600) + letters(6) * 10
    vectors = np.random.default_rng(7).standard_normal((660, 12))
    vectors[600:] = np.tile(vectors[600:606], (10, 1))
    c = consultation_of(texts, vectors=vectors)
    weights = np.array([0.1 if int(str(name)[1:]) > 600 else 1.0 for name in c.ids])
    whole = diversity(c, weights)
    assert "raw_error" not in whole
    monkeypatch.setattr(module, "MOST", 400)
    monkeypatch.setattr(module, "DRAWN", 300)
    sampled = diversity(c, weights)
    for name in ("raw", "weighted"):
        for order, value in whole[name].items():
            error = sampled[f"{name}_error"][order]
            assert 0 < error < 0.2 * value
            assert abs(sampled[name][order] - value) < 1.5 * error
    assert sampled == diversity(c, weights)


def test_an_empty_consultation_has_no_diversity() -> None:
    assert diversity(consultation_of([]), np.ones(0))["raw"] == {"0": 0.0, "1": 0.0, "2": 0.0}


def test_progress_is_told() -> None:
    told: list[tuple[str, int]] = []
    c = planted(30, 5)
    diversity(c, np.ones(len(c)), progress=lambda step, done: told.append((step, done)))
    assert told[-1] == ("diversity", len(set(c.texts)))
