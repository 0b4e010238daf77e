"""The patterns of personal data, for :mod:`klero.voices.personal`.

Rules that keep every one of them linear, whatever a text holds: repetitions are bounded; a sign can be read by one part of a pattern only (so «de la» is two
links and never one, and «-» is part of a word and never between two); words and links are possessive, as giving back a part of one never helps.
"""

from __future__ import annotations

import re
from typing import TypeAlias

__all__ = [
    "AT_DIGITS",
    "BY_WORD",
    "CANDIDATE",
    "DIGITS",
    "DISGUISED",
    "IBAN_LENGTHS",
    "INVISIBLE",
    "PLAIN",
    "SEPARATOR",
    "START",
    "URL",
    "Pattern",
]

Pattern: TypeAlias = tuple[str, tuple[int, ...], re.Pattern[str]]
"""A kind, how many signs before the first digit it may begin, and the expression."""

CANDIDATE = (
    "[@\uff20\ufe6b0-9\uff10-\uff19\U0001d7ce-\U0001d7ff]"
    r"|[\[({] ?(?:at|arobase|arroba) ?[\])}]|\s(?:arobase|arroba)\s"
)
"""What a text with personal data holds at the least, for a first, fast look at a whole column (RE2 reads it too)."""

# Disguises. Full-width signs and digits of mathematics stand for one plain sign each; what has no width is left out.
PLAIN = {
    **{wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)},
    **{digit: 48 + (digit - 0x1D7CE) % 10 for digit in range(0x1D7CE, 0x1D800)},
    0xFE6B: 64,
    0x3000: 32,
}
_NO_WIDTH = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u20e3\ufe00-\ufe0f\ufeff"
INVISIBLE = re.compile(f"[{_NO_WIDTH}]")
DISGUISED = re.compile(f"[{_NO_WIDTH}\uff01-\uff5e\ufe6b\u3000\U0001d7ce-\U0001d7ff]")

SEPARATOR = "[ .\\-\u00a0\u202f\u2007\u2009\u2010-\u2013]"
_S = SEPARATOR
DIGITS = re.compile("[0-9]")
URL = re.compile(r"(?:https?://|www\.)[^\s<>\"«»]+", re.IGNORECASE)
_AT = r"(?:@|%40| ?[\[({] ?(?:at|arobase|arroba) ?[\])}] ?)"
_DOT = r"(?:\.| ?[\[({] ?(?:dot|point|punto) ?[\])}] ?)"
_MAIL = re.compile(
    rf"(?<![\w.%+'-])\w[\w.%+'-]{{0,63}}{_AT}(?:[\w-]{{1,63}}+{_DOT}){{1,8}}[^\W\d_]{{2,24}}+(?![\w@])",
    re.IGNORECASE,
)
_MAIL_IN_WORDS = re.compile(
    r"(?<![\w.%+'-])\w[\w.%+'-]{0,63}+\s(?:arobase|arroba)\s(?:[\w-]{1,63}+(?:\.|\s(?:point|punto|dot)\s)){1,4}[^\W\d_]{2,24}+(?![\w@])",
    re.IGNORECASE,
)
_UNIT = (
    rf"(?!{_S}?(?i:€|\$|£|%|euros?\b|eur\b|francs?\b|dollars?\b|milli|habitant|person|emploi|foyer|logement|km|kg|m²|m2|kwh|mwh"
    r"|tonnes?\b|voix\b|votos?\b|votes?\b|hab\b))"
)
_BEFORE = r"(?<![\w/=#&?-])(?<![\w][.,])"
_NO_TOWN = r"(?!Euros?\b|EUR\b|Fran[cç]|Habitant|Emploi|Person|Citoyen|Logement|Place|Foyer|Mort|Ménage)"
_AFTER = rf"(?![\w/=])(?![.,-]\d){_UNIT}"
_DATE = r"(?!\d{1,2}[ .-]\d{1,2}[ .-](?:19|20)\d{2}\b)"
_UPPER = r"[A-ZÀ-ÖØ-ÞŒ]"
_GAP = r"\s{1,8}+"
_LINKS = rf"(?:(?:de|des|du|del|la|las|los|le|les|et|y|en|sur|sous|aux?){_GAP}|[dl]['’]\s?){{0,6}}+"
_NAME = rf"{_LINKS}{_UPPER}[\w'’.-]{{0,60}}+(?: {_LINKS}{_UPPER}[\w'’-]{{0,60}}+){{0,4}}"
_LOWER = rf"(?:(?:de{_GAP}la|des?|du){_GAP}|de{_GAP}l['’]\s?|d['’]\s?)[^\W\d_][\w'’-]{{1,60}}+"
_NUMBER = rf"(?<![\w.,/-])\d{{1,4}}+(?:\s?(?:bis|ter|quater)\b|\s?[A-Da-d]\b)?,?{_GAP}"
_FIVE = r"(?:0[1-9]|[1-8]\d|9[0-8])\d{3}"
_PLACE = rf"{_UPPER}[\w'’-]{{1,60}}+(?: {_UPPER}[\w'’-]{{1,60}}+){{0,3}}"
_TOWN = rf"(?:\s{{0,8}}+(?:[,–-]\s{{0,8}}+)?(?:BP\s{{0,3}}+\d{{1,6}}+\s{{0,3}}+,?\s{{0,3}}+)?(?:F-)?\b{_FIVE}{_GAP}{_PLACE})"
# a postcode, where one would stand
_POSTED = rf"(?:(?<=[,(\n])|(?<=[,(\n] )|(?<=\b[Àà] )|(?<=^))(?:F-)?{_FIVE}{_GAP}"
_ENGLISH = (
    rf"(?<![\w.,/-])\d{{1,5}}+[A-Za-z]?,?{_GAP}(?:[A-Z][\w'’]{{1,40}}+\.?{_GAP}){{1,3}}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Close|Crescent|Court|Square|Terrace|Gardens)\b\.?"
    r"(?:,\s{0,3}+[A-Z]\w{1,40}+(?: [A-Z]\w{1,40}+)?)?(?:,?\s{0,3}+[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b)?"
)
_WAYS = r"rue|avenue|av\.|bd\.?|boulevard|impasse|allées?|faubourg|ruelle|lotissement"
_SQUARES = r"place|cours|route|chemin|cité|quai|square|passage|sentier|résidence|esplanade|villa|montée|traverse|hameau|lieu-dit"
_NUMBERS: list[Pattern] = [
    (kind, before, re.compile(pattern))
    for kind, before, pattern in (
        # France: ten digits by pairs, with one mark throughout
        ("phone", (0,), rf"{_BEFORE}{_DATE}0[1-9](?P<s>{_S}?)\d\d(?:(?P=s)\d\d){{3}}(?!{_S}\d\d\b){_AFTER}"),
        ("phone", (0,), rf"{_BEFORE}{_DATE}0[1-9]\d\d{_S}\d\d\d{_S}\d\d\d(?!{_S}\d){_AFTER}"),
        ("phone", (0, 1), rf"{_BEFORE}(?:\+|00){_S}?33{_S}?(?:\(0\){_S}?)?[1-9](?:{_S}?\d\d){{4}}{_AFTER}"),
        # Spain: nine digits with marks between them
        ("phone", (0, 1), rf"{_BEFORE}(?:\+|00){_S}?34{_S}?[6-9]\d\d(?:{_S}?\d\d\d){{2}}{_AFTER}"),
        (
            "phone",
            (0,),
            rf"{_BEFORE}(?<!\d{_S})[679]\d\d(?P<s>[ .-])(?:\d\d\d(?P=s)(?!000)\d\d\d|\d\d(?P=s)\d\d(?P=s)\d\d)(?!{_S}\d){_AFTER}",
        ),
        # North America, Britain
        (
            "phone",
            (0, 1),
            rf"{_BEFORE}(?:\+?1{_S})?(?:\(\d{{3}}\) ?[2-9]\d\d[-. ]|\d{{3}}(?P<s>[-.])[2-9]\d\d(?P=s))\d{{4}}{_AFTER}",
        ),
        (
            "phone",
            (0,),
            rf"{_BEFORE}0(?:7\d{{3}} ?\d{{3}} ?\d{{3}}|20 ?\d{{4}} ?\d{{4}}|1\d{{3}} \d{{3}} ?\d{{3}}|1\d1 \d{{3}} \d{{4}}){_AFTER}",
        ),
        # anywhere, with the code of a country; how many digits it has in all is looked at afterwards
        (
            "phone",
            (0, 1),
            rf"{_BEFORE}(?:\+|00{_S}?(?=[1-9]\d{{1,2}}{_S}))[1-9]\d{{0,2}}+{_S}?(?:\(\d{{1,4}}\){_S}?)?(?=(?:{_S}?\d){{5}})\d{{1,14}}+(?:{_S}\d{{2,12}}+){{0,4}}{_AFTER}",
        ),
        ("bank account", (2,), rf"(?<![A-Za-z0-9])[A-Za-z]{{2}}\d\d(?:{_S}?[A-Za-z0-9]){{11}}"),
        (
            "identity number",
            (0,),
            rf"(?<!\d)[12]{_S}?\d\d{_S}?[0-9]\d{_S}?\d[\dAB]{_S}?\d{{3}}{_S}?\d{{3}}{_S}?\d\d(?!\d)",
        ),
        ("identity number", (0, 1), r"(?<![A-Za-z0-9])(?:[XYZ]\d{7}|\d{8})[ -]?[A-Z](?![A-Za-z0-9])"),
    )
]
_ADDRESSES: list[Pattern] = [
    ("address", before, re.compile(pattern))
    for before, pattern in (
        # France, England; of a postcode the letters come first
        ((0,), rf"{_NUMBER}(?i:{_WAYS}){_GAP}(?:{_NAME}|{_LOWER}){_TOWN}?"),
        ((0,), rf"{_NUMBER}(?i:{_SQUARES}){_GAP}(?:{_NAME}{_TOWN}?|{_LOWER}{_TOWN})"),
        ((0, 2), rf"{_POSTED}{_NO_TOWN}{_PLACE}"),
        ((0,), _ENGLISH),
        (
            (1, 2),
            r"(?<![\w])(?:[A-PR-UWYZ]\d{1,2}|[A-PR-UWYZ][A-HK-Y]\d{1,2}|[A-PR-UWYZ]\d[A-Z]|[A-PR-UWYZ][A-HK-Y]\d[A-Z]) \d[ABD-HJLNP-UW-Z]{2}(?![\w])",
        ),
    )
]
AT_DIGITS: dict[str, list[Pattern]] = {
    "number": _NUMBERS + _ADDRESSES,
    "identity": [one for one in _NUMBERS if one[0] == "identity number"],
    "address": _ADDRESSES,
}
"""What to try at a place that `START` names, by its group."""

# The first digit of a run, where what follows is what one of the patterns needs at the least. It begins with a class, so that `re` skips quickly to digits.
START = re.compile(
    r"[0-9](?<![0-9][0-9])(?:(?P<number>"
    rf"(?<=0)(?=[1-9](?:{_S}?[0-9]){{8}}|0{_S}?[1-9])"
    r"|(?<=\+[0-9])"
    rf"|(?<=1)(?={_S}[(0-9]{_S}?[0-9])"
    r"|(?<=[679])(?=[0-9][0-9][ .-][0-9]{2})"
    r"|(?=[0-9]{2}(?:\) ?|[-.])[2-9][0-9]{2}[-. ][0-9]{4})"
    r"|(?=[0-9]{6,7}[ -]?[A-Z])"
    rf"|(?<=[A-Za-z]{{2}}[0-9])(?=[0-9](?:{_S}?[A-Za-z0-9]){{11}})"
    r")|(?P<identity>"
    rf"(?<=[12])(?={_S}?\d\d{_S}?\d\d{_S}?\d[\dAB]{_S}?\d{{3}}{_S}?\d{{3}})"
    r")|(?P<address>"
    rf"(?=[0-9]{{0,3}}+(?:\s?(?:bis|ter|quater)\b|\s?[A-Da-d]\b)?,?{_GAP}(?![0-9])(?i:{_WAYS}|{_SQUARES}))"
    rf"|(?=[0-9]{{4}}{_GAP}{_UPPER})"
    rf"|(?=[0-9]{{0,4}}+[A-Za-z]?,?{_GAP}[A-Z][\w'’])"
    r"|(?<=[A-Z][0-9])(?=[0-9A-Z]? [0-9][A-Z]{2})"
    r"))"
)

# (kind, whether it holds a digit, words of which one is there in lower case, pattern)
BY_WORD: list[tuple[str, bool, tuple[str, ...], re.Pattern[str]]] = [
    ("e-mail", False, ("@", "%40", "(at", "[at", "{at", "( at", "[ at", "{ at", "arob", "arrob"), _MAIL),
    ("e-mail", False, ("arobase", "arroba"), _MAIL_IN_WORDS),
    (
        "phone",
        True,
        ("tel", "tél", "móv", "mov", "llam", "llám"),
        re.compile(
            rf"(?:tel|tél|m[óo]vil|tel[ée]fono|ll[aá]m\w{{2,5}})\.?(?: al)?[ :]{{1,3}}(?P<it>[679]\d{{8}}){_AFTER}",
            re.IGNORECASE,
        ),
    ),
    (
        "address",
        True,
        ("calle", "c/", "avenida", "avda", "plaza", "paseo", "ronda", "traves"),
        re.compile(
            rf"(?<!\w)(?i:calle|c/|avenida|avda\.?|plaza|paseo|ronda|travesía){_GAP}{_NAME},?{_GAP}(?:(?i:n[ºo°]\.?|núm\.?|número)\s{{0,8}}+)?"
            r"\d{1,3}(?![\w%€])(?!\s{0,8}+(?i:veces|años|horas|días|meses|personas|euros|€|%|vecinos|minutos|metros|kil))"
            rf"(?:,?\s{{0,8}}+\d{{1,2}}º\s?[A-Z]?)?(?:,?\s{{0,8}}+(?:0[1-9]|[1-4]\d|5[0-2])\d{{3}}{_GAP}{_UPPER}\w{{1,60}}+)?"
        ),
    ),
]

# How many signs an IBAN has, by country (ISO 13616, register of SWIFT)
IBAN_LENGTHS = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FO GL NL",
        19: "MK SI",
        20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS",
        23: "AE GI IL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "PT",
        26: "IS TR",
        27: "FR GR IT MC MR SM",
        28: "AL AZ CY DO GT HU LB PL",
        29: "BR PS QA UA",
        30: "JO KW MU",
        31: "MT",
        32: "LC",
    }.items()
    for country in countries.split()
}
