"""Which theme is each contribution in, for the question whether the ranking of themes would change?

Themes are given as a fitted `klero.Themes`, its partition, or a label for each contribution. They may be of all contributions or of those with a word, which
is what themes are made of; in both cases in the order of the source. Where none are given they are made from the vectors, and named by their keywords. Only
themes are ranked: weak signals and lone voices are too few for a place in a ranking, and have no name here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from klero.errors import Fault, InputError
from klero.themes._inputs import as_column
from klero.themes.names import cluster_names
from klero.themes.partition import THEME_SIZE
from klero.voices import personal

if TYPE_CHECKING:
    from klero.campaigns.model import Consultation
    from klero.campaigns.units import Units

__all__ = ["made_themes", "theme_names"]

_KEYWORDS = 3


def made_themes(
    c: Consultation, threads: int, progress: Callable[[str, int], None] | None
) -> list[str | None]:
    """The themes of the contributions, made here: «T1: tram, ligne, dépôt». None for a contribution in no theme."""
    from klero.themes.keywords import theme_keywords
    from klero.themes.themes import Themes

    told: list[str | None] = [None] * len(c)
    rows = np.flatnonzero(np.zeros(0) if c.vectors is None else c.vectors.any(axis=1))
    if c.vectors is None or len(rows) < THEME_SIZE:
        return told
    partition = Themes(threads=threads).fit(c.vectors[rows], progress=progress).partition_
    texts = [_without_personal(c.texts[row]) for row in rows.tolist()]
    found = theme_keywords(partition, texts, authors=c.author[rows], top=_KEYWORDS, threads=threads)
    names = [
        f"{name}: {', '.join(word.text for word in words)}" if words else name
        for name, words in zip(cluster_names(partition.kinds), found.of, strict=True)
    ]
    for row, label in zip(rows.tolist(), partition.labels.tolist(), strict=True):
        told[row] = names[label] if partition.kinds[label] == 0 else None
    return told


def _without_personal(text: str) -> str:
    """A text for keywords: no telephone number or name of a mailbox becomes one."""
    for one in reversed(personal.find(text)):
        text = f"{text[: one.start]} {text[one.end :]}"
    return text


def theme_names(themes: object, units: Units) -> list[str | None] | None:
    """The name of each row's theme, as the consultation's rows are; None if no themes were given.

    Raises:
        InputError: they are no labels, or not as many as contributions.
    """
    if themes is None:
        return None
    faults: list[Fault] = []
    labels = _labels(themes, faults)
    n, worded = len(units.ids), len(units.consultation)
    if labels is not None and len(labels) not in (n, worded):
        message = (
            f"there are {len(labels):,} labels of themes for {n:,} contributions, {worded:,} of which have a word, so it can't be told which belong together. "
            "Give one for each, in the order of the source."
        )
        faults.append(Fault("labels-count", message, "themes"))
    if faults or labels is None:
        raise InputError(faults)
    rows = units.source
    if len(labels) < n:  # of those with a word: their places among these
        place = np.full(n, -1, np.int64)
        place[np.sort(rows)] = np.arange(worded)
        rows = place[rows]
    return [labels[row] for row in rows.tolist()]


def _labels(themes: object, faults: list[Fault]) -> Sequence[str | None] | None:
    """The names of a model's or a partition's groups, or labels as they are."""
    partition = getattr(themes, "partition_", themes)
    labels, kinds = getattr(partition, "labels", None), getattr(partition, "kinds", None)
    if labels is not None and kinds is not None:
        names = [
            name if kind == 0 else None
            for name, kind in zip(cluster_names(kinds), np.asarray(kinds).tolist(), strict=True)
        ]
        return [names[label] for label in np.asarray(labels).tolist()]
    if hasattr(themes, "get_params"):
        message = f"this {type(themes).__name__} has not been fitted. Call fit() first, or give a label for each contribution."
        faults.append(Fault("labels-type", message, "themes"))
        return None
    column = as_column(themes, "themes", faults)
    return None if column is None else [None if one is None else str(one) for one in column.to_pylist()]
