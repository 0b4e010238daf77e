"""How do themes look in a terminal, while they grow: as a table that is drawn anew, or as lines where nobody looks?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from klero._harmless import harmless
from klero.words import number, words

if TYPE_CHECKING:
    from rich.table import Table

    from klero.cli.live_lines import Tally
    from klero.themes.live_parts import LiveTheme, Snapshot

__all__ = ["kind_word", "plain", "rich_table", "short", "skipped_words"]

_QUOTE = 70


def kind_word(kind: str, lang: str) -> str:
    """The kind of a theme in words."""
    _ = words(lang).gettext
    return {
        "theme": _("theme"),
        "weak_signal": _("weak signal"),
        "lone_voice": _("lone voice"),
        "empty": _("without words"),
    }[kind]


def short(text: str | None, most: int = _QUOTE) -> str:
    """The beginning of a text on one line, without what a terminal would obey."""
    line = harmless(" ".join((text or "–").split()))
    return line if len(line) <= most else line[: most - 1] + "…"


def _title(theme: LiveTheme) -> str:
    if theme.name:
        return short(theme.name, 40)
    return short(", ".join(theme.keywords[:3]), 40) if theme.keywords else "–"


def _lead(theme: LiveTheme) -> str:
    quote = theme.newest[0] if theme.newest else theme.medoid
    return f"«{short(quote.text)}» [{short(quote.id, 20)}]"


def _chosen(snapshot: Snapshot, room: int) -> tuple[list[LiveTheme], int]:
    """As many of each kind as there is room for: the few are no annex. And how many are left out."""
    kinds = [list(snapshot.themes), list(snapshot.weak_signals), list(snapshot.lone_voices)]
    # The newest of the lone voices: the older ones have been seen.
    kinds[2].sort(key=lambda one: -one.id)
    chosen: list[list[LiveTheme]] = [[], [], []]
    while sum(map(len, chosen)) < room and any(kinds):
        for kind, taken in zip(kinds, chosen, strict=True):
            if kind and sum(map(len, chosen)) < room:
                taken.append(kind.pop(0))
    return [one for some in chosen for one in some], sum(map(len, kinds))


def rich_table(snapshot: Snapshot, tally: Tally, lang: str, room: int) -> Table:
    """A table for a terminal with so many lines for themes."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    _ = words(lang).gettext
    chosen, more = _chosen(snapshot, room)
    table = Table(
        box=box.SIMPLE_HEAD, title=Text(snapshot.sum_words(lang)), expand=True, title_justify="left"
    )
    table.add_column(_("id"), justify="right", no_wrap=True)
    table.add_column(_("kind"), no_wrap=True)
    table.add_column(_("size"), justify="right", no_wrap=True)
    table.add_column(_("name or words"), ratio=1, no_wrap=True)
    table.add_column(_("newest"), ratio=2, no_wrap=True)
    for one in chosen:
        style = "bold" if one.kind == "theme" else ""
        cells = [f"#{one.id}", kind_word(one.kind, lang), number(one.size, lang), _title(one), _lead(one)]
        table.add_row(*(Text(cell) for cell in cells), style=style)
    notes = []
    if more:
        notes.append(words(lang).gettext("… and {n} more.").format(n=number(more, lang)))
    notes += skipped_words(tally, lang)
    table.caption = Text("\n".join(notes)) if notes else None
    table.caption_justify = "left"
    return table


def plain(snapshot: Snapshot, lang: str, room: int) -> list[str]:
    """The same as lines."""
    _ = words(lang).gettext
    chosen, more = _chosen(snapshot, room)
    lines = [f"{snapshot.time}  {snapshot.sum_words(lang)}"]
    lines += [
        f"  #{one.id} {kind_word(one.kind, lang)} {number(one.size, lang)}: {_title(one)} {_lead(one)}"
        for one in chosen
    ]
    if more:
        text = words(lang).gettext("… and {n} more.")
        lines.append(f"  {text.format(n=number(more, lang))}")
    return lines


def skipped_words(tally: Tally, lang: str) -> list[str]:
    """What was passed over, and why."""
    ngettext = words(lang).ngettext
    n = tally.skipped
    says = {
        "utf8": ngettext(
            "{n} line was not UTF-8 and was passed over.",
            "{n} lines were not UTF-8 and were passed over.",
            n.get("utf8", 0),
        ),
        "json": ngettext(
            "{n} line began as JSON and was none; it was passed over.",
            "{n} lines began as JSON and were none; they were passed over.",
            n.get("json", 0),
        ),
        "text": ngettext(
            "{n} line of JSON had no «text», or a field of the wrong type; it was passed over.",
            "{n} lines of JSON had no «text», or a field of the wrong type; they were passed over.",
            n.get("text", 0),
        ),
        "long": ngettext(
            "{n} line was longer than a megabyte and was passed over.",
            "{n} lines were longer than a megabyte and were passed over.",
            n.get("long", 0),
        ),
        "known": ngettext(
            "{n} contribution had an id that was there already, or none that can be one, and was passed over.",
            "{n} contributions had ids that were there already, or none that can be one, and were passed over.",
            n.get("known", 0),
        ),
        "time": ngettext(
            "{n} contribution had a time that is none and was passed over.",
            "{n} contributions had times that are none and were passed over.",
            n.get("time", 0),
        ),
        "blank": ngettext(
            "{n} blank line was passed over.", "{n} blank lines were passed over.", n.get("blank", 0)
        ),
    }
    return [says[why].format(n=number(count, lang)) for why, count in n.items()]
