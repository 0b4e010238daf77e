"""How good and how quick are seating plans? Each case against its bound, and against the best of many random plans.

    .venv/bin/python benches/tables/run.py [--random 1000]

People and their features are made here from a fixed seed. «random» keeps table sizes and nothing else: shuffled seats, many times,
the plan in which most pairs meet kept. Seconds are of one run on this machine; all other figures are the same everywhere.
"""

from __future__ import annotations

import argparse
import random
import time

from klero.seating.plan import Seats, score_of
from klero.seating.request import Request
from klero.seating.seat import seat_tables

# people, tables, sessions, number of values of each mixed feature
CASES = [
    (150, 18, 6, ()),
    (150, 18, 6, (2, 4, 5)),
    (150, 17, 6, (2, 4, 5)),
    (30, 5, 4, ()),
    (30, 5, 4, (2, 4)),
    (9, 3, 4, ()),
    (15, 5, 7, ()),
    (36, 6, 5, ()),
    (500, 60, 5, (2, 4, 5)),
]


def people(n: int, features: tuple[int, ...]) -> list[dict[str, str]]:
    """People with uneven features: low values are common."""
    chance = random.Random(1)  # noqa: S311 (made people and a baseline)
    return [
        {"id": f"p{i:03}"}
        | {f"f{j}": str(min(chance.randrange(k), chance.randrange(k))) for j, k in enumerate(features)}
        for i in range(n)
    ]


def best_of_random(request: Request, tries: int) -> tuple[int, int]:
    """Pairs met and mixing of the best of so many shuffled plans."""
    chance = random.Random(1)  # noqa: S311 (made people and a baseline)
    chairs = [t for t, size in enumerate(request.sizes(0)) for _ in range(size)]
    best = (-1, 0)
    for _ in range(tries):
        seats: list[tuple[int, ...]] = []
        for _ in range(request.sessions):
            chance.shuffle(chairs)
            seats.append(tuple(chairs))
        plan: Seats = tuple(seats)
        score = score_of(request, plan)
        best = max(best, (score.pairs_met, -score.mixing))
    return best[0], -best[1]


def main() -> None:
    """Runs all cases and prints a table in Markdown."""
    parser = argparse.ArgumentParser(description="Seating plans against their bound and against random ones.")
    parser.add_argument("--random", type=int, default=200, help="random plans to choose from")
    tries = parser.parse_args().random
    print(
        f"| people, tables, sessions | mixed by | seconds | pairs met | bound | mixing | best of {tries} random: pairs, mixing |"
    )
    print("|---|---|---|---|---|---|---|")
    for n, tables, sessions, features in CASES:
        mix = [f"f{j}" for j in range(len(features))]
        clock = time.perf_counter()
        plan = seat_tables(people(n, features), tables, sessions, mix=mix)
        seconds = time.perf_counter() - clock
        score = plan.score
        chance = best_of_random(plan.request, max(1, tries * 150 // n if n > 150 else tries))
        print(
            f"| {n}, {tables}, {sessions} | {len(mix)} features | {seconds:.2f} | {score.pairs_met} | {score.bound} | {score.mixing} | "
            f"{chance[0]}, {chance[1]} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
