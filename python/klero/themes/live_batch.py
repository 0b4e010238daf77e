"""Contributions on their way into live themes, and what is told of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from klero import _native
from klero.errors import Fault, InputError
from klero.themes.live_input import Matrix, Text
from klero.themes.live_parts import Placement, kind_of

__all__ = ["MOST", "Batch", "cut", "listed", "nowhere", "placement", "unfit"]

MOST = 1 << 20  # contributions that live themes hold

_UNFIT = {
    "finite": Fault(
        "vectors-not-finite",
        "this vector holds NaN or an infinite number; embed the text again.",
        "vectors",
    ),
    "zero": Fault(
        "vectors-zero",
        "this vector is zeros alone, so it points nowhere. If the contribution has no words, give its text without a vector.",
        "vectors",
    ),
    "texts": Fault(
        "live-embedder",
        "the contributions before were given vectors, with which hashed words can't be compared. Give vectors of the same embedder with these texts.",
        "vectors",
    ),
    "words": Fault(
        "live-embedder",
        "the contributions before were compared by hashed words, with which these vectors can't be. Give texts alone, or begin others with vectors.",
        "vectors",
    ),
    "full": Fault(
        "live-full",
        "live themes hold at most 1,048,576 contributions, up to which their sums are exact. For more, use klero.Themes.",
        "vectors",
    ),
}


class Batch:
    """Contributions on their way in."""

    def __init__(
        self, texts: list[Text], rows: Matrix | None, times: list[str], authors: list[str | None]
    ) -> None:
        self.texts, self.rows, self.times, self.authors = texts, rows, times, authors
        self.empty: list[bool] | None = None


def cut(batch: Batch, part: slice) -> tuple[Matrix, list[bool] | None]:
    assert batch.rows is not None  # noqa: S101
    return batch.rows[part], None if batch.empty is None else batch.empty[part]


def listed(values: Iterable[object] | object, single: bool) -> list[object] | None:
    """One for each, where one alone may be given."""
    if values is None:
        return None
    if single and (isinstance(values, str) or not isinstance(values, Iterable)):
        return [values]
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError([Fault("id-count", "ids and authors are lists: one for each contribution.", "")])
    return list(values)


def unfit(why: str, row: int | None) -> Fault:
    return replace(_UNFIT[why], row=None if row is None else row + 1)


def nowhere(name: str) -> Placement:
    return Placement(name, None, "empty", False, False, 0, 0.0, 0.0, None, 1.0, None)


def placement(name: str, told: _native._LiveTold) -> Placement:
    theme, size, new, copy, similarity, limit, novelty, sureness, second = told
    return Placement(
        name, theme, kind_of(size), new, copy, size, similarity, limit, novelty, sureness, second
    )
