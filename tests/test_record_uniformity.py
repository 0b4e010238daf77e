"""Is the draw of a record uniform? Exactly where that can be enumerated, by chi-square tests with fixed seeds where not.

Thresholds are those that a true uniform law exceeds once in a million; a broken variant beside each test exceeds them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations
from math import sqrt
from typing import Any

import pytest

from klero import _native
from klero.verifiers import klero_verify
from record_cases import Files, dump, edit_payload, entries, golden_record, payload, randomness, resigned, sha
from record_mutations import alone, first_failure, library

SEEDS = [sha(f"seed {i}".encode()) for i in range(20_000)]


def limit(freedom: int) -> float:
    """Chi-square's quantile at 1 − 10^-6, by Wilson and Hilferty's cube (1931); 4.753 is the normal one."""
    return float(freedom * (1 - 2 / (9 * freedom) + 4.753 * sqrt(2 / (9 * freedom))) ** 3)


def chi_square(found: Iterable[object], cells: int, draws: int) -> float:
    counts = Counter(found)
    assert sum(counts.values()) == draws
    expected = draws / cells
    return sum(n * n for n in counts.values()) / expected - draws


def undrawn(name: str) -> Files:
    """The golden record as it was before its draw."""
    files = golden_record(name)
    return {file: data for file, data in files.items() if file not in entries(files)[1:]}


def test_the_position_is_a_permutation_of_the_balls() -> None:
    """Whatever the other sources show, each number that the balls can show gives another position: all M of them, for a small M."""
    source = [{"digits": 3, "kind": "balls", "time": ""}, {"kind": "dice", "rolls": 3, "time": ""}]
    for dice in ("111", "123", "666"):
        found = [
            randomness(
                sha(b"C"),
                [{"digits": f"{b:03}", "kind": "balls"}, {"digits": dice, "kind": "dice"}],
                source,
                1000,
            )
            for b in range(1000)
        ]
        assert sorted(one["position"] for one in found) == list(range(1000))
        assert len({one["index_seed"] for one in found}) == 1
        assert len({one["seed"] for one in found}) == 1000


def test_an_index_seed_that_knows_the_balls_is_no_permutation() -> None:
    """The variant that the page rules out."""
    positions = {
        (klero_verify.position(klero_verify.seq("x", [sha(b"C"), str(b).encode()]), 1000)[0] + b) % 1000
        for b in range(1000)
    }
    assert len(positions) < 700


@pytest.mark.parametrize("name", ["balls", "all-sources", "fallback"])
def test_library_and_stand_alone_verifier_add_the_balls_to_one_number(name: str) -> None:
    """position − b is the same for all balls: so the M positions are a permutation of the M numbers, for M = 10^6 and 10^12 too."""
    files = golden_record(name)
    number = 3 if payload(files, 2)["kind"] == "reading" else 2
    body = payload(files, number)["body"]
    m = json.loads(files["public/declaration.json"])["denominator"]
    digits, rest = body["reveals"][0]["digits"], set()
    for i in range(60):
        b = int.from_bytes(sha(bytes([i])), "big") % m
        body["reveals"][0]["digits"] = str(b).zfill(len(str(m)) - 1) + digits[len(str(m)) - 1 :]
        before = read(files, body["reveals"])
        drawn = json.loads(_native.record_draw(before, 0, dump(body["reveals"]), body["fallback"] == "yes"))
        rest.add((drawn["position"] - b) % m)
        if i < 3:
            signed = edit_payload(
                read(files, body["reveals"], drawn=True), number, payload(files, number) | {"body": drawn}
            )
            signed = resigned(signed, redraw=False)
            assert first_failure(library(signed)) is None
            assert first_failure(alone(signed)) is None
    assert len(rest) == 1


def read(files: Files, reveals: list[Any], *, drawn: bool = False) -> Files:
    """The record before its draw, or with it, with these reveals in its reading, if it has one."""
    value = payload(files, 2)
    if value["kind"] == "reading":
        value["body"]["reveals"] = [one for one in reveals if one["kind"] != "drand"]
        files = resigned(edit_payload(files, 2, value), redraw=False)
    last = len(entries(files)) if drawn else len(entries(files)) - 1
    return {file: data for file, data in files.items() if file not in entries(files)[last:]}


@pytest.mark.parametrize("m", [10**6, 10**12])
def test_the_index_is_uniform(m: int) -> None:
    bins = [klero_verify.position(seed, m)[0] * 100 // m for seed in SEEDS]
    assert chi_square(bins, 100, len(SEEDS)) < limit(99)


def test_a_byte_modulo_100_is_not_uniform_and_is_found() -> None:
    """256 numbers for 100 places: without rejection the first 56 are likelier."""
    bins = [seed[0] % 100 for seed in SEEDS]
    assert chi_square(bins, 100, len(SEEDS)) > limit(99)
    bins = [next(byte for byte in seed if byte < 200) % 100 for seed in SEEDS]
    assert chi_square(bins, 100, len(SEEDS)) < limit(99)


def test_rejection_makes_small_ranges_exact() -> None:
    """The page's rule on a range that can be enumerated: 2^8 for 2^256. Every place has as many numbers; without the rule not."""
    for m in range(1, 257):
        kept = Counter(x % m for x in range(256) if x < 256 // m * m)
        assert set(kept.values()) == {256 // m}
        assert len(kept) == m
    assert len(set(Counter(x % 100 for x in range(256)).values())) == 2


def lowest(tickets: list[bytes], seats: int) -> tuple[int, ...]:
    return tuple(sorted(sorted(range(len(tickets)), key=lambda i: tickets[i])[:seats]))


def test_the_lowest_tickets_are_uniform() -> None:
    leaves = [sha(f"leaf {i}".encode()) for i in range(8)]
    pairs = [lowest(klero_verify.tickets(seed, leaves), 2) for seed in SEEDS]
    assert set(pairs) == set(combinations(range(8), 2))
    assert chi_square(pairs, 28, len(SEEDS)) < limit(27)


def test_tickets_of_four_bits_are_not_uniform_and_are_found() -> None:
    """Ties go to whoever stands first."""
    leaves = [sha(f"leaf {i}".encode()) for i in range(8)]
    pairs = [lowest([bytes([t[0] >> 4]) for t in klero_verify.tickets(seed, leaves)], 2) for seed in SEEDS]
    assert chi_square(pairs, 28, len(SEEDS)) > limit(27)


@pytest.mark.parametrize("name", ["household", "balls"])
def test_everybody_is_drawn_as_often_as_the_lottery_says(name: str) -> None:
    """2,000 draws of the library from other randomness: each person's number of seats is within five standard deviations of the certified chance."""
    before = undrawn(name)
    declaration = json.loads(before["public/declaration.json"])
    pool, panels = (json.loads(before[f"auditor/{part}-0.json"]) for part in ("pool", "lottery"))
    counts = Counter(t for _, t in pool["people"])
    won: Counter[int] = Counter()
    for count, seats in panels["panels"]:
        for t, s in seats:
            won[t] += count * s
    chance = {t: Fraction(won[t], declaration["denominator"] * n) for t, n in counts.items()}
    before, draws = with_dice(before), 2000
    drawn: Counter[str] = Counter()
    for i in range(draws):
        number = int.from_bytes(sha(f"dice {i}".encode()), "big")
        dice = "".join(str(number // 6**j % 6 + 1) for j in range(60))
        drawn.update(
            json.loads(_native.record_draw(before, 0, dump([{"digits": dice, "kind": "dice"}]), False))[
                "panel"
            ]
        )
    leaves = before["public/leaves.txt"].decode().split()
    for number, t in pool["people"]:
        p = chance[t]
        deviation = abs(drawn[leaves[number]] - draws * p)
        assert deviation <= 5 * sqrt(draws * p * (1 - p)) + 1e-9, (number, t)


def with_dice(files: Files) -> Files:
    """The undrawn record with 60 dice for its source."""
    declaration = json.loads(files["public/declaration.json"])
    declaration["sources"] = [{"kind": "dice", "rolls": 60, "time": "2030-01-01T00:00:00Z"}]
    return resigned({**files, "public/declaration.json": dump(declaration)})
