"""Runs a solver so that Ctrl-C answers at once."""

from __future__ import annotations

from threading import Thread
from typing import Any


def solve(solver: Any) -> int:
    """Solves a `pywraplp` model and returns its status; KeyboardInterrupt stops the solver within its next step.

    The solver works in a thread of its own, without the GIL, while the calling thread waits for signals.
    """
    statuses: list[int] = []
    worker = Thread(target=lambda: statuses.append(solver.Solve()), name="klero-solver", daemon=True)
    worker.start()
    try:
        while worker.is_alive():
            worker.join(0.2)
    except BaseException:
        solver.InterruptSolve()
        worker.join()
        raise
    return statuses[0] if statuses else int(solver.NOT_SOLVED)
