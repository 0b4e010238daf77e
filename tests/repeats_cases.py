"""Facts for tests of the page about repeated contributions, made by hand; and a reader of what a page says."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import numpy as np

from klero.voices.breakdowns import Breakdown
from klero.voices.repeats_facts import (
    Facts,
    GroupFacts,
    Line,
    SizeClass,
)
from klero.voices.repeats_texts import Comparison, Piece, Shown, SlotFacts
from klero.voices.settings import Settings
from klero.voices.times import TimeAxis

SETTINGS = Settings(
    threshold=0.8,
    measure="jaccard",
    mode="exact",
    recall=None,
    shingle=3,
    fold_accents=False,
    min_shared=1,
)


def shown(text: str, **rest: object) -> Shown:
    return replace(Shown((Piece(text, "letter"),)), **rest)  # type: ignore[arg-type]


def group(number: int = 1, text: str = "Gardez la ligne 12 !", **rest: object) -> GroupFacts:
    slot = SlotFacts(1, "la ligne 12", "", 2, 2, (("s'il vous plaît", 1), ("merci", 1)))
    letter = Shown((Piece(text, "letter"), Piece("1", "slot")), slots=(slot,))
    second = Shown((Piece("Gardez", "shared"), Piece(" ", "gap"), Piece("vite", "own"), Piece("12", "moved")))
    return replace(
        GroupFacts(
            number=number,
            id=f"A{number}",
            representative=f"A{number}",
            size=3,
            distinct=2,
            weakest=0.825,
            similarities=np.array([0.825, 1.0, 1.0]),
            letter=letter,
            comparisons=(Comparison(f"A{number}", "B2", 0.825, shown(text), second),),
            looked_at=3,
            questions=(Breakdown("Quels transports ?", 5, 3), Breakdown(None, 4, 0, values=2)),
            stances=(Breakdown("for", 4, 3),),
            times=(2, 0, 1),
            first="2026-03-02",
            last="2026-03-04",
        ),
        **rest,  # type: ignore[arg-type]
    )


def facts(*groups: GroupFacts, **rest: object) -> Facts:
    """Nine contributions: three in a group, four alone, two empty."""
    every = groups or (group(),)
    return replace(
        Facts(
            texts=9,
            grouped=3,
            alone=4,
            empty=2,
            group_count=1,
            distinct=6,
            settings=SETTINGS,
            digest="5e0f" * 16,
            invisibles=1,
            lookalikes=2,
            lines=tuple(
                Line(g.number, g.id, g.size, g.distinct, g.weakest, "Gardez la ligne") for g in every
            ),
            groups=every,
            classes=(SizeClass(1, 1, 4, 4), SizeClass(3, 9, 1, 3)),
            questions=(Breakdown("Quels transports ?", 5, 3), Breakdown("", 4, 0)),
            stances=(Breakdown("for", 4, 3), Breakdown("against", 5, 0)),
            axis=TimeAxis(20514 * 86400.0, 86400, 3),
            undated=1,
            times_all=(4, 2, 2),
            times_grouped=(2, 0, 1),
        ),
        **rest,  # type: ignore[arg-type]
    )


class Page(HTMLParser):
    """A page as it was written: its elements, the words in it, and whether every element is closed in order."""

    VOID = frozenset({"meta", "br", "rect", "line"})

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unmatched: list[str] = []
        self.words: list[str] = []
        self.style = ""
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unmatched.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]
