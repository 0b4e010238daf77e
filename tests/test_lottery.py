"""The lottery against the oracle, against known answers, and against itself: shuffled rows, threads, processes."""

from __future__ import annotations

import csv
import json
import os
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from klero.errors import InfeasibleError, InputError
from klero.ledger.bundle import bundle_files
from klero.ledger.verify import verify_files
from klero.sortition.certificate import Level, linear_bound, mean_bound, measured_gap
from klero.sortition.feasibility import SearchLimitError
from klero.sortition.instance import Instance, read_instance
from klero.sortition.lottery import Lottery, fair_lottery, lottery_for
from klero.sortition.pool import Pool
from klero.sortition.quotas import Quotas
from oracle import random_instances, truth

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("KLERO_DATA", ROOT.parent / "shared" / "data")) / "sortition"
EXAMPLES = ROOT / "python" / "klero" / "examples"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"no benchmark cases at {DATA} (set KLERO_DATA)")

MINIMA = {
    "example_small_20": "1/10",
    "example_large_200": "1/10",
    "ida_medium_37": "5/84",
    "like_cca_75": "5/297",
    "like_exact_30": "4/97",
    "like_hd_30": "59/940",
    "like_nexus_170": "2/5",
    "sf_fixture_22": "1/11",
    "sfbench_300_45_tight": "2/15",
    "sfbench_500_75": "3/20",
}


def case(name: str) -> Instance:
    meta = json.loads((DATA / name / "meta.json").read_text())
    tables = DATA / name / "respondents.csv", DATA / name / "categories.csv"
    return read_instance(*tables, meta["k"], meta["id_column"])


def level_values(lottery: Lottery) -> tuple[Fraction, ...]:
    """The level of each type."""
    values = {t: level.value for level in lottery.certificate.levels for t, _ in level.types}
    return tuple(values[t] for t in range(len(lottery.instance.types)))


def meets_all_quotas(lottery: Lottery) -> bool:
    instance = lottery.instance
    for _, seats in lottery.panels:
        totals = [0] * len(instance.cells)
        for t, s in seats:
            if not 1 <= s <= instance.counts[t]:
                return False
            for c in instance.type_cells(t):
                totals[c] += s
        if any(not lo <= n <= hi for n, (lo, hi) in zip(totals, instance.cell_bounds, strict=True)):
            return False
        if sum(s for _, s in seats) != instance.size:
            return False
    return True


@pytest.fixture(scope="module")
def example() -> Lottery:
    return lottery_for(read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30))


@pytest.mark.parametrize("seed", range(6))
def test_leximin_is_the_oracles_on_small_random_instances(seed: int) -> None:
    met = infeasible = 0
    for instance in random_instances(1000 + seed, 60):
        true = truth(instance)
        if true is None:
            infeasible += 1
            with pytest.raises(InfeasibleError):
                lottery_for(instance)
            continue
        lottery = lottery_for(instance)
        assert level_values(lottery) == true.probabilities
        assert set(lottery.never) == set(true.never)
        assert lottery.certificate.gap <= Fraction(1, 10**5)
        assert meets_all_quotas(lottery)
        met += 1
    assert met > 20
    assert infeasible > 0


def test_maximin_is_the_oracles_smallest_probability_among_those_who_can_sit() -> None:
    for instance in random_instances(77, 80):
        true = truth(instance)
        if true is None:
            continue
        lottery = lottery_for(instance, "maximin")
        able = [p for t, p in enumerate(true.probabilities) if t not in true.never]
        assert lottery.certificate.levels[-1].value == min(able)
        assert set(lottery.never) == set(true.never)
        assert lottery.certificate.gap <= Fraction(1, 10**5)


@needs_data
@pytest.mark.parametrize("name", MINIMA)
def test_leximin_minimum_of_known_pools(name: str) -> None:
    lottery = lottery_for(case(name))
    assert lottery.certificate.levels[0].value == Fraction(MINIMA[name])
    assert lottery.certificate.gap <= Fraction(1, 10**5)
    assert meets_all_quotas(lottery)


@needs_data
@pytest.mark.parametrize("name", ["example_small_20", "example_large_200"])
def test_minimum_of_the_public_examples_is_a_tenth_to_the_ball(name: str) -> None:
    assert lottery_for(case(name)).min_probability == Fraction(1, 10)


@needs_data
def test_sf_fixture_maximum_is_the_published_one() -> None:
    assert float(lottery_for(case("sf_fixture_22")).max_probability) == pytest.approx(0.4709, abs=5e-5)


@needs_data
@pytest.mark.parametrize(
    "name", [f"gap_{n}" for n in ("1_5", "2_5", "3_5", "4_5", "5_4", "6_5", "7_4", "8_5")]
)
def test_tight_pools_reach_the_true_maximin(name: str) -> None:
    lottery = lottery_for(case(name))
    true = Fraction(json.loads((DATA / name / "meta.json").read_text())["true_maximin"])
    assert lottery.certificate.levels[0].value == true
    assert abs(lottery.min_probability - true) <= Fraction(1, 10**6)


def test_levels_are_bounds_that_integers_prove(example: Lottery) -> None:
    settled: dict[int, Fraction] = {}
    for level in example.certificate.levels:
        assert not level.proof
        best = linear_bound(example.instance, settled, level)
        assert mean_bound(example.instance, settled, level, best) == level.value
        settled |= {t: level.value for t, _ in level.types}
    assert set(settled) == set(range(len(example.instance.types)))


def test_probabilities_sum_to_the_size_and_are_those_of_the_balls(example: Lottery) -> None:
    instance = example.instance
    assert sum(p * n for p, n in zip(example.type_probabilities, instance.counts, strict=True)) == 30
    assert sum(balls for balls, _ in example.panels) == 10**6
    table = example.to_arrow()
    assert table.num_rows == 240
    exact = Fraction(table["probability_exact"][16].as_py())
    assert exact == example.probability(table["id"][16].as_py())
    assert example.probabilities[16] == float(exact)
    assert not example.probabilities.flags.writeable


def test_gap_is_measured_not_declared(example: Lottery) -> None:
    worst = max(v - p for v, p in zip(level_values(example), example.type_probabilities, strict=True))
    assert example.certificate.gap == max(Fraction(0), worst)
    moved = list(example.type_probabilities)
    moved[3] -= Fraction(1, 100)
    levels = example.certificate.levels
    assert measured_gap(example.instance, levels, moved, last_covers_rest=False) >= Fraction(
        1, 100
    ) - Fraction(1, 10**5)


@pytest.mark.parametrize("balls", [10**3, 10**9])
def test_other_numbers_of_balls(balls: int) -> None:
    instance = read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30)
    lottery = lottery_for(instance, denominator=balls)
    assert sum(b for b, _ in lottery.panels) == balls
    assert meets_all_quotas(lottery)
    assert lottery.certificate.gap <= Fraction(10, balls)


@pytest.mark.parametrize("balls", [0, 7, 999, 10**13, -1000])
def test_balls_that_are_no_power_of_ten_are_refused(balls: int) -> None:
    instance = read_instance(EXAMPLES / "people.csv", EXAMPLES / "quotas.csv", 30)
    with pytest.raises(InputError, match="balls-invalid"):
        lottery_for(instance, denominator=balls)


def test_everybody_sits_where_size_is_the_pool() -> None:
    people = [{"id": str(i), "g": "ab"[i % 2]} for i in range(6)]
    quotas = [{"feature": "g", "value": v, "min": 0, "max": 6} for v in "ab"]
    lottery = fair_lottery(Pool.read(people), Quotas.read(quotas), size=6)
    assert lottery.min_probability == 1
    assert lottery.gini == 0


def test_infeasible_quotas_name_the_conflict_and_the_smallest_change() -> None:
    people = [{"id": str(i), "g": "a" if i < 3 else "b"} for i in range(10)]
    quotas = [
        {"feature": "g", "value": "a", "min": 4, "max": 5},
        {"feature": "g", "value": "b", "min": 0, "max": 9},
    ]
    with pytest.raises(InfeasibleError, match="lower that minimum to 3") as caught:
        fair_lottery(Pool.read(people), Quotas.read(quotas), size=6)
    assert len(caught.value.conflict) == 1


def bundle_digest(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def make_bundle(people: Path, quotas: Path, out: Path, **environment: str) -> dict[str, bytes]:
    """A bundle with its draw, made in a fresh process."""
    klero = [sys.executable, "-m", "klero"]
    env = {**os.environ, **environment}
    for step in (
        ["lottery", str(people), str(quotas), "--size", "30", "-o", str(out)],
        ["draw", str(out), "--trial-seed", "été"],
    ):
        subprocess.run([*klero, *step], check=True, capture_output=True, env=env)
    return bundle_digest(out)


def test_bundle_is_the_same_bytes_for_threads_processes_hash_seeds_and_row_orders(tmp_path: Path) -> None:
    people, quotas = EXAMPLES / "people.csv", EXAMPLES / "quotas.csv"
    first = make_bundle(
        people, quotas, tmp_path / "a", PYTHONHASHSEED="0", OMP_NUM_THREADS="1", RAYON_NUM_THREADS="1"
    )
    second = make_bundle(
        people, quotas, tmp_path / "b", PYTHONHASHSEED="1", OMP_NUM_THREADS="2", RAYON_NUM_THREADS="2"
    )
    assert first == second
    shuffled = []
    for table in (people, quotas):
        with table.open(encoding="utf-8", newline="") as source:
            header, *rows = csv.reader(source)
        random.Random(5).shuffle(rows)
        shuffled.append(tmp_path / table.name)
        with shuffled[-1].open("w", encoding="utf-8", newline="") as sink:
            csv.writer(sink).writerows([header, *rows])
    assert make_bundle(*shuffled, tmp_path / "c", PYTHONHASHSEED="random") == first


def test_one_level_over_everybody_does_not_pass_for_a_proof(example: Lottery) -> None:
    """A maximin lottery dressed up as leximin: huge weights on who is tight, 1 on all others."""
    maximin = lottery_for(example.instance, "maximin")
    level = maximin.certificate.levels[-1]
    tight = {t: y * 10**12 for t, y in level.types}
    everybody = tuple((t, tight.get(t, 1)) for t in range(len(example.instance.types)))
    cells = tuple((c, w * 10**12) for c, w in level.cells)
    forged = Level(Fraction(0), everybody, cells, level.seats * 10**12)
    value = mean_bound(example.instance, {}, forged, linear_bound(example.instance, {}, forged))
    forged = Level(value, everybody, cells, forged.seats)
    assert value - level.value < Fraction(1, 10**6)
    assert measured_gap(example.instance, [forged], maximin.type_probabilities, last_covers_rest=False) > 1


def test_search_refuses_lists_of_the_wrong_length() -> None:
    from klero._native import PanelSearch

    search = PanelSearch(1, [[0], [1]], ([0, 0], [1, 1]), ([0, 0], [1, 1]), [1, 0])
    with pytest.raises(ValueError, match="2 numbers are expected, 1 are given"):
        search.toward([1.0])
    with pytest.raises(ValueError, match="weights"):
        search.balls([], [0.5, 0.5], [1, 1], 1000)


def test_odd_options_and_sources_are_told_in_words_or_taken(example: Lottery) -> None:
    import numpy as np

    people = [{"id": f"p{i}", "g": "ab"[i % 2]} for i in range(6)]
    quotas = [{"feature": "g", "value": v, "min": 1, "max": 1} for v in "ab"]
    assert fair_lottery(people, quotas, size=np.int64(2)).min_probability == Fraction(1, 3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="balls-invalid"):
        lottery_for(example.instance, denominator=1e6)  # type: ignore[arg-type]
    wide = [{"id": "x", **{f"f{j}": "a" for j in range(65)}}]
    bounds = [{"feature": f"f{j}", "value": "a", "min": 0, "max": 1} for j in range(65)]
    with pytest.raises(InputError, match="quota-too-many-features"):
        fair_lottery(wide, bounds, size=1)
    with pytest.raises(InputError, match="id-control"):
        fair_lottery([{"id": "a\nb", "g": "a"}, {"id": "c", "g": "b"}], quotas, size=2)
    with pytest.raises(InputError, match="cell-type"):
        Pool.read([{"id": 10**5000, "g": "a"}])


def gapped() -> list[Instance]:
    """Small pools whose linear bound no lottery reaches, beyond people who can never sit."""
    found = []
    for instance in random_instances(7, 900):
        if truth(instance) is None:
            continue
        levels = lottery_for(instance).certificate.levels
        if any(level.value > 0 and level.proof for level in levels):
            found.append(instance)
    return found


def test_a_gap_too_large_to_settle_is_published_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    pools = gapped()
    assert pools
    monkeypatch.setattr("klero.sortition.lottery._MOST_TYPES_OVER_PANELS", 0)
    for instance in pools:
        lottery = lottery_for(instance)
        assert meets_all_quotas(lottery)
        levels = lottery.certificate.levels
        measured = measured_gap(instance, levels, lottery.type_probabilities, last_covers_rest=False)
        assert lottery.certificate.gap == measured > Fraction(1, 10**5)
        assert verify_files(bundle_files(lottery)).ok


def test_an_exact_search_at_its_limit_does_not_lose_the_run(
    monkeypatch: pytest.MonkeyPatch, example: Lottery
) -> None:
    def gives_up(*_: object) -> None:
        raise SearchLimitError("at its limit")

    monkeypatch.setattr("klero.sortition.lottery.realise", gives_up)
    lottery = lottery_for(example.instance)
    assert meets_all_quotas(lottery)
    assert lottery.certificate.levels[0].value == example.certificate.levels[0].value


def test_results_name_their_algorithm_and_input(example: Lottery) -> None:
    assert example.algorithm == "klero-lottery/2"
    assert example.input_digest == example.instance.digest()
