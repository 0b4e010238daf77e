"""The answer to one contributor as a page of HTML and as plain text: the same parts, in the same words."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from klero._harmless import harmless
from klero._page import html_table, page, paragraphs, safe, section
from klero.campaigns.contributor_words import Part, parts_of, title_of
from klero.words import words

if TYPE_CHECKING:
    from klero.campaigns.contributor import ContributorReport

__all__ = ["html_page", "plain_text"]

_WIDTH = 96
_STYLE = """
td { white-space: pre-wrap; overflow-wrap: anywhere } li { margin: .4rem 0; max-width: 46rem }
"""


def html_page(report: ContributorReport, lang: str) -> bytes:
    """One file that fetches nothing and runs nothing."""
    title = title_of(report, lang)
    header = f'<h1 class="ids">{safe(title)}</h1>\n'
    short, *parts = parts_of(report, lang)
    body = "".join(
        [section(short.name, short.heading, paragraphs(short.paragraphs, "lead")), *map(_section, parts)]
    )
    footer = paragraphs([words(lang).gettext("Made with klero. This is no legal advice.")], "small")
    return page(title, header, body, footer, lang, style=_STYLE)


def _section(part: Part) -> str:
    body = paragraphs(part.paragraphs)
    if part.headings:
        body += html_table(part.headings, [[safe(cell) for cell in row] for row in part.rows])
    if part.points:
        body += "<ul>\n" + "".join(f"<li>{safe(point)}</li>\n" for point in part.points) + "</ul>\n"
    return section(part.name, part.heading, body)


def plain_text(report: ContributorReport, lang: str) -> str:
    """Lines of at most 96 signs, but for words that are longer; nothing in them is obeyed by a terminal."""
    title = title_of(report, lang)
    blocks = [f"{title}\n{'=' * len(title)}"]
    for part in parts_of(report, lang):
        lines = [f"{part.heading}\n{'-' * len(part.heading)}", *(_wrapped(text) for text in part.paragraphs)]
        if part.headings:
            lines.append("\n".join(f"- {row[0]}: {' | '.join(row[1:])}" for row in part.rows))
        if part.points:
            lines.append("\n".join(_wrapped(point, "- ", "  ") for point in part.points))
        blocks.append("\n\n".join(lines))
    words_end = words(lang).gettext("Made with klero. This is no legal advice.")
    return harmless("\n\n".join([*blocks, words_end])) + "\n"


def _wrapped(text: str, first: str = "", later: str = "") -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )
