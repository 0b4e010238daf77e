"""What was my chance, and why? Why was I drawn, or not?

Answers for one person from the auditor's files of a record: the chance in each round and the quotas that hold it there (the certificate's words),
how many seats people like them had on the panel that won, and the own ticket against a threshold. The threshold is the shortest number that lies above the
last ticket with a seat and not above the first without, so that it says as little as can be about the tickets beside it; nobody else's ticket is shown,
since who is of which type is not public. `klero explain RECORD --person` and the minutes say the same.

Needs the auditor tier, and the sealed one to know somebody by id. Cost: people times features.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from klero.errors import BundleError, Fault, InputError, quoted
from klero.ledger.phrases import grouped, number, reason_words, share_words, typeset
from klero.ledger.receipts import own_ticket
from klero.ledger.record import Record, Round
from klero.ledger.steps import ids_of
from klero.ledger.successor import record_lottery
from klero.words import words

if TYPE_CHECKING:
    from klero.sortition.lottery import Lottery

__all__ = ["Chance", "chances", "explain_record", "find_leaf", "threshold"]

# Checks that say nothing about chances and seats; if another fails, there is nothing to explain.
_BESIDE = frozenset(("signatures", "times", "beacon", "timestamps", "timestamps.signature"))


@dataclass(frozen=True)
class Chance:
    """One person in one round.

    Attributes:
        round: its number.
        probability: of a seat, before the randomness; None for somebody who is not in the round.
        drawn: whether the person has a seat after it; None while nothing is drawn.
        sentences: all that is to be said, in order.
    """

    round: int
    probability: Fraction | None
    drawn: bool | None
    sentences: tuple[str, ...]


def explain_record(record: Record, person: str | None = None, lang: str = "en") -> str:
    """The lotteries of a record in words, or one person's chances, tickets and results. `lang`: «en» or «fr».

    Args:
        record: the record, with the auditor tier.
        person: an id (with the sealed tier), or a leaf in hexadecimal.

    Raises:
        InputError: nobody in the record has this id, or the record lacks the auditor's files.
        BundleError: a check on which chances and seats rest fails.
    """
    head = words(lang).gettext("Round {round}.")
    if person is None:
        names = ids_of(record, record.leaves)
        told = (
            (r.number, record_lottery(record, r.number, names).explain(None, lang)) for r in record.rounds
        )
        return "\n\n".join(f"{head.format(round=number)} {text}" for number, text in told)
    return "\n\n".join(
        f"{head.format(round=chance.round)} " + "\n".join(chance.sentences)
        for chance in chances(record, person, lang)
    )


def threshold(last: str, following: str) -> str:
    """The shortest text of hexadecimal digits that is above `last` and not above `following`, as beginnings of tickets.

    >>> threshold("a31f", "a47e"), threshold("0fff", "1000")
    ('a4', '1')
    """
    if last >= following:
        raise BundleError("tickets of a draw are not in order")
    common = next(i for i, (a, b) in enumerate(zip(last, following, strict=True)) if a != b)
    return following[: common + 1]


def find_leaf(facts: Record, person: str) -> int:
    """The number of the leaf of somebody named by id (sealed tier; in any Unicode form) or by the leaf itself.

    Raises:
        InputError: nobody has this id or leaf, or ids are not there to look it up.
    """
    people = facts.people
    wanted = unicodedata.normalize("NFC", person)
    named = enumerate(people or ())
    places = [i for i, who in named if who and unicodedata.normalize("NFC", who["id"]) == wanted]
    if places:
        return places[0]
    if person in facts.leaves:
        return facts.leaves.index(person)
    if people is None:
        message = (
            f"{quoted(person)} is no leaf of this record, and without its sealed files nobody can be found by id. "
            "Give a leaf of 64 digits, or the record with sealed/"
        )
    else:
        message = f"nobody in this record has the id {quoted(person)}, or the salt was destroyed, which unlinks the person for good"
    raise InputError([Fault("person-unknown", message, "", value=person)])


def chances(facts: Record, person: str, lang: str = "en") -> tuple[Chance, ...]:
    """What is to be said to one person, round by round.

    Raises:
        InputError: the person is unknown, or the record lacks the auditor's files.
        BundleError: a check on which chances and seats rest fails.
    """
    wrong = next((check for check in facts.failed if check.name not in _BESIDE), None)
    if wrong is not None:
        raise BundleError(
            f"the record fails its check «{wrong.name}» ({wrong.detail}), so nobody's chance can be told from it"
        )
    if not facts.has_auditor:
        message = (
            "the chance of one person needs the auditor's files, and this record holds the public ones alone"
        )
        raise InputError([Fault("tier-missing", message, "", value=person)])
    leaf = find_leaf(facts, person)
    called = ids_of(facts, [facts.leaves[leaf]]).get(facts.leaves[leaf], person)
    return tuple(_chance(facts, round_, leaf, called, lang) for round_ in facts.rounds)


def _chance(facts: Record, round_: Round, leaf: int, person: str, lang: str) -> Chance:
    _ = words(lang).gettext
    lottery = record_lottery(facts, round_.number)
    own = facts.leaves[leaf]
    drawn = None if round_.draw is None else own in round_.draw.body["panel"]
    if own not in lottery.instance.ids:
        text = _("{person} had withdrawn before this round and took no part in it (reason: {reason}).")
        told = text.format(person=person, reason=reason_words(facts.withdrawn[own], lang))
        return Chance(round_.number, None, drawn, (told,))
    place = lottery.position(own)
    t = lottery.instance.person_type[place]
    chance = lottery.type_probabilities[t]
    parts = [_chance_words(lottery, t, person, lang), *_why(lottery, t, lang)]
    if round_.draw is None:
        parts.append(_("Nothing is drawn yet in this round."))
    else:
        seats = _winning(lottery, round_.draw.body["position"])
        c_ids = dict(zip(facts.leaves, facts.c_ids, strict=True))
        lots = [own_ticket(round_.draw, other, c_ids[other]) for other in lottery.instance.ids]
        ticket = _("The ticket of {id} is {ticket}.").format(id=person, ticket=grouped(lots[place]))
        parts += [_word(facts, round_, own, lang), ticket, *_outcome(lottery, seats, lots, place, lang)]
    return Chance(round_.number, chance, drawn, tuple(parts))


def _word(facts: Record, round_: Round, leaf: str, lang: str) -> str:
    """The outcome in a word."""
    _ = words(lang).gettext
    if round_.draw is None or leaf not in round_.draw.body["panel"]:
        return _("The person was not drawn.")
    at = facts.rounds.index(round_)
    before = facts.rounds[at - 1].draw if at else None
    return (
        _("The person keeps the seat.")
        if before and leaf in before.body["panel"]
        else _("The person was drawn.")
    )


def _chance_words(lottery: Lottery, t: int, person: str, lang: str) -> str:
    _ = words(lang).gettext
    p = lottery.type_probabilities[t]
    if p == 0:
        text = _(
            "Among {people} people for {size} seats, {person} could not be drawn: no panel that meets the quotas has a seat for people of this kind (chance 0)."
        )
    elif p == 1:
        text = _(
            "Among {people} people for {size} seats, {person} had a seat for certain before the randomness was known (chance 1)."
        )
    else:
        text = _(
            "Among {people} people for {size} seats, {person} had a chance of {exact}, that is {percent}, before the randomness was known."
        )
    return text.format(
        people=number(len(lottery.instance.ids), lang),
        size=number(lottery.instance.size, lang),
        person=person,
        exact=p,
        percent=share_words(p, lang),
    )


def _why(lottery: Lottery, t: int, lang: str) -> list[str]:
    from klero.sortition.explain import explain_type

    return [typeset(text, lang) for text in explain_type(lottery, t, lang)]


def _winning(lottery: Lottery, position: int) -> dict[int, int]:
    """The seats by type of the panel on which the position falls."""
    reached = 0
    for count, seats in lottery.panels:
        reached += count
        if reached > position:
            return dict(seats)
    raise AssertionError("a position lies below the number of balls")


def _outcome(
    lottery: Lottery, seats: dict[int, int], lots: Sequence[str], place: int, lang: str
) -> list[str]:
    """By which comparison somebody is drawn or not."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    instance = lottery.instance
    t = instance.person_type[place]
    group = [i for i, u in enumerate(instance.person_type) if u == t]
    given = seats.get(t, 0)
    home = next((members for members in instance.households if place in members), None)
    of_all = plural(
        "The panel that chance picked has {s} seat for the {n} people of this kind.",
        "The panel that chance picked has {s} seats for the {n} people of this kind.",
        given,
    ).format(s=number(given, lang), n=number(len(group), lang))
    if not given:
        return [_("The panel that chance picked has no seat for people of this kind.")]
    if len(group) == 1:
        return [_("The panel that chance picked has a seat for the only person of this kind.")]
    if given == len(group):
        return [of_all + " " + _("So everybody of this kind is drawn.")]
    if home is None:
        return [of_all, _against(lots, group, given, place, lang)]
    inside = [i for i in home if instance.person_type[i] == t]
    own = _dealt(lottery, seats, lots).get((instance.households.index(home), t), 0)
    dealt = plural(
        "Households alike are dealt them in the order of their lowest tickets; this one got {s} seat of this kind.",
        "Households alike are dealt them in the order of their lowest tickets; this one got {s} seats of this kind.",
        own,
    ).format(s=own)
    rest = [_against(lots, inside, own, place, lang)] if 0 < own < len(inside) else []
    return [f"{of_all} {dealt}", *rest]


def _against(lots: Sequence[str], group: Sequence[int], given: int, place: int, lang: str) -> str:
    """The own ticket against the threshold of a group, of which the lowest `given` are drawn."""
    _ = words(lang).gettext
    ordered = sorted(lots[i] for i in group)
    limit = threshold(ordered[given - 1], ordered[given])
    own = lots[place]
    text = (
        _(
            "Tickets are compared digit by digit, 0 to 9 and then a to f, and the lowest ones have the seats: "
            "here those whose beginning is below {limit}. This one begins with {own}, which is below."
        )
        if own < limit
        else _(
            "Tickets are compared digit by digit, 0 to 9 and then a to f, and the lowest ones have the seats: "
            "here those whose beginning is below {limit}. This one begins with {own}, which is not below."
        )
    )
    return text.format(limit=grouped(limit), own=grouped(own[: len(limit)]))


def _dealt(lottery: Lottery, seats: dict[int, int], lots: Sequence[str]) -> dict[tuple[int, int], int]:
    """Seats by (household, type): households of one composition, in the order of their lowest tickets, are dealt them one each, round and round."""
    instance = lottery.instance
    alike: dict[tuple[int, ...], list[int]] = {}
    for home, members in enumerate(instance.households):
        alike.setdefault(tuple(sorted(instance.person_type[i] for i in members)), []).append(home)
    dealt: dict[tuple[int, int], int] = {}
    for composition, homes in alike.items():
        homes.sort(key=lambda home: min(lots[i] for i in instance.households[home]))
        turn = 0
        for t in sorted(set(composition)):
            for _seat in range(seats.get(t, 0)):
                at = (homes[turn % len(homes)], t)
                dealt[at] = dealt.get(at, 0) + 1
                turn += 1
    return dealt
