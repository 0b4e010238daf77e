"""Contributions: options that are no options, keys and encodings that come late, tables without columns, commands to copy."""

from __future__ import annotations

import inspect
import json
import shlex
from collections.abc import Callable
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import klero._tables_batches as batches
from contribution_cases import codes, faults_of
from klero.cli.contributions import (
    ContributionOptions,
    contribution_options,
    open_contribution_file,
    read_contributions,
)
from klero.errors import InputError
from klero.voices.contributions import Contributions, open_contributions
from klero.voices.pseudonyms import PseudonymKey, new_key

ROW: dict[str, object] = {"id": 1, "text": "a b c", "auteur": "Zoé", "m": "x"}
KEY = PseudonymKey(bytes(range(32)))


def ways(tmp_path: Path) -> list[Callable[..., object]]:
    (tmp_path / "a.jsonl").write_text(json.dumps(ROW) + "\n", encoding="utf-8")
    return [
        lambda **options: Contributions.read([ROW], **options),
        lambda **options: open_contributions(tmp_path / "a.jsonl", **options),
    ]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"html": "yes"}, "option-unknown"),
        ({"html": None}, "option-unknown"),
        ({"text": 5}, "map-invalid"),
        ({"text": []}, "map-invalid"),
        ({"text": ["text", 5]}, "map-invalid"),
        ({"author": 5}, "map-invalid"),
        ({"mapping": {"text": 5}}, "map-invalid"),
        ({"mapping": {5: "text"}}, "map-invalid"),
        ({"mapping": 5}, "map-invalid"),
        ({"metadata": 5}, "option-unknown"),
        ({"metadata": [5]}, "option-unknown"),
        ({"metadata": "question"}, "map-invalid"),
        ({"metadata": "nope"}, "column-missing"),
        ({"author": "nope"}, "column-missing"),
        ({"votes": "nope"}, "column-missing"),
        ({"stance": "a+"}, "map-invalid"),
        ({"question": "m", "mapping": "question=m"}, "options-conflict"),
        ({"lang": "de"}, "language-unknown"),
        ({"pseudonymise": 5}, "pseudonym-key"),
        ({"pseudonymise": "no such file"}, "file-missing"),
        ({"pseudonymise": KEY, "mapping": "author="}, "column-missing"),
        ({"pseudonymise": KEY, "metadata": ["auteur"]}, "options-conflict"),
    ],
    ids=str,
)
def test_options_that_are_none_are_refused_in_both_ways(
    tmp_path: Path, options: dict[str, object], code: str
) -> None:
    for read in ways(tmp_path):
        found = {fault.code for fault in faults_of(lambda read=read: read(**options))}  # type: ignore[misc]
        assert code in found


def test_both_ways_have_the_same_options() -> None:
    whole, streamed = (inspect.signature(way).parameters for way in (Contributions.read, open_contributions))
    assert set(whole) - set(streamed) == {"source", "name", "progress"}
    assert {name: whole[name].default for name in whole if name in streamed} == {
        name: streamed[name].default for name in streamed if name != "path"
    }


def test_columns_to_keep_are_names_each_once() -> None:
    for metadata in ("m", ["m"], ["m", "m"]):
        read = Contributions.read([ROW], metadata=metadata)
        assert read.table.column_names == ["id", "text", "author", "m"]
        assert read.mapping["metadata"] == "m"


@click.command()
@click.argument("source")
@contribution_options
@click.option("--stream", is_flag=True)
def command(source: str, contribution: ContributionOptions, stream: bool) -> None:
    if stream:
        open_contribution_file(source, contribution, "en")
    else:
        read_contributions(source, contribution, "en")


@pytest.mark.parametrize("stream", [[], ["--stream"]])
def test_the_command_line_checks_the_same_options_of_files_in_memory_and_on_disk(
    tmp_path: Path, stream: list[str]
) -> None:
    ways(tmp_path)
    new_key(tmp_path / "key")
    source = str(tmp_path / "a.jsonl")
    for words, code in (
        (["--author", "nope"], "column-missing"),
        (["--time", "nope"], "column-missing"),
        (["--question", "nope"], "column-missing"),
        (["--stance", "nope"], "column-missing"),
        (["--votes", "nope"], "column-missing"),
        (["--keep", "nope"], "column-missing"),
        (["--pseudonymise", str(tmp_path / "none")], "file-missing"),
        (["--pseudonymise", str(tmp_path / "key"), "--map", "author="], "column-missing"),
    ):
        result = CliRunner().invoke(command, [source, *words, *stream])
        assert isinstance(result.exception, InputError), words
        assert [fault.code for fault in result.exception.faults] == [code]
    assert (
        CliRunner().invoke(command, [source, "--pseudonymise", str(tmp_path / "key"), *stream]).exit_code == 0
    )


def test_columns_of_one_name_are_named_wherever_they_stand() -> None:
    table = pa.table([["1"], ["a b"], ["c d"]], names=["id", "text", "text"])
    assert codes(faults_of(lambda: Contributions.read(table))) == [("column-duplicate", None)]
    rows: list[dict[object, object]] = [{"text": "a"}, {1: "a", "1": "b", "text": "c"}]
    assert codes(faults_of(lambda: Contributions.read(rows))) == [("column-duplicate", 2)]  # type: ignore[arg-type]


def test_keys_with_half_a_character_are_named(tmp_path: Path) -> None:
    rows = [{"text": "a"}, {"\ud800": "a", "text": "c"}, {"\ud800": "a"}]
    assert codes(faults_of(lambda: Contributions.read(rows))) == [("encoding-unreadable", 2)]
    (tmp_path / "a.jsonl").write_text('{"text": "a", "\\ud800": "b"}\n', encoding="utf-8")
    assert codes(faults_of(lambda: Contributions.read(tmp_path / "a.jsonl"))) == [
        ("encoding-unreadable", None)
    ]


def test_a_key_that_comes_late_in_json_is_a_column(tmp_path: Path) -> None:
    lines = [{"id": i, "text": f"mot {i}"} for i in range(3000)] + [
        {"id": 3000, "author": "Zoé", "text": "fin"}
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    read = Contributions.read(tmp_path / "a.jsonl")
    assert read.mapping["author"] == "author"
    assert read.table.column("author").to_pylist() == [None] * 3000 + ["Zoé"]
    late = [{"id": i} for i in range(3000)] + [{"id": 3000, "text": "fin"}]
    (tmp_path / "b.jsonl").write_text("".join(json.dumps(line) + "\n" for line in late), encoding="utf-8")
    (batch,) = open_contributions(tmp_path / "b.jsonl").batches()
    assert batch.column("text").to_pylist() == [""] * 3000 + ["fin"]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
@pytest.mark.parametrize(
    ("line", "code", "what"),
    [
        ('{"id": 1e400, "text": "a"}', "cell-type", "too long to be written out"),
        ('{"id": 1, "id": 2, "text": "a"}', "json-invalid", "'id' comes twice"),
        ('{"text": "a", "a": {"b": 1}, "a/b": 2}', "json-invalid", "'a/b' comes twice"),
        ('{"text": "a", "a/b": 2, "a": {"b": 1}}', "json-invalid", "'a/b' comes twice"),
        ('{"text": "a", "o": {"b": 1, "b": 2}}', "json-invalid", "'b' comes twice"),
    ],
)
def test_what_json_would_lose_is_named(tmp_path: Path, name: str, line: str, code: str, what: str) -> None:
    path = tmp_path / name
    path.write_text(line + "\n" if name == "a.jsonl" else f"[{line}]", encoding="utf-8")
    (fault,) = faults_of(lambda: Contributions.read(path))
    assert fault.code == code
    assert what in fault.message


@pytest.mark.parametrize("accent", ["é", "É, et É", "Œuvre «…»"])
def test_a_first_accent_after_the_first_mebibyte_tells_the_encoding(
    tmp_path: Path, accent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for head in (1 << 20, 1000):
        monkeypatch.setattr(batches, "_HEAD", head)
        text = "id;text\n" + "".join(f"{i};mot\n" for i in range(head // 6)) + f"x;{accent}\ny;{accent}\n"
        for encoding in ("cp1252", "utf-8"):
            path = tmp_path / "a.csv"
            path.write_bytes(text.encode(encoding))
            assert Contributions.read(path, mapping="id=").texts.to_pylist()[-2:] == [accent, accent]
            opened = open_contributions(path)
            for _pass in range(2):
                assert [row for batch in opened.batches() for row in batch.column("text").to_pylist()][
                    -1
                ] == accent
        path.write_bytes((text + "z;É\n").encode() + b"q;\xe9\n")
        (fault,) = faults_of(lambda path=path: Contributions.read(path))  # type: ignore[misc]
        assert fault.code == "encoding-unreadable"


def test_tables_without_columns_are_empty(tmp_path: Path) -> None:
    (tmp_path / "blank.csv").write_bytes(b"\n\n\n")
    (tmp_path / "bom.csv").write_bytes(b"\xef\xbb\xbf")
    (tmp_path / "unnamed.csv").write_bytes(b",,\n1,2,3\n")
    pq.write_table(pa.table({}), tmp_path / "none.parquet")
    for source in (*sorted(tmp_path.iterdir()), pa.table({})):
        (fault,) = faults_of(lambda source=source: Contributions.read(source))  # type: ignore[misc]
        assert fault.code == "table-empty"
        assert "has ." not in fault.message


@pytest.mark.parametrize(
    "name", ["l'avis", "a b", "$HOME", 'dit "oui"', "-v", "prix (€)", "a`b`", "idée+suite"]
)
def test_commands_in_messages_can_be_copied(name: str) -> None:
    words = "je propose de planter des arbres"
    rows: list[dict[str, object]] = [{name: words, "n": i} for i in range(3)]
    for options in ({}, {"text": "n"}):
        (fault,) = faults_of(lambda options=options: Contributions.read(rows, **options))  # type: ignore[misc]
        given = shlex.split(
            fault.message.partition("--text ")[2].replace("The table has", "#"), comments=True
        )[0]
        assert Contributions.read(rows, text=given.removesuffix(".")).texts.to_pylist() == [words] * 3
    twice: list[dict[str, object]] = [{"ref": 1, "text": "a", name: 1}, {"ref": 1, "text": "b", name: 2}]
    (fault,) = faults_of(lambda: Contributions.read(twice))
    if '"' in name:  # which an expression has no spelling for
        assert "(--id" not in fault.message
        return
    given = shlex.split(fault.message.partition("(--id ")[2].partition("), or")[0])[0]
    assert Contributions.read(twice, id=given).ids.to_pylist() == ["1-1", "1-2"]


def test_an_option_for_several_columns_keeps_their_names_apart() -> None:
    row = {"texte": "a", "description": "b"}
    (fault,) = faults_of(lambda: Contributions.read([row]))
    assert "--text 'texte+description'" in fault.message
