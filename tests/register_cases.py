"""Registers made up for tests, draws from them, and the comparison of shares with chances."""

from __future__ import annotations

import math
import random
from collections import Counter
from fractions import Fraction

import pyarrow as pa

import klero
from register_oracle import Row

SCALE = 10**6


def table(rows: list[Row], weighted: bool) -> pa.Table:
    columns: dict[str, list[object]] = {"id": [row.id for row in rows]}
    for i in range(len(rows[0].stratum)):
        columns[f"s{i}"] = [row.stratum[i] for row in rows]
    if weighted:
        columns["w"] = [row.weight // SCALE for row in rows]
    for i in range(len(rows[0].address)):
        columns[f"a{i}"] = [row.address[i] for row in rows]
    return pa.table(columns)


def invited(
    rows: list[Row], size: int, weighted: bool, text: str = "t", **options: object
) -> klero.Invitation:
    strata = [f"s{i}" for i in range(len(rows[0].stratum))]
    household = [f"a{i}" for i in range(len(rows[0].address))]
    return klero.invite(
        table(rows, weighted),
        size=size,
        trial_seed=text,
        strata=strata,
        household=household,
        weight="w" if weighted else None,
        **options,  # type: ignore[arg-type]
    )


def people(n: int, rng: random.Random, strata: int, weighted: bool, houses: int) -> list[Row]:
    return [
        Row(
            f"P{i}é" if i % 7 == 0 else f"P{i}",
            (f"area {rng.randrange(strata)}", "x") if strata else (),
            rng.choice([1, 2, 3, 50]) * SCALE if weighted else 1,
            (f"{rng.randrange(houses)} bis, rue de l'Église", "59000") if houses else (),
        )
        for i in range(n)
    ]


def chances(
    rows: list[Row], size: int, weighted: bool, draws: int, **options: object
) -> tuple[Counter[str], klero.Invitation]:
    counts: Counter[str] = Counter()
    for i in range(draws):
        drawn = invited(rows, size, weighted, text=f"draw {i}", **options)
        counts.update(drawn.ids)
    return counts, drawn


def assert_chances(counts: Counter[str], expected: dict[str, Fraction], draws: int) -> None:
    """Each count within 4.5 standard deviations, and their squares together within what chance gives (99.99 %)."""
    square = 0.0
    for person, p in expected.items():
        if p == 1:
            assert counts[person] == draws
            continue
        deviation = (counts[person] - draws * float(p)) / math.sqrt(draws * float(p) * (1 - float(p)))
        assert abs(deviation) < 4.5, (person, counts[person], draws * float(p))
        square += deviation**2
    free = sum(1 for p in expected.values() if p < 1)
    # A fixed size leaves the squares' sum below that of independent counts; 4 deviations of chi-square are far out.
    assert square < free + 5 * math.sqrt(2 * free) + 5
