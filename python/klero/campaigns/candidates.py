"""Which contributions may come from one text? Groups to test, found by their words alone.

Copies, copies with edits, and letters with blanks that each filled in differently: texts are joined by what they share that is rare here (runs of two words
and words, weighted by rarity), and families grow from tight cores by what a tenth of their voices have in common
(`rust/core/src/campaigns/texts/families.rs`). Texts that say the opposite, by a negation or by their stance, are groups apart. Invisible characters and
look-alike letters are folded by the reader, slips of the pen are mended, and a link is one word.

A group has at least `LEAST_MEMBERS` authors, and an author counts once, however many contributions of theirs are in it. A contribution is in one group at most.

Guarantees: a function of the consultation, whose rows are in canonical order; the same on any number of threads. Not guaranteed: that a group is a campaign.
«Tout à fait d'accord» makes groups too, and the channels tell them apart. Cost: 20,000 letters of one stock cost 20,000 times what a hundred of them need to
stand for all, not the square.

    groups = text_candidates(consultation, threads=2)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
import pyarrow as pa

from klero._native import CampaignTexts
from klero.campaigns.model import Candidate, Consultation
from klero.voices.sets import native_chunk

__all__ = ["LEAST_MEMBERS", "Progress", "forget_texts", "read_texts_of", "text_candidates"]

Progress: TypeAlias = Callable[[str, int], None] | None

LEAST_MEMBERS = 5
"""Authors of a group, at least: fewer are told by no test from people who know each other."""

_READ: WeakKeyDictionary[Consultation, CampaignTexts] = WeakKeyDictionary()


def read_texts_of(c: Consultation, *, threads: int, progress: Progress = None) -> CampaignTexts:
    """The texts of a consultation as the kernel reads them; read once for as long as the consultation lives."""
    found = _READ.get(c)
    if found is None:
        texts = pa.array(c.texts, pa.large_string())
        none = len(c.questions)
        question = np.where(c.question < 0, none, c.question).astype(np.uint32)
        found = CampaignTexts(
            [native_chunk(texts)],
            np.ascontiguousarray(c.author.astype(np.uint32)),
            np.ascontiguousarray(question),
            np.ascontiguousarray(c.stance.astype(np.int8)),
            list(c.questions),
            threads=threads,
            progress=progress,
        )
        _READ[c] = found
    return found


def forget_texts(c: Consultation) -> None:
    """Gives back what the kernel holds of a consultation (about twice its texts); it is read anew if it is asked for again."""
    _READ.pop(c, None)


def text_candidates(c: Consultation, *, threads: int, progress: Progress = None) -> list[Candidate]:
    """Groups of contributions that may come from one text, by their first rows. See the module for how they are found.

    Args:
        c: the consultation.
        threads: at most.
        progress: called with the name of a step and a count.
    """
    if not len(c):
        return []
    found = read_texts_of(c, threads=threads, progress=progress).families(
        LEAST_MEMBERS, threads=threads, progress=progress
    )
    return [
        Candidate(
            rows=np.array(rows, np.int64),
            voices=voices,
            centre=centre,
            kind="copies" if copies else "template",
        )
        for rows, centre, voices, copies in found
    ]
