"""What is shown of live themes: a snapshot of all, and why one contribution is where it is."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from klero.themes.figures import two_decimals
from klero.themes.live_facilitate import _unknown, members
from klero.themes.live_parts import LiveExplanation, LiveTheme, Quote, Snapshot, kind_of

if TYPE_CHECKING:
    from klero import _native
    from klero.themes.live import LiveThemes

__all__ = ["KnownKeywords", "explain", "snapshot"]

# For how many contributions, after which consolidation and event keywords were computed, and those of each theme.
KnownKeywords: TypeAlias = tuple[tuple[int, int, int], dict[int, tuple[str, ...]]]

# Above so many contributions keywords are those of the last consolidation, as a new look at all texts would take too long for every snapshot.
_OFTEN = 5000
_TOP = 5


def snapshot(live: LiveThemes, newest: int, *, keywords: bool) -> Snapshot:
    """All that is there; the caller holds the lock."""
    views = [] if live._native is None else live._native.views(max(1, newest))
    medoids = _medoids(live, views)
    words = _keywords(live) if keywords else {}
    shown: list[LiveTheme] = []
    for theme, size, latest, usual, _deviation, limit, _stamp in views:
        shown.append(
            LiveTheme(
                id=theme,
                name=live._names.get(theme),
                kind=kind_of(size),
                size=size,
                medoid=quote(live, medoids[theme]),
                newest=tuple(quote(live, at) for at in latest[:newest]),
                keywords=words.get(theme, ()),
                usual=usual,
                limit=limit,
            )
        )
    kinds = {
        kind: tuple(one for one in shown if one.kind == kind)
        for kind in ("theme", "weak_signal", "lone_voice")
    }
    empty = tuple(name for name, at in zip(live._ids, live._at, strict=True) if at < 0)
    counts = {kind: sum(one.size for one in some) for kind, some in kinds.items()} | {"empty": len(empty)}
    return Snapshot(
        time=live._now(),
        themes=kinds["theme"],
        weak_signals=kinds["weak_signal"],
        lone_voices=kinds["lone_voice"],
        empty=empty,
        contributions=len(live._ids),
        consolidations=live._rounds,
        embedder=live.embedder,
        counts=counts,
    )


def quote(live: LiveThemes, at: int) -> Quote:
    """What the kernel's contribution `at` said."""
    place = live._who[at]
    return Quote(live._ids[place], live._texts[place], live._times[place], live._authors[place])


def _medoids(live: LiveThemes, views: list[_native._LiveView]) -> dict[int, int]:
    """The medoid of each theme; of those that have not changed, as it was."""
    known = live._medoids
    stale = [theme for theme, *_rest, stamp in views if known.get(theme, (-1, -1))[0] != stamp]
    stamps = {theme: stamp for theme, *_rest, stamp in views}
    if stale and live._native is not None:
        found = live._native.medoids(stale)
        known |= {theme: (stamps[theme], at) for theme, at in zip(stale, found, strict=True)}
    live._medoids = {theme: known[theme] for theme in stamps}
    return {theme: at for theme, (_stamp, at) in live._medoids.items()}


def _keywords(live: LiveThemes) -> dict[int, tuple[str, ...]]:
    """Words of each theme, if what tells them is there and texts were given."""
    n = len(live._who)
    known = live._keywords
    mark = (n, live._rounds, len(live._events)) if n <= _OFTEN else (-1, live._rounds, 0)
    if live._native is None or known[0] == mark or find_spec("klero.themes.keywords") is None:
        return known[1]
    texts = [live._texts[place] for place in live._who]
    if any(texts):
        from klero.themes.keywords import theme_keywords

        ids, labels = np.unique(np.frombuffer(live._native.labels(), "<u4"), return_inverse=True)
        found = theme_keywords(labels.astype(np.int64), texts, top=_TOP, threads=1)
        words = {int(theme): tuple(word.text for word in of) for theme, of in zip(ids, found.of, strict=True)}
        live._keywords = (mark, words)
    return live._keywords[1]


def explain(live: LiveThemes, what: object, lang: str) -> LiveExplanation:
    """Why a contribution is where it is, or what became of a theme; the caller holds the lock."""
    from klero.words import words

    words(lang)  # a language that is not there is told first
    if isinstance(what, int) and not isinstance(what, bool):
        return _of_theme(live, what, lang)
    place = live._places.get(what) if isinstance(what, str) else None
    if place is None:
        _unknown(what)
    return _of_contribution(live, place, lang)


def _of_contribution(live: LiveThemes, place: int, lang: str) -> LiveExplanation:
    from klero.words import words

    _ = words(lang).gettext
    name, at = live._ids[place], live._at[place]
    standing = None if at < 0 or live._native is None else live._native.standing(at)
    if standing is None:
        text = _("The contribution {id} has no words, so it is in no theme. It is counted.").format(id=name)
        return LiveExplanation(name, None, None, None, None, (), (text,))
    theme, similarity, second = standing
    assert live._native is not None  # noqa: S101
    view = next(view for view in live._native.views(1) if view[0] == theme)
    size, usual, limit = view[1], view[3], view[5]
    label = title(live, theme, lang)
    if similarity is None:
        lines = [
            _("The contribution {id} is a lone voice ({theme}): nobody says nearly the same.").format(
                id=name, theme=label
            )
        ]
    else:
        text = _(
            "The contribution {id} is in {theme}; it and the others there are {size}. Its average similarity to them is {similarity} "
            "({usual} is usual, {limit} the least)."
        )
        lines = [
            text.format(
                id=name,
                theme=label,
                size=size,
                similarity=two_decimals(similarity, lang),
                usual=two_decimals(usual, lang),
                limit=two_decimals(limit, lang),
            )
        ]
    if second is not None:
        text = _("The most alike other is {theme}, with an average similarity of {similarity}.")
        lines.append(
            text.format(theme=title(live, second[0], lang), similarity=two_decimals(second[1], lang))
        )
    linked = [act for act in live._acts if name in act.ids]
    if linked:
        lines.append(
            _("The facilitator has linked it: {links}.").format(links="; ".join(act.text for act in linked))
        )
    events = tuple(event for event in live._events if _about(event.before, event.after, theme))
    return LiveExplanation(name, theme, similarity, limit, second, events, tuple(lines))


def _of_theme(live: LiveThemes, theme: int, lang: str) -> LiveExplanation:
    from klero.words import words

    _ = words(lang).gettext
    events = tuple(event for event in live._events if _about(event.before, event.after, theme))
    try:
        size = len(members(live, theme))
    except ValueError:
        if not events:
            raise
        size = 0
    label = title(live, theme, lang)
    has = words(lang).ngettext("{theme} has {size} contribution.", "{theme} has {size} contributions.", size)
    said = has if size else _("{theme} is no more.")
    lines = [said.format(theme=label, size=size)]
    for event in events:
        before = " + ".join(f"#{number} ({count})" for number, count in event.before)
        after = " + ".join(f"#{number} ({count})" for number, count in event.after)
        text = {
            "merge": _("{time}: merged, {before} → {after}"),
            "split": _("{time}: split, {before} → {after}"),
            "name": _("{time}: named «{text}»"),
        }[event.kind]
        lines.append(text.format(time=event.time, before=before, after=after, text=event.text or "–"))
    return LiveExplanation(str(theme), theme if size else None, None, None, None, events, tuple(lines))


def _about(before: tuple[tuple[int, int], ...], after: tuple[tuple[int, int], ...], theme: int) -> bool:
    return any(number == theme for number, _ in (*before, *after))


def title(live: LiveThemes, theme: int, lang: str) -> str:
    """What a theme is called: its number, and its name if it has one."""
    name = live._names.get(theme)
    return f"#{theme} «{name}»" if name else f"#{theme}"
