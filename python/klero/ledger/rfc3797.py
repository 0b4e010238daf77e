"""How does RFC 3797 pick people from a published list, and does its published result follow?

RFC 3797 (2004) picks n of P names with numbers read in public: a key string is made of the numbers, and MD5 of the step's number, the key and
the number again, taken modulo the names that are left, picks the next. Standards bodies drew their committees so. This module replays such draws.

What the method lacks, and why klero's own draws don't use it: MD5 is broken as a hash for signatures (no attack on this use is known, but none
should have to be argued about); the remainder favours low numbers, by less than one part in 2^128 / P; names are public; nothing is committed
before but the list; there are no quotas, no signatures and no log.

>>> draw = replay(read_seeds("9319\\n2 5 12 8 10\\n9 18 26 34 41 45"), pool=25, count=3)
>>> draw.key
'9319./2.5.8.10.12./9.18.26.34.41.45./'
>>> [step.selected for step in draw.steps]
[17, 7, 2]
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

from klero.errors import Fault, InputError, quoted

__all__ = ["Replay", "Step", "bits_needed", "bits_shown", "key_string", "read_names", "read_seeds", "replay"]

# The step's number is two bytes in the RFC's hash.
MOST_STEPS = 1 << 16
_MOST_DIGITS = 40
_MOST_POOL = 100_000


@dataclass(frozen=True)
class Step:
    """One selection: its number from 1, MD5 in upper-case hexadecimal, the names left before it, the place selected (from 1), the name or ''."""

    index: int
    digest: str
    divisor: int
    selected: int
    name: str


@dataclass(frozen=True)
class Replay:
    """A draw replayed.

    Attributes:
        key: the key string.
        pool: how many names there are.
        needed: bits of chance that so many selections from so many names ask for: log2 of the number of possible panels.
        shown: bits that the numbers seem to have had (see `bits_shown`), an estimate from above or below.
        steps: the selections in order.
    """

    key: str
    pool: int
    needed: float
    shown: float
    steps: tuple[Step, ...]


_MOST_NUMBERS = 1000  # many sources of a few numbers each
_MOST_FAULTS = 5


def read_names(text: str, name: str = "names") -> tuple[str, ...]:
    """The names, one a line, in their order; blank lines and lines that begin with # are left out.

    Raises:
        InputError: there is none.
    """
    names = tuple(
        line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    )
    if not names:
        raise InputError([Fault("table-no-rows", "there are no names in it", name)])
    return names


def read_seeds(text: str, name: str = "seeds") -> tuple[tuple[int, ...], ...]:
    """The numbers of each source, one source a line, apart by spaces; blank lines and comments (#) are left out. Leading zeros are dropped.

    Raises:
        InputError: a field is no whole number; all such fields are named. Or there is no number at all.
    """
    faults, lines = [], []
    for row, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        numbers = []
        for field in line.split():
            if field.isascii() and field.isdigit() and len(field) <= _MOST_DIGITS:
                numbers.append(int(field))
            else:
                message = (
                    f"{quoted(field)} is no whole number of at most {_MOST_DIGITS} digits. A source is a line of whole numbers apart by spaces, "
                    "such as «9 18 26 34»; other kinds of sources are not replayed"
                )
                faults.append(Fault("seeds-invalid", message, name, row=row, value=field))
        lines.append(tuple(numbers))
    if not faults and not lines:
        faults = [Fault("seeds-invalid", "it holds no numbers. Give each source of numbers in a line", name)]
    total = sum(map(len, lines))
    if total > _MOST_NUMBERS:
        message = f"it holds {total} numbers, far more than any draw publishes (at most {_MOST_NUMBERS} are read). Give the right file"
        faults = [Fault("seeds-invalid", message, name)]
    if len(faults) > _MOST_FAULTS:
        rest = len(faults) - _MOST_FAULTS
        message = f"{rest} more fields are no whole numbers; this does not look like a file of numbers. Give the right one"
        faults[_MOST_FAULTS:] = [Fault("seeds-invalid", message, name)]
    if faults:
        raise InputError(faults)
    return tuple(lines)


def key_string(seeds: Sequence[Sequence[int]]) -> str:
    """The RFC's key string: each source's numbers rising, a point after each, a slash after each source.

    >>> key_string([(48, 7, 7), (8285182,)])
    '7.7.48./8285182./'
    """
    return "".join("".join(f"{n}." for n in sorted(line)) + "/" for line in seeds)


def replay(
    seeds: Sequence[Sequence[int]], *, count: int, pool: int | None = None, names: Sequence[str] = ()
) -> Replay:
    """Replays a draw of `count` from `pool` places, or from `names`. O(count · pool).

    Raises:
        InputError: the numbers don't fit each other.
    """
    size = len(names) if pool is None else pool
    faults = []
    if names and pool is not None and pool != len(names):
        message = f"there are {len(names)} names, and a pool of {pool} is asked for. Give one of the two"
        faults.append(Fault("option-range", message, "", value=str(pool)))
    if not 1 <= size <= _MOST_POOL:
        message = f"a pool of {size} can't be drawn from; it has 1 to {_MOST_POOL} names"
        faults.append(Fault("option-range", message, "", value=str(size)))
    elif not 1 <= count <= min(size, MOST_STEPS):
        message = f"{count} can't be drawn from {size}; give a number from 1 to {min(size, MOST_STEPS)}"
        faults.append(Fault("option-range", message, "", value=str(count)))
    if faults:
        raise InputError(faults)
    key = key_string(seeds)
    left, steps = list(range(1, size + 1)), []
    for i in range(count):
        edge = i.to_bytes(2, "big")
        digest = hashlib.md5(edge + key.encode() + edge, usedforsecurity=False).digest()
        selected = left.pop(int.from_bytes(digest, "big") % len(left))
        name = names[selected - 1] if names else ""
        steps.append(Step(i + 1, digest.hex().upper(), len(left) + 1, selected, name))
    return Replay(key, size, bits_needed(size, count), bits_shown(seeds), tuple(steps))


def bits_needed(pool: int, count: int) -> float:
    """log2 of the number of possible panels, rounded up to a tenth of a bit.

    >>> bits_needed(134, 12)
    55.3
    """
    # The smallest t with panels^10 at most 2^t: whole numbers, so that no rounding of a logarithm decides.
    return (math.comb(pool, count) ** 10 - 1).bit_length() / 10


def bits_shown(seeds: Sequence[Sequence[int]]) -> float:
    """Bits that the numbers seem to have had, rounded down to a tenth.

    A source's range is not in its numbers. A single number of d digits counts log2(10^d); several different numbers up to m count as so many drawn
    from m without regard to order; with repeats, as drawn with repetition. The largest number stands for m, so true lotteries have had a little more,
    and numbers that somebody chose have had nothing, whatever this says.
    """
    total = 1
    for line in seeds:
        if len(line) == 1:
            total *= 10 ** len(str(line[0]))
            continue
        most, c = max(line), len(line)
        ways = math.comb(most, c) if len(set(line)) == c and min(line) > 0 else math.comb(most + c, c)
        total *= max(1, ways)
    return ((total**10).bit_length() - 1) / 10
