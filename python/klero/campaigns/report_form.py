"""Where a person writes what they conclude: a form on each card, which makes a file that `klero review` reads. It works offline and on paper.

The file: `{"format": "klero-decision/1", "result": digest of the result, "decisions": [{"group", "decision", "reason", "reviewer", "role", "time"}]}`.
`decision` is one of `klero.campaigns.review.DECISIONS`. Without scripts the form is for paper, and the command line takes the same.
"""

from __future__ import annotations

from klero._page import safe
from klero.campaigns.review import DECISIONS
from klero.words import words

__all__ = ["all_decisions", "choice_words", "decision_form"]


def choice_words(decision: str, lang: str) -> str:
    """A decision as the form words it."""
    _ = words(lang).gettext
    return {
        "independent": _(
            "Independent voices: these people came to it each by themselves; each counts in full."
        ),
        "petition": _("A declared petition or letter: an open common text; each signature is a voice."),
        "one-source": _(
            "One source behind several contributions: to be read as fewer voices, its arguments kept."
        ),
        "undecided": _("Can't tell: looked at, and not settled."),
    }[decision]


def decision_form(name: str, lang: str) -> str:
    """The form on the card of a group."""
    _ = words(lang).gettext
    choices = "".join(
        f'<label><input type="radio" name="decision-{safe(name)}" value="{decision}">{safe(choice_words(decision, lang))}</label>\n'
        for decision in DECISIONS
    )
    reason, question = _("Reason: what was checked, and what it showed"), _("What do you conclude?")
    fields = (
        f'<label class="written" for="{safe(name)}-reason">{safe(reason)}</label>'
        f'<textarea id="{safe(name)}-reason" data-field="reason" rows="3" maxlength="2000" autocomplete="off"></textarea>\n'
        + _line(name, "reviewer", _("Reviewer"))
        + _line(name, "role", _("Role of the reviewer (may be empty)"))
    )
    heading = _("Decision of a person on {name}").format(name=name)
    button = _("Make the file of the decision on {name}").format(name=name)
    return (
        f'<div class="decision" role="form" data-group="{safe(name)}" aria-labelledby="{safe(name)}-d"><h4 id="{safe(name)}-d">{safe(heading)}</h4>\n'
        f"<fieldset><legend>{safe(question)}</legend>\n{choices}</fieldset>\n{fields}"
        f'<button type="button" hidden>{safe(button)}</button><output role="status"></output></div>\n'
    )


def _line(name: str, field: str, label: str) -> str:
    place = f"{safe(name)}-{field}"
    return (
        f'<label class="written" for="{place}">{safe(label)}</label>'
        f'<input type="text" id="{place}" data-field="{field}" maxlength="200" autocomplete="off">\n'
    )


def all_decisions(digest: str, lang: str) -> str:
    """The place where one file of all decisions on the page is made, and what to do with it."""
    _ = words(lang).gettext
    saved = _("Made: {file}. Decisions in it: {n}. Nothing was sent.")
    missing = _("Something is missing: choose a conclusion, give a reason and the reviewer's name.")
    told = _(
        "The forms send nothing: they make a small file on this computer. It enters the signed log of decisions, which can be "
        "read by all and opened anew, with:"
    )
    without = _("Where the browser runs no scripts, the same is done by:")
    command = "klero review add review.jsonl --results campaigns.json --from decision.json --key reviewer.key"
    one = 'klero review add review.jsonl --results campaigns.json --group C1 --decision one-source --reason "…" --reviewer "…" --key reviewer.key'
    button = _("Make one file of all decisions on this page")
    return (
        f'<div id="decisions" data-result="{safe(digest)}" data-saved="{safe(saved)}" data-missing="{safe(missing)}">\n'
        f"<p>{safe(told)}</p>\n<p><code>{safe(command)}</code></p>\n"
        f'<button type="button" hidden>{safe(button)}</button><output role="status"></output>\n'
        f"<p>{safe(without)}</p>\n<p><code>{safe(one)}</code></p></div>\n"
    )
