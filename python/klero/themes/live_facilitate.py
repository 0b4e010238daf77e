"""What does the facilitator say: what a theme is called, what belongs together, what does not; and what is taken back?

All of it holds at once and through every consolidation. What contradicts something said before is refused, with what it contradicts, and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from klero._harmless import harmless
from klero.errors import Fault, InputError, quoted

if TYPE_CHECKING:
    from klero.themes.live import LiveThemes

__all__ = ["Act", "link", "members", "name", "undo"]

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was said, as it can be taken back: `text` tells it, `theme` and `old` are of a name, `ids` are the contributions of a link."""

    kind: str
    text: str
    theme: int | None = None
    old: str | None = None
    ids: tuple[str, ...] = ()


def members(live: LiveThemes, theme: int) -> list[int]:
    """The kernel's numbers of a theme's contributions.

    Raises:
        InputError: there is no such theme now.
    """
    found: list[int] = []
    if live._native is not None and 0 < theme < 2**32:
        found = np.frombuffer(live._native.members(theme), "<u4").tolist()
    if not found:
        _unknown(theme)
    return found


def name(live: LiveThemes, theme: int, given: str | None) -> None:
    """Names a theme, or takes its name away."""
    old = live._names.get(theme)
    _name(live, theme, given)
    live._acts.append(Act("name", f"{theme}: {given or '–'}", theme, old))
    live._note("name", after=[(theme, len(members(live, theme)))], text=given)


def _name(live: LiveThemes, theme: int, given: str | None) -> None:
    if isinstance(theme, bool) or not isinstance(theme, int):
        _unknown(theme)
    members(live, theme)
    if given is not None:
        if (
            not isinstance(given, str)
            or not given.strip()
            or len(given) > _LONGEST
            or harmless(given) != given
            or any(ord(c) < 32 for c in given)
        ):
            message = f"a theme's name is one line of at most {_LONGEST} characters."
            raise InputError([Fault("live-name", message, "", value=quoted(str(given)))])
        given = given.strip()
        other = next(
            (number for number, text in live._names.items() if text == given and number != theme), None
        )
        if other is not None:
            message = f"theme {other} has this name already. Give another, or link the two if they are one."
            raise InputError([Fault("live-name", message, "", value=quoted(given))])
    if live._native is None or not live._native.set_named(theme, given is not None):
        _unknown(theme)
    if given is None:
        live._names.pop(theme, None)
    else:
        live._names[theme] = given


def link(live: LiveThemes, a: int | str, b: int | str, *, must: bool) -> None:
    """Says that two things belong together, or not."""
    left, right = _resolved(live, a), _resolved(live, b)
    if a == b:
        _refuse("these are the same thing, so there is nothing to link.")
    themes = (a, b) if must and isinstance(a, int) and isinstance(b, int) else None
    if not must:
        left, right = _parted(live, left, right)
    assert live._native is not None  # noqa: S101 (something was found)
    changes, refused = live._native.link(must, left, right, themes)
    if refused is not None:
        _explain(live, refused[0], refused[1])
    kind = "must_link" if must else "cannot_link"
    text = ", ".join(f"#{one}" if isinstance(one, int) else one for one in (a, b))
    live._acts.append(Act(kind, text, ids=tuple(one for one in (a, b) if isinstance(one, str))))
    live._note(kind, text=text)
    for what, before, after in changes:
        live._note(what, before, after)


def _resolved(live: LiveThemes, what: int | str) -> list[int]:
    if isinstance(what, int) and not isinstance(what, bool):
        return members(live, what)
    place = live._places.get(what) if isinstance(what, str) else None
    if place is None:
        _unknown(what)
    if live._at[place] < 0:
        _refuse(
            f"the contribution {quoted(str(what))} has no words, so it is in no theme and can't be linked."
        )
    return [live._at[place]]


def _parted(live: LiveThemes, left: list[int], right: list[int]) -> tuple[list[int], list[int]]:
    """A contribution of a theme and that theme: «it does not belong here» is about all the others."""
    if len(left) == 1:
        right = [one for one in right if one not in left]
    elif len(right) == 1:
        left = [one for one in left if one not in right]
    if not left or not right:
        _refuse("there would be nobody left to be apart from.")
    return left, right


def undo(live: LiveThemes) -> str | None:
    """Takes the last name or link back."""
    while live._acts and not _holds(live, live._acts[-1]):
        live._acts.pop()
    if not live._acts:
        return None
    act = live._acts[-1]
    changes: list[tuple[str, list[tuple[int, int]], list[tuple[int, int]]]] = []
    if act.kind == "name":
        if act.theme is not None and (act.old is not None or act.theme in live._names):
            _name(live, act.theme, act.old)
    elif live._native is not None:
        changes = live._native.unlink() or []
    live._acts.pop()
    live._note("undo", text=f"{act.kind}: {act.text}")
    for what, before, after in changes:
        live._note(what, before, after)
    return f"{act.kind}: {act.text}"


def _holds(live: LiveThemes, act: Act) -> bool:
    """Whether there is still something to take back: a name goes with its theme, and a name of before may be another theme's by now."""
    if act.kind != "name" or act.theme is None:
        return True
    if act.old is None:
        return act.theme in live._names
    there = live._native is not None and len(live._native.members(act.theme)) > 0
    return there and all(text != act.old or theme == act.theme for theme, text in live._names.items())


def _explain(live: LiveThemes, why: str, which: list[int]) -> NoReturn:
    """Refuses a link, with what it contradicts."""
    links = [act for act in live._acts if act.kind != "name"]
    said = (
        f"«{links[which[0]].text}»"
        if which and why in {"apart", "together"} and which[0] < len(links)
        else ""
    )
    _refuse(
        {
            "same": "a contribution would be on both sides; nothing can be apart from itself, and what is one already needs no link.",
            "apart": f"you said before that they don't belong together ({said}). Take that back first, if it no longer holds.",
            "together": f"you said before that they belong together ({said}). Take that back first, if it no longer holds.",
            "names": f"themes {which[0] if which else ''} and {which[1] if len(which) > 1 else ''} have names of their own, and one theme has one name. "
            "Take one name away first: name(theme, None).",
        }.get(why, "there is no such contribution.")
    )


def _refuse(why: str) -> NoReturn:
    raise InputError([Fault("live-contradiction", f"This can't be linked: {why}", "")])


def _unknown(what: object) -> NoReturn:
    message = f"there is no theme or contribution {quoted(str(what))} now. Themes are numbers, contributions are ids as text; snapshot() shows both."
    raise InputError([Fault("live-unknown", message, "", value=str(what))])
