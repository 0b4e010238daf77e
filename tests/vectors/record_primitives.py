"""Vectors of a record's primitives: good ones, bad ones, and those where programs are known to differ. Standard library alone, no klero."""

from __future__ import annotations

import base64
import json
from fractions import Fraction
from typing import Any

from generate import root, sha
from plain_record import (
    BASE,
    CHAINS,
    DEFAULT,
    NEUTRAL,
    QUICKNET,
    ROUNDS,
    SMALL,
    TYPE,
    L,
    P,
    add,
    chain_hash,
    decode,
    encode,
    entry_hash,
    expanded,
    hash_int,
    is_key,
    opened,
    opening,
    outcomes,
    pae,
    path,
    public_key,
    randomness,
    seconds,
    sign,
    source_time,
    summary,
    ticket,
    times,
    times_base,
    verifies,
    zipped,
)


def primitives(makers: dict[str, Any], token: str, authority: str) -> dict[str, Any]:
    return {
        "base64": base64_cases(),
        "beacon": beacon_cases(),
        "dsse": dsse_cases(),
        "ed25519": {"keys": key_cases(), "signatures": signature_cases()},
        "histogram": histogram_cases(),
        "leaves": leaf_cases(),
        "paths": path_cases(),
        "randomness": randomness_cases(),
        "receipts": [receipt(makers["balls"], i) for i in (0, 1, 17, 35)]
        + [receipt(makers["household"], i) for i in range(7)],
        "sources": source_cases(),
        "time": time_cases(),
        "timestamp": {
            "token": token,
            "authority": authority,
            "imprint": sha(makers["timestamped"].files["public/entry-0001.json"]).hex(),
            "time": TOKEN_TIME,
        },
        "zip": {
            name: {
                tier: sha(
                    zipped({file: data for file, data in maker.files.items() if file.startswith(folders)})
                ).hex()
                for tier, folders in TIERS.items()
                if tier == "public" or len(maker.files) > len(maker.payloads) + 2
            }
            for name, maker in makers.items()
        },
    }


TIERS = {
    "public": ("public/",),
    "auditor": ("public/", "auditor/"),
    "sealed": ("public/", "auditor/", "sealed/"),
}
TOKEN_TIME = 1795647309  # 25 November 2026, 22:55:09


# ---- Ed25519 ------------------------------------------------------------------------------------------------
def key_cases() -> list[dict[str, Any]]:
    one = public_key(sha(b"key"))
    point = decode(one)
    assert point is not None
    assert BASE is not None
    high = encode(times_base(1))
    cases = [
        ("of a secret", one),
        ("base point", high),
        ("minus the base point", bytes([*high[:31], high[31] | 0x80])),
        *((f"small order {i}", encode(times(i, SMALL))) for i in range(8)),
        ("in no subgroup: with a point of order 8", encode(add(point, SMALL))),
        ("in no subgroup: with the point of order 2", encode(add(point, times(4, SMALL)))),
        ("y = p, which is 0", P.to_bytes(32, "little")),
        ("y = p + 1, which is 1", (P + 1).to_bytes(32, "little")),
        ("y = 2^255 - 1", (2**255 - 1).to_bytes(32, "little")),
        ("y = p + 1 with sign", (P + 1 | 1 << 255).to_bytes(32, "little")),
        ("x = 0 with sign, y = 1", (1 | 1 << 255).to_bytes(32, "little")),
        ("x = 0 with sign, y = -1", (P - 1 | 1 << 255).to_bytes(32, "little")),
        ("not on the curve: y = 2", (2).to_bytes(32, "little")),
        ("y = p + a good y", next(c for c in wide_keys() if c)),
        ("all ones", b"\xff" * 32),
    ]
    return [{"name": name, "key": key.hex(), "valid": is_key(key)} for name, key in cases]


def wide_keys() -> list[bytes]:
    """Spellings y + p of points whose y is below 19."""
    points = [decode(y.to_bytes(32, "little")) for y in range(3, 19)]
    return [(P + y).to_bytes(32, "little") for y, point in enumerate(points, 3) if point is not None]


def signature_cases() -> list[dict[str, Any]]:
    secret = sha(b"key")
    key, message = public_key(secret), b"message"
    a = expanded(secret)[0]
    good = sign(secret, message)
    r, s = good[:32], int.from_bytes(good[32:], "little")

    def forged(nonce: bytes, scalar: int, key: bytes = key) -> bytes:
        """R and S = scalar + k·a."""
        return nonce + ((scalar + hash_int(nonce, key, message) * a) % L).to_bytes(32, "little")

    nonce = times_base(1234567)
    mixed = encode(add(nonce, SMALL))
    point = decode(key)
    assert point is not None
    odd = encode(add(point, times(4, SMALL)))
    rfc = [
        ("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60", b""),
        ("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb", b"\x72"),
        ("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7", b"\xaf\x82"),
    ]
    cases = [
        (f"RFC 8032, 7.1, test {i}", public_key(bytes.fromhex(x)), m, sign(bytes.fromhex(x), m))
        for i, (x, m) in enumerate(rfc, 1)
    ]
    cases += [
        ("good", key, message, good),
        ("other message", key, b"messagf", good),
        ("other key", public_key(sha(b"other")), message, good),
        ("S + L", key, message, r + (s + L).to_bytes(32, "little")),
        ("S + 8 L", key, message, r + (s + 8 * L).to_bytes(32, "little")),
        ("S = 0", key, message, r + bytes(32)),
        ("S = L", key, message, r + L.to_bytes(32, "little")),
        ("R is the neutral element, and the equation holds", key, message, forged(encode(NEUTRAL), 0)),
        (
            "R is the neutral element spelled y = p + 1",
            key,
            message,
            forged((P + 1).to_bytes(32, "little"), 0),
        ),
        (
            "R is the neutral element with a sign",
            key,
            message,
            forged((1 | 1 << 255).to_bytes(32, "little"), 0),
        ),
        ("R with a part of order 8: holds only times 8", key, message, forged(mixed, 1234567)),
        ("R of order 8: holds only times 8", key, message, forged(encode(SMALL), 0)),
        ("nonce known, equation holds", key, message, forged(encode(nonce), 1234567)),
        ("R minus itself", key, message, bytes([*r[:31], r[31] ^ 0x80]) + good[32:]),
        ("R is no point", key, message, forged((2).to_bytes(32, "little"), 0)),
        (
            "key is neutral, R = S·B",
            encode(NEUTRAL),
            message,
            encode(nonce) + (1234567).to_bytes(32, "little"),
        ),
        (
            "key of order 2, R = S·B, k even",
            encode(times(4, SMALL)),
            message,
            small_forgery(encode(times(4, SMALL))),
        ),
        ("key with a part of order 2, equation holds", odd, message, odd_forgery(odd, a, message)),
        ("all zero", key, message, bytes(64)),
        ("all ones", key, message, b"\xff" * 64),
    ]
    return [
        {
            "name": name,
            "key": key_.hex(),
            "message": message_.hex(),
            "signature": signature.hex(),
            "valid": verifies(key_, message_, signature),
        }
        for name, key_, message_, signature in cases
    ]


def small_forgery(key: bytes) -> bytes:
    """With a key of order 2, S·B = R + k·A holds without cofactor for a nonce whose k is even."""
    for n in range(1, 100):
        nonce = encode(times_base(n))
        if hash_int(nonce, key, b"message") % 2 == 0:
            return nonce + n.to_bytes(32, "little")
    raise AssertionError


def odd_forgery(key: bytes, a: int, message: bytes) -> bytes:
    """The key is a·B plus the point of order 2: with an even k the equation holds without cofactor."""
    for n in range(1, 100):
        nonce = encode(times_base(n))
        k = hash_int(nonce, key, message)
        if k % 2 == 0:
            return nonce + ((n + k * a) % L).to_bytes(32, "little")
    raise AssertionError


# ---- spellings ----------------------------------------------------------------------------------------------
def time_cases() -> list[dict[str, Any]]:
    texts = [
        "2000-01-01T00:00:00Z",
        "2199-12-31T23:59:59Z",
        "2024-02-29T12:00:00Z",
        "2000-02-29T23:59:59Z",
        "2023-08-23T15:15:33Z",
        "2100-02-28T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2023-13-01T00:00:00Z",
        "2023-00-01T00:00:00Z",
        "2023-01-00T00:00:00Z",
        "2023-04-31T00:00:00Z",
        "2023-01-32T00:00:00Z",
        "2023-01-01T24:00:00Z",
        "2023-01-01T23:60:00Z",
        "2016-12-31T23:59:60Z",
        "2023-01-01t00:00:00Z",
        "2023-01-01T00:00:00z",
        "2023-01-01T00:00:00",
        "2023-01-01T00:00:00+00:00",
        "2023-01-01T00:00:00.0Z",
        "20230101T000000Z",
        "2023-1-01T00:00:00Z",
        "02023-01-01T00:00:00Z",
        "+2023-01-01T00:00:00Z",
        "2023-01-01T00:00Z",
        "2023-W01-1T00:00:00Z",
        "2023-01-01T00:00:0٣Z",
        "２０２３-01-01T00:00:00Z",
        "2023-01-01T00:00:00ZZ",
        "2023−01−01T00:00:00Z",
        "2023-01-01T-1:00:00Z",
        "2023-01-01T+1:00:00Z",
    ]
    texts += [
        "",
        "2023-01-01 00:00:00Z",
        " 2023-01-01T00:00:00Z",
        "2023-01-01T00:00:00Z\n",
        "2023-01-01T 0:00:00Z",
    ]
    return [
        {"text": text, "seconds": when, "valid": when is not None}
        for text, when in ((t, seconds(t)) for t in texts)
    ]


def base64_cases() -> list[dict[str, Any]]:
    good = [b"", b"f", b"fo", b"foo", b"foob", bytes(range(256)), b"\xfb\xff\xfe"]
    bad = "Zg Zg= Zg=== Zh== Zm9= Zm8 Z Zm9v= Zm9v== -_8= Zg==Zg== Zm9vYg=\n Zm9v\n \nZm9v Zg==\n Zm9v.Zg== =Zm9 Zm=v ==== = Z=== Zm 9v ｚg== +/+/+ Zm9vYh=="
    words = [w for w in bad.split(" ") if w] + ["Zm 9v", "Zm9v ", "Zm9v\r\n", "Zm9v\x00"]
    cases: list[tuple[str, str | None]] = [(base64.b64encode(data).decode(), data.hex()) for data in good]
    cases += [(word, None) for word in words]
    return [{"text": text, "bytes": data} for text, data in cases if data is None or text is not None]


def dsse_cases() -> list[dict[str, str]]:
    return [
        {
            "payload": data.hex(),
            "pae": pae(data).hex(),
            "entry_hash": entry_hash(data).hex(),
        }
        for data in (b"", b"{}", "é\n".encode(), bytes(range(256)), b"a" * 1000)
    ] + [{"keyid": sha(public_key(sha(b"key"))).hex(), "key": public_key(sha(b"key")).hex(), "type": TYPE}]


# ---- sources, reveals, seeds --------------------------------------------------------------------------------
def ball(d: int, time: str = "2020-08-01T00:00:00Z") -> dict[str, Any]:
    return {"digits": d, "kind": "balls", "time": time}


def dice(r: int, time: str = "2020-08-01T00:00:00Z") -> dict[str, Any]:
    return {"kind": "dice", "rolls": r, "time": time}


def beacon(n: int, chain: str = QUICKNET) -> dict[str, Any]:
    return {"chain": chain, "kind": "drand", "round": n}


def drums(draws: list[tuple[int, int, str]], time: str = "2020-08-01T00:00:00Z") -> dict[str, Any]:
    return {
        "draws": [{"count": c, "most": m, "name": name} for c, m, name in draws],
        "kind": "lottery",
        "time": time,
    }


def source_cases() -> list[dict[str, Any]]:
    """`valid`: whether this list may stand in a declaration whose M has this many digits after the 1."""
    five = (5, 50, "five")
    good = [
        (6, [ball(20)]),
        (12, [ball(60)]),
        (12, [ball(20)]),
        (6, [dice(25)]),
        (6, [dice(200)]),
        (6, [beacon(2)]),
        (6, [beacon(2**53 - 1)]),
        (6, [beacon(2**53 - 1, DEFAULT)]),
        (6, [ball(6), dice(1), beacon(123), drums([(1, 2, "coin")])]),
        (6, [ball(6), beacon(123)]),
        (6, [ball(19), dice(1)]),
        (6, [ball(19), drums([(1, 2, "coin")])]),  # 2·10^19 is above 2^64, 10^19 below
        (6, [drums([five, five, five, five])]),  # C(50, 5)^3 is below 2^64
        (6, [drums([(20, 999, "a")])]),
        (6, [drums([(1, 16, "a")] * 16)]),  # 2^64 exactly
        (6, [drums([(1, 17, "a")] * 20)]),
        (6, [dice(24), drums([(1, 4, "a")])]),
        (6, [ball(6, "2023-08-23T15:15:32Z"), beacon(123)]),
        (6, [ball(6, "2199-12-31T23:59:59Z"), beacon(2**53 - 1)]),
    ]
    bad = [
        (6, []),
        (6, [ball(19)]),
        (6, [ball(61)]),
        (12, [ball(11), beacon(123)]),
        (6, [ball(5), beacon(123)]),
        (6, [dice(24)]),
        (6, [dice(0), beacon(123)]),
        (6, [dice(201)]),
        (6, [beacon(1)]),
        (6, [beacon(0)]),
        (6, [beacon(-5)]),
        (6, [beacon(2, QUICKNET.upper())]),
        (6, [beacon(2, "00" * 32)]),
        (6, [beacon(2, "")]),
        (6, [beacon(123), ball(20)]),
        (6, [ball(20), ball(20)]),
        (6, [beacon(123), beacon(124)]),
        (6, [drums([five, five, five])]),
        (6, [drums([(1, 16, "a")] * 15)]),
        (6, [drums([(1, 17, "a")] * 21)]),
        (6, [drums([])]),
        (6, [drums([]), drums([(20, 999, "a")])]),
        (6, [ball(20), drums([(0, 5, "a")])]),
        (6, [ball(20), drums([(5, 5, "a")])]),
        (6, [ball(20), drums([(21, 50, "a")])]),
        (6, [ball(20), drums([(1, 1000, "a")])]),
        (6, [ball(20), drums([(1, 2, "")])]),
        (6, [ball(20), drums([(1, 1, "a")])]),
        (6, [ball(20) | {"more": 1}]),
        (6, [{"digits": 20, "kind": "balls"}]),
        (6, [ball(20, "2023-08-01")]),
        (6, [ball(20) | {"digits": "20"}]),
        (6, [{"kind": "coin", "time": "2023-08-01T00:00:00Z"}]),
        (6, [{"digits": 20, "time": "2023-08-01T00:00:00Z"}]),
        (6, ["balls"]),
        (6, [beacon(123) | {"time": "2023-08-23T15:15:33Z"}]),
        (6, [ball(6, "2023-08-23T15:15:33Z"), beacon(123)]),
        (6, [beacon(123), drums([five], "2023-08-24T00:00:00Z")]),
    ]
    for _, sources in good:
        assert outcomes(sources) >= 2**64
    cases = [(digits, sources, True) for digits, sources in good]
    cases += [(digits, sources, False) for digits, sources in bad]
    return [
        {
            "digits_of_m": digits,
            "sources": sources,
            "valid": valid,
            "times": [source_time(source) for source in sources] if valid else [],
        }
        for digits, sources, valid in cases
    ]


def randomness_cases() -> list[dict[str, Any]]:
    drand = {
        "kind": "drand",
        "previous_signature": ROUNDS[QUICKNET, 123][0],
        "round": 123,
        "signature": ROUNDS[QUICKNET, 123][1],
    }
    chained = {
        "kind": "drand",
        "previous_signature": ROUNDS[DEFAULT, 72785][0],
        "round": 72785,
        "signature": ROUNDS[DEFAULT, 72785][1],
    }
    lottery = {"kind": "lottery", "numbers": [[1, 5, 17, 33, 49], [2, 11]]}
    drum = drums([(5, 50, "a"), (2, 12, "b")])
    given = [
        ([ball(20)], [{"digits": "00000000000000000000", "kind": "balls"}]),
        ([ball(20)], [{"digits": "99999999999999999999", "kind": "balls"}]),
        ([ball(60)], [{"digits": "012345678901234567890123456789" * 2, "kind": "balls"}]),
        ([dice(25)], [{"digits": "1234561234561234561234561", "kind": "dice"}]),
        ([beacon(123)], [drand]),
        ([beacon(72785, DEFAULT)], [chained]),
        (
            [drums([(5, 50, "a")] * 4)],
            [
                {
                    "kind": "lottery",
                    "numbers": [
                        [1, 2, 3, 4, 5],
                        [46, 47, 48, 49, 50],
                        [9, 10, 11, 12, 13],
                        [1, 10, 20, 30, 40],
                    ],
                }
            ],
        ),
        ([ball(12), beacon(123)], [{"digits": "123456789012", "kind": "balls"}, drand]),
        (
            [ball(12), dice(3), beacon(72785, DEFAULT), drum],
            [
                {"digits": "999999999999", "kind": "balls"},
                {"digits": "666", "kind": "dice"},
                chained,
                lottery,
            ],
        ),
    ]
    out = []
    for number, (sources, reveals) in enumerate(given):
        for m in (10**6, 10**9, 10**12):
            commitment = sha(bytes([number]))
            out.append(
                {
                    "commitment": commitment.hex(),
                    "m": m,
                    "sources": sources,
                    "reveals": reveals,
                    **randomness(commitment, reveals, sources, m),
                }
            )
    return out


def beacon_cases() -> dict[str, Any]:
    for name, chain in CHAINS.items():
        assert chain_hash(name) == chain["hash"]
    rounds = [
        {
            "chain": chain,
            "round": number,
            "previous_signature": before,
            "signature": signature,
            "time": source_time(beacon(number, chain)),
            "valid": True,
        }
        for (chain, number), (before, signature) in ROUNDS.items()
    ]
    first, second, third = rounds[0], rounds[1], rounds[2]
    wrong = [
        first | {"round": 124},
        first | {"signature": second["signature"]},
        first | {"signature": negated(first["signature"])},
        first | {"signature": "c0" + "00" * 47},
        first | {"signature": "00" * 48},
        first | {"signature": "8" + "0" * 95},
        first | {"signature": first["signature"][:-1] + "3"},
        third | {"round": 72786},
        third | {"previous_signature": rounds[3]["previous_signature"]},
        third | {"signature": negated(third["signature"])},
        third | {"signature": "c0" + "00" * 95},
    ]
    for case in wrong:
        case |= {"valid": False, "time": source_time(beacon(case["round"], case["chain"]))}
    return {"chains": CHAINS, "rounds": rounds + wrong}


def negated(signature: str) -> str:
    """The point with the other sign: bit 5 of the first byte."""
    return f"{int(signature[:2], 16) ^ 0x20:02x}{signature[2:]}"


# ---- histogram, leaves, paths, receipts ---------------------------------------------------------------------
def histogram_cases() -> list[dict[str, Any]]:
    given = {
        "nobody": [],
        "nine": [((1, 2), 9)],
        "ten of nothing": [((0, 1), 10)],
        "ten for certain": [((1, 1), 10)],
        "99 and 100 percent are one slot": [((99, 100), 5), ((1, 1), 5)],
        "just below a slot's end": [((9999999999, 10**12), 10), ((1, 100), 10)],
        "leftover joins the last cell": [((1, 100), 10), ((2, 100), 9)],
        "leftover at the front is filled up": [
            ((1, 100), 9),
            ((50, 100), 1),
            ((51, 100), 30),
            ((99, 100), 1),
        ],
        "three cells": [((1, 3), 10), ((2, 3), 10), ((1, 7), 12)],
        "a cell of more than ten in one slot": [((1, 4), 1000), ((26, 100), 3)],
        "each slot": [((2 * i + 1, 200), 10) for i in range(100)],
    }
    out = []
    for name, groups in given.items():
        exact = [(Fraction(*p), n) for p, n in groups]
        out.append({"name": name, "groups": [[*p, n] for p, n in groups], **summary("0", "L0", exact)})
    gaps = [
        ("0", "0"),
        ("1/3", ""),
        ("1/1000000", ""),
        ("1/1000001", ""),
        ("7", ""),
        ("999", ""),
        ("999999/10000000", ""),
    ]
    return [*out, *({"name": f"gap {gap}", "rational": gap, **summary(gap, "L1", [])} for gap, _ in gaps)]


def leaf_cases() -> list[dict[str, Any]]:
    people = [
        ("jury", {"id": "1"}, [], "", 1),
        (
            "jury",
            {"id": 'Zoë "Z"\n', "born": "1970-01-01", "Name": "é"},
            [["age", "16-24"], ["genre", "femme"]],
            "",
            1,
        ),
        ("a-1", {"id": "17"}, [["age", "65+"]], "0123456789abcdef0123456789abcdef", 10**12),
        ("a-2", {"id": "17"}, [["age", "65+"]], "0123456789abcdef0123456789abcdef", 10**12),
    ]
    out = []
    for number, (draw, identity, attributes, tag, weight) in enumerate(people):
        salt = sha(b"salt" + bytes([number]))
        what = opening(attributes, tag, weight)
        c_id, k_type, leaf = opened(draw, identity, salt, what)
        out.append(
            {
                "draw": draw,
                "identity": identity,
                "salt": salt.hex(),
                "opening": what.decode(),
                "c_id": c_id.hex(),
                "k_type": k_type.hex(),
                "leaf": leaf.hex(),
            }
        )
    return out


def path_cases() -> list[dict[str, Any]]:
    out = []
    for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 16, 17):
        leaves = [sha(bytes([n, i])) for i in range(n)]
        out.append(
            {
                "leaves": [leaf.hex() for leaf in leaves],
                "paths": [[node.hex() for node in path(leaves, i)] for i in range(n)],
                "root": root(leaves).hex(),
            }
        )
    return out


def receipt(maker: Any, i: int) -> dict[str, Any]:
    """The receipt of leaf i, with the ticket that its holder can compute from the seed of round 0."""
    person, leaves = maker.people[i], [bytes.fromhex(leaf) for leaf in maker.leaves]
    draw = next(json.loads(data)["body"] for data in maker.payloads if json.loads(data)["kind"] == "draw")
    return {
        "receipt": {
            "attributes": person["attributes"],
            "commitment": maker.commitments[0].hex(),
            "draw": maker.draw,
            "format": "klero-receipt/1",
            "household": person["tag"],
            "identity": person["identity"],
            "leaf": i,
            "leaves": len(leaves),
            "path": [node.hex() for node in path(leaves, i)],
            "root": root(leaves).hex(),
            "salt": person["salt"].hex(),
            "weight": person["weight"],
        },
        "leaf": person["leaf"],
        "ticket": ticket(bytes.fromhex(draw["seed"]), person["leaf"], person["c_id"]).hex(),
    }
