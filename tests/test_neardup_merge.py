"""Found in parts or at once: the same groups, the same bytes, however texts and keys are dealt out."""

from __future__ import annotations

import random
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import klero
from klero.errors import InputError
from klero.voices.near_duplicates import NearDuplicates
from klero.voices.parts import Forest, describe_groups, join_bucketed, shingle_entries
from klero.voices.settings import Settings

WORDS = ["tram", "bus", "gare", "parc", "banc", "ombre", "nord", "sud", "lycée", "oui", "non", "merci"]


def rule(threshold: float = 0.5, measure: str = "jaccard", shingle: int = 1, min_shared: int = 1) -> Settings:
    return Settings(threshold, measure, "exact", None, shingle, False, min_shared)


def whole(table: pa.Table, settings: Settings) -> NearDuplicates:
    return klero.near_duplicates(
        table["text"],
        ids=table["id"],
        threshold=settings.threshold,
        measure=settings.measure,
        shingle=settings.shingle,
        min_shared=settings.min_shared,
        threads=1,
    )


def dealt(table: pa.Table, parts: np.ndarray) -> list[pa.Table]:
    """The table in parts, in the order of their numbers; rows of one number stay together."""
    return [table.filter(pa.array(parts == part)) for part in np.unique(parts)]


def in_parts(table: pa.Table, rules: Settings, chance: random.Random) -> pa.Table:
    """The five steps of `parts.py`, with every choice left to chance."""

    def at_random(count: int, parts: int) -> np.ndarray:
        return np.array([chance.randrange(parts) for _ in range(count)], np.int64)

    table = table.take(pa.array(chance.sample(range(len(table)), len(table)), pa.int64()))
    batches = dealt(table, at_random(len(table), chance.randint(1, 5)))
    entries = pa.concat_tables([shingle_entries(batch, rules) for batch in batches])
    entries = entries.take(pa.array(chance.sample(range(len(entries)), len(entries)), pa.int64()))
    keys = entries["key"].to_numpy()
    part_of = {key: chance.randrange(4) for key in keys.tolist()}
    buckets = dealt(entries, np.array([part_of[key] for key in keys.tolist()], np.int64))
    forests = [Forest.of(batch["id"]) for batch in batches]
    forests += [Forest.of(links=join_bucketed(bucket, rules)) for bucket in buckets]
    forests += chance.choices(forests, k=2)  # the same part may be delivered twice
    while len(forests) > 1:
        one, other = chance.sample(range(len(forests)), 2)
        merged = forests[one].merge(forests[other])
        forests = [merged, *(f for i, f in enumerate(forests) if i not in (one, other))]
    forest = forests[0]
    grouped = forest.groups()
    assert grouped["id"].to_pylist() == sorted(grouped["id"].to_pylist(), key=int if forest.numbers else str)
    name = {row["id"]: row["group"] if row["group"] is not None else row["id"] for row in grouped.to_pylist()}
    home = {group: chance.randrange(3) for group in sorted(set(name.values()), key=str)}
    parts = np.array([home[name[i]] for i in table["id"].to_pylist()], np.int64)
    described = pa.concat_tables(
        [describe_groups(part, rules, numbers=forest.numbers) for part in dealt(table, parts)]
    )
    rows = {row["id"]: i for i, row in enumerate(described.to_pylist())}
    described = described.take(pa.array([rows[i] for i in grouped["id"].to_pylist()], pa.int64()))
    assert described["group"] == grouped["group"]
    return described.combine_chunks()


small_text = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
names = st.one_of(
    st.integers(-30, 120), st.integers(0, 120).map(str), st.sampled_from(["a", "B", "é", "x1", "010"])
)
rules_of = st.builds(
    rule,
    st.sampled_from([0.3, 0.5, 2 / 3, 0.8, 1.0]),
    st.sampled_from(["jaccard", "containment"]),
    st.integers(1, 3),
    st.sampled_from([1, 3, 5]),
)


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    texts = draw(st.lists(small_text, min_size=1, max_size=16))
    ids = draw(st.lists(names, min_size=len(texts), max_size=len(texts), unique_by=str))
    if not all(isinstance(i, int) for i in ids):
        ids = [str(i) for i in ids]
    return pa.table({"id": ids, "text": texts})


@settings(max_examples=200, deadline=None)
@given(tables(), rules_of, st.randoms(use_true_random=False))
def test_parts_give_the_same_bytes_as_the_whole(
    table: pa.Table, rules: Settings, chance: random.Random
) -> None:
    found = whole(table, rules)
    expected = found.to_arrow()
    order = found.groups.ids.order()
    expected = expected if order is None else expected.take(pa.array(order))
    got = in_parts(table, rules, chance).cast(expected.schema)
    assert bytes_of(got) == bytes_of(expected)


def bytes_of(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.combine_chunks().to_batches():
            # Through Python's values, since what lies behind a null is nobody's business.
            writer.write_batch(
                pa.record_batch([pa.array(c.to_pylist(), c.type) for c in batch.columns], schema=table.schema)
            )
    return sink.getvalue().to_pybytes()


# The merge by itself

some_ids = st.integers(0, 12)
forests = st.builds(Forest.of, st.lists(some_ids), st.lists(st.tuples(some_ids, some_ids)))


@given(forests, forests, forests)
def test_the_merge_is_associative_commutative_and_idempotent(a: Forest, b: Forest, c: Forest) -> None:
    assert a.merge(b) == b.merge(a)
    assert a.merge(b).merge(c) == a.merge(b.merge(c)) == a.merge(b, c)
    assert a.merge(a) == a
    assert a.merge(Forest.of()) == Forest.of().merge(a) == a


@given(st.lists(some_ids), st.lists(st.tuples(some_ids, some_ids)), st.randoms(use_true_random=False))
def test_links_one_by_one_in_any_order_make_the_forest_of_all(
    ids: list[int], links: list[tuple[int, int]], chance: random.Random
) -> None:
    parts = [Forest.of([name]) for name in ids] + [Forest.of(links=[link]) for link in links]
    chance.shuffle(parts)
    assert reduce(Forest.merge, parts, Forest.of()) == Forest.of(ids, links)


@given(st.lists(some_ids), st.lists(st.tuples(some_ids, some_ids)))
def test_groups_are_the_connected_components_named_by_their_smallest(
    ids: list[int], links: list[tuple[int, int]]
) -> None:
    known = {*ids, *(name for link in links for name in link)}
    reach = {name: {name} for name in known}
    for _ in known:
        for a, b in links:
            joined = reach[a] | reach[b]
            for name in joined:
                reach[name] = joined
    expected = [{"id": i, "group": min(reach[i]) if len(reach[i]) > 1 else None} for i in sorted(known)]
    assert Forest.of(ids, links).groups().to_pylist() == expected


def test_numbers_as_text_name_groups_as_numbers_only_if_all_ids_are_numbers() -> None:
    forest = Forest.of(["10", "9"], [("10", "9")])
    assert (forest.numbers, forest.groups()["group"].to_pylist()) == (True, ["9", "9"])
    forest = forest.merge(Forest.of(["x"]))
    assert (forest.numbers, forest.groups()["group"].to_pylist()) == (False, ["10", "10", None])


def test_ids_of_two_types_do_not_mix() -> None:
    for call in (
        lambda: Forest.of([1, "a"]),
        lambda: Forest.of([1]).merge(Forest.of(["1"])),
        lambda: Forest.of([1.5]),
    ):
        with pytest.raises(InputError, match="id-type"):
            call()


# The kernels by themselves


def test_entries_are_the_prefix_of_the_set() -> None:
    table = pa.table({"id": [1, 2, 3], "text": ["a b c d e f g h i j", "", "z"]})
    entries = shingle_entries(table, rule(0.8))
    assert entries["id"].to_pylist() == [1, 1, 1, 3]  # 10 - 8 + 1, none, and 1 - 1 + 1
    first = entries["shingles"][0].as_py()
    assert (len(first), sorted(set(first))) == (10, first)
    assert entries["key"].to_pylist()[:3] == first[:3]
    assert entries["asks"].to_pylist() == [True] * 4
    both = shingle_entries(table, rule(0.8, "containment"))
    assert (both["id"].to_pylist().count(1), pc.sum(both["asks"]).as_py()) == (10, 4)


@pytest.mark.parametrize("batch", [pa.table, pa.record_batch])
def test_a_batch_may_be_a_table_or_a_record_batch(batch: type) -> None:
    data = batch({"id": ["x", "y"], "text": ["a b", "b a"]})
    links = join_bucketed(shingle_entries(data, rule()).to_batches()[0], rule())
    assert [[*sorted((row["a"], row["b"])), row["similarity"]] for row in links.to_pylist()] == [
        ["x", "y", 1.0]
    ]
    assert describe_groups(data, rule(), numbers=False)["group"].to_pylist() == ["x", "x"]


def test_a_campaign_gives_a_link_a_letter_and_not_one_a_pair() -> None:
    table = pa.table({"id": range(300), "text": ["the same letter for all of us"] * 300})
    assert len(join_bucketed(shingle_entries(table, rule(0.8)), rule(0.8))) == 299


def test_a_batch_without_texts_or_matches_gives_empty_tables() -> None:
    empty = pa.table({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())})
    entries = shingle_entries(empty, rule())
    links = join_bucketed(entries, rule())
    assert (len(entries), len(links)) == (0, 0)
    assert links.schema == pa.schema(
        [("a", pa.large_string()), ("b", pa.large_string()), ("similarity", pa.float64())]
    )
    assert len(Forest.of(empty["id"], links).groups()) == 0


@pytest.mark.parametrize(
    ("batch", "codes"),
    [
        (pa.table({"x": [1]}), ["column-missing", "column-missing"]),
        (pa.table({"id": [1, 1], "text": [1, 2]}), ["text-type", "id-duplicate"]),
    ],
)
def test_a_batch_that_can_not_be_used_is_refused(batch: pa.Table, codes: list[str]) -> None:
    for call in (
        lambda: shingle_entries(batch, rule()),
        lambda: describe_groups(batch, rule(), numbers=True),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert [fault.code for fault in caught.value.faults] == codes
