"""How fast, in how much memory, and how right is klero at near-duplicates, beside what a Python user can install?

    python benches/neardup/run.py --cache DIR [--envs DIR] [--rows 200k 200k-2 ...] [--tools klero rensa-rows ...] [--runs 3] [--scale 1]

Makes the corpora (corpus.py) and counts their truth (truth.py) in the cache folder, once; then runs each tool in a process of its own, one after the
other, the whole round as often as asked, so that a disturbance meets all of them. Peers live in environments of their own: DIR/rensa,
DIR/datasketch, DIR/gaoya, DIR/daft, each made with `python -m venv` and `pip install NAME numpy pyarrow` (rensa==0.5.0 datasketch==2.0.0 gaoya
daft). What each tool does, and whether it verifies, is in peers.py.

| row | texts | question |
|---|---|---|
| 200k | 200,000, 30 % in families; 1 thread, threshold 0.8 | against every peer, and the floor |
| 200k-2 | the same, 2 threads | |
| 1M | 1,000,000 | speed and memory of larger corpora |
| campaigns, apart | five campaigns of 10,000 among 150,000; as many independent texts as long | does a campaign slow it? |
| low | 200,000, threshold 0.5 | |
| stream | 10,000,000 from a file, sketch mode, a budget of 2 GB | |

Columns: texts a second (median, least–most); how many times as long as the row's first tool it takes; **pair
recall**: matching pairs whose texts are in one group; **pair precision**: pairs of texts in one group that the truth has in one group; **groups**:
«same» if the partition is exactly the truth's, else the share of true groups that are there exactly; memory beyond the texts, bytes a text.
For tools that only flag texts, recall and precision are those of the flags. Rows in `--scale 0.01` have a hundredth of the texts: a rehearsal.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import truth
from corpus import make

HERE = Path(__file__).parent
PEERS = (
    "rensa-rho",
    "rensa-rows",
    "rensa-query",
    "datasketch-20x6",
    "datasketch-optimal",
    "gaoya-20x6",
    "gaoya-sure",
    "daft-20x6",
)


@dataclass(frozen=True)
class Row:
    """One line of questions: a corpus, and how it is searched."""

    kind: str
    texts: int
    threads: int
    threshold: float
    tools: tuple[str, ...]


ROWS = {
    "200k": Row("families", 200_000, 1, 0.8, ("klero", "floor", *PEERS)),
    "200k-2": Row("families", 200_000, 2, 0.8, ("klero", "rensa-rows", "gaoya-20x6", "daft-20x6")),
    "1M": Row("families", 1_000_000, 1, 0.8, ("klero", "floor")),
    "campaigns": Row("campaigns", 200_000, 1, 0.8, ("klero",)),
    "apart": Row("apart", 200_000, 1, 0.8, ("klero",)),
    "low": Row("families", 200_000, 1, 0.5, ("klero",)),
    "stream": Row("stream", 10_000_000, 2, 0.8, ("stream",)),
}


@dataclass(frozen=True)
class Truth:
    labels: np.ndarray
    pairs: np.ndarray
    rows: np.ndarray | None = None  # of a sample: the ids that labels and pairs speak of


def _pairs_of(sizes: np.ndarray) -> int:
    sizes = sizes.astype(np.int64)
    return int((sizes * (sizes - 1) // 2).sum())


def _canonical(labels: np.ndarray) -> np.ndarray:
    """The smallest row of each group, -1 for rows that are alone."""
    inside = np.flatnonzero(labels >= 0)
    _, first, back, counts = np.unique(
        labels[inside], return_index=True, return_inverse=True, return_counts=True
    )
    out = np.full(len(labels), -1, np.int64)
    out[inside] = np.where(counts[back] > 1, inside[first][back], -1)
    return out


def agreement(kind: str, found: np.ndarray, known: Truth) -> dict[str, float | str]:
    """Recall and precision of pairs (of flags, for tools that only flag), and how many groups are exactly right."""
    labels = known.labels
    if kind in ("flags", "later"):
        real = labels >= 0
        if kind == "later":
            real &= labels != np.arange(len(labels))
        both = int((found & real).sum())
        return {
            "recall": both / max(real.sum(), 1),
            "precision": both / max(found.sum(), 1),
            "groups": "flags only",
        }
    found = _canonical(found)
    real = _canonical(labels)
    inside = (found >= 0) & (real >= 0)
    cells = np.unique(np.stack([found[inside], real[inside]]), axis=1, return_counts=True)
    shared = _pairs_of(cells[1])
    grouped = _pairs_of(np.unique(found[found >= 0], return_counts=True)[1])
    truly = _pairs_of(np.unique(real[real >= 0], return_counts=True)[1])
    if len(known.pairs):
        i, j = known.pairs.T
        recall = float(((found[i] == found[j]) & (found[i] >= 0)).mean())
    else:
        recall = shared / truly if truly else 1.0
    # A true group is there exactly where one cell holds all of it and all of what was found.
    of_found = dict(zip(*np.unique(found, return_counts=True), strict=True))
    of_real = dict(zip(*np.unique(real[real >= 0], return_counts=True), strict=True))
    whole = sum(
        of_found[f] == count == of_real[r] for (f, r), count in zip(cells[0].T, cells[1], strict=True)
    )
    same = np.array_equal(found, real)
    share = f"{whole / max(len(of_real), 1):.4f}"
    return {
        "recall": recall,
        "precision": shared / grouped if grouped else 1.0,
        "groups": "same" if same else share,
    }


def truth_of(row: Row, home: Path) -> Truth:
    if row.kind != "stream":
        return Truth(*truth.known(home, row.threshold))
    read = pq.read_table(home / "sample.parquet")
    of = truth.sets(read["text"].to_pylist())
    pairs = truth.sampled(of, read["family"].to_numpy(), row.threshold)
    return Truth(truth.labels(len(of), pairs.tolist()), pairs, read["id"].to_numpy())


def command(tool: str, row: Row, corpus: Path, out: Path, args: argparse.Namespace) -> list[str]:
    common = [str(corpus), str(row.threads), str(out), "--threshold", str(row.threshold)]
    peer = tool.removeprefix("raw-").partition("-")[0]
    if peer in ("klero", "stream", "floor", "oracle"):
        more = ["--memory", args.memory, "--recall", str(args.recall)]
        return [sys.executable, str(HERE / "ours.py"), tool, *common, *more]
    if args.envs is None:
        raise SystemExit(f"{tool} needs --envs: the folder with the peers' environments")
    return [str(args.envs / peer / "bin" / "python"), str(HERE / "peers.py"), tool, *common]


def one(tool: str, row: Row, corpus: Path, args: argparse.Namespace) -> tuple[dict, np.ndarray]:
    out = args.cache / f"found-{tool}.npy"
    process = subprocess.run(
        command(tool, row, corpus, out, args),
        capture_output=True,
        text=True,
        check=False,
        timeout=args.timeout,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    if process.returncode:
        raise SystemExit(f"{tool} failed:\n{process.stderr[-2000:]}")
    found = np.load(out)
    out.unlink()
    return json.loads(process.stdout.splitlines()[-1]), found


def measured_row(name: str, args: argparse.Namespace) -> None:
    """One table."""
    row = ROWS[name]
    texts = max(100, round(row.texts * args.scale))
    home = make(row.kind, texts, args.cache)
    known = truth_of(row, home)
    if args.prepare:
        print(f"{name}: {home}")
        return
    tools = args.tools or row.tools
    runs: dict[str, list[dict]] = {tool: [] for tool in tools}
    agrees: dict[str, dict] = {}
    for _ in range(args.runs):
        for tool in tools:
            figures, found = one(tool, row, home / "part-000.parquet", args)
            runs[tool].append(figures)
            if figures["kind"] == "nothing":
                continue
            if known.rows is not None:
                if figures["kind"] == "groups":  # by row, and rows of a stream are in another order than ids
                    found = found[np.argsort(pq.read_table(home / "part-000.parquet", columns=["id"])["id"])]
                found = found[known.rows]
            agree = agreement(figures["kind"], found, known)
            if agrees.setdefault(tool, agree) != agree:
                print(f"{tool} found something else this time: {agree}, before {agrees[tool]}")
    groups = len(np.unique(known.labels[known.labels >= 0]))
    print(
        f"\n**{name}**: {texts} texts ({row.kind}), threshold {row.threshold}, {row.threads} thread(s), {args.runs} run(s); ",
        end="",
    )
    print(f"truth: {len(known.pairs)} pairs listed, {groups} groups, {(known.labels >= 0).sum()} texts\n")
    print(
        "| tool | texts/s (median) | range | times as long | pair recall | pair precision | groups | bytes a text |"
    )
    print("|---|---|---|---|---|---|---|---|")
    first = statistics.median(figures["seconds"] for figures in runs[tools[0]])
    for tool, figures in runs.items():
        seconds = sorted(figure["seconds"] for figure in figures)
        median = statistics.median(seconds)
        bytes_ = statistics.median(figure["bytes"] for figure in figures) / texts
        agree = agrees.get(tool)
        right = f"{agree['recall']:.4f} | {agree['precision']:.4f} | {agree['groups']}" if agree else "| |"
        print(
            f"| {tool} | {texts / median:,.0f} | {texts / seconds[-1]:,.0f}–{texts / seconds[0]:,.0f} "
            f"| {median / first:.2f} | {right} | {bytes_:.0f} |",
            flush=True,
        )


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=Path, required=True, help="folder for corpora and truths")
    parser.add_argument("--envs", type=Path, help="folder with the peers' environments")
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=["200k"])
    parser.add_argument(
        "--tools", nargs="+", help="instead of the row's own; also oracle, klero-sketch, rensa-dedup, raw-…"
    )
    parser.add_argument("--prepare", action="store_true", help="make corpora and truths, run nothing")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--memory", default="2GB")
    parser.add_argument("--recall", type=float, default=0.99)
    parser.add_argument("--timeout", type=float, default=3600)
    args = parser.parse_args()
    args.cache.mkdir(parents=True, exist_ok=True)
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    for name in args.rows:
        measured_row(name, args)


if __name__ == "__main__":
    main()
