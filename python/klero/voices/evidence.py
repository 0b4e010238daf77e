"""What do two texts have in common, word for word? What is the letter that a group sent, and what did each member add?

Two texts are compared by their shingles (runs of k words; Broder 1997) and aligned word by word (patience diff). The letter of a group of m
texts is made of the shingles that more than m/2 of them hold; see `rust/core/src/neardup/evidence.rs` and `template.rs` for the rules.

Places are given twice: in code points, as in `text[start:end]`, and in bytes of UTF-8. They begin and end with words, so none cuts a code
point. Words are compared as the normaliser folds them («Été» and «été» are the same word); what is shown is the text as it was written.

Nothing here says who wrote first, or whether somebody may repeat somebody: it is evidence, not a verdict.

>>> found = evidence("Nous demandons une piste cyclable", "Oui, nous demandons une piste !")
>>> found.shared, found.whole, [span.text for span in found.spans_b]
(2, 4, ['nous demandons une piste'])
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Protocol

from klero._native import TEXT_NORMALISER, TextLetter, text_evidence
from klero.errors import Fault, InputError, quoted

if TYPE_CHECKING:
    from klero.voices.ids import Id

__all__ = [
    "Difference",
    "Evidence",
    "Filler",
    "Match",
    "Segment",
    "Slot",
    "Span",
    "Template",
    "evidence",
    "letter_of",
    "shared_spans",
]

ALGORITHM = "klero-evidence/1"
LETTER_ALGORITHM = "klero-letter/1"
NORMALISER = TEXT_NORMALISER
SCHEMA = 1
LONGEST_TEXT = 1 << 28
"""Bytes of the longest text that is compared word for word: 256 MiB."""

_MEASURES = ("jaccard", "containment")


class Reading(Protocol):
    """What is read of the settings of a result."""

    @property
    def shingle(self) -> int: ...
    @property
    def fold_accents(self) -> bool: ...
    @property
    def measure(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Span:
    """A passage of a text.

    Attributes:
        start, end: code points, as in `text[start:end]`.
        byte_start, byte_end: the same in bytes of UTF-8.
        words: number of words.
        text: the passage as it is written.
    """

    start: int
    end: int
    byte_start: int
    byte_end: int
    words: int
    text: str


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a shown text. The segments of a text cover it completely, in order, without overlap.

    Attributes:
        kind: in an :class:`Evidence` «shared» (the same words in the same order in the other text), «moved» (the same words elsewhere in
            the other text) or «own»; in a :class:`Template` «letter» or «own»; and «gap» for what stands between words of different kinds
            and is not compared (spaces, punctuation, symbols).
        start, end: code points.
        byte_start, byte_end: bytes of UTF-8.
    """

    kind: str
    start: int
    end: int
    byte_start: int
    byte_end: int


@dataclass(frozen=True, slots=True)
class Match:
    """A passage of a and the passage of b that answers to it. No word is in two matches.

    `moved` tells that it stands elsewhere in the order of b.
    """

    a: Span
    b: Span
    moved: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """A row of the side-by-side view: `kind` is «equal», «only_a», «only_b» or «replaced»; `a` or `b` is None where that text has nothing."""

    kind: str
    a: Span | None
    b: Span | None


@dataclass(frozen=True)
class Evidence:
    """What two texts have in common. Counts are of words compared with words, not only of hashes.

    Attributes:
        text_a, text_b: the texts.
        shingle: words of a shingle. A text of fewer words has one shingle of all its words.
        fold_accents: whether «élève» and «eleve» are one word.
        measure: «jaccard» or «containment»: which of them `similarity` is.
        words_a, words_b: number of words.
        shingles_a, shingles_b: number of different shingles.
        shared: number of shingles that both have.
        collisions: different shingles with one hash (a hash that compares unequal words as equal): 0 but for chance of 2⁻⁶⁴ a pair, or intent.
            They are kept apart in all counts.
        spans_a, spans_b: passages covered by shared shingles; those that touch are one.
        matches: passages that answer to each other, in the order of a: at least a shingle long. A passage that stands several times in one
            of the texts has a partner only where the order tells which.
        alignment: both texts side by side, in order; words only, equal ones however short.
        segments_a, segments_b: pieces that cover the texts.
    """

    text_a: str = field(repr=False)
    text_b: str = field(repr=False)
    shingle: int
    fold_accents: bool
    measure: str
    words_a: int
    words_b: int
    shingles_a: int
    shingles_b: int
    shared: int
    collisions: int
    spans_a: tuple[Span, ...] = field(repr=False)
    spans_b: tuple[Span, ...] = field(repr=False)
    matches: tuple[Match, ...] = field(repr=False)
    alignment: tuple[Difference, ...] = field(repr=False)
    segments_a: tuple[Segment, ...] = field(repr=False)
    segments_b: tuple[Segment, ...] = field(repr=False)
    algorithm: str = ALGORITHM
    normaliser: str = NORMALISER

    @property
    def whole(self) -> int:
        """Number of shingles that one or both have."""
        return self.shingles_a + self.shingles_b - self.shared

    @property
    def jaccard(self) -> float:
        """shared / whole; 0 where there is none."""
        return _share(self.shared, self.whole)

    @property
    def containment(self) -> float:
        """shared / the shingles of the text that has fewer."""
        return _share(self.shared, min(self.shingles_a, self.shingles_b))

    @property
    def containment_a(self) -> float:
        """The share of the shingles of a that b has."""
        return _share(self.shared, self.shingles_a)

    @property
    def containment_b(self) -> float:
        """The share of the shingles of b that a has."""
        return _share(self.shared, self.shingles_b)

    @property
    def similarity(self) -> float:
        """By the measure: Jaccard or containment."""
        return self.containment if self.measure == "containment" else self.jaccard

    def explain(self, lang: str = "en") -> str:
        """In plain words, «en» or «fr».

        Raises:
            InputError: there are no words in this language.
        """
        from klero.voices.explain_evidence import explain_evidence

        return explain_evidence(self, lang)

    def record(self) -> dict[str, object]:
        """The evidence as data for JSON, with both texts."""
        return {
            "schema": SCHEMA,
            **_fields(self),
            "whole": self.whole,
            "jaccard": self.jaccard,
            "containment": self.containment,
            "containment_a": self.containment_a,
            "containment_b": self.containment_b,
        }

    def to_json(self) -> str:
        """`record()` as text."""
        return _json(self.record())


@dataclass(frozen=True, slots=True)
class Filler:
    """Words that members put into a slot, as the first who did wrote them, and how often they stand there."""

    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the letter where members put words of their own.

    Attributes:
        start, end, byte_start, byte_end: the place in the representative's text; empty where the representative itself has nothing there.
        text: the representative's own words there.
        before, after: up to three words of the letter on each side.
        members: how many members put something there.
        distinct: how many different things.
        fillers: the most frequent ones, five at most; of equally frequent ones those of the first members.
    """

    start: int
    end: int
    byte_start: int
    byte_end: int
    text: str
    before: str
    after: str
    members: int
    distinct: int
    fillers: tuple[Filler, ...]


@dataclass(frozen=True)
class Template:
    """The letter behind a group, and what its members wrote beside it.

    A word of a member belongs to the letter if it stands in a shingle that more than half of the members have, or is aligned with a word of
    the representative that belongs to the letter; there, words also count that more than half of the members have at that place.

    Attributes:
        representative: id of the member whose text shows the letter.
        ids: ids of all members, in their order.
        text: the representative's text.
        shingle, fold_accents: how texts are read; see :class:`Evidence`.
        majority: so many members at least have each shingle of the letter.
        letter_shingles: number of shingles of the letter.
        letter_words: words of the representative that belong to the letter.
        words, own_words: for each member, its words, and those that are its own.
        segments: pieces that cover `text`.
        slots: where members put words of their own, in the order of the text; of more than 500, those that most members use.
        slots_left_out: number of slots that are not told.
        collisions: as in :class:`Evidence`.
    """

    representative: Id
    ids: tuple[Id, ...] = field(repr=False)
    text: str = field(repr=False)
    shingle: int
    fold_accents: bool
    majority: int
    letter_shingles: int
    letter_words: int
    words: tuple[int, ...] = field(repr=False)
    own_words: tuple[int, ...] = field(repr=False)
    segments: tuple[Segment, ...] = field(repr=False)
    slots: tuple[Slot, ...] = field(repr=False)
    slots_left_out: int
    collisions: int
    algorithm: str = LETTER_ALGORITHM
    normaliser: str = NORMALISER
    _texts: tuple[str, ...] = field(default=(), repr=False, compare=False)
    _letter: TextLetter | None = field(default=None, repr=False, compare=False)

    @property
    def members(self) -> int:
        """Number of members."""
        return len(self.ids)

    def text_of(self, id: Id) -> str:  # noqa: A002 (the word of the result)
        """A member's text.

        Raises:
            InputError: no member has this id.
        """
        return self._texts[_place_of(self.ids, id, "id")]

    def segments_of(self, id: Id) -> tuple[Segment, ...]:  # noqa: A002 (the word of the result)
        """The pieces of a member's text, «letter», «own» and «gap». Found when asked for: O(text).

        Raises:
            InputError: no member has this id.
        """
        text = self.text_of(id)
        letter = self._letter
        if letter is None:  # after unpickling: the letter is counted anew
            letter = _counted(self._texts, self.ids.index(self.representative), self)
            object.__setattr__(self, "_letter", letter)
        return _segments(letter.segments(text), letter=True)

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_letter": None}

    def explain(self, lang: str = "en") -> str:
        """In plain words, «en» or «fr».

        Raises:
            InputError: there are no words in this language.
        """
        from klero.voices.explain_evidence import explain_template

        return explain_template(self, lang)

    def record(self) -> dict[str, object]:
        """The template as data for JSON, with the representative's text and no other."""
        return {"schema": SCHEMA, **_fields(self), "members": self.members}

    def to_json(self) -> str:
        """`record()` as text."""
        return _json(self.record())


@dataclass(frozen=True)
class _Asked:
    shingle: int
    fold_accents: bool
    measure: str


def evidence(
    a: str, b: str, *, shingle: int = 3, fold_accents: bool = False, measure: str = "jaccard"
) -> Evidence:
    """What two texts have in common, whether they match or not. O(n log n) for n words; memory about 80 bytes a word beside the result.

    Args:
        a, b: the texts; at most 256 MiB each.
        shingle: words of a shingle, 1 to 9.
        fold_accents: whether «élève» and «eleve» are one word.
        measure: «jaccard» or «containment»: which is the similarity.

    Raises:
        InputError: a text is no text or too long, or an option is not one of those above.
    """
    faults: list[Fault] = []
    if isinstance(shingle, bool) or not isinstance(shingle, int) or not 1 <= shingle <= 9:
        message = f"shingle is {quoted(str(shingle))}; it is the words of a shingle and must be a whole number from 1 to 9."
        faults.append(Fault("option-range", message, ""))
    if not isinstance(fold_accents, bool):
        message = f"fold_accents is {quoted(str(fold_accents))}. Give True or False."
        faults.append(Fault("option-unknown", message, ""))
    if measure not in _MEASURES:
        message = f"measure is {quoted(str(measure))}; there are: {', '.join(_MEASURES)}."
        faults.append(Fault("option-unknown", message, ""))
    faults += _text_faults({"a": a, "b": b})
    if faults:
        raise InputError(faults)
    return shared_spans(a, b, _Asked(shingle, fold_accents, measure))


def shared_spans(text_a: str, text_b: str, settings: Reading) -> Evidence:
    """`evidence` under the settings of a result.

    Raises:
        InputError: a text is no text or too long.
    """
    faults = _text_faults({"a": text_a, "b": text_b})
    if faults:
        raise InputError(faults)
    found = text_evidence(text_a, text_b, settings.shingle, settings.fold_accents)
    (words_a, shingles_a, spans_a, segments_a), (words_b, shingles_b, spans_b, segments_b) = found[:2]
    shared, collisions, matches, rows = found[2:]
    return Evidence(
        text_a=text_a,
        text_b=text_b,
        shingle=settings.shingle,
        fold_accents=settings.fold_accents,
        measure=settings.measure,
        words_a=words_a,
        words_b=words_b,
        shingles_a=shingles_a,
        shingles_b=shingles_b,
        shared=shared,
        collisions=collisions,
        spans_a=tuple(_span(text_a, row) for row in spans_a),
        spans_b=tuple(_span(text_b, row) for row in spans_b),
        matches=tuple(Match(_span(text_a, a), _span(text_b, b), moved) for a, b, moved in matches),
        alignment=tuple(_difference(text_a, text_b, row) for row in rows),
        segments_a=_segments(segments_a),
        segments_b=_segments(segments_b),
    )


def letter_of(texts: Sequence[str], ids: Sequence[Id], representative_id: Id, settings: Reading) -> Template:
    """The letter behind a group, and what each member wrote beside it.

    Three readings of each text: linear in the size of the group. Memory beside the texts: the longest one, the letter, and about 50 bytes
    for each different thing that members put into a slot.

    Args:
        texts: the members' texts, copies included, at most 256 MiB each.
        ids: their ids, in the same order.
        representative_id: the member whose text shows the letter.
        settings: how texts are read (`shingle`, `fold_accents`).

    Raises:
        InputError: there are no texts, not one id for each, no such member, or a text is no text or too long.
    """
    members, texts = tuple(ids), tuple(texts)
    faults = _text_faults({f"of {_named(name)}": text for name, text in zip(members, texts, strict=False)})
    if len(members) != len(texts):
        message = f"{len(texts)} texts have {len(members)} ids. Give one id for each text, in the same order."
        faults.append(Fault("id-count", message, ""))
    if not texts:
        message = "there are no texts, and a letter is what most of them share. Give the texts of one group."
        faults.append(Fault("group-empty", message, ""))
    if faults:
        raise InputError(faults)
    representative = _place_of(members, representative_id, "representative_id")
    letter = _counted(texts, representative, settings)
    shingles, frame, collisions, words, own, slots, left_out = letter.tally()
    text = texts[representative]
    return Template(
        representative=members[representative],
        ids=members,
        text=text,
        shingle=settings.shingle,
        fold_accents=settings.fold_accents,
        majority=len(texts) // 2 + 1,
        letter_shingles=shingles,
        letter_words=frame,
        words=tuple(words),
        own_words=tuple(own),
        segments=_segments(letter.segments(text), letter=True),
        slots=tuple(_slot(text, row) for row in slots),
        slots_left_out=left_out,
        collisions=collisions,
        _texts=texts,
        _letter=letter,
    )


class _Words(Protocol):
    @property
    def shingle(self) -> int: ...
    @property
    def fold_accents(self) -> bool: ...


def _counted(texts: Sequence[str], representative: int, settings: _Words) -> TextLetter:
    return TextLetter(list(texts), representative, settings.shingle, settings.fold_accents)


def _text_faults(texts: Mapping[str, object]) -> list[Fault]:
    faults: list[Fault] = []
    for name, text in texts.items():
        if not isinstance(text, str):
            kind = type(text).__name__
            message = (
                f"text {name} is of type {kind}, and only texts can be compared word for word. Give a str."
            )
            faults.append(Fault("text-type", message, ""))
            continue
        try:
            size = len(text) if text.isascii() else len(text.encode())
        except UnicodeEncodeError:
            message = f"half a character (a lone surrogate) stands in text {name}, which no program could read. Correct it."
            faults.append(Fault("encoding-unreadable", message, ""))
            continue
        if size > LONGEST_TEXT:
            message = (
                f"text {name} has {size:,} bytes; at most {LONGEST_TEXT:,} can be compared word for word. "
                "Cut it into parts and compare those."
            )
            faults.append(Fault("text-too-long", message, ""))
    return faults


def _place_of(ids: Sequence[Id], id: Id, what: str) -> int:  # noqa: A002 (the word of the result)
    try:
        return ids.index(id)
    except ValueError:
        message = f"{what}: {_named(id)} is no member of this group. Its members are in `ids`."
        raise InputError([Fault("id-unknown", message, "", value=str(id))]) from None


def _named(id: object) -> str:  # noqa: A002 (the word of the result)
    return quoted(id) if isinstance(id, str) else str(id)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _span(text: str, row: tuple[int, int, int, int, int]) -> Span:
    byte_start, byte_end, start, end, words = row
    return Span(start, end, byte_start, byte_end, words, text[start:end])


def _difference(
    text_a: str,
    text_b: str,
    row: tuple[bool, tuple[int, int, int, int, int] | None, tuple[int, int, int, int, int] | None],
) -> Difference:
    equal, a, b = row
    kind = "equal" if equal else "only_a" if b is None else "only_b" if a is None else "replaced"
    return Difference(kind, a and _span(text_a, a), b and _span(text_b, b))


def _segments(rows: Sequence[tuple[str, int, int, int, int]], *, letter: bool = False) -> tuple[Segment, ...]:
    names = {"shared": "letter"} if letter else {}
    return tuple(
        Segment(names.get(kind, kind), start, end, byte_start, byte_end)
        for kind, byte_start, byte_end, start, end in rows
    )


def _slot(
    text: str,
    row: tuple[
        tuple[int, int, int, int, int],
        tuple[int, int, int, int, int],
        tuple[int, int, int, int, int],
        int,
        int,
        list[tuple[str, int]],
    ],
) -> Slot:
    place, before, after, members, distinct, fillers = row
    span = _span(text, place)
    return Slot(
        start=span.start,
        end=span.end,
        byte_start=span.byte_start,
        byte_end=span.byte_end,
        text=span.text,
        before=_span(text, before).text,
        after=_span(text, after).text,
        members=members,
        distinct=distinct,
        fillers=tuple(Filler(words, count) for words, count in fillers),
    )


def _fields(result: Evidence | Template) -> dict[str, object]:
    """The public fields as plain data."""

    return {name: _plain(value) for name, value in vars(result).items() if not name.startswith("_")}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, (Span, Segment, Match, Difference, Slot, Filler)):
        return asdict(value)
    return value


def _json(record: dict[str, object]) -> str:
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"
