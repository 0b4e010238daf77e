"""Does what somebody says right now belong to a theme, or is it new?

Themes that grow while a workshop or a consultation runs. `add` answers at once: a theme, or something new. Every few seconds, or every some
contributions, all is looked at
together in the background (a *consolidation*), and themes keep their ids and names through that. A facilitator names themes and says what belongs
together and what does not; that holds
whatever comes, and can be taken back.

Method: leader clustering with a limit of each theme's own, on exact sums of rounded vectors, and average linkage of what came
(`rust/core/src/vectors/live`). A theme has five contributions or
more, a weak signal two to four, a lone voice is alone: all are shown, none is dropped, and the sum is told.
Guaranteed: every contribution is in one theme, weak signal or lone voice, or has no words; ids are never given to another; names and links hold; an
error changes nothing; several threads may
use one object. With `background=False` all is a function of the sequence of calls, on any platform, and adding many at once is adding one after the
other. In the background, consolidations
take effect when they are ready, so the answers in between depend on the machine's speed.
Not guaranteed: that a first answer stands, as the first hundred contributions say little of what themes there are; or that what vectors call alike
is meant alike.

Cost: about 35 µs a vector at 1,000 themes × 384, 23 µs in batches. Memory: two bytes a number, so 0.8 kB a contribution of 384, and its text. At most 1,048,576
contributions. No randomness.

>>> live = LiveThemes(background=False)
>>> said = ["Plus de pistes cyclables", "Des pistes cyclables partout", "La nuit, éteindre les lampadaires", "plus de pistes cyclables !"]
>>> [placement.theme for placement in live.add(said)]
[1, 2, 3, 1]
>>> live.name(1, "Vélo")
>>> live.must_link(1, 2)
>>> snapshot = live.snapshot()
>>> [(one.name, one.kind, one.size) for one in snapshot.all]
[('Vélo', 'weak_signal', 3), (None, 'lone_voice', 1)]
>>> print(snapshot.sum_words())
0 in themes + 3 in weak signals + 1 lone voice + 0 without a word = 4 contributions.
"""

from __future__ import annotations

import os
import threading
import time as clocks
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias, cast, overload

import numpy as np

from klero import _native
from klero.errors import Fault, InputError
from klero.themes import live_consolidate, live_facilitate, live_view
from klero.themes.live_batch import MOST, Batch, cut, listed, nowhere, placement, unfit
from klero.themes.live_input import (
    LiveEmbedder,
    Matrix,
    Text,
    Time,
    counted,
    granularity_of,
    id_of,
    raised,
    read_authors,
    read_rows,
    read_texts_of,
    read_times,
    unfit_width,
)
from klero.themes.live_parts import (
    Consolidation,
    LiveEvent,
    LiveExplanation,
    Placement,
    Snapshot,
)
from klero.themes.live_words import HashedWords

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from klero.voices.ids import Id

__all__ = ["LiveThemes"]

Sizes: TypeAlias = Sequence[tuple[int, int]]
FIRST = 8  # contributions before the first consolidation; then they come at every doubling, until `every`


class LiveThemes:
    """Themes that grow as contributions come.

    Args:
        embedder: what makes vectors of texts, with a method `embed(texts)`; None: hashed words, which need no model and learn as they go which words
        are rare.
        granularity: «coarse», «medium», «fine», or a number between 0 and 1.
        every: contributions after which everything is looked at together (at first after 8, 16, 32, …).
        seconds: or after so long, if anything came; in the background only.
        budget_s: how long a consolidation may take; None: any time.
        micro_clusters: different contributions that are compared with each other in a consolidation; of more, the most alike of the largest themes
        are put together first.
        background: whether consolidations run in a thread of their own.
        clock: what time it is, for tests; None: the computer's.

    Raises:
        InputError: with every option that can't be followed.
    """

    def __init__(
        self,
        embedder: LiveEmbedder | None = None,
        *,
        granularity: str | float = "medium",
        every: int = 256,
        seconds: float = 5.0,
        budget_s: float | None = 2.0,
        micro_clusters: int = 4096,
        background: bool = True,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        faults: list[Fault] = []
        self._granularity = granularity_of(granularity, faults)
        for name, value, least, most in (
            ("every", every, FIRST, 10**6),
            ("micro_clusters", micro_clusters, 64, 8192),
            ("seconds", seconds, 0.05, 86400),
            *((("budget_s", budget_s, 0.01, 3600),) if budget_s is not None else ()),
        ):
            whole = name in {"every", "micro_clusters"}
            if (
                isinstance(value, bool)
                or not isinstance(value, int if whole else int | float)
                or not least <= value <= most
            ):
                kind = "a whole number" if whole else "a number"
                faults.append(
                    Fault("option-range", f"{name} is {value!r}; it is {kind} from {least} to {most}.", "")
                )
        raised(faults)
        self._lock = threading.RLock()
        self._wake = threading.Condition(self._lock)
        self._embedder = embedder
        self._words = HashedWords() if embedder is None else None
        self._given = False  # whether vectors were given: then texts are not embedded anew
        self._native: _native.LiveGroups | None = None
        self._every, self._seconds, self._budget = every, seconds, budget_s
        self._most = self._most_now = micro_clusters
        self._clock = clock or (lambda: datetime.now(UTC))
        self._ids: list[str] = []
        self._places: dict[str, int] = {}
        self._texts: list[Text] = []
        self._times: list[str] = []
        self._authors: list[str | None] = []
        self._at: list[int] = []  # the kernel's number of each contribution; -1 for one without words
        self._who: list[int] = []  # the contribution of each of the kernel's numbers
        self._names: dict[int, str] = {}
        self._acts: list[live_facilitate.Act] = []
        self._events: list[LiveEvent] = []
        self._consolidations: list[Consolidation] = []
        self._rounds = 0
        self._due = FIRST
        self._looked = 0  # contributions of the last consolidation
        self._at_last = clocks.monotonic()
        self._medoids: dict[int, tuple[int, int]] = {}
        self._keywords: live_view.KnownKeywords = ((-1, -1, -1), {})
        self._failure: BaseException | None = None
        self._closed = False
        self._thread: threading.Thread | None = None
        self._background = background
        self._busy = (
            threading.RLock()
        )  # one consolidation at a time; taken before the other lock, never after it

    def __repr__(self) -> str:
        return f"<LiveThemes: {len(self):,} contributions, {len(self._events):,} events>"

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: object) -> bool:  # noqa: A002 (the word of the field)
        return str(id) in self._places

    def __enter__(self) -> LiveThemes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def embedder(self) -> str | None:
        """What makes vectors of texts: its name, or its class's."""
        if self._words is not None:
            return self._words.name if self._words.used and not self._given else None
        return str(getattr(self._embedder, "name", None) or type(self._embedder).__name__)

    @property
    def events(self) -> tuple[LiveEvent, ...]:
        """What happened to themes, the first first."""
        with self._lock:
            return tuple(self._events)

    @property
    def consolidations(self) -> tuple[Consolidation, ...]:
        """What each look at everything together did; the latest 1,000."""
        with self._lock:
            return tuple(self._consolidations)

    @overload
    def add(  # type: ignore[overload-overlap] # a str is a sequence of str to the checker
        self,
        texts: str,
        vectors: object = None,
        ids: Id | None = None,
        times: Time = None,
        authors: str | None = None,
    ) -> Placement: ...
    @overload
    def add(
        self,
        texts: Sequence[Text] | NDArray[np.generic] | None = None,
        vectors: object = None,
        ids: Sequence[Id] | None = None,
        times: Sequence[Time] | Time = None,
        authors: Sequence[str | None] | None = None,
    ) -> tuple[Placement, ...]: ...
    def add(
        self,
        texts: str | Sequence[Text] | NDArray[np.generic] | None = None,
        vectors: object = None,
        ids: Sequence[Id] | Id | None = None,
        times: Sequence[Time] | Time = None,
        authors: Sequence[str | None] | str | None = None,
    ) -> Placement | tuple[Placement, ...]:
        """Add contributions, all of them or, if anything is wrong, none; each is answered at once.

        Args:
            texts: one text, or several; None in their place for one without words. An array of numbers here is taken for `vectors`.
            vectors: one vector, or a row for each; with them texts are not embedded, only quoted.
            ids: one for each; None: their number, from 1.
            times: when they were said, for each or for all; None: now.
            authors: who said it, for each; told in quotes, used for nothing else.

        Returns:
            A placement for one text; a tuple for several, and for vectors.

        Raises:
            InputError: with everything that can't be used.
        """
        if vectors is None and isinstance(texts, np.ndarray) and texts.dtype.kind in "fiu":
            texts, vectors = None, texts  # numbers in the place of texts are vectors
        faults: list[Fault] = []
        told, alone = read_texts_of(cast("str | Sequence[Text] | None", texts), faults)
        rows, single = read_rows(vectors, None if self._native is None else self._native.dimension, faults)
        raised(faults)
        count = len(told) if told is not None else 0 if rows is None else len(rows)
        if told is None and rows is None:
            raised(
                [
                    Fault(
                        "vectors-empty",
                        "neither texts nor vectors were given; give one of them, or both.",
                        "",
                    )
                ]
            )
        if rows is not None:
            counted(len(rows), count, "vectors", faults)
        who = listed(ids, alone or single)
        said_by = listed(authors, alone or single)
        counted(None if who is None else len(who), count, "ids", faults)
        moments = read_times(times, count, self._clock(), faults)
        named = read_authors(said_by, count, faults)
        raised(faults)
        batch = Batch(told if told is not None else [None] * count, rows, moments, named)
        placements = self._add(batch, who)
        return placements[0] if alone else placements

    def _add(self, batch: Batch, ids: Sequence[object] | None) -> tuple[Placement, ...]:
        """Adds what was read; without a background thread consolidations fall due in the middle of it, as they would one by one."""
        # A model is not asked under the lock: it may take long.
        if batch.rows is None and self._words is None:
            rows_of_texts, batch.empty = self._embedded(batch.texts)
            batch.rows = rows_of_texts
        placements: list[Placement] = []
        with nullcontext() if self._background else self._busy, self._lock:
            self._check_open()
            names = self._new_ids(ids, len(batch.texts))
            words = batch.rows is None
            self._check_fits(batch)
            self._given = self._given or not words
            start = 0
            empty: list[bool] | None
            while start < len(batch.texts):
                step = len(batch.texts) - start
                if not self._background:
                    step = min(step, max(1, self._due - len(self._who)))
                part = slice(start, start + step)
                if words:
                    some, empty = self._embedded(batch.texts[part])
                else:
                    some, empty = cut(batch, part)
                placements += self._put(batch, part, names[part], some, empty)
                start += step
                if not self._background and len(self._who) >= self._due:
                    live_consolidate.consolidate(self)
            if self._background:
                self._start()
                if len(self._who) >= self._due:
                    self._wake.notify_all()
        return tuple(placements)

    def _check_fits(self, batch: Batch) -> None:
        """Refuses before any is added what the kernel would, and what can't be compared with what is there."""
        rows, there = batch.rows, self._native is not None and len(self._who) > 0
        faults: list[Fault] = []
        if len(self._who) + len(batch.texts) > MOST:
            faults.append(unfit("full", None))
        if rows is None:
            if there and self._given and not all(self._embedded(batch.texts)[1]):
                faults.append(unfit("texts", None))
        elif there and not self._given and self._words is not None:
            faults.append(unfit("words", None))
        elif there and self._native is not None and rows.shape[1] != self._native.dimension:
            faults.append(unfit_width(rows.shape[1], self._native.dimension))
        else:
            wrong = np.flatnonzero(~np.isfinite(rows).all(axis=1))
            zero: list[int] = np.flatnonzero(~rows.any(axis=1)).tolist() if batch.empty is None else []
            faults += [unfit("finite", int(row)) for row in wrong]
            faults += [unfit("zero", int(row)) for row in zero]
        raised(faults)

    def _embedded(self, texts: Sequence[Text]) -> tuple[Matrix, list[bool]]:
        """Vectors of texts, and which of them have none."""
        plain = [text or "" for text in texts]
        if self._words is not None:
            rows = self._words.embed(plain)
        else:
            assert self._embedder is not None  # noqa: S101
            faults: list[Fault] = []
            dimension = None if self._native is None else self._native.dimension
            read, _ = read_rows(self._embedder.embed(plain), dimension, faults)
            if read is not None and len(read) != len(plain):
                faults.append(
                    Fault(
                        "vectors-shape",
                        f"the embedder gave {len(read)} vectors for {len(plain)} texts.",
                        "embedder",
                    )
                )
            raised(faults)
            assert read is not None  # noqa: S101
            rows = read
        blank = [not text.strip() for text in plain]
        some = np.asarray(rows.any(axis=1))
        return rows, (~some | np.array(blank, bool)).tolist()

    def _put(
        self, batch: Batch, part: slice, names: list[str], rows: Matrix, empty: list[bool] | None
    ) -> list[Placement]:
        """Gives rows to the kernel, and notes who they are."""
        kept = rows if empty is None or not any(empty) else np.ascontiguousarray(rows[~np.array(empty)])
        first, place = len(self._who), len(self._ids)
        said = [place + at for at in range(len(names)) if empty is None or not empty[at]]
        if self._native is None and said:
            self._native = _native.LiveGroups(kept.shape[1], self._granularity)
        told: list[_native._LiveTold] = []
        try:
            if self._native is not None and said:
                told, fault = self._native.add(kept)
                if fault is not None:
                    raise InputError([unfit(fault[1], fault[0])])
        finally:
            # Also when Ctrl-C came meanwhile: what the kernel has taken is noted, and what it has not leaves no trace.
            if self._native is None or len(self._native) == first + len(said):
                numbers = {at: number for number, at in enumerate(said, first)}
                self._at += [numbers.get(place + at, -1) for at in range(len(names))]
                self._who += said
                self._texts += batch.texts[part]
                self._times += batch.times[part]
                self._authors += batch.authors[part]
                self._places.update({name: place + at for at, name in enumerate(names)})
                self._ids += names
            elif not first:
                self._native = None
        answers = iter(told)
        return [
            nowhere(name) if self._at[at] < 0 else placement(name, next(answers))
            for at, name in enumerate(names, place)
        ]

    def _new_ids(self, ids: Sequence[object] | None, count: int) -> list[str]:
        """Ids as text, each of them new."""
        if ids is None:
            names: list[str] = []
            number = len(self._ids)
            while len(names) < count:
                number += 1
                if str(number) not in self._places:
                    names.append(str(number))
            return names
        faults: list[Fault] = []
        found: list[str] = []
        seen: set[str] = set()
        for row, value in enumerate(ids):
            name = id_of(value, row, faults)
            if name is None:
                continue
            if name in self._places or name in seen:
                code = "id-known" if name in self._places else "id-duplicate"
                faults.append(
                    Fault(
                        code,
                        "a contribution with this id is there already; give this one another.",
                        "ids",
                        row + 1,
                        value=name,
                    )
                )
            seen.add(name)
            found.append(name)
        raised(faults)
        return found

    def consolidate(self) -> Consolidation:
        """Look at everything together now, and wait for it.

        Raises:
            InputError: this is closed.
        """
        with self._lock:
            self._check_open()
        return live_consolidate.consolidate(self)

    def snapshot(self, newest: int = 3, *, keywords: bool = True) -> Snapshot:
        """All that is there now, frozen.

        Args:
            newest: quotes of each theme.
            keywords: whether to tell the words of each theme.
        """
        with self._lock:
            return live_view.snapshot(self, newest, keywords=keywords)

    def labels(self) -> dict[str, int | None]:
        """The theme of each contribution, by id; None for those without words."""
        with self._lock:
            found = [] if self._native is None else np.frombuffer(self._native.labels(), "<u4").tolist()
            return {name: None if at < 0 else found[at] for name, at in zip(self._ids, self._at, strict=True)}

    def members(self, theme: int) -> tuple[str, ...]:
        """The ids of a theme's contributions, in the order in which they came.

        Raises:
            InputError: there is no such theme now.
        """
        with self._lock:
            return tuple(self._ids[self._who[at]] for at in live_facilitate.members(self, theme))

    def explain(self, id: Id, lang: str = "en") -> LiveExplanation:  # noqa: A002
        """Why a contribution (text) is where it is, or what became of a theme (number).

        Raises:
            InputError: there is nothing with this id, or there are no texts in this language.
        """
        with self._lock:
            return live_view.explain(self, id, lang)

    def name(self, theme: int, name: str | None) -> None:
        """Give a theme a name, which it keeps; None takes it away. Themes with different names are never merged by a consolidation.

        Raises:
            InputError: there is no such theme, or the name is another's or no line of text.
        """
        with self._lock:
            live_facilitate.name(self, theme, name)
            self._soon()

    def must_link(self, a: int | str, b: int | str) -> None:
        """Say that two contributions (ids, as text) or themes (numbers) belong together. It holds at once and through every consolidation.

        Raises:
            InputError: there is no such thing, or it contradicts what was said before.
        """
        with self._lock:
            live_facilitate.link(self, a, b, must=True)
            self._soon()

    def cannot_link(self, a: int | str, b: int | str) -> None:
        """Say that two contributions (ids, as text) or themes (numbers) don't belong together. It holds at once and through every consolidation.

        Raises:
            InputError: there is no such thing, or it contradicts what was said before.
        """
        with self._lock:
            live_facilitate.link(self, a, b, must=False)
            self._soon()

    def undo(self) -> str | None:
        """Take back the last name or link that holds; what it was, or None if there is none."""
        with self._lock:
            undone = live_facilitate.undo(self)
            self._soon()
            return undone

    def save(self, path: str | os.PathLike[str], *, force: bool = True) -> None:
        """Write everything into a file, complete or not at all.

        Raises:
            OutputExistsError: something is there and `force` is off.
            OSError: the place can't be written.
        """
        from klero.themes.live_file import save

        save(self, path, force=force)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], embedder: LiveEmbedder | None = None, **options: object
    ) -> LiveThemes:
        """Read what `save` wrote, and go on as if nothing had been.

        Args:
            path: the file.
            embedder: the one that was used; None where none was.
            options: as for a new one, but for granularity, which is in the file.

        Raises:
            InputError: the file is none of these, is damaged, or of another version or embedder.
        """
        from klero.themes.live_file import load

        return load(cls, path, embedder, options)

    def close(self) -> None:
        """Stop the background thread; what is there can still be read and saved.

        Raises:
            InternalError: a consolidation in the background failed by a fault of klero's own.
        """
        with self._lock:
            self._closed = True
            self._wake.notify_all()
            thread, self._thread = self._thread, None
        if thread is not None and thread is not threading.current_thread():
            thread.join()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def _check_open(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        if self._closed:
            raise InputError(
                [
                    Fault(
                        "live-closed",
                        "these live themes were closed. Load them from their file, or begin others.",
                        "",
                    )
                ]
            )

    def _soon(self) -> None:
        """A consolidation at the next opportunity."""
        self._due = min(self._due, max(FIRST, len(self._who)))
        if self._background and not self._closed:
            self._start()
            self._wake.notify_all()

    def _start(self) -> None:
        if (self._thread is None or not self._thread.is_alive()) and not self._closed:
            self._thread = threading.Thread(
                target=live_consolidate.run, args=(self,), name="klero-live", daemon=True
            )
            self._thread.start()

    def _note(self, kind: str, before: Sizes = (), after: Sizes = (), text: str | None = None) -> None:
        """Another event."""
        number, at = len(self._events) + 1, len(self._ids)
        event = LiveEvent(number, self._now(), kind, at, tuple(before), tuple(after), text)
        self._events.append(event)

    def _now(self) -> str:
        return self._clock().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
