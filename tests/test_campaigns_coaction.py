"""Further questions of groups: the statistic and p against slow counting, calibration, power, and what can't be tested."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign_cases import candidate_of, consultation_of, voters_of, votes_of
from klero.campaigns import coaction
from klero.campaigns.coaction import coaction_channel
from klero.campaigns.coaction_pools import Board, Pools, _bounds
from klero.campaigns.model import Candidate, Channel, Consultation

Entry = tuple[str | None, str | None]


def written(
    entries: Sequence[Entry], stances: Sequence[str | None] | None = None, seed: int = 0
) -> Consultation:
    """A contribution for each (author, question), «a1», «a2», …"""
    return consultation_of(
        [f"texte {i}" for i in range(len(entries))],
        authors=[author for author, _ in entries],
        questions=[question for _, question in entries],
        stances=stances,
        seed=seed,
    )


def said(c: Consultation, group: Candidate, threads: int = 1) -> Channel:
    return coaction_channel(c, [group], threads=threads, progress=None)[0]


def first(c: Consultation, count: int) -> Candidate:
    return candidate_of(c, [f"a{i + 1}" for i in range(count)])


def town(people: int, questions: int, seed: int, planted: int = 0, shared: int = 0) -> list[Entry]:
    """Everybody wrote to «Q», their first contributions; and to further questions, some to many, popular ones more often.

    The first `planted` people also go to the same `shared` questions, of those that are rarely answered.
    """
    random = np.random.default_rng(seed)
    liked = 1 / np.arange(1, questions + 1)
    entries: list[Entry] = [(f"p{i:04}", "Q") for i in range(people)]
    for i in range(people):
        count = min(questions // 2, int(random.pareto(1.2) * 4))
        if i < planted:
            entries += [(f"p{i:04}", f"q{questions - 1 - j}") for j in range(shared)]
        chosen = random.choice(questions, count, replace=False, p=liked / liked.sum())
        entries += [(f"p{i:04}", f"q{j}") for j in chosen.tolist()]
    return entries


def further(entries: Sequence[Entry], own: str = "Q") -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for author, question in entries:
        if author is not None and question is not None:
            found.setdefault(author, set()).add(question)
    return {author: frozenset(asked - {own}) for author, asked in found.items()}


def meetings(sets: list[frozenset[str]], weight: dict[str, int], least: int | None = None) -> float:
    """The statistic, pair by pair; with `least`, questions of those with more than so many count less."""
    pairs = itertools.combinations(sets, 2)
    if least is None:
        return sum(weight[q] for a, b in pairs for q in a & b)
    return sum(weight[q] * least**2 / (len(a) * len(b)) for a, b in pairs for q in a & b)


def weights(entries: Sequence[Entry]) -> dict[str, int]:
    distinct = {(author, question) for author, question in entries if author and question}
    wrote = Counter(question for _, question in distinct)
    accounts = len({author for author, _ in distinct})
    return {q: round(-math.log(count / accounts) * 1024) for q, count in wrote.items()}


def pools_of(c: Consultation, group: Candidate) -> Pools:
    pools, _ = Board(c).pools(group, "key")
    assert pools is not None
    return pools


# Against slow counting


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_the_statistic_and_the_pairs_are_what_pairs_say(seed: int) -> None:
    random = np.random.default_rng(seed)
    sets = [np.flatnonzero(random.random(8) < 0.4) for _ in range(12)]
    weight = random.integers(0, 5000, 8)
    start = np.concatenate([[0], np.cumsum([len(one) for one in sets])])
    part = random.integers(1, 513, 12)
    pools = Pools(start, np.concatenate(sets), part, weight, np.arange(5), ((0, 12, 5),), ())
    chosen = np.stack([random.permutation(12)[:5] for _ in range(6)])
    for one, told in zip(chosen, coaction._meetings(pools, chosen).tolist(), strict=True):
        two = itertools.combinations(one.tolist(), 2)
        assert told == sum(
            int(part[a] * part[b] * weight[sorted({*sets[a]} & {*sets[b]})].sum()) for a, b in two
        )
        pairs = list(itertools.combinations([set(sets[at].tolist()) for at in one], 2))
        assert coaction._pairs(pools, one) == sum(bool(a & b) for a, b in pairs)


def test_what_is_observed_is_what_the_members_did() -> None:
    entries: list[Entry] = [*town(80, 20, 3)]
    entries += [("p0001", "Q"), ("p0002", "q1"), ("p0002", "q1"), ("p0003", None)]
    c = written(entries)
    told = said(c, first(c, 12))
    sets = [one for i, one in enumerate(further(entries).values()) if i < 12 and one]
    [null] = told.nulls
    # Questions of the most active count less in the statistic.
    assert told.effect["pairs"] == sum(bool(a & b) for a, b in itertools.combinations(sets, 2))
    assert 0 < null.observed <= meetings(sets, weights(entries)) / 1024
    assert told.details["members"] == len(sets)
    equal: list[Entry] = [(f"p{i:02}", "Q") for i in range(40)]
    equal += [(f"p{i:02}", f"q{(i + k) % 11}") for i in range(40) for k in (0, 5)]
    c = written(equal)
    told = said(c, first(c, 8))
    sets = [one for i, one in enumerate(further(equal).values()) if i < 8]
    assert told.nulls[0].observed == meetings(sets, weights(equal)) / 1024
    assert told.effect["pairs"] == sum(bool(a & b) for a, b in itertools.combinations(sets, 2))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_p_is_what_all_groups_say(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(seed)
    entries: list[Entry] = [(f"p{i:02}", "Q") for i in range(24)]
    for i in range(24):
        entries += [(f"p{i:02}", f"q{j}") for j in random.choice(7, 1 + (i % 3 == 0), replace=False)]
    c = written(entries)
    sets, weight = list(further(entries).values()), weights(entries)
    observed = meetings(sets[:5], weight, 1)
    # All 42,504 groups of five of the 24 people.
    every = [meetings([sets[i] for i in of], weight, 1) for of in itertools.combinations(range(24), 5)]
    wanted = sum(value >= observed for value in every) / len(every)
    monkeypatch.setattr(coaction, "_ENOUGH", 10**9)  # all draws
    told = said(c, first(c, 5))
    assert told.nulls[0].observed == observed / 1024
    assert told.nulls[0].count == 9_999
    assert told.p == pytest.approx(wanted, abs=4 * math.sqrt(wanted * (1 - wanted) / 9_999) + 1e-4)


def test_draws_stop_at_the_tenth_null_group_that_meets_as_often() -> None:
    c = written(town(150, 30, 5))
    board = Board(c)
    group = first(c, 30)
    pools, _ = board.pools(group, coaction._key(group))
    assert pools is not None
    observed = int(coaction._meetings(pools, pools.group[None, :])[0])
    told = said(c, group)
    [null] = told.nulls
    size = coaction._block(pools)
    blocks = range(-(-null.count // size))
    drawn = [coaction._drawn(pools, c.seed, coaction._key(group), block, size) for block in blocks]
    as_often = coaction._meetings(pools, np.concatenate(drawn)) >= observed
    assert null.exceed == 10
    assert null.count == 1 + int(np.flatnonzero(as_often)[9])
    assert told.p == 10 / null.count


def test_null_groups_take_of_each_class_as_many_as_the_group_and_nobody_twice() -> None:
    c = written(town(300, 30, 6))
    pools = pools_of(c, first(c, 40))
    assert len(pools.classes) > 1
    for one in coaction._drawn(pools, 0, "key", 0, 20):
        assert len(set(one.tolist())) == len(one)
        for begin, people, members in pools.classes:
            assert ((one >= begin) & (one < begin + people)).sum() == members


@given(st.lists(st.integers(1, 50), min_size=1, max_size=80), st.integers(1, 30))
def test_classes_have_everybody_once_and_are_large_enough(counts: list[int], fewest: int) -> None:
    found = _bounds(np.array(counts), fewest)
    sizes = [sum(low <= one <= high for one in counts) for low, high in found]
    assert sum(sizes) == len(counts)
    assert all(size >= fewest for size in sizes) or len(sizes) == 1
    assert all(low <= high for low, high in found)


# Calibration and power


@pytest.mark.parametrize("members", [8, 25])
def test_groups_by_chance_have_p_that_is_not_small_too_often(members: int) -> None:
    c = written(town(120, 30, 8))
    random = np.random.default_rng(members)
    asked = np.flatnonzero(c.question == c.questions.index("Q"))
    groups = [
        Candidate(np.sort(random.choice(asked, members, replace=False)), members, 0, "copies")
        for _ in range(200)
    ]
    told = coaction_channel(c, groups, threads=1, progress=None)
    ps = np.array([one.p for one in told if one.p is not None])
    assert len(ps) > 100
    for level in (0.05, 0.2, 0.5):
        assert (ps <= level).mean() <= level + 4 * math.sqrt(level * (1 - level) / len(ps))
    # And not always large: the test can say something.
    assert (ps <= 0.5).mean() > 0.25


def test_active_people_are_no_group() -> None:
    entries = town(600, 40, 9)
    sets = further(entries)
    active = sorted(sets, key=lambda author: (-len(sets[author]), author))[40:80]
    c = written(entries)
    random = np.random.default_rng(1)
    groups = []
    for _ in range(60):
        some = set(random.choice(active, 12, replace=False).tolist())
        groups.append(candidate_of(c, [f"a{i + 1}" for i in range(600) if entries[i][0] in some]))
    ps = np.array([one.p for one in coaction_channel(c, groups, threads=1, progress=None)], float)
    assert (ps <= 0.05).mean() <= 0.05 + 4 * math.sqrt(0.05 * 0.95 / 60)


def test_a_group_that_meets_elsewhere_is_seen() -> None:
    c = written(town(300, 60, 10, planted=10, shared=4))
    told = said(c, first(c, 10))
    assert told.p == 1 / 10_000
    assert told.nulls[0].count == 9_999
    assert told.details["pairs"] == told.effect["pairs"] == 45
    assert told.effect["pairs_expected"] < 43
    assert told.details["conditioned"] == ["activity", "question"]


def test_to_meet_where_everybody_goes_says_nothing() -> None:
    entries: list[Entry] = [(f"p{i % 60:02}", "Q" if i < 60 else "all") for i in range(120)]
    c = written(entries)
    told = said(c, first(c, 10))
    assert told.p == 1.0
    assert told.nulls[0].observed == 0


def test_questions_of_the_group_itself_do_not_count() -> None:
    entries = town(200, 30, 11)
    # Each of eight people wrote the group's text twice, to «Q» and to «R», and something else to «Q».
    twice: list[Entry] = [(f"p{i:04}", "R") for i in range(8)]
    c = written([*entries, *twice, *[(f"p{i:04}", "Q") for i in range(8)]])
    plain = written(entries)
    rows = [f"a{i + 1}" for i in range(8)] + [f"a{len(entries) + i + 1}" for i in range(8)]
    told, alone = said(c, candidate_of(c, rows)), said(plain, first(plain, 8))
    assert told.details["pairs"] == alone.details["pairs"]
    assert told.details["members"] == alone.details["members"]


def test_people_of_one_stance_are_compared_with_each_other() -> None:
    # Those against all go to the same questions, and so do those for: a group of ten of them is nothing in itself.
    entries: list[Entry] = [(f"p{i:03}", "Q") for i in range(200)]
    stances: list[str | None] = ["for" if i % 2 else "against" for i in range(200)]
    random = np.random.default_rng(12)
    for i in range(200):
        entries += [(f"p{i:03}", f"q{2 * j + i % 2}") for j in random.choice(6, 3, replace=False)]
        stances += [None] * 3
    against = [f"a{i + 1}" for i in range(0, 20, 2)]
    blind, seeing = written(entries), written(entries, stances)
    told = said(seeing, candidate_of(seeing, against))
    assert told.details["conditioned"] == ["activity", "question", "stance"]
    assert told.p is not None and told.p > 0.01
    unseen = said(blind, candidate_of(blind, against)).p
    assert unseen is not None and unseen < 0.005


def test_members_alone_in_their_questions_are_compared_with_anybody() -> None:
    entries = town(200, 40, 13, planted=8, shared=4)
    spread = [(author, f"own{i}" if i < 8 else question) for i, (author, question) in enumerate(entries)]
    c = written(spread)
    told = said(c, first(c, 8))
    assert told.details["conditioned"] == ["activity"]
    assert told.p is not None and told.p <= 0.001
    # In one question where nobody else wrote there is nobody to compare them with: anybody would make a group of every question's people.
    together = [(author, "R" if i < 8 else question) for i, (author, question) in enumerate(entries)]
    c = written(together)
    assert said(c, first(c, 8)).why_not == "no-room"


def test_people_of_neighbouring_questions_are_no_group() -> None:
    # Two halves of a town, each with questions of its own: eight people of one question meet on its neighbours.
    random = np.random.default_rng(18)
    entries: list[Entry] = [(f"p{i:03}", f"Q{i // 20}") for i in range(200)]
    for i in range(200):
        entries += [(f"p{i:03}", f"q{i // 20}-{j}") for j in random.choice(6, 3, replace=False)]
    c = written(entries)
    groups = []
    for _ in range(80):
        at = 20 * int(random.integers(10))
        some = at + random.choice(20, 8, replace=False)
        groups.append(candidate_of(c, [f"a{i + 1}" for i in some]))
    ps = np.array([one.p for one in coaction_channel(c, groups, threads=1, progress=None)], float)
    assert (ps <= 0.1).mean() <= 0.1 + 4 * math.sqrt(0.1 * 0.9 / 80)


def test_voters_are_compared_by_what_they_wrote() -> None:
    entries = town(200, 40, 14, planted=8, shared=4)[200:]
    names = [f"p{i:04}" for i in range(8)]
    votes = votes_of([(name, "item", 1) for name in [*names, "nobody"]])
    c = dataclasses.replace(written(entries), votes=votes)
    told = said(c, voters_of(c, [*names, "nobody"]))
    assert told.p == 1 / 10_000
    assert told.details["members"] == 8
    assert said(c, voters_of(c, ["nobody"])).why_not == "no-author"


# What can't be tested, and what must not matter


def test_why_not() -> None:
    unnamed = written([(None, "Q") for _ in range(20)])
    assert said(unnamed, first(unnamed, 6)).why_not == "no-author"
    town_of = town(100, 20, 15)
    no_question = written([(author, None) for author, _ in town_of])
    assert said(no_question, first(no_question, 6)).why_not == "no-question"
    one = written([(f"p{i}", "Q") for i in range(50)])
    assert said(one, first(one, 6)).why_not == "too-few"
    pairs: list[Entry] = [*((f"p{i}", "Q") for i in range(50)), *((f"p{i}", f"q{i % 2}") for i in range(4))]
    four = written([*pairs, *[(f"p{i}", f"q{i % 3}") for i in range(20, 50)]])
    assert said(four, first(four, 10)).why_not == "too-few"
    five = written([*pairs, ("p4", "q0"), *[(f"p{i}", f"q{i % 3}") for i in range(20, 50)]])
    assert said(five, first(five, 10)).why_not == ""
    only = written([*[(f"p{i}", "Q") for i in range(50)], *[(f"p{i}", "R") for i in range(6)]])
    assert said(only, first(only, 6)).why_not == "no-room"


def test_neither_the_order_of_rows_nor_threads_nor_other_groups_matter() -> None:
    entries = town(150, 30, 16)
    n = len(entries)
    ids = [f"a{i + 1}" for i in range(n)]
    texts = [f"texte {i}" for i in range(n)]
    order = np.random.default_rng(1).permutation(n).tolist()

    def of(rows: list[int]) -> Consultation:
        return consultation_of(
            [texts[i] for i in rows],
            ids=[ids[i] for i in rows],
            authors=[entries[i][0] for i in rows],
            questions=[entries[i][1] for i in rows],
        )

    c, other = of(list(range(n))), of(order)
    told = repr(said(c, first(c, 15)))
    assert told == repr(said(other, first(other, 15), threads=4))
    steps: list[tuple[str, int]] = []
    both = coaction_channel(
        c, [first(c, 40), first(c, 15)], threads=2, progress=lambda name, count: steps.append((name, count))
    )
    assert repr(both[1]) == told
    assert steps == [("co-action", 1), ("co-action", 2)]
    seeded = dataclasses.replace(c, seed=1)
    assert repr(said(seeded, first(c, 15))) != told


def test_a_contribution_without_an_account_or_a_question_does_no_harm() -> None:
    entries = town(150, 30, 17)
    c = written([*entries, (None, "q1"), (None, None), ("p0001", None)])
    told = said(c, candidate_of(c, [*[f"a{i + 1}" for i in range(12)], f"a{len(entries) + 1}"]))
    alone = said(written(entries), first(written(entries), 12))
    assert told.details["pairs"] == alone.details["pairs"]
