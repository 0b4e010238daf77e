"""In which form does a result leave: as a table for each contribution and each group, as JSON, on one line?

`contributions_table` has a row for each contribution in the order of the source, those without a word among them: `id`; `group`, the first group for review
that holds it (null: none); `kind`, what brought that group together; `dependence`, the probability that the contribution comes from the group's common
source (null outside groups); and three weights of the contribution, null where there is no word, in which an author's voice is shared evenly among the author's
contributions: `voice_weight_raw` (a voice is 1), `voice_weight` (a voice is what `Campaigns.weights` says: in a group for review, its share of the group's
effective voices), `voice_weight_one_each` (a group is one voice, however many it has). Weights answer «would a conclusion change?»; they are no judgement on
anybody. No texts and no accounts: it can be joined to the source by `id`.

The record for JSON holds the groups for review with all that was tested of them (probabilities, effects, null groups to draw again; for groups of accounts that
vote, their names in the table of votes), the other groups that were tested in short, and what could not have been seen. `e` is null: no test here gives an
e-value. The same result gives the same bytes: nothing in it is a date, a path, a duration, or depends on the order of
rows or the language.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from klero import _native
from klero.campaigns.settings import ALGORITHM
from klero.errors import Fault, InputError, quoted

if TYPE_CHECKING:
    import pyarrow as pa

    from klero.campaigns.model import Channel, Consultation, Interval, Null
    from klero.campaigns.result import Campaign, Campaigns, DetectionLimit, Sensitivity

__all__ = [
    "SCHEMA",
    "contributions_table",
    "group_of",
    "groups_table",
    "html_of",
    "json_text",
    "record_of",
    "summary",
]

SCHEMA = "klero-campaigns/1"
_SHOWN = 10  # groups in a notebook

Record: TypeAlias = dict[str, object]


def group_of(result: Campaigns, name: str) -> Campaign:
    """The group of this name, for review or not.

    Raises:
        InputError: there is none.
    """
    for one in result.tested:
        if one.name == name:
            return one
    known = f"C1 to C{len(result.tested)}" if result.tested else "none at all"
    message = f"there is no group {quoted(str(name))}. Groups that were tested: {known}; for review: {len(result.groups)}."
    raise InputError([Fault("campaign-group-unknown", message, "", value=str(name))])


def contributions_table(result: Campaigns) -> pa.Table:
    """A row for each contribution; see above."""
    import pyarrow as pa

    c = result.consultation
    n = len(c)
    group: list[str | None] = [None] * n
    kind: list[str | None] = [None] * n
    dependence: npt.NDArray[np.float64] = np.full(n, np.nan)
    per_author = np.bincount(c.author)[c.author] if n else np.zeros(0)
    raw = 1.0 / np.maximum(1, per_author)
    one_each = raw.copy()
    for one in result.groups:
        for row, depends in zip(one.candidate.rows.tolist(), one.dependence.tolist(), strict=True):
            one_each[row] = min(one_each[row], raw[row] / max(1, one.raw))
            if group[row] is None:
                group[row], kind[row], dependence[row] = one.name, one.candidate.kind, depends
    place = {name: row for row, name in enumerate(c.ids)}
    ids = result.ids or (*c.ids, *result.empty)
    rows = np.array([place.get(name, -1) for name in ids], np.int64)

    def spread(values: Iterable[object]) -> list[object]:
        known = list(values)
        return [known[row] if row >= 0 else None for row in rows.tolist()]

    return pa.table(
        {
            "id": pa.array(ids, pa.int64() if _whole(ids) else pa.large_string()),
            "group": pa.array(spread(group), pa.string()),
            "kind": pa.array(spread(kind), pa.string()),
            "dependence": pa.array(spread(map(_finite, dependence.tolist())), pa.float64()),
            "voice_weight_raw": pa.array(spread(raw.tolist()), pa.float64()),
            "voice_weight": pa.array(spread((result.weights * raw).tolist()), pa.float64()),
            "voice_weight_one_each": pa.array(spread(one_each.tolist()), pa.float64()),
        }
    )


def _whole(ids: Sequence[int | str]) -> bool:
    return bool(ids) and all(isinstance(one, int) for one in ids)


def groups_table(result: Campaigns, groups: Sequence[Campaign]) -> pa.Table:
    """A row for each of these groups: what it is, its voices, raw and effective, and what was decided on which probabilities."""
    import pyarrow as pa

    channels = [channel.name for one in result.tested[:1] for channel in one.channels]
    columns: dict[str, pa.Array] = {
        "group": pa.array([one.name for one in groups], pa.string()),
        "kind": pa.array([one.candidate.kind for one in groups], pa.string()),
        "stratum": pa.array([one.candidate.stratum for one in groups], pa.string()),
        "contributions": pa.array([len(one.members) for one in groups], pa.int64()),
        "voices": pa.array([one.raw for one in groups], pa.int64()),
        "n_eff_low": pa.array([one.n_eff.low for one in groups], pa.float64()),
        "n_eff": pa.array([one.n_eff.estimate for one in groups], pa.float64()),
        "n_eff_high": pa.array([one.n_eff.high for one in groups], pa.float64()),
        "p": pa.array([_finite(one.p) for one in groups], pa.float64()),
        "p_text": pa.array([_finite(one.p_text) for one in groups], pa.float64()),
        "p_action": pa.array([_finite(one.p_action) for one in groups], pa.float64()),
        "adjusted": pa.array([_finite(one.adjusted) for one in groups], pa.float64()),
        "for_review": pa.array([one.for_review for one in groups], pa.bool_()),
        "rule": pa.array([one.rule for one in groups], pa.string()),
        "short": pa.array([one.short for one in groups], pa.bool_()),
    }
    for position, name in enumerate(channels):
        values = [_finite(one.channels[position].p) for one in groups]
        columns[f"p_{name}"] = pa.array(values, pa.float64())
    return pa.table(columns)


def record_of(result: Campaigns) -> Record:
    """The result as data for JSON; see above."""
    c = result.consultation
    others = [one for one in result.tested if not one.for_review]
    return {
        "schema": SCHEMA,
        "algorithm": ALGORITHM,
        "normaliser": _native.TEXT_NORMALISER,
        "digest": result.digest,
        "q": result.q,
        "seed": c.seed,
        "channels": list(result.asked),
        "channels_off": dict(result.channels_off),
        "vectors": result.vectors,
        "counts": {
            "contributions": len(c) + len(result.empty),
            "with_words": len(c),
            "empty": len(result.empty),
            "questions": len(c.questions),
            "votes": 0 if c.votes is None else len(c.votes.value),
            "voters": 0 if c.votes is None else len(c.votes.accounts),
        },
        "notes": dict(result.notes),
        "raw": result.raw,
        "n_eff": _interval(result.n_eff),
        "permutations": result.permutations,
        "groups": [_group(one, c) for one in result.groups],
        "tested": len(result.tested),
        "not_for_review": [_short(one) for one in others],
        "detection_limits": [_limit(one) for one in result.limits],
        "sensitivity": [_sensitivity(one) for one in result.sensitivity],
        "diversity": {
            weighting: {order: _finite(value) for order, value in values.items()}
            for weighting, values in result.diversity.items()
        },
        "empty": list(result.empty),
    }


def _group(one: Campaign, c: Consultation) -> Record:
    """All that is known of a group for review, without its texts."""
    depends = {
        c.ids[row]: value
        for row, value in zip(one.candidate.rows.tolist(), one.dependence.tolist(), strict=True)
    }
    voters = one.candidate.voters
    accounts = [] if voters is None or c.votes is None else [c.votes.accounts[at] for at in voters.tolist()]
    return {
        **_short(one),
        "stratum": one.candidate.stratum,
        "members": list(one.members),
        "dependence": [_finite(depends[name]) for name in one.members],
        "voters": accounts,
        "contributions": len(one.members),
        "n_eff": _interval(one.n_eff),
        "p_text": _finite(one.p_text),
        "p_action": _finite(one.p_action),
        "short": one.short,
        "for_review": True,
        "channels": [_channel(channel) for channel in one.channels],
    }


def _short(one: Campaign) -> Record:
    return {
        "name": one.name,
        "kind": one.candidate.kind,
        "raw": one.raw,
        "p": _finite(one.p),
        "e": None,
        "adjusted": _finite(one.adjusted),
        "rule": one.rule,
    }


def _channel(channel: Channel) -> Record:
    return {
        "name": channel.name,
        "p": _finite(channel.p),
        "e": None,
        "effect": {name: _finite(value) for name, value in channel.effect.items()},
        "nulls": [_null(null) for null in channel.nulls],
        "why_not": channel.why_not,
    }


def _null(null: Null) -> Record:
    return {
        "statistic": null.statistic,
        "observed": _finite(null.observed),
        "count": null.count,
        "exceed": null.exceed,
        "tail": null.tail,
        "draws": [_finite(float(f"{value:.6g}")) for value in null.draws],  # enough for a picture
    }


def _interval(interval: Interval) -> Record:
    return {
        "low": _finite(interval.low),
        "estimate": _finite(interval.estimate),
        "high": _finite(interval.high),
        "level": interval.level,
    }


def _limit(limit: DetectionLimit) -> Record:
    return {
        "pattern": limit.pattern,
        "size": limit.size,
        "largest": limit.largest,
        "power": {str(size): _finite(share) for size, share in limit.power.items()},
        "trials": limit.trials,
    }


def _sensitivity(row: Sensitivity) -> Record:
    return {
        "kind": row.kind,
        "label": row.label,
        "within": row.within,
        "stance": row.stance,
        "people": row.people,
        "raw": _finite(row.raw),
        "weighted": _finite(row.weighted),
        "one_each": _finite(row.one_each),
        "rank_raw": row.rank_raw,
        "rank_weighted": row.rank_weighted,
        "rank_one_each": row.rank_one_each,
        "changes": row.changes,
    }


def _finite(value: float | None) -> float | None:
    """A number that JSON has."""
    if value is None or not math.isfinite(value):
        return None
    return float(value)


def json_text(record: Mapping[str, object]) -> str:
    """A record as JSON, an entry a line."""
    return json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def summary(result: Campaigns) -> str:
    """The counts, on one line."""
    n = len(result.consultation) + len(result.empty)
    shown = len(result.groups)
    text = (
        f"{n:,} contributions, {result.raw:,} voices; {shown:,} {'group' if shown == 1 else 'groups'} for review of {len(result.tested):,} tested, "
        f"q = {result.q:g}"
    )
    return f"{text}; too few voices to conclude anything" if "few" in result.notes else text


def html_of(result: Campaigns) -> str:
    """A table of HTML, at most ten groups, without texts."""
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{escape(one.candidate.kind)}</td><td>{one.raw:,}</td>"
        f"<td>{one.n_eff.estimate:.1f} ({one.n_eff.low:.1f}–{one.n_eff.high:.1f})</td><td>{one.adjusted:.2g}</td></tr>"
        for one in result.groups[:_SHOWN]
    )
    more = len(result.groups) - _SHOWN
    head = "<tr><th>group</th><th>kind</th><th>voices</th><th>effective voices</th><th>least q</th></tr>"
    after = f"<p>… {more:,} more groups.</p>" if more > 0 else ""
    table = f"<table><thead>{head}</thead><tbody>{rows}</tbody></table>" if rows else ""
    return f"<p><b>{escape(summary(result))}</b></p>{table}{after}<p>What a group means is for people to say.</p>"
