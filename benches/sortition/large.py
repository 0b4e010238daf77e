"""How fast and how exact is a fair lottery among 20,000 volunteers, and with households?

    python benches/sortition/large.py [--runs 3] [--only large households]

Seeded pools are made in a temporary folder: 20,000 people, 200 seats, 8 features with 41 values, quotas at a population's shares; and 500
people of whom 150 share an address with others, 50 seats. Whole processes from the tables to a written and checked bundle: median wall seconds, largest
resident memory, and the certificate's gap, which is exact arithmetic over the published balls. The verifiers' time is that of whole processes, too.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import statistics
import sys
import tempfile
from pathlib import Path

from run import ROOT, measured

SHARES: dict[str, list[float]] = {
    "gender": [0.49, 0.49, 0.02],
    "age": [0.18, 0.22, 0.22, 0.20, 0.18],
    "region": [0.12, 0.10, 0.09, 0.08, 0.08, 0.08, 0.10, 0.06, 0.05, 0.08, 0.09, 0.07],
    "education": [0.2, 0.3, 0.3, 0.2],
    "urban": [0.45, 0.35, 0.20],
    "occupation": [0.10, 0.20, 0.25, 0.15, 0.20, 0.10],
    "migration": [0.75, 0.15, 0.10],
    "attitude": [0.20, 0.25, 0.25, 0.15, 0.15],
}


def write(path: Path, heading: list[str], rows: list[list[object]]) -> None:
    with path.open("w", newline="") as sink:
        writer = csv.writer(sink)
        writer.writerow(heading)
        writer.writerows(rows)


def large(folder: Path, people: int = 20_000, size: int = 200, seed: int = 1) -> list[str]:
    """Volunteers with shares of their own (self-selection), quotas within 6 % of the population's."""
    rng = random.Random(seed)  # noqa: S311 (a benchmark)
    volunteers = {f: [x * rng.lognormvariate(0, 0.6) for x in shares] for f, shares in SHARES.items()}
    rows: list[list[object]] = [
        [f"P{i:06}", *(f"{f}{rng.choices(range(len(w)), w)[0]}" for f, w in volunteers.items())]
        for i in range(people)
    ]
    write(folder / "people.csv", ["id", *SHARES], rows)
    quotas: list[list[object]] = []
    for f, shares in SHARES.items():
        for v, share in enumerate(shares):
            seats = size * share / sum(shares)
            slack = max(1.0, 0.06 * seats)
            quotas.append([f, f"{f}{v}", max(0, int(seats - slack)), int(seats + slack) + 1])
    write(folder / "quotas.csv", ["feature", "value", "min", "max"], quotas)
    return ["--size", str(size)]


def households(
    folder: Path, people: int = 500, sharing: int = 150, size: int = 50, seed: int = 1
) -> list[str]:
    """Households of 2 to 4 who share a region; quotas within a seat of a panel of strangers."""
    rng = random.Random(seed)  # noqa: S311 (a benchmark)
    shares = {
        "gender": [52, 48],
        "age": [2, 3, 3, 2],
        "region": [3, 3, 2, 2],
        "education": [2, 4, 4],
        "job": [5, 3, 2],
    }
    pool = [{f: f"{f}{rng.choices(range(len(w)), w)[0]}" for f, w in shares.items()} for _ in range(people)]
    first = 0
    while first < people:
        members = rng.choice((2, 2, 2, 3, 4)) if first < sharing else 1
        for person in pool[first : first + members]:
            person |= {"street": f"{first} rue des Lilas", "region": pool[first]["region"]}
        first += members
    write(folder / "people.csv", ["id", *pool[0]], [[f"P{i:03}", *p.values()] for i, p in enumerate(pool)])
    panel: dict[str, dict[str, str]] = {}
    for person in rng.sample(pool, people):
        if len(panel) < size:
            panel.setdefault(person["street"], person)
    quotas: list[list[object]] = []
    for f in shares:
        for value in sorted({p[f] for p in pool}):
            seats = sum(p[f] == value for p in panel.values())
            quotas.append([f, value, max(0, seats - 1), seats + 1])
    write(folder / "quotas.csv", ["feature", "value", "min", "max"], quotas)
    return ["--size", str(size), "--household", "street"]


CASES = {"large": (large, 60.0), "households": (households, 10.0)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    options = parser.parse_args()
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    print(
        "| pool | target s | wall s (median) | range | MB | types | panels | minimum | gap | verify, Rust s | verify, Python s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name in options.only:
        make, target = CASES[name]
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            arguments = make(folder)
            tables = [str(folder / "people.csv"), str(folder / "quotas.csv")]
            klero = [sys.executable, "-m", "klero"]
            walls, memories, found = [], [], {}
            for run in range(options.runs):
                bundle = str(folder / f"bundle{run}")
                command = [*klero, "lottery", *tables, *arguments, "--format", "json", "-o", bundle]
                wall, memory, out, code = measured(command)
                if code:
                    raise SystemExit(f"{name}: klero lottery ended with exit code {code}")
                walls.append(wall)
                memories.append(memory)
                found = json.loads(out)
            rust, _, _, first = measured([*klero, "verify", bundle])
            alone = ROOT / "python" / "klero" / "verifiers" / "klero_verify.py"
            python, _, _, second = measured([sys.executable, str(alone), bundle])
            if first or second:
                raise SystemExit(f"{name}: a verifier refuses the bundle")
        print(
            f"| {name} | {target:.0f} | {statistics.median(walls):.2f} | {min(walls):.2f}–{max(walls):.2f} | {max(memories):.0f} "
            f"| {found['types']} | {found['panels']} | {found['min_probability_float']:.6f} | {found['certificate']['gap']:.1e} "
            f"| {rust:.2f} | {python:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
