"""The result of a search for campaigns: the groups, what each test said, what they weigh, and what could not have been seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from klero.campaigns import output
from klero.campaigns.model import Candidate, Channel, ChannelName, Consultation, Floats, Interval, Ints

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Campaign", "Campaigns", "DetectionLimit", "Sensitivity"]


@dataclass(frozen=True, eq=False)
class Campaign:
    """A group that was tested.

    Attributes:
        name: «C1», «C2», … in the order of the result: those for review first, then by p, then by their first member.
        candidate: its rows, and how it was found.
        members: ids of its contributions, ascending.
        channels: what each channel said, in the order of `CHANNELS`.
        p_text, p_action: smallest probability of its texts' channels, and of time, co-action and votes, each combined under any dependence; None if untested.
        p: what the decision rested on (see `klero.campaigns.decision`).
        adjusted: the least q at which the group would go to review.
        for_review: whether it does, at the q of the result.
        rule: which rule brought it there, «text», «two-strands», «votes»; or which kept it away, «not-enough», «short-text-alone», «time-alone».
        short: whether its texts are too short to say anything alone.
        raw: number of its voices (distinct authors).
        n_eff: effective voices, between 1 and `raw`.
        dependence: for each row of the candidate, the probability (0 to 1) that it comes from the common source.
    """

    name: str
    candidate: Candidate
    members: tuple[int | str, ...]
    channels: tuple[Channel, ...]
    p_text: float | None
    p_action: float | None
    p: float
    adjusted: float
    for_review: bool
    rule: str
    short: bool
    raw: int
    n_eff: Interval
    dependence: Floats

    def __repr__(self) -> str:
        # In a line: the null groups that its channels carry are thousands of numbers.
        state = "for review" if self.for_review else f"not for review ({self.rule})"
        return f"<Campaign {self.name}: {self.candidate.kind}, {self.raw:,} voices, {self.n_eff.estimate:.3g} effective; p = {self.p:.3g}; {state}>"


@dataclass(frozen=True)
class DetectionLimit:
    """What a search of this consultation can see.

    Attributes:
        pattern: «copies», «template», «paraphrase», «paraphrase-in-time», «votes».
        size: the least number of voices of which such a campaign is found in at least half of the trials; None: not even the largest tried.
        largest: the largest that was tried.
        power: share of trials found, by size.
        trials: for each size.
    """

    pattern: str
    size: int | None
    largest: int
    power: Mapping[int, float]
    trials: int


@dataclass(frozen=True)
class Sensitivity:
    """Would a conclusion change? One row: a count under each weighting.

    Attributes:
        kind: «question», «position», «theme», «argument»: what is counted.
        label: its name.
        raw: voices.
        weighted: voices, each weighed by its share of the group's effective voices.
        one_each: one voice for each group, however many it has.
        rank_raw, rank_weighted, rank_one_each: places among the rows of the same kind (and question), from 1; equal counts share the best place.
        changes: whether the order, or the majority, differs between the three.
        within: of a position, the question it is on; '' for all questions together, and for other kinds.
        stance: of a position, 1, 0 or -1; else None.
        people: different accounts that are counted in it: a report that hides cells of few people goes by this.
    """

    kind: str
    label: str
    raw: float
    weighted: float
    one_each: float
    rank_raw: int
    rank_weighted: int
    rank_one_each: int
    changes: bool
    within: str = ""
    stance: int | None = None
    people: int = 0


@dataclass(frozen=True, eq=False, repr=False)
class Campaigns:
    """What `klero.find_campaigns` returns.

    Attributes:
        consultation: what was searched (its rows are in canonical order).
        q: bound of the false discovery rate.
        tested: every group that was tested; those for review come first.
        weights: of each row of the consultation, its weight as a voice; 1 for a lone voice.
        n_eff: effective voices of the whole consultation, beside `raw`.
        raw: number of voices.
        limits: what could not have been seen.
        sensitivity: whether conclusions would change.
        diversity: similarity-sensitive diversity of arguments by order (0, 1, 2), under «raw» and «weighted» (Leinster and Cobbold 2012).
        channels_off: channels that nobody could test here, and why.
        permutations: how many null groups were drawn in all.
        digest: SHA-256 of the input and the settings.
        empty: ids of contributions without words; they are in no group, and nothing is lost.
        ids: of all contributions, those without words among them, in the order of the source; () where that is not known.
        notes: what a person must know of the input before they read the result, by key with a number («few» with the number of voices; the keys and
            their words are in `klero.campaigns.notes`).
        asked: the channels that were asked for.
        vectors: what made the vectors («given»: they were given).
    """

    consultation: Consultation
    q: float
    tested: tuple[Campaign, ...]
    weights: Floats
    n_eff: Interval
    raw: int
    limits: tuple[DetectionLimit, ...]
    sensitivity: tuple[Sensitivity, ...]
    diversity: Mapping[str, Mapping[str, float]]
    channels_off: Mapping[str, str]
    permutations: int
    digest: str
    empty: tuple[int | str, ...]
    ids: tuple[int | str, ...] = ()
    notes: Mapping[str, int] = field(default_factory=dict)
    asked: tuple[ChannelName, ...] = ()
    vectors: str = ""

    @property
    def groups(self) -> tuple[Campaign, ...]:
        """The groups that a person should look at."""
        return tuple(one for one in self.tested if one.for_review)

    def rows_of(self, group: Campaign) -> Ints:
        """Rows of a group in the consultation."""
        return group.candidate.rows

    def group(self, name: str) -> Campaign:
        """The group of this name, for review or not.

        Raises:
            InputError: there is none.
        """
        return output.group_of(self, name)

    def explain(self, group: Campaign | str, lang: str = "en") -> str:
        """Why a group is for review, how sure that is, and what would make it innocent, in plain words, «en» or «fr».

        Raises:
            InputError: there is no such group, or there are no words in this language.
        """
        from klero.campaigns.explain import explain_group

        return explain_group(self, group if isinstance(group, str) else group.name, lang)

    def to_arrow(self) -> pa.Table:
        """A row for each contribution, in the order of the source: id, group, kind, dependence, weights; see `klero.campaigns.output`."""
        return output.contributions_table(self)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table of `to_arrow` as an Arrow stream."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def groups_to_arrow(self, *, tested: bool = False) -> pa.Table:
        """A row for each group for review, or with `tested` for each that was tested."""
        return output.groups_table(self, self.tested if tested else self.groups)

    def record(self) -> dict[str, object]:
        """The whole result as data for JSON, without texts and accounts."""
        return output.record_of(self)

    def to_json(self) -> str:
        """The `record` as JSON, the same bytes in any order of rows."""
        return output.json_text(self.record())

    def __repr__(self) -> str:
        return f"<Campaigns: {output.summary(self)}>"

    def _repr_html_(self) -> str:
        """For notebooks: the counts and the groups for review."""
        return output.html_of(self)
