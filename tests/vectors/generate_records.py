"""Writes the golden records and the vectors of their primitives: what the bytes of a record must be, whoever makes them.

The third program, with `generate.py`: standard library alone, no klero, after `docs/audit/protocol.md`. Run it and look at the diff:

    python tests/vectors/generate_records.py          rewrites the files
    python tests/vectors/generate_records.py --check  exits 1 if they would change

The names, keys and salts are made up; keys and salts are hashes of the texts in `record_maker.py`. Signatures of drand rounds are public facts
(`plain_record.ROUNDS`). The time-stamp is the one thing that was made by another program, see STAMP.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

from generate import sha
from plain_record import DEFAULT, QUICKNET
from record_maker import Maker
from record_primitives import primitives

HERE = Path(__file__).parent
AGE = ("age", [("old", 2, 2), ("young", 2, 2)])
GENDER = ("gender", [("f", 0, 4), ("m", 0, 4)])

# An authority of our own, made once, its key thrown away. In an empty folder, with DIGEST from `generate_records.py --token`:
#   openssl ecparam -name prime256v1 -genkey -noout -out key.pem
#   openssl req -new -x509 -key key.pem -out cert.pem -days 3650 -subj "/CN=Test time-stamps" \
#     -addext "extendedKeyUsage=critical,timeStamping" -addext "basicConstraints=critical,CA:FALSE"
#   printf '[tsa]\ndefault_tsa=t\n[t]\nserial=./serial\ncrypto_device=builtin\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\n' > ts.cnf
#   printf 'digests=sha256\naccuracy=secs:1\nordering=no\ntsa_name=no\ness_cert_id_chain=no\ness_cert_id_alg=sha256\n' >> ts.cnf
#   echo 01 > serial; openssl ts -query -digest DIGEST -sha256 -cert -out q.tsq
#   openssl ts -reply -config ts.cnf -queryfile q.tsq -signer cert.pem -inkey key.pem -token_out -out token.der
STAMP = (
    "3082038f06092a864886f70d010702a08203803082037c020103310f300d060960864801650304020105003072060b2a864886f70d0109100104a063"
    "0461305f02010106042a0304013031300d0609608648016503040201050004204518c465f64ee1675ff5e0fa0a340e8a4f6ecf4238ad8ae4b3f02f09"
    "d9213e92020104180f32303236313132353232353530395a3003020101020851ee3d769935fa8ca08201a4308201a030820146a00302010202147635"
    "1077f1cecd4f4ec4438256622f8744375c2e300a06082a8648ce3d040302301b3119301706035504030c10546573742074696d652d7374616d707330"
    "1e170d3236313132353232313634365a170d3336313132323232313634365a301b3119301706035504030c10546573742074696d652d7374616d7073"
    "3059301306072a8648ce3d020106082a8648ce3d0301070342000453be904a28e4f7aad34c49add9998189bb3814ea7c8dfbf948821ed065e9881b6f"
    "e09021b2306476f148aa3fda6df9504a24ada5462e2ec0f8c21029a46ad4a3a3683066301d0603551d0e041604146dd96f6bd6af310ff2403abb2412"
    "52ae50b1081f301f0603551d230418301680146dd96f6bd6af310ff2403abb241252ae50b1081f30160603551d250101ff040c300a06082b06010505"
    "070308300c0603551d130101ff04023000300a06082a8648ce3d0403020348003045022100fea7b1a43c1611d6807adc26e33a427757c9a1c45bc62f"
    "726b4b7475d7fb62a8022036a44441e36b40fc841ff0cbace1f1c48060c37942883dcacf0c6bd186369f7631820148308201440201013033301b3119"
    "301706035504030c10546573742074696d652d7374616d7073021476351077f1cecd4f4ec4438256622f8744375c2e300d0609608648016503040201"
    "0500a081a4301a06092a864886f70d010903310d060b2a864886f70d0109100104301c06092a864886f70d010905310f170d32363131323532323535"
    "30395a302f06092a864886f70d0109043122042049a3285913a421d7833c20d6fc7a64baa65cb53183cea1098846f64c6aa17eb93037060b2a864886"
    "f70d010910022f31283026302430220420b174e635551122dcbec47a69b9437358365a8f70392fc39416c94d5c2b808cbd300a06082a8648ce3d0403"
    "0204483046022100fd8d670f59d94f306013a6a4583317d20c80a094f9f2386c7eed29021512de52022100f1f0234499c755213673e9174ec9a786f9"
    "32c14a13b13785d88064c3cb78c9f0"
)
AUTHORITY = (
    "308201a030820146a003020102021476351077f1cecd4f4ec4438256622f8744375c2e300a06082a8648ce3d040302301b3119301706035504030c10"
    "546573742074696d652d7374616d7073301e170d3236313132353232313634365a170d3336313132323232313634365a301b3119301706035504030c"
    "10546573742074696d652d7374616d70733059301306072a8648ce3d020106082a8648ce3d0301070342000453be904a28e4f7aad34c49add9998189"
    "bb3814ea7c8dfbf948821ed065e9881b6fe09021b2306476f148aa3fda6df9504a24ada5462e2ec0f8c21029a46ad4a3a3683066301d0603551d0e04"
    "1604146dd96f6bd6af310ff2403abb241252ae50b1081f301f0603551d230418301680146dd96f6bd6af310ff2403abb241252ae50b1081f30160603"
    "551d250101ff040c300a06082b06010505070308300c0603551d130101ff04023000300a06082a8648ce3d0403020348003045022100fea7b1a43c16"
    "11d6807adc26e33a427757c9a1c45bc62f726b4b7475d7fb62a8022036a44441e36b40fc841ff0cbace1f1c48060c37942883dcacf0c6bd186369f76"
)


def drand(chain: str, number: int) -> dict[str, Any]:
    return {"chain": chain, "kind": "drand", "round": number}


def balls(digits: int, time: str) -> dict[str, Any]:
    return {"digits": digits, "kind": "balls", "time": time}


def persons(groups: list[tuple[int, dict[str, str]]], weight: int = 1) -> list[Any]:
    """(how many, values): people with ids p01, p02, … in mixed order."""
    values = [has for count, has in groups for _ in range(count)]
    return [
        ({"id": f"p{i + 1:02}", "name": f"Person {i + 1}"}, has, weight, "") for i, has in enumerate(values)
    ]


def grid(of: int, om: int, yf: int, ym: int) -> list[Any]:
    return persons(
        [
            (of, {"age": "old", "gender": "f"}),
            (om, {"age": "old", "gender": "m"}),
            (yf, {"age": "young", "gender": "f"}),
            (ym, {"age": "young", "gender": "m"}),
        ]
    )


def record_drand() -> Maker:
    """Leximin: 5 old people share 2 seats, 7 young ones 2. One round of quicknet."""
    record = Maker(
        "jury-2023",
        grid(2, 3, 4, 3),
        [AGE, GENDER],
        size=4,
        sources=[drand(QUICKNET, 123)],
        title='The «jury», "été" 2023',
    )
    record.commit("2023-08-22T15:15:33Z", signers="guarantor organiser witness")
    record.draw_round("2023-08-23T15:15:33Z", {})
    return record


def record_balls() -> Maker:
    """Maximin, 36 people, two cells in the histogram, 24 balls and nothing else. Half of the balls are more than M needs."""
    record = Maker(
        "balls",
        grid(5, 6, 11, 14),
        [AGE, GENDER],
        denominator=10**12,
        objective="maximin",
        question="Shall the town build a theatre?",
        sequence=17,
        size=4,
        sources=[balls(24, "2026-03-02T18:00:00Z")],
        threshold=3,
    )
    record.commit("2026-02-01T12:00:00Z", signers="guarantor organiser witness")
    record.draw_round(
        "2026-03-02T19:00:00Z",
        {"balls": "007318465209915533827160"},
        signers="guarantor organiser witness",
    )
    return record


def record_all_sources() -> Maker:
    """Minimax; balls, dice, a round of drand's default chain and a lottery with a second drum."""
    record = Maker(
        "all-sources",
        grid(2, 3, 4, 3),
        [AGE, GENDER],
        notice=10 * 86400,
        objective="minimax",
        size=4,
        sources=[
            balls(6, "2023-09-15T10:00:00Z"),
            {"kind": "dice", "rolls": 30, "time": "2023-09-15T10:30:00Z"},
            drand(DEFAULT, 3311596),
            {
                "draws": [
                    {"count": 5, "most": 50, "name": "main drum"},
                    {"count": 2, "most": 12, "name": "Étoiles"},
                ],
                "kind": "lottery",
                "time": "2023-09-15T11:54:59Z",
            },
        ],
    )
    shown = {
        "balls": "994213",
        "dice": "611234566543213254616253414326",
        "lottery": [[3, 17, 28, 41, 50], [2, 11]],
    }
    record.commit("2023-09-05T10:00:00Z")
    record.read("2023-09-15T11:54:59Z", shown)
    record.draw_round("2023-09-16T08:00:00Z", shown)
    return record


def record_household() -> Maker:
    """Two couples alike, of each at most one; two people alone, of whom one weighs double; one who must sit. 2 seats for 7 shares."""
    people = [
        ({"id": "a1"}, {"kind": "x"}, 1, "A"),
        ({"id": "a2"}, {"kind": "y"}, 1, "A"),
        ({"id": "b1"}, {"kind": "x"}, 1, "B"),
        ({"id": "b2"}, {"kind": "y"}, 1, "B"),
        ({"id": "c"}, {"kind": "x"}, 1, ""),
        ({"id": "d"}, {"kind": "x"}, 2, ""),
        ({"id": "e", "name": 'Zoë "Z"'}, {"kind": "y"}, 1, ""),
    ]
    record = Maker(
        "household",
        people,
        [("kind", [("x", 0, 3), ("y", 1, 3)])],
        household=1,
        must_sit=1,
        size=3,
        sources=[drand(QUICKNET, 657413)],
    )
    record.commit("2023-09-01T00:00:00Z", must_sit=["e"], panels=HOUSEHOLD_PANELS, levels=HOUSEHOLD_LEVELS)
    record.draw_round("2023-09-15T11:00:03Z", {})
    return record


# Types: x and y of couples, c, d, e. Each share has 2/7: the couples 4/7 of a seat for x and y, c 2/7, d 4/7.
HOUSEHOLD_PANELS = [
    [142858, [[0, 1], [1, 1], [4, 1]]],
    [142857, [[0, 1], [2, 1], [4, 1]]],
    [285714, [[0, 1], [3, 1], [4, 1]]],
    [142857, [[1, 1], [2, 1], [4, 1]]],
    [285714, [[1, 1], [3, 1], [4, 1]]],
]
HOUSEHOLD_LEVELS = [
    {
        "cells": [[3, "-1"]],
        "held": [],
        "proof": [],
        "seats": "1",
        "types": [[0, "1"], [1, "1"], [2, "1"], [3, "1"]],
        "value": "2/7",
    },
    {"cells": [], "held": [], "proof": [], "seats": "0", "types": [[4, "1"]], "value": "1"},
]


def record_replaced() -> Maker:
    """Somebody of the panel and somebody else withdraw; round 1 seats one more, its quotas of gender are wider; then others withdraw."""
    tight = ("gender", [("f", 1, 3), ("m", 1, 3)])
    record = Maker(
        "replaced",
        grid(3, 3, 4, 4),
        [AGE, tight],
        calendar=[[drand(QUICKNET, 657413)], [balls(20, "2023-10-15T12:00:00Z")]],
        size=4,
        sources=[drand(QUICKNET, 123)],
    )
    record.commit("2023-08-20T09:00:00Z")
    record.draw_round("2023-08-23T16:00:00Z", {})
    out = next(leaf for leaf in record.leaves if leaf not in record.panels[0])
    record.withdraw([(record.panels[0][1], "declined"), (out, "unreachable")], "2023-09-01T09:00:00Z")
    record.commit("2023-09-10T09:00:00Z", [["gender", "f", 0, 4], ["gender", "m", 1, 4]])
    record.draw_round("2023-09-15T12:00:00Z", {})
    record.withdraw([(record.panels[1][0], "other")], "2023-09-20T09:00:00Z")
    return record


def record_families() -> Maker:
    """Rounds 0, 2 and 3 under a household rule: families lose members, until nobody or one person is left of them who could sit."""
    homes = {"A": "xy", "B": "xy", "C": "xyy"}
    people = [
        ({"id": f"{home}{i}"}, {"kind": kind, "town": "T"}, 1, home)
        for home, kinds in homes.items()
        for i, kind in enumerate(kinds)
    ]
    alone = [("d", "x", 1), ("e", "y", 1), ("f", "x", 2), ("g", "y", 1), ("h", "y", 1)]
    people += [({"id": who}, {"kind": kind, "town": "T"}, w, "") for who, kind, w in alone]
    record = Maker(
        "families",
        people,
        [("kind", [("x", 0, 3), ("y", 0, 3)]), ("town", [("T", 3, 3)])],
        by="town",
        calendar=[[balls(20, f"2026-0{month}-10T12:00:00Z")] for month in "6789"],
        household=1,
        size=3,
        sources=[balls(20, "2026-05-10T12:00:00Z")],
    )
    tags = {one["leaf"]: one["tag"] for one in record.people}
    for number, month in ((0, 4), (2, 6), (3, 7)):  # nobody withdrew before the date of round 1 came too near
        record.commit(f"2026-0{month}-20T12:00:00Z", number=number)
        record.draw_round(f"2026-0{month + 1}-10T13:00:00Z", {"balls": FAMILIES_BALLS[number]})
        panel = record.panels[-1]
        leaves = [leaf for leaf in panel if not tags[leaf]][:1] or panel[:1]
        seated = {tags[leaf] for leaf in panel}
        others = [leaf for leaf in record.leaves if leaf not in record.withdrawn and tags[leaf] not in seated]
        leaves += [leaf for leaf in others if tags[leaf]][:1]
        record.withdraw([(leaf, "declined") for leaf in leaves], f"2026-0{month + 1}-11T12:00:00Z")
    return record


FAMILIES_BALLS = {0: "27182818284590452353", 2: "00000000000000000001", 3: "99999999999999999998"}


def record_fallback() -> Maker:
    """The declared round of quicknet was not to be had (so the record says); a later round of the default chain stands in."""
    record = Maker(
        "fallback",
        grid(2, 3, 4, 3),
        [AGE, GENDER],
        fallback=[drand(DEFAULT, 3311596)],
        size=4,
        sources=[balls(6, "2023-09-10T12:00:00Z"), drand(QUICKNET, 657000)],
    )
    record.commit("2023-09-09T12:00:00Z")
    record.read("2023-09-10T12:00:00Z", {"balls": "000000"})
    record.draw_round("2023-09-15T12:00:00Z", {"balls": "000000"}, fallback=True)
    return record


def record_aborted() -> Maker:
    """Goldilocks, weights; the draw is called off before it."""
    people = grid(2, 3, 4, 3)
    people[0] = (*people[0][:2], 2, "")
    people[-1] = (*people[-1][:2], 3, "")
    record = Maker(
        "aborted",
        people,
        [AGE, GENDER],
        objective="goldilocks",
        size=4,
        sources=[drand(QUICKNET, 123)],
    )
    record.commit("2023-08-20T09:00:00Z")
    record.withdraw([(record.leaves[0], "ineligible")], "2023-08-21T09:00:00Z")
    record.append("abort", {"reason": "The hall burnt down."}, "2023-08-21T10:00:00Z")
    return record


def record_undrawn() -> Maker:
    """A commitment and nothing else."""
    record = Maker(
        "undrawn",
        grid(2, 3, 4, 3),
        [AGE, GENDER],
        size=4,
        sources=[{"kind": "dice", "rolls": 25, "time": "2199-12-31T23:59:59Z"}],
    )
    record.commit("2000-01-01T00:00:00Z")
    return record


def record_timestamped(*, token: bool = True) -> Maker:
    """A time-stamp over the commitment, before the draw."""
    record = Maker(
        "timestamped",
        grid(2, 3, 4, 3),
        [AGE, GENDER],
        size=4,
        sources=[balls(20, "2027-03-01T18:00:00Z")],
    )
    record.commit("2026-11-20T12:00:00Z")
    if token:
        assert sha(record.files["public/entry-0001.json"]) in bytes.fromhex(STAMP), (
            "make the token anew, see STAMP"
        )
        body = {"entry": 1, "token": base64.b64encode(bytes.fromhex(STAMP)).decode()}
        record.append("timestamp", body, "2026-12-01T12:00:00Z")
        record.draw_round("2027-03-01T19:00:00Z", {"balls": "31415926535897932384"})
    return record


def record_public() -> Maker:
    """Nash. Only the public tier is there."""
    record = Maker(
        "public-tier",
        grid(5, 6, 9, 7),
        [AGE, GENDER],
        denominator=10**7,
        objective="nash",
        size=4,
        sources=[drand(DEFAULT, 2634945)],
    )
    record.commit("2023-01-20T00:00:00Z")
    record.draw_round("2023-01-23T13:09:30Z", {})
    record.files = {name: data for name, data in record.files.items() if name.startswith("public/")}
    return record


RECORDS = {
    "drand": record_drand,
    "balls": record_balls,
    "all-sources": record_all_sources,
    "household": record_household,
    "replaced": record_replaced,
    "families": record_families,
    "fallback": record_fallback,
    "aborted": record_aborted,
    "undrawn": record_undrawn,
    "timestamped": record_timestamped,
    "public": record_public,
}


def main() -> int:
    if "--token" in sys.argv:
        print(sha(record_timestamped(token=False).files["public/entry-0001.json"]).hex())
        return 0
    makers = {name: make() for name, make in RECORDS.items()}
    contents: dict[str, Any] = {
        f"record-{name}.json": {file: data.decode() for file, data in sorted(maker.files.items())}
        for name, maker in makers.items()
    }
    contents["record-primitives.json"] = primitives(makers, STAMP, AUTHORITY)
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
