"""What is found in texts is what can reach a person, and dates, prices and articles of law are not taken for it."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klero.voices.personal import CANDIDATE, KINDS, find, hidden, mask

# (text, kinds that a person would mark in it). All made up: the French numbers are those set aside for fiction, the IBAN are banks' own examples.
HOLDS: list[tuple[str, tuple[str, ...]]] = [
    ("Écrivez-moi à jeanne.martin@example.org merci", ("e-mail",)),
    ("contact : zoe+mairie@sous.domaine.example.fr.", ("e-mail",)),
    ("mon adresse : jean [at] example.com", ("e-mail",)),
    ("jean(arobase)example.fr", ("e-mail",)),
    ("<jean@example.com>, <marie@example.com>", ("e-mail", "e-mail")),
    ("Appelez le 06 39 98 12 34 svp", ("phone",)),
    ("tél. 0639981234", ("phone",)),
    ("Tel:01.99.00.12.34", ("phone",)),
    ("06-39-98-12-34.", ("phone",)),
    ("+33 6 39 98 12 34", ("phone",)),
    ("+33(0)639981234", ("phone",)),
    ("0033 1 99 00 12 34", ("phone",)),
    ("06\u00a039\u00a098\u00a012\u00a034", ("phone",)),
    ("mon numéro (0639981234)", ("phone",)),
    ("Llámame al 612 345 678", ("phone",)),
    ("teléfono 91 no, 612 34 56 78 sí", ("phone",)),
    ("+34 612 345 678", ("phone",)),
    ("móvil: 612345678", ("phone",)),
    ("Call (555) 234-5678", ("phone",)),
    ("call 555-234-5678 today", ("phone",)),
    ("+1 555 234 5678", ("phone",)),
    ("ring 07700 900123", ("phone",)),
    ("020 7946 0018", ("phone",)),
    ("+44 20 7946 0018", ("phone",)),
    ("+49 30 901820", ("phone",)),
    ("J'habite 12 rue de la Paix, 75002 Paris", ("address",)),
    ("12 bis avenue Victor Hugo 59000 Lille", ("address",)),
    ("au 3, impasse des lilas", ("address",)),
    ("4 place de la République", ("address",)),
    ("27 chemin du Moulin, 31000 Toulouse", ("address",)),
    ("je vis à 59000 Lille", ("address",)),
    ("5 bd Saint-Michel", ("address",)),
    ("125 route de Lyon", ("address",)),
    ("Vivo en la calle Alcalá 45, 28014 Madrid", ("address",)),
    ("Plaza de España, nº 3", ("address",)),
    ("221B Baker Street, London NW1 6XE", ("address",)),
    ("at 10 Downing Street", ("address",)),
    ("1600 Pennsylvania Avenue", ("address",)),
    ("postcode SW1A 2AA", ("address",)),
    ("IBAN FR14 2004 1010 0505 0001 3M02 606", ("bank account",)),
    ("ES9121000418450200051332", ("bank account",)),
    ("ma sécu : 2 55 08 14 168 025 38", ("identity number",)),
    ("DNI 12345678Z", ("identity number",)),
    ("Jean, 06 39 98 12 34, jean@example.org, 12 rue de la Paix", ("phone", "e-mail", "address")),
]
HOLDS_NOT = [
    "le 12/03/2019 à 10h30",
    "du 01.02.2019 au 03.04.2019",
    "01-02-2019 10",
    "article 12 de la loi 78-17 du 6 janvier 1978",
    "article L. 121-4-1 du code du travail",
    "en 2022 2023 2024 2025",
    "les élections de 2017 2019",
    "1 200 000 euros",
    "700 000 000 € de budget",
    "612 345 678 euros",
    "un coût de 25 000 Euros",
    "25000 Euros par an, 10000 Emplois",
    "https://example.org/page?id=0639981234",
    "voir www.example.org/06-39-98-12-34",
    "http://example.org/rue/12-rue-de-la-paix",
    "0,0639981234",
    "3.14159265358979",
    "version 01.02.03.04.05.06",
    "de 10 à 20 % en 2 ans",
    "les 2 rues et 3 places de parking",
    "20 places de crèche, 5 routes",
    "2 chemins de fer",
    "100 place de parking de plus",
    "a 3 cours de sport",
    "la rue de la Paix",
    "j'ai passé 3 heures rue de Rivoli",
    "en la calle 3 veces",
    "en la Calle Atocha 3 veces al día",
    "RD 1075, A 86, D12",
    "décret n° 2019-23 du 18 janvier 2019",
    "SIREN 552 100 554",
    "FR14 2004 1010 0505 0001 3M02 607",
    "2 55 08 14 168 025 39",
    "12345678A",
    "@elysee et #granddebat",
    "prix: 19,99@magasin",
    "50 @ 20",
    "ISBN 978-2-07-036822-8",
    "10 20 30 40 50 60 70",
    "00 33 ans",
    "voté 0 pour, 1 contre, 12 blancs",
    "l'an 2000 Paris comptait",
    "de 1789 à 1799",
    "le 11 novembre 1918",
    "3 Grand Street Parties",
    "1 à 2 avenue",
    "COVID 19 20 21 22 23",
    "75 % des Parisiens",
    "(555) 23",
    "500 000 000 000",
]
# (text, the piece that must go): written so that no plain pattern sees it, or where one would take too much
DISGUISED = [
    ("Écrire à zoe\uff20example.org svp", "e-mail", "zoe\uff20example.org"),
    ("zoe\ufe6bexample.org", "e-mail", "zoe\ufe6bexample.org"),
    ("zo\u00ade@exam\u200bple.org", "e-mail", "zo\u00ade@exam\u200bple.org"),
    ("https://example.org/x?m=zoe@example.org&b=1", "e-mail", "zoe@example.org"),
    ("https://example.org/x?m=zoe%40example.org", "e-mail", "zoe%40example.org"),
    ("zoe [at] example [point] org", "e-mail", "zoe [at] example [point] org"),
    ("zoe[arobase]example[dot]org", "e-mail", "zoe[arobase]example[dot]org"),
    ("zoe arobase example point org", "e-mail", "zoe arobase example point org"),
    ("zoe@example(dot)org", "e-mail", "zoe@example(dot)org"),
    *(
        ("\u200bau " + number + ", merci", "phone", number)
        for number in (
            "\uff10\uff16 \uff13\uff19 \uff19\uff18 \uff11\uff12 \uff13\uff14",
            "\U0001d7ce\U0001d7d4 39 98 12 34",
            "06\u200b39\u200b98\u200b12\u200b34",
            "0\ufe0f\u20e36\ufe0f\u20e339981234",
            "06\u201339\u201398\u201312\u201334",
            "06\u200939\u200998\u200912\u200934",
        )
    ),
    ("es91 2100 0418 4502 0005 1332 pour payer", "bank account", "es91 2100 0418 4502 0005 1332"),
    ("ES9121000418450200051332 2023 ok", "bank account", "ES9121000418450200051332"),
    ("fr14 2004 1010 0505 0001 3m02 606", "bank account", "fr14 2004 1010 0505 0001 3m02 606"),
    ("FR14-2004-1010-0505-0001-3M02-606", "bank account", "FR14-2004-1010-0505-0001-3M02-606"),
]
NOT_DISGUISED = [
    "l'arobase est un signe",
    "zoe[at]work",
    "https://example.org/@zoe",
    "00225.363",
    "es91 2100 0418 4502 0005 1333",
]


@pytest.mark.parametrize(("text", "kind", "piece"), DISGUISED)
def test_disguised_pieces_are_masked_where_they_stand(text: str, kind: str, piece: str) -> None:
    assert [(finding.kind, finding.text) for finding in find(text)] == [(kind, piece)]
    assert mask(text, "en") == text.replace(piece, f"[{kind}]")


@pytest.mark.parametrize("text", NOT_DISGUISED)
def test_what_only_looks_disguised_stays(text: str) -> None:
    assert find(text) == []


def test_every_text_that_holds_something_is_a_candidate() -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = [case[0] for case in HOLDS] + [case[0] for case in DISGUISED]
    assert all(re.search(CANDIDATE, text, re.IGNORECASE) for text in texts)
    assert pc.all(pc.match_substring_regex(pa.array(texts), CANDIDATE, ignore_case=True)).as_py()


def test_precision_and_recall_on_made_up_cases_are_as_stated() -> None:
    wanted = hit = extra = 0
    missed = []
    for text, kinds in HOLDS:
        got = [finding.kind for finding in find(text)]
        wanted += len(kinds)
        common = sum(min(got.count(kind), kinds.count(kind)) for kind in KINDS)
        hit += common
        extra += len(got) - common
        if sorted(got) != sorted(kinds):
            missed.append((text, got))
    for text in HOLDS_NOT:
        got = [(finding.kind, finding.text) for finding in find(text)]
        extra += len(got)
        if got:
            missed.append((text, got))
    assert len(HOLDS) + len(HOLDS_NOT) == 94  # the how-to says so
    # The cases were written before the patterns met them; the one mistake is left as it is.
    assert [text for text, _ in missed] == ["3 Grand Street Parties"]
    assert (hit, wanted, extra) == (47, 47, 1)  # recall 1.00, precision 0.98


@pytest.mark.parametrize(
    ("lang", "masked"),
    [
        ("en", "Jean, [phone], [e-mail], [address] ; [bank account]"),
        ("fr", "Jean, [téléphone], [e-mail], [adresse] ; [compte bancaire]"),
    ],
)
def test_masking_puts_the_kind_in_the_place_of_the_piece(lang: str, masked: str) -> None:
    text = "Jean, 06 39 98 12 34, jean@example.org, 12 rue de la Paix ; ES9121000418450200051332"
    assert mask(text, lang) == masked


@given(
    st.lists(
        st.sampled_from([case[0] for case in HOLDS] + [case[0] for case in DISGUISED] + HOLDS_NOT), max_size=4
    )
)
def test_a_masked_text_holds_nothing_that_could_be_masked(parts: list[str]) -> None:
    text = " ; ".join(parts)
    masked = mask(text, "en")
    assert find(masked) == []
    if not find(text):
        assert masked == text


@given(st.text("0123456789 .-+()@aA,\n/€\u200b\u00ad\uff10\uff20", max_size=80))
def test_findings_are_in_order_apart_and_where_they_say(text: str) -> None:
    findings = find(text)
    assert all(text[f.start : f.end] == f.text for f in findings)
    assert all(one.end <= other.start for one, other in pairwise(findings))


def test_messages_show_two_signs_of_a_finding_at_most() -> None:
    for text, _ in HOLDS:
        for finding in find(text):
            assert sum(c.isalnum() for c in hidden(finding.text)) <= 2


def test_a_hidden_sign_in_front_or_behind_is_not_masked() -> None:
    assert mask("\u200b06 39 98 12 34\u200b.", "en") == "\u200b[phone]\u200b."


# What the patterns are made of, repeated. In a process of its own, as a pattern that does not end cannot be stopped otherwise. The time allowed is many
# times what is needed: this catches what is exponential, and what is quadratic for many fragments, but does not prove that all is linear.
_HOSTILE = """
import sys
from klero.voices import personal, personal_patterns as patterns
fragments = ["12 rue ", "rue ", "de la ", "de  la ", "de ", "d'", "des ", "del ", "la ", "las ", "l’", "de l'", "et ", "A", "a", "À", "A-", "A.", "A'", "Aa ",
    "Aa-", " ", "\\n", "\\t", "\\u00a0", ",", ", ", ".", "-", "–", "'", "/", "1", "1 ", "12 ", "12", "06 ", "06", "00 ", "0", "1-", "1.", "9 ", "912 34 ",
    "75001 ", "75001 Paris ", "F-", "BP 1 ", "bis ", "1 A ", "Calle ", "Calle de la ", "Calle A ", "+", "+33 ", "+1", "(", "( ", ")", "(1)", "@", "a@", "a.",
    "a@a.", "[at]", " [at] ", "a[at]a[dot]", " arobase ", "a arobase a point ", "%40", "FR76 ", "FR76", "1234 ", "A1 ", "A1A 1AA ", "St ", "Mary ", "1 Mary ",
    "http://", "http://a ", "www.", "tel: ", "tel 6", "º", "nº ", "1 nº ", "€", "\\u200b", "\\uff11", "\\uff11\\u200b", "\\u00ad", "x"]
openings = ["", "12 rue ", "12 place ", "Calle ", "12 A", "a@a", "+33 ", "FR76 ", "75001 A", "12 rue A "]
every = [pattern for _, _, _, pattern in patterns.BY_WORD] + [pattern for _, _, pattern in patterns.AT_DIGITS["number"]]
every += [patterns.START, patterns.URL, patterns.DISGUISED, patterns.INVISIBLE, patterns.DIGITS]
for fragment in fragments:
    for many in (10, 100, 1000, 10_000):
        for opening in openings:
            text = opening + fragment * many
            for end in ("", "x", "12"):
                for pattern in every:
                    for place in range(3):
                        pattern.match(text + end, place)
            if many < 10_000:
                personal.find(text)
        personal.find(fragment * many + "@")
for one in fragments:
    for other in fragments:
        personal.find("12 rue " + (one + other) * 30 + "x")
        personal.find("Calle " + (one + other) * 30 + "x")
print("done")
"""


def test_hostile_repetitions_of_what_patterns_are_made_of_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _HOSTILE], capture_output=True, text=True, timeout=240, check=False
    )
    assert (done.stdout.strip(), done.stderr) == ("done", "")


def test_patterns_are_bounded_and_cannot_give_back_a_word() -> None:
    assert find("12 rue " + "de la " * 2_000 + "x")[0].text.startswith("12 rue de la")
    assert find("Calle " + "A-" * 160) == []
    assert find("12 rue de la Paix-" + "A-" * 2_000)[0].end < 100  # a word has 60 signs at most


def test_long_texts_of_digits_are_read_to_the_end() -> None:
    for text in ("06 12 " * 40_000, "a." * 100_000 + "@", "1 rue " * 40_000, "+33" * 70_000, "A" * 200_000):
        assert find(text + "\n zoe@example.org")[-1].text == "zoe@example.org"


@given(
    st.lists(
        st.sampled_from(sorted({word for text, *_ in HOLDS for word in text.split()}))
        | st.text("0123456789 .-+()AB", max_size=24),
        max_size=8,
    )
)
def test_the_quick_look_leaves_no_place_out(words: list[str]) -> None:
    from klero.voices import personal, personal_patterns

    text = " ".join(words)
    everywhere = {
        (kind, begin)
        for run in re.finditer("[0-9]+", text)
        for kind, begin, end in personal._at(text, run.start(), personal_patterns.AT_DIGITS["number"])
        if kind != "bank account" and personal._holds(kind, text[begin:end])
    }
    looked_at = {(kind, begin) for kind, begin, _ in personal._places(text)}
    assert everywhere <= looked_at
