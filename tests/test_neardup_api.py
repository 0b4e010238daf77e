"""Near-duplicates as Python sees them: whatever goes in, what comes out, and that both hold together."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections.abc import Sequence

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import klero
import neardup_oracle as oracle
from klero.voices.contributions import Contributions
from klero.voices.digest import head
from klero.voices.ids import IdColumn, IdView, read_ids
from klero.voices.near_duplicates import NearDuplicates
from klero.voices.sets import least_shared, text_sets
from klero.voices.settings import Settings
from klero.voices.texts import TextColumn, read_texts

LETTER = "Nous demandons une ligne de tramway vers le nord de la ville, avec un arrêt devant le lycée et un autre à la gare."
TEXTS: list[str | None] = [
    LETTER,
    LETTER.upper(),
    LETTER + " Merci.",
    "Je suis contre.",
    "",
    None,
    "🚋🚋 !!",
    "Je suis contre !",
    "Plus de bancs dans les parcs, à l’ombre.",
    LETTER.replace("une ligne de tramway", "deux lignes de bus"),
]
WORDS = ["tram", "bus", "gare", "parc", "banc", "ombre", "nord", "sud", "lycée", "oui", "non", "merci"]


def found(texts: Sequence[str | None] = TEXTS, **options: object) -> NearDuplicates:
    return klero.near_duplicates(texts, **{"threads": 1, **options})  # type: ignore[arg-type]


def same_as_oracle(result: NearDuplicates, expected: oracle.Result) -> None:
    assert tuple(result.ids) == expected.ids
    assert tuple(result.group.tolist()) == expected.group
    assert result.similarity.tolist() == pytest.approx(list(expected.similarity), abs=0, rel=0, nan_ok=True)
    assert (len(result.groups), result.counts.groups) == (len(expected.groups),) * 2
    for group, other in zip(result.groups, expected.groups, strict=True):
        assert group.members == other.members
        assert [
            getattr(group, name) for name in ("id", "representative", "size", "distinct", "weakest_edge")
        ] == [getattr(other, name) for name in ("id", "representative", "size", "distinct", "weakest_edge")]
    for name in ("texts", "grouped", "alone", "empty", "groups", "distinct"):
        assert getattr(result.counts, name) == getattr(expected.counts, name), name


small_text = st.lists(st.sampled_from(WORDS), max_size=9).map(" ".join)
corpora = st.lists(st.one_of(small_text, st.none()), max_size=14)
rules = st.fixed_dictionaries(
    {
        "threshold": st.sampled_from([0.3, 0.5, 2 / 3, 0.8, 1.0]),
        "measure": st.sampled_from(["jaccard", "containment"]),
        "shingle": st.integers(1, 3),
        "min_shared": st.sampled_from([None, 1, 2]),
    }
)


@settings(max_examples=150, deadline=None)
@given(corpora, rules, st.randoms(use_true_random=False))
def test_the_result_is_that_of_brute_force(
    texts: list[str | None], rule: dict[str, object], chance: random.Random
) -> None:
    ids = chance.sample(range(-50, 50), len(texts))
    names: list[object] = [*ids] if chance.random() < 0.5 else [f"n{i}" for i in ids]
    result = found(texts, ids=names, **rule)
    same_as_oracle(result, oracle.near_duplicates(texts, ids=names, **rule))  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(corpora, rules)
def test_pairs_are_all_that_match(texts: list[str | None], rule: dict[str, object]) -> None:
    expected = oracle.near_duplicates(texts, **rule)  # type: ignore[arg-type]
    listed = list(found(texts, **rule).pairs())
    assert sorted(listed) == [(pair.a, pair.b, pair.similarity) for pair in expected.pairs]


@settings(max_examples=60, deadline=None)
@given(corpora, rules, st.randoms(use_true_random=False), st.booleans())
def test_the_order_of_rows_changes_nothing(
    texts: list[str | None], rule: dict[str, object], chance: random.Random, whole: bool
) -> None:
    ids = [i if whole else f"c{i}" for i in range(len(texts))]
    order = chance.sample(range(len(texts)), len(texts))
    one = found(texts, ids=ids, **rule)
    other = found([texts[i] for i in order], ids=[ids[i] for i in order], threads=2, **rule)
    assert one.to_json() == other.to_json()
    assert one.to_arrow() == other.to_arrow().take(np.argsort(order))
    assert one.pairs().to_arrow() == other.pairs().to_arrow()


# What may be given


def given_texts(texts: list[str | None]) -> dict[str, object]:
    plain = pa.array(texts, pa.string())
    return {
        "tuple": tuple(texts),
        "string": plain,
        "large_string": plain.cast(pa.large_string()),
        "string_view": plain.cast(pa.string_view()),
        "dictionary": plain.dictionary_encode(),
        "chunks": pa.chunked_array([plain[:3], plain[3:3], plain[3:]]),
        "slice": pa.array(["x", *texts, "y"])[1 : 1 + len(texts)],
        "table": pa.table({"text": plain}),
        "batch": pa.record_batch({"text": plain}),
        "numpy objects": np.array(texts, object),
        "pandas": pd.Series(texts),
        "pandas objects": pd.Series([None if t is None else t for t in texts], dtype=object),
        "pandas missing": pd.Series([math.nan if t is None else t for t in texts], dtype=object),
        "pandas NA": pd.Series([pd.NA if t is None else t for t in texts], dtype=object),
        "pandas categories": pd.Series(texts, dtype="category"),
        "pandas table": pd.DataFrame({"text": texts}),
        "polars": pl.Series("text", texts),
        "polars categories": pl.Series("text", texts, dtype=pl.Categorical),
        "polars table": pl.DataFrame({"text": texts}),
    }


@pytest.mark.parametrize("kind", list(given_texts(TEXTS)))
def test_whatever_holds_the_texts_the_result_is_the_same(kind: str) -> None:
    assert found(given_texts(TEXTS)[kind]).to_json() == found().to_json()  # type: ignore[arg-type]


def test_a_relation_of_duckdb_and_numpys_own_strings_are_read() -> None:
    table = pa.table({"text": TEXTS, "n": range(len(TEXTS))})
    relation = duckdb.sql("select text from given order by n", connection=_connection(table))
    assert found(relation).to_json() == found().to_json()  # type: ignore[arg-type]
    texts = ["a b c", "a b c", "d"]
    assert found(np.array(texts)).to_json() == found(texts).to_json()  # type: ignore[arg-type]
    assert found(pd.Index(texts)).to_json() == found(texts).to_json()  # type: ignore[arg-type]
    assert found(np.array(texts, np.dtypes.StringDType())).to_json() == found(texts).to_json()  # type: ignore[arg-type]


def _connection(table: pa.Table) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.register("given", table)
    return connection


def test_contributions_bring_their_ids() -> None:
    rows = [{"id": name, "text": text} for name, text in (("b", "<p>x y z</p>"), ("a", "x y z"), ("c", "q"))]
    contributions = Contributions.read(rows)
    result = found(contributions)  # type: ignore[arg-type]
    assert result.groups[0].members == ["a", "b"]
    with pytest.raises(klero.InputError, match="options-conflict"):
        found(contributions, ids=[1, 2, 3])  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_arrows_text_is_not_copied(kind: pa.DataType) -> None:
    for values in ([LETTER, "x"], [LETTER, None]):
        given_array = pa.array(values, kind)
        column = read_texts(given_array, "texts", [])
        assert column is not None
        assert column.chunks[0].buffers()[2].address == given_array.buffers()[2].address
        assert list(column) == [LETTER, values[1] or ""]


def test_bytes_behind_a_null_are_no_text() -> None:
    behind = pa.array(["a b c", "a b c", "d"])
    hidden = pa.Array.from_buffers(pa.string(), 3, [pa.py_buffer(b"\x05"), *behind.buffers()[1:]])
    assert hidden.to_pylist() == ["a b c", None, "d"]
    result = found(hidden)  # type: ignore[arg-type]
    assert result.group.tolist() == [-1, -2, -1]


@pytest.mark.parametrize(
    "texts",
    [[], pa.array([], pa.string()), pa.chunked_array([], pa.string()), pl.Series([], dtype=pl.String)],
)
def test_no_texts_are_a_result_without_groups(texts: object) -> None:
    result = found(texts)  # type: ignore[arg-type]
    assert result.counts == klero.voices.groups.Counts(0, 0, 0, 0, 0, 0)
    assert (list(result.ids), list(result.groups), result.to_arrow().num_rows) == ([], [], 0)
    assert result.to_arrow().schema.names == ["id", "group", "size", "similarity", "representative"]
    assert list(result.pairs()) == []


@pytest.mark.parametrize("texts", [[None, None], pa.nulls(2), pl.Series([None, None]), ["", " \n"]])
def test_an_empty_column_is_all_empty(texts: object) -> None:
    result = found(texts)  # type: ignore[arg-type]
    assert (result.counts.texts, result.counts.empty, result.counts.groups) == (2, 2, 0)


# Ids


@pytest.mark.parametrize(
    ("ids", "ascending"),
    [
        ([10, 9, 8], [8, 9, 10]),
        (["10", "9", "8"], ["8", "9", "10"]),
        (["10", "9", "08"], ["08", "10", "9"]),
        (["-3", "2", "-10"], ["-10", "-3", "2"]),
        (["2", "-0", "1"], ["-0", "1", "2"]),
        (["b", "a", "C"], ["C", "a", "b"]),
        (["é", "z", "\U0001f600"], ["z", "é", "\U0001f600"]),
        (["\uffee", "\U0001f600", "a"], ["a", "\uffee", "\U0001f600"]),
        ([str(10**30), 9, str(-(10**25))], [str(-(10**25)), "9", str(10**30)]),
        ([2**63 - 1, -(2**63), 5], [-(2**63), 5, 2**63 - 1]),
        ([3.0, 1, 2], [1, 2, 3]),
        (np.array([3.0, 1.0, 2.0]), [1, 2, 3]),
        (pd.Series([3, 1, None, 2]).dropna(), [1, 2, 3]),
        (pa.array([3.0, 1.0, 2.0]), [1, 2, 3]),
        (
            ["9" * 5000, "-" + "9" * 4999, "-" + "1" + "0" * 4999],
            ["-1" + "0" * 4999, "-" + "9" * 4999, "9" * 5000],
        ),
        ([1, "a", 2], ["1", "2", "a"]),
        (np.array([3, 1, 2], np.uint64), [1, 2, 3]),
        (np.array(["x", "b", "c"]), ["b", "c", "x"]),
        (pa.array(["x", "b", "c"]).dictionary_encode(), ["b", "c", "x"]),
        (pl.Series(["x", "b", "c"], dtype=pl.Categorical), ["b", "c", "x"]),
        (
            pa.chunked_array([pa.array(["x"]).dictionary_encode(), pa.array(["b", "c"]).dictionary_encode()]),
            ["b", "c", "x"],
        ),
        (pa.array([3, 1, 2]).dictionary_encode(), [1, 2, 3]),
        (pa.chunked_array([[3], [1, 2]]), [1, 2, 3]),
        (pd.Series([3, 1, 2]), [1, 2, 3]),
        (pd.Series(["x", 1, 2], dtype=object), ["1", "2", "x"]),
        (pl.Series(["x", "b", "c"]), ["b", "c", "x"]),
        (range(3), [0, 1, 2]),
        ([np.int64(3), np.int64(1), 2], [1, 2, 3]),
    ],
)
def test_ids_that_are_all_whole_numbers_compare_as_numbers_else_by_code_points(
    ids: object, ascending: list[object]
) -> None:
    result = found(["a b c"] * 3, ids=ids)
    assert result.groups[0].members == ascending
    assert result.groups[0].id == ascending[0]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(-200, 200).map(str), st.text(min_size=1, max_size=3)), unique=True))
def test_ranks_are_those_of_a_plain_sort(names: list[str]) -> None:
    names = [name for name in names if not any("\ud800" <= c <= "\udfff" for c in name)]
    column = read_ids(names, len(names), "ids", [])
    assert column is not None
    order = range(len(names)) if column.order() is None else column.order()
    assert [names[row] for row in order] == sorted(names, key=oracle.id_key(names))


def test_an_id_may_be_spelled_as_text_or_as_a_number() -> None:
    numbers, texts = found(["a", "b"], ids=[17, 4]), found(["a", "b"], ids=["17", "x"])
    assert numbers.row_of("17") == numbers.row_of(17) == texts.row_of(17) == 0
    for result, name in (
        (numbers, "017"),
        (numbers, 5),
        (texts, "y"),
        (found(["a"]), 1),
        (found(["a"]), True),
        (texts, "\ud800"),
    ):
        with pytest.raises(klero.InputError, match="id-unknown"):
            result.row_of(name)


# What comes out


def test_every_text_is_grouped_alone_or_empty() -> None:
    counts = found().counts
    assert counts.grouped + counts.alone + counts.empty == counts.texts == len(TEXTS)
    assert (counts.grouped, counts.alone, counts.empty, counts.groups) == (5, 2, 3, 2)


def test_the_table_has_a_row_a_text() -> None:
    result = found(ids=[f"c{i}" for i in range(10)])
    rows = result.to_arrow().to_pylist()
    # 22 runs of three words, and one more.
    assert rows[2] == {"id": "c2", "group": "c0", "size": 3, "similarity": 22 / 23, "representative": "c0"}
    assert rows[4] == {"id": "c4", "group": None, "size": 0, "similarity": None, "representative": None}
    assert rows[8] == {"id": "c8", "group": None, "size": 1, "similarity": None, "representative": None}
    assert pl.from_arrow(result.to_arrow()).equals(pl.DataFrame(result))
    assert [row["size"] for row in result.groups_to_arrow().to_pylist()] == [3, 2]


def test_a_group_is_found_by_a_member_or_its_name() -> None:
    result = found()
    group = result.group_of(2)
    assert group is not None
    assert (group.id, group.size, group.members) == (0, 3, (0, 1, 2))
    assert result.members(group) == result.members(0) == [0, 1, 2]
    assert (result.group_of(4), result.group_of(8)) == (None, None)
    assert result.groups.index(group) == 0
    for name in (1, 4, 99):
        with pytest.raises(klero.InputError, match="id-unknown"):
            result.members(name)


def test_groups_are_a_sequence() -> None:
    groups = found().groups
    assert [group.id for group in groups] == [0, 3]
    assert groups[-1].id == 3
    assert [group.id for group in groups[:1]] == [0]
    with pytest.raises(IndexError):
        groups[2]
    assert "2 groups of 5 texts" in repr(groups)


def test_a_result_can_not_be_changed() -> None:
    result = found()
    with pytest.raises(ValueError, match="read-only"):
        result.group[0] = 7
    with pytest.raises(ValueError, match="read-only"):
        result.similarity[0] = 0
    with pytest.raises(AttributeError):
        result.digest = "x"  # type: ignore[misc]


def test_the_record_is_json_with_a_version_and_all_that_decided() -> None:
    record = json.loads(found(measure="containment", shingle=2).to_json())
    assert record["schema"] == "klero-near-duplicates/1"
    assert record["algorithm"] == "klero-neardup/1"
    assert record["settings"] == {
        "threshold": 0.8,
        "measure": "containment",
        "mode": "exact",
        "recall": None,
        "shingle": 2,
        "fold_accents": False,
        "min_shared": 5,
    }
    assert record["counts"]["texts"] == len(TEXTS)
    assert record["groups"][0]["members"][0] == record["groups"][0]["id"]
    assert len(record["groups"][0]["similarity"]) == record["groups"][0]["size"]


def test_the_digest_is_that_of_its_definition() -> None:
    import hashlib

    texts, ids = ["a b", "A, b!", "", "c"], ["x", "10", "9", "z"]
    result = found(texts, ids=ids)
    sequences = text_sets(result.texts, result.settings).sequences
    entries = sorted(
        hashlib.sha256(name.encode() + bytes(s)).digest() for name, s in zip(ids, sequences, strict=True)
    )
    expected = hashlib.sha256(head(result.settings) + (4).to_bytes(8, "little") + b"".join(entries))
    assert head(result.settings) == b"klero-texts/1 klero-text/1 klero-shingle/1 fold_accents=0\n"
    assert result.digest == expected.hexdigest()


def test_the_digest_depends_on_ids_and_words_alone() -> None:
    one = found(["a b", "c"], ids=["x", "y"])
    assert one.digest == found(["C!", "A   b."], ids=["y", "x"], threshold=0.5, shingle=1).digest
    others = [
        found(["a b", "c"], ids=["x", "z"]),
        found(["b a", "c"], ids=["x", "y"]),
        found(["a b"], ids=["x"]),
        found(["a b", "c"], ids=["x", "y"], fold_accents=True),
    ]
    assert len({one.digest, *(other.digest for other in others)}) == 5
    assert found(["a", "b"]).digest == found(["a", "b"], ids=["0", "1"]).digest


def test_what_was_folded_is_counted() -> None:
    result = found(["a\u200bb c", "раrc", "plain"])
    assert (result.invisibles, result.lookalikes) == (1, 1)


def test_sets_of_shingles_are_those_of_single_texts() -> None:
    rule = Settings(0.8, "jaccard", "exact", None, 2, False, 1)
    column = read_texts(pa.chunked_array([["a b c", ""], ["c d"]]), "texts", [])
    assert column is not None
    sets = text_sets(column, rule)
    assert sets.sizes.tolist() == [2, 0, 1]
    assert [sets[i].tolist() for i in range(3)] == [
        klero._native.text_shingles(text, 2, False) for text in column
    ]


@given(st.integers(1, 300), st.floats(0.3, 1))
def test_the_least_shared_is_the_first_that_reaches_the_threshold(size: int, threshold: float) -> None:
    rule = Settings(threshold, "jaccard", "exact", None, 3, False, 1)
    assert least_shared(size, rule) == next(s for s in range(1, size + 1) if s / size >= threshold)


def test_texts_are_taken_by_row_from_any_chunk() -> None:
    column = TextColumn((pa.array(["a", "b"]), pa.array(["c"], pa.large_string())))
    assert (len(column), column[0], column[2]) == (3, "a", "c")
    assert list(column.take([2, 0, 2])) == ["c", "a", "c"]
    assert list(column.take([])) == []


def test_views_of_ids_compare_with_lists() -> None:
    view = IdView(IdColumn(9), np.array([1, 5, 7], np.uint32))
    assert view == [1, 5, 7]
    assert view != [1, 5]
    assert view != "157"
    assert (view[-1], view[:2], list(view), repr(view)) == (7, [1, 5], [1, 5, 7], "[1, 5, 7]")
    assert repr(IdView(IdColumn(9))) == "[0, 1, 2, 3, 4, … 4 more]"
    assert view.to_arrow().to_pylist() == [1, 5, 7]


# Pairs


def test_pairs_above_the_limit_are_refused_with_their_number() -> None:
    result = found(["a b c"] * 40)
    with pytest.raises(klero.InputError, match="780 pairs") as caught:
        result.pairs(limit=779)
    assert caught.value.faults[0].code == "pairs-limit"
    assert len(list(result.pairs(limit=780))) == len(list(result.pairs(limit=None))) == 780
    for limit in (-1, 1.5, True, "9"):
        with pytest.raises(klero.InputError, match="option-range"):
            result.pairs(limit=limit)  # type: ignore[arg-type]


def test_pairs_come_in_batches_and_may_be_read_again() -> None:
    pairs = found(["a b c"] * 600).pairs()
    sizes = [batch.num_rows for batch in pairs.batches()]
    assert (len(sizes) > 1, sum(sizes)) == (True, 600 * 599 // 2)
    assert pairs.to_arrow() == pa.table(pairs)
    assert (next(iter(pairs)), repr(pairs)) == (
        (0, 1, 1.0),
        "<Pairs: those that match of 179,700 in 1 groups>",
    )


# Words


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_explanations_say_why_how_near_and_what_was_not_done(lang: str) -> None:
    result = found(ids=[f"c{i}" for i in range(10)])
    grouped, alone, empty = (result.explain(name, lang) for name in ("c2", "c8", "c4"))
    assert "c0" in grouped
    assert ("no accusation" if lang == "en" else "non une accusation") in grouped
    assert ("stands alone" if lang == "en" else "est seule") in alone
    assert ("no words" if lang == "en" else "aucun mot") in empty
    for text in (grouped, alone, empty):
        assert ("Nothing was deleted" if lang == "en" else "Rien n’a été supprimé") in text
        assert "{" not in text


def test_explanations_differ_for_the_representative_a_chain_and_containment() -> None:
    words = [f"w{i}" for i in range(40)]
    chain = [" ".join(words[i : i + 20]) for i in range(0, 12, 2)]
    result = found(chain, threshold=0.7)
    assert result.counts.grouped == len(chain)
    assert "It stands for its group" in result.explain(result.groups[0].representative)
    far = int(np.nanargmin(result.similarity))
    assert result.similarity[far] < 0.7
    assert "through others in between" in result.explain(far)
    assert "of the shorter one" not in result.explain(far)
    inside = found([chain[0], "x y z " + chain[0] + " and more of one's own"], measure="containment")
    assert "words in the shorter one, 100 % are in the other too" in inside.explain(1)
    assert "all in the same words" in found(["a", "A"]).explain(1)


def test_an_explanation_needs_a_known_id_and_language() -> None:
    for call in (lambda: found().explain(99), lambda: found().explain(0, "de")):
        with pytest.raises(klero.InputError):
            call()


def test_a_notebook_shows_groups_and_escapes_what_people_wrote() -> None:
    html = found(["<script>alert(1)</script> & more"] * 2 + [f"t{i // 2}" for i in range(30)])._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in html
    assert "6 more groups" in html
    assert (
        repr(found())
        == "<NearDuplicates: 10 texts = 5 in 2 groups + 2 alone + 3 empty; jaccard ≥ 0.8, exact>"
    )


# Means


def test_progress_is_told_and_its_errors_come_through() -> None:
    rng = random.Random(1)
    texts = [" ".join(rng.choices(WORDS, k=60)) for _ in range(3000)]

    def stop(step: str, done: int) -> None:
        raise KeyError(type(step), type(done))

    # It is told ten times a second, so the work must take longer than that.
    with pytest.raises(KeyError) as caught:
        found(texts * 60, progress=stop)
    assert caught.value.args == (str, int)


@pytest.mark.parametrize("memory", [None, 10**9, "64MB", "1.5 GiB", "2gb"])
def test_memory_may_be_a_number_or_a_text(memory: object) -> None:
    assert found(memory=memory).to_json() == found().to_json()


def test_importing_klero_does_not_import_the_voices() -> None:
    code = "import klero, sys; print([m for m in sys.modules if m.startswith(('klero.voices', 'pyarrow', 'numpy'))])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "[]\n"
    )


def test_sketches_find_what_is_far_above_the_threshold_and_nothing_below_it() -> None:
    rng = random.Random(3)
    texts = [" ".join(f"w{rng.randrange(5000)}" for _ in range(60)) for _ in range(150)]
    texts += [text + " merci" for text in texts[:50]]
    sketched, exact = found(texts, mode="sketch", recall=0.99), found(texts)
    assert (sketched.settings.mode, sketched.settings.recall) == ("sketch", 0.99)
    assert (exact.settings.mode, exact.settings.recall) == ("exact", None)
    # 58 of 59 shingles are shared: bands for 0.99 at 0.8 miss one of these with a probability below 10⁻⁹.
    assert sketched.groups_to_arrow() == exact.groups_to_arrow()
    assert sketched.digest == exact.digest
    assert "sketches" in sketched.explain(120)


# Evidence


def test_evidence_of_two_texts_and_the_letter_of_a_group_come_from_their_ids() -> None:
    result = found(ids=[f"c{i}" for i in range(10)])
    shown = result.evidence("c0", "c9")
    assert (shown.text_a, shown.text_b, shown.shingle) == (TEXTS[0], TEXTS[9], 3)
    template = result.template("c0")
    assert (template.ids, template.representative) == (("c0", "c1", "c2"), "c0")
    assert template.text_of("c2") == TEXTS[2]
    assert result.template(result.groups[0]).letter_shingles == template.letter_shingles
    for call in (lambda: result.evidence("c0", "no"), lambda: result.template("c1")):
        with pytest.raises(klero.InputError, match="id-unknown"):
            call()


def test_evidence_with_an_empty_text_shows_that_nothing_is_shared() -> None:
    assert found().evidence(0, 5).shared == 0


def test_versions_are_those_of_the_kernels() -> None:
    from klero import _native
    from klero.voices import evidence

    rules = found(["a"]).settings
    assert (rules.algorithm, rules.normaliser, rules.shingles) == (
        _native.NEARDUP_ALGORITHM,
        _native.TEXT_NORMALISER,
        _native.TEXT_SHINGLES,
    )
    assert evidence.NORMALISER == _native.TEXT_NORMALISER


def test_what_a_consultation_needs_is_found_at_the_top() -> None:
    from klero.voices import contributions, streaming

    assert klero.Contributions is contributions.Contributions
    assert klero.open_contributions is contributions.open_contributions
    assert klero.near_duplicates_file is streaming.near_duplicates_file
    script = "import sys, klero; sys.exit('numpy' in sys.modules or 'pyarrow' in sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
