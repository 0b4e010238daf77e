"""What a Python user can install to group vectors, each in its usual way; run in the environment of peers.txt.

    ENV/bin/python peers.py TOOL JOBS.json OUT.npz [--threads 2]

| tool | what | families | grain | as it comes |
|---|---|---|---|---|
| kmeans | faiss Kmeans, spherical, 50 iterations, all points | vectors as given, or centred | k | k is told: √points |
| leiden | leidenalg (RBConfiguration, weights) on the kNN graph of faiss | 10, 15 or 30 neighbours | resolution | 15 neighbours, resolution 1 |
| umap-hdbscan | UMAP to 5-d and HDBSCAN, as BERTopic does | eom or leaf; min_samples 1 or as many | min_cluster_size | min_cluster_size 10, eom |
| evoc | EVōC | base_min_cluster_size 2, 3, 5 | the layer | its defaults |
| fast-hdbscan | fast_hdbscan on the vectors, cosine | eom or leaf; min_samples 1 or as many | min_cluster_size | min_cluster_size 10, eom |
| average | scikit-learn's average linkage of all pairs: a reference for small draws | vectors as given, or centred | similarity | – (similarity 0.5) |

Where a family says nothing of centring, both ways are there.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from jobs import Tool, answer
from timed import limit


def _both(families: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each family with the vectors as given, and centred."""
    centred = {f"{name} centred".strip(): {**options, "centred": True} for name, options in families.items()}
    return {**{name or "as given": options for name, options in families.items()}, **centred}


def _kmeans(made: tuple[np.ndarray, int], _: dict[str, Any], k: float) -> np.ndarray:
    import faiss

    x, seed = made
    means = faiss.Kmeans(
        x.shape[1],
        min(round(k), len(x)),
        niter=50,
        spherical=True,
        seed=seed,
        max_points_per_centroid=10**9,  # its default takes 256 points a centroid and leaves out the rest
        min_points_per_centroid=1,
    )
    means.train(x)
    return np.asarray(means.index.search(x, 1)[1][:, 0])


def _graph(x: np.ndarray, options: dict[str, Any], seed: int, threads: int) -> tuple[Any, int]:
    import faiss
    import igraph

    index = faiss.IndexFlatIP(x.shape[1])
    index.add(x)
    similar, neighbours = index.search(x, options["neighbours"] + 1)
    one = np.repeat(np.arange(len(x)), options["neighbours"] + 1)
    two = neighbours.ravel()
    kept = one != two
    pairs = np.stack([np.minimum(one, two), np.maximum(one, two)])[:, kept]
    pairs, first = np.unique(pairs, axis=1, return_index=True)
    weights = np.maximum(similar.ravel()[kept][first], 1e-6)
    graph = igraph.Graph(n=len(x), edges=pairs.T.tolist(), edge_attrs={"weight": weights.tolist()})
    return graph, seed


def _leiden(made: tuple[Any, int], _: dict[str, Any], resolution: float) -> np.ndarray:
    import leidenalg

    graph, seed = made
    found = leidenalg.find_partition(
        graph,
        leidenalg.RBConfigurationVertexPartition,
        weights="weight",
        resolution_parameter=resolution,
        seed=seed,
    )
    return np.array(found.membership)


_DENSE = {
    f"{method}{', samples 1' if samples else ''}": {"method": method, "samples": samples}
    for method in ("eom", "leaf")
    for samples in (None, 1)
}
_SIZES = [30.0, 20.0, 15.0, 10.0, 7.0, 5.0, 4.0, 3.0, 2.0]


def _umap(x: np.ndarray, options: dict[str, Any], seed: int, threads: int) -> np.ndarray:
    import umap

    few = umap.UMAP(
        n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed, low_memory=False
    )
    return np.asarray(few.fit_transform(x))


def _hdbscan(x: np.ndarray, options: dict[str, Any], size: float) -> np.ndarray:
    from sklearn.cluster import HDBSCAN

    return HDBSCAN(
        min_cluster_size=int(size),
        min_samples=options["samples"],
        cluster_selection_method=options["method"],
        copy=True,
    ).fit_predict(x)


def _fast_hdbscan(x: np.ndarray, options: dict[str, Any], size: float) -> np.ndarray:
    from fast_hdbscan import HDBSCAN

    return HDBSCAN(
        min_cluster_size=int(size),
        min_samples=options["samples"],
        cluster_selection_method=options["method"],
        metric="cosine",
    ).fit_predict(x)


def _evoc(x: np.ndarray, options: dict[str, Any], seed: int, threads: int) -> list[np.ndarray]:
    from evoc import EVoC

    size = options["size"]
    made = EVoC(random_state=seed, base_min_cluster_size=size, min_samples=size)
    made.fit_predict(x)
    return sorted((np.asarray(layer) for layer in made.cluster_layers_), key=lambda layer: layer.max())


def _evoc_usual(x: np.ndarray, seed: int, threads: int) -> np.ndarray:
    from evoc import EVoC

    return np.asarray(EVoC(random_state=seed).fit_predict(x))


def _tree(x: np.ndarray, options: dict[str, Any], seed: int, threads: int) -> np.ndarray:
    from scipy.cluster.hierarchy import linkage  # what scikit-learn's AgglomerativeClustering calls

    return np.asarray(linkage(x, "average", metric="cosine"))


def _cut(tree: np.ndarray, _: dict[str, Any], similarity: float) -> np.ndarray:
    from scipy.cluster.hierarchy import fcluster

    return np.asarray(fcluster(tree, 1 - similarity, "distance")) - 1


def _layer(layers: list[np.ndarray], _: dict[str, Any], at: float) -> np.ndarray:
    return layers[int(at)]


TOOLS = {
    "kmeans": Tool(
        families=_both({"": {}}),
        fit=lambda x, _, seed, __: (x, seed),
        cut=_kmeans,
        grains=lambda _, wanted: [float(round(wanted * part)) for part in (1, 1.03, 1.1, 1.25, 1.5, 2)],
        usual=lambda x, seed, _: _kmeans((x, seed), {}, len(x) ** 0.5),
    ),
    "leiden": Tool(
        families=_both({f"{k} neighbours": {"neighbours": k} for k in (10, 15, 30)}),
        fit=_graph,
        cut=_leiden,
        fit_reads=("neighbours",),
        grains=lambda _, __: [1.1, 3, 6, 12, 20, 30, 45, 70, 100, 150],
        usual=lambda x, seed, threads: _leiden(_graph(x, {"neighbours": 15}, seed, threads), {}, 1.0),
    ),
    "umap-hdbscan": Tool(
        families=_both(_DENSE),
        fit=_umap,
        cut=_hdbscan,
        grains=lambda _, __: _SIZES,
        usual=lambda x, seed, threads: _hdbscan(_umap(x, {}, seed, threads), _DENSE["eom"], 10),
        between=False,
    ),
    "evoc": Tool(
        families=_both({f"size {size}": {"size": size} for size in (2, 3, 5)}),
        fit=_evoc,
        cut=_layer,
        fit_reads=("size",),
        grains=lambda layers, _: [float(at) for at in range(len(layers))],
        usual=_evoc_usual,
        between=False,
    ),
    "fast-hdbscan": Tool(
        families=_both(_DENSE),
        fit=lambda x, *_: x,
        cut=_fast_hdbscan,
        grains=lambda _, __: _SIZES,
        usual=lambda x, _, __: _fast_hdbscan(x, _DENSE["eom"], 10),
        between=False,
    ),
    "average": Tool(
        families=_both({"": {}}),
        fit=_tree,
        cut=_cut,
        grains=lambda _, __: [at / 50 for at in range(-10, 48)],
        usual=lambda x, seed, threads: _cut(_tree(x, {}, seed, threads), {}, 0.5),
    ),
}


def main() -> None:
    """Does the jobs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tool", choices=list(TOOLS))
    parser.add_argument("jobs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    limit(args.threads)
    warnings.filterwarnings(
        "ignore"
    )  # UMAP says that a seed costs it its threads, scikit-learn that defaults will change
    answer(TOOLS[args.tool], args.jobs, args.out)


if __name__ == "__main__":
    main()
