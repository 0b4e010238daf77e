"""Leximin over the panels themselves, for pools whose linear bound no lottery reaches.

The question: what is the fairest lottery when the quotas are so tight that whole people make a difference? Method: the
column generation of Flanigan et al. (Nature 2021), by types: a master programme over the panels known, an exact search (CP-SAT) for a
panel that its prices undervalue, until there is none. Its final basis is solved in rationals, so each level is exact;
its integer prices are proved by a tree (`branching.py`), or by linear duality where that is enough.

Guarantee: the same as `marginals.py`, over panels. Cost: one integer programme a panel, so it is kept for the pools that need it.
One thread, no randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from klero.errors import InternalError
from klero.sortition.branching import ProofTooLargeError, prove
from klero.sortition.certificate import Level, mean_bound, primitive, sparse
from klero.sortition.feasibility import feasible_panel
from klero.sortition.rational import solve_rational
from klero.sortition.solver import solve

if TYPE_CHECKING:
    from klero.sortition.instance import Instance

Panel = tuple[int, ...]


class TooLargeError(Exception):
    """Exact leximin over panels is out of reach for this pool: the master's basis or a proof grew too large."""


_MOST_SCALED = 10**6
# Panels that a level may add.
MOST_PANELS = 1_000
# Beyond this, a price is no whole number that the exact search takes.
_LARGEST_PRICE = 10**9


@dataclass(frozen=True)
class Portfolio:
    """A lottery with exact weights, and the levels that prove it.

    Attributes:
        panels: seats by type of each panel.
        weights: the chance of each panel, exact, with sum 1.
        seats: expected seats by type, exact.
        levels: the certificate's levels.
    """

    panels: tuple[Panel, ...]
    weights: tuple[Fraction, ...]
    seats: tuple[Fraction, ...]
    levels: tuple[Level, ...]


def leximin_over_panels(
    instance: Instance,
    panels: Sequence[Panel],
    never: Sequence[Level],
    *,
    first_level_only: bool = False,
    progress: Callable[[str, int], None] | None = None,
) -> Portfolio:
    """Leximin (or its first level: maximin) over all feasible panels, starting from some of them.

    Every type that can sit at all must sit in one of the panels given; `never` proves the others.

    Raises:
        TooLargeError: the pool is too large for exact arithmetic over panels.
    """
    master = _Master(instance, panels)
    levels = list(never)
    for level in levels:
        master.settle(level)
    while len(master.settled) < len(instance.types):
        level = master.solve()
        levels.append(level)
        if progress:
            progress("levels", len(levels))
        master.settle(level)
        if first_level_only:
            break
    weights = master.weights
    if not weights:  # nobody was open: any panel does, all levels being 0 can't be with k ≥ 1
        raise InternalError(
            "No level was open in a lottery over panels. Please report it with the two tables."
        )
    seats = tuple(
        sum((w * p[t] for w, p in zip(weights, master.panels, strict=True)), Fraction(0))
        for t in range(len(instance.types))
    )
    return Portfolio(tuple(master.panels), tuple(weights), seats, tuple(levels))


class _Master:
    """max t over weights of the panels known, with every open type at t or above and settled ones at their level."""

    def __init__(self, instance: Instance, panels: Sequence[Panel]) -> None:
        from ortools.linear_solver import pywraplp

        self.instance = instance
        self.settled: dict[int, Fraction] = {}
        self.panels: list[Panel] = []
        self.weights: list[Fraction] = []
        solver = pywraplp.Solver.CreateSolver("GLOP")
        self._solver = solver
        self._value = solver.NumVar(-solver.infinity(), solver.infinity(), "")
        self._one = solver.Constraint(1.0, 1.0)
        self._rows = [solver.Constraint(0.0, solver.infinity()) for _ in instance.types]
        # p/w is raised in units in which weights are near 1: they may be as large as 10^12.
        self._unit = max(instance.weights)
        for row, a in zip(self._rows, instance.shares, strict=True):
            row.SetCoefficient(self._value, -a / self._unit)
        solver.Objective().SetCoefficient(self._value, 1.0)
        solver.Objective().SetMaximization()
        self._columns: list[Any] = []
        for panel in panels:
            self._add(panel)

    def _add(self, panel: Panel) -> None:
        column = self._solver.NumVar(0.0, self._solver.infinity(), "")
        self._one.SetCoefficient(column, 1.0)
        for t, seats in enumerate(panel):
            if seats:
                self._rows[t].SetCoefficient(column, float(seats))
        self._columns.append(column)
        self.panels.append(panel)

    def settle(self, level: Level) -> None:
        """Holds the types of a level at its value, from the next solve on."""
        for t, _ in level.types:
            self.settled[t] = level.value
            self._rows[t].SetCoefficient(self._value, 0.0)
            seats = float(level.value * self.instance.shares[t])
            self._rows[t].SetBounds(seats, seats)

    def solve(self) -> Level:
        """The next level; adds panels until no panel is undervalued, then proves it."""
        for _ in range(MOST_PANELS):
            if solve(self._solver) != self._solver.OPTIMAL:
                break
            exact = self._exact_basis()
            if exact and max(map(abs, exact[0])) > _LARGEST_PRICE:
                raise TooLargeError
            prices = exact[0] if exact else self._float_prices()
            best = self._best_panel(prices)
            if best not in self.panels:
                self._add(best)
            elif exact:
                prices, value, self.weights = exact
                return self._level(prices, value)
            else:
                break
        # Without an exactly optimal basis no level is claimed.
        raise TooLargeError

    def _float_prices(self) -> list[int]:
        duals = [-row.dual_value() for row in self._rows]
        scale = _MOST_SCALED / max(1e-12, *(abs(d) for d in duals))
        return [round(d * scale) for d in duals]

    def _best_panel(self, prices: Sequence[int]) -> Panel:
        """The panel with the highest price; a known one where none is above those."""
        best = feasible_panel(self.instance, objective=prices)
        if best is None:
            raise InternalError(
                "The quotas were feasible and are no more. Please report it with the two tables."
            )
        known = max(self.panels, key=lambda p: _score(prices, p))
        return best if _score(prices, best) > _score(prices, known) else known

    def _exact_basis(self) -> tuple[list[int], Fraction, list[Fraction]] | None:
        """(integer prices, level, weights) of the final basis in rationals; None if it is not exactly optimal."""
        basic = self._solver.BASIC
        chosen = [j for j, column in enumerate(self._columns) if column.basis_status() == basic]
        tight = [t for t, row in enumerate(self._rows) if row.basis_status() != basic]
        shares = self.instance.shares
        matrix = [
            [*(self.panels[j][t] for j in chosen), 0 if t in self.settled else -shares[t]] for t in tight
        ]
        side = [self.settled.get(t, Fraction(0)) * shares[t] for t in tight]
        # Once enough types are settled their seats imply the sum of the weights, and that row may be basic.
        if self._one.basis_status() != basic:
            matrix.append([1] * len(chosen) + [0])
            side.append(Fraction(1))
        if len(matrix) != len(chosen) + 1:
            return None
        primal = solve_rational(matrix, side)
        transposed = [list(column) for column in zip(*matrix, strict=True)]
        dual = solve_rational(transposed, [Fraction(0)] * len(chosen) + [Fraction(1)])
        if primal is None or dual is None or any(w < 0 for w in primal[:-1]):
            return None
        # The value's column gives −Σ a_T·dual_T = 1, so prices on types are the duals with their sign turned.
        prices = [Fraction(0)] * len(shares)
        for t, d in zip(tight, dual, strict=False):
            prices[t] = -d
        if any(p < 0 for t, p in enumerate(prices) if t not in self.settled):
            return None
        weights = [Fraction(0)] * len(self.panels)
        for j, w in zip(chosen, primal[:-1], strict=True):
            weights[j] = w
        return (primitive(prices), primal[-1], weights) if self._keeps_rows(weights, primal[-1]) else None

    def _keeps_rows(self, weights: Sequence[Fraction], value: Fraction) -> bool:
        used = [(w, p) for w, p in zip(weights, self.panels, strict=True) if w]
        for t, a in enumerate(self.instance.shares):
            seats = sum((w * p[t] for w, p in used), Fraction(0))
            if seats < a * value if t not in self.settled else seats != a * self.settled[t]:
                return False
        return True

    def _level(self, prices: Sequence[int], value: Fraction) -> Level:
        group = sparse({t: p for t, p in enumerate(prices) if t not in self.settled})
        held = sparse({t: p for t, p in enumerate(prices) if t in self.settled})
        limit = max(_score(prices, p) for p in self.panels)
        try:
            level = Level(value, group, (), 0, held, prove(self.instance, prices, limit))
        except ProofTooLargeError as error:
            raise TooLargeError from error
        if mean_bound(self.instance, self.settled, level, limit) != value:
            raise InternalError("A level and its proof disagree. Please report it with the two tables.")
        return level


def _score(prices: Sequence[int], panel: Panel) -> int:
    return sum(q * s for q, s in zip(prices, panel, strict=True) if s)
