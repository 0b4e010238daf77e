"""Which lottery over panels is the fairest, and what chance does it give to each person?

The way: feasibility → marginals (`marginals.py`) → panels and weights (`realise.py`) → whole balls → certificate. Two things
can make the linear bound untrue, both rare: people who can sit on no feasible panel (found when no panel holds them, proved by a tree, fixed
at 0), and deeper gaps, for which `columns.py` computes leximin over the panels themselves. Where a pool with such a gap is too large for
that, the lottery nearest to the bounds is published (`shortfall.py`), and the certificate's gap is not small but stated.

Guarantee: each panel meets every quota; the published probabilities are those of the balls, exact; the certificate's gap says, of the published
lottery and with nothing assumed, how much more anybody could get while the groups before stay as they are and nobody of the same group loses.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Literal, Unpack

from klero.errors import Fault, InputError
from klero.sortition.branching import ProofTooLargeError, prove
from klero.sortition.certificate import Certificate, Claim, Level, measured_gap
from klero.sortition.chances import Chances
from klero.sortition.claim import claim_gap, standing
from klero.sortition.columns import TooLargeError, leximin_over_panels
from klero.sortition.concave import concave, shut_out
from klero.sortition.feasibility import SearchLimitError, cover, feasible_panel
from klero.sortition.infeasible import explain_infeasible
from klero.sortition.instance import Instance, build_instance
from klero.sortition.marginals import Marginals, leximin, maximin
from klero.sortition.pool import Pool
from klero.sortition.quotas import Quotas
from klero.sortition.realise import face, new_search, realise
from klero.sortition.rules import RuleOptions, Rules
from klero.sortition.shortfall import ShortfallProgramme

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from klero._native import PanelSearch
    from klero.tables import TableSource

Objective = Literal["leximin", "maximin", "nash", "goldilocks", "minimax"]
OBJECTIVES: tuple[Objective, ...] = ("leximin", "maximin", "nash", "goldilocks", "minimax")
Entry = tuple[int, tuple[tuple[int, int], ...]]
Panel = tuple[int, ...]
Progress = Callable[[str, int], None]
DENOMINATOR = 10**6
# Which rules made the result: another number wherever an output byte could differ.
ALGORITHM = "klero-lottery/2"
_NEAREST_ROUNDS = 100
_NO_SEATS = Fraction(1, 10**9)
# Exact leximin over panels solves systems as large as the number of types, level by level.
_MOST_TYPES_OVER_PANELS = 150


@dataclass(frozen=True)
class Lottery(Chances):
    """A lottery over panels, in whole balls, with its certificate.

    Attributes:
        instance: people and quotas.
        objective: one of `OBJECTIVES`.
        denominator: M, the number of balls.
        panels: (balls, ((type, seats), …)) in canonical order; the balls sum to M.
        certificate: what no lottery can exceed, and the gap.
        quotas_name: what the table of quotas is called in messages.
        seconds: time by phase; not part of the result's identity.
    """

    instance: Instance
    objective: Objective
    denominator: int
    panels: tuple[Entry, ...]
    certificate: Certificate
    quotas_name: str = field(default="quotas", compare=False)
    seconds: dict[str, float] = field(default_factory=dict, compare=False, repr=False)

    @property
    def algorithm(self) -> str:
        """The algorithm and its version, as in the bundle."""
        return ALGORITHM

    @cached_property
    def type_probabilities(self) -> tuple[Fraction, ...]:
        """The exact probability of a person of each type: Σ balls·seats / (M·n_T)."""
        totals = [0] * len(self.instance.types)
        for balls, seats in self.panels:
            for t, s in seats:
                totals[t] += balls * s
        return tuple(
            Fraction(s, self.denominator * n) for s, n in zip(totals, self.instance.counts, strict=True)
        )

    @cached_property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """Each person's probability as float64, in the order of `instance.ids`; shape (people,), values in [0, 1]."""
        import numpy as np

        by_type = np.array([float(p) for p in self.type_probabilities])
        people: npt.NDArray[np.float64] = by_type[np.array(self.instance.person_type)]
        people.flags.writeable = False
        return people

    def position(self, person: str) -> int:
        """The place of an id in `instance.ids`; InputError if nobody has it."""
        return self.instance.position(person)

    @cached_property
    def never(self) -> tuple[int, ...]:
        """Types whose people can sit on no feasible panel."""
        return tuple(
            sorted(t for level in self.certificate.levels if level.value == 0 for t, _ in level.types)
        )

    @cached_property
    def certain(self) -> tuple[int, ...]:
        """Types whose people sit on every panel of this lottery."""
        return tuple(t for t, p in enumerate(self.type_probabilities) if p == 1)

    @cached_property
    def open_types(self) -> tuple[int, ...]:
        """Types whose chance is open: neither `certain` nor `never`."""
        settled = {*self.certain, *self.never}
        return tuple(t for t in range(len(self.instance.types)) if t not in settled)

    def to_arrow(self) -> pa.Table:
        """A row a person: id, probability (float64), probability_exact («a/b»), type (int32)."""
        import pyarrow as pa

        exact = [str(p) for p in self.type_probabilities]
        kinds = self.instance.person_type
        return pa.table(
            {
                "id": pa.array(self.instance.ids, pa.string()),
                "probability": pa.array(self.probabilities),
                "probability_exact": pa.array([exact[t] for t in kinds], pa.string()),
                "type": pa.array(kinds, pa.int32()),
            }
        )

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table of `to_arrow` as an Arrow capsule."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def explain(self, person: str | None = None, lang: str = "en") -> str:
        """In words: which quotas bind at each level, or why one person has their probability. `lang`: «en» or «fr»."""
        from klero.sortition.explain import explain_lottery, explain_person

        return explain_lottery(self, lang) if person is None else explain_person(self, person, lang)

    def __repr__(self) -> str:
        return (
            f"<Lottery {self.objective}: {len(self.instance.ids)} people, {self.instance.size} seats, "
            f"{len(self.panels)} panels, probabilities {float(self.min_probability):.4f} to "
            f"{float(self.max_probability):.4f}, gap {float(self.certificate.gap):.1e}>"
        )

    def _repr_html_(self) -> str:
        from klero.sortition.picture import lottery_html

        return lottery_html(self)


def fair_lottery(
    pool: Pool | TableSource,
    quotas: Quotas | TableSource,
    *,
    size: int,
    objective: Objective = "leximin",
    denominator: int = DENOMINATOR,
    progress: Progress | None = None,
    **rules: Unpack[RuleOptions],
) -> Lottery:
    """The fairest lottery over panels of `size` people that meet every quota.

    Args:
        pool: the people, as a Pool or anything that `Pool.read` takes (a path, a data frame, a list of mappings).
        quotas: seats wanted for each value of each feature, as Quotas or anything that `Quotas.read` takes.
        size: k, the number of seats, in [1, people].
        objective: «leximin» (raise the smallest probability, then the next, …), «maximin» (the smallest alone), «nash» (the largest
            product of all), «goldilocks» (nobody far above or below the even share) or «minimax» (the lowest largest).
        denominator: M, the number of balls: a power of ten from 10^3 to 10^12.
        progress: called with a phase («levels», «panels») and a count.
        rules: what else than quotas decides who may sit, as keyword arguments: `weight` (a column: fairness is then about p/w, a person's
            probability over their weight), `household` and `per_household`, `must_sit`, `exclude`, `taken`, `same_address_as`, `address`,
            `address_decisions`, `bins`. Each is described at :class:`klero.sortition.rules.Rules`.

    Raises:
        InputError: tables or options can't be used; all faults at once.
        InfeasibleError: no panel meets the quotas; it says which clash and what would help.
    """
    started = time.perf_counter()
    pool = pool if isinstance(pool, Pool) else Pool.read(pool)
    quotas = quotas if isinstance(quotas, Quotas) else Quotas.read(quotas)
    instance = build_instance(pool, quotas, size, Rules(**rules))
    lottery = lottery_for(instance, objective, denominator, quotas_name=quotas.name, progress=progress)
    lottery.seconds["total"] = time.perf_counter() - started
    return lottery


def lottery_for(
    instance: Instance,
    objective: Objective = "leximin",
    denominator: int = DENOMINATOR,
    *,
    quotas_name: str = "quotas",
    progress: Progress | None = None,
) -> Lottery:
    """As `fair_lottery`, for people and quotas already matched."""
    _check_options(objective, denominator)
    work = _Work(instance, objective, denominator, quotas_name, progress)
    search, weights, seats, levels = work.run()
    with work.phase("balls"):
        balls = work.dealt
        if balls is None:
            target = [float(s) for s in seats]
            balls = search.balls(weights, target, list(instance.counts), denominator)
    panels = sorted(
        ((b, tuple(search.panel(i))) for i, b in enumerate(balls) if b), key=lambda entry: entry[1]
    )
    lottery = Lottery(
        instance,
        objective,
        denominator,
        tuple(panels),
        Certificate(levels, Fraction(0)),
        quotas_name,
        work.seconds,
    )
    certificate = Certificate(levels, _gap(lottery, work.claim), work.claim)
    return Lottery(instance, objective, denominator, lottery.panels, certificate, quotas_name, work.seconds)


def _gap(lottery: Lottery, claim: Claim | None) -> Fraction:
    """The measured gap of whole balls against levels or claim."""
    instance, levels, chances = lottery.instance, lottery.certificate.levels, lottery.type_probabilities
    if claim is None:
        return measured_gap(instance, levels, chances, last_covers_rest=lottery.objective == "maximin")
    where = standing(instance, shut_out(levels))
    without = sum(instance.counts[t] for t in where.open if chances[t] == 0)
    if without and lottery.objective != "minimax":
        text = (
            f"with {lottery.denominator} balls, {without} people who can sit would have none, and {lottery.objective} "
            "compares everybody's chance with everybody's. Use more balls (--balls), or the objective leximin."
        )
        raise InputError([Fault("balls-too-few", text, "", value=str(lottery.denominator))])
    return claim_gap(instance, lottery.objective, where, claim, lottery.panels, lottery.denominator)


def _check_options(objective: str, denominator: int) -> None:
    faults = []
    if objective not in list(OBJECTIVES):
        text = f"the objective '{objective}' is not one of: {', '.join(OBJECTIVES)}"
        faults.append(Fault("objective-unknown", text, "", value=str(objective)))
    if not isinstance(denominator, int) or denominator not in {10**d for d in range(3, 13)}:
        text = f"the number of balls must be a power of ten from 1000 to 10^12, not {denominator}"
        faults.append(Fault("balls-invalid", text, "", value=str(denominator)))
    if faults:
        raise InputError(faults)


class _Phase:
    """Adds the time of a block to a dictionary."""

    def __init__(self, seconds: dict[str, float], name: str) -> None:
        self._seconds, self._name = seconds, name

    def __enter__(self) -> None:
        self._start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        passed = time.perf_counter() - self._start
        self._seconds[self._name] = self._seconds.get(self._name, 0.0) + passed


class _Work:
    """The phases between an instance and its weighted panels."""

    def __init__(
        self,
        instance: Instance,
        objective: Objective,
        denominator: int,
        quotas_name: str,
        progress: Progress | None,
    ) -> None:
        self.instance = instance
        self.objective = objective
        # Balls by panel, where they were dealt as the panels were made.
        self.dealt: list[int] | None = None
        self._denominator = denominator
        self.seconds: dict[str, float] = {}
        self.claim: Claim | None = None
        self._quotas_name = quotas_name
        self._progress = progress

    def phase(self, name: str) -> _Phase:
        return _Phase(self.seconds, name)

    def run(self) -> tuple[PanelSearch, list[float], Sequence[Fraction], tuple[Level, ...]]:
        """(panels, their weights, expected seats by type, levels)."""
        with self.phase("feasibility"):
            start = feasible_panel(self.instance)
            if start is None:
                raise explain_infeasible(self.instance, self._quotas_name)
        known, never = [start], list[Level]()
        while True:
            with self.phase("levels"):
                marginals = self._marginals(never)
            self.claim = marginals.claim
            if idle := self._idle(marginals, known):
                with self.phase("exclusions"):
                    excluded = self._excluded(known, never, idle)
                if excluded:
                    never.extend(excluded)
                    continue
            with self.phase("panels"):
                try:
                    found = realise(self.instance, marginals.seats, known, self._denominator, self._progress)
                except SearchLimitError:
                    found = None
            if found is not None:
                if found.weights is not None:
                    self.dealt = found.balls
                    return found.search, found.weights, marginals.seats, marginals.levels
                known = _merge(known, found.search, len(self.instance.types))
            with self.phase("exclusions"):
                excluded = self._excluded(known, never)
            if not excluded:
                break
            never.extend(excluded)
        try:
            settled = sum(len(level.types) for level in never)
            if len(self.instance.types) - settled > _MOST_TYPES_OVER_PANELS:
                raise TooLargeError
            return self._over_panels(known, never)
        except (TooLargeError, SearchLimitError):
            return self._nearest(known, marginals)

    def _marginals(self, never: Sequence[Level]) -> Marginals:
        if self.objective == "leximin":
            return leximin(self.instance, never, self._progress)
        if self.objective == "maximin":
            return maximin(self.instance, never, self._progress)
        return concave(self.instance, self.objective, never, self._progress)

    def _idle(self, marginals: Marginals, known: Sequence[Panel]) -> set[int]:
        """Types that minimax gives no seat and no panel known holds: those of them who can't sit at all must not decide the smallest chance."""
        if self.objective != "minimax":
            return set()
        shut = set(shut_out(marginals.levels))
        without = [t for t, x in enumerate(marginals.seats) if x < _NO_SEATS and t not in shut]
        return {t for t in without if not any(panel[t] for panel in known)}

    def _excluded(
        self, known: list[Panel], never: Sequence[Level], only: set[int] | None = None
    ) -> list[Level]:
        """Proofs for the types that no panel can hold; a panel for each of the others is added to `known`."""
        settled = {t for level in never for t, _ in level.types}
        seated = [
            t in settled or (only is not None and t not in only) or any(p[t] for p in known)
            for t in range(len(self.instance.types))
        ]
        panels, shut_out = cover(self.instance, seated)
        known.extend(panels)
        levels = []
        for t in shut_out:
            weights = [int(i == t) for i in range(len(self.instance.types))]
            try:
                levels.append(Level(Fraction(0), ((t, 1),), (), 0, (), prove(self.instance, weights, 0)))
            except ProofTooLargeError:
                continue  # their level stays the linear bound, and the gap says so
        return levels

    def _nearest(
        self, known: Sequence[Panel], marginals: Marginals
    ) -> tuple[PanelSearch, list[float], Sequence[Fraction], tuple[Level, ...]]:
        """The lottery that leaves everybody the largest share of the linear levels, which no lottery reaches together; the gap is stated."""
        with self.phase("columns"):
            search = new_search(self.instance, known[0])
            for panel in known[1:]:
                search.add(list(panel))
            types = [(0, n) for n in self.instance.counts]
            programme = ShortfallProgramme(
                self.instance, [float(s) for s in marginals.seats], search, self.instance.cell_bounds, types
            )
            weights, _ = programme.run(self._progress, _NEAREST_ROUNDS)
        mean = [Fraction(0)] * len(self.instance.types)
        for i, w in enumerate(weights):
            for t, s in search.panel(i) if w else ():
                mean[t] += Fraction(w) * s
        return search, weights, mean, marginals.levels

    def _over_panels(
        self, known: Sequence[Panel], never: Sequence[Level]
    ) -> tuple[PanelSearch, list[float], Sequence[Fraction], tuple[Level, ...]]:
        if self.claim is not None:
            return self._balanced(known, never)
        with self.phase("columns"):
            first_only = self.objective == "maximin"
            portfolio = leximin_over_panels(
                self.instance, known, never, first_level_only=first_only, progress=self._progress
            )
            used = [(p, w) for p, w in zip(portfolio.panels, portfolio.weights, strict=True) if w]
            search = new_search(
                self.instance, used[0][0], *face(self.instance, [float(s) for s in portfolio.seats])
            )
            for panel, _ in used[1:]:
                search.add(list(panel))
        return search, [float(w) for _, w in used], portfolio.seats, portfolio.levels

    def _balanced(
        self, known: Sequence[Panel], never: Sequence[Level]
    ) -> tuple[PanelSearch, list[float], Sequence[Fraction], tuple[Level, ...]]:
        """Nash, goldilocks or minimax over the panels themselves."""
        from klero.sortition.portfolio import over_panels

        with self.phase("columns"):
            where = standing(self.instance, shut_out(never))
            found = over_panels(self.instance, self.objective, where, known, self._progress)
            used = [(p, w) for p, w in zip(found.panels, found.weights, strict=True) if w > 1e-12]
            whole = sum(w for _, w in used)
            mean = [Fraction(0)] * len(self.instance.types)
            for panel, w in used:
                for t, s in enumerate(panel):
                    mean[t] += Fraction(w / whole) * s
            search = new_search(self.instance, used[0][0])
            for panel, _ in used[1:]:
                search.add(list(panel))
        self.claim = found.claim
        return search, [w / whole for _, w in used], mean, tuple(never)


def _merge(known: Sequence[Panel], search: PanelSearch, types: int) -> list[Panel]:
    """The panels known and those of a search, each once, in a fixed order."""
    panels = dict.fromkeys(known)
    for i in range(len(search)):
        seats = [0] * types
        for t, s in search.panel(i):
            seats[t] = s
        panels[tuple(seats)] = None
    return list(panels)
