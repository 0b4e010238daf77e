"""Which quota costs fairness? How the smallest probability would rise if a quota were a little looser.

Method. The smallest probability that the quotas allow is the value of a linear programme (`marginals.py`). Its dual
weights λ (cells) and y (types) bound how much it can rise: loosening the bound of a cell by s seats adds at most
s·|λ_c| / Σ a_T·y_T, and nothing where λ_c is 0 (sensitivity of linear programmes: the value is concave in the bounds,
and the dual weights are a supergradient). The quotas with a weight are then loosened by 1, 2 and 5 seats and each
programme is solved again in exact arithmetic. The few that weigh most are also loosened together with what is in the
way next: the bounds with a dual weight in the programme so loosened; no other bound can help beside them.

Guarantee. All values are exact rationals of the linear relaxation, which nearly always can be realised by a lottery
over panels (`lottery.py` finds out); where it can't, true values are lower. A quota that is not listed changes nothing
when it is loosened alone. With weights, fairness is about p/w and so are the values.

Cost: one linear programme for the quotas as they are, up to three for each that binds, one for each pair. One thread,
no randomness.

>>> import klero
>>> people = [{"id": f"P{i}", "gender": "woman" if i % 3 else "man"} for i in range(12)]
>>> rows = [{"feature": "gender", "value": v, "min": 2, "max": 2} for v in ("woman", "man")]
>>> found = klero.what_if(klero.Pool.read(people), klero.Quotas.read(rows), size=4)
>>> found.minimum, [(found.bound_name(x.bounds[0]), str(x.values[1])) for x in found.loosenings]
(Fraction(1, 4), [])
>>> [(found.bound_name(b), str(x.values[1])) for x in found.pairs for b in x.bounds]
[('at least 2 of gender: man', '1/3'), ('at most 2 of gender: woman', '1/3')]
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Unpack

from klero.sortition.feasibility import Bound, feasible_panel
from klero.sortition.infeasible import explain_infeasible
from klero.sortition.instance import Instance, build_instance
from klero.sortition.marginals import first_level
from klero.sortition.pool import Pool
from klero.sortition.quotas import Quotas
from klero.sortition.rules import RuleOptions, Rules
from klero.words import percent, words

if TYPE_CHECKING:
    from klero.sortition.certificate import Level
    from klero.tables import TableSource

ALGORITHM = "klero-whatif/1"
STEPS = (1, 2, 5)
# How many bounds are loosened together with others (those that help most alone, then those of most dual weight), and
# with how many.
_PAIRED = 5
_PARTNERS = 4
_REPAIRS = 3

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Loosening:
    """What happens when one bound is loosened, or two together.

    Attributes:
        bounds: the bounds, each loosened by the same number of seats.
        values: the smallest probability (p/w with weights) by number of seats, exact. A minimum ends at 0 and a maximum
            at the panel's size, and steps beyond these are left out.
        at_most: what each further seat (of each bound, for a pair) adds at most, from the dual weights; exact.
    """

    bounds: tuple[Bound, ...]
    values: Mapping[int, Fraction]
    at_most: Fraction


@dataclass(frozen=True)
class WhatIf:
    """Which quotas cost fairness.

    Attributes:
        instance: people and quotas.
        minimum: the smallest p/w that the quotas allow (p where there are no weights), exact.
        loosenings: the single bounds that would raise it, the largest gain per seat first.
        pairs: pairs of bounds that together raise it by more than each alone adds up to, the largest gain first.
    """

    instance: Instance
    minimum: Fraction
    loosenings: tuple[Loosening, ...]
    pairs: tuple[Loosening, ...]

    @property
    def algorithm(self) -> str:
        """The algorithm and its version."""
        return ALGORITHM

    @property
    def input_digest(self) -> str:
        """SHA-256 of people, quotas and size: see `Instance.digest`."""
        return self.instance.digest()

    @cached_property
    def equal_share(self) -> Fraction:
        """k / Σ w: everybody's p/w if there were neither quotas nor other rules and nobody's share was above a seat."""
        return Fraction(self.instance.size, sum(self.instance.shares))

    @cached_property
    def without_quotas(self) -> Fraction:
        """The smallest p/w if no quota bound and all else stayed (who must sit, households, p ≤ 1); exact."""
        return first_level(without_quotas(self.instance)).value

    def bound_name(self, bound: Bound, lang: str = "en") -> str:
        """«at least 2 of gender: man»."""
        _ = words(lang).gettext
        text = _("at least {n} of {cell}") if bound.side == "min" else _("at most {n} of {cell}")
        return text.format(n=bound.value, cell=self.instance.cell_name(bound.cell))

    def explain(self, lang: str = "en") -> str:
        """The finding in words, a line for each quota that costs fairness."""
        _ = words(lang).gettext
        weighted = self.instance.weighted
        head = (
            _(
                "The smallest probability, divided by the weight, that these quotas allow is {value} ({exact})."
            )
            if weighted
            else _("The smallest probability that these quotas allow is {value} ({exact}).")
        )
        lines = [
            head.format(value=percent(self.minimum, lang), exact=self.minimum),
            *self._without_quotas(lang),
        ]
        if self.loosenings:
            lines.append(_("Quotas that cost fairness, those first whose next seats help most:"))
            lines += [f"- {self._line(one, lang)}" for one in self.loosenings]
        if self.pairs:
            lines.append(_("Two at a time, which help more together than alone:"))
            lines += [f"- {self._line(pair, lang)}" for pair in self.pairs]
        lines.append(
            _("No other quota, loosened alone, would raise it.")
            if self.loosenings
            else _("No single quota, loosened alone, would raise it.")
        )
        return "\n".join(lines)

    def _without_quotas(self, lang: str) -> list[str]:
        """What quotas take, and before it what other rules take, which no quota can give back."""
        _ = words(lang).gettext
        equal, free = self.equal_share, self.without_quotas
        if not free:
            return [
                _(
                    "It would be so without quotas: other rules leave some people no chance, whatever the quotas."
                )
            ]
        lines = [
            _("Without quotas it would be {equal}: they leave {share} of that.").format(
                equal=percent(free, lang), share=percent(self.minimum / free, lang)
            )
        ]
        if free < equal:
            lines.append(
                _(
                    "Equal shares would be {equal}; what is missing even without quotas is due to other rules: who must sit, "
                    "households, or a weight that asks for more than a seat."
                ).format(equal=percent(equal, lang))
            )
        return lines

    def _line(self, one: Loosening, lang: str) -> str:
        catalogue = words(lang)
        steps = "; ".join(
            catalogue.ngettext("{n} seat looser: {value}", "{n} seats looser: {value}", n).format(
                n=n, value=percent(value, lang)
            )
            for n, value in one.values.items()
        )
        return f"{' + '.join(self.bound_name(b, lang) for b in one.bounds)} → {steps}"

    def to_dict(self) -> dict[str, object]:
        """The finding as data for JSON: exact values as text, floats beside them."""
        free = self.without_quotas

        def one(found: Loosening) -> dict[str, object]:
            bounds = [
                {"cell": self.instance.cell_name(b.cell), "side": b.side, "seats": b.value}
                for b in found.bounds
            ]
            values = [
                {
                    "loosened_by": n,
                    "minimum": str(v),
                    "minimum_float": float(v),
                    "of_without_quotas": str(v / free) if free else None,
                    "of_without_quotas_float": float(v / free) if free else None,
                }
                for n, v in found.values.items()
            ]
            return {"bounds": bounds, "values": values, "at_most_per_seat": str(found.at_most)}

        return {
            "schema": "klero-whatif-1",
            "algorithm": self.algorithm,
            "input_digest": self.input_digest,
            "feasible": True,
            "minimum": str(self.minimum),
            "minimum_float": float(self.minimum),
            "equal_share": str(self.equal_share),
            "without_quotas": str(free),
            "without_quotas_float": float(free),
            "weighted": self.instance.weighted,
            "loosenings": [one(x) for x in self.loosenings],
            "pairs": [one(x) for x in self.pairs],
        }

    def picture(self, lang: str = "en") -> str:
        """A bar for each quota that costs fairness, as inline SVG."""
        from klero.sortition.whatif_picture import loosenings_svg

        return loosenings_svg(self, lang)


def what_if(
    pool: Pool | TableSource,
    quotas: Quotas | TableSource,
    *,
    size: int,
    progress: Progress | None = None,
    **rules: Unpack[RuleOptions],
) -> WhatIf:
    """How much the smallest probability would rise if each quota were loosened by 1, 2 or 5 seats.

    Args:
        pool: the people, as for `fair_lottery`.
        quotas: minima and maxima of seats, as for `fair_lottery`.
        size: seats on the panel.
        progress: called with («programmes», number solved).
        rules: as for `fair_lottery`.

    Raises:
        InputError: with every fault of the input.
        InfeasibleError: no panel meets the quotas; it says which clash and offers up to three repairs.
    """
    pool = pool if isinstance(pool, Pool) else Pool.read(pool)
    quotas = quotas if isinstance(quotas, Quotas) else Quotas.read(quotas)
    instance = build_instance(pool, quotas, size, Rules(**rules))
    return what_if_instance(instance, quotas.name, progress)


def what_if_instance(
    instance: Instance, quotas_name: str = "quotas", progress: Progress | None = None, lang: str = "en"
) -> WhatIf:
    """`what_if` for people and quotas already matched. `lang`: of the words, should no panel meet the quotas."""
    if feasible_panel(instance) is None:
        raise explain_infeasible(instance, quotas_name, _REPAIRS, lang)
    solved = _Solved(instance, progress)
    level = first_level(instance)
    priced = _priced(instance, level)
    singles = [_loosened(solved, (bound,), level.value, price) for price, bound in priced]
    singles.sort(key=lambda one: (-_per_seat(one, level.value), -one.at_most, one.bounds))
    gains = {one.bounds[0]: one.values.get(1, level.value) - level.value for one in singles}
    pairs: dict[tuple[Bound, ...], Loosening] = {}
    for bound in [one.bounds[0] for one in singles if one.values][:_PAIRED]:
        for other, at_most in solved.next_in_the_way(bound)[:_PARTNERS]:
            both = tuple(sorted((bound, other)))
            if both not in pairs:
                pairs[both] = _loosened(solved, both, level.value, gains[bound] + at_most)
    better = [
        pair
        for both, pair in pairs.items()
        if pair.values.get(1, level.value) - level.value > sum(gains.get(b, Fraction(0)) for b in both)
    ]
    better.sort(key=lambda one: (-_per_seat(one, level.value), one.bounds))
    helpful = tuple(one for one in singles if _per_seat(one, level.value) > 0)
    return WhatIf(instance, level.value, helpful, tuple(better))


def _priced(instance: Instance, level: Level) -> list[tuple[Fraction, Bound]]:
    """The quotas with a dual weight and what each further seat adds at most, the dearest first."""
    whole = sum(instance.shares[t] * y for t, y in level.types)
    found = [
        (
            Fraction(abs(weight), whole),
            Bound(c, "max" if weight > 0 else "min", instance.cell_bounds[c][weight > 0]),
        )
        for c, weight in level.cells
        if c not in instance.rule_cells
    ]
    return sorted(found, key=lambda one: (-one[0], one[1]))


def _per_seat(one: Loosening, minimum: Fraction) -> Fraction:
    """The largest gain for each seat of loosening."""
    return max(((value - minimum) / n for n, value in one.values.items()), default=Fraction(0))


def _loosened(solved: _Solved, bounds: tuple[Bound, ...], minimum: Fraction, at_most: Fraction) -> Loosening:
    values: dict[int, Fraction] = {}
    for step in STEPS:
        if any(
            b.value - step < 0 if b.side == "min" else b.value + step > solved.instance.size for b in bounds
        ):
            break
        values[step] = solved.level(bounds, step).value
        if values[step] == minimum:
            # The value is concave in the bounds: what the first seat does not raise, no further one does.
            break
    return Loosening(bounds, MappingProxyType(values), at_most)


class _Solved:
    """The programme with looser bounds, each solved once."""

    def __init__(self, instance: Instance, progress: Progress | None) -> None:
        self.instance = instance
        self._progress = progress
        self._levels: dict[tuple[tuple[Bound, ...], int], Level] = {}

    def level(self, bounds: tuple[Bound, ...], step: int) -> Level:
        if (bounds, step) not in self._levels:
            self._levels[bounds, step] = first_level(loosened(self.instance, bounds, step))
            if self._progress:
                self._progress("programmes", len(self._levels))
        return self._levels[bounds, step]

    def next_in_the_way(self, bound: Bound) -> list[tuple[Bound, Fraction]]:
        """What keeps the value down once this bound is looser by a seat: only these can help more beside it."""
        looser = loosened(self.instance, (bound,), 1)
        priced = _priced(looser, self.level((bound,), 1))
        return [
            (other, price) for price, other in priced if (other.cell, other.side) != (bound.cell, bound.side)
        ]


def loosened(instance: Instance, bounds: Sequence[Bound], step: int) -> Instance:
    """The instance with these bounds looser by `step` seats (a minimum no lower than 0)."""
    minima, maxima = [list(row) for row in instance.minima], [list(row) for row in instance.maxima]
    for bound in bounds:
        f, v = instance.cells[bound.cell]
        if bound.side == "min":
            minima[f][v] = max(0, minima[f][v] - step)
        else:
            maxima[f][v] += step
    return replace(instance, minima=tuple(map(tuple, minima)), maxima=tuple(map(tuple, maxima)))


def without_quotas(instance: Instance) -> Instance:
    """The instance with all quotas open to [0, size] and the cells of other rules as they are."""
    rules = instance.rule_cells
    minima = [list(row) for row in instance.minima]
    maxima = [list(row) for row in instance.maxima]
    for c, (f, v) in enumerate(instance.cells):
        if c not in rules:
            minima[f][v], maxima[f][v] = 0, instance.size
    return replace(instance, minima=tuple(map(tuple, minima)), maxima=tuple(map(tuple, maxima)))
