"""Writes the golden vectors beside it: what the ledger's bytes must be, whoever computes them.

A third, deliberately plain program (standard library alone, no klero) after `docs/audit/bundle.md`. Run it and look at the diff:

    python tests/vectors/generate.py          rewrites the files
    python tests/vectors/generate.py --check  exits 1 if they would change
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, "sha256").digest()


def seq(label: str, items: list[bytes]) -> bytes:
    parts = [len(label).to_bytes(8, "big"), label.encode(), len(items).to_bytes(8, "big")]
    for item in items:
        parts += [len(item).to_bytes(8, "big"), item]
    return sha(b"".join(parts))


def root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return sha(b"\x00" + leaves[0])
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha(b"\x01" + root(leaves[:k]) + root(leaves[k:]))


def leaf(person: str, attributes: list[list[str]], weight: int = 1, household: str = "") -> bytes:
    items = [person.encode(), dump(attributes), str(weight).encode(), household.encode()]
    return seq("klero/leaf/trial/v2", items)


def index(seed: bytes, m: int) -> tuple[int, int]:
    j = 0
    while True:
        x = int.from_bytes(mac(seed, b"klero/index/v1\x00" + j.to_bytes(8, "big")), "big")
        if x < 2**256 // m * m:
            return x % m, j
        j += 1


def canonical_cases() -> list[dict[str, Any]]:
    good = {
        "empty object": b"{}",
        "empty array": b"[]",
        "largest integer": b"9007199254740991",
        "smallest integer": b"-9007199254740991",
        "sorted keys": b'{"":0,"A":1,"a":{"b":[]}}',
        "every escape": b'"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\"\\\\"',
        "no escape where none is needed": '"/\x7f\u2028é€😀"'.encode(),
        "a lone accent after an escape is in NFC": '"\\n\u0303"'.encode(),
        "16 deep": b"[" * 16 + b"]" * 16,
        "brackets in a string are not depth": b'["' + b"[" * 40 + b'"]',
    }
    bad = {
        "nothing": b"",
        "space": b'{"a": 1}',
        "final line end": b"{}\n",
        "byte order mark": b"\xef\xbb\xbf{}",
        "two values": b"{}{}",
        "unsorted keys": b'{"b":1,"a":2}',
        "a key twice": b'{"a":1,"a":1}',
        "key not ASCII": '{"é":1}'.encode(),
        "float": b"1.0",
        "exponent": b"1e3",
        "2^53": b"9007199254740992",
        "-2^53": b"-9007199254740992",
        "hundreds of digits": b"9" * 5000,
        "leading zero": b"01",
        "minus zero": b"-0",
        "plus": b"+1",
        "true": b"true",
        "null": b"[null]",
        "NaN": b"NaN",
        "not UTF-8": b'"\xff"',
        "surrogate in UTF-8": b'"\xed\xa0\x80"',
        "escaped surrogate": b'"\\ud800"',
        "escaped letter": b'"\\u0061"',
        "escaped slash": b'"\\/"',
        "upper-case escape": b'"\\u001F"',
        "long escape": b'"\\u000a"',
        "raw control": b'"\t"',
        "not NFC": '"e\u0301"'.encode(),
        "no end": b'"abc',
        "trailing comma": b"[1,]",
        "leading comma": b"[,1]",
        "no comma": b'["a""b"]',
        "17 deep": b"[" * 17 + b"]" * 17,
        "very deep": b"[" * 100000,
        "deep objects": b'{"":' * 17 + b"0" + b"}" * 17,
        "wrong bracket": b"[}",
        "single quotes": b"{'a':1}",
    }
    cases = [(name, data, True) for name, data in good.items()] + [
        (name, data, False) for name, data in bad.items()
    ]
    return [{"name": name, "runs": runs(data), "valid": valid} for name, data, valid in cases]


def runs(data: bytes) -> list[list[Any]]:
    """Bytes as hex, or for long repetitions as [hex of a byte, times]."""
    out: list[list[Any]] = []
    for byte in data:
        if out and out[-1][0] == f"{byte:02x}":
            out[-1][1] += 1
        else:
            out.append([f"{byte:02x}", 1])
    return out


def hash_cases() -> dict[str, Any]:
    tuples = [
        ("a", []),
        ("a", [b""]),
        ("", [b"a"]),
        ("klero/test", [b"ab", b"c"]),
        ("klero/test", [b"a", b"bc"]),
    ]
    pairs = [["age", "16-24"], ["genre", "femme"]]
    people = [("1", []), ('Zoë "Z"\n', pairs), ("P017", pairs)]
    seeds = [sha(bytes([i])) for i in range(4)]
    moduli = [1, 2, 3, 7, 1000, 10**6, 10**12, 2**64 + 13, 2**255 + 1, 2**256 - 1, 2**256]
    positions = []
    for seed in seeds:
        for m in moduli:
            u, rejected = index(seed, m)
            positions.append({"seed": seed.hex(), "m": str(m), "position": str(u), "rejected": rejected})
    assert any(case["rejected"] > 1 for case in positions)
    leaves = [leaf(str(i), pairs) for i in range(5)]
    key = mac(seeds[0], b"klero/tickets/v1")
    return {
        "seq": [{"label": a, "items": [i.hex() for i in b], "hash": seq(a, b).hex()} for a, b in tuples],
        "leaf": [
            {"id": a, "attributes": b, "weight": w, "household": h, "leaf": leaf(a, b, w, h).hex()}
            for a, b in people
            for w, h in ((1, ""), (250, "A7"))
        ],
        "merkle": [
            {"leaves": [i.hex() for i in some], "root": root(some).hex()}
            for some in ([bytes([i]) * i for i in range(n)] for n in (0, 1, 2, 3, 4, 5, 7, 8, 9, 33))
        ],
        "seed": [
            {
                "commitment": seeds[0].hex(),
                "text": t,
                "seed": seq("klero/seed/trial/v1", [seeds[0], t.encode()]).hex(),
            }
            for t in ("demo", "première répétition", "20261123")
        ],
        "position": positions,
        "tickets": {
            "seed": seeds[0].hex(),
            "leaves": [i.hex() for i in leaves],
            "tickets": [mac(key, i).hex() for i in leaves],
        },
    }


def bundle(
    features: list[Any], types: list[list[int]], people: dict[str, int], panels: list[Any], **more: Any
) -> dict[str, str]:
    """The files of a bundle. Whoever changes an input makes sure that panels meet quotas; the certificate's values are computed."""
    m, k = more["denominator"], more["size"]
    ids = sorted(people)
    weights = more.get("weights", [1] * len(types))
    homes: list[list[str]] = more.get("households", [])
    declaration = {
        "algorithm": "klero-lottery/2",
        "denominator": m,
        "features": [
            {"name": name, "values": [{"max": b, "min": a, "value": v} for v, a, b in values]}
            for name, values in features
        ],
        "format": "klero-bundle/2",
        "household": more.get("household", 0),
        "id_column": "id",
        "kind": "trial",
        "objective": more["objective"],
        "people": len(ids),
        "protocol": "klero-draw/1",
        "size": k,
    }
    named = [[[f[0], f[1][v][0]] for f, v in zip(features, kind, strict=True)] for kind in types]
    first = {i: members[0] for members in homes for i in members}
    leaves = {i: leaf(i, named[people[i]], weights[people[i]], first.get(i, "")) for i in ids}
    counts = [sum(t == u for u in people.values()) for t in range(len(types))]
    chances = [
        sum(c * dict(map(tuple, p)).get(t, 0) for c, p in panels) * Fraction(1, m * n)
        for t, n in enumerate(counts)
    ]
    shortfalls = [
        weights[t] * Fraction(level["value"]) - chances[t] for level, group in more["levels"] for t in group
    ]
    split = any(level["proof"] for level, _ in more["levels"]) or any(
        node.get("scale") != "1" for node in more.get("claim", {"proof": []})["proof"]
    )
    certificate = {
        "gap": str(max([Fraction(0), *shortfalls])),
        "level": "L1" if split else "L0",
        "levels": [level for level, _ in more["levels"]],
    }
    if "claim" in more:
        certificate |= {"claim": more["claim"], "gap": str(more["gap"](chances))}
    files = {
        "certificate.json": dump(certificate),
        "declaration.json": dump(declaration),
        "lottery.json": dump({"panels": panels}),
        "pool.json": dump(
            {
                "households": [[ids.index(i) for i in members] for members in homes],
                "people": [[i, people[i]] for i in ids],
                "types": types,
                "weights": weights,
            }
        ),
    }
    hashes = {name.split(".")[0]: sha(data) for name, data in files.items()}
    hashes["pool"] = root(sorted(leaves.values()))
    hashes["commitment"] = seq(
        "klero/commit/v1", [hashes[i] for i in ("declaration", "pool", "lottery", "certificate")]
    )
    files["commitment.json"] = dump({name: digest.hex() for name, digest in hashes.items()})
    files["draw.json"] = draw(hashes["commitment"], leaves, people, panels, m, homes, more["seed_text"])
    return {name: files[name].decode() for name in sorted(files)}


def draw(
    commitment: bytes,
    leaves: dict[str, bytes],
    people: dict[str, int],
    panels: list[Any],
    m: int,
    homes: list[list[str]],
    text: str,
) -> bytes:
    seed = seq("klero/seed/trial/v1", [commitment, text.encode()])
    u, rejected = index(seed, m)
    entry = next(e for e in range(len(panels)) if sum(c for c, _ in panels[: e + 1]) > u)
    key = mac(seed, b"klero/tickets/v1")
    order = sorted(leaves, key=lambda i: mac(key, leaves[i]))
    together = {i for members in homes for i in members}
    single = [i for i in order if i not in together]
    drawn = [i for t, s in panels[entry][1] for i in [i for i in single if people[i] == t][:s]]
    drawn += dealt(dict(map(tuple, panels[entry][1])), order, people, homes)
    return dump(
        {
            "commitment": commitment.hex(),
            "entry": entry,
            "format": "klero-draw/1",
            "mark": "TRIAL",
            "panel": sorted(drawn),
            "position": u,
            "rejected": rejected,
            "seed": seed.hex(),
            "seed_kind": "trial",
            "seed_text": text,
        }
    )


def dealt(
    seats: dict[int, int], order: list[str], people: dict[str, int], homes: list[list[str]]
) -> list[str]:
    """Those of households: in each composition the households in the order of their first ticket take the seats in turn."""
    drawn = []
    contents = {tuple(sorted(people[i] for i in members)) for members in homes}
    for content in contents:
        alike = [members for members in homes if tuple(sorted(people[i] for i in members)) == content]
        alike.sort(key=lambda members: min(order.index(i) for i in members))
        queue = [t for t in sorted(set(content)) for _ in range(seats.get(t, 0))]
        for turn, t in enumerate(queue):
            members = alike[turn % len(alike)]
            drawn.append(next(i for i in order if i in members and people[i] == t and i not in drawn))
    return drawn


def household() -> dict[str, str]:
    """Two couples alike and two people alone, one of whom weighs double: 7 shares of 2 seats. At most one of a couple."""
    features = [("(household)", [("1", 0, 2), ("alone", 0, 2)]), ("kind", [("x", 0, 2), ("y", 0, 2)])]
    people = {"a1": 0, "a2": 1, "b1": 0, "b2": 1, "c": 2, "d": 3}
    level = {
        "cells": [],
        "held": [],
        "proof": [],
        "seats": "1",
        "types": [[0, "1"], [1, "1"], [2, "1"], [3, "1"]],
        "value": "2/7",
    }
    panels = [
        [286, [[0, 1], [1, 1]]],
        [143, [[0, 1], [2, 1]]],
        [143, [[0, 1], [3, 1]]],
        [143, [[1, 1], [2, 1]]],
        [142, [[1, 1], [3, 1]]],
        [143, [[2, 1], [3, 1]]],
    ]
    panels[2][0] += 1000 - sum(c for c, _ in panels)
    return bundle(
        features,
        [[0, 0], [0, 1], [1, 0], [1, 0]],
        people,
        panels,
        objective="leximin",
        denominator=1000,
        size=2,
        levels=[(level, [0, 1, 2, 3])],
        weights=[1, 1, 1, 2],
        household=1,
        households=[["a1", "a2"], ["b1", "b2"]],
        seed_text="both at home",
    )


def leximin() -> dict[str, str]:
    """Old people share 1 seat among 3, young ones 2 among 5. The second level has a proof, though it needs none: where at
    most one young woman sits, a leaf over scale 2 whose bound, 3/2, is rounded down to 1."""
    features = [("age", [("old", 1, 1), ("young", 2, 2)]), ("gender", [("f", 1, 2), ("m", 1, 2)])]
    people = {"Zoë": 0, "Ada": 1, 'Ben "B"': 1, "Cy": 2, "Di": 2, "Eve": 2, "Fé\\": 3, "Gus": 3}
    first = {
        "cells": [[0, "1"]],
        "held": [],
        "proof": [],
        "seats": "0",
        "types": [[0, "1"], [1, "1"]],
        "value": "1/3",
    }
    proof = [
        {"above": 2, "at_most": 1, "below": 1, "type": 2},
        {"cells": [[0, "-2"], [1, "1"]], "scale": "2", "seats": "0"},
        {"cells": [[0, "-1"], [1, "1"]], "scale": "1", "seats": "0"},
    ]
    # held −1 on the old, who have 1 seat among 3 at 1/3 each: U = 2 − 1, and (1 + 3·1/3) / 5 = 2/5.
    held = [[0, "-1"], [1, "-1"]]
    second = {
        "cells": [],
        "held": held,
        "proof": proof,
        "seats": "0",
        "types": [[2, "1"], [3, "1"]],
        "value": "2/5",
    }
    panels = [
        [300, [[0, 1], [2, 1], [3, 1]]],
        [33, [[0, 1], [3, 2]]],
        [434, [[1, 1], [2, 1], [3, 1]]],
        [233, [[1, 1], [2, 2]]],
    ]
    return bundle(
        features,
        [[0, 0], [0, 1], [1, 0], [1, 1]],
        people,
        panels,
        objective="leximin",
        denominator=1000,
        size=3,
        levels=[(first, [0, 1]), (second, [2, 3])],
        seed_text="première répétition",
    )


def maximin() -> dict[str, str]:
    """Nobody from abroad may sit. One seat at least is for the two who work, so the other three share one at most: 1/3 each."""
    features = [("home", [("abroad", 0, 0), ("here", 2, 2)]), ("work", [("no", 0, 2), ("yes", 1, 2)])]
    people = {"a1": 0, "h1": 1, "h2": 1, "h3": 1, "w1": 2, "w2": 2}
    never = {"cells": [[0, "1"]], "held": [], "proof": [], "seats": "0", "types": [[0, "1"]], "value": "0"}
    rest = {
        "cells": [[1, "1"], [3, "-1"]],
        "held": [],
        "proof": [],
        "seats": "0",
        "types": [[1, "1"]],
        "value": "1/3",
    }
    return bundle(
        features,
        [[0, 0], [1, 0], [1, 1]],
        people,
        [[990, [[1, 1], [2, 1]]], [10, [[2, 2]]]],
        objective="maximin",
        denominator=1000,
        size=2,
        levels=[(never, [0]), (rest, [1, 2])],
        seed_text="demo",
    )


def claimed(objective: str, claim: dict[str, Any], gap: Any) -> dict[str, str]:
    """Fay is from abroad and shut out, Eve is the one chair and sits always. One old seat for two, one young seat for Cy, Di and Gus, whose
    weight is 2. Open: types 1 to 3 with 6 shares (2, 2, 2) of 2 seats, so the even share is 1/3."""
    features = [
        ("age", [("old", 1, 1), ("young", 2, 2)]),
        ("home", [("abroad", 0, 0), ("here", 3, 3)]),
        ("role", [("any", 0, 3), ("chair", 1, 1)]),
    ]
    people = {"Al": 1, "Bo": 1, "Cy": 2, "Di": 2, "Eve": 4, "Fay": 0, "Gus": 3}
    never = {"cells": [[2, "1"]], "held": [], "proof": [], "seats": "0", "types": [[0, "1"]], "value": "0"}
    return bundle(
        features,
        [[0, 0, 0], [0, 1, 0], [1, 1, 0], [1, 1, 0], [1, 1, 1]],
        people,
        [[501, [[1, 1], [2, 1], [4, 1]]], [499, [[1, 1], [3, 1], [4, 1]]]],
        objective=objective,
        denominator=1000,
        size=3,
        levels=[(never, [0])],
        weights=[1, 1, 1, 2, 1],
        claim=claim,
        gap=gap,
        seed_text="claim",
    )


def nash() -> dict[str, str]:
    """The best has p = 1/2, 1/4, 1/2: c ~ w/p = 2, 4, 4, and old 2 + young 2·4, less Eve's 4, is U = 6 = N. The tree is not needed."""
    proof = [
        {"above": 2, "at_most": 0, "below": 1, "type": 3},
        {"cells": [[0, "4"], [1, "9"]], "scale": "2", "seats": "0"},
        {"cells": [[0, "2"], [1, "4"]], "scale": "1", "seats": "0"},
    ]

    def gap(p: list[Fraction]) -> Fraction:
        # Below: floor((4 + 18 − 9) / 2) = 6, where type 2's 8 − 9 seats nobody; above: 2 + 8 − 4 = 6.
        shares, c = {1: 2, 2: 2, 3: 2}, {1: 2, 2: 4, 3: 4}
        # ceil(10^30·a²/(c·n·p)): Python's // of negated fractions rounds up.
        n = {1: 2, 2: 2, 3: 1}
        terms = sum(-(-(10**30) * Fraction(shares[t] ** 2) / (c[t] * n[t] * p[t]) // 1) for t in c)
        return Fraction(6 * int(terms), 10**30 * 36) - 1

    return claimed("nash", {"proof": proof, "tangent": "0", "weights": [[1, "2"], [2, "4"], [3, "4"]]}, gap)


def goldilocks() -> dict[str, str]:
    """The old have r = 3/2 whatever happens; the young at best 3/4 all. Z = 9·2, Y = 8·4, and Y·(3/4)² = Z. U = −9 + 8·2 − 8 = −1."""
    leaf_ = {"cells": [[0, "-9"], [1, "8"]], "scale": "1", "seats": "0"}

    def gap(p: list[Fraction]) -> Fraction:
        r = [3 * p[1], 3 * p[2], 3 * p[3] / 2]
        return max(r) + 1 / min(r) - (Fraction(8, 3) + Fraction(1, 6))

    weights = [[1, "9"], [2, "-8"], [3, "-8"]]
    return claimed("goldilocks", {"proof": [leaf_], "tangent": "3/4", "weights": weights}, gap)


def minimax() -> dict[str, str]:
    """One seat for two old people: somebody has 1/2, three halves of the even share. The claim weighs the young as well, half as much, and so
    proves less: U = −2 − 2 + 1 for Eve, Z = 8, B = 3/8, nine eighths of the even share."""
    leaf_ = {"cells": [[0, "-2"], [1, "-1"]], "scale": "1", "seats": "0"}

    def gap(p: list[Fraction]) -> Fraction:
        return 3 * max(p[1], p[2], p[3] / 2) - Fraction(9, 8)

    weights = [[1, "2"], [2, "1"], [3, "1"]]
    return claimed("minimax", {"proof": [leaf_], "tangent": "0", "weights": weights}, gap)


def main() -> int:
    contents = {
        "canonical.json": canonical_cases(),
        "hashes.json": hash_cases(),
        "bundle-household.json": household(),
        "bundle-leximin.json": leximin(),
        "bundle-maximin.json": maximin(),
        "bundle-nash.json": nash(),
        "bundle-goldilocks.json": goldilocks(),
        "bundle-minimax.json": minimax(),
    }
    changed = []
    for name, content in contents.items():
        text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
        path = HERE / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            changed.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    print("changed:", ", ".join(changed) or "nothing")
    return 1 if changed and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
