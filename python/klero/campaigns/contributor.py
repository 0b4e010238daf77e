"""What is one contributor answered who asks: what was computed about my contribution, with what weights, and who decided what?

The answer follows the four points that French law lists for a decision on the basis of an algorithm (Code des relations entre le public et
l'administration, article R. 311-3-1-2): what part the program had in decisions; which data were read, and from where; the settings and weights
applied to this contribution; what was done. Then what people decided, in which role, and how to contest it. The words are in
`klero.campaigns.contributor_words`.

Guaranteed: it holds nothing of another person but counts: no text, no id, no author, no time of another contribution, and no reviewer's name unless
it is asked for. Not guaranteed: that a reviewer's reason names nobody; it is given as it was written, so read it before you hand the answer over, or
leave reasons out. It is no legal advice.
Cost: one pass over the results, the log, and the tables.

Example: ``contributor_report("review.jsonl", "out", "c17").page("fr")``.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from klero.campaigns.results_file import Group, Place, Results, read_place, read_results
from klero.campaigns.review import Decision, GroupState, Reopening, ReviewLog
from klero.campaigns.review_file import other_results, read_review
from klero.errors import Fault, InputError, quoted

__all__ = ["LAW", "ContributorReport", "contributor_report"]

SCHEMA = "klero-contributor/1"
LAW: tuple[tuple[str, str], ...] = (
    ("Code des relations entre le public et l'administration", "L. 311-3-1"),
    ("Code des relations entre le public et l'administration", "R. 311-3-1-1"),
    ("Code des relations entre le public et l'administration", "R. 311-3-1-2"),
    ("Regulation (EU) 2016/679 (GDPR)", "15"),
    ("Regulation (EU) 2016/679 (GDPR)", "22"),
)
"""Texts and articles that ask for such an answer, where they apply."""


@dataclass(frozen=True, eq=False)
class ContributorReport:
    """All that is told to one contributor.

    Attributes:
        results: which search it was.
        place: the contribution's group and weights.
        groups: the groups that it is in, and those of accounts that vote in which its account is; where people stand with each.
        log: the log of review.
        own: (role, column, cell) of what was read of this contribution; the cell is '' where the table was not given.
        contact: where to write to; '' if the organiser did not say.
        names: whether reviewers' names are told.
        reasons: whether their reasons are.
    """

    results: Results
    place: Place
    groups: tuple[tuple[Group, GroupState], ...]
    log: ReviewLog
    own: tuple[tuple[str, str, str], ...]
    contact: str
    names: bool
    reasons: bool

    @cached_property
    def data(self) -> Mapping[str, object]:
        """The answer for programs."""
        results, place = self.results, self.place
        return {
            "schema": SCHEMA,
            "contribution": place.id,
            "data_read": [
                {"role": role, "column": column, "value": value} for role, column, value in self.own
            ],
            "source": {"name": results.source, "sha256": results.input_sha256},
            "also_read": {
                "votes": results.votes > 0,
                "vectors": results.vectors,
                "metadata": results.metadata,
            },
            "settings": {
                "q": results.q,
                "digest": results.digest,
                "channels_off": dict(results.channels_off),
            },
            "weights": {"raw": place.raw, "weighted": place.weighted, "one_voice_a_group": place.one_each},
            "groups": [
                {
                    **_group_data(group, place.id),
                    "state": state.state,
                    "decision": state.decision or None,
                    "acts": self._acts(state),
                }
                for group, state in self.groups
            ],
            "contact": self.contact,
            "law": [{"text": text, "article": article} for text, article in LAW],
            "results_sha256": results.sha256,
            "log_head": self.log.head,
        }

    def _acts(self, state: GroupState) -> list[dict[str, object]]:
        acts: list[dict[str, object]] = []
        for entry in state.history:
            act = entry.act
            if not isinstance(act, Decision | Reopening):
                continue
            told: dict[str, object] = {"kind": entry.kind, "time": entry.time, "role": act.role}
            if isinstance(act, Decision):
                told["decision"] = act.decision
            if self.reasons:
                told["reason"] = act.reason
            if self.names:
                told["reviewer"] = act.reviewer
            acts.append(told)
        return acts

    def json(self) -> bytes:
        """The answer as JSON."""
        return (json.dumps(self.data, ensure_ascii=False, indent=2, allow_nan=False) + "\n").encode()

    def text(self, lang: str = "en") -> str:
        """The answer as plain text. `lang`: «en» or «fr»."""
        from klero.campaigns.contributor_page import plain_text

        return plain_text(self, lang)

    def page(self, lang: str = "en") -> bytes:
        """The answer as one file of HTML, which can be printed. `lang`: «en» or «fr»."""
        from klero.campaigns.contributor_page import html_page

        return html_page(self, lang)


def _group_data(group: Group, contribution: str) -> dict[str, object]:
    return {
        "name": group.name,
        "kind": group.kind,
        "contributions": len(group.members),
        "voices": group.raw,
        "dependence": group.depends(contribution),
        "n_eff": None if group.n_eff is None else asdict(group.n_eff),
        "p": group.p,
        "adjusted": group.adjusted,
        "for_review": group.for_review,
        "rule": group.rule,
        "short": group.short,
        "channels": [
            {"name": one.name, "p": one.p, "why_not": one.why_not, "effect": dict(one.effect)}
            for one in group.channels
        ],
    }


def contributor_report(
    log: str | os.PathLike[str],
    results: str | os.PathLike[str],
    contribution: str,
    *,
    source: str | os.PathLike[str] | None = None,
    contact: str = "",
    names: bool = False,
    reasons: bool = True,
) -> ContributorReport:
    """What was computed about one contribution, and decided about its group.

    Args:
        log: the log of review; it is checked.
        results: the folder that `klero campaigns` wrote; it must be the one that the log is about.
        contribution: the id, as in the table that was searched.
        source: that table, to show the contributor what was read of their own row.
        contact: where a contributor can write to, to contest.
        names: tell reviewers' names, not their roles alone.
        reasons: tell their reasons.

    Raises:
        InputError: the results are other ones, the contribution is unknown, or a table can't be used.
        LogError: the log is not there, or fails a check.
    """
    found, book = read_results(results), read_review(log)
    if wrong := other_results(book.opening, found):
        raise InputError([Fault("review-results", wrong, found.file)])
    place = read_place(results, contribution, found)
    own = _own(found, contribution, source)
    account = next((value for role, _column, value in own if role == "author" and value), None)
    groups = [group for group in found.groups if contribution in group.members or account in group.voters]
    if place.group and place.group not in [group.name for group in groups]:
        message = (
            f"the table of contributions puts {quoted(contribution)} into {quoted(place.group)}, and the results do not. One of the two was changed: "
            "take both as klero campaigns wrote them."
        )
        raise InputError([Fault("review-results", message, found.file, value=contribution)])
    return ContributorReport(
        results=found,
        place=place,
        groups=tuple((group, book.state(group.name)) for group in groups),
        log=book,
        own=own,
        contact=contact.strip(),
        names=names,
        reasons=reasons,
    )


def _own(
    results: Results, contribution: str, source: str | os.PathLike[str] | None
) -> tuple[tuple[str, str, str], ...]:
    """(role, column, cell) of what was read of one contribution."""
    roles = {role: column for role, column in results.columns.items() if role != "layout"}
    if source is None:
        return tuple((role, column, "") for role, column in roles.items())
    from klero.voices.contributions import Contributions
    from klero.voices.exports import ROLES

    name = os.fspath(source)
    read = Contributions.read(source, mapping={role: roles.get(role) for role in ROLES})
    if results.input_sha256 and _sha256(source) != results.input_sha256:
        message = "this is not the table that was searched (its SHA-256 is another), so it can't show what was read. Give that table, as it was."
        raise InputError([Fault("review-results", message, name)])
    rows = [row for row, one in enumerate(read.ids.to_pylist()) if str(one) == contribution]
    if len(rows) != 1:
        message = f"the table has {len(rows)} rows with the id {quoted(contribution)}, and one is needed. Give the table that was searched."
        raise InputError([Fault("contribution-unknown", message, name, value=contribution)])
    cells = read.table.slice(rows[0], 1).to_pylist()[0]
    return tuple((role, column, _written(cells.get(role))) for role, column in roles.items())


def _written(value: object) -> str:
    """A value that was read, as text; times in UTC."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)


def _sha256(path: str | os.PathLike[str]) -> str:
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
