"""Explanations: the right facts, in English and French, from a complete catalogue."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from klero import fair_lottery
from klero.errors import InputError
from klero.sortition.instance import read_instance
from klero.sortition.lottery import Lottery, lottery_for
from klero.sortition.picture import probabilities_svg
from klero.sortition.pool import Pool
from klero.sortition.quotas import Quotas
from klero.words import percent, plural_count, words

PACKAGE = Path(__file__).resolve().parents[1] / "python" / "klero"
CATALOGUE = PACKAGE / "locale" / "fr" / "LC_MESSAGES" / "klero.po"


@pytest.fixture(scope="module")
def example() -> Lottery:
    return lottery_for(
        read_instance(PACKAGE / "examples" / "people.csv", PACKAGE / "examples" / "quotas.csv", 30)
    )


def test_every_sentence_has_its_french() -> None:
    with CATALOGUE.open("rb") as source:
        french = read_po(source)
    keywords = {"_": None, "ngettext": (1, 2), "gettext": None}
    found = list(extract_from_dir(PACKAGE, [("**.py", "python")], keywords=keywords))
    assert len(found) > 15
    for name, _line, message, _comments, _context in found:
        key = message[0] if isinstance(message, tuple) else message
        entry = french.get(key)
        assert entry is not None, f"{name}: no French for «{key}»"
        strings = entry.string if isinstance(entry.string, (list, tuple)) else (entry.string,)
        assert all(strings), f"{name}: the French of «{key}» is empty"
        for string in strings:
            wanted = set(re.findall(r"\{\w+\}", key)) - {"{n}"}
            assert wanted <= set(re.findall(r"\{\w+\}", string)), f"«{string}» lacks a value of «{key}»"


def test_compiled_catalogue_is_the_source_catalogue() -> None:
    with CATALOGUE.open("rb") as source, CATALOGUE.with_suffix(".mo").open("rb") as compiled:
        written, used = read_po(source), read_mo(compiled)
    assert {str(list(m.id)): list(m.string) for m in written if m.id} == {
        str(list(m.id)): list(m.string) for m in used if m.id
    }


@pytest.mark.parametrize(
    ("lang", "word"), [("en", "The quotas leave at most"), ("fr", "Les quotas laissent au plus")]
)
def test_each_level_is_told_with_its_binding_quotas(example: Lottery, lang: str, word: str) -> None:
    text = example.explain(lang=lang)
    assert word in text
    assert str(example.certificate.levels[0].value) in text
    binding = {c for level in example.certificate.levels for c, _ in level.cells}
    assert binding
    assert all(example.instance.cell_name(c) in text for c in binding)


def test_a_person_learns_chance_type_and_reason(example: Lottery) -> None:
    text = example.explain("P017")
    assert str(example.probability("P017")) in text
    assert "P017" in text
    kind = example.instance.person_type[example.position("P017")]
    assert example.instance.type_name(kind) in text


def test_who_can_never_sit_is_named_with_the_quotas_that_shut_them_out() -> None:
    people = [
        {"id": "x", "g": "a", "h": "n"},
        *({"id": f"y{i}", "g": "b", "h": "m"} for i in range(4)),
        *({"id": f"z{i}", "g": "a", "h": "m"} for i in range(4)),
    ]
    quotas = [
        {"feature": "g", "value": "a", "min": 1, "max": 1},
        {"feature": "g", "value": "b", "min": 1, "max": 1},
        {"feature": "h", "value": "m", "min": 2, "max": 2},
        {"feature": "h", "value": "n", "min": 0, "max": 1},
    ]
    lottery = fair_lottery(Pool.read(people), Quotas.read(quotas), size=2)
    assert lottery.probability("x") == 0
    text = lottery.explain()
    assert "1 person can sit on no panel that meets the quotas: x." in text
    assert "at least 2 of h: m" in text
    assert "at least 2 of h: m" in lottery.explain("x")
    assert "au moins 2 de h: m" in lottery.explain("x", lang="fr")


def test_unknown_person_and_language_are_told_in_words(example: Lottery) -> None:
    with pytest.raises(InputError, match="Did you mean"):
        example.explain("P17")
    with pytest.raises(InputError, match="language-unknown"):
        example.explain(lang="de")


def test_picture_is_well_formed_and_says_what_it_shows(example: Lottery) -> None:
    root = ElementTree.fromstring(probabilities_svg(example))  # noqa: S314
    tags = [element.tag.rsplit("}", 1)[1] for element in root.iter()]
    assert "title" in tags
    assert "desc" in tags
    assert "<svg" in example._repr_html_()


@pytest.mark.parametrize(
    ("num", "den", "text"),
    [(1, 10, "10.00 %"), (1, 1, "100.00 %"), (0, 1, "0.0000 %"), (999999, 10**6, "99.99 %")],
)
def test_percentages_do_not_round_to_certainty(num: int, den: int, text: str) -> None:
    from fractions import Fraction

    assert percent(Fraction(num, den), "en") == text


def test_rules_are_told_in_words_and_not_by_their_inner_names() -> None:
    people = [
        {
            "id": f"p{i}",
            "g": "a" if i % 3 else "b",
            "w": str(1 + i % 2 * 2),
            "street": str(i // 2) if i < 4 else "",
        }
        for i in range(12)
    ]
    quotas = [{"feature": "g", "value": v, "min": 2, "max": 2} for v in "ab"]
    lottery = fair_lottery(people, quotas, size=4, weight="w", household="street", must_sit=["p0"])
    texts = [lottery.explain(lang=lang) for lang in ("en", "fr")]
    texts += [lottery.explain(p["id"], lang) for p in people for lang in ("en", "fr")]
    assert not any("(household)" in text or "(must sit)" in text for text in texts)
    assert "must sit" in lottery.explain("p0")
    assert "whoever must sit" in lottery.explain("p1")
    assert "shares an address with others of the pool, weight" in lottery.explain("p2")
    assert "partage son adresse" in lottery.explain("p2", "fr")
    assert "fois son poids" in lottery.explain(lang="fr")


@pytest.mark.parametrize(
    ("number", "lang", "singular"),
    [
        ("0,89", "fr", True),
        ("1,99", "fr", True),
        ("2,00", "fr", False),
        ("0.89", "en", False),
        ("1.50", "en", False),
        ("1", "en", True),
        ("0", "en", False),
    ],
)
def test_the_plural_begins_where_the_language_has_it(number: str, lang: str, singular: bool) -> None:
    text = words(lang).ngettext(
        "{dropouts} member is expected to drop out.",
        "{dropouts} members are expected to drop out.",
        plural_count(number, lang),
    )
    assert (("member is" in text) or ("désistement est" in text)) == singular
