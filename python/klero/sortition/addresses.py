"""Who lives at the same address, however it was typed?

Several columns (street, postcode, town) are joined and brought into one form; people with the same form are one household. The
form drops case, accents, punctuation and spacing, parts digits from letters («12bis» is «12 bis») and writes out or shortens
words that have one meaning (`_WORDS`): after La Poste's norm for addresses (AFNOR XP Z 10-011) «12 B» is «12 bis». Where an
abbreviation has two readings, both readings share it, so that «St» is at once «saint» and «street»: the form is a key, not an
address to write on a letter.

Guaranteed: numbers are kept, the order of rows changes nothing, and the form of a form is itself. People whose address is empty,
or only says that there is none («unknown», «sans domicile fixe»), live alone. Not guaranteed: that two spellings of one home meet
in one form. :mod:`klero.sortition.near_addresses` lists pairs that look alike; a person decides, and the decisions are read
here. Cost: linear in the letters.

>>> normal_address(["12bis, Bd. Saint-Germain", "75005 PARIS"]) == normal_address(["12 B boulevard St Germain 75005", "Paris"])
True
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from klero._tables_cells import folded
from klero.errors import Fault, InputError, quoted
from klero.sortition.pool import Pool, closest
from klero.tables import Table, TableSource, error_cell_faults, read_table

__all__ = [
    "Decision",
    "Households",
    "address_forms",
    "column_faults",
    "grouped",
    "households",
    "normal_address",
    "parse_households",
    "read_decisions",
]

# Words that stand for one another wherever they come.
_WORDS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("bd", "bld", "blvd", "boul", "bvd"), "boulevard"),
        **dict.fromkeys(("av", "ave"), "avenue"),
        **dict.fromkeys(("saint", "sainte", "ste", "street", "suite"), "st"),
        **dict.fromkeys(("docteur", "doctor", "drive"), "dr"),
        **dict.fromkeys(("marechal",), "mal"),
        **dict.fromkeys(("general", "gen"), "gal"),
        **dict.fromkeys(("app", "appt", "apt", "apartment", "flat"), "appartement"),
        **dict.fromkeys(("floor", "etg"), "etage"),
        "bat": "batiment",
        "building": "batiment",
        "esc": "escalier",
        "chem": "chemin",
        "crs": "cours",
        "fbg": "faubourg",
        "fg": "faubourg",
        "imp": "impasse",
        "pl": "place",
        "rd": "road",
        "res": "residence",
        "rte": "route",
        "sq": "square",
        "ln": "lane",
        "ct": "court",
        "cres": "crescent",
        "gdns": "gardens",
    }
)
# Words that stand for one another only behind a house number, where they can't be a name.
_AFTER_NUMBER: Mapping[str, str] = MappingProxyType({"r": "rue", "ch": "chemin", "all": "allee"})
_NUMBER_SIGNS = frozenset(("n", "no", "nr", "num", "numero"))
_REPETITION: Mapping[str, str] = MappingProxyType({"bis": "b", "ter": "t", "quater": "q"})
# What people write who give no address. Two of them are no household.
_NOTHING = frozenset(
    (
        "na",
        "n a",
        "nc",
        "n c",
        "nil",
        "none",
        "null",
        "unknown",
        "not known",
        "inconnu",
        "inconnue",
        "inconnues",
        "aucune",
    )
) | frozenset(
    (
        "non renseigne",
        "non renseignee",
        "sans domicile fixe",
        "sdf",
        "no fixed abode",
        "no fixed address",
        "homeless",
    )
)
_LETTERS = MappingProxyType(str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i"}))
_SUGGESTIONS = 5
_TOKEN = re.compile(r"[0-9]+|[^\W\d_]+|[^\W_]")

_SAME = frozenset(("same", "meme", "identique", "yes", "oui"))
_DIFFERENT = frozenset(("different", "differente", "differents", "no", "non"))


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said about two addresses. ``row`` is that of the file, 0 if there is none."""

    first: str
    second: str
    same: bool
    row: int = 0


@dataclass(frozen=True)
class Households:
    """Who lives together.

    Attributes:
        groups: the ids of each household, rising; households in the order of their first id. Everybody is in exactly one.
        addresses: the normal form of each household's address; several where a decision joined them, none where a person gave
            no address. Parallel to `groups`.
        different: pairs of addresses of which somebody said that they differ.
    """

    groups: tuple[tuple[str, ...], ...]
    addresses: tuple[tuple[str, ...], ...]
    different: frozenset[tuple[str, str]] = frozenset()

    @property
    def without_address(self) -> tuple[str, ...]:
        """The people who gave no address, each counted as living alone."""
        return tuple(
            group[0] for group, places in zip(self.groups, self.addresses, strict=True) if not places
        )

    @property
    def shared(self) -> tuple[tuple[str, ...], ...]:
        """The households of two or more."""
        return tuple(group for group in self.groups if len(group) > 1)

    def __repr__(self) -> str:
        people = sum(map(len, self.groups))
        return f"<Households: {people} people in {len(self.groups)} households, {len(self.shared)} of them shared>"


def normal_address(parts: Iterable[str]) -> str:
    """The form under which spellings of one address meet; '' if there is none. `parts` are the cells of one person."""
    texts = (_tokens(part) for part in parts)
    tokens = [token for text in texts if " ".join(text) not in _NOTHING for token in text]
    form = " ".join(_worded(tokens))
    return "" if form in _NOTHING else form


def households(pool: Pool, columns: Sequence[str], decisions: Sequence[Decision] = ()) -> Households:
    """Who lives at the same address.

    Args:
        pool: the people.
        columns: the columns that make up an address, in the order in which they are read.
        decisions: what a person said about near matches; see :func:`read_decisions`.

    Raises:
        InputError: a column is not there, nobody has an address, everybody has the same one, or the decisions name an address that
            nobody has or contradict each other.
    """
    homes, faults = parse_households(pool, columns, decisions)
    if faults:
        raise InputError(faults)
    return homes


def parse_households(
    pool: Pool,
    columns: Sequence[str],
    decisions: Sequence[Decision] = (),
    decisions_name: str = "decisions",
    elsewhere: Iterable[str] = (),
) -> tuple[Households, list[Fault]]:
    """:func:`households` with its faults instead of an error.

    `elsewhere` are normal forms of addresses of people who are not in the pool, which decisions may name as well.
    """
    faults = column_faults(pool.table, columns)
    if faults:
        return Households(tuple((i,) for i in sorted(pool.ids)), ((),) * len(pool)), faults
    forms = address_forms(pool.table, columns)
    known = dict.fromkeys(sorted({*forms, *elsewhere} - {""}))
    group_of, different, faults = grouped(known, decisions, decisions_name)
    members: dict[str, list[str]] = {}
    alone: list[str] = []
    for person, form in zip(pool.ids, forms, strict=True):
        if form:
            members.setdefault(group_of[form], []).append(person)
        else:
            alone.append(person)
    places: dict[str, list[str]] = {}
    for form in known:
        places.setdefault(group_of[form], []).append(form)
    homes: list[tuple[tuple[str, ...], tuple[str, ...]]] = [((person,), ()) for person in alone]
    homes += [(tuple(sorted(group)), tuple(places[form])) for form, group in members.items()]
    homes.sort()
    found = Households(tuple(g for g, _ in homes), tuple(a for _, a in homes), different)
    return found, faults + _pool_faults(pool, found, columns)


def address_forms(table: Table, columns: Sequence[str]) -> list[str]:
    """The normal form of the address of each row."""
    known: dict[tuple[str, ...], str] = {}
    forms = []
    for cells in zip(*(table.column(column) for column in columns), strict=True):
        form = known.get(cells)
        if form is None:
            form = known[cells] = normal_address(cells)
        forms.append(form)
    return forms


def column_faults(table: Table, columns: Sequence[str]) -> list[Fault]:
    """The address columns that are not there."""
    if not columns:
        message = "no column of the address is named. Name those that make it up: street, postcode, town."
        return [Fault("address-column-missing", message, table.name)]
    there = ", ".join(map(quoted, table.columns[:20]))
    return error_cell_faults(table, columns) + [
        Fault(
            "address-column-missing",
            f"there is no address column {quoted(name)}.{closest(name, table.columns)} The columns are: {there}.",
            table.name,
            column=name,
        )
        for name in dict.fromkeys(columns)
        if name not in table.columns
    ]


def read_decisions(source: TableSource) -> tuple[Decision, ...]:
    """Decisions about pairs of addresses: columns «first», «second» and «decision» («same» or «different», in English or French).

    The report of near matches has these columns. Rows without a decision are passed over.

    Raises:
        InputError: with every fault of the table.
    """
    table = read_table(source, called="decisions")
    names = {folded(column): column for column in reversed(table.columns)}
    missing = [role for role in ("first", "second", "decision") if role not in names]
    if missing:
        there = ", ".join(map(quoted, table.columns))
        message = f"the columns first, second and decision are needed. Missing: {', '.join(missing)}. The columns are: {there}."
        raise InputError([Fault("decision-column-missing", message, table.name)])
    rows = zip(*(table.column(names[role]) for role in ("first", "second", "decision")), strict=True)
    decisions, faults = [], []
    for number, (first, second, word) in zip(table.row_numbers, rows, strict=True):
        said = folded(word)
        if said in _SAME | _DIFFERENT:
            decisions.append(Decision(first, second, said in _SAME, number))
        elif said:
            message = (
                f"{quoted(word)} is no decision. Write «same» or «different», or nothing where it is open."
            )
            faults.append(Fault("decision-invalid", message, table.name, number, names["decision"], word))
    if faults:
        raise InputError(faults)
    return tuple(decisions)


def _tokens(text: str) -> list[str]:
    """Letters and digits, apart; no case, accents or punctuation."""
    if not text:
        return []
    plain = folded(unicodedata.normalize("NFKC", text)).translate(_LETTERS)
    return _TOKEN.findall(unicodedata.normalize("NFC", plain))


def _worded(tokens: list[str]) -> list[str]:
    kept: list[str] = []
    for token in reversed(tokens):
        if not (token in _NUMBER_SIGNS and kept and kept[-1].isdecimal()):
            kept.append(token)
    words: list[str] = []
    for token in reversed(kept):
        behind_number = bool(words) and words[-1].isdecimal()
        behind_house = behind_number or (len(words) > 1 and len(words[-1]) == 1 and words[-2].isdecimal())
        if behind_number and token in _REPETITION:
            token = _REPETITION[token]
        elif behind_house and token in _AFTER_NUMBER:
            token = _AFTER_NUMBER[token]
        words.append(_WORDS.get(token, token))
    return words


def grouped(
    known: Mapping[str, None], decisions: Sequence[Decision], name: str
) -> tuple[dict[str, str], frozenset[tuple[str, str]], list[Fault]]:
    """The least address of each address's household, the pairs said to differ, and the faults of the decisions."""
    parent = {form: form for form in known}

    def root(form: str) -> str:
        while parent[form] != form:
            parent[form] = form = parent[parent[form]]
        return form

    faults: list[Fault] = []
    apart: list[tuple[str, str, Decision]] = []
    for decision in decisions:
        pair = [normal_address([text]) for text in (decision.first, decision.second)]
        unknown = [
            text
            for text, form in zip((decision.first, decision.second), pair, strict=True)
            if form not in known
        ]
        faults += [_unknown(text, decision, known, name, len(faults)) for text in unknown]
        if unknown:
            continue
        low, high = sorted(pair)
        if not decision.same:
            apart.append((low, high, decision))
        elif root(low) != root(high):
            low, high = sorted((root(low), root(high)))
            parent[high] = low
    for low, high, decision in apart:
        if root(low) == root(high):
            how = (
                "are written alike once normalised" if low == high else "are the same household by other rows"
            )
            message = f"{quoted(low)} and {quoted(high)} are said to differ, and {how}. Correct one of the decisions."
            faults.append(Fault("decision-contradiction", message, name, decision.row or None))
    return {form: root(form) for form in known}, frozenset((low, high) for low, high, _ in apart), faults


def _unknown(text: str, decision: Decision, known: Mapping[str, None], name: str, number: int) -> Fault:
    hint = closest(normal_address([text]), tuple(known)) if number < _SUGGESTIONS else ""
    message = f"nobody in the table lives at {quoted(text)}.{hint} Correct the address or delete the row."
    return Fault("decision-unknown-address", message, name, decision.row or None, value=text)


def _pool_faults(pool: Pool, homes: Households, columns: Sequence[str]) -> list[Fault]:
    where = " and ".join(map(quoted, columns))
    if len(homes.without_address) == len(pool):
        message = f"nobody has an address: {where} hold nothing. Name other columns, or leave the rules about addresses out."
        return [Fault("address-empty", message, pool.name)]
    if len(homes.groups) == 1 and len(pool) > 1:
        message = f"by {where} all {len(pool)} people live at one address. Name columns that tell homes apart, the street for instance."
        return [Fault("household-everyone", message, pool.name)]
    return []
