"""An index gives the groups that brute force finds among the texts that are left, whatever happened before."""

from __future__ import annotations

import random
import signal
import threading
import time
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import klero
import neardup_oracle as oracle
from klero.voices.index import GroupChange, IndexMatch, NearDuplicateIndex

WORDS = ["le", "tram", "du", "nord", "passe", "ici", "la", "nuit", "et", "au", "parc", "vert"]
TEXTS = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join),
    # Slices of one sentence, with something of one's own: near-duplicates of every degree, by both measures.
    st.tuples(st.integers(0, 4), st.integers(0, 24), st.sampled_from(["", " oui", " non merci", " !"])).map(
        lambda t: " ".join((WORDS * 2)[t[0] : t[0] + t[1]]) + t[2]
    ),
)
IDS = st.one_of(st.integers(-3, 25), st.sampled_from(["a", "é", "07", "Z"]))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.dictionaries(IDS, st.none() | TEXTS, max_size=7)),
        st.tuples(st.just("remove"), st.sets(IDS, max_size=5)),
        st.tuples(st.just("query"), st.lists(TEXTS, max_size=2)),
    ),
    max_size=9,
)
RULES = st.fixed_dictionaries(
    {
        "threshold": st.sampled_from([0.3, 0.5, 0.6, 2 / 3, 0.8, 1.0]),
        "measure": st.sampled_from(["jaccard", "containment"]),
        "shingle": st.integers(1, 3),
        "min_shared": st.sampled_from([None, 1, 3]),
    }
)


def expected_groups(texts: dict[str, str | None], rules: dict[str, object]) -> dict[str, tuple[str, ...]]:
    """Members of each group, by name, in the order in which an index lists them."""
    found = oracle.near_duplicates(list(texts.values()), ids=list(texts), **rules)  # type: ignore[arg-type]
    return {str(group.id): tuple(map(str, group.members)) for group in found.groups}


class Mirror:
    """What somebody knows of the groups who only reads the results of the steps."""

    def __init__(self, rules: dict[str, object]) -> None:
        self.rules = rules
        self.index = NearDuplicateIndex(**rules)  # type: ignore[arg-type]
        self.texts: dict[str, str | None] = {}
        self.groups: dict[str, str | None] = {}

    def add(self, batch: dict[int | str, str | None]) -> None:
        names = list(map(str, batch))
        if any(name in self.texts for name in names):
            before = self.index.groups()
            with pytest.raises(klero.InputError, match="id-known"):
                self.index.add(list(batch), list(batch.values()))
            assert self.index.groups() == before
            return
        added = self.index.add(list(batch), list(batch.values()))
        assert added.ids == tuple(names)
        self.texts.update(zip(names, batch.values(), strict=True))
        self.hear(added.changes)
        self.groups.update(zip(names, added.groups, strict=True))
        sizes = {name: len(members) for name, members in self.expected().items()}
        empty = {str(name) for name, text in batch.items() if not (text or "").strip(" !")}
        assert added.sizes == tuple(
            sizes[group] if group else int(name not in empty)
            for name, group in zip(names, added.groups, strict=True)
        )

    def remove(self, ids: set[int | str]) -> None:
        if any(str(name) not in self.texts for name in ids):
            before = self.index.groups()
            with pytest.raises(klero.InputError, match="id-unknown"):
                self.index.remove(list(ids))
            assert self.index.groups() == before
            return
        removed = self.index.remove(list(ids))
        for name in map(str, ids):
            del self.texts[name], self.groups[name]
        self.hear(removed.changes)

    def hear(self, changes: tuple[GroupChange, ...]) -> None:
        before = dict(self.groups)
        for change in changes:
            members = {name for name, group in before.items() if group in change.groups_before} | set(
                change.alone_before
            )
            for name in members:
                self.groups[name] = self.index.group_of(name)
            assert {self.groups[name] for name in members} - {None} == set(change.groups_after)
            assert {name for name in members if self.groups[name] is None} == set(change.alone_after)

    def query(self, texts: list[str]) -> None:
        found = self.index.query(texts, limit=None)
        key = oracle.id_key(self.texts)
        for text, matches in zip(texts, found, strict=True):
            # The oracle, of this text and each text of the index alone.
            expected = []
            for name, other in self.texts.items():
                pairs = oracle.near_duplicates([text, other], **self.rules).pairs  # type: ignore[arg-type]
                expected += [IndexMatch(name, pair.similarity) for pair in pairs]
            expected.sort(key=lambda match: (-match.similarity, key(match.id)))
            assert list(matches) == expected
            assert self.index.query([text], limit=2)[0] == matches[:2]

    def expected(self) -> dict[str, tuple[str, ...]]:
        return expected_groups(self.texts, self.rules)

    def check(self) -> None:
        expected = self.expected()
        listed = self.index.groups()
        assert {group.id: group.members for group in listed} == expected
        assert [group.id for group in listed] == list(expected)
        told = {name: group for name, group in self.groups.items() if group}
        assert told == {name: group for group, members in expected.items() for name in members}
        assert len(self.index) == len(self.texts)
        assert all(name in self.index for name in self.texts)


@settings(max_examples=250, deadline=None)
@given(RULES, STEPS)
def test_after_any_steps_groups_and_what_was_told_are_those_of_brute_force(
    rules: dict[str, object], steps: list[tuple[str, object]]
) -> None:
    mirror = Mirror(rules)
    for step, given_ in steps:
        getattr(mirror, step)(given_)
        mirror.check()


@settings(max_examples=60, deadline=None)
@given(RULES, st.lists(TEXTS, max_size=14), st.randoms(use_true_random=False))
def test_order_and_batches_change_nothing(
    rules: dict[str, object], texts: list[str], chance: random.Random
) -> None:
    whole = NearDuplicateIndex(**rules)  # type: ignore[arg-type]
    whole.add(range(len(texts)), texts)
    rows = list(range(len(texts)))
    chance.shuffle(rows)
    cuts = sorted(chance.sample(range(len(texts) + 1), min(3, len(texts) + 1)))
    pieces = NearDuplicateIndex(**rules)  # type: ignore[arg-type]
    for start, end in pairwise([0, *cuts, len(texts)]):
        pieces.add(rows[start:end], [texts[row] for row in rows[start:end]])
    assert pieces.groups() == whole.groups()


def test_groups_are_those_of_near_duplicates() -> None:
    chance = random.Random(3)
    texts = []
    for _ in range(60):
        words = chance.choices(WORDS + [f"mot{i}" for i in range(300)], k=chance.randint(5, 40))
        texts += [
            " ".join(word if chance.random() > 0.03 else "autre" for word in words)
            for _ in range(chance.randint(1, 6))
        ]
    for measure in ("jaccard", "containment"):
        index = NearDuplicateIndex(0.6, measure)
        index.add(range(len(texts)), texts)
        found = klero.near_duplicates(texts, threshold=0.6, measure=measure, mode="exact")
        expected = [(str(g.id), tuple(map(str, g.members)), g.distinct) for g in found.groups]
        assert [(g.id, g.members, g.distinct) for g in index.groups()] == expected
        assert expected


def test_a_bridge_merges_two_groups_and_its_removal_parts_them() -> None:
    index = NearDuplicateIndex(0.5, shingle=1)
    index.add(["a1", "a2", "b1", "b2"], ["a b c d", "d c b a", "e f g h", "h g f e"])
    bridge = index.add(["x"], ["a b c d e f g h"])
    assert bridge.groups == ("a1",)
    assert bridge.changes == (GroupChange(("a1", "b1"), (), ("a1",), ()),)
    assert index.remove(["x"]).changes == (GroupChange(("a1",), (), ("a1", "b1"), ()),)
    assert index.remove(["b2", "a1"]).changes == (
        GroupChange(("a1",), (), (), ("a2",)),
        GroupChange(("b1",), (), (), ("b1",)),
    )


def test_a_smaller_id_renames_a_group_and_another_kind_of_id_renames_all() -> None:
    index = NearDuplicateIndex(0.5)
    index.add([9, 10], ["une même lettre", "Une même lettre."])
    assert index.group_of(10) == "9"
    assert index.add([8], ["une MÊME lettre"]).changes == (GroupChange(("9",), (), ("8",), ()),)
    assert index.add(["x"], ["autre chose"]).changes == (GroupChange(("8",), (), ("10",), ()),)
    assert index.remove(["x"]).changes == (GroupChange(("10",), (), ("8",), ()),)


def test_texts_of_the_same_words_match_whatever_they_must_share() -> None:
    index = NearDuplicateIndex(measure="containment")
    assert index.add([1, 2, 3], ["Oui", "oui !", "oui merci"]).groups == ("1", "1", None)
    assert index.query(["OUI"])[0] == (IndexMatch("1", 1.0), IndexMatch("2", 1.0))


def test_texts_without_words_match_nothing() -> None:
    index = NearDuplicateIndex()
    added = index.add(["a", "b", "c", "d"], [None, "", "…!", "🙂"])
    assert (added.groups, added.sizes) == ((None,) * 4, (0,) * 4)
    assert index.query(["", "🙂"]).matches == ((), ())
    assert index.group_of("a") is None
    assert index.remove(["a", "b", "c", "d"]).changes == ()


def test_a_campaign_of_ten_thousand_letters_is_one_group() -> None:
    letter = [f"{word}{i}" for i, word in enumerate(WORDS * 3)]
    texts = [" ".join([*letter, "signé", f"n{i}"]) for i in range(10_000)]
    index = NearDuplicateIndex()
    assert set(index.add(range(10_000), texts).sizes) == {10_000}
    assert index.add(["x"], [" ".join(letter)]).groups == ("0",)
    assert len(index.query([texts[7]])[0]) == 10
    assert index.query([texts[7]], limit=1)[0] == (IndexMatch("7", 1.0),)
    removed = index.remove(range(9_999))
    assert removed.changes == (GroupChange(("0",), (), ("9999",), ()),)


@pytest.mark.parametrize("kind", ["list", "arrow", "chunked", "polars", "pandas", "numpy"])
def test_texts_and_ids_of_every_kind_are_the_same(kind: str) -> None:
    ids, texts = ["a", "b", "c"], ["Un tram, ici", None, "un tram ici"]
    make = {
        "list": lambda values: values,
        "arrow": pa.array,
        "chunked": lambda values: pa.chunked_array([pa.array(values[:1]), pa.array(values[1:], pa.string())]),
        "polars": pl.Series,
        "pandas": pd.Series,
        "numpy": lambda values: np.array(values, object),
    }[kind]
    index = NearDuplicateIndex()
    added = index.add(make(ids), make(texts))
    assert (added.ids, added.groups, added.sizes) == (("a", "b", "c"), ("a", None, "a"), (2, 0, 2))
    assert index.query(make(texts))[2] == (IndexMatch("a", 1.0), IndexMatch("c", 1.0))
    assert index.remove(make(["a"])).changes[0].alone_after == ("c",)


def test_results_are_tables_of_arrow() -> None:
    index = NearDuplicateIndex()
    added = index.add([1, 2, 3], ["un tram ici", "Un tram ici", ""])
    assert pa.table(added).to_pylist() == [
        {"id": "1", "group": "1", "size": 2},
        {"id": "2", "group": "1", "size": 2},
        {"id": "3", "group": None, "size": 0},
    ]
    found = index.query(["rien", "un tram ici"])
    assert pl.DataFrame(found).rows() == [(1, "1", 1.0), (1, "2", 1.0)]
    removed = index.remove([1])
    assert pa.table(removed).to_pylist() == [
        {"groups_before": ["1"], "groups_after": [], "alone_after": ["2"]}
    ]
    assert pa.table(index.query([])).num_rows == 0


BAD_ADDS = {
    "id-known": (["b", "a"], ["x", "y"]),
    "id-duplicate": (["b", "b"], ["x", "y"]),
    "id-empty": (["b", ""], ["x", "y"]),
    "id-count": (["b"], ["x", "y"]),
    "id-type": ([1.5, "c"], ["x", "y"]),
    "text-type": (["b", "c"], ["x", 3]),
    "encoding-unreadable": (["b", "c"], ["x", "\ud800"]),
    "source-type": (["b", "c"], "xy"),
}


@pytest.mark.parametrize("code", BAD_ADDS)
def test_a_bad_batch_is_refused_whole(code: str) -> None:
    index = NearDuplicateIndex()
    index.add(["a"], ["un tram ici"])
    ids, texts = BAD_ADDS[code]
    with pytest.raises(klero.InputError) as caught:
        index.add(ids, texts)  # type: ignore[arg-type]
    assert [fault.code for fault in caught.value.faults] == [code]
    assert len(index) == 1
    assert "b" not in index


def test_all_faults_of_a_batch_are_told_at_once() -> None:
    index = NearDuplicateIndex()
    index.add(["a", "b"], ["x", "y"])
    with pytest.raises(klero.InputError) as caught:
        index.add(["b", "c", "a"], ["x", "y", "z"])
    assert [(fault.code, fault.row, fault.value) for fault in caught.value.faults] == [
        ("id-known", 1, "b"),
        ("id-known", 3, "a"),
    ]
    with pytest.raises(klero.InputError) as caught:
        index.add(["d", "d"], ["x", 1, "y"])  # type: ignore[list-item]
    assert {fault.code for fault in caught.value.faults} == {"id-duplicate", "text-type"}
    with pytest.raises(klero.InputError, match="no ids were given"):
        index.add(None, ["x"])


@pytest.mark.parametrize(
    ("ids", "code"),
    [(["z"], "id-unknown"), (["a", "a"], "id-duplicate"), (None, "source-type"), ([True], "id-type")],
)
def test_a_removal_that_names_others_is_refused_whole(ids: object, code: str) -> None:
    index = NearDuplicateIndex()
    index.add(["a"], ["x"])
    with pytest.raises(klero.InputError, match=code):
        index.remove(ids)
    assert "a" in index


def test_ids_that_are_not_there() -> None:
    index = NearDuplicateIndex()
    index.add([7], ["x"])
    assert 7 in index
    assert "7" in index
    assert not any(other in index for other in (8, "07", 7.0, True, None, "\ud800"))
    for other in (8, 10**5000, None, "\ud800"):
        with pytest.raises(klero.InputError, match="id-unknown"):
            index.group_of(other)  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [0, -1, 1.5, True, "3", 2**40])
def test_a_limit_is_a_number_of_matches(limit: object) -> None:
    with pytest.raises(klero.InputError, match="option-range"):
        NearDuplicateIndex().query(["x"], limit=limit)  # type: ignore[arg-type]


def test_every_wrong_option_is_told_at_once() -> None:
    with pytest.raises(klero.InputError) as caught:
        NearDuplicateIndex(1.5, "cosine", 0, "yes", 0)  # type: ignore[arg-type]
    assert len(caught.value.faults) == 5


def test_threads_take_turns() -> None:
    index = NearDuplicateIndex(0.5)
    faults = []

    def work(number: int) -> None:
        try:
            for i in range(40):
                index.add([f"{number}-{i}"], [f"un tram ici la nuit {number} {i}"])
                index.query(["un tram ici la nuit"])
                if i % 3 == 0:
                    index.remove([f"{number}-{i}"])
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(index) == 4 * 26
    assert [group.size for group in index.groups()] == [26] * 4


def test_ctrl_c_stops_an_addition_without_a_trace() -> None:
    index = NearDuplicateIndex(0.5)
    index.add(["a", "b"], ["un tram ici la nuit", "un tram ici la nuit !"])
    before = index.groups()
    # Letters of a group's words in random order: many are compared and none joins, which takes long.
    chance = random.Random(1)
    texts = [" ".join(chance.choices(WORDS, k=150)) for _ in range(60_000)]

    def interrupt() -> None:
        time.sleep(0.7)
        signal.raise_signal(signal.SIGINT)

    def add() -> None:
        index.add(range(60_000), texts)
        time.sleep(5)  # were it quick enough, the signal would come here, and the index be full

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        add()
    thread.join()
    assert index.groups() == before
    assert len(index) == 2
    assert index.add(["c"], ["un tram ici la nuit"]).groups == ("a",)
