"""`klero rfc3797`: replay a draw made by RFC 3797."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from klero.cli.output import format_option, note, print_json, table

if TYPE_CHECKING:
    from klero.ledger.rfc3797 import Replay

_LIMIT = 1 << 20


@click.command()
@click.option(
    "--seeds",
    required=True,
    type=click.Path(),
    metavar="FILE",
    help="The numbers, a line for each source; # begins a comment.",
)
@click.option(
    "--names", type=click.Path(), metavar="FILE", help="The names, one a line, in the published order."
)
@click.option("--pool", type=int, metavar="N", help="How many names there are, where they are not at hand.")
@click.option("-n", "--count", required=True, type=int, metavar="N", help="How many are drawn.")
@format_option
def rfc3797(seeds: str, names: str | None, pool: int | None, count: int, form: str) -> int:
    """Replay a draw made by RFC 3797 (publicly verifiable selection, 2004) from its published numbers.

    For checking draws of others. klero's own draws don't use this method: it rests on MD5, favours low numbers (by less than one part in 2^100),
    publishes all names, and commits to nothing but the list.

    \b
    Examples:
      klero rfc3797 --names names.txt --seeds seeds.txt -n 10
      klero rfc3797 --pool 134 --seeds seeds.txt -n 12 --format json
    """
    from pathlib import Path

    from klero.ledger.rfc3797 import read_names, read_seeds, replay

    if (names is None) == (pool is None):
        raise click.UsageError("Give either --names FILE or --pool N.")
    lines = read_seeds(_text(seeds), Path(seeds).name)
    listed = read_names(_text(names), Path(names).name) if names is not None else ()
    draw = replay(lines, count=count, pool=pool, names=listed)
    if form == "json":
        print_json(_data(draw))
        return 0
    click.echo(f"Key is: {draw.key}")
    rows = [
        [str(s.index), s.digest, str(s.divisor), str(s.selected), *([s.name] if listed else [])]
        for s in draw.steps
    ]
    click.echo(table(["index", "MD5", "divisor", "selected", *(["name"] if listed else [])], rows))
    note(
        f"Entropy: about {draw.needed} bits needed; the numbers seem to have had about {draw.shown} (if nobody chose them)."
    )
    if draw.shown < draw.needed:
        note(
            "The numbers have less chance in them than there are possible panels: some panels could not have been drawn."
        )
    note(
        "This is RFC 3797's method (MD5, public names, a slight bias to low numbers), replayed. It is not how klero draws."
    )
    return 0


def _text(path: str) -> str:
    from pathlib import Path

    from klero._files import read_file
    from klero.errors import Fault, InputError

    data = read_file(path, _LIMIT)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"it is no text in UTF-8 (byte {error.start}); save it so"
        raise InputError([Fault("encoding-unreadable", message, Path(path).name)]) from None


def _data(draw: Replay) -> dict[str, object]:
    return {
        "schema": "klero-rfc3797/1",
        "key": draw.key,
        "pool": draw.pool,
        "entropy_needed_bits": draw.needed,
        "entropy_shown_bits": draw.shown,
        "steps": [
            {"index": s.index, "md5": s.digest, "divisor": s.divisor, "selected": s.selected, "name": s.name}
            for s in draw.steps
        ],
    }
