"""What the benchmark asks: each row is a way to change a consultation, in which corpora, and how often it is repeated unless told otherwise.

A row is written `KIND option=value …`, as `copies size=40 edits=0.1 when=burst`, with the options of `plants.plant` or `controls.control`; a name of
`NAMED` stands for one or several of them. «several» plants one to four campaigns of kinds and sizes that the seed draws, beside a control that it
draws: what a false discovery rate is measured on.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

import controls
import plants
from corpora import MAIN, Corpus, generator, load, replicate
from plants import SIZES, Truth

BOWLING_GREEN = "polis:american-assembly.bowling-green"
ENERGY = "polis:austria-climate.2vkxcncppn.2022-07-07"
BIODIVERSITY = "polis:scoop-hivemind.biodiversity"
FARMLAND = "polis:ssis.land-bank-farmland.2rumnecbeh.2021-08-01"
WITH_TEXTS = (*MAIN, BOWLING_GREEN)
WITH_VOTES = (BOWLING_GREEN, ENERGY, BIODIVERSITY, FARMLAND)


@dataclass(frozen=True)
class Row:
    """One question.

    Attributes:
        text: as it is written.
        kind, options: of it.
    """

    text: str
    kind: str
    options: dict[str, Any]

    @property
    def corpora(self) -> tuple[str, ...]:
        """Where it is asked unless told otherwise."""
        if self.kind == "votes":
            return WITH_VOTES
        if self.kind == "paraphrase":
            return ("repnum", "granddebat", "madrid", BOWLING_GREEN)
        if self.kind == "polished":
            return ("essays",)
        if self.kind == "organic":
            return (*WITH_TEXTS, ENERGY, BIODIVERSITY, FARMLAND, "essays")
        if self.kind in ("short-answers", "news-burst", "deadline-rush", "school-class-real", "petition"):
            return (*WITH_TEXTS, ENERGY)
        return WITH_TEXTS


def _sizes(text: str, sizes: tuple[int, ...] = SIZES) -> tuple[str, ...]:
    return tuple(f"{text} size={size}" for size in sizes)


NAMED: dict[str, tuple[str, ...]] = {
    "organic": ("organic",),
    "controls": tuple(kind for kind in controls.KINDS if kind != "organic"),
    "targets": (
        "copies size=10 edits=0.1",
        "copies size=40 edits=0.1",
        "mail-merge ways=close size=40",
        "mail-merge size=40",
        "paraphrase size=40",
        "paraphrase size=40 when=burst",
        "votes size=20",
        "several",
        "petition",
    ),
    "copies": _sizes("copies edits=0.1"),
    "copies-any": _sizes("copies"),
    "mail-merge": _sizes("mail-merge"),
    "mail-merge-close": _sizes("mail-merge ways=close"),
    "mail-merge-wide": _sizes("mail-merge ways=wide"),
    "mail-merge-burst": _sizes("mail-merge when=burst"),
    "drip": (
        *_sizes("mail-merge when=drip", (20, 40, 100)),
        *_sizes("copies edits=0.1 when=drip", (10, 20, 40)),
    ),
    "paraphrase": _sizes("paraphrase", (5, 10, 20, 40)),
    "paraphrase-spread": _sizes("paraphrase question=spread", (10, 20, 40)),
    "paraphrase-burst": _sizes("paraphrase when=burst", (5, 10, 20, 40)),
    "paraphrase-drip": _sizes("paraphrase when=drip", (10, 20, 40)),
    "votes": _sizes("votes", (5, 10, 20, 40)),
    "votes-opinion": _sizes("votes script=opinion", (10, 20, 40)),
    "mixed": _sizes("mixed", (20, 40, 100)),
    "adversarial": (*_sizes("adversarial", (10, 20, 40)), *_sizes("adversarial base=mail-merge", (20, 40))),
    "several": ("several",),
}


def read(text: str) -> list[Row]:
    """The rows that a name, or a row as it is written, stands for."""
    return [_row(one) for one in NAMED.get(text, (text,))]


def _row(text: str) -> Row:
    kind, *options = text.split()
    if kind not in (*plants.KINDS, *controls.KINDS, "several"):
        raise ValueError(f"no row {text!r}: {', '.join((*NAMED, *plants.KINDS, *controls.KINDS))}")
    given: dict[str, Any] = {}
    for option in options:
        name, _, value = option.partition("=")
        try:
            given[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            given[name] = value
    return Row(text, kind, given)


def consultation(row: Row, corpus_name: str, seed: int) -> tuple[Corpus, Truth]:
    """A replicate of the corpus with what the row asks for done to it."""
    corpus = replicate(load(corpus_name), seed)
    options = dict(row.options)
    if row.kind in controls.KINDS:
        return controls.control(corpus, row.kind, seed, **options)
    if row.kind != "several":
        return plants.plant(corpus, row.kind, options.pop("size", 40), seed, **options)
    return _several(corpus, seed)


def _several(corpus: Corpus, seed: int) -> tuple[Corpus, Truth]:
    random = generator(seed, "several", corpus.name)
    quiet = ["organic", "short-answers", "news-burst", "deadline-rush", "school-class-real"]
    corpus, around = controls.control(corpus, quiet[int(random.integers(len(quiet)))], seed)
    truth = Truth(changed=around.changed, taken=around.taken, note=around.note)
    kinds = ["copies", "copies", "mail-merge", "mail-merge", "mixed", "adversarial"]
    kinds += ["paraphrase"] if corpus.name in ("repnum", "granddebat", "madrid") else []
    kinds += ["votes"] if corpus.votes else []
    for _ in range(int(random.integers(1, 5))):
        kind = kinds[int(random.integers(len(kinds)))]
        if kind == "paraphrase":  # there is one such campaign
            kinds.remove("paraphrase")
        size = int(random.choice([5, 10, 20, 40]))
        when = ("organic", "burst", "drip")[int(random.integers(3))]
        try:
            corpus, truth = plants.plant(corpus, kind, size, seed, when=when, truth=truth)
        except ValueError:  # no letter in this language
            corpus, truth = plants.plant(corpus, "copies", size, seed, when=when, truth=truth)
    return corpus, truth
