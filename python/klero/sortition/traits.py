"""What a person of a type is, and what a quota or rule asks, in words.

Households, people who must sit and weights are features and numbers of their own inside (see :mod:`klero.sortition.rules`); no reader
should meet their inner names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from klero.sortition.rules import ALONE, HOUSEHOLD
from klero.words import words

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

_MOST_QUOTAS = 12


def traits(instance: Instance, t: int, lang: str) -> str:
    """«age: 65+, gender: man», and the weight, the household or the sure seat where there are such."""
    _ = words(lang).gettext
    cells = instance.type_cells(t)
    parts = [_cell(instance, c, lang) for c in cells if c not in instance.rule_cells]
    for f, v in (instance.cells[c] for c in cells if c in instance.rule_cells):
        if instance.features[f] == HOUSEHOLD:
            if instance.values[f][v] != ALONE:
                parts.append(_("shares an address with others of the pool"))
        elif instance.values[f][v] == "yes":
            parts.append(_("must sit"))
    if instance.weighted:
        parts.append(_("weight {w} in whole units").format(w=instance.weights[t]))
    return ", ".join(parts)


def _cell(instance: Instance, c: int, lang: str) -> str:
    """«age: 65+», in French with the space before the colon."""
    if lang != "fr":
        return instance.cell_name(c)
    f, v = instance.cells[c]
    return f"{instance.features[f]}\u00a0: {instance.values[f][v]}"


def quota_words(instance: Instance, cells: Sequence[tuple[int, bool]], lang: str) -> str:
    """«at most 5 of age: 16-24; at least 3 of …»; a cell's flag says that it is the maximum. Rules are named as such, once each."""
    _ = words(lang).gettext
    names = list(dict.fromkeys(_bound(instance, c, is_maximum, lang) for c, is_maximum in cells))
    if len(names) > _MOST_QUOTAS:
        names[_MOST_QUOTAS:] = [_("and {n} more").format(n=len(names) - _MOST_QUOTAS)]
    return ("; " if lang != "fr" else "\u202f; ").join(names)


def _bound(instance: Instance, c: int, is_maximum: bool, lang: str) -> str:
    _ = words(lang).gettext
    lo, hi = instance.cell_bounds[c]
    if c not in instance.rule_cells:
        text = _("at most {n} of {cell}") if is_maximum else _("at least {n} of {cell}")
        return text.format(n=hi if is_maximum else lo, cell=_cell(instance, c, lang))
    f, _v = instance.cells[c]
    if instance.features[f] == HOUSEHOLD:
        return _("at most {n} from one address").format(n=instance.per_household)
    return _("the seats of those who must sit")
