"""Which whole number does a key give?

x_j = HMAC-SHA256(key, before ‖ j ‖ after), j = 0, 1, … as 8 bytes, read as a big-endian number; one at or above the largest multiple of
the limit is passed over, so that no remainder favours anyone. `docs/audit/bundle.md` finds positions so, under one label.

>>> below(bytes(32), b"label", 6) < 6
True
"""

from __future__ import annotations

import hmac

__all__ = ["below"]


def below(key: bytes, before: bytes, limit: int, after: bytes = b"") -> int:
    """A whole number from 0 to `limit` − 1, each equally likely; `limit` from 1 to 2^256."""
    accepted = (1 << 256) // limit * limit
    j = 0
    while True:
        x = int.from_bytes(hmac.digest(key, before + j.to_bytes(8, "big") + after, "sha256"), "big")
        if x < accepted:
            return x % limit
        j += 1
