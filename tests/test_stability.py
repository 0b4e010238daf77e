"""Stability: which themes come back from a part of the contributions, as counted set by set."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.errors import InputError
from klero.themes.drawing import (
    canonical_order,
    drawn_order,
    draws,
    fitted_on,
    nearest_others,
    refitted,
    whole_rows,
)
from klero.themes.stability import Stability, best_jaccard, stability
from klero.themes.themes import Themes
from themes_fake import FakeThemes, OneTheme, planted

QUICK = settings(max_examples=60, deadline=None, derandomize=True)
SOLID, _ = planted([20, 12, 8, 4, 2], lone=3, dimension=100, spread=0.3)


def model() -> FakeThemes:
    return FakeThemes(similarity=0.5)


@QUICK
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5)), max_size=30))
def test_the_best_jaccard_is_that_of_all_sets(pairs: list[tuple[int, int]]) -> None:
    old, new = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    best = best_jaccard(old, new, 5)
    for label in range(5):
        ours = {i for i, pair in enumerate(pairs) if pair[0] == label}
        theirs = [{i for i, pair in enumerate(pairs) if pair[1] == other} for other in range(6)]
        if ours:
            assert best[label] == max(float(Fraction(len(ours & t), len(ours | t))) for t in theirs)
        else:
            assert np.isnan(best[label])


def test_clear_groups_come_back_each_time_they_are_there() -> None:
    found = stability(model().fit(SOLID), SOLID, resamples=6)
    assert found.sizes.tolist() == [20, 12, 8, 4, 2, 1, 1, 1]
    assert (found.returned == found.seen).all()
    assert (found.mean == 1).all()
    assert (found.seen[:4] == 6).all()
    assert found.seen[5:].min() < 6  # a lone voice is not in every resample
    assert found.cut == 0.5


def test_what_all_contributions_are_put_into_comes_back_and_says_nothing() -> None:
    found = stability(OneTheme().fit(SOLID), SOLID, resamples=3)
    assert found.mean.tolist() == [1.0]
    assert found.most.tolist() == found.least.tolist() == [1.0]


def test_a_theme_that_was_made_by_chance_does_not_come_back() -> None:
    cloud = np.random.default_rng(4).standard_normal((60, 5)).astype(np.float32)
    found = stability(FakeThemes(similarity=0.3).fit(cloud), cloud, resamples=8)
    solid = stability(model().fit(SOLID), SOLID, resamples=8)
    assert found.mean[0] < 0.9 < solid.mean[0]
    assert found.returned[found.kinds == 0].sum() < found.seen[found.kinds == 0].sum()
    assert (found.least <= found.mean).all()
    assert (found.mean <= found.most).all()


def test_the_order_of_rows_changes_nothing() -> None:
    order = np.random.default_rng(2).permutation(len(SOLID))
    cloud = SOLID + np.random.default_rng(9).standard_normal(SOLID.shape).astype(np.float32) * 0.2
    one, two = (
        stability(FakeThemes(similarity=0.3), rows, resamples=4, seed=5) for rows in (cloud, cloud[order])
    )
    assert sorted(zip(one.sizes, one.mean, one.returned, strict=True)) == sorted(
        zip(two.sizes, two.mean, two.returned, strict=True)
    )


def test_a_model_that_is_not_fitted_is_fitted_and_one_that_is_stays_as_it_is() -> None:
    fresh, fitted = model(), model().fit(SOLID)
    partition = fitted.partition_
    one, two = (stability(each, SOLID, resamples=2) for each in (fresh, fitted))
    assert not hasattr(fresh, "partition_")
    assert fitted.partition_ is partition
    assert one.to_dict() == two.to_dict()
    # Fitted on something else, or on the same in another order, it is fitted anew.
    for rows in (SOLID[:30], SOLID[::-1].copy(), SOLID[:, ::-1].copy()):
        assert stability(model().fit(rows), SOLID, resamples=2).to_dict() == one.to_dict()


def test_another_seed_draws_others_and_the_same_seed_the_same() -> None:
    assert draws(0, "a", 3).tolist() == draws(0, "a", 3).tolist()
    assert draws(0, "a", 3).tolist() != draws(1, "a", 3).tolist() != draws(1, "b", 3).tolist()
    # The words of Philox are fixed: another value here changes every result.
    assert draws(0, "stability 0", 2).tolist() == [7309632070257571794, 11061833476703322257]
    order = drawn_order(SOLID, 3, "x")
    assert sorted(order.tolist()) == list(range(len(SOLID)))
    assert order.tolist() != drawn_order(SOLID, 4, "x").tolist()


def test_pairs_of_the_facilitator_are_kept_and_renumbered() -> None:
    seen = []

    class Watching(FakeThemes):
        def fit(self, X: np.ndarray, y: object = None) -> FakeThemes:  # type: ignore[override]
            seen.append((len(X), self.must_link))
            return super().fit(X, y)

    kept = np.array([5, 2, 9])
    refitted(Watching(must_link=[(2, 9), (2, 3)]), SOLID[kept], kept)
    refitted(Watching(must_link=[(2, 9)]), SOLID[kept], None)
    assert seen == [(3, [(1, 2)]), (3, None)]


def test_whole_numbers_keep_the_angles_and_are_the_same_in_any_block() -> None:
    rows = np.random.default_rng(0).standard_normal((40, 30)).astype(np.float32)
    whole, lengths = whole_rows(rows, rows[0])
    assert (whole == np.rint(whole)).all()
    assert (whole[0] == 0).all()
    assert lengths[1:] == pytest.approx(
        np.linalg.norm(rows[1:].astype(np.float64) - rows[0], axis=1), rel=1e-4
    )
    unit = (rows[1:] - rows[0]) / np.linalg.norm(rows[1:] - rows[0], axis=1, keepdims=True)
    assert np.abs(whole[1:] / 3000 - unit).max() < 0.51 / 3000 + 1e-6
    assert np.array_equal(whole[3:5], whole_rows(rows[3:5], rows[0])[0])
    tiny, huge = whole_rows(rows * np.float32(1e-30))[0], whole_rows(rows * np.float32(1e30))[0]
    assert np.abs(tiny - huge).max() <= 1


@pytest.mark.parametrize("rank", [1, 3, 60])
def test_the_nearest_others_are_those_of_all_products(rank: int) -> None:
    rows = np.random.default_rng(1).standard_normal((50, 7)).astype(np.float32)
    rows[10] = rows[20]
    whole, _ = whole_rows(rows)
    exact = whole.astype(np.int64) @ whole.astype(np.int64).T
    canonical = canonical_order(rows)
    place = {row: i for i, row in enumerate(canonical.tolist())}
    which = np.array([3, 10, 20, 49])
    near, others = nearest_others(rows, None, which, canonical, rank)
    for i, row in enumerate(which.tolist()):
        order = sorted((j for j in range(50) if j != row), key=lambda j: (-exact[row, j], place[j]))
        assert others[i].tolist() == order[:rank]
        assert near[i].tolist() == [exact[row, j] for j in order[:rank]]
    assert nearest_others(rows[:1], None, np.array([0]), np.array([0]), 2)[0].shape == (1, 0)


def test_equal_rows_are_interchangeable_in_the_canonical_order() -> None:
    rows = np.eye(3, dtype=np.float32)[[0, 1, 0, 2, 1]]
    assert rows[canonical_order(rows)].tolist() == rows[::-1][canonical_order(rows[::-1].copy())].tolist()


def test_klero_s_own_themes_are_followed_in_any_order() -> None:
    rows, _ = planted([30, 20, 12, 8, 4, 2], lone=8, dimension=100, spread=0.3)
    order = np.random.default_rng(6).permutation(len(rows))
    themes = Themes(threads=1).fit(rows)
    assert fitted_on(themes, rows)
    assert not fitted_on(themes, rows[order])
    one, two = stability(themes, rows, resamples=3), stability(Themes(threads=2), rows[order], resamples=3)
    assert one.to_dict() == two.to_dict()
    assert one.returned[0] == 3


def test_progress_is_told_and_may_stop_it() -> None:
    told: list[tuple[str, int]] = []
    stability(model(), SOLID, resamples=3, progress=lambda *args: told.append(args))
    assert told == [("resamples", 1), ("resamples", 2), ("resamples", 3)]

    def stop(_step: str, _done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stability(model(), SOLID, resamples=3, progress=stop)


def faulty(**options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        stability(model(), SOLID, **options)  # type: ignore[arg-type]
    return [fault.code for fault in caught.value.faults]


def test_options_out_of_range_are_told_together() -> None:
    assert faulty(resamples=0, share=1.0, seed=-1, progress=3) == ["option-range"] * 2 + [
        "option-unknown",
        "option-range",
    ]
    assert faulty(resamples=2.5) == faulty(share=True) == ["option-range"]
    with pytest.raises(InputError, match="model-type"):
        stability(3, SOLID)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="vectors-not-finite"):
        stability(model(), SOLID * np.float32(np.nan))


def test_one_contribution_is_a_lone_voice_that_stays() -> None:
    found = stability(model(), SOLID[:1], resamples=2)
    assert found.mean.tolist() == [1.0]


def shaky() -> Stability:
    cloud = np.random.default_rng(4).standard_normal((60, 5)).astype(np.float32)
    return stability(FakeThemes(similarity=0.3).fit(cloud), cloud, resamples=5)


@pytest.mark.parametrize(
    ("lang", "one", "every"),
    [("en", "It comes back in", "5 resamples were drawn, each with 80 %"), ("fr", "Il revient dans", "5 rééchantillons ont été tirés, chacun avec 80 %")],
)  # fmt: skip
def test_it_is_told_in_plain_words(lang: str, one: str, every: str) -> None:
    found = shaky()
    text = found.explain(lang, label=0)
    assert text.startswith(f"{one} {found.returned[0]} ")
    mean = f"{found.mean[0]:.2f}"
    assert (mean if lang == "en" else mean.replace(".", ",")) in text
    assert found.explain(lang).startswith(every)
    with pytest.raises(InputError, match="no cluster"):
        found.explain(lang, label=len(found.sizes))


def test_the_interval_holds_the_mean_and_json_has_no_nan() -> None:
    found = stability(model(), SOLID, resamples=2, share=0.1)
    there = found.seen > 0
    assert not there.all()
    assert (found.low[there] <= found.mean[there]).all()
    assert (found.mean[there] <= found.high[there]).all()
    record = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert record["mean"][int(np.flatnonzero(~there)[0])] is None
    assert "draw more" in found.explain(label=int(np.flatnonzero(~there)[0]))
