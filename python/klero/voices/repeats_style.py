"""How the marks in texts that repeat each other look, on a page and to a screen reader."""

from __future__ import annotations

from klero.words import words

__all__ = ["style"]

# What marks look like must be told without colours too: what is own is underlined, what was moved has dots below.
_STYLE = """
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
@media (max-width: 40rem) { .sides { grid-template-columns: 1fr } }
@media print { .sides h5 { break-after: avoid } }
"""


def style(lang: str) -> str:
    """The rules, with the words that are read aloud around a mark."""
    _ = words(lang).gettext
    spoken = "".join(
        f'mark.{kind}::before {{ content: " [{start}] " }} mark.{kind}::after {{ content: " [{end}] " }}\n'
        for kind, start, end in (
            ("o", _("own words"), _("end of own words")),
            ("v", _("moved"), _("end of moved")),
        )
    )
    return _STYLE + spoken
