"""Logs of review for tests, made by `klero.campaigns.review_file`, and the codes of what it refuses."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from campaigns_review_cases import LATER, TIME, decided, key_of, reopened
from klero.campaigns.review import Admission, ReviewLog
from klero.campaigns.review_file import append_review
from klero.errors import CODES, InputError

ADA, BOB = key_of("Ada Diallo"), key_of("Bob")


def small(path: Path, results: Path) -> ReviewLog:
    """Every kind of entry, two keys, one group reopened and decided anew."""
    append_review(path, [decided()], key=ADA, results=results, time=TIME)
    append_review(path, [Admission(key=BOB.public.key, name="Bob"), reopened()], key=ADA, time=LATER)
    again = decided(
        decision="one-source", reason="Les signataires disent\nne rien avoir signé.", reviewer="Bob", role=""
    )
    return append_review(path, [again], key=BOB, results=results, time=LATER)


def codes(caught: pytest.ExceptionInfo[InputError]) -> list[str]:
    found = [fault.code for fault in caught.value.faults]
    assert set(found) <= set(CODES)
    return found


def lines_of(path: Path) -> list[bytes]:
    data = path.read_bytes()
    assert data.endswith(b"\n")
    return data[:-1].split(b"\n")


def plain_hash(label: str, item: bytes) -> str:
    """The labelled hash, written from docs/audit/bundle.md with the standard library."""

    def sized(data: bytes) -> bytes:
        return len(data).to_bytes(8, "big") + data

    return hashlib.sha256(sized(label.encode()) + (1).to_bytes(8, "big") + sized(item)).hexdigest()
