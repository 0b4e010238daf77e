"""Which texts were compared? A fingerprint that does not depend on the order of rows, batches or files.

Each text gives an entry, SHA-256(id in UTF-8 ‖ hash of its sequence of words, 16 bytes little-endian); the fingerprint is SHA-256 over the
`head`, the number of texts (64 bits, little-endian) and the entries in ascending order (`rust/core/src/neardup/digest.rs`). Whole numbers
are written in decimal. Texts that differ only in what the normaliser passes over have one hash: they can't change the result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from klero import _native
from klero.voices.sets import native_chunk

if TYPE_CHECKING:
    from klero.voices.ids import IdColumn
    from klero.voices.settings import Settings

__all__ = ["head", "texts_digest"]

_BLOCK = 1 << 16


def head(settings: Settings) -> bytes:
    """What the fingerprint begins with: its format, and how texts are read."""
    return f"klero-texts/1 {settings.normaliser} {settings.shingles} fold_accents={int(settings.fold_accents)}\n".encode(
        "ascii"
    )


def texts_digest(ids: IdColumn, sequences: bytes, settings: Settings, threads: int = 1) -> str:
    """The fingerprint in hexadecimal, of the texts with these ids and hashes (16 bytes each, in the same order). 32 bytes a text meanwhile."""
    hashes = memoryview(sequences).cast("B")
    digest = _native.TextsDigest()
    for first in range(0, ids.size, _BLOCK):
        block = ids.slice(first, _BLOCK).cast(pa.large_string())
        digest.add(native_chunk(block), hashes[16 * first : 16 * (first + len(block))], threads)
    return digest.digest(head(settings), threads).hex()
