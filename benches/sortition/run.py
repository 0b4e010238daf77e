"""How fast and how exact is `klero lottery`, beside sortition-algorithms on the same files?

    python benches/sortition/run.py [--peer] [--objective leximin] [--runs 5] [--only NAME …]

Whole processes, from the two tables to a written and checked bundle: median wall seconds and largest resident memory over the runs, and the
certificate's gap at M = 10^6 and 10^9. With --peer, sortition-algorithms' maximin (HiGHS) runs in an environment of its own (`.venv-peers`, made on
first use; its solver and klero's can't share a process), once an instance, and the two minima are compared. The cases are read from
KLERO_DATA (default ../shared/data); without them there is nothing to measure.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("KLERO_DATA", ROOT.parent / "shared" / "data")) / "sortition"
PEERS = ROOT / ".venv-peers"
PEER_VERSION = "0.12.15"
TARGETS = {
    "example_large_200": 2.0,
    "sfbench_750_112": 2.0,
    "like_nexus_170": 3.0,
    "like_hd_30": 3.0,
    "like_cca_75": 3.0,
    "like_exact_30": 3.0,
    "like_exact_100": 10.0,
    "like_sf_e_110": 6.0,
}


def measured(command: list[str], timeout: float | None = None) -> tuple[float, float, str, int]:
    """(wall seconds, largest resident MB, stdout, exit code) of a process."""
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL)
        try:
            usage = _wait(process, started, timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return float("inf"), float("nan"), "", -1
        wall = time.perf_counter() - started
        out.seek(0)
        return wall, usage, out.read().decode(), process.returncode


def _wait(process: subprocess.Popen[bytes], started: float, timeout: float | None) -> float:
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG if timeout else 0)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage.ru_maxrss / 1024
        if timeout and time.perf_counter() - started > timeout:
            raise subprocess.TimeoutExpired(process.args, timeout)
        time.sleep(0.05)


def klero_run(
    case: Path, size: int, id_column: str | None, balls: int, objective: str = "leximin"
) -> dict[str, object]:
    """One run of the command line."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "klero",
            "lottery",
            str(case / "respondents.csv"),
            str(case / "categories.csv"),
        ]
        command += [
            "--size",
            str(size),
            "--balls",
            str(balls),
            "--objective",
            objective,
            "--format",
            "json",
            "-o",
            str(Path(folder) / "bundle"),
        ]
        command += ["--id", id_column] if id_column else []
        wall, memory, out, code = measured(command)
    if code:
        raise SystemExit(f"{case.name}: klero lottery ended with exit code {code}")
    return {**json.loads(out), "wall": wall, "memory": memory}


def peer_python() -> Path:
    """The interpreter of the peer's environment, made on first use."""
    python = PEERS / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(PEERS)], check=True)
        package = f"sortition-algorithms=={PEER_VERSION}"
        subprocess.run([str(python), "-m", "pip", "install", "-q", package], check=True)
    return python


def peer_run(case: Path, size: int, timeout: float) -> dict[str, object]:
    """One run of sortition-algorithms' maximin on the same tables, or why there is none."""
    with tempfile.TemporaryDirectory() as folder:
        quotas = Path(folder) / "quotas.csv"
        with (
            (case / "categories.csv").open(encoding="utf-8-sig", newline="") as source,
            quotas.open("w", newline="") as sink,
        ):
            rows = list(csv.DictReader(source))
            value = "value" if "value" in rows[0] else "name" if "name" in rows[0] else "feature"
            feature = "category" if "category" in rows[0] else "feature"
            writer = csv.writer(sink)
            writer.writerow(["feature", "value", "min", "max"])
            writer.writerows([r[feature], r[value], r["min"], r["max"]] for r in rows)
        script = Path(__file__).with_name("peer_maximin.py")
        command = [str(peer_python()), str(script), str(case / "respondents.csv"), str(quotas), str(size)]
        wall, memory, out, code = measured(command, timeout)
    if code:
        return {"wall": wall, "error": "no answer in time" if wall == float("inf") else f"exit code {code}"}
    return {**json.loads(out.splitlines()[-1]), "wall": wall, "memory": memory}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--peer-timeout", type=float, default=600.0, metavar="SECONDS")
    parser.add_argument(
        "--objective", default="leximin", help="as klero lottery's; the targets are leximin's"
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=list(TARGETS))
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"no cases at {DATA}; set KLERO_DATA")
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    print(
        "| instance | target s | wall s (median) | range | MB | panels | minimum | Gini | gap 10^6 | gap 10^9 | s at 10^9 |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    minima: dict[str, float] = {}
    for name in options.only:
        case = DATA / name
        meta = json.loads((case / "meta.json").read_text())
        runs = [
            klero_run(case, meta["k"], meta["id_column"], 10**6, options.objective)
            for _ in range(options.runs)
        ]
        fine = klero_run(case, meta["k"], meta["id_column"], 10**9, options.objective)
        walls = sorted(float(r["wall"]) for r in runs)  # type: ignore[arg-type]
        last, certificate, fine_certificate = runs[-1], runs[-1]["certificate"], fine["certificate"]
        minima[name] = float(Fraction(str(last["min_probability"])))
        print(
            f"| {name} | {TARGETS.get(name, '')} | {statistics.median(walls):.2f} | {walls[0]:.2f}–{walls[-1]:.2f} "
            f"| {max(float(r['memory']) for r in runs):.0f} | {last['panels']} | {minima[name]:.6f} | {last['gini']:.3f} "  # type: ignore[arg-type]
            f"| {certificate['gap']:.1e} | {fine_certificate['gap']:.1e} | {float(fine['wall']):.2f} |",  # type: ignore[index, arg-type]
            flush=True,
        )
    if options.peer:
        print(f"\nsortition-algorithms {PEER_VERSION}, maximin, one run each:")
        print(
            "| instance | wall s | MB | panels | minimum | Gini | minimum less klero's |\n|---|---|---|---|---|---|---|"
        )
        for name in options.only:
            meta = json.loads((DATA / name / "meta.json").read_text())
            peer = peer_run(DATA / name, meta["k"], options.peer_timeout)
            if "error" in peer:
                print(f"| {name} | > {options.peer_timeout:.0f} | | | {peer['error']} | | |", flush=True)
                continue
            difference = float(peer["minimum"]) - minima[name]  # type: ignore[arg-type]
            print(
                f"| {name} | {peer['wall']:.1f} | {peer['memory']:.0f} | {peer['panels']} | {peer['minimum']:.6f} "
                f"| {peer['gini']:.3f} | {difference:+.1e} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
