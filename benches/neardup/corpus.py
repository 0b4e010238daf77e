"""Makes texts whose near-duplicates are known: families by edits, campaigns of one letter, a stream of ten million.

    python benches/neardup/corpus.py families --texts 200000 --folder CACHE
    python benches/neardup/corpus.py campaigns|apart --texts 200000 --folder CACHE
    python benches/neardup/corpus.py stream --texts 10000000 --folder CACHE

Texts have 20 to 200 words (log-uniform, 78 on average, about 470 bytes), 60 % French, with capitals, commas, apostrophes and accents.
**families**: about 30 % of the texts are in families of 2 to 20 (P(size) ∝ size⁻²). A member is its parent with words replaced, inserted
and deleted, four words apart or more, so that the word-3 Jaccard similarity to the parent is known: a replacement takes 3 shingles and
gives 3, an insertion takes 2 and gives 3, a deletion takes 3 and gives 2 (an elided «l'eau» is two words, which moves a similarity by a few
hundredths; what counts is the similarity that truth.py counts). Aims are uniform in 0.5–0.95; 8 % are copies, 7 % differ in
punctuation alone. A quarter of the members of larger families are edited from another member, so chains occur.
**campaigns**: five letters, each sent by 5 % of the texts with two words of its own and a personal sentence (up to 12 % of the letter),
similarity to the letter at least 0.8, among independent texts. **apart**: texts as long, all independent: what campaigns are compared with.
**stream**: families whose members are far apart, written without ever being all in memory; every 40th chunk's families are kept aside.

Each corpus is a folder with `part-000.parquet`: id (int64), text, family (int32, -1 for none), aim (float32: similarity to the parent, nan
for none). Everything is a function of the seed and of the number of texts; chunks have generators of their own.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from lexicon import CAPITAL, COMMA, FORMS, PLAIN, STOP, TABLE, Lexicon, lexicon

CHUNK = 50_000
PARTS = 40  # of a stream
SAMPLED = 40  # every so many chunks of a stream
CAMPAIGNS = 5
REPLACE, DELETE, INSERT = 1, 2, 3
TAKES = np.array([0, 3, 3, 2])  # shingles lost by an edit
GIVES = np.array([0, 3, 2, 3])  # shingles gained

SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.string()), ("family", pa.int32()), ("aim", pa.float32())])


class Tokens:
    """Texts as numbers of tokens: `flat` in a row, `lengths` of the texts, `lang` (0 French, 1 English) of each."""

    def __init__(self, flat: np.ndarray, lengths: np.ndarray, lang: np.ndarray) -> None:
        self.flat, self.lengths, self.lang = flat, lengths, lang
        self.starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])

    def take(self, rows: np.ndarray) -> Tokens:
        lengths = self.lengths[rows]
        at = np.repeat(self.starts[rows] - (np.cumsum(lengths) - lengths), lengths) + np.arange(lengths.sum())
        return Tokens(self.flat[at], lengths, self.lang[rows])

    def strings(self, words: Lexicon) -> pa.Array:
        offsets = np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int32)
        return pc.binary_join(pa.ListArray.from_arrays(offsets, words.forms.take(pa.array(self.flat))), " ")


def together(parts: list[Tokens]) -> Tokens:
    return Tokens(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("flat", "lengths", "lang"))
    )


def _words(lang: np.ndarray, rng: np.random.Generator, words: Lexicon) -> np.ndarray:
    """One word for each entry of `lang`."""
    draws = rng.integers(0, TABLE, len(lang))
    return np.where(lang == 0, words.tables[0][draws], words.tables[1][draws])


def _punctuated(word: np.ndarray, lengths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Numbers of tokens: sentences of about 14 words, commas in between."""
    draw = rng.random(len(word))
    form = np.where(draw < 0.07, STOP, np.where(draw < 0.14, COMMA, PLAIN))
    ends = np.cumsum(lengths) - 1
    form[ends] = STOP
    starts = np.concatenate([[0], np.flatnonzero(form == STOP)[:-1] + 1])
    form[starts[form[starts] == PLAIN]] = CAPITAL
    return word * FORMS + form


def independent(lengths: np.ndarray, rng: np.random.Generator, words: Lexicon) -> Tokens:
    lang = (rng.random(len(lengths)) >= 0.6).astype(np.int8)
    word = _words(np.repeat(lang, lengths), rng, words)
    return Tokens(_punctuated(word, lengths, rng), lengths, lang)


def _lengths(count: int, rng: np.random.Generator) -> np.ndarray:
    return np.exp(rng.uniform(np.log(20), np.log(201), count)).astype(np.int64)


def edited(
    parents: Tokens, aims: np.ndarray, rng: np.random.Generator, words: Lexicon
) -> tuple[Tokens, np.ndarray]:
    """Each text edited to a similarity near its aim (1: not at all), and the similarity by construction."""
    shingles = parents.lengths - 2
    edits = np.rint(shingles * (1 - aims) / (1 + aims) * 3 / 8).astype(np.int64)
    edits[(aims < 1) & (edits == 0)] = 1
    blocks = (parents.lengths - 6) // 4
    text = np.repeat(np.arange(len(aims)), blocks)
    first = np.cumsum(blocks) - blocks
    order = np.lexsort((rng.random(len(text)), text))
    chosen = order[np.arange(len(text)) - first[text] < edits[text]]
    owner = text[chosen]
    place = parents.starts[owner] + 3 + 4 * (chosen - first[owner])
    kind = rng.integers(1, 4, len(chosen))
    action = np.zeros(len(parents.flat), np.int8)
    action[place] = kind
    copies = np.array([1, 1, 0, 2])[action]
    flat = np.repeat(parents.flat, copies)
    fresh = np.flatnonzero((action == REPLACE) | (action == INSERT))
    lang = np.repeat(parents.lang, parents.lengths)[fresh]
    flat[(np.cumsum(copies) - copies)[fresh]] = _words(lang, rng, words) * FORMS
    count = len(aims)
    grown = np.bincount(owner, (kind == INSERT).astype(int) - (kind == DELETE), count).astype(np.int64)
    takes, gives = (np.bincount(owner, each[kind], count) for each in (TAKES, GIVES))
    return Tokens(flat, parents.lengths + grown, parents.lang), (shingles - takes) / (shingles + gives)


def _family_sizes(texts: int, share: float, rng: np.random.Generator) -> np.ndarray:
    sizes = np.arange(2, 21)
    chances = 1 / sizes**2
    drawn = rng.choice(sizes, size=texts, p=chances / chances.sum())
    return drawn[np.cumsum(drawn) <= share * texts]


def family_chunk(
    number: int, count: int, seed: int, words: Lexicon, share: float = 0.3
) -> tuple[Tokens, np.ndarray, np.ndarray]:
    """(texts, family or -1, similarity to the parent by construction or nan) in an order without meaning."""
    rng = np.random.default_rng([seed, number])
    sizes = _family_sizes(count, share, rng)
    families = len(sizes)
    roots = independent(_lengths(families + count - int(sizes.sum()), rng), rng, words)
    owner = np.repeat(np.arange(families), sizes - 1)
    kind = rng.random(len(owner))
    aims = np.where(kind < 0.15, 1.0, rng.uniform(0.5, 0.95, len(owner)))
    chained = (rng.random(len(owner)) < 0.25) & (sizes[owner] > 2) & (kind >= 0.15)
    near = np.flatnonzero(~chained)
    second, by_near = edited(roots.take(owner[near]), aims[near], rng, words)
    retyped = (kind[near] >= 0.08) & (kind[near] < 0.15)
    form = _punctuated(second.flat // FORMS, second.lengths, rng)
    second.flat = np.where(np.repeat(retyped, second.lengths), form, second.flat)
    # A chained member's parent is a member that is near the root, or the root where there is none.
    far = np.flatnonzero(chained)
    begin, end = np.searchsorted(owner[near], owner[far]), np.searchsorted(owner[near], owner[far], "right")
    pick = begin + (rng.random(len(far)) * (end - begin)).astype(np.int64)
    base = together([roots, second])
    third, by_far = edited(
        base.take(np.where(end > begin, len(roots.lengths) + pick, owner[far])), aims[far], rng, words
    )
    family = np.concatenate(
        [np.arange(families), np.full(len(roots.lengths) - families, -1), owner[near], owner[far]]
    )
    aim = np.concatenate([np.full(len(roots.lengths), np.nan), by_near, by_far])
    shuffled = rng.permutation(count)
    return together([base, third]).take(shuffled), family[shuffled], aim[shuffled]


def _letters(campaign: int, count: int, seed: int, words: Lexicon) -> tuple[Tokens, np.ndarray]:
    """The letter itself, then count − 1 letters with two words and a sentence of their own; similarity to it by construction."""
    rng = np.random.default_rng([seed, 1 << 32, campaign])
    length = 140 + 10 * campaign
    letter = independent(np.array([length]), rng, words)
    rows = letter.take(np.zeros(count - 1, np.int64))
    flat = rows.flat.reshape(count - 1, length).copy()
    fresh = _words(np.repeat(letter.lang, 2 * (count - 1)), rng, words).reshape(count - 1, 2)
    flat[:, [12, length // 2]] = fresh * FORMS
    own = rng.integers(0, int(0.12 * length), count - 1)
    sentence = _words(np.repeat(letter.lang, own.sum()), rng, words) * FORMS
    where = length * 3 // 4
    lengths = length + own
    starts = np.cumsum(lengths) - lengths
    inside = np.repeat(starts + where, own) + np.arange(own.sum()) - np.repeat(np.cumsum(own) - own, own)
    out = np.empty(lengths.sum(), flat.dtype)
    kept = np.ones(len(out), bool)
    kept[inside] = False
    out[inside], out[kept] = sentence, flat.ravel()
    shingles = length - 2
    aim = (shingles - 6 - 2 * (own > 0)) / (shingles + 6 + own + 2 * (own > 0))
    return together([letter, Tokens(out, lengths, rows.lang)]), np.concatenate([[1.0], aim])


def campaign_chunk(
    count: int, seed: int, words: Lexicon, apart: bool
) -> tuple[Tokens, np.ndarray, np.ndarray]:
    """Five campaigns of 5 % of the texts each among independent texts; or as many independent texts of the same lengths."""
    rng = np.random.default_rng([seed, 1 << 33])
    each = count // 20
    letters = [_letters(campaign, each, seed, words) for campaign in range(CAMPAIGNS)]
    sent = together([tokens for tokens, _ in letters])
    if apart:
        sent = independent(sent.lengths, rng, words)
    others = count - CAMPAIGNS * each
    texts = together([sent, independent(_lengths(others, rng), rng, words)])
    family = np.concatenate([np.repeat(np.arange(CAMPAIGNS), each), np.full(others, -1)])
    aim = np.concatenate([*(aims for _, aims in letters), np.full(others, np.nan)])
    if apart:
        family[:], aim[:] = -1, np.nan
    shuffled = rng.permutation(count)
    return texts.take(shuffled), family[shuffled], aim[shuffled]


def table(
    first: int, family_first: int, chunk: tuple[Tokens, np.ndarray, np.ndarray], words: Lexicon
) -> pa.Table:
    tokens, family, aim = chunk
    named = np.where(family >= 0, family + family_first, -1).astype(np.int32)
    ids = np.arange(first, first + len(family))
    return pa.table(
        [pa.array(ids), tokens.strings(words), pa.array(named), pa.array(aim.astype(np.float32))],
        schema=SCHEMA,
    )


def family_tables(texts: int, seed: int, words: Lexicon) -> Iterator[pa.Table]:
    families = 0
    for first in range(0, texts, CHUNK):
        chunk = family_chunk(first // CHUNK, min(CHUNK, texts - first), seed, words)
        yield table(first, families, chunk, words)
        families += int(chunk[1].max(initial=-1)) + 1


def _write_stream(folder: Path, texts: int, seed: int, words: Lexicon) -> None:
    """One file in which the members of a family are far apart: scattered over parts, which are put in a row."""
    paths = [folder / f"scattered-{part:03d}" for part in range(PARTS)]
    writers = [pq.ParquetWriter(path, SCHEMA) for path in paths]
    sample = pq.ParquetWriter(folder / "sample.parquet", SCHEMA)
    for number, batch in enumerate(family_tables(texts, seed, words)):
        part = np.random.default_rng([seed, 1 << 34, number]).integers(0, PARTS, len(batch))
        for one, writer in enumerate(writers):
            writer.write_table(batch.filter(pa.array(part == one)))
        if number % SAMPLED == 0:
            sample.write_table(batch.filter(pc.greater_equal(batch["family"], 0)))
    for writer in [*writers, sample]:
        writer.close()
    with pq.ParquetWriter(folder / "part-000.parquet", SCHEMA) as whole:
        for path in paths:
            whole.write_table(pq.read_table(path), row_group_size=CHUNK)
            path.unlink()


def make(kind: str, texts: int, folder: Path, seed: int = 1) -> Path:
    """The folder of a corpus, made unless it is there; ids are the numbers of rows, but for a stream."""
    home = folder / f"{kind}-{texts}-{seed}"
    done = home / "done"
    if done.exists():
        return home
    home.mkdir(parents=True, exist_ok=True)
    words = lexicon()
    if kind == "stream":
        _write_stream(home, texts, seed, words)
    else:
        if kind == "families":
            tables = pa.concat_tables(list(family_tables(texts, seed, words)))
            # Families across all of the rows, not only inside a chunk.
            tables = tables.take(pa.array(np.random.default_rng([seed, 1 << 35]).permutation(texts)))
            tables = tables.set_column(0, "id", pa.array(np.arange(texts)))
        else:
            tables = table(0, 0, campaign_chunk(texts, seed, words, kind == "apart"), words)
        pq.write_table(tables, home / "part-000.parquet", row_group_size=100_000)
    done.touch()
    return home


def main() -> None:
    """Makes what was asked for and says what it is like."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=["families", "campaigns", "apart", "stream"])
    parser.add_argument("--texts", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    home = make(args.kind, args.texts, args.folder, args.seed)
    rows = bytes_ = inside = 0
    for batch in pq.ParquetFile(home / "part-000.parquet").iter_batches(columns=["text", "family"]):
        rows += len(batch)
        bytes_ += pc.sum(pc.binary_length(batch["text"])).as_py()
        inside += pc.sum(pc.greater_equal(batch["family"], 0)).as_py()
    print(f"{home}: {rows} texts, {bytes_ / rows:.0f} bytes a text, {inside / rows:.1%} in families")


if __name__ == "__main__":
    main()
