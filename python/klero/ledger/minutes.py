"""What was drawn, by whom, when, from what, and was everything in order?

The minutes (procès-verbal) of a draw, generated from its record: one HTML file for A4 paper, without scripts, in English or French, with the
headings that orders for public draws ask for. What a record can't know (legal basis, place, who was there) is left as marked blanks, or given.
The same record and options give the same bytes. The result is told by pseudonyms; names are printed only where they are asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from html import escape

from klero.errors import Fault, InputError
from klero.ledger.check_words import check_sentence, count_words, detail_words, outcome_words
from klero.ledger.entries import Entry
from klero.ledger.minutes_result import (
    chances_section,
    empty_seats,
    gap_words,
    loosened_table,
    names_annex,
    result_section,
    withdrawals_table,
)
from klero.ledger.paper import blank, hash_html, page, rows, table
from klero.ledger.phrases import (
    clear_days,
    listed,
    millionths,
    moment,
    number,
    reveal_words,
    role_words,
    source_line,
    where_to_check,
)
from klero.ledger.record import Record, Round
from klero.ledger.rounds import beacon_of, needs_reading, passed_over, passed_words, too_late
from klero.ledger.sources import source_time
from klero.words import words

__all__ = ["minutes_html"]


def minutes_html(
    record: Mapping[str, bytes] | Record,
    lang: str = "en",
    *,
    present: Sequence[tuple[str, str]] = (),
    exclusions: Sequence[tuple[str, int]] | None = None,
    names: bool = False,
    zone: str = "",
) -> bytes:
    """The minutes as one HTML file.

    Args:
        record: its files by name, or what was read of them.
        lang: `en` or `fr`.
        present: (name, role) of those who were there; lines to fill in if empty.
        exclusions: (reason, people) of those left out before; to be filled in if None, nobody if empty.
        names: add the names of those drawn, which needs the sealed tier: on a page of its own, in alphabetical order and without
            their lines, since whoever has both could find relatives' and neighbours' lines by exclusion.
        zone: the time zone to give times in beside UTC, such as Europe/Paris.

    Raises:
        BundleError: the record can't be read.
        InputError: the sealed tier was asked for and is not there, or the zone is unknown.
    """
    facts = record if isinstance(record, Record) else Record.parse(record)
    if names and facts.people is None:
        message = "names need the sealed file (sealed/people.json), and this record has none"
        raise InputError([Fault("tier-missing", message, "")])
    _ = words(lang).gettext
    declaration = facts.declaration
    title = _("Minutes of a draw by lot")
    parts = [
        f"<h1>{escape(title)}</h1>\n<p><strong>{escape(declaration['title'])}</strong></p>\n",
        _alert(facts, lang),
        _object(facts, lang),
        _publication(facts, lang, zone),
        _counts(facts, exclusions, lang),
        _quotas(facts, lang),
        _present(present, lang),
        *(_chance(facts, round_, lang, zone) for round_ in facts.rounds[:1]),
        result_section(facts, facts.rounds[0], lang),
        chances_section(facts, lang),
        _replacements(facts, lang, zone),
        _incidents(facts, lang, zone),
        _checks(facts, lang),
        _signatures(facts, lang),
        names_annex(facts, lang) if names else "",
    ]
    return page(f"{title} – {declaration['title']}", "".join(parts), lang)


def _section(heading: str, body: str, level: int = 2) -> str:
    return f"<section>\n<h{level}>{escape(heading)}</h{level}>\n{body}</section>\n"


def _alert(facts: Record, lang: str) -> str:
    """A box above all else if a check fails: minutes of a record that is not valid must say so first."""
    _ = words(lang).gettext
    failed = facts.failed
    if not failed:
        return ""
    names = listed(
        [f"«{check.name}»" for check in failed if not check.detail.startswith("not checked")]
        or [f"«{failed[0].name}»"],
        lang,
    )
    text = _("This record is not valid as it stands: the checks {names} fail. See «Incidents» and «Checks».")
    return f'<p class="alert" role="note"><strong>{escape(text.format(names=names))}</strong></p>\n'


def _object(facts: Record, lang: str) -> str:
    _ = words(lang).gettext
    declaration = facts.declaration
    objective = {
        "goldilocks": _("goldilocks (no chance very large or very small)"),
        "leximin": _("leximin (the smallest chances as large as the quotas allow, one after the other)"),
        "maximin": _("maximin (the smallest chance as large as the quotas allow)"),
        "minimax": _("minimax (the largest chance as small as the quotas allow)"),
        "nash": _("nash (the product of all chances as large as the quotas allow)"),
    }[declaration["objective"]]
    lines = [
        (_("Organiser"), escape(declaration["organiser"])),
        (_("Object of the draw"), escape(declaration["title"])),
        (_("Question put to the panel"), escape(declaration["question"]) or blank(lang)),
        (_("Legal basis"), blank(lang)),
        (_("Authority or person in charge"), blank(lang)),
        (_("Place and time of the session"), blank(lang)),
        (_("Identifier of the draw"), escape(declaration["draw"])),
        (_("Number in the organiser's series"), number(declaration["sequence"], lang)),
        (_("Notion of fairness"), escape(objective)),
        (
            _("Largest distance to the fairest lottery that the rules tolerate"),
            millionths(declaration["tolerance"], lang),
        ),
        (
            _("Protocol"),
            escape(f"{declaration['protocol']}, {declaration['format']}, {declaration['algorithm']}"),
        ),
    ]
    return _section(_("Object and legal basis"), rows(lines))


def _publication(facts: Record, lang: str, zone: str) -> str:
    """What was announced, when, and how long before."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    first = facts.entries[0]
    times = [source_time(source) for source in facts.declaration.sources(0)]
    earliest, latest = min(times), max(times)
    days = clear_days(first.time, earliest, zone)
    told = plural("{n} clear day", "{n} clear days", days).format(n=number(days, lang))
    asked = facts.declaration["notice"]
    span = plural("{n} hour", "{n} hours", asked // 3600).format(n=number(asked // 3600, lang))
    if asked % 86400 == 0:
        span = plural("{n} day", "{n} days", asked // 86400).format(n=number(asked // 86400, lang))
    elif asked % 3600:
        span = _("{seconds} seconds").format(seconds=number(asked, lang))
    stamped = any(check.name == "timestamps.signature" and check.ok for check in facts.checks)
    lines = [
        (_("Rules, people and lottery fixed (signed commitment)"), escape(moment(first.time, lang, zone))),
        (_("Hash published"), hash_html(facts.hash, big=True)),
        (_("Where and when it was published"), blank(lang)),
        (_("Date announced for the draw"), escape(moment(latest, lang, zone))),
        (_("Between the commitment and the first randomness"), escape(told)),
        (_("Least time declared between them"), escape(span)),
        *(
            (
                _("Time-stamp of entry no. {n}").format(n=n),
                escape(
                    moment(t, lang, zone) + ("" if stamped else f" ({_('its signature was not checked')})")
                ),
            )
            for n, t in facts.timestamps
        ),
    ]
    note = _("Clear days: neither the day of the commitment nor that of the draw is counted.")
    return _section(_("Prior publication"), f"{rows(lines)}<p>{escape(note)}</p>\n")


def _counts(facts: Record, exclusions: Sequence[tuple[str, int]] | None, lang: str) -> str:
    _ = words(lang).gettext
    declaration = facts.declaration
    pool = declaration["people"]
    out = None if exclusions is None else sum(count for _reason, count in exclusions)
    lines = [
        (_("People registered"), blank(lang) if out is None else number(pool + out, lang)),
        (_("People excluded before the draw"), blank(lang) if out is None else number(out, lang)),
        (_("People in the pool (fixed by the hash)"), number(pool, lang)),
        (_("Seats to draw"), number(declaration["size"], lang)),
        (_("People with a seat for certain"), number(declaration["must_sit"], lang)),
    ]
    home = declaration["household"]
    lines.append(
        (_("Most people of one household"), number(home, lang) if home else escape(_("no such rule")))
    )
    body = rows(lines)
    caption = _("Exclusions by reason")
    if exclusions:
        cells = [(escape(reason), number(count, lang)) for reason, count in exclusions]
        body += table([_("Reason"), _("People")], cells, caption=caption, numbers=(1,))
    elif exclusions is None:
        cells = [(blank(lang), blank(lang)) for _line in range(3)]
        body += table([_("Reason"), _("People")], cells, caption=caption)
    return _section(_("Counts"), body)


def _quotas(facts: Record, lang: str) -> str:
    _ = words(lang).gettext
    features = facts.declaration["features"]
    if not features:
        return _section(_("Quotas"), f"<p>{escape(_('The rules set no quotas.'))}</p>\n")
    lines = [
        (f"{escape(feature['name'])} – {escape(v['value'])}", number(v["min"], lang), number(v["max"], lang))
        for feature in features
        for v in feature["values"]
    ]
    return _section(_("Quotas"), table([_("Quota"), _("At least"), _("At most")], lines, numbers=(1, 2)))


def _present(present: Sequence[tuple[str, str]], lang: str) -> str:
    _ = words(lang).gettext
    room = '<span class="sign"></span>'
    cells = [(escape(name), escape(role) or blank(lang), room) for name, role in present]
    if not cells:
        cells = [(blank(lang), blank(lang), room) for _line in range(4)]
    return _section(_("People present"), table([_("Name"), _("Role"), _("Signature")], cells))


def _chance(facts: Record, round_: Round, lang: str, zone: str, *, level: int = 2) -> str:
    """Where the randomness of a round came from, and what was read."""
    _ = words(lang).gettext
    draw = round_.draw
    used = draw is not None and draw.body["fallback"] == "yes" and bool(facts.declaration["fallback"])
    # A reveal that fails `randomness` has no form to rely on; it is shown as it stands.
    formed = any(check.name == "randomness" and check.ok for check in facts.checks)
    sources = facts.declaration.sources(round_.number, fallback=used and not round_.number)
    body = ""
    entry = draw or round_.reading
    known = entry.body["reveals"] if entry else []
    for source in sources:
        read = blank(lang)
        if known and not formed:
            read = f'<span class="hash">{escape(repr(known))}</span>'
        for reveal in known if formed else ():
            if reveal["kind"] == source["kind"]:
                read = f'<span class="hash">{escape(reveal_words(reveal, source, lang))}</span>'
        body += rows(
            [
                (_("Source, as declared, and its time"), escape(source_line(source, lang, zone))),
                (_("What was read"), read),
                (_("Where to check"), f'<span class="long">{escape(where_to_check(source, lang))}</span>'),
            ]
        )
    if needs_reading(sources):
        body += _reading(facts, round_, lang, zone)
    if draw is not None:
        body += rows(
            [
                (_("Draw entered in the log"), escape(moment(draw.time, lang, zone))),
                (_("Seed"), hash_html(draw.body["seed"])),
                (
                    _("Position, from 0 to {last}").format(
                        last=number(facts.declaration["denominator"] - 1, lang)
                    ),
                    number(draw.body["position"], lang),
                ),
                (_("Values rejected before it"), number(draw.body["rejected"], lang)),
                (_("Entry signed by"), _signers(facts, draw, lang)),
                (_("Hash of this entry"), hash_html(draw.hash)),
            ]
        )
    return _section(_("The randomness"), body, level)


def _reading(facts: Record, round_: Round, lang: str, zone: str) -> str:
    """What was read before the beacon: by whom, when, how long before."""
    _ = words(lang).gettext
    beacon = beacon_of(facts.declaration.sources(round_.number))
    reading = round_.reading
    lines = [(_("Read aloud by"), blank(lang))]
    if reading is None:
        lines.append((_("Reading signed and entered in the log"), escape(_("not yet"))))
    else:
        lines += [
            (_("Reading signed and entered in the log"), escape(moment(reading.time, lang, zone))),
            (_("Entry signed by"), _signers(facts, reading, lang)),
            (_("Hash of this entry"), hash_html(reading.hash)),
        ]
    if beacon is not None:
        text = _("round {round}, {when}").format(
            round=number(beacon["round"], lang), when=moment(source_time(beacon), lang, zone)
        )
        lines.append((_("Before the beacon's declared round"), escape(text)))
    return rows(lines)


def _signers(facts: Record, entry: Entry, lang: str) -> str:
    """Names and roles of those who signed an entry."""
    names = [
        f"{key['name']} ({role_words(key['role'], lang)})"
        for key in facts.declaration["keys"]
        if hashlib.sha256(bytes.fromhex(key["key"])).hexdigest() in entry.keyids
    ]
    if any(check.name == "signatures" and check.bad for check in facts.checks):
        names.append(words(lang).gettext("not established, as the check «signatures» fails"))
    return escape("; ".join(names) if lang == "en" else "\u202f; ".join(names)) or "–"


def _replacements(facts: Record, lang: str, zone: str) -> str:
    """Who withdrew for which reason, and the rounds after the first."""
    _ = words(lang).gettext
    parts = [withdrawals_table(facts, lang, zone)]
    for round_ in facts.rounds[1:]:
        parts += [
            f"<p>{escape(passed_words(facts.declaration, passed, lang, zone))}</p>\n"
            for passed in passed_over(facts, round_)
        ]
        title = escape(_("Replacement round {round}").format(round=round_.number))
        days = clear_days(
            round_.commitment.time, min(map(source_time, facts.declaration.sources(round_.number))), zone
        )
        parts.append(
            f"<h3>{title}</h3>\n"
            + rows(
                [
                    (
                        _("Rules, people and lottery fixed (signed commitment)"),
                        escape(moment(round_.commitment.time, lang, zone)),
                    ),
                    (_("Hash published"), hash_html(round_.commitment.hash)),
                    (
                        _("People in the pool (fixed by the hash)"),
                        number(round_.commitment.body["summary"]["people"], lang),
                    ),
                    (
                        _("Between the commitment and the first randomness"),
                        escape(
                            words(lang)
                            .ngettext("{n} clear day", "{n} clear days", days)
                            .format(n=number(days, lang))
                        ),
                    ),
                ]
            )
            + f"<p>{escape(gap_words(facts, round_, lang))}</p>\n"
            + loosened_table(facts, round_, lang)
            + _chance(facts, round_, lang, zone, level=4)
            + result_section(facts, round_, lang, level=4)
        )
    parts.append(empty_seats(facts, lang))
    return _section(_("Withdrawals and replacements"), "".join(parts))


def _incidents(facts: Record, lang: str, zone: str) -> str:
    """What did not go as planned, as far as the record knows, and room for the rest."""
    _ = words(lang).gettext
    lines = []
    if any(round_.draw and round_.draw.body["fallback"] == "yes" for round_ in facts.rounds):
        lines.append(
            _(
                "The declared round of the beacon was not to be had, and the declared fallback took its place. "
                "Whoever holds that round's signature refutes this."
            )
        )
    if facts.abort:
        text = _("The procedure was aborted on {when}. Reason given: {reason}")
        lines.append(
            text.format(when=moment(facts.abort.time, lang, zone), reason=facts.abort.body["reason"])
        )
    lines += [text for entry in facts.entries for text in _pending(facts, entry, lang)]
    for round_ in facts.rounds:
        if round_.draw is None and not facts.abort:
            lines.append(_("Round {round} is committed and not drawn yet.").format(round=round_.number))
        if too_late(facts, round_):
            text = _(
                "Nothing was read in time before the beacon of round {round}, so that it can't be drawn any more."
            )
            lines.append(text.format(round=round_.number))
        if round_.commitment.body["loosened"]:
            lines.append(
                _("In round {round}, quotas were loosened, as published with its commitment.").format(
                    round=round_.number
                )
            )
    for check in facts.failed:
        if check.detail.startswith("not checked"):
            continue  # the table of checks names the one that it follows from
        text = _("The check «{name}» fails, so that this is not shown: {sentence}")
        told = text.format(name=check.name, sentence=check_sentence(check.name, lang))
        lines.append(f"{told} {detail_words(check.detail, lang)}")
    items = "".join(f"<li>{escape(line)}</li>\n" for line in lines)
    told = f"<ul>\n{items}</ul>\n" if lines else f"<p>{escape(_('The record tells of none.'))}</p>\n"
    return _section(
        _("Incidents"), f"{told}<p>{escape(_('Others, or remarks of those present:'))} {blank(lang)}</p>\n"
    )


def _pending(facts: Record, entry: Entry, lang: str) -> list[str]:
    """What an entry's signatures lack: their number, or somebody who is not the organiser."""
    missing = facts.declaration["threshold"] - len(entry.keyids)
    if missing > 0:
        plural = words(lang).ngettext(
            "Entry no. {number} of the log still lacks {n} signature.",
            "Entry no. {number} of the log still lacks {n} signatures.",
            missing,
        )
        return [plural.format(number=entry.sequence, n=missing)]
    own = {
        hashlib.sha256(bytes.fromhex(key["key"])).hexdigest()
        for key in facts.declaration["keys"]
        if key["role"] == "organiser"
    }
    if set(entry.keyids) <= own:
        text = words(lang).gettext("Entry no. {number} of the log is signed by the organiser's keys alone.")
        return [text.format(number=entry.sequence)]
    return []


def _checks(facts: Record, lang: str) -> str:
    _ = words(lang).gettext
    lines = [
        (
            f"<code>{escape(check.name)}</code>",
            escape(check_sentence(check.name, lang)),
            escape(outcome_words(check, lang)),
        )
        for check in facts.checks
    ]
    made = ["--" if check.detail.startswith("not checked") else check.status for check in facts.checks]
    told = count_words(made, lang)
    body = table([_("Check"), _("What it shows"), _("Outcome")], lines)
    return _section(_("Checks"), f"<p>{escape(told)}</p>\n{body}")


def _signatures(facts: Record, lang: str) -> str:
    """The keys, what each has signed, and lines for ink."""
    _ = words(lang).gettext
    lines = []
    for key in facts.declaration["keys"]:
        keyid = hashlib.sha256(bytes.fromhex(key["key"])).hexdigest()
        signed = [str(entry.sequence) for entry in facts.entries if keyid in entry.keyids]
        lines.append(
            (
                escape(key["name"]),
                escape(role_words(key["role"], lang)),
                hash_html(key["key"]),
                escape(", ".join(signed)) or "–",
                blank(lang),
            )
        )
    headings = [
        _("Name"),
        _("Role"),
        _("Fingerprint of the key"),
        _("Entries signed"),
        _("Date and signature"),
    ]
    head = _("Hash of the last entry of the log")
    text = _(
        "At least {t} of these keys must sign each entry, one of them at least not the organiser's."
    ).format(t=facts.declaration["threshold"])
    done = _("Done at")
    on = _("on")
    return _section(
        _("Signatures"),
        f"<p>{escape(text)} {escape(head)}: {hash_html(facts.entries[-1].hash)}</p>\n".replace(
            ": <", "\u00a0: <" if lang == "fr" else ": <"
        )
        + f"{table(headings, lines)}<p>{escape(done)} {blank(lang)} {escape(on)} {blank(lang)}</p>\n",
    )
