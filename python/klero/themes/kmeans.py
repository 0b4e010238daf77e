"""Which k groups do these vectors fall into, when each belongs to the nearest of k means?

Lloyd's k-means (1982), with k-means++ for the first centres (Arthur and Vassilvitskii 2007), over all vectors and not a sample of them. k-means gives as
many groups as it was asked for, of similar extent: a rare theme without a centre of its own is counted with a common one. `klero.Themes` is made
for those; this is for who wants k groups, quickly, and for comparison.

Guaranteed: each vector's label is that of its nearest centre, by the distances of the 32-bit floats in 64-bit arithmetic (the lower label, if two
are equally near); centres are the means of their groups, to 2^−42 of the largest number in X and to 32 bits; the result is a function of the set of
vectors, k, and `random_state` or the first centres: the same for any order of rows, number of threads and processor. Not guaranteed: the best of all
groupings, which nobody can find in reasonable time: other first centres may give another.

Cost: n · k · d multiplications of 16-bit whole numbers a round, each decision closer than their rounding taken again in 64 bits; memory beyond the
vectors 16 bytes a row (100 at the beginning), 8 · k · d, and 0.4 kB · k for each thread. The first centres are chosen among 16 · k distinct vectors (4,096
at least), which is at most as much work as a dozen rounds. `random_state` is the only randomness.

>>> X = np.repeat([[0.0, 0.0], [5.0, 5.0]], (3, 2), axis=0) + np.array([[0.1], [0], [-0.1], [0.1], [-0.1]])
>>> model = KMeans(2).fit(X)
>>> model.labels_, model.cluster_centers_.tolist(), round(model.inertia_, 3)
(array([0, 0, 0, 1, 1]), [[0.0, 0.0], [5.0, 5.0]], 0.08)
>>> model.predict([[4.0, 4.5]])
array([1])
"""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, ClassVar, Literal, Self, TypeAlias

import numpy as np

from klero import _native
from klero.errors import Fault, InputError
from klero.themes.estimator import Estimator
from klero.themes.vectors import read_vectors
from klero.voices.settings import read_choice, read_resources, read_whole, shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from klero.themes.vectors import Vectors, VectorSource

    Progress: TypeAlias = Callable[[str, int], None]

__all__ = ["KMeans"]

Init: TypeAlias = "Literal['k-means++'] | NDArray[np.generic] | Sequence[Sequence[float]]"


class KMeans(Estimator):
    """k means.

    Args:
        n_clusters: how many groups.
        init: "k-means++", or the first centres, one row for each group.
        max_iter: rounds, at most.
        tol: the rounds end once the centres' squared moves sum to this share of the mean variance of a column, or less.
        spherical: only the direction of vectors counts: they and the centres are brought to unit length (Dhillon and Modha 2001).
        random_state: a whole number, from which the first centres are chosen.
        threads: at most so many; all that there are by default. The result does not depend on it.

    Attributes:
        cluster_centers_: float32[n_clusters, d]: the largest group's first; of equals, the one whose numbers are less.
        labels_: int64[n], the nearest centre of each vector.
        inertia_: the sum of squared distances of all vectors to their centre.
        n_iter_: rounds.
        n_features_in_: d.
    """

    _zeros: ClassVar[bool] = True

    cluster_centers_: NDArray[np.float32]
    labels_: NDArray[np.int64]
    inertia_: float
    n_iter_: int
    n_features_in_: int

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        init: Init = "k-means++",
        max_iter: int = 300,
        tol: float = 1e-4,
        spherical: bool = False,
        random_state: int = 0,
        threads: int | None = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.tol = tol
        self.spherical = spherical
        self.random_state = random_state
        self.threads = threads

    def fit(self, X: VectorSource, y: object = None, *, progress: Progress | None = None) -> Self:
        """Finds the groups of these vectors. A model that was fitted keeps what it has if this fails.

        Args:
            X: vectors; see `klero.themes.vectors.read_vectors`.
            y: not looked at.
            progress: called with a phase and how many of its parts are done.

        Raises:
            InputError: parameters or vectors that can't be used, or fewer distinct vectors than groups.
        """
        threads, spherical = self._check(), bool(self.spherical)
        matrix = self._read_fit(X, threads).array
        rows, dimension = matrix.shape
        if rows < self.n_clusters:
            raise InputError([_too_few(rows, self.n_clusters)])
        try:
            centres, labels, inertia, rounds, _ = _native.kmeans_fit(
                matrix,
                rows,
                dimension,
                k=int(self.n_clusters),
                first=self._first(dimension),
                rounds=int(self.max_iter),
                tolerance=float(self.tol),
                unit=spherical,
                seed=int(self.random_state),
                threads=threads,
                progress=progress,
            )
        except KeyError as few:
            raise InputError([_alike(rows, few.args[0], self.n_clusters, spherical)]) from None
        self.cluster_centers_ = np.frombuffer(centres, np.float32).reshape(-1, dimension).copy()
        self.labels_ = np.frombuffer(labels, np.int64).copy()
        self.inertia_, self.n_iter_, self.n_features_in_ = inertia, rounds, dimension
        return self

    def fit_predict(self, X: VectorSource, y: object = None) -> NDArray[np.int64]:
        """`fit(X).labels_`."""
        return self.fit(X, y).labels_

    def fit_transform(self, X: VectorSource, y: object = None) -> NDArray[np.float32]:
        """`fit(X).transform(X)`."""
        return self.fit(X, y).transform(X)

    def predict(self, X: VectorSource) -> NDArray[np.int64]:
        """int64[n]: the nearest centre of each vector."""
        matrix, rows, width, threads = self._more(X, "predict")
        centres, unit = self.cluster_centers_, bool(self.spherical)
        labels = _native.kmeans_predict(matrix, rows, width, centres, unit=unit, threads=threads)
        return np.frombuffer(labels, np.int64).copy()

    def transform(self, X: VectorSource) -> NDArray[np.float32]:
        """float32[n, n_clusters]: the distance of each vector to each centre."""
        matrix, rows, width, threads = self._more(X, "transform")
        centres, unit = self.cluster_centers_, bool(self.spherical)
        far = _native.kmeans_transform(matrix, rows, width, centres, unit=unit, threads=threads)
        return np.frombuffer(far, np.float32).reshape(rows, -1).copy()

    def score(self, X: VectorSource, y: object = None) -> float:
        """Minus the sum of squared distances of these vectors to their nearest centre: more is better."""
        matrix, rows, width, threads = self._more(X, "score")
        centres, unit = self.cluster_centers_, bool(self.spherical)
        return -_native.kmeans_inertia(matrix, rows, width, centres, unit=unit, threads=threads)

    def __sklearn_tags__(self) -> object:
        """As of any model, and that distances are floats of 32 bits."""
        from sklearn.utils import Tags, TransformerTags

        tags = super().__sklearn_tags__()
        if isinstance(tags, Tags):
            tags.transformer_tags = TransformerTags(preserves_dtype=["float32"])
        return tags

    def _read_fit(self, X: VectorSource, threads: int | None = None) -> Vectors:
        # A row of zeros has a place, but no direction.
        return read_vectors(X, name="X", zeros=not self.spherical, threads=threads)

    def _more(self, X: VectorSource, asked: str) -> tuple[NDArray[np.float32], int, int, int]:
        """The matrix, its rows, its columns, and the threads to use."""
        self._need_fitted(asked)
        threads = self._check()
        matrix = self._read_more(X, asked, threads).array
        return matrix, len(matrix), matrix.shape[1], threads

    def _check(self) -> int:
        """The threads to use.

        Raises:
            InputError: with all parameters that can't be used.
        """
        faults: list[Fault] = []
        read_whole(faults, "n_clusters", self.n_clusters, 1, 2**31, "the number of groups")
        read_whole(faults, "max_iter", self.max_iter, 1, 2**31, "the number of rounds")
        read_whole(faults, "random_state", self.random_state, 0, 2**64 - 1, "the seed")
        if isinstance(self.init, str):
            read_choice(faults, "init", self.init, ("k-means++",))
        if not isinstance(self.tol, Real) or isinstance(self.tol, bool) or not 0 <= float(self.tol) < np.inf:
            message = f"tol is {shown(self.tol)}; it must be a number of at least 0."
            faults.append(Fault("option-range", message, ""))
        if not isinstance(self.spherical, bool | np.bool_):
            message = f"spherical is {shown(self.spherical)}; it must be True or False."
            faults.append(Fault("option-unknown", message, ""))
        resources = read_resources(faults, threads=self.threads, memory=None)
        if resources is None or faults:
            raise InputError(faults)
        return resources.threads

    def _first(self, dimension: int) -> NDArray[np.float32] | None:
        """The first centres, if they were given.

        Raises:
            InputError: they can't be used.
        """
        if isinstance(self.init, str):
            return None
        array = read_vectors(self.init, name="init", zeros=not self.spherical).array
        if array.shape != (self.n_clusters, dimension):
            message = (
                f"init has the shape {array.shape}, but {self.n_clusters} groups of vectors of {dimension} numbers begin at "
                f"{(int(self.n_clusters), dimension)}: one row for each group. Give such an array, or leave init out."
            )
            raise InputError([Fault("kmeans-init", message, "init", value=str(array.shape))])
        return array


def _too_few(rows: int, groups: int) -> Fault:
    message = f"X has n_samples={rows}, fewer than n_clusters={groups}: a group needs a vector at least. Ask for fewer groups, or give more vectors."
    return Fault("kmeans-few", message, "X", value=str(rows))


def _alike(rows: int, distinct: int, groups: int, spherical: bool) -> Fault:
    what = "directions" if spherical else "vectors"
    message = (
        f"the {rows:,} rows of X are only {distinct:,} different {what}, fewer than n_clusters={groups}, and equal ones can't be told apart. Ask "
        f"for at most {distinct:,} groups."
    )
    return Fault("kmeans-few", message, "X", value=str(distinct))
