"""From contributions to a result: what is read, in which order parts are asked, and that neither rows nor threads change a byte."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import campaign_cases as cases
from campaign_fakes import Engine
from klero.campaigns.find import find_campaigns, search
from klero.campaigns.model import CHANNELS, Candidate, Channel, Consultation
from klero.campaigns.settings import Asked
from klero.campaigns.units import Units, consultation, read_units
from klero.voices.contributions import Contributions

Row = dict[str, object]


def rows_of(organic: int = 60, letter: int = 8) -> list[Row]:
    """The contributions of `campaign_cases.planted`, as a table."""
    c = cases.planted(organic, letter)
    stances = {1: "for", -1: "against", 0: "neutral", 2: None}
    return [
        {
            "id": c.ids[row],
            "text": c.texts[row],
            "author": c.authors[int(c.author[row])],
            "time": str(np.datetime64(round(float(c.time[row]) * 1e6), "us")),
            "question": c.questions[int(c.question[row])],
            "stance": stances[int(c.stance[row])],
            "browser": "odd" if c.texts[row].startswith("Je demande") else f"b{row % 3}",
        }
        for row in range(len(c))
    ]


def votes_table(c: Consultation) -> list[Row]:
    assert c.votes is not None
    return [
        {"voter": c.votes.accounts[v], "item": c.votes.items[i], "vote": int(value)}
        for v, i, value in zip(c.votes.voter, c.votes.item, c.votes.value, strict=True)
    ]


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    return Engine(monkeypatch)


def same(mine: Consultation, slow: Consultation) -> None:
    assert mine.ids == slow.ids and mine.texts == slow.texts
    assert mine.authors == slow.authors and mine.questions == slow.questions
    for name in ("words", "author", "question", "stance", "time"):
        np.testing.assert_array_equal(getattr(mine, name), getattr(slow, name), name)


# What is read


def test_units_are_those_of_the_slow_way() -> None:
    rows = rows_of()
    texts = [str(row["text"]) for row in rows]
    slow = cases.consultation_of(
        texts,
        ids=[str(row["id"]) for row in rows],
        authors=[str(row["author"]) for row in rows],
        times=[
            float(np.datetime64(str(row["time"])).astype("datetime64[us]").astype(np.int64)) / 1e6
            for row in rows
        ],
        questions=[str(row["question"]) for row in rows],
        stances=[row["stance"] for row in rows],  # type: ignore[misc]
        metadata={"browser": [str(row["browser"]) for row in rows]},
    )
    mine = read_units(rows, metadata=["browser"]).consultation
    same(mine, slow)
    np.testing.assert_array_equal(mine.metadata["browser"], slow.metadata["browser"])


CELLS = st.sampled_from(["", "Oui au tram", "Oui au tram.", "Non", "👍", "Plus d'arbres, svp"])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "text": CELLS,
            "author": st.sampled_from([None, " ", "a", "b ", "c"]),
            "question": st.sampled_from([None, "", "q1", "q2"]),
            "stance": st.sampled_from([None, "pour", "against", "?", "neutre"]),
            "time": st.sampled_from(
                [None, "2026-03-02 08:00", "2026-03-02T09:00+01:00", "1772438400000", "soon"]
            ),
        }
    ),
    min_size=1,
    max_size=12,
)


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_no_contribution_is_lost_and_the_order_of_rows_changes_nothing(
    rows: list[Row], random: object
) -> None:
    rows = [{"id": f"r{number}", **row} for number, row in enumerate(rows)]
    rows.append(
        {"id": "last", "text": "Une phrase", "author": None, "question": None, "stance": None, "time": None}
    )
    read = read_units(rows)
    other = list(rows)
    random.shuffle(other)  # type: ignore[attr-defined]
    again = read_units(other)
    assert sorted(map(str, (*read.consultation.ids, *read.empty))) == sorted(str(row["id"]) for row in rows)
    assert read.ids == tuple(row["id"] for row in rows)
    assert [read.ids[row] for row in read.source] == list(read.consultation.ids)
    same(again.consultation, read.consultation)
    assert (again.empty, again.notes) == (read.empty, read.notes)
    np.testing.assert_array_equal(again.rank, read.rank)
    assert again.consultation.vectors is not None and read.consultation.vectors is not None
    assert again.consultation.vectors.tobytes() == read.consultation.vectors.tobytes()


def test_equal_authors_are_one_voice_and_missing_ones_each_their_own() -> None:
    rows = [
        {"text": f"texte {i}", "author": name} for i, name in enumerate(["zoé", None, " zoé ", "", "ali"])
    ]
    c, empty = consultation(Contributions.read(rows))
    by_id = dict(zip(c.ids, c.author.tolist(), strict=True))
    assert by_id[1] == by_id[3]
    assert len({by_id[1], by_id[2], by_id[4], by_id[5]}) == 4
    assert [c.authors[by_id[n]] for n in (1, 2, 4, 5)] == ["zoé", None, None, "ali"]
    assert empty == ()


def test_vectors_are_given_by_row_centred_and_of_length_one() -> None:
    rows = rows_of()
    rows.insert(3, {**rows[0], "id": "void", "text": "👍"})
    given = np.random.default_rng(5).standard_normal((len(rows), 9)).astype(np.float32)
    read = read_units(rows, vectors=given)
    assert read.vectors_by == "given" and read.empty == ("void",)
    mine = given[[row for row in range(len(rows)) if row != 3]].astype(np.float64)
    moved = given[read.source].astype(np.float64) - mine.mean(axis=0)
    unit = moved / np.linalg.norm(moved, axis=1, keepdims=True)
    assert read.consultation.vectors is not None and read.consultation.vectors.dtype == np.float32
    np.testing.assert_allclose(read.consultation.vectors, unit, atol=1e-6)


def test_a_vector_that_equals_the_mean_is_zero() -> None:
    read = read_units(
        [{"text": text} for text in ("un", "deux", "trois")], vectors=[[1.0, 2], [1, 2], [1, 2]]
    )
    assert read.consultation.vectors is not None
    assert not read.consultation.vectors.any()


def test_values_of_metadata_leave_only_numbers() -> None:
    read = read_units(rows_of(), metadata=["browser"])
    assert set(read.consultation.metadata) == {"browser"}
    assert "odd" not in repr(read.consultation) and read.consultation.metadata["browser"].dtype == np.int64
    letters = [row for row, text in enumerate(read.consultation.texts) if text.startswith("Je demande")]
    assert len(set(read.consultation.metadata["browser"][letters].tolist())) == 1


@pytest.mark.parametrize("form", ["path", "arrow", "polars", "contributions"])
def test_any_source_gives_the_same_consultation(form: str, tmp_path: Path) -> None:
    rows = rows_of()
    table = pa.Table.from_pylist(rows)
    if form == "path":
        import pyarrow.csv as pc

        pc.write_csv(table, tmp_path / "x.csv")
        source: object = tmp_path / "x.csv"
    elif form == "polars":
        import polars as pl

        source = pl.from_arrow(table)
    else:
        source = Contributions.read(rows) if form == "contributions" else table
    same(read_units(source).consultation, read_units(rows).consultation)  # type: ignore[arg-type]


# How parts are put together


def test_parts_are_asked_in_order_and_only_those_that_are_on(engine: Engine) -> None:
    c = cases.planted(votes=True)
    find_campaigns(rows_of(), votes=votes_table(c), metadata=["browser"], threads=3)
    refined = engine.asked.count("refined")
    assert refined > 0
    assert [one for one in engine.asked if one != "refined"] == [
        "text_candidates",
        "ground_of",
        "paraphrase_candidates",
        "vote_candidates",
        "template_channel",
        "paraphrase_channel",
        "time_channel",
        "burst_time_channel",
        "coaction_channel",
        "votes_channel",
        "metadata_channel",
        "decide",
        "weigh",
        "detection_limits",
        "forget_texts",
        "sensitivity",
        "diversity",
    ]
    assert engine.threads == {3}
    engine.asked.clear()
    found = find_campaigns(rows_of(), channels=["time"])
    assert engine.asked[:2] == ["text_candidates", "time_channel"]
    assert set(engine.asked) & {"template_channel", "paraphrase_candidates", "votes_channel"} == set()
    assert found.channels_off == dict.fromkeys([name for name in CHANNELS if name != "time"], "not-asked")


def test_groups_have_names_members_and_all_six_channels(engine: Engine) -> None:
    c = cases.planted(votes=True)
    found = find_campaigns(rows_of(), votes=votes_table(c))
    letter, voters = found.groups
    assert letter.members == tuple(f"z{i}" for i in range(1, 9))
    assert (letter.name, letter.rule, letter.raw, letter.candidate.kind) == (
        "C1",
        "two-strands",
        8,
        "template",
    )
    assert (voters.name, voters.members, voters.candidate.kind) == ("C2", (), "votes")
    assert [channel.name for channel in letter.channels] == list(CHANNELS)
    assert [channel.why_not for channel in voters.channels[:3]] == ["no-texts"] * 3
    assert found.channels_off == {"paraphrase": "too-few", "coaction": "too-few", "metadata": "not-asked"}
    assert found.permutations == 99 * sum(
        channel.p is not None for one in found.tested for channel in one.channels
    )
    assert [one.name for one in found.tested] == [f"C{n}" for n in range(1, len(found.tested) + 1)]
    shown = [one.for_review for one in found.tested]
    assert shown == sorted(shown, reverse=True)


def test_of_a_burst_the_wording_is_not_asked_and_its_time_is_that_of_the_scan(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import campaign_fakes

    def scanned(candidates: list[Candidate], ground: object, channels: list[Channel]) -> list[Channel]:
        return [
            Channel("time", 0.0001) if one.found_by == "time" else channel
            for one, channel in zip(candidates, channels, strict=True)
        ]

    monkeypatch.setattr(campaign_fakes, "burst_time_channel", scanned)
    rows = [
        {**row, "text": f"{row['text']} burst"} if number < 6 else row for number, row in enumerate(rows_of())
    ]
    found = find_campaigns(rows)
    (burst,) = [one for one in found.tested if one.candidate.found_by == "time"]
    told = {channel.name: channel for channel in burst.channels}
    assert (told["template"].p, told["template"].why_not) == (None, "not-asked")
    assert told["time"].p == 0.0001
    assert burst.for_review and burst.raw == len(burst.members) == 5  # without whom it does not keep
    assert "template" not in found.channels_off


def test_search_gives_candidates_channels_and_decisions_alone(engine: Engine) -> None:
    c = cases.planted()
    found = search(c, Asked(0.05, ("template", "time"), 0, 1))
    assert [one.for_review for one in found.decisions].count(True) == 1
    assert len(found.candidates) == len(found.channels) == len(found.decisions)
    assert "weigh" not in engine.asked


def _shuffled(rows: Sequence[Row], seed: int) -> tuple[list[Row], np.ndarray]:
    order = np.random.default_rng(seed).permutation(len(rows))
    return [rows[i] for i in order], order


def test_row_order_and_threads_change_no_byte(engine: Engine) -> None:
    rows, votes = rows_of(), votes_table(cases.planted(votes=True))
    rows.append({**rows[0], "id": "void", "text": ""})
    vectors = np.random.default_rng(2).standard_normal((len(rows), 12)).astype(np.float32)
    whole = find_campaigns(rows, votes=votes, vectors=vectors, threads=1)
    for seed in range(3):
        other, order = _shuffled(rows, seed)
        mixed, _ = _shuffled(votes, seed)
        again = find_campaigns(other, votes=mixed, vectors=vectors[order], threads=8)
        assert again.to_json() == whole.to_json()
        assert again.digest == whole.digest
        assert again.to_arrow().sort_by("id").equals(whole.to_arrow().sort_by("id"))
        assert again.to_arrow().column("id").to_pylist() == [row["id"] for row in other]
        assert again.groups_to_arrow(tested=True).equals(whole.groups_to_arrow(tested=True))


@pytest.mark.parametrize(
    "change",
    [
        {"q": 0.1},
        {"seed": 1},
        {"channels": ["template"]},
        {"vectors": np.eye(68, dtype=np.float32)},
        {"metadata": ["browser"]},
        {"themes": ["a", "b"] * 34},
        {"votes": [{"voter": "p001", "item": "x", "vote": 1}]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_digest_says_the_settings_and_the_input(engine: Engine, change: dict[str, object]) -> None:
    assert find_campaigns(rows_of(), **change).digest != find_campaigns(rows_of()).digest  # type: ignore[arg-type]


@pytest.mark.parametrize("column", ["id", "text", "author", "time", "question", "stance"])
def test_digest_changes_with_any_cell(engine: Engine, column: str) -> None:
    rows = rows_of()
    values = {"time": "2026-03-01 10:00", "stance": "neutral"}
    changed = [
        {**row, column: values.get(column, "other")} if number == 4 else row
        for number, row in enumerate(rows)
    ]
    assert find_campaigns(changed).digest != find_campaigns(rows).digest


def test_themes_are_told_by_name_whether_of_all_or_of_those_with_words(engine: Engine) -> None:
    rows = rows_of()
    rows.insert(5, {**rows[0], "id": "void", "text": "…"})
    of_all = [("t1", "t2", None)[i % 3] for i in range(len(rows))]
    worded = [theme for row, theme in zip(rows, of_all, strict=True) if row["id"] != "void"]
    told = find_campaigns(rows, themes=of_all).sensitivity
    assert [(one.label, one.raw) for one in told] == [("t1", worded.count("t1")), ("t2", worded.count("t2"))]
    assert find_campaigns(rows, themes=worded).sensitivity == told


def test_a_model_of_themes_gives_its_names(engine: Engine) -> None:
    from klero.themes.embedders import embed
    from klero.themes.themes import Themes

    rows = rows_of()
    model = Themes(granularity="coarse").fit(embed([str(row["text"]) for row in rows]).vectors)
    told = find_campaigns(rows, themes=model).sensitivity
    sizes = model.partition_.sizes[model.partition_.kinds == 0].tolist()
    assert {one.label: one.raw for one in told} == {f"T{n}": size for n, size in enumerate(sizes, start=1)}


def test_themes_are_made_where_none_are_given_and_named_by_their_words(engine: Engine) -> None:
    told = find_campaigns(rows_of()).sensitivity
    assert told and all(one.label.startswith("T") and ": " in one.label and one.raw >= 5 for one in told)
    assert any("dépôt Mercier" in one.label or "ligne" in one.label for one in told)
    assert find_campaigns(rows_of(), themes=False).sensitivity == ()
    assert find_campaigns(rows_of(12, 8)).sensitivity == ()


def test_interruption_comes_through(engine: Engine) -> None:
    engine.interrupts = "template_channel"
    with pytest.raises(KeyboardInterrupt):
        find_campaigns(rows_of())


def test_progress_is_told_of_reading_and_of_each_part(engine: Engine) -> None:
    steps: list[str] = []
    find_campaigns(rows_of(), progress=lambda step, _count: steps.append(step))
    assert steps[0] == "reading" and {"words", "text_candidates", "diversity"} <= set(steps)


# What leaves


def test_tables_account_for_every_contribution_and_weights_for_every_voice(engine: Engine) -> None:
    rows = rows_of()
    rows.append({**rows[0], "id": "void", "text": ""})
    rows.append({**rows[1], "id": "again", "text": "Encore une chose de la même personne"})
    found = find_campaigns(rows)
    table = found.to_arrow()
    assert table.column("id").to_pylist() == [row["id"] for row in rows]
    by_id = {line["id"]: line for line in table.to_pylist()}
    assert {by_id[name]["group"] for name in found.groups[0].members} == {"C1"}
    assert {line["group"] for name, line in by_id.items() if not name.startswith("z")} == {None}
    assert by_id["void"] == {**dict.fromkeys(table.column_names), "id": "void"}
    assert by_id["again"]["voice_weight_raw"] == by_id["again"]["voice_weight"] == 0.5
    letters = [by_id[f"z{i}"] for i in range(1, 9)]
    assert sum(line["voice_weight_raw"] for line in letters) == pytest.approx(8)
    assert sum(line["voice_weight"] for line in letters) == pytest.approx(2)
    assert sum(line["voice_weight_one_each"] for line in letters) == pytest.approx(1)
    for line in by_id.values():
        assert (line["group"] is None) == (line["dependence"] is None) == (line["kind"] is None)
    assert sum(line["voice_weight_raw"] or 0 for line in by_id.values()) == pytest.approx(found.raw)


def test_arrow_stream_is_read_by_others(engine: Engine) -> None:
    import polars as pl

    found = find_campaigns(rows_of())
    assert pl.from_arrow(pa.table(found)).height == 68
    assert found.groups_to_arrow().num_rows == 1
    groups = found.groups_to_arrow(tested=True).to_pylist()
    assert [line["group"] for line in groups] == [one.name for one in found.tested]
    assert groups[0]["p_template"] == 1e-8 and groups[0]["p_votes"] is None


def test_ids_that_are_whole_numbers_stay_so(engine: Engine) -> None:
    rows = [{**row, "id": number} for number, row in enumerate(rows_of(), start=1)]
    found = find_campaigns(pa.Table.from_pylist(rows))
    assert found.to_arrow().schema.field("id").type == pa.int64()
    assert list(found.groups[0].members) == sorted(found.groups[0].members)


def test_json_holds_what_was_tested_in_full_and_no_text_or_author(engine: Engine) -> None:
    rows = rows_of()
    found = find_campaigns(rows, votes=votes_table(cases.planted(votes=True)))
    record = json.loads(found.to_json())
    assert record["schema"] == record["algorithm"] == "klero-campaigns/1"
    assert (record["q"], record["digest"], record["tested"]) == (0.05, found.digest, len(found.tested))
    letter, voters = record["groups"]
    assert letter["members"] == [f"z{i}" for i in range(1, 9)]
    assert set(letter["n_eff"]) == {"low", "estimate", "high", "level"}
    assert (letter["p"], letter["e"], letter["raw"], letter["rule"]) == (1e-8, None, 8, "two-strands")
    by_name = {channel["name"]: channel for channel in letter["channels"]}
    assert list(by_name) == list(CHANNELS)
    null = by_name["template"]["nulls"][0]
    assert (null["statistic"], null["observed"], null["count"], len(null["draws"])) == ("fake", 8.0, 99, 3)
    assert by_name["template"]["effect"] == {"fake_effect": 8.0, "endless": None}
    assert by_name["votes"]["why_not"] == "too-few" and by_name["votes"]["p"] is None
    assert len(voters["voters"]) == 8 and voters["members"] == []
    assert len(record["not_for_review"]) == len(found.tested) - 2
    assert record["detection_limits"][0]["power"] == {"5": 0.25, "7": 0.5, "40": 1.0}
    assert record["channels_off"] == dict(found.channels_off)
    text = found.to_json()
    # Accounts stand there only as members of a group of voters.
    writers = {str(row["author"]) for row in rows} - set(voters["voters"])
    assert not any(f'"{name}"' in text for name in writers)
    assert not any(str(row["text"]) in text for row in rows)


def test_dependence_in_json_is_that_of_the_member_at_its_place(engine: Engine) -> None:
    found = find_campaigns(rows_of())
    group, told = found.groups[0], json.loads(found.to_json())["groups"][0]
    by_id = dict(
        zip((found.consultation.ids[row] for row in group.candidate.rows), group.dependence, strict=True)
    )
    assert told["dependence"] == [by_id[name] for name in told["members"]]


def test_a_result_tells_itself_without_texts(engine: Engine) -> None:
    found = find_campaigns(rows_of())
    assert repr(found) == (
        f"<Campaigns: 68 contributions, 68 voices; 1 group for review of {len(found.tested)} tested, q = 0.05>"
    )
    html = found._repr_html_()
    assert "C1" in html and "Je demande" not in html
    assert found.group("C1") is found.groups[0]


def test_explain_asks_the_words(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys
    from types import ModuleType

    fake = ModuleType("klero.campaigns.explain")
    fake.explain_group = lambda result, name, lang: f"{name} in {lang}"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, fake.__name__, fake)
    found = find_campaigns(rows_of())
    assert found.explain("C1") == "C1 in en"
    assert found.explain(found.groups[0], "fr") == "C1 in fr"


def test_units_keep_where_rows_come_from() -> None:
    read: Units = read_units(rows_of())
    assert sorted(read.source.tolist()) == list(range(68))
    ranked = [read.consultation.ids[row] for row in np.argsort(read.rank)]
    assert ranked == sorted(ranked)
