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
    ("lang", "word"),
    [("en", "The quotas leave at most"), ("fr", "Le nombre de sièges que les quotas laissent à")],
)
def test_each_level_is_told_with_its_binding_quotas(example: Lottery, lang: str, word: str) -> None:
    text = example.explain(lang=lang).replace("\u00a0: ", ": ")
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
    assert "au moins 2 de h\u00a0: m" in lottery.explain("x", lang="fr")


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


@pytest.mark.parametrize(("size", "lang"), [(3, "fr"), (2999, "en"), (1, "en")])
def test_no_label_of_the_picture_is_cut_off(size: int, lang: str) -> None:
    people = [{"id": i, "g": "few" if i < 3 else "many"} for i in range(3000)]
    quotas = [{"feature": "g", "value": v, "min": 0, "max": 3000} for v in ("few", "many")]
    quotas[0] |= {"min": min(size, 3), "max": min(size, 3)}
    root = ElementTree.fromstring(probabilities_svg(fair_lottery(people, quotas, size=size), lang))  # noqa: S314
    size_of_type = float(root.attrib["font-size"])
    labels = [element for element in root.iter() if element.tag.endswith("text")]
    assert len(labels) > 1
    for element in labels:
        # In the widest of usual faces a digit takes 0.64 em, a per cent sign 0.95.
        wide = (
            sum(0.95 if c == "%" else 0.84 if c == "<" else 0.64 for c in element.text or "") * size_of_type
        )
        x = float(element.attrib["x"])
        ends_there = element.attrib.get("text-anchor") == "end"
        assert (x - wide if ends_there else x) >= 0, element.text
        assert (x if ends_there else x + wide) <= float(root.attrib["width"]), element.text


@pytest.mark.parametrize(("lang", "word"), [("en", "Levels "), ("fr", "Niveaux ")])
def test_all_who_always_sit_are_told_in_one_line(lang: str, word: str) -> None:
    """As after a replacement: 28 members stay, in seventeen levels of the certificate."""
    stay = "007 027 034 045 050 051 057 065 073 080 083 087 088 093 102 107 133 139 150 156 162 170 171 173 181 188 214 239"
    sitting = [f"P{number}" for number in stay.split()]
    tables = (PACKAGE / "examples" / "people.csv", PACKAGE / "examples" / "quotas.csv")
    lottery = fair_lottery(*tables, size=30, must_sit=sitting)
    certain = [level for level in lottery.certificate.levels if level.value == 1]
    assert len(certain) > 5
    text = lottery.explain(lang=lang)
    lines = [part for part in text.split("\n\n") if part.startswith(word)]
    assert len(lines) == 1
    assert "28" in lines[0]
    total = len(lottery.certificate.levels)
    assert f"{total - len(certain) + 1}–{total}" in lines[0]
    assert ("always sit" if lang == "en" else "siègent toujours") not in text.replace(lines[0], "")


@pytest.mark.parametrize(
    ("num", "den", "text"),
    [(1, 10, "10.00 %"), (1, 1, "100.00 %"), (0, 1, "0 %"), (999999, 10**6, "99.99 %")],
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
