"""`klero log`: who is in which state, and whether the log was changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from klero.cli.output import LANG, format_option, note, print_json, written

if TYPE_CHECKING:
    from klero.ledger.log import StateLog
    from klero.ledger.states import Event
    from klero.tables import Table

_COLUMNS = ("person", "to", "reason", "round", "time")


@click.command()
@click.argument("file", type=click.Path())
@click.option("--person", metavar="ID", help="One person's history.")
@click.option("--people", is_flag=True, help="Everybody's state, not the counts alone.")
@click.option("--verify", "check", is_flag=True, help="Check the log. Exit code 1 if a check fails.")
@click.option("--head", metavar="HASH", help="With --verify: a head published before; the log must hold it.")
@click.option(
    "--append",
    "table",
    type=click.Path(),
    metavar="TABLE",
    help="Add the steps of a table: columns person, to, reason, and round and time unless given below.",
)
@click.option(
    "--start",
    type=click.Path(),
    metavar="BUNDLE",
    help="Add everybody of BUNDLE as volunteered, its panel as selected.",
)
@click.option(
    "--time", metavar="TIME", help="When, in UTC, as 2026-05-01T09:00:00Z. Never taken from the clock."
)
@click.option("--round", "round_", type=int, metavar="N", help="The round of the steps of the table.")
@click.option("--title", default="", metavar="TEXT", help="Title of a log that is begun.")
@LANG
@format_option
def log(
    file: str,
    person: str | None,
    people: bool,
    check: bool,
    head: str | None,
    table: str | None,
    start: str | None,
    time: str | None,
    round_: int | None,
    title: str,
    lang: str,
    form: str,
) -> int:
    """Show, check or continue FILE, a log of states: invited, volunteered, selected, confirmed, withdrawn, replaced.

    \b
    Examples:
      klero log states.jsonl --start bundle --time 2026-05-01T09:00:00Z
      klero log states.jsonl --append left.csv --round 1 --time 2026-05-02T09:00:00Z
      klero log states.jsonl
      klero log states.jsonl --person P017 --lang fr
      klero log states.jsonl --verify --head 9f2c…
    """
    from klero.ledger.log import append_log, read_log

    if sum((person is not None, people, check, table is not None, start is not None)) > 1:
        raise click.UsageError("Give one of --person, --people, --verify, --append and --start.")
    if head is not None and not check:
        raise click.UsageError("--head goes with --verify.")
    if check:
        return _verify(file, head, form)
    events: list[Event] | None = None
    name = ""
    if start is not None:
        events = _from_bundle(start, time or "")
    elif table is not None:
        from klero.tables import read_table

        steps = read_table(table)
        events, name = _from_table(steps, time, round_), steps.name
    if events is None:
        book = read_log(file)
    else:
        before = _length(file)
        book = append_log(file, events, title=title, name=name)
        written.append(file)
        note(
            f"{len(book) - before} steps added to {file}. Publish the head, so that nobody can take lines off the end."
        )
    _show(book, person, people, lang, form)
    return 0


def _length(file: str) -> int:
    from pathlib import Path

    from klero.ledger.log import read_log

    return len(read_log(file)) if Path(file).exists() else 0


def _verify(file: str, head: str | None, form: str) -> int:
    from klero.ledger.log import verify_log

    result = verify_log(file, head=head)
    if form == "json":
        print_json(
            {"ok": result.ok, "checks": [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in result]}
        )
        return 0 if result.ok else 1
    for c in result:
        click.echo(f"{'ok  ' if c.ok else 'FAIL'}  {c.name:<12}  {c.detail}".rstrip())
    failed = result.failed
    click.echo(f"NOT VALID: the check «{failed.name}» fails." if failed else "All checks passed.")
    if failed is None and head is None:
        note(
            "A chain can't show that lines were taken off its end, or that all of it was written anew: compare a published head (--head)."
        )
    return 1 if failed else 0


def _show(book: StateLog, person: str | None, people: bool, lang: str, form: str) -> None:
    if form == "json":
        data: dict[str, object] = {
            "schema": "klero-log-summary/1",
            "title": book.title,
            "head": book.head,
            "entries": len(book),
            "round": book.round,
            "counts": book.counts(),
            "states": dict(book.states),
        }
        if person is not None:
            data["person"] = person
            data["history"] = [
                {"sequence": e.sequence, "from": e.came_from, "to": e.to, "time": e.time, "round": e.round}
                | {"reason": e.reason, "record": e.record}
                for e in book.history(person)
            ]
            data["text"] = book.explain(person, lang)
        print_json(data)
        return
    if people:
        from klero.ledger.states import state_name

        click.echo("\n".join(f"{i}\t{state_name(s, lang)}" for i, s in book.states.items()))
        return
    click.echo(book.explain(person, lang))
    note(f"head {book.head}")


def _from_bundle(bundle: str, time: str) -> list[Event]:
    """Everybody as volunteered, and the panel, if it was drawn, as selected."""
    import json

    from klero.ledger.folder import DRAW_FILE, read_bundle
    from klero.ledger.load import load_lottery
    from klero.ledger.states import Event

    instance = load_lottery(bundle).instance
    record = read_bundle(bundle).get(DRAW_FILE)
    events = [Event(person=i, to="volunteered", time=time, reason="in-pool") for i in instance.ids]
    if record is not None:
        drawn = json.loads(record)
        events += [
            Event(person=i, to="selected", time=time, reason="drawn", record=drawn["commitment"])
            for i in drawn["panel"]
        ]
    return events


def _from_table(table: Table, time: str | None, round_: int | None) -> list[Event]:
    from klero.errors import Fault, InputError, quoted
    from klero.ledger.states import Event

    given = {"time": time, "round": None if round_ is None else str(round_)}
    faults = []
    for column in _COLUMNS:
        if column not in table.columns and given.get(column) is None:
            there = ", ".join(map(quoted, table.columns))
            also = f" (or give --{column})" if column in given else ""
            message = f"there is no column {quoted(column)}{also}. Steps need person, to, reason, round and time; here are {there}."
            faults.append(Fault("column-missing", message, table.name, column=column))
        elif column in table.columns and given.get(column) is not None:
            message = f"there is a column {quoted(column)}, and --{column} is given. Leave one out."
            faults.append(Fault("column-missing", message, table.name, column=column))
    if faults:
        raise InputError(faults)
    cells = {
        column: table.column(column) if column in table.columns else (given[column] or "",) * len(table)
        for column in _COLUMNS
    }
    for text, row in zip(cells["round"], table.row_numbers, strict=True):
        if not (text.isascii() and text.isdigit() and len(text) <= 6):
            message = f"the round {quoted(text)} must be a whole number: 0 for the first draw, then 1, 2, …"
            faults.append(Fault("round-invalid", message, table.name, row, "round", text))
    if faults:
        raise InputError(faults)
    return [
        Event(person=person, to=to, reason=reason, round=int(number), time=when)
        for person, to, reason, number, when in zip(*(cells[c] for c in _COLUMNS), strict=True)
    ]
