"""What does a way of drawing give, in a few figures: the smallest and the largest chance, how equal they are, and among whom?

Shared by all that gives each person a probability: lotteries (`lottery.py`) and what they are compared with (`baselines.py`). Whoever sits on every panel, or
can sit on none, has a chance that no way of drawing changes; one such person makes the smallest chance 0 % or the largest 100 %, and the figures say
nothing of the others. So :meth:`Chances.among` gives them of some types only: those whose chance is *open*.

Guaranteed: all but Gini and mean is exact. Cost: linear in the types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING

from klero.sortition.spread import geometric_mean, gini

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

__all__ = ["Chances", "Figures"]


@dataclass(frozen=True)
class Figures:
    """The chances of some people in a few figures.

    Attributes:
        people: how many they are.
        smallest: the smallest probability of anybody among them, exact.
        largest: the largest, exact.
        gini: the Gini coefficient, in [0, 1): 0 when all are equal.
        geometric_mean: 0 if anybody's is 0.
    """

    people: int
    smallest: Fraction
    largest: Fraction
    gini: float
    geometric_mean: float


class Chances:
    """A probability for each person, the same for all of a type."""

    if TYPE_CHECKING:

        @property
        def instance(self) -> Instance: ...

        @property
        def type_probabilities(self) -> tuple[Fraction, ...]: ...

    @property
    def input_digest(self) -> str:
        """SHA-256 of people, quotas and size: see `Instance.digest`."""
        return self.instance.digest()

    def probability(self, person: str) -> Fraction:
        """The exact probability of one person, or its estimate, by id.

        Raises:
            InputError: nobody in the pool has this id.
        """
        return self.type_probabilities[self.instance.person_type[self.instance.position(person)]]

    @property
    def min_probability(self) -> Fraction:
        """The smallest probability, or estimate, of anybody."""
        return min(self.type_probabilities)

    @property
    def max_probability(self) -> Fraction:
        """The largest probability, or estimate, of anybody."""
        return max(self.type_probabilities)

    @property
    def equal_share(self) -> Fraction:
        """k/n: everybody's probability if there were no quotas."""
        return Fraction(self.instance.size, len(self.instance.ids))

    @cached_property
    def gini(self) -> float:
        """Gini coefficient of the probabilities or estimates, in [0, 1): 0 when all are equal."""
        return gini(self.type_probabilities, self.instance.counts)

    @cached_property
    def geometric_mean(self) -> float:
        """Geometric mean of the probabilities or estimates; 0 if anybody's is 0."""
        return geometric_mean(self.type_probabilities, self.instance.counts)

    def among(self, types: Sequence[int]) -> Figures:
        """The figures of the people of some types (of all, if none is named)."""
        chosen = types or range(len(self.instance.types))
        p = [self.type_probabilities[t] for t in chosen]
        n = [self.instance.counts[t] for t in chosen]
        return Figures(sum(n), min(p), max(p), gini(p, n) if any(p) else 0.0, geometric_mean(p, n))
