"""What happens while `klero live` runs: lines in, themes shown, everything saved when it ends."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from klero._harmless import harmless_json
from klero.cli.live_lines import Said, Tally, looks_like_header, read_line
from klero.cli.live_screen import plain, rich_table, skipped_words
from klero.cli.output import note
from klero.errors import InputError
from klero.words import number, words

if TYPE_CHECKING:
    from klero.cli.live_source import Line, Lines
    from klero.themes.live import LiveThemes
    from klero.themes.live_parts import Placement, Snapshot

__all__ = ["Running", "ended_like_ctrl_c", "finish", "run", "written_rows"]

_TOGETHER = 500  # lines that are added at once
_PULSE = 0.2
_SAVED = 60.0  # seconds between two savings


@dataclass
class Running:
    """All that a run needs.

    Attributes:
        live: the themes.
        lines: where lines come from.
        form: «text» or «json».
        lang: of words.
        interval: seconds between two looks at the themes.
        state: where everything is kept, or None.
        stay: whether to go on when the input is over, for the page.
        paused: asked before lines are taken.
        changed: told after something was added.
    """

    live: LiveThemes
    lines: Lines
    form: str
    lang: str
    interval: float
    state: str | None
    stay: bool
    changed: Callable[[], None] = lambda: None
    tally: Tally = field(default_factory=Tally)
    told: int = 0  # events that were told
    looked: int = 0  # the number of the last consolidation that was told


@contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Whoever closes the window of the terminal, or ends the program from elsewhere, finds everything kept, too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    names = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    # What was ignored (nohup) stays ignored.
    before = {n: signal.getsignal(n) for n in names if signal.getsignal(n) is signal.SIG_DFL}
    for number in before:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def run(running: Running) -> None:
    """Goes on until the input is over (or, with a page, until Ctrl-C)."""
    last_shown, last_saved, over, dirty = 0.0, time.monotonic(), False, True
    with _screen(running) as show:
        while not over or running.stay:
            lines = running.lines.take(_TOGETHER, _PULSE)
            over = over or any(line.data is None for line in lines)
            if said := _read(running, lines):
                _add(running, said)
                running.changed()
                dirty = True
            _events(running)
            now = time.monotonic()
            if dirty and now - last_shown >= running.interval:
                show()
                last_shown, dirty = now, False
            if running.state and now - last_saved >= _SAVED:
                running.live.save(running.state)
                last_saved = now
        running.live.consolidate()
        running.changed()
        _events(running)
        show()


def finish(running: Running) -> Snapshot:
    """Keeps everything, and says what was passed over."""
    if running.state:
        running.live.save(running.state)
    snapshot = running.live.snapshot(keywords=False)
    if running.form == "json":
        _emit({"event": "snapshot", "skipped": running.tally.skipped, **snapshot.to_dict()})
    for line in skipped_words(running.tally, running.lang):
        note(line)
    if not len(running.live):
        note(words(running.lang).gettext("No contribution came in. A line is one: klero live < answers.txt"))
    return snapshot


def _read(running: Running, lines: list[Line]) -> list[Said]:
    """The contributions in these lines; what can't be read is told once a reason."""
    _ = words(running.lang).gettext
    found = []
    for line in lines:
        if line.data is None:
            continue
        running.tally.lines += 1
        said = read_line(line.data)
        if running.tally.lines == 1 and looks_like_header(line.data):
            note(
                _(
                    "The first line looks like the header of a table, but here a line is a text or a JSON object. For a table: klero themes FILE -o themes"
                )
            )
        if not line.whole:
            shown = line.data[:60].decode("utf-8", "replace")
            if isinstance(said, Said):
                note(
                    _(
                        "The last line has no line break at its end: if it was cut short, the rest is missing. It is kept: {text}"
                    ).format(text=shown)
                )
            else:
                note(
                    _(
                        "The stream stopped in the middle of a line, and what there was can't be read: {text}"
                    ).format(text=shown)
                )
                running.tally.unfinished.append(shown)
        if isinstance(said, Said):
            found.append(said)
        else:
            _skip(running, said, line.data)
    return found


def _skip(running: Running, why: str, data: bytes) -> None:
    first = running.tally.skip(why)
    if first and why != "blank":
        _ = words(running.lang).gettext
        text = _("Line {n} is passed over ({why}): {text}")
        shown = data[:60].decode("utf-8", "replace")
        note(text.format(n=number(running.tally.lines, running.lang), why=why, text=shown))


def _add(running: Running, said: list[Said]) -> None:
    """Adds all at once, or, if one of them can't be, one by one."""
    try:
        placements = running.live.add(
            [one.text for one in said],
            ids=_ids(running, said),
            times=[one.time for one in said],
            authors=[one.author for one in said],
        )
    except InputError:
        placements = ()
        for one in said:
            try:
                placements += running.live.add(
                    [one.text], ids=_ids(running, [one]), times=[one.time], authors=[one.author]
                )
            except InputError as error:
                codes = {fault.code for fault in error.faults}
                if not codes <= {"id-known", "id-duplicate", "id-empty", "id-control", "time-invalid"}:
                    raise
                _skip(
                    running, "time" if codes == {"time-invalid"} else "known", (one.id or one.text).encode()
                )
    if running.form == "json":
        for placement in placements:
            _emit({"event": "placed", **_placed(placement)})


def _ids(running: Running, said: list[Said]) -> list[str]:
    """The ids that were given, and numbers that nobody has for the others."""
    taken = {one.id for one in said}
    found: list[str] = []
    for place, one in enumerate(said, len(running.live) + 1):
        name = one.id
        while name is None or (one.id is None and (name in running.live or name in taken)):
            name = str(place)
            place += len(said) + 1
        found.append(name)
    return found


def _placed(placement: Placement) -> dict[str, object]:
    return asdict(placement)


def _events(running: Running) -> None:
    """Tells, as JSON, what happened to themes since."""
    if running.form != "json":
        return
    events = running.live.events
    for event in events[running.told :]:
        _emit({"event": event.kind, **{key: value for key, value in asdict(event).items() if key != "kind"}})
    running.told = len(events)
    looks = running.live.consolidations
    for look in looks:
        if look.number > running.looked:
            _emit({"event": "consolidation", **asdict(look)})
            running.looked = look.number


def _emit(data: dict[str, object]) -> None:
    click.echo(harmless_json(json.dumps(data, ensure_ascii=False)))


@contextmanager
def _screen(running: Running) -> Iterator[Callable[[], None]]:
    """What shows themes: a table that is drawn anew on a terminal, lines elsewhere, nothing where JSON is asked for."""
    if running.form == "json":
        yield lambda: None
        return
    if not sys.stdout.isatty():
        shown: list[str] = []

        def lines() -> None:
            found = plain(running.live.snapshot(newest=1), running.lang, 30)
            # The same again says nothing.
            if not shown or (_sum_of(shown), shown[1:]) != (_sum_of(found), found[1:]):
                for line in found:
                    click.echo(line)
            shown[:] = found

        yield lines
        return
    from rich.console import Console
    from rich.live import Live

    console = Console()
    with Live(console=console, auto_refresh=False, transient=False) as live:

        def draw() -> None:
            room = max(5, console.height - 8)
            live.update(
                rich_table(running.live.snapshot(newest=1), running.tally, running.lang, room), refresh=True
            )

        yield draw


def _sum_of(lines: list[str]) -> str:
    """The first line without its time."""
    return lines[0].partition("  ")[2]


def written_rows(live: LiveThemes, path: str, *, force: bool) -> int:
    """Writes a row for each contribution: id, time, author, theme, name, kind, text; how many cells a spreadsheet would take for formulas."""
    import pyarrow as pa

    from klero._files import write_together
    from klero.themes.live_parts import kind_of
    from klero.voices.repeats_output import formula_ids
    from klero.voices.table_output import write_rows

    with live._lock:  # a consolidation in the background may end meanwhile
        labels = live.labels()
        names = dict(live._names)
    sizes = Counter(labels.values())
    rows = []
    for place, name in enumerate(labels):
        theme = labels[name]
        rows.append(
            {
                "id": name,
                "time": live._times[place],
                "author": live._authors[place],
                "theme": theme,
                "name": names.get(theme) if theme is not None else None,
                "kind": "empty" if theme is None else kind_of(sizes[theme]),
                "text": live._texts[place],
            }
        )
    text = pa.large_string()
    schema = pa.schema(
        [
            ("id", text),
            ("time", text),
            ("author", text),
            ("theme", pa.int64()),
            ("name", text),
            ("kind", text),
            ("text", text),
        ]
    )
    batches = pa.Table.from_pylist(rows, schema).to_batches()
    write_together(
        [(path, lambda stream: write_rows(stream, Path(path).suffix, schema, batches))], force=force
    )
    return formula_ids(cell for row in rows for cell in row.values())


def formula_cells_words(count: int, lang: str) -> list[str]:
    """What to do about cells that a spreadsheet would take for formulas; nothing if there are none."""
    if not count:
        return []
    text = words(lang).ngettext(
        "{n} cell begins as a formula does; cells are written as they were read, so import the table as text, don't open it with a double click.",
        "{n} cells begin as formulas do; cells are written as they were read, so import the table as text, don't open it with a double click.",
        count,
    )
    return [text.format(n=number(count, lang))]
