"""Lies about randomness, the draw and its time-stamps: see `record_forgeries`."""

from __future__ import annotations

import base64
import json
from typing import Any

from record_cases import (
    NEUTRAL,
    Files,
    L,
    dump,
    encode,
    expanded,
    golden_record,
    hash_int,
    pae,
    payload,
    primitives,
    resigned,
    sha,
)
from record_forgeries import (
    Forge,
    Lie,
    at,
    body,
    by,
    field,
    first,
    head,
    outsider,
    patched,
    relogged,
    signatures,
    stamp,
)

ROUNDS = {(case["chain"], case["round"]): case for case in primitives()["beacon"]["rounds"] if case["valid"]}
QUICKNET, DEFAULT = sorted({chain for chain, _ in ROUNDS})


def reveal(i: int, **fields: Any) -> Forge:
    """Other fields in reveal i of the first draw, and of the reading before it; what follows from it is made anew."""
    return reveals(lambda r: [one | fields if place == i else one for place, one in enumerate(r)])


def reveals(change: Any, *, read: bool = True) -> Forge:
    def forge(files: Files) -> Files:
        number = 3 if payload(files, 2)["kind"] == "reading" else 2
        draw = payload(files, number)
        draw["body"]["reveals"] = made = change(draw["body"]["reveals"])
        files = with_payload(files, number, draw)
        if number == 3 and read:
            value = payload(files, 2)
            value["body"]["reveals"] = [one for one in made if one["kind"] != "drand"]
            files = with_payload(files, 2, value)
        return resigned(files)

    return forge


def with_payload(files: Files, number: int, value: Any) -> Files:
    name = f"public/entry-{number:04}.json"
    document_ = json.loads(files[name]) | {"payload": base64.b64encode(dump(value)).decode()}
    return {**files, name: dump(document_)}


def neutral_nonce(data: bytes) -> list[tuple[bytes, bytes]]:
    """Signatures whose R is the neutral element: S = k·a. Bad practice, as it gives the key away, but by the page they verify."""
    out = []
    for secret in by("guarantor", "organiser"):
        a, _, key = expanded(secret)
        nonce = encode(NEUTRAL)
        out.append((key, nonce + (hash_int(nonce, key, pae(data)) * a % L).to_bytes(32, "little")))
    return out


def other_signature(files: Files) -> Files:
    """The signature of another round under the number of the declared one."""
    return reveal(0, signature=ROUNDS[QUICKNET, 657413]["signature"])(files)


CHANCE: list[Lie] = [
    ("signatures with R = the neutral element", "drand", signatures(2, neutral_nonce), None),
    ("another digest of the declaration", "drand", field(1, declaration="0" * 64), "commitment"),
    ("another root", "drand", field(1, leaves="0" * 64), "commitment"),
    (
        "the root of another record",
        "drand",
        lambda files: field(1, leaves=at(golden_record("undrawn"), 1, "leaves"))(files),
        "commitment",
    ),
    (
        "the root of hashes without their kind",
        "drand",
        lambda files: field(1, leaves=flat_root(files))(files),
        "commitment",
    ),
    ("another digest of the auditor's files", "drand", field(1, auditor="0" * 64), "commitment"),
    (
        "the digest of another round's files",
        "replaced",
        lambda files: field(4, auditor=at(files, 1, "auditor"))(files),
        "commitment",
    ),
    (
        "the auditor's files of a round missing",
        "replaced",
        lambda files: {n: d for n, d in files.items() if not n.endswith("-1.json")},
        "commitment",
    ),
    (
        "the auditor's files of a round too many",
        "drand",
        lambda files: (
            files | {n.replace("-0", "-1"): d for n, d in files.items() if n.startswith("auditor/")}
        ),
        "commitment",
    ),
    (
        "a replayed commitment",
        "drand",
        relogged(
            lambda log: [("commitment", payload(golden_record("undrawn"), 1)["body"], log[0][2]), log[1]]
        ),
        None,
    ),
    ("an entry before the one before", "drand", head(2, time="2023-08-22T15:15:32Z"), "times"),
    ("a commitment a second too late", "drand", head(1, time="2023-08-22T15:15:34Z"), "times"),
    ("a commitment after the balls' notice", "balls", head(1, time="2026-03-01T18:00:01Z"), "times"),
    ("a draw a second too early", "drand", head(2, time="2023-08-23T15:15:32Z"), "times"),
    (
        "a draw before the declared round, but the fallback's",
        "fallback",
        head(3, time="2023-09-15T11:54:59Z"),
        "times",
    ),
    ("a second round too late", "replaced", head(4, time="2023-09-14T11:00:04Z"), "times"),
    ("a reading before the balls", "all-sources", head(2, time="2023-09-15T09:59:59Z"), "times"),
    ("a reading before the lottery", "all-sources", head(2, time="2023-09-15T11:54:58Z"), "times"),
    (
        "a reading when the beacon is known",
        "all-sources",
        lambda files: head(2, time="2023-09-15T11:55:00Z")(files),
        "times",
    ),
    (
        "a reading when the declared round is known, before the fallback",
        "fallback",
        head(2, time="2023-09-15T10:39:24Z"),
        "times",
    ),
    ("a reading just before the declared round", "fallback", head(2, time="2023-09-15T10:39:23Z"), None),
    (
        "other balls than were read",
        "all-sources",
        reveals(lambda r: [r[0] | {"digits": "994214"}, *r[1:]], read=False),
        "randomness",
    ),
    (
        "other numbers than were read",
        "all-sources",
        reveals(lambda r: [*r[:3], r[3] | {"numbers": [[3, 17, 28, 41, 49], [2, 11]]}], read=False),
        "randomness",
    ),
    (
        "a reading without the dice",
        "all-sources",
        body(2, lambda b: b["reveals"].pop(1) and None),
        "randomness",
    ),
    (
        "a reading with the beacon",
        "all-sources",
        lambda files: field(2, reveals=at(files, 3, "reveals"))(files),
        "randomness",
    ),
    ("a reading of nothing", "all-sources", field(2, reveals=[]), "randomness"),
    (
        "a reading with a die that shows 7",
        "all-sources",
        body(2, lambda b: b["reveals"][1].update(digits="7" * 30)),
        "randomness",
    ),
    (
        "a bad reading that no draw follows",
        "all-sources",
        lambda files: relogged(lambda log: [log[0], ("reading", {"reveals": [], "round": 0}, log[1][2])])(
            files
        ),
        "randomness",
    ),
    ("no reveal", "drand", reveals(lambda r: []), "randomness"),
    ("a reveal twice", "drand", reveals(lambda r: r + r), "randomness"),
    ("a reveal missing", "all-sources", reveals(lambda r: r[1:]), "randomness"),
    ("reveals in another order", "all-sources", reveals(lambda r: r[::-1]), "randomness"),
    ("a ball less", "balls", reveal(0, digits="00731846520991553382716"), "randomness"),
    ("a ball more", "balls", reveal(0, digits="0073184652099155338271600"), "randomness"),
    ("a ball that is a letter", "balls", reveal(0, digits="00731846520991553382716O"), "randomness"),
    ("a ball of other digits", "balls", reveal(0, digits="00731846520991553382716٣"), "randomness"),
    ("balls with a space", "balls", reveal(0, digits=" 07318465209915533827160"), "randomness"),
    ("balls with a sign", "balls", reveal(0, digits="+07318465209915533827160"), "randomness"),
    ("balls and a line end", "balls", reveal(0, digits="00731846520991553382716\n"), "randomness"),
    ("a die that shows 0", "all-sources", reveal(1, digits="011234566543213254616253414326"), "randomness"),
    ("a die that shows 7", "all-sources", reveal(1, digits="711234566543213254616253414326"), "randomness"),
    (
        "numbers in another order",
        "all-sources",
        reveal(3, numbers=[[17, 3, 28, 41, 50], [2, 11]]),
        "randomness",
    ),
    ("a number twice", "all-sources", reveal(3, numbers=[[3, 3, 28, 41, 50], [2, 11]]), "randomness"),
    ("a number too high", "all-sources", reveal(3, numbers=[[3, 17, 28, 41, 51], [2, 11]]), "randomness"),
    ("a number 0", "all-sources", reveal(3, numbers=[[0, 17, 28, 41, 50], [2, 11]]), "randomness"),
    ("a number less", "all-sources", reveal(3, numbers=[[17, 28, 41, 50], [2, 11]]), "randomness"),
    ("a drum less", "all-sources", reveal(3, numbers=[[3, 17, 28, 41, 50]]), "randomness"),
    ("drums swapped", "all-sources", reveal(3, numbers=[[2, 11], [3, 17, 28, 41, 50]]), "randomness"),
    (
        "numbers as text",
        "all-sources",
        reveal(3, numbers=[["3", "17", "28", "41", "50"], ["2", "11"]]),
        "randomness",
    ),
    (
        "another round",
        "drand",
        reveal(0, round=657413, signature=ROUNDS[QUICKNET, 657413]["signature"]),
        "randomness",
    ),
    ("a round as text", "drand", reveal(0, round="123"), "randomness"),
    (
        "a signature before, on a chain without",
        "drand",
        reveal(0, previous_signature="00" * 96),
        "randomness",
    ),
    ("no signature before, on a chain with", "all-sources", reveal(2, previous_signature=""), "randomness"),
    (
        "a signature in capitals",
        "drand",
        reveal(0, signature=ROUNDS[QUICKNET, 123]["signature"].upper()),
        "randomness",
    ),
    (
        "a signature of 47 bytes",
        "drand",
        reveal(0, signature=ROUNDS[QUICKNET, 123]["signature"][2:]),
        "randomness",
    ),
    (
        "another chain's signature",
        "drand",
        reveal(0, signature=ROUNDS[DEFAULT, 72785]["signature"]),
        "randomness",
    ),
    ("a reveal with a field more", "balls", reveal(0, more=1), "randomness"),
    ("a fallback that isn't declared", "drand", body(2, lambda b: b.update(fallback="yes")), "randomness"),
    (
        "the fallback's round without saying so",
        "fallback",
        body(3, lambda b: b.update(fallback="no")),
        "randomness",
    ),
    ("a fallback in round 1", "replaced", body(5, lambda b: b.update(fallback="yes")), "randomness"),
]


def flat_root(files: Files) -> str:
    """A tree without 0x00 and 0x01 before its hashes."""
    level = [bytes.fromhex(leaf) for leaf in files["public/leaves.txt"].decode().split()]
    while len(level) > 1:
        level = [sha(b"".join(level[i : i + 2])) for i in range(0, len(level), 2)]
    return level[0].hex()


# ---- the draw -----------------------------------------------------------------------------------------------
def panel(number: int, change: Any) -> Forge:
    return body(number, lambda b: b.update(panel=change(b["panel"])))


def seed_of(name: str) -> str:
    return str(at(golden_record(name), 2, "seed"))


def other_panel(files: Files) -> Files:
    """One of the panel for another of the same age and gender, whose ticket is higher: quotas hold, tickets don't."""
    pool, drawn = json.loads(files["auditor/pool-0.json"]), at(files, 2, "panel")
    leaves = files["public/leaves.txt"].decode().split()
    types = {leaves[number]: t for number, t in pool["people"]}
    for leaf in drawn:
        for other in leaves:
            if other not in drawn and types[other] == types[leaf]:
                return panel(2, lambda p, a=leaf, b=other: sorted([b if one == a else one for one in p]))(
                    files
                )
    raise AssertionError


def imprint(files: Files) -> bytes:
    return sha(files["public/entry-0001.json"])


def two_stamps(one: bytes, other: bytes) -> Forge:
    """The record with two tokens over the commitment."""

    def forge(files: Files) -> Files:
        token = base64.b64decode(at(files, 2, "token"))
        bodies = [
            {"entry": 1, "token": base64.b64encode(token.replace(STAMP_TIME, time)).decode()}
            for time in (one, other)
        ]
        return relogged(lambda log: [log[0], *(("timestamp", body_, log[1][2]) for body_ in bodies), log[2]])(
            files
        )

    return forge


def stamped_entry(number: int, time: bytes) -> Forge:
    """A token over this entry as the last entry."""
    token = base64.b64encode(TOKEN.replace(STAMP_TIME, time)).decode()
    return relogged(lambda log: [*log, ("timestamp", {"entry": number, "token": token}, log[-1][2])])


def retimed(token: bytes, moment: bytes) -> bytes:
    """The token with another genTime, of whatever length: the lengths of what is around it are made anew."""

    def again(data: bytes) -> bytes:
        out, place = b"", 0
        while place < len(data):
            tag, size, start = data[place], data[place + 1], place + 2
            if size & 0x80:
                start += size & 0x7F
                size = int.from_bytes(data[place + 2 : start], "big")
            content = data[start : start + size]
            if tag == 0x18:
                content = moment
            elif tag & 0x20 or (tag == 4 and STAMP_TIME in content and content[0] == 0x30):
                content = again(content)
            length = len(content)
            if length > 127:
                long = length.to_bytes((length.bit_length() + 7) // 8, "big")
                out += bytes([tag, 0x80 | len(long)]) + long + content
            else:
                out += bytes([tag, length]) + content
            place = start + size
        return out

    return again(token)


TOKEN = bytes.fromhex(primitives()["timestamp"]["token"])
STAMP_TIME = TOKEN[TOKEN.index(b"\x18\x0f") + 2 :][:15]
DRAW: list[Lie] = [
    ("a signature of the point at infinity", "drand", reveal(0, signature="c0" + "00" * 47), "beacon"),
    ("a signature that is no point", "drand", reveal(0, signature="00" * 48), "beacon"),
    ("the signature of another round", "drand", other_signature, "beacon"),
    (
        "the signature's other sign",
        "drand",
        reveal(0, signature="95" + ROUNDS[QUICKNET, 123]["signature"][2:]),
        "beacon",
    ),
    (
        "another signature before",
        "all-sources",
        reveal(2, previous_signature=ROUNDS[DEFAULT, 72785]["previous_signature"]),
        "beacon",
    ),
    ("a seed", "drand", field(2, seed="0" * 64), "draw.seed"),
    (
        "the seed of another draw",
        "drand",
        lambda files: field(2, seed=seed_of("balls"))(files),
        "draw.seed",
    ),
    (
        "the seed of round 0 in round 1",
        "replaced",
        lambda files: field(5, seed=seed_of("replaced"))(files),
        "draw.seed",
    ),
    ("a position beside", "drand", body(2, lambda b: b.update(position=b["position"] + 1)), "draw.index"),
    (
        "a position above M",
        "drand",
        body(2, lambda b: b.update(position=b["position"] + 10**6)),
        "draw.index",
    ),
    ("a rejection", "drand", field(2, rejected=1), "draw.index"),
    ("nobody", "drand", field(2, panel=[]), "draw.people"),
    ("one less", "drand", panel(2, lambda p: p[1:]), "draw.people"),
    ("one twice", "drand", panel(2, lambda p: [p[0], *p[:-1]]), "draw.people"),
    (
        "one more",
        "drand",
        lambda files: panel(2, lambda p: sorted({*p, *files["public/leaves.txt"].decode().split()})[:5])(
            files
        ),
        "draw.people",
    ),
    ("a panel in another order", "drand", panel(2, lambda p: p[::-1]), "draw.people"),
    (
        "a panel without one who stayed",
        "replaced",
        lambda files: panel(
            5, lambda p: sorted([*(one for one in p if one != at(files, 2, "panel")[0]), outsider()])
        )(files),
        "draw.people",
    ),
    ("somebody unknown", "drand", panel(2, lambda p: [*p[:-1], "f" * 64]), "draw.people"),
    (
        "somebody who withdrew",
        "replaced",
        lambda files: panel(5, lambda p: sorted([*p[1:], at(files, 3, "withdrawals")[0][0]]))(files),
        "draw.people",
    ),
    ("a withdrawal of nobody", "replaced", field(6, withdrawals=[["0" * 64, "other"]]), "draw.people"),
    (
        "a withdrawal again",
        "replaced",
        lambda files: field(6, withdrawals=at(files, 3, "withdrawals"))(files),
        "draw.people",
    ),
    ("another panel", "drand", other_panel, "draw.panel"),
    (
        "another panel under the household rule",
        "household",
        lambda files: panel(
            2,
            lambda p: sorted(
                {*p[:2], next(leaf for leaf in files["public/leaves.txt"].decode().split() if leaf not in p)}
            ),
        )(files),
        "draw.panel",
    ),
    (
        "a time-stamp over other bytes",
        "timestamped",
        lambda files: stamp(patched(imprint(files), sha(b"")))(files),
        "timestamps",
    ),
    (
        "a time-stamp after the draw",
        "timestamped",
        stamp(patched(STAMP_TIME, b"20270301180001Z")),
        "timestamps",
    ),
    (
        "a time-stamp a second later than the notice",
        "timestamped",
        stamp(patched(STAMP_TIME, b"20270228180001Z")),
        "timestamps",
    ),
    ("a time-stamp of the last moment", "timestamped", stamp(patched(STAMP_TIME, b"20270228180000Z")), None),
    ("a late time-stamp beside one in time", "timestamped", two_stamps(b"20270301180001Z", STAMP_TIME), None),
    ("two late time-stamps", "timestamped", two_stamps(b"20270301180001Z", b"20270228180001Z"), "timestamps"),
    ("a late time-stamp over a draw", "drand", stamped_entry(2, b"20270301180001Z"), None),
    ("a reading stamped before the beacon", "all-sources", stamped_entry(2, b"20230915115459Z"), None),
    (
        "a reading stamped when the beacon is known",
        "all-sources",
        stamped_entry(2, b"20230915115500Z"),
        "timestamps",
    ),
    (
        "a time-stamp over the payload alone",
        "timestamped",
        lambda files: stamp(patched(imprint(files), sha(first(files))))(files),
        "timestamps",
    ),
    *(
        (
            f"a time-stamp of {moment!r}",
            "timestamped",
            stamp(lambda token, m=moment: retimed(token, m.encode())),
            check,
        )
        for moment, check in (
            ("20261125225509.5Z", None),
            ("20261125225509.123456789Z", None),
            ("20270228180000.9Z", None),
            ("20261125225509.1234567891Z", "timestamps"),
            ("20261125225509.50Z", "timestamps"),
            ("20261125225509.0Z", "timestamps"),
            ("20261125225509.Z", "timestamps"),
            ("20261125225509,5Z", "timestamps"),
            ("202611252255Z", "timestamps"),
            ("20261125225509+0000", "timestamps"),
            ("20261125225509z", "timestamps"),
            ("20261125225509", "timestamps"),
            ("2026112522550\u0669Z", "timestamps"),
        )
    ),
    (
        "a time-stamp of 30 February",
        "timestamped",
        stamp(patched(STAMP_TIME, b"20260230221811Z")),
        "timestamps",
    ),
    (
        "a time-stamp of second 60",
        "timestamped",
        stamp(patched(STAMP_TIME, b"20261125221860Z")),
        "timestamps",
    ),
    ("a time-stamp of 1999", "timestamped", stamp(patched(STAMP_TIME, b"19991125221811Z")), "timestamps"),
    (
        "a time-stamp without a zone",
        "timestamped",
        stamp(patched(STAMP_TIME, b"202611252218110")),
        "timestamps",
    ),
    ("a byte after the token", "timestamped", stamp(lambda token: token + b"\x00"), "timestamps"),
    ("half a token", "timestamped", stamp(lambda token: token[:400]), "timestamps"),
    ("no token", "timestamped", stamp(lambda token: b""), "timestamps"),
    (
        "a token of another version",
        "timestamped",
        stamp(patched(bytes.fromhex("02010106042a030401"), bytes.fromhex("02010206042a030401"))),
        "timestamps",
    ),
    (
        "a digest of another kind",
        "timestamped",
        stamp(
            patched(
                bytes.fromhex("3031300d0609608648016503040201"),
                bytes.fromhex("3031300d0609608648016503040203"),
            )
        ),
        "timestamps",
    ),
    (
        "other data than signed data",
        "timestamped",
        stamp(patched(bytes.fromhex("2a864886f70d010702"), bytes.fromhex("2a864886f70d010701"))),
        "timestamps",
    ),
    (
        "other content than a time-stamp",
        "timestamped",
        stamp(patched(bytes.fromhex("2a864886f70d0109100104"), bytes.fromhex("2a864886f70d0109100105"))),
        "timestamps",
    ),
    (
        "a length that isn't definite",
        "timestamped",
        stamp(lambda token: token[:1] + b"\x80" + token[4:] + b"\0\0"),
        "timestamps",
    ),
    (
        "a length with a byte too many",
        "timestamped",
        stamp(lambda token: token[:1] + b"\x83\x00" + token[2:4] + token[4:]),
        "timestamps",
    ),
]
