"""Do these texts say where somebody can be reached or who they are?

People put their e-mail, telephone or address into a contribution, and a table that is published or shown side by side in a report passes it on. This
looks for e-mail addresses, telephone numbers (French, Spanish, British, North American, any with «+» or «00»), postal addresses (French,
Spanish, English), bank accounts (IBAN, with their check digits) and identity numbers (French social security, Spanish DNI/NIE, with theirs), and
can put «[e-mail]» in their place.

Method: patterns, with what would be taken for them by mistake ruled out by its form: a date, a price, an article of law, a number inside a
web address. Numbers with check digits count only if these are right. Signs that nobody sees (zero width) are passed over, and full-width ones read as the
plain ones they stand for.

Guaranteed: the same text gives the same findings; masking changes nothing else. Not guaranteed: that all is found, or that all that is found is personal
(a town hall's telephone is reported too). Names of people are not looked for. A report of none is no proof of none. Tests state precision and recall on
made-up cases; on other texts both are lower.

>>> [(f.kind, f.text) for f in find("Appelez-moi au 06 12 34 56 78, le 12/03/2019.")]
[('phone', '06 12 34 56 78')]
>>> mask("Écrire à zoe@example.org", "fr")
'Écrire à [e-mail]'
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from klero.voices.personal_patterns import (
    AT_DIGITS,
    BY_WORD,
    CANDIDATE,
    DIGITS,
    DISGUISED,
    IBAN_LENGTHS,
    INVISIBLE,
    PLAIN,
    SEPARATOR,
    START,
    URL,
    Pattern,
)
from klero.voices.reading_words import kind_names

__all__ = ["CANDIDATE", "KINDS", "Finding", "PersonalData", "find", "hidden", "mask", "masked"]

KINDS = ("e-mail", "phone", "address", "bank account", "identity number")
_FIRST = (
    "e-mail",
    "bank account",
    "identity number",
    "phone",
    "address",
)  # where two overlap, the one that is surer


@dataclass(frozen=True, slots=True)
class Finding:
    """A piece of a text: its kind (one of `KINDS`), where it begins and ends (code points), and what it is."""

    kind: str
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class PersonalData:
    """What a scan found.

    Attributes:
        counts: pieces by kind, in the order of `KINDS`; kinds that were not found are left out.
        contributions: how many contributions hold any.
        examples: (kind, id of the contribution, the piece with most of its letters and digits hidden), a few of each kind.
        masked: whether they were replaced.
    """

    counts: dict[str, int]
    contributions: int
    examples: tuple[tuple[str, str, str], ...]
    masked: bool


_SIGNS = re.compile(rf"{SEPARATOR}+")
_IN_FINDING, _IN_URL = 1, 2


def find(text: str) -> list[Finding]:
    """All that `text` says of this kind, in order and without overlap; places are those of `text` as it was given.

    Time is linear in the length: at each place a fixed number of patterns is tried, and each reads a bounded number of signs in a bounded number of
    ways. (Only web addresses may be of any length; what follows one is looked at once.)
    """
    plain, gaps = _plain(text)
    found = [(kind, begin, end) for kind, begin, end in _places(plain) if _holds(kind, plain[begin:end])]
    if not found:
        return []
    # each sign belongs to one finding at most, and of what is in a web address only e-mails count
    taken = bytearray(len(plain))
    for match in URL.finditer(plain):
        taken[match.start() : match.end()] = bytes((_IN_URL,)) * len(match[0])
    kept: list[Finding] = []
    for kind, begin, end in sorted(found, key=lambda f: (_FIRST.index(f[0]), f[1] - f[2], f[1])):
        held = taken[begin:end]
        if _IN_FINDING in held or (_IN_URL in held and kind != "e-mail"):
            continue
        taken[begin:end] = bytes((_IN_FINDING,)) * (end - begin)
        first, last = _origin(begin, gaps), _origin(end - 1, gaps) + 1
        kept.append(Finding(kind, first, last, text[first:last]))
    return sorted(kept, key=lambda finding: finding.start)


def _plain(text: str) -> tuple[str, list[int]]:
    """The text without disguise, and for each sign that was left out, in order, how many of those kept stood before it."""
    if not _may_be_disguised(text) or not DISGUISED.search(text):
        return text, []
    text = text.translate(PLAIN)  # sign by sign: places stay
    gaps = [match.start() - gone for gone, match in enumerate(INVISIBLE.finditer(text))]
    return (INVISIBLE.sub("", text) if gaps else text), gaps


def _origin(place: int, gaps: list[int]) -> int:
    """Where the sign at `place` of the plain text was in the one that was given."""
    return place + bisect_right(gaps, place)


def _may_be_disguised(text: str) -> bool:
    """A quick first look: the only disguise among the first 256 code points is the soft hyphen."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return True
    return "\u00ad" in text


def _places(text: str) -> Iterator[tuple[str, int, int]]:
    """(kind, begin, end) of all that has the form, overlaps among them.

    Nearly everything that is looked for has a digit near its beginning, so patterns are tried there alone, and only where one expression for all of
    them says that one may match.
    """
    low = text.lower()
    numbers = DIGITS.search(text) is not None
    for kind, needs_digit, hints, pattern in BY_WORD:
        if (numbers or not needs_digit) and any(hint in low for hint in hints):
            for match in pattern.finditer(text):
                yield kind, *match.span("it" if "it" in pattern.groupindex else 0)
    if numbers:
        for run in START.finditer(text):
            for kind, begin, end in _at(text, run.start(), AT_DIGITS[run.lastgroup or "number"]):
                if kind == "bank account":
                    end = _end_of_account(text, begin)
                if end:
                    yield kind, begin, end


def _at(text: str, start: int, patterns: list[Pattern]) -> Iterator[tuple[str, int, int]]:
    """What matches at a run of digits that begins at `start`."""
    for kind, before, pattern in patterns:
        for back in before:
            if start >= back and (found := pattern.match(text, start - back)):
                yield kind, *found.span()


def _end_of_account(text: str, begin: int) -> int:
    """Where an IBAN that begins at `begin` ends, by the length that its country has set; 0 if it cannot be one.

    Without the length a word after it would be taken for its last four signs.
    """
    left = IBAN_LENGTHS.get(text[begin : begin + 2].upper(), 0)
    end = begin
    while left and end < len(text):
        if text[end].isalnum():
            left -= 1
        elif not _SIGNS.match(text[end]):
            return 0
        end += 1
    return 0 if left or end == begin or text[end : end + 1].isalnum() else end


def _holds(kind: str, text: str) -> bool:
    """Whether the check digits are right, or a telephone number has as many digits as one can have (E.164: at most 15)."""
    plain = _SIGNS.sub("", text)
    if kind == "bank account":
        turned = plain[4:] + plain[:4]
        return plain.isascii() and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1
    if kind == "identity number" and len(plain) == 15:
        number = plain[:13].replace("2A", "19", 1) if plain[5:7] == "2A" else plain[:13]
        number = number.replace("2B", "18", 1) if plain[5:7] == "2B" else number
        return number.isdecimal() and 97 - int(number) % 97 == int(plain[13:])
    if kind == "identity number":
        digits = {"X": "0", "Y": "1", "Z": "2"}.get(plain[0], plain[0]) + plain[1:-1]
        return plain[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23]
    if kind == "phone":
        return 8 <= sum(c.isdigit() for c in text) <= 15
    return True


def mask(text: str, lang: str) -> str:
    """The text with «[e-mail]», «[phone]», … in the place of each finding, in a language of `klero.words`."""
    return masked(text, find(text), lang)


def masked(text: str, findings: Sequence[Finding], lang: str) -> str:
    """As `mask`, where the findings are known already."""
    if not findings:
        return text
    names = kind_names(lang)
    parts: list[str] = []
    at = 0
    for one in findings:
        parts += text[at : one.start], f"[{names[one.kind]}]"
        at = one.end
    return "".join([*parts, text[at:]])


def hidden(text: str) -> str:
    """A finding for messages: all letters and digits but the first two become «•», so that nobody can be reached by a message.

    >>> hidden("zoe@example.org"), hidden("06 12 34 56 78")
    ('zo•@•••••••.•••', '06 •• •• •• ••')
    """
    seen = 0
    shown = []
    for char in " ".join(text.split()):
        seen += char.isalnum()
        shown.append("•" if char.isalnum() and seen > 2 else char)
    return "".join(shown)
