"""Which groups of contributions depend on one source or act together, and how sure is that?

Groups are found by their wording alone (copies, letters with blanks), by a burst in time alone, or by their votes alone; then each *channel* asks one question
of each group against a null that the consultation itself gives: shared rare wording, likeness of meaning, time, acting together elsewhere, votes. A rule
that holds under any dependence between channels decides which groups a person should look at, such that at most a share q of those shown are coincidences
(Benjamini and Hochberg 1995; Bogomolov and Heller 2018 for two strands of evidence). Each part's module tells its method and paper.

Guaranteed: the same result for any order of rows and number of threads; no contribution is removed, no person scored, nobody called anything; what could
not be tested and what is too small to be seen is in the result. Not guaranteed, and never claimed: that a group is anything but people who share a
text. A petition, a class and a campaign look alike.

Cost: see the channels; about linear in the contributions. Randomness: `seed` alone.

>>> found = find_campaigns([{"text": text} for text in ("Oui au tram", "Non au tram", "Plus d'arbres")])
>>> found
<Campaigns: 3 contributions, 3 voices; 0 groups for review of 0 tested, q = 0.05; too few voices to conclude anything>
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from klero.campaigns.digest import result_digest
from klero.campaigns.model import CHANNELS, Candidate, Channel, ChannelName, Consultation, Kind
from klero.campaigns.result import Campaign, Campaigns
from klero.campaigns.settings import LEAST_VOICES, Asked, read_asked
from klero.campaigns.theme_labels import made_themes, theme_names
from klero.campaigns.units import Units, as_contributions, read_units
from klero.errors import Fault, InputError

if TYPE_CHECKING:
    from klero.campaigns.decision import Decision
    from klero.campaigns.effective import Weighing
    from klero.campaigns.model import Votes
    from klero.campaigns.paraphrase import Ground
    from klero.tables import TableSource
    from klero.themes.embedders import EmbedderSource
    from klero.themes.vectors import VectorSource
    from klero.voices.contributions import Contributions
    from klero.voices.exports import Given

__all__ = ["Search", "find_campaigns", "search"]

Progress: TypeAlias = "Callable[[str, int], None] | None"
_OF_TEXTS = ("template", "paraphrase", "time")
"""Channels that ask something of contributions; a group of accounts that only vote has none."""


@dataclass(frozen=True, eq=False)
class Search:
    """Groups that were tested, with what each channel said of them and what was decided; and channels that could not be tested, with the reason."""

    candidates: tuple[Candidate, ...]
    channels: tuple[tuple[Channel, ...], ...]
    decisions: tuple[Decision, ...]
    off: Mapping[str, str]
    ground: Ground | None

    @property
    def shown(self) -> npt.NDArray[np.int64]:
        """Rows of the groups for review."""
        rows = [one.rows for one, of in zip(self.candidates, self.decisions, strict=True) if of.for_review]
        return np.unique(np.concatenate(rows)) if rows else np.empty(0, np.int64)


def find_campaigns(
    contributions: Contributions | TableSource,
    q: float = 0.05,
    channels: Sequence[str] | None = None,
    *,
    votes: Votes | TableSource | None = None,
    vectors: VectorSource | None = None,
    embedder: EmbedderSource = None,
    metadata: Sequence[str] = (),
    themes: object = None,
    seed: int = 0,
    threads: int | None = None,
    progress: Progress = None,
    text: Given = None,
    id: Given = None,  # noqa: A002 - the name of the role
    author: Given = None,
    time: Given = None,
    question: Given = None,
    stance: Given = None,
    mapping: Mapping[str, Given] | str | None = None,
) -> Campaigns:
    """Finds groups of contributions that depend on one source or are coordinated, with their evidence.

    Args:
        contributions: `klero.Contributions`, or a path, an Arrow table or mappings as `Contributions.read` takes them.
        q: the share of mistakes that is accepted among the groups for review (the false discovery rate), above 0 and at most 0.5.
        channels: which of «template», «paraphrase», «time», «coaction», «votes», «metadata»; None: all that can be tested, and «metadata» only if
            its columns are named.
        votes: who voted what, a table or file with a row for each vote (`klero.campaigns.votes_table`).
        vectors: a row for each contribution, in the order of the source, as `klero.read_vectors` takes them; None: made by `embedder`.
        embedder: what makes vectors (`klero.embed`); None: offline, from the texts alone.
        metadata: columns of contributions whose values are compared, never shown.
        themes: for the question whether their ranking would change: a fitted `klero.Themes`, its partition, or a label for each contribution (or for
            each with a word), in the order of the source. None: they are made here from the vectors; False: none.
        seed: of everything that is drawn.
        threads: at most; the result does not depend on it.
        progress: called with the name of a step and a count.
        text, id, author, time, question, stance, mapping: columns, where `contributions` is a table; see `Contributions.read`.

    Raises:
        InputError: with everything that is wrong with the input and the options.
    """
    faults: list[Fault] = []
    names = _names(metadata, faults)
    asked = read_asked(
        faults, q=q, channels=channels, metadata=names, seed=seed, threads=threads, progress=progress
    )
    if vectors is not None and embedder is not None:
        message = "vectors are given, and an embedder to make them. Leave one of them out."
        faults.append(Fault("options-conflict", message, ""))
    if faults or asked is None:
        raise InputError(faults)
    columns = {
        "text": text,
        "id": id,
        "author": author,
        "time": time,
        "question": question,
        "stance": stance,
        "mapping": mapping,
    }
    read = as_contributions(contributions, columns, names, progress)
    units = read_units(
        read,
        votes=votes,
        vectors=vectors,
        embedder=embedder,
        metadata=names,
        seed=asked.seed,
        threads=asked.threads,
        progress=progress,
    )
    given = None if themes is False else theme_names(themes, units)
    return _result(units, asked, given, themes is None, progress)


def search(c: Consultation, asked: Asked, progress: Progress = None) -> Search:
    """Candidates, channels and decisions: the part that is repeated where campaigns are planted to see which are found."""
    off = _off(c, asked.channels)
    wordings = _by_wording(c, off, asked.threads, progress)
    ground = None
    if "paraphrase" not in off:
        from klero.campaigns.paraphrase import ground_of

        ground = ground_of(c, _repeats(wordings), threads=asked.threads, progress=progress)
    candidates = [*wordings, *_by_acts(c, off, ground, asked.threads, progress)]
    if not candidates:
        return Search((), (), (), off, ground)
    from klero.campaigns.decision import decide

    by_name = [_asked_of(name, c, candidates, off, ground, asked.threads, progress) for name in CHANNELS]
    told = list(zip(*by_name, strict=True))
    decisions = decide(c, candidates, told, asked.q, strata=0 if ground is None else len(ground.strata))
    if ground is not None:
        from klero.campaigns.paraphrase import refined

        candidates = [
            refined(ground, one) if of.for_review else one
            for one, of in zip(candidates, decisions, strict=True)
        ]
    return Search(tuple(candidates), tuple(told), tuple(decisions), _off_everywhere(off, told), ground)


def _names(metadata: object, faults: list[Fault]) -> tuple[str, ...]:
    if isinstance(metadata, str) or not isinstance(metadata, Sequence):
        message = f"metadata is {metadata!r}. Give a list of columns, such as metadata=['browser']."
        faults.append(Fault("option-unknown", message, ""))
        return ()
    return tuple(dict.fromkeys(map(str, metadata)))


def _off(c: Consultation, asked: Sequence[ChannelName]) -> dict[str, str]:
    """Channels that nobody can test here, and why."""
    voices = len(set(c.author.tolist()))
    times = np.unique(c.time[~np.isnan(c.time)])
    off: dict[str, str] = {}
    for name in CHANNELS:
        if name not in asked:
            off[name] = "not-asked"
        elif name == "votes":
            if c.votes is None:
                off[name] = "no-votes"
            elif len(c.votes.accounts) < LEAST_VOICES:
                off[name] = "too-few"
        elif name == "metadata" and not c.metadata:
            off[name] = "no-metadata"
        elif voices == 1 and len(c) > 1:
            off[name] = "one-author"
        elif voices < LEAST_VOICES:
            off[name] = "too-few"
        elif name == "paraphrase" and c.vectors is None:
            off[name] = "no-vectors"
        elif name == "time" and len(times) < 2:
            off[name] = "constant-time" if len(times) else "no-time"
        elif name == "coaction" and all(one is None for one in c.authors):
            off[name] = "no-author"
    return off


def _by_wording(c: Consultation, off: Mapping[str, str], threads: int, progress: Progress) -> list[Candidate]:
    """Groups of one wording."""
    unreadable = ("one-author", "too-few", "not-asked")
    if all(off.get(name) in unreadable for name in CHANNELS if name != "votes"):
        return []
    from klero.campaigns.candidates import text_candidates

    return text_candidates(c, threads=threads, progress=progress)


def _repeats(wordings: Sequence[Candidate]) -> npt.NDArray[np.int64]:
    """Rows that repeat another text: of each group of one wording all but one."""
    rows = [one.rows[one.rows != one.centre] for one in wordings]
    return np.unique(np.concatenate(rows)) if rows else np.empty(0, np.int64)


def _by_acts(
    c: Consultation, off: Mapping[str, str], ground: Ground | None, threads: int, progress: Progress
) -> list[Candidate]:
    """Groups by bursts in time, and by votes."""
    found: list[Candidate] = []
    if ground is not None:
        from klero.campaigns.paraphrase import paraphrase_candidates

        found += paraphrase_candidates(c, ground)
    if "votes" not in off:
        from klero.campaigns.votes import vote_candidates

        found += vote_candidates(c, threads=threads, progress=progress)
    return found


def _asked_of(
    name: ChannelName,
    c: Consultation,
    candidates: Sequence[Candidate],
    off: Mapping[str, str],
    ground: Ground | None,
    threads: int,
    progress: Progress,
) -> list[Channel]:
    """What a channel says of each group."""
    if name in off:
        return [Channel(name, None, why_not=off[name]) for _ in candidates]
    left = [_left_out(name, one) for one in candidates]
    mine = [one for one, why in zip(candidates, left, strict=True) if not why]
    told = iter(_test(name, c, mine, ground, threads, progress) if mine else [])
    return [Channel(name, None, why_not=why) if why else next(told) for why in left]


def _left_out(name: ChannelName, group: Candidate) -> str:
    """Why a channel is not asked of this group; '' if it is."""
    if name in _OF_TEXTS and not len(group.rows):
        return "no-texts"
    # Of a burst it is asked whether its texts say one thing, in whatever words; a shared wording in it is a group of its own.
    return "not-asked" if name == "template" and group.found_by == "time" else ""


def _test(
    name: ChannelName,
    c: Consultation,
    candidates: list[Candidate],
    ground: Ground | None,
    threads: int,
    progress: Progress,
) -> list[Channel]:
    match name:
        case "template":
            from klero.campaigns.template import template_channel

            return template_channel(c, candidates, threads=threads, progress=progress)
        case "paraphrase":
            from klero.campaigns.paraphrase import paraphrase_channel

            return paraphrase_channel(c, candidates, ground, threads=threads, progress=progress)
        case "time":
            return _times(c, candidates, ground, threads, progress)
        case "coaction":
            from klero.campaigns.coaction import coaction_channel

            return coaction_channel(c, candidates, threads=threads, progress=progress)
        case "votes":
            from klero.campaigns.votes import votes_channel

            return votes_channel(c, candidates, threads=threads, progress=progress)
        case "metadata":
            from klero.campaigns.metadata import metadata_channel

            return metadata_channel(c, candidates, threads=threads, progress=progress)


def _times(
    c: Consultation, candidates: list[Candidate], ground: Ground | None, threads: int, progress: Progress
) -> list[Channel]:
    """What time says; of bursts, which were chosen by it, with the search paid for."""
    from klero.campaigns.timing import time_channel

    told = time_channel(c, candidates, threads=threads, progress=progress)
    if ground is None:
        return told
    from klero.campaigns.paraphrase import burst_time_channel

    return burst_time_channel(candidates, ground, told)


def _off_everywhere(off: Mapping[str, str], told: Sequence[tuple[Channel, ...]]) -> dict[str, str]:
    """Channels that are off, and those that could test no group at all for one and the same reason; in the order of `CHANNELS`."""
    found = dict(off)
    for position, name in enumerate(CHANNELS):
        reasons = {one[position].why_not for one in told} - {"no-texts", "same-selection", "not-asked"}
        if name not in off and len(reasons) == 1 and all(one[position].p is None for one in told):
            found[name] = reasons.pop()
    return {name: found[name] for name in CHANNELS if name in found}


def _result(
    units: Units, asked: Asked, given: Sequence[str | None] | None, make_themes: bool, progress: Progress
) -> Campaigns:
    from klero.campaigns.candidates import forget_texts
    from klero.campaigns.diversity import diversity
    from klero.campaigns.effective import weigh
    from klero.campaigns.limits import detection_limits
    from klero.campaigns.sensitivity import sensitivity

    c = units.consultation
    found = search(c, asked, progress)
    on = tuple(name for name in asked.channels if name not in found.off)
    tested = list(zip(found.candidates, found.channels, found.decisions, strict=True))
    weighed = weigh(c, tested)
    limits = detection_limits(
        c,
        found.ground,
        found.shown,
        found.candidates,
        found.decisions,
        q=asked.q,
        channels=on,
        threads=asked.threads,
        progress=progress,
    )
    # The result keeps the consultation, and would keep the kernel's copy of its texts with it.
    forget_texts(c)
    themes = made_themes(c, asked.threads, progress) if make_themes and "few" not in units.notes else given
    return Campaigns(
        consultation=c,
        q=asked.q,
        tested=_named(units, found, weighed),
        weights=weighed.weights,
        n_eff=weighed.n_eff,
        raw=len(set(c.author.tolist())),
        limits=limits,
        sensitivity=sensitivity(
            c, weighed.weights, tested, themes=themes, threads=asked.threads, progress=progress
        ),
        diversity=diversity(c, weighed.weights, threads=asked.threads, progress=progress),
        channels_off=found.off,
        permutations=sum(null.count for group in found.channels for one in group for null in one.nulls),
        digest=result_digest(units, asked, given),
        empty=units.empty,
        ids=units.ids,
        notes=units.notes,
        asked=asked.channels,
        vectors=units.vectors_by,
    )


def _named(units: Units, found: Search, weighed: Weighing) -> tuple[Campaign, ...]:
    """The groups in their order, with their names: those for review, then by p, then by their first member."""

    def key(place: int) -> tuple[bool, float, Kind, list[int]]:
        decision, group = found.decisions[place], found.candidates[place]
        members = group.rows if group.voters is None else group.voters
        return not decision.for_review, decision.p, group.kind, members.tolist()

    named = []
    for number, place in enumerate(sorted(range(len(found.candidates)), key=key), start=1):
        group, decision = found.candidates[place], found.decisions[place]
        rows = sorted(group.rows.tolist(), key=lambda row: int(units.rank[row]))
        named.append(
            Campaign(
                name=f"C{number}",
                candidate=group,
                members=tuple(units.consultation.ids[row] for row in rows),
                channels=found.channels[place],
                p_text=decision.p_text,
                p_action=decision.p_action,
                p=decision.p,
                adjusted=decision.adjusted,
                for_review=decision.for_review,
                rule=decision.rule,
                short=decision.short,
                raw=group.voices,
                n_eff=weighed.groups[place],
                dependence=weighed.dependence[place],
            )
        )
    return tuple(named)
