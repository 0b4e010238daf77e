"""What a register draw says to bad input: the fault's code, its place, and nothing written."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import klero
from klero.cli import cli, run
from klero.errors import CODES, Fault, InputError

OPTIONS = ["--size", "2", "--trial-seed", "t"]


def faults(register: object, **options: object) -> list[Fault]:
    with pytest.raises(InputError) as caught:
        klero.invite(register, **{"size": 2, "trial_seed": "t", **options})  # type: ignore[arg-type]
    assert all(fault.code in CODES for fault in caught.value.faults)
    return list(caught.value.faults)


def one(register: object, **options: object) -> Fault:
    found = faults(register, **options)
    assert len(found) == 1, found
    return found[0]


def register(n: int = 6, **columns: object) -> pa.Table:
    return pa.table({"id": [f"P{i}" for i in range(n)], **columns})


@pytest.mark.parametrize(
    ("weights", "value"),
    [
        ([1, 0, 2], "0"),
        ([1, -3, 2], "-3"),
        ([1.0, float("nan"), 2.0], "nan"),
        ([1.0, float("inf"), 2.0], "inf"),
        (["1", "many", "2"], "many"),
        (["1", "", "2"], ""),
        ([1, None, 2], ""),
        ([1, 10**9 + 1, 2], "1000000001"),
        ([1.0, 0.1234567, 2.0], "0.1234567"),
        ([1.0, 1e-9, 2.0], "1e-09"),
        (["1", "1,000", "2"], "1,000"),
        (["1", "12,345", "2"], "12,345"),
    ],
)
def test_a_bad_weight_is_named_with_its_row(weights: list[object], value: str) -> None:
    fault = one(register(3, w=weights), weight="w")
    assert (fault.code, fault.row, fault.column, fault.value) == ("weight-invalid", 2, "w", value)


def test_bad_weights_and_ids_are_told_together() -> None:
    table = pa.table({"id": ["a", "", "b\nc", None], "w": [0, 1, 1, 1]})
    assert sorted((f.code, f.row) for f in faults(table, weight="w")) == [
        ("id-control", 3),
        ("id-empty", 2),
        ("id-empty", 4),
        ("weight-invalid", 1),
    ]


def test_many_faults_are_counted() -> None:
    found = faults(pa.table({"id": [""] * 500}))
    assert len(found) == 21
    assert found[-1].message == "480 more rows have this fault."


def test_an_id_twice_in_one_file_is_named_with_both_rows() -> None:
    fault = one(pa.table({"id": ["a", "b", "c", " b "]}))
    assert (fault.code, fault.row, fault.value) == ("id-duplicate", 4, "b")
    assert "row 2" in fault.message


def test_an_id_in_two_files_is_named_with_both(tmp_path: Path) -> None:
    (tmp_path / "north.csv").write_text("id\n7\n8\n")
    pq.write_table(pa.table({"id": [1, 2, 7]}), tmp_path / "south.parquet")
    fault = one([tmp_path / "north.csv", tmp_path / "south.parquet"])
    assert (fault.code, fault.file, fault.row, fault.value) == ("id-duplicate", "south.parquet", 3, "7")
    assert "north.csv, row 2" in fault.message


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    found = faults(register(), strata=["area"], weight="w", id="number")
    assert [f.column for f in found] == ["number", "area", "w"]
    assert "There are: id." in found[0].message


def test_files_with_different_columns_are_told_apart(tmp_path: Path) -> None:
    pq.write_table(register(3, area=list("xyz")), tmp_path / "a.parquet")
    pq.write_table(pa.table({"id": ["Q1"]}), tmp_path / "b.parquet")
    fault = one(str(tmp_path / "*.parquet"), strata=["area"])
    assert (fault.code, fault.file, fault.column) == ("column-missing", "b.parquet", "area")
    assert "a.parquet has it" in fault.message


def test_a_pattern_without_match_and_a_missing_file_are_told_together(tmp_path: Path) -> None:
    found = faults([str(tmp_path / "*.parquet"), str(tmp_path / "none.csv")])
    assert [f.code for f in found] == ["glob-empty", "file-missing"]


def test_a_broken_parquet_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pq.write_table(register(50_000), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:1000])
    assert one(path).code == "file-corrupt"
    path.write_bytes(whole[:5000] + bytes(2000) + whole[7000:])
    assert one(path).code in {"file-corrupt", "encoding-unreadable", "id-control"}
    path.write_bytes(b"PAR1")
    assert one(path).code == "file-corrupt"


def test_empty_registers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "header.csv").write_text("id,w\n")
    assert one(tmp_path / "empty.csv").code == "table-empty"
    assert one(tmp_path / "header.csv").code == "table-no-rows"
    assert one(pa.table({"id": pa.array([], pa.string())})).code == "table-no-rows"
    assert one([]).code == "table-empty"


def test_a_ragged_csv_row_and_a_change_of_encoding_are_told(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("id,w\na,1\nb\n")
    assert one(path).code == "row-ragged"
    rows = b"".join(b"%d,1\n" % i for i in range(300_000))
    path.write_bytes(b"id,w\nth\xc3\xa9,1\n" + rows + b"caf\xe9,1\n")
    assert one(path).code == "encoding-unreadable"
    path.write_bytes(b"id,w\n" + rows + b"caf\xe9,1\n")
    assert "café" in klero.invite(path, size=300_001, trial_seed="t").ids


def test_a_quote_astray_in_a_register_swallows_no_rows(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text('id,street\n1,"Rue A\n2,Rue B\n3,Rue C"\n4,"Rue" D\n5,Rue E\n')
    fault = one(tmp_path / "r.csv")
    assert (fault.code, fault.file) == ("csv-malformed", "r.csv")


@pytest.mark.parametrize("options", [{"strata": ["x"]}, {"household": ["x"]}, {"id": "x"}, {"weight": "x"}])
def test_columns_of_lists_are_refused(options: dict[str, object]) -> None:
    codes = {fault.code for fault in faults(register(3, x=[[1], [2], [3]]), **options)}
    assert codes <= {"cell-type", "id-type", "weight-invalid"}


def test_ids_that_are_floats_are_refused() -> None:
    assert one(pa.table({"id": [1.0, 2.0]})).code == "id-type"


@pytest.mark.parametrize(
    ("size", "code"),
    [(0, "size-invalid"), (-1, "size-invalid"), (7, "size-over-register"), (None, "size-invalid")],
)
def test_sizes_that_can_not_be_are_refused(size: int | None, code: str) -> None:
    assert one(register(), size=size).code == code


def test_a_household_of_everyone_gives_one_letter_and_no_more() -> None:
    table = register(a=["1, Main Street"] * 6)
    assert len(klero.invite(table, size=1, trial_seed="t", household=["a"]).ids) == 1
    fault = one(table, household=["a"])
    assert fault.code == "size-over-register"
    assert "1 addresses" in fault.message


def test_a_register_without_any_address_is_refused() -> None:
    fault = one(register(a=["n/a", "SDF", " , ", "", "unknown", None]), household=["a"])
    assert (fault.code, fault.column) == ("household-empty", "a")


@pytest.mark.parametrize(
    ("allocation", "codes"),
    [
        ("proprtional", ["allocation-invalid"]),
        ("neyman", ["allocation-invalid"]),
        ([{"s": "x", "letters": 1}], ["stratum-missing"]),
        ([{"s": "x", "letters": 1}, {"s": "y", "letters": 1}, {"s": "z", "letters": 1}], ["stratum-unknown"]),
        ([{"s": "x", "letters": 1}, {"s": "x", "letters": 1}], ["stratum-duplicate", "stratum-missing"]),
        (
            [{"s": "x", "letters": 1.5}, {"s": "y", "letters": -1}],
            ["allocation-invalid", "allocation-invalid"],
        ),
        ([{"s": "x", "letters": 2}, {"s": "y", "letters": 2}], ["allocation-invalid"]),
        ([{"s": "x", "answers": 2}, {"s": "y", "answers": 2}], ["column-missing"]),
        ([{"t": "x", "letters": 2}], ["column-missing"]),
        ([{"s": "x", "letters": "1,000"}, {"s": "y", "letters": "1"}], ["allocation-invalid"]),
        ([{"s": "x"}, {"s": "y"}], ["column-missing"]),
    ],
)
def test_allocations_that_can_not_be_followed_are_refused(allocation: object, codes: list[str]) -> None:
    found = faults(register(s=list("xxxyyy")), strata=["s"], allocation=allocation)
    assert [f.code for f in found] == codes


def test_rates_outside_zero_and_one_are_refused() -> None:
    rates = [{"s": "x", "response": 0}, {"s": "y", "response": 1.2}]
    assert [f.code for f in faults(register(s=list("xxxyyy")), strata=["s"], response=rates)] == [
        "allocation-invalid"
    ] * 2


@pytest.mark.parametrize("stages", ["commune", "commune:0", "commune:x", ":3", "s:4"])
def test_stages_that_can_not_be_are_refused(stages: str) -> None:
    assert one(register(s=list("xxyyzz")), stages=stages).code == "stages-invalid"


def test_stages_and_strata_exclude_each_other() -> None:
    assert one(register(s=list("xxyyzz")), stages="s:2", strata=["s"]).code == "options-conflict"


def test_a_municipality_that_could_not_use_its_letters_is_named() -> None:
    fault = one(register(12, s=list("xyyyyyyzzzzz")), stages="s:2", size=8)
    assert fault.code == "stages-invalid"
    assert "'x'" in fault.message


def test_an_empty_seed_is_refused() -> None:
    assert one(register(), trial_seed="").code == "seed-invalid"


def test_the_command_refuses_without_a_seed_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "r.csv").write_text("id\n1\n2\n3\n")
    assert run(["invite", str(tmp_path / "r.csv"), "--size", "2", "-o", str(tmp_path / "out.csv")]) == 3
    assert "[seed-missing]" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["r.csv"]


def test_faults_leave_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("id\n1\n1\n3\n")
    assert (
        run(
            [
                "invite",
                str(tmp_path / "r.csv"),
                *OPTIONS,
                "-o",
                str(tmp_path / "out.csv"),
                "--temp",
                str(tmp_path),
            ]
        )
        == 3
    )
    assert [p.name for p in tmp_path.iterdir()] == ["r.csv"]


def test_an_output_is_not_overwritten_without_force(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("id\n1\n2\n3\n")
    command = ["invite", str(tmp_path / "r.csv"), *OPTIONS, "-o", str(tmp_path / "out.csv")]
    assert run(command) == 0
    before = (tmp_path / "out.csv").read_bytes()
    assert run([*command[:-4], "--trial-seed", "other", *command[-2:]]) == 3
    assert (tmp_path / "out.csv").read_bytes() == before
    assert run([*command, "--force"]) == 0
    (tmp_path / "out.csv").unlink()
    assert run(command) == 3  # the record is still there
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("name", ["out.xlsx", "none/out.csv"])
def test_an_output_that_can_not_be_is_refused_before_reading(tmp_path: Path, name: str) -> None:
    assert run(["invite", str(tmp_path / "missing.csv"), *OPTIONS, "-o", str(tmp_path / name)]) == 3


def test_output_holds_ids_strata_chance_and_mark(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("id;area\n1;a\n2;b\n3;a\n4;b\n")
    out = tmp_path / "out.csv"
    command = [
        "invite",
        str(tmp_path / "r.csv"),
        *OPTIONS,
        "--strata",
        "area",
        "-o",
        str(out),
        "--format",
        "json",
    ]
    done = CliRunner().invoke(cli, command)
    data = json.loads(done.stdout)
    lines = out.read_text().splitlines()
    assert lines[0] == "id,area,probability,mark"
    assert all(line.endswith(",1/2,TRIAL") for line in lines[1:])
    assert data["mark"] == "TRIAL"
    record = json.loads((tmp_path / "out.csv.draw.json").read_text())
    assert record["register_digest"] == data["register_digest"]
    assert record["seed_text"] == "t"
    table = tmp_path / "out.parquet"
    assert run([*command[:-4], "-o", str(table)]) == 0
    assert pq.read_table(table).column_names == lines[0].split(",")


def test_interruption_leaves_nothing_behind(tmp_path: Path) -> None:
    n = 400_000
    for i in range(5):
        ids = pa.array(range(i * n, (i + 1) * n))
        pq.write_table(pa.table({"id": ids, "w": pa.array([1, 2] * (n // 2))}), tmp_path / f"r{i}.parquet")
    command = [
        sys.executable,
        "-m",
        "klero",
        "invite",
        str(tmp_path / "*.parquet"),
        "--size",
        "9",
        "--weight",
        "w",
    ]
    command += ["--trial-seed", "t", "-o", str(tmp_path / "out.csv"), "--temp", str(tmp_path)]
    before = sorted(p.name for p in tmp_path.iterdir())
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not _reading(process.pid):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 130, words
    assert "nothing was written" in words
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def _reading(pid: int) -> bool:
    """Whether the process has opened a register's file."""
    try:
        links = [str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return False
    return any("deleted" in link or link.endswith(".parquet") for link in links)


@pytest.mark.parametrize("listed", [[], ["5", "6"], [{"id": "P7 "}, {"id": "p1"}]])
def test_exclusions_that_exclude_nobody_are_refused(listed: list[object]) -> None:
    fault = one(register(), exclude=listed)
    assert fault.code == "exclusions-none"
    assert ("leading zeros" in fault.message) == bool(listed)


def test_a_list_of_exclusions_without_lines_or_matches_ends_with_three(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    csv, listed, out = tmp_path / "r.csv", tmp_path / "old.csv", tmp_path / "l.csv"
    csv.write_text("id\n" + "".join(f"000{i}\n" for i in range(1, 9)), encoding="utf-8")
    command = ["invite", str(csv), *OPTIONS, "--exclude", str(listed), "-o", str(out)]
    for text in ("", "id\n", "id\n1\n2\n"):
        listed.write_text(text, encoding="utf-8")
        assert run(command) == 3
        assert not out.exists()
    assert "'1', the register '0001' in its column 'id'" in capfd.readouterr().err


def test_ids_that_no_exclusion_reaches_are_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    csv, listed, out = tmp_path / "r.csv", tmp_path / "old.csv", tmp_path / "l.csv"
    csv.write_text("id\n" + "".join(f"000{i}\n" for i in range(1, 9)), encoding="utf-8")
    listed.write_text("id\n0003\n" + "".join(f"{i}\n" for i in range(1, 8)), encoding="utf-8")
    command = ["invite", str(csv), *OPTIONS, "--exclude", str(listed), "-o", str(out), "--force"]
    assert run(command) == 0
    err = capfd.readouterr().err
    assert "Of 8 ids on the list of exclusions, 1 on the register" in err
    assert "not excluded: '1', '2', '3', '4', '5', …." in err
    assert run([*command, "--format", "json"]) == 0
    assert json.loads(capfd.readouterr().out)["unmatched_exclusions"] == ["1", "2", "3", "4", "5"]


def test_a_full_disk_names_the_file_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    import errno
    import os

    from klero.sortition.register import output, spill

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    csv, out = tmp_path / "r.csv", tmp_path / "l.csv"
    csv.write_text("id\n1\n2\n3\n", encoding="utf-8")
    command = ["invite", str(csv), *OPTIONS, "-o", str(out), "--temp", str(tmp_path)]
    with monkeypatch.context() as patched:
        patched.setattr(output, "write_new", full)
        assert run(command) == 4
    assert capfd.readouterr().err.startswith(f"{out}: No space left on device")
    monkeypatch.setattr(spill, "MEMORY", 0)
    register = spill.Spill(str(tmp_path), spill.Memory())
    with monkeypatch.context() as patched:
        patched.setattr(spill.os, "pwrite", full)
        with pytest.raises(OSError, match="--temp") as caught:
            register.append(b"abc")
    register.close()
    assert caught.value.filename == str(tmp_path)
    assert sorted(tmp_path.iterdir()) == [csv]


def test_a_table_of_letters_without_strata_asks_for_them(tmp_path: Path) -> None:
    table = tmp_path / "letters.csv"
    table.write_text("s,letters\nx,2\n", encoding="utf-8")
    fault = one(register(s=["x"] * 6), allocation=str(table), size=None)
    assert fault.code == "strata-missing"
    assert "--strata" in fault.message


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_record_holds_the_digest_of_the_list(tmp_path: Path, suffix: str) -> None:
    import hashlib

    csv, out = tmp_path / "r.csv", tmp_path / f"l{suffix}"
    csv.write_text("id\n1\n2\n3\n", encoding="utf-8")
    assert run(["invite", str(csv), *OPTIONS, "-o", str(out)]) == 0
    record = json.loads((tmp_path / f"l{suffix}.draw.json").read_bytes())
    assert record["list_sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
