"""Detectors behind one small interface: a consultation in, groups out.

A tool is a function `(Corpus, Settings) -> Answer`. To try your own, add a function to `TOOLS`, or name it on the command line as `FILE.py:FUNCTION`
(`run.py --tools mine.py:detect`). A group of fewer than five accounts is no campaign here, whatever tool found it.

| tool | what it does |
|---|---|
| klero | `klero.find_campaigns`, vectors made offline, all channels |
| klero-use | the same with vectors of the Universal Sentence Encoder (`peers.py`) |
| klero-text | texts alone: template and paraphrase |
| klero-core | the search alone (candidates, tests of wording, paraphrase and time, decision), without weights, limits and tables: for many replicates |
| klero-core-use | the same with vectors of the Universal Sentence Encoder |
| near-0.8 | groups of near-duplicates as they are usually searched: word 3-grams, Jaccard 0.8 (`klero.near_duplicates`) |
| near-2gram | word 2-grams, Jaccard 0.3 |
| percentile-text | the 0.5 % of pairs of texts by different people that are most alike (TF-IDF of words, cosine), connected components |
| percentile-time | the 0.5 % of pairs of accounts that are most alike in when they write (30-minute bins, TF-IDF, cosine), connected components |
| astrodetection | its near-duplicate network (USE vectors and Levenshtein, thresholds 0.9 and 0.8) and its network of co-activity, connected components |
| cnt-1min, cnt-6h | coordination-network-toolkit: similar messages (Jaccard of words 0.8) within one minute or six hours, connected components |

The percentile rules follow Pacheco et al. (ICWSM 2021). The last three run in environments of their own (`peers.py`).
"""

from __future__ import annotations

import importlib.util
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from corpora import Corpus
from disguises import words_of
from metrics import Found
from peers import Peer

LEAST = 5
TOP = 0.005


@dataclass(frozen=True)
class Settings:
    """What a run may set.

    Attributes:
        q: the false discovery rate asked for, by tools that know one.
        envs: folder of the environments of peers.
        cache: folder for vectors.
        seed: of tools that draw.
    """

    q: float = 0.05
    envs: Path = Path("envs")
    cache: Path = Path("cache")
    seed: int = 0


@dataclass(frozen=True)
class Answer:
    """Groups, and what else a tool says of its search, as plain data."""

    groups: tuple[Found, ...]
    extra: Mapping[str, Any] = field(default_factory=dict)


Tool = Callable[[Corpus, Settings], Answer]


def large(groups: Iterable[Iterable[int]], corpus: Corpus) -> tuple[Found, ...]:
    """Groups of row numbers by five accounts or more."""
    found = []
    for group in groups:
        rows = [corpus.rows[at] for at in group]
        if len({row.author if row.author is not None else "\0" + row.id for row in rows}) >= LEAST:
            found.append(Found.of(row.id for row in rows))
    return tuple(found)


def components(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Connected components of two or more."""
    parent = list(range(count))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for one, other in pairs:
        parent[root(int(one))] = root(int(other))
    of = defaultdict(list)
    for at in range(count):
        of[root(at)].append(at)
    return [group for group in of.values() if len(group) > 1]


# klero


def klero(corpus: Corpus, settings: Settings, **options: Any) -> Answer:
    import klero

    table = corpus.mappings()
    read = klero.Contributions.read(
        table, text="text", id="id", author="author", time="time", question="question", stance="stance"
    )
    votes = corpus.vote_mappings() or None
    start = time.process_time()
    result = klero.find_campaigns(read, q=settings.q, votes=votes, seed=settings.seed, threads=1, **options)
    seconds = time.process_time() - start
    accounts = result.consultation.votes.accounts if result.consultation.votes is not None else ()
    groups = tuple(_found(one, accounts) for one in result.groups)
    tested = [
        {
            "kind": one.candidate.kind,
            "voices": one.raw,
            "members": sorted(map(str, one.members))[:200],
            "p_text": one.p_text,
            "p_action": one.p_action,
            "adjusted": one.adjusted,
            "rule": one.rule,
            "n_eff": one.n_eff.estimate,
        }
        for one in result.tested
        if one.for_review or one.adjusted <= 0.5
    ]
    limits = [[one.pattern, one.size, one.largest] for one in result.limits]
    told = " ".join(klero_words(result, one.name) for one in result.groups)
    return Answer(
        groups,
        {
            "n_eff": result.n_eff.estimate,
            "raw": result.raw,
            "tested": len(result.tested),
            "near": tested,
            "limits": limits,
            "permutations": result.permutations,
            "seconds": seconds,
            "accusing": accusing(told),
        },
    )


def _found(one: Any, accounts: Sequence[str]) -> Found:
    voters = one.candidate.voters
    if one.candidate.kind == "votes" and voters is not None:
        return Found.of(voters=[accounts[at] for at in voters])
    return Found.of(one.members)


def klero_words(result: Any, name: str) -> str:
    """What klero says of a group, in both of its languages."""
    from klero.campaigns.explain import explain_group

    return " ".join(explain_group(result, name, lang) for lang in ("en", "fr"))


ACCUSING = (
    "fraud",
    "fake",
    "inauthentic",
    "bot ",
    "bots",
    "fraude",
    "faux compte",
    "troll",
    "astroturf",
    "manipul",
)


def accusing(text: str) -> list[str]:
    """Which words of accusation are in it."""
    return [word for word in ACCUSING if word in text.lower()]


def klero_text(corpus: Corpus, settings: Settings) -> Answer:
    return klero(corpus, settings, channels=["template", "paraphrase"])


def klero_use(corpus: Corpus, settings: Settings) -> Answer:
    texts = [row.text for row in corpus.rows]
    return klero(corpus, settings, vectors=Peer.named("use", settings.envs, settings.cache).vectors(texts))


def klero_core(corpus: Corpus, settings: Settings, vectors: np.ndarray | None = None) -> Answer:
    import klero
    from klero.campaigns.find import search
    from klero.campaigns.settings import Asked
    from klero.campaigns.units import read_units

    read = klero.Contributions.read(
        corpus.mappings(),
        text="text",
        id="id",
        author="author",
        time="time",
        question="question",
        stance="stance",
    )
    units = read_units(read, vectors=vectors, seed=settings.seed, threads=1)
    c = units.consultation
    start = time.process_time()
    found = search(c, Asked(settings.q, ("template", "paraphrase", "time"), settings.seed, 1))
    seconds = time.process_time() - start
    shown = [(one, of) for one, of in zip(found.candidates, found.decisions, strict=True) if of.for_review]
    near = [
        {
            "kind": one.kind,
            "voices": one.voices,
            "members": [str(c.ids[row]) for row in one.rows.tolist()][:200],
            "words": float(np.median(c.words[one.rows])) if len(one.rows) else 0.0,
            "p_text": of.p_text,
            "p_action": of.p_action,
            "adjusted": of.adjusted,
            "rule": of.rule,
        }
        for one, of in zip(found.candidates, found.decisions, strict=True)
        if of.for_review or of.adjusted <= 0.5
    ]
    groups = tuple(Found.of(c.ids[row] for row in one.rows.tolist()) for one, _ in shown)
    return Answer(groups, {"tested": len(found.candidates), "near": near, "seconds": seconds})


def klero_core_use(corpus: Corpus, settings: Settings) -> Answer:
    texts = [row.text for row in corpus.rows]
    return klero_core(corpus, settings, Peer.named("use", settings.envs, settings.cache).vectors(texts))


# Near-duplicates


def near(corpus: Corpus, threshold: float, shingle: int) -> Answer:
    import klero

    found = klero.near_duplicates(
        [row.text for row in corpus.rows], threshold=threshold, shingle=shingle, threads=1
    )
    of = defaultdict(list)
    for at, label in enumerate(np.asarray(found.group).tolist()):
        if label >= 0:
            of[label].append(at)
    return Answer(large(of.values(), corpus))


# Percentile rules


def _tfidf(counts: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfTransformer

    return TfidfTransformer().fit_transform(counts)


def _top_pairs(weights: Any, same: np.ndarray, share: float) -> list[tuple[int, int]]:
    """This share of the pairs with any similarity at all, the most alike; `same` numbers that must differ."""
    alike = (weights @ weights.T).tocoo()
    kept = (alike.row < alike.col) & (same[alike.row] != same[alike.col]) & (alike.data > 0)
    rows, cols, data = alike.row[kept], alike.col[kept], alike.data[kept]
    if not len(data):
        return []
    least = np.quantile(data, 1 - share)
    return list(zip(rows[data >= least].tolist(), cols[data >= least].tolist(), strict=True))


def _numbers(corpus: Corpus) -> np.ndarray:
    names = [row.author if row.author is not None else "\0" + row.id for row in corpus.rows]
    return np.unique(names, return_inverse=True)[1]


def percentile_text(corpus: Corpus, settings: Settings) -> Answer:
    from sklearn.feature_extraction.text import CountVectorizer

    counts = CountVectorizer(analyzer=words_of).fit_transform([row.text for row in corpus.rows])
    pairs = _top_pairs(_tfidf(counts).astype(np.float32), _numbers(corpus), TOP)
    return Answer(large(components(len(corpus.rows), pairs), corpus))


def percentile_time(corpus: Corpus, settings: Settings) -> Answer:
    from scipy.sparse import coo_matrix

    account = _numbers(corpus)
    timed = [at for at, row in enumerate(corpus.rows) if row.time is not None]
    if not timed:
        return Answer(())
    bins = np.unique([int(corpus.rows[at].time or 0) // 1800 for at in timed], return_inverse=True)[1]
    shape = (int(account.max()) + 1, int(bins.max()) + 1)
    counts = coo_matrix((np.ones(len(timed)), (account[timed], bins)), shape=shape).tocsr()
    pairs = _top_pairs(_tfidf(counts), np.arange(shape[0]), TOP)
    wrote = defaultdict(list)
    for at, number in enumerate(account.tolist()):
        wrote[number].append(at)
    groups = [[at for number in group for at in wrote[number]] for group in components(shape[0], pairs)]
    return Answer(large(groups, corpus))


# Peers, in environments of their own


def _peer(name: str, **options: Any) -> Tool:
    def run(corpus: Corpus, settings: Settings) -> Answer:
        peer = Peer.named(name, settings.envs, settings.cache)
        numbers = _numbers(corpus)
        rows = [
            {"text": row.text, "author": int(number), "time": row.time, "language": corpus.language}
            for row, number in zip(corpus.rows, numbers, strict=True)
        ]
        answer = peer.ask({"rows": rows, **options})
        wrote = defaultdict(list)
        for at, number in enumerate(numbers.tolist()):
            wrote[number].append(at)
        pairs = [tuple(pair) for pair in answer.get("texts", [])]
        groups = components(len(rows), pairs)
        of_accounts = components(int(numbers.max()) + 1, [tuple(pair) for pair in answer.get("accounts", [])])
        groups += [[at for number in group for at in wrote[number]] for group in of_accounts]
        return Answer(large(groups, corpus))

    return run


TOOLS: dict[str, Tool] = {
    "klero": klero,
    "klero-use": klero_use,
    "klero-text": klero_text,
    "klero-core": klero_core,
    "klero-core-use": klero_core_use,
    "near-0.8": lambda corpus, settings: near(corpus, 0.8, 3),
    "near-2gram": lambda corpus, settings: near(corpus, 0.3, 2),
    "percentile-text": percentile_text,
    "percentile-time": percentile_time,
    "astrodetection": _peer("astrodetection"),
    "cnt-1min": _peer("cnt", window=60),
    "cnt-6h": _peer("cnt", window=6 * 3600),
}


def tool(name: str) -> Tool:
    """One of the table, or `FILE.py:FUNCTION`."""
    if name in TOOLS:
        return TOOLS[name]
    file, _, function = name.partition(":")
    if not file.endswith(".py") or not function:
        raise ValueError(f"no tool {name!r}: {', '.join(TOOLS)}, or FILE.py:FUNCTION")
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    if spec is None or spec.loader is None:
        raise ValueError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Tool = getattr(module, function)
    return found
