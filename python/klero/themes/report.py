"""What is being said, on one page that anybody can read, print and pass on.

One HTML file in English or French: what became of every contribution, a map, the levels from coarse to fine, and then themes, weak signals and
lone voices, three parts of one rank, each group with people's own words and their ids; what was done, and what the page is not. It fetches
nothing; its script is the slider beside the levels, and without it each level is opened by itself. Authors are counted, not shown.

No word on the page about what people said is a program's: keywords are words of the contributions, quotations are contributions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from klero._page import figure, html_table, page, paragraphs, safe, section
from klero._page_words import counted, joined, share
from klero._svg import bar, picture
from klero.themes.names import accounted_words
from klero.themes.report_facts import Facts
from klero.themes.report_groups import ids_html, lone_section, themes_section, weak_section
from klero.themes.report_levels import key_html, levels_section
from klero.themes.report_map import has_dots, map_svg
from klero.themes.report_style import SCRIPT, STYLE
from klero.voices.reading_words import counts_words, personal_words, shown_words, unmasked_words
from klero.voices.repeats_words import role_words
from klero.words import number, words

if TYPE_CHECKING:
    from klero.voices.rows import Counts

__all__ = ["Part", "Source", "found_words", "sum_words", "themes_html"]

_WIDTH = 720


@dataclass(frozen=True, slots=True)
class Source:
    """Where the contributions come from and what was done, as the page tells it.

    Attributes:
        name: the file's name.
        columns: the column that each role was read from («text»: «body»).
        version: of klero.
        algorithm: what made the groups, with its version.
        embedder: what made vectors of the texts, with its version, or the file that they were read from.
        embedder_words: sentences on what that means for the result, in the page's language.
        settings: names and values as they were given.
        digests: of the files read and written, by name.
        html: what became of HTML in the texts, «auto» or «never»; empty if there was no file.
        counts: what became of the rows of the file; None if there was none.
    """

    name: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    algorithm: str = ""
    embedder: str = ""
    embedder_words: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)
    html: str = ""
    counts: Counts | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the page that is there where it was asked for: a person's coding beside the groups, or an audit. `body` is HTML."""

    name: str
    heading: str
    body: str


def themes_html(
    facts: Facts, source: Source = Source(), lang: str = "en", parts: Sequence[Part] = ()
) -> bytes:
    """The page, in UTF-8.

    Args:
        facts: what is shown; see :func:`klero.themes.report_facts.gather`.
        source: where the contributions come from.
        lang: "en" or "fr".
        parts: further parts, before «How to read this page».

    Raises:
        InputError: the language is not known.
    """
    _ = words(lang).gettext
    title = _("What was said: themes, weak signals, lone voices")
    sections = [
        ("found", _("What was found"), _found(facts, lang)),
        ("map", _("Map"), _map(facts, lang)),
        ("levels", _("Levels"), levels_section(facts, lang)),
        ("themes", _("Themes"), themes_section(facts, lang)),
        ("weak", _("Weak signals"), weak_section(facts, lang)),
        ("lone", _("Lone voices"), lone_section(facts, lang)),
        *((part.name, part.heading, section(part.name, part.heading, part.body)) for part in parts),
        ("reading", _("How to read this page"), _reading(lang)),
        ("method", _("What was done"), _method(facts, source, lang)),
    ]
    links = " · ".join(f'<a href="#{name}">{safe(text)}</a>' for name, text, body in sections if body)
    told = f"<p>{safe(source.name)}</p>\n" if source.name else ""
    header = f'<h1>{safe(title)}</h1>\n{told}<nav aria-label="{safe(_("Contents"))}"><p>{links}</p></nav>\n'
    footer = f'<p class="small">klero {safe(source.version)}</p>\n'
    name = _("{name}: {n}").format(name=title, n=source.name) if source.name else title
    body = "".join(html for _name, _text, html in sections)
    script = SCRIPT if len(facts.levels) > 1 else ""
    return page(name, header, body, footer, lang, style=STYLE, script=script)


def found_words(facts: Facts, lang: str) -> list[str]:
    """What was found, in sentences: the first is the one to remember."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    themes, weak, lone = facts.clusters
    lead = _("{contributions}: {themes}, {weak}, {lone}.").format(
        contributions=counted(facts.total, lang),
        themes=plural("{n} theme", "{n} themes", themes).format(n=number(themes, lang)),
        weak=plural("{n} weak signal", "{n} weak signals", weak).format(n=number(weak, lang)),
        lone=plural("{n} lone voice", "{n} lone voices", lone).format(n=number(lone, lang)),
    )
    lines = [lead]
    if facts.clusters[0]:
        largest = facts.lines[0]
        text = _("The largest theme holds {contributions}, {share} of all.")
        lines.append(
            text.format(
                contributions=counted(largest.size, lang), share=share(largest.size, facts.total, lang)
            )
        )
    lines += _returning(facts, lang)
    if facts.accounts is None:
        lines.append(
            _(
                "Authors unknown: no column of authors was read, so how many people say a thing is not counted."
            )
        )
    if facts.duplicates:
        text = plural(
            "{n} contribution is, as it was compared, the same as another; it counts all the same.",
            "{n} contributions are, as they were compared, the same as another; they count all the same.",
            facts.duplicates,
        )
        lines.append(text.format(n=number(facts.duplicates, lang)))
    return lines


def _returning(facts: Facts, lang: str) -> list[str]:
    """How many themes come back when they are made anew: whoever reads one sentence alone should have read this one, too."""
    seen = [line.stability for line in facts.lines if line.kind == 0 and line.stability and line.stability[1]]
    if not seen:
        return []
    back = sum(5 * returned >= 4 * resamples for returned, resamples in seen)
    text = words(lang).gettext(
        "Made anew from parts of the contributions, {back} of {n} themes come back at least four times in five."
    )
    line = text.format(back=number(back, lang), n=number(len(seen), lang))
    if back < len(seen):
        line += " " + words(lang).gettext(
            "The others have no firm border: read their texts before you cite how many they are."
        )
    return [line]


def sum_words(facts: Facts, lang: str) -> str:
    """«3,200 in themes + 310 in weak signals + 470 lone voices + 20 without a word = 4,000 contributions.»: every one is accounted for."""
    return accounted_words(facts.contributions, facts.empty, lang)


def no_verdict(lang: str) -> str:
    """The sentences that stand on every page."""
    return words(lang).gettext(
        "A program made these groups from how alike the texts are. That two people mean the same is for people to say, and that many say a "
        "thing makes it "
        "neither true nor more important: small groups and lone voices stand here with the same rank as large ones. No text was generated: "
        "keywords are words of "
        "the contributions, and every quotation is somebody's own, with its id."
    )


def _found(facts: Facts, lang: str) -> str:
    _ = words(lang).gettext
    lead, *more = found_words(facts, lang)
    body = paragraphs([lead], "lead") + paragraphs(more)
    body += _accounting(facts, lang)
    body += paragraphs([sum_words(facts, lang)])
    if facts.empties:
        head = _("Without a word (their ids)")
        left = facts.empty - len(facts.empties)
        rest = ""
        if left > 0:
            text = _("{n} more are in the table of contributions.")
            rest = paragraphs([text.format(n=number(left, lang))], "small")
        body += f"<details><summary>{safe(head)}</summary>{ids_html(facts.empties)}{rest}</details>\n"
    body += f'<p class="notice">{safe(no_verdict(lang))}</p>\n'
    body += "".join(
        f'<p class="notice">{safe(line)}</p>\n'
        for line in (*personal_words(facts.personal, lang), unmasked_words(lang))
    )
    return section("found", _("What was found"), body)


def _accounting(facts: Facts, lang: str) -> str:
    """One bar: in themes, in weak signals, lone voices and without a word, in proportion; and its key."""
    _ = words(lang).gettext
    parts = [
        (_("in themes"), facts.contributions[0], "a"),
        (_("in weak signals"), facts.contributions[1], "w"),
        (_("lone voices"), facts.contributions[2], "o"),
        (_("without a word"), facts.empty, "m"),
    ]
    body, keys, x = "", [], 0.0
    for name, count, kind in parts:
        wide = _WIDTH * count / max(facts.total, 1)
        body += bar(round(x, 2), 0, round(wide, 2), 26, kind)
        keys.append((bar(0, 0, 11, 11, kind), _("{name}: {n}").format(name=name, n=number(count, lang))))
        x += wide
    title = _("What became of every contribution")
    svg = picture(_WIDTH, 26, title, joined((text for _mark, text in keys), lang), body)
    return figure(title, svg, little=True) + key_html(tuple(keys))


def _map(facts: Facts, lang: str) -> str:
    _ = words(lang).gettext
    links = frozenset(one.name for one in facts.shown)
    caption = _("Themes that are alike lie near each other")
    body = f'<div class="map">{figure(caption, map_svg(facts, links, lang))}</div>\n'
    keys = (
        ('<circle class="c" cx="5.5" cy="5.5" r="5"/>', _("theme")),
        ('<rect class="w" x="2" y="2" width="7" height="7"/>', _("weak signal")),
        ('<path class="o" d="M5.5 1.5l4 4-4 4-4-4z"/>', _("lone voice")),
    )
    body += key_html(keys)
    by = (
        _("A circle's area is the number of different people (accounts) in the theme.")
        if facts.map.people
        else _("A circle's area is the number of contributions in the theme.")
    )
    if has_dots(facts.map):
        by += " " + _("Each dot in it is a contribution.")
    lines = [
        by,
        _(
            "A weak signal or a lone voice lies beside the themes that it is most like, though it may be like none of them."
        ),
        _(
            "What the map can't show: a plane has two directions, and what people say has hundreds. Near means alike; far means nothing, "
            "nor do left, right, up and "
            "down. Of {asked} groups {right} have as their nearest on the map one of the three that are really most like them."
        ).format(asked=number(facts.map.asked, lang), right=number(facts.map.right, lang)),
    ]
    if facts.map.left_out:
        text = words(lang).ngettext(
            "{n} group is not on the map, which has no room for more; chosen by hashes of ids.",
            "{n} groups are not on the map, which has no room for more; chosen by hashes of ids.",
            facts.map.left_out,
        )
        lines.append(text.format(n=number(facts.map.left_out, lang)))
    return section("map", _("Map"), body + paragraphs(lines, "small"))


def _reading(lang: str) -> str:
    _ = words(lang).gettext
    items = (
        _(
            "Begin with the words of people, not with the keywords: read the quotation in the middle of a theme, then those at its edge, "
            "and then what it smooths out."
        ),
        _(
            "A theme is no opinion: whoever is for a thing and whoever is against it often use the same words, and are in one theme."
        ),
        _(
            "The number of contributions counts texts, not people, and those who wrote don't stand for those who did not. It is no poll."
        ),
        _(
            "Where one theme ends and another begins depends on the level. If a conclusion holds at one level only, say so."
        ),
        _(
            "Whoever is alone here may be alone because of other words, another language, spelling or length, not because of another "
            "thought. Whoever is in a large "
            "theme may have said something that the others did not: look at what it smooths out."
        ),
        _(
            "What must not be done with it: to rank people, to find out who wrote something, or to leave out what is rare."
        ),
    )
    return section(
        "reading",
        _("How to read this page"),
        f"<ul>{''.join(f'<li>{safe(item)}</li>' for item in items)}</ul>\n",
    )


def _method(facts: Facts, source: Source, lang: str) -> str:
    _ = words(lang).gettext
    lines = [
        _(
            "Each text was made into a vector, a list of numbers. How alike two texts are is the cosine of the angle between their vectors, after the "
            "mean of all was taken away. The vectors were reduced to their main directions and drawn a little towards their nearest neighbours; then "
            "the most alike were joined first, two groups being as alike as their contributions are on average, until all were one tree. The levels "
            "are the cuts of this tree that hold longest. Then whoever fits their group worst was looked at again. Five contributions or more are a "
            "theme, two to four a weak signal, one is a lone voice: none was left out."
        ),
        *source.embedder_words,
        _(
            "Groups are a function of the set of contributions: another order of the rows, another number of threads or another machine "
            "gives the same ones."
        ),
    ]
    body = paragraphs(lines)
    body += paragraphs(
        [*(counts_words(source.counts, lang) if source.counts else ()), sum_words(facts, lang)]
    )
    text = _("A text is shown up to {n} characters.")
    shown = shown_words(source.html, lang, masked=facts.masked)
    body += paragraphs([*shown, text.format(n=number(facts.text_limit, lang))])
    if source.columns:
        rows = [[safe(role_words(role, lang)), safe(column)] for role, column in source.columns.items()]
        body += html_table([_("read as"), _("column")], rows, caption=_("Columns"))
    settings = [
        (_("algorithm"), source.algorithm),
        (_("vectors"), source.embedder),
        *_settings(source.settings, lang),
        *((_("SHA-256 of {file}").format(file=name), digest) for name, digest in source.digests.items()),
    ]
    rows = [[safe(name), safe(value)] for name, value in settings if value]
    body += html_table([_("setting"), _("value")], rows, caption=_("Settings and versions"))
    return section("method", _("What was done"), body)


def _settings(settings: Mapping[str, str], lang: str) -> list[tuple[str, str]]:
    """What was asked, in words, each with the option that asks for it."""
    _ = words(lang).gettext
    names = {
        "granularity": (_("how fine"), "--granularity"),
        "themes": (_("about so many themes"), "--themes"),
        "minority": (_("second look at whoever fits worst"), "--no-minority"),
        "must_link": (_("pairs that are together"), "--must-link"),
        "cannot_link": (_("pairs that are apart"), "--cannot-link"),
        "codes": (_("column of a person's codes"), "--codes"),
    }
    values = {
        "granularity": {"auto": _("found by itself"), "coarse": _("coarse"), "fine": _("fine")},
        "minority": {"True": _("yes"), "False": _("no")},
    }
    return [
        ("{} ({})".format(*names[name]) if name in names else name, values.get(name, {}).get(value, value))
        for name, value in settings.items()
    ]
