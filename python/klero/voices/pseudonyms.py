"""How can contributions of one author be told to be of one author, without saying of whom?

Each author gets the pseudonym «p-» and 32 hexadecimal digits: the first 128 bits of HMAC-SHA-256 (RFC 2104) of the name under a key of 32 bytes.
Under one key the same author has the same pseudonym in every file; under another key, another. Whoever has the key can try names and find
out who is who, whoever has not can do no better than guess the key: keep it as long as the files have to be joined, then destroy it.

What counts as the same author: the same text in NFC, without blanks at its ends. Capital letters count: ids of platforms («VXNlcjox») differ by
them, and two people taken for one would be worse than one taken for two.

Guaranteed: two authors have the same pseudonym with a probability below n²/2^129 for n authors. Not guaranteed: that an author can't be recognised by
what they write; see :mod:`klero.voices.personal` for what a text says of a person.

>>> key = PseudonymKey(bytes(32))
>>> key.pseudonym("Zoé"), key.pseudonym(" Zoe\\u0301 ") == key.pseudonym("Zoé"), key.pseudonym("")
('p-2a88ffcf932020bc5110557bc3ccd005', True, '')
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from dataclasses import dataclass, field

from klero._files import read_file, write_file
from klero._tables_cells import clean
from klero.errors import Fault, InputError

__all__ = ["PseudonymKey", "new_key", "read_key"]

_LIMIT = 64 << 10
_PURPOSE = b"klero-author/1\0"  # the key can be used for other things without the numbers meeting


@dataclass(frozen=True)
class PseudonymKey:
    """A key for pseudonyms. Its 32 bytes are not shown when it is printed."""

    secret: bytes = field(repr=False)

    def pseudonym(self, author: str) -> str:
        """The pseudonym of an author; '' stays ''."""
        name = clean(author)
        if not name:
            return ""
        return (
            "p-"
            + hmac.digest(self.secret, _PURPOSE + name.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]
        )


def new_key(path: str | os.PathLike[str], *, force: bool = False) -> None:
    """Makes a key file: 64 hexadecimal digits from the system's source of randomness, readable by its owner alone.

    Raises:
        OutputExistsError: something is there and `force` was not given. Pseudonyms made with a key that is lost can't be made again.
        OSError: the place can't be written.
    """
    write_file(path, secrets.token_hex(32).encode() + b"\n", force=force, secret=True)


def read_key(path: str | os.PathLike[str]) -> PseudonymKey:
    """The key in a file.

    Raises:
        InputError: it is not there, or holds no such key. No message shows what is in it.
    """
    try:
        text = read_file(path, _LIMIT).decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise _fault(path, "this is no text.") from None
    except InputError as error:
        if error.faults[0].code == "file-missing":
            message = f"there is no such file. {_HOW}"
            raise InputError([Fault("file-missing", message, os.fspath(path))]) from None
        raise
    if "-----BEGIN " in text:
        raise _fault(path, "this is a key for signatures or certificates, which has another purpose.")
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        raise _fault(path, "it does not hold 64 hexadecimal digits.")
    secret = bytes.fromhex(text)
    if len(set(secret)) < 8:  # of 2^256 keys, fewer than one in 10^50
        raise _fault(path, "the digits in it are no random ones.")
    return PseudonymKey(secret)


_HOW = "Make a key once with «openssl rand -hex 32 > FILE» (in Python: klero.voices.pseudonyms.new_key), and let nobody else read it."


def _fault(path: str | os.PathLike[str], what: str) -> InputError:
    return InputError([Fault("pseudonym-key", f"{what} {_HOW}", os.fspath(path))])
