"""Who voted what: tables that are understood, those that are refused, and which vote counts."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.campaigns.model import Votes
from klero.campaigns.votes_table import read_votes, vote_of, votes_table
from klero.errors import InputError

DATA = Path(os.environ.get("KLERO_DATA", "")) / "voices" / "polis_opendata"


def triples(votes: Votes) -> dict[tuple[str, str], int]:
    return {
        (votes.accounts[voter], votes.items[item]): int(value)
        for voter, item, value in zip(votes.voter, votes.item, votes.value, strict=True)
    }


def fault_codes(rows: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_votes(rows)  # type: ignore[arg-type]
    return [fault.code for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("voter", "item", "value"),
    [
        ("voter-id", "comment-id", "vote"),
        ("Votant", "Proposition", "Vote"),
        ("votante", "propuesta", "voto"),
        ("user_id", "item", "value"),
        ("Auteur", "contribution_id", "choix"),
        ("participant", "statement", "choice"),
    ],
)
def test_columns_are_known_in_three_languages(voter: str, item: str, value: str) -> None:
    votes = read_votes(
        [{"n": 1, voter: "b", item: "7", value: "pour"}, {"n": 2, voter: "a", item: "7", value: "-1"}]
    )
    assert triples(votes) == {("b", "7"): 1, ("a", "7"): -1}


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (
            1,
            [
                "1",
                "+1",
                "1.0",
                "+",
                "agree",
                "AGREE",
                "for",
                "pour",
                "d'accord",
                "a favor",
                "sí",
                "oui",
                "yes",
            ],
        ),
        (-1, ["-1", "−1", "-", "disagree", "against", "contre", "pas d'accord", "en contra", "no", "non"]),
        (0, ["0", "pass", "neutre", "abstention", "abstención", "skip", "ni pour ni contre"]),
        (None, ["17", "2", "maybe", "1,5", "https://x"]),
    ],
)
def test_votes_are_read_in_three_languages(value: int | None, texts: list[str]) -> None:
    assert {text: vote_of(text) for text in texts} == dict.fromkeys(texts, value)


def test_the_last_vote_counts_by_time_or_else_by_row() -> None:
    rows = [
        {"voter": "a", "item": "x", "vote": 1, "timestamp": 1700000000300},
        {"voter": "a", "item": "x", "vote": -1, "timestamp": 1700000000100},
        {"voter": "b", "item": "x", "vote": -1, "timestamp": 1700000000100},
    ]
    votes, notes = votes_table(rows)
    assert triples(votes) == {("a", "x"): 1, ("b", "x"): -1}
    assert notes == {"votes-replaced": 1}
    untimed = [{key: row[key] for key in ("voter", "item", "vote")} for row in rows]
    assert triples(read_votes(untimed)) == {("a", "x"): -1, ("b", "x"): -1}


def test_votes_of_one_moment_that_contradict_each_other_are_a_pass() -> None:
    def rows(*values: int) -> list[dict[str, object]]:
        return [{"voter": "a", "item": "x", "vote": v, "time": "2026-03-01 08:00"} for v in values]

    assert triples(read_votes(rows(1, -1))) == {("a", "x"): 0}
    assert triples(read_votes(rows(1, 1, 0))) == {("a", "x"): 1}


CAST = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.integers(-1, 1), st.integers(1, 4)),
    min_size=1,
    max_size=25,
)


@given(CAST, st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_votes_are_those_of_the_slow_way_in_any_order(
    cast: list[tuple[str, str, int, int]], random: object
) -> None:
    slow = {}
    for voter, item, _value, _time in cast:
        mine = [(time, value) for v, i, value, time in cast if (v, i) == (voter, item)]
        last = max(time for time, _ in mine)
        slow[voter, item] = int(np.sign(sum(value for time, value in mine if time == last)))
    rows = [{"voter": v, "item": i, "vote": x, "time": f"2026-03-0{t}"} for v, i, x, t in cast]
    votes = read_votes(rows)
    assert triples(votes) == slow
    random.shuffle(rows)  # type: ignore[attr-defined]
    again = read_votes(rows)
    assert (again.accounts, again.items) == (votes.accounts, votes.items)
    for name in ("voter", "item", "value"):
        assert getattr(again, name).tobytes() == getattr(votes, name).tobytes()


def test_a_row_for_each_voter_gives_the_same_votes() -> None:
    matrix = [
        {
            "participant": "p2",
            "group-id": 0,
            "n-comments": 0,
            "n-votes": 2,
            "n-agree": 1,
            "n-disagree": 1,
            "0": 1,
            "1": -1,
        },
        {
            "participant": "p1",
            "group-id": "",
            "n-comments": 1,
            "n-votes": 1,
            "n-agree": 0,
            "n-disagree": 0,
            "0": "",
            "1": 0,
        },
    ]
    assert triples(read_votes(matrix)) == {("p2", "0"): 1, ("p2", "1"): -1, ("p1", "1"): 0}


def test_rows_without_voter_or_vote_are_counted_and_left_out() -> None:
    rows = [
        {"voter": "a", "item": "x", "vote": "1"},
        {"voter": "", "item": "x", "vote": "1"},
        {"voter": "a", "item": "", "vote": "1"},
        {"voter": "a", "item": "y", "vote": ""},
    ]
    votes, notes = votes_table(rows)
    assert triples(votes) == {("a", "x"): 1}
    assert notes == {"votes-anonymous": 1, "votes-blank": 2}


def test_times_that_cannot_be_read_come_before_others_and_are_counted() -> None:
    rows = [
        {"voter": "a", "item": "x", "vote": 1, "time": "2026-03-01"},
        {"voter": "a", "item": "x", "vote": -1, "time": "soon"},
    ]
    votes, notes = votes_table(rows)
    assert triples(votes) == {("a", "x"): 1}
    assert notes == {"votes-times-unread": 1, "votes-replaced": 1}


def test_votes_without_voters_are_refused() -> None:
    assert fault_codes([{"item": "x", "vote": 1}]) == ["votes-voter-missing"]
    assert fault_codes([{"voter": "", "item": "x", "vote": 1}]) == ["votes-voter-missing"]
    assert fault_codes([{"participant": "", "0": 1}]) == ["votes-voter-missing"]


def test_counts_of_votes_are_refused_and_told_apart() -> None:
    with pytest.raises(InputError, match="how many voted, and not who") as caught:
        read_votes([{"id": 1, "text": "Oui", "votes": 17}])
    assert [fault.code for fault in caught.value.faults] == ["votes-count"]
    assert fault_codes([{"author": "a", "opinion_id": 3, "votes": 17}]) == ["votes-count"]
    with pytest.raises(InputError, match="If it is a count") as caught:
        read_votes([{"voter": "a", "item": "x", "vote": 17}])
    assert [fault.code for fault in caught.value.faults] == ["votes-value"]


def test_cells_that_are_no_votes_are_told_with_their_rows() -> None:
    rows = [{"voter": "a", "item": str(n), "vote": "maybe" if n % 2 else "1"} for n in range(20)]
    with pytest.raises(InputError) as caught:
        read_votes(rows)
    faults = caught.value.faults
    assert [fault.row for fault in faults] == [2, 4, 6, 8, 10, None]
    assert {fault.code for fault in faults} == {"votes-value"}
    assert faults[0].column == "vote" and faults[-1].message.startswith("5 more cells")


def test_tables_that_hold_no_vote_are_refused() -> None:
    assert fault_codes([{"voter": "a", "item": "x", "vote": ""}]) == ["votes-empty"]
    assert fault_codes([{"voter": "a", "comment-id": "x", "colour": "red"}]) == ["votes-column-missing"]
    assert fault_codes([{"voter": "a", "group-id": 1}]) == ["votes-column-missing"]


@pytest.mark.skipif(not DATA.is_dir(), reason="no conversations at voices/polis_opendata (set KLERO_DATA)")
@pytest.mark.parametrize("name", ["15-per-hour-seattle", "brexit-consensus", "scoop-hivemind.ubi"])
def test_both_tables_of_an_export_of_polis_hold_the_same_votes(name: str) -> None:
    long, matrix = (
        triples(read_votes(DATA / name / file)) for file in ("votes.csv", "participants-votes.csv")
    )
    assert long == matrix and len(long) > 2000
