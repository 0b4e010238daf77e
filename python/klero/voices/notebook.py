"""How does a result look in a notebook? Counts, and the largest groups with the beginning of their representative's text."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from klero.voices.near_duplicates import NearDuplicates

__all__ = ["html_of"]

_GROUPS, _LETTERS = 10, 160


def html_of(found: NearDuplicates) -> str:
    """A table of HTML, at most ten groups. Texts are other people's: all of it is escaped."""
    counts, settings = found.counts, found.settings
    rows = "".join(
        f"<tr><td>{escape(str(group.id))}</td><td>{group.size:,}</td><td>{group.distinct:,}</td><td>{group.weakest_edge:.2f}</td>"
        f'<td style="text-align:left">{escape(_beginning(found.text(group.representative)))}</td></tr>'
        for group in found.groups[:_GROUPS]
    )
    more = f"<p>… {counts.groups - _GROUPS:,} more groups.</p>" if counts.groups > _GROUPS else ""
    head = "<tr><th>group</th><th>size</th><th>distinct</th><th>weakest edge</th><th>representative</th></tr>"
    return (
        f"<p><b>{counts.texts:,} texts</b> = {counts.grouped:,} in {counts.groups:,} groups + {counts.alone:,} alone + {counts.empty:,} empty "
        f"({escape(settings.measure)} ≥ {settings.threshold:g}, {escape(settings.mode)})</p>"
        f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>{more}"
    )


def _beginning(text: str) -> str:
    line = " ".join(text[: 4 * _LETTERS].split())
    return line if len(line) <= _LETTERS else line[: _LETTERS - 1] + "…"
