"""Which contributions may come from one source, how sure is that, and does it matter? One page that anybody can read, print and pass on.

One HTML file in English or French. First what was searched, how many groups are for a person to look at, the error rate, what could not have been
seen, voices raw and effective, and whether a conclusion would change; then a card a group with the evidence, the innocent explanations to check and a
form for a person's decision; then every group that was tested and is not shown, so that nothing is hidden; then the method.

It fetches nothing. Its script makes a file of the decisions that a person wrote and sends nothing; without it the page is readable and the forms are
for paper. No account is named, texts are masked, counts of fewer than five people are not told, and the page has a largest size, whatever the result
(see `klero.campaigns.report_facts`). It gives evidence, never a verdict.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from klero._page import figure, html_table, page, paragraphs, safe, section
from klero._page_words import moment
from klero.campaigns.channel_words import channel_compares, channel_name, p_words
from klero.campaigns.explain_words import (
    conclusive,
    error_words,
    found_lead,
    headline,
    interval_words,
    limit_words,
    no_verdict,
    pattern_words,
    rounded,
    rule_words,
    voices_words,
    why_not_words,
)
from klero.campaigns.model import CHANNELS
from klero.campaigns.notes import note_words
from klero.campaigns.report_cards import card_heading, card_html
from klero.campaigns.report_facts import CARDS, LONGEST, TEXTS, gather
from klero.campaigns.report_form import all_decisions
from klero.campaigns.report_pictures import voices_svg
from klero.campaigns.report_sensitivity import changes_words, sensitivity_html
from klero.campaigns.report_style import SCRIPT, STYLE
from klero.voices.reading_words import shown_words, unmasked_words
from klero.words import number, words

if TYPE_CHECKING:
    from klero.campaigns.report_facts import Facts
    from klero.campaigns.result import Campaigns

__all__ = ["campaigns_page"]

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def campaigns_page(
    result: Campaigns,
    lang: str = "en",
    *,
    name: str = "",
    version: str = "",
    mask: bool = True,
    least_people: int = 5,
    output: str = "",
) -> str:
    """The page.

    Args:
        lang: "en" or "fr".
        name: of the file that was searched.
        version: of klero.
        mask: whether what looks like an e-mail address, a telephone number and so on is replaced in texts, ids and names of questions.
        least_people: counts of fewer people are told as «fewer than …», and a group of fewer has only its figures on the page.
        output: the file that holds what is left out here.

    Raises:
        InputError: the language is not known.
    """
    _ = words(lang).gettext
    facts = gather(result, lang, mask=mask, least_people=least_people)
    title = _("Contributions that may come from one source")
    sections = [
        ("found", _("What was found"), _found(facts, lang)),
        ("sensitivity", _("Would the conclusion change?"), sensitivity_html(facts, lang)),
        ("groups", _("The groups"), _groups(facts, lang)),
        ("decisions-part", _("The file of decisions"), _decisions(facts, lang)),
        ("limits", _("What would not have been seen"), _limits(facts, lang)),
        ("others", _("Tested and not for review"), _others(facts, output, lang)),
        ("method", _("What was done"), _method(facts, lang)),
    ]
    links = " · ".join(f'<a href="#{place}">{safe(text)}</a>' for place, text, body in sections if body)
    told = f"<p>{safe(name)}</p>\n" if name else ""
    header = f'<h1>{safe(title)}</h1>\n{told}<nav aria-label="{safe(_("Contents"))}"><p>{links}</p></nav>\n'
    body = "".join(section(place, text, html) for place, text, html in sections if html)
    footer = f'<p class="small">klero {safe(version)}</p>\n'
    full = _("{name}: {n}").format(name=title, n=name) if name else title
    script = SCRIPT if facts.cards else ""
    return page(full, header, body, footer, lang, style=STYLE, script=script).decode()


# --- the first screen


def _found(facts: Facts, lang: str) -> str:
    _ = words(lang).gettext
    result = facts.result
    body = paragraphs([found_lead(result, lang)], "lead")
    body += paragraphs([" ".join(searched_words(facts, lang))])
    body += _tiles(facts, lang) + paragraphs(note_words(result.notes, lang))
    body += paragraphs([error_words(result.q, len(result.groups), lang), *nothing_words(result, lang)])
    body += paragraphs([limit_words(result.limits, lang)])
    body += f'<p class="notice">{safe(no_verdict(lang))}</p>\n'
    body += _index(facts, lang)
    if result.raw:
        title = _("Voices counted, and effective voices")
        body += figure(title, voices_svg(result.raw, result.n_eff, title, lang))
        body += paragraphs([voices_words(result.raw, result.n_eff, lang)])
    body += paragraphs(changes_words(result, lang))
    return body + f'<p class="notice">{safe(unmasked_words(lang))}</p>\n'


def searched_words(facts: Facts, lang: str) -> list[str]:
    """What was searched, and how many groups were tested."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    result, c = facts.result, facts.result.consultation
    held = plural("{n} contribution with words", "{n} contributions with words", len(c)).format(
        n=number(len(c), lang)
    )
    voices = plural("{n} voice", "{n} voices", result.raw).format(n=number(result.raw, lang))
    lines = [_("Searched: {contributions} by {voices}.").format(contributions=held, voices=voices)]
    if not facts.people and not {"no-author", "authors-missing"} & set(result.notes):
        lines.append(
            _("Not every contribution names an account: one without an account counts as a voice of its own.")
        )
    if result.empty and "empty" not in result.notes:
        text = plural(
            "{n} contribution holds no word and is in no group.",
            "{n} contributions hold no word and are in no group.",
            len(result.empty),
        )
        lines.append(text.format(n=number(len(result.empty), lang)))
    if facts.first is not None and facts.last is not None:
        first, last = (moment(_day(seconds), lang) for seconds in (facts.first, facts.last))
        text = _("From {first} to {last}.") if first != last else _("All on {first}.")
        lines.append(text.format(first=first, last=last))
    tested = plural(
        "{n} group was tested against what chance gives in this same consultation",
        "{n} groups were tested against what chance gives in this same consultation",
        len(result.tested),
    ).format(n=number(len(result.tested), lang))
    if result.permutations and result.tested:
        draws = plural("{n} chance group", "{n} chance groups", result.permutations)
        tested += f" ({draws.format(n=number(result.permutations, lang))})"
    return [*lines, tested + "."]


def _day(seconds: float) -> str:
    return (_EPOCH + dt.timedelta(seconds=int(seconds))).strftime("%Y-%m-%d")


def nothing_words(result: Campaigns, lang: str) -> list[str]:
    """What it means that nothing was found; nothing where something was."""
    _ = words(lang).gettext
    if result.groups:
        return []
    if not conclusive(result):
        return [
            _(
                "That is no sign that all is well, nor that something is wrong: there are too few contributions to tell. A search can see a campaign only "
                "where there is enough else to compare it with."
            )
        ]
    return [
        _(
            "It means that no group of texts or accounts has more in common than chance explains here. It does not prove that every voice is independent: "
            "a small campaign, or one whose writers were careful, would not be seen."
        )
    ]


def _tiles(facts: Facts, lang: str) -> str:
    """Four figures to remember."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    result = facts.result
    shown = len(result.groups)
    n = number(shown, lang)
    tiles = [
        (
            plural("{n} group", "{n} groups", shown).format(n=n),
            plural("for a person to look at", "for a person to look at", shown),
        ),
        (
            f"{number(result.raw, lang)} → {rounded(result.n_eff.estimate, lang)}",
            _("voices counted → effective voices, between {low} and {high}").format(
                low=rounded(result.n_eff.low, lang), high=rounded(result.n_eff.high, lang)
            )
            if result.n_eff.low < result.n_eff.high
            else _("voices counted → effective voices"),
        ),
    ]
    if result.sensitivity:
        changed = sum(line.changes for line in result.sensitivity)
        tiles.append(
            (
                plural("{n} line changes", "{n} lines change", changed).format(n=number(changed, lang))
                if changed
                else _("no line changes"),
                _("of {n} in the table «Would the conclusion change?»").format(
                    n=number(len(result.sensitivity), lang)
                ),
            )
        )
    sizes = {limit.pattern: limit for limit in result.limits}
    worst = next(
        (sizes[name] for name in ("paraphrase", "template", "copies", "votes") if name in sizes), None
    )
    if worst is not None:
        least = (
            _("under {n} people").format(n=number(worst.size, lang))
            if worst.size is not None
            else _("up to {n} people").format(n=number(worst.largest, lang))
        )
        tiles.append(
            (least, _("{pattern}: would not be seen").format(pattern=pattern_words(worst.pattern, lang)))
        )
    items = "".join(
        f"<li><strong>{safe(big)}</strong> <span>{safe(small)}</span></li>\n" for big, small in tiles
    )
    return f'<ul class="facts">\n{items}</ul>\n'


def _index(facts: Facts, lang: str) -> str:
    """A line a group."""
    _ = words(lang).gettext
    if not facts.cards:
        return ""
    rows = [
        [
            f'<a href="#{safe(card.group.name)}">{safe(card.group.name)}</a>',
            safe(card_heading(card, facts, lang)),
            number(card.group.raw, lang),
            safe(interval_words(card.group.n_eff, lang)),
            safe(p_words(card.group.p, lang)),
        ]
        for card in facts.cards
    ]
    headings = [_("group"), _("what it is"), _("voices"), _("effective voices"), _("how rare by chance")]
    return html_table(headings, rows, numbers=(2,), caption=_("Groups for a person to look at"))


# --- the parts below


def _groups(facts: Facts, lang: str) -> str:
    if not facts.cards:
        return ""
    body = "".join(card_html(card, facts, lang) for card in facts.cards)
    if facts.more_cards:
        text = words(lang).ngettext(
            "{n} more group is for review and has no card here, where there is room for {most}.",
            "{n} more groups are for review and have no card here, where there is room for {most}.",
            facts.more_cards,
        )
        body += paragraphs([text.format(n=number(facts.more_cards, lang), most=number(CARDS, lang))])
    return body


def _decisions(facts: Facts, lang: str) -> str:
    return all_decisions(facts.result.digest, lang) if facts.cards else ""


def _limits(facts: Facts, lang: str) -> str:
    """The power of the search by size."""
    _ = words(lang).gettext
    limits = facts.result.limits
    said = _(
        "Campaigns of known sizes were put into this consultation, and searched for in the same way. Under the size given, a search finds fewer than half "
        "of them."
    )
    body = paragraphs([said if limits else limit_words(limits, lang)])
    if not limits:
        return body
    sizes = sorted({size for limit in limits for size in limit.power})
    rows = [
        [
            safe(pattern_words(limit.pattern, lang)),
            safe(
                number(limit.size, lang)
                if limit.size is not None
                else _("more than {n}").format(n=number(limit.largest, lang))
                if limit.trials
                else "–"
            ),
            *(
                f"{round(100 * limit.power[size])}\u00a0%" if size in limit.power and limit.trials else "–"
                for size in sizes
            ),
            number(limit.trials, lang) if limit.trials else _("none: never shown for this alone"),
        ]
        for limit in limits
    ]
    found = _("{n} people: found")
    headings = [
        _("what was searched for"),
        _("seen from … people on"),
        *(found.format(n=number(size, lang)) for size in sizes),
        _("trials of each size"),
    ]
    return body + html_table(
        headings, rows, numbers=range(1, len(headings)), caption=_("Share of campaigns found, by their size")
    )


def _others(facts: Facts, output: str, lang: str) -> str:
    """Groups that were tested and are not shown, folded away."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    count = len(facts.others) + facts.more_others
    if not count:
        return ""
    text = plural(
        "{n} more group was tested and is not for review. It is told here so that nothing is hidden; it counts in full.",
        "{n} more groups were tested and are not for review. They are told here so that nothing is hidden; they count in full.",
        count,
    )
    body = paragraphs([text.format(n=number(count, lang))])
    rows = [[safe(rule_words(rule, lang)), number(n, lang)] for rule, n in facts.reasons]
    body += html_table([_("why"), _("groups")], rows, numbers=(1,), caption=_("Why they are not for review"))
    c = facts.result.consultation
    lines = [
        [
            safe(one.name),
            safe(headline(one, c, lang, identical=False)),
            number(one.raw, lang) if one.raw >= facts.least_people else "–",
            safe(p_words(one.p, lang)),
            safe(rule_words(one.rule, lang)),
        ]
        for one in facts.others
    ]
    headings = [
        _("group"),
        _("what it is"),
        _("voices"),
        _("how rare by chance"),
        _("why it is not for review"),
    ]
    table = html_table(headings, lines, numbers=(2,), caption=_("Groups tested and not for review"))
    if facts.more_others:
        more = plural("{n} more is not listed.", "{n} more are not listed.", facts.more_others)
        told = more.format(n=number(facts.more_others, lang))
        if output:
            told += " " + _("All are in {file}.").format(file=output)
        table += paragraphs([told], "small")
    head = _("Show each of them")
    return body + f"<details><summary>{safe(head)}</summary>\n{table}</details>\n"


def _method(facts: Facts, lang: str) -> str:
    _ = words(lang).gettext
    lines = [
        _(
            "Groups were looked for in three ways, each by one thing alone: in the texts (copies, letters with blanks, dense groups of texts of the same "
            "meaning), in time (more contributions than usual in a stretch of it), and among accounts in the votes. A group is then tested on what had no part "
            "in choosing it, or against groups that were searched for in the same way. Only different accounts count."
        ),
        _(
            "Each test compares a group with what this same consultation gives by chance: pairs of texts by different people, groups found in the same way, "
            "times and votes shuffled among contributions that are alike in question and opinion. A burst that everybody takes part in, a deadline or the "
            "news, is so no evidence."
        ),
        _(
            "A group is shown if its texts alone are rare enough, or if two kinds of evidence agree, or if accounts vote alike beyond their common opinions. "
            "Time alone and short texts alone never are enough. The share of coincidences among the groups shown is bounded as said above."
        ),
        _(
            "Effective voices: as many independent voices as would carry as much as the group does, from the probability of each text to come from its common "
            "source. A voice that stands alone weighs 1; a group keeps at least 1."
        ),
    ]
    return paragraphs(lines) + _shown(facts, lang) + _made(facts, lang)


def _made(facts: Facts, lang: str) -> str:
    """Which tests were made, and the settings."""
    _ = words(lang).gettext
    result = facts.result
    rows = [
        [
            safe(channel_name(channel, lang)),
            safe(channel_compares(channel, lang)),
            safe(_("yes") if channel not in result.channels_off else _state(result, channel, lang)),
        ]
        for channel in CHANNELS
    ]
    settings = [
        (_("largest share of coincidences (q)"), rounded(result.q, lang)),
        (_("seed"), str(result.consultation.seed)),
        (_("chance groups drawn in all"), number(result.permutations, lang)),
        (_("digest of the input and the settings (SHA-256)"), result.digest),
    ]
    return html_table([_("test"), _("what it asks"), _("made here")], rows, caption=_("Tests")) + html_table(
        [_("setting"), _("value")],
        [[safe(name), safe(value)] for name, value in settings],
        caption=_("Settings and versions"),
    )


def _state(result: Campaigns, channel: str, lang: str) -> str:
    return words(lang).gettext("no: {why}").format(why=why_not_words(result.channels_off[channel], lang))


def _shown(facts: Facts, lang: str) -> str:
    """What the page shows and what it does not."""
    _ = words(lang).gettext
    shown = _(
        "The page shows at most {cards} groups, {texts} texts of each and {characters} characters of a text. No account is named. Counts of fewer than {least} "
        "people are not told."
    ).format(
        cards=number(CARDS, lang),
        texts=number(TEXTS, lang),
        characters=number(LONGEST, lang),
        least=number(facts.least_people, lang),
    )
    return paragraphs([shown, *shown_words("", lang, masked=facts.masked)])
