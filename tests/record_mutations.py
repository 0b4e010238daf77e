"""Changed records, and what three verifiers say of them.

A mutation is a label and the files that differ from a golden record (None: not there). All of them are tried with `KLERO_TAMPER=all`; else those at
a fixed stride, so that a run takes about a minute.
"""

from __future__ import annotations

import base64
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from itertools import islice
from random import Random
from typing import Any

from klero import _native
from klero.verifiers import klero_verify
from record_cases import (
    Files,
    dump,
    entries,
    payload,
    resigned,
    rewritten,
)

Changed = dict[str, bytes | None]
Mutation = tuple[str, Changed | Callable[[], Changed]]
Outcome = list[tuple[str, str]]
ALL = os.environ.get("KLERO_TAMPER") == "all"
# A verifier need not be able to check a beacon's or a time-stamp authority's signature. Where one of two says "--" here, they don't disagree.
MAY_BE_UNCHECKED = ("beacon", "timestamps.signature")
# Most changes leave most signatures as they are, and to verify them again in pure Python takes longer than all the rest. Whether a signature
# verifies depends on nothing else; `test_record_vectors.py` calls the function itself.
klero_verify.is_signature = lru_cache(maxsize=4096)(klero_verify.is_signature)
klero_verify.is_key = lru_cache(maxsize=4096)(klero_verify.is_key)


_known: dict[tuple[int, bytes, bytes], bool] = {}


def _beacon_arithmetic(found: Callable[[], Any] = klero_verify.beacon_arithmetic) -> Any:
    verified = found()

    def remembered(chain: Any, message: bytes, signature: bytes) -> bool:
        key = (id(chain), message, signature)
        if key not in _known:
            _known[key] = verified(chain, message, signature)
        return _known[key]

    return verified and remembered


klero_verify.beacon_arithmetic = _beacon_arithmetic


def library(files: Files) -> Outcome:
    return [(name, status) for name, status, _ in _native.record_verify(files)]


def alone(files: Files) -> Outcome:
    return [(check.name, check.status) for check in klero_verify.verify_record(files)]


def disagreement(one: Outcome, other: Outcome) -> str | None:
    """The first check on which two verifiers differ, or None: the one place that knows where they may."""
    if [name for name, _ in one] != [name for name, _ in other]:
        return f"names: {[name for name, _ in one]} and {[name for name, _ in other]}"
    for (name, a), (_, b) in zip(one, other, strict=True):
        if a != b and not (name in MAY_BE_UNCHECKED and "--" in (a, b)):
            return f"{name}: {a} and {b}"
    return None


def first_failure(outcome: Outcome) -> str | None:
    return next((name for name, status in outcome if status == "FAIL"), None)


def applied(files: Files, changed: Changed | Callable[[], Changed]) -> Files:
    together = {**files, **(changed() if callable(changed) else changed)}
    return {name: data for name, data in together.items() if data is not None}


def sampled(mutations: Iterable[Mutation], stride: int, least: int = 1) -> Iterator[Mutation]:
    """Every so many of them; with KLERO_TAMPER=all, all (or every `least` of what another test tries in full)."""
    return islice(mutations, 0, None, least if ALL else stride)


class Corpus:
    """Tries mutations with the library's and the stand-alone verifier, and counts at which check they are refused."""

    def __init__(self) -> None:
        self.at: Counter[str] = Counter()
        self.disagreed: list[str] = []
        self.accepted: list[str] = []

    def tried(self, label: str, files: Files) -> str | None:
        try:
            one, other = library(files), alone(files)
        except Exception as error:  # a verifier must not break, whatever it is given
            self.disagreed.append(f"{label}: {error!r}")
            return "broke"
        said = disagreement(one, other)
        if said:
            self.disagreed.append(f"{label}: {said}")
        where = first_failure(one)
        if where is None:
            self.accepted.append(label)
        self.at[where or "accepted"] += 1
        return where

    def report(self, what: str) -> None:
        print(f"{sum(self.at.values())} {what}: {dict(sorted(self.at.items()))}")
        assert not self.disagreed, (len(self.disagreed), self.disagreed[:10])


# ---- bytes and files ----------------------------------------------------------------------------------------
def byte_mutations(files: Files) -> Iterator[Mutation]:
    """Every byte flipped by three masks, cut out, doubled."""
    edits: dict[str, Callable[[bytes, int], bytes]] = {
        "flip 01": lambda data, i: data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :],
        "flip 20": lambda data, i: data[:i] + bytes([data[i] ^ 0x20]) + data[i + 1 :],
        "flip 80": lambda data, i: data[:i] + bytes([data[i] ^ 0x80]) + data[i + 1 :],
        "cut": lambda data, i: data[:i] + data[i + 1 :],
        "double": lambda data, i: data[:i] + data[i : i + 1] + data[i:],
    }
    for name, data in sorted(files.items()):
        for i in range(len(data)):
            for edit, made in edits.items():
                yield f"{name} {edit} {i}", {name: made(data, i)}


def file_mutations(files: Files, other: Files) -> Iterator[Mutation]:
    """Files dropped, emptied, cut, longer, renamed, doubled under another name, swapped, taken from another record."""
    for name, data in sorted(files.items()):
        yield f"{name} dropped", {name: None}
        yield f"{name} empty", {name: b""}
        yield f"{name} half", {name: data[: len(data) // 2]}
        yield f"{name} and a line end", {name: data + b"\n"}
        yield f"{name} twice", {name: data + data}
        yield f"{name} after a byte order mark", {name: b"\xef\xbb\xbf" + data}
        for other_name in strays(name):
            yield f"{name} as {other_name!r} too", {other_name: data}
            yield f"{name} as {other_name!r}", {name: None, other_name: data}
        if name in other and other[name] != data:
            yield f"{name} of another record", {name: other[name]}
        for second in sorted(files):
            if second > name and files[second] != data:
                yield f"{name} and {second} swapped", {name: files[second], second: data}
    for stray in (
        "readme.txt",
        "public/",
        "public/notes.txt",
        "public/entry-0000.json",
        "public/entry-1000.json",
        "public/entry-9999.json",
        "public/entry-10000.json",
        "public/entry-00002.json",
        "auditor/pool-9.json",
        "auditor/pool-00.json",
        "auditor/pool--1.json",
        "sealed/people-0.json",
        "receipts/1.json",
        "public/../public/leaves.txt",
        "/public/leaves.txt",
        "public\\leaves.txt",
        "",
        ".",
        "public/leaves.txt\x00",
        "public/léaves.txt",
    ):
        yield f"stray {stray!r}", {stray: b"{}"}
    yield "nothing at all", dict.fromkeys(files)


def strays(name: str) -> list[str]:
    folder, _, file = name.partition("/")
    stem, _, ending = file.partition(".")
    out = [
        name.upper(),
        f"./{name}",
        f"{name} ",
        f"{name}.bak",
        f"{folder}//{file}",
        f"{folder}/copy of {file}",
        file,
    ]
    out += [f"{other}/{file}" for other in ("public", "auditor", "sealed") if other != folder]
    if stem.startswith("entry-"):
        number = int(stem[6:])
        out += [
            f"public/entry-{number + 1:04}.json",
            f"public/entry-{number + 20:04}.json",
            f"public/entry-{number}.json",
        ]
    elif "-" in stem:
        word, _, number_ = stem.partition("-")
        out += [f"{folder}/{word}-{int(number_) + 1}.{ending}", f"{folder}/{word}-0{number_}.{ending}"]
    return out


def spellings(files: Files) -> Iterator[Mutation]:
    """The same JSON spelled otherwise, in a file and in the payload of an entry that is signed again."""
    for name, data in sorted(files.items()):
        if name.endswith(".json"):
            for i, other in enumerate(spelled(data)):
                yield f"{name} spelling {i}", {name: other}
    for number, name in enumerate(entries(files), 1):
        data = base64.b64decode(json.loads(files[name])["payload"])
        for i, other in enumerate(spelled(data)):
            yield f"payload {number} spelling {i}", {name: rewritten(files, number, other)}
        document = json.loads(files[name])
        for field, text in (("payload", document["payload"]), ("sig", document["signatures"][0]["sig"])):
            for i, other_text in enumerate(
                (
                    text + "\n",
                    text + "=",
                    text.rstrip("="),
                    text.replace("+", "-").replace("/", "_"),
                    " " + text,
                    text[:8] + "\n" + text[8:],
                )
            ):
                if other_text != text:
                    changed = json.loads(files[name])
                    if field == "sig":
                        changed["signatures"][0]["sig"] = other_text
                    else:
                        changed["payload"] = other_text
                    yield f"{name} {field} BASE64 {i}", {name: dump(changed)}


def spelled(data: bytes) -> list[bytes]:
    value = json.loads(data)
    deep = b"[" * 17 + b"]" * 17
    out = [
        json.dumps(value, ensure_ascii=False, sort_keys=True).encode(),
        json.dumps(value, ensure_ascii=False, indent=1).encode(),
        dump(value)[::-1],
        json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()[:-1] + b',"zz":0,"a":1}',
        data.replace(b'"', b'"\\u0022', 1),
        data.replace(b"a", b"\\u0061", 1),
        b" " + data,
        data + b" ",
        data + b"\x00",
        data.replace(b":1,", b":1.0,").replace(b",1]", b",1.0]").replace(b":0", b":0.0"),
        data.replace(b":1,", b":1e0,")
        .replace(b",1]", b",1E0]")
        .replace(b"1000000", b"1e6")
        .replace(b":0", b":-0"),
        data.replace(b":1,", b":01,").replace(b",1]", b",01]").replace(b":0", b":+0"),
        data.replace(b"[]", deep),
        data.replace(b"[]", b"[" * 5000 + b"]" * 5000),
        data.replace(b"{", b'{"":' + b'{"":' * 20, 1).replace(b"}", b"}" * 21, 1),
        data.replace(b":[", b":null,", 1),
        data.replace(b"{", b"{" + data[1 : data.index(b",") + 1], 1),  # the first field twice
        data.replace(b"e", "e\u0301".encode(), 1),
        data.replace(b"e", b"\xff", 1),
        data.replace(b"e", b"\xed\xa0\x80", 1),
        b"[" * 100_000,
        b"9" * 100_000,
        b"true",
        b"{}",
        b"[]",
    ]
    return [other for other in out if other != data]


# ---- one change in a document -------------------------------------------------------------------------------
WORDS = (
    ("leximin", "maximin", "minimax", "nash"),
    ("balls", "dice", "drand", "lottery"),
    ("commitment", "draw", "reading", "withdrawals", "timestamp", "abort"),
    ("guarantor", "organiser", "witness"),
    ("declined", "ineligible", "other", "unreachable"),
    ("no", "yes", "maybe"),
    ("L0", "L1"),
)


def changes(value: Any) -> Iterator[Any]:
    """Documents that differ from this one in one place, the same ones in the same order in every process."""
    if isinstance(value, int):
        yield from unlike(value, [value + 1, value - 1, 0, -1, 2**53 - 1, str(value), [value]])
    elif isinstance(value, str):
        yield from unlike(value, [*other_texts(value), 1])
    elif isinstance(value, list):
        wholes: list[Any] = [
            [],
            {},
            value + value,
            value[::-1],
            [*value, 0],
            [*value, []],
            value[1:],
            value[:-1],
            "",
        ]
        yield from unlike(value, wholes)
        for i, item in enumerate(value):
            yield [*value[:i], item, *value[i:]]
            yield from ([*value[:i], other, *value[i + 1 :]] for other in changes(item))
    else:
        yield from ({}, [], {**value, "more": 0})
        for key, item in value.items():
            yield {other: inner for other, inner in value.items() if other != key}
            yield from ({**value, key: other} for other in changes(item))


def unlike(value: Any, others: list[Any]) -> list[Any]:
    out: list[Any] = []
    for other in others:
        if other != value and other not in out:
            out.append(other)
    return out


def other_texts(value: str) -> Iterator[str]:
    """Among them spellings that some language's own readers of numbers, hexadecimal digits or times would take."""
    yield from ("", value + "x", "-" + value, value.upper(), value + "\n", " " + value, "0", wide(value))
    for words in WORDS:
        if value in words:
            yield from words
    if value.lstrip("-").replace("/", "").isdigit() and len(value) < 32:
        yield from (
            value + "/2",
            "0" + value,
            "+" + value,
            value + ".0",
            value + "e0",
            "1/3",
            "0x1",
            "9" * 4096,
            "9" * 4097,
        )
        yield from (value[0] + "_" + value[1:], value.replace("/", " / "))
        if "/" not in value:
            yield from (str(int(value) + 1), str(int(value) - 1), str(int(value) * 2))
    if len(value) in (32, 64, 96) and not value.strip("0123456789abcdef"):
        yield from (
            value[::-1],
            value[:-2],
            value + "00",
            "0" * len(value),
            value[:2] + " " + value[3:],
            "0x" + value[2:],
        )
        yield value[:-1] + "0123456789abcdef"[int(value[-1], 16) ^ 1]
    if value.endswith("Z") and len(value) == 20:
        yield from (
            "1999" + value[4:],
            "2199" + value[4:],
            "2000" + value[4:],
            value[:-1],
            value[:-3] + "60Z",
        )
        yield from (
            value.replace("T", " "),
            value.lower(),
            value[:-1] + "+00:00",
            value[:5] + "13" + value[7:],
        )


def wide(value: str) -> str:
    """With digits of another script, as the last one at least."""
    return "".join(chr(0xFF10 + int(c)) if c in "0123456789" else c for c in value)


def changed_at_random(rng: Random, value: Any) -> Any:
    """One of the changes, by a walk that goes down with probability 3/4 at each level."""
    if isinstance(value, (list, dict)) and value and rng.random() < 0.75:
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        out = value.copy()
        out[key] = changed_at_random(rng, value[key])
        return out
    if isinstance(value, list):
        i = rng.randrange(len(value) + 1)
        other = rng.choice([[], value[i:], value[:i], value[:i] + value[max(0, i - 1) :], value[::-1]])
        return other if other != value else [*value, 0]
    if isinstance(value, dict):
        return rng.choice([{}, [], {**value, "more": 0}, dict(list(value.items())[1:])])
    others = list(changes(value))
    return rng.choice(others)


# ---- what a forger with the keys can do ---------------------------------------------------------------------
def forgeries(files: Files) -> Iterator[Mutation]:
    """Each document changed in one place, with and without digests, draws, chain and signatures made anew.

    What is changed is cheap to say, a forgery is not: so those that aren't tried are never made.
    """
    for name, data in sorted(files.items()):
        if not name.endswith(".json"):
            continue
        for i, value in enumerate(changes(json.loads(data))):
            other = dump(value)
            if other == data:  # an empty list, backwards
                continue
            yield f"{name} change {i}", {name: other}
            if "/entry-" not in name:
                yield f"{name} change {i}, signed", partial(forged, files, name, other)
    for number, name in enumerate(entries(files), 1):
        for i, value in enumerate(changes(payload(files, number))):
            yield (
                f"payload {number} change {i}, signed alone",
                partial(forged, files, name, value, alone=True),
            )
            yield f"payload {number} change {i}, signed", partial(forged, files, name, value)
    for i, lines in enumerate(leaf_files(files["public/leaves.txt"])):
        yield f"leaves {i}, signed", partial(forged, files, "public/leaves.txt", lines)


def forged(files: Files, name: str, value: Any, *, alone: bool = False) -> Changed:
    """The record with this file, or this payload of an entry, and everything that follows from it; without that, signed all the same."""
    if "/entry-" not in name:
        return difference(files, resigned({**files, name: value}))
    number = int(name[-9:-5])
    changed = {**files, name: rewritten(files, number, dump(value))}
    return difference(files, changed if alone else resigned(changed, redraw=False))


def several(files: Files, number: int) -> Changed:
    """Two to four random changes in random documents, and everything else made anew; fixed by the number."""
    rng = Random(number)
    changed = dict(files)
    for _ in range(rng.randrange(2, 5)):
        name = rng.choice([name for name in files if name.endswith(".json")])
        if "/entry-" in name:
            entry = int(name[-9:-5])
            value = changed_at_random(rng, payload(changed, entry))
            if isinstance(value, dict):
                changed[name] = rewritten(changed, entry, dump(value))
        else:
            changed[name] = dump(changed_at_random(rng, json.loads(changed[name])))
    return difference(files, resigned(changed, redraw=rng.random() < 0.7))


def tokens(files: Files, number: int) -> Iterator[Mutation]:
    """Every byte of a time-stamp changed in several ways, and signed: what reads DER must read it alike."""
    value = payload(files, number)
    token = base64.b64decode(value["body"]["token"])
    for i in range(len(token)):
        for what, other in (
            *((f"flip {mask:02x}", bytes([token[i] ^ mask])) for mask in (0x01, 0x20, 0x80, 0xFF)),
            ("zero", b"\0"),
            ("cut", b""),
            ("double", token[i : i + 1] * 2),
        ):
            if other != token[i : i + 1]:
                yield (
                    f"token {what} {i}",
                    partial(with_token, files, number, token[:i] + other + token[i + 1 :]),
                )
        yield f"token ends at {i}", partial(with_token, files, number, token[:i])


def with_token(files: Files, number: int, token: bytes) -> Changed:
    value = payload(files, number)
    value["body"]["token"] = base64.b64encode(token).decode()
    changed = {**files, f"public/entry-{number:04}.json": rewritten(files, number, dump(value))}
    return difference(files, resigned(changed, keep=frozenset({(number, "token")})))


def leaf_files(data: bytes) -> list[bytes]:
    lines = data.decode().splitlines(keepends=True)
    out = [
        [*lines[1:]],
        [*lines[:-1]],
        [*lines, lines[0]],
        [*lines, "f" * 64 + "\n"],
        ["0" * 64 + "\n", *lines],
        ["0" * 64 + "\n", *lines[1:]],
        [lines[1], lines[0], *lines[2:]],
        [lines[0], *lines],
        [*lines[:-1], lines[-1][:-1]],
        [*lines, "\n"],
        ["\n", *lines],
        [line.upper() for line in lines],
        [line.replace("\n", "\r\n") for line in lines],
        [line.replace("\n", " \n") for line in lines],
        [line[:-2] + "\n" for line in lines],
        [line.replace("\n", "0\n") for line in lines],
        ["\ufeff", *lines],
        [line.replace("0", "g") for line in lines],
        [line.replace("a", "а") for line in lines],
        [],
        lines[::-1],
    ]
    return [text for text in ("".join(one).encode() for one in out) if text != data]


def difference(files: Files, other: Files) -> Changed:
    changed: Changed = {name: data for name, data in other.items() if files.get(name) != data}
    return changed | {name: None for name in files if name not in other}
