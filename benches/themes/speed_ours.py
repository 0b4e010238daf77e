"""klero on work of speed.py, one tool in a process of its own.

    python speed_ours.py TOOL INPUT OUT.npy [--threads 2] [--clusters 1000] [--iterations 5]

The input (vectors, or texts) is in memory when the clock starts.

| tool | what is timed |
|---|---|
| klero | `Themes()`: from vectors to labels, dendrogram, levels |
| kmeans-klero | `KMeans` from the first rows of the input |
| live-klero | `LiveThemes` with 1,000 themes of five: each vector added by itself, consolidations in the background; then all in one call |
| embedder | `OfflineEmbedder`: learnt from the texts, and their vectors |
| normalise | nothing but brought to unit length in NumPy: a rehearsal |
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
from timed import Figures, hand_over, limit, measure, stepped

EACH = 5  # vectors of each theme that are known before: fewer would be a weak signal


def _themes(x: np.ndarray, threads: int) -> np.ndarray:
    from klero.themes.themes import Themes

    return np.asarray(Themes(threads=threads).fit(x).labels_)


def _kmeans(x: np.ndarray, clusters: int, iterations: int, threads: int) -> np.ndarray:
    from klero.themes.kmeans import KMeans

    means = KMeans(clusters, init=x[:clusters], max_iter=iterations, threads=threads)
    return np.asarray(means.fit(x).cluster_centers_)


def live(x: np.ndarray, known: int) -> Figures:
    """Seconds of each vector after the first `known`, which are looked at together before; and of all in one call."""
    from klero.themes.live import LiveThemes

    def started() -> LiveThemes:
        model = LiveThemes(granularity="medium")
        model.add(vectors=x[:known])
        model.consolidate()
        return model

    seconds = []
    with started() as model:
        for row in x[known:]:
            start = time.perf_counter()
            model.add(vectors=row)
            seconds.append(time.perf_counter() - start)
        groups = len(set(model.labels().values()) - {None})
    with started() as batch:
        start = time.perf_counter()
        batch.add(vectors=x[known:])
        together = time.perf_counter() - start
    return {"each_s": seconds, "batch_s": together, "themes": groups}


def _embedded(texts: list[str], threads: int) -> np.ndarray:
    from klero.themes.embedders import OfflineEmbedder

    return np.asarray(OfflineEmbedder(threads=threads).fit(texts).embed(texts))


def main() -> None:
    """Runs one tool."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tool", choices=["klero", "kmeans-klero", "live-klero", "embedder", "normalise"])
    parser.add_argument("input", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--iterations", type=int, default=5)
    args = parser.parse_args()
    limit(args.threads)
    found: Any
    if args.tool == "embedder":
        texts = args.input.read_text(encoding="utf-8").split("\n")
        found, figures = measure(lambda: _embedded(texts, args.threads))
        hand_over(args.out, figures, found)
        return
    x = np.load(args.input)
    if args.tool == "klero":
        _themes(x[:100].copy(), args.threads)  # imports before the clock starts
        found, figures = measure(lambda: _themes(x, args.threads))
    elif args.tool == "kmeans-klero":
        found, figures = stepped(
            lambda steps: _kmeans(x, args.clusters, steps, args.threads), args.iterations
        )
    elif args.tool == "live-klero":
        found, figures = np.empty(0), live(x, EACH * args.clusters)
    else:
        found, figures = measure(lambda: np.where((x**2).sum(1) > 0, 0, -1))
    hand_over(args.out, figures, found)


if __name__ == "__main__":
    main()
