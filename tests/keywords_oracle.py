"""The slow, obvious keywords: «klero-keywords/1» in plain Python, to hold the kernel of `rust/core/src/keywords` against."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from fractions import Fraction
from typing import NamedTuple

import text_oracle
from klero.themes.stop_words import (
    CONNECTORS,
    ENGLISH,
    FRENCH,
    MEANS_IN_ENGLISH,
    MEANS_IN_FRENCH,
    NEGATIONS,
    WHOLE,
    WITHOUT,
)

SPACES = set(" \t\u00a0\u202f\u3000\u205f") | {chr(c) for c in range(0x2000, 0x200B)}
APOSTROPHES = set("'’‘`´′")
HYPHENS = set("-‐‑")
DOTS = set("·•‧⋅")
SUFFIXES = {"e", "es", "s", "ne", "nes", "trice", "trices", "rice", "rices", "euse", "euses"}
CONTROLS = set("\x1c\x1d\x1e\x1f")  # white space to Python, not to Unicode
LINKS = HYPHENS | set("/&")


Key = tuple[str, ...]


class Token(NamedTuple):
    form: str
    start: int
    end: int
    after_break: bool
    hyphen: bool = False


class Keyword(NamedTuple):
    text: str
    words: int
    voices: int
    everywhere: int


def bare(form: str) -> str:
    letters = unicodedata.normalize("NFD", form)
    return unicodedata.normalize("NFC", "".join(c for c in letters if unicodedata.category(c) != "Mn"))


class Stops:
    def __init__(self, extra: Sequence[str] = ()) -> None:
        extra_words = {w for text in extra for w in text_oracle.words(text)}
        self.lists = {
            "fr": FRENCH | extra_words,
            "en": ENGLISH | extra_words,
            "means_en": MEANS_IN_ENGLISH - extra_words,
            "means_fr": MEANS_IN_FRENCH - extra_words,
            "not": NEGATIONS - extra_words,
            "without": WITHOUT - extra_words,
            "whole": WHOLE - extra_words,
        }
        self.bare = {name: {bare(w) for w in listed} for name, listed in self.lists.items()}

    def has(self, name: str, form: str) -> bool:
        return form in self.lists[name] or (form == bare(form) and form in self.bare[name])

    def any(self, form: str) -> bool:
        return self.has("fr", form) or self.has("en", form)


def chunks(data: bytes) -> list[tuple[int, int]]:
    """Byte ranges of addresses of the web and of e-mail: runs without white space that hold «://» or «@» or begin with «www.»."""
    found, at = [], 0
    text = data.decode()
    run, start = "", 0
    for c in text + " ":
        size = len(c.encode())
        if c.isspace() and c not in CONTROLS:
            low = run.lower()
            if "://" in run or "@" in run or low.startswith("www."):
                found.append((start, at))
            run, start = "", at + size
        else:
            run += c
        at += size
    return found


def tokens(text: str, stops: Stops) -> list[Token]:
    data = text.encode()
    left_out = chunks(data)
    out: list[Token] = []
    cut = True
    before_end = 0
    for word in text_oracle.spans(text):
        if any(a <= word.start < b for a, b in left_out):
            cut, before_end = True, word.end
            continue
        gap = data[before_end : word.start].decode()
        before_end = word.end
        if cut or not out:
            out.append(Token(word.text, word.start, word.end, True))
            cut = False
            continue
        last = out[-1]
        if len(gap) == 1 and gap in DOTS | HYPHENS | set(".()") and (gap in DOTS or word.text in SUFFIXES):
            end = word.end + (data[word.end : word.end + 1] == b")")
            out[-1] = last._replace(end=end)
            continue
        if len(gap) == 1 and gap in APOSTROPHES and word.text == "t":
            out[-1] = last._replace(form="n't", end=word.end)
            continue
        if len(gap) == 1 and gap in HYPHENS | APOSTROPHES:
            both = f"{last.form}{'-' if gap in HYPHENS else chr(39)}{word.text}"
            prefix = (
                gap in HYPHENS
                and stops.any(last.form)
                and not letter(last.form)
                and content(word.text, stops)
            )
            if prefix or stops.has("whole", both) or stops.any(both):
                out[-1] = last._replace(form=both, end=word.end)
                continue
        linked = all(c in SPACES or c in APOSTROPHES for c in gap) or (len(gap) == 1 and gap in LINKS)
        out.append(Token(word.text, word.start, word.end, not linked, gap in HYPHENS))
    return out


def content(form: str, stops: Stops) -> bool:
    return not stops.any(form) and not negation(form, stops) and not number(form) and not letter(form)


def negation(form: str, stops: Stops) -> str:
    return (
        "not" if form == "n't" or stops.has("not", form) else "without" if stops.has("without", form) else ""
    )


def number(form: str) -> bool:
    return all(unicodedata.category(c) in ("Nd", "No", "Nl") for c in form)


def letter(form: str) -> bool:
    return len(bare(form)) == 1 and bare(form).isascii()


def key(form: str) -> str:
    w = bare(form)
    if len(w) >= 6 and w.endswith("aux") and not w.endswith("eaux"):
        w = w[:-2] + "l"
    elif len(w) >= 4 and (w.endswith(("aux", "eux", "oux")) or (w.endswith("s") and not w.endswith("ss"))):
        w = w[:-1]
    if len(w) >= 4 and w.endswith(("xe", "che", "she", "sse")):
        w = w[:-1]
    if len(w) >= 4 and w.endswith("y"):
        w = w[:-1] + "ie"
    return w


def language(forms: Sequence[str], stops: Stops) -> str:
    sure: Counter[str] = Counter()
    for form in forms:
        fr, en = stops.has("fr", form), stops.has("en", form)
        if fr != en and not stops.has("means_en", form) and not stops.has("means_fr", form):
            sure["fr" if fr else "en"] += 1
    return "fr" if sure["fr"] > sure["en"] else "en" if sure["en"] > sure["fr"] else ""


def stop(form: str, lang: str, stops: Stops) -> bool:
    fr = stops.has("fr", form) and not (lang == "en" and stops.has("means_en", form))
    en = stops.has("en", form) and not (lang == "fr" and stops.has("means_fr", form))
    return fr or en


class Gram(NamedTuple):
    key: Key
    start: int
    end: int
    first: bool
    at: int


Read = tuple[str, list[Gram]]


def grams(toks: Sequence[Token], lang: str, stops: Stops) -> list[Gram]:
    """All runs of one to three words that may be keywords."""
    # (kind, key, token, whether a new run begins, whether a compound goes on, place among the words)
    kept: list[tuple[str, str, Token, bool, bool, int]] = []
    skipped, cut = 0, True
    for at, token in enumerate(toks):
        cut = cut or token.after_break
        if token.after_break:
            skipped = 0
        form = token.form
        if negation(form, stops):
            kind = negation(form, stops)
        elif number(form):
            kind = "number"
        elif letter(form) or stop(form, lang, stops):
            skipped += 1
            cut = cut or form not in CONNECTORS
            continue
        else:
            kind = "word"
        new = cut or skipped > 2
        compound = bool(kept) and not new and token.hyphen and kind == "word" and kept[-1][0] != "number"
        kept.append((kind, form if form == "n't" else key(form), token, new, compound, at))
        skipped, cut = 0, False
    out = []
    for at in range(len(kept)):
        for n in (1, 2, 3):
            run, after = kept[at : at + n], kept[at + n : at + n + 1]
            if len(run) < n or any(part[3] for part in run[1:]):
                break
            kinds = [part[0] for part in run]
            if (
                run[0][4]
                or (after and after[0][4])
                or "word" not in kinds
                or kinds[0] == "not"
                or kinds[-1] in ("not", "without")
            ):
                continue
            first, last = run[0][2], run[-1][2]
            out.append(
                Gram(tuple(part[1] for part in run), first.start, last.end, first.after_break, run[0][5])
            )
    return out


def log2_ratio(a: int, b: int) -> int:
    """⌊2^24 · log2(a / b)⌋ or one less, a ≥ b > 0: by 24 squarings of a mantissa of 32 bits."""
    whole = 0
    while a >> (whole + 1) >= b:
        whole += 1
    m = (a << 32) // (b << whole)  # in [2^32, 2^33)
    result = whole
    for _ in range(24):
        m = m * m >> 32
        result <<= 1
        if m >> 33:
            m >>= 1
            result |= 1
    return result


def counted(
    texts: Sequence[str], labels: Sequence[int], authors: Sequence[Hashable | None] | None, stops: Stops
) -> tuple[dict[int, dict[Key, int]], dict[int, int], list[list[Gram]]]:
    """(n[group][gram], voices[group], all grams of each row)."""
    read = [tokens(text, stops) for text in texts]
    overall = Counter(language([t.form for t in toks], stops) for toks in read)
    main = "fr" if overall["fr"] > overall["en"] else "en" if overall["en"] > overall["fr"] else ""
    rows = [grams(toks, language([t.form for t in toks], stops) or main, stops) for toks in read]
    who: dict[int, dict[Key, set[Hashable]]] = defaultdict(lambda: defaultdict(set))
    voices: dict[int, set[Hashable]] = defaultdict(set)
    for row, (label, found) in enumerate(zip(labels, rows, strict=True)):
        voice: Hashable = row if authors is None or authors[row] is None else ("author", authors[row])
        voices[label].add(voice)
        for gram in found:
            who[label][gram.key].add(voice)
    return (
        {g: {k: len(v) for k, v in who[g].items()} for g in voices},
        {g: len(v) for g, v in voices.items()},
        rows,
    )


def within(short: Key, long: Key) -> bool:
    return any(long[i : i + len(short)] == short for i in range(len(long) - len(short) + 1))


def keywords(
    texts: Sequence[str],
    labels: Sequence[int],
    *,
    authors: Sequence[Hashable | None] | None = None,
    top: int = 8,
    stop_words: Sequence[str] = (),
) -> dict[int, list[Keyword]]:
    stops = Stops(stop_words)
    n, voices, rows = counted(texts, labels, authors, stops)
    f: Counter[Key] = Counter()
    for counts in n.values():
        f.update(counts)
    themes = [g for g in n if voices[g] >= 5] or list(n)
    words = sum(count for g in themes for k, count in n[g].items() if len(k) == 1)
    average = Fraction(max(words, 1), max(len(themes), 1))
    result = {}
    everything = list(zip(texts, rows, strict=True))
    for g in sorted(n):
        size = voices[g]
        least = max(2, -(-size // 50)) if size >= 5 else 1
        least_run = max(2, -(-size // 20)) if size > 1 else 1
        mine = [row for row, label in enumerate(labels) if label == g]
        place: dict[Key, int] = {}
        if len(mine) == 1:
            for gram in rows[mine[0]]:
                place.setdefault(gram.key, gram.at)
        candidates = []
        for k, count in n[g].items():
            if count >= (least if len(k) == 1 else least_run) and (len(k) == 1 or size > 1 or f[k] >= 3):
                weight = log2_ratio(
                    f[k] * average.denominator + average.numerator, f[k] * average.denominator
                )
                candidates.append((-count * weight, -len(k), place.get(k, 0), k))
        chosen = fold([k for *_, k in sorted(candidates)], n[g], top, size)
        members = [(texts[row], rows[row]) for row in mine]
        result[g] = [Keyword(surface(k, members, everything), len(k), n[g][k], f[k]) for k in chosen]
    return result


def fold(ordered: list[Key], n: dict[Key, int], top: int, size: int) -> list[Key]:
    chosen: list[Key] = []
    for t in ordered:
        inner = [s for s in chosen if within(s, t)]
        if inner:
            # It says more than a keyword that is there: it takes its place if most who use that one use it so.
            rest = [s for s in chosen if s not in inner]
            if all(2 * n[t] > n[s] for s in inner) and fits(t, rest, n):
                at = chosen.index(inner[0])
                chosen = [t if s == inner[0] else s for s in chosen if s == inner[0] or s not in inner]
                assert chosen[at] == t
        elif len(chosen) < (top if size == 1 or n[t] > 1 else -(-top // 2)) and fits(t, chosen, n):
            chosen.append(t)
    return chosen


def fits(t: Key, chosen: list[Key], n: dict[Key, int]) -> bool:
    for s in chosen:
        if within(t, s) and n[t] < 2 * n[s]:
            return False
        if len(set(t) & set(s)) >= 2 or (len(t) == len(s) == 1 and akin(t[0], s[0])):
            return False
    return all(sum(w in s for s in chosen) < 2 for w in set(t))


def akin(a: str, b: str) -> bool:
    """Whether two words begin alike and differ in an ending («vacciner», «vacciné»)."""
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return same >= 4 and max(len(a), len(b)) - same <= (2 if same == 4 else 3)


def shown(text: str, gram: Gram) -> str:
    return " ".join(text.encode()[gram.start : gram.end].decode().split())


def surface(k: Key, members: Sequence[Read], everything: Sequence[Read]) -> str:
    """How most write it; where a sentence does not begin with it, if there is such a place."""
    seen = Counter(shown(text, gram) for text, found in members for gram in found if gram.key == k)
    inside = Counter(
        shown(text, gram) for text, found in members for gram in found if gram.key == k and not gram.first
    )
    best = min(
        seen,
        key=lambda s: (
            -inside[s],
            -seen[s],
            sum(c.isupper() for c in s),
            -sum(not c.isascii() for c in s),
            s,
        ),
    )
    if not inside and best[0].isupper() and not best[1:2].isupper():
        starts = [
            shown(t, gram)[0] for t, found in everything for gram in found if gram.key == k and not gram.first
        ]
        if sum(c.islower() for c in starts) > sum(c.isupper() for c in starts):
            return best[0].lower() + best[1:]
    return best
