"""Lies that a forger with all keys can tell, each with the check that refuses it. A forgery takes the files of a golden record and gives others."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from record_cases import (
    SECRETS,
    SMALL,
    Files,
    L,
    Maker,
    dump,
    edit_payload,
    encode,
    entries,
    golden_record,
    pae,
    payload,
    public_key,
    resigned,
    rewritten,
    sha,
    sign,
    times,
)

Forge = Callable[[Files], Files]
Lie = tuple[str, str, Forge, str | None]  # what, golden record, forgery, check (None: nobody can tell)


# ---- tools --------------------------------------------------------------------------------------------------
def declared(**fields: Any) -> Forge:
    """Other fields in the declaration."""
    return document("public/declaration.json", lambda d: d.update(fields))


def document(name: str, change: Callable[[Any], Any], *, anew: bool = True) -> Forge:
    """A document changed in place (or replaced by what the change gives)."""

    def forge(files: Files) -> Files:
        value = json.loads(files[name])
        value = change(value) or value
        changed = {**files, name: dump(value)}
        return resigned(changed) if anew else changed

    return forge


def body(number: int, change: Callable[[Any], Any]) -> Forge:
    """The body of an entry changed in place, and kept so."""

    def forge(files: Files) -> Files:
        value = payload(files, number)
        value["body"] = change(value["body"]) or value["body"]
        keep = frozenset((number, field) for field in value["body"])
        return resigned(edit_payload(files, number, value), keep=keep)

    return forge


def field(number: int, **fields: Any) -> Forge:
    """Other fields in the body of an entry."""
    return body(number, lambda b: b.update(fields))


def head(number: int, **fields: Any) -> Forge:
    """Other fields beside the body of an entry."""

    def forge(files: Files) -> Files:
        changed = edit_payload(files, number, payload(files, number) | fields)
        return resigned(changed, keep=frozenset((number, name) for name in fields))

    return forge


def relogged(change: Callable[[list[tuple[str, Any, str]]], list[tuple[str, Any, str]]]) -> Forge:
    """Other entries: lists of (kind, body, time), chained and signed by guarantor and organiser."""

    def forge(files: Files) -> Files:
        rest = {name: data for name, data in files.items() if "/entry-" not in name}
        old = [payload(files, n) for n in range(1, len(entries(files)) + 1)]
        log = change([(one["kind"], one["body"], one["time"]) for one in old])
        maker = Maker.__new__(Maker)
        maker.draw, maker.payloads, maker.files = old[0]["draw"], [], rest
        for kind, what, time in log:
            maker.append(kind, what, time)
        return resigned(maker.files)

    return forge


def envelope(number: int, change: Callable[[dict[str, Any]], Any]) -> Forge:
    """The envelope of an entry changed in place; nothing else."""
    return document(f"public/entry-{number:04}.json", change, anew=False)


def signatures(number: int, made: Callable[[bytes], list[tuple[bytes, bytes]]]) -> Forge:
    """Other signatures, as (key, signature), over the payload of an entry."""

    def change(value: dict[str, Any]) -> None:
        listed = made(base64.b64decode(value["payload"]))
        value["signatures"] = sorted(
            (
                {"keyid": sha(key).hex(), "sig": base64.b64encode(signature).decode()}
                for key, signature in listed
            ),
            key=lambda one: one["keyid"],
        )

    return envelope(number, change)


def by(*names: str) -> list[bytes]:
    return [SECRETS.get(name, sha(name.encode())) for name in names]


def signed(*names: str) -> Callable[[bytes], list[tuple[bytes, bytes]]]:
    return lambda data: [(public_key(secret), sign(secret, pae(data))) for secret in by(*names)]


def third_key(key: bytes) -> Forge:
    """The declaration with another third key, which nobody signs with."""

    def change(value: dict[str, Any]) -> None:
        used = [public_key(secret).hex() for secret in by("guarantor", "organiser")]
        keys = [one for one in value["keys"] if one["key"] in used]
        keys.append({"key": key.hex(), "name": "A", "role": "witness"})
        value["keys"] = sorted(keys, key=lambda one: one["key"])

    def forge(files: Files) -> Files:
        changed = document("public/declaration.json", change, anew=False)(files)
        for number in range(1, len(entries(files)) + 1):
            data = base64.b64decode(json.loads(changed[f"public/entry-{number:04}.json"])["payload"])
            changed = signatures(number, lambda _, data=data: signed("guarantor", "organiser")(data))(changed)  # type: ignore[misc]
        return resigned(changed)

    return forge


def at(files: Files, number: int, name: str) -> Any:
    return payload(files, number)["body"][name]


def swap(items: list[Any], i: int, j: int) -> None:
    items[i], items[j] = items[j], items[i]


def stamp(change: Callable[[bytes], bytes]) -> Forge:
    """Another token, over the same entry."""

    def forge(files: Files) -> Files:
        token = change(base64.b64decode(at(files, 2, "token")))
        return field(2, token=base64.b64encode(token).decode())(files)

    return forge


def patched(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(token: bytes) -> bytes:
        assert old in token
        assert len(old) == len(new)
        return token.replace(old, new, 1)

    return change


# ---- declaration --------------------------------------------------------------------------------------------
def feature(change: Callable[[Any], Any]) -> Forge:
    return document("public/declaration.json", lambda d: change(d["features"]))


def keys(change: Callable[[Any], Any]) -> Forge:
    return document("public/declaration.json", lambda d: change(d["keys"]))


DRAND = {
    "chain": "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
    "kind": "drand",
    "round": 124,
}
OTHER = DRAND | {
    "chain": "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce",
    "round": 3311596,
}
DECLARATION: list[Lie] = [
    (f"{name} {value!r}"[:60], "drand", declared(**{name: value}), "declaration")
    for name, value in [
        ("threshold", 1),
        ("threshold", 0),
        ("threshold", 4),
        ("notice", 86399),
        ("notice", 31536001),
        ("must_sit", 5),
        ("must_sit", -1),
        ("household", -1),
        ("size", 0),
        ("size", 13),
        ("people", 0),
        ("denominator", 10**5),
        ("denominator", 10**13),
        ("denominator", 2 * 10**6),
        ("denominator", 0),
        ("draw", ""),
        ("draw", "a" * 61),
        ("draw", "Jury"),
        ("draw", "jury_1"),
        ("draw", "été"),
        ("sequence", 0),
        ("title", ""),
        ("organiser", ""),
        ("objective", "lexicographic"),
        ("algorithm", "klero-lottery/1"),
        ("format", "klero-record/2"),
        ("protocol", "klero-draw/2"),
        ("question", 1),
        ("keys", []),
        ("sources", []),
        ("calendar", [[]]),
        ("calendar", [[DRAND]] * 100),
        ("fallback", [DRAND, DRAND | {"round": 125}]),
        ("fallback", [DRAND | {"round": 123}]),
        ("fallback", [DRAND | {"round": 2}]),
        ("fallback", [{"digits": 20, "kind": "balls", "time": "2024-01-01T00:00:00Z"}]),
        ("fallback", "no"),
        ("tolerance", -1),
        ("tolerance", 10**9 + 1),
        ("tolerance", "10"),
    ]
] + [
    ("a fallback on the same chain", "drand", declared(fallback=[DRAND]), "declaration"),
    ("a fallback on the other chain", "drand", declared(fallback=[OTHER]), None),
    (
        "an earlier fallback on the other chain",
        "drand",
        declared(fallback=[OTHER | {"round": 3240000}]),
        "declaration",
    ),
    ("a tolerance below the gap", "drand", declared(tolerance=0), "log"),
    ("a tolerance of the gap", "drand", declared(tolerance=1), None),
    ("eleven keys", "drand", keys(lambda k: more_keys(k, 8)), "declaration"),
    ("ten keys", "drand", keys(lambda k: more_keys(k, 7)), None),
    (
        "organisers' keys alone",
        "drand",
        keys(lambda k: roles(k, "guarantor", "organiser", "witness", "organiser")),
        "declaration",
    ),
    (
        "nobody but organisers who signs",
        "drand",
        keys(lambda k: roles(k, "guarantor", "organiser")),
        "signatures",
    ),
    (
        "a witness and two organisers who sign",
        "balls",
        keys(lambda k: roles(k, "guarantor", "organiser")),
        None,
    ),
    ("a fallback where there is no beacon", "balls", declared(fallback=[DRAND]), "declaration"),
    ("a threshold above the signatures", "drand", declared(threshold=3), "signatures"),
    ("a longer notice", "drand", declared(notice=86401), "times"),
    ("no features", "drand", declared(features=[]), "instance"),
    ("another title", "drand", declared(title="Another"), None),
    ("99 rounds", "drand", declared(calendar=[[DRAND]] * 99), None),
    ("a name of 60 letters", "drand", lambda files: renamed(files, "a" * 60), None),
    ("another name of the draw", "drand", declared(draw="jury-2024"), "log"),
    ("a person more", "drand", declared(people=13), "leaves"),
    ("features in another order", "drand", feature(lambda f: f.reverse()), "declaration"),
    ("values in another order", "drand", feature(lambda f: f[0]["values"].reverse()), "declaration"),
    ("a feature twice", "drand", feature(lambda f: f.append(f[1])), "declaration"),
    ("a feature without values", "drand", feature(lambda f: f[0].update(values=[])), "declaration"),
    ("a feature of the rules", "drand", feature(lambda f: f[0].update(name="(must sit)")), "declaration"),
    (
        "a minimum above the maximum",
        "drand",
        feature(lambda f: f[0]["values"][0].update(min=3)),
        "declaration",
    ),
    (
        "a wider quota than the lottery's",
        "drand",
        feature(lambda f: f[0]["values"][0].update(max=3)),
        "instance",
    ),
    ("keys in another order", "drand", keys(lambda k: k.reverse()), "declaration"),
    ("a key twice", "drand", keys(lambda k: k.insert(0, k[0])), "declaration"),
    ("one key", "drand", keys(lambda k: k.__delitem__(slice(1, None))), "declaration"),
    ("a key without a name", "drand", keys(lambda k: k[0].update(name="")), "declaration"),
    ("a key without a part", "drand", keys(lambda k: k[0].update(role="friend")), "declaration"),
    ("a key in capitals", "drand", keys(lambda k: k[0].update(key=k[0]["key"].upper())), "declaration"),
    ("a key of 31 bytes", "drand", keys(lambda k: k[0].update(key=k[0]["key"][2:])), "declaration"),
    *(
        (f"a key of small order, {i}", "drand", third_key(encode(times(i, SMALL))), "declaration")
        for i in range(8)
    ),
    ("a key y = p + 3", "drand", third_key((2**255 - 16).to_bytes(32, "little")), "declaration"),
    ("a key that is no point", "drand", third_key((2).to_bytes(32, "little")), "declaration"),
    ("x = 0 with a sign", "drand", third_key((1 | 1 << 255).to_bytes(32, "little")), "declaration"),
    ("a good third key", "drand", third_key(public_key(sha(b"third"))), None),
]


def more_keys(listed: list[Any], count: int) -> None:
    listed += [
        {"key": public_key(sha(bytes([i]))).hex(), "name": f"Key {i}", "role": "witness"}
        for i in range(count)
    ]
    listed.sort(key=lambda one: one["key"])


def roles(listed: list[Any], *pairs: str) -> None:
    """The key of one test part under another part: (part, other part, part, other part, …)."""
    for one, other in zip(pairs[::2], pairs[1::2], strict=False):
        key = public_key(SECRETS[one]).hex()
        next(each for each in listed if each["key"] == key)["role"] = other


def renamed(files: Files, name: str) -> Files:
    """Everything under another name but the leaves, which hold it: so without auditor's and sealed tier."""
    files = {file: data for file, data in files.items() if file.startswith("public/")}
    files = document("public/declaration.json", lambda d: d.update(draw=name), anew=False)(files)
    for number in range(1, len(entries(files)) + 1):
        data = dump(payload(files, number) | {"draw": name})
        files[f"public/entry-{number:04}.json"] = rewritten(files, number, data)
    return resigned(files)


# ---- log and signatures -------------------------------------------------------------------------------------
def leaf_of(record: str, i: int) -> str:
    return golden_record(record)["public/leaves.txt"].decode().split()[i]


def outsider(i: int = 0) -> str:
    """Somebody who never was on a panel of the record "replaced" and has not withdrawn."""
    files = golden_record("replaced")
    seen = {leaf for n in (2, 5) for leaf in at(files, n, "panel")}
    seen |= {leaf for n in (3, 6) for leaf, _ in at(files, n, "withdrawals")}
    return [leaf for leaf in files["public/leaves.txt"].decode().split() if leaf not in seen][i]


def histogram(cells: list[list[int]]) -> Forge:
    return body(1, lambda b: b["summary"].update(histogram=cells))


LOG: list[Lie] = [
    ("a file more", "drand", lambda files: {**files, "public/notes.txt": b""}, "files"),
    ("the draw before its commitment", "drand", relogged(lambda log: log[::-1]), "log"),
    ("a commitment twice", "drand", relogged(lambda log: [log[0], *log]), "log"),
    ("a draw twice", "drand", relogged(lambda log: [*log, log[1]]), "log"),
    ("a draw without its commitment", "replaced", relogged(lambda log: log[:3] + log[4:]), "log"),
    ("a round without withdrawals", "replaced", relogged(lambda log: log[:2] + log[3:]), "log"),
    (
        "a round before the draw",
        "replaced",
        relogged(lambda log: [log[0], log[2], log[3], log[1], *log[4:]]),
        "log",
    ),
    ("the first entry a withdrawal", "replaced", relogged(lambda log: [log[2], *log[:2], *log[3:]]), "log"),
    ("a round that is not in the calendar", "replaced", declared(calendar=[]), "log"),
    ("after an abort", "aborted", relogged(lambda log: [*log[:1], log[2], log[1]]), "log"),
    ("an abort twice", "aborted", relogged(lambda log: [*log, log[2]]), "log"),
    ("a time-stamp before its entry", "timestamped", relogged(lambda log: [log[1], log[0], log[2]]), "log"),
    (
        "an abort right after the draw",
        "drand",
        relogged(lambda log: [*log, ("abort", {"reason": "-"}, log[1][2])]),
        None,
    ),
    ("another entry before", "drand", head(2, previous="0" * 64), "log"),
    ("no entry before", "drand", head(2, previous=""), "log"),
    ("an entry before the first", "drand", head(1, previous="0" * 64), "log"),
    (
        "the hash of the payload alone",
        "drand",
        lambda files: head(2, previous=sha(first(files)).hex())(files),
        "log",
    ),
    ("another number", "drand", head(2, sequence=3), "log"),
    ("another draw's name", "drand", head(2, draw="jury-2024"), "log"),
    ("an unknown kind", "drand", head(2, kind="note"), "log"),
    ("another format", "drand", head(2, format="klero-entry/2"), "log"),
    ("a time that is none", "drand", head(2, time="2023-02-29T00:00:00Z"), "log"),
    ("a field more", "drand", head(2, more=1), "log"),
    ("a field more in the body", "drand", field(2, more=1), "log"),
    ("a round that is none", "drand", field(2, round=1), "log"),
    ("fallback maybe", "drand", field(2, fallback="maybe"), "log"),
    ("a position below 0", "drand", field(2, position=-1), "log"),
    ("a reason that is none", "aborted", field(3, reason=""), "log"),
    ("no withdrawals", "replaced", field(3, withdrawals=[]), "log"),
    ("withdrawals in another order", "replaced", body(3, lambda b: b["withdrawals"].reverse()), "log"),
    (
        "a withdrawal twice",
        "replaced",
        body(3, lambda b: b["withdrawals"].insert(0, b["withdrawals"][0])),
        "log",
    ),
    ("a code that is none", "replaced", body(3, lambda b: b["withdrawals"][0].__setitem__(1, "lost")), "log"),
    ("a time-stamp over itself", "timestamped", field(2, entry=2), "log"),
    ("a time-stamp over entry 0", "timestamped", field(2, entry=0), "log"),
    ("looser quotas in round 0", "drand", field(1, loosened=[["gender", "f", 0, 5]]), "log"),
    ("a quota loosened to itself", "replaced", field(4, loosened=[["gender", "f", 1, 3]]), "log"),
    ("a quota tightened", "replaced", field(4, loosened=[["gender", "f", 1, 2]]), "log"),
    ("a quota of another feature", "replaced", field(4, loosened=[["shoes", "f", 0, 4]]), "log"),
    ("quotas in another order", "replaced", body(4, lambda b: b["loosened"].reverse()), "log"),
    ("a gap that is no number", "drand", body(1, lambda b: b["summary"].update(gap="1")), "log"),
    ("a level that is none", "drand", body(1, lambda b: b["summary"].update(level="L2")), "log"),
    ("a histogram with a hole", "balls", histogram([[0, 9, 25], [10, 100, 11]]), "log"),
    ("a histogram from 1", "balls", histogram([[1, 9, 25], [9, 100, 11]]), "log"),
    ("a histogram to 99", "balls", histogram([[0, 9, 25], [9, 99, 11]]), "log"),
    ("a cell of fewer than ten", "balls", histogram([[0, 9, 27], [9, 100, 9]]), "log"),
    ("an empty cell", "balls", histogram([[0, 0, 10], [0, 100, 26]]), "log"),
    ("no reading", "all-sources", relogged(lambda log: [log[0], log[2]]), "log"),
    ("two readings", "all-sources", relogged(lambda log: [log[0], log[1], log[1], log[2]]), "log"),
    ("a reading after the draw", "all-sources", relogged(lambda log: [log[0], log[2], log[1]]), "log"),
    ("a reading before the commitment", "all-sources", relogged(lambda log: [log[1], log[0], log[2]]), "log"),
    (
        "a reading of balls without a beacon",
        "balls",
        relogged(lambda log: [log[0], ("reading", reading(log[1]), log[1][2]), log[1]]),
        "log",
    ),
    (
        "a reading of a beacon alone",
        "drand",
        relogged(lambda log: [log[0], ("reading", {"reveals": [], "round": 0}, log[1][2]), log[1]]),
        "log",
    ),
    ("a reading of round 1", "all-sources", field(2, round=1), "log"),
    ("a reading and no draw", "all-sources", relogged(lambda log: log[:2]), None),
    (
        "an abort after the reading",
        "all-sources",
        relogged(lambda log: [*log[:2], ("abort", {"reason": "-"}, log[1][2])]),
        None,
    ),
    ("one signature", "drand", signatures(2, signed("organiser")), "signatures"),
    ("no signature", "drand", signatures(2, lambda data: []), "signatures"),
    ("a stranger's signature", "drand", signatures(2, signed("guarantor", "stranger")), "signatures"),
    (
        "a stranger's signature as a third",
        "drand",
        signatures(2, signed("guarantor", "organiser", "stranger")),
        "signatures",
    ),
    ("all three", "drand", signatures(2, signed("guarantor", "organiser", "witness")), None),
    ("other two of three", "drand", signatures(2, signed("guarantor", "witness")), None),
    (
        "a bad third signature",
        "drand",
        signatures(2, lambda d: [*signed("guarantor", "organiser")(d), bad(d)]),
        "signatures",
    ),
    (
        "the signature of another entry",
        "drand",
        signatures(2, lambda d: signed("guarantor", "organiser")(d + b" ")),
        "signatures",
    ),
    ("one signature under two keys", "drand", signatures(2, lambda d: two_keys(d)), "signatures"),
    (
        "S + L",
        "drand",
        signatures(2, lambda d: [higher(pair) for pair in signed("guarantor", "organiser")(d)]),
        "signatures",
    ),
    (
        "a signature of the payload alone",
        "drand",
        signatures(2, lambda d: [(public_key(s), sign(s, d)) for s in by("guarantor", "organiser")]),
        "signatures",
    ),
    (
        "a signature under another type",
        "drand",
        signatures(
            2,
            lambda d: [
                (public_key(s), sign(s, pae(d, "application/json"))) for s in by("guarantor", "organiser")
            ],
        ),
        "signatures",
    ),
    ("another type", "drand", envelope(2, lambda e: e.update(payloadType="application/json")), "encoding"),
    (
        "a signature twice",
        "drand",
        envelope(2, lambda e: e["signatures"].insert(0, e["signatures"][0])),
        "encoding",
    ),
    ("signatures in another order", "drand", envelope(2, lambda e: e["signatures"].reverse()), "encoding"),
    (
        "a signature of 63 bytes",
        "drand",
        envelope(2, lambda e: e["signatures"][0].update(sig=base64.b64encode(bytes(63)).decode())),
        "encoding",
    ),
    (
        "a key's name in capitals",
        "drand",
        envelope(2, lambda e: e["signatures"][1].update(keyid=e["signatures"][1]["keyid"].upper())),
        "encoding",
    ),
]


def reading(draw: tuple[str, Any, str]) -> Any:
    return {
        "reveals": [one for one in draw[1]["reveals"] if one["kind"] != "drand"],
        "round": draw[1]["round"],
    }


def first(files: Files) -> bytes:
    return base64.b64decode(json.loads(files["public/entry-0001.json"])["payload"])


def bad(data: bytes) -> tuple[bytes, bytes]:
    secret = SECRETS["witness"]
    return public_key(secret), sign(secret, data)


def two_keys(data: bytes) -> list[tuple[bytes, bytes]]:
    (key, signature), (other, _) = signed("guarantor", "organiser")(data)
    return [(key, signature), (other, signature)]


def higher(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    key, signature = pair
    return key, signature[:32] + (int.from_bytes(signature[32:], "little") + L).to_bytes(32, "little")
