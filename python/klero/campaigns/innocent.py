"""What else could explain a group, and what would tell? Picked by what kind of group it is and by what is known of it.

Every group has explanations that make it innocent, and most groups are. They are questions for a person to look into, the likeliest first; the
rules that pick them are written out below, use no model, and look at nothing but the group's kind, times, texts and tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from klero.words import words

if TYPE_CHECKING:
    from klero.campaigns.result import Campaign

__all__ = ["Known", "explanation", "innocent", "settles", "settling"]

_MOST = 6
_HOURS = 24.0  # a class or a meeting is over in a day
_TAKEN_UP = 0.35  # of the words of a text, so many are the question's
_LATE = 0.9  # of the time of the consultation


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a group beside its tests.

    Attributes:
        half_hours: length of the shortest stretch of time in which half of its texts came; None without times.
        place: where that stretch lies in the consultation, 0 the beginning and 1 the end; None without times.
        words: words of the text in the middle.
        asked: share of its different words that stand in the question.
        sides: stances that occur in it (for, against, neutral).
    """

    half_hours: float | None = None
    place: float | None = None
    words: int = 0
    asked: float = 0.0
    sides: int = 0


def innocent(group: Campaign, known: Known) -> tuple[str, ...]:
    """Codes of the explanations to check, the likeliest first, at most six."""
    kind = group.candidate.kind
    short = group.short or 0 < known.words <= 12
    hours = known.half_hours is not None and known.half_hours <= _HOURS
    tested = {channel.name for channel in group.channels if channel.p is not None and channel.p <= 0.05}
    letter = kind in ("copies", "template")
    rules = (
        ("common", kind != "votes" and short),
        ("question", known.asked >= _TAKEN_UP),
        ("form", kind == "copies" or (kind == "template" and known.sides > 1)),
        ("petition", letter),
        ("reminder", hours and known.place is not None and known.place >= _LATE),
        ("class", kind != "votes" and hours and group.raw <= 60),
        ("event", kind != "votes" and hours),
        ("staff", kind != "votes" and (hours or bool(tested & {"coaction", "metadata"}))),
        ("family", kind != "votes" and group.raw <= 8),
        ("article", letter and known.words >= 15),
        ("community", kind == "paraphrase"),
        ("helper", kind in ("paraphrase", "template")),
        ("connection", "metadata" in tested),
        ("guidance", kind == "votes" or bool(tested & {"votes", "coaction"})),
        ("order", kind == "votes"),
        ("opinion", kind == "votes"),
        ("event", kind == "paraphrase"),
        ("appeal", kind == "paraphrase"),
    )
    return tuple(dict.fromkeys(code for code, holds in rules if holds))[:_MOST]


def explanation(code: str, lang: str) -> tuple[str, str]:
    """An explanation, and how to check it."""
    return {**_of_sources(lang), **_of_moments(lang), **_of_ways(lang)}[code]


def _of_sources(lang: str) -> dict[str, tuple[str, str]]:
    """Where a common text may come from."""
    _ = words(lang).gettext
    return {
        "petition": (
            _(
                "A petition or a letter that an association, a union, a town hall or neighbours offered to sign or to copy."
            ),
            _(
                "Look for one of its sentences on the web and in the social networks; ask the associations that follow the subject."
            ),
        ),
        "form": (
            _(
                "The platform's own text: an answer filled in beforehand, an example, a button, an import done twice."
            ),
            _("Look at the form as it was on those days, and ask whoever runs the platform."),
        ),
        "article": (
            _("A press article, a law or a report that many quote."),
            _("Look for the longest common sentence, and when it was first published."),
        ),
        "question": (
            _("The question's own wording, which many answers take up."),
            _("Read the texts without the words of the question: what remains in common?"),
        ),
        "common": (
            _("A short answer that many people would give in the same words."),
            _("Look whether the answer is the obvious one to this question."),
        ),
        "appeal": (
            _(
                "An appeal that gave arguments and asked everybody to put them in their own words, as associations do."
            ),
            _("Look for an appeal with these arguments, published before the first of these texts."),
        ),
    }


def _of_moments(lang: str) -> dict[str, tuple[str, str]]:
    """How people may come to write at the same time, or by the same hand."""
    _ = words(lang).gettext
    return {
        "class": (
            _("A school class, a workshop or a public meeting where people wrote together."),
            _("Compare the day and the hour with the agenda of schools, associations and meetings."),
        ),
        "family": (
            _("One person who wrote for a family, or for people who don't use the internet."),
            _("Ask the organisers whether contributions were taken on behalf of others."),
        ),
        "staff": (
            _(
                "Paper contributions or notes of a meeting, typed in one after the other by the organisers' staff."
            ),
            _("Ask who typed in contributions, when, and under which accounts."),
        ),
        "event": (
            _(
                "An event or the news: people who don't know each other wrote about the same thing in the same hours."
            ),
            _("Look at the news of those days, and at how other contributions rose with it."),
        ),
        "reminder": (
            _("A reminder, a newsletter or the last hours before the end, when everybody writes."),
            _("Compare with the dates of reminders and with the end of the consultation."),
        ),
        "connection": (
            _(
                "One connection for many people: a town hall, a library, a school, a company, a mobile network."
            ),
            _("Ask whoever runs the platform what the shared value stands for."),
        ),
    }


def _of_ways(lang: str) -> dict[str, tuple[str, str]]:
    """How people may come to the same words or the same votes each by themselves."""
    _ = words(lang).gettext
    return {
        "helper": (
            _(
                "The same writing help: a translation or a writing assistant gives people who don't know each other the same turn of phrase."
            ),
            _(
                "Compare what the texts say, not how they say it: do they give the same arguments in the same order?"
            ),
        ),
        "community": (
            _(
                "People of one trade, one association or one neighbourhood, who speak of the same thing in the same terms."
            ),
            _("Look whether the terms are those of a trade or of a place."),
        ),
        "guidance": (
            _(
                "A recommendation of an association or a party, which people follow because they agree with it."
            ),
            _("Look for a published recommendation on the things voted on."),
        ),
        "order": (
            _("The order in which the platform showed things: whoever stopped early voted on the same ones."),
            _("Ask in which order things were shown, and whether it was the same for all."),
        ),
        "opinion": (
            _(
                "One strong opinion that decides many votes: people who hold it agree on all that follows from it."
            ),
            _("Look whether the votes they share are all on one subject."),
        ),
    }


def settling(group: Campaign) -> tuple[str, ...]:
    """Codes of what would settle the question for a group."""
    kind = group.candidate.kind
    told = ["source"] if kind != "votes" else ["guidance"]
    told.append("ask")
    told.append("host")
    if any(channel.p is None and channel.why_not == "no-time" for channel in group.channels):
        told.append("times")
    if any(channel.p is None and channel.why_not == "no-author" for channel in group.channels):
        told.append("authors")
    return tuple(told)


def settles(code: str, lang: str) -> str:
    """One thing that would settle the question."""
    _ = words(lang).gettext
    return {
        "source": _(
            "The source itself: a page, a letter or a form with this text, published before the first of these contributions. "
            "If somebody openly offered it, it is a declared petition."
        ),
        "guidance": _("A published recommendation: if there is one, people followed it openly."),
        "ask": _(
            "A friendly question by the organisers to a few of these people, drawn by lot, and to a few others for comparison: «How did you come to write?»"
        ),
        "host": _(
            "What whoever runs the platform knows of these days: imports, forms filled in beforehand, connections, mailings."
        ),
        "times": _(
            "The times of the contributions, which were not given: with them, one more test can be made."
        ),
        "authors": _(
            "The accounts of the contributions, which were not given: with them, each account would count once."
        ),
    }[code]
