#!/usr/bin/env python3
"""Is this the lottery that was promised, is it as fair as it says, and does the panel follow from the randomness?

Rechecks the record of a public draw, or the bundle of a trial, with Python's standard library alone (3.9 or newer):
no klero, no solver, no network, no floats. Written from the specifications, `docs/audit/protocol.md` (records) and
`docs/audit/bundle.md` (bundles), whose names and checks it follows.

    python klero_verify.py PATH [--lang en|fr] [--json]
    python klero_verify.py receipt FILE [--record PATH] [--lang en|fr] [--json]

PATH is a record's folder or ZIP, or a bundle's folder (one named «receipt» is written ./receipt). FILE is what one person
was given: does it lead to the root that it names, is that the record's, and has its ticket been drawn? One line a check: «ok», «FAIL», or «--» for what was not
checked here, with the reason. Exit codes: 0 no check failed, 1 a check failed, 2 wrong usage, 3 nothing failed, but
what a beacon signed could not be checked for want of a package: that is not a success.

What it can't tell: whether the people in the pool exist; of a trial, whether the seed was left to chance. The
signature of a drand beacon needs arithmetic on the curve BLS12-381. It is checked where the Python package `py_ecc`
(version 8 or later) is installed, else the line says how to check it. The signature of a time-stamp authority is left to OpenSSL.
"""

# ruff: noqa: B905, RUF007, UP017 -- Python 3.9 knows neither zip(strict=True), itertools.pairwise nor datetime.UTC.
from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import struct
import sys
import warnings
from calendar import timegm
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from math import comb, gcd, prod
from typing import IO, Any, NamedTuple
from unicodedata import is_normalized

FILES = ("certificate.json", "commitment.json", "declaration.json", "lottery.json", "pool.json")
DRAW_FILE = "draw.json"
FILE_LIMIT = 64 << 20
RECEIPT_LIMIT = 1 << 20
INT_LIMIT = 1 << 53
DEPTH_LIMIT = 16
NUMBER_LIMIT = 4096
COMMON_BITS = 65536
MOST_WEIGHT = 10**12
WORK_LIMIT = 10**9
HOUSEHOLD, ALONE = "(household)", "alone"
MUST_SIT = "(must sit)"

TEXTS = {
    "all_ok": ("All checks passed.", "Tous les contrôles sont réussis."),
    "not_all_ok": ("NOT VALID: «{name}» failed.", "NON VALIDE : « {name} » a échoué."),
    "blocked": ("not checked, because {name} failed", "non contrôlé, car {name} a échoué"),
    "garbage": ("not as it should be: {kind}", "non conforme : {kind}"),
    "bad": ("{what}: not as it should be", "{what} : non conforme"),
    "files": ("files: {n}", "fichiers : {n}"),
    "missing": ("{name} is missing", "{name} manque"),
    "foreign": ("{name!r} is no file of a bundle", "{name!r} n’a pas sa place ici"),
    "encoding": ("bytes: {n}", "octets : {n}"),
    "too_big": ("{name}: more than {limit} bytes", "{name} : plus de {limit} octets"),
    "not_canonical": ("{name} is not canonical JSON: {why}", "{name} n’est pas du JSON canonique : {why}"),
    "declaration": ("seats: {k}, features: {f}, cells: {c}", "sièges : {k}, critères : {f}, cases : {c}"),
    "pool": ("people: {n}, types: {types}", "personnes : {n}, types : {types}"),
    "commitment": ("{hex}", "{hex}"),
    "bad_hash": ("the hash of «{what}» is another", "l’empreinte « {what} » est une autre"),
    "lottery": ("panels: {n}", "panels : {n}"),
    "quotas": ("cells: {c}, panels: {n}", "cases : {c}, panels : {n}"),
    "certificate": ("levels: {n}, proof trees: {trees}", "niveaux : {n}, arbres de preuve : {trees}"),
    "too_much": (
        "proof leaves and levels × types: more than {limit}",
        "feuilles de preuve et niveaux × types : plus de {limit}",
    ),
    "bad_bound": (
        "level {i}: the bound isn't the stated value",
        "niveau {i} : la borne n’est pas la valeur dite",
    ),
    "unsettled": ("the levels don't settle all types", "les niveaux ne couvrent pas tous les types"),
    "gap": ("{level}, at most {gap}", "{level}, au plus {gap}"),
    "bad_gap": (
        "the stated gap or level is not the real one",
        "l’écart ou le niveau annoncé n’est pas le vrai",
    ),
    "no_ball": ("somebody who can sit has no ball", "une personne qui peut siéger n’a aucune boule"),
    "draw.seed": ("TRIAL, {hex}", "ESSAI, {hex}"),
    "draw.index": ("position {u}, entry {e}", "position {u}, entrée {e}"),
    "bad_index": (
        "expected: position {u}, rejected {j}, entry {e}",
        "attendus : position {u}, rejets {j}, entrée {e}",
    ),
    "draw.panel": ("people: {n}", "personnes : {n}"),
    "bad_rule": (
        "the panel has another size, or too many of one household",
        "le panel n’a pas sa taille, ou trop de membres d’un foyer",
    ),
    "bad_people": ("the tickets give another panel", "les tickets donnent un autre panel"),
    "round": ("round {where}: ", "tour {where} : "),
    "entry": ("entry {where}: ", "écriture {where} : "),
    "list": ("{items}", "{items}"),
    "no_path": (
        "{path} can't be read as a folder or a ZIP",
        "{path} n’est ni un dossier ni un ZIP lisible",
    ),
    "no_file": ("{path} can't be read as a file", "{path} n’est pas un fichier lisible"),
    "summed": (
        "{passed} of {all} checks passed, none failed; {left} not made here{why}.",
        "{passed} contrôles sur {all} réussis, aucun échec ; {left} non faits ici{why}.",
    ),
    "summed_bad": (
        "NOT VALID: «{name}» failed. {passed} of {all} checks passed, {failed} failed or need one that did; {left} not made here{why}.",
        "NON VALIDE : « {name} » a échoué. {passed} contrôles sur {all} réussis, {failed} échoués ou non vérifiables ; {left} non faits ici{why}.",
    ),
    "summed_lacking": (
        "NOT A SUCCESS YET: «{lacking}» could not be checked here. {passed} of {all} checks passed, none failed; {left} not made{why}.",
        "PAS ENCORE UN SUCCÈS : « {lacking} » n’a pu être contrôlé ici. {passed} contrôles sur {all} réussis, aucun échec ; {left} non faits{why}.",
    ),
    "not_made": ("needs {name}, which was not checked", "tributaire de {name}, non contrôlé"),
    "no_draw": ("nothing is drawn yet", "rien n’est encore tiré"),
    "no_people": ("nothing is drawn yet, nobody has withdrawn", "rien n’est encore tiré, aucun retrait"),
    "no_beacon": ("no draw has used a beacon", "aucun tirage n’a utilisé de balise"),
    "no_package": (
        "the Python package py_ecc (version 8 or later) is not here; install it and run this again, or compare with drand: {items}",
        "le paquet Python py_ecc (version 8 ou plus) n’est pas là ; installez-le et relancez, ou comparez avec drand : {items}",
    ),
    "beacon.compare": (
        "https://api.drand.sh/{chain}/public/{round} has signature {signature}",
        "https://api.drand.sh/{chain}/public/{round} a la signature {signature}",
    ),
    "no_stamp": ("the log has no time-stamp", "le journal n’a pas d’horodatage"),
    "no_authority": (
        "the authority's signature needs its certificate; {items}",
        "la signature de l’autorité demande son certificat ; {items}",
    ),
    "stamp.compare": (
        "entry {number}: decode its token to token.der, then openssl ts -verify -digest {digest} -token_in -in token.der -CAfile authority.pem",
        "écriture {number} : décoder son jeton dans token.der, puis openssl ts -verify -digest {digest} -token_in -in token.der -CAfile autorite.pem",
    ),
    "no_auditor": ("the auditor's files are not here", "les fichiers du contrôleur ne sont pas là"),
    "no_round": ("there is no second round", "il n’y a pas de second tour"),
    "no_sealed": ("the sealed file is not here", "le fichier scellé n’est pas là"),
    "record.files": ("files: {n}, tier: {tier}", "fichiers : {n}, niveau : {tier}"),
    "record.foreign": ("{name!r} is no file of a record", "{name!r} n’a pas sa place ici"),
    "record.too_big": ("more than {limit} bytes in all", "plus de {limit} octets en tout"),
    "refused": (
        "This ZIP was made anew, for example by a file manager: unpack it and check the folder. That alone is no forgery. ({why})",
        (
            "Ce ZIP a été refait, par exemple par un gestionnaire de fichiers : décompressez-le et contrôlez le dossier. "
            "Cela seul n’est pas une falsification. ({why})"
        ),
    ),
    "record.encoding": ("bytes: {n}", "octets : {n}"),
    "record.declaration": (
        "{draw}, draw number {sequence}: {k} of {n} people, rounds of replacement: {r}",
        "{draw}, tirage numéro {sequence} : {k} personnes sur {n}, tours de remplacement : {r}",
    ),
    "leaves": ("people: {n}, root {hex}", "personnes : {n}, racine {hex}"),
    "log": ("entries: {n}, head {hex}", "écritures : {n}, tête {hex}"),
    "signatures": (
        "signatures: {n}, at least {t} an entry",
        "signatures : {n}, au moins {t} par écriture",
    ),
    "record.commitment": ("{hex}", "{hex}"),
    "times": ("entries: {n}", "écritures : {n}"),
    "too_late": (
        "the commitment and the time of notice end after a source is drawn",
        "l’engagement et le délai d’annonce finissent après le tirage d’une source",
    ),
    "too_early": ("drawn or read before a source was", "tiré ou relevé avant une source"),
    "late_reading": (
        "the reading is not before the beacon's round",
        "le relevé n’est pas avant le tour de la balise",
    ),
    "no_reading": (
        "what comes before the beacon was not read before the draw",
        "ce qui vient avant la balise n’a pas été relevé avant le tirage",
    ),
    "other_reading": (
        "the reveals are not those of the reading",
        "les révélations ne sont pas celles du relevé",
    ),
    "late_stamp": (
        "no token shows that this entry was there in time",
        "aucun jeton ne montre que cette écriture existait à temps",
    ),
    "one_sided": (
        "no signature by somebody who is not the organiser",
        "aucune signature d’une personne autre que l’organisateur",
    ),
    "randomness": ("{items}", "{items}"),
    "randomness.kinds": ("{kinds}", "{kinds}"),
    "no_fallback": ("there is no fallback to use", "il n’y a pas de repli à utiliser"),
    "beacon": ("rounds of drand: {n}", "tours de drand : {n}"),
    "bad_beacon": (
        "the signature of round {n} is not the beacon's",
        "la signature du tour {n} n’est pas celle de la balise",
    ),
    "record.draw.seed": ("{hex}", "{hex}"),
    "bad_seed": ("expected: seed {hex}", "attendue : graine {hex}"),
    "record.draw.index": ("position {u}", "position {u}"),
    "record.bad_index": (
        "expected: position {u}, rejected {j}",
        "attendus : position {u}, rejets {j}",
    ),
    "draw.people": ("drawn: {n}, withdrawn: {w}", "personnes tirées : {n}, retraits : {w}"),
    "timestamps": ("time-stamps: {n}", "horodatages : {n}"),
    "instance": ("cells: {c}", "cases : {c}"),
    "summary": ("people: {n}, gap {gap} / 10^6", "personnes : {n}, écart {gap} / 10^6"),
    "bad_summary": ("expected: {expected}", "attendu : {expected}"),
    "succession": ("rounds: {n}", "tours : {n}"),
    "receipt.encoding": ("draw {draw}, leaf {i} of {n}", "tirage {draw}, feuille {i} sur {n}"),
    "receipt.path": ("root {hex}", "racine {hex}"),
    "receipt.record": ("commitment {hex}", "engagement {hex}"),
    "receipt.ticket": ("{items}", "{items}"),
    "receipt.round": (
        "round {r}: seats {seats}, ticket {hex}",
        "tour {r} : sièges {seats}, ticket {hex}",
    ),
    "bad_path": ("it does not lead to its root", "il ne mène pas à sa racine"),
    "no_record": ("no record was given", "aucun dossier n’a été donné"),
    "bad_record": (
        "the record is not valid: «{name}» failed",
        "le dossier n’est pas valide : « {name} » a échoué",
    ),
    "sealed": ("people: {n}, salts destroyed: {gone}", "personnes : {n}, sels détruits : {gone}"),
}


class Failed(Exception):  # noqa: N818
    """A check failed; `key` names the reason in TEXTS."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key, self.values = key, values


class NotMade(Failed):
    """A check that is not made here; `key` names the reason in TEXTS."""


class Check(NamedTuple):
    """One check and how it went: `status` is "ok", "FAIL" or "--" (not checked)."""

    name: str
    status: str
    detail: str

    @property
    def ok(self) -> bool:
        """Whether the check was made and passed."""
        return self.status == "ok"


def need(condition: bool, key: str, **values: Any) -> None:
    """Fails with a reason unless the condition holds."""
    if not condition:
        raise Failed(key, **values)


# ---------------------------------------------------------------- bytes and hashes

# A string, or what follows a quotation mark that is never closed: then no second start can make the search quadratic.
STRING = re.compile(r'"[^"\\]*(?:\\(?:.|\Z)[^"\\]*)*(?:"|\Z)', re.DOTALL)


def check_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, if its keys are ASCII. Order and repetition show when the bytes are compared."""
    need(all(key.isascii() for key, _ in pairs), "not_canonical", why="keys")
    return dict(pairs)


def parse(data: bytes) -> Any:
    """The document that these bytes canonically spell. What lies outside strings is looked at first: the
    standard library's reader, which is lenient, never meets a float, a huge integer or deep nesting."""
    try:
        text = data.decode("utf-8")
        bones = STRING.sub("", text)
        need(re.search(r"[^][{}:,0-9-]", bones) is None, "not_canonical", why="syntax")
        numbers = re.findall(r"[0-9]{16,}", bones)
        need(all(len(n) == 16 and int(n) < INT_LIMIT for n in numbers), "not_canonical", why="2^53")
        brackets = re.sub(r"[^][{}]", "", bones).replace("{", "[").replace("}", "]")
        for _ in range(DEPTH_LIMIT):
            brackets = brackets.replace("[]", "")
        need(not brackets, "not_canonical", why=f"> {DEPTH_LIMIT}")
        value = json.loads(text, object_pairs_hook=check_keys)
        need(canonical(value) == data, "not_canonical", why="form")
        accented = (token for token in STRING.findall(text) if not token.isascii())
        need(all(is_normalized("NFC", json.loads(token)) for token in accented), "not_canonical", why="NFC")
    except (ValueError, RecursionError):
        raise Failed("not_canonical", why="syntax") from None
    return value


def sha256(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256."""
    return hmac.digest(key, message, "sha256")


def canonical(value: Any) -> bytes:
    """The canonical bytes of what `parse` has read, or of texts and small integers."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")


def len8(number: int) -> bytes:
    """Eight bytes, big-endian."""
    return number.to_bytes(8, "big")


def seq(label: str, items: list[bytes]) -> bytes:
    """The labelled hash."""
    name = label.encode()
    return sha256(b"".join([len8(len(name)), name, len8(len(items))] + [len8(len(i)) + i for i in items]))


def merkle_root(leaves: list[bytes]) -> bytes:
    """The tree hash of RFC 9162. A full left subtree is joined once its twin is there: stack of (height, hash)."""
    stack: list[tuple[int, bytes]] = []
    for leaf in leaves:
        height, node = 0, sha256(b"\x00" + leaf)
        while stack and stack[-1][0] == height:
            height, node = height + 1, sha256(b"\x01" + stack.pop()[1] + node)
        stack.append((height, node))
    if not stack:
        return sha256(b"")
    _, root = stack.pop()
    while stack:
        root = sha256(b"\x01" + stack.pop()[1] + root)
    return root


def reduce(x: int, m: int, bits: int = 256) -> int | None:
    """x mod m, or None where that would favour the smaller remainders. x is below 2^bits."""
    return x % m if x < (1 << bits) // m * m else None


def position(seed: bytes, m: int) -> tuple[int, int]:
    """The position that a seed gives, and how many candidates were rejected."""
    rejected = 0
    while True:
        x = int.from_bytes(mac(seed, b"klero/index/v1\x00" + len8(rejected)), "big")
        u = reduce(x, m)
        if u is not None:
            return u, rejected
        rejected += 1


def tickets(seed: bytes, people: list[bytes]) -> list[bytes]:
    """The ticket of each person, from what stands for the person: a trial's leaf, or a record's leaf and c_id."""
    key = mac(seed, b"klero/tickets/v1")
    return [mac(key, person) for person in people]


# ---------------------------------------------------------------- numbers and shapes

INTEGER = re.compile(r"0|-?[1-9][0-9]*")


def big(text: Any) -> int:
    """An integer of any size, written as text."""
    if not isinstance(text, str) or len(text) > NUMBER_LIMIT or not INTEGER.fullmatch(text):
        raise ValueError("number")
    return int(text)


def rational(text: Any) -> Fraction:
    """A fraction in lowest terms, or an integer."""
    if not isinstance(text, str) or len(text) > NUMBER_LIMIT:
        raise ValueError("number")
    top, slash, bottom = text.partition("/")
    num, den = big(top), big(bottom) if slash else 1
    if slash and (den < 2 or gcd(num, den) != 1):
        raise ValueError("lowest terms")
    return Fraction(num, den)


def whole(value: Any, low: int, high: int = INT_LIMIT) -> int:
    """An integer in [low, high]."""
    if type(value) is not int or not low <= value <= high:
        raise ValueError("integer")
    return value


def string(value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def said(value: Any) -> str:
    """A text that is not empty."""
    if string(value) == "":
        raise ValueError("empty text")
    return str(value)


def hexed(value: Any, size: int) -> bytes:
    """This many bytes, in lower-case hexadecimal."""
    if len(string(value)) != 2 * size or re.fullmatch("[0-9a-f]*", value) is None:
        raise ValueError("hexadecimal")
    return bytes.fromhex(value)


def unbase64(value: Any) -> bytes:
    """The bytes, in the one spelling of BASE64 with padding."""
    data = base64.b64decode(string(value).encode("ascii"), validate=True)
    if base64.b64encode(data).decode() != value:
        raise ValueError("BASE64")
    return data


def instant(value: Any) -> int:
    """A TIME, in Unix seconds."""
    found = re.fullmatch(
        "(2[01][0-9]{2})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})Z", string(value)
    )
    if found is None:
        raise ValueError("time")
    year, month, day, hour, minute, second = map(int, found.groups())
    return timegm(datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc).utctimetuple())


def array(value: Any, length: int | None = None) -> list[Any]:
    """A list, of this length."""
    if not isinstance(value, list) or length not in (None, len(value)):
        raise ValueError("array")
    return value


def record(value: Any, *keys: str) -> list[Any]:
    """The values of an object with exactly these keys."""
    if not isinstance(value, dict) or set(value) != set(keys):
        raise ValueError("fields")
    return [value[key] for key in keys]


def rises(items: list[Any]) -> bool:
    """Whether each item is above the one before."""
    return all(a < b for a, b in zip(items, items[1:]))


def weights(value: Any, count: int) -> dict[int, int]:
    """Index and weight, indices rising and below `count`, weights not zero."""
    pairs = [array(item, 2) for item in array(value)]
    found = {whole(index, 0, count - 1): big(weight) for index, weight in pairs}
    if len(found) != len(pairs) or not rises(list(found)) or 0 in found.values():
        raise ValueError("weights")
    return found


# ---------------------------------------------------------------- the certificate's arithmetic


class Rules(NamedTuple):
    """What the certificate's arithmetic needs of declaration and pool."""

    size: int
    bounds: list[tuple[int, int]]
    type_cells: list[list[int]]
    people: list[int]
    shares: list[int]


def duals(rules: Rules, cells: dict[int, int], seats: int) -> tuple[int, list[int]]:
    """Σ_c max(λ_c·min_c, λ_c·max_c) + ν·k, and λ(T) + ν for each type."""
    top = seats * rules.size + sum(
        max(w * rules.bounds[c][0], w * rules.bounds[c][1]) for c, w in cells.items()
    )
    if not cells:
        return top, [seats] * len(rules.people)
    prices = [0] * len(rules.bounds)
    for c, w in cells.items():
        prices[c] = w
    return top, [seats + sum([prices[c] for c in own]) for own in rules.type_cells]


def tree_bound(
    rules: Rules, nodes: list[Any], q: list[int], root: tuple[list[int], list[int]] | None = None
) -> int:
    """The largest bound of a leaf of the tree, for the objective q and the root's bounds (0 to n where none are given).

    Nodes are visited depth first; each entry of
    `todo` is a node, or None to go back up, with the bounds of one type to set before."""
    seen = [False] * len(nodes)
    seen[0] = True
    low, high = root or ([0] * len(q), list(rules.people))
    best: int | None = None
    todo: list[tuple[int | None, int, int, int]] = [(0, 0, low[0], high[0])]
    while todo:
        number, kind, l_new, u_new = todo.pop()
        l_old, u_old = low[kind], high[kind]
        low[kind], high[kind] = l_new, u_new
        if number is None:
            continue
        todo.append((None, kind, l_old, u_old))
        if "scale" in nodes[number]:
            bound = leaf_bound(rules, nodes[number], q, low, high)
            best = bound if best is None else max(best, bound)
            continue
        above, at_most, below, t = record(nodes[number], "above", "at_most", "below", "type")
        whole(t, 0, len(q) - 1)
        whole(at_most, low[t], high[t] - 1)
        for child in (above, below):
            whole(child, number + 1, len(nodes) - 1)
            if seen[child]:
                raise ValueError("a node with two parents")
            seen[child] = True
        todo.append((above, t, at_most + 1, high[t]))
        todo.append((below, t, low[t], at_most))
    if best is None or not all(seen):
        raise ValueError("nodes outside the tree")
    return best


def leaf_bound(rules: Rules, node: Any, q: list[int], low: list[int], high: list[int]) -> int:
    """floor of the dual bound of the panels between low and high."""
    cells, scale, seats = record(node, "cells", "scale", "seats")
    s = big(scale)
    if s < 1:
        raise ValueError("scale")
    top, prices = duals(rules, weights(cells, len(rules.bounds)), big(seats))
    for q_t, price, l_t, u_t in zip(q, prices, low, high):
        rest = s * q_t - price
        top += rest * (u_t if rest > 0 else l_t)
    return top // s


class Level(NamedTuple):
    """One claim of the certificate, as read."""

    value: Fraction
    types: dict[int, int]
    cells: dict[int, int]
    seats: int
    held: dict[int, int]
    proof: list[Any]


def read_level(item: Any, rules: Rules) -> Level:
    """A level, if its form is right."""
    cells, held, proof, seats, types, value = record(
        item, "cells", "held", "proof", "seats", "types", "value"
    )
    kinds = len(rules.people)
    level = Level(
        rational(value),
        weights(types, kinds),
        weights(cells, len(rules.bounds)),
        big(seats),
        weights(held, kinds),
        array(proof),
    )
    if (
        not level.types
        or min(level.types.values()) < 1
        or (level.cells or level.seats if level.proof else level.held)
    ):
        raise ValueError("weights")
    return level


def level_bound(rules: Rules, level: Level, settled: dict[int, int], values: list[Fraction]) -> Fraction:
    """What p/w of the level's group can't exceed on average. `settled` maps the types in S to levels with `values`."""
    q = [0] * len(rules.people)
    for t, y in level.types.items():
        q[t] = y
    if level.proof:
        for t, z in level.held.items():
            if t not in settled:
                raise ValueError("held")
            q[t] = z
        best = tree_bound(rules, level.proof, q)
    else:
        best, prices = duals(rules, level.cells, level.seats)
        for t, (price, n) in enumerate(zip(prices, rules.people)):
            if t in settled:
                q[t] = price
            elif q[t] > price:
                best += n * (q[t] - price)
    by_level = [0] * len(values)
    for t, number in settled.items():
        by_level[number] += q[t] * rules.shares[t]
    fixed = sum((v * w for v, w in zip(values, by_level) if w), Fraction(0))
    return (best - fixed) / sum(rules.shares[t] * y for t, y in level.types.items())


def level_slack(
    rules: Rules,
    level: Level,
    settled: dict[int, int],
    values: list[Fraction],
    chances: tuple[int, list[int]],
) -> Fraction:
    """By how much somebody of the group could gain if the earlier groups kept, and nobody of the group lost.

    It is (U - what the lottery has of it) over the smallest n*y of the group; U is put together from the level's value, which
    is exact. `chances` are M and the balls won by each type.
    """
    m, won = chances
    q = dict(level.types)
    if level.proof:
        q.update(level.held)
    else:
        prices = duals(rules, level.cells, level.seats)[1]
        q.update((t, prices[t]) for t in settled)
    by_level = [0] * len(values)
    for t, number in settled.items():
        by_level[number] += q.get(t, 0) * rules.shares[t]
    group = sum(y * rules.shares[t] for t, y in level.types.items())
    bound = level.value * group + sum((v * w for v, w in zip(values, by_level) if w), Fraction(0))
    least = min(y * rules.people[t] for t, y in level.types.items())
    return (bound - Fraction(sum(weight * won[t] for t, weight in q.items()), m)) / least


# ---------------------------------------------------------------- nash, goldilocks and minimax

OBJECTIVES = ("goldilocks", "leximin", "maximin", "minimax", "nash")
NASH_UNIT = 10**30
CLAIM_KEYS = ("proof", "tangent", "weights")


class Claim(NamedTuple):
    """What the certificate claims for these objectives, with what the rules make of it."""

    open: list[int]
    weights: dict[int, int]
    tangent: Fraction
    best: int
    n_weighted: int
    share: Fraction
    integral: bool


def forced(rules: Rules, features: list[int], shut: set[int]) -> list[bool]:
    """For each type, whether a quota seats all its people. `features` are the numbers of cells of each feature."""
    able = [0 if t in shut else n for t, n in enumerate(rules.people)]
    if sum(able) == rules.size:
        return [n > 0 for n in able]
    there = [0] * len(rules.bounds)
    for cells, n in zip(rules.type_cells, able):
        for c in cells:
            there[c] += n
    full: list[bool] = []
    for count in features:
        own = range(len(full), len(full) + count)
        most = [min(rules.bounds[c][1], there[c]) for c in own]
        spare = rules.size - sum(most)
        full += [there[c] <= max(rules.bounds[c][0], spare + h) for c, h in zip(own, most)]
    return [n > 0 and any(full[c] for c in cells) for n, cells in zip(able, rules.type_cells)]


def read_claim(item: Any, objective: str, rules: Rules, features: list[int], shut: set[int]) -> Claim:
    """The claim, if its form is right and its tree a proof."""
    proof, tangent, listed = record(item, *CLAIM_KEYS)
    given, alpha = weights(listed, len(rules.people)), rational(tangent)
    low, high = [0] * len(rules.people), list(rules.people)
    for t, always in enumerate(forced(rules, features, shut)):
        low[t] = high[t] if always else 0
        high[t] = 0 if t in shut else high[t]
    free = [t for t in range(len(high)) if low[t] < high[t]]
    whole_weight = sum(rules.shares[t] for t in free)
    up = sum(c * rules.shares[t] for t, c in given.items() if c > 0)
    down = -sum(c * rules.shares[t] for t, c in given.items() if c < 0)
    if not set(given) <= set(free) or bool(given) != bool(array(proof)):
        raise ValueError("weights")
    if free and rules.size <= sum(low):
        raise ValueError("no seat for open types")
    if not free:
        fits = not given and alpha == 0
    elif objective == "nash":
        fits = len(given) == len(free) and down == 0 and alpha == 0
    elif objective == "minimax":
        fits = up > 0 and down == 0 and alpha == 0
    else:
        fits = (up > 0 and down > 0 and alpha > 0 and down * alpha**2 >= up) or (not given and alpha == 0)
    if not fits:
        raise ValueError("claim")
    q = [given.get(t, 0) if objective == "nash" else -given.get(t, 0) for t in range(len(high))]
    share = Fraction(rules.size - sum(low), whole_weight) if free else Fraction(0)
    best = tree_bound(rules, proof, q, (low, high)) if given else 0
    integral = len(proof) > 1 or any(big(leaf["scale"]) > 1 for leaf in proof)
    return Claim(free, given, alpha, best, whole_weight, share, integral)


def claim_gap(rules: Rules, objective: str, claim: Claim, m: int, won: list[int]) -> Fraction:
    """How far the lottery with these balls by type may be from the best."""
    if not claim.open:
        return Fraction(0)
    need(objective == "minimax" or all(won[t] for t in claim.open), "no_ball")
    shares = rules.shares
    if objective == "nash":
        terms = [-(-NASH_UNIT * m * shares[t] ** 2 // (claim.weights[t] * won[t])) for t in claim.open]
        return Fraction(claim.best * sum(terms), NASH_UNIT * claim.n_weighted**2) - 1
    chances = [Fraction(won[t], m * shares[t]) for t in claim.open]
    up = sum(c * shares[t] for t, c in claim.weights.items() if c > 0)
    if objective == "minimax":
        return (max(chances) - Fraction(-claim.best, up)) / claim.share
    bound = Fraction(2)
    if claim.weights:
        bound = max(bound, 2 / claim.tangent - claim.best / (claim.share * up))
    return max(chances) / claim.share + claim.share / min(chances) - bound


# ---------------------------------------------------------------- one lottery


class Lottery:
    """What the bundle of a trial and each round of a record have in common: rules, pool, panels and certificate."""

    def __init__(self) -> None:
        self.features: list[tuple[str, list[str]]] = []
        self.size = self.denominator = self.n = 0
        self.objective = ""
        self.claim: Claim | None = None
        self.rules = Rules(0, [], [], [], [])
        self.types: list[list[int]] = []
        self.weights: list[int] = []
        self.most = 0
        self.kinds: list[int] = []
        self.homes: list[list[int]] = []
        self.home: dict[int, int] = {}
        self.leaves: list[bytes] = []
        self.ticketed: list[bytes] = []
        self.panels: list[tuple[int, list[list[int]]]] = []
        self.levels: list[Level] = []
        self.gap = Fraction(0)
        self.level = ""
        self.won: list[int] = []

    def read_features(self, features: Any) -> None:
        """Features, their values and the values' quotas, in order."""
        for feature in array(features):
            name, values = record(feature, "name", "values")
            texts = []
            for value in array(values):
                high, low, text = record(value, "max", "min", "value")
                self.rules.bounds.append((whole(low, 0, whole(high, 0)), high))
                texts.append(string(text))
            need(rises(texts), "bad", what="values")
            self.features.append((string(name), texts))
        need(rises([name for name, _ in self.features]), "bad", what="features")

    def first_cell(self, f: int) -> int:
        """The number of the first cell of feature number f."""
        return sum(len(values) for _, values in self.features[:f])

    def read_types(self, types: Any, heavy: Any) -> None:
        """Types and their weights, in order."""
        firsts = [0]
        for _, values in self.features:
            firsts.append(firsts[-1] + len(values))
        self.types = array(types)
        self.weights = [whole(w, 1, MOST_WEIGHT) for w in array(heavy, len(types))]
        for i, kind in enumerate(types):
            indices = [
                whole(v, 0, len(values) - 1)
                for v, (_, values) in zip(array(kind, len(self.features)), self.features)
            ]
            need(i == 0 or (types[i - 1], heavy[i - 1]) < (kind, heavy[i]), "bad", what=f"type {i}")
            self.rules.type_cells.append([first + v for first, v in zip(firsts, indices)])

    def settle(self, homes: Any) -> None:
        """People, whose types are `kinds`, fit the declared number, each type and the two rules' own features."""
        counts = [0] * len(self.types)
        for t in self.kinds:
            counts[t] += 1
        need(0 not in counts and len(self.kinds) == self.n, "bad", what="people")
        shares = [n * w for n, w in zip(counts, self.weights)]
        self.rules = self.rules._replace(size=self.size, people=counts, shares=shares)
        self.check_must_sit()
        self.homes = [[whole(i, 0, self.n - 1) for i in array(members)] for members in array(homes)]
        self.check_households()

    def check_must_sit(self) -> None:
        """Whoever must sit has a seat on every panel: the value «yes» has as many seats as people, no fewer and no more."""
        names = [name for name, _ in self.features]
        if MUST_SIT not in names:
            return
        f = names.index(MUST_SIT)
        values = self.features[f][1]
        need(values in (["no", "yes"], ["yes"]), "bad", what=MUST_SIT)
        yes = len(values) - 1
        people = sum(self.types[t][f] == yes for t in self.kinds)
        need(yes == 0 or people < self.n, "bad", what=f"{MUST_SIT}: no, which nobody has")
        need(self.rules.bounds[self.first_cell(f) + yes] == (people, people), "bad", what=MUST_SIT)

    def check_households(self) -> None:
        """Who shares a value of the household feature lives in households of one composition, and its maximum is `most` for each."""
        names = [name for name, _ in self.features]
        need((HOUSEHOLD in names) == (self.most > 0), "bad", what="households")
        need(rises(self.homes) and all(map(rises, self.homes)), "bad", what="households")
        for number, members in enumerate(self.homes):
            need(len(members) > self.most > 0, "bad", what=f"household {number}")
            for i in members:
                need(self.home.setdefault(i, number) == number, "bad", what=f"household {number}")
        if not self.most:
            return
        f = names.index(HOUSEHOLD)
        values, first = self.features[f][1], self.first_cell(f)
        lists: list[list[list[int]]] = [[] for _ in values]
        for number, members in enumerate(self.homes):
            value = self.types[self.kinds[members[0]]][f]
            alike = all(self.types[self.kinds[i]][f] == value for i in members)
            need(alike, "bad", what=f"household {number}")
            lists[value].append(members)
        people = Counter(self.types[t][f] for t in self.kinds)
        for v, homes in enumerate(lists):
            compositions = {tuple(sorted(self.kinds[i] for i in members)) for members in homes}
            need(len(compositions) <= 1, "bad", what=f"household value {v}")
            most = self.size if values[v] == ALONE else self.most * len(homes)
            need(self.rules.bounds[first + v] == (0, most), "bad", what=f"household value {v}")
            if values[v] == ALONE:
                need(not homes, "bad", what=f"household value {v}")
            else:
                need(people[v] == sum(map(len, homes)), "bad", what=f"household value {v}")

    def read_panels(self, document: Any) -> dict[str, Any]:
        """Panels are in order, and their counts sum to M."""
        (panels,) = record(document, "panels")
        last: list[list[int]] = []
        for i, item in enumerate(array(panels)):
            count, seats = array(item, 2)
            whole(count, 1)
            for pair in array(seats):
                t, s = array(pair, 2)
                whole(t, 0, len(self.rules.people) - 1)
                whole(s, 1)
            need(rises([t for t, _ in seats]) and (i == 0 or last < seats), "bad", what=f"panel {i}")
            last = seats
            self.panels.append((count, seats))
        need(sum(count for count, _ in self.panels) == self.denominator, "bad", what="counts")
        return {"n": len(self.panels)}

    def check_quotas(self) -> dict[str, Any]:
        """Each panel has its size and meets every quota."""
        rules = self.rules
        for i, (_, seats) in enumerate(self.panels):
            filled = [0] * len(rules.bounds)
            for t, s in seats:
                need(s <= rules.people[t], "bad", what=f"panel {i}, type {t}")
                for c in rules.type_cells[t]:
                    filled[c] += s
            need(sum(s for _, s in seats) == self.size, "bad", what=f"panel {i}, size")
            for c, ((low, high), seated) in enumerate(zip(rules.bounds, filled)):
                need(low <= seated <= high, "bad", what=f"panel {i}, cell {c}")
        return {"c": len(rules.bounds), "n": len(self.panels)}

    def read_certificate(self, document: Any) -> dict[str, Any]:
        """Every level's claim is true, and the types are settled as the objective asks."""
        with_claim = self.objective not in ("leximin", "maximin")
        keys = ("gap", "level", "levels", "claim")[: 3 + with_claim]
        gap, self.level, levels, *claims = record(document, *keys)
        need(self.level in ("L0", "L1"), "bad", what="L0/L1")
        self.gap = rational(gap)
        self.levels = [read_level(item, self.rules) for item in array(levels)]
        proofs = [level.proof for level in self.levels] + [array(record(c, *CLAIM_KEYS)[0]) for c in claims]
        leaves = sum("scale" in node for proof in proofs for node in proof)
        work = (leaves + len(self.levels)) * len(self.rules.people)
        need(work <= WORK_LIMIT, "too_much", limit=WORK_LIMIT)
        settled: dict[int, int] = {}
        values: list[Fraction] = []
        common = 1
        for i, level in enumerate(self.levels):
            need(not values or values[-1] <= level.value, "bad", what=f"level {i}, value")
            last = i + 1 == len(self.levels) and not with_claim
            need(self.objective == "leximin" or level.value == 0 or last, "bad", what=f"level {i}, value")
            need(not settled.keys() & level.types.keys(), "bad", what=f"level {i}, types")
            need(level_bound(self.rules, level, settled, values) == level.value, "bad_bound", i=i)
            common *= level.value.denominator // gcd(common, level.value.denominator)
            need(common.bit_length() <= COMMON_BITS, "bad", what=f"level {i}, denominator")
            settled.update(dict.fromkeys(level.types, i))
            values.append(level.value)
        complete = self.objective != "leximin" or len(settled) == len(self.rules.people)
        need((bool(values) or with_claim) and complete, "unsettled")
        trees = sum(bool(level.proof) for level in self.levels)
        if with_claim:
            sizes = [len(texts) for _, texts in self.features]
            self.claim = read_claim(claims[0], self.objective, self.rules, sizes, set(settled))
            trees += self.claim.integral
        return {"n": len(values), "trees": trees}

    def check_gap(self) -> dict[str, Any]:
        """The stated gap is the largest distance between a claim and a probability, or what slack leaves open."""
        won = self.won = [0] * len(self.rules.people)
        for count, seats in self.panels:
            for t, s in seats:
                won[t] += count * s
        proven = any(level.proof for level in self.levels)
        if self.claim is not None:
            found = claim_gap(self.rules, self.objective, self.claim, self.denominator, won)
            stated = "L1" if proven or self.claim.integral else "L0"
            need(found == self.gap and self.level == stated, "bad_gap")
            return {"level": self.level, "gap": rounded_up(found)}
        chances = [Fraction(w, self.denominator * n) for w, n in zip(won, self.rules.people)]
        worst = Fraction(0)
        rest = set(range(len(chances)))
        settled: dict[int, int] = {}
        values: list[Fraction] = []
        for i, level in enumerate(self.levels):
            last_of_maximin = self.objective == "maximin" and i + 1 == len(self.levels)
            group = rest if last_of_maximin else set(level.types)
            rest = rest - group
            worst = max(worst, max(level.value * self.weights[t] - chances[t] for t in group))
            worst = max(worst, level_slack(self.rules, level, settled, values, (self.denominator, won)))
            settled.update(dict.fromkeys(level.types, i))
            values.append(level.value)
        need(worst == self.gap and self.level == ("L1" if proven else "L0"), "bad_gap")
        return {"level": self.level, "gap": rounded_up(worst)}

    def entry_at(self, u: int) -> int:
        """The number of the first panel whose cumulative count is above u."""
        entry = 0
        while u >= self.panels[entry][0]:
            u -= self.panels[entry][0]
            entry += 1
        return entry

    def drawn(self, entry: int, seed: bytes) -> list[int]:
        """Who sits: the lowest tickets of each type have the panel's seats; households are dealt theirs first."""
        seats: dict[int, int] = {pair[0]: pair[1] for pair in self.panels[entry][1]}
        lots = tickets(seed, self.ticketed)
        left = self.dealt(seats, lots)
        drawn: list[int] = []
        for i in sorted(range(self.n), key=lots.__getitem__):
            place = (self.home.get(i, -1), self.kinds[i])
            if place[0] < 0:
                left.setdefault(place, seats.get(place[1], 0))
            if left.get(place, 0) > 0:
                left[place] -= 1
                drawn.append(i)
        together = Counter(self.home[i] for i in drawn if i in self.home)
        need(all(count <= self.most for count in together.values()), "bad_rule")
        need(len(drawn) == self.size, "bad_rule")
        return drawn

    def dealt(self, seats: dict[int, int], lots: list[bytes]) -> dict[tuple[int, int], int]:
        """Seats by household and type: households of one composition, by their lowest tickets, get the seats of its types one each,
        round and round."""
        alike: dict[tuple[int, ...], list[int]] = {}
        for number, members in enumerate(self.homes):
            alike.setdefault(tuple(sorted(self.kinds[i] for i in members)), []).append(number)
        left: dict[tuple[int, int], int] = {}
        for composition, homes in alike.items():
            homes.sort(key=lambda number: min(lots[i] for i in self.homes[number]))
            turn = 0
            for t in sorted(set(composition)):
                for _ in range(seats.get(t, 0)):
                    place = (homes[turn % len(homes)], t)
                    left[place] = left.get(place, 0) + 1
                    turn += 1
        return left


def rounded_up(gap: Fraction) -> str:
    """A fraction as a decimal that is never below it, in integers alone."""
    nanos = -(-gap.numerator * 10**9 // gap.denominator)
    return f"{nanos // 10**9}.{nanos % 10**9:09d}".rstrip("0").rstrip(".")


# ---------------------------------------------------------------- the bundle of a trial


class Bundle(Lottery):
    """The files, and what the checks have read so far."""

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__()
        self.files = files
        self.documents: dict[str, Any] = {}
        self.ids: list[str] = []
        self.entry = 0
        self.commitment = self.seed = b""

    def check_files(self) -> dict[str, Any]:
        """No file is missing and none is foreign."""
        for name in FILES:
            need(name in self.files, "missing", name=name)
        for name in sorted(self.files):
            need(name in FILES or name == DRAW_FILE, "foreign", name=name)
        return {"n": len(self.files)}

    def check_encoding(self) -> dict[str, Any]:
        """Every file is canonical JSON."""
        for name, data in sorted(self.files.items()):
            need(len(data) <= FILE_LIMIT, "too_big", name=name, limit=FILE_LIMIT)
            self.documents[name] = parse_file(name, data)
        return {"n": sum(map(len, self.files.values()))}

    def check_declaration(self) -> dict[str, Any]:
        """The rules are complete and consistent."""
        document = self.documents["declaration.json"]
        keys = ("denominator", "features", "id_column", "objective", "people", "size")
        m, features, id_column, objective, n, k, most, *names = record(
            document, *keys, "household", "algorithm", "format", "kind", "protocol"
        )
        need(names == ["klero-lottery/2", "klero-bundle/2", "trial", "klero-draw/1"], "bad", what="names")
        self.most = whole(most, 0)
        need(m in [10**d for d in range(3, 13)], "bad", what="denominator")
        need(objective in OBJECTIVES, "bad", what="objective")
        string(id_column)
        self.n, self.denominator, self.objective = whole(n, 1), m, objective
        self.size = whole(k, 1, self.n)
        self.read_features(features)
        return {"k": self.size, "f": len(self.features), "c": len(self.rules.bounds)}

    def check_pool(self) -> dict[str, Any]:
        """People, types and households are in order and belong together."""
        homes, people, types, heavy = record(
            self.documents["pool.json"], "households", "people", "types", "weights"
        )
        self.read_types(types, heavy)
        for i, person in enumerate(array(people)):
            name, t = array(person, 2)
            need(string(name) > (self.ids[-1] if self.ids else ""), "bad", what=f"person {i}")
            self.kinds.append(whole(t, 0, len(types) - 1))
            self.ids.append(name)
        self.settle(homes)
        bodies = []
        for kind, weight in zip(types, self.weights):
            pairs = [[name, values[v]] for (name, values), v in zip(self.features, kind)]
            bodies.append([canonical(pairs), str(weight).encode()])
        for i, (name, t) in enumerate(zip(self.ids, self.kinds)):
            first = self.ids[self.homes[self.home[i]][0]] if i in self.home else ""
            self.leaves.append(seq("klero/leaf/trial/v2", [name.encode(), *bodies[t], first.encode()]))
        self.ticketed = self.leaves
        return {"n": self.n, "types": len(types)}

    def check_commitment(self) -> dict[str, Any]:
        """The hashes are those of the files."""
        found = {
            name: sha256(self.files[name + ".json"]) for name in ("certificate", "declaration", "lottery")
        }
        found["pool"] = merkle_root(sorted(self.leaves))
        parts = [found[name] for name in ("declaration", "pool", "lottery", "certificate")]
        found["commitment"] = self.commitment = seq("klero/commit/v1", parts)
        stated = record(self.documents["commitment.json"], *found)
        for (name, digest), text in zip(found.items(), stated):
            need(text == digest.hex(), "bad_hash", what=name)
        return {"hex": self.commitment.hex()}

    def check_lottery(self) -> dict[str, Any]:
        """The panels' form and counts."""
        return self.read_panels(self.documents["lottery.json"])

    def check_certificate(self) -> dict[str, Any]:
        """The certificate's arithmetic."""
        return self.read_certificate(self.documents["certificate.json"])

    def check_seed(self) -> dict[str, Any]:
        """The draw is one of this lottery, and its seed comes from its text."""
        keys = ("entry", "panel", "position", "rejected", "seed_text", "format", "mark", "seed_kind")
        entry, panel, u, j, text, *names = record(self.documents[DRAW_FILE], *keys, "commitment", "seed")
        for number in (entry, u, j):
            whole(number, 0)
        for person in array(panel):
            string(person)
        need(string(text) != "", "bad", what="seed_text")
        need(names[:3] == ["klero-draw/1", "TRIAL", "trial"], "bad", what="mark")
        need(names[3] == self.commitment.hex(), "bad", what="commitment")
        self.seed = seq("klero/seed/trial/v1", [self.commitment, text.encode()])
        need(names[4] == self.seed.hex(), "bad", what="seed")
        return {"hex": self.seed.hex()}

    def check_index(self) -> dict[str, Any]:
        """The seed gives this position, and the position this entry."""
        u, j = position(self.seed, self.denominator)
        self.entry = self.entry_at(u)
        expected = {"position": u, "rejected": j, "entry": self.entry}
        draw = self.documents[DRAW_FILE]
        need({key: draw[key] for key in expected} == expected, "bad_index", u=u, j=j, e=self.entry)
        return {"u": u, "e": self.entry}

    def check_panel(self) -> dict[str, Any]:
        """The panel is the one that the tickets give."""
        drawn = self.drawn(self.entry, self.seed)
        need(sorted(self.ids[i] for i in drawn) == self.documents[DRAW_FILE]["panel"], "bad_people")
        return {"n": len(drawn)}


Step = tuple[str, tuple[str, ...], Callable[[Any], dict[str, Any]]]
LOTTERY_CHECKS: list[Step] = [
    ("files", (), Bundle.check_files),
    ("encoding", ("files",), Bundle.check_encoding),
    ("declaration", ("encoding",), Bundle.check_declaration),
    ("pool", ("declaration",), Bundle.check_pool),
    ("commitment", ("pool",), Bundle.check_commitment),
    ("lottery", ("pool",), Bundle.check_lottery),
    ("quotas", ("lottery",), Bundle.check_quotas),
    ("certificate", ("pool",), Bundle.check_certificate),
    ("gap", ("quotas", "certificate"), Bundle.check_gap),
]
DRAW_CHECKS: list[Step] = [
    ("draw.seed", ("commitment",), Bundle.check_seed),
    ("draw.index", ("lottery", "draw.seed"), Bundle.check_index),
    ("draw.panel", ("quotas", "draw.index"), Bundle.check_panel),
]


# ---------------------------------------------------------------- Ed25519 (RFC 8032)

FIELD = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
CURVE_D = -121665 * pow(121666, FIELD - 2, FIELD) % FIELD
ROOT_OF_MINUS_1 = pow(2, (FIELD - 1) // 4, FIELD)
Point = tuple[int, int, int, int]  # extended coordinates: X/Z, Y/Z, and T = XY/Z
NEUTRAL: Point = (0, 1, 1, 0)
BASE_POINT = bytes([0x58] + [0x66] * 31)


def added(p: Point, q: Point) -> Point:
    """The sum of two points; the formulas hold for all of them."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % FIELD, (p[1] + p[0]) * (q[1] + q[0]) % FIELD
    c, d = 2 * p[3] * q[3] * CURVE_D % FIELD, 2 * p[2] * q[2] % FIELD
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % FIELD, g * h % FIELD, f * g % FIELD, e * h % FIELD


def decoded(data: bytes) -> Point | None:
    """The point that these 32 bytes spell in the one right way."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= FIELD:
        return None
    top, bottom = y * y - 1, CURVE_D * y * y + 1
    # A root of top/bottom by one power: RFC 8032, 5.1.3.
    x = top * bottom**3 * pow(top * bottom**7 % FIELD, (FIELD - 5) // 8, FIELD) % FIELD
    if (bottom * x * x - top) % FIELD:
        x = x * ROOT_OF_MINUS_1 % FIELD
    if (bottom * x * x - top) % FIELD or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = FIELD - x
    return x, y, 1, x * y % FIELD


def encoded(p: Point) -> bytes:
    """The 32 bytes that spell a point."""
    inverse = pow(p[2], FIELD - 2, FIELD)
    x, y = p[0] * inverse % FIELD, p[1] * inverse % FIELD
    return (y | (x & 1) << 255).to_bytes(32, "little")


@lru_cache(maxsize=32)
def multiples(data: bytes) -> list[list[Point]] | None:
    """0 to 15 times 16^i times the point, for i from 0 to 63; None if the bytes spell no point."""
    point, rows = decoded(data), []
    if point is None:
        return None
    for _ in range(64):
        row = [NEUTRAL]
        for _ in range(15):
            row.append(added(row[-1], point))
        rows.append(row)
        point = added(row[-1], point)
    return rows


def times(number: int, rows: list[list[Point]]) -> Point:
    """`number` (below 2^256) times the point of this table."""
    total = NEUTRAL
    for i, row in enumerate(rows):
        total = added(total, row[number >> 4 * i & 15])
    return total


def is_key(key: bytes) -> bool:
    """Whether these 32 bytes spell a point of the prime-order subgroup that is not the neutral one."""
    rows = multiples(key)
    return rows is not None and encoded(times(ORDER, rows)) == encoded(NEUTRAL) != key


def is_signature(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether S < L and S*B - k*A has the encoding R, byte for byte, for a signature R, S of 64 bytes and a key that `is_key`."""
    rows, base = multiples(key), multiples(BASE_POINT)
    r, s = signature[:32], int.from_bytes(signature[32:], "little")
    if rows is None or base is None or len(signature) != 64 or s >= ORDER:
        return False
    k = int.from_bytes(hashlib.sha512(r + key + message).digest(), "little") % ORDER
    return encoded(added(times(s, base), times(ORDER - k, rows))) == r


# ---------------------------------------------------------------- sources and reveals


class Chain(NamedTuple):
    """A drand chain: how its rounds follow one another and what signs them. Sizes in bytes, times in seconds."""

    genesis: int
    period: int
    key: str
    previous: int
    signature: int
    tag: bytes


CHAINS = {
    "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971": Chain(
        1692803367,
        3,
        "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
        "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
        0,
        48,
        b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_",
    ),
    "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce": Chain(
        1595431050,
        30,
        "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31",
        96,
        96,
        b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_",
    ),
}


class Source(NamedTuple):
    """Randomness as it was declared: the kind, when it is drawn, how many outcomes it has, and the document."""

    kind: str
    time: int
    outcomes: int
    asked: dict[str, Any]


def read_source(value: Any, digits: int) -> Source:
    """A SOURCE, for positions of this many decimal digits."""
    kind = value.get("kind") if isinstance(value, dict) else None
    if kind == "balls":
        d, _, time = record(value, "digits", "kind", "time")
        return Source(kind, instant(time), 10 ** whole(d, digits, 60), value)
    if kind == "dice":
        r, _, time = record(value, "rolls", "kind", "time")
        return Source(kind, instant(time), 6 ** whole(r, 1, 200), value)
    if kind == "drand":
        name, _, number = record(value, "chain", "kind", "round")
        if string(name) not in CHAINS:
            raise ValueError("drand chain")
        chain = CHAINS[name]
        time = chain.genesis + (whole(number, 2, INT_LIMIT - 1) - 1) * chain.period
        return Source(kind, time, 2**256, value)
    if kind != "lottery":
        raise ValueError("source")
    draws, _, time = record(value, "draws", "kind", "time")
    outcomes = 1
    if not 1 <= len(array(draws)) <= 20:
        raise ValueError("draws of a lottery")
    for draw in draws:
        count, most, name = record(draw, "count", "most", "name")
        outcomes *= comb(whole(most, whole(count, 1, 20) + 1, 999), count)
        said(name)
    return Source(kind, instant(time), outcomes, value)


def beacon_of(sources: list[Source]) -> Source | None:
    """The drand source of a list, if it has one."""
    return next((source for source in sources if source.kind == "drand"), None)


def read_sources(value: Any, digits: int) -> list[Source]:
    """A list of sources, in order, with enough outcomes; all others are drawn before the beacon's round is known."""
    sources = [read_source(item, digits) for item in array(value)]
    if not sources or not rises([source.kind for source in sources]):
        raise ValueError("sources")
    if prod(source.outcomes for source in sources) < 2**64:
        raise ValueError("sources: fewer than 2^64 outcomes")
    beacon = beacon_of(sources)
    if beacon and not all(source.time < beacon.time for source in sources if source is not beacon):
        raise ValueError("sources: one is not before the beacon")
    return sources


def revealed(source: Source, reveal: Any) -> bytes:
    """The value of a REVEAL, if it is one of what was asked."""
    asked = source.asked
    if source.kind == "drand":
        kind, previous, number, signature = record(reveal, "kind", "previous_signature", "round", "signature")
        chain = CHAINS[asked["chain"]]
        hexed(previous, chain.previous)
        signed = sha256(hexed(signature, chain.signature))
        fits = number == asked["round"]
        items = [bytes.fromhex(asked["chain"]), str(asked["round"]).encode(), signed]
    elif source.kind == "lottery":
        kind, numbers = record(reveal, "kind", "numbers")
        text = ""
        for draw, drawn in zip(asked["draws"], array(numbers, len(asked["draws"]))):
            for number in array(drawn, draw["count"]):
                text += f"{whole(number, 1, draw['most'])}."
            if not rises(drawn):
                raise ValueError("numbers of a lottery")
            text += "/"
        fits, items = True, [text.encode()]
    else:
        digits, kind = record(reveal, "digits", "kind")
        count, allowed = (asked["digits"], "[0-9]*") if source.kind == "balls" else (asked["rolls"], "[1-6]*")
        fits = len(string(digits)) == count and re.fullmatch(allowed, digits) is not None
        items = [digits.encode()]
    if not fits or kind != source.kind:
        raise ValueError("reveal")
    return seq(f"klero/source/{kind}/v1", items)


Reveal = tuple[Source, Any, bytes]  # what was asked, the document, and its value


def read_reveals(sources: list[Source], reveals: Any) -> list[Reveal]:
    """One reveal for each source."""
    pairs = zip(sources, array(reveals, len(sources)))
    return [(source, reveal, revealed(source, reveal)) for source, reveal in pairs]


Beacon = Callable[[Chain, bytes, bytes], bool]


def beacon_arithmetic() -> Beacon | None:
    """The check of a signature of a chain over a message, with the arithmetic of py_ecc; None where that package can't be used
    (before its version 8 it can't hash to G1)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            curve: Any = import_module("py_ecc.optimized_bls12_381")
            points: Any = import_module("py_ecc.bls.point_compression")
            hashes: Any = import_module("py_ecc.bls.hash_to_curve")
        to_g1, to_g2 = hashes.hash_to_G1, hashes.hash_to_G2
    except Exception:  # whatever keeps the package from being used, the check is not made, and says so
        return None

    def g1(data: bytes) -> Any:
        return points.decompress_G1(int.from_bytes(data, "big"))

    def g2(data: bytes) -> Any:
        return points.decompress_G2((int.from_bytes(data[:48], "big"), int.from_bytes(data[48:], "big")))

    def verified(chain: Chain, message: bytes, signature: bytes) -> bool:
        key, short = bytes.fromhex(chain.key), chain.signature == 48
        try:
            signed = (g1 if short else g2)(signature)
        except ValueError:
            return False
        if curve.is_inf(signed) or not curve.is_inf(curve.multiply(signed, curve.curve_order)):
            return False
        hashed = (to_g1 if short else to_g2)(message, chain.tag, hashlib.sha256)
        # e(signature, generator) = e(hash, key), as one product of pairings: (point of G2, point of G1) each.
        pairs = (
            [(curve.G2, signed), (g2(key), curve.neg(hashed))]
            if short
            else [(signed, curve.G1), (hashed, curve.neg(g1(key)))]
        )
        first, second = [curve.pairing(q, p, final_exponentiate=False) for q, p in pairs]
        return bool(curve.final_exponentiate(first * second) == curve.FQ12.one())

    return verified


# ---------------------------------------------------------------- time-stamps (RFC 3161)

Node = tuple[int, int, int, list[Any]]  # tag, start and end of the content, the values in it
SIGNED_DATA = bytes.fromhex("2a864886f70d010702")
STAMP_INFO = bytes.fromhex("2a864886f70d0109100104")
SHA_256 = bytes.fromhex("608648016503040201")
TOKEN_LIMIT = 1 << 16


def der(data: bytes, start: int, end: int, around: int = 0) -> list[Node]:
    """The values from start to end: one-byte tags, definite minimal lengths, at most 32 values around a value."""
    nodes: list[Node] = []
    while start < end:
        if around > 32 or data[start] & 31 == 31 or start + 1 >= end:
            raise ValueError("DER")
        tag, length = data[start], data[start + 1]
        start += 2
        if length >= 128:
            count = length & 127
            length = int.from_bytes(data[start : start + count], "big")
            if not 1 <= count <= 4 or start + count > end or length < max(128, 1 << 8 * (count - 1)):
                raise ValueError("DER length")
            start += count
        if start + length > end:
            raise ValueError("DER length")
        inside = der(data, start, start + length, around + 1) if tag & 32 else []
        nodes.append((tag, start, start + length, inside))
        start += length
    return nodes


def shaped(nodes: list[Node], tags: bytes) -> list[Node]:
    """The values, if their tags match this pattern."""
    if re.fullmatch(tags, bytes([node[0] for node in nodes]), re.DOTALL) is None:
        raise ValueError("time-stamp token")
    return nodes


def read_token(token: bytes) -> tuple[bytes, int]:
    """What a TimeStampToken is over (a SHA-256), and its time in Unix seconds, rounded down."""
    if len(token) > TOKEN_LIMIT:
        raise ValueError("time-stamp token: too long")
    (outer,) = shaped(der(token, 0, len(token)), b"\x30")
    kind, held = shaped(outer[3], b"\x06\xa0")
    (signed,) = shaped(held[3], b"\x30")
    content = shaped(signed[3], b"\x02\x31\x30\xa0?\xa1?\x31")[2]
    content_kind, held = shaped(content[3], b"\x06\xa0")
    (octets,) = shaped(held[3], b"\x04")
    info = token[octets[1] : octets[2]]
    (stamp,) = shaped(der(info, 0, len(info)), b"\x30")
    version, _, imprint, _, time = shaped(stamp[3], b"\x02\x06\x30\x02\x18\x30?\x01?\x02?\xa0?\xa1?")[:5]
    method, digest = shaped(imprint[3], b"\x30\x04")
    name, *rest = shaped(method[3], b"\x06(\x05)?")
    texts = [token[kind[1] : kind[2]], token[content_kind[1] : content_kind[2]], info[name[1] : name[2]]]
    if texts != [SIGNED_DATA, STAMP_INFO, SHA_256] or info[version[1] : version[2]] != b"\x01":
        raise ValueError("time-stamp token")
    if any(none[1] != none[2] for none in rest) or digest[2] - digest[1] != 32:
        raise ValueError("time-stamp token")
    text = info[time[1] : time[2]].decode("ascii")
    parts = re.fullmatch(r"(....)(..)(..)(..)(..)(..)(\.[0-9]{0,8}[1-9])?Z", text)
    if parts is None:
        raise ValueError("time-stamp token")
    return info[digest[1] : digest[2]], instant("{}-{}-{}T{}:{}:{}Z".format(*parts.groups()[:6]))


# ---------------------------------------------------------------- the record of a public draw

RECORD_FILE_LIMIT, RECORD_LIMIT = 256 << 20, 1 << 30
ENTRY_NAME = re.compile(r"public/entry-(0[0-9]{3})\.json")
AUDITOR_NAME = re.compile(r"auditor/(instance|pool|lottery|certificate)-(0|[1-9][0-9]?)\.json")
AUDITOR_FILES = ("instance", "pool", "lottery", "certificate")
DECLARATION, LEAVES, SEALED = "public/declaration.json", "public/leaves.txt", "sealed/people.json"
TIERS = ("public", "auditor", "sealed")
REFUSED = (
    "!refused"  # stands for a ZIP that can't be read, with the reason; no file of a record has this name
)
MOST_FILES = 999 + 4 * 100 + 3
ENTRY_TYPE = "application/vnd.klero.entry+json"
CODES = ("declined", "ineligible", "other", "unreachable")
ROLES = ("guarantor", "organiser", "witness")
DAY, YEAR = 86400, 31536000
MOST_TOLERANCE = 10**9
GARBAGE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    MemoryError,
)
DECLARATION_KEYS = (
    "algorithm",
    "calendar",
    "denominator",
    "draw",
    "fallback",
    "features",
    "format",
    "household",
    "keys",
    "must_sit",
    "notice",
    "objective",
    "organiser",
    "people",
    "protocol",
    "question",
    "sequence",
    "size",
    "sources",
    "threshold",
    "title",
    "tolerance",
)


def parse_file(name: str, data: bytes) -> Any:
    """A document, with its file's name in what is said where it is none."""
    try:
        return parse(data)
    except Failed as failed:
        raise Failed("not_canonical", name=name, why=failed.values["why"]) from None


def read_envelope(document: Any) -> tuple[bytes, list[tuple[str, bytes]]]:
    """The payload of a DSSE envelope, and its signatures with the ids of their keys."""
    payload, kind, listed = record(document, "payload", "payloadType", "signatures")
    signatures = []
    for item in array(listed):
        keyid, sig = record(item, "keyid", "sig")
        signature = unbase64(sig)
        if len(signature) != 64:
            raise ValueError("sig")
        signatures.append((hexed(keyid, 32).hex(), signature))
    if kind != ENTRY_TYPE or not rises([keyid for keyid, _ in signatures]):
        raise ValueError("envelope")
    return unbase64(payload), signatures


def signed_bytes(payload: bytes) -> bytes:
    """What the signatures of an entry are over (DSSE's PAE)."""
    return b"DSSEv1 %d %s %d %s" % (len(ENTRY_TYPE), ENTRY_TYPE.encode(), len(payload), payload)


def histogram(chances: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Cells [from, to, people] of at least ten people, from each probability's slot (0 to 99) and its number of people."""
    slots = [0] * 100
    for slot, people in chances:
        slots[slot] += people
    cells: list[list[int]] = []
    start = held = 0
    for slot, people in enumerate(slots):
        held += people
        if held >= 10:
            cells.append([start, slot + 1, held])
            start, held = slot + 1, 0
    if cells:
        cells[-1][1] = 100
        cells[-1][2] += held
    return cells


def check_histogram(cells: Any) -> None:
    """Cells [from, to, people] that meet, from 0 to 100, of at least ten people each; or none."""
    start = 0
    for cell in array(cells):
        low, high, people = array(cell, 3)
        whole(low, start, start)
        start = whole(high, low + 1, 100)
        whole(people, 10)
    if start != 100 and cells:
        raise ValueError("histogram")


def millionths(gap: Fraction) -> int:
    """The integer ceil(gap * 10^6)."""
    return -(-gap.numerator * 10**6 // gap.denominator)


class Entry(NamedTuple):
    """One entry of the log, as read."""

    number: int
    payload: bytes
    hash: bytes
    kind: str
    body: dict[str, Any]
    time: int

    @property
    def round(self) -> int:
        """The round of a commitment, reading or draw."""
        return int(self.body["round"])


class Round(Lottery):
    """The lottery of one round; `people` are the numbers of its people's leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.people: list[int] = []

    def own(self) -> list[bool]:
        """Which features are the rules' own."""
        return [name in (HOUSEHOLD, MUST_SIT) for name, _ in self.features]

    def attributes(self, t: int) -> list[list[str]]:
        """The declared features' values of a type."""
        triples = zip(self.features, self.types[t], self.own())
        return [[name, values[v]] for (name, values), v, own in triples if not own]

    def seated(self) -> list[bool]:
        """Which types are of people who must sit."""
        names = [name for name, _ in self.features]
        if MUST_SIT not in names:
            return [False] * len(self.types)
        f = names.index(MUST_SIT)
        values = self.features[f][1]
        return [values[kind[f]] == "yes" for kind in self.types]

    def yes_seats(self) -> list[tuple[int, int]]:
        """The quota of those who must sit; nothing where the rule is not there."""
        found: list[tuple[int, int]] = []
        for f, (name, values) in enumerate(self.features):
            if name == MUST_SIT:
                found.append(self.rules.bounds[self.first_cell(f) + values.index("yes")])
        return found

    def must_sit(self) -> set[int]:
        """The leaf numbers of those who must sit."""
        seated = self.seated()
        return {i for i, t in zip(self.people, self.kinds) if seated[t]}


class Record:
    """The files, and what the checks have read so far."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.documents: dict[str, Any] = {}
        self.envelopes: list[tuple[bytes, list[tuple[str, bytes]]]] = []
        self.payloads: list[Any] = []
        self.declared = Lottery()
        self.draw = ""
        self.digits = self.n = self.must_sit = self.notice = self.threshold = self.tolerance = 0
        self.sources: list[list[Source]] = []
        self.fallback: list[Source] = []
        self.keys: dict[str, bytes] = {}
        self.roles: dict[str, str] = {}
        self.leaves: list[bytes] = []
        self.places: dict[str, int] = {}
        self.entries: list[Entry] = []
        self.commitments: list[Entry] = []
        self.readings: dict[int, Entry] = {}
        self.draws: list[Entry] = []
        self.reveals: list[list[Reveal]] = []
        self.seeds: list[tuple[bytes, bytes]] = []
        self.withdrawn: dict[str, int] = {}
        self.digests: dict[int, bytes] = {}
        self.rounds: list[Round] = []
        self.openings: list[bytes] = []
        self.c_ids: list[bytes] = []
        self.lacking: list[str] = []

    # ------------------------------------------------ files and encoding

    def check_files(self) -> dict[str, Any]:
        """No file is missing, none is foreign, none is too large."""
        if REFUSED in self.files:
            raise Failed("refused", why=self.files[REFUSED].decode("utf-8", "replace"))
        entries: set[int] = set()
        rounds: Counter[int] = Counter()
        for name in sorted(self.files):
            entry, auditor = ENTRY_NAME.fullmatch(name), AUDITOR_NAME.fullmatch(name)
            need(bool(entry or auditor) or name in (DECLARATION, LEAVES, SEALED), "record.foreign", name=name)
            need(len(self.files[name]) <= RECORD_FILE_LIMIT, "too_big", name=name, limit=RECORD_FILE_LIMIT)
            if entry:
                entries.add(int(entry.group(1)))
            if auditor:
                rounds[int(auditor.group(2))] += 1
        size = sum(map(len, self.files.values()))
        need(size <= RECORD_LIMIT, "record.too_big", limit=RECORD_LIMIT)
        for name in (DECLARATION, LEAVES):
            need(name in self.files, "missing", name=name)
        need(0 not in entries, "record.foreign", name="public/entry-0000.json")
        for number in range(1, max(entries, default=1) + 1):
            need(number in entries, "missing", name=f"public/entry-{number:04}.json")
        needed = {0, *rounds} if rounds or SEALED in self.files else set()
        for r in sorted(needed):
            for part in AUDITOR_FILES:
                name = f"auditor/{part}-{r}.json"
                need(name in self.files, "missing", name=name)
        tier = "sealed" if SEALED in self.files else "auditor" if rounds else "public"
        return {"n": len(self.files), "tier": tier}

    def check_encoding(self) -> dict[str, Any]:
        """Every JSON file and every payload is canonical, and every envelope has its form."""
        for name, data in sorted(self.files.items()):
            if not name.endswith(".json"):
                continue
            document = parse_file(name, data)
            if not ENTRY_NAME.fullmatch(name):
                self.documents[name] = document
                continue
            try:
                self.envelopes.append(read_envelope(document))
            except GARBAGE as error:
                raise Failed("bad", what=f"{name}, {error}") from None
            self.payloads.append(parse_file(f"{name}, payload", self.envelopes[-1][0]))
        return {"n": sum(map(len, self.files.values()))}

    # ------------------------------------------------ what stands before the draw

    def check_declaration(self) -> dict[str, Any]:
        """The rules are complete and consistent."""
        document = self.documents[DECLARATION]
        record(document, *DECLARATION_KEYS)
        rules = self.declared
        names = [document[key] for key in ("algorithm", "format", "protocol")]
        need(names == ["klero-lottery/2", "klero-record/1", "klero-draw/1"], "bad", what="names")
        powers = [10**d for d in range(6, 13)]
        need(document["denominator"] in powers, "bad", what="denominator")
        self.digits = 6 + powers.index(document["denominator"])
        need(document["objective"] in OBJECTIVES, "bad", what="objective")
        rules.denominator, rules.objective = document["denominator"], document["objective"]
        rules.most = whole(document["household"], 0)
        self.n = rules.n = whole(document["people"], 1)
        rules.size = whole(document["size"], 1, self.n)
        self.must_sit = whole(document["must_sit"], 0, rules.size)
        rules.read_features(document["features"])
        own = {name for name, _ in rules.features} & {HOUSEHOLD, MUST_SIT}
        need(not own and all(values for _, values in rules.features), "bad", what="features")
        self.draw = string(document["draw"])
        need(re.fullmatch("[a-z0-9-]{1,60}", self.draw) is not None, "bad", what="draw")
        sequence = whole(document["sequence"], 1)
        said(document["organiser"])
        said(document["title"])
        string(document["question"])
        self.notice = whole(document["notice"], DAY, YEAR)
        self.tolerance = whole(document["tolerance"], 0, MOST_TOLERANCE)
        self.read_keys(document["keys"])
        self.threshold = whole(document["threshold"], 2, len(self.keys))
        need(len(array(document["calendar"])) <= 99, "bad", what="calendar")
        self.sources = [
            read_sources(item, self.digits) for item in [document["sources"], *document["calendar"]]
        ]
        self.read_fallback(document["fallback"])
        numbers = {"k": rules.size, "n": self.n, "r": len(document["calendar"])}
        return {"draw": self.draw, "sequence": sequence, **numbers}

    def read_keys(self, listed: Any) -> None:
        """The keys, each that of one signer."""
        need(2 <= len(array(listed)) <= 10, "bad", what="keys")
        last = ""
        for item in listed:
            key, name, role = record(item, "key", "name", "role")
            data = hexed(key, 32)
            need(last < key and role in ROLES and is_key(data), "bad", what=f"key {key}")
            said(name)
            last = key
            self.keys[sha256(data).hex()], self.roles[sha256(data).hex()] = data, role
        need(set(self.roles.values()) != {"organiser"}, "bad", what="keys, all the organiser's")

    def read_fallback(self, listed: Any) -> None:
        """What stands in for the beacon of round 0, if anything does: a later round of the other chain."""
        if array(listed) == []:
            return
        (item,) = array(listed, 1)
        source = read_source(item, self.digits)
        first = beacon_of(self.sources[0])
        need(source.kind == "drand" and first is not None, "bad", what="fallback")
        other_chain = first is None or first.asked["chain"] != source.asked["chain"]
        need(other_chain and (first is None or first.time < source.time), "bad", what="fallback")
        self.fallback = [source]

    def used(self, r: int, fallback: str) -> list[Source]:
        """The sources of a round, with the fallback in its place."""
        if fallback == "no" or r > 0 or not self.fallback:
            return self.sources[r]
        return [self.fallback[0] if source.kind == "drand" else source for source in self.sources[r]]

    def check_leaves(self) -> dict[str, Any]:
        """One leaf a line, rising, as many as people."""
        data = self.files[LEAVES]
        need(len(data) == 65 * self.n, "bad", what="length")
        ends = data.translate(None, b"0123456789abcdef") == data[64::65] == b"\n" * self.n
        need(ends, "bad", what="line")
        lines = data.decode("ascii").split()
        need(rises(lines), "bad", what="order")
        self.leaves = [bytes.fromhex(line) for line in lines]
        self.places = {line: i for i, line in enumerate(lines)}
        return {"n": self.n, "hex": merkle_root(self.leaves).hex()}

    # ------------------------------------------------ the log

    def check_log(self) -> dict[str, Any]:
        """The entries have their form, hang together and come in the right order."""
        last = ""
        for number, ((payload, _), document) in enumerate(zip(self.envelopes, self.payloads), 1):
            with_place("entry", number, self.read_entry, number, payload, document, last)
            last = self.entries[-1].hash.hex()
        return {"n": len(self.entries), "hex": last}

    def read_entry(self, number: int, payload: bytes, document: Any, last: str) -> None:
        """One entry: what each kind has in its body, and whether it may stand here."""
        body, draw, form, kind, previous, sequence, time = record(
            document, "body", "draw", "format", "kind", "previous", "sequence", "time"
        )
        stated = [draw, form, previous, sequence]
        need(stated == [self.draw, "klero-entry/1", last, number], "bad", what="draw, previous, sequence")
        need(string(kind) in ENTRY_KINDS, "bad", what="kind")
        entry = Entry(number, payload, seq("klero/entry/v1", [payload]), kind, body, instant(time))
        need(not self.entries or self.entries[-1].kind != "abort", "bad", what="after an abort")
        need(number > 1 or kind == "commitment", "bad", what="order")
        ENTRY_KINDS[kind](self, entry)
        self.entries.append(entry)

    def read_commitment(self, entry: Entry) -> None:
        """A commitment follows the draw of the round before and a withdrawal since that round's commitment."""
        auditor, declaration, leaves, loosened, r, summary = record(
            entry.body, "auditor", "declaration", "leaves", "loosened", "round", "summary"
        )
        for digest in (auditor, declaration, leaves):
            hexed(digest, 32)
        gap, cells, level, people = record(summary, "gap", "histogram", "level", "people")
        need(level in ("L0", "L1"), "bad", what="summary")
        need(whole(gap, 0) <= self.tolerance, "bad", what="summary, gap above the tolerance")
        whole(people, 0)
        check_histogram(cells)
        before = self.commitments[-1].round if self.commitments else -1
        follows = whole(r, 0, 99) > before and bool(r) == bool(self.commitments)
        need(follows and len(self.commitments) == len(self.draws), "bad", what="order")
        need(r < len(self.sources), "bad", what="calendar")
        since = self.commitments[-1].number if self.commitments else entry.number
        withdrawals = any(other.kind == "withdrawals" and other.number > since for other in self.entries)
        need(r == 0 or withdrawals, "bad", what="no withdrawals")
        self.loosened(r, loosened)
        self.commitments.append(entry)

    def loosened(self, r: int, listed: Any) -> list[tuple[int, int]]:
        """The quotas of a round: the declared ones, but for those listed, which are wider."""
        need(r > 0 or array(listed) == [], "bad", what="loosened")
        cells = [(name, value) for name, values in self.declared.features for value in values]
        numbers = {cell: c for c, cell in enumerate(cells)}
        bounds, last = list(self.declared.rules.bounds), -1
        for item in array(listed):
            name, value, low, high = array(item, 4)
            cell = numbers.get((string(name), string(value)), -1)
            need(cell > last, "bad", what="loosened")
            low_before, high_before = bounds[cell]
            whole(low, 0, low_before)
            whole(high, high_before)
            need((low, high) != bounds[cell], "bad", what="loosened")
            bounds[cell], last = (low, high), cell
        return bounds

    def read_draw(self, entry: Entry) -> None:
        """A draw is that of the last commitment, which has none yet."""
        fallback, panel, u, j, reveals, r, seed = record(
            entry.body, "fallback", "panel", "position", "rejected", "reveals", "round", "seed"
        )
        need(fallback in ("no", "yes"), "bad", what="fallback")
        for leaf in array(panel):
            hexed(leaf, 32)
        whole(u, 0)
        whole(j, 0)
        array(reveals)
        hexed(seed, 32)
        self.need_undrawn(r)
        need(r in self.readings or not self.to_read(r), "no_reading")
        self.draws.append(entry)

    def need_undrawn(self, r: Any) -> None:
        """The round is that of the last commitment, which has no draw yet."""
        undrawn = len(self.draws) == len(self.commitments) - 1
        need(undrawn and whole(r, 0, 99) == self.commitments[-1].round, "bad", what="order")

    def to_read(self, r: int) -> list[Source]:
        """What is read out before the beacon's round: all sources but drand, where there is drand."""
        if beacon_of(self.sources[r]) is None:
            return []
        return [source for source in self.sources[r] if source.kind != "drand"]

    def read_reading(self, entry: Entry) -> None:
        """A reading of the last commitment's sources: one, where they are drand and others."""
        reveals, r = record(entry.body, "reveals", "round")
        array(reveals)
        self.need_undrawn(r)
        need(r not in self.readings and bool(self.to_read(r)), "bad", what="reading")
        self.readings[r] = entry

    def read_withdrawals(self, entry: Entry) -> None:
        """Leaves with why their people don't sit, in order."""
        (listed,) = record(entry.body, "withdrawals")
        pairs = [array(pair, 2) for pair in array(listed)]
        for leaf, code in pairs:
            hexed(leaf, 32)
            need(code in CODES, "bad", what="code")
        need(bool(pairs) and rises([leaf for leaf, _ in pairs]), "bad", what="order")

    def read_timestamp(self, entry: Entry) -> None:
        """A token over an earlier entry; what is in it comes later."""
        number, token = record(entry.body, "entry", "token")
        whole(number, 1, entry.number - 1)
        unbase64(token)

    def read_abort(self, entry: Entry) -> None:
        """Why there will be no draw."""
        said(*record(entry.body, "reason"))

    def check_signatures(self) -> dict[str, Any]:
        """Each entry has enough signatures, and each signature is good."""
        count = 0
        for number, (payload, signatures) in enumerate(self.envelopes, 1):
            need(
                len(signatures) >= self.threshold, "bad", what=f"entry {number}, {len(signatures)} signatures"
            )
            message = signed_bytes(payload)
            for keyid, signature in signatures:
                key = self.keys.get(keyid)
                good = key is not None and is_signature(key, message, signature)
                need(good, "bad", what=f"entry {number}, signature of {keyid}")
                count += 1
            others = any(self.roles[keyid] != "organiser" for keyid, _ in signatures)
            need(others, "one_sided", place=("entry", number))
        return {"n": count, "t": self.threshold}

    def check_commitment(self) -> dict[str, Any]:
        """The digests are those of the files."""
        declaration, root = sha256(self.files[DECLARATION]).hex(), merkle_root(self.leaves).hex()
        gone: set[str] = set()
        for entry in self.entries:
            if entry.kind == "withdrawals":
                gone.update(leaf for leaf, _ in entry.body["withdrawals"])
            if entry.kind != "commitment":
                continue
            left = self.n - len(gone)
            need(entry.body["summary"]["people"] == left, "bad", what=f"entry {entry.number}, people")
            r = entry.round
            where = f"{{}}, entry {entry.number}"
            need(entry.body["declaration"] == declaration, "bad_hash", what=where.format("declaration"))
            need(entry.body["leaves"] == root, "bad_hash", what=where.format("leaves"))
            if self.has_auditor():
                files = [self.files.get(f"auditor/{part}-{r}.json") for part in AUDITOR_FILES]
                digests = [sha256(data) for data in files if data is not None]
                found = seq("klero/auditor/v1", digests).hex()
                need(len(digests) == 4, "missing", name=f"auditor/instance-{r}.json")
                need(entry.body["auditor"] == found, "bad_hash", what=where.format("auditor"))
        committed = {entry.round for entry in self.commitments}
        for name in self.files:
            auditor = AUDITOR_NAME.fullmatch(name)
            need(auditor is None or int(auditor.group(2)) in committed, "record.foreign", name=name)
        return {"hex": ", ".join(entry.hash.hex() for entry in self.commitments)}

    def has_auditor(self) -> bool:
        """Whether the auditor's files are here."""
        return "auditor/instance-0.json" in self.files

    def check_times(self) -> dict[str, Any]:
        """Time goes on; what is committed to stands long enough; nothing is drawn before its randomness."""
        last = 0
        for entry in self.entries:
            need(last <= entry.time, "bad", what=f"entry {entry.number}")
            last = entry.time
        for entry in self.commitments:
            first = min(source.time for source in self.sources[entry.round])
            need(entry.time + self.notice <= first, "too_late", place=("entry", entry.number))
        for entry in self.draws:
            latest = max(source.time for source in self.used(entry.round, entry.body["fallback"]))
            need(latest <= entry.time, "too_early", place=("entry", entry.number))
        for entry in self.readings.values():
            latest = max(source.time for source in self.to_read(entry.round))
            need(latest <= entry.time, "too_early", place=("entry", entry.number))
            need(entry.time < self.beacon_time(entry.round), "late_reading", place=("entry", entry.number))
        return {"n": len(self.entries)}

    def beacon_time(self, r: int) -> int:
        """The time of the round's declared drand round; there is one."""
        return next(source.time for source in self.sources[r] if source.kind == "drand")

    # ------------------------------------------------ the draw

    def check_randomness(self) -> dict[str, Any]:
        """The reveals are of what was declared."""
        if not self.draws and not self.readings:
            raise NotMade("no_draw")
        for entry in self.readings.values():
            with_place("entry", entry.number, read_reveals, self.to_read(entry.round), entry.body["reveals"])
        for entry in self.draws:
            self.reveals.append(with_place("entry", entry.number, self.read_draws_reveals, entry))
        found = [[source.kind for source, *_ in row] for row in self.reveals]
        found += [
            [source.kind for source in self.to_read(r)]
            for r in self.readings
            if all(draw.round != r for draw in self.draws)
        ]
        return several("randomness.kinds", [{"kinds": " + ".join(kinds)} for kinds in found])

    def read_draws_reveals(self, entry: Entry) -> list[Reveal]:
        """A draw's reveals; what was read before it stands in it unchanged."""
        r, body = entry.round, entry.body
        need(body["fallback"] == "no" or (r == 0 and bool(self.fallback)), "no_fallback")
        found = read_reveals(self.used(r, body["fallback"]), body["reveals"])
        if r in self.readings:
            again = [reveal for source, reveal, _ in found if source.kind != "drand"]
            need(again == self.readings[r].body["reveals"], "other_reading")
        return found

    def check_beacon(self) -> dict[str, Any]:
        """The beacon's signatures are good."""
        found = [
            (s.asked, reveal) for reveals in self.reveals for s, reveal, _ in reveals if s.kind == "drand"
        ]
        if not found:
            raise NotMade("no_beacon")
        verified = beacon_arithmetic()
        if verified is None:
            rows = [{**asked, "signature": reveal["signature"]} for asked, reveal in found]
            self.lacking.append("beacon")
            raise NotMade("no_package", **several("beacon.compare", rows))
        for asked, reveal in found:
            message = sha256(bytes.fromhex(reveal["previous_signature"]) + len8(asked["round"]))
            good = verified(CHAINS[asked["chain"]], message, bytes.fromhex(reveal["signature"]))
            need(good, "bad_beacon", n=asked["round"])
        return {"n": len(found)}

    def check_seed(self) -> dict[str, Any]:
        """The seeds come from commitment and reveals."""
        if not self.draws:
            raise NotMade("no_draw")
        for commitment, draw, found in zip(self.commitments, self.draws, self.reveals):
            rest = [value for source, _, value in found if source.kind != "balls"]
            index = seq("klero/seed/index/v1", [commitment.hash, *rest])
            seed = seq("klero/seed/tickets/v1", [commitment.hash, *(value for *_, value in found)])
            need(draw.body["seed"] == seed.hex(), "bad_seed", hex=seed.hex(), place=("round", draw.round))
            self.seeds.append((index, seed))
        return {"hex": ", ".join(seed.hex() for _, seed in self.seeds)}

    def check_index(self) -> dict[str, Any]:
        """The seed of the index, and the balls, give these positions."""
        m = self.declared.denominator
        for draw, (index, _), found in zip(self.draws, self.seeds, self.reveals):
            x, j = position(index, m)
            balls = [
                int(reveal["digits"][: self.digits]) for source, reveal, _ in found if source.kind == "balls"
            ]
            u = (x + sum(balls)) % m
            stated = (draw.body["position"], draw.body["rejected"])
            need(stated == (u, j), "record.bad_index", u=u, j=j, place=("round", draw.round))
        return {"u": ", ".join(str(draw.body["position"]) for draw in self.draws)}

    def check_people(self) -> dict[str, Any]:
        """Panels are of people who were still there, and nobody withdraws twice."""
        lists = [entry for entry in self.entries if entry.kind == "withdrawals"]
        if not self.draws and not lists:
            raise NotMade("no_people")
        for entry in lists:
            for leaf, _ in entry.body["withdrawals"]:
                fresh = leaf in self.places and leaf not in self.withdrawn
                need(fresh, "bad", what=f"entry {entry.number}, leaf {leaf}")
                self.withdrawn[leaf] = entry.number
        before: set[str] = set()
        for commitment, draw in zip(self.commitments, self.draws):
            panel = draw.body["panel"]
            need(len(panel) == self.declared.size and rises(panel), "bad", what=f"entry {draw.number}, panel")
            gone = {leaf for leaf, number in self.withdrawn.items() if number < commitment.number}
            for leaf in panel:
                there = leaf in self.places and leaf not in gone
                need(there, "bad", what=f"entry {draw.number}, leaf {leaf}")
            lost = sorted(before - gone - set(panel))[:1]
            need(not lost, "bad", what=f"entry {draw.number}, {''.join(lost)} had a seat")
            nobody = bool(before) and not before & gone
            need(not nobody, "bad", what=f"entry {draw.number}, nobody of the panel before has withdrawn")
            before = set(panel)
        return {"n": sum(len(draw.body["panel"]) for draw in self.draws), "w": len(self.withdrawn)}

    def check_timestamps(self) -> dict[str, Any]:
        """Each token is over its entry, and no commitment is later than its sources."""
        stamps = [entry for entry in self.entries if entry.kind == "timestamp"]
        if not stamps:
            raise NotMade("no_stamp")
        earliest: dict[int, int] = {}
        for entry in stamps:
            number, time = with_place("entry", entry.number, self.read_stamp, entry)
            earliest[number] = min(time, earliest.get(number, time))
        for number, time in earliest.items():
            about = self.entries[number - 1]
            if about.kind == "commitment":
                first = min(source.time for source in self.sources[about.round])
                need(time + self.notice <= first, "late_stamp", place=("entry", number))
            elif about.kind == "reading":
                need(time < self.beacon_time(about.round), "late_stamp", place=("entry", number))
        return {"n": len(stamps)}

    def read_stamp(self, entry: Entry) -> tuple[int, int]:
        """The number of the entry that one token is over, and its time."""
        digest, time = read_token(unbase64(entry.body["token"]))
        number = entry.body["entry"]
        need(digest == self.file_digest(number), "bad_hash", what=f"entry {number}")
        return number, time

    def file_digest(self, number: int) -> bytes:
        """SHA-256 of an entry's file, made once however many tokens are over it."""
        if number not in self.digests:
            self.digests[number] = sha256(self.files[f"public/entry-{number:04}.json"])
        return self.digests[number]

    def check_authority(self) -> dict[str, Any]:
        """Left to OpenSSL, with the command to run."""
        rows = [
            {
                "number": entry.number,
                "digest": self.file_digest(entry.body["entry"]).hex(),
            }
            for entry in self.entries
            if entry.kind == "timestamp"
        ]
        raise NotMade("no_authority", **several("stamp.compare", rows))

    # ------------------------------------------------ each round's lottery

    def each(self, key: str, check: Callable[[Entry, Round], dict[str, Any]]) -> dict[str, Any]:
        """A check of every round that was committed, in order."""
        self.rounds = self.rounds or [Round() for _ in self.commitments]
        kind = "round" if len(self.rounds) > 1 else ""
        pairs = zip(self.commitments, self.rounds)
        return several(
            key, [with_place(kind, entry.round, check, entry, lottery) for entry, lottery in pairs]
        )

    def document(self, part: str, entry: Entry) -> Any:
        """One of the auditor's documents of the round that this entry commits to."""
        return self.documents[f"auditor/{part}-{entry.round}.json"]

    def check_instance(self) -> dict[str, Any]:
        """The lotteries' rules are the declared ones."""
        if not self.has_auditor():
            raise NotMade("no_auditor")
        return self.each("instance", self.read_instance)

    def read_instance(self, entry: Entry, lottery: Round) -> dict[str, Any]:
        """The rules of one round."""
        blind, features, people, *rest = record(
            self.document("instance", entry),
            *(
                "blind",
                "features",
                "people",
                "algorithm",
                "denominator",
                "format",
                "household",
                "objective",
                "size",
            ),
        )
        declared = self.declared
        names = ["klero-lottery/2", declared.denominator, "klero-instance/1", declared.most]
        need(rest == [*names, declared.objective, declared.size], "bad", what="rules")
        hexed(blind, 32)
        lottery.read_features(features)
        lottery.n = whole(people, declared.size, self.n)
        lottery.denominator, lottery.most = declared.denominator, declared.most
        lottery.objective, lottery.size = declared.objective, declared.size
        kept = [feature for feature, own in zip(lottery.features, lottery.own()) if not own]
        need(kept == declared.features, "bad", what="features")
        cells = iter(lottery.rules.bounds)
        quotas = [([next(cells) for _ in values], name) for name, values in lottery.features]
        bounds = [pair for pairs, name in quotas if name not in (HOUSEHOLD, MUST_SIT) for pair in pairs]
        loosened = self.loosened(entry.round, entry.body["loosened"])
        need(bounds == loosened, "bad", what="quotas")
        if entry.round == 0:
            need(lottery.n == self.n, "bad", what="people")
            seats = [(low, low) for low in [self.must_sit] if low]
            need(lottery.yes_seats() == seats, "bad", what=MUST_SIT)
        return {"c": len(lottery.rules.bounds)}

    def check_pool(self) -> dict[str, Any]:
        """People, types and households are in order and belong together, and the leaves follow."""
        return self.each("pool", self.read_pool)

    def read_pool(self, entry: Entry, lottery: Round) -> dict[str, Any]:
        """The pool of one round."""
        keys = ("households", "openings", "people", "types", "weights")
        homes, openings, people, types, heavy = record(self.document("pool", entry), *keys)
        lottery.read_types(types, heavy)
        for item in array(people):
            i, t = array(item, 2)
            lottery.people.append(whole(i, lottery.people[-1] + 1 if lottery.people else 0, self.n - 1))
            lottery.kinds.append(whole(t, 0, len(types) - 1))
        lottery.settle(homes)
        lottery.leaves = [self.leaves[i] for i in lottery.people]
        if entry.round > 0:
            need(openings == [], "bad", what="openings")
        else:
            self.read_openings(lottery, openings)
        lottery.ticketed = [self.leaves[i] + self.c_ids[i] for i in lottery.people]
        return {"n": lottery.n, "types": len(types)}

    def read_openings(self, lottery: Round, openings: Any) -> None:
        """The leaf of each person, from the two values and the person's OPENING."""
        attributes = [lottery.attributes(t) for t in range(len(lottery.types))]
        tags: dict[str, tuple[int, int]] = {}
        for i, (row, t, leaf) in enumerate(zip(array(openings, self.n), lottery.kinds, self.leaves)):
            c_id, key, tag = array(row, 3)
            hexed(tag, 16 if lottery.most else 0)
            # A household's number, or the person's own: who has the same, has the same tag, and nobody else.
            home = (lottery.home[i], -1) if i in lottery.home else (-1, i)
            need(not tag or tags.setdefault(tag, home) == home, "bad", what=f"leaf {i}, tag")
            opening = {"attributes": attributes[t], "household": tag, "weight": lottery.weights[t]}
            self.openings.append(canonical(opening))
            self.c_ids.append(hexed(c_id, 32))
            found = self.leaf(self.c_ids[i], mac(hexed(key, 32), self.openings[i]))
            need(found == leaf, "bad", what=f"leaf {i}")
        for members in lottery.homes:
            need(len({openings[i][2] for i in members}) == 1, "bad", what="tags of a household")

    def leaf(self, c_id: bytes, c_type: bytes) -> bytes:
        """The leaf of a person."""
        return seq("klero/leaf/v1", [self.draw.encode(), c_id, c_type])

    def check_lottery(self) -> dict[str, Any]:
        """The panels' form and counts."""
        return self.each(
            "lottery", lambda entry, lottery: lottery.read_panels(self.document("lottery", entry))
        )

    def check_quotas(self) -> dict[str, Any]:
        """Each panel has its size and meets every quota."""
        return self.each("quotas", lambda _, lottery: lottery.check_quotas())

    def check_certificate(self) -> dict[str, Any]:
        """The certificates' arithmetic."""
        part = "certificate"
        return self.each(part, lambda entry, lottery: lottery.read_certificate(self.document(part, entry)))

    def check_gap(self) -> dict[str, Any]:
        """The gaps are those stated."""
        return self.each("gap", lambda _, lottery: lottery.check_gap())

    def check_summary(self) -> dict[str, Any]:
        """What the public was told of each lottery follows from it."""
        return self.each("summary", self.compare_summary)

    def compare_summary(self, entry: Entry, lottery: Round) -> dict[str, Any]:
        """The summary of one round."""
        m, rows = lottery.denominator, zip(lottery.won, lottery.rules.people, lottery.seated())
        slots = [(min(99, 100 * won // (m * n)), n) for won, n, seated in rows if not seated]
        gap = millionths(lottery.gap)
        expected = {"gap": gap, "histogram": histogram(slots), "level": lottery.level, "people": lottery.n}
        text = canonical(expected).decode()
        need(entry.body["summary"] == expected, "bad_summary", expected=text)
        return {"n": lottery.n, "gap": gap}

    def check_panel(self) -> dict[str, Any]:
        """The panels are those that the tickets give."""
        count = 0
        for draw, lottery, (_, seed) in zip(self.draws, self.rounds, self.seeds):
            entry = lottery.entry_at(draw.body["position"])
            drawn = with_place("round", draw.round, lottery.drawn, entry, seed)
            panel = sorted(lottery.leaves[i].hex() for i in drawn)
            need(panel == draw.body["panel"], "bad_people", place=("round", draw.round))
            count += len(drawn)
        return {"n": count}

    def check_succession(self) -> dict[str, Any]:
        """Each later round goes on from the one before."""
        if len(self.commitments) < 2:
            raise NotMade("no_round")
        for before, entry, lottery in zip(self.draws, self.commitments[1:], self.rounds[1:]):
            with_place("round", entry.round, self.follow, before, entry, lottery)
        return {"n": len(self.commitments)}

    def follow(self, before: Entry, entry: Entry, lottery: Round) -> None:
        """Who is in the round of this commitment, who must sit (of the draw before), and that all are whom they were in round 0."""
        start = self.rounds[0]
        gone = {self.places[leaf] for leaf, number in self.withdrawn.items() if number < entry.number}
        need(lottery.people == [i for i in range(self.n) if i not in gone], "bad", what="people")
        panel = {self.places[leaf] for leaf in before.body["panel"]}
        need(bool(panel & gone), "bad", what="nobody of the panel has withdrawn")
        need(lottery.must_sit() == panel - gone, "bad", what=MUST_SIT)
        names = [name for name, _ in lottery.features]
        need((MUST_SIT in names) == bool(panel - gone), "bad", what=MUST_SIT)
        first = [(start.attributes(t), start.weights[t]) for t in range(len(start.types))]
        now = [(lottery.attributes(t), lottery.weights[t]) for t in range(len(lottery.types))]
        for i, t in zip(lottery.people, lottery.kinds):
            need(now[t] == first[start.kinds[i]], "bad", what=f"leaf {i}")
        left = [[i for i in members if i not in gone] for members in start.homes]
        expected = sorted(members for members in left if len(members) > lottery.most)
        homes = [[lottery.people[i] for i in members] for members in lottery.homes]
        need(homes == expected, "bad", what="households")

    def check_sealed(self) -> dict[str, Any]:
        """Identities and salts give the leaves."""
        if SEALED not in self.files:
            raise NotMade("no_sealed")
        draw, form, people = record(self.documents[SEALED], "draw", "format", "people")
        need([draw, form] == [self.draw, "klero-sealed/1"], "bad", what="draw, format")
        ids = set()
        for i, item in enumerate(array(people, self.n)):
            if item == []:
                continue
            identity, salt = array(item, 2)
            s = hexed(salt, 32)
            name = read_identity(identity)
            need(name not in ids, "bad", what=f"leaf {i}, id")
            ids.add(name)
            c_id = mac(mac(s, b"klero/salt/id/v1"), canonical(identity))
            c_type = mac(mac(s, b"klero/salt/type/v1"), self.openings[i])
            need(self.leaf(c_id, c_type) == self.leaves[i], "bad", what=f"leaf {i}")
        return {"n": len(ids), "gone": self.n - len(ids)}


ENTRY_KINDS: dict[str, Callable[[Record, Entry], None]] = {
    "commitment": Record.read_commitment,
    "draw": Record.read_draw,
    "reading": Record.read_reading,
    "withdrawals": Record.read_withdrawals,
    "timestamp": Record.read_timestamp,
    "abort": Record.read_abort,
}

RECORD_CHECKS: list[Step] = [
    ("files", (), Record.check_files),
    ("encoding", ("files",), Record.check_encoding),
    ("declaration", ("encoding",), Record.check_declaration),
    ("leaves", ("declaration",), Record.check_leaves),
    ("log", ("declaration",), Record.check_log),
    ("signatures", ("log",), Record.check_signatures),
    ("commitment", ("leaves", "log"), Record.check_commitment),
    ("times", ("log",), Record.check_times),
    ("randomness", ("log",), Record.check_randomness),
    ("beacon", ("signatures", "randomness"), Record.check_beacon),
    ("draw.seed", ("commitment", "randomness"), Record.check_seed),
    ("draw.index", ("draw.seed",), Record.check_index),
    ("draw.people", ("leaves", "log"), Record.check_people),
    ("timestamps", ("log",), Record.check_timestamps),
    ("timestamps.signature", ("timestamps",), Record.check_authority),
    ("instance", ("commitment",), Record.check_instance),
    ("pool", ("instance",), Record.check_pool),
    ("lottery", ("pool",), Record.check_lottery),
    ("quotas", ("lottery",), Record.check_quotas),
    ("certificate", ("pool",), Record.check_certificate),
    ("gap", ("quotas", "certificate"), Record.check_gap),
    ("summary", ("gap",), Record.check_summary),
    ("draw.panel", ("quotas", "draw.index", "draw.people"), Record.check_panel),
    ("succession", ("pool", "draw.people"), Record.check_succession),
    ("sealed", ("pool",), Record.check_sealed),
]


# ---------------------------------------------------------------- a receipt

RECEIPT_KEYS = (
    "attributes",
    "commitment",
    "draw",
    "format",
    "household",
    "identity",
    "leaf",
    "leaves",
    "path",
    "root",
    "salt",
    "weight",
)


def read_identity(value: Any) -> str:
    """The id of an IDENTITY, an object of strings."""
    if not isinstance(value, dict):
        raise ValueError("identity")
    for text in value.values():
        string(text)
    return said(value["id"])


def climbed(leaf: bytes, i: int, n: int, path: list[bytes]) -> bytes | None:
    """The root that a path leads to from leaf i of n (RFC 9162, 2.1.3.2); None where it has not the right length."""
    node, last = sha256(b"\x00" + leaf), n - 1
    for other in path:
        if last == 0:
            return None
        if i & 1 or i == last:
            node = sha256(b"\x01" + other + node)
            while i and not i & 1:
                i, last = i >> 1, last >> 1
        else:
            node = sha256(b"\x01" + node + other)
        i, last = i >> 1, last >> 1
    return node if last == 0 else None


class Receipt:
    """What one person was given, and the record that it is held against, if there is one."""

    def __init__(self, data: bytes, subject: Record | None, checks: list[Check]) -> None:
        self.data, self.record, self.checks = data, subject, checks
        self.document: dict[str, Any] = {}
        self.leaf = self.c_id = b""

    def check_encoding(self) -> dict[str, Any]:
        """It has its form."""
        need(len(self.data) <= RECEIPT_LIMIT, "too_big", name="receipt", limit=RECEIPT_LIMIT)
        self.document = document = parse_file("receipt", self.data)
        record(document, *RECEIPT_KEYS)
        need(document["format"] == "klero-receipt/1", "bad", what="format")
        need(re.fullmatch("[a-z0-9-]{1,60}", string(document["draw"])) is not None, "bad", what="draw")
        for pair in array(document["attributes"]):
            for text in array(pair, 2):
                string(text)
        tag = string(document["household"])
        hexed(tag, 16 if tag else 0)
        whole(document["weight"], 1, MOST_WEIGHT)
        whole(document["leaf"], 0, whole(document["leaves"], 1) - 1)
        for digest in (document["commitment"], document["root"], *array(document["path"])):
            hexed(digest, 32)
        salt = hexed(document["salt"], 32)
        read_identity(document["identity"])
        opening = {key: document[key] for key in ("attributes", "household", "weight")}
        self.c_id = mac(mac(salt, b"klero/salt/id/v1"), canonical(document["identity"]))
        c_type = mac(mac(salt, b"klero/salt/type/v1"), canonical(opening))
        self.leaf = seq("klero/leaf/v1", [document["draw"].encode(), self.c_id, c_type])
        return {"draw": document["draw"], "i": document["leaf"], "n": document["leaves"]}

    def check_path(self) -> dict[str, Any]:
        """The leaf leads to the root."""
        document = self.document
        path = [bytes.fromhex(node) for node in document["path"]]
        root = climbed(self.leaf, document["leaf"], document["leaves"], path)
        need(root is not None and root.hex() == document["root"], "bad_path")
        return {"hex": document["root"]}

    def check_record(self) -> dict[str, Any]:
        """It is of this record."""
        if self.record is None:
            raise NotMade("no_record")
        failed = next((check for check in self.checks if check.status == "FAIL"), None)
        need(failed is None, "bad_record", name=failed.name if failed else "")
        document, start = self.document, self.record.commitments[0]
        need(document["draw"] == self.record.draw, "bad", what="draw")
        need(document["leaves"] == self.record.n, "bad", what="leaves")
        need(document["root"] == start.body["leaves"], "bad", what="root")
        need(self.record.leaves[document["leaf"]] == self.leaf, "bad", what="leaf")
        need(document["commitment"] == start.hash.hex(), "bad", what="commitment")
        return {"hex": document["commitment"]}

    def check_ticket(self) -> dict[str, Any]:
        """The ticket in each round that was drawn, and whether there was a seat."""
        if self.record is None or not self.record.draws:
            raise NotMade("no_draw")
        rows = []
        for draw, (_, seed) in zip(self.record.draws, self.record.seeds):
            (ticket,) = tickets(seed, [self.leaf + self.c_id])
            seats = int(self.leaf.hex() in draw.body["panel"])
            rows.append({"r": draw.round, "seats": seats, "hex": ticket.hex()})
        return several("receipt.round", rows)


RECEIPT_CHECKS: list[Step] = [
    ("encoding", (), Receipt.check_encoding),
    ("path", ("encoding",), Receipt.check_path),
    ("record", ("path",), Receipt.check_record),
    ("ticket", ("record",), Receipt.check_ticket),
]


# ---------------------------------------------------------------- running the checks


def with_place(kind: str, number: int, check: Callable[..., Any], *arguments: Any) -> Any:
    """What the check returns; where it fails, the reason says in which entry or round. `kind` may be "" (there is only one)."""
    try:
        return check(*arguments)
    except Failed as failed:
        if kind:
            failed.values.setdefault("place", (kind, number))
        raise
    except GARBAGE as error:
        reason = str(error)[:80] or type(error).__name__
        raise Failed("garbage", kind=reason, **({"place": (kind, number)} if kind else {})) from None


def several(key: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The values of a text for several rounds or entries."""
    return {"each": key, "rows": rows}


def told(key: str, values: dict[str, Any], french: bool) -> str:
    """A text of TEXTS with these values; rows, if there are any, one after the other."""
    place, each = values.get("place"), values.get("each")
    front = TEXTS[place[0]][french].format(where=place[1]) if place else ""
    if each is not None:
        items = "; ".join(told(each, row, french) for row in values["rows"])
        return front + (items if each == key else TEXTS[key][french].format(items=items))
    return front + TEXTS[key][french].format(**values)


def run(subject: Any, steps: list[Step], lang: str, prefix: str = "") -> list[Check]:
    """All steps, in order. One that needs a failed one fails; one that needs one that was not made is not made."""
    done: dict[str, Check] = {}
    for name, needs, check in steps:
        try:
            for other in needs:
                need(done[other].status != "FAIL", "blocked", name=other)
            for other in needs:
                if done[other].status == "--":
                    raise NotMade("not_made", name=other)
            values, status = check(subject), "ok"
            key = prefix + name if prefix + name in TEXTS else name
        except NotMade as left:
            key, values, status = left.key, left.values, "--"
        except Failed as failed:
            key, values, status = failed.key, failed.values, "FAIL"
        except GARBAGE as error:
            key, values, status = "garbage", {"kind": str(error)[:80] or type(error).__name__}, "FAIL"
        done[name] = Check(name, status, told(key, values, lang == "fr"))
    return list(done.values())


def verify(files: dict[str, bytes], lang: str = "en") -> list[Check]:
    """All checks of a trial's bundle, in order; those of a draw if there is one."""
    return run(Bundle(files), LOTTERY_CHECKS + (DRAW_CHECKS if DRAW_FILE in files else []), lang)


def verify_record(files: Mapping[str, bytes], lang: str = "en") -> list[Check]:
    """All checks of a record, in order. `files` are its files' bytes by their names ("public/declaration.json", …)."""
    return examined(files, lang)[0]


def examined(files: Mapping[str, bytes], lang: str) -> tuple[list[Check], Record]:
    """All checks of a record, and what they have read; `lacking` names those that have something to check and lacked the means."""
    subject = Record(files)
    return run(subject, RECORD_CHECKS, lang, "record."), subject


def verify_receipt(
    data: bytes, files: Mapping[str, bytes] | None = None, lang: str = "en"
) -> tuple[list[Check], list[str]]:
    """All checks of a receipt, held against a record's files where they are given, and what the record's checks lacked the means for."""
    checks, subject = ([], None) if files is None else examined(files, lang)
    receipt = Receipt(data, subject, checks)
    return run(receipt, RECEIPT_CHECKS, lang, "receipt."), subject.lacking if subject else []


# ---------------------------------------------------------------- folders, ZIPs and the command line


def shown(name: str) -> str:
    """A name on the disk as text, whatever its bytes."""
    return os.fsencode(name).decode("utf-8", "replace")


def read_folder(path: str) -> dict[str, bytes]:
    """The files of a bundle. What is no plain file counts as foreign; oversized ones are cut above the limit."""
    files: dict[str, bytes] = {}
    with os.scandir(path) as entries:
        for entry in entries:
            name = shown(entry.name)
            if not entry.is_file(follow_symlinks=False):
                files[name + "/"] = b""
            elif entry.name in FILES or entry.name == DRAW_FILE:
                with open(entry.path, "rb") as stream:  # noqa: PTH123
                    files[name] = stream.read(FILE_LIMIT + 1)
            else:
                files[name] = b""
    return files


def read_record(path: str) -> dict[str, bytes]:
    """The files of a record, from its folder or its ZIP. What should not be there, or is too large to be read, stands under
    a name that `files` refuses; at most the bytes of a record are held.

    Raises:
        OSError: there is nothing at the path that can be read as a folder or a plain file.
    """
    if os.path.isdir(path):  # noqa: PTH112
        return read_tiers(path)
    if not os.path.isfile(path):  # noqa: PTH113 -- a pipe might never end
        raise FileNotFoundError(path)
    with open(path, "rb") as stream:  # noqa: PTH123
        try:
            return read_zip(stream)
        except Failed as failed:
            return {REFUSED: failed.values["why"].encode()}


def read_tiers(path: str) -> dict[str, bytes]:
    """The record in a folder."""
    files: dict[str, bytes] = {}
    with os.scandir(path) as tiers:
        for tier in tiers:
            name = shown(tier.name)
            if not tier.is_dir(follow_symlinks=False):
                files[name] = b""
            elif name in TIERS:
                before = len(files)
                read_tier(tier.path, name, files)
                if len(files) == before:
                    files[name + "/"] = b""
            elif name != "receipts":
                files[name + "/"] = b""
            if len(files) > MOST_FILES:
                break
    return files


def read_tier(path: str, tier: str, files: dict[str, bytes]) -> None:
    """The files of one tier, as long as there is room for them."""
    room = RECORD_LIMIT - sum(map(len, files.values()))
    with os.scandir(path) as entries:
        for entry in entries:
            name = f"{tier}/{shown(entry.name)}"
            known = (
                name in (DECLARATION, LEAVES, SEALED)
                or ENTRY_NAME.fullmatch(name)
                or AUDITOR_NAME.fullmatch(name)
            )
            if not entry.is_file(follow_symlinks=False):
                files[name + "/"] = b""
            elif not known:
                files[name] = b""
            else:
                most = min(RECORD_FILE_LIMIT, room)
                with open(entry.path, "rb") as stream:  # noqa: PTH123
                    files[name] = stream.read(most + 1)
                room -= len(files[name])
                if len(files[name]) > most:
                    return
            if len(files) > MOST_FILES:
                return


def zip_headers(name: bytes, content: bytes, offset: int) -> tuple[bytes, bytes]:
    """The local and the central header of a file: stored, of 1 January 1980, with nothing that could be otherwise."""
    crc, size = binascii.crc32(content), len(content)
    same = (0, 0, 0, 0x21, crc, size, size, len(name))
    local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 10, *same, 0)
    central = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 10, *same, 0, 0, 0, 0, 0, offset)
    return local + name, central + name


def read_zip(stream: IO[bytes]) -> dict[str, bytes]:
    """The record in a ZIP, if its bytes are those of the ZIP that its files make. It is read once, from the front."""
    files: dict[str, bytes] = {}
    central, offset, total, last = b"", 0, 0, b""
    head = stream.read(30)
    while head[:4] == b"PK\x03\x04" and len(head) == 30:
        size, length = struct.unpack("<L", head[22:26])[0], struct.unpack("<H", head[26:28])[0]
        total += size
        why = f"file {len(files) + 1}"
        fits = (
            size <= RECORD_FILE_LIMIT and total <= RECORD_LIMIT and length <= 64 and len(files) < MOST_FILES
        )
        need(fits, "refused", why=why)
        name, content = stream.read(length), stream.read(size)
        local, entry = zip_headers(name, content, offset)
        need(local == head + name and last < name and name.isascii(), "refused", why=why)
        files[name.decode("ascii")] = content
        central, offset, last = central + entry, offset + len(local) + size, name
        head = stream.read(30)
    count = len(files)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(central), offset, 0)
    rest = head + stream.read(len(central) + len(end) + 1)
    need(rest == central + end, "refused", why="directory")
    return files


def is_record(path: str) -> bool:
    """Whether to read a path as a record: a ZIP is one, and a folder that has a tier in it."""
    return not os.path.isdir(path) or any(os.path.lexists(os.path.join(path, tier)) for tier in TIERS)  # noqa: PTH112, PTH118


def summed(checks: list[Check], lacking: list[str], french: bool) -> str:
    """The last line: how many checks passed, and which were not made here, by reason."""
    left: dict[str, list[str]] = {}
    for check in checks:
        if check.status == "--":
            left.setdefault(check.detail.partition("; ")[0], []).append(check.name)
    why = "; ".join(f"{', '.join(names)} ({reason})" for reason, names in left.items())
    failed = [check.name for check in checks if check.status == "FAIL"]
    key = "summed_bad" if failed else "summed_lacking" if lacking else "summed"
    return TEXTS[key][french].format(
        name=failed[0] if failed else "",
        lacking=", ".join(lacking),
        passed=sum(check.ok for check in checks),
        failed=len(failed),
        all=len(checks),
        left=sum(map(len, left.values())),
        why=("\u00a0: " if french else ": ") + why if why else "",
    )


def report_bundle(checks: list[Check], as_json: bool, french: bool) -> str:
    """What is printed of a trial's bundle."""
    failed = next((check for check in checks if not check.ok), None)
    if as_json:
        listed = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks]
        return json.dumps({"checks": listed, "ok": failed is None}, ensure_ascii=True)
    key, name = ("not_all_ok", failed.name) if failed else ("all_ok", "")
    return "\n".join([*lines(checks, 11), TEXTS[key][french].format(name=name)])


def report_record(checks: list[Check], lacking: list[str], as_json: bool, french: bool) -> str:
    """What is printed of a record."""
    if not as_json:
        return "\n".join([*lines(checks, 20), summed(checks, lacking, french)])
    counts = Counter(check.status for check in checks)
    document = {
        "checks": [check._asdict() for check in checks],
        "ok": not counts["FAIL"] and not lacking,
        "passed": counts["ok"],
        "failed": counts["FAIL"],
        "not_checked": counts["--"],
        "lacking": lacking,
    }
    return json.dumps(document, ensure_ascii=True)


def lines(checks: list[Check], width: int) -> list[str]:
    """A line a check."""
    return [f"{check.status:<4}  {check.name:<{width}}  {check.detail}".rstrip() for check in checks]


def read_receipt(path: str) -> bytes:
    """The bytes of a plain file, cut above the limit."""
    if not os.path.isfile(path):  # noqa: PTH113 -- a pipe might never end
        raise FileNotFoundError(path)
    with open(path, "rb") as stream:  # noqa: PTH123
        return stream.read(RECEIPT_LIMIT + 1)


def options_of(arguments: list[str]) -> argparse.Namespace:
    """The command line, read."""
    of_receipt = arguments[:1] == ["receipt"]
    what = "the receipt of one person" if of_receipt else "the record of a draw, or a klero bundle"
    program = os.path.basename(sys.argv[0]) + " receipt" * of_receipt  # noqa: PTH119
    parser = argparse.ArgumentParser(program, description=f"Recheck {what}.")
    if of_receipt:
        parser.add_argument("path", metavar="FILE", help="the receipt")
        parser.add_argument(
            "--record", metavar="PATH", help="the folder or ZIP of the record to hold it against"
        )
    else:
        text = (
            "the folder or ZIP of the record, or the folder of the bundle; or «receipt FILE [--record PATH]»"
        )
        parser.add_argument("path", help=text)
    parser.add_argument("--lang", choices=("en", "fr"), default="en", help="language of the output")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    found = parser.parse_args(arguments[of_receipt:])
    found.of_receipt = of_receipt
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    options = options_of(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    french, path = options.lang == "fr", options.path
    data, files, key = b"", None, "no_file" if options.of_receipt else "no_path"
    of_record = options.of_receipt or is_record(path)
    try:
        if options.of_receipt:
            data, path, key = read_receipt(path), options.record, "no_path"
        if path is not None:
            files = read_record(path) if of_record else read_folder(path)
    except (OSError, ValueError):
        print(TEXTS[key][french].format(path=path), file=sys.stderr)
        return 2
    lacking: list[str] = []
    if options.of_receipt:
        checks, lacking = verify_receipt(data, files, options.lang)
    elif of_record:
        checks, subject = examined(files or {}, options.lang)
        lacking = subject.lacking
    else:
        checks = verify(files or {}, options.lang)
    printed = report_record(checks, lacking, options.json, french)
    print(printed if of_record else report_bundle(checks, options.json, french))
    return 1 if any(check.status == "FAIL" for check in checks) else 3 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
