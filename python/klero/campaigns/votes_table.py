"""Who voted what on what?

A table of votes has a row for each vote (who, on what, what: the votes of an export of Polis, or any with columns of usual names in English, French or
Spanish), or a row for each voter and a column for each thing voted on (the participants and votes of Polis). A vote is 1 (agree, for, pour, a favor, +),
-1 (disagree, against, contre, en contra, -) or 0 (pass). A voter's last vote on a thing is the one that counts: by the column of times, else by the order of
rows; where times are equal and the votes are not, the sum decides, and a contradiction is a pass.

Guaranteed: nothing is guessed. A table without voters, or one of counts («17»), is refused, because a count does not say who voted; cells that are no
votes are told with their rows. The result does not depend on the order of rows, unless a voter changes a vote and no column of times says when.
Not guaranteed: that an account is a person.

Cost: linear in the cells; about 3 µs a vote.

>>> votes, notes = votes_table([{"voter": "b", "item": "x", "vote": "pour"}, {"voter": "a", "item": "x", "vote": "contre"}])
>>> votes.accounts, votes.voter.tolist(), votes.value.tolist()
(('a', 'b'), [0, 1], [-1, 1])
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from klero._tables_cells import folded
from klero.campaigns.model import Votes
from klero.errors import Fault, InputError, quoted
from klero.tables import Table, TableSource, read_table
from klero.voices.exports import listed
from klero.voices.fields import stance_of, time_of

__all__ = ["read_votes", "vote_of", "votes_table"]

_USUAL = {
    "voter": "voter voterid votant votante votantid voterhash elector electeur electrice participant participante participantid user userid username "
    "utilisateur usuario usuaria author authorid auteur autor account accountid compte cuenta citizen",
    "item": "commentid comment item itemid contribution contributionid statement statementid opinionid argumentid proposalid proposal votable votableid "
    "commentaire proposition propuesta comentario contribucion object objectid target",
    "value": "vote value votevalue valeur valor choice choix voto stance position sens opinion",
    "time": "timestamp time datetime date createdat created votedat horodatage fecha",
}
"""Names of columns by role, without case, accents, blanks, dashes and underlines; the first that is there is taken."""

_COUNTS = frozenset(
    [
        "votes",
        "votescount",
        "votecount",
        "numvotes",
        "likes",
        "supports",
        "agrees",
        "disagrees",
        "votespour",
        "votescontre",
    ]
)
# What a table of Polis says of a participant beside the votes.
_ABOUT = frozenset(["groupid", "ncomments", "nvotes", "nagree", "ndisagree", "npass", "xid"])
_SIGNS = {
    "+": 1,
    "-": -1,
    "👍": 1,
    "👎": -1,
    "up": 1,
    "down": -1,
    "like": 1,
    "dislike": -1,
    "approve": 1,
    "reject": -1,
}
_SIGNS |= {
    "approuve": 1,
    "rejette": -1,
    "skip": 0,
    "blanc": 0,
    "blank": 0,
    "blanco": 0,
    "passe": 0,
    "unsure": 0,
}
_SIDES = {"for": 1, "against": -1, "neutral": 0}
_SHOWN = 5
_NO_VOTE = 2  # in an array of votes: the cell is empty
_RENAME = "Rename the columns to voter, item and vote (and time)"


def read_votes(source: TableSource, *, name: str | None = None) -> Votes:
    """The votes of a table: a path, an Arrow stream, mappings, or a `klero.tables.Table`.

    Args:
        source: see above which tables are understood.
        name: what messages call it.

    Raises:
        InputError: with everything that is wrong with it.
    """
    return votes_table(source, name=name)[0]


def votes_table(source: TableSource, *, name: str | None = None) -> tuple[Votes, dict[str, int]]:
    """As `read_votes`, and what was passed over: «votes-replaced» (by a later vote), «votes-anonymous», «votes-blank», «votes-times-unread»."""
    table = read_table(source, name=name, called="votes")
    roles = _roles(table)
    if "voter" not in roles:
        raise InputError([_voterless(table, roles)])
    if "item" in roles and "value" in roles:
        return _counted(_long(table, roles))
    if "item" in roles:
        raise InputError([_valueless(table)])
    return _counted(_matrix(table, roles))


def vote_of(text: str) -> int | None:
    """1, -1 or 0; None where the cell is no vote.

    >>> vote_of("Agree"), vote_of("en contra"), vote_of("−1"), vote_of("17")
    (1, -1, -1, None)
    """
    key = folded(text)
    if key in _SIGNS:
        return _SIGNS[key]
    side = stance_of(key)
    return None if side is None else _SIDES[side]


@dataclass
class _Cast:
    """Votes as they were cast: a row each, as numbers of voters and items by first appearance."""

    voter: list[int] = field(default_factory=list)
    item: list[int] = field(default_factory=list)
    value: list[int] = field(default_factory=list)
    time: list[float] | None = None
    voters: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)


def _key(name: str) -> str:
    return re.sub(r"[\s._'’/-]+", "", folded(name))


def _roles(table: Table) -> dict[str, int]:
    """The position of each role's column."""
    known: dict[str, int] = {}
    for position, name in enumerate(table.columns):
        known.setdefault(_key(name), position)
    return {
        role: known[found]
        for role, usual in _USUAL.items()
        if (found := next((one for one in usual.split() if one in known), None)) is not None
    }


def _voterless(table: Table, roles: dict[str, int]) -> Fault:
    """Votes that nobody cast, or counts of them."""
    counts = [name for name in table.columns if _key(name) in _COUNTS]
    if counts and "value" not in roles:
        return _count_fault(table, counts[0])
    message = (
        f"no column says who voted. Who votes alike is asked of each voter, so votes without voters show nothing. {_RENAME}, or give another "
        f"table; pseudonyms will do. The table has {listed(table.columns)}."
    )
    return Fault("votes-voter-missing", message, table.name)


def _valueless(table: Table) -> Fault:
    counts = [name for name in table.columns if _key(name) in _COUNTS]
    if counts:
        return _count_fault(table, counts[0])
    message = (
        f"no column says what was voted (agree, disagree, pass; 1, -1, 0). {_RENAME}; if each row is a support, add a column vote that is 1 throughout. "
        f"The table has {listed(table.columns)}."
    )
    return Fault("votes-column-missing", message, table.name)


def _count_fault(table: Table, column: str) -> Fault:
    message = (
        f"column {quoted(column)} holds how many voted, and not who voted what, which is asked here. Give a table with a row for each vote: "
        "who, on what, and what (the votes.csv of an export of Polis is one)."
    )
    return Fault("votes-count", message, table.name, None, column)


class _Values:
    """Cells as votes, each spelling read once; those that are none are gathered."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.known: dict[str, int] = {"": _NO_VOTE}
        self.wrong: list[tuple[int, int]] = []
        self.count = 0

    def column(self, position: int) -> list[int]:
        """The votes of a column."""
        found = []
        for place, cell in enumerate(self.table.data[position]):
            if cell not in self.known:
                value = vote_of(cell)
                self.known[cell] = 3 if value is None else value
            value = self.known[cell]
            if value > _NO_VOTE:
                self.count += 1
                if len(self.wrong) < _SHOWN:
                    self.wrong.append((place, position))
                value = _NO_VOTE
            found.append(value)
        return found

    def check(self) -> None:
        """Raises InputError if a cell is no vote."""
        faults = []
        for place, position in self.wrong:
            column, cell = self.table.columns[position], self.table.data[position][place]
            row = self.table.row_numbers[place]
            if re.fullmatch(r"\+?\d+(\.\d+)?", cell):
                what = "is a number other than 1, 0 and -1. If it is a count: that does not say who voted what, which is asked here"
            else:
                what = "is no vote. Votes are 1, -1, 0; agree, disagree, pass; for, against; pour, contre; a favor, en contra; +, -"
            faults.append(
                Fault("votes-value", f"{quoted(cell)} {what}.", self.table.name, row, column, cell[:60])
            )
        if self.count > len(faults):
            more = f"{self.count - len(faults):,} more cells of this table are no votes."
            faults.append(Fault("votes-value", more, self.table.name))
        if faults:
            raise InputError(faults)


def _long(table: Table, roles: dict[str, int]) -> _Cast:
    """A row for each vote."""
    cells = _Values(table)
    values = cells.column(roles["value"])
    cells.check()
    cast = _Cast()
    times = _times(table, roles, cast)
    voters: dict[str, int] = {}
    items: dict[str, int] = {}
    rows = zip(table.data[roles["voter"]], table.data[roles["item"]], values, strict=True)
    for place, (voter, item, value) in enumerate(rows):
        if not voter:
            cast.notes["votes-anonymous"] = cast.notes.get("votes-anonymous", 0) + 1
        elif not item or value == _NO_VOTE:
            cast.notes["votes-blank"] = cast.notes.get("votes-blank", 0) + 1
        else:
            cast.voter.append(voters.setdefault(voter, len(voters)))
            cast.item.append(items.setdefault(item, len(items)))
            cast.value.append(value)
            if cast.time is not None:
                cast.time.append(times[place])
    if "votes-anonymous" in cast.notes and not cast.voter:
        raise InputError([_nameless(table, roles["voter"])])
    return _named(cast, voters, items)


def _nameless(table: Table, position: int) -> Fault:
    message = (
        f"column {quoted(table.columns[position])} is empty in every row. Who votes alike is asked of each voter, so votes without voters show nothing. "
        "Export the table with the voters; pseudonyms will do."
    )
    return Fault("votes-voter-missing", message, table.name, None, table.columns[position])


def _times(table: Table, roles: dict[str, int], cast: _Cast) -> list[float]:
    """When each vote was cast; before all others where that can't be read. Sets `cast.time` if there are times at all."""
    if "time" not in roles:
        return []
    known: dict[str, float] = {}
    found = []
    for cell in table.data[roles["time"]]:
        if cell not in known:
            moment = time_of(cell)
            known[cell] = -np.inf if moment is None else moment.timestamp()
        found.append(known[cell])
    unread = sum(1 for time in found if time == -np.inf)
    if unread:
        cast.notes["votes-times-unread"] = unread
    if unread < len(found):
        cast.time = []
    return found


def _matrix(table: Table, roles: dict[str, int]) -> _Cast:
    """A row for each voter, a column for each item."""
    asked = [
        position
        for position, name in enumerate(table.columns)
        if position != roles["voter"] and _key(name) not in _ABOUT
    ]
    counts = [table.columns[position] for position in asked if _key(table.columns[position]) in _COUNTS]
    if counts:
        raise InputError([_count_fault(table, counts[0])])
    if not asked:
        raise InputError([_valueless(table)])
    cells = _Values(table)
    columns = [cells.column(position) for position in asked]
    cells.check()
    cast = _Cast()
    voters: dict[str, int] = {}
    numbers = [voters.setdefault(name, len(voters)) if name else -1 for name in table.data[roles["voter"]]]
    for item, values in enumerate(columns):
        for voter, value in zip(numbers, values, strict=True):
            if value == _NO_VOTE:
                continue
            if voter < 0:
                cast.notes["votes-anonymous"] = cast.notes.get("votes-anonymous", 0) + 1
                continue
            cast.voter.append(voter)
            cast.item.append(item)
            cast.value.append(value)
    if "votes-anonymous" in cast.notes and not cast.voter:
        raise InputError([_nameless(table, roles["voter"])])
    return _named(cast, voters, {table.columns[position]: at for at, position in enumerate(asked)})


def _named(cast: _Cast, voters: dict[str, int], items: dict[str, int]) -> _Cast:
    cast.voters, cast.items = list(voters), list(items)
    if not cast.voter:
        raise InputError(
            [Fault("votes-empty", "the table holds no vote at all. Was the right file given?", "")]
        )
    return cast


def _counted(cast: _Cast) -> tuple[Votes, dict[str, int]]:
    """The votes that count, voters and items numbered by name; so the order of rows is gone."""
    voter = _ranked(cast.voters)[np.array(cast.voter, np.int64)]
    item = _ranked(cast.items)[np.array(cast.item, np.int64)]
    value = np.array(cast.value, np.int64)
    when = np.arange(len(value), dtype=np.float64) if cast.time is None else np.array(cast.time, np.float64)
    order = np.lexsort((when, item, voter))
    voter, item, value, when = voter[order], item[order], value[order], when[order]
    last = np.append((voter[1:] != voter[:-1]) | (item[1:] != item[:-1]), True)
    first = np.flatnonzero(np.append(True, last[:-1]))
    pair = np.cumsum(np.append(0, last[:-1].astype(np.int64)))
    latest = when == when[last][pair]
    kept = np.sign(np.add.reduceat(np.where(latest, value, 0), first)).astype(np.int8)
    if (replaced := len(value) - len(kept)) > 0:
        cast.notes["votes-replaced"] = replaced
    accounts, items = (tuple(sorted(names)) for names in (cast.voters, cast.items))
    return Votes(voter[last], item[last], kept, accounts, items), dict(sorted(cast.notes.items()))


def _ranked(names: Sequence[str]) -> npt.NDArray[np.int64]:
    """The place of each name among all, ascending."""
    ranks = np.empty(len(names), np.int64)
    ranks[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    return ranks
