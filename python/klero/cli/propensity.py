"""`klero propensity`: how likely was each volunteer to answer?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from klero.cli.output import ID_COLUMN, LANG, check_place, format_option, note, print_json, save, table

if TYPE_CHECKING:
    from klero.sortition.propensity import Propensities


@click.command()
@click.argument("people", type=click.Path())
@click.argument("margins", type=click.Path())
@click.option("--letters", type=int, required=True, metavar="N", help="Invitations sent.")
@click.option("--population", type=int, required=True, metavar="M", help="People who could be invited.")
@click.option("--size", "-k", type=int, metavar="K", help="Seats: also say what panel is to be expected.")
@click.option(
    "--background", type=click.Path(), metavar="FILE", help="A sample of the population, a row a person."
)
@click.option("--confidence", type=float, default=0.95, show_default=True, help="Of the intervals.")
@click.option("--max-ratio", type=float, metavar="X", help="Cut weights to X times the smallest.")
@click.option(
    "--output", "-o", type=click.Path(), metavar="FILE.csv", help="Write id, weight, q and interval."
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@ID_COLUMN
@LANG
@format_option
def propensity(
    people: str,
    margins: str,
    letters: int,
    population: int,
    size: int | None,
    background: str | None,
    confidence: float,
    max_ratio: float | None,
    output: str | None,
    force: bool,
    id_column: str | None,
    lang: str,
    form: str,
) -> int:
    """Estimate from PEOPLE and the population's MARGINS how likely each volunteer was to answer.

    MARGINS has the columns feature, value and share (or count).

    \b
    Examples:
      klero propensity people.csv margins.csv --letters 30000 --population 500000 -o weights.csv
      klero propensity people.csv margins.csv --letters 30000 --population 500000 --size 110 --lang fr
    """
    from klero.sortition.pool import Pool
    from klero.sortition.propensity import estimate_propensities

    if output:
        check_place(output, people, margins, background, force=force)
    pool = Pool.read(people, id=id_column)
    found = estimate_propensities(pool, margins, letters, population, background, confidence, max_ratio)
    if size is not None:
        found.target(size)  # refuses a size that does not fit
    if output:
        save(output, _csv(found), force=force)
        note(f"Weights written to {output}.")
    if form == "json":
        print_json(_data(found, size))
    else:
        click.echo(_words(found, size, lang))
    return 0


def _csv(found: Propensities) -> bytes:
    from math import isnan

    from klero._files import csv_bytes

    rows = zip(found.ids, found.weights, found.q, found.low, found.high, strict=True)
    written = ([row[0], row[1], *("" if isnan(v) else f"{v:.6g}" for v in row[2:])] for row in rows)
    return csv_bytes(["id", "weight", "q", "q_low", "q_high"], written)


def _data(found: Propensities, size: int | None) -> dict[str, object]:
    panel = None if size is None else found.composition(found.target(size))
    pool = found.composition([1.0] * len(found.ids))
    data: dict[str, object] = {
        "schema": "klero-propensity-1",
        "algorithm": found.algorithm,
        "method": found.method,
        "people": len(found.ids),
        "letters": found.letters,
        "population": found.population,
        "q_min": float(found.q.min()),
        "q_max": float(found.q.max()),
        "confidence": found.confidence,
        "clipped": list(found.clipped),
        "values": [
            {
                "feature": m.feature,
                "value": m.value,
                "population_share": m.share,
                "volunteers": m.volunteers,
                "pool_share": pool[i],
                "factor": found.factors[m.feature, m.value],
                **({} if panel is None else {"expected_panel_share": panel[i]}),
            }
            for i, m in enumerate(found.margins)
        ],
    }
    if size is not None:
        data |= {
            "size": size,
            "alpha": found.alpha(size),
            "equal_chances_possible": found.guarantee_holds(size),
        }
    return data


def _words(found: Propensities, size: int | None, lang: str) -> str:
    from fractions import Fraction

    from klero.words import percent, words

    _ = words(lang).gettext

    def share(value: float) -> str:
        return percent(Fraction(value), lang)

    pool = found.composition([1.0] * len(found.ids))
    panel = None if size is None else found.composition(found.target(size))
    headings = [_("feature"), _("value"), _("population"), _("pool"), _("answers, times the mean")]
    rows = [
        [m.feature, m.value, share(m.share), share(pool[i]), f"{found.factors[m.feature, m.value]:.2f}"]
        for i, m in enumerate(found.margins)
    ]
    if panel is not None:
        headings.append(_("panel by weights"))
        rows = [[*row, share(panel[i])] for i, row in enumerate(rows)]
    lines = [
        _(
            "{people} of {letters} people invited volunteered: {share}. Estimates go from {low} to {high}."
        ).format(
            people=len(found.ids),
            letters=found.letters,
            share=share(len(found.ids) / found.letters),
            low=share(float(found.q.min())),
            high=share(float(found.q.max())),
        ),
        table(headings, rows),
    ]
    if size is not None:
        lines.append(
            _(
                "alpha = letters × smallest estimate / seats = {alpha}: the larger, the nearer to equal chances."
            ).format(alpha=f"{found.alpha(size):.2f}")
        )
        lines.append(
            _("Leaving quotas aside, all could have the same chance from invitation to seat.")
            if found.guarantee_holds(size)
            else _("Some volunteers stand for so many people that not all can have the same chance.")
        )
    if found.small_cells:
        lines.append(
            _("Few volunteers, so very uncertain: {values}.").format(
                values=", ".join(f"{m.feature}: {m.value} ({m.volunteers})" for m in found.small_cells)
            )
        )
    if found.clipped:
        lines.append(_("Estimates cut to the allowed range: {n} people.").format(n=len(found.clipped)))
    lines.append(
        _(
            "These are estimates under a model: what decides to answer and is no feature here is not corrected."
        )
    )
    return "\n".join(lines)
