"""From a folder that `klero campaigns` wrote to decisions on it and answers to contributors."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from campaign_cases import planted
from campaign_fakes import Engine
from campaigns_review_cases import TIME, decided, key_of
from klero.campaigns.contributor import contributor_report
from klero.campaigns.results_file import read_results
from klero.campaigns.review_file import append_review, verify_review
from klero.cli import run

ADA = key_of("Ada Diallo")
SEARCH = ["campaigns", "answers.csv", "--text", "text", "--id", "id", "--author", "author", "--time", "time"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A table with a letter by 24 people among 60 ordinary texts, and the results of a search in it; parts that find are stand-ins."""
    Engine(monkeypatch)
    monkeypatch.chdir(tmp_path)
    c = planted(60, 24)
    with Path("answers.csv").open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(["id", "text", "author", "time"])
        for row in range(len(c)):
            when = f"2026-02-25 {row // 60:02}:{row % 60:02}:00"
            out.writerow([c.ids[row], c.texts[row], c.authors[int(c.author[row])], when])
        out.writerow(["empty", "…", "nobody", "2026-02-25 12:00:00"])
    assert run([*SEARCH, "-o", "out"]) == 0
    capsys.readouterr()
    return tmp_path


def test_what_a_search_wrote_is_what_is_read_of_it(folder: Path) -> None:
    written = json.loads((folder / "out" / "campaigns.json").read_bytes())
    found = read_results(folder / "out")
    assert found.digest == written["digest"]
    assert found.columns == {"id": "id", "text": "text", "author": "author", "time": "time"}
    assert [group.name for group in found.groups] == [group["name"] for group in written["groups"]] != []
    for group, one in zip(found.groups, written["groups"], strict=True):
        assert list(group.members) == [str(member) for member in one["members"]]
        assert (group.raw, group.rule, group.for_review) == (one["raw"], one["rule"], True)
        assert [channel.p for channel in group.channels] == [channel["p"] for channel in one["channels"]]
        assert [len(channel.nulls) for channel in group.channels] == [
            len(c["nulls"]) for c in one["channels"]
        ]


def test_the_same_search_again_writes_results_that_the_log_takes(folder: Path) -> None:
    append_review(folder / "log", [decided("C1")], key=ADA, results=folder / "out", time=TIME)
    assert run([*SEARCH, "-o", "again", "--lang", "fr", "--threads", "1"]) == 0
    assert verify_review(folder / "log", results=folder / "again").ok
    assert run([*SEARCH, "-o", "other", "--q", "0.01"]) == 0
    assert not verify_review(folder / "log", results=folder / "other").ok


def test_every_contributor_is_told_their_own_weights_and_nothing_of_others(folder: Path) -> None:
    append_review(folder / "log", [decided("C1")], key=ADA, results=folder / "out", time=TIME)
    with (folder / "answers.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    with (folder / "out" / "contributions.csv").open(encoding="utf-8-sig", newline="") as stream:
        weights = {row["id"]: row for row in csv.DictReader(stream)}
    assert len(rows) == len(weights) == 85
    members = set(read_results(folder / "out").group("C1").members)
    assert len(members) >= 20
    for row in (*rows[:12], *(one for one in rows if one["id"] in members), rows[-1]):
        report = contributor_report(folder / "log", folder / "out", row["id"], source=folder / "answers.csv")
        own, text = weights[row["id"]], re.sub(r"\s+", " ", report.text("fr"))
        told = json.loads(report.json())
        for name, column in (
            ("raw", "voice_weight_raw"),
            ("weighted", "voice_weight"),
            ("one_voice_a_group", "voice_weight_one_each"),
        ):
            assert told["weights"][name] == (float(own[column]) if own[column] else None)
        assert [group["name"] for group in told["groups"]] == ([own["group"]] if own["group"] else [])
        assert row["text"] in text
        for other in rows:
            if other is not row:
                assert other["text"] not in text
                assert (
                    not re.search(rf"(?<!\w){re.escape(other['author'])}(?!\w)", text)
                    or other["author"] == row["author"]
                )
