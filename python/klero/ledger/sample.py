"""How many registered people must be checked, and which, so that invented ones would be found?

Cryptography can't show that everybody on the list exists: an organiser could register ghosts, commit to them honestly and draw them fairly. A
random sample of the lines, chosen after the commitment, is checked against the world (a letter, a call, an identity card), and then
statistics say how many ghosts there can be at most.

Method: with G ghosts among N people, a sample of s finds none with probability C(N−G, s) / C(N, s) (hypergeometric), or (1−rate)^s where N is not
given. After the check, k ghosts found among s give the upper bound of Clopper and Pearson (Biometrika 1934), and its counterpart for N people. All
by whole numbers, so nothing is rounded but what is printed, and that upwards. O(log N) binomial coefficients.

Guaranteed, if those sampled are chosen by a seed that nobody could foresee when the lines were fixed, and each is really checked: with the
stated confidence, the bound holds. Not guaranteed: anything about people who should have been registered and were not.

>>> sample_size(Fraction(95, 100), Fraction(5, 100))
59
>>> sample_size(Fraction(95, 100), Fraction(5, 100), people=200)
51
>>> upper_rate(0, 59, Fraction(95, 100))
Fraction(12377, 250000)
"""

from __future__ import annotations

import hmac
import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from klero import _native
from klero.errors import Fault, InputError, quoted
from klero.ledger.phrases import number, share_words
from klero.ledger.record import Record
from klero.words import words

__all__ = [
    "Sample",
    "audit_seed",
    "finding_words",
    "sample_leaves",
    "sample_size",
    "size_words",
    "upper_count",
    "upper_rate",
]

# Rates are given in millionths, rounded up.
UNIT = 10**6
_MOST_PEOPLE = 10**8
_LEAST_RATE = Fraction(1, 10**5)
# Whole numbers of so many checks take seconds at most; far more than anybody knocks on doors.
_MOST_CHECKED = 20_000
_MOST_LISTED = 10**7
_LEAST_DOUBT = Fraction(1, 10**6)


@dataclass(frozen=True)
class Sample:
    """What to check.

    Attributes:
        people: how many there are; None where no number was given.
        size: how many to check.
        confidence, rate: what was asked for.
        numbers: the numbers of the leaves to check, from 0, rising; empty without a seed.
        leaves: these leaves, 64 hexadecimal digits each; empty without a record.
        seed: 32 bytes from which the numbers follow; empty without one.
        ids: of the people of these leaves, None where the salt was destroyed; empty without the sealed tier.
    """

    people: int | None
    size: int
    confidence: Fraction
    rate: Fraction
    numbers: tuple[int, ...] = ()
    leaves: tuple[str, ...] = ()
    seed: bytes = b""
    ids: tuple[str | None, ...] = ()


def share_of(text: str, option: str) -> Fraction:
    """A number strictly between 0 and 1 from its decimal digits, exactly.

    Raises:
        InputError: it is something else.
    """
    try:
        value = Decimal(text)
        good = value.is_finite() and 0 < value < 1 and len(text) <= 20
    except InvalidOperation:
        good = False
    if not good:
        message = f"{option} is {quoted(text)}; give a decimal between 0 and 1, such as 0.95"
        raise InputError([Fault("confidence-invalid", message, "", value=text)])
    return Fraction(value)


def sample_size(confidence: Fraction, rate: Fraction, people: int | None = None) -> int:
    """The fewest to check so that, if ghosts are `rate` of all or more, at least one is found with probability `confidence`.

    Raises:
        InputError: `people` is not from 1 to 10^8, or the rate is below 1 in 100,000.
    """
    if rate < _LEAST_RATE:
        message = f"a rate of {float(rate):g} would take too many checks; give one of {float(_LEAST_RATE):g} or more"
        raise InputError([Fault("option-range", message, "", value=str(float(rate)))])
    doubt = 1 - confidence
    if doubt < _LEAST_DOUBT:
        message = f"a confidence of {float(confidence):.10g} would take too many checks; give one of 0.999999 or less"
        raise InputError([Fault("option-range", message, "", value=str(float(confidence)))])
    # Logarithms say where to look; whole numbers decide.
    near = math.ceil(math.log(doubt) / math.log1p(-rate))
    if people is None:
        p, q = rate.denominator - rate.numerator, rate.denominator

        def enough(s: int) -> bool:
            low: int = p**s * doubt.denominator
            high: int = q**s * doubt.numerator
            return low <= high

        while not enough(near):
            near += 1
        while near > 1 and enough(near - 1):
            near -= 1
        return near
    _check_people(people)
    ghosts = math.ceil(rate * people)
    # A list that ends needs fewer checks than one that doesn't.
    return _bisect(lambda s: _at_most(0, s, ghosts, people) <= doubt, 0, min(people, near + 1))


def upper_rate(found: int, checked: int, confidence: Fraction) -> Fraction:
    """The Clopper–Pearson upper bound, one-sided: the smallest rate, in millionths and rounded up, with P(at most `found`) ≤ 1 − confidence.

    Raises:
        InputError: more are found than are checked, or numbers are negative.
    """
    _check_found(found, checked)
    _check_effort(checked)
    if found == checked:
        return Fraction(1)
    doubt = 1 - confidence

    def unlikely(a: int) -> bool:
        b = UNIT - a
        chance = sum(math.comb(checked, i) * a**i * b ** (checked - i) for i in range(found + 1))
        low: int = chance * doubt.denominator
        high: int = doubt.numerator * UNIT**checked
        return low <= high

    return Fraction(_bisect(unlikely, 0, UNIT), UNIT)


def upper_count(found: int, checked: int, people: int, confidence: Fraction) -> int:
    """The most ghosts among `people` that go with `found` among `checked` drawn without repetition: the largest G with P(at most `found`) > 1 − confidence.

    Raises:
        InputError: the numbers don't fit each other.
    """
    _check_people(people)
    _check_found(found, checked)
    _check_effort(checked)
    if checked > people:
        message = f"{checked} are checked, and there are {people} people"
        raise InputError([Fault("option-range", message, "", value=str(checked))])
    doubt = 1 - confidence
    # With all but (checked − found) ghosts, fewer than that many can't be found: the first G that is ruled out lies at or below the end.
    most = people - (checked - found)
    return _bisect(lambda g: _at_most(found, checked, g, people) <= doubt, found, most + 1) - 1


def audit_seed(record: Record | None, text: str | None) -> bytes:
    """The seed of a sample: the draw's own, or one from a text that was settled after the commitment (dice thrown by those present, a date's lottery).

    Raises:
        InputError: there is no text, and no record that is drawn.
    """
    if text is not None:
        text = unicodedata.normalize("NFC", text)
        if not text.strip():
            raise InputError([Fault("seed-invalid", "the text of the seed is empty", "", value=text)])
        commitment = bytes.fromhex(record.hash) if record else b""
        return _native.seq_hash("klero/seed/audit/v1", [commitment, text.encode()])
    draw = record.rounds[0].draw if record else None
    if draw is None:
        message = "which leaves to check needs a seed, and nothing is drawn yet. Give --seed TEXT, settled in public after the commitment"
        raise InputError([Fault("seed-missing", message, "")])
    return bytes.fromhex(draw.body["seed"])


def sample_numbers(seed: bytes, people: int, size: int) -> tuple[int, ...]:
    """The numbers of the `size` lowest tickets, rising. A number's ticket is HMAC(HMAC(seed, "klero/audit/v1"), number as 8 bytes)."""
    from heapq import nsmallest

    key = hmac.digest(seed, b"klero/audit/v1", "sha256")
    chosen = nsmallest(size, range(people), key=lambda i: hmac.digest(key, i.to_bytes(8, "big"), "sha256"))
    return tuple(sorted(chosen))


def sample_leaves(
    confidence: Fraction,
    rate: Fraction,
    *,
    record: Record | None = None,
    people: int | None = None,
    seed: str | None = None,
) -> Sample:
    """How many leaves to check, and which: those of `record`, or of a list of `people` lines.

    Raises:
        InputError: both are given; or numbers or seed can't be used.
    """
    if record is not None and people is not None:
        raise InputError(
            [Fault("options-conflict", "a record and a number of leaves are given; give one", "")]
        )
    if record is not None:
        people = len(record.leaves)
    size = sample_size(confidence, rate, people)
    if people is None or (record is None and seed is None):
        return Sample(people, size, confidence, rate)
    if people > _MOST_LISTED:
        message = f"choosing among {people} leaves would take too long; give {_MOST_LISTED} or fewer"
        raise InputError([Fault("option-range", message, "", value=str(people))])
    start = audit_seed(record, seed)
    numbers = sample_numbers(start, people, size)
    leaves = tuple(record.leaves[i] for i in numbers) if record else ()
    known = record.people if record else None
    found = [known[i] if known else None for i in numbers]
    ids = tuple(who["id"] if who else None for who in found) if known else ()
    return Sample(people, size, confidence, rate, numbers, leaves, start, ids)


def size_words(sample: Sample, lang: str = "en") -> str:
    """How many leaves are to be checked, in a sentence."""
    plural = words(lang).ngettext
    if sample.people is None:
        text = plural("Check {n} leaf.", "Check {n} leaves.", sample.size)
        return text.format(n=number(sample.size, lang))
    text = plural("Check {n} leaf of {people}.", "Check {n} leaves of {people}.", sample.size)
    return text.format(n=number(sample.size, lang), people=number(sample.people, lang))


def finding_words(sample: Sample, found: int, lang: str = "en", *, checked: int | None = None) -> str:
    """What may be said once `checked` leaves (default: all of the sample) are checked and `found` are nobody's."""
    plural = words(lang).ngettext
    done = sample.size if checked is None else checked
    sure = share_words(sample.confidence, lang).replace(".00", "").replace(",00", "")
    if sample.people is None:
        text = plural(
            "{k} ghost found among {n} checked: with a confidence of {sure}, at most {rate} of the lines are ghosts.",
            "{k} ghosts found among {n} checked: with a confidence of {sure}, at most {rate} of the lines are ghosts.",
            found,
        )
        rate = upper_rate(found, done, sample.confidence)
        return text.format(k=found, n=number(done, lang), sure=sure, rate=_rounded_up(rate, lang))
    most = upper_count(found, done, sample.people, sample.confidence)
    text = plural(
        "{k} ghost found among {n} checked: with a confidence of {sure}, at most {most} of the {people} lines ({rate}) are ghosts.",
        "{k} ghosts found among {n} checked: with a confidence of {sure}, at most {most} of the {people} lines ({rate}) are ghosts.",
        found,
    )
    return text.format(
        k=found,
        n=number(done, lang),
        sure=sure,
        most=number(most, lang),
        people=number(sample.people, lang),
        rate=_rounded_up(Fraction(most, sample.people), lang),
    )


def _rounded_up(rate: Fraction, lang: str) -> str:
    """A percentage with two decimals, never below the rate."""
    hundredths = math.ceil(rate * 10_000)
    text = f"{hundredths // 100}.{hundredths % 100:02}"
    return (text if lang == "en" else text.replace(".", ",")) + "\u00a0%"


def _at_most(found: int, checked: int, ghosts: int, people: int) -> Fraction:
    """P(at most `found` ghosts among those checked). Who is marked and who is drawn can change places, so the smaller group is drawn: its numbers are small."""
    few, many = sorted((checked, ghosts))
    ways = sum(math.comb(many, i) * math.comb(people - many, few - i) for i in range(min(found, few) + 1))
    return Fraction(ways, math.comb(people, few))


def _bisect(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The smallest number from `low` to `high` for which a property holds that, once true, stays true; `high` if it holds nowhere below."""
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _check_people(people: int) -> None:
    if not 1 <= people <= _MOST_PEOPLE:
        message = f"{people} leaves; give a number from 1 to {_MOST_PEOPLE}"
        raise InputError([Fault("option-range", message, "", value=str(people))])


def _check_effort(checked: int) -> None:
    if checked > _MOST_CHECKED:
        message = f"bounds are computed for at most {_MOST_CHECKED} checked, and {checked} are given"
        raise InputError([Fault("option-range", message, "", value=str(checked))])


def _check_found(found: int, checked: int) -> None:
    if not 0 <= found <= checked or checked < 1:
        message = f"{found} ghosts among {checked} checked is not possible"
        raise InputError([Fault("option-range", message, "", value=str(found))])
