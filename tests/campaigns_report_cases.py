"""Results made by hand for the evidence page: every kind of group, nothing found, too little to conclude, no channel, hostile texts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from campaign_cases import (
    HOUR,
    LIMITS,
    START,
    campaign_of,
    campaigns_of,
    candidate_of,
    consultation_of,
    null_of,
    organic_texts,
    voters_of,
    votes_of,
)
from klero.campaigns.model import CHANNELS, Channel, ChannelName, Consultation, Null
from klero.campaigns.result import Campaigns, DetectionLimit, Sensitivity

COPY = "Non à la fermeture de la piscine du canal : elle apprend à nager à tous les enfants du quartier depuis trente ans."
_BLANKS = (
    "{greeting} je vous écris pour {verb} le dépôt de la ligne douze. {who} en {depends} pour aller {where}. "
    "Le dépôt Mercier ne doit pas fermer avant que la ligne du plateau {soon}. {end}"
)
_FILL = {
    "greeting": ("Bonjour,", "Madame, Monsieur,", "Chers élus,", "Madame la maire,"),
    "verb": ("défendre", "soutenir", "protéger"),
    "who": ("Ma famille", "Mon fils", "Toute notre équipe", "Ma voisine de 82 ans", "Notre atelier"),
    "depends": ("dépend", "a besoin"),
    "where": ("au lycée", "à l'hôpital", "travailler", "au marché", "chez le médecin"),
    "soon": ("ouvre", "soit en service"),
    "end": ("Merci de m'avoir lu.", "", "Cordialement.", "Je compte sur vous !"),
}
PARAPHRASES = (
    "Un marché couvert sur la place de la halle ferait vivre les commerces et garderait les anciens en centre-ville.",
    "Si la halle devenait un marché abrité, les boutiques revivraient et les plus âgés resteraient dans le centre.",
    "Couvrir le marché de la halle, c'est aider les commerçants et permettre aux personnes âgées de vivre au centre.",
    "Pour sauver les magasins et garder nos aînés en ville, il faut abriter le marché de la halle.",
    "Le centre garderait ses vieux habitants et ses échoppes avec un marché à l'abri sous la halle.",
    "Abriter le marché de la place redonnerait des clients aux boutiques, et les aînés ne partiraient plus.",
    "Avec un toit sur le marché, les petits commerces tiendraient et les retraités n'auraient plus à quitter le centre.",
    "Les aînés restent et les boutiques vivent quand le marché est couvert : faisons-le place de la halle.",
    "Nos commerçants et nos anciens ont besoin de la même chose, un marché sous toit place de la halle.",
)


def letter(i: int) -> str:
    """The letter with blanks of the i-th writer; some add a sentence."""
    text = _BLANKS.format(
        **{name: words[(i * (k + 1) + i // 3) % len(words)] for k, (name, words) in enumerate(_FILL.items())}
    )
    return text + (" J'ajoute que le bus de 6 h est déjà plein." if i % 7 == 3 else "")


def _null(
    statistic: str, observed: float, low: float, high: float, exceed: int = 0, tail: str = "permutation"
) -> Null:
    """A null of 999 draws, bell-shaped between two bounds."""
    draws = np.sort(np.random.default_rng(len(statistic)).beta(3, 6, 999)) * (high - low) + low
    return Null(statistic, observed, tuple(np.round(draws, 4).tolist()), 9999, exceed, tail)


def channels(**tested: Channel) -> tuple[Channel, ...]:
    """All channels in order: those given, the others not asked for."""
    return tuple(
        tested.get(name, Channel(name, None, why_not=_WHY.get(name, "not-asked"))) for name in CHANNELS
    )


_WHY: dict[ChannelName, str] = {
    "paraphrase": "same-selection",
    "coaction": "too-few",
    "votes": "no-votes",
    "metadata": "not-asked",
}


def city() -> Consultation:
    """420 contributions to a town: 340 by as many people, 40 copies, a letter by 38 people within two days, nine paraphrases, and votes by 120 accounts."""
    random = np.random.default_rng(7)
    organic = organic_texts(332, 3)
    texts = [*organic, *[COPY] * 40, *(letter(i) for i in range(38)), *PARAPHRASES]
    n = len(texts)
    ids = [f"c{i + 1:03}" for i in range(n)]
    days = 28 * 24 * HOUR
    times = [START + days * float(u) ** 0.8 for u in random.random(n)]
    for i in range(332, 372):
        times[i] = START + 9 * 24 * HOUR + 30 * HOUR * float(random.random())
    for i in range(372, 410):
        times[i] = START + 17.4 * 24 * HOUR + 5 * HOUR * float(random.random())
    questions = [
        ("Quels transports pour demain ?", "Que faire du centre-ville ?", "Quelle piscine voulons-nous ?")[
            i % 3
        ]
        for i in range(n)
    ]
    stances: list[str | None] = [("for", "against", None, "neutral")[i % 4] for i in range(n)]
    for low, high, question, stance in (
        (332, 372, "Quelle piscine voulons-nous ?", "against"),
        (372, 410, "Quels transports pour demain ?", "for"),
        (410, n, "Que faire du centre-ville ?", "for"),
    ):
        questions[low:high] = [question] * (high - low)
        stances[low:high] = [stance] * (high - low)
    authors: list[str | None] = [f"SECRET-{i:03}" for i in range(n)]
    authors[371] = authors[370]
    triples = []
    for voter in range(120):
        for item in range(14):
            value = int(random.choice((-1, 0, 1), p=(0.35, 0.2, 0.45)))
            if voter < 25:
                value = (1, -1, 1, 1, -1, -1, 1)[item % 7] if (voter * 14 + item) % 23 else 0
            triples.append((f"SECRET-{voter:03}", ids[item] if item < 6 else f"Proposition {item}", value))
    return consultation_of(
        texts,
        ids=ids,
        authors=authors,
        times=times,
        questions=questions,
        stances=stances,
        votes=votes_of(triples),
    )


def everything() -> Campaigns:
    """A group of each kind for review, and two that are not."""
    c = city()
    ids = [f"c{i + 1:03}" for i in range(len(c))]
    time = Channel(
        "time",
        0.0004,
        {"hours_of_half": 2.4, "hours_of_half_expected": 31.0},
        (_null("hours-of-half", 2.4, 9, 80, 3),),
    )
    copies = candidate_of(c, ids[332:372], "copies")
    blanks = candidate_of(c, ids[372:410], "template")
    many = candidate_of(c, ids[410:419], "paraphrase", stratum="question:1")
    voters = voters_of(c, [f"SECRET-{voter:03}" for voter in range(25)])
    short = candidate_of(c, ids[0:7], "copies")
    weak = candidate_of(c, ids[20:26], "template")
    rare = [
        {"text": "le dépôt Mercier ne doit", "members": 38, "others": 0},
        {"text": "avant que la ligne du plateau", "members": 37, "others": 0},
        {"text": "je vous écris pour", "members": 31, "others": 3},
        {"text": "zoe@example.org appelez", "members": 31, "others": 0},
    ]
    template = Channel(
        "template",
        2.1e-9,
        {
            "shared_bits_median": 184.0,
            "shared_bits_median_expected": 12.5,
            "frame_words": 31,
            "slots": 7,
            "novel_measure": 0.25,
        },
        (_null("shared-bits", 184.0, 2, 61, 0, "exponential"),),
        details={"rare": rare},
    )
    tested = [
        campaign_of(
            c,
            copies,
            "C1",
            channels=channels(
                template=replace(template, effect={"shared_bits_median": 260.0}, details={}), time=time
            ),
            p=2.1e-9,
            rule="text",
            n_eff=(1.0, 1.9, 6.5),
            dependence=0.97,
        ),
        campaign_of(
            c,
            blanks,
            "C2",
            channels=channels(template=template, time=time),
            p=0.0004,
            n_eff=(1.2, 3.4, 9.0),
            dependence=0.93,
        ),
        campaign_of(
            c,
            many,
            "C3",
            channels=channels(
                template=Channel("template", 0.31, {}, (_null("shared-bits", 14.0, 2, 61, 310),)),
                paraphrase=Channel(
                    "paraphrase",
                    0.002,
                    {"similarity_mean": 0.71, "similarity_mean_expected": 0.38},
                    (_null("similarity-mean", 0.71, 0.2, 0.66, 0, "exponential"),),
                ),
                time=Channel("time", None, why_not="no-time"),
            ),
            p=0.002,
            n_eff=(1.4, 2.8, 7.0),
            dependence=0.7,
            short=True,
        ),
        campaign_of(
            c,
            voters,
            "C4",
            channels=channels(
                template=Channel("template", None, why_not="too-few"),
                votes=Channel(
                    "votes",
                    0.0007,
                    {"agreement_mean": 0.94, "agreement_mean_expected": 0.55},
                    (_null("agreement", 0.94, 0.4, 0.8),),
                ),
            ),
            p=0.0007,
            rule="votes",
            p_text=None,
            n_eff=(2.0, 5.1, 11.0),
        ),
        campaign_of(
            c,
            short,
            "C5",
            p=0.03,
            adjusted=0.2,
            for_review=False,
            rule="short-text-alone",
            short=True,
            n_eff=(7.0, 7.0, 7.0),
            dependence=0.0,
        ),
        campaign_of(
            c,
            weak,
            "C6",
            p=0.4,
            adjusted=1.0,
            for_review=False,
            rule="not-enough",
            n_eff=(6.0, 6.0, 6.0),
            dependence=0.0,
        ),
    ]
    return campaigns_of(
        c,
        tested,
        limits=limits(),
        sensitivity=sensitivity(),
        channels_off={"coaction": "too-few", "metadata": "not-asked"},
        empty=("e1", "e2"),
        permutations=119_988,
    )


def limits() -> tuple[DetectionLimit, ...]:
    """Of all patterns but one, which is not seen."""
    return (
        DetectionLimit("copies", 5, 40, {5: 0.9, 10: 1.0, 20: 1.0, 40: 1.0}, 40),
        DetectionLimit("template", 6, 40, {5: 0.4, 10: 0.95, 20: 1.0, 40: 1.0}, 40),
        DetectionLimit("paraphrase", 15, 40, {5: 0.0, 10: 0.2, 20: 0.8, 40: 1.0}, 40),
        DetectionLimit("paraphrase-in-time", 10, 40, {5: 0.1, 10: 0.6, 20: 1.0, 40: 1.0}, 40),
        DetectionLimit("votes", None, 40, {10: 0.0, 20: 0.1, 40: 0.35}, 40),
    )


def sensitivity() -> tuple[Sensitivity, ...]:
    """Lines of all kinds; one position changes, one is of a few people."""
    return (
        Sensitivity("question", "Quels transports pour demain ?", 149, 114.4, 112, 1, 1, 1, False),
        Sensitivity("question", "Quelle piscine voulons-nous ?", 150, 112.9, 112, 2, 2, 2, False),
        Sensitivity("position", "Quelle piscine voulons-nous ? · against", 67, 28.9, 28, 1, 2, 2, True),
        Sensitivity("position", "Quelle piscine voulons-nous ? · for", 28, 28, 28, 3, 1, 1, True),
        Sensitivity("theme", "T1 · bus, ligne", 98, 63, 61, 1, 1, 1, False),
        Sensitivity("argument", "sauver le marché", 3, 3, 3, 9, 9, 9, False),
    )


def nothing() -> Campaigns:
    """Nothing found where something would have been seen."""
    c = city()
    weak = candidate_of(c, [f"c{i + 1:03}" for i in range(20, 26)], "template")
    told = campaign_of(
        c,
        weak,
        "C1",
        p=0.4,
        adjusted=1.0,
        for_review=False,
        rule="not-enough",
        n_eff=(6.0, 6.0, 6.0),
        dependence=0.0,
    )
    return campaigns_of(c, [told], limits=limits(), sensitivity=sensitivity()[:2])


def twenty() -> Campaigns:
    """Twenty texts, without times, accounts or votes: nothing can be concluded."""
    c = consultation_of(organic_texts(20))
    unseen = tuple(replace(limit, size=None, power={5: 0.0, 10: 0.0}, largest=10) for limit in LIMITS)
    off = {
        "time": "no-time",
        "coaction": "no-author",
        "votes": "no-votes",
        "paraphrase": "too-few",
        "metadata": "not-asked",
    }
    return campaigns_of(c, (), limits=unseen, sensitivity=(), diversity={}, channels_off=off, permutations=0)


def bare() -> Campaigns:
    """A group whose channels could not be tested, in texts without accounts, times, questions; nothing else was computed."""
    c = consultation_of([*organic_texts(30), *[COPY] * 6])
    group = candidate_of(c, [f"a{i}" for i in range(31, 37)], "copies")
    none = tuple(
        Channel(name, None, why_not=why)
        for name, why in zip(
            CHANNELS,
            ("too-short", "no-vectors", "no-time", "no-author", "no-votes", "a-new-reason"),
            strict=True,
        )
    )
    told = campaign_of(c, group, channels=none, p=0.001, rule="a-new-rule", p_text=None, p_action=None)
    return campaigns_of(c, [told], limits=(), sensitivity=(), diversity={}, channels_off={}, permutations=0)


def hostile(evil: str, count: int = 6) -> Campaigns:
    """Every text, id, question and name is `evil`."""
    texts = [
        *organic_texts(20),
        *(f"{evil} {word} {evil}" for word in ("un", "deux", "trois", "quatre", "cinq", "six")[:count]),
    ]
    ids = [f"{evil}{i}" for i in range(len(texts))]
    authors = [f"{evil}SECRET{i}" for i in range(len(texts))]
    triples = [(authors[i], f"{evil}{j}", 1) for i in range(20, 26) for j in range(3)]
    triples += [(authors[i], f"{evil}{j}", -1) for i in range(20) for j in range(3)]
    c = consultation_of(
        texts,
        ids=ids,
        authors=authors,
        times=[START + HOUR * i for i in range(len(texts))],
        questions=[evil] * len(texts),
        stances=["for"] * len(texts),
        votes=votes_of(triples),
    )
    strange = Channel(
        "template",
        0.001,
        {evil: 3.0},
        (null_of(evil),),
        details={"rare": [{"text": evil, "members": 6, "others": 0}, "nonsense"]},
    )
    odd = channels(template=strange, time=Channel("time", None, why_not=evil))
    groups = [
        campaign_of(c, candidate_of(c, ids[20:], "template"), "C1", channels=odd, rule=evil),
        campaign_of(c, voters_of(c, authors[20:]), "C2", rule="votes", p_text=None),
        campaign_of(c, candidate_of(c, ids[:6], "copies"), "C3", for_review=False, rule=evil),
    ]
    lines = (
        Sensitivity("position", evil, 8, 8, 8, 1, 1, 1, True),
        Sensitivity(evil, evil, 8, 8, 8, 1, 1, 1, False),
    )
    return campaigns_of(
        c,
        groups,
        sensitivity=lines,
        limits=(DetectionLimit(evil, 5, 10, {5: 1.0}, 10),),
        channels_off={"votes": evil},
    )
