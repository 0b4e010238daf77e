"""The register draw again, slowly: hmac, hashlib, sorted lists and fractions, written from docs/audit/register.md."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

ID_LABEL = "klero/register/v1: one id, trimmed and in NFC..."


@dataclass(frozen=True)
class Row:
    """A person: id, stratum, weight (already whole) and lines of the address."""

    id: str
    stratum: tuple[str, ...] = ()
    weight: int = 1
    address: tuple[str, ...] = ()


def seq(label: str, items: list[bytes]) -> bytes:
    text = len(label).to_bytes(8, "big") + label.encode() + len(items).to_bytes(8, "big")
    for item in items:
        text += len(item).to_bytes(8, "big") + item
    return hashlib.sha256(text).digest()


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def name(row: Row) -> bytes:
    return seq(ID_LABEL, [row.id.encode()])


def line(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if not "\u0300" <= c <= "\u036f").lower()
    words = "".join(c if c.isalnum() else " " for c in plain)
    return " ".join(re.sub(r"(?<=\d)(?=[^\W\d])|(?<=[^\W\d])(?=\d)", " ", words).split())


NOTHING = frozenset(("sans domicile fixe", "sdf", "inconnu", "unknown", "n a", "na"))  # those that tests use


def house(row: Row) -> bytes:
    lines = ["" if line(text) in NOTHING else line(text) for text in row.address]
    if not any(lines):
        return name(row)[16:]  # lives alone
    return hashlib.sha256(b"".join(len(x.encode()).to_bytes(8, "big") + x.encode() for x in lines)).digest()[
        :16
    ]


def digest(rows: list[Row]) -> bytes:
    labels = sorted({row.stratum for row in rows})
    strata = [seq("klero/register/stratum/v1", [v.encode() for v in label]) for label in labels]
    parts: list[list[bytes]] = [[] for _ in range(256)]
    for row in rows:
        key = name(row)
        text = key + row.weight.to_bytes(8, "big") + labels.index(row.stratum).to_bytes(4, "big")
        parts[key[0]].append(text + (house(row) if row.address else b""))
    each = [hashlib.sha256(b"".join(sorted(part))).digest() for part in parts]
    return seq(
        "klero/register/root/v1",
        [seq("klero/register/strata/v1", strata), len(rows).to_bytes(8, "big"), *each],
    )


def seed_of(design: dict[str, object], register: bytes, text: str) -> bytes:
    sealed = json.dumps(design, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return seq("klero/seed/trial/v1", [seq("klero/register/commit/v1", [sealed, register]), text.encode()])


def below(key: bytes, message: bytes, limit: int) -> int:
    value = mac(key, message)
    while True:
        for half in (value[:16], value[16:]):
            x = int.from_bytes(half, "big")
            if x < 2**128 // limit * limit:
                return x % limit
        value = mac(key, value)


def shares(total: int, measures: list[int]) -> list[int]:
    whole = sum(measures)
    exact = [Fraction(total * m, whole) for m in measures]
    letters = [int(x) for x in exact]
    order = sorted(range(len(exact)), key=lambda i: (letters[i] - exact[i], -measures[i], i))
    for i in order[: total - sum(letters)]:
        letters[i] += 1
    return letters


def spilled(total: int, measures: list[int], room: list[int]) -> list[int]:
    full: set[int] = set()
    while True:
        open_ = [i for i in range(len(room)) if i not in full]
        rest = total - sum(room[i] for i in full)
        letters = dict(zip(open_, shares(rest, [measures[i] for i in open_]), strict=True)) if open_ else {}
        over = {i for i in open_ if letters[i] > room[i]}
        if not over:
            return [room[i] if i in full else letters[i] for i in range(len(room))]
        full |= over


@dataclass
class Unit:
    """What is drawn: a person, with the weight of those they stand for."""

    key: bytes
    row: Row
    weight: int
    held: int = 0
    ticket: bytes = b""


def units_of(rows: list[Row], seed: bytes) -> list[Unit]:
    key = mac(seed, b"klero/nominate/v1")
    if not rows or not rows[0].address:
        return sorted((Unit(name(row), row, row.weight) for row in rows), key=lambda u: u.key)
    houses: dict[bytes, list[Row]] = defaultdict(list)
    for row in rows:
        houses[house(row)].append(row)
    units = []
    for address, people in sorted(houses.items()):
        people.sort(key=name)
        total = sum(row.weight for row in people)
        left = below(key, address + bytes(16), total) if len(people) > 1 else 0
        for row in people:
            if left < row.weight:
                units.append(Unit(address, row, total))
                break
            left -= row.weight
    return units


def lowest(units: list[Unit], letters: int, seed: bytes) -> list[Unit]:
    key = mac(seed, b"klero/tickets/v1")
    return sorted(units, key=lambda u: mac(key, name(u.row)))[:letters]


def pivotal(units: list[Unit], letters: int, seed: bytes) -> dict[str, Fraction]:
    """Ids drawn, with their probabilities given the units."""
    drawn: dict[str, Fraction] = {}
    left = list(units)
    while True:  # those whose weight is a letter's share or more
        total = sum(u.weight for u in left)
        sure = [u for u in left if letters * u.weight >= total and letters]
        if not sure:
            break
        for unit in sure:
            drawn[unit.row.id] = Fraction(unit.row.weight, unit.weight)
            left.remove(unit)
        letters -= len(sure)
    if not letters:
        return drawn
    chance = {u.row.id: Fraction(letters * u.row.weight, total) for u in left}
    tickets, finals = mac(seed, b"klero/tickets/v1"), mac(seed, b"klero/finals/v1")
    for unit in left:
        unit.ticket, unit.held = mac(tickets, name(unit.row)), letters * unit.weight
    left.sort(key=lambda u: u.ticket)
    standing: list[Unit] = []
    for part in range(256):
        won, last = fights(
            [u for u in left if u.ticket[0] == part], total, lambda t, m: second(tickets, t, m)
        )
        drawn |= {u.row.id: chance[u.row.id] for u in won}
        standing += last
    won, last = fights(standing, total, lambda t, m: below(finals, t, m))
    assert not last
    return drawn | {u.row.id: chance[u.row.id] for u in won}


def second(key: bytes, ticket: bytes, limit: int) -> int:
    """A number from the ticket's second half; its first half told the order."""
    x = int.from_bytes(ticket[16:], "big")
    return x % limit if x < 2**128 // limit * limit else below(key, ticket, limit)


def fights(
    fighters: list[Unit], total: int, number: Callable[[bytes, int], int]
) -> tuple[list[Unit], list[Unit]]:
    won: list[Unit] = []
    champion: Unit | None = None
    for challenger in fighters:
        if champion is None:
            champion = challenger
            continue
        both = champion.held + challenger.held
        if both < total:
            if number(challenger.ticket, both) >= champion.held:
                champion = challenger
            champion.held = both
        else:
            first = number(challenger.ticket, 2 * total - both) < total - challenger.held
            drawn, stays = (champion, challenger) if first else (challenger, champion)
            won.append(drawn)
            stays.held = both - total
            champion = stays if stays.held else None
    return won, [champion] if champion else []


def draw(
    rows: list[Row], size: int, text: str, design: dict[str, object], weighted: bool
) -> dict[str, Fraction]:
    """Proportional allocation: ids drawn and their probabilities."""
    seed = seed_of(design, digest(rows), text)
    units = units_of(rows, seed)
    labels = sorted({row.stratum for row in rows})
    people = [[row for row in rows if row.stratum == label] for label in labels]
    by_stratum = [[u for u in units if u.row.stratum == label] for label in labels]
    letters = spilled(size, [sum(r.weight for r in p) for p in people], [len(u) for u in by_stratum])
    drawn: dict[str, Fraction] = {}
    for group, n in zip(by_stratum, letters, strict=True):
        if weighted:
            drawn |= pivotal(group, n, seed)
        else:
            drawn |= {u.row.id: Fraction(n, len(group)) for u in lowest(group, n, seed)}
    return drawn
