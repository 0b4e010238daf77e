"""How right are detectors of campaigns? Plants campaigns in real consultations, changes them innocently, asks the tools, and counts.

    python benches/campaigns/run.py --out DIR --rows targets organic controls --replicates 200 --tools klero near-0.8 near-2gram
    python benches/campaigns/run.py --out DIR --rows "mail-merge size=40 when=burst" --corpora madrid --replicates 20 --tools klero
    python benches/campaigns/run.py --out DIR --rows organic --tools klero --table        (only prints what is there)

KLERO_DATA says where the consultations are. Rows are in `rows.py`, tools in `tools.py`, environments of peers in `peers.py` (--envs), what is counted in
`metrics.py`. Each answer is a line of JSON in DIR/results.jsonl (row, corpus, tool, label, replicate, counts, what else the tool said), written as it
comes: a run that was stopped goes on where it was, and a run with more replicates adds to it. `--label` keeps answers of two versions of a tool
apart. Two processes at most, each tool in one thread.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import metrics
import rows
import tools
from metrics import Counts


class Job(NamedTuple):
    """One question to one tool."""

    row: str
    corpus: str
    tool: str
    label: str
    replicate: int


def answered(job: Job, settings: tools.Settings) -> dict[str, Any]:
    """The line of the results for it."""
    (row,) = rows.read(job.row)
    line: dict[str, Any] = job._asdict()
    try:
        corpus, truth = rows.consultation(row, job.corpus, job.replicate)
    except ValueError as error:
        return {**line, "impossible": str(error)}
    start = time.monotonic()
    try:
        answer = tools.tool(job.tool)(corpus, settings)
    except Exception as error:  # a tool's fault is a result too
        return {**line, "failed": f"{type(error).__name__}: {error}"[:500]}
    line["wall_s"] = round(time.monotonic() - start, 2)
    line["rows"] = len(corpus.rows)
    line["note"] = truth.note
    line["counts"] = asdict(metrics.counts(corpus, truth, answer.groups))
    line["accused"] = {
        name: metrics.accused_in(corpus, truth, answer.groups, which(corpus))
        for name, which in metrics.CLASSES.items()
    }
    line["campaigns"] = [
        {
            "kind": one.kind,
            "size": max(len(one.members), len(one.accounts)),
            "best": round(_best(one, answer.groups), 3),
        }
        for one in truth.campaigns
    ]
    extra = dict(answer.extra)
    if "n_eff" in extra:
        line["n_eff_errors"] = metrics.n_eff_errors(corpus, truth, extra["n_eff"])
    near = extra.pop("near", [])
    planted = {name for one in truth.campaigns for name in one.members}
    changed = set(truth.changed)
    line["near"] = [
        {key: value for key, value in group.items() if key != "members"}
        | {"planted": _share(group["members"], planted), "changed": _share(group["members"], changed)}
        for group in near
    ]
    line["extra"] = extra
    return line


def _best(one: Any, groups: Iterable[metrics.Found]) -> float:
    if one.members:
        return max((metrics.jaccard(frozenset(one.members), group.members) for group in groups), default=0.0)
    return max((metrics.jaccard(frozenset(one.accounts), group.voters) for group in groups), default=0.0)


def _share(members: list[str], of: set[str]) -> float:
    return round(len(of & set(members)) / len(members), 3) if members else 0.0


_settings = tools.Settings()


def _start(settings: tools.Settings) -> None:
    global _settings
    _settings = settings


def _work(job: Job) -> dict[str, Any]:
    return answered(job, _settings)


def _known(file: Path) -> dict[Job, dict[str, Any]]:
    if not file.is_file():
        return {}
    known = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            read = json.loads(line)
        except json.JSONDecodeError:  # the last line of a run that was stopped
            continue
        known[Job(*(read[name] for name in Job._fields))] = read
    return known


def _jobs(args: argparse.Namespace) -> list[Job]:
    """Ordered so that the first replicates of everything come first."""
    asked = [row for name in args.rows for row in rows.read(name)]
    return [
        Job(row.text, corpus, tool, args.label, replicate)
        for replicate in range(args.first, args.first + args.replicates)
        for row in asked
        for corpus in args.corpora or row.corpora
        for tool in args.tools
    ]


def run(args: argparse.Namespace) -> None:
    args.out.mkdir(parents=True, exist_ok=True)
    file = args.out / "results.jsonl"
    known = _known(file)
    jobs = [job for job in _jobs(args) if job not in known]
    print(f"{len(jobs)} to do, {len(known)} in {file}", file=sys.stderr)
    settings = tools.Settings(args.q, args.envs, args.out / "cache", 0)
    settings.cache.mkdir(exist_ok=True)
    end = time.monotonic() + args.minutes * 60 if args.minutes else math.inf
    with (
        file.open("a", encoding="utf-8") as out,
        multiprocessing.get_context("spawn").Pool(min(2, args.processes), _start, (settings,)) as pool,
    ):
        for at, line in enumerate(pool.imap_unordered(_work, jobs), 1):
            print(json.dumps(line, ensure_ascii=False), file=out, flush=True)
            if "failed" in line:
                print(f"{line['tool']} on {line['row']}, {line['corpus']}: {line['failed']}", file=sys.stderr)
            if at % 20 == 0:
                print(f"{at} of {len(jobs)}", file=sys.stderr)
            if time.monotonic() > end:
                print("out of time: the same command goes on", file=sys.stderr)
                break


# Tables

COLUMNS = ("campaign recall", "member recall", "member precision", "false discovery rate", "any false alarm")


def table(lines: Iterable[dict[str, Any]], wanted: set[tuple[str, str, str, str]] | None = None) -> str:
    """Markdown: rates over replicates with 95 % intervals; failed runs are told, never passed over."""
    of: dict[tuple[str, str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        key = (line["row"], line["corpus"], line["tool"], line["label"])
        if wanted is None or key in wanted:
            of[key].append(line)
    out = [
        f"| row | corpus | tool | runs | {' | '.join(COLUMNS)} | organic authors accused, mean (worst run) | n_eff error, whole / taken away |",
        "|---" * (6 + len(COLUMNS)) + "|",
    ]
    for (row, corpus, tool, label), found in sorted(of.items()):
        good = [line for line in found if "counts" in line]
        failed = sum("failed" in line for line in found)
        runs = [Counts(**line["counts"]) for line in good]
        if not runs and not failed:
            continue
        rates = metrics.summary(runs)
        cells = [str(rates[name]) if runs else "–" for name in COLUMNS]
        name = f"{tool} {label}".strip()
        count = f"{len(runs)}" + (f", {failed} failed" if failed else "")
        cells += [_accused(runs), _n_eff(good)]
        out.append(f"| {row} | {corpus} | {name} | {count} | {' | '.join(cells)} |")
    return "\n".join(out)


def _accused(runs: list[Counts]) -> str:
    shares = [run.accused_authors / run.organic_authors for run in runs]
    return f"{sum(shares) / len(shares):.2%} ({max(shares):.2%})" if shares else "–"


def power(lines: Iterable[dict[str, Any]]) -> str:
    """Markdown: share of planted campaigns found, by kind and size."""
    hits: dict[tuple[str, str, str], dict[int, list[bool]]] = defaultdict(lambda: defaultdict(list))
    for line in lines:
        for one in line.get("campaigns", []):
            row = " ".join(word for word in line["row"].split() if not word.startswith("size="))
            row = f"several: {one['kind']}" if row == "several" else row
            key = (row, line["corpus"], f"{line['tool']} {line['label']}".strip())
            hits[key][one["size"]].append(one["best"] >= metrics.MATCH)
    sizes = sorted({size for found in hits.values() for size in found})
    out = [f"| row | corpus | tool | {' | '.join(map(str, sizes))} |", "|---" * (3 + len(sizes)) + "|"]
    for key, found in sorted(hits.items()):
        cells = [str(metrics.rate(found[size])) if size in found else "" for size in sizes]
        out.append(f"| {' | '.join(key)} | {' | '.join(cells)} |")
    return "\n".join(out)


def _n_eff(lines: list[dict[str, Any]]) -> str:
    errors = [line["n_eff_errors"] for line in lines if "n_eff_errors" in line]
    whole = [one[0] for one in errors]
    taken = [one[1] for one in errors if one[1] is not None]
    if not whole:
        return "–"
    return (
        f"{sum(whole) / len(whole):.3f} / {sum(taken) / len(taken):.2f}"
        if taken
        else f"{sum(whole) / len(whole):.3f}"
    )


def fairness(lines: Iterable[dict[str, Any]]) -> str:
    """Markdown: how much more often the contributions of some are accused, over all runs of a tool on a corpus.

    The same people are in many runs, so the interval is too narrow where more than a few are accused.
    """
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for line in lines:
        for name, four in line.get("accused", {}).items():
            of = sums[f"{line['tool']} {line['label']}".strip(), line["corpus"], name]
            for at, value in enumerate(four):
                of[at] += value
    out = ["| tool | corpus | whose | accused | of | rest accused | of | ratio |", "|---" * 8 + "|"]
    for (tool, corpus, name), (inside, of_inside, rest, of_rest) in sorted(sums.items()):
        if of_inside and of_rest:
            value, low, high = metrics.ratio(inside, of_inside, rest, of_rest)
            told = "nobody accused" if math.isnan(value) else f"{value:.2f} ({low:.2f}–{high:.2f})"
            out.append(
                f"| {tool} | {corpus} | {name} | {inside} | {of_inside} | {rest} | {of_rest} | {told} |"
            )
    return "\n".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rows", nargs="+", required=True, metavar="ROW")
    parser.add_argument("--corpora", nargs="+", metavar="NAME", help="instead of each row's own")
    parser.add_argument("--tools", nargs="+", default=["klero"])
    parser.add_argument("--label", default="", help="of a version of a tool")
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="the first replicate's seed")
    parser.add_argument("--q", type=float, default=0.05)
    parser.add_argument("--envs", type=Path, default=Path("envs"))
    parser.add_argument("--processes", type=int, default=2, choices=(1, 2))
    parser.add_argument("--minutes", type=float, help="stop after so many")
    parser.add_argument("--table", action="store_true", help="print what is there, ask nothing")
    args = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if not args.table:
        run(args)
    known = _known(args.out / "results.jsonl")
    wanted = {(job.row, job.corpus, job.tool, job.label) for job in _jobs(args)}
    shown = [line for job, line in known.items() if job[:4] in wanted]
    print(table(shown), power(shown), fairness(shown), sep="\n\n")
    accusing = [line for line in shown if line.get("extra", {}).get("accusing")]
    print(f"\nanswers with a word of accusation: {len(accusing)} of {len(shown)}")


if __name__ == "__main__":
    main()
