"""Does this bundle follow from the ones before it, seat by seat?

The checks of a replacement that need more than one bundle; each bundle's own checks are those of :mod:`klero.ledger.verify`.

- `bundles`: every bundle passes its own checks and was drawn.
- `link`: the oldest bundle is a first draw, each seed names the commitment and the seed of the draw before, and rounds rise.
- `people`: who stayed must sit, nobody who left a panel is in a later pool, nobody is in a later pool who was not in the first, and
  nobody's values changed.
- `quotas`: size and quotas are the first bundle's, or widened by the smallest breach there is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise

from klero.errors import InfeasibleError, KleroError, quoted
from klero.ledger.replacement import Drawn, link_problem, start_problem
from klero.ledger.verify import Check, Verification
from klero.sortition.instance import Instance
from klero.sortition.residual import breach, residual

__all__ = ["verify_replacement"]


def verify_replacement(
    bundle: str | os.PathLike[str], earlier: Sequence[str | os.PathLike[str]]
) -> Verification:
    """Checks that a bundle follows from earlier ones (oldest first, the last one being its predecessor).

    Never raises for what the bundles hold: it is a matter of checks.
    """
    names = ("bundles", "link", "people", "quotas")
    try:
        chain = [Drawn.read(place) for place in (*earlier, bundle)]
    except KleroError as error:
        rest = (Check(name, False, "not checked: bundles failed") for name in names[1:])
        return Verification((Check("bundles", False, error.message), *rest))
    problems = [
        start_problem(chain[0])
        or next((p for p in (link_problem(a, b) for a, b in pairwise(chain)) if p), ""),
        _people_problem(chain),
        "",
    ]
    details = [
        f"{len(chain) - 1} link{'' if len(chain) == 2 else 's'}, round {chain[-1].round}",
        _people_detail(chain),
        "",
    ]
    problems[2], details[2] = ("not checked: people failed", "") if problems[1] else _quota_result(chain)
    checks = [Check("bundles", True, f"{len(chain)} bundles, all drawn")]
    for name, problem, detail in zip(names[1:], problems, details, strict=True):
        checks.append(Check(name, not problem, problem or detail))
    return Verification(tuple(checks))


def _people_problem(chain: Sequence[Drawn]) -> str:
    first = chain[0].lottery.instance
    left: set[str] = set()
    for before, after in pairwise(chain):
        here = after.lottery.instance
        panel, pool, forced = set(before.draw.panel), set(here.ids), here.must_sit
        left |= panel - forced
        where = f"in round {after.round}"
        if forced - panel:
            return f"{quoted(min(forced - panel))} must sit {where} and was not on the panel before"
        if left & pool:
            return f"{quoted(min(left & pool))} had left the panel and is in the pool {where}"
        if pool - set(first.ids):
            return (
                f"{quoted(min(pool - set(first.ids)))} was not in the first pool and is in the pool {where}"
            )
        if _who(here) != _who(residual(first, forced, pool - forced)):
            return f"features, values, weights or households of the people {where} are not those of the first bundle"
    return ""


def _people_detail(chain: Sequence[Drawn]) -> str:
    before, after = chain[-2], chain[-1]
    stay = len(after.lottery.instance.must_sit)
    left = {i for a, b in pairwise(chain) for i in set(a.draw.panel) - set(b.draw.panel)}
    remained = len(set(chain[0].lottery.instance.ids) - left) - stay
    candidates = len(after.lottery.instance.ids) - stay
    return f"{len(before.draw.panel) - stay} left, {stay} stayed, drawn from {candidates} of {remained} who remained"


def _quota_result(chain: Sequence[Drawn]) -> tuple[str, str]:
    """(what is wrong, what was found)."""
    after, stay = chain[-1].lottery.instance, chain[-1].lottery.instance.must_sit
    first = residual(chain[0].lottery.instance, stay, set(after.ids) - stay)
    total = 0
    for c, ((low, high), (low0, high0)) in enumerate(zip(after.cell_bounds, first.cell_bounds, strict=True)):
        if low > low0 or high < high0:
            return f"the quota of {after.cell_name(c)} is tighter than in the first bundle", ""
        if c in after.rule_cells and (low, high) != (low0, high0):
            return f"the rule {after.cell_name(c)} was loosened", ""
        total += low0 - low + high - high0
    if not total:
        return "", "those of the first bundle"
    try:
        smallest = breach(first)
    except InfeasibleError as error:
        return error.message, ""
    least = smallest.total if smallest else 0
    if total > least:
        return f"the quotas are widened by {total} in all, and {least} would be enough", ""
    return "", f"widened by {total} in all, the least that any completion needs"


def _who(instance: Instance) -> tuple[object, ...]:
    """All that an instance says of people and seats, without the bounds of cells."""
    return (
        *(instance.size, instance.features, instance.values, instance.types, instance.weights, instance.ids),
        *(instance.person_type, instance.id_column, instance.per_household, instance.households),
    )
