"""Which weights over the panels found leave the smallest shortfall, and which panel would help most?

A linear programme over panels, min g subject to Σ_P w_P·P_T ≥ (1 − g)·x_T for each type T (x the target in seats), Σ w = 1,
w ≥ 0: everybody keeps the same share 1 − g of their target at least, so that a shortfall is not borne by those who have least. Its
duals price the types; the panel worth most is sought by moves and then by CP-SAT, exactly, until the shortfall is nil or no panel is
worth more than those known: then the target is out of reach. (Column generation: Gilmore and Gomory, Operations Research 1961.)

Cost: a programme of types × panels and an integer programme a round. One thread, no randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from klero.sortition.feasibility import SearchLimitError, feasible_panel
from klero.sortition.solver import solve

if TYPE_CHECKING:
    from klero._native import PanelSearch
    from klero.sortition.instance import Instance

Pairs = Sequence[tuple[int, int]]
# Prices are made integers over this scale for the exact search.
_SCALE = 10**7
# A gap below this is none: a hundredth of a ball at M = 10^9 is 10^-11.
_NO_GAP = 1e-11
# A panel must be worth this much more, as a probability, to count as better.
_BETTER = 1e-9
MOST_ROUNDS = 400


class ShortfallProgramme:
    """The programme over a search's panels; it adds to the search what it finds."""

    def __init__(
        self, instance: Instance, target: Sequence[float], search: PanelSearch, cells: Pairs, types: Pairs
    ) -> None:
        from ortools.linear_solver import pywraplp

        self.instance = instance
        self.search = search
        self._cells, self._types = cells, types
        solver = pywraplp.Solver.CreateSolver("GLOP")
        self._solver = solver
        self._gap = solver.NumVar(0.0, 1.0, "")
        self._one = solver.Constraint(1.0, 1.0)
        self._rows = [solver.Constraint(x, solver.infinity()) for x in target]
        for row, x in zip(self._rows, target, strict=True):
            row.SetCoefficient(self._gap, x)
        solver.Objective().SetCoefficient(self._gap, 1.0)
        solver.Objective().SetMinimization()
        self._columns: list[Any] = []

    def run(
        self, progress: Callable[[str, int], None] | None = None, rounds: int = MOST_ROUNDS
    ) -> tuple[list[float], float]:
        """(weights of the search's panels, shortfall): the best over all panels, or what so many rounds reach."""
        values: list[float] = []
        shortfall = 1.0
        for round_ in range(rounds + 1):
            self._take_new_panels()
            if not self._solve():
                break
            values = [float(column.solution_value()) for column in self._columns]
            shortfall = float(self._gap.solution_value())
            if shortfall < _NO_GAP or round_ == rounds or not self._add_better_panels():
                break
            if progress:
                progress("panels", len(self.search))
        if not values:
            raise SearchLimitError(
                "The weights of panels were not solved. Please report it with the two tables."
            )
        weights = [max(0.0, value) for value in values]
        return weights + [0.0] * (len(self.search) - len(weights)), shortfall

    def _solve(self) -> bool:
        """Solves, where need be with other settings: panels found by price are nearly alike, which some settings don't bear."""
        for parameters in ("", "use_dual_simplex: true", "use_preprocessing: false", "use_scaling: false"):
            self._solver.SetSolverSpecificParametersAsString(parameters)
            if solve(self._solver) == self._solver.OPTIMAL:
                return True
        return False

    def _take_new_panels(self) -> None:
        for i in range(len(self._columns), len(self.search)):
            column = self._solver.NumVar(0.0, self._solver.infinity(), "")
            self._one.SetCoefficient(column, 1.0)
            for t, seats in self.search.panel(i):
                self._rows[t].SetCoefficient(column, float(seats))
            self._columns.append(column)

    def _add_better_panels(self) -> bool:
        """Adds panels worth more than those known; False if there is none."""
        prices = [row.dual_value() for row in self._rows]
        worth = max(sum(prices[t] * s for t, s in self.search.panel(i)) for i in range(len(self.search)))
        self.search.toward(prices)
        whole = [round(p * _SCALE) for p in prices]
        panel = feasible_panel(
            self.instance, objective=whole, cell_bounds=self._cells, type_bounds=self._types
        )
        if panel is None or sum(p * s for p, s in zip(prices, panel, strict=True)) <= worth + _BETTER:
            return False
        self.search.add(list(panel))
        self.search.toward(prices)
        return True
