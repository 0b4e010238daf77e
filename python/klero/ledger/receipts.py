"""Was I in the lottery, with my own particulars, and was I drawn?

A receipt is what one person is given (`docs/audit/protocol.md`, «Receipts»): who they are, the particulars they were registered with, their
secret salt, and the way from their leaf to the root that the public commitment holds. Whoever has only the public record learns nothing about
anybody from it; whoever has a receipt can check their own place, and compute their own ticket.

Guaranteed: a good receipt shows that this person, with these particulars, is in the pool that was committed. Not guaranteed: that the particulars are true,
or that a lost receipt was not read by somebody else: it holds the salt.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from klero import _native
from klero._files import beside, check_inputs, flush_folder, write_new
from klero.errors import BundleError, Fault, InputError, OutputExistsError, quoted
from klero.ledger.canonical import canonical
from klero.ledger.declare import declared_features, read_json
from klero.ledger.entries import Entry
from klero.ledger.phrases import reason_words
from klero.ledger.record import Place, Record
from klero.ledger.record_folder import RECEIPTS, rewrite
from klero.words import words

__all__ = [
    "ReceiptCheck",
    "forget",
    "left_before",
    "make_receipts",
    "own_ticket",
    "receipt_file",
    "result",
    "tree_path",
    "tree_rows",
    "verify_receipt",
    "write_receipts",
]

FORMAT = "klero-receipt/1"
_LIMIT = 1 << 20
_FIELDS = frozenset(
    (
        "attributes",
        "commitment",
        "draw",
        "format",
        "household",
        "identity",
        "leaf",
        "leaves",
        "path",
        "root",
        "salt",
        "weight",
    )
)


@dataclass(frozen=True)
class ReceiptCheck:
    """What a receipt shows.

    Attributes:
        problems: (kind, detail) of what is wrong with it; nothing if it is good. Kinds are «form», «root», «draw», «people», «leaf» and «hash».
        id: the person's id.
        leaf: the leaf that follows from it, in hexadecimal; '' if it has not the form of a receipt.
        attributes: the particulars that the person was registered with.
        against: whether it was held against a record.
        rounds: (round, result, own ticket in hexadecimal) of each round of the record that was drawn and that the person was in; results are
            «drawn», «kept» (a seat of an earlier round) and «not drawn».
        withdrawn: the reason, if the record says that the person withdrew.
        identity: what else than the id it says of who the person is.
    """

    problems: tuple[tuple[str, str], ...]
    id: str = ""
    leaf: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    against: bool = False
    rounds: tuple[tuple[int, str, str], ...] = ()
    withdrawn: str = ""
    identity: tuple[tuple[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it is good."""
        return not self.problems

    def explain(self, lang: str = "en") -> str:
        """In words for the person. `lang`: «en» or «fr»."""
        _ = words(lang).gettext
        if self.problems:
            said = {
                "form": _("it has not the form of a receipt: a field is missing, added or misspelt"),
                "root": _(
                    "who you are, the secret and your particulars do not give its root: something in it was changed"
                ),
                "draw": _("it belongs to another draw than the record"),
                "people": _("the record is over other people: its root or their number differs"),
                "leaf": _("another leaf stands at its place in the record"),
                "hash": _("the hash that was published for the record is another"),
            }
            kinds = dict.fromkeys(kind for kind, _detail in self.problems)
            return "\n".join([_("This receipt is NOT good:"), *(f"- {said[kind]}" for kind in kinds)])
        traits = ", ".join(f"{name}: {value}" for name, value in self.attributes)
        lines = [
            _("{id}, this receipt is good. You were registered as: {traits}.").format(
                id=", ".join([self.id, *(value for _name, value in self.identity)]), traits=traits
            )
        ]
        if not self.against:
            lines.append(_("Whether the draw used this register, a record shows: give it with --record."))
            return "\n".join(lines)
        lines.append(_("You are in the pool that was published before the draw."))
        if not self.rounds:
            lines.append(_("Nothing has been drawn yet."))
        said = {
            "drawn": _("Round {round}: you were drawn. Your ticket is {ticket}."),
            "kept": _("Round {round}: you keep your seat."),
            "not drawn": _("Round {round}: you were not drawn. Your ticket is {ticket}."),
        }
        lines += [said[result].format(round=number, ticket=ticket) for number, result, ticket in self.rounds]
        if self.withdrawn:
            lines.append(
                _("The record says that you withdrew (reason: {reason}).").format(
                    reason=reason_words(self.withdrawn, lang)
                )
            )
        return "\n".join(lines)


def make_receipts(record: Record, persons: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """The receipts of people by their ids; of everybody whose salt is there, with None. Needs all tiers.

    Raises:
        InputError: nobody has such an id; all faults at once.
        BundleError: the record lacks a tier.
    """
    numbers = list(record.ids.values()) if persons is None else record.place_of(list(dict.fromkeys(persons)))
    rules, pool = record.auditor("instance", 0), record.auditor("pool", 0)
    features = [(at, f) for at, f in enumerate(rules["features"]) if f in declared_features(rules)]
    tree = tree_rows([bytes.fromhex(leaf) for leaf in record.leaves])
    count, root = len(record.leaves), tree[-1][0].hex()
    made = {}
    for i in numbers:
        person = record.sealed[i]
        if person is None:  # never of `place_of`: whoever has an id has a salt
            continue
        kind = pool["people"][i][1]
        made[person[0]["id"]] = {
            "attributes": [[f["name"], f["values"][pool["types"][kind][at]]["value"]] for at, f in features],
            "commitment": record.hash,
            "draw": record.declaration.draw,
            "format": FORMAT,
            "household": pool["openings"][i][2],
            "identity": dict(person[0]),
            "leaf": i,
            "leaves": count,
            "path": [node.hex() for node in tree_path(tree, i)],
            "root": root,
            "salt": person[1],
            "weight": pool["weights"][kind],
        }
    return made


def tree_rows(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The rows of the RFC 9162 tree over one or more leaves: hashes of leaves first, the root alone last. Whoever has no neighbour moves up as it is.

    So all paths of n leaves cost n hashes, and not n each.
    """
    row = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    rows = [row]
    while len(row) > 1:
        pairs = [hashlib.sha256(b"\1" + row[i] + row[i + 1]).digest() for i in range(0, len(row) - 1, 2)]
        row = pairs + row[len(pairs) * 2 :]
        rows.append(row)
    return rows


def tree_path(rows: Sequence[Sequence[bytes]], leaf: int) -> list[bytes]:
    """The way from a leaf, by its number, to the root (RFC 9162, 2.1.3.1)."""
    path = []
    for row in rows[:-1]:
        if leaf ^ 1 < len(row):
            path.append(row[leaf ^ 1])
        leaf //= 2
    return path


def receipt_file(receipt: Mapping[str, Any]) -> str:
    """The name of a receipt's file: by leaf number, since an id may hold what no name of a file can."""
    return f"receipt-{receipt['leaf']:0{len(str(receipt['leaves'] - 1))}}.json"


def write_receipts(record: Place, output: Place, persons: Sequence[str] | None = None) -> dict[str, str]:
    """Writes receipts into a new folder, all or none, readable by its owner alone; the file's name by id.

    Raises:
        InputError: nobody has such an id, or the output is the record.
        BundleError: the record fails a check or lacks a tier.
        OutputExistsError: something is there already.
    """
    target = Path(output).absolute()
    before = Record.read(record, unsigned=True)
    if target != Path(record).absolute() / RECEIPTS:
        check_inputs(output, (record,))
    for place in target.resolve().parents:
        if (place / "leaves.txt").exists() and (place / "declaration.json").exists():
            message = (
                f"{os.fspath(output)} lies in the public folder of a record, {place}, and receipts hold salts and names. "
                "Give another place; nothing was written."
            )
            raise InputError([Fault("output-is-input", message, "", value=os.fspath(output))])
    if os.path.lexists(target):
        raise OutputExistsError(os.fspath(output))
    made = make_receipts(before, persons)
    fresh = beside(target if target.parent != Path(record).absolute() else target.parent, "receipts")
    try:
        fresh.mkdir(0o700)
        for receipt in made.values():
            write_new(fresh / receipt_file(receipt), canonical(receipt), secret=True)
        fresh.rename(target)
        flush_folder(target.parent)
    finally:
        if fresh.exists():
            for file in fresh.iterdir():
                file.unlink()
            fresh.rmdir()
    return {person: receipt_file(receipt) for person, receipt in made.items()}


def verify_receipt(receipt: Place | Mapping[str, Any], record: Place | None = None) -> ReceiptCheck:
    """Checks a receipt by itself, and against a record (the public tier will do).

    Args:
        receipt: the receipt, or its file.
        record: the record's folder or ZIP.

    Raises:
        InputError: the file is not there or no JSON.
        BundleError: the record fails a check.
    """
    document = receipt if isinstance(receipt, Mapping) else read_json(receipt, _LIMIT)
    if faults := _form_problems(document):
        return ReceiptCheck(tuple(("form", fault) for fault in faults))
    c_id, leaf = _leaf(document)
    problems = _path_problems(document, leaf)
    attributes = tuple((name, value) for name, value in document["attributes"])
    person = document["identity"]["id"]
    identity = tuple((name, value) for name, value in document["identity"].items() if name != "id")
    if record is None:
        return ReceiptCheck(tuple(problems), person, leaf.hex(), attributes, identity=identity)
    held = Record.read(record)
    problems += _record_problems(document, leaf, held)
    if problems:
        return ReceiptCheck(tuple(problems), person, leaf.hex(), attributes, True, identity=identity)
    rounds = tuple(
        (entry.body["round"], result(held, entry, leaf.hex()), own_ticket(entry, leaf.hex(), c_id.hex()))
        for entry in held.draws
        if not left_before(held, leaf.hex(), entry.body["round"])
    )
    gone = held.withdrawn.get(leaf.hex(), "")
    return ReceiptCheck((), person, leaf.hex(), attributes, True, rounds, gone, identity)


def own_ticket(draw: Entry, leaf: str, c_id: str) -> str:
    """The ticket of a person in a draw, in hexadecimal: among people of one type, the lowest tickets have the seats.

    Args:
        draw: the entry of the draw.
        leaf: the person's leaf, in hexadecimal.
        c_id: the commitment to who they are, from their receipt or the auditor tier, in hexadecimal; nobody else can compute the ticket.
    """
    key = hmac.digest(bytes.fromhex(draw.body["seed"]), b"klero/tickets/v1", "sha256")
    return hmac.digest(key, bytes.fromhex(leaf + c_id), "sha256").hex()


def result(record: Record, draw: Entry, leaf: str) -> str:
    """What a draw meant for somebody who was in its round: «drawn», «kept» (a seat of the round before) or «not drawn»."""
    if leaf not in draw.body["panel"]:
        return "not drawn"
    before = record.draws[: record.draws.index(draw)]
    return "kept" if before and leaf in before[-1].body["panel"] else "drawn"


def forget(record: Place, persons: Sequence[str]) -> tuple[str, ...]:
    """Destroys people's salts, and their receipts in the record's folder: nobody can link their leaves to them any more. Their leaves, in hexadecimal.

    A copy of the sealed tier, or a receipt handed out, still can; erase these too. Somebody who has a seat or may yet be drawn is not forgotten, since nobody
    could tell who it is: enter their withdrawal first. Once a procedure was ended (`abort`), everybody can be.

    Raises:
        InputError: nobody has such an id, or somebody has a seat or may yet be drawn; all faults at once.
        BundleError: the record fails a check, lacks the sealed tier or is a ZIP.
    """
    before = Record.read(record, unsigned=True)
    if not Path(record).is_dir():
        raise BundleError(
            f"{os.fspath(record)} is no folder; a ZIP is not changed. Forget people in the folder, and make the ZIP anew."
        )
    numbers = before.place_of(list(dict.fromkeys(persons)))
    last = before.rounds[-1]
    over = last.draw is not None and last.number == len(before.declaration["calendar"])
    faults = []
    for person, i in zip(dict.fromkeys(persons), numbers, strict=True):
        leaf = before.leaves[i]
        if before.abort or leaf in before.withdrawn or (over and leaf not in before.panel):
            continue
        why = "has a seat on the panel" if leaf in before.panel else "may still be drawn"
        message = f"{quoted(person)} {why}; without the salt nobody could tell who it is. Enter the withdrawal first: klero withdraw."
        faults.append(Fault("log-order", message, "", value=person))
    if not persons:
        faults.append(Fault("person-unknown", "nobody is named who should be forgotten", ""))
    if faults:
        raise InputError(faults)
    sealed = json.loads(before.files["sealed/people.json"])
    for i in numbers:
        sealed["people"][i] = []
    data = canonical(sealed)
    Record.parse({**before.files, "sealed/people.json": data}, before.place).confirmed()
    # Receipts first: if this is interrupted, the salts say who is still to be forgotten.
    for i in numbers:
        name = receipt_file({"leaf": i, "leaves": len(before.leaves)})
        (Path(record) / RECEIPTS / name).unlink(missing_ok=True)
    rewrite(before.place, "sealed/people.json", data)
    return tuple(before.leaves[i] for i in numbers)


def left_before(record: Record, leaf: str, round_: int) -> bool:
    """Whether somebody had withdrawn before a round was committed, and so was not in it. Everybody was in round 0."""
    start = next(r.commitment.sequence for r in record.rounds if r.number == round_)
    return round_ > 0 and any(
        leaf == gone and entry.sequence < start for entry, gone, _code in record.withdrawals
    )


def _form_problems(document: object) -> list[str]:
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        return ["it is no receipt of a public draw"]
    if set(document) != _FIELDS:
        return [f"it has not exactly the fields {', '.join(sorted(_FIELDS))}"]
    problems = []
    attributes, identity, path = document["attributes"], document["identity"], document["path"]
    if not isinstance(attributes, list) or not all(_texts(pair) and len(pair) == 2 for pair in attributes):
        problems.append("its attributes are no list of feature and value")
    if (
        not isinstance(identity, Mapping)
        or not _texts([*identity, *identity.values()])
        or not identity.get("id")
    ):
        problems.append("its identity is no object of texts with an id")
    if not isinstance(path, list) or not all(_hex(node, 32) for node in path):
        problems.append("its path is no list of hashes")
    problems += [
        f"its {name} is not 64 hexadecimal digits"
        for name in ("root", "salt", "commitment")
        if not _hex(document[name], 32)
    ]
    if document["household"] != "" and not _hex(document["household"], 16):
        problems.append("its household is not empty and not 32 hexadecimal digits")
    if not isinstance(document["draw"], str):
        problems.append("its draw is no text")
    problems += [
        f"its {name} is no whole number from {least}"
        for name, least in (("leaf", 0), ("leaves", 1), ("weight", 1))
        if type(document[name]) is not int or not least <= document[name] < 1 << 53
    ]
    if not problems:
        try:
            canonical(dict(document))
        except BundleError as error:
            problems.append(error.message)
    return problems


def _leaf(document: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """(c_id, leaf) that follow from a receipt."""
    opening = {name: document[name] for name in ("attributes", "household", "weight")}
    identity, salt = canonical(dict(document["identity"])), bytes.fromhex(document["salt"])
    c_id, _k_type, leaf = _native.record_leaves(document["draw"], [identity], [canonical(opening)], salt)
    return c_id, leaf


def _path_problems(document: Mapping[str, Any], leaf: bytes) -> list[tuple[str, str]]:
    """RFC 9162, 2.1.3.2: whether leaf and path give the root."""
    place, last = document["leaf"], document["leaves"] - 1
    if place > last:
        return [("root", "its leaf number is beyond the number of leaves")]
    node = hashlib.sha256(b"\0" + leaf).digest()
    for text in document["path"]:
        other = bytes.fromhex(text)
        if last == 0:
            return [("root", "its path is too long")]
        if place % 2 or place == last:
            node = hashlib.sha256(b"\1" + other + node).digest()
            while place and not place % 2:
                place, last = place // 2, last // 2
        else:
            node = hashlib.sha256(b"\1" + node + other).digest()
        place, last = place // 2, last // 2
    if last or node.hex() != document["root"]:
        return [
            ("root", "its identity, salt and particulars do not give the root: something in it was changed")
        ]
    return []


def _record_problems(document: Mapping[str, Any], leaf: bytes, record: Record) -> list[tuple[str, str]]:
    problems = []
    first, draw = record.entries[0], record.declaration.draw
    if document["draw"] != draw:
        detail = f"it is of the draw {quoted(document['draw'])}, and the record is of {quoted(draw)}"
        problems.append(("draw", detail))
    if document["root"] != first.body["leaves"] or document["leaves"] != len(record.leaves):
        problems.append(("people", "the root or the number of leaves of the record is another"))
    elif document["leaf"] >= len(record.leaves) or record.leaves[document["leaf"]] != leaf.hex():
        problems.append(("leaf", f"leaf {document['leaf']} of the record is another"))
    if document["commitment"] != first.hash:
        problems.append(
            ("hash", f"the record's hash is {first.hash[:16]}…, the receipt's {document['commitment'][:16]}…")
        )
    return problems


def _texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _hex(value: object, length: int) -> bool:
    return isinstance(value, str) and len(value) == 2 * length and not set(value) - set("0123456789abcdef")
