"""The fastest correct way from raw texts to groups with each peer, in the peer's own environment.

    ENV/bin/python peers.py VARIANT CORPUS.parquet THREADS OUT.npy [--limit N]

A list of Python strings (Daft: an Arrow column) is in memory when the clock starts; groups of rows are there when it stops. None of the peers
makes word 3-grams of raw Unicode text *and* verifies *and* returns groups, so the missing parts are written here, as quick as NumPy and plain
Python allow, and counted: words by `\\w+` of the casefolded text, shingles by mixing Python's hashes of three words in NumPy.

| variant | signature and index | candidates | verified |
|---|---|---|---|
| rensa-rho | rho sketch of 128, 8 bands, its one-shot flags | **flags only, no groups** | by its sketch |
| rensa-rows | R-MinHash of 120; 20 bands of 6 by NumPy | all | from the shingles |
| rensa-query | R-MinHash of 120, RMinHashLSH of 20 bands, query_all | all | from the shingles |
| rensa-dedup | RMinHashDeduplicator(0.8, 128, LSH of 16 bands) | **flags of later copies only** | by its sketch |
| datasketch-20x6 | MinHash of 120, MinHashLSH(params=(20, 6)) | query of every text | from the shingles |
| datasketch-optimal | MinHash of 128, MinHashLSH(threshold=0.8): 9 bands of 13 | query of every text | from the shingles |
| gaoya-20x6 | its own word 3-grams, 20 bands of 6, 32 bits | par_bulk_query | by its sketch: its query drops what it estimates below 0.8 |
| gaoya-sure | the same, told 0.6 | par_bulk_query | from the shingles |
| daft-20x6 | its own lower, regexp_replace and minhash of 120; 20 bands of 6 by NumPy | all | from the shingles |

«raw-» before a variant that is verified from the shingles leaves that out: candidates are joined as they come (what most users do).
"""

from __future__ import annotations

import argparse
import importlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import measured
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BANDS, ROWS = 20, 6
_WORD = re.compile(r"\w+")
_MIX = [np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)]


class Shingles:
    """Hashes of the word 3-grams of all texts in a row, and where each text's begin."""

    def __init__(self, texts: list[str]) -> None:
        words, lengths = [], np.empty(len(texts), np.int64)
        flat = []
        for row, text in enumerate(texts):
            if not text.isascii():
                text = unicodedata.normalize("NFKC", text)
            words = _WORD.findall(text.casefold())
            lengths[row] = len(words)
            flat.append(np.fromiter(map(hash, words), np.int64, len(words)))
        one = np.concatenate([*flat, np.empty(0, np.int64)]).view(np.uint64)
        # A text of less than three words has one shingle: itself, filled up with zeros.
        short = np.flatnonzero((lengths > 0) & (lengths < 3))
        if len(short):
            ends = np.cumsum(lengths)
            one = np.insert(one, np.repeat(ends[short], 3 - lengths[short]), np.uint64(0))
            lengths[short] = 3
        starts = np.concatenate([[0], np.cumsum(lengths)])
        three = one[:-2] * _MIX[0] + one[1:-1] * _MIX[1] + one[2:] * _MIX[2] if len(one) > 2 else one[:0]
        three ^= three >> np.uint64(29)
        three *= _MIX[1]
        three ^= three >> np.uint64(32)
        counts = np.maximum(lengths - 2, 0)
        self.ends = np.concatenate([[0], np.cumsum(counts)])
        keep = np.repeat(starts[:-1] - self.ends[:-1], counts) + np.arange(self.ends[-1])
        self.flat = three[keep]
        self._sets: dict[int, frozenset[int]] = {}

    def of(self, row: int) -> np.ndarray:
        return self.flat[self.ends[row] : self.ends[row + 1]]

    def set(self, row: int) -> frozenset[int]:
        found = self._sets.get(row)
        if found is None:
            found = self._sets[row] = frozenset(self.of(row).tolist())
        return found

    def similar(self, a: int, b: int, threshold: float) -> bool:
        one, two = self.set(a), self.set(b)
        shared = len(one & two)
        return bool(shared) and shared / (len(one) + len(two) - shared) >= threshold


class Joined:
    """Union-find; candidates are compared only while they are not yet joined."""

    def __init__(self, count: int, similar: Callable[[int, int], bool] | None) -> None:
        self.up = list(range(count))
        self.similar = similar

    def top(self, row: int) -> int:
        up = self.up
        while up[row] != row:
            up[row] = up[up[row]]
            row = up[row]
        return row

    def candidates(self, row: int, others: Iterable[int]) -> None:
        for other in others:
            a, b = self.top(row), self.top(other)
            if a != b and (self.similar is None or self.similar(row, other)):
                self.up[max(a, b)] = min(a, b)

    def labels(self) -> np.ndarray:
        found = np.array([self.top(row) for row in range(len(self.up))])
        return np.where(np.bincount(found, minlength=len(found))[found] > 1, found, -1)


def bucketed(signatures: np.ndarray) -> Iterator[list[int]]:
    """Rows that agree on all of a band, band by band, from signatures of BANDS·ROWS numbers of 32 bits."""
    for band in range(BANDS):
        part = np.ascontiguousarray(signatures[:, band * ROWS : (band + 1) * ROWS]).view(np.uint64)
        key = (part * np.array(_MIX)).sum(1, dtype=np.uint64)
        order = np.argsort(key, kind="stable")
        sorted_ = key[order]
        edges = np.concatenate([[0], np.flatnonzero(sorted_[1:] != sorted_[:-1]) + 1, [len(key)]])
        for at in np.flatnonzero(np.diff(edges) > 1):
            yield order[edges[at] : edges[at + 1]].tolist()


def from_signatures(signatures: np.ndarray, similar: Callable[[int, int], bool] | None) -> np.ndarray:
    joined = Joined(len(signatures), similar)
    for rows in bucketed(signatures):
        for at in range(1, len(rows)):
            joined.candidates(rows[at], rows[:at] if similar else rows[at - 1 : at])
    return joined.labels()


def verified(shingles: Shingles, args: argparse.Namespace) -> Callable[[int, int], bool] | None:
    return None if args.raw else lambda a, b: shingles.similar(a, b, args.threshold)


def rensa(variant: str, texts: list[str], args: argparse.Namespace) -> tuple[str, np.ndarray]:
    from rensa import RMinHash, RMinHashDeduplicator, RMinHashLSH

    shingles = Shingles(texts)
    ends = shingles.ends.astype(np.uint64)
    if variant == "rho":
        matrix = RMinHash.digest_matrix_from_flat_token_hashes_rho(shingles.flat, ends, 128, 42)
        flags = RMinHashLSH(args.threshold, 128, 8).query_duplicate_flags_matrix_one_shot(matrix)
        return "flags", np.array(flags)
    if variant == "rows":
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(shingles.flat, ends, BANDS * ROWS, 42)
        signatures = np.array(matrix.to_rows(), np.uint32)
        return "groups", from_signatures(signatures, verified(shingles, args))
    tokens = [list(map(str, shingles.of(row).tolist())) for row in range(len(texts))]
    if variant == "dedup":
        kept = RMinHashDeduplicator(args.threshold, 128, True, 16).add_pairs(
            (str(row), one) for row, one in enumerate(tokens)
        )
        return "later", ~np.array(kept)
    sketches = RMinHash.from_token_sets(tokens, BANDS * ROWS, 42)
    index = RMinHashLSH(args.threshold, BANDS * ROWS, BANDS)
    index.insert_many(sketches)
    joined = Joined(len(texts), verified(shingles, args))
    for row, others in enumerate(index.query_all(sketches)):
        joined.candidates(row, others)
    return "groups", joined.labels()


def datasketch(variant: str, texts: list[str], args: argparse.Namespace) -> tuple[str, np.ndarray]:
    from datasketch import MinHash, MinHashLSH

    shingles = Shingles(texts)
    low = (
        shingles.flat >> np.uint64(32)
    ).tolist()  # its hash values have 32 bits; `int` as hash function: hashed already
    ends = shingles.ends.tolist()
    each = (low[ends[row] : ends[row + 1]] for row in range(len(texts)))
    params = {"num_perm": BANDS * ROWS, "params": (BANDS, ROWS)} if variant == "20x6" else {"num_perm": 128}
    index = MinHashLSH(threshold=args.threshold, **params)
    joined = Joined(len(texts), verified(shingles, args))
    for row, sketch in enumerate(MinHash.generator(each, num_perm=index.h, hashfunc=int)):
        joined.candidates(row, index.query(sketch))
        index.insert(row, sketch, check_duplication=False)
    return "groups", joined.labels()


def gaoya(variant: str, texts: list[str], args: argparse.Namespace) -> tuple[str, np.ndarray]:
    from gaoya.minhash import MinHashStringIndex

    sure = variant == "sure"
    index = MinHashStringIndex(
        hash_size=32,
        jaccard_threshold=0.75 * args.threshold if sure else args.threshold,
        num_bands=BANDS,
        band_size=ROWS,
        analyzer="word",
        lowercase=True,
        ngram_range=(3, 3),
        id_container="vec",
    )
    index.par_bulk_insert_docs(list(range(len(texts))), texts)
    joined = Joined(len(texts), verified(Shingles(texts), args) if sure else None)
    for row, others in enumerate(index.par_bulk_query(texts)):
        joined.candidates(row, others)
    return "groups", joined.labels()


def daft(variant: str, column: Any, args: argparse.Namespace) -> tuple[str, np.ndarray]:
    import daft as library
    from daft import functions

    library.set_runner_native(args.threads)
    bare = functions.strip(functions.regexp_replace(functions.lower(library.col("text")), r"[^\w]+", " "))
    sketch = functions.minhash(bare, num_hashes=BANDS * ROWS, ngram_size=3, hash_function="xxhash64")
    table = library.from_arrow(pa.table({"text": column})).select(sketch.alias("sketch")).to_arrow()
    flat = table["sketch"].combine_chunks().flatten()
    signatures = flat.to_numpy(zero_copy_only=False).reshape(-1, BANDS * ROWS)
    shingles = None if args.raw else Shingles(column.to_pylist())
    return "groups", from_signatures(signatures, shingles and verified(shingles, args))


VARIANTS = {
    "rensa": (rensa, ("rho", "rows", "query", "dedup")),
    "datasketch": (datasketch, ("20x6", "optimal")),
    "gaoya": (gaoya, ("20x6", "sure")),
    "daft": (daft, ("20x6",)),
}


def main() -> None:
    """Runs one variant and hands over what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("variant")
    parser.add_argument("corpus")
    parser.add_argument("threads", type=int)
    parser.add_argument("out")
    parser.add_argument("--threshold", type=float, default=0.8)
    args = parser.parse_args()
    args.raw = args.variant.startswith("raw-")
    name, _, variant = args.variant.removeprefix("raw-").partition("-")
    work, variants = VARIANTS[name]
    if variant not in variants:
        parser.error(f"{name} has: {', '.join(variants)}")
    measured.limit(args.threads)
    importlib.import_module({"gaoya": "gaoya.minhash"}.get(name, name))  # before the clock starts
    column = pq.read_table(args.corpus, columns=["text"])["text"].combine_chunks()
    texts = column if name == "daft" else column.to_pylist()
    if name != "daft":
        del column
    (kind, found), figures = measured.measure(lambda: work(variant, texts, args))
    measured.hand_over(args.out, kind, figures, found)


if __name__ == "__main__":
    main()
