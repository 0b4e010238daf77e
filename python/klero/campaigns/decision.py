"""Which groups should a person look at, so that on average at most a share q of them is coincidence?

Each group has a p-value of its texts and one of its members' acts (time, co-action, votes). Within either, channels are combined by Bonferroni, which holds
under any dependence. Three rules bring a group to a person, and q is split evenly among those that can apply:

- «text»: its wording alone, if its texts are long enough to have a source (the median has more than `SHORT_WORDS` words);
- «two-strands»: its texts *and* its members' acts, by the procedure of Bogomolov and Heller (2018) for findings that two independent studies share: groups that
  one strand selects (p ≤ `SELECTED`) are judged by the other, each corrected for how many the first selected. A news burst (one moment, independent words) and
  a phrase that comes to everybody (one wording, no coordination) fail;
- «votes»: accounts that vote alike beyond their opinion group.

Within «text» and «votes», Benjamini and Hochberg (1995) over all groups that the rule could be about. The rule stands inside the p-value, before this
control: a group that no rule admits has p = 1. What is shown by any of the rules has at most the sum of their rates.

The control is not one under any dependence. Benjamini and Hochberg's needs tests that depend on each other positively, as tests do that share null samples and
contributions (a burst may hold a part of another, or of a group of one wording). That of two strands needs, besides, that the p-value of a group that is
innocent in one strand is independent of the other strand: no group is tested by what it was chosen by, or the choice is paid for. The realised rate is measured
in benches/campaigns. A burst that is mostly a wording shown by itself is told with that wording (rule «part») and leaves the list; with fewer groups shown, the
share of mistakes among the rest can be larger by that.

Not guaranteed: that a group shown is a campaign. It is one that chance, as it works in this consultation, does not explain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from klero.campaigns.model import Candidate, Channel, ChannelName, Consultation, Floats

__all__ = ["ACTION", "SHORT_WORDS", "TEXT", "Decision", "decide", "levels_of_one_more"]

SHORT_WORDS = 10
"""Texts of at most so many words (the median of a group) say nothing of their source by their wording alone."""
SELECTED = 0.05
"""A strand selects the groups with p at most this."""
TEXT_SHARE = 0.8
"""Of the share of q that two strands have, what judges texts; acts have the rest, and usually need less."""
TEXT: tuple[ChannelName, ...] = ("template", "paraphrase")
ACTION: tuple[ChannelName, ...] = ("time", "coaction", "votes", "metadata")


@dataclass(frozen=True)
class Decision:
    """Whether a person should look at a group, and why; see `klero.campaigns.result.Campaign`."""

    p_text: float | None
    p_action: float | None
    p: float
    adjusted: float
    for_review: bool
    rule: str
    short: bool


def decide(
    c: Consultation,
    candidates: Sequence[Candidate],
    channels: Sequence[Sequence[Channel]],
    q: float,
    *,
    strata: int = 0,
) -> list[Decision]:
    """The decisions on all groups.

    Args:
        channels: of each group.
        q: bound of the false discovery rate, between 0 and 1.
        strata: places in which a burst was sought; each counts as selected, whether there was one or not.
    """
    if not candidates:
        return []
    texts = [combined(one, TEXT) for one in channels]
    acts = [combined(one, ACTION) for one in channels]
    short = [len(one.rows) > 0 and float(np.median(c.words[one.rows])) <= SHORT_WORDS for one in candidates]
    rules = _rules(candidates, channels, texts, acts, short, strata)
    out = []
    for at in range(len(candidates)):
        # Of two rules with one number, the first.
        name = min(rules, key=lambda rule: float(rules[rule][1][at]))
        ps, adjusted = rules[name]
        least = min(1.0, float(adjusted[at]) * len(rules))
        told = name if least <= q else _why_not(texts[at], acts[at], short[at], q)
        out.append(Decision(texts[at], acts[at], float(ps[at]), least, least <= q, told, short[at]))
    return _without_parts(candidates, out)


def _rules(
    candidates: Sequence[Candidate],
    channels: Sequence[Sequence[Channel]],
    texts: Sequence[float | None],
    acts: Sequence[float | None],
    short: Sequence[bool],
    strata: int,
) -> dict[str, tuple[Floats, Floats]]:
    """For each rule that can apply, each group's p-value and what it becomes by the rule's own control."""
    text = np.array([*map(_one, texts)])
    act = np.array([*map(_one, acts)])
    by_text = np.array([one.found_by == "text" for one in candidates])
    by_votes = np.array([one.found_by == "votes" for one in candidates])
    alone = np.where(by_text & ~np.array(short), text, 1.0)
    votes = np.where(by_votes, [_one(combined(one, ("votes",))) for one in channels], 1.0)
    rules = {
        "text": (alone, _adjusted(alone, by_text)),
        "two-strands": (np.maximum(text, act), _replicated(text, act, strata)),
        "votes": (votes, _adjusted(votes, by_votes)),
    }
    both = any(p is not None and q is not None for p, q in zip(texts, acts, strict=True))
    usable = {"text": bool(by_text.any()), "two-strands": both, "votes": bool(by_votes.any())}
    # With no rule that can apply, nothing is shown by any of them.
    return {name: rule for name, rule in rules.items() if usable[name]} or rules


def levels_of_one_more(
    decisions: Sequence[Decision], q: float, rules: int, strata: int
) -> tuple[float, float]:
    """The p-values of texts and of acts that would bring one more group to a person by both strands, whatever becomes of the others."""
    by_text = sum(one.p_text is not None and one.p_text <= SELECTED for one in decisions)
    by_act = sum(one.p_action is not None and one.p_action <= SELECTED for one in decisions)
    share = q / rules
    return (
        min(SELECTED, TEXT_SHARE * share / (by_act + strata + 1)),
        min(SELECTED, (1.0 - TEXT_SHARE) * share / (by_text + 1)),
    )


def combined(channels: Sequence[Channel], names: Sequence[ChannelName]) -> float | None:
    """The smallest p-value of these channels times how many were tested, at most 1; None if none was."""
    ps = [one.p for one in channels if one.name in names and one.p is not None]
    return min(1.0, min(ps) * len(ps)) if ps else None


def _adjusted(ps: Floats, about: npt.NDArray[np.bool_]) -> Floats:
    """Benjamini and Hochberg's adjusted p-values of the groups that a rule is about; all others have 1."""
    out = np.ones(len(ps))
    out[about] = _stepped(ps[about] * max(1, int(about.sum())))
    return out


def _stepped(raised: Floats) -> Floats:
    """Adjusted p-values from p-values times the number of groups: divided by their rank, and no larger than that of any with a larger p."""
    order = np.argsort(raised, kind="stable")
    by_rank = raised[order] / np.arange(1, len(raised) + 1)
    out = np.empty(len(raised))
    out[order] = np.minimum(1.0, np.minimum.accumulate(by_rank[::-1])[::-1])
    return out


def _one(p: float | None) -> float:
    return 1.0 if p is None else p


def _replicated(texts: Floats, acts: Floats, strata: int = 0) -> Floats:
    """Bogomolov and Heller's adjusted p-values of «both strands»: their procedure for the false discovery rate, each strand selecting at `SELECTED`."""
    by_text, by_act = texts <= SELECTED, acts <= SELECTED
    both = np.flatnonzero(by_text & by_act)
    out = np.ones(len(texts))
    if len(both):
        worse = np.maximum(
            texts[both] * (by_act.sum() + strata) / TEXT_SHARE,
            acts[both] * by_text.sum() / (1.0 - TEXT_SHARE),
        )
        out[both] = _stepped(worse)
    return out


def _why_not(text: float | None, act: float | None, short: bool, q: float) -> str:
    if short and text is not None and text <= q and (act is None or act > q):
        return "short-text-alone"
    if act is not None and act <= q and (text is None or text > q):
        return "time-alone"
    return "not-enough"


def _without_parts(candidates: Sequence[Candidate], decisions: list[Decision]) -> list[Decision]:
    """A burst that consists mostly of a group of one wording is told with that group, not twice."""
    wordings = [
        one.rows
        for one, of in zip(candidates, decisions, strict=True)
        if of.for_review and one.found_by == "text"
    ]
    covered = np.unique(np.concatenate(wordings)) if wordings else np.empty(0, np.int64)
    out = []
    for one, of in zip(candidates, decisions, strict=True):
        part = (
            of.for_review and one.found_by == "time" and 2 * np.isin(one.rows, covered).sum() > len(one.rows)
        )
        out.append(
            Decision(of.p_text, of.p_action, of.p, of.adjusted, False, "part", of.short) if part else of
        )
    return out
