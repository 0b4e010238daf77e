"""Honest opinions on one assignment: what a class of pupils writes, and the sentences that people add to a petition of their own accord.

Each line of `stock/opinions-*.txt` is one idea, in several forms that share little but the idea (separated by «//»); [a|b] are ways to say it. A
class deals the forms out: pupils share ideas and words, hardly a sentence. A stock written by one hand is still a common source, so such a class is a
harder control than a real one, never an easier one; `controls.py` also has classes made of real texts.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from letters import pieces, said

ASSIGNMENTS = {
    "fr": "Le numérique à l'école : qu'est-ce qui te plaît, qu'est-ce que tu changerais ?",
    "es": "¿Qué cambiarías de tu barrio y por qué?",
    "en": "What would make our town a better place for people your age?",
}

OPENINGS = {
    "fr": "Je pense que ça dépend. // Moi j'ai [treize|quatorze] ans. // Pour moi c'est [simple|compliqué]. // On en a parlé en classe. // À mon avis",
    "es": "Yo creo que hay cosas buenas. // Tengo [doce|trece] años. // Pues mira, // Lo hemos hablado en clase. // ¡Hola! // En mi opinión",
    "en": "I think it's okay here. // I'm [thirteen|fourteen]. // Honestly // We talked about this in class. // Hi! // In my opinion",
}
NO_OPENING = 0.4

IDEAS = {
    path.stem.removeprefix("opinions-"): path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parent / "stock").glob("opinions-*.txt"))
}


def _ideas(language: str) -> list[list[str]]:
    return [line.split(" // ") for line in IDEAS[language].strip().splitlines()]


def idea(language: str, random: np.random.Generator) -> str:
    """One sentence."""
    stock = _ideas(language)
    forms = stock[int(random.integers(len(stock)))]
    return said(pieces(forms[int(random.integers(len(forms)))]), random)


def opinion(language: str, random: np.random.Generator, ideas: tuple[int, int] = (2, 4)) -> str:
    """What one person writes: an opening or none, and this many different ideas."""
    stock = _ideas(language)
    count = int(random.integers(ideas[0], ideas[1] + 1))
    forms = [stock[at][int(random.integers(len(stock[at])))] for at in random.permutation(len(stock))[:count]]
    return _written(language, random, forms)


def opinions(
    language: str, random: np.random.Generator, count: int, ideas: tuple[int, int] = (1, 3)
) -> list[str]:
    """What so many people write who sit together: no form is used twice until all have been."""
    left: list[str] = []
    texts = []
    for _ in range(count):
        wanted = int(random.integers(ideas[0], ideas[1] + 1))
        if len(left) < wanted:
            forms = [form for idea in _ideas(language) for form in idea]
            left += [forms[at] for at in random.permutation(len(forms))]
        texts.append(_written(language, random, [left.pop() for _ in range(wanted)]))
    return texts


def _written(language: str, random: np.random.Generator, forms: list[str]) -> str:
    openings = OPENINGS[language].split(" // ")
    opening = said(pieces(openings[int(random.integers(len(openings)))]), random)
    if random.random() < NO_OPENING:
        opening = ""
    written = [said(pieces(form), random) + str(random.choice([".", ".", " !", "", "..."])) for form in forms]
    if opening and opening[-1] not in ".!":
        written[0] = written[0][:1].lower() + written[0][1:]
    text = " ".join(part for part in (opening, *written) if part)
    return text.lower() if random.random() < 0.15 else text
