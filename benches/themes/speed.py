"""How long do themes take, in how much memory, beside what a Python user can install?

    python benches/themes/speed.py --cache DIR [--env DIR] [--rows 50k live …] [--tools klero evoc …] [--runs 3] [--scale 1]

Each tool runs in a process of its own, one after the other, the whole round as often as asked, so that a disturbance meets all of them; two
threads, two processors. The peers' environment is that of quality.py (peers.txt). Vectors are made by mixture.py into the cache, once. A tool
that takes longer than --timeout is told as such. `--scale 0.01` is a rehearsal with a hundredth of the rows.

| row | input | question |
|---|---|---|
| 50k, 1M | 50,000 and 1,000,000 × 384, `texts` | vectors to groups |
| 50k-flat, 1M-flat | the same, `flat` | with no direction in which the vectors vary more |
| kmeans | 1,000,000 × 384 `flat`, 1,000 centres, the same first centres | one iteration; mean squared distance after six |
| live | 1,000 themes of five vectors and 2,000 more vectors | one vector at a time; all at once |
| embed | CLINC150, Polis and République numérique, some 40,000 texts | texts a second, learning included |

Columns: seconds of wall (median, least–most), processor seconds, memory beyond the input; ARI with the topics of the mixture and the number of
groups of two or more as agreement (each tool as it comes: numbers of groups differ).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import mixture
import numpy as np
import scores
import sets
from jobs import number

HERE = Path(__file__).parent
OURS = ("klero", "kmeans-klero", "live-klero", "embedder", "normalise")
ROWS = {
    "50k": (50_000, "texts", ("klero", "evoc", "fast-hdbscan", "umap-hdbscan", "leiden", "knn-faiss")),
    "50k-flat": (50_000, "flat", ("klero", "evoc", "fast-hdbscan", "leiden")),
    "1M": (1_000_000, "texts", ("klero", "evoc", "fast-hdbscan")),
    "1M-flat": (1_000_000, "flat", ("klero",)),
    "kmeans": (1_000_000, "flat", ("kmeans-klero", "kmeans-faiss", "kmeans-sklearn")),
    "live": (2_000, "flat", ("live-klero", "dbstream")),
    "embed": (0, "", ("embedder", "tfidf")),
}


def one(tool: str, given: Path, args: argparse.Namespace) -> tuple[dict[str, Any], np.ndarray] | None:
    """Figures and what was found; None after the time-out."""
    ours = tool in OURS
    if not ours and args.env is None:
        raise SystemExit(f"{tool} needs --env: the peers' environment")
    python = sys.executable if ours else str(args.env / "bin" / "python")
    out = args.cache / f"speed-{tool}.npy"
    script = HERE / ("speed_ours.py" if ours else "speed_peers.py")
    command = [python, str(script), tool, str(given), str(out), "--threads", str(args.threads)]
    command += ["--clusters", str(args.clusters), "--iterations", str(args.iterations)]
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False, timeout=args.timeout)
    except subprocess.TimeoutExpired:
        return None
    if process.returncode:
        raise SystemExit(f"{tool} failed:\n{process.stderr[-3000:]}")
    found = np.load(out)
    out.unlink()
    return json.loads(process.stdout.splitlines()[-1]), found


def rounds(
    tools: list[str], given: Path, args: argparse.Namespace
) -> dict[str, tuple[list[dict[str, Any]], np.ndarray | None]]:
    """Figures of all runs and what the last one found, for each tool."""
    figures: dict[str, list[dict[str, Any]]] = {tool: [] for tool in tools}
    last: dict[str, np.ndarray | None] = dict.fromkeys(tools)
    late: set[str] = set()
    for _ in range(args.runs):
        for tool in tools:
            if tool in late:
                continue
            result = one(tool, given, args)
            if result is None:
                late.add(tool)
                continue
            figures[tool].append(result[0])
            last[tool] = result[1]
    return {tool: (figures[tool], last[tool]) for tool in tools}


def _spread(values: list[float], form: str = ",.2f") -> str:
    median, least, most = statistics.median(values), min(values), max(values)
    text = format(median, form)
    return text if len(values) == 1 else f"{text} ({least:{form}}–{most:{form}})"


def _cost(runs: list[dict[str, Any]]) -> str:
    """Cells of time and memory."""
    seconds = _spread([run["seconds"] for run in runs])
    processor = _spread([run["processor_s"] for run in runs])
    return f"{seconds} | {processor} | {statistics.median(run['bytes'] for run in runs) / 1e6:,.0f}"


def grouping(name: str, args: argparse.Namespace) -> None:
    """Vectors to groups."""
    rows, kind, tools = ROWS[name]
    rows = max(200, round(rows * args.scale))
    given, file = mixture.make(args.cache, rows, kind)
    topics = np.load(file)
    print(
        f"\n**{name}**: {rows:,} × {mixture.WIDTH} ({kind}), {len(np.unique(topics)):,} topics, {args.runs} run(s)\n\n"
        "| tool | wall s | processor s | MB beyond the vectors | groups | ARI |\n|---|---|---|---|---|---|"
    )
    for tool, (runs, found) in rounds(args.tools or list(tools), given, args).items():
        if found is None:
            print(f"| {tool} | more than {args.timeout:,.0f} | | | | |", flush=True)
            continue
        agrees = "– | –"
        if (found >= 0).any():
            agrees = f"{number(found):,} | {scores.ari(topics, found):.3f}"
        print(f"| {tool} | {_cost(runs)} | {agrees} |", flush=True)


def distance(x: np.ndarray, centres: np.ndarray) -> float:
    """Mean squared distance of the rows to the nearest centre."""
    squares = (centres.astype(np.float64) ** 2).sum(1)
    total = 0.0
    for first in range(0, len(x), 20_000):
        block = x[first : first + 20_000]
        nearest = (squares - 2.0 * (block @ centres.T)).min(1)
        total += float((nearest + (block.astype(np.float64) ** 2).sum(1)).sum())
    return total / len(x)


def kmeans(name: str, args: argparse.Namespace) -> None:
    """One iteration, and the objective."""
    rows, kind, tools = ROWS[name]
    rows = max(10 * args.clusters, round(rows * args.scale))
    given, _ = mixture.make(args.cache, rows, kind)
    x = np.load(given, mmap_mode="r")
    print(
        f"\n**{name}**: {rows:,} × {mixture.WIDTH} ({kind}), {args.clusters} centres, {args.runs} run(s)\n\n"
        "| tool | wall s an iteration | processor s | MB beyond the vectors | mean squared distance | of the first tool's |\n|---|---|---|---|---|---|"
    )
    first = None
    for tool, (runs, found) in rounds(args.tools or list(tools), given, args).items():
        if found is None:
            print(f"| {tool} | more than {args.timeout:,.0f} | | | | |", flush=True)
            continue
        objective = distance(x, np.asarray(found, np.float32))
        first = first or objective
        print(f"| {tool} | {_cost(runs)} | {objective:.6f} | {objective / first:.5f} |", flush=True)


def live(name: str, args: argparse.Namespace) -> None:
    """One vector at a time."""
    more, _, tools = ROWS[name]
    more = max(50, round(more * args.scale))
    given = args.cache / f"live-{more}-{args.clusters}.npy"
    if not given.exists():
        random = np.random.default_rng(1)
        centres = random.normal(size=(args.clusters, mixture.WIDTH))
        of = np.concatenate([np.tile(np.arange(args.clusters), 5), random.integers(args.clusters, size=more)])
        points = centres[of] + 0.5 * random.normal(size=(len(of), mixture.WIDTH))
        np.save(given, (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32))
    print(
        f"\n**{name}**: {args.clusters:,} themes of five, then {more:,} vectors of {mixture.WIDTH}, {args.runs} run(s)\n\n"
        "| tool | µs a vector, median | 99th percentile | vectors a second, one by one | in one call | themes at the end |\n|---|---|---|---|---|---|"
    )
    for tool, (runs, found) in rounds(args.tools or list(tools), given, args).items():
        if found is None:
            print(f"| {tool} | more than {args.timeout:,.0f} s | | | | |", flush=True)
            continue
        each = [np.array(run["each_s"]) for run in runs]
        half = _spread([float(np.median(one)) * 1e6 for one in each], ",.1f")
        late = _spread([float(np.quantile(one, 0.99)) * 1e6 for one in each], ",.1f")
        rate = _spread([len(one) / one.sum() for one in each], ",.0f")
        batch = "–"
        if "batch_s" in runs[0]:
            batch = _spread([more / run["batch_s"] for run in runs], ",.0f")
        print(f"| {tool} | {half} | {late} | {rate} | {batch} | {runs[-1]['themes']:,} |", flush=True)


def embed(name: str, args: argparse.Namespace) -> None:
    """Texts to vectors."""
    given = args.cache / "texts.txt"
    if not given.exists():
        clinc = (sets.data_folder() / "themes/clinc150_oos/texts.txt").read_text(encoding="utf-8")
        texts = clinc.splitlines() + sets.texts("polis") + sets.texts("repnum")
        given.write_text("\n".join(" ".join(text.split()) for text in texts), encoding="utf-8")
    count = given.read_text(encoding="utf-8").count("\n") + 1
    print(
        f"\n**{name}**: {count:,} texts, {given.stat().st_size / 1e6:.1f} MB, {args.runs} run(s)\n\n"
        "| tool | texts a second | wall s | processor s | MB beyond the texts |\n|---|---|---|---|---|"
    )
    for tool, (runs, found) in rounds(args.tools or list(ROWS[name][2]), given, args).items():
        if found is None:
            print(f"| {tool} | | more than {args.timeout:,.0f} | | |", flush=True)
            continue
        rate = _spread([count / run["seconds"] for run in runs], ",.0f")
        print(f"| {tool} | {rate} | {_cost(runs)} |", flush=True)


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True, help="folder for vectors: 1.5 GB a million rows")
    parser.add_argument("--env", type=Path, help="the peers' environment")
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=["50k"])
    parser.add_argument("--tools", nargs="+", help="instead of the row's own")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--iterations", type=int, default=5)
    parser.add_argument("--timeout", type=float, default=1800)
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    of_row = {"kmeans": kmeans, "live": live, "embed": embed}
    for name in args.rows:
        of_row.get(name, grouping)(name, args)


if __name__ == "__main__":
    main()
