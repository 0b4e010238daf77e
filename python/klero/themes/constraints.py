"""Which contributions does a person want together, or apart, and can that be?

Pairs of row numbers. Those that must be together are so in chains: a with b and b with c puts a with c. A pair that must be apart and is together
by such a chain is a contradiction, and
so is a row that must be apart from itself.

>>> read_ties([(0, 1), (1, 2)], [(0, 3)], rows=4)
Ties(must=[(0, 1), (1, 2)], cannot=[(0, 3)])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TypeAlias

from klero.errors import Fault, InputError
from klero.voices.settings import shown

__all__ = ["Pairs", "Ties", "read_ties"]

Pairs: TypeAlias = Iterable[Sequence[int]]


@dataclass(frozen=True)
class Ties:
    """What was decided, as row numbers."""

    must: list[tuple[int, int]]
    cannot: list[tuple[int, int]]


def read_ties(must_link: Pairs | None, cannot_link: Pairs | None, rows: int) -> Ties:
    """The ties between so many rows.

    Raises:
        InputError: with all pairs that are none, name no row or contradict each other.
    """
    faults: list[Fault] = []
    must = _pairs("must_link", must_link, rows, faults)
    cannot = _pairs("cannot_link", cannot_link, rows, faults)
    root = _roots(must)
    for a, b in cannot:
        if _root(root, a) == _root(root, b):
            message = (
                f"rows {a} and {b} must be apart (cannot_link), and are to be together by must_link, directly or by way of other rows. "
                "Take one of the pairs away."
                if a != b
                else f"row {a} must be apart from itself (cannot_link). Take the pair away."
            )
            faults.append(Fault("ties-contradiction", message, ""))
    if faults:
        raise InputError(faults)
    return Ties(must, cannot)


def _pairs(name: str, given: Pairs | None, rows: int, faults: list[Fault]) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    try:
        listed = [] if given is None else [tuple(pair) for pair in given]
    except TypeError:
        message = (
            f"{name} is {shown(given)}; it must be a list of pairs of row numbers, such as [(0, 4), (4, 7)]."
        )
        faults.append(Fault("ties-pair", message, ""))
        return pairs
    for pair in listed:
        whole = [int(row) for row in pair if isinstance(row, Integral) and not isinstance(row, bool)]
        if len(pair) != 2 or len(whole) != 2:
            message = (
                f"{name} holds {shown(pair)}, which is no pair of row numbers. Give pairs such as (0, 4)."
            )
            faults.append(Fault("ties-pair", message, ""))
        elif not all(0 <= row < rows for row in whole):
            message = f"{name} holds {shown(pair)}, but rows are numbered 0 to {rows - 1}."
            faults.append(Fault("ties-row", message, ""))
        else:
            pairs.append((whole[0], whole[1]))
    return pairs


def _roots(must: list[tuple[int, int]]) -> dict[int, int]:
    root: dict[int, int] = {}
    for a, b in must:
        first, second = sorted((_root(root, a), _root(root, b)))
        root[second] = first
    return root


def _root(root: dict[int, int], row: int) -> int:
    while root.get(row, row) != row:
        row = root[row]
    return row
