"""The log of states: what may follow what, whole appends, and what a chain of hashes finds."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import klero
from klero.errors import InputError, LogError
from klero.ledger import log_file
from klero.ledger.states import ALLOWED, STATES, Event

TIME = "2026-05-01T09:00:00Z"
HEX = "ab" * 32


def step(
    person: str, to: str, time: str = TIME, round_: int = 0, reason: str = "test", record: str = ""
) -> Event:
    return Event(person=person, to=to, time=time, round=round_, reason=reason, record=record)


def small(path: Path) -> klero.StateLog:
    return klero.append_log(
        path,
        [
            step("A", "invited"),
            step("B", "volunteered"),
            step("A", "volunteered", "2026-05-02T09:00:00Z"),
            step("A", "selected", "2026-05-03T09:00:00Z", record=HEX),
            step("A", "confirmed", "2026-05-04T09:00:00Z", reason="by-phone"),
            step("A", "withdrawn", "2026-05-05T09:00:00Z", 1, "illness"),
            step("A", "replaced", "2026-05-05T09:00:00Z", 1),
        ],
        title="Assemblée 2026",
    )


def codes(caught: pytest.ExceptionInfo[InputError]) -> list[str]:
    return [fault.code for fault in caught.value.faults]


def plain_hash(label: str, item: bytes) -> str:
    """The labelled hash, written from docs/audit/bundle.md with the standard library."""

    def sized(data: bytes) -> bytes:
        return len(data).to_bytes(8, "big") + data

    return hashlib.sha256(sized(label.encode()) + (1).to_bytes(8, "big") + sized(item)).hexdigest()


def test_states_counts_and_history_are_what_was_logged(tmp_path: Path) -> None:
    written = small(tmp_path / "log")
    read = klero.read_log(tmp_path / "log")
    assert read == written
    assert dict(read.states) == {"A": "replaced", "B": "volunteered"}
    assert read.counts() == dict.fromkeys(STATES, 0) | {"replaced": 1, "volunteered": 1}
    assert [e.came_from for e in read.history("A")] == ["", *STATES[:5]]
    assert read.round == 1


def test_file_is_a_chain_that_the_standard_library_can_check(tmp_path: Path) -> None:
    head = small(tmp_path / "log").head
    lines = (tmp_path / "log").read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert json.loads(lines[0]) == {"format": "klero-log/1", "title": "Assemblée 2026"}
    for number, (before, line) in enumerate(pairwise(lines), start=1):
        entry = json.loads(line)
        assert entry["previous"] == plain_hash("klero/log/v1", before)
        assert entry["sequence"] == number
    assert head == plain_hash("klero/log/v1", lines[-1])


def test_appending_in_parts_gives_the_same_bytes(tmp_path: Path) -> None:
    small(tmp_path / "whole")
    events = [
        step(e.person, e.to, e.time, e.round, e.reason, e.record)
        for e in klero.read_log(tmp_path / "whole").entries
    ]
    for event in events:
        klero.append_log(tmp_path / "parts", [event], title="Assemblée 2026")
    assert (tmp_path / "parts").read_bytes() == (tmp_path / "whole").read_bytes()


@pytest.mark.parametrize("before", ["", *STATES])
@pytest.mark.parametrize("after", STATES)
def test_exactly_the_allowed_steps_are_taken(tmp_path: Path, before: str, after: str) -> None:
    paths = {
        "": [],
        "invited": ["invited"],
        "volunteered": ["volunteered"],
        "selected": ["volunteered", "selected"],
    }
    paths["confirmed"] = [*paths["selected"], "confirmed"]
    paths["withdrawn"] = [*paths["selected"], "withdrawn"]
    paths["replaced"] = [*paths["withdrawn"], "replaced"]
    klero.append_log(tmp_path / "log", [step("A", to) for to in paths[before]])
    old = (tmp_path / "log").read_bytes()
    if after in ALLOWED[before]:
        assert klero.append_log(tmp_path / "log", [step("A", after)]).states["A"] == after
        return
    with pytest.raises(InputError) as caught:
        klero.append_log(tmp_path / "log", [step("B", "invited"), step("A", after)])
    assert codes(caught) == ["state-transition"]
    assert (tmp_path / "log").read_bytes() == old


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (step("", "invited"), "id-control"),
        (step("A\n", "invited"), "id-control"),
        (step("e\u0301", "invited"), "id-control"),
        (step("A", "chosen"), "state-unknown"),
        (step("A", "invited", reason="Too ill!"), "reason-invalid"),
        (step("A", "invited", reason=""), "reason-invalid"),
        (step("A", "invited", time="yesterday"), "time-invalid"),
        (step("A", "invited", time="2026-02-30T09:00:00Z"), "time-invalid"),
        (step("A", "invited", time="2026-05-01T09:00:00+02:00"), "time-invalid"),
        (step("A", "invited", round_=-1), "round-invalid"),
        (step("A", "invited", round_=True), "round-invalid"),
        (step("A", "invited", record="xyz"), "record-invalid"),
    ],
)
def test_a_bad_step_is_refused_with_its_code_and_nothing_is_written(
    tmp_path: Path, event: Event, code: str
) -> None:
    with pytest.raises(InputError) as caught:
        klero.append_log(tmp_path / "log", [step("Z", "invited"), event])
    assert codes(caught) == [code]
    assert list(tmp_path.iterdir()) == []


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        klero.append_log(tmp_path / "log", [step("A", "chosen"), step("B", "selected"), step("", "invited")])
    assert codes(caught) == ["state-unknown", "state-transition", "id-control"]


def test_rounds_and_times_never_go_back(tmp_path: Path) -> None:
    klero.append_log(tmp_path / "log", [step("A", "invited", round_=2)])
    with pytest.raises(InputError) as caught:
        klero.append_log(
            tmp_path / "log",
            [step("B", "invited", round_=1), step("C", "invited", "2026-04-01T09:00:00Z", 2)],
        )
    assert codes(caught) == ["round-order", "time-order"]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_an_edited_deleted_moved_or_inserted_line_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("log")
    head = small(folder / "log").head
    content = (folder / "log").read_bytes()
    lines = content.split(b"\n")[:-1]
    kind = data.draw(st.sampled_from(["edit", "delete", "swap", "repeat", "cut"]))
    at = data.draw(st.integers(0, len(lines) - 2))
    if kind == "edit":
        place = data.draw(st.integers(0, len(content) - len(lines[-1]) - 2))
        changed = bytearray(content)
        changed[place] ^= data.draw(st.integers(1, 255))
        new = bytes(changed)
    elif kind == "delete":
        new = b"\n".join([*lines[:at], *lines[at + 1 :]]) + b"\n"
    elif kind == "swap":
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
        new = b"\n".join(lines) + b"\n"
    elif kind == "repeat":
        new = b"\n".join([*lines[: at + 1], lines[at], *lines[at + 1 :]]) + b"\n"
    else:
        new = content[: data.draw(st.integers(0, len(content) - 1))]
    (folder / "log").write_bytes(new)
    assert not klero.verify_log(folder / "log", head=head).ok
    cut_at_a_line = kind == "cut" and new.endswith(b"\n")
    assert klero.verify_log(folder / "log").ok == cut_at_a_line
    if not cut_at_a_line:
        with pytest.raises(LogError):
            klero.read_log(folder / "log")


def test_a_head_published_earlier_is_found_in_a_longer_log(tmp_path: Path) -> None:
    first = klero.append_log(tmp_path / "log", [step("A", "invited")]).head
    klero.append_log(tmp_path / "log", [step("B", "invited")])
    found = klero.verify_log(tmp_path / "log", head=first)
    assert found.ok
    assert "1 entries since" in found.checks[-1].detail
    assert not klero.verify_log(tmp_path / "log", head="0" * 64).ok
    with pytest.raises(InputError, match="record-invalid"):
        klero.verify_log(tmp_path / "log", head="nonsense")


def test_a_rewritten_log_with_impossible_steps_fails_although_its_chain_holds(tmp_path: Path) -> None:
    title = b'{"format":"klero-log/1","title":""}'
    entry = {
        "from": "",
        "person": "A",
        "previous": plain_hash("klero/log/v1", title),
        "reason": "test",
        "record": "",
        "round": 0,
        "sequence": 1,
        "time": TIME,
        "to": "selected",
    }
    line = json.dumps(entry, separators=(",", ":")).encode()
    (tmp_path / "log").write_bytes(title + b"\n" + line + b"\n")
    checks = {check.name: check.ok for check in klero.verify_log(tmp_path / "log")}
    assert checks == {"form": True, "chain": True, "states": False}


def test_an_interrupted_append_leaves_the_old_log_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(tmp_path / "log")
    old = (tmp_path / "log").read_bytes()

    def interrupted(path: Path, data: bytes) -> None:
        path.write_bytes(data[: len(data) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(log_file, "write_new", interrupted)
    with pytest.raises(KeyboardInterrupt):
        klero.append_log(tmp_path / "log", [step("C", "invited", "2026-06-01T09:00:00Z", 1)])
    assert (tmp_path / "log").read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["log"]


def test_a_killed_process_leaves_the_log_whole(tmp_path: Path) -> None:
    small(tmp_path / "log")
    script = (
        "import os, sys, klero\n"
        "from klero.ledger import log_file\n"
        "def half(path, data):\n"
        "    path.write_bytes(data[:40]); os._exit(9)\n"
        "log_file.write_new = half\n"
        "klero.append_log(sys.argv[1], [klero.Event(person='C', to='invited', reason='x', round=1, time='2026-06-01T09:00:00Z')])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "log"], check=False)
    assert done.returncode == 9
    assert klero.verify_log(tmp_path / "log").ok
    assert (
        klero.append_log(tmp_path / "log", [step("C", "invited", "2026-06-01T09:00:00Z", 1)]).states["C"]
        == "invited"
    )


def test_appends_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    script = (
        "import sys, klero\n"
        "for i in range(10):\n"
        "    klero.append_log(sys.argv[1], [klero.Event(person=f'{sys.argv[2]}{i}', to='invited', reason='x', time='2026-06-01T09:00:00Z')])\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script, tmp_path / "log", name]) for name in ("a", "b", "c")
    ]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    log = klero.read_log(tmp_path / "log")
    assert log.counts()["invited"] == 30


def test_the_mode_of_the_file_and_a_link_to_it_stay(tmp_path: Path) -> None:
    small(tmp_path / "log")
    (tmp_path / "log").chmod(0o600)
    (tmp_path / "link").symlink_to("log")
    klero.append_log(tmp_path / "link", [step("C", "invited", "2026-06-01T09:00:00Z", 1)])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    assert len(klero.read_log(tmp_path / "log")) == 8


def test_what_is_no_log_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no log"):
        klero.read_log(tmp_path / "absent")
    with pytest.raises(LogError, match="folder"):
        klero.read_log(tmp_path)
    (tmp_path / "x").write_text("hello\n")
    with pytest.raises(LogError, match="form"):
        klero.read_log(tmp_path / "x")
    with pytest.raises(LogError, match="does not exist"):
        klero.append_log(tmp_path / "no" / "log", [])
    with pytest.raises(InputError, match="title-invalid"):
        klero.append_log(tmp_path / "new", [], title="a\nb")
    if os.geteuid():
        (tmp_path / "x").chmod(0)
        with pytest.raises(LogError, match="can't be read"):
            klero.read_log(tmp_path / "x")


def test_explanations_in_both_languages(tmp_path: Path) -> None:
    log = small(tmp_path / "log")
    assert "A is now: replaced." in log.explain("A")
    assert "«selected» to «confirmed» (reason: by-phone)" in log.explain("A")
    assert "A est maintenant : remplacé." in log.explain("A", "fr")
    assert "Le journal connaît 2 personnes." in log.explain(lang="fr")
    with pytest.raises(InputError, match="person-unknown"):
        log.explain("Z")


def test_known_reasons_are_told_in_the_readers_language_and_others_as_they_are(tmp_path: Path) -> None:
    from klero.ledger.states import reason_name

    for code in (
        "in-pool",
        "drawn",
        "drawn-as-replacement",
        "seat-filled",
        "illness",
        "no-answer",
        "moved-away",
    ):
        assert reason_name(code, "en") == code
        assert reason_name(code, "fr") not in (code, "")
        assert "-" not in reason_name(code, "fr")
    log = small(tmp_path / "log")
    assert "(motif : by-phone)" in log.explain("A", "fr")
    steps = [
        klero.Event(
            person="N", to="volunteered", time=log.entries[-1].time, reason="in-pool", round=log.round
        )
    ]
    later = klero.append_log(tmp_path / "log", steps)
    assert "(motif : parmi les volontaires)" in later.explain("N", "fr")
    assert later.entries[-1].reason == "in-pool"
