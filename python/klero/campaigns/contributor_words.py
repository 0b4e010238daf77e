"""The answer to one contributor in words, part by part, in the order of the French law's four points.

Legal texts are named where they ask for an answer like this one; whether they apply to a decision is not for a program to say, and no sentence here does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from klero._page_words import counted
from klero.campaigns.channel_words import channel_name, channel_words
from klero.campaigns.explain_words import interval_words, rounded, rule_words, share_words, why_not_words
from klero.campaigns.review import Decision
from klero.campaigns.review_words import decision_words, state_words, when_words
from klero.voices.repeats_words import role_words
from klero.words import number, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from klero.campaigns.contributor import ContributorReport
    from klero.campaigns.results_file import Group
    from klero.campaigns.review import ReviewEntry

__all__ = ["Part", "parts_of", "title_of"]


@dataclass(frozen=True)
class Part:
    """A part of the answer.

    Attributes:
        name: what links lead to.
        heading: its heading.
        paragraphs: sentences.
        headings, rows: a table; none without headings.
        points: a list.
    """

    name: str
    heading: str
    paragraphs: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    points: tuple[str, ...] = ()


def title_of(report: ContributorReport, lang: str) -> str:
    """The title of the answer."""
    return words(lang).gettext("What was computed about the contribution {id}").format(id=report.place.id)


def parts_of(report: ContributorReport, lang: str) -> list[Part]:
    """All parts, in order."""
    return [
        _short(report, lang),
        _role(report, lang),
        _read(report, lang),
        _weights(report, lang),
        _done(report, lang),
        _decided(report, lang),
        _contest(report, lang),
        _check(report, lang),
    ]


def _short(report: ContributorReport, lang: str) -> Part:
    _ = words(lang).gettext
    lines = []
    if report.place.weighted is None:
        lines.append(_("This contribution has no words in it. It was compared with no other."))
    elif not report.groups:
        lines.append(
            _("This contribution was compared with the others. It is in none of the groups in the results.")
        )
    for group, state in report.groups:
        told = [_in_group(group, lang)]
        if group.for_review:
            told.append(_("The group was tested, and is one of those that people were asked to look at."))
        else:
            told.append(_("The group was tested, and nothing in it asked for a person's look."))
        if group.for_review or state.history:
            told.append(
                _("What people decided on the group: {state}.").format(state=state_words(state, lang))
            )
        lines.append(" ".join(told))
    lines.append(
        _(
            "To be in a group is no reproach: a petition, a letter that is passed on, or a school class look the same. The program deletes nothing, "
            "gives nobody a score, and says nothing of who is behind a text."
        )
    )
    return Part("short", _("In short"), tuple(lines))


def _in_group(group: Group, lang: str) -> str:
    _, ngettext = words(lang).gettext, words(lang).ngettext
    if group.voters:
        text = ngettext(
            "The account of this contribution is in the group {group}, of {n} account that votes.",
            "The account of this contribution is in the group {group}, of {n} accounts that vote.",
            group.raw,
        )
        return text.format(group=group.name, n=number(group.raw, lang))
    voices = ngettext("{n} voice", "{n} voices", group.raw).format(n=number(group.raw, lang))
    text = _(
        "This contribution is in the group {group}, of {contributions} by {voices} (the contributions of one account are one voice)."
    )
    return text.format(group=group.name, contributions=counted(len(group.members), lang), voices=voices)


def _role(report: ContributorReport, lang: str) -> Part:
    _ = words(lang).gettext
    return Part(
        "part",
        _("1. What part the program had in decisions"),
        (
            _(
                "The program (klero) looks for groups of contributions that may depend on one source, or were made together, and puts them before "
                "people. It decides nothing about a contribution: what a group is, people decide, and their decisions stand in a signed log to which "
                "lines are only ever added."
            ),
            _(
                "It also counts voices in three ways, side by side, so that everybody can see whether a conclusion would change. Which count is used "
                "for what is decided by those who hold the consultation."
            ),
        ),
    )


def _read(report: ContributorReport, lang: str) -> Part:
    _ = words(lang).gettext
    results = report.results
    lines = []
    if results.source:
        lines.append(_("The source is the table {name}.").format(name=results.source))
    if results.input_sha256:
        lines.append(_("The SHA-256 of its file is {digest}.").format(digest=results.input_sha256))
    others = [name for name, digest in results.inputs.items() if digest != results.input_sha256]
    if others:
        lines.append(_("Other files that were read: {names}.").format(names=_listed(others, lang)))
    if not report.own:
        lines.append(
            _("The results do not say which columns were read; ask those who hold the consultation.")
        )
    shown = any(value for _role_name, _column, value in report.own)
    if report.own and not shown:
        lines.append(
            _(
                "What stands in these columns for this contribution is kept by those who hold the consultation, who can give a copy."
            )
        )
    lines += _also_read(report, lang)
    headings = (_("read as"), _("column"), *((_("what stands there"),) if shown else ()))
    rows = [
        (role_words(role, lang), column, *((value or "–",) if shown else ()))
        for role, column, value in report.own
    ]
    return Part(
        "read",
        _("2. Which data were read, and from where"),
        tuple(lines),
        headings if rows else (),
        tuple(rows),
    )


def _also_read(report: ContributorReport, lang: str) -> list[str]:
    """What was read beside the columns."""
    _ = words(lang).gettext
    results, lines = report.results, []
    if results.votes:
        lines.append(
            _("If the account of this contribution voted, its votes were read too: who voted what on what.")
        )
    if results.vectors == "given":
        lines.append(_("With the text, numbers were read that stand for what it says (a vector)."))
    elif results.vectors:
        text = _("From the text, numbers were computed that stand for what it says (a vector), by {name}.")
        lines.append(text.format(name=results.vectors))
    if results.metadata:
        lines.append(
            _("Of further columns that were given, hashes made with a secret key were read, not the values.")
        )
    return lines


def _weights(report: ContributorReport, lang: str) -> Part:
    _ = words(lang).gettext
    place = report.place
    lines = [
        _(
            "The search was set so that, of the groups that it puts before people, at most {q} on average are coincidences."
        ).format(q=share_words(report.results.q, lang))
    ]
    for group, _state in report.groups:
        if group.n_eff is not None:
            text = _(
                "The voices of the group {group}, {raw}, are read as {n_eff} effective voices where they count as fewer."
            )
            n_eff = interval_words(group.n_eff, lang)
            lines.append(text.format(group=group.name, raw=number(group.raw, lang), n_eff=n_eff))
        depends = group.depends(place.id)
        if depends is not None:
            text = _(
                "The probability that this contribution comes from the common source of the group {group} was estimated as {p}."
            )
            lines.append(text.format(group=group.name, p=rounded(depends, lang)))
    lines.append(_("The voice of an account is shared evenly among its contributions."))
    counts = (
        (_("each account is one voice"), place.raw),
        (_("a group counts as its effective voices"), place.weighted),
        (_("a group counts as one voice"), place.one_each),
    )
    rows = tuple((name, "–" if weight is None else rounded(weight, lang)) for name, weight in counts)
    return Part(
        "weights",
        _("3. Settings, and the weights of this contribution"),
        tuple(lines),
        (_("way of counting"), _("weight of this contribution, as a voice")),
        rows,
    )


def _done(report: ContributorReport, lang: str) -> Part:
    _ = words(lang).gettext
    lines = [
        _(
            "Groups were looked for by what texts (or votes) have in common. Each group was then tested: would independent people show as much? The "
            "answer is compared with what the other contributions of the same consultation show."
        )
    ]
    points: list[str] = []
    for group, _state in report.groups:
        points += [f"{group.name}. {' '.join(channel_words(channel, lang))}" for channel in group.channels]
        if group.rule:
            text = _("{group}. What followed from the tests: {rule}")
            points.append(text.format(group=group.name, rule=rule_words(group.rule, lang)))
    if report.groups:
        lines.append(
            _(
                "A probability below says how often groups of independent people would show as much. It is not the probability that this group is "
                "organised, and says nothing about one person in it."
            )
        )
    else:
        lines.append(_("As this contribution is in no group, there is no test to tell of."))
        off = report.results.channels_off.items()
        told = _listed(
            (f"{channel_name(name, lang)} ({why_not_words(why, lang)})" for name, why in off), lang
        )
        if told:
            lines.append(_("Tests that could not be made here: {names}.").format(names=told))
    return Part("done", _("4. What was computed"), tuple(lines), points=tuple(points))


def _listed(texts: Iterable[str], lang: str) -> str:
    return words(lang).gettext("; ").join(texts)


def _decided(report: ContributorReport, lang: str) -> Part:
    _ = words(lang).gettext
    lines, points = [], []
    if not report.groups:
        lines.append(_("Decisions are taken on groups, and this contribution is in none."))
    for _group, state in report.groups:
        lines.append(_("{group}: {state}").format(group=state.group, state=state_words(state, lang)) + ".")
        points += [f"{state.group}. {_act_words(report, entry, lang)}" for entry in state.history]
    return Part("decided", _("What people decided"), tuple(lines), points=tuple(points))


def _act_words(report: ContributorReport, entry: ReviewEntry, lang: str) -> str:
    _ = words(lang).gettext
    act = entry.act
    role = getattr(act, "role", "") or _("a reviewer whose role was not given")
    if report.names:
        role = _("{reviewer} ({role})").format(reviewer=getattr(act, "reviewer", ""), role=role)
    done = (
        decision_words(act.decision, lang) if isinstance(act, Decision) else _("reopened, to be decided anew")
    )
    line = _("{time}: {what}. By: {who}.").format(time=when_words(entry.time, lang), what=done, who=role)
    if report.reasons:
        line += " " + _("Reason: «{reason}»").format(reason=getattr(act, "reason", ""))
    return line


def _contest(report: ContributorReport, lang: str) -> Part:
    _ = words(lang).gettext
    contact = report.contact or _("those who hold the consultation")
    lines = (
        _(
            "To ask for a person's look, to say what is wrong, or to contest a decision, write to: {contact}."
        ).format(contact=contact),
        _(
            "A decision can be reopened at any time, with a reason: a petition that was declared, a meeting at which a text was handed out, or an "
            "error of reading are such reasons. The earlier decision stays in the log, beside the new one."
        ),
        _("Texts of law that may bear on it; whether they apply here, this page can't say:"),
    )
    points = (
        _(
            "Code des relations entre le public et l'administration (France), articles L.\u00a0311-3-1, R.\u00a0311-3-1-1 and R.\u00a0311-3-1-2: who "
            "is the subject of an individual decision taken on the basis of an algorithm is told so, and is given on request, in an intelligible "
            "form, the four points of this page. If an administration refuses, or does not answer within a month, the Commission d'accès aux documents "
            "administratifs (CADA) can be asked within two months (articles R.\u00a0311-12, R.\u00a0311-13 and R.\u00a0343-1)."
        ),
        _(
            "Regulation (EU) 2016/679 (GDPR), article 15: the right to know whether data about oneself are processed, to have access to them, and to "
            "be told what the article lists. By its paragraph 4, a copy must not harm the rights of others; this is why others are on this page as "
            "counts alone."
        ),
        _(
            "The same Regulation, article 22: the right not to be subject to a decision based solely on automated processing that has legal effects "
            "or similarly significant ones; and, where such a decision rests on a contract or on explicit consent (paragraph 3), to have a person "
            "intervene, to state one's view, and to contest it."
        ),
    )
    return Part("contest", _("How to contest it"), lines, points=points)


def _check(report: ContributorReport, lang: str) -> Part:
    _ = words(lang).gettext
    last = report.log.entries[-1]
    rows = (
        (_("results, SHA-256"), report.results.sha256),
        (_("input and settings of the search, digest"), report.results.digest),
        (_("log of review, last line"), report.log.head),
        (_("time of that line"), when_words(last.time, lang)),
    )
    line = _(
        "The numbers below say which results and which state of the log this page was made from; whoever holds them can make it again and must find the same."
    )
    return Part("check", _("What this page rests on"), (line,), (_("what"), _("value")), rows)
