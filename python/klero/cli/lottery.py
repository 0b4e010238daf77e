"""`klero lottery`: from two tables to a bundle with the fairest lottery and its certificate."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from klero.cli.check import note_ids
from klero.cli.output import ID_COLUMN, SIZE, figures_data, format_option, note, print_json, progress, written
from klero.cli.rules import files_named, matched, rule_options, settled

if TYPE_CHECKING:
    from collections.abc import Callable

    from klero.sortition.certificate import Certificate
    from klero.sortition.lottery import Lottery, Objective
    from klero.sortition.most_random import MostRandom


@click.command()
@click.argument("people", type=click.Path())
@click.argument("quotas", type=click.Path())
@SIZE
@ID_COLUMN
@rule_options
@click.option(
    "--objective",
    type=click.Choice(["leximin", "maximin", "nash", "goldilocks", "minimax"]),
    default="leximin",
    show_default=True,
    help="Raise the smallest probability, then the next, … (leximin), or the smallest alone (maximin); the largest product of all (nash); "
    "nobody far above or below the even share (goldilocks); the lowest largest probability (minimax).",
)
@click.option(
    "--balls",
    type=int,
    default=10**6,
    show_default=True,
    metavar="M",
    help="Balls: a power of ten, 1000 to 10^12.",
)
@click.option(
    "-o", "--output", type=click.Path(), required=True, metavar="DIR", help="Folder for the bundle."
)
@click.option(
    "--most-random",
    is_flag=True,
    help="Of the lotteries with these probabilities, publish one that is as random as can be reached.",
)
@click.option("--force", is_flag=True, help="Replace a bundle that is already there.")
@format_option
def lottery(
    people: str,
    quotas: str,
    size: int,
    id_column: str | None,
    objective: Objective,
    balls: int,
    output: str,
    most_random: bool,
    force: bool,
    form: str,
    **rules: Any,
) -> int:
    """Find the fairest lottery over panels from PEOPLE that meet all QUOTAS.

    \b
    Examples:
      klero lottery people.csv quotas.csv --size 30 -o bundle
      klero lottery people.xlsx quotas.csv --size 30 --id Nummer --balls 1000 -o bundle
      klero lottery people.csv quotas.csv --size 30 --weight letters --household street,postcode -o bundle
    """
    from pathlib import Path

    from klero._files import check_inputs
    from klero.ledger.bundle import bundle_files, check_output, write_bundle
    from klero.ledger.verify import verify_files
    from klero.sortition.lottery import lottery_for

    check_inputs(output, (people, quotas, *files_named(rules)))
    check_output(output, force=force)
    clock = time.perf_counter()
    instance = matched(people, quotas, size, id_column, **rules)
    reading = time.perf_counter() - clock
    with progress() as advance:
        result = lottery_for(instance, objective, balls, quotas_name=Path(quotas).name, progress=advance)
        varied = rearranged(result, advance) if most_random else None
    result = varied.lottery if varied else result
    clock = time.perf_counter()
    files = bundle_files(result)
    verify_files(files).raise_if_failed()
    write_bundle(output, files, force=force)
    written.append(output)
    seconds = {"reading": reading, **result.seconds, "writing": time.perf_counter() - clock}
    if form == "json":
        print_json(summary(result, seconds) | (entropy(varied) if varied else {}))
    else:
        click.echo(words(result))
        if varied:
            note(
                f"Rearranged by random exchanges: {varied.entropy_bits:.1f} bits of entropy instead of {varied.before_bits:.1f}; "
                f"no lottery with these probabilities has more than {varied.bound.bits:.1f}."
            )
        note_ids(instance.id_column)
        note(f"Written to {output}. Next: klero draw {output} --trial-seed TEXT")
    return 0


def rearranged(result: Lottery, advance: Callable[[str, int], None] | None) -> MostRandom:
    """The same probabilities by panels as varied as can be reached."""
    from klero.sortition.most_random import most_random

    return most_random(result, progress=advance)


def entropy(varied: MostRandom) -> dict[str, object]:
    """What was gained, as data."""
    return {
        "entropy": {
            "bits": varied.entropy_bits,
            "before_bits": varied.before_bits,
            "bound_bits": varied.bound.bits,
            "bound_features": list(varied.bound.features),
            "exchanges": varied.exchanges,
            "seed_text": varied.seed_text,
        }
    }


def summary(result: Lottery, seconds: dict[str, float]) -> dict[str, object]:
    """The lottery as data for `--format json`."""
    from importlib.metadata import version

    instance = result.instance
    never = set(result.never)
    return {
        "schema": "klero-lottery-summary/1",
        "people": len(instance.ids),
        "size": instance.size,
        "settled": settled(instance),
        "types": len(instance.types),
        "cells": len(instance.cells),
        "objective": result.objective,
        "denominator": result.denominator,
        "panels": len(result.panels),
        "min_probability": str(result.min_probability),
        "min_probability_float": float(result.min_probability),
        "max_probability": str(result.max_probability),
        "max_probability_float": float(result.max_probability),
        "gini": result.gini,
        "geometric_mean": result.geometric_mean,
        "open": figures_data(result.among(result.open_types)),
        "certain": instance.people_of(result.certain),
        "certificate": {
            "level": result.certificate.level,
            "gap": float(result.certificate.gap),
            "gap_exact": str(result.certificate.gap),
            "levels": [
                {"value": str(level.value), "people": sum(instance.counts[t] for t, _ in level.types)}
                for level in result.certificate.levels
            ],
        },
        "never": [i for i, t in zip(instance.ids, instance.person_type, strict=True) if t in never],
        "id_column": instance.id_column,
        "seconds": {phase: round(s, 4) for phase, s in seconds.items()},
        "threads": 1,
        "versions": {name: version(name) for name in ("klero", "ortools", "python-flint")},
        "algorithm": result.algorithm,
        "input_digest": result.input_digest,
    }


def words(result: Lottery) -> str:
    """The lottery in a few lines."""
    from klero.words import percent

    instance, certificate = result.instance, result.certificate
    figures = result.among(result.open_types)
    settled = 0 < len(result.open_types) < len(instance.types)
    among = f", of the {figures.people} whose chance is open" if settled else ""
    lines = [
        f"{len(instance.ids)} people, {instance.size} seats, {len(instance.cells)} quotas: {result.objective}",
        f"smallest probability  {percent(figures.smallest, 'en')} ({figures.smallest}){among}",
        f"largest probability   {percent(figures.largest, 'en')} ({figures.largest}){among}",
        f"Gini {figures.gini:.3f}, geometric mean {100 * figures.geometric_mean:.2f} %{among}",
        f"{len(result.panels)} panels share {result.denominator} balls",
        f"certificate {certificate.level}: {_extent(certificate)}, gap {float(certificate.gap):.1e}",
        spark(result),
    ]
    if result.certain:
        lines.append(f"people who sit on every panel: {instance.people_of(result.certain)}")
    if result.never:
        people = instance.people_of(result.never)
        lines.append(
            f"people who can sit on no panel that meets the quotas: {people} (klero explain names them)"
        )
    return "\n".join(lines)


def _extent(certificate: Certificate) -> str:
    """How much a certificate holds."""
    if certificate.claim is None:
        return f"{len(certificate.levels)} levels"
    return f"one claim about {len(certificate.claim.weights)} types"


def spark(result: Lottery) -> str:
    """Everybody's probability from the smallest to the largest, as a line of blocks."""
    blocks = "▁▂▃▄▅▆▇█"
    values = sorted(float(p) for p in result.probabilities)
    top = values[-1]
    picks = [values[min(len(values) - 1, i * len(values) // 48)] for i in range(48)]
    return "probabilities, sorted " + "".join(blocks[min(7, int(8 * v / top))] for v in picks)
