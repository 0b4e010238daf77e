"""What did the sources of randomness give?

Results as people hold them (a saved response of the drand beacon, digits written down at a table, a newspaper's lottery numbers) become the REVEALs that
`docs/audit/protocol.md` sets out, held against what was declared.

Guaranteed: the declared sources and no others, all faults at once; a beacon's signature is checked (in Rust) before anything is written. Not
guaranteed: that balls, dice and numbers are those that fell. Who was there signs for that.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from klero import _native
from klero._files import read_file
from klero.errors import Fault, InputError, quoted
from klero.ledger.clock import written
from klero.ledger.declare import read_json
from klero.ledger.sources import BEACONS, Source, source_time

__all__ = ["reveals"]

_LIMIT = 64 << 10
_HEX = re.compile(r"(?:[0-9a-fA-F]{2})*")
Place = str | os.PathLike[str]


def reveals(
    sources: Sequence[Source],
    *,
    drand: Place | Mapping[str, Any] | None = None,
    balls: str | None = None,
    dice: str | None = None,
    lottery: Place | Sequence[Sequence[int]] | None = None,
) -> list[dict[str, Any]]:
    """The REVEAL of each source, in order.

    Args:
        sources: those declared.
        drand: a saved response of a drand node (JSON with round, signature, …), or its file.
        balls: the digits in the order drawn; spaces between them don't count.
        dice: the same for dice.
        lottery: the numbers of each declared draw, or a file with one draw a line: numbers with spaces, commas or dots between, a «/» at the end
            or not, «#» before comments.

    Raises:
        InputError: a source is missing, was not declared, or its result is not one that it can give; all faults at once.
    """
    given = {"balls": balls, "dice": dice, "drand": drand, "lottery": lottery}
    declared = {source["kind"]: source for source in sources}
    faults: list[Fault] = []
    for kind, value in given.items():
        if kind in declared and value is None:
            message = f"the result of the declared {_what(declared[kind])} is missing. Give it with --{kind} (in Python: {kind})."
            faults.append(Fault("reveal-missing", message, ""))
        elif kind not in declared and value is not None:
            message = f"--{kind} is given and was not declared; only {', '.join(sorted(declared))} can count"
            faults.append(Fault("reveal-invalid", message, ""))
    made = []
    for kind, source in sorted(declared.items()):
        if given[kind] is None:
            continue
        try:
            made.append(_READERS[kind](source, given[kind]))
        except InputError as error:
            faults += error.faults
    if faults:
        raise InputError(faults)
    return made


def _what(source: Source) -> str:
    if source["kind"] == "balls":
        return f"balls ({source['digits']} digits)"
    if source["kind"] == "dice":
        return f"dice ({source['rolls']} rolls)"
    if source["kind"] == "drand":
        return f"drand round {source['round']}"
    return "lottery (" + ", ".join(f"{d['name']} {d['count']}/{d['most']}" for d in source["draws"]) + ")"


def _digits(text: object, count: int, low: str, high: str, what: str) -> str:
    digits = "".join(str(text).split())
    faults = []
    if strange := sorted({c for c in digits if not low <= c <= high}):
        shown = " ".join(map(quoted, strange))
        faults.append(f"{what} show {low} to {high}, and there is {shown}")
    if len(digits) != count:
        faults.append(f"{count} {what} were declared, and {len(digits)} are given")
    if faults:
        raise InputError(
            [
                Fault("reveal-invalid", f"{fault}. Compare with what was written down.", "", value=str(text))
                for fault in faults
            ]
        )
    return digits


def _balls(source: Source, text: object) -> dict[str, Any]:
    return {"digits": _digits(text, source["digits"], "0", "9", "balls"), "kind": "balls"}


def _dice(source: Source, text: object) -> dict[str, Any]:
    return {"digits": _digits(text, source["rolls"], "1", "6", "dice"), "kind": "dice"}


def _drand(source: Source, given: Any) -> dict[str, Any]:
    file = "" if isinstance(given, Mapping) else os.fspath(given)
    response = given if isinstance(given, Mapping) else _response(file)
    chain, round_ = source["chain"], source["round"]
    url = f"https://api.drand.sh/{chain}/public/{round_}"

    def fault(message: str) -> InputError:
        return InputError([Fault("beacon-invalid", f"{message} The declared round is at {url}", file)])

    if not isinstance(response, Mapping):
        raise fault("this is no response of a drand node, which is one JSON object.")
    if type(response.get("round")) is not int or not isinstance(response.get("signature"), str):
        raise fault("this is no response of a drand node: it has no round or no signature.")
    if response["round"] != round_:
        message = (
            f"this is drand round {response['round']}, and round {round_} ({written(source_time(source))}) was declared; "
            "no other counts, since whoever could choose among rounds could choose the panel."
        )
        raise fault(message)
    chained = chain == BEACONS["default"]
    fields = {"signature": 96 if chained else 48, "previous_signature": 96 if chained else 0}
    found = {}
    for name, length in fields.items():
        # A node may name a previous signature where it plays no part; it is not signed there, and not kept.
        text = response.get(name, "") if length else ""
        if not isinstance(text, str) or not _HEX.fullmatch(text) or len(text) != 2 * length:
            raise fault(f"{name} is not {length} bytes in hexadecimal: cut off, or from another chain.")
        found[name] = text.lower()
    signature, before = bytes.fromhex(found["signature"]), bytes.fromhex(found["previous_signature"])
    randomness = response.get("randomness")
    if randomness is not None and str(randomness).lower() != hashlib.sha256(signature).hexdigest():
        raise fault("randomness is not SHA-256 of the signature: the file was changed or damaged.")
    if not _native.beacon_verify(chain, round_, before, signature):
        raise fault("the beacon's signature does not verify: the file was changed, or is from another chain.")
    return {
        "kind": "drand",
        "previous_signature": found["previous_signature"],
        "round": round_,
        "signature": found["signature"],
    }


def _response(file: str) -> Any:
    """What a saved response holds. A browser saves a page around it, which is the commonest mistake."""
    try:
        return read_json(file, _LIMIT)
    except InputError:
        if read_file(file, _LIMIT).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            message = "this is a web page. Save the address's raw text, which begins with «{»: curl -o FILE ADDRESS, or «raw data» in a browser."
            raise InputError([Fault("beacon-invalid", message, file)]) from None
        raise


def _lottery(source: Source, given: Any) -> dict[str, Any]:
    file = os.fspath(given) if isinstance(given, (str, os.PathLike)) else ""
    rows: list[tuple[int | None, list[int]]] = (
        _lines(file) if file else [(None, list(numbers)) for numbers in given]
    )
    faults = []
    draws = source["draws"]
    if len(rows) != len(draws):
        message = f"{len(draws)} draws were declared ({_what(source)}), and {len(rows)} are given. Write one draw a line, in that order."
        faults.append(Fault("reveal-invalid", message, file))
    for draw, (row, numbers) in zip(draws, rows, strict=False):
        name = f"{quoted(draw['name'])}"
        strange = [n for n in numbers if type(n) is not int or not 1 <= n <= draw["most"]]
        if strange:
            message = f"{name} has numbers from 1 to {draw['most']}, and there is {strange[0]}."
            faults.append(Fault("reveal-invalid", message, file, row, value=str(strange[0])))
        if len(set(numbers)) < len(numbers):
            twin = next(n for n in numbers if numbers.count(n) > 1)
            faults.append(
                Fault(
                    "reveal-invalid", f"{name}: {twin} stands twice; numbers of one draw differ.", file, row
                )
            )
        if len(numbers) != draw["count"]:
            message = f"{name} draws {draw['count']} numbers, and {len(numbers)} are given."
            faults.append(Fault("reveal-invalid", message, file, row))
    if faults:
        raise InputError(faults)
    return {"kind": "lottery", "numbers": [sorted(numbers) for _row, numbers in rows]}


def _lines(file: str) -> list[tuple[int | None, list[int]]]:
    """(row, numbers) of each draw in a file."""
    data = read_file(file, _LIMIT)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError([Fault("reveal-invalid", "this is no text in UTF-8.", file)]) from None
    rows: list[tuple[int | None, list[int]]] = []
    faults = []
    for row, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        numbers = re.split(r"[ \t.,;]+", content.removesuffix("/").strip(" \t.,;"))
        if all(re.fullmatch("[0-9]{1,9}", number) for number in numbers):
            rows.append((row, [int(number) for number in numbers]))
            continue
        message = f"{quoted(content)} is no list of numbers. Write the numbers of one draw with spaces or dots between."
        faults.append(Fault("reveal-invalid", message, file, row, value=content))
    if faults:
        raise InputError(faults)
    return rows


_READERS = {"balls": _balls, "dice": _dice, "drand": _drand, "lottery": _lottery}
