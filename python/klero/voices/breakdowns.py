"""How are contributions spread over the values of a column, their questions or stances, in a group and among all?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from klero._page import html_table, safe
from klero._page_words import few_words, share
from klero.words import number, words

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Breakdown", "Column", "present", "stance_words", "value_words", "values_table"]

_VALUES = 12  # values of a question or stance with a line of their own


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A value of a column (None: the rest; «»: no answer), how many contributions have it, and how many of those are in the group(s)."""

    value: str | None
    all: int
    grouped: int
    values: int = 1


class Column:
    """A column of text whose values are counted, for all contributions and for some. No value and an empty one are the same."""

    def __init__(self, values: pa.ChunkedArray | None, show: Callable[[str], str]) -> None:
        self.show = show
        if values is None:
            self.names: list[str] = []
            return
        encoded = values.fill_null("").dictionary_encode().combine_chunks()
        if not len(encoded):
            self.names = []
            return
        self.codes = encoded.indices.to_numpy(zero_copy_only=False)
        self.names = encoded.dictionary.to_pylist()
        self.totals = np.bincount(self.codes, minlength=len(self.names))

    def among(self, rows: npt.NDArray[np.int64]) -> tuple[Breakdown, ...]:
        """Each value with its counts, the most frequent among `rows` first; the rest in one line. Nothing where there are no values."""
        if not any(self.names):
            return ()
        counts = np.bincount(self.codes[rows], minlength=len(self.names))
        order = sorted(range(len(self.names)), key=lambda i: (-counts[i], -self.totals[i], self.names[i]))
        kept, rest = order[:_VALUES], order[_VALUES:]
        found = [Breakdown(self.show(self.names[i]), int(self.totals[i]), int(counts[i])) for i in kept]
        if rest:
            more = int(self.totals[rest].sum()), int(counts[rest].sum())
            found.append(Breakdown(None, *more, values=len(rest)))
        return tuple(found)


def present(lines: tuple[Breakdown, ...]) -> tuple[Breakdown, ...]:
    """The values that the group has, and all others in one line of their own."""
    kept = [line for line in lines if line.grouped and line.value is not None]
    rest = [line for line in lines if line not in kept]
    if not rest:
        return tuple(kept)
    other = Breakdown(
        None, sum(r.all for r in rest), sum(r.grouped for r in rest), sum(r.values for r in rest)
    )
    return (*kept, other)


def value_words(line: Breakdown, lang: str) -> str:
    """A value of a column as HTML, cut at 200 code points; «(none)», or «12 others»."""
    _ = words(lang).gettext
    if line.value is None:
        text = (
            words(lang).ngettext("{n} other", "{n} others", line.values).format(n=number(line.values, lang))
        )
        return safe(f"({text})")
    if not line.value:
        return safe(_("(none)"))
    return safe(line.value if len(line.value) <= 200 else line.value[:199] + "…")


def stance_words(lines: Sequence[Breakdown], lang: str) -> tuple[Breakdown, ...]:
    """The lines with their stances in words."""
    _ = words(lang).gettext
    known = {"for": _("for"), "against": _("against"), "neutral": _("neutral")}
    return tuple(replace(line, value=known.get(line.value or "", line.value)) for line in lines)


def values_table(lines: Sequence[Breakdown], size: int, column: str, lang: str) -> str:
    """How often the group has each value, beside how often all contributions have it."""
    _ = words(lang).gettext
    if not lines:
        return ""
    rows = [
        [
            value_words(line, lang),
            number(line.grouped, lang),
            share(line.grouped, size, lang),
            number(line.all, lang),
        ]
        for line in lines
    ]
    headings = [column, _("in this group"), _("share of the group"), _("among all contributions")]
    few = "".join(f'<p class="small">{safe(line)}</p>\n' for line in few_words([size], lang))
    return html_table(headings, rows, numbers=(1, 2, 3)) + few
