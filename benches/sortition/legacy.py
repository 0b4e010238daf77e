"""How fast is the greedy draw, beside sortition-algorithms' on the same files, and do the two agree?

    python benches/sortition/legacy.py [--case like_nexus_170] [--draws 10000] [--peer-draws 1000] [--runs 5]

klero: `legacy_lottery` for people and quotas already matched, intervals included, two threads; the median of the runs. The peer, in its own environment
(`run.py --peer` says how it is made), draws as often as `--peer-draws` says, and its time is scaled to the same number of draws. Its
draws are independent, so the scaling is fair; give the full number to see.

Agreement: for each person, the difference of the two frequencies over its standard error under equality. Over n people, the sum of squares is compared with
what equal procedures give: each person's term has mean 1. The largest is compared with the normal quantile at 1/(1000·n).
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from run import DATA, PEER_VERSION, peer_python

from klero.sortition.baselines import Options, legacy_for
from klero.sortition.instance import Instance, read_instance


def peer_run(instance: Instance, draws: int) -> dict[str, object]:
    """The peer on the same people and quotas, features and values in code point order."""
    with tempfile.TemporaryDirectory() as folder:
        people, quotas = Path(folder) / "people.csv", Path(folder) / "quotas.csv"
        with people.open("w", newline="") as sink:
            writer = csv.writer(sink)
            writer.writerow(instance.features)
            for t in instance.person_type:
                writer.writerow([instance.values[f][v] for f, v in enumerate(instance.types[t])])
        with quotas.open("w", newline="") as sink:
            writer = csv.writer(sink)
            writer.writerow(["feature", "value", "min", "max"])
            for (f, v), (lo, hi) in zip(instance.cells, instance.cell_bounds, strict=True):
                writer.writerow([instance.features[f], instance.values[f][v], lo, hi])
        script = Path(__file__).with_name("peer_legacy.py")
        command = [str(peer_python()), str(script), str(people), str(quotas), str(instance.size), str(draws)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--case", default="like_nexus_170")
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--peer-draws", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"no cases at {DATA}; set KLERO_DATA")
    case = DATA / options.case
    meta = json.loads((case / "meta.json").read_text())
    instance = read_instance(case / "respondents.csv", case / "categories.csv", meta["k"], meta["id_column"])
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    )
    walls = []
    for _ in range(options.runs):
        started = time.perf_counter()
        mine = legacy_for(instance, Options(options.draws, "bench"), surplus="zero")
        uncertainty = mine.uncertainty
        walls.append(time.perf_counter() - started)
    wall = statistics.median(walls)
    print(
        f"klero: {options.draws} draws in {wall:.3f} s ({min(walls):.3f}–{max(walls):.3f}), {mine.restarts} restarts, ± {uncertainty:.4f}"
    )
    hits = dict.fromkeys(instance.ids, 0)
    # As the peer: whoever has more than the minimum needs nothing.
    for panel in legacy_for(
        instance, Options(options.draws, "bench", keep_panels=True), surplus="zero"
    ).panels:
        for person in panel:
            hits[person] += 1
    theirs = peer_run(instance, options.peer_draws)
    scaled = float(str(theirs["seconds"])) * options.draws / options.peer_draws
    print(
        f"sortition-algorithms {PEER_VERSION}: {options.peer_draws} draws in {theirs['seconds']:.1f} s, "
        f"{theirs['restarts']} restarts; {scaled:.0f} s for {options.draws}: {scaled / wall:.0f} times klero's"
    )
    compare(list(hits.values()), options.draws, list(theirs["hits"]), options.peer_draws)  # type: ignore[call-overload]


def compare(mine: list[int], draws: int, theirs: list[int], peer_draws: int) -> None:
    """Prints how far the frequencies are apart."""
    squares, largest = [], 0.0
    for a, b in zip(mine, theirs, strict=True):
        p = (a + b) / (draws + peer_draws)
        error = (p * (1 - p) * (1 / draws + 1 / peer_draws)) ** 0.5
        difference = abs(a / draws - b / peer_draws)
        largest = max(largest, difference)
        if error:
            squares.append((difference / error) ** 2)
    limit = statistics.NormalDist().inv_cdf(1 - 1 / (2000 * len(mine)))
    print(
        f"agreement: largest difference of a person's frequency {largest:.4f}; squared standardised differences: mean "
        f"{statistics.mean(squares):.3f} (1 if equal), largest {max(squares) ** 0.5:.2f} (limit {limit:.2f}), {len(mine)} people"
    )


if __name__ == "__main__":
    main()
