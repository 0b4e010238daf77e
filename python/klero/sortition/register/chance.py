"""From the seed to the people: keys, certainty, tickets and duels over the parts of a register."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from struct import iter_unpack
from typing import TYPE_CHECKING

import numpy as np

from klero import _native
from klero.errors import InternalError
from klero.sortition.register.spill import PARTS, in_threads

if TYPE_CHECKING:
    from klero.sortition.register.scan import Progress, Scan
    from klero.sortition.register.spill import Spill

_UNIT = 80
_ALL = (1 << 64) - 1


@dataclass(frozen=True)
class Keys:
    """What the seed gives: HMAC keys for each kind of chance."""

    tickets: bytes
    finals: bytes
    nominate: bytes

    @classmethod
    def of(cls, seed: bytes) -> Keys:
        """The keys of a seed."""
        labels = (b"klero/tickets/v1", b"klero/finals/v1", b"klero/nominate/v1")
        return cls(*(hmac.digest(seed, label, "sha256") for label in labels))


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit as the kernels write it: a person, perhaps standing for an address."""

    id_hash: bytes
    row: int
    code: int
    weight: int
    unit_weight: int


@dataclass(frozen=True)
class Units:
    """What there is to draw from, by stratum: how many, their weights, the largest; and addresses with people of several strata."""

    count: list[int]
    weights: list[int]
    largest: list[int]
    mixed: int


@dataclass(frozen=True)
class Drawn:
    """Units drawn by chance and with certainty; letters and weights by stratum that were left for chance."""

    units: list[Unit]
    certain: list[Unit]
    letters: list[int]
    totals: list[int]


def unit_list(data: bytes) -> list[Unit]:
    """Units from their bytes."""
    units = []
    for id_hash, place, weight, low, high, _ in iter_unpack("<32sQQQQ16s", data):
        units.append(Unit(id_hash, place & ((1 << 40) - 1), place >> 40, weight, low + (high << 64)))
    return units


class Parts:
    """The parts of a scanned register, one at a time."""

    def __init__(self, scan: Scan, keys: Keys, progress: Progress | None) -> None:
        self.scan = scan
        self.keys = keys
        self.progress = progress

    def load(self, number: int) -> _native.RegisterPart:
        """A part with its units."""
        scan = self.scan
        housed = scan.houses is not None
        # Records by address hold no excluded rows any more.
        excluded = b"" if housed else scan.excluded_in(number)
        nominate = self.keys.nominate if housed else None
        return _native.RegisterPart(scan.records.part(number), housed, scan.ranks, excluded, nominate)

    def units(self) -> Units:
        """What there is to draw from."""
        scan = self.scan
        if scan.houses is None:
            return Units(scan.rows, scan.weights, scan.largest, 0)
        sums = np.zeros((4, len(scan.ranks)), np.uint64)
        largest, mixed = np.zeros(len(scan.ranks), np.uint64), 0
        for columns, crossing in in_threads(
            lambda p: self.load(p).totals(), iter(range(PARTS)), scan.threads
        ):
            rows, low, high, top, more = (np.frombuffer(c, np.uint64) for c in columns)
            sums += np.stack([rows, low, high, more])
            np.maximum(largest, top, out=largest)
            mixed += crossing
        rows_, low_, high_, more_ = (column.tolist() for column in sums)
        weights = [a + (b << 32) + (c << 64) for a, b, c in zip(low_, high_, more_, strict=True)]
        return Units(rows_, weights, largest.tolist(), mixed)

    def lowest(self, letters: list[int], units: Units) -> Drawn:
        """The units with the lowest tickets of each stratum.

        A cutoff a little above the expected one keeps candidates few; should it ever be too low, it is raised and the parts are read again,
        so the outcome does not depend on it.
        """
        slack = 1
        while True:
            cutoffs = np.array(
                [_cutoff(n, m, slack) for n, m in zip(letters, units.count, strict=True)], np.uint64
            )
            found: dict[int, list[tuple[bytes, bytes]]] = {}
            work = lambda p, c=cutoffs: self.load(p).tickets(self.keys.tickets, c)  # noqa: E731
            for part, data in enumerate(in_threads(work, iter(range(PARTS)), self.scan.threads)):
                for at in range(0, len(data), 32 + _UNIT):
                    unit = data[at + 32 : at + 32 + _UNIT]
                    code = int.from_bytes(unit[37:40], "little")
                    found.setdefault(int(self.scan.ranks[code]), []).append((data[at : at + 32], unit))
                self._advance(part)
            if all(len(found.get(s, ())) >= n for s, n in enumerate(letters)):
                break
            slack *= 8
        drawn = [sorted(found[s])[:n] for s, n in enumerate(letters) if n]
        people = unit_list(b"".join(raw for chosen in drawn for _, raw in chosen))
        return Drawn(people, [], letters, units.weights)

    def duels(self, letters: list[int], units: Units) -> Drawn:
        """Draws with chances in proportion to weights; those too heavy for chance are drawn first."""
        letters, totals = list(letters), list(units.weights)
        certain = self._certain(letters, totals, units.largest)
        known = b"".join(sorted(unit.id_hash for unit in certain))
        key, ranks, housed = self.keys.tickets, self.scan.ranks, self.scan.houses is not None
        drawn, standing = b"", b""
        dealt = self._dealt(letters, totals, known)
        work = lambda p: _native.register_duels(dealt.part(p), housed, ranks, key, letters, totals)  # noqa: E731
        try:
            for part, (won, left) in enumerate(in_threads(work, iter(range(PARTS)), self.scan.threads)):
                drawn += won
                standing += left
                self._advance(part)
        finally:
            dealt.close()
        won, left = _native.register_finals(standing, ranks, self.keys.finals, letters, totals)
        chosen = unit_list(drawn + won)
        if left or len(chosen) != sum(letters):
            raise InternalError(f"the duels drew {len(chosen)} people instead of {sum(letters)}")
        return Drawn(chosen, certain, letters, totals)

    def _dealt(self, letters: list[int], totals: list[int], known: bytes) -> Spill:
        """The units that duel, by their tickets. They take the place of the records, which are gone then."""
        scan, key = self.scan, self.keys.tickets
        if scan.houses is None:
            scan.spill.rewrite(
                lambda records: _native.register_deal(
                    records, scan.ranks, scan.excluded, key, letters, totals, known
                ),
                scan.threads,
            )
            return scan.spill
        dealt = scan.houses.another()
        try:
            work = lambda p: dealt.append(*self.load(p).deal(key, letters, totals, known))  # noqa: E731
            for _ in in_threads(work, iter(range(PARTS)), scan.threads):
                pass
        except BaseException:
            dealt.close()
            raise
        scan.houses.close()
        return dealt

    def _certain(self, letters: list[int], totals: list[int], largest: Sequence[int]) -> list[Unit]:
        """Takes out, round by round, whoever holds a whole letter; `letters` and `totals` become those of the others."""
        certain: list[Unit] = []
        search = any(n and n * w >= t for n, w, t in zip(letters, largest, totals, strict=True))
        while search:
            known = b"".join(sorted(unit.id_hash for unit in certain))
            work = lambda p, k=known: self.load(p).heavy(letters, totals, k)  # noqa: E731
            heavy = [
                u for data in in_threads(work, iter(range(PARTS)), self.scan.threads) for u in unit_list(data)
            ]
            for unit in heavy:
                rank = int(self.scan.ranks[unit.code])
                letters[rank] -= 1
                totals[rank] -= unit.unit_weight
            certain += heavy
            search = bool(heavy)
        return certain

    def _advance(self, part: int) -> None:
        if self.progress is not None:
            self.progress("drawn", self.scan.total * (part + 1) // PARTS)


def _cutoff(letters: int, rows: int, slack: int) -> int:
    if letters == 0:
        return 0
    wanted = letters + slack * (8 * (isqrt(letters) + 1) + 32)
    return _ALL if wanted >= rows else (wanted << 64) // rows
