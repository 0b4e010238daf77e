"""Does this bundle follow from the ones before it, seat by seat?

The checks of a replacement that need more than one bundle; each bundle's own checks are those of :mod:`klero.ledger.verify`.

- `bundles`: every bundle passes its own checks and was drawn.
- `link`: each seed names the commitment of the bundle before, and rounds rise.
- `people`: who stayed must sit, nobody who left a panel is in a later pool, nobody is in a later pool who was not in the first, and
  nobody's values changed.
- `quotas`: size and quotas are the first bundle's, or widened by the smallest breach there is.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import pairwise

from klero.errors import InfeasibleError, KleroError, quoted
from klero.ledger.replacement import Drawn, link_problem
from klero.ledger.verify import Check, Verification
from klero.sortition.instance import Instance
from klero.sortition.residual import breach, must_sit, residual, without_must_sit

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
        next((p for p in (link_problem(a, b) for a, b in pairwise(chain)) if p), ""),
        _people_problem(chain),
        "",
    ]
    details = [f"{len(chain) - 1} links, round {chain[-1].round}", _people_detail(chain), ""]
    problems[2], details[2] = (
        ("not checked: people failed", "") if problems[1] else _quota_result(chain)
    )
    checks = [Check("bundles", True, f"{len(chain)} bundles, all drawn")]
    for name, problem, detail in zip(names[1:], problems, details, strict=True):
        checks.append(Check(name, not problem, problem or detail))
    return Verification(tuple(checks))


def _people_problem(chain: Sequence[Drawn]) -> str:
    first = _values(chain[0].lottery.instance)
    left: set[str] = set()
    for before, after in pairwise(chain):
        panel, pool = set(before.draw.panel), set(after.lottery.instance.ids)
        forced = must_sit(after.lottery.instance)
        left |= panel - forced
        if forced - panel:
            return f"{quoted(min(forced - panel))} must sit in round {after.round} and was not on the panel before"
        if left & pool:
            return f"{quoted(min(left & pool))} had left the panel and is in the pool of round {after.round}"
        mine = _values(after.lottery.instance)
        for person, values in sorted(mine.items()):
            if first.get(person) != values:
                what = "was not in the first pool" if person not in first else "has other values than in the first pool"
                return f"{quoted(person)} {what} and is in that of round {after.round}"
    return ""


def _people_detail(chain: Sequence[Drawn]) -> str:
    before, after = chain[-2], chain[-1]
    stay = len(must_sit(after.lottery.instance))
    left = {i for a, b in pairwise(chain) for i in set(a.draw.panel) - set(b.draw.panel)}
    remained = len(set(chain[0].lottery.instance.ids) - left) - stay
    candidates = len(after.lottery.instance.ids) - stay
    return f"{len(before.draw.panel) - stay} left, {stay} stayed, drawn from {candidates} of {remained} who remained"


def _quota_result(chain: Sequence[Drawn]) -> tuple[str, str]:
    """(what is wrong, what was found)."""
    after = chain[-1].lottery.instance
    mine, first = without_must_sit(after), without_must_sit(chain[0].lottery.instance)
    if (mine.size, mine.features, mine.values) != (first.size, first.features, first.values):
        return "the size, features or values are not those of the first bundle", ""
    total = 0
    for c, ((low, high), (low0, high0)) in enumerate(zip(mine.cell_bounds, first.cell_bounds, strict=True)):
        if low > low0 or high < high0:
            return f"the quota of {mine.cell_name(c)} is tighter than in the first bundle", ""
        total += low0 - low + high - high0
    if not total:
        return "", "those of the first bundle"
    stay = must_sit(after)
    try:
        smallest = breach(residual(chain[0].lottery.instance, stay, set(after.ids) - stay))
    except InfeasibleError as error:
        return error.message, ""
    least = smallest.total if smallest else 0
    if total > least:
        return f"the quotas are widened by {total} in all, and {least} would be enough", ""
    return "", f"widened by {total} in all, the least that any completion needs"


def _values(instance: Instance) -> dict[str, tuple[str, ...]]:
    """Each person's values by id, without what forces them to sit."""
    plain = without_must_sit(instance)
    named = [tuple(plain.values[f][v] for f, v in enumerate(kind)) for kind in plain.types]
    return {i: named[t] for i, t in zip(plain.ids, plain.person_type, strict=True)}
