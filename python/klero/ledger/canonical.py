"""Which bytes, and no others, stand for this document?

Canonical JSON (RFC 8785, restricted): dictionaries with ASCII keys, lists, NFC text and integers below 2^53 in
size. `rust/ledger` reads exactly what is written here.

>>> canonical({"b": [1, 2], "a": "é"}).decode()
'{"a":"é","b":[1,2]}'
>>> canonical({"a": [0.5]})
Traceback (most recent call last):
klero.errors.BundleError: at a[0]: a float has no canonical form; use an integer, or a fraction as text [bundle-invalid]
"""

from __future__ import annotations

import json
import re
from typing import Any
from unicodedata import is_normalized

from klero import _native
from klero.errors import BundleError

INT_LIMIT = 1 << 53
DEPTH_LIMIT = 16
_OPEN_BRACKETS = 200


class _RefusedError(Exception):
    """Why, and on the way up, where."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path: list[str | int] = []


def canonical(obj: object) -> bytes:
    """The canonical bytes of `obj`.

    Raises:
        BundleError: something in it has no canonical form; the message says where and what.
    """
    try:
        _check(obj, 0)
    except _RefusedError as refused:
        place = "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in reversed(refused.path)
        )
        raise BundleError(f"at {place.lstrip('.') or 'the top'}: {refused.reason}") from None
    return json.dumps(obj, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def parsed(data: bytes) -> Any:
    """The document behind canonical bytes, which are checked before Python's own reader, with its limits of depth, sees them.

    Raises:
        BundleError: the bytes are not canonical.
    """
    _native.canonical_check(data)
    return json.loads(data)


def check_depth(data: bytes) -> None:
    """Looks at JSON of any spelling before Python's reader does, whose limit of depth a program may have raised beyond its stack.

    Raises:
        RecursionError: more brackets stand open than any document here has.
    """
    depth = 0
    for bracket in re.finditer(
        rb"[\[\]{}]", data
    ):  # those in texts count too: nobody leaves so many open there
        depth += 1 if bracket[0] in b"[{" else -1
        if depth > _OPEN_BRACKETS:
            raise RecursionError


def _check(value: object, depth: int) -> None:
    kind = type(value)
    if kind is int:
        if not -INT_LIMIT < value < INT_LIMIT:  # type: ignore[operator]
            raise _RefusedError("an integer of 2^53 or more has no canonical form; use text")
    elif isinstance(value, str):
        _check_text(value)
    elif isinstance(value, (list, tuple, dict)):
        if depth == DEPTH_LIMIT:
            raise _RefusedError(f"nested more than {DEPTH_LIMIT} deep")
        steps = value.items() if isinstance(value, dict) else enumerate(value)
        step: str | int = ""
        try:
            for step, item in steps:
                if isinstance(value, dict) and not (isinstance(step, str) and step.isascii()):
                    raise _RefusedError(f"the key {step!r} is not ASCII text")
                _check(item, depth + 1)
        except _RefusedError as refused:
            refused.path.append(step)
            raise
    else:
        raise _RefusedError(f"a {kind.__name__} has no canonical form; use an integer, or a fraction as text")


def _check_text(text: str) -> None:
    if text.isascii():
        return
    if not is_normalized("NFC", text):
        raise _RefusedError(f"the text {text!r} is not in Unicode's normal form NFC; normalise it first")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _RefusedError(f"the text {text!r} holds half a character (a lone surrogate)") from None
