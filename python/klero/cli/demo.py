"""`klero demo`: the whole way on a bundled example."""

from __future__ import annotations

import click

from klero.cli.output import note


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="DIR",
    help="Keep the bundle here. Default: a folder that is removed again.",
)
@click.option("--force", is_flag=True, help="Replace a bundle that is already there.")
def demo(output: str | None, force: bool) -> int:
    """Run check, lottery, draw, verify and explain on an example that comes with klero.

    \b
    Examples:
      klero demo
      klero demo -o bundle
    """
    import shlex
    import subprocess
    import sys
    from importlib.resources import as_file, files
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from klero.ledger.bundle import check_output

    if output:
        check_output(output, force=force)
    with TemporaryDirectory() as folder, as_file(files("klero") / "examples") as examples:
        bundle = output or str(Path(folder) / "bundle")
        people, quotas = str(examples / "people.csv"), str(examples / "quotas.csv")
        tables = [people, quotas, "--size", "30"]
        steps = [
            ["check", *tables],
            ["lottery", *tables, "-o", bundle, *(["--force"] if force else [])],
            ["draw", bundle, "--trial-seed", "demo"],
            ["verify", bundle],
            ["explain", bundle, "--person", "P017"],
        ]
        for step in steps:
            click.secho(f"\n$ klero {shlex.join(step)}", bold=True)
            sys.stdout.flush()
            code = subprocess.run([sys.executable, "-m", "klero", *step], check=False).returncode  # noqa: S603
            if code:
                return code
        verifier = files("klero") / "verifiers" / "klero_verify.py"
        click.secho(
            "\n$ python klero_verify.py bundle   (the independent verifier: Python's standard library alone)",
            bold=True,
        )
        sys.stdout.flush()
        with as_file(verifier) as script:
            code = subprocess.run([sys.executable, "-I", str(script), bundle], check=False).returncode  # noqa: S603
        if code == 0 and not output:
            note("\nThe bundle was removed again; klero demo -o DIR keeps it.")
        return code
