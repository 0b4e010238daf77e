"""How can a lottery be fixed for all to see, with nobody's name in the open?

A lottery's bundle and a declaration become a record (`docs/audit/protocol.md`): each person stands in it as a leaf, which nobody can link to
them without their salt. The entry hash of the first commitment is the one number to publish; whoever holds it can tell, years later, that people,
quotas, chances and dates were what they are said to be. A replacement round's lottery is committed in the same way, into the same record (`commit_round`).

Guaranteed: what disagrees with the declaration is refused, all of it at once; the commitment stands as long before the randomness as was declared; salts come
from the system's source of randomness. Not guaranteed: that the pool is honest (see `klero audit`). Leaves and checks are computed in Rust.
Cost: n log n for n people; all files are held in memory.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from klero import _native
from klero.errors import Fault, InputError, quoted
from klero.ledger.canonical import canonical
from klero.ledger.clock import seconds, span, written
from klero.ledger.declare import (
    Declaration,
    declared_features,
    disagreements,
    gap_faults,
    read_declaration,
)
from klero.ledger.entries import entry_name, new_entry
from klero.ledger.folder import DRAW_FILE, read_bundle
from klero.ledger.identities import read_identities
from klero.ledger.keys import SecretKey
from klero.ledger.record import Appended, Place, Record, checked_time, key_faults, read_keys
from klero.ledger.record_folder import check_record_place, write_record
from klero.ledger.sources import source_time, source_words
from klero.ledger.tiers import leaks
from klero.ledger.verify import verify_files
from klero.sortition.rules import RULE_FEATURES
from klero.tables import TableSource

__all__ = ["Commitment", "commit", "commit_round", "next_round", "round_faults"]

SALT, TAG = 32, 16
Rules = Mapping[str, Any]


@dataclass(frozen=True)
class Commitment(Appended):
    """A lottery that was committed.

    Attributes:
        round: 0 for the first draw, else the replacement round.
        people: how many people are in it.
    """

    round: int
    people: int

    @property
    def publish(self) -> str:
        """The one hash to publish, in hexadecimal: the entry hash of the commitment."""
        return self.entry.hash


def commit(
    bundle: Place,
    declaration: Place | Declaration,
    output: Place,
    *,
    keys: Sequence[SecretKey | Place] = (),
    time: str | None = None,
    identities: TableSource | None = None,
    salts: Mapping[str, bytes] | None = None,
) -> Commitment:
    """Commits a lottery: writes its record.

    Args:
        bundle: the lottery's folder. A trial draw in it is left out.
        declaration: the declaration, or its file in any spelling of JSON.
        output: the folder for the record.
        keys: private keys, or their files, that sign; others can sign later.
        time: when the commitment is made, in UTC; None: now.
        identities: a table of who the people are, to stand in the sealed tier and in each person's receipt (:mod:`klero.ledger.identities`).
        salts: for tests alone, 32 bytes by id; tags and blinds then follow from them. Nobody may know them but who keeps the record.

    Raises:
        BundleError: the bundle fails a check.
        InputError: bundle and declaration disagree, a key is not declared, it is too late for the notice, the identities are not those of
            everybody, or something is at `output`; all faults at once, those of files first.
        OSError: the place can't be written.
    """
    check_record_place(output)
    said = declaration if isinstance(declaration, Declaration) else read_declaration(declaration)
    files = _lottery(bundle)
    rules = json.loads(files["declaration.json"])
    when = checked_time(time)
    signing = read_keys(keys)
    faults = [*disagreements(said, rules), *gap_faults(said, files), *key_faults(signing, said)]
    faults += _notice_faults(said, 0, when)
    pool = json.loads(files["pool.json"])
    who = [{"id": person} for person, _type in pool["people"]]
    if identities is not None:
        who, wrong = read_identities(identities, [person["id"] for person in who], rules["id_column"])
        faults += wrong
    if faults:
        raise InputError(faults)
    chance = _Chance(pool, rules["household"], salts)
    made = _first_tiers(said, rules, files, who, chance)
    body = _body(said, made, 0, [])
    entry = new_entry("commitment", body, draw=said.draw, previous=None, time=when).signed(signing)
    made[entry_name(1)] = entry.data
    record = Record.parse(made, os.fspath(output)).confirmed()
    # A public tier that names somebody could never be written, and by then the declaration would be fixed.
    if found := leaks(record, secrets_in=()):
        raise InputError(found)
    unsigned = record.unsigned
    write_record(output, made)
    names, _problem = entry.signers(said.document["keys"])
    return Commitment(os.fspath(output), entry, tuple(names), unsigned, 0, rules["people"])


def commit_round(
    bundle: Place,
    record: Place,
    *,
    keys: Sequence[SecretKey | Place] = (),
    time: str | None = None,
    blind: bytes | None = None,
) -> Commitment:
    """Commits the lottery of the next replacement round into its record.

    Args:
        bundle: the folder that `replace_round` (`klero replace RECORD`) wrote.
        record: the record's folder, all tiers but the sealed one needed.
        keys: private keys, or their files, that sign; others can sign later.
        time: when the commitment is made, in UTC; None: now.
        blind: for tests alone, 32 bytes.

    Raises:
        BundleError: bundle or record fails a check.
        InputError: the bundle is not that of the next round, or it is too late for the notice; all faults at once.
    """
    before = Record.read(record)
    files = _lottery(bundle)
    rules, pool = json.loads(files["declaration.json"]), json.loads(files["pool.json"])
    said = before.declaration
    when = checked_time(time)
    faults = round_faults(before)
    if not faults:
        round_, faults = _next_round(before, when)
        faults += [*_successor_faults(before, rules, pool), *gap_faults(said, files)]
    if faults:
        raise InputError(faults)
    number = {leaf: i for i, leaf in enumerate(before.leaves)}
    people = [[number[leaf], t] for leaf, t in pool["people"]]
    more = {
        f"auditor/instance-{round_}.json": _instance(rules, blind or secrets.token_bytes(32)),
        f"auditor/pool-{round_}.json": canonical({**pool, "openings": [], "people": people}),
        f"auditor/lottery-{round_}.json": files["lottery.json"],
        f"auditor/certificate-{round_}.json": files["certificate.json"],
    }
    body = _body(said, {**before.files, **more}, round_, _loosened(said, rules))
    added = before.append("commitment", body, keys=keys, time=when, more=more)
    return Commitment(added.record, added.entry, added.signers, added.unsigned, round_, len(people))


def round_faults(record: Record) -> list[Fault]:
    """Why no next round can be prepared now."""
    last, calendar = record.rounds[-1], record.declaration["calendar"]
    if record.abort:
        return [Fault("log-order", "the procedure was aborted; nothing follows", "")]
    faults = []
    if last.number >= len(calendar):
        message = (
            f"the declaration has {len(calendar)} replacement rounds, and none is left after round {last.number}: seats that are free stay empty. "
            "No other can be added afterwards: its date would be somebody's choice. What remains: go on with those who stay, or end the procedure with "
            "the reason (klero abort) and draw anew under another declaration."
        )
        faults.append(Fault("log-order", message, ""))
    if last.draw is None:
        message = (
            f"round {last.number} is committed and not drawn yet. Draw it first: klero draw {record.place}"
        )
        faults.append(Fault("log-order", message, ""))
    elif not set(last.draw.body["panel"]) & set(record.withdrawn):
        message = (
            f"nobody on the panel of round {last.number} has withdrawn, so no seat is free. "
            f"Enter it first: klero withdraw {record.place}"
        )
        faults.append(Fault("withdrawal-none", message, ""))
    return faults


def next_round(record: Record, when: str) -> int:
    """The replacement round whose lottery can still be committed at `when`; 0 if there is none."""
    return (
        _next_round(record, when)[0] if record.rounds[-1].number < len(record.declaration["calendar"]) else 0
    )


def _next_round(record: Record, when: str) -> tuple[int, list[Fault]]:
    """The first round of the calendar for which a commitment at `when` is not too late; with the reason, if there is none."""
    said = record.declaration
    for round_ in range(record.rounds[-1].number + 1, len(said["calendar"]) + 1):
        if not (faults := _notice_faults(said, round_, when)):
            return round_, []
    return 0, faults


class _Chance:
    """What is secret about people: salts, and a tag for each where there is a household rule. In tests it follows from given salts."""

    def __init__(self, pool: Rules, household: int, salts: Mapping[str, bytes] | None) -> None:
        ids = [person for person, _type in pool["people"]]
        if salts is None:
            self.salts = secrets.token_bytes(SALT * len(ids))
            self.blind = secrets.token_bytes(32)
            pieces = secrets.token_bytes(TAG * len(ids))
        else:
            self.salts = b"".join(salts[person] for person in ids)
            if len(self.salts) != SALT * len(ids):
                raise InputError([Fault("option-range", f"each salt must have {SALT} bytes", "")])
            self.blind = hmac.digest(self.salts, b"blind", "sha256")
            pieces = b"".join(hmac.digest(salts[person], b"tag", "sha256")[:TAG] for person in ids)
        self.tags = [""] * len(ids)
        if household:
            # Of a household, all have the tag of its first member: whoever lives alone can't be told from others by it.
            first = {i: members[0] for members in pool["households"] for i in members}
            places = (first.get(i, i) for i in range(len(ids)))
            self.tags = [pieces[TAG * i : TAG * (i + 1)].hex() for i in places]


def _lottery(bundle: Place) -> dict[str, bytes]:
    files = read_bundle(bundle)
    files.pop(DRAW_FILE, None)
    verify_files(files).raise_if_failed()
    return files


def _first_tiers(
    said: Declaration,
    rules: Rules,
    files: Mapping[str, bytes],
    who: Sequence[Mapping[str, str]],
    chance: _Chance,
) -> dict[str, bytes]:
    """All files of a record but its first entry."""
    pool = json.loads(files["pool.json"])
    made = _Openings(rules, pool)
    people, tags = pool["people"], chance.tags
    openings = [made.of(kind, tag) for (_, kind), tag in zip(people, tags, strict=True)]
    blinded, leaves = _leaves(said.draw, who, openings, chance)
    order = sorted(range(len(people)), key=leaves.__getitem__)
    number = [0] * len(people)
    for at, i in enumerate(order):
        number[i] = at
    record_pool = {
        "households": sorted(sorted(number[i] for i in members) for members in pool["households"]),
        "openings": [[*blinded[i], tags[i]] for i in order],
        "people": [[at, people[i][1]] for at, i in enumerate(order)],
        "types": pool["types"],
        "weights": pool["weights"],
    }
    salts = chance.salts
    sealed = [[who[i], salts[SALT * i : SALT * (i + 1)].hex()] for i in order]
    return {
        "auditor/certificate-0.json": files["certificate.json"],
        "auditor/instance-0.json": _instance(rules, chance.blind),
        "auditor/lottery-0.json": files["lottery.json"],
        "auditor/pool-0.json": canonical(record_pool),
        "public/declaration.json": said.data,
        "public/leaves.txt": b"".join(leaves[i].hex().encode() + b"\n" for i in order),
        "sealed/people.json": canonical({"draw": said.draw, "format": "klero-sealed/1", "people": sealed}),
    }


def _leaves(
    draw: str, who: Sequence[Mapping[str, str]], openings: list[bytes], chance: _Chance
) -> tuple[list[tuple[str, str]], list[bytes]]:
    """((c_id, K_type) in hexadecimal, leaf) of each person, in the bundle's order."""
    # What `canonical` gives for each, in a tenth of its time: ids have passed a bundle's rules for texts, and the rest those of identities.
    spelled = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
    identities = [spelled(person).encode() for person in who]
    c_ids, k_types, leaves = _native.record_leaves(draw, identities, openings, chance.salts)
    cut = [slice(SALT * i, SALT * (i + 1)) for i in range(len(who))]
    return [(c_ids[s].hex(), k_types[s].hex()) for s in cut], [leaves[s] for s in cut]


class _Openings:
    """The canonical OPENING of a type and a tag. All but the tag is spelled once for each type."""

    def __init__(self, rules: Rules, pool: Rules) -> None:
        self._around = [
            self._split(rules["features"], values, weight)
            for values, weight in zip(pool["types"], pool["weights"], strict=True)
        ]

    @staticmethod
    def _split(features: Sequence[Rules], values: Sequence[int], weight: int) -> list[bytes]:
        attributes = [
            [feature["name"], feature["values"][v]["value"]]
            for feature, v in zip(features, values, strict=True)
            if feature["name"] not in RULE_FEATURES
        ]
        whole = canonical({"attributes": attributes, "household": "", "weight": weight})
        # From the end: an attribute may spell what stands around the tag, the weight can't.
        head, _, tail = whole.rpartition(b'"household":""')
        return [head + b'"household":"', b'"' + tail]

    def of(self, kind: int, tag: str) -> bytes:
        head, tail = self._around[kind]
        return head + tag.encode() + tail


def _instance(rules: Rules, blind: bytes) -> bytes:
    kept = ("algorithm", "denominator", "features", "household", "objective", "people", "size")
    return canonical(
        {**{name: rules[name] for name in kept}, "blind": blind.hex(), "format": "klero-instance/1"}
    )


def _body(
    said: Declaration, files: Mapping[str, bytes], round_: int, loosened: list[list[Any]]
) -> dict[str, Any]:
    """The BODY of the commitment of a round whose files these are."""
    parts = [
        files[f"auditor/{name}-{round_}.json"] for name in ("instance", "pool", "lottery", "certificate")
    ]
    leaves = [bytes.fromhex(line) for line in files["public/leaves.txt"].decode().split()]
    return {
        "auditor": _native.seq_hash(
            "klero/auditor/v1", [hashlib.sha256(part).digest() for part in parts]
        ).hex(),
        "declaration": hashlib.sha256(said.data).hexdigest(),
        "leaves": _native.merkle_root(leaves).hex(),
        "loosened": loosened,
        "round": round_,
        "summary": json.loads(_native.record_summary(*parts)),
    }


def _notice_faults(said: Declaration, round_: int, when: str) -> list[Fault]:
    """Sources that come too soon after a commitment made at `when`."""
    notice = said.document["notice"]
    faults = []
    for source in said.sources(round_):
        latest = source_time(source) - notice
        if seconds(when) > latest:
            message = (
                f"it is {when}, and the declared notice is {span(notice)}: a commitment had to stand by {written(latest)} for the {source_words(source)}. "
                + ("It was the calendar's last date." if round_ else "Declare later randomness.")
            )
            faults.append(Fault("notice-short", message, "", value=when))
    return faults


def _successor_faults(before: Record, rules: Rules, pool: Rules) -> list[Fault]:
    """Where a bundle is not the one of the next round. What is left unsaid here, the check `succession` says."""
    said = before.declaration.document
    faults = [
        Fault(
            "declaration-differs",
            f"{name} is {said[name]!r} in the declaration and {rules[name]!r} in the lottery",
            "",
        )
        for name in ("algorithm", "denominator", "household", "objective", "size")
        if said[name] != rules[name]
    ]
    here, withdrawn = {person for person, _type in pool["people"]}, set(before.withdrawn)
    real = set(before.leaves)
    for person in sorted(here - real)[:1]:
        message = f"{quoted(person)} is no leaf of the record. Make the round's lottery from the record: klero replace {before.place} -o DIR"
        return [*faults, Fault("replacement-link", message, "", value=person)]
    late, missing = sorted(here & withdrawn), sorted(real - withdrawn - here)
    for leaf in late:
        message = f"the leaf {leaf[:16]}… has withdrawn and is in the lottery. Make it anew: klero replace {before.place} -o DIR"
        faults.append(Fault("replacement-link", message, "", value=leaf))
    if missing:
        message = f"{len(missing)} people who have not withdrawn are not in the lottery, among them {missing[0][:16]}…"
        faults.append(Fault("replacement-link", message, "", value=missing[0]))
    used = {
        (f["name"], v["value"]): (v["min"], v["max"]) for f in declared_features(rules) for v in f["values"]
    }
    for feature in said["features"]:
        for cell in feature["values"]:
            bounds = used.get((feature["name"], cell["value"]))
            if bounds is None or bounds[0] > cell["min"] or bounds[1] < cell["max"]:
                message = f"the quota of {quoted(feature['name'])}, {quoted(cell['value'])} is tighter in the lottery than declared, or not there"
                faults.append(Fault("declaration-differs", message, ""))
    return faults


def _loosened(said: Declaration, rules: Rules) -> list[list[Any]]:
    """The quotas of a round that are wider than declared, in the order of the declaration's cells."""
    used = {
        (f["name"], v["value"]): (v["min"], v["max"]) for f in declared_features(rules) for v in f["values"]
    }
    cells = (
        (f["name"], v["value"], (v["min"], v["max"])) for f in said.document["features"] for v in f["values"]
    )
    return [[name, value, *used[name, value]] for name, value, bounds in cells if used[name, value] != bounds]
