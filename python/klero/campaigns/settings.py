"""What was asked of a search for campaigns, and can it be done?

Everything that decides the result is here: the bound q of the false discovery rate, the channels, the seed. Threads never change a byte of it.

>>> faults = []
>>> read_asked(faults, q=0.05, channels=None, metadata=(), seed=0, threads=1, progress=None)
Asked(q=0.05, channels=('template', 'paraphrase', 'time', 'coaction', 'votes'), seed=0, threads=1)
>>> read_asked(faults, q=5, channels=["tiem"], metadata=(), seed=0, threads=1, progress=None)
>>> print(faults[0].message)
q is 5; it is the share of mistakes that is accepted among the groups for review, so it must be above 0 and at most 0.5. For 5 percent, give 0.05.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Real
from typing import cast

from klero.campaigns.model import CHANNELS, ChannelName
from klero.errors import Fault
from klero.themes.drawing import read_seed
from klero.voices.settings import read_progress, read_resources, shown

__all__ = ["ALGORITHM", "LEAST_VOICES", "Asked", "read_asked"]

ALGORITHM = "klero-campaigns/1"
"""Version of everything that decides a result; it changes whenever a result changes."""

LEAST_VOICES = 50
"""Fewer voices give no null that is worth the name: groups are compared with what the consultation itself has, and then there is too little."""

_MOST_Q = 0.5


@dataclass(frozen=True)
class Asked:
    """What decides a result beside its input: `q`, the channels in the order of `CHANNELS`, `seed`; and `threads`, which does not."""

    q: float
    channels: tuple[ChannelName, ...]
    seed: int
    threads: int


def read_asked(
    faults: list[Fault],
    *,
    q: object,
    channels: object,
    metadata: Sequence[str],
    seed: object,
    threads: object,
    progress: object,
) -> Asked | None:
    """What was asked; or None, and what is wrong with each part of it added to `faults`."""
    before = len(faults)
    _check_q(faults, q)
    names = _channels(faults, channels, metadata)
    read_seed(seed, faults)
    read_progress(faults, progress)
    resources = read_resources(faults, threads=threads, memory=None)
    if len(faults) > before or resources is None:
        return None
    return Asked(float(cast(float, q)), names, int(cast(int, seed)), resources.threads)


def _check_q(faults: list[Fault], q: object) -> None:
    try:
        number = float(q) if isinstance(q, Real) and not isinstance(q, bool) else math.nan
    except OverflowError:  # a whole number of hundreds of digits
        number = math.nan
    if 0 < number <= _MOST_Q:
        return
    share = number / 100
    hint = (
        f"For {number:g} percent, give {share:g}."
        if number >= 1 and share <= _MOST_Q
        else "Usual is 0.05: of twenty groups for review, one would be a mistake."
    )
    message = (
        f"q is {shown(q)}; it is the share of mistakes that is accepted among the groups for review, so it must be above 0 and at most {_MOST_Q:g}. "
        f"{hint}"
    )
    faults.append(Fault("option-range", message, ""))


def _channels(faults: list[Fault], channels: object, metadata: Sequence[str]) -> tuple[ChannelName, ...]:
    """The channels that were asked for; all but «metadata» by default, and that too where its columns are given."""
    if channels is None:
        return tuple(name for name in CHANNELS if name != "metadata" or metadata)
    known = ", ".join(map(repr, CHANNELS))
    if isinstance(channels, str) or not isinstance(channels, Sequence) or not len(channels):
        message = f"channels is {shown(channels)}. Give a list of at least one of {known}, or leave it out."
        faults.append(Fault("option-unknown", message, ""))
        return ()
    for name in channels:
        if name not in CHANNELS:
            like = get_close_matches(str(name), CHANNELS, 1)
            hint = f"Is {like[0]!r} meant?" if like else f"There are {known}."
            faults.append(Fault("option-unknown", f"there is no channel {shown(name)}. {hint}", ""))
    if metadata and "metadata" not in channels:
        message = (
            "columns of metadata are given, and the channel 'metadata', which alone looks at them, is not among those asked for. "
            "Add it, or leave the columns out."
        )
        faults.append(Fault("options-conflict", message, ""))
    return tuple(name for name in CHANNELS if name in channels)
