"""What is being said, and by the few? Themes of contributions, from their vectors.

Average linkage on the graph of nearest neighbours (rust/core/src/vectors/engine.rs): vectors are centred, reduced to their leading directions, compared
by whole numbers and joined from the most alike upwards into one tree. A cut of the tree is a granularity; another granularity is another cut and no
new fit.

Guaranteed: every contribution is in a group, and themes, weak signals and lone voices sum to all; the groups are a function of the set of vectors:
the same for any order of rows, number of threads and processor. Not guaranteed: that a theme is an opinion (vectors tell what a text is about better
than whether it is for or against), nor that a lone voice is a rare opinion rather than a strange sentence. A person reads, names and decides.

Cost: n² for up to 200,000 distinct vectors (50,000 of 384 numbers: about a second on two cores), nearly linear above (a million: 49 seconds); about
1 kB a distinct vector beyond the vectors. No randomness.

>>> rng = np.random.default_rng(1)
>>> X = np.repeat(np.eye(3, 8), (30, 10, 1), axis=0) + 0.1 * rng.standard_normal((41, 8))
>>> themes = Themes().fit(X.astype(np.float32))
>>> themes.partition_
<Partition of 41 contributions: 2 themes, 0 weak signals, 2 lone voices, at similarity 0.870>
"""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Literal, Self, TypeAlias, cast

import numpy as np

from klero import _native
from klero.errors import Fault, InputError
from klero.themes.constraints import Pairs, read_ties
from klero.themes.estimator import Estimator
from klero.themes.partition import Partition
from klero.themes.tree import Dendrogram, Level
from klero.voices.settings import read_choice, read_resources, read_whole, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from klero._native import ThemeTree
    from klero.themes._inputs import Column
    from klero.themes.confront import Confrontation
    from klero.themes.explain import ContributionTold, ThemesTold
    from klero.themes.minority_audit import Audit
    from klero.themes.stability import Stability
    from klero.themes.vectors import VectorSource
    from klero.voices.texts import TextSource

    Progress: TypeAlias = Callable[[str, int], None]

__all__ = ["Granularity", "Themes"]

Granularity: TypeAlias = Literal["auto", "coarse", "fine"] | float

_NAMES = ("auto", "coarse", "fine")
_NEIGHBOURS = 15
_FALLBACK = 0.5  # cosine at which so few contributions are cut that the tree has no levels
_NOVEL = -1  # the label of a vector that fits no group that is known


class Themes(Estimator):
    """Themes, weak signals and lone voices of contributions.

    Args:
        granularity: "auto" (the coarsest level that lasts about as long as any), "coarse" or "fine" (the first or last level), or a
            number from 0 (the coarsest level) to 1 (the finest).
        n_themes: a number of themes instead, reached as nearly as the tree can.
        minority: whether a second look lets those leave a theme who are much less alike to anybody than is usual; at most one contribution in 20.
        must_link, cannot_link: pairs of row numbers of X that a person wants together, or apart.
        neighbours: nearest neighbours in the graph; "auto" is 15.
        backend: how neighbours are found: "auto" (exact up to 200,000 distinct vectors), "exact" or "lists" (inverted lists, trained on all
            vectors; some neighbours are missed).
        threads: at most so many; all that there are by default. The result does not depend on it.

    Attributes:
        labels_: int64[n], the group of each contribution; see `Partition.labels`.
        kinds_: uint8[n], what that group is, an index of `klero.themes.partition.KINDS`.
        partition_: the groups.
        levels_: granularities at which groups last, from coarse to fine; up to five.
        level_: the index of the level that was taken; None if the cut is at no level.
        dendrogram_: the tree.
        mean_: float32[d], the mean of all vectors, which is taken from each.
        n_features_in_: d.
        duplicates_: rows that repeat an earlier vector.
        kept_: the number of leading directions that were compared, and the share of the squared lengths in them.
    """

    labels_: NDArray[np.int64]
    kinds_: NDArray[np.uint8]
    partition_: Partition
    levels_: tuple[Level, ...]
    level_: int | None
    dendrogram_: Dendrogram
    mean_: NDArray[np.float32]
    n_features_in_: int
    duplicates_: int
    kept_: tuple[int, float]

    def __init__(
        self,
        *,
        granularity: Granularity = "auto",
        n_themes: int | None = None,
        minority: bool = True,
        must_link: Pairs | None = None,
        cannot_link: Pairs | None = None,
        neighbours: int | Literal["auto"] = "auto",
        backend: Literal["auto", "exact", "lists"] = "auto",
        threads: int | None = None,
    ) -> None:
        self.granularity = granularity
        self.n_themes = n_themes
        self.minority = minority
        self.must_link = must_link
        self.cannot_link = cannot_link
        self.neighbours = neighbours
        self.backend = backend
        self.threads = threads

    def fit(self, X: VectorSource, y: object = None, *, progress: Progress | None = None) -> Self:
        """Finds the themes of these vectors. A model that was fitted keeps what it has if this fails.

        Args:
            X: one vector for each contribution; see `klero.themes.vectors.read_vectors`. It must not change as long as this model is used.
            y: not looked at.
            progress: called with a phase and how many of its parts are done.

        Raises:
            InputError: parameters, vectors or ties that can't be used, all at once.
        """
        threads = self._check()
        vectors = self._read_fit(X, threads)
        self._learn(vectors.array, threads, progress)
        return self

    def partial_fit(self, X: VectorSource, y: object = None, *, progress: Progress | None = None) -> Self:
        """Adds vectors to those of before, and finds the themes of all: the same as a fit of all at once, at the same cost. `klero.LiveThemes` adds at once."""
        threads = self._check()
        if not self.__sklearn_is_fitted__():
            return self.fit(X, y, progress=progress)
        more = self._read_more(X, "partial_fit", threads).array
        self._learn(np.concatenate([self._matrix, more]), threads, progress)
        return self

    def fit_predict(self, X: VectorSource, y: object = None) -> NDArray[np.int64]:
        """`fit(X).labels_`."""
        return self.fit(X, y).labels_

    def predict(self, X: VectorSource) -> NDArray[np.int64]:
        """Of the groups that each of these vectors fits the one whose centroid is nearest, or −1 for one that fits none.

        A vector fits a group if it is as near to its centroid as the group's own most distant contribution; a weak signal or a lone voice also if it
        is as near as is usual for that of a theme (the median). So whatever was fitted fits a group, though perhaps another one that is nearer.
        """
        vectors = self._read_more(X, "predict").array
        centroids, floors = self._known()
        labels = np.empty(len(vectors), np.int64)
        step = max(1, (1 << 24) // max(1, len(centroids)))
        for start in range(0, len(vectors), step):
            cosines = self._centre(vectors[start : start + step]) @ centroids.T
            cosines[cosines < floors] = -2.0  # less than any cosine: it does not fit
            best = cosines.argmax(axis=1)
            fits = cosines[np.arange(len(best)), best] >= -1
            labels[start : start + step] = np.where(fits, best, _NOVEL)
        return labels

    def centred(self, X: VectorSource) -> NDArray[np.float32]:
        """float32[n, d]: vectors without the mean of those that were fitted, of unit length: the space in which cosines are told.

        Zeros where a vector equals the mean.
        """
        return self._centre(self._read_more(X, "centred").array)

    def cut(
        self,
        level: int | None = None,
        *,
        granularity: Granularity | None = None,
        n_themes: int | None = None,
        similarity: float | None = None,
        progress: Progress | None = None,
    ) -> Partition:
        """The groups at another granularity, without a new fit. Exactly one of the four is given.

        Args:
            level: an index of `levels_`.
            granularity, n_themes: as for the model.
            similarity: the average similarity from which on groups are together, −1 to 1.

        Raises:
            NotFittedError: nothing was fitted.
            InputError: not exactly one is given, or it is out of range.
        """
        self._need_fitted("cut")
        given = {"level": level, "granularity": granularity, "n_themes": n_themes, "similarity": similarity}
        named = [name for name, value in given.items() if value is not None]
        faults: list[Fault] = []
        if len(named) != 1:
            message = f"cut() was given {' and '.join(named) or 'nothing'}; give exactly one of level, granularity, n_themes, similarity."
            faults.append(Fault("option-unknown", message, ""))
        if level is not None:
            read_whole(faults, "level", level, 0, len(self.levels_) - 1, "a level's index")
        if n_themes is not None:
            read_whole(faults, "n_themes", n_themes, 1, 2**31, "the number of themes")
        if granularity is not None:
            _check_granularity(faults, granularity)
        if similarity is not None and not (isinstance(similarity, Real) and -1 <= float(similarity) <= 1):
            message = f"similarity is {shown(similarity)}; it must be a number from -1 to 1."
            faults.append(Fault("option-range", message, ""))
        if faults:
            raise InputError(faults)
        tree = self._fitted_tree()
        threads = self._check()
        if level is not None:
            similarity = self.levels_[level].similarity
        link = (
            _link(similarity)
            if similarity is not None
            else _choose(tree, self.levels_, granularity, n_themes, bool(self.minority), threads, progress)
        )
        return _cut(tree, link, bool(self.minority), threads, progress)

    def explain(
        self,
        texts: TextSource,
        *,
        ids: Column | None = None,
        authors: Column | None = None,
        times: Column | None = None,
    ) -> ThemesTold:
        """What each group says: keywords, quotes, growth; see `klero.themes.explain.explain_themes`. `texts` are those of the fitted rows."""
        from klero.themes.explain import explain_themes

        centred = self.centred(self._fitted_rows("explain"))
        return explain_themes(self.partition_, centred, texts, ids=ids, authors=authors, times=times)

    def explain_contribution(
        self, row: int, texts: TextSource, *, ids: Column | None = None
    ) -> ContributionTold:
        """Why a contribution is where it is, or alone; see `klero.themes.explain.explain_contribution`."""
        from klero.themes.explain import explain_contribution

        centred = self.centred(self._fitted_rows("explain_contribution"))
        return explain_contribution(row, self.partition_, centred, texts, ids=ids)

    def confront(
        self, codes: Column, *, texts: TextSource | None = None, ids: Column | None = None
    ) -> Confrontation:
        """A person's coding beside these groups; see `klero.themes.confront.confront`."""
        from klero.themes.confront import confront

        self._need_fitted("confront")
        return confront(self.partition_, codes, texts=texts, ids=ids)

    def audit_minorities(
        self,
        *,
        sizes: Sequence[int] = (1, 2, 3, 5, 8, 13, 20),
        repeats: int = 10,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Audit:
        """Plants voices among those that were fitted and says what share comes back; see `klero.themes.minority_audit.audit_minorities`."""
        from klero.themes.minority_audit import audit_minorities

        return audit_minorities(
            self,
            self._fitted_rows("audit_minorities"),
            sizes=sizes,
            repeats=repeats,
            seed=seed,
            progress=progress,
        )

    def stability(
        self, *, resamples: int = 10, share: float = 0.8, seed: int = 0, progress: Progress | None = None
    ) -> Stability:
        """Which themes come back when a part of the contributions is missing; see `klero.themes.stability.stability`."""
        from klero.themes.stability import stability

        return stability(
            self,
            self._fitted_rows("stability"),
            resamples=resamples,
            share=share,
            seed=seed,
            progress=progress,
        )

    def _fitted_rows(self, asked: str) -> NDArray[np.float32]:
        self._need_fitted(asked)
        return self._matrix

    def _check(self) -> int:
        """The threads to use.

        Raises:
            InputError: with all parameters that can't be used.
        """
        faults: list[Fault] = []
        _check_granularity(faults, self.granularity)
        if self.n_themes is not None:
            read_whole(faults, "n_themes", self.n_themes, 1, 2**31, "the number of themes")
            if self.granularity != "auto":
                message = (
                    "granularity and n_themes are both given, and say different things. Give one of them."
                )
                faults.append(Fault("option-unknown", message, ""))
        if self.neighbours != "auto":
            read_whole(faults, "neighbours", self.neighbours, 2, 100, "the nearest neighbours in the graph")
        read_choice(faults, "backend", self.backend, ("auto", "exact", "lists"))
        if not isinstance(self.minority, bool | np.bool_):
            message = f"minority is {shown(self.minority)}; it must be True or False."
            faults.append(Fault("option-unknown", message, ""))
        resources = read_resources(faults, threads=self.threads, memory=None)
        if resources is None or faults:
            raise InputError(faults)
        return resources.threads

    def _learn(self, matrix: NDArray[np.float32], threads: int, progress: Progress | None) -> None:
        """Everything is made before anything is kept."""
        tree = self._grow(matrix, threads, progress)
        minority = bool(self.minority)
        levels = _levels(tree, minority, threads, progress)
        granularity = None if self.n_themes is not None else self.granularity
        link = _choose(tree, levels, granularity, self.n_themes, minority, threads, progress)
        partition = _cut(tree, link, minority, threads, progress)
        dendrogram = _dendrogram(tree)
        at = [index for index, level in enumerate(levels) if _link(level.similarity) == link]
        self._matrix, self._tree = matrix, tree
        self.n_features_in_ = matrix.shape[1]
        self.partition_, self.labels_, self.kinds_ = partition, partition.labels, partition.kind_of
        self.levels_, self.level_ = levels, at[0] if at else None
        self.dendrogram_ = dendrogram
        self.mean_ = np.frombuffer(tree.mean, np.float32)
        self.duplicates_ = len(matrix) - 1 - len(dendrogram.sizes)
        self.kept_ = tree.kept

    def _grow(self, matrix: NDArray[np.float32], threads: int, progress: Progress | None) -> ThemeTree:
        rows, dimension = matrix.shape
        ties = read_ties(self.must_link, self.cannot_link, rows)
        neighbours = _NEIGHBOURS if self.neighbours == "auto" else int(self.neighbours)
        try:
            return _native.themes_fit(
                matrix,
                rows,
                dimension,
                neighbours=neighbours,
                exact={"auto": None, "exact": True, "lists": False}[self.backend],
                must=ties.must,
                cannot=ties.cannot,
                threads=threads,
                progress=progress,
            )
        except KeyError as same:
            pairs: list[tuple[int, int]] = same.args[0]
            raise InputError([_same(*pair, chained=bool(same.args[1])) for pair in pairs]) from None

    def _fitted_tree(self) -> ThemeTree:
        """The tree; after a pickle it is grown again, which gives the same one."""
        if self._tree is None:
            self._tree = self._grow(self._matrix, self._check(), None)
        return self._tree

    def _centre(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        centred = matrix.astype(np.float64) - self.mean_
        length = np.sqrt((centred * centred).sum(axis=1, keepdims=True))
        np.divide(centred, length, out=centred, where=length > 0)
        return centred.astype(np.float32)

    def _known(self) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """The centroids of all groups, and how near a vector must be to fit each."""
        parts = self.partition_
        first = [parts.members(label)[0] for label in range(len(parts.centroids), parts.n_clusters)]
        lone = self._centre(self._matrix[np.asarray(first, np.int64)])
        floors = np.full(parts.n_clusters, np.inf)
        np.minimum.at(floors, parts.labels, parts.fit.astype(np.float64))
        themes = floors[: parts.n_themes]
        usual = float(np.median(themes)) if len(themes) else _FALLBACK
        floors[parts.n_themes :] = np.minimum(floors[parts.n_themes :], usual)
        # What was fitted fits: it was compared in whole numbers of length 32767, whose rounding moves a cosine by less than this.
        rounding = np.sqrt(len(self.mean_)) / 32767
        return np.concatenate([parts.centroids, lone]), floors - rounding

    def __getstate__(self) -> dict[str, object]:
        state = dict(vars(self))
        if "_tree" in state:
            state["_tree"] = None
        return state


def _same(a: int, b: int, *, chained: bool) -> Fault:
    """Rows that must be apart and are one point, or that are together by rows that are."""
    rows = f"rows {a} and {b} must be apart (cannot_link)"
    if chained:
        message = f"{rows}, and are together by must_link and by rows whose vectors are the same. Take one of the pairs away, or give vectors that differ."
        return Fault("ties-contradiction", message, "")
    message = f"{rows}, but their vectors are the same, so nothing tells them apart. Take the pair away, or give vectors that differ."
    return Fault("ties-same", message, "")


def _check_granularity(faults: list[Fault], granularity: object) -> None:
    if isinstance(granularity, str):
        read_choice(faults, "granularity", granularity, _NAMES)
    elif (
        not isinstance(granularity, Real) or isinstance(granularity, bool) or not 0 <= float(granularity) <= 1
    ):
        message = f"granularity is {shown(granularity)}; it must be 'auto', 'coarse', 'fine' or a number from 0 (coarsest) to 1 (finest)."
        faults.append(Fault("option-range", message, ""))


def _link(similarity: float) -> int:
    return round(float(similarity) * _native.THEMES_TOGETHER)


def _levels(tree: ThemeTree, minority: bool, threads: int, progress: Progress | None) -> tuple[Level, ...]:
    found = tree.levels or [(_link(_FALLBACK), 0)]
    levels = []
    for link, persistence in found:
        counts = tree.kinds(link, minority=minority, threads=threads, progress=progress)
        one = _native.THEMES_TOGETHER
        themes, weak, lone = counts
        levels.append(Level(link / one, sum(counts), themes, weak, lone, persistence / one))
    return tuple(levels)


def _choose(
    tree: ThemeTree,
    levels: tuple[Level, ...],
    granularity: Granularity | None,
    n_themes: int | None,
    minority: bool,
    threads: int,
    progress: Progress | None,
) -> int:
    """Where to cut, in units of the tree."""
    if n_themes is not None:
        link, _ = tree.cut_for(int(n_themes), minority=minority, threads=threads, progress=progress)
        return link
    if granularity == "auto":
        # The coarsest of those that last about as long as the one that lasts longest: fewer themes are easier to read.
        enough = max(level.persistence for level in levels) * 11 / 12
        return _link(next(level for level in levels if level.persistence >= enough).similarity)
    share = (
        {"coarse": 0.0, "fine": 1.0}[granularity]
        if isinstance(granularity, str)
        else float(cast(float, granularity))
    )
    first, last = _link(levels[0].similarity), _link(levels[-1].similarity)
    return first + round((last - first) * share)


def _cut(tree: ThemeTree, link: int, minority: bool, threads: int, progress: Progress | None) -> Partition:
    found = tree.cut(link, minority=minority, threads=threads, progress=progress)
    sizes = np.frombuffer(found["sizes"], np.uint64).astype(np.int64)
    dimension = len(np.frombuffer(tree.mean, np.float32))
    centroids = np.frombuffer(found["middles"], np.int16).reshape(-1, dimension).astype(np.float32)
    length = np.sqrt((centroids.astype(np.float64) ** 2).sum(axis=1, keepdims=True))
    np.divide(centroids, length, out=centroids, where=length > 0)
    one = float(_native.THEMES_TOGETHER)
    fit = np.frombuffer(found["fit"], np.int32) / one
    return Partition(
        labels=np.frombuffer(found["labels"], np.uint32).astype(np.int64),
        sizes=sizes,
        kinds=np.frombuffer(found["kinds"], np.uint8),
        fit=np.minimum(fit, 1).astype(np.float32),
        centroids=centroids,
        # A cut above all similarities is told as the greatest that there can be.
        similarity=min(link / one, 1.0),
        minority=minority,
    )


def _dendrogram(tree: ThemeTree) -> Dendrogram:
    children, links, sizes = tree.merges
    one = float(_native.THEMES_TOGETHER)
    similarity = np.frombuffer(links, np.int32) / one
    return Dendrogram(
        children=np.frombuffer(children, np.uint32).reshape(-1, 2).astype(np.int64),
        similarity=np.minimum(similarity, 1),
        sizes=np.frombuffer(sizes, np.uint64).astype(np.int64),
        point=np.frombuffer(tree.point, np.uint32).astype(np.int64),
    )
