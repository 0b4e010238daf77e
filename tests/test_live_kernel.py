"""The kernel of live themes: against a slow oracle, and what holds whatever comes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from klero import _native
from live_oracle import UNIT, Oracle


def vectors(n: int, centres: int, dimension: int, noise: float, seed: int) -> np.ndarray:
    """Vectors around some centres, with a part that all share."""
    random = np.random.default_rng(seed)
    middles = random.normal(size=(centres, dimension)) + random.normal(size=dimension)
    rows = middles[random.integers(0, centres, n)] + noise * random.normal(size=(n, dimension))
    return np.ascontiguousarray(rows, np.float32)


def consolidated(live: _native.LiveGroups) -> dict[str, object]:
    plan = live.plan(4096)
    assert plan.work(None)
    done = plan.finish(live)
    assert done is not None
    return dict(done)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 40), st.sampled_from([3, 8, 33]), st.sampled_from([0.05, 0.3]))
def test_answers_are_those_of_the_oracle(seed: int, n: int, dimension: int, noise: float) -> None:
    rows = vectors(n, 4, dimension, noise, seed)
    rows[n // 2] = rows[0]
    live, oracle = _native.LiveGroups(dimension, 0.4), Oracle()
    told, fault = live.add(rows)
    assert fault is None
    for row, (theme, size, new, _copy, similarity, *_rest) in zip(rows, told, strict=True):
        found = oracle.add(row)
        assert (theme, size, new) == found[:3]
        assert round(similarity * UNIT * UNIT) == found[3]


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 9), max_size=12))
def test_a_batch_is_one_after_the_other(seed: int, cuts: list[int]) -> None:
    rows = vectors(90, 6, 16, 0.4, seed)
    one, many = _native.LiveGroups(16, 0.4), _native.LiveGroups(16, 0.4)
    for live in (one, many):
        live.add(rows[:40])
        consolidated(live)
    answers = [answer for row in rows[40:] for answer in one.add(row)[0]]
    found, start = [], 40
    for cut in [*cuts, 90]:
        found += many.add(rows[start : start + cut])[0]
        start += cut
    assert found == answers
    assert one.write() == many.write()


def test_a_vector_that_points_nowhere_or_is_no_number_is_refused_and_none_is_added() -> None:
    live = _native.LiveGroups(4, 0.4)
    rows = np.ones((3, 4), np.float32)
    rows[1] = 0
    assert live.add(rows) == ([], (1, "zero"))
    rows[1] = np.nan
    assert live.add(rows) == ([], (1, "finite"))
    assert len(live) == 0


def test_themes_are_found_in_whatever_space_and_the_rest_stays_with_the_few() -> None:
    for seed in range(3):
        rows = vectors(300, 6, 64, 0.5, seed)
        # Also those who say something else speak the same language: they share what all share.
        other = rows.mean(axis=0) + np.random.default_rng(seed + 50).normal(size=(10, 64)).astype(np.float32)
        live = _native.LiveGroups(64, 0.4)
        for start in range(0, 300, 50):
            live.add(rows[start : start + 50])
            consolidated(live)
        live.add(other)
        consolidated(live)
        sizes = [view[1] for view in live.views(1)]
        assert 6 <= sum(size >= 5 for size in sizes) <= 8
        labels = np.frombuffer(live.labels(), "<u4")
        few = {view[0] for view in live.views(1) if view[1] < 5}
        assert np.isin(labels[300:], list(few)).mean() >= 0.8
        assert np.isin(labels[:300], list(few)).mean() <= 0.05


def test_similarities_in_answers_are_averages_to_those_who_were_there() -> None:
    rows = vectors(60, 2, 24, 0.4, 3)
    live = _native.LiveGroups(24, 0.4)
    live.add(rows[:40])
    consolidated(live)
    mean = rows[:40] / np.linalg.norm(rows[:40], axis=1, keepdims=True)
    middle = mean.sum(axis=0) / 44
    for row in rows[40:]:
        labels = np.frombuffer(live.labels(), "<u4")
        [(theme, _size, new, _copy, similarity, *_rest)], _ = live.add(row)
        if new:
            continue
        unit = rows[: len(labels)] / np.linalg.norm(rows[: len(labels)], axis=1, keepdims=True) - middle
        unit /= np.linalg.norm(unit, axis=1, keepdims=True)
        own = row / np.linalg.norm(row) - middle
        own /= np.linalg.norm(own)
        assert abs(float((unit[labels == theme] @ own).mean()) - similarity) < 2e-3


def test_bytes_of_another_kind_are_no_live_themes() -> None:
    live = _native.LiveGroups(8, 0.4)
    live.add(vectors(20, 3, 8, 0.3, 1))
    written = live.write()
    again = _native.LiveGroups.read(written)
    assert again is not None
    assert again.write() == written
    for wrong in (b"", b"no", written[:-1], written + b"\0", b"x" + written[1:]):
        assert _native.LiveGroups.read(wrong) is None


def test_hashed_words_bring_alike_texts_together() -> None:
    words = _native.LiveWords()
    texts = [
        "Plus de pistes cyclables",
        "des pistes cyclables sûres",
        "Éteindre la nuit",
        "éteindre les lampes la nuit",
    ]
    words.learn(texts)
    words.learn(texts[:1])
    assert words.texts() == 4
    rows = np.frombuffer(words.embed([*texts, " … "]), np.float32).reshape(5, 512)
    alike = rows @ rows.T
    assert alike[0, 1] > 0.3 > abs(alike[0, 2])
    assert alike[2, 3] > 0.3
    assert np.allclose(np.diag(alike)[:4], 1, atol=1e-5)
    assert not rows[4].any()
