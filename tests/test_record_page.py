"""The third verifier, verifier.html in Chromium, on the tampered records that the other two are tried on: every status must be the same.

`KLERO_TAMPER=all` tries everything. Needs chromium and playwright; skips with a reason where one is missing.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from typing import Any

import pytest

from browser import VerifierPage, reason, verifier_page
from record_cases import CHECKS, NAMES, Files, golden_record, tier, zipped
from record_forgeries_auditor import LIES
from record_mutations import (
    ALL,
    Changed,
    Mutation,
    Outcome,
    applied,
    byte_mutations,
    difference,
    disagreement,
    file_mutations,
    first_failure,
    forgeries,
    library,
    sampled,
    several,
    spellings,
    tokens,
)

pytestmark = pytest.mark.skipif(reason() is not None, reason=reason() or "")
# A golden record is sent once, and then what differs; back come the statuses, one text for each record.
STATUSES = """async ([files, mutations]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const base = Object.entries(files).map(([name, text]) => [name, bytes(text)]);
  const out = [];
  for (const changed of mutations) {
    const set = Object.fromEntries(base.filter(([name]) => changed[name] !== null));
    for (const [name, text] of Object.entries(changed)) if (text !== null) set[name] = bytes(text);
    out.push((await window.klero.verify(set)).map(({name, status}) => name + " " + status).join("\\n"));
  }
  return out; }"""


@pytest.fixture(scope="module")
def page() -> Iterator[VerifierPage]:
    with verifier_page() as opened:
        yield opened


def sent(files: Changed) -> dict[str, str | None]:
    return {name: None if data is None else base64.b64encode(data).decode() for name, data in files.items()}


def by_page(page: VerifierPage, files: Files, changed: list[Changed]) -> list[Outcome]:
    found = page.page.evaluate(STATUSES, [sent(dict(files)), [sent(one) for one in changed]])
    return [[(line.rpartition(" ")[0], line.rpartition(" ")[2]) for line in one.split("\n")] for one in found]


def same(page: VerifierPage, files: Files, mutations: Iterable[Mutation], what: str) -> list[str]:
    """Holds the page to the library on all of them; gives back those that nobody refuses."""
    at: Counter[str] = Counter()
    wrong, accepted = [], []
    left = iter(mutations)
    while batch := list(islice(left, 200)):
        changed = [one() if callable(one) else one for _, one in batch]
        for (label, _), one, found in zip(batch, changed, by_page(page, files, changed), strict=True):
            expected = library(applied(files, one))
            said = disagreement(expected, found)
            if said:
                wrong.append(f"{label}: {said}")
            where = first_failure(expected)
            at[where or "accepted"] += 1
            if where is None:
                accepted.append(label)
    print(f"{sum(at.values())} {what}: {dict(sorted(at.items()))}")
    assert not wrong, (len(wrong), wrong[:10])
    return accepted


@pytest.mark.parametrize("name", NAMES)
def test_golden_records_pass_in_every_tier(page: VerifierPage, name: str) -> None:
    for shown in ("public", "auditor", "sealed"):
        files = tier(golden_record(name), shown)
        (found,) = by_page(page, files, [{}])
        assert [check for check, _ in found] == list(CHECKS)
        assert disagreement(library(files), found) is None
        assert first_failure(found) is None
        assert [(check, status) for check, status, _ in page.verify_zip(zipped(files))] == found


@pytest.mark.parametrize("name", NAMES)
def test_changed_bytes(page: VerifierPage, name: str) -> None:
    files = golden_record(name)
    assert not same(page, files, sampled(byte_mutations(files), 797), f"changed bytes of {name}")


@pytest.mark.parametrize("name", NAMES)
def test_changed_files_and_spellings(page: VerifierPage, name: str) -> None:
    files = golden_record(name)
    other = golden_record("fallback" if name == "drand" else "drand")
    mutations = chain(sampled(file_mutations(files, other), 11), sampled(spellings(files), 7))
    accepted = same(page, files, mutations, f"changed files and spellings of {name}")
    assert all(label.endswith("dropped") for label in accepted)


@pytest.mark.parametrize("name", NAMES)
def test_forgeries(page: VerifierPage, name: str) -> None:
    files = golden_record(name)
    same(page, files, sampled(forgeries(files), 101), f"forgeries of {name}")


@pytest.mark.parametrize("name", NAMES)
def test_several_changes_at_once(page: VerifierPage, name: str) -> None:
    files = golden_record(name)
    mutations = ((str(number), partial(several, files, number)) for number in range(3000 if ALL else 20))
    same(page, files, mutations, f"forgeries of {name} with several changes")


def test_time_stamps(page: VerifierPage) -> None:
    files = golden_record("timestamped")
    same(page, files, sampled(tokens(files, 2), 37), "changed tokens")


def test_lies(page: VerifierPage) -> None:
    for name in NAMES:
        files = golden_record(name)
        told: list[Any] = [
            (what, difference(files, forge(files))) for what, of, forge, _ in LIES if of == name
        ]
        same(page, files, told, f"lies about {name}")
