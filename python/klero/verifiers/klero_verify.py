#!/usr/bin/env python3
"""Is this the lottery that was promised, is it as fair as it says, and does the panel follow from the seed?

Rechecks a klero bundle with Python's standard library alone (3.9 or newer): no klero, no solver, no network,
no floats. Written from the specification, `docs/audit/bundle.md`, whose names and checks it follows. What it
can't tell: whether the people in the pool exist, and whether the seed was left to chance.

    python klero_verify.py BUNDLE [--lang en|fr] [--json]

prints one line a check. Exit codes: 0 all passed, 1 a check failed, 2 wrong usage.
"""

# ruff: noqa: B905, RUF007 -- Python 3.9 knows neither zip(strict=True) nor itertools.pairwise.
from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import re
import sys
from collections.abc import Callable
from fractions import Fraction
from math import gcd
from typing import Any, NamedTuple
from unicodedata import is_normalized

FILES = ("certificate.json", "commitment.json", "declaration.json", "lottery.json", "pool.json")
DRAW_FILE = "draw.json"
FILE_LIMIT = 64 << 20
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
    "not_all_ok": ("NOT VALID: «{name}» failed.", "NON VALIDE : « {name} » a échoué."),
    "blocked": ("not checked: {name} failed", "non contrôlé : {name} a échoué"),
    "garbage": ("not as it should be: {kind}", "non conforme : {kind}"),
    "bad": ("{what}: not as it should be", "{what} : non conforme"),
    "files": ("files: {n}", "fichiers : {n}"),
    "missing": ("{name} is missing", "{name} manque"),
    "foreign": ("{name!r} is no file of a bundle", "{name!r} n'a pas sa place ici"),
    "encoding": ("bytes: {n}", "octets : {n}"),
    "too_big": ("{name}: more than {limit} bytes", "{name} : plus de {limit} octets"),
    "not_canonical": ("{name} is not canonical JSON: {why}", "{name} n'est pas du JSON canonique : {why}"),
    "declaration": ("seats: {k}, features: {f}, cells: {c}", "sièges : {k}, critères : {f}, cases : {c}"),
    "pool": ("people: {n}, types: {types}", "personnes : {n}, types : {types}"),
    "commitment": ("{hex}", "{hex}"),
    "bad_hash": ("the hash of «{what}» is another", "l'empreinte « {what} » est une autre"),
    "lottery": ("panels: {n}", "panels : {n}"),
    "quotas": ("cells: {c}, panels: {n}", "cases : {c}, panels : {n}"),
    "certificate": ("levels: {n}, proof trees: {trees}", "niveaux : {n}, arbres de preuve : {trees}"),
    "too_much": (
        "proof leaves and levels × types: more than {limit}",
        "feuilles de preuve et niveaux × types : plus de {limit}",
    ),
    "bad_bound": (
        "level {i}: the bound isn't the stated value",
        "niveau {i} : la borne n'est pas la valeur dite",
    ),
    "unsettled": ("the levels don't settle all types", "les niveaux ne couvrent pas tous les types"),
    "gap": ("{level}, at most {gap}", "{level}, au plus {gap}"),
    "bad_gap": (
        "the stated gap or level is not the real one",
        "l'écart ou le niveau annoncé n'est pas le vrai",
    ),
    "no_ball": ("somebody who can sit has no ball", "une personne qui peut siéger n'a aucune boule"),
    "draw.seed": ("TRIAL, {hex}", "ESSAI, {hex}"),
    "draw.index": ("position {u}, entry {e}", "position {u}, entrée {e}"),
    "bad_index": (
        "expected: position {u}, rejected {j}, entry {e}",
        "attendus : position {u}, rejets {j}, entrée {e}",
    ),
    "draw.panel": ("people: {n}", "personnes : {n}"),
    "bad_rule": (
        "the panel has another size, or too many of one household",
        "le panel n'a pas sa taille, ou trop de membres d'un foyer",
    ),
    "bad_people": ("the tickets give another panel", "les tickets donnent un autre panel"),
}


class Failed(Exception):  # noqa: N818
    """A check failed; `key` names the reason in TEXTS."""

    def __init__(self, key: str, **values: Any) -> None:
        super().__init__(key)
        self.key, self.values = key, values


class Check(NamedTuple):
    """One check and how it went."""

    name: str
    ok: bool
    detail: str


def need(condition: bool, key: str, **values: Any) -> None:
    """Fails with a reason unless the condition holds."""
    if not condition:
        raise Failed(key, **values)


# ---------------------------------------------------------------- bytes and hashes

STRING = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


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
        again = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode("utf-8")
        need(again == data, "not_canonical", why="form")
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
    return hmac.new(key, message, hashlib.sha256).digest()


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


def tickets(seed: bytes, leaves: list[bytes]) -> list[bytes]:
    """The ticket of each leaf."""
    key = mac(seed, b"klero/tickets/v1")
    return [mac(key, leaf) for leaf in leaves]


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


# ---------------------------------------------------------------- the checks


class Bundle:
    """The files, and what the checks have read so far."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.documents: dict[str, Any] = {}
        self.features: list[tuple[str, list[str]]] = []
        self.size = self.denominator = self.n = self.entry = 0
        self.objective = ""
        self.claim: Claim | None = None
        self.rules = Rules(0, [], [], [], [])
        self.weights: list[int] = []
        self.most = 0
        self.ids: list[str] = []
        self.kinds: list[int] = []
        self.homes: list[list[int]] = []
        self.home: dict[int, int] = {}
        self.leaves: list[bytes] = []
        self.panels: list[tuple[int, list[list[int]]]] = []
        self.levels: list[Level] = []
        self.gap = Fraction(0)
        self.level = ""
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
            try:
                self.documents[name] = parse(data)
            except Failed as failed:
                raise Failed("not_canonical", name=name, why=failed.values["why"]) from None
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
        return {"k": self.size, "f": len(self.features), "c": len(self.rules.bounds)}

    def check_pool(self) -> dict[str, Any]:
        """People, types and households are in order and belong together."""
        homes, people, types, heavy = record(
            self.documents["pool.json"], "households", "people", "types", "weights"
        )
        firsts = [sum(len(values) for _, values in self.features[:f]) for f in range(len(self.features))]
        self.weights = [whole(w, 1, MOST_WEIGHT) for w in array(heavy, len(array(types)))]
        for i, kind in enumerate(types):
            indices = [
                whole(v, 0, len(values) - 1)
                for v, (_, values) in zip(array(kind, len(firsts)), self.features)
            ]
            need(i == 0 or (types[i - 1], heavy[i - 1]) < (kind, heavy[i]), "bad", what=f"type {i}")
            self.rules.type_cells.append([first + v for first, v in zip(firsts, indices)])
        counts = [0] * len(types)
        for i, person in enumerate(array(people)):
            name, t = array(person, 2)
            need(string(name) > (self.ids[-1] if self.ids else ""), "bad", what=f"person {i}")
            counts[whole(t, 0, len(types) - 1)] += 1
            self.ids.append(name)
            self.kinds.append(t)
        need(0 not in counts and len(people) == self.n, "bad", what="people")
        shares = [n * w for n, w in zip(counts, self.weights)]
        self.rules = self.rules._replace(size=self.size, people=counts, shares=shares)
        self.check_must_sit(types)
        self.homes = [[whole(i, 0, self.n - 1) for i in array(members)] for members in array(homes)]
        self.check_households(types)
        bodies = []
        for kind, weight in zip(types, self.weights):
            pairs = [[name, values[v]] for (name, values), v in zip(self.features, kind)]
            text = json.dumps(pairs, ensure_ascii=False, separators=(",", ":"))
            bodies.append([text.encode(), str(weight).encode()])
        for i, (name, t) in enumerate(zip(self.ids, self.kinds)):
            first = self.ids[self.homes[self.home[i]][0]] if i in self.home else ""
            self.leaves.append(seq("klero/leaf/trial/v2", [name.encode(), *bodies[t], first.encode()]))
        return {"n": self.n, "types": len(types)}

    def check_must_sit(self, types: list[list[int]]) -> None:
        """Whoever must sit has a seat on every panel: the value «yes» has as many seats as people, no fewer and no more."""
        names = [name for name, _ in self.features]
        if MUST_SIT not in names:
            return
        f = names.index(MUST_SIT)
        values, first = self.features[f][1], sum(len(values) for _, values in self.features[:f])
        need(values in (["no", "yes"], ["yes"]), "bad", what=MUST_SIT)
        yes = len(values) - 1
        people = sum(types[t][f] == yes for t in self.kinds)
        need(self.rules.bounds[first + yes] == (people, people), "bad", what=MUST_SIT)

    def check_households(self, types: list[list[int]]) -> None:
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
        values, first = self.features[f][1], sum(len(values) for _, values in self.features[:f])
        lists: list[list[list[int]]] = [[] for _ in values]
        for number, members in enumerate(self.homes):
            value = types[self.kinds[members[0]]][f]
            need(all(types[self.kinds[i]][f] == value for i in members), "bad", what=f"household {number}")
            lists[value].append(members)
        for v, alike in enumerate(lists):
            compositions = {tuple(sorted(self.kinds[i] for i in members)) for members in alike}
            own = sum(types[t][f] == v for t in self.kinds)
            need(len(compositions) <= 1, "bad", what=f"household value {v}")
            most = self.size if values[v] == ALONE else self.most * len(alike)
            need(self.rules.bounds[first + v] == (0, most), "bad", what=f"household value {v}")
            if values[v] == ALONE:
                need(not alike, "bad", what=f"household value {v}")
            else:
                need(own == sum(map(len, alike)), "bad", what=f"household value {v}")

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
        """Panels are in order, and their counts sum to M."""
        (panels,) = record(self.documents["lottery.json"], "panels")
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

    def check_certificate(self) -> dict[str, Any]:
        """Every level's claim is true, and the types are settled as the objective asks."""
        with_claim = self.objective not in ("leximin", "maximin")
        keys = ("gap", "level", "levels", "claim")[: 3 + with_claim]
        gap, self.level, levels, *claims = record(self.documents["certificate.json"], *keys)
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
        won = [0] * len(self.rules.people)
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
        left = u
        while left >= self.panels[self.entry][0]:
            left -= self.panels[self.entry][0]
            self.entry += 1
        expected = {"position": u, "rejected": j, "entry": self.entry}
        draw = self.documents[DRAW_FILE]
        need({key: draw[key] for key in expected} == expected, "bad_index", u=u, j=j, e=self.entry)
        return {"u": u, "e": self.entry}

    def check_panel(self) -> dict[str, Any]:
        """The lowest tickets of each type have its seats; households are dealt theirs first."""
        seats: dict[int, int] = {pair[0]: pair[1] for pair in self.panels[self.entry][1]}
        lots = tickets(self.seed, self.leaves)
        left = self.dealt(seats, lots)
        drawn: list[int] = []
        for i in sorted(range(self.n), key=lots.__getitem__):
            place = (self.home.get(i, -1), self.kinds[i])
            if place[0] < 0:
                left.setdefault(place, seats.get(place[1], 0))
            if left.get(place, 0) > 0:
                left[place] -= 1
                drawn.append(i)
        for members in self.homes:
            need(len(set(members) & set(drawn)) <= self.most, "bad_rule")
        need(len(drawn) == self.size, "bad_rule")
        need(sorted(self.ids[i] for i in drawn) == self.documents[DRAW_FILE]["panel"], "bad_people")
        return {"n": len(drawn)}

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


Step = tuple[str, tuple[str, ...], Callable[[Bundle], dict[str, Any]]]
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


def rounded_up(gap: Fraction) -> str:
    """A fraction as a decimal that is never below it, in integers alone."""
    nanos = -(-gap.numerator * 10**9 // gap.denominator)
    return f"{nanos // 10**9}.{nanos % 10**9:09d}".rstrip("0").rstrip(".")


def verify(files: dict[str, bytes], lang: str = "en") -> list[Check]:
    """All checks, in order; those of a draw if there is one."""
    bundle, done = Bundle(files), []
    failures = set()
    for name, needs, check in LOTTERY_CHECKS + (DRAW_CHECKS if DRAW_FILE in files else []):
        try:
            for other in needs:
                need(other not in failures, "blocked", name=other)
            key, values, ok = name, check(bundle), True
        except Failed as failed:
            key, values, ok = failed.key, failed.values, False
        except (ValueError, TypeError, RecursionError, MemoryError, OverflowError) as error:
            key, values, ok = "garbage", {"kind": str(error)[:80] or type(error).__name__}, False
        if not ok:
            failures.add(name)
        done.append(Check(name, ok, TEXTS[key][lang == "fr"].format(**values)))
    return done


def read_folder(path: str) -> dict[str, bytes]:
    """The files of a bundle. What is no plain file counts as foreign; oversized ones are cut above the limit."""
    files: dict[str, bytes] = {}
    with os.scandir(path) as entries:
        for entry in entries:
            name = os.fsencode(entry.name).decode("utf-8", "replace")
            if not entry.is_file(follow_symlinks=False):
                files[name + "/"] = b""
            elif entry.name in FILES or entry.name == DRAW_FILE:
                with open(entry.path, "rb") as stream:  # noqa: PTH123
                    files[name] = stream.read(FILE_LIMIT + 1)
            else:
                files[name] = b""
    return files


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Recheck a klero bundle.")
    parser.add_argument("bundle", help="the folder of the bundle")
    parser.add_argument("--lang", choices=("en", "fr"), default="en", help="language of the output")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    french = options.lang == "fr"
    try:
        files = read_folder(options.bundle)
    except (OSError, ValueError):
        print(TEXTS["no_folder"][french].format(path=options.bundle), file=sys.stderr)
        return 2
    checks = verify(files, options.lang)
    failed = next((check for check in checks if not check.ok), None)
    if options.json:
        print(
            json.dumps(
                {"checks": [check._asdict() for check in checks], "ok": failed is None}, ensure_ascii=True
            )
        )
    else:
        for check in checks:
            print(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:<11}  {check.detail}".rstrip())
        print(
            TEXTS["all_ok"][french]
            if failed is None
            else TEXTS["not_all_ok"][french].format(name=failed.name)
        )
    return 0 if failed is None else 1


if __name__ == "__main__":
    sys.exit(main())
