"""`klero verify`: replay a bundle and check every byte of it."""

from __future__ import annotations

import click

from klero.cli.output import format_option, print_json


@click.command()
@click.argument("bundle", type=click.Path())
@click.option(
    "--after",
    type=click.Path(),
    multiple=True,
    metavar="DIR",
    help="An earlier bundle, oldest first: check also that BUNDLE is a replacement that follows from it.",
)
@format_option
def verify(bundle: str, after: tuple[str, ...], form: str) -> int:
    """Check BUNDLE: its files, lottery, certificate, and the draw if there is one. Exit code 1 if a check fails.

    A second, independent verifier needs Python's standard library alone: klero/verifiers/klero_verify.py.

    \b
    Examples:
      klero verify bundle
      klero verify bundle --format json
      klero verify round1 --after bundle
    """
    from klero.ledger.verify import verify as verify_bundle

    result = verify_bundle(bundle)
    if after and result.ok:
        from klero.ledger.succession import verify_replacement
        from klero.ledger.verify import Verification

        result = Verification((*result, *verify_replacement(bundle, after)))
    if form == "json":
        checks = [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in result.checks]
        print_json({"ok": result.ok, "checks": checks})
    else:
        for c in result.checks:
            click.echo(f"{'ok  ' if c.ok else 'FAIL'}  {c.name:<12}  {c.detail}".rstrip())
        failed = [c.name for c in result.checks if not c.ok]
        click.echo("All checks passed." if result.ok else f"NOT VALID: the check «{failed[0]}» fails.")
    return 0 if result.ok else 1
