"""Contributions: the options of the command line, the lines for people, and JSON as a table."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from contribution_cases import codes, faults_of, write_csv
from klero.cli.contributions import (
    ContributionOptions,
    contribution_options,
    note_contributions,
    open_contribution_file,
    read_contributions,
)
from klero.tables import read_table
from klero.voices.contributions import Contributions

# --- the command line


@click.command()
@click.argument("source")
@contribution_options
@click.option("--lang", default="en")
@click.option("--stream", is_flag=True)
def command(source: str, contribution: ContributionOptions, lang: str, stream: bool) -> None:
    if stream:
        opened = open_contribution_file(source, contribution, lang)
        for batch in opened.batches():
            click.echo(batch.to_pylist())
        note_contributions(opened, lang)
    else:
        click.echo(read_contributions(source, contribution, lang).table.to_pylist())


@pytest.mark.parametrize("stream", [False, True])
def test_the_options_reach_the_reading_and_the_mapping_is_printed(tmp_path: Path, stream: bool) -> None:
    path = write_csv(tmp_path / "a.csv", [{"ref": "r1", "titre": "Oui", "corps": "06 39 98 12 34"}])
    words = [
        str(path),
        "--map",
        "text=titre+corps, id=ref",
        "--mask",
        "--lang",
        "fr",
        *(["--stream"] if stream else []),
    ]
    result = CliRunner().invoke(command, words, catch_exceptions=False)
    assert result.exit_code == 0
    assert "[téléphone]" in result.stdout
    assert "colonnes : id=ref, text=titre+corps" in result.stderr
    assert "données personnelles (téléphone 1)" in result.stderr
    assert "06 39" not in result.stderr
    for option in (
        "--text",
        "--id",
        "--author",
        "--time",
        "--question",
        "--stance",
        "--votes",
        "--keep",
        "--map",
        "--pseudonymise",
        "--scan",
        "--html",
    ):
        assert option in CliRunner().invoke(command, ["--help"]).output


def test_lines_for_people_say_each_change_in_both_languages() -> None:
    from klero.voices.reading_words import reading_words

    rows = [{"text": "<p>a</p>", "time": "?"}, {"text": "cafe\u0301\x07", "time": "?"}]
    read = Contributions.read(rows)
    english, french = ("\n".join(reading_words(read, lang)) for lang in ("en", "fr"))
    assert "HTML became text in 1 cell." in english
    assert "2 times can't be read" in english
    assert "numbered 1, 2" in english
    assert "2 dates ne se lisent pas" in french
    assert "Lignes 2 = contributions 2 + votes et signalements 0 + lignes blanches 0" in french


# --- JSON as a table


def test_tables_are_read_from_json_lists_and_lines(tmp_path: Path) -> None:
    rows = [{"id": 1, "a": {"fr": "x", "n": 2.0}}, {"id": 2, "tags": ["p", "q"]}]
    (tmp_path / "a.jsonl").write_text("\ufeff" + "\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "a.json").write_text(json.dumps({"proposals": rows}), encoding="utf-8")
    for name in ("a.jsonl", "a.json"):
        table = read_table(tmp_path / name)
        assert table.columns == ("id", "a/fr", "a/n", "tags")
        assert table.data == (("1", "2"), ("x", ""), ("2", ""), ("", "p, q"))
    (tmp_path / "b.json").write_text('{"a": 1}', encoding="utf-8")
    assert codes(faults_of(lambda: read_table(tmp_path / "b.json"))) == [("json-invalid", None)]
