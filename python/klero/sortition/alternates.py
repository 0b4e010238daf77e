"""Whom to keep in reserve, so that the panel stays as it should be when some of its members drop out?

Given a drawn panel and each member's probability of dropping out, choose the alternates for which the expected loss
(:mod:`klero.sortition.shortage`) is smallest when the best of them step in: Assos, Baharav, Flanigan and Procaccia, «Alternates,
Assemble! Selecting Optimal Alternates for Citizens' Assemblies», EC 2025. As there, the expectation is replaced by the mean over
sampled scenarios (:mod:`klero.sortition.scenarios`), and what is reported is measured on fresh ones.

Method. People of one type are exchangeable, so what is sought is a number a_T of alternates of each type. Every scenario
gives lower bounds of its loss that are linear in a, in whole numbers. (1) Benders decomposition: a linear programme over these
bounds proposes a, the scenarios answer with new bounds, until both are near each other; its value is a lower bound of the
mean loss of *any* alternates. (2) From its rounding, exchanges of one alternate for another: all are judged by the bounds at
once, and the most promising is computed, which adds bounds, until no exchange can be better or the number of computations is
used up. A computation may err upwards by a little, where proving the best way to seat alternates would need an integer
programme; the alternates found are computed exactly. Tickets then choose the persons within each type.

Guarantee. The loss reported on the scenarios is exact for the alternates returned. The lower bound is that of a linear
programme, to the solver's tolerance; the two often differ, and both are given. Cost: each computation solves one small linear
programme a scenario. One thread; limits are counts, never a clock.

Symbols: a alternates (`number`), scenarios s with weights w_s.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np

from klero.errors import InternalError
from klero.sortition.scenarios import Scenarios, uniform
from klero.sortition.shortage import SCALE, Cut, Shortage
from klero.sortition.solver import solve

if TYPE_CHECKING:
    import numpy.typing as npt

    from klero.sortition.instance import Instance

__all__ = ["Choice", "Group", "choose_types", "losses"]

Progress = Callable[[str, int], None]
_ROUNDS = 20
_CLOSE = 0.02
# Scenarios whose bounds are put together in one row of the linear programme: fewer, denser rows were seen to be quicker.
_CLUSTERS = 40
_COMPUTATIONS = 60
# The bounds kept of each scenario: those highest for the alternates at hand. More say little more and cost time.
_CUTS_KEPT = 6


@dataclass(frozen=True)
class Group:
    """People who can be exchanged for each other as alternates.

    Attributes:
        type: their type.
        people: how many there are.
        dropout: their own probability of dropping out; None if alternates are taken to stay.
    """

    type: int
    people: int
    dropout: Fraction | None = None


@dataclass(frozen=True)
class Choice:
    """How many alternates of each group.

    Attributes:
        counts: alternates of each group.
        loss: the exact mean loss over the scenarios.
        bound: what no alternates can go below on these scenarios, from the linear programme.
        computations: how many sets of alternates were computed exactly.
        settled: whether no exchange of one alternate for another is better.
    """

    counts: tuple[int, ...]
    loss: Fraction
    bound: float
    computations: int
    settled: bool


class _Cases:
    """The scenarios as whole numbers: those who stay by cell, free seats, and how many of n alternates are at hand."""

    def __init__(
        self,
        instance: Instance,
        panel: Sequence[str],
        scenarios: Scenarios,
        groups: Sequence[Group],
        number: int,
        stream: tuple[bytes, bytes] | None,
    ) -> None:
        kind = dict(zip(instance.ids, instance.person_type, strict=True))
        full = [0] * len(instance.cell_bounds)
        for i in panel:
            for c in instance.type_cells(kind[i]):
                full[c] += 1
        merged: dict[tuple[tuple[int, ...], int, tuple[tuple[int, ...], ...]], int] = {}
        drops = stream is not None and any(group.dropout is not None for group in groups)
        scenario = 0
        for gone, weight in zip(scenarios.gone, scenarios.weights, strict=True):
            base = list(full)
            for i in gone:
                for c in instance.type_cells(kind[i]):
                    base[c] -= 1
            free = instance.size - len(panel) + len(gone)
            # Where alternates drop out too, each time that a scenario came is a case of its own.
            for share in [1] * weight if drops else [weight]:
                hand = _hand(groups, number, scenario, stream) if drops else ()
                key = (tuple(base), free, hand)
                merged[key] = merged.get(key, 0) + share
                scenario += 1
        self.base = [key[0] for key in merged]
        self.free = [key[1] for key in merged]
        self.weights = list(merged.values())
        self.total = scenarios.total
        # hand[s][g][n]: of n alternates of group g, those at hand in scenario s; empty where all stay.
        self.hand = [key[2] for key in merged]

    def __len__(self) -> int:
        return len(self.weights)

    def seats(self, s: int, groups: Sequence[Group], counts: Sequence[int]) -> dict[int, int]:
        """Alternates at hand in a scenario, by type."""
        found: dict[int, int] = {}
        hand = self.hand[s]
        for g, n in enumerate(counts):
            here = hand[g][n] if hand and n else n
            if here:
                found[groups[g].type] = found.get(groups[g].type, 0) + here
        return found


def _hand(
    groups: Sequence[Group], number: int, scenario: int, stream: tuple[bytes, bytes] | None
) -> tuple[tuple[int, ...], ...]:
    """Of n = 0, 1, … alternates of each group, those at hand; empty if all stay."""
    if stream is None:
        return ()
    key, label = stream
    table = []
    for group in groups:
        row = [0]
        for j in range(min(group.people, number)):
            p = group.dropout or Fraction(0)
            name = f"{group.type} {p} {j}"
            row.append(
                row[-1] + (uniform(key, label + b" alternate", scenario, name, p.denominator) >= p.numerator)
            )
        table.append(tuple(row))
    return tuple(table)


def losses(
    instance: Instance,
    panel: Sequence[str],
    scenarios: Scenarios,
    groups: Sequence[Group],
    counts: Sequence[int],
    stream: tuple[bytes, bytes] | None = None,
) -> tuple[list[int], list[int]]:
    """(losses, weights): the exact loss in each scenario with these alternates.

    `stream` (key, label) draws which alternates drop out, where groups have a probability for it.
    """
    cases = _Cases(instance, panel, scenarios, groups, max((0, *counts)), stream)
    shortage = Shortage(instance)
    found = [
        shortage.exact(cases.base[s], cases.free[s], cases.seats(s, groups, counts))
        for s in range(len(cases))
    ]
    return found, cases.weights


def choose_types(
    instance: Instance,
    panel: Sequence[str],
    scenarios: Scenarios,
    groups: Sequence[Group],
    number: int,
    *,
    stream: tuple[bytes, bytes] | None = None,
    computations: int = _COMPUTATIONS,
    progress: Progress | None = None,
) -> Choice:
    """How many alternates of each group to keep.

    Args:
        instance: people, quotas and size.
        panel: ids of the members.
        scenarios: sets of members who drop out, with weights.
        groups: those who could be alternates.
        number: how many alternates to choose, at most the people in the groups.
        stream: (key, label) for the dropouts of alternates themselves.
        computations: the most sets of alternates to compute exactly.
        progress: called with («alternates», sets computed).
    """
    cases = _Cases(instance, panel, scenarios, groups, number, stream)
    search = _Search(instance, cases, groups, number, progress)
    counts, bound = search.relaxed()
    return search.exchanged(counts, bound, computations)


class _Search:
    def __init__(
        self,
        instance: Instance,
        cases: _Cases,
        groups: Sequence[Group],
        number: int,
        progress: Progress | None,
    ) -> None:
        self.cases = cases
        self.groups = groups
        self.number = number
        self.shortage = Shortage(instance)
        self._progress = progress
        self._caps = np.array([min(group.people, number) for group in groups])
        self._weights = np.array(cases.weights, dtype=np.int64)
        cells = np.zeros((len(groups), len(instance.cell_bounds) + 1), dtype=np.int64)
        for g, group in enumerate(groups):
            cells[g, [*instance.type_cells(group.type), -1]] = 1
        self._cells = cells
        # All cuts, by scenario: the number of the scenario, the constant, and what each group's alternates are worth.
        self._cuts: list[tuple[int, int, npt.NDArray[np.int32]]] = []

    def relaxed(self) -> tuple[list[int], float]:
        """(alternates to begin with, lower bound of the mean loss)."""
        master = _Master(self._caps, self.number, self.cases, self._slots)
        counts = self._spread(self._caps * (self.number / max(1, int(self._caps.sum()))))
        best, bound = float("inf"), 0.0
        values: npt.NDArray[np.float64] = np.array(counts, dtype=np.float64)
        start = values
        for _ in range(_ROUNDS):
            value = self._answer(values, master)
            if value < best:
                best, start = value, values
            values, bound = master.solve()
            if best - bound <= _CLOSE * max(1.0, best):
                break
        return self._spread(start), max(0.0, bound)

    def _slots(self, s: int, g: int) -> list[int]:
        """What each further alternate of a group adds at hand in a scenario: 1, or 0 if they drop out."""
        hand = self.cases.hand[s]
        if not hand:
            return [1] * int(self._caps[g])
        return [b - a for a, b in zip(hand[g], hand[g][1:], strict=False)]

    def _answer(self, values: npt.NDArray[np.float64], master: _Master) -> float:
        """The mean relaxed loss of fractional alternates; adds each scenario's cut."""
        total = 0.0
        for s in range(len(self.cases)):
            at_hand: dict[int, float] = {}
            for g in np.flatnonzero(values > 1e-9).tolist():
                if (here := self._at_hand(s, g, float(values[g]))) > 0:
                    kind = self.groups[g].type
                    at_hand[kind] = at_hand.get(kind, 0.0) + here
            cut, _ = self.shortage.relaxed(self.cases.base[s], self.cases.free[s], at_hand)
            worth = self._add(s, cut)
            taken = sum(
                float(worth[g]) * self._at_hand(s, g, float(values[g]))
                for g in np.flatnonzero(worth).tolist()
            )
            total += self.cases.weights[s] * max(0.0, (cut.constant - taken) / SCALE)
        master.take(self._cuts[-len(self.cases) :])
        return total / self.cases.total

    def _at_hand(self, s: int, g: int, n: float) -> float:
        hand = self.cases.hand[s]
        if not hand:
            return n
        whole = floor(n)
        row = hand[g]
        return row[whole] + (n - whole) * (row[min(whole + 1, len(row) - 1)] - row[whole])

    def _add(self, s: int, cut: Cut) -> npt.NDArray[np.int32]:
        worth = np.maximum(0, self._cells @ np.array([*cut.weights, cut.seat], dtype=np.int64)).astype(
            np.int32
        )
        self._cuts.append((s, cut.constant, worth))
        return worth

    def _spread(self, values: npt.NDArray[np.float64]) -> list[int]:
        """Whole alternates near fractional ones, `number` in all."""
        counts = np.minimum(np.floor(values + 1e-9).astype(int), self._caps)
        order = sorted(range(len(values)), key=lambda g: (-round(float(values[g] - counts[g]), 9), g))
        while (missing := self.number - int(counts.sum())) > 0:
            room = [g for g in order if counts[g] < self._caps[g]]
            for g in room[:missing]:
                counts[g] += 1
        return [int(n) for n in counts]

    def exchanged(self, counts: list[int], bound: float, computations: int) -> Choice:
        """The best alternates that exchanges of one for another lead to."""
        best = self._compute(counts, None)
        done, settled = 1, False
        seen = {tuple(counts)}
        if best is None:
            raise InternalError("alternates without a loss")
        while done < computations:
            move, promise = self._promising(counts, seen)
            if move is None or promise >= best:
                settled = True
                break
            tried = _exchange(counts, *move)
            seen.add(tried)
            loss = self._compute(tried, best)
            done += 1
            if loss is not None and loss < best:
                counts, best = list(tried), loss
            if self._progress:
                self._progress("alternates", done)
        exact = sum(
            self.cases.weights[s]
            * self.shortage.exact(
                self.cases.base[s], self.cases.free[s], self.cases.seats(s, self.groups, counts)
            )
            for s in range(len(self.cases))
        )
        return Choice(tuple(counts), Fraction(exact, self.cases.total), bound, done, settled)

    def _compute(self, counts: Sequence[int], below: int | None) -> int | None:
        """The total loss, or little more than it; None as soon as it can't be below a limit. Adds cuts."""
        total = 0
        floors = self._floors(counts)
        rest = int(floors @ self._weights)
        for s in np.argsort(-floors * self._weights, kind="stable").tolist():
            rest -= int(floors[s]) * self.cases.weights[s]
            loss, _, cut = self.shortage.near(
                self.cases.base[s], self.cases.free[s], self.cases.seats(s, self.groups, counts)
            )
            self._add(s, cut)
            total += loss * self.cases.weights[s]
            if below is not None and total + rest >= below:
                return None
        return total

    def _standing(self, counts: Sequence[int]) -> tuple[Any, Any, list[int], Any]:
        """(values, worths, first row of each scenario, scenarios) of the cuts, the highest few of each scenario alone."""
        owner = np.array([s for s, _, _ in self._cuts])
        worths = np.array([w for _, _, w in self._cuts])
        active = np.flatnonzero(np.array(counts))
        hand = self.cases.hand[0]
        at_hand: Any = np.array(counts)[active]
        if hand:
            at_hand = np.array([[row[g][counts[g]] for g in active.tolist()] for row in self.cases.hand])[
                owner
            ]
        values = np.array([c for _, c, _ in self._cuts]) - np.sum(worths[:, active] * at_hand, axis=1)
        order = np.lexsort((-values, owner))
        place = np.arange(len(order)) - np.searchsorted(owner[order], owner[order])
        kept = order[place < _CUTS_KEPT]
        self._cuts = [self._cuts[i] for i in kept]
        owner = owner[kept]
        return values[kept], worths[kept], np.flatnonzero(np.diff(owner, prepend=-1)).tolist(), owner

    def _hand_change(self, counts: Sequence[int], step: int) -> npt.NDArray[np.int64]:
        """By scenario and group, what one alternate more (or fewer) changes at hand."""
        scenarios, groups = len(self.cases), len(self.groups)
        if not self.cases.hand[0]:
            return np.full((scenarios, groups), step)
        change = np.zeros((scenarios, groups), dtype=np.int64)
        for s, hand in enumerate(self.cases.hand):
            for g, n in enumerate(counts):
                if 0 <= n + step < len(hand[g]):
                    change[s, g] = hand[g][n + step] - hand[g][n]
        return change

    def _floors(self, counts: Sequence[int]) -> npt.NDArray[np.int64]:
        """A lower bound of each scenario's loss with these alternates, from all cuts."""
        floors = np.zeros(len(self.cases), dtype=np.int64)
        if self._cuts:
            values, _, firsts, owner = self._standing(counts)
            top = np.maximum.reduceat(values, firsts)
            floors[owner[firsts]] = np.maximum(0, -(-top // SCALE))
        return floors

    def _promising(
        self, counts: Sequence[int], tried: set[tuple[int, ...]]
    ) -> tuple[tuple[int, int] | None, int]:
        """The exchange, not tried yet, whose lower bound is smallest, and that bound."""
        values, worths, firsts, owner = self._standing(counts)
        more, fewer = self._hand_change(counts, 1), self._hand_change(counts, -1)
        open_ = np.flatnonzero(np.array(counts) < self._caps)
        weights = self._weights[owner[firsts]]
        best: tuple[tuple[int, int] | None, int] = (None, 0)
        gains = worths[:, open_] * more[owner][:, open_].astype(worths.dtype)
        for out in np.flatnonzero(np.array(counts)):
            lost = worths[:, out] * fewer[owner, out]
            top = np.maximum.reduceat((values - lost).astype(worths.dtype)[:, None] - gains, firsts, axis=0)
            totals = weights @ np.maximum(0, -(-top // SCALE)).astype(np.int64)
            for place in np.argsort(totals, kind="stable"):
                into = int(open_[place])
                if best[0] is not None and totals[place] >= best[1]:
                    break
                if into != out and _exchange(counts, int(out), into) not in tried:
                    best = ((int(out), into), int(totals[place]))
                    break
        return best


def _exchange(counts: Sequence[int], out: int, into: int) -> tuple[int, ...]:
    changed = list(counts)
    changed[out] -= 1
    changed[into] += 1
    return tuple(changed)


class _Master:
    """min Σ w_s θ_s over fractional alternates, θ above all cuts: what no alternates can go below."""

    def __init__(
        self,
        caps: npt.NDArray[np.int_],
        number: int,
        cases: _Cases,
        slots: Callable[[int, int], list[int]],
    ) -> None:
        from ortools.linear_solver import pywraplp

        solver = pywraplp.Solver.CreateSolver("GLOP")
        self._solver: Any = solver
        self._caps = caps
        self._slots = slots
        self._cases = cases
        self._stay = not cases.hand[0]
        # One column a group where alternates stay, else one for each further alternate of a group.
        self._columns = [
            [solver.NumVar(0.0, float(cap), "")]
            if self._stay
            else [solver.NumVar(0.0, 1.0, "") for _ in range(int(cap))]
            for cap in caps
        ]
        row = solver.Constraint(float(number), float(number))
        for columns in self._columns:
            for column in columns:
                row.SetCoefficient(column, 1.0)
            for before, after in pairwise(columns):
                order = solver.Constraint(0.0, solver.infinity())
                order.SetCoefficient(before, 1.0)
                order.SetCoefficient(after, -1.0)
        self._clusters = [
            s * _CLUSTERS // len(cases) if len(cases) > _CLUSTERS else s for s in range(len(cases))
        ]
        clusters = max(self._clusters) + 1
        self._losses = [solver.NumVar(0.0, solver.infinity(), "") for _ in range(clusters)]
        for theta in self._losses:
            solver.Objective().SetCoefficient(theta, 1.0)
        solver.Objective().SetMinimization()

    def take(self, cuts: Sequence[tuple[int, int, npt.NDArray[np.int32]]]) -> None:
        """Adds one row for each cluster: the weighted sum of its scenarios' cuts."""
        scale = float(SCALE * self._cases.total)
        constants = [0] * len(self._losses)
        worths = [np.zeros((len(self._caps), 1), dtype=np.int64) for _ in self._losses]
        if not self._stay:
            width = int(self._caps.max())
            worths = [np.zeros((len(self._caps), width), dtype=np.int64) for _ in self._losses]
        for s, constant, worth in cuts:
            k, weight = self._clusters[s], self._cases.weights[s]
            constants[k] += weight * constant
            if self._stay:
                worths[k][:, 0] += weight * worth.astype(np.int64)
            else:
                for g in np.flatnonzero(worth):
                    steps = self._slots(s, int(g))
                    worths[k][g, : len(steps)] += weight * int(worth[g]) * np.array(steps)
        for theta, constant, sums in zip(self._losses, constants, worths, strict=True):
            row = self._solver.Constraint(constant / scale, self._solver.infinity())
            row.SetCoefficient(theta, 1.0)
            for g, j in zip(*np.nonzero(sums), strict=True):
                row.SetCoefficient(self._columns[g][j], float(sums[g, j]) / scale)

    def solve(self) -> tuple[npt.NDArray[np.float64], float]:
        """(fractional alternates by group, the bound)."""
        if solve(self._solver) != self._solver.OPTIMAL:
            raise InternalError(
                "The linear programme of alternates was not solved. Please report it with the two tables."
            )
        values = [sum(column.solution_value() for column in columns) for columns in self._columns]
        return np.clip(np.array(values), 0.0, self._caps), float(self._solver.Objective().Value())
