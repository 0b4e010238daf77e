"""What was read, and what should a person know of it, in their language?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from klero.errors import quoted
from klero.words import number, words

if TYPE_CHECKING:
    from klero.voices.contributions import ContributionFile, Contributions
    from klero.voices.rows import Counts

__all__ = [
    "counts_words",
    "personal_words",
    "reading_words",
    "scan_words",
    "shown_words",
    "unmasked_words",
]


def reading_words(read: Contributions | ContributionFile, lang: str) -> list[str]:
    """Lines on which columns were taken, what became of the rows, and what was changed in the texts or not understood."""
    _ = words(lang).gettext
    counts = read.counts
    mapping = {role: columns for role, columns in read.mapping.items() if role != "layout"}
    spelled = ", ".join(f"{role}={columns}" for role, columns in mapping.items())
    layout = read.mapping["layout"]
    lines = [
        _("{file}: columns of {layout}: {mapping}").format(file=read.name, layout=layout, mapping=spelled)
        if layout
        else _("{file}: columns: {mapping}").format(file=read.name, mapping=spelled)
    ]
    if len(read.sheets) > 1:
        lines.append(
            _("Of its sheets, {sheet} was read and not {others}: --sheet NAME reads another.").format(
                sheet=quoted(read.sheets[0]), others=", ".join(map(quoted, read.sheets[1:]))
            )
        )
    if not mapping.get("id"):
        lines.append(
            _("No column holds ids: the contributions are numbered 1, 2, … in the order of the file.")
        )

    lines += counts_words(counts, lang)
    if counts.unread:
        shown = ", ".join(
            _("row {row}: {cell}").format(row=row, cell=repr(cell)) for _role, row, cell in counts.unread[:5]
        )
        lines.append(_("Not understood, for instance: {examples}.").format(examples=shown))
    return lines


def counts_words(counts: Counts, lang: str) -> list[str]:
    """Lines on what became of the rows, and how many cells were changed or not understood; no cell is shown."""
    translations = words(lang)
    _, ngettext = translations.gettext, translations.ngettext

    def counted(n: int) -> str:
        return number(n, lang)

    lines = [
        _(
            "Rows {rows} = contributions {contributions} + votes and reports {others} + blank lines {blank}; of the contributions {empty} are blank."
        ).format(
            rows=counted(counts.rows),
            contributions=counted(counts.contributions),
            others=counted(counts.others),
            blank=counted(counts.blank),
            empty=counted(counts.empty),
        )
    ]
    return [*lines, *(text.format(n=counted(n)) for n, text in _changed(counts, ngettext) if n)]


def _changed(counts: Counts, ngettext: Callable[[str, str, int], str]) -> Iterable[tuple[int, str]]:
    """How often what was changed in the texts or not understood, with the line that says so."""
    return (
        (
            counts.html,
            ngettext("HTML became text in {n} cell.", "HTML became text in {n} cells.", counts.html),
        ),
        (
            counts.controls,
            ngettext(
                "Control characters went from {n} cell.",
                "Control characters went from {n} cells.",
                counts.controls,
            ),
        ),
        (
            counts.composed,
            ngettext(
                "{n} cell was put in Unicode's composed form.",
                "{n} cells were put in Unicode's composed form.",
                counts.composed,
            ),
        ),
        (
            counts.times,
            ngettext(
                "{n} time can't be read and counts as unknown.",
                "{n} times can't be read and count as unknown.",
                counts.times,
            ),
        ),
        (
            counts.zoneless,
            ngettext(
                "{n} time has no zone beside others that have one: it counts as UTC and may be hours off.",
                "{n} times have no zone beside others that have one: they count as UTC and may be hours off.",
                counts.zoneless,
            ),
        ),
        (
            counts.stances,
            ngettext(
                "{n} stance can't be read and counts as unknown.",
                "{n} stances can't be read and count as unknown.",
                counts.stances,
            ),
        ),
        (
            counts.votes,
            ngettext(
                "{n} number of votes can't be read and counts as unknown.",
                "{n} numbers of votes can't be read and count as unknown.",
                counts.votes,
            ),
        ),
    )


def scan_words(read: Contributions | ContributionFile, lang: str, *, shows_masked: bool = False) -> list[str]:
    """Lines on personal data in the texts, the data themselves hidden; none if there was no scan or nothing was found.

    `shows_masked`: the texts were read as they are, and whatever is shown of them will be masked.
    """
    found = read.personal
    if found is None or not found.counts:
        return []
    from klero.voices.personal import mask  # which has its words from here

    translations = words(lang)
    _, ngettext = translations.gettext, translations.ngettext
    names = kind_names(lang)
    kinds = ", ".join(f"{names[kind]} {number(n, lang)}" for kind, n in found.counts.items())
    lines = [
        ngettext(
            "Warning: {n} contribution seems to hold personal data ({kinds}).",
            "Warning: {n} contributions seem to hold personal data ({kinds}).",
            found.contributions,
        ).format(n=number(found.contributions, lang), kinds=kinds)
    ]
    shown = "; ".join(
        f"{names[kind]}: {hidden} ({mask(name, lang)})" for kind, name, hidden in found.examples[:5]
    )
    lines.append(_("For instance (most signs hidden; the id in brackets): {examples}").format(examples=shown))
    if found.masked or shows_masked:
        lines.append(_("They are masked in all that follows."))
    else:
        lines.append(_("They will stand in whatever is made of these texts. With --mask they are replaced."))
    return lines


def kind_names(lang: str) -> dict[str, str]:
    """The kinds of personal data, by `klero.voices.personal.KINDS`."""
    _ = words(lang).gettext
    return {
        "e-mail": _("e-mail"),
        "phone": _("phone"),
        "address": _("address"),
        "bank account": _("bank account"),
        "identity number": _("identity number"),
    }


def personal_words(pieces: int, lang: str) -> list[str]:
    """A warning if the texts shown say how to reach somebody."""
    if not pieces:
        return []
    text = words(lang).ngettext(
        "{n} piece of the texts shown looks like an e-mail address, a telephone number or the like. Before the page is passed on, make it again with --mask.",
        "{n} pieces of the texts shown look like e-mail addresses, telephone numbers or the like. Before the page is passed on, make it again with --mask.",
        pieces,
    )
    return [text.format(n=number(pieces, lang))]


def unmasked_words(lang: str) -> str:
    """What no masking takes away; it stands on every page."""
    return words(lang).gettext(
        "Names, pseudonyms, dates of birth and situations that texts tell of are not masked: read the page before you publish it."
    )


def shown_words(html: str, lang: str, *, masked: bool) -> list[str]:
    """In what form texts are compared and shown."""
    _ = words(lang).gettext
    lines = []
    if html == "auto":
        lines.append(_("HTML was made into text before texts were compared."))
    if html == "never":
        lines.append(_("HTML was left in the texts and compared with them."))
    if masked:
        lines.append(
            _(
                "In what is shown here, e-mail addresses, telephone numbers and the like are replaced by what they are, such as [e-mail]. The texts "
                "were compared as they were written."
            )
        )
    else:
        lines.append(_("Texts are shown as they were written; nothing in them is masked."))
    return lines
