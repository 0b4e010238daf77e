"""Which contributions are put together for a test, and which are not, whatever is done to hide or to fake it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from campaign_cases import consultation_of
from klero.campaigns.candidates import LEAST_MEMBERS, text_candidates
from klero.campaigns.model import Consultation
from klero.campaigns.template import template_channel
from test_campaigns_template import letters, writers

SOURCE = (
    "Nous demandons que la ligne de bus numéro quatre circule aussi le dimanche, parce que beaucoup de familles du plateau n'ont aucune voiture et que "
    "le marché couvert attire tout le canton jusque tard dans l'après-midi."
)


def groups_of(c: Consultation) -> list[set[int | str]]:
    return [{c.ids[row] for row in one.rows} for one in text_candidates(c, threads=2)]


def consultation(
    added: list[str],
    *,
    organic: int = 200,
    authors: Sequence[str] | None = None,
    stances: Sequence[str] | None = None,
) -> Consultation:
    ids = [*(f"a{n}" for n in range(organic)), *(f"z{n}" for n in range(len(added)))]
    who = None if authors is None else [*[None] * organic, *authors]
    side = None if stances is None else [*[None] * organic, *stances]
    return consultation_of([*writers(organic, 1), *added], ids=ids, authors=who, stances=side)


def named(count: int, first: int = 0) -> set[int | str]:
    return {f"z{n}" for n in range(first, first + count)}


def edited(text: str, share: float, random: np.random.Generator) -> str:
    out = []
    for word in text.split():
        draw = random.random()
        if draw < share / 3:
            continue
        out.append(f"mot{random.integers(900)}" if draw < 2 * share / 3 else word)
        if 2 * share / 3 <= draw < share:
            out.append(f"mot{random.integers(900)}")
    return " ".join(out)


def slipped(text: str, share: float, random: np.random.Generator) -> str:
    out = []
    for word in text.split():
        if len(word) > 3 and random.random() < share:
            at = int(random.integers(1, len(word) - 1))
            word = (
                word[:at] + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + "q" + word[at + 1 :],
            )[int(random.integers(3))]
        out.append(word)
    return " ".join(out)


def test_writers_of_their_own_are_in_no_group() -> None:
    assert groups_of(consultation([])) == []
    assert text_candidates(consultation_of([]), threads=1) == []
    assert text_candidates(consultation_of(["!", "…"]), threads=1) == []


@pytest.mark.parametrize("count", [LEAST_MEMBERS - 1, LEAST_MEMBERS])
def test_as_many_authors_as_a_group_needs(count: int) -> None:
    found = text_candidates(consultation([SOURCE] * count), threads=1)
    assert [(len(one.rows), one.voices, one.kind) for one in found] == (
        [(5, 5, "copies")] if count == 5 else []
    )


def test_one_author_with_many_variants_is_no_group() -> None:
    random = np.random.default_rng(1)
    variants = [edited(SOURCE, 0.1, random) for _ in range(30)]
    assert groups_of(consultation(variants, authors=["one"] * 30)) == []
    # Four others with one each: all rows are in it, and the one author counts once.
    c = consultation(variants[:12], authors=["one"] * 8 + ["b", "c", "d", "e"])
    [group] = text_candidates(c, threads=1)
    assert {c.ids[row] for row in group.rows} == named(12)
    assert group.voices == 5 and group.kind == "template"


def test_many_variants_by_one_do_not_hide_the_letters_of_others() -> None:
    random = np.random.default_rng(1)
    texts = [edited(SOURCE, 0.1, random) for _ in range(60)]
    c = consultation(texts, authors=["one"] * 54 + ["b", "c", "d", "e", "f", "g"])
    [group] = text_candidates(c, threads=1)
    assert {c.ids[row] for row in group.rows} == named(60) and group.voices == 7


@pytest.mark.parametrize("share", [0.05, 0.1, 0.15])
def test_copies_with_edits_are_one_group(share: float) -> None:
    random = np.random.default_rng(7)
    assert groups_of(consultation([edited(SOURCE, share, random) for _ in range(10)])) == [named(10)]


def test_slips_in_a_tenth_of_the_words_hide_nothing() -> None:
    random = np.random.default_rng(7)
    assert groups_of(consultation([slipped(SOURCE, 0.1, random) for _ in range(10)])) == [named(10)]
    # Of a mail-merge letter, which has no more than short runs in common.
    assert groups_of(consultation([slipped(one, 0.1, random) for one in letters(20)])) == [named(20)]


def test_invisible_and_look_alike_letters_hide_nothing() -> None:
    disguised = [
        SOURCE,
        SOURCE.replace("e", "е"),
        SOURCE.replace("a", "\u200ba"),
        SOURCE.replace("o", "ο"),
        SOURCE.upper(),
        SOURCE.replace("é", "e\u0301"),
    ]
    found = text_candidates(consultation(disguised), threads=1)
    assert [(len(one.rows), one.kind) for one in found] == [(6, "copies")]


def test_sentences_in_another_order_hide_nothing() -> None:
    parts = [part.strip() + "." for part in SOURCE.split(",")]
    random = np.random.default_rng(2)
    shuffled = [" ".join(parts[n] for n in random.permutation(len(parts))) for _ in range(8)]
    assert groups_of(consultation(shuffled)) == [named(8)]


def test_a_letter_pasted_into_texts_of_ones_own_is_found() -> None:
    own = writers(8, 99, words=30)
    assert groups_of(consultation([f"{SOURCE} {text}" for text in own])) == [named(8)]


def test_a_chain_is_cut() -> None:
    # Each text shares its second half with the first half of the next; the ends share nothing.
    halves = writers(13, 50, words=16)
    chain = [f"{a} {b}" for a, b in itertools.pairwise(halves)]
    assert all(len(group) < 6 for group in groups_of(consultation(chain)))


def test_two_letters_are_two_groups() -> None:
    random = np.random.default_rng(3)
    other = "Je refuse la fermeture du bureau de poste de la rue haute : sans lui, les retraités devraient prendre deux cars pour toucher leur pension."
    both = [edited(SOURCE, 0.05, random) for _ in range(7)] + [edited(other, 0.05, random) for _ in range(6)]
    assert sorted(groups_of(consultation(both)), key=len) == [named(6, 7), named(7)]


@pytest.mark.parametrize(
    ("says", "denies"),
    [
        ("les chats sont gris ici", "les chats ne sont pas gris ici"),
        ("the cats here are grey", "the cats here are not grey"),
        ("quiero este nuevo puente", "no quiero este nuevo puente"),
    ],
)
def test_who_says_the_opposite_is_in_another_group(says: str, denies: str) -> None:
    found = groups_of(consultation([says] * 7 + [denies] * 6))
    assert sorted(found, key=len) == [named(6, 7), named(7)]


def test_a_negation_somewhere_in_a_long_letter_is_no_way_out() -> None:
    places = [f"{SOURCE} Je ne dis pas cela pour moi.", SOURCE.replace("aussi", "pas que"), f"Non. {SOURCE}"]
    assert groups_of(consultation([places[n % 3] for n in range(9)])) == [named(9)]


def test_short_texts_of_opposite_stances_are_apart_and_long_letters_are_not() -> None:
    short, sides = ["il faut le faire vite"] * 12, ["for"] * 7 + ["against"] * 5
    assert sorted(groups_of(consultation(short, stances=sides)), key=len) == [named(5, 7), named(7)]
    assert groups_of(consultation([SOURCE] * 12, stances=sides)) == [named(12)]


def test_a_contribution_is_in_one_group_at_most() -> None:
    random = np.random.default_rng(3)
    texts = [edited(SOURCE, 0.15, random) for _ in range(20)] + letters(20)
    rows = np.concatenate([one.rows for one in text_candidates(consultation(texts), threads=1)])
    assert len(rows) == len(set(rows.tolist()))
    assert all(
        list(one.rows) == sorted(one.rows) and one.centre in one.rows
        for one in text_candidates(consultation(texts), threads=1)
    )


def test_thousands_of_letters_are_one_group() -> None:
    c = consultation(
        [*letters(1500), *["copie de la même lettre que tout le monde envoie aujourd'hui"] * 1500]
    )
    sizes = sorted(len(group) for group in groups_of(c))
    assert sizes[-1] == 1500 and sizes[0] >= 1400


DATA = Path(os.environ.get("KLERO_DATA", "/nowhere"))


@pytest.mark.skipif(
    not (DATA / "voices" / "decide_madrid").is_dir(),
    reason="KLERO_DATA is not set: real comments are not here",
)
def test_real_comments_alarm_nobody_and_a_mail_merge_letter_among_them_is_found() -> None:
    import csv

    with (DATA / "voices" / "decide_madrid" / "comments.csv").open(newline="", encoding="utf-8") as source:
        rows = [row for row in csv.DictReader(source) if row["text"].strip()][:3000]
    texts, authors = [row["text"] for row in rows], [row["author"] for row in rows]
    asked = [row["proposalId"] for row in rows]
    n = len(rows)
    c = consultation_of(
        [*texts, *letters(40)],
        ids=[*(f"a{k}" for k in range(n)), *(f"z{k}" for k in range(40))],
        authors=[*authors, *(f"new{k}" for k in range(40))],
        questions=[*asked, *asked[:40]],
    )
    groups = text_candidates(c, threads=2)
    told = template_channel(c, groups, threads=2)
    letter = [at for at, one in enumerate(groups) if any(str(c.ids[row]).startswith("z") for row in one.rows)]
    [at] = letter
    members = {c.ids[row] for row in groups[at].rows}
    assert len(members & named(40)) >= 36 and len(members & named(40)) >= 0.95 * len(members)
    p = told[at].p
    assert p is not None and p < 1e-3
    assert all(one.p is not None and one.p > 0.05 for k, one in enumerate(told) if k != at)
