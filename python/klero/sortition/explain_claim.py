"""Why these probabilities, under nash, goldilocks and minimax? The certificate's claim in words that a citizens' jury could read.

What is said comes from the claim: its weights say whose chances it speaks of, its dual weights which quotas hold these chances up or down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from klero.sortition.certificate import Leaf
from klero.sortition.claim import forced_types, standing
from klero.sortition.traits import quota_words
from klero.words import percent, words

if TYPE_CHECKING:
    from klero.sortition.claim import Standing
    from klero.sortition.lottery import Lottery


def claim_words(lottery: Lottery, lang: str) -> list[str]:
    """What the objective is, what was reached, and what is proved: a paragraph each."""
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    instance = lottery.instance
    where = standing(instance, lottery.never)
    parts = [_aim(lottery, where, lang)]
    forced = sum(instance.counts[t] for t in forced_types(instance, lottery.never))
    if forced:
        parts.append(
            ngettext(
                "{n} person sits on every panel, since a quota needs everybody of their kind; no comparison includes them.",
                "{n} people sit on every panel, since a quota needs everybody of their kind; no comparison includes them.",
                forced,
            ).format(n=forced)
        )
    if where.open:
        parts.append(_proved(lottery, where, lang))
        parts += _bound_words(lottery, lang)
    return parts


def chance_words(lottery: Lottery, t: int, lang: str) -> list[str]:
    """Why the people of one type, who can sit, have their probability."""
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    instance = lottery.instance
    claim = lottery.certificate.claim
    if t in forced_types(instance, lottery.never):
        people = instance.counts[t]
        return [
            ngettext("This {n} person always sits.", "These {n} people always sit.", people).format(n=people)
        ]
    weight = dict(claim.weights if claim else ()).get(t, 0)
    if lottery.objective == "nash":
        return _pressures(lottery, t, lang)
    if weight > 0:
        return [
            _("Nobody's chance is larger: the quotas need so many of these people that no lottery lowers it.")
        ]
    if weight < 0:
        return [
            _(
                "Nobody's chance is smaller: the quotas leave so few seats to these people that "
                "raising it would push the largest chances up by more than it is worth."
            )
        ]
    if lottery.objective == "minimax":
        return [
            _(
                "No larger than the largest chance, which is as small as it can be; "
                "below that, minimax only keeps the smallest chance as large as it can."
            )
        ]
    return [_("Between the largest and the smallest chance, where the objective lets the quotas decide.")]


def _aim(lottery: Lottery, where: Standing, lang: str) -> str:
    _ = words(lang).gettext
    aim = {
        "nash": _(
            "Objective nash: the product of everybody's chances is as large as it can be. "
            "Somebody's chance is doubled where that costs no one else half of theirs."
        ),
        "goldilocks": _(
            "Objective goldilocks: nobody's chance is far above or far below the even share. "
            "What is made small is the largest chance plus one over the smallest, both counted in even shares."
        ),
        "minimax": _("Objective minimax: the largest chance is as small as the quotas allow."),
    }[lottery.objective]
    even = _("The even share is {percent} ({exact}).").format(
        percent=percent(where.share, lang), exact=where.share
    )
    text = f"{aim} {even}"
    if len({where.weights[t] for t in where.open}) > 1:
        text += " " + _("Chances are compared per unit of weight.")
    return text


def _proved(lottery: Lottery, where: Standing, lang: str) -> str:
    _ = words(lang).gettext
    gap = f"{float(lottery.certificate.gap):.1e}"
    ratios = [lottery.type_probabilities[t] / where.weights[t] for t in where.open]
    if lottery.objective == "nash":
        return _("Proved: no lottery's geometric mean is more than 1 + {gap} times this one's.").format(
            gap=gap
        )
    if lottery.objective == "minimax":
        # The gap counts even shares; the sentence speaks of chances.
        above = lottery.certificate.gap * where.share
        return _(
            "Proved: no lottery's largest chance is below {bound}; this one's, in whole balls, is above that by {gap}."
        ).format(bound=percent(max(ratios) - above, lang), gap=f"{float(above):.1e}")
    low, high = min(ratios) / where.share, max(ratios) / where.share
    return _(
        "In even shares, chances go from {low} to {high}, and the largest plus one over the smallest is {value}. "
        "Proved: no lottery's is smaller by more than {gap}."
    ).format(
        low=_decimal(float(low), lang),
        high=_decimal(float(high), lang),
        value=_decimal(float(high + 1 / low), lang),
        gap=gap,
    )


def _bound_words(lottery: Lottery, lang: str) -> list[str]:
    """The quotas in the proof, or that it is a tree, or nothing where all chances can be equal."""
    _ = words(lang).gettext
    claim = lottery.certificate.claim
    if claim is None or not claim.proof:
        return []
    root = claim.proof[0]
    if not isinstance(root, Leaf):
        return [
            _("Shown by trying all ways to seat them (the proof is a tree of {n} nodes).").format(
                n=len(claim.proof)
            )
        ]
    # The heaviest first: at 12 quotas the rest hardly counts.
    heaviest = sorted(root.cells, key=lambda cell: (-abs(cell[1]), cell[0]))
    if not heaviest:
        return [_("What binds: the number of seats.")]
    binding = [(c, w > 0) for c, w in heaviest]
    return [_("What binds: {quotas}.").format(quotas=quota_words(lottery.instance, binding, lang))]


def _pressures(lottery: Lottery, t: int, lang: str) -> list[str]:
    """Nash: the person's own quotas that lower or raise the chance, by the sign of their dual weights."""
    _ = words(lang).gettext
    claim = lottery.certificate.claim
    root = claim.proof[0] if claim is not None and claim.proof else None
    if not isinstance(root, Leaf):
        return [_("More for these people would cost the others, in proportion, at least as much.")]
    own = set(lottery.instance.type_cells(t))
    lowered = [(c, True) for c, w in root.cells if w > 0 and c in own]
    raised = [(c, False) for c, w in root.cells if w < 0 and c in own]
    parts = [_("More for these people would cost the others, in proportion, at least as much.")]
    if lowered:
        quotas = quota_words(lottery.instance, lowered, lang)
        parts.append(_("What lowers the chance: {quotas}.").format(quotas=quotas))
    if raised:
        quotas = quota_words(lottery.instance, raised, lang)
        parts.append(_("What raises it: {quotas}.").format(quotas=quotas))
    return parts


def _decimal(value: float, lang: str) -> str:
    text = f"{value:.4f}"
    return text if lang == "en" else text.replace(".", ",")
