"""The parts of the minutes that tell who was drawn, with which chances, and who withdrew."""

from __future__ import annotations

import unicodedata
from collections import Counter
from html import escape

from klero.ledger.paper import hash_html, table
from klero.ledger.phrases import millionths, moment, number, reason_words
from klero.ledger.record import Record, Round
from klero.words import words

__all__ = [
    "chances_section",
    "empty_seats",
    "gap_words",
    "loosened_table",
    "names_annex",
    "result_section",
    "withdrawals_table",
]


def result_section(facts: Record, round_: Round, lang: str, *, level: int = 2) -> str:
    """The panel of a round, by its leaves."""
    _ = words(lang).gettext
    heading = f"<h{level}>{escape(_('The result'))}</h{level}>\n"
    if round_.draw is None:
        return f"<section>\n{heading}<p>{escape(_('Nothing is drawn yet.'))}</p>\n</section>\n"
    panel = round_.draw.body["panel"]
    before = _panel_before(facts, round_)
    stayed = before - {
        leaf for entry, leaf, _code in facts.withdrawals if entry.sequence < round_.commitment.sequence
    }
    places = {leaf: i for i, leaf in enumerate(facts.leaves)}
    headings = [_("Number of the leaf (from 0)"), _("Pseudonym (leaf)")]
    if before:
        headings.append(_("Seat"))
    lines = []
    for leaf in panel:
        place = places.get(leaf)
        cells = ["?" if place is None else number(place, lang), hash_html(leaf)]
        if before:
            cells.append(escape(_("kept") if leaf in stayed else _("drawn in this round")))
        lines.append(cells)
    plural = words(lang).ngettext
    told = plural("{n} person has a seat.", "{n} people have a seat.", len(panel)).format(
        n=number(len(panel), lang)
    )
    text = _(
        "Each line of the public list stands for one person; names are known to the guarantor of the sealed files."
    )
    note = f"<p>{escape(text)}</p>\n"
    return f"<section>\n{heading}<p>{escape(told)}</p>\n{table(headings, lines)}{note}</section>\n"


def chances_section(facts: Record, lang: str) -> str:
    """The published summary of chances."""
    _ = words(lang).gettext
    summary = facts.rounds[0].commitment.body["summary"]
    lines = [(_span(low, high, lang), number(people, lang)) for low, high, people in summary["histogram"]]
    body = f"<h2>{escape(_('Chances'))}</h2>\n"
    if lines:
        caption = _("People by their chance of a seat, as published with the hash")
        body += table([_("Chance"), _("People")], lines, caption=caption, numbers=(1,))
    else:
        body += f"<p>{escape(_('With fewer than 10 people, chances are not published, since they would single people out.'))}</p>\n"
    if facts.declaration["must_sit"]:
        body += (
            f"<p>{escape(_('Those who have a seat for certain by the rules are not counted here.'))}</p>\n"
        )
    return f"<section>\n{body}<p>{escape(gap_words(facts, facts.rounds[0], lang))}</p>\n</section>\n"


def gap_words(facts: Record, round_: Round, lang: str) -> str:
    """How far a round's lottery is from the fairest one, and how far the rules let it be."""
    _ = words(lang).gettext
    summary = round_.commitment.body["summary"]
    if not _verified(facts, "gap"):
        text = _(
            "Distance to the fairest lottery that the quotas allow: at most {gap} as stated with the commitment, "
            "where the rules tolerate {tolerance}; not checked from these files."
        )
        return text.format(
            gap=millionths(summary["gap"], lang), tolerance=millionths(facts.declaration["tolerance"], lang)
        )
    level = {
        "L0": _("by arithmetic alone"),
        "L1": _("by arithmetic, with a case distinction where that is not enough"),
    }[summary["level"]]
    text = _(
        "Distance to the fairest lottery that the quotas allow: at most {gap}, where the rules tolerate {tolerance}; proved {level} (level {name})."
    )
    return text.format(
        gap=millionths(summary["gap"], lang),
        tolerance=millionths(facts.declaration["tolerance"], lang),
        level=level,
        name=summary["level"],
    )


def withdrawals_table(facts: Record, lang: str, zone: str) -> str:
    """How many withdrew, by reason and entry."""
    _ = words(lang).gettext
    if not facts.withdrawals:
        return f"<p>{escape(_('Nobody has withdrawn.'))}</p>\n"
    counts = Counter((entry.sequence, code) for entry, _leaf, code in facts.withdrawals)
    times = {entry.sequence: entry.time for entry, _leaf, _code in facts.withdrawals}
    panels = [set(round_.draw.body["panel"]) for round_ in facts.rounds if round_.draw]
    seated = set().union(*panels)
    lines = []
    for sequence, code in sorted(counts):
        among = sum(
            entry.sequence == sequence and code == other and leaf in seated
            for entry, leaf, other in facts.withdrawals
        )
        lines.append(
            (
                number(sequence, lang),
                escape(moment(times[sequence], lang, zone)),
                escape(reason_words(code, lang)),
                number(counts[sequence, code], lang),
                number(among, lang),
            )
        )
    headings = [_("Entry"), _("Date"), _("Reason"), _("People"), _("of whom had been drawn")]
    return table(headings, lines, caption=_("Withdrawals by reason"), numbers=(3, 4))


def loosened_table(facts: Record, round_: Round, lang: str) -> str:
    """The quotas of a round that are not the declared ones."""
    _ = words(lang).gettext
    loosened = round_.commitment.body["loosened"]
    if not loosened:
        return ""
    declared = {
        (feature["name"], v["value"]): (v["min"], v["max"])
        for feature in facts.declaration["features"]
        for v in feature["values"]
    }
    lines = [
        (
            f"{escape(feature)} – {escape(value)}",
            "–".join(number(x, lang) for x in declared[feature, value]),
            f"{number(low, lang)}–{number(high, lang)}",
        )
        for feature, value, low, high in loosened
    ]
    return table([_("Quota"), _("Declared"), _("In this round")], lines, caption=_("Quotas loosened"))


def empty_seats(facts: Record, lang: str) -> str:
    """How many seats are empty after the last entry, and whether a date is left to fill them. Nothing before the first draw."""
    if not facts.draws:
        return ""
    _ = words(lang).gettext
    free = facts.declaration["size"] - len(facts.panel)
    told = _("Seats empty after the last entry of the log: {n}.").format(n=number(free, lang))
    last = facts.rounds[-1]
    if free and (facts.abort or (last.draw and last.number >= len(facts.declaration["calendar"]))):
        told += " " + _("No date is left to fill them by lot.")
    return f"<p><strong>{escape(told)}</strong></p>\n"


def names_annex(facts: Record, lang: str) -> str:
    """The names of the panel drawn last, on a page of its own, in alphabetical order and without lines."""
    _ = words(lang).gettext
    heading = f"<h2>{escape(_('Annex: the people drawn'))}</h2>\n"
    if not facts.draws:
        told = f"<p>{escape(_('Nothing is drawn yet.'))}</p>\n"
        return f'<section class="next">\n{heading}{told}</section>\n'
    places = {leaf: i for i, leaf in enumerate(facts.leaves)}
    names = [_name(facts, places.get(leaf), lang) for leaf in facts.draws[-1].body["panel"]]
    items = "".join(f"<li>{escape(name)}</li>\n" for name in sorted(names, key=_alphabetical))
    note = _(
        "Of the draw made last, in alphabetical order, which is not that of the pseudonyms. "
        "Keep names and pseudonyms apart: side by side, they would show who withdrew and who is which line."
    )
    return f'<section class="next">\n{heading}<p>{escape(note)}</p>\n<ol>\n{items}</ol>\n</section>\n'


def _alphabetical(name: str) -> tuple[str, str]:
    """Letters without accents first, so that «Élodie» stands beside «Eloi»."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return plain.casefold(), name


def _verified(facts: Record, name: str) -> bool:
    """Whether the check of this name was made and passed."""
    return any(check.name == name and check.ok for check in facts.checks)


def _panel_before(facts: Record, round_: Round) -> set[str]:
    if not round_.number:
        return set()
    before = facts.rounds[facts.rounds.index(round_) - 1].draw
    return set(before.body["panel"]) if before else set()


def _name(facts: Record, place: int | None, lang: str) -> str:
    """The identity's `name` alone, where it has one; else all that it holds, the id last."""
    _ = words(lang).gettext
    identity = None if place is None or facts.people is None else facts.people[place]
    if identity is None:
        return _("erased")
    if "name" in identity:
        return identity["name"]
    rest = [identity[key] for key in sorted(identity) if key != "id"]
    return " · ".join([*rest, identity["id"]])


def _span(low: int, high: int, lang: str) -> str:
    _ = words(lang).gettext
    if high == 100:
        return escape(_("from {low} % to 100 %").format(low=low))
    return escape(_("from {low} % to below {high} %").format(low=low, high=high))
