"""What is odd, poor or wrong about a consultation is said in plain words, and nothing is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import campaign_cases as cases
from campaign_fakes import Engine
from klero.campaigns.find import find_campaigns
from klero.campaigns.notes import note_words
from klero.campaigns.result import Campaigns
from klero.campaigns.settings import LEAST_VOICES
from klero.errors import CODES, InputError
from klero.voices.contributions import Contributions
from test_campaigns_api import Row, rows_of


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(monkeypatch)


def told(found: Campaigns) -> str:
    """The notes, which have words in both languages."""
    english, french = note_words(found.notes, "en"), note_words(found.notes, "fr")
    assert len(english) == len(french) == len(found.notes)
    assert not set(english) & set(french)
    return "\n".join(english)


def kept(found: Campaigns, rows: list[Row]) -> None:
    """Every contribution is in the tables."""
    assert found.to_arrow().num_rows == len(rows)
    assert len(found.consultation) + len(found.empty) == len(rows)


def without(rows: list[Row], *columns: str) -> list[Row]:
    return [{key: value for key, value in row.items() if key not in columns} for row in rows]


def faults_of(call: Callable[[], object]) -> tuple[list[str], str]:
    with pytest.raises(InputError) as caught:
        call()
    codes = [fault.code for fault in caught.value.faults]
    assert set(codes) <= set(CODES)
    return codes, str(caught.value)


# What can be searched, with less to see


def test_no_time(engine: Engine) -> None:
    rows = without(rows_of(), "time")
    found = find_campaigns(rows)
    kept(found, rows)
    assert found.channels_off["time"] == "no-time" and "time_channel" not in engine.asked
    assert "time could not be tested" in told(found)


def test_constant_time(engine: Engine) -> None:
    rows = [{**row, "time": "2026-03-02 00:00"} for row in rows_of()]
    found = find_campaigns(rows)
    kept(found, rows)
    assert found.channels_off["time"] == "constant-time" and "time_channel" not in engine.asked
    assert "the same time" in told(found)


def test_no_author(engine: Engine) -> None:
    rows = without(rows_of(), "author")
    found = find_campaigns(rows)
    kept(found, rows)
    assert found.raw == len(rows)
    assert found.channels_off["coaction"] == "no-author" and "coaction_channel" not in engine.asked
    assert "somebody who writes several times looks like several people" in told(found)


def test_some_without_author_are_voices_of_their_own(engine: Engine) -> None:
    rows = [{**row, "author": None if number < 3 else row["author"]} for number, row in enumerate(rows_of())]
    found = find_campaigns(rows)
    assert found.raw == len(rows) and found.notes["authors-missing"] == 3
    assert "3 contributions name no account" in told(found)


def test_one_author_for_everything(engine: Engine) -> None:
    rows = [{**row, "author": "admin"} for row in rows_of()]
    found = find_campaigns(rows)
    kept(found, rows)
    assert (found.raw, found.groups, found.tested) == (1, (), ())
    off = {name: why for name, why in found.channels_off.items() if name not in ("votes", "metadata")}
    assert set(off.values()) == {"one-author"} and len(off) == 4
    assert not {name for name in engine.asked if name.endswith(("_channel", "_candidates"))}
    assert "All 68 contributions name one account" in told(found)


def test_times_in_several_zones_and_formats_are_one_time(engine: Engine) -> None:
    moments = {
        "2026-03-02T09:00:00+01:00": 0,
        "2026-03-02T08:00:00Z": 0,
        "02/03/2026 08:00": 0,
        "2 mars 2026 à 8h00": 0,
        "1772438400": 0,
        "2026-03-02 00:00:00 -0800": 0,
    }
    rows = rows_of()
    for row, text in zip(rows, moments, strict=False):
        row["time"] = text
    rows[10]["time"] = "vers midi"
    found = find_campaigns(rows)
    kept(found, rows)
    by_id = dict(zip(found.consultation.ids, found.consultation.time.tolist(), strict=True))
    assert {by_id[str(row["id"])] for row in rows[: len(moments)]} == {1772438400.0}
    assert np.isnan(by_id[str(rows[10]["id"])])
    assert "1 time can't be read" in told(found)
    assert "no zone beside others that have one" in told(found)
    assert found.notes["times-zoneless"] == 2 + 68 - len(moments) - 1


def test_times_all_without_zone_are_no_matter(engine: Engine) -> None:
    assert "times-zoneless" not in find_campaigns(rows_of()).notes


def test_one_question_only(engine: Engine) -> None:
    rows = [{**row, "question": "Quels transports ?"} for row in rows_of()]
    found = find_campaigns(rows)
    kept(found, rows)
    assert set(found.consultation.question.tolist()) == {0}
    assert "answer one question" in told(found)
    assert len(found.groups) == 1


def test_twenty_texts_conclude_nothing(engine: Engine) -> None:
    rows = rows_of(12, 8)
    found = find_campaigns(rows)
    kept(found, rows)
    assert found.tested == () and not {name for name in engine.asked if name.endswith("_candidates")}
    assert {why for name, why in found.channels_off.items() if name not in ("votes", "metadata")} == {
        "too-few"
    }
    assert "There are only 20 voices" in told(found)
    assert "neither that there is a campaign nor that there is none" in told(found)
    assert repr(found).endswith("too few voices to conclude anything>")


def test_as_many_voices_as_are_needed_are_tested(engine: Engine) -> None:
    assert find_campaigns(rows_of(LEAST_VOICES - 8, 8)).groups
    assert not find_campaigns(rows_of(LEAST_VOICES - 9, 8)).tested


def test_texts_without_words_are_kept_apart(engine: Engine) -> None:
    rows = [*rows_of(), *({"id": f"e{n}", "text": text} for n, text in enumerate(["", None, "👍", "…"]))]
    found = find_campaigns(rows)
    kept(found, rows)
    assert found.empty == ("e0", "e1", "e2", "e3")
    assert "4 contributions have no word in them" in told(found)


def test_counts_of_votes_among_contributions_are_said_not_to_be_used(engine: Engine) -> None:
    rows = [{**row, "votes": number} for number, row in enumerate(rows_of())]
    found = find_campaigns(rows)
    assert found.channels_off["votes"] == "no-votes"
    assert "how many voted and not who" in told(found)


def test_voters_who_wrote_nothing_are_said_to_be_unknown(engine: Engine) -> None:
    votes = [{"voter": f"v{n}", "item": "x", "vote": 1} for n in range(LEAST_VOICES)]
    found = find_campaigns(rows_of(), votes=votes)
    assert "No account of the votes is an author of a contribution" in told(found)
    assert "vote_candidates" in engine.asked


def test_votes_of_few_are_not_tested(engine: Engine) -> None:
    votes = [{"voter": f"p{n:03}", "item": "x", "vote": 1} for n in range(1, LEAST_VOICES)]
    found = find_campaigns(rows_of(), votes=votes)
    assert found.channels_off["votes"] == "too-few"
    assert "vote_candidates" not in engine.asked


def test_votes_are_tested_though_texts_are_few(engine: Engine) -> None:
    c = cases.planted(votes=True)
    found = find_campaigns(rows_of(4, 2), votes=c.votes)
    assert "vote_candidates" in engine.asked and "text_candidates" not in engine.asked
    assert [one.candidate.kind for one in found.groups] == ["votes"]


# What can't be searched


def test_all_texts_empty() -> None:
    rows = [{"text": "", "author": "a"}, {"text": "👍", "author": "b"}]
    codes, text = faults_of(lambda: find_campaigns(rows))
    assert codes == ["texts-wordless"]
    assert "Is the right column taken" in text


def test_votes_without_voters() -> None:
    codes, text = faults_of(lambda: find_campaigns(rows_of(), votes=[{"item": "x", "vote": 1}]))
    assert codes == ["votes-voter-missing"]
    assert "who voted" in text


def test_a_column_of_contributions_in_the_place_of_votes() -> None:
    rows = [{**row, "likes": 3} for row in rows_of()]
    codes, text = faults_of(lambda: find_campaigns(rows, votes="likes"))
    assert codes == ["votes-count"]
    assert "how many voted" in text


@pytest.mark.parametrize("q", [0, -0.1, 0.51, 1, 5, 200, float("nan"), "0.05", None, True, 10**400])
def test_q_out_of_range(q: float) -> None:
    codes, text = faults_of(lambda: find_campaigns(rows_of(), q))
    assert codes == ["option-range"]
    assert "above 0 and at most 0.5" in text
    assert ("For 5 percent, give 0.05" in text) == (q == 5)


def test_unknown_channel_is_told_with_what_may_be_meant() -> None:
    codes, text = faults_of(lambda: find_campaigns(rows_of(), channels=["tiem", "colour", "votes"]))
    assert codes == ["option-unknown"] * 2
    assert "Is 'time' meant?" in text and "There are 'template'" in text


@pytest.mark.parametrize("channels", ["time", [], 3, {"time"}])
def test_channels_must_be_a_list(channels: object) -> None:
    codes, _ = faults_of(lambda: find_campaigns(rows_of(), channels=channels))  # type: ignore[arg-type]
    assert codes == ["option-unknown"]


def test_vectors_of_another_number() -> None:
    given = np.ones((67, 4), np.float32)
    codes, text = faults_of(lambda: find_campaigns(rows_of(), vectors=given))
    assert codes == ["vectors-count"]
    assert "67 vectors and 68 contributions" in text


def test_vectors_with_nan() -> None:
    given = np.ones((68, 4), np.float32)
    given[7, 2] = np.nan
    codes, text = faults_of(lambda: find_campaigns(rows_of(), vectors=given))
    assert codes == ["vectors-not-finite"]
    assert "8" in text


def test_a_vector_of_zeros_for_a_text_with_words() -> None:
    given = np.ones((68, 4), np.float32)
    given[[7, 3]] = 0
    rows = rows_of()
    codes, text = faults_of(lambda: find_campaigns(rows, vectors=given))
    assert codes == ["vectors-zero"]
    assert all(repr(rows[row]["id"]) in text for row in (3, 7))


def test_a_vector_of_zeros_for_a_text_without_words_is_fine(engine: Engine) -> None:
    rows = [*rows_of(), {"id": "e", "text": "👍"}]
    given = np.random.default_rng(1).standard_normal((69, 4))
    given[68] = 0
    assert find_campaigns(rows, vectors=given).empty == ("e",)


def test_ids_that_are_there_twice() -> None:
    rows = rows_of()
    rows[3]["id"] = rows[9]["id"]
    codes, _ = faults_of(lambda: find_campaigns(rows))
    assert codes == ["id-duplicate"]


def test_columns_named_of_contributions_that_were_read() -> None:
    read = Contributions.read(rows_of())
    codes, _ = faults_of(lambda: find_campaigns(read, author="browser"))
    assert codes == ["options-conflict"]


def test_metadata_that_is_not_there() -> None:
    codes, text = faults_of(lambda: find_campaigns(rows_of(), metadata=["ip"]))
    assert codes == ["column-missing"]
    codes, text = faults_of(lambda: find_campaigns(Contributions.read(rows_of()), metadata=["ip"]))
    assert codes == ["column-missing"] and "metadata=['ip']" in text
    codes, _ = faults_of(lambda: find_campaigns(rows_of(), metadata="browser"))
    assert codes == ["option-unknown"]


def test_metadata_that_no_channel_looks_at() -> None:
    codes, _ = faults_of(lambda: find_campaigns(rows_of(), channels=["time"], metadata=["browser"]))
    assert codes == ["options-conflict"]


def test_the_channel_of_metadata_without_columns_is_off(engine: Engine) -> None:
    found = find_campaigns(rows_of(), channels=["template", "metadata"])
    assert found.channels_off["metadata"] == "no-metadata"


def test_vectors_and_an_embedder() -> None:
    given = np.ones((68, 4), np.float32)
    codes, _ = faults_of(lambda: find_campaigns(rows_of(), vectors=given, embedder="offline"))
    assert codes == ["options-conflict"]


def test_themes_of_another_number_or_kind() -> None:
    codes, text = faults_of(lambda: find_campaigns(rows_of(), themes=["t"] * 5))
    assert codes == ["labels-count"] and "5 labels" in text
    from klero.themes.themes import Themes

    codes, text = faults_of(lambda: find_campaigns(rows_of(), themes=Themes()))
    assert codes == ["labels-type"] and "fit()" in text
    codes, _ = faults_of(lambda: find_campaigns(rows_of(), themes=3))
    assert codes == ["source-type"]


@pytest.mark.parametrize("option", [{"seed": -1}, {"seed": 1.5}, {"threads": 0}, {"progress": 3}])
def test_other_options(option: dict[str, object]) -> None:
    codes, _ = faults_of(lambda: find_campaigns(rows_of(), **option))  # type: ignore[arg-type]
    assert set(codes) <= {"option-range", "option-unknown"} and len(codes) == 1


def test_all_that_is_wrong_is_told_at_once() -> None:
    codes, _ = faults_of(lambda: find_campaigns(rows_of(), 7, channels=["x"], seed=-1, threads=0))
    assert sorted(codes) == ["option-range"] * 3 + ["option-unknown"]
    codes, _ = faults_of(
        lambda: find_campaigns(
            rows_of(), votes=[{"item": "x", "vote": 1}], vectors=np.ones((3, 2), np.float32)
        )
    )
    assert sorted(codes) == ["vectors-count", "votes-voter-missing"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    codes, _ = faults_of(lambda: find_campaigns(tmp_path / "none.csv"))
    assert codes == ["file-missing"]
    codes, _ = faults_of(lambda: find_campaigns(rows_of(), votes=tmp_path / "votes.csv"))
    assert codes == ["file-missing"]


def test_there_is_no_such_group(engine: Engine) -> None:
    found = find_campaigns(rows_of())
    codes, text = faults_of(lambda: found.group("C99"))
    assert codes == ["campaign-group-unknown"] and f"C1 to C{len(found.tested)}" in text


def test_a_pipe_is_refused_with_what_to_do(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="Save it to a file first") as caught:
        find_campaigns(pipe, text="text")
    assert [fault.code for fault in caught.value.faults] == ["file-unreadable"]
