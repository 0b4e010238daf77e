"""The engine of themes against a slow one, row by row, and what must hold whatever the engine."""

from __future__ import annotations

import numpy as np
import pytest

from klero import Themes
from themes_oracle import ONE, cut, levels, linkage, nearest, points_of, themes


def corpus(seed: int, n: int, d: int) -> np.ndarray:
    """Groups of Zipf's sizes, near copies, exact copies and noise."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(2, n // 6), d))
    of = np.minimum(rng.zipf(1.6, n) - 1, len(centres) - 1)
    X = centres[of] + rng.choice([0.1, 0.4, 1.5], n)[:, None] * rng.standard_normal((n, d))
    again = rng.integers(0, n, n // 5)
    X[rng.integers(0, n, n // 5)] = X[again]
    return X.astype(np.float32)


@pytest.mark.parametrize("seed", range(24))
def test_the_engine_gives_the_groups_of_the_slow_one(seed: int) -> None:
    rng = np.random.default_rng(seed + 1000)
    n, d = int(rng.integers(2, 70)), int(rng.choice([1, 2, 3, 8, 33, 64]))
    X = corpus(seed, n, d)
    k = int(rng.choice([2, 5, 15]))
    pairs = [tuple(map(int, rng.integers(0, n, 2))) for _ in range(6)] if seed % 2 else []
    point = points_of(X)[2]
    must = pairs[:2]
    together = {frozenset((point[a], point[b])) for a, b in must}
    cannot = [
        (a, b)
        for a, b in pairs[2:]
        if point[a] != point[b] and not {point[a], point[b]} & set().union(*together, set())
    ]
    model = Themes(neighbours=k, must_link=must, cannot_link=cannot, threads=1 + seed % 3).fit(X)
    for similarity in (-0.5, 0.0, 0.3, 0.5, 0.8, 0.99):
        link = round(similarity * ONE)
        for minority in (True, False):
            model.minority = minority
            found = model.cut(similarity=similarity).labels.tolist()
            slow = themes(X, link, k=k, minority=minority, must=must, cannot=cannot)
            assert found == slow, (n, d, k, similarity, minority)


@pytest.mark.parametrize("seed", range(12))
def test_with_all_neighbours_the_tree_is_that_of_average_linkage(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((8, 3)).astype(np.float32)
    rows, copies, _ = points_of(X)
    merges = linkage(rows, copies, nearest(rows, 7))
    # One pair after the other, the most alike first, by the mean over all pairs of rows.
    groups = [[i] for i in range(len(rows))]
    heights = []
    similarity = np.array(rows) @ np.array(rows).T
    while len(groups) > 1:
        pairs = [(a, b) for a in range(len(groups)) for b in range(a)]
        best = max(pairs, key=lambda ab: similarity[np.ix_(groups[ab[0]], groups[ab[1]])].mean())
        heights.append(similarity[np.ix_(groups[best[0]], groups[best[1]])].mean())
        groups[best[1]] += groups.pop(best[0])
    assert sorted(s for *_, s in merges) == pytest.approx(sorted(heights), abs=2)


def test_a_slow_cut_is_where_the_tree_says() -> None:
    merges = [(0, 1, 900), (2, 3, 950), (4, 5, 920)]  # the union is more alike than one of its parts
    assert cut(4, merges, 910) == [0, 1, 2, 2]
    assert cut(4, merges, 900) == [0, 0, 0, 0]


@pytest.mark.parametrize("seed", range(10))
def test_levels_are_those_of_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = corpus(seed, int(rng.integers(30, 160)), int(rng.choice([3, 8, 80])))
    model = Themes(minority=False).fit(X)
    tree = model.dendrogram_
    m = len(tree.sizes) + 1
    slow = levels(
        tree.children.tolist(),
        np.frombuffer(model._fitted_tree().merges[1], np.int32).tolist(),  # not cut off at 1
        tree.sizes.tolist(),
        m,
        np.bincount(tree.point).tolist(),
    )
    found = [(round(level.similarity * ONE), round(level.persistence * ONE)) for level in model.levels_]
    assert found == (slow or [(round(0.5 * ONE), 0)])
