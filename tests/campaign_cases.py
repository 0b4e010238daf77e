"""Small consultations, candidates, channels and results, made by hand and slowly: for tests of each part of `klero.campaigns` without the others.

    consultation_of(texts, authors=…, times=…)   a `Consultation`, in canonical order
    planted()                                    one with ordinary texts and a mail-merge letter by several people in one hour
    candidate_of(c, ids) / channel_of / campaign_of / campaigns_of
    example()                                    a whole `Campaigns`: two groups for review (a letter, a group of voters) and one that is not

Everything here is deterministic. Ids of contributions are texts «a1», «a2», … unless others are given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np

from klero import _native
from klero.campaigns.model import Candidate, Channel, ChannelName, Consultation, Interval, Kind, Null, Votes
from klero.campaigns.result import Campaign, Campaigns, DetectionLimit, Sensitivity

Id = int | str
HOUR = 3600.0
START = 1_772_000_000.0
"""2026-02-25 06:13:20 UTC."""

_SUBJECTS = [
    "bus",
    "tram",
    "école",
    "forêt",
    "cantine",
    "piscine",
    "marché",
    "rivière",
    "musée",
    "gare",
    "stade",
    "quai",
    "parc",
    "place",
    "halle",
]
_VERBS = [
    "améliorer",
    "fermer",
    "ouvrir",
    "agrandir",
    "protéger",
    "rénover",
    "surveiller",
    "financer",
    "déplacer",
    "repenser",
]
_PLACES = ["nord", "sud", "centre", "faubourg", "plateau", "vallon", "canal", "coteau", "hameau", "pont"]
_REASONS = (
    "parce que mes enfants y vont chaque matin",
    "car le bruit devient insupportable la nuit",
    "et il faudrait demander leur avis aux voisins",
    "même si cela coûte un peu plus cher",
    "sinon les commerces vont disparaître un à un",
    "comme cela se fait déjà dans la ville d'à côté",
    "pour que les anciens puissent s'y rendre à pied",
    "avant que la chaleur de l'été ne revienne",
    "sans attendre les prochaines élections",
    "mais seulement après une vraie enquête publique",
)
_LETTER = (
    "Je demande au conseil de {verb} la ligne douze, dont {who} dépend pour aller {where} ; la fermeture du dépôt Mercier "
    "condamnerait trois quartiers entiers."
)
_WHO = ("ma famille", "mon fils", "notre atelier", "ma voisine", "mon équipe", "notre école")
_WHERE = ("au lycée", "à l'hôpital", "travailler", "au marché", "chez le médecin")
_KEEP = ("maintenir", "conserver", "garder", "préserver")


def organic_texts(count: int, seed: int = 0) -> list[str]:
    """Sentences of different people, no two the same, with words in common as people have."""
    random = np.random.default_rng(seed)
    found: dict[str, None] = {}
    while len(found) < count:
        subject, verb, place = (random.choice(words) for words in (_SUBJECTS, _VERBS, _PLACES))
        reason, other = random.choice(_REASONS, 2, replace=False)
        found[f"Il faut {verb} le {subject} du {place} {reason}, {other}."] = None
    return list(found)


def letters(count: int) -> list[str]:
    """A letter with three slots, filled otherwise by each."""
    return [
        _LETTER.format(
            verb=_KEEP[i % len(_KEEP)], who=_WHO[i % len(_WHO)], where=_WHERE[(i // 2) % len(_WHERE)]
        )
        for i in range(count)
    ]


def votes_of(triples: Sequence[tuple[str, str, int]]) -> Votes:
    """Votes from (voter, item, value); names in ascending order, rows by voter and item."""
    accounts = tuple(sorted({voter for voter, _, _ in triples}))
    items = tuple(sorted({item for _, item, _ in triples}))
    rows = sorted((accounts.index(v), items.index(i), value) for v, i, value in triples)
    columns = list(zip(*rows, strict=True)) if rows else [(), (), ()]
    return Votes(
        np.array(columns[0], np.int64),
        np.array(columns[1], np.int64),
        np.array(columns[2], np.int8),
        accounts,
        items,
    )


def consultation_of(
    texts: Sequence[str],
    *,
    ids: Sequence[Id] | None = None,
    authors: Sequence[str | None] | None = None,
    times: Sequence[float | None] | None = None,
    questions: Sequence[str | None] | None = None,
    stances: Sequence[str | None] | None = None,
    vectors: np.ndarray | None = None,
    votes: Votes | None = None,
    metadata: Mapping[str, Sequence[str | None]] | None = None,
    seed: int = 0,
) -> Consultation:
    """A consultation, its rows in canonical order. Without authors each text is by somebody else.

    `vectors`: a row for each text; they are centred and brought to unit length here.
    """
    n = len(texts)
    names: Sequence[Id] = [f"a{i + 1}" for i in range(n)] if ids is None else ids
    who = [None] * n if authors is None else list(authors)
    when = [np.nan if t is None else float(t) for t in times] if times is not None else [np.nan] * n
    asked = [None] * n if questions is None else list(questions)
    side = [None] * n if stances is None else list(stances)

    def key(row: int) -> tuple[str, str, float, str, str, str]:
        time = -np.inf if np.isnan(when[row]) else when[row]
        digest = hashlib.sha256(texts[row].encode()).hexdigest()
        return digest, who[row] or "", time, asked[row] or "", side[row] or "", str(names[row])

    order = sorted(range(n), key=key)
    author, accounts = _numbered([who[row] for row in order], own=True)
    question, known = _numbered([asked[row] for row in order])
    stance = {"for": 1, "against": -1, "neutral": 0, None: 2}
    unit = None
    if vectors is not None:
        moved = np.asarray(vectors, np.float64)[order]
        moved = moved - moved.mean(axis=0)
        lengths = np.linalg.norm(moved, axis=1, keepdims=True)
        unit = (moved / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return Consultation(
        ids=tuple(names[row] for row in order),
        texts=tuple(texts[row] for row in order),
        words=np.array([len(_native.text_fold(texts[row])) for row in order], np.int64),
        author=author,
        authors=tuple(accounts),
        question=question,
        questions=tuple(str(name) for name in known),
        stance=np.array([stance[side[row]] for row in order], np.int8),
        time=np.array([when[row] for row in order], np.float64),
        vectors=unit,
        votes=votes,
        metadata={
            name: _numbered([values[row] for row in order])[0] for name, values in (metadata or {}).items()
        },
        seed=seed,
    )


def _numbered(names: Sequence[str | None], *, own: bool = False) -> tuple[np.ndarray, list[str | None]]:
    """Numbers by first appearance; what has no name is -1, or has a number of its own."""
    known: dict[object, int] = {}
    told: list[str | None] = []
    numbers = []
    for row, name in enumerate(names):
        if name is None and not own:
            numbers.append(-1)
            continue
        entry: object = (row,) if name is None else name
        if entry not in known:
            known[entry] = len(told)
            told.append(name)
        numbers.append(known[entry])
    return np.array(numbers, np.int64), told


def planted(organic: int = 60, letter: int = 8, seed: int = 0, *, votes: bool = False) -> Consultation:
    """`organic` ordinary texts over ten days, «a1», …, and a letter by `letter` people within an hour of the fifth day, «z1», …

    Authors, times, two questions and stances are there; vectors of 16 numbers in which the letters are alike; with `votes` also votes on nine
    items by everybody, the letter's writers all alike.
    """
    random = np.random.default_rng(seed + 1)
    n = organic + letter
    authors = [f"p{i + 1:03}" for i in range(n)]
    times = [START + 240 * HOUR * float(u) for u in np.round(random.random(organic), 6)]
    times += [START + 100 * HOUR + 400.0 * i for i in range(letter)]
    vectors = random.standard_normal((n, 16))
    vectors[organic:] = 2 * np.eye(16)[3] + 0.1 * vectors[organic:]
    cast = random.integers(-1, 2, (n, 9))
    cast[organic:] = cast[organic : organic + 1]
    triples = [(authors[i], f"item{j}", int(cast[i, j])) for i in range(n) for j in range(9)]
    return consultation_of(
        organic_texts(organic, seed) + letters(letter),
        ids=[*(f"a{i + 1}" for i in range(organic)), *(f"z{i + 1}" for i in range(letter))],
        authors=authors,
        times=times,
        questions=[("transports", "écoles")[i % 2] for i in range(organic)] + ["transports"] * letter,
        stances=[("for", "against", None)[i % 3] for i in range(organic)] + ["against"] * letter,
        vectors=vectors,
        votes=votes_of(triples) if votes else None,
        seed=seed,
    )


def rows_of(c: Consultation, ids: Sequence[Id]) -> np.ndarray:
    """The rows of these ids, ascending."""
    return np.array(sorted(c.ids.index(one) for one in ids), np.int64)


def candidate_of(
    c: Consultation, ids: Sequence[Id], kind: Kind = "template", *, stratum: str = "all"
) -> Candidate:
    """A group of these contributions; the first of them is its centre."""
    rows = rows_of(c, ids)
    voices = len(set(c.author[rows].tolist()))
    return Candidate(rows, voices, c.ids.index(ids[0]), kind, stratum=stratum)


def voters_of(c: Consultation, accounts: Sequence[str]) -> Candidate:
    """A group of accounts that vote alike."""
    assert c.votes is not None
    numbers = np.array(sorted(c.votes.accounts.index(one) for one in accounts), np.int64)
    return Candidate(np.zeros(0, np.int64), len(numbers), -1, "votes", numbers)


def null_of(statistic: str = "shared-bits", observed: float = 9.0, exceed: int = 0, count: int = 999) -> Null:
    """A null of evenly spaced draws, of which `exceed` are at least as extreme as what was observed."""
    less = count - exceed
    draws = tuple(observed * (i / less if i < less else 1 + (i - less) / count) for i in range(count))
    return Null(statistic, observed, draws, count, exceed)


def channel_of(name: ChannelName, p: float | None = None, *, why_not: str = "", **details: object) -> Channel:
    """What a channel said; one that was not tested unless a p-value is given."""
    if p is None:
        return Channel(name, None, why_not=why_not or "not-asked")
    exceed = round(p * 1000) - 1 if p >= 0.001 else 0
    return Channel(name, p, {"strength": 3.5}, (null_of(exceed=exceed),), details=details)


def campaign_of(
    c: Consultation,
    candidate: Candidate,
    name: str = "C1",
    *,
    channels: Sequence[Channel] = (),
    p: float = 0.0004,
    adjusted: float | None = None,
    for_review: bool = True,
    rule: str = "two-strands",
    n_eff: tuple[float, float, float] | None = None,
    dependence: float = 0.9,
    **rest: object,
) -> Campaign:
    """A group that was tested, with members in ascending order of their ids."""
    told = channels or (channel_of("template", 0.0001), channel_of("time", p))
    values: dict[str, object] = {"p_text": 0.0001, "p_action": p, "short": False, **rest}
    return Campaign(
        name=name,
        candidate=candidate,
        members=tuple(sorted(c.ids[row] for row in candidate.rows.tolist())),  # type: ignore[type-var]
        channels=tuple(told),
        p=p,
        adjusted=p * 10 if adjusted is None else adjusted,
        for_review=for_review,
        rule=rule,
        raw=candidate.voices,
        n_eff=Interval(*(n_eff or (1.0, 1.4, max(2.0, candidate.voices / 2)))),
        dependence=np.full(len(candidate.rows), dependence),
        **values,  # type: ignore[arg-type]
    )


LIMITS = (
    DetectionLimit("template", 6, 40, {5: 0.4, 6: 0.55, 10: 0.95, 20: 1.0, 40: 1.0}, 20),
    DetectionLimit("paraphrase", None, 40, {10: 0.0, 20: 0.1, 40: 0.35}, 20),
)
SENSITIVITY = (
    Sensitivity("question", "transports", 38, 31.5, 31, 1, 1, 1, False),
    Sensitivity("position", "transports: against", 20, 13.4, 13, 1, 2, 2, True),
)


def campaigns_of(
    c: Consultation, tested: Sequence[Campaign] = (), *, q: float = 0.05, **rest: object
) -> Campaigns:
    """A whole result; members of the groups for review share their group's effective voices, everybody else weighs 1."""
    weights = np.ones(len(c))
    for one in tested:
        if one.for_review and len(one.candidate.rows):
            weights[one.candidate.rows] = one.n_eff.estimate / len(one.candidate.rows)
    raw = len(set(c.author.tolist()))
    total = float(weights.sum())
    values: dict[str, object] = {
        "n_eff": Interval(0.9 * total, total, float(raw)),
        "limits": LIMITS,
        "sensitivity": SENSITIVITY,
        "diversity": {
            "raw": {"0": 21.0, "1": 12.5, "2": 8.25},
            "weighted": {"0": 21.0, "1": 14.0, "2": 9.5},
        },
        "channels_off": {"metadata": "not-asked"},
        "permutations": 12_000,
        "digest": "5e0f" * 16,
        "empty": (),
        **rest,
    }
    return Campaigns(
        consultation=c,
        q=q,
        tested=tuple(sorted(tested, key=lambda one: not one.for_review)),
        weights=weights,
        raw=raw,
        **values,  # type: ignore[arg-type]
    )


def example() -> Campaigns:
    """Two groups for review (the letter of `planted`, and five accounts that vote alike) and three short answers that are not."""
    c = planted(votes=True)
    letter = candidate_of(c, [f"z{i + 1}" for i in range(8)])
    voters = voters_of(c, [f"p{i + 1:03}" for i in range(60, 65)])
    others = candidate_of(c, ["a1", "a2", "a3", "a4", "a5"], "copies")
    return campaigns_of(
        c,
        [
            campaign_of(c, letter, "C1", channels=_all(template=1e-9, time=0.0004)),
            campaign_of(c, voters, "C2", p=0.002, rule="votes", channels=_all(votes=0.002), p_text=None),
            campaign_of(
                c,
                others,
                "C3",
                p=0.4,
                adjusted=1.0,
                for_review=False,
                rule="not-enough",
                channels=_all(template=0.4, time=0.6),
                n_eff=(5.0, 5.0, 5.0),
                dependence=0.0,
            ),
        ],
    )


def _all(**p: float) -> list[Channel]:
    """All six channels in their order, those named with a p-value."""
    names: tuple[ChannelName, ...] = ("template", "paraphrase", "time", "coaction", "votes", "metadata")
    return [channel_of(name, p.get(name)) for name in names]
