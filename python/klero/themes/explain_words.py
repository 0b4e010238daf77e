"""What a theme holds and why a contribution is where it is, in words that whoever wrote it could read, English or French.

Texts are quoted on one line and with what a terminal would obey shown by its number; nothing else of them is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from klero._harmless import harmless
from klero.words import number, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klero.themes.explain import ContributionTold, Neighbour, ThemeTold
    from klero.themes.quotes import Quote

__all__ = ["contribution_words", "decimal", "one_line", "quoted_text", "theme_words"]


def one_line(text: object) -> str:
    """Text of a table on one line, without what a terminal would obey."""
    return " ".join(harmless(str(text)).split())


def decimal(value: float, lang: str) -> str:
    """«0.87», or «0,87»."""
    text = f"{value:.2f}".replace("-0.00", "0.00")
    return text if lang == "en" else text.replace(".", ",")


def quoted_text(text: str, lang: str) -> str:
    """A quote in the language's marks."""
    return words(lang).gettext("«{text}»").format(text=one_line(text))


def listed(parts: Sequence[str]) -> str:
    """Words one after the other."""
    return ", ".join(map(one_line, parts))


def theme_words(told: ThemeTold, lang: str) -> str:
    """A group in sentences, one a line."""
    _ = words(lang).gettext
    quotes, lines = told.quotes, [_head(told, lang)]
    if told.keywords:
        start = _("It speaks of: {words}.") if told.size == 1 else _("Its words: {words}.")
        lines.append(start.format(words=listed([keyword.text for keyword in told.keywords])))
    elif told.size > 1:
        lines.append(_("No word that says something is used by several of them."))
    if quotes.medoid is None:
        lines.append(_("Nothing is written in it."))
    elif told.size > 1:
        lines.append(_quote(_("At its centre, {id}: {text}"), quotes.medoid, lang))
        lines += [
            _quote(_("And {id}: {text}"), quote, lang)
            for quote in quotes.central
            if quote.row != quotes.medoid.row
        ]
    else:
        lines.append(_quote(_("{id}: {text}"), quotes.medoid, lang))
    if told.kind == "theme":
        lines += _edges(told, lang)
    return "\n".join(lines)


def _edges(told: ThemeTold, lang: str) -> list[str]:
    """What stands at a theme's edge, and what came last; what is quoted already is not quoted again."""
    _ = words(lang).gettext
    quotes, lines = told.quotes, []
    seen = {quote.row for quote in quotes.central}
    for quote in quotes.boundary:
        name = told.names.get(quote.other, "") if quote.other is not None else ""
        again, anew = _("Near {name} as well: {id}, quoted above."), _("Near {name} as well, {id}: {text}")
        lines.append(_quote(again if quote.row in seen else anew, quote, lang, name))
        seen.add(quote.row)
    if quotes.distant is not None:
        again = _("Furthest from its centre, which the theme smooths out: {id}, quoted above.")
        anew = _("Furthest from its centre, which the theme smooths out, {id}: {text}")
        lines.append(_quote(again if quotes.distant.row in seen else anew, quotes.distant, lang))
        seen.add(quotes.distant.row)
    if told.growth is not None:
        lines.append(told.growth.explain(told.label, lang))
    for quote in quotes.newest:
        moment = "" if quote.time is None else quote.time.strftime("%Y-%m-%d %H:%M")
        again, anew = _("Newest, of {name}: {id}, quoted above."), _("Newest, of {name}, {id}: {text}")
        lines.append(_quote(again if quote.row in seen else anew, quote, lang, moment))
    return lines


def _head(told: ThemeTold, lang: str) -> str:
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    size = number(told.size, lang)
    if told.kind == "lone_voice":
        return _("{name}: a lone voice, a contribution that stands by itself.").format(name=told.name)
    theme = _("{name}: a theme of {size} contributions.")
    text = _("{name}: a weak signal, {size} contributions.") if told.kind == "weak_signal" else theme
    head = text.format(name=told.name, size=size)
    if not told.by_author:
        return head
    voices = ngettext(
        "It is of {n} voice: an author counts once, a contribution that names none as well.",
        "It is of {n} voices: an author counts once, a contribution that names none as well.",
        told.voices,
    )
    return f"{head} {voices.format(n=number(told.voices, lang))}"


def _quote(sentence: str, quote: Quote, lang: str, name: str = "") -> str:
    return sentence.format(id=one_line(quote.id), text=quoted_text(quote.text, lang), name=name)


def contribution_words(told: ContributionTold, lang: str) -> str:
    """A contribution's place in sentences, one a line."""
    _ = words(lang).gettext
    quote = told.quote
    lines = [_quote(_("Contribution {id}: {text}"), quote, lang), _place(told, lang)]
    if told.second_similarity is not None:
        lines.append(_second(told, lang))
    elif told.kind != "theme":
        lines.append(_("There is no theme that it could be near to."))
    near, elsewhere = (
        _("Nearest to it in {name}: {id} (cosine {cosine}; {shared}): {text}"),
        _("Nearest to it elsewhere: {id} in {name} (cosine {cosine}; {shared}): {text}"),
    )
    lines += [_neighbour(near, other, lang) for other in told.nearest]
    lines += [_neighbour(elsewhere, other, lang) for other in told.elsewhere[: 1 if told.nearest else None]]
    lines.append(
        _(
            "Nearness is the cosine of the vectors that were made of the texts: 1 for the same, about 0 for texts that have nothing to do with each other. "
            "Words in common are a hint and not the reason."
        )
    )
    return "\n".join(lines)


def _place(told: ContributionTold, lang: str) -> str:
    catalogue = words(lang)
    _, ngettext = catalogue.gettext, catalogue.ngettext
    if told.size == 1:
        return _(
            "It stands alone ({name}): it was put together with no other contribution, and is shown at the same rank as any theme."
        ).format(name=told.name)
    nearer = told.place - 1
    if told.kind == "weak_signal":
        text = _(
            "It is in {name}, a weak signal of {size} contributions; its cosine to their centre is {cosine}."
        )
    elif nearer:
        text = ngettext(
            "It is in {name}, a theme of {size} contributions; {n} is nearer to the centre than it (its cosine to the centre: {cosine}).",
            "It is in {name}, a theme of {size} contributions; {n} are nearer to the centre than it (its cosine to the centre: {cosine}).",
            nearer,
        )
    else:
        text = _(
            "It is in {name}, a theme of {size} contributions, and none is nearer to the centre (its cosine to the centre: {cosine})."
        )
    return text.format(
        name=told.name,
        size=number(told.size, lang),
        n=number(nearer, lang),
        cosine=decimal(told.similarity, lang),
    )


def _second(told: ContributionTold, lang: str) -> str:
    _ = words(lang).gettext
    margin = told.margin or 0.0
    if told.size == 1:
        text = _("The nearest theme is {name}: its cosine to that centre is {cosine}.")
    elif margin >= 0:
        text = _(
            "The next theme is {name}: its cosine to that centre is {cosine}, {margin} less than to its own."
        )
    else:
        text = _(
            "It stands between two: the centre of {name} is even nearer, with a cosine of {cosine}. Groups grow from neighbours, not from centres alone."
        )
    return text.format(
        name=told.second_name,
        cosine=decimal(told.second_similarity or 0.0, lang),
        margin=decimal(margin, lang),
    )


def _neighbour(sentence: str, near: Neighbour, lang: str) -> str:
    _ = words(lang).gettext
    shared = (
        _("both have: {words}").format(words=listed(near.shared))
        if near.shared
        else _("no word in common that says something")
    )
    return sentence.format(
        id=one_line(near.id),
        name=near.name,
        cosine=decimal(near.similarity, lang),
        shared=shared,
        text=quoted_text(near.text, lang),
    )
