"""Whom to keep in reserve for a panel that was drawn, and how much better is that than what is usually done?

The alternates of :mod:`klero.sortition.alternates` for the panel of a bundle. The optimisation chooses how many alternates of each
type; *who* they are within a type is left to tickets of the trial seed, as in a draw: everybody of one type has the same
chance. Scenarios, tickets and baselines come from key = seq("klero/alternates/v1", [commitment, UTF-8 of the text]).

What is reported is measured on fresh scenarios, which had no part in the choice, with intervals at 95 %: for the mean loss that of
the normal distribution, for the share of panels that break a quota or leave a seat empty the exact one of Clopper and Pearson (Biometrika 1934).
"""

from __future__ import annotations

import hmac
import os
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, sqrt
from typing import TYPE_CHECKING
from unicodedata import normalize

import numpy as np

from klero import _native
from klero.errors import Fault, InputError, quoted
from klero.ledger.folder import read_bundle
from klero.ledger.replacement import Drawn
from klero.sortition.alternates import Choice, Group, choose_types, losses
from klero.sortition.intervals import clopper_pearson, normal_factor
from klero.sortition.residual import plain
from klero.sortition.scenarios import dropout_table, sampled_scenarios, uniform
from klero.words import plural_count, words

if TYPE_CHECKING:
    from klero.sortition.instance import Instance
    from klero.sortition.lottery import Progress

__all__ = ["Alternates", "Measured", "choose_alternates"]

ALGORITHM = "klero-alternates/1"
_CONFIDENCE = 0.95
_RANDOM_SETS = 3


@dataclass(frozen=True)
class Measured:
    """What a set of alternates came to on fresh scenarios.

    Attributes:
        loss: the mean loss, in people.
        interval: 95 % interval of the mean.
        failing: the share of scenarios in which no way to seat alternates keeps all quotas and fills all seats.
        failing_interval: its 95 % interval.
    """

    loss: float
    interval: tuple[float, float]
    failing: float
    failing_interval: tuple[float, float]


@dataclass(frozen=True)
class Alternates:
    """Alternates for a panel.

    Attributes:
        ids: the alternates, in code point order.
        commitment: the lottery whose panel they are for, in hexadecimal.
        choice: what the optimisation found on its scenarios: exact mean loss, lower bound.
        scenarios: how many scenarios the choice was made on.
        checks: how many fresh scenarios it was measured on.
        measured: the alternates on fresh scenarios.
        baselines: «none», «random» and «proportional» (random, no cell above its share of the maxima) on the same ones.
        expected_dropouts: the mean number of members who drop out, exact.
        seed_text: the text of the trial seed.
    """

    ids: tuple[str, ...]
    commitment: str
    choice: Choice
    scenarios: int
    checks: int
    measured: Measured
    baselines: Mapping[str, Measured]
    expected_dropouts: Fraction
    seed_text: str

    @property
    def algorithm(self) -> str:
        """The algorithm and its version."""
        return ALGORITHM

    def explain(self, lang: str = "en") -> str:
        """In words: how many drop out, how far off the panel is then, and with other alternates. `lang`: «en» or «fr»."""
        catalogue = words(lang)
        _, ngettext = catalogue.gettext, catalogue.ngettext
        dropouts = _decimal(float(self.expected_dropouts), lang)
        expected = ngettext(
            "{dropouts} member is expected to drop out.",
            "{dropouts} members are expected to drop out.",
            plural_count(dropouts, lang),
        ).format(dropouts=dropouts)
        lines = [
            ngettext("{n} alternate;", "{n} alternates;", len(self.ids)).format(n=len(self.ids))
            + " "
            + expected
        ]
        names = {
            "chosen": _("with these alternates"),
            "none": _("without alternates"),
            "random": _("with random alternates"),
            "proportional": _("with random alternates in proportion to the quotas"),
        }
        for name, found in {"chosen": self.measured, **self.baselines}.items():
            text = ngettext(
                "{who}: on average {loss} person or seat off the quotas ({low} to {high}); {share} % of panels are off.",
                "{who}: on average {loss} people or seats off the quotas ({low} to {high}); {share} % of panels are off.",
                plural_count(_decimal(found.loss, lang), lang),
            )
            lines.append(
                text.format(
                    who=names[name],
                    loss=_decimal(found.loss, lang),
                    low=_decimal(found.interval[0], lang),
                    high=_decimal(found.interval[1], lang),
                    share=_decimal(100 * found.failing, lang),
                )
            )
        lines.append(
            _(
                "Measured on {n} scenarios that had no part in the choice; dropouts are taken to be independent."
            ).format(n=self.checks)
        )
        return "\n".join(lines)


def choose_alternates(
    bundle: str | os.PathLike[str],
    number: int,
    *,
    dropout: Mapping[str, object] | object,
    trial_seed: str,
    scenarios: int = 200,
    checks: int = 1000,
    alternates_drop: bool = False,
    unavailable: Collection[str] = (),
    progress: Progress | None = None,
) -> Alternates:
    """Chooses alternates for the panel of a bundle.

    Args:
        bundle: a folder with a draw.
        number: how many alternates.
        dropout: each member's probability of dropping out by id, or one for all: a number, «1/10» or «10 %».
        trial_seed: any text: it gives the scenarios and the tickets.
        scenarios: dropout scenarios to choose on, 1 to 10,000.
        checks: fresh ones to measure on, 1 to 100,000.
        alternates_drop: whether alternates drop out too; then everybody in the pool needs a probability.
        unavailable: ids of people who can't be alternates.
        progress: called with («alternates», computations).

    Raises:
        BundleError: the bundle fails a check or was not drawn.
        InputError: a number, a probability or an id can't be used; all faults at once.
    """
    drawn = Drawn.read(bundle)
    instance, panel = plain(drawn.lottery.instance), drawn.draw.panel
    text = normalize("NFC", trial_seed) if isinstance(trial_seed, str) else ""
    faults = _option_faults(text, scenarios, checks)
    try:
        table = dropout_table(dropout, instance.ids if alternates_drop else panel)
    except InputError as error:
        faults += error.faults
    faults += _people_faults(instance, panel, unavailable)
    if faults:
        raise InputError(faults)
    key = _native.seq_hash("klero/alternates/v1", [bytes.fromhex(drawn.draw.commitment), text.encode()])
    order = _tickets(bundle, key, instance)
    people = _candidates(drawn.lottery.instance, order, set(panel), set(unavailable))
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= len(people):
        message = f"{number!r} alternates are asked for; {len(people)} people could be alternates. Give a number from 1 to {len(people)}."
        raise InputError([Fault("alternate-invalid", message, "", value=str(number))])
    kind = dict(zip(instance.ids, instance.person_type, strict=True))

    def group_of(i: str) -> tuple[int, Fraction | None]:
        return kind[i], table[i] if alternates_drop else None

    counted = Counter(map(group_of, people))
    keys = sorted(counted, key=lambda k: (k[0], k[1] or 0))
    groups = [Group(t, counted[t, p], p) for t, p in keys]
    chosen = choose_types(
        instance,
        panel,
        sampled_scenarios(key, b"choose", panel, table, scenarios),
        groups,
        number,
        stream=(key, b"choose"),
        progress=progress,
    )
    measure = _Measure(instance, panel, groups, (key, checks), table)
    left = dict(zip(keys, chosen.counts, strict=True))
    ids = _first(people, group_of, left)
    sets = [_random(people, key, s)[:number] for s in range(_RANDOM_SETS)]
    even = [_proportional(instance, _random(people, key, s), kind, number) for s in range(_RANDOM_SETS)]

    def counts(members: Sequence[str]) -> list[int]:
        found = Counter(map(group_of, members))
        return [found[k] for k in keys]

    return Alternates(
        ids=tuple(sorted(ids)),
        commitment=drawn.draw.commitment,
        choice=chosen,
        scenarios=scenarios,
        checks=checks,
        measured=measure([chosen.counts]),
        baselines={
            "none": measure([[0] * len(groups)]),
            "random": measure([counts(s) for s in sets]),
            "proportional": measure([counts(s) for s in even]),
        },
        expected_dropouts=sum((table[i] for i in panel), Fraction(0)),
        seed_text=text,
    )


def _option_faults(text: str, scenarios: int, checks: int) -> list[Fault]:
    faults = []
    if not text or any("\ud800" <= c <= "\udfff" for c in text):
        message = "the text of a trial seed must be Unicode text, not empty"
        faults.append(Fault("seed-invalid", message, "", value=str(text)))
    for name, value, most in (("scenarios", scenarios, 10_000), ("checks", checks, 100_000)):
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            message = f"{value!r} {name} are asked for. Give a whole number from 1 to {most}."
            faults.append(Fault("option-range", message, "", value=str(value)))
    return faults


def _people_faults(instance: Instance, panel: Sequence[str], unavailable: Collection[str]) -> list[Fault]:
    known, seated = set(instance.ids), set(panel)
    faults = []
    for person in sorted(set(unavailable)):
        if person not in known:
            message = f"{quoted(person)} is named as unavailable and is not in the pool. Correct the id."
            faults.append(Fault("person-unknown", message, "", value=person))
        elif person in seated:
            message = f"{quoted(person)} is named as unavailable as an alternate and sits on the panel."
            faults.append(Fault("alternate-invalid", message, "", value=person))
    return faults


def _tickets(bundle: str | os.PathLike[str], key: bytes, instance: Instance) -> list[str]:
    """Everybody in the order of their tickets."""
    files = read_bundle(bundle)
    leaves = _native.pool_leaves(files["declaration.json"], files["pool.json"])
    tickets = hmac.digest(key, b"klero/tickets/v1", "sha256")
    return [
        i
        for _, i in sorted(
            (hmac.digest(tickets, leaf, "sha256"), i) for leaf, i in zip(leaves, instance.ids, strict=True)
        )
    ]


def _candidates(
    instance: Instance, order: Sequence[str], panel: set[str], unavailable: set[str]
) -> list[str]:
    """Those who could be alternates, by ticket: of a household, no more than may sit beside the panel."""
    home = {instance.ids[i]: h for h, members in enumerate(instance.households) for i in members}
    taken = Counter(home[i] for i in panel if i in home)
    people = []
    for i in order:
        if i in panel or i in unavailable:
            continue
        if i in home:
            if taken[home[i]] >= instance.per_household:
                continue
            taken[home[i]] += 1
        people.append(i)
    return people


def _first(
    people: Sequence[str],
    group_of: Callable[[str], tuple[int, Fraction | None]],
    left: dict[tuple[int, Fraction | None], int],
) -> list[str]:
    """The first people of each group, as many as it has alternates."""
    ids = []
    for i in people:
        group = group_of(i)
        if left[group]:
            left[group] -= 1
            ids.append(i)
    return ids


def _random(people: Sequence[str], key: bytes, number: int) -> list[str]:
    return sorted(people, key=lambda i: (uniform(key, b"baseline", number, i, 1 << 128), i))


def _proportional(
    instance: Instance, order: Sequence[str], kind: Mapping[str, int], number: int
) -> list[str]:
    """Alternates in a random order, none above its cells' share of the maxima; the rest as they come."""
    limits = [ceil(Fraction(high * number, instance.size)) for _, high in instance.cell_bounds]
    held = [0] * len(limits)
    chosen: list[str] = []
    for i in order:
        cells = instance.type_cells(kind[i])
        if len(chosen) < number and all(held[c] < limits[c] for c in cells):
            chosen.append(i)
            for c in cells:
                held[c] += 1
    taken = set(chosen)
    return [*chosen, *(i for i in order if i not in taken)][:number]


class _Measure:
    """Losses on fresh scenarios."""

    def __init__(
        self,
        instance: Instance,
        panel: Sequence[str],
        groups: Sequence[Group],
        stream: tuple[bytes, int],
        table: Mapping[str, Fraction],
    ) -> None:
        self._instance, self._panel, self._groups = instance, panel, groups
        key, count = stream
        self._stream = (key, b"check")
        self._fresh = sampled_scenarios(key, b"check", panel, table, count)

    def __call__(self, sets: Sequence[Sequence[int]]) -> Measured:
        """The mean over several sets of alternates; the intervals are those of scenarios, not of sets."""
        means, failing, spread = [], [], []
        total = self._fresh.total
        for counts in sets:
            found, weights = losses(
                self._instance, self._panel, self._fresh, self._groups, counts, self._stream
            )
            mean = sum(x * w for x, w in zip(found, weights, strict=True)) / total
            square = sum(w * (x - mean) ** 2 for x, w in zip(found, weights, strict=True))
            means.append(mean)
            spread.append(sqrt(square / max(1, total - 1) / total))
            failing.append(sum(w for x, w in zip(found, weights, strict=True) if x) / total)
        loss, error = sum(means) / len(means), normal_factor(_CONFIDENCE) * max(spread)
        share = sum(failing) / len(failing)
        low, high = clopper_pearson(np.array([share * total]), total, 1 - _CONFIDENCE)
        return Measured(loss, (max(0.0, loss - error), loss + error), share, (low.item(), high.item()))


def _decimal(value: float, lang: str) -> str:
    text = f"{value:.2f}"
    return text if lang == "en" else text.replace(".", ",")
