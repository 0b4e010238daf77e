"""Quotes, growth and explanations: against slow oracles, under shuffles, and what is told of nothing."""

from __future__ import annotations

import datetime as dt
import random
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explain_cases import FakePartition, made_up, partition_of, unit
from klero.errors import InputError
from klero.themes._cosines import UNIT
from klero.themes.confront import confront
from klero.themes.explain import explain_contribution, explain_themes
from klero.themes.growth import theme_growth
from klero.themes.names import KINDS
from klero.themes.quotes import cut_text, theme_quotes
from klero.themes.themes import Themes

Rows = npt.NDArray[np.float32]


def whole(vector: npt.ArrayLike) -> list[int]:
    return [int(np.rint(np.float64(x) * UNIT)) for x in np.asarray(vector)]


def product(a: npt.ArrayLike, b: npt.ArrayLike) -> int:
    return sum(x * y for x, y in zip(whole(a), whole(b), strict=True))


def slow_quotes(
    partition: FakePartition, vectors: Rows, ids: list[str], label: int, times: list[int]
) -> dict[str, object]:
    """The rules of `klero.themes.quotes`, by hand."""
    near = round(0.98 * UNIT * UNIT)
    rows = [row for row, own in enumerate(partition.labels) if own == label]
    centre = vectors[rows[0]] if len(rows) == 1 else partition.centroids[label]
    own = {row: product(vectors[row], centre) for row in rows}
    rows.sort(key=lambda row: (-own[row], ids[row]))
    copies = [row for row in rows if row == rows[0] or product(vectors[row], vectors[rows[0]]) >= near]
    medoid = min(copies, key=lambda row: (times[row], ids[row]))
    pool, central = rows[: max(-(-len(rows) // 2), 3)], [medoid]
    while len(central) < 3:
        free = {
            row: max(product(vectors[row], vectors[other]) for other in central)
            for row in pool
            if row not in central
        }
        free = {row: alike for row, alike in free.items() if alike < near}
        if not free:
            break
        central.append(min(free, key=lambda row: (-(2 * own[row] - free[row]), ids[row])))
    themes = [other for other, kind in enumerate(partition.kinds) if kind == 0 and other != label]
    edge: list[tuple[int, str, int]] = []
    if partition.kinds[label] == 0 and themes:
        for row in rows:
            best = max(product(vectors[row], partition.centroids[other]) for other in themes)
            edge.append((own[row] - best, ids[row], row))
    last = min(rows, key=lambda row: (own[row], ids[row]))
    newest = sorted(rows, key=lambda row: (-times[row], ids[row]))[:3]
    return {
        "medoid": medoid,
        "central": central,
        "boundary": min(edge)[2] if edge else None,
        "distant": None if last == medoid else last,
        "newest": newest,
    }


@settings(max_examples=30, derandomize=True, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 8))
def test_quotes_are_those_of_the_slow_oracle(seed: int, rows: int, groups: int) -> None:
    labels, vectors, texts = made_up(seed, rows, groups)
    rng = random.Random(seed)
    for row in range(rows):  # copies
        if rng.random() < 0.3:
            vectors[row] = vectors[rng.randrange(rows)]
    partition = partition_of(labels, vectors)
    ids = [f"{rng.random():.6f}" for _ in range(rows)]
    times = [rng.randrange(10) for _ in range(rows)]
    stamps = [f"2026-03-{day + 1:02}" for day in times]
    found = theme_quotes(partition, vectors, texts, ids=ids, times=stamps)
    for label in range(len(partition.sizes)):
        slow, quick = slow_quotes(partition, vectors, ids, label, times), found[label]
        assert quick.medoid is not None
        assert quick.medoid.row == slow["medoid"]
        assert [quote.row for quote in quick.central] == slow["central"]
        assert (quick.boundary[0].row if quick.boundary else None) == slow["boundary"]
        assert (quick.distant.row if quick.distant else None) == slow["distant"]
        assert [quote.row for quote in quick.newest] == slow["newest"]


@settings(max_examples=20, derandomize=True, deadline=None)
@given(st.integers(0, 2**32), st.integers(2, 40), st.booleans())
def test_order_of_rows_changes_no_quote_and_no_explanation(seed: int, rows: int, named: bool) -> None:
    labels, vectors, texts = made_up(seed, rows, 4)
    vectors[rows // 2] = vectors[0]
    partition = partition_of(labels, vectors)
    ids = [f"id{row}" for row in range(rows)] if named else None
    order = list(range(rows))
    random.Random(seed).shuffle(order)
    other = FakePartition(
        partition.labels[order], partition.sizes, partition.kinds, partition.fit[order], partition.centroids
    )
    one = theme_quotes(partition, vectors, texts, ids=ids)
    two = theme_quotes(
        other, vectors[order], [texts[i] for i in order], ids=None if ids is None else [ids[i] for i in order]
    )
    for mine, theirs in zip(one, two, strict=True):
        a, b = mine.to_dict(), theirs.to_dict()
        assert [q["text"] for q in a["central"]] == [q["text"] for q in b["central"]]  # type: ignore[attr-defined]
        assert [q["text"] for q in a["boundary"]] == [q["text"] for q in b["boundary"]]  # type: ignore[attr-defined]
        assert (a["distant"] or {}).get("text") == (b["distant"] or {}).get("text")  # type: ignore[attr-defined]
    if ids is not None:
        told = explain_contribution(order[0], partition, vectors, texts, ids=ids)
        again = explain_contribution(
            0, other, vectors[order], [texts[i] for i in order], ids=[ids[i] for i in order]
        )
        assert told.explain() == again.explain()


def test_a_quote_is_what_was_written() -> None:
    texts = ["  Zoé\tdit : «Oui»\n\n", "<b>&amp;</b> \u202e", "e\u0301" * 10, "", "   "]
    vectors = unit(np.eye(5) + 0.1)
    found = theme_quotes([0, 0, 0, 0, 0], vectors, texts, central=5)
    assert {quote.text for quote in found[0].central} == set(texts[:3])
    assert all(not quote.cut and quote.length == len(texts[quote.row]) for quote in found[0].central)


def test_an_empty_contribution_is_quoted_nowhere() -> None:
    found = theme_quotes([0, 0, 1, 2, 2], unit(np.eye(5)), ["", None, "\u00a0", "a", ""])  # type: ignore[list-item]
    assert [group.medoid and group.medoid.text for group in found] == [None, None, "a"]
    assert found[0].central == ()
    assert found[2].distant is None
    told = explain_themes([0, 0, 1, 2, 2], unit(np.eye(5)), ["", "", "", "a", ""])
    assert "Nothing is written in it." in told[0].explain()


@pytest.mark.parametrize(
    ("text", "longest", "shown"),
    [
        ("court", 20, "court"),
        ("x" * 20, 20, "x" * 20),
        ("un deux trois quatre cinq", 20, "un deux trois…"),
        ("a" * 60, 20, "a" * 19 + "…"),
        ("a" * 18 + "e\u0301" + "a" * 9, 20, "a" * 18 + "…"),
        ("👩\u200d👩\u200d👧" * 8, 20, "👩\u200d👩\u200d👧" * 3 + "👩\u200d👩\u200d👧"[:0] + "…"),
        ("1234567890 234567890 ", 20, "1234567890…"),
    ],
)
def test_a_long_text_is_cut_between_words_and_says_so(text: str, longest: int, shown: str) -> None:
    assert cut_text(text, longest) == (shown, shown != text)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.text(max_size=80), st.integers(20, 60))
def test_what_is_cut_is_a_beginning_of_at_most_the_length(text: str, longest: int) -> None:
    shown, cut = cut_text(text, longest)
    assert len(shown) <= longest
    assert cut == (len(text) > longest)
    assert text.startswith(shown.removesuffix("…") if cut else shown)


def test_one_theme_has_no_boundary_and_lone_voices_have_but_themselves() -> None:
    labels, vectors, texts = made_up(3, 20, 1)
    assert theme_quotes(labels, vectors, texts)[0].boundary == ()
    alone = theme_quotes(list(range(20)), vectors, texts)
    for row, group in enumerate(alone):
        assert (group.kind, group.size, group.boundary, group.distant) == ("lone_voice", 1, (), None)
        assert [quote.row for quote in group.central] == [row]
    told = explain_themes(list(range(20)), vectors, texts)
    assert told[4].name == "L5"
    assert "a lone voice" in told[4].explain()
    assert "une voix isolée" in told[4].explain("fr")


def test_growth_counts_every_contribution_in_a_bin_or_as_undated() -> None:
    rng = random.Random(5)
    first = dt.datetime(2026, 1, 31, 23, 59, tzinfo=dt.UTC)
    for span, unit_ in (
        (1800, "minute"),
        (86400 * 2, "hour"),
        (86400 * 40, "day"),
        (86400 * 400, "week"),
        (86400 * 900, "month"),
    ):
        moments = [first, first + dt.timedelta(seconds=span)]
        moments += [first + dt.timedelta(seconds=rng.randrange(span)) for _ in range(50)]
        times = [None if rng.random() < 0.1 and i > 1 else m for i, m in enumerate(moments)]
        labels = [0, *(rng.randrange(3) for _ in times[1:])]
        found = theme_growth(labels, times)
        assert found.unit == unit_
        sizes = np.bincount(labels)
        assert (found.counts.sum(axis=1) + found.undated == sizes[: len(found.undated)]).all()
        ends = [*found.starts[1:], dt.datetime.max.replace(tzinfo=dt.UTC)]
        for label in range(len(sizes)):
            slow = [
                sum(
                    m is not None and own == label and a <= m < b
                    for m, own in zip(times, labels, strict=True)
                )
                for a, b in zip(found.starts, ends, strict=True)
            ]
            assert found.counts[label].tolist() == slow
        if unit_ == "week":
            assert {moment.weekday() for moment in found.starts} == {0}
        assert all(a < b for a, b in pairwise(found.starts))
        assert found.shares(0)[-1].denominator <= sum(m is not None for m in times)
        assert found.to_arrow().num_rows == found.counts.size


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ("2026-03-02T10:20:00Z", "by 2026-03-02 10:01, half of all by 2026-03-02 10:01."),
        ("2026-03-04T10:00:00Z", "by 2026-03-02 11:00, half of all by 2026-03-02 11:00."),
        ("2026-04-02T10:00:00Z", "by 2026-03-02, half of all by 2026-03-02."),
        ("2027-03-02T10:00:00Z", "by 2026-03-08, half of all by 2026-03-08."),
        ("2029-03-02T10:00:00Z", "by 2026-03, half of all by 2026-03."),
    ],
)
def test_half_had_really_come_by_the_moment_that_is_told(last: str, told: str) -> None:
    times = ["2026-03-02T10:00:30Z", "2026-03-02T10:00:40Z", last]
    assert theme_growth([0, 0, 0], times).explain(0).endswith(told)


def test_growth_without_times_says_that_nothing_is_known() -> None:
    found = theme_growth([0, 0, 1], [None, "", None])
    assert found.starts == ()
    assert found.undated.tolist() == [2, 1]
    assert found.half(0) is None
    assert "Nothing is known" in found.explain(0)
    one = theme_growth([0, 1], ["2026-03-02T10:00:00Z", ""])
    assert one.counts.tolist() == [[1], [0]]
    assert one.half(1) is None


def test_times_are_read_as_numpy_pandas_and_text_alike() -> None:
    texts = ["2026-03-02 08:12:00", "2026-03-09", "1772700000000"]
    stamps = np.array(["2026-03-02T08:12", "2026-03-09", "2026-03-05T08:40"], "datetime64[ms]")
    moments = [
        dt.datetime(2026, 3, 2, 8, 12),  # noqa: DTZ001 - without a zone, on purpose
        dt.date(2026, 3, 9),
        dt.datetime(2026, 3, 5, 8, 40, tzinfo=dt.UTC),
    ]
    one = theme_growth([0, 0, 1], texts)
    for other in (stamps, moments):
        assert theme_growth([0, 0, 1], other).counts.tolist() == one.counts.tolist()


def test_why_a_contribution_is_where_it_is() -> None:
    vectors = unit(
        [
            [1, 0, 0],
            [1, 0.1, 0],
            [1, -0.1, 0],
            [1, 0, 0.1],
            [1, 0.9, 0],
            *[[0, 1, x / 10] for x in range(5)],
            [0, 0, 1],
        ]
    )
    texts = [
        "tram A",
        "le tram B",
        "tram C",
        "tram D",
        "tram et vélo",
        *[f"vélo {n}" for n in "abcde"],
        "cantine bio",
    ]
    told = explain_contribution(4, [0] * 5 + [1] * 5 + [2], vectors, texts, ids=[f"c{n}" for n in range(11)])
    assert (told.name, told.second_name, told.place) == ("T1", "T2", 5)
    assert told.margin is not None
    assert told.margin > 0
    assert told.nearest[0].id == "c1"
    assert told.nearest[0].shared == ("tram",)
    assert told.elsewhere[0].name == "T2"
    text = told.explain()
    assert "Contribution c4: «tram et vélo»" in text
    assert "4 are nearer to the centre" in text
    assert "en commun\u00a0: tram" in told.explain("fr")
    alone = explain_contribution(10, [0] * 5 + [1] * 5 + [2], vectors, texts)
    assert (alone.name, alone.kind, alone.nearest) == ("L1", "lone_voice", ())
    assert "It stands alone (L1)" in alone.explain()
    assert len(alone.elsewhere) == 3
    assert alone.to_dict()["words"] == ["cantine", "bio"]


def test_a_contribution_nearer_to_another_centre_is_told_so() -> None:
    vectors = unit([[1, 0], [1, 0], [1, 0], [1, 0], [0.3, 1], *[[0, 1]] * 5])
    told = explain_contribution(4, [0] * 5 + [1] * 5, vectors, ["a"] * 10)
    assert told.margin is not None
    assert told.margin < 0
    assert "It stands between two" in told.explain()


def test_themes_are_told_with_all_their_parts() -> None:
    labels, vectors, texts = made_up(11, 60, 5)
    partition = partition_of(labels, vectors)
    authors = [f"a{row % 30}" for row in range(60)]
    times = [f"2026-03-{row % 28 + 1:02}" for row in range(60)]
    told = explain_themes(partition, vectors, texts, authors=authors, times=times, top=3)
    assert sum(theme.size for theme in told) == 60
    for theme in told:
        english, french = theme.explain(), theme.explain("fr")
        assert theme.name in english
        assert english.count("\n") == french.count("\n")
        assert theme.quotes.medoid is not None
        assert theme.quotes.medoid.text in english
        assert len(theme.keywords) <= 3
        data = theme.to_dict()
        assert data["growth"]["undated"] == 0  # type: ignore[index]
        assert sum(data["growth"]["counts"]) == theme.size  # type: ignore[index]
    assert told.explain().count("\n\n") == len(told) - 1
    assert told.to_dict()["quotes"] == "klero-quotes/1"


def test_a_terminal_is_given_nothing_that_it_would_obey() -> None:
    told = explain_themes([0, 0], unit([[1, 0], [1, 0.1]]), ["a\x1b[2J", "b"], ids=["\u202ex", "y"])
    assert "\x1b" not in told.explain()
    assert "\u202e" not in told.explain()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"vectors": np.eye(3) * 2}, "vectors-not-unit"),
        ({"vectors": np.full((3, 3), np.nan)}, "vectors-not-finite"),
        ({"vectors": np.eye(3)[:2]}, "rows-differ"),
        ({"vectors": np.arange(9).reshape(3, 3)}, "vectors-shape"),
        ({"vectors": np.ones(3)}, "vectors-shape"),
        ({"texts": ["a"]}, "rows-differ"),
        ({"ids": ["a", "a", "b"]}, "id-duplicate"),
        ({"ids": ["a"]}, "id-count"),
        ({"times": ["demain", "", ""]}, "time-invalid"),
        ({"times": [1.5, 2, 3]}, "source-type"),
        ({"partition": [0, -1, 0]}, "labels-type"),
        ({"longest": 5}, "option-range"),
        ({"central": -1}, "option-range"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_code(change: dict[str, object], code: str) -> None:
    given_: dict[str, object] = {
        "partition": [0, 0, 1],
        "vectors": np.eye(3),
        "texts": ["a", "b", "c"],
        **change,
    }
    for function in (theme_quotes, explain_themes):
        with pytest.raises(InputError) as raised:
            function(**given_)  # type: ignore[operator]
        assert code in [fault.code for fault in raised.value.faults]


def test_a_row_that_is_not_there_is_told() -> None:
    for row in (3, -1, "x"):
        with pytest.raises(InputError, match="option-range"):
            explain_contribution(row, [0, 0, 1], np.eye(3), ["a", "b", "c"])  # type: ignore[arg-type]
    with pytest.raises(InputError, match="table-no-rows"):
        explain_contribution(0, [], np.zeros((0, 3)), [])
    assert len(theme_quotes([], np.zeros((0, 3)), [])) == 0


def test_what_the_engine_finds_is_told_whole() -> None:
    labels, vectors, texts = made_up(21, 120, 6)
    themes = Themes().fit(vectors)
    partition, centred = themes.partition_, themes.centred(vectors)
    told = explain_themes(partition, centred, texts)
    assert sum(theme.size for theme in told) == 120
    assert [theme.kind for theme in told] == [KINDS[kind] for kind in partition.kinds]
    assert all(theme.quotes.medoid is not None and theme.quotes.medoid.similarity <= 1 for theme in told)
    one = explain_contribution(7, partition, centred, texts)
    assert one.similarity == pytest.approx(partition.fit[7], abs=2e-3)
    beside = confront(partition, [f"code {label}" for label in labels], texts=texts)
    assert beside.total == beside.coded == beside.agree_majority + beside.disagree
