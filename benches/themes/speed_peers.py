"""Peers on work of speed.py, one tool in a process of its own, in the environment of peers.txt.

    ENV/bin/python speed_peers.py TOOL INPUT OUT.npz [--threads 2] [--clusters 1000] [--iterations 5]

The input (vectors, or texts) is in memory when the clock starts. What is compiled at first use (numba) is compiled before, on the first 2,000 rows.

| tool | what is timed |
|---|---|
| knn-faiss | the exact graph of 15 neighbours alone (IndexFlatIP), groups: none |
| leiden | that graph, then leidenalg at resolution 30 |
| evoc | EVōC, its defaults |
| fast-hdbscan | fast_hdbscan, min_cluster_size 10, cosine |
| umap-hdbscan | UMAP to 5-d without a seed (so with all threads), then fast_hdbscan, min_cluster_size 10 |
| hdbscan | scikit-learn's, min_cluster_size 10, cosine |
| birch | scikit-learn's Birch with 2,000 clusters asked for |
| kmeans-faiss | faiss Kmeans from the first rows of the input, all points |
| kmeans-sklearn | scikit-learn's KMeans (lloyd) from the same rows |
| dbstream | river's DBSTREAM: 1,000 themes of five learnt, then each vector predicted and learnt, one by one |
| tfidf | scikit-learn's TfidfVectorizer of words and of letters in words (3 to 5), TruncatedSVD to 256 |
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from timed import Figures, hand_over, limit, measure, stepped

WARM = 2_000
EACH = 5  # vectors of each theme that are known before


def _knn(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    import faiss

    index = faiss.IndexFlatIP(x.shape[1])
    index.add(x)
    return index.search(x, 16)


def _knn_alone(x: np.ndarray) -> np.ndarray:
    _knn(x)
    return np.full(len(x), -1)


def _leiden(x: np.ndarray) -> np.ndarray:
    from peers import TOOLS

    tool = TOOLS["leiden"]
    return tool.cut(tool.fit(x, {"neighbours": 15}, 1, 2), {}, 30.0)


def _evoc(x: np.ndarray) -> np.ndarray:
    from evoc import EVoC

    return np.asarray(EVoC(random_state=1).fit_predict(x))


def _fast_hdbscan(x: np.ndarray) -> np.ndarray:
    from fast_hdbscan import HDBSCAN

    return np.asarray(HDBSCAN(min_cluster_size=10, metric="cosine").fit_predict(x))


def _umap_hdbscan(x: np.ndarray) -> np.ndarray:
    import umap
    from fast_hdbscan import HDBSCAN

    few = umap.UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine").fit_transform(x)
    return np.asarray(HDBSCAN(min_cluster_size=10).fit_predict(few))


def _hdbscan(x: np.ndarray) -> np.ndarray:
    from sklearn.cluster import HDBSCAN

    return np.asarray(HDBSCAN(min_cluster_size=10, metric="cosine", n_jobs=-1, copy=True).fit_predict(x))


def _birch(x: np.ndarray) -> np.ndarray:
    from sklearn.cluster import Birch

    return np.asarray(Birch(n_clusters=None, threshold=0.7).fit_predict(x))


GROUPS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], bool]] = {  # (work, is it compiled at first use?)
    "knn-faiss": (_knn_alone, False),
    "leiden": (_leiden, False),
    "evoc": (_evoc, True),
    "fast-hdbscan": (_fast_hdbscan, True),
    "umap-hdbscan": (_umap_hdbscan, True),
    "hdbscan": (_hdbscan, False),
    "birch": (_birch, False),
}


def _kmeans_faiss(x: np.ndarray, clusters: int, iterations: int) -> np.ndarray:
    import faiss

    means = faiss.Kmeans(
        x.shape[1], clusters, niter=iterations, max_points_per_centroid=10**9, min_points_per_centroid=1
    )
    means.train(x, init_centroids=x[:clusters].copy())
    return means.centroids


def _kmeans_sklearn(x: np.ndarray, clusters: int, iterations: int) -> np.ndarray:
    from sklearn.cluster import KMeans

    means = KMeans(clusters, init=x[:clusters].copy(), n_init=1, max_iter=iterations, tol=0, copy_x=False)
    return means.fit(x).cluster_centers_


KMEANS = {"kmeans-faiss": _kmeans_faiss, "kmeans-sklearn": _kmeans_sklearn}


def dbstream(x: np.ndarray, known: int) -> Figures:
    """Seconds of each vector, after the first `known`."""
    from river.cluster import DBSTREAM

    model = DBSTREAM(clustering_threshold=0.8, fading_factor=1e-9, cleanup_interval=10**9)
    rows = [dict(enumerate(map(float, row))) for row in x]
    for row in rows[:known]:
        model.learn_one(row)
    seconds = []
    for row in rows[known:]:
        start = time.perf_counter()
        model.predict_one(row)
        model.learn_one(row)
        seconds.append(time.perf_counter() - start)
    return {"each_s": seconds, "themes": len(model.micro_clusters)}


def _tfidf(texts: list[str]) -> np.ndarray:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union

    both = make_union(
        TfidfVectorizer(sublinear_tf=True, min_df=2, dtype=np.float32),
        TfidfVectorizer(
            analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=2, dtype=np.float32
        ),
    )
    return np.asarray(make_pipeline(both, TruncatedSVD(256, random_state=1)).fit_transform(texts))


def main() -> None:
    """Runs one tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tool", choices=[*GROUPS, *KMEANS, "dbstream", "tfidf"])
    parser.add_argument("input", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--iterations", type=int, default=5)
    args = parser.parse_args()
    limit(args.threads)
    warnings.filterwarnings("ignore")
    found: Any
    if args.tool == "tfidf":
        texts = args.input.read_text(encoding="utf-8").split("\n")
        _tfidf(texts[:WARM])
        found, figures = measure(lambda: _tfidf(texts))
        hand_over(args.out, figures, found)
        return
    x = np.load(args.input)
    if args.tool in GROUPS:
        work, compiled = GROUPS[args.tool]
        work(x[: WARM if compiled else 100].copy())
        found, figures = measure(lambda: work(x))
    elif args.tool in KMEANS:
        found, figures = stepped(lambda steps: KMEANS[args.tool](x, args.clusters, steps), args.iterations)
    else:
        found, figures = np.empty(0), dbstream(x, EACH * args.clusters)
    hand_over(args.out, figures, found)


if __name__ == "__main__":
    main()
