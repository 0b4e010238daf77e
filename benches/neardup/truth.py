"""Which texts really are near-duplicates: numpy and a dictionary of words, no hashing, nothing of klero's.

Words are `\\w+` after NFKC, casefold, NFKC; a shingle is the numbers of its three words packed in 63 bits, so two shingles are equal iff
their words are. Three ways, from obvious to quick, each checked against the one before by `python benches/neardup/truth.py` on a small corpus:

1. `brute`: every pair that shares a shingle, counted from the lists of texts of each shingle. All pairs, for tens of thousands of texts.
2. `prefixed`: shingles sorted by how many texts have them; texts of similarity t or more share one of their first |A| − ⌈t·|A|⌉ + 1
   (Chaudhuri, Ganti and Kaushik 2006), and every such pair is compared in full. All pairs, for a million texts.
3. `campaigns`: every letter is compared with the letter of its campaign (must match), the other texts by `prefixed`; a campaign's own
   5·10⁷ pairs are never listed.

For a stream, pairs inside the families kept aside (`sampled`).
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

NONE = (1 << 21) - 1  # in the place of a word that a short text has not
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Sets:
    """Sets of shingles in a row: those of text i are keys[ends[i]:ends[i + 1]], sorted, distinct."""

    keys: np.ndarray
    ends: np.ndarray

    def __len__(self) -> int:
        return len(self.ends) - 1

    @property
    def sizes(self) -> np.ndarray:
        return np.diff(self.ends)

    def take(self, rows: np.ndarray) -> Sets:
        sizes = self.sizes[rows]
        at = np.repeat(self.ends[rows] - (np.cumsum(sizes) - sizes), sizes) + np.arange(sizes.sum())
        return Sets(self.keys[at], np.concatenate([[0], np.cumsum(sizes)]))


def words(text: str) -> list[str]:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return _WORD.findall(text.casefold())


def sets(texts: Iterable[str], chunk: int = 50_000) -> Sets:
    """The sets of word 3-grams of texts."""
    numbers: dict[str, int] = {}
    parts, sizes, batch = [], [], []

    def flush() -> None:
        lengths = np.array([len(one) for one in batch])
        short = np.flatnonzero((lengths > 0) & (lengths < 3))
        for row in short:
            batch[row] = batch[row] + [NONE] * (3 - len(batch[row]))
        lengths[short] = 3
        flat = np.fromiter((word for one in batch for word in one), np.int64, int(lengths.sum()))
        if len(flat) < 3:
            sizes.append(np.zeros(len(batch), np.int64))
            return
        text = np.repeat(np.arange(len(batch)), lengths)
        key = (flat[:-2] << 42) | (flat[1:-1] << 21) | flat[2:]
        inside = text[:-2] == text[2:]
        key, text = key[inside], text[:-2][inside]
        order = np.lexsort((key, text))
        key, text = key[order], text[order]
        first = np.concatenate([[True], (key[1:] != key[:-1]) | (text[1:] != text[:-1])])
        parts.append(key[first])
        sizes.append(np.bincount(text[first], minlength=len(batch)))

    for one in texts:
        batch.append([numbers.setdefault(word, len(numbers)) for word in words(one)])
        if len(batch) == chunk:
            flush()
            batch = []
    if batch:
        flush()
    if len(numbers) >= NONE:
        raise SystemExit("too many different words for 21 bits each")
    return Sets(
        np.concatenate([*parts, np.empty(0, np.int64)]),
        np.concatenate([[0], np.cumsum(np.concatenate(sizes))]),
    )


def _together(key: np.ndarray, text: np.ndarray, texts: int) -> Iterator[np.ndarray]:
    """Codes i·texts + j (i < j) of the pairs of texts under each key; a pair as often as it has keys in common."""
    order = np.lexsort((text, key))
    key, text = key[order], text[order]
    starts = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    sizes = np.diff(np.concatenate([starts, [len(key)]]))
    for size in np.unique(sizes[sizes > 1]):
        i, j = np.triu_indices(size, 1)
        block = max(1, 4_000_000 // len(i))
        of_size = starts[sizes == size]
        for at in range(0, len(of_size), block):
            rows = text[of_size[at : at + block, None] + np.arange(size)]
            yield (rows[:, i] * texts + rows[:, j]).ravel()


def brute(of: Sets, threshold: float) -> np.ndarray:
    """Rows (i, j), i < j, of every pair with Jaccard similarity >= threshold."""
    text = np.repeat(np.arange(len(of)), of.sizes)
    codes = np.concatenate([*_together(of.keys, text, len(of)), np.empty(0, np.int64)])
    codes, shared = np.unique(codes, return_counts=True)
    i, j = codes // len(of), codes % len(of)
    return np.stack([i, j], 1)[shared / (of.sizes[i] + of.sizes[j] - shared) >= threshold]


def similarities(of: Sets, pairs: np.ndarray, chunk: int = 20_000) -> np.ndarray:
    """Jaccard similarity of each pair, by sorting the two sets together and counting what stands twice."""
    out = np.empty(len(pairs))
    for at in range(0, len(pairs), chunk):
        some = pairs[at : at + chunk]
        both = of.take(some.ravel())
        pair = np.repeat(np.arange(len(some)), both.sizes.reshape(-1, 2).sum(1))
        order = np.lexsort((both.keys, pair))
        key, pair = both.keys[order], pair[order]
        twice = (key[1:] == key[:-1]) & (pair[1:] == pair[:-1])
        shared = np.bincount(pair[1:][twice], minlength=len(some))
        out[at : at + chunk] = shared / (both.sizes.reshape(-1, 2).sum(1) - shared)
    return out


def prefixed(of: Sets, threshold: float) -> np.ndarray:
    """The same as `brute`, by the prefix filter."""
    text = np.repeat(np.arange(len(of)), of.sizes)
    _, rank, counts = np.unique(of.keys, return_inverse=True, return_counts=True)
    order = np.lexsort((rank, counts[rank], text))  # inside each text, rarest first
    place = np.arange(len(rank)) - of.ends[text]
    # 1e-9: a product that rounds up must not shorten the prefix.
    prefix = (
        of.sizes - np.array([math.ceil(threshold * size - 1e-9) for size in of.sizes.tolist()], np.int64) + 1
    )
    held = order[place < prefix[text]]
    held = held[counts[rank[held]] > 1]
    found = [np.unique(codes) for codes in _together(rank[held], text[held], len(of))]
    codes = np.unique(np.concatenate([*found, np.empty(0, np.int64)]))
    pairs = np.stack([codes // len(of), codes % len(of)], 1)
    small, large = np.sort(of.sizes[pairs], axis=1).T if len(pairs) else (np.empty(0), np.empty(0))
    pairs = pairs[small >= threshold * large * (1 - 1e-9)]
    return pairs[similarities(of, pairs) >= threshold]


def labels(count: int, pairs: Iterable[Sequence[int]]) -> np.ndarray:
    """For each row the smallest row of its connected component; -1 for rows in no pair."""
    up = list(range(count))

    def top(row: int) -> int:
        while up[row] != row:
            up[row] = up[up[row]]
            row = up[row]
        return row

    for i, j in pairs:
        a, b = sorted((top(i), top(j)))
        up[b] = a
    found = np.array([top(row) for row in range(count)], np.int64)
    sizes = np.bincount(found, minlength=count)
    return np.where(sizes[found] > 1, found, -1)


def campaigns(
    of: Sets, family: np.ndarray, aim: np.ndarray, threshold: float
) -> tuple[np.ndarray, np.ndarray]:
    """(pairs that suffice to join what belongs together, similarity of each letter to its campaign's)."""
    letters = np.flatnonzero(family >= 0)
    first = {int(family[row]): row for row in letters[aim[letters] == 1][::-1]}
    # Any copy of the letter stands for it.
    star = np.array(
        [(min(first[int(family[row])], row), max(first[int(family[row])], row)) for row in letters]
    )
    similar = similarities(of, star)
    if (similar < threshold).any():
        raise SystemExit("a letter is too far from its campaign's: the truth is not known at this threshold")
    others = np.concatenate([np.flatnonzero(family < 0), np.array(list(first.values()))])
    others.sort()
    return np.concatenate(
        [star[star[:, 0] != star[:, 1]], others[prefixed(of.take(others), threshold)]]
    ), similar


def sampled(of: Sets, family: np.ndarray, threshold: float) -> np.ndarray:
    """All matching pairs inside families."""
    order = np.argsort(family, kind="stable")
    text = np.arange(len(order))
    codes = np.concatenate([*_together(family[order], order[text], len(order)), np.empty(0, np.int64)])
    pairs = np.sort(np.stack([codes // len(order), codes % len(order)], 1), axis=1)
    return pairs[similarities(of, pairs) >= threshold]


def known(home: Path, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """(labels, pairs) of a corpus, kept beside it; pairs are empty for campaigns, whose labels say it all."""
    kept = home / f"truth-{threshold}.npz"
    if not kept.exists():
        read = pq.read_table(home / "part-000.parquet")
        family = read["family"].to_numpy()
        of = sets(read["text"].to_pylist())
        if home.name.startswith("campaigns"):
            pairs, _ = campaigns(of, family, read["aim"].to_numpy(), threshold)
            np.savez(kept, labels=labels(len(of), pairs.tolist()), pairs=np.empty((0, 2), np.int64))
        else:
            pairs = prefixed(of, threshold)
            np.savez(kept, labels=labels(len(of), pairs.tolist()), pairs=pairs)
    with np.load(kept) as read:
        return read["labels"], read["pairs"]


def main() -> None:
    """Compares the three ways, and the corpus's similarities by construction with those counted."""
    from corpus import make

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--folder", type=Path, required=True)
    args = parser.parse_args()
    failed = False
    read = pq.read_table(make("families", args.texts, args.folder) / "part-000.parquet")
    of = sets(read["text"].to_pylist())
    for threshold in (0.3, 0.5, 0.8, 1.0):
        started = time.perf_counter()
        slow = brute(of, threshold)
        middle = time.perf_counter()
        quick = prefixed(of, threshold)
        same = np.array_equal(slow, quick)
        failed |= not same
        print(
            f"threshold {threshold}: {len(slow)} pairs, {len(np.unique(labels(len(of), slow.tolist()))) - 1} groups; "
            f"brute {middle - started:.1f} s, prefixes {time.perf_counter() - middle:.1f} s, same pairs: {same}"
        )
    read = pq.read_table(make("campaigns", args.texts // 4, args.folder) / "part-000.parquet")
    family, aim = read["family"].to_numpy(), read["aim"].to_numpy()
    of = sets(read["text"].to_pylist())
    joined, similar = campaigns(of, family, aim, 0.8)
    same = np.array_equal(labels(len(of), joined.tolist()), labels(len(of), brute(of, 0.8).tolist()))
    failed |= not same
    off = np.abs(similar - aim[family >= 0]).max()
    print(
        f"campaigns: least similarity {similar.min():.3f}, at most {off:.4f} off by construction; same groups as brute force: {same}"
    )
    sys.exit(int(failed))


if __name__ == "__main__":
    main()
