"""Parts of the page that are there where they were asked for: a person's coding beside the groups, what comes back, and who would be seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from klero._page import html_table, safe
from klero.themes.report import Part
from klero.voices import personal
from klero.words import words

if TYPE_CHECKING:
    from klero.themes.confront import Confrontation
    from klero.themes.minority_audit import Audit
    from klero.themes.stability import Stability

__all__ = ["audit_part", "confront_part", "lines_html", "stability_part"]

_LONGEST = 400  # code points of a text that is to be discussed


def confront_part(beside: Confrontation, texts: Sequence[str], lang: str, mask: str | None = None) -> Part:
    """Where a person's coding and the groups differ, and the texts to talk about first.

    Args:
        beside: the two, compared without texts.
        texts: of the contributions that were compared.
        lang: "en" or "fr".
        mask: a language of `klero.words`: what looks like an e-mail address and so on is replaced.
    """
    _ = words(lang).gettext

    def show(text: str) -> str:
        return text if mask is None else personal.mask(text, mask)

    rows = [
        [
            f"<bdi>{safe(show(str(one.id)))}</bdi>",
            f"<bdi>{safe(show(one.code))}</bdi>",
            safe(one.name),
            f"<bdi>{safe(show(one.majority or '–'))}</bdi>",
            f'<bdi lang="">{safe(_beginning(show(texts[one.row])))}</bdi>',
        ]
        for one in beside.texts
    ]
    body = lines_html(show(beside.explain(lang)))
    if rows:
        headings = [
            _("id"),
            _("code of the person"),
            _("group"),
            _("code of most in the group"),
            _("text"),
        ]
        body += html_table(headings, rows, caption=_("Texts to discuss first"))
    return Part("coding", _("A person's coding beside the groups"), body)


def _beginning(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def stability_part(seen: Stability, lang: str) -> Part:
    """Which groups came back in resamples."""
    _ = words(lang).gettext
    return Part("stability", _("Would the same groups be found again?"), lines_html(seen.explain(lang=lang)))


def audit_part(audit: Audit, lang: str) -> Part:
    """What became of the voices that were planted."""
    _ = words(lang).gettext
    return Part("audit", _("Would a few voices be seen?"), lines_html(audit.explain(lang)))


def lines_html(text: str) -> str:
    """Lines as paragraphs; those that begin with «- » as a list."""
    out, inside = "", False
    for line in filter(None, text.split("\n")):
        item = line.startswith("- ")
        if item != inside:
            out += "<ul>" if item else "</ul>\n"
            inside = item
        out += f"<li>{safe(line[2:])}</li>" if item else f"<p>{safe(line)}</p>\n"
    return out + ("</ul>\n" if inside else "")
