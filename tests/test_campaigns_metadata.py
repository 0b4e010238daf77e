"""Further columns of groups: the tail against counting, calibration, power, and what is evidence of nothing."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign_cases import candidate_of, consultation_of, voters_of, votes_of
from klero.campaigns.channel_words import channel_words
from klero.campaigns.metadata import hypergeometric_tail, metadata_channel
from klero.campaigns.model import Candidate, Channel, Consultation


def written(
    fields: Mapping[str, Sequence[str | None]], authors: Sequence[str | None] | None = None
) -> Consultation:
    n = len(next(iter(fields.values()))) if fields else 20
    return consultation_of([f"texte {i}" for i in range(n)], authors=authors, metadata=fields)


def said(c: Consultation, group: Candidate, threads: int = 1) -> Channel:
    return metadata_channel(c, [group], threads=threads, progress=None)[0]


def first(c: Consultation, count: int) -> Candidate:
    return candidate_of(c, [f"a{i + 1}" for i in range(count)])


def exact(least: int, total: int, having: int, drawn: int) -> Fraction:
    ways = sum(comb(having, x) * comb(total - having, drawn - x) for x in range(max(0, least), drawn + 1))
    return Fraction(ways, comb(total, drawn))


@settings(deadline=None)
@given(st.integers(1, 60), st.data())
def test_the_tail_is_what_counting_says(total: int, data: st.DataObject) -> None:
    having, drawn = data.draw(st.integers(0, total)), data.draw(st.integers(0, total))
    least = data.draw(st.integers(0, drawn + 1))
    told = hypergeometric_tail(least, total, having, drawn)
    wanted = float(exact(least, total, having, drawn))
    assert told == pytest.approx(max(wanted, sys.float_info.min), rel=1e-9)


def test_large_numbers_and_p_below_what_a_float_holds() -> None:
    assert hypergeometric_tail(40, 100_000, 60, 200) == pytest.approx(
        float(exact(40, 100_000, 60, 200)), rel=1e-7
    )
    assert hypergeometric_tail(500, 100_000, 500, 500) == sys.float_info.min


def test_p_counts_all_values_that_could_be_shared_and_all_columns() -> None:
    browser = ["x"] * 4 + ["y"] + [f"v{i // 3}" for i in range(30)] + ["x"]
    alone = [f"u{i}" for i in range(36)]
    c = written({"browser": browser, "address": alone})
    told = said(c, first(c, 5))
    # Of 36 accounts five have x, four of the five members among them; eleven values are shared by two at least (y is not); two columns.
    assert told.p == pytest.approx(float(exact(4, 36, 5, 5) * 11 * 2))
    assert told.details["fields"] == [
        {"field": "address", "members": 0, "others": 0},
        {"field": "browser", "members": 4, "others": 1},
    ]
    assert told.effect == {"sharing": 4.0, "sharing_expected": pytest.approx(5 * 5 / 36)}
    assert [null.tail for null in told.nulls] == ["exact", "exact"]


def test_an_account_counts_once_and_has_all_its_values() -> None:
    authors = [f"p{i}" for i in range(30)] + ["p0"] * 10
    browser = [f"v{i % 10}" for i in range(30)] + ["late"] * 10
    c = written({"browser": browser}, authors)
    told = said(c, first(c, 6))
    # «late» is on ten contributions of one account: nobody shares it.
    assert told.p == 1.0
    assert told.details["fields"] == [{"field": "browser", "members": 0, "others": 0}]


def test_no_value_is_told() -> None:
    secret = ["secret-value"] * 6 + [f"hidden{i // 2}" for i in range(60)]
    c = written({"browser": secret})
    told = said(c, first(c, 6))
    assert told.p is not None and told.p < 1e-5
    assert "secret" not in str(told) and "hidden" not in str(told)


@pytest.mark.parametrize("values", [5, 40, 400])
def test_groups_by_chance_have_p_that_is_not_small_too_often(values: int) -> None:
    random = np.random.default_rng(values)
    of = random.integers(0, values, 400)
    if values == 400:
        of = np.arange(400)  # different for everybody
    c = written({"browser": [f"v{value}" for value in of], "screen": [f"w{i % 7}" for i in range(400)]})
    groups = [Candidate(np.sort(random.choice(400, 20, replace=False)), 20, 0, "copies") for _ in range(400)]
    ps = np.array([one.p for one in metadata_channel(c, groups, threads=1, progress=None)])
    # Four standard deviations above what is allowed.
    assert (ps <= 0.05).mean() <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / 400)
    assert (ps <= 0.2).mean() <= 0.2 + 4 * np.sqrt(0.2 * 0.8 / 400)


def test_one_connection_for_a_group_is_seen() -> None:
    random = np.random.default_rng(2)
    network = [f"n{value}" for value in random.integers(0, 500, 1000)]
    network[:6] = ["n7"] * 6
    c = written({"network": network})
    told = said(c, first(c, 10))
    assert told.p is not None and told.p < 1e-6


def test_a_column_that_is_nearly_constant_is_ignored_and_said() -> None:
    proxy: list[str | None] = ["proxy" if i < 31 else f"n{i}" for i in range(60)]
    fair = [f"v{i // 6}" for i in range(60)]
    c = written({"address": proxy, "browser": fair})
    told = said(c, first(c, 8))
    assert told.details["ignored"] == ["address"]
    assert told.details["fields"] == [{"field": "browser", "members": 6, "others": 0}]
    # Of those with a value: blanks do not make it rarer.
    blank = written({"address": [*proxy, *[None] * 200]})
    assert said(blank, first(blank, 8)).why_not == "constant-field"
    half = written({"address": [*proxy[:30], *proxy[31:], "last"]})
    assert said(half, first(half, 8)).p is not None


def test_why_not() -> None:
    nothing = written({})
    assert said(nothing, first(nothing, 6)).why_not == "no-metadata"
    blank = written({"browser": [None] * 20})
    assert said(blank, first(blank, 6)).why_not == "no-metadata"
    constant = written({"browser": ["x"] * 20})
    told = said(constant, first(constant, 6))
    assert (told.p, told.why_not, told.details) == (None, "constant-field", {"ignored": ["browser"]})
    few: list[str | None] = [None] * 4 + [f"v{i // 2}" for i in range(16)]
    c = written({"browser": few})
    assert said(c, first(c, 8)).why_not == "too-few"
    assert said(c, first(c, 9)).why_not == ""


def test_a_group_of_voters_has_what_its_accounts_wrote_with() -> None:
    authors = [f"p{i:02}" for i in range(40)]
    votes = votes_of([(f"p{i:02}", "item", 1) for i in range(6)] + [("stranger", "item", 1)])
    c = consultation_of(
        [f"texte {i}" for i in range(40)],
        authors=authors,
        votes=votes,
        metadata={"browser": ["x"] * 6 + [f"v{i // 2}" for i in range(34)]},
    )
    told = said(c, voters_of(c, [*authors[:6], "stranger"]))
    assert told.details["fields"] == [{"field": "browser", "members": 6, "others": 0}]
    assert told.p == pytest.approx(float(exact(6, 40, 6, 6) * 18))
    assert said(c, voters_of(c, [*authors[:4], "stranger"])).why_not == "too-few"


def test_neither_the_order_of_rows_nor_threads_matter() -> None:
    random = np.random.default_rng(4)
    texts = [f"texte {i}" for i in range(80)]
    authors = [f"p{i % 60}" for i in range(80)]
    browser = [f"v{value}" for value in random.integers(0, 9, 80)]
    ids = [f"a{i + 1}" for i in range(80)]
    c = consultation_of(texts, ids=ids, authors=authors, metadata={"browser": browser})
    order = random.permutation(80).tolist()
    other = consultation_of(
        [texts[i] for i in order],
        ids=[ids[i] for i in order],
        authors=[authors[i] for i in order],
        metadata={"browser": [browser[i] for i in order]},
    )
    # The numbers of values say nothing either.
    renumbered = dataclasses.replace(c, metadata={"browser": 20 - c.metadata["browser"]})
    told = repr(said(c, first(c, 12)))
    assert told == repr(said(other, first(other, 12), threads=4)) == repr(said(renumbered, first(c, 12)))


def test_progress_is_told() -> None:
    c = written({"browser": [f"v{i // 2}" for i in range(20)]})
    steps: list[tuple[str, int]] = []
    metadata_channel(
        c, [first(c, 6)] * 2, threads=1, progress=lambda name, count: steps.append((name, count))
    )
    assert steps == [("metadata", 1), ("metadata", 2)]


def test_what_is_said_has_words_in_both_languages() -> None:
    c = written({"address": ["proxy"] * 31 + ["n"] * 29, "browser": [f"v{i // 6}" for i in range(60)]})
    told = said(c, first(c, 8))
    english, french = " ".join(channel_words(told, "en")), " ".join(channel_words(told, "fr"))
    assert "Ignored, because it is the same for most: address." in english
    assert "Comptes du groupe qui ont une même valeur d’une colonne : 6" in french
