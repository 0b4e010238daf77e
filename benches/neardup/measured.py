"""Time and memory of one piece of work, in a process of its own: what the runners of klero and of the peers share.

Memory is what is resident beyond what was resident when the texts were in memory and the work began (Linux: VmHWM, set back through
/proc/self/clear_refs). The processors are limited to as many as there are threads, so a library's own pool can't use more.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def limit(threads: int) -> None:
    """Keeps this process on so many processors, and tells the usual pools; call before a library is imported."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ[name] = str(threads)


def resident(field: str = "VmHWM") -> int:
    """Bytes: VmHWM the most, VmRSS now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) << 10
    raise SystemExit(f"no {field}: figures of memory need Linux")


def measure(work: Callable[[], Any]) -> tuple[Any, dict[str, float]]:
    """(what the work returns, seconds of wall and processors and bytes beyond the start)."""
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return result, {"seconds": wall, "processor_s": cpu, "bytes": resident() - before}


def hand_over(out: str, kind: str, figures: dict[str, float], found: np.ndarray, **more: object) -> None:
    """Labels (kind "groups": the smallest row of the group, -1 alone) or flags go to a file, figures to stdout."""
    np.save(out, found)
    json.dump({"kind": kind, **figures, **more}, sys.stdout)
    print()


def smallest(group: np.ndarray) -> np.ndarray:
    """Numbers of groups (negative: in none) as the smallest row of each group."""
    first = np.full(int(group.max(initial=-1)) + 1, len(group), np.int64)
    rows = np.flatnonzero(group >= 0)
    np.minimum.at(first, group[rows], rows)
    out = np.full(len(group), -1, np.int64)
    out[rows] = first[group[rows]]
    return out
