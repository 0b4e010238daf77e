"""The log of review: what may follow what, and whole appends."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns_review_cases import DIGEST, LATER, TIME, decided, document, reopened, write_results
from campaigns_review_logs import ADA, BOB, codes, lines_of, plain_hash, small
from klero import _native
from klero.campaigns.results_file import read_results
from klero.campaigns.review import DECISIONS, Act, Admission, Decision, Opening, Reopening
from klero.campaigns.review_file import append_review, read_review, verify_review
from klero.errors import InputError, LogError
from klero.ledger import log_file
from klero.ledger.keys import keygen


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return write_results(tmp_path / "campaigns")


def test_decisions_history_and_keys_are_what_was_logged(tmp_path: Path, results: Path) -> None:
    written = small(tmp_path / "log", results)
    read = read_review(tmp_path / "log")
    assert read == written
    assert {name: state.decision for name, state in read.states.items()} == {"C1": "one-source", "C2": ""}
    assert [entry.kind for entry in read.entries] == [
        "opening",
        "decision",
        "admission",
        "reopening",
        "decision",
    ]
    assert [entry.kind for entry in read.state("C1").history] == ["decision", "reopening", "decision"]
    assert [read.keys[entry.keyid][1] for entry in read.state("C1").history] == [
        "Ada Diallo",
        "Ada Diallo",
        "Bob",
    ]
    assert read.counts() == dict.fromkeys((*DECISIONS, "open"), 0) | {"one-source": 1, "open": 1}
    assert (read.state("C1").state, read.state("C2").state) == ("decided", "open")
    current = read.state("C1").current
    assert current is not None and current.act == Decision(
        group="C1",
        decision="one-source",
        reason="Les signataires disent\nne rien avoir signé.",
        reviewer="Bob",
    )


def test_log_says_which_results_it_is_about(tmp_path: Path, results: Path) -> None:
    log = small(tmp_path / "log", results)
    file = results / "campaigns.json"
    assert log.opening == Opening(
        digest=DIGEST,
        sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        groups=("C1", "C2"),
        key=ADA.public.key,
        name="Ada Diallo",
    )


def test_file_is_a_chain_of_signed_lines_that_the_standard_library_can_check(
    tmp_path: Path, results: Path
) -> None:
    head = small(tmp_path / "log", results).head
    lines = lines_of(tmp_path / "log")
    label, kind = "klero/review/v1", b"application/vnd.klero.review+json"
    keys = {hashlib.sha256(bytes.fromhex(k.public.key)).hexdigest(): k.public.key for k in (ADA, BOB)}
    for number, line in enumerate(lines, start=1):
        one = json.loads(line)
        entry = json.dumps(one["entry"], ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        assert one["entry"]["sequence"] == number
        envelope = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(entry), entry)
        assert _native.ed25519_verify(
            bytes.fromhex(keys[one["keyid"]]), envelope, bytes.fromhex(one["signature"])
        )
    for before, line in pairwise(lines):
        assert json.loads(line)["entry"]["previous"] == plain_hash(label, before)
    assert head == plain_hash(label, lines[-1])


def test_same_acts_at_the_same_time_give_the_same_bytes(tmp_path: Path, results: Path) -> None:
    small(tmp_path / "one", results)
    small(tmp_path / "two", results)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_append_keeps_every_earlier_byte(tmp_path: Path, results: Path) -> None:
    small(tmp_path / "log", results)
    before = (tmp_path / "log").read_bytes()
    append_review(tmp_path / "log", [decided("C2", "independent")], key=BOB, results=results, time=LATER)
    after = (tmp_path / "log").read_bytes()
    assert after.startswith(before)
    assert len(after) > len(before)


def test_log_holds_no_text_no_author_and_no_id_of_a_contribution(tmp_path: Path, results: Path) -> None:
    small(tmp_path / "log", results)
    data = (tmp_path / "log").read_text(encoding="utf-8")
    strings: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)
        elif isinstance(value, str):
            strings.append(value)

    for line in data.splitlines():
        walk(json.loads(line))
    members = {member for group in document()["groups"] for member in group["members"]}
    assert members & set(strings) == set()
    for word in ("ligne douze", "piscine", "Paul Roche", "Ines Morel"):
        assert word not in data


def test_a_log_without_decisions_can_be_opened(tmp_path: Path, results: Path) -> None:
    log = append_review(tmp_path / "log", [], key=ADA, results=results, time=TIME)
    assert len(log) == 1
    assert read_review(tmp_path / "log") == log
    assert log.counts()["open"] == 2


def test_time_is_the_clock_s_unless_given(tmp_path: Path, results: Path) -> None:
    log = append_review(tmp_path / "log", [], key=ADA, results=results)
    assert log.entries[0].time > "2026-01-01T00:00:00Z"


def test_texts_are_kept_as_given_but_for_their_unicode_form(tmp_path: Path, results: Path) -> None:
    log = append_review(
        tmp_path / "log",
        [decided(reason="  Décidé\r\nà Nice  ", reviewer=" Zoe\u0301 ")],
        key=ADA,
        results=results,
        time=TIME,
    )
    act = log.entries[1].act
    assert isinstance(act, Decision)
    assert (act.reason, act.reviewer) == ("Décidé\nà Nice", "Zoé")


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([decided("C9")], ["campaign-group-unknown"]),
        ([reopened("C9")], ["campaign-group-unknown"]),
        ([decided("C1")], ["review-decided"]),
        ([reopened("C2")], ["review-not-decided"]),
        ([decided("C2"), decided("C2", "independent")], ["review-decided"]),
        ([decided("C2", "fraud")], ["review-decision"]),
        ([decided("C2", reason="")], ["review-text"]),
        ([decided("C2", reason=" \n ")], ["review-text"]),
        ([decided("C2", reason="x" * 2001)], ["review-text"]),
        ([decided("C2", reason="a\x1b[2Jb")], ["review-text"]),
        ([decided("C2", reason="a\u202eb")], ["review-text"]),
        ([decided("C2", reviewer="")], ["review-text"]),
        ([decided("C2", reviewer="A\nB")], ["review-text"]),
        ([decided("C2", role="x" * 201)], ["review-text"]),
        ([decided("C2", "fraud", reason="", reviewer="")], ["review-decision", "review-text", "review-text"]),
        ([decided("C9"), reopened("C2")], ["campaign-group-unknown", "review-not-decided"]),
        ([Admission(key=ADA.public.key, name="again")], ["review-key-known"]),
        ([Admission(key="zz", name="")], ["key-invalid"]),
        ([Admission(key="00" * 32, name="")], ["key-invalid"]),
        ([Opening(digest="d", sha256="0" * 64, groups=(), key=ADA.public.key)], ["log-order"]),
    ],
)
def test_what_is_not_allowed_is_told_whole_and_leaves_the_log_as_it_was(
    tmp_path: Path, results: Path, acts: list[Act], expected: list[str]
) -> None:
    append_review(tmp_path / "log", [decided()], key=ADA, results=results, time=TIME)
    before = (tmp_path / "log").read_bytes()
    with pytest.raises(InputError) as caught:
        append_review(tmp_path / "log", acts, key=ADA, results=results, time=LATER)
    assert codes(caught) == expected
    assert (tmp_path / "log").read_bytes() == before


def test_one_bad_decision_among_good_ones_writes_none(tmp_path: Path, results: Path) -> None:
    with pytest.raises(InputError):
        append_review(tmp_path / "log", [decided("C1"), decided("C3")], key=ADA, results=results, time=TIME)
    assert not (tmp_path / "log").exists()


def test_a_key_that_nobody_admitted_may_not_sign(tmp_path: Path, results: Path) -> None:
    append_review(tmp_path / "log", [decided()], key=ADA, results=results, time=TIME)
    with pytest.raises(InputError) as caught:
        append_review(tmp_path / "log", [decided("C2")], key=BOB, results=results, time=TIME)
    assert codes(caught) == ["key-unknown"]
    assert "klero review admit" in str(caught.value)
    append_review(tmp_path / "log", [Admission(key=BOB.public.key)], key=ADA, time=TIME)
    assert len(append_review(tmp_path / "log", [decided("C2")], key=BOB, results=results, time=TIME)) == 4


def test_nobody_admits_themselves(tmp_path: Path, results: Path) -> None:
    append_review(tmp_path / "log", [], key=ADA, results=results, time=TIME)
    with pytest.raises(InputError) as caught:
        append_review(tmp_path / "log", [Admission(key=BOB.public.key)], key=BOB, time=TIME)
    assert codes(caught) == ["key-unknown"]


@pytest.mark.parametrize(
    ("time", "code"),
    [
        ("2026-05-04T08:59:59Z", "time-order"),
        ("2026-05-04", "time-invalid"),
        ("2026-05-04T10:00:00+02:00", "time-invalid"),
        ("2026-02-30T10:00:00Z", "time-invalid"),
    ],
)
def test_times_are_moments_in_utc_and_never_go_back(
    tmp_path: Path, results: Path, time: str, code: str
) -> None:
    append_review(tmp_path / "log", [decided()], key=ADA, results=results, time=TIME)
    with pytest.raises(InputError) as caught:
        append_review(tmp_path / "log", [decided("C2")], key=ADA, results=results, time=time)
    assert codes(caught) == [code]


def test_a_decision_needs_the_results_that_were_looked_at(tmp_path: Path, results: Path) -> None:
    append_review(tmp_path / "log", [decided()], key=ADA, results=results, time=TIME)
    with pytest.raises(InputError) as caught:
        append_review(tmp_path / "log", [decided("C2")], key=ADA, time=TIME)
    assert codes(caught) == ["review-results"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"digest": "77" * 32}, "another input or other settings"),
        ({"raw": 7}, "of the same input and settings"),
    ],
)
def test_other_results_are_refused_and_the_message_says_what_differs(
    tmp_path: Path, results: Path, change: dict[str, Any], words: str
) -> None:
    append_review(tmp_path / "log", [decided()], key=ADA, results=results, time=TIME)
    other = write_results(tmp_path / "other", **change)
    for acts in ([decided("C2")], [reopened()]):
        with pytest.raises(InputError) as caught:
            append_review(tmp_path / "log", acts, key=ADA, results=other, time=TIME)
        assert codes(caught) == ["review-results"]
        assert words in str(caught.value)
    check = {c.name: c for c in verify_review(tmp_path / "log", results=other)}["results"]
    assert check.bad
    assert words in check.detail


def test_a_new_log_needs_results_and_a_folder(tmp_path: Path, results: Path) -> None:
    with pytest.raises(LogError, match="a new one is opened on results"):
        append_review(tmp_path / "log", [reopened()], key=ADA, time=TIME)
    with pytest.raises(LogError, match="does not exist"):
        append_review(tmp_path / "nowhere" / "log", [decided()], key=ADA, results=results, time=TIME)
    with pytest.raises(LogError, match="is a folder"):
        append_review(results, [decided()], key=ADA, results=results, time=TIME)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["campaigns", "contributions.csv"]


# ── crashes and neighbours ───────────────────────────────────────────────────────────────────────


def test_an_interrupted_append_leaves_the_old_log_whole(
    tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(tmp_path / "log", results)
    before = (tmp_path / "log").read_bytes()

    def interrupted(path: Path, data: bytes) -> None:
        path.write_bytes(data[: len(data) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(log_file, "write_new", interrupted)
    with pytest.raises(KeyboardInterrupt):
        append_review(tmp_path / "log", [decided("C2")], key=ADA, results=results, time=LATER)
    assert (tmp_path / "log").read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["campaigns", "contributions.csv", "log"]


def test_who_reads_while_a_line_is_added_reads_the_old_log_whole(tmp_path: Path, results: Path) -> None:
    small(tmp_path / "log", results)
    before = (tmp_path / "log").read_bytes()
    with (tmp_path / "log").open("rb") as stream:
        append_review(tmp_path / "log", [decided("C2")], key=ADA, results=results, time=LATER)
        assert stream.read() == before
    assert len((tmp_path / "log").read_bytes()) > len(before)


_ADDER = """
import sys
from klero.campaigns.review import Decision
from klero.campaigns.review_file import append_review
from klero.errors import InputError
from klero.ledger.keys import read_secret_key
folder, names = sys.argv[1], sys.argv[2:]
lost = 0
for name in names:
    act = Decision(group=name, decision="undecided", reason="r", reviewer="R")
    try:
        append_review(folder + "/log", [act], key=read_secret_key(folder + "/a.key"), results=folder + "/campaigns")
    except InputError as error:
        lost += [f.code for f in error.faults] == ["review-decided"]
print(lost)
"""


def test_adds_at_the_same_time_lose_no_decision_and_none_is_taken_twice(tmp_path: Path) -> None:
    blank = {"members": [], "raw": 0, "channels": []}
    names = [f"C{i}" for i in range(1, 22)]
    write_results(tmp_path / "campaigns", groups=[{"name": name, **blank} for name in names])
    keygen(tmp_path / "a.key", "A")
    shared, own = names[0], names[1:]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", _ADDER, str(tmp_path), *own[i::4], shared],
            stdout=subprocess.PIPE,
            text=True,
        )
        for i in range(4)
    ]
    refused = [int(run.communicate(timeout=120)[0]) for run in runs]
    assert [run.returncode for run in runs] == [0] * 4
    log = read_review(tmp_path / "log")
    assert {state.decision for state in log.states.values()} == {"undecided"}
    assert len(log) == 1 + 21
    assert sum(refused) == 3  # all four decide on the shared group; one is first


# ── any sequence ─────────────────────────────────────────────────────────────────────────────────

GROUPS = ("C1", "C2")
step = st.one_of(
    st.tuples(st.just("decide"), st.sampled_from((*GROUPS, "C7")), st.sampled_from(DECISIONS)),
    st.tuples(st.just("reopen"), st.sampled_from((*GROUPS, "C7")), st.just("")),
)


@settings(max_examples=60, deadline=None)
@given(batches=st.lists(st.lists(step, min_size=1, max_size=3), max_size=8))
def test_any_sequence_of_adds_and_reopens_gives_the_state_of_a_plain_model(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[str, str, str]]]
) -> None:
    folder = tmp_path_factory.mktemp("model")
    results = write_results(folder / "campaigns")
    append_review(folder / "log", [], key=ADA, results=results, time=TIME)
    current: dict[str, str] = dict.fromkeys(GROUPS, "")
    history: dict[str, list[str]] = {name: [] for name in GROUPS}
    for batch in batches:
        after, told, allowed = dict(current), {name: list(h) for name, h in history.items()}, True
        for kind, group, decision in batch:
            # The model: a group is decided if it is open, reopened if it is decided.
            allowed &= group in after and (not after[group] if kind == "decide" else bool(after[group]))
            if group in after:
                after[group] = decision
                told[group].append(decision or "reopened")
        acts: list[Act] = [
            decided(group, decision) if kind == "decide" else reopened(group)
            for kind, group, decision in batch
        ]
        if allowed:
            append_review(folder / "log", acts, key=ADA, results=results, time=TIME)
            current, history = after, told
        else:
            with pytest.raises(InputError):
                append_review(folder / "log", acts, key=ADA, results=results, time=TIME)
        log = read_review(folder / "log")
        assert {name: state.decision for name, state in log.states.items()} == current
        for name, state in log.states.items():
            said = [e.act.decision if isinstance(e.act, Decision) else "reopened" for e in state.history]
            assert said == history[name]
            assert state.state == ("decided" if current[name] else "reopened" if history[name] else "open")
    assert verify_review(folder / "log", results=results, key=ADA.public).ok


# ── results and words ────────────────────────────────────────────────────────────────────────────


def test_results_are_read_from_the_folder_or_its_file(results: Path) -> None:
    one, two = read_results(results), read_results(results / "campaigns.json")
    assert one.sha256 == two.sha256
    assert [group.name for group in one.groups] == ["C1", "C2"]
    group = one.group("C1")
    assert (group.raw, group.members, group.for_review) == (3, ("a1", "a2", "a3"), True)
    assert [(c.name, c.p, c.why_not) for c in group.channels] == [
        ("template", 0.00002, ""),
        ("time", 0.004, ""),
        ("votes", None, "no-votes"),
    ]
    with pytest.raises(InputError) as caught:
        one.group("C9")
    assert codes(caught) == ["campaign-group-unknown"]
    assert "C1, C2" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"schema": "klero-campaigns/9"}, "klero-campaigns/9"),
        ({"groups": None}, "groups"),
        ({"groups": [7]}, "groups[0]"),
        ({"groups": [{"name": "C1", "members": [], "raw": 1.5, "channels": []}]}, "groups[0].raw"),
        ({"groups": [{"name": "", "members": [], "raw": 1, "channels": []}]}, "groups[0].name"),
        ({"groups": [{"name": "C1", "members": [{}], "raw": 1, "channels": []}]}, "groups[0].members"),
        (
            {"groups": [{"name": "C1", "members": [], "raw": 1, "channels": [{"name": "style", "p": 0.1}]}]},
            "groups[0].channels[0].name",
        ),
        (
            {"groups": [{"name": "C1", "members": [], "raw": 1, "channels": [{"name": "time", "p": 1.5}]}]},
            "groups[0].channels[0].p",
        ),
        (
            {"groups": [{"name": "C1", "members": [], "raw": 1, "channels": [], "n_eff": 3}]},
            "groups[0].n_eff",
        ),
        (
            {"groups": [{"name": "C1", "members": ["a"], "dependence": [], "raw": 1, "channels": []}]},
            "groups[0].dependence",
        ),
        ({"groups": [{"name": "C1", "members": [], "raw": 1, "channels": []}] * 2}, "different names"),
        ({"digest": 5}, "digest"),
        ({"q": "much"}, "q"),
    ],
)
def test_results_that_are_not_of_the_form_are_told_by_place(
    tmp_path: Path, change: dict[str, Any], where: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_results(write_results(tmp_path / "campaigns", **change))
    assert set(codes(caught)) == {"json-invalid"}
    assert where in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "nul", "\udcff"])
def test_results_that_are_no_json_are_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "campaigns.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError) as caught:
        read_results(tmp_path)
    assert codes(caught) == ["json-invalid"]


def test_history_is_told_in_english_and_french(tmp_path: Path, results: Path) -> None:
    log = small(tmp_path / "log", results)
    english, french = log.explain("C1"), log.explain("C1", lang="fr").replace("\u00a0", " ")
    assert english.splitlines()[0] == "C1: one source behind several contributions"
    assert "2026-05-04 09:00:00 UTC: C1 decided by Ada Diallo (participation officer)" in english
    assert french.splitlines()[0] == "C1 : une même source derrière plusieurs contributions"
    assert "05/05/2026 10:30:00 UTC : C1 rouvert par Ada Diallo" in french
    assert log.explain(lang="fr").splitlines()[0] == "1 groupe décidé, 1 groupe ouvert."
    whole = log.explain()
    assert whole.splitlines()[0] == "1 group decided, 1 group open."
    assert whole.splitlines()[-1] == "Open: C2"
    assert Reopening(group="C1", reason="A member writes to us.", reviewer="Ada Diallo") in [
        entry.act for entry in log.state("C1").history
    ]
