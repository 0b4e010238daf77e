"""What must a browser or a terminal not be given as it stands?

Controls (an escape sequence can clear a screen or hide what stands on it), halves of characters, and marks that turn the direction of what
follows, which would let a text show letters in another order than they have. Joiners and direction marks that letters need stay.
"""

from __future__ import annotations

import re

__all__ = ["harmless", "harmless_json"]

_UNSAFE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def harmless(text: str) -> str:
    """Text without what a browser or a terminal would obey; such characters are shown by their numbers.

    >>> harmless("a\\x1b[2Jb")
    'a⟨U+001B⟩[2Jb'
    """
    return _UNSAFE.sub(
        lambda match: f"⟨U+{ord(match[0]):04X}⟩", text.replace("\r\n", "\n").replace("\r", "\n")
    )


def harmless_json(document: str) -> str:
    """A JSON document that says the same with such characters escaped.

    >>> harmless_json('"a\\u202eb"')
    '"a\\\\u202eb"'
    """
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", document)
