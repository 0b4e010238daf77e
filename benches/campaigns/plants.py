"""Campaigns planted in real consultations: who is in them is known.

    from corpora import load, replicate
    from plants import plant
    corpus, truth = plant(replicate(load("repnum"), seed=7), "mail-merge", size=40, seed=7, when="burst")

- **copies**: copies of one text, a share of the words of each replaced, left out, added or exchanged with the next: `edits`, as 0.1, or (0.0, 0.15) for
  any share between. The text is one that a person wrote in the corpus (15 to 200 words; 8 or more where half of the texts have fewer than 15).
- **mail-merge**: a template drawn from `letters.py`, its slots filled, its sentences shuffled, some left out; `ways`: «close» (2 or 3 a slot), «usual»
  (2 to 4), «wide» (3 to 6). Where half of the texts have fewer than 25 words, a letter has one to three sentences of such a template.
- **paraphrase**: texts that a language model wrote on purpose, all of one message that people argue about there too: free software (repnum,
  `llm_paraphrase_fr`), hospitals (granddebat), cycle lanes (madrid), traffic lights (Bowling Green); 40 each, the last three in `stock/paraphrases-*.txt`.
- **votes**: accounts that vote by one script. `script="list"`: all are told the same 30 items, of which they leave out `skipped` (0.1) and vote
  `deviations` (0.05) as anybody votes, beside 0 to 10 items of their own; «opinion»: all hold one opinion on everything, and each votes on other
  items, as many as people do.
- **mixed**: one message in three ways: half mail-merge; a quarter copies of one of these letters, 0 to 15 % edited and disguised once; a quarter one
  or two of its sentences after a sentence of the person's own.
- **adversarial**: copies (10 % edits) or, with `base="mail-merge"`, letters, each with one to three disguises: slips of typing, another register
  (careless or formal), signs that nobody sees, letters of another alphabet that look alike.

Where: `question="one"` puts all under one question (that of the text that was taken; for a paraphrase, one whose title speaks of its message; else one
with ten rows or more; drawn by number of rows); «spread» puts each under any of these; any other word is a question's name.
When: `when="organic"`, each at a time at which some row of its question was written, give or take half an hour; «burst», all within `hours` (6),
beginning at such a time; «drip», at even distances over all the time its question was open, each up to 5 % of the distance early or late.
All have one stance, drawn from the question's rows (paraphrases in repnum: for), and each a new account, named as the platform names its accounts.

What is planted is at least as hard as its name: a copied text leaves the corpus, so that nothing but the copies shows it; words that are put in are
words of the corpus, by frequency; a template's topic is the corpus' own; rows stand in the order of times. A tool must not read a meaning into names
and ids. Everything is a function of the corpus, the kind, the options and the seed; the same seed gives the same texts at other times.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import letters
import numpy as np
import opinions
from corpora import Corpus, Row, Vote, data_folder, generator, tidy
from disguises import disguised, edited, grams, words_of

KINDS = ("copies", "mail-merge", "paraphrase", "votes", "mixed", "adversarial")
SIZES = (5, 10, 20, 40, 100)
HALF_HOUR = 1800.0


@dataclass(frozen=True)
class Planted:
    """One group that truly depends on one source.

    Attributes:
        kind: as asked for.
        members: ids of its rows (empty for accounts that only vote).
        accounts: their accounts.
        options: how it was made.
        declared: it says itself that it is a common text (a petition): to be reported as identical text, and as nothing else.
    """

    kind: str
    members: tuple[str, ...]
    accounts: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)
    declared: bool = False


@dataclass(frozen=True)
class Truth:
    """What was done to a corpus.

    Attributes:
        campaigns: what was planted; everything else is organic.
        changed: ids of organic rows that a control added or moved.
        taken: ids of rows that left the corpus because their text was copied.
        note: the control's name, '' if there is none.
    """

    campaigns: tuple[Planted, ...] = ()
    changed: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    note: str = ""

    @property
    def sources(self) -> int:
        """Voices that the campaigns are worth if each is one."""
        return len(self.campaigns)


def plant(
    corpus: Corpus,
    kind: str,
    size: int,
    seed: int,
    *,
    when: str = "organic",
    hours: float = 6.0,
    question: str = "one",
    edits: float | tuple[float, float] = (0.0, 0.15),
    ways: str = "usual",
    base: str = "copies",
    letter: str | None = None,
    script: str = "list",
    deviations: float = 0.05,
    skipped: float = 0.1,
    truth: Truth | None = None,
) -> tuple[Corpus, Truth]:
    """The corpus with one campaign more, and the truth with it (see the top of this file); `truth`: what was planted before."""
    known = truth or Truth()
    random = generator(seed, "plant", corpus.name, kind, size, len(known.campaigns))
    if kind not in KINDS:
        raise ValueError(f"no kind {kind!r}: {', '.join(KINDS)}")
    if kind == "votes":
        options: dict[str, object] = {"script": script, "deviations": deviations, "skipped": skipped}
        grown, accounts = _vote(corpus, size, random, script, deviations, skipped)
        return grown, replace(known, campaigns=(*known.campaigns, Planted(kind, (), accounts, options)))
    options = {"when": when, "question": question}
    of_copies = kind == "copies" or (kind == "adversarial" and base == "copies")
    taken: Row | None = None
    if of_copies:
        share = 0.1 if kind == "adversarial" else edits
        options["edits"] = share
        taken = seed_row(corpus, random)
        corpus = replace(corpus, rows=tuple(row for row in corpus.rows if row.id != taken.id))
        texts = copies(taken.text, share, size, corpus, random)
    elif kind == "paraphrase":
        texts = _paraphrases(corpus, size, random)
    else:
        options["ways"] = ways
        named = letter or letters.letter_for(corpus.name, corpus.language)
        of = letters.template(named, random, ways=ways, brief=brief(corpus))
        texts = [letters.merged(of, random) for _ in range(size)]
        if kind == "mixed":
            texts = _mixed(texts, of, corpus, random)
    if kind == "adversarial":
        options["base"] = base
        texts = [disguised(text, random, corpus.language) for text in texts]
    questions = _questions(corpus, size, random, question, taken, kind)
    times = times_of(corpus, questions, random, when, hours)
    stance = (
        "for" if kind == "paraphrase" and corpus.name == "repnum" else _stance(corpus, questions[0], random)
    )
    grown, planted = added(corpus, texts, times, questions, [stance] * size, random)
    one = Planted(kind, tuple(row.id for row in planted), tuple(str(row.author) for row in planted), options)
    return grown, replace(
        known,
        campaigns=(*known.campaigns, one),
        taken=known.taken + ((taken.id,) if taken else ()),
    )


# Texts


def brief(corpus: Corpus) -> bool:
    """Whether people write a sentence or two."""
    return float(np.median([len(words_of(row.text)) for row in corpus.rows])) < 25


def seed_row(corpus: Corpus, random: np.random.Generator) -> Row:
    """A row whose text nobody else in the corpus shares: less than a tenth of its runs of three words are in any other."""
    lengths = sorted(len(words_of(row.text)) for row in corpus.rows)
    least = 15 if lengths[len(lengths) // 2] >= 15 else 8
    fit = [row for row in corpus.rows if least <= len(words_of(row.text)) <= 200]
    for at in random.permutation(len(fit)).tolist():
        own = grams(fit[at].text)
        if not any(
            len(own & grams(row.text)) >= 0.1 * len(own) for row in corpus.rows if row.id != fit[at].id
        ):
            return fit[at]
    raise ValueError(f"no text of {corpus.name} is fit to be copied")


def copies(
    text: str, share: float | tuple[float, float], size: int, corpus: Corpus, random: np.random.Generator
) -> list[str]:
    """Copies with this share of words edited, words of the corpus put in."""
    vocabulary = [token for row in corpus.rows for token in row.text.split()]
    bounds = share if isinstance(share, tuple) else (share, share)
    return [edited(text, float(random.uniform(*bounds)), vocabulary, random) for _ in range(size)]


# Where paraphrases go: their file, and what the title of a question says that is about their message.
_MESSAGES = {
    "repnum": ("llm_paraphrase_fr", r"logiciels?\s+libres?"),
    "granddebat": ("paraphrases-fr-sante.txt", r"payer plus d'impôts"),
    "madrid": ("paraphrases-es-bici.txt", r"carril bicicleta"),
    "polis:american-assembly.bowling-green": ("paraphrases-en-lights.txt", ""),
}


@cache
def _written_by_a_model(name: str) -> tuple[str, ...]:
    ours = Path(__file__).parent / "stock" / name
    file = ours if ours.is_file() else data_folder() / name / "campaign.txt"
    return tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())


def _paraphrases(corpus: Corpus, size: int, random: np.random.Generator) -> list[str]:
    if corpus.name not in _MESSAGES:
        raise ValueError(
            f"paraphrases are in {', '.join(_MESSAGES)}: elsewhere nobody speaks of their messages"
        )
    lines = _written_by_a_model(_MESSAGES[corpus.name][0])
    if size > len(lines):
        raise ValueError(f"at most {len(lines)} paraphrases")
    return [lines[at] for at in random.permutation(len(lines))[:size]]


def _mixed(texts: list[str], of: letters.Template, corpus: Corpus, random: np.random.Generator) -> list[str]:
    """Of letters: half as they are, a quarter copies of the first, a quarter shortened and with a sentence of one's own."""
    half, quarter = (len(texts) + 1) // 2, len(texts) // 4
    kept = texts[:half]
    near = copies(texts[0], (0.0, 0.15), quarter, corpus, random)
    kept += [disguised(text, random, corpus.language, most=1) for text in near]
    while len(kept) < len(texts):
        chosen = random.permutation(len(of.body))[: int(random.integers(1, 3))]
        parts = [letters.said(of.body[at], random) for at in chosen]
        kept.append(" ".join([opinions.idea(corpus.language, random) + ".", *parts]))
    return kept


# Places and times


def _questions(
    corpus: Corpus, size: int, random: np.random.Generator, where: str, taken: Row | None, kind: str
) -> list[str]:
    rows = Counter(row.question for row in corpus.rows)
    if kind == "paraphrase":
        about = re.compile(_MESSAGES[corpus.name][1], re.IGNORECASE)
        rows = Counter({name: rows[name] for name in rows if about.search(corpus.titles.get(name, ""))})
    if where not in ("one", "spread"):
        return [where] * size
    if where == "one" and taken is not None:
        return [taken.question] * size
    if where == "one":
        large = {name: count for name, count in rows.items() if count >= 10} or rows
        rows = Counter(large)
    names = sorted(rows)
    weights = np.array([rows[name] for name in names], float)
    drawn = random.choice(len(names), size=1 if where == "one" else size, p=weights / weights.sum())
    return [names[at] for at in drawn] * (size if where == "one" else 1)


def _stance(corpus: Corpus, question: str, random: np.random.Generator) -> str:
    given = [row.stance for row in corpus.rows if row.question == question] or [
        row.stance for row in corpus.rows
    ]
    return given[int(random.integers(len(given)))]


def moments(corpus: Corpus, questions: Iterable[str]) -> list[float]:
    """When rows of these questions were written; of all, where that are fewer than five."""
    asked = set(questions)
    known = [row.time for row in corpus.rows if row.time is not None]
    mine = [row.time for row in corpus.rows if row.time is not None and row.question in asked]
    return mine if len(mine) >= 5 else known


def organic_times(
    corpus: Corpus, questions: Sequence[str], random: np.random.Generator
) -> list[float | None]:
    """For each of these questions, a time at which one of its rows was written, give or take half an hour, never outside of its span."""
    pools = {name: moments(corpus, [name]) for name in set(questions)}
    times: list[float | None] = []
    for name in questions:
        pool = pools[name]
        if not pool:
            times.append(None)
            continue
        moved = pool[int(random.integers(len(pool)))] + random.uniform(-HALF_HOUR, HALF_HOUR)
        times.append(float(np.clip(moved, min(pool), max(pool))))
    return times


def times_of(
    corpus: Corpus, questions: Sequence[str], random: np.random.Generator, when: str, hours: float
) -> list[float | None]:
    """See the top of this file."""
    known = moments(corpus, questions)
    if when == "organic" or not known:
        return organic_times(corpus, questions, random)
    first, last, size = min(known), max(known), len(questions)
    if when == "burst":
        start = min(known[int(random.integers(len(known)))], last - 3600 * hours)
        return list(np.sort(start + random.uniform(0, 3600 * hours, size)))
    if when == "drip":
        gap = (last - first) / size
        phase = random.uniform(0.05, 0.95) * gap
        return list(first + phase + gap * (np.arange(size) + random.uniform(-0.05, 0.05, size)))
    raise ValueError(f"no time {when!r}: organic, burst, drip")


# Rows and accounts


def _fresh(names: Sequence[str], count: int, random: np.random.Generator) -> list[str]:
    """Names like these that none of them has: numbers go on with gaps, keys have as many letters."""
    numbers = [re.fullmatch(r"(\D*)(\d+)", name) for name in names]
    if names and all(numbers):
        most = max(int(match[2]) for match in numbers if match)
        prefix = Counter(match[1] for match in numbers if match).most_common(1)[0][0]
        steps = np.cumsum(random.integers(1, 4, count))
        return [f"{prefix}{most + int(step)}" for step in steps]
    found: list[str] = []
    used = set(names)
    while len(found) < count:
        name = f"u_{int(random.integers(16**12)):012x}"
        if name not in used:
            used.add(name)
            found.append(name)
    return found


def new_accounts(corpus: Corpus, count: int, random: np.random.Generator) -> list[str]:
    """Names of accounts that are not in the corpus yet."""
    names = {row.author for row in corpus.rows if row.author is not None} | {
        vote.voter for vote in corpus.votes
    }
    return _fresh(sorted(names), count, random)


def added(
    corpus: Corpus,
    texts: Sequence[str],
    times: Sequence[float | None],
    questions: Sequence[str],
    stances: Sequence[str],
    random: np.random.Generator,
) -> tuple[Corpus, list[Row]]:
    """The corpus with these rows, each of a new account, and the rows."""
    items = [row.id for row in corpus.rows] + [vote.item for vote in corpus.votes]
    ids = _fresh(sorted(set(items)), len(texts), random)
    accounts = new_accounts(corpus, len(texts), random)
    order = random.permutation(
        len(texts)
    )  # ids and accounts say nothing of the order in which texts were made
    rows = [
        Row(ids[at], text, accounts[at], time, question, stance)
        for at, text, time, question, stance in zip(order, texts, times, questions, stances, strict=True)
    ]
    return tidy([*corpus.rows, *rows], corpus), rows


def _vote(
    corpus: Corpus, size: int, random: np.random.Generator, script: str, deviations: float, skipped: float
) -> tuple[Corpus, tuple[str, ...]]:
    """Accounts that follow a script; see the top of this file."""
    of: dict[str, dict[str, int]] = defaultdict(dict)
    cast: dict[str, list[int]] = defaultdict(list)
    for vote in corpus.votes:
        of[vote.voter][vote.item] = vote.value
        cast[vote.item].append(vote.value)
    models = sorted(voter for voter, votes in of.items() if len(votes) >= 20)
    if not models:
        raise ValueError(f"{corpus.name} has no voter with 20 votes to write a script from")
    model = of[models[int(random.integers(len(models)))]]
    accounts = new_accounts(corpus, size, random)
    items = sorted(cast)
    counts = sorted(len(votes) for votes in of.values() if len(votes) >= 10)
    told = _told(script, model, of, items, random)
    popular = np.array([len(cast[item]) for item in items], float)
    new = []

    def anybody(item: str) -> int:
        return cast[item][int(random.integers(len(cast[item])))]

    for account in accounts:
        if script == "list":
            mine = [item for item in told if random.random() >= skipped]
            others = [item for item in items if item not in told]
            own = [others[at] for at in random.permutation(len(others))[: int(random.integers(0, 11))]]
        else:
            count = min(counts[int(random.integers(len(counts)))], len(items))
            drawn = random.choice(len(items), size=count, replace=False, p=popular / popular.sum())
            mine, own = [items[at] for at in sorted(drawn)], []
        new += [
            Vote(account, item, anybody(item) if random.random() < deviations else told[item])
            for item in mine
        ]
        new += [Vote(account, item, anybody(item)) for item in own]
    return replace(corpus, votes=tuple(sorted((*corpus.votes, *new)))), tuple(accounts)


def _told(
    script: str,
    model: Mapping[str, int],
    of: Mapping[str, Mapping[str, int]],
    items: Sequence[str],
    random: np.random.Generator,
) -> dict[str, int]:
    """What the script says: 30 of a real person's votes, a fifth drawn anew; or everything, completed as those vote who agree with that person."""
    if script == "list":
        mine = sorted(model)
        chosen = sorted(mine[at] for at in random.permutation(len(mine))[:30])
        anew = {chosen[at] for at in random.permutation(len(chosen))[: len(chosen) // 5]}
        return {item: int(random.choice([-1, 1])) if item in anew else model[item] for item in chosen}
    if script != "opinion":
        raise ValueError(f"no script {script!r}: list, opinion")
    alike = []
    for voter in sorted(of):
        both = [item for item in of[voter] if item in model]
        if len(both) >= 5 and sum(of[voter][item] == model[item] for item in both) >= 0.7 * len(both):
            alike.append(of[voter])
    told = {}
    for item in items:
        leaning = sum(votes.get(item, 0) for votes in alike)
        told[item] = model.get(item, (leaning > 0) - (leaning < 0) or int(random.choice([-1, 1])))
    return told
