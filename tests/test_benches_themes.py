"""The benches of themes on a made-up set, without any peer: they run, and what they count is right."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHES = Path(__file__).parents[1] / "benches" / "themes"
sys.path.append(str(BENCHES))
import jobs  # noqa: E402
import mixture  # noqa: E402
import ours  # noqa: E402
import scores  # noqa: E402
import sets  # noqa: E402


def run(script: str, *args: str) -> str:
    process = subprocess.run(
        [sys.executable, str(BENCHES / script), *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    return process.stdout


def cells(table: str, label: str) -> list[str]:
    (line,) = [line for line in table.splitlines() if line.startswith(f"| {label}")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_quality_finds_the_made_classes_in_any_order_and_counts_what_is_out_of_scope(tmp_path: Path) -> None:
    out = run(
        "quality.py", "--cache", str(tmp_path), "--rows", "made", "full", "order", "--rehearse",
        "--tools", "oracle", "--seeds", "1",
    )  # fmt: skip
    made, full, order = (out.split(f"**{name}**")[1] for name in ("made", "full", "order"))
    assert cells(made, "oracle")[1:3] == ["10", "1.00"]
    assert cells(order, "oracle") == ["oracle", "1.000", "1.000", "1.000"]
    usual = cells(full, "oracle, as it comes")
    assert usual[2] == "1.000"
    assert float(usual[5]) > 0.9
    assert float(usual[6]) == 0.0


def test_speed_prints_time_memory_and_agreement(tmp_path: Path) -> None:
    args = [
        "--cache",
        str(tmp_path),
        "--rows",
        "50k",
        "--tools",
        "normalise",
        "--runs",
        "2",
        "--scale",
        "0.01",
    ]
    line = cells(run("speed.py", *args), "normalise")
    assert len(line) == 6
    assert line[4:] == ["1", "0.000"]


def test_a_draw_has_sizes_in_proportion_to_one_over_the_rank_and_at_least_three() -> None:
    classes = np.repeat([-1, 0, 1, 2, 3, 4], [9, 30, 30, 30, 30, 2])
    rows = sets.zipf(classes, 7)
    drawn = classes[rows]
    assert (drawn >= 0).all()
    assert (np.diff(rows) > 0).all()
    ranked = np.random.default_rng(7).permutation(5)
    most = 2 if ranked[0] == 4 else 30
    for rank, which in enumerate(ranked, 1):
        wanted = max(3, int(most / rank + 0.5))
        assert (drawn == which).sum() == min(wanted, 2 if which == 4 else 30)
    assert np.array_equal(rows, sets.zipf(classes, 7))
    assert not np.array_equal(rows, sets.zipf(classes, 8))


def test_scores_of_groups_counted_by_hand() -> None:
    # 1,000 points: a class of 993 in one group with one of the rare class 1; 1 has its own group of two of three; 2 is thrown out, one of four alone.
    classes = np.repeat([0, 1, 2], [993, 3, 4])
    groups = np.concatenate([np.zeros(993), [0, 1, 1], [-1, -1, -1, 2]]).astype(np.int64)
    found = scores.scored(classes, groups)
    assert found["groups"] == 2
    assert found["rare_recall"] == 0.5
    assert found["f1_rare"] == pytest.approx((2 * 2 / (3 + 2) + 0) / 2)
    assert found["f1_common"] == pytest.approx(2 * 993 / (993 + 994))
    assert found["out_rare"] == pytest.approx(3 / 7)
    assert found["out_common"] == 0
    assert found["out_disparity"] == float("inf")
    assert found["alone_rare"] == pytest.approx(4 / 7)
    assert found["excluded_rare"] == pytest.approx(4 / 7)
    beyond = scores.out_of_scope(np.where(classes == 2, -1, classes), groups)
    assert beyond == {"small_outside": 1.0, "small_inside": pytest.approx(2 / 996)}


def test_points_thrown_out_are_alone_in_either_grouping() -> None:
    one, two = np.array([0, 0, 1, 1, -1, -1]), np.array([5, 5, 7, 7, 8, 9])
    assert scores.ari(one, two) == scores.ari(two, one) == 1.0
    assert scores.ari(one, np.array([5, 5, 7, 7, 8, 8])) < 1.0


def test_a_grain_is_searched_from_the_coarse_side_by_the_number_of_groups() -> None:
    def cut(
        grain: float,
    ) -> np.ndarray:  # 100 points in pairs as the grain grows, then alone: numbers rise and fall
        pairs = int(min(grain, 50))
        rows = np.arange(100)
        groups = np.where(rows < 2 * pairs, rows // 2, 1000)
        return np.where(rows < 2 * (grain - 50), 2000 + rows, groups)

    grain, groups = jobs.near(cut, [1, 10, 40, 60, 99], 21, between=True)
    assert jobs.number(groups) == 21
    assert grain < 50
    most, groups = jobs.near(cut, [1, 10, 40, 60, 99], 90, between=True)
    assert (most, jobs.number(groups)) == (40, 41)


def test_the_oracle_merges_the_most_similar_on_average() -> None:
    angles = np.deg2rad([0, 10, 35, 90])
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert ours.linked(points, 0.9).tolist() == [0, 0, 1, 2]
    # 0 and 10 degrees with 35: (cos 35 + cos 25) / 2 = 0.863
    assert ours.linked(points, 0.86).tolist() == [0, 0, 0, 1]
    assert ours.linked(points, 0.87).tolist() == [0, 0, 1, 2]


def test_a_mixture_is_the_same_again_and_of_unit_length(tmp_path: Path) -> None:
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    made = [mixture.make(folder, 300, "texts", topics=20, width=16) for folder in folders]
    one, two = (np.load(vectors) for vectors, _ in made)
    assert np.array_equal(one, two)
    assert np.allclose(np.linalg.norm(one, axis=1), 1, atol=1e-6)
    topics = np.load(made[0][1])
    assert (np.bincount(topics, minlength=20)[:2] > 30).all()
