"""`klero tables`: who sits at which table in which session?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from klero.cli.output import (
    BIN,
    ID_COLUMN,
    LANG,
    bins_of,
    check_place,
    format_option,
    note,
    print_json,
    progress,
    save,
)

if TYPE_CHECKING:
    from klero.seating.plan import SeatingPlan
    from klero.sortition.pool import Pool

_SUFFIXES = (".csv", ".json", ".html", ".txt")


@click.command()
@click.argument("panel", type=click.Path())
@click.option("--tables", "-t", type=int, required=True, metavar="T", help="Tables in each session.")
@click.option("--sessions", "-s", type=int, required=True, metavar="S", help="Sessions.")
@click.option(
    "--mix",
    multiple=True,
    metavar="COLS",
    help="Columns by which each table is mixed, with commas between them.",
)
@click.option(
    "--cluster",
    multiple=True,
    metavar="COLS",
    help="Columns whose values' people share as few tables as can be.",
)
@click.option(
    "--apart",
    type=click.Path(),
    metavar="FILE",
    help="Groups, one a line, of whom no two ever share a table.",
)
@click.option(
    "--together", type=click.Path(), metavar="FILE", help="Groups, one a line, who always share a table."
)
@click.option(
    "--absent", type=click.Path(), metavar="FILE", help="Who is not there: columns «id» and «session»."
)
@click.option(
    "--most-meetings", type=int, metavar="M", help="Let no pair meet in more than M sessions, if it can be."
)
@click.option(
    "--people",
    type=click.Path(),
    metavar="FILE",
    help="With a bundle: the table with more columns of the people drawn.",
)
@ID_COLUMN
@BIN
@click.option("--label", metavar="COL", help="Column to show beside the ids in printed plans.")
@click.option(
    "--seed",
    default="1",
    show_default=True,
    metavar="TEXT",
    help="Another seed, another plan of the same kind.",
)
@click.option("--effort", type=int, default=1, show_default=True, metavar="N", help="Search N times as long.")
@click.option("--person", metavar="ID", help="Say whom this person meets and when, instead of the plan.")
@click.option(
    "-o", "--output", type=click.Path(), metavar="FILE", help="Write the plan: .csv, .json, .html or .txt."
)
@click.option("--force", is_flag=True, help="Replace a plan that is already there.")
@LANG
@format_option
def tables(
    panel: str,
    tables: int,
    sessions: int,
    mix: tuple[str, ...],
    cluster: tuple[str, ...],
    apart: str | None,
    together: str | None,
    absent: str | None,
    most_meetings: int | None,
    people: str | None,
    id_column: str | None,
    bins: tuple[str, ...],
    label: str | None,
    seed: str,
    effort: int,
    person: str | None,
    output: str | None,
    force: bool,
    lang: str,
    form: str,
) -> int:
    """Split PANEL (a table of people, or a bundle with its draw) into tables, so that people meet as many others as possible.

    \b
    Examples:
      klero tables panel.csv --tables 18 --sessions 6 --mix gender,age -o plan.csv
      klero tables panel.csv --tables 5 --sessions 4 --mix gender --apart apart.csv --lang fr -o plan.html
      klero tables bundle --tables 5 --sessions 4 --mix gender,age --person P017
    """
    from pathlib import Path

    from klero.cli.households import columns_named
    from klero.seating.seat import seat_tables

    if output:
        suffix = Path(output).suffix.lower()
        if suffix not in _SUFFIXES:
            raise click.UsageError(f"-o {output}: the file's name must end in {', '.join(_SUFFIXES)}.")
        check_place(output, panel, people, apart, together, absent, force=force)
    pool = _panel(panel, people, id_column).with_bins(bins_of(bins))
    with progress() as advance:
        plan = seat_tables(
            pool,
            tables,
            sessions,
            mix=columns_named(mix, pool.columns),
            cluster=columns_named(cluster, pool.columns),
            apart=apart or (),
            together=together or (),
            absent=absent or (),
            most_meetings=most_meetings,
            seed=seed,
            effort=effort,
            label=label,
            progress=advance,
        )
    explained = plan.explain(person, lang) if person is not None else None
    if output:
        save(output, _document(plan, suffix, lang), force=force)
    _show(plan, person, explained, output, lang, form)
    return 0


def _document(plan: SeatingPlan, suffix: str, lang: str) -> bytes:
    from klero.seating.report import plan_csv, plan_html, plan_json, plan_text

    match suffix:
        case ".csv":
            return plan_csv(plan)
        case ".json":
            return plan_json(plan)
        case ".html":
            return plan_html(plan, lang)
        case _:
            return f"{plan_text(plan, lang)}\n\n{plan.explain(lang=lang)}\n".encode()


def _show(
    plan: SeatingPlan, person: str | None, explained: str | None, output: str | None, lang: str, form: str
) -> None:
    from klero.seating.report import plan_data, plan_text, wish_unmet
    from klero.seating.request import column_warnings

    shown = False
    if form == "json":
        data = plan_data(plan)
        if person is not None:
            mine = plan.person(person)
            meets = [{"id": other, "sessions": list(when)} for other, when in mine.meets]
            data["person"] = {
                "id": mine.person,
                "tables": list(mine.tables),
                "meets": meets,
                "text": explained,
            }
        print_json(data)
    elif explained is not None:
        click.echo(explained)
    elif output:
        click.echo(plan.explain(lang=lang))
    else:
        click.echo(plan_text(plan, lang))
        note(plan.explain(lang=lang))
        shown = True
    for line in () if shown else wish_unmet(plan, lang):
        note(line)
    for line in column_warnings(plan.request):
        note(f"Warning: {line}")
    if output:
        note(f"Written to {output}.")


def _panel(panel: str, people: str | None, id_column: str | None) -> Pool:
    """The people to seat: a table, or those drawn in a bundle with what the bundle or a table says of them."""
    from pathlib import Path

    from klero.errors import Fault, InputError
    from klero.sortition.pool import Pool

    if not Path(panel).is_dir():
        if people is not None:
            raise click.UsageError("--people goes with a bundle; a table of people needs no other.")
        return Pool.read(panel, id_column)
    drawn, features = _drawn(panel)
    if people is None:
        return Pool.read([{"id": person, **features[person]} for person in drawn], "id", name="panel")
    pool = Pool.read(people, id_column)
    missing = sorted(set(drawn) - set(pool.ids))
    if missing:
        message = f"{len(missing)} people of the panel are not in this table: {', '.join(missing[:5])}{', …' if missing[5:] else ''}."
        raise InputError([Fault("person-unknown", message, pool.name, value=missing[0])])
    return pool.only(drawn)


def _drawn(bundle: str) -> tuple[list[str], dict[str, dict[str, str]]]:
    """The panel of a bundle's draw, and the features of each person that the bundle knows."""
    import json
    from pathlib import Path

    from klero.errors import BundleError
    from klero.ledger.load import load_lottery

    lottery = load_lottery(bundle)
    path = Path(bundle) / "draw.json"
    if not path.exists():
        raise BundleError(f"{bundle} holds no draw yet; draw first: klero draw {bundle} --trial-seed TEXT")
    instance = lottery.instance
    panel = list(json.loads(path.read_bytes())["panel"])
    features = {
        person: {instance.features[f]: instance.values[f][v] for f, v in enumerate(instance.types[t])}
        for person, t in zip(instance.ids, instance.person_type, strict=True)
    }
    return panel, features
