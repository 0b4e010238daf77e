"""What texts share, beside its definition; what the template channel says of letters, of short answers, and of those who mean no harm."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaign_cases import candidate_of, consultation_of, voters_of, votes_of
from campaigns_template_oracle import measured
from klero._native import CAMPAIGNS_TEXT_RANKS, CampaignTexts, campaigns_places
from klero.campaigns.candidates import LEAST_MEMBERS, forget_texts, text_candidates
from klero.campaigns.model import Channel, Consultation
from klero.campaigns.template import LEAST_NULL, powers, rank_of, template_channel
from klero.voices.sets import native_chunk

WAYS = (
    ("Nous demandons", "Nous réclamons", "Nous exigeons", "Nous attendons"),
    ("le maintien", "la sauvegarde", "la défense", "la survie"),
    ("de la halte du Pré-Long", "de notre gare de vallée", "de ces trains du matin"),
    ("sans laquelle nos lycéens", "faute de quoi les apprentis", "car sinon les soignants"),
    ("devraient partir avant l'aube", "perdraient deux heures par jour", "finiraient par déménager"),
    ("et la filature Orsel fermerait", "et l'abattoir cantonal fermerait", "et le sanatorium fermerait"),
)
LETTERS = [f"z{n}" for n in range(12)]


def writers(count: int, seed: int, words: int = 25) -> list[str]:
    """Texts of made-up words, some of them everybody's, as often as in any language."""
    random = np.random.default_rng(seed)
    ranks = (10 * 300 ** random.random((count, 2 * words))).astype(int)  # Zipf's law, without its head
    lengths = random.integers(words // 2, 2 * words, count)
    return [
        " ".join(f"{'aeiou'[n % 5]}{n}" for n in row[:size]) for row, size in zip(ranks, lengths, strict=True)
    ]


def letters(count: int, seed: int = 3) -> list[str]:
    """A mail-merge letter, its slots filled by chance."""
    random = np.random.default_rng(seed)
    return [" ".join(ways[random.integers(len(ways))] for ways in WAYS) + "." for _ in range(count)]


def with_letters(count: int = 12, *, organic: int = 300, texts: list[str] | None = None) -> Consultation:
    added = letters(count) if texts is None else texts
    ids = [*(f"a{n}" for n in range(organic)), *(f"z{n}" for n in range(len(added)))]
    return consultation_of([*writers(organic, 1), *added], ids=ids)


def of(c: Consultation, threads: int = 2) -> list[tuple[set[int | str], Channel]]:
    """Each group's ids and what the channel says of it."""
    groups = text_candidates(c, threads=threads)
    channels = template_channel(c, groups, threads=threads)
    return [({c.ids[row] for row in one.rows}, told) for one, told in zip(groups, channels, strict=True)]


words = st.lists(st.sampled_from(["ab", "cd", "ef", "gh", "ij", "kl"]), min_size=1, max_size=7).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(words, st.integers(0, 4), st.integers(0, 1)), min_size=2, max_size=7))
@example([("ab", 0, 0), ("ab ab", 0, 1), ("cd", 0, 0), ("ab cd", 1, 1)])
@example([("ab", 0, 0), ("ab ab", 0, 0), ("cd", 0, 0), ("ab cd", 1, 0)])
def test_what_texts_share_is_what_its_definition_says(texts: list[tuple[str, int, int]]) -> None:
    names = ["ab mn", "gh"]
    kernel = CampaignTexts(
        [native_chunk(pa.array([text for text, _, _ in texts], pa.large_string()))],
        np.array([author for _, author, _ in texts], np.uint32),
        np.array([question for _, _, question in texts], np.uint32),
        np.full(len(texts), 2, np.int8),
        names,
        threads=2,
    )
    total, columns, groups = kernel.measure([], [], threads=2)
    slow = measured(texts, names, CAMPAIGNS_TEXT_RANKS)
    assert total == len(slow) and groups == []
    told = np.frombuffer(columns["told"], np.float64)
    shared = np.frombuffer(columns["shared"], np.float64).reshape(-1, CAMPAIGNS_TEXT_RANKS)
    missing = np.frombuffer(columns["missing"], np.float64).reshape(-1, CAMPAIGNS_TEXT_RANKS)
    for row, (bits, shares, lack) in enumerate(slow):
        assert told[row] == pytest.approx(bits, abs=0.01)
        assert shared[row, : len(shares)] == pytest.approx(shares, abs=0.02)
        assert not shared[row, len(shares) :].any()
        if len({round(share, 2) for share in shares}) == len(
            shares
        ):  # else partners may come in another order
            assert missing[row, : len(lack)] == pytest.approx(lack, abs=0.01)


def test_letters_of_one_stock_are_one_group_that_chance_does_not_explain() -> None:
    c = with_letters()
    [(ids, told)] = [one for one in of(c) if "z0" in one[0]]
    assert ids == set(LETTERS)
    assert told.p is not None and told.p < 1e-4
    assert told.effect["vocabulary"] < 0.7 * told.effect["vocabulary_expected"]
    assert 0 < told.effect["shared_bits_median"] < told.effect["told_bits_median"]
    assert [null.statistic for null in told.nulls] == ["shared-bits", "missing-words"]
    bits = told.nulls[0]
    assert bits.count >= LEAST_NULL and bits.exceed == 0 and list(bits.draws) == sorted(bits.draws)
    assert bits.observed > max(bits.draws)


def test_the_rarest_strings_are_shown_as_they_were_written() -> None:
    c = with_letters()
    [told] = [told for ids, told in of(c) if "z0" in ids]
    rare = told.details["rare"]
    assert isinstance(rare, list) and 0 < len(rare) <= 12
    for one in rare:
        assert any(one["text"] in text for text in c.texts)
        assert one["members"] >= 3 and one["others"] == 0
    assert any("é" in one["text"] or "è" in one["text"] for one in rare)


def test_neither_threads_nor_the_order_of_rows_change_a_number() -> None:
    texts = [*writers(120, 1), *letters(9)]
    ids = [f"a{n}" for n in range(len(texts))]
    order = np.random.default_rng(0).permutation(len(texts))
    one = of(consultation_of(texts, ids=ids), threads=1)
    other = of(consultation_of([texts[n] for n in order], ids=[ids[n] for n in order]), threads=3)
    assert [ids for ids, _ in one] == [ids for ids, _ in other] and one
    for (_, mine), (_, theirs) in zip(one, other, strict=True):
        assert (mine.p, mine.effect, mine.details) == (theirs.p, theirs.effect, theirs.details)
        assert [vars(null) for null in mine.nulls] == [vars(null) for null in theirs.nulls]


@pytest.mark.parametrize(
    "answer", ["santé, éducation", "tout à fait d'accord", "Otro vecino de Valdebebas que os apoya"]
)
def test_a_short_answer_that_many_give_is_innocent(answer: str) -> None:
    # People use these words, and now and then the whole of it, in texts of their own.
    random = np.random.default_rng(4)
    own = writers(300, 1)
    some = [
        f"{text} {random.choice(answer.split())}" if n % 3 else f"{text}. {answer}"
        for n, text in enumerate(own)
    ]
    c = consultation_of(
        [*some, *[answer] * 8], ids=[*(f"a{n}" for n in range(300)), *(f"z{n}" for n in range(8))]
    )
    [(ids, told)] = [one for one in of(c) if "z0" in one[0]]
    assert ids >= {f"z{n}" for n in range(8)}
    assert told.p is not None and told.p > 0.05
    assert told.effect["told_bits_median"] < 60


def test_words_of_the_question_tell_little() -> None:
    name = "Faut-il rouvrir la ligne de chemin de fer entre Morlanne et Saint-Aubin avant dix ans"
    answers = [
        f"Oui il faut rouvrir la ligne de chemin de fer entre Morlanne et Saint-Aubin, {x}"
        for x in "abcdefgh"
    ]
    organic = writers(200, 1)
    asked = dict.fromkeys(organic, name) | dict.fromkeys(answers, name)

    def bits(known: bool) -> float:
        c = consultation_of(
            [*organic, *answers], questions=[asked[t] if known else "q" for t in (*organic, *answers)]
        )
        [told] = [
            h for x, h in zip(text_candidates(c, threads=1), _channels(c), strict=True) if len(x.rows) == 8
        ]
        return told.effect["told_bits_median"]

    assert bits(True) < 0.6 * bits(False)


def _channels(c: Consultation) -> list[Channel]:
    return template_channel(c, text_candidates(c, threads=1), threads=1)


def test_a_shared_link_tells_nothing() -> None:
    link = "https://exemple.org/une/tres/longue/adresse/que/personne/n-invente?avec=beaucoup&de=choses"
    [(ids, told)] = [one for one in of(with_letters(texts=[f"voir {link}"] * 7)) if "z0" in one[0]]
    assert len(ids) == 7 and told.p == 1.0


def test_one_author_counts_once() -> None:
    source = letters(1)[0].rstrip(".")
    added = [f"{source} {tail}." for tail in writers(12, 77, words=3)]
    names = [*(f"p{n}" for n in range(200)), *["q0"] * 8, "q1", "q2", "q3", "q4"]
    found = []
    for authors in (names, [f"p{n}" for n in range(212)]):
        c = consultation_of([*writers(200, 1), *added], authors=authors)
        [group] = text_candidates(c, threads=1)
        [told] = template_channel(c, [group], threads=1)
        assert len(group.rows) == 12 and told.p is not None
        found.append((group.voices, told.p))
    (few, p_few), (many, p_many) = found
    assert (few, many) == (5, 12) and p_few > p_many


def test_a_small_consultation_says_that_it_can_say_nothing() -> None:
    c = consultation_of([*writers(LEAST_NULL - 1, 1), *["une phrase assez longue pour être rare ici"] * 6])
    groups = text_candidates(c, threads=1)
    assert [told.why_not for told in template_channel(c, groups, threads=1)] == ["too-few"]


def test_what_was_found_otherwise_is_told_why_it_is_not_tested() -> None:
    c = with_letters(6, organic=80)
    c = replace(c, votes=votes_of([(f"v{n}", "item", 1) for n in range(6)]))
    burst = replace(candidate_of(c, ["a1", "a2", "a3", "a4", "a5"], "paraphrase"), found_by="time")
    told = template_channel(c, [burst, voters_of(c, ["v0", "v1"]), *text_candidates(c, threads=1)], threads=1)
    assert [one.why_not for one in told] == ["not-asked", "no-texts", ""]
    assert told[2].p is not None
    assert template_channel(c, [], threads=1) == []


def test_an_innocent_group_goes_back_into_the_null() -> None:
    # Six people with one sentence beside a letter: the sentence is innocent, and does not make the letter look rarer.
    alone = next(told for ids, told in of(with_letters()) if "z0" in ids).p
    c = with_letters(texts=[*letters(12), *["mais alors oui bravo"] * 6])
    beside = next(told for ids, told in of(c) if "z0" in ids).p
    assert alone is not None and beside is not None and beside >= alone * 0.2


def test_larger_groups_are_compared_with_more_others() -> None:
    assert [rank_of(m) for m in (5, 8, 9, 11, 17, 500)] == [3, 3, 4, 5, 8, 8]
    assert all(rank_of(m) < LEAST_MEMBERS or rank_of(m) <= m / 2 for m in range(5, 100))


def test_a_larger_copied_wording_is_seen_at_least_as_often() -> None:
    c = with_letters()
    groups = text_candidates(c, threads=1)
    template_channel(c, groups, threads=1)
    seen = powers(c, groups, (5, 10, 20, 40), 0.01, threads=1)
    forget_texts(c)
    assert powers(c, groups, (5, 10, 20, 40), 0.01, threads=1) == seen
    for pattern in ("copies", "template"):
        assert list(seen[pattern].values()) == sorted(seen[pattern].values())
    assert all(seen["template"][size] <= seen["copies"][size] for size in (5, 10, 20, 40))


def test_places_of_words_are_bytes_and_a_link_is_one_word() -> None:
    text = "Été : voir https://a.fr/b?c=d."
    found = [text.encode()[a:b].decode() for a, b in campaigns_places(text)]
    assert found == ["Été", "voir", "https://a.fr/b?c=d"]
