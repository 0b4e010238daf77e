"""Time and memory of one piece of work, in a process of its own (memory as in benches/neardup/measured.py: resident beyond what was at the start)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "neardup"))
from measured import limit, measure

__all__ = ["Figures", "hand_over", "limit", "measure", "stepped"]

Figures: TypeAlias = dict[str, Any]


def stepped(work: Callable[[int], Any], steps: int) -> tuple[Any, Figures]:
    """What `steps` iterations give, and the time of one: of 1 + steps iterations, less that of one, by the number of steps; so starts are not in it."""
    _, short = measure(lambda: work(1))
    found, long = measure(lambda: work(1 + steps))
    each = {name: (long[name] - short[name]) / steps for name in ("seconds", "processor_s")}
    return found, {**each, "bytes": max(short["bytes"], long["bytes"]), "iterations": 1 + steps}


def hand_over(out: Path, figures: Figures, found: np.ndarray) -> None:
    """What was found goes to a file, figures to stdout."""
    np.save(out, found)
    json.dump(figures, sys.stdout)
    print()
