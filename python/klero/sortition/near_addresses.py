"""Which addresses look so alike that a person should say whether they are one?

Two different normal forms are near if one of these holds (`REASONS` names them):

- the same words and numbers in another order, or but for small words and leading zeros;
- one says all that the other says, and a flat, a floor, a building, or a letter behind the number («12» and «12 bis») more;
- the same but for where a space stands («rougemont», «rouge mont»);
- the same numbers, and one word of four letters or more that is the same once at most one letter is left out of each spelling
  (that is every single typing error and every swap of neighbours, and some pairs of two errors);
- one word, or one number of four digits or more such as a postcode, is missing in one of them.

Guaranteed: these pairs, all of them, each once, in the order of their addresses; nothing is merged. Not guaranteed: two homes
with errors in two words. Cost: addresses with the same numbers meet by the words they share, never each with each; linear in
the letters and in the pairs reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

from klero.sortition.addresses import Households

__all__ = ["REASONS", "NearMatch", "near_addresses", "near_matches"]

REASONS: Mapping[str, str] = MappingProxyType(
    {
        "order": "the same in another order, or but for small words and zeros",
        "unit": "one names a flat, floor or building more, or a letter behind the number",
        "space": "the same but for a space",
        "letter": "one word differs in a letter",
        "word": "one has a word or a postcode more",
    }
)

_UNITS = frozenset(
    ("appartement", "batiment", "escalier", "etage", "porte", "unit", "room", "chambre", "studio", "lot")
)
_FLOOR = "etage"
_ORDINALS = frozenset(("e", "er", "ere", "eme", "nd", "rd", "th", "st", "road"))
_SMALL = frozenset(
    ("a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "of", "s", "sur", "the")
)
_SHORTEST = 4
_LONG_NUMBER = 4


@dataclass(frozen=True, slots=True)
class NearMatch:
    """Two addresses for a person to look at: normal forms, `first` before `second`, and a key of :data:`REASONS`."""

    first: str
    second: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Parsed:
    numbers: tuple[str, ...]
    words: tuple[str, ...]
    joined: str
    unit: tuple[str, ...]
    letter: str


def near_matches(homes: Households) -> tuple[NearMatch, ...]:
    """The near pairs among the addresses of different households that nobody has decided yet."""
    group = {form: g for g, forms in enumerate(homes.addresses) for form in forms}
    return tuple(
        match
        for match in near_addresses(group)
        if group[match.first] != group[match.second] and (match.first, match.second) not in homes.different
    )


def near_addresses(forms: Iterable[str]) -> Iterator[NearMatch]:
    """The near pairs among different normal forms, in order; of several reasons the first that :data:`REASONS` lists."""
    parsed = {form: _parsed(form) for form in sorted(set(forms))}
    found: dict[tuple[str, str], str] = {}
    for reason, pairs in (
        ("order", _order_pairs(parsed)),
        ("unit", _unit_pairs(parsed)),
        ("space", _space_pairs(parsed)),
        ("letter", _letter_pairs(parsed)),
        ("word", _word_pairs(parsed)),
    ):
        for a, b in pairs:
            found.setdefault((a, b) if a < b else (b, a), reason)
    return (NearMatch(a, b, reason) for (a, b), reason in sorted(found.items()))


def _parsed(form: str) -> _Parsed:
    tokens = form.split()
    unit: list[str] = []
    core: list[str] = []
    at = 0
    while at < len(tokens):
        word = tokens[at]
        follows = tokens[at + 1] if at + 1 < len(tokens) else ""
        if word not in _UNITS:
            core.append(word)
        elif word == _FLOOR and len(core) > 1 and core[-1] in _ORDINALS and core[-2].isdecimal():
            unit += [_FLOOR, core[-2]]  # «3 e etage»
            del core[-2:]
        elif follows.isdecimal() or len(follows) == 1:
            unit += [word, follows]
            at += 1
        else:
            unit.append(word)
        at += 1
    # The letter behind the house number: «12 b».
    spot = next(
        (
            i
            for i in range(1, len(core))
            if core[i - 1].isdecimal() and len(core[i]) == 1 and core[i].isalpha()
        ),
        0,
    )
    letter = core.pop(spot) if spot else ""
    words = [token for token in core if not token.isdecimal()]
    return _Parsed(
        tuple(sorted(token.lstrip("0") for token in core if token.isdecimal())),
        tuple(sorted(word for word in words if word not in _SMALL)),
        "".join(words),
        tuple(unit),
        letter,
    )


Pairs = Iterator[tuple[str, str]]


def _buckets(parsed: Mapping[str, _Parsed], key: Callable[[_Parsed], Hashable]) -> dict[Hashable, list[str]]:
    buckets: dict[Hashable, list[str]] = defaultdict(list)
    for form, parts in parsed.items():
        buckets[key(parts)].append(form)
    return buckets


def _order_pairs(parsed: Mapping[str, _Parsed]) -> Pairs:
    for bucket in _buckets(parsed, lambda p: (p.numbers, p.words, p.unit, p.letter)).values():
        yield from combinations(bucket, 2)
    swapped: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for form in parsed:
        swapped[tuple(sorted(form.split()))].append(form)
    for bucket in swapped.values():
        yield from combinations(bucket, 2)


def _unit_pairs(parsed: Mapping[str, _Parsed]) -> Pairs:
    buckets = _buckets(parsed, lambda p: (p.numbers, p.words, p.unit, p.letter))
    for form, p in parsed.items():
        for unit, letter in {((), p.letter), (p.unit, ""), ((), "")} - {(p.unit, p.letter)}:
            for other in buckets.get((p.numbers, p.words, unit, letter), ()):
                yield form, other


def _space_pairs(parsed: Mapping[str, _Parsed]) -> Pairs:
    for bucket in _buckets(parsed, lambda p: (p.numbers, p.joined, p.unit, p.letter)).values():
        yield from combinations(bucket, 2)


def _letter_pairs(parsed: Mapping[str, _Parsed]) -> Pairs:
    rests: dict[Hashable, list[tuple[str, str]]] = defaultdict(list)
    for form, p in parsed.items():
        for word, rest in _without_one(p.words):
            if len(word) >= _SHORTEST:
                rests[p.numbers, rest, p.unit, p.letter].append((word, form))
    for bucket in rests.values():
        if len(bucket) > 1:
            spellings: dict[str, list[tuple[str, str]]] = defaultdict(list)
            for word, form in bucket:
                for short in {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}:
                    spellings[short].append((word, form))
            for alike in spellings.values():
                yield from ((a, b) for (v, a), (w, b) in combinations(alike, 2) if v != w)


def _word_pairs(parsed: Mapping[str, _Parsed]) -> Pairs:
    whole = _buckets(parsed, lambda p: (p.numbers, p.words, p.unit, p.letter))
    for form, p in parsed.items():
        keys: list[Hashable] = [
            (p.numbers, rest, p.unit, p.letter) for _, rest in _without_one(p.words) if rest
        ]
        keys += [
            (rest, p.words, p.unit, p.letter)
            for number, rest in _without_one(p.numbers)
            if rest and len(number) >= _LONG_NUMBER
        ]
        for key in keys:
            for other in whole.get(key, ()):
                yield form, other


def _without_one(items: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each different item with the others."""
    for i, item in enumerate(items):
        if i == 0 or items[i - 1] != item:
            yield item, items[:i] + items[i + 1 :]
