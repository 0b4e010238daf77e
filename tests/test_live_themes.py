"""`LiveThemes`: answers, names and links that last, files, threads, and mistakes in words."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import klero
from klero.errors import CODES, InputError
from klero.themes.live_consolidate import consolidate
from test_live_kernel import vectors

SAID = (
    "Plus de pistes cyclables en ville",
    "Des pistes cyclables sûres partout",
    "Il faut des pistes cyclables en ville",
    "Éteindre les lampadaires la nuit",
    "La nuit, éteindre les lampadaires",
    "Ouvrir la bibliothèque le dimanche",
    "Des pistes cyclables, enfin, en ville !",
    "La piste cyclable de la ville est dangereuse",
    "Éteindre l’éclairage la nuit",
    "Rien",
)


def clock() -> datetime:
    return datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def quiet(**options: Any) -> klero.LiveThemes:
    return klero.LiveThemes(background=False, clock=clock, **options)


def filled(n: int = 120, **options: Any) -> klero.LiveThemes:
    live = quiet(**options)
    live.add(vectors=vectors(n, 5, 32, 0.4, 7))
    return live


def codes(error: pytest.ExceptionInfo[InputError]) -> set[str]:
    return {fault.code for fault in error.value.faults}


def test_all_contributions_are_in_the_sum_also_those_without_words() -> None:
    live = quiet()
    placements = live.add([*SAID, "", None, " … "])
    snapshot = live.snapshot()
    assert [placement.kind for placement in placements[-3:]] == ["empty"] * 3
    assert snapshot.empty == ("11", "12", "13")
    assert sum(snapshot.counts.values()) == snapshot.contributions == 13 == len(live)
    assert sum(one.size for one in snapshot.all) == 10
    assert "3 without a word = 13 contributions." in snapshot.sum_words()
    quotes = {quote.id: quote.text for one in snapshot.all for quote in (*one.newest, one.medoid)}
    assert quotes.items() <= dict(zip(map(str, range(1, 11)), SAID, strict=True)).items()


def test_one_text_has_one_placement_and_several_have_as_many() -> None:
    live = quiet()
    assert live.add("Oui").theme == 1
    assert [one.id for one in live.add(["Non", "Peut-être"])] == ["2", "3"]
    row = np.ones(512, np.float32)
    assert [one.id for one in quiet().add(vectors=row)] == ["1"]


def test_an_array_in_the_place_of_texts_is_vectors() -> None:
    rows = vectors(40, 5, 32, 0.4, 7)
    one, other = quiet(), quiet()
    assert one.add(rows) == other.add(vectors=rows)
    assert one.add(rows[0]) == other.add(vectors=rows[0])


def test_a_batch_is_one_after_the_other_with_consolidations_in_the_middle() -> None:
    many, one = quiet(every=16), quiet(every=16)
    texts = [f"{text} {i % 7}" for i in range(6) for text in SAID]
    together = many.add(texts)
    assert together == tuple(one.add(text) for text in texts)
    assert many.snapshot() == one.snapshot()
    assert len(many.consolidations) > 3


def test_names_and_links_survive_consolidations_and_can_be_taken_back() -> None:
    live = filled()
    first, second, third = (one.id for one in live.snapshot().themes[:3])
    live.name(first, "Vélo")
    live.name(second, "Nuit")
    members = {theme: set(live.members(theme)) for theme in (first, second, third)}
    live.must_link(first, third)
    a, b = sorted(members[second])[:2]
    live.cannot_link(a, b)
    for _ in range(3):
        live.consolidate()
        labels = live.labels()
        names = {one.id: one.name for one in live.snapshot().all if one.name}
        assert names == {first: "Vélo", second: "Nuit"}
        assert {labels[one] for one in members[first] | members[third]} == {first}
        assert labels[a] != labels[b]
    assert [live.undo() for _ in range(5)] == [
        f"cannot_link: {a}, {b}",
        f"must_link: #{first}, #{third}",
        f"name: {second}: Nuit",
        f"name: {first}: Vélo",
        None,
    ]
    assert set(live.members(third)) == members[third]
    assert not [one for one in live.snapshot().all if one.name]


def test_merges_and_splits_are_events_with_sizes_and_ids_are_never_used_again() -> None:
    live = filled()
    first, second = (one.id for one in live.snapshot().themes[:2])
    sizes = [len(live.members(first)), len(live.members(second))]
    seen = {event.number for event in live.events}
    live.must_link(first, second)
    live.undo()
    new = [event for event in live.events if event.number not in seen]
    assert [event.kind for event in new] == ["must_link", "merge", "undo", "split"]
    assert sorted(new[1].before) == sorted([(first, sizes[0]), (second, sizes[1])])
    assert new[1].after == ((max(((sizes[0], -first), (sizes[1], -second)))[1] * -1, sum(sizes)),)
    assert sorted(new[3].after) == sorted([(first, sizes[0]), (second, sizes[1])])
    assert {event.time for event in new} == {"2026-03-01T09:30:00Z"}
    used = {number for event in live.events for number, _ in (*event.before, *event.after)}
    live.add(vectors=-vectors(1, 1, 32, 0.0, 99))
    assert max(one.id for one in live.snapshot().all) > max(used)


def test_what_contradicts_is_refused_with_what_it_contradicts() -> None:
    live = filled()
    first, second = (one.id for one in live.snapshot().themes[:2])
    a, b = live.members(first)[:2]
    live.must_link(a, b)
    live.cannot_link(first, second)
    before = (live.labels(), live.events)
    for act in (
        lambda: live.cannot_link(a, b),
        lambda: live.must_link(a, live.members(second)[0]),
        lambda: live.must_link(first, second),
        lambda: live.must_link(a, a),
        lambda: live.cannot_link(first, first),
    ):
        with pytest.raises(InputError, match="can't be linked") as error:
            act()
        assert codes(error) == {"live-contradiction"}
    with pytest.raises(InputError, match=f"«{a}, {b}»"):
        live.cannot_link(a, b)
    live.undo()
    before = (live.labels(), live.events)
    live.name(first, "Un")
    live.name(second, "Deux")
    with pytest.raises(InputError, match="names of their own"):
        live.must_link(first, second)
    for name in ("", "a\nb", "x" * 201, "Un"):
        with pytest.raises(InputError) as error:
            live.name(second, name)
        assert codes(error) == {"live-name"}
    for what in (lambda: live.name(9999, "x"), lambda: live.must_link("nobody", a), lambda: live.members(0)):
        with pytest.raises(InputError) as error:
            what()
        assert codes(error) == {"live-unknown"}
    assert live.labels() == before[0]


def test_a_contribution_can_be_said_not_to_belong_to_its_theme() -> None:
    live = filled()
    theme = live.snapshot().themes[0]
    one = live.members(theme.id)[3]
    live.cannot_link(one, theme.id)
    assert live.labels()[one] != theme.id
    live.consolidate()
    labels = live.labels()
    assert all(labels[other] != labels[one] for other in live.members(theme.id))


def test_saved_and_loaded_it_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    live = quiet(every=16)
    live.add([f"{text} {i}" for i in range(4) for text in SAID], authors=["x"] * 40)
    theme = live.snapshot().all[0].id
    live.name(theme, "Vélo")
    live.must_link("1", "3")
    live.save(tmp_path / "a.klero")
    again = klero.LiveThemes.load(tmp_path / "a.klero", background=False, clock=clock, every=16)
    assert again.snapshot() == live.snapshot()
    assert again.events == live.events
    later = [f"{text} {i}" for i in range(4, 8) for text in SAID]
    assert live.add(later) == again.add(later)
    assert live.snapshot() == again.snapshot()
    assert live.undo() == again.undo() == "must_link: 1, 3"
    live.save(tmp_path / "b.klero")
    again.save(tmp_path / "c.klero")
    assert (tmp_path / "b.klero").read_bytes() == (tmp_path / "c.klero").read_bytes()


def test_a_damaged_file_or_one_of_another_version_is_refused(tmp_path: Path) -> None:
    live = quiet()
    live.add(SAID)
    place = tmp_path / "a.klero"
    live.save(place)
    data = place.read_bytes()
    changes = {
        "live-file": [
            data[:-1],
            data + b"0",
            data[:200] + b"?" + data[201:],
            b"",
            b"{}\n",
            b"[1]\n",
            data.replace(b'"state":', b'"state_":', 1),
        ],
        "live-version": [
            data.replace(b"klero-live-file/1", b"klero-live-file/2", 1),
            data.replace(b"klero-live/1", b"klero-live/7", 1),
        ],
    }
    for code, many in changes.items():
        for changed in many:
            place.write_bytes(changed)
            with pytest.raises(InputError) as error:
                klero.LiveThemes.load(place)
            assert codes(error) == {code}, changed[:60]
    place.write_bytes(data)
    with pytest.raises(InputError, match="one embedder") as error:
        klero.LiveThemes.load(place, embedder=Letters())
    assert codes(error) == {"live-embedder"}
    with pytest.raises(InputError) as error:
        klero.LiveThemes.load(tmp_path / "none")
    assert codes(error) == {"file-missing"}


class Letters:
    """A small embedder: how often each letter is there."""

    name = "letters/1"

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([[text.lower().count(chr(97 + i)) for i in range(26)] for text in texts], np.float32)


def test_an_embedder_is_asked_for_vectors_and_named_in_the_result() -> None:
    live = quiet(embedder=Letters())
    live.add([*SAID, "???"])
    snapshot = live.snapshot()
    assert snapshot.embedder == "letters/1"
    assert snapshot.empty == ("11",)

    class Wrong(Letters):
        def embed(self, texts: Sequence[str]) -> np.ndarray:
            return np.ones((1, 3), np.float32)

    with pytest.raises(InputError, match="1 vectors for 2 texts"):
        quiet(embedder=Wrong()).add(["a", "b"])


def test_whatever_is_wrong_is_told_at_once_and_nothing_is_added() -> None:
    live = filled(20)
    before = live.snapshot()
    rows = vectors(3, 1, 32, 0.3, 1)
    bad = rows.copy()
    bad[0], bad[2, 4] = 0, np.inf
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"vectors": bad}, {"vectors-zero", "vectors-not-finite"}),
        ({"vectors": rows[:, :5]}, {"vectors-width"}),
        ({"vectors": np.ones((2, 2, 2))}, {"vectors-shape"}),
        ({"vectors": [["a"]]}, {"vectors-type"}),
        ({"vectors": rows, "ids": ["a", "a", "7"]}, {"id-duplicate", "id-known"}),
        ({"vectors": rows, "ids": ["a"]}, {"id-count"}),
        ({"vectors": rows, "ids": ["", "b\n", 1.5]}, {"id-empty", "id-control", "id-type"}),
        ({"vectors": rows, "times": ["now", "2026-01-01", None]}, {"time-invalid"}),
        ({"vectors": rows, "texts": ["a", 3, None]}, {"text-type"}),
        ({}, {"vectors-empty"}),
    ]
    for arguments, expected in cases:
        with pytest.raises(InputError) as error:
            live.add(**arguments)
        assert codes(error) == expected
        assert expected <= set(CODES)
        assert live.snapshot() == before
    live.close()
    with pytest.raises(InputError) as error:
        live.add("a")
    assert codes(error) == {"live-closed"}


def test_options_out_of_range_are_refused_together() -> None:
    with pytest.raises(InputError) as error:
        klero.LiveThemes(granularity="huge", every=1, seconds=0, budget_s=-1, micro_clusters=2.5)  # type: ignore[arg-type]
    assert len(error.value.faults) == 5


def test_times_are_told_in_utc() -> None:
    live = quiet()
    live.add(["a"], times=["2026-03-01T09:30:00+01:00"])
    live.add("b", times=datetime(2026, 1, 1, tzinfo=UTC))
    live.add("c")
    times = {one.medoid.id: one.medoid.time for one in live.snapshot().all}
    assert times == {"1": "2026-03-01T08:30:00Z", "2": "2026-01-01T00:00:00Z", "3": "2026-03-01T09:30:00Z"}


def test_threads_may_add_look_link_and_consolidate_at_the_same_time() -> None:
    rows = vectors(1200, 12, 24, 0.5, 5)
    live = klero.LiveThemes(every=64, seconds=0.1)
    failed: list[BaseException] = []

    def guarded(act: Any) -> threading.Thread:
        def run() -> None:
            try:
                act()
            except BaseException as error:  # told below
                failed.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def add(part: int) -> None:
        for i in range(part, 1200, 3):
            live.add(vectors=rows[i], ids=[f"v{i}"])

    def look() -> None:
        for _ in range(40):
            snapshot = live.snapshot()
            assert sum(snapshot.counts.values()) == snapshot.contributions
            assert len({one.id for one in snapshot.all}) == len(snapshot.all)

    def facilitate() -> None:
        for i in range(20):
            themes = live.snapshot(newest=1).all
            if themes:
                try:
                    live.name(themes[i % len(themes)].id, f"name {i}")
                except InputError as gone:  # another thread's consolidation has merged it since the snapshot
                    if [fault.code for fault in gone.faults] != ["live-unknown"]:
                        raise
                else:
                    live.undo()

    threads = [guarded(lambda part=part: add(part)) for part in range(3)] + [
        guarded(look),
        guarded(facilitate),
    ]
    for thread in threads:
        thread.join()
    consolidate(live)
    live.close()
    assert failed == []
    assert len(live) == 1200
    assert set(live.labels()) == {f"v{i}" for i in range(1200)}
    assert all(look.outcome in {"done", "stale"} for look in live.consolidations)
    assert sum(one.kind == "theme" for one in live.snapshot().all) >= 10


def test_out_of_time_nothing_changes_and_less_is_compared_the_next_time() -> None:
    live = quiet(every=10**6, budget_s=None)
    live.add(vectors=vectors(1500, 300, 64, 0.3, 2))
    live._budget = 0.0
    before = live.labels()
    look = live.consolidate()
    assert look.outcome == "out_of_time"
    assert live.labels() == before
    assert live._most_now == 2048
    live._budget = None
    assert live.consolidate().outcome == "done"


def test_explanations_tell_where_a_contribution_stands_in_both_languages() -> None:
    live = filled()
    theme = live.snapshot().themes[0]
    live.name(theme.id, "Vélo")
    one = live.explain(theme.medoid.id)
    assert f"#{theme.id} «Vélo»" in str(one)
    assert one.theme == theme.id
    assert one.similarity is not None
    french = live.explain(theme.medoid.id, "fr")
    assert "similarité moyenne" in str(french)
    assert "«Vélo»" in str(live.explain(theme.id))
    live.add("", ids=["empty"])
    assert "has no words" in str(live.explain("empty"))
    with pytest.raises(InputError):
        live.explain("nobody")


def test_a_snapshot_is_plain_data() -> None:
    live = quiet()
    live.add(SAID)
    data = json.loads(json.dumps(live.snapshot().to_dict()))
    assert data["schema"] == "klero-live-snapshot/1"
    assert data["contributions"] == 10


def test_what_can_t_be_compared_is_refused_and_nothing_is_added() -> None:
    said = quiet()
    said.add(SAID[0])
    given = filled(20)
    asked = quiet(embedder=_Ones(8))
    asked.add("a")
    asked._embedder = _Ones(16)
    cases: list[tuple[klero.LiveThemes, dict[str, Any], str]] = [
        (said, {"vectors": np.ones((1, 512), np.float32)}, "live-embedder"),
        (given, {"texts": ["Rien", "Oui"]}, "live-embedder"),
        (asked, {"texts": ["b"]}, "vectors-width"),
        (quiet(), {"texts": ["fine", "half \ud800"]}, "encoding-unreadable"),
        (quiet(), {"texts": ["fine"], "authors": ["\udc00"]}, "encoding-unreadable"),
        (quiet(), {"texts": ["fine"], "ids": ["\udc00"]}, "id-control"),
    ]
    for live, arguments, code in cases:
        before = live.snapshot()
        with pytest.raises(InputError) as error:
            live.add(**arguments)
        assert codes(error) == {code}
        assert live.snapshot() == before
    # One without words needs no vector: it is counted, and compared with nobody.
    assert [one.kind for one in given.add(["", None])] == ["empty", "empty"]
    assert given.embedder is None


class _Ones:
    name = "ones"

    def __init__(self, width: int) -> None:
        self.width = width

    def embed(self, texts: Sequence[str]) -> Any:
        return np.ones((len(texts), self.width), np.float32)


def test_two_threads_that_begin_with_vectors_of_two_widths_leave_one_of_them() -> None:
    live = quiet()
    native = live._check_fits

    def meanwhile(batch: Any) -> None:
        if not len(live):
            live._check_fits = native  # type: ignore[method-assign]
            live.add(vectors=np.ones((2, 6), np.float32))
        native(batch)

    live._check_fits = meanwhile  # type: ignore[method-assign]
    with pytest.raises(InputError) as error:
        live.add(vectors=np.ones((3, 4), np.float32))
    assert codes(error) == {"vectors-width"}
    assert sum(live.snapshot().counts.values()) == len(live) == 2


class _Interrupted:
    """The kernel, which takes vectors, and then Ctrl-C comes."""

    def __init__(self, native: Any) -> None:
        self.native = native

    def __getattr__(self, name: str) -> Any:
        return getattr(self.native, name)

    def __len__(self) -> int:
        return len(self.native)

    def add(self, rows: Any) -> Any:
        self.native.add(rows)
        raise KeyboardInterrupt


def test_ctrl_c_in_the_middle_of_adding_loses_nobody(tmp_path: Path) -> None:
    live = quiet()
    live.add(SAID[:4])
    native = live._native
    live._native = _Interrupted(native)  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        live.add([*SAID[4:7], ""])
    live._native = native
    assert len(live) == 8
    assert sum(live.snapshot().counts.values()) == 8
    live.save(tmp_path / "a.klero")
    assert klero.LiveThemes.load(tmp_path / "a.klero", background=False).labels() == live.labels()


def test_what_comes_while_a_file_is_written_does_not_spoil_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = quiet()
    live.add(SAID[:4])
    write = json.dumps

    def dumps(*arguments: Any, **options: Any) -> str:
        live.add(SAID[len(live) % 10])
        return write(*arguments, **options)

    monkeypatch.setattr(json, "dumps", dumps)
    live.save(tmp_path / "a.klero")
    monkeypatch.undo()
    assert len(live) > 4
    assert len(klero.LiveThemes.load(tmp_path / "a.klero")) == 4


def test_adding_and_consolidating_in_two_threads_don_t_wait_for_each_other_for_ever() -> None:
    live = quiet()
    live.add(SAID[:7])
    holds, goes = threading.Event(), threading.Event()
    once = klero.themes.live_consolidate._once

    def slowly(these: klero.LiveThemes) -> Any:
        if threading.current_thread().name == "other":
            holds.set()
            goes.wait(1)
        return once(these)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(klero.themes.live_consolidate, "_once", slowly)
        other = threading.Thread(target=live.consolidate, name="other", daemon=True)
        other.start()
        holds.wait(10)
        adding = threading.Thread(target=live.add, args=(SAID,), daemon=True)
        adding.start()
        adding.join(0.2)
        goes.set()
        for thread in (other, adding):
            thread.join(20)
            assert not thread.is_alive()
    assert len(live) == 17


def test_a_link_of_themes_is_not_told_of_contributions_with_the_same_numbers() -> None:
    live = quiet()
    live.add(["vélo ville", "vélo ville bus", "nuit lampe"])
    live.must_link(1, live.labels()["3"] or 0)
    assert "facilitator" not in str(live.explain("1"))
    assert live.events[0].text == "#1, #3"
    live.must_link("1", "2")
    assert "The facilitator has linked it: 1, 2." in str(live.explain("1"))
    assert "facilitator" not in str(live.explain("3"))


def test_a_name_that_can_t_come_back_does_not_stand_in_the_way_of_what_was_before(tmp_path: Path) -> None:
    live = quiet()
    live.add(["vélo"] * 3 + ["nuit lampe"] * 2)
    assert [one.size for one in live.snapshot().all] == [3, 2]
    first, second = live.labels()["1"] or 0, live.labels()["4"] or 0
    live.cannot_link("1", "4")
    live.undo()
    live.name(second, "A")
    live.name(second, None)
    # The theme goes into another; taking the link of before back does not bring it again.
    live.must_link(first, second)
    live._acts = [act for act in live._acts if act.kind == "name"]
    assert live.undo() is None
    with pytest.raises(InputError) as error:
        live.name(first, "a\u202eb")
    assert codes(error) == {"live-name"}


def test_keywords_are_those_of_the_themes_as_they_are_now() -> None:
    live = quiet()
    live.add(["vélo ville"] * 5 + ["nuit lampe"] * 5)
    assert len(live.snapshot().all) == 2
    live.must_link(*(one.id for one in live.snapshot().all))
    assert "nuit" in " ".join(live.snapshot().all[0].keywords)
    assert "vélo" in " ".join(live.snapshot().all[0].keywords)


def test_the_sum_is_in_good_english_and_french_for_one_too() -> None:
    live = quiet()
    live.add("Oui")
    sums = [live.snapshot().sum_words(lang).replace("\u00a0", " ") for lang in ("en", "fr")]
    assert sums == [
        "0 in themes + 0 in weak signals + 1 lone voice + 0 without a word = 1 contribution.",
        "0 dans des thèmes + 0 dans des signaux faibles + 1 voix isolée + 0 sans aucun mot = 1 contribution.",
    ]
