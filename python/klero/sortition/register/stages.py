"""Which municipalities are in, when people are drawn in two stages?

Municipalities are drawn with probability proportional to size, systematically (Madow 1949), in whole numbers: they stand in a row by code
points, each as long as m times its size; a point that the seed chooses among the first W places, W the sum of all sizes, and every
W-th place after it, hit m of them. One that is longer than the interval is in with certainty, and is taken out before (the rest is
computed anew, until none is longer). Within the municipalities people are drawn as in strata.

Letters: a municipality that is in with certainty gets its share of all letters (largest remainders); what is left, R letters for m'
municipalities, is shared out evenly, the R mod m' odd ones to a simple random sample of them. So the expected number of letters of one that was hit is R/m'
whichever it is, and each person's chance of a letter is exactly m'·W_p/W' · R/m' · w_i/W_p = R·w_i/W'.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from klero import _native
from klero.errors import Fault, InputError
from klero.sortition import keyed
from klero.sortition.register.allocation import Label, apportion, shown

if TYPE_CHECKING:
    from klero.sortition.register.scan import Scan


@dataclass(frozen=True)
class Stages:
    """The first stage's outcome.

    Attributes:
        letters: by municipality; 0 for those that are not in.
        factors: expected letters by municipality before anything is drawn: its probability times the letters it would get.
        chances: by municipality, the probability to be in.
    """

    letters: list[int]
    factors: list[Fraction]
    chances: list[Fraction]


def parse_stages(text: str | tuple[str, int]) -> tuple[str, int]:
    """«commune:50» → ("commune", 50). InputError if it is not of that form."""
    if isinstance(text, tuple):
        column, count = text
    else:
        column, _, digits = text.rpartition(":")
        count = int(digits) if digits.isdecimal() and len(digits) < 10 else 0
    if not column or count < 1:
        message = "the stages are given as COLUMN:M, for instance commune:50, with M municipalities to draw, 1 or more."
        raise InputError([Fault("stages-invalid", message, "", value=str(text))])
    return column, count


def below(key: bytes, limit: int) -> int:
    """A whole number below `limit`, each equally likely, as positions are found in `docs/audit/bundle.md`."""
    return keyed.below(key, b"klero/index/v1\0", limit)


def certain_ones(sizes: Sequence[int], count: int) -> set[int]:
    """Those that a systematic draw of `count` takes with certainty."""
    taken: set[int] = set()
    while True:
        m, total = count - len(taken), sum(s for i, s in enumerate(sizes) if i not in taken)
        more = {i for i, s in enumerate(sizes) if i not in taken and s and m * s >= total}
        if not more:
            return taken
        taken |= more


def systematic(sizes: Sequence[int], count: int, start: int) -> list[int]:
    """Indices hit by the places start, start + W, …; 0 ≤ start < W, and count·size < W for each size.

    >>> systematic([3, 3, 2, 2], 2, 7)
    [1, 3]
    """
    total, hit, end, point = sum(sizes), [], 0, start
    for i, size in enumerate(sizes):
        end += count * size
        if point < end:
            hit.append(i)
            point += total
    return hit


def draw_stages(scan: Scan, count: int, size: int, seed: bytes) -> Stages:
    """Draws `count` municipalities (the scan's strata) and shares out `size` letters.

    Raises:
        InputError: there are fewer municipalities, or fewer letters than municipalities.
    """
    labels, sizes = scan.labels, scan.weights
    present = sum(1 for s in sizes if s)
    if count > present:
        message = f"{count} municipalities are asked for, and the register has {present}."
        raise InputError([Fault("stages-invalid", message, "", value=str(count))])
    certain = sorted(certain_ones(sizes, count))
    others = [i for i in range(len(labels)) if sizes[i] and i not in set(certain)]
    rest, m = sum(sizes[i] for i in others), count - len(certain)
    *shares, left = apportion(size, [*(sizes[i] for i in certain), rest])
    if left < m or 0 in shares:
        message = f"{size} letters are too few for {count} municipalities. Ask for more letters or fewer municipalities."
        raise InputError([Fault("stages-invalid", message, "", value=str(size))])
    letters = [0] * len(labels)
    factors, chances = [Fraction(0)] * len(labels), [Fraction(0)] * len(labels)
    for i, n in zip(certain, shares, strict=True):
        letters[i], factors[i], chances[i] = n, Fraction(n), Fraction(1)
    for i in others:
        chances[i], factors[i] = Fraction(m * sizes[i], rest), Fraction(left * sizes[i], rest)
    if m:
        key = hmac.digest(seed, b"klero/stage/v1", "sha256")
        hit = [others[i] for i in systematic([sizes[i] for i in others], m, below(key, rest))]
        each, odd = divmod(left, m)
        tickets = hmac.digest(seed, b"klero/stage/tickets/v1", "sha256")
        order = sorted(hit, key=lambda i: hmac.digest(tickets, _name(labels[i]), "sha256"))
        for place, i in enumerate(order):
            letters[i] = each + (place < odd)
    return Stages(letters, factors, chances)


def _name(label: Label) -> bytes:
    return _native.seq_hash("klero/register/stratum/v1", [value.encode() for value in label])


def check_room(
    scan: Scan,
    stages: Stages,
    units: Sequence[int],
    largest: Sequence[int],
    totals: Sequence[int],
    weighted: bool,
) -> None:
    """Every municipality that could have been hit must be able to use its letters, or chances would not be exact.

    Raises:
        InputError: naming those that can't.
    """
    evenly = max((n for n, c in zip(stages.letters, stages.chances, strict=True) if n and c < 1), default=0)
    faults = []
    for i, label in enumerate(scan.labels):
        chance = stages.chances[i]
        if not chance:
            continue
        need = stages.letters[i] if chance == 1 else evenly
        too_heavy = weighted and need * largest[i] >= totals[i] and need
        if units[i] >= need and not too_heavy:
            continue
        said = (
            f"has {units[i]} people or addresses to draw from"
            if units[i] < need
            else "has a person whose weight is more than one letter's share"
        )
        message = f"the municipality {shown(label)} would get {need} letters and {said}. Join it with a neighbour, or draw more municipalities."
        faults.append(Fault("stages-invalid", message, "register"))
    if faults:
        raise InputError(faults)
