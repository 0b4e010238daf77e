"""What difference does the notion of fairness make, on this pool?

One lottery for each objective, and the two baselines, side by side: smallest and largest probability, Gini coefficient, geometric mean, panels, entropy,
certificate. All of them are for the same people, quotas and rules; the figures are among those whose chance is open. Objectives are those of
`lottery.OBJECTIVES`; a baseline that can't be had says why, and the others are shown all the same.

Cost: that of each lottery and baseline, one after the other. Randomness: the baselines' seed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Unpack, cast

from klero.errors import Fault, InputError, SamplingError
from klero.sortition.baselines import (
    ATTEMPTS,
    BASELINES,
    CONFIDENCE,
    DRAWS,
    Baseline,
    Options,
    legacy_for,
    random_for,
)
from klero.sortition.claim import forced_types
from klero.sortition.concave import shut_out
from klero.sortition.counting import MEMORY_MB
from klero.sortition.instance import Instance, build_instance
from klero.sortition.lottery import OBJECTIVES, Lottery, lottery_for
from klero.sortition.marginals import exclusions
from klero.sortition.most_random import entropy_bits
from klero.sortition.pool import Pool
from klero.sortition.quotas import Quotas
from klero.sortition.rules import RuleOptions, Rules

if TYPE_CHECKING:
    from klero.tables import TableSource

Progress = Callable[[str, int], None]


@dataclass(frozen=True)
class Entry:
    """One objective or baseline.

    Attributes:
        name: «leximin», …, «random», «legacy».
        result: the lottery or baseline; None where it can't be had.
        reason: why there is none; '' where there is.
        seconds: time; not part of the result's identity.
    """

    name: str
    result: Lottery | Baseline | None
    reason: str = ""
    seconds: float = field(default=0.0, compare=False)

    @property
    def estimated(self) -> bool:
        """Whether probabilities are estimated from draws."""
        return isinstance(self.result, Baseline) and self.result.exact is None

    @property
    def uncertainty(self) -> float:
        """By how much nobody's probability is off, with the baselines' confidence; 0 where probabilities are exact."""
        return self.result.uncertainty if isinstance(self.result, Baseline) else 0.0

    @property
    def type_probabilities(self) -> tuple[Fraction, ...]:
        """Of a person of each type; empty where there is no result."""
        return () if self.result is None else self.result.type_probabilities

    @property
    def panels(self) -> int | None:
        """How many panels can be drawn: entries of a list, or sets of people counted; None where that is not known."""
        if isinstance(self.result, Lottery):
            return len(self.result.panels)
        return None if self.result is None else self.result.panels_number

    @property
    def entropy_bits(self) -> float | None:
        """The entropy of the panel drawn, in bits; None where that is not known."""
        if isinstance(self.result, Lottery):
            return entropy_bits(self.result)
        return None if self.result is None else self.result.entropy_bits

    @property
    def certificate(self) -> Literal["", "L0", "L1"]:
        """The certificate's level; '' where there is none."""
        if not isinstance(self.result, Lottery):
            return ""
        return cast(Literal["L0", "L1"], self.result.certificate.level)


@dataclass(frozen=True)
class Comparison:
    """Objectives and baselines for the same people, quotas and rules.

    Attributes:
        instance: people and quotas.
        entries: one for each objective and baseline, in the order asked for.
        trial_seed: the text that the baselines' draws come from.
        confidence: that of the baselines' intervals.
    """

    instance: Instance
    entries: tuple[Entry, ...]
    trial_seed: str
    confidence: float

    def __getitem__(self, name: str) -> Entry:
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise KeyError(name)

    @cached_property
    def never(self) -> tuple[int, ...]:
        """Types whose people can sit on no panel, as the lotteries prove or counting all panels shows."""
        shut: set[int] = set()
        for entry in self.entries:
            if isinstance(entry.result, Lottery):
                shut.update(entry.result.never)
            elif entry.result is not None and entry.result.exact is not None:
                shut.update(t for t, p in enumerate(entry.result.exact) if p == 0)
        if not self._exact:  # estimates prove nothing; the quotas' linear bounds do
            shut.update(shut_out(exclusions(self.instance, ())))
        return tuple(sorted(shut))

    @cached_property
    def certain(self) -> tuple[int, ...]:
        """Types whose people sit on every panel: as single quotas show, or with probability 1 in all that is not estimated."""
        always = set(forced_types(self.instance, self.never))
        if self._exact:
            chances = zip(*(entry.type_probabilities for entry in self._exact), strict=True)
            always.update(t for t, column in enumerate(chances) if min(column) == 1)
        return tuple(sorted(always))

    @cached_property
    def open_types(self) -> tuple[int, ...]:
        """Types whose chance is open: neither `certain` nor `never`. What is compared is theirs."""
        settled = {*self.certain, *self.never}
        return tuple(t for t in range(len(self.instance.types)) if t not in settled)

    @property
    def _exact(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.result is not None and not entry.estimated]

    def picture(self, lang: str = "en") -> str:
        """The sorted probabilities of each, as SVG. `lang`: «en» or «fr»."""
        from klero.sortition.comparison_picture import comparison_svg

        return comparison_svg(self, lang)

    def _repr_html_(self) -> str:
        return self.picture()


def names() -> tuple[str, ...]:
    """All that can be compared: the objectives, then the baselines."""
    return (*OBJECTIVES, *BASELINES)


def compare(
    pool: Pool | TableSource,
    quotas: Quotas | TableSource,
    *,
    size: int,
    objectives: Sequence[str] | None = None,
    draws: int = DRAWS,
    trial_seed: str = "compare",
    progress: Progress | None = None,
    **rules: Unpack[RuleOptions],
) -> Comparison:
    """Compares objectives and baselines on a pool.

    Args:
        pool: the people, as for `fair_lottery`.
        quotas: as for `fair_lottery`.
        size: k, the number of seats.
        objectives: which to compare, out of the objectives of `fair_lottery`, «random» and «legacy»; all by default.
        draws: how often the baselines draw where they must.
        trial_seed: the text that their draws come from.
        progress: called with a phase and a count.
        rules: as for `fair_lottery`.

    Raises:
        InputError: tables or options can't be used.
        InfeasibleError: no panel meets the quotas.
    """
    pool = pool if isinstance(pool, Pool) else Pool.read(pool)
    quotas = quotas if isinstance(quotas, Quotas) else Quotas.read(quotas)
    instance = build_instance(pool, quotas, size, Rules(**rules))
    options = Options(draws, trial_seed)
    return compare_for(instance, objectives, options, quotas_name=quotas.name, progress=progress)


def compare_for(
    instance: Instance,
    objectives: Sequence[str] | None = None,
    options: Options = Options(DRAWS, "compare", CONFIDENCE, ATTEMPTS),  # noqa: B008 (frozen)
    *,
    memory_mb: int = MEMORY_MB,
    quotas_name: str = "quotas",
    progress: Progress | None = None,
) -> Comparison:
    """As `compare`, for people and quotas already matched."""
    chosen = list(dict.fromkeys(names() if objectives is None else objectives))
    faults = []
    for name in chosen:
        if name not in names():
            text = f"'{name}' is not one of: {', '.join(names())}"
            faults.append(Fault("objective-unknown", text, "", value=str(name)))
    if not chosen:
        text = f"nothing is named to compare. Name some of: {', '.join(names())}"
        faults.append(Fault("objective-unknown", text, ""))
    if faults:
        raise InputError(faults)
    entries = []
    for number, name in enumerate(chosen, 1):
        if progress:
            progress(name, number)
        started = time.perf_counter()
        result: Lottery | Baseline | None = None
        reason = ""
        try:
            if name == "random":
                result = random_for(
                    instance, options, memory_mb=memory_mb, quotas_name=quotas_name, progress=progress
                )
            elif name == "legacy":
                result = legacy_for(instance, options, quotas_name=quotas_name, progress=progress)
            else:
                objective = next(o for o in OBJECTIVES if o == name)
                result = lottery_for(instance, objective, quotas_name=quotas_name, progress=progress)
        except SamplingError as error:
            reason = error.message
        entries.append(Entry(name, result, reason, time.perf_counter() - started))
    return Comparison(instance, tuple(entries), options.trial_seed, options.confidence)
