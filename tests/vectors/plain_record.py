"""Plain functions of a record, after `docs/audit/protocol.md`: what `generate_records.py` makes its golden files with.

Standard library alone, no klero, nothing fast: Ed25519 by plain double and add, one function for each paragraph of the page.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from math import comb
from typing import Any

from generate import dealt, dump, index, mac, root, seq, sha

# ---- Ed25519 (RFC 8032, 5.1) --------------------------------------------------------------------------------
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
Point = tuple[int, int, int, int]  # X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
NEUTRAL: Point = (0, 1, 1, 0)


def add(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c = 2 * p[3] * q[3] * D % P
    d = 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(n: int, p: Point) -> Point:
    total = NEUTRAL
    while n:
        if n & 1:
            total = add(total, p)
        p = add(p, p)
        n >>= 1
    return total


def minus(p: Point) -> Point:
    return (-p[0] % P, p[1], p[2], -p[3] % P)


def encode(p: Point) -> bytes:
    z = pow(p[2], -1, P)
    x, y = p[0] * z % P, p[1] * z % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def decode(data: bytes) -> Point | None:
    """The point of this encoding; nothing if it is not the encoding of one, spelled in the only way."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if len(data) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


BASE = decode(bytes.fromhex("58" + "66" * 31))
assert BASE is not None


@cache
def doublings() -> list[Point]:
    assert BASE is not None
    out = [BASE]
    while len(out) < 256:
        out.append(add(out[-1], out[-1]))
    return out


def times_base(n: int) -> Point:
    total = NEUTRAL
    for i, point in enumerate(doublings()):
        if n >> i & 1:
            total = add(total, point)
    return total


# A point of order 8, as L times a point of the curve: y = 2, 3, … until it is one.
SMALL = next(
    small
    for point in (decode(y.to_bytes(32, "little")) for y in range(2, 100))
    if point is not None and encode(times(4, small := times(L, point))) != encode(NEUTRAL)
)


def hash_int(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


@cache
def expanded(secret: bytes) -> tuple[int, bytes, bytes]:
    """The secret scalar, the prefix and the public key."""
    h = hashlib.sha512(secret).digest()
    a = int.from_bytes(h[:32], "little") & (2**254 - 8) | 2**254
    return a, h[32:], encode(times_base(a))


def public_key(secret: bytes) -> bytes:
    return expanded(secret)[2]


def sign(secret: bytes, message: bytes) -> bytes:
    a, prefix, public = expanded(secret)
    r = hash_int(prefix, message)
    nonce = encode(times_base(r))
    return nonce + ((r + hash_int(nonce, public, message) * a) % L).to_bytes(32, "little")


def is_key(data: bytes) -> bool:
    point = decode(data)
    return (
        point is not None and encode(point) != encode(NEUTRAL) and encode(times(L, point)) == encode(NEUTRAL)
    )


def verifies(key: bytes, message: bytes, signature: bytes) -> bool:
    point, s = decode(key), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or point is None or not is_key(key) or s >= L:
        return False
    k = hash_int(signature[:32], key, message)
    return encode(add(times_base(s), minus(times(k, point)))) == signature[:32]


# ---- envelopes and entries ----------------------------------------------------------------------------------
TYPE = "application/vnd.klero.entry+json"


def pae(payload: bytes, kind: str = TYPE) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(kind.encode()), kind.encode(), len(payload), payload)


def envelope(payload: bytes, secrets: list[bytes]) -> bytes:
    signatures = [
        {
            "keyid": sha(public_key(secret)).hex(),
            "sig": base64.b64encode(sign(secret, pae(payload))).decode(),
        }
        for secret in secrets
    ]
    signatures.sort(key=lambda one: one["keyid"])
    return dump(
        {
            "payload": base64.b64encode(payload).decode(),
            "payloadType": TYPE,
            "signatures": signatures,
        }
    )


def entry_hash(payload: bytes) -> bytes:
    return seq("klero/entry/v1", [payload])


# ---- time and sources ---------------------------------------------------------------------------------------
CHAINS: dict[str, dict[str, Any]] = {
    "quicknet": {
        "hash": "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
        "period": 3,
        "genesis": 1692803367,
        "group": "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e",
        "key": "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
        "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
    },
    "default": {
        "hash": "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce",
        "period": 30,
        "genesis": 1595431050,
        "group": "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a",
        "key": "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31",
    },
}
QUICKNET, DEFAULT = CHAINS["quicknet"]["hash"], CHAINS["default"]["hash"]
PERIODS = {chain["hash"]: (chain["genesis"], chain["period"]) for chain in CHAINS.values()}
# Real rounds, public facts that anyone can ask a drand relay for. They stand in the tests of drand's own and of other programs:
# quicknet 123 and default 72785 in drand-verify for Rust (noislabs), quicknet 657413 and default 3311596 in the README of drand-verify for
# Python, default 2634945 in drand's crypto/schemes_test.go. (chain, round): (previous signature, signature).
ROUNDS = {
    (QUICKNET, 123): (
        "",
        "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92",
    ),
    (QUICKNET, 657413): (
        "",
        "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
    ),
    (DEFAULT, 72785): (
        (
            "a609e19a03c2fcc559e8dae14900aaefe517cb55c840f6e69bc8e4f66c8d18e8a609685d9917efbfb0c37f058c2de88f"
            "13d297c7e19e0ab24813079efe57a182554ff054c7638153f9b26a60e7111f71a0ff63d9571704905d3ca6df0b031747"
        ),
        (
            "82f5d3d2de4db19d40a6980e8aa37842a0e55d1df06bd68bddc8d60002e8e959eb9cfa368b3c1b77d18f02a54fe047b8"
            "0f0989315f83b12a74fd8679c4f12aae86eaf6ab5690b34f1fddd50ee3cc6f6cdf59e95526d5a5d82aaa84fa6f181e42"
        ),
    ),
    (DEFAULT, 2634945): (
        (
            "8bd96294383b4d1e04e736360bd7a487f9f409f1e7bd800b720656a310d577b3bdb1e1631af6c5782a1d8979c502f395"
            "036181eff4058960fc40bb7034cdae1991d3eda518ab204a077d2f7e724974cf87b407e549bd815cf0b8e5a3832f675d"
        ),
        (
            "814778ed1e480406beb43b74af71ce2f0373e0ea1bfdfea8f9ed62c876c20fcbc7f0163860e3da42ed2148756015f455"
            "1451898ffe06d384b4d002245025571b6b7a752f7158b40ad92b13b6d703ad31922a617f2c7f6d960b84d56cf1d79eef"
        ),
    ),
    (DEFAULT, 3311596): (
        (
            "8ed588f2a7716fb1349e2d9803da5db0005e98a83783c353d4a08f183236a9ad91d70ddb01266f4b7c576983db464b43"
            "0e65680b9e0098552758afd6c1e6afcb77e3f62fe1b93d42d1cb63abbb2205512fe12fbf74ea9c5ac3b8f5c1e283a1d8"
        ),
        (
            "a696b9409ababce45749c3a4ec369074453dd4a79967734e1390d969c8ad8d98897d217b9121e92c8ddebbddda8d92f9"
            "00e3bd6bf9deb166863b1a19390d743f82774001487594c5c09e581db7365f02b70a2c8cc41ce32446ef08e4890c4754"
        ),
    ),
}


def chain_hash(name: str) -> str:
    chain = CHAINS[name]
    data = chain["period"].to_bytes(4, "big") + chain["genesis"].to_bytes(8, "big")
    data += bytes.fromhex(chain["key"]) + bytes.fromhex(chain["group"])
    return sha(data + (b"" if name == "default" else name.encode())).hex()


def seconds(text: str) -> int | None:
    """Unix time of a TIME, nothing if it is none."""
    shape = "".join("0" if c in "0123456789" else c for c in text)
    if shape != "0000-00-00T00:00:00Z" or not 2000 <= int(text[:4]) <= 2199:
        return None
    try:
        when = datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(when.timestamp())


def source_time(source: dict[str, Any]) -> int:
    if source["kind"] == "drand":
        genesis, period = PERIODS[source["chain"]]
        return int(genesis + (source["round"] - 1) * period)
    when = seconds(source["time"])
    assert when is not None
    return when


def outcomes(sources: list[dict[str, Any]]) -> int:
    total = 1
    for source in sources:
        if source["kind"] == "balls":
            total *= 10 ** source["digits"]
        elif source["kind"] == "dice":
            total *= 6 ** source["rolls"]
        elif source["kind"] == "drand":
            total *= 2**256
        else:
            for one in source["draws"]:
                total *= comb(one["most"], one["count"])
    return total


def drand_reveal(source: dict[str, Any]) -> dict[str, Any]:
    previous, signature = ROUNDS[source["chain"], source["round"]]
    return {
        "kind": "drand",
        "previous_signature": previous,
        "round": source["round"],
        "signature": signature,
    }


def value(reveal: dict[str, Any], source: dict[str, Any]) -> bytes:
    kind = reveal["kind"]
    if kind in ("balls", "dice"):
        items = [reveal["digits"].encode()]
    elif kind == "drand":
        signature = sha(bytes.fromhex(reveal["signature"]))
        items = [bytes.fromhex(source["chain"]), str(reveal["round"]).encode(), signature]
    else:
        text = "".join("".join(f"{n}." for n in numbers) + "/" for numbers in reveal["numbers"])
        items = [text.encode()]
    return seq(f"klero/source/{kind}/v1", items)


def randomness(
    commitment: bytes, reveals: list[dict[str, Any]], sources: list[dict[str, Any]], m: int
) -> dict[str, Any]:
    """Values of the reveals, the two seeds, the position and how many x were rejected."""
    values = [value(reveal, source) for reveal, source in zip(reveals, sources, strict=True)]
    others = [v for v, reveal in zip(values, reveals, strict=True) if reveal["kind"] != "balls"]
    first = seq("klero/seed/index/v1", [commitment, *others])
    x, rejected = index(first, m)
    balls = [reveal["digits"] for reveal in reveals if reveal["kind"] == "balls"]
    b = int(balls[0][: len(str(m)) - 1]) if balls else 0
    return {
        "values": [v.hex() for v in values],
        "index_seed": first.hex(),
        "seed": seq("klero/seed/tickets/v1", [commitment, *values]).hex(),
        "balls": b,
        "position": (x + b) % m,
        "rejected": rejected,
    }


# ---- leaves, paths, receipts --------------------------------------------------------------------------------
def opening(attributes: list[list[str]], household: str, weight: int) -> bytes:
    return dump({"attributes": attributes, "household": household, "weight": weight})


def opened(draw: str, identity: dict[str, str], salt: bytes, what: bytes) -> tuple[bytes, bytes, bytes]:
    """c_id, K_type and the leaf."""
    key = mac(salt, b"klero/salt/type/v1")
    person = mac(mac(salt, b"klero/salt/id/v1"), dump(identity))
    return person, key, seq("klero/leaf/v1", [draw.encode(), person, mac(key, what)])


def path(leaves: list[bytes], i: int) -> list[bytes]:
    """RFC 9162, 2.1.3.1: the hashes that lead from leaf i to the root, the lowest first."""
    if len(leaves) < 2:
        return []
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    if i < k:
        return [*path(leaves[:k], i), root(leaves[k:])]
    return [*path(leaves[k:], i - k), root(leaves[:k])]


# ---- the draw -----------------------------------------------------------------------------------------------
def ticket(seed: bytes, leaf: str, c_id: str) -> bytes:
    return mac(mac(seed, b"klero/tickets/v1"), bytes.fromhex(leaf) + bytes.fromhex(c_id))


def panel(
    seed: bytes, position: int, panels: list[Any], pool: dict[str, Any], leaves: list[str], c_ids: list[str]
) -> list[str]:
    """The leaves whose tickets win: `leaves` and `c_ids` are those of the whole record, in HEX."""
    entry = next(e for e in range(len(panels)) if sum(c for c, _ in panels[: e + 1]) > position)
    tickets = {leaf: ticket(seed, leaf, c_id) for leaf, c_id in zip(leaves, c_ids, strict=True)}
    people = {leaves[number]: t for number, t in pool["people"]}
    order = sorted(people, key=lambda one: tickets[one])
    homes = [[leaves[pool["people"][i][0]] for i in members] for members in pool["households"]]
    together = {one for members in homes for one in members}
    single = [one for one in order if one not in together]
    seats = dict(map(tuple, panels[entry][1]))
    drawn = [one for t, s in seats.items() for one in [i for i in single if people[i] == t][:s]]
    return sorted(drawn + dealt(seats, order, people, homes))


def chances(panels: list[Any], counts: list[int], m: int) -> list[Fraction]:
    return [
        sum(c * dict(map(tuple, p)).get(t, 0) for c, p in panels) * Fraction(1, m * n)
        for t, n in enumerate(counts)
    ]


def histogram(groups: list[tuple[Fraction, int]]) -> list[list[int]]:
    """Cells [from, to, people] of at least 10 people, of groups (probability, people)."""
    slots = [0] * 100
    for chance, people in groups:
        slots[min(99, int(100 * chance))] += people
    cells: list[list[int]] = []
    start = held = 0
    for number, people in enumerate(slots):
        held += people
        if held >= 10:
            cells.append([start, number + 1, held])
            start, held = number + 1, 0
    if cells:
        cells[-1][1] = 100
        cells[-1][2] += held
    return cells


def summary(gap: str, level: str, groups: list[tuple[Fraction, int]], sure: int = 0) -> dict[str, Any]:
    """Of groups (probability, people), and so many people more who have a seat for certain."""
    return {
        "gap": int(-(-(Fraction(gap) * 10**6) // 1)),
        "histogram": histogram(groups),
        "level": level,
        "people": sum(people for _, people in groups) + sure,
    }


# ---- ZIP ----------------------------------------------------------------------------------------------------
def zipped(files: dict[str, bytes]) -> bytes:
    local, central = b"", b""
    for name in sorted(files, key=str.encode):
        data, raw = files[name], name.encode()
        facts = (zlib.crc32(data), len(data), len(data), len(raw))
        start = len(local)
        local += struct.pack("<4s5H3L2H", b"PK\x03\x04", 10, 0, 0, 0, 0x21, *facts, 0) + raw + data
        central += struct.pack(
            "<4s6H3L5H2L", b"PK\x01\x02", 20, 10, 0, 0, 0, 0x21, *facts, 0, 0, 0, 0, 0, start
        )
        central += raw
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, len(files), len(files), len(central), len(local), 0)
    return local + central + end
