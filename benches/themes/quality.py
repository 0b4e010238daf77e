"""Does klero find the themes of the few, lose nobody, and find the same in any order; and what can a Python user install?

    python benches/themes/quality.py --cache DIR [--env DIR] [--rows clinc full …] [--tools klero kmeans …] [--seeds 5]

Runs each tool in a process of its own, one after the other, two threads. The peers live in an environment of their own, DIR of --env, made with
`python -m venv DIR` and `DIR/bin/pip install -r benches/themes/peers.txt`. What a peer found is kept in the cache (--again asks it again); klero
is always run. Sets and draws are in sets.py, tools and their families in peers.py and ours.py, measures in scores.py. `made` is a rehearsal.

| row | what | question |
|---|---|---|
| tune | a draw of clinc and one of wikit, both exponent 0.6, seed 0 | which family of each tool is best at C, at 2C groups? Kept in chosen.json |
| clinc | clinc, exponent 0.6, seeds 11 …: about 2,500 points, 88 rare classes of 150 | agreement at like numbers of groups, C and 2C |
| steep | clinc, exponent 1: about 980 points, 117 rare classes of 3 or 4 points | the same at C |
| wikit, sib | exponent 0.6, seeds 11 … | the same, French (no class is rare: too few points) |
| usual | the draws of row clinc | each tool as it comes |
| full | all of clinc and its texts out of scope | which points are left alone or in groups of less than five? |
| order | the first draw of clinc, its rows shuffled, same seed; and with one thread | the same groups? (ARI with those of the unshuffled) |
| texts | polis and repnum, without labels, vectors of klero's offline embedder | order, sums, and the same after leaving out a tenth of the texts? |

Families are chosen in row tune, on draws that no other row has, by the mean of ARI (both draws) and rare recall (clinc), among those that come
within a quarter of the wanted number of groups on clinc; the grain in every row by the number of groups of two points or more (jobs.py),
never by labels. Means over the seeds, least and most in brackets.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scores
import sets
from jobs import number

HERE = Path(__file__).parent
OURS = ("klero", "klero-once", "oracle")
PEERS = ("average", "kmeans", "leiden", "umap-hdbscan", "evoc", "fast-hdbscan")
ROWS = ("tune", "clinc", "steep", "wikit", "sib", "usual", "full", "order", "texts", "made")
FIRST = 11  # the first seed of the draws: others were looked at while klero was made
NEAR = 0.25  # a family that misses the wanted number of groups by more can't be compared at like numbers
DRAWS = {"clinc": ("clinc", 0.6), "steep": ("clinc", 1.0), "wikit": ("wikit", 0.6), "sib": ("sib", 0.6)}


@dataclass(frozen=True)
class Draw:
    """Points that a tool gets, and their classes."""

    vectors: Path
    rows: Path | None
    classes: np.ndarray

    def job(self, ask: list[list[Any]], seed: int, *, shuffle: int | None = None, threads: int = 2) -> dict:
        return {
            "vectors": str(self.vectors),
            "rows": self.rows and str(self.rows),
            "shuffle": shuffle,
            "seed": seed,
            "threads": threads,
            "ask": ask,
        }


class Bench:
    """The cache, the tools, and what they were asked."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self.cache: Path = args.cache
        self.cache.mkdir(parents=True, exist_ok=True)
        self.tools: list[str] = args.tools or ["klero", "klero-once", *(PEERS if args.env else ())]

    def whole(self, name: str) -> Draw:
        """All points of a set."""
        known = sets.labelled(name)
        file = self.cache / f"{name}.npy"
        if not file.exists():
            np.save(file, known.vectors)
        return Draw(file, None, known.classes)

    def draw(self, name: str, exponent: float, seed: int) -> Draw:
        whole = self.whole(name)
        rows = sets.zipf(whole.classes, seed, exponent=exponent)
        file = self.cache / f"{name}-{exponent}-{seed}.npy"
        np.save(file, rows)
        return Draw(whole.vectors, file, whole.classes[rows])

    def families(self, tool: str) -> list[str]:
        """All ways to set it up; nothing heavy is imported for that."""
        module = __import__("ours" if tool in OURS else "peers")
        return list(module.TOOLS[tool].families)

    def chosen(self, tool: str, times: int = 2) -> str:
        """The family that row tune chose for so many times as many groups as classes."""
        file = self.cache / "chosen.json"
        known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        families = self.families(tool)
        if len(families) == 1:
            return families[0]
        if tool not in known:
            print(f"{tool}: row tune was not run, so «{families[0]}» is taken", file=sys.stderr)
        return str(known.get(tool, {}).get(str(times), families[0]))

    def ask(self, tool: str, jobs: list[dict], threads: int = 2) -> list[tuple[dict, np.ndarray]]:
        """(what was told, groups) for each question of each job."""
        text = json.dumps(jobs)
        mark = hashlib.sha256(f"{tool} {threads} {text}".encode()).hexdigest()[:16]
        out = self.cache / f"found-{tool}-{mark}.npz"
        if tool in OURS or self.args.again or not out.exists():
            ours = tool in OURS
            if not ours and self.args.env is None:
                raise SystemExit(f"{tool} needs --env: the peers' environment")
            python = sys.executable if ours else str(self.args.env / "bin" / "python")
            asked = self.cache / f"jobs-{tool}-{mark}.json"
            asked.write_text(text, encoding="utf-8")
            process = subprocess.run(
                [
                    python,
                    str(HERE / ("ours.py" if ours else "peers.py")),
                    tool,
                    str(asked),
                    str(out),
                    "--threads",
                    str(threads),
                ],
                capture_output=True,
                text=True,
                check=False,
                timeout=self.args.timeout,
                env={**os.environ, "PYTHONHASHSEED": "0"},
            )
            if process.returncode:
                raise SystemExit(f"{tool} failed:\n{process.stderr[-3000:]}")
        with np.load(out) as found:
            told = json.loads(str(found["told"]))
            return [(one, found[f"{one['job']}.{one['question']}"]) for one in told]


def _spread(values: Iterable[float], digits: int = 2) -> str:
    """Mean (least–most) of what is a number."""
    known = [value for value in values if value == value]
    if not known:
        return "–"
    mean, least, most = (f"{value:.{digits}f}" for value in (sum(known) / len(known), min(known), max(known)))
    return mean if least == most else f"{mean} ({least}–{most})"


def _pair(figures: list[dict[str, float]], name: str) -> str:
    """«rare / common», means."""
    parts = []
    for side in ("rare", "common"):
        known = [one[f"{name}_{side}"] for one in figures if one[f"{name}_{side}"] == one[f"{name}_{side}"]]
        parts.append(f"{sum(known) / len(known):.2f}" if known else "–")
    return " / ".join(parts)


HEAD = (
    "| tool | groups | ARI | rare recall | F1 rare / common | thrown out, rare / common | alone, rare / common "
    "| excluded, rare / common | disparity |\n|---|---|---|---|---|---|---|---|---|"
)


def _line(label: str, figures: list[dict[str, float]]) -> str:
    def spread(name: str) -> str:
        return _spread(one[name] for one in figures)

    groups = _spread((one["groups"] for one in figures), 0)
    return (
        f"| {label} | {groups} | {spread('ari')} | {spread('rare_recall')} | {_pair(figures, 'f1')} | {_pair(figures, 'out')} "
        f"| {_pair(figures, 'alone')} | {_pair(figures, 'excluded')} | {spread('excluded_disparity')} |"
    )


def tune(bench: Bench) -> None:
    """Chooses a family for each tool, for C groups and for 2C."""
    draws = [bench.draw("clinc", 0.6, 0), bench.draw("wikit", 0.6, 0)]
    classes = [len(np.unique(draw.classes)) for draw in draws]
    file = bench.cache / "chosen.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    print(
        "\n**tune**\n\n| tool | family | C groups: reached, mean | 2C groups: reached, mean |\n|---|---|---|---|"
    )
    for tool in bench.tools:
        families = bench.families(tool)
        asked = [(family, times) for family in families for times in (1, 2)]
        jobs = [
            draw.job([["near", family, times * count] for family, times in asked], 0)
            for draw, count in zip(draws, classes, strict=True)
        ]
        reached: dict[tuple[str, int], float] = {}
        figures: dict[tuple[str, int], list[float]] = {}
        for told, groups in bench.ask(tool, jobs):
            family, times = asked[told["question"]]
            one = scores.scored(draws[told["job"]].classes, groups)
            figures.setdefault((family, times), []).extend(
                one[name] for name in ("ari", "rare_recall") if one[name] == one[name]
            )
            if told["job"] == 0:
                reached[family, times] = one["groups"] / (times * classes[0])
        mean = {key: sum(values) / len(values) for key, values in figures.items()}
        known[tool] = {str(times): _best(families, times, reached, mean) for times in (1, 2)}
        for family in families:
            both = [
                f"{reached[family, times]:.2f}, {mean[family, times]:.3f}{' (chosen)' if known[tool][str(times)] == family else ''}"
                for times in (1, 2)
            ]
            print(f"| {tool} | {family} | {both[0]} | {both[1]} |", flush=True)
    file.write_text(json.dumps(known, indent=1), encoding="utf-8")


def _best(
    families: list[str],
    times: int,
    reached: dict[tuple[str, int], float],
    mean: dict[tuple[str, int], float],
) -> str:
    """The best family of those that come near the number; if none does, the one that comes nearest."""
    near = [family for family in families if abs(reached[family, times] - 1) <= NEAR]
    if near:
        return max(near, key=lambda family: mean[family, times])
    return min(families, key=lambda family: abs(reached[family, times] - 1))


def agreement(bench: Bench, row: str) -> None:
    """Tables of one kind of draws, at C and at 2C groups."""
    name, exponent = DRAWS.get(row, ("made", 1.0))
    draws = [bench.draw(name, exponent, seed) for seed in range(FIRST, FIRST + bench.args.seeds)]
    classes = len(np.unique(draws[0].classes))
    wanted = [classes] if row == "steep" else [classes, 2 * classes]
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for tool in bench.tools:
        ask = [["near", bench.chosen(tool, times), count] for times, count in enumerate(wanted, 1)]
        jobs = [draw.job(ask, seed) for seed, draw in enumerate(draws, FIRST)]
        for told, groups in bench.ask(tool, jobs):
            key = (tool, wanted[told["question"]])
            found.setdefault(key, []).append(scores.scored(draws[told["job"]].classes, groups))
    points = _spread((len(draw.classes) for draw in draws), 0)
    for times, count in enumerate(wanted, 1):
        print(
            f"\n**{row}**: {points} points, {classes} classes, {len(draws)} draws; about {count} groups asked for\n\n{HEAD}"
        )
        for tool in bench.tools:
            print(_line(f"{tool}, {bench.chosen(tool, times)}".strip(", "), found[tool, count]), flush=True)


def usual(bench: Bench) -> None:
    """Each tool as it comes."""
    draws = [bench.draw("clinc", 0.6, seed) for seed in range(FIRST, FIRST + bench.args.seeds)]
    print(f"\n**usual**: the draws of row clinc, each tool as it comes\n\n{HEAD}")
    for tool in bench.tools:
        jobs = [draw.job([["usual"]], seed) for seed, draw in enumerate(draws, FIRST)]
        found = [scores.scored(draws[told["job"]].classes, groups) for told, groups in bench.ask(tool, jobs)]
        print(_line(tool, found), flush=True)


def full(bench: Bench) -> None:
    """All of clinc with its texts out of scope."""
    whole = bench.whole("made" if bench.args.rehearse else "clinc")
    inside = whole.classes >= 0
    classes = len(np.unique(whole.classes[inside]))
    print(
        f"\n**full**: {inside.sum():,} points in {classes} classes, {(~inside).sum():,} out of scope\n\n"
        "| tool | groups | ARI in scope | F1 in scope | thrown out, in scope | small or out: out of scope | small or out: in scope |\n"
        "|---|---|---|---|---|---|---|"
    )
    for tool in bench.tools:
        ask = [["near", bench.chosen(tool, min(times, 2)), times * classes] for times in (1, 2, 4)]
        ask.append(["usual"])
        for told, groups in bench.ask(tool, [whole.job(ask, 1)]):
            within = scores.scored(whole.classes[inside], groups[inside])
            beyond = scores.out_of_scope(whole.classes, groups)
            label = f"{tool}, {told['family'] or 'as it comes' if told['grain'] is None else told['family']}"
            print(
                f"| {label.strip(', ')} | {number(groups)} | {within['ari']:.3f} | {within['f1_common']:.2f} | {within['out_common']:.3f} "
                f"| {beyond['small_outside']:.3f} | {beyond['small_inside']:.3f} |",
                flush=True,
            )


def order(bench: Bench) -> None:
    """The same groups for shuffled rows, and for one thread?"""
    draw = bench.draw(*(("made", 1.0) if bench.args.rehearse else ("clinc", 0.6)), FIRST)
    wanted = 2 * len(np.unique(draw.classes))
    print(
        f"\n**order**: {len(draw.classes):,} points, about {wanted} groups, same seed and grain; ARI with the groups of the first order\n\n"
        "| tool | asked again | rows shuffled (three times) | one thread |\n|---|---|---|---|"
    )
    for tool in bench.tools:
        ((told, first),) = bench.ask(tool, [draw.job([["near", bench.chosen(tool), wanted]], 1)])
        ask = [["grain", told["family"], told["grain"]]]
        jobs = [draw.job(ask, 1, shuffle=shuffle) for shuffle in (None, 1, 2, 3)]
        again, *shuffled = [scores.ari(first, groups) for _, groups in bench.ask(tool, jobs)]
        ((_, single),) = bench.ask(tool, [draw.job(ask, 1, threads=1)], threads=1)
        print(
            f"| {tool} | {again:.3f} | {_spread(shuffled, 3)} | {scores.ari(first, single):.3f} |", flush=True
        )


def _embedded(bench: Bench, name: str) -> Draw:
    file = bench.cache / f"{name}.npy"
    if not file.exists():
        from klero.themes.embedders import OfflineEmbedder

        np.save(file, OfflineEmbedder().fit_transform(sets.texts(name)))
    return Draw(file, None, np.zeros(len(np.load(file, mmap_mode="r")), np.int64))


def unlabelled(bench: Bench) -> None:
    """Order, sums, and what leaving out a tenth does, on texts that nobody has coded."""
    print(
        "\n**texts**\n\n| set | tool | points | groups | thrown out | alone | rows shuffled, ARI | a tenth left out, ARI |\n|---|---|---|---|---|---|---|---|"
    )
    for name in ("polis", "repnum"):
        draw = _embedded(bench, name)
        count = len(draw.classes)
        kept = np.sort(np.random.default_rng(1).permutation(count)[: count - count // 10])
        part = bench.cache / f"{name}-kept.npy"
        np.save(part, kept)
        for tool in bench.tools:
            ask = [["near", bench.chosen(tool), round(count / 20)]]
            ((told, groups),) = bench.ask(tool, [draw.job(ask, 1)])
            again = [["grain", told["family"], told["grain"]]]
            jobs = [draw.job(again, 1, shuffle=1), Draw(draw.vectors, part, draw.classes[kept]).job(ask, 1)]
            (_, shuffled), (_, fewer) = bench.ask(tool, jobs)
            sizes = np.bincount(scores.alone_each(groups))
            print(
                f"| {name} | {tool} | {count:,} | {number(groups)} | {(groups < 0).mean():.3f} "
                f"| {(sizes == 1).sum() / count:.3f} | {scores.ari(groups, shuffled):.3f} | {scores.ari(groups[kept], fewer):.3f} |",
                flush=True,
            )


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--cache", type=Path, required=True, help="folder for vectors, draws and what was found"
    )
    parser.add_argument("--env", type=Path, help="the peers' environment")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=["clinc"])
    parser.add_argument("--tools", nargs="+", choices=[*OURS, *PEERS])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--again", action="store_true", help="ask the peers again")
    parser.add_argument("--rehearse", action="store_true", help="rows full and order on the made-up set")
    parser.add_argument("--timeout", type=float, default=3600)
    args = parser.parse_args()
    bench = Bench(args)
    print(f"{platform.platform()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    of_row = {"tune": tune, "usual": usual, "full": full, "order": order, "texts": unlabelled}
    for row in args.rows:
        if row in of_row:
            of_row[row](bench)
        else:
            agreement(bench, row)


if __name__ == "__main__":
    main()
