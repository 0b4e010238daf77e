"""What does a folder of results say of a group, and of one contribution?

The one reader of what `klero campaigns -o DIR` wrote, for those who decide and those who ask afterwards: `campaigns.json` (the groups, what each
test said, by which settings) and the table `contributions` beside it (of each contribution its group and its weight as a voice under each count). No
text is read from either, and nothing that this reader does not know stops it.

Guaranteed: what is returned has the form that is said here; all that has not is told together. `Results.sha256` is that of the file's bytes, so that
a decision can be tied to the very file that it was taken on. Not guaranteed: that the file says what a search found (whoever has it can change it;
the digest in a signed log tells).
Cost: one pass over each file.

>>> read_results("nowhere/campaigns.json")
Traceback (most recent call last):
klero.errors.InputError: nowhere/campaigns.json: there is no such file. Check the name and the folder. [file-missing]
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeGuard

from klero._files import read_file
from klero.campaigns.model import CHANNELS, Channel, ChannelName, Interval, Null
from klero.errors import Fault, InputError, quoted
from klero.ledger.canonical import check_depth

__all__ = ["Group", "Place", "Results", "read_place", "read_results"]

RESULTS_FILE = "campaigns.json"
SCHEMA = "klero-campaigns/1"
TABLES = ("contributions.parquet", "contributions.csv", "contributions.jsonl")
FILE_LIMIT = 1 << 30
_MOST_FAULTS = 20
_WEIGHTS = ("voice_weight_raw", "voice_weight", "voice_weight_one_each")


@dataclass(frozen=True, eq=False)
class Group:
    """A group as the results tell it; see `klero.campaigns.result.Campaign`.

    Attributes:
        name: «C1», «C2», …
        kind: how it was found.
        members: ids of its contributions, as text.
        dependence: of each member, the probability that it comes from the group's common source; None where the file does not say.
        voters: names of its accounts, if it is one of accounts that vote.
        raw: number of its voices.
        n_eff: effective voices; None if the file does not say.
        p, adjusted: None where the file says nothing.
        for_review, rule, short: as decided by the rule of the search.
        channels: what each channel said, without draws and details, which may hold texts.
    """

    name: str
    kind: str
    members: tuple[str, ...]
    dependence: tuple[float | None, ...]
    voters: tuple[str, ...]
    raw: int
    n_eff: Interval | None
    p: float | None
    adjusted: float | None
    for_review: bool
    rule: str
    short: bool
    channels: tuple[Channel, ...]

    def depends(self, contribution: str) -> float | None:
        """Probability that one of its contributions comes from the common source; None if it is no member, or the file does not say."""
        return dict(zip(self.members, self.dependence, strict=True)).get(contribution)


@dataclass(frozen=True, eq=False)
class Results:
    """What `campaigns.json` says, and which file it was.

    Attributes:
        file: its name.
        sha256: of its bytes, in hexadecimal.
        digest: of the input and the settings of the search.
        q: bound of the false discovery rate.
        raw: number of voices in the consultation; None if the file does not say.
        groups: those that the file tells of, in its order.
        columns: name of the column that was read, by role («text», «author», «time», …).
        inputs: SHA-256 of each file that was read, by its name.
        source: name of the table that was searched; '' if the file does not say.
        input_sha256: of that table's file; '' if the file does not say.
        votes: number of votes that were read.
        vectors: what made the vectors of the texts; '' if there were none.
        metadata: whether further columns were compared.
        channels_off: channels that could not be tested, and why.
    """

    file: str
    sha256: str
    digest: str
    q: float
    raw: int | None
    groups: tuple[Group, ...]
    columns: Mapping[str, str]
    inputs: Mapping[str, str]
    source: str
    input_sha256: str
    votes: int
    vectors: str
    metadata: bool
    channels_off: Mapping[str, str]

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the groups."""
        return frozenset(group.name for group in self.groups)

    def group(self, name: str) -> Group:
        """A group by its name.

        Raises:
            InputError: there is none with this name.
        """
        for group in self.groups:
            if group.name == name:
                return group
        raise InputError([unknown_group(name, [group.name for group in self.groups], self.file)])


@dataclass(frozen=True)
class Place:
    """One contribution in the results.

    Attributes:
        id: as text.
        group: the name of its group; '' if it is in none.
        raw, weighted, one_each: its weight as a voice when every account counts as one voice; when the group counts as its effective voices; when
            the group counts as one voice. None where the table does not say (a contribution without words has no weight).
    """

    id: str
    group: str
    raw: float | None
    weighted: float | None
    one_each: float | None


def unknown_group(name: str, known: Sequence[str], file: str) -> Fault:
    """The fault of a name that no group has."""
    some = ", ".join(known[:8]) + (", …" if len(known) > 8 else "")
    there = f"The groups there are: {some}." if known else "There is no group at all in these results."
    message = f"there is no group {quoted(name)} in the results, so nothing can be decided on it. {there}"
    return Fault("campaign-group-unknown", message, file, value=name)


def results_path(path: str | os.PathLike[str]) -> str:
    """The file of results in a folder, or the file itself."""
    return os.fspath(Path(path) / RESULTS_FILE) if Path(path).is_dir() else os.fspath(path)


def read_results(path: str | os.PathLike[str]) -> Results:
    """The results in a folder that `klero campaigns` wrote, or in its file `campaigns.json`.

    Raises:
        InputError: it is not there, can't be read, or is not such a file; all that is wrong with it at once.
    """
    name = results_path(path)
    data = read_file(name, FILE_LIMIT)
    try:
        check_depth(data)
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        message = f"the file is no JSON that can be read ({error or 'too deep'}). Give the file {RESULTS_FILE} that klero campaigns wrote."
        raise InputError([Fault("json-invalid", message, name)]) from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        said = document.get("schema") if isinstance(document, dict) else None
        what = f"it says {quoted(str(said))}" if said else "it does not say of which form it is"
        message = f"these are no results of the form {SCHEMA}: {what}. Give the file {RESULTS_FILE} that klero campaigns wrote."
        raise InputError([Fault("json-invalid", message, name)])
    return _Reader(name).results(document, hashlib.sha256(data).hexdigest())


class _Reader:
    """Takes a document apart, and keeps what is wrong with it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def results(self, document: Mapping[str, Any], sha256: str) -> Results:
        listed = document.get("groups")
        if not isinstance(listed, list):
            self._wrong("groups", "a list", listed)
            listed = []
        groups = [self._group(one, f"groups[{i}]") for i, one in enumerate(listed)]
        names = [group.name for group in groups]
        counts, asked, off = (
            document.get("counts"),
            document.get("channels"),
            self._texts(document.get("channels_off")),
        )
        votes = counts.get("votes") if isinstance(counts, dict) else None
        if len(set(names)) < len(names) and not self.faults:
            twice = next(name for name in names if names.count(name) > 1)
            self._wrong("groups", "groups with different names", twice)
        results = Results(
            file=self.file,
            sha256=sha256,
            digest=self._text(document, "digest"),
            q=self._number(document, "q", "", most=1.0) or 0.0,
            raw=None if document.get("raw") is None else self._count(document, "raw", ""),
            groups=tuple(groups),
            columns=self._texts(document.get("columns")),
            inputs=self._texts(document.get("sha256")),
            source=self._optional(document.get("source")),
            input_sha256=self._optional(document.get("input_sha256")),
            votes=votes if type(votes) is int else 0,
            vectors=self._optional(document.get("vectors")),
            metadata=isinstance(asked, list) and "metadata" in asked and "metadata" not in off,
            channels_off=off,
        )
        if self.faults:
            raise InputError(self.faults)
        return results

    def _group(self, one: object, where: str) -> Group:
        if not isinstance(one, dict):
            self._wrong(where, "an object", one)
            one = {}
        members = one.get("members")
        if not isinstance(members, list) or not all(type(i) in (int, str) for i in members):
            self._wrong(f"{where}.members", "a list of ids", members)
            members = []
        voters = one.get("voters")
        listed = one.get("channels")
        if not isinstance(listed, list):
            self._wrong(f"{where}.channels", "a list", listed)
            listed = []
        channels = [self._channel(c, f"{where}.channels[{i}]") for i, c in enumerate(listed)]
        return Group(
            name=self._text(one, "name", where),
            kind=self._optional(one.get("kind")),
            members=tuple(map(str, members)),
            dependence=self._shares(one, "dependence", where, len(members)),
            voters=tuple(name for name in voters if isinstance(name, str))
            if isinstance(voters, list)
            else (),
            raw=self._count(one, "raw", where),
            n_eff=self._interval(one.get("n_eff"), f"{where}.n_eff"),
            p=self._number(one, "p", where, most=1.0),
            adjusted=self._number(one, "adjusted", where, most=math.inf),
            for_review=one.get("for_review") is True,
            rule=self._optional(one.get("rule")),
            short=one.get("short") is True,
            channels=tuple(channel for channel in channels if channel is not None),
        )

    def _channel(self, one: object, where: str) -> Channel | None:
        known: dict[str, ChannelName] = {name: name for name in CHANNELS}
        name = one.get("name") if isinstance(one, dict) else None
        if not isinstance(one, dict) or not isinstance(name, str) or name not in known:
            self._wrong(f"{where}.name", "one of " + ", ".join(CHANNELS), name)
            return None
        effect = one.get("effect")
        sizes = effect if isinstance(effect, dict) else {}
        return Channel(
            name=known[name],
            p=self._number(one, "p", where, most=1.0),
            effect={key: float(size) for key, size in sizes.items() if _is_number(size)},
            nulls=self._nulls(one.get("nulls")),
            why_not=self._optional(one.get("why_not")),
        )

    @staticmethod
    def _nulls(listed: object) -> tuple[Null, ...]:
        """Statistics with their chance groups, as far as the file tells of them; what is not of this form is passed over."""
        nulls = []
        for one in listed if isinstance(listed, list) else ():
            fields = one if isinstance(one, dict) else {}
            statistic, observed = fields.get("statistic"), fields.get("observed")
            count, exceed, tail = fields.get("count"), fields.get("exceed"), fields.get("tail")
            if (
                isinstance(statistic, str)
                and _is_number(observed)
                and type(count) is int
                and type(exceed) is int
            ):
                said = tail if isinstance(tail, str) else "permutation"
                nulls.append(Null(statistic, float(observed), (), count, exceed, said))
        return tuple(nulls)

    def _interval(self, value: object, where: str) -> Interval | None:
        if value is None:
            return None
        fields = value if isinstance(value, dict) else {}
        low, estimate, high = (fields.get(name) for name in ("low", "estimate", "high"))
        if not (_is_number(low) and _is_number(estimate) and _is_number(high)):
            self._wrong(where, "an object with low, estimate and high", value)
            return None
        level = fields.get("level")
        return Interval(float(low), float(estimate), float(high), float(level) if _is_number(level) else 0.95)

    def _shares(self, one: Mapping[str, Any], key: str, where: str, count: int) -> tuple[float | None, ...]:
        values = one.get(key)
        if values is None:
            return (None,) * count
        shares = values if isinstance(values, list) else [""]
        if len(shares) != count or not all(v is None or (_is_number(v) and 0 <= v <= 1) for v in shares):
            self._wrong(f"{where}.{key}", "a list of numbers from 0 to 1, one for each member", values)
            return (None,) * count
        return tuple(None if value is None else float(value) for value in shares)

    def _text(self, one: Mapping[str, Any], key: str, where: str = "") -> str:
        value = one.get(key)
        if isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable():
            return value
        self._wrong(f"{where}.{key}".lstrip("."), "a line of text", value)
        return ""

    def _count(self, one: Mapping[str, Any], key: str, where: str) -> int:
        value = one.get(key)
        if _is_number(value) and float(value) >= 0 and float(value) == int(value):
            return int(value)
        self._wrong(f"{where}.{key}".lstrip("."), "a whole number", value)
        return 0

    def _number(self, one: Mapping[str, Any], key: str, where: str, *, most: float) -> float | None:
        value = one.get(key)
        if value is None or (_is_number(value) and 0 <= float(value) <= most):
            return None if value is None else float(value)
        self._wrong(
            f"{where}.{key}".lstrip("."),
            "a number of 0 or more" + (" and at most 1" if most == 1 else ""),
            value,
        )
        return None

    @staticmethod
    def _texts(value: object) -> dict[str, str]:
        pairs = value.items() if isinstance(value, dict) else ()
        return {str(key): text for key, text in pairs if isinstance(text, str)}

    @staticmethod
    def _optional(value: object) -> str:
        return value if isinstance(value, str) else ""

    def _wrong(self, where: str, wanted: str, value: object) -> None:
        if len(self.faults) < _MOST_FAULTS:
            message = (
                f"«{where}» must be {wanted}, and is {quoted(json.dumps(value, ensure_ascii=False))}. The file was changed, or is of another version "
                "of klero."
            )
            self.faults.append(Fault("json-invalid", message, self.file))


def _is_number(value: object) -> TypeGuard[float]:
    """Whether a value of JSON is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def read_place(folder: str | os.PathLike[str], contribution: str, results: Results) -> Place:
    """The row of one contribution in the table beside the results.

    Args:
        folder: the folder of the results, or their file.
        contribution: its id, as text.
        results: what was read of them.

    Raises:
        InputError: there is no such table or contribution, or the table lacks what is needed.
    """
    from klero.tables import read_table

    base = Path(results_path(folder)).parent
    path = next((base / name for name in TABLES if (base / name).is_file()), None)
    if path is None:
        message = f"the table of contributions ({', '.join(TABLES)}) is not beside the results. Give the whole folder that klero campaigns wrote."
        raise InputError([Fault("file-missing", message, os.fspath(base))])
    table = read_table(path)
    missing = [column for column in ("id", "group", *_WEIGHTS) if column not in table.columns]
    if missing:
        raise InputError(
            [
                Fault(
                    "column-missing",
                    f"there is no column {quoted(name)}. Give the table as klero campaigns wrote it.",
                    table.name,
                    column=name,
                )
                for name in missing
            ]
        )
    rows = [row for row, name in enumerate(table.column("id")) if name == contribution]
    if len(rows) != 1:
        what = "has no contribution" if not rows else f"has {len(rows)} contributions"
        message = f"the table {what} with the id {quoted(contribution)}. Ids are those of the table that was searched; check it there, sign for sign."
        raise InputError([Fault("contribution-unknown", message, table.name, value=contribution)])
    return _place({name: table.column(name)[rows[0]] for name in table.columns}, table.name)


def _place(cells: Mapping[str, str], file: str) -> Place:
    weights: list[float | None] = []
    faults = []
    for column in _WEIGHTS:
        text = cells[column]
        try:
            weights.append(float(text) if text else None)
        except ValueError:
            message = f"the weight {quoted(text)} is no number. Give the table as klero campaigns wrote it."
            faults.append(Fault("weight-invalid", message, file, column=column, value=text))
    if faults:
        raise InputError(faults)
    return Place(cells["id"], cells["group"], *weights)
