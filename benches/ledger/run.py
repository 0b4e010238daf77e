"""How fast is a public draw's record checked, and a large pool committed?

    python benches/ledger/run.py [--runs 5] [--people 1000000]

First a record of 2,000 people, 200 seats and 31 cells (five features with 2, 5, 6, 8 and 10 values, drawn from fixed random numbers), drawn by
balls: median wall seconds of the library's checks in a running Python, of `klero verify` and of the stand-alone verifier as whole processes, and of the page
in Chromium (where there is one), all three tiers. Agreement: all give each check the same status.

Then salts, leaves, their order and the tree for a large pool, without the lottery (which no pool of that size needs here); and with the JSON of the
pool and of the sealed tier. Agreement: 1,000 leaves drawn from it are what HMAC of Python's standard library gives, and one inclusion path leads to the root.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from klero import _native
from klero.ledger.bundle import write_lottery
from klero.ledger.canonical import canonical
from klero.ledger.commit import _Chance, _first_tiers, _leaves, _Openings, commit
from klero.ledger.declare import Declaration, declare
from klero.ledger.keys import keygen, public_path
from klero.ledger.receipts import verify_receipt
from klero.ledger.sources import balls
from klero.ledger.steps import draw_record
from klero.ledger.tiers import write_tier
from klero.ledger.verify import verify
from klero.sortition.lottery import fair_lottery
from klero.sortition.pool import Pool
from klero.sortition.quotas import Quotas

ROOT = Path(__file__).resolve().parents[2]
ALONE = ROOT / "python" / "klero" / "verifiers" / "klero_verify.py"
SIZES = (2, 5, 6, 8, 10)
PEOPLE, SEATS = 2000, 200


def record_of_real_size(folder: Path) -> Path:
    """2,000 people with fixed random values; quotas near each value's share of the seats."""
    rng = random.Random(7)  # noqa: S311 (a bench)
    rows = [
        {
            "id": f"P{i:05}",
            **{f"feature{f}": f"v{min(rng.randrange(n), rng.randrange(n)):02}" for f, n in enumerate(SIZES)},
        }
        for i in range(PEOPLE)
    ]
    quotas = []
    for f, n in enumerate(SIZES):
        for v in range(n):
            fair = SEATS / n
            have = sum(row[f"feature{f}"] == f"v{v:02}" for row in rows)
            low = min(int(fair * 0.9), have)
            quotas.append(
                {"feature": f"feature{f}", "value": f"v{v:02}", "min": low, "max": int(fair * 1.15) + 1}
            )
    write_lottery(fair_lottery(Pool.read(rows), Quotas.read(quotas), size=SEATS), folder / "bundle")
    for name in ("a", "b"):
        keygen(folder / f"{name}.key", name)
    keys = [folder / "a.key", folder / "b.key"]
    said = declare(
        folder / "bundle",
        draw="bench",
        title="Bench",
        organiser="Bench",
        sources=[balls(20, "2026-02-01T10:00:00Z")],
        keys=[("organiser", public_path(keys[0])), ("guarantor", public_path(keys[1]))],
    )
    commit(folder / "bundle", said, folder / "rec", keys=keys, time="2026-01-01T10:00:00Z")
    draw_record(folder / "rec", balls="04711338251907264410", keys=keys, time="2026-02-01T10:00:00Z")
    return folder / "rec"


def wall(run: object, runs: int) -> tuple[float, float, float]:
    """(median, smallest, largest) seconds."""
    seconds = []
    for _ in range(runs):
        started = time.perf_counter()
        run()  # type: ignore[operator]
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds), min(seconds), max(seconds)


def process(*command: object) -> str:
    done = subprocess.run([sys.executable, *map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def verification(runs: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        record = record_of_real_size(Path(place))
        size = sum(path.stat().st_size for path in record.rglob("*") if path.is_file())
        panels = len(json.loads((record / "auditor" / "lottery-0.json").read_bytes())["panels"])
        print(
            f"\nA record of {PEOPLE} people, {SEATS} seats, {sum(SIZES)} cells: {panels} panels, {size / 1e6:.2f} MB"
        )
        print("| verifier | target s | wall s (median) | range |\n|---|---|---|---|")
        lines = (
            ("library, in a running Python", 0.2, lambda: verify(record)),
            ("klero verify, whole process", "", lambda: process("-m", "klero", "verify", record)),
            ("klero_verify.py, whole process", 3.0, lambda: process("-I", ALONE, record)),
        )
        for name, target, run in lines:
            middle, low, high = wall(run, runs)
            print(f"| {name} | {target} | {middle:.3f} | {low:.3f}–{high:.3f} |", flush=True)
        page = browser(record, runs)
        ours = {check.name: check.status for check in verify(record)}
        alone = {}
        for line in process("-I", ALONE, record).splitlines():
            status, _, rest = line.partition(" ")
            if status in ("ok", "FAIL", "--"):
                alone[rest.split()[0]] = status
        same = sum(
            ours[name] == alone.get(name) and page.get(name, ours[name]) == ours[name] for name in ours
        )
        passed = sum(status == "ok" for status in ours.values())
        print(f"Agreement: {same} of {len(ours)} checks have the same status; {passed} are ok.")


def browser(record: Path, runs: int) -> dict[str, str]:
    """The page's statuses, from the record's ZIP in its memory to the last check; nothing where no browser can run."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browser import reason, verifier_page

    if why := reason():
        print(f"verifier.html was not measured: {why}")
        return {}
    write_tier(record, "sealed", record.parent / "sealed.zip")
    data = (record.parent / "sealed.zip").read_bytes()
    with verifier_page() as page:
        middle, low, high = wall(lambda: page.verify_zip(data), runs)
        print(f"| verifier.html in Chromium | 5.0 | {middle:.3f} | {low:.3f}–{high:.3f} |", flush=True)
        return {name: status for name, status, _ in page.verify_zip(data)}


def large_pool(people: int) -> None:
    rng = random.Random(11)  # noqa: S311 (a bench)
    kinds = [[a, b] for a in range(2) for b in range(5)]
    features = [
        {"name": name, "values": [{"max": people, "min": 0, "value": f"v{v}"} for v in range(n)]}
        for name, n in (("a", 2), ("b", 5))
    ]
    rules = {
        "features": features,
        "algorithm": "",
        "denominator": 10**6,
        "household": 0,
        "objective": "leximin",
    }
    rules |= {"people": people, "size": 10}
    pool = {"households": [], "people": [[f"P{i:08}", rng.randrange(10)] for i in range(people)]}
    pool |= {"types": kinds, "weights": [1] * len(kinds)}
    said = Declaration({"draw": "bench"})
    print(f"\nA pool of {people} people\n| step | target s | wall s |\n|---|---|---|")

    started = time.perf_counter()
    chance = _Chance(pool, 0, None)
    made = _Openings(rules, pool)
    openings = [made.of(kind, "") for _, kind in pool["people"]]
    ids = [{"id": person} for person, _ in pool["people"]]
    _blinded, leaves = _leaves("bench", ids, openings, chance)
    ordered = sorted(leaves)
    root = _native.merkle_root(ordered)
    seconds = time.perf_counter() - started
    print(f"| salts, leaves, order, tree | 10.0 | {seconds:.2f} |", flush=True)

    files = {"pool.json": canonical(pool), "certificate.json": b"{}", "lottery.json": b"{}"}
    started = time.perf_counter()
    tiers = _first_tiers(said, rules, files, ids, chance)
    print(f"| all files of the three tiers, in memory | | {time.perf_counter() - started:.2f} |", flush=True)
    print(f"Largest resident memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB.")
    agreement(leaves, openings, ids, chance, ordered, root, tiers)


def agreement(
    leaves: list[bytes],
    openings: list[bytes],
    ids: list[dict[str, str]],
    chance: _Chance,
    ordered: list[bytes],
    root: bytes,
    tiers: dict[str, bytes],
) -> None:
    def mac(key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, "sha256")

    same = 0
    places = random.Random(13).sample(range(len(leaves)), min(1000, len(leaves)))  # noqa: S311
    for i in places:
        salt = chance.salts[32 * i : 32 * i + 32]
        parts = [
            b"bench",
            mac(mac(salt, b"klero/salt/id/v1"), canonical(ids[i])),
            mac(mac(salt, b"klero/salt/type/v1"), openings[i]),
        ]
        text = b"klero/leaf/v1"
        framed = len(text).to_bytes(8, "big") + text + len(parts).to_bytes(8, "big")
        framed += b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        same += hashlib.sha256(framed).digest() == leaves[i]
    i = places[0]
    number = ordered.index(leaves[i])
    receipt = json.loads(openings[i]) | {
        "commitment": "0" * 64,
        "draw": "bench",
        "format": "klero-receipt/1",
        "identity": ids[i],
        "leaf": number,
        "leaves": len(leaves),
        "path": [node.hex() for node in _native.merkle_path(ordered, number)],
        "root": root.hex(),
        "salt": chance.salts[32 * i : 32 * i + 32].hex(),
    }
    good = verify_receipt(receipt).ok
    lines = tiers["public/leaves.txt"].split() == [leaf.hex().encode() for leaf in ordered]
    print(
        f"Agreement: {same} of {len(places)} leaves; receipt {'good' if good else 'NOT good'}; leaves.txt {'the same' if lines else 'DIFFERS'}."
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--people", type=int, default=10**6)
    options = parser.parse_args()
    machine = platform.processor() or platform.machine()
    print(
        f"{machine}, {os.cpu_count()} cores, Python {platform.python_version()}; python benches/ledger/run.py --runs {options.runs}"
    )
    verification(options.runs)
    large_pool(options.people)


if __name__ == "__main__":
    main()
