"""What is to be printed before a draw, so that nobody can change it afterwards?

The notice of a draw, for a newspaper, a poster, an official bulletin: what is drawn, when, from which randomness, the one hash that fixes
everything, and how anybody checks it later. Each replacement round has a hash, and so a notice, of its own. It rests on the public tier alone, and
is the same bytes for the same record.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from klero._files import check_file, write_file
from klero.errors import BundleError, Fault, InputError
from klero.ledger.paper import hash_html, page, qr_svg
from klero.ledger.phrases import grouped, moment, number, role_words, source_line
from klero.ledger.record import Record, Round
from klero.ledger.rounds import needs_reading, passed_over, passed_words
from klero.ledger.sources import source_time
from klero.words import LANGUAGES, words

__all__ = ["notice_html", "notice_qr", "notice_text", "qr_text", "write_notice"]

_POSTER = """
@page { margin: 11mm 15mm 13mm }
body { font-size: 10pt; line-height: 1.3 } h1 { font-size: 1.8em; margin: 0 0 .3rem } h2 { margin: .7rem 0 .2rem } p { margin: .25rem 0 }
ul, ol { margin: .2rem 0; padding-left: 1.4rem } li { margin: .1rem 0 } svg.qr { width: 38mm; height: 38mm }
.seal { display: flex; gap: 8mm; align-items: center; border: 1.5pt solid #000; padding: 2mm 4mm; break-inside: avoid }
.seal > div { flex: 1 } .seal > svg { flex: none }
"""

# What a notice states must hold by these checks; signatures may still be missing when it is made.
_BEFORE = frozenset(("files", "encoding", "declaration", "leaves", "log", "commitment", "times"))
# Where an address is to be written by hand.
_LINE = "." * 60

Source = Mapping[str, bytes] | Record


def write_notice(
    record: Source,
    out: str | os.PathLike[str],
    *,
    round_number: int | None = None,
    address: str = "",
    zone: str = "",
    force: bool = False,
) -> list[str]:
    """Writes the notice into a folder: `notice-en.txt`, `notice-fr.txt`, `notice-en.html`, `notice-fr.html`, `notice-qr.svg`.

    Args:
        record: its files by name, or the record read from them.
        out: a folder; made if it is not there and its parent is.
        round_number: the round to announce, 0 for the first draw. Default: the one committed last.
        address: where the public files and the verifier will be (a web address or a place). Default: a line to fill in.
        zone: the time zone to give times in beside UTC, such as Europe/Paris.
        force: replace files that are there.

    Returns:
        The paths written, in the order above.

    Raises:
        BundleError: the record can't be read, or fails a check on which the notice rests.
        InputError: the zone is unknown, the round is not committed, or the address too long for a QR code.
        OutputExistsError: a file is there; none is written.
    """
    made = {lang: _notice(record, lang, round_number, address, zone) for lang in LANGUAGES}
    files = {f"notice-{lang}.txt": notice.text().encode() for lang, notice in made.items()}
    files |= {f"notice-{lang}.html": notice.html() for lang, notice in made.items()}
    files["notice-qr.svg"] = made["en"].svg()
    folder = Path(out)
    if not folder.exists():
        folder.mkdir()
    for name in files:
        check_file(folder / name, force=force)
    for name, data in files.items():
        write_file(folder / name, data, force=force)
    return [os.fspath(folder / name) for name in files]


def notice_text(
    record: Source, lang: str = "en", *, round_number: int | None = None, address: str = "", zone: str = ""
) -> str:
    """The notice as plain text, for a newspaper. Arguments and errors as of :func:`write_notice`."""
    return _notice(record, lang, round_number, address, zone).text()


def notice_html(
    record: Source, lang: str = "en", *, round_number: int | None = None, address: str = "", zone: str = ""
) -> bytes:
    """The notice as a poster to print. Arguments and errors as of :func:`write_notice`."""
    return _notice(record, lang, round_number, address, zone).html()


def notice_qr(record: Source, *, round_number: int | None = None, address: str = "") -> bytes:
    """The QR code as an SVG file of its own. Arguments and errors as of :func:`write_notice`."""
    return _notice(record, "en", round_number, address, "").svg()


def qr_text(record: Source, *, round_number: int | None = None, address: str = "") -> str:
    """What the QR code holds: format, draw and hash, and the address if there is one, a line each."""
    return _notice(record, "en", round_number, address, "").code_text()


def _notice(source: Source, lang: str, number_: int | None, address: str, zone: str) -> _Notice:
    record = source if isinstance(source, Record) else Record.parse(source)
    wrong = next((c for c in record.failed if c.name in _BEFORE), None)
    if wrong is not None:
        message = f"the record fails the check «{wrong.name}» ({wrong.detail}), so there is nothing to announce from it"
        raise BundleError(message)
    found = [r for r in record.rounds if number_ is None or r.number == number_]
    if not found:
        message = f"round {number_} is not committed in this record, so there is nothing to announce"
        raise InputError([Fault("round-invalid", message, "", value=str(number_))])
    return _Notice(record, found[-1], lang, address, zone)


@dataclass(frozen=True)
class _Notice:
    """The notice of one round in one language."""

    record: Record
    round: Round
    lang: str
    address: str
    zone: str

    def text(self) -> str:
        _ = words(self.lang).gettext
        title, paragraphs = self.content()
        hash_ = grouped(self.round.commitment.hash).split(" ")
        digits = "\n".join("  " + " ".join(hash_[i : i + 8]) for i in (0, 8))
        steps = "\n".join(f"{i}. {step}" for i, step in enumerate(self.steps(), 1))
        sources = "\n".join(f"- {text}" for text in self.sources())
        signed, keys = self.signers()
        return "\n\n".join(
            [
                title,
                *paragraphs,
                f"{_('Where chance comes from')}\n{sources}",
                *self.rest(),
                "\n".join([signed, *(f"- {name}\n  {key}" for name, key in keys)]),
                f"{_('The hash that fixes everything')}\n{digits}",
                f"{_('How to check')}\n{steps}\n",
            ]
        )

    def html(self) -> bytes:
        _ = words(self.lang).gettext
        title, paragraphs = self.content()
        parts = [f"<h1>{escape(title)}</h1>\n", *(f"<p>{escape(text)}</p>\n" for text in paragraphs)]
        sources = "".join(f"<li>{escape(text)}</li>\n" for text in self.sources())
        parts.append(f"<h2>{escape(_('Where chance comes from'))}</h2>\n<ul>\n{sources}</ul>\n")
        parts += [f"<p>{escape(text)}</p>\n" for text in self.rest()]
        signed, keys = self.signers()
        listed = "".join(
            f'<li>{escape(name)}<br><span class="hash">{escape(key)}</span></li>\n' for name, key in keys
        )
        parts.append(f"<p>{escape(signed)}</p>\n<ul>\n{listed}</ul>\n")
        heading = escape(_("The hash that fixes everything"))
        digits = hash_html(self.round.commitment.hash, big=True)
        parts.append(f'<h2>{heading}</h2>\n<div class="seal"><div>{digits}</div>{self.code()}</div>\n')
        steps = "".join(f"<li>{escape(step)}</li>\n" for step in self.steps())
        parts.append(f"<h2>{escape(_('How to check'))}</h2>\n<ol>\n{steps}</ol>\n")
        if lines := self.quotas():
            heading = escape(_("Quotas (at least – at most)"))
            listed = "".join(f"<li>{escape(line)}</li>\n" for line in lines)
            parts.append(f"<h2>{heading}</h2>\n<ul>\n{listed}</ul>\n")
        return page(title, "".join(parts), self.lang, more_style=_POSTER)

    def svg(self) -> bytes:
        return self.code().replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1).encode() + b"\n"

    def code_text(self) -> str:
        lines = ["klero-record/1", self.record.declaration["draw"], self.round.commitment.hash]
        return "\n".join([*lines, *([self.address] if self.address else [])])

    def code(self) -> str:
        title = words(self.lang).gettext("QR code of the hash")
        code = qr_svg(self.code_text().encode(), title)
        if code is None:
            message = "the address is too long for a QR code; give a shorter one."
            raise InputError([Fault("option-range", message, "", value=self.address)])
        return code

    def content(self) -> tuple[str, list[str]]:
        """The title, and what is drawn by whom and when."""
        _ = words(self.lang).gettext
        plural = words(self.lang).ngettext
        rules = self.record.declaration
        title = _("Public draw: {title}").format(title=rules["title"])
        paragraphs = [*([rules["question"]] if rules["question"] else []), self.what()]
        last = max(source_time(source) for source in rules.sources(self.round.number))
        text = _(
            "The draw is fixed by the randomness of {when}; nobody, the organiser included, can know it before."
        )
        paragraphs.append(text.format(when=moment(last, self.lang, self.zone)))
        text = _("Rules, people and lottery were fixed on {when}.")
        paragraphs.append(text.format(when=moment(self.round.commitment.time, self.lang, self.zone)))
        if rules["household"]:
            text = plural(
                "No more than {n} person of one household is drawn.",
                "No more than {n} people of one household are drawn.",
                rules["household"],
            )
            paragraphs.append(text.format(n=rules["household"]))
        if rules["must_sit"] and not self.round.number:
            text = plural(
                "{n} person has a seat for certain, by the published rules.",
                "{n} people have a seat for certain, by the published rules.",
                rules["must_sit"],
            )
            paragraphs.append(text.format(n=number(rules["must_sit"], self.lang)))
        text = _("It is draw no. {sequence} of this organiser, under the name «{draw}».")
        paragraphs.append(text.format(sequence=number(rules["sequence"], self.lang), draw=rules["draw"]))
        if self.round.number:
            title += " – " + _("Replacement round {round}").format(round=self.round.number)
            text = _("It continues the draw that was announced with the hash {hash}.")
            paragraphs.append(text.format(hash=grouped(self.record.hash)))
            paragraphs += [
                passed_words(rules, number_, self.lang, self.zone)
                for number_ in passed_over(self.record, self.round)
            ]
        return title, paragraphs

    def what(self) -> str:
        """How many are drawn, among how many."""
        plural = words(self.lang).ngettext
        rules = self.record.declaration
        people = self.round.commitment.body["summary"]["people"]
        if not self.round.number:
            seats, people = rules["size"], rules["people"]
            text = plural(
                "{organiser} will draw by lot {n} person among {people} who are registered.",
                "{organiser} will draw by lot {n} people among {people} who are registered.",
                seats,
            )
        else:
            stay = self.staying()
            seats, people = rules["size"] - stay, people - stay
            text = plural(
                "{organiser} will draw by lot {n} person among {people} who are registered, in the place of somebody who withdrew.",
                "{organiser} will draw by lot {n} people among {people} who are registered, in the place of those who withdrew.",
                seats,
            )
        told = (number(value, self.lang) for value in (seats, people))
        return text.format(organiser=rules["organiser"], n=next(told), people=next(told))

    def staying(self) -> int:
        """How many of the panel of the round before keep their seats."""
        before = self.record.rounds[self.record.rounds.index(self.round) - 1].draw
        start = self.round.commitment.sequence
        gone = {leaf for entry, leaf, _code in self.record.withdrawals if entry.sequence < start}
        return len(set(before.body["panel"]) - gone) if before else 0

    def sources(self) -> list[str]:
        """The sources of the round, the fallback, and in which order they are read."""
        rules = self.record.declaration
        _ = words(self.lang).gettext
        used = rules.sources(self.round.number)
        lines = [source_line(source, self.lang, self.zone) for source in used]
        if rules["fallback"] and not self.round.number:
            text = _("If that round of the beacon can't be had, this one takes its place: {source}")
            lines.append(text.format(source=source_line(rules["fallback"][0], self.lang, self.zone)))
        if needs_reading(used):
            lines.append(
                _(
                    "All but the beacon is read aloud, signed and entered in the log before that round of the beacon is there, "
                    "so that nobody who reads can choose."
                )
            )
        return lines

    def rest(self) -> list[str]:
        """When replacements are drawn."""
        plural = words(self.lang).ngettext
        rules = self.record.declaration
        parts = []
        when = [max(map(source_time, sources)) for sources in rules["calendar"][self.round.number :]]
        if when:
            text = plural(
                "Whoever withdraws can be replaced by lot on this date: {dates}.",
                "Whoever withdraws can be replaced by lot on these dates: {dates}.",
                len(when),
            )
            apart = "; " if self.lang == "en" else "\u202f; "
            parts.append(text.format(dates=apart.join(moment(t, self.lang, self.zone) for t in when)))
        return parts

    def signers(self) -> tuple[str, list[tuple[str, str]]]:
        """How many sign each step, and of each key its holder with the role, and its fingerprint, which is the key itself."""
        _ = words(self.lang).gettext
        rules = self.record.declaration
        text = _(
            "Each step is signed by at least {t} of these keys, one of which at least is not the organiser's:"
        )
        keys = [
            (f"{key['name']} ({role_words(key['role'], self.lang)})", grouped(key["key"]))
            for key in rules["keys"]
        ]
        return text.format(t=rules["threshold"]), keys

    def quotas(self) -> list[str]:
        """The quotas of the round, a line a feature: the declared ones, but for those that were loosened."""
        loosened = {
            (feature, value): (low, high)
            for feature, value, low, high in self.round.commitment.body["loosened"]
        }
        lines = []
        colon = ": " if self.lang == "en" else "\u00a0: "
        for feature in self.record.declaration["features"]:
            cells = []
            for v in feature["values"]:
                low, high = loosened.get((feature["name"], v["value"]), (v["min"], v["max"]))
                bounds = f"{number(low, self.lang)}\u2013{number(high, self.lang)}"
                cells.append(f"{v['value']} {bounds}")
            lines.append(f"{feature['name']}{colon}{', '.join(cells)}")
        return lines

    def steps(self) -> list[str]:
        """What a reader can do."""
        _ = words(self.lang).gettext
        keep = _(
            "Keep this page, or a photograph of it: from now on, any change to the rules, to the people or to the lottery would change the hash."
        )
        mine = _(
            "If you are registered, ask for your receipt: it shows that you are among the people fixed by this hash."
        )
        if self.round.number:
            mine = _(
                "If you are registered, your receipt of the first draw stays good: the people are the same."
            )
        get = _(
            "Public files and the verifier (the page verifier.html, which works without a network) are at: {address}"
        ).format(address=self.address or _LINE)
        opened = _("After the draw, open the public files in the verifier.")
        compare = _(
            "Compare the hash that the verifier shows with the one printed here, and the randomness with its source."
        )
        return [keep, mine, get, opened, compare]
