"""Which input and which settings gave this result? A fingerprint that does not depend on the order of rows.

SHA-256 over lines of JSON (keys in order, no blanks): the version of the algorithm and of the normaliser with the settings; a line for each contribution
in canonical order; the ids of those without a word; the votes; the themes that were given; and, if vectors were given, the bytes of the centred ones.
It is the same wherever the input is the same, and the decisions of people (`klero review`) are bound to it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from klero import _native
from klero.campaigns.settings import ALGORITHM

if TYPE_CHECKING:
    from klero.campaigns.settings import Asked
    from klero.campaigns.units import Units

__all__ = ["result_digest"]


def result_digest(units: Units, asked: Asked, themes: Sequence[str | None] | None) -> str:
    """The fingerprint in hexadecimal. `themes`: the name of each row's theme, if themes were given."""
    whole = hashlib.sha256()
    for line in _lines(units, asked, themes):
        whole.update(
            json.dumps(line, ensure_ascii=True, separators=(",", ":"), sort_keys=True).encode() + b"\n"
        )
    c = units.consultation
    if units.vectors_by == "given" and c.vectors is not None:
        whole.update(np.ascontiguousarray(c.vectors, "<f4").tobytes())
    return whole.hexdigest()


def _lines(units: Units, asked: Asked, themes: Sequence[str | None] | None) -> Iterator[object]:
    c = units.consultation
    yield {
        "algorithm": ALGORITHM,
        "normaliser": _native.TEXT_NORMALISER,
        "themes": _native.THEMES_ALGORITHM,
        "q": asked.q,
        "channels": list(asked.channels),
        "seed": c.seed,
        "vectors": units.vectors_by,
        "metadata": list(c.metadata),
    }
    fields = list(c.metadata.values())
    for row, name in enumerate(c.ids):
        number, time = int(c.question[row]), float(c.time[row])
        yield [
            str(name),
            c.texts[row],
            c.authors[int(c.author[row])],
            c.questions[number] if number >= 0 else None,
            int(c.stance[row]),
            round(time * 1e6) if time == time else None,
            *(int(values[row]) for values in fields),
        ]
    yield [str(name) for name in units.empty]
    if c.votes is not None:
        yield [list(c.votes.accounts), list(c.votes.items)]
        yield [c.votes.voter.tolist(), c.votes.item.tolist(), c.votes.value.tolist()]
    if themes is not None:
        yield list(themes)
