"""The slow, obvious answers for the baselines: trees and lists of panels in exact fractions, and the greedy draw as the documents tell it."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations
from math import comb, exp, log, log2, prod

from klero.sortition.instance import Instance
from oracle import all_panels


def people_panels(instance: Instance) -> list[tuple[int, ...]]:
    """Every set of people, by place, that keeps quotas and households."""
    found = []
    for panel in combinations(range(len(instance.ids)), instance.size):
        seats = [0] * len(instance.cells)
        for i in panel:
            for c in instance.type_cells(instance.person_type[i]):
                seats[c] += 1
        if all(lo <= s <= hi for s, (lo, hi) in zip(seats, instance.cell_bounds, strict=True)) and all(
            len(set(home) & set(panel)) <= instance.per_household for home in instance.households
        ):
            found.append(panel)
    return found


def uniform_marginals(instance: Instance) -> tuple[int, tuple[Fraction, ...]]:
    """(number of panels as sets of people, probability of a person of each type if all are alike)."""
    panels = all_panels(instance)
    ways = [prod(comb(n, s) for n, s in zip(instance.counts, panel, strict=True)) for panel in panels]
    total = sum(ways)
    return total, tuple(
        Fraction(sum(w * panel[t] for w, panel in zip(ways, panels, strict=True)), total * n)
        for t, n in enumerate(instance.counts)
    )


def greedy_tree(instance: Instance, *, surplus_is_zero: bool = False) -> dict[tuple[int, ...], Fraction]:
    """How likely one attempt of the greedy draw is to end with each panel (seats by type); what is missing to 1 is failure."""
    states = {(0,) * len(instance.types): Fraction(1)}
    for _ in range(instance.size):
        following: dict[tuple[int, ...], Fraction] = {}
        for seats, chance in states.items():
            for t, share in _greedy_choices(instance, seats, surplus_is_zero):
                after = (*seats[:t], seats[t] + 1, *seats[t + 1 :])
                following[after] = following.get(after, Fraction(0)) + chance * share
        states = following
    feasible = set(all_panels(instance))
    return {seats: chance for seats, chance in states.items() if seats in feasible}


def _greedy_choices(
    instance: Instance, seats: tuple[int, ...], surplus_is_zero: bool
) -> Iterator[tuple[int, Fraction]]:
    totals = [0] * len(instance.cells)
    for t, s in enumerate(seats):
        for c in instance.type_cells(t):
            totals[c] += s
    full = {c for c, (_, hi) in enumerate(instance.cell_bounds) if totals[c] >= hi}
    left = [
        0 if full & set(instance.type_cells(t)) else n - s
        for t, (n, s) in enumerate(zip(instance.counts, seats, strict=True))
    ]
    best: tuple[Fraction, int] | None = None
    for c, (lo, _) in enumerate(instance.cell_bounds):
        there = sum(left[t] for t in range(len(left)) if c in instance.type_cells(t))
        need = lo - totals[c]
        if need > there:
            return
        if there and (best is None or Fraction(max(need, 0) if surplus_is_zero else need, there) > best[0]):
            best = (Fraction(max(need, 0) if surplus_is_zero else need, there), c)
    if best is None:
        return
    members = [t for t in range(len(left)) if best[1] in instance.type_cells(t) and left[t]]
    everyone = sum(left[t] for t in members)
    for t in members:
        yield t, Fraction(left[t], everyone)


def greedy_marginals(instance: Instance, *, surplus_is_zero: bool = False) -> tuple[Fraction, ...] | None:
    """The greedy draw's exact probability of a person of each type; None if it never succeeds."""
    tree = greedy_tree(instance, surplus_is_zero=surplus_is_zero)
    total = sum(tree.values())
    if not total:
        return None
    return tuple(
        sum((chance * panel[t] for panel, chance in tree.items()), Fraction(0)) / (total * n)
        for t, n in enumerate(instance.counts)
    )


class Numbers:
    """The stream of a draw, as `rust/core/src/sortition/stream.rs` tells it."""

    def __init__(self, key: bytes, draw: int) -> None:
        self.words = self._words(key, draw)

    @staticmethod
    def _words(key: bytes, draw: int) -> Iterator[int]:
        block = 0
        while True:
            message = draw.to_bytes(8, "big") + block.to_bytes(8, "big")
            digest = hmac.new(key, message, hashlib.sha256).digest()
            for i in range(0, 32, 8):
                yield int.from_bytes(digest[i : i + 8], "big")
            block += 1

    def below(self, m: int) -> int:
        while True:
            x = next(self.words)
            if x < 2**64 // m * m:
                return x % m


def greedy_panel(instance: Instance, key: bytes, draw: int) -> tuple[tuple[str, ...], int]:
    """(ids of the panel, failed attempts) of one greedy draw, person by person."""
    numbers, failures = Numbers(key, draw), 0
    while True:
        panel = _greedy_attempt(instance, numbers)
        if panel is not None:
            return tuple(instance.ids[i] for i in sorted(panel)), failures
        failures += 1


def _greedy_attempt(instance: Instance, numbers: Numbers) -> list[int] | None:
    cells = [instance.type_cells(t) for t in instance.person_type]
    there = set(range(len(cells)))
    panel: list[int] = []
    while True:
        seats = [sum(c in cells[i] for i in panel) for c in range(len(instance.cells))]
        full = {c for c, (_, hi) in enumerate(instance.cell_bounds) if seats[c] == hi}
        there = {i for i in there if i not in panel and not full & set(cells[i])}
        if len(panel) == instance.size:
            return (
                panel
                if all(s >= lo for s, (lo, _) in zip(seats, instance.cell_bounds, strict=True))
                else None
            )
        best: tuple[Fraction, list[int]] | None = None
        for c, (lo, _) in enumerate(instance.cell_bounds):
            mine = sorted(i for i in there if c in cells[i])
            if lo - seats[c] > len(mine):
                return None
            if mine and (best is None or Fraction(lo - seats[c], len(mine)) > best[0]):
                best = (Fraction(lo - seats[c], len(mine)), mine)
        if best is None:
            return None
        panel.append(best[1][numbers.below(len(best[1]))])


def largest_entropy(instance: Instance, probabilities: tuple[Fraction, ...]) -> float:
    """The largest entropy, in bits, of a lottery with these probabilities: proportional fitting of weights over all panels listed."""
    panels = all_panels(instance)
    seats = [float(p * n) for p, n in zip(probabilities, instance.counts, strict=True)]
    panels = tuple(p for p in panels if _on_face(instance, p, seats))
    logs = [sum(log(comb(n, s)) for n, s in zip(instance.counts, p, strict=True)) for p in panels]
    theta = [0.0] * len(seats)
    for _ in range(20_000):
        scores = [
            base + sum(a * s for a, s in zip(theta, p, strict=True))
            for base, p in zip(logs, panels, strict=True)
        ]
        top = max(scores)
        shares = [exp(score - top) for score in scores]
        total = sum(shares)
        mean = [sum(w * p[t] for w, p in zip(shares, panels, strict=True)) / total for t in range(len(seats))]
        if max(abs(m - x) for m, x in zip(mean, seats, strict=True)) < 1e-7:
            break
        # Steps of the dual, damped by what a panel's seats can be at most: this never overshoots.
        theta = [
            a + log(x / m) / instance.size if x > 0 and m > 0 else a
            for a, x, m in zip(theta, seats, mean, strict=True)
        ]
    return sum(
        w / total * (log2(total / w) + base / log(2)) for w, base in zip(shares, logs, strict=True) if w > 0
    )


def _on_face(instance: Instance, panel: tuple[int, ...], seats: list[float]) -> bool:
    """Whether a panel keeps to the bounds that the mean keeps to: any other has no weight in a lottery with this mean."""
    for s, x, n in zip(panel, seats, instance.counts, strict=True):
        if (x == 0 and s > 0) or (x == n and s < n):
            return False
    for c, bounds in enumerate(instance.cell_bounds):
        members = [t for t in range(len(panel)) if c in instance.type_cells(t)]
        mean, here = sum(seats[t] for t in members), sum(panel[t] for t in members)
        if any(abs(mean - bound) < 1e-9 and here != bound for bound in bounds):
            return False
    return True
