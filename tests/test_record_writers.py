"""Several who write one record, writes that are cut off, and places where nothing may be written: nothing that was done is ever lost."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import threading
from pathlib import Path

import pytest

from klero.errors import BundleError, InputError
from klero.ledger import keys, record_folder
from klero.ledger import record as record_module
from klero.ledger.canonical import canonical
from klero.ledger.clock import written
from klero.ledger.commit import commit_round
from klero.ledger.entries import entry_name
from klero.ledger.receipts import forget, write_receipts
from klero.ledger.record import Record
from klero.ledger.record_folder import (
    add_files,
    is_record,
    locked,
    rewrite,
    scan_record,
    settled,
    write_record,
)
from klero.ledger.steps import abort, withdraw
from klero.ledger.successor import replace_round
from klero.ledger.tiers import leaks, looked_for, write_tier
from klero.ledger.verify import verify
from making_cases import BOTH, GUARANTOR, LATER, ORGANISER, bundle, committed, drawn, people, sign, tree


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record from which somebody has withdrawn, and the lottery of its next round; read only."""
    place = tmp_path_factory.mktemp("writers")
    record = drawn(place / "rec", bundle(place / "bundle"))
    withdraw(record, leaves=Record.read(record).panel[:1], reason="other", keys=BOTH, time=LATER)
    replace_round(record, place / "r1")
    return place


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """The same, to be changed."""
    return Path(shutil.copytree(made, tmp_path / "all"))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_step_made_from_an_earlier_reading_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = place / "rec"
    leaf = Record.read(record).panel[0]
    parse = Record.parse

    def meanwhile(files: object, where: str = "") -> Record:
        # Between the read of the commitment and its write, somebody else's withdrawal comes.
        monkeypatch.setattr(Record, "parse", parse)
        withdraw(record, leaves=[leaf], reason="declined", keys=BOTH, time=LATER)
        return parse(files, where)  # type: ignore[arg-type]

    before = Record.read(record)
    monkeypatch.setattr(Record, "parse", meanwhile)
    with pytest.raises(BundleError, match="somebody else"):
        before.append("withdrawals", {"withdrawals": [[leaf, "other"]]}, keys=BOTH, time=LATER)
    after = Record.read(record)
    assert after.withdrawn[leaf] == "declined"
    assert names(place) == ["bundle", "r1", "rec"]


def _append(record: str, number: int, start: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    while True:
        before = Record.read(record)
        leaf = [leaf for leaf in before.leaves if leaf not in before.withdrawn][number]
        try:
            withdraw(record, leaves=[leaf], reason="other", keys=BOTH, time=LATER)
        except (BundleError, InputError):
            continue
        return


@pytest.mark.parametrize("flock", [True, False])
def test_many_who_write_at_once_lose_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, flock: bool
) -> None:
    if not flock:
        monkeypatch.setattr(record_folder, "_flocked", lambda *_: False)
    record, fork = place / "rec", multiprocessing.get_context("fork")
    start = fork.Event()
    workers = [fork.Process(target=_append, args=(str(record), n, start)) for n in range(4)]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    after = Record.read(record)
    assert [entry.kind for entry in after.entries] == ["commitment", "draw"] + ["withdrawals"] * 5
    assert len(after.withdrawn) == 5
    assert names(place) == ["bundle", "r1", "rec"]


@pytest.mark.parametrize("after", range(12))
def test_a_round_cut_off_at_any_step_is_committed_or_not(place: Path, after: int) -> None:
    record = place / "rec"
    before = tree(record)
    _dies_or_ends(place, after)
    read = Record.read(record)
    if len(read.rounds) == 1:
        assert dict(read.files) == before
        write_tier(record, "auditor", place / "a.zip")
        assert verify(place / "a.zip").ok
        commit_round(place / "r1", record, keys=BOTH, time=LATER)
    assert len(Record.read(record).rounds) == 2
    assert verify(record).ok
    abort(record, reason="the next writer tidies up", keys=BOTH, time=LATER)
    assert set(names(place)) - {"a.zip"} == {"bundle", "r1", "rec"}


def _dies_or_ends(place: Path, after: int) -> None:
    process = multiprocessing.get_context("fork").Process(target=_killed, args=(place, after))
    process.start()
    process.join(60)
    assert process.exitcode in (0, -signal.SIGKILL)
    # Four files and their folder each, the entry's file, its claim, its folder: eleven steps, and then it ends by itself.
    assert (process.exitcode == 0) == (after >= 11)


def _killed(place: Path, after: int) -> None:
    count = 0
    real = {name: getattr(record_folder, name) for name in ("write_new", "claim", "flush_folder")}

    def deadly(name: str) -> object:
        def step(*args: object, **more: object) -> object:
            nonlocal count
            if count == after:
                if name == "write_new":  # cut off within the file
                    Path(str(args[0])).write_bytes(b'{"half')
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            return real[name](*args, **more)

        return step

    for name in real:
        setattr(record_folder, name, deadly(name))
    commit_round(place / "r1", place / "rec", keys=BOTH, time=LATER)


def test_what_a_crash_left_with_salts_in_it_is_taken_away(place: Path) -> None:
    left = place / ".rec.new.0123456789ab"
    (left / "sealed").mkdir(parents=True)
    (left / "sealed" / "people.json").write_bytes(b"salts")
    (place / ".rec.people.json.0123456789ab").write_bytes(b"salts")
    (place / ".rec.receipts.0123456789ab").mkdir()
    os.utime(place / ".rec.receipts.0123456789ab", (1, 1))
    others = [
        place / ".rec.receipts.ba9876543210",
        place / ".rec2.new.0123456789ab",
        place / ".rec.new.txt",
        place / ".rec.lock",
    ]
    for other in others:
        other.write_bytes(b"not ours")
    abort(place / "rec", reason="x", keys=BOTH, time=LATER)
    assert names(place) == sorted(["bundle", "r1", "rec", *(other.name for other in others)])


def test_a_new_record_takes_away_what_an_earlier_attempt_left(made: Path, tmp_path: Path) -> None:
    (tmp_path / ".rec.new.0123456789ab" / "sealed").mkdir(parents=True)
    write_record(tmp_path / "rec", scan_record(made / "rec")[0])
    assert names(tmp_path) == ["rec"]


def test_only_the_files_of_a_round_above_all_committed_ones_are_passed_over(made: Path) -> None:
    files = scan_record(made / "rec")[0]
    assert settled(files) == files
    assert settled({**files, "auditor/pool-1.json": b""}) == files
    broken = {**files, "public/entry-0001.json": b"[]", "auditor/pool-1.json": b""}
    assert settled(broken) == broken


# ---- signatures ----
def test_signatures_made_at_once_are_all_kept(made: Path, tmp_path: Path) -> None:
    record = tmp_path / "rec"
    committed(record, made / "bundle", signed_by=())
    before = Record.read(record, unsigned=True)
    name, entry = entry_name(1), before.entries[0]
    sign(record, [ORGANISER])
    rewrite(record, name, entry.signed([GUARANTOR]).data)  # from what was read before the organiser signed
    assert (record / name).read_bytes() == entry.signed(BOTH).data
    assert Record.read(record).unsigned == 0


def test_a_signature_comes_over_no_other_payload_and_under_no_later_entry(place: Path) -> None:
    record, before = place / "rec", tree(place)
    first, second = Record.read(record).entries[:2]
    with pytest.raises(BundleError, match="changed by somebody else"):
        rewrite(record, entry_name(1), second.data)
    (record / entry_name(1)).write_bytes(type(first)(first.payload).data)
    with pytest.raises(BundleError, match="an entry follows"):
        rewrite(record, entry_name(1), first.data)
    (record / entry_name(1)).write_bytes(first.data)
    assert tree(place) == before


def test_a_salt_that_was_destroyed_meanwhile_does_not_come_back(place: Path) -> None:
    record, name = place / "rec", "sealed/people.json"
    abort(record, reason="x", keys=BOTH, time=LATER)
    old = json.loads((record / name).read_bytes())
    forget(record, ["Person-003"])
    gone = next(
        i for i, person in enumerate(json.loads((record / name).read_bytes())["people"]) if not person
    )
    other = (gone + 1) % len(old["people"])
    old["people"][other] = []
    rewrite(record, name, canonical(old))
    people = json.loads((record / name).read_bytes())["people"]
    assert [i for i, person in enumerate(people) if not person] == sorted([gone, other])
    assert verify(record).ok
    assert (record / name).stat().st_mode & 0o077 == 0


# ---- the lock ----
@pytest.mark.parametrize("flock", [True, False])
def test_a_writer_waits_and_then_says_why(place: Path, monkeypatch: pytest.MonkeyPatch, flock: bool) -> None:
    if not flock:
        monkeypatch.setattr(record_folder, "_flocked", lambda *_: False)
    monkeypatch.setattr(record_folder, "WAIT", 0.05)
    record, before = place / "rec", tree(place / "rec")
    with locked(record), pytest.raises(BundleError, match="another command is writing") as error:
        abort(record, reason="x", keys=BOTH, time=LATER)
    assert (".rec.lock" in error.value.message) != flock
    assert tree(record) == before
    abort(record, reason="x", keys=BOTH, time=LATER)
    assert names(place) == ["bundle", "r1", "rec"]


def test_a_record_has_one_lock_and_one_place_by_all_its_names(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_folder, "WAIT", 0.05)
    link = place / "link"
    link.symlink_to("rec")
    with locked(place / "rec"), pytest.raises(BundleError, match="another command"):
        abort(link, reason="x", keys=BOTH, time=LATER)
    commit_round(place / "r1", link, keys=BOTH, time=LATER)
    assert link.is_symlink()
    assert len(Record.read(place / "rec").rounds) == 2
    assert names(place) == ["bundle", "link", "r1", "rec"]


def test_files_of_the_auditor_are_for_their_owner_alone(place: Path) -> None:
    old = os.umask(0o022)
    try:
        commit_round(place / "r1", place / "rec", keys=BOTH, time=LATER)
    finally:
        os.umask(old)
    for path in (place / "rec" / "auditor").glob("*-1.json"):
        assert path.stat().st_mode & 0o077 == 0
    assert len(list((place / "rec" / "auditor").glob("*-1.json"))) == 4


def test_nothing_is_added_to_a_record_that_has_grown_strays(place: Path) -> None:
    files = Record.read(place / "rec").files
    (place / "rec" / "notes.txt").write_text("x")
    with pytest.raises(BundleError, match="somebody else"):
        add_files(place / "rec", files, {entry_name(4): b"{}"})
    assert not (place / "rec" / entry_name(4)).exists()


# ---- places ----
def test_nothing_is_written_into_a_record(place: Path) -> None:
    record = place / "rec"
    before = tree(place)
    for step in (
        lambda: write_tier(record, "public", record / "public" / "all.zip"),
        lambda: write_tier(record, "public", record / "out"),
        lambda: write_receipts(record, record / "public" / "receipts"),
        lambda: write_receipts(record, record / "receipts2"),
        lambda: replace_round(record, record / "round1"),
    ):
        with pytest.raises(InputError, match="output-is-input"):
            step()
    assert tree(place) == before
    write_receipts(record, record / "receipts", ["Person-001"])
    assert verify(record).ok


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_nobody_waits_for_a_pipe(place: Path) -> None:
    from klero._files import read_file

    os.mkfifo(place / "pipe")
    assert not is_record(place / "pipe")
    with pytest.raises(BundleError, match="no plain file"):
        scan_record(place / "pipe")
    with pytest.raises(InputError, match="this is a pipe"):
        read_file(place / "pipe", 10)
    os.mkfifo(place / "rec" / "public" / "entry-0009.json")
    assert "no file of a record" in scan_record(place / "rec")[1]
    reading, writing = os.pipe()
    os.write(writing, b"from a program")
    os.close(writing)
    assert read_file(f"/dev/fd/{reading}", 100) == b"from a program"
    os.close(reading)


# ---- what is told ----
def test_no_step_is_dated_later_than_the_clock(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_module, "now", lambda: written(1771000000))
    before = tree(place)
    with pytest.raises(InputError, match="yet to come") as error:
        abort(place / "rec", reason="x", keys=BOTH, time=written(1771000001))
    assert error.value.faults[0].code == "time-order"
    assert tree(place) == before
    abort(place / "rec", reason="x", keys=BOTH, time=written(1771000000))


def test_what_was_looked_for_is_told_exactly(place: Path) -> None:
    record = place / "rec"
    assert "say, as whole words" in looked_for(Record.read(record))
    assert "40 of 40 people" in looked_for(Record.read(record))
    assert "Not looked for" not in looked_for(Record.read(record))
    leaf = next(iter(Record.read(record).withdrawn))
    person = next(p for p, i in Record.read(record).ids.items() if Record.read(record).leaves[i] == leaf)
    forget(record, [person])
    assert "39 of 40 people" in looked_for(Record.read(record))
    assert "Not looked for: 1 person" in looked_for(Record.read(record))


def test_a_forged_beacon_of_an_earlier_draw_is_named_while_signatures_are_missing(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    commit_round(place / "r1", place / "rec", keys=(ORGANISER,), time=LATER)
    read = Record.open(place / "rec")
    draw = read.draws[0]
    draw.document["body"]["reveals"] = [{"kind": "drand"}]
    monkeypatch.setattr(Record, "_beacon_good", lambda _self, entry, _reveal: asked.append(entry.sequence))
    with pytest.raises(BundleError, match="the beacon's own signature in entry 2 does not verify"):
        read.confirmed()
    assert asked == [2]


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("fails", range(4))
def test_half_a_pair_of_keys_is_never_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, force: bool, fails: int
) -> None:
    path = tmp_path / "town.key"
    if force:
        keys.keygen(path, "The town")
    before, count = tree(tmp_path), 0
    write, replace = keys.write_new, Path.replace

    def step() -> None:
        nonlocal count
        count += 1
        if count == fails + 1:
            raise OSError(28, "No space left on device")

    def writing(target: Path, data: bytes, *, secret: bool = False) -> None:
        if ".old." not in target.name:
            step()
        write(target, data, secret=secret)

    def replacing(self: Path, target: Path) -> Path:
        if ".new." in self.name:
            step()
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(keys, "write_new", writing)
        patched.setattr(Path, "replace", replacing)
        with pytest.raises(OSError, match="No space"):
            keys.keygen(path, "The town hall", force=force)
    assert tree(tmp_path) == before
    made = keys.keygen(path, "The town hall", force=force)
    assert keys.read_secret_key(path).public == keys.read_public_key(tmp_path / "town.pub") == made
    assert path.stat().st_mode & 0o077 == 0
    assert names(tmp_path) == ["town.key", "town.pub"]


def test_short_numbers_that_are_not_looked_for_are_told(tmp_path: Path) -> None:
    rows = [{**row, "id": str(i + 1)} for i, row in enumerate(people())]
    said = {str(i + 1): bytes([i]) * 32 for i in range(40)}
    committed(tmp_path / "rec", bundle(tmp_path / "b", rows), salts=said, title="Panel 7")
    record = Record.read(tmp_path / "rec")
    assert leaks(record) == []
    assert "40 numbers of fewer than 5 digits in identities" in looked_for(record)


def test_a_step_that_comes_while_a_round_is_written_is_kept_or_refused(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, write = place / "rec", record_folder.write_new
    leaf, done = Record.read(record).panel[0], list[str]()

    def other() -> None:
        try:
            withdraw(record, leaves=[leaf], reason="declined", keys=BOTH, time=LATER)
            done.append("signed")
        except BundleError as error:
            done.append(error.message)

    thread = threading.Thread(target=other)

    def slow(path: Path, data: bytes, *, secret: bool = False) -> None:
        write(path, data, secret=secret)
        if not thread.ident:
            thread.start()
            thread.join(0.7)  # unless it waits, it is through by then

    monkeypatch.setattr(record_folder, "write_new", slow)
    commit_round(place / "r1", record, keys=BOTH, time=LATER)
    thread.join(60)
    after = Record.read(record)
    assert len(after.rounds) == 2
    assert len(done) == 1
    assert (done[0] == "signed") == (leaf in after.withdrawn)
    assert done[0] == "signed" or "somebody else" in done[0]
