"""`klero review`: what it prints, what it ends with, and what it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from campaigns_review_cases import DIGEST, TIME, write_results
from klero.campaigns.decision_file import read_decisions
from klero.campaigns.review_file import read_review
from klero.cli import run
from klero.errors import CODES, InputError
from klero.ledger.keys import keygen

REASON = ("--reason", "Declared on 3 May.", "--reviewer", "Ada Diallo")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_results(tmp_path / "campaigns")
    keygen("ada.key", "Ada Diallo")
    keygen("bob.key", "Bob")
    return tmp_path


def add(group: str = "C1", decision: str = "petition", *more: str, key: str = "ada.key") -> int:
    asked = ["--results", "campaigns", "--group", group, "--decision", decision, *REASON]
    return run(["review", "add", "log", *asked, "--key", key, "--time", TIME, *more])


def printed(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_add_reopen_admit_and_show_follow_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    assert add("C1", "petition", "--role", "participation officer") == 0
    out = capsys.readouterr()
    assert "C1 decided by Ada Diallo (participation officer)" in out.out
    assert f"head {read_review('log').head}" in out.err
    assert run(["review", "admit", "log", "bob.pub", "--key", "ada.key"]) == 0
    assert run(["review", "reopen", "log", "--group", "C1", *REASON, "--key", "bob.key"]) == 0
    capsys.readouterr()
    assert run(["review", "show", "log", "--format", "json"]) == 0
    shown = printed(capsys)
    assert shown["schema"] == "klero-review-state/1"
    assert shown["head"] == read_review("log").head
    assert shown["results"]["digest"] == DIGEST
    assert [key["name"] for key in shown["keys"]] == ["Ada Diallo", "Bob"]
    first, second = shown["groups"]
    assert (first["group"], first["state"], first["decision"]) == ("C1", "reopened", None)
    assert [(e["kind"], e["signed_by"]["name"]) for e in first["history"]] == [
        ("decision", "Ada Diallo"),
        ("reopening", "Bob"),
    ]
    assert first["history"][0]["role"] == "participation officer"
    assert (second["state"], second["history"]) == ("open", [])
    assert run(["review", "show", "log", "--group", "C1", "--lang", "fr"]) == 0
    assert "rouvert, à décider de nouveau" in capsys.readouterr().out


def test_open_begins_a_log_and_never_replaces_one(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "review",
        "open",
        "log",
        "--results",
        "campaigns/campaigns.json",
        "--key",
        "ada.key",
        "--time",
        TIME,
    ]
    assert run([*arguments, "--format", "json"]) == 0
    made = printed(capsys)
    assert (made["entries"], made["added"][0]["kind"], made["added"][0]["groups"]) == (
        1,
        "opening",
        ["C1", "C2"],
    )
    assert run(arguments) == 3
    assert "[output-exists]" in capsys.readouterr().err
    assert len(read_review("log")) == 1


def test_a_fault_ends_with_3_and_is_told_in_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert add() == 0
    capsys.readouterr()
    assert add("C1", "independent", "--format", "json") == 3
    out = capsys.readouterr()
    assert "[review-decided]" in out.err
    assert [fault["code"] for fault in json.loads(out.out)["error"]["faults"]] == ["review-decided"]
    assert add("C2", "petition", key="bob.key") == 3
    assert "[key-unknown]" in capsys.readouterr().err
    assert add("C9") == 3
    assert "[campaign-group-unknown]" in capsys.readouterr().err
    assert add("C2", "petition", key="ada.pub") == 3
    assert "[key-invalid]" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "log", "--results", "campaigns", "--key", "ada.key"],
        ["add", "log", "--results", "campaigns", "--key", "ada.key", "--group", "C1", *REASON],
        ["add", "log", "--results", "campaigns", "--key", "ada.key", "--group", "C1", "--from", "d.json"],
        [
            "add",
            "log",
            "--results",
            "campaigns",
            "--key",
            "ada.key",
            "--group",
            "C1",
            "--decision",
            "fraud",
            *REASON,
        ],
        ["reopen", "log", "--group", "C1", "--key", "ada.key"],
        ["export", "log", "--results", "campaigns", "--contribution", "a1", "-o", "answer.pdf"],
    ],
)
def test_usage_is_told_with_2_and_nothing_is_written(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["review", *arguments]) == 2
    assert capsys.readouterr().err
    assert not Path("log").exists()


@pytest.mark.parametrize(
    "command", [["reopen", "log", "--group", "C1", *REASON], ["admit", "log", "bob.pub"]]
)
def test_reopen_and_admit_begin_no_log(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["review", *command, "--key", "ada.key"]) == 3
    assert "there is no log" in capsys.readouterr().err
    assert not Path("log").exists()


def test_a_log_in_the_place_of_an_input_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    before = Path("campaigns/campaigns.json").read_bytes()
    arguments = [
        "--group",
        "C1",
        "--decision",
        "petition",
        *REASON,
        "--key",
        "ada.key",
        "--results",
        "campaigns",
    ]
    for place in ("campaigns/campaigns.json", "ada.key", "campaigns/log"):
        assert run(["review", "add", place, *arguments]) == 3
        assert "[output-is-input]" in capsys.readouterr().err
    assert Path("campaigns/campaigns.json").read_bytes() == before


# ── verify ───────────────────────────────────────────────────────────────────────────────────────


def test_verify_ends_with_0_if_sound_and_1_if_not(capsys: pytest.CaptureFixture[str]) -> None:
    add()
    head = read_review("log").head
    capsys.readouterr()
    whole = ["review", "verify", "log", "--results", "campaigns", "--head", head, "--key", "ada.pub"]
    assert run(whole) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "All checks passed."
    assert run(["review", "verify", "log"]) == 0
    out = capsys.readouterr()
    assert "3 not checked" in out.out
    assert "--head" in out.err
    assert run(["review", "verify", "log", "--key", "bob.pub"]) == 1
    assert "NOT VALID: the check «first-key» fails." in capsys.readouterr().out
    write_results(Path("campaigns"), raw=9)
    assert run(["review", "verify", "log", "--results", "campaigns", "--format", "json"]) == 1
    found = printed(capsys)
    assert not found["ok"]
    assert [c["name"] for c in found["checks"] if c["status"] == "FAIL"] == ["results"]
    Path("log").write_bytes(Path("log").read_bytes().replace(b"petition", b"undecide"))
    assert run(["review", "verify", "log"]) == 1
    assert "«signatures»" in capsys.readouterr().out
    assert run(["review", "show", "log"]) == 3
    assert "[log-invalid]" in capsys.readouterr().err


# ── export ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("suffix", [".html", ".txt", ".json"])
def test_export_writes_the_form_that_the_name_says(suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    add()
    capsys.readouterr()
    arguments = [
        "review",
        "export",
        "log",
        "--results",
        "campaigns",
        "--contribution",
        "a1",
        "-o",
        f"answer{suffix}",
    ]
    assert run([*arguments, "--lang", "fr", "--format", "json"]) == 0
    assert printed(capsys) == {"output": f"answer{suffix}", "contribution": "a1", "groups": ["C1"]}
    text = Path(f"answer{suffix}").read_text(encoding="utf-8")
    start = {".html": "<!doctype html>", ".txt": "Ce qui a été calculé", ".json": "{"}[suffix]
    assert text.startswith(start)
    assert run(arguments) == 3
    assert "[output-exists]" in capsys.readouterr().err
    assert run([*arguments, "--force"]) == 0
    assert "read them before you hand it over" in capsys.readouterr().err
    assert run([*arguments, "--force", "--no-reasons"]) == 0
    assert capsys.readouterr().err == ""


def test_export_of_an_unknown_contribution_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    add()
    arguments = [
        "review",
        "export",
        "log",
        "--results",
        "campaigns",
        "--contribution",
        "zz",
        "-o",
        "answer.txt",
    ]
    assert run(arguments) == 3
    assert "[contribution-unknown]" in capsys.readouterr().err
    assert not Path("answer.txt").exists()


# ── decisions from the form of the page ──────────────────────────────────────────────────────────


def form(**more: Any) -> dict[str, Any]:
    decisions = [
        {
            "group": "C1",
            "decision": "petition",
            "reason": "Declared.",
            "reviewer": "Ada",
            "time": "2026-03-02T08:12:00Z",
        },
        {
            "group": "C2",
            "decision": "independent",
            "reason": "Zwei Leute.",
            "reviewer": "Ada",
            "role": "jury",
        },
    ]
    return {"format": "klero-decision/1", "result": DIGEST, "decisions": decisions, **more}


def test_decisions_of_a_form_go_in_together(capsys: pytest.CaptureFixture[str]) -> None:
    Path("decision.json").write_text(json.dumps(form()), encoding="utf-8")
    arguments = [
        "review",
        "add",
        "log",
        "--results",
        "campaigns",
        "--from",
        "decision.json",
        "--key",
        "ada.key",
    ]
    assert run([*arguments, "--role", "participation officer", "--time", TIME]) == 0
    log = read_review("log")
    assert [(s.decision, s.history[0].time) for s in log.states.values()] == [
        ("petition", TIME),
        ("independent", TIME),
    ]
    assert "participation officer" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"format": "klero-decision/2"}, ["json-invalid"]),
        ({"decisions": []}, ["json-invalid"]),
        ({"decisions": {}}, ["json-invalid"]),
        ({"decisions": [1]}, ["json-invalid"]),
        ({"result": "77" * 32}, ["review-results"]),
        ({"decisions": [{}]}, ["review-decision", "review-text", "review-text"]),
        (
            {
                "result": None,
                "decisions": [{"group": "C1", "decision": "petition", "reason": 5, "reviewer": "A"}],
            },
            ["review-results", "review-text"],
        ),
    ],
)
def test_a_form_that_cannot_be_used_is_told_whole(change: dict[str, Any], expected: list[str]) -> None:
    Path("decision.json").write_text(json.dumps(form(**change)), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_decisions("decision.json", "campaigns")
    assert [fault.code for fault in caught.value.faults] == expected
    assert set(expected) <= set(CODES)


@pytest.mark.parametrize("text", ["", "[", "[]", "[" * 5000])
def test_a_file_that_is_no_form_is_told(text: str) -> None:
    Path("decision.json").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_decisions("decision.json", "campaigns")
    assert [fault.code for fault in caught.value.faults] == ["json-invalid"]


def test_each_help_begins_with_what_it_does_and_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ([], ["open"], ["add"], ["reopen"], ["admit"], ["show"], ["verify"], ["export"]):
        assert run(["review", *command, "--help"]) == 0
        assert "Examples:\n    klero review " in capsys.readouterr().out
