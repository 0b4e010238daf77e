"""A seating plan for people: as words, plain text, CSV, data, and one printable HTML file without anything from a network."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING

from klero._files import csv_bytes
from klero.seating.request import column_warnings
from klero.words import percent, words

if TYPE_CHECKING:
    from klero.seating.plan import SeatingPlan

__all__ = [
    "explain_person",
    "explain_plan",
    "plan_body",
    "plan_csv",
    "plan_data",
    "plan_html",
    "plan_json",
    "plan_text",
]

_STYLE = """
body { font: 11pt/1.4 system-ui, sans-serif; color: #000; background: #fff; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
section { break-inside: avoid-page; margin-top: 1.5rem }
.tables { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .6rem }
.table { border: 1px solid #777; border-radius: .4rem; padding: .3rem .7rem; break-inside: avoid }
.table h3 { font-size: 1em; margin: 0 0 .2rem }
.table ul { list-style: none; margin: 0; padding: 0 }
table { border-collapse: collapse } th, td { border: 1px solid #aaa; padding: .1rem .6rem; text-align: left }
thead { display: table-header-group } tr { break-inside: avoid }
@media print {
  @page { margin: 12mm }
  body { font-size: 9pt; line-height: 1.25; max-width: none; margin: 0; padding: 0 }
  h1 { font-size: 14pt; margin: 0 } h2 { font-size: 11pt; margin: 0 0 .3rem; break-after: avoid } p { margin: .3rem 0 }
  section { margin-top: .6rem } section:first-of-type { break-inside: auto }
  .tables { display: block; columns: 15em; column-gap: .5rem } /* a grid leaves the rest of a page empty below each row */
  .table { margin-bottom: .4rem; padding: .2rem .5rem } .table li { padding-left: 1em; text-indent: -1em }
  td, th { padding: 0 .5rem }
}
"""


def explain_plan(plan: SeatingPlan, lang: str = "en") -> str:
    """The score of a plan in sentences."""
    _ = words(lang).gettext
    plural = words(lang).ngettext
    request, score = plan.request, plan.score
    share = percent(Fraction(score.pairs_met, score.bound) if score.bound else Fraction(1), lang)
    lines = [
        _("People: {people}; tables: {tables}; sessions: {sessions}.").format(
            people=len(plan.ids), tables=request.tables, sessions=request.sessions
        ),
        _("{met} different pairs meet; no plan could have more than {bound} ({share}).").format(
            met=score.pairs_met, bound=score.bound, share=share
        ),
    ]
    if score.repeats:
        lines.append(
            plural(
                "{n} meeting is of a pair that met before; no pair meets in more than {most} sessions.",
                "{n} meetings are of pairs that met before; no pair meets in more than {most} sessions.",
                score.repeats,
            ).format(n=score.repeats, most=score.most_meetings)
        )
    else:
        lines.append(_("Nobody meets anybody twice."))
    lines += wish_unmet(plan, lang)
    if request.mix:
        names = ", ".join(name for name, _values in request.mix)
        if score.mixing:
            text = plural(
                "By {n} person in all, tables are outside their share of: {names}.",
                "By {n} people in all, tables are outside their share of: {names}.",
                score.mixing,
            )
        else:
            text = _("Every table has its share of each value of: {names}.")
        lines.append(text.format(n=score.mixing, names=names))
    if request.cluster:
        names = ", ".join(name for name, _values in request.cluster)
        if score.cluster:
            text = plural(
                "{n} table more than needed has people of one value of: {names}.",
                "{n} tables more than needed have people of one value of: {names}.",
                score.cluster,
            )
        else:
            text = _("People of one value sit at as few tables as can be: {names}.")
        lines.append(text.format(n=score.cluster, names=names))
    return "\n".join(lines)


def wish_unmet(plan: SeatingPlan, lang: str = "en") -> list[str]:
    """A sentence if pairs meet more often than was wished."""
    if not plan.over_wish:
        return []
    text = words(lang).ngettext(
        "The wish that no pair meets in more than {most} sessions is not kept: {n} pair does.",
        "The wish that no pair meets in more than {most} sessions is not kept: {n} pairs do.",
        plan.over_wish,
    )
    return [text.format(most=plan.request.most_meetings, n=plan.over_wish)]


def explain_person(plan: SeatingPlan, person: str, lang: str = "en") -> str:
    """Where a person sits, and whom they meet when."""
    _ = words(lang).gettext
    mine = plan.person(person)
    show = _shown(plan)
    lines = [
        _("{person} meets {met} of {others} others.").format(
            person=show(mine.person), met=len(mine.meets), others=mine.others
        )
    ]
    for s, table in enumerate(mine.tables, start=1):
        if table is None:
            lines.append(_("Session {session}: absent.").format(session=s))
            continue
        people = ", ".join(show(other) for other, when in mine.meets if s in when)
        text = (
            _("Session {session}: table {table}, with {people}.")
            if people
            else _("Session {session}: table {table}.")
        )
        lines.append(text.format(session=s, table=table, people=people))
    again = [(other, when) for other, when in mine.meets if len(when) > 1]
    if again:
        told = ", ".join(f"{show(other)} ({', '.join(map(str, when))})" for other, when in again)
        lines.append(_("In more than one session: {people}.").format(people=told))
    return "\n".join(lines)


def plan_text(plan: SeatingPlan, lang: str = "en") -> str:
    """The tables of each session with who sits there, one line a table."""
    _ = words(lang).gettext
    show = _shown(plan)
    lines = []
    for s, tables, absent in _sessions(plan):
        lines.append(_("Session {session}").format(session=s))
        for t, people in enumerate(tables, start=1):
            names = ", ".join(map(show, people))
            lines.append("  " + _("Table {table}: {people}").format(table=t, people=names))
        if absent:
            lines.append("  " + _("Absent: {people}").format(people=", ".join(map(show, absent))))
    return "\n".join(lines)


def plan_csv(plan: SeatingPlan) -> bytes:
    """A row for each person and a column for each session with the table's number; UTF-8 with a mark, as spreadsheets want it."""
    rows = []
    sessions = [f"session_{s}" for s in range(1, plan.request.sessions + 1)]
    for p, person in enumerate(plan.ids):
        tables = ["" if row[p] is None else str((row[p] or 0) + 1) for row in plan.seats]
        rows.append([person, *([plan.labels[p]] if plan.labels else []), *tables])
    headings = ["id", *(["label"] if plan.labels else []), *sessions]
    return csv_bytes(headings, rows, spreadsheet=True)


def plan_data(plan: SeatingPlan) -> dict[str, object]:
    """The plan and its score as data."""
    request, score = plan.request, plan.score
    return {
        "schema": "klero-seating/1",
        "algorithm": plan.algorithm,
        "input_digest": plan.input_digest,
        "seed": request.seed,
        "effort": request.effort,
        "tables": request.tables,
        "mix": [name for name, _ in request.mix],
        "cluster": [name for name, _ in request.cluster],
        "most_meetings_wished": request.most_meetings,
        "pairs_over_wish": plan.over_wish,
        "warnings": list(column_warnings(request)),
        "score": {name: getattr(score, name) for name in score.__slots__},
        "sessions": [
            {"session": s, "tables": [list(people) for people in tables], "absent": list(absent)}
            for s, tables, absent in _sessions(plan)
        ],
    }


def plan_json(plan: SeatingPlan) -> bytes:
    """:func:`plan_data` as JSON."""
    return (json.dumps(plan_data(plan), ensure_ascii=False, indent=2) + "\n").encode()


def plan_html(plan: SeatingPlan, lang: str = "en") -> bytes:
    """One file to print: the tables of each session, then everybody's tables."""
    title = escape(words(lang).gettext("Seating plan"))
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title><style>{_STYLE}</style>'
    page = f'<!doctype html>\n<html lang="{lang}"><head>{head}</head>\n<body><h1>{title}</h1>\n{plan_body(plan, lang)}</body></html>\n'
    return page.encode()


def plan_body(plan: SeatingPlan, lang: str) -> str:
    """What the page holds, without head and title."""
    _ = words(lang).gettext
    show = _shown(plan)

    def listed(people: tuple[str, ...]) -> str:
        return "<ul>" + "".join(f"<li>{escape(show(person))}</li>" for person in people) + "</ul>"

    parts = [f"<p>{'<br>'.join(map(escape, explain_plan(plan, lang).splitlines()))}</p>"]
    for s, tables, absent in _sessions(plan):
        boxes = "".join(
            f'<div class="table"><h3>{escape(_("Table {table}").format(table=t))}</h3>{listed(people)}</div>'
            for t, people in enumerate(tables, start=1)
        )
        missing = _("Absent: {people}").format(people=", ".join(map(show, absent)))
        parts.append(
            f'<section><h2>{escape(_("Session {session}").format(session=s))}</h2><div class="tables">{boxes}</div>'
            f"{f'<p>{escape(missing)}</p>' if absent else ''}</section>\n"
        )
    numbers = range(1, plan.request.sessions + 1)
    heads = "".join(
        f'<th scope="col">{escape(_("Session {session}").format(session=s))}</th>' for s in numbers
    )
    rows = "".join(
        f'<tr><th scope="row">{escape(show(person))}</th>'
        + "".join(f"<td>{'' if row[p] is None else (row[p] or 0) + 1}</td>" for row in plan.seats)
        + "</tr>\n"
        for p, person in enumerate(plan.ids)
    )
    heading = escape(_("Everybody's tables"))
    head = f'<thead><tr><th scope="col">{escape(_("Person"))}</th>{heads}</tr></thead>'
    parts.append(f"<section><h2>{heading}</h2><table>{head}<tbody>{rows}</tbody></table></section>\n")
    return "".join(parts)


def _shown(plan: SeatingPlan) -> Callable[[str], str]:
    """How a person is written: the id, and the label where there is one."""
    labels = dict(zip(plan.ids, plan.labels, strict=False))
    return lambda person: f"{person} {labels[person]}" if labels.get(person) else person


def _sessions(plan: SeatingPlan) -> Iterator[tuple[int, list[tuple[str, ...]], tuple[str, ...]]]:
    """Each session from 1 with the people at each table and those absent."""
    for s, row in enumerate(plan.seats):
        at: list[list[str]] = [[] for _ in range(plan.request.tables)]
        for person, t in zip(plan.ids, row, strict=True):
            if t is not None:
                at[t].append(person)
        yield (
            s + 1,
            [tuple(people) for people in at],
            tuple(plan.ids[p] for p in sorted(plan.request.absent[s])),
        )
