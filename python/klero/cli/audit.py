"""`klero audit`: what to check beyond what cryptography can prove."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from klero.cli.output import LANG, format_option, note, print_json, table

if TYPE_CHECKING:
    from klero.ledger.record import Record
    from klero.ledger.sample import Sample


@click.group()
def audit() -> None:
    """Check against the world what no computation can: that the registered people exist.

    \b
    Examples:
      klero audit sample --confidence 0.95 --rate 0.05
      klero audit sample record
    """


@audit.command()
@click.argument("record", type=click.Path(), required=False)
@click.option("--confidence", default="0.95", show_default=True, metavar="P", help="How sure to be.")
@click.option(
    "--rate",
    default="0.05",
    show_default=True,
    metavar="P",
    help="The rate of ghosts that must not go unnoticed.",
)
@click.option("--leaves", type=int, metavar="N", help="How many leaves there are, where there is no record.")
@click.option(
    "--seed",
    metavar="TEXT",
    help="Choose them by this text, settled in public after the commitment. Default: the record's draw.",
)
@click.option(
    "--checked", type=int, metavar="N", help="How many were checked in the end. Default: the sample."
)
@click.option(
    "--found", type=int, metavar="K", help="How many of them were ghosts: say what that allows to say."
)
@LANG
@format_option
def sample(
    record: str | None,
    confidence: str,
    rate: str,
    leaves: int | None,
    seed: str | None,
    checked: int | None,
    found: int | None,
    lang: str,
    form: str,
) -> int:
    """How many leaves of RECORD to check against real people, which ones (with their ids where sealed/ is there), and what the result allows to say.

    \b
    Examples:
      klero audit sample --confidence 0.95 --rate 0.05
      klero audit sample record
      klero audit sample --leaves 2000 --seed "dice 3 5 1 6 2 4 4 1 of 2 May"
      klero audit sample record --found 1
    """
    from klero.ledger.sample import finding_words, sample_leaves, share_of, size_words
    from klero.words import words

    if record is not None and leaves is not None:
        raise click.UsageError("Give either RECORD or --leaves N.")
    if record is None and leaves is None and seed is not None:
        raise click.UsageError("--seed chooses leaves: give RECORD or --leaves N as well.")
    facts = _facts(record) if record is not None else None
    chosen = sample_leaves(
        share_of(confidence, "--confidence"), share_of(rate, "--rate"), record=facts, people=leaves, seed=seed
    )
    cases = [found] if found is not None else [k for k in range(4) if k <= (checked or chosen.size)]
    said = [(k, finding_words(chosen, k, lang, checked=checked)) for k in cases]
    if form == "json":
        print_json(_data(chosen, said))
        return 0
    _ = words(lang).gettext
    click.echo(size_words(chosen, lang))
    if chosen.numbers:
        headings = [
            _("Leaf"),
            *([_("Pseudonym (leaf)")] if chosen.leaves else []),
            *([_("Person")] if chosen.ids else []),
        ]
        lines = [
            [str(i), *chosen.leaves[j : j + 1], *(who or _("erased") for who in chosen.ids[j : j + 1])]
            for j, i in enumerate(chosen.numbers)
        ]
        click.echo(table(headings, lines))
    for _k, text in said:
        click.echo(text)
    note(
        _(
            "A ghost is a leaf behind which no real, entitled person is found. Count a person who can't be reached as a ghost, or say that you don't."
        )
    )
    return 0


def _facts(record: str) -> Record:
    from klero.ledger.record import Record

    return Record.open(record).confirmed()


def _data(chosen: Sample, said: list[tuple[int, str]]) -> dict[str, object]:
    return {
        "schema": "klero-audit-sample/1",
        "people": chosen.people,
        "size": chosen.size,
        "confidence": str(chosen.confidence),
        "rate": str(chosen.rate),
        "seed": chosen.seed.hex(),
        "numbers": list(chosen.numbers),
        "leaves": list(chosen.leaves),
        "ids": list(chosen.ids),
        "findings": [{"found": k, "text": text} for k, text in said],
    }
