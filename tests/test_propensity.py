"""Estimates of who answers, against registers whose answers are simulated with known factors."""

from __future__ import annotations

import csv
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import klero
from klero.cli import run
from klero.errors import InputError

AGES, SCHOOLS = ("16-34", "35-64", "65+"), ("short", "long")
# Older people have studied less: the features are not independent in the population.
CELLS = [(a, s) for a in AGES for s in SCHOOLS]
SHARES = np.array([0.10, 0.22, 0.18, 0.22, 0.20, 0.08])
BETA = {"16-34": 0.6, "35-64": 1.0, "65+": 1.5, "short": 0.5, "long": 1.3}
LETTERS, POPULATION = 12_000, 400_000


def true_q(level: float = 0.04) -> npt.NDArray[np.float64]:
    return np.array([level * BETA[a] * BETA[s] for a, s in CELLS])


def margins() -> list[dict[str, object]]:
    rows = [
        {
            "feature": "age",
            "value": a,
            "share": sum(p for p, c in zip(SHARES, CELLS, strict=True) if c[0] == a),
        }
        for a in AGES
    ]
    return rows + [
        {
            "feature": "school",
            "value": s,
            "share": sum(p for p, c in zip(SHARES, CELLS, strict=True) if c[1] == s),
        }
        for s in SCHOOLS
    ]


def volunteers(draw: np.random.Generator) -> klero.Pool:
    """Who answers of the people drawn from the register."""
    invited = draw.multinomial(LETTERS, SHARES)
    counts = draw.binomial(invited, true_q())
    people = [c for c, n in zip(CELLS, counts, strict=True) for _ in range(n)]
    return klero.Pool.read([{"id": f"P{i:05}", "age": a, "school": s} for i, (a, s) in enumerate(people)])


def first_of_each(pool: klero.Pool) -> list[int]:
    kinds = list(zip(pool.column("age"), pool.column("school"), strict=True))
    return [kinds.index(c) for c in CELLS]


@pytest.mark.parametrize("how", ["margins", "background"])
def test_intervals_hold_the_truth_as_often_as_they_say(how: str) -> None:
    draw = np.random.default_rng(7)
    runs, inside = 150, np.zeros(len(CELLS))
    for _ in range(runs):
        pool = volunteers(draw)
        sample = None
        if how == "background":
            seen = draw.multinomial(2000, SHARES)
            sample = [
                {"age": a, "school": s} for (a, s), n in zip(CELLS, seen, strict=True) for _ in range(n)
            ]
        found = klero.estimate_propensities(
            pool, margins(), LETTERS, POPULATION, background=sample, confidence=0.9
        )
        at = first_of_each(pool)
        inside += (found.low[at] <= true_q()) & (true_q() <= found.high[at])
    coverage = inside / runs
    # Three standard errors of a share of 150 runs around 90 %, and the mean over cells nearer.
    assert np.all(np.abs(coverage - 0.9) < 3 * np.sqrt(0.9 * 0.1 / runs))
    assert abs(coverage.mean() - 0.9) < 0.04


def test_estimates_come_near_the_factors_of_a_large_register() -> None:
    draw = np.random.default_rng(8)
    counts = draw.binomial(draw.multinomial(400_000, SHARES), true_q())
    people = [c for c, n in zip(CELLS, counts, strict=True) for _ in range(n)]
    pool = klero.Pool.read([{"age": a, "school": s} for a, s in people])
    found = klero.estimate_propensities(pool, margins(), 400_000, 400_000)
    assert np.allclose(found.q[first_of_each(pool)], true_q(), rtol=0.06)
    ratio = found.factors["school", "long"] / found.factors["school", "short"]
    assert ratio == pytest.approx(1.3 / 0.5, rel=0.05)


def test_volunteers_counted_as_often_as_they_stand_for_have_the_populations_shares() -> None:
    pool = volunteers(np.random.default_rng(9))
    found = klero.estimate_propensities(pool, margins(), LETTERS, POPULATION)
    assert found.composition(1 / found.q) == pytest.approx([m.share for m in found.margins])
    assert float((1 / found.q).sum()) == pytest.approx(LETTERS)


def test_with_the_papers_probabilities_everybody_has_the_same_chance_end_to_end() -> None:
    pool = volunteers(np.random.default_rng(10))
    found = klero.estimate_propensities(pool, margins(), LETTERS, POPULATION)
    chances = found.target(50)
    assert found.guarantee_holds(50)
    assert float(chances.sum()) == pytest.approx(50)
    assert found.end_to_end(list(chances)) == pytest.approx(np.full(len(pool), 50 / POPULATION))
    assert found.composition(chances) == pytest.approx([m.share for m in found.margins])
    assert found.alpha(50) == pytest.approx(LETTERS * found.q.min() / 50)


def test_where_some_stand_for_too_many_the_guarantee_is_denied_and_no_chance_is_above_one() -> None:
    people = [{"id": str(i), "g": "a" if i < 2 else "b"} for i in range(40)]
    shares = [{"feature": "g", "value": "a", "count": 50}, {"feature": "g", "value": "b", "count": 50}]
    found = klero.estimate_propensities(klero.Pool.read(people), shares, 1000, 5000)
    # 2 of 500 answered against 38 of 500.
    assert found.q[[0, -1]] == pytest.approx([2 / 500, 38 / 500])
    assert not found.guarantee_holds(20)
    chances = found.target(20)
    assert chances[:2] == pytest.approx([1, 1])
    assert chances[2:] == pytest.approx(np.full(38, 18 / 38))
    assert [m.value for m in found.small_cells] == ["a"]


def test_a_largest_ratio_raises_the_smallest_estimates_and_names_whom() -> None:
    people = [{"id": str(i), "g": "a" if i < 2 else "b"} for i in range(40)]
    shares = [{"feature": "g", "value": "a", "count": 50}, {"feature": "g", "value": "b", "count": 50}]
    found = klero.estimate_propensities(klero.Pool.read(people), shares, 1000, 5000, max_ratio=5)
    assert found.q.max() / found.q.min() == pytest.approx(5)
    assert found.clipped == ("0", "1")
    assert set(found.weights) == {"1.000", "5.000"}
    kept = klero.estimate_propensities(klero.Pool.read(people), shares, 1000, 5000)
    # Cut weights fit a panel of 20 and give no equal chances; the estimates don't fit it.
    assert not found.guarantee_holds(20)
    assert [found.guarantee_holds(k) for k in range(1, 41)] == [kept.guarantee_holds(k) for k in range(1, 41)]
    assert np.isnan(found.low[:2]).all()
    assert np.isnan(found.high[:2]).all()
    assert (found.low[2:] <= found.q[2:]).all()
    assert (found.q[2:] <= found.high[2:]).all()
    assert np.array_equal(found.estimated, kept.q)


def test_rows_that_a_largest_ratio_cut_have_no_interval_in_the_list(tmp_path: Path) -> None:
    people, shares, out = tmp_path / "people.csv", tmp_path / "margins.csv", tmp_path / "weights.csv"
    people.write_text(
        "id,g\n" + "".join(f"{i},{'a' if i < 2 else 'b'}\n" for i in range(40)), encoding="utf-8"
    )
    shares.write_text("feature,value,share\ng,a,50 %\ng,b,50 %\n", encoding="utf-8")
    base = ["propensity", str(people), str(shares), "--letters", "1000", "--population", "5000"]
    assert run([*base, "--max-ratio", "5", "-o", str(out)]) == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [(r["q_low"], r["q_high"]) for r in rows[:1]] == [("", "")]
    assert sum(not r["q_low"] for r in rows) == 2
    assert all(float(r["q_low"]) < float(r["q"]) < float(r["q_high"]) for r in rows if r["q_low"])


def test_the_order_of_rows_changes_no_weight() -> None:
    pool = volunteers(np.random.default_rng(11))
    rows = [
        {"id": i, "age": a, "school": s}
        for i, a, s in zip(pool.ids, pool.column("age"), pool.column("school"), strict=True)
    ]
    straight = klero.estimate_propensities(klero.Pool.read(rows), margins(), LETTERS, POPULATION)
    turned = klero.estimate_propensities(klero.Pool.read(rows[::-1]), margins()[::-1], LETTERS, POPULATION)
    assert dict(zip(straight.ids, straight.weights, strict=True)) == dict(
        zip(turned.ids, turned.weights, strict=True)
    )


def test_every_fault_of_the_margins_is_named() -> None:
    people = klero.Pool.read([{"g": "a", "h": "x"}, {"g": "b", "h": "x"}])
    rows = [
        {"feature": "g", "value": "a", "share": "0"},
        {"feature": "g", "value": "b", "share": "0.5"},
        {"feature": "g", "value": "b", "share": "0.5"},
        {"feature": "i", "value": "z", "share": "1"},
    ]
    with pytest.raises(InputError) as caught:
        klero.estimate_propensities(people, rows, 1, 0, confidence=2)
    codes = {fault.code for fault in caught.value.faults}
    assert codes >= {
        "margin-invalid",
        "margin-duplicate",
        "feature-missing",
        "propensity-letters",
        "option-range",
    }


@pytest.mark.parametrize(
    "texts",
    [
        ("0.49", "0.51"),
        ("0,49", "0,51"),
        ("49", "51"),
        ("49 %", "51 %"),
        ("49%", "51\u00a0%"),
        ("48.9", "51.2"),
        ("490", "510"),
        ("49000", "51000"),
        ("0.485", "0.508"),
    ],
)
def test_shares_per_cent_and_counts_are_read(texts: tuple[str, str]) -> None:
    people = klero.Pool.read([{"g": "a"}, {"g": "b"}])
    rows = [{"feature": "g", "value": v, "share": t} for v, t in zip("ab", texts, strict=True)]
    found = klero.estimate_propensities(people, rows, 10, 100)
    assert sum(m.share for m in found.margins) == pytest.approx(1)
    assert found.margins[0].share == pytest.approx(0.49, abs=0.005)


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (("0.49", "0.31"), "margin-sum"),
        (("0.6", "0.6"), "margin-sum"),
        (("49.5", "31"), "margin-sum"),
        (("49 %", "31 %"), "margin-sum"),
        (("49 %", "51"), "margin-sum"),
        (("0.985", "0.004"), "margin-sum"),
        (("1,000", "2,000"), "margin-invalid"),
        (("49 % or so", "51 %"), "margin-invalid"),
    ],
)
def test_shares_that_are_no_whole_are_refused(texts: tuple[str, str], code: str) -> None:
    people = klero.Pool.read([{"g": "a"}, {"g": "b"}])
    rows = [{"feature": "g", "value": v, "share": t} for v, t in zip("ab", texts, strict=True)]
    with pytest.raises(InputError) as caught:
        klero.estimate_propensities(people, rows, 10, 100)
    # A share that can't be read also leaves its value without one.
    assert {fault.code for fault in caught.value.faults} - {"value-unknown"} == {code}


def test_a_value_that_nobody_in_the_pool_has_is_refused() -> None:
    people = klero.Pool.read([{"g": "a"}, {"g": "a"}])
    rows = [{"feature": "g", "value": v, "share": "0.5"} for v in "ab"]
    with pytest.raises(InputError, match="margin-empty"):
        klero.estimate_propensities(people, rows, 10, 100)


def test_shares_that_no_weights_reach_are_refused() -> None:
    # g and h go together in the pool, so their shares can't differ.
    people = klero.Pool.read([{"g": v, "h": v} for v in "aabb"])
    rows = [
        *({"feature": "g", "value": v, "share": s} for v, s in (("a", "0.5"), ("b", "0.5"))),
        *({"feature": "h", "value": v, "share": s} for v, s in (("a", "0.2"), ("b", "0.8"))),
    ]
    with pytest.raises(InputError, match="propensity-no-fit"):
        klero.estimate_propensities(people, rows, 10, 100)


def write_tables(folder: Path) -> tuple[str, str]:
    pool = volunteers(np.random.default_rng(12))
    people, shares = folder / "people.csv", folder / "margins.csv"
    with people.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "age", "school"])
        writer.writerows(zip(pool.ids, pool.column("age"), pool.column("school"), strict=True))
    with shares.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["feature", "value", "share"])
        table.writeheader()
        table.writerows(margins())
    return str(people), str(shares)


def test_the_command_writes_weights_that_a_lottery_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people, shares = write_tables(tmp_path)
    weights = tmp_path / "weights.csv"
    base = ["propensity", people, shares, "--letters", str(LETTERS), "--population", str(POPULATION)]
    assert run([*base, "--size", "50", "--format", "json", "-o", str(weights)]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["equal_chances_possible"] is True
    for value in data["values"]:
        assert value["expected_panel_share"] == pytest.approx(value["population_share"])
    rows = list(csv.DictReader(weights.read_text(encoding="utf-8").splitlines()))
    assert min(Fraction(r["weight"]) for r in rows) == 1
    assert all(float(r["q_low"]) < float(r["q"]) < float(r["q_high"]) for r in rows)
    quotas = tmp_path / "quotas.csv"
    quotas.write_text("feature,value,min,max\nage,16-34,0,9\nage,35-64,0,9\nage,65+,0,9\n", encoding="utf-8")
    joined = tmp_path / "joined.csv"
    with joined.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "age", "weight"])
        ages = dict(line.split(",")[:2] for line in Path(people).read_text(encoding="utf-8").splitlines())
        writer.writerows([r["id"], ages[r["id"]], r["weight"]] for r in rows)
    assert run(["check", str(joined), str(quotas), "--size", "9", "--weight", "weight"]) == 0


@pytest.mark.parametrize(("lang", "word"), [("en", "answers, times the mean"), ("fr", "réponses / moyenne")])
def test_the_report_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], lang: str, word: str
) -> None:
    people, shares = write_tables(tmp_path)
    base = ["propensity", people, shares, "--letters", str(LETTERS), "--population", str(POPULATION)]
    assert run([*base, "--size", "50", "--lang", lang]) == 0
    assert word in capsys.readouterr().out
