"""Who repeats whom, on one page that anybody can read, print and pass on.

One HTML file in English or French: what was found in plain words, the groups by size, each of the largest with its letter (the parts that most
share and those that are somebody's own), its dates, and texts side by side; then what became of every contribution, and the method. It
fetches nothing and runs nothing. Authors are counted, not shown. It gives evidence, never a verdict: a petition looks the same as an organised
campaign, and people who agree may write the same few words.

Every text is escaped and cut at a length that is stated; the page stays small however many contributions there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from klero._page import figure, html_table, page, paragraphs, safe, section
from klero._page_words import counted, decimal, few_words, share
from klero.voices.breakdowns import Breakdown, stance_words, value_words
from klero.voices.reading_words import personal_words, shown_words, unmasked_words
from klero.voices.repeats_facts import Facts
from klero.voices.repeats_groups import group_section, is_short, same_words
from klero.voices.repeats_pictures import accounting_svg, classes_svg, groups_svg
from klero.voices.repeats_sentences import account_words, chain_words, ladder_words
from klero.voices.repeats_style import style
from klero.voices.repeats_words import accounts_words, role_words
from klero.voices.times import step_words, time_svg
from klero.words import number, words

if TYPE_CHECKING:
    from klero.voices.rows import Counts
    from klero.voices.settings import Settings

__all__ = ["Source", "repeats_html"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the contributions come from, as the page tells it.

    Attributes:
        name: the file's name.
        columns: the column that each role was read from («text»: «body»).
        output: the name of the file with a row for each contribution; empty if there is none.
        version: of klero.
        html: what became of HTML in the texts, «auto» (it became text) or «never»; empty if there was no file.
        counts: what became of the rows of the file; None if there was none.
        input_digest, output_digest: SHA-256 of the bytes of the two files, in hexadecimal; empty if it is not known.
        streamed: whether the file was worked through from the disk, where only ids and texts are read.
    """

    name: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    output: str = ""
    version: str = ""
    streamed: bool = False
    html: str = ""
    counts: Counts | None = None
    input_digest: str = ""
    output_digest: str = ""


def repeats_html(facts: Facts, source: Source = Source(), lang: str = "en") -> bytes:
    """The page, in UTF-8.

    Args:
        facts: what is shown; see :func:`klero.voices.repeats_facts.gather`.
        source: where the contributions come from.
        lang: "en" or "fr".

    Raises:
        InputError: the language is not known.
    """
    _ = words(lang).gettext
    title = _("Contributions that repeat each other")
    told = f"<p>{safe(source.name)}</p>\n" if source.name else ""
    header = f"<h1>{safe(title)}</h1>\n{told}{_contents(facts, lang)}"
    parts = [
        _found(facts, source, lang),
        _by_size(facts, source, lang),
        _over_time(facts, lang),
        _by_value("by-question", facts.questions, _("By question"), _("question"), lang),
        _by_value("by-stance", stance_words(facts.stances, lang), _("By stance"), _("stance"), lang),
        _each(facts, source, lang),
        _method(facts, source, lang),
    ]
    footer = f'<p class="small">klero {safe(source.version)}</p>\n'
    name = _("{name}: {n}").format(name=title, n=source.name) if source.name else title
    return page(name, header, "".join(parts), footer, lang, style=style(lang))


def _contents(facts: Facts, lang: str) -> str:
    """Links to the parts of the page."""
    _ = words(lang).gettext
    links = [("found", _("What was found"))]
    if facts.lines:
        links += [("sizes", _("Groups by size"))]
        links += [("times", _("Over time"))] if facts.axis else []
    links += [("by-question", _("By question"))] if facts.questions else []
    links += [("by-stance", _("By stance"))] if facts.stances else []
    links += [("groups", _("Each group"))] if facts.groups else []
    links.append(("method", _("What was done")))
    items = " · ".join(f'<a href="#{name}">{safe(text)}</a>' for name, text in links)
    label = _("Contents")
    return f'<nav aria-label="{safe(label)}"><p>{items}</p></nav>\n'


def found_words(facts: Facts, lang: str) -> list[str]:
    """What was found, in sentences: the first is the one to remember."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    lead = _("{contributions} hold {distinct}; {repeat}.").format(
        contributions=counted(facts.texts, lang),
        distinct=plural("{n} different text", "{n} different texts", facts.distinct).format(
            n=number(facts.distinct, lang)
        ),
        repeat=_alike_words(facts, lang),
    )
    if not facts.group_count:
        return [lead]
    lines = [lead]
    single = facts.group_count + facts.alone
    lines.append(
        plural(
            "Counting each group once, that leaves {n} different text or group.",
            "Counting each group once, that leaves {n} different texts or groups.",
            single,
        ).format(n=number(single, lang))
    )
    largest = facts.lines[0]
    lines.append(
        _("The largest group holds {contributions}, {share} of all.").format(
            contributions=counted(largest.size, lang),
            share=share(largest.size, facts.texts, lang),
        )
    )
    return [*lines, *account_words(facts, lang), *chain_words(facts, lang)]


def _alike_words(facts: Facts, lang: str) -> str:
    """How many are alike, in words that fit the settings."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    settings = facts.settings
    near = settings.measure == "jaccard" and settings.threshold >= 0.8
    if not facts.group_count:
        return (
            _("none is the same or nearly the same as another")
            if near
            else _("none is like another by this measure")
        )
    if near:
        text = plural(
            "{n} is the same or nearly the same as another, in {groups}",
            "{n} are the same or nearly the same as another, in {groups}",
            facts.grouped,
        )
    elif settings.measure == "jaccard":
        text = plural(
            "{n} is like another (similarity {threshold} or more), in {groups}",
            "{n} are like another (similarity {threshold} or more), in {groups}",
            facts.grouped,
        )
    else:
        text = plural(
            "{n} stands in another or holds another (at least {threshold} of it), in {groups}",
            "{n} stand in another or hold another (at least {threshold} of it), in {groups}",
            facts.grouped,
        )
    groups = plural("{n} group", "{n} groups", facts.group_count)
    return text.format(
        n=number(facts.grouped, lang),
        threshold=decimal(settings.threshold, lang),
        groups=groups.format(n=number(facts.group_count, lang)),
    )


def no_verdict(lang: str) -> str:
    """The sentences that stand on every page."""
    _ = words(lang).gettext
    return _(
        "This is no accusation. A petition, a letter that neighbours pass on and an organised campaign look the same here, and people who agree "
        "may write the same few words. That texts are alike shows a common source at most, not who wrote them nor why."
    )


def _found(facts: Facts, source: Source, lang: str) -> str:
    _ = words(lang).gettext
    lead, *more = found_words(facts, lang)
    body = paragraphs([lead], "lead") + paragraphs(more)
    body += f'<p class="notice">{safe(no_verdict(lang))}</p>\n'
    body += "".join(f'<p class="notice">{safe(line)}</p>\n' for line in personal_words(facts.personal, lang))
    body += f'<p class="notice">{safe(unmasked_words(lang))}</p>\n'
    body += figure(_("What became of every contribution"), accounting_svg(facts, lang))
    body += paragraphs([sum_of(facts, lang), *ladder_words(facts, lang)])
    if facts.group_count:
        body += figure(_("How many groups stand behind how many contributions"), classes_svg(facts, lang))
    return section("found", _("What was found"), body)


def sum_of(facts: Facts, lang: str) -> str:
    """«23 alike with others + 33 alone + 4 without a word = 60 contributions»: that every one is accounted for."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    parts = (
        (plural("{n} alike with others", "{n} alike with others", facts.grouped), facts.grouped),
        (plural("{n} alone", "{n} alone", facts.alone), facts.alone),
        (_("{n} without a word"), facts.empty),
    )
    told = " + ".join(text.format(n=number(count, lang)) for text, count in parts)
    return f"{told} = {counted(facts.texts, lang)}."


def _by_size(facts: Facts, source: Source, lang: str) -> str:
    _ = words(lang).gettext
    if not facts.lines:
        return ""
    body = figure(
        _("The largest groups: contributions, and the different texts among them"),
        groups_svg(facts.lines, lang),
    )
    linked = len(facts.groups)
    rows = [
        [
            f'<a href="#g{line.number}">{line.number}</a>' if line.number <= linked else str(line.number),
            safe(line.id),
            number(line.size, lang),
            number(line.distinct, lang),
            accounts_words(line.accounts, lang),
            decimal(line.weakest, lang),
            f"<bdi>{safe(line.snippet)}</bdi>",
        ]
        for line in facts.lines
    ]
    headings = [
        _("no."),
        _("group (its smallest id)"),
        _("contributions"),
        _("different texts"),
        _("different accounts"),
        _("weakest link"),
        _("representative begins"),
    ]
    body += html_table(headings, rows, numbers=(0, 2, 3, 4, 5))
    body += _rest(facts.group_count - len(facts.lines), source, lang)
    body += paragraphs(
        [
            _(
                "Weakest link: everybody in a group is tied to its representative by a chain of pairs at least this similar. "
                "Different texts: those that differ in at least one word."
            )
        ],
        "small",
    )
    return section("sizes", _("Groups by size"), body)


def _rest(more: int, source: Source, lang: str) -> str:
    """A sentence on the groups that are not shown, if there are any."""
    if more <= 0:
        return ""
    text = words(lang).ngettext(
        "{n} smaller group is not shown here.", "{n} smaller groups are not shown here.", more
    )
    told = text.format(n=number(more, lang))
    if source.output:
        told += " " + words(lang).gettext("All are in {file}.").format(file=source.output)
    return paragraphs([told])


def _over_time(facts: Facts, lang: str) -> str:
    _ = words(lang).gettext
    if facts.axis is None or not facts.lines:
        return ""
    names = (_("alike with others"), _("all contributions"))
    body = figure(
        _("Contributions alike with others (top), and all contributions (bottom)"),
        time_svg(facts.times_grouped, facts.times_all, facts.axis.ends(), names, lang),
    )
    lines = [step_words(facts.axis, lang) + " " + _("Days and times are those of UTC.")]
    if facts.undated:
        text = words(lang).ngettext(
            "{n} contribution has no date that can be read and is not in the picture.",
            "{n} contributions have no date that can be read and are not in the picture.",
            facts.undated,
        )
        lines.append(text.format(n=number(facts.undated, lang)))
    lines.append(
        _(
            "A rush says little by itself: a consultation has rushes of its own, after the news or before it closes."
        )
    )
    return section("times", _("Over time"), body + paragraphs(lines, "small"))


def _by_value(name: str, lines: Sequence[Breakdown], heading: str, column: str, lang: str) -> str:
    _ = words(lang).gettext
    if not lines:
        return ""
    rows = [
        [
            value_words(line, lang),
            number(line.all, lang),
            number(line.grouped, lang),
            share(line.grouped, line.all, lang) if line.all else "",
        ]
        for line in lines
    ]
    headings = [column, _("contributions"), _("alike with others"), _("share")]
    return section(
        name,
        heading,
        html_table(headings, rows, numbers=(1, 2, 3))
        + paragraphs(few_words((line.all for line in lines), lang), "small"),
    )


def _each(facts: Facts, source: Source, lang: str) -> str:
    _ = words(lang).gettext
    if not facts.groups:
        return ""
    body = paragraphs(
        [
            _(
                "The letter of a group is the text of its representative, the member that has most in common with the others. Underlined: its own "
                "words, which few others have. A number in a box: a place where others put words of their own."
            )
        ]
    )
    body += "".join(group_section(group, facts, lang) for group in facts.groups if not is_short(group))
    body += same_words([group for group in facts.groups if is_short(group)], lang)
    return section(
        "groups", _("Each group"), body + _rest(facts.group_count - len(facts.groups), source, lang)
    )


def _method(facts: Facts, source: Source, lang: str) -> str:
    _ = words(lang).gettext
    body = paragraphs(method_words(facts.settings, lang))
    body += paragraphs([*read_words(source, lang), sum_of(facts, lang)])
    body += paragraphs(
        [
            *noise_words(facts, lang),
            *streamed_words(source, lang),
            *shown_words(source.html, lang, masked=facts.masked),
        ]
    )
    if source.columns:
        rows = [[safe(role_words(role, lang)), safe(column)] for role, column in source.columns.items()]
        body += html_table([_("read as"), _("column")], rows, caption=_("Columns"))
    rows = [[safe(name), safe(value)] for name, value in settings_rows(facts, source, lang)]
    body += html_table([_("setting"), _("value")], rows, caption=_("Settings and versions"))
    body += paragraphs(
        [
            _(
                "The digest of the words compared is that of the ids and of the words as they were compared, in whatever order they stand; it covers "
                "neither settings nor other columns. The same contributions with the same settings give the same groups, with any number of threads. "
                "The SHA-256 of a file is that of its bytes."
            )
        ],
        "small",
    )
    return section("method", _("What was done"), body)


def method_words(settings: Settings, lang: str) -> list[str]:
    """How texts were compared, for whoever does not know the words."""
    _ = words(lang).gettext
    k, threshold = settings.shingle, decimal(settings.threshold, lang)
    lines = [
        _(
            "Case, punctuation, marks that can't be seen and letters of other alphabets that look like Latin ones are "
            "passed over; then each text is the set of "
            "its runs of {k} words."
        ).format(k=k)
    ]
    if settings.measure == "containment":
        lines.append(
            _(
                "Two texts match if of the runs of the shorter one at least {threshold} (1 being all) stand in the other: a "
                "letter with a long addition still matches."
            ).format(threshold=threshold)
        )
    else:
        lines.append(
            _(
                "Two texts match if at least {threshold} (1 being all) of the runs that either has are in both."
            ).format(threshold=threshold)
        )
    if settings.mode == "sketch":
        lines += sketch_words(settings, lang)
    else:
        lines.append(_("Every pair that matches was found, and no other: nothing is estimated."))
    lines.append(
        _(
            "A group is made of all that are tied by matching pairs, through others if need be. Copies always match. Texts "
            "without a word (blank, only signs or emoji) match "
            "nothing and are counted apart. No contribution was removed or changed."
        )
    )
    return lines


def noise_words(facts: Facts, lang: str) -> list[str]:
    """How many texts hold marks that can't be seen, or letters that look like others."""
    plural = words(lang).ngettext
    lines = []
    if facts.invisibles:
        text = plural(
            "{n} text holds marks that can't be seen (they were passed over).",
            "{n} texts hold marks that can't be seen (they were passed over).",
            facts.invisibles,
        )
        lines.append(text.format(n=number(facts.invisibles, lang)))
    if facts.lookalikes:
        text = plural(
            "{n} text mixes alphabets within a word, with letters that look alike (they were read as the same letter).",
            "{n} texts mix alphabets within a word, with letters that look alike (they were read as the same letter).",
            facts.lookalikes,
        )
        lines.append(text.format(n=number(facts.lookalikes, lang)))
    return lines


def read_words(source: Source, lang: str) -> list[str]:
    """What became of the rows of the file, and what reading changed in the texts; nothing where there was no file."""
    from klero.voices.reading_words import counts_words

    return [] if source.counts is None else counts_words(source.counts, lang)


def sketch_words(settings: Settings, lang: str) -> list[str]:
    """That pairs may be missing; nothing where every pair was found."""
    if settings.mode != "sketch":
        return []
    text = words(lang).gettext(
        "Candidates were found by sketches, made to find at least {recall} of the pairs at the threshold, and each was "
        "then checked on the texts: some "
        "pairs may be missing, none is wrong."
    )
    return [text.format(recall=decimal(settings.recall or 0, lang))]


def streamed_words(source: Source, lang: str) -> list[str]:
    """What is not on the page where the file was worked through from the disk."""
    _ = words(lang).gettext
    if not source.streamed:
        return []
    return [
        _(
            "The file is too large for the memory allowed and was worked through from the disk: "
            "dates, questions, stances and authors were not read, and accounts are not counted."
        )
    ]


def settings_rows(facts: Facts, source: Source, lang: str) -> list[tuple[str, str]]:
    """Names and values of what is needed to do the same again."""
    _ = words(lang).gettext
    settings = facts.settings
    rows = [
        (_("measure"), settings.measure),
        (_("threshold"), decimal(settings.threshold, lang)),
        (_("mode"), settings.mode),
        *([(_("recall aimed at"), decimal(settings.recall or 0, lang))] if settings.mode == "sketch" else []),
        (_("words in a run (shingle)"), str(settings.shingle)),
        (_("accents passed over"), _("yes") if settings.fold_accents else _("no")),
        (_("algorithm"), settings.algorithm),
        (_("normaliser"), settings.normaliser),
        (_("hashes"), settings.shingles),
        (_("digest of ids and words compared (SHA-256)"), facts.digest),
        *(
            (_("SHA-256 of {file}").format(file=name), digest)
            for name, digest in ((source.name, source.input_digest), (source.output, source.output_digest))
            if digest
        ),
    ]
    return [(name, str(value)) for name, value in rows]
