"""Who vouches for a step of a draw, and how can anyone tell that it was they?

Key files for Ed25519 (RFC 8032), in the forms that OpenSSL reads and writes: the private key as PEM of PKCS#8 (RFC 8410), for its owner's
eyes alone, and beside it the public key as PEM of a SubjectPublicKeyInfo. A line «Name: …» before the block, which OpenSSL passes over (RFC 7468
allows it), says whose key it is.

Guaranteed: a file that is not such a key is refused, and told apart from what it is instead. Not guaranteed: that nobody else has a copy of
the private key. Signing and checking are done in Rust (`rust/ledger`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from klero import _native
from klero._files import beside, check_file, claim, flush_folder, read_file, unwritten, write_new
from klero.errors import Fault, InputError, OutputExistsError

__all__ = ["PublicKey", "SecretKey", "keygen", "public_path", "read_public_key", "read_secret_key"]

FILE_LIMIT = 64 << 10
NAME_LIMIT = 200
# RFC 8410: what stands before the 32 bytes in the one DER form of each.
_PRIVATE = bytes.fromhex("302e020100300506032b657004220420")
_PUBLIC = bytes.fromhex("302a300506032b6570032100")
_BLOCK = re.compile(
    r"-----BEGIN ([A-Z0-9 ]{1,40})-----[ \t]*\r?\n(.*?)\r?\n-----END \1-----[ \t]*(?:\r?\n|\Z)", re.DOTALL
)
_NAME = re.compile(r"^Name: ?(.*?)[ \t\r]*$", re.MULTILINE)


@dataclass(frozen=True)
class PublicKey:
    """A key with which signatures are checked.

    Attributes:
        key: its 32 bytes in hexadecimal.
        name: whose it is, as its file says; '' if the file says nothing.
    """

    key: str
    name: str = ""

    @property
    def keyid(self) -> str:
        """SHA-256 of the key in hexadecimal, by which signatures name it."""
        return hashlib.sha256(bytes.fromhex(self.key)).hexdigest()


@dataclass(frozen=True)
class SecretKey:
    """A key that signs. Its secret is not shown when it is printed.

    Attributes:
        public: the public key that belongs to it.
        file: where it was read from.
    """

    public: PublicKey
    file: str
    secret: bytes = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes: the same each time."""
        return _native.ed25519_sign(self.secret, message)


def keygen(path: str | os.PathLike[str], name: str, *, force: bool = False) -> PublicKey:
    """Makes a key: the private one at `path`, readable by its owner alone, and the public one beside it (`public_path`).

    Args:
        path: where the private key goes; «organiser.key» gives «organiser.pub» too.
        name: whose key it is, as it will stand in the declaration.
        force: replace keys that are there. What was signed with them can then be signed by nobody any more.

    Raises:
        InputError: the name is empty or no line of text, or the two files would be one.
        OutputExistsError: one of the files is there.
        OSError: the place can't be written.
    """
    said = normalize("NFC", name).strip() if isinstance(name, str) else ""
    public = public_path(path)
    faults = []
    if not said or len(said) > NAME_LIMIT or not said.isprintable():
        message = f"the name of a key is one line of text, 1 to {NAME_LIMIT} characters: whose key it is, such as 'Ville de Nantes'."
        faults.append(Fault("key-name", message, "", value=str(name)))
    if os.path.abspath(public) == os.path.abspath(path):  # noqa: PTH100 (nothing is resolved: the names count)
        message = f"the public key would take the place of the private one at {os.fspath(path)}. Give a name that ends with .key."
        faults.append(Fault("output-is-input", message, "", value=os.fspath(path)))
    if faults:
        raise InputError(faults)
    check_file(path, force=force)
    check_file(public, force=force)
    secret = secrets.token_bytes(32)
    key = _native.ed25519_public(secret)
    pair = (
        (Path(path).absolute(), _pem("PRIVATE KEY", _PRIVATE + secret, said)),
        (Path(public).absolute(), _pem("PUBLIC KEY", _PUBLIC + key, said)),
    )
    _write_pair(pair, force=force)
    return PublicKey(key.hex(), said)


def _write_pair(pair: tuple[tuple[Path, bytes], tuple[Path, bytes]], *, force: bool) -> None:
    """A private key and its public one: both, or what was there stays. Both are on the disk before either takes its place."""
    private = pair[0][0]
    fresh = [beside(target, "new") for target, _data in pair]
    old = beside(private, "old")
    asked, placed = private, list[Path]()
    try:
        for (target, data), new in zip(pair, fresh, strict=True):
            asked = target
            write_new(new, data, secret=target == private)
        if force and private.exists():
            write_new(old, private.read_bytes(), secret=True)
        for (target, _data), new in zip(pair, fresh, strict=True):
            asked = target
            if not force:
                claim(new, target)
            if not force or target == private:
                placed.append(target)
            new.replace(target)
        placed = []
        flush_folder(private.parent)
    except FileExistsError:
        raise OutputExistsError(os.fspath(asked)) from None
    except OSError as error:
        raise unwritten(error, asked) from error
    finally:
        for target in placed:  # half a pair is of no use, and would stand in the way
            if target == private and old.exists():
                old.replace(private)
            else:
                target.unlink(missing_ok=True)
        for left in (*fresh, old):
            left.unlink(missing_ok=True)


def public_path(path: str | os.PathLike[str]) -> str:
    """Where the public key of a private one is put: «.pub» in the place of «.key», else added."""
    return os.fspath(path).removesuffix(".key") + ".pub"


def read_public_key(path: str | os.PathLike[str]) -> PublicKey:
    """A public key from its file.

    Raises:
        InputError: it is not there or is no such key; the message says what it is instead.
    """
    kind, der, name = _read_pem(path)
    if kind == "PRIVATE KEY" and der.startswith(_PRIVATE):
        raise _fault(path, f"this is a private key. Keep it to its owner, and give {public_path(path)} here.")
    if kind != "PUBLIC KEY" or not der.startswith(_PUBLIC) or len(der) != len(_PUBLIC) + 32:
        raise _fault(path, _other(kind, "public"))
    key = der[len(_PUBLIC) :]
    if not _native.ed25519_is_key(key):
        message = "the bytes in it are no point of the curve that a signature could be checked with. Ask its owner for the key again."
        raise _fault(path, message)
    return PublicKey(key.hex(), name)


def read_secret_key(path: str | os.PathLike[str]) -> SecretKey:
    """A private key from its file.

    Raises:
        InputError: it is not there or is no such key; the message says what it is instead. No message shows a secret.
    """
    kind, der, name = _read_pem(path)
    if kind == "PUBLIC KEY":
        raise _fault(path, "this is a public key; signing needs the private one (the file made beside it).")
    if kind != "PRIVATE KEY" or not der.startswith(_PRIVATE) or len(der) != len(_PRIVATE) + 32:
        raise _fault(path, _other(kind, "private"))
    secret = der[len(_PRIVATE) :]
    return SecretKey(PublicKey(_native.ed25519_public(secret).hex(), name), os.fspath(path), secret)


def _read_pem(path: str | os.PathLike[str]) -> tuple[str, bytes, str]:
    """(kind of the one block in the file, its bytes, the name before it)."""
    data = read_file(path, FILE_LIMIT)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _fault(path, "this is no text. " + _HOW) from None
    blocks = list(_BLOCK.finditer(text))
    if not blocks:
        raise _fault(path, ("the file ends within a key. " if "-----BEGIN " in text else "") + _HOW)
    if len(blocks) > 1 or text.count("-----BEGIN ") > 1:
        raise _fault(path, "there are several keys in the file. Give each in a file of its own.")
    kind, body = blocks[0].groups()
    if "Proc-Type" in body:
        return "ENCRYPTED PRIVATE KEY", b"", ""
    try:
        der = base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise _fault(
            path, "the key is damaged: its lines are no BASE64. Take it from its owner again."
        ) from None
    named = _NAME.search(text[: blocks[0].start()])
    name = normalize("NFC", named[1].strip()) if named else ""
    return kind, der, name if name.isprintable() and len(name) <= NAME_LIMIT else ""


_HOW = "An Ed25519 key in PEM is needed, such as klero keygen or openssl genpkey -algorithm ed25519 makes."


def _other(kind: str, wanted: str) -> str:
    if kind == "ENCRYPTED PRIVATE KEY":
        return "the key is encrypted. Decrypt it for the time of signing: openssl pkey -in FILE -out PLAIN."
    if kind == "OPENSSH PRIVATE KEY":
        return "this is a key of OpenSSH. " + _HOW
    return f"this is no Ed25519 {wanted} key (its block is called {kind}). " + _HOW


def _fault(path: str | os.PathLike[str], message: str) -> InputError:
    return InputError([Fault("key-invalid", message, os.fspath(path))])


def _pem(kind: str, der: bytes, name: str) -> bytes:
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[i : i + 64] for i in range(0, len(text), 64))
    return f"Name: {name}\n-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----\n".encode()
