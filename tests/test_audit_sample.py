"""How many leaves are checked, which ones, and what a result allows to say: against counting all samples one by one."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from fractions import Fraction
from itertools import combinations
from math import comb
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from klero.cli import run
from klero.errors import InputError
from klero.ledger.record import Record
from klero.ledger.sample import (
    UNIT,
    audit_seed,
    finding_words,
    sample_leaves,
    sample_numbers,
    sample_size,
    share_of,
    upper_count,
    upper_rate,
)
from record_cases import golden_record, tier

SURE, RATE = Fraction(95, 100), Fraction(5, 100)
shares = st.integers(1, 99).map(lambda n: Fraction(n, 100))


def at_most(found: int, checked: int, ghosts: int, people: int) -> Fraction:
    """By counting all samples: how many have at most `found` of the first `ghosts` people."""
    samples = list(combinations(range(people), checked))
    return Fraction(sum(sum(i < ghosts for i in s) <= found for s in samples), len(samples))


def test_fifty_nine_is_enough_for_five_percent() -> None:
    assert sample_size(SURE, RATE) == 59
    assert Fraction(19, 20) ** 59 <= Fraction(1, 20) < Fraction(19, 20) ** 58


@given(st.integers(1, 9), shares, shares)
@settings(deadline=None)
def test_a_finite_list_is_counted_exactly(people: int, confidence: Fraction, rate: Fraction) -> None:
    ghosts = -(-rate.numerator * people // rate.denominator)
    enough = [s for s in range(people + 1) if at_most(0, s, ghosts, people) <= 1 - confidence]
    assert sample_size(confidence, rate, people) == enough[0]


@given(shares, shares)
def test_without_a_number_it_is_the_geometric_one(confidence: Fraction, rate: Fraction) -> None:
    s = sample_size(confidence, rate)
    assert (1 - rate) ** s <= 1 - confidence
    assert s == 1 or (1 - rate) ** (s - 1) > 1 - confidence


@given(st.integers(1, 10**6), shares, st.integers(1, 50).map(lambda n: Fraction(n, 100)))
@settings(deadline=None)
def test_a_finite_list_never_needs_more(people: int, confidence: Fraction, rate: Fraction) -> None:
    s = sample_size(confidence, rate, people)
    assert 0 <= s <= min(people, sample_size(confidence, rate))
    # The definition, by the other form of the same number.
    ghosts = -(-rate.numerator * people // rate.denominator)
    doubt = 1 - confidence
    assert comb(people - ghosts, s) <= doubt * comb(people, s) if s < 400 else True
    assert s == 0 or s > 400 or comb(people - ghosts, s - 1) > doubt * comb(people, s - 1)


@given(st.integers(1, 9), st.data(), shares)
@settings(deadline=None)
def test_the_most_ghosts_in_a_finite_list(people: int, data: st.DataObject, confidence: Fraction) -> None:
    checked = data.draw(st.integers(1, people))
    found = data.draw(st.integers(0, checked))
    possible = [
        g
        for g in range(found, people - (checked - found) + 1)
        if at_most(found, checked, g, people) > 1 - confidence
    ]
    assert upper_count(found, checked, people, confidence) == possible[-1]


@given(st.integers(1, 60), st.data(), shares)
@settings(deadline=None)
def test_the_upper_rate_is_the_first_that_is_unlikely(
    checked: int, data: st.DataObject, confidence: Fraction
) -> None:
    found = data.draw(st.integers(0, checked))
    bound = upper_rate(found, checked, confidence)

    def chance(p: Fraction) -> Fraction:
        return sum(
            (comb(checked, i) * p**i * (1 - p) ** (checked - i) for i in range(found + 1)), Fraction(0)
        )

    if found == checked:
        assert bound == 1
    else:
        assert chance(bound) <= 1 - confidence < chance(bound - Fraction(1, UNIT))


@pytest.mark.parametrize(
    ("found", "checked", "published"),
    # Tables of Clopper and Pearson's one-sided 95 % limits.
    [(0, 10, 0.2589), (1, 10, 0.3942), (0, 20, 0.1391), (1, 20, 0.2161), (2, 20, 0.2826), (5, 50, 0.1988)],
)
def test_the_upper_rate_is_that_of_tables(found: int, checked: int, published: float) -> None:
    assert float(upper_rate(found, checked, SURE)) == pytest.approx(published, abs=6e-5)


def test_the_leaves_are_those_of_the_lowest_tickets() -> None:
    seed = bytes(range(32))
    key = hmac.new(seed, b"klero/audit/v1", "sha256").digest()
    order = sorted(range(500), key=lambda i: hmac.new(key, i.to_bytes(8, "big"), "sha256").digest())
    assert sample_numbers(seed, 500, 20) == tuple(sorted(order[:20]))
    assert set(sample_numbers(seed, 500, 20)) <= set(sample_numbers(seed, 500, 21))


def test_the_vectors_of_the_page_are_what_is_computed() -> None:
    page = (Path(__file__).resolve().parents[1] / "docs" / "audit" / "sample.md").read_text(encoding="utf-8")
    lines = re.findall(
        r"^\| .*`([0-9a-f]{64})` \| `([0-9a-f]{64})` \| line (\d+): `([0-9a-f]{64})` \| ([\d, ]+) \|$",
        page,
        re.M,
    )
    assert len(lines) == 2
    text = re.search(r"of the text «(.*?)», without a record", page)
    assert text is not None
    seeds = [bytes(range(32)), audit_seed(None, text[1])]
    for (seed, key, line, lot, chosen), expected in zip(lines, seeds, strict=True):
        assert bytes.fromhex(seed) == expected
        inner = hmac.digest(expected, b"klero/audit/v1", "sha256")
        assert inner.hex() == key
        lots = [hmac.digest(inner, i.to_bytes(8, "big"), "sha256").hex() for i in range(20)]
        assert min(lots) == lots[int(line)] == lot
        assert sample_numbers(expected, 20, 5) == tuple(map(int, chosen.split(", ")))


def test_the_seed_of_a_text_is_the_labelled_hash_of_published_hash_and_text() -> None:
    record = Record.parse(golden_record("undrawn"))
    for held, first in ((record, bytes.fromhex(record.hash)), (None, b"")):
        parts = [b"klero/seed/audit/v1", *(part for part in (first, "é".encode()))]
        data = len(parts[0]).to_bytes(8, "big") + parts[0] + (2).to_bytes(8, "big")
        data += b"".join(len(part).to_bytes(8, "big") + part for part in parts[1:])
        assert audit_seed(held, "e\u0301") == hashlib.sha256(data).digest()


def test_a_drawn_record_is_sampled_by_its_own_seed() -> None:
    facts = Record.parse(tier(golden_record("public"), "public"))
    chosen = sample_leaves(Fraction(1, 2), Fraction(1, 4), record=facts)
    draw = facts.rounds[0].draw
    assert draw is not None
    assert chosen.seed.hex() == draw.body["seed"]
    assert 0 < chosen.size < len(facts.leaves)
    assert chosen.leaves == tuple(facts.leaves[i] for i in chosen.numbers)


def test_a_text_gives_another_sample_for_another_record() -> None:
    one, other = (Record.parse(golden_record(name)) for name in ("drand", "public"))
    assert audit_seed(one, "dice 3") != audit_seed(other, "dice 3") != audit_seed(None, "dice 3")
    assert audit_seed(one, "e\u0301") == audit_seed(one, "\u00e9")


def test_before_the_draw_a_text_is_asked_for() -> None:
    undrawn = Record.parse(golden_record("undrawn"))
    with pytest.raises(InputError, match="seed-missing"):
        sample_leaves(SURE, RATE, record=undrawn)
    assert sample_leaves(SURE, RATE, record=undrawn, seed="dice").numbers


@pytest.mark.parametrize("text", ["0", "1", "1.5", "-0.1", "nan", "inf", "x", "", "0." + "9" * 30])
def test_shares_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="confidence-invalid"):
        share_of(text, "--rate")


def test_shares_are_exact() -> None:
    assert share_of("0.95", "--confidence") == Fraction(95, 100)


@pytest.mark.parametrize(("found", "checked"), [(-1, 5), (6, 5), (0, 0)])
def test_findings_that_cannot_be_are_refused(found: int, checked: int) -> None:
    with pytest.raises(InputError, match="option-range"):
        upper_rate(found, checked, SURE)


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="option-range"):
        sample_size(SURE, RATE, 0)
    with pytest.raises(InputError, match="option-range"):
        sample_size(SURE, Fraction(1, 10**7))
    with pytest.raises(InputError, match="option-range"):
        upper_count(0, 10, 5, SURE)


def test_what_may_be_said_in_words() -> None:
    chosen = sample_leaves(SURE, RATE)
    assert finding_words(chosen, 0) == (
        "0 ghosts found among 59 checked: with a confidence of 95\u00a0%, at most 4.96\u00a0% of the lines are ghosts."
    )
    finite = sample_leaves(SURE, RATE, people=200)
    assert "au plus 9 des 200 lignes (4,50\u00a0%)" in finding_words(finite, 0, "fr")
    assert "1 inscription fictive trouvée" in finding_words(finite, 1, "fr")


def test_the_command_says_how_many_and_what_follows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "sample", "--confidence", "0.95", "--rate", "0.05"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Check 59 leaves.\n")
    assert "3 ghosts found" in shown
    for name, data in golden_record("public").items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert run(["audit", "sample", str(tmp_path), "--format", "json", "--found", "2", "--checked", "10"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["size"] == len(data["numbers"]) == len(data["leaves"])
    assert [finding["found"] for finding in data["findings"]] == [2]
    assert "among 10 checked" in data["findings"][0]["text"]


@pytest.mark.parametrize("more", [["x", "--leaves", "3"], ["--seed", "x"]])
def test_options_that_contradict_are_usage_errors(more: list[str]) -> None:
    assert run(["audit", "sample", *more]) == 2


def test_a_sample_of_no_record_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "sample", str(tmp_path / "nothing")]) == 3
    assert "[bundle-invalid]" in capsys.readouterr().err


def test_ids_are_told_where_the_sealed_file_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = golden_record("drand")
    facts = Record.parse(files)
    assert facts.people is not None
    chosen = sample_leaves(SURE, RATE, record=facts)
    assert chosen.ids == tuple((facts.people[i] or {}).get("id") for i in chosen.numbers)
    assert sample_leaves(SURE, RATE, record=Record.parse(tier(files, "auditor"))).ids == ()
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert run(["audit", "sample", str(tmp_path), "--lang", "fr"]) == 0
    shown = capsys.readouterr()
    assert all(who in shown.out for who in chosen.ids if who)
    for english in ("Check ", "leaf", "pseudonym ", "ghost"):
        assert english not in (shown.out + shown.err).replace("(feuille)", "")
    assert "à contrôler" in shown.out
    assert "Une inscription fictive est" in shown.err


@pytest.mark.parametrize(
    "options",
    [
        ["--checked", str(10**9), "--found", "0"],
        ["--checked", str(10**8), "--found", "3"],
        ["--checked", "100000", "--found", "50000"],
        ["--confidence", "0.999999999999999999", "--rate", "0.00001"],
        ["--leaves", str(10**8), "--seed", "x"],
    ],
)
def test_what_would_take_for_ever_is_refused_in_words(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "sample", *options]) == 3
    assert "[option-range]" in capsys.readouterr().err


def test_no_sample_is_drawn_from_a_record_with_another_seed(tmp_path: Path) -> None:
    files = golden_record("drand")
    files["public/leaves.txt"] = files["public/leaves.txt"].replace(b"a", b"b", 1)
    for name, data in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    assert run(["audit", "sample", str(tmp_path)]) == 3
