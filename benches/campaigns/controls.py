"""Consultations in which nobody hides anything: what a detector must leave alone, or report without suspicion.

    from controls import control
    corpus, truth = control(replicate(load("granddebat"), seed=7), "school-class", seed=7)

- **organic**: nothing happens.
- **short-answers**: `size` (60) new people give the commonest short answers of one question (1 to 4 words), with and without capitals, accents, full stop.
- **news-burst**: `size` (60) organic rows by different people, of one question or (where there is one alone) with one word that many use, move into
  `hours` (5).
- **deadline-rush**: `share` (0.4) of all rows move into the last two days, ever more towards the end.
- **school-class**: `size` (25) pupils with new accounts answer one assignment under one question within an hour, from `opinions.py`; where texts are
  long and English, essays of real pupils on one assignment (Hewlett, 88), unless `texts="stock"`.
- **school-class-real**: that many people's real texts of one question, their first two sentences, some after «I think that», within an hour.
- **petition**: `size` (40) people send a common text that says it is one, each with sentences of their own before or after it, over days.
- **polished**: essays by different people; those of one set were polished, simplified or rewritten by a language model: TOEFL essays (91), essays of
  pupils (88), abstracts (145). A corpus of its own, `size` (60) of each set. College essays that a model wrote whole on one order are not used:
  some would call that one source.

Right is: no group; of the petition, one group of identical text, and no word of fraud. `Truth.changed` has the rows that a control added or moved,
`Truth.campaigns` the petition.
"""

from __future__ import annotations

import csv
import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import opinions
from corpora import Corpus, Row, Vote, data_folder, generator, tidy
from disguises import words_of
from plants import Planted, Truth, added, brief, moments, organic_times

KINDS = (
    "organic",
    "short-answers",
    "news-burst",
    "deadline-rush",
    "school-class",
    "school-class-real",
    "petition",
    "polished",
)
DAY = 86_400.0
_START = 1_420_070_400.0  # 2015-01-01, for corpora without times of their own

PETITIONS = {
    path.stem.removeprefix("petition-"): path.read_text(encoding="utf-8").strip()
    for path in sorted((Path(__file__).parent / "stock").glob("petition-*.txt"))
}
_COMMON = {
    "fr": ["tout à fait d'accord", "oui", "je suis pour", "bonne idée"],
    "es": ["totalmente de acuerdo", "sí", "buena idea", "a favor"],
}
_COMMON_ELSEWHERE = ["I agree", "yes", "good idea", "fully agree"]


def control(
    corpus: Corpus, kind: str, seed: int, *, size: int | None = None, **options: object
) -> tuple[Corpus, Truth]:
    """The corpus as such a day would leave it, and what is true of it."""
    if kind not in KINDS:
        raise ValueError(f"no control {kind!r}: {', '.join(KINDS)}")
    random = generator(seed, "control", corpus.name, kind)
    if kind == "organic":
        return corpus, Truth(note=kind)
    grown, truth = _WAYS[kind](corpus, random, size, options)
    return grown, replace(truth, note=kind)


def _where_many(corpus: Corpus, random: np.random.Generator, least: int) -> str:
    """A question by its number of rows, with this many of them if any has."""
    rows = Counter(row.question for row in corpus.rows)
    fit = {name: count for name, count in rows.items() if count >= least} or dict(rows.most_common(1))
    names = sorted(fit)
    weights = np.array([fit[name] for name in names], float)
    return names[int(random.choice(len(names), p=weights / weights.sum()))]


def _one_each(rows: list[Row]) -> list[Row]:
    """The first row of each author."""
    seen: dict[str, Row] = {}
    for row in rows:
        seen.setdefault(row.author if row.author is not None else "\0" + row.id, row)
    return list(seen.values())


def _start(corpus: Corpus, questions: Iterable[str], random: np.random.Generator, seconds: float) -> float:
    """A moment at which one of these questions was written to."""
    known = moments(corpus, questions)
    if not known:
        return _START
    return min(known[int(random.integers(len(known)))], max(known) - seconds)


def _ids(rows: list[Row]) -> tuple[str, ...]:
    return tuple(row.id for row in rows)


def _short_answers(
    corpus: Corpus, random: np.random.Generator, size: int | None, options: dict[str, object]
) -> tuple[Corpus, Truth]:
    count = size or 60
    question = _where_many(corpus, random, 20)
    short = Counter(
        " ".join(words_of(row.text))
        for row in corpus.rows
        if row.question == question and 1 <= len(words_of(row.text)) <= 4
    )
    said = [text for text, times in short.most_common(6) if times >= 2]
    said = said or _COMMON.get(corpus.language, _COMMON_ELSEWHERE)
    weights = 1.0 / np.arange(1, len(said) + 1)
    texts = []
    for at in random.choice(len(said), size=count, p=weights / weights.sum()):
        text = said[at]
        if random.random() < 0.6:
            text = text[:1].upper() + text[1:]
        if random.random() < 0.2:
            text = "".join(
                sign for sign in unicodedata.normalize("NFD", text) if not unicodedata.combining(sign)
            )
        texts.append(text + str(random.choice(["", "", ".", " ", " !"])))
    stances = [row.stance for row in corpus.rows if row.question == question]
    drawn = [stances[at] for at in random.integers(len(stances), size=count)]
    grown, rows = added(
        corpus, texts, organic_times(corpus, [question] * count, random), [question] * count, drawn, random
    )
    return grown, Truth(changed=_ids(rows))


def _topic(corpus: Corpus, random: np.random.Generator, count: int) -> list[Row]:
    """Rows by different people on one topic: one question, or one word of six letters or more that 2 to 10 % of the rows use."""
    by_question = defaultdict(list)
    for row in corpus.rows:
        by_question[row.question].append(row)
    fit = sorted(name for name, rows in by_question.items() if len(_one_each(rows)) >= count)
    if fit and len(by_question) > 1:
        return _one_each(by_question[fit[int(random.integers(len(fit)))]])
    users = defaultdict(list)
    for row in corpus.rows:
        for word in set(words_of(row.text)):
            if len(word) >= 6:
                users[word].append(row)
    share = {word: len(rows) / len(corpus.rows) for word, rows in users.items()}
    words = sorted(
        word for word in users if 0.02 <= share[word] <= 0.1 and len(_one_each(users[word])) >= count
    )
    if not words:
        words = sorted(users, key=lambda word: (-len(_one_each(users[word])), word))[:5]
    return _one_each(users[words[int(random.integers(len(words)))]])


def _news_burst(
    corpus: Corpus, random: np.random.Generator, size: int | None, options: dict[str, object]
) -> tuple[Corpus, Truth]:
    count = size or 60
    rows = _topic(corpus, random, min(count, 20))
    moved = [rows[at] for at in random.permutation(len(rows))[:count]]
    seconds = 3600.0 * float(str(options.get("hours", 5)))
    start = _start(corpus, {row.question for row in moved}, random, seconds)
    # Most come soon after the news: an exponential of a third of the window, cut at its end.
    delays = np.minimum(
        random.exponential(seconds / 3, len(moved)), seconds * random.uniform(0.9, 1.0, len(moved))
    )
    times = {row.id: start + float(delay) for row, delay in zip(moved, delays, strict=True)}
    return _at(corpus, times), Truth(changed=_ids(moved))


def _at(corpus: Corpus, times: dict[str, float]) -> Corpus:
    return tidy([row._replace(time=times[row.id]) if row.id in times else row for row in corpus.rows], corpus)


def _deadline_rush(
    corpus: Corpus, random: np.random.Generator, size: int | None, options: dict[str, object]
) -> tuple[Corpus, Truth]:
    known = [row for row in corpus.rows if row.time is not None]
    count = size or round(float(str(options.get("share", 0.4))) * len(known))
    moved = [known[at] for at in random.permutation(len(known))[:count]]
    last = max((row.time or 0.0) for row in known) if known else _START
    before = np.minimum(random.exponential(0.5 * DAY, len(moved)), 2 * DAY)
    times = {row.id: last - float(gap) for row, gap in zip(moved, before, strict=True)}
    return _at(corpus, times), Truth(changed=_ids(moved))


def _class(
    corpus: Corpus, texts: list[str], random: np.random.Generator, question: str
) -> tuple[Corpus, Truth]:
    start = _start(corpus, [question], random, 3600.0)
    times: list[float | None] = list(start + random.uniform(600.0, 3600.0, len(texts)))
    stances = [row.stance for row in corpus.rows if row.question == question] or [""]
    drawn = [stances[at] for at in random.integers(len(stances), size=len(texts))]
    grown, rows = added(corpus, texts, times, [question] * len(texts), drawn, random)
    return grown, Truth(changed=_ids(rows))


def _school_class(
    corpus: Corpus, random: np.random.Generator, size: int | None, options: dict[str, object]
) -> tuple[Corpus, Truth]:
    count = size or 25
    long = not brief(corpus)
    if corpus.language == "en" and long and options.get("texts") != "stock":
        there = {row.text for row in corpus.rows}
        essays_of_pupils = [
            cell["text"] for cell in _essays(data_folder()) if cell["set"] == "HewlettStudentEssay_real_88"
        ]
        real = [text for text in essays_of_pupils if text not in there]
        if len(real) < count:
            raise ValueError(f"{corpus.name} has the essays of pupils already")
        texts = [real[at] for at in random.permutation(len(real))[:count]]
    else:
        if corpus.language not in opinions.IDEAS:
            raise ValueError(f"no class in «{corpus.language}»")
        texts = opinions.opinions(corpus.language, random, count, (1, 3) if long else (1, 1))
    return _class(corpus, texts, random, _where_many(corpus, random, 10))


def _school_class_real(
    corpus: Corpus, random: np.random.Generator, size: int | None, options: dict[str, object]
) -> tuple[Corpus, Truth]:
    count = size or 25
    question = _where_many(corpus, random, count)
    rows = [
        row
        for row in _one_each([row for row in corpus.rows if row.question == question])
        if len(words_of(row.text)) >= 8
    ]
    chosen = [rows[at] for at in random.permutation(len(rows))[:count]]
    begin = {"fr": "Je pense que", "es": "Yo pienso que", "de": "Ich denke,"}.get(
        corpus.language, "I think that"
    )
    texts = []
    for row in chosen:
        text = " ".join(re.split(r"(?<=[.!?])\s+", row.text.strip())[:2])
        texts.append(f"{begin} {text[:1].lower()}{text[1:]}" if random.random() < 0.4 else text)
    gone = set(_ids(chosen))  # they are the same texts: nobody wrote them twice
    left = replace(corpus, rows=tuple(row for row in corpus.rows if row.id not in gone))
    grown, truth = _class(left, texts, random, question)
    return grown, replace(truth, taken=tuple(sorted(gone)))


def _petition(
    corpus: Corpus, random: np.random.Generator, size: int | None, options: dict[str, object]
) -> tuple[Corpus, Truth]:
    count = size or 40
    if corpus.language not in PETITIONS:
        raise ValueError(f"no petition in «{corpus.language}»")
    common = PETITIONS[corpus.language]
    question = _where_many(corpus, random, 10)
    texts = []
    for _ in range(count):
        own = _own_sentence(corpus, random)
        texts.append(f"{own} {common}" if random.random() < 0.3 else f"{common} {own}")
    known = moments(corpus, [question])
    times: list[float | None] = [None] * count
    if known:
        span = max(known) - min(known)
        start = min(known) + random.uniform(0, 0.7) * span
        times = list(np.minimum(start + random.exponential(0.1 * span, count), max(known)))
    grown, rows = added(
        corpus, texts, times, [question] * count, ["for" if _has_stance(corpus) else ""] * count, random
    )
    accounts = tuple(str(row.author) for row in rows)
    return grown, Truth(campaigns=(Planted("petition", _ids(rows), accounts, {}, declared=True),))


def _has_stance(corpus: Corpus) -> bool:
    return any(row.stance for row in corpus.rows)


def _own_sentence(corpus: Corpus, random: np.random.Generator) -> str:
    """Two ideas of the stock, so that hardly two people add the same."""
    if corpus.language not in opinions.IDEAS:
        row = corpus.rows[int(random.integers(len(corpus.rows)))]
        return " ".join(row.text.split()[:12]) + "."
    return f"{opinions.idea(corpus.language, random)}. {opinions.idea(corpus.language, random)}."


# Corpora that are made, or are no consultation


def _essays(home: Path) -> list[dict[str, str]]:
    with (home / "detector_bias_essays" / "essays.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _diurnal(count: int, days: float, random: np.random.Generator) -> np.ndarray:
    """Times over so many days, three quarters of them between 8 and 23 hours, more at the beginning and the end."""
    day = np.floor(random.beta(0.7, 0.7, count) * days)
    waking = random.random(count) < 0.75
    hour = np.where(waking, random.uniform(8, 23, count), random.uniform(0, 24, count))
    return np.asarray(_START + DAY * day + 3600 * hour)


def essays(home: Path, which: str, polished: tuple[str, ...] = ()) -> Corpus:
    """Essays as contributions, a set a question: those by people; sets named in `polished` stand in for those of the people whose texts they are."""
    known = _essays(home)
    random = generator(0, "essays", which)
    replaced = {_ORIGINAL[name] for name in polished}
    rows = [
        cell
        for cell in known
        if cell["set"] in polished or (cell["kind"] == "human" and cell["set"] not in replaced)
    ]
    times = _diurnal(len(rows), 30, random)
    made_rows = [
        Row(
            f"e{at}",
            cell["text"],
            f"u_{int(random.integers(16**12)):012x}",
            float(time),
            cell["set"].partition("_")[0],
        )
        for at, (cell, time) in enumerate(zip(rows, times, strict=True))
    ]
    return tidy(made_rows, Corpus("essays" if not polished else "polished", "en", ()))


_ORIGINAL = {
    "TOEFL_gpt4polished_91": "TOEFL_real_91",
    "HewlettStudentEssay_GPTsimplify_88": "HewlettStudentEssay_real_88",
    "CS224N_gpt3_145": "CS224N_real_145",
}


def _polished(
    corpus: Corpus, random: np.random.Generator, size: int | None, options: dict[str, object]
) -> tuple[Corpus, Truth]:
    which = str(options.get("which") or sorted(_ORIGINAL)[int(random.integers(len(_ORIGINAL)))])
    whole = essays(data_folder(), "polished", (which,))
    count = size or 60
    question = which.partition("_")[0]
    rows = []
    for name in sorted({row.question for row in whole.rows}):
        of = [row for row in whole.rows if row.question == name]
        rows += [of[at] for at in random.permutation(len(of))[:count]]
    return tidy(rows, whole), Truth(changed=_ids([row for row in rows if row.question == question]))


def _babble(random: np.random.Generator) -> str:
    """15 to 45 words of no language, some often and some hardly ever."""
    words = []
    for number in (
        np.exp(random.uniform(0, math.log(4000), int(random.integers(15, 46)))).astype(int).tolist()
    ):
        word = ""
        while number:
            number, syllable = divmod(number, 60)
            word += "bdfglmnprstv"[syllable % 12] + "aeiou"[syllable // 12]
        words.append(word)
    return " ".join(words).capitalize() + "."


def made(seed: int) -> Corpus:
    """A small consultation from the stock of opinions, with votes: for rehearsals and tests, where no data is at hand. 240 people, 3 questions, 20 days."""
    random = generator(seed, "made")
    times = np.sort(_diurnal(240, 20, random))
    rows = []
    for at, time in enumerate(times):
        text = _babble(random) if random.random() < 0.7 else opinions.opinion("fr", random)
        stance = "for" if random.random() < 0.6 else "against"
        rows.append(Row(f"m{at}", text, f"p{at}", float(time), f"q{at % 3}", stance))
    camps = random.choice([-1, 1], size=(2, 30))
    votes = []
    for voter in range(80):
        camp = camps[voter % 2]
        for item in random.permutation(30)[: int(random.integers(10, 28))]:
            value = int(camp[item]) if random.random() < 0.8 else int(random.integers(-1, 2))
            votes.append(Vote(f"p{voter}", f"m{item}", value))
    return replace(tidy(rows, Corpus("made", "fr", ())), votes=tuple(sorted(votes)))


_WAYS = {
    "short-answers": _short_answers,
    "news-burst": _news_burst,
    "deadline-rush": _deadline_rush,
    "school-class": _school_class,
    "school-class-real": _school_class_real,
    "petition": _petition,
    "polished": _polished,
}
