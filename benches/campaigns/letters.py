"""Letters with slots: what a mail-merge campaign is made with.

Built as such campaigns are: nearly every two to five words are a slot with four to eight ways to say it, so that two letters share the argument and a
closed vocabulary, but few runs of three words. The words are our own. A campaign does not use a whole letter: `template` draws which sentences and
which of each slot's words one campaign uses, so that a hundred campaigns are a hundred templates, not one.

The letters are `stock/letter-*.txt`. [a|b] is a slot. The first line opens a letter, the last closes it; those between come in any order.

| letter | language | topic | goes with |
|---|---|---|---|
| fr-libre | French | free software in administrations | repnum |
| fr-impots | French | taxes and public services | granddebat, lille |
| es-barrio | Spanish | clean and quiet streets | madrid |
| en-town | English | roads, footpaths and town money | English Polis conversations |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

WAYS = {
    "close": (2, 3),
    "usual": (2, 4),
    "wide": (3, 8),
}  # of a slot in one campaign, of the three to six in the letter
SENTENCES = (4, 6)  # between opening and closing, in one campaign
BRIEF = (2, 3)  # where people write a sentence or two, without opening and closing

_SLOT = re.compile(r"\[([^]]*)\]")

LETTERS = {
    path.stem.removeprefix("letter-"): path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parent / "stock").glob("letter-*.txt"))
}

Sentence: TypeAlias = tuple[tuple[str, ...], ...]

FOR = {"repnum": "fr-libre", "granddebat": "fr-impots", "lille": "fr-impots", "madrid": "es-barrio"}
BY_LANGUAGE = {"fr": "fr-impots", "es": "es-barrio", "en": "en-town"}


@dataclass(frozen=True)
class Template:
    """What one campaign merges: sentences of pieces, each piece a tuple of ways to say it (one way: fixed words)."""

    opening: Sentence
    body: tuple[Sentence, ...]
    closing: Sentence

    @property
    def slots(self) -> int:
        return sum(
            len(piece) > 1 for sentence in (self.opening, *self.body, self.closing) for piece in sentence
        )


def pieces(sentence: str) -> Sentence:
    """«[a|b] c» as (("a", "b"), (" c",))."""
    found = []
    for at, part in enumerate(_SLOT.split(sentence)):
        if part:
            found.append(tuple(part.split("|")) if at % 2 else (part,))
    return tuple(found)


def sentences_of(letter: str) -> list[Sentence]:
    return [pieces(line) for line in LETTERS[letter].strip().splitlines()]


def letter_for(corpus_name: str, language: str) -> str:
    """The letter that speaks of the corpus' topic, or at least its language."""
    if corpus_name in FOR:
        return FOR[corpus_name]
    if language not in BY_LANGUAGE:
        raise ValueError(f"no letter in «{language}» ({corpus_name}); there are {', '.join(LETTERS)}")
    return BY_LANGUAGE[language]


def template(
    letter: str,
    random: np.random.Generator,
    *,
    ways: str = "usual",
    brief: bool = False,
) -> Template:
    """One campaign's part of a letter: some of its sentences, some of each slot's ways; `brief`: for corpora of short texts."""
    opening, *body, closing = sentences_of(letter)
    least, most = BRIEF if brief else SENTENCES
    count = int(random.integers(least, most + 1))
    chosen = [body[at] for at in random.permutation(len(body))[:count]]
    opening, *chosen, closing = (_narrowed(part, WAYS[ways], random) for part in (opening, *chosen, closing))
    return Template((), tuple(chosen), ()) if brief else Template(opening, tuple(chosen), closing)


def _narrowed(sentence: Sentence, bounds: tuple[int, int], random: np.random.Generator) -> Sentence:
    out = []
    for ways in sentence:
        least, most = min(bounds[0], len(ways)), min(bounds[1], len(ways))
        kept = sorted(random.permutation(len(ways))[: int(random.integers(least, most + 1))])
        out.append(tuple(ways[at] for at in kept))
    return tuple(out)


def said(sentence: Sentence, random: np.random.Generator) -> str:
    """A sentence with one way for each slot, its first letter a capital."""
    text = "".join(ways[int(random.integers(len(ways)))] for ways in sentence)
    return text[:1].upper() + text[1:]


def merged(of: Template, random: np.random.Generator, leave_out: float = 0.15) -> str:
    """A letter: sentences between opening and closing shuffled, each left out with this probability (but never all)."""
    body = [of.body[at] for at in random.permutation(len(of.body))]
    kept = [sentence for sentence in body if random.random() >= leave_out] or body[:1]
    return " ".join(said(sentence, random) for sentence in (of.opening, *kept, of.closing) if sentence)
