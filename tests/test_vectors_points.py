"""Vectors on a sphere, distinct points and exact neighbours, against slow oracles."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

import vectors_oracle as oracle
from klero import _native


class Found:
    """Columns of `VectorPoints` as arrays."""

    def __init__(self, x: NDArray[np.float32], centre: bool = True, threads: int = 2) -> None:
        rows, dimension = x.shape
        self.points = _native.vectors_points(x, rows, dimension, centre=centre, threads=threads)
        p = self.points
        self.mean = np.frombuffer(p.mean, np.float32)
        self.names = [p.names[i : i + 16] for i in range(0, len(p.names), 16)]
        self.first, self.copies, self.point = (
            np.frombuffer(b, np.uint32) for b in (p.first, p.copies, p.point)
        )
        self.q15 = np.frombuffer(p.q15(self.first.tolist()), np.int16).reshape(-1, dimension).astype(np.int64)

    def neighbours(
        self, k: int, threads: int = 2, exact: bool | None = None
    ) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
        k, ids, similarities = self.points.neighbours(k, threads=threads, exact=exact)
        shape = (len(self.points), k)
        return np.frombuffer(ids, np.uint32).reshape(shape), np.frombuffer(similarities, np.int32).reshape(
            shape
        )


def normal(rows: int, dimension: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((rows, dimension)).astype(np.float32)


@pytest.mark.parametrize("dimension", [1, 2, 31, 32, 33, 384, 512, 1024])
def test_rows_are_rounded_as_the_definition_says_in_any_dimension(dimension: int) -> None:
    x = normal(60, dimension, dimension) * np.float32(3.7) + np.float32(0.4)
    x[7] = x[3]
    found = Found(x)
    assert found.mean.tobytes() == oracle.mean_of(x).tobytes()
    assert found.points.floor == oracle.floor_of(x)
    q = oracle.rounded(x, found.mean, found.points.floor)
    assert np.array_equal(q[found.first], found.q15)
    names = [oracle.name(row) for row in q]
    assert found.names == sorted(set(names))
    assert [found.names[p] for p in found.point] == names
    assert found.copies.sum() == len(x) and found.copies[found.point[3]] >= 2
    ids, similarities = found.neighbours(9)
    right, dots = oracle.neighbours(found.q15, 9)
    assert np.array_equal(ids, right) and np.array_equal(similarities, dots)


def test_rounded_rows_are_as_long_as_they_should_be() -> None:
    x = normal(200, 384)
    found = Found(x)
    lengths = np.sqrt((found.q15**2).sum(1))
    assert np.abs(lengths - oracle.UNIT).max() <= np.sqrt(384) / 2
    unit = x - found.mean
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    assert np.abs(found.q15 / oracle.UNIT - unit[found.first]).max() < 2.0**-16 + 1e-6


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_order_of_rows_and_threads_change_nothing(threads: int) -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(-2, 3, (900, 5)).astype(np.float32)
    whole, order = Found(x, threads=2), rng.permutation(len(x))
    other = Found(x[order], threads=threads)
    assert len(whole.points) < len(x)
    assert (whole.mean.tobytes(), whole.names) == (other.mean.tobytes(), other.names)
    assert np.array_equal(whole.q15, other.q15) and np.array_equal(whole.copies, other.copies)
    assert np.array_equal(whole.point[order], other.point)
    for a, b in zip(whole.neighbours(16), other.neighbours(16, threads), strict=True):
        assert np.array_equal(a, b)


def around(rows: int, dimension: int) -> NDArray[np.float32]:
    rng = np.random.default_rng(11)
    middles = rng.standard_normal((60, dimension))
    sizes = 1 / np.arange(1, 61)
    of = rng.choice(60, rows, p=sizes / sizes.sum())
    return (middles[of] + 0.6 * rng.standard_normal((rows, dimension))).astype(np.float32)


def test_lists_find_what_all_pairs_find_and_order_and_threads_change_nothing() -> None:
    x = around(6000, 24)
    found, order = Found(x), np.random.default_rng(1).permutation(6000)
    exact, dots = found.neighbours(10, exact=True)
    ids, similarities = found.neighbours(10, exact=False)
    hits = sum(len(set(a) & set(b)) for a, b in zip(exact, ids, strict=True))
    assert hits >= 0.98 * exact.size
    assert np.array_equal((found.q15[ids[77]] @ found.q15[77]), similarities[77])
    assert (similarities <= dots).all() and (np.diff(similarities) <= 0).all()
    for threads in (1, 3):
        again, values = Found(x[order], threads=threads).neighbours(10, threads, exact=False)
        assert np.array_equal(again, ids) and np.array_equal(values, similarities)


def test_neighbours_of_some_points_are_those_of_all() -> None:
    found = Found(normal(700, 8))
    ids, similarities = found.neighbours(6)
    k, some, dots = found.points.neighbours_of([699, 0, 333], 6, threads=2)
    assert np.array_equal(np.frombuffer(some, np.uint32).reshape(3, k), ids[[699, 0, 333]])
    assert np.array_equal(np.frombuffer(dots, np.int32).reshape(3, k), similarities[[699, 0, 333]])
    with pytest.raises(ValueError, match="no such point"):
        found.points.neighbours_of([700], 6, threads=2)


def test_copies_never_fill_a_list_of_neighbours() -> None:
    x = normal(300, 16)
    x[50:250] = x[50]
    found = Found(x)
    assert len(found.points) == 101 and found.copies[found.point[60]] == 200
    ids, _ = found.neighbours(16)
    assert all(len(set(row)) == 16 and i not in row for i, row in enumerate(ids))


def test_ties_go_to_the_lower_number() -> None:
    x = np.repeat(np.eye(6, dtype=np.float32), 2, 0)
    x[1::2] *= -1
    found = Found(x, centre=False)
    ids, similarities = found.neighbours(11)
    right, dots = oracle.neighbours(found.q15, 11)
    assert np.array_equal(ids, right) and np.array_equal(similarities, dots)
    assert (dots[:, 1:10] == 0).all()


@pytest.mark.parametrize(("rows", "k", "expected"), [(1, 5, 0), (2, 5, 1), (7, 6, 6), (7, 7, 6), (7, 0, 0)])
def test_nobody_has_more_neighbours_than_there_are(rows: int, k: int, expected: int) -> None:
    ids, similarities = Found(normal(rows, 8), centre=False).neighbours(k)
    assert ids.shape == similarities.shape == (rows, expected)


def test_rows_at_the_mean_are_one_point_without_a_direction() -> None:
    same = np.tile(np.array([[0.1, 1e-7, 0.7, -3.3]], np.float32), (1000, 1))
    found = Found(same)
    assert len(found.points) == 1 and not found.q15.any()
    x = np.vstack([normal(50, 4), -normal(50, 4), np.zeros((3, 4), np.float32)])
    found = Found(x)
    assert found.copies[found.point[100]] == 3 and not found.q15[found.point[100]].any()


def test_without_a_centre_only_zeros_have_no_direction() -> None:
    x = np.array([[1e-30, 0], [0, 0], [1, 1], [2, 2]], np.float32)
    found = Found(x, centre=False)
    assert len(found.points) == 3
    assert found.q15[found.point[0]].tolist() == [oracle.UNIT, 0]
    assert found.q15[found.point[1]].tolist() == [0, 0]
    assert found.q15[found.point[2]].tolist() == [23170, 23170]


@pytest.mark.parametrize("scale", [1e-38, 1e-45, 3e38])
def test_very_small_and_very_large_floats_are_vectors_like_others(scale: float) -> None:
    x = (np.array([[1, 0], [0, 1], [-1, 0]]) * scale).astype(np.float32)
    found = Found(x, centre=False)
    assert found.q15[found.point].tolist() == [[oracle.UNIT, 0], [0, oracle.UNIT], [-oracle.UNIT, 0]]


def test_unaligned_and_read_only_matrices_are_read_in_place() -> None:
    x = normal(20, 7)
    raw = b"\0" + x.tobytes()
    view = np.frombuffer(raw, np.uint8)[1:]
    points = _native.vectors_points(view, 20, 7, centre=True, threads=1)
    assert points.names == _native.vectors_points(x, 20, 7, centre=True, threads=1).names


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_is_refused(bad: float) -> None:
    x = normal(5000, 3)
    x[4321, 1] = bad
    with pytest.raises(ValueError, match="not finite"):
        _native.vectors_points(x, 5000, 3, centre=True, threads=2)


@pytest.mark.parametrize("shape", [(19, 7), (20, 8), (20, 0)])
def test_a_buffer_of_another_size_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="rows × dimension"):
        _native.vectors_points(normal(20, 7), *shape, centre=True, threads=1)


def test_no_rows_are_no_points() -> None:
    points = _native.vectors_points(b"", 0, 4, centre=True, threads=2)
    assert len(points) == 0 and points.neighbours(3, threads=1) == (0, b"", b"")


def test_an_exception_of_progress_stops_the_work() -> None:
    def progress(phase: str, block: int) -> None:
        raise KeyError(phase)

    x = normal(30_000, 64)
    points = _native.vectors_points(x, *x.shape, centre=True, threads=1)
    with pytest.raises(KeyError):
        points.neighbours(16, threads=1, progress=progress)
