"""Which words do the people of a theme use, that others do not?

Class-based TF-IDF (Grootendorst, BERTopic, arXiv 2203.05794, 2022), counted in voices rather than words: of N_c authors in group c, n(t, c) use the term t, and
f(t) = Σ_c n(t, c) in all groups. A term is one to three words («vélo», «pouvoir d'achat», «données à caractère personnel»). Its weight is

    n(t, c) · log₂(1 + A / f(t))        A = mean over the themes of Σ_w n(w, c), over single words w

so that one person who writes a word fifty times, or in ten contributions, counts once. Function words of French and English are passed over
(`klero.themes.stop_words`); «Élèves», «eleve» and «élève» are one word, shown as most of the group wrote it; a term that only repeats another is left
out. The rules are those of `rust/core/src/keywords`.

In a weak signal (2 to 4 contributions) what several say comes first; of a lone voice, the words are told that fewest others use.

Guaranteed: exact counts; weights compared as whole numbers, so that the order is the same on every machine, for any order of rows and number of
threads; words that somebody wrote, never made up. Not guaranteed: that few words tell what people want (the same words serve to ask for a thing and to
refuse it: read the quotes), or that texts in other languages are free of function words (give `stop_words`).
Cost: linear in the texts, some 100,000 short ones a second; memory about that of the texts. Nothing random.

>>> texts = ["Plus de pistes cyclables", "des pistes cyclables sûres", "La piste cyclable !", "Ouvrir la bibliothèque", "bibliothèque fermée", "Non."]
>>> found = theme_keywords([0, 0, 0, 1, 1, 2], texts)
>>> [keyword.text for keyword in found[0]], found[1][0].text, found[2]
(['pistes cyclables', 'sûres'], 'bibliothèque', ())
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import log2
from typing import TYPE_CHECKING

import numpy as np

from klero import _native
from klero.errors import Fault
from klero.themes import stop_words as lists
from klero.themes._inputs import (
    Column,
    Ints,
    PartitionLike,
    counted_rows,
    raise_all,
    read_groups,
    read_voices,
)
from klero.voices.sets import native_chunk
from klero.voices.settings import Progress, read_progress, read_resources, read_whole
from klero.voices.texts import TextSource, read_texts
from klero.words import number, words

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Keyword", "Keywords", "theme_keywords"]

ALGORITHM = _native.KEYWORDS_ALGORITHM
_MOST = 50


@dataclass(frozen=True, slots=True)
class Keyword:
    """A term that tells of a group.

    Attributes:
        text: as most of the group wrote it.
        words: its words, function words between them not counted.
        voices: n(t, c), voices of the group that use it.
        everywhere: f(t), the sum of that over all groups.
        weight: by which they are ordered; see the module.
    """

    text: str
    words: int
    voices: int
    everywhere: int
    weight: float

    def to_dict(self) -> dict[str, str | int | float]:
        """For JSON."""
        return {
            "text": self.text,
            "words": self.words,
            "voices": self.voices,
            "everywhere": self.everywhere,
            "weight": round(self.weight, 4),
        }


@dataclass(frozen=True)
class Keywords:
    """The keywords of every group.

    Attributes:
        of: for each group its keywords, weightiest first; none where no word is shared.
        voices: for each group N_c, the voices in it.
        average: A of the formula.
        french, english, other: contributions read as French, as English, and those whose function words show neither.
        by_author: whether an author counts once in a group, however many contributions they wrote.
        stop_words: words that were passed over beside the lists.
    """

    of: tuple[tuple[Keyword, ...], ...]
    voices: tuple[int, ...]
    average: Fraction
    french: int
    english: int
    other: int
    by_author: bool
    stop_words: tuple[str, ...] = ()
    algorithm: str = ALGORITHM

    def __len__(self) -> int:
        return len(self.of)

    def __getitem__(self, label: int) -> tuple[Keyword, ...]:
        return self.of[label]

    def line(self, label: int, most: int | None = None) -> str:
        """A group's keywords, apart by « · »; '' where there are none."""
        return " · ".join(keyword.text for keyword in self.of[label][:most])

    def explain(self, lang: str = "en") -> str:
        """How they were found, in plain words, «en» or «fr».

        Raises:
            InputError: there are no words in this language.
        """
        _ = words(lang).gettext
        parts = [
            _(
                "The words of a group are those that many in it use and few elsewhere, shown as most of the group wrote them. Function words are passed over."
            ),
            _(
                "However often an author writes a word, in one contribution or in ten of the group, it counts once."
            )
            if self.by_author
            else _(
                "However often a contribution repeats a word, it counts once; authors were not told apart."
            ),
            _("Read as French: {french}; as English: {english}; neither could be told: {other}.").format(
                french=number(self.french, lang),
                english=number(self.english, lang),
                other=number(self.other, lang),
            ),
            _("The same word can serve to ask for a thing and to refuse it: only the quotes tell which."),
        ]
        return "\n".join(parts)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "algorithm": self.algorithm,
            "average": float(self.average),
            "by_author": self.by_author,
            "stop_words": list(self.stop_words),
            "french": self.french,
            "english": self.english,
            "other": self.other,
            "groups": [
                {"label": label, "voices": voices, "keywords": [keyword.to_dict() for keyword in found]}
                for label, (voices, found) in enumerate(zip(self.voices, self.of, strict=True))
            ],
        }

    def to_arrow(self) -> pa.Table:
        """A row for each keyword: label, rank (from 1), text, words, voices, of (voices of the group), everywhere, weight."""
        import pyarrow as pa

        rows = [
            {"label": label, "rank": rank, **keyword.to_dict(), "of": self.voices[label]}
            for label, found in enumerate(self.of)
            for rank, keyword in enumerate(found, 1)
        ]
        whole = [(name, pa.int64()) for name in ("words", "voices", "of", "everywhere")]
        columns = [
            ("label", pa.int64()),
            ("rank", pa.int64()),
            ("text", pa.string()),
            *whole,
            ("weight", pa.float64()),
        ]
        return pa.Table.from_pylist(rows, pa.schema(columns))


def theme_keywords(
    partition: PartitionLike | Sequence[int] | Ints,
    texts: TextSource,
    *,
    authors: Column | None = None,
    top: int = 8,
    stop_words: Sequence[str] = (),
    threads: int | None = None,
    progress: Progress | None = None,
) -> Keywords:
    """The words that tell of each group.

    Args:
        partition: which contribution is in which group: a `Partition`, or whole numbers from 0 on.
        texts: what was written, one for each contribution; a null is an empty text.
        authors: who wrote each, so that a person counts once a group; an empty one is a voice of its own. None: each contribution is one.
        top: keywords of each group, at most; 1 to 50.
        stop_words: words to pass over beside the lists, for instance those of the question that was asked. Accents count, case does not.
        threads: at most so many; None: as many as there are processors.
        progress: called with a step's name and how far it is.

    Raises:
        InputError: the columns are not equally long, or something is of the wrong type; all faults together.
    """
    faults: list[Fault] = []
    groups = read_groups(partition, faults)
    column = read_texts(texts, "texts", faults)
    rows = 0 if groups is None else len(groups.labels)
    if groups is not None and column is not None:
        counted_rows(len(column), rows, "texts", faults)
    voices = read_voices(authors, rows, faults) if groups is not None else None
    read_whole(faults, "top", top, 1, _MOST, "the keywords of each group")
    extra = _extra(stop_words, faults)
    resources = read_resources(faults, threads=threads, memory=None)
    read_progress(faults, progress)
    raise_all(faults)
    if groups is None or column is None or voices is None or resources is None:  # each has told its fault
        raise AssertionError
    found, counts, (total, themes), (french, english, other) = _native.keywords_by_group(
        [native_chunk(chunk) for chunk in column.chunks],
        groups.labels.astype(np.uint32),
        voices,
        len(groups),
        kernel_words(extra),
        top,
        threads=resources.threads,
        progress=progress,
    )
    average = Fraction(total, themes)

    def keyword(text: str, size: int, voices: int, everywhere: int) -> Keyword:
        return Keyword(text, size, voices, everywhere, voices * log2(1 + average / everywhere))

    return Keywords(
        of=tuple(tuple(keyword(*one) for one in terms) for terms in found),
        voices=tuple(counts),
        average=average,
        french=french,
        english=english,
        other=other,
        by_author=authors is not None,
        stop_words=extra,
    )


def _extra(stop_words: object, faults: list[Fault]) -> tuple[str, ...]:
    if isinstance(stop_words, str) or not isinstance(stop_words, Sequence | frozenset | set):
        message = "stop_words is no list of words. Give words one by one, for instance ['commune', 'ville']."
        faults.append(Fault("option-unknown", message, ""))
        return ()
    folded: set[str] = set()
    for word in stop_words:
        if not isinstance(word, str):
            message = f"stop_words holds something of the type {type(word).__name__}. Give words."
            faults.append(Fault("option-unknown", message, ""))
            return ()
        folded.update(_native.text_fold(word))
    return tuple(sorted(folded))


def kernel_words(extra: tuple[str, ...] = ()) -> list[tuple[str, int]]:
    """The lists of words, as the kernel takes them."""
    bits = dict(_bits())
    both = _native.KEYWORDS_BITS["french"] | _native.KEYWORDS_BITS["english"]
    for word in extra:
        bits[word] = both | bits.get(word, 0) & _native.KEYWORDS_BITS["connector"]
    return sorted(bits.items())


@cache
def _bits() -> Mapping[str, int]:
    """What the lists say of each word, as the kernel takes it."""
    bits: dict[str, int] = {}
    for name, listed in (
        ("french", lists.FRENCH),
        ("english", lists.ENGLISH),
        ("means_in_english", lists.MEANS_IN_ENGLISH),
        ("means_in_french", lists.MEANS_IN_FRENCH),
        ("negation", lists.NEGATIONS),
        ("without", lists.WITHOUT),
        ("connector", lists.CONNECTORS),
        ("whole", lists.WHOLE),
    ):
        for word in listed:
            bits[word] = bits.get(word, 0) | _native.KEYWORDS_BITS[name]
    return bits
