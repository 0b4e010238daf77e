"""What would the usual ways of drawing give each person: the greedy draw, or all panels alike?

Two procedures to compare a fair lottery with. Neither aims at fair probabilities, so neither has a certificate.

- `legacy`, the field's usual draw before fair lotteries (LEGACY in Flanigan, Gölz, Gupta, Hennig, Procaccia, Nature 2021, supplementary
  information): the panel is filled one by one with whoever is most urgently needed (`rust/core/src/sortition/legacy.rs`). Its
  probabilities are known only by drawing often.
- `random`: every panel that meets the quotas is equally likely (`counting.py`). Where all features fit into memory, probabilities are exact
  fractions; elsewhere they are estimated from exactly uniform draws.

Guarantee: estimates come with intervals that hold together with the stated confidence (`intervals.py`), if the seed was not chosen with
an eye on the result. Draw j depends on people, quotas, seed and j alone, through integers by rejection (`rust/core/src/sortition/stream.rs`),
under the key SHA-256 of («klero/baseline/PROCEDURE/v1»; the instance's digest, the seed's text): the same for any number of threads and
order of rows. The number of draws that is made may be cut down where attempts fail often; the result says so.

>>> from klero.sortition.quotas import Quotas
>>> people = [{"id": f"P{i}", "gender": "woman" if i % 3 else "man"} for i in range(6)]
>>> quotas = Quotas.read([{"feature": "gender", "value": v, "min": 1, "max": 2} for v in ("woman", "man")])
>>> result = random_lottery(people, quotas, size=3)
>>> result.panels_number, result.probability("P0"), result.probability("P1")
(16, Fraction(5, 8), Fraction(7, 16))
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import log2
from typing import TYPE_CHECKING, Literal, Unpack
from unicodedata import normalize

from klero import _native
from klero.errors import Fault, InputError, SamplingError
from klero.sortition.chances import Chances
from klero.sortition.counting import MEMORY_MB, Counter, count_panels, person_cells
from klero.sortition.feasibility import feasible_panel
from klero.sortition.infeasible import explain_infeasible
from klero.sortition.instance import Instance, build_instance
from klero.sortition.intervals import clopper_pearson, hoeffding
from klero.sortition.pool import Pool
from klero.sortition.quotas import Quotas
from klero.sortition.rules import RuleOptions, Rules

if TYPE_CHECKING:
    from klero.tables import TableSource

Procedure = Literal["legacy", "random"]
Surplus = Literal["negative", "zero"]
BASELINES: tuple[Procedure, ...] = ("random", "legacy")
Progress = Callable[[str, int], None]
# (draws by person, failed attempts, panels, the draw that failed too often or None)
Drawn = tuple[list[int], int, list[list[int]], int | None]
Draws = Callable[[tuple[int, int], int, bool], Drawn]
ALGORITHM = "klero-baseline/1"
DRAWS = 10_000
CONFIDENCE = 0.99
ATTEMPTS = 10_000_000
_PILOT = 16
# Draws between two reports of progress.
_PORTION = 500
_THREADS = 2


@dataclass(frozen=True)
class Baseline(Chances):
    """What a procedure without a certificate gives each person.

    Attributes:
        instance: people and quotas.
        procedure: «random» or «legacy».
        seed_text: the text that the draws come from; in NFC.
        draws: how many panels were drawn; 0 where probabilities are exact.
        restarts: attempts that ended without a panel, over all draws.
        seats: by type, how many seats its people had over all draws; zeros where probabilities are exact.
        exact: the exact probability of a person of each type; None where it is estimated.
        confidence: of all intervals together.
        panels_number: how many panels (sets of people) meet the quotas; None where that is not known.
        counted: `random`: the features that were counted exactly; draws that broke a quota of another feature were rejected.
        panels: the people of each panel drawn, in code point order, if they were asked for.
        seconds: time; not part of the result's identity.
    """

    instance: Instance
    procedure: Procedure
    seed_text: str
    draws: int
    restarts: int
    seats: tuple[int, ...]
    exact: tuple[Fraction, ...] | None = None
    confidence: float = CONFIDENCE
    panels_number: int | None = None
    counted: tuple[str, ...] = ()
    panels: tuple[tuple[str, ...], ...] = field(default=(), repr=False)
    seconds: float = field(default=0.0, compare=False)

    @property
    def algorithm(self) -> str:
        """The algorithm and its version."""
        return ALGORITHM

    @property
    def certificate(self) -> None:
        """None: nothing shows that these probabilities are fair, and mostly they are not."""
        return

    @cached_property
    def type_probabilities(self) -> tuple[Fraction, ...]:
        """By type: the exact probability of a person, or its estimate, the seats had over draws × people."""
        if self.exact is not None:
            return self.exact
        counts = self.instance.counts
        return tuple(Fraction(s, self.draws * n) for s, n in zip(self.seats, counts, strict=True))

    @cached_property
    def intervals(self) -> tuple[tuple[float, float], ...]:
        """By type: (lower, upper) bound of a person's probability; all hold together with `confidence`."""
        if self.exact is not None:
            return tuple((float(p), float(p)) for p in self.exact)
        import numpy as np

        counts = np.array(self.instance.counts)
        means = np.array(self.seats) / counts
        alpha = (1 - self.confidence) / len(counts)
        low, high = hoeffding(means / self.draws, self.draws, alpha)
        # A person alone of their type is seated or not: then the exact interval, which is narrower.
        alone = counts == 1
        if alone.any():
            low[alone], high[alone] = clopper_pearson(means[alone], self.draws, alpha)
        return tuple(zip(low.tolist(), high.tolist(), strict=True))

    @cached_property
    def uncertainty(self) -> float:
        """The largest distance between a type's estimate and the end of its interval; 0 where probabilities are exact."""
        if self.exact is not None:
            return 0.0
        pairs = zip(self.type_probabilities, self.intervals, strict=True)
        return max(max(high - float(p), float(p) - low) for p, (low, high) in pairs)

    def interval(self, person: str) -> tuple[float, float]:
        """The bounds of one person's probability, by id."""
        return self.intervals[self.instance.person_type[self.instance.position(person)]]

    @property
    def entropy_bits(self) -> float | None:
        """`random`, counted in full: how many bits it takes to say which panel was drawn; None where that is not known."""
        return None if self.panels_number is None else log2(self.panels_number)

    @property
    def guarantee(self) -> str:
        """What may be said of the probabilities, in a sentence."""
        if self.exact is not None:
            return "exact: every panel was counted"
        drawn = "exactly uniform draws" if self.procedure == "random" else "draws"
        bound = (
            f"with {100 * self.confidence:g} % confidence nobody's is off by more than {self.uncertainty:.4f}"
        )
        return f"estimated from {self.draws} {drawn}: {bound}"

    def __repr__(self) -> str:
        return (
            f"<Baseline {self.procedure}: {len(self.instance.ids)} people, {self.instance.size} seats, probabilities "
            f"{float(self.min_probability):.4f} to {float(self.max_probability):.4f}, {self.guarantee}; no certificate>"
        )


def legacy_lottery(
    pool: Pool | TableSource,
    quotas: Quotas | TableSource,
    *,
    size: int,
    draws: int = DRAWS,
    trial_seed: str = "legacy",
    surplus: Surplus = "negative",
    confidence: float = CONFIDENCE,
    keep_panels: bool = False,
    progress: Progress | None = None,
    **rules: Unpack[RuleOptions],
) -> Baseline:
    """The probabilities of the greedy draw, estimated.

    Args:
        pool: the people, as for `fair_lottery`.
        quotas: as for `fair_lottery`.
        size: k, the number of seats.
        draws: how many panels to draw, from 1 to 10^9.
        trial_seed: any text; another text gives other draws.
        surplus: the need of a value that has more than its minimum: «negative», so that such values come last (as published in 2021), or «zero»,
            as of all values that have their minimum (as sortition-algorithms has it today: the first of them in the table is then filled first).
        confidence: of all intervals together, in (0, 1).
        keep_panels: keep the panels, too.
        progress: called with («legacy», draws made).
        rules: as for `fair_lottery`; weights play no part in this procedure.

    Raises:
        InputError: tables or options can't be used.
        InfeasibleError: no panel meets the quotas.
        SamplingError: the greedy draw fails so often that there is nothing to estimate from.
    """
    instance, name = _matched(pool, quotas, size, Rules(**rules))
    options = Options(draws, trial_seed, confidence, keep_panels=keep_panels)
    return legacy_for(instance, options, surplus=surplus, quotas_name=name, progress=progress)


def random_lottery(
    pool: Pool | TableSource,
    quotas: Quotas | TableSource,
    *,
    size: int,
    draws: int = DRAWS,
    trial_seed: str = "random",
    confidence: float = CONFIDENCE,
    keep_panels: bool = False,
    memory_mb: int = MEMORY_MB,
    progress: Progress | None = None,
    **rules: Unpack[RuleOptions],
) -> Baseline:
    """The probabilities if every panel that meets the quotas is equally likely: exact where the count fits, else estimated.

    Args:
        pool: the people, as for `fair_lottery`.
        quotas: as for `fair_lottery`.
        size: k, the number of seats.
        draws: how many panels to draw where probabilities must be estimated, or where panels are to be kept.
        trial_seed: any text; another text gives other draws.
        confidence: of all intervals together, in (0, 1).
        keep_panels: draw and keep panels, even where probabilities are exact.
        memory_mb: what the tables may take, in 10^6 bytes.
        progress: called with («random», draws made).
        rules: as for `fair_lottery`; weights play no part in this procedure.

    Raises:
        InputError: tables or options can't be used.
        InfeasibleError: no panel meets the quotas.
        SamplingError: too many features don't fit, and nearly every draw breaks their quotas.
    """
    instance, name = _matched(pool, quotas, size, Rules(**rules))
    options = Options(draws, trial_seed, confidence, keep_panels=keep_panels)
    return random_for(instance, options, memory_mb=memory_mb, quotas_name=name, progress=progress)


@dataclass(frozen=True)
class Options:
    """How to draw: see `legacy_lottery`. `attempts` is how many may be made in all; draws are cut down to that.

    Raises:
        InputError: a number out of its range, or a seed that is no text.
    """

    draws: int = DRAWS
    trial_seed: str = ""
    confidence: float = CONFIDENCE
    attempts: int = ATTEMPTS
    keep_panels: bool = False

    def __post_init__(self) -> None:
        faults = []
        whole = isinstance(self.draws, int) and not isinstance(self.draws, bool)
        if not whole or not 1 <= self.draws <= 10**9:
            text = f"the number of draws must be a whole number from 1 to 10^9, not {self.draws!r}"
            faults.append(Fault("draws-invalid", text, "", value=str(self.draws)))
        if not isinstance(self.attempts, int) or self.attempts < 1:
            text = f"the number of attempts must be a whole number, 1 or more, not {self.attempts!r}"
            faults.append(Fault("draws-invalid", text, "", value=str(self.attempts)))
        if not isinstance(self.confidence, (int, float)) or not 0 < self.confidence < 1:
            text = f"the confidence must be above 0 and below 1, 0.99 for instance, not {self.confidence!r}"
            faults.append(Fault("confidence-invalid", text, "", value=str(self.confidence)))
        text = self.trial_seed
        if not isinstance(text, str) or not text or any("\ud800" <= c <= "\udfff" for c in text):
            message = "the text of a trial seed must be Unicode text, not empty"
            faults.append(Fault("seed-invalid", message, "", value=str(text)))
        if faults:
            raise InputError(faults)


def legacy_for(
    instance: Instance,
    options: Options,
    *,
    surplus: Surplus = "negative",
    quotas_name: str = "quotas",
    progress: Progress | None = None,
) -> Baseline:
    """As `legacy_lottery`, for people and quotas already matched."""
    started = time.perf_counter()
    if surplus not in ("negative", "zero"):
        text = f"a surplus counts as «negative» or «zero», not {surplus!r}"
        raise InputError([Fault("surplus-unknown", text, "", value=str(surplus))])
    _check_feasible(instance, quotas_name)
    people, pairs = person_cells(instance)
    bounds = ([lo for lo, _ in pairs], [hi for _, hi in pairs])
    # Whoever must sit is looked for; households are only watched.
    passive = [
        c >= len(instance.cells) or (c in instance.rule_cells and not pairs[c][0]) for c in range(len(pairs))
    ]
    key = stream_key("legacy", instance, options.trial_seed)

    def draw(draws: tuple[int, int], most_attempts: int, keep: bool) -> Drawn:
        return _native.greedy_draws(
            instance.size,
            people,
            bounds,
            key,
            draws,
            most_attempts,
            _THREADS,
            keep,
            surplus == "zero",
            passive,
        )

    hits, restarts, panels, made = _drawn(draw, options, "legacy", len(people), progress)
    return Baseline(
        instance,
        "legacy",
        normalize("NFC", options.trial_seed),
        made,
        restarts,
        _by_type(instance, hits),
        confidence=options.confidence,
        panels=_named(instance, panels),
        seconds=time.perf_counter() - started,
    )


def random_for(
    instance: Instance,
    options: Options,
    *,
    memory_mb: int = MEMORY_MB,
    quotas_name: str = "quotas",
    progress: Progress | None = None,
) -> Baseline:
    """As `random_lottery`, for people and quotas already matched."""
    started = time.perf_counter()
    if not isinstance(memory_mb, int) or memory_mb < 1:
        text = f"the memory must be a whole number of megabytes, 1 or more, not {memory_mb!r}"
        raise InputError([Fault("memory-invalid", text, "", value=str(memory_mb))])
    _check_feasible(instance, quotas_name)
    counter = count_panels(instance, memory_mb=memory_mb)
    exact = counter.type_probabilities() if counter.complete else None
    hits, restarts, panels, made = [0] * len(instance.ids), 0, list[list[int]](), 0
    if exact is None or options.keep_panels:
        hits, restarts, panels, made = _drawn_uniformly(counter, options, progress)
    return Baseline(
        instance,
        "random",
        normalize("NFC", options.trial_seed),
        made,
        restarts,
        _by_type(instance, hits),
        exact=exact,
        confidence=options.confidence,
        panels_number=counter.number if counter.complete else None,
        counted=tuple(instance.features[f] for f in sorted(counter.features)),
        panels=_named(instance, panels),
        seconds=time.perf_counter() - started,
    )


def stream_key(procedure: str, instance: Instance, seed_text: str) -> bytes:
    """The key of a procedure's streams: 32 bytes."""
    text = normalize("NFC", seed_text).encode("utf-8")
    return _native.seq_hash(f"klero/baseline/{procedure}/v1", [bytes.fromhex(instance.digest()), text])


def _drawn_uniformly(
    counter: Counter, options: Options, progress: Progress | None
) -> tuple[list[int], int, list[list[int]], int]:
    key = stream_key("random", counter.instance, options.trial_seed)

    def draw(draws: tuple[int, int], most_attempts: int, keep: bool) -> Drawn:
        return counter.draw(key, draws, most_attempts, _THREADS, keep=keep)

    return _drawn(draw, options, "random", len(counter.instance.ids), progress)


def _drawn(
    draw: Draws, options: Options, name: Procedure, people: int, progress: Progress | None
) -> tuple[list[int], int, list[list[int]], int]:
    """(draws by person, failed attempts, panels if kept, draws made): as many draws as the attempts allow, by a first few.

    Which panel an attempt that succeeds gives is independent of how many failed before it, so that cutting down by failures biases nothing.
    """
    pilot = min(_PILOT, options.draws)
    limit = max(1, options.attempts // pilot)
    first = draw((0, pilot), limit, options.keep_panels)
    if first[3] is not None:
        raise SamplingError(_stuck(name, limit))
    rate = (first[1] + pilot) / pilot
    wanted = max(pilot, min(options.draws, int(options.attempts / rate)))
    hits, restarts, panels = list(first[0]), first[1], list(first[2])
    made = pilot
    while made < wanted:
        if progress:
            progress(name, made)
        portion = min(_PORTION if rate < 100 else _PILOT, wanted - made)
        # A draw may take much longer than the first ones did; only one that takes beyond all attempts is hopeless.
        more = draw((made, portion), options.attempts, options.keep_panels)
        if more[3] is not None:
            raise SamplingError(_stuck(name, options.attempts))
        hits = [a + b for a, b in zip(hits, more[0], strict=True)]
        restarts += more[1]
        panels += more[2]
        made += portion
    return hits, restarts, panels, made


def _stuck(name: Procedure, attempts: int) -> str:
    if name == "legacy":
        return (
            f"The greedy draw failed {attempts} times without filling one panel that meets the quotas, so its probabilities "
            "can't be estimated. The quotas can be met: klero lottery finds panels. Looser quotas would help the greedy draw, too."
        )
    return (
        f"Of {attempts} panels drawn, none met the quotas of the features that don't fit into memory, so the uniform "
        "lottery's probabilities can't be estimated. Allow more memory or attempts, or leave out features."
    )


def _matched(
    pool: Pool | TableSource, quotas: Quotas | TableSource, size: int, rules: Rules
) -> tuple[Instance, str]:
    pool = pool if isinstance(pool, Pool) else Pool.read(pool)
    quotas = quotas if isinstance(quotas, Quotas) else Quotas.read(quotas)
    return build_instance(pool, quotas, size, rules), quotas.name


def _check_feasible(instance: Instance, quotas_name: str) -> None:
    if feasible_panel(instance) is None:
        raise explain_infeasible(instance, quotas_name)


def _by_type(instance: Instance, hits: list[int]) -> tuple[int, ...]:
    totals = [0] * len(instance.types)
    for t, h in zip(instance.person_type, hits, strict=True):
        totals[t] += h
    return tuple(totals)


def _named(instance: Instance, panels: list[list[int]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(instance.ids[i] for i in panel) for panel in panels)
