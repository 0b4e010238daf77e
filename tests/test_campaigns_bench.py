"""The benchmark of campaigns: plants and controls are seeded and keep their truth, and what it counts is right."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from contribution_cases import needs_data

sys.path.insert(0, str(Path(__file__).parents[1] / "benches" / "campaigns"))

import controls
import corpora
import disguises
import letters
import metrics
import plants
import rows
import tools
from corpora import Corpus, Row
from metrics import Counts, Found
from plants import Planted, Truth

BENCH = Path(corpora.__file__).parent
MADE = corpora.load("made")
TEXTS = [kind for kind in plants.KINDS if kind not in ("votes", "paraphrase")]


@pytest.mark.parametrize("kind", [*TEXTS, "votes"])
@pytest.mark.parametrize("size", [5, 40])
def test_a_plant_is_a_function_of_its_seed(kind: str, size: int) -> None:
    assert plants.plant(MADE, kind, size, 3) == plants.plant(MADE, kind, size, 3)
    assert plants.plant(MADE, kind, size, 3) != plants.plant(MADE, kind, size, 4)


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("when", ["organic", "burst", "drip"])
def test_members_are_new_rows_by_new_accounts_and_all_else_stays(kind: str, when: str) -> None:
    grown, truth = plants.plant(MADE, kind, 20, 3, when=when)
    (one,) = truth.campaigns
    assert len(set(one.members)) == len(set(one.accounts)) == 20
    assert not set(one.members) & set(MADE.by_id)
    assert not set(one.accounts) & {row.author for row in MADE.rows}
    left = {name: row for name, row in grown.by_id.items() if name not in one.members}
    assert left == {name: row for name, row in MADE.by_id.items() if name not in truth.taken}
    assert len(truth.taken) == (kind in ("copies", "adversarial"))


@pytest.mark.parametrize("kind", TEXTS)
def test_rows_stand_by_their_times(kind: str) -> None:
    grown, _ = plants.plant(MADE, kind, 20, 3, when="drip")
    times = [row.time for row in grown.rows]
    assert times == sorted(times)


def test_a_burst_is_short_and_a_drip_is_even() -> None:
    spans = {}
    for when in ("burst", "drip"):
        grown, truth = plants.plant(MADE, "mail-merge", 20, 3, when=when, hours=4)
        of = sorted(float(grown.by_id[name].time or 0) for name in truth.campaigns[0].members)
        spans[when] = np.array(of)
    whole = float(MADE.rows[-1].time or 0) - float(MADE.rows[0].time or 0)
    assert np.ptp(spans["burst"]) <= 4 * 3600
    gaps = np.diff(spans["drip"]) / (whole / 20)
    assert gaps.min() >= 0.9 - 1e-9
    assert gaps.max() <= 1.1 + 1e-9


def test_a_question_can_be_one_all_or_named() -> None:
    def asked(where: str) -> set[str]:
        grown, truth = plants.plant(MADE, "mail-merge", 40, 3, question=where)
        return {grown.by_id[name].question for name in truth.campaigns[0].members}

    assert len(asked("one")) == 1
    assert asked("spread") == {"q0", "q1", "q2"}
    assert asked("q1") == {"q1"}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.15])
def test_copies_differ_by_the_share_of_words_asked_for(share: float) -> None:
    text = " ".join(f"w{at}" for at in range(100))
    random = np.random.default_rng(0)
    for _ in range(20):
        made = disguises.edited(text, share, ["neu"], random).split()
        kept = len(set(text.split()) & set(made))
        assert 100 - kept <= round(100 * share)  # an exchange or an insertion keeps all
        assert (made == text.split()) == (share == 0)


@pytest.mark.parametrize("letter", letters.LETTERS)
def test_two_letters_share_few_runs_of_three_words(letter: str) -> None:
    random = np.random.default_rng(0)
    of = letters.template(letter, random)
    short = letters.template(letter, random, brief=True)
    assert 1 <= len(letters.merged(short, random).split(". ")) <= 3
    texts = [disguises.grams(letters.merged(of, random)) for _ in range(40)]
    shared = [len(a & b) / len(a | b) for at, a in enumerate(texts) for b in texts[:at]]
    assert of.slots >= 10
    assert np.median(shared) <= 0.15
    assert max(shared) < 0.5


@pytest.mark.parametrize("letter", letters.LETTERS)
def test_a_letter_has_the_ways_that_its_description_says(letter: str) -> None:
    ways = [len(piece) for sentence in letters.sentences_of(letter) for piece in sentence if len(piece) > 1]
    assert len(ways) >= 40
    assert min(ways) >= 3
    assert max(ways) <= 8
    assert len(letters.sentences_of(letter)) >= letters.SENTENCES[1] + 2


@pytest.mark.parametrize("name", disguises.DISGUISES)
def test_a_disguise_changes_a_text_and_keeps_its_length_nearly(name: str) -> None:
    text = "Nos impôts devraient être expliqués, chaque année, à toutes les personnes concernées."
    made = disguises.DISGUISES[name](text, np.random.default_rng(1), "fr")
    assert made != text
    assert abs(len(made) - len(text)) < 40


def test_puppets_follow_their_script() -> None:
    grown, truth = plants.plant(MADE, "votes", 10, 3, deviations=0.0, skipped=0.0)
    of = defaultdict(dict)
    for vote in grown.votes:
        of[vote.voter][vote.item] = vote.value
    puppets = [of[account] for account in truth.campaigns[0].accounts]
    common = set.intersection(*(set(votes) for votes in puppets))
    assert len(common) >= 9
    assert sum(len({votes[item] for votes in puppets}) == 1 for item in common) >= 9
    assert set(MADE.votes) < set(grown.votes)


@pytest.mark.parametrize("kind", [kind for kind in controls.KINDS if kind != "polished"])
def test_a_control_is_a_function_of_its_seed_and_hides_nothing(kind: str) -> None:
    grown, truth = controls.control(MADE, kind, 3)
    assert (grown, truth) == controls.control(MADE, kind, 3)
    assert truth.note == kind
    assert set(truth.changed) <= set(grown.by_id)
    assert all(one.declared for one in truth.campaigns)
    kept = {row.text for row in MADE.rows if row.id not in truth.taken}
    assert kept <= {row.text for row in grown.rows}


def test_a_class_writes_within_an_hour_and_nobody_twice_the_same() -> None:
    grown, truth = controls.control(MADE, "school-class", 3)
    pupils = [grown.by_id[name] for name in truth.changed]
    assert np.ptp([float(row.time or 0) for row in pupils]) <= 3600
    assert len({row.text for row in pupils}) == len({row.author for row in pupils}) == 25


def test_a_rush_moves_times_alone() -> None:
    grown, truth = controls.control(MADE, "deadline-rush", 3)
    assert {row.id: row._replace(time=None) for row in grown.rows} == {
        row.id: row._replace(time=None) for row in MADE.rows
    }
    last = max(float(row.time or 0) for row in MADE.rows)
    assert all(last - float(grown.by_id[name].time or 0) <= 2 * 86400 for name in truth.changed)


def test_a_replicate_keeps_people_whole() -> None:
    part = corpora.replicate(MADE, 5)
    assert part == corpora.replicate(MADE, 5) != corpora.replicate(MADE, 6)
    people = {row.author for row in part.rows}
    assert part.rows == tuple(row for row in MADE.rows if row.author in people)
    voters = {vote.voter for vote in part.votes}
    items = {row.id for row in part.rows} | ({vote.item for vote in MADE.votes} - set(MADE.by_id))
    assert part.votes == tuple(vote for vote in MADE.votes if vote.voter in voters and vote.item in items)
    assert 0.8 <= len(people) / 240 <= 0.9


@needs_data
@pytest.mark.parametrize("name", corpora.MAIN)
def test_in_a_real_corpus_no_five_people_share_a_text_of_fifteen_words(name: str) -> None:
    corpus = corpora.load(name, corpora.data_folder())
    writers = defaultdict(set)
    for row in corpus.rows:
        writers[disguises.words_of(row.text)].add(row.author)
    assert max(len(people) for words, people in writers.items() if len(words) >= 15) < 5


@needs_data
def test_paraphrases_stand_where_people_argue_about_the_same() -> None:
    corpus = corpora.load("repnum")
    for where in ("one", "spread"):
        grown, truth = plants.plant(corpus, "paraphrase", 40, 3, question=where)
        rows = [grown.by_id[name] for name in truth.campaigns[0].members]
        assert all("libre" in corpus.titles[row.question].lower() for row in rows)
        assert (len({row.question for row in rows}) == 1) == (where == "one")
    with pytest.raises(ValueError, match="at most 40"):
        plants.plant(corpus, "paraphrase", 41, 3)


# What is counted


def row(name: str, author: str | None = None, text: str = "x", question: str = "q") -> Row:
    return Row(name, text, author or f"by {name}", 0.0, question)


CORPUS = Corpus("case", "en", tuple(row(name) for name in "abcdefghijklmnopqrst"))
TRUE = Truth((Planted("copies", tuple("abcde"), tuple(f"by {name}" for name in "abcde")),))


@pytest.mark.parametrize(
    ("found", "campaign", "false", "members", "accused"),
    [
        ("abcde", 1, 0, 5, 0),
        ("abc", 1, 0, 3, 0),  # 3 of 5 in either
        ("ab", 0, 0, 2, 0),  # a piece: not found, and not false
        ("abcdefghij", 1, 0, 5, 5),  # 5 of 10 in either: found, but five people are accused
        ("abcdefghijk", 0, 1, 0, 6),  # fewer than half are planted
        ("fghij", 0, 1, 0, 5),
    ],
)
def test_one_group_beside_the_truth(
    found: str, campaign: int, false: int, members: int, accused: int
) -> None:
    counted = metrics.counts(CORPUS, TRUE, [Found.of(found)])
    assert (counted.found_campaigns, counted.false_groups) == (campaign, false)
    assert (counted.members_found, counted.accused_authors) == (members, accused)
    assert (counted.organic_authors, counted.groups, counted.flagged) == (15, 1, len(found))


def test_rates_over_runs() -> None:
    runs = [
        metrics.counts(CORPUS, TRUE, [Found.of("abcde"), Found.of("fghij")]),
        metrics.counts(CORPUS, TRUE, []),
        metrics.counts(CORPUS, Truth(), [Found.of("fghij")]),
        metrics.counts(CORPUS, Truth(), []),
    ]
    told = metrics.summary(runs)
    values = {name: one.value for name, one in told.items()}
    assert values == pytest.approx(
        {
            "campaign recall": 0.5,
            "campaign precision": 0.25,
            "member recall": 0.5,
            "member precision": 0.25,
            "false discovery rate": 0.375,
            "any false alarm": 0.5,
            "any alarm": 0.5,
            "false accusation": (1 / 3 + 0.25) / 4,
        }
    )
    assert told["campaign recall"].trials == 2
    assert all(one.low <= one.value <= one.high for one in told.values())


def test_accounts_that_vote_are_compared_by_their_names() -> None:
    truth = Truth((Planted("votes", (), tuple("vwxyz")),))
    corpus = Corpus("case", "en", CORPUS.rows, tuple(corpora.Vote(name, "a", 1) for name in "tuvwxyz"))
    counted = metrics.counts(corpus, truth, [Found.of(voters="tuvwxyz")])
    assert (counted.found_campaigns, counted.members, counted.accused_authors) == (1, 5, 2)
    assert counted.organic_authors == 22
    assert metrics.counts(corpus, truth, [Found.of("vwxyz")]).found_campaigns == 0


def test_a_declared_petition_is_counted_apart() -> None:
    truth = Truth((Planted("petition", tuple("abcde"), tuple("abcde"), declared=True),))
    counted = metrics.counts(CORPUS, truth, [Found.of("abcde")])
    assert (counted.declared, counted.declared_found) == (1, 1)


def test_effective_voices() -> None:
    assert metrics.n_eff_errors(CORPUS, TRUE, 16.0) == (0.0, 0.0)
    whole, taken = metrics.n_eff_errors(CORPUS, TRUE, 18.0)
    assert (whole, taken) == pytest.approx((0.125, 0.5))
    assert metrics.n_eff_errors(CORPUS, Truth(), 20.0) == (0.0, None)


def test_who_is_accused_more_often() -> None:
    texts = {"f": "one two", "g": "one", "h": " ".join("abcdefghijkl")}
    rows = tuple(
        row(name, author="w" if name in "kl" else None, text=texts.get(name, "long " * 11))
        for name in "abcdefghijkl"
    )
    corpus = Corpus("case", "en", rows)
    short = metrics.short_texts(corpus)
    assert short == {"f", "g"}
    assert metrics.first_time(corpus) == set("abcdefghij")
    assert metrics.accused_in(corpus, TRUE, [Found.of("aefh")], short) == (1, 2, 1, 5)
    value, low, high = metrics.ratio(1, 2, 1, 5)
    assert value == pytest.approx(2.5)
    assert low < 1 < 2.5 < high
    assert math.isnan(metrics.ratio(0, 2, 0, 5)[0])


@pytest.mark.parametrize(
    ("hits", "trials"), [(0, 10), (1, 10), (5, 10), (10, 10), (3, 200), (199, 200), (0, 1000)]
)
def test_intervals_are_those_of_clopper_and_pearson(hits: int, trials: int) -> None:
    """By definition: at a bound, as many hits or more (or fewer) have a probability of 2.5 %."""
    low, high = metrics.interval(hits, trials)

    def at_most(most: int, share: float) -> float:
        return sum(math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(most + 1))

    if hits:
        assert 1 - at_most(hits - 1, low) == pytest.approx(0.025, rel=1e-6)
    else:
        assert low == 0
    if hits < trials:
        assert at_most(hits, high) == pytest.approx(0.025, rel=1e-6)
    else:
        assert high == 1


def test_a_run_without_groups_has_no_false_share() -> None:
    assert Counts(1, 0, 0, 0, 0, 5, 0, 0, 0, 15, 0).false_share == 0


# Tools, and the run


def test_groups_of_fewer_than_five_accounts_are_none() -> None:
    corpus = Corpus(
        "case", "en", (*(row(name, "one") for name in "abcdef"), *(row(name) for name in "ghijk"))
    )
    assert tools.large([range(6), range(5, 9), range(5, 10)], corpus) == (Found.of("fghij"),)
    assert tools.large([range(6, 11)], corpus) == (Found.of("ghijk"),)


def test_components_are_connected() -> None:
    assert sorted(map(sorted, tools.components(7, [(0, 1), (2, 1), (5, 6)]))) == [[0, 1, 2], [5, 6]]


def test_near_duplicates_find_copies_and_miss_letters() -> None:
    copied, truth = plants.plant(MADE, "copies", 20, 3, edits=0.02)
    found = metrics.counts(copied, truth, tools.near(copied, 0.8, 3).groups)
    assert (found.found_campaigns, found.false_groups) == (1, 0)
    merged, truth = plants.plant(MADE, "mail-merge", 20, 3)
    assert metrics.counts(merged, truth, tools.near(merged, 0.8, 3).groups).groups == 0


def test_an_environment_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"peers\.py say how to make it"):
        tools.tool("cnt-6h")(MADE, tools.Settings(envs=tmp_path, cache=tmp_path))


def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(
        "from metrics import Found\nfrom tools import Answer\n"
        "def detect(corpus, settings):\n    return Answer((Found.of(row.id for row in corpus.rows),), {'n_eff': 7.0})\n"
    )
    command = [sys.executable, str(BENCH / "run.py"), "--out", str(tmp_path / "out"), "--corpora", "made"]
    command += [
        "--rows",
        "copies size=10 edits=0.1",
        "short-answers",
        "--tools",
        "near-2gram",
        f"{mine}:detect",
    ]

    def ran(replicates: int) -> tuple[str, str]:
        done = subprocess.run(
            [*command, "--replicates", str(replicates)], capture_output=True, text=True, check=True
        )
        return done.stdout, done.stderr

    assert ran(1)[1].startswith("4 to do, 0 in")
    table, told = ran(2)
    assert told.startswith("4 to do, 4 in")
    assert "| copies size=10 edits=0.1 | made | near-2gram | 2 | 1.000 (0.158–1.000) |" in table
    again, told = ran(2)
    assert told.startswith("0 to do, 8 in")
    assert again == table
    lines = [json.loads(line) for line in (tmp_path / "out" / "results.jsonl").read_text().splitlines()]
    assert {line["counts"]["false_groups"] for line in lines if line["tool"].endswith("detect")} == {1}


def test_a_row_is_read_as_it_is_written() -> None:
    (one,) = rows.read("copies size=10 edits=(0.0,0.15) when=burst")
    assert (one.kind, one.options) == ("copies", {"size": 10, "edits": (0.0, 0.15), "when": "burst"})
    assert [one.text for name in rows.NAMED for one in rows.read(name)]
    with pytest.raises(ValueError, match="no row"):
        rows.read("nothing")
    for seed in range(8):
        grown, truth = rows.consultation(rows.read("several")[0], "made", seed)
        assert 1 <= len(truth.campaigns) <= 4
        members = [name for one in truth.campaigns for name in one.members]
        assert len(members) == len(set(members))
        assert set(members) <= set(grown.by_id)


def test_organic_times_are_those_of_the_question() -> None:
    late = [Row(f"l{at}", "x", f"l{at}", 1e6 + at * 7200.0, "late") for at in range(20)]
    early = [Row(f"e{at}", "x", f"e{at}", at * 7200.0, "early") for at in range(20)]
    corpus = Corpus("case", "fr", (*early, *late))
    random = np.random.default_rng(0)
    for when in ("organic", "burst", "drip"):
        times = plants.times_of(corpus, ["late"] * 10, random, when, 6)
        assert 1e6 <= min(times) < max(times) <= 1e6 + 19 * 7200
    both = plants.organic_times(corpus, ["early", "late"], random)
    assert both[0] < 2e5 < 1e6 <= both[1]
