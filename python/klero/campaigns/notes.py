"""What must a person know of the input before they read the result?

Notes are made where contributions and votes are read (`klero.campaigns.units`, `klero.campaigns.votes_table`), as a key with a number; here they become
sentences. None of them stops a search: nothing is lost, and each says what it means for what can be seen.

>>> note_words({"times-missing": 1, "authors-missing": 1203}, "fr")[1:]
['1\\u202f203 contributions ne nomment aucun compte\\xa0; chacune compte pour une voix à part.']
"""

from __future__ import annotations

from collections.abc import Mapping

from klero.words import number, words

__all__ = ["note_words"]


def note_words(notes: Mapping[str, int], lang: str) -> list[str]:
    """A sentence for each note, in their order; a key without words is passed over."""
    told = []
    for key, count in notes.items():
        text = (
            _few(key, count, lang)
            or _authors(key, count, lang)
            or _times(key, count, lang)
            or _votes(key, count, lang)
        )
        if text:
            told.append(text.format(n=number(count, lang)))
    return told


def _few(key: str, n: int, lang: str) -> str | None:
    plural = words(lang).ngettext
    match key:
        case "few":
            return plural(
                "There is only {n} voice: groups are compared with what the consultation itself has, and here that is too little. Nothing can be concluded "
                "from these texts, neither that there is a campaign nor that there is none.",
                "There are only {n} voices: groups are compared with what the consultation itself has, and here that is too little. Nothing can be concluded "
                "from these texts, neither that there is a campaign nor that there is none.",
                n,
            )
        case "empty":
            return plural(
                "{n} contribution has no word in it. It is in the tables, and in no group.",
                "{n} contributions have no word in them. They are in the tables, and in no group.",
                n,
            )
        case "stances-unread":
            return plural(
                "{n} stance can't be read and counts as unknown.",
                "{n} stances can't be read and count as unknown.",
                n,
            )
        case "no-question":
            return words(lang).gettext(
                "No column says which question a contribution answers, so texts are compared within themes that are made from them. These tell subjects "
                "apart less well, and less is found."
            )
        case "one-question":
            return words(lang).gettext(
                "All contributions answer one question, so texts are compared within themes that are made from them."
            )
    return None


def _authors(key: str, n: int, lang: str) -> str | None:
    _, plural = words(lang).gettext, words(lang).ngettext
    match key:
        case "no-author":
            return _(
                "No column says who wrote what, so each contribution counts as a voice of its own: somebody who writes several times looks like several "
                "people. Give the column of authors (pseudonyms will do)."
            )
        case "authors-missing":
            return plural(
                "{n} contribution names no account and counts as a voice of its own.",
                "{n} contributions name no account; each counts as a voice of its own.",
                n,
            )
        case "one-author":
            return _(
                "All {n} contributions name one account, so they are one voice, and no group of voices can be tested. If it is the account of whoever put the "
                "table together, leave that column out."
            )
    return None


def _times(key: str, n: int, lang: str) -> str | None:
    _, plural = words(lang).gettext, words(lang).ngettext
    match key:
        case "no-time":
            return _("No contribution says when it was made, so time could not be tested.")
        case "constant-time":
            return _(
                "All contributions have the same time, so time could not be tested. It is often that of the export: is there another column?"
            )
        case "times-missing":
            return plural(
                "{n} contribution has no time, and is left out where time is tested.",
                "{n} contributions have no time, and are left out where time is tested.",
                n,
            )
        case "times-unread":
            return plural(
                "{n} time can't be read and counts as unknown.",
                "{n} times can't be read and count as unknown.",
                n,
            )
        case "times-zoneless":
            return plural(
                "{n} time has no zone beside others that have one: it counts as UTC and may be hours off.",
                "{n} times have no zone beside others that have one: they count as UTC and may be hours off.",
                n,
            )
    return None


def _votes(key: str, n: int, lang: str) -> str | None:
    _, plural = words(lang).gettext, words(lang).ngettext
    match key:
        case "votes-are-counts":
            return _(
                "The contributions have a column of votes, which says how many voted and not who: it is not used. Who votes alike can be tested with a "
                "table of who voted what."
            )
        case "voters-unknown":
            return _(
                "No account of the votes is an author of a contribution, so votes and texts could not be compared. Are both tables under the same names?"
            )
        case "votes-replaced":
            return plural(
                "{n} vote was replaced by a later one of the same voter on the same thing.",
                "{n} votes were replaced by later ones of the same voters on the same things.",
                n,
            )
        case "votes-anonymous":
            return plural(
                "{n} vote names no voter and is not used.", "{n} votes name no voter and are not used.", n
            )
        case "votes-blank":
            return plural(
                "{n} row of votes has no vote, or not on what, and is not used.",
                "{n} rows of votes have no vote, or not on what, and are not used.",
                n,
            )
        case "votes-times-unread":
            return plural(
                "{n} time of a vote can't be read; that vote counts as earlier than others.",
                "{n} times of votes can't be read; those votes count as earlier than others.",
                n,
            )
    return None
