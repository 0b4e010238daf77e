"""Words for made-up French and English: real function words, content words put together from syllables, by Zipf's law.

Frequent words are short, as in languages; the 120 commonest are real, so trigrams such as «de la» + noun recur as they do in life.
A token is a word with its punctuation: five forms of each word (plain, with a comma, with a full stop, capitalised, in capitals).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

FORMS = 5
PLAIN, COMMA, STOP, CAPITAL, SHOUTED = range(FORMS)
TABLE = 1 << 20  # draws are looked up: word of a uniform integer below this


def _listed(words: str) -> list[str]:
    return words.split()


FRENCH = _listed("""
de la le et les des en un une que est pour qui dans a par plus pas au sur ne se ce il sont avec on nous être aux ou du cette ont mais ses
leur comme tout même aussi si bien peut ces sans elle notre fait doit faire entre très ils après deux nos avoir encore autres dont était
donc vous leurs temps moins lui où cela ainsi contre tous quand depuis afin toujours lorsque soit peu je vie jamais chaque trop car chez
avant alors selon pourquoi ville état c'est n'est qu'il d'un d'une l'on s'il j'ai qu'on n'ont c’est d’une qu’ils aujourd'hui là déjà pendant
toutes beaucoup plusieurs citoyens projet public école impôts transports santé climat travail logement éducation
""")
ENGLISH = _listed("""
the of to and a in that is for it as was with be on not he by are this at from they which or we an have one had all their has there been
were will more when who no if out so what up its about into than them can only other new some could time these two may then do first any my
now such like our over man me even most made after also did many before must through years where much your way well down should because each
just those people how too little it's don't isn't we're that's can't you're doesn't it’s don’t city state public school taxes transport
health climate work housing council budget citizens project always never often perhaps everyone nobody against toward
""")
_PARTS = {
    "fr": (
        _listed("b c d f g l m n p r s t v ch gr pr tr pl br cl cr dr fl j qu"),
        _listed("a e i o u é è ou an on in ai eau oi au en"),
        _listed("tion ment ité eur age ique able er ée ant ence iste ure al elle eux isme ois et in"),
    ),
    "en": (
        _listed("b c d f g h l m n p r s t v w th gr pr tr pl br cl st sp sh k"),
        _listed("a e i o u ea ou ai oo ee ar er or an in"),
        _listed("tion ment ing ness er al ous ed ly ful able ist ity ence ate ish ght ck ll st"),
    ),
}
_ELIDED = ("l'", "d'", "l’", "qu'", "n'")


@dataclass(frozen=True)
class Lexicon:
    """`words[lang]` and, one entry a draw, the number of the word; `forms` has FORMS strings a word, both languages in turn."""

    tables: tuple[
        np.ndarray, np.ndarray
    ]  # int32, TABLE entries each: number of a word, languages one after the other
    forms: pa.Array  # string


def _content(lang: str, count: int, rng: np.random.Generator) -> list[str]:
    onsets, nuclei, endings = _PARTS[lang]
    words: dict[str, None] = {}
    while len(words) < count:
        size = 2 * (count - len(words)) + 100
        draws = [
            rng.integers(0, len(part), size)
            for part in (onsets, nuclei, onsets, nuclei, onsets, nuclei, endings)
        ]
        for o1, n1, o2, n2, o3, n3, end, shape in zip(*draws, rng.integers(0, 10, size), strict=True):
            word = onsets[o1] + nuclei[n1] if shape else nuclei[n1]
            word += onsets[o2] + nuclei[n2] if shape > 3 else ""
            word += onsets[o3] + nuclei[n3] if shape > 8 else ""
            words[word + (endings[end] if shape % 2 else onsets[o3])] = None
    # Zipf's law of abbreviation, roughly: sorted by length with noise.
    listed = list(words)[:count]
    noise = rng.normal(0, 3, count)
    listed = [
        listed[i] for i in np.argsort([len(word) + shift for word, shift in zip(listed, noise, strict=True)])
    ]
    if lang == "fr":
        picks = rng.integers(0, 4 * len(_ELIDED), count)
        listed = [
            _ELIDED[p] + w if w[0] in "aeioué" and p < len(_ELIDED) else w
            for p, w in zip(picks, listed, strict=True)
        ]
    return listed


def _draws(functions: int, contents: int, share: float) -> np.ndarray:
    """For each of TABLE equal chances the word: function words have `share` of the text, each kind by Zipf."""
    weights = np.concatenate([share * _zipf(functions, 2.7), (1 - share) * _zipf(contents, 50.0)])
    edges = np.cumsum(weights / weights.sum())
    return np.searchsorted(edges, (np.arange(TABLE) + 0.5) / TABLE).astype(np.int32)


def _zipf(count: int, shift: float) -> np.ndarray:
    weights = 1.0 / (np.arange(count) + shift)  # Zipf's law as Mandelbrot shifts it
    return weights / weights.sum()


def lexicon(contents: int = 30_000) -> Lexicon:
    """The same words for the same number of content words, always."""
    forms: list[str] = []
    tables = []
    for number, (lang, functions) in enumerate((("fr", FRENCH), ("en", ENGLISH))):
        words = functions + _content(lang, contents, np.random.default_rng([2017, number]))
        tables.append(_draws(len(functions), contents, 0.42) + np.int32(len(forms) // FORMS))
        for word in words:
            forms += [word, word + ",", word + ".", word[0].upper() + word[1:], word.upper()]
    return Lexicon((tables[0], tables[1]), pa.array(forms, pa.string()))
