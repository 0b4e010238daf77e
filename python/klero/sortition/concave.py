"""The best marginals and their claim for nash, goldilocks and minimax, whoever can't sit being left out first.

See `nash.py` and `extremes.py` for the methods, `claim.py` for the proof. Nash's own result shows whether everybody can sit: where its error is
small, each open type has a share above 0. Where not, linear programmes find who has none (`marginals.py`), as levels of value 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from klero.sortition.claim import NOTHING, Standing, standing
from klero.sortition.marginals import Marginals, exclusions

if TYPE_CHECKING:
    from klero.sortition.certificate import Claim, Level
    from klero.sortition.instance import Instance
    from klero.sortition.relaxation import Priced

# A solution of nash with a larger error shows nothing.
_SHOWN = 1e-9


def concave(
    instance: Instance,
    objective: str,
    never: Sequence[Level] = (),
    progress: Callable[[str, int], None] | None = None,
) -> Marginals:
    """Marginals over the linear relaxation, which must be feasible.

    Args:
        instance: the people and quotas.
        objective: «nash», «goldilocks» or «minimax».
        never: levels already proved (people who can sit on no panel, value 0).
        progress: called with («levels», number of levels).
    """
    from klero.sortition.nash import nash

    levels = list(never)
    where = standing(instance, shut_out(levels))
    found = nash(instance, where) if where.open else None
    if found is not None and found.error > _SHOWN:
        levels = exclusions(instance, never)
        where = standing(instance, shut_out(levels))
        found = nash(instance, where) if where.open and objective == "nash" else found
    if progress:
        progress("levels", len(levels) + 1)
    if found is None or not where.open:
        return Marginals(tuple(map(Fraction, where.bounds[0])), tuple(levels), NOTHING)
    found, claim = _solved(instance, objective, where, found)
    return Marginals(found.seats, tuple(levels), claim)


def shut_out(levels: Sequence[Level]) -> list[int]:
    """The types of levels of value 0."""
    return [t for level in levels if level.value == 0 for t, _ in level.types]


def _solved(instance: Instance, objective: str, where: Standing, found: Priced) -> tuple[Priced, Claim]:
    from klero.sortition.extremes import goldilocks, minimax
    from klero.sortition.nash import nash_claim

    if objective == "nash":
        return found, nash_claim(instance, where, found)
    return goldilocks(instance, where) if objective == "goldilocks" else minimax(instance, where)
