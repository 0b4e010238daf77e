"""Small public draws for the tests of making records: lotteries, keys, declarations, records with fixed salts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from klero import _native
from klero.ledger import steps
from klero.ledger.bundle import write_lottery
from klero.ledger.commit import Commitment, commit, commit_round
from klero.ledger.declare import Declaration, declare
from klero.ledger.keys import PublicKey, SecretKey
from klero.ledger.sources import Source, balls
from klero.ledger.steps import draw_record, withdraw
from klero.ledger.successor import replace_round
from klero.sortition.lottery import fair_lottery
from klero.sortition.pool import Pool
from klero.sortition.quotas import Quotas

EARLY, DRAWN, LATER = "2026-01-01T10:00:00Z", "2026-02-01T10:00:00Z", "2026-02-02T10:00:00Z"
CALENDAR = ("2026-03-01T10:00:00Z", "2026-04-01T10:00:00Z", "2026-05-01T10:00:00Z")
DIGITS = "04711338251907264410"


def secret_key(name: str) -> SecretKey:
    secret = hashlib.sha256(f"test key of {name}".encode()).digest()
    return SecretKey(PublicKey(_native.ed25519_public(secret).hex(), name), f"{name}.key", secret)


ORGANISER, GUARANTOR, STRANGER = map(secret_key, ("the town", "the bailiff", "a stranger"))
BOTH = (ORGANISER, GUARANTOR)
NAMED = (("organiser", ORGANISER.public), ("guarantor", GUARANTOR.public))


# Records of these tests are of other times than the clock's, and no test is about that.
sign = partial(steps.sign, time_checked=True)


def people(n: int = 40) -> list[dict[str, str]]:
    return [
        {
            "id": f"Person-{i:03}",
            "age": ("old", "young")[i % 3 == 0],
            "gender": ("man", "woman")[i % 2],
            "street": f"street {i // 3}" if i < 12 else f"road {i}",
            "letters": str(2 + 2 * (i % 2)),
        }
        for i in range(n)
    ]


HOUSE: dict[str, Any] = {"household": ["street"], "weight": "letters"}
QUOTAS = [
    {"feature": feature, "value": value, "min": 3, "max": 5}
    for feature, value in (("age", "old"), ("age", "young"), ("gender", "man"), ("gender", "woman"))
]


def bundle(place: Path, rows: Sequence[Mapping[str, str]] | None = None, **rules: Any) -> Path:
    """A bundle of 8 seats for 40 people; `rules` as those of `fair_lottery`."""
    lottery = fair_lottery(
        Pool.read(rows or people()), Quotas.read(rules.pop("quotas", QUOTAS)), size=8, **rules
    )
    write_lottery(lottery, place)
    return place


def declared(lottery: Path, **options: Any) -> Declaration:
    sources: Sequence[Source] = [balls(20, DRAWN)]
    return declare(
        lottery,
        **{
            "draw": "panel-2026",
            "title": "A panel",
            "organiser": "Town of Testing",
            "sources": sources,
            "keys": NAMED,
            "calendar": [[balls(20, time)] for time in CALENDAR],
            **options,
        },
    )


def salts(n: int = 40) -> dict[str, bytes]:
    return {f"Person-{i:03}": hashlib.sha256(b"salt %d" % i).digest() for i in range(n)}


def committed(place: Path, lottery: Path, **options: Any) -> Commitment:
    fixed = options.pop("salts", salts())
    keys, time = options.pop("signed_by", BOTH), options.pop("time", EARLY)
    said = options.pop("declaration", None) or declared(lottery, **options)
    return commit(lottery, said, place, keys=keys, time=time, salts=fixed)


def drawn(place: Path, lottery: Path, **options: Any) -> Path:
    committed(place, lottery, **options)
    draw_record(place, balls=DIGITS, keys=BOTH, time=LATER)
    return place


def replaced(
    place: Path, record: Path, leaves: Sequence[str], *, day: str = "2026-02-03", **options: Any
) -> None:
    """Withdrawals, the lottery, its commitment and its draw, in the next round for which `day` is early enough."""
    withdraw(record, leaves=leaves, reason="declined", keys=BOTH, time=f"{day}T00:00:00Z")
    replace_round(record, place, **options)
    made = commit_round(place, record, keys=BOTH, time=f"{day}T01:00:00Z", blind=bytes(32))
    late = CALENDAR[made.round - 1]
    draw_record(record, balls=DIGITS[::-1], keys=BOTH, time=late)


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# Real rounds of the drand beacon quicknet, 2023: public facts, as a node answers.
ROUND_123 = {
    "round": 123,
    "signature": "b75c69d0b72a5d906e854e808ba7e2accb1542ac355ae486d591aa9d43765482e26cd02df835d3546d23c4b13e0dfc92",
}
ROUND_657413 = {
    "round": 657413,
    "randomness": "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587",
    "signature": "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
}
# The same of the beacon default, whose rounds build on one another.
ROUND_3311596 = {
    "round": 3311596,
    "randomness": "647c07b2abbf7ff2afb4d670214f565e5cd9f9c91bfdcecb59a21f3c78d73920",
    "previous_signature": "8ed588f2a7716fb1349e2d9803da5db0005e98a83783c353d4a08f183236a9ad91d70ddb01266f4b7c576983db464b43"
    "0e65680b9e0098552758afd6c1e6afcb77e3f62fe1b93d42d1cb63abbb2205512fe12fbf74ea9c5ac3b8f5c1e283a1d8",
    "signature": "a696b9409ababce45749c3a4ec369074453dd4a79967734e1390d969c8ad8d98897d217b9121e92c8ddebbddda8d92f9"
    "00e3bd6bf9deb166863b1a19390d743f82774001487594c5c09e581db7365f02b70a2c8cc41ce32446ef08e4890c4754",
}
IN_2023, AFTER_123, AFTER_657413 = "2023-08-01T10:00:00Z", "2023-08-24T10:00:00Z", "2023-09-16T10:00:00Z"
