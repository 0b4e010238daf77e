"""`klero replace`: the seats of those who withdrew, drawn anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from klero.cli.ids import read_ids
from klero.cli.output import LANG, format_option, note, print_json, progress, written

if TYPE_CHECKING:
    from klero.ledger.replacement import Replacement


@click.command()
@click.argument("bundle", type=click.Path())
@click.option(
    "--withdrawn",
    metavar="IDS",
    help="Ids with commas between them, or a table with a column «id». With --log: by default those it holds as withdrawn.",
)
@click.option("--round", "round_", type=int, metavar="N", help="For a bundle: the declared round: 1, 2, …")
@click.option("--trial-seed", metavar="TEXT", help="For a bundle: any text. The draw is marked TRIAL.")
@click.option(
    "-o", "--output", type=click.Path(), required=True, metavar="DIR", help="Folder for the new bundle."
)
@click.option(
    "--from-alternates",
    "alternates",
    metavar="IDS",
    help="Draw from these people alone: ids, or a table with a column «id».",
)
@click.option(
    "--earlier",
    type=click.Path(),
    multiple=True,
    metavar="DIR",
    help="A bundle before BUNDLE, oldest first; the first one's people and quotas hold. Needed where BUNDLE is a replacement.",
)
@click.option(
    "--without-earlier",
    is_flag=True,
    help="Where BUNDLE is a replacement: take its people and quotas as the real ones.",
)
@click.option(
    "--allow-breach",
    is_flag=True,
    help="Where no completion meets the quotas, draw under their smallest breach.",
)
@click.option(
    "--log",
    type=click.Path(),
    metavar="FILE",
    help="A log of states: reads who withdrew, adds what happened.",
)
@click.option("--time", default="", metavar="TIME", help="With --log: when, in UTC, as 2026-05-01T09:00:00Z.")
@click.option(
    "--reason",
    default="withdrawn",
    show_default=True,
    metavar="CODE",
    help="With --log: reason of new withdrawals.",
)
@click.option("--force", is_flag=True, help="Replace a bundle that is already at DIR.")
@LANG
@format_option
def replace(
    bundle: str,
    withdrawn: str | None,
    round_: int | None,
    trial_seed: str | None,
    output: str,
    alternates: str | None,
    earlier: tuple[str, ...],
    without_earlier: bool,
    allow_breach: bool,
    log: str | None,
    time: str,
    reason: str,
    force: bool,
    lang: str,
    form: str,
) -> int:
    """Fill the seats of panel members of BUNDLE who withdrew, by a fair lottery over ways to complete the panel.

    BUNDLE is a trial's bundle; or a public draw's record, which says itself who withdrew: then the lottery is written, to be committed and drawn.

    \b
    Examples:
      klero replace bundle --withdrawn P001,P017 --round 1 --trial-seed "rehearsal" -o round1
      klero replace bundle --withdrawn left.csv --round 1 --trial-seed "rehearsal" --from-alternates alternates.csv -o round1
      klero replace round1 --earlier bundle --withdrawn P101 --round 2 --trial-seed "rehearsal" -o round2
      klero replace bundle --log states.jsonl --time 2026-05-01T09:00:00Z --round 1 --trial-seed "rehearsal" -o round1
      klero replace panel-record -o round1
    """
    from klero._files import check_inputs
    from klero.ledger.record_folder import is_record
    from klero.ledger.replacement import replace as replace_members

    if is_record(bundle):
        if (
            any(x is not None for x in (withdrawn, round_, trial_seed, alternates, log))
            or earlier
            or without_earlier
        ):
            raise click.UsageError(
                "BUNDLE is a record, which says itself who withdrew and which round is next: give -o, and --allow-breach if need be."
            )
        return _for_record(bundle, output, allow_breach, force, lang, form)
    if round_ is None or trial_seed is None:
        raise click.UsageError("Give --round and --trial-seed.")
    if withdrawn is None and log is None:
        raise click.UsageError("Give --withdrawn, or --log with a log that holds who withdrew.")
    check_inputs(output, (bundle, *earlier, log, withdrawn, alternates))
    gone = None if withdrawn is None else read_ids(withdrawn, "--withdrawn")
    named = None if alternates is None else read_ids(alternates, "--from-alternates")
    with progress() as advance:
        result = replace_members(
            bundle,
            withdrawn=gone,
            round=round_,
            trial_seed=trial_seed,
            output=output,
            alternates=named,
            earlier=earlier,
            without_earlier=without_earlier,
            allow_breach=allow_breach,
            log=log,
            time=time,
            reason=reason,
            force=force,
            progress=advance,
        )
    written.append(output)
    if form == "json":
        print_json(summary(result, lang))
        return 0
    click.echo("\n".join(["id", *result.newcomers]))
    note(result.explain(lang))
    if result.retired:
        who = ", ".join(result.retired)
        note(f"Named as alternates and withdrawn, so not drawn from: {who}.")
    chain = " ".join(f"--after {place}" for place in (*earlier, bundle))
    following = (
        "It can be verified back to the first draw only with the bundles before."
        if without_earlier
        else f"Next: klero verify {output} {chain}"
    )
    note(f"{result.draw.mark}, written to {output}. {following}")
    return 0


def _for_record(record: str, output: str, allow_breach: bool, force: bool, lang: str, form: str) -> int:
    from klero.ledger.successor import replace_round

    with progress() as advance:
        made = replace_round(record, output, allow_breach=allow_breach, force=force, progress=advance)
    written.append(output)
    if form == "json":
        print_json(
            {
                "schema": "klero-replacement-lottery/1",
                "seats": made.seats,
                "staying": list(made.staying),
                "withdrawn": list(made.withdrawn),
                "people": len(made.lottery.instance.ids),
                "breach": [
                    {"cell": c, "side": s, "before": before, "after": after}
                    for c, s, before, after in made.breach
                ],
                "gap": str(made.lottery.certificate.gap),
                "text": made.explain(lang),
            }
        )
        return 0
    click.echo(made.explain(lang))
    note(f"Written to {output}. Next: klero commit {output} --record {record} --key FILE")
    return 0


def summary(result: Replacement, lang: str) -> dict[str, object]:
    """The replacement as data for `--format json`."""
    instance = result.lottery.instance
    return {
        "schema": "klero-replacement/1",
        "round": result.round,
        "previous": result.previous,
        "commitment": result.draw.commitment,
        "withdrawn": list(result.withdrawn),
        "newcomers": [
            {"id": i, "probability": str(p), "probability_float": float(p)}
            for i in result.newcomers
            for p in [result.lottery.probability(i)]
        ],
        "alternates_withdrawn": list(result.retired),
        "staying": list(result.staying),
        "panel": list(result.draw.panel),
        "candidates": len(instance.ids) - len(result.staying),
        "breach": [
            {"cell": cell, "side": side, "before": before, "after": after}
            for cell, side, before, after in result.breach
        ],
        "gap": str(result.lottery.certificate.gap),
        "seed": result.draw.seed,
        "seed_text": result.draw.seed_text,
        "mark": result.draw.mark,
        "text": result.explain(lang),
    }
