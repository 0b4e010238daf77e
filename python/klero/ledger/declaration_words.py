"""What does a declaration say, in words?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from klero.ledger.clock import written
from klero.ledger.sources import source_time, source_words
from klero.words import number, words

if TYPE_CHECKING:
    from klero.ledger.declare import Declaration

__all__ = ["declaration_words"]

_DAY = 86400


def declaration_words(declaration: Declaration, lang: str) -> list[str]:
    """Its lines. `lang`: «en» or «fr»."""
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    said = declaration.document
    cells = sum(len(feature["values"]) for feature in said["features"])
    lines = [
        f"{said['title']} ({said['organiser']}, {said['draw']}, {said['sequence']})",
        _("{size} seats, {people} people, {cells} quotas, fairness: {objective}, {balls} balls").format(
            size=said["size"],
            people=number(said["people"], lang),
            cells=cells,
            objective=said["objective"],
            balls=number(said["denominator"], lang),
        ),
    ]
    if said["must_sit"]:
        lines.append(
            ngettext(
                "{n} person has a seat for certain", "{n} people have a seat for certain", said["must_sit"]
            ).format(n=said["must_sit"])
        )
    lines.append(_("First draw:"))
    lines += [f"- {source_words(source, lang)}" for source in said["sources"]]
    for source in said["fallback"]:
        lines.append(
            "- " + _("if that round never comes: {source}").format(source=source_words(source, lang))
        )
    for round_, sources in enumerate(said["calendar"], 1):
        lines.append(_("Replacement round {n}:").format(n=round_))
        lines += [f"- {source_words(source, lang)}" for source in sources]
    lines.append(
        _("The certificate's gap may be at most {tolerance} millionths.").format(tolerance=said["tolerance"])
    )
    lines.append(
        _("Each step is signed by {t} of these, one of them not the organiser:").format(t=said["threshold"])
    )
    roles = {"guarantor": _("guarantor"), "organiser": _("organiser"), "witness": _("witness")}
    lines += [f"- {key['name']} ({roles[key['role']]}), {key['key'][:16]}…" for key in said["keys"]]
    first, notice = min(source_time(source) for source in said["sources"]), said["notice"]
    if notice % _DAY:
        text = _("The commitment must stand by {time}, {notice} seconds before the first randomness.")
    else:
        text = _("The commitment must stand by {time}, {span} before the first randomness.")
    days = ngettext("{n} day", "{n} days", notice // _DAY).format(n=number(notice // _DAY, lang))
    lines.append(text.format(time=written(first - notice), notice=number(notice, lang), span=days))
    return lines
