"""The public tier, with any one receipt, tells nothing about anybody else: by an allow list, on random records."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from record_cases import Files, Maker, dump, grid, receipt, sha, tier
from record_mutations import alone, disagreement, first_failure, library

HEX = "[0-9a-f]{64}"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
INT = r"\d{1,16}"
# Every key path of the public files and what may stand there. `features` and `sources` are rules that were public before anybody was in the pool.
ALLOWED = {
    "public/leaves.txt[]": HEX,
    "declaration.algorithm": "klero-lottery/2",
    "declaration.denominator": "10+",
    "declaration.draw": "[a-z0-9-]{1,60}",
    "declaration.features[].name": "age|gender",
    "declaration.features[].values[].max": INT,
    "declaration.features[].values[].min": INT,
    "declaration.features[].values[].value": "old|young|f|m",
    "declaration.format": "klero-record/1",
    "declaration.household": INT,
    "declaration.keys[].key": HEX,
    "declaration.keys[].name": "The (guarantor|organiser|witness)",
    "declaration.keys[].role": "guarantor|organiser|witness",
    "declaration.must_sit": INT,
    "declaration.notice": INT,
    "declaration.objective": "leximin|maximin",
    "declaration.organiser": "Town of Testing",
    "declaration.people": INT,
    "declaration.protocol": "klero-draw/1",
    "declaration.question": "",
    "declaration.sequence": INT,
    "declaration.size": INT,
    "declaration.sources[].digits": INT,
    "declaration.sources[].kind": "balls",
    "declaration.sources[].time": TIME,
    "declaration.calendar[][].digits": INT,
    "declaration.calendar[][].kind": "balls",
    "declaration.calendar[][].time": TIME,
    "declaration.threshold": INT,
    "declaration.title": "A panel",
    "declaration.tolerance": INT,
    "entry.payloadType": "application/vnd[.]klero[.]entry[+]json",
    "entry.signatures[].keyid": HEX,
    "entry.signatures[].sig": "[A-Za-z0-9+/]{86}==",
    "payload.draw": "[a-z0-9-]{1,60}",
    "payload.format": "klero-entry/1",
    "payload.kind": "commitment|draw|withdrawals",
    "payload.previous": f"({HEX})?",
    "payload.sequence": INT,
    "payload.time": TIME,
    "payload.body.auditor": HEX,
    "payload.body.declaration": HEX,
    "payload.body.leaves": HEX,
    "payload.body.round": INT,
    "payload.body.summary.gap": INT,
    "payload.body.summary.histogram[][]": INT,
    "payload.body.summary.level": "L0|L1",
    "payload.body.summary.people": INT,
    "payload.body.fallback": "no|yes",
    "payload.body.panel[]": HEX,
    "payload.body.position": INT,
    "payload.body.rejected": INT,
    "payload.body.reveals[].digits": r"\d{20}",
    "payload.body.reveals[].kind": "balls",
    "payload.body.seed": HEX,
    "payload.body.withdrawals[][]": f"{HEX}|declined|ineligible|other|unreachable",
}
# A receipt has the own person's in full, and of all others only hashes: the path, the root.
RECEIPT = {
    "receipt.attributes[][]": "age|gender|old|young|f|m",
    "receipt.commitment": HEX,
    "receipt.draw": "[a-z0-9-]{1,60}",
    "receipt.format": "klero-receipt/1",
    "receipt.household": "([0-9a-f]{32})?",
    "receipt.identity.id": ".+",
    "receipt.identity.name": ".+",
    "receipt.leaf": INT,
    "receipt.leaves": INT,
    "receipt.path[]": HEX,
    "receipt.root": HEX,
    "receipt.salt": HEX,
    "receipt.weight": INT,
}


def values(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """(key path, text) of every value."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from values(item, f"{path}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from values(item, f"{path}[]")
    else:
        yield path, str(value)


def shown(files: Files) -> Iterator[tuple[str, str]]:
    """Everything in the public files; an entry's payload decoded."""
    for name, data in sorted(files.items()):
        if name == "public/leaves.txt":
            yield from values(data.decode().splitlines(), name)
        elif "/entry-" in name:
            document = json.loads(data)
            payload = base64.b64decode(document.pop("payload"))
            yield from values(document, "entry")
            yield from values(json.loads(payload), "payload")
        else:
            yield from values(json.loads(data), "declaration")


def whole_text(files: Files) -> str:
    payloads = [
        base64.b64decode(json.loads(data)["payload"]) for name, data in files.items() if "/entry-" in name
    ]
    return b"\n".join([*files.values(), *payloads]).decode()


@st.composite
def pools(draw: st.DrawFn) -> list[Any]:
    """2 to 6 people of each age and gender, ids and names that stand nowhere else, in any order; weights of the young."""
    counts = draw(st.tuples(*[st.integers(2, 6)] * 4))
    people = [
        (identity, values_, draw(st.integers(1, 3)) if values_["age"] == "young" else 1, "")
        for identity, values_, _, _ in grid(*counts)
    ]
    people = draw(st.permutations(people))
    word = draw(st.text("abcdefghkmnpqrstuvwxyz", min_size=6, max_size=8))
    return [
        ({"id": f"{word}~{i}~", "name": f"Née {word} {i}."}, *rest) for i, (_, *rest) in enumerate(people)
    ]


def made(people: list[Any], objective: str = "leximin", name: str = "random") -> Maker:
    """A record of two rounds."""
    balls = [{"digits": 20, "kind": "balls", "time": f"2026-0{month}-10T12:00:00Z"} for month in (5, 6)]
    features = [("age", [("old", 2, 2), ("young", 2, 2)]), ("gender", [("f", 0, 4), ("m", 0, 4)])]
    record = Maker(
        name, people, features, calendar=[balls[1:]], objective=objective, size=4, sources=balls[:1]
    )
    record.commit("2026-05-01T12:00:00Z")
    record.draw_round("2026-05-10T12:00:00Z", {"balls": "01234567890123456789"})
    if objective == "leximin":
        record.withdraw([(record.panels[0][0], "declined")], "2026-05-20T12:00:00Z")
    return record


@given(pools(), st.sampled_from(["leximin", "maximin"]), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_public_tier_and_one_receipt_hold_nothing_of_others(
    people: list[Any], objective: str, which: int
) -> None:
    record = made(people, objective)
    one, other = library(record.files), alone(record.files)
    assert disagreement(one, other) is None
    assert first_failure(one) is None
    public = tier(record.files, "public")
    own = which % len(record.people)
    given_ = receipt(record, own)["receipt"]
    for path, text in [*shown(public), *values(given_, "receipt")]:
        kind = (ALLOWED | RECEIPT).get(path)
        assert kind is not None, path
        assert re.fullmatch(kind, text), (path, text)
    everything = whole_text({**public, "receipt": dump(given_)})
    for i, person in enumerate(record.people):
        secrets = [person["c_id"], person["k_type"], person["tag"]]
        if i != own:
            secrets += [person["salt"].hex(), *person["identity"].values()]
        assert not [secret for secret in secrets if secret and secret in everything]
    for name, data in record.files.items():
        if name.startswith(
            "auditor/"
        ):  # not even a digest of a single file of the auditor's tier, which could be guessed and tested
            assert sha(data).hex() not in everything


def skeleton(files: Files) -> list[tuple[str, str]]:
    """The public files with every hash, signature and drawn number blotted out."""
    blots = [(HEX, "HASH"), ("[A-Za-z0-9+/]{86}==", "SIGNATURE")]
    out = []
    for path, text in shown(files):
        for kind, word in blots:
            text = word if re.fullmatch(kind, text) else text
        out.append((path, "NUMBER" if path.endswith((".position", ".rejected")) else text))
    return out


@given(pools(), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_who_has_which_attributes_and_name_leaves_no_trace_in_the_public_tier(
    people: list[Any], rng: Any
) -> None:
    """The others' identities and attributes dealt out anew (the pool holds as many of each type): nothing but hashes and drawn numbers differs."""
    kinds = [rest for _, *rest in people[1:]]
    rng.shuffle(kinds)
    others = [({"id": f"other~{i}", "name": "N. N."}, *rest) for i, rest in enumerate(kinds)]
    one, other = (tier(made(pool).files, "public") for pool in (people, [people[0], *others]))
    assert skeleton(one) == skeleton(other)
    assert one["public/declaration.json"] == other["public/declaration.json"]


def test_the_allow_list_would_notice() -> None:
    """What the first test looks for is found when it is there."""
    record = made(
        [({"id": f"x~{i}", "name": "y"}, v, w, h) for i, (_, v, w, h) in enumerate(grid(2, 2, 2, 2))]
    )
    text = whole_text(record.files)
    for person in record.people:
        assert person["salt"].hex() in text
        assert person["k_type"] in text
        assert person["identity"]["id"] in text
    assert {path for path, _ in values(json.loads(record.files["auditor/pool-0.json"]), "pool")}.isdisjoint(
        ALLOWED
    )
    assert skeleton(tier(record.files, "public")) != skeleton(tier(made(grid(2, 2, 2, 3)).files, "public"))
