"""`klero verify`: replay a bundle and check every byte of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from klero.cli.output import format_option, print_json

if TYPE_CHECKING:
    from klero.ledger.verify import Check, Verification

# How a check's detail says that it was not made for want of another one.
_BLOCKED = re.compile(r"not checked: ([a-z.]+) failed")


@click.command()
@click.argument("bundle", type=click.Path())
@click.option(
    "--after",
    type=click.Path(),
    multiple=True,
    metavar="DIR",
    help="An earlier bundle, oldest first: check also that BUNDLE is a replacement that follows from it.",
)
@click.option(
    "--tsa-certificate",
    type=click.Path(),
    metavar="FILE",
    help="Of a record, check the time-stamps' signatures too, against this root certificate of the authority (PEM or DER).",
)
@click.option(
    "--lang",
    type=click.Choice(["en", "fr"]),
    help="In words of this language; of a record, what each check shows.",
)
@format_option
def verify(
    bundle: str, after: tuple[str, ...], tsa_certificate: str | None, lang: str | None, form: str
) -> int:
    """Check BUNDLE, a trial's bundle or a public draw's record (folder or ZIP). Exit code 1 if a check fails.

    «--» stands before what was not checked, with the reason: nothing is there yet, or this copy has not the tier for it.

    A second, independent verifier needs Python's standard library alone: klero/verifiers/klero_verify.py.

    \b
    Examples:
      klero verify bundle
      klero verify bundle --format json
      klero verify round1 --after bundle
      klero verify panel-record
      klero verify panel-record --lang fr
      klero verify panel-public.zip --tsa-certificate tsa.pem
    """
    from klero.ledger.verify import verify as verify_bundle

    result = verify_bundle(bundle, tsa_certificate=tsa_certificate)
    if after and result.what == "record":
        raise click.UsageError("--after is for trial bundles; a record holds its rounds itself.")
    if after and result.ok:
        from klero.ledger.succession import verify_replacement
        from klero.ledger.verify import Verification

        result = Verification((*result, *verify_replacement(bundle, after)))
    if form == "json":
        checks = [{"name": c.name, "status": c.status, "ok": c.ok, "detail": c.detail} for c in result.checks]
        print_json({"ok": result.ok, "checks": checks})
    elif lang is not None:
        click.echo("\n".join(_sentences(result, lang)))
    else:
        width = max(12, *(len(c.name) for c in result.checks))
        for c in result.checks:
            status, detail = _made(c)
            click.echo(f"{status:<4}  {c.name:<{width}}  {detail}".rstrip())
        click.echo(_verdict(result))
    return 0 if result.ok else 1


def _made(check: Check) -> tuple[str, str]:
    """(status, detail) as people read it: what was not made for want of another check is no second failure. As data it has the status FAIL."""
    cause = _BLOCKED.fullmatch(check.detail)
    if check.bad and cause:
        return "--", f"not checked because «{cause[1]}» failed"
    return check.status, check.detail


def _sentences(result: Verification, lang: str) -> list[str]:
    """A line for each check, in words, with the detail of one that is not passed; and how many passed."""
    from klero.ledger.check_words import (
        check_sentence,
        count_words,
        detail_words,
        outcome_words,
        status_words,
    )

    width = max(len(status_words(status, lang)) for status in ("ok", "FAIL", "--"))
    lines = []
    for c in result:
        status, _detail = _made(c)
        # A bundle's checks have names alone.
        what = check_sentence(c.name, lang) if result.what == "record" else c.name
        lines.append(f"{status_words(status, lang):<{width}}  {what}")
        if status == "--":
            lines.append(f"{'':<{width}}  ({outcome_words(c, lang)})")
        elif not c.ok and c.detail:
            lines.append(f"{'':<{width}}  {detail_words(c.detail, lang)}")
    return [*lines, count_words((_made(c)[0] for c in result), lang)]


def _verdict(result: Verification) -> str:
    if result.failed:
        return f"NOT VALID: the check «{result.failed.name}» fails."
    if not result.unchecked:
        return "All checks passed."
    return (
        f"No check failed: {len(result) - len(result.unchecked)} passed, {len(result.unchecked)} not checked."
    )
