"""klero's themes on the jobs of jobs.py; and a slow, obvious average linkage in NumPy for tiny sets.

    python ours.py klero|klero-once|oracle JOBS.json OUT.npz [--threads 2]

klero's grain is the similarity at which the dendrogram is cut; one fit serves all cuts. As it comes: `Themes()`, its own level. It has one family:
nothing of it is chosen on the draws. `klero-once` is without the second look (`minority=False`).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from jobs import Tool, answer
from timed import limit


def _themes(x: np.ndarray, options: dict[str, Any], _: int, threads: int) -> Any:
    from klero.themes.themes import Themes

    return Themes(threads=threads, minority=options.get("minority", True)).fit(x)


def _cut(themes: Any, _: dict[str, Any], similarity: float) -> np.ndarray:
    return np.asarray(themes.cut(similarity=similarity).labels)


def _usual(x: np.ndarray, seed: int, threads: int) -> np.ndarray:
    return np.asarray(_themes(x, {}, seed, threads).labels_)


def _grains(themes: Any, wanted: int) -> list[float]:
    """Similarities of the merges, descending in number of groups: every 64th part of the tree."""
    similar = np.sort(themes.dendrogram_.similarity)
    return [float(value) for value in np.unique(similar[:: max(1, len(similar) // 64)])]


def linked(x: np.ndarray, similarity: float) -> np.ndarray:
    """Average linkage by its definition: merge the two groups whose points are most similar on average, as long as that is at least so much."""
    total = x.astype(np.float64) @ x.T  # over all pairs of points of two groups
    sizes = np.ones(len(x))
    groups = np.arange(len(x))
    alive = np.ones(len(x), bool)
    while alive.sum() > 1:
        mean = np.where(np.outer(alive, alive), total / np.outer(sizes, sizes), -np.inf)
        np.fill_diagonal(mean, -np.inf)
        one, two = sorted(np.unravel_index(mean.argmax(), mean.shape))
        if mean[one, two] < similarity:
            break
        total[one] += total[two]
        total[:, one] += total[:, two]
        sizes[one] += sizes[two]
        alive[two] = False
        groups[groups == two] = one
    return np.unique(groups, return_inverse=True)[1]


TOOLS = {
    "klero": Tool(
        families={"": {}},
        fit=_themes,
        cut=_cut,
        grains=_grains,
        usual=_usual,
    ),
    "klero-once": Tool(
        families={"": {"minority": False}},
        fit=_themes,
        cut=_cut,
        grains=_grains,
        usual=lambda x, seed, threads: np.asarray(_themes(x, {"minority": False}, seed, threads).labels_),
    ),
    "oracle": Tool(
        families={"as given": {}, "centred": {"centred": True}},
        fit=lambda x, *_: x,
        cut=lambda x, _, similarity: linked(x, similarity),
        grains=lambda _, __: [0.1, 0.3, 0.5, 0.7],
        usual=lambda x, *_: linked(x, 0.5),
        between=False,
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
    answer(TOOLS[args.tool], args.jobs, args.out)


if __name__ == "__main__":
    main()
