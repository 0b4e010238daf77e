"""What is a theme, a weak signal or a lone voice called, in tables and on pages?

Themes are T1, T2, …, weak signals W1, W2, …, lone voices L1, L2, …: the largest first, as a `Partition` numbers them. The names are the same in
every language. They are those of one way to cut: the T3 of another level is another theme.

>>> cluster_names([0, 0, 1, 2, 2])
('T1', 'T2', 'W1', 'L1', 'L2')
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from klero._page_words import counted
from klero.themes.partition import KINDS
from klero.words import number, words

__all__ = ["KINDS", "accounted_words", "cluster_names", "kind_words"]

_LETTERS = "TWL"


def cluster_names(kinds: Sequence[int] | npt.NDArray[np.uint8]) -> tuple[str, ...]:
    """The name of each cluster, from its kind (an index into `KINDS`)."""
    seen = [0, 0, 0]
    names = []
    for kind in map(int, kinds):
        seen[kind] += 1
        names.append(f"{_LETTERS[kind]}{seen[kind]}")
    return tuple(names)


def kind_words(kind: int, lang: str) -> str:
    """«theme», «weak signal» or «lone voice»."""
    _ = words(lang).gettext
    return (_("theme"), _("weak signal"), _("lone voice"))[kind]


def accounted_words(kinds: Sequence[int], empty: int, lang: str) -> str:
    """The sum that accounts for every contribution, by kind and those without a word.

    >>> accounted_words([3200, 310, 1], 20, "en")
    '3,200 in themes + 310 in weak signals + 1 lone voice + 20 without a word = 3,531 contributions.'
    """
    _, plural = words(lang).gettext, words(lang).ngettext
    themes, weak, lone = kinds
    parts = (
        _("{n} in themes").format(n=number(themes, lang)),
        _("{n} in weak signals").format(n=number(weak, lang)),
        plural("{n} lone voice", "{n} lone voices", lone).format(n=number(lone, lang)),
        _("{n} without a word").format(n=number(empty, lang)),
    )
    return f"{' + '.join(parts)} = {counted(themes + weak + lone + empty, lang)}."
