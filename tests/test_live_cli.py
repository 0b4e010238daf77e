"""`klero live`: lines from standard input and from a socket, what can't be read, and what is kept."""

from __future__ import annotations

import csv
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from klero.cli.live_lines import Said, lines_of, read_line
from klero.cli.live_source import address_of
from klero.errors import InputError

KLERO = [sys.executable, "-m", "klero", "live"]
INPUT = (
    "Plus de pistes cyclables\n"
    '{"text": "Éteindre la nuit", "id": "x1", "time": "2026-01-01T10:00:00Z", "author": "A"}\n'
    "plus de pistes cyclables !\n"
    "\n"
    '{"text": ""}\n'
).encode()


def run(*options: str, data: bytes = INPUT, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*KLERO, *options], input=data, capture_output=True, cwd=cwd, timeout=60, check=False
    )


def told(out: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_lines_are_contributions_and_the_end_shows_the_sum(tmp_path: Path) -> None:
    done = run(cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "0 in themes + 2 in weak signals + 1 lone voice + 1 without a word = 4 contributions." in text
    assert "1 blank line was passed over." in done.stderr.decode()
    french = run("--lang", "fr", cwd=tmp_path)
    assert "4 contributions" in french.stdout.decode()
    assert "signal faible" in french.stdout.decode()


def test_json_has_an_event_for_each_contribution_and_ends_with_all(tmp_path: Path) -> None:
    events = told(run("--format", "json", cwd=tmp_path).stdout)
    assert [event["event"] for event in events] == ["placed"] * 4 + ["consolidation", "snapshot"]
    assert [event["id"] for event in events[:4]] == ["1", "x1", "3", "4"]
    assert events[-1]["counts"] == {"theme": 0, "weak_signal": 2, "lone_voice": 1, "empty": 1}
    assert events[-1]["skipped"] == {"blank": 1}


def test_what_can_t_be_read_is_counted_told_and_passed_over(tmp_path: Path) -> None:
    data = (
        INPUT
        + b"\xff\xfe\n{broken\n[1]\n"
        + b'{"id": 1}\n{"text": "a", "id": "x1"}\n{"text": "b", "time": "soon"}\n'
        + b"\x1b[2J\n"
        + b'{"text": "half \\ud800"}\n{"text": "c", "author": "\\udfff"}\n'
    )
    done = run("--format", "json", data=data, cwd=tmp_path)
    assert done.returncode == 0
    assert told(done.stdout)[-1]["skipped"] == {
        "blank": 1,
        "utf8": 3,
        "json": 1,
        "text": 1,
        "known": 1,
        "time": 1,
    }
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stderr + done.stdout
    assert "3 lines were not UTF-8" in done.stderr.decode()


def test_a_stream_that_stops_in_the_middle_of_a_line_is_told_and_its_text_kept(tmp_path: Path) -> None:
    done = run("--format", "json", data=INPUT + "la moitié d’une li".encode(), cwd=tmp_path)
    assert "if it was cut short, the rest is missing. It is kept: la moitié d’une li" in done.stderr.decode()
    assert told(done.stdout)[-1]["contributions"] == 5
    done = run("--format", "json", data=INPUT + b'{"text": "la moi', cwd=tmp_path)
    assert "what there was can't be read" in done.stderr.decode()
    assert told(done.stdout)[-1]["contributions"] == 4


def test_it_goes_on_where_it_was_kept_and_writes_a_table(tmp_path: Path) -> None:
    for _ in range(2):
        assert run("--state", "w.klero", data=b"Plus de bus\nMoins de bruit\n", cwd=tmp_path).returncode == 0
    done = run("--state", "w.klero", "-o", "out.csv", data=b"", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[0]["theme"] == rows[2]["theme"] != rows[1]["theme"]
    assert {row["kind"] for row in rows} == {"weak_signal"}
    (tmp_path / "w.klero").write_bytes(b"something else")
    done = run("--state", "w.klero", data=b"a\n", cwd=tmp_path)
    assert done.returncode == 3
    assert "[live-file]" in done.stderr.decode()
    assert (tmp_path / "w.klero").read_bytes() == b"something else"
    done = run("-o", "out.csv", data=b"a\n", cwd=tmp_path)
    assert done.returncode == 3
    assert "output-exists" in done.stderr.decode()
    assert run("-o", "out.txt", data=b"a\n", cwd=tmp_path).returncode == 3


def test_cells_that_a_spreadsheet_would_take_for_formulas_are_told(tmp_path: Path) -> None:
    data = b'=HYPERLINK("http://x")\n{"text": "b", "author": "@c"}\nd\n'
    done = run("-o", "out.csv", data=data, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 cells begin as formulas do" in done.stderr.decode()
    assert b"formula" not in run("-o", "out.parquet", data=data, cwd=tmp_path).stderr


def test_only_this_computer_can_be_listened_to(tmp_path: Path) -> None:
    assert address_of("localhost:7007") == ("127.0.0.1", 7007)
    assert address_of("[::1]:7007") == ("::1", 7007)
    for address in ("0.0.0.0:7007", "192.168.1.2:7007", "[::]:7007", "example.org:80", "7007x", "127.0.0.1"):
        with pytest.raises(InputError) as error:
            address_of(address)
        assert error.value.faults[0].code == "live-address"
    done = run("--listen", "0.0.0.0:7007", cwd=tmp_path)
    assert done.returncode == 3
    assert "can be reached from other computers" in done.stderr.decode()


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [*KLERO, "--listen", "127.0.0.1:0", "--format", "json", "--state", "s.klero"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment,
    )
    assert process.stderr is not None
    found = re.search(rb"127\.0\.0\.1:(\d+)", process.stderr.readline())
    assert found is not None
    try:
        yield process, int(found[1])
    finally:
        process.kill()
        process.communicate()


def test_connections_are_read_and_ctrl_c_keeps_everything(
    listening: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    process, port = listening
    with (
        socket.create_connection(("127.0.0.1", port)) as one,
        socket.create_connection(("127.0.0.1", port)) as two,
    ):
        one.sendall(b"Plus de bus\nMoins de ")
        two.sendall('{"text": "Éteindre la nuit"}\n'.encode())
    assert process.stdout is not None
    events = [json.loads(process.stdout.readline()) for _ in range(3)]
    assert {event["event"] for event in events} == {"placed"}
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told(out)[-1]["contributions"] == 3
    assert b"s.klero is complete" in error
    assert b"Traceback" not in error
    events = told(run("--state", "s.klero", "--format", "json", data=b"", cwd=tmp_path).stdout)
    assert events[-1]["contributions"] == 3


def test_lines_may_come_in_any_pieces() -> None:
    data = "un\ndeux\r\ntrois é\nquatre".encode()
    for size in range(1, len(data)):
        buffer, found = bytearray(), []
        for start in range(0, len(data), size):
            found += lines_of(buffer, data[start : start + size])
        assert [read_line(line).text for line in found] == ["un", "deux", "trois é"]  # type: ignore[union-attr]
        assert bytes(buffer) == b"quatre"


def test_a_line_that_never_ends_does_not_fill_the_memory() -> None:
    buffer = bytearray()
    found = [line for _ in range(40) for line in lines_of(buffer, b"a" * (1 << 16))]
    assert len(buffer) <= (1 << 20) + 1
    assert found == []
    found = lines_of(buffer, b"the end of it\nanother\n")
    assert [read_line(line) for line in found] == ["long", Said("another")]
    assert not buffer


def test_help_begins_with_what_a_line_is(tmp_path: Path) -> None:
    done = subprocess.run([*KLERO, "--help"], capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 0
    assert b"klero live --page" in done.stdout


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="only where a window that closes sends SIGHUP")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_window_that_is_closed_loses_nothing(
    name: str, listening: tuple[subprocess.Popen[bytes], int], tmp_path: Path
) -> None:
    process, port = listening
    with socket.create_connection(("127.0.0.1", port)) as one:
        one.sendall(b"Plus de bus\n")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "placed"
    process.send_signal(getattr(signal, name))
    _out, error = process.communicate(timeout=30)
    assert process.returncode == 130, error
    assert b"s.klero is complete" in error
    assert (
        told(run("--state", "s.klero", "--format", "json", data=b"", cwd=tmp_path).stdout)[-1][
            "contributions"
        ]
        == 1
    )


def test_a_port_that_is_in_use_is_named_with_what_to_do(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for options in (("--page", str(port)), ("--listen", f"127.0.0.1:{port}")):
            done = run(*options, cwd=tmp_path)
            assert done.returncode == 3
            said = done.stderr.decode()
            assert f"{options[0]}: port {port} can't be used" in said
            assert "another port" in said
            assert "until Ctrl-C" not in said
            assert "[live-port]" in said


def test_nothing_piped_in_is_told_and_the_same_is_not_shown_twice(tmp_path: Path) -> None:
    done = run(data=b"", cwd=tmp_path)
    assert "No contribution came in" in done.stderr.decode()
    assert len(done.stdout.splitlines()) == 1
    assert run(data=b"a b\n", cwd=tmp_path).stdout.count(b"= 1 contribution.") == 1


def test_a_table_in_the_place_of_lines_is_noticed(tmp_path: Path) -> None:
    done = run("--lang", "fr", data=b"id,body,author\n1,Plus de bus,a\n", cwd=tmp_path)
    assert done.returncode == 0
    assert "en-tête d’un tableau" in done.stderr.decode()
    assert "header" not in run(data=b"Yes, a date, please\n", cwd=tmp_path).stderr.decode()
