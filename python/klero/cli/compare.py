"""`klero compare`: what each notion of fairness would give, on this pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from klero.cli.output import (
    ID_COLUMN,
    LANG,
    SIZE,
    check_place,
    figures_data,
    format_option,
    note,
    print_json,
    progress,
    save,
    table,
)
from klero.cli.rules import files_named, matched, rule_options, settled

if TYPE_CHECKING:
    from klero.sortition.comparison import Comparison, Entry


@click.command()
@click.argument("people", type=click.Path())
@click.argument("quotas", type=click.Path())
@SIZE
@ID_COLUMN
@rule_options
@click.option(
    "--objectives",
    metavar="NAME,…",
    help="What to compare: objectives of `klero lottery`, random, legacy. Default: all.",
)
@click.option(
    "--draws",
    type=int,
    default=10_000,
    show_default=True,
    metavar="N",
    help="Panels drawn where probabilities must be estimated.",
)
@click.option(
    "--attempts",
    type=int,
    default=10**7,
    show_default=True,
    metavar="N",
    help="Attempts in all for these draws; where most fail, fewer panels are drawn.",
)
@click.option(
    "--memory",
    type=int,
    default=1000,
    show_default=True,
    metavar="MB",
    help="Memory that counting panels may take (random).",
)
@click.option(
    "--trial-seed",
    default="compare",
    show_default=True,
    metavar="TEXT",
    help="Any text: where the estimates' draws come from.",
)
@click.option(
    "--picture", type=click.Path(), metavar="FILE.svg", help="Also write the probabilities as a picture."
)
@click.option("--force", is_flag=True, help="Replace a picture that is already there.")
@LANG
@format_option
def compare(
    people: str,
    quotas: str,
    size: int,
    id_column: str | None,
    objectives: str | None,
    draws: int,
    attempts: int,
    memory: int,
    trial_seed: str,
    picture: str | None,
    force: bool,
    lang: str,
    form: str,
    **rules: Any,
) -> int:
    """Compare what each objective, and two usual ways of drawing, give to PEOPLE under QUOTAS.

    \b
    Examples:
      klero compare people.csv quotas.csv --size 30
      klero compare people.csv quotas.csv --size 30 --objectives leximin,legacy --picture compared.svg
      klero compare people.csv quotas.csv --size 30 --draws 1000 --format json

    «random»: every panel that meets the quotas is equally likely. «legacy»: the greedy draw that was usual before
    fair lotteries. Neither is fair, and neither has a certificate; they are there to compare with.
    """
    from pathlib import Path

    from klero.sortition.baselines import Options
    from klero.sortition.comparison import compare_for
    from klero.words import words

    if picture:
        check_place(picture, people, quotas, *files_named(rules), force=force)
    options = Options(draws, trial_seed, attempts=attempts)
    chosen = None if objectives is None else [name.strip() for name in objectives.split(",") if name.strip()]
    instance = matched(people, quotas, size, id_column, **rules)
    with progress() as advance:
        result = compare_for(
            instance,
            chosen,
            options,
            memory_mb=memory,
            quotas_name=Path(quotas).name,
            progress=advance,
        )
    if picture:
        save(picture, result.picture(lang), force=force)
    if form == "json":
        print_json(summary(result))
    else:
        click.echo(text(result, lang))
        for entry in result.entries:
            if entry.reason:
                note(f"{entry.name}: {entry.reason}")
        for line in remarks(result, lang):
            note(line)
    if picture:
        note(words(lang).gettext("Picture written to {file}.").format(file=picture))
    return 0


def remarks(result: Comparison, lang: str) -> list[str]:
    """What a reader of the table must know: what is estimated, and what is counted as panels."""
    from klero.words import words

    _ = words(lang).gettext
    lines = []
    if any(entry.estimated for entry in result.entries):
        text = _(
            "«± …»: estimated; with {confidence} % confidence nobody's probability is further off than that "
            "(the smallest and largest of many estimates tend to lie too far out)."
        )
        confidence = f"{100 * result.confidence:g}"
        lines.append(text.format(confidence=confidence if lang == "en" else confidence.replace(".", ",")))
    if any(entry.panels is not None for entry in result.entries):
        lines.append(
            _(
                "«panels»: of a lottery, entries of its list, each of which says how many seats each kind of people has and can "
                "come out with different people; of «random», all sets of people that meet quotas and rules; «–»: not known."
            )
        )
    return lines


def text(result: Comparison, lang: str) -> str:
    """The comparison as a table."""
    from klero.words import words

    _ = words(lang).gettext
    headings = [
        _("objective"),
        _("smallest"),
        _("largest"),
        "Gini",
        _("geometric mean"),
        _("panels"),
        _("entropy"),
        _("certificate"),
        _("seconds"),
    ]
    rows = table(headings, [_row(result, entry, lang) for entry in result.entries])
    people = result.instance.people_of
    certain, never, open_ = people(result.certain), people(result.never), people(result.open_types)
    if not open_ or not certain + never:
        return rows
    settled = _(
        "Smallest, largest, Gini and mean are of those whose chance is open: {n}. On every panel: {certain}; on none: {never}."
    )
    return rows + "\n" + settled.format(n=open_, certain=certain, never=never)


def _row(comparison: Comparison, entry: Entry, lang: str) -> list[str]:
    from fractions import Fraction

    from klero.words import percent, words

    _ = words(lang).gettext

    def decimal(value: float, digits: int) -> str:
        shown = f"{value:.{digits}f}"
        return shown if lang == "en" else shown.replace(".", ",")

    result = entry.result
    if result is None:
        return [entry.name, *[_("not available")] * 1, *["–"] * 6, decimal(entry.seconds, 2)]
    about = " ± " + percent(Fraction(entry.uncertainty), lang) if entry.estimated else ""
    gap = (
        f"{entry.certificate}, {_('gap')} {float(result.certificate.gap):.1e}"
        if result.certificate
        else _("none")
    )
    bits = entry.entropy_bits
    figures = result.among(comparison.open_types)
    return [
        entry.name,
        percent(figures.smallest, lang) + about,
        percent(figures.largest, lang) + about,
        ("~ " if entry.estimated else "") + decimal(figures.gini, 3),
        ("~ " if entry.estimated else "") + percent(Fraction(figures.geometric_mean), lang),
        _number(entry.panels),
        "–" if bits is None else _("{n} bits").format(n=decimal(bits, 1)),
        gap,
        decimal(entry.seconds, 2),
    ]


def _number(panels: int | None) -> str:
    """A number of panels; in powers of ten where it is long."""
    if panels is None:
        return "–"
    digits = str(panels)
    if len(digits) <= 9:
        return digits
    return f"{digits[0]}.{digits[1:3]}e{len(digits) - 1}"


def summary(result: Comparison) -> dict[str, object]:
    """The comparison as data for `--format json`."""
    instance = result.instance
    return {
        "schema": "klero-comparison/1",
        "people": len(instance.ids),
        "size": instance.size,
        "settled": settled(instance),
        "equal_share": f"{instance.size}/{len(instance.ids)}",
        "trial_seed": result.trial_seed,
        "confidence": result.confidence,
        "certain": instance.people_of(result.certain),
        "never": instance.people_of(result.never),
        "open": instance.people_of(result.open_types),
        "objectives": [_data(result, entry) for entry in result.entries],
        "input_digest": instance.digest(),
    }


def _data(comparison: Comparison, entry: Entry) -> dict[str, object]:
    from klero.sortition.baselines import Baseline

    result = entry.result
    data: dict[str, object] = {"objective": entry.name, "available": result is not None}
    if result is None:
        return data | {"reason": entry.reason, "seconds": round(entry.seconds, 4)}
    by_type = [float(p) for p in result.type_probabilities]
    certificate = result.certificate
    data |= {
        "algorithm": result.algorithm,
        "estimated": entry.estimated,
        "uncertainty": entry.uncertainty,
        "min_probability": float(result.min_probability),
        "max_probability": float(result.max_probability),
        "gini": result.gini,
        "geometric_mean": result.geometric_mean,
        "open": figures_data(result.among(comparison.open_types)),
        "panels": entry.panels,
        "entropy_bits": entry.entropy_bits,
        "certificate": None
        if certificate is None
        else {"level": certificate.level, "gap": float(certificate.gap), "gap_exact": str(certificate.gap)},
        "probabilities": sorted(by_type[t] for t in result.instance.person_type),
        "seconds": round(entry.seconds, 4),
    }
    if isinstance(result, Baseline):
        data |= {
            "draws": result.draws,
            "restarts": result.restarts,
            "counted_features": list(result.counted),
            "guarantee": result.guarantee,
        }
    return data
