"""Near-duplicates against brute force: thousands of random corpora, and nothing that must not matter matters."""

from __future__ import annotations

import csv
import os
import random
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import klero
from neardup_cases import THRESHOLDS, assert_same, corpus, partition
from neardup_oracle import near_duplicates as slowly
from neardup_oracle import plain_words

REPNUM = (
    Path(os.environ.get("KLERO_DATA", Path(__file__).parents[2] / "shared" / "data"))
    / "voices"
    / "repnum_2015"
)

# What Python's tables of Unicode know, which may be older than the kernel's; the category of one letter has changed.
KNOWN = st.characters(exclude_categories=("Cs", "Cn"), exclude_characters="\U0001171e")


def random_options(rng: random.Random) -> dict[str, object]:
    return {
        "threshold": rng.choice(THRESHOLDS) if rng.random() < 0.8 else rng.uniform(0.3, 1),
        "measure": rng.choice(("jaccard", "jaccard", "containment")),
        "shingle": rng.randint(1, 4),
        "min_shared": rng.choice((None, None, 1, 2, 3)),
    }


@pytest.mark.parametrize("block", range(20))
def test_random_corpora_of_few_words_are_grouped_as_brute_force_groups_them(block: int) -> None:
    rng = random.Random(f"few words {block}")
    for _ in range(120):
        texts = corpus(rng, texts=25, words=rng.randint(1, 14), vocabulary=rng.randint(1, 9))
        options = random_options(rng)
        found = klero.near_duplicates(texts, threads=rng.randint(1, 3), mode="exact", **options)
        assert_same(found, slowly(texts, words=plain_words, **options))


@pytest.mark.parametrize("block", range(5))
def test_random_corpora_of_longer_texts_are_grouped_as_brute_force_groups_them(block: int) -> None:
    rng = random.Random(f"longer {block}")
    for _ in range(10):
        texts = corpus(rng, texts=120, words=60, vocabulary=rng.choice((5, 60, 600)))
        options = random_options(rng)
        found = klero.near_duplicates(texts, mode="exact", **options)
        assert_same(found, slowly(texts, words=plain_words, **options))


@settings(max_examples=300, deadline=None)
@given(
    texts=st.lists(st.none() | st.text("aàb cœ.’'1\u00ad\u200b", max_size=24), max_size=12),
    threshold=st.sampled_from(THRESHOLDS) | st.floats(0.3, 1),
    measure=st.sampled_from(("jaccard", "containment")),
    shingle=st.integers(1, 4),
    min_shared=st.none() | st.integers(1, 4),
    fold_accents=st.booleans(),
)
def test_any_few_texts_are_grouped_as_brute_force_groups_them(
    texts: list[str | None], **options: object
) -> None:
    assert_same(klero.near_duplicates(texts, mode="exact", **options), slowly(texts, **options))


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.text(KNOWN, max_size=12), min_size=1, max_size=8), shingle=st.integers(1, 4))
def test_any_text_at_all_is_grouped_as_brute_force_groups_it(texts: list[str], shingle: int) -> None:
    assert_same(
        klero.near_duplicates(texts, threshold=0.5, shingle=shingle),
        slowly(texts, threshold=0.5, shingle=shingle),
    )


@settings(max_examples=100, deadline=None)
@given(
    text=st.text(KNOWN, max_size=40),
    others=st.lists(st.text(KNOWN, max_size=40), max_size=5),
    measure=st.sampled_from(("jaccard", "containment")),
)
def test_a_copy_is_always_in_the_group_of_the_original(text: str, others: list[str], measure: str) -> None:
    found = klero.near_duplicates([text, *others, text], measure=measure)
    assert found.group[0] == found.group[-1] != -1


@pytest.mark.parametrize(
    ("shared", "own", "threshold"),
    [(4, 1, 0.8), (2, 1, 2 / 3), (1, 2, 1 / 3), (9, 1, 0.9), (6, 1, 6 / 7), (3, 4, 3 / 7)],
)
def test_a_similarity_of_just_the_threshold_matches_and_one_step_more_does_not(
    shared: int, own: int, threshold: float
) -> None:
    common = [f"c{i}" for i in range(shared)]
    texts = [" ".join(common), " ".join(common + [f"x{i}" for i in range(own)])]
    assert partition(klero.near_duplicates(texts, shingle=1, threshold=threshold)) == {frozenset({0, 1})}
    above = float(np.nextafter(threshold, 2))
    assert partition(klero.near_duplicates(texts, shingle=1, threshold=above)) == frozenset()


def many(seed: str, texts: int = 4000) -> list[str | None]:
    """Enough texts for several blocks and threads, in families."""
    rng = random.Random(seed)
    out: list[str | None] = []
    while len(out) < texts:
        out += corpus(rng, texts=40, words=30, vocabulary=400)
    return out[:texts]


def test_thousands_of_texts_are_grouped_as_brute_force_groups_them() -> None:
    texts = many("thousands")
    assert_same(klero.near_duplicates(texts, mode="exact"), slowly(texts, words=plain_words))


@pytest.mark.parametrize("options", [{}, {"threshold": 0.4}, {"measure": "containment"}])
def test_threads_change_nothing(options: dict[str, object]) -> None:
    texts = many("threads")
    told = {klero.near_duplicates(texts, threads=threads, **options).to_json() for threads in (1, 2, 3, 8)}
    assert len(told) == 1


@pytest.mark.parametrize("kind", ["numbers", "names"])
@pytest.mark.parametrize("options", [{}, {"threshold": 0.4}, {"measure": "containment"}])
def test_the_order_of_rows_changes_nothing(options: dict[str, object], kind: str) -> None:
    rng = random.Random("order")
    texts = many("order", 1500)
    ids: list[int | str] = [f"n{i:x}" if kind == "names" else i for i in rng.sample(range(10**6), len(texts))]
    told = klero.near_duplicates(texts, ids=ids, **options).to_json()
    for _ in range(3):
        rows = rng.sample(range(len(texts)), len(texts))
        shuffled = klero.near_duplicates(
            [texts[row] for row in rows], ids=[ids[row] for row in rows], **options
        )
        assert shuffled.to_json() == told


def test_how_a_column_is_cut_into_chunks_changes_nothing() -> None:
    rng = random.Random("chunks")
    texts = many("chunks", 1500)
    told = klero.near_duplicates(texts).to_json()
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        # Padded, then sliced: chunks that don't begin at the beginning of their buffers.
        whole = pa.array(["before", *texts, "after"], kind).slice(1, len(texts))
        cuts = [0, *sorted(rng.choices(range(len(texts) + 1), k=7)), len(texts)]
        chunks = pa.chunked_array([whole.slice(a, b - a) for a, b in pairwise(cuts)], kind)
        assert klero.near_duplicates(chunks).to_json() == told
        assert klero.near_duplicates(whole).to_json() == told


def test_a_column_may_come_from_any_program() -> None:
    texts = many("programs", 300)
    told = klero.near_duplicates(texts).to_json()
    columns = [
        np.array(texts, object),
        pd.Series(texts, dtype=object),
        pd.Series(texts, dtype="string[pyarrow]"),
        pl.Series("text", texts),
        pl.DataFrame({"text": texts}),
        pa.array(texts).dictionary_encode(),
        pa.table({"text": texts})["text"],
        tuple(texts),
    ]
    for column in columns:
        assert klero.near_duplicates(column).to_json() == told


@pytest.mark.parametrize(
    "ids", [["10", "9", "-3"], ["010", "9", "-3"], [10, 9, -3], ["é", "e", "z"], ["B", "a", "b"]]
)
def test_groups_are_named_by_the_smallest_id_in_the_order_of_ids(ids: list[int] | list[str]) -> None:
    texts = ["même texte ici"] * 3
    assert_same(klero.near_duplicates(texts, ids=ids), slowly(texts, ids=ids))


def test_a_campaign_is_one_group_though_its_pairs_are_never_listed() -> None:
    rng = random.Random("campaign")
    letter = [f"lettre{i}" for i in range(90)]
    sent = [" ".join([*letter[:40], f"nom{i}", *letter[40:], f"signature{i}"]) for i in range(10_000)]
    noise = [" ".join(f"w{rng.randrange(5000)}" for _ in range(40)) for _ in range(10_000)]
    found = klero.near_duplicates([text for both in zip(noise, sent, strict=True) for text in both])
    assert found.counts.groups == 1
    assert found.groups[0].size == found.groups[0].distinct == 10_000
    assert list(found.groups[0].members) == list(range(1, 20_000, 2))


def test_an_empty_column_has_no_groups() -> None:
    for nothing in ([], pa.array([], pa.string()), pa.chunked_array([], pa.string()), pa.nulls(3)):
        found = klero.near_duplicates(nothing)
        assert (found.counts.groups, found.counts.grouped, found.counts.alone) == (0, 0, 0)
        assert found.counts.texts == found.counts.empty == len(nothing)


def bodies(*names: str) -> list[str]:
    """All bodies of these tables, without tags."""
    found = []
    for name in names:
        with (REPNUM / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            found += [re.sub(r"<[^>]+>", " ", row["body"]) for row in csv.DictReader(file)]
    return found


needs_repnum = pytest.mark.skipif(
    not REPNUM.is_dir(), reason=f"the consultation of 2015 is not at {REPNUM} (set KLERO_DATA)"
)


@needs_repnum
@pytest.mark.parametrize(
    ("names", "texts", "pairs", "partners"),
    [(("opinions", "arguments"), 4690, 171, 203), (("opinions", "arguments", "sources"), 5016, 178, 214)],
)
def test_the_republique_numerique_has_the_pairs_that_were_counted(
    names: tuple[str, ...], texts: int, pairs: int, partners: int
) -> None:
    found = klero.near_duplicates(bodies(*names), threshold=0.8)
    assert (found.counts.texts, len(list(found.pairs())), found.counts.grouped) == (texts, pairs, partners)


@needs_repnum
def test_the_republique_numerique_is_grouped_as_brute_force_groups_it() -> None:
    read = bodies("opinions", "arguments", "sources")
    assert_same(klero.near_duplicates(read, threshold=0.4), slowly(read, threshold=0.4, words=plain_words))
