"""How long does it take to choose alternates, and how much are they worth?

A synthetic pool of 1,000 people with six features (30 values), a panel of 100, 20 alternates, each member dropping out with a probability
between 5 % and 20 %; 200 scenarios to choose on, 500 fresh ones to measure on. Prints seconds and the mean loss against the baselines.

    .venv/bin/python benches/sortition/alternates.py [--people 1000] [--size 100] [--alternates 20] [--scenarios 200]
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

import klero

FEATURES = {"gender": 2, "age": 6, "region": 8, "education": 5, "origin": 4, "opinion": 5}


def pool(people: int, size: int, seed: int) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """People whose values are skewed against the population, and quotas of one seat to either side of the population's share."""
    chance = random.Random(seed)  # noqa: S311
    rows = [
        {"id": f"P{i:05}"}
        | {
            f: f"v{chance.choices(range(n), [1 + 2 * chance.random() * (v % 3) for v in range(n)])[0]}"
            for f, n in FEATURES.items()
        }
        for i in range(people)
    ]
    quotas = [
        {"feature": f, "value": f"v{v}", "min": max(0, size // n - 1), "max": -(-size // n) + 1}
        for f, n in FEATURES.items()
        for v in range(n)
    ]
    return rows, quotas


def main() -> None:
    """Runs the case and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (
        ("people", 1000),
        ("size", 100),
        ("alternates", 20),
        ("scenarios", 200),
        ("checks", 500),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    people, quotas = pool(options.people, options.size, 1)
    chance = random.Random(2)  # noqa: S311
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        klero.write_lottery(klero.fair_lottery(people, quotas, size=options.size), bundle)
        panel = klero.draw(bundle, trial_seed="bench").panel
        dropout = {i: f"{chance.randint(5, 20)}%" for i in panel}
        clock = time.perf_counter()
        made = klero.choose_alternates(
            bundle,
            options.alternates,
            dropout=dropout,
            trial_seed="bench",
            scenarios=options.scenarios,
            checks=options.checks,
        )
        seconds = time.perf_counter() - clock
    print(
        f"{options.people} people, {options.size} seats, {options.alternates} alternates, {options.scenarios} scenarios"
    )
    print(f"seconds, with measuring on {options.checks} fresh scenarios: {seconds:.1f}")
    choice = made.choice
    print(
        f"on the scenarios: loss {float(choice.loss):.3f}, bound {choice.bound:.3f}, {choice.computations} sets computed, settled {choice.settled}"
    )
    for name, found in {"chosen": made.measured, **made.baselines}.items():
        print(
            f"{name:<13} loss {found.loss:7.3f} ({found.interval[0]:.3f} to {found.interval[1]:.3f})  failing {100 * found.failing:5.1f} %"
        )


if __name__ == "__main__":
    main()
