"""How is everything looked at together while contributions keep coming?

A snapshot is taken under the lock, which costs next to nothing; the work is done without it; what came meanwhile is placed in the result, the last
of it under the lock, and the result
takes the place of what was. If the time runs out, nothing is changed, and the next time half as many micro-clusters are compared; if the facilitator
acted meanwhile, it begins again.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from klero.errors import KleroError
from klero.themes.live_parts import Consolidation

if TYPE_CHECKING:
    from klero import _native
    from klero.themes.live import LiveThemes
    from klero.themes.live_words import HashedWords

__all__ = ["consolidate", "run"]

_LAST = 256  # contributions that are placed under the lock
_KEPT = 1000
_TRIES = 3
_LEAST = 64


def run(live: LiveThemes) -> None:
    """The background thread: waits until a consolidation is due."""
    while True:
        with live._lock:
            while not live._closed and not _due(live):
                live._wake.wait(timeout=min(1.0, live._seconds))
            if live._closed:
                return
        try:
            consolidate(live)
        except BaseException as error:  # told by the next call: a thread has nobody to tell it to
            with live._lock:
                live._failure = error
                live._due = len(live._who) + live._every
            if not isinstance(error, KleroError):
                return


def _due(live: LiveThemes) -> bool:
    n = len(live._who)
    if n >= live._due:
        return True
    return n > live._looked and n >= 8 and time.monotonic() - live._at_last >= live._seconds


def consolidate(live: LiveThemes) -> Consolidation:
    """Looks at everything together, and notes what that did."""
    with live._busy:
        for attempt in range(_TRIES):
            done = _once(live)
            if done.outcome != "stale" or attempt == _TRIES - 1:
                break
        return done


def _once(live: LiveThemes) -> Consolidation:
    began = time.perf_counter()
    with live._lock:
        native, n = live._native, len(live._who)
        live._due = n + max(8, min(live._every, n))
        live._looked, live._at_last = n, time.monotonic()
        if native is None:
            return _noted(live, began, None, "done", anew=False)
        plan = native.plan(live._most_now)
        texts = _to_embed(live)
    words = _embed_anew(live, native, plan, texts)
    if not plan.work(live._budget):
        with live._lock:
            live._most_now = max(_LEAST, live._most_now // 2)
            return _noted(live, began, None, "out_of_time", anew=False)
    if words is None:
        while plan.catch_up(native, 4 * _LAST) > _LAST:
            pass
    with live._lock:
        if words is not None:
            _follow(live, native, plan, words)
        told = plan.finish(native)
        if told is None:
            return _noted(live, began, None, "stale", anew=False)
        live._rounds += 1
        if words is not None:
            live._words = words
        for kind, before, after in told["changes"]:
            live._note(kind, before, after)
        if live._budget is not None and time.perf_counter() - began < live._budget / 2:
            live._most_now = min(live._most, live._most_now * 2)
        return _noted(live, began, told, "done", anew=words is not None)


def _to_embed(live: LiveThemes) -> list[str] | None:
    """All texts, if they are to be embedded anew: where all vectors are hashed words, and these have enough to learn."""
    words = live._words
    if words is None or not words.used or live._given or not words.wants(len(live._who)):
        return None
    return [live._texts[place] or "" for place in live._who]


def _embed_anew(
    live: LiveThemes, native: _native.LiveGroups, plan: _native.LivePlan, texts: list[str] | None
) -> HashedWords | None:
    if texts is None or live._words is None:
        return None
    words = live._words.taught(texts[live._words.learnt :], len(texts))
    return words if plan.replace(native, words.embed(texts)) else None


def _follow(live: LiveThemes, native: _native.LiveGroups, plan: _native.LivePlan, words: HashedWords) -> None:
    """Embeds what came meanwhile anew, too."""
    later = live._who[len(plan) :]
    if later:
        plan.follow(native, words.embed([live._texts[place] or "" for place in later]))


def _noted(
    live: LiveThemes, began: float, told: _native._LiveDone | None, outcome: str, *, anew: bool
) -> Consolidation:
    changes = [] if told is None else told["changes"]
    last = live._consolidations[-1].number if live._consolidations else 0
    done = Consolidation(
        number=last + 1,
        time=live._now(),
        contributions=len(live._who) if told is None else told["contributions"],
        caught_up=0 if told is None else told["caught_up"],
        micro_clusters=0 if told is None else told["micro_clusters"],
        condensed=0 if told is None else told["condensed"],
        waiting=0 if told is None else told["waiting"],
        set_apart=0 if told is None else told["set_apart"],
        similarity=0.0 if told is None else told["similarity"],
        moved=0 if told is None else told["moved"],
        merges=sum(len(before) - 1 for kind, before, _ in changes if kind == "merge"),
        splits=sum(len(after) - 1 for kind, _, after in changes if kind == "split"),
        embedded_anew=anew,
        seconds=round(time.perf_counter() - began, 6),
        budget_s=live._budget,
        outcome=outcome,
    )
    live._consolidations.append(done)
    del live._consolidations[:-_KEPT]
    return done
