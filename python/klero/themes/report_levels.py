"""How coarse or fine can the same contributions be read? The levels: a picture of what splits into what, and each level's themes."""

from __future__ import annotations

from collections.abc import Sequence

from klero._page import figure, html_table, paragraphs, safe, section
from klero._page_words import decimal, joined
from klero._svg import bar, picture, text_at
from klero.themes.report_facts import Branch, Facts, LevelFacts
from klero.themes.report_groups import keywords_html, parts_words
from klero.words import number, words

__all__ = ["level_words", "levels_section", "tree_svg"]

_WIDTH, _HEIGHT, _TOP = 960, 480, 22
_LISTED = 300  # themes of a level that have a line
_LETTER = 7.3


def levels_section(facts: Facts, lang: str) -> str:
    """The levels. Without a script each is opened by itself; with one there is a slider."""
    _ = words(lang).gettext
    if not facts.levels:
        return ""
    told = _(
        "The same contributions can be read in a few broad themes or in many narrow ones. These levels are those that hold longest while "
        "similarity is asked for "
        "more and more strictly. Names count anew at each level: T3 of level 1 is not T3 of level 2."
    )
    body = paragraphs([told]) + _table(facts, lang)
    if len(facts.levels) > 1:
        caption = _("What splits into what, from coarse (left) to fine (right); heights are contributions")
        body += f'<div class="tree">{figure(caption, tree_svg(facts, lang))}</div>\n'
        keys = (("c", _("theme")), ("w", _("weak signals and lone voices, together")))
        body += key_html(tuple((bar(0, 0, 11, 11, kind), text) for kind, text in keys))
        body += f'<div class="slider" id="slider" data-label="{safe(_("Granularity, from coarse to fine"))}"></div>\n'
    body += "".join(_level(level, facts, lang) for level in facts.levels)
    return section("levels", _("Levels"), body)


def key_html(keys: tuple[tuple[str, str], ...]) -> str:
    """What the marks of a picture mean. `keys`: marks as SVG, about 11 wide and high, and text."""
    items = "".join(
        f'<li><svg width="12" height="12" viewBox="-0.5 -0.5 12 12" aria-hidden="true">{mark}</svg> {safe(text)}</li>'
        for mark, text in keys
    )
    return f'<ul class="key small">{items}</ul>\n'


def level_words(level: LevelFacts, lang: str) -> str:
    """«31 themes, 12 weak signals, 80 lone voices»."""
    plural = words(lang).ngettext
    themes, weak, lone = level.clusters
    return ", ".join(
        (
            plural("{n} theme", "{n} themes", themes).format(n=number(themes, lang)),
            plural("{n} weak signal", "{n} weak signals", weak).format(n=number(weak, lang)),
            plural("{n} lone voice", "{n} lone voices", lone).format(n=number(lone, lang)),
        )
    )


def _table(facts: Facts, lang: str) -> str:
    _ = words(lang).gettext
    rows = [
        [
            number(level.number, lang)
            + (f" <strong>({safe(_('this page'))})</strong>" if level.chosen else ""),
            *(number(n, lang) for n in level.clusters),
            *(number(n, lang) for n in level.contributions[:2]),
            decimal(max(level.similarity, 0.0), lang),
        ]
        for level in facts.levels
    ]
    headings = [
        _("level"),
        _("themes"),
        _("weak signals"),
        _("lone voices"),
        _("contributions in themes"),
        _("in weak signals"),
        _("similarity asked for"),
    ]
    return html_table(headings, rows, numbers=(1, 2, 3, 4, 5, 6), caption=_("Levels, coarse to fine"))


def _level(level: LevelFacts, facts: Facts, lang: str) -> str:
    _ = words(lang).gettext
    head = _("Level {n}: {words}").format(n=level.number, words=level_words(level, lang))
    if level.chosen:
        head += " " + _("(this page)")
    finest = level.number == len(facts.levels)
    headings = [_("theme"), _("contributions"), _("keywords")]
    headings += [] if level.number == 1 else [_("part of (coarser)")]
    headings += [] if finest else [_("falls into (finer)")]
    rows = [_row(branch, level, finest=finest, lang=lang) for branch in level.branches[:_LISTED]]
    body = html_table(headings, rows, numbers=(1,)) if rows else ""
    if (more := len(level.branches) - len(rows)) > 0:
        text = words(lang).ngettext(
            "{n} smaller theme is in the table of contributions.",
            "{n} smaller themes are in the table of contributions.",
            more,
        )
        body += paragraphs([text.format(n=number(more, lang))])
    opened = " open" if level.chosen else ""
    return f'<details class="level"{opened}><summary>{safe(head)}</summary>\n{body}</details>\n'


def _row(branch: Branch, level: LevelFacts, *, finest: bool, lang: str) -> list[str]:
    cells = [branch.name, number(branch.size, lang), keywords_html(branch.keywords)]
    if level.number > 1:
        cells.append(branch.within[0] if branch.within else "–")
    return cells if finest else [*cells, safe(parts_words(branch, lang))]


def tree_svg(facts: Facts, lang: str) -> str:
    """A column for each level; a block is a theme, as high as its contributions, beside the one that it comes from."""
    _ = words(lang).gettext
    levels = facts.levels
    total = max(1, facts.total - facts.empty)
    wide = _WIDTH / len(levels)
    scale = (_HEIGHT - _TOP) / total
    body, told = "", []
    blocks: list[_Block] = []
    for at, level in enumerate(levels):
        left = wide * at
        title = _("level {n}").format(n=level.number)
        body += text_at(left + 2, 14, title, kind="" if level.chosen else "t")
        told.append(_("{name}: {n}").format(name=title, n=level_words(level, lang)))
        blocks = _stacked(level, blocks, total)
        top = float(_TOP)
        for branch, size in blocks:
            high = size * scale
            gap = 0.8 if high > 4 else 0.0
            body += bar(
                left + 1, round(top, 2), wide - 4, max(round(high - gap, 2), 0.2), "c" if branch else "w"
            )
            if branch and high >= 15:
                text = _fitted(f"{branch.name} {', '.join(branch.keywords)}", wide - 12)
                body += text_at(left + 5, round(top + high / 2 + 4.5, 1), text)
            top += high
    return picture(_WIDTH, _HEIGHT, _("What splits into what"), joined(told, lang), body)


_Block = tuple[Branch | None, int]


def _stacked(level: LevelFacts, coarser: Sequence[_Block], total: int) -> list[_Block]:
    """The themes of a level, each beside the theme of the coarser level that it comes from, and after them what of it is no theme any more (None)."""
    inside: dict[str, list[Branch]] = {}
    for branch in level.branches:
        inside.setdefault(branch.within[0] if branch.within else "", []).append(branch)
    blocks: list[_Block] = []
    for above, size in coarser:
        mine = inside.pop(above.name, []) if above else []
        blocks += [(branch, branch.size) for branch in mine]
        if (few := size - sum(branch.size for branch in mine)) > 0:
            blocks.append((None, few))
    blocks += [(branch, branch.size) for left in inside.values() for branch in left]
    return _balanced(blocks, total)


def _balanced(blocks: list[_Block], total: int) -> list[_Block]:
    """The same with all contributions in it, and no more: where a theme has taken some from elsewhere, the blocks of what is no theme give way."""
    over = sum(size for _branch, size in blocks) - total
    if over < 0:
        return [*blocks, (None, -over)]
    kept: list[_Block] = []
    for branch, size in reversed(blocks):
        less = 0 if branch else min(over, size)
        over -= less
        if size > less:
            kept.append((branch, size - less))
    return kept[::-1]


def _fitted(text: str, wide: float) -> str:
    most = int(wide / _LETTER)
    return text if len(text) <= most else text[: max(most - 1, 1)] + "…"
