"""Which contributions repeat each other, word for word or nearly, and what shows it?

Texts are read as sets of runs of words («shingles»); two match where enough of these are shared (`settings.py`), and groups are what matches
tie together. In exact mode every match is found and nothing else: a set-similarity join (Bayardo, Ma and Srikant, WWW 2007; Xiao et al., WWW
2008; Mann, Augsten and Bouros, VLDB 2016) with exact verification. In sketch mode candidates come from MinHash bands chosen for a target
recall (Broder 1997; Indyk and Motwani 1998), and are verified from the text too.

Guaranteed: every text is grouped, alone or empty, and the three add up; the result is a function of the set of (id, text), the same in any
order of rows, with any number of threads, on any platform. Nothing is deleted and nobody accused: a petition looks like a campaign.
Not guaranteed: that two members of a group match each other (they are tied by a chain; `weakest_edge` says how strong).

Cost: linear in the texts where phrases are rare; see `rust/core/src/neardup`. No randomness. In Python about 30 bytes a text.

>>> found = near_duplicates(["Un tramway pour le nord.", "Un tramway pour le nord !", "", "Oui"])
>>> found.counts
Counts(texts=4, grouped=2, alone=1, empty=1, groups=1, distinct=2)
>>> found.groups[0].members, found.group.tolist()
([0, 1], [0, 0, -2, -1])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from klero import _native
from klero.errors import Fault, InputError
from klero.voices import join as joining
from klero.voices.digest import texts_digest
from klero.voices.groups import ALONE, NO_WORDS, Counts, Group, Groups, grouped
from klero.voices.ids import Id, IdColumn, IdView, read_ids
from klero.voices.record import json_text, record_of
from klero.voices.settings import (
    Progress,
    Resources,
    Settings,
    read_progress,
    read_resources,
    read_settings,
    settled,
)
from klero.voices.sketch import Plan, sketch_plan
from klero.voices.texts import TextColumn, TextSource, read_texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from klero.tables import ArrowStream
    from klero.voices.contributions import Contributions
    from klero.voices.evidence import Evidence, Template
    from klero.voices.pairs import Pairs

__all__ = ["SCHEMA", "Counts", "Group", "NearDuplicates", "Settings", "near_duplicates"]

SCHEMA = "klero-near-duplicates/1"

# What the join and its result take, rather too much: measured were 290, 657 and 976 bytes a text where this gives 1,040, 1,170 and 2,060.
_FIXED_MEMORY = 32_000_000
_BYTES_OF_TEXT, _BYTES_OF_ENTRY, _BYTES_OF_WORD = 400, 16, 5


@dataclass(frozen=True, eq=False, repr=False)
class NearDuplicates:
    """Who repeats whom. n texts in g groups.

    Attributes:
        ids: the ids of all texts, as rows were given: whole numbers or texts, made into Python's values when asked for.
        group: int64[n], the index of each text's group in `groups`; -1 if it is alone, -2 if it has no words.
        similarity: float64[n], to the group's representative, 0 to 1; NaN where there is no group.
        groups: the largest first, then by id.
        counts: where all texts went: texts = grouped + alone + empty.
        settings: what decided the result, with the mode that was used.
        digest: SHA-256 of the set of (id, sequence of words), in hexadecimal; the same in any order of rows.
        lookalikes: texts in which letters of another alphabet that look like Latin ones stand in a word with Latin ones. They were compared
            as if they were Latin.
        invisibles: texts with invisible characters (a soft hyphen, a zero-width space), which were passed over.
        texts: the texts, by reference.
    """

    ids: Sequence[Id]
    group: NDArray[np.int64]
    similarity: NDArray[np.float64]
    groups: Groups
    counts: Counts
    settings: Settings
    digest: str
    lookalikes: int
    invisibles: int
    texts: TextColumn = field(repr=False)

    @property
    def algorithm(self) -> str:
        """Name and version of what was computed."""
        return self.settings.algorithm

    @property
    def plan(self) -> Plan | None:
        """What the sketches find: bands, and the expected recall by similarity. None in exact mode."""
        return sketch_plan(self.settings)

    @property
    def _ids(self) -> IdColumn:
        return self.groups.ids

    def row_of(self, id: Id) -> int:  # noqa: A002 (the word of the field)
        """The row of a text.

        Raises:
            InputError: no text has this id.
        """
        return self._ids.row(id)

    def group_of(self, id: Id) -> Group | None:  # noqa: A002
        """The group of a text; None if it is alone or empty.

        Raises:
            InputError: no text has this id.
        """
        index = int(self.group[self.row_of(id)])
        return self.groups[index] if index >= 0 else None

    def members(self, group: Group | Id) -> Sequence[Id]:
        """The ids in a group, ascending, given the group or its name.

        Raises:
            InputError: no group has this name.
        """
        return self.groups[self.groups.index(group)].members

    def text(self, id: Id) -> str:  # noqa: A002
        """The text with this id, as it was given («» where there was none).

        Raises:
            InputError: no text has this id.
        """
        return self.texts[self.row_of(id)]

    def to_arrow(self) -> pa.Table:
        """A row for each text, as rows were given: id, group, size, similarity, representative.

        `group` and `representative` are ids. They and `similarity` are null where there is no group; `size` is then 1, or 0 for an empty text.
        """
        grouped_rows = pa.array(self.group >= 0)
        index = pc.if_else(grouped_rows, pa.array(self.group), pa.scalar(None, pa.int64()))
        none = pc.if_else(pa.array(self.group == NO_WORDS), 0, 1)
        return pa.table(
            {
                "id": IdView(self._ids).to_arrow(),
                "group": self._ids.take(self.groups.roots).take(index),
                "size": pc.coalesce(pa.array(self.groups.sizes).take(index), none),
                "similarity": pc.if_else(
                    grouped_rows, pa.array(self.similarity), pa.scalar(None, pa.float64())
                ),
                "representative": self._ids.take(self.groups.representatives).take(index),
            }
        )

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The table of `to_arrow` as an Arrow stream."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def groups_to_arrow(self) -> pa.Table:
        """A row for each group, the largest first: id, representative, size, distinct, weakest_edge."""
        return self.groups.to_arrow()

    def pairs(self, limit: int | None = 10_000_000) -> Pairs:
        """All pairs that match, found anew group by group while they are read: never all of them in memory.

        In sketch mode these are all matches inside the groups, more than the sketch had to find.

        Args:
            limit: refuse if the groups hold more pairs than this, matching or not; None for no limit. A campaign of 100,000 letters
                alone holds 5 · 10⁹.

        Raises:
            InputError: there are more pairs than `limit` (`pairs-limit`), or it is no whole number.
        """
        from klero.voices.pairs import pairs_of

        return pairs_of(self, limit)

    def evidence(self, a: Id, b: Id) -> Evidence:
        """What two texts share, passage by passage, whether they match or not.

        Raises:
            InputError: no text has one of these ids.
        """
        from klero.voices.evidence import shared_spans

        return shared_spans(self.text(a), self.text(b), self.settings)

    def template(self, group: Group | Id) -> Template:
        """The letter behind a group, and what each member wrote beside it.

        Raises:
            InputError: no group has this name.
        """
        from klero.voices.evidence import letter_of

        index = self.groups.index(group)
        found, rows = self.groups[index], self.groups.members_of(index)
        return letter_of(
            list(self.texts.take(rows)), list(found.members), found.representative, self.settings
        )

    def explain(self, id: Id, lang: str = "en") -> str:  # noqa: A002
        """Why a text is in its group, or in none, in plain words, «en» or «fr».

        Raises:
            InputError: no text has this id, or there are no words in this language.
        """
        from klero.voices.explain_repeats import explain_text

        return explain_text(self, id, lang)

    def record(self) -> dict[str, object]:
        """The whole result as data for JSON; texts that no group holds are counted only."""
        head = record_of(SCHEMA, self.settings, self.counts, self.digest, self.lookalikes, self.invisibles)
        return head | {
            "groups": [self._group_record(index, group) for index, group in enumerate(self.groups)]
        }

    def _group_record(self, index: int, group: Group) -> dict[str, object]:
        return {
            "id": group.id,
            "representative": group.representative,
            "size": group.size,
            "distinct": group.distinct,
            "weakest_edge": group.weakest_edge,
            "members": list(group.members),
            "similarity": self.similarity[self.groups.members_of(index)].tolist(),
        }

    def to_json(self) -> str:
        """The `record` as JSON, the same bytes in any order of rows."""
        return json_text(self.record())

    def __repr__(self) -> str:
        c, s = self.counts, self.settings
        rule = f"{s.measure} ≥ {s.threshold:g}, {s.mode}"
        return f"<NearDuplicates: {c.texts:,} texts = {c.grouped:,} in {c.groups:,} groups + {c.alone:,} alone + {c.empty:,} empty; {rule}>"

    def _repr_html_(self) -> str:
        """For notebooks: the counts and the largest groups."""
        from klero.voices.notebook import html_of

        return html_of(self)


def near_duplicates(
    texts: TextSource | Contributions,
    *,
    ids: Sequence[Id] | ArrowStream | None = None,
    threshold: float = 0.8,
    measure: str = "jaccard",
    mode: str = "auto",
    recall: float = 0.99,
    shingle: int = 3,
    fold_accents: bool = False,
    min_shared: int | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    progress: Progress | None = None,
) -> NearDuplicates:
    """Finds the contributions that repeat each other.

    Args:
        texts: a list of str (None is an empty text); a column of pyarrow, polars, pandas or numpy; a table of one column; or
            `Contributions`, which bring their ids. Arrow's text is used where it lies, so it must not change while the result is in use.
        ids: whole numbers of 64 bits (also as floats, as pandas has them where one was missing) or texts, one for each text, all different; by
            default rows are numbered from 0.
        threshold: least similarity of a match, 0.3 to 1.
        measure: «jaccard», the share of all shingles of both that they have in common; «containment», the share of the shorter one's,
            which finds a letter inside a longer one.
        mode: «exact»; «sketch», for more texts than fit; «auto», exact up to ten million texts.
        recall: in sketch mode, the least probability that a match at the threshold is found, 0.5 to 0.9999.
        shingle: words of a shingle, 1 to 9.
        fold_accents: take «élève» and «eleve» for one word.
        min_shared: shingles that a match must share at least; by default 1, or 5 under containment. Copies always match.
        threads: at most; by default the processors there are. The result does not depend on it.
        memory: bytes that the search may use beside the texts, as a number or a text like «2GB». It is kept, or refused before anything
            is done.
        progress: called with the name of a step and how many texts are done.

    Raises:
        InputError: with everything that is wrong with the texts, the ids and the options.
    """
    faults: list[Fault] = []
    rules = read_settings(
        faults,
        threshold=threshold,
        measure=measure,
        mode=mode,
        recall=recall,
        shingle=shingle,
        fold_accents=fold_accents,
        min_shared=min_shared,
    )
    resources = read_resources(faults, threads=threads, memory=memory)
    read_progress(faults, progress)
    source, names = _columns_of(texts, ids, faults)
    column = read_texts(source, "texts", faults, resources.threads if resources else 1)
    ordered = read_ids(names, None if column is None else len(column), "ids", faults)
    if faults or rules is None or resources is None or column is None or ordered is None:
        raise InputError(faults)
    settings = settled(rules, len(column))
    _check_memory(column, settings, resources)
    return find(column, ordered, settings, resources, progress)


def _check_memory(texts: TextColumn, settings: Settings, resources: Resources) -> None:
    """Refuses a budget that an estimate, rather too high, says is too small."""
    if resources.memory is None:
        return
    size = sum(chunk.nbytes for chunk in texts.chunks)
    words = size // _BYTES_OF_WORD
    if settings.recall is not None:
        entries = len(texts) * _native.neardup_plan(settings.threshold, settings.recall)[0]
    elif settings.measure == "jaccard":
        entries = len(texts) + int((1 - settings.threshold) * words)
    else:
        entries = len(texts) + words
    need = _FIXED_MEMORY + _BYTES_OF_TEXT * len(texts) + _BYTES_OF_ENTRY * entries
    if need > resources.memory:
        message = (
            f"{len(texts):,} texts may need {need:,} bytes beside the texts, and {resources.memory:,} may be used. Give memory={need} or "
            "leave it out; near_duplicates_file works from the disk and needs less."
        )
        raise InputError([Fault("memory-budget", message, "", value=str(resources.memory))])


def find(
    texts: TextColumn,
    ids: IdColumn,
    settings: Settings,
    resources: Resources,
    progress: Progress | None = None,
) -> NearDuplicates:
    """`near_duplicates` of what has been read and checked."""
    outcome = joining.join(texts, ids.ranks, settings, resources, progress)
    group, similarity, groups = grouped(outcome, ids)
    return NearDuplicates(
        ids=IdView(ids),
        group=group,
        similarity=similarity,
        groups=groups,
        counts=Counts(
            texts=len(texts),
            grouped=len(groups.rows),
            alone=int((group == ALONE).sum()),
            empty=int((group == NO_WORDS).sum()),
            groups=len(groups),
            distinct=outcome.all_distinct,
        ),
        settings=settings,
        digest=texts_digest(ids, outcome.sequences, settings, resources.threads),
        lookalikes=outcome.lookalikes,
        invisibles=outcome.invisibles,
        texts=texts,
    )


def _columns_of(texts: object, ids: object, faults: list[Fault]) -> tuple[object, object]:
    """The texts and the ids that go with them. Contributions are told by their two columns of Arrow."""
    own = getattr(texts, "ids", None), getattr(texts, "texts", None)
    if not all(isinstance(column, pa.ChunkedArray) for column in own):
        return texts, ids
    if ids is not None:
        message = "these contributions bring their ids, and others are given beside them. Leave out ids, or give the texts alone."
        faults.append(Fault("options-conflict", message, "ids"))
    return own[1], own[0]
