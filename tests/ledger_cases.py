"""Bundles for the ledger's tests: the golden ones, sealed changes of them, and a large one of random numbers."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from klero import _native
from klero.errors import BundleError
from klero.ledger.bundle import bundle_files
from klero.verifiers import klero_verify

VECTORS = Path(__file__).parent / "vectors"
Files = dict[str, bytes]
Outcome = list[tuple[str, bool]]


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))


def golden(name: str) -> Files:
    return {file: text.encode() for file, text in vectors(f"bundle-{name}").items()}


def outcomes(files: Files) -> tuple[Outcome, Outcome]:
    """Names and outcomes of all checks, by the library and by the stand-alone verifier."""
    library = [(name, ok) for name, ok, _ in _native.verify(files)]
    return library, [(check.name, check.ok) for check in klero_verify.verify(files)]


def first_failure(outcome: Outcome) -> str | None:
    return next((name for name, ok in outcome if not ok), None)


def dump(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sealed(files: Files) -> Files:
    """The bundle with hashes and draw made anew, as far as its files allow: what a forger would do."""
    files = dict(files)
    text = json.loads(files["draw.json"])["seed_text"]
    try:
        files["commitment.json"] = _native.commitment_file(files)
        lottery = {name: data for name, data in files.items() if name != "draw.json"}
        files["draw.json"] = _native.draw_file(lottery, text)
    except BundleError:
        pass
    return files


def changes(value: Any) -> Iterator[Any]:
    """Documents that differ from this one in one place."""
    if isinstance(value, int):
        yield from {value + 1, value - 1, 0, -1, 2**53 - 1} - {value}
        yield str(value)
    elif isinstance(value, str):
        yield from {
            "",
            value + "x",
            value + "/2",
            "-" + value,
            "0",
            "L0",
            "leximin",
            "maximin",
            "9" * 4097,
        } - {value}
        if value.lstrip("-").isdigit():
            yield from (str(int(value) + 1), str(int(value) - 1), str(int(value) * 2), "0" + value)
        yield 1
    elif isinstance(value, list):
        yield from ([], {}, value + value, value[::-1], [*value, 0], value[1:], value[:-1])
        for i, item in enumerate(value):
            yield [*value[:i], item, *value[i:]]
            yield from ([*value[:i], other, *value[i + 1 :]] for other in changes(item))
    else:
        yield from ({}, [], {**value, "more": 0})
        for key, item in value.items():
            yield {other: inner for other, inner in value.items() if other != key}
            yield from ({**value, key: other} for other in changes(item))


def large_lottery(
    seed: int = 1, *, people: int = 2000, types: int = 1200, panels: int = 2500, levels: int = 40
) -> Any:
    """Something shaped like a lottery of real size. Its certificate's bounds are true and computed here; its fairness is poor."""
    rng = random.Random(seed)
    sizes = (2, 5, 6, 8, 10)  # 31 cells in 5 features
    kinds: set[tuple[int, ...]] = set()
    while len(kinds) < types:
        kinds.add(tuple(rng.randrange(n) for n in sizes))
    person_type = [*range(types), *(rng.randrange(types) for _ in range(people - types))]
    counts = [0] * types
    for t in person_type:
        counts[t] += 1
    size = 150
    instance = SimpleNamespace(
        size=size,
        features=tuple(f"feature {f}" for f in range(len(sizes))),
        values=tuple(tuple(f"value {v:02}" for v in range(n)) for n in sizes),
        minima=tuple((0,) * n for n in sizes),
        maxima=tuple((10**9 if n == 2 else size,) * n for n in sizes),
        types=tuple(sorted(kinds)),
        weights=(1,) * types,
        per_household=0,
        households=(),
        counts=tuple(counts),
        ids=tuple(f"P{i:05}" for i in range(people)),
        person_type=tuple(person_type),
        id_column="id",
    )
    entries: set[tuple[tuple[int, int], ...]] = set()
    while len(entries) < panels:
        seats: dict[int, int] = {}
        for i in rng.sample(range(people), size):
            seats[person_type[i]] = seats.get(person_type[i], 0) + 1
        entries.add(tuple(sorted(seats.items())))
    denominator = 10**6
    shares = [denominator // panels] * panels
    shares[0] += denominator - sum(shares)
    lottery = tuple(zip(shares, sorted(entries), strict=True))
    claims = large_levels(rng, instance, levels)
    gap = large_gap(instance, lottery, denominator, claims)
    certificate = SimpleNamespace(levels=claims, gap=gap, level="L0")
    return SimpleNamespace(
        instance=instance,
        objective="leximin",
        denominator=denominator,
        panels=lottery,
        certificate=certificate,
    )


def large_levels(rng: random.Random, instance: Any, levels: int) -> tuple[Any, ...]:
    """Random weights of some 20 digits. Cell 0 has a maximum beyond reach, so a weight on it makes a bound loose: values can be
    made to rise."""
    types = list(range(len(instance.types)))
    rng.shuffle(types)
    first = [sum(len(v) for v in instance.values[:f]) for f in range(len(instance.values))]
    settled: dict[int, Fraction] = {}
    claims: list[Any] = []
    for number in range(levels):
        group = sorted(types[number::levels])
        y = {t: rng.randrange(1, 10**20) for t in group}
        cells = {c: -(10**14) - rng.randrange(10**14) for c in range(31)}
        seats = rng.randrange(10**14)
        while True:
            price = [
                seats + sum(cells[f + v] for f, v in zip(first, kind, strict=True)) for kind in instance.types
            ]
            best = seats * instance.size + max(0, cells[0] * 10**9)
            best += sum(
                n * max(0, y.get(t, 0) - price[t]) for t, n in enumerate(instance.counts) if t not in settled
            )
            fixed = sum((price[t] * instance.counts[t] * v for t, v in settled.items()), Fraction(0))
            value = (best - fixed) / sum(instance.counts[t] * w for t, w in y.items())
            if not claims or value >= claims[-1].value:
                break
            cells[0] = 10**10 + 2 * max(0, cells[0])
        value_of_level = Fraction(value)
        settled.update(dict.fromkeys(group, value_of_level))
        claims.append(
            SimpleNamespace(
                value=value_of_level,
                types=tuple(sorted(y.items())),
                cells=tuple(sorted(cells.items())),
                seats=seats,
                held=(),
                proof=(),
            )
        )
    return tuple(claims)


def large_gap(instance: Any, lottery: Any, denominator: int, claims: Any) -> Fraction:
    won = [0] * len(instance.types)
    for count, seats in lottery:
        for t, s in seats:
            won[t] += count * s
    chance = [Fraction(w, denominator * n) for w, n in zip(won, instance.counts, strict=True)]
    shortfalls: list[Fraction] = [level.value - chance[t] for level in claims for t, _ in level.types]
    return max([Fraction(0), *shortfalls])


def large_files(**options: Any) -> Files:
    return bundle_files(large_lottery(**options))
