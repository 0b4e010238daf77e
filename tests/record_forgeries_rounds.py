"""Records at the edges of the rules, good ones and lies, most of them made for it alone: see `record_forgeries`.

A forgery here often takes nothing from the golden record that it is named after, and gives a record of its own.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from record_cases import (
    AGE,
    DEFAULT,
    QUICKNET,
    Files,
    Maker,
    balls,
    drand,
    dump,
    grid,
    payload,
    persons,
    resigned,
    tier,
)
from record_forgeries import Forge, Lie, at, body, declared, envelope, field
from record_forgeries_draw import ROUNDS, STAMP_TIME, TOKEN, retimed, reveal, stamp, two_stamps

GENDER = ("gender", [("f", 0, 4), ("m", 0, 4)])
BALLS = {"balls": "31415926535897932384"}
LATER = drand(DEFAULT, 3311596)  # 2023-09-15T11:55:00Z


def made(make: Callable[[], Maker]) -> Forge:
    return lambda _: make().files


def plain(**declared_: Any) -> Maker:
    """14 people, 4 seats, balls in January, March and May."""
    dates = ["2026-01-10T12:00:00Z", "2026-03-10T12:00:00Z", "2026-05-10T12:00:00Z"]
    sources, *calendar = [[balls(20, date)] for date in dates]
    return Maker(
        "edges",
        grid(3, 3, 4, 4),
        [AGE, GENDER],
        **{"size": 4, "sources": sources, "calendar": calendar} | declared_,
    )


def drawn() -> Maker:
    record = plain()
    record.commit("2025-12-20T12:00:00Z")
    record.draw_round("2026-01-10T13:00:00Z", BALLS)
    return record


def outside(record: Maker) -> str:
    """Somebody who is not on the last panel and has not withdrawn."""
    return next(leaf for leaf in record.leaves if leaf not in record.panels[-1] + record.withdrawn)


def replaced(*, who: str = "panel", draw: bool = True, weight: int = 1) -> Maker:
    """A second round after the withdrawal of one of the panel, or of somebody else; with other weights, if so wished."""
    record = drawn()
    leaf = record.panels[0][0] if who == "panel" else outside(record)
    record.withdraw([(leaf, "other")], "2026-01-11T12:00:00Z")
    for person in record.people:
        person["weight"] = weight
    record.commit("2026-02-11T12:00:00Z")
    if draw:
        record.draw_round("2026-03-10T13:00:00Z", BALLS)
    return record


# ---- who must sit -------------------------------------------------------------------------------------------
class Idle(Maker):
    """Keeps the value `no` of `(must sit)` although nobody has it."""

    def own_feature(self, name: str, values: dict[int, str], homes: list[Any], must: int) -> dict[str, Any]:
        feature = super().own_feature(name, values, homes, must)
        if name == "(must sit)" and feature["values"][0]["value"] == "yes":
            feature["values"].insert(0, {"max": 0, "min": 0, "value": "no"})
        return feature


def all_sit(maker: type[Maker]) -> Forge:
    def make() -> Maker:
        record = maker(
            "all-sit", grid(1, 1, 1, 1), [AGE, GENDER], size=4, must_sit=4, sources=[drand(QUICKNET, 123)]
        )
        record.commit("2023-08-20T00:00:00Z", must_sit=[one["identity"]["id"] for one in record.people])
        record.draw_round("2023-08-23T16:00:00Z", {})
        return record

    return made(make)


def nobody_sits(files: Files, number: int) -> Files:
    """The round with a feature `(must sit)` and nobody who must."""
    instance, pool, certificate = (
        json.loads(files[f"auditor/{part}-{number}.json"]) for part in ("instance", "pool", "certificate")
    )
    cells = [{"max": instance["size"], "min": 0, "value": "no"}, {"max": 0, "min": 0, "value": "yes"}]
    instance["features"].insert(0, {"name": "(must sit)", "values": cells})
    pool["types"] = [[0, *kind] for kind in pool["types"]]
    for level in certificate["levels"]:
        level["cells"] = [[cell + 2, price] for cell, price in level["cells"]]
    changed = {"instance": instance, "pool": pool, "certificate": certificate}
    return resigned(files | {f"auditor/{name}-{number}.json": dump(value) for name, value in changed.items()})


def all_gone() -> Maker:
    record = drawn()
    record.withdraw([(leaf, "other") for leaf in record.panels[0]], "2026-01-11T12:00:00Z")
    record.commit("2026-02-11T12:00:00Z")
    return record


def nobody_kept() -> Maker:
    """A second round, not drawn yet, in which whoever stays has no seat for certain."""
    record = drawn()
    record.withdraw([(record.panels[0][0], "other")], "2026-01-11T12:00:00Z")
    record.panels[-1] = []
    record.commit("2026-02-11T12:00:00Z")
    return record


def more_people(files: Files) -> Files:
    value = json.loads(files["auditor/instance-1.json"]) | {"people": 15}
    return resigned({**files, "auditor/instance-1.json": dump(value)})


# ---- rounds and withdrawals ---------------------------------------------------------------------------------
def no_reason() -> Maker:
    """A third round with no withdrawal since the commitment of the second."""
    record = replaced()
    record.commit("2026-04-11T12:00:00Z")
    record.draw_round("2026-05-10T13:00:00Z", BALLS)
    return record


def gone_meanwhile() -> Maker:
    """Between commitment and draw somebody withdraws and is drawn, in both rounds: the lottery that was committed to stands."""
    leaf = drawn().panels[0][0]
    record = plain()
    record.commit("2025-12-20T12:00:00Z")
    record.withdraw([(leaf, "declined")], "2026-01-01T00:00:00Z")
    record.draw_round("2026-01-10T13:00:00Z", BALLS)
    assert leaf in record.panels[0]
    record.commit("2026-02-11T12:00:00Z")
    stays = next(one for one in record.panels[0] if one != leaf)
    record.withdraw([(stays, "declined")], "2026-02-12T12:00:00Z")
    record.draw_round("2026-03-10T13:00:00Z", BALLS)
    assert stays in record.panels[1]
    assert leaf not in record.panels[1]
    return record


def gone_seated(which: int) -> Forge:
    """In place of the newcomer, somebody sits who withdrew in the entry before the commitment: of the panel (0), or not (1)."""

    def forge(files: Files) -> Files:
        before, listed = at(files, 2, "panel"), [leaf for leaf, _ in at(files, 3, "withdrawals")]
        gone = sorted(listed, key=lambda leaf: leaf not in before)[which]
        stays = [leaf for leaf in at(files, 5, "panel") if leaf in before]
        assert len(stays) == 3
        return body(5, lambda b: b.update(panel=sorted([*stays, gone])))(files)

    return forge


def gone_twice() -> Maker:
    record = plain()
    record.commit("2025-12-20T12:00:00Z")
    for _ in range(2):
        record.withdraw([(record.leaves[0], "other")], "2025-12-21T12:00:00Z")
    return record


def out_of_time(time: str) -> Forge:
    def make() -> Maker:
        record = plain()
        record.commit("2025-12-20T12:00:00Z")
        record.withdraw([(record.leaves[0], "other")], time)
        return record

    return made(make)


def same_id(*, destroyed: bool) -> Forge:
    """Two people with one id, each with a leaf that follows."""

    def forge(_: Files) -> Files:
        people = grid(2, 3, 4, 3)
        people[1] = ({**people[1][0], "id": people[0][0]["id"]}, *people[1][1:])
        record = Maker("ids", people, [AGE, GENDER], size=4, sources=[drand(QUICKNET, 123)])
        record.commit("2023-08-20T00:00:00Z")
        value = json.loads(record.files["sealed/people.json"])
        place = next(i for i, one in enumerate(value["people"]) if one[0]["id"] == people[0][0]["id"])
        if destroyed:
            value["people"][place] = []
        return record.files | {"sealed/people.json": dump(value)}

    return forge


# ---- sources ------------------------------------------------------------------------------------------------
def undrawn(**declared_: Any) -> Forge:
    def make() -> Maker:
        record = Maker("sources", grid(2, 3, 4, 3), [AGE, GENDER], size=4, **declared_)
        record.commit("2023-08-20T00:00:00Z")
        return record

    return made(make)


def fallback(number: int) -> Forge:
    """Round 657422 of quicknet is of the second of round 3311487 of the default chain."""
    return undrawn(fallback=[drand(DEFAULT, number)], sources=[drand(QUICKNET, 657422)])


def by_beacon() -> Maker:
    """Two rounds by drand, and a fallback, which is for the first one alone."""
    rounds = [[drand(QUICKNET, 123)], [drand(QUICKNET, 657413)]]
    record = plain(sources=rounds[0], calendar=rounds[1:], fallback=[LATER])
    record.commit("2023-08-20T09:00:00Z")
    record.draw_round("2023-08-23T16:00:00Z", {})
    record.withdraw([(record.panels[0][0], "declined")], "2023-09-01T09:00:00Z")
    record.commit("2023-09-10T09:00:00Z")
    record.draw_round("2023-09-15T12:00:00Z", {})
    return record


def fallback_later(_: Files) -> Files:
    """The fallback's round in place of the one declared for round 1."""
    given = {
        "kind": "drand",
        "round": LATER["round"],
        **{name: ROUNDS[DEFAULT, LATER["round"]][name] for name in ("previous_signature", "signature")},
    }
    return field(5, fallback="yes", reveals=[given])(by_beacon().files)


# Each is the round's signature plus a point whose order is prime to the group's: the pairing alone takes it for a signature.
BESIDE_G1 = "809dde3f545ed5f3fd7839a1d80941f747a9117c844e2778a88f7a69d63bc69e29ce9dd0e5f3fb1be0802af85b01b1d7"
BESIDE_G2 = (
    "989a99fca116631d5bef0cafe593f2907ec8f53f222707a282a32a8a987a4359e1f90708a84d9cc4292cf832225c14f4"
    "0f2e89430a2ad4b4094ddf63ddb50e54498f1bae534ff940d1553b6db417bc34fb40a23bac52412f569fabe6f34b6538"
)


def default_chain(_: Files) -> Files:
    record = Maker("default", grid(2, 3, 4, 3), [AGE, GENDER], size=4, sources=[drand(DEFAULT, 72785)])
    record.commit("2020-08-01T00:00:00Z")
    record.draw_round("2020-08-20T00:00:00Z", {})
    return record.files


# ---- time-stamps --------------------------------------------------------------------------------------------
def longer(size: int) -> Callable[[bytes], bytes]:
    """The token with as many bytes in its last SET, that of the signers, as make it this long."""

    def change(token: bytes) -> bytes:
        more = size - len(token)
        filling = b"\x04\x82" + (more - 4).to_bytes(2, "big") + bytes(more - 4)
        out, place = bytearray(token), 0
        for tag in b"\x30\xa0\x30\x31":  # around the end of the token, all with lengths of two bytes
            while not (out[place] == tag and out[place + 1] == 0x82 and ends(out, place) == len(token)):
                place += 1
            length = int.from_bytes(out[place + 2 : place + 4], "big") + more
            out[place + 2 : place + 4] = length.to_bytes(2, "big")
            place += 1
        return bytes(out) + filling

    return change


def ends(data: bytearray, place: int) -> int:
    return place + 4 + int.from_bytes(data[place + 2 : place + 4], "big")


def readings(*times: bytes) -> Forge:
    """Several tokens over the reading, in this order."""

    def forge(files: Files) -> Files:
        maker = Maker.__new__(Maker)
        maker.draw, maker.payloads = "all-sources", []
        maker.files = {name: data for name, data in files.items() if "/entry-" not in name}
        old = [payload(files, n) for n in (1, 2, 3)]
        for one in old:
            maker.append(one["kind"], one["body"], one["time"])
        for time in times:
            token = base64.b64encode(retimed(TOKEN, time)).decode()
            maker.append("timestamp", {"entry": 2, "token": token}, old[-1]["time"])
        return resigned(maker.files)

    return forge


# ---- spelling -----------------------------------------------------------------------------------------------
def spelled_otherwise(text: str) -> str:
    """BASE64 of the same bytes, but for the bits that no byte needs."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    end = len(text.rstrip("=")) - 1
    assert end < len(text) - 1
    other = text[:end] + letters[letters.index(text[end]) ^ 1] + text[end + 1 :]
    assert base64.b64decode(other) == base64.b64decode(text)
    return other


def spell_signature(value: dict[str, Any]) -> None:
    value["signatures"][0]["sig"] = spelled_otherwise(value["signatures"][0]["sig"])


def spell_payload(files: Files) -> Files:
    """A reason of a length that leaves bits over."""
    for letters in range(1, 4):
        longer_ = field(3, reason="x" * letters)(files)
        if json.loads(longer_["public/entry-0003.json"])["payload"].endswith("="):
            return envelope(3, lambda v: v.update(payload=spelled_otherwise(v["payload"])))(longer_)
    raise AssertionError


# ---- lottery and certificate --------------------------------------------------------------------------------
def proved(*splits: int) -> Forge:
    """The first level by a proof: the panels with at most so many of type 0 and those with more, and the first of these again."""

    def forge(files: Files) -> Files:
        value = json.loads(files["auditor/certificate-0.json"])
        level = value["levels"][0]
        leaf = {"cells": level["cells"], "scale": "1", "seats": level["seats"]}
        last = len(splits)
        nodes = [
            {"above": last + 1 + number, "at_most": at_most, "below": number + 1, "type": 0}
            for number, at_most in enumerate(splits)
        ]
        level["proof"] = [*nodes, *[leaf] * (last + 1)]
        level["cells"], level["seats"], value["level"] = [], "0", "L1"
        files = resigned({**files, "auditor/certificate-0.json": dump(value)})
        return body(1, lambda b: b["summary"].update(level="L1"))(files)

    return forge


MISSING = 7  # balls of a panel without any x
FIRST = {
    "cells": [[0, "1"]],
    "held": [],
    "proof": [],
    "seats": "0",
    "types": [[0, "1"], [1, "1"]],
    "value": "1/3",
}
SECOND = {"cells": [], "held": [], "proof": [], "seats": "1", "types": [[2, "1"]], "value": "1/3"}


def short_of() -> Maker:
    """One person xa and two xb share a seat that nobody has in 7 panels of 10^6: each lacks less than the three together."""
    groups = [
        (1, {"kind": "x", "letter": "a"}),
        (2, {"kind": "x", "letter": "b"}),
        (3, {"kind": "y", "letter": "a"}),
    ]
    features = [("kind", [("x", 0, 1), ("y", 1, 2)]), ("letter", [("a", 0, 2), ("b", 0, 2)])]
    record = Maker("short", persons(groups), features, size=2, sources=[drand(QUICKNET, 123)])
    one = (10**6 - MISSING) // 3
    panels = [
        [one, [[0, 1], [2, 1]]],
        [10**6 - MISSING - one, [[1, 1], [2, 1]]],
        [MISSING, [[2, 2]]],
    ]
    record.commit("2023-08-20T00:00:00Z", panels=panels, levels=[FIRST, SECOND])
    record.draw_round("2023-08-23T16:00:00Z", {})
    return record


def without_slack(_: Files) -> Files:
    """The gap of each person alone."""
    files = short_of().files
    value = json.loads(files["auditor/certificate-0.json"])
    one = (10**6 - MISSING) // 3
    assert value["gap"] == "7/1000000"
    lacks = max(10**6 - 3 * one, (2 * 10**6 - 3 * (10**6 - MISSING - one)) // 2)
    value["gap"] = f"{lacks}/3000000"
    return resigned({**files, "auditor/certificate-0.json": dump(value)})


def wider_home(change: int) -> Forge:
    """Another quota of the couples' value of `(household)`."""

    def forge(files: Files) -> Files:
        value = json.loads(files["auditor/instance-0.json"])
        value["features"][0]["values"][0]["max"] += change
        return resigned({**files, "auditor/instance-0.json": dump(value)})

    return forge


EDGES: list[Lie] = [
    ("everybody must sit", "drand", all_sit(Maker), None),
    ("everybody must sit, and a value no", "drand", all_sit(Idle), "pool"),
    ("nobody must sit, and a feature for it", "drand", lambda files: nobody_sits(files, 0), "instance"),
    ("the whole panel has withdrawn", "replaced", made(all_gone), None),
    (
        "the same, with a feature for those who stay",
        "replaced",
        lambda _: nobody_sits(all_gone().files, 1),
        "succession",
    ),
    ("no feature for those who stay", "replaced", made(nobody_kept), "succession"),
    ("a second round", "replaced", made(replaced), None),
    ("a second round for somebody else", "replaced", made(lambda: replaced(who="other")), "draw.people"),
    (
        "the same, in the public tier",
        "replaced",
        lambda _: tier(replaced(who="other").files, "public"),
        "draw.people",
    ),
    (
        "the same, before its draw",
        "replaced",
        made(lambda: replaced(who="other", draw=False)),
        "succession",
    ),
    ("more people in the second round than in all", "replaced", more_people, "instance"),
    ("other weights in the second round", "replaced", made(lambda: replaced(weight=2)), "succession"),
    ("a third round with no reason since the second", "replaced", made(no_reason), "log"),
    ("withdrawn between commitment and draw", "replaced", made(gone_meanwhile), None),
    ("withdrawn before the commitment, and seated again", "replaced", gone_seated(0), "draw.people"),
    ("withdrawn before the commitment, and seated", "replaced", gone_seated(1), "draw.people"),
    ("withdrawn twice, and nothing is drawn", "undrawn", made(gone_twice), "draw.people"),
    ("an entry of the same second", "undrawn", out_of_time("2025-12-20T12:00:00Z"), None),
    ("an entry a second earlier", "undrawn", out_of_time("2025-12-20T11:59:59Z"), "times"),
    ("one id twice", "drand", same_id(destroyed=False), "sealed"),
    ("one id twice, and one salt destroyed", "drand", same_id(destroyed=True), None),
    ("a fallback that round 1 doesn't use", "replaced", made(by_beacon), None),
    ("a declared fallback in round 1", "replaced", fallback_later, "randomness"),
    (
        "a declared fallback in round 1 that isn't used",
        "replaced",
        lambda _: field(5, fallback="yes")(by_beacon().files),
        "randomness",
    ),
    ("a fallback of the same second", "undrawn", fallback(3311487), "declaration"),
    ("a fallback of the next round", "undrawn", fallback(3311488), None),
    ("a fallback of the round before", "undrawn", fallback(3311486), "declaration"),
    *(
        (
            f"balls at {time}, beside the beacon of 11:00:03",
            "undrawn",
            undrawn(sources=[balls(20, f"2023-09-15T{time}Z"), drand(QUICKNET, 657413)]),
            check,
        )
        for time, check in (("11:00:02", None), ("11:00:03", "declaration"), ("11:00:04", "declaration"))
    ),
    ("a signature beside the group G1", "drand", reveal(0, signature=BESIDE_G1), "beacon"),
    ("the default chain alone", "all-sources", default_chain, None),
    (
        "a signature beside the group G2",
        "all-sources",
        lambda files: reveal(0, signature=BESIDE_G2)(default_chain(files)),
        "beacon",
    ),
    (
        "a time-stamp in time beside a late one",
        "timestamped",
        two_stamps(STAMP_TIME, b"20270301180001Z"),
        None,
    ),
    (
        "a reading stamped in time, then late",
        "all-sources",
        readings(b"20230915115459Z", b"20230915115500Z"),
        None,
    ),
    (
        "a reading stamped late, then in time",
        "all-sources",
        readings(b"20230915115500Z", b"20230915115459Z"),
        None,
    ),
    ("a reading stamped late, twice", "all-sources", readings(*[b"20230915115500Z"] * 2), "timestamps"),
    ("a token of 65,536 bytes", "timestamped", stamp(longer(65536)), None),
    ("a token of 65,537 bytes", "timestamped", stamp(longer(65537)), "timestamps"),
    ("a signature in another BASE64", "drand", envelope(1, spell_signature), "encoding"),
    ("a payload in another BASE64", "aborted", spell_payload, "encoding"),
    ("a title in two pieces", "drand", declared(title="e\u0301te\u0301"), "encoding"),
    ("a title in one piece", "drand", declared(title="\u00e9t\u00e9"), None),
    ("a level by a proof", "drand", proved(), None),
    ("a level by a proof of two cases", "drand", proved(0), None),
    ("a level by a proof of three cases", "drand", proved(1, 0), None),
    ("a case that leaves nothing above", "drand", proved(2), "certificate"),
    ("a case above the one before", "drand", proved(1, 1), "certificate"),
    ("a seat that is missing now and then", "drand", made(short_of), None),
    ("the same, each person looked at alone", "drand", without_slack, "gap"),
    ("a wider quota of couples", "household", wider_home(1), "pool"),
    ("a tighter quota of couples", "household", wider_home(-1), "pool"),
]
