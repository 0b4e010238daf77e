"""Records for tests: the golden ones, their tiers, and what a forger who holds the keys makes of them."""

from __future__ import annotations

import base64
import contextlib
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

VECTORS = Path(__file__).parent / "vectors"
if str(VECTORS) not in sys.path:
    sys.path.append(str(VECTORS))  # the plain programs import each other by name

from generate import dump, root, seq, sha  # noqa: E402
from generate_records import (  # noqa: E402
    AGE,
    DEFAULT,
    HOUSEHOLD_LEVELS,
    HOUSEHOLD_PANELS,
    QUICKNET,
    balls,
    drand,
    grid,
    persons,
)
from plain_record import (  # noqa: E402
    NEUTRAL,
    SMALL,
    L,
    encode,
    entry_hash,
    envelope,
    expanded,
    hash_int,
    pae,
    panel,
    public_key,
    randomness,
    sign,
    times,
    zipped,
)
from record_maker import SECRETS, Maker  # noqa: E402
from record_primitives import receipt  # noqa: E402

Files = dict[str, bytes]
NAMES = (
    "drand",
    "balls",
    "all-sources",
    "household",
    "replaced",
    "families",
    "fallback",
    "aborted",
    "undrawn",
    "timestamped",
    "public",
)
CHECKS = (
    "files",
    "encoding",
    "declaration",
    "leaves",
    "log",
    "signatures",
    "commitment",
    "times",
    "randomness",
    "beacon",
    "draw.seed",
    "draw.index",
    "draw.people",
    "timestamps",
    "timestamps.signature",
    "instance",
    "pool",
    "lottery",
    "quotas",
    "certificate",
    "gap",
    "summary",
    "draw.panel",
    "succession",
    "sealed",
)
DOCUMENTS = ("instance", "pool", "lottery", "certificate")
__all__ = [
    "AGE",
    "CHECKS",
    "DEFAULT",
    "DOCUMENTS",
    "HOUSEHOLD_LEVELS",
    "HOUSEHOLD_PANELS",
    "NAMES",
    "NEUTRAL",
    "QUICKNET",
    "SECRETS",
    "SMALL",
    "Files",
    "L",
    "Maker",
    "balls",
    "drand",
    "dump",
    "edit_payload",
    "encode",
    "entries",
    "expanded",
    "golden_record",
    "grid",
    "hash_int",
    "pae",
    "payload",
    "persons",
    "primitives",
    "public_key",
    "randomness",
    "receipt",
    "resigned",
    "rewritten",
    "root",
    "sha",
    "sign",
    "tier",
    "times",
    "zipped",
]


@cache
def _golden(name: str) -> tuple[tuple[str, bytes], ...]:
    texts = json.loads((VECTORS / f"record-{name}.json").read_text(encoding="utf-8"))
    return tuple((file, text.encode()) for file, text in texts.items())


def golden_record(name: str) -> Files:
    """The files of the golden record of this name, as many tiers as it has (three, and the public one alone for "public")."""
    return dict(_golden(name))


def primitives() -> Any:
    return json.loads((VECTORS / "record-primitives.json").read_text(encoding="utf-8"))


def tier(files: Files, name: str) -> Files:
    """The files that the public, the auditor or the sealed tier shows."""
    folders = ("public/", "auditor/", "sealed/")[: ("public", "auditor", "sealed").index(name) + 1]
    return {file: data for file, data in files.items() if file.startswith(folders)}


def entries(files: Files) -> list[str]:
    """The names of the log's files, in order."""
    return sorted(name for name in files if name.startswith("public/entry-"))


def payload(files: Files, number: int) -> dict[str, Any]:
    """The payload of entry `number` (from 1)."""
    data: dict[str, Any] = json.loads(_payload(files[f"public/entry-{number:04}.json"]))
    return data


def edit_payload(files: Files, number: int, value: Any) -> Files:
    """The record with another payload in entry `number`, its signatures as they were."""
    name = f"public/entry-{number:04}.json"
    data = value if isinstance(value, bytes) else dump(value)
    document = json.loads(files[name]) | {"payload": base64.b64encode(data).decode()}
    return {**files, name: dump(document)}


def rewritten(files: Files, number: int, data: bytes) -> bytes:
    """Entry `number` with these bytes for a payload, signed by those who signed it."""
    return envelope(data, _signers(files[f"public/entry-{number:04}.json"]))


def _payload(envelope_: bytes) -> bytes:
    return base64.b64decode(json.loads(envelope_)["payload"])


def _signers(data: bytes) -> list[bytes]:
    """The test keys that signed this envelope; two of them where it can't be told."""
    by_id = {sha(public_key(secret)).hex(): secret for secret in SECRETS.values()}
    try:
        found = [by_id[one["keyid"]] for one in json.loads(data)["signatures"] if one["keyid"] in by_id]
    except (ValueError, TypeError, KeyError):
        found = []
    return found or list(SECRETS.values())[:2]


def resigned(files: Files, *, redraw: bool = True, keep: frozenset[tuple[int, str]] = frozenset()) -> Files:
    """The record with digests, draws, time-stamps' imprints, chain and signatures made anew: what a forger with all keys would do.

    As far as its files allow: a part whose input makes no sense stays as it is. `keep` holds (entry number, field of its body or payload)
    that stay as they are; without `redraw`, so do all bodies of draws. Withdrawals and later rounds stay, though another panel may be drawn.
    """
    out = dict(files)
    previous, hashes, rounds = "", {}, {}
    for number, name in enumerate(entries(files), 1):
        try:
            old = json.loads(_payload(files[name]))
            body = old["body"]
            new = {**body}
        except (ValueError, TypeError, KeyError):
            continue  # no entry that anything could be made of
        with contextlib.suppress(
            Exception
        ):  # the files are a forger's: whatever is wrong with them, the body stays as it is
            if old["kind"] == "commitment":
                new |= _digests(files, body)
            elif old["kind"] == "draw" and redraw:
                new |= _drawn(files, body, rounds)
            elif old["kind"] == "timestamp":
                new["token"] = _stamped(body["token"], hashes[body["entry"]])
        for field in new:
            if (number, field) in keep:
                new[field] = body[field]
        entry = {**old, "body": new}
        if (number, "previous") not in keep and "previous" in old:
            entry["previous"] = previous
        data = dump(entry)
        out[name] = envelope(data, _signers(files[name]))
        previous, hashes[number] = entry_hash(data).hex(), sha(out[name])
        if old.get("kind") == "commitment" and isinstance(body.get("round"), int):
            rounds[body["round"]] = entry_hash(data)
    return out


def _digests(files: Files, body: dict[str, Any]) -> dict[str, str]:
    leaves = files["public/leaves.txt"].decode().split()
    made = {
        "declaration": sha(files["public/declaration.json"]).hex(),
        "leaves": root([bytes.fromhex(leaf) for leaf in leaves]).hex(),
    }
    names = [f"auditor/{name}-{body['round']}.json" for name in DOCUMENTS]
    if all(name in files for name in names):
        made["auditor"] = seq("klero/auditor/v1", [sha(files[name]) for name in names]).hex()
    return made


def _drawn(files: Files, body: dict[str, Any], commitments: dict[int, bytes]) -> dict[str, Any]:
    declaration = json.loads(files["public/declaration.json"])
    number = body["round"]
    sources = declaration["calendar"][number - 1] if number else declaration["sources"]
    if body["fallback"] == "yes":
        sources = [declaration["fallback"][0] if one["kind"] == "drand" else one for one in sources]
    found = randomness(commitments[number], body["reveals"], sources, declaration["denominator"])
    made = {name: found[name] for name in ("position", "rejected", "seed")}
    if f"auditor/pool-{number}.json" in files:
        leaves = files["public/leaves.txt"].decode().split()
        panels = json.loads(files[f"auditor/lottery-{number}.json"])["panels"]
        pool = json.loads(files[f"auditor/pool-{number}.json"])
        with contextlib.suppress(Exception):  # whatever makes no sense
            # The plain program deals seats out one by one: it isn't asked for 2^53 of them.
            assert all(seats <= declaration["size"] for _, row in panels for _, seats in row)
            c_ids = [row[0] for row in json.loads(files["auditor/pool-0.json"])["openings"]]
            drawn = panel(bytes.fromhex(found["seed"]), found["position"], panels, pool, leaves, c_ids)
            if len(set(drawn)) == declaration["size"]:
                made["panel"] = drawn
    return made


def _stamped(token: str, digest: bytes) -> str:
    """The token with this imprint: what an authority of the forger's own would have made, but for its signature."""
    data = base64.b64decode(token)
    head = bytes.fromhex(
        "0609608648016503040201"
    )  # the first is the list of digest algorithms, the second the imprint's
    place = data.index(b"\x04\x20", data.index(head, data.index(head) + 1)) + 2
    return base64.b64encode(data[:place] + digest + data[place + 32 :]).decode()
