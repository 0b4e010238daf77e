"""What is one person answered who asks: what was my chance, and was I drawn?

A page for that person alone: who answers about which draw, the chance and the reason for it in each round, the outcome, and how to check it. It names nobody
else and holds nothing of the minutes.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from klero.ledger.paper import blank, hash_html, page, rows
from klero.ledger.phrases import moment
from klero.ledger.reasons import chances
from klero.ledger.record import Record
from klero.ledger.steps import ids_of
from klero.words import words

__all__ = ["person_html"]


def person_html(
    record: Mapping[str, bytes] | Record, person: str, lang: str = "en", *, zone: str = ""
) -> bytes:
    """The answer to one person as one HTML file.

    Args:
        record: its files by name, or what was read of them; with the auditor tier.
        person: an id (sealed tier) or a leaf.
        lang: `en` or `fr`.
        zone: the time zone to give times in beside UTC, such as Europe/Paris.

    Raises:
        InputError: the person or the zone is unknown, or the auditor's files are not there.
        BundleError: the record can't be read, or a check on which chances rest fails.
    """
    facts = record if isinstance(record, Record) else Record.parse(record)
    _ = words(lang).gettext
    told = chances(facts, person, lang)
    shown = ids_of(facts, [person]).get(person, person) if person in facts.leaves else person
    declaration = facts.declaration
    title = _("What was my chance, and why?")
    lines = [
        (_("Person"), f'<span class="long">{escape(shown)}</span>'),
        (_("Draw"), escape(declaration["title"])),
        (_("Organiser"), escape(declaration["organiser"])),
        (_("Hash published"), hash_html(facts.hash)),
    ]
    parts = [f"<h1>{escape(title)}</h1>\n{rows(lines)}"]
    for chance, round_ in zip(told, facts.rounds, strict=True):
        name = _("Replacement round {round}").format(round=chance.round) if chance.round else _("The draw")
        if round_.draw is not None:
            name += f" – {moment(round_.draw.time, lang, zone)}"
        said = "".join(f"<p>{escape(text)}</p>\n" for text in chance.sentences)
        parts.append(f'<section class="keep">\n<h2>{escape(name)}</h2>\n{said}</section>\n')
    check = _(
        "To check: the receipt of registration and the public files, opened in the verifier, show the same line and the same ticket."
    )
    parts.append(f"<h2>{escape(_('How to check'))}</h2>\n<p>{escape(check)}</p>\n")
    parts.append(
        f"<p>{escape(_('Done at'))} {blank(lang)} {escape(_('on'))} {blank(lang)}</p>\n"
        f"<p>{escape(_('For the organiser:'))} {blank(lang)}</p>\n"
    )
    return page(f"{title} – {declaration['title']}", "".join(parts), lang)
