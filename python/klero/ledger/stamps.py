"""Who else can say when this was there?

Time-stamps of RFC 3161: a request for the organiser to send (nothing here needs a network), the authority's answer put into the record as an
entry, and its signature checked against the authority's certificate where one is given.

Guaranteed: a token over other bytes than the entry's file, signatures included, is refused, and so is one that shows that a commitment or a reading
of balls came too late. That the token was signed by the authority is checked with the extra `timestamps` (the package rfc3161-client, over OpenSSL's own
code) alone; `openssl ts -verify` does the same.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from klero import _native
from klero._files import read_file
from klero.errors import BundleError, Fault, InputError, MissingExtraError
from klero.ledger.clock import written
from klero.ledger.entries import Entry, parse_entry
from klero.ledger.keys import SecretKey
from klero.ledger.record import Appended, Place, Record
from klero.ledger.verify import Check, Verification

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

__all__ = ["timestamp", "timestamp_request", "with_signatures"]

_LIMIT = 1 << 20
_SHA256 = bytes.fromhex("300d06096086480165030402010500")
_CHECK = "timestamps.signature"


def timestamp_request(record: Place, *, entry: int | None = None) -> bytes:
    """A TimeStampReq (DER) over the file of an entry, signatures included, for the authority to answer; it asks for the certificate too.

    Args:
        record: the record.
        entry: the entry's number; None: the last one that is no time-stamp.

    Raises:
        BundleError: the record fails a check, or the entry lacks signatures: none can be added once it is stamped.
        InputError: there is no such entry.
    """
    chosen = _entry(Record.read(record), entry)
    imprint = _der(0x30, _SHA256 + _der(0x04, hashlib.sha256(chosen.data).digest()))
    # Version 1, no policy, no nonce (the imprint is of one file and no other), certReq TRUE.
    return _der(0x30, b"\x02\x01\x01" + imprint + b"\x01\x01\xff")


def timestamp(
    record: Place,
    token: Place | bytes,
    *,
    entry: int | None = None,
    keys: Sequence[SecretKey | Place] = (),
    time: str | None = None,
) -> Appended:
    """Puts an authority's time-stamp into the record.

    Args:
        record: the record's folder.
        token: the authority's answer (TimeStampResp) or the token in it, DER; or its file.
        entry: the number of the entry it is over; None: found by its imprint.
        keys: private keys, or their files, that sign.
        time: when it is entered, in UTC; None: now.

    Raises:
        BundleError: the record fails a check, lacks signatures or was aborted.
        InputError: it is no token, or is over other bytes.
    """
    before = Record.read(record)
    file = "" if isinstance(token, bytes) else os.fspath(token)
    inner = _token(token if isinstance(token, bytes) else read_file(token, _LIMIT), file)
    try:
        imprint, moment = _native.timestamp_read(inner)
    except BundleError as error:
        raise _fault(f"this is no time-stamp as the protocol asks for: {error.message}.", file) from None
    over = [e for e in before.entries if hashlib.sha256(e.data).digest() == imprint]
    asked = None if entry is None else _entry(before, entry)
    if not over or (asked and asked.sequence != over[0].sequence):
        what = (
            f"entry {over[0].sequence}, not {entry}"
            if over
            else "no entry of this record as it is now, signatures included"
        )
        message = f"the time-stamp of {written(moment)} is over {what}. Send the request that klero timestamp writes, unchanged."
        raise _fault(message, file)
    body = {"entry": over[0].sequence, "token": base64.b64encode(inner).decode()}
    return before.append("timestamp", body, keys=keys, time=time)


def with_signatures(result: Verification, files: Mapping[str, bytes], certificate: Place) -> Verification:
    """The checks of a record, with the signatures of its time-stamps checked too.

    Args:
        result: the checks made without a certificate.
        files: the record's files.
        certificate: the root certificate of the authority, PEM (with others of the chain, if need be) or DER.

    Raises:
        InputError: the file holds no certificate.
        MissingExtraError: the package is not installed.
    """
    trusted = _certificates(certificate)
    states = {check.name: check for check in result}
    # Only a token that passed the check before is looked at; what that check said of it holds for this one.
    if not states["timestamps"].ok:
        return result
    entries = [parse_entry(data) for name, data in sorted(files.items()) if "/entry-" in name]
    stamps = [entry for entry in entries if entry.kind == "timestamp"]
    problem = ""
    for entry in stamps:
        token = base64.b64decode(entry.body["token"])
        reason = _signature_problem(token, entries[entry.body["entry"] - 1].data, trusted)
        problem = problem or (f"entry {entry.sequence}: {reason}" if reason else "")
    detail = problem or f"signatures: {len(stamps)}, by the authority of the certificate given"
    made = Check(_CHECK, not problem, detail)
    return Verification(tuple(made if check.name == _CHECK else check for check in result), result.what)


def _entry(record: Record, number: int | None) -> Entry:
    stamped = [entry for entry in record.entries if entry.kind != "timestamp"]
    if number is None:
        return stamped[-1]
    if type(number) is not int or not 1 <= number <= len(record.entries):
        message = f"there is no entry {number!r}; the record has 1 to {len(record.entries)}"
        raise InputError([Fault("option-range", message, "", value=str(number))])
    return record.entries[number - 1]


def _token(data: bytes, file: str) -> bytes:
    """The token in an answer; a bare token as it is."""
    tag, inner, rest = _read_der(data, file)
    if tag != 0x30 or rest:
        raise _fault("this is no answer of a time-stamp authority (DER).", file)
    if inner[:1] == b"\x06":  # ContentInfo begins with an object identifier, an answer with its status
        return data
    status_tag, status, token = _read_der(inner, file)
    number_tag, number, _more = _read_der(status, file)
    if status_tag != 0x30 or number_tag != 0x02:
        raise _fault("this is no answer of a time-stamp authority.", file)
    if int.from_bytes(number, "big") > 1 or not token:
        raise _fault(
            f"the authority refused the request (status {int.from_bytes(number, 'big')}). Send it again, or ask it why.",
            file,
        )
    return token


def _read_der(data: bytes, file: str) -> tuple[int, bytes, bytes]:
    """(tag, content, what follows) of the first value."""
    if len(data) >= 2:
        length, start = data[1], 2
        if length > 0x80:
            start = 2 + (length & 0x7F)
            length = int.from_bytes(data[2:start], "big")
        if length != 0x80 and start + length <= len(data):
            return data[0], data[start : start + length], data[start + length :]
    raise _fault("this is no answer of a time-stamp authority (DER), or it is cut off.", file)


def _der(tag: int, content: bytes) -> bytes:
    """A value of less than 128 bytes: all that a request needs."""
    return bytes((tag, len(content))) + content


def _certificates(path: Place) -> list[Certificate]:
    data = read_file(path, _LIMIT)
    try:
        import rfc3161_client  # noqa: F401 (both come with the extra)
        from cryptography import x509
    except ImportError:
        raise MissingExtraError("timestamps", "check the signatures of time-stamps") from None
    try:
        if b"-----BEGIN" in data:
            return list(x509.load_pem_x509_certificates(data))
        return [x509.load_der_x509_certificate(data)]
    except ValueError:
        raise _fault("this is no certificate (PEM or DER).", os.fspath(path)) from None


def _signature_problem(token: bytes, file: bytes, trusted: Sequence[Certificate]) -> str:
    """Why a token's signature does not hold; '' if it does."""
    from rfc3161_client import VerifierBuilder, decode_timestamp_response
    from rfc3161_client.errors import VerificationError

    # The package reads answers; a granted answer with this token is 30 L (30 03 02 01 00) token.
    content = b"\x30\x03\x02\x01\x00" + _sorted_certificates(token)
    length = len(content).to_bytes(4, "big").lstrip(b"\0")
    head = bytes((0x30, len(content))) if len(content) < 0x80 else bytes((0x30, 0x80 | len(length))) + length
    builder = VerifierBuilder()
    for certificate in trusted:
        builder = builder.add_root_certificate(certificate)
    try:
        answer = decode_timestamp_response(head + content)
        if builder.build().verify_message(answer, file):
            return ""
    except (VerificationError, ValueError) as error:
        return f"the time-stamp's signature does not verify ({error})"
    return "the time-stamp's signature does not verify"


def _sorted_certificates(token: bytes) -> bytes:
    """A token with its certificates in the order of DER's sets. No signature is over them, some authorities list them as a chain, and the
    package refuses that."""
    inner = _read_der(_read_der(token, "")[1], "")[
        2
    ]  # what follows the type of ContentInfo: [0], with SignedData
    rest = _read_der(_read_der(inner, "")[1], "")[1]
    for _field in ("version", "digest algorithms", "content"):
        rest = _read_der(rest, "")[2]
    tag, certificates, _more = _read_der(rest, "")
    if tag != 0xA0:
        return token
    parts, left = [], certificates
    while left:
        after = _read_der(left, "")[2]
        parts.append(left[: len(left) - len(after)])
        left = after
    return token.replace(certificates, b"".join(sorted(parts)), 1)


def _fault(message: str, file: str) -> InputError:
    return InputError([Fault("token-invalid", message, file)])
