"""A person's codes beside the machine's groups: figures against scikit-learn's and brute force, and what is told."""

from __future__ import annotations

import json
import random
from collections import Counter
from fractions import Fraction
from itertools import permutations

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explain_cases import FakePartition, made_up, partition_of
from klero.errors import InputError
from klero.themes._assignment import _assigned, best_matching
from klero.themes.agreement import Table, jackknife_kappa, jackknife_rand, kappa
from klero.themes.confront import Confrontation, confront

# (codes, labels, then what scikit-learn 1.9.1 says: adjusted_rand_score, adjusted_mutual_info_score, homogeneity_score, completeness_score, and
# cohen_kappa_score of the codes and the clusters called after codes by the best matching; a cluster that answers to no code is called «?»)
PINNED = [
    (
        "babcaacabcac",
        [1, 0, 1, 2, 0, 0, 2, 2, 0, 2, 0, 0],
        (0.258823529, 0.279089322, 0.423485671, 0.451184240, 0.608695652),
    ),
    (
        "bcdbacbabcaaabddcddccbbbacdcdc",
        [0, 2, 3, 1, 3, 2, 4, 2, 1, 2, 0, 0, 2, 1, 0, 2, 5, 2, 5, 2, 2, 1, 1, 1, 1, 3, 3, 0, 3, 2],
        (0.217687075, 0.200384599, 0.389819083, 0.335671902, 0.433962264),
    ),
    (
        "cbdecdcdbbabbbbadebccabdeceecbeeadeddddaddababdbaceaaaebeace",
        [
            2,
            9,
            3,
            4,
            9,
            3,
            2,
            7,
            1,
            1,
            0,
            10,
            1,
            2,
            1,
            0,
            5,
            4,
            1,
            2,
            2,
            1,
            1,
            3,
            4,
            2,
            8,
            4,
            2,
            1,
            4,
            3,
            6,
            3,
            4,
            3,
            0,
            7,
            3,
            0,
            7,
            10,
            5,
            1,
            0,
            1,
            3,
            1,
            9,
            7,
            5,
            1,
            1,
            10,
            7,
            6,
            5,
            0,
            10,
            4,
        ],
        (0.365681392, 0.412360970, 0.637872880, 0.457228670, 0.515347334),
    ),
    (
        "dabbbabedbeedcbeebaaaebdb",
        [0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 1],
        (0.033333333, 0.087255416, 0.125824342, 0.271865236, 0.184782609),
    ),
    (
        "ccbcaccbcabababbbacabaacbaacccbababacabb",
        [
            2,
            5,
            1,
            2,
            7,
            2,
            2,
            1,
            2,
            0,
            1,
            8,
            1,
            10,
            3,
            13,
            1,
            2,
            2,
            0,
            6,
            14,
            0,
            14,
            8,
            0,
            11,
            2,
            2,
            2,
            4,
            0,
            1,
            12,
            1,
            0,
            5,
            0,
            9,
            1,
        ],
        (0.389378609, 0.424165704, 0.862612946, 0.419684704, 0.496062992),
    ),
]


Counts = npt.NDArray[np.int64]


def slow_rand(codes: list[str], labels: list[int]) -> Fraction:
    """Pair by pair."""
    both = first = second = every = 0
    for i in range(len(codes)):
        for j in range(i):
            same_code, same_label = codes[i] == codes[j], labels[i] == labels[j]
            both, first, second, every = (
                both + (same_code and same_label),
                first + same_code,
                second + same_label,
                every + 1,
            )
    chance, most = Fraction(first * second, every or 1), Fraction(first + second, 2)
    return Fraction(1) if chance == most else (both - chance) / (most - chance)


def slow_matching(table: Counts, allowed: npt.NDArray[np.bool_] | None = None) -> tuple[int, int]:
    """(contributions that agree, −Σ r·c) of the best matching, by trying all."""
    r, c = table.sum(axis=1), table.sum(axis=0)
    table = table if allowed is None else table * allowed
    if len(r) > len(c):
        table, r, c = table.T, c, r
    rows, columns = table.shape
    best = (-1, 0)
    for chosen in permutations(range(columns), rows):
        pairs = [(i, j) for i, j in enumerate(chosen) if table[i, j]]
        best = max(best, (sum(int(table[i, j]) for i, j in pairs), -sum(int(r[i] * c[j]) for i, j in pairs)))
    return best


def slow_kappa(one: list[object], other: list[object]) -> Fraction:
    n = len(one)
    observed = Fraction(sum(a == b for a, b in zip(one, other, strict=True)), n)
    first, second = Counter(one), Counter(other)
    expected = Fraction(sum(first[name] * second[name] for name in first), n * n)
    return Fraction(1) if expected == 1 else (observed - expected) / (1 - expected)


@st.composite
def sides(draw: st.DrawFn) -> tuple[list[str], list[int]]:
    rows = draw(st.integers(1, 24))
    codes = draw(st.lists(st.sampled_from("abcde"), min_size=rows, max_size=rows))
    labels = draw(st.lists(st.integers(0, min(4, rows - 1)), min_size=rows, max_size=rows))
    return codes, labels


@settings(max_examples=150, derandomize=True, deadline=None)
@given(sides())
def test_figures_are_those_of_brute_force(both: tuple[list[str], list[int]]) -> None:
    codes, labels = both
    told = confront(labels, codes)
    assert told.rand == slow_rand(codes, labels)
    table = told.table()
    r, c = table.sum(axis=1), table.sum(axis=0)
    allowed = (c > 1) | (r[:, None] == 1)
    agree, chance = slow_matching(table[:, c > 0], allowed[:, c > 0])
    assert agree <= told.agree_majority
    assert told.agree == agree
    pairs = [(told.codes.index(code), label) for code, label in told.matched.items()]
    assert sum(int(r[i] * c[j]) for i, j in pairs) == -chance
    called: dict[int, object] = {label: code for code, label in told.matched.items()}
    assert told.kappa == slow_kappa(list(codes), [called.get(label, label) for label in labels])
    assert told.kappa_majority == slow_kappa(list(codes), [told.majority[label] or label for label in labels])
    assert told.agree_majority + told.disagree == len(codes)


@pytest.mark.parametrize(("codes", "labels", "expected"), PINNED)
def test_figures_are_those_of_scikit_learn(
    codes: str, labels: list[int], expected: tuple[float, ...]
) -> None:
    told = confront(labels, list(codes))
    figures = (
        float(told.rand),
        told.information.adjusted,
        told.information.homogeneity,
        told.information.completeness,
        float(told.kappa),
    )
    assert figures == pytest.approx(expected, abs=1e-8)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.integers(0, 2**32))
def test_matching_is_the_best_of_all_and_takes_no_empty_pair(seed: int) -> None:
    draw = np.random.default_rng(seed)
    table = draw.integers(0, 4, draw.integers(1, 6, 2)) * (draw.random() < 0.9)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    row, column = np.nonzero(table)
    found = best_matching(row, column, table[row, column], table.sum(axis=1), table.sum(axis=0))
    assert len({i for i, _ in found}) == len({j for _, j in found}) == len(found)
    assert all(table[i, j] for i, j in found)
    if table.size:
        r, c = table.sum(axis=1), table.sum(axis=0)
        value = (sum(int(table[i, j]) for i, j in found), -sum(int(r[i] * c[j]) for i, j in found))
        assert value == slow_matching(table)


def test_numbers_beyond_64_bits_are_assigned_alike() -> None:
    cost = np.random.default_rng(4).integers(-99, 99, (12, 20))
    assert _assigned(cost) == _assigned(cost.astype(object))
    large = np.array([[10**6, 3], [2, 10**6]]) * 10**4
    row, column = np.nonzero(large)
    assert best_matching(row, column, large[row, column], large.sum(axis=1), large.sum(axis=0)) == [
        (0, 0),
        (1, 1),
    ]


def test_intervals_are_those_of_leaving_each_contribution_out() -> None:
    rng = random.Random(2)
    codes = [rng.choice("abcd") for _ in range(40)]
    labels = ["abcd".index(code) if rng.random() < 0.7 else rng.randrange(5) for code in codes]
    keys = sorted(Counter(zip(codes, labels, strict=True)).items())
    names = sorted(set(codes))

    def table(codes: list[str], labels: list[int]) -> Table:
        cells = Counter(zip(codes, labels, strict=True))
        return Table(
            np.array([names.index(code) for (code, _), _ in keys]),
            np.array([label for (_, label), _ in keys]),
            np.array([cells[key] for key, _ in keys]),
            np.array([codes.count(name) for name in names]),
            np.array([labels.count(label) for label in range(5)]),
        )

    called = np.array([0, 1, 2, 3, -1])
    left = [(codes[:i] + codes[i + 1 :], labels[:i] + labels[i + 1 :]) for i in range(40)]
    for found, values, estimate in (
        (
            jackknife_rand(table(codes, labels)),
            [float(slow_rand(*both)) for both in left],
            slow_rand(codes, labels),
        ),
        (
            jackknife_kappa(table(codes, labels), called),
            [float(kappa(table(*both), called)[0]) for both in left],
            kappa(table(codes, labels), called)[0],
        ),
    ):
        mean = sum(values) / 40
        reach = 1.959963985 * (39 / 40 * sum((value - mean) ** 2 for value in values)) ** 0.5
        assert found == pytest.approx((float(estimate) - reach, float(estimate) + reach), abs=1e-7)
    assert jackknife_rand(table(codes[:9], labels[:9])) is None


def everything(told: Confrontation) -> str:
    data = told.to_dict()
    for text in data["texts"]:  # type: ignore[attr-defined]
        del text["row"]
    return json.dumps(data)


@settings(max_examples=25, derandomize=True, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 50))
def test_order_of_rows_changes_nothing(seed: int, rows: int) -> None:
    labels, vectors, texts = made_up(seed, rows, 6)
    partition = partition_of(labels, vectors)
    rng = random.Random(seed)
    codes = [rng.choice(["a", "b", "c", None]) if rng.random() < 0.5 else "abcdef"[label] for label in labels]
    codes[0] = "a"
    ids = [f"c{row}" for row in range(rows)]
    order = list(range(rows))
    rng.shuffle(order)
    other = FakePartition(
        partition.labels[order], partition.sizes, partition.kinds, partition.fit[order], partition.centroids
    )
    one = confront(partition, codes, texts=texts, ids=ids)
    two = confront(
        other, [codes[i] for i in order], texts=[texts[i] for i in order], ids=[ids[i] for i in order]
    )
    assert everything(one) == everything(two)
    assert one.explain("fr") == two.explain("fr")
    back = sorted(two.to_arrow().to_pylist(), key=lambda row: row["id"])
    assert back == sorted(one.to_arrow().to_pylist(), key=lambda row: row["id"])


CODES = ["bus"] * 6 + ["bike"] * 4 + ["park", "park", "school", "", None, " bus "]
LABELS = [0] * 6 + [0, 0, 1, 1] + [1, 1, 1, 2, 2, 3]


def test_codes_without_a_theme_are_told_with_where_they_went() -> None:
    told = confront(LABELS, CODES)
    assert (told.total, told.coded, told.missing) == (16, 14, 2)
    assert told.codes == ("bus", "bike", "park", "school")
    assert told.code_sizes == (7, 4, 2, 1)
    assert [(lost.code, lost.size) for lost in told.lost] == [("bike", 4), ("park", 2), ("school", 1)]
    assert [(part.name, part.count, part.majority) for part in told.lost[0].parts] == [
        ("T1", 2, "bus"),
        ("T2", 2, "park"),
    ]
    text = told.explain()
    assert "14 of 16 contributions carry a code. 2 have none and are left out of the figures." in text
    assert "3 codes have no theme of their own." in text
    assert "- bike (4): in T1 «bus» (2), T2 «park» (2)" in text


def test_groups_that_answer_to_no_code_say_why() -> None:
    told = confront(LABELS, CODES)
    assert [(found.name, found.why, found.code) for found in told.found] == [("W1", "uncoded", None)]
    codes = ["a"] * 12 + ["b", "b", "c", "c", "d", "d"]
    told = confront([0] * 6 + [1] * 6 + [2] * 6, codes)
    assert [(found.name, found.why, found.code) for found in told.found] == [("T2", "within", "a")] or [
        (found.name, found.why, found.code) for found in told.found
    ] == [("T1", "within", "a")]
    assert [(split.code, [part.count for part in split.parts]) for split in told.split] == [("a", [6, 6])]
    assert [(merge.name, merge.codes) for merge in told.merged] == [("T3", (("b", 2), ("c", 2), ("d", 2)))]
    across = confront([0] * 6 + [1] * 6 + [2] * 6 + [2] * 8, [*codes, *["b"] * 2, *["c"] * 2, *["e"] * 4])
    assert across.matched["a"] in (0, 1)


def test_a_lone_voice_agrees_with_a_code_of_one_and_with_no_other() -> None:
    labels, codes = [0, 0, 0, 1, 2, 3], ["a", "a", "a", "a", "b", None]
    told = confront(labels, codes)
    assert told.majority == ("a", None, "b", None)
    assert (told.agree, told.agree_majority, told.disagree) == (4, 4, 1)
    assert told.matched == {"a": 0, "b": 2}
    assert [text.row for text in told.texts] == [3]
    assert "which is called after no code" in told.explain()
    assert told.lost == ()


def test_the_texts_to_discuss_first_are_central_and_of_different_places() -> None:
    labels, vectors, texts = made_up(8, 80, 3)
    partition = partition_of(labels, vectors)
    codes = ["xyz"[label] for label in labels]
    for row in (0, 1, 2, 3, 4, 5, 6, 7):
        codes[row] = "w" if row % 2 else "v"
    told = confront(partition, codes, texts=texts)
    places = [(text.code, text.label) for text in told.texts]
    distinct = len(set(places))
    assert len(set(places[:distinct])) == distinct
    assert [(cell.code, cell.label) for cell in told.differ] == places[:distinct]
    assert told.disagree == len(told.texts) == 8
    for place in set(places):
        fits = [text.similarity for text in told.texts if (text.code, text.label) == place]
        assert fits == sorted(fits, reverse=True)  # type: ignore[type-var]
    assert all(text.text == texts[text.row] and text.lost and not text.split for text in told.texts)
    assert len(confront(partition, codes, most=3).texts) == 3
    assert confront(partition, codes, most=0).texts == ()


def test_expected_counts_are_what_chance_would_put_there() -> None:
    told = confront(LABELS, CODES)
    table = told.table()
    r, c = table.sum(axis=1), table.sum(axis=0)
    assert len(told.differ) == sum(
        (table[i, j] > 0) and told.majority[j] != told.codes[i] for i in range(4) for j in range(4)
    )
    for cell in told.differ:
        i = told.codes.index(cell.code)
        assert cell.observed == table[i, cell.label]
        assert cell.expected == Fraction(int(r[i] * c[cell.label]), 14)
    beyond = [cell.observed - cell.expected for cell in told.differ]
    assert beyond == sorted(beyond, reverse=True)


def test_one_row_for_each_contribution() -> None:
    told = confront(LABELS, CODES, ids=range(100, 116))
    table = told.to_arrow()
    assert table.column_names == ["id", "label", "name", "code", "majority", "agrees"]
    assert table.num_rows == 16
    assert table.column("id").to_pylist() == list(range(100, 116))
    agrees = table.column("agrees").to_pylist()
    assert (agrees.count(True), agrees.count(False), agrees.count(None)) == (
        told.agree_majority,
        told.disagree,
        2,
    )
    assert json.loads(json.dumps(told.to_dict()))["disagree"] == told.disagree


def test_one_theme_all_lone_and_perfect_agreement() -> None:
    one = confront([0] * 12, ["a"] * 6 + ["b"] * 6)
    assert one.rand == 0
    assert one.kappa == one.kappa_majority == 0
    assert [lost.code for lost in one.lost] == []
    alone = confront(list(range(12)), ["a"] * 6 + ["b"] * 6)
    assert alone.rand == 0
    assert (alone.agree, alone.agree_majority) == (0, 0)
    assert [lost.code for lost in alone.lost] == ["a", "b"]
    same = confront([0] * 6 + [1] * 6, ["a"] * 6 + ["b"] * 6)
    assert same.rand == same.kappa == same.kappa_majority == same.information.adjusted == 1
    assert (same.differ, same.texts, same.lost, same.found) == ((), (), (), ())
    assert "No contribution has another code than its group." in same.explain()
    assert "Chaque code a un thème à lui." in same.explain("fr")
    single = confront([0], ["a"])
    assert (single.rand, single.kappa, single.rand_interval) == (1, 1, None)


def test_codes_of_any_program_are_read_alike() -> None:
    labels = [0, 0, 1, 1]
    expected = confront(labels, ["1", "1", "2", None]).to_dict()
    for codes in (
        [1, 1, 2, None],
        [1.0, 1.0, 2.0, float("nan")],
        np.array([1, 1, 2, np.nan]),
        pa.array([1, 1, 2, None]),
        pa.array(["1", "1", "2", " "]).dictionary_encode(),
        pl.Series(["1", "1", "2", ""]),
        pl.Series(["1", "1", "2", None], dtype=pl.Categorical),
    ):
        assert confront(labels, codes).to_dict() == expected


def test_codes_that_differ_in_spelling_alone_are_told() -> None:
    told = confront([0, 0, 1, 1], ["Vélo", "vélo ", "velo", "bus"])
    assert [set(codes) for codes in told.alike] == [{"Vélo", "vélo", "velo"}]
    assert "differ in case, accents or spaces alone" in told.explain()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"codes": [None, "", "  "]}, "codes-missing"),
        ({"codes": []}, "rows-differ"),
        ({"codes": ["a"]}, "rows-differ"),
        ({"codes": [True, False, True]}, "source-type"),
        ({"codes": pa.array([True, False, True])}, "codes-type"),
        ({"codes": [["a", "b"], "a", "b"]}, "source-type"),
        ({"codes": "abc"}, "source-type"),
        ({"partition": [0, -1, 0]}, "labels-type"),
        ({"partition": [[0], [1], [2]]}, "labels-type"),
        ({"texts": ["a"]}, "rows-differ"),
        ({"ids": ["a", "a", "b"]}, "id-duplicate"),
        ({"most": -1}, "option-range"),
        ({"longest": 1}, "option-range"),
        ({"partition": [], "codes": []}, "codes-missing"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_code(change: dict[str, object], code: str) -> None:
    given_: dict[str, object] = {"partition": [0, 0, 1], "codes": ["a", "b", "a"], **change}
    with pytest.raises(InputError) as raised:
        confront(**given_)  # type: ignore[arg-type]
    assert code in [fault.code for fault in raised.value.faults]


def test_a_language_without_words_is_told() -> None:
    with pytest.raises(InputError, match="language-unknown"):
        confront([0, 0], ["a", "b"]).explain("de")


def test_codes_go_to_a_terminal_without_what_it_would_obey() -> None:
    told = confront(
        [0, 0, 0, 1, 1], ["a\x1b[2J", "a\x1b[2J", "b\u202e", "b\u202e", "c\x1b"], texts=["x\x1b"] * 5
    )
    assert "\x1b" not in told.explain()
    assert "\u202e" not in told.explain()
