"""How are groups, tests and their limits told in plain words, in English or French?

One place for the words of the page, of `explain_group` and of a contributor's export, so that all say the same. What is told is what texts and
accounts have in common; never what people meant, and never that anybody did wrong.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from klero.words import number, words

if TYPE_CHECKING:
    from klero.campaigns.model import Consultation, Interval
    from klero.campaigns.result import Campaign, Campaigns, DetectionLimit

__all__ = [
    "accounts_known",
    "conclusive",
    "error_words",
    "found_lead",
    "headline",
    "interval_words",
    "limit_words",
    "no_verdict",
    "pattern_words",
    "people_words",
    "rounded",
    "rule_words",
    "share_words",
    "sure_words",
    "voices_words",
    "why_not_words",
]


def rounded(value: float, lang: str) -> str:
    """Three significant figures, in the language's writing: «3.1», «412», «12 000».

    >>> rounded(3.14159, "fr"), rounded(12000.0, "en"), rounded(0.00042, "en"), rounded(3.0, "en")
    ('3,14', '12,000', '0.00042', '3')
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else "–"
    if abs(value) >= 100:
        return number(round(value), lang)
    text = f"{value:.{max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text if lang == "en" else text.replace(".", ",")


def share_words(share: float, lang: str) -> str:
    """A share such as q: «5 %», «0.5 %».

    >>> share_words(0.05, "en"), share_words(0.005, "fr")
    ('5\\xa0%', '0,5\\xa0%')
    """
    return f"{rounded(100 * share, lang)}\u00a0%"


def accounts_known(c: Consultation, rows: Iterable[int]) -> bool:
    """Whether all these contributions name an account; if not, a contribution without one counts as a voice of its own."""
    return all(c.authors[int(c.author[row])] is not None for row in rows)


def people_words(group: Campaign, c: Consultation, lang: str) -> str:
    """«38 people», or «38 contributions» where accounts are not known, «38 accounts» if they only vote."""
    plural = words(lang).ngettext
    n = group.raw
    if group.candidate.kind == "votes":
        text = plural("{n} account", "{n} accounts", n)
    elif accounts_known(c, group.candidate.rows.tolist()):
        text = plural("{n} person", "{n} people", n)
    else:
        text = plural("{n} contribution", "{n} contributions", n)
    return text.format(n=number(n, lang))


def headline(group: Campaign, c: Consultation, lang: str, *, identical: bool = True) -> str:
    """What a group is, in a line that accuses nobody.

    Args:
        identical: whether copies have the same words in the same order.
    """
    _ = words(lang).gettext
    texts = {
        "copies": _("identical text, {people}") if identical else _("nearly the same text, {people}"),
        "template": _("one letter with blanks, {people}"),
        "paraphrase": _("one message in many words, {people}"),
        "votes": _("accounts that vote alike, {people}"),
    }
    return texts[group.candidate.kind].format(people=people_words(group, c, lang))


def pattern_words(pattern: str, lang: str) -> str:
    """What was searched for, as the detection limits name it; another name stays as it is."""
    _ = words(lang).gettext
    known = {
        "copies": _("identical texts"),
        "template": _("a letter with blanks"),
        "paraphrase": _("one message in many words"),
        "paraphrase-in-time": _("one message in many words, sent within a few hours"),
        "votes": _("accounts that vote alike"),
    }
    return known.get(pattern, pattern)


def found_lead(result: Campaigns, lang: str) -> str:
    """The sentence to remember."""
    plural = words(lang).ngettext
    shown = len(result.groups)
    if shown:
        text = plural(
            "{n} group of contributions or accounts is for a person to look at.",
            "{n} groups of contributions or accounts are for a person to look at.",
            shown,
        )
        return text.format(n=number(shown, lang))
    if conclusive(result):
        return words(lang).gettext(
            "Nothing found: no group stands out from what chance gives in this consultation."
        )
    if not result.limits:
        return plural(
            "Nothing can be concluded: {n} contribution could not be tested.",
            "Nothing can be concluded: {n} contributions could not be tested.",
            len(result.consultation),
        ).format(n=number(len(result.consultation), lang))
    return plural(
        "Nothing can be concluded: with {n} contribution, no campaign of any size that was tried would be seen.",
        "Nothing can be concluded: with {n} contributions, no campaign of any size that was tried would be seen.",
        len(result.consultation),
    ).format(n=number(len(result.consultation), lang))


def conclusive(result: Campaigns) -> bool:
    """Whether the search could have seen anything: a campaign of some size is found in at least half of the trials."""
    return any(limit.size is not None for limit in result.limits)


def error_words(q: float, shown: int, lang: str) -> str:
    """The error rate."""
    _ = words(lang).gettext
    if not shown:
        return _(
            "The search is made so that, of the groups it shows, at most {q} on average are coincidences. Here it shows none."
        ).format(q=share_words(q, lang))
    return _(
        "Of the groups shown, at most {q} on average are coincidences. That is a promise about many consultations, not about each group: any of "
        "these may be one of them."
    ).format(q=share_words(q, lang))


def limit_words(limits: Sequence[DetectionLimit], lang: str) -> str:
    """What would not have been seen, in a sentence."""
    _ = words(lang).gettext
    if not limits:
        return _("It was not computed which campaigns are too small to be seen here.")
    told = []
    for limit in limits:
        text = _("{pattern} by fewer than {n} people")
        if limit.size is None:
            text = _("{pattern}, not even by {n} people, the most that was tried")
        size = limit.largest if limit.size is None else limit.size
        most = _most_seen(limit)
        if most is not None:
            text = _(
                "{pattern} by fewer than {n} people, or by more than {most}, who leave too few others to compare them with"
            )
        told.append(
            text.format(
                pattern=pattern_words(limit.pattern, lang), n=number(size, lang), most=number(most or 0, lang)
            )
        )
    return _("Here, these would probably not be seen: {list}.").format(list=_("; ").join(told))


def _most_seen(limit: DetectionLimit) -> int | None:
    """The largest size that at least half of the trials find, if larger ones were tried and are not."""
    if limit.size is None:
        return None
    most = max(size for size, share in limit.power.items() if share >= 0.5)
    return most if most < limit.largest else None


def interval_words(n_eff: Interval, lang: str) -> str:
    """«about 3.1 (between 1 and 8)»; «about 1» where all three are told alike."""
    _ = words(lang).gettext
    estimate, low, high = (rounded(one, lang) for one in (n_eff.estimate, n_eff.low, n_eff.high))
    if estimate == low == high:
        return _("about {estimate}").format(estimate=estimate)
    return _("about {estimate} (between {low} and {high})").format(estimate=estimate, low=low, high=high)


def voices_words(raw: int, n_eff: Interval, lang: str) -> str:
    """Raw and effective voices of the whole consultation."""
    if n_eff.low == n_eff.estimate == n_eff.high == raw:
        text = words(lang).ngettext(
            "{n} voice was heard (an account counts once). No group is read as fewer, so each counts in full.",
            "{n} voices were heard (an account counts once). No group is read as fewer, so each counts in full.",
            raw,
        )
        return text.format(n=number(raw, lang))
    text = words(lang).ngettext(
        "{n} voice was heard (an account counts once). If texts from one source are read as fewer voices, that is {effective}, at {level} confidence.",
        "{n} voices were heard (an account counts once). If texts from one source are read as fewer voices, that is {effective}, at {level} confidence.",
        raw,
    )
    return text.format(
        n=number(raw, lang), effective=interval_words(n_eff, lang), level=share_words(n_eff.level, lang)
    )


def sure_words(group: Campaign, lang: str) -> list[str]:
    """How rare such a group is where nobody acts together, and how much error would have to be allowed for it to be shown."""
    _ = words(lang).gettext
    if not group.for_review:
        return []
    if group.adjusted <= 0:
        return []
    return [
        _("It would be shown even if at most {adjusted} of the groups shown might be coincidences.").format(
            adjusted=share_words(max(group.adjusted, 1e-6), lang)
        )
    ]


def rule_words(rule: str, lang: str) -> str:
    """Why a group is shown, or why it is not; another rule stays as it is."""
    _ = words(lang).gettext
    known = {
        "text": _("Its texts have more in common than texts of this consultation have by chance."),
        "two-strands": _(
            "Two kinds of evidence agree: what the texts have in common, and when or with whom they came."
        ),
        "votes": _("These accounts vote alike more often than people of the same opinions do."),
        "part": _("It came in one burst, and most of it is in a group of one wording that is shown."),
        "not-enough": _("The evidence is not stronger than what chance gives here."),
        "short-text-alone": _("Short texts alike say nothing alone: many people give the same short answer."),
        "time-alone": _(
            "Texts that come at the same time say nothing alone: a deadline or the news does that."
        ),
    }
    return known.get(rule, rule)


def why_not_words(code: str, lang: str) -> str:
    """Why a test could not be made; another code stays as it is."""
    _ = words(lang).gettext
    known = {
        "": _("not tested"),
        "no-time": _("no times were given"),
        "constant-time": _("all times are the same"),
        "no-author": _("no accounts were given"),
        "one-author": _("everything comes from one account"),
        "no-votes": _("no votes were given"),
        "no-vectors": _("no vectors of the texts were there"),
        "no-metadata": _("no further columns were given"),
        "no-question": _("no questions were given"),
        "no-texts": _("a group of accounts has no texts"),
        "no-room": _("nobody else wrote under the same conditions, so there is nothing to compare with"),
        "too-few": _("too few people for this test"),
        "too-short": _("the texts are too short for this test"),
        "not-asked": _("it was not asked for"),
        "same-selection": _("the group was found by this very thing, so it can't be its own proof"),
        "constant-field": _("the column is the same for everybody, which says nothing"),
    }
    return known.get(code, code)


def no_verdict(lang: str) -> str:
    """The sentences that stand on every page."""
    return words(lang).gettext(
        "This is no accusation. A petition, a letter offered by an association, a school class and an organised campaign look the same here, and to "
        "take part together is a right. What is shown is what texts or votes have in common, not who is behind them nor why. Nobody is given a score, "
        "nothing is taken away: a person decides, and the raw count always stands beside."
    )
