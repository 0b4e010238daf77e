"""k-means: each row is with its nearest centre, centres are means, and nothing depends on the order of rows or on threads."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import klero
from estimator_cases import EXPECTED, sklearn_checks
from klero import _native
from klero.errors import InputError, NotFittedError
from klero.themes.kmeans import KMeans

Floats = NDArray[np.float32]


def blobs(rows: int, dimension: int, centres: int, seed: int = 1, spread: float = 0.5) -> Floats:
    random = np.random.default_rng(seed)
    middles = 3 * random.standard_normal((centres, dimension))
    noise = spread * random.standard_normal((rows, dimension))
    return (middles[random.integers(centres, size=rows)] + noise + 7).astype(np.float32)


def squares(X: Floats, centres: Floats) -> NDArray[np.float64]:
    """All squared distances, in 64 bits."""
    rows, middles = X.astype(np.float64), centres.astype(np.float64)
    return np.stack([((rows - middle) ** 2).sum(axis=1) for middle in middles], axis=1)


def unit(X: Floats) -> Floats:
    rows = X.astype(np.float64)
    return (rows / np.sqrt((rows * rows).sum(axis=1, keepdims=True))).astype(np.float32)


def lloyd(X: Floats, centres: Floats, rounds: int, spherical: bool = False) -> tuple[Floats, int]:
    """As slow and plain as can be; centres in the order in which they began, and the rounds that were needed."""
    before: NDArray[np.int64] | None = None
    for done in range(1, rounds + 1):
        labels = squares(X, centres).argmin(axis=1)
        if before is not None and (labels == before).all():
            return centres, done
        before = labels
        means = [X[labels == at].astype(np.float64).mean(axis=0) for at in range(len(centres))]
        centres = np.asarray(means, np.float32)
        if spherical:
            centres = unit(centres)
    return centres, rounds


def faults(error: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [fault.code for fault in error.value.faults]


@pytest.mark.parametrize("spherical", [False, True])
@pytest.mark.parametrize(("rows", "dimension", "k"), [(400, 2, 5), (600, 33, 12), (300, 384, 40), (97, 7, 1)])
def test_it_is_lloyds_algorithm(rows: int, dimension: int, k: int, spherical: bool) -> None:
    X = blobs(rows, dimension, 6)
    first = X[:k]
    model = KMeans(k, init=first, tol=0, spherical=spherical, threads=2).fit(X)
    Z, begin = (unit(X), unit(first)) if spherical else (X, first)
    centres, rounds = lloyd(Z, begin, 300, spherical)
    assert model.n_iter_ == rounds
    far = squares(Z, model.cluster_centers_)
    assert (far.argmin(axis=1) == model.labels_).all()
    assert model.inertia_ == pytest.approx(far.min(axis=1).sum(), rel=1e-12)
    # The same centres but for the last bit, in another order.
    nearest = squares(model.cluster_centers_, centres)
    assert sorted(nearest.argmin(axis=1)) == list(range(k))
    assert np.sqrt(nearest.min(axis=1)).max() < 1e-5


def test_one_dimension() -> None:
    X = blobs(300, 1, 4, spread=0.1)
    model = KMeans(4, tol=0, threads=1).fit(X)
    far = squares(X, model.cluster_centers_)
    assert (far.argmin(axis=1) == model.labels_).all()
    sums = np.array([X[model.labels_ == at].astype(np.float64).mean() for at in range(4)])
    assert np.abs(sums - model.cluster_centers_[:, 0]).max() < 1e-6


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.data())
def test_labels_are_the_exact_nearest(data: st.DataObject) -> None:
    """Small whole numbers make many ties, which go to the lower centre; scales and outliers make the 16 bits useless, and the 64 decide."""
    dimension = data.draw(st.sampled_from([1, 2, 3, 17]))
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    rows = data.draw(st.integers(1, 120))
    kind = data.draw(st.sampled_from(["ties", "outlier", "offset", "scales"]))
    X = random.integers(-3, 4, (rows, dimension)).astype(np.float32)
    centres = random.integers(-3, 4, (data.draw(st.integers(1, 40)), dimension)).astype(np.float32)
    if kind == "outlier":
        X[0] *= 2.0**20
        centres[-1] = 2.0**21
    if kind == "offset":
        X, centres = X + np.float32(2.0**18), centres + np.float32(2.0**18)
    if kind == "scales":
        X *= np.float32(2.0) ** random.integers(-20, 20, (rows, 1)).astype(np.float32)
    found = _native.kmeans_predict(X, rows, dimension, centres, unit=False, threads=1)
    labels = np.frombuffer(found, np.int64)
    far = squares(X, centres)
    if kind == "scales":
        assert (far[np.arange(rows), labels] <= far.min(axis=1) * (1 + 1e-12)).all()
    else:  # exact in 64 bits, so ties are ties
        assert (labels == far.argmin(axis=1)).all()


@pytest.mark.parametrize("init", ["k-means++", "given"])
@pytest.mark.parametrize(("rows", "dimension", "k"), [(500, 2, 9), (900, 33, 30)])
def test_order_and_threads_make_no_difference(rows: int, dimension: int, k: int, init: str) -> None:
    X = np.repeat(blobs(rows, dimension, 8), 2, axis=0)[: rows + 100]
    first = np.unique(X, axis=0)[:k] if init == "given" else "k-means++"
    right = KMeans(k, init=first, threads=1).fit(X)
    random = np.random.default_rng(3)
    for threads in (1, 2, 3):
        order = random.permutation(len(X))
        other = KMeans(k, init=first, threads=threads).fit(X[order])
        assert (other.labels_ == right.labels_[order]).all()
        assert other.cluster_centers_.tobytes() == right.cluster_centers_.tobytes()
        assert (other.inertia_, other.n_iter_) == (right.inertia_, right.n_iter_)


def test_the_largest_group_is_the_first() -> None:
    model = KMeans(12).fit(blobs(500, 5, 12))
    sizes = np.bincount(model.labels_, minlength=12)
    assert sizes.tolist() == sorted(sizes.tolist(), reverse=True)


def test_equal_sizes_are_numbered_by_their_centres() -> None:
    model = KMeans(3).fit([[5.0, 1], [-2, 7], [5, 0]])
    assert model.cluster_centers_.tolist() == [[-2, 7], [5, 0], [5, 1]]
    assert model.labels_.tolist() == [2, 0, 1]


def test_a_row_between_two_centres_belongs_to_the_lower() -> None:
    X = np.array([[-1.0], [1], [0], [9], [9], [9], [9]], np.float32)
    model = KMeans(3, init=[[-1.0], [1.0], [9.0]], max_iter=1).fit(X)
    assert (model.predict(X) == model.labels_).all()
    X = np.array([[0.0, 0], [2, 0], [0, 2], [2, 2], [1, 1]], np.float32)
    for rounds in (1, 2, 50):
        model = KMeans(4, init=X[:4], max_iter=rounds).fit(X)
        assert (model.predict(X) == model.labels_).all()
        assert (squares(X, model.cluster_centers_).argmin(axis=1) == model.labels_).all()


def test_groups_that_lose_all_rows_begin_again_at_the_farthest() -> None:
    X = np.array([[0.0], [1], [2], [100], [100], [50]], np.float32)
    model = KMeans(3, init=[[1.0], [1000.0], [2000.0]]).fit(X)
    assert sorted(model.cluster_centers_[:, 0].tolist()) == [1, 50, 100]
    assert model.inertia_ == 2
    # As many groups as distinct rows: each its own, whatever the beginning.
    random = np.random.default_rng(2)
    for k in (1, 7, 40):
        X = np.repeat(random.standard_normal((k, 3)).astype(np.float32), 3, axis=0)
        for first in (np.ones((k, 3)) * 50, "k-means++"):
            model = KMeans(k, init=first).fit(X)
            assert np.bincount(model.labels_).tolist() == [3] * k
            assert model.inertia_ < 1e-10


def test_rows_that_differ_by_less_than_the_rounding_are_told_apart() -> None:
    X = np.array([[1.0], [1 + 2**-23], [1 - 2**-24], [1e6]], np.float32)
    model = KMeans(4).fit(X)
    assert sorted(model.labels_.tolist()) == [0, 1, 2, 3]
    assert model.inertia_ == 0


@pytest.mark.parametrize("scale", [1e-40, 1e-20, 1e18, 1e37])
def test_any_scale_of_32_bits(scale: float) -> None:
    X = blobs(200, 3, 4, spread=0.1)
    right = KMeans(4).fit(X)
    model = KMeans(4).fit(X * np.float32(scale) if scale > 1e-38 else (X.astype(np.float64) * scale))
    assert (model.labels_ == right.labels_).all()
    assert model.inertia_ == pytest.approx(right.inertia_ * scale**2, rel=1e-3)


def test_transform_and_score_are_distances() -> None:
    X, other = blobs(300, 9, 5), blobs(50, 9, 5, seed=4)
    for spherical in (False, True):
        model = KMeans(7, spherical=spherical).fit(X)
        far = squares(unit(other) if spherical else other, model.cluster_centers_)
        assert np.allclose(model.transform(other), np.sqrt(far), rtol=1e-6, atol=1e-6)
        assert (model.predict(other) == far.argmin(axis=1)).all()
        assert model.score(other) == pytest.approx(-far.min(axis=1).sum(), rel=1e-9)
        assert model.score(X) == pytest.approx(-model.inertia_, rel=1e-9)
        assert (model.fit_transform(X) == model.transform(X)).all()
        assert (model.predict(X) == model.labels_).all()


def test_seeds_differ_and_are_good() -> None:
    X = blobs(2000, 8, 20, spread=0.2)
    found = [KMeans(20, random_state=seed) for seed in range(6)]
    worst = max(model.fit(X).inertia_ for model in found)
    random = np.random.default_rng(0)
    drawn = [X[random.choice(len(X), 20, replace=False)] for _ in range(6)]
    best = min(KMeans(20, init=first).fit(X).inertia_ for first in drawn)
    assert worst <= best
    assert len({model.n_iter_ for model in found} | {model.inertia_ for model in found}) > 1


def test_scikit_learn_finds_as_much_from_the_same_beginning() -> None:
    cluster = pytest.importorskip("sklearn.cluster", reason="scikit-learn is not installed")
    X = blobs(800, 16, 10, spread=1.5)
    for k in (3, 10, 25):
        theirs = cluster.KMeans(k, init=X[:k], n_init=1, tol=0).fit(X)
        ours = KMeans(k, init=X[:k], tol=0).fit(X)
        assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-4)


def test_scikit_learns_own_checks() -> None:
    for model in (KMeans(3), KMeans(2, max_iter=5, tol=0)):
        found = sklearn_checks(model, EXPECTED)
        assert [(name, str(error)) for name, error in found.get("failed", [])] == []
        assert len(found["passed"]) > 30


def test_a_pickle_is_the_same_model() -> None:
    X = blobs(100, 4, 3)
    model = KMeans(3).fit(X)
    again = pickle.loads(pickle.dumps(model))  # noqa: S301
    assert repr(again) == "KMeans(n_clusters=3)"
    assert (again.predict(X) == model.labels_).all()
    assert klero.KMeans is KMeans


def test_a_larger_matrix_than_a_block_by_several_threads() -> None:
    """More rows than the sample of the first centres takes, and more centres than a panel."""
    X = blobs(6000, 24, 80, spread=1.0)
    model = KMeans(70, threads=3, max_iter=4).fit(X)
    assert (squares(X, model.cluster_centers_).argmin(axis=1) == model.labels_).all()
    order = np.random.default_rng(1).permutation(len(X))
    other = KMeans(70, threads=1, max_iter=4).fit(X[order])
    assert (other.labels_ == model.labels_[order]).all()


@pytest.mark.parametrize(
    ("X", "k", "code"),
    [
        ([[1.0, np.nan], [2, 3]], 1, "vectors-not-finite"),
        ([[1.0, np.inf], [2, 3]], 1, "vectors-not-finite"),
        ([[1.0, 2], [2, 3]], 3, "kmeans-few"),
        ([[1.0, 2], [2, 3], [1, 2]], 3, "kmeans-few"),
        ([[0.0, 1], [-0.0, 1]], 2, "kmeans-few"),
        ([[4.0, 2]] * 9, 2, "kmeans-few"),
        (np.empty((0, 3)), 1, "vectors-empty"),
        (np.empty((3, 0)), 1, "vectors-shape"),
        ([[1.0, 2], [2, 3, 4]], 1, "vectors-length"),
    ],
)
def test_vectors_that_cannot_be_used(X: object, k: int, code: str) -> None:
    model = KMeans(1).fit([[1.0, 2.0]])
    model.set_params(n_clusters=k)
    with pytest.raises(InputError) as error:
        model.fit(X)  # type: ignore[arg-type]
    assert faults(error) == [code]
    assert model.labels_.tolist() == [0]


def test_all_identical_rows_are_one_group() -> None:
    model = KMeans(1).fit([[4.0, 2]] * 9)
    assert (model.cluster_centers_.tolist(), model.inertia_) == ([[4, 2]], 0)


def test_zeros_have_a_place_but_no_direction() -> None:
    X = [[0.0, 0], [0, 1], [0, 0], [1, 0]]
    assert KMeans(3).fit(X).labels_.tolist() == [0, 1, 0, 2]
    with pytest.raises(InputError) as error:
        KMeans(2, spherical=True).fit(X)
    assert faults(error) == ["vectors-zero"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"n_clusters": 0}, "option-range"),
        ({"n_clusters": 2.5}, "option-range"),
        ({"n_clusters": True}, "option-range"),
        ({"max_iter": 0}, "option-range"),
        ({"tol": -1}, "option-range"),
        ({"tol": float("nan")}, "option-range"),
        ({"tol": "small"}, "option-range"),
        ({"random_state": -1}, "option-range"),
        ({"random_state": None}, "option-range"),
        ({"random_state": 2**64}, "option-range"),
        ({"spherical": "yes"}, "option-unknown"),
        ({"init": "random"}, "option-unknown"),
        ({"threads": 0}, "option-range"),
        ({"init": [[1.0, 2.0]]}, "kmeans-init"),
        ({"init": [[1.0, 2, 3], [4, 5, 6]]}, "kmeans-init"),
        ({"init": [[1.0, np.nan], [4, 5]]}, "vectors-not-finite"),
        ({"init": 5}, "source-type"),
    ],
)
def test_parameters_that_cannot_be_used(options: dict[str, object], code: str) -> None:
    model = KMeans(2).set_params(**options)
    with pytest.raises(InputError) as error:
        model.fit([[1.0, 2], [3, 4], [5, 7]])
    assert faults(error) == [code]


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InputError) as error:
        KMeans(0, tol=-1, max_iter=0).fit([[1.0]])
    assert faults(error) == ["option-range"] * 3


def test_vectors_of_another_length_and_models_not_fitted() -> None:
    model = KMeans(2).fit([[1.0, 2], [3, 4]])
    for ask in (model.predict, model.transform, model.score):
        with pytest.raises(InputError) as error:
            ask([[1.0, 2, 3]])
        assert faults(error) == ["vectors-width"]
        with pytest.raises(NotFittedError):
            getattr(KMeans(2), ask.__name__)([[1.0, 2]])


def test_buffers_of_another_size_are_refused() -> None:
    X = np.ones((2, 3), np.float32)
    for centres in (np.ones(2, np.float32), np.ones(0, np.float32), np.ones(7, np.int8)):
        with pytest.raises(ValueError, match="centres"):
            _native.kmeans_predict(X, 2, 3, centres, unit=False, threads=1)


def test_progress_is_told_and_may_stop_it() -> None:
    def stop(phase: str, done: int) -> None:
        raise RuntimeError(phase)

    X = np.random.default_rng(0).standard_normal((40_000, 64)).astype(np.float32)
    with pytest.raises(RuntimeError):
        KMeans(300, threads=1, max_iter=1000, tol=0).fit(X, progress=stop)
