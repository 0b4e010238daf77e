"""The log of review: what a chain of signed lines finds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns_review_cases import LATER, TIME, decided, key_of, write_results
from campaigns_review_logs import ADA, BOB, codes, lines_of, plain_hash, small
from klero.campaigns import review_file
from klero.campaigns.review_file import append_review, read_review, verify_review
from klero.errors import InputError, LogError
from klero.ledger.canonical import canonical


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write_results(tmp_path / "campaigns")


def test_a_sound_log_passes_every_check(tmp_path: Path, results: Path) -> None:
    log = small(tmp_path / "log", results)
    found = verify_review(tmp_path / "log", results=results, head=log.entries[2].hash, key=ADA.public)
    assert [(c.name, c.status) for c in found] == [
        (name, "ok") for name in ("form", "chain", "signatures", "order", "results", "first-key", "head")
    ]
    assert "2 lines since" in found.checks[-1].detail
    alone = verify_review(tmp_path / "log")
    assert alone.ok
    assert [c.name for c in alone.unchecked] == ["results", "first-key", "head"]


def test_any_change_of_one_byte_is_refused(
    tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(tmp_path / "log", results)
    data = (tmp_path / "log").read_bytes()
    for place in range(len(data)):
        # A bit of each byte: the lowest of the even places, that of the letter's case of the odd ones.
        changed = data[:place] + bytes([data[place] ^ (0x20 if place % 2 else 0x01)]) + data[place + 1 :]
        monkeypatch.setattr(review_file, "log_bytes", lambda _path, changed=changed: changed)
        with pytest.raises(LogError, match="fails its check"):
            read_review(tmp_path / "log")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("whole")
    small(folder / "log", write_results(folder / "campaigns"))
    return (folder / "log").read_bytes()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, 10**6),
    byte=st.integers(0, 255),
    kind=st.sampled_from(["replaced", "put in", "taken out"]),
)
def test_any_byte_replaced_put_in_or_taken_out_is_refused(
    tmp_path: Path, whole: bytes, place: int, byte: int, kind: str
) -> None:
    place %= len(whole)
    new = b"" if kind == "taken out" else bytes([byte])
    changed = whole[:place] + new + whole[place + (kind != "put in") :]
    (tmp_path / "log").write_bytes(changed)
    assert verify_review(tmp_path / "log").ok == (changed == whole)


@pytest.mark.parametrize("gone", range(4))
def test_a_line_taken_out_between_others_is_found(tmp_path: Path, results: Path, gone: int) -> None:
    small(tmp_path / "log", results)
    lines = lines_of(tmp_path / "log")
    del lines[gone]
    (tmp_path / "log").write_bytes(b"\n".join(lines) + b"\n")
    failed = verify_review(tmp_path / "log").failed
    assert failed is not None and failed.name == "chain"


def test_lines_that_change_places_are_found(tmp_path: Path, results: Path) -> None:
    small(tmp_path / "log", results)
    lines = lines_of(tmp_path / "log")
    lines[1], lines[3] = lines[3], lines[1]
    (tmp_path / "log").write_bytes(b"\n".join(lines) + b"\n")
    failed = verify_review(tmp_path / "log").failed
    assert failed is not None and failed.name == "chain"


def test_a_signed_line_of_another_log_at_the_same_place_is_found(tmp_path: Path, results: Path) -> None:
    other = write_results(tmp_path / "other", raw=7)
    append_review(tmp_path / "log", [decided()], key=ADA, results=results, time=TIME)
    append_review(tmp_path / "else", [decided(decision="one-source")], key=ADA, results=other, time=TIME)
    lines = [lines_of(tmp_path / "log")[0], lines_of(tmp_path / "else")[1]]
    (tmp_path / "log").write_bytes(b"\n".join(lines) + b"\n")
    failed = verify_review(tmp_path / "log").failed
    assert failed is not None and failed.name == "chain"


def test_lines_taken_off_the_end_are_found_by_a_published_head_alone(tmp_path: Path, results: Path) -> None:
    head = small(tmp_path / "log", results).head
    (tmp_path / "log").write_bytes(b"\n".join(lines_of(tmp_path / "log")[:-1]) + b"\n")
    assert verify_review(tmp_path / "log").ok
    failed = verify_review(tmp_path / "log", head=head).failed
    assert failed is not None and failed.name == "head"


def test_a_log_written_anew_with_another_key_is_found_by_the_first_key(tmp_path: Path, results: Path) -> None:
    head = small(tmp_path / "log", results).head
    (tmp_path / "log").unlink()
    append_review(tmp_path / "log", [decided(decision="independent")], key=BOB, results=results, time=TIME)
    assert verify_review(tmp_path / "log", results=results).ok
    found = verify_review(tmp_path / "log", results=results, head=head, key=ADA.public)
    assert [c.name for c in found if c.bad] == ["first-key", "head"]


def forged(lines: list[bytes], number: int, signer: Any, **changes: Any) -> bytes:
    """A line changed and signed anew, and every line after it chained anew with the signatures that they had."""
    out = list(lines)
    for place in range(number, len(out)):
        one = json.loads(out[place])
        entry = one["entry"]
        if place == number:
            entry = {**entry, **changes}
        if place > 0:
            entry["previous"] = plain_hash("klero/review/v1", out[place - 1])
        signature = one["signature"]
        if place == number:
            kind, payload = b"application/vnd.klero.review+json", canonical(entry)
            signature = signer.sign(b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)).hex()
        keyid = signer.public.keyid if place == number else one["keyid"]
        out[place] = canonical({"entry": entry, "keyid": keyid, "signature": signature})
    return b"\n".join(out) + b"\n"


def last_body(lines: list[bytes]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(lines[-1])["entry"]["body"]
    return body


@pytest.mark.parametrize(
    ("number", "signer", "changes", "check"),
    [
        # The last line again, with another decision, by a key that nobody admitted.
        (4, key_of("Mallory"), {"body": "independent"}, "signatures"),
        # A line in the middle, by its own signer: the signatures after it no longer hold.
        (1, ADA, {"time": "2026-05-04T09:00:01Z"}, "signatures"),
        # By a key of the log, what the rules don't allow.
        (4, BOB, {"body": "fraud"}, "order"),
        (4, BOB, {"time": "2026-05-01T09:00:00Z"}, "order"),
        (4, BOB, {"time": "yesterday"}, "order"),
        (4, BOB, {"kind": "verdict"}, "form"),
        (4, BOB, {"sequence": 6}, "chain"),
        (4, BOB, {"format": "klero-review/2"}, "form"),
    ],
)
def test_a_line_signed_anew_is_held_to_the_same_rules(
    tmp_path: Path, results: Path, number: int, signer: Any, changes: dict[str, Any], check: str
) -> None:
    small(tmp_path / "log", results)
    lines = lines_of(tmp_path / "log")
    if "body" in changes:
        changes = {"body": {**last_body(lines), "decision": changes["body"]}}
    (tmp_path / "log").write_bytes(forged(lines, number, signer, **changes))
    failed = verify_review(tmp_path / "log").failed
    assert failed is not None and failed.name == check
    with pytest.raises(LogError, match=f"«{check}»"):
        append_review(tmp_path / "log", [decided("C2")], key=ADA, results=results, time=LATER)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b'{"entry":{},"keyid":"","signature":""}\n',
        b"\xff\xfe\n",
        b'{"format":"klero-log/1","title":"states"}\n',
        b'{"entry":{"body":{},"format":"klero-review/1","kind":["opening"],"previous":"","sequence":1,"time":""},"keyid":"'
        + b"0" * 64
        + b'","signature":"'
        + b"0" * 128
        + b'"}\n',
    ],
)
def test_what_is_no_log_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "log").write_bytes(data)
    with pytest.raises(LogError, match="«form»"):
        read_review(tmp_path / "log")


def test_a_log_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="there is no log"):
        read_review(tmp_path / "log")
    with pytest.raises(LogError, match="is a folder"):
        verify_review(tmp_path)


def test_a_head_that_is_no_hash_is_told(tmp_path: Path, results: Path) -> None:
    small(tmp_path / "log", results)
    with pytest.raises(InputError) as caught:
        verify_review(tmp_path / "log", head="9f2c")
    assert codes(caught) == ["record-invalid"]
