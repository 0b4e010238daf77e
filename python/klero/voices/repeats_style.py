"""How the page about repeated contributions looks: on a screen light or dark, narrow or wide, and on paper."""

from __future__ import annotations

from klero.voices.repeats_words import safe
from klero.words import words

__all__ = ["page"]

_DARK = (
    "--ink: #ededed; --paper: #14181c; --muted: #b4b9be; --line: #4a525a; --accent: #6fb3e0; --soft: #2f5570; --grey: #69717a; "
    "--own: #4d3a0c; --own-line: #f0b64a; --shared: #1d3a4e; --moved: #40305a; --link: #8cc4ee; color-scheme: dark"
)
_LIGHT = (
    "--ink: #1a1a1a; --paper: #fff; --muted: #565656; --line: #b9b9b9; --accent: #1b5e8c; --soft: #a9cbe3; --grey: #9a9a9a; "
    "--own: #fff1c9; --own-line: #9a5b00; --shared: #dcecf7; --moved: #e9e0f5; --link: #0b5394; color-scheme: light"
)

# What marks look like must be told without colours too: what is own is underlined, what was moved has dots below.
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
svg { display: block; width: 100%; height: auto; font: 13px system-ui, "Liberation Sans", Arial, sans-serif } svg text { fill: var(--ink) }
svg .t { fill: var(--muted); font-size: 12px }
.a { fill: var(--accent) } .s { fill: var(--soft) } .m { fill: var(--grey) } .l { stroke: var(--muted) }
.group { border: 1px solid var(--line); border-radius: .4rem; padding: .8rem 1rem; margin: 1.4rem 0 }
.said { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; max-width: 52rem }
.said { border-left: 4px solid var(--soft); padding: .3rem .8rem; margin: .4rem 0 }
mark { color: inherit; background: none; border-radius: .15rem }
mark.o { background: var(--own); text-decoration: underline solid var(--own-line) 2px; text-underline-offset: .2em }
mark.c { background: var(--shared) } mark.v { background: var(--moved); text-decoration: underline dotted 2px; text-underline-offset: .2em }
mark.k { background: var(--own); border: 1px solid var(--own-line); border-radius: .7rem; padding: 0 .35em }
mark.k { font-size: .8em; font-weight: bold; unicode-bidi: isolate }
mark.o::before, mark.o::after, mark.v::before, mark.v::after { position: absolute; width: 1px; height: 1px; overflow: hidden }
mark.o::before, mark.o::after, mark.v::before, mark.v::after { clip-path: inset(50%); white-space: nowrap }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: .8rem }
.sides { break-inside: avoid }
.sides h5 { margin: .2rem 0; font-size: .95em; overflow-wrap: anywhere } .sides .said { font-size: .95em }
@media (max-width: 40rem) { .sides { grid-template-columns: 1fr } .group { padding: .6rem } th, td { padding: .2rem .35rem }
  svg, svg .t { font-size: 14px } tbody th:not(:has(a, mark), .n) { min-width: 6.5rem } }
@page { size: A4; margin: 16mm 14mm 18mm; @bottom-right { content: counter(page) " / " counter(pages); font: 9pt "Liberation Sans", Arial, sans-serif } }
@media print { body { font-size: 9.5pt; line-height: 1.35 } header, main, footer { max-width: none; padding: 0 }
  .skip, nav { display: none } mark, rect, th { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  .group { border: 0; border-top: 1.5pt solid var(--ink); border-radius: 0; padding: .6rem 0 0 }
  a { color: inherit; text-decoration: none } figure, .wide { overflow: visible } .group .wide, #method .wide { break-inside: avoid }
  h3, h4, h5, .sides h5 { break-after: avoid } }
"""


def page(title: str, header: str, body: str, footer: str, lang: str) -> bytes:
    """A whole file in UTF-8, which fetches nothing and runs nothing. `title` is text, the others are HTML."""
    _ = words(lang).gettext
    spoken = "".join(
        f'mark.{kind}::before {{ content: " [{start}] " }} mark.{kind}::after {{ content: " [{end}] " }}\n'
        for kind, start, end in (
            ("o", _("own words"), _("end of own words")),
            ("v", _("moved"), _("end of moved")),
        )
    )
    colours = (
        f":root {{ {_LIGHT} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {_DARK} }} }}\n"
    )
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="referrer" content="no-referrer">'
        f"<title>{safe(title)}</title><style>{colours}{_STYLE}{spoken}</style>"
    )
    content = _("To the content")
    skip = f'<a class="skip" href="#main">{safe(content)}</a>'
    return (
        f'<!doctype html>\n<html lang="{lang}"><head>{head}</head>\n<body>{skip}\n<header>\n{header}</header>\n'
        f'<main id="main">\n{body}</main>\n<footer>\n{footer}</footer></body></html>\n'
    ).encode()
