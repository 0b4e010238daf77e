"""How are live themes kept between two days?

One file: a line of JSON that says what it is and how long its parts are; the contributions as JSON; the kernel's state; and a SHA-256 of all that.
It is written whole or not at all. It holds the texts as they
were given, so keep it as you keep them. Read back, everything goes on as if nothing had been: the same answers, ids, names, links, events.

Reading trusts nothing: another version, a changed byte or a cut file is refused with what is wrong, and no more memory is taken than the file's size
accounts for.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from klero import _native
from klero._files import read_file, write_file
from klero.errors import Fault, InputError
from klero.themes.live_facilitate import Act
from klero.themes.live_parts import ALGORITHM, LiveEvent

if TYPE_CHECKING:
    from klero.themes.live import LiveThemes
    from klero.themes.live_input import LiveEmbedder

__all__ = ["load", "save"]

SCHEMA = "klero-live-file/1"
_SEAL = 64  # digits of the SHA-256 at the end
_LONGEST_HEAD = 4096
_COLUMNS = ("ids", "texts", "times", "authors", "at")


def save(live: LiveThemes, path: str | os.PathLike[str], *, force: bool) -> None:
    """Writes everything."""
    with live._lock:
        told = {
            # Copies: others may add while this is being written.
            "ids": live._ids[:],
            "texts": live._texts[:],
            "times": live._times[:],
            "authors": live._authors[:],
            "at": live._at[:],
            "names": sorted(live._names.items()),
            "acts": [asdict(act) for act in live._acts],
            "events": [asdict(event) for event in live._events],
            "due": live._due,
            "looked": live._looked,
            "rounds": live._rounds,
            "given": live._given,
            "learnt": live._words.learnt if live._words is not None else 0,
        }
        state = b"" if live._native is None else live._native.write()
        embedder, granularity = live.embedder, live._granularity
    contributions = json.dumps(told, ensure_ascii=True, separators=(",", ":")).encode()
    head = {
        "schema": SCHEMA,
        "algorithm": ALGORITHM,
        "embedder": embedder,
        "granularity": granularity,
        "contributions": len(contributions),
        "state": len(state),
    }
    body = json.dumps(head, separators=(",", ":")).encode() + b"\n" + contributions + state
    write_file(path, body + hashlib.sha256(body).hexdigest().encode(), force=force)


def load(
    cls: type[LiveThemes],
    path: str | os.PathLike[str],
    embedder: LiveEmbedder | None,
    options: dict[str, object],
) -> LiveThemes:
    """Reads what `save` wrote."""
    name = os.fspath(path)
    size = Path(path).stat().st_size if Path(path).is_file() else 0
    data = read_file(path, max(size, 1))
    head = _head(data, name)
    start = data.index(b"\n") + 1
    middle = start + head["contributions"]
    if middle + head["state"] + _SEAL != len(data):
        _refuse(name, "it is cut off, or something was added to it")
    if hashlib.sha256(memoryview(data)[:-_SEAL]).hexdigest().encode() != data[-_SEAL:]:
        _refuse(name, "its checksum does not fit, so some of it was changed or lost")
    live = cls(embedder, granularity=head["granularity"], **options)  # type: ignore[arg-type]
    try:
        told = json.loads(data[start:middle])
        _fill(live, told, data[middle:-_SEAL])
    except (
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        if isinstance(error, InputError):
            raise
        _refuse(name, f"its parts don't fit together ({type(error).__name__})")
    if embedder is not None or head["embedder"] != live.embedder:
        given, wanted = live.embedder, head["embedder"]
        if given != wanted and wanted is not None and live._ids:
            message = f"its vectors were made by «{wanted}», and «{given}» would make those to come; only vectors of one embedder can be compared."
            raise InputError([Fault("live-embedder", message, name)])
    return live


def _head(data: bytes, name: str) -> dict[str, Any]:
    line = data[:_LONGEST_HEAD].partition(b"\n")
    try:
        head = json.loads(line[0]) if line[1] else None
    except (ValueError, RecursionError):
        head = None
    if not isinstance(head, dict) or not str(head.get("schema", "")).startswith("klero-live-file/"):
        _refuse(name, "it does not say that it is one")
    for key, version in (("schema", SCHEMA), ("algorithm", ALGORITHM)):
        if head.get(key) != version:
            message = (
                f"the live themes were saved by another version: their {key} is «{head.get(key)}», and this klero reads «{version}». "
                "Use the klero that wrote them, or begin anew from the texts. The file is left as it is."
            )
            raise InputError([Fault("live-version", message, name)])
    whole = [head.get(key) for key in ("contributions", "state")]
    sound = (
        all(type(length) is int and 0 <= length <= len(data) for length in whole)
        and isinstance(head.get("granularity"), float)
        and 0 < head["granularity"] < 1
        and (head.get("embedder") is None or isinstance(head["embedder"], str))
    )
    if not sound:
        _refuse(name, "what it says of itself is not complete")
    return cast("dict[str, Any]", head)


def _refuse(name: str, why: str) -> NoReturn:
    message = f"this file holds no live themes, or is damaged: {why}. Use a copy of it, or begin anew from the texts."
    raise InputError([Fault("live-file", message, name)])


def _fill(live: LiveThemes, told: dict[str, Any], state: bytes) -> None:
    """Puts what was read into new live themes.

    Raises:
        ValueError, KeyError, TypeError: it does not fit together.
    """
    columns = [told[column] for column in _COLUMNS]
    ids, texts, times, authors, at = columns
    count = len(ids)
    texts_sound = all(text is None or isinstance(text, str) for text in (*texts, *authors))
    if any(len(column) != count for column in columns) or not texts_sound or len(set(ids)) != count:
        raise ValueError
    if not all(isinstance(text, str) for text in (*ids, *times)) or not all(type(n) is int for n in at):
        raise TypeError
    native = _native.LiveGroups.read(state) if state else None
    rows = 0 if native is None else len(native)
    who = [place for place, number in enumerate(at) if number >= 0]
    if (state and native is None) or [at[place] for place in who] != list(range(rows)):
        raise ValueError
    live._native = native
    live._ids, live._texts, live._times, live._authors = ids, texts, times, authors
    live._at, live._who = at, who
    live._places = {name: place for place, name in enumerate(ids)}
    live._names = {int(theme): str(name) for theme, name in told["names"]}
    live._acts = [Act(**(act | {"ids": tuple(act["ids"])})) for act in told["acts"]]
    live._events = [
        LiveEvent(**(event | {key: tuple(map(tuple, event[key])) for key in ("before", "after")}))
        for event in told["events"]
    ]
    live._due, live._looked, live._rounds = int(told["due"]), int(told["looked"]), int(told["rounds"])
    live._given = bool(told["given"])
    if live._words is not None:
        learnt = int(told["learnt"])
        live._words = live._words.taught([texts[place] or "" for place in who[:learnt]], learnt)
        live._words.used = any(texts) and not live._given
