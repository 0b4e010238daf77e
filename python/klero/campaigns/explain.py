"""Why is this group shown, and what was computed about this contribution? In plain words, for whoever has to answer for it, or wrote it.

What was found, how sure it is, what it does not say, and what would make it innocent. Nobody's text and nobody's name is told.

>>> explain_group(result, "C1", "fr")  # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from klero._native import text_fold
from klero.campaigns.channel_words import channel_name, p_words
from klero.campaigns.explain_words import (
    error_words,
    headline,
    interval_words,
    people_words,
    rounded,
    rule_words,
    share_words,
    sure_words,
    why_not_words,
)
from klero.campaigns.innocent import explanation, innocent, settles, settling
from klero.campaigns.report_facts import known_of
from klero.errors import Fault, InputError, quoted
from klero.words import number, words

if TYPE_CHECKING:
    from klero.campaigns.result import Campaign, Campaigns

__all__ = ["explain_contribution", "explain_group", "found_words", "silent_words", "weighing_words"]


def explain_group(result: Campaigns, name: str, lang: str = "en") -> str:
    """A group in plain words, a sentence or two a line.

    Args:
        name: «C1», …; a group that is not for review can be asked about, too.
        lang: "en" or "fr".

    Raises:
        InputError: there is no such group, or the language is not known.
    """
    _ = words(lang).gettext
    group = next((one for one in result.tested if one.name == name), None)
    if group is None:
        raise InputError([_unknown_group(result, name)])
    head = _("{name}: {n}").format(
        name=name, n=headline(group, result.consultation, lang, identical=_identical(result, group))
    )
    lines = [head + ".", *found_words(result, group, lang)]
    if group.for_review:
        lines.append(error_words(result.q, len(result.groups), lang))
    lines += _tested(group, lang)
    if group.for_review:
        codes = innocent(group, known_of(group, result.consultation))
        lines.append(_("What would make it innocent:"))
        lines += ["- " + " ".join(explanation(code, lang)) for code in codes]
        lines.append(_("What would settle it:"))
        lines += ["- " + settles(code, lang) for code in settling(group)]
    return "\n".join([*lines, *weighing_words(result, group, lang), *silent_words(lang)])


def _unknown_group(result: Campaigns, name: str) -> Fault:
    names = ", ".join(one.name for one in result.tested[:5])
    known = f"there are: {names}{', …' if len(result.tested) > 5 else ''}" if names else "no group was tested"
    message = (
        f"no group is called {quoted(str(name))}; {known}. Names hold within one result only: take the name "
        "from the result that you ask."
    )
    return Fault("campaign-group-unknown", message, "", value=str(name))


def _identical(result: Campaigns, group: Campaign) -> bool:
    """Whether the texts of a group have the same words in the same order."""
    if group.candidate.kind != "copies":
        return False
    texts = {result.consultation.texts[row] for row in group.candidate.rows.tolist()}
    return len({tuple(text_fold(text)) for text in texts}) == 1


def found_words(result: Campaigns, group: Campaign, lang: str, *, identical: bool | None = None) -> list[str]:
    """What was found of a group and why it is shown or not.

    Args:
        identical: as in `headline`; found out if it is not given.
    """
    _ = words(lang).gettext
    same = _identical(result, group) if identical is None else identical
    people = people_words(group, result.consultation, lang)
    texts = {
        "copies": _("The same text, word for word: {people}.")
        if same
        else _("Nearly the same text, with small differences: {people}."),
        "template": _(
            "The texts of {people} follow one letter: the same sentences, with places in which each puts other words."
        ),
        "paraphrase": _(
            "The texts of {people} say nearly the same in other words, more than other groups found in the same way."
        ),
        "votes": _("{people} vote alike on so many things that common opinions don't explain it."),
    }
    lines = [texts[group.candidate.kind].format(people=people)]
    size = len(group.members)
    if group.candidate.kind != "votes" and size > group.raw:
        text = words(lang).ngettext(
            "There is {n} contribution, for some gave several; each person counts once.",
            "There are {n} contributions, for some gave several; each person counts once.",
            size,
        )
        lines.append(text.format(n=number(size, lang)))
    if group.candidate.found_by == "time":
        lines.append(
            _(
                "They were found as a burst, more contributions than usual in a stretch of time; then their texts were tested."
            )
        )
    why = _("Why it is shown: {why}") if group.for_review else _("Why it is not shown for review: {why}")
    lines.append(" ".join([why.format(why=rule_words(group.rule, lang)), *sure_words(group, lang)]))
    if group.for_review and group.short:
        lines.append(_("Its texts are short; alone they would not have been enough to show it."))
    return lines


def _tested(group: Campaign, lang: str) -> list[str]:
    """The tests in a line, and what was not tested in another."""
    _ = words(lang).gettext
    done = [
        f"{channel_name(one.name, lang)} ({p_words(one.p, lang)})"
        for one in group.channels
        if one.p is not None
    ]
    left = [
        f"{channel_name(one.name, lang)} ({why_not_words(one.why_not, lang)})"
        for one in group.channels
        if one.p is None
    ]
    lines = []
    if done:
        lines.append(
            _("How rare that is where nobody acts together: {list}.").format(list=_("; ").join(done))
        )
    if left:
        lines.append(_("Not tested: {list}.").format(list=_("; ").join(left)))
    return lines


def weighing_words(result: Campaigns, group: Campaign, lang: str) -> list[str]:
    """What a group counts for, raw and weighed."""
    _ = words(lang).gettext
    people = people_words(group, result.consultation, lang)
    if not group.for_review:
        return [_("Nothing is weighed: {people} count in full.").format(people=people)]
    lines = [
        _(
            "Counted as {people}; if it comes from one source, it weighs as {effective} voices ({level} confidence). It keeps at least one voice, and "
            "none of its arguments disappears."
        ).format(
            people=people,
            effective=interval_words(group.n_eff, lang),
            level=share_words(group.n_eff.level, lang),
        )
    ]
    share = group.raw / max(result.raw, 1)
    lines.append(_("That is {share} of all voices before weighing.").format(share=share_words(share, lang)))
    if len(group.dependence):
        median = float(np.median(group.dependence))
        lines.append(
            _(
                "Half of its contributions come from the common source with a probability of {share} or more, if there is one; those that fit less weigh more."
            ).format(share=share_words(round(median, 3), lang))
        )
    return lines


def silent_words(lang: str) -> list[str]:
    """What no result of this kind says."""
    _ = words(lang).gettext
    return [
        _(
            "Not said: who wrote the text first, whether somebody asked for it, whether several accounts are one person, whether what is said is right. "
            "People who use a common text may all mean it."
        )
    ]


def explain_contribution(result: Campaigns, id: int | str, lang: str = "en") -> str:  # noqa: A002 (the word of the result)
    """What was computed about one contribution and with what weight, in words that whoever wrote it could read.

    Raises:
        InputError: there is no such contribution, or the language is not known.
    """
    _ = words(lang).gettext
    c = result.consultation
    head = _("Contribution {id}.").format(id=id)
    if id in result.empty:
        return "\n".join(
            [head, _("It holds no word that can be compared; nothing was computed about it, and it is kept.")]
        )
    if id not in c.ids:
        message = (
            f"no contribution has the id {quoted(str(id))}. Ids are those of the file that was searched, "
            "numbers as numbers and texts as texts; take one from there."
        )
        raise InputError([Fault("id-unknown", message, "", value=str(id))])
    row = c.ids.index(id)
    lines = [head]
    mine = [(one, np.flatnonzero(one.candidate.rows == row)) for one in result.tested]
    for group, places in mine:
        if len(places):
            lines += _of_group(result, group, float(group.dependence[int(places[0])]), lang)
    if len(lines) == 1:
        lines.append(_("It was compared with all others and is in no group that was tested."))
    weight = float(result.weights[row])
    lines.append(
        _(
            "In the raw count its author is one voice, like everybody. In the weighed count, which stands beside, its weight is {weight}."
        ).format(weight=rounded(weight, lang))
    )
    lines += [
        _(
            "No score was given to a person, nothing was deleted, and no decision was taken by a program: a person decides on a group, and signs it."
        ),
        _(
            "Whoever wrote it can say to the organisers how it came about; a decision can be opened anew at any time."
        ),
    ]
    return "\n".join(lines)


def _of_group(result: Campaigns, group: Campaign, dependence: float, lang: str) -> list[str]:
    """What a group says of one of its contributions."""
    _ = words(lang).gettext
    name = headline(group, result.consultation, lang, identical=_identical(result, group))
    if not group.for_review:
        return [
            _("It was tested together with others ({name}: {what}), and nothing came of it: {why}").format(
                name=group.name, what=name, why=rule_words(group.rule, lang)
            )
        ]
    lines = [
        _("It is in group {name} ({what}), which a person should look at. {why}").format(
            name=group.name, what=name, why=rule_words(group.rule, lang)
        ),
        _(
            "Computed from its text: a probability of {share} that it comes from the group's common source. That is no judgement of its author."
        ).format(share=share_words(dependence, lang)),
    ]
    return [*lines, *_tested(group, lang)]
