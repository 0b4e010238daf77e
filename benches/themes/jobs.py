"""How a tool that groups vectors is told what to do, and tells what it found: the same for klero (ours.py) and its peers (peers.py).

A *family* is a way to set a tool up (number of neighbours, centred vectors or not …); its *grain* is the one number by which it gives more or fewer
groups (k, resolution, smallest size, similarity). Tools are compared at like numbers of groups of two points or more, so for a wanted number the
grain is searched by that number alone, never by the labels: grains from coarse to fine are tried until the number is reached, and, where a grain
is a real number, the interval in which it was reached is halved a few times; the nearest number wins, the coarser grain if two are as near.

A job is a dict: `vectors` (.npy), `rows` (.npy of row numbers, or null), `shuffle` (seed of a permutation of the rows, or null; what was found is put
back in order), `seed`, `threads`, `ask` (a list of ["near", family, number], ["grain", family, grain] or ["usual"]: the tool as it comes).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HALVINGS = 7


@dataclass(frozen=True)
class Tool:
    """One way to group vectors."""

    families: dict[str, dict[str, Any]]
    fit: Callable[[np.ndarray, dict[str, Any], int, int], Any]  # (vectors, options, seed, threads)
    cut: Callable[[Any, dict[str, Any], float], np.ndarray]  # (what fit made, options, grain)
    grains: Callable[[Any, int], list[float]]  # (what fit made, the wanted number): coarse to fine
    usual: Callable[[np.ndarray, int, int], np.ndarray]  # (vectors, seed, threads)
    fit_reads: tuple[
        str, ...
    ] = ()  # the options that fit reads: families that differ in others share what it made
    between: bool = True  # there are grains between two grains


def number(groups: np.ndarray) -> int:
    """Groups of two points or more; -1 is no group."""
    return int((np.bincount(groups[groups >= 0], minlength=1) >= 2).sum())


def centred(x: np.ndarray) -> np.ndarray:
    """Less the mean of all, unit length again."""
    x = x - x.mean(0)
    return np.ascontiguousarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12), np.float32)


def near(
    cut: Callable[[float], np.ndarray], grains: list[float], wanted: int, between: bool
) -> tuple[float, np.ndarray]:
    """(grain, groups) with nearly so many groups, from the side of the coarse grains."""
    tried: dict[float, tuple[int, np.ndarray]] = {}

    def at(grain: float) -> int:
        if grain not in tried:
            groups = cut(grain)
            tried[grain] = (number(groups), groups)
        return tried[grain][0]

    coarse = grains[0]
    for grain in grains:
        if at(grain) >= wanted:
            break
        coarse = grain
    else:
        grain = max(grains, key=at)
    if between and at(grain) > wanted > at(coarse):
        low, high = coarse, grain
        for _ in range(HALVINGS):
            middle = (low * high) ** 0.5 if min(low, high) > 1 else (low + high) / 2
            if at(middle) >= wanted:
                high = middle
            else:
                low = middle
            if at(middle) == wanted:
                break
    best = min(tried, key=lambda grain: abs(tried[grain][0] - wanted))
    return best, tried[best][1]


def _cut(tool: Tool, made: Any, options: dict[str, Any], grain: float) -> np.ndarray:
    return np.asarray(tool.cut(made, options, grain), np.int64)


def _answers(tool: Tool, job: dict[str, Any]) -> list[tuple[str, float | None, np.ndarray, float]]:
    x = np.load(job["vectors"])
    if job.get("rows"):
        x = x[np.load(job["rows"])]
    order = np.arange(len(x))
    if job.get("shuffle") is not None:
        order = np.random.default_rng(job["shuffle"]).permutation(len(x))
    x = np.ascontiguousarray(x[order], np.float32)
    made: dict[tuple[Any, ...], Any] = {}
    out: list[tuple[str, float | None, np.ndarray, float]] = []
    for what, *more in job["ask"]:
        start = time.process_time()
        if what == "usual":
            family, grain, groups = "", None, tool.usual(x, job["seed"], job["threads"])
        else:
            family, wanted = more
            options = tool.families[family]
            key = tuple(options.get(name) for name in ("centred", *tool.fit_reads))
            if key not in made:
                points = centred(x) if options.get("centred") else x
                made[key] = tool.fit(points, options, job["seed"], job["threads"])
            cut = partial(_cut, tool, made[key], options)

            if what == "grain":
                grain, groups = wanted, cut(wanted)
            else:
                grain, groups = near(cut, tool.grains(made[key], wanted), wanted, tool.between)
        back = np.empty(len(x), np.int64)
        back[order] = groups
        out.append((family, grain, back, time.process_time() - start))
    return out


def answer(tool: Tool, jobs: Path, out: Path) -> None:
    """Does all jobs of a file; the .npz has an array for each question, and `told`: JSON of job, question, family and grain of each."""
    arrays: dict[str, np.ndarray] = {}
    told = []
    for at, job in enumerate(json.loads(jobs.read_text(encoding="utf-8"))):
        for question, (family, grain, groups, seconds) in enumerate(_answers(tool, job)):
            arrays[f"{at}.{question}"] = groups
            told.append(
                {"job": at, "question": question, "family": family, "grain": grain, "processor_s": seconds}
            )
        print(f"job {at + 1}", file=sys.stderr)
    np.savez(out, told=json.dumps(told), **arrays)
