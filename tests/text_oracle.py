"""The slow, obvious reading of a text: «klero-text/1» and «klero-shingle/1» from the standard library alone."""

import math
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

MASK = 2**64 - 1
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)
ROOT = {prime: math.isqrt(prime << 128) & MASK for prime in PRIMES}

INVISIBLE = (
    "ad 34f 61c 115f-1160 17b4-17b5 180b-180f 200b-200f 202a-202e 2060-206f 3164 fe00-fe0f feff ffa0 fff0-fff8 "
    "1bca0-1bca3 1d173-1d17a e0000-e0fff"
)
SPACELESS = (
    "0e00-0eff 1000-109f 1780-17ff 3005-3007 3021-3029 3031-3035 3038-303c 3041-30ff 31f0-31ff 3400-4dbf 4e00-9fff "
    "a9e0-a9ff aa60-aa7f f900-faff 116d0-116ff 1aff0-1b16f 20000-3ffff"
)
ALIKE = dict(zip("авекмнорстухѕіјѵӏԁԛԝ", "abekmhopctyxsijvldqw", strict=True)) | dict(
    zip("αβεζηικνορτυχγϳ", "abezniKvoptuxyj".lower(), strict=True)
)


def _set(ranges: str) -> frozenset[int]:
    points: set[int] = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        points.update(range(int(first, 16), int(last or first, 16) + 1))
    return frozenset(points)


_INVISIBLE, _SPACELESS = _set(INVISIBLE), _set(SPACELESS)


class Word(NamedTuple):
    text: str
    start: int  # bytes of the original text
    end: int


def is_invisible(c: str) -> bool:
    return ord(c) in _INVISIBLE


def is_latin(c: str) -> bool:
    return "a" <= c <= "z" or ("ß" <= c <= "\u02af" and c != "÷") or "\u1e00" <= c <= "\u1eff"


def _normal(form: str, text: str) -> str:
    return unicodedata.normalize(form, text)  # type: ignore[arg-type]


def cased(text: str) -> str:
    """Steps 1 and 2: nothing invisible, NFKC, case folding, NFKC."""
    seen = "".join(c for c in text if not is_invisible(c))
    return _normal("NFKC", _normal("NFKC", seen).casefold())


def fold(text: str, fold_accents: bool = False) -> str:
    """Steps 1 to 4."""
    letters = "".join(ALIKE.get(c, c) for c in _normal("NFD", cased(text)))
    if fold_accents:
        letters = "".join(c for c in letters if unicodedata.category(c) != "Mn")
    return _normal("NFC", letters)


def cut(folded: str) -> list[tuple[int, int]]:
    """Step 5: code points where each word of a folded text begins and ends."""
    found: list[tuple[int, int]] = []
    growing = alone = False
    for at, c in enumerate(folded):
        category = unicodedata.category(c)
        letter = category[0] in "LN" or c == "_"
        now_alone = letter and ord(c) in _SPACELESS and category != "Nd" and category != "No"
        if letter and growing and not alone and not now_alone:
            found[-1] = (found[-1][0], at + 1)
        elif letter:
            found.append((at, at + 1))
            growing, alone = True, now_alone
        elif category[0] == "M" and growing:
            found[-1] = (found[-1][0], at + 1)
        elif category[0] != "M":
            growing = False
    return found


def words(text: str, fold_accents: bool = False) -> list[str]:
    folded = fold(text, fold_accents)
    return [folded[start:end] for start, end in cut(folded)]


def is_lookalike(text: str) -> bool:
    """Whether a word mixes Latin letters with letters that only look so."""
    plain = cased(text)
    for start, end in cut(plain):
        letters = _normal("NFD", plain[start:end])
        if any(c in ALIKE for c in letters) and any(is_latin(c) for c in letters):
            return True
    return False


def flags(text: str) -> tuple[bool, bool]:
    return any(is_invisible(c) for c in text), is_lookalike(text)


def mum(a: int, b: int) -> int:
    return (a * b & MASK) ^ (a * b >> 64)


def word_hash(word: str) -> int:
    data = word.encode()
    h = ROOT[2] ^ (len(data) * ROOT[3] & MASK)
    for at in range(0, len(data), 8):
        h = mum(h ^ int.from_bytes(data[at : at + 8], "little"), ROOT[5] | 1)
    return mum(h ^ ROOT[7], ROOT[11] | 1)


def shingle_hash(hashes: list[int]) -> int:
    s = ROOT[13] ^ len(hashes)
    for h in hashes:
        s = mum(s ^ h, ROOT[17] | 1)
    return mum(s ^ ROOT[19], ROOT[23] | 1)


def shingles(text: str, shingle: int = 3, fold_accents: bool = False) -> list[int]:
    """Sorted distinct hashes of the runs of words; one for a text that is shorter; none without words."""
    hashes = [word_hash(word) for word in words(text, fold_accents)]
    if not hashes:
        return []
    k = min(shingle, len(hashes))
    return sorted({shingle_hash(hashes[at : at + k]) for at in range(len(hashes) - k + 1)})


def sequence(text: str, fold_accents: bool = False) -> int:
    hashes = [word_hash(word) for word in words(text, fold_accents)]
    a, b = ROOT[29], ROOT[37]
    for h in hashes:
        a, b = mum(a ^ h, ROOT[31] | 1), mum(b ^ h, ROOT[41] | 1)
    return mum(a ^ len(hashes), ROOT[43] | 1) << 64 | mum(b ^ len(hashes), ROOT[47] | 1)


def _segments(text: str) -> Iterator[tuple[str, int, int]]:
    """The text in pieces that fold apart, with the bytes of their first to their last visible code point."""
    piece, start, end, at = "", 0, 0, 0
    for c in text:
        size = len(c.encode())
        if not is_invisible(c):
            if piece and not _clings(c):
                yield piece, start, end
                piece = ""
            if not piece:
                start = at
            piece, end = piece + c, at + size
        at += size
    if piece:
        yield piece, start, end


def _clings(c: str) -> bool:
    """Whether a code point may change with the one before it: its decomposition begins with a mark (which may go) or with the second of a pair."""
    first = _normal("NFKD", c)[0]
    return unicodedata.category(first)[0] == "M" or first in _SECONDS


def _seconds() -> frozenset[str]:
    pairs = set()
    for point in range(0x110000):
        c = chr(point)
        if 0xD800 <= point <= 0xDFFF:
            continue
        parts = unicodedata.decomposition(c).split()
        if len(parts) == 2 and not parts[0].startswith("<") and _normal("NFC", _normal("NFD", c)) == c:
            pairs.add(chr(int(parts[1], 16)))
    hangul = {chr(point) for point in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    return frozenset(pairs | hangul)


_SECONDS = _seconds()


def spans(text: str, fold_accents: bool = False) -> list[Word]:
    """The words with the bytes of the original text that they come from, to whole pieces."""
    folded, source = "", []
    for piece, start, end in _segments(text):
        part = fold(piece, fold_accents)
        folded += part
        source += [(start, end)] * len(part)
    return [Word(folded[a:b], source[a][0], source[b - 1][1]) for a, b in cut(folded)]
