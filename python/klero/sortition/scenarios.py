"""Who might drop out, as whole numbers from a seed?

A scenario says of each panel member whether they stay. A member with the probability a/b of dropping out does so where a
number drawn uniformly from 0 … b − 1 is below a; the numbers are HMAC-SHA256 of a key, the scenario and the person's id, by
rejection (as the draw's index in `docs/audit/bundle.md`). No float, no thread and no order of people has a part in it.

Members drop out independently of each other, as in Assos, Baharav, Flanigan and Procaccia («Alternates, Assemble! Selecting
Optimal Alternates for Citizens' Assemblies», EC 2025). Where withdrawals come in groups (a flu, a couple), losses spread
more widely than these scenarios say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from klero.errors import Fault, InputError, quoted
from klero.sortition import keyed

__all__ = ["Scenarios", "all_scenarios", "dropout_table", "probability", "sampled_scenarios", "uniform"]

MOST_DENOMINATOR = 10**12


@dataclass(frozen=True)
class Scenarios:
    """Sets of members who drop out, each with a weight.

    Attributes:
        gone: ids of those who drop out, in each scenario; all different.
        weights: how often each scenario came (or its probability over a common denominator).
    """

    gone: tuple[tuple[str, ...], ...]
    weights: tuple[int, ...]

    @property
    def total(self) -> int:
        """The sum of weights."""
        return sum(self.weights)


def uniform(key: bytes, label: bytes, scenario: int, name: str, below: int) -> int:
    """A whole number from 0 to `below` − 1, all equally likely, from a key."""
    prefix = b"klero/dropout/v1\0" + label + b"\0" + scenario.to_bytes(8, "big")
    return keyed.below(key, prefix, below, name.encode())


def sampled_scenarios(
    key: bytes, label: bytes, members: Sequence[str], dropout: Mapping[str, Fraction], count: int
) -> Scenarios:
    """`count` scenarios drawn from the members' probabilities; equal ones are put together."""
    people = sorted(members)
    drawn: Counter[tuple[str, ...]] = Counter()
    for scenario in range(count):
        drawn[
            tuple(
                i
                for i in people
                if uniform(key, label, scenario, i, dropout[i].denominator) < dropout[i].numerator
            )
        ] += 1
    listed = sorted(drawn.items())
    return Scenarios(tuple(gone for gone, _ in listed), tuple(n for _, n in listed))


def all_scenarios(members: Sequence[str], dropout: Mapping[str, Fraction]) -> Scenarios:
    """Every scenario with its exact probability, over a common denominator: 2^members of them, for small panels."""
    people = sorted(members)
    listed: list[tuple[tuple[str, ...], int]] = [((), 1)]
    for i in people:
        p = dropout[i]
        out, stay = p.numerator, p.denominator - p.numerator
        listed = [
            (gone + more, weight * factor)
            for gone, weight in listed
            for more, factor in (((), stay), ((i,), out))
            if factor
        ]
    return Scenarios(tuple(gone for gone, _ in listed), tuple(weight for _, weight in listed))


def probability(text: object) -> Fraction:
    """«0.1», «1/10», «10 %» or a number, as an exact fraction from 0 to 1.

    Raises:
        ValueError: it is none.
    """
    if isinstance(text, bool) or not isinstance(text, (str, int, float, Fraction)):
        raise ValueError("no probability: not a number")
    words = str(text).strip().replace("\u202f", "").replace("\u00a0", "")
    scale = 1
    if words.endswith("%"):
        words, scale = words[:-1].strip(), 100
    if len(words) > 40:
        raise ValueError("no probability: too long")
    try:
        value = Fraction(words if "/" in words else words.replace(",", ".")) / scale
    except (ValueError, ZeroDivisionError):
        raise ValueError("no probability: not a number") from None
    if not 0 <= value <= 1 or value.denominator > MOST_DENOMINATOR:
        raise ValueError("no probability: out of range")
    return value


def dropout_table(
    given: Mapping[str, object] | object, people: Iterable[str], name: str = "dropout"
) -> dict[str, Fraction]:
    """The probability of each of `people`, from a table id → probability or one probability for all.

    Raises:
        InputError: somebody has none, or what they have is no probability.
    """
    faults: list[Fault] = []
    table: dict[str, Fraction] = {}
    common = None if isinstance(given, Mapping) else given
    missing = []
    for person in sorted(people):
        value = given.get(person) if isinstance(given, Mapping) else common
        if value is None:
            missing.append(person)
            continue
        try:
            table[person] = probability(value)
        except ValueError:
            message = f"{quoted(str(value))} is no probability of dropping out: write a number from 0 to 1, such as 0.1, 1/10 or 10 %."
            faults.append(Fault("dropout-invalid", message, name, value=str(value)))
            if common is not None:
                break
    if missing:
        shown = ", ".join(map(quoted, missing[:5])) + (
            f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        )
        message = f"{len(missing)} people have no probability of dropping out: {shown}. Add a row for each."
        faults.append(Fault("dropout-invalid", message, name, value=missing[0]))
    if faults:
        raise InputError(faults)
    return table
