"""How does a result become one page that anybody can read, print and pass on?

What the pages of klero share: the shell of a file of HTML that fetches nothing, its looks (light, dark, narrow, on paper), and the few pieces
of HTML that they are made of. Everything that comes from a table goes through :func:`safe`.

Guaranteed: the browser is told to refuse whatever is not on the page (a content security policy that names the digests of the one style and of
the one script, so that a text which got past the escaping could still neither run nor fetch anything); the same arguments give the same bytes.
Not guaranteed: that a reader of the file can't change it.

>>> page("A title", "<h1>A title</h1>", "<p>Words</p>", "", "en")[:15]
b'<!doctype html>'
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from html import escape

from klero._harmless import harmless
from klero.words import words

__all__ = ["figure", "html_table", "page", "paragraphs", "safe", "section"]

_DARK = (
    "--ink: #ededed; --paper: #14181c; --muted: #b4b9be; --line: #4a525a; --accent: #6fb3e0; --soft: #2f5570; --grey: #69717a; "
    "--own: #4d3a0c; --own-line: #f0b64a; --shared: #1d3a4e; --moved: #40305a; --link: #8cc4ee; color-scheme: dark"
)
_LIGHT = (
    "--ink: #1a1a1a; --paper: #fff; --muted: #565656; --line: #b9b9b9; --accent: #1b5e8c; --soft: #a9cbe3; --grey: #9a9a9a; "
    "--own: #fff1c9; --own-line: #9a5b00; --shared: #dcecf7; --moved: #e9e0f5; --link: #0b5394; color-scheme: light"
)

_STYLE = """
body { font: 11pt/1.5 system-ui, "Liberation Sans", Arial, sans-serif; color: var(--ink); background: var(--paper); margin: 0 }
header, main, footer { max-width: 62rem; margin: 0 auto; padding: 0 1rem } main { padding-bottom: 2rem }
h1 { font-size: 1.7em; line-height: 1.2; margin: 1.5rem 0 .3rem }
h2 { font-size: 1.3em; margin: 2.4rem 0 .5rem; border-bottom: 1px solid var(--line) }
h3 { font-size: 1.12em; margin: 0 0 .3rem; overflow-wrap: anywhere } h4 { font-size: 1em; margin: 1.1rem 0 .3rem }
h2, h3, h4, caption { break-after: avoid } p { margin: .5rem 0; max-width: 46rem } a { color: var(--link) }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
.skip { position: absolute; left: -99rem } .skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .4rem }
.lead { font-size: 1.15em } .small, .t { color: var(--muted); font-size: .9em }
.notice { border: 2px solid var(--own-line); padding: .5rem .9rem; margin: 1rem 0; max-width: 46rem; break-inside: avoid }
table { border-collapse: collapse; margin: .6rem 1px; max-width: calc(100% - 2px) } caption { text-align: left; font-weight: bold; padding: .3rem 0 }
th, td { border: 1px solid var(--line); padding: .2rem .6rem; text-align: left; vertical-align: top; overflow-wrap: anywhere }
thead th { overflow-wrap: normal } td:has(bdi) { min-width: 12rem }
td.n, th.n { text-align: right; overflow-wrap: normal } td.n, tbody th.n { white-space: nowrap; font-variant-numeric: tabular-nums }
thead { display: table-header-group }
tr { break-inside: avoid } p { orphans: 3; widows: 3 } .ids { overflow-wrap: anywhere } summary { cursor: pointer }
.wide { overflow-x: auto; max-width: 100% } figure { margin: .8rem 0; break-inside: avoid; overflow-x: auto }
figcaption { font-weight: bold; margin-bottom: .3rem }
svg { display: block; max-width: 100%; height: auto; font: 13px system-ui, "Liberation Sans", Arial, sans-serif } svg text { fill: var(--ink) }
svg .t { fill: var(--muted); font-size: 12px }
.a { fill: var(--accent) } .s { fill: var(--soft) } .m { fill: var(--grey) } .l { stroke: var(--muted) }
.group { border: 1px solid var(--line); border-radius: .4rem; padding: .8rem 1rem; margin: 1.4rem 0 }
.said { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; max-width: 52rem }
.said { border-left: 4px solid var(--soft); padding: .3rem .8rem; margin: .4rem 0 }
@media (max-width: 40rem) { .group { padding: .6rem } th, td { padding: .2rem .35rem; overflow-wrap: break-word }
  figure:not(.little) svg { min-width: 34rem } tbody th:not(:has(a, mark), .n) { min-width: 6.5rem } }
@page { size: A4; margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 9pt "Liberation Sans", Arial, sans-serif } }
@media print { body { font-size: 9.5pt; line-height: 1.35 } header, main, footer { max-width: none; padding: 0 }
  .skip, nav { display: none } mark, rect, th { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  .group { border: 0; border-top: 1.5pt solid var(--ink); border-radius: 0; padding: .6rem 0 0 }
  a { color: inherit; text-decoration: none } figure, .wide { overflow: visible } .group .wide, #method .wide { break-inside: avoid }
  h3, h4, h5 { break-after: avoid } }
"""


def page(
    title: str, header: str, body: str, footer: str, lang: str, *, style: str = "", script: str = ""
) -> bytes:
    """A whole file in UTF-8, which fetches nothing and runs nothing but `script`.

    Args:
        title: text.
        header, body, footer: HTML.
        lang: "en" or "fr".
        style: rules after those that all pages have.
        script: JavaScript at the end of the page, which must be readable without it.
    """
    _ = words(lang).gettext
    colours = (
        f":root {{ {_LIGHT} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}\n"
    )
    looks = colours + _STYLE + style
    policy = f"default-src 'none'; style-src {_digest(looks)}; script-src {_digest(script) if script else chr(39) + 'none' + chr(39)}"
    policy += "; base-uri 'none'; form-action 'none'"
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{safe(title)}</title><style>{looks}</style>"
    )
    skip = f'<a class="skip" href="#main">{safe(_("To the content"))}</a>'
    runs = f"<script>{script}</script>\n" if script else ""
    return (
        f'<!doctype html>\n<html lang="{lang}"><head>{head}</head>\n<body>{skip}\n<header>\n{header}</header>\n'
        f'<main id="main">\n{body}</main>\n<footer>\n{footer}</footer>\n{runs}</body></html>\n'
    ).encode()


def _digest(text: str) -> str:
    """What a content security policy calls a style or a script by."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def safe(text: str) -> str:
    """Text as HTML: harmless, and escaped.

    >>> safe("a<b\\x00\\u202ec")
    'a&lt;b⟨U+0000⟩⟨U+202E⟩c'
    """
    return escape(harmless(text))


def paragraphs(lines: Iterable[str], kind: str = "") -> str:
    """A paragraph for each text, of a class if one is given."""
    attribute = f' class="{kind}"' if kind else ""
    return "".join(f"<p{attribute}>{safe(line)}</p>\n" for line in lines)


def section(name: str, heading: str, body: str) -> str:
    """A part of the page with its heading (text); `name` is what links lead to."""
    return f'<section id="{name}" aria-labelledby="{name}-h"><h2 id="{name}-h">{safe(heading)}</h2>\n{body}</section>\n'


def figure(caption: str, svg: str, *, little: bool = False) -> str:
    """A picture with its caption. A wide one keeps its size on a narrow screen and is moved sideways, by keyboard too."""
    kind = ' class="little"' if little else ' tabindex="0"'
    return f"<figure{kind}><figcaption>{safe(caption)}</figcaption>{svg}</figure>\n"


def html_table(
    headings: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = (), caption: str = ""
) -> str:
    """A table in a box that can be scrolled sideways, by keyboard too; the first cell of each row is its heading.

    Args:
        headings: text.
        rows: cells as HTML.
        numbers: the columns that hold numbers.
        caption: text.
    """
    right = frozenset(numbers)
    kind = [' class="n"' if i in right else "" for i in range(len(headings))]
    head = "".join(f'<th scope="col"{kind[i]}>{safe(heading)}</th>' for i, heading in enumerate(headings))
    body = "".join(
        f'<tr><th scope="row"{kind[0]}>{first}</th>'
        + "".join(f"<td{kind[i]}>{cell}</td>" for i, cell in enumerate(rest, 1))
        + "</tr>\n"
        for first, *rest in rows
    )
    title = f"<caption>{safe(caption)}</caption>" if caption else ""
    box = f'<div class="wide" tabindex="0" role="region" aria-label="{safe(caption or ", ".join(headings))}">'
    return f"{box}<table>{title}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
