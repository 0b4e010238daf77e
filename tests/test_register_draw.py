"""The register draw against its slow twin, against exact chances, and against itself in other orders, files and threads."""

from __future__ import annotations

import csv
import doctest
import json
import math
import random
from collections import Counter
from fractions import Fraction
from itertools import product
from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import klero
import register_oracle as oracle
from klero import _native
from klero.cli import cli, run
from klero.sortition.register import scan, sources
from klero.sortition.register import spill as disk
from klero.sortition.register.allocation import apportion, spill
from klero.sortition.register.stages import below, certain_ones, systematic
from register_oracle import Row

SCALE = 10**6
GUIDE = Path(__file__).resolve().parents[1] / "docs" / "how-to" / "invite.md"


def table(rows: list[Row], weighted: bool) -> pa.Table:
    columns: dict[str, list[object]] = {"id": [row.id for row in rows]}
    for i in range(len(rows[0].stratum)):
        columns[f"s{i}"] = [row.stratum[i] for row in rows]
    if weighted:
        columns["w"] = [row.weight // SCALE for row in rows]
    for i in range(len(rows[0].address)):
        columns[f"a{i}"] = [row.address[i] for row in rows]
    return pa.table(columns)


def invited(
    rows: list[Row], size: int, weighted: bool, text: str = "t", **options: object
) -> klero.Invitation:
    strata = [f"s{i}" for i in range(len(rows[0].stratum))]
    household = [f"a{i}" for i in range(len(rows[0].address))]
    return klero.invite(
        table(rows, weighted),
        size=size,
        trial_seed=text,
        strata=strata,
        household=household,
        weight="w" if weighted else None,
        **options,  # type: ignore[arg-type]
    )


def people(n: int, rng: random.Random, strata: int, weighted: bool, houses: int) -> list[Row]:
    return [
        Row(
            f"P{i}é" if i % 7 == 0 else f"P{i}",
            (f"area {rng.randrange(strata)}", "x") if strata else (),
            rng.choice([1, 2, 3, 50]) * SCALE if weighted else 1,
            (f"{rng.randrange(houses)} bis, rue de l'Église", "59000") if houses else (),
        )
        for i in range(n)
    ]


@settings(max_examples=120, deadline=None)
@given(
    n=st.integers(1, 60),
    seed=st.integers(0, 2**32),
    strata=st.integers(0, 4),
    weighted=st.booleans(),
    houses=st.sampled_from([0, 0, 1, 5, 40]),
    data=st.data(),
)
def test_draw_is_that_of_the_slow_twin(
    n: int, seed: int, strata: int, weighted: bool, houses: int, data: st.DataObject
) -> None:
    rows = people(n, random.Random(seed), strata, weighted, houses)
    room = len({row.address for row in rows}) if houses else n
    size = data.draw(st.integers(1, room))
    drawn = invited(rows, size, weighted)
    twin = oracle.draw(rows, size, "t", dict(drawn.design), weighted or houses > 0)
    assert dict(zip(drawn.ids, drawn.probabilities, strict=True)) == twin
    assert len(drawn.ids) == size
    assert drawn.register_digest == oracle.digest(rows).hex()
    assert list(drawn.ids) == sorted(drawn.ids)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    weighted=st.booleans(),
    houses=st.sampled_from([0, 30]),
    threads=st.sampled_from([1, 2, 3]),
)
def test_order_files_and_threads_change_nothing(seed: int, weighted: bool, houses: int, threads: int) -> None:
    rng = random.Random(seed)
    rows = people(80, rng, 3, weighted, houses)
    drawn = invited(rows, 12, weighted, threads=1)
    rng.shuffle(rows)
    cut = rng.randrange(1, len(rows))
    parts = [table(rows[:cut], weighted), table(rows[cut:], weighted)]
    options = {"weight": "w"} if weighted else {}
    with patch.object(scan, "_FEW_ROWS", 0):  # a register as small as this has one thread otherwise
        again = klero.invite(
            parts,
            size=12,
            trial_seed="t",
            strata=["s0", "s1"],
            household=["a0", "a1"] if houses else [],
            threads=threads,
            **options,
        )
    assert again == drawn


@pytest.mark.parametrize("houses", [0, 2000])
def test_what_is_in_memory_and_what_is_on_disk_changes_nothing(houses: int) -> None:
    rows = people(3000, random.Random(5), 3, True, houses)
    drawn = invited(rows, 40, True)
    with patch.object(sources, "BATCH_ROWS", 500):
        for budget in (0, 70_000, 150_000, 300_000):
            with patch.object(disk, "MEMORY", budget):
                assert invited(rows, 40, True) == drawn


def test_two_people_of_one_address_are_never_drawn_together() -> None:
    for seed in range(30):
        rows = people(60, random.Random(seed), 2, True, 20)
        drawn = invited(rows, 15, True, text=str(seed))
        where = {row.id: row.address for row in rows}
        assert len({where[i] for i in drawn.ids}) == 15


def chances(
    rows: list[Row], size: int, weighted: bool, draws: int, **options: object
) -> tuple[Counter[str], klero.Invitation]:
    counts: Counter[str] = Counter()
    for i in range(draws):
        drawn = invited(rows, size, weighted, text=f"draw {i}", **options)
        counts.update(drawn.ids)
    return counts, drawn


def assert_chances(counts: Counter[str], expected: dict[str, Fraction], draws: int) -> None:
    """Each count within 4.5 standard deviations, and their squares together within what chance gives (99.99 %)."""
    square = 0.0
    for person, p in expected.items():
        if p == 1:
            assert counts[person] == draws
            continue
        deviation = (counts[person] - draws * float(p)) / math.sqrt(draws * float(p) * (1 - float(p)))
        assert abs(deviation) < 4.5, (person, counts[person], draws * float(p))
        square += deviation**2
    free = sum(1 for p in expected.values() if p < 1)
    # A fixed size leaves the squares' sum below that of independent counts; 4 deviations of chi-square are far out.
    assert square < free + 5 * math.sqrt(2 * free) + 5


@pytest.mark.parametrize("weighted", [False, True])
def test_shares_of_many_seeds_are_the_stated_chances(weighted: bool) -> None:
    rows = [Row(f"P{i}", (), (i + 1) * SCALE if weighted else 1) for i in range(9)]
    counts, drawn = chances(rows, 3, weighted, 300)
    total = sum(row.weight for row in rows)
    assert_chances(counts, {row.id: Fraction(3 * row.weight, total) for row in rows}, 300)
    assert drawn.table[0].factor == (Fraction(3 * SCALE, total) if weighted else Fraction(1, 3))


def test_a_weight_above_a_letters_share_is_certain_and_the_rest_in_proportion() -> None:
    rows = [Row(f"P{i}", (), w * SCALE) for i, w in enumerate([100, 40, 3, 2, 2, 1])]
    counts, drawn = chances(rows, 3, True, 250)
    assert drawn.table[0].certain == 2
    rest = {f"P{i}": Fraction(w, 8) for i, w in zip(range(2, 6), [3, 2, 2, 1], strict=True)}
    assert_chances(counts, {"P0": Fraction(1), "P1": Fraction(1), **rest}, 250)


def test_an_address_with_more_people_gives_each_the_same_chance() -> None:
    homes = [0, 0, 0, 1, 1, 2, 3, 4, 5]
    rows = [Row(f"P{i}", (), 1, (f"{home} street",)) for i, home in enumerate(homes)]
    counts, _ = chances(rows, 3, False, 300)
    assert_chances(counts, {row.id: Fraction(3, 9) for row in rows}, 300)


def test_inverse_chances_are_unbiased_weights_where_addresses_cross_strata() -> None:
    homes = [0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12]
    rows = [Row(f"P{i}", (f"s{i % 2}",), 1, (f"{home} street",)) for i, home in enumerate(homes)]
    estimates = []
    for i in range(200):
        drawn = invited(rows, 6, False, text=str(i))
        assert drawn.conditional
        # An estimate of the number of people in the first stratum, which is 9.
        pairs = zip(drawn.strata, drawn.probabilities, strict=True)
        estimates.append(float(sum(1 / p for label, p in pairs if label == ("s0",))))
    mean = sum(estimates) / len(estimates)
    spread = math.sqrt(sum((x - mean) ** 2 for x in estimates) / len(estimates) / (len(estimates) - 1))
    assert abs(mean - 9) < 4.5 * spread


def test_in_two_stages_everybody_has_the_stated_chance() -> None:
    sizes = {"big": 20, "a": 3, "b": 4, "c": 5}
    rows = [Row(f"{name}{i}", (name,), 1) for name, n in sizes.items() for i in range(n)]
    register = table(rows, False).rename_columns(["id", "commune"])
    counts: Counter[str] = Counter()
    for i in range(350):
        drawn = klero.invite(register, size=5, trial_seed=str(i), stages="commune:2")
        counts.update(drawn.ids)
        assert len(drawn.ids) == 5
    by_name = {row.label[0]: row for row in drawn.table}
    assert by_name["big"].chance == 1
    assert [by_name[c].chance for c in "abc"] == [Fraction(n, 12) for n in (3, 4, 5)]
    # 5 letters: 20/32 of them rounded to 3 for «big», 2 for the one of the others that is hit.
    expected = {row.id: Fraction(3, 20) if row.stratum == ("big",) else Fraction(2, 12) for row in rows}
    assert_chances(counts, expected, 350)
    for person, p in zip(drawn.ids, drawn.probabilities, strict=True):
        assert p == expected[person]


@given(st.lists(st.integers(1, 30), min_size=1, max_size=12), st.data())
def test_systematic_draws_hit_each_in_proportion_over_all_starts(
    sizes: list[int], data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, len(sizes)))
    certain = certain_ones(sizes, count)
    rest = [s for i, s in enumerate(sizes) if i not in certain]
    m = count - len(certain)
    if not m:
        return
    hits: Counter[int] = Counter()
    for start in range(sum(rest)):
        hit = systematic(rest, m, start)
        assert len(hit) == m
        hits.update(hit)
    assert [hits[i] for i in range(len(rest))] == [m * s for s in rest]


def test_numbers_below_a_limit_are_spread_evenly() -> None:
    counts = Counter(below(bytes([i % 256, i // 256]) * 16, 7) for i in range(2100))
    assert set(counts) == set(range(7))
    assert max(counts.values()) < 300 + 5 * 17


@given(st.integers(0, 200), st.lists(st.integers(0, 50), min_size=1, max_size=8))
def test_largest_remainders_stay_within_one_letter_of_the_share(total: int, measures: list[int]) -> None:
    letters = apportion(total, measures)
    if not sum(measures):
        assert letters == [0] * len(measures)
        return
    assert sum(letters) == total
    assert letters == oracle.shares(total, measures)
    assert all(
        abs(Fraction(total * m, sum(measures)) - n) < 1 for n, m in zip(letters, measures, strict=True)
    )


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=1, max_size=8), st.data())
def test_spilled_letters_fit_and_none_is_lost(strata: list[tuple[int, int]], data: st.DataObject) -> None:
    shares, room = [a for a, _ in strata], [b for _, b in strata]
    if not sum(shares):
        return
    total = data.draw(st.integers(0, sum(room)))
    letters = spill(apportion(total, shares), shares, room)
    assert sum(letters) == total
    assert all(0 <= n <= r for n, r in zip(letters, room, strict=True))


def test_duels_over_all_numbers_give_each_exactly_its_share() -> None:
    """The two-person duel's rule, enumerated: every outcome of the number counted."""
    for total, a, b in product([7, 12], range(1, 7), range(1, 7)):
        both = a + b
        if both < total:
            first = sum(1 for x in range(both) if x < a)
            assert Fraction(first * both, both) == a
        else:
            limit = 2 * total - both
            first = sum(1 for x in range(limit) if x < total - b)
            rest = both - total
            mean = Fraction(first, limit) * total + (1 - Fraction(first, limit)) * rest
            assert mean == a


def test_csv_and_parquet_in_any_cut_give_the_same_people(tmp_path: Path) -> None:
    rows = people(300, random.Random(5), 3, True, 0)
    whole = table(rows, True)
    pq.write_table(whole, tmp_path / "all.parquet", row_group_size=50)
    with (tmp_path / "all.csv").open("w", encoding="cp1252", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow(whole.column_names)
        writer.writerows(zip(*whole.to_pydict().values(), strict=True))
    for i in range(3):
        pq.write_table(whole.slice(100 * i, 100), tmp_path / f"cut-{i}.parquet")
    options = {"size": 20, "trial_seed": "t", "strata": ["s0", "s1"], "weight": "w"}
    results = [
        klero.invite(tmp_path / "all.parquet", **options),  # type: ignore[arg-type]
        klero.invite(tmp_path / "all.csv", **options),  # type: ignore[arg-type]
        klero.invite(str(tmp_path / "cut-*.parquet"), **options),  # type: ignore[arg-type]
    ]
    assert results[0] == results[1] == results[2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("head", ["", "sep=;\n"])
def test_csv_of_every_encoding_is_the_same_register(tmp_path: Path, encoding: str, head: str) -> None:
    expected = klero.invite(
        pa.table({"id": ["é1", "é2", "b\nc"[:1], "7"], "área": ["x", "y", "x", "y"]}),
        size=2,
        trial_seed="t",
        strata=["área"],
    )
    text = head + 'w;"área";id\n1;x;é1\n2;y;"é2"\n3; x;b\n\n4;y;7\n'
    (tmp_path / "r.csv").write_bytes(text.encode(encoding))
    assert klero.invite(tmp_path / "r.csv", size=2, trial_seed="t", strata=["área"]) == expected


def test_columns_are_found_by_name_whatever_their_order(tmp_path: Path) -> None:
    columns = {"id": ["a", "b", "c", "d"], "s": ["x", "y", "x", "y"], "w": [1, 2, 3, 4]}
    options = {"size": 2, "trial_seed": "t", "strata": ["s"], "weight": "w"}
    expected = klero.invite(pa.table(columns), **options)  # type: ignore[arg-type]
    for names in (["w", "s", "id"], ["s", "id", "w"]):
        pq.write_table(pa.table(columns).select(names), tmp_path / "r.parquet")
        assert klero.invite(tmp_path / "r.parquet", **options) == expected  # type: ignore[arg-type]


def test_dates_and_numbers_are_strata_as_tables_show_them() -> None:
    import datetime as dt

    day = dt.datetime(2001, 2, 3)  # noqa: DTZ001 - a date of birth has no zone
    register = pa.table(
        {"id": [1, 2, 3], "d": pa.array([day, day, None], pa.timestamp("us")), "n": [1.0, 1.0, 2.5]}
    )
    drawn = klero.invite(register, size=1, trial_seed="t", strata=["d", "n"])
    assert [row.label for row in drawn.table] == [("", "2.5"), ("2001-02-03", "1")]


def test_integers_and_texts_of_the_same_digits_are_the_same_ids() -> None:
    numbers = klero.invite(pa.table({"id": list(range(50))}), size=5, trial_seed="t")
    for kind in (
        pa.string(),
        pa.large_string(),
        pa.int16(),
        pa.uint64(),
        pa.dictionary(pa.int32(), pa.string()),
    ):
        column = (
            pa.array(list(range(50))).cast(pa.string() if pa.types.is_dictionary(kind) else kind).cast(kind)
        )
        assert klero.invite(pa.table({"id": column}), size=5, trial_seed="t") == numbers


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["0,500", "1,5", "2.000", "1e1"]),
        pa.array(["0,5", "1.50", "2", "1e1"]),
        pa.array([0.5, 1.5, 2.0, 10.0]),
        pa.array(["0.5", "1.5", "2", "10"]).cast(pa.decimal128(10, 3)),
    ],
)
def test_weights_are_the_same_numbers_in_every_type(column: pa.Array) -> None:
    register = pa.table({"id": ["a", "b", "c", "d"], "w": column})
    drawn = klero.invite(register, size=1, trial_seed="t", weight="w")
    assert drawn.table[0].weight == 14
    assert drawn.table[0].factor == Fraction(1, 14)


def test_excluded_people_are_never_drawn_and_the_others_share_their_chance() -> None:
    register = pa.table({"id": [f"P{i}" for i in range(20)]})
    out = [{"id": f" P{i}"} for i in range(15)] + [{"id": "nobody"}]
    drawn = klero.invite(register, size=5, trial_seed="t", exclude=out)
    assert drawn.ids == tuple(f"P{i}" for i in range(15, 20))
    assert (drawn.excluded, drawn.exclusions, drawn.table[0].people) == (15, 16, 5)
    assert set(drawn.probabilities) == {Fraction(1)}


def test_excluded_people_do_not_stand_for_their_address() -> None:
    register = pa.table({"id": ["a", "b", "c"], "a": ["1 x", "1 x", "2 x"]})
    drawn = klero.invite(register, size=2, trial_seed="t", household=["a"], exclude=[{"id": "a"}])
    assert drawn.ids == ("b", "c")


def test_answers_wanted_and_rates_give_the_letters() -> None:
    register = pa.table({"id": list(range(200)), "s": ["x", "y"] * 100})
    wanted = [{"s": "x", "answers": 7}, {"s": "y", "answers": 10}]
    rates = [{"s": "x", "response": "10 %"}, {"s": "y", "response": 0.3}]
    drawn = klero.invite(register, trial_seed="t", strata=["s"], allocation=wanted, response=rates)
    assert [row.letters for row in drawn.table] == [70, 34]  # 10 / 0.3 = 33.3…
    assert drawn.expected_answers == 70 * Fraction(1, 10) + 34 * Fraction(3, 10)


def test_neyman_follows_rows_times_deviation() -> None:
    register = pa.table({"id": list(range(300)), "s": ["x"] * 100 + ["y"] * 200})
    drawn = klero.invite(
        register,
        size=50,
        trial_seed="t",
        strata=["s"],
        allocation="neyman",
        response=[{"s": "x", "sd": 3}, {"s": "y", "sd": 1}],
    )
    assert [row.letters for row in drawn.table] == [30, 20]
    rates = [{"s": "x", "response": 0.5}, {"s": "y", "response": 0.1}]
    drawn = klero.invite(register, size=50, trial_seed="t", strata=["s"], allocation="neyman", response=rates)
    assert [row.letters for row in drawn.table] == [23, 27]  # 100 · 0.5 to 200 · 0.3 of 50: 22.7 and 27.3


def test_equal_allocation_spills_what_a_small_stratum_can_not_use() -> None:
    register = pa.table({"id": list(range(30)), "s": ["x"] * 2 + ["y"] * 14 + ["z"] * 14})
    drawn = klero.invite(register, size=12, trial_seed="t", strata=["s"], allocation="equal")
    assert [row.asked for row in drawn.table] == [4, 4, 4]
    assert [row.letters for row in drawn.table] == [2, 5, 5]
    assert "4 would have been its share" in drawn.explain()


def test_a_stratum_that_is_given_no_letter_gets_none_of_the_surplus() -> None:
    register = pa.table({"id": list(range(12)), "s": ["x"] * 2 + ["y"] * 5 + ["z"] * 5})
    given = [{"s": "x", "letters": 4}, {"s": "y", "letters": 2}, {"s": "z", "letters": 0}]
    drawn = klero.invite(register, trial_seed="t", strata=["s"], allocation=given)
    assert [row.letters for row in drawn.table] == [2, 4, 0]
    given[1]["letters"] = 4
    with pytest.raises(klero.InputError, match=r"asks for 8 letters.* room for 7: 'x' .4 letters, 2 can"):
        klero.invite(register, trial_seed="t", strata=["s"], allocation=given)
    rates = [{"s": s, "response": 0.5} for s in "xyz"]
    answers = [{"s": "x", "answers": 4}, {"s": "y", "answers": 0}, {"s": "z", "answers": 0}]
    with pytest.raises(klero.InputError, match=r"asks for 8 letters.* room for 2"):
        klero.invite(register, trial_seed="t", strata=["s"], allocation=answers, response=rates)


def test_a_whole_register_can_be_drawn() -> None:
    rows = people(25, random.Random(1), 2, True, 0)
    assert len(invited(rows, 25, True).ids) == 25
    assert len(invited([Row(r.id, r.stratum) for r in rows], 25, False).ids) == 25


def test_address_lines_are_those_of_the_slow_twin() -> None:
    for text in ["12bis, RUE de l’Église", "  A-3 ", "№ 5", "Straße 7a", "--", "ﬁn 1er étage", "12 ter"]:
        assert _native.register_address_line(text) == oracle.line(text)


def test_many_excluded_people_are_all_left_out() -> None:
    register = pa.table({"id": list(range(3000))})
    drawn = klero.invite(register, size=1000, trial_seed="t", exclude=[{"id": i} for i in range(2000)])
    assert sorted(map(int, drawn.ids)) == list(range(2000, 3000))


def test_the_guide_runs() -> None:
    result = doctest.testfile(str(GUIDE), module_relative=False, encoding="utf-8")
    assert result.attempted > 5
    assert result.failed == 0


def test_the_guides_commands_exist_with_their_options() -> None:
    lines = [
        line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("klero invite ")
    ]
    assert len(lines) >= 4
    shown = CliRunner().invoke(cli, ["invite", "--help"]).output
    for line in lines:
        assert all(word in shown for word in line.split() if word.startswith("--")), line


@pytest.mark.parametrize(
    ("options", "digest", "ids"),
    [
        ({}, "e713da95cbd2932b", ("P1", "P16", "P18", "P23", "P27", "P35")),
        ({"weight": "w"}, "da12210133a99a75", ("P1", "P23", "P26", "P3", "P30", "P31")),
        (
            {"weight": "w", "household": ["street"]},
            "0e5c5e87fafcb225",
            ("P1", "P11", "P13", "P27", "P3", "P35"),
        ),
    ],
)
def test_known_draws_stay_as_they_are(options: dict[str, object], digest: str, ids: tuple[str, ...]) -> None:
    """A change here is a new version of the algorithm, and a line under «Changes in results»."""
    register = pa.table(
        {
            "id": [f"P{i}" for i in range(40)],
            "area": [["north", "south", "été"][i % 3] for i in range(40)],
            "w": [1 + i % 4 for i in range(40)],
            "street": [f"{i // 2} bis, rue de l'Église" for i in range(40)],
        }
    )
    drawn = klero.invite(register, size=6, trial_seed="pinned", strata=["area"], **options)  # type: ignore[arg-type]
    assert drawn.register_digest.startswith(digest)
    assert drawn.ids == ids


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_explanations_state_the_chance(lang: str) -> None:
    register = pa.table({"id": list(range(40)), "s": ["x", "y"] * 20})
    text = klero.invite(register, size=4, trial_seed="t", strata=["s"]).explain(lang)
    assert "1/10" in text
    assert "TRIAL" in text or "ESSAI" in text


def test_strata_that_differ_only_in_spelling_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register = tmp_path / "register.csv"
    towns = ["Orléans", "orleans", "ORLÉANS ", "Lille", "Saint-Denis", "Saint - Denis"]
    register.write_text("id,town\n" + "".join(f"{i},{towns[i % 6]}\n" for i in range(60)), encoding="utf-8")
    command = [
        "invite",
        str(register),
        "--strata",
        "town",
        "--trial-seed",
        "t",
        "-o",
        str(tmp_path / "l.csv"),
    ]
    assert run([*command, "--size", "1", "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["similar_strata"] == [
        [["ORLÉANS"], ["Orléans"], ["orleans"]],
        [["Saint - Denis"], ["Saint-Denis"]],
    ]
    assert shown.err.count("differ only in case, accents or spaces") == 2
    assert run([*command, "--size", "1", "--force"]) == 0
    shown = capsys.readouterr()
    assert shown.err.count("differ only in case, accents or spaces") == 2
    assert "1 letter from 60 rows" in shown.err


def test_chances_without_weights_are_no_multiple_of_a_weight(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    register = tmp_path / "register.csv"
    register.write_text(
        "id,a,w\n" + "".join(f"{i},{i // 2} High St,1\n" for i in range(20)), encoding="utf-8"
    )
    command = ["invite", str(register), "--size", "5", "--household", "a", "--trial-seed", "t"]
    assert run([*command, "-o", str(tmp_path / "l.csv")]) == 0
    shown = capsys.readouterr().out
    assert "25.00 %" in shown
    assert "weight" not in shown
    assert run([*command, "--weight", "w", "-o", str(tmp_path / "w.csv")]) == 0
    assert "× weight" in capsys.readouterr().out


@pytest.mark.parametrize(("lang", "claim"), [("en", "has no smaller chance"), ("fr", "ne réduit pas")])
def test_a_certain_address_takes_back_the_claim_on_households(lang: str, claim: str) -> None:
    rows = [{"id": i, "a": "1 care home" if i < 50 else f"{i} street"} for i in range(100)]
    drawn = klero.invite(pa.Table.from_pylist(rows), size=10, household=["a"], trial_seed="t")
    (row,) = drawn.table
    assert (row.certain, row.largest, row.lowest, row.factor) == (1, 50, Fraction(1, 50), Fraction(9, 50))
    assert set(drawn.probabilities) <= {row.lowest, row.factor}
    text = drawn.explain(lang)
    assert claim not in text
    assert "1/50" in text
    assert "9/50" in text
    assert "50 people" in text or "50 personnes" in text
    alone = klero.invite(pa.Table.from_pylist(rows[49:]), size=10, household=["a"], trial_seed="t")
    assert claim in alone.explain(lang)
    assert alone.table[0].lowest == alone.table[0].factor


def test_weights_of_certain_people_are_not_said_to_be_in_proportion() -> None:
    rows = [{"id": i, "w": 50 if i == 0 else 1} for i in range(60)]
    drawn = klero.invite(pa.Table.from_pylist(rows), size=6, weight="w", trial_seed="t")
    assert drawn.table[0].certain == 1
    assert "these are certain" in drawn.explain()
    assert "each with a chance" not in drawn.explain()
    assert "celles-ci sont certaines" in drawn.explain("fr")


def test_the_table_states_lowest_and_common_chance_and_the_largest_address(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    from klero.cli import run

    def say(lines: list[str], *options: str) -> tuple[str, str]:
        register = tmp_path / "r.csv"
        register.write_text("id,a,w\n" + "\n".join(lines) + "\n", encoding="utf-8")
        command = ["invite", str(register), "--trial-seed", "t", *options, "--force"]
        assert run([*command, "-o", str(tmp_path / "l.csv")]) == 0
        said = capfd.readouterr()
        return said.out, said.err

    homes = [f"{i},{'1 care home' if i < 50 else f'{i} street'},1" for i in range(100)]
    out, err = say(homes, "--size", "10", "--household", "a")
    assert "2.00 % to 18.00 %" in out
    assert "The largest address has 50 people. It gets a letter with certainty" in err
    assert "is 1/50, and 9/50 for" in err
    # where everybody is certain the column is not blank
    assert "100.00 %" in say(["1,x,2", "2,y,1"], "--size", "2", "--weight", "w")[0]
    assert "50.00 %" in say(["1,x,2", "2,x,1"], "--size", "1", "--household", "a")[0]


def test_who_has_no_address_lives_alone() -> None:
    texts = [
        "sans domicile fixe",
        "Sans domicile fixe",
        "SDF",
        "inconnu",
        "Inconnu",
        "unknown",
        "n/a",
        "N/A",
        "",
        None,
    ]
    homes = ["1 rue des Inconnus", "1 rue des inconnus"]
    register = pa.table({"id": list(range(12)), "a": [*texts, *homes]})
    drawn = klero.invite(register, size=11, trial_seed="t", household=["a"])
    assert (drawn.table[0].units, drawn.without_address, drawn.table[0].largest) == (11, 10, 2)
    # as those who prepare a pool are grouped
    people = [{"id": str(i), "a": a or ""} for i, a in enumerate([*texts, *homes])]
    found = klero.households(klero.Pool.read(people), ["a"])
    assert len(found.groups) == drawn.table[0].units
    assert len(found.without_address) == drawn.without_address


def test_all_words_for_no_address_are_those_of_households() -> None:
    from klero.sortition.addresses import _NOTHING

    for word in sorted(_NOTHING):
        register = pa.table({"id": [1, 2, 3], "a": [word, word.upper(), "1 x"]})
        assert klero.invite(register, size=2, trial_seed="t", household=["a"]).without_address == 2, word


@pytest.mark.parametrize("seed", range(3))
def test_people_without_address_are_drawn_as_by_the_slow_twin(seed: int) -> None:
    chance = random.Random(seed)
    kinds = ["SDF", "", "unknown", *(f"{i} rue X" for i in range(8))]
    rows = [(str(i), chance.choice(kinds)) for i in range(60)]
    table = pa.table({"id": [i for i, _ in rows], "a": [a for _, a in rows]})
    drawn = klero.invite(table, size=5, trial_seed="t", household=["a"])
    twins = [Row(i, (), 1, (a,)) for i, a in rows]
    assert drawn.register_digest == oracle.digest(twins).hex()
