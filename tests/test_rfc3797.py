"""RFC 3797's method is replayed: the RFC's own example, and draws as they were published."""

from __future__ import annotations

import hashlib
import json
import os
import re
from math import comb, log2
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klero.cli import run
from klero.errors import InputError
from klero.ledger.rfc3797 import bits_needed, bits_shown, key_string, read_names, read_seeds, replay

DATA = (
    Path(os.environ.get("KLERO_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    / "ledger"
    / "rfc3797"
)
published = pytest.mark.skipif(not DATA.is_dir(), reason=f"the published draws are not at {DATA}")

# The RFC's example: three sources, 25 names, in the order they were picked.
RFC_SEEDS = "# 1\n9319\n2 5 12 8 10\n9 18 26 34 41 45\n# 2\n"
RFC_KEY = "9319./2.5.8.10.12./9.18.26.34.41.45./"
RFC_SELECTED = [17, 7, 2, 16, 25, 23, 8, 24, 19, 13, 22]


def test_the_rfcs_example() -> None:
    draw = replay(read_seeds(RFC_SEEDS), pool=25, count=11)
    assert draw.key == RFC_KEY
    assert [step.selected for step in draw.steps] == RFC_SELECTED
    assert draw.steps[0].digest == "990DD0A5692A029A98B5E01AA28F3459"
    assert [step.divisor for step in draw.steps] == list(range(25, 14, -1))


@published
def test_the_rfcs_example_as_published() -> None:
    names = read_names((DATA / "ref.names").read_text())
    draw = replay(read_seeds((DATA / "ref.seeds").read_text()), names=names, count=16)
    assert _table((DATA / "ref.results").read_text(), draw) == 16


@published
def test_the_draw_of_2022_as_published() -> None:
    names = read_names((DATA / "2022.names").read_text())
    draw = replay(read_seeds((DATA / "2022.seeds").read_text()), names=names, count=10)
    text = (DATA / "2022.results").read_text()
    assert _table(text, draw) == 10
    assert f"Key string is {draw.key} " in text


@published
@pytest.mark.parametrize("year", [2012, 2013])
def test_the_draws_of_2012_and_2013_as_published(year: int) -> None:
    case, output = (DATA / f"testcase-{year}.txt").read_text(), (DATA / f"output-{year}.txt").read_text()
    pool = int(re.search(r"Size of Pool: (\d+)", case)[1])  # type: ignore[index]
    seeds = "\n".join(re.findall(r"Input \([^)]*\):\n([\d ]+)", case))
    draw = replay(read_seeds(seeds), pool=pool, count=12)
    assert f"Key is:\n {draw.key}\n" in output
    assert _table(output, draw) == 12
    told = [int(n) for n in case.split("Results:")[1].split()]
    assert [step.selected for step in draw.steps][: len(told)] == told
    assert draw.needed == float(re.search(r"Approximately ([\d.]+) bits", output)[1])  # type: ignore[index]


@published
def test_the_draw_of_2023_runs_with_its_comments() -> None:
    names = read_names((DATA / "2023.names2").read_text())
    seeds = read_seeds((DATA / "2023.seeds").read_text())
    assert [len(line) for line in seeds] == [7, 6, 8, 9]
    draw = replay(seeds, names=names, count=10)
    assert all(step.name == names[step.selected - 1] for step in draw.steps)


def _table(text: str, draw) -> int:  # type: ignore[no-untyped-def]
    """How many steps of a published table there are; each is compared."""
    lines = re.findall(r"^ *(\d+)  ([0-9A-F]{32})  (\d+)  -> +(\d+) <-(.*)$", text, re.MULTILINE)
    for (index, digest, divisor, selected, name), step in zip(lines, draw.steps, strict=True):
        assert (int(index), digest, int(divisor), int(selected)) == (
            step.index,
            step.digest,
            step.divisor,
            step.selected,
        )
        assert not name.strip() or name.strip() == step.name
    return len(lines)


@given(
    st.lists(st.lists(st.integers(0, 10**12), min_size=1, max_size=8), min_size=1, max_size=4),
    st.integers(1, 60),
    st.data(),
)
def test_it_is_the_plain_loop_of_the_rfc(seeds: list[list[int]], pool: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, pool))
    key = "".join(".".join(map(str, sorted(line))) + "./" for line in seeds)
    left, chosen = list(range(pool)), []
    for i in range(count):
        edge = bytes([i >> 8, i & 255])
        value = int(hashlib.md5(edge + key.encode() + edge).hexdigest(), 16)  # noqa: S324
        chosen.append(left[value % (pool - i)] + 1)
        left.remove(chosen[-1] - 1)
    draw = replay(seeds, pool=pool, count=count)
    assert [step.selected for step in draw.steps] == chosen
    assert draw.key == key == key_string(seeds)


@given(st.integers(1, 400), st.data())
def test_entropy_needed_is_the_logarithm_rounded_up(pool: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, pool))
    true = log2(comb(pool, count))
    assert true - 1e-6 <= bits_needed(pool, count) <= true + 0.1 + 1e-6


def test_entropy_shown_counts_each_source() -> None:
    assert bits_shown([(9319,)]) == 13.2
    assert bits_shown([(2, 5, 12)]) == 7.7  # C(12, 3) = 220
    assert bits_shown([(3, 3)]) == 3.3  # two of 0 to 3, repeats allowed: 10


def test_leading_zeros_are_dropped_as_the_real_draws_did() -> None:
    assert read_seeds("08285182\n007 07") == ((8285182,), (7, 7))


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("", "holds no numbers"),
        ("# only a comment\n", "holds no numbers"),
        ("12.50\n", "'12.50' is no whole number"),
        ("-3\n", "'-3' is no whole number"),
        ("1 2\n٣\n", "row 2"),
        ("1" * 41, "at most 40 digits"),
    ],
)
def test_seeds_that_are_no_numbers_are_told(text: str, fragment: str) -> None:
    with pytest.raises(InputError, match=fragment):
        read_seeds(text)


def test_all_faulty_seeds_are_told_at_once() -> None:
    with pytest.raises(InputError) as caught:
        read_seeds("a 1 b\nc")
    assert [(f.row, f.value) for f in caught.value.faults] == [(1, "a"), (1, "b"), (2, "c")]


@pytest.mark.parametrize(("pool", "count"), [(0, 1), (5, 6), (5, 0), (10**9, 1)])
def test_sizes_that_do_not_fit_are_refused(pool: int, count: int) -> None:
    with pytest.raises(InputError, match="option-range"):
        replay([(1,)], pool=pool, count=count)


def test_the_command_prints_the_table_and_what_the_method_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "seeds").write_text(RFC_SEEDS)
    (tmp_path / "names").write_text("".join(f"name {i}\n" for i in range(1, 26)))
    assert (
        run(["rfc3797", "--seeds", str(tmp_path / "seeds"), "--names", str(tmp_path / "names"), "-n", "11"])
        == 0
    )
    shown = capsys.readouterr()
    assert f"Key is: {RFC_KEY}" in shown.out
    assert [int(n) for n in re.findall(r"name (\d+)$", shown.out, re.MULTILINE)] == RFC_SELECTED
    assert "MD5" in shown.err
    assert "not how klero draws" in shown.err
    assert (
        run(["rfc3797", "--seeds", str(tmp_path / "seeds"), "--pool", "25", "-n", "11", "--format", "json"])
        == 0
    )
    data = json.loads(capsys.readouterr().out)
    assert [step["selected"] for step in data["steps"]] == RFC_SELECTED


@pytest.mark.parametrize("more", [[], ["--pool", "3", "--names", "x"]])
def test_the_command_needs_names_or_a_pool(more: list[str], tmp_path: Path) -> None:
    (tmp_path / "seeds").write_text("1")
    assert run(["rfc3797", "--seeds", str(tmp_path / "seeds"), "-n", "1", *more]) == 2


def test_the_command_refuses_what_is_no_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "seeds").write_bytes(b"\xff\xfe1")
    assert run(["rfc3797", "--seeds", str(tmp_path / "seeds"), "--pool", "3", "-n", "1"]) == 3
    assert "[encoding-unreadable]" in capsys.readouterr().err


def test_a_wrong_file_of_numbers_is_told_in_a_few_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "prose.txt").write_text("these are words and no numbers at all, many of them\n" * 20)
    (tmp_path / "long.txt").write_text("1 " * 5000)
    for name in ("prose.txt", "long.txt"):
        assert run(["rfc3797", "--pool", "10", "--seeds", str(tmp_path / name), "-n", "2"]) == 3
        told = capsys.readouterr().err
        assert "[seeds-invalid]" in told
        assert len(told.splitlines()) < 12
    assert run(["rfc3797", "--pool", "10", "--seeds", str(tmp_path / "missing.txt"), "-n", "2"]) == 3
    assert "[file-missing]" in capsys.readouterr().err
