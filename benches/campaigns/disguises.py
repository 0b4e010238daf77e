"""How a copied text is changed so that it is not found: words edited, slips of typing, another register, signs nobody sees, letters that look alike."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

INVISIBLE = ("\u200b", "\u200c", "\u2060", "\u00ad", "\ufeff")
ALIKE = dict(zip("aceopxyiABEKMHOPCTX", "асеорхуіАВЕКМНОРСТХ", strict=True))  # Latin to Cyrillic
_AROUND = {
    "fr": (
        ("Bonjour, ", "Je me permets d'écrire ceci : ", "Pour ma part, "),
        (" Cordialement.", " Merci de votre attention.", " Voilà."),
    ),
    "es": (("Buenas, ", "Quisiera añadir: ", "Por mi parte, "), (" Un saludo.", " Gracias.", " Nada más.")),
    "en": (
        ("Hi, ", "I would like to add this: ", "For my part, "),
        (" Best regards.", " Thanks.", " That's all."),
    ),
    "de": (
        ("Hallo, ", "Dazu möchte ich sagen: ", "Meinerseits: "),
        (" Viele Grüße.", " Danke.", " Das wär's."),
    ),
}


@cache
def words_of(text: str) -> tuple[str, ...]:
    """Runs of letters and digits, in small letters: what counts as a word everywhere in this benchmark."""
    return tuple(re.findall(r"\w+", text.lower()))


def grams(text: str, length: int = 3) -> frozenset[tuple[str, ...]]:
    """Its runs of so many words."""
    words = words_of(text)
    return frozenset(words[at : at + length] for at in range(len(words) - length + 1))


def edited(text: str, share: float, vocabulary: Sequence[str], random: np.random.Generator) -> str:
    """This share of its words (rounded) replaced, left out, added after, or exchanged with the next; at least one word stays."""
    tokens = text.split()
    for at in sorted(random.permutation(len(tokens))[: round(share * len(tokens))].tolist(), reverse=True):
        what = int(random.integers(4))
        drawn = vocabulary[int(random.integers(len(vocabulary)))]
        if what == 0:
            tokens[at] = drawn
        elif what == 1 and len(tokens) > 1:
            del tokens[at]
        elif what == 2:
            tokens.insert(at + 1, drawn)
        elif at + 1 < len(tokens):
            tokens[at], tokens[at + 1] = tokens[at + 1], tokens[at]
        else:
            tokens[at] = drawn
    return " ".join(tokens)


def slips(text: str, random: np.random.Generator, language: str = "") -> str:
    """One letter in 3 to 8 % of the words doubled, lost or exchanged with the next."""
    tokens = text.split(" ")
    share = random.uniform(0.03, 0.08)
    long = [at for at, token in enumerate(tokens) if len(token) > 3]
    count = max(1, round(share * len(tokens)))
    for at in [long[place] for place in random.permutation(len(long))[:count]]:
        token = tokens[at]
        place = int(random.integers(1, len(token) - 1))
        changed = (
            token[:place] + token[place] + token[place:],
            token[:place] + token[place + 1 :],
            token[:place] + token[place + 1] + token[place] + token[place + 2 :],
        )
        tokens[at] = changed[int(random.integers(3))]
    return " ".join(tokens)


def register(text: str, random: np.random.Generator, language: str = "") -> str:
    """Careless (no capitals, accents or punctuation, each or not) or formal (words before and after)."""
    if random.random() < 0.5 and language in _AROUND:
        before, after = (ways[int(random.integers(len(ways)))] for ways in _AROUND[language])
        return before + text + after
    careless = [text.lower(), text]
    text = careless[int(random.integers(2))]
    if random.random() < 0.7:
        text = "".join(sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign))
    if random.random() < 0.7 or text == careless[1]:
        text = re.sub(r"\s+", " ", re.sub(r"[.,;:!?«»\"()]", " ", text)).strip()
    return text


def invisible(text: str, random: np.random.Generator, language: str = "") -> str:
    """A sign that nobody sees inside a tenth to a third of the words."""
    share = random.uniform(0.1, 0.34)
    tokens = text.split(" ")
    for at, token in enumerate(tokens):
        if len(token) > 2 and random.random() < share:
            place = int(random.integers(1, len(token)))
            tokens[at] = token[:place] + INVISIBLE[int(random.integers(len(INVISIBLE)))] + token[place:]
    return " ".join(tokens)


def alike(text: str, random: np.random.Generator, language: str = "") -> str:
    """A tenth to a third of the letters that have a double in Cyrillic replaced by it."""
    share = random.uniform(0.1, 0.34)
    return "".join(ALIKE[sign] if sign in ALIKE and random.random() < share else sign for sign in text)


DISGUISES: dict[str, Callable[[str, np.random.Generator, str], str]] = {
    "slips": slips,
    "register": register,
    "invisible": invisible,
    "alike": alike,
}


def disguised(text: str, random: np.random.Generator, language: str, most: int = 3) -> str:
    """One to `most` of the disguises, one after the other."""
    names = [list(DISGUISES)[at] for at in random.permutation(len(DISGUISES))]
    for name in names[: int(random.integers(1, most + 1))]:
        text = DISGUISES[name](text, random, language)
    return text
