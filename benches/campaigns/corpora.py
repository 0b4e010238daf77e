"""Real consultations as tables, and seeded parts of them: what campaigns are planted in, and what must raise no alarm when nothing is planted.

| name | rows, authors | language | time | question | stance | votes |
|---|---|---|---|---|---|---|
| repnum | 3,994 arguments, 1,239 | French | yes | the opinion argued about | for, against | |
| granddebat | 2,204 answers, 2,101 | French | yes (no zone: read as UTC) | yes | | |
| lille | 933 comments and proposals; 138 authors, of comments alone | French | yes | debate, proposal or category | for, against, neutral | |
| madrid | 5,571 comments, 2,240 | Spanish | yes (no zone: read as UTC) | the proposal | | |
| polis:NAME | 39 to 2,162 comments | English, German, Chinese | yes | one | | of all participants, where they were published |
| essays | 394 essays by people | English | none of their own: made | the set | | |
| made | 240 made answers, 240 | French | made | 3 | for, against | 80 voters, 30 items |

Rows without a word are left out. All of these count as organic: no five authors share a text of fifteen words or more in them
(`tests/test_campaigns_bench.py` looks after it). That nobody acted together in another way is an assumption; every false alarm below rests on it.

A *replicate* is the corpus of a random part of its authors (85 % unless told otherwise), with all they wrote and voted. Replicates of one corpus
overlap, so an interval over them speaks of the plants and of who took part in this consultation, not of other consultations: for these there are
several corpora.

>>> corpus = load("made")
>>> len(corpus.rows), len(replicate(corpus, seed=1).rows) < len(corpus.rows)
(240, True)
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

SHARE = 0.85
_STANCES = {"pour": "for", "contre": "against", "1": "for", "-1": "against", "0": "neutral"}


class Row(NamedTuple):
    """A contribution. `time` is in seconds since 1970 (UTC), None if unknown; `author` is None where the platform did not tell; no stance is ''."""

    id: str
    text: str
    author: str | None
    time: float | None
    question: str
    stance: str = ""


class Vote(NamedTuple):
    """A participant's last vote on an item: -1, 0 or 1."""

    voter: str
    item: str
    value: int


@dataclass(frozen=True)
class Corpus:
    """A consultation.

    Attributes:
        name, language: of it; the language as «fr».
        rows: ascending by time, then by id.
        votes: ascending.
        titles: of the questions, where they are known.
    """

    name: str
    language: str
    rows: tuple[Row, ...]
    votes: tuple[Vote, ...] = ()
    titles: Mapping[str, str] = field(default_factory=dict)

    def mappings(self) -> list[dict[str, str | None]]:
        """The table as tools read it: id, text, author, time (ISO 8601, UTC), question, stance."""
        return [{**row._asdict(), "time": iso(row.time), "stance": row.stance or None} for row in self.rows]

    def vote_mappings(self) -> list[dict[str, str | int]]:
        """The votes as tools read them: voter, item, value."""
        return [vote._asdict() for vote in self.votes]

    @property
    def by_id(self) -> dict[str, Row]:
        return {row.id: row for row in self.rows}


def iso(time: float | None) -> str | None:
    """2015-10-01T12:00:00Z; parts of a second are dropped."""
    return None if time is None else f"{dt.datetime.fromtimestamp(int(time), dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def generator(seed: int, *labels: object) -> np.random.Generator:
    """Random numbers for one purpose: Philox, keyed by the SHA-256 of seed and labels, so that no purpose disturbs another."""
    key = hashlib.sha256("\x1f".join(map(str, (seed, *labels))).encode()).digest()
    return np.random.Generator(np.random.Philox(key=np.frombuffer(key[:16], np.uint64)))


def data_folder() -> Path:
    """Where the consultations are: KLERO_DATA, or beside the repository; in it, the folder «voices»."""
    return Path(os.environ.get("KLERO_DATA", Path(__file__).parents[3] / "shared" / "data")) / "voices"


def tidy(rows: list[Row], corpus: Corpus) -> Corpus:
    """The corpus with these rows, in the order of times and ids: where a row stands says nothing of where it came from."""
    ordered = sorted(rows, key=lambda row: (row.time is None, row.time or 0.0, row.id))
    return replace(corpus, rows=tuple(ordered))


def _cells(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _seconds(cell: str) -> float:
    """Of a time as one of the exports writes it; without a zone it is read as UTC."""
    read = dt.datetime.fromisoformat(re.sub(r" (?=[+-]\d{4}$)", "", cell.strip()))
    return (read if read.tzinfo else read.replace(tzinfo=dt.UTC)).timestamp()


def _with_words(rows: list[Row], name: str, language: str, titles: Mapping[str, str] | None = None) -> Corpus:
    kept = [row for row in rows if any(sign.isalnum() for sign in row.text)]
    return tidy(kept, Corpus(name, language, (), (), titles or {}))


def _repnum(home: Path) -> Corpus:
    titles = {cell["opinion_id"]: cell["title"] for cell in _cells(home / "repnum_2015" / "opinions.csv")}
    rows = [
        Row(
            "a" + cell["argument_id"],
            cell["body"],
            cell["author"],
            _seconds(cell["created_at"]),
            cell["opinion_id"],
            _STANCES[cell["side"]],
        )
        for cell in _cells(home / "repnum_2015" / "arguments.csv")
    ]
    return _with_words(rows, "repnum", "fr", titles)


def _granddebat(home: Path) -> Corpus:
    cells = _cells(home / "granddebat_annotated_2019" / "responses.csv")
    titles = {cell["question_id"]: cell["question"] for cell in cells}
    rows = [
        Row(f"r{at}", cell["body"], cell["author"], _seconds(cell["published_at"]), cell["question_id"])
        for at, cell in enumerate(cells)
    ]
    return _with_words(rows, "granddebat", "fr", titles)


def _lille(home: Path) -> Corpus:
    folder = home / "lille_granddebat_2019"
    titles = {f"debate {cell['id']}": cell["title"] for cell in _cells(folder / "debates.csv")}
    rows = []
    for name, kind in (("debate", "c"), ("proposal", "d")):
        for cell in _cells(folder / f"{name}_comments.csv"):
            question = f"{'proposal' if cell['commentable_type'].endswith('Proposal') else 'debate'} {cell['commentable_id']}"
            time, stance = _seconds(cell["created_at"]), _STANCES[cell["alignment"]]
            rows.append(Row(kind + cell["id"], cell["body"], cell["author"], time, question, stance))
    for cell in _cells(folder / "proposals.csv"):
        question = f"category {cell['category']}"
        titles[question] = cell["category"]
        rows.append(Row("p" + cell["id"], cell["body"], None, _seconds(cell["created_at"]), question))
    return _with_words(rows, "lille", "fr", titles)


def _madrid(home: Path) -> Corpus:
    titles = {cell["id"]: cell["title"] for cell in _cells(home / "decide_madrid" / "proposals.csv")}
    rows = [
        Row(
            "c" + cell["id"],
            cell["text"],
            cell["author"],
            _seconds(f"{cell['date']} {cell['time'].rpartition(' ')[2].partition('.')[0]}"),
            cell["proposalId"],
        )
        for cell in _cells(home / "decide_madrid" / "comments.csv")
    ]
    return _with_words(rows, "madrid", "es", titles)


def _polis_votes(folder: Path) -> tuple[Vote, ...]:
    last: dict[tuple[str, str], int] = {}
    if (folder / "votes.csv").is_file():
        for cell in sorted(_cells(folder / "votes.csv"), key=lambda cell: int(cell["timestamp"])):
            last[cell["voter-id"], cell["comment-id"]] = int(cell["vote"])
    elif (folder / "participants-votes.csv").is_file():
        for cell in _cells(folder / "participants-votes.csv"):
            last |= {
                (cell["participant"], name): int(float(value))
                for name, value in cell.items()
                if name.isdigit() and value
            }
    return tuple(sorted(Vote(voter, item, value) for (voter, item), value in last.items()))


def _polis(home: Path, name: str) -> Corpus:
    folder = home / "polis_opendata" / name
    language = {"austria": "de", "vtaiwan": "zh"}.get(name.replace(".", "-").partition("-")[0], "en")
    rows, seen = [], set()
    for cell in _cells(folder / "comments.csv"):
        if cell["comment-id"] not in seen:  # three exports name one comment twice
            seen.add(cell["comment-id"])
            time = int(cell["timestamp"]) / (1000 if len(cell["timestamp"]) > 10 else 1)
            rows.append(Row(cell["comment-id"], cell["comment-body"], cell["author-id"], time, name))
    return replace(_with_words(rows, f"polis:{name}", language), votes=_polis_votes(folder))


def _essays(home: Path) -> Corpus:
    from controls import essays

    return essays(home, "human")


def _made(home: Path) -> Corpus:
    from controls import made

    return made(seed=0)


_READERS: dict[str, Callable[[Path], Corpus]] = {
    "repnum": _repnum,
    "granddebat": _granddebat,
    "lille": _lille,
    "madrid": _madrid,
    "essays": _essays,
    "made": _made,
}
MAIN = ("repnum", "granddebat", "lille", "madrid")


def polis_names(folder: Path | None = None) -> list[str]:
    """Names of the Polis conversations, as `load` takes them."""
    home = (folder or data_folder()) / "polis_opendata"
    return [f"polis:{path.name}" for path in sorted(home.iterdir()) if path.is_dir()]


@cache
def load(name: str, folder: Path | None = None) -> Corpus:
    """One of the corpora of the table above, whole."""
    home = folder or data_folder()
    if name.startswith("polis:"):
        return _polis(home, name.partition(":")[2])
    if name not in _READERS:
        raise ValueError(f"no corpus {name!r}: {', '.join(_READERS)}, {', '.join(polis_names(home))}")
    return _READERS[name](home)


def replicate(corpus: Corpus, seed: int, share: float = SHARE) -> Corpus:
    """What a random part of the authors wrote and voted; a row without an author is one of its own. Items nobody wrote (seeds) stay."""
    random = generator(seed, "replicate", corpus.name)
    wrote = {row.author if row.author is not None else "\0" + row.id for row in corpus.rows}
    voted = {vote.voter for vote in corpus.votes}
    # Writers are few among voters: the share of both is kept.
    chosen = _part(random, sorted(wrote), share) | _part(random, sorted(voted - wrote), share)
    rows = [row for row in corpus.rows if (row.author if row.author is not None else "\0" + row.id) in chosen]
    gone = {row.id for row in corpus.rows} - {row.id for row in rows}
    votes = tuple(vote for vote in corpus.votes if vote.voter in chosen and vote.item not in gone)
    return replace(tidy(rows, corpus), votes=votes)


def _part(random: np.random.Generator, people: list[str], share: float) -> set[str]:
    count = max(1, round(share * len(people))) if people else 0
    return {people[at] for at in random.permutation(len(people))[:count]}


def described(corpus: Corpus) -> dict[str, Any]:
    """Rows, authors, questions and votes, as numbers."""
    return {
        "rows": len(corpus.rows),
        "authors": len({row.author for row in corpus.rows if row.author is not None}),
        "questions": len({row.question for row in corpus.rows}),
        "voters": len({vote.voter for vote in corpus.votes}),
        "votes": len(corpus.votes),
    }
